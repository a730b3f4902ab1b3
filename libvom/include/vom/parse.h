/* BSD-3-Clause; see LICENSE. */
/**
 * Types and values from text, in two forms: what a person types, and what the
 * library prints.
 *
 * VDL constants (spec/vdl.md 7, without operators and named constants) are
 * for arguments on a command line; vom/print.h prints them:
 *
 *     true  -3  0x1f  1.5e3  "text"  `raw`  Label  nil
 *     {1, 2}  {3: "c"}  {"a": 1}  {Name: "x", Size: 3}  {Field: value}
 *     int32(5)  []string{"a"}  "time".Duration{Seconds: 1}  typeobject([]byte)
 *     "pkg/path".Color.Red  ?"pkg/path".S(nil)
 *
 * The implied type comes from the caller; where it is `any` a typed form is
 * needed, except for booleans and strings. `NaN`, `+Inf` and `-Inf` are taken
 * for floats, though VDL has no literals for them.
 *
 * The text of values (spec/vom.md 16.1) and canonical strings of types (1.4)
 * say everything themselves; vdl_format() and vdl_type_format() print them.
 *
 * Thread: no state. Cost: linear, and n log n for the entries of sets and
 * maps; a label, and a field out of order, is looked for among all of its
 * type. Text may come from anywhere: nesting is bounded by VDL_PARSE_DEPTH,
 * memory by the arena's budget.
 */
#ifndef VOM_PARSE_H
#define VOM_PARSE_H

#include <vom/type.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Deepest nesting of a constant or value. Cost: half a KiB of stack each. */
#define VDL_PARSE_DEPTH 1000

struct vdl_parse_error {
    size_t at;      /* byte offset of the offending text */
    size_t start;   /* byte offset of the constant that it is part of */
    char text[160]; /* a phrase: `can't convert "x" to int32` */
};

/**
 * Parse constants separated by commas, one for each type.
 *
 * @param known  named types that may be written ("pkg/path".Name), besides
 *               those reachable from `types`; may be NULL
 * @param a      holds the values, and keeps run-time types alive
 * @param types  n implied types, whose C representation is the normal one
 *               (VDL_REP_NORMAL, also of every part)
 * @param out    n pointers to values, in the arena; to be used on success only
 * @param got    receives the number of constants in the text, also with
 *               V23_EARG
 * @param err    receives what was wrong with V23_ETEXT
 * @return 0; V23_ETEXT; V23_EARG: another number than n, or a type that is not
 *         held in the normal way; V23_ENOMEM; V23_ELIMIT: the types have too
 *         many parts
 */
V23_MUST_USE int vdl_parse_values(struct vdl_str text,
    const struct vdl_registry *known, struct v23_arena *a,
    const struct vdl_type *const *types, size_t n, const void **out,
    size_t *got, struct vdl_parse_error *err);

/**
 * Parse the text of a value: what vdl_format() and `vom decode` write.
 *
 * @param a    holds the value, and keeps its type alive
 * @param out  written on success; nil for `any(nil)`
 * @return 0, V23_ETEXT, V23_ENOMEM
 *
 * Names and labels that hold blanks, brackets or the like, as a peer may send
 * them, make text that has several meanings, or none.
 */
V23_MUST_USE int vdl_parse(struct vdl_str text, struct v23_arena *a,
    struct vdl_any *out, struct vdl_parse_error *err);

/**
 * Make the type with this canonical string: what vdl_type_format() writes.
 *
 * @param ts   the new types go there
 * @param out  written on success; a built-in descriptor if it is one
 * @return 0; V23_ETEXT: also when the types break a rule or a limit of the
 *         set; V23_ENOMEM
 */
V23_MUST_USE int vdl_type_parse(struct vdl_types *ts, struct vdl_str text,
    const struct vdl_type **out, struct vdl_parse_error *err);

#ifdef __cplusplus
}
#endif
#endif

/* BSD-3-Clause; see LICENSE. */
/**
 * Values written as VDL constants: what a person types for an argument
 * (spec/vdl.md 7, without operators and named constants).
 *
 *     true  -3  0x1f  1.5e3  "text"  `raw`  Label  nil
 *     {1, 2}  {"a": 1}  {Name: "x", Size: 3}  {Field: value}
 *     int32(5)  []string{"a"}  "time".Duration{Seconds: 1}  typeobject([]byte)
 *
 * The implied type comes from the caller; where it is `any` a typed form is
 * needed, except for booleans and strings.
 */
#ifndef VOM_PARSE_H
#define VOM_PARSE_H

#include <vom/type.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Deepest nesting of a constant. */
#define VDL_PARSE_DEPTH 100

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
 * @param types  n implied types
 * @param out    n pointers to values, in the arena; written on success
 * @param got    receives the number of constants in the text, also with
 *               V23_EARG
 * @param err    receives what was wrong with V23_ETEXT
 * @return 0; V23_ETEXT; V23_EARG: another number than n; V23_ENOMEM
 */
V23_MUST_USE int vdl_parse_values(struct vdl_str text,
    const struct vdl_registry *known, struct v23_arena *a,
    const struct vdl_type *const *types, size_t n, const void **out,
    size_t *got, struct vdl_parse_error *err);

#ifdef __cplusplus
}
#endif
#endif

/* BSD-3-Clause; see LICENSE. */
/**
 * Values as JSON and from JSON, by their VDL type: what web pages of 2014
 * speak. Integers of 64 bits are exact, and what a text has of values is counted
 * before they are made.
 *
 * Thread: no state. Source: spec/wspr.md 16.1, 16.2, 16.5.
 */
#ifndef WSPR_JSON_H
#define WSPR_JSON_H

#include <vom/type.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wspr_json_options {
    uint32_t depth;    /* nesting of objects and arrays, at most 1,000 */
    uint32_t elements; /* values of all kinds in one text */
    size_t bytes;      /* that a value may use of the arena */
    bool lax; /* for messages rather than arguments: members that a struct
                 does not have are skipped, and null is the zero value of any
                 type */
};
#define WSPR_JSON_OPTIONS_INIT { 256, 1u << 20, 64u << 20, false }
extern const struct wspr_json_options wspr_json_options_default;

/**
 * Decode the first JSON value of a text into a value of a type.
 *
 *     bool                  true, false
 *     numbers               a number, or a string with one, decimal; of
 *                           integers neither a point nor an exponent
 *     string                a string
 *     enum                  a string, the label
 *     []byte, [N]byte       a string, its octets in UTF-8; or as any array
 *     list, array, set      an array; array: of that length
 *     map                   an object; keys that are no strings: the text of
 *                           the key in JSON
 *     struct                an object. Members are matched to fields after
 *                           their first letter was made a capital, then
 *                           regardless of case; missing ones are zero, unknown
 *                           ones refused
 *     union                 an object with one member
 *     error                 a string, "" or null = nil; or {"iD", "msg"}
 *     any                   null = nil, bool, float64, string, []any,
 *                           map[string]any
 *     optional, list, map, set   also null
 *     typeobject            nothing
 *
 * Surrogates that have no partner and octets that are not UTF-8 become U+FFFD.
 *
 * @param opt   NULL = wspr_json_options_default
 * @param a     holds the value. Scratch memory, as much as the text, comes from
 *              its allocator (from libc's, when it has none), and from cJSON's
 *              some 130 octets for each value of the text
 * @param t     all parts held in the normal way (VDL_REP_NORMAL)
 * @param out   written on success only; nothing in it points into the text
 * @param why   receives where and what is wrong (`[2].size: "x" is not a value
 *              of type int32`), also when a limit is passed; may be NULL
 * @return 0; V23_EEOF: nothing but blanks; V23_ETEXT: not JSON; V23_ECONVERT:
 *         not a value of that type; V23_ELIMIT: nested too deep, or too many
 *         values; V23_ENOMEM: also when opt->bytes or the arena's own budget
 *         is used up; V23_EARG: a type that is not held in the normal way
 *
 * Cost: linear; n log n for the entries of sets and maps; the fields of a
 * struct are searched for every member.
 */
V23_MUST_USE int wspr_json_decode(struct v23_bytes text,
    const struct wspr_json_options *opt, struct v23_arena *a,
    const struct vdl_type *t, void *out, struct v23_buf *why);

/**
 * Append a value as JSON, with a blank behind every colon and comma.
 *
 *     numbers               decimal; infinities and NaN: null
 *     enum                  a string, the label
 *     list, array, set      an array, also of bytes
 *     map                   an object; keys that are no strings: a string with
 *                           their JSON
 *     struct, union         an object with all fields, or the one that is set;
 *                           names with a small first letter
 *     optional, any         the value, or null
 *     error                 {"iD": id of 2014, "msg": text}, or null
 *     typeobject            a string, the canonical form of the type
 *
 * @return 0; V23_ELIMIT: nested deeper than VDL_VALUE_DEPTH, or the buffer's
 *         maximum; V23_EARG: a label or field out of range, or a value that is
 *         not held in the normal way; V23_ENOMEM, V23_ENOSPC. On failure
 *         nothing is appended.
 */
V23_MUST_USE int wspr_json_encode(const struct vdl_type *t, const void *v,
    struct v23_buf *out);

/** Append a string of JSON, in quotes; octets that are not UTF-8 become
 * U+FFFD. */
void wspr_json_quote(struct v23_buf *out, struct vdl_str s);

/* map[string]any: what an object becomes where the type is any. */
struct wspr_json_member {
    struct vdl_str key;
    struct vdl_any val;
};
extern const struct vdl_type wspr_json_object_desc;

/* ---- ids of errors ------------------------------------------------------- */

/**
 * The id of 2014 for one of today: "veyron.io/veyron/veyron2/verror.NoExist"
 * for "v.io/v23/verror.NoExist", for Unknown the empty one; others as they
 * are. Constant memory, or the argument's.
 */
struct vdl_str wspr_json_error_id(struct vdl_str id);
/** And back. */
struct vdl_str wspr_json_error_id_parse(struct vdl_str id);

#ifdef __cplusplus
}
#endif
#endif

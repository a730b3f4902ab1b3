/* BSD-3-Clause; see LICENSE. */
/**
 * Glob patterns. Source: spec/naming.md 4.
 *
 * A struct vrpc_glob is a small value; its tail shares the element array.
 */
#ifndef VRPC_GLOB_H
#define VRPC_GLOB_H

#include <vom/type.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vrpc_glob {
    const struct vdl_str *elems; /* without the recursion element */
    uint32_t n;
    bool recursive;  /* ended in "..." or "***" */
    bool restricted; /* ended in "***" */
};

/**
 * @param a  arena for the element array; elements point into `pattern`
 * @return 0, V23_EGLOB ("syntax error in pattern"), V23_ENOMEM
 */
V23_MUST_USE int vrpc_glob_parse(struct v23_arena *a, struct vdl_str pattern,
    struct vrpc_glob *out);
/** Nothing below can match. */
bool vrpc_glob_is_empty(const struct vrpc_glob *g);
/** Without the first element; of an element-less pattern, itself. */
struct vrpc_glob vrpc_glob_tail(const struct vrpc_glob *g);
/** The first element (or the recursion) matches this name element. */
bool vrpc_glob_match(const struct vrpc_glob *g, struct vdl_str segment);
/**
 * Literal text at the start of the first element, escapes removed.
 * @param out    the text in the arena
 * @param fixed  true: the element has no wildcard
 */
V23_MUST_USE int vrpc_glob_fixed_prefix(struct v23_arena *a,
    const struct vrpc_glob *g, struct vdl_str *out, bool *fixed);
/**
 * Leading elements without wildcards, unescaped, and what follows.
 * @param fixed  list in the arena
 */
V23_MUST_USE int vrpc_glob_split_fixed(struct v23_arena *a,
    const struct vrpc_glob *g, vdl_str_list *fixed, struct vrpc_glob *rest);
/** Append the pattern text, path-cleaned as HEAD prints it. */
void vrpc_glob_format(const struct vrpc_glob *g, struct v23_buf *out);
/** Shell-style match of one element; a malformed one matches nothing. */
bool vrpc_glob_match_element(struct vdl_str element, struct vdl_str segment);

#ifdef __cplusplus
}
#endif
#endif

/* BSD-3-Clause; see LICENSE. */
/**
 * Blessing names, extensions and patterns. All comparisons are octet-wise.
 * Pure functions; Source: spec/security.md 5.4, 6.1 - 6.3.
 */
#ifndef VSEC_PATTERN_H
#define VSEC_PATTERN_H

#include <vom/type.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Matched by everyone, also by a peer without names. */
#define VSEC_ALL_PRINCIPALS "..."
/* Matched by nobody. */
#define VSEC_NO_EXTENSION "$"
#define VSEC_NAME_SEPARATOR ':'

/**
 * May `ext` be the extension of a certificate (5.4)?
 *
 * @return NULL when it may; else what is wrong, a constant phrase
 */
const char *vsec_extension_fault(struct vdl_str ext);

/** Is this text a blessing pattern (6.2)? */
bool vsec_pattern_valid(struct vdl_str pattern);

/**
 * Do these names match a pattern (6.3)? An invalid pattern matches nothing.
 * Names are not validated.
 */
bool vsec_pattern_matched(struct vdl_str pattern, vdl_str_list names);
/** The same for one name. */
bool vsec_pattern_matches(struct vdl_str pattern, struct vdl_str name);

/**
 * Pattern that only the name itself matches: append ":$" unless it is there.
 * @param out  in the arena, or `pattern` itself
 * @return 0 or V23_ENOMEM
 */
V23_MUST_USE int vsec_pattern_non_extendable(struct vdl_str pattern,
    struct v23_arena *a, struct vdl_str *out);

/**
 * The patterns that are matched by holders of any prefix of a pattern:
 * "a:b:c" gives "a:$", "a:b:$", "a:b:c".
 * @return 0 or V23_ENOMEM
 */
V23_MUST_USE int vsec_pattern_prefixes(struct vdl_str pattern,
    struct v23_arena *a, vdl_str_list *out);

#ifdef __cplusplus
}
#endif
#endif

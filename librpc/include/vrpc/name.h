/* BSD-3-Clause; see LICENSE. */
/**
 * Object names: [/address/]suffix. Source: spec/naming.md 3.
 *
 * Results that are not plain cuts of the input are built in the arena; on
 * V23_ENOMEM nothing is written.
 */
#ifndef VRPC_NAME_H
#define VRPC_NAME_H

#include <vom/type.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Squeeze runs of '/' and drop a trailing one (not from "/"). */
V23_MUST_USE int vrpc_name_clean(struct v23_arena *a, struct vdl_str name,
    struct vdl_str *out);
/** First byte is '/'. */
bool vrpc_name_is_rooted(struct vdl_str name);
/** Split into address (without leading '/') and suffix; both may be empty. */
V23_MUST_USE int vrpc_name_split(struct v23_arena *a, struct vdl_str name,
    struct vdl_str *address, struct vdl_str *suffix);
/** JoinAddressName: "/address/suffix", or the suffix when address is empty. */
V23_MUST_USE int vrpc_name_join_address(struct v23_arena *a,
    struct vdl_str address, struct vdl_str suffix, struct vdl_str *out);
/** Join n elements with '/', dropping empty ones at the beginning only. */
V23_MUST_USE int vrpc_name_join(struct v23_arena *a,
    const struct vdl_str *elems, size_t n, struct vdl_str *out);
/** Two elements of vrpc_name_join(). */
V23_MUST_USE int vrpc_name_join2(struct v23_arena *a, struct vdl_str x,
    struct vdl_str y, struct vdl_str *out);
/** `name` without a trailing `suffix` (whole elements), else name cleaned. */
V23_MUST_USE int vrpc_name_trim_suffix(struct v23_arena *a,
    struct vdl_str name, struct vdl_str suffix, struct vdl_str *out);
/** Starts with "__". */
bool vrpc_name_is_reserved(struct vdl_str name);
/** Without a leading "__". */
struct vdl_str vrpc_name_strip_reserved(struct vdl_str name);
/** Append with '%' and the bytes of `special` as %XX. */
void vrpc_escape(struct vdl_str s, const char *special, struct v23_buf *out);
/** Append with every %XX decoded. @return 0 or V23_EENDPOINT (bad escape) */
V23_MUST_USE int vrpc_unescape(struct vdl_str s, struct v23_buf *out);
/** Escape '/' and '%' so that any text is one element. */
void vrpc_name_encode_element(struct vdl_str s, struct v23_buf *out);
/** Undo; V23_EENDPOINT on a bad escape. */
V23_MUST_USE int vrpc_name_decode_element(struct vdl_str s,
    struct v23_buf *out);
/**
 * Cut "__(pattern)" from the front of the relative part.
 * @param pattern  empty when there is none
 * @param rest     the name without it
 */
V23_MUST_USE int vrpc_name_split_pattern(struct v23_arena *a,
    struct vdl_str name, struct vdl_str *pattern, struct vdl_str *rest);
/** Put "__(pattern)" in front of the relative part. */
V23_MUST_USE int vrpc_name_join_pattern(struct v23_arena *a,
    struct vdl_str pattern, struct vdl_str name, struct vdl_str *out);
/**
 * User id of a blessing name (spec/naming.md 3.4): its leading components.
 * @param n  number of components, 1 or 3
 * @return   the cut, components joined by ':'
 */
struct vdl_str vrpc_user_id(struct vdl_str blessing, size_t *n);

#ifdef __cplusplus
}
#endif
#endif

/* BSD-3-Clause; see LICENSE. */
/**
 * Access lists and permissions. The types are generated:
 * v23_access_access_list {in, not_in}, v23_access_permissions (map from tag to
 * access list). Source: spec/security.md 11.
 */
#ifndef VSEC_ACL_H
#define VSEC_ACL_H

#include <v23/log.h>
#include <vsec/authorizer.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Does the list admit someone with these names (11.2)? A list with "..." in
 * `in` admits everybody, whatever not_in says.
 */
bool vsec_acl_includes(const v23_access_access_list *acl, vdl_str_list names);
/**
 * Can a principal enforce the list, that is: does it recognize roots for its
 * patterns?
 * @param err  set with V23_EDENIED: InvalidOpenAccessList or
 *             UnenforceablePatterns; may be NULL
 * @return 0, V23_EDENIED, V23_ENOMEM
 */
V23_MUST_USE int vsec_acl_enforceable(const v23_access_access_list *acl,
    struct vsec_principal *p, struct v23_arena *a,
    const struct v23_verror **err);
/** List stored for a tag, or NULL. */
const v23_access_access_list *vsec_perms_find(const v23_access_permissions *p,
    struct vdl_str tag);
/**
 * Normal form: lists sorted and without duplicates, tags sorted.
 * @param out  in the arena; strings are shared with `p`
 */
V23_MUST_USE int vsec_perms_normalize(const v23_access_permissions *p,
    struct v23_arena *a, v23_access_permissions *out);
/** The five standard tags, each with the same `in` list. */
V23_MUST_USE int vsec_perms_typical(vdl_str_list in, struct v23_arena *a,
    v23_access_permissions *out);

/** Authorizer of one access list; `acl` is borrowed. */
struct vsec_authorizer vsec_auth_acl(const v23_access_access_list *acl);

/* Of permissions; members are borrowed for the authorizer's life. */
struct vsec_auth_perms {
    const v23_access_permissions *perms;
    const struct vdl_type *tag; /* tag type; NULL = access.Tag */
};
/** Authorizer of 11.3. */
struct vsec_authorizer vsec_auth_perms(const struct vsec_auth_perms *p);

/* ---- JSON (host) --------------------------------------------------------- */

/**
 * Read the first JSON value of a text as permissions (11.4).
 * @param is_nil  whether it was null; may be NULL
 * @return 0, V23_ETEXT, V23_ENOMEM, V23_ELIMIT
 */
V23_MUST_USE int vsec_perms_from_json(struct v23_bytes json,
    struct v23_arena *a, v23_access_permissions *out, bool *is_nil);
/** The same for one access list; null is the empty one. */
V23_MUST_USE int vsec_acl_from_json(struct v23_bytes json, struct v23_arena *a,
    v23_access_access_list *out);
/**
 * Read a file as permissions.
 * @return as vsec_perms_from_json(); V23_ESYS: it cannot be read
 */
V23_MUST_USE int vsec_perms_from_file(const char *path, struct v23_arena *a,
    v23_access_permissions *out);
/** Is a text one JSON value, with nothing but blanks around it? */
bool vsec_json_valid(struct v23_bytes json);
/** Append one line of normalised JSON and a newline; p NULL = null. */
V23_MUST_USE int vsec_perms_to_json(const v23_access_permissions *p,
    struct v23_buf *out);
/** Append a text as a JSON string, escaped as in vsec_perms_to_json(): bytes
 * that are not UTF-8 become U+FFFD. */
void vsec_json_put_text(struct v23_buf *out, struct vdl_str s);

/* Reads the file anew on every authorization (11.3). */
struct vsec_auth_perms_file {
    const char *path;
    const struct vdl_type *tag; /* NULL = access.Tag */
    const struct v23_log *log;
};
struct vsec_authorizer vsec_auth_perms_file(
    const struct vsec_auth_perms_file *f);

#ifdef __cplusplus
}
#endif
#endif

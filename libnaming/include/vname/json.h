/* BSD-3-Clause; see LICENSE. */
/**
 * What is wrong with a JSON text, for people, and where its parts are. The JSON
 * library parses, but does not say why it refused; users know the reasons from
 * the reference tools.
 */
#ifndef VNAME_JSON_H
#define VNAME_JSON_H

#include <vom/type.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Check the syntax of the first JSON value of a text; what follows it is not
 * looked at.
 *
 * @param end  receives the offset behind the value; may be NULL
 * @param why  receives the reason (`invalid character 'b' looking for
 *             beginning of object key string`); may be NULL
 * @return 0; V23_EEOF: nothing but blanks (no reason); V23_ETEXT
 *
 * Allocates: nothing. Nesting is limited to 1,000.
 */
V23_MUST_USE int vname_json_check(struct v23_bytes text, size_t *end,
    struct v23_buf *why);

/* One member of an object: its key as it is written, without the quotes, and
 * its value with nothing around it. Other than 0 ends the walk. */
typedef int vname_member_fn(void *ud, struct vdl_str key,
    struct v23_bytes value);
/**
 * Walk over the members of the first JSON value of a text, so that a big object
 * can be taken apart without making objects of all that is in it.
 * @return 0; V23_EARG: correct, but not an object; V23_EEOF, V23_ETEXT as
 *         above; what fn returned
 */
V23_MUST_USE int vname_json_members(struct v23_bytes text, vname_member_fn *fn,
    void *ud);

#ifdef __cplusplus
}
#endif
#endif

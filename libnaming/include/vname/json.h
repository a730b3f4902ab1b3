/* BSD-3-Clause; see LICENSE. */
/**
 * What is wrong with a JSON text, for people. The JSON library parses, but does
 * not say why it refused; users know the reasons from the reference tools.
 */
#ifndef VNAME_JSON_H
#define VNAME_JSON_H

#include <v23/bytes.h>

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

#ifdef __cplusplus
}
#endif
#endif

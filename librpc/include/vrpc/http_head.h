/* BSD-3-Clause; see LICENSE. */
/**
 * Heads of HTTP/1.1 requests and answers, without I/O: as much as websockets
 * and small servers need. A head is collected up to a limit and then read in
 * one pass; bodies are up to the caller.
 */
#ifndef VRPC_HTTP_HEAD_H
#define VRPC_HTTP_HEAD_H

#include <v23/bytes.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Most octets of a head, for the buffer it is collected in. */
#define VRPC_HTTP_HEAD_MAX 8192u

/* Points into the text it was read from. */
struct vrpc_http_head {
    struct vdl_str first;          /* request or status line */
    struct vdl_str method, target; /* of a request, else empty */
    struct vdl_str fields;         /* the other lines */
};

/**
 * Append what belongs to a head, through its blank line.
 *
 * @param used  how many of the n octets that was
 * @return 0: it is whole; V23_EAGAIN: more is needed; `head`'s error:
 *         V23_ELIMIT (longer than that may be), V23_ENOMEM
 */
V23_MUST_USE int vrpc_http_head_collect(struct v23_buf *head,
    const uint8_t *p, size_t n, size_t *used);
/**
 * Read a whole head. Lines end with CR LF, none continues another, and there
 * are no control characters.
 * @return 0 or V23_EPROTO
 */
V23_MUST_USE int vrpc_http_head_parse(const struct v23_buf *head,
    struct vrpc_http_head *out);
/** Is it a request of HTTP/1.1, "METHOD target HTTP/1.1"? */
bool vrpc_http_head_is_request(const struct vrpc_http_head *h);
/**
 * A field by its name, in any case.
 * @param value  of the last one, without blanks around; empty if there is none
 * @return how many there are
 */
unsigned vrpc_http_head_get(const struct vrpc_http_head *h, const char *name,
    struct vdl_str *value);
/** Is the word, in any case, an element of the field's comma-separated list?
 * The field may be there several times. */
bool vrpc_http_head_lists(const struct vrpc_http_head *h, const char *name,
    const char *word);

#ifdef __cplusplus
}
#endif
#endif

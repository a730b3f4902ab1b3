/* BSD-3-Clause; see LICENSE. */
/**
 * Strict DER, just what keys need. A reader is a struct v23_bytes that shrinks
 * from the front; the writer nests into a v23_buf. Tags are single octets,
 * lengths definite, shortest and below 2^24.
 */
#ifndef VSEC_DER_INT_H
#define VSEC_DER_INT_H

#include <vsec/crypto.h>

enum {
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_NULL = 0x05,
    DER_OID = 0x06,
    DER_SEQUENCE = 0x30,
    DER_CONTEXT = 0xa0 /* constructed [0]; add the number */
};

/* Take one element with this tag off *in. 0 or V23_EKEY (nothing taken). */
int vsec_der_take_(struct v23_bytes *in, uint8_t tag, struct v23_bytes *content);
/* The same when the next element has this tag; else *content is empty. */
int vsec_der_take_opt_(struct v23_bytes *in, uint8_t tag,
    struct v23_bytes *content);
/* Take any one element off. */
int vsec_der_skip_(struct v23_bytes *in);
/* Take a non-negative INTEGER: its octets without the leading zero. */
int vsec_der_take_uint_(struct v23_bytes *in, struct v23_bytes *octets);
/* Take an INTEGER in 0 .. max. */
int vsec_der_take_u32_(struct v23_bytes *in, uint32_t max, uint32_t *out);
/* Take a BIT STRING without unused bits. */
int vsec_der_take_bits_(struct v23_bytes *in, struct v23_bytes *octets);
/* r and s of an ECDSA-Sig-Value that has its octets to itself. 0, V23_ESIG. */
int vsec_der_ecdsa_(struct v23_bytes der, struct vsec_sigval *sig);
bool vsec_der_eq_(struct v23_bytes a, struct v23_bytes b);

/* Begin an element; returns a mark for vsec_der_close_. */
size_t vsec_der_open_(struct v23_buf *b, uint8_t tag);
void vsec_der_close_(struct v23_buf *b, size_t mark);
/* Complete elements. */
void vsec_der_put_(struct v23_buf *b, uint8_t tag, const void *p, size_t n);
void vsec_der_put_uint_(struct v23_buf *b, struct v23_bytes octets);
void vsec_der_put_bits_(struct v23_buf *b, struct v23_bytes octets);

#endif

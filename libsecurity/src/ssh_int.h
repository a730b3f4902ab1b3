/* BSD-3-Clause; see LICENSE. */
/* What the sources about OpenSSH's forms and its agent share. */
#ifndef VSEC_SSH_INT_H
#define VSEC_SSH_INT_H

#include "key_int.h"

/* ---- ssh_wire.c ---------------------------------------------------------- */

/* Take a number, a string or a non-negative mpint (without its leading zeros)
 * off *in: 0, or V23_EKEY and *in may be at any place. */
int vsec_ssh_take_u32_(struct v23_bytes *in, uint32_t *out);
int vsec_ssh_take_string_(struct v23_bytes *in, struct v23_bytes *out);
int vsec_ssh_take_mpint_(struct v23_bytes *in, struct v23_bytes *out);
void vsec_ssh_put_u32_(struct v23_buf *b, size_t n);
void vsec_ssh_put_string_(struct v23_buf *b, const void *p, size_t n);
void vsec_ssh_put_mpint_(struct v23_buf *b, struct v23_bytes v);
/* Is this string this text? */
bool vsec_ssh_is_(struct v23_bytes s, const char *text);

/* ---- openssh.c ----------------------------------------------------------- */

/* Name of a key's type; NULL: ssh has none. */
const char *vsec_ssh_type_(const struct vsec_pubkey *k);

#endif

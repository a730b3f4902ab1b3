/* BSD-3-Clause; see LICENSE. */
/* Numbers and strings in ssh's form (RFC 4251 5). */
#include "ssh_int.h"

int vsec_ssh_take_u32_(struct v23_bytes *in, uint32_t *out)
{
    if (in->n < 4)
        return V23_EKEY;
    *out = (uint32_t)in->p[0] << 24 | (uint32_t)in->p[1] << 16
        | (uint32_t)in->p[2] << 8 | in->p[3];
    in->p += 4;
    in->n -= 4;
    return 0;
}

int vsec_ssh_take_string_(struct v23_bytes *in, struct v23_bytes *out)
{
    struct v23_bytes rest = *in;
    uint32_t n;

    if (vsec_ssh_take_u32_(&rest, &n) != 0 || n > rest.n)
        return V23_EKEY;
    *out = v23_bytes(rest.p, n);
    *in = v23_bytes(rest.p + n, rest.n - n);
    return 0;
}

int vsec_ssh_take_mpint_(struct v23_bytes *in, struct v23_bytes *out)
{
    if (vsec_ssh_take_string_(in, out) != 0
        || (out->n > 0 && (out->p[0] & 0x80) != 0))
        return V23_EKEY;
    *out = vsec_strip_zeros_(*out);
    return 0;
}

void vsec_ssh_put_u32_(struct v23_buf *b, size_t n)
{
    const uint8_t be[4] = { (uint8_t)(n >> 24), (uint8_t)(n >> 16),
        (uint8_t)(n >> 8), (uint8_t)n };

    v23_buf_put(b, be, sizeof(be));
}

void vsec_ssh_put_string_(struct v23_buf *b, const void *p, size_t n)
{
    vsec_ssh_put_u32_(b, n);
    v23_buf_put(b, p, n);
}

void vsec_ssh_put_mpint_(struct v23_buf *b, struct v23_bytes v)
{
    bool pad = v.n > 0 && (v.p[0] & 0x80) != 0;

    vsec_ssh_put_u32_(b, v.n + (pad ? 1 : 0));
    if (pad)
        v23_buf_put_byte(b, 0);
    v23_buf_put(b, v.p, v.n);
}

bool vsec_ssh_is_(struct v23_bytes s, const char *text)
{
    return s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}

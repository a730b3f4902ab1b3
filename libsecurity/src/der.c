/* BSD-3-Clause; see LICENSE. */
/*
 * DER elements. Everything that comes in twice as a form of the same value
 * (long lengths, padded integers) is refused, so that a key has one encoding
 * only: keys are compared by their octets.
 */
#include "der_int.h"

/* Length octets at *in (behind the tag). */
static int take_length(struct v23_bytes *in, size_t *len)
{
    size_t n, i, v = 0;

    if (in->n == 0)
        return V23_EKEY;
    n = in->p[0];
    if (n < 0x80) {
        in->p++;
        in->n--;
        *len = n;
        return 0;
    }
    n &= 0x7f;
    if (n == 0 || n > 3 || in->n < 1 + n || in->p[1] == 0)
        return V23_EKEY;
    for (i = 1; i <= n; i++)
        v = v << 8 | in->p[i];
    if (v < 0x80)
        return V23_EKEY;
    in->p += 1 + n;
    in->n -= 1 + n;
    *len = v;
    return 0;
}

int vsec_der_take_(struct v23_bytes *in, uint8_t tag, struct v23_bytes *content)
{
    struct v23_bytes rest = *in;
    size_t len;

    if (rest.n < 2 || rest.p[0] != tag)
        return V23_EKEY;
    rest.p++;
    rest.n--;
    if (take_length(&rest, &len) != 0 || len > rest.n)
        return V23_EKEY;
    *content = v23_bytes(rest.p, len);
    *in = v23_bytes(rest.p + len, rest.n - len);
    return 0;
}

int vsec_der_take_opt_(struct v23_bytes *in, uint8_t tag,
    struct v23_bytes *content)
{
    *content = v23_bytes(NULL, 0);
    if (in->n == 0 || in->p[0] != tag)
        return 0;
    return vsec_der_take_(in, tag, content);
}

int vsec_der_skip_(struct v23_bytes *in)
{
    struct v23_bytes content;

    /* Tag numbers of 31 and more have further octets: none is known here. */
    if (in->n == 0 || (in->p[0] & 0x1f) == 0x1f)
        return V23_EKEY;
    return vsec_der_take_(in, in->p[0], &content);
}

int vsec_der_take_uint_(struct v23_bytes *in, struct v23_bytes *octets)
{
    struct v23_bytes rest = *in, c;

    if (vsec_der_take_(&rest, DER_INTEGER, &c) != 0 || c.n == 0
        || (c.p[0] & 0x80) != 0)
        return V23_EKEY;
    if (c.p[0] == 0 && c.n > 1) {
        if ((c.p[1] & 0x80) == 0)
            return V23_EKEY;
        c.p++;
        c.n--;
    }
    *octets = c;
    *in = rest;
    return 0;
}

int vsec_der_take_u32_(struct v23_bytes *in, uint32_t max, uint32_t *out)
{
    struct v23_bytes rest = *in, c;
    uint32_t v = 0;
    size_t i;

    if (vsec_der_take_uint_(&rest, &c) != 0 || c.n > 4)
        return V23_EKEY;
    for (i = 0; i < c.n; i++)
        v = v << 8 | c.p[i];
    if (v > max)
        return V23_EKEY;
    *out = v;
    *in = rest;
    return 0;
}

int vsec_der_take_bits_(struct v23_bytes *in, struct v23_bytes *octets)
{
    struct v23_bytes rest = *in, c;

    if (vsec_der_take_(&rest, DER_BIT_STRING, &c) != 0 || c.n == 0
        || c.p[0] != 0)
        return V23_EKEY;
    *octets = v23_bytes(c.p + 1, c.n - 1);
    *in = rest;
    return 0;
}

int vsec_der_ecdsa_(struct v23_bytes der, struct vsec_sigval *sig)
{
    struct v23_bytes seq;

    if (vsec_der_take_(&der, DER_SEQUENCE, &seq) != 0 || der.n != 0
        || vsec_der_take_uint_(&seq, &sig->a) != 0
        || vsec_der_take_uint_(&seq, &sig->b) != 0 || seq.n != 0)
        return V23_ESIG;
    return 0;
}

bool vsec_der_eq_(struct v23_bytes a, struct v23_bytes b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

size_t vsec_der_open_(struct v23_buf *b, uint8_t tag)
{
    v23_buf_put_byte(b, tag);
    v23_buf_put_byte(b, 0);
    return b->n;
}

/* Octets of the length field behind its first one. */
static size_t more_length(size_t len)
{
    if (len < 0x80)
        return 0;
    return len < 0x100 ? 1 : len < 0x10000 ? 2 : 3;
}

void vsec_der_close_(struct v23_buf *b, size_t mark)
{
    static const uint8_t room[3] = { 0, 0, 0 };
    size_t len, more, i;

    if (b->err != 0)
        return;
    len = b->n - mark;
    more = more_length(len);
    if (more == 0) {
        b->p[mark - 1] = (uint8_t)len;
        return;
    }
    v23_buf_put(b, room, more);
    if (b->err != 0)
        return;
    memmove(b->p + mark + more, b->p + mark, len);
    b->p[mark - 1] = (uint8_t)(0x80 | more);
    for (i = 0; i < more; i++)
        b->p[mark + i] = (uint8_t)(len >> (8 * (more - 1 - i)));
}

void vsec_der_put_(struct v23_buf *b, uint8_t tag, const void *p, size_t n)
{
    size_t mark = vsec_der_open_(b, tag);

    v23_buf_put(b, p, n);
    vsec_der_close_(b, mark);
}

void vsec_der_put_uint_(struct v23_buf *b, struct v23_bytes octets)
{
    size_t mark = vsec_der_open_(b, DER_INTEGER);

    while (octets.n > 0 && octets.p[0] == 0) {
        octets.p++;
        octets.n--;
    }
    if (octets.n == 0 || (octets.p[0] & 0x80) != 0)
        v23_buf_put_byte(b, 0);
    v23_buf_put(b, octets.p, octets.n);
    vsec_der_close_(b, mark);
}

void vsec_der_put_bits_(struct v23_buf *b, struct v23_bytes octets)
{
    size_t mark = vsec_der_open_(b, DER_BIT_STRING);

    v23_buf_put_byte(b, 0);
    v23_buf_put(b, octets.p, octets.n);
    vsec_der_close_(b, mark);
}

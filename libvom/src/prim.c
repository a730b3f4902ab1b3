/* BSD-3-Clause; see LICENSE. */
/* The integer encoding of VOM (var128) as functions. */
#include "prim_int.h"

uint8_t *vom_put_exact_(uint8_t *p, uint64_t v)
{
    unsigned bits;

    if (v < 0x80) {
        *p = (uint8_t)v;
        return p + 1;
    }
    bits = vom_top_bit_(v) & 56;
    *p++ = (uint8_t)~(bits >> 3);
    for (; bits != 0; bits -= 8)
        *p++ = (uint8_t)(v >> bits);
    *p = (uint8_t)v;
    return p + 1;
}

size_t vom_uint_size(uint64_t v)
{
    return vom_uint_size_(v);
}

size_t vom_put_uint(uint8_t *p, uint64_t v)
{
    return (size_t)(vom_put_uint_(p, v) - p);
}

void vom_buf_put_uint(struct v23_buf *b, uint64_t v)
{
    uint8_t tmp[VOM_UINT_MAX_];

    v23_buf_put(b, tmp, vom_put_uint(tmp, v));
}

int vom_get_uint_why_(const uint8_t *p, const uint8_t *end)
{
    if (p == end)
        return V23_EEOF;
    if (*p >= 0x80 && *p < 0xF0)
        return V23_ECONTROL;
    return *p >= 0xF0 && *p < 0xF8 ? V23_EINT : V23_EEOF;
}

struct vom_got_ vom_get_uint_slow_(const uint8_t *p, const uint8_t *end)
{
    struct vom_got_ g = { NULL, 0 };
    size_t n;

    if (p == end || (*p >= 0x80 && *p < 0xF8))
        return g;
    if (*p < 0x80) {
        g.v = *p;
        g.p = p + 1;
        return g;
    }
    n = 0x100u - *p++;
    if ((size_t)(end - p) < n)
        return g;
    for (; n != 0; n--)
        g.v = g.v << 8 | *p++;
    g.p = p;
    return g;
}

int vom_get_uint(const uint8_t **p, const uint8_t *end, uint64_t *v)
{
    struct vom_got_ g = vom_get_uint_(*p, end);

    if (g.p == NULL)
        return vom_get_uint_why_(*p, end);
    *p = g.p;
    *v = g.v;
    return 0;
}

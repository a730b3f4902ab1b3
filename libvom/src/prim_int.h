/* BSD-3-Clause; see LICENSE. */
/**
 * Inline forms of the primitives of spec/vom.md 2, for the coders' inner
 * loops. Multi-byte numbers move through one 64-bit big-endian load or store.
 */
#ifndef VOM_PRIM_INT_H
#define VOM_PRIM_INT_H

#include <vom/enc.h>

/* For functions of which each caller wants its own copy, unless size counts. */
#if (defined(__GNUC__) || defined(__clang__)) && !defined(__OPTIMIZE_SIZE__)
#define VOM_INLINE_ static inline __attribute__((always_inline))
#else
#define VOM_INLINE_ static inline
#endif

/* Control bytes. */
#define VOM_NIL_ 0xE0
#define VOM_END_ 0xE1
#define VOM_INCOMPLETE_ 0xE2

/* Room that vom_put_uint_ needs. */
#define VOM_UINT_MAX_ 9
/* No length or count on the wire exceeds this. */
#define VOM_LENGTH_MAX_ (UINT64_C(1) << 30)

static inline uint64_t vom_bswap64_(uint64_t v)
{
#if defined(__GNUC__) || defined(__clang__)
    return __builtin_bswap64(v);
#else
    v = (v & UINT64_C(0x00FF00FF00FF00FF)) << 8 |
        (v >> 8 & UINT64_C(0x00FF00FF00FF00FF));
    v = (v & UINT64_C(0x0000FFFF0000FFFF)) << 16 |
        (v >> 16 & UINT64_C(0x0000FFFF0000FFFF));
    return v << 32 | v >> 32;
#endif
}

/*
 * Eight bytes, the most significant first. Where the byte order is known the
 * swap is spelled out: once inlined, gcc does not always recognise the shifts.
 */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define VOM_SWAPS_ 1
#elif defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define VOM_SWAPS_ 0
#endif

static inline uint64_t vom_load64_(const uint8_t *p)
{
#ifdef VOM_SWAPS_
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return VOM_SWAPS_ ? vom_bswap64_(v) : v;
#else
    return (uint64_t)p[0] << 56 | (uint64_t)p[1] << 48 | (uint64_t)p[2] << 40 |
           (uint64_t)p[3] << 32 | (uint64_t)p[4] << 24 | (uint64_t)p[5] << 16 |
           (uint64_t)p[6] << 8 | (uint64_t)p[7];
#endif
}

static inline void vom_store64_(uint8_t *p, uint64_t v)
{
#ifdef VOM_SWAPS_
    v = VOM_SWAPS_ ? vom_bswap64_(v) : v;
    memcpy(p, &v, sizeof(v));
#else
    p[0] = (uint8_t)(v >> 56);
    p[1] = (uint8_t)(v >> 48);
    p[2] = (uint8_t)(v >> 40);
    p[3] = (uint8_t)(v >> 32);
    p[4] = (uint8_t)(v >> 24);
    p[5] = (uint8_t)(v >> 16);
    p[6] = (uint8_t)(v >> 8);
    p[7] = (uint8_t)v;
#endif
}

/* Position of the highest bit set; v is not 0. */
static inline unsigned vom_top_bit_(uint64_t v)
{
#if defined(__GNUC__) || defined(__clang__)
    return 63u ^ (unsigned)__builtin_clzll(v);
#else
    unsigned n = 0;

    while (v >>= 1)
        n++;
    return n;
#endif
}

static inline size_t vom_uint_size_(uint64_t v)
{
    return v < 0x80 ? 1 : 2 + (vom_top_bit_(v) >> 3);
}

/* Write exactly the bytes of the number, and return their end. */
uint8_t *vom_put_exact_(uint8_t *p, uint64_t v);

/* The same, for p with room for VOM_UINT_MAX_ bytes. */
static inline uint8_t *vom_put_uint_(uint8_t *p, uint64_t v)
{
#ifdef __OPTIMIZE_SIZE__
    return vom_put_exact_(p, v);
#else
    unsigned bit;

    if (v < 0x80) {
        *p = (uint8_t)v;
        return p + 1;
    }
    /* n = bit / 8 + 1 bytes follow the first, which is 256 - n. */
    bit = vom_top_bit_(v);
    *p = (uint8_t) ~(bit >> 3);
    vom_store64_(p + 1, v << (56 - (bit & 56)));
    return p + 2 + (bit >> 3);
#endif
}

static inline uint64_t vom_zigzag_(int64_t v)
{
    return (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
}

static inline int64_t vom_unzigzag_(uint64_t u)
{
    uint64_t v = u >> 1 ^ (0 - (u & 1));

    /* The range above INT64_MAX, without relying on the conversion. */
    return v <= INT64_MAX ? (int64_t)v : -(int64_t)~v - 1;
}

/* The number that carries a double: its bytes in reverse order. */
static inline uint64_t vom_float_bits_(double d)
{
    uint64_t v;

    memcpy(&v, &d, sizeof(v));
    return vom_bswap64_(v);
}

static inline double vom_bits_float_(uint64_t u)
{
    double d;

    u = vom_bswap64_(u);
    memcpy(&d, &u, sizeof(d));
    return d;
}

/* memcpy whose call is saved for short texts. */
static inline void vom_copy_(void *to, const void *from, size_t n)
{
    const uint8_t *p = from;
    uint8_t *q = to;

#ifdef __OPTIMIZE_SIZE__
    if (n != 0)
        memcpy(q, p, n);
#else
    if (n < 4) {
        /* Of one to three bytes some are written twice. */
        if (n != 0) {
            q[0] = p[0];
            q[n / 2] = p[n / 2];
            q[n - 1] = p[n - 1];
        }
    } else if (n < 8) {
        memcpy(q, p, 4);
        memcpy(q + n - 4, p + n - 4, 4);
    } else if (n < 16) {
        memcpy(q, p, 8);
        memcpy(q + n - 8, p + n - 8, 8);
    } else if (n <= 32) {
        memcpy(q, p, 16);
        memcpy(q + n - 16, p + n - 16, 16);
    } else {
        memcpy(q, p, n);
    }
#endif
}

/* Where reading went on, and what was read. p == NULL: malformed. */
struct vom_got_ {
    const uint8_t *p;
    uint64_t v;
};

/*
 * Read a number. On failure p is NULL; vom_get_uint on the same place tells
 * why. The second is inline for what can be read in one piece.
 */
struct vom_got_ vom_get_uint_slow_(const uint8_t *p, const uint8_t *end);
static inline struct vom_got_ vom_get_uint_(
    const uint8_t *p, const uint8_t *end)
{
#ifndef __OPTIMIZE_SIZE__
    struct vom_got_ g;
    unsigned n;

    if (p != end && *p < 0x80) {
        g.v = *p;
        g.p = p + 1;
        return g;
    }
    if ((size_t)(end - p) >= VOM_UINT_MAX_ && *p >= 0xF8) {
        n = 0x100u - *p;
        g.v = vom_load64_(p + 1) >> (64 - 8 * n);
        g.p = p + 1 + n;
        return g;
    }
#endif
    return vom_get_uint_slow_(p, end);
}

/* Why vom_get_uint_ failed at p. */
int vom_get_uint_why_(const uint8_t *p, const uint8_t *end);

#endif

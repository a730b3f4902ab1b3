/* BSD-3-Clause; see LICENSE. */
/**
 * Primitives of the hand-written coders, as any careful codec has them.
 */
#ifndef VOMBENCH_FLOOR_INT_H
#define VOMBENCH_FLOOR_INT_H

#include "floor.h"

#define VALUE_OF_41 0x52
#define END 0xE1
/* Most bytes of a number, and what put_uint() may touch. */
#define UINT_MAX_BYTES 9

static inline uint64_t big_endian(uint64_t v)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return __builtin_bswap64(v);
#else
    return v;
#endif
}

static inline uint8_t *put_uint(uint8_t *p, uint64_t u)
{
    unsigned n;

    if (u < 0x80) {
        *p = (uint8_t)u;
        return p + 1;
    }
    n = 8 - (unsigned)__builtin_clzll(u) / 8;
    *p = (uint8_t)(0x100 - n);
    u = big_endian(u << (64 - 8 * n));
    memcpy(p + 1, &u, sizeof(u));
    return p + 1 + n;
}

static inline uint8_t *put_int(uint8_t *p, int64_t v)
{
    return put_uint(p, (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0));
}

static inline uint8_t *put_text(uint8_t *p, const void *text, uint32_t n)
{
    p = put_uint(p, n);
    if (n != 0)
        memcpy(p, text, n);
    return p + n;
}

/*
 * Id and length in front of the body, for which HEAD bytes were left.
 * Returns the size of the message.
 */
#define HEAD 3
static inline size_t put_head(uint8_t *out, uint8_t *end)
{
    size_t n = (size_t)(end - (out + HEAD));
    uint8_t head[1 + UINT_MAX_BYTES];
    size_t size;

    out[0] = VALUE_OF_41;
    if (n >= 0x80 && n < 0x100) {
        out[1] = 0xFF;
        out[2] = (uint8_t)n;
        return HEAD + n;
    }
    size = (size_t)(put_uint(head, n) - head);
    memmove(out + 1 + size, out + HEAD, n);
    memcpy(out + 1, head, size);
    return 1 + size + n;
}

/* The same near the end of the input. */
const uint8_t *floor_get_last(
    const uint8_t *p, const uint8_t *end, uint64_t *u);

/* Read a number to *u; NULL: malformed. */
static inline const uint8_t *get_uint(
    const uint8_t *p, const uint8_t *end, uint64_t *u)
{
    uint64_t v;
    unsigned n;

    if (p != end && *p < 0x80) {
        *u = *p;
        return p + 1;
    }
    if (end - p < UINT_MAX_BYTES || *p < 0xF8)
        return floor_get_last(p, end, u);
    n = 0x100u - *p;
    memcpy(&v, p + 1, sizeof(v));
    *u = big_endian(v) >> (64 - 8 * n);
    return p + 1 + n;
}

static inline const uint8_t *get_int(
    const uint8_t *p, const uint8_t *end, int64_t *out)
{
    uint64_t u;

    p = get_uint(p, end, &u);
    if (p != NULL)
        *out = (int64_t)(u >> 1 ^ (0 - (u & 1)));
    return p;
}

static inline const uint8_t *get_int32(
    const uint8_t *p, const uint8_t *end, int32_t *out)
{
    uint64_t u;

    p = get_uint(p, end, &u);
    if (p == NULL || u > UINT32_MAX)
        return NULL;
    *out = (int32_t)((uint32_t)u >> 1 ^ (0 - ((uint32_t)u & 1)));
    return p;
}

static inline const uint8_t *get_bool(
    const uint8_t *p, const uint8_t *end, bool *out)
{
    if (p == end || *p > 1)
        return NULL;
    *out = *p != 0;
    return p + 1;
}

/* A length or count, each of whose items takes a byte or more. */
static inline const uint8_t *get_count(
    const uint8_t *p, const uint8_t *end, uint32_t *out)
{
    uint64_t n;

    p = get_uint(p, end, &n);
    if (p == NULL || n > (size_t)(end - p))
        return NULL;
    *out = (uint32_t)n;
    return p;
}

/* Room for n items; NULL when out. */
static inline void *take(
    struct floor_mem *mem, size_t n, size_t size, size_t align)
{
    size_t pad = (size_t)(0 - (uintptr_t)mem->p) & (align - 1);
    uint8_t *p = mem->p;

    if (pad > (size_t)(mem->end - p) ||
        n > ((size_t)(mem->end - p) - pad) / size)
        return NULL;
    mem->p = p + pad + n * size;
    return p + pad;
}

static inline const uint8_t *get_bytes(const uint8_t *p, const uint8_t *end,
    struct floor_mem *mem, const uint8_t **text, uint32_t *n)
{
    uint8_t *to;

    p = get_count(p, end, n);
    if (p == NULL)
        return NULL;
    to = take(mem, *n, 1, 1);
    if (to == NULL)
        return NULL;
    memcpy(to, p, *n);
    *text = to;
    return p + *n;
}

static inline const uint8_t *get_text(const uint8_t *p, const uint8_t *end,
    struct floor_mem *mem, struct vdl_str *out)
{
    const uint8_t *text;

    p = get_bytes(p, end, mem, &text, &out->n);
    if (p != NULL)
        out->p = (const char *)text;
    return p;
}

/* Id and length; NULL unless the body is the rest of the input. */
static inline const uint8_t *get_head(const uint8_t *p, const uint8_t *end)
{
    uint64_t n;

    if (p == end || *p != VALUE_OF_41)
        return NULL;
    p = get_uint(p + 1, end, &n);
    return p != NULL && n == (size_t)(end - p) ? p : NULL;
}

/* Does the field of this index come next? */
static inline bool is_next(const uint8_t *p, const uint8_t *end, uint8_t index)
{
    return p != end && *p == index;
}

#endif

/* BSD-3-Clause; see LICENSE. */
/* Hand-written coders of a record, of numbers and of a block of bytes. */
#include "floor_int.h"

const uint8_t *floor_get_last(const uint8_t *p, const uint8_t *end, uint64_t *u)
{
    uint64_t v = 0;
    unsigned n;

    if (p == end || *p < 0xF8)
        return NULL;
    n = 0x100u - *p++;
    if ((size_t)(end - p) < n)
        return NULL;
    for (; n != 0; n--)
        v = v << 8 | *p++;
    *u = v;
    return p;
}

/* ---- Rec ----------------------------------------------------------------- */

static uint8_t *put_tags(uint8_t *p, const uint8_t *end, const vdl_str_list *l)
{
    uint32_t i;

    *p++ = 6;
    p = put_uint(p, l->n);
    for (i = 0; i < l->n; i++) {
        if ((size_t)(end - p) < UINT_MAX_BYTES + (size_t)l->v[i].n)
            return NULL;
        p = put_text(p, l->v[i].p, l->v[i].n);
    }
    return p;
}

static uint8_t *put_items(
    uint8_t *p, const uint8_t *end, const bench_item_list *l)
{
    const bench_item *x = l->v;
    uint32_t i;

    *p++ = 7;
    p = put_uint(p, l->n);
    for (i = 0; i < l->n; i++, x++) {
        if ((size_t)(end - p) < 3 * (1 + UINT_MAX_BYTES) + 1 + x->name.n)
            return NULL;
        if (x->x != 0) {
            *p++ = 0;
            p = put_int(p, x->x);
        }
        if (x->y != 0) {
            *p++ = 1;
            p = put_int(p, x->y);
        }
        if (x->name.n != 0) {
            *p++ = 2;
            p = put_text(p, x->name.p, x->name.n);
        }
        *p++ = END;
    }
    return p;
}

size_t floor_put_rec(uint8_t *out, size_t room, const bench_rec *x)
{
    /* Fields without the lists; behind a list, the index of the next. */
    const size_t fixed = HEAD + 8 * (1 + UINT_MAX_BYTES) + 1;
    const uint8_t *end;
    uint8_t *p = out + HEAD;
    uint64_t bits;

    if (room < 2 * fixed || room - 2 * fixed < (size_t)x->name.n + x->digest.n)
        return 0;
    end = out + room - fixed;
    if (x->id != 0) {
        *p++ = 0;
        p = put_uint(p, x->id);
    }
    if (x->when != 0) {
        *p++ = 1;
        p = put_int(p, x->when);
    }
    if (x->level != 0) {
        *p++ = 2;
        memcpy(&bits, &x->level, sizeof(bits));
        p = put_uint(p, __builtin_bswap64(bits));
    }
    if (x->ok) {
        *p++ = 3;
        *p++ = 1;
    }
    if (x->name.n != 0) {
        *p++ = 4;
        p = put_text(p, x->name.p, x->name.n);
    }
    if (x->digest.n != 0) {
        *p++ = 5;
        p = put_text(p, x->digest.p, x->digest.n);
    }
    if (x->tags.n != 0)
        p = put_tags(p, end, &x->tags);
    if (p != NULL && x->items.n != 0)
        p = put_items(p, end, &x->items);
    if (p == NULL)
        return 0;
    *p++ = END;
    return put_head(out, p);
}

static const uint8_t *get_tags(const uint8_t *p, const uint8_t *end,
    struct floor_mem *mem, vdl_str_list *out)
{
    struct vdl_str *v;
    uint32_t i;

    p = get_count(p, end, &out->n);
    if (p == NULL)
        return NULL;
    v = take(mem, out->n, sizeof(*v), _Alignof(struct vdl_str));
    if (v == NULL)
        return NULL;
    for (i = 0; p != NULL && i < out->n; i++)
        p = get_text(p, end, mem, &v[i]);
    out->v = v;
    return p;
}

static const uint8_t *get_item(
    const uint8_t *p, const uint8_t *end, struct floor_mem *mem, bench_item *x)
{
    memset(x, 0, sizeof(*x));
    if (is_next(p, end, 0)) {
        p = get_int32(p + 1, end, &x->x);
        if (p == NULL)
            return NULL;
    }
    if (is_next(p, end, 1)) {
        p = get_int32(p + 1, end, &x->y);
        if (p == NULL)
            return NULL;
    }
    if (is_next(p, end, 2)) {
        p = get_text(p + 1, end, mem, &x->name);
        if (p == NULL)
            return NULL;
    }
    return is_next(p, end, END) ? p + 1 : NULL;
}

static const uint8_t *get_items(const uint8_t *p, const uint8_t *end,
    struct floor_mem *mem, bench_item_list *out)
{
    bench_item *v;
    uint32_t i;

    p = get_count(p, end, &out->n);
    if (p == NULL)
        return NULL;
    v = take(mem, out->n, sizeof(*v), _Alignof(bench_item));
    if (v == NULL)
        return NULL;
    for (i = 0; p != NULL && i < out->n; i++)
        p = get_item(p, end, mem, &v[i]);
    out->v = v;
    return p;
}

/* The fields before the lists. */
static const uint8_t *get_rec_front(
    const uint8_t *p, const uint8_t *end, struct floor_mem *mem, bench_rec *x)
{
    uint64_t u;

    if (is_next(p, end, 0)) {
        p = get_uint(p + 1, end, &u);
        if (p == NULL || u > UINT32_MAX)
            return NULL;
        x->id = (uint32_t)u;
    }
    if (is_next(p, end, 1)) {
        p = get_int(p + 1, end, &x->when);
        if (p == NULL)
            return NULL;
    }
    if (is_next(p, end, 2)) {
        p = get_uint(p + 1, end, &u);
        if (p == NULL)
            return NULL;
        u = __builtin_bswap64(u);
        memcpy(&x->level, &u, sizeof(u));
    }
    if (is_next(p, end, 3)) {
        p = get_bool(p + 1, end, &x->ok);
        if (p == NULL)
            return NULL;
    }
    if (is_next(p, end, 4)) {
        p = get_text(p + 1, end, mem, &x->name);
        if (p == NULL)
            return NULL;
    }
    if (is_next(p, end, 5))
        p = get_bytes(p + 1, end, mem, &x->digest.p, &x->digest.n);
    return p;
}

bool floor_get_rec(
    const uint8_t *p, size_t n, struct floor_mem *mem, bench_rec *x)
{
    const uint8_t *end = p + n;

    p = get_head(p, end);
    if (p == NULL)
        return false;
    memset(x, 0, sizeof(*x));
    p = get_rec_front(p, end, mem, x);
    if (p != NULL && is_next(p, end, 6))
        p = get_tags(p + 1, end, mem, &x->tags);
    if (p != NULL && is_next(p, end, 7))
        p = get_items(p + 1, end, mem, &x->items);
    return p != NULL && end - p == 1 && *p == END;
}

/* ---- Ints ---------------------------------------------------------------- */

size_t floor_put_ints(uint8_t *out, size_t room, const bench_ints *x)
{
    uint8_t *p = out + HEAD;
    uint32_t i;

    /* Five bytes each; the last number may touch nine. */
    if (room < HEAD + 2 * UINT_MAX_BYTES ||
        (room - HEAD - 2 * UINT_MAX_BYTES) / 5 < x->n)
        return 0;
    p = put_uint(p, x->n);
    for (i = 0; i < x->n; i++)
        p = put_int(p, x->v[i]);
    return put_head(out, p);
}

bool floor_get_ints(
    const uint8_t *p, size_t n, struct floor_mem *mem, bench_ints *x)
{
    const uint8_t *end = p + n;
    int32_t *v;
    uint32_t i;

    p = get_head(p, end);
    if (p != NULL)
        p = get_count(p, end, &x->n);
    if (p == NULL)
        return false;
    v = take(mem, x->n, sizeof(*v), _Alignof(int32_t));
    if (v == NULL)
        return false;
    for (i = 0; p != NULL && i < x->n; i++)
        p = get_int32(p, end, &v[i]);
    x->v = v;
    return p == end;
}

/* ---- Blob ---------------------------------------------------------------- */

size_t floor_put_blob(uint8_t *out, size_t room, const bench_blob *x)
{
    uint8_t *p = out;

    if (room < 1 + UINT_MAX_BYTES || room - 1 - UINT_MAX_BYTES < x->n)
        return 0;
    *p++ = VALUE_OF_41;
    p = put_text(p, x->p, x->n);
    return (size_t)(p - out);
}

bool floor_get_blob(
    const uint8_t *p, size_t n, struct floor_mem *mem, bench_blob *x)
{
    const uint8_t *end = p + n;

    if (n == 0 || *p != VALUE_OF_41)
        return false;
    p = get_bytes(p + 1, end, mem, &x->p, &x->n);
    return p == end;
}

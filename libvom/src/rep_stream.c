/* BSD-3-Clause; see LICENSE. */
/* Streamed lists (vom/rep.h). */
#include "dec_int.h"
#include "enc_int.h"
#include "rep_int.h"

#include <vom/rep.h>

/* How the struct of any stream begins. */
struct stream {
    uint32_t n;
};

/* The descriptor that holds t. */
static const struct vdl_stream_type *calls(const struct vdl_type *t)
{
    return (const struct vdl_stream_type *)(const void *)t;
}

static uint8_t *enc(
    struct vom_wr_ *w, uint8_t *p, const struct vdl_type *t, const void *v)
{
    const struct stream *s = v;
    const void *item;
    uint32_t i, n = s->n;

    if (n > VOM_LENGTH_MAX_)
        return vom_wr_fail_(w, V23_ELIMIT);
    p = vom_wr_uint_(w, p, n);
    for (i = 0; p != NULL && i < n; i++) {
        item = NULL;
        w->err = calls(t)->next(v, &item);
        if (w->err == 0 && item == NULL)
            w->err = V23_EARG;
        if (w->err != 0)
            return NULL;
        p = vom_enc_value_(w, p, t->elem->elem, item);
    }
    w->set = n != 0;
    return p;
}

/* Number of elements of a list or array. */
static int get_count(struct vom_rd_ *r, const struct vdl_type *src, uint32_t *n)
{
    if (src->kind == VDL_ARRAY) {
        *n = src->count;
        return vom_rd_array_(r);
    }
    if (src->kind != VDL_LIST)
        return V23_ECOMPAT;
    return vom_rd_count_(
        r, src->elem->kind == VDL_BYTE ? 1 : vom_rd_min_(r, src->elem), n);
}

/* A raw byte, read as it would stand alone. */
static int get_byte(struct vom_rd_ *r, const struct vdl_type *src,
    const struct vdl_type *to, void *item)
{
    const uint8_t *end = r->end, *next = r->p + 1;
    uint8_t number[VOM_UINT_MAX_];
    int rc;

    if (r->p == end)
        return V23_EEOF;
    r->end = vom_put_uint_(number, *r->p);
    r->p = number;
    rc = r->td->opt.converter->convert(r, src, to, item);
    r->p = next;
    r->end = end;
    return rc;
}

static int get_item(struct vom_rd_ *r, const struct vdl_type *src,
    const struct vdl_type *t, void *item)
{
    const struct vdl_type *to = t->elem->elem;

    if (src == t->wire)
        return vom_dec_same_(r, to, item);
    if (src->elem->kind == VDL_BYTE)
        return get_byte(r, src->elem, to, item);
    return r->td->opt.converter->convert(r, src->elem, to, item);
}

static int dec(struct vom_rd_ *r, const struct vdl_type *src,
    const struct vdl_type *t, void *out)
{
    const struct vdl_type *to = t->elem->elem;
    struct stream *s = out;
    struct v23_arena_mark mark;
    uint32_t i, n = 0;
    void *item;
    int rc = get_count(r, src, &n);

    s->n = 0;
    /* What an item makes the arena hold must outlive the item's memory. */
    if (rc == 0 && r->td != NULL)
        rc = vom_rd_hold_(r);
    for (i = 0; rc == 0 && i < n; i++) {
        mark = v23_arena_mark(r->a);
        rc = vom_rd_get_(r, 1, to->size, to->align, true, &item);
        if (rc == 0)
            rc = get_item(r, src, t, item);
        if (rc == 0)
            rc = calls(t)->each(out, item);
        if (rc == 0)
            s->n++;
        v23_arena_rewind(r->a, mark);
    }
    return rc;
}

static bool is_zero(const struct vdl_type *t, const void *v)
{
    (void)t;
    return ((const struct stream *)v)->n == 0;
}

static bool equal(const struct vdl_type *t, const void *v,
    const struct vdl_type *other_type, const void *other)
{
    (void)t;
    (void)other_type;
    return ((const struct stream *)v)->n == ((const struct stream *)other)->n;
}

static int copy(struct vdl_type_copier_ *c, const struct vdl_type *t, void *dst,
    const void *src)
{
    (void)c;
    memcpy(dst, src, t->size);
    return 0;
}

static bool view(const struct vdl_type *t, const void *v, union vdl_view_ *out)
{
    (void)t;
    (void)v;
    memset(out, 0, sizeof(*out));
    return true;
}

static void reset(const struct vdl_type *t, void *v)
{
    uint32_t i;

    if ((t->flags & VDL_T_STREAM) != 0 && t->kind == VDL_STRUCT)
        for (i = 0; i < t->count; i++)
            reset(t->fields[i].type, (uint8_t *)v + t->fields[i].offset);
    else if (t->rep == VDL_REP_STREAM)
        ((struct stream *)v)->n = 0;
    else
        memset(v, 0, t->size);
}

const struct vdl_rep_ops vdl_stream_ops = {.enc = enc,
    .dec = dec,
    .is_zero = is_zero,
    .equal = equal,
    .copy = copy,
    .view = view,
    .reset = reset};

/* BSD-3-Clause; see LICENSE. */
/*
 * Values held in place (vom/rep.h): decoding, comparing, copying.
 *
 * Such a value is decoded as its normal form is, only that the memory for the
 * elements, which is the first thing asked for, is the place they have.
 */
#include <vom/value.h>

#include "dec_int.h"
#include "rep_inline_int.h"
#include "value_int.h"

/* The memory of a string would have room for a NUL. */
static int put_text(
    const struct vdl_type *t, void *out, const void *p, uint32_t n)
{
    if (n > t->count)
        return V23_ECONVERT;
    if (n != 0)
        memcpy((uint8_t *)out + t->val_off, p, n);
    vdl_inline_set_count_(t, out, n);
    return 0;
}

static int dec_string(struct vom_rd_ *r, const struct vdl_type *t, void *out)
{
    uint32_t n;
    int rc = vom_rd_count_(r, 1, &n);

    if (rc == 0)
        rc = put_text(t, out, r->p, n);
    if (rc == 0)
        r->p += n;
    return rc;
}

static int dec_label(struct vom_rd_ *r, const struct vdl_type *src,
    const struct vdl_type *t, void *out)
{
    uint32_t i;
    int rc = vom_rd_index_(r, src->count, &i);

    return rc != 0 ? rc : put_text(t, out, src->labels[i].p, src->labels[i].n);
}

/* The rest has elements. */
static int dec_elems(struct vom_rd_ *r, const struct vdl_type *src,
    const struct vdl_type *t, void *out)
{
    union vdl_view_ view;
    int rc;

    memset(&view, 0, sizeof(view));
    r->place = (uint8_t *)out + t->val_off;
    r->places = t->count;
    if (src == t->wire) {
        /* Without room in the arena's block all come to vom_rd_get_(). */
        r->place_end = r->a->end;
        r->a->end = r->a->p;
        rc = vom_dec_same_(r, t->elem, &view);
    } else {
        rc = r->td->opt.converter->convert(r, src, t->elem, &view);
    }
    vom_rd_unplace_(r);
    if (rc == 0)
        vdl_inline_set_count_(
            t, out, t->elem->kind == VDL_OPTIONAL ? view.p != NULL : view.l.n);
    return rc;
}

static int dec(struct vom_rd_ *r, const struct vdl_type *src,
    const struct vdl_type *t, void *out)
{
    if (t->elem->kind != VDL_STRING)
        return dec_elems(r, src, t, out);
    if (src->kind == VDL_STRING)
        return dec_string(r, t, out);
    return src->kind == VDL_ENUM ? dec_label(r, src, t, out) : V23_ECOMPAT;
}

static bool equal(const struct vdl_type *t, const void *v,
    const struct vdl_type *other_type, const void *other)
{
    union vdl_view_ x, y;

    (void)other_type;
    return vdl_inline_view_(t, v, &x) && vdl_inline_view_(t, other, &y) &&
           vdl_equal(t->elem, &x, &y);
}

/* Copy the parts that hold pointers, over their plain copy. */
static int copy_parts(struct v23_arena *a, const struct vdl_type *part,
    size_t stride, uint32_t n, uint8_t *to, const uint8_t *from)
{
    int rc = 0;

    if (part == NULL || (part->flags & VDL_T_FLAT) != 0)
        return 0;
    for (; rc == 0 && n != 0; n--, to += stride, from += stride)
        rc = vdl_copy(a, part, to, from);
    return rc;
}

static int copy(struct vdl_type_copier_ *c, const struct vdl_type *t, void *dst,
    const void *src)
{
    const struct vdl_type *view = t->elem;
    uint32_t n = vdl_inline_count_(t, src);
    size_t at = t->val_off;
    int rc;

    if (n > t->count)
        return V23_EARG;
    memcpy(dst, src, t->size);
    rc = copy_parts(c->a, view->key, view->stride, n, (uint8_t *)dst + at,
        (const uint8_t *)src + at);
    at += view->val_off;
    return rc != 0 ? rc
                   : copy_parts(c->a, view->elem, view->stride, n,
                         (uint8_t *)dst + at, (const uint8_t *)src + at);
}

static void reset(const struct vdl_type *t, void *v)
{
    memset(v, 0, t->size);
}

const struct vdl_rep_ops vdl_inline_ops = {.enc = vdl_inline_enc_,
    .dec = dec,
    .is_zero = vdl_inline_is_zero_,
    .equal = equal,
    .copy = copy,
    .view = vdl_inline_view_,
    .reset = reset};

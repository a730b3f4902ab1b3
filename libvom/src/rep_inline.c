/* BSD-3-Clause; see LICENSE. */
/* Values held in place (vom/rep.h): what encoding needs. */
#include "enc_int.h"
#include "rep_inline_int.h"

bool vdl_inline_view_(
    const struct vdl_type *t, const void *v, union vdl_view_ *out)
{
    const void *first = (const char *)v + t->val_off;
    uint32_t n = vdl_inline_count_(t, v);

    if (t->elem->kind == VDL_OPTIONAL) {
        out->p = n != 0 ? first : NULL;
    } else {
        out->l.v = first;
        out->l.n = n;
    }
    return n <= t->count;
}

uint8_t *vdl_inline_enc_(
    struct vom_wr_ *w, uint8_t *p, const struct vdl_type *t, const void *v)
{
    union vdl_view_ view;

    if (!vdl_inline_view_(t, v, &view))
        return vom_wr_fail_(w, V23_EARG);
    return vom_enc_value_(w, p, t->elem, &view);
}

bool vdl_inline_is_zero_(const struct vdl_type *t, const void *v)
{
    return vdl_inline_count_(t, v) == 0;
}

static int no_dec(struct vom_rd_ *r, const struct vdl_type *src,
    const struct vdl_type *t, void *out)
{
    (void)r;
    (void)src;
    (void)t;
    (void)out;
    return V23_EARG;
}

static bool no_equal(const struct vdl_type *t, const void *v,
    const struct vdl_type *other_type, const void *other)
{
    (void)t;
    (void)v;
    (void)other_type;
    (void)other;
    return false;
}

static int no_copy(struct vdl_type_copier_ *c, const struct vdl_type *t,
    void *dst, const void *src)
{
    (void)c;
    (void)t;
    (void)dst;
    (void)src;
    return V23_EARG;
}

const struct vdl_rep_ops vdl_inline_enc_ops = {.enc = vdl_inline_enc_,
    .dec = no_dec,
    .is_zero = vdl_inline_is_zero_,
    .equal = no_equal,
    .copy = no_copy,
    .view = vdl_inline_view_};

/* BSD-3-Clause; see LICENSE. */
/** Access to values held in place (vom/rep.h). */
#ifndef VOM_REP_INLINE_INT_H
#define VOM_REP_INLINE_INT_H

#include "rep_int.h"

static inline uint32_t vdl_inline_count_(
    const struct vdl_type *t, const void *v)
{
    if (t->count <= UINT8_MAX)
        return *(const uint8_t *)v;
    return t->count <= UINT16_MAX ? *(const uint16_t *)v : *(const uint32_t *)v;
}

static inline void vdl_inline_set_count_(
    const struct vdl_type *t, void *v, uint32_t n)
{
    if (t->count <= UINT8_MAX)
        *(uint8_t *)v = (uint8_t)n;
    else if (t->count <= UINT16_MAX)
        *(uint16_t *)v = (uint16_t)n;
    else
        *(uint32_t *)v = n;
}

_Static_assert(offsetof(struct vdl_str, n) == offsetof(struct vdl_list, n) &&
                   offsetof(struct vdl_str, p) == offsetof(struct vdl_list, v),
    "a string is laid out like a list");

uint8_t *vdl_inline_enc_(
    struct vom_wr_ *w, uint8_t *p, const struct vdl_type *t, const void *v);
bool vdl_inline_view_(
    const struct vdl_type *t, const void *v, union vdl_view_ *out);
bool vdl_inline_is_zero_(const struct vdl_type *t, const void *v);

#endif

/* BSD-3-Clause; see LICENSE. */
/*
 * Deep copies of values.
 *
 * A copy is complete in itself: it points into the arena, which also gets
 * copies of run-time types, and at static descriptors.
 */
#include <vom/value.h>

#include "value_int.h"

struct copy {
    struct v23_arena *a;
    struct vdl_type_copier_ types;
};

static int copy(struct copy *c, const struct vdl_type *t, void *dst,
    const void *src, unsigned depth);

static int copy_str(struct copy *c, struct vdl_str *dst,
    const struct vdl_str *src)
{
    const char *p = NULL;

    if (src->n != 0) {
        p = v23_arena_dup(c->a, src->p, src->n);
        if (p == NULL)
            return V23_ENOMEM;
    }
    dst->p = p;
    dst->n = src->n;
    return 0;
}

/* A new object of the type, copied from `src`. */
static int copy_object(struct copy *c, const struct vdl_type *t,
    const void **dst, const void *src, unsigned depth)
{
    void *p = v23_arena_get(c->a, t->size, t->align);
    int rc;

    if (p == NULL)
        return V23_ENOMEM;
    rc = copy(c, t, p, src, depth);
    if (rc == 0)
        *dst = p;
    return rc;
}

static int copy_any(struct copy *c, struct vdl_any *dst,
    const struct vdl_any *src, unsigned depth)
{
    struct vdl_any any = { NULL, NULL };
    int rc = 0;

    if (src->type != NULL)
        rc = vdl_copy_type_(&c->types, src->type, &any.type);
    if (rc == 0 && any.type != NULL)
        rc = copy_object(c, src->type, &any.val, src->val, depth);
    if (rc == 0)
        *dst = any;
    return rc;
}

static int copy_elems(struct copy *c, const struct vdl_type *elem,
    size_t stride, uint32_t n, void *dst, const void *src, unsigned depth)
{
    uint32_t i;
    int rc = 0;

    for (i = 0; i < n && rc == 0; i++)
        rc = copy(c, elem, vdl_at_mut_(dst, i * stride),
            vdl_at_(src, i * stride), depth);
    return rc;
}

static bool flat(const struct vdl_type *t)
{
    return t == NULL || (t->flags & VDL_T_FLAT) != 0;
}

/* list, set, map: the parts that hold pointers are copied one by one. */
static int copy_list(struct copy *c, const struct vdl_type *t,
    struct vdl_list *dst, const struct vdl_list *src, unsigned depth)
{
    const struct vdl_type *first = t->kind == VDL_LIST ? t->elem : t->key;
    struct vdl_list to = { NULL, 0 };
    size_t size;
    void *v;
    int rc;

    if (src->n != 0) {
        unsigned align = first->align;

        if (t->kind == VDL_MAP && t->elem->align > align)
            align = t->elem->align;
        rc = v23_mul_size(src->n, t->stride, &size);
        if (rc != 0)
            return rc;
        v = v23_arena_get(c->a, size, align);
        if (v == NULL)
            return V23_ENOMEM;
        memcpy(v, src->v, size);
        if (!flat(first)) {
            rc = copy_elems(c, first, t->stride, src->n, v, src->v, depth);
            if (rc != 0)
                return rc;
        }
        if (t->kind == VDL_MAP && !flat(t->elem)) {
            rc = copy_elems(c, t->elem, t->stride, src->n,
                vdl_at_mut_(v, t->val_off), vdl_at_(src->v, t->val_off),
                depth);
            if (rc != 0)
                return rc;
        }
        to.v = v;
        to.n = src->n;
    }
    *dst = to;
    return 0;
}

static int copy_struct(struct copy *c, const struct vdl_type *t, void *dst,
    const void *src, unsigned depth)
{
    const struct vdl_field *f;
    uint32_t i;
    int rc;

    for (i = 0; i < t->count; i++) {
        f = &t->fields[i];
        rc = copy(c, f->type, vdl_at_mut_(dst, f->offset),
            vdl_at_(src, f->offset), depth);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int copy_union(struct copy *c, const struct vdl_type *t, void *dst,
    const void *src, unsigned depth)
{
    uint32_t which = vdl_get_which(t, src);

    if (which >= t->count)
        return V23_EARG;
    memset(dst, 0, t->size);
    vdl_set_which(t, dst, which);
    return copy(c, t->fields[which].type,
        vdl_at_mut_(dst, t->fields[which].offset),
        vdl_at_(src, t->fields[which].offset), depth);
}

static int copy_optional(struct copy *c, const struct vdl_type *t, void *dst,
    const void *src, unsigned depth)
{
    const void *from = *(const void *const *)src, *to = NULL;
    int rc = 0;

    if (from != NULL)
        rc = copy_object(c, t->elem, &to, from, depth);
    if (rc == 0)
        *(const void **)dst = to;
    return rc;
}

static int copy_typeobject(struct copy *c, const struct vdl_type **dst,
    const struct vdl_type *src)
{
    if (src == NULL) {
        *dst = NULL;
        return 0;
    }
    return vdl_copy_type_(&c->types, src, dst);
}

static int copy(struct copy *c, const struct vdl_type *t, void *dst,
    const void *src, unsigned depth)
{
    if (flat(t)) {
        memcpy(dst, src, t->size);
        return 0;
    }
    if (depth++ == VDL_VALUE_DEPTH)
        return V23_ELIMIT;
    switch (t->kind) {
    case VDL_ANY:
        return copy_any(c, dst, src, depth);
    case VDL_OPTIONAL:
        return copy_optional(c, t, dst, src, depth);
    case VDL_STRING:
        return copy_str(c, dst, src);
    case VDL_TYPEOBJECT:
        return copy_typeobject(c, dst, *(const struct vdl_type *const *)src);
    case VDL_ARRAY:
        return copy_elems(c, t->elem, t->elem->size, t->count, dst, src,
            depth);
    case VDL_LIST:
    case VDL_SET:
    case VDL_MAP:
        return copy_list(c, t, dst, src, depth);
    case VDL_STRUCT:
        memcpy(dst, src, t->size);
        return copy_struct(c, t, dst, src, depth);
    case VDL_UNION:
        return copy_union(c, t, dst, src, depth);
    case VDL_SPECIAL:
        return t->ops->copy(&c->types, t, dst, src);
    default:
        return V23_EARG;
    }
}

int vdl_copy(struct v23_arena *a, const struct vdl_type *t, void *dst,
    const void *src)
{
    struct v23_arena_mark mark;
    struct copy c;
    void *tmp;
    int rc = V23_ENOMEM;

    if (flat(t)) {
        memmove(dst, src, t->size);
        return 0;
    }
    mark = v23_arena_mark(a);
    memset(&c, 0, sizeof(c));
    c.a = c.types.a = a;
    tmp = v23_arena_get(a, t->size, t->align);
    if (tmp == NULL)
        goto out;
    rc = copy(&c, t, tmp, src, 0);
    if (rc != 0)
        goto out;
    memcpy(dst, tmp, t->size);
out:
    if (rc != 0)
        v23_arena_rewind(a, mark);
    return rc;
}

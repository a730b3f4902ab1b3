/* BSD-3-Clause; see LICENSE. */
/*
 * Values in the form of 2016. Fields keep their order, so a value is rebuilt
 * by walking both types side by side; strings and lists of scalars are shared.
 */
#include "bridge_int.h"

#include <string.h>
#include <vom/value.h>

#define MAX_DEPTH 256

struct job {
    struct wspr_bridge_ *b;
    struct v23_arena *a;
};

static int put(struct job *j, const struct vdl_type *dt, void *dst,
    const struct vdl_type *st, const void *src, unsigned depth);

static const void *at(const void *p, size_t off)
{
    return (const char *)p + off;
}

static void *at_mut(void *p, size_t off)
{
    return (char *)p + off;
}

/* A value whose C bytes may be copied as they are. */
static bool is_shared(const struct vdl_type *t)
{
    return t->kind != VDL_ANY && t->kind != VDL_TYPEOBJECT &&
        t->elem == NULL && t->key == NULL && t->fields == NULL;
}

static int put_any(struct job *j, struct vdl_any *dst, struct vdl_any src,
    unsigned depth)
{
    const struct vdl_type *t;
    void *v;
    int rc;

    memset(dst, 0, sizeof(*dst));
    if (src.type == NULL)
        return 0;
    rc = wspr_bridge_type_(j->b, j->a, src.type, &t);
    if (rc != 0)
        return rc;
    if (t == src.type && (t->flags & (VDL_T_ANY | VDL_T_TYPEOBJECT)) == 0) {
        *dst = src;
        return 0;
    }
    v = v23_arena_get0(j->a, 1, t->size, t->align);
    if (v == NULL)
        return V23_ENOMEM;
    rc = put(j, t, v, src.type, src.val, depth);
    dst->type = t;
    dst->val = v;
    return rc;
}

static int put_optional(struct job *j, const struct vdl_type *dt,
    const void **dst, const struct vdl_type *st, const void *src,
    unsigned depth)
{
    void *v;

    *dst = NULL;
    if (src == NULL)
        return 0;
    v = v23_arena_get0(j->a, 1, dt->elem->size, dt->elem->align);
    if (v == NULL)
        return V23_ENOMEM;
    *dst = v;
    return put(j, dt->elem, v, st->elem, src, depth);
}

static int put_array(struct job *j, const struct vdl_type *dt, void *dst,
    const struct vdl_type *st, const void *src, unsigned depth)
{
    uint32_t i;
    int rc = 0;

    if (is_shared(st->elem)) {
        memcpy(dst, src, st->size);
        return 0;
    }
    for (i = 0; i < st->count && rc == 0; i++)
        rc = put(j, dt->elem, at_mut(dst, (size_t)i * dt->elem->size),
            st->elem, at(src, (size_t)i * st->elem->size), depth);
    return rc;
}

/* Lists, sets and maps; of a list `elem` is what others call key. */
static int put_list(struct job *j, const struct vdl_type *dt,
    struct vdl_list *dst, const struct vdl_type *st,
    const struct vdl_list *src, unsigned depth)
{
    const struct vdl_type *dk = dt->kind == VDL_LIST ? dt->elem : dt->key;
    const struct vdl_type *sk = st->kind == VDL_LIST ? st->elem : st->key;
    bool map = dt->kind == VDL_MAP;
    unsigned align = dk->align;
    const void *from;
    uint32_t i;
    void *v, *to;
    int rc = 0;

    *dst = *src;
    if (src->n == 0 || (is_shared(sk) && (!map || is_shared(st->elem))))
        return 0;
    if (map && dt->elem->align > align)
        align = dt->elem->align;
    v = v23_arena_get0(j->a, src->n, dt->stride, align);
    if (v == NULL)
        return V23_ENOMEM;
    for (i = 0; i < src->n && rc == 0; i++) {
        from = at(src->v, (size_t)i * st->stride);
        to = at_mut(v, (size_t)i * dt->stride);
        rc = put(j, dk, to, sk, from, depth);
        if (rc == 0 && map)
            rc = put(j, dt->elem, at_mut(to, dt->val_off), st->elem,
                at(from, st->val_off), depth);
    }
    dst->v = v;
    return rc;
}

static bool is_zero_duration(const struct vdl_type *t, const void *v)
{
    int i = vdl_type_field_index(t, vdl_str("FromNow"));

    return i >= 0 &&
        vdl_is_zero(t->fields[i].type, at(v, t->fields[i].offset));
}

/* Fields that are left out stay where they are; the one that may be added is
 * NoDeadline. */
static int put_struct(struct job *j, const struct vdl_type *dt, void *dst,
    const struct vdl_type *st, const void *src, unsigned depth)
{
    const struct vdl_field *to, *from;
    uint32_t i, k = 0;
    bool none;
    int rc = 0;

    for (i = 0; i < dt->count && rc == 0; i++) {
        to = &dt->fields[i];
        while (k < st->count && !vdl_str_eq(st->fields[k].name, to->name))
            k++;
        if (k < st->count) {
            from = &st->fields[k];
            rc = put(j, to->type, at_mut(dst, to->offset), from->type,
                at(src, from->offset), depth);
        } else {
            none = is_zero_duration(st, src);
            memcpy(at_mut(dst, to->offset), &none, sizeof(none));
        }
    }
    return rc;
}

static int put_union(struct job *j, const struct vdl_type *dt, void *dst,
    const struct vdl_type *st, const void *src, unsigned depth)
{
    uint32_t which = vdl_get_which(st, src);
    const struct vdl_field *to, *from;

    if (which >= st->count || which >= dt->count)
        return V23_EARG;
    to = &dt->fields[which];
    from = &st->fields[which];
    vdl_set_which(dt, dst, which);
    return put(j, to->type, at_mut(dst, to->offset), from->type,
        at(src, from->offset), depth);
}

static int put_typeobject(struct job *j, const struct vdl_type **dst,
    const struct vdl_type *src)
{
    *dst = src;
    return src == NULL ? 0 : wspr_bridge_type_(j->b, j->a, src, dst);
}

static int put(struct job *j, const struct vdl_type *dt, void *dst,
    const struct vdl_type *st, const void *src, unsigned depth)
{
    if (depth >= MAX_DEPTH)
        return V23_ELIMIT;
    depth++;
    switch ((enum vdl_kind)st->kind) {
    case VDL_ANY:
        return put_any(j, dst, *(const struct vdl_any *)src, depth);
    case VDL_TYPEOBJECT:
        return put_typeobject(j, dst, *(const struct vdl_type *const *)src);
    case VDL_OPTIONAL:
        return put_optional(j, dt, dst, st, *(const void *const *)src, depth);
    case VDL_ARRAY:
        return put_array(j, dt, dst, st, src, depth);
    case VDL_LIST:
    case VDL_SET:
    case VDL_MAP:
        return put_list(j, dt, dst, st, src, depth);
    case VDL_STRUCT:
        return put_struct(j, dt, dst, st, src, depth);
    case VDL_UNION:
        return put_union(j, dt, dst, st, src, depth);
    default:
        memcpy(dst, src, st->size);
        return 0;
    }
}

int wspr_bridge_value_(struct wspr_bridge_ *b, struct v23_arena *a,
    struct vdl_any in, struct vdl_any *out)
{
    struct job j = { b, a };
    struct vdl_any made;
    int rc = put_any(&j, &made, in, 0);

    if (rc == 0)
        *out = made;
    return rc;
}

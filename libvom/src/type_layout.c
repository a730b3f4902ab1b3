/* BSD-3-Clause; see LICENSE. */
/*
 * C layout of run-time types, by the rule of vom/type.h. Sizes are computed in
 * 64 bits and held below the set's limit before they are used again, so no
 * product can wrap.
 */
#include "type_build_int.h"

/* Alignments are powers of two. */
#define ALIGN_UP(n, a) (((n) + (a) - 1) & ~((uint64_t)(a) - 1))

struct extent {
    uint64_t size;
    uint64_t align;
};

static const uint8_t sizes[VDL_KINDS] = { sizeof(struct vdl_any),
    sizeof(void *), sizeof(bool), 1, 2, 4, 8, 1, 2, 4, 8, sizeof(float),
    sizeof(double), sizeof(struct vdl_str), 0, sizeof(void *), 0,
    sizeof(struct vdl_list), sizeof(struct vdl_list), sizeof(struct vdl_list),
    0, 0 };
static const uint8_t aligns[VDL_KINDS] = { _Alignof(struct vdl_any),
    _Alignof(void *), _Alignof(bool), 1, _Alignof(uint16_t),
    _Alignof(uint32_t), _Alignof(uint64_t), 1, _Alignof(int16_t),
    _Alignof(int32_t), _Alignof(int64_t), _Alignof(float), _Alignof(double),
    _Alignof(struct vdl_str), 0, _Alignof(void *), 0,
    _Alignof(struct vdl_list), _Alignof(struct vdl_list),
    _Alignof(struct vdl_list), 0, 0 };

/* Append a member; returns its offset. */
static uint64_t append(struct extent *e, const struct vdl_type *t)
{
    uint64_t at = ALIGN_UP(e->size, t->align);

    e->size = at + t->size;
    if (t->align > e->align)
        e->align = t->align;
    return at;
}

/* Fields of a type being built live in the set's own memory. */
static struct vdl_field *fields_of(const struct vdl_type *t)
{
    return (struct vdl_field *)(uintptr_t)t->fields;
}

static int lay_struct(struct vdl_type *t, struct extent *e, uint64_t max)
{
    struct vdl_field *f = fields_of(t);
    uint32_t i;

    for (i = 0; i < t->count; i++) {
        f[i].offset = (uint32_t)append(e, f[i].type);
        if (e->size > max)
            return V23_ELIMIT;
    }
    if (t->count == 0)
        e->size = 1;
    return 0;
}

static void lay_union(struct vdl_type *t, struct extent *e)
{
    struct vdl_field *f = fields_of(t);
    uint64_t most = 0, which = t->count > 256 ? 2 : 1, at;
    uint32_t i;

    for (i = 0; i < t->count; i++) {
        if (f[i].type->size > most)
            most = f[i].type->size;
        if (f[i].type->align > e->align)
            e->align = f[i].type->align;
    }
    at = ALIGN_UP(which, e->align);
    for (i = 0; i < t->count; i++)
        f[i].offset = (uint32_t)at;
    /* The C union is padded to its own alignment. */
    e->size = at + ALIGN_UP(most, e->align);
    if (e->align < which)
        e->align = which;
}

static int lay(struct vdl_type *t, uint64_t max)
{
    struct extent e = { 0, 1 };
    int rc = 0;

    switch (t->kind) {
    case VDL_ENUM:
        e.size = e.align = t->count > 256 ? 2 : 1;
        break;
    case VDL_ARRAY:
        e.size = (uint64_t)t->count * t->elem->size;
        e.align = t->elem->align;
        break;
    case VDL_STRUCT:
        rc = lay_struct(t, &e, max);
        break;
    case VDL_UNION:
        lay_union(t, &e);
        break;
    default:
        e.size = sizes[t->kind];
        e.align = aligns[t->kind];
        break;
    }
    e.size = ALIGN_UP(e.size, e.align);
    if (rc == 0 && e.size > max)
        rc = V23_ELIMIT;
    t->size = (uint32_t)e.size;
    t->align = (uint8_t)e.align;
    return rc;
}

/* Element and entry sizes: need the size of types that are not held inline. */
static int lay_elements(struct vdl_type *t, uint64_t max)
{
    struct extent e = { 0, 1 };

    if (t->kind == VDL_LIST)
        t->stride = t->elem->size;
    if (t->kind == VDL_SET)
        t->stride = t->key->size;
    if (t->kind != VDL_MAP)
        return 0;
    append(&e, t->key);
    t->val_off = (uint32_t)append(&e, t->elem);
    e.size = ALIGN_UP(e.size, e.align);
    t->stride = (uint32_t)e.size;
    return e.size > max ? V23_ELIMIT : 0;
}

int vdl_build_layout_(struct vdl_build_ *b)
{
    uint64_t max = b->ts->limits.size;
    uint32_t i, *order;
    int rc;

    order = v23_arena_get0(&b->tmp, b->nmade + 1u, sizeof(*order),
        sizeof(uint32_t));
    if (order == NULL)
        return V23_ENOMEM;
    rc = vdl_build_order_(b, VDL_EDGES_STRICT_, order);
    for (i = 0; i < b->nmade && rc == 0; i++)
        rc = lay(&b->made[order[i]]->t, max);
    for (i = 0; i < b->nmade && rc == 0; i++)
        rc = lay_elements(&b->made[i]->t, max);
    return rc;
}

/* BSD-3-Clause; see LICENSE. */
/*
 * Plans: how values of a wire type become values of a target type
 * (spec/vom.md 11), found out once per pair of types and kept by the typedec.
 *
 * A plan's parts are made when a value first needs them: the work is paid for
 * by input, and recursive types need no care.
 */
#include "dec_int.h"
#include "sort_int.h"
#include "type_int.h"

/* Plans that one value may need. */
#define PLANS_MAX 65536
/* Fields or labels up to which names are searched one by one. */
#define FEW 16

/* ---- cache --------------------------------------------------------------- */

static struct vom_plan_ **slot_of(struct vom_plan_ **v, size_t cap,
    const struct vdl_type *src, const struct vdl_type *dst)
{
    size_t i =
        (31 * vdl_address_hash_(src) + vdl_address_hash_(dst)) & (cap - 1);

    while (v[i] != NULL && (v[i]->src != src || v[i]->dst != dst))
        i = (i + 1) & (cap - 1);
    return &v[i];
}

static int make_room(struct vom_typedec *td)
{
    size_t cap = td->plans_cap == 0 ? 16 : 2 * td->plans_cap, i;
    struct vom_plan_ **v;

    if (td->nplans == PLANS_MAX)
        return V23_ELIMIT;
    if (td->nplans + 1 <= td->plans_cap / 4 * 3)
        return 0;
    v = v23_get0(td->al, cap, sizeof(struct vom_plan_ *));
    if (v == NULL)
        return V23_ENOMEM;
    for (i = 0; i < td->plans_cap; i++)
        if (td->plans[i] != NULL)
            *slot_of(v, cap, td->plans[i]->src, td->plans[i]->dst) =
                td->plans[i];
    v23_put(td->al, td->plans);
    td->plans = v;
    td->plans_cap = cap;
    return 0;
}

void vom_plans_free_(struct vom_typedec *td)
{
    size_t i;

    for (i = 0; i < td->plans_cap; i++) {
        if (td->plans[i] != NULL)
            v23_put(td->al, td->plans[i]->order);
        v23_put(td->al, td->plans[i]);
    }
    v23_put(td->al, td->plans);
    td->plans = NULL;
    td->same_src = td->same_dst = NULL;
    td->nplans = td->plans_cap = 0;
    memset(td->mins, 0, sizeof(td->mins));
}

/* ---- making a plan ------------------------------------------------------- */

static bool is_sequence(const struct vdl_type *t)
{
    return t->kind == VDL_LIST || t->kind == VDL_ARRAY;
}

static enum vom_plan_op_ sequence_op(const struct vdl_type *src,
    const struct vdl_type *dst)
{
    if (!is_sequence(src))
        return VOM_PLAN_BAD_;
    if (!vdl_type_is_bytes(src))
        return VOM_PLAN_LIST_;
    return vdl_type_is_bytes(dst) ? VOM_PLAN_BYTES_ : VOM_PLAN_FROM_BYTES_;
}

static enum vom_plan_op_ when(bool ok, enum vom_plan_op_ op)
{
    return ok ? op : VOM_PLAN_BAD_;
}

/* Neither side is any or optional. */
static enum vom_plan_op_ plain_op(const struct vdl_type *src,
    const struct vdl_type *dst)
{
    switch (dst->kind) {
    case VDL_BOOL:
    case VDL_TYPEOBJECT:
        return when(src->kind == dst->kind, VOM_PLAN_SAME_);
    case VDL_STRING:
        if (src->kind == VDL_ENUM)
            return VOM_PLAN_ENUM_STR_;
        return when(src->kind == VDL_STRING, VOM_PLAN_SAME_);
    case VDL_ENUM:
        if (src->kind == VDL_STRING)
            return VOM_PLAN_STR_ENUM_;
        return when(src->kind == VDL_ENUM, VOM_PLAN_LABEL_);
    case VDL_ARRAY:
    case VDL_LIST:
        return sequence_op(src, dst);
    case VDL_SET:
        return when(src->kind == VDL_SET, VOM_PLAN_SET_);
    case VDL_MAP:
        return when(src->kind == VDL_MAP, VOM_PLAN_MAP_);
    case VDL_STRUCT:
        return when(src->kind == VDL_STRUCT, VOM_PLAN_STRUCT_);
    case VDL_UNION:
        return when(src->kind == VDL_UNION, VOM_PLAN_UNION_);
    default:
        if (!vom_is_number_(src->kind) || !vom_is_number_(dst->kind))
            return VOM_PLAN_BAD_;
        return src->kind == dst->kind ? VOM_PLAN_SAME_ : VOM_PLAN_NUM_;
    }
}

static enum vom_plan_op_ choose(const struct vdl_type *src,
    const struct vdl_type *dst)
{
    const struct vdl_type *to = vdl_wire_(dst);

    if (src == dst || vdl_type_equal(src, dst))
        return VOM_PLAN_SAME_;
    if (dst->kind == VDL_ANY)
        return VOM_PLAN_TO_ANY_;
    if (src->kind == VDL_ANY)
        return VOM_PLAN_FROM_ANY_;
    if (src->kind == VDL_OPTIONAL && to->kind != VDL_OPTIONAL &&
        to->kind != VDL_ANY)
        return VOM_PLAN_FROM_OPTIONAL_;
    if (dst->kind == VDL_SPECIAL)
        return VOM_PLAN_SPECIAL_;
    if (src->kind == VDL_OPTIONAL)
        return VOM_PLAN_OPTIONALS_;
    if (dst->kind == VDL_OPTIONAL)
        return VOM_PLAN_TO_OPTIONAL_;
    return plain_op(src, dst);
}

/* ---- names --------------------------------------------------------------- */

/* Name of the i-th label or field. */
static struct vdl_str name_of(const struct vdl_type *t, uint32_t i)
{
    return t->kind == VDL_ENUM ? t->labels[i] : t->fields[i].name;
}

static int by_name(const void *ctx, uint32_t i, uint32_t j)
{
    return vdl_str_cmp(name_of(ctx, i), name_of(ctx, j));
}

/* The order of many labels or fields by name; equal labels stay in theirs. */
static int sort_names(const struct v23_alloc *al, const struct vdl_type *t,
    uint32_t **out)
{
    uint32_t n = t->count, *mem, *order;

    *out = NULL;
    if (n <= FEW)
        return 0;
    mem = v23_get0(al, 2 * (size_t)n, sizeof(*mem));
    if (mem == NULL)
        return V23_ENOMEM;
    order = vdl_sort_(mem, n, by_name, t);
    if (order != mem)
        memcpy(mem, order, n * sizeof(*mem));
    *out = mem;
    return 0;
}

static uint32_t search(const struct vdl_type *t, const uint32_t *order,
    struct vdl_str name)
{
    uint32_t lo = 0, hi = t->count, mid;

    while (lo < hi) {
        mid = lo + (hi - lo) / 2;
        if (vdl_str_cmp(name_of(t, order[mid]), name) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < t->count && vdl_str_eq(name_of(t, order[lo]), name)
        ? order[lo]
        : VOM_NOWHERE_;
}

uint32_t vom_plan_find_(const struct vom_plan_ *pl, struct vdl_str name)
{
    const struct vdl_type *t = pl->dst;
    int i;

    if (pl->order != NULL)
        return search(t, pl->order, name);
    i = t->kind == VDL_ENUM ? vdl_type_label_index(t, name)
                            : vdl_type_field_index(t, name);
    return i < 0 ? VOM_NOWHERE_ : (uint32_t)i;
}

/* Where each field or label of the source goes; mostly the order agrees. */
static void map_members(struct vom_plan_ *pl)
{
    const struct vdl_type *dst = pl->dst;
    uint32_t i, next = 0;
    struct vdl_str name;

    for (i = 0; i < pl->src->count; i++) {
        name = name_of(pl->src, i);
        /* Of equal labels the first counts, so labels are always searched. */
        if (dst->kind != VDL_ENUM && next < dst->count
            && vdl_str_eq(name_of(dst, next), name))
            pl->members[i].to = next;
        else
            pl->members[i].to = vom_plan_find_(pl, name);
        pl->members[i].sub = NULL;
        if (pl->members[i].to != VOM_NOWHERE_)
            next = pl->members[i].to + 1;
    }
}

/* ---- finding or making --------------------------------------------------- */

static bool has_members(enum vom_plan_op_ op)
{
    return op == VOM_PLAN_STRUCT_ || op == VOM_PLAN_UNION_
        || op == VOM_PLAN_LABEL_;
}

static int make(struct vom_typedec *td, const struct vdl_type *src,
    const struct vdl_type *dst, struct vom_plan_ **out)
{
    enum vom_plan_op_ op = choose(src, dst);
    size_t n = has_members(op) ? src->count : 0;
    struct vom_plan_ *pl;
    int rc = 0;

    pl = v23_get(td->al, sizeof(*pl) + n * sizeof(*pl->members));
    if (pl == NULL)
        return V23_ENOMEM;
    memset(pl, 0, sizeof(*pl));
    pl->src = src;
    pl->dst = dst;
    pl->op = (uint8_t)op;
    pl->members = (struct vom_plan_member_ *)(void *)(pl + 1);
    if (n != 0 || op == VOM_PLAN_STR_ENUM_)
        rc = sort_names(td->al, dst, &pl->order);
    if (rc != 0) {
        v23_put(td->al, pl);
        return rc;
    }
    if (n != 0)
        map_members(pl);
    if (op != VOM_PLAN_STR_ENUM_) {
        v23_put(td->al, pl->order);
        pl->order = NULL;
    }
    *out = pl;
    return 0;
}

int vom_plan_(struct vom_typedec *td, const struct vdl_type *src,
    const struct vdl_type *dst, struct vom_plan_ **out)
{
    struct vom_plan_ *pl;
    int rc;

    if (td->plans_cap != 0) {
        pl = *slot_of(td->plans, td->plans_cap, src, dst);
        if (pl != NULL) {
            *out = pl;
            return 0;
        }
    }
    rc = make_room(td);
    if (rc == 0)
        rc = make(td, src, dst, &pl);
    if (rc != 0)
        return rc;
    *slot_of(td->plans, td->plans_cap, src, dst) = pl;
    td->nplans++;
    *out = pl;
    return 0;
}

int vom_plan_root_(struct vom_typedec *td, const struct vdl_type *src,
    const struct vdl_type *dst, struct vom_plan_ **out)
{
    struct vom_plan_ *pl;
    int rc = vom_plan_(td, src, dst, &pl);

    if (rc != 0)
        return rc;
    if (pl->compatible == 0)
        pl->compatible = pl->op == VOM_PLAN_SAME_
                || vdl_type_compatible(src, dst)
            ? 1
            : 2;
    if (pl->compatible == 2)
        return V23_ECOMPAT;
    *out = pl;
    return 0;
}

/* BSD-3-Clause; see LICENSE. */
/* Decoder: values whose target type differs from the wire type, by plan. */
#include "dec_int.h"
#include "type_int.h"

/* Plan of a part, made on first use. */
static int part(struct vom_rd_ *r, struct vom_plan_ **sub,
    const struct vdl_type *src, const struct vdl_type *dst)
{
    return *sub != NULL ? 0 : vom_plan_(r->td, src, dst, sub);
}

/* ---- enums, strings ------------------------------------------------------ */

static int conv_label(struct vom_rd_ *r, const struct vom_plan_ *pl, void *out)
{
    uint32_t i;
    int rc = vom_rd_index_(r, pl->src->count, &i);

    if (rc != 0)
        return rc;
    if (pl->members[i].to == VOM_NOWHERE_)
        return V23_ECONVERT;
    vom_set_selector_(out, pl->dst->size == 2, pl->members[i].to);
    return 0;
}

/* The text stays in the type, which the arena then holds. */
static int conv_enum_str(struct vom_rd_ *r, const struct vom_plan_ *pl,
    struct vdl_str *out)
{
    uint32_t i;
    int rc = vom_rd_index_(r, pl->src->count, &i);

    if (rc == 0)
        rc = vom_rd_hold_(r);
    if (rc == 0)
        *out = pl->src->labels[i];
    return rc;
}

static int conv_str_enum(struct vom_rd_ *r, const struct vom_plan_ *pl,
    void *out)
{
    uint32_t n, label;
    int rc = vom_rd_length_(r, &n);

    if (rc != 0)
        return rc;
    label = vom_plan_find_(pl, vdl_strn((const char *)r->p, n));
    if (label == VOM_NOWHERE_)
        return V23_ECONVERT;
    r->p += n;
    vom_set_selector_(out, pl->dst->size == 2, label);
    return 0;
}

/* ---- lists and arrays ---------------------------------------------------- */

/* Number of elements of a list or array on the wire. */
static int read_count(struct vom_rd_ *r, const struct vdl_type *src,
    uint32_t *n)
{
    size_t min = src->elem->kind == VDL_BYTE ? 1 : vom_rd_min_(r, src->elem);
    int rc;

    if (src->kind == VDL_LIST)
        return vom_rd_count_(r, min, n);
    rc = vom_rd_array_(r);
    if (rc == 0 && src->count > (size_t)(r->end - r->p) / min)
        rc = V23_EEOF;
    *n = src->count;
    return rc;
}

/* Where n elements of the target go; an array must have as many. */
static int make_elems(struct vom_rd_ *r, const struct vdl_type *dst,
    uint32_t n, void *out, uint8_t **v)
{
    struct vdl_list *l = out;
    void *p = NULL;
    int rc = 0;

    if (dst->kind == VDL_ARRAY) {
        *v = out;
        return n == dst->count ? 0 : V23_ECONVERT;
    }
    if (n != 0)
        rc = vom_rd_get_(r, n, dst->elem->size, dst->elem->align, true, &p);
    if (rc != 0)
        return rc;
    l->v = p;
    l->n = n;
    *v = p;
    return 0;
}

static int conv_bytes(struct vom_rd_ *r, const struct vom_plan_ *pl, void *out)
{
    uint32_t n;
    uint8_t *v;
    int rc = read_count(r, pl->src, &n);

    if (rc == 0)
        rc = make_elems(r, pl->dst, n, out, &v);
    if (rc != 0)
        return rc;
    if (n != 0)
        memcpy(v, r->p, n);
    r->p += n;
    return 0;
}

/* Raw bytes become numbers or anys. */
static int conv_byte(struct vom_rd_ *r, const struct vom_plan_ *pl, void *out)
{
    const struct vdl_type *to = pl->dst->elem;
    const uint8_t *end = r->end, *next = r->p + 1;
    uint8_t number[VOM_UINT_MAX_];
    int rc;

    if (vom_is_number_(to->kind))
        return vom_num_from_byte_(*r->p++, (enum vdl_kind)to->kind, out);
    if (vdl_wire_(to)->kind != VDL_ANY)
        return V23_ECOMPAT;
    /* As it would stand alone. */
    r->end = vom_put_uint_(number, *r->p);
    r->p = number;
    if (to->kind == VDL_ANY)
        rc = vom_dec_to_any_(r, pl->src->elem, out);
    else
        rc = to->ops->dec(r, pl->src->elem, to, out);
    r->p = next;
    r->end = end;
    return rc;
}

static int conv_from_bytes(struct vom_rd_ *r, const struct vom_plan_ *pl,
    void *out)
{
    uint32_t n;
    uint8_t *v;
    int rc = read_count(r, pl->src, &n);

    if (rc == 0)
        rc = make_elems(r, pl->dst, n, out, &v);
    for (; rc == 0 && n != 0; n--, v += pl->dst->elem->size)
        rc = conv_byte(r, pl, v);
    return rc;
}

static int conv_elems(struct vom_rd_ *r, struct vom_plan_ *pl, uint32_t n,
    uint8_t *v)
{
    int rc = part(r, &pl->elem, pl->src->elem, pl->dst->elem);

    if (rc == 0 && pl->elem->op == VOM_PLAN_SAME_)
        return vom_dec_elems_(r, pl->dst->elem, v, n);
    for (; rc == 0 && n != 0; n--, v += pl->dst->elem->size)
        rc = vom_dec_conv_(r, pl->elem, v);
    return rc;
}

static int conv_list(struct vom_rd_ *r, struct vom_plan_ *pl, void *out)
{
    uint32_t n;
    uint8_t *v;
    int rc = read_count(r, pl->src, &n);

    if (rc == 0)
        rc = make_elems(r, pl->dst, n, out, &v);
    return rc == 0 ? conv_elems(r, pl, n, v) : rc;
}

/* ---- sets and maps ------------------------------------------------------- */

static int conv_entries(struct vom_rd_ *r, struct vom_plan_ *pl, uint32_t n,
    uint8_t *v)
{
    const struct vdl_type *src = pl->src, *dst = pl->dst;
    size_t stride = dst->kind == VDL_MAP ? dst->stride : dst->key->size;
    int rc = part(r, &pl->key, src->key, dst->key);

    if (rc == 0 && dst->kind == VDL_MAP)
        rc = part(r, &pl->elem, src->elem, dst->elem);
    for (; rc == 0 && n != 0; n--, v += stride) {
        rc = vom_dec_conv_(r, pl->key, v);
        if (rc == 0 && dst->kind == VDL_MAP)
            rc = vom_dec_conv_(r, pl->elem, v + dst->val_off);
    }
    return rc;
}

static int conv_table(struct vom_rd_ *r, struct vom_plan_ *pl,
    struct vdl_list *out)
{
    const struct vdl_type *src = pl->src, *dst = pl->dst;
    bool map = dst->kind == VDL_MAP;
    size_t stride = map ? dst->stride : dst->key->size;
    size_t align = dst->key->align;
    void *v = NULL;
    uint32_t n;
    int rc;

    if (map && dst->elem->align > align)
        align = dst->elem->align;
    rc = vom_rd_count_(r,
        map ? vom_rd_min_entry_(r, src) : vom_rd_min_(r, src->key), &n);
    if (rc == 0 && n != 0)
        rc = vom_rd_get_(r, n, stride, align, true, &v);
    if (rc == 0 && n != 0)
        rc = conv_entries(r, pl, n, v);
    if (rc != 0)
        return rc;
    out->v = v;
    out->n = n;
    return n > 1 ? vom_dec_unique_(r, dst, out, v) : 0;
}

/* ---- struct and union ---------------------------------------------------- */

static int conv_field(struct vom_rd_ *r, struct vom_plan_ *pl, uint32_t i,
    bool again, void *out)
{
    struct vom_plan_member_ *m = &pl->members[i];
    const struct vdl_field *f;
    void *v;
    int rc;

    if (m->to == VOM_NOWHERE_)
        return vom_dec_skip_(r, pl->src->fields[i].type);
    f = &pl->dst->fields[m->to];
    v = (uint8_t *)out + f->offset;
    rc = part(r, &m->sub, pl->src->fields[i].type, f->type);
    if (rc == 0 && again)
        rc = vom_rd_clear_(r, f->type, v);
    return rc == 0 ? vom_dec_conv_(r, m->sub, v) : rc;
}

static int conv_struct(struct vom_rd_ *r, struct vom_plan_ *pl, void *out)
{
    uint32_t i, fresh = 0; /* fields of the source from here on are new */
    bool end;
    int rc;

    for (;;) {
        rc = vom_rd_field_(r, pl->src->count, &i, &end);
        if (rc != 0 || end)
            return rc;
        rc = conv_field(r, pl, i, i < fresh, out);
        if (rc != 0)
            return rc;
        if (i >= fresh)
            fresh = i + 1;
    }
}

static int conv_union(struct vom_rd_ *r, struct vom_plan_ *pl, void *out)
{
    uint32_t i;
    int rc = vom_rd_index_(r, pl->src->count, &i);

    if (rc != 0)
        return rc;
    if (pl->members[i].to == VOM_NOWHERE_)
        return V23_ECONVERT;
    vom_set_selector_(out, pl->dst->count > 256, pl->members[i].to);
    return conv_field(r, pl, i, false, out);
}

/* ---- optional and any ---------------------------------------------------- */

/* A new object of type `to`, filled by a plan. */
static int conv_new(struct vom_rd_ *r, struct vom_plan_ *pl,
    const struct vdl_type *to, void **out)
{
    void *v;
    int rc = vom_rd_get_(r, 1, to->size, to->align, true, &v);

    if (rc == 0)
        rc = vom_dec_conv_(r, pl, v);
    if (rc == 0)
        *out = v;
    return rc;
}

static int conv_to_optional(struct vom_rd_ *r, struct vom_plan_ *pl,
    void **out)
{
    int rc = part(r, &pl->elem, pl->src, pl->dst->elem);

    return rc == 0 ? conv_new(r, pl->elem, pl->dst->elem, out) : rc;
}

static int conv_optionals(struct vom_rd_ *r, struct vom_plan_ *pl, void **out)
{
    bool nil;
    int rc = vom_rd_nil_(r, &nil);

    if (rc != 0 || nil)
        return rc;
    rc = part(r, &pl->elem, pl->src->elem, pl->dst->elem);
    return rc == 0 ? conv_new(r, pl->elem, pl->dst->elem, out) : rc;
}

static int conv_from_optional(struct vom_rd_ *r, struct vom_plan_ *pl,
    void *out)
{
    bool nil;
    int rc = vom_rd_nil_(r, &nil);

    if (rc == 0 && nil)
        return V23_ECONVERT;
    if (rc == 0)
        rc = part(r, &pl->elem, pl->src->elem, pl->dst);
    return rc == 0 ? vom_dec_conv_(r, pl->elem, out) : rc;
}

int vom_dec_wrap_(struct vom_rd_ *r, const struct vdl_type *t,
    struct vdl_any *out)
{
    void *v;
    int rc = vom_rd_get_(r, 1, t->size, t->align, true, &v);

    if (rc == 0)
        rc = vom_dec_same_(r, t, v);
    if (rc == 0)
        rc = vom_rd_hold_(r);
    if (rc != 0)
        return rc;
    out->type = t;
    out->val = v;
    return 0;
}

int vom_dec_to_any_(struct vom_rd_ *r, const struct vdl_type *t,
    struct vdl_any *out)
{
    return r->td->opt.any == NULL ? vom_dec_wrap_(r, t, out)
                                  : r->td->opt.any->dec(r, t, out);
}

static int conv_from_any(struct vom_rd_ *r, const struct vom_plan_ *pl,
    void *out)
{
    const struct vdl_type *t;
    struct vom_plan_ *content;
    const uint8_t *start;
    uint32_t len;
    bool nil;
    int rc = vom_rd_nil_(r, &nil);

    if (rc == 0 && nil)
        return vdl_wire_(pl->dst)->kind == VDL_OPTIONAL ? 0 : V23_ECONVERT;
    if (rc == 0)
        rc = vom_rd_any_(r, &t, &len);
    if (rc == 0)
        rc = vom_plan_root_(r->td, t, pl->dst, &content);
    start = r->p;
    if (rc == 0)
        rc = vom_dec_conv_(r, content, out);
    return rc == 0 ? vom_rd_any_end_(r, start, len) : rc;
}

/* ---- any plan ------------------------------------------------------------ */

static int conv_composite(struct vom_rd_ *r, struct vom_plan_ *pl, void *out)
{
    switch (pl->op) {
    case VOM_PLAN_BYTES_:
        return conv_bytes(r, pl, out);
    case VOM_PLAN_FROM_BYTES_:
        return conv_from_bytes(r, pl, out);
    case VOM_PLAN_LIST_:
        return conv_list(r, pl, out);
    case VOM_PLAN_SET_:
    case VOM_PLAN_MAP_:
        return conv_table(r, pl, out);
    case VOM_PLAN_STRUCT_:
        return conv_struct(r, pl, out);
    case VOM_PLAN_UNION_:
        return conv_union(r, pl, out);
    case VOM_PLAN_FROM_ANY_:
        return conv_from_any(r, pl, out);
    case VOM_PLAN_SPECIAL_:
        return pl->dst->ops->dec(r, pl->src, pl->dst, out);
    default:
        return V23_ECOMPAT;
    }
}

int vom_dec_conv_(struct vom_rd_ *r, struct vom_plan_ *pl, void *out)
{
    int rc;

    switch (pl->op) {
    case VOM_PLAN_SAME_:
        return vom_dec_same_(r, pl->dst, out);
    case VOM_PLAN_NUM_:
        return vom_dec_num_(r, (enum vdl_kind)pl->src->kind,
            (enum vdl_kind)pl->dst->kind, out);
    case VOM_PLAN_LABEL_:
        return conv_label(r, pl, out);
    case VOM_PLAN_ENUM_STR_:
        return conv_enum_str(r, pl, out);
    case VOM_PLAN_STR_ENUM_:
        return conv_str_enum(r, pl, out);
    case VOM_PLAN_TO_OPTIONAL_:
        return conv_to_optional(r, pl, out);
    case VOM_PLAN_OPTIONALS_:
        return conv_optionals(r, pl, out);
    case VOM_PLAN_FROM_OPTIONAL_:
        return conv_from_optional(r, pl, out);
    case VOM_PLAN_TO_ANY_:
        return vom_dec_to_any_(r, pl->src, out);
    default:
        break;
    }
    rc = vom_rd_enter_(r);
    if (rc != 0)
        return rc;
    rc = conv_composite(r, pl, out);
    r->depth++;
    return rc;
}

static int convert(struct vom_rd_ *r, const struct vdl_type *src,
    const struct vdl_type *dst, void *out)
{
    struct vom_plan_ *pl;
    int rc = vom_plan_root_(r->td, src, dst, &pl);

    if (rc != 0)
        return rc;
    if (pl->op == VOM_PLAN_SAME_) {
        r->td->same_src = src;
        r->td->same_dst = dst;
    }
    return vom_dec_conv_(r, pl, out);
}

const struct vom_converter vom_converter = { convert };

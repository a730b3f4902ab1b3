/* BSD-3-Clause; see LICENSE. */
/*
 * Encoder: values (spec/vom.md 6, 7).
 *
 * Whether a value is zero is known only when it has been written; a struct
 * field that turns out zero is taken back. This visits every part once, where
 * asking first would visit the inner parts again at each level.
 */
#include "enc_int.h"

/* Fields between two looks at the room, and elements asked room for. */
#define FIELDS 16
#define FIELD_ROOM (4 + VOM_UINT_MAX_)
#define ELEMS 24

_Static_assert(FIELDS * FIELD_ROOM + 1 <= VOM_WR_ROOM_
        && ELEMS * VOM_UINT_MAX_ <= VOM_WR_ROOM_,
    "a group fits the writer");
_Static_assert(sizeof(bool) == 1, "bool is a byte");

/* Selector of a union or label of an enum. */
static inline uint32_t selector(const void *v, bool wide)
{
    return wide ? *(const uint16_t *)v : *(const uint8_t *)v;
}

/*
 * The number that stands for a value on the wire. False: the value is more
 * than a number, or an enum without such a label.
 */
VOM_INLINE_ bool number(const struct vdl_type *t, const void *v, uint64_t *u)
{
    switch (t->kind) {
    case VDL_BOOL:
        *u = *(const uint8_t *)v != 0;
        return true;
    case VDL_BYTE:
        *u = *(const uint8_t *)v;
        return true;
    case VDL_UINT16:
        *u = *(const uint16_t *)v;
        return true;
    case VDL_UINT32:
        *u = *(const uint32_t *)v;
        return true;
    case VDL_UINT64:
        *u = *(const uint64_t *)v;
        return true;
    case VDL_INT8:
        *u = vom_zigzag_(*(const int8_t *)v);
        return true;
    case VDL_INT16:
        *u = vom_zigzag_(*(const int16_t *)v);
        return true;
    case VDL_INT32:
        *u = vom_zigzag_(*(const int32_t *)v);
        return true;
    case VDL_INT64:
        *u = vom_zigzag_(*(const int64_t *)v);
        return true;
    case VDL_FLOAT32:
        *u = vom_float_bits_((double)*(const float *)v);
        return true;
    case VDL_FLOAT64:
        *u = vom_float_bits_(*(const double *)v);
        return true;
    case VDL_ENUM:
        *u = selector(v, t->size == 2);
        return *u < t->count;
    default:
        return false;
    }
}

/* -0.0 is zero, and a sign bit is the lowest byte's. */
static inline bool is_zero(const struct vdl_type *t, uint64_t u)
{
    return u == 0
        || (u == 0x80 && (t->kind == VDL_FLOAT32 || t->kind == VDL_FLOAT64));
}

/* memcpy whose call is saved for short texts. */
static inline void copy(uint8_t *to, const void *from, size_t n)
{
    const uint8_t *p = from;

    if (n > 16 || n < 4) {
        if (n > 16)
            memcpy(to, p, n);
        else
            for (; n != 0; n--)
                *to++ = *p++;
    } else if (n >= 8) {
        memcpy(to, p, 8);
        memcpy(to + n - 8, p + n - 8, 8);
    } else {
        memcpy(to, p, 4);
        memcpy(to + n - 4, p + n - 4, 4);
    }
}

static int enc_uint(struct vom_wr_ *w, uint64_t u)
{
    int rc = vom_wr_need_(w, VOM_UINT_MAX_);

    if (rc == 0)
        w->p = vom_put_uint_(w->p, u);
    return rc;
}

/* Count or length, then the bytes. */
static int enc_bytes(struct vom_wr_ *w, const void *p, uint32_t n)
{
    int rc;

    if (n > VOM_LENGTH_MAX_)
        return V23_ELIMIT;
    rc = enc_uint(w, n);
    if (rc == 0 && n != 0)
        rc = vom_wr_bytes_(w, p, n);
    return rc != 0 ? rc : n != 0;
}

/* ---- lists and arrays ---------------------------------------------------- */

#define EACH(T, code) \
    do { \
        const T *x_ = (const T *)v; \
        for (; i < stop; i++) \
            p = vom_put_uint_(p, code(x_[i])); \
    } while (0)
#define PLAIN(x) (x)

/* Bools and numbers. */
static int enc_scalars(struct vom_wr_ *w, enum vdl_kind kind, const void *v,
    size_t n)
{
    size_t i = 0, stop;
    uint8_t *p;
    int rc;

    while (i < n) {
        stop = n - i < ELEMS ? n - i : ELEMS;
        rc = vom_wr_need_(w, stop * VOM_UINT_MAX_);
        if (rc != 0)
            return rc;
        stop = (size_t)(w->end - w->p) / VOM_UINT_MAX_;
        stop = n - i < stop ? n : i + stop;
        p = w->p;
        switch (kind) {
        case VDL_UINT16:
            EACH(uint16_t, PLAIN);
            break;
        case VDL_UINT32:
            EACH(uint32_t, PLAIN);
            break;
        case VDL_UINT64:
            EACH(uint64_t, PLAIN);
            break;
        case VDL_INT8:
            EACH(int8_t, vom_zigzag_);
            break;
        case VDL_INT16:
            EACH(int16_t, vom_zigzag_);
            break;
        case VDL_INT32:
            EACH(int32_t, vom_zigzag_);
            break;
        case VDL_INT64:
            EACH(int64_t, vom_zigzag_);
            break;
        case VDL_FLOAT32:
            EACH(float, vom_float_bits_);
            break;
        case VDL_FLOAT64:
            EACH(double, vom_float_bits_);
            break;
        case VDL_BOOL:
            EACH(uint8_t, !!);
            break;
        default: /* byte as a set's key */
            EACH(uint8_t, PLAIN);
            break;
        }
        w->p = p;
    }
    return 0;
}

/* Is an array of bools or numbers not zero? -0.0 is zero. */
static int any_set(const struct vdl_type *elem, const void *v, size_t n)
{
    const uint8_t *p = v;
    uint64_t u;

    for (; n != 0; n--, p += elem->size)
        if (number(elem, p, &u) && !is_zero(elem, u))
            return 1;
    return 0;
}

static int enc_struct(struct vom_wr_ *w, const struct vdl_type *t,
    const void *v);

static int enc_structs(struct vom_wr_ *w, const struct vdl_type *t,
    const void *v, size_t n)
{
    const uint8_t *p = v;
    int rc = 0, seen = 0;

    if (w->depth == 0)
        return V23_ELIMIT;
    w->depth--;
    for (; rc >= 0 && n != 0; n--, p += t->size) {
        rc = enc_struct(w, t, p);
        seen |= rc;
    }
    w->depth++;
    return rc < 0 ? rc : seen;
}

static int enc_elems(struct vom_wr_ *w, const struct vdl_type *elem,
    const void *v, size_t n)
{
    const uint8_t *p = v;
    int rc, seen = 0;

    if (elem->kind >= VDL_BOOL && elem->kind <= VDL_FLOAT64)
        return enc_scalars(w, (enum vdl_kind)elem->kind, v, n);
    if (elem->kind == VDL_STRUCT && n != 0)
        return enc_structs(w, elem, v, n);
    for (; n != 0; n--, p += elem->size) {
        rc = vom_enc_value_(w, elem, p);
        if (rc < 0)
            return rc;
        seen |= rc;
    }
    return seen;
}

static int enc_list(struct vom_wr_ *w, const struct vdl_type *t, const void *v)
{
    const struct vdl_list *l = v;
    int rc;

    if (t->kind == VDL_LIST && t->elem->kind == VDL_BYTE)
        return enc_bytes(w, l->v, l->n);
    if (l->n > VOM_LENGTH_MAX_)
        return V23_ELIMIT;
    rc = enc_uint(w, l->n);
    if (rc == 0)
        rc = enc_elems(w, t->kind == VDL_SET ? t->key : t->elem, l->v, l->n);
    return rc < 0 ? rc : l->n != 0;
}

static int enc_array(struct vom_wr_ *w, const struct vdl_type *t,
    const void *v)
{
    const struct vdl_type *elem = t->elem;
    int rc = enc_uint(w, 0);

    if (rc != 0)
        return rc;
    if (elem->kind == VDL_BYTE)
        rc = vom_wr_bytes_(w, v, t->count);
    else
        rc = enc_elems(w, elem, v, t->count);
    if (rc == 0 && elem->kind >= VDL_BOOL && elem->kind <= VDL_FLOAT64)
        rc = any_set(elem, v, t->count);
    return rc;
}

static int enc_map(struct vom_wr_ *w, const struct vdl_type *t, const void *v)
{
    const struct vdl_list *l = v;
    const uint8_t *p = l->v;
    uint32_t n = l->n;
    int rc;

    if (n > VOM_LENGTH_MAX_)
        return V23_ELIMIT;
    rc = enc_uint(w, n);
    for (; rc >= 0 && n != 0; n--, p += t->stride) {
        rc = vom_enc_value_(w, t->key, p);
        if (rc >= 0)
            rc = vom_enc_value_(w, t->elem, p + t->val_off);
    }
    return rc < 0 ? rc : l->n != 0;
}

/* ---- struct and union ---------------------------------------------------- */

/* A field that is more than a number, left out if it is zero. */
static int enc_field(struct vom_wr_ *w, uint32_t index,
    const struct vdl_type *t, const void *v)
{
    size_t pos = vom_wr_pos_(w), nids = w->e->ids.n;
    int rc;

    w->p = vom_put_uint_(w->p, index);
    rc = vom_enc_value_(w, t, v);
    if (rc == 0) {
        vom_wr_rewind_(w, pos);
        w->e->ids.n = nids;
    }
    return rc;
}

/* Is it certain, without writing it, that the field is zero? */
static inline bool is_absent(const struct vdl_type *t, const void *v)
{
    switch (t->kind) {
    case VDL_SET:
    case VDL_MAP:
        return ((const struct vdl_list *)v)->n == 0;
    case VDL_ANY:
        return ((const struct vdl_any *)v)->type == NULL;
    case VDL_OPTIONAL:
        return *(const void *const *)v == NULL;
    default:
        return false;
    }
}

/* Room for a group of fields, the END and whatever else a field asks for. */
#define GROUP_ROOM (FIELDS * FIELD_ROOM + 1)

/* Strings and bytes, if they and the rest of the group fit; else NULL. */
static inline uint8_t *put_short(uint8_t *p, const uint8_t *end, uint8_t index,
    const struct vdl_str *s)
{
    if ((size_t)(end - p) < (size_t)GROUP_ROOM + s->n)
        return NULL;
    *p = index;
    p = vom_put_uint_(p + 1, s->n);
    copy(p, s->p, s->n);
    return p + s->n;
}

/*
 * Fields i to stop - 1 < 128, for which there is room if they are all numbers.
 * One switch decides everything: this is where encoding spends its time.
 */
static int enc_fields(struct vom_wr_ *w, const struct vdl_type *t,
    const void *v, uint32_t i, uint32_t stop)
{
    const struct vdl_field *f = t->fields + i, *end = t->fields + stop;
    uint8_t *p = w->p, *next;
    const struct vdl_type *ft;
    const void *fv;
    uint64_t u;
    int rc;

    for (; f != end; f++, i++) {
        ft = f->type;
        fv = (const uint8_t *)v + f->offset;
        switch (ft->kind) {
        case VDL_BOOL:
            u = *(const uint8_t *)fv != 0;
            break;
        case VDL_BYTE:
            u = *(const uint8_t *)fv;
            break;
        case VDL_UINT16:
            u = *(const uint16_t *)fv;
            break;
        case VDL_UINT32:
            u = *(const uint32_t *)fv;
            break;
        case VDL_UINT64:
            u = *(const uint64_t *)fv;
            break;
        case VDL_INT8:
            u = vom_zigzag_(*(const int8_t *)fv);
            break;
        case VDL_INT16:
            u = vom_zigzag_(*(const int16_t *)fv);
            break;
        case VDL_INT32:
            u = vom_zigzag_(*(const int32_t *)fv);
            break;
        case VDL_INT64:
            u = vom_zigzag_(*(const int64_t *)fv);
            break;
        case VDL_ENUM:
            u = selector(fv, ft->size == 2);
            if (u >= ft->count)
                return V23_EARG;
            break;
        case VDL_FLOAT32:
            if (*(const float *)fv == 0)
                continue;
            u = vom_float_bits_((double)*(const float *)fv);
            break;
        case VDL_FLOAT64:
            if (*(const double *)fv == 0)
                continue;
            u = vom_float_bits_(*(const double *)fv);
            break;
        case VDL_LIST:
            if (((const struct vdl_list *)fv)->n == 0)
                continue;
            if (ft->elem->kind != VDL_BYTE)
                goto other;
            next = put_short(p, w->end, (uint8_t)i, fv);
            if (next == NULL)
                goto other;
            p = next;
            continue;
        case VDL_STRING:
            if (((const struct vdl_str *)fv)->n == 0)
                continue;
            next = put_short(p, w->end, (uint8_t)i, fv);
            if (next == NULL)
                goto other;
            p = next;
            continue;
        default:
            goto other;
        }
        if (u == 0)
            continue;
        *p = (uint8_t)i;
        p = vom_put_uint_(p + 1, u);
        continue;
    other:
        if (is_absent(ft, fv))
            continue;
        w->p = p;
        rc = enc_field(w, i, ft, fv);
        if (rc >= 0)
            rc = vom_wr_need_(w, (size_t)(end - f) * FIELD_ROOM + 1);
        if (rc < 0)
            return rc;
        p = w->p;
    }
    w->p = p;
    return 0;
}

/* The fields from 128 on, whose index takes two bytes and more. */
static int enc_far_fields(struct vom_wr_ *w, const struct vdl_type *t,
    const void *v)
{
    const struct vdl_field *f;
    uint32_t i;
    int rc;

    for (i = 128; i < t->count; i++) {
        f = &t->fields[i];
        rc = vom_wr_need_(w, FIELD_ROOM);
        if (rc == 0)
            rc = enc_field(w, i, f->type, (const uint8_t *)v + f->offset);
        if (rc < 0)
            return rc;
    }
    return vom_wr_need_(w, 1);
}

static int enc_struct(struct vom_wr_ *w, const struct vdl_type *t,
    const void *v)
{
    size_t start = vom_wr_pos_(w);
    uint32_t n = t->count < 128 ? t->count : 128, i = 0, stop;
    int rc = vom_wr_need_(w, 1);

    while (rc == 0 && i < n) {
        stop = n - i < FIELDS ? n : i + FIELDS;
        rc = vom_wr_need_(w, (stop - i) * FIELD_ROOM + 1);
        if (rc == 0)
            rc = enc_fields(w, t, v, i, stop);
        i = stop;
    }
    if (rc == 0 && t->count > 128)
        rc = enc_far_fields(w, t, v);
    if (rc != 0)
        return rc;
    *w->p++ = VOM_END_;
    return vom_wr_pos_(w) - start != 1;
}

static int enc_union(struct vom_wr_ *w, const struct vdl_type *t,
    const void *v)
{
    uint32_t which = selector(v, t->count > 256);
    const struct vdl_field *f = t->fields + which;
    int rc;

    if (which >= t->count)
        return V23_EARG;
    rc = enc_uint(w, which);
    if (rc == 0)
        rc = vom_enc_value_(w, f->type, (const uint8_t *)v + f->offset);
    return rc < 0 ? rc : rc != 0 || which != 0;
}

/* ---- types inside values ------------------------------------------------- */

static int type_id(struct vom_wr_ *w, const struct vdl_type *t, uint32_t *id)
{
    uint32_t i;
    int rc;

    if (!vom_is_runtime_(t))
        return vom_typeenc_id_(w->e->types, t, w->types_out, id);
    for (i = 0; i < w->nrecent; i++) {
        if (w->recent[i].type == t) {
            *id = w->recent[i].id;
            return 0;
        }
    }
    rc = vom_typeenc_id_(w->e->types, t, w->types_out, id);
    if (rc == 0 && i < VOM_WR_RECENT_)
        w->recent[w->nrecent++] = (struct vom_typeid_slot){ t, *id };
    return rc;
}

/* Write the index of a type in the message's type-id list. */
static int enc_type(struct vom_wr_ *w, const struct vdl_type *t)
{
    struct vom_enc *e = w->e;
    const uint32_t *ids;
    uint32_t id;
    size_t i;
    int rc = type_id(w, t, &id);

    if (rc != 0)
        return rc;
    ids = vom_u32s_(&e->ids);
    for (i = 0; i < e->ids.n && ids[i] != id; i++)
        ;
    if (i == e->ids.n)
        rc = vom_u32s_add_(&e->ids, e->types->al, id);
    return rc != 0 ? rc : enc_uint(w, i);
}

static int enc_nil(struct vom_wr_ *w)
{
    int rc = vom_wr_need_(w, 1);

    if (rc == 0)
        *w->p++ = VOM_NIL_;
    return rc;
}

static int enc_any(struct vom_wr_ *w, const struct vdl_any *a)
{
    struct vom_enc *e = w->e;
    size_t k, start, size;
    int rc;

    /* An any holds no any: the innermost counts. */
    while (a->type != NULL && a->type->kind == VDL_ANY)
        a = a->val;
    if (a->type == NULL)
        return enc_nil(w);
    rc = enc_type(w, a->type);
    if (rc != 0)
        return rc;
    k = e->lens.n;
    rc = vom_u32s_add_(&e->lens, e->types->al, 0);
    if (rc == 0)
        rc = enc_uint(w, k);
    if (rc != 0)
        return rc;
    start = vom_wr_pos_(w);
    rc = vom_enc_value_(w, a->type, a->val);
    if (rc < 0)
        return rc;
    size = vom_wr_pos_(w) - start;
    if (size > VOM_LENGTH_MAX_)
        return V23_ELIMIT;
    vom_u32s_(&e->lens)[k] = (uint32_t)size;
    return 1;
}

static int enc_optional(struct vom_wr_ *w, const struct vdl_type *t,
    const void *v)
{
    const void *content = *(const void *const *)v;
    int rc;

    if (content == NULL)
        return enc_nil(w);
    rc = vom_enc_value_(w, t->elem, content);
    return rc < 0 ? rc : 1;
}

static int enc_typeobject(struct vom_wr_ *w, const void *v)
{
    const struct vdl_type *t = *(const struct vdl_type *const *)v;
    int rc;

    if (t == NULL)
        t = &vdl_any_desc;
    rc = enc_type(w, t);
    return rc != 0 ? rc : t->kind != VDL_ANY;
}

/* ---- any value ----------------------------------------------------------- */

static int enc_composite(struct vom_wr_ *w, const struct vdl_type *t,
    const void *v)
{
    switch (t->kind) {
    case VDL_ARRAY:
        return enc_array(w, t, v);
    case VDL_LIST:
    case VDL_SET:
        return enc_list(w, t, v);
    case VDL_MAP:
        return enc_map(w, t, v);
    case VDL_STRUCT:
        return enc_struct(w, t, v);
    case VDL_UNION:
        return enc_union(w, t, v);
    case VDL_ANY:
        return enc_any(w, v);
    default:
        return V23_EARG;
    }
}

/* Values that hold no others, but for optional. */
static int enc_simple(struct vom_wr_ *w, const struct vdl_type *t,
    const void *v)
{
    const struct vdl_str *s = v;
    uint64_t u;
    int rc;

    if (number(t, v, &u)) {
        rc = enc_uint(w, u);
        return rc != 0 ? rc : !is_zero(t, u);
    }
    switch (t->kind) {
    case VDL_STRING:
        return enc_bytes(w, s->p, s->n);
    case VDL_OPTIONAL:
        return enc_optional(w, t, v);
    case VDL_TYPEOBJECT:
        return enc_typeobject(w, v);
    default:
        return V23_EARG; /* an enum without such a label */
    }
}

int vom_enc_value_(struct vom_wr_ *w, const struct vdl_type *t, const void *v)
{
    int rc;

    if (t->kind < VDL_ARRAY && t->kind != VDL_ANY)
        return enc_simple(w, t, v);
    if (w->depth == 0)
        return V23_ELIMIT;
    w->depth--;
    rc = enc_composite(w, t, v);
    w->depth++;
    return rc;
}

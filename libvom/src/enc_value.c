/* BSD-3-Clause; see LICENSE. */
/*
 * Encoder: values (spec/vom.md 6, 7).
 *
 * Whether a value is zero is known only when it has been written; a struct
 * field that turns out zero is taken back. This visits every part once, where
 * asking first would visit the inner parts again at each level.
 */
#include "enc_int.h"
#include "rep_int.h"

/* Fields between two looks at the room, and elements asked room for. */
#define FIELDS 16
#define FIELD_ROOM (4 + VOM_UINT_MAX_)
#define ELEMS 24

_Static_assert(FIELDS *FIELD_ROOM + 1 <= VOM_WR_ROOM_ &&
                   ELEMS * VOM_UINT_MAX_ <= VOM_WR_ROOM_,
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

/* What stands for -0.0, which is zero: a sign bit is the lowest byte's. */
#define MINUS_ZERO 0x80

static inline bool is_zero(const struct vdl_type *t, uint64_t u)
{
    return u == 0 || (u == MINUS_ZERO &&
                         (t->kind == VDL_FLOAT32 || t->kind == VDL_FLOAT64));
}

static inline bool is_scalar(const struct vdl_type *t)
{
    return t->kind >= VDL_BOOL && t->kind <= VDL_FLOAT64;
}

/* Longest text that is copied in place. */
#define SHORT 32

/* A text for which there is room. */
static inline uint8_t *put_text(uint8_t *p, const void *from, uint32_t n)
{
    p = vom_put_uint_(p, n);
    vom_copy_(p, from, n);
    return p + n;
}

/* Count or length, then the bytes. */
static uint8_t *enc_bytes(struct vom_wr_ *w, uint8_t *p, const void *from,
    uint32_t n)
{
    w->set = n != 0;
    if ((size_t)(w->end - p) >= VOM_UINT_MAX_ + (size_t)n)
        return put_text(p, from, n);
    if (n > VOM_LENGTH_MAX_)
        return vom_wr_fail_(w, V23_ELIMIT);
    p = vom_wr_uint_(w, p, n);
    return p == NULL ? NULL : vom_wr_bytes_(w, p, from, n);
}

/* ---- lists and arrays ---------------------------------------------------- */

#define EACH(T, code)                                                          \
    do {                                                                       \
        const T *x_ = (const T *)v;                                            \
        for (; i < stop; i++)                                                  \
            p = vom_put_uint_(p, code(x_[i]));                                 \
    } while (0)
#define PLAIN(x) (x)

#ifdef __OPTIMIZE_SIZE__
static uint8_t *put_scalars(uint8_t *p, const struct vdl_type *elem,
    const void *v, size_t i, size_t stop)
{
    uint64_t u;

    for (; i < stop; i++) {
        number(elem, (const uint8_t *)v + i * elem->size, &u);
        p = vom_put_uint_(p, u);
    }
    return p;
}
#else
/* Elements i to stop - 1, for which there is room. */
static uint8_t *put_scalars(uint8_t *p, const struct vdl_type *elem,
    const void *v, size_t i, size_t stop)
{
    switch (elem->kind) {
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
    return p;
}
#endif

/* Bools and numbers. */
static uint8_t *enc_scalars(struct vom_wr_ *w, uint8_t *p,
    const struct vdl_type *elem, const void *v, size_t n)
{
    size_t i = 0, stop;

    while (i < n) {
        stop = n - i < ELEMS ? n - i : ELEMS;
        p = vom_wr_room_(w, p, stop * VOM_UINT_MAX_);
        if (p == NULL)
            return NULL;
        stop = (size_t)(w->end - p) / VOM_UINT_MAX_;
        stop = n - i < stop ? n : i + stop;
        p = put_scalars(p, elem, v, i, stop);
        i = stop;
    }
    return p;
}

/* Is an array of bools or numbers not zero? -0.0 is zero. */
static bool any_set(const struct vdl_type *elem, const void *v, size_t n)
{
    const uint8_t *p = v;
    uint64_t u;

    for (; n != 0; n--, p += elem->size)
        if (number(elem, p, &u) && !is_zero(elem, u))
            return true;
    return false;
}

static uint8_t *enc_structs(struct vom_wr_ *w, uint8_t *p,
    const struct vdl_type *t, const void *v, size_t n);

/* Elements of a list or array; w->set: one of them is not zero. */
static uint8_t *enc_elems(struct vom_wr_ *w, uint8_t *p,
    const struct vdl_type *elem, const void *v, size_t n)
{
    const uint8_t *q = v;
    bool set = false;

    if (is_scalar(elem))
        return enc_scalars(w, p, elem, v, n);
    if (elem->kind == VDL_STRUCT) {
        if (w->depth == 0 && n != 0)
            return vom_wr_fail_(w, V23_ELIMIT);
        w->depth--;
        p = enc_structs(w, p, elem, v, n);
        w->depth++;
        return p;
    }
    for (; p != NULL && n != 0; n--, q += elem->size) {
        p = vom_enc_value_(w, p, elem, q);
        set |= w->set;
    }
    w->set = set;
    return p;
}

static uint8_t *enc_strings(struct vom_wr_ *w, uint8_t *p,
    const struct vdl_str *s, size_t n)
{
    for (; p != NULL && n != 0; n--, s++) {
        if (s->n <= SHORT && (size_t)(w->end - p) > SHORT)
            p = put_text(p, s->p, s->n);
        else
            p = enc_bytes(w, p, s->p, s->n);
    }
    return p;
}

/* A list or set; its level is the caller's to count. */
static uint8_t *enc_list(struct vom_wr_ *w, uint8_t *p,
    const struct vdl_type *t, const struct vdl_list *l)
{
    const struct vdl_type *elem = t->kind == VDL_SET ? t->key : t->elem;

    if (t->kind == VDL_LIST && elem->kind == VDL_BYTE)
        return enc_bytes(w, p, l->v, l->n);
    if (l->n > VOM_LENGTH_MAX_)
        return vom_wr_fail_(w, V23_ELIMIT);
    p = vom_wr_uint_(w, p, l->n);
    if (p == NULL)
        return NULL;
    if (elem->kind == VDL_STRING)
        p = enc_strings(w, p, l->v, l->n);
    else
        p = enc_elems(w, p, elem, l->v, l->n);
    w->set = l->n != 0;
    return p;
}

static uint8_t *enc_array(
    struct vom_wr_ *w, uint8_t *p, const struct vdl_type *t, const void *v)
{
    const struct vdl_type *elem = t->elem;

    p = vom_wr_uint_(w, p, 0);
    if (p == NULL)
        return NULL;
    if (elem->kind == VDL_BYTE)
        p = vom_wr_bytes_(w, p, v, t->count);
    else
        p = enc_elems(w, p, elem, v, t->count);
    if (is_scalar(elem))
        w->set = any_set(elem, v, t->count);
    return p;
}

static uint8_t *enc_map(
    struct vom_wr_ *w, uint8_t *p, const struct vdl_type *t, const void *v)
{
    const struct vdl_list *l = v;
    const uint8_t *q = l->v;
    uint32_t n = l->n;

    if (n > VOM_LENGTH_MAX_)
        return vom_wr_fail_(w, V23_ELIMIT);
    p = vom_wr_uint_(w, p, n);
    for (; p != NULL && n != 0; n--, q += t->stride) {
        p = vom_enc_value_(w, p, t->key, q);
        if (p != NULL)
            p = vom_enc_value_(w, p, t->elem, q + t->val_off);
    }
    w->set = l->n != 0;
    return p;
}

/* ---- struct and union ---------------------------------------------------- */

/* Larger values are not looked through. */
#define SMALL 64

static bool all_zero(const uint8_t *p, size_t n)
{
    uint64_t first;

    if (n > SMALL)
        return false;
    if (n < sizeof(first))
        return n != 0 && p[0] == 0 && memcmp(p, p + 1, n - 1) == 0;
    memcpy(&first, p, sizeof(first));
    return first == 0 && memcmp(p, p + sizeof(first), n - sizeof(first)) == 0;
}

/* Is it certain, without writing it, that the field is zero? */
static inline bool is_absent(const struct vdl_type *t, const void *v)
{
    switch (t->kind) {
    case VDL_ARRAY:
    case VDL_STRUCT:
    case VDL_UNION:
        return all_zero(v, t->size);
    case VDL_LIST:
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

/* A field that is more than a number, left out if it is zero. */
static uint8_t *enc_field(struct vom_wr_ *w, uint8_t *p, uint32_t index,
    const struct vdl_type *t, const void *v)
{
    size_t pos = vom_wr_pos_(w, p), nids = w->e == NULL ? 0 : w->e->ids.n;

    p = vom_put_uint_(p, index);
    if (t->kind == VDL_STRUCT && w->depth != 0) {
        w->depth--;
        p = enc_structs(w, p, t, v, 1);
        w->depth++;
    } else {
        p = vom_enc_value_(w, p, t, v);
    }
    if (p == NULL || w->set)
        return p;
    if (w->e != NULL)
        w->e->ids.n = nids;
    return vom_wr_rewind_(w, pos);
}

/* Room for a group of fields, the END and whatever else a field asks for. */
#define GROUP_ROOM (FIELDS * FIELD_ROOM + 1)

/* A list that is a field: neither bytes nor empty. */
static uint8_t *enc_field_list(struct vom_wr_ *w, uint8_t *p, uint8_t index,
    const struct vdl_type *t, const struct vdl_list *l)
{
    if (w->depth == 0)
        return vom_wr_fail_(w, V23_ELIMIT);
    w->depth--;
    *p = index;
    p = enc_list(w, p + 1, t, l);
    w->depth++;
    return p;
}

/* A field from 16 on: may need room, and two bytes and more for its index. */
static uint8_t *enc_far_field(struct vom_wr_ *w, uint8_t *p,
    const struct vdl_type *t, uint32_t i, const void *v)
{
    const struct vdl_field *f = &t->fields[i];
    const void *fv = (const uint8_t *)v + f->offset;

    w->set = false;
    if (is_absent(f->type, fv))
        return p;
    p = vom_wr_room_(w, p, FIELD_ROOM);
    return p == NULL ? NULL : enc_field(w, p, i, f->type, fv);
}

/* All of them, and room for the END. */
static uint8_t *enc_far_fields(struct vom_wr_ *w, uint8_t *p,
    const struct vdl_type *t, const void *v)
{
    bool set = false;
    uint32_t i;

    for (i = FIELDS; p != NULL && i < t->count; i++) {
        p = enc_far_field(w, p, t, i, v);
        set |= w->set;
    }
    w->set = set;
    return p == NULL ? NULL : vom_wr_room_(w, p, 1);
}

/*
 * n structs, one behind the other; w->set: one of them is not zero. One switch
 * decides everything: this is where encoding spends its time.
 */
static uint8_t *enc_structs(struct vom_wr_ *w, uint8_t *p,
    const struct vdl_type *t, const void *v, size_t n)
{
    const struct vdl_field *const fields = t->fields;
    const struct vdl_field *const end = t->count == 0 ? fields
        : fields + (t->count < FIELDS ? t->count : FIELDS);
    const struct vdl_field *f;
    const struct vdl_type *ft;
    const struct vdl_str *text;
    const uint8_t *start;
    bool set = false;
    const void *fv;
    uint64_t u;

    for (; n != 0; n--, v = (const uint8_t *)v + t->size) {
        p = vom_wr_room_(w, p, (size_t)(end - fields) * FIELD_ROOM + 1);
        if (p == NULL)
            return NULL;
        start = p;
        for (f = fields; f != end; f++) {
            ft = f->type;
            fv = (const uint8_t *)v + f->offset;
            if (number(ft, fv, &u)) {
                if (is_zero(ft, u))
                    continue;
                *p = (uint8_t)(f - fields);
                p = vom_put_uint_(p + 1, u);
                continue;
            }
            if (ft->kind == VDL_STRING
                || (ft->kind == VDL_LIST && ft->elem->kind == VDL_BYTE)) {
                text = fv;
                if (text->n == 0)
                    continue;
                *p++ = (uint8_t)(f - fields);
                if (text->n <= SHORT
                    && (size_t)(w->end - p) >= GROUP_ROOM + SHORT) {
                    p = put_text(p, text->p, text->n);
                    continue;
                }
                p = enc_bytes(w, p, text->p, text->n);
            } else if (is_absent(ft, fv)) {
                continue;
            } else if (ft->kind == VDL_LIST) {
                p = enc_field_list(w, p, (uint8_t)(f - fields), ft, fv);
            } else {
                set |= p != start;
                p = enc_field(w, p, (uint32_t)(f - fields), ft, fv);
            }
            if (p != NULL)
                p = vom_wr_room_(w, p, (size_t)(end - f) * FIELD_ROOM + 1);
            if (p == NULL)
                return NULL;
            set |= w->set;
            start = p;
        }
        set |= p != start;
        if (t->count > FIELDS) {
            p = enc_far_fields(w, p, t, v);
            if (p == NULL)
                return NULL;
            set |= w->set;
        }
        *p++ = VOM_END_;
    }
    w->set = set;
    return p;
}

static uint8_t *enc_union(
    struct vom_wr_ *w, uint8_t *p, const struct vdl_type *t, const void *v)
{
    uint32_t which = selector(v, t->count > 256);
    const struct vdl_field *f = t->fields + which;

    if (which >= t->count)
        return vom_wr_fail_(w, V23_EARG);
    p = vom_wr_uint_(w, p, which);
    if (p != NULL)
        p = vom_enc_value_(w, p, f->type, (const uint8_t *)v + f->offset);
    w->set |= which != 0;
    return p;
}

static uint8_t *enc_optional(
    struct vom_wr_ *w, uint8_t *p, const struct vdl_type *t, const void *v)
{
    const void *content = *(const void *const *)v;

    if (content != NULL)
        p = vom_enc_value_(w, p, t->elem, content);
    else
        p = vom_wr_nil_(w, p);
    w->set = content != NULL;
    return p;
}

/* ---- any value ----------------------------------------------------------- */

static uint8_t *enc_composite(
    struct vom_wr_ *w, uint8_t *p, const struct vdl_type *t, const void *v)
{
    switch (t->kind) {
    case VDL_ARRAY:
        return enc_array(w, p, t, v);
    case VDL_LIST:
    case VDL_SET:
        return enc_list(w, p, t, v);
    case VDL_MAP:
        return enc_map(w, p, t, v);
    case VDL_STRUCT:
        return enc_structs(w, p, t, v, 1);
    case VDL_UNION:
        return enc_union(w, p, t, v);
    case VDL_ANY:
        if (w->typed != NULL)
            return w->typed(w, p, t, v);
        return vom_wr_fail_(w, V23_EARG);
    case VDL_SPECIAL:
        return t->ops->enc(w, p, t, v);
    default:
        return vom_wr_fail_(w, V23_EARG);
    }
}

/* Values that hold no others, but for optional. */
static uint8_t *enc_simple(
    struct vom_wr_ *w, uint8_t *p, const struct vdl_type *t, const void *v)
{
    const struct vdl_str *s = v;
    uint64_t u;

    if (number(t, v, &u)) {
        w->set = !is_zero(t, u);
        return vom_wr_uint_(w, p, u);
    }
    switch (t->kind) {
    case VDL_STRING:
        return enc_bytes(w, p, s->p, s->n);
    case VDL_OPTIONAL:
        return enc_optional(w, p, t, v);
    case VDL_TYPEOBJECT:
        if (w->typed != NULL)
            return w->typed(w, p, t, v);
        return vom_wr_fail_(w, V23_EARG);
    default:
        /* an enum without such a label */
        return vom_wr_fail_(w, V23_EARG);
    }
}

uint8_t *vom_enc_value_(
    struct vom_wr_ *w, uint8_t *p, const struct vdl_type *t, const void *v)
{
    if (t->kind < VDL_ARRAY && t->kind != VDL_ANY)
        return enc_simple(w, p, t, v);
    if (w->depth == 0)
        return vom_wr_fail_(w, V23_ELIMIT);
    w->depth--;
    p = enc_composite(w, p, t, v);
    w->depth++;
    return p;
}

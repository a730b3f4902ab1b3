/* BSD-3-Clause; see LICENSE. */
/*
 * Decoder: values whose target type is the wire type (spec/vom.md 6, 7).
 *
 * This is the common case, so the loops over struct fields and list elements
 * keep the read position in locals and handle scalars in place.
 */
#include "dec_int.h"

#include <float.h>

/* Infinities and NaN fit. */
static inline bool fits_float(double d)
{
    return !((d > (double)FLT_MAX || d < -(double)FLT_MAX) && d - d == 0);
}

static const uint8_t *fail(struct vom_rd_ *r, int err)
{
    r->err = err;
    return NULL;
}

/* No bool or number could be read at p. */
static const uint8_t *malformed(struct vom_rd_ *r, const uint8_t *p,
    unsigned kind)
{
    return fail(r, kind == VDL_BOOL && p != r->end
            ? V23_EINT
            : vom_get_uint_why_(p, r->end));
}

#define NOT_PLAIN 1

/*
 * Store a bool, number or enum that was read as u, with that first byte.
 * Returns 0; V23_EINT or V23_EINDEX: out of range; NOT_PLAIN.
 */
VOM_INLINE_ int store(const struct vdl_type *t, uint8_t first, uint64_t u,
    void *out)
{
    double d;

    switch (t->kind) {
    case VDL_BOOL:
        *(bool *)out = u != 0;
        return first > 1 ? V23_EINT : 0;
    case VDL_BYTE:
        *(uint8_t *)out = (uint8_t)u;
        return u > UINT8_MAX ? V23_EINT : 0;
    case VDL_UINT16:
        *(uint16_t *)out = (uint16_t)u;
        return u > UINT16_MAX ? V23_EINT : 0;
    case VDL_UINT32:
        *(uint32_t *)out = (uint32_t)u;
        return u > UINT32_MAX ? V23_EINT : 0;
    case VDL_UINT64:
        *(uint64_t *)out = u;
        return 0;
    case VDL_INT8:
        *(int8_t *)out = (int8_t)vom_unzigzag_(u);
        return u > UINT8_MAX ? V23_EINT : 0;
    case VDL_INT16:
        *(int16_t *)out = (int16_t)vom_unzigzag_(u);
        return u > UINT16_MAX ? V23_EINT : 0;
    case VDL_INT32:
        *(int32_t *)out = (int32_t)vom_unzigzag_(u);
        return u > UINT32_MAX ? V23_EINT : 0;
    case VDL_INT64:
        *(int64_t *)out = vom_unzigzag_(u);
        return 0;
    case VDL_FLOAT32:
        d = vom_bits_float_(u);
        if (!fits_float(d))
            return V23_EINT;
        *(float *)out = (float)d;
        return 0;
    case VDL_FLOAT64:
        *(double *)out = vom_bits_float_(u);
        return 0;
    case VDL_ENUM:
        if (u >= t->count)
            return V23_EINDEX;
        vom_set_selector_(out, t->size == 2, (uint32_t)u);
        return 0;
    default:
        return NOT_PLAIN;
    }
}

static inline bool is_plain(unsigned kind)
{
    return vom_is_scalar_(kind) || kind == VDL_ENUM;
}

/* Check a count of things of at least `min` bytes each that follow at p. */
static inline const uint8_t *checked(struct vom_rd_ *r, const uint8_t *p,
    uint64_t n, size_t min)
{
    size_t left = (size_t)(r->end - p);

    if (n > left || n > VOM_LENGTH_MAX_ || (min > 1 && n > left / min))
        return fail(r, V23_ELENGTH);
    return p;
}

/* A count of such things. */
static const uint8_t *get_count(struct vom_rd_ *r, const uint8_t *p,
    size_t min, uint32_t *n)
{
    struct vom_got_ g = vom_get_uint_(p, r->end);

    if (g.p == NULL)
        return fail(r, vom_get_uint_why_(p, r->end));
    *n = (uint32_t)g.v;
    return checked(r, g.p, g.v, min);
}

/* Memory for n things; NULL when out. Most come from the arena's block. */
static inline void *take(
    struct vom_rd_ *r, uint32_t n, size_t size, size_t align)
{
    struct v23_arena *a = r->a;
    size_t pad = (size_t)(0 - (uintptr_t)a->p) & (align - 1);
    size_t room = (size_t)(a->end - a->p);
    uint64_t total = (uint64_t)n * size;
    uint8_t *p = a->p;
    void *v = NULL;

    if (room > a->limit - a->used)
        room = a->limit - a->used;
    if (room >= pad && total <= room - pad) {
        a->p += pad + (size_t)total;
        a->used += pad + (size_t)total;
        return p + pad;
    }
    r->err = vom_rd_get_(r, n, size, align, false, &v);
    return v;
}

/* ---- strings, bytes ------------------------------------------------------ */

/* Texts up to this length are copied in place. */
#define SHORT 32

/* A text of n bytes. A NUL follows it in memory. */
static const uint8_t *get_long(struct vom_rd_ *r, const uint8_t *p,
    uint64_t n, struct vdl_str *out)
{
    char *v = NULL;

    if (checked(r, p, n, 1) == NULL)
        return NULL;
    if (n != 0) {
        v = take(r, (uint32_t)n + 1, 1, 1);
        if (v == NULL)
            return NULL;
        memcpy(v, p, (size_t)n);
        v[n] = 0;
    }
    out->p = v;
    out->n = (uint32_t)n;
    return p + n;
}

/* The same; short texts and plenty of room take no call. */
VOM_INLINE_ const uint8_t *get_text(struct vom_rd_ *r, const uint8_t *p,
    uint64_t n, struct vdl_str *out)
{
    struct v23_arena *a = r->a;
    uint8_t *v = a->p;

    if (n - 1 >= SHORT || n > (size_t)(r->end - p)
        || (size_t)(a->end - v) <= SHORT || a->limit - a->used <= SHORT)
        return get_long(r, p, n, out);
    vom_copy_(v, p, (size_t)n);
    v[n] = 0;
    a->p = v + n + 1;
    a->used += (size_t)n + 1;
    out->p = (const char *)v;
    out->n = (uint32_t)n;
    return p + n;
}

static const uint8_t *get_string(struct vom_rd_ *r, const uint8_t *p,
    struct vdl_str *out)
{
    struct vom_got_ g = vom_get_uint_(p, r->end);

    if (g.p == NULL)
        return fail(r, vom_get_uint_why_(p, r->end));
    return get_text(r, g.p, g.v, out);
}

static const uint8_t *get_bytes(struct vom_rd_ *r, const uint8_t *p,
    uint64_t n, struct vdl_list *out)
{
    void *v = NULL;

    if (checked(r, p, n, 1) == NULL)
        return NULL;
    if (n != 0) {
        v = take(r, (uint32_t)n, 1, 1);
        if (v == NULL)
            return NULL;
        vom_copy_(v, p, (size_t)n);
    }
    out->v = v;
    out->n = (uint32_t)n;
    return p + n;
}

/* ---- lists, arrays, sets, maps ------------------------------------------- */

#ifdef __OPTIMIZE_SIZE__
static const uint8_t *get_scalars(struct vom_rd_ *r, const uint8_t *p,
    const struct vdl_type *elem, void *out, size_t n)
{
    uint8_t *v = out;

    for (; p != NULL && n != 0; n--, v += elem->size)
        p = vom_dec_value_(r, p, elem, v);
    return p;
}
#else
#define EACH(T, ok, value)                                                     \
    do {                                                                       \
        for (i = 0; i < n; i++) {                                              \
            g = vom_get_uint_(p, end);                                         \
            if (g.p == NULL)                                                   \
                return malformed(r, p, elem->kind);                            \
            if (!(ok))                                                         \
                return fail(r, V23_EINT);                                      \
            ((T *)out)[i] = (T)(value);                                        \
            p = g.p;                                                           \
        }                                                                      \
    } while (0)

static const uint8_t *get_scalars(struct vom_rd_ *r, const uint8_t *p,
    const struct vdl_type *elem, void *out, size_t n)
{
    const uint8_t *end = r->end;
    struct vom_got_ g;
    double d;
    size_t i;

    switch (elem->kind) {
    case VDL_BOOL:
        EACH(bool, *p <= 1, g.v != 0);
        break;
    case VDL_UINT16:
        EACH(uint16_t, g.v <= UINT16_MAX, g.v);
        break;
    case VDL_UINT32:
        EACH(uint32_t, g.v <= UINT32_MAX, g.v);
        break;
    case VDL_UINT64:
        EACH(uint64_t, true, g.v);
        break;
    case VDL_INT8:
        EACH(int8_t, g.v <= UINT8_MAX, vom_unzigzag_(g.v));
        break;
    case VDL_INT16:
        EACH(int16_t, g.v <= UINT16_MAX, vom_unzigzag_(g.v));
        break;
    case VDL_INT32:
        EACH(int32_t, g.v <= UINT32_MAX, vom_unzigzag_(g.v));
        break;
    case VDL_INT64:
        EACH(int64_t, true, vom_unzigzag_(g.v));
        break;
    case VDL_FLOAT32:
        EACH(float, fits_float(d = vom_bits_float_(g.v)), d);
        break;
    case VDL_FLOAT64:
        EACH(double, true, vom_bits_float_(g.v));
        break;
    default: /* byte as a set's key */
        EACH(uint8_t, g.v <= UINT8_MAX, g.v);
        break;
    }
    return p;
}
#endif

static const uint8_t *get_structs(struct vom_rd_ *r, const uint8_t *p,
    const struct vdl_type *t, void *out, size_t n);

/* n elements into zeroed memory, unless they are bools or numbers. */
static const uint8_t *get_elems(struct vom_rd_ *r, const uint8_t *p,
    const struct vdl_type *elem, void *out, size_t n)
{
    uint8_t *v = out;

    if (vom_is_scalar_(elem->kind))
        return get_scalars(r, p, elem, out, n);
    if (elem->kind == VDL_STRING) {
        for (; p != NULL && n != 0; n--, v += sizeof(struct vdl_str))
            p = get_string(r, p, (struct vdl_str *)(void *)v);
        return p;
    }
    if (elem->kind != VDL_STRUCT) {
        for (; p != NULL && n != 0; n--, v += elem->size)
            p = vom_dec_value_(r, p, elem, v);
        return p;
    }
    if (n != 0 && r->depth == 0)
        return fail(r, V23_ELIMIT);
    r->depth--;
    p = get_structs(r, p, elem, v, n);
    r->depth++;
    return p;
}

static const uint8_t *get_array(
    struct vom_rd_ *r, const uint8_t *p, const struct vdl_type *t, void *out)
{
    if (p == r->end)
        return fail(r, V23_EEOF);
    if (*p++ != 0)
        return fail(r, V23_ELENGTH);
    if (t->elem->kind != VDL_BYTE)
        return get_elems(r, p, t->elem, out, t->count);
    if ((size_t)(r->end - p) < t->count)
        return fail(r, V23_EEOF);
    memcpy(out, p, t->count);
    return p + t->count;
}

/* Drop repeated keys of what was read before p. */
static const uint8_t *unique(struct vom_rd_ *r, const uint8_t *p,
    const struct vdl_type *t, struct vdl_list *l, void *v)
{
    if (l->n > 1)
        r->err = vom_dec_unique_(r, t, l, v);
    return l->n > 1 && r->err != 0 ? NULL : p;
}

/* A list or set of n elements. */
static const uint8_t *get_list(struct vom_rd_ *r, const uint8_t *p,
    uint64_t n, const struct vdl_type *t, struct vdl_list *out)
{
    const struct vdl_type *elem = t->kind == VDL_SET ? t->key : t->elem;
    void *v = NULL;

    if (t->kind == VDL_LIST && elem->kind == VDL_BYTE)
        return get_bytes(r, p, n, out);
    if (checked(r, p, n, vom_rd_min_(r, elem)) == NULL)
        return NULL;
    if (n != 0) {
        v = take(r, (uint32_t)n, elem->size, elem->align);
        if (v == NULL)
            return NULL;
        if (!vom_is_scalar_(elem->kind))
            memset(v, 0, (size_t)n * elem->size);
        p = get_elems(r, p, elem, v, (size_t)n);
        if (p == NULL)
            return NULL;
    }
    out->v = v;
    out->n = (uint32_t)n;
    return t->kind == VDL_SET ? unique(r, p, t, out, v) : p;
}

static const uint8_t *get_map(struct vom_rd_ *r, const uint8_t *p,
    const struct vdl_type *t, struct vdl_list *out)
{
    size_t align =
        t->key->align > t->elem->align ? t->key->align : t->elem->align;
    void *v = NULL;
    uint8_t *entry;
    uint32_t n, i;

    p = get_count(r, p, vom_rd_min_entry_(r, t), &n);
    if (p == NULL)
        return NULL;
    if (n != 0) {
        v = take(r, n, t->stride, align);
        if (v == NULL)
            return NULL;
        memset(v, 0, (size_t)n * t->stride);
    }
    for (i = 0, entry = v; i < n; i++, entry += t->stride) {
        p = vom_dec_value_(r, p, t->key, entry);
        if (p != NULL)
            p = vom_dec_value_(r, p, t->elem, entry + t->val_off);
        if (p == NULL)
            return NULL;
    }
    out->v = v;
    out->n = n;
    return unique(r, p, t, out, v);
}

/* ---- struct, union, optional --------------------------------------------- */

/* The index of a field; its first byte is no END and not below 0x80. */
static const uint8_t *get_far_index(
    struct vom_rd_ *r, const uint8_t *p, uint32_t *index)
{
    struct vom_got_ g = vom_get_uint_(p, r->end);

    if (g.p == NULL)
        return fail(r, vom_get_uint_why_(p, r->end));
    *index = g.v > UINT32_MAX ? UINT32_MAX : (uint32_t)g.v;
    return g.p;
}

/* A field of a struct that get_structs() does not read itself. */
static const uint8_t *get_field(struct vom_rd_ *r, const uint8_t *p,
    const struct vom_got_ *g, const struct vdl_type *t, void *v)
{
    if (t->kind != VDL_LIST || g->p == NULL)
        return vom_dec_value_(r, p, t, v);
    if (r->depth == 0)
        return fail(r, V23_ELIMIT);
    r->depth--;
    p = get_list(r, g->p, g->v, t, v);
    r->depth++;
    return p;
}

/*
 * n structs into zeroed memory, one behind the other. Most fields begin with a
 * number, which is read before it matters what it stands for.
 */
static const uint8_t *get_structs(struct vom_rd_ *r, const uint8_t *p,
    const struct vdl_type *t, void *out, size_t n)
{
    const uint8_t *const end = r->end;
    uint32_t index, fresh = 0; /* fields from `fresh` on are still zero */
    const struct vdl_field *f;
    struct vom_got_ g;
    void *v;
    int rc;

    while (n != 0) {
        if (p != end && *p < 0x80) {
            index = *p++;
        } else if (p != end && *p == VOM_END_) {
            p++;
            n--;
            out = (uint8_t *)out + t->size;
            fresh = 0;
            continue;
        } else {
            p = get_far_index(r, p, &index);
            if (p == NULL)
                return NULL;
        }
        if (index >= t->count)
            return fail(r, V23_EINDEX);
        f = t->fields + index;
        v = (uint8_t *)out + f->offset;
        if (index >= fresh) {
            fresh = index + 1;
        } else if (!is_plain(f->type->kind)) {
            r->err = vom_rd_clear_(r, f->type, v);
            if (r->err != 0)
                return NULL;
        }
        g = vom_get_uint_(p, end);
        rc = g.p == NULL ? NOT_PLAIN : store(f->type, *p, g.v, v);
        if (rc == 0) {
            p = g.p;
            continue;
        }
        if (rc != NOT_PLAIN)
            return fail(r, rc);
        if (f->type->kind == VDL_STRING && g.p != NULL)
            p = get_text(r, g.p, g.v, v);
        else
            p = get_field(r, p, &g, f->type, v);
        if (p == NULL)
            return NULL;
    }
    return p;
}

static const uint8_t *get_union(
    struct vom_rd_ *r, const uint8_t *p, const struct vdl_type *t, void *out)
{
    struct vom_got_ g = vom_get_uint_(p, r->end);
    const struct vdl_field *f;

    if (g.p == NULL)
        return fail(r, vom_get_uint_why_(p, r->end));
    if (g.v >= t->count)
        return fail(r, V23_EINDEX);
    vom_set_selector_(out, t->count > 256, (uint32_t)g.v);
    f = t->fields + g.v;
    return vom_dec_value_(r, g.p, f->type, (uint8_t *)out + f->offset);
}

static const uint8_t *get_optional(
    struct vom_rd_ *r, const uint8_t *p, const struct vdl_type *t, void **out)
{
    void *v;

    if (p == r->end)
        return fail(r, V23_EEOF);
    if (*p == VOM_NIL_)
        return p + 1;
    v = take(r, 1, t->elem->size, t->elem->align);
    if (v == NULL)
        return NULL;
    memset(v, 0, t->elem->size);
    p = vom_dec_value_(r, p, t->elem, v);
    if (p != NULL)
        *out = v;
    return p;
}

/* ---- any value ----------------------------------------------------------- */

static const uint8_t *get_counted(struct vom_rd_ *r, const uint8_t *p,
    const struct vdl_type *t, void *out)
{
    struct vom_got_ g = vom_get_uint_(p, r->end);

    if (g.p == NULL)
        return fail(r, vom_get_uint_why_(p, r->end));
    return get_list(r, g.p, g.v, t, out);
}

/* Values that name types. */
static const uint8_t *get_typed(struct vom_rd_ *r, const uint8_t *p,
    const struct vdl_type *t, void *out)
{
    if (r->typed == NULL)
        return fail(r, V23_EARG);
    r->p = p;
    r->err = r->typed(r, t, out);
    return r->err == 0 ? r->p : NULL;
}

static const uint8_t *get_special(
    struct vom_rd_ *r, const uint8_t *p, const struct vdl_type *t, void *out)
{
    r->p = p;
    r->err = t->ops->dec(r, t->wire, t, out);
    return r->err == 0 ? r->p : NULL;
}

static const uint8_t *get_composite(
    struct vom_rd_ *r, const uint8_t *p, const struct vdl_type *t, void *out)
{
    switch (t->kind) {
    case VDL_ANY:
        return get_typed(r, p, t, out);
    case VDL_ARRAY:
        return get_array(r, p, t, out);
    case VDL_LIST:
    case VDL_SET:
        return get_counted(r, p, t, out);
    case VDL_MAP:
        return get_map(r, p, t, out);
    case VDL_STRUCT:
        return get_structs(r, p, t, out, 1);
    case VDL_UNION:
        return get_union(r, p, t, out);
    case VDL_SPECIAL:
        return get_special(r, p, t, out);
    default:
        return fail(r, V23_EARG);
    }
}

static const uint8_t *get_plain(struct vom_rd_ *r, const uint8_t *p,
    const struct vdl_type *t, void *out)
{
    struct vom_got_ g = vom_get_uint_(p, r->end);
    int rc;

    if (g.p == NULL)
        return malformed(r, p, t->kind);
    rc = store(t, *p, g.v, out);
    return rc == 0 ? g.p : fail(r, rc);
}

const uint8_t *vom_dec_value_(
    struct vom_rd_ *r, const uint8_t *p, const struct vdl_type *t, void *out)
{
    if (is_plain(t->kind))
        return get_plain(r, p, t, out);
    switch (t->kind) {
    case VDL_STRING:
        return get_string(r, p, out);
    case VDL_OPTIONAL:
        return get_optional(r, p, t, out);
    case VDL_TYPEOBJECT:
        return get_typed(r, p, t, out);
    default:
        break;
    }
    if (r->depth == 0)
        return fail(r, V23_ELIMIT);
    r->depth--;
    p = get_composite(r, p, t, out);
    r->depth++;
    return p;
}

/* Where reading went on becomes the reader's place. */
static int went_on(struct vom_rd_ *r, const uint8_t *p)
{
    if (p == NULL)
        return r->err;
    r->p = p;
    return 0;
}

int vom_dec_same_(struct vom_rd_ *r, const struct vdl_type *t, void *out)
{
    return went_on(r, vom_dec_value_(r, r->p, t, out));
}

int vom_dec_elems_(
    struct vom_rd_ *r, const struct vdl_type *elem, void *out, size_t n)
{
    return went_on(r, get_elems(r, r->p, elem, out, n));
}

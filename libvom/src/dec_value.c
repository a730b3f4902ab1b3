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

/* Why no bool or number could be read at p. */
static int malformed(const uint8_t *p, const uint8_t *end, unsigned k)
{
    return k == VDL_BOOL && p != end ? V23_EINT : vom_get_uint_why_(p, end);
}

/* Kinds that get_plain() reads. */
static inline bool is_plain(unsigned kind)
{
    return vom_is_scalar_(kind) || kind == VDL_ENUM;
}

/*
 * Read the bool, number or enum at p into `out`. Returns the place behind it,
 * or NULL; then *rc tells why.
 */
VOM_INLINE_ const uint8_t *get_plain(const uint8_t *p, const uint8_t *end,
    const struct vdl_type *t, void *out, int *rc)
{
    struct vom_got_ g = vom_get_uint_(p, end);
    uint64_t u = g.v;
    double d;

    if (g.p == NULL) {
        *rc = malformed(p, end, t->kind);
        return NULL;
    }
    switch (t->kind) {
    case VDL_BOOL:
        if (*p > 1)
            goto range;
        *(bool *)out = u != 0;
        break;
    case VDL_BYTE:
        if (u > UINT8_MAX)
            goto range;
        *(uint8_t *)out = (uint8_t)u;
        break;
    case VDL_UINT16:
        if (u > UINT16_MAX)
            goto range;
        *(uint16_t *)out = (uint16_t)u;
        break;
    case VDL_UINT32:
        if (u > UINT32_MAX)
            goto range;
        *(uint32_t *)out = (uint32_t)u;
        break;
    case VDL_UINT64:
        *(uint64_t *)out = u;
        break;
    case VDL_INT8:
        if (u > UINT8_MAX)
            goto range;
        *(int8_t *)out = (int8_t)vom_unzigzag_(u);
        break;
    case VDL_INT16:
        if (u > UINT16_MAX)
            goto range;
        *(int16_t *)out = (int16_t)vom_unzigzag_(u);
        break;
    case VDL_INT32:
        if (u > UINT32_MAX)
            goto range;
        *(int32_t *)out = (int32_t)vom_unzigzag_(u);
        break;
    case VDL_INT64:
        *(int64_t *)out = vom_unzigzag_(u);
        break;
    case VDL_FLOAT32:
        d = vom_bits_float_(u);
        if (!fits_float(d))
            goto range;
        *(float *)out = (float)d;
        break;
    case VDL_ENUM:
        if (u >= t->count) {
            *rc = V23_EINDEX;
            return NULL;
        }
        vom_set_selector_(out, t->size == 2, (uint32_t)u);
        break;
    default: /* VDL_FLOAT64 */
        *(double *)out = vom_bits_float_(u);
        break;
    }
    return g.p;
range:
    *rc = V23_EINT;
    return NULL;
}

/* ---- strings, bytes ------------------------------------------------------ */

static int dec_string(struct vom_rd_ *r, struct vdl_str *out)
{
    uint32_t n;
    int rc = vom_rd_length_(r, &n);

    if (rc != 0)
        return rc;
    out->p = NULL;
    out->n = n;
    if (n == 0)
        return 0;
    out->p = v23_arena_dup(r->a, r->p, n);
    if (out->p == NULL)
        return n >= r->a->limit - r->a->used ? V23_ELIMIT : V23_ENOMEM;
    r->p += n;
    return 0;
}

static int dec_bytes(struct vom_rd_ *r, struct vdl_list *out)
{
    void *p = NULL;
    uint32_t n;
    int rc = vom_rd_length_(r, &n);

    if (rc == 0 && n != 0)
        rc = vom_rd_get_(r, n, 1, 1, false, &p);
    if (rc != 0)
        return rc;
    if (n != 0)
        memcpy(p, r->p, n);
    r->p += n;
    out->v = p;
    out->n = n;
    return 0;
}

/* ---- lists, arrays, sets, maps ------------------------------------------- */

#define EACH(T, ok, value) \
    do { \
        for (i = 0; i < n; i++) { \
            g = vom_get_uint_(p, end); \
            if (g.p == NULL) \
                return malformed(p, end, kind); \
            if (!(ok)) \
                return V23_EINT; \
            ((T *)out)[i] = (T)(value); \
            p = g.p; \
        } \
    } while (0)

static int dec_scalars(struct vom_rd_ *r, unsigned kind, void *out, size_t n)
{
    const uint8_t *p = r->p, *end = r->end;
    struct vom_got_ g;
    double d;
    size_t i;

    switch (kind) {
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
    r->p = p;
    return 0;
}

int vom_dec_elems_(struct vom_rd_ *r, const struct vdl_type *elem, void *out,
    size_t n)
{
    uint8_t *v = out;
    int rc = 0;

    if (vom_is_scalar_(elem->kind))
        return dec_scalars(r, elem->kind, out, n);
    for (; rc == 0 && n != 0; n--, v += elem->size)
        rc = vom_dec_same_(r, elem, v);
    return rc;
}

static int dec_array(struct vom_rd_ *r, const struct vdl_type *t, void *out)
{
    int rc = vom_rd_array_(r);

    if (rc != 0)
        return rc;
    if (t->elem->kind != VDL_BYTE)
        return vom_dec_elems_(r, t->elem, out, t->count);
    if ((size_t)(r->end - r->p) < t->count)
        return V23_EEOF;
    memcpy(out, r->p, t->count);
    r->p += t->count;
    return 0;
}

static int dec_list(struct vom_rd_ *r, const struct vdl_type *t,
    struct vdl_list *out)
{
    const struct vdl_type *elem = t->kind == VDL_SET ? t->key : t->elem;
    bool scalar = vom_is_scalar_(elem->kind);
    void *v = NULL;
    uint32_t n;
    int rc;

    if (t->kind == VDL_LIST && elem->kind == VDL_BYTE)
        return dec_bytes(r, out);
    rc = vom_rd_count_(r, vom_rd_min_(r, elem), &n);
    if (rc == 0 && n != 0)
        rc = vom_rd_get_(r, n, elem->size, elem->align, !scalar, &v);
    if (rc == 0 && n != 0)
        rc = vom_dec_elems_(r, elem, v, n);
    if (rc != 0)
        return rc;
    out->v = v;
    out->n = n;
    return t->kind == VDL_SET && n > 1 ? vom_dec_unique_(r, t, out, v) : 0;
}

static int dec_map(struct vom_rd_ *r, const struct vdl_type *t,
    struct vdl_list *out)
{
    void *v = NULL;
    uint8_t *p;
    uint32_t n, i;
    int rc;

    rc = vom_rd_count_(r, vom_rd_min_entry_(r, t), &n);
    if (rc == 0 && n != 0)
        rc = vom_rd_get_(r, n, t->stride,
            t->key->align > t->elem->align ? t->key->align : t->elem->align,
            true, &v);
    for (i = 0, p = v; rc == 0 && i < n; i++, p += t->stride) {
        rc = vom_dec_same_(r, t->key, p);
        if (rc == 0)
            rc = vom_dec_same_(r, t->elem, p + t->val_off);
    }
    if (rc != 0)
        return rc;
    out->v = v;
    out->n = n;
    return n > 1 ? vom_dec_unique_(r, t, out, v) : 0;
}

/* ---- struct, union, optional --------------------------------------------- */

static int dec_struct(struct vom_rd_ *r, const struct vdl_type *t, void *out)
{
    const uint8_t *p = r->p, *end = r->end, *next;
    uint32_t index, fresh = 0; /* fields from `fresh` on are still zero */
    const struct vdl_field *f;
    struct vom_got_ g;
    void *v;
    int rc = 0;

    for (;;) {
        if (p != end && *p < 0x80) {
            index = *p++;
        } else if (p != end && *p == VOM_END_) {
            r->p = p + 1;
            return 0;
        } else {
            g = vom_get_uint_(p, end);
            if (g.p == NULL)
                return vom_get_uint_why_(p, end);
            p = g.p;
            index = g.v > UINT32_MAX ? UINT32_MAX : (uint32_t)g.v;
        }
        if (index >= t->count)
            return V23_EINDEX;
        f = t->fields + index;
        v = (uint8_t *)out + f->offset;
        if (is_plain(f->type->kind)) {
            next = get_plain(p, end, f->type, v, &rc);
            if (next == NULL)
                return rc;
            p = next;
            if (index >= fresh)
                fresh = index + 1;
            continue;
        }
        r->p = p;
        if (index >= fresh)
            fresh = index + 1;
        else
            rc = vom_rd_clear_(r, f->type, v);
        if (rc == 0)
            rc = f->type->kind == VDL_STRING ? dec_string(r, v)
                                             : vom_dec_same_(r, f->type, v);
        if (rc != 0)
            return rc;
        p = r->p;
    }
}

static int dec_union(struct vom_rd_ *r, const struct vdl_type *t, void *out)
{
    const struct vdl_field *f;
    uint32_t which;
    int rc = vom_rd_index_(r, t->count, &which);

    if (rc != 0)
        return rc;
    vom_set_selector_(out, t->count > 256, which);
    f = t->fields + which;
    return vom_dec_same_(r, f->type, (uint8_t *)out + f->offset);
}

static int dec_optional(struct vom_rd_ *r, const struct vdl_type *t,
    void **out)
{
    bool nil;
    void *v;
    int rc = vom_rd_nil_(r, &nil);

    if (rc != 0 || nil)
        return rc;
    rc = vom_rd_get_(r, 1, t->elem->size, t->elem->align, true, &v);
    if (rc == 0)
        rc = vom_dec_same_(r, t->elem, v);
    if (rc == 0)
        *out = v;
    return rc;
}

/* ---- any, typeobject ----------------------------------------------------- */

int vom_dec_any_(struct vom_rd_ *r, struct vdl_any *out)
{
    const struct vdl_type *t;
    const uint8_t *start;
    uint32_t len;
    bool nil;
    int rc = vom_rd_nil_(r, &nil);

    if (rc != 0 || nil)
        return rc;
    rc = vom_rd_any_(r, &t, &len);
    if (rc != 0)
        return rc;
    start = r->p;
    rc = t->kind == VDL_ANY ? vom_dec_same_(r, t, out)
                            : vom_dec_to_any_(r, t, out);
    return rc != 0 ? rc : vom_rd_any_end_(r, start, len);
}

static int dec_typeobject(struct vom_rd_ *r, const struct vdl_type **out)
{
    const struct vdl_type *t;
    int rc = vom_rd_type_(r, &t);

    if (rc == 0)
        rc = vom_rd_hold_(r);
    if (rc == 0)
        *out = t;
    return rc;
}

/* ---- any value ----------------------------------------------------------- */

static int dec_composite(struct vom_rd_ *r, const struct vdl_type *t,
    void *out)
{
    switch (t->kind) {
    case VDL_ANY:
        return vom_dec_any_(r, out);
    case VDL_ARRAY:
        return dec_array(r, t, out);
    case VDL_LIST:
    case VDL_SET:
        return dec_list(r, t, out);
    case VDL_MAP:
        return dec_map(r, t, out);
    case VDL_STRUCT:
        return dec_struct(r, t, out);
    case VDL_UNION:
        return dec_union(r, t, out);
    default:
        return V23_EARG;
    }
}

int vom_dec_same_(struct vom_rd_ *r, const struct vdl_type *t, void *out)
{
    const uint8_t *next;
    int rc = 0;

    if (is_plain(t->kind)) {
        next = get_plain(r->p, r->end, t, out, &rc);
        if (next != NULL)
            r->p = next;
        return rc;
    }
    switch (t->kind) {
    case VDL_STRING:
        return dec_string(r, out);
    case VDL_OPTIONAL:
        return dec_optional(r, t, out);
    case VDL_TYPEOBJECT:
        return dec_typeobject(r, out);
    default:
        break;
    }
    rc = vom_rd_enter_(r);
    if (rc != 0)
        return rc;
    rc = dec_composite(r, t, out);
    r->depth++;
    return rc;
}

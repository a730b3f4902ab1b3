/* BSD-3-Clause; see LICENSE. */
/*
 * Values as JSON, in the form of the reference tool. Recursion follows the
 * nesting of values and stops at VDL_VALUE_DEPTH.
 */
#include "print_int.h"

static int put(struct v23_buf *out, const struct vdl_type *t, const void *v,
    unsigned depth);

static int put_elems(struct v23_buf *out, const struct vdl_type *elem,
    uint32_t n, const void *v, unsigned depth)
{
    uint32_t i;
    int rc = 0;

    v23_buf_put_byte(out, '[');
    for (i = 0; i < n && rc == 0; i++) {
        if (i != 0)
            v23_buf_put_byte(out, ',');
        rc = put(out, elem, vdl_at_(v, (size_t)i * elem->size), depth);
    }
    v23_buf_put_byte(out, ']');
    return rc;
}

/* A key of an object: what is not in quotes yet gets some. */
static int put_key(struct v23_buf *out, const struct vdl_type *t,
    const void *v, unsigned depth)
{
    size_t start = out->n;
    const uint8_t *key;
    int rc;

    v23_buf_put_byte(out, '"');
    rc = put(out, t, v, depth);
    if (rc != 0 || out->err != 0)
        return rc;
    key = out->p + start + 1;
    if (out->n - start >= 3 && *key == '"' && out->p[out->n - 1] == '"') {
        memmove(out->p + start, key, out->n - start - 1);
        out->n--;
    } else {
        v23_buf_put_byte(out, '"');
    }
    v23_buf_puts(out, ": ");
    return 0;
}

static int put_entries(struct v23_buf *out, const struct vdl_type *t,
    const struct vdl_list *l, unsigned depth)
{
    bool map = t->kind == VDL_MAP;
    uint32_t *order, i;
    const void *entry;
    int rc = vdl_key_order_(out->al, t, l, &order);

    v23_buf_put_byte(out, map ? '{' : '[');
    for (i = 0; i < l->n && rc == 0; i++) {
        entry = vdl_at_(l->v, (size_t)order[i] * t->stride);
        if (i != 0)
            v23_buf_put_byte(out, ',');
        if (!map) {
            rc = put(out, t->key, entry, depth);
            continue;
        }
        rc = put_key(out, t->key, entry, depth);
        if (rc == 0)
            rc = put(out, t->elem, vdl_at_(entry, t->val_off), depth);
    }
    v23_buf_put_byte(out, map ? '}' : ']');
    v23_put(out->al, order);
    return rc;
}

static int put_field(struct v23_buf *out, const struct vdl_field *f,
    const void *v, unsigned depth)
{
    char first = f->name.n == 0 ? 0 : f->name.p[0];

    v23_buf_put_byte(out, '"');
    if (first >= 'A' && first <= 'Z') {
        v23_buf_put_byte(out, (uint8_t)(first - 'A' + 'a'));
        v23_buf_put(out, f->name.p + 1, f->name.n - 1);
    } else {
        v23_buf_put_str(out, f->name);
    }
    v23_buf_puts(out, "\": ");
    return put(out, f->type, vdl_at_(v, f->offset), depth);
}

static int put_struct(struct v23_buf *out, const struct vdl_type *t,
    const void *v, unsigned depth)
{
    uint32_t i;
    int rc = 0;

    v23_buf_put_byte(out, '{');
    for (i = 0; i < t->count && rc == 0; i++) {
        if (i != 0)
            v23_buf_put_byte(out, ',');
        rc = put_field(out, &t->fields[i], v, depth);
    }
    v23_buf_put_byte(out, '}');
    return rc;
}

static int put_union(struct v23_buf *out, const struct vdl_type *t,
    const void *v, unsigned depth)
{
    uint32_t which = vdl_get_which(t, v);
    int rc;

    if (which >= t->count)
        return V23_EARG;
    v23_buf_puts(out, "{ ");
    rc = put_field(out, &t->fields[which], v, depth);
    v23_buf_puts(out, " }");
    return rc;
}

static int put_scalar(struct v23_buf *out, const struct vdl_type *t,
    const void *v)
{
    bool quotes = t->kind == VDL_UINT64 || t->kind == VDL_INT64
        || t->kind == VDL_ENUM;
    int rc;

    if (quotes)
        v23_buf_put_byte(out, '"');
    rc = vdl_print_scalar_(t, v, out);
    if (quotes)
        v23_buf_put_byte(out, '"');
    return rc;
}

static int put(struct v23_buf *out, const struct vdl_type *t, const void *v,
    unsigned depth)
{
    const struct vdl_list *l = v;
    const struct vdl_any *any = v;
    const void *content;

    if (out->err != 0)
        return out->err;
    if (depth++ == VDL_VALUE_DEPTH)
        return V23_ELIMIT;
    switch (t->kind) {
    case VDL_ANY:
        if (any->type != NULL)
            return put(out, any->type, any->val, depth);
        v23_buf_puts(out, "null");
        return 0;
    case VDL_OPTIONAL:
        content = *(const void *const *)v;
        if (content != NULL)
            return put(out, t->elem, content, depth);
        v23_buf_puts(out, "null");
        return 0;
    case VDL_TYPEOBJECT:
        return vdl_print_type(*(const struct vdl_type *const *)v, out);
    case VDL_ARRAY:
        return put_elems(out, t->elem, t->count, v, depth);
    case VDL_LIST:
        return put_elems(out, t->elem, l->n, l->v, depth);
    case VDL_SET:
    case VDL_MAP:
        return put_entries(out, t, l, depth);
    case VDL_STRUCT:
        return put_struct(out, t, v, depth);
    case VDL_UNION:
        return put_union(out, t, v, depth);
    case VDL_SPECIAL:
        return vdl_print_special_(out, t, v, depth, put);
    default:
        return put_scalar(out, t, v);
    }
}

int vdl_print_json(const struct vdl_type *t, const void *v,
    struct v23_buf *out)
{
    size_t start = out->n;
    int rc = put(out, t, v, 0);

    if (rc == 0)
        rc = out->err;
    if (rc != 0)
        out->n = start;
    return rc;
}

int vdl_print_json_any(struct vdl_any any, struct v23_buf *out)
{
    return vdl_print_json(&vdl_any_desc, &any, out);
}

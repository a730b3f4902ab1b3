/* BSD-3-Clause; see LICENSE. */
/* Values as JSON, in the form of the reference tool. */
#include "print_int.h"

/* A key of an object: what is not in quotes yet gets some. */
static int put_key(struct vdl_printer *p, const struct vdl_type *t,
    const void *v)
{
    struct v23_buf *out = p->out;
    size_t start = out->n;
    const uint8_t *key;
    int rc;

    v23_buf_put_byte(out, '"');
    rc = vdl_print_part(p, t, v);
    if (rc != 0 || out->err != 0)
        return rc;
    key = out->p + start + 1;
    if (out->n - start >= 3 && *key == '"' && out->p[out->n - 1] == '"') {
        memmove(out->p + start, key, out->n - start - 1);
        out->n--;
    } else {
        v23_buf_put_byte(out, '"');
    }
    return 0;
}

static void put_name(struct v23_buf *out, struct vdl_str name)
{
    v23_buf_put_byte(out, '"');
    if (name.n != 0) {
        v23_buf_put_byte(out, (uint8_t)v23_lower(name.p[0]));
        v23_buf_put(out, name.p + 1, name.n - 1);
    }
    v23_buf_put_byte(out, '"');
}

static int put_scalar(struct vdl_printer *p, const struct vdl_type *t,
    const void *v)
{
    bool quotes = t->kind == VDL_UINT64 || t->kind == VDL_INT64
        || t->kind == VDL_ENUM;
    int rc;

    if (t->kind == VDL_TYPEOBJECT)
        return vdl_print_type(*(const struct vdl_type *const *)v, p->out);
    if (quotes)
        v23_buf_put_byte(p->out, '"');
    rc = vdl_print_scalar_(p, t, v);
    if (quotes)
        v23_buf_put_byte(p->out, '"');
    return rc;
}

static const struct vdl_form json = {
    .list = { "[", "]" },
    .set = { "[", "]" },
    .map = { "{", "}" },
    .fields = { "{", "}" },
    .field = { "{ ", " }" },
    .comma = ",",
    .colon = ": ",
    .nil = "null",
    .zeros = true,
    .scalar = put_scalar,
    .key = put_key,
    .name = put_name,
    .sort = vdl_sort_by_text_,
};

int vdl_print_json(const struct vdl_type *t, const void *v,
    struct v23_buf *out)
{
    return vdl_print_form(&json, t, v, out);
}

int vdl_print_json_any(struct vdl_any any, struct v23_buf *out)
{
    return vdl_print_json(&vdl_any_desc, &any, out);
}

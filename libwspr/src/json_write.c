/* BSD-3-Clause; see LICENSE. */
/*
 * Values to JSON. Recursion follows the nesting of values and stops at
 * VDL_VALUE_DEPTH.
 */
#include <inttypes.h>
#include <math.h>

#include <v23/verror.h>
#include <vom/print.h>
#include <vom/value.h>
#include <wspr/json.h>

#include "json_int.h"

static int put(struct v23_buf *out, const struct vdl_type *t, const void *v,
    unsigned depth);

/* ---- strings ------------------------------------------------------------- */

static void put_escaped(struct v23_buf *out, char c)
{
    static const char letters[] = "\b\f\n\r\t\"\\", names[] = "bfnrt\"\\";
    const char *at = c == 0 ? NULL : strchr(letters, c);

    if (at == NULL)
        v23_buf_printf(out, "\\u%04x", (unsigned)(unsigned char)c);
    else
        v23_buf_printf(out, "\\%c", names[at - letters]);
}

void wspr_json_quote(struct v23_buf *out, struct vdl_str s)
{
    uint32_t start = 0, i = 0;
    size_t n;

    v23_buf_put_byte(out, '"');
    for (; i < s.n; i += (uint32_t)n) {
        n = v23_utf8_next(s.p + i, s.n - i, NULL);
        if (n > 1 || (n == 1 && (unsigned char)s.p[i] >= 0x20 &&
                         s.p[i] != '"' && s.p[i] != '\\' && s.p[i] != 0x7f))
            continue;
        v23_buf_put(out, s.p + start, i - start);
        if (n == 0)
            v23_buf_puts(out, "\xef\xbf\xbd");
        else
            put_escaped(out, s.p[i]);
        n = 1;
        start = i + 1;
    }
    if (s.n > start)
        v23_buf_put(out, s.p + start, s.n - start);
    v23_buf_put_byte(out, '"');
}

/* The text behind `start`, which is JSON but no string, as a string. */
static int quote_tail(struct v23_buf *out, size_t start)
{
    struct v23_buf text;
    int rc;

    v23_buf_init(&text, out->al, out->max);
    v23_buf_put(&text, out->p + start, out->n - start);
    rc = text.err;
    if (rc == 0) {
        v23_buf_cut(out, start);
        wspr_json_quote(out, vdl_strn((const char *)text.p, text.n));
        rc = out->err;
    }
    v23_buf_fini(&text);
    return rc;
}

/* ---- parts --------------------------------------------------------------- */

static void comma(struct v23_buf *out, uint32_t i)
{
    if (i != 0)
        v23_buf_puts(out, ", ");
}

static int put_elems(struct v23_buf *out, const struct vdl_type *elem,
    struct vdl_list l, unsigned depth)
{
    uint32_t i;
    int rc = 0;

    v23_buf_put_byte(out, '[');
    for (i = 0; i < l.n && rc == 0; i++) {
        comma(out, i);
        rc = put(out, elem, (const char *)l.v + (size_t)i * elem->size, depth);
    }
    v23_buf_put_byte(out, ']');
    return rc;
}

static int put_key(struct v23_buf *out, const struct vdl_type *t,
    const void *v, unsigned depth)
{
    size_t start = out->n;
    int rc = put(out, t, v, depth);

    if (rc == 0 && out->err == 0 && out->p[start] != '"')
        rc = quote_tail(out, start);
    v23_buf_puts(out, ": ");
    return rc;
}

static int put_map(struct v23_buf *out, const struct vdl_type *t,
    const struct vdl_list *l, unsigned depth)
{
    const char *entry;
    uint32_t i;
    int rc = 0;

    v23_buf_put_byte(out, '{');
    for (i = 0; i < l->n && rc == 0; i++) {
        entry = (const char *)l->v + (size_t)i * t->stride;
        comma(out, i);
        rc = put_key(out, t->key, entry, depth);
        if (rc == 0)
            rc = put(out, t->elem, entry + t->val_off, depth);
    }
    v23_buf_put_byte(out, '}');
    return rc;
}

static int put_field(struct v23_buf *out, const struct vdl_field *f,
    const void *v, unsigned depth)
{
    v23_buf_put_byte(out, '"');
    if (f->name.n != 0) {
        v23_buf_put_byte(out, (uint8_t)v23_lower(f->name.p[0]));
        v23_buf_put(out, f->name.p + 1, f->name.n - 1);
    }
    v23_buf_puts(out, "\": ");
    return put(out, f->type, (const char *)v + f->offset, depth);
}

static int put_struct(struct v23_buf *out, const struct vdl_type *t,
    const void *v, unsigned depth)
{
    uint32_t i;
    int rc = 0;

    v23_buf_put_byte(out, '{');
    for (i = 0; i < t->count && rc == 0; i++) {
        comma(out, i);
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
    v23_buf_put_byte(out, '{');
    rc = put_field(out, &t->fields[which], v, depth);
    v23_buf_put_byte(out, '}');
    return rc;
}

/* A field of a struct that holds a string; empty when there is none. */
static struct vdl_str text_field(const struct vdl_type *t, const void *v,
    const char *name)
{
    int i = vdl_type_field_index(t, vdl_str(name));
    struct vdl_str s = {NULL, 0};

    if (i >= 0 && t->fields[i].type->kind == VDL_STRING)
        memcpy(&s, (const char *)v + t->fields[i].offset, sizeof(s));
    return s;
}

static int put_error(struct v23_buf *out, const struct vdl_type *t,
    const void *v)
{
    v23_buf_puts(out, "{\"iD\": ");
    wspr_json_quote(out, wspr_json_error_id(text_field(t, v, "Id")));
    v23_buf_puts(out, ", \"msg\": ");
    wspr_json_quote(out, text_field(t, v, "Msg"));
    v23_buf_put_byte(out, '}');
    return 0;
}

static int put_type(struct v23_buf *out, const struct vdl_type *t)
{
    size_t start = out->n;
    int rc = vdl_type_format(t == NULL ? &vdl_any_desc : t, SIZE_MAX, out);

    return rc == 0 ? quote_tail(out, start) : rc;
}

static int put_enum(struct v23_buf *out, const struct vdl_type *t,
    const void *v)
{
    uint32_t label = vdl_get_enum(t, v);

    if (label >= t->count)
        return V23_EARG;
    wspr_json_quote(out, t->labels[label]);
    return 0;
}

static int put_float(struct v23_buf *out, const struct vdl_type *t,
    const void *v)
{
    if (isfinite(vdl_get_float(t, v)))
        return vdl_print_json(t, v, out);
    v23_buf_puts(out, "null");
    return 0;
}

static int put_pointer(struct v23_buf *out, const struct vdl_type *t,
    const void *v, unsigned depth)
{
    if (t != NULL && v != NULL)
        return put(out, t, v, depth);
    v23_buf_puts(out, "null");
    return 0;
}

/* ---- values -------------------------------------------------------------- */

static int put_composite(struct v23_buf *out, const struct vdl_type *t,
    const void *v, unsigned depth)
{
    const struct vdl_any *any = v;
    struct vdl_list l;

    switch (t->kind) {
    case VDL_ANY:
        return put_pointer(out, any->type, any->val, depth);
    case VDL_OPTIONAL:
        return put_pointer(out, t->elem, *(const void *const *)v, depth);
    case VDL_ARRAY:
        l.v = v;
        l.n = t->count;
        return put_elems(out, t->elem, l, depth);
    case VDL_LIST:
        return put_elems(out, t->elem, *(const struct vdl_list *)v, depth);
    case VDL_SET:
        return put_elems(out, t->key, *(const struct vdl_list *)v, depth);
    case VDL_MAP:
        return put_map(out, t, v, depth);
    case VDL_STRUCT:
        if (wspr_json_is_error_(t))
            return put_error(out, t, v);
        return put_struct(out, t, v, depth);
    case VDL_UNION:
        return put_union(out, t, v, depth);
    default:
        return V23_EARG;
    }
}

static int put(struct v23_buf *out, const struct vdl_type *t, const void *v,
    unsigned depth)
{
    if (out->err != 0)
        return out->err;
    if (depth++ == VDL_VALUE_DEPTH)
        return V23_ELIMIT;
    switch (t->kind) {
    case VDL_BOOL:
        v23_buf_puts(out, *(const bool *)v ? "true" : "false");
        return 0;
    case VDL_BYTE:
    case VDL_UINT16:
    case VDL_UINT32:
    case VDL_UINT64:
        v23_buf_printf(out, "%" PRIu64, vdl_get_uint(t, v));
        return 0;
    case VDL_INT8:
    case VDL_INT16:
    case VDL_INT32:
    case VDL_INT64:
        v23_buf_printf(out, "%" PRId64, vdl_get_int(t, v));
        return 0;
    case VDL_FLOAT32:
    case VDL_FLOAT64:
        return put_float(out, t, v);
    case VDL_STRING:
        wspr_json_quote(out, *(const struct vdl_str *)v);
        return 0;
    case VDL_ENUM:
        return put_enum(out, t, v);
    case VDL_TYPEOBJECT:
        return put_type(out, *(const struct vdl_type *const *)v);
    default:
        return put_composite(out, t, v, depth);
    }
}

int wspr_json_encode(const struct vdl_type *t, const void *v,
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

/* BSD-3-Clause; see LICENSE. */
/* Values to JSON. */
#include <math.h>

#include <v23/verror.h>
#include <vom/print.h>
#include <vom/value.h>
#include <wspr/json.h>

#include "json_int.h"

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

/* A character that stands for itself whatever its neighbours are. */
static bool is_plain(char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

void wspr_json_quote(struct v23_buf *out, struct vdl_str s)
{
    uint32_t start = 0, i = 0;
    size_t n;

    v23_buf_put_byte(out, '"');
    for (; i < s.n; i += (uint32_t)n) {
        n = is_plain(s.p[i]) ? 1 : v23_utf8_next(s.p + i, s.n - i, NULL);
        if (n > 1 || (n == 1 && is_plain(s.p[i])))
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

static int put_key(struct vdl_printer *p, const struct vdl_type *t,
    const void *v)
{
    size_t start = p->out->n;
    int rc = vdl_print_part(p, t, v);

    if (rc == 0 && p->out->err == 0 && p->out->p[start] != '"')
        rc = quote_tail(p->out, start);
    return rc;
}

/* Names of a peer's types need not be identifiers. */
static void put_name(struct v23_buf *out, struct vdl_str name)
{
    size_t start = out->n;

    wspr_json_quote(out, name);
    if (out->err == 0)
        out->p[start + 1] = (uint8_t)v23_lower((char)out->p[start + 1]);
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

static int put_error(struct vdl_printer *p, const struct vdl_type *t,
    const void *v)
{
    struct v23_buf *out = p->out;

    if (!wspr_json_is_error_(t))
        return VDL_PARTS;
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

/* ---- values -------------------------------------------------------------- */

static int put_scalar(struct vdl_printer *p, const struct vdl_type *t,
    const void *v)
{
    struct v23_buf *out = p->out;

    switch (t->kind) {
    case VDL_BOOL:
        v23_buf_puts(out, *(const bool *)v ? "true" : "false");
        return 0;
    case VDL_BYTE:
    case VDL_UINT16:
    case VDL_UINT32:
    case VDL_UINT64:
        v23_buf_put_uint(out, vdl_get_uint(t, v));
        return 0;
    case VDL_FLOAT32:
    case VDL_FLOAT64:
        if (isfinite(vdl_get_float(t, v)))
            return vdl_print_json(t, v, out);
        v23_buf_puts(out, "null");
        return 0;
    case VDL_STRING:
        wspr_json_quote(out, *(const struct vdl_str *)v);
        return 0;
    case VDL_ENUM:
        return put_enum(out, t, v);
    case VDL_TYPEOBJECT:
        return put_type(out, *(const struct vdl_type *const *)v);
    default:
        v23_buf_put_int(out, vdl_get_int(t, v));
        return 0;
    }
}

static const struct vdl_form form_of_2014 = {
    .list = { "[", "]" },
    .set = { "[", "]" },
    .map = { "{", "}" },
    .fields = { "{", "}" },
    .field = { "{", "}" },
    .comma = ", ",
    .colon = ": ",
    .nil = "null",
    .zeros = true,
    .scalar = put_scalar,
    .whole = put_error,
    .key = put_key,
    .name = put_name,
};

int wspr_json_encode(const struct vdl_type *t, const void *v,
    struct v23_buf *out)
{
    return vdl_print_form(&form_of_2014, t, v, out);
}

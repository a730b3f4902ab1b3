/* BSD-3-Clause; see LICENSE. */
/*
 * Values from trees of cJSON. Recursion follows the nesting of the text, which
 * is limited.
 */
#include "json_read_int.h"

#include <stdarg.h>
#include <stdio.h>

#include <vom/value.h>

const struct wspr_json_options wspr_json_options_default =
    WSPR_JSON_OPTIONS_INIT;

enum { SHOWN = 39 };

static int value(struct wspr_json_reader_ *r, const cJSON *j,
    const struct vdl_type *t, void *out, const struct wspr_json_at_ *at);

/* ---- what is wrong ------------------------------------------------------- */

static void put_path(struct v23_buf *out, const struct wspr_json_at_ *at)
{
    if (at->up == NULL)
        return;
    put_path(out, at->up);
    if (at->name == NULL) {
        v23_buf_printf(out, "[%zu]", at->index);
        return;
    }
    if (at->up->up != NULL)
        v23_buf_put_byte(out, '.');
    v23_buf_puts(out, at->name);
}

int wspr_json_fail_(const struct wspr_json_reader_ *r,
    const struct wspr_json_at_ *at, int rc, const char *fmt, ...)
{
    char text[160];
    va_list ap;

    if (r->why == NULL)
        return rc;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (at != NULL && at->up != NULL) {
        put_path(r->why, at);
        v23_buf_puts(r->why, ": ");
    }
    v23_buf_puts(r->why, text);
    return rc;
}

static void type_text(const struct vdl_type *t, char out[80])
{
    if (t->name.n != 0)
        snprintf(out, 80, "%.*s", (int)(t->name.n < 79 ? t->name.n : 79),
            t->name.p);
    else
        snprintf(out, 80, "%s", vdl_kind_name((enum vdl_kind)t->kind));
}

/* A string as it is written, the end of a long one left out. */
static void put_start(struct v23_buf *out, const char *s)
{
    size_t n = strlen(s), all = n;

    if (n > SHOWN)
        for (n = SHOWN; ((uint8_t)s[n] & 0xc0) == 0x80;)
            n--;
    wspr_json_quote(out, vdl_strn(s, n));
    if (n < all && out->err == 0) {
        v23_buf_cut(out, out->n - 1);
        v23_buf_puts(out, "...");
    }
}

int wspr_json_mismatch_(const struct wspr_json_reader_ *r, const cJSON *j,
    const struct vdl_type *t, const struct wspr_json_at_ *at)
{
    char type[80], text[8 * SHOWN];
    struct v23_buf b;

    v23_buf_init_fixed(&b, text, sizeof(text) - 1);
    if (cJSON_IsArray(j) || cJSON_IsObject(j))
        v23_buf_puts(&b, cJSON_IsArray(j) ? "an array" : "an object");
    else if (wspr_json_is_number_(j))
        v23_buf_printf(&b, "%.*s", SHOWN, j->valuestring + 1);
    else if (cJSON_IsString(j))
        put_start(&b, j->valuestring);
    else
        v23_buf_puts(&b, cJSON_IsNull(j) ? "null"
                             : cJSON_IsTrue(j) ? "true" : "false");
    text[b.n] = 0;
    type_text(t, type);
    return wspr_json_fail_(
        r, at, V23_ECONVERT, "%s is not a value of type %s", text, type);
}

static struct wspr_json_at_ in(const struct wspr_json_at_ *up,
    const char *name, size_t index)
{
    struct wspr_json_at_ at;

    at.up = up;
    at.name = name;
    at.index = index;
    return at;
}

/* ---- arrays -------------------------------------------------------------- */

static int elements(struct wspr_json_reader_ *r, const cJSON *j,
    const struct vdl_type *elem, void *out, const struct wspr_json_at_ *up)
{
    struct wspr_json_at_ at;
    const cJSON *e;
    size_t i = 0;
    int rc;

    cJSON_ArrayForEach(e, j) {
        at = in(up, NULL, i);
        rc = value(r, e, elem, (char *)out + i * elem->size, &at);
        if (rc != 0)
            return rc;
        i++;
    }
    return 0;
}

static int list(struct wspr_json_reader_ *r, const cJSON *j,
    const struct vdl_type *t, struct vdl_list *out,
    const struct wspr_json_at_ *at)
{
    const struct vdl_type *elem = t->kind == VDL_SET ? t->key : t->elem;
    void *v = NULL;
    uint32_t n;
    int rc;

    if (!cJSON_IsArray(j))
        return wspr_json_mismatch_(r, j, t, at);
    n = (uint32_t)cJSON_GetArraySize(j);
    if (n > 0) {
        v = v23_arena_get0(r->a, n, elem->size, elem->align);
        if (v == NULL)
            return V23_ENOMEM;
    }
    rc = elements(r, j, elem, v, at);
    if (rc != 0)
        return rc;
    out->v = v;
    out->n = n;
    return t->kind == VDL_SET ? wspr_json_unique_(r, t, out, at) : 0;
}

static int array(struct wspr_json_reader_ *r, const cJSON *j,
    const struct vdl_type *t, void *out, const struct wspr_json_at_ *at)
{
    uint32_t n;

    if (!cJSON_IsArray(j))
        return wspr_json_mismatch_(r, j, t, at);
    n = (uint32_t)cJSON_GetArraySize(j);
    if (n != t->count)
        return wspr_json_fail_(r, at, V23_ECONVERT,
            "%u elements for an array of %u", (unsigned)n,
            (unsigned)t->count);
    return elements(r, j, t->elem, out, at);
}

/* ---- objects ------------------------------------------------------------- */

static int map(struct wspr_json_reader_ *r, const cJSON *j,
    const struct vdl_type *t, struct vdl_list *out,
    const struct wspr_json_at_ *up)
{
    struct wspr_json_at_ at;
    const cJSON *e;
    char *v = NULL, *entry;
    uint32_t n;
    int rc;

    if (!cJSON_IsObject(j))
        return wspr_json_mismatch_(r, j, t, up);
    n = (uint32_t)cJSON_GetArraySize(j);
    if (n > 0) {
        v = v23_arena_get0(r->a, n, t->stride, 16);
        if (v == NULL)
            return V23_ENOMEM;
    }
    entry = v;
    cJSON_ArrayForEach(e, j) {
        at = in(up, e->string, 0);
        rc = wspr_json_key_(r, t->key, entry, &at);
        if (rc == 0)
            rc = value(r, e, t->elem, entry + t->val_off, &at);
        if (rc != 0)
            return rc;
        entry += t->stride;
    }
    out->v = v;
    out->n = n;
    return wspr_json_unique_(r, t, out, up);
}

static bool is_capital_of(struct vdl_str field, struct vdl_str name)
{
    return field.n == name.n && name.n > 0 &&
        field.p[0] ==
        (name.p[0] >= 'a' && name.p[0] <= 'z' ? name.p[0] - 'a' + 'A'
                                              : name.p[0]) &&
        memcmp(field.p + 1, name.p + 1, name.n - 1) == 0;
}

static const struct vdl_field *field_of(const struct vdl_type *t,
    struct vdl_str name)
{
    const struct vdl_field *f, *end = t->fields + t->count;

    for (f = t->fields; f < end; f++)
        if (is_capital_of(f->name, name))
            return f;
    for (f = t->fields; f < end; f++)
        if (vdl_str_eq_nocase(f->name, name))
            return f;
    return NULL;
}

static int record(struct wspr_json_reader_ *r, const cJSON *j,
    const struct vdl_type *t, void *out, const struct wspr_json_at_ *up)
{
    const struct vdl_field *f;
    struct wspr_json_at_ at;
    const cJSON *e;
    uint32_t n;
    int rc;

    if (!cJSON_IsObject(j))
        return wspr_json_mismatch_(r, j, t, up);
    n = (uint32_t)cJSON_GetArraySize(j);
    /* Fields are searched for every member: not for more than there are. */
    if (n > t->count && !r->opt->lax)
        return wspr_json_fail_(r, up, V23_ECONVERT,
            "%u members for a struct of %u fields", (unsigned)n,
            (unsigned)t->count);
    cJSON_ArrayForEach(e, j) {
        f = field_of(t, vdl_str(e->string));
        if (f == NULL && r->opt->lax)
            continue;
        at = in(up, e->string, 0);
        if (f == NULL)
            return wspr_json_fail_(r, &at, V23_ECONVERT, "no such field");
        rc = value(r, e, f->type, (char *)out + f->offset, &at);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int one_of(struct wspr_json_reader_ *r, const cJSON *j,
    const struct vdl_type *t, void *out, const struct wspr_json_at_ *up)
{
    const struct vdl_field *f;
    struct wspr_json_at_ at;
    const cJSON *e;

    if (!cJSON_IsObject(j))
        return wspr_json_mismatch_(r, j, t, up);
    if (cJSON_GetArraySize(j) != 1)
        return wspr_json_fail_(r, up, V23_ECONVERT,
            "a union has one member, not %d", cJSON_GetArraySize(j));
    e = j->child;
    at = in(up, e->string, 0);
    f = field_of(t, vdl_str(e->string));
    if (f == NULL)
        return wspr_json_fail_(r, &at, V23_ECONVERT, "no such field");
    vdl_set_which(t, out, (uint32_t)(f - t->fields));
    return value(r, e, f->type, (char *)out + f->offset, &at);
}

/* ---- values -------------------------------------------------------------- */

/* The type that a value has where the type is any. */
static const struct vdl_type *type_of(const cJSON *j)
{
    if (wspr_json_is_number_(j))
        return &vdl_float64_desc;
    if (cJSON_IsString(j))
        return &vdl_string_desc;
    if (cJSON_IsArray(j))
        return &vdl_any_list_desc;
    return cJSON_IsObject(j) ? &wspr_json_object_desc : &vdl_bool_desc;
}

static int boxed(struct wspr_json_reader_ *r, const cJSON *j,
    const struct vdl_type *t, const void **out, const struct wspr_json_at_ *at)
{
    void *v = v23_arena_get0(r->a, 1, t->size, t->align);

    if (v == NULL)
        return V23_ENOMEM;
    *out = v;
    return value(r, j, t, v, at);
}

static int pointer(struct wspr_json_reader_ *r, const cJSON *j,
    const struct vdl_type *t, void *out, const struct wspr_json_at_ *at)
{
    struct vdl_any any;
    const void *v;
    int rc;

    if (t->kind == VDL_ANY) {
        any.type = type_of(j);
        rc = boxed(r, j, any.type, &any.val, at);
        if (rc == 0)
            memcpy(out, &any, sizeof(any));
        return rc;
    }
    if (wspr_json_is_error_(t->elem) && cJSON_IsString(j) &&
        j->valuestring[0] == 0)
        return 0;
    rc = boxed(r, j, t->elem, &v, at);
    if (rc == 0)
        memcpy(out, &v, sizeof(v));
    return rc;
}

/* What an error is made of is that of the library, or equal to it. */
static int failure(struct wspr_json_reader_ *r, const cJSON *j,
    const struct vdl_type *t, struct v23_verror *out,
    const struct wspr_json_at_ *at)
{
    const struct wspr_json_options *opt = r->opt;
    struct wspr_json_options lax = *opt;
    v23_wspr_json_error e;
    int rc;

    if (!vdl_type_same_layout(t, &v23_verror_desc))
        return V23_EARG;
    memset(&e, 0, sizeof(e));
    lax.lax = true; /* clients add members */
    r->opt = &lax;
    if (cJSON_IsString(j) && !wspr_json_is_number_(j))
        rc = wspr_json_string_(r->a, j->valuestring, &e.msg);
    else
        rc = record(r, j, &v23_wspr_json_error_desc, &e, at);
    r->opt = opt;
    if (rc == 0) {
        out->id = wspr_json_error_id_parse(e.id);
        out->msg = e.msg;
    }
    return rc;
}

static bool takes_null(const struct wspr_json_reader_ *r,
    const struct vdl_type *t)
{
    return r->opt->lax || t->kind == VDL_OPTIONAL || t->kind == VDL_ANY ||
        t->kind == VDL_LIST || t->kind == VDL_MAP || t->kind == VDL_SET;
}

static int scalar(struct wspr_json_reader_ *r, const cJSON *j,
    const struct vdl_type *t, void *out, const struct wspr_json_at_ *at)
{
    int rc = wspr_json_scalar_(r, j, t, out);

    return rc == V23_ECONVERT ? wspr_json_mismatch_(r, j, t, at) : rc;
}

static int value(struct wspr_json_reader_ *r, const cJSON *j,
    const struct vdl_type *t, void *out, const struct wspr_json_at_ *at)
{
    memset(out, 0, t->size);
    if (cJSON_IsNull(j) && takes_null(r, t))
        return 0;
    switch (t->kind) {
    case VDL_ANY:
    case VDL_OPTIONAL:
        return pointer(r, j, t, out, at);
    case VDL_STRUCT:
        if (wspr_json_is_error_(t))
            return failure(r, j, t, out, at);
        return record(r, j, t, out, at);
    case VDL_UNION:
        return one_of(r, j, t, out, at);
    case VDL_MAP:
        return map(r, j, t, out, at);
    case VDL_SET:
        return list(r, j, t, out, at);
    case VDL_LIST:
        if (cJSON_IsString(j) && vdl_type_is_bytes(t))
            return scalar(r, j, t, out, at);
        return list(r, j, t, out, at);
    case VDL_ARRAY:
        if (cJSON_IsString(j) && vdl_type_is_bytes(t))
            return scalar(r, j, t, out, at);
        return array(r, j, t, out, at);
    case VDL_TYPEOBJECT:
        return wspr_json_mismatch_(r, j, t, at);
    case VDL_SPECIAL:
        return V23_EARG;
    default:
        return scalar(r, j, t, out, at);
    }
}

/* ---- whole values -------------------------------------------------------- */

static int read_all(struct wspr_json_reader_ *r, const cJSON *j,
    const struct vdl_type *t, void *out)
{
    struct wspr_json_at_ root;
    void *v = v23_arena_get0(r->a, 1, t->size, t->align);
    int rc;

    if (v == NULL)
        return V23_ENOMEM;
    memset(&root, 0, sizeof(root));
    rc = value(r, j, t, v, &root);
    if (rc == 0)
        memcpy(out, v, t->size);
    return rc;
}

int wspr_json_take_(struct wspr_json_reader_ *r, const cJSON *j,
    const struct vdl_type *t, void *out)
{
    struct v23_arena *a = r->a;
    struct v23_arena_mark mark = v23_arena_mark(a);
    size_t limit = a->limit;
    int rc;

    if (a->used <= limit && r->opt->bytes < limit - a->used)
        a->limit = a->used + r->opt->bytes;
    rc = read_all(r, j, t, out);
    a->limit = limit;
    if (rc != 0)
        v23_arena_rewind(a, mark);
    return rc;
}

int wspr_json_decode(struct v23_bytes json,
    const struct wspr_json_options *opt, struct v23_arena *a,
    const struct vdl_type *t, void *out, struct v23_buf *why)
{
    struct wspr_json_reader_ r;
    cJSON *tree;
    int rc;

    r.a = a;
    r.opt = opt == NULL ? &wspr_json_options_default : opt;
    r.why = why;
    rc = wspr_json_parse_(&r, json, &tree);
    if (rc != 0)
        return rc;
    rc = wspr_json_take_(&r, tree, t, out);
    cJSON_Delete(tree);
    return rc;
}

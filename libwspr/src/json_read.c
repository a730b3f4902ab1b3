/* BSD-3-Clause; see LICENSE. */
/*
 * Values from JSON. The text is checked first, then its objects and arrays are
 * counted, so that the walk that makes the value meets no syntax error, knows
 * how much each list needs, and goes over every octet once. Recursion follows
 * the nesting of the text, which is limited.
 */
#include "json_read_int.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include <vname/json.h>
#include <vom/value.h>

const struct wspr_json_options wspr_json_options_default =
    WSPR_JSON_OPTIONS_INIT;

enum { MAX_DEPTH = 1000, SHOWN = 40 };

static int value(struct wspr_json_reader_ *r, const struct vdl_type *t,
    void *out, const struct wspr_json_at_ *at);

/* ---- what is wrong ------------------------------------------------------- */

static void put_path(struct v23_buf *out, const struct wspr_json_at_ *at)
{
    if (at->up == NULL)
        return;
    put_path(out, at->up);
    if (at->name.p == NULL) {
        v23_buf_printf(out, "[%zu]", at->index);
        return;
    }
    if (at->up->up != NULL)
        v23_buf_put_byte(out, '.');
    v23_buf_put_str(out, at->name);
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

/* ---- counting ------------------------------------------------------------ */

/* Behind the string that begins at p. */
static const char *string_end(const char *p)
{
    for (p++; *p != '"'; p++)
        if (*p == '\\')
            p++;
    return p + 1;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static int too_many(const struct wspr_json_reader_ *r)
{
    return wspr_json_fail_(r, NULL, V23_ELIMIT, "more than %u values",
        r->opt->elements);
}

/* An object or array begins at p: make place for its count. */
static int add_count(struct wspr_json_reader_ *r, const char *p)
{
    void *v = r->counts;
    int rc = v23_reserve(r->a->al, &v, &r->cap, r->ncounts + 1,
        (size_t)r->opt->elements + 1, sizeof(*r->counts));

    r->counts = v;
    if (rc != 0)
        return rc == V23_ELIMIT ? too_many(r) : rc;
    for (p++; is_blank(*p);)
        p++;
    r->counts[r->ncounts++] = *p != ']' && *p != '}';
    return 0;
}

/* Note how many members every object and array has, in their order. */
static int count(struct wspr_json_reader_ *r)
{
    uint32_t open[MAX_DEPTH], depth = 0, total = 1;
    const char *p;
    int rc;

    for (p = r->p; p < r->end; p++) {
        if (*p == '"') {
            p = string_end(p) - 1;
        } else if (*p == ']' || *p == '}') {
            depth--;
        } else if (*p == ',') {
            r->counts[open[depth - 1]]++;
            total++;
        } else if (*p == '[' || *p == '{') {
            if (depth == r->opt->depth || depth == MAX_DEPTH)
                return wspr_json_fail_(
                    r, NULL, V23_ELIMIT, "nested deeper than %u", depth);
            rc = add_count(r, p);
            if (rc != 0)
                return rc;
            open[depth++] = (uint32_t)r->ncounts - 1;
            total += r->counts[r->ncounts - 1];
        }
        if (total > r->opt->elements)
            return too_many(r);
    }
    return 0;
}

/* ---- walking ------------------------------------------------------------- */

static void blanks(struct wspr_json_reader_ *r)
{
    while (r->p < r->end && is_blank(*r->p))
        r->p++;
}

/* The number or literal at p. */
static struct vdl_str word(struct wspr_json_reader_ *r)
{
    const char *start = r->p;

    while (r->p < r->end && strchr(",]} \t\r\n", *r->p) == NULL)
        r->p++;
    return vdl_strn(start, (size_t)(r->p - start));
}

static void skip(struct wspr_json_reader_ *r)
{
    unsigned depth = 0;

    do {
        if (*r->p == '"') {
            r->p = string_end(r->p);
            continue;
        }
        if (*r->p == '[' || *r->p == '{') {
            depth++;
            r->next++;
        } else if (*r->p == ']' || *r->p == '}') {
            depth--;
        }
        r->p++;
    } while (depth > 0);
    (void)word(r);
}

static void type_text(const struct vdl_type *t, char out[80])
{
    if (t->name.n != 0)
        snprintf(out, 80, "%.*s", (int)(t->name.n < 79 ? t->name.n : 79),
            t->name.p);
    else
        snprintf(out, 80, "%s", vdl_kind_name((enum vdl_kind)t->kind));
}

int wspr_json_mismatch_(const struct wspr_json_reader_ *r,
    const struct vdl_type *t, const struct wspr_json_at_ *at)
{
    struct wspr_json_reader_ behind = *r;
    const char *more = "";
    char type[80];
    size_t n;

    skip(&behind);
    n = (size_t)(behind.p - r->p);
    if (n > SHOWN) {
        more = "...";
        for (n = SHOWN; ((uint8_t)r->p[n] & 0xc0) == 0x80;)
            n--;
    }
    type_text(t, type);
    return wspr_json_fail_(r, at, V23_ECONVERT,
        "%.*s%s is not a value of type %s", (int)n, r->p, more, type);
}

/* Go into an object or array. */
static uint32_t enter(struct wspr_json_reader_ *r)
{
    r->p++;
    blanks(r);
    return r->counts[r->next++];
}

/* Behind member i of n: to the next, or out. */
static void leave(struct wspr_json_reader_ *r, uint32_t i, uint32_t n)
{
    blanks(r);
    r->p++;
    if (i + 1 < n)
        blanks(r);
}

/* Out of an object or array without members. */
static void leave_empty(struct wspr_json_reader_ *r, uint32_t n)
{
    if (n == 0)
        r->p++;
}

/* The key at p and its colon; in the arena if it has escapes. */
static int key(struct wspr_json_reader_ *r, struct vdl_str *out)
{
    const char *start = r->p + 1;
    int rc = 0;

    r->p = string_end(r->p);
    *out = vdl_strn(start, (size_t)(r->p - 1 - start));
    if (memchr(start, '\\', out->n) != NULL || !wspr_json_is_ascii_(*out))
        rc = wspr_json_unescape_(r->a, *out, out);
    blanks(r);
    r->p++;
    blanks(r);
    return rc;
}

/* The string at p, unescaped. */
static int text(struct wspr_json_reader_ *r, struct vdl_str *out)
{
    const char *start = r->p + 1;

    r->p = string_end(r->p);
    return wspr_json_unescape_(
        r->a, vdl_strn(start, (size_t)(r->p - 1 - start)), out);
}

static struct wspr_json_at_ in(const struct wspr_json_at_ *up,
    struct vdl_str name, size_t index)
{
    struct wspr_json_at_ at;

    at.up = up;
    at.name = name;
    at.index = index;
    return at;
}

/* ---- arrays -------------------------------------------------------------- */

static int elements(struct wspr_json_reader_ *r, const struct vdl_type *elem,
    void *out, uint32_t n, const struct wspr_json_at_ *up)
{
    static const struct vdl_str none = {NULL, 0};
    struct wspr_json_at_ at;
    uint32_t i;
    int rc;

    for (i = 0; i < n; i++) {
        at = in(up, none, i);
        rc = value(r, elem, (char *)out + (size_t)i * elem->size, &at);
        if (rc != 0)
            return rc;
        leave(r, i, n);
    }
    leave_empty(r, n);
    return 0;
}

static int list(struct wspr_json_reader_ *r, const struct vdl_type *t,
    struct vdl_list *out, const struct wspr_json_at_ *at)
{
    const struct vdl_type *elem = t->kind == VDL_SET ? t->key : t->elem;
    void *v = NULL;
    uint32_t n;
    int rc;

    if (*r->p != '[')
        return wspr_json_mismatch_(r, t, at);
    n = enter(r);
    if (n > 0) {
        v = v23_arena_get0(r->a, n, elem->size, elem->align);
        if (v == NULL)
            return V23_ENOMEM;
    }
    rc = elements(r, elem, v, n, at);
    if (rc != 0)
        return rc;
    out->v = v;
    out->n = n;
    return t->kind == VDL_SET ? wspr_json_unique_(r, t, out, at) : 0;
}

static int array(struct wspr_json_reader_ *r, const struct vdl_type *t,
    void *out, const struct wspr_json_at_ *at)
{
    if (*r->p != '[')
        return wspr_json_mismatch_(r, t, at);
    if (r->counts[r->next] != t->count)
        return wspr_json_fail_(r, at, V23_ECONVERT,
            "%u elements for an array of %u", r->counts[r->next], t->count);
    return elements(r, t->elem, out, enter(r), at);
}

/* ---- objects ------------------------------------------------------------- */

static int map(struct wspr_json_reader_ *r, const struct vdl_type *t,
    struct vdl_list *out, const struct wspr_json_at_ *up)
{
    struct wspr_json_at_ at;
    struct vdl_str name;
    char *v = NULL, *entry;
    uint32_t i, n;
    int rc;

    if (*r->p != '{')
        return wspr_json_mismatch_(r, t, up);
    n = enter(r);
    if (n > 0) {
        v = v23_arena_get0(r->a, n, t->stride, 16);
        if (v == NULL)
            return V23_ENOMEM;
    }
    for (i = 0; i < n; i++) {
        entry = v + (size_t)i * t->stride;
        rc = key(r, &name);
        at = in(up, name, 0);
        if (rc == 0)
            rc = wspr_json_key_(r, t->key, entry, name, &at);
        if (rc == 0)
            rc = value(r, t->elem, entry + t->val_off, &at);
        if (rc != 0)
            return rc;
        leave(r, i, n);
    }
    leave_empty(r, n);
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

static int record(struct wspr_json_reader_ *r, const struct vdl_type *t,
    void *out, const struct wspr_json_at_ *up)
{
    const struct vdl_field *f;
    struct wspr_json_at_ at;
    struct vdl_str name;
    uint32_t i, n;
    int rc = 0;

    if (*r->p != '{')
        return wspr_json_mismatch_(r, t, up);
    n = enter(r);
    /* Fields are searched for every member: not for more than there are. */
    if (n > t->count && !r->opt->lax)
        return wspr_json_fail_(r, up, V23_ECONVERT,
            "%u members for a struct of %u fields", n, t->count);
    for (i = 0; i < n; i++) {
        rc = key(r, &name);
        if (rc != 0)
            return rc;
        f = field_of(t, name);
        at = in(up, name, 0);
        if (f != NULL)
            rc = value(r, f->type, (char *)out + f->offset, &at);
        else if (r->opt->lax)
            skip(r);
        else
            rc = wspr_json_fail_(r, &at, V23_ECONVERT, "no such field");
        if (rc != 0)
            return rc;
        leave(r, i, n);
    }
    leave_empty(r, n);
    return 0;
}

static int one_of(struct wspr_json_reader_ *r, const struct vdl_type *t,
    void *out, const struct wspr_json_at_ *up)
{
    const struct vdl_field *f;
    struct wspr_json_at_ at;
    struct vdl_str name;
    int rc;

    if (*r->p != '{')
        return wspr_json_mismatch_(r, t, up);
    if (r->counts[r->next] != 1)
        return wspr_json_fail_(r, up, V23_ECONVERT,
            "a union has one member, not %u", r->counts[r->next]);
    (void)enter(r);
    rc = key(r, &name);
    if (rc != 0)
        return rc;
    at = in(up, name, 0);
    f = field_of(t, name);
    if (f == NULL)
        return wspr_json_fail_(r, &at, V23_ECONVERT, "no such field");
    vdl_set_which(t, out, (uint32_t)(f - t->fields));
    rc = value(r, f->type, (char *)out + f->offset, &at);
    if (rc == 0)
        leave(r, 0, 1);
    return rc;
}

/* ---- values -------------------------------------------------------------- */

/* The type that a value has where the type is any. */
static const struct vdl_type *type_of(char c)
{
    switch (c) {
    case '"':
        return &vdl_string_desc;
    case '[':
        return &vdl_any_list_desc;
    case '{':
        return &wspr_json_object_desc;
    case 't':
    case 'f':
        return &vdl_bool_desc;
    default:
        return &vdl_float64_desc;
    }
}

static int boxed(struct wspr_json_reader_ *r, const struct vdl_type *t,
    const void **out, const struct wspr_json_at_ *at)
{
    void *v = v23_arena_get0(r->a, 1, t->size, t->align);

    if (v == NULL)
        return V23_ENOMEM;
    *out = v;
    return value(r, t, v, at);
}

static int pointer(struct wspr_json_reader_ *r, const struct vdl_type *t,
    void *out, const struct wspr_json_at_ *at)
{
    struct vdl_any any;
    const void *v;
    int rc;

    if (t->kind == VDL_ANY) {
        any.type = type_of(*r->p);
        rc = boxed(r, any.type, &any.val, at);
        if (rc == 0)
            memcpy(out, &any, sizeof(any));
        return rc;
    }
    if (wspr_json_is_error_(t->elem) && *r->p == '"' && r->p[1] == '"') {
        r->p += 2;
        return 0;
    }
    rc = boxed(r, t->elem, &v, at);
    if (rc == 0)
        memcpy(out, &v, sizeof(v));
    return rc;
}

/* What an error is made of is that of the library, or equal to it. */
static int failure(struct wspr_json_reader_ *r, const struct vdl_type *t,
    struct v23_verror *out, const struct wspr_json_at_ *at)
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
    if (*r->p == '"')
        rc = text(r, &e.msg);
    else
        rc = record(r, &v23_wspr_json_error_desc, &e, at);
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

static int scalar(struct wspr_json_reader_ *r, const struct vdl_type *t,
    void *out, const struct wspr_json_at_ *at)
{
    const char *start = r->p;
    struct vdl_str s;
    int rc;

    if (*start == '"') {
        rc = text(r, &s);
        if (rc == 0)
            rc = wspr_json_from_text_(r, t, out, s);
    } else if (*start == '[' || *start == '{') {
        rc = V23_ECONVERT;
    } else {
        rc = wspr_json_from_word_(r, t, out, word(r));
    }
    if (rc != V23_ECONVERT)
        return rc;
    r->p = start;
    return wspr_json_mismatch_(r, t, at);
}

static int value(struct wspr_json_reader_ *r, const struct vdl_type *t,
    void *out, const struct wspr_json_at_ *at)
{
    memset(out, 0, t->size);
    if (*r->p == 'n' && takes_null(r, t)) {
        (void)word(r);
        return 0;
    }
    switch (t->kind) {
    case VDL_ANY:
    case VDL_OPTIONAL:
        return pointer(r, t, out, at);
    case VDL_STRUCT:
        if (wspr_json_is_error_(t))
            return failure(r, t, out, at);
        return record(r, t, out, at);
    case VDL_UNION:
        return one_of(r, t, out, at);
    case VDL_MAP:
        return map(r, t, out, at);
    case VDL_SET:
        return list(r, t, out, at);
    case VDL_LIST:
        if (*r->p == '"' && vdl_type_is_bytes(t))
            return scalar(r, t, out, at);
        return list(r, t, out, at);
    case VDL_ARRAY:
        if (*r->p == '"' && vdl_type_is_bytes(t))
            return scalar(r, t, out, at);
        return array(r, t, out, at);
    case VDL_TYPEOBJECT:
        return wspr_json_mismatch_(r, t, at);
    case VDL_SPECIAL:
        return V23_EARG;
    default:
        return scalar(r, t, out, at);
    }
}

/* ---- whole texts --------------------------------------------------------- */

static int read_all(struct wspr_json_reader_ *r, const struct vdl_type *t,
    void *out)
{
    struct wspr_json_at_ root;
    void *v = v23_arena_get0(r->a, 1, t->size, t->align);
    int rc;

    if (v == NULL)
        return V23_ENOMEM;
    memset(&root, 0, sizeof(root));
    rc = value(r, t, v, &root);
    if (rc == 0)
        memcpy(out, v, t->size);
    return rc;
}

int wspr_json_decode(struct v23_bytes json,
    const struct wspr_json_options *opt, struct v23_arena *a,
    const struct vdl_type *t, void *out, struct v23_buf *why)
{
    struct wspr_json_reader_ r;
    size_t end, limit = a->limit;
    struct v23_arena_mark mark = v23_arena_mark(a);
    int rc = vname_json_check(json, &end, why);

    if (rc != 0)
        return rc;
    memset(&r, 0, sizeof(r));
    r.p = (const char *)json.p;
    r.end = r.p + end;
    r.a = a;
    r.opt = opt == NULL ? &wspr_json_options_default : opt;
    r.why = why;
    blanks(&r);
    rc = end > UINT32_MAX ? V23_ELIMIT : count(&r);
    if (rc == 0) {
        if (a->used <= limit && r.opt->bytes < limit - a->used)
            a->limit = a->used + r.opt->bytes;
        rc = read_all(&r, t, out);
        a->limit = limit;
    }
    v23_put(a->al, r.counts);
    if (rc != 0)
        v23_arena_rewind(a, mark);
    return rc;
}

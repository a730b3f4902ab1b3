/* BSD-3-Clause; see LICENSE. */
/*
 * Construction of wire errors. The text is written into arena memory that
 * grows until it fits, so no other allocator is needed.
 */
#include <v23/verror.h>

#include <stdarg.h>
#include <stdio.h>

#include <vom/value.h>

#include "value_int.h"

/* Texts are cut off here. */
#define TEXT_MAX 65536

static const struct vdl_str empty_str = { NULL, 0 };
static const struct vdl_any no_context[] = { { &vdl_string_desc, &empty_str },
    { &vdl_string_desc, &empty_str } };
static const struct v23_verror out_of_memory = {
    VDL_STR_INIT("v.io/v23/verror.Internal"), V23_NO_RETRY,
    VDL_STR_INIT("out of memory"), { no_context, 2 }
};

/* ---- formats ------------------------------------------------------------- */

/* What a format is filled in with. */
struct source {
    const struct v23_verror *e; /* parameters, the first two are the context */
    uint64_t used;              /* bit k: parameter k (from 0) was printed */
};

#define PLAIN_DEPTH 8 /* nesting of values shown in a text */

static void put_plain(struct v23_buf *out, const struct vdl_type *t,
    const void *val, int depth);

/* "[a b c]" */
static void put_list(struct v23_buf *out, const struct vdl_type *elem,
    const uint8_t *v, uint32_t n, uint32_t stride, int depth)
{
    uint32_t i;

    v23_buf_put_byte(out, '[');
    for (i = 0; i < n; i++) {
        if (i != 0)
            v23_buf_put_byte(out, ' ');
        put_plain(out, elem, v + (size_t)i * stride, depth);
    }
    v23_buf_put_byte(out, ']');
}

/* "{a b}" */
static void put_struct(struct v23_buf *out, const struct vdl_type *t,
    const uint8_t *v, int depth)
{
    uint32_t i;

    v23_buf_put_byte(out, '{');
    for (i = 0; i < t->count; i++) {
        if (i != 0)
            v23_buf_put_byte(out, ' ');
        put_plain(out, t->fields[i].type, v + t->fields[i].offset, depth);
    }
    v23_buf_put_byte(out, '}');
}

/*
 * For people: strings bare, errors by their text, lists and structs without
 * names, as the reference implementation's texts have them.
 */
static void put_plain(struct v23_buf *out, const struct vdl_type *t,
    const void *val, int depth)
{
    const struct vdl_list *l = val;
    const struct vdl_any *any = val;
    const void *p;

    if (depth == 0) {
        v23_buf_puts(out, "...");
        return;
    }
    if (t->kind == VDL_STRING) {
        v23_buf_put_str(out, *(const struct vdl_str *)val);
    } else if (t->kind == VDL_ANY) {
        if (any->type != NULL)
            put_plain(out, any->type, any->val, depth - 1);
        else
            v23_buf_puts(out, "nil");
    } else if (t->kind == VDL_OPTIONAL) {
        p = *(const void *const *)val;
        if (p == NULL)
            v23_buf_puts(out, "nil");
        else if (t->elem == &v23_verror_desc)
            v23_buf_put_str(out, ((const struct v23_verror *)p)->msg);
        else
            put_plain(out, t->elem, p, depth - 1);
    } else if (t->kind == VDL_STRUCT) {
        put_struct(out, t, val, depth - 1);
    } else if ((t->kind == VDL_LIST || t->kind == VDL_SET)
        && !vdl_type_is_bytes(t)) {
        put_list(out, t->kind == VDL_SET ? t->key : t->elem, l->v, l->n,
            t->stride, depth - 1);
    } else if ((t->kind < VDL_TYPEOBJECT ? vdl_format_literal_(t, val, out)
                                         : vdl_format(t, val, false, out))
        != 0) {
        v23_buf_put_byte(out, '?');
    }
}

/* One parameter; a nil error says nothing. */
static void put_value(struct v23_buf *out, const struct vdl_any *v)
{
    if (v->type != NULL && v->type->kind == VDL_OPTIONAL
        && v->type->elem == &v23_verror_desc
        && *(const void *const *)v->val == NULL)
        return;
    if (v->type == NULL)
        v23_buf_puts(out, "nil");
    else
        put_plain(out, v->type, v->val, PLAIN_DEPTH);
}

/* Parameter k, counted from 0, with ": " before or ":" after unless empty. */
static void put_param(struct v23_buf *out, struct source *s, uint32_t k,
    bool before, bool after)
{
    size_t start = out->n, text;

    if (before)
        v23_buf_puts(out, ": ");
    text = out->n;
    if (k >= s->e->params.n)
        v23_buf_put_byte(out, '?');
    else
        put_value(out, &s->e->params.v[k]);
    if (k < 64)
        s->used |= UINT64_C(1) << k;
    if (out->n == text)
        out->n = start;
    else if (after)
        v23_buf_put_byte(out, ':');
}

/* All parameters not printed yet, separated by blanks. */
static void put_rest(struct v23_buf *out, struct source *s, bool before,
    bool after)
{
    bool first = true;
    uint32_t k;

    for (k = 0; k < s->e->params.n; k++) {
        if (k < 64 && (s->used >> k & 1) != 0)
            continue;
        if (first && before)
            v23_buf_puts(out, ": ");
        if (!first)
            v23_buf_put_byte(out, ' ');
        put_value(out, &s->e->params.v[k]);
        first = false;
    }
    if (!first && after)
        v23_buf_put_byte(out, ':');
    s->used = UINT64_MAX;
}

/*
 * A tag {N} {:N} {N:} {:N:} {_} {:_} … at p. Returns its length, or 0 when
 * there is none.
 */
static size_t put_tag(struct v23_buf *out, struct source *s, const char *p,
    size_t n)
{
    bool before = false, after = false, rest = false;
    uint32_t k = 0;
    size_t i = 1, digits;

    if (i < n && p[i] == ':') {
        before = true;
        i++;
    }
    digits = i;
    if (i < n && p[i] == '_') {
        rest = true;
        i++;
    } else {
        while (i < n && p[i] >= '0' && p[i] <= '9' && k < 1000)
            k = 10 * k + (uint32_t)(p[i++] - '0');
    }
    if (i == digits)
        return 0;
    if (i < n && p[i] == ':') {
        after = true;
        i++;
    }
    if (i >= n || p[i] != '}' || (!rest && k == 0))
        return 0;
    if (rest)
        put_rest(out, s, before, after);
    else
        put_param(out, s, k - 1, before, after);
    return i + 1;
}

static void put_format(struct v23_buf *out, struct source *s,
    struct vdl_str format)
{
    size_t i = 0, len;

    while (i < format.n) {
        len = format.p[i] == '{'
            ? put_tag(out, s, format.p + i, format.n - i)
            : 0;
        if (len == 0)
            v23_buf_put_byte(out, (uint8_t)format.p[i++]);
        i += len;
    }
}

void v23_verror_format(const struct v23_verror *e, struct vdl_str format,
    struct v23_buf *out)
{
    struct source s = { e, 0 };

    put_format(out, &s, format);
}

static void put_prefix(struct v23_buf *out, const struct v23_errctx *ctx)
{
    if (ctx == NULL)
        return;
    v23_buf_put_str(out, ctx->component);
    if (ctx->component.n != 0 && ctx->op.n != 0)
        v23_buf_put_byte(out, ':');
    v23_buf_put_str(out, ctx->op);
    if (ctx->component.n != 0 || ctx->op.n != 0)
        v23_buf_puts(out, ": ");
}

/* ---- construction -------------------------------------------------------- */

static void write_msg(struct v23_buf *out, const struct v23_verror *e,
    const struct v23_errctx *ctx, const struct v23_errdef *def)
{
    struct source s = { e, 3 }; /* the prefix has the context */

    put_prefix(out, ctx);
    if (def->format.n != 0) {
        put_format(out, &s, def->format);
    } else {
        v23_buf_put_str(out, def->id);
        put_rest(out, &s, true, false);
    }
}

static int make_msg(struct v23_arena *a, struct v23_verror *e,
    const struct v23_errctx *ctx, const struct v23_errdef *def)
{
    struct v23_arena_mark mark = v23_arena_mark(a);
    struct v23_buf out;
    size_t size;
    char *p;

    for (size = 128;; size *= 2) {
        p = v23_arena_get(a, size, 1);
        if (p == NULL)
            return V23_ENOMEM;
        v23_buf_init_fixed(&out, p, size);
        write_msg(&out, e, ctx, def);
        if (out.err == 0 || size == TEXT_MAX)
            break;
        v23_arena_rewind(a, mark);
    }
    e->msg = vdl_strn(p, out.n);
    return 0;
}

static int copy_str(struct v23_arena *a, struct vdl_any *to,
    struct vdl_str from)
{
    to->type = &vdl_string_desc;
    to->val = v23_arena_get0(a, 1, sizeof(from), _Alignof(struct vdl_str));
    if (to->val == NULL)
        return V23_ENOMEM;
    return vdl_copy(a, to->type, (void *)(uintptr_t)to->val, &from);
}

static int copy_param(struct v23_arena *a, struct vdl_any *to,
    const struct vdl_type *t, const void *v)
{
    void *val;

    if (t->kind == VDL_ANY)
        return vdl_copy(a, t, to, v);
    val = v23_arena_get(a, t->size, t->align);
    if (val == NULL)
        return V23_ENOMEM;
    to->type = t;
    to->val = val;
    return vdl_copy(a, t, val, v);
}

/* An error with its context and room for n more parameters in *params. */
static struct v23_verror *new_error(struct v23_arena *a,
    const struct v23_errctx *ctx, struct vdl_str id, uint8_t retry, size_t n,
    struct vdl_any **params)
{
    struct v23_verror *e = v23_arena_new(a, struct v23_verror);
    struct vdl_any *v = v23_arena_get0(a, n + 2, sizeof(*v),
        _Alignof(struct vdl_any));

    if (e == NULL || v == NULL
        || copy_str(a, &v[0], ctx == NULL ? empty_str : ctx->component) != 0
        || copy_str(a, &v[1], ctx == NULL ? empty_str : ctx->op) != 0)
        return NULL;
    e->id = id;
    if (id.n != 0) {
        e->id.p = v23_arena_dup(a, id.p, id.n);
        if (e->id.p == NULL)
            return NULL;
    }
    e->retry = retry;
    e->params.v = v;
    e->params.n = (uint32_t)n + 2;
    *params = v + 2;
    return e;
}

const struct v23_verror *v23_verror_make(struct v23_arena *a,
    const struct v23_errctx *ctx, const struct v23_errdef *def,
    const void *const *params)
{
    struct vdl_any *to;
    struct v23_verror *e = new_error(a, ctx, def->id, def->retry, def->nparams,
        &to);
    size_t i;

    if (e == NULL)
        return &out_of_memory;
    for (i = 0; i < def->nparams; i++)
        if (copy_param(a, &to[i], def->params[i], params[i]) != 0)
            return &out_of_memory;
    return make_msg(a, e, ctx, def) == 0 ? e : &out_of_memory;
}

const struct v23_verror *v23_verror_text(struct v23_arena *a,
    const struct v23_errctx *ctx, struct vdl_str id, enum v23_retry retry,
    const char *fmt, ...)
{
    struct vdl_any *none;
    struct v23_verror *e = new_error(a, ctx, id, (uint8_t)retry, 0, &none);
    struct v23_buf out;
    size_t head, size;
    va_list ap;
    char *p;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (e == NULL || n < 0)
        return &out_of_memory;
    head = ctx == NULL ? 0 : (size_t)ctx->component.n + ctx->op.n + 3;
    size = head + (size_t)n + 1;
    p = v23_arena_get(a, size, 1);
    if (p == NULL)
        return &out_of_memory;
    v23_buf_init_fixed(&out, p, size);
    put_prefix(&out, ctx);
    va_start(ap, fmt);
    vsnprintf(p + out.n, size - out.n, fmt, ap);
    va_end(ap);
    e->msg = vdl_strn(p, out.n + (size_t)n);
    return e;
}

bool v23_verror_is(const struct v23_verror *e, struct vdl_str id)
{
    return e != NULL && vdl_str_eq(e->id, id);
}

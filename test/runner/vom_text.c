/* BSD-3-Clause; see LICENSE. */
/*
 * Both text forms of every value there is: what is printed is read again, and
 * is printed alike again (spec/vom.md 16.1, spec/services.md 6.4).
 */
#include "vom_int.h"

#include <stdio.h>

#include <vom/parse.h>
#include <vom/print.h>
#include <vom/value.h>

#define TYPES 512 /* looked at for their names */
#define BUDGET ((size_t)256 << 20)

/* ---- types of a value ---------------------------------------------------- */

static bool names_of(struct vdl_named *s, const struct vdl_type *t,
    const void *v);

static const void *at(const void *p, size_t offset)
{
    return (const char *)p + offset;
}

static bool names_of_elems(struct vdl_named *s, const struct vdl_type *t,
    const struct vdl_list *l, size_t stride)
{
    uint32_t i;
    bool ok = true;

    for (i = 0; ok && i < l->n; i++) {
        const void *e = at(l->v, i * stride);

        if (t->key != NULL)
            ok = names_of(s, t->key, e);
        if (ok && t->kind == VDL_MAP)
            ok = names_of(s, t->elem, at(e, t->val_off));
        else if (ok && t->key == NULL)
            ok = names_of(s, t->elem, e);
    }
    return ok;
}

/* Add the types that the text of a value may name besides its own. */
static bool names_of(struct vdl_named *s, const struct vdl_type *t,
    const void *v)
{
    const struct vdl_any *any = v;
    struct vdl_list array = { v, t->count };
    uint32_t i;
    bool ok = true;

    if ((t->flags & (VDL_T_ANY | VDL_T_TYPEOBJECT)) == 0)
        return true;
    switch (t->kind) {
    case VDL_ANY:
        return any->type == NULL
            || (vdl_named_add(s, any->type) == 0
                && names_of(s, any->type, any->val));
    case VDL_TYPEOBJECT:
        return vdl_named_add(s, *(const struct vdl_type *const *)v) == 0;
    case VDL_OPTIONAL:
        v = *(const void *const *)v;
        return v == NULL || names_of(s, t->elem, v);
    case VDL_ARRAY:
        return names_of_elems(s, t, &array, t->elem->size);
    case VDL_LIST:
    case VDL_SET:
    case VDL_MAP:
        return names_of_elems(s, t, v, t->stride);
    case VDL_UNION:
        i = vdl_get_which(t, v);
        return names_of(s, t->fields[i].type, at(v, t->fields[i].offset));
    default:
        for (i = 0; ok && i < t->count; i++)
            ok = names_of(s, t->fields[i].type, at(v, t->fields[i].offset));
        return ok;
    }
}

/* ---- names --------------------------------------------------------------- */

static bool plain_name(struct vdl_str s)
{
    uint32_t i;

    for (i = 0; i < s.n; i++)
        if (s.p[i] != '\0' && strchr(" ;{}[]?(),:\"\\", s.p[i]) != NULL)
            return false;
    return true;
}

/*
 * All names and labels below a type can be told from what is around them. A
 * peer may send others, whose text means something else or nothing.
 */
static bool plain_names(const struct vdl_type **seen, size_t *n,
    const struct vdl_type *t)
{
    uint32_t i;
    size_t k;
    bool ok;

    if (t == NULL)
        return true;
    for (k = 0; k < *n; k++)
        if (seen[k] == t)
            return true;
    if (*n == TYPES)
        return true;
    seen[(*n)++] = t;
    ok = plain_name(t->name) && plain_names(seen, n, t->key)
        && plain_names(seen, n, t->elem);
    for (i = 0; ok && i < t->count && t->kind == VDL_ENUM; i++)
        ok = plain_name(t->labels[i]);
    for (i = 0; ok && i < t->count && t->fields != NULL; i++)
        ok = plain_name(t->fields[i].name)
            && plain_names(seen, n, t->fields[i].type);
    return ok;
}

static bool has_text(const struct vdl_type *t)
{
    const struct vdl_type *seen[TYPES];
    size_t n = 0;

    return plain_names(seen, &n, t);
}

/* ---- round trips --------------------------------------------------------- */

/* Name a case of which a part cannot be done; the rest of it counts. */
static bool leave(const struct run_case *c, const char *what, const char *why)
{
    printf("part  vom/%s: %s: %s is not read back: %s\n", c->file, c->id, what,
        why);
    return true;
}

/* NaN is not equal to itself; for such values the text has to do. */
static bool same(const struct vdl_type *t, const void *a, const void *b,
    const char *text)
{
    return vdl_equal(t, a, b) || strstr(text, "NaN") != NULL;
}

static bool read_text(struct run_case *c, struct v23_arena *a,
    const struct vdl_type *t, const void *v, const char *text)
{
    struct vdl_parse_error err;
    struct vdl_any x = { NULL, NULL };
    struct v23_buf again;
    const struct vdl_type *xt;
    const void *xv;
    bool ok;
    int rc = vdl_parse(vdl_str(text), a, &x, &err);

    if (rc != 0)
        return run_fail(c, "reading the text: %zu: %s %s", err.at, err.text,
            v23_strerror(rc));
    if (t->kind == VDL_ANY) {
        xt = t;
        xv = &x;
    } else {
        xt = x.type == NULL ? &vdl_any_desc : x.type;
        xv = x.type == NULL ? (const void *)&x : x.val;
    }
    if (!vdl_type_equal(xt, t))
        return run_fail(c, "the text is read as another type");
    v23_buf_init(&again, NULL, SIZE_MAX);
    ok = same(t, v, xv, text) || run_fail(c, "the text is read differently");
    rc = vdl_format(xt, xv, true, &again);
    if (rc != 0 || strcmp(v23_buf_cstr(&again), text) != 0)
        ok = run_fail(c, "after reading the text is %s",
            v23_buf_cstr(&again));
    v23_buf_fini(&again);
    return ok;
}

/* Two types of one name, as different values of a stream may have. */
static bool ambiguous(const struct vdl_named *s)
{
    size_t i;

    for (i = 1; i < s->n; i++)
        if (vdl_str_eq(s->v[i - 1]->name, s->v[i]->name))
            return true;
    return false;
}

static bool read_const(struct run_case *c, struct v23_arena *a,
    const struct vdl_type *t, const void *v, const char *text)
{
    struct vdl_named names;
    struct vdl_registry known;
    struct vdl_parse_error err;
    struct v23_buf again;
    const void *x = NULL;
    size_t got;
    bool ok;
    int rc;

    vdl_named_init(&names, NULL);
    if (vdl_named_add(&names, t) != 0 || !names_of(&names, t, v))
        return run_fail(c, "too many types");
    if (ambiguous(&names)) {
        vdl_named_fini(&names);
        return leave(c, "the constant", "two types have one name");
    }
    known.types = names.v;
    known.n = names.n;
    v23_buf_init(&again, NULL, SIZE_MAX);
    rc = vdl_parse_values(vdl_str(text), &known, a, &t, 1, &x, &got, &err);
    if (rc != 0)
        ok = run_fail(c, "reading the constant %s: %zu: %s %s", text, err.at,
            err.text, v23_strerror(rc));
    else
        ok = same(t, v, x, text)
            || run_fail(c, "the constant %s is read differently", text);
    if (rc == 0) {
        rc = vdl_print_const(t, x, &again);
        if (rc != 0 || strcmp(v23_buf_cstr(&again), text) != 0)
            ok = run_fail(c, "the constant %s becomes %s", text,
                v23_buf_cstr(&again));
    }
    v23_buf_fini(&again);
    vdl_named_fini(&names);
    return ok;
}

bool run_vom_text(struct run_case *c, const struct vdl_type *t, const void *v,
    const char *text)
{
    struct v23_buf constant;
    struct v23_arena a;
    bool ok;
    int rc;

    if (!has_text(t))
        return leave(c, "the text", "a name in it holds separators");
    v23_arena_init(&a, NULL, BUDGET);
    v23_buf_init(&constant, NULL, SIZE_MAX);
    ok = read_text(c, &a, t, v, text);
    rc = vdl_print_const(t, v, &constant);
    if (rc != 0)
        ok = run_fail(c, "printing the constant: %s", v23_strerror(rc));
    else
        ok = read_const(c, &a, t, v, v23_buf_cstr(&constant)) && ok;
    v23_buf_fini(&constant);
    v23_arena_fini(&a);
    return ok;
}

/* BSD-3-Clause; see LICENSE. */
/*
 * Values, by recursive descent along the type: constants of VDL along the
 * implied one (spec/vdl.md 7), and the text of values (spec/vom.md 16.1),
 * which says the types of its parts itself.
 */
#include <vom/value.h>

#include "parse_int.h"

static int parse_kind(struct parser *p, const struct vdl_type *t, void *out);

/* ---- scalars ------------------------------------------------------------- */

static struct vdl_str type_name(const struct vdl_type *t)
{
    return t->name.n != 0 ? t->name
                          : vdl_str(vdl_kind_name((enum vdl_kind)t->kind));
}

int vdl_parse_mismatch_(struct parser *p, const struct vdl_type *t)
{
    char c = vdl_parse_peek_(p);
    struct vdl_str name = type_name(t);
    size_t start = p->at, n;

    if (start == p->text.n)
        return vdl_parse_fail_(p, "expected a constant");
    if (c == '"' || c == '`') {
        if (vdl_parse_skip_string_(p) != 0)
            return V23_ETEXT;
        n = p->at - start;
    } else {
        n = vdl_parse_ident_(p).n;
        n = n == 0 ? 1 : n;
    }
    return vdl_parse_fail_at_(p, start, "can't convert %.*s to %.*s",
        n > 60 ? 60 : (int)n, p->text.p + start, name.n > 60 ? 60 : (int)name.n,
        name.p);
}

static int parse_bool(struct parser *p, const struct vdl_type *t, void *out)
{
    bool yes = vdl_parse_take_word_(p, "true");

    if (!yes && !vdl_parse_take_word_(p, "false"))
        return vdl_parse_mismatch_(p, t);
    *(bool *)out = yes;
    return 0;
}

/* The longest label that stands there, which is taken, or -1. Labels from the
 * wire need not be identifiers. */
static int take_label(struct parser *p, const struct vdl_type *t)
{
    size_t best = 0, left;
    int found = -1;
    char end;
    uint32_t i;

    vdl_parse_peek_(p);
    left = p->text.n - p->at;
    for (i = 0; i < t->count; i++) {
        struct vdl_str s = t->labels[i];

        if (s.n <= best || s.n > left ||
            memcmp(s.p, p->text.p + p->at, s.n) != 0)
            continue;
        end = s.n == left ? 0 : p->text.p[p->at + s.n];
        if (vdl_parse_is_word_(end))
            continue;
        best = s.n;
        found = (int)i;
    }
    p->at += best;
    return found;
}

static int parse_enum(struct parser *p, const struct vdl_type *t, void *out)
{
    int i = take_label(p, t);

    if (i < 0)
        return vdl_parse_mismatch_(p, t);
    vdl_set_enum(t, out, (uint32_t)i);
    return 0;
}

/* A string, or the bytes of a list or array. */
static int parse_text(struct parser *p, const struct vdl_type *t, void *out)
{
    struct vdl_str s;
    char c = vdl_parse_peek_(p);
    size_t start = p->at;
    int rc;

    if (c != '"' && c != '`')
        return vdl_parse_mismatch_(p, t);
    rc = vdl_parse_string_(p, &s);
    if (rc != 0)
        return rc;
    if (t->kind == VDL_ARRAY) {
        if (s.n != t->count)
            return vdl_parse_fail_at_(
                p, start, "array needs %lu bytes", (unsigned long)t->count);
        if (s.n != 0)
            memcpy(out, s.p, s.n);
        return 0;
    }
    if (t->kind == VDL_LIST)
        *(struct vdl_bytes *)out =
            vdl_bytes((const uint8_t *)(const void *)s.p, s.n);
    else
        *(struct vdl_str *)out = s;
    return 0;
}

static int put_type(const struct vdl_type *t, void *out)
{
    *(const struct vdl_type **)out = t == &vdl_any_desc ? NULL : t;
    return 0;
}

/* ---- typed constants ----------------------------------------------------- */

/* A value with the type that the constant names. */
struct typed {
    const struct vdl_type *type; /* NULL: no such thing stands there */
    void *value;
    size_t at;
};

static int parse_typed(struct parser *p, struct typed *x);

/* What stands between the parentheses of T(x): any value that converts. */
static int parse_converted(
    struct parser *p, const struct vdl_type *t, void *out)
{
    struct typed x;
    int rc;

    if (t->kind == VDL_ANY)
        return parse_kind(p, t, out);
    rc = parse_typed(p, &x);
    if (rc != 0)
        return rc;
    if (x.type == NULL)
        return parse_kind(p, t, out);
    rc = vdl_convert(p->a, t, out, x.type, x.value);
    if (rc == V23_ECOMPAT || rc == V23_ECONVERT || rc == V23_EINT)
        return vdl_parse_fail_at_(p, x.at, "can't convert to %.*s",
            (int)type_name(t).n, type_name(t).p);
    return rc;
}

/* "(T)" of a typeobject. */
static int parse_typeobject(struct parser *p, void *out)
{
    const struct vdl_type *t;
    int rc = vdl_parse_type_(p, &t);

    if (rc == 0 && t == NULL)
        return vdl_parse_fail_(p, "expected a type");
    return rc == 0 ? put_type(t, out) : rc;
}

/* Behind T: "(x)", "{…}" or ".Label". */
static int parse_behind(struct parser *p, struct typed *x, char c)
{
    int rc;

    x->value = v23_arena_get0(p->a, 1, x->type->size, x->type->align);
    if (x->value == NULL)
        return V23_ENOMEM;
    if (p->depth == VDL_PARSE_DEPTH)
        return vdl_parse_fail_(p, "nested too deeply");
    p->depth++;
    if (c != '{')
        p->at++;
    if (c == '(' && x->type->kind == VDL_TYPEOBJECT)
        rc = parse_typeobject(p, x->value);
    else if (c == '(')
        rc = parse_converted(p, x->type, x->value);
    else
        rc = parse_kind(p, x->type, x->value);
    if (rc == 0 && c == '(')
        rc = vdl_parse_expect_(p, ')');
    p->depth--;
    return rc;
}

/* T(x), T{…} or T.Label; else nothing is taken. */
static int parse_typed(struct parser *p, struct typed *x)
{
    char c = vdl_parse_peek_(p);
    int rc;

    x->at = p->at;
    x->type = NULL;
    if (c == '`' || c == '{' || (c >= '0' && c <= '9'))
        return 0;
    rc = vdl_parse_type_(p, &x->type);
    if (rc != 0 || x->type == NULL)
        return rc;
    c = vdl_parse_peek_(p);
    if (c == '(' || c == '{' || (c == '.' && x->type->kind == VDL_ENUM))
        return parse_behind(p, x, c);
    p->at = x->at;
    x->type = NULL;
    return 0;
}

/* Store a typed constant where a type is implied: it has to be that type, or
 * its optional, or the content of its optional. */
static int assign(struct parser *p, const struct vdl_type *t, void *out,
    const struct typed *x)
{
    const struct vdl_type *own = x->type;
    const void *v = x->value;

    if (t->kind == VDL_OPTIONAL && own->kind != VDL_OPTIONAL &&
        vdl_type_same_layout(t->elem, own)) {
        *(const void **)out = v;
        return 0;
    }
    if (own->kind == VDL_OPTIONAL && t->kind != VDL_OPTIONAL &&
        vdl_type_same_layout(t, own->elem)) {
        v = *(const void *const *)v;
        own = own->elem;
    }
    if (v != NULL && vdl_type_same_layout(t, own)) {
        memcpy(out, v, t->size);
        return 0;
    }
    return vdl_parse_fail_at_(p, x->at, "%.*s not assignable from %.*s",
        type_name(t).n > 60 ? 60 : (int)type_name(t).n, type_name(t).p,
        type_name(own).n > 60 ? 60 : (int)type_name(own).n, type_name(own).p);
}

/* ---- any and optional ---------------------------------------------------- */

/* Room for the value that an any holds. */
static int any_value(struct parser *p, const struct vdl_type *t,
    struct vdl_any *out, void **value)
{
    *value = v23_arena_get0(p->a, 1, t->size, t->align);
    out->type = t;
    out->val = *value;
    return *value == NULL ? V23_ENOMEM : 0;
}

/* In the text of a value: the word just taken is part of the name of a type. */
static bool begins_name(const struct parser *p)
{
    return p->at < p->text.n && strchr(",:{}()", p->text.p[p->at]) == NULL;
}

/* A boolean or string, which need no type. *have = false: it is neither. */
static int parse_bare(struct parser *p, struct vdl_any *out, bool *have)
{
    const struct vdl_type *t = &vdl_bool_desc;
    char c = vdl_parse_peek_(p);
    size_t start = p->at;
    void *v;
    int rc;

    if (c == '"' || c == '`')
        t = &vdl_string_desc;
    *have = t == &vdl_string_desc || vdl_parse_take_word_(p, "true") ||
            vdl_parse_take_word_(p, "false");
    if (p->canonical && t == &vdl_bool_desc && begins_name(p))
        *have = false;
    p->at = start;
    if (!*have)
        return 0;
    rc = any_value(p, t, out, &v);
    return rc == 0 ? parse_kind(p, t, v) : rc;
}

/* The text of a value with its type. */
static int parse_full(struct parser *p, struct vdl_any *out)
{
    const struct vdl_type *t;
    bool have, parens;
    void *v;
    int rc = parse_bare(p, out, &have);

    if (rc != 0 || have)
        return rc;
    rc = vdl_parse_canonical_(p, &t);
    if (rc != 0)
        return rc;
    rc = any_value(p, t, out, &v);
    parens = t->kind < VDL_ARRAY || vdl_type_is_bytes(t);
    if (rc == 0 && parens)
        rc = vdl_parse_expect_(p, '(');
    if (rc == 0)
        rc = vdl_parse_implied_(p, t, v);
    if (rc == 0 && parens)
        rc = vdl_parse_expect_(p, ')');
    if (rc == 0 && t->kind == VDL_ANY)
        *out = *(const struct vdl_any *)v;
    return rc;
}

static int parse_any(struct parser *p, struct vdl_any *out)
{
    struct typed x;
    size_t start;
    bool have;
    int rc;

    out->type = NULL;
    out->val = NULL;
    vdl_parse_peek_(p);
    start = p->at;
    if (vdl_parse_take_word_(p, "nil") && !(p->canonical && begins_name(p)))
        return 0;
    p->at = start;
    if (p->canonical)
        return parse_full(p, out);
    rc = parse_typed(p, &x);
    if (rc == 0 && x.type != NULL) {
        out->type = x.type;
        out->val = x.value;
        if (x.type->kind == VDL_ANY)
            *out = *(const struct vdl_any *)x.value;
        return 0;
    }
    if (rc == 0)
        rc = parse_bare(p, out, &have);
    if (rc != 0 || have)
        return rc;
    return vdl_parse_fail_(p, "must be assigned a type");
}

static int parse_optional(
    struct parser *p, const struct vdl_type *t, const void **out)
{
    void *value;
    int rc;

    *out = NULL;
    if (vdl_parse_take_word_(p, "nil"))
        return 0;
    value = v23_arena_get0(p->a, 1, t->elem->size, t->elem->align);
    if (value == NULL)
        return V23_ENOMEM;
    rc = parse_kind(p, t->elem, value);
    if (rc == 0)
        *out = value;
    return rc;
}

/* ---- values -------------------------------------------------------------- */

/* A value without a type of its own. */
static int parse_kind(struct parser *p, const struct vdl_type *t, void *out)
{
    char c = vdl_parse_peek_(p);
    const struct vdl_type *object;
    int rc;

    switch ((enum vdl_kind)t->kind) {
    case VDL_BOOL:
        return parse_bool(p, t, out);
    case VDL_STRING:
        return parse_text(p, t, out);
    case VDL_ENUM:
        return parse_enum(p, t, out);
    case VDL_ARRAY:
    case VDL_LIST:
        if (vdl_type_is_bytes(t) && c != '{')
            return parse_text(p, t, out);
        return vdl_parse_composite_(p, t, out);
    case VDL_SET:
    case VDL_MAP:
    case VDL_STRUCT:
    case VDL_UNION:
        return vdl_parse_composite_(p, t, out);
    case VDL_OPTIONAL:
        return parse_optional(p, t, out);
    case VDL_ANY:
        return parse_any(p, out);
    case VDL_TYPEOBJECT:
        if (!p->canonical)
            return vdl_parse_mismatch_(p, t); /* only as typeobject(T) */
        rc = vdl_parse_canonical_(p, &object);
        return rc == 0 ? put_type(object, out) : rc;
    case VDL_SPECIAL:
        return V23_EARG;
    default:
        if (!(c >= '0' && c <= '9') && c != '-' && c != '+' && c != '.' &&
            c != 'N')
            return vdl_parse_mismatch_(p, t);
        return vdl_parse_number_(p, t, out);
    }
}

int vdl_parse_implied_(struct parser *p, const struct vdl_type *t, void *out)
{
    struct typed x;
    int rc;

    if (p->depth == VDL_PARSE_DEPTH)
        return vdl_parse_fail_(p, "nested too deeply");
    p->depth++;
    x.type = NULL;
    rc = 0;
    /* A label, boolean or nil goes before a type of that name. */
    if (t->kind != VDL_ANY && !p->canonical)
        rc = parse_typed(p, &x);
    if (rc == 0)
        rc = x.type != NULL ? assign(p, t, out, &x) : parse_kind(p, t, out);
    p->depth--;
    return rc;
}

/* ---- entry points -------------------------------------------------------- */

/* How many constants there are, without looking into them. */
static size_t count(struct parser *p)
{
    size_t n = 0;
    int nest = 0;
    char c;

    while ((c = vdl_parse_peek_(p)) != 0 || p->at < p->text.n) {
        if (n == 0)
            n = 1;
        if (c == '"' || c == '`') {
            if (vdl_parse_skip_string_(p) != 0)
                break;
            continue;
        }
        nest += (c == '{' || c == '(' || c == '[') -
                (c == '}' || c == ')' || c == ']');
        n += c == ',' && nest == 0;
        p->at++;
    }
    p->at = 0;
    return n;
}

/* Give up what the parser made, but for types that values may point into. */
static int finish(struct parser *p, int rc)
{
    if (p->have_names)
        vdl_named_fini(&p->names);
    if (p->types != NULL) {
        if (rc == 0)
            rc = v23_arena_hold(p->a, vdl_types_ref(p->types));
        vdl_types_unref(p->types);
    }
    return rc;
}

int vdl_parse_values(struct vdl_str text, const struct vdl_registry *known,
    struct v23_arena *a, const struct vdl_type *const *types, size_t n,
    const void **out, size_t *got, struct vdl_parse_error *err)
{
    struct parser p = {0};
    size_t i;
    int rc = 0;

    memset(err, 0, sizeof(*err));
    p.text = text;
    p.a = a;
    p.known = known;
    p.roots = types;
    p.nroots = n;
    p.err = err;
    *got = count(&p);
    if (*got != n)
        return V23_EARG;
    for (i = 0; rc == 0 && i < n; i++) {
        void *v = v23_arena_get0(a, 1, types[i]->size, types[i]->align);

        if (v == NULL) {
            rc = V23_ENOMEM;
            break;
        }
        out[i] = v;
        vdl_parse_peek_(&p);
        err->start = p.at;
        rc = vdl_parse_implied_(&p, types[i], v);
        if (rc == 0 && i + 1 < n)
            rc = vdl_parse_expect_(&p, ',');
    }
    if (rc == 0)
        (void)vdl_parse_take_(&p, ';');
    if (rc == 0 && (vdl_parse_peek_(&p) != 0 || p.at < text.n))
        rc = vdl_parse_fail_(&p, "unexpected text behind the constant");
    return finish(&p, rc);
}

int vdl_parse(struct vdl_str text, struct v23_arena *a, struct vdl_any *out,
    struct vdl_parse_error *err)
{
    struct parser p = {0};
    struct vdl_any v = {NULL, NULL};
    int rc;

    memset(err, 0, sizeof(*err));
    p.text = text;
    p.canonical = true;
    p.a = a;
    p.err = err;
    vdl_parse_peek_(&p);
    rc = parse_full(&p, &v);
    if (rc == 0 && (vdl_parse_peek_(&p) != 0 || p.at < text.n))
        rc = vdl_parse_fail_(&p, "unexpected text behind the value");
    rc = finish(&p, rc);
    if (rc == 0)
        *out = v;
    return rc;
}

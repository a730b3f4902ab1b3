/* BSD-3-Clause; see LICENSE. */
/*
 * Type expressions of VDL. Named types cannot be defined here, only found: in
 * the registry or anywhere below the types that the caller expects.
 */
#include "parse_int.h"

#define ARRAY_MAX INT32_MAX

static const struct vdl_type *const builtins[] = {&vdl_any_desc, &vdl_bool_desc,
    &vdl_byte_desc, &vdl_uint16_desc, &vdl_uint32_desc, &vdl_uint64_desc,
    &vdl_int8_desc, &vdl_int16_desc, &vdl_int32_desc, &vdl_int64_desc,
    &vdl_float32_desc, &vdl_float64_desc, &vdl_string_desc,
    &vdl_typeobject_desc};

const struct vdl_type *vdl_parse_builtin_(struct vdl_str name)
{
    size_t i;

    for (i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++)
        if (vdl_str_is(name, vdl_kind_name((enum vdl_kind)builtins[i]->kind)))
            return builtins[i];
    return NULL;
}

int vdl_parse_types_(struct parser *p, struct vdl_types **out)
{
    int rc = 0;

    if (p->types == NULL)
        rc = vdl_types_new(p->a->al, NULL, &p->types);
    *out = p->types;
    return rc;
}

/* ---- names --------------------------------------------------------------- */

static int collect_names(struct parser *p)
{
    size_t i;
    int rc = 0;

    if (p->have_names)
        return 0;
    vdl_named_init(&p->names, p->a->al);
    p->have_names = true;
    for (i = 0; rc == 0 && p->known != NULL && i < p->known->n; i++)
        rc = vdl_named_add(&p->names, p->known->types[i]);
    for (i = 0; rc == 0 && i < p->nroots; i++)
        rc = vdl_named_add(&p->names, p->roots[i]);
    return rc;
}

static int find_named(struct parser *p, struct vdl_str path,
    struct vdl_str name, const struct vdl_type **out)
{
    struct v23_arena_mark mark = v23_arena_mark(p->a);
    struct vdl_str full = name;
    char *to;
    int rc = collect_names(p);

    if (rc != 0)
        return rc;
    if (path.n != 0) {
        to = v23_arena_get(p->a, (size_t)path.n + 1 + name.n, 1);
        if (to == NULL)
            return V23_ENOMEM;
        memcpy(to, path.p, path.n);
        to[path.n] = '.';
        if (name.n != 0)
            memcpy(to + path.n + 1, name.p, name.n);
        full = vdl_strn(to, (size_t)path.n + 1 + name.n);
    }
    *out = vdl_named_find(&p->names, full);
    v23_arena_rewind(p->a, mark);
    return 0;
}

/* "pkg/path".Name: nothing else begins like this. */
static int qualified_type(struct parser *p, const struct vdl_type **out)
{
    size_t start = p->at;
    struct vdl_str path, name;
    int rc = vdl_parse_skip_string_(p);

    if (rc != 0)
        return rc;
    rc = !vdl_parse_take_(p, '.');
    p->at = start;
    if (rc != 0)
        return 0; /* a string */
    rc = vdl_parse_string_(p, &path);
    if (rc != 0)
        return rc;
    (void)vdl_parse_take_(p, '.');
    name = vdl_parse_ident_(p);
    rc = find_named(p, path, name, out);
    if (rc == 0 && *out == NULL)
        rc = vdl_parse_fail_at_(p, start, "\"%.*s\".%.*s undefined",
            path.n > 60 ? 60 : (int)path.n, path.p,
            name.n > 60 ? 60 : (int)name.n, name.n == 0 ? "" : name.p);
    return rc;
}

/* A built-in or named type; nothing is taken when there is none. */
static int name_type(struct parser *p, const struct vdl_type **out)
{
    struct vdl_str path = {NULL, 0}, name;
    size_t start;
    int rc;

    if (vdl_parse_peek_(p) == '"')
        return qualified_type(p, out);
    start = p->at;
    name = vdl_parse_ident_(p);
    if (name.n == 0)
        return 0;
    /* A peer may give a type the name of a built-in one. */
    rc = find_named(p, path, name, out);
    if (rc == 0 && *out == NULL)
        *out = vdl_str_is(name, "error") ? &vdl_error_desc
                                         : vdl_parse_builtin_(name);
    if (rc == 0 && *out == NULL && vdl_parse_take_(p, '.')) {
        path = name; /* time.Duration: a path of one element */
        rc = find_named(p, path, vdl_parse_ident_(p), out);
    }
    if (*out == NULL)
        p->at = start;
    return rc;
}

/* ---- structure ----------------------------------------------------------- */

static int need_type(struct parser *p, const struct vdl_type **out)
{
    int rc = vdl_parse_type_(p, out);

    if (rc == 0 && *out == NULL)
        return vdl_parse_fail_(p, "expected a type");
    return rc;
}

/* '[' has been taken: "]T" or "N]T". */
static int list_type(struct parser *p, struct vdl_type_node *node)
{
    char c = vdl_parse_peek_(p);
    int rc;

    node->kind = c == ']' ? VDL_LIST : VDL_ARRAY;
    for (; c >= '0' && c <= '9'; c = vdl_parse_peek_(p)) {
        node->len = node->len * 10 + (uint64_t)(c - '0');
        if (node->len > ARRAY_MAX)
            return vdl_parse_fail_(p, "array is too long");
        p->at++;
    }
    rc = vdl_parse_expect_(p, ']');
    return rc == 0 ? need_type(p, &node->elem.type) : rc;
}

static int map_type(struct parser *p, struct vdl_type_node *node)
{
    int rc = vdl_parse_expect_(p, '[');

    if (rc == 0)
        rc = need_type(p, &node->key.type);
    if (rc == 0)
        rc = vdl_parse_expect_(p, ']');
    if (rc == 0 && node->kind == VDL_MAP)
        rc = need_type(p, &node->elem.type);
    return rc;
}

/* ';' or the end of the line, unless a '}' follows. */
static int separator(struct parser *p)
{
    size_t from = p->at;

    if (vdl_parse_peek_(p) == '}' || vdl_parse_take_(p, ';') ||
        memchr(p->text.p + from, '\n', p->at - from) != NULL)
        return 0;
    return vdl_parse_fail_(p, "expected ';'");
}

/* Members of a struct or union, or labels, while they are read. */
struct members {
    struct vdl_type_member *v;
    struct vdl_str *labels;
    uint32_t n, cap;
};

static int add_member(struct parser *p, struct members *m, struct vdl_str name)
{
    uint32_t cap = m->cap == 0 ? 8 : 2 * m->cap;
    struct vdl_type_member *v;
    struct vdl_str *labels;

    if (name.n == 0)
        return vdl_parse_fail_(p, "expected a name");
    if (m->n == m->cap) {
        v = v23_arena_get0(
            p->a, cap, sizeof(*v), V23_ALIGNOF(struct vdl_type_member));
        labels = v23_arena_get0(
            p->a, cap, sizeof(*labels), V23_ALIGNOF(struct vdl_str));
        if (v == NULL || labels == NULL)
            return V23_ENOMEM;
        if (m->n != 0) {
            memcpy(v, m->v, m->n * sizeof(*v));
            memcpy(labels, m->labels, m->n * sizeof(*labels));
        }
        m->v = v;
        m->labels = labels;
        m->cap = cap;
    }
    m->labels[m->n] = name;
    m->v[m->n++].name = name;
    return 0;
}

/* "A, B T" */
static int fields(struct parser *p, struct members *m)
{
    uint32_t first = m->n;
    const struct vdl_type *t;
    int rc;

    do {
        rc = add_member(p, m, vdl_parse_ident_(p));
    } while (rc == 0 && vdl_parse_take_(p, ','));
    if (rc == 0)
        rc = need_type(p, &t);
    for (; rc == 0 && first < m->n; first++)
        m->v[first].type.type = t;
    return rc;
}

/* Behind enum, struct or union: the braces. */
static int member_type(struct parser *p, struct vdl_type_node *node)
{
    struct members m = {NULL, NULL, 0, 0};
    int rc = vdl_parse_expect_(p, '{');

    while (rc == 0 && !vdl_parse_take_(p, '}')) {
        rc = node->kind == VDL_ENUM ? add_member(p, &m, vdl_parse_ident_(p))
                                    : fields(p, &m);
        if (rc == 0)
            rc = separator(p);
    }
    node->members = m.v;
    node->labels = m.labels;
    node->nmembers = m.n;
    return rc;
}

/* A type that is not just a name; *kind stays VDL_ANY when there is none. */
static int literal_type(struct parser *p, struct vdl_type_node *node)
{
    static const enum vdl_kind kinds[] = {
        VDL_SET, VDL_MAP, VDL_ENUM, VDL_STRUCT, VDL_UNION};
    size_t i;

    if (vdl_parse_take_(p, '['))
        return list_type(p, node);
    if (vdl_parse_take_(p, '?')) {
        node->kind = VDL_OPTIONAL;
        return need_type(p, &node->elem.type);
    }
    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (vdl_parse_take_word_(p, vdl_kind_name(kinds[i]))) {
            node->kind = kinds[i];
            return i < 2 ? map_type(p, node) : member_type(p, node);
        }
    return 0;
}

int vdl_parse_type_(struct parser *p, const struct vdl_type **out)
{
    struct vdl_type_node node = {0};
    struct vdl_types *ts;
    size_t start;
    int rc;

    *out = NULL;
    if (p->depth == VDL_PARSE_DEPTH)
        return vdl_parse_fail_(p, "nested too deeply");
    p->depth++;
    vdl_parse_peek_(p);
    start = p->at;
    rc = literal_type(p, &node);
    if (rc == 0 && node.kind == VDL_ANY) {
        rc = name_type(p, out);
    } else if (rc == 0) {
        rc = vdl_parse_types_(p, &ts);
        if (rc == 0)
            rc = vdl_types_build(ts, &node, 1, out);
        if (rc == V23_ETYPE || rc == V23_ELIMIT)
            rc = vdl_parse_fail_at_(p, start, "invalid type");
    }
    p->depth--;
    return rc;
}

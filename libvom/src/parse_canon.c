/* BSD-3-Clause; see LICENSE. */
/*
 * Canonical strings of types (spec/vom.md 1.4). The nodes of a type graph are
 * collected first and built at once, because they may refer to each other.
 * Blanks count: one stands behind a name that is being defined.
 */
#include "parse_int.h"

#define NODES_MAX 4096
#define NEST_MAX 512
#define BUCKETS 256

struct canon {
    struct parser *p;
    struct v23_arena scratch;
    struct vdl_type_node *nodes;
    uint32_t n, cap;
    int depth;
};

/* A type whose text was read before. */
struct vdl_canon_text_ {
    struct vdl_canon_text_ *next;
    struct vdl_str text;
    const struct vdl_type *type;
};

static int ref(struct canon *c, struct vdl_type_ref *out);

/* ---- scanner ------------------------------------------------------------- */

static char next(const struct parser *p)
{
    return p->at < p->text.n ? p->text.p[p->at] : 0;
}

static bool take(struct parser *p, char c)
{
    if (p->at == p->text.n || p->text.p[p->at] != c)
        return false;
    p->at++;
    return true;
}

static int expect(struct parser *p, char c)
{
    if (take(p, c))
        return 0;
    return vdl_parse_fail_(p, "expected '%c'", c);
}

/* In the text of a value a type also ends where the value goes on. */
static struct vdl_str word(struct parser *p)
{
    const char *stop = p->canonical ? " ;{}[]?(),:\"" : " ;{}[]?";
    size_t start = p->at;

    while (p->at < p->text.n &&
           (p->text.p[p->at] == 0 || strchr(stop, p->text.p[p->at]) == NULL))
        p->at++;
    return vdl_strn(p->text.p + start, p->at - start);
}

/* ---- nodes --------------------------------------------------------------- */

/* A growing array in the scratch arena. */
static int grow(
    struct canon *c, void **v, uint32_t n, uint32_t *cap, size_t size)
{
    uint32_t more = *cap == 0 ? 8 : 2 * *cap;
    void *p;

    if (n < *cap)
        return 0;
    p = v23_arena_get0(&c->scratch, more, size, 16);
    if (p == NULL)
        return V23_ENOMEM;
    if (n != 0)
        memcpy(p, *v, n * size);
    *v = p;
    *cap = more;
    return 0;
}

static int labels(struct canon *c, struct vdl_type_node *node)
{
    struct parser *p = c->p;
    struct vdl_str *v = NULL;
    uint32_t cap = 0;
    void *grown;
    int rc = expect(p, '{');

    while (rc == 0 && !take(p, '}')) {
        if (node->nmembers != 0)
            rc = expect(p, ';');
        grown = v;
        if (rc == 0)
            rc = grow(c, &grown, node->nmembers, &cap, sizeof(*v));
        if (rc != 0)
            break;
        v = grown;
        v[node->nmembers] = word(p);
        if (v[node->nmembers++].n == 0)
            rc = vdl_parse_fail_(p, "expected a label");
    }
    node->labels = v;
    return rc;
}

static int members(struct canon *c, struct vdl_type_node *node)
{
    struct parser *p = c->p;
    struct vdl_type_member *v = NULL, m = {0};
    uint32_t cap = 0;
    void *grown;
    int rc = expect(p, '{');

    while (rc == 0 && !take(p, '}')) {
        if (node->nmembers != 0)
            rc = expect(p, ';');
        if (rc == 0) {
            m.name = word(p);
            rc = m.name.n == 0 ? vdl_parse_fail_(p, "expected a field")
                               : expect(p, ' ');
        }
        if (rc == 0)
            rc = ref(c, &m.type);
        grown = v;
        if (rc == 0)
            rc = grow(c, &grown, node->nmembers, &cap, sizeof(*v));
        if (rc != 0)
            break;
        v = grown;
        v[node->nmembers++] = m;
    }
    node->members = v;
    return rc;
}

/* '[' has been taken. */
static int list(struct canon *c, struct vdl_type_node *node)
{
    struct parser *p = c->p;
    int rc;

    node->kind = next(p) == ']' ? VDL_LIST : VDL_ARRAY;
    for (; next(p) >= '0' && next(p) <= '9'; p->at++) {
        if (node->len > UINT32_MAX)
            return vdl_parse_fail_(p, "array is too long");
        node->len = node->len * 10 + (uint64_t)(next(p) - '0');
    }
    rc = expect(p, ']');
    return rc == 0 ? ref(c, &node->elem) : rc;
}

static int map(struct canon *c, struct vdl_type_node *node)
{
    int rc = expect(c->p, '[');

    if (rc == 0)
        rc = ref(c, &node->key);
    if (rc == 0)
        rc = expect(c->p, ']');
    if (rc == 0 && node->kind == VDL_MAP)
        rc = ref(c, &node->elem);
    return rc;
}

/* What follows the name of a type, which begins with the word w. */
static int body(struct canon *c, struct vdl_str w, struct vdl_type_node *node)
{
    static const enum vdl_kind kinds[] = {
        VDL_SET, VDL_MAP, VDL_STRUCT, VDL_UNION, VDL_ENUM};
    const struct vdl_type *b = vdl_parse_builtin_(w);
    size_t start = c->p->at - w.n, i;

    if (b != NULL) {
        node->kind = (enum vdl_kind)b->kind;
        return 0;
    }
    if (w.n == 0 && take(c->p, '['))
        return list(c, node);
    if (w.n == 0 && take(c->p, '?')) {
        node->kind = VDL_OPTIONAL;
        return ref(c, &node->elem);
    }
    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (vdl_str_is(w, vdl_kind_name(kinds[i]))) {
            node->kind = kinds[i];
            return i < 2   ? map(c, node)
                   : i < 4 ? members(c, node)
                           : labels(c, node);
        }
    if (w.n == 0)
        return vdl_parse_fail_(c->p, "expected a type");
    return vdl_parse_fail_at_(
        c->p, start, "unknown type %.*s", w.n > 80 ? 80 : (int)w.n, w.p);
}

/* The node of that name, or c->n. */
static uint32_t find(const struct canon *c, struct vdl_str name)
{
    uint32_t i = 0;

    while (i < c->n && !vdl_str_eq(c->nodes[i].name, name))
        i++;
    return i;
}

/* A new node for the type that begins with w, which may be its name. */
static int define(struct canon *c, struct vdl_str w, uint32_t *out)
{
    struct vdl_type_node node = {0};
    uint32_t i = c->n;
    void *v = c->nodes;
    int rc;

    if (i == NODES_MAX)
        return vdl_parse_fail_(c->p, "too many types");
    rc = grow(c, &v, i, &c->cap, sizeof(node));
    if (rc != 0)
        return rc;
    c->nodes = v;
    if (next(c->p) == ' ') {
        node.name = w;
        c->p->at++;
        w = word(c->p);
    }
    /* Members may refer to it by name. */
    c->nodes[i] = node;
    c->n++;
    rc = body(c, w, &node);
    c->nodes[i] = node;
    *out = i;
    return rc;
}

static int ref(struct canon *c, struct vdl_type_ref *out)
{
    struct parser *p = c->p;
    struct vdl_str w = word(p);
    int rc;

    out->type = NULL;
    out->node = w.n == 0 ? c->n : find(c, w);
    if (next(p) == ' ' && out->node != c->n)
        return vdl_parse_fail_at_(p, p->at - w.n, "%.*s is defined twice",
            w.n > 80 ? 80 : (int)w.n, w.p);
    if (out->node != c->n)
        return 0;
    if (next(p) != ' ') {
        out->type = vdl_parse_builtin_(w);
        if (out->type != NULL)
            return 0;
    }
    if (c->depth == NEST_MAX)
        return vdl_parse_fail_(p, "nested too deeply");
    c->depth++;
    rc = define(c, w, &out->node);
    c->depth--;
    return rc;
}

/* ---- types --------------------------------------------------------------- */

/* Where the type of a text read before is kept, in the text of a value. */
static int remembered(
    struct parser *p, struct vdl_str text, struct vdl_canon_text_ **out)
{
    struct vdl_canon_text_ *e;
    uint32_t hash = 2166136261u, i;

    if (p->texts == NULL)
        p->texts = v23_arena_get0(p->a, BUCKETS, sizeof(*p->texts),
            V23_ALIGNOF(struct vdl_canon_text_ *));
    if (p->texts == NULL)
        return V23_ENOMEM;
    for (i = 0; i < text.n; i++)
        hash = (hash ^ (uint8_t)text.p[i]) * 16777619u;
    hash = (hash ^ hash >> 16) % BUCKETS;
    for (e = p->texts[hash]; e != NULL; e = e->next)
        if (vdl_str_eq(e->text, text))
            break;
    *out = e;
    if (e != NULL)
        return 0;
    e = v23_arena_new(p->a, struct vdl_canon_text_);
    if (e == NULL)
        return V23_ENOMEM;
    e->text = text;
    e->next = p->texts[hash];
    p->texts[hash] = e;
    *out = e;
    return 0;
}

static int build(
    struct canon *c, uint32_t root, size_t start, const struct vdl_type **out)
{
    const struct vdl_type **built = v23_arena_get0(&c->scratch, c->n,
        sizeof(*built), V23_ALIGNOF(const struct vdl_type *));
    struct vdl_types *ts;
    int rc = vdl_parse_types_(c->p, &ts);

    if (rc == 0 && built == NULL)
        rc = V23_ENOMEM;
    if (rc == 0)
        rc = vdl_types_build(ts, c->nodes, c->n, built);
    if (rc == 0)
        *out = built[root];
    if (rc == V23_ETYPE || rc == V23_ELIMIT)
        return vdl_parse_fail_at_(c->p, start,
            rc == V23_ETYPE ? "invalid type" : "type is too large");
    return rc;
}

int vdl_parse_canonical_(struct parser *p, const struct vdl_type **out)
{
    struct canon c = {0};
    struct vdl_canon_text_ *known = NULL;
    struct vdl_type_ref r;
    size_t start = p->at;
    int rc;

    c.p = p;
    v23_arena_init(&c.scratch, p->a == NULL ? NULL : p->a->al, SIZE_MAX);
    rc = ref(&c, &r);
    *out = r.type;
    if (rc == 0 && r.type == NULL) {
        if (p->canonical)
            rc = remembered(
                p, vdl_strn(p->text.p + start, p->at - start), &known);
        if (rc == 0 && (known == NULL || known->type == NULL))
            rc = build(&c, r.node, start, out);
        else if (rc == 0)
            *out = known->type;
        if (rc == 0 && known != NULL)
            known->type = *out;
    }
    v23_arena_fini(&c.scratch);
    return rc;
}

int vdl_type_parse(struct vdl_types *ts, struct vdl_str text,
    const struct vdl_type **out, struct vdl_parse_error *err)
{
    struct parser p = {0};
    const struct vdl_type *t;
    int rc;

    memset(err, 0, sizeof(*err));
    p.text = text;
    p.types = ts;
    p.err = err;
    rc = vdl_parse_canonical_(&p, &t);
    if (rc == 0 && p.at != text.n)
        rc = vdl_parse_fail_(&p, "unexpected text behind the type");
    if (rc == 0)
        *out = t;
    return rc;
}

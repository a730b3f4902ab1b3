/* BSD-3-Clause; see LICENSE. */
/*
 * What types become. A type is copied with everything that it consists of when
 * it is met first: a peer's types go with the peer, and an address may then
 * stand for another type. So the table is asked by address and answers only
 * for an equal type.
 */
#include "bridge_int.h"

#include <string.h>
#include <vom/value.h>

#define MAX_KNOWN 1024u /* types remembered */
#define MAX_GRAPH 4096u /* of one type */

/* ---- rules --------------------------------------------------------------- */

struct rule {
    const char *name;
    const char *becomes; /* NULL: keeps its name */
    const char *drops[2];
    const char *adds;    /* a bool at the end */
    const char *unnames; /* the type of this field loses its name */
};

static const struct rule rules[] = {
    { "v.io/v23/vdl.WireError", "error", { NULL, NULL }, NULL, "RetryCode" },
    { "v.io/v23/security.Signature", NULL, { "Ed25519", "Rsa" }, NULL, NULL },
    { "v.io/v23/security.Certificate", NULL, { "X509Raw", NULL }, NULL, NULL },
    { "v.io/v23/security.PublicKeyDischarge",
        "v.io/v23/security.publicKeyDischarge", { NULL, NULL }, NULL, NULL },
    /* What we read is to be recognized. */
    { "v.io/x/ref/services/wspr/internal/app.PageDeadline", "time.WireDeadline",
        { NULL, NULL }, NULL, NULL },
    { "time.WireDeadline", NULL, { NULL, NULL }, "NoDeadline", NULL },
    { "v.io/v23/vtrace.Request", NULL, { "RequestMetadata", NULL }, NULL,
        NULL },
    { "v.io/v23/vtrace.SpanRecord", NULL, { "RequestMetadata", NULL }, NULL,
        NULL },
};

static bool has_field(const struct vdl_type *t, const char *name)
{
    return name != NULL && vdl_type_field_index(t, vdl_str(name)) >= 0;
}

/* The rule that changes a type; one already in the old form has none. */
static const struct rule *find_rule(const struct vdl_type *t)
{
    const struct rule *r;
    size_t i;

    if (t->kind != VDL_STRUCT || t->name.n == 0)
        return NULL;
    for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        r = &rules[i];
        if (!vdl_str_eq(t->name, vdl_str(r->name)))
            continue;
        if (r->becomes != NULL || has_field(t, r->drops[0]) ||
            has_field(t, r->drops[1]) ||
            (r->adds != NULL && !has_field(t, r->adds)))
            return r;
        return NULL;
    }
    return NULL;
}

static bool is_dropped(const struct rule *r, struct vdl_str name)
{
    size_t i;

    for (i = 0; r != NULL && i < 2; i++)
        if (r->drops[i] != NULL && vdl_str_eq(name, vdl_str(r->drops[i])))
            return true;
    return false;
}

/* ---- the graph of a type ------------------------------------------------- */

struct node {
    const struct vdl_type *t;
    const struct rule *rule;
    bool changes;   /* itself or something in it */
    uint32_t built; /* its place among the nodes that are built */
};

struct graph {
    struct v23_arena *a;
    struct node *v;     /* in the order they were met, MAX_GRAPH at most */
    uint32_t n, cap;
    uint32_t *slots;    /* index + 1 by address; 2 * cap of them */
};

static size_t hash(const void *p)
{
    uint64_t x = (uint64_t)(uintptr_t)p;

    return (size_t)((x * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
}

static uint32_t *slot_of(const struct graph *g, const struct vdl_type *t)
{
    size_t mask = 2 * (size_t)g->cap - 1, i = hash(t) & mask;

    while (g->slots[i] != 0 && g->v[g->slots[i] - 1].t != t)
        i = (i + 1) & mask;
    return &g->slots[i];
}

static int grow(struct graph *g)
{
    uint32_t cap = g->cap == 0 ? 16 : 2 * g->cap, i;
    struct node *v;

    if (g->n < g->cap)
        return 0;
    if (cap > MAX_GRAPH)
        return V23_ELIMIT;
    v = v23_arena_get0(g->a, cap, sizeof(*v), V23_ALIGNOF(struct node));
    g->slots = v23_arena_get0(g->a, 2 * (size_t)cap, sizeof(*g->slots),
        V23_ALIGNOF(uint32_t));
    if (v == NULL || g->slots == NULL)
        return V23_ENOMEM;
    if (g->n > 0)
        memcpy(v, g->v, g->n * sizeof(*v));
    g->v = v;
    g->cap = cap;
    for (i = 0; i < g->n; i++)
        *slot_of(g, g->v[i].t) = i + 1;
    return 0;
}

static int meet(struct graph *g, const struct vdl_type *t)
{
    int rc;

    if (t == NULL)
        return 0;
    rc = grow(g);
    if (rc != 0 || *slot_of(g, t) != 0)
        return rc;
    g->v[g->n].t = t;
    g->v[g->n].rule = find_rule(t);
    g->v[g->n].changes = g->v[g->n].rule != NULL;
    *slot_of(g, t) = ++g->n;
    return 0;
}

static uint32_t nfields(const struct vdl_type *t)
{
    return t->fields == NULL ? 0 : t->count;
}

static int walk(struct graph *g, const struct vdl_type *t)
{
    const struct vdl_type *at;
    uint32_t i, j;
    int rc = meet(g, t);

    for (i = 0; i < g->n && rc == 0; i++) {
        at = g->v[i].t;
        rc = meet(g, at->elem);
        if (rc == 0)
            rc = meet(g, at->key);
        for (j = 0; j < nfields(at) && rc == 0; j++)
            rc = meet(g, at->fields[j].type);
    }
    return rc;
}

static const struct node *node_of(const struct graph *g,
    const struct vdl_type *t)
{
    return &g->v[*slot_of(g, t) - 1];
}

static bool part_changes(const struct graph *g, const struct vdl_type *t)
{
    uint32_t i;

    if (t->elem != NULL && node_of(g, t->elem)->changes)
        return true;
    if (t->key != NULL && node_of(g, t->key)->changes)
        return true;
    for (i = 0; i < nfields(t); i++)
        if (node_of(g, t->fields[i].type)->changes)
            return true;
    return false;
}

/*
 * Whatever contains what changes, changes. Parts were met after the whole
 * unless they are around it, too: backwards, one pass does nearly always.
 * Returns how many there are.
 */
static uint32_t spread(struct graph *g)
{
    uint32_t i, n = 0;
    bool again;

    do {
        again = false;
        for (i = g->n; i-- > 0;)
            if (!g->v[i].changes && part_changes(g, g->v[i].t))
                g->v[i].changes = again = true;
    } while (again);
    for (i = 0; i < g->n; i++)
        if (g->v[i].changes)
            g->v[i].built = n++;
    return n;
}

/* ---- building ------------------------------------------------------------ */

static struct vdl_type_ref ref(const struct graph *g, const struct vdl_type *t)
{
    struct vdl_type_ref r = { NULL, 0 };
    const struct node *x;

    if (t == NULL)
        return r;
    x = node_of(g, t);
    if (x->changes)
        r.node = x->built;
    else
        r.type = t;
    return r;
}

static int members(const struct graph *g, const struct node *x,
    struct vdl_type_node *out)
{
    const struct vdl_type *t = x->t;
    struct vdl_type_member *m;
    uint32_t i, n = 0;

    m = v23_arena_get0(g->a, (size_t)t->count + 1, sizeof(*m),
        V23_ALIGNOF(struct vdl_type_member));
    if (m == NULL)
        return V23_ENOMEM;
    for (i = 0; i < t->count; i++) {
        if (is_dropped(x->rule, t->fields[i].name))
            continue;
        m[n].name = t->fields[i].name;
        m[n++].type = ref(g, t->fields[i].type);
    }
    if (x->rule != NULL && x->rule->adds != NULL) {
        m[n].name = vdl_str(x->rule->adds);
        m[n++].type.type = &vdl_bool_desc;
    }
    out->members = m;
    out->nmembers = n;
    return 0;
}

static int describe(const struct graph *g, const struct node *x,
    struct vdl_type_node *out)
{
    const struct vdl_type *t = x->t;

    out->kind = (enum vdl_kind)t->kind;
    out->name = t->name;
    if (x->rule != NULL && x->rule->becomes != NULL)
        out->name = vdl_str(x->rule->becomes);
    out->elem = ref(g, t->elem);
    out->key = ref(g, t->key);
    out->len = t->kind == VDL_ARRAY ? t->count : 0;
    if (t->kind == VDL_STRUCT || t->kind == VDL_UNION)
        return members(g, x, out);
    return 0;
}

/* A field's type that shall have no name is one more node at the end. */
static void unname(const struct node *x, struct vdl_type_node *nodes,
    uint32_t *n)
{
    struct vdl_type_member *m;
    const struct vdl_type *t;
    int i;

    if (x->rule == NULL || x->rule->unnames == NULL)
        return;
    i = vdl_type_field_index(x->t, vdl_str(x->rule->unnames));
    if (i < 0)
        return;
    t = x->t->fields[i].type;
    if (t->kind != VDL_ENUM || t->name.n == 0)
        return;
    nodes[*n].kind = VDL_ENUM;
    nodes[*n].labels = t->labels;
    nodes[*n].nmembers = t->count;
    /* members() made them. */
    m = (struct vdl_type_member *)(uintptr_t)nodes[x->built].members;
    m[i].type.type = NULL;
    m[i].type.node = (*n)++;
}

static int build(const struct graph *g, uint32_t n, struct vdl_types *types,
    const struct vdl_type **out)
{
    struct vdl_type_node *nodes;
    const struct vdl_type **made;
    uint32_t i, total = n;
    int rc = 0;

    nodes = v23_arena_get0(g->a, 2 * (size_t)n, sizeof(*nodes),
        V23_ALIGNOF(struct vdl_type_node));
    made = v23_arena_get0(g->a, 2 * (size_t)n, sizeof(*made),
        V23_ALIGNOF(const struct vdl_type *));
    if (nodes == NULL || made == NULL)
        return V23_ENOMEM;
    for (i = 0; i < g->n && rc == 0; i++)
        if (g->v[i].changes)
            rc = describe(g, &g->v[i], &nodes[g->v[i].built]);
    for (i = 0; i < g->n && rc == 0; i++)
        if (g->v[i].changes)
            unname(&g->v[i], nodes, &total);
    if (rc == 0)
        rc = vdl_types_build(types, nodes, total, made);
    if (rc == 0)
        *out = made[g->v[0].built];
    return rc;
}

/*
 * What a type becomes; `t` itself if nothing changes. The types that stay are
 * referred to, so `t` must outlive the set. Makes the set when it is needed.
 */
static int translate(const struct v23_alloc *al, const struct vdl_type *t,
    struct vdl_types **types, const struct vdl_type **out)
{
    struct v23_arena tmp;
    struct graph g;
    uint32_t n = 0;
    int rc;

    v23_arena_init(&tmp, al, SIZE_MAX);
    memset(&g, 0, sizeof(g));
    g.a = &tmp;
    rc = walk(&g, t);
    if (rc == 0)
        n = spread(&g);
    if (rc == 0 && n > 0 && *types == NULL)
        rc = vdl_types_new(al, NULL, types);
    if (rc == 0 && n > 0)
        rc = build(&g, n, *types, out);
    else if (rc == 0)
        *out = t;
    v23_arena_fini(&tmp);
    return rc;
}

/* ---- the table ----------------------------------------------------------- */

struct wspr_bridge_slot_ {
    const struct vdl_type *at; /* where the type was; NULL = free */
    const struct vdl_type *from, *to;
};

void wspr_bridge_init_(struct wspr_bridge_ *b, const struct v23_alloc *al,
    const struct wspr_bridge_ *base)
{
    memset(b, 0, sizeof(*b));
    b->al = al;
    b->base = base;
    v23_arena_init_small(&b->mem, al, SIZE_MAX, 128);
}

void wspr_bridge_fini_(struct wspr_bridge_ *b)
{
    v23_put(b->al, b->slots);
    vdl_types_unref(b->types);
    v23_arena_fini(&b->mem);
    b->slots = NULL;
    b->types = NULL;
}

static struct wspr_bridge_slot_ *find(const struct wspr_bridge_ *b,
    const struct vdl_type *t)
{
    uint32_t i = (uint32_t)hash(t) & (b->nslots - 1);

    while (b->slots[i].at != NULL && b->slots[i].at != t)
        i = (i + 1) & (b->nslots - 1);
    return &b->slots[i];
}

static int more_slots(struct wspr_bridge_ *b)
{
    struct wspr_bridge_slot_ *old = b->slots, *v;
    uint32_t n = b->nslots, i;

    if (2 * (b->used + 1) <= n)
        return 0;
    v = v23_get(b->al, (n == 0 ? 16 : 2 * (size_t)n) * sizeof(*v));
    if (v == NULL)
        return V23_ENOMEM;
    b->nslots = n == 0 ? 16 : 2 * n;
    memset(v, 0, b->nslots * sizeof(*v));
    b->slots = v;
    for (i = 0; i < n; i++)
        if (old[i].at != NULL)
            *find(b, old[i].at) = old[i];
    v23_put(b->al, old);
    return 0;
}

static int copy_type(struct v23_arena *a, const struct vdl_type *t,
    const struct vdl_type **out)
{
    return vdl_copy(a, &vdl_typeobject_desc, out, &t);
}

/* The table is full: what the type becomes lives in the caller's arena. */
static int once(struct wspr_bridge_ *b, struct v23_arena *a,
    const struct vdl_type *t, const struct vdl_type **out)
{
    struct vdl_types *types = NULL;
    const struct vdl_type *own;
    int rc = copy_type(a, t, &own);

    if (rc == 0)
        rc = translate(b->al, own, &types, out);
    if (rc == 0 && *out == own)
        *out = t;
    if (rc == 0 && types != NULL)
        rc = v23_arena_hold(a, vdl_types_ref(types));
    vdl_types_unref(types);
    return rc;
}

static int learn(struct wspr_bridge_ *b, const struct vdl_type *t,
    struct wspr_bridge_slot_ *made)
{
    int rc = copy_type(&b->mem, t, &made->from);

    made->at = t;
    if (rc == 0)
        rc = translate(b->al, made->from, &b->types, &made->to);
    if (rc == 0)
        rc = more_slots(b);
    if (rc != 0)
        return rc;
    *find(b, t) = *made;
    b->used++; /* counts types, too, whose place another one has taken */
    return 0;
}

static bool is_plain(const struct vdl_type *t)
{
    return t->name.n == 0 && t->elem == NULL && t->key == NULL &&
        t->fields == NULL;
}

int wspr_bridge_type_(struct wspr_bridge_ *b, struct v23_arena *a,
    const struct vdl_type *t, const struct vdl_type **out)
{
    struct wspr_bridge_slot_ known = { NULL, NULL, NULL };
    int rc;

    if (is_plain(t)) {
        *out = t;
        return 0;
    }
    if (b->base != NULL && b->base->nslots > 0)
        known = *find(b->base, t);
    if (known.at == NULL && b->nslots > 0)
        known = *find(b, t);
    if (known.at == NULL || !vdl_type_equal(known.from, t)) {
        if (b->used >= MAX_KNOWN)
            return once(b, a, t, out);
        rc = learn(b, t, &known);
        if (rc != 0)
            return rc;
    }
    *out = known.to == known.from ? t : known.to;
    return 0;
}

/* BSD-3-Clause; see LICENSE. */
/*
 * Sets of run-time types and their construction from nodes.
 *
 * A build first makes a descriptor per node with its pointers in place, then
 * checks and completes the new part of the graph in passes that are linear in
 * it and do not recurse. Unnamed scalars and lists that have a built-in
 * descriptor become that descriptor. Until all passes are through nothing of
 * the set has changed but its arena, which is wound back on failure.
 */
#include "type_build_int.h"
#include "sort_int.h"

/* Labels and union fields are numbered in 16 bits. */
#define MEMBERS_MAX 65536

static void destroy(struct v23_ref *ref)
{
    struct vdl_types *ts = (struct vdl_types *)(void *)ref;
    const struct v23_alloc *al = ts->al;

    v23_arena_fini(&ts->mem);
    v23_put(al, ts);
}

int vdl_types_new(const struct v23_alloc *al,
    const struct vdl_type_limits *limits, struct vdl_types **out)
{
    static const struct vdl_type_limits host = VDL_TYPE_LIMITS_HOST;
    struct vdl_types *ts = v23_new(al, struct vdl_types);

    if (ts == NULL)
        return V23_ENOMEM;
    ts->ref.n = 1;
    ts->ref.destroy = destroy;
    ts->al = al;
    ts->limits = limits == NULL ? host : *limits;
    if (ts->limits.members > MEMBERS_MAX)
        ts->limits.members = MEMBERS_MAX;
    v23_arena_init(&ts->mem, al, SIZE_MAX);
    *out = ts;
    return 0;
}

struct v23_ref *vdl_types_ref(struct vdl_types *ts)
{
    return &ts->ref;
}

void vdl_types_unref(struct vdl_types *ts)
{
    if (ts != NULL)
        v23_unref(&ts->ref);
}

void vdl_types_settle(struct vdl_types *ts)
{
    struct vdl_built_ *x;

    if (ts == NULL)
        return;
    for (x = ts->last; x != NULL; x = x->prev)
        x->t.flags &= (uint8_t)~(VDL_T_BUILT_ | VDL_T_NOKEY_);
}

uint32_t vdl_made_index_(const struct vdl_build_ *b, const struct vdl_type *t)
{
    const struct vdl_built_ *x;

    if ((t->flags & VDL_T_BUILT_) == 0)
        return UINT32_MAX;
    x = (const struct vdl_built_ *)(const void *)t;
    return x->owner == b->ts && x->build == b->ts->builds ? x->index
                                                          : UINT32_MAX;
}

/* ---- rules for one node -------------------------------------------------- */

static bool ref_ok(const struct vdl_build_ *b, const struct vdl_type_ref *r)
{
    return r->type != NULL || r->node < b->n;
}

static int by_name(const void *ctx, uint32_t i, uint32_t j)
{
    const struct vdl_type_member *m = ctx;

    return vdl_str_cmp(m[i].name, m[j].name);
}

static int check_fields(struct vdl_build_ *b, const struct vdl_type_node *node)
{
    const struct vdl_type_member *m = node->members;
    uint32_t i, n = node->nmembers, *order;
    struct v23_arena_mark mark;
    int rc = 0;

    if (n == 0)
        return node->kind == VDL_UNION ? V23_ETYPE : 0;
    for (i = 0; i < n; i++)
        if (m[i].name.n == 0 || !ref_ok(b, &m[i].type))
            return V23_ETYPE;
    mark = v23_arena_mark(&b->tmp);
    order = v23_arena_get0(&b->tmp, 2 * (size_t)n, sizeof(*order),
        sizeof(uint32_t));
    if (order == NULL)
        return V23_ENOMEM;
    order = vdl_sort_(order, n, by_name, m);
    for (i = 1; i < n; i++)
        if (by_name(m, order[i - 1], order[i]) == 0)
            rc = V23_ETYPE;
    v23_arena_rewind(&b->tmp, mark);
    return rc;
}

static int check_labels(const struct vdl_type_node *node)
{
    uint32_t i;

    if (node->nmembers == 0)
        return V23_ETYPE;
    for (i = 0; i < node->nmembers; i++)
        if (node->labels[i].n == 0)
            return V23_ETYPE;
    return 0;
}

static int check_node(struct vdl_build_ *b, const struct vdl_type_node *node)
{
    if (node->renames)
        return node->name.n != 0 && ref_ok(b, &node->elem) ? 0 : V23_ETYPE;
    if (node->nmembers > b->ts->limits.members)
        return V23_ELIMIT;
    switch (node->kind) {
    case VDL_ANY:
    case VDL_TYPEOBJECT:
        return node->name.n == 0 ? 0 : V23_ETYPE;
    case VDL_ENUM:
        return check_labels(node);
    case VDL_ARRAY:
        if (node->len == 0 || node->len > INT64_MAX)
            return V23_ETYPE;
        if (node->len > UINT32_MAX)
            return V23_ELIMIT;
        return ref_ok(b, &node->elem) ? 0 : V23_ETYPE;
    case VDL_OPTIONAL:
    case VDL_LIST:
        return ref_ok(b, &node->elem) ? 0 : V23_ETYPE;
    case VDL_SET:
        return ref_ok(b, &node->key) ? 0 : V23_ETYPE;
    case VDL_MAP:
        return ref_ok(b, &node->key) && ref_ok(b, &node->elem) ? 0 : V23_ETYPE;
    case VDL_STRUCT:
    case VDL_UNION:
        return check_fields(b, node);
    default:
        return (unsigned)node->kind < VDL_KINDS ? 0 : V23_ETYPE;
    }
}

/* ---- renamed types ------------------------------------------------------- */

/* What a node is made from: the end of its chain of renames. */
struct base {
    const struct vdl_type *type;      /* a finished type, or */
    const struct vdl_type_node *node; /* a node that does not rename */
};

static int find_base(struct vdl_build_ *b, struct base *bases, uint32_t i)
{
    const struct vdl_type_node *node = &b->nodes[i];
    struct base base = { NULL, NULL };
    uint32_t at = i, next, steps;

    for (steps = 0; base.type == NULL && base.node == NULL; steps++) {
        node = &b->nodes[at];
        if (steps > b->n)
            return V23_ETYPE;
        if (bases[at].type != NULL || bases[at].node != NULL)
            base = bases[at];
        else if (!node->renames)
            base.node = node;
        else if (node->elem.type != NULL)
            base.type = vdl_wire_(node->elem.type);
        else
            at = node->elem.node;
    }
    /* All of the chain has the same end: no chain is followed twice. */
    for (at = i; bases[at].type == NULL && bases[at].node == NULL; at = next) {
        next = b->nodes[at].elem.node;
        bases[at] = base;
        if (!b->nodes[at].renames || b->nodes[at].elem.type != NULL)
            break;
    }
    return 0;
}

/* ---- making descriptors -------------------------------------------------- */

static const struct vdl_type *builtin_list(const struct vdl_type *elem)
{
    if (elem == &vdl_byte_desc)
        return &vdl_bytes_desc;
    if (elem == &vdl_string_desc)
        return &vdl_str_list_desc;
    return elem == &vdl_any_desc ? &vdl_any_list_desc : NULL;
}

static const struct vdl_type *deref(const struct vdl_build_ *b,
    const struct vdl_type_ref *r)
{
    return r->type != NULL ? r->type : b->types[r->node];
}

/* Give every node a descriptor: a built-in one or an empty new one. */
static int place(struct vdl_build_ *b)
{
    const struct vdl_type_node *node;
    struct vdl_built_ *x;
    uint32_t i;

    for (i = 0; i < b->n; i++) {
        node = &b->nodes[i];
        if (!node->renames && node->name.n == 0)
            b->types[i] = vdl_builtin_[node->kind];
    }
    for (i = 0; i < b->n; i++) {
        node = &b->nodes[i];
        if (node->kind == VDL_LIST && !node->renames && node->name.n == 0)
            b->types[i] = builtin_list(deref(b, &node->elem));
        if (b->types[i] != NULL)
            continue;
        if (b->nmade == b->ts->limits.types - b->ts->n)
            return V23_ELIMIT;
        x = v23_arena_new(&b->ts->mem, struct vdl_built_);
        if (x == NULL)
            return V23_ENOMEM;
        x->t.flags = VDL_T_BUILT_;
        x->owner = b->ts;
        x->same = x;
        x->build = b->ts->builds;
        x->index = b->nmade;
        b->made[b->nmade++] = x;
        b->types[i] = &x->t;
    }
    return 0;
}

static int copy_str(struct vdl_build_ *b, struct vdl_str *to,
    struct vdl_str from)
{
    to->n = from.n;
    to->p = from.n == 0 ? NULL : v23_arena_dup(&b->ts->mem, from.p, from.n);
    return from.n != 0 && to->p == NULL ? V23_ENOMEM : 0;
}

static int fill_fields(struct vdl_build_ *b, struct vdl_type *t,
    const struct vdl_type_node *node)
{
    struct vdl_field *f;
    uint32_t i;

    if (node->nmembers == 0)
        return 0;
    f = v23_arena_get0(&b->ts->mem, node->nmembers, sizeof(*f),
        _Alignof(struct vdl_field));
    if (f == NULL)
        return V23_ENOMEM;
    for (i = 0; i < node->nmembers; i++) {
        f[i].type = deref(b, &node->members[i].type);
        if (copy_str(b, &f[i].name, node->members[i].name) != 0)
            return V23_ENOMEM;
    }
    t->fields = f;
    return 0;
}

static int fill_labels(struct vdl_build_ *b, struct vdl_type *t,
    const struct vdl_type_node *node)
{
    struct vdl_str *labels;
    uint32_t i;

    labels = v23_arena_get0(&b->ts->mem, node->nmembers, sizeof(*labels),
        _Alignof(struct vdl_str));
    if (labels == NULL)
        return V23_ENOMEM;
    for (i = 0; i < node->nmembers; i++)
        if (copy_str(b, &labels[i], node->labels[i]) != 0)
            return V23_ENOMEM;
    t->labels = labels;
    return 0;
}

static int fill_from_node(struct vdl_build_ *b, struct vdl_type *t,
    const struct vdl_type_node *node)
{
    t->kind = (uint8_t)node->kind;
    switch (node->kind) {
    case VDL_ARRAY:
        t->count = (uint32_t)node->len;
        t->elem = deref(b, &node->elem);
        return 0;
    case VDL_OPTIONAL:
    case VDL_LIST:
        t->elem = deref(b, &node->elem);
        return 0;
    case VDL_MAP:
        t->elem = deref(b, &node->elem);
        t->key = deref(b, &node->key);
        return 0;
    case VDL_SET:
        t->key = deref(b, &node->key);
        return 0;
    case VDL_ENUM:
        t->count = node->nmembers;
        return fill_labels(b, t, node);
    case VDL_STRUCT:
    case VDL_UNION:
        t->count = node->nmembers;
        return fill_fields(b, t, node);
    default:
        return 0;
    }
}

/* The structure of a finished type; labels and field names are shared. */
static int fill_from_type(struct vdl_build_ *b, struct vdl_type *t,
    const struct vdl_type *base)
{
    t->kind = base->kind;
    t->elem = base->elem;
    t->key = base->key;
    t->count = base->count;
    t->labels = base->labels;
    if (base->count != 0 && base->fields != NULL) {
        struct vdl_field *f = v23_arena_get0(&b->ts->mem, base->count,
            sizeof(*f), _Alignof(struct vdl_field));

        if (f == NULL)
            return V23_ENOMEM;
        memcpy(f, base->fields, base->count * sizeof(*f));
        t->fields = f;
    }
    return 0;
}

static int fill(struct vdl_build_ *b)
{
    struct base *bases = v23_arena_get0(&b->tmp, b->n, sizeof(*bases),
        sizeof(void *));
    struct vdl_type *t;
    uint32_t i, at;
    int rc;

    if (bases == NULL)
        return V23_ENOMEM;
    for (i = 0; i < b->n; i++) {
        at = vdl_made_index_(b, b->types[i]);
        if (at == UINT32_MAX)
            continue;
        t = &b->made[at]->t;
        rc = find_base(b, bases, i);
        if (rc == 0)
            rc = bases[i].type != NULL
                ? fill_from_type(b, t, bases[i].type)
                : fill_from_node(b, t, bases[i].node);
        if (rc == 0)
            rc = copy_str(b, &t->name, b->nodes[i].name);
        if (rc == 0 && t->name.n != 0 && !vdl_type_can_be_named(t))
            rc = V23_ETYPE;
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* ---- rules for the graph ------------------------------------------------- */

static int check_graph(struct vdl_build_ *b)
{
    const struct vdl_type *t;
    uint32_t i, *order;
    int rc;

    for (i = 0; i < b->nmade; i++) {
        t = &b->made[i]->t;
        if (t->kind == VDL_OPTIONAL
            && !vdl_type_can_be_optional(vdl_wire_(t->elem)))
            return V23_ETYPE;
    }
    order = v23_arena_get0(&b->tmp, b->nmade + 1u, sizeof(*order),
        sizeof(uint32_t));
    if (order == NULL)
        return V23_ENOMEM;
    rc = vdl_build_order_(b, VDL_EDGES_UNNAMED_, order);
    if (rc == 0)
        rc = vdl_build_layout_(b); /* finds strict cycles */
    if (rc == 0)
        rc = vdl_build_flags_(b);
    if (rc != 0)
        return rc;
    for (i = 0; i < b->nmade; i++) {
        t = &b->made[i]->t;
        if ((t->kind == VDL_SET || t->kind == VDL_MAP)
            && !vdl_type_can_be_key(t->key))
            return V23_ETYPE;
    }
    return vdl_build_names_(b);
}

static int build(struct vdl_build_ *b)
{
    uint32_t i;
    int rc = 0;

    b->types = v23_arena_get0(&b->tmp, b->n, sizeof(*b->types),
        sizeof(void *));
    b->made = v23_arena_get0(&b->tmp, b->n, sizeof(*b->made), sizeof(void *));
    if (b->types == NULL || b->made == NULL)
        return V23_ENOMEM;
    for (i = 0; i < b->n && rc == 0; i++)
        rc = check_node(b, &b->nodes[i]);
    if (rc == 0)
        rc = place(b);
    if (rc == 0)
        rc = fill(b);
    if (rc == 0)
        rc = check_graph(b);
    return rc;
}

int vdl_types_build(struct vdl_types *ts, const struct vdl_type_node *nodes,
    uint32_t n, const struct vdl_type **out)
{
    struct v23_arena_mark mark = v23_arena_mark(&ts->mem);
    struct vdl_build_ b;
    uint32_t i;
    int rc;

    if (n == 0)
        return 0;
    memset(&b, 0, sizeof(b));
    b.ts = ts;
    b.nodes = nodes;
    b.n = n;
    v23_arena_init(&b.tmp, ts->al, SIZE_MAX);
    ts->builds++;
    rc = build(&b);
    if (rc != 0)
        goto out;
    for (i = 0; i < b.nmade; i++) {
        b.made[i]->prev = ts->last;
        ts->last = b.made[i];
    }
    ts->n += b.nmade;
    memcpy(out, b.types, n * sizeof(*out));
out:
    if (rc != 0)
        v23_arena_rewind(&ts->mem, mark);
    v23_arena_fini(&b.tmp);
    return rc;
}

/* The set's unnamed list or optional of a type, made when missing. */
static int derive(struct vdl_types *ts, enum vdl_kind kind,
    const struct vdl_type *elem, const struct vdl_type **out)
{
    struct vdl_type_node node;
    const struct vdl_built_ *x;

    for (x = ts->last; x != NULL; x = x->prev)
        if (x->t.kind == kind && x->t.elem == elem && x->t.name.n == 0) {
            *out = &x->t;
            return 0;
        }
    memset(&node, 0, sizeof(node));
    node.kind = kind;
    node.elem.type = elem;
    return vdl_types_build(ts, &node, 1, out);
}

int vdl_types_list(struct vdl_types *ts, const struct vdl_type *elem,
    const struct vdl_type **out)
{
    return derive(ts, VDL_LIST, elem, out);
}

int vdl_types_optional(struct vdl_types *ts, const struct vdl_type *elem,
    const struct vdl_type **out)
{
    return derive(ts, VDL_OPTIONAL, elem, out);
}

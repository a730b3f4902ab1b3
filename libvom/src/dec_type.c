/* BSD-3-Clause; see LICENSE. */
/*
 * Decoder: the types of one incoming type stream (spec/vom.md 5.3).
 *
 * A definition is pending until a type message without the INCOMPLETE flag
 * (or a value) needs it; then everything it reaches is built at once. Types
 * that the program knows are recognized by their definitions and become the
 * program's descriptors: nothing is built for them.
 */
#include "dec_int.h"
#include "type_int.h"

#include <vom/vom80.h>

const struct vom_options vom_options_host = { .limits = VOM_LIMITS_HOST,
    .recognizer = &vom_recognizer, .converter = &vom_converter };

static void destroy(struct v23_ref *ref)
{
    struct vom_typedec *td = (struct vom_typedec *)(void *)ref;
    const struct v23_alloc *al = td->al;
    size_t i;

    vom_plans_free_(td);
    for (i = 0; i < td->ndefs; i++)
        v23_put(al, td->defs[i].pending);
    v23_put(al, td->defs);
    vdl_types_unref(td->set);
    v23_put(al, td);
}

int vom_typedec_new_(const struct v23_alloc *al,
    const struct vom_options *opt, struct vom_typedec **out)
{
    struct vom_typedec *td = v23_new(al, struct vom_typedec);

    if (td == NULL)
        return V23_ENOMEM;
    td->ref.n = 1;
    td->ref.destroy = destroy;
    td->al = al;
    td->opt = *opt;
    *out = td;
    return 0;
}

struct v23_ref *vom_typedec_ref(struct vom_typedec *td)
{
    return &td->ref;
}

void vom_typedec_unref(struct vom_typedec *td)
{
    if (td != NULL)
        v23_unref(&td->ref);
}

size_t vom_typedec_count(const struct vom_typedec *td)
{
    return td->ndefs;
}

/* ---- table --------------------------------------------------------------- */

static const struct vdl_type *builtin(const struct vom_typedec *td,
    uint64_t id)
{
    uint64_t elem;
    unsigned kind = vom_wire_kind_(id, &elem);
    const struct vdl_type *t = NULL;

    if (kind == VDL_LIST)
        t = elem == VOM_ID_BYTE_ ? &vdl_bytes_desc : &vdl_str_list_desc;
    else if (kind != VDL_KINDS)
        t = vdl_builtin_[kind];
    if (td->v80 && t == NULL)
        return td->opt.v80->builtin(id);
    return td->v80 && id == 16 ? NULL : t;
}

/* Number of definitions with smaller ids: where an id is or belongs. */
static size_t place_of(const struct vom_typedec *td, uint64_t id)
{
    size_t lo = 0, hi = td->ndefs, mid;

    /* Most streams use consecutive ids. */
    if (hi != 0 && id >= td->defs[0].id && id - td->defs[0].id < hi
        && td->defs[id - td->defs[0].id].id == id)
        return (size_t)(id - td->defs[0].id);
    while (lo < hi) {
        mid = lo + (hi - lo) / 2;
        if (td->defs[mid].id < id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static struct vom_def_ *find(struct vom_typedec *td, uint64_t id)
{
    size_t i = place_of(td, id);

    return i < td->ndefs && td->defs[i].id == id ? &td->defs[i] : NULL;
}

static int insert(struct vom_typedec *td, uint64_t id,
    struct vom_pending_ *pending)
{
    size_t i = place_of(td, id);
    void *v = td->defs;
    int rc = v23_reserve(td->al, &v, &td->defs_cap, td->ndefs + 1,
        td->opt.limits.types.types, sizeof(*td->defs));

    if (rc != 0)
        return rc;
    td->defs = v;
    memmove(&td->defs[i + 1], &td->defs[i],
        (td->ndefs - i) * sizeof(*td->defs));
    td->defs[i] = (struct vom_def_){ id, NULL, pending };
    td->ndefs++;
    td->npending++;
    return 0;
}

/* ---- building ------------------------------------------------------------ */

/* What one build works on. */
struct build {
    struct vom_typedec *td;
    struct v23_arena tmp;
    struct vom_def_ **defs;
    uint32_t n;
    struct vdl_type_node *nodes;
    const struct vdl_type **types;
};

/* Note the definition behind an id as one to be built. */
static int collect(struct build *b, uint64_t id)
{
    struct vom_def_ *d;

    if (id < VOM_FIRST_USER_ID)
        return builtin(b->td, id) == NULL ? V23_EID : 0;
    d = find(b->td, id);
    if (d == NULL)
        return V23_EID;
    if (d->type != NULL || d->pending->index != 0)
        return 0;
    b->defs[b->n] = d;
    d->pending->index = ++b->n;
    return 0;
}

static int collect_subs(struct build *b, const struct vom_pending_ *w)
{
    uint32_t i;
    int rc = 0;

    switch (w->alt) {
    case 1: /* enum */
        return 0;
    case 6: /* struct */
    case 7: /* union */
        for (i = 0; rc == 0 && i < w->nmembers; i++)
            rc = collect(b, w->members[i].type);
        return rc;
    case 5: /* map */
        rc = collect(b, w->sub[0]);
        return rc == 0 ? collect(b, w->sub[1]) : rc;
    default:
        return collect(b, w->sub[0]);
    }
}

static struct vdl_type_ref ref_to(const struct build *b, uint64_t id)
{
    struct vdl_type_ref r = { NULL, 0 };
    const struct vom_def_ *d;

    if (id < VOM_FIRST_USER_ID) {
        r.type = builtin(b->td, id);
        return r;
    }
    d = find(b->td, id);
    if (d->type != NULL)
        r.type = d->type;
    else
        r.node = d->pending->index - 1;
    return r;
}

/* Kinds of the alternatives of a type message; the first one renames. */
static const uint8_t alt_kinds[] = { VDL_ANY, VDL_ENUM, VDL_ARRAY, VDL_LIST,
    VDL_SET, VDL_MAP, VDL_STRUCT, VDL_UNION, VDL_OPTIONAL };

static int fill_node(struct build *b, struct vdl_type_node *node,
    const struct vom_pending_ *w)
{
    struct vdl_type_member *m = NULL;
    uint32_t i;

    node->kind = (enum vdl_kind)alt_kinds[w->alt];
    node->name = w->name;
    node->nmembers = w->nmembers;
    node->labels = w->labels;
    node->renames = w->alt == 0;
    if (node->kind == VDL_ENUM)
        return 0;
    if (node->kind == VDL_SET || node->kind == VDL_MAP)
        node->key = ref_to(b, w->sub[0]);
    else if (node->kind != VDL_STRUCT && node->kind != VDL_UNION)
        node->elem = ref_to(b, w->sub[0]);
    if (node->kind == VDL_MAP)
        node->elem = ref_to(b, w->sub[1]);
    if (node->kind == VDL_ARRAY)
        node->len = w->sub[1];
    if (w->nmembers == 0)
        return 0;
    m = v23_arena_get0(&b->tmp, w->nmembers, sizeof(*m),
        V23_ALIGNOF(struct vdl_type_member));
    if (m == NULL)
        return V23_ENOMEM;
    for (i = 0; i < w->nmembers; i++) {
        m[i].name = w->members[i].name;
        m[i].type = ref_to(b, w->members[i].type);
    }
    node->members = m;
    return 0;
}

/* ---- types that the program knows ---------------------------------------- */

/* Which descriptors the collected definitions would be. */
struct match {
    const struct build *b;
    const struct vdl_type **types; /* by position; NULL: not reached */
    uint32_t *todo;                /* positions to be compared */
    uint32_t ntodo;
};

static bool same_type(const struct vdl_type *a, const struct vdl_type *b)
{
    return a == b || vdl_type_equal(a, b);
}

/* Is what an id stands for the type t? Pending ones are noted. */
static bool expect(struct match *m, uint64_t id, const struct vdl_type *t)
{
    struct vdl_type_ref r = ref_to(m->b, id);

    if (t->wire != NULL)
        return false;
    if (r.type != NULL)
        return same_type(r.type, t);
    if (m->types[r.node] != NULL)
        return same_type(m->types[r.node], t);
    m->types[r.node] = t;
    m->todo[m->ntodo++] = r.node;
    return true;
}

static bool expect_members(struct match *m, const struct vom_pending_ *w,
    const struct vdl_type *t)
{
    uint32_t i;

    if (w->nmembers != t->count)
        return false;
    for (i = 0; i < t->count; i++)
        if (!vdl_str_eq(w->members[i].name, t->fields[i].name)
            || !expect(m, w->members[i].type, t->fields[i].type))
            return false;
    return true;
}

static bool expect_labels(const struct vom_pending_ *w,
    const struct vdl_type *t)
{
    uint32_t i;

    if (w->nmembers != t->count)
        return false;
    for (i = 0; i < t->count; i++)
        if (!vdl_str_eq(w->labels[i], t->labels[i]))
            return false;
    return true;
}

static bool is_alike(const struct vom_pending_ *w, const struct vdl_type *t)
{
    return (w->alt == 0 || alt_kinds[w->alt] == t->kind)
        && vdl_str_eq(w->name, t->name);
}

static bool compare(struct match *m, const struct vom_pending_ *w,
    const struct vdl_type *t)
{
    struct vdl_type_ref base;

    if (!is_alike(w, t))
        return false;
    switch (t->kind) {
    case VDL_STRUCT:
    case VDL_UNION:
        return w->alt != 0 && expect_members(m, w, t);
    case VDL_ENUM:
        return w->alt != 0 && expect_labels(w, t);
    case VDL_ARRAY:
        return w->alt != 0 && w->sub[1] == t->count
            && expect(m, w->sub[0], t->elem);
    case VDL_OPTIONAL:
    case VDL_LIST:
        return w->alt != 0 && expect(m, w->sub[0], t->elem);
    case VDL_SET:
        return w->alt != 0 && expect(m, w->sub[0], t->key);
    case VDL_MAP:
        return w->alt != 0 && expect(m, w->sub[0], t->key)
            && expect(m, w->sub[1], t->elem);
    default: /* a name for a scalar */
        if (w->alt != 0)
            return false;
        base = ref_to(m->b, w->sub[0]);
        return base.type != NULL && base.type->kind == t->kind;
    }
}

/* Take definition `at`, and what it reaches, for the descriptor t. */
static bool adopt(struct match *m, uint32_t at, const struct vdl_type *t)
{
    struct vom_typedec *td = m->b->td;
    struct vom_def_ *d;
    uint32_t i;

    memset(m->types, 0, m->b->n * sizeof(*m->types));
    m->types[at] = t;
    m->todo[0] = at;
    m->ntodo = 1;
    while (m->ntodo > 0) {
        i = m->todo[--m->ntodo];
        if (!compare(m, m->b->defs[i]->pending, m->types[i]))
            return false;
    }
    for (i = 0; i < m->b->n; i++)
        if (m->types[i] != NULL) {
            d = m->b->defs[i];
            d->type = m->types[i];
            v23_put(td->al, d->pending);
            d->pending = NULL;
            td->npending--;
        }
    return true;
}

static void recognize(struct match *m, uint32_t at)
{
    const struct vdl_registry *r = &m->b->td->opt.known;
    size_t i;

    for (i = 0; i < r->n; i++)
        if (r->types[i]->wire == NULL
            && is_alike(m->b->defs[at]->pending, r->types[i])
            && adopt(m, at, r->types[i]))
            return;
}

/* What vom_options.recognizer points to. */
struct vom_recognizer {
    /* Leave only what is not known to be built. */
    int (*recognize)(struct build *b);
};

static int recognize_all(struct build *b)
{
    struct match m = { .b = b };
    uint32_t i, n = 0;

    if (b->td->opt.known.n == 0)
        return 0;
    m.types = v23_arena_get0(&b->tmp, b->n, sizeof(*m.types),
        V23_ALIGNOF(struct vdl_type *));
    m.todo = v23_arena_get0(&b->tmp, b->n, sizeof(*m.todo), sizeof(*m.todo));
    if (m.types == NULL || m.todo == NULL)
        return V23_ENOMEM;
    for (i = b->n; i-- > 0;) /* what needs no other first */
        if (b->defs[i]->type == NULL)
            recognize(&m, i);
    for (i = 0; i < b->n; i++)
        if (b->defs[i]->type == NULL) {
            b->defs[n] = b->defs[i];
            b->defs[n]->pending->index = n + 1;
            n++;
        }
    b->n = n;
    return 0;
}

const struct vom_recognizer vom_recognizer = { recognize_all };

/* ---- building, continued ------------------------------------------------- */

static int build_collected(struct build *b)
{
    struct vom_typedec *td = b->td;
    uint32_t i;
    int rc;

    b->nodes = v23_arena_get0(&b->tmp, b->n, sizeof(*b->nodes),
        V23_ALIGNOF(struct vdl_type_node));
    b->types = v23_arena_get0(&b->tmp, b->n, sizeof(*b->types),
        V23_ALIGNOF(struct vdl_type *));
    if (b->nodes == NULL || b->types == NULL)
        return V23_ENOMEM;
    for (i = 0; i < b->n; i++) {
        rc = fill_node(b, &b->nodes[i], b->defs[i]->pending);
        if (rc != 0)
            return rc;
    }
    if (td->set == NULL) {
        rc = vdl_types_new(td->al, &td->opt.limits.types, &td->set);
        if (rc != 0)
            return rc;
    }
    rc = vdl_types_build(td->set, b->nodes, b->n, b->types);
    if (rc != 0)
        return rc;
    for (i = 0; i < b->n; i++) {
        b->defs[i]->type = b->types[i];
        v23_put(td->al, b->defs[i]->pending);
        b->defs[i]->pending = NULL;
    }
    td->npending -= b->n;
    b->n = 0;
    return 0;
}

/* V23_EID: something it needs is not defined. */
static int build(struct vom_typedec *td, uint64_t id)
{
    struct build b = { .td = td };
    uint32_t i;
    int rc = V23_ENOMEM;

    v23_arena_init(&b.tmp, td->al, SIZE_MAX);
    b.defs = v23_arena_get0(&b.tmp, td->npending, sizeof(struct vom_def_ *),
        V23_ALIGNOF(struct vom_def_ *));
    if (b.defs == NULL)
        goto out;
    rc = collect(&b, id);
    for (i = 0; rc == 0 && i < b.n; i++)
        rc = collect_subs(&b, b.defs[i]->pending);
    /* Types of version 0x80 may look like others and be coded differently. */
    if (rc == 0 && td->opt.recognizer != NULL && !td->v80)
        rc = td->opt.recognizer->recognize(&b);
    if (rc == 0 && b.n > 0)
        rc = build_collected(&b);
out:
    for (i = 0; i < b.n; i++)
        b.defs[i]->pending->index = 0;
    v23_arena_fini(&b.tmp);
    return rc;
}

const struct vdl_type *vom_typedec_lookup(struct vom_typedec *td, uint64_t id)
{
    struct vom_def_ *d;
    int rc;

    if (id < VOM_FIRST_USER_ID)
        return builtin(td, id);
    d = find(td, id);
    if (d == NULL)
        return NULL;
    if (d->type == NULL && td->err == 0) {
        rc = build(td, id);
        if (rc != 0 && rc != V23_EID)
            td->err = rc;
    }
    return d->type;
}

int vom_typedec_version_(struct vom_typedec *td, uint8_t version, bool *v80)
{
    *v80 = version == VOM_VERSION_80 && td->opt.v80 != NULL;
    if (version != VOM_VERSION && !*v80)
        return V23_EVERSION;
    /* All streams that share the types are of one version. */
    if ((td->started || td->ndefs != 0) && td->v80 != *v80)
        return V23_EVERSION;
    td->v80 = *v80;
    return 0;
}

/* ---- type messages ------------------------------------------------------- */

static int define(struct vom_typedec *td, uint64_t id, bool incomplete,
    const uint8_t *p, size_t n)
{
    struct vom_pending_ *w;
    int rc;

    if (id < VOM_FIRST_USER_ID || find(td, id) != NULL)
        return V23_EID;
    if (n > td->opt.limits.type_stream - td->bytes)
        return V23_ELIMIT;
    td->bytes += n;
    rc = vom_wire_parse_(td->al, td->opt.limits.types.members, p, n, &w);
    if (rc != 0)
        return rc;
    rc = insert(td, id, w);
    if (rc != 0) {
        v23_put(td->al, w);
        return rc;
    }
    return incomplete || td->v80 ? 0 : build(td, id);
}

int vom_typedec_message_(struct vom_typedec *td, uint64_t id, bool incomplete,
    const uint8_t *p, size_t n)
{
    if (td->err == 0)
        td->err = define(td, id, incomplete, p, n);
    return td->err;
}

int vom_typedec_body_(struct vom_typedec *td, uint64_t id, bool incomplete,
    const uint8_t **p, const uint8_t *end, size_t *need)
{
    uint64_t len;
    int rc = vom_get_uint(p, end, &len);

    *need = 1;
    if (rc == 0 && len > VOM_LENGTH_MAX_)
        rc = V23_ELENGTH;
    if (rc == 0 && len > td->opt.limits.type_message)
        rc = V23_ELIMIT;
    if (rc == V23_EEOF)
        return V23_EAGAIN;
    if (rc != 0)
        return rc;
    if (len > (size_t)(end - *p)) {
        *need = (size_t)len - (size_t)(end - *p);
        return V23_EAGAIN;
    }
    rc = vom_typedec_message_(td, id, incomplete, *p, (size_t)len);
    *p += len;
    return rc;
}

/* One message of a separate type stream. */
static int type_message(struct vom_typedec *td, const uint8_t **p,
    const uint8_t *end)
{
    bool incomplete = **p == VOM_INCOMPLETE_;
    uint64_t id;
    size_t need;
    int rc;

    if (incomplete && td->v80)
        return V23_ECONTROL;
    if (incomplete)
        ++*p;
    rc = vom_get_uint(p, end, &id);
    if (rc != 0)
        return rc == V23_EEOF ? V23_EAGAIN : rc;
    /* Odd numbers are negative: -(n + 1) for 2n + 1. */
    if ((id & 1) == 0)
        return incomplete ? V23_ECONTROL : V23_EID;
    return vom_typedec_body_(td, (id >> 1) + 1, incomplete, p, end, &need);
}

int vom_typedec_input(struct vom_typedec *td, const uint8_t *p, size_t n,
    size_t *used)
{
    const uint8_t *at = p, *end, *next;
    int rc = td->err;
    bool v80;

    *used = 0;
    if (n == 0)
        return rc;
    end = p + n;
    if (rc == 0 && !td->started) {
        rc = vom_typedec_version_(td, *at++, &v80);
        td->started = rc == 0;
    }
    while (rc == 0 && at != end) {
        next = at;
        rc = type_message(td, &next, end);
        if (rc == 0)
            at = next;
    }
    if (rc == V23_EAGAIN)
        rc = 0;
    td->err = rc;
    *used = (size_t)(at - p);
    return rc;
}

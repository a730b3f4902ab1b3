/* BSD-3-Clause; see LICENSE. */
/*
 * Decoder for small devices: one value into a type known when the program was
 * built, without making descriptors of the peer's types.
 *
 * A type message is checked and its place noted. Whenever a value of that type
 * is read, the message is gone through beside it: types and members are few,
 * and both are bounded, so that a short message cannot cost much.
 */
#include <vom/value.h>

#include "dec_int.h"

enum {
    TYPES = 48,   /* type messages of a stream */
    MEMBERS = 32  /* fields or labels of one */
};

struct def {
    uint64_t id;
    struct vom_cursor_ body;
};

struct lean {
    const uint8_t *p, *end;
    struct v23_arena *a;
    const struct vom_limits *limits;
    uint32_t depth; /* levels of values left */
    uint32_t ndefs;
    struct def defs[TYPES];
};

/* A type of the peer's. */
struct node {
    unsigned kind; /* enum vdl_kind */
    uint32_t count;
    uint64_t sub[2];
    struct vom_cursor_ members;
};

/* ---- types --------------------------------------------------------------- */

static const struct def *find(const struct lean *r, uint64_t id)
{
    uint32_t i;

    for (i = 0; i < r->ndefs; i++)
        if (r->defs[i].id == id)
            return &r->defs[i];
    return NULL;
}

static int scan(const struct def *d, struct vom_pending_ *w,
    struct vom_cursor_ *members)
{
    struct vom_cursor_ c = d->body;

    memset(w, 0, sizeof(*w));
    members->p = members->end = c.end;
    return vom_wire_scan_(&c, MEMBERS, w, &members->p);
}

/* What an id stands for, names apart. */
static int resolve(const struct lean *r, uint64_t id, struct node *n)
{
    struct vom_pending_ w;
    const struct def *d;
    unsigned hops;
    int rc;

    for (hops = 0; hops <= TYPES; hops++) {
        n->kind = vom_wire_kind_(id, &n->sub[0]);
        if (n->kind != VDL_KINDS)
            return 0;
        d = find(r, id);
        if (d == NULL)
            return V23_EID;
        rc = scan(d, &w, &n->members);
        if (rc != 0)
            return rc;
        id = w.sub[0];
        if (w.alt == VOM_WIRE_NAMED_)
            continue;
        n->kind = w.alt == VOM_WIRE_ENUM_ ? VDL_ENUM
            : w.alt == VOM_WIRE_OPTIONAL_
                ? VDL_OPTIONAL
                : VDL_ARRAY + (w.alt - VOM_WIRE_ARRAY_);
        n->count = w.nmembers;
        n->sub[0] = w.sub[0];
        n->sub[1] = w.sub[1];
        return 0;
    }
    return V23_ETYPE;
}

/* ---- parts --------------------------------------------------------------- */

static int value(struct lean *r, uint64_t id, const struct vdl_type *t,
    void *out);

/* A number up to `max`. */
static int get(struct lean *r, uint64_t max, int above, uint64_t *v)
{
    int rc = vom_get_uint(&r->p, r->end, v);

    return rc == 0 && *v > max ? above : rc;
}

/* How many bytes or elements follow, at least a byte each. */
static int get_count(struct lean *r, uint32_t *n)
{
    uint64_t v = 0;
    int rc = vom_get_uint(&r->p, r->end, &v);

    if (rc == 0 && v > (size_t)(r->end - r->p))
        rc = V23_ELENGTH;
    *n = (uint32_t)v;
    return rc;
}

static int get_mem(struct lean *r, size_t n, size_t size, size_t align,
    void **out)
{
    *out = v23_arena_get0(r->a, n, size, align);
    if (*out != NULL)
        return 0;
    return n * size > r->a->limit - r->a->used ? V23_ELIMIT : V23_ENOMEM;
}

static int number(struct lean *r, const struct vdl_type *t, unsigned kind,
    void *out)
{
    uint64_t u, max = UINT64_MAX;
    int rc;

    if (t != NULL && kind >= VDL_FLOAT32)
        return V23_ECOMPAT;
    if (kind == VDL_BOOL)
        max = 1;
    else if (t != NULL && t->size < sizeof(u))
        max = (UINT64_C(1) << (8 * t->size)) - 1;
    rc = get(r, max, V23_EINT, &u);
    if (rc != 0 || t == NULL)
        return rc;
    if (kind >= VDL_INT8)
        u = (uint64_t)vom_unzigzag_(u);
    vdl_set_uint(t, out, u);
    return 0;
}

static int string(struct lean *r, const struct vdl_type *t,
    struct vdl_str *out)
{
    uint32_t n;
    int rc = get_count(r, &n);

    if (rc != 0)
        return rc;
    if (t != NULL && n != 0) {
        out->p = v23_arena_dup(r->a, r->p, n);
        out->n = n;
        if (out->p == NULL)
            return n >= r->a->limit - r->a->used ? V23_ELIMIT : V23_ENOMEM;
    }
    r->p += n;
    return 0;
}

/* Elements of a list or array, to v unless t is NULL. */
static int elements(struct lean *r, uint64_t id, uint32_t n,
    const struct vdl_type *t, uint8_t *v)
{
    struct node elem;
    int rc = resolve(r, id, &elem);

    if (rc != 0 || elem.kind != VDL_BYTE) {
        for (; rc == 0 && n != 0; n--) {
            rc = value(r, id, t, v);
            if (t != NULL)
                v += t->size;
        }
        return rc;
    }
    if (t != NULL && t->kind != VDL_BYTE)
        return V23_ECOMPAT;
    if (n > (size_t)(r->end - r->p))
        return V23_EEOF;
    if (t != NULL && n != 0)
        memcpy(v, r->p, n);
    r->p += n;
    return 0;
}

static int array(struct lean *r, const struct node *n,
    const struct vdl_type *t, void *out)
{
    uint64_t zero;
    int rc = get(r, 0, V23_ELENGTH, &zero);

    if (rc != 0)
        return rc;
    if (t != NULL && n->sub[1] != t->count)
        return V23_ECONVERT;
    /* Each element takes a byte or is refused. */
    if (n->sub[1] > (size_t)(r->end - r->p))
        return V23_EEOF;
    return elements(r, n->sub[0], (uint32_t)n->sub[1],
        t == NULL ? NULL : t->elem, out);
}

static int list(struct lean *r, uint64_t id, const struct vdl_type *t,
    struct vdl_list *out)
{
    void *v = NULL;
    uint32_t n;
    int rc = get_count(r, &n);

    if (rc == 0 && t != NULL && n != 0) {
        rc = get_mem(r, n, t->elem->size, t->elem->align, &v);
        out->v = v;
        out->n = n;
    }
    return rc == 0 ? elements(r, id, n, t == NULL ? NULL : t->elem, v) : rc;
}

static int skip_entries(struct lean *r, const struct node *n)
{
    uint32_t i, count;
    int rc = get_count(r, &count);

    for (i = 0; rc == 0 && i < count; i++) {
        rc = value(r, n->sub[0], NULL, NULL);
        if (rc == 0 && n->kind == VDL_MAP)
            rc = value(r, n->sub[1], NULL, NULL);
    }
    return rc;
}

/* ---- struct and union ---------------------------------------------------- */

/* Field of the target with the name of a member; NULL: there is none. */
static const struct vdl_field *field_of(const struct vdl_type *t,
    const struct vom_member_ *m)
{
    int i = t == NULL ? -1 : vdl_type_field_index(t, m->name);

    return i < 0 ? NULL : &t->fields[i];
}

static int member(struct lean *r, const struct vom_member_ *m,
    const struct vdl_field *f, void *out)
{
    return value(r, m->type, f == NULL ? NULL : f->type,
        f == NULL ? NULL : (uint8_t *)out + f->offset);
}

/* Structs that share no field are not the same thing. */
static int check_shared(const struct node *n, const struct vdl_type *t)
{
    struct vom_cursor_ c = n->members;
    struct vom_member_ m;
    uint32_t i;

    if (t == NULL || n->count == 0 || t->count == 0)
        return 0;
    for (i = 0; i < n->count && vom_wire_member_(&c, &m) == 0; i++)
        if (field_of(t, &m) != NULL)
            return 0;
    return V23_ECOMPAT;
}

/* Fields come in their order; the sender's members are gone through once. */
static int structure(struct lean *r, const struct node *n,
    const struct vdl_type *t, void *out)
{
    struct vom_cursor_ c = n->members;
    struct vom_member_ m;
    const struct vdl_field *f;
    uint64_t i, at = 0;
    bool shared = false;
    int rc;

    for (;;) {
        if (r->p != r->end && *r->p == VOM_END_) {
            r->p++;
            return shared ? 0 : check_shared(n, t);
        }
        rc = vom_get_uint(&r->p, r->end, &i);
        if (rc == 0 && i >= n->count)
            rc = V23_EINDEX;
        if (rc == 0 && i < at)
            rc = V23_ECOMPAT;
        for (; rc == 0 && at <= i; at++)
            rc = vom_wire_member_(&c, &m);
        if (rc != 0)
            return rc;
        f = field_of(t, &m);
        shared = shared || f != NULL;
        rc = member(r, &m, f, out);
        if (rc != 0)
            return rc;
    }
}

static int choice(struct lean *r, const struct node *n,
    const struct vdl_type *t, void *out)
{
    struct vom_cursor_ c = n->members;
    struct vom_member_ m;
    const struct vdl_field *f;
    uint64_t i;
    int rc = vom_get_uint(&r->p, r->end, &i);

    if (rc == 0 && i >= n->count)
        rc = V23_EINDEX;
    if (rc != 0)
        return rc;
    for (i++; rc == 0 && i != 0; i--)
        rc = vom_wire_member_(&c, &m);
    if (rc != 0)
        return rc;
    f = field_of(t, &m);
    if (t != NULL && f == NULL)
        return V23_ECONVERT;
    if (t != NULL)
        vom_set_selector_(out, t->count > 256, (uint32_t)(f - t->fields));
    return member(r, &m, f, out);
}

/* ---- values -------------------------------------------------------------- */

/* What holds other values. */
static int composite(struct lean *r, const struct node *n,
    const struct vdl_type *t, void *out)
{
    switch (n->kind) {
    case VDL_ARRAY:
        return array(r, n, t, out);
    case VDL_LIST:
        return list(r, n->sub[0], t, out);
    case VDL_STRUCT:
        return structure(r, n, t, out);
    case VDL_UNION:
        return choice(r, n, t, out);
    default:
        break;
    }
    if (t != NULL || n->kind == VDL_ANY)
        return V23_ECOMPAT;
    if (n->kind != VDL_OPTIONAL)
        return skip_entries(r, n);
    if (r->p != r->end && *r->p == VOM_NIL_) {
        r->p++;
        return 0;
    }
    return value(r, n->sub[0], NULL, NULL);
}

/* t NULL: read over it. */
static int value(struct lean *r, uint64_t id, const struct vdl_type *t,
    void *out)
{
    struct node n;
    uint64_t label;
    int rc = resolve(r, id, &n);

    if (rc != 0)
        return rc;
    if (t != NULL && t->kind != n.kind)
        return V23_ECOMPAT;
    if (vom_is_scalar_(n.kind))
        return number(r, t, n.kind, out);
    if (n.kind == VDL_STRING)
        return string(r, t, out);
    if (n.kind == VDL_TYPEOBJECT || (t != NULL && n.kind == VDL_ENUM))
        return V23_ECOMPAT;
    if (n.kind == VDL_ENUM)
        return get(r, n.count - UINT64_C(1), V23_EINDEX, &label);
    if (r->depth == 0)
        return V23_ELIMIT;
    r->depth--;
    rc = composite(r, &n, t, out);
    r->depth++;
    return rc;
}

/* ---- messages ------------------------------------------------------------ */

/* Any and typeobject: what holds them travels with lists of types. */
static bool is_typed(uint64_t id)
{
    uint64_t elem;
    unsigned kind = vom_wire_kind_(id, &elem);

    return kind == VDL_ANY || kind == VDL_TYPEOBJECT;
}

/* Check a type and that its parts are not typed. */
static int check_type(const struct def *d)
{
    struct vom_pending_ w;
    struct vom_cursor_ members;
    struct vom_member_ m;
    uint32_t i;
    int rc = scan(d, &w, &members);
    bool typed = is_typed(w.sub[0])
        || (w.alt == VOM_WIRE_MAP_ && is_typed(w.sub[1]));

    if (w.alt == VOM_WIRE_STRUCT_ || w.alt == VOM_WIRE_UNION_)
        for (i = 0; rc == 0 && i < w.nmembers; i++) {
            rc = vom_wire_member_(&members, &m);
            typed = typed || is_typed(m.type);
        }
    return rc == 0 && typed ? V23_ECOMPAT : rc;
}

static int type_message(struct lean *r, uint64_t id)
{
    struct def *d = &r->defs[r->ndefs];
    uint64_t n;
    int rc = get(r, r->limits->type_message, V23_ELIMIT, &n);

    if (rc == 0 && (id < VOM_FIRST_USER_ID || find(r, id) != NULL))
        rc = V23_EID;
    if (rc == 0 && n > (size_t)(r->end - r->p))
        rc = V23_EEOF;
    if (rc == 0 && r->ndefs == TYPES)
        rc = V23_ELIMIT;
    if (rc != 0)
        return rc;
    d->id = id;
    d->body.p = r->p;
    d->body.end = r->p += n;
    r->ndefs++;
    return check_type(d);
}

/* Is there a length in front of a value that stands alone? */
static int has_length(const struct lean *r, uint64_t id, bool *yes)
{
    struct node n, elem;
    int rc = resolve(r, id, &n);

    *yes = n.kind >= VDL_ARRAY || n.kind == VDL_OPTIONAL || n.kind == VDL_ANY;
    if (rc == 0 && (n.kind == VDL_ARRAY || n.kind == VDL_LIST)) {
        rc = resolve(r, n.sub[0], &elem);
        *yes = elem.kind != VDL_BYTE;
    }
    return rc;
}

static int value_message(struct lean *r, uint64_t id,
    const struct vdl_type *t, void *out)
{
    bool length = false;
    uint64_t n;
    int rc = has_length(r, id, &length);

    if (rc == 0 && length) {
        rc = get(r, r->limits->message, V23_ELIMIT, &n);
        if (rc == 0 && n > (size_t)(r->end - r->p))
            rc = V23_EEOF;
        if (rc == 0)
            r->end = r->p + n;
    }
    if (rc == 0)
        rc = value(r, id, t, out);
    return rc == 0 && length && r->p != r->end ? V23_ELENGTH : rc;
}

/* Messages up to the first value. */
static int messages(struct lean *r, const struct vdl_type *t, void *out)
{
    uint64_t id;
    bool incomplete;
    int rc;

    for (;;) {
        incomplete = r->p != r->end && *r->p == VOM_INCOMPLETE_;
        r->p += incomplete;
        rc = vom_get_uint(&r->p, r->end, &id);
        if (rc == 0 && (id & 1) == 0)
            return incomplete ? V23_ECONTROL
                              : value_message(r, id >> 1, t, out);
        if (rc == 0)
            rc = type_message(r, (id >> 1) + 1);
        if (rc != 0)
            return rc;
    }
}

int vom_decode_lean(struct v23_bytes vom, const struct vom_limits *limits,
    struct v23_arena *a, const struct vdl_type *t, void *out, size_t *used)
{
    struct v23_arena_mark mark = v23_arena_mark(a);
    size_t limit = a->limit;
    uint64_t most = limits->alloc_base
        + (uint64_t)vom.n * limits->alloc_factor;
    struct lean r;
    int rc = vom.n == 0 ? V23_EEOF
        : vom.p[0] != VOM_VERSION ? V23_EVERSION : 0;

    if (rc != 0)
        return rc;
    r.p = vom.p + 1;
    r.end = vom.p + vom.n;
    r.a = a;
    r.limits = limits;
    r.depth = limits->depth;
    r.ndefs = 0;
    if (a->used <= limit && limit - a->used > most)
        a->limit = a->used + (size_t)most;
    memset(out, 0, t->size);
    rc = messages(&r, t, out);
    a->limit = limit;
    if (rc == 0 && used == NULL && r.p != vom.p + vom.n)
        rc = V23_ELENGTH;
    if (rc == 0 && used != NULL)
        *used = (size_t)(r.p - vom.p);
    if (rc != 0)
        v23_arena_rewind(a, mark);
    return rc;
}

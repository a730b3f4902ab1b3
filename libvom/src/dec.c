/* BSD-3-Clause; see LICENSE. */
/*
 * Decoder: messages of a value stream (spec/vom.md 3, 9).
 *
 * Framing comes first: vom_dec_next() waits until a whole message is there,
 * so decoding works on contiguous bytes and never suspends inside a value.
 */
#include "dec_int.h"
#include "type_build_int.h"

void vom_dec_init(struct vom_dec *d, const struct v23_alloc *al,
    struct vom_typedec *types, bool split)
{
    (void)al;
    memset(d, 0, sizeof(*d));
    d->types = types;
    v23_ref(&types->ref);
    d->split = split;
}

void vom_dec_fini(struct vom_dec *d)
{
    vom_typedec_unref(d->types);
    memset(d, 0, sizeof(*d));
}

/* ---- framing ------------------------------------------------------------- */

/* Reads the header of a message; V23_EAGAIN when the window ends. */
struct head {
    const uint8_t *p, *end;
    size_t need; /* bytes beyond `end` without which a retry is in vain */
    uint32_t max;
};

static int short_of(struct head *h, size_t need)
{
    h->need = need;
    return V23_EAGAIN;
}

static int get_uint(struct head *h, uint64_t *v)
{
    int rc = vom_get_uint(&h->p, h->end, v);

    return rc == V23_EEOF ? short_of(h, 1) : rc;
}

/* A number that says how many bytes or entries follow. */
static int get_size(struct head *h, size_t *n)
{
    uint64_t v;
    int rc = get_uint(h, &v);

    if (rc != 0)
        return rc;
    if (v > VOM_LENGTH_MAX_)
        return V23_ELENGTH;
    if (v > h->max)
        return V23_ELIMIT;
    *n = (size_t)v;
    return 0;
}

static int get_list(struct head *h, uint64_t max, struct v23_bytes *list,
    uint32_t *count)
{
    const uint8_t *start;
    size_t n, left;
    uint64_t v;
    int rc = get_size(h, &n);

    if (rc != 0)
        return rc;
    start = h->p;
    for (left = n; left != 0; left--) {
        rc = get_uint(h, &v);
        /* Asking for all that must come keeps retries few. */
        if (rc == V23_EAGAIN && left > (size_t)(h->end - h->p))
            h->need = left - (size_t)(h->end - h->p);
        if (rc != 0)
            return rc;
        if (v > max)
            return V23_ELENGTH;
    }
    *list = v23_bytes(start, (size_t)(h->p - start));
    *count = (uint32_t)n;
    return 0;
}

/* Bytes of a value that carries no length. */
static int get_plain(struct head *h, const struct vdl_type *t, bool v80,
    size_t *n)
{
    const uint8_t *start = h->p;
    uint64_t v;
    int rc;

    *n = 0;
    if (t->kind == VDL_BOOL || (t->kind == VDL_BYTE && v80))
        *n = 1;
    else if (t->kind == VDL_ARRAY)
        *n = 1 + (size_t)t->count;
    if (*n > h->max)
        return V23_ELIMIT;
    if (*n != 0)
        return 0;
    if (t->kind == VDL_STRING || t->kind == VDL_LIST)
        rc = get_size(h, n);
    else
        rc = get_uint(h, &v);
    *n += (size_t)(h->p - start);
    h->p = start;
    return rc == 0 && *n > h->max ? V23_ELIMIT : rc;
}

static int get_value(struct vom_dec *d, struct head *h, uint64_t id,
    struct vom_msg *m)
{
    size_t n;
    int rc = 0;

    memset(m, 0, sizeof(*m));
    m->ids = m->lens = v23_bytes(h->p, 0);
    m->type = vom_typedec_lookup(d->types, id);
    if (m->type == NULL) {
        if (d->types->err != 0)
            return d->types->err;
        if (!d->split || id < VOM_FIRST_USER_ID)
            return V23_EID;
        d->waits_type = true;
        return short_of(h, 0);
    }
    if ((m->type->flags & (VDL_T_ANY | VDL_T_TYPEOBJECT)) != 0 && !d->v80)
        rc = get_list(h, UINT64_MAX, &m->ids, &m->nids);
    if (rc == 0 && (m->type->flags & VDL_T_ANY) != 0 && !d->v80)
        rc = get_list(h, VOM_LENGTH_MAX_, &m->lens, &m->nlens);
    if (rc != 0)
        return rc;
    rc = vdl_type_has_length(m->type) ? get_size(h, &n)
                                      : get_plain(h, m->type, d->v80, &n);
    if (rc != 0)
        return rc;
    if ((size_t)(h->end - h->p) < n)
        return short_of(h, n - (size_t)(h->end - h->p));
    m->body = v23_bytes(h->p, n);
    h->p += n;
    return 0;
}

/* One message; *value tells whether m was filled. */
static int next(struct vom_dec *d, struct head *h, struct vom_msg *m,
    bool *value)
{
    bool incomplete;
    uint64_t id;
    int rc;

    *value = false;
    if (h->p == h->end)
        return short_of(h, 1);
    incomplete = *h->p == VOM_INCOMPLETE_;
    if (incomplete && (d->split || d->v80))
        return V23_ECONTROL;
    h->p += incomplete;
    rc = get_uint(h, &id);
    if (rc != 0)
        return rc;
    if (id == 0)
        return V23_EID;
    if ((id & 1) == 0) {
        *value = true;
        return incomplete ? V23_ECONTROL : get_value(d, h, id >> 1, m);
    }
    if (d->split)
        return V23_EID;
    return vom_typedec_body_(d->types, (id >> 1) + 1, incomplete, &h->p,
        h->end, &h->need);
}

static int get_version(struct vom_dec *d, struct head *h)
{
    int rc;

    if (d->started || h->p == h->end)
        return 0;
    rc = vom_typedec_version_(d->types, *h->p, &d->v80);
    if (rc != 0)
        return rc;
    h->p++;
    d->started = true;
    return 0;
}

int vom_dec_next(struct vom_dec *d, const uint8_t *p, size_t n, size_t *used,
    struct vom_msg *msg)
{
    struct vom_msg m;
    struct head h;
    bool value = false;
    int rc;

    *used = 0;
    if (d->err != 0)
        return d->err;
    d->waits_type = false;
    if (n < d->need || n == 0)
        return V23_EAGAIN;
    h = (struct head){ p, p + n, 0, d->types->opt.limits.message };
    rc = get_version(d, &h);
    while (rc == 0 && !value) {
        *used = (size_t)(h.p - p);
        rc = next(d, &h, &m, &value);
    }
    if (rc == V23_EAGAIN) {
        d->need = n - *used + h.need;
        return rc;
    }
    d->need = 0;
    d->err = rc;
    if (rc == 0) {
        *used = (size_t)(h.p - p);
        *msg = m;
    }
    return rc;
}

/* ---- values -------------------------------------------------------------- */

/* Entries of the two lists as arrays. */
static int read_lists(struct vom_rd_ *r, const struct vom_msg *m)
{
    const uint8_t *p = m->ids.p, *end = p + m->ids.n;
    uint64_t v;
    uint32_t i;
    void *mem;
    int rc = 0;

    r->ids = r->few_ids;
    r->lens = r->few_lens;
    r->nids = m->nids;
    r->nlens = m->nlens;
    if (m->nids > VOM_RD_LISTED_) {
        rc = vom_rd_get_(r, m->nids, sizeof(*r->ids),
            V23_ALIGNOF(struct vom_listed_), false, &mem);
        if (rc != 0)
            return rc;
        r->ids = mem;
    }
    for (i = 0; i < m->nids; i++) {
        rc = vom_get_uint(&p, end, &r->ids[i].id);
        if (rc != 0)
            return rc;
        r->ids[i].type = NULL;
    }
    if (m->nlens > VOM_RD_LISTED_) {
        rc = vom_rd_get_(r, m->nlens, sizeof(*r->lens),
            V23_ALIGNOF(uint32_t), false, &mem);
        if (rc != 0)
            return rc;
        r->lens = mem;
    }
    p = m->lens.p;
    end = p + m->lens.n;
    for (i = 0; i < m->nlens; i++) {
        rc = vom_get_uint(&p, end, &v);
        if (rc != 0)
            return rc;
        r->lens[i] = (uint32_t)v;
    }
    return 0;
}

static int read_body(struct vom_rd_ *r, const struct vom_msg *m,
    const struct vdl_type *t, void *out)
{
    struct vom_typedec *td = r->td;
    int rc;

    r->p = m->body.p;
    r->end = r->p + m->body.n;
    if (t == m->type || (t == td->same_dst && m->type == td->same_src))
        rc = vom_dec_same_(r, t, out);
    else if (t->kind == VDL_ANY)
        rc = vom_dec_to_any_(r, m->type, out);
    else if (t->kind == VDL_SPECIAL && t->wire->kind == VDL_ANY)
        rc = t->ops->dec(r, m->type, t, out);
    else if (td->opt.converter != NULL)
        rc = td->opt.converter->convert(r, m->type, t, out);
    else if (vdl_type_equal(m->type, t))
        rc = vom_dec_same_(r, t, out);
    else
        rc = V23_ECOMPAT;
    return rc == 0 && r->p != r->end ? V23_ELENGTH : rc;
}

/* What the value may take from the arena beyond its own C size. */
static size_t budget(const struct vom_limits *l, const struct vom_msg *m,
    const struct vdl_type *t)
{
    uint64_t n = (uint64_t)m->body.n + m->ids.n + m->lens.n;

    n = l->alloc_base + n * l->alloc_factor + t->size;
    return n > SIZE_MAX ? SIZE_MAX : (size_t)n;
}

/* A target made at run time elsewhere: it may be gone after the call. */
static bool is_passing(const struct vom_typedec *td, const struct vdl_type *t)
{
    return (t->flags & VDL_T_BUILT_) != 0
        && ((const struct vdl_built_ *)(const void *)t)->owner != td->set;
}

/* Decode to memory that may be written before success is certain. */
static int read_value(struct vom_dec *d, const struct vom_msg *m,
    struct v23_arena *a, const struct vdl_type *t, size_t most, void *out)
{
    struct vom_rd_ r;
    union {
        max_align_t align;
        uint8_t bytes[256];
    } small;
    void *v = &small;
    int rc = 0;

    r.td = d->types;
    r.a = a;
    r.depth = r.td->opt.limits.depth;
    r.split = d->split;
    r.waits = r.held = false;
    r.again = most;
    r.typed = vom_dec_typed_;
    r.nids = r.nlens = 0;
    r.raw = NULL;
    r.move = NULL;
    r.place = NULL;
    r.place_end = NULL;
    r.bare = a->al == NULL && a->fixed_size == 0;
    if (t->size > sizeof(small) && r.bare)
        v = out;
    else if (t->size > sizeof(small))
        rc = vom_rd_get_(&r, 1, t->size, t->align, false, &v);
    if (rc == 0 && (t->flags & VDL_T_STREAM) != 0)
        memcpy(v, out, t->size); /* the callbacks */
    if (rc == 0)
        vom_rd_reset_(t, v);
    if (rc == 0 && (m->nids | m->nlens) != 0)
        rc = read_lists(&r, m);
    if (rc == 0)
        rc = read_body(&r, m, t, v);
    if (rc == 0 && v != out)
        memcpy(out, v, t->size);
    d->waits_type = r.waits;
    return rc;
}

static int value(struct vom_dec *d, const struct vom_msg *msg,
    struct v23_arena *a, const struct vdl_type *t, void *out)
{
    struct v23_arena_mark mark;
    struct v23_arena none;
    size_t limit, most;
    int rc;

    if (a == NULL) {
        if ((t->flags & VDL_T_FLAT) == 0)
            return V23_EARG;
        v23_arena_init_fixed(&none, &none, 0);
        a = &none;
    }
    limit = a->limit;
    most = budget(&d->types->opt.limits, msg, t);
    if (a->used <= limit && limit - a->used > most)
        a->limit = a->used + most;
    mark = v23_arena_mark(a);
    rc = read_value(d, msg, a, t, most, out);
    a->limit = limit;
    if (d->types->nplans > VOM_PLANS_KEEP_ || is_passing(d->types, t))
        vom_plans_free_(d->types);
    if (rc != 0 && !d->types->in_arena)
        v23_arena_rewind(a, mark);
    return rc;
}

static int value80(struct vom_dec *d, const struct vom_msg *msg,
    struct v23_arena *a, const struct vdl_type *t, void *out)
{
    struct vom_rewritten_ r;
    int rc = d->types->opt.v80->rewrite(d, msg, &r);

    if (rc == 0)
        rc = value(d, &r.msg, a, t, out);
    v23_buf_fini(&r.body);
    v23_buf_fini(&r.lists);
    return rc;
}

int vom_dec_value(struct vom_dec *d, const struct vom_msg *msg,
    struct v23_arena *a, const struct vdl_type *t, void *out)
{
    int rc;

    if (d->err != 0)
        return d->err;
    if (t == NULL)
        t = &vdl_any_desc;
    rc = d->v80 ? value80(d, msg, a, t, out) : value(d, msg, a, t, out);
    if (rc != V23_EAGAIN)
        d->err = rc;
    return rc;
}

/* ---- single streams ------------------------------------------------------ */

static int decode_first(struct vom_dec *d, const uint8_t *p, size_t n,
    struct v23_arena *a, const struct vdl_type *t, void *out, size_t *used)
{
    struct vom_msg msg;
    size_t at = 0;
    int rc = vom_dec_next(d, p, n, &at, &msg);

    if (rc == V23_EAGAIN)
        return V23_EEOF;
    if (rc == 0 && used == NULL && at != n)
        return V23_ELENGTH;
    if (rc == 0)
        rc = vom_dec_value(d, &msg, a, t, out);
    if (rc == 0 && used != NULL)
        *used = at;
    return rc;
}

/* Allocator over an arena without one; nothing is given back before reset. */
struct arena_alloc {
    struct v23_alloc al;
    struct v23_arena *a;
};

/* Each piece is preceded by its size. */
union piece {
    size_t size;
    max_align_t align;
};

static void *arena_regrow(void *ud, void *p, size_t size)
{
    struct arena_alloc *x = ud;
    union piece *old = p, *new;

    if (size > SIZE_MAX - sizeof(*new))
        return NULL;
    new = v23_arena_get(x->a, sizeof(*new) + size, _Alignof(union piece));
    if (new == NULL)
        return NULL;
    new->size = size;
    if (old != NULL)
        memcpy(new + 1, old, old[-1].size < size ? old[-1].size : size);
    return new + 1;
}

static void *arena_get(void *ud, size_t size)
{
    return arena_regrow(ud, NULL, size);
}

static void arena_put(void *ud, void *p)
{
    (void)ud;
    (void)p;
}

const struct v23_alloc *vom_arena_alloc_(struct v23_arena *a)
{
    struct arena_alloc *x;

    if (a->al != NULL)
        return a->al;
    x = v23_arena_new(a, struct arena_alloc);
    if (x == NULL)
        return NULL;
    x->al.get = arena_get;
    x->al.regrow = arena_regrow;
    x->al.put = arena_put;
    x->al.ud = x;
    x->a = a;
    return &x->al;
}

int vom_decode_single_(const uint8_t *p, size_t n,
    const struct vom_options *opt, struct v23_arena *a,
    const struct vdl_type *t, void *out, size_t *used)
{
    const struct v23_alloc *al = vom_arena_alloc_(a);
    struct vom_typedec *td;
    struct vom_dec d;
    int rc;

    if (al == NULL)
        return V23_ENOMEM;
    rc = vom_typedec_new_(al, opt, &td);
    if (rc != 0)
        return rc;
    td->in_arena = a->al == NULL;
    vom_dec_init(&d, al, td, false);
    rc = decode_first(&d, p, n, a, t, out, used);
    vom_dec_fini(&d);
    vom_typedec_unref(td);
    return rc;
}

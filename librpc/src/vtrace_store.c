/* BSD-3-Clause; see LICENSE. */
/*
 * The store: traces in the order of their use, each with its spans in the order
 * of their beginning. Everything a peer can make grow is counted: spans and
 * annotations of a trace, bytes of a trace, bytes of all; when these are used
 * up, the traces used longest ago go first.
 */
#include "vtrace_int.h"

#include <stdatomic.h>
#include <vom/time.h>

#include "idmap_int.h"

#define TEXT_MAX 4096u /* of a name, an annotation, metadata */

struct note {
    struct note *next;
    v23_time_time when;
    uint32_t n;
    char text[];
};

struct rec {
    struct rec *next;
    v23_uniqueid_id id, parent;
    v23_time_time start, end;
    struct note *notes, **notes_end;
    uint32_t nnotes, name_n, meta_n;
    char text[]; /* name, metadata */
};

struct trace {
    struct trace *newer, *older;
    v23_uniqueid_id id;
    int level;
    struct rec *recs, **recs_end;
    uint32_t nrecs, nnotes;
    size_t bytes;
};

struct vrpc_vtrace {
    struct vrpc_vtrace_config cfg;
    struct vrpc_tracer_ tracer;
    struct vrpc_span root;
    bool has_root;
    uint64_t seed;
    struct vrpc_idmap_ traces, recs;
    struct trace *newest, *oldest;
    size_t bytes;
    atomic_size_t ntraces; /* read without the lock: mostly there is none */
};

static void lock(struct vrpc_vtrace *v)
{
    if (v->cfg.lock != NULL)
        v->cfg.lock(v->cfg.ud);
}

static void unlock(struct vrpc_vtrace *v)
{
    if (v->cfg.unlock != NULL)
        v->cfg.unlock(v->cfg.ud);
}

static bool is_empty(const struct vrpc_vtrace *v)
{
    return atomic_load_explicit(&v->ntraces, memory_order_relaxed) == 0;
}

/* ---- tables -------------------------------------------------------------- */

static bool same_id(const v23_uniqueid_id *x, const v23_uniqueid_id *y)
{
    return memcmp(x->v, y->v, sizeof(x->v)) == 0;
}

/* Ids come from strangers: who does not know the seed makes none collide. */
static uint64_t trace_key(const struct vrpc_vtrace *v,
    const v23_uniqueid_id *id)
{
    uint64_t h = v23_hash(v->seed, id->v, sizeof(id->v));

    return h == 0 ? 1 : h;
}

static uint64_t rec_key(const struct vrpc_vtrace *v, const struct trace *t,
    const v23_uniqueid_id *id)
{
    uint64_t h = v23_hash(trace_key(v, &t->id), id->v, sizeof(id->v));

    return h == 0 ? 1 : h;
}

static struct trace *find_trace(const struct vrpc_vtrace *v,
    const v23_uniqueid_id *id)
{
    union vrpc_idval_ *val = vrpc_idmap_get_(&v->traces, trace_key(v, id));
    struct trace *t = val == NULL ? NULL : val->p;

    return t != NULL && same_id(&t->id, id) ? t : NULL;
}

static struct rec *find_rec(const struct vrpc_vtrace *v,
    const struct trace *t, const v23_uniqueid_id *id)
{
    union vrpc_idval_ *val = vrpc_idmap_get_(&v->recs, rec_key(v, t, id));

    return val == NULL ? NULL : val->p;
}

/* ---- traces -------------------------------------------------------------- */

static void unlink_trace(struct vrpc_vtrace *v, struct trace *t)
{
    if (t->newer != NULL)
        t->newer->older = t->older;
    else
        v->newest = t->older;
    if (t->older != NULL)
        t->older->newer = t->newer;
    else
        v->oldest = t->newer;
}

static void link_newest(struct vrpc_vtrace *v, struct trace *t)
{
    t->newer = NULL;
    t->older = v->newest;
    if (t->older != NULL)
        t->older->newer = t;
    else
        v->oldest = t;
    v->newest = t;
}

static void touch(struct vrpc_vtrace *v, struct trace *t)
{
    if (v->newest == t)
        return;
    unlink_trace(v, t);
    link_newest(v, t);
}

static void free_trace(struct vrpc_vtrace *v, struct trace *t)
{
    struct rec *r;
    struct note *n;

    unlink_trace(v, t);
    vrpc_idmap_del_(&v->traces, trace_key(v, &t->id));
    while ((r = t->recs) != NULL) {
        t->recs = r->next;
        vrpc_idmap_del_(&v->recs, rec_key(v, t, &r->id));
        while ((n = r->notes) != NULL) {
            r->notes = n->next;
            v23_put(v->cfg.al, n);
        }
        v23_put(v->cfg.al, r);
    }
    v->bytes -= t->bytes;
    atomic_fetch_sub_explicit(&v->ntraces, 1, memory_order_relaxed);
    v23_put(v->cfg.al, t);
    if (vrpc_idmap_is_sparse_(&v->recs))
        vrpc_idmap_trim_(&v->recs, v->cfg.al);
}

/* Memory for a part of a trace; NULL: no room, or none to be had. */
static void *part_get(struct vrpc_vtrace *v, struct trace *t, size_t n)
{
    void *p;

    if (n > v->cfg.trace_bytes - t->bytes)
        return NULL;
    while (n > v->cfg.bytes - v->bytes && v->oldest != t)
        free_trace(v, v->oldest);
    if (n > v->cfg.bytes - v->bytes)
        return NULL;
    p = v23_get0(v->cfg.al, 1, n);
    if (p == NULL)
        return NULL;
    t->bytes += n;
    v->bytes += n;
    return p;
}

static void part_put(struct vrpc_vtrace *v, struct trace *t, void *p, size_t n)
{
    t->bytes -= n;
    v->bytes -= n;
    v23_put(v->cfg.al, p);
}

/* The trace, newly collected if it was not; NULL when memory is short. */
static struct trace *collect(struct vrpc_vtrace *v, const v23_uniqueid_id *id,
    int level)
{
    struct trace *t = find_trace(v, id);
    union vrpc_idval_ val;

    if (t != NULL)
        return t;
    t = v23_new(v->cfg.al, struct trace);
    if (t == NULL)
        return NULL;
    t->id = *id;
    t->level = level;
    t->recs_end = &t->recs;
    val.p = t;
    if (vrpc_idmap_get_(&v->traces, trace_key(v, id)) != NULL ||
        vrpc_idmap_put_(&v->traces, v->cfg.al, trace_key(v, id), val) != 0) {
        v23_put(v->cfg.al, t);
        return NULL;
    }
    link_newest(v, t);
    if (atomic_fetch_add_explicit(&v->ntraces, 1, memory_order_relaxed) + 1 >
        v->cfg.max_traces)
        free_trace(v, v->oldest);
    return t;
}

/* The trace if it is collected, or has to be because of the text. */
static struct trace *collected(struct vrpc_vtrace *v,
    const v23_uniqueid_id *id, struct vdl_str text)
{
    struct trace *t = find_trace(v, id);

    if (t == NULL && v->cfg.match != NULL && v->cfg.match(v->cfg.ud, text))
        t = collect(v, id, v->cfg.level);
    return t;
}

/* ---- spans --------------------------------------------------------------- */

static uint32_t capped(uint32_t n)
{
    return n < TEXT_MAX ? n : TEXT_MAX;
}

static struct rec *add_rec(struct vrpc_vtrace *v, struct trace *t,
    const v23_uniqueid_id *id, struct vdl_str name, struct vdl_bytes metadata)
{
    size_t size = sizeof(struct rec) + capped(name.n) + capped(metadata.n);
    union vrpc_idval_ val;
    struct rec *r;

    if (t->nrecs >= v->cfg.max_spans)
        return NULL;
    r = part_get(v, t, size);
    if (r == NULL)
        return NULL;
    val.p = r;
    if (vrpc_idmap_put_(&v->recs, v->cfg.al, rec_key(v, t, id), val) != 0) {
        part_put(v, t, r, size);
        return NULL;
    }
    r->id = *id;
    r->notes_end = &r->notes;
    r->name_n = capped(name.n);
    r->meta_n = capped(metadata.n);
    if (r->name_n > 0)
        memcpy(r->text, name.p, r->name_n);
    if (r->meta_n > 0)
        memcpy(r->text + r->name_n, metadata.p, r->meta_n);
    *t->recs_end = r;
    t->recs_end = &r->next;
    t->nrecs++;
    return r;
}

/* False: there is no room for any more. */
static bool add_note(struct vrpc_vtrace *v, struct trace *t, struct rec *r,
    v23_time_time when, struct vdl_str text)
{
    struct note *n;

    if (t->nnotes >= v->cfg.max_annotations)
        return false;
    text.n = capped(text.n);
    n = part_get(v, t, sizeof(*n) + text.n);
    if (n == NULL)
        return false;
    n->when = when;
    n->n = text.n;
    if (text.n > 0)
        memcpy(n->text, text.p, text.n);
    *r->notes_end = n;
    r->notes_end = &n->next;
    r->nnotes++;
    t->nnotes++;
    return true;
}

/* A span of ours; one that began before its trace was collected is added. */
static struct rec *own_rec(struct vrpc_vtrace *v, struct trace *t,
    const struct vrpc_span *s, struct vdl_bytes metadata)
{
    struct rec *r = find_rec(v, t, &s->id);

    touch(v, t);
    if (r != NULL)
        return r;
    r = add_rec(v, t, &s->id, s->name,
        metadata.n > 0 ? metadata : s->metadata);
    if (r != NULL) {
        r->parent = s->parent;
        r->start = s->start;
    }
    return r;
}

/* ---- for spans ----------------------------------------------------------- */

v23_time_time vrpc_store_now_(struct vrpc_vtrace *v)
{
    struct v23_now now;

    v->cfg.now(v->cfg.ud, &now);
    return v23_time_from_wall(now.wall);
}

const struct vrpc_span *vrpc_store_root_(const struct vrpc_vtrace *v)
{
    return v->has_root ? &v->root : NULL;
}

bool vrpc_store_matches_(const struct vrpc_vtrace *v)
{
    return v->cfg.match != NULL;
}

void vrpc_store_id_(struct vrpc_vtrace *v, v23_uniqueid_id *out)
{
    lock(v);
    (void)v23_uniqueid_next(&v->tracer.ids, out->v);
    unlock(v);
}

bool vrpc_store_has_(struct vrpc_vtrace *v, const v23_uniqueid_id *trace,
    int *level)
{
    const struct trace *t;

    if (is_empty(v))
        return false;
    lock(v);
    t = find_trace(v, trace);
    if (t != NULL && level != NULL)
        *level = t->level;
    unlock(v);
    return t != NULL;
}

void vrpc_store_force_(struct vrpc_vtrace *v, const v23_uniqueid_id *trace,
    int level)
{
    lock(v);
    (void)collect(v, trace, level);
    unlock(v);
}

void vrpc_store_sample_(struct vrpc_vtrace *v, const struct vrpc_span *s)
{
    double rate = v->cfg.sample_rate;
    uint32_t r = UINT32_MAX;

    if (rate <= 0)
        return;
    lock(v);
    if (rate < 1 && v->cfg.random(v->cfg.ud, &r, sizeof(r)) != 0)
        r = UINT32_MAX;
    if (rate >= 1 || r / 4294967296.0 < rate)
        (void)collect(v, &s->trace, v->cfg.level);
    unlock(v);
}

void vrpc_store_start_(struct vrpc_vtrace *v, const struct vrpc_span *s,
    struct vdl_bytes metadata)
{
    struct trace *t;

    lock(v);
    t = collected(v, &s->trace, s->name);
    if (t != NULL)
        (void)own_rec(v, t, s, metadata);
    unlock(v);
}

void vrpc_store_end_(struct vrpc_vtrace *v, const struct vrpc_span *s)
{
    v23_time_time now;
    struct trace *t;
    struct rec *r;

    if (is_empty(v))
        return;
    now = vrpc_store_now_(v);
    lock(v);
    t = find_trace(v, &s->trace);
    r = t == NULL ? NULL : own_rec(v, t, s, vdl_bytes(NULL, 0));
    if (r != NULL)
        r->end = now;
    unlock(v);
}

void vrpc_store_note_(struct vrpc_vtrace *v, const struct vrpc_span *s,
    struct vdl_str text)
{
    v23_time_time now;
    struct trace *t;
    struct rec *r;

    if (is_empty(v) && v->cfg.match == NULL)
        return;
    now = vrpc_store_now_(v);
    lock(v);
    t = collected(v, &s->trace, text);
    r = t == NULL ? NULL : own_rec(v, t, s, vdl_bytes(NULL, 0));
    if (r != NULL)
        (void)add_note(v, t, r, now, text);
    unlock(v);
}

/* ---- what others have collected ------------------------------------------ */

/* False: there is no room for any more. */
static bool merge_span(struct vrpc_vtrace *v, struct trace *t,
    const v23_vtrace_span_record *s)
{
    struct rec *r;
    uint32_t i;

    if (find_rec(v, t, &s->id) != NULL)
        return true;
    r = add_rec(v, t, &s->id, s->name, s->request_metadata);
    if (r == NULL)
        return false;
    r->parent = s->parent;
    r->start = s->start;
    r->end = s->end;
    for (i = 0; i < s->annotations.n; i++)
        if (!add_note(v, t, r, s->annotations.v[i].when,
                s->annotations.v[i].message))
            break;
    return true;
}

void vrpc_vtrace_merge(struct vrpc_vtrace *v, const v23_vtrace_response *resp)
{
    bool force = (resp->flags & V23_VTRACE_COLLECT_IN_MEMORY) != 0;
    const v23_vtrace_span_record_list *l = &resp->trace.spans;
    struct trace *t;
    uint32_t i;

    if (!force && is_empty(v))
        return;
    lock(v);
    t = force ? collect(v, &resp->trace.id, v->cfg.level)
              : find_trace(v, &resp->trace.id);
    if (t != NULL)
        touch(v, t);
    for (i = 0; t != NULL && i < l->n; i++)
        if (!merge_span(v, t, &l->v[i]))
            break;
    unlock(v);
}

/* ---- reading ------------------------------------------------------------- */

size_t vrpc_vtrace_count(const struct vrpc_vtrace *v)
{
    return atomic_load_explicit(&v->ntraces, memory_order_relaxed);
}

int vrpc_vtrace_ids(struct vrpc_vtrace *v, struct v23_arena *a,
    const v23_uniqueid_id **out, size_t *n)
{
    const struct trace *t;
    v23_uniqueid_id *ids;
    size_t i = 0;

    lock(v);
    ids = v23_arena_get0(a, vrpc_vtrace_count(v), sizeof(*ids), 1);
    for (t = v->oldest; ids != NULL && t != NULL; t = t->newer)
        ids[i++] = t->id;
    unlock(v);
    if (ids == NULL)
        return V23_ENOMEM;
    *out = ids;
    *n = i;
    return 0;
}

static int copy_notes(const struct rec *r, struct v23_arena *a,
    v23_vtrace_annotation_list *out)
{
    v23_vtrace_annotation *notes;
    const struct note *n;
    uint32_t i = 0;

    if (r->nnotes == 0)
        return 0;
    notes = v23_arena_get0(a, r->nnotes, sizeof(*notes),
        V23_ALIGNOF(v23_vtrace_annotation));
    if (notes == NULL)
        return V23_ENOMEM;
    for (n = r->notes; n != NULL; n = n->next, i++) {
        notes[i].when = n->when;
        notes[i].message = vdl_strn(v23_arena_dup(a, n->text, n->n), n->n);
        if (notes[i].message.p == NULL)
            return V23_ENOMEM;
    }
    out->v = notes;
    out->n = i;
    return 0;
}

static int copy_rec(const struct rec *r, struct v23_arena *a,
    v23_vtrace_span_record *out)
{
    char *text = v23_arena_dup(a, r->text, (size_t)r->name_n + r->meta_n);

    if (text == NULL)
        return V23_ENOMEM;
    out->id = r->id;
    out->parent = r->parent;
    out->name = vdl_strn(text, r->name_n);
    out->request_metadata = vdl_bytes((uint8_t *)text + r->name_n, r->meta_n);
    out->start = r->start;
    out->end = r->end;
    return copy_notes(r, a, &out->annotations);
}

/* Is `top` an ancestor of the span, or the span itself? */
static bool is_below(const struct vrpc_vtrace *v, const struct trace *t,
    const struct rec *r, const struct rec *top)
{
    uint32_t i;

    for (i = 0; r != NULL && r != top && i < t->nrecs; i++)
        r = find_rec(v, t, &r->parent);
    return r == top;
}

/* The trace; with a top, only that span and what came of it, which has been
 * added behind it. */
static int copy_trace(const struct vrpc_vtrace *v, const struct trace *t,
    const struct rec *top, struct v23_arena *a, v23_vtrace_trace_record *out)
{
    const struct rec *r, *first = top != NULL ? top : t->recs;
    v23_vtrace_span_record *spans;
    uint32_t n = 0, i = 0;
    int rc = 0;

    for (r = first; r != NULL; r = r->next)
        n += top == NULL || is_below(v, t, r, top);
    spans = v23_arena_get0(a, n, sizeof(*spans),
        V23_ALIGNOF(v23_vtrace_span_record));
    if (spans == NULL)
        return V23_ENOMEM;
    for (r = first; r != NULL && rc == 0; r = r->next)
        if (top == NULL || is_below(v, t, r, top))
            rc = copy_rec(r, a, &spans[i++]);
    if (rc != 0)
        return rc;
    out->id = t->id;
    out->spans.v = spans;
    out->spans.n = n;
    return 0;
}

int vrpc_vtrace_get(struct vrpc_vtrace *v, const v23_uniqueid_id *id,
    struct v23_arena *a, v23_vtrace_trace_record *out)
{
    const struct trace *t;
    int rc = V23_ENOENT;

    lock(v);
    t = find_trace(v, id);
    if (t != NULL)
        rc = copy_trace(v, t, NULL, a, out);
    unlock(v);
    return rc;
}

int vrpc_store_below_(struct vrpc_vtrace *v, const struct vrpc_span *s,
    struct v23_arena *a, v23_vtrace_trace_record *out)
{
    const struct trace *t;
    const struct rec *top;
    int rc = V23_ENOENT;

    lock(v);
    t = find_trace(v, &s->trace);
    top = t == NULL ? NULL : find_rec(v, t, &s->id);
    if (top != NULL)
        rc = copy_trace(v, t, top, a, out);
    unlock(v);
    return rc;
}

/* ---- life ---------------------------------------------------------------- */

const struct vrpc_span *vrpc_vtrace_begin_root(struct vrpc_vtrace *v,
    struct vdl_str name)
{
    vrpc_span_begin_trace(&v->root, v, name);
    v->has_root = true;
    return &v->root;
}

static void defaults(struct vrpc_vtrace_config *c)
{
    if (c->max_traces == 0)
        c->max_traces = 1024;
    if (c->max_spans == 0)
        c->max_spans = 1000;
    if (c->max_annotations == 0)
        c->max_annotations = 4000;
    if (c->trace_bytes == 0)
        c->trace_bytes = 256u << 10;
    if (c->bytes == 0)
        c->bytes = 16u << 20;
}

int vrpc_vtrace_new(const struct vrpc_vtrace_config *cfg,
    struct vrpc_vtrace **out)
{
    struct vrpc_vtrace *v;

    if (cfg->now == NULL || cfg->random == NULL ||
        !(cfg->sample_rate >= 0 && cfg->sample_rate <= 1))
        return V23_EARG;
    v = v23_new(cfg->al, struct vrpc_vtrace);
    if (v == NULL)
        return V23_ENOMEM;
    v->cfg = *cfg;
    defaults(&v->cfg);
    v->tracer.store = v;
    v->tracer.ids.random = cfg->random;
    v->tracer.ids.ud = cfg->ud;
    atomic_init(&v->ntraces, 0);
    (void)cfg->random(cfg->ud, &v->seed, sizeof(v->seed));
    *out = v;
    return 0;
}

void vrpc_vtrace_free(struct vrpc_vtrace *v)
{
    if (v == NULL)
        return;
    while (v->oldest != NULL)
        free_trace(v, v->oldest);
    vrpc_idmap_fini_(&v->traces, v->cfg.al);
    vrpc_idmap_fini_(&v->recs, v->cfg.al);
    v23_put(v->cfg.al, v);
}

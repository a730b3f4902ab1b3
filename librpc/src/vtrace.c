/* BSD-3-Clause; see LICENSE. */
/*
 * Ids and spans. A span that nobody collects is its ids and a look at the
 * store; names and texts are made only for those that the store may keep.
 */
#include "vtrace_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <vom/time.h>

/* A failing source leaves zeros: the ids are for reading only. */
static void new_id(struct vrpc_tracer_ *tr, v23_uniqueid_id *out)
{
    (void)v23_uniqueid_next(&tr->ids, out->v);
}

static bool same_id(const v23_uniqueid_id *x, const v23_uniqueid_id *y)
{
    return memcmp(x->v, y->v, sizeof(x->v)) == 0;
}

/* ---- beginnings ---------------------------------------------------------- */

static void set_ids(struct vrpc_span *s, struct vrpc_vtrace *store,
    const struct vrpc_span *parent, const v23_uniqueid_id *id)
{
    struct vrpc_span was = *parent; /* may be the same one */

    memset(s, 0, sizeof(*s));
    s->store = store;
    s->trace = was.trace;
    s->parent = was.id;
    s->metadata = was.metadata;
    s->id = *id;
}

void vrpc_span_client_(struct vrpc_tracer_ *tr, const struct vrpc_span *parent,
    struct v23_walltime now, struct vrpc_span *out)
{
    struct vrpc_span top = { .store = NULL }; /* a root's parent: the trace */
    v23_uniqueid_id id;

    if (parent == NULL && tr->store != NULL)
        parent = vrpc_store_root_(tr->store);
    if (parent == NULL) {
        new_id(tr, &top.id);
        top.trace = top.id;
        parent = &top;
    }
    new_id(tr, &id);
    set_ids(out, tr->store, parent, &id);
    out->start = v23_time_from_wall(now);
}

void vrpc_span_server_(struct vrpc_tracer_ *tr, const v23_vtrace_request *req,
    struct v23_walltime now, struct vrpc_span *out)
{
    struct vrpc_span caller = { .store = NULL };
    v23_uniqueid_id id;

    caller.trace = req->trace_id;
    caller.id = req->span_id;
    new_id(tr, &id);
    set_ids(out, tr->store, &caller, &id);
    out->start = v23_time_from_wall(now);
}

bool vrpc_span_live_(const struct vrpc_span *s)
{
    return s != NULL && s->store != NULL &&
           (vrpc_store_matches_(s->store) ||
               vrpc_store_has_(s->store, &s->trace, NULL));
}

bool vrpc_span_wanted_(const struct vrpc_span *s)
{
    if (s->store != NULL && same_id(&s->trace, &s->parent))
        vrpc_store_sample_(s->store, s);
    return vrpc_span_live_(s);
}

void vrpc_span_start_(const struct vrpc_span *s, struct vdl_bytes metadata)
{
    vrpc_store_start_(s->store, s, metadata);
}

void vrpc_span_request_(const struct vrpc_span *s, v23_vtrace_request *out)
{
    int level;

    out->span_id = s->id;
    out->trace_id = s->trace;
    out->request_metadata = s->metadata;
    if (s->store != NULL && vrpc_store_has_(s->store, &s->trace, &level)) {
        out->flags = V23_VTRACE_COLLECT_IN_MEMORY;
        out->log_level = level;
    }
}

static void begin(struct vrpc_span *s, struct vrpc_vtrace *v,
    const struct vrpc_span *parent, struct vdl_str name)
{
    v23_uniqueid_id id;

    vrpc_store_id_(v, &id);
    set_ids(s, v, parent, &id);
    s->name = name;
    s->start = vrpc_store_now_(v);
    if (vrpc_span_wanted_(s))
        vrpc_span_start_(s, vdl_bytes(NULL, 0));
}

void vrpc_span_begin(struct vrpc_span *s, const struct vrpc_span *parent,
    struct vdl_str name)
{
    if (parent->store == NULL) {
        *s = *parent;
        return;
    }
    begin(s, parent->store, parent, name);
}

void vrpc_span_begin_trace(struct vrpc_span *s, struct vrpc_vtrace *v,
    struct vdl_str name)
{
    struct vrpc_span top = { .store = NULL };

    vrpc_store_id_(v, &top.id);
    top.trace = top.id;
    begin(s, v, &top, name);
}

/* ---- what happens in them ------------------------------------------------ */

void vrpc_span_end(const struct vrpc_span *s)
{
    if (s != NULL && s->store != NULL)
        vrpc_store_end_(s->store, s);
}

void vrpc_span_annotate(const struct vrpc_span *s, struct vdl_str text)
{
    if (s != NULL && s->store != NULL)
        vrpc_store_note_(s->store, s, text);
}

static void annotate_args(const struct vrpc_span *s, const char *fmt,
    va_list ap)
{
    char text[1024];
    int n = vsnprintf(text, sizeof(text), fmt, ap);

    if (n < 0)
        return;
    vrpc_store_note_(s->store, s, vdl_str(text));
}

void vrpc_span_annotatef(const struct vrpc_span *s, const char *fmt, ...)
{
    va_list ap;

    if (!vrpc_span_live_(s))
        return;
    va_start(ap, fmt);
    annotate_args(s, fmt, ap);
    va_end(ap);
}

/* As --v counts them. */
static int verbosity(enum v23_log_level level)
{
    return level <= V23_LOG_WARN ? 0 : level == V23_LOG_INFO ? 1 : 2;
}

void vrpc_span_logf(const struct vrpc_span *s, const struct v23_log *log,
    enum v23_log_level level, const char *fmt, ...)
{
    char text[1024];
    int kept = -1;
    va_list ap;

    if (s != NULL && s->store != NULL &&
        !vrpc_store_has_(s->store, &s->trace, &kept))
        kept = vrpc_store_matches_(s->store) ? 0 : -1;
    if (verbosity(level) > kept &&
        (log == NULL || log->write == NULL || level > log->max))
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    v23_logf(log, level, "%s", text);
    if (verbosity(level) <= kept)
        vrpc_store_note_(s->store, s, vdl_str(text));
}

bool vrpc_span_collected(const struct vrpc_span *s)
{
    return s != NULL && s->store != NULL &&
           vrpc_store_has_(s->store, &s->trace, NULL);
}

void vrpc_span_force(const struct vrpc_span *s, int level)
{
    if (s == NULL || s->store == NULL)
        return;
    vrpc_store_force_(s->store, &s->trace, level);
    vrpc_store_start_(s->store, s, vdl_bytes(NULL, 0));
}

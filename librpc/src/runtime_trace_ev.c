/* BSD-3-Clause; see LICENSE. */
/* The store of a program's traces: hooks, and the text at its end. */
#include "runtime_int.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include <vrpc/vtrace_text.h>
#include <vsec/crypto.h>

#define WHY 128

struct vrpc_runtime_trace_ {
    struct vsec_engine *engine;
    struct vrpc_vtrace_regexp *regexp;
    const struct vrpc_span *root;
    pthread_mutex_t mutex; /* the loops of a server share the store */
    bool has_mutex;
};

static void store_now(void *ud, struct v23_now *out)
{
    struct timespec t;

    (void)ud;
    clock_gettime(CLOCK_MONOTONIC, &t);
    out->mono_ns = (int64_t)t.tv_sec * V23_NS_PER_SEC + t.tv_nsec;
    out->wall = vrpc_ev_wall();
}

static int store_random(void *ud, void *p, size_t n)
{
    return vsec_random_fill(((struct vrpc_runtime_trace_ *)ud)->engine, p, n);
}

static bool store_match(void *ud, struct vdl_str text)
{
    return vrpc_vtrace_regexp_match(
        ((struct vrpc_runtime_trace_ *)ud)->regexp, text);
}

static void store_lock(void *ud)
{
    pthread_mutex_lock(&((struct vrpc_runtime_trace_ *)ud)->mutex);
}

static void store_unlock(void *ud)
{
    pthread_mutex_unlock(&((struct vrpc_runtime_trace_ *)ud)->mutex);
}

static int compile(struct vrpc_runtime *rt, struct vrpc_runtime_trace_ *t)
{
    char why[WHY] = "";
    int rc = vrpc_vtrace_regexp_new(rt->flags->vtrace_regexp.p, &t->regexp,
        why);

    if (rc != V23_ETEXT)
        return rc;
    snprintf(rt->why, sizeof(rt->why), "flag v23.vtrace.collect-regexp: %s",
        why);
    return V23_EARG;
}

static int make_store(struct vrpc_runtime *rt, struct vrpc_runtime_trace_ *t)
{
    struct vrpc_vtrace_config cfg;
    int rc;

    memset(&cfg, 0, sizeof(cfg));
    cfg.now = store_now;
    cfg.random = store_random;
    cfg.match = t->regexp == NULL ? NULL : store_match;
    cfg.lock = store_lock;
    cfg.unlock = store_unlock;
    cfg.ud = t;
    cfg.sample_rate = rt->flags->vtrace_sample_rate;
    cfg.level = rt->flags->vtrace_level;
    cfg.max_traces = rt->flags->vtrace_cache_size;
    rc = vrpc_vtrace_new(&cfg, &rt->vtrace);
    if (rc == 0)
        t->root = vrpc_vtrace_begin_root(rt->vtrace,
            rt->flags->vtrace_root_span);
    return rc;
}

int vrpc_runtime_trace_new_(struct vrpc_runtime *rt,
    struct vsec_engine *engine, struct vrpc_runtime_trace_ **out)
{
    struct vrpc_runtime_trace_ *t;
    int rc = 0;

    if (rt->flags->vtrace_cache_size == 0)
        return 0;
    t = v23_new(NULL, struct vrpc_runtime_trace_);
    if (t == NULL)
        return V23_ENOMEM;
    t->engine = engine;
    t->has_mutex = pthread_mutex_init(&t->mutex, NULL) == 0;
    if (!t->has_mutex)
        rc = V23_ENOMEM;
    if (rc == 0 && rt->flags->vtrace_regexp.n > 0)
        rc = compile(rt, t);
    if (rc == 0)
        rc = make_store(rt, t);
    *out = t; /* freed with the run time in any case */
    return rc;
}

/* Trace by trace: together they may be larger than the program. */
static int print(struct vrpc_vtrace *v, struct v23_arena *a,
    struct v23_arena *one, struct v23_buf *text)
{
    v23_vtrace_trace_record t;
    const v23_uniqueid_id *ids;
    size_t n, i;
    int rc = vrpc_vtrace_ids(v, a, &ids, &n);

    for (i = 0; rc == 0 && i < n; i++) {
        memset(&t, 0, sizeof(t));
        rc = vrpc_vtrace_get(v, &ids[i], one, &t);
        if (rc == 0 && i == 0)
            v23_buf_puts(text, "Vtrace traces:\n");
        if (rc == 0)
            rc = vrpc_vtrace_put(text, &t, vrpc_zone_local, one);
        if (rc == 0)
            rc = text->err;
        if (rc == 0)
            fwrite(text->p, 1, text->n, stderr);
        v23_buf_cut(text, 0);
        v23_arena_reset(one);
    }
    return rc;
}

static void dump(struct vrpc_runtime *rt)
{
    struct v23_arena ids, one;
    struct v23_buf text;
    int rc;

    v23_arena_init(&ids, NULL, SIZE_MAX);
    v23_arena_init(&one, NULL, SIZE_MAX);
    v23_buf_init(&text, NULL, SIZE_MAX);
    rc = print(rt->vtrace, &ids, &one, &text);
    if (rc != 0)
        v23_logf(&rt->log, V23_LOG_ERROR, "cannot print all traces: %s",
            v23_strerror(rc));
    v23_buf_fini(&text);
    v23_arena_fini(&one);
    v23_arena_fini(&ids);
}

void vrpc_runtime_trace_free_(struct vrpc_runtime *rt,
    struct vrpc_runtime_trace_ *t)
{
    if (t == NULL)
        return;
    if (rt->vtrace != NULL) {
        vrpc_span_end(t->root);
        if (rt->flags->vtrace_dump && vrpc_vtrace_count(rt->vtrace) > 0)
            dump(rt);
    }
    vrpc_vtrace_free(rt->vtrace);
    rt->vtrace = NULL;
    vrpc_vtrace_regexp_free(t->regexp);
    if (t->has_mutex)
        pthread_mutex_destroy(&t->mutex);
    v23_put(NULL, t);
}

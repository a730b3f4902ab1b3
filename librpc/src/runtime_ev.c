/* BSD-3-Clause; see LICENSE. */
/*
 * The frame of a program: its start and end, messages, the event loop, one-shot
 * timers. Everything it makes is undone by vrpc_runtime_fini() in reverse
 * order.
 */
#include <vrpc/runtime.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include <v23/i18n.h>
#include <v23/time.h>
#include <vrpc/agent.h>
#include <vsec/crypto.h>

#include "ev_int.h"
#include "runtime_int.h"

/* ---- messages ------------------------------------------------------------ */

static int read_file(struct vdl_str path, struct v23_buf *out)
{
    char name[4096];
    uint8_t part[4096];
    size_t n;
    FILE *f;
    int rc;

    if (path.n >= sizeof(name))
        return V23_ESYS;
    memcpy(name, path.p, path.n);
    name[path.n] = 0;
    f = fopen(name, "r");
    if (f == NULL)
        return V23_ESYS;
    while ((n = fread(part, 1, sizeof(part), f)) != 0)
        v23_buf_put(out, part, n);
    rc = ferror(f) ? V23_ESYS : out->err;
    fclose(f);
    return rc;
}

/* Whatever is wrong with it, programs can do without. */
static void load_catalogue(struct vrpc_runtime *rt)
{
    static const char *const variables[] = { "LC_ALL", "LC_MESSAGES", "LANG" };
    struct vdl_str file = rt->flags->catalogue;
    struct v23_buf text, why;
    const char *v = NULL, *line;
    size_t i;
    int rc;

    for (i = 0; i < 3 && (v == NULL || *v == 0); i++)
        v = getenv(variables[i]);
    (void)v23_i18n_language(v, rt->p->language);
    if (file.n == 0)
        return;
    v23_buf_init(&text, NULL, V23_I18N_MAX_BYTES);
    v23_buf_init(&why, NULL, 2 * V23_I18N_WHY);
    rc = read_file(file, &text);
    if (rc == 0)
        rc = v23_i18n_new(NULL, &rt->p->catalogue);
    if (rc == 0)
        rc = v23_i18n_merge(rt->p->catalogue, v23_bytes(text.p, text.n), &why);
    if (rc != 0 && rc != V23_ETEXT)
        v23_logf(&rt->log, V23_LOG_WARN, "message catalogue %.*s: %s",
            (int)file.n, file.p,
            rc == V23_ESYS ? strerror(errno) : v23_strerror(rc));
    for (line = v23_buf_cstr(&why); *line != 0; line += strcspn(line, "\n") + 1)
        v23_logf(&rt->log, V23_LOG_WARN, "message catalogue %.*s: %.*s",
            (int)file.n, file.p, (int)strcspn(line, "\n"), line);
    v23_buf_fini(&text);
    v23_buf_fini(&why);
}

void vrpc_runtime_error(const struct vrpc_runtime *rt,
    const struct v23_verror *err, struct v23_buf *out)
{
    v23_i18n_error(rt->p->catalogue, vdl_str(rt->p->language), err, out);
}

/* ---- start and end ------------------------------------------------------- */

int vrpc_runtime_client_(struct vrpc_runtime *rt, struct vrpc_manager *m,
    struct vrpc_client **out)
{
    struct vrpc_client_config cfg;

    memset(&cfg, 0, sizeof(cfg));
    cfg.component = vdl_str(rt->component);
    vrpc_ev_networks(rt->ev, &cfg.networks, &cfg.nnetworks);
    return vrpc_client_new(m, &cfg, out);
}

/* The connections that it dials, and its client. */
static int start_client(struct vrpc_runtime *rt)
{
    struct vrpc_manager_config cfg;
    int rc;

    memset(&cfg, 0, sizeof(cfg));
    cfg.principal = rt->principal;
    cfg.vtrace = rt->vtrace;
    cfg.stats = rt->stats;
    rc = vrpc_ev_node_new(rt->ev, &cfg, &rt->node);
    if (rc != 0)
        return rc;
    return vrpc_runtime_client_(rt, vrpc_ev_node_manager(rt->node),
        &rt->client);
}

static int start(struct vrpc_runtime *rt, const struct vrpc_runtime *first)
{
    int rc;

    rt->p = v23_new(NULL, struct vrpc_runtime_private);
    if (rt->p == NULL)
        return V23_ENOMEM;
    vrpc_runtime_log_(rt);
    load_catalogue(rt);
    rt->base = event_base_new();
    if (rt->base == NULL)
        return V23_ENOMEM;
    rc = vsec_engine_new(&rt->p->engine, &vsec_crypto_default, NULL, NULL);
    if (rc == 0 && first != NULL)
        rt->vtrace = first->vtrace; /* it locks */
    else if (rc == 0)
        rc = vrpc_runtime_trace_new_(rt, rt->p->engine, &rt->p->trace);
    if (rc == 0)
        rc = vrpc_runtime_principal_(rt, first == NULL);
    if (rc == 0)
        rc = vrpc_ev_new(rt->base, NULL, &rt->log, &rt->ev);
    if (rc == 0 && (rt->flags->groups & VRPC_FLAGS_LISTEN) != 0)
        rc = vrpc_runtime_stats_(rt);
    if (rc == 0)
        rc = start_client(rt);
    if (rc == 0)
        rc = vrpc_runtime_life_(rt);
    if (rc == 0)
        rc = vrpc_cloud_find_(rt, &rt->p->cloud);
    return rc;
}

int vrpc_runtime_init_(struct vrpc_runtime *rt,
    const struct vrpc_flags *flags, const char *component,
    const struct vrpc_runtime *first)
{
    char why[sizeof(rt->why)];
    int rc;

    memset(rt, 0, sizeof(*rt));
    rt->flags = flags;
    snprintf(rt->component, sizeof(rt->component), "%s", component);
    rc = start(rt, first);
    if (rc == 0)
        return 0;
    memcpy(why, rt->why, sizeof(why));
    vrpc_runtime_fini(rt);
    memcpy(rt->why, why, sizeof(why));
    if (why[0] == 0)
        snprintf(rt->why, sizeof(rt->why), "cannot start: %s",
            v23_strerror(rc));
    return rc;
}

int vrpc_runtime_init(struct vrpc_runtime *rt, const struct vrpc_flags *flags,
    const char *component)
{
    return vrpc_runtime_init_(rt, flags, component, NULL);
}

void vrpc_runtime_fini(struct vrpc_runtime *rt)
{
    vrpc_runtime_life_fini_(rt);
    vrpc_client_free(rt->client);
    if (rt->node != NULL)
        vrpc_ev_node_free(rt->node);
    if (rt->p != NULL) {
        vrpc_runtime_trace_free_(rt, rt->p->trace);
        vrpc_runtime_cancel_timers(rt);
        if (rt->p->hangup != NULL)
            event_free(rt->p->hangup);
        if (rt->p->reload != NULL)
            event_free(rt->p->reload);
    }
    if (rt->ev != NULL)
        vrpc_ev_free(rt->ev);
    vsec_principal_unref(rt->principal);
    if (rt->p != NULL) {
        vrpc_cloud_free_(rt->p->cloud);
        v23_i18n_free(rt->p->catalogue);
        vrpc_agent_free(rt->p->agent);
        vsec_engine_unref(rt->p->engine);
    }
    if (rt->base != NULL)
        event_base_free(rt->base);
    if (rt->p != NULL) {
        vrpc_runtime_debug_fini_(rt);
        vrpc_runtime_log_fini_(rt);
    }
    v23_put(NULL, rt->p);
    memset(rt, 0, sizeof(*rt));
}

/* ---- loop, timers ------------------------------------------------------- */

void vrpc_runtime_run(struct vrpc_runtime *rt)
{
    event_base_dispatch(rt->base);
}

void vrpc_runtime_stop(struct vrpc_runtime *rt)
{
    event_base_loopbreak(rt->base);
}

static void timer_free(struct timer *t)
{
    *t->pprev = t->next;
    if (t->next != NULL)
        t->next->pprev = t->pprev;
    event_free(t->event);
    v23_put(NULL, t);
}

static int64_t monotonic_ns(const struct vrpc_runtime *rt)
{
    struct v23_now now;

    vrpc_ev_now(rt->ev, &now);
    return now.mono_ns;
}

static int timer_arm(struct timer *t, int64_t ns)
{
    struct timeval tv;

    ns += 999; /* rounded up */
    tv.tv_sec = (time_t)(ns / V23_NS_PER_SEC);
    tv.tv_usec = (suseconds_t)(ns % V23_NS_PER_SEC / 1000);
    return event_add(t->event, &tv) == 0 ? 0 : V23_ENOMEM;
}

static void timer_fired(evutil_socket_t fd, short what, void *ud)
{
    struct timer *t = ud;
    void (*fn)(void *ud) = t->fn;
    void *fn_ud = t->ud;
    int64_t left = t->at - monotonic_ns(t->rt);

    (void)fd;
    (void)what;
    /* libevent's clock is coarse, by milliseconds: whatever wakes the loop
     * shortly before may find the time over. */
    if (left > 0 && timer_arm(t, left) == 0)
        return;
    timer_free(t);
    fn(fn_ud);
}

int vrpc_runtime_after(struct vrpc_runtime *rt, int64_t delay_ns,
    void (*fn)(void *ud), void *ud)
{
    struct timer *t = v23_new(NULL, struct timer);

    if (t == NULL)
        return V23_ENOMEM;
    t->event = evtimer_new(rt->base, timer_fired, t);
    if (t->event == NULL) {
        v23_put(NULL, t);
        return V23_ENOMEM;
    }
    t->fn = fn;
    t->ud = ud;
    t->rt = rt;
    t->at = monotonic_ns(rt) + delay_ns;
    t->next = rt->p->timers;
    t->pprev = &rt->p->timers;
    if (t->next != NULL)
        t->next->pprev = &t->next;
    rt->p->timers = t;
    if (timer_arm(t, delay_ns) == 0)
        return 0;
    timer_free(t);
    return V23_ENOMEM;
}

void vrpc_runtime_cancel(struct vrpc_runtime *rt, void (*fn)(void *ud),
    void *ud)
{
    struct timer *t, *next;

    for (t = rt->p->timers; t != NULL; t = next) {
        next = t->next;
        if (t->fn == fn && t->ud == ud)
            timer_free(t);
    }
}

void vrpc_runtime_cancel_timers(struct vrpc_runtime *rt)
{
    while (rt->p->timers != NULL)
        timer_free(rt->p->timers);
}

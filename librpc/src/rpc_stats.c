/* BSD-3-Clause; see LICENSE. */
/*
 * What a manager, its server and its client count and tell of themselves below
 * rpc/ (spec/rpc.md 23). Texts are made when they are read. A call pays a look
 * at a small table for the histogram of its method, an addition there, and one
 * or two to the counters of remembered names.
 *
 * Statistics are not worth a failure: what finds no room in the tree is
 * missing there, and everything goes on.
 */
#include "server_int.h"
#include "call_int.h"
#include "dial_int.h"
#include "stats_int.h"

#include <stddef.h>
#include <stdio.h>
#include <vsec/blessings.h>

#define METHODS 64 /* a power of two */
#define MAX_TEXT (1u << 20)

struct vrpc_server_stats_ {
    struct vrpc_stats *tree;
    struct vrpc_stat *attempts, *hits;
    struct {
        const struct vrpc_method *m;
        struct vrpc_stat *latency;
    } methods[METHODS];
    bool ours;       /* nobody had the objects before */
    char prefix[64]; /* rpc/server/routing-id/<rid> */
    char outstanding[64];
};

/* ---- texts --------------------------------------------------------------- */

/* The text of the buffer, whose memory is given back. */
static int give(struct v23_buf *text, struct v23_arena *a, struct vdl_any *out)
{
    struct vdl_str *s = v23_arena_new(a, struct vdl_str);
    int rc = text->err == V23_ENOMEM ? V23_ENOMEM : 0;

    if (rc == 0 && s != NULL) { /* a text that is too long is cut */
        s->p = v23_arena_dup(a, text->n == 0 ? "" : (const char *)text->p,
            text->n);
        s->n = (uint32_t)text->n;
        out->type = &vdl_string_desc;
        out->val = s;
        rc = s->p == NULL ? V23_ENOMEM : 0;
    }
    v23_buf_fini(text);
    return s == NULL ? V23_ENOMEM : rc;
}

static void put_call(struct v23_buf *text, struct vdl_str method,
    int64_t age_ns, const char *way, const struct vrpc_endpoint *ep)
{
    v23_buf_put_str(text, method);
    v23_buf_puts(text, " age:");
    v23_duration_put(text, age_ns);
    v23_buf_puts(text, way);
    if (ep != NULL)
        vrpc_endpoint_format(ep, text);
    v23_buf_put_byte(text, '\n');
}

static const char no_calls[] = "No outstanding calls.";

static int served_text(void *ud, const struct v23_now *now,
    struct v23_arena *a, struct vdl_any *out)
{
    const struct vrpc_server *s = ud;
    const struct vrpc_server_call *call = s->calls;
    struct v23_buf text;

    v23_buf_init(&text, s->m->al, MAX_TEXT);
    while (call != NULL && call->next != NULL)
        call = call->next;
    /* From the oldest to the newest, which is the first. */
    while (call != NULL && text.err == 0) {
        if (call->state >= VRPC_SERVED_LOOKUP_)
            put_call(&text, call->method_name,
                now->mono_ns - call->received.mono_ns, " from:",
                vrpc_conn_remote_endpoint(call->session->conn));
        call = call->link == &s->calls
                   ? NULL
                   : (const struct vrpc_server_call *)(const void *)
                         ((const char *)call->link -
                             offsetof(struct vrpc_server_call, next));
    }
    if (text.n == 0)
        v23_buf_puts(&text, no_calls);
    return give(&text, a, out);
}

static int client_text(void *ud, const struct v23_now *now,
    struct v23_arena *a, struct vdl_any *out)
{
    const struct vrpc_client *c = ud;
    const struct vrpc_call *call;
    struct v23_buf text;

    v23_buf_init(&text, c->m->al, MAX_TEXT);
    for (call = c->calls; call != NULL && text.err == 0; call = call->next)
        put_call(&text, call->method_name, now->mono_ns - call->started,
            " to:", call->session == NULL
                        ? NULL
                        : vrpc_conn_remote_endpoint(call->session->conn));
    if (text.n == 0)
        v23_buf_puts(&text, no_calls);
    return give(&text, a, out);
}

static int blessings_text(void *ud, const struct v23_now *now,
    struct v23_arena *a, struct vdl_any *out)
{
    const struct vrpc_server *s = ud;
    const struct vsec_blessings *b =
        vsec_store_default(s->m->principal->store);
    struct v23_buf text;

    (void)now;
    v23_buf_init(&text, s->m->al, MAX_TEXT);
    if (b != NULL)
        v23_buf_put_str(&text, vsec_blessings_text(b));
    return give(&text, a, out);
}

/* ---- connections --------------------------------------------------------- */

static void put_end(struct v23_buf *text, const char *which,
    const struct vrpc_endpoint *ep, const struct vsec_blessings *b)
{
    v23_buf_puts(text, which);
    v23_buf_puts(text, "\n  Endpoint:  ");
    if (ep != NULL)
        vrpc_endpoint_format(ep, text);
    v23_buf_puts(text, "\n  Blessings: ");
    if (b != NULL)
        v23_buf_put_str(text, vsec_blessings_text(b));
    v23_buf_put_byte(text, '\n');
}

static void put_key(void *ud, const struct vrpc_endpoint *ep)
{
    struct v23_buf *text = ud;

    v23_buf_printf(text, "KEY: %.*s,%.*s,", (int)ep->protocol.n,
        ep->protocol.p, (int)ep->address.n, ep->address.p);
    vrpc_routing_id_format(&ep->rid, text);
    v23_buf_put_byte(text, '\n');
}

static int cache_text(void *ud, const struct v23_now *now,
    struct v23_arena *a, struct vdl_any *out)
{
    const struct vrpc_manager *m = ud;
    const struct vrpc_session_ *s;
    const struct vrpc_endpoint *ep;
    struct v23_buf text;

    v23_buf_init(&text, m->al, MAX_TEXT);
    for (s = m->sessions; s != NULL && text.err == 0; s = s->next) {
        if (!s->ready)
            continue;
        ep = vrpc_conn_remote_endpoint(s->conn);
        put_key(&text, ep);
        put_end(&text, "Remote:", ep, vrpc_conn_remote_blessings(s->conn));
        put_end(&text, "Local:", vrpc_conn_local_endpoint(s->conn),
            vrpc_conn_local_blessings(s->conn));
        v23_buf_printf(&text,
            "Version:     %u\nMTU:         %u\n#Flows:      %zu\nIdle:        ",
            vrpc_conn_version(s->conn), vrpc_conn_mtu(s->conn),
            vrpc_conn_flows(s->conn));
        v23_duration_put(&text,
            now->mono_ns - vrpc_conn_last_use_ns(s->conn));
        v23_buf_puts(&text, s->accepted ? "\nAccepted\n\n" : "\nDialed\n\n");
    }
    return give(&text, a, out);
}

static int reserved_text(void *ud, const struct v23_now *now,
    struct v23_arena *a, struct vdl_any *out)
{
    const struct vrpc_manager *m = ud;
    struct v23_buf text;

    (void)now;
    v23_buf_init(&text, m->al, MAX_TEXT);
    vrpc_dials_each_(m, put_key, &text);
    return give(&text, a, out);
}

/* ---- names --------------------------------------------------------------- */

/* head, the routing id, tail; NUL-terminated. */
static struct vdl_str name_with(const struct vrpc_manager *m, const char *head,
    const char *tail, char *out, size_t size)
{
    struct v23_buf b;

    v23_buf_init_fixed(&b, out, size - 1);
    v23_buf_puts(&b, head);
    vrpc_routing_id_format(&m->rid, &b);
    v23_buf_puts(&b, tail);
    out[b.n] = 0;
    return vdl_strn(out, b.n);
}

/* Whether it was made. */
static bool add_func(struct vrpc_stats *t, struct vdl_str name,
    vrpc_stat_fn *fn, void *ud)
{
    return vrpc_stats_func(t, name, fn, ud) == 0;
}

void vrpc_manager_stats_init_(struct vrpc_manager *m)
{
    char name[96];

    if (m->stats == NULL)
        return;
    m->in_stats = add_func(m->stats, name_with(m, "rpc/flow/",
                               "/conn-cache/cache", name, sizeof(name)),
        cache_text, m);
    if (m->in_stats)
        (void)add_func(m->stats, name_with(m, "rpc/flow/",
                           "/conn-cache/reserved", name, sizeof(name)),
            reserved_text, m);
}

void vrpc_manager_stats_fini_(struct vrpc_manager *m)
{
    char name[96];

    if (m->in_stats)
        (void)vrpc_stats_delete(m->stats, name_with(m, "rpc/flow/", "", name,
                                              sizeof(name)));
}

void vrpc_client_stats_init_(struct vrpc_client *c)
{
    struct vdl_str name;
    int rc = V23_EEXIST;
    unsigned i;

    c->stat_name[0] = 0;
    if (c->m->stats == NULL)
        return;
    for (i = 0; rc == V23_EEXIST && i < 1000; i++) {
        snprintf(c->stat_name, sizeof(c->stat_name),
            "rpc/client/outstanding/%u", i);
        name = vdl_str(c->stat_name);
        rc = vrpc_stats_func(c->m->stats, name, client_text, c);
    }
    if (rc != 0)
        c->stat_name[0] = 0;
}

void vrpc_client_stats_fini_(struct vrpc_client *c)
{
    if (c->stat_name[0] != 0)
        (void)vrpc_stats_delete(c->m->stats, vdl_str(c->stat_name));
}

/* ---- server -------------------------------------------------------------- */

static struct vdl_str below(const struct vrpc_server_stats_ *st,
    const char *what, char *out, size_t size)
{
    int n = snprintf(out, size, "%s/%s", st->prefix, what);

    return vdl_strn(out, (size_t)n);
}

/* A counter below the prefix; NULL when there is no room. */
static struct vrpc_stat *count(struct vrpc_server_stats_ *st,
    const char *what, int64_t now)
{
    struct vrpc_stat *c = NULL;
    char text[128];
    struct vdl_str name = below(st, what, text, sizeof(text));
    int rc = vrpc_stats_counter(st->tree, name, now, &c);

    return rc == V23_EEXIST ? vrpc_stats_get_(st->tree, name) : c;
}

void vrpc_server_stats_init_(struct vrpc_server *s)
{
    struct vrpc_manager *m = s->m;
    int64_t now = vrpc_mgr_now_(m).mono_ns;
    struct vrpc_server_stats_ *st;
    char name[128];

    if (m->stats == NULL)
        return;
    st = s->stats = v23_new(m->al, struct vrpc_server_stats_);
    if (st == NULL)
        return;
    st->tree = m->stats;
    (void)name_with(m, "rpc/server/routing-id/", "", st->prefix,
        sizeof(st->prefix));
    st->ours = add_func(st->tree, name_with(m, "rpc/server/outstanding/", "",
                            st->outstanding, sizeof(st->outstanding)),
        served_text, s);
    if (st->ours)
        (void)add_func(st->tree, below(st, "security/blessings", name,
                           sizeof(name)), blessings_text, s);
    st->attempts = count(st, "security/blessings/cache/attempts", now);
    st->hits = count(st, "security/blessings/cache/hits", now);
}

void vrpc_server_stats_fini_(struct vrpc_server *s)
{
    struct vrpc_server_stats_ *st = s->stats;

    if (st == NULL)
        return;
    if (st->ours) {
        (void)vrpc_stats_delete(st->tree, vdl_str(st->prefix));
        (void)vrpc_stats_delete(st->tree, vdl_str(st->outstanding));
    }
    v23_put(s->m->al, st);
    s->stats = NULL;
}

void vrpc_server_stats_names_(struct vrpc_server_call *call, bool hit)
{
    struct vrpc_server_stats_ *st = call->s->stats;

    if (st == NULL)
        return;
    (void)vrpc_stat_incr(st->attempts, 1, call->received.mono_ns);
    if (hit)
        (void)vrpc_stat_incr(st->hits, 1, call->received.mono_ns);
}

/* The histogram of a method, by its name; NULL when there is no room. */
static struct vrpc_stat *find_latency(struct vrpc_server_stats_ *st,
    struct vdl_str method, int64_t now)
{
    static const struct vrpc_histogram_options opt = { 25, 1, 1, 0 };
    struct vrpc_stat *h = NULL;
    char name[256];
    int n, rc;

    n = snprintf(name, sizeof(name), "%s/methods/%.*s/latency-ms", st->prefix,
        (int)method.n, method.p);
    if (n >= (int)sizeof(name))
        return NULL;
    rc = vrpc_stats_histogram(st->tree, vdl_strn(name, (size_t)n), &opt, now,
        &h);
    if (rc == V23_EEXIST)
        h = vrpc_stats_get_(st->tree, vdl_strn(name, (size_t)n));
    return rc == 0 || rc == V23_EEXIST ? h : NULL;
}

static struct vrpc_stat *latency_of(struct vrpc_server_stats_ *st,
    const struct vrpc_server_call *call, int64_t now)
{
    uint32_t at = ((uint32_t)((uintptr_t)call->method >> 3) * 2654435761u)
        >> 26;
    int i;

    for (i = 0; i < 2; i++, at ^= 1) {
        struct vrpc_stat *h = st->methods[at].latency;

        /* A descriptor made at run time may have become another one. */
        if (st->methods[at].m == call->method &&
            (h == NULL || vdl_str_eq(vrpc_stat_name_(h->parent),
                              call->method_name)))
            return h;
        if (st->methods[at].m == NULL)
            break;
    }
    at &= METHODS - 1;
    st->methods[at].m = call->method;
    st->methods[at].latency = find_latency(st, call->method_name, now);
    return st->methods[at].latency;
}

void vrpc_server_stats_latency_(struct vrpc_server_call *call)
{
    struct vrpc_server_stats_ *st = call->s->stats;
    int64_t now, ns;

    if (st == NULL)
        return;
    now = vrpc_mgr_now_(call->s->m).mono_ns;
    ns = now - call->received.mono_ns;
    (void)vrpc_stat_record(latency_of(st, call, now),
        ns < 0 ? 0 : ns / V23_NS_PER_MS, now);
}

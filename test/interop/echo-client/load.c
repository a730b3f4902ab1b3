/* BSD-3-Clause; see LICENSE. */
/*
 * Load: clients that call one after the other, each on a connection of its own
 * or all on one, and one line of JSON that says how fast it went. All of them
 * run in one loop.
 */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <sys/resource.h>

#include <vrpc/manager.h>

#define MAX_CLIENTS 100000

struct load;

struct worker {
    struct load *l;
    struct vrpc_ev_node *node; /* with a connection of its own */
    struct vrpc_client *client;
    struct vname_ns *ns;
    struct vrpc_call *call;
    struct vrpc_call_opts opts;
    int64_t todo;     /* calls or items of this phase not yet begun */
    int64_t began;    /* ns; of what is measured now */
    bool stream_open; /* items go on */
    struct held *held; /* of mode flows: `calls` of them */
};

/* A stream that is kept open after its first item has come back. */
struct held {
    struct worker *w;
    bool put;
};

struct load {
    struct echo_client *c;
    struct echo_test t; /* memory, names */
    const struct mode *mode;
    struct vrpc_call *(*begin)(struct worker *w); /* a call of the method */
    const char *name;
    struct worker *workers;
    size_t n, running, next; /* workers; not done yet; not yet begun */
    void (*start)(struct worker *w); /* of this phase */
    int64_t count;                   /* calls or items of each in it */
    struct vdl_bytes payload;
    int64_t number; /* item of a stream of numbers */
    struct vdl_any echo_arg;
    int64_t *took;  /* ns, of what has been measured */
    size_t ntook;
    uint64_t errors;
    bool measured;  /* else: warming up */
    bool idle;      /* nobody runs */
    char why[300];  /* first error */
};

struct mode {
    const char *name;
    void (*start)(struct worker *w);
    bool own_conn; /* always */
    bool stream;
};

static int64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * V23_NS_PER_SEC + ts.tv_nsec;
}

/* CPU time of this process so far. */
static double cpu_seconds(void)
{
    struct rusage r;

    getrusage(RUSAGE_SELF, &r);
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec)
        + (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

/* ---- what workers tell --------------------------------------------------- */

static void measure(struct worker *w)
{
    struct load *l = w->l;
    int64_t now = now_ns();

    if (l->measured)
        l->took[l->ntook++] = now - w->began;
    w->began = now;
}

static void note(struct load *l, const struct v23_verror *err)
{
    if (l->errors++ == 0)
        snprintf(l->why, sizeof(l->why), "%.*s", (int)err->msg.n,
            err->msg.p);
}

static void start_worker(struct load *l)
{
    struct worker *w = &l->workers[l->next++];

    w->todo = l->count;
    l->start(w);
}

static void worker_done(struct worker *w)
{
    struct load *l = w->l;

    l->running--;
    if (l->next < l->n)
        start_worker(l);
    if (l->running != 0)
        return;
    l->idle = true;
    vname_program_done(l->c->p);
}

/* A call could not be started. */
static void no_call(struct worker *w)
{
    static const struct v23_verror e = { { "", 0 }, 0,
        VDL_STR_INIT("out of memory"), { NULL, 0 } };

    note(w->l, &e);
    worker_done(w);
}

/* ---- unary calls --------------------------------------------------------- */

static void start_call(struct worker *w);

static void after_call(struct worker *w, const struct v23_verror *err)
{
    if (err != NULL)
        note(w->l, err);
    else
        measure(w);
    start_call(w);
}

static void bytes_done(void *ud, const struct v23_verror *err,
    const echo_echo_echo_bytes_out *out)
{
    (void)out;
    after_call(ud, err);
}

static void string_done(void *ud, const struct v23_verror *err,
    const echo_echo_echo_string_out *out)
{
    (void)out;
    after_call(ud, err);
}

static void echo_done(void *ud, const struct v23_verror *err,
    const echo_echo_echo_out *out)
{
    (void)out;
    after_call(ud, err);
}

static void nothing_done(void *ud, const struct v23_verror *err)
{
    after_call(ud, err);
}

static struct vrpc_call *begin_bytes(struct worker *w)
{
    return echo_echo_echo_bytes_start(w->client, w->l->name, &w->opts,
        w->l->payload, bytes_done, w);
}

static struct vrpc_call *begin_string(struct worker *w)
{
    return echo_echo_echo_string_start(w->client, w->l->name, &w->opts,
        vdl_strn((const char *)w->l->payload.p, w->l->payload.n),
        string_done, w);
}

static struct vrpc_call *begin_echo(struct worker *w)
{
    return echo_echo_echo_start(w->client, w->l->name, &w->opts,
        w->l->echo_arg, echo_done, w);
}

static struct vrpc_call *begin_nothing(struct worker *w)
{
    return echo_echo_nothing_start(w->client, w->l->name, &w->opts,
        nothing_done, w);
}

static const struct {
    const char *name;
    struct vrpc_call *(*begin)(struct worker *w);
} methods[] = {
    { "EchoBytes", begin_bytes },
    { "Echo", begin_echo },
    { "EchoString", begin_string },
    { "Nothing", begin_nothing },
};

static size_t method_index(const char *name)
{
    size_t i = 0;

    while (i < sizeof(methods) / sizeof(methods[0])
        && strcmp(methods[i].name, name) != 0)
        i++;
    return i;
}

static void start_call(struct worker *w)
{
    if (w->todo-- <= 0) {
        worker_done(w);
        return;
    }
    w->began = now_ns();
    w->call = w->l->begin(w);
    if (w->call == NULL)
        no_call(w);
}

/* ---- a new connection for each call -------------------------------------- */

static void connected(void *ud, const struct v23_verror *err);

static void connect_again(void *ud)
{
    struct worker *w = ud;

    vrpc_manager_close_all(vrpc_ev_node_manager(w->node), "done");
    if (w->todo-- <= 0) {
        worker_done(w);
        return;
    }
    w->began = now_ns();
    w->call = echo_echo_nothing_start(w->client, w->l->name, &w->opts,
        connected, w);
    if (w->call == NULL)
        no_call(w);
}

static void connected(void *ud, const struct v23_verror *err)
{
    struct worker *w = ud;

    if (err != NULL)
        note(w->l, err);
    else
        measure(w);
    /* Not from inside a callback of the connection. */
    if (vrpc_runtime_after(&w->l->c->p->rt, 0, connect_again, w) != 0)
        no_call(w);
}

static void start_connect(struct worker *w)
{
    connect_again(w);
}

/* ---- streams ------------------------------------------------------------- */

static void stream_over(struct worker *w, const struct v23_verror *err)
{
    w->stream_open = false;
    if (err != NULL)
        note(w->l, err);
    worker_done(w);
}

static void pump_echo(void *ud, struct vrpc_call *call)
{
    struct worker *w = ud;

    if (!w->stream_open)
        return;
    if (w->todo == 0) {
        vrpc_call_close_send(call);
        return;
    }
    if (echo_echo_stream_echo_bytes_put(call, &w->l->payload) == 0)
        w->stream_open = false; /* until it comes back */
}

static void echoed(void *ud, const struct vdl_bytes *item)
{
    struct worker *w = ud;

    (void)item;
    measure(w);
    w->todo--;
    w->stream_open = true;
    pump_echo(w, w->call);
}

static void echo_over(void *ud, const struct v23_verror *err,
    const echo_echo_stream_echo_bytes_out *out)
{
    (void)out;
    stream_over(ud, err);
}

static void start_stream_echo(struct worker *w)
{
    static const echo_echo_stream_echo_bytes_cb cb = { echoed, echo_over };

    w->began = now_ns();
    w->stream_open = true;
    w->call = echo_echo_stream_echo_bytes_start(w->client, w->l->name,
        &w->opts, &cb, w);
    if (w->call == NULL)
        no_call(w);
    else
        vrpc_call_on_writable(w->call, pump_echo, w);
}

static void came_down(void *ud, const struct vdl_bytes *item)
{
    (void)item;
    measure(ud);
}

static void down_over(void *ud, const struct v23_verror *err)
{
    stream_over(ud, err);
}

static void start_stream_down(struct worker *w)
{
    static const echo_echo_stream_bytes_cb cb = { came_down, down_over };

    w->began = now_ns();
    w->call = echo_echo_stream_bytes_start(w->client, w->l->name, &w->opts,
        (int32_t)w->todo, (int32_t)w->l->payload.n, &cb, w);
    if (w->call == NULL)
        no_call(w);
}

static void pump_up(void *ud, struct vrpc_call *call)
{
    struct worker *w = ud;

    while (w->todo > 0) {
        if (echo_echo_stream_sum_put(call, &w->l->number) != 0)
            return;
        w->todo--;
        measure(w);
    }
    vrpc_call_close_send(call);
}

static void up_over(void *ud, const struct v23_verror *err,
    const echo_echo_stream_sum_out *out)
{
    (void)out;
    stream_over(ud, err);
}

static void start_stream_up(struct worker *w)
{
    w->began = now_ns();
    w->call = echo_echo_stream_sum_start(w->client, w->l->name, &w->opts,
        up_over, w);
    if (w->call == NULL)
        no_call(w);
    else
        vrpc_call_on_writable(w->call, pump_up, w);
}

/* ---- streams that stay --------------------------------------------------- */

static void put_first(void *ud, struct vrpc_call *call)
{
    struct held *h = ud;

    if (!h->put)
        h->put = echo_echo_stream_echo_bytes_put(call, &h->w->l->payload)
            == 0;
}

static void first_came(void *ud, const struct vdl_bytes *item)
{
    struct worker *w = ((struct held *)ud)->w;

    (void)item;
    measure(w);
    if (--w->todo == 0)
        worker_done(w);
}

/* At the end of the program, if all is well. */
static void held_over(void *ud, const struct v23_verror *err,
    const echo_echo_stream_echo_bytes_out *out)
{
    struct worker *w = ((struct held *)ud)->w;

    (void)out;
    if (w->todo == 0)
        return;
    if (err != NULL)
        note(w->l, err);
    if (--w->todo == 0)
        worker_done(w);
}

static void start_flows(struct worker *w)
{
    static const echo_echo_stream_echo_bytes_cb cb = { first_came,
        held_over };
    size_t i, n = (size_t)w->todo;
    struct vrpc_call *call;

    w->held = ECHO_NEW(&w->l->t, struct held, n);
    w->began = now_ns();
    for (i = 0; i < n; i++) {
        w->held[i].w = w;
        call = echo_echo_stream_echo_bytes_start(w->client, w->l->name,
            &w->opts, &cb, &w->held[i]);
        if (call == NULL) {
            no_call(w);
            return;
        }
        vrpc_call_on_writable(call, put_first, &w->held[i]);
    }
}

/* ---- set up -------------------------------------------------------------- */

static const struct mode modes[] = {
    { "load", start_call, false, false },
    { "connrate", start_connect, true, false },
    { "stream-echo", start_stream_echo, false, true },
    { "stream-down", start_stream_down, false, true },
    { "stream-up", start_stream_up, false, true },
    { "flows", start_flows, false, true },
};

static int own_connection(struct worker *w)
{
    struct vname_program *p = w->l->c->p;
    struct vrpc_manager_config mcfg = { .principal = p->rt.principal };
    struct vrpc_client_config ccfg = { .component = vdl_str("echo-client") };
    struct vname_ns_config ncfg = { .roots = p->flags.roots,
        .nroots = p->flags.nroots };
    int rc;

    rc = vrpc_ev_node_new(p->rt.ev, &mcfg, &w->node);
    if (rc == 0)
        rc = vrpc_client_new(vrpc_ev_node_manager(w->node), &ccfg,
            &w->client);
    ncfg.client = w->client;
    if (rc == 0)
        rc = vname_ns_new(&ncfg, &w->ns);
    return rc;
}

static int add_workers(struct load *l)
{
    const struct echo_options *o = l->c->o;
    size_t i;
    int rc = 0;

    l->n = (size_t)o->clients;
    l->workers = ECHO_NEW(&l->t, struct worker, l->n);
    for (i = 0; i < l->n && rc == 0; i++) {
        struct worker *w = &l->workers[i];

        w->l = l;
        w->opts = echo_call_opts(l->c);
        if (l->mode->stream)
            w->opts.timeout_ns = 0;
        w->client = l->c->p->rt.client;
        if (o->own_conn || l->mode->own_conn)
            rc = own_connection(w);
    }
    return rc;
}

static void free_workers(struct load *l)
{
    size_t i;

    for (i = 0; i < l->n; i++) {
        if (l->workers[i].node == NULL)
            continue;
        vname_ns_free(l->workers[i].ns);
        vrpc_client_free(l->workers[i].client);
        vrpc_ev_node_free(l->workers[i].node);
    }
}

/* All workers, so many at once as may be, `count` calls or items each. */
static void phase(struct load *l, void (*start)(struct worker *w),
    int64_t count)
{
    int64_t most = l->c->o->at_once;
    size_t first = most > 0 && (size_t)most < l->n ? (size_t)most : l->n;

    if (count == 0)
        return;
    l->start = start;
    l->count = count;
    l->running = l->n;
    l->next = 0;
    l->idle = false;
    while (first-- > 0 && l->next < l->n)
        start_worker(l);
    while (!l->idle)
        vname_program_wait(l->c->p);
}

/* ---- result -------------------------------------------------------------- */

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static double percentile(const struct load *l, unsigned percent)
{
    size_t i;

    if (l->ntook == 0)
        return 0;
    i = l->ntook * percent / 100;
    return (double)l->took[i < l->ntook ? i : l->ntook - 1] / 1000;
}

static void report(struct load *l, double seconds, double cpu)
{
    const struct echo_options *o = l->c->o;
    bool numbers = strcmp(o->mode, "stream-up") == 0;
    double per_s = seconds > 0 ? (double)l->ntook / seconds : 0;
    double payload = numbers ? 8 : (double)o->payload;

    qsort(l->took, l->ntook, sizeof(*l->took), by_time);
    printf("{\"mode\":\"%s\",\"clients\":%lld,\"calls\":%lld,"
           "\"payload\":%lld,\"errors\":%llu,\"seconds\":%.6f,"
           "\"cpu_s\":%.6f,\"per_s\":%.1f,\"mb_s\":%.3f,\"p50_us\":%.1f,"
           "\"p90_us\":%.1f,\"p99_us\":%.1f}\n",
        o->mode, (long long)o->clients, (long long)o->calls,
        (long long)o->payload, (unsigned long long)l->errors, seconds, cpu,
        per_s, per_s * payload / 1e6, percentile(l, 50), percentile(l, 90),
        percentile(l, 99));
    fflush(stdout);
}

static void run_load(struct load *l)
{
    int64_t start;
    double seconds, cpu;

    /* What stays open begins with calls that do not. */
    phase(l, l->mode->start == start_flows ? start_call : l->mode->start,
        l->c->o->warmup);
    if (l->c->o->pause > 0) {
        printf("{\"mode\":\"pause\",\"errors\":%llu}\n",
            (unsigned long long)l->errors);
        fflush(stdout);
        echo_sleep(&l->t, l->c->o->pause);
    }
    l->measured = true;
    l->errors = 0;
    start = now_ns();
    cpu = cpu_seconds();
    phase(l, l->mode->start, l->c->o->calls);
    seconds = (double)(now_ns() - start) / 1e9;
    report(l, seconds, cpu_seconds() - cpu);
    if (l->c->o->hold > 0)
        echo_sleep(&l->t, l->c->o->hold);
}

int echo_load_main(struct echo_client *c)
{
    struct load l = { .c = c };
    const struct echo_options *o = c->o;
    size_t i;
    int rc;

    for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        if (strcmp(modes[i].name, o->mode) == 0)
            l.mode = &modes[i];
    if (l.mode == NULL)
        return v23_error("-mode=%s: no such mode", o->mode);
    if (method_index(o->method) == sizeof(methods) / sizeof(methods[0]))
        return v23_error("-method=%s: no such method", o->method);
    if (o->clients > MAX_CLIENTS || o->calls > INT32_MAX)
        return v23_error("too many clients or calls");
    l.begin = methods[method_index(o->method)].begin;
    l.t.c = c;
    v23_arena_init(&l.t.a, NULL, SIZE_MAX);
    l.name = echo_name(&l.t, "");
    l.payload = echo_payload(&l.t, (size_t)o->payload);
    l.echo_arg.type = &vdl_bytes_desc;
    l.echo_arg.val = &l.payload;
    l.took = ECHO_NEW(&l.t, int64_t, (size_t)(o->clients * o->calls) + 1);
    rc = add_workers(&l);
    if (rc != 0)
        rc = v23_error("no client: %s", v23_strerror(rc));
    else
        run_load(&l);
    if (rc == 0 && l.errors != 0)
        rc = v23_error("%s", l.why);
    free_workers(&l);
    v23_arena_fini(&l.t.a);
    return rc;
}

/* BSD-3-Clause; see LICENSE. */
/*
 * stress stress: workers that call Sum or SumStream of some server, with random
 * arguments, one call after the other, and check each sum.
 */
#include "stress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include <v23/time.h>
#include <vsec/principal.h>

#include "sum.h"

struct test {
    struct vname_program *p;
    char **servers;
    uint64_t nservers;
    uint64_t random; /* of a generator; what it makes is no secret */
    int64_t start;
    int64_t running;
    int rc;
};

struct worker {
    struct test *t;
    v23_stress_sum_stats stats;
    v23_stress_sum_arg arg;     /* of the call, or the next item */
    uint8_t *bytes;             /* its list */
    uint8_t (*sums)[SUM_SIZE];  /* expected, by item */
    uint64_t items, made, sent, got; /* wanted; with a sum; … */
    struct vrpc_call *call;     /* a stream */
};

/* ---- arguments ----------------------------------------------------------- */

static uint64_t random_below(struct test *t, uint64_t n)
{
    t->random = t->random * UINT64_C(6364136223846793005)
        + UINT64_C(1442695040888963407);
    return (t->random >> 24) % n;
}

static int make_arg(struct worker *w, uint8_t sum[SUM_SIZE])
{
    struct test *t = w->t;
    size_t n = (size_t)random_below(t, (uint64_t)options.payload) + 1, i;

    for (i = 0; i < n; i++)
        w->bytes[i] = (uint8_t)random_below(t, 256);
    w->arg.abool = random_below(t, 2) == 0;
    w->arg.aint64 = (int64_t)random_below(t, INT64_MAX);
    w->arg.alist_of_bytes = vdl_bytes(w->bytes, n);
    return stress_sum(t->p->rt.principal->engine->crypto, &w->arg, sum);
}

/* ---- calls --------------------------------------------------------------- */

static void next(struct worker *w);

static void stopped(struct worker *w)
{
    if (--w->t->running == 0)
        vname_program_done(w->t->p);
}

static void failed(struct worker *w, const char *what)
{
    w->t->rc = v23_error("%s", what);
}

static void ended(struct worker *w, const char *what,
    const struct v23_verror *err)
{
    if (err != NULL)
        w->t->rc = vname_program_error(w->t->p, what, err);
    next(w);
}

static void got_sum(void *ud, const struct v23_verror *err,
    const v23_stress_stress_sum_out *out)
{
    struct worker *w = ud;

    if (err == NULL
        && !vdl_bytes_eq(out->result, vdl_bytes(w->sums[0], SUM_SIZE))) {
        failed(w, "Sum returned something else than expected");
    } else if (err == NULL) {
        w->stats.sum_count++;
        w->stats.bytes_sent += stress_size(&w->arg);
        w->stats.bytes_recv += SUM_SIZE;
    }
    ended(w, "Sum failed", err);
}

static void got_item(void *ud, const struct vdl_bytes *item)
{
    struct worker *w = ud;

    if (w->got >= w->sent
        || !vdl_bytes_eq(*item, vdl_bytes(w->sums[w->got], SUM_SIZE))) {
        failed(w, "RecvStream returned something else than expected");
        vrpc_call_cancel(w->call);
        return;
    }
    w->got++;
    w->stats.bytes_recv += SUM_SIZE;
}

static void stream_done(void *ud, const struct v23_verror *err)
{
    struct worker *w = ud;

    if (err == NULL && w->got != w->items)
        failed(w, "RecvStream returned too few chunks");
    if (err == NULL)
        w->stats.sum_stream_count++;
    ended(w, "SumStream failed", w->t->rc != 0 ? NULL : err);
}

/* Send as much as there is room for. An item is sent after its sum is known:
 * the answer may be quicker than the return. */
static void fill(void *ud, struct vrpc_call *call)
{
    struct worker *w = ud;
    int rc = 0;

    while (w->sent < w->items) {
        if (w->made == w->sent) {
            if (make_arg(w, w->sums[w->made]) != 0)
                break;
            w->made++;
        }
        rc = vrpc_call_send(call, &w->arg);
        if (rc != 0)
            break;
        w->sent++;
        w->stats.bytes_sent += stress_size(&w->arg);
    }
    if (w->sent == w->items)
        vrpc_call_close_send(call);
    else if (rc != V23_EAGAIN && rc != V23_ECLOSED)
        vrpc_call_cancel(call);
}

static void start_stream(struct worker *w, const char *server)
{
    static const v23_stress_stress_sum_stream_cb cb = { got_item,
        stream_done };

    w->items = random_below(w->t, (uint64_t)options.chunks) + 1;
    w->made = w->sent = w->got = 0;
    w->call = v23_stress_stress_sum_stream_start(w->t->p->rt.client, server,
        NULL, &cb, w);
    if (w->call == NULL) {
        failed(w, "out of memory");
        stopped(w);
        return;
    }
    vrpc_call_on_writable(w->call, fill, w);
    fill(w, w->call);
}

static void start_sum(struct worker *w, const char *server)
{
    if (make_arg(w, w->sums[0]) == 0
        && v23_stress_stress_sum_start(w->t->p->rt.client, server, NULL,
               &w->arg, got_sum, w) != NULL)
        return;
    failed(w, "out of memory");
    stopped(w);
}

static void next(struct worker *w)
{
    struct test *t = w->t;
    const char *server = t->servers[random_below(t, t->nservers)];

    if (t->rc != 0 || now_ns(t->p) - t->start >= options.duration)
        stopped(w);
    else if (random_below(t, 2) == 0)
        start_sum(w, server);
    else
        start_stream(w, server);
}

/* ---- the test ------------------------------------------------------------ */

static bool worker_init(struct worker *w, struct test *t)
{
    w->t = t;
    w->bytes = v23_get(NULL, (size_t)options.payload);
    w->sums = v23_get0(NULL, (size_t)options.chunks, SUM_SIZE);
    return w->bytes != NULL && w->sums != NULL;
}

static void print_start(int nservers)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct v23_buf text;

    v23_buf_init(&text, NULL, 64);
    v23_duration_put(&text, options.duration);
    printf("starting stress test against %d server(s) using %ld core(s)...\n"
           "workers: %" PRId64 ", maxChunkCnt: %" PRId64
           ", maxPayloadSize: %" PRId64 ", duration: %s\n",
        nservers, cores, options.workers, options.chunks, options.payload,
        v23_buf_cstr(&text));
    fflush(stdout);
    v23_buf_fini(&text);
}

static void run_workers(struct test *t, struct worker *w, size_t n)
{
    size_t i;

    for (i = 0; i < n && t->rc == 0; i++)
        if (!worker_init(&w[i], t))
            t->rc = v23_error("out of memory");
    t->start = now_ns(t->p);
    t->random = (uint64_t)t->start;
    if (t->rc == 0) {
        t->running = (int64_t)n;
        for (i = 0; i < n; i++)
            next(&w[i]);
        vname_program_wait(t->p);
    }
}

int run_stress(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct test t = { ud, argv, (uint64_t)argc, 0, 0, 0, 0 };
    v23_stress_sum_stats sum = { 0, 0, 0, 0 };
    size_t n = (size_t)options.workers, i;
    struct worker *w;

    t.rc = check_args(inv, argc);
    if (t.rc != 0)
        return t.rc;
    w = v23_get0(NULL, n, sizeof(*w));
    if (w == NULL)
        return v23_error("out of memory");
    print_start(argc);
    run_workers(&t, w, n);
    for (i = 0; i < n; i++) {
        sum.sum_count += w[i].stats.sum_count;
        sum.sum_stream_count += w[i].stats.sum_stream_count;
        sum.bytes_recv += w[i].stats.bytes_recv;
        sum.bytes_sent += w[i].stats.bytes_sent;
        v23_put(NULL, w[i].bytes);
        v23_put(NULL, w[i].sums);
    }
    v23_put(NULL, w);
    if (t.rc == 0) {
        print_elapsed(now_ns(t.p) - t.start);
        print_stats("client stats:", &sum);
    }
    return t.rc;
}

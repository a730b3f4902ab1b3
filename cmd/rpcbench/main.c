/* BSD-3-Clause; see LICENSE. */
/*
 * rpcbench: times calls of rpcbenchd, one after the other, perhaps with another
 * stream in the background (spec/services.md 14).
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include <v23/time.h>
#include <v23/vdl/v.io/x/ref/runtime/internal/rpc/benchmark/benchmark.rpc.h>
#include <vname/program.h>
#include <vrpc/stats.h>

#define BUCKETS 16
#define MAX_ITERATIONS 100000000

static const char *server = "";
static int64_t iterations = 100, chunk_count, payload_size, mux_chunk_count,
               mux_payload_size;
static bool randomize;

static const struct v23_flag flags[] = {
    { "server", "Address of the server to connect to.", "", V23_FLAG_STRING,
        &server, NULL },
    { "iterations", "Number of iterations to run.", "100", V23_FLAG_INT,
        &iterations, NULL },
    { "chunk_count",
        "Number of chunks to send per streaming RPC (if zero, use "
        "non-streaming RPC).",
        "0", V23_FLAG_INT, &chunk_count, NULL },
    { "payload_size", "Size of payload in bytes.", "0", V23_FLAG_INT,
        &payload_size, NULL },
    { "mux_chunk_count", "Number of chunks to send in background.", "0",
        V23_FLAG_INT, &mux_chunk_count, NULL },
    { "mux_payload_size", "Size of payload to send in background.", "0",
        V23_FLAG_INT, &mux_payload_size, NULL },
    { "randomize-payload-sizes", "Randomize the size of the payloads.",
        "false", V23_FLAG_BOOL, &randomize, NULL },
};

/* Calls, one after the other. */
struct caller {
    struct vname_program *p;
    bool background;
    int64_t chunks;        /* 0: no streams */
    uint8_t *bytes;
    size_t size;           /* of them */
    struct vdl_bytes payload; /* of this call */
    uint64_t random;
    int64_t *times, n;     /* of the calls so far */
    int64_t start;         /* of this call */
    int64_t sent, got;
    struct vrpc_call *call;
    int rc;
};

static int64_t now_ns(const struct caller *c)
{
    struct v23_now now;

    vrpc_ev_now(c->p->rt.ev, &now);
    return now.mono_ns;
}

static void next(struct caller *c);

static void failed(struct caller *c, const char *what)
{
    c->rc = v23_error("%s", what);
}

static void ended(struct caller *c, const char *what,
    const struct v23_verror *err)
{
    if (err != NULL && c->rc == 0)
        c->rc = vname_program_error(c->p, what, err);
    c->call = NULL;
    if (!c->background)
        c->times[c->n] = now_ns(c) - c->start;
    c->n++;
    if (c->rc == 0 && (c->background || c->n < iterations))
        next(c);
    else
        vname_program_done(c->p);
}

static void got_echo(void *ud, const struct v23_verror *err,
    const v23_benchmark_benchmark_echo_out *out)
{
    struct caller *c = ud;

    if (err == NULL && !vdl_bytes_eq(out->result, c->payload))
        failed(c, "Echo returned other bytes");
    ended(c, "Echo failed", err);
}

static void got_item(void *ud, const struct vdl_bytes *item)
{
    struct caller *c = ud;

    c->got++;
    if (vdl_bytes_eq(*item, c->payload) || c->rc != 0)
        return;
    failed(c, "EchoStream returned other bytes");
    vrpc_call_cancel(c->call);
}

static void stream_done(void *ud, const struct v23_verror *err)
{
    struct caller *c = ud;

    if (err == NULL && c->got != c->chunks)
        failed(c, "EchoStream returned too few chunks");
    ended(c, "EchoStream failed", err);
}

static void fill(void *ud, struct vrpc_call *call)
{
    struct caller *c = ud;
    int rc = 0;

    while (c->sent < c->chunks && rc == 0) {
        rc = vrpc_call_send(call, &c->payload);
        c->sent += rc == 0;
    }
    if (c->sent == c->chunks)
        vrpc_call_close_send(call);
}

static void next(struct caller *c)
{
    static const v23_benchmark_benchmark_echo_stream_cb cb = { got_item,
        stream_done };
    struct vrpc_client *client = c->p->rt.client;

    if (randomize && c->size != 0) {
        c->random = c->random * UINT64_C(6364136223846793005)
            + UINT64_C(1442695040888963407);
        c->payload.n = (uint32_t)((c->random >> 24) % c->size);
    }
    c->start = now_ns(c);
    c->sent = c->got = 0;
    c->call = c->chunks == 0
        ? v23_benchmark_benchmark_echo_start(client, server, NULL, c->payload,
              got_echo, c)
        : v23_benchmark_benchmark_echo_stream_start(client, server, NULL, &cb,
              c);
    if (c->call == NULL) {
        failed(c, "out of memory");
        vname_program_done(c->p);
    } else if (c->chunks != 0) {
        vrpc_call_on_writable(c->call, fill, c);
        fill(c, c->call);
    }
}

/* ---- what it took -------------------------------------------------------- */

/* Bounds that grow from the least to the most, in the largest unit that the
 * least has one of. */
static int histogram(const int64_t *times, int64_t n, struct v23_buf *out)
{
    static const struct {
        int64_t ns;
        const char *name;
    } units[] = { { 1, "ns" }, { 1000, "µs" }, { 1000000, "ms" },
        { 1000000000, "s" } };
    struct vrpc_histogram_options opt = { BUCKETS + 1, 0, 1, 0 };
    struct v23_now now = { 0, { 0, 0 } };
    int64_t min = INT64_MAX, max = 0, i;
    struct vrpc_stats *tree = NULL;
    struct vrpc_stat *h;
    struct v23_arena a;
    struct vdl_any v;
    size_t u = 0;
    int rc;

    for (i = 0; i < n; i++) {
        min = times[i] < min ? times[i] : min;
        max = times[i] > max ? times[i] : max;
    }
    while (u < 3 && min > units[u + 1].ns)
        u++;
    min /= units[u].ns;
    max /= units[u].ns;
    if (max - min + 1 < BUCKETS + 1)
        opt.buckets = (uint32_t)(max - min + 1);
    opt.growth = max == min ? 0
        : pow((double)(max - min), 1.0 / (BUCKETS - 1)) - 1;
    opt.min = min;
    v23_arena_init(&a, NULL, SIZE_MAX);
    rc = vrpc_stats_new(NULL, &now, &tree);
    if (rc == 0)
        rc = vrpc_stats_histogram(tree, vdl_str("h"), &opt, 0, &h);
    for (i = 0; rc == 0 && i < n; i++)
        rc = vrpc_stat_record(h, times[i] / units[u].ns, 0);
    if (rc == 0)
        rc = vrpc_stats_value(tree, vdl_str("h"), &now, &a, &v);
    if (rc == 0) {
        v23_buf_printf(out, "Histogram (unit: %s)\n", units[u].name);
        vrpc_histogram_format(v.val, out);
        rc = out->err;
    }
    vrpc_stats_free(tree);
    v23_arena_fini(&a);
    return rc;
}

static int report(const struct caller *c, int64_t elapsed)
{
    struct v23_buf out;
    int rc = 0;

    v23_buf_init(&out, NULL, SIZE_MAX);
    v23_buf_printf(&out, "iterations: %" PRId64 "  chunk_count: %" PRId64
            "  payload_size: %" PRId64 "\nelapsed time: ",
        iterations, chunk_count, payload_size);
    v23_duration_put(&out, elapsed);
    v23_buf_put_byte(&out, '\n');
    if (c->n == 0)
        v23_buf_puts(&out, "Histogram (empty)\n");
    else
        rc = histogram(c->times, c->n, &out);
    if (rc == 0)
        fwrite(out.p, 1, out.n, stdout);
    else
        rc = v23_error("%s", v23_strerror(rc));
    v23_buf_fini(&out);
    return rc;
}

/* ---- the program --------------------------------------------------------- */

static int caller_init(struct caller *c, struct vname_program *p,
    int64_t chunks, int64_t size)
{
    size_t i;

    memset(c, 0, sizeof(*c));
    c->p = p;
    c->chunks = chunks;
    c->size = (size_t)size;
    c->bytes = v23_get(NULL, c->size + 1);
    if (c->bytes == NULL)
        return v23_error("out of memory");
    for (i = 0; i < c->size; i++)
        c->bytes[i] = (uint8_t)i;
    c->payload = vdl_bytes(c->bytes, c->size);
    return 0;
}

static bool in_range(int64_t v, int64_t most)
{
    return v >= 0 && v <= most;
}

static int run(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct vname_program *p = ud;
    struct caller c, mux;
    int64_t elapsed;
    int rc;

    (void)argc;
    (void)argv;
    if (!in_range(iterations, MAX_ITERATIONS)
        || !in_range(chunk_count, INT32_MAX)
        || !in_range(payload_size, INT32_MAX)
        || !in_range(mux_chunk_count, INT32_MAX)
        || !in_range(mux_payload_size, INT32_MAX))
        return v23_usage_error(inv, "a number is out of range");
    rc = caller_init(&mux, p, mux_chunk_count, mux_payload_size);
    mux.background = true;
    if (rc == 0)
        rc = caller_init(&c, p, chunk_count, payload_size);
    if (rc == 0 && (c.times = v23_get0(NULL, (size_t)iterations + 1,
                        sizeof(*c.times))) == NULL)
        rc = v23_error("out of memory");
    if (rc != 0)
        return rc;
    if (mux_chunk_count > 0 && mux_payload_size > 0)
        next(&mux);
    elapsed = now_ns(&c);
    if (iterations > 0) {
        next(&c);
        vname_program_wait(p);
    }
    elapsed = now_ns(&c) - elapsed;
    rc = c.rc != 0 || mux.rc != 0 ? 1 : report(&c, elapsed);
    mux.rc = 1; /* how the stream that is left ends is of no interest */
    vrpc_client_free(p->rt.client);
    p->rt.client = NULL;
    v23_put(NULL, c.times);
    v23_put(NULL, c.bytes);
    v23_put(NULL, mux.bytes);
    return rc;
}

static const struct v23_command command = {
    .name = "rpcbench",
    .brief = "Run the benchmark client",
    .about = "Command rpcbench runs the benchmark client.",
    .flags = flags,
    .nflags = 7,
    .run = run,
};

int main(int argc, char **argv)
{
    static struct vname_program p;

    return vname_program_main(&p, &command, VRPC_FLAGS_CLIENT, argc,
        argv);
}

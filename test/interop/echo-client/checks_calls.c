/* BSD-3-Clause; see LICENSE. */
/* Time, cancellation, many calls at once, lost connections. */
#include "client.h"

#include <time.h>

#include <vom/value.h>
#include <vrpc/manager.h>

#define MS V23_NS_PER_MS
#define STD "v.io/v23/verror."
#define CONCURRENT 50

static int64_t clock_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void call_sleep(struct echo_test *t, struct echo_reply *r, int ms)
{
    struct vdl_any arg;
    int32_t v = ms;

    arg.type = &vdl_int32_desc;
    arg.val = &v;
    echo_call(t, r, "", "Sleep", &arg, 1);
}

static void start_sleep(struct echo_test *t, struct echo_reply *r, int ms)
{
    struct vdl_any arg;
    int32_t v = ms;

    arg.type = &vdl_int32_desc;
    arg.val = &v;
    echo_start(t, r, "", "Sleep", &arg, 1);
    vrpc_call_close_send(r->call);
}

/* ---- Sleep --------------------------------------------------------------- */

static void sleep_in_time(struct echo_test *t)
{
    struct echo_reply r;
    int64_t start = clock_ms(), took;
    int32_t ms;

    call_sleep(t, &r, 150);
    took = clock_ms() - start;
    if (!echo_result(t, &r, 0, &vdl_int32_desc, &ms))
        return;
    ECHO_CHECK(t, ms >= 150 && ms < 1000, "it slept %d ms, want 150", ms);
    ECHO_CHECK(t, took >= 149 && took < 5000, "it took %ld ms, want 150",
        (long)took);
}

static void sleep_zero(struct echo_test *t)
{
    struct echo_reply r;

    call_sleep(t, &r, 0);
    echo_expect_results(t, &r, "int32(0)", 1);
}

/* The server notices by its own deadline or because the caller hangs up. */
static void sleep_deadline(struct echo_test *t)
{
    struct vrpc_call_opts opts = t->opts;
    int64_t before = echo_counter(t, "cancels")
        + echo_counter(t, "deadlines");
    int64_t start = clock_ms(), took, after = 0;
    struct echo_reply r;
    int i;

    t->opts.timeout_ns = 200 * MS;
    call_sleep(t, &r, 5000);
    took = clock_ms() - start;
    t->opts = opts;
    echo_expect_error(t, &r, STD "Timeout", V23_NO_RETRY);
    ECHO_CHECK(t, took >= 190 && took < 2000, "it took %ld ms, want 200",
        (long)took);
    for (i = 0; i < 100 && after <= before && !t->failed; i++) {
        after = echo_counter(t, "cancels") + echo_counter(t, "deadlines");
        echo_sleep(t, 20 * MS);
    }
    ECHO_CHECK(t, after > before, "the server did not notice");
}

static void sleep_cancelled(struct echo_test *t)
{
    int64_t before = echo_counter(t, "cancels");
    struct echo_reply r;

    start_sleep(t, &r, 20000);
    echo_sleep(t, 150 * MS);
    ECHO_CHECK(t, !r.done, "it is over before it was cancelled");
    vrpc_call_cancel(r.call);
    echo_wait(t, &r.done);
    echo_expect_error(t, &r, STD "Canceled", V23_NO_RETRY);
    ECHO_CHECK(t, echo_await_counter(t, "cancels", before + 1),
        "the server did not notice");
}

static void cancelled_at_once(struct echo_test *t)
{
    struct echo_reply r;

    start_sleep(t, &r, 20000);
    vrpc_call_cancel(r.call);
    echo_wait(t, &r.done);
    echo_expect_error(t, &r, STD "Canceled", V23_NO_RETRY);
}

/* ---- many at once -------------------------------------------------------- */

static void concurrent(struct echo_test *t)
{
    struct echo_reply *r = ECHO_NEW(t, struct echo_reply, CONCURRENT);
    struct vdl_bytes *payload = ECHO_NEW(t, struct vdl_bytes, CONCURRENT);
    struct vdl_any arg;
    size_t i;

    arg.type = &vdl_bytes_desc;
    for (i = 0; i < CONCURRENT; i++) {
        payload[i] = echo_payload(t, 1 + i * 997);
        arg.val = &payload[i];
        echo_start(t, &r[i], "", i % 2 == 0 ? "EchoBytes" : "Echo", &arg, 1);
        vrpc_call_close_send(r[i].call);
    }
    for (i = 0; i < CONCURRENT; i++)
        echo_wait(t, &r[i].done);
    for (i = 0; i < CONCURRENT; i++) {
        arg.val = &payload[i];
        ECHO_CHECK(t, r[i].err == NULL, "call %zu: %.*s", i,
            (int)r[i].err->msg.n, r[i].err->msg.p);
        ECHO_CHECK(t, r[i].n == 1 && vdl_any_equal(r[i].results[0], arg),
            "call %zu has a wrong result", i);
    }
}

/* A slow call must not hold up others on the same connection. */
static void overtaking(struct echo_test *t)
{
    struct echo_reply slow, fast;
    int64_t start = clock_ms();

    start_sleep(t, &slow, 400);
    echo_call(t, &fast, "", "Nothing", NULL, 0);
    ECHO_CHECK(t, fast.err == NULL && clock_ms() - start < 350,
        "a fast call waited for a slow one");
    echo_wait(t, &slow.done);
    echo_expect_results(t, &slow, "int32(400)", 1);
}

/* ---- lost connections ---------------------------------------------------- */

static struct vrpc_manager *manager(struct echo_test *t)
{
    return vrpc_client_manager(t->c->p->rt.client);
}

static void reconnect(struct echo_test *t)
{
    struct echo_reply r;
    int i;

    for (i = 0; i < 3 && !t->failed; i++) {
        vrpc_manager_close_all(manager(t), "killed by the check");
        echo_call_text(t, &r, "", "EchoString", "\"again\"", 1);
        echo_expect_results(t, &r, "\"again\"", 1);
    }
}

static void connection_dies(struct echo_test *t)
{
    int64_t before = echo_counter(t, "cancels");
    struct echo_reply r;

    t->opts.no_retry = true;
    start_sleep(t, &r, 20000);
    echo_sleep(t, 150 * MS);
    ECHO_CHECK(t, !r.done, "it is over before the connection died");
    vrpc_manager_close_all(manager(t), "killed by the check");
    echo_wait(t, &r.done);
    ECHO_CHECK(t, r.err != NULL, "the call survived its connection");
    ECHO_CHECK(t, echo_await_counter(t, "cancels", before + 1),
        "the server did not notice");
}

/* ---- the rest ------------------------------------------------------------ */

static void retry_backoff(struct echo_test *t)
{
    struct echo_reply r;
    int64_t start = clock_ms();
    struct vdl_str kind = vdl_str("retrybackoff");
    struct vdl_any arg;

    arg.type = &vdl_string_desc;
    arg.val = &kind;
    t->opts.no_retry = true;
    echo_call(t, &r, "", "Fail", &arg, 1);
    echo_expect_error(t, &r, ECHO_PKG ".RetryBackoff", V23_RETRY_BACKOFF);
    ECHO_CHECK(t, clock_ms() - start < 2000, "it took too long");
}

struct typed {
    struct echo_test *t;
    const struct v23_verror *err;
    bool done;
};

static void typed_done(void *ud, const struct v23_verror *err)
{
    struct typed *f = ud;

    f->err = vrpc_err_copy(&f->t->a, err);
    f->done = true;
    vname_program_done(f->t->c->p);
}

static void retry_until_deadline(struct echo_test *t)
{
    int64_t calls = echo_counter(t, "calls");
    int64_t fails = echo_counter(t, "fails");
    struct vrpc_call_opts opts = t->opts;
    struct typed f = { t, NULL, false };

    opts.connect_timeout_ns = 800 * MS;
    if (echo_echo_fail_start(t->c->p->rt.client, echo_name(t, ""), &opts,
            vdl_str("retrybackoff"), typed_done, &f)
        == NULL) {
        echo_fail(t, "out of memory");
        return;
    }
    echo_wait(t, &f.done);
    ECHO_CHECK(t, f.err != NULL
            && v23_verror_is(f.err, vdl_str(ECHO_PKG ".RetryBackoff")),
        "no error RetryBackoff");
    /* Of the calls, two asked for counters. */
    ECHO_CHECK(t, echo_counter(t, "fails") >= fails + 2
            || echo_counter(t, "calls") >= calls + 5,
        "the call was not made again");
}

static void counts(struct echo_test *t)
{
    int64_t before = echo_counter(t, "calls");
    struct echo_reply r;
    int i;

    for (i = 0; i < 10; i++)
        echo_call(t, &r, "a", "Nothing", NULL, 0);
    ECHO_CHECK(t, echo_counter(t, "calls") >= before + 10,
        "the counter of calls stands still");
}

static void admin_only(struct echo_test *t)
{
    struct echo_reply r;

    echo_call(t, &r, "", "AdminOnly", NULL, 0);
    /* Access lists of the server may forbid it. */
    if (r.err != NULL)
        echo_expect_error(t, &r, STD "NoAccess", V23_RETRY_REFETCH);
    else
        ECHO_CHECK(t, r.n == 1, "%zu results, want 1", r.n);
}

static const struct {
    const char *name;
    void (*run)(struct echo_test *t);
} checks[] = {
    { "sleep-in-time", sleep_in_time },
    { "sleep-zero", sleep_zero },
    { "sleep-past-deadline", sleep_deadline },
    { "sleep-cancelled", sleep_cancelled },
    { "cancelled-at-once", cancelled_at_once },
    { "50-at-once", concurrent },
    { "overtaking", overtaking },
    { "reconnect", reconnect },
    { "connection-dies", connection_dies },
    { "retry-backoff-off", retry_backoff },
    { "retry-backoff-on", retry_until_deadline },
    { "counters", counts },
    { "admin-only", admin_only },
};

static const char *check_name(size_t i)
{
    return checks[i].name;
}

static void run_check(struct echo_test *t, size_t i)
{
    checks[i].run(t);
}

const struct echo_checks echo_call_checks = { "call",
    sizeof(checks) / sizeof(checks[0]), check_name, run_check };

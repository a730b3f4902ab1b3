/* BSD-3-Clause; see LICENSE. */
/*
 * Streams: up, down and both ways, in lock-step, failing, abandoned, read
 * slowly. One driver sends what a plan says and checks what comes back.
 */
#include "client.h"

#include <stdio.h>

#include <vom/value.h>

#define STD "v.io/v23/verror."
#define MS V23_NS_PER_MS
#define MIB (INT64_C(1) << 20)

/* What goes up and comes down. */
struct plan {
    const char *name, *method;
    uint32_t n;         /* items to send, or asked for */
    uint32_t size;      /* bytes of each */
    bool lockstep;      /* send one when one has come */
    bool slow;          /* read with pauses */
    uint32_t cancel_at; /* items received (or sent) before giving up; 0 = no */
};

struct stream {
    struct echo_test *t;
    const struct plan *plan;
    struct vrpc_call *call;
    uint32_t sent, received;
    struct vdl_bytes payload;
    const struct v23_verror *err;
    const struct vdl_any *results;
    size_t n;
    uint32_t timers; /* under way; each holds a pointer to this */
    bool any;      /* items are of changing types */
    bool numbers;  /* items are 0, 1, 2, … */
    bool stopped, abandoned, done;
};

/* The i-th item of a stream of any. */
static struct vdl_any any_item(struct stream *s, uint32_t i)
{
    static const char *const texts[] = { "int32(1)", "\"text\"", "true",
        "[]string{\"a\", \"b\"}", "nil", "map[string]int64{\"k\": 1}",
        "[]any{nil, \"x\"}", "float64(0.5)" };

    return echo_parse(s->t, texts[i % 8], 1)[0];
}

static struct vdl_any item(struct stream *s, uint32_t i)
{
    static int64_t number;
    struct vdl_any v;

    if (s->any)
        return any_item(s, i);
    number = i;
    v.type = s->numbers ? &vdl_int64_desc : &vdl_bytes_desc;
    v.val = s->numbers ? (const void *)&number : &s->payload;
    return v;
}

/* ---- sending ------------------------------------------------------------- */

static void give_up(struct stream *s)
{
    s->stopped = s->abandoned = true;
    vrpc_call_cancel(s->call);
}

static void give_up_later(void *ud)
{
    struct stream *s = ud;

    s->timers--;
    if (s->call != NULL)
        give_up(s);
    vname_program_done(s->t->c->p);
}

/* Stop sending; what has been sent may arrive before the call is given up. */
static void stop_sending(struct stream *s)
{
    s->stopped = true;
    if (vrpc_runtime_after(&s->t->c->p->rt, 100 * MS, give_up_later, s) == 0)
        s->timers++;
    else
        give_up(s);
}

static void send_some(void *ud, struct vrpc_call *call)
{
    struct stream *s = ud;
    const struct plan *p = s->plan;
    int rc;

    while (s->sent < p->n && !s->stopped) {
        if (p->lockstep && s->sent > s->received)
            return;
        rc = vrpc_call_send_any(call, item(s, s->sent));
        if (rc == V23_EAGAIN)
            return;
        if (rc != 0) {
            if (rc != V23_ECLOSED)
                echo_fail(s->t, "item %lu: %s", (unsigned long)s->sent,
                    v23_strerror(rc));
            return;
        }
        s->sent++;
        if (p->cancel_at != 0 && s->numbers && s->sent == p->cancel_at)
            stop_sending(s);
    }
    if (s->sent == p->n && !s->stopped)
        vrpc_call_close_send(call);
}

/* ---- receiving ----------------------------------------------------------- */

static bool right_number(struct stream *s, struct vdl_any got)
{
    return got.type != NULL && got.type->kind == VDL_INT32
        && *(const int32_t *)got.val == (int32_t)s->received;
}

static bool right_chunk(struct stream *s, struct vdl_any got)
{
    const struct vdl_bytes *b = got.val;
    uint32_t i;

    if (got.type == NULL || !vdl_type_is_bytes(got.type)
        || b->n != s->plan->size)
        return false;
    for (i = 0; i < b->n; i++)
        if (b->p[i] != (uint8_t)i)
            return false;
    return true;
}

static void go_on(void *ud)
{
    struct stream *s = ud;

    s->timers--;
    if (s->call != NULL)
        vrpc_call_pause(s->call, false);
    vname_program_done(s->t->c->p);
}

static void on_item(void *ud, struct vdl_any got)
{
    struct stream *s = ud;
    const struct plan *p = s->plan;
    bool right;

    if (s->abandoned)
        return;
    if (strcmp(p->method, "StreamBytes") == 0)
        right = right_chunk(s, got);
    else if (s->numbers)
        right = right_number(s, got);
    else
        right = vdl_any_equal(got, item(s, s->received));
    if (!right)
        echo_fail(s->t, "item %lu is %s", (unsigned long)s->received,
            echo_text(s->t, got));
    s->received++;
    if (s->received == p->cancel_at) {
        give_up(s);
        return;
    }
    if (p->slow && s->received % 16 == 0
        && vrpc_runtime_after(&s->t->c->p->rt, 10 * MS, go_on, s) == 0) {
        s->timers++;
        vrpc_call_pause(s->call, true);
    }
    if (p->lockstep)
        send_some(s, s->call);
}

static void on_done(void *ud, const struct v23_verror *err,
    const struct vdl_any *results, size_t n)
{
    struct stream *s = ud;
    struct vdl_any *copy = ECHO_NEW(s->t, struct vdl_any, n + 1);
    size_t i;

    for (i = 0; i < n; i++)
        if (vdl_copy(&s->t->a, &vdl_any_desc, &copy[i], &results[i]) != 0)
            echo_fail(s->t, "a result cannot be copied");
    s->results = copy;
    s->n = n;
    s->err = vrpc_err_copy(&s->t->a, err);
    s->call = NULL;
    s->done = true;
    vname_program_done(s->t->c->p);
}

static void wait_end(struct stream *s)
{
    while (!s->done || s->timers != 0)
        vname_program_wait(s->t->c->p);
}

static void run_stream(struct echo_test *t, struct stream *s,
    const struct vdl_any *args, size_t nargs)
{
    static const struct vrpc_any_cb cb = { on_item, on_done };

    s->call = vrpc_client_start_any(t->c->p->rt.client,
        vdl_str(echo_name(t, "")), vdl_str(s->plan->method), &t->opts, args,
        nargs, VRPC_ANY_RESULTS, &cb, s);
    if (s->call == NULL) {
        echo_fail(t, "out of memory");
        return;
    }
    if (nargs == 0)
        vrpc_call_on_writable(s->call, send_some, s);
    else
        vrpc_call_close_send(s->call);
    wait_end(s);
}

/* The outcome of a stream that ran to its end. */
static void expect(struct echo_test *t, const struct stream *s,
    const char *results, size_t n)
{
    struct echo_reply r = { .t = t, .err = s->err, .results = s->results,
        .n = s->n };

    echo_expect_results(t, &r, results, n);
}

static void expect_items(struct echo_test *t, const struct stream *s,
    uint32_t n)
{
    ECHO_CHECK(t, s->received == n, "%lu items, want %lu",
        (unsigned long)s->received, (unsigned long)n);
}

/* ---- up, and both ways --------------------------------------------------- */

#define BOTH "StreamEchoBytes"
static const struct plan plans[] = {
    { "up-0", "StreamSum", 0, 0, false, false, 0 },
    { "up-1", "StreamSum", 1, 0, false, false, 0 },
    { "up-2", "StreamSum", 2, 0, false, false, 0 },
    { "up-10", "StreamSum", 10, 0, false, false, 0 },
    { "up-1000", "StreamSum", 1000, 0, false, false, 0 },
    { "up-100000", "StreamSum", 100000, 0, false, false, 0 },
    { "any-0", "StreamEcho", 0, 0, false, false, 0 },
    { "any-1", "StreamEcho", 1, 0, false, false, 0 },
    { "any-8", "StreamEcho", 8, 0, false, false, 0 },
    { "any-1000", "StreamEcho", 1000, 0, false, false, 0 },
    { "any-lockstep-100", "StreamEcho", 100, 0, true, false, 0 },
    { "both-0", BOTH, 0, 0, false, false, 0 },
    { "both-1x0", BOTH, 1, 0, false, false, 0 },
    { "both-10x0", BOTH, 10, 0, false, false, 0 },
    { "both-1x1", BOTH, 1, 1, false, false, 0 },
    { "both-1000x1", BOTH, 1000, 1, false, false, 0 },
    { "both-1000x100", BOTH, 1000, 100, false, false, 0 },
    { "both-100x4096", BOTH, 100, 4096, false, false, 0 },
    { "both-100x65536", BOTH, 100, 65536, false, false, 0 },
    { "both-10x100000", BOTH, 10, 100000, false, false, 0 },
    { "both-1x1MiB", BOTH, 1, MIB, false, false, 0 },
    { "both-8x1MiB", BOTH, 8, MIB, false, false, 0 },
    { "both-4x1MiB+1", BOTH, 4, MIB + 1, false, false, 0 },
    { "lockstep-100x1", BOTH, 100, 1, true, false, 0 },
    { "lockstep-100x10000", BOTH, 100, 10000, true, false, 0 },
    { "lockstep-4x1MiB", BOTH, 4, MIB, true, false, 0 },
    { "slow-reader-200x32768", BOTH, 200, 32768, false, true, 0 },
};

static const char *plan_name(size_t i)
{
    return plans[i].name;
}

static void check_plan(struct echo_test *t, size_t i)
{
    const struct plan *p = &plans[i];
    struct stream s = { .t = t, .plan = p };
    uint64_t n = p->n;
    char want[80];

    if (p->size > t->c->o->max_bytes)
        return;
    s.payload = echo_payload(t, p->size);
    s.any = strcmp(p->method, "StreamEcho") == 0;
    s.numbers = strcmp(p->method, "StreamSum") == 0;
    run_stream(t, &s, NULL, 0);
    expect_items(t, &s, s.numbers ? 0 : p->n);
    if (s.numbers)
        snprintf(want, sizeof(want), "int64(%llu), int64(%llu)",
            (unsigned long long)(n == 0 ? 0 : n * (n - 1) / 2),
            (unsigned long long)n);
    else
        snprintf(want, sizeof(want), "int64(%llu)",
            (unsigned long long)(s.any ? n : n * p->size));
    expect(t, &s, want, s.numbers ? 2 : 1);
}

const struct echo_checks echo_stream_checks = { "stream",
    sizeof(plans) / sizeof(plans[0]), plan_name, check_plan };

/* ---- down ---------------------------------------------------------------- */

static const struct plan downs[] = {
    { "count-0", "StreamCount", 0, 0, false, false, 0 },
    { "count-1", "StreamCount", 1, 0, false, false, 0 },
    { "count-1000", "StreamCount", 1000, 0, false, false, 0 },
    { "count-100000", "StreamCount", 100000, 0, false, false, 0 },
    { "bytes-0", "StreamBytes", 0, 10, false, false, 0 },
    { "bytes-10x0", "StreamBytes", 10, 0, false, false, 0 },
    { "bytes-1000x1", "StreamBytes", 1000, 1, false, false, 0 },
    { "bytes-1000x10000", "StreamBytes", 1000, 10000, false, false, 0 },
    { "bytes-100x65536", "StreamBytes", 100, 65536, false, false, 0 },
    { "bytes-8x1MiB", "StreamBytes", 8, MIB, false, false, 0 },
    { "bytes-2x4MiB", "StreamBytes", 2, 4 * MIB, false, false, 0 },
    { "slow-reader-256x32768", "StreamBytes", 256, 32768, false, true, 0 },
};

static const char *down_name(size_t i)
{
    return downs[i].name;
}

static void run_down(struct echo_test *t, struct stream *s)
{
    int32_t n = (int32_t)s->plan->n, size = (int32_t)s->plan->size;
    struct vdl_any args[2];

    s->numbers = strcmp(s->plan->method, "StreamCount") == 0;
    args[0].type = args[1].type = &vdl_int32_desc;
    args[0].val = &n;
    args[1].val = &size;
    run_stream(t, s, args, s->numbers ? 1 : 2);
}

static void check_down(struct echo_test *t, size_t i)
{
    struct stream s = { .t = t, .plan = &downs[i] };

    if (downs[i].size > t->c->o->max_bytes)
        return;
    run_down(t, &s);
    expect(t, &s, "", 0);
    expect_items(t, &s, downs[i].n);
}

const struct echo_checks echo_down_checks = { "stream-down",
    sizeof(downs) / sizeof(downs[0]), down_name, check_down };

/* ---- other ends ---------------------------------------------------------- */

static void expect_error(struct echo_test *t, const struct stream *s,
    const char *id)
{
    struct echo_reply r = { .t = t, .err = s->err };

    echo_expect_error(t, &r, id, V23_NO_RETRY);
}

static void fail_after(struct echo_test *t, uint32_t n, const char *kind,
    const char *id)
{
    struct plan p = { "", "StreamFail", 0, 0, false, false, 0 };
    struct stream s = { .t = t, .plan = &p, .numbers = true };
    struct vdl_str k = vdl_str(kind);
    struct vdl_any args[2];
    int32_t count = (int32_t)n;

    args[0].type = &vdl_int32_desc;
    args[0].val = &count;
    args[1].type = &vdl_string_desc;
    args[1].val = &k;
    run_stream(t, &s, args, 2);
    if (id != NULL)
        expect_error(t, &s, id);
    else
        expect(t, &s, "", 0);
    expect_items(t, &s, n);
}

static void fails_at_once(struct echo_test *t)
{
    fail_after(t, 0, "noexist", STD "NoExist");
}

static void fails_after_items(struct echo_test *t)
{
    fail_after(t, 1, "custom", ECHO_PKG ".Custom");
    fail_after(t, 1000, "badarg", STD "BadArg");
}

static void fails_not(struct echo_test *t)
{
    fail_after(t, 5, "ok", NULL);
}

static void abandon(struct echo_test *t, struct plan *p, bool counted)
{
    int64_t before = echo_counter(t, "cancels");
    struct stream s = { .t = t, .plan = p };

    s.numbers = strcmp(p->method, "StreamSum") == 0;
    s.payload = echo_payload(t, p->size);
    if (strcmp(p->method, "StreamBytes") == 0)
        run_down(t, &s);
    else
        run_stream(t, &s, NULL, 0);
    expect_error(t, &s, STD "Canceled");
    if (counted)
        ECHO_CHECK(t, echo_await_counter(t, "cancels", before + 1),
            "the server did not notice");
}

static void abandoned_up(struct echo_test *t)
{
    struct plan p = { "", "StreamSum", 1000, 0, false, false, 5 };

    abandon(t, &p, true);
}

static void abandoned_both(struct echo_test *t)
{
    struct plan p = { "", BOTH, 1000, 1000, true, false, 5 };

    abandon(t, &p, true);
}

static void abandoned_down(struct echo_test *t)
{
    struct plan p = { "", "StreamBytes", 10000, 65536, false, false, 3 };
    struct echo_reply r;

    abandon(t, &p, false);
    echo_call(t, &r, "", "Nothing", NULL, 0);
    echo_expect_results(t, &r, "", 0);
}

/* While one stream's reader sleeps, others go on. */
static void slow_beside_fast(struct echo_test *t)
{
    struct plan slow = { "", "StreamBytes", 400, 32768, false, true, 0 };
    struct plan fast = { "", BOTH, 100, 20000, false, false, 0 };
    struct stream a = { .t = t, .plan = &slow };
    struct stream b = { .t = t, .plan = &fast };
    static const struct vrpc_any_cb cb = { on_item, on_done };
    const struct vdl_any *args = echo_parse(t, "int32(400), int32(32768)", 2);

    a.call = vrpc_client_start_any(t->c->p->rt.client,
        vdl_str(echo_name(t, "")), vdl_str("StreamBytes"), &t->opts, args, 2,
        VRPC_ANY_RESULTS, &cb, &a);
    ECHO_CHECK(t, a.call != NULL, "out of memory");
    vrpc_call_close_send(a.call);
    b.payload = echo_payload(t, fast.size);
    run_stream(t, &b, NULL, 0);
    wait_end(&a);
    expect(t, &b, "int64(2000000)", 1);
    expect_items(t, &b, 100);
    expect(t, &a, "", 0);
    expect_items(t, &a, 400);
}

static void deadline(struct echo_test *t)
{
    struct plan p = { "", BOTH, 1u << 30, 10, true, false, 0 };
    struct stream s = { .t = t, .plan = &p };

    s.payload = echo_payload(t, p.size);
    t->opts.timeout_ns = 200 * MS;
    run_stream(t, &s, NULL, 0);
    expect_error(t, &s, STD "Timeout");
}

static const struct {
    const char *name;
    void (*run)(struct echo_test *t);
} ends[] = {
    { "fails-at-once", fails_at_once },
    { "fails-after-items", fails_after_items },
    { "fails-not", fails_not },
    { "abandoned-up", abandoned_up },
    { "abandoned-both", abandoned_both },
    { "abandoned-down", abandoned_down },
    { "slow-beside-fast", slow_beside_fast },
    { "deadline", deadline },
};

static const char *end_name(size_t i)
{
    return ends[i].name;
}

static void run_end(struct echo_test *t, size_t i)
{
    ends[i].run(t);
}

const struct echo_checks echo_stream_end_checks = { "stream",
    sizeof(ends) / sizeof(ends[0]), end_name, run_end };

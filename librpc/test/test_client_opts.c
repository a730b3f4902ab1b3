/* BSD-3-Clause; see LICENSE. */
/* What callers may ask for: options of a call and of its client (19.5). */
#include <clear_box.h>
#include <v23/vdl/v.io/x/ref/runtime/internal/flow/conn/conn.vdl.h>
#include <vom/enc.h>
#include <vrpc/message.h>

#include "echo.h"

static struct result R;

/* ---- granters ------------------------------------------------------------ */

static struct vsec_blessings *Grant, *Grant2;
static int Granted;

static int grant(void *ud, struct v23_op op, struct vrpc_call *c,
    struct vsec_blessings **out)
{
    (void)op;
    Granted++;
    ck_assert_uint_eq(vrpc_call_server_names(c).n, 1);
    ck_assert_uint_gt(vrpc_call_server_key(c).n, 0);
    if (Grant != NULL)
        *out = vsec_blessings_ref(Grant);
    return ud == NULL ? 0 : *(int *)ud;
}

static void bless_someone_as(struct wnode *whom, const char *extension)
{
    v23_security_caveat cav = vsec_caveat_unconstrained();
    struct vsec_bless what;

    memset(&what, 0, sizeof(what));
    what.key = whom->principal->key;
    what.with = vsec_store_default(P.c->principal->store);
    what.extension = vdl_str(extension);
    what.caveats.v = &cav;
    what.caveats.n = 1;
    ck_assert_int_eq(vsec_principal_bless(P.c->principal, &what, &Grant), 0);
}

static void bless_someone(struct wnode *whom)
{
    bless_someone_as(whom, "delegate");
}

static const struct vrpc_granter granter = { grant, NULL };

START_TEST(granted_blessings_arrive)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    const struct vsec_blessings *b;

    bless_someone(P.s);
    o.granters = &granter;
    o.ngranters = 1;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_WAIT, &o, NULL,
        &stub_plain, &R));
    ck_assert(world_until(&W, &P.echo.calls, SEC));
    b = vrpc_server_call_granted(P.echo.waiting);

    ck_assert_ptr_nonnull(b);
    ck_assert(vdl_str_is(vsec_blessings_text(b), "test:client:delegate"));
    ck_assert_int_eq(vrpc_server_call_reply(P.echo.waiting, NULL, NULL), 0);
    ck_assert(world_until(&W, &R.done, SEC));
    vsec_blessings_unref(Grant);
    Grant = NULL;
}
END_TEST

START_TEST(blessings_granted_to_another_key_are_refused)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    struct add_in in = { 1, 2 };

    bless_someone(P.c);
    o.granters = &granter;
    o.ngranters = 1;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ADD, &o, &in,
        &stub_plain, &R));
    ck_assert(world_until(&W, &R.done, SEC));

    ck_assert_str_eq(R.id, VERR "NoAccess");
    ck_assert_int_eq(P.echo.calls, 0);
    vsec_blessings_unref(Grant);
    Grant = NULL;
}
END_TEST

static int grant_more(void *ud, struct v23_op op, struct vrpc_call *c,
    struct vsec_blessings **out)
{
    (void)ud;
    (void)op;
    (void)c;
    *out = vsec_blessings_ref(Grant2);
    return 0;
}

static int grant_nothing(void *ud, struct v23_op op, struct vrpc_call *c,
    struct vsec_blessings **out)
{
    (void)ud;
    (void)op;
    (void)c;
    (void)out;
    return 0;
}

START_TEST(granted_blessings_are_united)
{
    static const struct vrpc_granter all[] = { { grant, NULL },
        { grant_nothing, NULL }, { grant_more, NULL } };
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    const struct vsec_blessings *b;

    bless_someone(P.s);
    Grant2 = Grant;
    Grant = NULL;
    bless_someone_as(P.s, "friend");
    o.granters = all;
    o.ngranters = 3;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_WAIT, &o, NULL,
        &stub_plain, &R));
    ck_assert(world_until(&W, &P.echo.calls, SEC));
    b = vrpc_server_call_granted(P.echo.waiting);

    ck_assert(vdl_str_is(vsec_blessings_text(b),
        "test:client:delegate,test:client:friend"));
    ck_assert_int_eq(vrpc_server_call_reply(P.echo.waiting, NULL, NULL), 0);
    ck_assert(world_until(&W, &R.done, SEC));
    vsec_blessings_unref(Grant);
    vsec_blessings_unref(Grant2);
    Grant = Grant2 = NULL;
}
END_TEST

START_TEST(grants_for_different_keys_are_not_united)
{
    static const struct vrpc_granter both[] = { { grant, NULL },
        { grant_more, NULL } };
    struct vrpc_call_opts o = opts_now();

    bless_someone(P.c);
    Grant2 = Grant;
    Grant = NULL;
    bless_someone(P.s);
    o.granters = both;
    o.ngranters = 2;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_WAIT, &o, NULL,
        &stub_plain, &R));
    ck_assert(world_until(&W, &R.done, SEC));

    ck_assert_str_eq(R.id, VERR "NotTrusted");
    ck_assert_int_eq(P.echo.calls, 0);
    vsec_blessings_unref(Grant);
    vsec_blessings_unref(Grant2);
    Grant = Grant2 = NULL;
}
END_TEST

START_TEST(granter_that_fails_ends_with_not_trusted)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    struct vrpc_granter failing = { grant, NULL };
    int rc = V23_EDENIED;

    failing.ud = &rc;
    o.granters = &failing;
    o.ngranters = 1;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_WAIT, &o, NULL,
        &stub_plain, &R));
    ck_assert(world_until(&W, &R.done, SEC));

    ck_assert_str_eq(R.id, VERR "NotTrusted");
    ck_assert_int_eq(P.echo.calls, 0);
}
END_TEST

/* ---- tries (19.1) -------------------------------------------------------- */

/* Times between dials, or between calls of Fail. */
static int64_t gaps[64];

static size_t watch(const size_t *counter, const int *calls, const int *done,
    int64_t limit)
{
    int64_t last = W.now.mono_ns, until = last + limit;
    size_t n = 0, seen = counter != NULL ? *counter : (size_t)*calls, now;

    while (!*done && W.now.mono_ns < until && n < 64) {
        world_sleep(&W, V23_NS_PER_MS);
        now = counter != NULL ? *counter : (size_t)*calls;
        if (now == seen)
            continue;
        gaps[n++] = W.now.mono_ns - last;
        last = W.now.mono_ns;
        seen = now;
    }
    return n;
}

/* min(100..199 ms · 2^n, 1 min), to the millisecond of watch(). */
static void check_gap(int64_t gap, unsigned n)
{
    int64_t lo = (100 * V23_NS_PER_MS) << n, hi = (200 * V23_NS_PER_MS) << n;

    if (n >= 10 || lo > 60 * SEC)
        lo = 60 * SEC;
    if (n >= 9)
        hi = 60 * SEC;
    ck_assert_int_ge(gap, lo);
    ck_assert_int_le(gap, hi + V23_NS_PER_MS);
}

START_TEST(connecting_backs_off_exponentially)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    int64_t begin = W.now.mono_ns;
    size_t n, i;

    P.s->refuses = true;
    o.connect_timeout_ns = 100 * SEC;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_WAIT, &o, NULL,
        &stub_plain, &R));
    world_settle(&W);
    n = watch(&W.ndials, NULL, &R.done, 200 * SEC);

    ck_assert_str_eq(R.id, VERR "NoServers");
    ck_assert_uint_ge(n, 9);
    for (i = 0; i + 1 < n; i++)
        check_gap(gaps[i], (unsigned)i);
    /* The last wait ends 100 ms before the deadline, which is kept. */
    ck_assert_int_le(W.now.mono_ns - begin, 100 * SEC);
    ck_assert_int_ge(W.now.mono_ns - begin, 99 * SEC);
}
END_TEST

START_TEST(tries_without_a_deadline_end_after_a_minute)
{
    int64_t begin = W.now.mono_ns;

    P.s->refuses = true;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_WAIT, NULL, NULL,
        &stub_plain, &R));
    ck_assert(world_until(&W, &R.done, 100 * SEC));

    ck_assert_int_le(W.now.mono_ns - begin, 60 * SEC);
    ck_assert_int_ge(W.now.mono_ns - begin, 59 * SEC);
}
END_TEST

START_TEST(request_backs_off_and_connecting_starts_anew)
{
    struct text kind = { VDL_STR_INIT("backoff") };
    size_t n;

    P.s->refuses = true;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_FAIL, NULL, &kind,
        &stub_plain, &R));
    world_settle(&W);
    n = watch(&W.ndials, NULL, &R.done, 3 * SEC);
    ck_assert_uint_ge(n, 3);
    P.s->refuses = false;
    ck_assert(world_until(&W, &P.echo.calls, 10 * SEC));
    /* Fail asks to be tried twice more. The connection goes meanwhile. */
    n = watch(NULL, &P.echo.calls, &P.echo.cancels, SEC / 4);
    ck_assert_uint_eq(n, 1);
    check_gap(gaps[0], 0);
    P.s->refuses = true;
    world_cut(world_link_of(&W, P.c));
    n = watch(&W.ndials, NULL, &R.done, SEC);
    ck_assert_uint_ge(n, 2);
    check_gap(gaps[0], 1); /* second wait of the request */
    check_gap(gaps[1], 0); /* first one of connecting for it */
    P.s->refuses = false;
    ck_assert(world_until(&W, &R.done, 10 * SEC));

    ck_assert_str_eq(R.id, "");
    ck_assert_int_eq(P.echo.calls, 3);
}
END_TEST

START_TEST(cached_only_calls_are_made_again_if_the_server_asks)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    struct text kind = { VDL_STR_INIT("backoff") };
    struct add_in in = { 1, 2 };

    ck_assert_str_eq(fail_with(world_name(P.s, ""), M_ADD, &in), "");
    P.echo.calls = 0;
    o.cached_only = true;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_FAIL, &o, &kind,
        &stub_plain, &R));
    ck_assert(world_until(&W, &R.done, 10 * SEC));

    ck_assert_str_eq(R.id, "");
    ck_assert_int_eq(P.echo.calls, 3);
}
END_TEST

/* ---- other options ------------------------------------------------------- */

START_TEST(channel_timeout_is_that_of_the_call)
{
    struct vrpc_call_opts o = opts_now();
    int64_t begin;

    o.channel_timeout_ns = 4 * SEC;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_WAIT, &o, NULL,
        &stub_plain, &R));
    ck_assert(world_until(&W, &P.echo.calls, SEC));
    world_sleep(&W, 60 * SEC); /* the server answers health checks */
    ck_assert_int_eq(R.done, 0);
    begin = W.now.mono_ns;
    world_link_of(&W, P.s)->stuck = true;
    ck_assert(world_until(&W, &R.done, 60 * SEC));

    ck_assert_int_le(W.now.mono_ns - begin, 4 * SEC);
    P.echo.waiting = NULL;
}
END_TEST

START_TEST(preferred_protocols_choose_the_server)
{
    static struct vdl_str ws = VDL_STR_INIT("ws");
    struct vrpc_client_config cc;
    char tcp[512], other[512];
    struct vdl_str servers[2];
    vdl_str_list list = { servers, 2 };
    struct vrpc_call_opts o = opts_now();
    struct add_in in = { 1, 2 };
    char *p;

    vrpc_client_free(P.c->c);
    memset(&cc, 0, sizeof(cc));
    cc.protocols.v = &ws;
    cc.protocols.n = 1;
    ck_assert_int_eq(vrpc_client_new(P.c->m, &cc, &P.c->c), 0);
    snprintf(tcp, sizeof(tcp), "%s", world_name(P.s, ""));
    snprintf(other, sizeof(other), "%s", tcp);
    p = strstr(other, "@tcp@");
    ck_assert_ptr_nonnull(p);
    memmove(p + 4, p + 5, strlen(p + 5) + 1);
    memcpy(p, "@ws@", 4);
    servers[0] = vdl_str(tcp);
    servers[1] = vdl_str(other);
    o.preresolved = &list;
    ck_assert_ptr_nonnull(start(P.c, "x", M_ADD, &o, &in, &stub_plain, &R));
    ck_assert(world_until(&W, &R.done, SEC));

    ck_assert_str_eq(R.id, "");
    ck_assert_uint_eq(W.ndials, 1); /* tcp is not even tried */
    servers[1] = servers[0];
    ck_assert_ptr_nonnull(start(P.c, "x", M_ADD, &o, &in, &stub_plain, &R));
    ck_assert(world_until(&W, &R.done, SEC));
    ck_assert_str_eq(R.id, VERR "NoServers");
}
END_TEST

START_TEST(idle_expiry_is_that_of_the_manager)
{
    struct add_in in = { 1, 2 };
    struct wnode *n;

    W.idle_ns = 20 * SEC;
    ck_assert_int_eq(world_node(&W, "third", 0, &n), 0);
    ck_assert_ptr_nonnull(start(n, world_name(P.s, ""), M_ADD, NULL, &in,
        &stub_plain, &R));
    ck_assert(world_until(&W, &R.done, SEC));
    world_sleep(&W, 15 * SEC);
    ck_assert_uint_eq(vrpc_manager_nconns(n->m), 1);
    world_sleep(&W, 45 * SEC);

    ck_assert_uint_eq(vrpc_manager_nconns(n->m), 0);
}
END_TEST

START_TEST(failure_of_a_dial_is_told_for_five_minutes)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    char name[512];

    snprintf(name, sizeof(name), "%s", world_name(P.s, ""));
    o.cached_only = true;
    P.s->refuses = true;
    ck_assert_str_eq(fail_with(name, M_WAIT, NULL), VERR "NoServers");
    ck_assert_uint_eq(W.ndials, 1);

    ck_assert_ptr_nonnull(start(P.c, name, M_WAIT, &o, NULL, &stub_plain,
        &R));
    ck_assert(world_until(&W, &R.done, SEC));
    ck_assert_ptr_nonnull(strstr(R.msg, "connection refused"));
    world_sleep(&W, 301 * SEC);
    ck_assert_ptr_nonnull(start(P.c, name, M_WAIT, &o, NULL, &stub_plain,
        &R));
    ck_assert(world_until(&W, &R.done, SEC));

    ck_assert_ptr_null(strstr(R.msg, "connection refused"));
    ck_assert_ptr_nonnull(strstr(R.msg, "not in cache"));
    ck_assert_uint_eq(W.ndials, 1);
}
END_TEST

START_TEST(failures_that_are_kept_are_bounded)
{
    size_t first = 0, i;
    char name[64];

    for (i = 0; i < 200; i++) {
        snprintf(name, sizeof(name), "/nowhere-%03zu:1", i);
        ck_assert_str_eq(fail_with(name, M_WAIT, NULL), VERR "NoServers");
        if (i == 150)
            first = W.t.bytes;
    }

    ck_assert_uint_eq(W.t.bytes, first);
}
END_TEST

/* ---- stalled readers of typed streams ------------------------------------ */

#define STALL_MAX ((size_t)4 << 20) /* windows and queues of both ends */

START_TEST(stalled_client_bounds_the_memory_of_both)
{
    int32_t n = INT32_MAX;
    struct vrpc_call *c;
    size_t base;

    c = start(P.c, world_name(P.s, ""), M_COUNT, NULL, &n, &stub_plain, &R);
    ck_assert_ptr_nonnull(c);
    vrpc_call_pause(c, true);
    base = W.t.bytes;
    world_sleep(&W, 10 * SEC);

    ck_assert_int_gt(P.echo.next, 1000);
    ck_assert_uint_le(W.t.peak - base, STALL_MAX);
    vrpc_call_cancel(c);
    ck_assert(world_until(&W, &R.done, SEC));
}
END_TEST

START_TEST(stalled_server_bounds_the_memory_of_both)
{
    int32_t v = 1;
    struct vrpc_call *c;
    size_t base, i;
    int rc = 0;

    c = start(P.c, world_name(P.s, ""), M_SUM, NULL, NULL, &stub_plain, &R);
    ck_assert_ptr_nonnull(c);
    world_settle(&W);
    base = W.t.bytes;
    world_link_of(&W, P.s)->stuck = true; /* its answers go nowhere */
    for (i = 0; i < 10000000 && rc == 0; i++) {
        rc = vrpc_call_send(c, &v);
        if (rc == V23_EAGAIN) {
            world_settle(&W);
            rc = vrpc_call_send(c, &v);
        }
    }

    ck_assert_int_eq(rc, V23_EAGAIN);
    ck_assert_uint_le(W.t.peak - base, STALL_MAX);
    vrpc_call_cancel(c);
    ck_assert(world_until(&W, &R.done, SEC));
}
END_TEST

/* ---- private servers (8.6) ----------------------------------------------- */

/* The acceptor's blessings become ciphertexts for somebody else. */
static void make_private(struct wlink *from, struct v23_buf *bytes)
{
    v23_conn_blessings_flow_message m;
    struct vom_typeenc te;
    struct vom_enc e;
    struct v23_buf b, all;
    uint8_t head[VRPC_FRAME_HEADER], zeros[VSEC_BOX_TAG] = { 0 };
    size_t n;

    if (from->node != P.s || bytes->n < 3 || bytes->p[3] == VRPC_MSG_SETUP)
        return;
    W.tamper = NULL; /* the Auth stays */
    memset(&m, 0, sizeof(m));
    m.which = V23_CONN_BLESSINGS_FLOW_MESSAGE_ENCRYPTED_BLESSINGS;
    m.u.encrypted_blessings.bkey = 1;
    v23_buf_init(&b, NULL, SIZE_MAX);
    v23_buf_init(&all, NULL, SIZE_MAX);
    v23_buf_put(&b, "\x77\x01\x00", 3);
    vom_typeenc_init(&te, NULL, &b);
    vom_enc_init(&e, &te, &b);
    ck_assert_int_eq(vom_encode(&e, &v23_conn_blessings_flow_message_desc, &m),
        0);
    vom_enc_fini(&e);
    vom_typeenc_fini(&te);
    /* Instead of the first frame. */
    n = VRPC_FRAME_HEADER + vrpc_frame_get(bytes->p);
    ck_assert_int_eq(vrpc_frame_put(head, b.n + VSEC_BOX_TAG), 0);
    v23_buf_put(&all, head, sizeof(head));
    v23_buf_put(&all, zeros, sizeof(zeros));
    v23_buf_put(&all, b.p, b.n);
    v23_buf_put(&all, bytes->p + n, bytes->n - n);
    v23_buf_cut(bytes, 0);
    v23_buf_put(bytes, all.p, all.n);
    v23_buf_fini(&b);
    v23_buf_fini(&all);
}

START_TEST(private_server_is_not_trusted)
{
    W.crypto.box = &clear_box;
    W.max_out = 1; /* a frame at a time, or two */
    W.tamper = make_private;

    ck_assert_str_eq(fail_with(world_name(P.s, ""), M_WAIT, NULL),
        VERR "NotTrusted");
    ck_assert_uint_eq(W.ndials, 1);
    ck_assert_uint_eq(vrpc_manager_nconns(P.c->m), 0);
    ck_assert_uint_eq(vrpc_manager_nconns(P.s->m), 0);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, granted_blessings_arrive);
    tcase_add_test(t, blessings_granted_to_another_key_are_refused);
    tcase_add_test(t, granted_blessings_are_united);
    tcase_add_test(t, grants_for_different_keys_are_not_united);
    tcase_add_test(t, granter_that_fails_ends_with_not_trusted);
    tcase_add_test(t, connecting_backs_off_exponentially);
    tcase_add_test(t, tries_without_a_deadline_end_after_a_minute);
    tcase_add_test(t, request_backs_off_and_connecting_starts_anew);
    tcase_add_test(t, cached_only_calls_are_made_again_if_the_server_asks);
    tcase_add_test(t, channel_timeout_is_that_of_the_call);
    tcase_add_test(t, preferred_protocols_choose_the_server);
    tcase_add_test(t, idle_expiry_is_that_of_the_manager);
    tcase_add_test(t, private_server_is_not_trusted);
    tcase_add_test(t, stalled_client_bounds_the_memory_of_both);
    tcase_add_test(t, stalled_server_bounds_the_memory_of_both);
    tcase_add_test(t, failure_of_a_dial_is_told_for_five_minutes);
    tcase_add_test(t, failures_that_are_kept_are_bounded);
}

int main(void)
{
    return tst_run_case("librpc/client_opts", add, pair_setup, world_teardown);
}

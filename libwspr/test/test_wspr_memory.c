/* BSD-3-Clause; see LICENSE. */
/* Short of memory at any point: calls end, nothing leaks, no answer is broken;
 * and what an idle connection costs. */
#include "served_rig.h"

static int64_t i40 = 40;
static const struct vdl_any forty = { &vdl_int64_desc, &i40 };

/* Answer whatever the page is asked, until nothing comes any more. */
static void auto_answer(void)
{
    v23_wspr_server_lookup_reply o = object(7);
    v23_wspr_server_caveat_validation_request q;
    v23_wspr_server_caveat_validation_response cr;
    v23_wspr_server_auth_reply ar;
    const struct v23_verror *none[8];
    const struct got *g;

    o.has_authorizer = true;
    memset(none, 0, sizeof(none));
    memset(&ar, 0, sizeof(ar));
    while ((g = next_any()) != NULL)
        switch (g->type) {
        case LOOKUP:
            send_value(g->id, C_LOOKUP, &v23_wspr_server_lookup_reply_desc,
                &o);
            break;
        case CAVEATS:
            as(g, &v23_wspr_server_caveat_validation_request_desc, &q);
            cr.results.v = none;
            cr.results.n = q.cavs.n;
            send_value(g->id, C_CAVEATS,
                &v23_wspr_server_caveat_validation_response_desc, &cr);
            break;
        case AUTHORIZE:
            send_value(g->id, C_AUTHORIZE, &v23_wspr_server_auth_reply_desc,
                &ar);
            break;
        case INVOKE:
            send_value(g->id, C_ITEM, &vdl_int64_desc, &i40);
            reply(g->id, &forty, 1, NULL);
            break;
        default:
            break;
        }
}

static void make_calls(void)
{
    v23_wspr_app_rpc_request r = request(world_name(O.n, "o"), "sum", 0, 1);
    struct vdl_str name = vdl_str(world_name(O.n, "o"));
    struct vdl_any arg;
    int32_t i;
    int64_t id;

    arg.type = &vdl_string_desc;
    arg.val = &name;
    r.is_streaming = true;
    id = call_with(&r, NULL);
    for (i = 0; i < 3; i++)
        send_value(id, C_ITEM, &vdl_int32_desc, &i);
    settle();
    (void)call_it("__controller", "Signature", &arg, 1, 1);
    (void)call_it("__controller", "BlessingStoreDefault", NULL, 0, 1);
    (void)call_it("__namespace", "Resolve", &arg, 1, 1);
    settle();
    send_value(id, C_ITEM, &vdl_int32_desc, &i);
    say("{\"id\":1,\"type\":4}");
    settle();
}

static void be_called(void)
{
    R.done = 0;
    R.call = vrpc_client_start_any(O.n->c,
        vdl_str(world_name(S.v[0].n, "x")), vdl_str("Add"), &r_opts,
        &forty, 1, VRPC_ANY_RESULTS, &r_cb, NULL);
    if (R.call == NULL)
        return;
    vrpc_call_close_send(R.call);
    auto_answer();
}

/* With each allocation failing in turn, as long as there are that many. */
static void starve(void (*setup)(void), void (*body)(void),
    void (*teardown)(void))
{
    size_t k, at;
    bool more = true;

    for (k = 1; more; k++) {
        setup();
        settle();
        at = W.t.calls + k;
        W.t.fail_at = at;
        body();
        more = W.t.calls >= at;
        W.t.fail_at = 0;
        pass(70 * SEC);
        teardown();
    }
    ck_assert_uint_gt(k, 20);
}

START_TEST(calls_of_the_page_end_without_memory)
{
    starve(rig_setup, make_calls, rig_teardown);
}
END_TEST

START_TEST(calls_to_the_page_end_without_memory)
{
    starve(served_setup, be_called, served_teardown);
}
END_TEST

static void open_one(void)
{
    struct wspr_ctl_config cfg = rig_config();
    struct wspr_ctl *c = NULL;
    int rc = wspr_ctl_new(&cfg, &c);

    ck_assert(rc == 0 || rc == V23_ENOMEM);
    wspr_ctl_free(c);
}

START_TEST(connections_begin_without_memory)
{
    size_t k, at;
    bool more = true;

    rig_setup();
    for (k = 1; more; k++) {
        at = W.t.calls + k;
        W.t.fail_at = at;
        open_one();
        more = W.t.calls >= at;
        W.t.fail_at = 0;
    }
    ck_assert_uint_gt(k, 2);
    rig_teardown();
}
END_TEST

START_TEST(an_idle_connection_is_small)
{
    struct wspr_ctl_config cfg;
    struct wspr_ctl *c;
    size_t before;

    rig_setup();
    before = W.t.bytes;
    cfg = rig_config();
    ck_assert_int_eq(wspr_ctl_new(&cfg, &c), 0);
    ck_assert_uint_lt(W.t.bytes - before, 6144);
    wspr_ctl_free(c);
    /* After calls of some size, too. */
    make_calls();
    pass(SEC);
    before = W.t.bytes;
    rig_close();
    wspr_ctl_free(X.c);
    X.c = NULL;
    P.closed = 0;
    ck_assert_uint_lt(before - W.t.bytes, 96u << 10);
    rig_teardown();
}
END_TEST

/* What the controller of a page costs that has made a call and is silent. */
static size_t after_a_call(bool shared, int64_t silence)
{
    struct wspr_ctl_config cfg;
    struct vdl_str name;
    struct vdl_any arg;
    size_t before;

    rig_setup();
    make_calls(); /* what others keep for calls is theirs */
    rig_close();
    wspr_ctl_free(X.c);
    page_fini();
    page_init();
    before = W.t.bytes;
    cfg = rig_config();
    if (!shared)
        cfg.forms = NULL;
    ck_assert_int_eq(wspr_ctl_new(&cfg, &X.c), 0);
    name = vdl_str(world_name(O.n, "o"));
    arg.type = &vdl_string_desc;
    arg.val = &name;
    (void)call_it("__controller", "Signature", &arg, 1, 1);
    pass(silence);
    before = W.t.bytes - before;
    rig_teardown();
    return before;
}

START_TEST(a_page_that_rests_after_a_call_is_small)
{
    size_t busy = after_a_call(true, SEC / 2),
           rests = after_a_call(true, 3 * SEC),
           alone = after_a_call(false, 3 * SEC);

    ck_assert_uint_lt(rests + 2048, busy);
    ck_assert_uint_lt(rests + 1024, alone);
    ck_assert_uint_lt(rests, 16384);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("libwspr/memory");
    TCase *t = tcase_create("memory");

    tcase_set_timeout(t, 60);
    tcase_add_test(t, calls_of_the_page_end_without_memory);
    tcase_add_test(t, calls_to_the_page_end_without_memory);
    tcase_add_test(t, connections_begin_without_memory);
    tcase_add_test(t, an_idle_connection_is_small);
    tcase_add_test(t, a_page_that_rests_after_a_call_is_small);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return tst_run(suite());
}

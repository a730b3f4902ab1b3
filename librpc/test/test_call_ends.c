/* BSD-3-Clause; see LICENSE. */
/* Calls between managers: their ends, streams, calling back. */
#include "echo.h"

/* ---- ends before the end ------------------------------------------------- */

START_TEST(cancel_reaches_the_server)
{
    struct vrpc_call *call;
    struct result r;

    P.echo.auto_reply = true;
    call = start(P.c, world_name(P.s, ""), M_WAIT, NULL, NULL, &stub_plain,
        &r);
    ck_assert(world_until(&W, &P.echo.calls, SEC));
    vrpc_call_cancel(call);
    vrpc_call_cancel(call);
    ck_assert(world_until(&W, &r.done, SEC));
    ck_assert(world_until(&W, &P.echo.cancels, SEC));

    ck_assert_str_eq(r.id, VERR "Canceled");
    ck_assert_int_eq(r.done, 1);
    ck_assert_int_eq(P.echo.cancel_reason, V23_ECANCELED);
    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
    ck_assert_uint_eq(vrpc_manager_nconns(P.c->m), 1);
}
END_TEST

START_TEST(cancel_while_dialing_ends_the_call)
{
    struct vrpc_call *call;
    struct result r;

    P.s->black_hole = true;
    call = start(P.c, world_name(P.s, ""), M_WAIT, NULL, NULL, &stub_plain,
        &r);
    world_sleep(&W, SEC);
    vrpc_call_cancel(call);
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, VERR "Canceled");
}
END_TEST

START_TEST(deadline_passes_to_the_server)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    struct result r;

    o.timeout_ns = 2 * SEC;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_WAIT, &o, NULL,
        &stub_plain, &r));
    ck_assert(world_until(&W, &P.echo.calls, SEC));
    ck_assert_int_eq(vrpc_server_call_deadline(P.echo.waiting),
        W.now.mono_ns + 2 * SEC);
    ck_assert(!world_until(&W, &r.done, SEC));
    P.echo.auto_reply = true;
    ck_assert(world_until(&W, &r.done, 2 * SEC));
    ck_assert(world_until(&W, &P.echo.cancels, SEC));

    ck_assert_str_eq(r.id, VERR "Timeout");
    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
}
END_TEST

START_TEST(deadline_while_dialing_ends_the_call)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    struct result r;

    P.s->black_hole = true;
    o.timeout_ns = 3 * SEC;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_WAIT, &o, NULL,
        &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, 4 * SEC));

    ck_assert_str_eq(r.id, VERR "Timeout");
}
END_TEST

START_TEST(lost_connection_ends_calls_on_both_sides)
{
    struct result r;

    P.echo.auto_reply = true;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_WAIT, NULL, NULL,
        &stub_plain, &r));
    ck_assert(world_until(&W, &P.echo.calls, SEC));
    world_cut(world_link_of(&W, P.c));
    ck_assert(world_until(&W, &r.done, SEC));
    ck_assert(world_until(&W, &P.echo.cancels, SEC));

    ck_assert_str_eq(r.id, VERR "BadProtocol");
    ck_assert_uint_eq(vrpc_manager_nconns(P.c->m), 0);
    ck_assert_uint_eq(vrpc_manager_nconns(P.s->m), 0);
}
END_TEST

START_TEST(handler_may_answer_after_its_connection_is_gone)
{
    struct result r;

    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_WAIT, NULL, NULL,
        &stub_plain, &r));
    ck_assert(world_until(&W, &P.echo.calls, SEC));
    world_cut(world_link_of(&W, P.c));
    ck_assert(world_until(&W, &P.echo.cancels, SEC));
    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 1);
    /* What the call knows stays there. */
    ck_assert_uint_eq(vrpc_server_call_remote_names(P.echo.waiting).n, 1);
    ck_assert_ptr_nonnull(vrpc_server_call_remote_blessings(P.echo.waiting));
    ck_assert_int_eq(vrpc_server_call_reply(P.echo.waiting, NULL, NULL),
        V23_ECLOSED);

    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
    ck_assert(world_until(&W, &r.done, SEC));
}
END_TEST

static struct v23_op Grant_op;
static int Grants;

static int grant_later(void *ud, struct v23_op op, struct vrpc_call *call,
    struct vsec_blessings **out)
{
    (void)ud;
    (void)call;
    (void)out;
    Grant_op = op;
    Grants++;
    return V23_EAGAIN;
}

static const struct vrpc_granter later = { grant_later, NULL };

/* Add(1, 2), up to the granter. */
static void start_granted(struct result *r)
{
    struct vrpc_call_opts o = opts_now();
    struct add_in in = { 1, 2 };

    Grants = 0;
    o.granters = &later;
    o.ngranters = 1;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ADD, &o, &in,
        &stub_plain, r));
    ck_assert(world_until(&W, &Grants, SEC));
}

START_TEST(connection_may_die_while_the_granter_thinks)
{
    struct result r;

    start_granted(&r);
    world_cut(world_link_of(&W, P.c));
    world_settle(&W);
    ck_assert_int_eq(r.done, 0);
    vrpc_client_granted(P.c->c, Grant_op, 0, NULL);
    vrpc_client_granted(P.c->c, Grant_op, 0, NULL);
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, VERR "BadProtocol");
}
END_TEST

START_TEST(late_grant_continues_the_call)
{
    struct result r;

    start_granted(&r);
    vrpc_client_granted(P.c->c, Grant_op, 0, NULL);
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, "");
}
END_TEST

START_TEST(paused_call_keeps_what_came_before_the_connection_died)
{
    struct vrpc_call *call;
    struct result r;
    int32_t n = 100;

    call = start(P.c, world_name(P.s, ""), M_COUNT, NULL, &n, &stub_plain,
        &r);
    vrpc_call_pause(call, true);
    world_settle(&W);
    world_cut(world_link_of(&W, P.c));
    world_settle(&W);
    ck_assert_int_eq(r.done, 0);
    ck_assert_int_eq(r.items, 0);
    vrpc_call_pause(call, false);
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, "");
    ck_assert_int_eq(r.items, 100);
}
END_TEST

START_TEST(freed_client_finishes_its_calls)
{
    struct result r;

    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_WAIT, NULL, NULL,
        &stub_plain, &r));
    P.echo.auto_reply = true;
    ck_assert(world_until(&W, &P.echo.calls, SEC));
    vrpc_client_free(P.c->c);
    P.c->c = NULL;

    ck_assert_int_eq(r.done, 1);
    ck_assert_str_eq(r.id, VERR "Canceled");
}
END_TEST

/* ---- streams ------------------------------------------------------------- */

START_TEST(stream_both_ways_ends_with_result)
{
    struct vrpc_call *call;
    struct result r;
    int32_t v;

    call = start(P.c, world_name(P.s, ""), M_SUM, NULL, NULL, &stub_plain,
        &r);
    world_settle(&W);
    for (v = 1; v <= 100; v++)
        ck_assert_int_eq(vrpc_call_send(call, &v), 0);
    world_settle(&W);
    ck_assert_int_eq(r.items, 100);
    ck_assert_int_eq(r.last, 5050);
    ck_assert_int_eq(r.done, 0);
    vrpc_call_close_send(call);
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, "");
    ck_assert_int_eq(r.sum, 5050);
    ck_assert_int_eq(P.echo.ended, 1);
}
END_TEST

struct pump {
    struct vrpc_call *call;
    int32_t next, n;
    int shut, calls;
};

static void pump_more(void *ud, struct vrpc_call *call)
{
    struct pump *p = ud;
    int32_t one = 1;
    int rc = 0;

    p->calls++;
    while (p->next < p->n && rc == 0) {
        rc = vrpc_call_send(call, &one);
        if (rc == 0)
            p->next++;
    }
    if (rc == V23_EAGAIN)
        p->shut++;
    else if (p->next == p->n)
        vrpc_call_close_send(call);
}

START_TEST(shut_window_opens_again)
{
    struct pump p = { NULL, 0, 60000, 0, 0 };
    struct result r;

    p.call = start(P.c, world_name(P.s, ""), M_SUM, NULL, NULL, &stub_plain,
        &r);
    vrpc_call_on_writable(p.call, pump_more, &p);
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, "");
    ck_assert_int_eq(r.sum, 60000);
    ck_assert_int_eq(r.items, 60000);
    ck_assert_int_gt(p.shut, 0);
}
END_TEST

START_TEST(paused_reader_slows_the_server)
{
    struct vrpc_call *call;
    struct result r;
    int32_t n = 500000;

    call = start(P.c, world_name(P.s, ""), M_COUNT, NULL, &n, &stub_plain,
        &r);
    vrpc_call_pause(call, true);
    world_settle(&W);
    ck_assert_int_eq(r.items, 0);
    ck_assert_int_lt(P.echo.next, n);
    vrpc_call_pause(call, false);
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, "");
    ck_assert_int_eq(r.items, n);
    ck_assert_int_eq(r.last, n - 1);
}
END_TEST

static struct vrpc_call *Doomed;

static void item_cancels(vrpc_any_fn *fn, void *ud, const void *item)
{
    struct result *r = ud;

    (void)fn;
    (void)item;
    if (++r->items == 3)
        vrpc_call_cancel(Doomed);
}

START_TEST(item_callback_may_cancel)
{
    static const struct vrpc_call_stub stub = { got_done, item_cancels };
    struct result r;
    int32_t n = 500000;

    Doomed = start(P.c, world_name(P.s, ""), M_COUNT, NULL, &n, &stub, &r);
    ck_assert(world_until(&W, &r.done, SEC));
    ck_assert(world_until(&W, &P.echo.cancels, SEC));

    ck_assert_int_eq(r.items, 3);
    ck_assert_str_eq(r.id, VERR "Canceled");
    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
}
END_TEST

START_TEST(reply_before_the_client_ends_its_stream)
{
    struct result r;
    struct add_out out = { 7 };

    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_WAIT, NULL, NULL,
        &stub_plain, &r));
    ck_assert(world_until(&W, &P.echo.calls, SEC));
    ck_assert_int_eq(vrpc_server_call_reply(P.echo.waiting, NULL, &out), 0);
    ck_assert(world_until(&W, &r.done, SEC));
    ck_assert_str_eq(r.id, "");
}
END_TEST

/* ---- calling back -------------------------------------------------------- */

START_TEST(server_can_be_called_back_over_its_connection)
{
    struct wnode *both;
    struct echo echo;
    struct add_in in = { 20, 2 };
    struct result r;
    char name[300];
    struct v23_buf b;

    memset(&echo, 0, sizeof(echo));
    ck_assert_int_eq(world_node(&W, "both", 99, &both), 0);
    ck_assert_int_eq(serve(both, &echo, &vsec_auth_everyone), 0);
    ck_assert_ptr_nonnull(start(both, world_name(P.s, ""), M_ADD, NULL, &in,
        &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, SEC));
    v23_buf_init_fixed(&b, name, sizeof(name));
    v23_buf_puts(&b, "/@6@bidi@@@");
    vrpc_routing_id_format(vrpc_manager_rid(both->m), &b);
    v23_buf_puts(&b, "@s@test:both@@");
    v23_buf_put_byte(&b, 0);
    ck_assert_ptr_nonnull(start(P.s, name, M_ADD, NULL, &in, &stub_plain,
        &r));
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, "");
    ck_assert_int_eq(r.sum, 22);
    ck_assert_int_eq(echo.calls, 1);
    ck_assert_uint_eq(W.ndials, 1);
}
END_TEST

START_TEST(bidi_endpoint_without_connection_fails)
{
    struct vrpc_call_opts o = opts_now();
    struct result r;

    ck_assert_ptr_nonnull(start(P.s, "/@6@bidi@@@00000000000000000000000000000"
        "063@s@test:both@@", M_WAIT, &o, NULL, &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, VERR "NoServers");
    ck_assert_uint_eq(W.ndials, 0);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, cancel_reaches_the_server);
    tcase_add_test(t, cancel_while_dialing_ends_the_call);
    tcase_add_test(t, deadline_passes_to_the_server);
    tcase_add_test(t, deadline_while_dialing_ends_the_call);
    tcase_add_test(t, lost_connection_ends_calls_on_both_sides);
    tcase_add_test(t, handler_may_answer_after_its_connection_is_gone);
    tcase_add_test(t, connection_may_die_while_the_granter_thinks);
    tcase_add_test(t, late_grant_continues_the_call);
    tcase_add_test(t,
        paused_call_keeps_what_came_before_the_connection_died);
    tcase_add_test(t, freed_client_finishes_its_calls);
    tcase_add_test(t, stream_both_ways_ends_with_result);
    tcase_add_test(t, shut_window_opens_again);
    tcase_add_test(t, paused_reader_slows_the_server);
    tcase_add_test(t, item_callback_may_cancel);
    tcase_add_test(t, reply_before_the_client_ends_its_stream);
    tcase_add_test(t, server_can_be_called_back_over_its_connection);
    tcase_add_test(t, bidi_endpoint_without_connection_fails);
}

int main(void)
{
    return tst_run_case("librpc/call_ends", add, pair_setup, world_teardown);
}

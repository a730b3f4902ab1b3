/* BSD-3-Clause; see LICENSE. */
/* Who may read the traces of calls, with answers and from their object. */
#include "vtrace_rig.h"

/* ---- who may ------------------------------------------------------------- */

START_TEST(who_may_not_read_traces_has_none_collected)
{
    all_with_stores();
    D.answer = V23_EDENIED;
    vrpc_span_force(&top, 0);
    ck_assert_str_eq(call_hop(&top), "");

    ck_assert_str_eq(names(A, &top.trace),
        "top\n"
        " <call>.Hop\n"
        "  " DIAL);
    ck_assert_uint_eq(vrpc_vtrace_count(B->vtrace), 0);
    ck_assert_int_eq(D.asked, 1);
    ck_assert_int_eq(D.releases, 1);
}
END_TEST

START_TEST(without_a_reserved_dispatcher_the_default_decides)
{
    struct vrpc_vtrace_config c = store_config();

    /* test:a and test:b are strangers to each other. */
    make_nodes(&c, &c, NULL);
    hops[0].next = NULL;
    serve_other(B, &hop_iface, &hops[0], NULL);
    vrpc_span_force(&top, 0);
    ck_assert_str_eq(call_hop(&top), "");

    ck_assert_uint_eq(vrpc_vtrace_count(B->vtrace), 0);
}
END_TEST

START_TEST(an_authorizer_that_answers_later_is_waited_for)
{
    all_with_stores();
    hops[0].next = NULL;
    D.answer = V23_EAGAIN;
    vrpc_span_force(&top, 0);
    start_hop(&top);
    world_sleep(&W, SEC);
    ck_assert_int_eq(R.done, 0);
    ck_assert_uint_eq(vrpc_vtrace_count(B->vtrace), 0);
    D.wait.done(D.wait.ud, D.wait.op, 0, NULL);
    ck_assert(world_until(&W, &R.done, SEC));

    ck_assert_str_eq(R.id, "");
    ck_assert_str_eq(names(A, &top.trace),
        "top\n"
        " <call>.Hop\n"
        "  " DIAL
        "  .Hop\n");
}
END_TEST

START_TEST(a_caller_that_leaves_takes_its_question_along)
{
    struct vrpc_call *call;

    all_with_stores();
    D.answer = V23_EAGAIN;
    vrpc_span_force(&top, 0);
    call = start_hop(&top);
    world_sleep(&W, SEC);
    ck_assert_ptr_nonnull(D.wait.done);
    vrpc_call_cancel(call);
    world_sleep(&W, SEC);

    ck_assert_ptr_null(D.wait.done); /* cancelled */
    ck_assert_uint_eq(vrpc_server_ncalls(B->s), 0);
    ck_assert_int_eq(D.releases, 1);
}
END_TEST

START_TEST(a_lookup_that_would_take_long_is_a_refusal)
{
    all_with_stores();
    hops[0].next = NULL;
    D.later = true;
    vrpc_span_force(&top, 0);
    ck_assert_str_eq(call_hop(&top), "");
    ck_assert_uint_eq(vrpc_vtrace_count(B->vtrace), 0);
    ck_assert_int_eq(D.releases, 0);
}
END_TEST

/* B collects on its own account: a name matches. */
static void b_collects(const v23_uniqueid_id **ids, size_t *n)
{
    struct vrpc_vtrace_config plain = store_config(), with;
    struct vrpc_call_opts o = opts_now();
    static struct echo e;
    int answer = D.answer;

    with = plain;
    with.match = has_magic;
    memset(&e, 0, sizeof(e));
    make_nodes(&plain, &with, NULL);
    D.answer = answer;
    serve_other(B, &echo_iface, &e, &debug[0]);
    memset(&R, 0, sizeof(R));
    o.span = &top;
    ck_assert_ptr_nonnull(start(A, world_name(B, ""), M_WAIT, &o, NULL,
        &stub_plain, &R));
    world_settle(&W);
    ck_assert_ptr_nonnull(e.waiting);
    ck_assert(vrpc_span_collected(vrpc_server_call_span(e.waiting)));
    (void)vrpc_server_call_reply(e.waiting, NULL, NULL);
    ck_assert(world_until(&W, &R.done, SEC));
    ck_assert_int_eq(vrpc_vtrace_ids(A->vtrace, &arena, ids, n), 0);
}

START_TEST(what_a_server_collects_by_itself_is_sent_to_those_who_may)
{
    const v23_uniqueid_id *ids;
    size_t n;

    D.answer = 0;
    b_collects(&ids, &n);
    ck_assert_uint_eq(n, 1);
    ck_assert_ptr_nonnull(strstr(names(A, &ids[0]), ".Wait\n"));
    ck_assert_int_eq(D.asked, 1);
}
END_TEST

START_TEST(what_a_server_collects_by_itself_is_kept_from_others)
{
    const v23_uniqueid_id *ids;
    size_t n;

    D.answer = V23_EDENIED;
    b_collects(&ids, &n);
    ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(an_answer_does_not_wait_for_an_authorizer)
{
    const v23_uniqueid_id *ids;
    size_t n;

    D.answer = V23_EAGAIN;
    b_collects(&ids, &n);
    ck_assert_uint_eq(n, 0);
    ck_assert_int_eq(D.asked, 1);
    ck_assert_ptr_null(D.wait.done);
}
END_TEST

/* ---- the object ---------------------------------------------------------- */

static struct {
    int done, items;
    char id[64];
    uint32_t spans;
} Q;

static void note_end(const struct v23_verror *err)
{
    Q.done++;
    Q.id[0] = 0;
    if (err != NULL)
        snprintf(Q.id, sizeof(Q.id), "%.*s", (int)err->id.n, err->id.p);
}

static void got_trace(void *ud, const struct v23_verror *err,
    const v23_services_vtrace_store_trace_out *out)
{
    (void)ud;
    note_end(err);
    if (err == NULL)
        Q.spans = out->result.spans.n;
}

static void got_record(void *ud, const v23_vtrace_trace_record *item)
{
    (void)ud;
    Q.items++;
    Q.spans += item->spans.n;
}

static void got_all(void *ud, const struct v23_verror *err)
{
    (void)ud;
    note_end(err);
}

static const v23_services_vtrace_store_all_traces_cb all_cb = { got_record,
    got_all };

static const char *ask_trace(const v23_uniqueid_id *id)
{
    struct vrpc_call_opts o = opts_now();

    memset(&Q, 0, sizeof(Q));
    ck_assert_ptr_nonnull(v23_services_vtrace_store_trace_start(A->c,
        world_name(B, "__debug/vtrace"), &o, id, got_trace, NULL));
    ck_assert(world_until(&W, &Q.done, 10 * SEC));
    return Q.id;
}

static const char *ask_all(void)
{
    struct vrpc_call_opts o = opts_now();

    memset(&Q, 0, sizeof(Q));
    ck_assert_ptr_nonnull(v23_services_vtrace_store_all_traces_start(A->c,
        world_name(B, "__debug/vtrace"), &o, &all_cb, NULL));
    ck_assert(world_until(&W, &Q.done, 10 * SEC));
    return Q.id;
}

START_TEST(the_object_gives_one_trace_or_all)
{
    v23_uniqueid_id none = { { 1 } };
    struct vrpc_span s;

    all_with_stores();
    ck_assert_str_eq(ask_all(), "");
    ck_assert_int_eq(Q.items, 0);
    vrpc_span_begin_trace(&s, B->vtrace, vdl_str("one"));
    vrpc_span_force(&s, 0);
    ck_assert_str_eq(ask_trace(&s.trace), "");
    ck_assert_uint_eq(Q.spans, 1);
    ck_assert_str_eq(ask_trace(&none), VERR "NoExist");
    ck_assert_str_eq(ask_all(), "");
    ck_assert_int_eq(Q.items, 1);
}
END_TEST

/* B has 30 traces, together many times what a flow may hold. */
static void big_traces(void)
{
    struct vrpc_span s;
    char note[4096];
    int i, j;

    W.bytes_buffered = 65536;
    all_with_stores();
    memset(note, 'x', sizeof(note));
    for (i = 0; i < 30; i++) {
        vrpc_span_begin_trace(&s, B->vtrace, vdl_str("big"));
        vrpc_span_force(&s, 0);
        for (j = 0; j < 10; j++)
            vrpc_span_annotate(&s, vdl_strn(note, sizeof(note)));
    }
}

START_TEST(many_traces_come_as_the_window_opens)
{
    big_traces();
    ck_assert_str_eq(ask_all(), "");
    ck_assert_int_eq(Q.items, 30);
    ck_assert_uint_eq(Q.spans, 30);
}
END_TEST

START_TEST(a_stream_of_traces_may_be_cancelled)
{
    struct vrpc_call_opts o = opts_now();
    struct vrpc_call *call;

    big_traces();
    memset(&Q, 0, sizeof(Q));
    call = v23_services_vtrace_store_all_traces_start(A->c,
        world_name(B, "__debug/vtrace"), &o, &all_cb, NULL);
    vrpc_call_pause(call, true);
    world_sleep(&W, SEC);
    ck_assert_int_eq(Q.items, 0);
    ck_assert_uint_eq(vrpc_server_ncalls(B->s), 1);
    vrpc_call_cancel(call);
    world_sleep(&W, SEC);

    ck_assert_int_eq(Q.done, 1);
    ck_assert_uint_eq(vrpc_server_ncalls(B->s), 0);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, who_may_not_read_traces_has_none_collected);
    tcase_add_test(tc, without_a_reserved_dispatcher_the_default_decides);
    tcase_add_test(tc, an_authorizer_that_answers_later_is_waited_for);
    tcase_add_test(tc, a_caller_that_leaves_takes_its_question_along);
    tcase_add_test(tc, a_lookup_that_would_take_long_is_a_refusal);
    tcase_add_test(tc,
        what_a_server_collects_by_itself_is_sent_to_those_who_may);
    tcase_add_test(tc,
        what_a_server_collects_by_itself_is_kept_from_others);
    tcase_add_test(tc, an_answer_does_not_wait_for_an_authorizer);
    tcase_add_test(tc, the_object_gives_one_trace_or_all);
    tcase_add_test(tc, many_traces_come_as_the_window_opens);
    tcase_add_test(tc, a_stream_of_traces_may_be_cancelled);
}

int main(void)
{
    return tst_run_case("librpc/vtrace_access", fill, setup, teardown);
}

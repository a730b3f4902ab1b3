/* BSD-3-Clause; see LICENSE. */
/* Tracing of calls: over several hops. */
#include "vtrace_rig.h"

/* ---- ids without a store ------------------------------------------------- */

static struct vrpc_span seen;

static const struct v23_verror *look(const void *vt, void *self,
    struct vrpc_server_call *call, const void *in, void *out)
{
    (void)vt;
    (void)self;
    (void)in;
    (void)out;
    seen = *vrpc_server_call_span(call);
    return NULL;
}

static const struct vrpc_method look_method = { .name = STR("Hop"),
    .thunk = look };
static const struct vrpc_iface look_iface = { .name = STR("Look"),
    .methods = &look_method, .nmethods = 1 };

START_TEST(ids_travel_without_any_store)
{
    struct vrpc_span parent, first;

    make_nodes(NULL, NULL, NULL);
    serve_other(C, &look_iface, NULL, NULL);
    ck_assert_str_eq(call_hop(NULL), "");
    first = seen;
    memset(&parent, 0, sizeof(parent));
    parent.trace.v[3] = 9;
    parent.id.v[5] = 4;
    ck_assert_str_eq(call_hop(&parent), "");

    ck_assert_ptr_null(first.store);
    ck_assert(memcmp(&first.trace, &first.parent, 16) != 0);
    ck_assert(memcmp(&first.trace, &seen.trace, 16) != 0);
    ck_assert_int_eq(memcmp(&seen.trace, &parent.trace, 16), 0);
    ck_assert(memcmp(&seen.parent, &parent.id, 16) != 0);
    vrpc_span_begin(&parent, &seen, vdl_str("x")); /* the same, renamed */
    ck_assert_int_eq(memcmp(&parent.id, &seen.id, 16), 0);
}
END_TEST

static size_t allocations(void)
{
    size_t before;
    int i;

    for (i = 0; i < 20; i++)
        ck_assert_str_eq(call_hop(NULL), "");
    before = W.t.calls;
    for (i = 0; i < 20; i++)
        ck_assert_str_eq(call_hop(NULL), "");
    return W.t.calls - before;
}

START_TEST(calls_that_nobody_collects_allocate_nothing_more)
{
    size_t without;

    make_nodes(NULL, NULL, NULL);
    without = allocations();
    world_teardown();
    world_setup();
    all_with_stores();

    ck_assert_uint_eq(allocations(), without);
    ck_assert_uint_eq(vrpc_vtrace_count(A->vtrace), 0);
    ck_assert_uint_eq(vrpc_vtrace_count(B->vtrace), 0);
    ck_assert_int_eq(D.asked + D.lookups, 0);
}
END_TEST

/* ---- hops ---------------------------------------------------------------- */

START_TEST(three_hops_are_collected_where_they_begin)
{
    all_with_stores();
    vrpc_span_force(&top, 0);
    ck_assert_str_eq(call_hop(&top), "");
    vrpc_span_end(&top);

    ck_assert_str_eq(names(A, &top.trace),
        "top\n"
        " <call>.Hop\n"
        "  " DIAL
        "  .Hop\n"
        "   <call>.Hop\n"
        "    " DIAL
        "    .Hop\n");
    ck_assert_str_eq(names(C, &top.trace), "Missing Root Span\n"
        " Missing Data\n"
        "  .Hop\n");
    ck_assert(!D.strange);
    ck_assert_int_eq(D.asked, 2);
    ck_assert_int_eq(D.releases, 2);
}
END_TEST

START_TEST(an_answer_has_the_spans_of_its_call_only)
{
    v23_vtrace_trace_record r;
    struct vrpc_span s;

    all_with_stores();
    vrpc_span_force(&top, 0);
    ck_assert_str_eq(call_hop(&top), "");
    /* Something else at B, of the same trace. */
    s = top;
    s.store = B->vtrace;
    vrpc_span_begin(&s, &s, vdl_str("other work"));
    vrpc_span_end(&s);
    ck_assert_str_eq(call_hop(&top), "");

    memset(&r, 0, sizeof(r));
    ck_assert_int_eq(vrpc_vtrace_get(B->vtrace, &top.trace, &arena, &r), 0);
    ck_assert_uint_eq(r.spans.n, 9);
    ck_assert_ptr_nonnull(strstr(names(B, &top.trace), "other work"));
    ck_assert_int_eq(vrpc_vtrace_get(A->vtrace, &top.trace, &arena, &r), 0);
    ck_assert_uint_eq(r.spans.n, 13);
    ck_assert_ptr_null(strstr(names(A, &top.trace), "other work"));
}
END_TEST

START_TEST(spans_have_times_and_annotations)
{
    v23_vtrace_trace_record r;
    uint32_t i, notes = 0;

    all_with_stores();
    vrpc_span_force(&top, 0);
    ck_assert_str_eq(call_hop(&top), "");
    vrpc_span_end(&top);
    memset(&r, 0, sizeof(r));
    ck_assert_int_eq(vrpc_vtrace_get(A->vtrace, &top.trace, &arena, &r), 0);

    for (i = 0; i < r.spans.n; i++) {
        ck_assert(!vrpc_vtrace_no_time(r.spans.v[i].start));
        ck_assert(!vrpc_vtrace_no_time(r.spans.v[i].end));
        notes += r.spans.v[i].annotations.n;
    }
    ck_assert_uint_eq(notes, 4); /* at b, at c, two servers */
}
END_TEST

START_TEST(a_sampled_root_is_the_parent_of_calls_that_name_none)
{
    struct vrpc_vtrace_config with, plain = store_config();
    const struct vrpc_span *root;

    with = plain;
    with.sample_rate = 1;
    make_nodes(&with, &plain, NULL);
    root = vrpc_vtrace_begin_root(A->vtrace, vdl_str("main"));
    hops[0].next = NULL;
    ck_assert_str_eq(call_hop(NULL), "");

    ck_assert_str_eq(names(A, &root->trace),
        "main\n"
        " <call>.Hop\n"
        "  " DIAL
        "  .Hop\n");
}
END_TEST

START_TEST(a_call_without_parent_is_a_trace_of_its_own)
{
    struct vrpc_vtrace_config with = store_config();
    const v23_uniqueid_id *ids;
    size_t n;

    with.sample_rate = 1;
    make_nodes(&with, NULL, NULL);
    hops[0].next = NULL;
    ck_assert_str_eq(call_hop(NULL), "");
    ck_assert_int_eq(vrpc_vtrace_ids(A->vtrace, &arena, &ids, &n), 0);

    ck_assert_uint_eq(n, 2); /* top, the call */
    ck_assert_str_eq(names(A, &ids[1]), "<call>.Hop\n " DIAL);
}
END_TEST

START_TEST(failures_are_annotated)
{
    v23_vtrace_trace_record r;
    bool found = false;
    uint32_t i, j;

    all_with_stores();
    vrpc_span_force(&top, 0);
    B->refuses = true;
    ck_assert_str_eq(call_hop(&top), VERR "NoServers");
    memset(&r, 0, sizeof(r));
    ck_assert_int_eq(vrpc_vtrace_get(A->vtrace, &top.trace, &arena, &r), 0);

    for (i = 0; i < r.spans.n; i++)
        for (j = 0; j < r.spans.v[i].annotations.n; j++)
            found |= r.spans.v[i].annotations.v[j].message.n > 30 &&
                     memcmp(r.spans.v[i].annotations.v[j].message.p,
                         "Cannot retry after error: ", 26) == 0;
    ck_assert(found);
}
END_TEST

START_TEST(metadata_goes_one_hop)
{
    uint8_t meta[] = { 1, 2, 3 };
    v23_vtrace_trace_record r;
    uint32_t i;
    int b = 0, c = 0;

    all_with_stores();
    vrpc_span_force(&top, 0);
    top.metadata = vdl_bytes(meta, 3);
    ck_assert_str_eq(call_hop(&top), "");
    memset(&r, 0, sizeof(r));
    ck_assert_int_eq(vrpc_vtrace_get(B->vtrace, &top.trace, &arena, &r), 0);
    for (i = 0; i < r.spans.n; i++)
        b += r.spans.v[i].request_metadata.n == 3;
    ck_assert_int_eq(vrpc_vtrace_get(C->vtrace, &top.trace, &arena, &r), 0);
    for (i = 0; i < r.spans.n; i++)
        c += r.spans.v[i].request_metadata.n > 0;

    ck_assert_int_eq(b, 1);
    ck_assert_int_eq(c, 0);
}
END_TEST

/* ---- memory -------------------------------------------------------------- */

START_TEST(a_lack_of_memory_costs_no_call)
{
    static struct tst_alloc scarce;
    struct vrpc_vtrace_config c;
    size_t k;

    /* Only the stores are short of it; each request fails once. */
    for (k = 1; k < 60; k++) {
        tst_alloc_init(&scarce);
        c = store_config();
        c.al = &scarce.al;
        c.sample_rate = 1;
        make_nodes(&c, &c, &c);
        scarce.fail_at = scarce.calls + k;
        ck_assert_str_eq(call_hop(&top), "");
        if (scarce.calls < scarce.fail_at)
            k = 60;
        world_teardown();
        ck_assert_uint_eq(scarce.live, 0);
        world_setup();
    }
    ck_assert_uint_eq(k, 61); /* it ran once without failure */
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, ids_travel_without_any_store);
    tcase_add_test(tc, calls_that_nobody_collects_allocate_nothing_more);
    tcase_add_test(tc, three_hops_are_collected_where_they_begin);
    tcase_add_test(tc, an_answer_has_the_spans_of_its_call_only);
    tcase_add_test(tc, spans_have_times_and_annotations);
    tcase_add_test(tc, a_sampled_root_is_the_parent_of_calls_that_name_none);
    tcase_add_test(tc, a_call_without_parent_is_a_trace_of_its_own);
    tcase_add_test(tc, failures_are_annotated);
    tcase_add_test(tc, metadata_goes_one_hop);
    tcase_add_test(tc, a_lack_of_memory_costs_no_call);
}

int main(void)
{
    return tst_run_case("librpc/vtrace_calls", fill, setup, teardown);
}

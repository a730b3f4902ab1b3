/* BSD-3-Clause; see LICENSE. */
/* Trees of spans and their text; hostile records too. */
#include <suite.h>
#include <support.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <vrpc/vtrace_text.h>

#define MAX 8
/* 2014-11-06T13:01:22.4Z */
#define START (INT64_C(1415278882) + V23_TIME_UNIX_EPOCH)

static struct tst_alloc t;
static struct v23_arena a;
static struct v23_buf out;
static v23_vtrace_span_record spans[MAX];
static v23_vtrace_trace_record trace;

static void setup(void)
{
    tst_alloc_init(&t);
    v23_arena_init(&a, &t.al, SIZE_MAX);
    v23_buf_init(&out, &t.al, SIZE_MAX);
    memset(spans, 0, sizeof(spans));
    memset(&trace, 0, sizeof(trace));
    trace.id.v[15] = 1;
    trace.spans.v = spans;
}

static void teardown(void)
{
    v23_buf_fini(&out);
    v23_arena_fini(&a);
    ck_assert_uint_eq(t.live, 0);
}

/* Seconds behind the start of the trace; < 0: none. */
static v23_time_time at(int s)
{
    v23_time_time x = { 0, 0 };

    if (s >= 0) {
        x.seconds = START + s;
        x.nanos = 400000000;
    }
    return x;
}

static v23_vtrace_span_record *add(uint8_t id, uint8_t parent,
    const char *name, int start, int end)
{
    v23_vtrace_span_record *s = &spans[trace.spans.n++];

    s->id.v[15] = id;
    s->parent.v[15] = parent;
    s->name = vdl_str(name);
    s->start = at(start);
    s->end = at(end);
    return s;
}

static const char *text(vrpc_zone_fn *zone)
{
    v23_buf_cut(&out, 0);
    ck_assert_int_eq(vrpc_vtrace_put(&out, &trace, zone, &a), 0);
    return v23_buf_cstr(&out);
}

START_TEST(text_is_that_of_the_reference)
{
    static const uint8_t meta[40] = { 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2 };
    v23_vtrace_annotation notes[] = {
        { at(6), VDL_STR_INIT("Second Annotation") },
        { at(4), VDL_STR_INIT("First Annotation") },
    };
    v23_vtrace_span_record *s;

    add(2, 1, "", 0, -1);
    s = add(7, 3, "GrandChild1", 3, 8);
    s->annotations.v = notes;
    s->annotations.n = 2;
    add(4, 2, "Child2", 20, 30);
    s = add(5, 2, "Child2WithMetadata", 20, 30);
    s->request_metadata = vdl_bytes(meta, 2);
    s = add(6, 2, "Child2WithLongMetadata", 20, 30);
    s->request_metadata = vdl_bytes(meta, 40);
    s->annotations.v = notes + 1;
    s->annotations.n = 1;
    add(3, 2, "Child1", 1, 10);

    ck_assert_str_eq(text(NULL),
        "Trace - 0x00000000000000000000000000000001 "
        "(2014-11-06 13:01:22.400000 UTC, ?\?)\n"
        "    Span - Child1 [id: 00000003 parent 00000002] (1s, 10s: 9s)\n"
        "        Span - GrandChild1 [id: 00000007 parent 00000003] "
        "(3s, 8s: 5s)\n"
        "            @4s First Annotation\n"
        "            @6s Second Annotation\n"
        "    Span - Child2 [id: 00000004 parent 00000002] (20s, 30s: 10s)\n"
        "    Span - Child2WithMetadata [id: 00000005 parent 00000002] "
        "(20s, 30s: 10s)\n"
        "        [0x0102]\n"
        "    Span - Child2WithLongMetadata [id: 00000006 parent 00000002] "
        "(20s, 30s: 10s)\n"
        "        @4s First Annotation\n"
        "        [0x01020102010201020102]\n");
}
END_TEST

START_TEST(spans_of_unknown_parents_are_below_missing_data)
{
    add(2, 1, "", 0, -1);
    add(3, 2, "Child1", 1, 10);
    add(6, 5, "Decendant2", 15, 24);
    add(7, 5, "Decendant1", 12, 18);

    ck_assert_str_eq(text(NULL),
        "Trace - 0x00000000000000000000000000000001 "
        "(2014-11-06 13:01:22.400000 UTC, ?\?)\n"
        "    Span - Child1 [id: 00000003 parent 00000002] (1s, 10s: 9s)\n"
        "    Span - Missing Data [id: 00000000 parent 00000000] "
        "(??, ??: ?\?)\n"
        "        Span - Decendant1 [id: 00000007 parent 00000005] "
        "(12s, 18s: 6s)\n"
        "        Span - Decendant2 [id: 00000006 parent 00000005] "
        "(15s, 24s: 9s)\n");
}
END_TEST

START_TEST(missing_data_is_in_the_order_of_its_spans)
{
    const struct vrpc_vtrace_node *root, *m;

    add(2, 1, "", 0, -1);
    add(3, 9, "second", 6, 7);
    add(4, 8, "third", 8, 9);
    add(5, 10, "first", 1, 2);
    add(6, 2, "known", 30, 31);
    ck_assert_int_eq(vrpc_vtrace_tree(&trace, &a, &root), 0);

    ck_assert(vdl_str_is(root->child->span->name, "known"));
    m = root->child->next;
    ck_assert(vdl_str_is(m->child->span->name, "first"));
    ck_assert(vdl_str_is(m->next->child->span->name, "second"));
    ck_assert(vdl_str_is(m->next->next->child->span->name, "third"));
    ck_assert_ptr_null(m->next->next->next);
}
END_TEST

START_TEST(a_missing_root_is_invented)
{
    const struct vrpc_vtrace_node *root;

    add(6, 5, "b", 15, 24);
    add(7, 5, "a", 12, 18);
    ck_assert_int_eq(vrpc_vtrace_tree(&trace, &a, &root), 0);

    ck_assert(root->missing && root->parent == NULL && root->depth == 0);
    ck_assert(vdl_str_is(root->span->name, "Missing Root Span"));
    ck_assert_int_eq(root->span->start.seconds, START + 12);
    ck_assert(vdl_str_is(root->child->span->name, "Missing Data"));
    ck_assert(vdl_str_is(root->child->child->span->name, "a"));
    ck_assert(vdl_str_is(root->child->child->next->span->name, "b"));
    ck_assert_uint_eq(root->child->child->depth, 2);
}
END_TEST

START_TEST(an_empty_trace_has_a_line)
{
    ck_assert_str_eq(text(NULL),
        "Trace - 0x00000000000000000000000000000001 (??, ?\?)\n");
}
END_TEST

START_TEST(of_several_roots_the_others_are_children)
{
    add(3, 1, "late", 5, 6);
    add(2, 1, "early", 1, 2);

    ck_assert_str_eq(text(NULL),
        "Trace - 0x00000000000000000000000000000001 "
        "(2014-11-06 13:01:23.400000 UTC, 2014-11-06 13:01:24.400000 UTC)\n"
        "    Span - late [id: 00000003 parent 00000001] (4s, 5s: 1s)\n");
}
END_TEST

START_TEST(circles_are_cut_and_duplicates_dropped)
{
    const struct vrpc_vtrace_node *root, *n;
    int seen = 0;

    add(2, 1, "root", 0, 1);
    add(3, 3, "self", 0, 1);
    add(4, 5, "one", 0, 1);
    add(5, 6, "two", 0, 1);
    add(6, 4, "three", 0, 1);
    add(2, 2, "again", 0, 1);
    add(7, 6, "hangs on", 0, 1);
    ck_assert_int_eq(vrpc_vtrace_tree(&trace, &a, &root), 0);

    for (n = root; n != NULL; n = vrpc_vtrace_node_next(n)) {
        seen += !n->missing;
        ck_assert(!vdl_str_is(n->span->name, "again"));
        ck_assert_int_lt(seen, 7);
    }
    ck_assert_int_eq(seen, 6);
}
END_TEST

START_TEST(a_deep_tree_costs_no_stack_and_little_text)
{
    enum { N = 20000 };
    v23_vtrace_span_record *v = calloc(N, sizeof(*v));
    int i;

    ck_assert_ptr_nonnull(v);
    for (i = 0; i < N; i++) {
        v[i].id.v[13] = (uint8_t)(i / 256);
        v[i].id.v[14] = (uint8_t)i;
        v[i].id.v[0] = 7;
        if (i > 0)
            v[i].parent = v[i - 1].id;
    }
    v[0].parent = trace.id;
    trace.spans.v = v;
    trace.spans.n = N;
    (void)text(NULL);

    ck_assert_uint_lt(out.n, N * 500u);
    free(v);
}
END_TEST

START_TEST(what_strangers_wrote_is_harmless)
{
    v23_vtrace_annotation note = { at(1), VDL_STR_INIT("a\nb\033[2J\n") };
    v23_vtrace_span_record *s;

    add(2, 1, "", 0, -1);
    s = add(3, 2, "x\n\ty", 0, 1);
    s->end.seconds = INT64_MAX;
    s->annotations.v = &note;
    s->annotations.n = 1;
    spans[0].start.seconds = 1;
    spans[0].start.nanos = 0;
    s->start.seconds = -5;
    s->start.nanos = INT32_MIN;

    ck_assert_ptr_nonnull(strstr(text(NULL),
        "    Span - x  y [id: 00000003 parent 00000002] ("));
    ck_assert_ptr_nonnull(strstr((char *)out.p, "a\n            b [2J \n"));
}
END_TEST

static void east(struct v23_walltime w, struct vrpc_zone *z)
{
    (void)w;
    z->offset_s = 5400;
    snprintf(z->name, sizeof(z->name), "XYZ");
}

START_TEST(times_are_those_of_the_zone)
{
    add(2, 1, "", 0, -1);
    ck_assert_ptr_nonnull(strstr(text(east), "14:31:22.400000 XYZ"));
}
END_TEST

START_TEST(the_local_zone_is_that_of_the_environment)
{
    struct v23_walltime w = { 1415278882, 0 };
    struct vrpc_zone z;

    ck_assert_int_eq(setenv("TZ", "ABC-3:30", 1), 0);
    tzset();
    vrpc_zone_local(w, &z);
    ck_assert_int_eq(z.offset_s, 12600);
    ck_assert_str_eq(z.name, "ABC");
    ck_assert_int_eq(setenv("TZ", "DEF5:15", 1), 0);
    tzset();
    vrpc_zone_local(w, &z);
    ck_assert_int_eq(z.offset_s, -18900);
    unsetenv("TZ");
}
END_TEST

START_TEST(all_traces_have_a_heading)
{
    v23_vtrace_trace_record two[2];

    memset(two, 0, sizeof(two));
    two[1].id.v[15] = 2;
    ck_assert_int_eq(vrpc_vtrace_put_all(&out, two, 0, NULL, &a), 0);
    ck_assert_uint_eq(out.n, 0);
    ck_assert_int_eq(vrpc_vtrace_put_all(&out, two, 2, NULL, &a), 0);
    ck_assert_str_eq(v23_buf_cstr(&out),
        "Vtrace traces:\n"
        "Trace - 0x00000000000000000000000000000000 (??, ?\?)\n"
        "Trace - 0x00000000000000000000000000000002 (??, ?\?)\n");
}
END_TEST

static int build(const struct v23_alloc *al, void *ud)
{
    const struct vrpc_vtrace_node *root;
    struct v23_arena b;
    int rc;

    (void)ud;
    v23_arena_init_small(&b, al, SIZE_MAX, 64);
    rc = vrpc_vtrace_tree(&trace, &b, &root);
    v23_arena_fini(&b);
    return rc;
}

START_TEST(trees_survive_a_lack_of_memory)
{
    add(3, 2, "b", 1, 2);
    add(4, 4, "c", 1, 2);
    tst_out_of_memory(build, NULL);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, text_is_that_of_the_reference);
    tcase_add_test(tc, spans_of_unknown_parents_are_below_missing_data);
    tcase_add_test(tc, missing_data_is_in_the_order_of_its_spans);
    tcase_add_test(tc, a_missing_root_is_invented);
    tcase_add_test(tc, an_empty_trace_has_a_line);
    tcase_add_test(tc, of_several_roots_the_others_are_children);
    tcase_add_test(tc, circles_are_cut_and_duplicates_dropped);
    tcase_add_test(tc, a_deep_tree_costs_no_stack_and_little_text);
    tcase_add_test(tc, what_strangers_wrote_is_harmless);
    tcase_add_test(tc, times_are_those_of_the_zone);
    tcase_add_test(tc, the_local_zone_is_that_of_the_environment);
    tcase_add_test(tc, all_traces_have_a_heading);
    tcase_add_test(tc, trees_survive_a_lack_of_memory);
}

int main(void)
{
    return tst_run_case("librpc/vtrace_text", fill, setup, teardown);
}

/* BSD-3-Clause; see LICENSE. */
/* Spans and their store by themselves. */
#include <suite.h>
#include <support.h>

#include <pthread.h>
#include <stdlib.h>

#include <vom/time.h>
#include <vrpc/vtrace.h>

#include "../src/vtrace_int.h"

static struct tst_alloc t;
static struct v23_arena a;
static struct vrpc_vtrace_config cfg;
static struct vrpc_vtrace *v;
static int64_t now_s;
static uint32_t draws; /* of random bytes */
static uint32_t lot;   /* what four of them are; 0 = the number of the draw */

static void clock_now(void *ud, struct v23_now *out)
{
    (void)ud;
    memset(out, 0, sizeof(*out));
    out->wall.sec = now_s;
}

static int draw(void *ud, void *p, size_t n)
{
    (void)ud;
    draws++;
    memset(p, (int)draws, n);
    if (n == sizeof(lot) && lot != 0)
        memcpy(p, &lot, n);
    return 0;
}

static bool has_magic(void *ud, struct vdl_str text)
{
    (void)ud;
    return text.n >= 5 && memcmp(text.p, "magic", 5) == 0;
}

static void make(void)
{
    ck_assert_int_eq(vrpc_vtrace_new(&cfg, &v), 0);
}

static void setup(void)
{
    tst_alloc_init(&t);
    v23_arena_init(&a, NULL, SIZE_MAX);
    memset(&cfg, 0, sizeof(cfg));
    cfg.al = &t.al;
    cfg.now = clock_now;
    cfg.random = draw;
    v = NULL;
    now_s = 1000;
    draws = lot = 0;
}

static void teardown(void)
{
    v23_arena_fini(&a);
    vrpc_vtrace_free(v);
    ck_assert_uint_eq(t.live, 0);
}

static v23_vtrace_trace_record get(const struct vrpc_span *s)
{
    v23_vtrace_trace_record r;

    memset(&r, 0, sizeof(r));
    ck_assert_int_eq(vrpc_vtrace_get(v, &s->trace, &a, &r), 0);
    return r;
}

static bool same(const v23_uniqueid_id *x, const v23_uniqueid_id *y)
{
    return memcmp(x->v, y->v, sizeof(x->v)) == 0;
}

/* ---- what is collected --------------------------------------------------- */

START_TEST(nothing_is_collected_unless_asked_for)
{
    struct vrpc_span s, c;
    size_t before;

    make();
    before = t.calls;
    vrpc_span_begin_trace(&s, v, vdl_str("root"));
    vrpc_span_begin(&c, &s, vdl_str("child"));
    vrpc_span_annotate(&c, vdl_str("note"));
    vrpc_span_annotatef(&c, "%s", "note");
    vrpc_span_end(&c);
    vrpc_span_end(&s);

    ck_assert_uint_eq(t.calls, before);
    ck_assert(!vrpc_span_collected(&c));
    ck_assert_uint_eq(vrpc_vtrace_count(v), 0);
    ck_assert(same(&s.trace, &s.parent) && !same(&s.trace, &s.id));
    ck_assert(same(&c.trace, &s.trace) && same(&c.parent, &s.id));
}
END_TEST

START_TEST(a_forced_trace_has_spans_and_annotations)
{
    struct vrpc_span s, c;
    v23_vtrace_trace_record r;
    uint8_t meta[] = { 1, 2 };

    make();
    vrpc_span_begin_trace(&s, v, vdl_str("root"));
    vrpc_span_force(&s, 0);
    now_s += 5;
    s.metadata = vdl_bytes(meta, 2);
    vrpc_span_begin(&c, &s, vdl_str("child"));
    now_s += 2;
    vrpc_span_annotatef(&c, "note %d", 7);
    now_s += 1;
    vrpc_span_end(&c);
    r = get(&c);

    ck_assert_uint_eq(r.spans.n, 2);
    ck_assert(vdl_str_is(r.spans.v[0].name, "root"));
    ck_assert(same(&r.spans.v[0].parent, &r.id));
    ck_assert_int_eq(r.spans.v[0].end.seconds, 0);
    ck_assert(vdl_str_is(r.spans.v[1].name, "child"));
    ck_assert(same(&r.spans.v[1].parent, &r.spans.v[0].id));
    ck_assert_int_eq(v23_time_to_wall(r.spans.v[1].start).sec, 1005);
    ck_assert_int_eq(v23_time_to_wall(r.spans.v[1].end).sec, 1008);
    ck_assert_uint_eq(r.spans.v[1].annotations.n, 1);
    ck_assert(vdl_str_is(r.spans.v[1].annotations.v[0].message, "note 7"));
    ck_assert_int_eq(
        v23_time_to_wall(r.spans.v[1].annotations.v[0].when).sec, 1007);
}
END_TEST

START_TEST(a_span_that_began_before_is_kept_with_its_name)
{
    struct vrpc_span s, c;
    v23_vtrace_trace_record r;

    make();
    vrpc_span_begin_trace(&s, v, vdl_str("root"));
    vrpc_span_begin(&c, &s, vdl_str("child"));
    vrpc_span_force(&s, 0);
    vrpc_span_end(&c);
    r = get(&s);

    ck_assert_uint_eq(r.spans.n, 2);
    ck_assert(vdl_str_is(r.spans.v[1].name, "child"));
}
END_TEST

START_TEST(roots_are_sampled_at_the_rate)
{
    struct vrpc_span s, c;

    cfg.sample_rate = 0.25;
    make();
    lot = UINT32_MAX / 4 + 2;
    vrpc_span_begin_trace(&s, v, vdl_str("too high"));
    vrpc_span_begin(&c, &s, vdl_str("no root"));
    ck_assert_uint_eq(vrpc_vtrace_count(v), 0);
    lot = UINT32_MAX / 4 - 2;
    vrpc_span_begin(&c, &s, vdl_str("no root"));
    ck_assert_uint_eq(vrpc_vtrace_count(v), 0);
    vrpc_span_begin_trace(&s, v, vdl_str("low enough"));
    ck_assert_uint_eq(vrpc_vtrace_count(v), 1);
    ck_assert(vrpc_span_collected(&s));
}
END_TEST

START_TEST(a_rate_of_one_draws_no_lots)
{
    struct vrpc_span s;
    uint32_t before;

    cfg.sample_rate = 1;
    make();
    vrpc_span_begin_trace(&s, v, vdl_str("first"));
    before = draws;
    vrpc_span_begin_trace(&s, v, vdl_str("second"));
    ck_assert_uint_eq(draws, before);
    ck_assert_uint_eq(vrpc_vtrace_count(v), 2);
}
END_TEST

START_TEST(names_and_annotations_that_match_are_collected)
{
    struct vrpc_span s, c;

    cfg.match = has_magic;
    make();
    vrpc_span_begin_trace(&s, v, vdl_str("plain"));
    vrpc_span_begin(&c, &s, vdl_str("child"));
    vrpc_span_annotate(&c, vdl_str("nothing"));
    ck_assert(!vrpc_span_collected(&c));
    vrpc_span_annotatef(&c, "mag%s", "ic");
    ck_assert(vrpc_span_collected(&c));
    ck_assert_uint_eq(get(&c).spans.n, 1); /* what was before is lost */
    vrpc_span_begin_trace(&s, v, vdl_str("magic root"));
    ck_assert(vrpc_span_collected(&s));
}
END_TEST

START_TEST(log_lines_are_kept_up_to_the_level)
{
    struct vrpc_span s;

    make();
    vrpc_span_begin_trace(&s, v, vdl_str("root"));
    vrpc_span_logf(&s, NULL, V23_LOG_ERROR, "not yet");
    vrpc_span_force(&s, 1);
    vrpc_span_force(&s, 2); /* the first one counts */
    vrpc_span_logf(&s, NULL, V23_LOG_WARN, "warning");
    vrpc_span_logf(&s, NULL, V23_LOG_INFO, "information");
    vrpc_span_logf(&s, NULL, V23_LOG_DEBUG, "details");
    ck_assert_uint_eq(get(&s).spans.v[0].annotations.n, 2);
}
END_TEST

static int logged;

static void write_log(void *ud, enum v23_log_level level, const char *text)
{
    (void)ud;
    ck_assert_int_eq(level, V23_LOG_WARN);
    ck_assert_str_eq(text, "line 3");
    logged++;
}

START_TEST(log_lines_are_logged_without_a_store_too)
{
    const struct v23_log log = { write_log, NULL, V23_LOG_WARN };
    struct vrpc_span s = { .store = NULL };

    logged = 0;
    vrpc_span_logf(&s, &log, V23_LOG_WARN, "line %d", 3);
    vrpc_span_logf(NULL, &log, V23_LOG_WARN, "line %d", 3);
    vrpc_span_logf(&s, &log, V23_LOG_INFO, "line %d", 4);
    ck_assert_int_eq(logged, 2);
}
END_TEST

/* ---- limits -------------------------------------------------------------- */

START_TEST(the_least_recently_used_trace_goes_first)
{
    struct vrpc_span s[4];
    const v23_uniqueid_id *ids;
    size_t i, n;

    cfg.sample_rate = 1;
    cfg.max_traces = 3;
    make();
    for (i = 0; i < 3; i++)
        vrpc_span_begin_trace(&s[i], v, vdl_str("x"));
    vrpc_span_annotate(&s[0], vdl_str("used"));
    vrpc_span_begin_trace(&s[3], v, vdl_str("x"));

    ck_assert(!vrpc_span_collected(&s[1]));
    ck_assert_int_eq(vrpc_vtrace_ids(v, &a, &ids, &n), 0);
    ck_assert_uint_eq(n, 3);
    ck_assert(same(&ids[0], &s[2].trace));
    ck_assert(same(&ids[1], &s[0].trace));
    ck_assert(same(&ids[2], &s[3].trace));
}
END_TEST

START_TEST(spans_annotations_and_bytes_of_a_trace_are_bounded)
{
    struct vrpc_span root, s;
    char big[6000];
    int i;

    cfg.sample_rate = 1;
    cfg.max_spans = 10;
    cfg.max_annotations = 20;
    make();
    vrpc_span_begin_trace(&root, v, vdl_str("x"));
    memset(big, 'x', sizeof(big));
    for (i = 0; i < 50; i++) {
        vrpc_span_begin(&s, &root, vdl_str("y"));
        vrpc_span_annotate(&root, vdl_strn(big, sizeof(big)));
    }
    ck_assert_uint_eq(get(&root).spans.n, 10);
    ck_assert_uint_eq(get(&root).spans.v[0].annotations.n, 20);
    ck_assert_uint_eq(get(&root).spans.v[0].annotations.v[0].message.n, 4096);
    vrpc_vtrace_free(v);

    cfg.max_spans = cfg.max_annotations = 1000;
    cfg.trace_bytes = 10000;
    make();
    vrpc_span_begin_trace(&root, v, vdl_str("x"));
    for (i = 0; i < 50; i++)
        vrpc_span_annotate(&root, vdl_strn(big, 900));
    ck_assert_uint_eq(get(&root).spans.v[0].annotations.n, 10);
    ck_assert_uint_lt(t.bytes, 13000);
}
END_TEST

START_TEST(bytes_of_all_traces_are_bounded)
{
    struct vrpc_span s[40];
    char big[4000];
    int i;

    cfg.sample_rate = 1;
    cfg.bytes = 50000;
    make();
    memset(big, 'x', sizeof(big));
    for (i = 0; i < 40; i++) {
        vrpc_span_begin_trace(&s[i], v, vdl_str("x"));
        vrpc_span_annotate(&s[i], vdl_strn(big, sizeof(big)));
        ck_assert_uint_lt(t.bytes, 60000);
    }
    ck_assert(vrpc_span_collected(&s[39]) && vrpc_span_collected(&s[30]));
    ck_assert(!vrpc_span_collected(&s[0]));
    ck_assert_uint_eq(get(&s[39]).spans.v[0].annotations.n, 1);
}
END_TEST

/* ---- merging ------------------------------------------------------------- */

static v23_vtrace_response response(const v23_uniqueid_id *trace,
    v23_vtrace_span_record *spans, uint32_t n, int32_t flags)
{
    v23_vtrace_response r;

    memset(&r, 0, sizeof(r));
    r.flags = flags;
    r.trace.id = *trace;
    r.trace.spans.v = spans;
    r.trace.spans.n = n;
    return r;
}

START_TEST(merging_adds_what_is_not_known)
{
    v23_vtrace_annotation note = { { 5, 0 }, VDL_STR_INIT("theirs") };
    v23_vtrace_span_record spans[3];
    v23_vtrace_trace_record got;
    v23_vtrace_response r;
    struct vrpc_span s;

    make();
    vrpc_span_begin_trace(&s, v, vdl_str("root"));
    vrpc_span_force(&s, 0);
    memset(spans, 0, sizeof(spans));
    spans[0].id = s.id;
    spans[0].name = vdl_str("not mine");
    spans[1].id.v[0] = 1;
    spans[1].parent = s.id;
    spans[1].name = vdl_str("new");
    spans[1].end.seconds = 9;
    spans[1].annotations.v = &note;
    spans[1].annotations.n = 1;
    spans[2] = spans[1];
    r = response(&s.trace, spans, 3, 0);
    vrpc_vtrace_merge(v, &r);
    got = get(&s);

    ck_assert_uint_eq(got.spans.n, 2);
    ck_assert(vdl_str_is(got.spans.v[0].name, "root"));
    ck_assert(vdl_str_is(got.spans.v[1].name, "new"));
    ck_assert_int_eq(got.spans.v[1].end.seconds, 9);
    ck_assert(vdl_str_is(got.spans.v[1].annotations.v[0].message, "theirs"));
}
END_TEST

START_TEST(merging_collects_only_if_the_flag_says_so)
{
    v23_vtrace_span_record span;
    v23_uniqueid_id id = { { 1 } };
    v23_vtrace_response r;

    make();
    memset(&span, 0, sizeof(span));
    r = response(&id, &span, 1, 0);
    vrpc_vtrace_merge(v, &r);
    ck_assert_uint_eq(vrpc_vtrace_count(v), 0);
    r.flags = V23_VTRACE_COLLECT_IN_MEMORY;
    vrpc_vtrace_merge(v, &r);
    ck_assert_uint_eq(vrpc_vtrace_count(v), 1);
}
END_TEST

START_TEST(a_hostile_response_is_bounded)
{
    enum { N = 100000 };
    v23_vtrace_span_record *spans = calloc(N, sizeof(*spans));
    v23_vtrace_annotation *notes = calloc(N, sizeof(*notes));
    v23_vtrace_response r;
    v23_vtrace_trace_record got;
    struct vrpc_span s;
    static char big[100000];
    uint32_t i;

    ck_assert(spans != NULL && notes != NULL);
    make();
    vrpc_span_begin_trace(&s, v, vdl_str("root"));
    vrpc_span_force(&s, 0);
    for (i = 0; i < N; i++) {
        spans[i].id.v[0] = (uint8_t)(i % 7 == 0 ? 1 : i);
        spans[i].id.v[1] = (uint8_t)(i >> 8);
        spans[i].parent = spans[i].id; /* circles */
        spans[i].name = vdl_strn(big, i % 3 == 0 ? sizeof(big) : 3);
        spans[i].annotations.v = notes;
        spans[i].annotations.n = N;
        notes[i].message = vdl_strn(big, sizeof(big));
    }
    r = response(&s.trace, spans, N, V23_VTRACE_COLLECT_IN_MEMORY);
    for (i = 0; i < 3; i++)
        vrpc_vtrace_merge(v, &r);
    got = get(&s);

    ck_assert_uint_le(got.spans.n, 1000);
    ck_assert_uint_lt(t.bytes, 300u << 10);
    for (i = 0; i < 1100; i++) { /* and of other traces */
        r.trace.id.v[0] = (uint8_t)i;
        r.trace.id.v[1] = (uint8_t)(i >> 8);
        vrpc_vtrace_merge(v, &r);
    }
    ck_assert_uint_le(vrpc_vtrace_count(v), 1024);
    ck_assert_uint_lt(t.bytes, 18u << 20);
    free(spans);
    free(notes);
}
END_TEST

/* ---- memory, threads, configuration -------------------------------------- */

static int short_of_memory(const struct v23_alloc *al, void *ud)
{
    struct vrpc_vtrace *w;
    struct vrpc_span s, c;
    v23_vtrace_trace_record r;
    struct v23_arena b;
    int rc;

    (void)ud;
    cfg.al = al;
    rc = vrpc_vtrace_new(&cfg, &w);
    if (rc != 0)
        return rc;
    v23_arena_init_small(&b, al, SIZE_MAX, 64);
    memset(&r, 0, sizeof(r));
    vrpc_span_begin_trace(&s, w, vdl_str("root"));
    vrpc_span_begin(&c, &s, vdl_str("child"));
    vrpc_span_annotate(&c, vdl_str("note"));
    vrpc_span_end(&c);
    rc = vrpc_vtrace_get(w, &s.trace, &b, &r);
    if (rc == V23_ENOENT || (rc == 0 && (r.spans.n < 2 ||
                                            r.spans.v[1].annotations.n < 1)))
        rc = V23_ENOMEM; /* lost for lack of memory, and nothing else */
    v23_arena_fini(&b);
    vrpc_vtrace_free(w);
    return rc;
}

START_TEST(a_lack_of_memory_loses_spans_only)
{
    cfg.sample_rate = 1;
    tst_out_of_memory(short_of_memory, NULL);
}
END_TEST

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void take(void *ud)
{
    (void)ud;
    pthread_mutex_lock(&mutex);
}

static void give(void *ud)
{
    (void)ud;
    pthread_mutex_unlock(&mutex);
}

static void fixed_now(void *ud, struct v23_now *out)
{
    (void)ud;
    memset(out, 0, sizeof(*out));
}

static int fixed_draw(void *ud, void *p, size_t n)
{
    (void)ud;
    memset(p, 7, n);
    return 0;
}

static void *busy(void *ud)
{
    struct vrpc_span s, c;
    int i;

    for (i = 0; i < 500; i++) {
        vrpc_span_begin_trace(&s, ud, vdl_str("root"));
        vrpc_span_begin(&c, &s, vdl_str("child"));
        vrpc_span_annotatef(&c, "%d", i);
        vrpc_span_end(&c);
        vrpc_span_end(&s);
    }
    return NULL;
}

START_TEST(threads_share_a_store_that_locks)
{
    pthread_t thread;

    if (tst_emulated("threads"))
        return;
    cfg.al = NULL; /* the counting one is of one thread */
    cfg.now = fixed_now;
    cfg.random = fixed_draw;
    cfg.lock = take;
    cfg.unlock = give;
    cfg.sample_rate = 1;
    cfg.max_traces = 100;
    make();
    ck_assert_int_eq(pthread_create(&thread, NULL, busy, v), 0);
    busy(v);
    pthread_join(thread, NULL);
    ck_assert_uint_eq(vrpc_vtrace_count(v), 100);
}
END_TEST

START_TEST(a_store_needs_hooks_and_a_rate)
{
    cfg.sample_rate = 1.5;
    ck_assert_int_eq(vrpc_vtrace_new(&cfg, &v), V23_EARG);
    cfg.sample_rate = 0;
    cfg.now = NULL;
    ck_assert_int_eq(vrpc_vtrace_new(&cfg, &v), V23_EARG);
    cfg.now = clock_now;
    cfg.random = NULL;
    ck_assert_int_eq(vrpc_vtrace_new(&cfg, &v), V23_EARG);
}
END_TEST

START_TEST(regular_expressions_match_anywhere)
{
    struct vrpc_vtrace_regexp *r = NULL;
    char why[128] = "";

    ck_assert_int_eq(vrpc_vtrace_regexp_new("b+c|^x", &r, why), 0);
    ck_assert(vrpc_vtrace_regexp_match(r, vdl_str("abbc")));
    ck_assert(!vrpc_vtrace_regexp_match(r, vdl_strn("abbc", 3)));
    ck_assert(!vrpc_vtrace_regexp_match(r, vdl_str("ax")));
    vrpc_vtrace_regexp_free(r);
    ck_assert_int_eq(vrpc_vtrace_regexp_new("a(b", &r, why), V23_ETEXT);
    ck_assert_str_ne(why, "");
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, nothing_is_collected_unless_asked_for);
    tcase_add_test(tc, a_forced_trace_has_spans_and_annotations);
    tcase_add_test(tc, a_span_that_began_before_is_kept_with_its_name);
    tcase_add_test(tc, roots_are_sampled_at_the_rate);
    tcase_add_test(tc, a_rate_of_one_draws_no_lots);
    tcase_add_test(tc, names_and_annotations_that_match_are_collected);
    tcase_add_test(tc, log_lines_are_kept_up_to_the_level);
    tcase_add_test(tc, log_lines_are_logged_without_a_store_too);
    tcase_add_test(tc, the_least_recently_used_trace_goes_first);
    tcase_add_test(tc, spans_annotations_and_bytes_of_a_trace_are_bounded);
    tcase_add_test(tc, bytes_of_all_traces_are_bounded);
    tcase_add_test(tc, merging_adds_what_is_not_known);
    tcase_add_test(tc, merging_collects_only_if_the_flag_says_so);
    tcase_add_test(tc, a_hostile_response_is_bounded);
    tcase_add_test(tc, a_lack_of_memory_loses_spans_only);
    tcase_add_test(tc, threads_share_a_store_that_locks);
    tcase_add_test(tc, a_store_needs_hooks_and_a_rate);
    tcase_add_test(tc, regular_expressions_match_anywhere);
}

int main(void)
{
    return tst_run_case("librpc/vtrace", fill, setup, teardown);
}

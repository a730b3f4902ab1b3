/* BSD-3-Clause; see LICENSE. */
/* What a host tells below __debug: logs in files, profiles, statistics of the
 * system. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <suite.h>
#include <support.h>
#include <vom/value.h>
#include <vrpc/debug_host.h>

static struct tst_alloc A;
static struct vrpc_log_dir *D;
static struct vrpc_logs L;
static char Top[64], Dir[80], Why[512];

static void put_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

static const char *at(const char *name)
{
    static char path[4][200];
    static int next;
    char *p = path[next++ % 4];

    snprintf(p, 200, "%s/%s", Top, name);
    return p;
}

/* top/logs/{a.log, sub/b.log, ok -> a.log, out -> ../secret, fifo}, next to it
 * top/secret and top/logs2/c.log. */
static void setup(void)
{
    tst_alloc_init(&A);
    snprintf(Top, sizeof(Top), "/tmp/logdirXXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(Top));
    snprintf(Dir, sizeof(Dir), "%s/logs", Top);
    ck_assert_int_eq(mkdir(Dir, 0700), 0);
    ck_assert_int_eq(mkdir(at("logs/sub"), 0700), 0);
    ck_assert_int_eq(mkdir(at("logs2"), 0700), 0);
    put_file(at("logs/a.log"), "one\ntwo\n");
    put_file(at("logs/sub/b.log"), "b\n");
    put_file(at("logs2/c.log"), "c\n");
    put_file(at("secret"), "secret\n");
    ck_assert_int_eq(symlink("a.log", at("logs/ok")), 0);
    ck_assert_int_eq(symlink("../secret", at("logs/out")), 0);
    ck_assert_int_eq(symlink("../logs2", at("logs/dir")), 0);
    ck_assert_int_eq(mkfifo(at("logs/fifo"), 0600), 0);
    ck_assert_int_eq(vrpc_log_dir_new(&A.al, vdl_str(Dir), &D), 0);
    L = vrpc_log_dir_logs(D);
}

static void teardown(void)
{
    static const char *const files[] = { "logs/a.log", "logs/sub/b.log",
        "logs2/c.log", "secret", "logs/ok", "logs/out", "logs/dir",
        "logs/fifo" };
    size_t i;

    vrpc_log_dir_free(D);
    for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        unlink(at(files[i]));
    rmdir(at("logs/sub"));
    rmdir(at("logs2"));
    rmdir(Dir);
    rmdir(Top);
    ck_assert_uint_eq(A.live, 0);
}

/* Size of a log, or the status. */
static int64_t size(const char *name)
{
    struct v23_buf why;
    int64_t n = -1;
    void *log;
    int rc;

    v23_buf_init_fixed(&why, Why, sizeof(Why) - 1);
    rc = L.ops->open(L.ud, vdl_str(name), &log, &why);
    if (rc == 0) {
        rc = L.ops->size(L.ud, log, &n, &why);
        L.ops->close(L.ud, log);
    }
    Why[why.n] = 0;
    return rc != 0 ? rc : n;
}

START_TEST(files_below_the_directory_are_logs)
{
    char text[16];
    struct v23_buf why;
    int64_t pos = 4;
    size_t got;
    void *log;

    ck_assert_int_eq(size("a.log"), 8);
    ck_assert_int_eq(size("sub/b.log"), 2);
    ck_assert_int_eq(size("./sub/../a.log"), 8);
    ck_assert_int_eq(size("ok"), 8);
    v23_buf_init_fixed(&why, Why, sizeof(Why));
    ck_assert_int_eq(L.ops->open(L.ud, vdl_str("a.log"), &log, &why), 0);
    ck_assert_int_eq(L.ops->read(L.ud, log, &pos, text, 16, &got), 0);
    ck_assert_uint_eq(got, 4);
    ck_assert_mem_eq(text, "two\n", 4);
    pos = INT64_MAX;
    ck_assert_int_eq(L.ops->read(L.ud, log, &pos, text, 16, &got), 0);
    ck_assert_uint_eq(got, 0);
    L.ops->close(L.ud, log);
}
END_TEST

START_TEST(names_that_lead_out_are_refused)
{
    static const char *const bad[] = { "..", "../secret", "../logs2/c.log",
        "sub/../../secret", "out", "dir/c.log", "dir", "a.log/../../secret" };
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_int_eq(size(bad[i]), V23_EARG);
        ck_assert_ptr_nonnull(strstr(Why, "outside of root directory"));
    }
}
END_TEST

START_TEST(what_is_no_file_is_no_log)
{
    char lengthy[5000];

    ck_assert_int_eq(size("fifo"), V23_EARG);
    ck_assert_int_eq(size(""), V23_EARG);
    ck_assert_int_eq(size("sub"), V23_EARG);
    ck_assert_ptr_nonnull(strstr(Why, "is a directory"));
    ck_assert_int_eq(size("none"), V23_ENOENT);
    ck_assert_int_eq(size("a.log/x"), V23_ENOENT);
    memset(lengthy, 'x', sizeof(lengthy) - 1);
    lengthy[sizeof(lengthy) - 1] = 0;
    ck_assert_int_eq(size(lengthy), V23_EARG);
}
END_TEST

static int note(void *arg, struct vdl_str child)
{
    int *n = arg;

    ck_assert_uint_gt(child.n, 0);
    ck_assert(!vdl_str_is(child, ".") && !vdl_str_is(child, ".."));
    ++*n;
    return 0;
}

START_TEST(directories_list_their_entries)
{
    struct v23_buf why;
    int n = 0;

    v23_buf_init_fixed(&why, Why, sizeof(Why));
    ck_assert_int_eq(L.ops->list(L.ud, vdl_str(""), &n, note, &why), 0);
    ck_assert_int_eq(n, 6);
    n = 0;
    ck_assert_int_eq(L.ops->list(L.ud, vdl_str("a.log"), &n, note, &why), 0);
    ck_assert_int_eq(n, 0);
    ck_assert_int_eq(L.ops->list(L.ud, vdl_str("dir"), &n, note, &why),
        V23_EARG);
    ck_assert_int_eq(L.ops->list(L.ud, vdl_str("none"), &n, note, &why),
        V23_ENOENT);
}
END_TEST

START_TEST(heap_profile_is_text_of_pprof)
{
    struct v23_buf out;

    v23_buf_init(&out, &A.al, 1u << 20);
    ck_assert_int_eq(vrpc_profiler_host.profile(NULL, vdl_str("heap"), 1,
                         &out), 0);
    ck_assert_ptr_nonnull(strstr(v23_buf_cstr(&out), "heap profile: 1: "));
    ck_assert_ptr_nonnull(strstr(v23_buf_cstr(&out), "MAPPED_LIBRARIES:"));
    ck_assert_int_eq(vrpc_profiler_host.profile(NULL, vdl_str("x"), 1, &out),
        V23_ENOENT);
    v23_buf_fini(&out);
}
END_TEST

START_TEST(cpu_profile_has_the_format_of_gperftools)
{
    struct v23_buf out;
    uintptr_t w[5];
    clock_t until;

    if (vrpc_profiler_host.cpu_start == NULL ||
        tst_emulated("a CPU profile"))
        return;
    ck_assert_int_eq(vrpc_profiler_host.cpu_start(NULL), 0);
    ck_assert_int_eq(vrpc_profiler_host.cpu_start(NULL), V23_ESTATE);
    for (until = clock() + CLOCKS_PER_SEC / 10; clock() < until;)
        ;
    v23_buf_init(&out, &A.al, 1u << 20);
    ck_assert_int_eq(vrpc_profiler_host.cpu_stop(NULL, &out), 0);
    ck_assert_uint_gt(out.n, sizeof(w));
    memcpy(w, out.p, sizeof(w));
    ck_assert_uint_eq(w[0], 0);
    ck_assert_uint_eq(w[1], 3);
    ck_assert_uint_eq(w[3], 10000);
    /* A sample: how often, and how deep. */
    memcpy(w, out.p + sizeof(w), 2 * sizeof(w[0]));
    ck_assert_uint_ge(w[0], 1);
    ck_assert_uint_ge(w[1], 1);
    ck_assert_int_eq(vrpc_profiler_host.cpu_start(NULL), 0);
    ck_assert_int_eq(vrpc_profiler_host.cpu_stop(NULL, NULL), 0);
    v23_buf_fini(&out);
}
END_TEST

START_TEST(system_statistics_have_their_types)
{
    static const struct {
        const char *name;
        const struct vdl_type *type;
    } want[] = { { "system/pid", &vdl_int64_desc },
        { "system/num-cpu", &vdl_int64_desc },
        { "system/start-time-unix", &vdl_int64_desc },
        { "system/start-time-rfc1123", &vdl_string_desc },
        { "system/hostname", &vdl_string_desc },
        { "system/cmdline", &vdl_string_desc },
        { "system/memstats/HeapAlloc", &vdl_int64_desc },
        { "system/metadata/v23.RPCVersionMax", &vdl_string_desc } };
    struct vrpc_stats_config cfg = { &A.al, 0, NULL, NULL, NULL };
    struct v23_now now = { 1, { 1700000000, 0 } };
    struct vrpc_stats *t;
    struct v23_arena a;
    struct vdl_any v;
    size_t i;

    setenv("TEST_DEBUG_VARIABLE", "shown", 1);
    v23_arena_init(&a, &A.al, SIZE_MAX);
    ck_assert_int_eq(vrpc_stats_new(&cfg, &now, &t), 0);
    ck_assert_int_eq(vrpc_stats_system(t, VRPC_SYSTEM_DEFAULT, &now), 0);
    for (i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        ck_assert_int_eq(vrpc_stats_value(t, vdl_str(want[i].name), &now, &a,
                             &v), 0);
        ck_assert_ptr_eq(v.type, want[i].type);
    }
    ck_assert_int_eq(vrpc_stats_value(t,
                         vdl_str("system/environ/TEST_DEBUG_VARIABLE"), &now,
                         &a, &v), V23_ENOENT);
    vrpc_stats_free(t);
    ck_assert_int_eq(vrpc_stats_new(&cfg, &now, &t), 0);
    ck_assert_int_eq(vrpc_stats_system(t, VRPC_SYSTEM_ENVIRON, &now), 0);
    ck_assert_int_eq(vrpc_stats_value(t,
                         vdl_str("system/environ/TEST_DEBUG_VARIABLE"), &now,
                         &a, &v), 0);
    ck_assert(vdl_str_is(*(const struct vdl_str *)v.val, "shown"));
    vrpc_stats_free(t);
    v23_arena_fini(&a);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, files_below_the_directory_are_logs);
    tcase_add_test(tc, names_that_lead_out_are_refused);
    tcase_add_test(tc, what_is_no_file_is_no_log);
    tcase_add_test(tc, directories_list_their_entries);
    tcase_add_test(tc, heap_profile_is_text_of_pprof);
    tcase_add_test(tc, cpu_profile_has_the_format_of_gperftools);
    tcase_add_test(tc, system_statistics_have_their_types);
}

int main(void)
{
    return tst_run_case("librpc/ev_debug", fill, setup, teardown);
}

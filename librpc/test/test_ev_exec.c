/* BSD-3-Clause; see LICENSE. */
/* Parents and children of the exec protocol: real processes. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include <suite.h>
#include <support.h>
#include <v23/time.h>
#include <vrpc/exec.h>

static struct tst_alloc mem;
static struct event_base *base;
static struct vrpc_exec_config config;
static struct vrpc_exec_parent *parent;
static char self[4096]; /* this program */

static void setup(void)
{
    tst_alloc_init(&mem);
    base = event_base_new();
    vrpc_exec_config_init(&config, &mem.al);
    parent = NULL;
}

static void teardown(void)
{
    vrpc_exec_free(parent);
    vrpc_exec_config_fini(&config);
    event_base_free(base);
    ck_assert_uint_eq(mem.live, 0);
}

/* ---- the child ----------------------------------------------------------- */

/* What the exit code says of the error. */
static const struct {
    bool (*is)(const struct v23_verror *e);
    int code;
} codes[] = {
    { v23_exec_err_err_no_version_is, 10 },
    { v23_exec_err_err_unsupported_version_is, 11 },
    { v23_exec_err_err_auth_timeout_is, 12 },
    { v23_exec_err_err_secret_too_large_is, 13 },
    { v23_exec_err_partial_read_is, 14 },
    { v23_exec_err_err_different_status_sent_is, 15 },
};

static int code_of(const struct v23_verror *e)
{
    size_t i;

    if (e == NULL)
        return 0;
    for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (codes[i].is(e))
            return codes[i].code;
    return vdl_str_is(e->id, "v.io/v23/verror.BadArg") ? 20 : 21;
}

/* Checks what it is told, and does what it is told to. */
static int child(const char *what, int64_t timeout)
{
    struct vrpc_exec_child c;
    const struct v23_verror *e;
    struct v23_arena a;
    const char *k;
    int rc;

    v23_arena_init(&a, NULL, SIZE_MAX);
    e = vrpc_exec_child_init(&c, timeout, &a);
    rc = code_of(e);
    if (rc == 0) {
        k = vrpc_exec_config_get(&c.config, "k");
        if (k == NULL || strcmp(k, "v") != 0
            || !(c.secret.n == 0 || vdl_bytes_eq(c.secret,
                     vdl_bytes((const uint8_t *)"secret", 6)))
            || getenv("V23_EXEC_VERSION") != NULL)
            rc = 30;
    }
    if (rc == 0 && strcmp(what, "ready") == 0)
        rc = code_of(vrpc_exec_child_report(&c, NULL, &a));
    else if (rc == 0 && strcmp(what, "failed") == 0)
        rc = code_of(vrpc_exec_child_report(&c, "no \xff room", &a));
    if (rc == 0 && strcmp(what, "twice") == 0) {
        rc = code_of(vrpc_exec_child_report(&c, NULL, &a));
        if (rc == 0)
            rc = code_of(vrpc_exec_child_report(&c, NULL, &a));
        if (rc == 0)
            rc = code_of(vrpc_exec_child_report(&c, "after all", &a));
    }
    vrpc_exec_child_fini(&c);
    v23_arena_fini(&a);
    return rc;
}

/* ---- the parent ---------------------------------------------------------- */

static char *argv_of[8];

static char *const *args(const char *a, const char *b, const char *c,
    const char *d)
{
    const char *const all[] = { a, b, c, d, NULL };

    memcpy(argv_of, all, sizeof(all));
    return argv_of;
}

static int start_with(enum vrpc_exec_form form, char *const *argv,
    const int *files, size_t nfiles)
{
    struct vrpc_exec_options opt;

    memset(&opt, 0, sizeof(opt));
    opt.base = base;
    opt.al = &mem.al;
    opt.argv = argv;
    opt.form = form;
    opt.config = &config;
    opt.secret = v23_bytes("secret", form == VRPC_EXEC_PIPES ? 6 : 0);
    opt.files = files;
    opt.nfiles = nfiles;
    return vrpc_exec_start(&opt, &parent);
}

static void start(enum vrpc_exec_form form, char *const *argv)
{
    ck_assert_int_eq(start_with(form, argv, NULL, 0), 0);
}

/* As in a real program: the child's log goes there, too. */
static void start_shell(const char *script)
{
    start(VRPC_EXEC_PIPES, args("sh", "-c", script, NULL));
}

static void tell_k(void)
{
    ck_assert_int_eq(
        vrpc_exec_config_set(&config, vdl_str("k"), vdl_str("v")), 0);
}

static char ready_text[128]; /* "ready PID", or an error's text */

static void on_ready(void *ud, const struct v23_verror *err, int64_t pid)
{
    (void)ud;
    if (err == NULL)
        snprintf(ready_text, sizeof(ready_text), "ready %lld",
            (long long)pid);
    else
        snprintf(ready_text, sizeof(ready_text), "%.*s", (int)err->id.n,
            err->id.p);
    if (err != NULL && v23_exec_err_err_failed_status_is(err))
        snprintf(ready_text, sizeof(ready_text), "%.*s", (int)err->msg.n,
            err->msg.p);
    event_base_loopbreak(base);
}

static const char *wait_ready(int64_t timeout)
{
    ready_text[0] = 0;
    vrpc_exec_wait_ready(parent, timeout, on_ready, NULL);
    ck_assert_str_eq(ready_text, ""); /* never before it returns */
    event_base_dispatch(base);
    return ready_text + (strncmp(ready_text, "v.io/x/ref/lib/exec.", 20) == 0
            ? 20 : 0);
}

static int end_code; /* exit code; 128 and a signal; -1: ErrTimeout */

static void on_end(void *ud, const struct v23_verror *err, int status)
{
    (void)ud;
    end_code = err != NULL ? -1
        : WIFEXITED(status) ? WEXITSTATUS(status)
                            : 128 + WTERMSIG(status);
    event_base_loopbreak(base);
}

static int wait_end(int64_t timeout)
{
    vrpc_exec_wait_end(parent, timeout, on_end, NULL);
    event_base_dispatch(base);
    return end_code;
}

static const char *expect_ready(void)
{
    static char text[64];

    snprintf(text, sizeof(text), "ready %lld",
        (long long)vrpc_exec_pid(parent));
    return text;
}

/* ---- tests --------------------------------------------------------------- */

START_TEST(a_child_is_told_and_reports)
{
    tell_k();
    start(VRPC_EXEC_PIPES, args(self, "child", "ready", NULL));
    ck_assert_str_eq(wait_ready(20 * V23_NS_PER_SEC), expect_ready());
    ck_assert_str_eq(wait_ready(0), expect_ready()); /* asked again */
    ck_assert_int_eq(wait_end(V23_NEVER), 0);
    ck_assert_int_eq(wait_end(V23_NEVER), 0);
}
END_TEST

START_TEST(a_child_may_fail)
{
    tell_k();
    start(VRPC_EXEC_PIPES, args(self, "child", "failed", NULL));
    ck_assert_str_eq(wait_ready(20 * V23_NS_PER_SEC),
        "the child failed to start: no \xef\xbf\xbd room");
    ck_assert_int_eq(wait_end(V23_NEVER), 0);
}
END_TEST

START_TEST(a_child_reports_once)
{
    tell_k();
    start(VRPC_EXEC_PIPES, args(self, "child", "twice", NULL));
    ck_assert_str_eq(wait_ready(20 * V23_NS_PER_SEC), expect_ready());
    ck_assert_int_eq(wait_end(V23_NEVER), 15);
}
END_TEST

START_TEST(a_child_may_be_silent)
{
    struct v23_arena a;

    v23_arena_init(&a, &mem.al, SIZE_MAX);
    start_shell("exec sleep 100");
    ck_assert_str_eq(wait_ready(V23_NS_PER_MS), "ErrTimeout");
    ck_assert_int_eq(wait_end(V23_NS_PER_MS), -1);
    ck_assert_ptr_null(vrpc_exec_signal(parent, 0, &a));
    ck_assert_ptr_null(vrpc_exec_signal(parent, SIGKILL, &a));
    ck_assert_int_eq(wait_end(V23_NEVER), 128 + SIGKILL);
    ck_assert(v23_exec_err_err_no_such_process_is(
        vrpc_exec_signal(parent, 0, &a)));
    ck_assert_str_eq(wait_ready(20 * V23_NS_PER_SEC), "errUnrecognizedStatus");
    v23_arena_fini(&a);
}
END_TEST

START_TEST(odd_reports_are_told)
{
    static const char *const odd[] = { "exit 0", "printf 'ready::5' >&4",
        "exec 4>&-; exec sleep 100", "printf 'nonsense\\377' >&4",
        "printf '\\377' >&4; exec sleep 100",
        "head -c 300000 /dev/zero >&4; exec sleep 100" };
    struct v23_arena a;
    const char *got;
    size_t i;

    for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        start_shell(odd[i]);
        got = wait_ready(20 * V23_NS_PER_SEC);
        /* Whoever has gone may have done so before it was told anything. */
        ck_assert_msg(strcmp(got, "errUnrecognizedStatus") == 0
                || (i < 2 && strcmp(got, "errPartialWrite") == 0), "%s: %s",
            odd[i], got);
        v23_arena_init(&a, &mem.al, SIZE_MAX);
        (void)vrpc_exec_signal(parent, SIGKILL, &a);
        v23_arena_fini(&a);
        (void)wait_end(V23_NEVER);
        vrpc_exec_free(parent);
        parent = NULL;
    }
}
END_TEST

START_TEST(what_follows_the_report_is_ignored)
{
    start_shell("printf 'ready::17\\377failed::x\\377' >&4");
    ck_assert_str_eq(wait_ready(20 * V23_NS_PER_SEC), "ready 17");
    (void)wait_end(V23_NEVER);
}
END_TEST

START_TEST(a_child_need_not_take_its_configuration)
{
    char *big = malloc(900000);

    memset(big, 'x', 900000);
    ck_assert_int_eq(vrpc_exec_config_set(&config, vdl_str("k"),
                         vdl_strn(big, 900000)),
        0);
    free(big);
    start_shell("exec 3<&-; exec 4>&-");
    ck_assert_str_eq(wait_ready(20 * V23_NS_PER_SEC), "errPartialWrite");
    (void)wait_end(V23_NEVER);
}
END_TEST

START_TEST(the_environment_tells_without_a_report)
{
    tell_k();
    start(VRPC_EXEC_ENVIRONMENT, args(self, "child", "ready", NULL));
    ck_assert_str_eq(wait_ready(20 * V23_NS_PER_SEC), "ErrNotUsingProtocol");
    ck_assert_int_eq(wait_end(V23_NEVER), 0);
}
END_TEST

START_TEST(nobody_may_have_told_anything)
{
    tell_k();
    start(VRPC_EXEC_NONE, args(self, "child", "ready", NULL));
    ck_assert_int_eq(wait_end(V23_NEVER), 10);
}
END_TEST

START_TEST(programs_that_cannot_be_run_are_told_at_once)
{
    ck_assert_int_eq(start_with(VRPC_EXEC_PIPES,
                         args("/no/such/program", NULL, NULL, NULL), NULL, 0),
        V23_ESYS);
    ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(files_are_handed_on)
{
    int p[2];
    char got[8];

    ck_assert_int_eq(pipe(p), 0);
    ck_assert_int_eq(start_with(VRPC_EXEC_PIPES,
                         args("sh", "-c", "printf hello >&5", NULL), p + 1, 1),
        0);
    close(p[1]);
    ck_assert_int_eq(wait_end(V23_NEVER), 0);
    ck_assert_int_eq(read(p[0], got, sizeof(got)), 5);
    close(p[0]);
}
END_TEST

/* A child whose parent writes these bytes, and then closes the pipe or not. */
static int child_of_hostile(const char *version, struct v23_bytes bytes,
    bool open)
{
    char script[256];
    int data[2], report[2], files[2], code;

    ck_assert_int_eq(pipe(data), 0);
    ck_assert_int_eq(pipe(report), 0);
    ck_assert_int_eq(write(data[1], bytes.p, bytes.n), (ssize_t)bytes.n);
    if (!open)
        close(data[1]);
    files[0] = data[0];
    files[1] = report[1];
    snprintf(script, sizeof(script), "%sexec \"$0\" child %s", version,
        open ? "short" : "ready");
    ck_assert_int_eq(start_with(VRPC_EXEC_NONE,
                         args("sh", "-c", script, self), files, 2),
        0);
    code = wait_end(V23_NEVER);
    close(data[0]);
    if (open)
        close(data[1]);
    close(report[0]);
    close(report[1]);
    vrpc_exec_free(parent);
    parent = NULL;
    return code;
}

START_TEST(a_child_does_not_believe_its_parent)
{
    static const char v1[] = "export V23_EXEC_VERSION=1.0.0; ";

    ck_assert_int_eq(child_of_hostile("export V23_EXEC_VERSION=2.0.0; ",
                         hex(""), false),
        11);
    ck_assert_int_eq(child_of_hostile("export V23_EXEC_CONFIG=x; ", hex(""),
                         false),
        20);
    ck_assert_int_eq(child_of_hostile(v1, hex(""), true), 12);
    ck_assert_int_eq(child_of_hostile(v1, hex("00000000 0000002c 81"), true),
        12);
    ck_assert_int_eq(child_of_hostile(v1, hex("7fffffff ffffffff"), false),
        13);
    ck_assert_int_eq(child_of_hostile(v1, hex("ffffffff ffffffff"), false),
        13);
    ck_assert_int_eq(child_of_hostile(v1, hex(""), false), 14);
    ck_assert_int_eq(child_of_hostile(v1, hex("000000"), false), 14);
    ck_assert_int_eq(child_of_hostile(v1, hex("00000000 0000002c 81"), false),
        14);
    ck_assert_int_eq(child_of_hostile(v1,
                         hex("00000000 00000002 ffff 00000000 00000000"),
                         false),
        20);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, a_child_is_told_and_reports);
    tcase_add_test(tc, a_child_may_fail);
    tcase_add_test(tc, a_child_reports_once);
    tcase_add_test(tc, a_child_may_be_silent);
    tcase_add_test(tc, odd_reports_are_told);
    tcase_add_test(tc, what_follows_the_report_is_ignored);
    tcase_add_test(tc, a_child_need_not_take_its_configuration);
    tcase_add_test(tc, the_environment_tells_without_a_report);
    tcase_add_test(tc, nobody_may_have_told_anything);
    tcase_add_test(tc, programs_that_cannot_be_run_are_told_at_once);
    tcase_add_test(tc, files_are_handed_on);
    tcase_add_test(tc, a_child_does_not_believe_its_parent);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "child") == 0)
        return child(argv[2], strcmp(argv[2], "short") == 0
                ? V23_NS_PER_MS : 20 * V23_NS_PER_SEC);
    if (tst_emulated("processes"))
        return 0;
    snprintf(self, sizeof(self), "%s", argv[0]);
    unsetenv("V23_EXEC_VERSION");
    unsetenv("V23_EXEC_CONFIG");
    signal(SIGPIPE, SIG_DFL);
    return tst_run_case("librpc/ev_exec", fill, setup, teardown);
}

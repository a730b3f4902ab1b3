/* BSD-3-Clause; see LICENSE. */
/*
 * wsprclient: pages in C, for the tests and figures of wsprd.
 *
 *   wsprclient call WSPR NAME METHOD N [TEXT…]   one call with N results; prints
 *                                                items and results
 *   wsprclient crowd WSPR N [NAME METHOD R]      N pages at once, each with a
 *                                                call, if any; prints "ready"
 *                                                and stays until its input ends
 *   wsprclient reload WSPR N NAME METHOD R       N pages one after the other;
 *                                                each second one goes in the
 *                                                midst of its call
 *   wsprclient bench WSPR NAME CALLS             time of a call of an echo
 *                                                server, by itself and through
 *                                                wsprd, in turns
 *   wsprclient stream WSPR NAME ITEMS SIZE       bytes of a stream of it
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include <example.org/oracle/echo/echo.rpc.h>
#include <vname/program.h>
#include <vsec/principal.h>

#include "page.h"

#define ROUNDS 5
#define AT_ONCE 50

static const char *path = "/ws", *origin = "http://wsprclient.example:80";
static const struct v23_flag flags[] = {
    { "origin", "Origin of the page; empty: none.",
        "http://wsprclient.example:80", V23_FLAG_STRING, &origin, NULL },
    { "path", "Path of the websocket.", "/ws", V23_FLAG_STRING, &path, NULL },
};

/* All pages of the process, which is about one thing. */
static struct {
    struct vname_program *p;
    const char *wspr, *name, *method;
    const struct vdl_any *args;
    size_t nargs;
    int nresults, rc;
    bool streaming, quiet;
    long wanted, opened, ready, items;
    char *request; /* of the first page; all of them send the same types */
    struct page **pages;
} ALL;

static int64_t now_ns(void)
{
    struct v23_now now;

    vrpc_ev_now(ALL.p->rt.ev, &now);
    return now.mono_ns;
}

static int open_page(const struct page_hooks *hooks, struct page **out)
{
    struct page_place at = { ALL.wspr, path, *origin == 0 ? NULL : origin };

    return page_open(ALL.p->rt.base, ALL.p->rt.principal->engine, &at, hooks,
        NULL, out);
}

static void finish(int rc)
{
    ALL.rc = ALL.rc != 0 ? ALL.rc : rc;
    vname_program_done(ALL.p);
}

static const char *request_of(struct page *p)
{
    return page_request(p, ALL.name, ALL.method, ALL.args, ALL.nargs,
        ALL.nresults, ALL.streaming);
}

static void start_call(struct page *p)
{
    const char *hex = request_of(p);
    char *copy = hex == NULL ? NULL : strdup(hex);

    if (copy == NULL)
        finish(1);
    else
        (void)page_call(p, copy);
    free(copy);
}

static void on_closed(void *ud, struct page *p, const char *why)
{
    (void)ud;
    (void)p;
    finish(v23_error("the websocket has ended: %s", why));
}

/* ---- call ---------------------------------------------------------------- */

static void call_open(void *ud, struct page *p)
{
    (void)ud;
    start_call(p);
}

static void print_value(struct page *p, unsigned kind, struct vdl_str text,
    FILE *to)
{
    struct v23_buf b;
    int rc;

    v23_buf_init(&b, NULL, SIZE_MAX);
    rc = page_value(p, kind, text, &b);
    if (rc != 0)
        finish(v23_error("cannot decode: %s", v23_strerror(rc)));
    else
        fprintf(to, "%s%s\n", kind == FAILURE ? "ERROR: " : "",
            v23_buf_cstr(&b));
    v23_buf_fini(&b);
}

static void call_message(void *ud, struct page *p, uint64_t id, unsigned kind,
    struct vdl_str text)
{
    (void)ud;
    if (id != 1)
        return;
    if (kind == ITEM)
        print_value(p, kind, text, stdout);
    if (kind != FINAL && kind != FAILURE)
        return;
    print_value(p, kind, text, kind == FINAL ? stdout : stderr);
    finish(kind == FAILURE);
}

static int mode_call(int argc, char **argv)
{
    static const struct page_hooks hooks = { call_open, call_message,
        on_closed };
    struct vdl_any args[16];
    struct vdl_str texts[16];
    struct page *p = NULL;
    int i;

    if (argc < 4 || argc > 20)
        return 2;
    ALL.name = argv[1];
    ALL.method = argv[2];
    ALL.nresults = atoi(argv[3]);
    ALL.streaming = argv[3][0] == '+'; /* "+1": a stream, too */
    for (i = 4; i < argc; i++) {
        texts[i - 4] = vdl_str(argv[i]);
        args[i - 4].type = &vdl_string_desc;
        args[i - 4].val = &texts[i - 4];
    }
    ALL.args = args;
    ALL.nargs = (size_t)argc - 4;
    if (open_page(&hooks, &p) != 0)
        return 1;
    vname_program_wait(ALL.p);
    page_free(p);
    return ALL.rc;
}

/* ---- crowd --------------------------------------------------------------- */

/* Each turn some more begin: all at once would be a measure of beginnings. */
static void one_is_ready(void)
{
    if (++ALL.ready == ALL.opened)
        vname_program_done(ALL.p);
}

static void crowd_open(void *ud, struct page *p)
{
    (void)ud;
    if (ALL.name == NULL)
        one_is_ready();
    else
        start_call(p);
}

static void crowd_message(void *ud, struct page *p, uint64_t id, unsigned kind,
    struct vdl_str text)
{
    (void)ud;
    (void)id;
    if (kind == FAILURE) {
        print_value(p, kind, text, stderr);
        finish(1);
    } else if (kind == FINAL) {
        one_is_ready();
    }
}

static void on_input(evutil_socket_t fd, short what, void *ud)
{
    char c;

    (void)what;
    (void)ud;
    if (read((int)fd, &c, 1) <= 0)
        vname_program_done(ALL.p);
}

/* Until the input ends; the pages go on answering pings. */
static int stay(void)
{
    struct event *input;

    printf("ready %ld\n", ALL.ready);
    fflush(stdout);
    if (lseek(STDIN_FILENO, 0, SEEK_CUR) != -1)
        return 0; /* a file, which has no events */
    input = event_new(ALL.p->rt.base, STDIN_FILENO, EV_READ | EV_PERSIST,
        on_input, NULL);
    if (input == NULL || event_add(input, NULL) != 0)
        return v23_error("cannot wait for the end of the input");
    vname_program_wait(ALL.p);
    event_free(input);
    return ALL.rc;
}

static int mode_crowd(int argc, char **argv)
{
    static const struct page_hooks hooks = { crowd_open, crowd_message,
        on_closed };
    long i;
    int rc = 0;

    if (argc != 2 && argc != 5)
        return 2;
    ALL.wanted = atol(argv[1]);
    if (argc == 5) {
        ALL.name = argv[2];
        ALL.method = argv[3];
        ALL.nresults = atoi(argv[4]);
    }
    ALL.pages = calloc((size_t)ALL.wanted + 1, sizeof(*ALL.pages));
    for (i = 0; i < ALL.wanted && rc == 0;) {
        for (; ALL.opened < ALL.wanted && i < ALL.ready + AT_ONCE && rc == 0;
             i++, ALL.opened++)
            rc = open_page(&hooks, &ALL.pages[i]);
        if (rc == 0)
            vname_program_wait(ALL.p);
        rc = rc != 0 ? rc : ALL.rc;
    }
    if (rc == 0)
        rc = stay();
    while (i > 0)
        page_free(ALL.pages[--i]);
    free(ALL.pages);
    return rc;
}

/* ---- reload -------------------------------------------------------------- */

static void reload_open(void *ud, struct page *p)
{
    (void)ud;
    start_call(p);
    if (ALL.ready % 2 != 0)
        vname_program_done(ALL.p); /* as a tab that is closed */
}

static void reload_message(void *ud, struct page *p, uint64_t id,
    unsigned kind, struct vdl_str text)
{
    (void)ud;
    (void)id;
    if (kind == FAILURE) {
        print_value(p, kind, text, stderr);
        finish(1);
    } else if (kind == FINAL) {
        page_close(p);
    }
}

static void reload_closed(void *ud, struct page *p, const char *why)
{
    (void)ud;
    (void)p;
    (void)why;
    vname_program_done(ALL.p);
}

static int mode_reload(int argc, char **argv)
{
    static const struct page_hooks hooks = { reload_open, reload_message,
        reload_closed };
    struct page *p;

    if (argc != 5)
        return 2;
    ALL.wanted = atol(argv[1]);
    ALL.name = argv[2];
    ALL.method = argv[3];
    ALL.nresults = atoi(argv[4]);
    for (; ALL.ready < ALL.wanted && ALL.rc == 0; ALL.ready++) {
        p = NULL;
        if (open_page(&hooks, &p) != 0)
            return 1;
        vname_program_wait(ALL.p);
        page_free(p);
    }
    return ALL.rc;
}

/* ---- figures ------------------------------------------------------------- */

struct times {
    int64_t *v;
    size_t n, max;
    int64_t start;
};
static struct times DIRECT, THROUGH, *NOW;

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static double median_us(struct times *t)
{
    qsort(t->v, t->n, sizeof(*t->v), by_value);
    return t->n == 0 ? 0 : (double)t->v[t->n / 2] / 1e3;
}

/* A call has ended; is there to be another one in this turn? */
static bool again(size_t each)
{
    NOW->v[NOW->n++] = now_ns() - NOW->start;
    if (NOW->n % each != 0)
        return true;
    vname_program_done(ALL.p);
    return false;
}

static size_t EACH;
static void call_directly(void);

static void got_direct(void *ud, const struct v23_verror *err,
    const echo_echo_echo_bytes_out *out)
{
    (void)ud;
    if (err != NULL || out->result.n != 1)
        finish(err == NULL ? v23_error("another answer")
                           : vname_program_error(ALL.p, "direct", err));
    else if (again(EACH))
        call_directly();
}

static void call_directly(void)
{
    static const uint8_t one = 7;

    NOW->start = now_ns();
    if (echo_echo_echo_bytes_start(ALL.p->rt.client, ALL.name, NULL,
            vdl_bytes(&one, 1), got_direct, NULL)
        == NULL)
        finish(v23_error("out of memory"));
}

static void bench_open(void *ud, struct page *p)
{
    const char *hex = request_of(p);

    (void)ud;
    ALL.request = hex == NULL ? NULL : strdup(hex);
    vname_program_done(ALL.p);
}

static void call_through(struct page *p)
{
    NOW->start = now_ns();
    (void)page_call(p, ALL.request);
}

static void bench_message(void *ud, struct page *p, uint64_t id, unsigned kind,
    struct vdl_str text)
{
    (void)ud;
    (void)id;
    if (kind == ITEM) {
        ALL.items++;
        return;
    }
    if (kind != FINAL) {
        if (kind == FAILURE) {
            print_value(p, kind, text, stderr);
            finish(1);
        }
        return;
    }
    if (ALL.streaming)
        vname_program_done(ALL.p);
    else if (again(EACH))
        call_through(p);
}

static const struct page_hooks bench_hooks = { bench_open, bench_message,
    on_closed };

static int mode_bench(int argc, char **argv)
{
    static const uint8_t one = 7;
    struct vdl_bytes bytes = vdl_bytes(&one, 1);
    struct vdl_any arg = { &vdl_bytes_desc, &bytes };
    struct page *p = NULL;
    int i;

    if (argc != 3)
        return 2;
    ALL.name = argv[1];
    ALL.method = "EchoBytes";
    ALL.args = &arg;
    ALL.nargs = 1;
    ALL.nresults = 1;
    EACH = (size_t)atol(argv[2]) / ROUNDS;
    DIRECT.v = calloc(EACH * ROUNDS, sizeof(int64_t));
    THROUGH.v = calloc(EACH * ROUNDS, sizeof(int64_t));
    if (EACH == 0 || open_page(&bench_hooks, &p) != 0)
        return 1;
    vname_program_wait(ALL.p);
    for (i = 0; i < ROUNDS && ALL.rc == 0; i++) {
        NOW = &DIRECT;
        call_directly();
        vname_program_wait(ALL.p);
        if (ALL.rc != 0)
            break;
        NOW = &THROUGH;
        call_through(p);
        vname_program_wait(ALL.p);
    }
    if (ALL.rc == 0)
        printf("{\"direct_us\":%.1f,\"wspr_us\":%.1f}\n", median_us(&DIRECT),
            median_us(&THROUGH));
    page_free(p);
    free(ALL.request);
    free(DIRECT.v);
    free(THROUGH.v);
    return ALL.rc;
}

static int mode_stream(int argc, char **argv)
{
    int32_t n[2];
    struct vdl_any args[2];
    struct page *p = NULL;
    int64_t start, ns;

    if (argc != 4)
        return 2;
    ALL.name = argv[1];
    ALL.method = "StreamBytes";
    n[0] = atoi(argv[2]);
    n[1] = atoi(argv[3]);
    args[0] = (struct vdl_any){ &vdl_int32_desc, &n[0] };
    args[1] = (struct vdl_any){ &vdl_int32_desc, &n[1] };
    ALL.args = args;
    ALL.nargs = 2;
    ALL.streaming = true;
    if (open_page(&bench_hooks, &p) != 0)
        return 1;
    vname_program_wait(ALL.p);
    start = now_ns();
    if (ALL.rc == 0)
        (void)page_call(p, ALL.request);
    vname_program_wait(ALL.p);
    ns = now_ns() - start;
    if (ALL.rc == 0 && ALL.items != n[0])
        ALL.rc = v23_error("%ld items came", ALL.items);
    if (ALL.rc == 0)
        printf("{\"mb_s\":%.1f}\n",
            (double)n[0] * (double)n[1] / ((double)ns / 1e3));
    page_free(p);
    free(ALL.request);
    return ALL.rc;
}

static int run(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    static const struct {
        const char *name;
        int (*fn)(int argc, char **argv);
    } modes[] = { { "call", mode_call }, { "crowd", mode_crowd },
        { "reload", mode_reload }, { "bench", mode_bench },
        { "stream", mode_stream } };
    int rc = 2;
    size_t i;

    ALL.p = ud;
    ALL.wspr = argc < 2 ? "" : argv[1];
    for (i = 0; argc >= 2 && i < sizeof(modes) / sizeof(modes[0]); i++)
        if (strcmp(argv[0], modes[i].name) == 0)
            rc = modes[i].fn(argc - 1, argv + 1);
    return rc == 2 ? v23_usage_error(inv, "what is it to do?") : rc;
}

static const struct v23_command command = {
    .name = "wsprclient",
    .brief = "Pages in C, for tests.",
    .args = "<what> <wsprd> …",
    .flags = flags,
    .nflags = sizeof(flags) / sizeof(flags[0]),
    .run = run,
};

int main(int argc, char **argv)
{
    static struct vname_program p;

    return vname_program_main(&p, &command,
        VRPC_FLAGS_RUNTIME | VRPC_FLAGS_LOGGING, argc, argv);
}

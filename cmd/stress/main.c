/* BSD-3-Clause; see LICENSE. */
/* stress: puts load on stressd (spec/services.md 14). */
#include "stress.h"

#include <inttypes.h>
#include <stdio.h>

#include <v23/time.h>

struct options options = { .duration = 60 * V23_NS_PER_SEC, .workers = 1,
    .chunks = 1000, .payload = 10000, .load_payload = 1000,
    .format = "text" };

#define DURATION \
    { "duration", "duration of the test to run", "1m0s", V23_FLAG_DURATION, \
        &options.duration, NULL }
#define FORMAT \
    { "format", "Stats output format; either text or json", "text", \
        V23_FLAG_STRING, &options.format, NULL }

static const struct v23_flag stress_flags[] = {
    DURATION,
    { "workers", "number of test workers to run", "1", V23_FLAG_INT,
        &options.workers, NULL },
    { "max-chunk-count",
        "maximum number of chunks to send per streaming RPC", "1000",
        V23_FLAG_INT, &options.chunks, NULL },
    { "max-payload-size", "maximum size of payload in bytes", "10000",
        V23_FLAG_INT, &options.payload, NULL },
    FORMAT,
};
static const struct v23_flag load_flags[] = {
    DURATION,
    { "cpu",
        "number of cpu cores that the figures are divided by; if zero, the "
        "number of servers to test",
        "0", V23_FLAG_INT, &options.cpus, NULL },
    { "payload-size", "size of payload in bytes", "1000", V23_FLAG_INT,
        &options.load_payload, NULL },
    FORMAT,
};
static const struct v23_flag stats_flags[] = { FORMAT };

/* ---- shared -------------------------------------------------------------- */

int check_args(const struct v23_invocation *inv, int argc)
{
    if (argc == 0)
        return v23_usage_error(inv, "no server specified");
    if (strcmp(options.format, "text") != 0
        && strcmp(options.format, "json") != 0)
        return v23_usage_error(inv, "invalid output format: %s",
            options.format);
    if (options.workers < 1 || options.chunks < 1 || options.payload < 1
        || options.payload > INT32_MAX || options.load_payload < 0
        || options.load_payload > INT32_MAX || options.cpus < 0)
        return v23_usage_error(inv, "a number is out of range");
    return 0;
}

void print_stats(const char *title, const v23_stress_sum_stats *s)
{
    if (strcmp(options.format, "json") == 0)
        printf("%s{\"SumCount\":%" PRIu64 ",\"SumStreamCount\":%" PRIu64
            ",\"BytesRecv\":%" PRIu64 ",\"BytesSent\":%" PRIu64 "}\n",
            title, s->sum_count, s->sum_stream_count, s->bytes_recv,
            s->bytes_sent);
    else
        printf("%s\n"
               "\tnumber of non-streaming RPCs:\t%" PRIu64 "\n"
               "\tnumber of streaming RPCs:\t%" PRIu64 "\n"
               "\tnumber of bytes received:\t%" PRIu64 "\n"
               "\tnumber of bytes sent:\t\t%" PRIu64 "\n",
            title, s->sum_count, s->sum_stream_count, s->bytes_recv,
            s->bytes_sent);
}

int64_t now_ns(const struct vname_program *p)
{
    struct v23_now now;

    vrpc_ev_now(p->rt.ev, &now);
    return now.mono_ns;
}

void print_elapsed(int64_t ns)
{
    struct v23_buf text;

    v23_buf_init(&text, NULL, 64);
    v23_duration_put(&text, ns);
    printf("done after %s\n", v23_buf_cstr(&text));
    v23_buf_fini(&text);
}

/* ---- stats, stop --------------------------------------------------------- */

static int result;

struct asked {
    struct vname_program *p;
    const char *server;
};

static void got_stats(void *ud, const struct v23_verror *err,
    const v23_stress_stress_get_sum_stats_out *out)
{
    struct asked *a = ud;
    struct v23_buf title;

    v23_buf_init(&title, NULL, SIZE_MAX);
    v23_buf_printf(&title, "server stats(%s):", a->server);
    if (err != NULL)
        result = vname_program_error(a->p, NULL, err);
    else
        print_stats(v23_buf_cstr(&title), &out->result);
    v23_buf_fini(&title);
    vname_program_done(a->p);
}

static int run_stats(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct asked a = { ud, NULL };
    int rc = check_args(inv, argc), i;

    if (rc != 0)
        return rc;
    for (i = 0; i < argc && result == 0; i++) {
        a.server = argv[i];
        if (v23_stress_stress_get_sum_stats_start(a.p->rt.client, argv[i],
                NULL, got_stats, &a) == NULL)
            return v23_error("out of memory");
        vname_program_wait(a.p);
    }
    return result;
}

static void stopped(void *ud, const struct v23_verror *err)
{
    if (err != NULL)
        result = vname_program_error(ud, NULL, err);
    vname_program_done(ud);
}

static int run_stop(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct vname_program *p = ud;
    int rc = check_args(inv, argc), i;

    if (rc != 0)
        return rc;
    for (i = 0; i < argc && result == 0; i++) {
        if (v23_stress_stress_stop_start(p->rt.client, argv[i], NULL, stopped,
                p) == NULL)
            return v23_error("out of memory");
        vname_program_wait(p);
    }
    return result;
}

/* ---- the commands -------------------------------------------------------- */

#define SERVERS "<server> ... A list of servers to connect to."

static const struct v23_command cmd_stress = {
    .name = "stress",
    .brief = "Run stress test",
    .about = "Stress calls Sum and SumStream with random arguments and checks "
             "what comes back.",
    .args = "<server> ...",
    .args_help = SERVERS,
    .flags = stress_flags,
    .nflags = 5,
    .run = run_stress,
};
static const struct v23_command cmd_stats = {
    .name = "stats",
    .brief = "Print out stress stats of servers",
    .args = "<server> ...",
    .args_help = SERVERS,
    .flags = stats_flags,
    .nflags = 1,
    .run = run_stats,
};
static const struct v23_command cmd_load = {
    .name = "load",
    .brief = "Run load test",
    .about = "Load calls Echo of every server, one call after the other.",
    .args = "<server> ...",
    .args_help = SERVERS,
    .flags = load_flags,
    .nflags = 4,
    .run = run_load,
};
static const struct v23_command cmd_stop = {
    .name = "stop",
    .brief = "Stop servers",
    .args = "<server> ...",
    .args_help = "<server> ... A list of servers to stop.",
    .run = run_stop,
};
static const struct v23_command *const children[] = { &cmd_stress, &cmd_stats,
    &cmd_load, &cmd_stop };
static const struct v23_command root = {
    .name = "stress",
    .brief = "Tool to stress/load test RPC",
    .about = "Command stress is a tool to stress/load test RPC by issuing "
             "randomly generated requests.",
    .children = children,
    .nchildren = 4,
};

int main(int argc, char **argv)
{
    static struct vname_program p;

    return vname_program_main(&p, &root,
        VRPC_FLAGS_CLIENT, argc, argv);
}

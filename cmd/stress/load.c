/* BSD-3-Clause; see LICENSE. */
/* stress load: one caller for each server, as fast as it answers. */
#include "stress.h"

#include <inttypes.h>
#include <stdio.h>

#include <v23/time.h>

struct load;

struct caller {
    struct load *l;
    const char *server;
    uint64_t calls;
    int64_t elapsed;
};

struct load {
    struct vname_program *p;
    struct vdl_bytes payload;
    int64_t start;
    int running, rc;
};

static void call(struct caller *c);

static void finished(struct caller *c)
{
    c->elapsed = now_ns(c->l->p) - c->l->start;
    if (--c->l->running == 0)
        vname_program_done(c->l->p);
}

static void answered(void *ud, const struct v23_verror *err,
    const v23_stress_stress_echo_out *out)
{
    struct caller *c = ud;
    struct load *l = c->l;

    if (err != NULL)
        l->rc = vname_program_error(l->p, "Echo failed", err);
    else if (!vdl_bytes_eq(out->result, l->payload))
        l->rc = v23_error("Echo returned other bytes");
    else
        c->calls++;
    if (l->rc != 0 || now_ns(l->p) - l->start >= options.duration)
        finished(c);
    else
        call(c);
}

static void call(struct caller *c)
{
    struct load *l = c->l;

    if (v23_stress_stress_echo_start(l->p->rt.client, c->server, NULL,
            l->payload, answered, c) != NULL)
        return;
    l->rc = v23_error("out of memory");
    finished(c);
}

static void print(const struct caller *c, int n, int64_t cores)
{
    double ms = 0, qps = 0, rate;
    uint64_t calls = 0;
    int i;

    for (i = 0; i < n; i++) {
        rate = (double)c[i].calls / ((double)c[i].elapsed / 1e9);
        calls += c[i].calls;
        qps += rate;
        ms += 1000 / rate / n;
    }
    if (strcmp(options.format, "json") == 0)
        printf("load stats:{\"Iterations\":%" PRIu64 ",\"MsecPerRPC\":%.17g"
               ",\"QPS\":%.17g,\"QPSPerCore\":%.17g}\n",
            calls, ms, qps, qps / (double)cores);
    else
        printf("load stats:\n"
               "\tnumber of RPCs:\t\t%" PRIu64 "\n"
               "\tlatency (msec/rpc):\t%.2f\n"
               "\tQPS:\t\t\t%.2f\n"
               "\tQPS/core:\t\t%.2f\n",
            calls, ms, qps, qps / (double)cores);
}

int run_load(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    int64_t cores = options.cpus == 0 ? argc : options.cpus;
    struct load l = { ud, { NULL, 0 }, 0, 0, 0 };
    struct caller *c;
    uint8_t *bytes;
    size_t n = (size_t)options.load_payload, i;
    struct v23_buf text;

    l.rc = check_args(inv, argc);
    if (l.rc != 0)
        return l.rc;
    c = v23_get0(NULL, (size_t)argc, sizeof(*c));
    bytes = v23_get(NULL, n + 1);
    if (c == NULL || bytes == NULL)
        l.rc = v23_error("out of memory");
    for (i = 0; l.rc == 0 && i < n; i++)
        bytes[i] = (uint8_t)i;
    l.payload = vdl_bytes(bytes, n);
    printf("starting load test against %d server(s) using %" PRId64
           " core(s)...\n", argc, cores);
    v23_buf_init(&text, NULL, 64);
    v23_duration_put(&text, options.duration);
    printf("payloadSize: %zu, duration: %s\n", n, v23_buf_cstr(&text));
    v23_buf_fini(&text);
    l.start = now_ns(l.p);
    if (l.rc == 0) {
        l.running = argc;
        for (i = 0; i < (size_t)argc; i++) {
            c[i].l = &l;
            c[i].server = argv[i];
            call(&c[i]);
        }
        vname_program_wait(l.p);
    }
    if (l.rc == 0) {
        print_elapsed(now_ns(l.p) - l.start);
        print(c, argc, cores);
    }
    v23_put(NULL, bytes);
    v23_put(NULL, c);
    return l.rc;
}

/* BSD-3-Clause; see LICENSE. */
/*
 * stressd: the server of stress tests (spec/services.md 14). A stream whose
 * client does not read is held back, with one sum waiting.
 */
#include <stdio.h>

#include <v23/vdl/v.io/x/ref/runtime/internal/rpc/stress/stress.rpc.h>
#include <vname/program.h>
#include <vrpc/server.h>
#include <vrpc/verror.h>
#include <vsec/authorizer.h>
#include <vsec/principal.h>

#include "sum.h"

static const char *name = "";
static int64_t duration;

static const struct v23_flag flags[] = {
    { "duration",
        "Duration of the stress test to run; if zero, there is no limit.",
        "0s", V23_FLAG_DURATION, &duration, NULL },
    { "name",
        "Name to mount the server under. If empty, the server is not "
        "mounted.",
        "", V23_FLAG_STRING, &name, NULL },
};

struct service {
    struct vname_program *p;
    v23_stress_sum_stats stats;
};

static const struct v23_verror *sum_failed(struct vrpc_server_call *call,
    int rc)
{
    return vrpc_err_make(vrpc_server_call_arena(call),
        vrpc_server_call_errctx(call), VRPC_ERR_INTERNAL, "%s",
        v23_strerror(rc));
}

static int sum_of(const struct service *s, const v23_stress_sum_arg *arg,
    uint8_t out[SUM_SIZE])
{
    return stress_sum(s->p->rt.principal->engine->crypto, arg, out);
}

/* ---- calls --------------------------------------------------------------- */

static const struct v23_verror *echo(void *self,
    struct vrpc_server_call *call, const v23_stress_stress_echo_in *in,
    v23_stress_stress_echo_out *out)
{
    (void)self;
    (void)call;
    out->result = in->payload;
    return NULL;
}

static const struct v23_verror *sum(void *self, struct vrpc_server_call *call,
    const v23_stress_stress_sum_in *in, v23_stress_stress_sum_out *out)
{
    struct service *s = self;
    uint8_t *digest = v23_arena_get(vrpc_server_call_arena(call), SUM_SIZE, 1);
    int rc = digest == NULL ? V23_ENOMEM : sum_of(s, &in->arg, digest);

    if (rc != 0)
        return sum_failed(call, rc);
    out->result = vdl_bytes(digest, SUM_SIZE);
    s->stats.sum_count++;
    s->stats.bytes_recv += stress_size(&in->arg);
    s->stats.bytes_sent += SUM_SIZE;
    return NULL;
}

static const struct v23_verror *get_sum_stats(void *self,
    struct vrpc_server_call *call, v23_stress_stress_get_sum_stats_out *out)
{
    struct service *s = self;

    (void)call;
    out->result = s->stats;
    return NULL;
}

static const struct v23_verror *stop(void *self,
    struct vrpc_server_call *call)
{
    struct service *s = self;

    (void)call;
    vrpc_runtime_request_stop(&s->p->rt);
    return NULL;
}

/* ---- streams ------------------------------------------------------------- */

/* Lives in the call's arena. */
struct summing {
    struct service *s;
    uint64_t received, sent;
    uint8_t digest[SUM_SIZE]; /* waits for room, with `late` */
    bool late;
};

static void gone(void *ud, struct vrpc_server_call *call, int reason)
{
    (void)ud;
    (void)v23_stress_stress_sum_stream_reply(call, sum_failed(call, reason));
}

static void send_digest(struct summing *m, struct vrpc_server_call *call)
{
    const struct vdl_bytes item = vdl_bytes(m->digest, SUM_SIZE);
    bool late = vrpc_server_call_send(call, &item) == V23_EAGAIN;

    if (late != m->late)
        vrpc_server_call_pause(call, late);
    m->late = late;
    if (!late)
        m->sent += SUM_SIZE;
}

static void writable(void *ud, struct vrpc_server_call *call)
{
    struct summing *m = ud;

    if (m->late)
        send_digest(m, call);
}

static const struct v23_verror *sum_stream(void *self,
    struct vrpc_server_call *call)
{
    struct summing *m = v23_arena_new(vrpc_server_call_arena(call),
        struct summing);

    if (m == NULL)
        return sum_failed(call, V23_ENOMEM);
    m->s = self;
    vrpc_server_call_set_data(call, m);
    vrpc_server_call_on_cancel(call, gone, m);
    vrpc_server_call_on_writable(call, writable, m);
    return &vrpc_pending;
}

static void sum_stream_item(void *self, struct vrpc_server_call *call,
    const v23_stress_sum_arg *arg)
{
    struct service *s = self;
    struct summing *m = vrpc_server_call_data(call);
    int rc = 0;

    if (arg != NULL) {
        rc = sum_of(s, arg, m->digest);
        if (rc == 0) {
            m->received += stress_size(arg);
            send_digest(m, call);
            return;
        }
    } else {
        s->stats.sum_stream_count++;
        s->stats.bytes_recv += m->received;
        s->stats.bytes_sent += m->sent;
    }
    (void)v23_stress_stress_sum_stream_reply(call,
        rc == 0 ? NULL : sum_failed(call, rc));
}

static const v23_stress_stress_vt methods = {
    .echo = echo,
    .sum = sum,
    .sum_stream = sum_stream,
    .sum_stream_item = sum_stream_item,
    .get_sum_stats = get_sum_stats,
    .stop = stop,
};

/* ---- the program --------------------------------------------------------- */

static void time_over(void *ud)
{
    vrpc_runtime_request_stop(ud);
}

static int run(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct vname_program *p = ud;
    struct vrpc_server_config cfg = { 0 };
    struct vname_serve_config scfg = { 0 };
    struct service service = { p, { 0, 0, 0, 0 } };
    struct vname_serving *s;

    (void)inv;
    (void)argc;
    (void)argv;
    cfg.object = v23_stress_stress_object(&methods, &service);
    cfg.authorizer = &vsec_auth_everyone;
    scfg.server = &cfg;
    scfg.name = vdl_str(name);
    if (vname_serve(p, &scfg, &s) != 0)
        return v23_error("NewServer failed: %s",
            p->rt.why[0] != 0 ? p->rt.why : "out of memory");
    if (duration > 0
        && vrpc_runtime_after(&p->rt, duration, time_over, &p->rt) != 0)
        v23_error("out of memory: there is no limit of time");
    return vname_serving_print_and_run(s);
}

static const struct v23_command command = {
    .name = "stressd",
    .brief = "Run the stress-test server",
    .about = "Command stressd runs the stress-test server. It prints its name "
             "as NAME=<name>.",
    .flags = flags,
    .nflags = 2,
    .run = run,
};

int main(int argc, char **argv)
{
    static struct vname_program p;

    return vname_program_main(&p, &command, VRPC_FLAGS_SERVER, argc,
        argv);
}

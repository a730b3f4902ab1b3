/* BSD-3-Clause; see LICENSE. */
/*
 * rpcbenchd: the server that rpcbench times (spec/services.md 14). An item that
 * finds no room waits, and holds back those behind it.
 */
#include <stdio.h>

#include <v23/vdl/v.io/x/ref/runtime/internal/rpc/benchmark/benchmark.rpc.h>
#include <vname/program.h>
#include <vrpc/server.h>
#include <vrpc/verror.h>

static const struct v23_verror *echo(void *self,
    struct vrpc_server_call *call, const v23_benchmark_benchmark_echo_in *in,
    v23_benchmark_benchmark_echo_out *out)
{
    (void)self;
    (void)call;
    out->result = in->payload;
    return NULL;
}

/* The item that waits, with its own memory; the struct is the call's. */
struct echoing {
    struct v23_buf held;
    bool late;
};

static void end(struct vrpc_server_call *call, int rc)
{
    struct echoing *e = vrpc_server_call_data(call);

    v23_buf_fini(&e->held);
    (void)v23_benchmark_benchmark_echo_stream_reply(call, rc == 0 ? NULL
            : vrpc_err_make(vrpc_server_call_arena(call),
                  vrpc_server_call_errctx(call), VRPC_ERR_INTERNAL, "%s",
                  v23_strerror(rc)));
}

static void gone(void *ud, struct vrpc_server_call *call, int reason)
{
    (void)ud;
    end(call, reason);
}

static void writable(void *ud, struct vrpc_server_call *call)
{
    struct echoing *e = ud;
    struct vdl_bytes item = vdl_bytes(e->held.p, e->held.n);

    if (!e->late || vrpc_server_call_send(call, &item) == V23_EAGAIN)
        return;
    e->late = false;
    vrpc_server_call_pause(call, false);
}

static const struct v23_verror *echo_stream(void *self,
    struct vrpc_server_call *call)
{
    struct echoing *e = v23_arena_new(vrpc_server_call_arena(call),
        struct echoing);

    (void)self;
    if (e == NULL)
        return vrpc_err_make(vrpc_server_call_arena(call),
            vrpc_server_call_errctx(call), VRPC_ERR_INTERNAL,
            "out of memory");
    v23_buf_init(&e->held, NULL, SIZE_MAX);
    vrpc_server_call_set_data(call, e);
    vrpc_server_call_on_cancel(call, gone, e);
    vrpc_server_call_on_writable(call, writable, e);
    return &vrpc_pending;
}

static void echo_stream_item(void *self, struct vrpc_server_call *call,
    const struct vdl_bytes *item)
{
    struct echoing *e = vrpc_server_call_data(call);

    (void)self;
    if (item == NULL) {
        end(call, 0);
        return;
    }
    if (vrpc_server_call_send(call, item) != V23_EAGAIN)
        return;
    v23_buf_cut(&e->held, 0);
    v23_buf_put(&e->held, item->p, item->n);
    if (e->held.err != 0) {
        end(call, e->held.err);
        return;
    }
    e->late = true;
    vrpc_server_call_pause(call, true);
}

static const v23_benchmark_benchmark_vt methods = { echo, echo_stream,
    echo_stream_item };

static int run(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct vname_program *p = ud;
    struct vrpc_server_config cfg = { 0 };
    struct vname_serve_config scfg = { 0 };
    struct vrpc_flags_auth auth;
    struct vname_serving *s;
    int rc;

    (void)inv;
    (void)argc;
    (void)argv;
    rc = vrpc_flags_auth_init(&auth, &p->flags, NULL, &p->rt.log);
    if (rc != 0)
        return v23_error("bad permissions: %s", v23_strerror(rc));
    cfg.object = v23_benchmark_benchmark_object(&methods, NULL);
    cfg.authorizer = auth.authorizer;
    scfg.server = &cfg;
    if (vname_serve(p, &scfg, &s) != 0)
        rc = v23_error("NewServer failed: %s",
            p->rt.why[0] != 0 ? p->rt.why : "out of memory");
    else
        rc = vname_serving_print_and_run(s);
    vrpc_flags_auth_fini(&auth);
    return rc;
}

static const struct v23_command command = {
    .name = "rpcbenchd",
    .brief = "Run the benchmark server",
    .about = "Command rpcbenchd runs the benchmark server. It prints its name "
             "as NAME=<name>.",
    .run = run,
};

int main(int argc, char **argv)
{
    static struct vname_program p;

    return vname_program_main(&p, &command, VRPC_FLAGS_SERVER, argc,
        argv);
}

/* BSD-3-Clause; see LICENSE. */
/*
 * typetester: serves an object with a method for each kind of type, which
 * returns its arguments (spec/services.md 6.4). Prints NAME=<object name>.
 */
#include <vname/program.h>
#include <vrpc/server.h>
#include <vrpc/verror.h>
#include <vsec/authorizer.h>

#include <v.io/x/ref/cmd/vrpc/internal/internal.rpc.h>

/* The call's arguments live as long as its results are wanted. */
#define ECHO(method) \
    static const struct v23_verror *method(void *self, \
        struct vrpc_server_call *call, \
        const v23_vrpc_internal_type_tester_##method##_in *in, \
        v23_vrpc_internal_type_tester_##method##_out *out) \
    { \
        (void)self; \
        (void)call; \
        out->o1 = in->i1; \
        return NULL; \
    }
ECHO(echo_bool)
ECHO(echo_float32)
ECHO(echo_float64)
ECHO(echo_int32)
ECHO(echo_int64)
ECHO(echo_string)
ECHO(echo_byte)
ECHO(echo_uint32)
ECHO(echo_uint64)
ECHO(xecho_array)
ECHO(xecho_map)
ECHO(xecho_set)
ECHO(xecho_slice)
ECHO(xecho_struct)

static const struct v23_verror *ymulti_arg(void *self,
    struct vrpc_server_call *call,
    const v23_vrpc_internal_type_tester_ymulti_arg_in *in,
    v23_vrpc_internal_type_tester_ymulti_arg_out *out)
{
    (void)self;
    (void)call;
    out->o1 = in->i1;
    out->o2 = in->i2;
    return NULL;
}

static const struct v23_verror *yno_args(void *self,
    struct vrpc_server_call *call)
{
    (void)self;
    (void)call;
    return NULL;
}

/* ---- the stream ---------------------------------------------------------- */

/* Lives in the call's arena. */
struct streaming {
    int32_t left;
    bool item;
};

/* V23_EAGAIN: there is no room; else all is sent, or nobody listens. */
static int send(struct streaming *s, struct vrpc_server_call *call)
{
    int rc = 0;

    while (s->left > 0 && rc == 0) {
        rc = v23_vrpc_internal_type_tester_zstream_send(call, &s->item);
        s->left -= rc == 0;
    }
    return rc;
}

static void writable(void *ud, struct vrpc_server_call *call)
{
    if (send(ud, call) != V23_EAGAIN)
        (void)v23_vrpc_internal_type_tester_zstream_reply(call, NULL);
}

static void gone(void *ud, struct vrpc_server_call *call, int reason)
{
    (void)ud;
    (void)reason;
    (void)v23_vrpc_internal_type_tester_zstream_reply(call, NULL);
}

static const struct v23_verror *zstream(void *self,
    struct vrpc_server_call *call,
    const v23_vrpc_internal_type_tester_zstream_in *in)
{
    struct streaming *s = v23_arena_new(vrpc_server_call_arena(call),
        struct streaming);

    (void)self;
    if (s == NULL)
        return vrpc_err_make(vrpc_server_call_arena(call),
            vrpc_server_call_errctx(call), VRPC_ERR_INTERNAL,
            "out of memory");
    s->left = in->num_stream_items;
    s->item = in->stream_item;
    if (send(s, call) != V23_EAGAIN)
        return NULL;
    vrpc_server_call_on_writable(call, writable, s);
    vrpc_server_call_on_cancel(call, gone, s);
    return &vrpc_pending;
}

static const v23_vrpc_internal_type_tester_vt methods = {
    .echo_bool = echo_bool,
    .echo_float32 = echo_float32,
    .echo_float64 = echo_float64,
    .echo_int32 = echo_int32,
    .echo_int64 = echo_int64,
    .echo_string = echo_string,
    .echo_byte = echo_byte,
    .echo_uint32 = echo_uint32,
    .echo_uint64 = echo_uint64,
    .xecho_array = xecho_array,
    .xecho_map = xecho_map,
    .xecho_set = xecho_set,
    .xecho_slice = xecho_slice,
    .xecho_struct = xecho_struct,
    .ymulti_arg = ymulti_arg,
    .yno_args = yno_args,
    .zstream = zstream,
};

static const char *name = "";

static const struct v23_flag flags[] = {
    { "name", "Name to publish the server under.", "", V23_FLAG_STRING, &name,
        NULL },
};

static int run(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct vname_program *p = ud;
    struct vrpc_server_config cfg = { 0 };
    struct vname_serve_config scfg = { 0 };
    struct vname_serving *s;

    (void)inv;
    (void)argc;
    (void)argv;
    cfg.object = v23_vrpc_internal_type_tester_object(&methods, NULL);
    cfg.authorizer = &vsec_auth_everyone;
    scfg.server = &cfg;
    scfg.name = vdl_str(name);
    if (vname_serve(p, &scfg, &s) != 0)
        return v23_error("cannot serve: %s", p->rt.why);
    return vname_serving_print_and_run(s);
}

static const struct v23_command command = {
    .name = "typetester",
    .brief = "returns what it is given",
    .flags = flags,
    .nflags = 1,
    .run = run,
};

int main(int argc, char **argv)
{
    static struct vname_program p;

    return vname_program_main(&p, &command,
        VRPC_FLAGS_RUNTIME | VRPC_FLAGS_LISTEN | VRPC_FLAGS_LOGGING, argc,
        argv);
}

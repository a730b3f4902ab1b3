/* BSD-3-Clause; see LICENSE. */
/* helloserver: the smallest server, for smoke tests. */
#include <stdio.h>

#include <v23/vdl/v.io/x/ref/test/hello/hello.rpc.h>
#include <vname/program.h>
#include <vrpc/server.h>
#include <vsec/authorizer.h>

static const char *name = "";

static const struct v23_flag flags[] = {
    { "name", "Name to publish under.", "", V23_FLAG_STRING, &name, NULL },
};

static const struct v23_verror *hello_(void *self,
    struct vrpc_server_call *call, v23_hello_hello_hello_out *out)
{
    (void)self;
    (void)call;
    out->result = vdl_str("hello");
    return NULL;
}

static const v23_hello_hello_vt methods = { hello_ };

static int run(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct vname_program *p = ud;
    struct vrpc_server_config cfg = { 0 };
    struct vname_serve_config scfg = { 0 };
    struct vname_serving *s;
    int rc;

    (void)inv;
    (void)argc;
    (void)argv;
    cfg.object = v23_hello_hello_object(&methods, NULL);
    cfg.authorizer = &vsec_auth_everyone;
    scfg.server = &cfg;
    scfg.name = vdl_str(name);
    if (vname_serve(p, &scfg, &s) != 0)
        return v23_error("%s",
            p->rt.why[0] != 0 ? p->rt.why : "cannot serve");
    rc = vname_serving_print(s, "SERVER_NAME");
    if (rc == 0)
        vname_serving_run(s);
    else
        vname_serving_stop(s);
    return rc;
}

static const struct v23_command command = {
    .name = "helloserver",
    .brief = "says hello",
    .about = "Command helloserver is a simple server, mainly for tests. It "
             "prints its name as SERVER_NAME=<name>.",
    .flags = flags,
    .nflags = 1,
    .run = run,
};

int main(int argc, char **argv)
{
    static struct vname_program p;

    return vname_program_main(&p, &command, VRPC_FLAGS_SERVER, argc,
        argv);
}

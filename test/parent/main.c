/* BSD-3-Clause; see LICENSE. */
/*
 * parent: starts a process as a device manager does (spec/services.md 4.1).
 * Prints `READY`, or `FAILED ` and why; what the process sets in our Config
 * object, as KEY=VALUE; and `END ` with its exit code.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <v23/time.h>
#include <vname/program.h>
#include <vrpc/server.h>

#include <v23/vdl/v.io/x/ref/services/device/device.rpc.h>

static struct vrpc_exec_config config;
static const char *form = "pipes", *pattern = "";
static bool appcycle;

static int add(void *var, const char *value, const char **why)
{
    const char *eq = strchr(value, '=');

    (void)var;
    *why = "not of the form KEY=VALUE";
    if (eq == NULL)
        return V23_EARG;
    return vrpc_exec_config_set(&config,
        vdl_strn(value, (size_t)(eq - value)), vdl_str(eq + 1));
}

static const struct v23_flag flags[] = {
    { "set", "a KEY=VALUE of the configuration", "", V23_FLAG_FUNC, NULL,
        add },
    { "form", "pipes or environment", "pipes", V23_FLAG_STRING, &form, NULL },
    { "appcycle", "ask for an AppCycle object", "false", V23_FLAG_BOOL,
        &appcycle, NULL },
    { "pattern", "who may call that object", "", V23_FLAG_STRING, &pattern,
        NULL },
};

static const struct v23_verror *set_(void *self, struct vrpc_server_call *call,
    const v23_device_config_set_in *in)
{
    (void)self;
    (void)call;
    printf("%.*s=%.*s\n", (int)in->key.n, in->key.p, (int)in->value.n,
        in->value.p);
    fflush(stdout);
    return NULL;
}

static const v23_device_config_vt methods = { set_ };

static void on_ready(void *ud, const struct v23_verror *err, int64_t pid)
{
    (void)ud;
    (void)pid;
    if (err == NULL)
        printf("READY\n");
    else
        printf("FAILED %.*s\n", (int)err->msg.n, err->msg.p);
    fflush(stdout);
}

static void on_end(void *ud, const struct v23_verror *err, int status)
{
    (void)err;
    printf("END %d\n", WIFEXITED(status) ? WEXITSTATUS(status)
                                         : 128 + WTERMSIG(status));
    vname_program_done(ud);
}

static int put(const char *key, const char *value)
{
    return vrpc_exec_config_set(&config, vdl_str(key), vdl_str(value));
}

/* What makes a process serve AppCycle and tell us. */
static int ask_for_appcycle(struct vname_serving *s)
{
    const struct vrpc_endpoint *eps;
    struct v23_buf name;
    size_t n;
    int rc = vname_serving_endpoints(s, &eps, &n);

    v23_buf_init(&name, NULL, SIZE_MAX);
    if (rc == 0)
        vrpc_endpoint_name(&eps[0], &name);
    if (rc == 0)
        rc = put(V23_EXEC_PARENT_NAME, v23_buf_cstr(&name));
    if (rc == 0)
        rc = put(V23_EXEC_PARENT_PEER_PATTERN, pattern);
    if (rc == 0)
        rc = put(V23_EXEC_CHILD_PROTOCOL, "tcp");
    if (rc == 0)
        rc = put(V23_EXEC_CHILD_ADDRESS, "127.0.0.1:0");
    v23_buf_fini(&name);
    return rc;
}

static int run(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    static const struct vrpc_listen_addr addr = { VDL_STR_INIT("tcp"),
        VDL_STR_INIT("127.0.0.1:0") };
    struct vname_program *p = ud;
    struct vrpc_server_config cfg = { 0 };
    struct vname_serve_config scfg = { 0 };
    struct vrpc_exec_options opt = { 0 };
    struct vrpc_exec_parent *child = NULL;
    struct vname_serving *s;
    int rc;

    if (argc == 0)
        return v23_usage_error(inv, "no program");
    cfg.object = v23_device_config_object(&methods, NULL);
    scfg.server = &cfg;
    scfg.addrs = &addr;
    scfg.naddrs = 1;
    rc = vname_serve(p, &scfg, &s);
    if (rc != 0)
        return v23_error("cannot serve");
    if (appcycle)
        rc = ask_for_appcycle(s);
    opt.base = p->rt.base;
    opt.argv = argv;
    opt.form = strcmp(form, "pipes") == 0 ? VRPC_EXEC_PIPES
                                          : VRPC_EXEC_ENVIRONMENT;
    opt.config = &config;
    if (rc == 0)
        rc = vrpc_exec_start(&opt, &child);
    if (rc == 0) {
        vrpc_exec_wait_ready(child, 20 * V23_NS_PER_SEC, on_ready, p);
        vrpc_exec_wait_end(child, V23_NEVER, on_end, p);
        vname_program_wait(p);
    }
    vrpc_exec_free(child);
    vname_serving_stop(s);
    return rc == 0 ? 0 : v23_error("cannot start %s", argv[0]);
}

static const struct v23_command command = {
    .name = "parent",
    .brief = "starts a process",
    .args = "<program> [args]",
    .flags = flags,
    .nflags = 4,
    .run = run,
};

int main(int argc, char **argv)
{
    static struct vname_program p;
    int rc;

    vrpc_exec_config_init(&config, NULL);
    rc = vname_program_main(&p, &command,
        VRPC_FLAGS_CLIENT, argc, argv);
    vrpc_exec_config_fini(&config);
    return rc;
}

/* BSD-3-Clause; see LICENSE. */
/*
 * roled: a server of one role for tests (spec/services.md 11.3). It blesses
 * whoever shows a name that ends in ":_role" as a cook. Prints NAME=<object
 * name>.
 */
#include <vname/program.h>
#include <vrpc/server.h>
#include <vrpc/verror.h>
#include <vsec/principal.h>

#include <v23/vdl/v.io/x/ref/services/role/role.rpc.h>
#include <v23/vdl/v.io/x/ref/services/role/role.vdl.h>

static bool ends_in(struct vdl_str s, const char *end)
{
    size_t n = strlen(end);

    return s.n > n && memcmp(s.p + s.n - n, end, n) == 0;
}

static bool asks_for_a_role(const struct vrpc_server_call *call)
{
    vdl_str_list names = vrpc_server_call_remote_names(call);
    uint32_t i;

    for (i = 0; i < names.n; i++)
        if (ends_in(names.v[i], ":" V23_ROLE_ROLE_SUFFIX))
            return true;
    return false;
}

static const struct v23_verror *seek(void *self,
    struct vrpc_server_call *call, v23_role_role_seek_blessings_out *out)
{
    struct vsec_principal *p = self;
    v23_security_caveat any = vsec_caveat_unconstrained();
    struct v23_bytes der = vrpc_server_call_remote_key(call);
    struct v23_arena *a = vrpc_server_call_arena(call);
    struct vsec_blessings *b = NULL;
    struct vsec_pubkey *key = NULL;
    struct vsec_bless what = { NULL, vsec_store_default(p->store),
        VDL_STR_INIT("cook"), { &any, 1 } };
    int rc;

    if (!asks_for_a_role(call))
        return vrpc_err_make(a, NULL, VRPC_ERR_NO_EXIST_OR_NO_ACCESS,
            "no such role for you");
    rc = vsec_pubkey_parse(p->engine, vdl_bytes(der.p, der.n), &key);
    what.key = key;
    if (rc == 0)
        rc = vsec_principal_bless(p, &what, &b);
    if (rc == 0)
        rc = v23_arena_hold(a, &b->ref);
    out->blessings = vsec_blessings_wire(rc == 0 ? b : NULL);
    vsec_blessings_unref(b);
    vsec_pubkey_unref(key);
    return rc == 0 ? NULL
                   : vrpc_err_make(a, NULL, VRPC_ERR_INTERNAL, "%s",
                       v23_strerror(rc));
}

static int run(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    static const v23_role_role_vt vt = { seek };
    struct vname_program *p = ud;
    struct vrpc_server_config cfg = { 0 };
    struct vname_serve_config scfg = { 0 };
    struct vrpc_object object;
    struct vname_serving *s;
    int rc = v23_want_args(inv, 0, argc);

    (void)argv;
    if (rc != 0)
        return rc;
    object = v23_role_role_object(&vt, p->rt.principal);
    cfg.object = object;
    cfg.authorizer = &vsec_auth_everyone;
    scfg.server = &cfg;
    if (vname_serve(p, &scfg, &s) != 0)
        return v23_error("cannot serve: %s", p->rt.why);
    return vname_serving_print_and_run(s);
}

static const struct v23_command command = {
    .name = "roled",
    .brief = "serves one role, for tests",
    .run = run,
};

int main(int argc, char **argv)
{
    static struct vname_program p;

    return vname_program_main(&p, &command,
        VRPC_FLAGS_RUNTIME | VRPC_FLAGS_LISTEN | VRPC_FLAGS_LOGGING, argc,
        argv);
}

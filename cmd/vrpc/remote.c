/* BSD-3-Clause; see LICENSE. */
/* A server, and waiting for its answers. */
#include "vrpc.h"

#include <stdio.h>
#include <string.h>

#include <vsec/authorizer.h>

#include "ask.h"

int print_out(struct v23_buf *out, int rc)
{
    if (rc == 0)
        rc = out->err;
    if (rc == 0)
        fwrite(out->p, 1, out->n, stdout);
    else
        rc = v23_error("%s", v23_strerror(rc));
    v23_buf_fini(out);
    return rc;
}

/* ---- resolution ---------------------------------------------------------- */

static void resolved(void *ud, const struct v23_verror *err,
    const v23_naming_mount_entry *e)
{
    struct remote *r = ud;
    v23_naming_mount_entry copy;
    int rc;

    if (err != NULL) {
        r->rc = vname_program_error(r->p, NULL, err);
    } else {
        rc = vdl_copy(&r->arena, &v23_naming_mount_entry_desc, &copy, e);
        if (rc == 0)
            rc = vname_object_names(&r->arena, &copy, &r->servers);
        if (rc != 0)
            r->rc = v23_error("%s", v23_strerror(rc));
        r->opts.preresolved = &r->servers;
    }
    vname_program_done(r->p);
}

int remote_open(struct remote *r, struct vname_program *p, const char *name)
{
    static const struct vrpc_call_opts none = VRPC_CALL_OPTS_INIT;
    struct vname_opts opts;
    struct v23_now now;

    vrpc_ev_now(p->rt.ev, &now);
    r->p = p;
    r->rc = 0;
    r->name = vdl_str(name);
    r->opts = none;
    r->opts.deadline = now.mono_ns + options.timeout_ns;
    if (options.timeout_ns > V23_NEVER - now.mono_ns)
        r->opts.deadline = V23_NEVER;
    r->servers.n = 0;
    v23_arena_init(&r->arena, NULL, SIZE_MAX);
    if (options.insecure) {
        r->opts.server_auth = &vsec_auth_everyone;
        r->opts.name_auth = &vsec_auth_everyone;
    }
    if (!options.shallow)
        return 0;
    memset(&opts, 0, sizeof(opts));
    opts.deadline = r->opts.deadline;
    opts.name_auth = r->opts.name_auth;
    if (vname_shallow_resolve(p->ns, r->name, &opts, resolved, r, NULL) != 0)
        return v23_error("out of memory");
    vname_program_wait(p);
    return r->rc;
}

void remote_close(struct remote *r)
{
    v23_arena_fini(&r->arena);
}

/* ---- questions ----------------------------------------------------------- */

struct question {
    struct ask ask;
    struct remote *r;
    const char *op;
};

static void answered(void *ud, const struct v23_verror *err, int rc)
{
    struct question *q = ud;

    if (err != NULL)
        q->r->rc = vname_program_error(q->r->p, q->op, err);
    else if (rc != 0)
        q->r->rc = v23_error("%s: %s", q->op, v23_strerror(rc));
    vname_program_done(q->r->p);
}

int remote_ask(struct remote *r, const char *method, const char *arg,
    const struct vdl_type *t, void *out, const char *op)
{
    struct question q = { { t, out, &r->arena, answered, NULL }, r, op };

    q.ask.ud = &q;
    if (ask_start(&q.ask, r->p->rt.client, r->name, method, arg, &r->opts)
        == NULL)
        return v23_error("out of memory");
    vname_program_wait(r->p);
    return r->rc;
}

int remote_method(struct remote *r, const char *method,
    v23_signature_method *out)
{
    return remote_ask(r, "__MethodSignature", method,
        &v23_signature_method_desc, out, "MethodSignature failed");
}

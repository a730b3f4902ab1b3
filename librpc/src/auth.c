/* BSD-3-Clause; see LICENSE. */
/*
 * Names and authorization of the other end of a call: first the validated
 * names, then the authorizer, either of which may answer later.
 */
#include "rpc_int.h"

#include <string.h>

static int ask(struct vrpc_check_ *c, const struct vsec_authorizer *auth,
    const struct v23_verror **err);

/* The authorizers from `auth` on; what is left is decided by the first. */
static int ask_rest(struct vrpc_check_ *c, const struct vsec_authorizer *auth,
    const struct v23_verror **err)
{
    int rc = ask(c, auth, err);

    if (rc == 0 && auth == c->auth && c->also != NULL)
        rc = ask(c, c->also, err);
    return rc;
}

static void authorized(void *ud, struct v23_op op, int rc,
    const struct v23_verror *err)
{
    struct vrpc_check_ *c = vrpc_op_owner_(
        &((struct vrpc_manager *)ud)->ops, op, VRPC_OP_CHECK);
    const struct vsec_authorizer *asked;

    if (c == NULL || c->asked == NULL)
        return;
    vrpc_op_end_(&c->m->ops, &c->op);
    asked = c->asked;
    c->asked = NULL;
    if (rc == 0 && asked == c->auth && c->also != NULL) {
        err = NULL;
        rc = ask(c, c->also, &err);
        if (rc == V23_EAGAIN)
            return;
    }
    c->done(c->ud, rc, err);
}

static int ask(struct vrpc_check_ *c, const struct vsec_authorizer *auth,
    const struct v23_verror **err)
{
    struct vsec_auth_wait wait;
    int rc;

    rc = vrpc_op_new_(&c->m->ops, VRPC_OP_CHECK, c, &c->op);
    if (rc != 0)
        return rc;
    wait.done = authorized;
    wait.ud = c->m;
    wait.op = c->op;
    rc = vsec_authorize(auth, &c->call, c->arena, &wait, err);
    if (rc == V23_EAGAIN)
        c->asked = auth == NULL ? &vsec_auth_default : auth;
    else
        vrpc_op_end_(&c->m->ops, &c->op);
    return rc;
}

static void named(void *ud, int rc, const struct vsec_names *names)
{
    struct vrpc_check_ *c = ud;
    const struct v23_verror *err = NULL;

    c->check = NULL;
    if (rc == 0) {
        c->names = *names;
        c->has_names = true;
        c->call.names = &c->names;
        rc = ask_rest(c, c->auth, &err);
        if (rc == V23_EAGAIN)
            return;
    }
    c->done(c->ud, rc, err);
}

int vrpc_check_start_(struct vrpc_check_ *c, const struct v23_verror **err)
{
    struct vsec_check_wait wait;
    int rc;

    if (!c->has_names) {
        wait.done = named;
        wait.ud = c;
        rc = vsec_check_start(&c->call, c->arena, &wait, &c->names,
            &c->check);
        if (rc != V23_EAGAIN)
            c->check = NULL;
        if (rc != 0)
            return rc;
        c->has_names = true;
    }
    c->call.names = &c->names;
    return ask_rest(c, c->auth, err);
}

void vrpc_check_cancel_(struct vrpc_check_ *c)
{
    const struct vsec_authorizer *asked = c->asked;
    struct v23_op op = c->op;

    if (c->check != NULL) {
        vsec_check_cancel(c->check);
        c->check = NULL;
    }
    if (asked == NULL)
        return;
    c->asked = NULL;
    vrpc_op_end_(&c->m->ops, &c->op);
    if (asked->cancel != NULL)
        asked->cancel(asked->ud, op);
}

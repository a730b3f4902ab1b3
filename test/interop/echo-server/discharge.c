/* BSD-3-Clause; see LICENSE. */
/*
 * The discharger: anybody who meets the restrictions inside a third-party
 * caveat gets it discharged.
 */
#include "server.h"

#include <v23/vdl/v.io/x/ref/services/discharger/discharger.rpc.h>
#include <vom/time.h>
#include <vrpc/verror.h>
#include <vsec/check.h>
#include <vsec/principal.h>

/* Does the call satisfy one caveat? *err is set unless 0 is returned. */
static int check_one(struct vrpc_server_call *call,
    const v23_security_caveat *c, const struct v23_verror **err)
{
    struct v23_arena *a = vrpc_server_call_arena(call);
    const struct vsec_caveat_kind *k;
    struct v23_op none = { 0, 0 };
    void *param;
    size_t i;
    int rc;

    for (i = 0; i < vsec_kinds_standard.n; i++) {
        k = vsec_kinds_standard.v[i];
        if (!vsec_caveat_is(c, k) || k->validate == NULL)
            continue;
        param = v23_arena_get0(a, 1, k->desc->param_type->size, 16);
        rc = param == NULL ? V23_ENOMEM : vsec_caveat_param(c, k, a, param);
        if (rc == 0)
            rc = k->validate(k->ud, NULL, none,
                vrpc_server_call_security(call), param, a, err);
        return rc;
    }
    return V23_ENOENT;
}

static const struct v23_verror *check(struct vrpc_server_call *call,
    const v23_security_caveat_list *caveats)
{
    const struct v23_verror *why = NULL;
    struct vdl_str text;
    uint32_t i;
    int rc;

    for (i = 0; i < caveats->n; i++) {
        rc = check_one(call, &caveats->v[i], &why);
        if (rc == 0)
            continue;
        text = why == NULL ? vdl_str(v23_strerror(rc)) : why->msg;
        return vrpc_err_make(vrpc_server_call_arena(call),
            vrpc_server_call_errctx(call), VRPC_ERR_UNKNOWN,
            "could not validate embedded restriction: %.*s", (int)text.n,
            text.p);
    }
    return NULL;
}

/* The only caveat of the discharge. */
static int restriction(const struct echo_server *s,
    struct vrpc_server_call *call, v23_security_caveat *out)
{
    struct v23_walltime now = vrpc_server_call_received(call).wall;

    if (s->discharge_expiry == 0) {
        *out = vsec_caveat_unconstrained();
        return 0;
    }
    return vsec_caveat_expiry(vrpc_server_call_arena(call),
        v23_walltime_add(now, s->discharge_expiry), out);
}

static const struct v23_verror *mint(const struct echo_server *s,
    struct vrpc_server_call *call, const v23_security_caveat *caveat,
    v23_security_wire_discharge *out)
{
    struct v23_arena *a = vrpc_server_call_arena(call);
    struct vsec_discharge *d = NULL;
    v23_security_caveat_list list;
    v23_security_caveat one;
    int rc;

    rc = restriction(s, call, &one);
    list.v = &one;
    list.n = 1;
    if (rc == 0)
        rc = vsec_principal_mint_discharge(s->p->rt.principal, caveat, list,
            &d);
    if (rc == 0)
        rc = v23_arena_hold(a, &d->ref);
    if (rc == 0)
        *out = d->wire;
    vsec_discharge_unref(d);
    return rc == 0 ? NULL
                   : vrpc_err_make(a, vrpc_server_call_errctx(call),
                         vrpc_err_of_status(rc), "cannot mint: %s",
                         v23_strerror(rc));
}

static const struct v23_verror *discharge(void *self,
    struct vrpc_server_call *call,
    const v23_discharger_discharger_discharge_in *in,
    v23_discharger_discharger_discharge_out *out)
{
    v23_security_public_key_third_party_caveat_param param;
    struct v23_arena *a = vrpc_server_call_arena(call);
    struct echo_server *s = self;
    const struct v23_verror *err;

    echo_log(s, call);
    memset(&param, 0, sizeof(param));
    if (vsec_caveat_param(&in->caveat, &vsec_kind_third_party, a, &param)
        != 0)
        return v23_discharger_err_not_athird_party_caveat(a,
            vrpc_server_call_errctx(call), &in->caveat);
    err = check(call, &param.caveats);
    if (err == NULL)
        err = mint(s, call, &in->caveat, &out->discharge);
    return err;
}

struct vrpc_object echo_discharger(struct echo_server *s)
{
    static const v23_discharger_discharger_vt vt = { .discharge = discharge };

    return v23_discharger_discharger_object(&vt, s);
}

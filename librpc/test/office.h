/* BSD-3-Clause; see LICENSE. */
/*
 * Offices: dischargers that answer as they are told, and blessings that need
 * their discharges; beside the client and the server of echo.h.
 */
#ifndef OFFICE_H
#define OFFICE_H

#include <v23/vdl/v.io/x/ref/services/discharger/discharger.rpc.h>

#include "echo.h"

/* A discharger. */
struct office {
    struct wnode *n;
    int asked;
    bool refuses;
    bool mute; /* answers when told */
    struct vrpc_server_call *waiting;
    v23_security_caveat asked_for; /* by the call waiting */
    int64_t life; /* nanoseconds; 0 = for ever */
    const v23_security_caveat *nested; /* in discharges */
    const v23_security_caveat *other;  /* discharges this one instead */
    uint32_t server_names, nargs;
    char method[32];
};

static struct office O; /* opened by setup() */

static void make_discharge(struct office *o, struct vrpc_server_call *call,
    const v23_security_caveat *c, v23_security_wire_discharge *out)
{
    struct v23_arena *a = vrpc_server_call_arena(call);
    v23_security_caveat v[2];
    v23_security_caveat_list list = { v, 1 };
    struct vsec_discharge *d;

    v[0] = vsec_caveat_unconstrained();
    if (o->life != 0)
        ck_assert_int_eq(vsec_caveat_expiry(a,
            v23_walltime_add(W.now.wall, o->life), &v[0]), 0);
    if (o->nested != NULL)
        v[list.n++] = *o->nested;
    ck_assert_int_eq(vsec_principal_mint_discharge(o->n->principal,
        o->other != NULL ? o->other : c, list, &d), 0);
    ck_assert_int_eq(v23_arena_hold(a, &d->ref), 0);
    *out = d->wire;
    vsec_discharge_unref(d);
}

/* NoAccess would make callers forget the discharges that they came with. */
static const struct v23_verror *refusal(struct vrpc_server_call *call)
{
    return vrpc_err_make(vrpc_server_call_arena(call), NULL, VRPC_ERR_UNKNOWN,
        "no");
}

static const struct v23_verror *mint(void *self, struct vrpc_server_call *call,
    const v23_discharger_discharger_discharge_in *in,
    v23_discharger_discharger_discharge_out *out)
{
    struct office *o = self;

    o->asked++;
    o->server_names = in->impetus.server.n;
    o->nargs = in->impetus.arguments.n;
    snprintf(o->method, sizeof(o->method), "%.*s",
        (int)in->impetus.method.n, in->impetus.method.p);
    if (o->refuses)
        return refusal(call);
    make_discharge(o, call, &in->caveat, &out->discharge);
    if (!o->mute)
        return NULL;
    o->waiting = call;
    o->asked_for = in->caveat;
    return &vrpc_pending;
}

/* Answer what was asked of an office that is mute. */
static void reply_with_discharge(struct office *o)
{
    v23_discharger_discharger_discharge_out out;

    make_discharge(o, o->waiting, &o->asked_for, &out.discharge);
    ck_assert_int_eq(vrpc_server_call_reply(o->waiting, NULL, &out), 0);
}

static const v23_discharger_discharger_vt office_vt = { mint };

static void open_office(struct office *o, const char *name, uint64_t rid,
    const struct vsec_authorizer *auth)
{
    struct vrpc_server_config sc;

    memset(o, 0, sizeof(*o));
    ck_assert_int_eq(world_node(&W, name, rid, &o->n), 0);
    memset(&sc, 0, sizeof(sc));
    sc.object = v23_discharger_discharger_object(&office_vt, o);
    sc.authorizer = auth;
    ck_assert_int_eq(vrpc_server_new(o->n->m, &sc, &o->n->s), 0);
    world_settle(&W);
}

/* ---- blessings ----------------------------------------------------------- */

static struct v23_arena A; /* of the test */

enum { SERVER = 1, METHOD = 2, ARGUMENTS = 4 };

static v23_security_caveat third_party(struct office *o, int wants)
{
    v23_security_caveat inner = vsec_caveat_unconstrained(), cav;
    struct vsec_third_party tp;
    const char *at = world_name(o->n, "");

    memset(&tp, 0, sizeof(tp));
    tp.key = o->n->principal->key->der;
    tp.location = vdl_strn(v23_arena_dup(&A, at, strlen(at)), strlen(at));
    tp.wants.report_server = (wants & SERVER) != 0;
    tp.wants.report_method = (wants & METHOD) != 0;
    tp.wants.report_arguments = (wants & ARGUMENTS) != 0;
    tp.caveats.v = &inner;
    tp.caveats.n = 1;
    ck_assert_int_eq(vsec_caveat_third_party(W.engine, &A, &tp, &cav), 0);
    return cav;
}

/* "test:<extension>" with one caveat. */
static struct vsec_blessings *blessed(struct wnode *n, const char *extension,
    const v23_security_caveat *cav)
{
    struct vsec_blessings *b;
    struct vsec_bless what;

    memset(&what, 0, sizeof(what));
    what.key = n->principal->key;
    what.with = W.root_b;
    what.extension = vdl_str(extension);
    what.caveats.v = cav;
    what.caveats.n = 1;
    ck_assert_int_eq(vsec_principal_bless(W.root, &what, &b), 0);
    return b;
}

static void use(struct wnode *n, const v23_security_caveat *cav)
{
    struct vsec_blessings *b = blessed(n, n->name, cav);

    ck_assert_int_eq(vsec_principal_set_default_blessings(n->principal, b),
        0);
    vsec_blessings_unref(b);
}

/* Blessings that need a discharge of the office. */
static void bless_with_third_party(struct wnode *n)
{
    v23_security_caveat cav = third_party(&O, SERVER | METHOD);

    use(n, &cav);
}

static void setup(void)
{
    pair_setup();
    v23_arena_init(&A, NULL, SIZE_MAX);
    open_office(&O, "office", 55, &vsec_auth_everyone);
}

static void teardown(void)
{
    v23_arena_fini(&A);
    world_teardown();
}

#endif

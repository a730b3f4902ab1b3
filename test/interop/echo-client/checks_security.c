/* BSD-3-Clause; see LICENSE. */
/* What the server knows of its caller: names, keys, grants, discharges. */
#include "client.h"

#include <stdio.h>

#include <v23/vdl/v.io/x/ref/services/discharger/discharger.rpc.h>
#include <vom/value.h>
#include <vrpc/manager.h>
#include <vsec/principal.h>

#define STD "v.io/v23/verror."

/* ---- WhoAmI -------------------------------------------------------------- */

struct who {
    struct echo_test *t;
    echo_who who;
    struct vrpc_call *call;
    struct vdl_bytes server_key; /* DER */
    bool ok, done;
};

static void who_done(void *ud, const struct v23_verror *err,
    const echo_echo_who_am_i_out *out)
{
    struct who *w = ud;
    struct v23_bytes key = vrpc_call_server_key(w->call);

    if (err != NULL)
        echo_fail(w->t, "error %.*s: %.*s", (int)err->id.n, err->id.p,
            (int)err->msg.n, err->msg.p);
    else if (echo_who_copy(&w->t->a, &w->who, &out->result) != 0)
        echo_fail(w->t, "out of memory");
    else
        w->ok = true;
    w->server_key = vdl_bytes(v23_arena_dup(&w->t->a, key.p, key.n), key.n);
    w->done = true;
    vname_program_done(w->t->c->p);
}

static bool ask(struct echo_test *t, struct vrpc_client *c,
    const char *suffix, struct who *w)
{
    memset(w, 0, sizeof(*w));
    w->t = t;
    w->call = echo_echo_who_am_i_start(c, echo_name(t, suffix), &t->opts,
        who_done, w);
    if (w->call == NULL) {
        echo_fail(t, "out of memory");
        return false;
    }
    echo_wait(t, &w->done);
    return w->ok;
}

static struct vsec_principal *own(struct echo_test *t)
{
    return t->c->p->rt.principal;
}

static bool is_key(struct vdl_str text, struct vdl_bytes der)
{
    char want[VSEC_FINGERPRINT] = "";

    return vsec_fingerprint(&vsec_crypto_default, der, want) == 0
        && vdl_str_is(text, want);
}

static bool is_endpoint(struct echo_test *t, struct vdl_str s)
{
    struct vrpc_endpoint ep;

    return vrpc_endpoint_parse(&t->a, s, &ep, NULL) == 0;
}

static void who_am_i(struct echo_test *t)
{
    struct who w;
    echo_who *k = &w.who;

    if (!ask(t, t->c->p->rt.client, "x/y z", &w))
        return;
    ECHO_CHECK(t, vdl_str_is(k->suffix, "x/y z")
            && vdl_str_is(k->method, "WhoAmI"),
        "suffix %.*s, method %.*s", (int)k->suffix.n, k->suffix.p,
        (int)k->method.n, k->method.p);
    ECHO_CHECK(t, is_key(k->remote_key, own(t)->key->der),
        "my key is %.*s for the server", (int)k->remote_key.n,
        k->remote_key.p);
    ECHO_CHECK(t, is_key(k->local_key, w.server_key),
        "the server's key is %.*s for itself", (int)k->local_key.n,
        k->local_key.p);
    ECHO_CHECK(t, k->remote_raw.n != 0 && k->local_raw.n != 0,
        "one of us has no blessings");
    ECHO_CHECK(t, k->remote_names.n + k->remote_rejected.n != 0,
        "my names are neither accepted nor rejected");
    ECHO_CHECK(t, k->local_names.n != 0, "the server has no name");
    ECHO_CHECK(t, is_endpoint(t, k->local_endpoint)
            && is_endpoint(t, k->remote_endpoint),
        "endpoints %.*s and %.*s", (int)k->local_endpoint.n,
        k->local_endpoint.p, (int)k->remote_endpoint.n, k->remote_endpoint.p);
    ECHO_CHECK(t, k->granted.n == 0, "granted: %.*s", (int)k->granted.n,
        k->granted.p);
    ECHO_CHECK(t, k->discharges == 0, "%d discharges", k->discharges);
}

static void who_deadline(struct echo_test *t)
{
    struct who w;

    t->opts.timeout_ns = 30 * V23_NS_PER_SEC;
    if (!ask(t, t->c->p->rt.client, "", &w))
        return;
    ECHO_CHECK(t, w.who.has_deadline && w.who.deadline_ms > 20000
            && w.who.deadline_ms <= 30000,
        "the deadline is in %lld ms, want 30000",
        (long long)w.who.deadline_ms);
    t->opts.timeout_ns = 0;
    if (ask(t, t->c->p->rt.client, "", &w))
        ECHO_CHECK(t, !w.who.has_deadline, "there is a deadline");
}

/* ---- grants -------------------------------------------------------------- */

struct grant {
    struct echo_test *t;
    struct vdl_bytes key; /* empty: the server's */
    struct vdl_str extension;
};

static int bless(struct vsec_principal *p, struct vdl_bytes key,
    struct vdl_str extension, const v23_security_caveat *c,
    struct vsec_blessings **out)
{
    struct vsec_bless what = { .with = vsec_store_default(p->store),
        .extension = extension, .caveats = { c, 1 } };
    int rc = vsec_pubkey_parse(p->engine, key, &what.key);

    if (rc == 0)
        rc = vsec_principal_bless(p, &what, out);
    vsec_pubkey_unref(what.key);
    return rc;
}

static int granter(void *ud, struct v23_op op, struct vrpc_call *call,
    struct vsec_blessings **out)
{
    v23_security_caveat none = vsec_caveat_unconstrained();
    struct v23_bytes server = vrpc_call_server_key(call);
    struct grant *g = ud;

    (void)op;
    return bless(own(g->t),
        g->key.n != 0 ? g->key : vdl_bytes(server.p, server.n), g->extension,
        &none, out);
}

static void granted(struct echo_test *t)
{
    struct vdl_str mine = vsec_blessings_text(
        vsec_store_default(own(t)->store));
    struct grant g = { .t = t, .extension = VDL_STR_INIT("friend") };
    struct vrpc_granter grants = { granter, NULL };
    struct who w;
    char want[512];

    grants.ud = &g;
    t->opts.granters = &grants;
    t->opts.ngranters = 1;
    if (!ask(t, t->c->p->rt.client, "", &w))
        return;
    snprintf(want, sizeof(want), "%.*s:friend", (int)mine.n, mine.p);
    ECHO_CHECK(t, vdl_str_is(w.who.granted, want),
        "granted: %.*s, want %s", (int)w.who.granted.n, w.who.granted.p,
        want);
}

/* Blessings for somebody else's key are refused. */
static void granted_to_another(struct echo_test *t)
{
    struct grant g = { .t = t, .key = own(t)->key->der,
        .extension = VDL_STR_INIT("friend") };
    struct vrpc_granter grants = { granter, NULL };
    struct echo_reply r;

    grants.ud = &g;
    t->opts.granters = &grants;
    t->opts.ngranters = 1;
    echo_call(t, &r, "", "WhoAmI", NULL, 0);
    echo_expect_error(t, &r, STD "NoAccess", V23_RETRY_REFETCH);
}

static int no_grant(void *ud, struct v23_op op, struct vrpc_call *call,
    struct vsec_blessings **out)
{
    (void)ud;
    (void)op;
    (void)call;
    (void)out;
    return V23_EDENIED;
}

static void granter_fails(struct echo_test *t)
{
    static const struct vrpc_granter none = { no_grant, NULL };
    struct echo_reply r;

    t->opts.granters = &none;
    t->opts.ngranters = 1;
    t->opts.no_retry = true;
    echo_call(t, &r, "", "WhoAmI", NULL, 0);
    echo_expect_error(t, &r, STD "NotTrusted", V23_RETRY_REFETCH);
}

/* ---- discharges ---------------------------------------------------------- */

/* A third-party caveat that the server is to discharge. */
static bool third_party(struct echo_test *t, const v23_security_caveat *wants,
    v23_security_caveat *out)
{
    struct vsec_third_party what = { .caveats = { wants, 1 } };
    struct who w;

    if (!ask(t, t->c->p->rt.client, "", &w))
        return false;
    what.key = w.server_key;
    what.location = vdl_str(echo_name(t, "discharger"));
    if (vsec_caveat_third_party(own(t)->engine, &t->a, &what, out) == 0)
        return true;
    echo_fail(t, "no third-party caveat");
    return false;
}

struct discharged {
    struct echo_test *t;
    const struct v23_verror *err;
    struct vsec_discharge *d;
    bool done;
};

static void got_discharge(void *ud, const struct v23_verror *err,
    const v23_discharger_discharger_discharge_out *out)
{
    struct discharged *g = ud;

    g->err = vrpc_err_copy(&g->t->a, err);
    if (err == NULL
        && vsec_discharge_from_wire(NULL, &out->discharge, &g->d) != 0)
        echo_fail(g->t, "the discharge is malformed");
    g->done = true;
    vname_program_done(g->t->c->p);
}

static void ask_discharge(struct echo_test *t, const v23_security_caveat *c,
    struct discharged *g)
{
    v23_security_discharge_impetus impetus;

    memset(&impetus, 0, sizeof(impetus));
    memset(g, 0, sizeof(*g));
    g->t = t;
    if (v23_discharger_discharger_discharge_start(t->c->p->rt.client,
            echo_name(t, "discharger"), &t->opts, c, &impetus, got_discharge,
            g)
        != NULL)
        echo_wait(t, &g->done);
    else
        echo_fail(t, "out of memory");
}

static void check_discharge(struct echo_test *t, const v23_security_caveat *c,
    struct vsec_discharge *d)
{
    v23_security_public_key_third_party_caveat_param param;
    char id[VSEC_CAVEAT_ID];
    struct vsec_pubkey *key = NULL;

    memset(&param, 0, sizeof(param));
    ECHO_CHECK(t, vsec_caveat_param(c, &vsec_kind_third_party, &t->a, &param)
                == 0
            && vsec_third_party_id(own(t)->engine, &param, id) == 0
            && vdl_str_is(vsec_discharge_id(d), id),
        "the discharge is for another caveat");
    ECHO_CHECK(t, vsec_pubkey_parse(own(t)->engine, param.discharger_key,
                      &key)
            == 0,
        "the server's key is malformed");
    if (vsec_discharge_verify(d, key) != 0)
        echo_fail(t, "the discharge is not signed by the server");
    vsec_pubkey_unref(key);
}

static void discharge(struct echo_test *t)
{
    v23_security_caveat none = vsec_caveat_unconstrained(), c;
    struct discharged g;

    if (!third_party(t, &none, &c))
        return;
    ask_discharge(t, &c, &g);
    ECHO_CHECK(t, g.err == NULL, "error %.*s: %.*s", (int)g.err->id.n,
        g.err->id.p, (int)g.err->msg.n, g.err->msg.p);
    if (g.d != NULL)
        check_discharge(t, &c, g.d);
    vsec_discharge_unref(g.d);
}

static void discharge_refused(struct echo_test *t)
{
    struct v23_walltime past = { 1000000000, 0 };
    v23_security_caveat expired, c;
    struct discharged g;

    ECHO_CHECK(t, vsec_caveat_expiry(&t->a, past, &expired) == 0,
        "out of memory");
    if (!third_party(t, &expired, &c))
        return;
    ask_discharge(t, &c, &g);
    vsec_discharge_unref(g.d);
    ECHO_CHECK(t, g.err != NULL, "a restriction was not checked");
    ask_discharge(t, &expired, &g);
    vsec_discharge_unref(g.d);
    ECHO_CHECK(t, g.err != NULL, "another kind of caveat was discharged");
}

/* Call with a principal of its own, that has `c` on its blessings. */
static void call_with_caveat(struct echo_test *t,
    const v23_security_caveat *c, struct who *w)
{
    struct vrpc_manager_config mcfg = { 0 };
    struct vrpc_client_config ccfg = { .component = VDL_STR_INIT("check") };
    struct vname_ns_config ncfg = { .roots = t->c->p->flags.roots,
        .nroots = t->c->p->flags.nroots };
    struct vsec_blessings *b = NULL;
    struct vrpc_ev_node *node = NULL;
    struct vname_ns *ns = NULL;
    int rc = vsec_principal_generate(own(t)->engine, "ed25519",
        &mcfg.principal);

    if (rc == 0)
        rc = bless(own(t), mcfg.principal->key->der, vdl_str("guest"), c, &b);
    if (rc == 0)
        rc = vsec_principal_set_default_blessings(mcfg.principal, b);
    if (rc == 0)
        rc = vrpc_ev_node_new(t->c->p->rt.ev, &mcfg, &node);
    if (rc == 0)
        rc = vrpc_client_new(vrpc_ev_node_manager(node), &ccfg, &ncfg.client);
    if (rc == 0)
        rc = vname_ns_new(&ncfg, &ns);
    if (rc == 0)
        ask(t, ncfg.client, "", w);
    else
        echo_fail(t, "no second client: %s", v23_strerror(rc));
    vname_ns_free(ns);
    vrpc_client_free(ncfg.client);
    if (node != NULL)
        vrpc_ev_node_free(node);
    vsec_blessings_unref(b);
    vsec_principal_unref(mcfg.principal);
}

static void third_party_caveat(struct echo_test *t)
{
    v23_security_caveat none = vsec_caveat_unconstrained(), c;
    struct vdl_str name;
    struct who w;

    if (!third_party(t, &none, &c))
        return;
    memset(&w, 0, sizeof(w));
    call_with_caveat(t, &c, &w);
    /* Dischargers are authorized by the rule that -allow-any-server lifts for
     * servers; none can be expected then. */
    if (t->failed || t->c->o->allow_any_server)
        return;
    ECHO_CHECK(t, w.who.discharges == 1, "%d discharges, want 1",
        w.who.discharges);
    ECHO_CHECK(t, w.who.remote_names.n == 1, "%lu names, want 1",
        (unsigned long)w.who.remote_names.n);
    name = w.who.remote_names.v[0];
    ECHO_CHECK(t, name.n > 6 && memcmp(name.p + name.n - 6, ":guest", 6) == 0,
        "the name is %.*s", (int)name.n, name.p);
}

static const struct {
    const char *name;
    void (*run)(struct echo_test *t);
} checks[] = {
    { "who-am-i", who_am_i },
    { "who-deadline", who_deadline },
    { "granted", granted },
    { "granted-to-another", granted_to_another },
    { "granter-fails", granter_fails },
    { "discharge", discharge },
    { "discharge-refused", discharge_refused },
    { "third-party-caveat", third_party_caveat },
};

static const char *check_name(size_t i)
{
    return checks[i].name;
}

static void run_check(struct echo_test *t, size_t i)
{
    checks[i].run(t);
}

const struct echo_checks echo_security_checks = { "security",
    sizeof(checks) / sizeof(checks[0]), check_name, run_check };

/* BSD-3-Clause; see LICENSE. */
/*
 * The object "__controller" (spec/wspr.md 7): servers, blessings and the store
 * of the connection's principal. Nobody is asked whether he may: who has the
 * websocket acts as the principal.
 */
#include "local_int.h"
#include "vom_int.h"

#include <stdio.h>
#include <string.h>
#include <vsec/check.h>
#include <vsec/principal.h>

#define REMOTE_NS (5 * V23_NS_PER_SEC)
#define BAD_PATTERN "v.io/x/ref/lib/security.errBadBlessingPattern"

/* ---- servers ------------------------------------------------------------- */

static int internal(struct wspr_call_ *call, const struct v23_verror **err,
    const char *text)
{
    struct vdl_str s = vdl_str(text);

    *err = vrpc_err_params(&call->arena, &call->ctx, VRPC_ERR_INTERNAL, &s, 1,
        "internal error: %s", text);
    return V23_EWIREERR;
}

static int new_server(struct wspr_call_ *call, const struct v23_verror **err)
{
    const v23_wspr_app_controller_new_server_in *in = call->in;
    const v23_wspr_app_rpc_server_option *o;
    struct wspr_server_ *s;
    struct wspr_serve_ what;
    uint32_t i;
    int rc;

    memset(&what, 0, sizeof(what));
    what.id = in->server_id;
    what.name = in->name;
    for (i = 0; i < in->server_opts.n; i++) {
        o = &in->server_opts.v[i];
        if (o->which == V23_WSPR_APP_RPC_SERVER_OPTION_IS_LEAF)
            what.leaf = o->u.is_leaf;
        else
            what.mount_table = o->u.serves_mount_table;
    }
    rc = wspr_servers_new_(call->c, &what, &s);
    if (rc == V23_EEXIST)
        return internal(call, err, "a server has that id already");
    return rc == V23_ELIMIT
        ? internal(call, err, "too many servers, or too long a name")
        : rc;
}

static int stop(struct wspr_call_ *call, const struct v23_verror **err)
{
    const v23_wspr_app_controller_stop_in *in = call->in;
    struct wspr_server_ *s = wspr_servers_find_(call->c, in->server_id);

    (void)err;
    if (s == NULL)
        return 0;
    wspr_servers_stop_(s, call);
    return V23_EAGAIN;
}

static struct wspr_server_ *find(struct wspr_call_ *call, uint32_t id,
    const struct v23_verror **err)
{
    struct wspr_server_ *s = wspr_servers_find_(call->c, id);
    char text[96];

    snprintf(text, sizeof(text),
        "Trying to getServerById, but id %u does not match any servers.",
        (unsigned)id);
    if (s == NULL)
        (void)internal(call, err, text);
    return s;
}

static int add_name(struct wspr_call_ *call, const struct v23_verror **err)
{
    const v23_wspr_app_controller_add_name_in *in = call->in;
    struct wspr_server_ *s = find(call, in->server_id, err);
    int rc = s == NULL ? V23_EWIREERR : wspr_servers_add_name_(s, in->name);

    return rc == V23_ELIMIT ? internal(call, err, "too many names") : rc;
}

static int remove_name(struct wspr_call_ *call, const struct v23_verror **err)
{
    const v23_wspr_app_controller_remove_name_in *in = call->in;
    struct wspr_ctl *c = call->c;
    struct wspr_server_ *s = find(call, in->server_id, err);

    if (s == NULL)
        return V23_EWIREERR;
    c->cfg.hooks->remove_name(c->cfg.ud, s->serving, in->name);
    wspr_signature_forget_(c, in->name);
    return 0;
}

/* ---- blessings ----------------------------------------------------------- */

/* All results that are an id are alone in their struct. */
static int answer(struct wspr_call_ *call, struct vsec_blessings *b)
{
    return wspr_vom_bless_(call->c, b, call->out);
}

static void issued(void *ud, int rc, struct vsec_blessings *b,
    struct vsec_discharge *d)
{
    struct wspr_call_ *call = ud;

    (void)d;
    if (rc == 0 && !call->over)
        rc = answer(call, b);
    wspr_local_done_(call, rc, NULL);
}

static void cancel_issue(struct wspr_call_ *call)
{
    vsec_issue_cancel(call->waits_for);
}

/* What bless…_start() has said; `b` is ours. */
static int started(struct wspr_call_ *call, int rc, struct vsec_blessings *b,
    struct vsec_issue *i)
{
    if (rc == V23_EAGAIN)
        call->waits_for = i;
    if (rc == 0)
        rc = answer(call, b);
    vsec_blessings_unref(b);
    return rc;
}

static int bless(struct wspr_call_ *call, const struct v23_verror **err)
{
    const v23_wspr_app_controller_bless_in *in = call->in;
    struct vsec_principal *p = call->c->cfg.principal;
    v23_security_caveat none = vsec_caveat_unconstrained();
    struct vsec_issue_wait wait = { issued, call };
    struct vsec_blessings *with = NULL, *b = NULL;
    struct vsec_pubkey *key = NULL;
    struct vsec_issue *issue = NULL;
    struct vsec_bless what;
    int rc;

    (void)err;
    rc = vsec_pubkey_parse(p->engine, in->public_key, &key);
    if (rc == 0)
        rc = wspr_vom_blessings_(call->c, &in->blessings, &with);
    if (rc == 0) {
        memset(&what, 0, sizeof(what));
        what.key = key;
        what.with = with;
        what.extension = in->extension;
        what.caveats = in->caveat;
        if (what.caveats.n == 0) {
            what.caveats.v = &none;
            what.caveats.n = 1;
        }
        rc = vsec_principal_bless_start(p, &what, &wait, &b, &issue);
        rc = started(call, rc, b, issue);
    }
    vsec_blessings_unref(with);
    vsec_pubkey_unref(key);
    return rc;
}

static int bless_self(struct wspr_call_ *call, const struct v23_verror **err)
{
    const v23_wspr_app_controller_bless_self_in *in = call->in;
    struct vsec_issue_wait wait = { issued, call };
    struct vsec_blessings *b = NULL;
    struct vsec_issue *issue = NULL;
    int rc;

    (void)err;
    rc = vsec_principal_bless_self_start(call->c->cfg.principal, in->name,
        in->caveats, &wait, &b, &issue);
    return started(call, rc, b, issue);
}

static int add_to_roots(struct wspr_call_ *call, const struct v23_verror **err)
{
    const v23_wspr_app_controller_add_to_roots_in *in = call->in;
    struct vsec_blessings *b = NULL;
    int rc;

    (void)err;
    rc = wspr_vom_blessings_(call->c, &in->blessings, &b);
    if (rc == 0)
        rc = vsec_principal_add_to_roots(call->c->cfg.principal, b);
    vsec_blessings_unref(b);
    return rc;
}

/* ---- the store ----------------------------------------------------------- */

static int store_set(struct wspr_call_ *call, const struct v23_verror **err)
{
    const v23_wspr_app_controller_blessing_store_set_in *in = call->in;
    struct vsec_store *store = call->c->cfg.principal->store;
    struct vsec_blessings *b = NULL, *old = NULL;
    int rc;

    rc = wspr_vom_blessings_(call->c, &in->blessings, &b);
    if (rc == 0)
        rc = vsec_store_set(store, b, in->pattern, &old);
    if (rc == V23_EPATTERN)
        *err = v23_verror_text(&call->arena, &call->ctx, vdl_str(BAD_PATTERN),
            V23_NO_RETRY, "invalid blessing pattern: %.*s",
            (int)in->pattern.n, in->pattern.p);
    if (rc == 0)
        rc = answer(call, old);
    vsec_blessings_unref(b);
    vsec_blessings_unref(old);
    return rc;
}

static int store_for_peer(struct wspr_call_ *call,
    const struct v23_verror **err)
{
    const v23_wspr_app_controller_blessing_store_for_peer_in *in = call->in;
    struct vsec_blessings *b = NULL;
    int rc;

    (void)err;
    rc = vsec_store_for_peer(call->c->cfg.principal->store,
        in->peer_blessings, &b);
    if (rc == 0)
        rc = answer(call, b);
    vsec_blessings_unref(b);
    return rc;
}

static int store_set_default(struct wspr_call_ *call,
    const struct v23_verror **err)
{
    const v23_wspr_app_controller_blessing_store_set_default_in *in =
        call->in;
    struct vsec_blessings *b = NULL;
    int rc;

    (void)err;
    rc = wspr_vom_blessings_(call->c, &in->blessings, &b);
    if (rc == 0)
        rc = vsec_store_set_default(call->c->cfg.principal->store, b);
    vsec_blessings_unref(b);
    return rc;
}

static int store_default(struct wspr_call_ *call,
    const struct v23_verror **err)
{
    (void)err;
    return answer(call, vsec_store_default(call->c->cfg.principal->store));
}

static int store_key(struct wspr_call_ *call, const struct v23_verror **err)
{
    v23_wspr_app_controller_blessing_store_public_key_out *out = call->out;
    const struct vsec_pubkey *k = call->c->cfg.principal->key;

    (void)err;
    out->public_key = vdl_bytes(k->der.p, k->der.n);
    return 0;
}

static int store_peers(struct wspr_call_ *call, const struct v23_verror **err)
{
    v23_wspr_app_controller_blessing_store_peer_blessings_out *out =
        call->out;
    v23_security_blessing_pattern_v23_wspr_principal_blessings_id_entry *v;
    const struct vsec_store_entry *e;
    size_t n, i;
    int rc = 0;

    (void)err;
    e = vsec_store_peers(call->c->cfg.principal->store, &n);
    v = v23_arena_get0(&call->arena, n, sizeof(*v), V23_ALIGNOF(void *));
    if (v == NULL || n > UINT32_MAX)
        return V23_ENOMEM;
    for (i = 0; i < n && rc == 0; i++) {
        v[i].key = e[i].pattern;
        rc = wspr_vom_bless_(call->c, e[i].b, &v[i].val);
    }
    out->peer_blessings.v = v;
    out->peer_blessings.n = (uint32_t)n;
    return rc;
}

static int store_debug(struct wspr_call_ *call, const struct v23_verror **err)
{
    v23_wspr_app_controller_blessing_store_debug_string_out *out = call->out;
    struct v23_buf b;
    int rc;

    (void)err;
    v23_buf_init(&b, call->c->al, 1u << 20);
    rc = vsec_store_format(call->c->cfg.principal->store, &b);
    if (rc == 0) {
        out->debug_string.p = v23_arena_dup(&call->arena, b.p, b.n);
        out->debug_string.n = (uint32_t)b.n;
        rc = out->debug_string.p == NULL ? V23_ENOMEM : 0;
    }
    v23_buf_fini(&b);
    return rc;
}

/* ---- others' servers ----------------------------------------------------- */

/* The server is known: its names are all that was wanted of it. */
static int take_names(void *ud, struct v23_op op, struct vrpc_call *rpc,
    struct vsec_blessings **none)
{
    struct wspr_call_ *call = ud;
    v23_wspr_app_controller_remote_blessings_out *out = call->out;
    vdl_str_list names = vrpc_call_server_names(rpc);

    (void)op;
    (void)none;
    if (vdl_copy(&call->arena, &vdl_str_list_desc, &out->remote_blessings,
            &names) == 0)
        call->nasked = 1;
    return V23_ECANCELED;
}

static void remote_done(void *ud, const struct v23_verror *err,
    const struct vdl_any *results, size_t n)
{
    struct wspr_call_ *call = ud;
    struct wspr_ctl *c = call->c;
    struct vdl_str why;

    (void)results;
    (void)n;
    c->nrpcs--;
    call->rpc = NULL;
    if (call->nasked > 0) {
        wspr_local_done_(call, 0, NULL);
    } else {
        why = err == NULL ? vdl_str("no names") : err->msg;
        if (!call->over)
            err = vrpc_err_params(&call->arena, &call->ctx,
                VRPC_ERR_INTERNAL, &why, 1, "internal error: %.*s",
                (int)why.n, why.p);
        wspr_local_done_(call, V23_EWIREERR, err);
    }
    wspr_ctl_progress_(c);
}

static const struct vrpc_any_cb remote_cb = { NULL, remote_done };

static int remote_blessings(struct wspr_call_ *call,
    const struct v23_verror **err)
{
    const v23_wspr_app_controller_remote_blessings_in *in = call->in;
    struct wspr_ctl *c = call->c;
    struct vrpc_call_opts *o = &call->opts;
    int rc = wspr_ctl_identity_(c);

    (void)err;
    if (rc != 0)
        return rc;
    call->granters[0].grant = take_names;
    call->granters[0].ud = call;
    o->granters = call->granters;
    o->ngranters = 1;
    o->timeout_ns = REMOTE_NS;
    if (call->deadline != V23_NEVER)
        o->deadline = call->deadline == 0 ? 1 : call->deadline;
    call->rpc = vrpc_client_start_any(c->client, in->name,
        wspr_upper_first_(&call->arena, in->method), o, NULL, 0,
        VRPC_ANY_RESULTS, &remote_cb, call);
    if (call->rpc == NULL)
        return V23_ENOMEM;
    c->nrpcs++;
    call->waits_for = call;
    vrpc_call_close_send(call->rpc);
    return V23_EAGAIN;
}

struct waiter {
    struct wspr_signature_wait_ w; /* first member */
    struct wspr_call_ *call;
};

static int give(struct wspr_call_ *call, const struct vdl_list *l)
{
    v23_wspr_app_controller_signature_out *out = call->out;

    out->signature.v = l->v; /* sent before it can change */
    out->signature.n = l->n;
    return 0;
}

static void signed_(struct wspr_signature_wait_ *w,
    const struct v23_verror *err, const struct vdl_list *l)
{
    struct wspr_call_ *call = ((struct waiter *)w)->call;

    if (err == NULL)
        (void)give(call, l);
    wspr_local_done_(call, err == NULL ? 0 : V23_EWIREERR, err);
}

static void cancel_signature(struct wspr_call_ *call)
{
    wspr_signature_cancel_(call->waits_for);
}

static int signature(struct wspr_call_ *call, const struct v23_verror **err)
{
    const v23_wspr_app_controller_signature_in *in = call->in;
    struct waiter *w = v23_arena_new(&call->arena, struct waiter);
    const struct vdl_list *l = NULL;
    int rc;

    (void)err;
    if (w == NULL)
        return V23_ENOMEM;
    w->w.done = signed_;
    w->call = call;
    rc = wspr_signature_get_(call->c, in->name, call, &w->w, &l);
    if (rc == V23_EAGAIN)
        call->waits_for = w;
    return rc == 0 ? give(call, l) : rc;
}

const struct wspr_local_ wspr_controller_[] = {
    { "NewServer", new_server, NULL, NULL },
    { "Stop", stop, NULL, NULL },
    { "AddName", add_name, NULL, NULL },
    { "RemoveName", remove_name, NULL, NULL },
    { "Bless", bless, cancel_issue, NULL },
    { "BlessSelf", bless_self, cancel_issue, NULL },
    { "AddToRoots", add_to_roots, NULL, NULL },
    { "BlessingStoreSet", store_set, NULL, NULL },
    { "BlessingStoreForPeer", store_for_peer, NULL, NULL },
    { "BlessingStoreSetDefault", store_set_default, NULL, NULL },
    { "BlessingStoreDefault", store_default, NULL, NULL },
    { "BlessingStorePublicKey", store_key, NULL, NULL },
    { "BlessingStorePeerBlessings", store_peers, NULL, NULL },
    { "BlessingStoreDebugString", store_debug, NULL, NULL },
    { "RemoteBlessings", remote_blessings, NULL, NULL },
    { "Signature", signature, cancel_signature, NULL },
};

/* BSD-3-Clause; see LICENSE. */
/*
 * What an agent does for its users (spec 15.2, 15.3): one handler for each
 * method, over a principal of any kind.
 */
#include "agent_int.h"

#include <v23/vdl/v.io/x/ref/services/agent/internal/server/server.vdl.h>
#include <vsec/check.h>
#include <vsec/pattern.h>

enum { TEXT = 4 << 20 };

/* A call being worked on. */
struct work {
    struct vsec_agent_server *s;
    struct vsec_principal *p;
    struct vsec_agent_call_ *call;
    struct v23_arena *a; /* the call's */
    const void *args;
    void *results;
    const struct v23_verror *err; /* with V23_EWIREERR */
};

/* ---- values -------------------------------------------------------------- */

static int take_blessings(struct work *w,
    const v23_security_wire_blessings *in, struct vsec_blessings **out)
{
    return vsec_blessings_from_wire(w->s->engine, w->s->cache, in, out);
}

/* Results point into the object, which lives as long as the call. Gives up
 * the caller's reference. */
static int put_blessings(struct work *w, struct vsec_blessings *b,
    v23_security_wire_blessings *out)
{
    int rc;

    if (b == NULL)
        return 0;
    rc = v23_arena_hold(w->a, &b->ref);
    if (rc == 0)
        *out = vsec_blessings_wire(b);
    vsec_blessings_unref(b);
    return rc;
}

static int put_discharge(struct work *w, struct vsec_discharge *d,
    v23_security_wire_discharge *out)
{
    int rc;

    if (d == NULL)
        return 0;
    rc = v23_arena_hold(w->a, &d->ref);
    if (rc == 0)
        *out = d->wire;
    vsec_discharge_unref(d);
    return rc;
}

/* The additional caveats, then the one that must be there. */
static int join(struct work *w, v23_security_caveat one,
    v23_security_caveat_list more, v23_security_caveat_list *out)
{
    v23_security_caveat *v = v23_arena_get0(w->a, (size_t)more.n + 1,
        sizeof(*v), V23_ALIGNOF(v23_security_caveat));

    if (v == NULL)
        return V23_ENOMEM;
    if (more.n > 0)
        memcpy(v, more.v, more.n * sizeof(*v));
    v[more.n] = one;
    out->v = v;
    out->n = more.n + 1;
    return 0;
}

/* ---- the key ------------------------------------------------------------- */

static void reply(struct vsec_agent_server *s, struct vsec_agent_call_ *call,
    int rc, const struct v23_verror *err);

/* A key that takes its time has made it, or not. */
static void issued(void *ud, int rc, struct vsec_blessings *b,
    struct vsec_discharge *d)
{
    struct vsec_agent_call_ *call = ud;

    call->then.done = NULL;
    if (rc == 0)
        rc = v23_arena_hold(&call->arena, b != NULL ? &b->ref : &d->ref);
    if (rc == 0 && b != NULL)
        ((v23_agent_blessings *)call->results)->blessings
            = vsec_blessings_wire(b);
    else if (rc == 0)
        ((v23_agent_discharge *)call->results)->discharge = d->wire;
    reply(call->c->end.ud, call, rc, NULL);
}

static void issue_canceled(struct vsec_agent_call_ *call)
{
    vsec_issue_cancel(call->then.ud);
}

/* The outcome of a start: V23_EAGAIN goes on by issued(). */
static int start(struct work *w, int rc, struct vsec_issue *i)
{
    if (rc == V23_EAGAIN) {
        w->call->then.done = issue_canceled;
        w->call->then.ud = i;
    }
    return rc;
}

static int do_bless(struct work *w)
{
    const struct vsec_issue_wait wait = { issued, w->call };
    const v23_agent_bless_args *a = w->args;
    v23_agent_blessings *r = w->results;
    struct vsec_blessings *b = NULL;
    struct vsec_issue *i = NULL;
    struct vsec_pubkey *key = NULL;
    struct vsec_bless what;
    int rc;

    memset(&what, 0, sizeof(what));
    what.extension = a->extension;
    rc = vsec_pubkey_parse(w->s->engine, a->key, &key);
    if (rc == 0)
        rc = take_blessings(w, &a->extended, &what.with);
    if (rc == 0)
        rc = join(w, a->caveat, a->additional_caveats, &what.caveats);
    what.key = key;
    if (rc == 0)
        rc = start(w, vsec_principal_bless_start(w->p, &what, &wait, &b, &i),
            i);
    if (rc == 0)
        rc = put_blessings(w, b, &r->blessings);
    vsec_blessings_unref(what.with);
    vsec_pubkey_unref(key);
    return rc;
}

static int do_bless_self(struct work *w)
{
    const struct vsec_issue_wait wait = { issued, w->call };
    const v23_agent_bless_self_args *a = w->args;
    v23_agent_blessings *r = w->results;
    struct vsec_issue *i = NULL;
    struct vsec_blessings *b;
    int rc = vsec_principal_bless_self_start(w->p, a->name, a->caveats, &wait,
        &b, &i);

    rc = start(w, rc, i);
    return rc == 0 ? put_blessings(w, b, &r->blessings) : rc;
}

static void signed_later(void *ud, struct v23_op op, int rc,
    const struct vsec_signature *sig)
{
    struct vsec_agent_call_ *call = ud;
    v23_agent_signature *r = call->results;

    (void)op;
    call->then.done = NULL;
    if (rc == 0)
        r->signature = vsec_signature_to_wire(sig);
    reply(call->c->end.ud, call, rc, NULL);
}

static void sign_canceled(struct vsec_agent_call_ *call)
{
    const struct v23_op op = { 0, 1 };
    struct vsec_agent_server *s = call->c->end.ud;

    vsec_principal_sign_cancel(s->principal, call, op);
}

static int do_sign(struct work *w)
{
    const v23_agent_bytes *a = w->args;
    const struct vsec_sign_wait wait = { signed_later, w->call, { 0, 1 } };
    v23_agent_signature *r = w->results;
    struct vsec_signature sig;
    int rc = vsec_principal_sign(w->p, a->bytes.p, a->bytes.n, w->a, &sig,
        &wait);

    if (rc == 0)
        r->signature = vsec_signature_to_wire(&sig);
    if (rc == V23_EAGAIN)
        w->call->then.done = sign_canceled;
    return rc;
}

static int do_mint(struct work *w)
{
    const struct vsec_issue_wait wait = { issued, w->call };
    const v23_agent_mint_args *a = w->args;
    v23_agent_discharge *r = w->results;
    struct vsec_issue *i = NULL;
    struct vsec_discharge *d;
    struct vsec_mint what;
    int rc;

    what.caveat = &a->for_caveat;
    rc = join(w, a->caveat_on_discharge, a->additional_caveats,
        &what.caveats);
    if (rc == 0)
        rc = start(w, vsec_principal_mint_start(w->p, &what, &wait, &d, &i),
            i);
    return rc == 0 ? put_discharge(w, d, &r->discharge) : rc;
}

static int do_public_key(struct work *w)
{
    ((v23_agent_bytes *)w->results)->bytes = w->p->key->der;
    return 0;
}

/* ---- looking at blessings (of 2015) -------------------------------------- */

/* Has some name of `b` the pattern? */
static bool named(struct work *w, const struct vsec_blessings *b,
    struct vdl_str pattern)
{
    vdl_str_list names;

    if (b == NULL
        || vsec_principal_names(w->p, b, w->call->c->now, w->a, &names) != 0)
        return false;
    return vsec_pattern_matched(pattern, names);
}

static int do_by_name(struct work *w)
{
    const v23_agent_pattern *a = w->args;
    v23_agent_blessings_list *r = w->results;
    const struct vsec_store_entry *e;
    v23_security_wire_blessings *v;
    uint32_t n = 0, k;
    size_t i, count;
    struct vsec_blessings *b = vsec_store_default(w->p->store);

    e = vsec_store_peers(w->p->store, &count);
    v = v23_arena_get0(w->a, count + 1, sizeof(*v),
        V23_ALIGNOF(v23_security_wire_blessings));
    if (v == NULL)
        return V23_ENOMEM;
    if (named(w, b, a->pattern))
        v[n++] = vsec_blessings_wire(b);
    for (i = 0; i < count; i++) {
        if (!named(w, e[i].b, a->pattern))
            continue;
        v[n] = vsec_blessings_wire(e[i].b);
        for (k = 0; k < n; k++) /* each object once */
            if (v[k].certificate_chains.v == v[n].certificate_chains.v)
                break;
        n = k == n ? n + 1 : n;
    }
    r->list.v = v;
    r->list.n = n;
    return 0;
}

static int chain_caveats(struct work *w, const struct vsec_chain *c,
    v23_security_caveat_list *out)
{
    v23_security_caveat *v = v23_arena_get0(w->a, c->ncaveats, sizeof(*v),
        V23_ALIGNOF(v23_security_caveat));
    v23_security_caveat_list l;
    uint32_t i, n = 0;

    if (v == NULL)
        return V23_ENOMEM;
    for (i = 0; i < c->certs.n; i++) {
        l = c->certs.v[i].caveats;
        if (l.n > 0)
            memcpy(v + n, l.v, l.n * sizeof(*v));
        n += l.n;
    }
    out->v = v;
    out->n = n;
    return 0;
}

/* Names whose root is recognized, with their caveats. */
static int do_info(struct work *w)
{
    const v23_agent_blessings *a = w->args;
    v23_agent_blessings_info *r = w->results;
    vdl_str_v23_security_caveat_list_entry *v;
    const struct vsec_chain *c;
    struct vsec_blessings *b;
    uint32_t i, n = 0;
    int rc = take_blessings(w, &a->blessings, &b);

    if (rc != 0 || b == NULL)
        return rc;
    rc = v23_arena_hold(w->a, &b->ref);
    vsec_blessings_unref(b);
    if (rc != 0)
        return rc;
    v = v23_arena_get0(w->a, b->nchains, sizeof(*v),
        V23_ALIGNOF(vdl_str_v23_security_caveat_list_entry));
    if (v == NULL)
        return V23_ENOMEM;
    for (i = 0; rc == 0 && !b->nameless && i < b->nchains; i++) {
        c = &b->chains[i];
        if (vsec_roots_recognized_cert(w->p->roots, &c->certs.v[0], c->name,
                w->call->c->now, w->a, NULL) != 0)
            continue;
        v[n].key = c->name;
        rc = chain_caveats(w, c, &v[n++].val);
    }
    r->info.v = v;
    r->info.n = n;
    return rc;
}

static int do_add_to_roots(struct work *w)
{
    const v23_agent_blessings *a = w->args;
    struct vsec_blessings *b;
    int rc = take_blessings(w, &a->blessings, &b);

    if (rc == 0)
        rc = vsec_principal_add_to_roots(w->p, b);
    vsec_blessings_unref(rc == 0 ? b : NULL);
    return rc;
}

/* ---- the store ----------------------------------------------------------- */

static int do_set(struct work *w)
{
    const v23_agent_set_args *a = w->args;
    v23_agent_blessings *r = w->results;
    struct vsec_blessings *b, *old = NULL;
    int rc = take_blessings(w, &a->blessings, &b);

    if (rc != 0)
        return rc;
    rc = vsec_store_set(w->p->store, b, a->for_peers, &old);
    vsec_blessings_unref(b);
    return rc == 0 ? put_blessings(w, old, &r->blessings) : rc;
}

static int do_for_peer(struct work *w)
{
    const v23_agent_names *a = w->args;
    v23_agent_blessings *r = w->results;
    struct vsec_blessings *b;
    int rc = vsec_store_for_peer(w->p->store, a->names, &b);

    return rc == 0 ? put_blessings(w, b, &r->blessings) : rc;
}

static int do_set_default(struct work *w)
{
    const v23_agent_blessings *a = w->args;
    struct vsec_blessings *b;
    int rc = take_blessings(w, &a->blessings, &b);

    if (rc != 0)
        return rc;
    rc = vsec_store_set_default(w->p->store, b);
    vsec_blessings_unref(b);
    return rc;
}

static int do_default(struct work *w)
{
    v23_agent_blessings *r = w->results;

    r->blessings = vsec_blessings_wire(vsec_store_default(w->p->store));
    return 0;
}

static int do_peers(struct work *w)
{
    v23_agent_peers *r = w->results;
    v23_security_blessing_pattern_wire_blessings_entry *v;
    const struct vsec_store_entry *e;
    size_t i, n;

    e = vsec_store_peers(w->p->store, &n);
    v = v23_arena_get0(w->a, n, sizeof(*v),
        V23_ALIGNOF(v23_security_blessing_pattern_wire_blessings_entry));
    if (v == NULL)
        return V23_ENOMEM;
    for (i = 0; i < n; i++) {
        v[i].key = e[i].pattern;
        v[i].val = vsec_blessings_wire(e[i].b);
    }
    r->peers.v = v;
    r->peers.n = (uint32_t)n;
    return 0;
}

/* A table of `principal dump`. */
static int put_text(struct work *w, struct v23_buf *b, int rc)
{
    v23_agent_text *r = w->results;
    const char *p = rc == 0 ? v23_arena_dup(w->a, b->p, b->n) : NULL;

    if (rc == 0 && p == NULL)
        rc = V23_ENOMEM;
    if (rc == 0)
        r->text = vdl_strn(p, b->n);
    v23_buf_fini(b);
    return rc;
}

static int do_store_text(struct work *w)
{
    struct v23_buf b;

    v23_buf_init(&b, w->s->engine->al, TEXT);
    return put_text(w, &b, vsec_store_format(w->p->store, &b));
}

static int do_cache(struct work *w)
{
    const v23_agent_cache_args *a = w->args;
    struct vsec_discharge *d;
    int rc = vsec_discharge_from_wire(w->s->engine->al, &a->discharge, &d);

    if (rc != 0)
        return rc;
    rc = vsec_store_cache_discharge(w->p->store, d, &a->caveat, &a->impetus,
        w->call->c->now);
    vsec_discharge_unref(d);
    return rc;
}

static int do_clear(struct work *w)
{
    const v23_agent_discharges *a = w->args;
    struct vsec_discharge **v = v23_arena_get0(w->a, a->list.n, sizeof(*v),
        V23_ALIGNOF(struct vsec_discharge *));
    uint32_t i, n = 0;
    int rc = v == NULL ? V23_ENOMEM : 0;

    for (; rc == 0 && n < a->list.n; n += rc == 0)
        rc = vsec_discharge_from_wire(w->s->engine->al, &a->list.v[n], &v[n]);
    if (rc == 0)
        rc = vsec_store_clear_discharges(w->p->store, v, n);
    for (i = 0; i < n; i++)
        vsec_discharge_unref(v[i]);
    return rc;
}

static int look_up(struct work *w, v23_security_wire_discharge *out,
    struct v23_walltime *cached)
{
    const v23_agent_look_up_args *a = w->args;
    struct vsec_discharge *d;
    int rc = vsec_store_discharge(w->p->store, &a->caveat, &a->impetus,
        w->call->c->now, &d, cached);

    return rc == 0 ? put_discharge(w, d, out) : rc;
}

static int do_discharge(struct work *w)
{
    return look_up(w, &((v23_agent_discharge *)w->results)->discharge, NULL);
}

static int do_discharge2(struct work *w)
{
    v23_agent_discharge_time *r = w->results;
    struct v23_walltime cached = vsec_time_from_wire(r->cache_time);
    int rc = look_up(w, &r->discharge, &cached);

    r->cache_time = vsec_time_to_wire(cached);
    return rc;
}

/* ---- the roots ----------------------------------------------------------- */

static int do_roots_add(struct work *w)
{
    const v23_agent_root_args *a = w->args;

    return vsec_roots_add(w->p->roots, a->key, a->pattern);
}

static int do_recognized(struct work *w)
{
    const v23_agent_recognized_args *a = w->args;
    v23_security_certificate cert;

    memset(&cert, 0, sizeof(cert));
    cert.public_key = a->key;
    return vsec_roots_recognized_cert(w->p->roots, &cert, a->name,
        w->call->c->now, w->a, &w->err);
}

/* Roots by pattern: the other way round than they are kept. */
static int do_roots_dump(struct work *w)
{
    typedef v23_security_blessing_pattern_bytes_list_entry entry;
    v23_agent_roots *r = w->results;
    const struct vsec_root *roots;
    struct vdl_bytes *keys;
    size_t i, k, j, n, total = 0, nv = 0;
    entry *v;

    roots = vsec_roots_all(w->p->roots, &n);
    for (i = 0; i < n; i++)
        total += roots[i].npatterns;
    v = v23_arena_get0(w->a, total, sizeof(*v), V23_ALIGNOF(entry));
    if (v == NULL)
        return V23_ENOMEM;
    for (i = 0; i < n; i++)
        for (k = 0; k < roots[i].npatterns; k++) {
            for (j = 0; j < nv; j++)
                if (vdl_str_eq(v[j].key, roots[i].patterns[k]))
                    break;
            v[j].key = roots[i].patterns[k];
            v[j].val.n++;
            nv = j == nv ? nv + 1 : nv;
        }
    for (j = 0; j < nv; j++) {
        keys = v23_arena_get0(w->a, v[j].val.n, sizeof(*keys),
            V23_ALIGNOF(struct vdl_bytes));
        if (keys == NULL)
            return V23_ENOMEM;
        v[j].val.v = keys;
        for (i = 0; i < n; i++)
            for (k = 0; k < roots[i].npatterns; k++)
                if (vdl_str_eq(v[j].key, roots[i].patterns[k]))
                    *keys++ = roots[i].key;
    }
    r->roots.v = v;
    r->roots.n = (uint32_t)nv;
    return 0;
}

static int do_roots_text(struct work *w)
{
    struct v23_buf b;

    v23_buf_init(&b, w->s->engine->al, TEXT);
    return put_text(w, &b, vsec_roots_format(w->p->roots, &b));
}

/* ---- other keys ---------------------------------------------------------- */

static int no_manager(struct work *w)
{
    w->err = v23_server_err_err_not_multi_key_mode(w->a, NULL);
    return V23_EWIREERR;
}

static int do_key_new(struct work *w)
{
    const v23_agent_new_args *a = w->args;
    v23_agent_key_args *r = w->results;
    int rc;

    if (!w->s->manages)
        return no_manager(w);
    rc = w->s->manager.create(w->s->manager.ud, a->in_memory, r->handle.v);
    if (rc != V23_ESTATE)
        return rc;
    w->err = v23_server_err_err_storage_path_required(w->a, NULL);
    return V23_EWIREERR;
}

static int do_key_serve(struct work *w)
{
    const v23_agent_serve_args *a = w->args;
    const char *path;

    if (!w->s->manages)
        return no_manager(w);
    if (a->path.n == 0 || memchr(a->path.p, 0, a->path.n) != NULL)
        return V23_EARG;
    path = v23_arena_dup(w->a, a->path.p, a->path.n);
    if (path == NULL)
        return V23_ENOMEM;
    return w->s->manager.serve(w->s->manager.ud, a->handle.v, path);
}

static int do_key_stop(struct work *w)
{
    const v23_agent_key_args *a = w->args;

    if (!w->s->manages)
        return no_manager(w);
    return w->s->manager.stop(w->s->manager.ud, a->handle.v);
}

static int do_key_delete(struct work *w)
{
    const v23_agent_key_args *a = w->args;

    if (!w->s->manages)
        return no_manager(w);
    return w->s->manager.remove(w->s->manager.ud, a->handle.v);
}

/* ---- calls --------------------------------------------------------------- */

static const struct {
    int (*fn)(struct work *w);
    bool changes;
} handlers[VSEC_AGENT_METHODS_] = {
    [VSEC_AGENT_BLESS_] = { do_bless, false },
    [VSEC_AGENT_BLESS_SELF_] = { do_bless_self, false },
    [VSEC_AGENT_SIGN_] = { do_sign, false },
    [VSEC_AGENT_MINT_] = { do_mint, false },
    [VSEC_AGENT_PUBLIC_KEY_] = { do_public_key, false },
    [VSEC_AGENT_BY_NAME_] = { do_by_name, false },
    [VSEC_AGENT_INFO_] = { do_info, false },
    [VSEC_AGENT_ADD_TO_ROOTS_] = { do_add_to_roots, true },
    [VSEC_AGENT_STORE_SET_] = { do_set, true },
    [VSEC_AGENT_STORE_FOR_PEER_] = { do_for_peer, false },
    [VSEC_AGENT_STORE_SET_DEFAULT_] = { do_set_default, true },
    [VSEC_AGENT_STORE_DEFAULT_] = { do_default, false },
    [VSEC_AGENT_STORE_PEERS_] = { do_peers, false },
    [VSEC_AGENT_STORE_TEXT_] = { do_store_text, false },
    [VSEC_AGENT_STORE_CACHE_] = { do_cache, false },
    [VSEC_AGENT_STORE_CLEAR_] = { do_clear, false },
    [VSEC_AGENT_STORE_DISCHARGE_] = { do_discharge, false },
    [VSEC_AGENT_STORE_DISCHARGE2_] = { do_discharge2, false },
    [VSEC_AGENT_ROOTS_ADD_] = { do_roots_add, true },
    [VSEC_AGENT_ROOTS_RECOGNIZED_] = { do_recognized, false },
    [VSEC_AGENT_ROOTS_DUMP_] = { do_roots_dump, false },
    [VSEC_AGENT_ROOTS_TEXT_] = { do_roots_text, false },
    [VSEC_AGENT_KEY_NEW_] = { do_key_new, false },
    [VSEC_AGENT_KEY_SERVE_] = { do_key_serve, false },
    [VSEC_AGENT_KEY_STOP_] = { do_key_stop, false },
    [VSEC_AGENT_KEY_DELETE_] = { do_key_delete, false },
};

/* With an error the results are zero, but they are sent (15.1). */
static void reply(struct vsec_agent_server *s, struct vsec_agent_call_ *call,
    int rc, const struct v23_verror *err)
{
    struct v23_errctx ctx;

    if (rc != 0) {
        memset(call->results, 0, call->m->results->size);
        ctx.component = vdl_str(s->name);
        ctx.op = vdl_str("");
        if (err == NULL)
            err = vsec_agent_error_(&call->arena, &ctx, rc);
    }
    vsec_agent_answer_(call, err);
}

void vsec_agent_request_(void *ud, struct vsec_agent_call_ *call)
{
    size_t no = (size_t)(call->m - vsec_agent_methods_);
    struct work w;
    int rc;

    memset(&w, 0, sizeof(w));
    w.s = ud;
    w.p = w.s->principal;
    w.call = call;
    w.a = &call->arena;
    w.args = call->args;
    w.results = call->results;
    rc = handlers[no].fn(&w);
    if (rc == V23_EAGAIN && call->then.done != NULL)
        return; /* the answer comes later */
    reply(w.s, call, rc, w.err);
    /* Of several roots some may have been added before it failed. */
    if (handlers[no].changes)
        vsec_agent_server_flush(w.s);
}

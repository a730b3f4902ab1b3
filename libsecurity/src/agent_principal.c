/* BSD-3-Clause; see LICENSE. */
/*
 * The parts of a principal whose key is an agent's: signer, store and roots
 * that share the connection, each keeping it alive. What the agent makes
 * (blessings, discharges) is verified or bound to what was asked for, so that
 * it cannot pass anything off as something else.
 */
#include "agent_int.h"

#include "blessings_int.h"
#include "store_int.h"

#include <vom/time.h>

struct agent_signer {
    struct vsec_signer s;
    struct vsec_agent_client *cl; /* a reference */
};
struct agent_store {
    struct vsec_store s;
    struct vsec_agent_client *cl;
};
struct agent_roots {
    struct vsec_roots r;
    struct vsec_agent_client *cl;
};

static struct vsec_agent_client *of_signer(struct vsec_signer *s)
{
    return ((struct agent_signer *)(void *)s)->cl;
}

static struct vsec_agent_client *of_store(struct vsec_store *s)
{
    return ((struct agent_store *)(void *)s)->cl;
}

static struct vsec_agent_client *ref_client(struct vsec_agent_client *cl)
{
    v23_ref(&cl->ref);
    return cl;
}

/* ---- signer -------------------------------------------------------------- */

/* What somebody waits for. */
struct vsec_agent_later_ {
    struct vsec_agent_later_ *next;
    void *ud; /* with op: who waits */
    struct v23_op op;
    bool canceled;
    struct vsec_sign_req req; /* a signature … */
    struct vsec_look_up_wait look_up; /* … or a discharge, good at `now` */
    struct v23_walltime now;
    struct vsec_issue *issue; /* … or what is made with the key */
    struct vsec_pubkey *key;  /* … bound to, or signed by, this one */
};

static struct vsec_agent_later_ *later_new(struct vsec_agent_client *cl,
    void *ud, struct v23_op op)
{
    struct vsec_agent_later_ *w = v23_new(cl->engine->al,
        struct vsec_agent_later_);

    if (w == NULL)
        return NULL;
    w->ud = ud;
    w->op = op;
    w->next = cl->later;
    cl->later = w;
    return w;
}

static void later_free(struct vsec_agent_client *cl,
    struct vsec_agent_later_ *w)
{
    struct vsec_agent_later_ **p;

    for (p = &cl->later; *p != w; p = &(*p)->next)
        ;
    *p = w->next;
    vsec_pubkey_unref(w->key);
    v23_put(cl->engine->al, w);
}

/* Ask for it; V23_EAGAIN, or why not. */
static int later_start(struct vsec_agent_client *cl,
    struct vsec_agent_later_ *w, enum vsec_agent_method_no_ m,
    const void *args, void (*done)(struct vsec_agent_call_ *call))
{
    const struct vsec_agent_then_ then = { done, w, false };
    int rc = vsec_agent_start_(cl->conn, m, args, &then, NULL);

    if (rc == 0)
        return V23_EAGAIN;
    later_free(cl, w);
    return rc == V23_EAGAIN ? V23_ELIMIT : rc;
}

static void later_cancel(struct vsec_agent_client *cl, void *ud,
    struct v23_op op)
{
    struct vsec_agent_later_ *w;

    for (w = cl->later; w != NULL; w = w->next)
        if (w->ud == ud && w->op.index == op.index
            && w->op.generation == op.generation)
            w->canceled = true;
}

static bool is_text(struct vdl_bytes b, const void *p, size_t n)
{
    return b.n == n && memcmp(b.p, p, n) == 0;
}

/* The value of a signature by this key, of what was asked for. */
static int take_signature(const struct vsec_sign_req *req,
    const v23_security_signature *sig, struct vsec_sigval *val)
{
    if (!is_text(sig->purpose, req->purpose, req->purpose_len)
        || !vdl_str_is(sig->hash, req->hash->name))
        return V23_ESIG;
    memset(val, 0, sizeof(*val));
    switch (req->key->alg->kind) {
    case VSEC_ECDSA:
        val->a = v23_bytes(sig->r.p, sig->r.n);
        val->b = v23_bytes(sig->s.p, sig->s.n);
        break;
    case VSEC_ED25519:
        val->a = v23_bytes(sig->ed25519.p, sig->ed25519.n);
        break;
    case VSEC_RSA:
        val->a = v23_bytes(sig->rsa.p, sig->rsa.n);
        break;
    }
    return val->a.n == 0 || val->a.n + val->b.n > VSEC_SIG_MAX ? V23_ESIG : 0;
}

static void signed_later(struct vsec_agent_call_ *call)
{
    struct vsec_agent_later_ *w = call->then.ud;
    const v23_agent_signature *r = call->results;
    struct vsec_sign_req req = w->req;
    bool canceled = w->canceled;
    struct vsec_sigval val;
    int rc = call->rc;

    later_free(call->c->end.ud, w);
    if (canceled)
        return;
    if (rc == 0)
        rc = take_signature(&req, &r->signature, &val);
    vsec_sign_complete(&req, rc, &val);
}

static int sign_later(struct vsec_agent_client *cl,
    const struct vsec_sign_req *req, const v23_agent_bytes *args)
{
    struct vsec_agent_later_ *w = later_new(cl, req->wait.ud, req->wait.op);

    if (w == NULL)
        return V23_ENOMEM;
    w->req = *req;
    return later_start(cl, w, VSEC_AGENT_SIGN_, args, signed_later);
}

static int sign(struct vsec_signer *s, const struct vsec_sign_req *req,
    uint8_t *buf, struct vsec_sigval *sig)
{
    struct vsec_agent_client *cl = of_signer(s);
    struct vsec_agent_call_ *call;
    v23_agent_bytes args;
    int rc;

    /* The agent signs messages only (15.2). */
    if (!is_text(vdl_bytes(req->purpose, req->purpose_len),
            VSEC_PURPOSE_MESSAGE, strlen(VSEC_PURPOSE_MESSAGE)))
        return V23_ENOSYS;
    if (cl->conn == NULL)
        return V23_ECLOSED;
    args.bytes = vdl_bytes(req->msg.p, req->msg.n);
    if (req->wait.done != NULL)
        return sign_later(cl, req, &args);
    rc = vsec_agent_client_ask_(cl, VSEC_AGENT_SIGN_, &args, &call);
    if (rc != 0)
        return rc;
    rc = take_signature(req,
        &((const v23_agent_signature *)call->results)->signature, sig);
    if (rc == 0) {
        memcpy(buf, sig->a.p, sig->a.n);
        sig->a.p = buf;
        if (sig->b.n > 0)
            memcpy(buf + sig->a.n, sig->b.p, sig->b.n);
        sig->b.p = buf + sig->a.n;
    }
    vsec_agent_call_free_(call);
    return rc;
}

static void cancel(struct vsec_signer *s, void *wait_ud, struct v23_op op)
{
    later_cancel(of_signer(s), wait_ud, op);
}

static void destroy_signer(struct vsec_signer *s)
{
    struct vsec_agent_client *cl = of_signer(s);

    v23_put(cl->engine->al, s);
    vsec_agent_client_unref_(cl);
}

static const struct vsec_key_ops signer_ops = { sign, cancel, destroy_signer,
    NULL };

/* ---- store --------------------------------------------------------------- */

static int set(struct vsec_store *s, struct vsec_blessings *b,
    struct vdl_str pattern, struct vsec_blessings **old)
{
    struct vsec_agent_client *cl = of_store(s);
    struct vsec_blessings *previous = NULL;
    struct vsec_agent_call_ *call;
    v23_agent_set_args args;
    int rc;

    args.blessings = vsec_blessings_wire(b);
    args.for_peers = pattern;
    rc = vsec_agent_client_change_(cl, VSEC_AGENT_STORE_SET_, &args, &call);
    if (rc != 0)
        return rc;
    if (old != NULL) {
        rc = vsec_agent_blessings_(cl,
            &((const v23_agent_blessings *)call->results)->blessings, s->key,
            &previous);
        *old = previous;
    }
    vsec_agent_call_free_(call);
    return rc;
}

static int set_default(struct vsec_store *s, struct vsec_blessings *b)
{
    v23_agent_blessings args;

    args.blessings = vsec_blessings_wire(b);
    return vsec_agent_client_change_(of_store(s),
        VSEC_AGENT_STORE_SET_DEFAULT_, &args, NULL);
}

static int cache_discharge(struct vsec_store *s, struct vsec_discharge *d,
    const v23_security_caveat *caveat,
    const v23_security_discharge_impetus *impetus)
{
    v23_agent_cache_args args;

    args.discharge = d->wire;
    args.caveat = *caveat;
    args.impetus = *impetus;
    return vsec_agent_client_tell_(of_store(s), VSEC_AGENT_STORE_CACHE_,
        &args);
}

static int clear_discharges(struct vsec_store *s,
    struct vsec_discharge *const *v, size_t n)
{
    struct vsec_agent_client *cl = of_store(s);
    v23_security_wire_discharge *list = v23_get0(cl->engine->al, n + 1,
        sizeof(*list));
    v23_agent_discharges args;
    size_t i;
    int rc;

    if (list == NULL)
        return V23_ENOMEM;
    for (i = 0; i < n; i++)
        list[i] = v[i]->wire;
    args.list.v = list;
    args.list.n = (uint32_t)n;
    rc = vsec_agent_client_tell_(cl, VSEC_AGENT_STORE_CLEAR_, &args);
    v23_put(cl->engine->al, list);
    return rc;
}

/* Agents of before 2016 do not say when a discharge was cached. */
static int ask_discharge(struct vsec_agent_client *cl,
    const v23_agent_look_up_args *args, struct vsec_agent_call_ **call)
{
    int rc = V23_EWIREERR;

    if (!cl->old)
        rc = vsec_agent_client_ask_(cl, VSEC_AGENT_STORE_DISCHARGE2_, args,
            call);
    if (rc == V23_EWIREERR) {
        rc = vsec_agent_client_ask_(cl, VSEC_AGENT_STORE_DISCHARGE_, args,
            call);
        cl->old = rc == 0;
    }
    return rc;
}

/* What a look-up has found; NULL = nothing. */
static int take_discharge(struct vsec_agent_client *cl,
    const struct vsec_agent_call_ *call, struct vsec_discharge **d,
    struct v23_walltime *cached)
{
    const v23_agent_discharge_time *r = call->results;
    const v23_security_wire_discharge *w = &r->discharge;
    v23_time_time when = { 0, 0 };

    if (call->m == &vsec_agent_methods_[VSEC_AGENT_STORE_DISCHARGE2_])
        when = r->cache_time;
    else
        w = &((const v23_agent_discharge *)call->results)->discharge;
    if (cached != NULL)
        *cached = vsec_time_from_wire(when);
    if (w->u.public_key.third_party_caveat_id.n == 0)
        return 0;
    return vsec_discharge_from_wire(cl->engine->al, w, d);
}

static int discharge(struct vsec_store *s, const v23_security_caveat *caveat,
    const v23_security_discharge_impetus *impetus, struct vsec_discharge **d,
    struct v23_walltime *cached)
{
    struct vsec_agent_client *cl = of_store(s);
    struct vsec_agent_call_ *call;
    v23_agent_look_up_args args;
    int rc;

    args.caveat = *caveat;
    args.impetus = *impetus;
    rc = ask_discharge(cl, &args, &call);
    if (rc != 0)
        return rc;
    rc = take_discharge(cl, call, d, cached);
    vsec_agent_call_free_(call);
    return rc;
}

static void looked_up(struct vsec_agent_call_ *call)
{
    struct vsec_agent_later_ *w = call->then.ud;
    struct vsec_agent_client *cl = call->c->end.ud;
    struct vsec_look_up_wait wait = w->look_up;
    struct v23_walltime cached = { 0, 0 }, now = w->now;
    struct vsec_discharge *d = NULL;
    bool canceled = w->canceled;
    int rc = call->rc;

    later_free(cl, w);
    if (canceled)
        return;
    if (rc == 0)
        rc = take_discharge(cl, call, &d, &cached);
    else if (rc == V23_EWIREERR)
        cl->old = true; /* the next look-up will tell */
    if (d != NULL && d->expires && v23_walltime_cmp(d->expiry, now) <= 0) {
        vsec_discharge_unref(d);
        d = NULL;
    }
    wait.done(wait.ud, rc, d, cached);
    vsec_discharge_unref(d);
}

static int discharge_start(struct vsec_store *s,
    const struct vsec_look_up *what, const struct vsec_look_up_wait *wait)
{
    const struct v23_op none = { 0, 0 };
    struct vsec_agent_client *cl = of_store(s);
    struct vsec_agent_later_ *w;
    v23_agent_look_up_args args;

    if (cl->conn == NULL)
        return V23_ECLOSED;
    w = later_new(cl, wait->ud, none);
    if (w == NULL)
        return V23_ENOMEM;
    w->look_up = *wait;
    w->now = what->now;
    args.caveat = *what->caveat;
    args.impetus = *what->impetus;
    return later_start(cl, w, cl->old ? VSEC_AGENT_STORE_DISCHARGE_
                                      : VSEC_AGENT_STORE_DISCHARGE2_,
        &args, looked_up);
}

static void discharge_cancel(struct vsec_store *s, void *ud)
{
    const struct v23_op none = { 0, 0 };

    later_cancel(of_store(s), ud, none);
}

static void destroy_store(struct vsec_store *s)
{
    struct vsec_agent_client *cl = of_store(s);

    cl->store = NULL;
    vsec_store_fini_(s);
    v23_put(cl->engine->al, s);
    vsec_agent_client_unref_(cl);
}

static const struct vsec_store_remote_ops remote_ops = { set, set_default,
    cache_discharge, clear_discharges, discharge, discharge_start,
    discharge_cancel };
static const struct vsec_store_ops store_ops = { NULL, NULL, destroy_store,
    &remote_ops };

/* ---- roots --------------------------------------------------------------- */

static int add_root(struct vsec_roots *r, struct vdl_bytes key,
    struct vdl_str pattern)
{
    v23_agent_root_args args;

    args.key = key;
    args.pattern = pattern;
    return vsec_agent_client_change_(((struct agent_roots *)(void *)r)->cl,
        VSEC_AGENT_ROOTS_ADD_, &args, NULL);
}

static void destroy_roots(struct vsec_roots *r)
{
    struct vsec_agent_client *cl = ((struct agent_roots *)(void *)r)->cl;

    cl->roots = NULL;
    vsec_roots_fini_(r);
    v23_put(cl->engine->al, r);
    vsec_agent_client_unref_(cl);
}

static const struct vsec_roots_ops roots_ops = { NULL, NULL, destroy_roots,
    add_root };

/* ---- principal ----------------------------------------------------------- */

/* What the agent makes with its key. */
struct made {
    struct vsec_blessings *b;
    struct vsec_discharge *d;
};

/* Blessings must be bound to the key, discharges signed by it. */
static int take_made(struct vsec_agent_client *cl,
    const struct vsec_agent_call_ *call, const struct vsec_pubkey *key,
    struct made *out)
{
    int rc;

    memset(out, 0, sizeof(*out));
    if (call->m != &vsec_agent_methods_[VSEC_AGENT_MINT_]) {
        rc = vsec_agent_blessings_(cl,
            &((const v23_agent_blessings *)call->results)->blessings, key,
            &out->b);
        return rc == 0 && out->b == NULL ? V23_ECERT : rc;
    }
    rc = vsec_discharge_from_wire(cl->engine->al,
        &((const v23_agent_discharge *)call->results)->discharge, &out->d);
    if (rc == 0)
        rc = vsec_discharge_verify(out->d, key);
    if (rc != 0) {
        vsec_discharge_unref(out->d);
        out->d = NULL;
    }
    return rc;
}

static void made_later(struct vsec_agent_call_ *call)
{
    struct vsec_agent_later_ *w = call->then.ud;
    struct vsec_agent_client *cl = call->c->end.ud;
    struct vsec_issue *issue = w->issue;
    bool canceled = w->canceled;
    struct made made = { NULL, NULL };
    int rc = call->rc;

    if (!canceled && rc == 0)
        rc = take_made(cl, call, w->key, &made);
    later_free(cl, w);
    if (!canceled)
        vsec_issue_come_(issue, rc, made.b, made.d);
}

/* Have it made: at once, or for an issue later. */
static int make(struct vsec_principal *p, struct vsec_issue *i,
    enum vsec_agent_method_no_ m, const void *args, struct vsec_pubkey *key,
    struct made *out)
{
    struct vsec_agent_client *cl = of_signer(p->signer);
    struct vsec_agent_later_ *w;
    struct vsec_agent_call_ *call;
    int rc;

    if (i != NULL && vsec_issue_take_(i, &out->b, &out->d))
        return 0;
    if (cl->conn == NULL)
        return V23_ECLOSED;
    if (i != NULL) {
        w = later_new(cl, i, vsec_issue_ask_(i));
        if (w == NULL)
            return V23_ENOMEM;
        w->issue = i;
        w->key = vsec_pubkey_ref(key);
        return later_start(cl, w, m, args, made_later);
    }
    rc = vsec_agent_client_ask_(cl, m, args, &call);
    if (rc != 0)
        return rc;
    rc = take_made(cl, call, key, out);
    vsec_agent_call_free_(call);
    return rc;
}

static int bless(struct vsec_principal *p, struct vsec_issue *i,
    const struct vsec_bless *what, struct vsec_blessings **out)
{
    v23_agent_bless_args args;
    struct made made;
    int rc;

    args.key = what->key->der;
    args.extended = vsec_blessings_wire(what->with);
    args.extension = what->extension;
    args.additional_caveats = what->caveats;
    args.additional_caveats.n--;
    args.caveat = what->caveats.v[args.additional_caveats.n];
    rc = make(p, i, VSEC_AGENT_BLESS_, &args, what->key, &made);
    if (rc == 0)
        *out = made.b;
    return rc;
}

static int bless_self(struct vsec_principal *p, struct vsec_issue *i,
    struct vdl_str name, v23_security_caveat_list caveats,
    struct vsec_blessings **out)
{
    v23_agent_bless_self_args args;
    struct made made;
    int rc;

    args.name = name;
    args.caveats = caveats;
    rc = make(p, i, VSEC_AGENT_BLESS_SELF_, &args, p->key, &made);
    if (rc == 0)
        *out = made.b;
    return rc;
}

static int mint_discharge(struct vsec_principal *p, struct vsec_issue *i,
    const v23_security_caveat *caveat, v23_security_caveat_list caveats,
    struct vsec_discharge **out)
{
    v23_agent_mint_args args;
    struct made made;
    int rc;

    args.for_caveat = *caveat;
    args.additional_caveats = caveats;
    args.additional_caveats.n--;
    args.caveat_on_discharge = caveats.v[args.additional_caveats.n];
    rc = make(p, i, VSEC_AGENT_MINT_, &args, p->key, &made);
    if (rc == 0)
        *out = made.d;
    return rc;
}

static const struct vsec_principal_ops principal_ops = { bless, bless_self,
    mint_discharge, NULL, NULL, NULL };

static struct agent_signer *signer_new(struct vsec_agent_client *cl)
{
    struct agent_signer *s = v23_new(cl->engine->al, struct agent_signer);

    if (s == NULL)
        return NULL;
    vsec_signer_init(&s->s, &signer_ops, cl->key);
    s->cl = ref_client(cl);
    return s;
}

static struct agent_store *store_new(struct vsec_agent_client *cl)
{
    struct agent_store *s = v23_new(cl->engine->al, struct agent_store);

    if (s == NULL)
        return NULL;
    vsec_store_init_(&s->s, &store_ops, cl->engine, cl->key);
    s->s.log = cl->cfg.log;
    s->cl = ref_client(cl);
    cl->store = &s->s;
    return s;
}

static struct agent_roots *roots_new(struct vsec_agent_client *cl)
{
    struct agent_roots *r = v23_new(cl->engine->al, struct agent_roots);

    if (r == NULL)
        return NULL;
    vsec_roots_init_(&r->r, &roots_ops, cl->engine);
    vsec_roots_use_x509(&r->r, cl->cfg.x509);
    r->cl = ref_client(cl);
    cl->roots = &r->r;
    return r;
}

int vsec_agent_principal_new_(struct vsec_agent_client *cl)
{
    struct agent_signer *signer = signer_new(cl);
    struct agent_store *store = store_new(cl);
    struct agent_roots *roots = roots_new(cl);
    int rc = V23_ENOMEM;

    if (signer != NULL && store != NULL && roots != NULL)
        rc = vsec_principal_new(cl->engine, &signer->s, NULL, &store->s,
            &roots->r, &cl->principal);
    if (rc == 0)
        cl->principal->ops = &principal_ops;
    /* Their structs begin with the common part, so NULL stays NULL. */
    vsec_signer_unref(signer == NULL ? NULL : &signer->s);
    vsec_store_unref(store == NULL ? NULL : &store->s);
    vsec_roots_unref(roots == NULL ? NULL : &roots->r);
    return rc;
}

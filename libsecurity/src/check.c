/* BSD-3-Clause; see LICENSE. */
/*
 * Validation of the remote end's blessings: roots first, then the caveats of
 * each chain, in order. A caveat that needs time suspends the check.
 *
 * A third-party caveat (third_party.c) makes the caveats of its discharge part
 * of the chain's list: `levels` is the stack of lists being worked through, so
 * no recursion, and both its depth and the number of steps are bounded:
 * discharges may refer to each other in circles.
 *
 * The whole state lives in the call's arena. A check that waits is either
 * answered or cancelled before that arena is reset.
 */
#include "check_int.h"

#include <vom/dec.h>
#include <vsec/principal.h>

enum { MAX_STEPS = 4096 };

/* One chain whose caveats are to be validated. */
struct pending {
    struct vdl_str name;
    v23_security_caveat_list caveats;
};

/* A list being worked through. */
struct level {
    v23_security_caveat_list caveats;
    uint32_t next;
};

struct vsec_check {
    const struct vsec_call *call;
    struct v23_arena *a;
    struct vsec_check_wait wait;
    struct pending *pending;
    uint32_t npending, current;
    struct level levels[VSEC_MAX_NESTED];
    uint32_t depth; /* levels in use */
    uint32_t steps; /* caveats validated so far */
    /* The answer awaited; generation 0 = none. */
    struct v23_op op;
    uint32_t generation;
    const struct vsec_caveat_kind *asked; /* NULL: the hook was */
    /* Result so far. */
    struct vdl_str *names;
    v23_security_rejected_blessing *rejected;
    uint32_t nnames, nrejected;
    bool has_local;
    vdl_str_list local;
    bool bare; /* caveats without blessings: nobody gets a name */
    struct vsec_names result; /* of a check that waited */
};

/* ---- local names --------------------------------------------------------- */

int vsec_check_local_(struct vsec_check *c, const struct vsec_call *call,
    struct v23_arena *a, vdl_str_list *out)
{
    int rc;

    if (c != NULL && c->has_local) {
        *out = c->local;
        return 0;
    }
    rc = vsec_local_names(call, a, out);
    if (rc == 0 && c != NULL) {
        c->has_local = true;
        c->local = *out;
    }
    return rc;
}

/* ---- results ------------------------------------------------------------- */

static void accept_name(struct vsec_check *c, struct vdl_str name)
{
    c->names[c->nnames++] = name;
}

static void reject_name(struct vsec_check *c, struct vdl_str name,
    const struct v23_verror *err)
{
    c->rejected[c->nrejected].blessing = name;
    c->rejected[c->nrejected++].err = err;
}

static int finish(struct vsec_check *c, struct vsec_names *out)
{
    memset(out, 0, sizeof(*out));
    out->rejected.v = c->rejected;
    out->rejected.n = c->nrejected;
    if (c->bare)
        return 0;
    out->remote.v = c->names;
    out->remote.n = c->nnames;
    return vsec_check_local_(c, c->call, c->a, &out->local);
}

/* ---- one caveat ---------------------------------------------------------- */

static const struct vsec_caveat_kind *find_kind(const struct vsec_call *call,
    const v23_security_caveat *cav)
{
    const struct vsec_caveat_kinds *k = call->kinds != NULL
        ? call->kinds : vsec_profile.kinds;
    size_t i;

    for (i = 0; i < k->n; i++)
        if (vsec_caveat_is(cav, k->v[i]))
            return k->v[i];
    return NULL;
}

/* Decode a parameter into the arena; V23_ECAVEAT with *err when it is bad. */
static int decode_param(const struct vsec_caveat_kind *k,
    const v23_security_caveat *cav, struct v23_arena *a, const void **param,
    const struct v23_verror **err)
{
    const struct vdl_type *t = k->desc->param_type;
    void *p = v23_arena_get0(a, 1, t->size, t->align);
    int rc;

    if (p == NULL)
        return V23_ENOMEM;
    rc = vsec_caveat_param(cav, k, a, p);
    *param = p;
    if (rc == 0 || rc == V23_ENOMEM)
        return rc;
    *err = VSEC_ERROR_(v23_security_err_caveat_param_coding_static, param, a,
        cav, t, rc);
    return V23_ECAVEAT;
}

static const struct v23_verror *wrapped(struct v23_arena *a,
    const struct v23_verror *cause)
{
    return VSEC_ERROR_(v23_security_err_caveat_validation_static, validation,
        a, NULL, cause);
}

int vsec_caveat_validate_now_(const struct vsec_caveat_kind *k,
    const v23_security_caveat *cav, const struct vsec_call *call,
    struct v23_arena *a, const struct v23_verror **err)
{
    const struct v23_op none = { 0, 0 };
    const struct v23_verror *cause = NULL;
    const void *param;
    int rc = decode_param(k, cav, a, &param, err);

    if (rc != 0)
        return rc;
    rc = k->validate(k->ud, NULL, none, call, param, a, &cause);
    if (rc == V23_ECAVEAT)
        *err = wrapped(a, cause);
    return rc;
}

int vsec_check_descend_(struct vsec_check *c,
    v23_security_caveat_list caveats)
{
    if (c->depth == VSEC_MAX_NESTED)
        return V23_ELIMIT;
    c->levels[c->depth].caveats = caveats;
    c->levels[c->depth].next = 0;
    c->depth++;
    return 0;
}

static int ask(struct vsec_check *c, const struct vsec_caveat_kind *k,
    const void *param, const struct v23_verror **err)
{
    int rc;

    c->op.generation = ++c->generation;
    rc = k->validate(k->ud, c, c->op, c->call, param, c->a, err);
    if (rc != V23_EAGAIN) {
        c->op.generation = 0;
        return rc;
    }
    c->asked = k;
    if (c->wait.done == NULL) {
        if (k->cancel != NULL)
            k->cancel(k->ud, c->op);
        c->op.generation = 0;
    }
    return V23_EAGAIN;
}

/*
 * V23_ECAVEAT with *err as the chain's reason: complete, but for the wrapping
 * that a failed validator gets (*wrap).
 */
static int validate(struct vsec_check *c, const v23_security_caveat *cav,
    const struct v23_verror **err, bool *wrap)
{
    const struct vsec_caveat_kind *k = find_kind(c->call, cav);
    const void *param;
    int rc;

    *wrap = false;
    if (k == NULL)
        return vsec_refuse_(err, VSEC_ERROR_(
            v23_security_err_caveat_not_registered_static, not_registered,
            c->a, NULL, &cav->id));
    if (++c->steps > MAX_STEPS)
        return vsec_refuse_(err, vsec_plain_error_(c->a,
            "too many caveats, not validated: %s and later ones", k->name));
    rc = decode_param(k, cav, c->a, &param, err);
    if (rc != 0)
        return rc;
    *wrap = true;
    return ask(c, k, param, err);
}

/* ---- all chains ---------------------------------------------------------- */

/* Reject the current chain because the caveat at the top level failed. */
static void fail_chain(struct vsec_check *c, const struct v23_verror *err,
    bool wrap)
{
    struct pending *p = &c->pending[c->current++];
    const struct level *l = &c->levels[c->depth - 1];
    const v23_security_caveat *cav;

    /* In a discharge: the caveat that asked for it failed, for a reason
     * that is only a text. */
    if (c->depth > 1) {
        cav = &l->caveats.v[l->next - 1];
        err = VSEC_ERROR_(vsec_unknown_error_, discharge, c->a, cav,
            find_kind(c->call, cav), err);
        wrap = true;
    }
    reject_name(c, p->name, wrap ? wrapped(c->a, err) : err);
    c->depth = 0;
}

/* Begin the next chain, or go up from a finished list. */
static void settle(struct vsec_check *c)
{
    struct pending *p = &c->pending[c->current];

    if (c->depth == 0) {
        c->levels[0].caveats = p->caveats;
        c->levels[0].next = 0;
        c->depth = 1;
    }
    while (c->depth > 0
        && c->levels[c->depth - 1].next == c->levels[c->depth - 1].caveats.n)
        c->depth--;
    if (c->depth == 0) {
        accept_name(c, p->name);
        c->current++;
    }
}

static int run(struct vsec_check *c)
{
    const struct v23_verror *err;
    struct level *l;
    bool wrap;
    int rc;

    while (c->current < c->npending) {
        settle(c);
        if (c->depth == 0)
            continue;
        l = &c->levels[c->depth - 1];
        err = NULL;
        rc = validate(c, &l->caveats.v[l->next++], &err, &wrap);
        if (rc == V23_ECAVEAT)
            fail_chain(c, err, wrap);
        else if (rc != 0)
            return rc;
    }
    return 0;
}

/* ---- the hook ------------------------------------------------------------ */

static void take_all(struct vsec_check *c,
    const struct v23_verror *const *errs)
{
    for (; c->current < c->npending; c->current++) {
        if (errs[c->current] == NULL)
            accept_name(c, c->pending[c->current].name);
        else
            reject_name(c, c->pending[c->current].name,
                VSEC_ERROR_(*errs[c->current], copy, c->a, errs[c->current]));
    }
}

static int run_hook(struct vsec_check *c)
{
    const struct vsec_caveat_hook *h = c->call->hook;
    const struct v23_verror **errs;
    v23_security_caveat_list *sets;
    uint32_t i;
    int rc;

    sets = v23_arena_get0(c->a, c->npending, sizeof(*sets),
        V23_ALIGNOF(v23_security_caveat_list));
    errs = v23_arena_get0(c->a, c->npending, sizeof(*errs),
        V23_ALIGNOF(void *));
    if (sets == NULL || errs == NULL)
        return V23_ENOMEM;
    for (i = 0; i < c->npending; i++)
        sets[i] = c->pending[i].caveats;
    c->op.generation = ++c->generation;
    rc = h->validate(h->ud, c, c->op, c->call, sets, c->npending, c->a, errs);
    if (rc == V23_EAGAIN && c->wait.done != NULL)
        return rc;
    if (rc == V23_EAGAIN && h->cancel != NULL)
        h->cancel(h->ud, c->op);
    c->op.generation = 0;
    if (rc == 0)
        take_all(c, errs);
    return rc;
}

/* ---- start and end ------------------------------------------------------- */

/* All caveats of a chain as one list. */
static int flatten(struct vsec_check *c, const struct vsec_chain *chain,
    v23_security_caveat_list *out)
{
    v23_security_caveat *v;
    uint32_t i, j, n = 0;

    v = v23_arena_get0(c->a, chain->ncaveats, sizeof(*v),
        V23_ALIGNOF(v23_security_caveat));
    if (v == NULL)
        return V23_ENOMEM;
    for (i = 0; i < chain->certs.n; i++)
        for (j = 0; j < chain->certs.v[i].caveats.n; j++)
            v[n++] = chain->certs.v[i].caveats.v[j];
    out->v = v;
    out->n = n;
    return 0;
}

static int check_root(struct vsec_check *c, const struct vsec_chain *chain,
    const struct v23_verror **err)
{
    if (c->call->principal != NULL)
        return vsec_roots_recognized_cert(c->call->principal->roots,
            &chain->certs.v[0], chain->name, c->call->timestamp, c->a, err);
    *err = vsec_plain_error_(c->a,
        "recognized root certificates not configured");
    return V23_EUNTRUSTED;
}

/* Roots of all chains; those with caveats become pending. */
static int sort_chains(struct vsec_check *c, const struct vsec_blessings *b)
{
    const struct v23_verror *err;
    struct pending *p;
    uint32_t i;
    int rc;

    for (i = 0; i < b->nchains; i++) {
        rc = check_root(c, &b->chains[i], &err);
        if (rc == V23_EUNTRUSTED) {
            reject_name(c, b->chains[i].name, err);
            continue;
        }
        if (rc != 0)
            return rc;
        if (b->chains[i].ncaveats == 0) {
            accept_name(c, b->chains[i].name);
            continue;
        }
        p = &c->pending[c->npending++];
        p->name = b->chains[i].name;
        rc = flatten(c, &b->chains[i], &p->caveats);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int make_room(struct vsec_check *c, uint32_t n)
{
    c->names = v23_arena_get0(c->a, n, sizeof(*c->names),
        V23_ALIGNOF(struct vdl_str));
    c->rejected = v23_arena_get0(c->a, n, sizeof(*c->rejected),
        V23_ALIGNOF(v23_security_rejected_blessing));
    c->pending = v23_arena_get0(c->a, n, sizeof(*c->pending),
        V23_ALIGNOF(struct pending));
    return c->names == NULL || c->rejected == NULL || c->pending == NULL
        ? V23_ENOMEM : 0;
}

int vsec_check_start(const struct vsec_call *call, struct v23_arena *a,
    const struct vsec_check_wait *wait, struct vsec_names *out,
    struct vsec_check **pending)
{
    const struct vsec_blessings *b = call->remote_blessings;
    struct vsec_check *c;
    int rc;

    memset(out, 0, sizeof(*out));
    if (b == NULL || b->nameless)
        return vsec_local_names(call, a, &out->local);
    c = v23_arena_new(a, struct vsec_check);
    if (c == NULL)
        return V23_ENOMEM;
    c->call = call;
    c->a = a;
    if (wait != NULL)
        c->wait = *wait;
    rc = make_room(c, b->nchains);
    if (rc == 0)
        rc = sort_chains(c, b);
    if (rc == 0 && c->npending > 0)
        rc = call->hook != NULL ? run_hook(c) : run(c);
    if (rc == V23_EAGAIN && wait != NULL && pending != NULL)
        *pending = c;
    return rc != 0 ? rc : finish(c, out);
}

int vsec_check_caveats_start(const struct vsec_call *call,
    v23_security_caveat_list caveats, struct v23_arena *a,
    const struct vsec_check_wait *wait, struct vsec_names *out,
    struct vsec_check **pending)
{
    struct vsec_check *c = v23_arena_new(a, struct vsec_check);
    int rc;

    if (c == NULL)
        return V23_ENOMEM;
    c->call = call;
    c->a = a;
    c->bare = true;
    if (wait != NULL)
        c->wait = *wait;
    rc = make_room(c, 1);
    if (rc != 0)
        return rc;
    c->pending[0].caveats = caveats;
    c->npending = 1;
    rc = run(c);
    if (rc == V23_EAGAIN && wait != NULL && pending != NULL)
        *pending = c;
    return rc != 0 ? rc : finish(c, out);
}

/* The check ends: tell who waits. */
static void end(struct vsec_check *c, int rc)
{
    if (rc == 0)
        rc = finish(c, &c->result);
    c->wait.done(c->wait.ud, rc, rc == 0 ? &c->result : NULL);
}

static bool is_current(const struct vsec_check *c, struct v23_op op)
{
    return op.generation != 0 && op.generation == c->op.generation;
}

void vsec_check_complete(struct vsec_check *c, struct v23_op op, int rc,
    const struct v23_verror *err)
{
    if (!is_current(c, op))
        return;
    c->op.generation = 0;
    if (rc == V23_ECAVEAT) {
        if (err == NULL)
            err = vsec_plain_error_(c->a, "%s", v23_strerror(rc));
        fail_chain(c, VSEC_ERROR_(*err, copy, c->a, err), true);
        rc = 0;
    }
    if (rc == 0)
        rc = run(c);
    if (rc != V23_EAGAIN)
        end(c, rc);
}

void vsec_check_complete_all(struct vsec_check *c, struct v23_op op, int rc,
    const struct v23_verror *const *errs, size_t n)
{
    if (!is_current(c, op))
        return;
    c->op.generation = 0;
    if (rc == 0 && n != c->npending)
        rc = V23_EARG;
    if (rc == 0)
        take_all(c, errs);
    end(c, rc);
}

void vsec_check_cancel(struct vsec_check *c)
{
    struct v23_op op;
    const struct vsec_caveat_hook *h;

    if (c == NULL || c->op.generation == 0)
        return;
    op = c->op;
    h = c->bare ? NULL : c->call->hook;
    c->op.generation = 0;
    if (h != NULL) {
        if (h->cancel != NULL)
            h->cancel(h->ud, op);
    } else if (c->asked->cancel != NULL) {
        c->asked->cancel(c->asked->ud, op);
    }
}

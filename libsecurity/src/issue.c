/* BSD-3-Clause; see LICENSE. */
/*
 * Blessings and discharges whose key answers later. What is made needs one
 * signature after the other; each time one has come, it is made again from the
 * start with the signatures so far. That repeats a few hashes, and nothing of
 * how things are made has to be written twice.
 */
#include "blessings_int.h"

struct vsec_issue {
    struct vsec_principal *p;
    struct v23_arena arena;
    struct vsec_issue_wait wait;
    /* 0 with b or d; V23_EAGAIN: a signature is missing. */
    int (*make)(struct vsec_issue *i);
    struct vsec_bless bless; /* what to bless; of a self blessing the name and
                                the caveats; of a discharge its caveats */
    v23_security_caveat caveat; /* that is discharged */
    struct vsec_blessings *b;
    struct vsec_discharge *d;
    struct vsec_blessings *came_b; /* made elsewhere, not yet taken */
    struct vsec_discharge *came_d;
    v23_security_signature sigs[VSEC_MAX_CHAINS];
    uint32_t n, at; /* signatures so far; used in this turn */
    uint32_t generation;
    bool asked; /* one is on its way */
};

static void issue_free(struct vsec_issue *i)
{
    struct vsec_principal *p = i->p;

    vsec_blessings_unref(i->b);
    vsec_discharge_unref(i->d);
    vsec_blessings_unref(i->came_b);
    vsec_discharge_unref(i->came_d);
    vsec_blessings_unref(i->bless.with);
    vsec_pubkey_unref(i->bless.key);
    v23_arena_fini(&i->arena);
    v23_put(p->engine->al, i);
    vsec_principal_unref(p);
}

/* ---- signatures ---------------------------------------------------------- */

static int keep(struct vsec_issue *i, const struct vsec_signature *sig)
{
    v23_security_signature w = vsec_signature_to_wire(sig);
    int rc;

    if (i->n == VSEC_MAX_CHAINS)
        return V23_ELIMIT;
    rc = vdl_copy(&i->arena, &v23_security_signature_desc, &i->sigs[i->n], &w);
    if (rc == 0)
        i->n++;
    return rc;
}

/* 0: complete; V23_EAGAIN: goes on later; else why not. */
static int turn(struct vsec_issue *i)
{
    int rc;

    i->at = 0;
    i->asked = false;
    rc = i->make(i);
    return rc == V23_EAGAIN && !i->asked ? V23_ESTATE : rc;
}

/* Go on after what came, or why it did not. */
static void go_on(struct vsec_issue *i, int rc)
{
    if (rc == 0)
        rc = turn(i);
    if (rc == V23_EAGAIN)
        return;
    i->wait.done(i->wait.ud, rc, i->b, i->d);
    issue_free(i);
}

static void signed_later(void *ud, struct v23_op op, int rc,
    const struct vsec_signature *sig)
{
    struct vsec_issue *i = ud;

    if (op.generation != i->generation)
        return;
    go_on(i, rc == 0 ? keep(i, sig) : rc);
}

int vsec_issue_sign_(struct vsec_issue *i, struct vsec_signer *s,
    struct vdl_bytes purpose, struct v23_bytes msg, struct v23_arena *a,
    struct vsec_signature *out)
{
    struct vsec_sign_wait wait;
    int rc;

    if (i == NULL)
        return vsec_sign(s, purpose, msg.p, msg.n, a, out, NULL);
    if (i->at < i->n) {
        *out = vsec_signature_of(&i->sigs[i->at++]);
        return 0;
    }
    wait.done = signed_later;
    wait.ud = i;
    wait.op.index = i->n;
    wait.op.generation = ++i->generation;
    rc = vsec_sign(s, purpose, msg.p, msg.n, a, out, &wait);
    i->asked = rc == V23_EAGAIN;
    if (rc == 0)
        rc = keep(i, out);
    if (rc == 0)
        i->at++;
    return rc;
}

/* ---- what is made elsewhere ---------------------------------------------- */

struct v23_op vsec_issue_ask_(struct vsec_issue *i)
{
    struct v23_op op = { i->n, ++i->generation };

    i->asked = true;
    return op;
}

bool vsec_issue_take_(struct vsec_issue *i, struct vsec_blessings **b,
    struct vsec_discharge **d)
{
    if (i->came_b == NULL && i->came_d == NULL)
        return false;
    *b = i->came_b;
    *d = i->came_d;
    i->came_b = NULL;
    i->came_d = NULL;
    return true;
}

void vsec_issue_come_(struct vsec_issue *i, int rc, struct vsec_blessings *b,
    struct vsec_discharge *d)
{
    i->came_b = b;
    i->came_d = d;
    go_on(i, rc);
}

/* ---- what is made -------------------------------------------------------- */

static int make_blessing(struct vsec_issue *i)
{
    return vsec_bless_(i->p, i, &i->bless, &i->b);
}

static int make_self(struct vsec_issue *i)
{
    return vsec_bless_self_(i->p, i, i->bless.extension, i->bless.caveats,
        &i->b);
}

static int make_discharge(struct vsec_issue *i)
{
    return vsec_mint_(i->p, i, &i->caveat, i->bless.caveats, &i->d);
}

/* Copy what has to outlive the caller. */
static int take(struct vsec_issue *i, const struct vsec_bless *what)
{
    v23_security_caveat *v = NULL;
    uint32_t k;
    int rc = 0;

    i->bless.key = what->key == NULL ? NULL : vsec_pubkey_ref(what->key);
    i->bless.with = vsec_blessings_ref(what->with);
    if (what->caveats.n > VSEC_MAX_CAVEATS)
        return V23_ELIMIT;
    if (what->caveats.n > 0) {
        v = v23_arena_get0(&i->arena, what->caveats.n, sizeof(*v),
            V23_ALIGNOF(v23_security_caveat));
        if (v == NULL)
            return V23_ENOMEM;
    }
    for (k = 0; rc == 0 && k < what->caveats.n; k++)
        rc = vdl_copy(&i->arena, &v23_security_caveat_desc, &v[k],
            &what->caveats.v[k]);
    i->bless.caveats.v = v;
    i->bless.caveats.n = what->caveats.n;
    if (rc == 0)
        rc = vdl_copy(&i->arena, &vdl_string_desc, &i->bless.extension,
            &what->extension);
    return rc;
}

static int issue_new(struct vsec_principal *p, const struct vsec_bless *what,
    const struct vsec_issue_wait *wait, struct vsec_issue **out)
{
    struct vsec_issue *i = v23_new(p->engine->al, struct vsec_issue);
    int rc;

    if (i == NULL)
        return V23_ENOMEM;
    i->p = vsec_principal_ref(p);
    i->wait = *wait;
    v23_arena_init(&i->arena, p->engine->al, SIZE_MAX);
    rc = take(i, what);
    if (rc != 0)
        issue_free(i);
    else
        *out = i;
    return rc;
}

/* The first turn: without a wait the issue is over. */
static int start(struct vsec_issue *i, struct vsec_blessings **b,
    struct vsec_discharge **d, struct vsec_issue **out)
{
    int rc = turn(i);

    if (rc == V23_EAGAIN) {
        *out = i;
        return rc;
    }
    if (rc == 0 && b != NULL)
        *b = vsec_blessings_ref(i->b);
    if (rc == 0 && d != NULL)
        *d = vsec_discharge_ref(i->d);
    issue_free(i);
    return rc;
}

int vsec_principal_bless_start(struct vsec_principal *p,
    const struct vsec_bless *what, const struct vsec_issue_wait *wait,
    struct vsec_blessings **out, struct vsec_issue **i)
{
    struct vsec_issue *is;
    int rc = issue_new(p, what, wait, &is);

    if (rc != 0)
        return rc;
    is->make = make_blessing;
    return start(is, out, NULL, i);
}

int vsec_principal_bless_self_start(struct vsec_principal *p,
    struct vdl_str name, v23_security_caveat_list caveats,
    const struct vsec_issue_wait *wait, struct vsec_blessings **out,
    struct vsec_issue **i)
{
    struct vsec_bless what = { NULL, NULL, name, caveats };
    struct vsec_issue *is;
    int rc = issue_new(p, &what, wait, &is);

    if (rc != 0)
        return rc;
    is->make = make_self;
    return start(is, out, NULL, i);
}

int vsec_principal_mint_start(struct vsec_principal *p,
    const struct vsec_mint *what, const struct vsec_issue_wait *wait,
    struct vsec_discharge **out, struct vsec_issue **i)
{
    struct vsec_bless b = { NULL, NULL, { NULL, 0 }, what->caveats };
    struct vsec_issue *is;
    int rc = issue_new(p, &b, wait, &is);

    if (rc != 0)
        return rc;
    is->make = make_discharge;
    rc = vdl_copy(&is->arena, &v23_security_caveat_desc, &is->caveat,
        what->caveat);
    if (rc != 0) {
        issue_free(is);
        return rc;
    }
    return start(is, NULL, out, i);
}

void vsec_issue_cancel(struct vsec_issue *i)
{
    struct v23_op op = { i->n, i->generation };

    vsec_sign_cancel(i->p->signer, i, op);
    issue_free(i);
}

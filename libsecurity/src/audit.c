/* BSD-3-Clause; see LICENSE. */
/*
 * Recording principals (spec 7.1): another principal does the work, and what
 * it did is recorded before the result is handed over. A signature that comes
 * later is recorded when it comes.
 */
#include <vsec/audit.h>

#include <vom/time.h>

#include "blessings_int.h"

/* A signature that somebody waits for; the message follows. */
struct pending {
    struct pending *next;
    struct state *s;
    struct vsec_sign_wait wait; /* the caller's */
    size_t n;
};

struct state {
    struct vsec_principal *inner; /* a reference */
    struct vsec_auditor auditor;
    struct pending *pending;
};

static int record(const struct state *s, const struct vsec_audit_record *r)
{
    return s->auditor.record(s->auditor.ud, r) == 0 ? 0 : V23_EAUDIT;
}

/* ---- blessings and discharges -------------------------------------------- */

/* Record a result, or withhold it. */
static int hand_over(const struct state *s, struct vsec_audit_record *r,
    struct vsec_blessings *b, struct vsec_blessings **out)
{
    int rc;

    r->result = b;
    rc = record(s, r);
    if (rc == 0)
        *out = b;
    else
        vsec_blessings_unref(b);
    return rc;
}

static int bless(struct vsec_principal *p, struct vsec_issue *i,
    const struct vsec_bless *what, struct vsec_blessings **out)
{
    const struct state *s = p->ud;
    struct vsec_audit_record r;
    struct vsec_blessings *b;
    int rc = vsec_bless_(s->inner, i, what, &b);

    if (rc != 0)
        return rc;
    memset(&r, 0, sizeof(r));
    r.method = VSEC_AUDIT_BLESS;
    r.bless = what;
    return hand_over(s, &r, b, out);
}

static int bless_self(struct vsec_principal *p, struct vsec_issue *i,
    struct vdl_str name, v23_security_caveat_list caveats,
    struct vsec_blessings **out)
{
    const struct state *s = p->ud;
    struct vsec_audit_record r;
    struct vsec_blessings *b;
    int rc = vsec_bless_self_(s->inner, i, name, caveats, &b);

    if (rc != 0)
        return rc;
    memset(&r, 0, sizeof(r));
    r.method = VSEC_AUDIT_BLESS_SELF;
    r.name = name;
    r.caveats = caveats;
    return hand_over(s, &r, b, out);
}

static int mint_discharge(struct vsec_principal *p, struct vsec_issue *i,
    const v23_security_caveat *caveat, v23_security_caveat_list caveats,
    struct vsec_discharge **out)
{
    const struct state *s = p->ud;
    struct vsec_audit_record r;
    struct vsec_discharge *d;
    int rc = vsec_mint_(s->inner, i, caveat, caveats, &d);

    if (rc != 0)
        return rc;
    memset(&r, 0, sizeof(r));
    r.method = VSEC_AUDIT_MINT_DISCHARGE;
    r.discharged = caveat;
    r.caveats = caveats;
    rc = record(s, &r);
    if (rc == 0)
        *out = d;
    else
        vsec_discharge_unref(d);
    return rc;
}

/* ---- signatures ---------------------------------------------------------- */

static int record_sign(const struct state *s, const void *msg, size_t n)
{
    struct vsec_audit_record r;

    memset(&r, 0, sizeof(r));
    r.method = VSEC_AUDIT_SIGN;
    r.message = v23_bytes(msg, n);
    return record(s, &r);
}

static void forget(struct pending *w)
{
    struct pending **at = &w->s->pending;

    while (*at != w)
        at = &(*at)->next;
    *at = w->next;
    v23_put(w->s->inner->engine->al, w);
}

static void signed_later(void *ud, struct v23_op op, int rc,
    const struct vsec_signature *sig)
{
    struct pending *w = ud;
    struct vsec_sign_wait wait = w->wait;

    (void)op;
    if (rc == 0)
        rc = record_sign(w->s, w + 1, w->n);
    forget(w);
    wait.done(wait.ud, wait.op, rc, rc == 0 ? sig : NULL);
}

static int sign_waiting(struct state *s, struct v23_bytes msg,
    struct v23_arena *a, struct vsec_signature *out,
    const struct vsec_sign_wait *wait)
{
    const struct v23_alloc *al = s->inner->engine->al;
    struct vsec_sign_wait mine;
    struct pending *w;
    size_t size;
    int rc;

    if (v23_add_size(sizeof(*w), msg.n, &size) != 0)
        return V23_ELIMIT;
    w = v23_get(al, size);
    if (w == NULL)
        return V23_ENOMEM;
    w->s = s;
    w->wait = *wait;
    w->n = msg.n;
    if (msg.n > 0)
        memcpy(w + 1, msg.p, msg.n);
    w->next = s->pending;
    s->pending = w;
    mine.done = signed_later;
    mine.ud = w;
    mine.op = wait->op;
    rc = vsec_principal_sign(s->inner, msg.p, msg.n, a, out, &mine);
    if (rc != V23_EAGAIN)
        forget(w);
    return rc;
}

static int sign(struct vsec_principal *p, const void *msg, size_t n,
    struct v23_arena *a, struct vsec_signature *out,
    const struct vsec_sign_wait *wait)
{
    struct vsec_signature sig;
    struct state *s = p->ud;
    int rc;

    if (wait != NULL && wait->done != NULL)
        rc = sign_waiting(s, v23_bytes(msg, n), a, &sig, wait);
    else
        rc = vsec_principal_sign(s->inner, msg, n, a, &sig, NULL);
    if (rc == 0)
        rc = record_sign(s, msg, n);
    if (rc == 0)
        *out = sig;
    return rc;
}

static void cancel(struct vsec_principal *p, void *wait_ud, struct v23_op op)
{
    struct state *s = p->ud;
    struct pending *w = s->pending;

    while (w != NULL
        && (w->wait.ud != wait_ud || w->wait.op.index != op.index
            || w->wait.op.generation != op.generation))
        w = w->next;
    if (w == NULL)
        return;
    vsec_principal_sign_cancel(s->inner, w, op);
    forget(w);
}

/* ---- objects ------------------------------------------------------------- */

static void destroy(struct vsec_principal *p)
{
    struct state *s = p->ud;

    while (s->pending != NULL) {
        vsec_principal_sign_cancel(s->inner, s->pending,
            s->pending->wait.op);
        forget(s->pending);
    }
    vsec_principal_unref(s->inner);
    v23_put(p->engine->al, s);
}

static const struct vsec_principal_ops audit_ops = { bless, bless_self,
    mint_discharge, sign, cancel, destroy };

int vsec_principal_audited(struct vsec_principal *p,
    const struct vsec_auditor *auditor, struct vsec_principal **out)
{
    struct state *s = v23_new(p->engine->al, struct state);
    struct vsec_principal *q = NULL;
    int rc = V23_ENOMEM;

    if (s == NULL)
        return V23_ENOMEM;
    rc = vsec_principal_new(p->engine, p->signer, p->key, p->store, p->roots,
        &q);
    if (rc == 0) {
        v23_buf_put(&q->x509, p->x509.p, p->x509.n);
        rc = q->x509.err;
    }
    if (rc != 0) {
        vsec_principal_unref(q);
        v23_put(p->engine->al, s);
        return rc;
    }
    s->inner = vsec_principal_ref(p);
    s->auditor = *auditor;
    q->ud = s;
    q->ops = &audit_ops;
    *out = q;
    return 0;
}

/* ---- text ---------------------------------------------------------------- */

/* The arguments as they are given in a call: on the wire the first caveat
 * comes last. */
static int put_caveats(struct vsec_engine *e, v23_security_caveat_list l,
    const char *before, struct v23_buf *out)
{
    uint32_t i;
    int rc = 0;

    for (i = 0; rc == 0 && i < l.n; i++) {
        v23_buf_puts(out, i == 0 ? before : ", ");
        rc = vsec_caveat_format(e, &l.v[i == 0 ? l.n - 1 : i - 1], out);
    }
    return rc;
}

static int put_bless(struct vsec_engine *e, const struct vsec_bless *b,
    struct v23_buf *out)
{
    char key[VSEC_FINGERPRINT];
    int rc = vsec_fingerprint(e->crypto, b->key->der, key);

    if (rc != 0)
        return rc;
    v23_buf_printf(out, "%s, ", key);
    v23_buf_put_str(out, vsec_blessings_text(b->with));
    v23_buf_puts(out, ", ");
    v23_buf_put_str(out, b->extension);
    return put_caveats(e, b->caveats, ", ", out);
}

static void put_message(struct v23_bytes m, struct v23_buf *out)
{
    size_t i;

    v23_buf_put_byte(out, '[');
    for (i = 0; i < m.n; i++)
        v23_buf_printf(out, "%s%d", i == 0 ? "" : " ", m.p[i]);
    v23_buf_put_byte(out, ']');
}

static int put_call(struct vsec_engine *e, const struct vsec_audit_record *r,
    struct v23_buf *out)
{
    int rc;

    switch (r->method) {
    case VSEC_AUDIT_BLESS:
        v23_buf_puts(out, "Bless(");
        return put_bless(e, r->bless, out);
    case VSEC_AUDIT_BLESS_SELF:
        v23_buf_puts(out, "BlessSelf(");
        v23_buf_put_str(out, r->name);
        return put_caveats(e, r->caveats, ", ", out);
    case VSEC_AUDIT_SIGN:
        v23_buf_puts(out, "Sign(");
        put_message(r->message, out);
        return 0;
    case VSEC_AUDIT_MINT_DISCHARGE:
        v23_buf_puts(out, "MintDischarge(");
        rc = vsec_caveat_format(e, r->discharged, out);
        return rc != 0 ? rc : put_caveats(e, r->caveats, ", ", out);
    }
    return V23_EARG;
}

int vsec_audit_format(struct vsec_engine *e, const struct vsec_audit_record *r,
    struct v23_walltime when, struct v23_buf *out)
{
    size_t i, before = out->n;
    int rc;

    when.nanos = 0;
    v23_walltime_put(out, when);
    v23_buf_puts(out, ": ");
    rc = put_call(e, r, out);
    v23_buf_put_byte(out, ')');
    if (r->result != NULL) {
        v23_buf_puts(out, " = (");
        v23_buf_put_str(out, vsec_blessings_text(r->result));
        v23_buf_put_byte(out, ')');
    }
    if (rc == 0)
        rc = out->err;
    if (rc != 0)
        v23_buf_cut(out, before);
    /* A name must not begin a line of its own. */
    for (i = before; i < out->n; i++)
        if (out->p[i] < ' ' || out->p[i] == 0x7f)
            out->p[i] = '?';
    return rc;
}

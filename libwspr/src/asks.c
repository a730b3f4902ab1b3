/* BSD-3-Clause; see LICENSE. */
/* Questions to the page that wait for an answer, each with a message id of its
 * own and a limit in time. */
#include "wspr_int.h"

#include <stddef.h>
#include <string.h>

#define GRANT_NS (5 * V23_NS_PER_SEC)
#define LATE_GRANT "Timed out receiving response from javascript granter"

int wspr_ask_new_(struct wspr_ctl *c, enum wspr_ask_kind_ kind,
    struct wspr_server_ *s, struct wspr_ask_ **out)
{
    struct wspr_ask_ *k;
    int rc;

    if (c->closing || c->cut)
        return V23_ECLOSED;
    if (c->nasks >= c->cfg.limits.flows)
        return V23_ELIMIT;
    k = v23_new(c->al, struct wspr_ask_);
    if (k == NULL)
        return V23_ENOMEM;
    k->c = c;
    k->kind = kind;
    k->server = s;
    k->e.kind = WSPR_ASK_;
    k->e.id = wspr_ctl_id_(c);
    rc = wspr_table_add_(c, &k->e);
    if (rc != 0) {
        v23_put(c->al, k);
        return rc;
    }
    if (s != NULL) {
        k->next = s->asks;
        if (k->next != NULL)
            k->next->link = &k->next;
        k->link = &s->asks;
        s->asks = k;
    }
    c->nasks++;
    if (kind == WSPR_GRANT_)
        wspr_due_set_(c, &c->grants, &k->due,
            wspr_ctl_now_(c).mono_ns + GRANT_NS);
    wspr_ctl_reading_(c);
    *out = k;
    return 0;
}

/* While the page thinks. */
void wspr_ask_limit_(struct wspr_ask_ *k, int64_t now)
{
    struct wspr_ctl *c = k->c;

    wspr_due_set_(c, &c->answers, &k->due, now + c->cfg.limits.answer_ns);
}

void wspr_ask_free_(struct wspr_ask_ *k)
{
    struct wspr_ctl *c = k->c;

    if (k->then != NULL)
        wspr_ask_free_(k->then);
    wspr_due_drop_(k->kind == WSPR_GRANT_ ? &c->grants : &c->answers,
        &k->due);
    wspr_table_drop_(c, &k->e);
    if (k->link != NULL) {
        *k->link = k->next;
        if (k->next != NULL)
            k->next->link = k->link;
    }
    if (k->call != NULL)
        k->call->ask = NULL;
    c->nasks--;
    wspr_ctl_reading_(c);
    v23_put(c->al, k);
}

struct wspr_ask_ *wspr_ask_find_(struct wspr_server_ *s,
    enum wspr_ask_kind_ kind, struct v23_op op)
{
    struct wspr_ask_ *k = s->asks;

    while (k != NULL &&
           (k->kind != kind || k->op.index != op.index ||
               k->op.generation != op.generation))
        k = k->next;
    return k;
}

/* ---- no answer ----------------------------------------------------------- */

static void expire(struct wspr_ask_ *k)
{
    struct wspr_ctl *c = k->c;
    struct v23_errctx ctx = wspr_ctl_ctx_(c);
    const struct v23_verror *err;

    if (k->kind == WSPR_CAVEATS_) {
        wspr_servers_not_validated_(k,
            v23_wspr_server_err_caveat_validation_timeout(k->a, &ctx));
        return;
    }
    err = vrpc_err_make(k->a, &ctx, VRPC_ERR_TIMEOUT, "%s",
        k->kind == WSPR_GRANT_ ? LATE_GRANT
                               : "timeout: the page does not answer");
    if (k->kind == WSPR_LOOKUP_)
        wspr_servers_looked_up_(k, 0, NULL, err);
    else if (k->kind == WSPR_AUTHORIZE_)
        wspr_servers_authorized_(k, err);
    else
        wspr_calls_granted_(k->call, V23_ETIMEOUT, NULL, err);
}

static void expire_all(struct wspr_dues_ *q, int64_t now)
{
    while (q->first != NULL && q->first->at <= now)
        expire((struct wspr_ask_ *)(void *)((char *)q->first -
                                            offsetof(struct wspr_ask_, due)));
}

void wspr_asks_tick_(struct wspr_ctl *c, int64_t now)
{
    expire_all(&c->answers, now);
    expire_all(&c->grants, now);
}

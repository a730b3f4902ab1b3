/* BSD-3-Clause; see LICENSE. */
/*
 * Blessings are sent to the page once and named by a number from then on
 * (spec/wspr.md 9). A number is told as often as `refs` says; the page drops
 * it when it has seen it so often after it has been told to.
 */
#include "vom_int.h"

#include <string.h>
#include <vom/value.h>

#define PERIOD (60 * V23_NS_PER_SEC)

static const struct vdl_type messages_desc = {
    .kind = VDL_LIST,
    .align = _Alignof(struct vdl_list),
    .size = sizeof(struct vdl_list),
    .elem = &v23_wspr_principal_blessings_cache_message_desc,
    .stride = sizeof(v23_wspr_principal_blessings_cache_message),
};

static struct wspr_blessed_ **slot_of(struct wspr_vom_ *v,
    const struct vsec_blessings *b)
{
    return &v->blessed[b->nid == 0 ? 0 : b->id[0] % WSPR_BLESSED_SLOTS_];
}

static int tell(struct wspr_ctl *c,
    const v23_wspr_principal_blessings_cache_message *m, uint32_t n)
{
    struct vdl_list l = { m, n };

    return wspr_vom_send_alone_(c, wspr_ctl_id_(c), WSPR_S2C_BLESSINGS_,
        &messages_desc, &l);
}

static int tell_new(struct wspr_ctl *c, const struct wspr_blessed_ *e)
{
    v23_wspr_principal_blessings_cache_message m;

    memset(&m, 0, sizeof(m));
    m.which = V23_WSPR_PRINCIPAL_BLESSINGS_CACHE_MESSAGE_ADD;
    m.u.add.cache_id = e->id;
    m.u.add.blessings = vsec_blessings_wire(e->b);
    return tell(c, &m, 1);
}

static int add(struct wspr_ctl *c, struct vsec_blessings *b,
    struct wspr_blessed_ **out)
{
    struct wspr_vom_ *v = wspr_vom_of_(c);
    struct wspr_blessed_ *e, **slot = slot_of(v, b);
    int rc;

    if (c->nblessings >= c->cfg.limits.blessings || v->last_blessed ==
                                                        UINT32_MAX)
        return V23_ELIMIT;
    e = v23_new(c->al, struct wspr_blessed_);
    if (e == NULL)
        return V23_ENOMEM;
    e->id = v->last_blessed + 1;
    e->b = b;
    rc = tell_new(c, e);
    if (rc != 0) {
        v23_put(c->al, e);
        return rc;
    }
    v->last_blessed++;
    vsec_blessings_ref(b);
    e->next = *slot;
    *slot = e;
    if (c->nblessings++ == 0 && c->era_at == V23_NEVER) {
        c->era_at = wspr_ctl_now_(c).mono_ns + PERIOD;
        wspr_ctl_timer_(c);
    }
    *out = e;
    return 0;
}

int wspr_vom_bless_(struct wspr_ctl *c, struct vsec_blessings *b, uint32_t *id)
{
    struct wspr_blessed_ *e;
    int rc;

    *id = 0;
    if (b == NULL || c->closing)
        return 0;
    e = *slot_of(wspr_vom_of_(c), b);
    while (e != NULL && e->b != b && !vsec_blessings_eq(e->b, b))
        e = e->next;
    if (e == NULL) {
        rc = add(c, b, &e);
        if (rc != 0)
            return rc;
    }
    e->refs++;
    e->dirty = true;
    *id = e->id;
    return 0;
}

static void drop(struct wspr_ctl *c, struct wspr_blessed_ **link)
{
    struct wspr_blessed_ *e = *link;

    *link = e->next;
    vsec_blessings_unref(e->b);
    v23_put(c->al, e);
    c->nblessings--;
}

int64_t wspr_vom_collect_(struct wspr_ctl *c, int64_t now)
{
    struct wspr_vom_ *v = wspr_vom_of_(c);
    v23_wspr_principal_blessings_cache_message *m;
    struct wspr_blessed_ **link;
    uint32_t n = 0;
    size_t i;

    m = v23_arena_get0(&c->scratch, c->nblessings, sizeof(*m),
        V23_ALIGNOF(v23_wspr_principal_blessings_cache_message));
    for (i = 0; i < WSPR_BLESSED_SLOTS_ && m != NULL; i++)
        for (link = &v->blessed[i]; *link != NULL;) {
            struct wspr_blessed_ *e = *link;

            if (e->dirty) {
                e->dirty = false;
                link = &e->next;
                continue;
            }
            m[n].which = V23_WSPR_PRINCIPAL_BLESSINGS_CACHE_MESSAGE_DELETE;
            m[n].u.delete_.cache_id = e->id;
            m[n++].u.delete_.delete_after = e->refs;
            drop(c, link);
        }
    if (n > 0)
        (void)!tell(c, m, n);
    v23_arena_reset(&c->scratch);
    return c->nblessings > 0 ? now + PERIOD : V23_NEVER;
}

void wspr_vom_forget_(struct wspr_ctl *c)
{
    struct wspr_vom_ *v = wspr_vom_of_(c);
    size_t i;

    for (i = 0; i < WSPR_BLESSED_SLOTS_; i++)
        while (v->blessed[i] != NULL)
            drop(c, &v->blessed[i]);
}

/* ---- the other way ------------------------------------------------------- */

/* What a page can tell of a certificate; signatures of kinds that it does not
 * know are lost on the way. */
static bool same_cert(const v23_security_certificate *x,
    const v23_security_certificate *y)
{
    uint32_t i;

    if (!vdl_str_eq(x->extension, y->extension) ||
        !vdl_bytes_eq(x->public_key, y->public_key) ||
        x->caveats.n != y->caveats.n)
        return false;
    for (i = 0; i < x->caveats.n; i++)
        if (!vdl_equal(&v23_security_caveat_desc, &x->caveats.v[i],
                &y->caveats.v[i]))
            return false;
    return true;
}

static bool same(const v23_security_wire_blessings *x,
    const v23_security_wire_blessings *y)
{
    const v23_security_certificate_list *cx, *cy;
    uint32_t i, j;

    if (x->certificate_chains.n != y->certificate_chains.n)
        return false;
    for (i = 0; i < x->certificate_chains.n; i++) {
        cx = &x->certificate_chains.v[i];
        cy = &y->certificate_chains.v[i];
        if (cx->n != cy->n)
            return false;
        for (j = 0; j < cx->n; j++)
            if (!same_cert(&cx->v[j], &cy->v[j]))
                return false;
    }
    return true;
}

int wspr_vom_blessings_(struct wspr_ctl *c,
    const v23_security_wire_blessings *w, struct vsec_blessings **out)
{
    struct wspr_vom_ *v = wspr_vom_of_(c);
    struct wspr_blessed_ *e;
    size_t i;

    *out = NULL;
    if (w->certificate_chains.n == 0)
        return 0;
    for (i = 0; i < WSPR_BLESSED_SLOTS_; i++)
        for (e = v->blessed[i]; e != NULL; e = e->next)
            if (same(&e->b->wire, w)) {
                *out = vsec_blessings_ref(e->b);
                return 0;
            }
    return vsec_blessings_from_wire(c->cfg.principal->engine, c->cfg.chains, w,
        out);
}

/* BSD-3-Clause; see LICENSE. */
/*
 * Pinned connections (spec/rpc.md 19.5): a call that ends when it has chosen a
 * server, made again each time the connection is lost. A pinned connection is
 * not idle.
 */
#include "call_int.h"

#include <string.h>

#define DELAY_MIN (50 * V23_NS_PER_MS)
#define DELAY_MAX (60 * V23_NS_PER_SEC)

struct vrpc_pin {
    struct vrpc_client *c;
    struct vrpc_pin *next, **link;   /* of the client */
    struct vrpc_pin *snext, **slink; /* of the session; slink NULL: lost */
    struct vrpc_call *call;          /* connecting */
    struct vrpc_timer_ timer;        /* connect again */
    int64_t delay;                   /* after the next failure */
    struct vrpc_call_opts opts;
    vrpc_pin_fn *fn;
    void *ud;
    uint32_t n;                      /* length of the name behind */
};

static struct vdl_str name_of(struct vrpc_pin *p)
{
    return vdl_strn((const char *)(p + 1), p->n);
}

static void connect_again(struct vrpc_pin *p, int64_t after)
{
    struct vrpc_manager *m = p->c->m;

    vrpc_mgr_timer_(m, &p->timer, vrpc_mgr_now_(m).mono_ns + after);
}

static void failed(struct vrpc_pin *p)
{
    connect_again(p, p->delay);
    p->delay = p->delay > DELAY_MAX / 2 ? DELAY_MAX : 2 * p->delay;
}

/* A try has ended. What the callback does to the pin comes last. */
static void tried(void *ud, const struct v23_verror *err,
    const struct vdl_any *results, size_t n)
{
    struct vrpc_pin *p = ud;

    (void)results;
    (void)n;
    if (p == NULL)
        return; /* freed meanwhile */
    p->call = NULL;
    if (err != NULL)
        failed(p);
    else
        p->delay = DELAY_MIN;
    if (p->fn != NULL)
        p->fn(p->ud, p, err);
}

static void connect(void *ud)
{
    static const struct vrpc_any_cb cb = { NULL, tried };
    struct vrpc_pin *p = ud;

    p->call = vrpc_call_connect_(p->c, name_of(p), &p->opts, &cb, p);
    if (p->call == NULL)
        failed(p);
}

void vrpc_pin_chosen_(struct vrpc_pin *p, struct vrpc_session_ *s)
{
    p->slink = &s->kept;
    p->snext = s->kept;
    if (p->snext != NULL)
        p->snext->slink = &p->snext;
    s->kept = p;
}

static void let_go(struct vrpc_pin *p)
{
    if (p->slink == NULL)
        return;
    *p->slink = p->snext;
    if (p->snext != NULL)
        p->snext->slink = p->slink;
    p->slink = NULL;
}

void vrpc_pins_lost_(struct vrpc_session_ *s)
{
    struct vrpc_pin *p;

    while ((p = s->kept) != NULL) {
        let_go(p);
        if (p->call == NULL)
            connect_again(p, 0);
    }
}

int vrpc_client_pin(struct vrpc_client *c, struct vdl_str name,
    const struct vrpc_call_opts *opts, vrpc_pin_fn *fn, void *ud,
    struct vrpc_pin **out)
{
    struct vrpc_pin *p;
    int rc;

    p = v23_get0(c->m->al, 1, sizeof(*p) + name.n);
    if (p == NULL)
        return V23_ENOMEM;
    p->c = c;
    p->n = name.n;
    if (name.n > 0)
        memcpy(p + 1, name.p, name.n);
    if (opts != NULL)
        p->opts = *opts;
    p->fn = fn;
    p->ud = ud;
    p->delay = DELAY_MIN;
    rc = vrpc_timer_init_(&c->m->timers, &p->timer, connect, p);
    if (rc != 0) {
        v23_put(c->m->al, p);
        return rc;
    }
    p->link = &c->pins;
    p->next = c->pins;
    if (p->next != NULL)
        p->next->link = &p->next;
    c->pins = p;
    connect_again(p, 0);
    *out = p;
    return 0;
}

bool vrpc_pin_is_connected(const struct vrpc_pin *p)
{
    return p->slink != NULL;
}

void vrpc_pin_free(struct vrpc_pin *p)
{
    struct vrpc_manager *m;

    if (p == NULL)
        return;
    m = p->c->m;
    let_go(p);
    if (p->call != NULL) {
        p->call->ud = NULL;
        p->call->pin = NULL;
        vrpc_call_cancel(p->call);
    }
    *p->link = p->next;
    if (p->next != NULL)
        p->next->link = p->link;
    vrpc_timer_fini_(&m->timers, &p->timer);
    v23_put(m->al, p);
}

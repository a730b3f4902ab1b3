/* BSD-3-Clause; see LICENSE. */
/*
 * Sleep. A timer cannot be taken back, so each has a block of its own that
 * outlives the call; `call` is NULL once the call has been answered.
 */
#include "server.h"

struct echo_sleep {
    struct echo_sleep *next, **link;
    struct echo_server *server;
    struct vrpc_server_call *call;
    int32_t ms;
};

static void sleep_free(struct echo_sleep *z)
{
    *z->link = z->next;
    if (z->next != NULL)
        z->next->link = z->link;
    v23_put(NULL, z);
}

static void slept(void *ud)
{
    struct echo_sleep *z = ud;
    struct vrpc_server_call *call = z->call;
    echo_echo_sleep_out out = { z->ms };

    sleep_free(z);
    if (call != NULL)
        (void)echo_echo_sleep_reply(call, NULL, &out);
}

static void disturbed(void *ud, struct vrpc_server_call *call, int reason)
{
    struct echo_sleep *z = ud;

    if (z->call == NULL)
        return;
    z->call = NULL;
    if (reason == V23_ETIMEOUT)
        z->server->count.deadlines++;
    else
        z->server->count.cancels++;
    (void)echo_echo_sleep_reply(call, echo_gone(call, reason), NULL);
}

const struct v23_verror *echo_sleep(void *self, struct vrpc_server_call *call,
    const echo_echo_sleep_in *in, echo_echo_sleep_out *out)
{
    struct echo_object *o = self;
    struct echo_server *s = o->server;
    struct echo_sleep *z;

    echo_enter(s, call);
    out->result = in->ms;
    if (in->ms <= 0)
        return NULL;
    z = v23_new(NULL, struct echo_sleep);
    if (z == NULL)
        return echo_gone(call, V23_ECANCELED);
    z->server = s;
    z->call = call;
    z->ms = in->ms;
    z->next = s->sleeps;
    z->link = &s->sleeps;
    if (z->next != NULL)
        z->next->link = &z->next;
    s->sleeps = z;
    if (vrpc_runtime_after(&s->p->rt, in->ms * V23_NS_PER_MS, slept, z)
        != 0) {
        sleep_free(z);
        return echo_gone(call, V23_ECANCELED);
    }
    vrpc_server_call_on_cancel(call, disturbed, z);
    return &vrpc_pending;
}

void echo_sleeps_free(struct echo_server *s)
{
    while (s->sleeps != NULL)
        sleep_free(s->sleeps);
}

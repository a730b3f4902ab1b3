/* BSD-3-Clause; see LICENSE. */
/* Sleep: answered by a timer of the loop that the call is on. */
#include "server.h"

struct echo_sleep {
    struct echo_server *server;
    struct vrpc_server_call *call;
    int32_t ms;
};

static void slept(void *ud)
{
    struct echo_sleep *z = ud;
    echo_echo_sleep_out out = { z->ms };

    (void)echo_echo_sleep_reply(z->call, NULL, &out);
}

static void disturbed(void *ud, struct vrpc_server_call *call, int reason)
{
    struct echo_sleep *z = ud;

    vrpc_runtime_cancel(vrpc_runtime_of(call), slept, z);
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
    z = v23_arena_new(vrpc_server_call_arena(call), struct echo_sleep);
    if (z == NULL)
        return echo_gone(call, V23_ECANCELED);
    z->server = s;
    z->call = call;
    z->ms = in->ms;
    if (vrpc_runtime_after(vrpc_runtime_of(call), in->ms * V23_NS_PER_MS,
            slept, z)
        != 0)
        return echo_gone(call, V23_ECANCELED);
    vrpc_server_call_on_cancel(call, disturbed, z);
    return &vrpc_pending;
}

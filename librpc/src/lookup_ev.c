/* BSD-3-Clause; see LICENSE. */
/*
 * Host names to addresses. evdns may answer from inside the question, and
 * answers a question that was cancelled, perhaps after everything else here is
 * gone; neither is passed on.
 */
#include <event2/dns.h>
#include <event2/util.h>

#include "ev_int.h"

struct vrpc_ev_lookup_ {
    vrpc_ev_lookup_fn_ *fn; /* NULL: cancelled */
    void *ud;
    struct evdns_getaddrinfo_request *request; /* NULL: answered */
    struct event late;      /* passes on an early answer */
    bool asking, answered;
    int err;
    struct evutil_addrinfo *ai;
};

struct evdns_base *vrpc_ev_resolver_(struct vrpc_ev *ev)
{
    if (ev->dns == NULL)
        ev->dns = evdns_base_new(ev->base,
            EVDNS_BASE_INITIALIZE_NAMESERVERS |
                EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    if (ev->dns == NULL) { /* there is no resolv.conf */
        ev->dns = evdns_base_new(ev->base, EVDNS_BASE_DISABLE_WHEN_INACTIVE);
        if (ev->dns != NULL)
            (void)evdns_base_load_hosts(ev->dns, "/etc/hosts");
    }
    return ev->dns;
}

static void lookup_free(struct vrpc_ev_lookup_ *l)
{
    event_del(&l->late);
    if (l->ai != NULL)
        evutil_freeaddrinfo(l->ai);
    v23_put(NULL, l);
}

static void pass_on(struct vrpc_ev_lookup_ *l)
{
    if (l->fn != NULL)
        l->fn(l->ud, l->err, l->ai);
    lookup_free(l);
}

static void on_late(evutil_socket_t fd, short what, void *ud)
{
    (void)fd;
    (void)what;
    pass_on(ud);
}

static void on_answer(int err, struct evutil_addrinfo *ai, void *ud)
{
    struct vrpc_ev_lookup_ *l = ud;

    l->request = NULL;
    l->answered = true;
    l->err = err;
    l->ai = ai;
    if (l->asking)
        event_active(&l->late, 0, 0);
    else
        pass_on(l);
}

struct vrpc_ev_lookup_ *vrpc_ev_lookup_(struct vrpc_ev *ev,
    const struct vrpc_ev_host_ *host, vrpc_ev_lookup_fn_ *fn, void *ud)
{
    struct evdns_base *dns = vrpc_ev_resolver_(ev);
    struct evdns_getaddrinfo_request *request;
    struct evutil_addrinfo hints;
    struct vrpc_ev_lookup_ *l = dns == NULL
        ? NULL : v23_new(NULL, struct vrpc_ev_lookup_);

    if (l == NULL)
        return NULL;
    memset(&hints, 0, sizeof(hints));
    hints.ai_family = host->family;
    hints.ai_socktype = SOCK_STREAM;
    l->fn = fn;
    l->ud = ud;
    event_assign(&l->late, ev->base, -1, 0, on_late, l);
    l->asking = true;
    request = evdns_getaddrinfo(dns, host->name, host->port, &hints,
        on_answer, l);
    l->asking = false;
    if (!l->answered)
        l->request = request;
    return l;
}

void vrpc_ev_lookup_cancel_(struct vrpc_ev_lookup_ *l)
{
    if (l == NULL)
        return;
    l->fn = NULL;
    if (l->request != NULL)
        evdns_getaddrinfo_cancel(l->request); /* on_answer() frees it */
    else
        lookup_free(l);
}

int vrpc_ev_numeric_(const struct vrpc_ev_host_ *host,
    struct evutil_addrinfo **out)
{
    struct evutil_addrinfo hints;

    memset(&hints, 0, sizeof(hints));
    hints.ai_family = host->family;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = EVUTIL_AI_NUMERICHOST | EVUTIL_AI_PASSIVE;
    return evutil_getaddrinfo(host->name, host->port, &hints, out);
}

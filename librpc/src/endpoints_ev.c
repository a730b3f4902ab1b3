/* BSD-3-Clause; see LICENSE. */
/*
 * Endpoints that a server publishes (spec/rpc.md 14.6): the address of each
 * listener, or for one on the unspecified address those of the interfaces that
 * others can reach.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <vsec/check.h>

#include "ev_int.h"

/* How well an address serves to be published; 0 = not at all. */
enum { RANK_NONE, RANK_LOOPBACK, RANK_V6, RANK_PRIVATE, RANK_PUBLIC };

static bool is_v4(const struct vrpc_network *n)
{
    static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff,
        0xff };

    return memcmp(n->addr, mapped, 12) == 0;
}

static int rank_of(const struct vrpc_network *n)
{
    const uint8_t *a = n->addr + 12;

    if (!is_v4(n)) {
        if (n->addr[0] == 0xfe && (n->addr[1] & 0xc0) == 0x80)
            return RANK_NONE; /* link local: needs a zone */
        return n->addr[0] == 0 ? RANK_NONE : RANK_V6;
    }
    if (a[0] == 127)
        return RANK_LOOPBACK;
    if (a[0] == 169 && a[1] == 254)
        return RANK_NONE;
    if (a[0] == 10 || (a[0] == 172 && (a[1] & 0xf0) == 16) ||
        (a[0] == 192 && a[1] == 168))
        return RANK_PRIVATE;
    return RANK_PUBLIC;
}

static int bind_names(struct vrpc_ev_node *n, struct v23_arena *a,
    vdl_str_list *out)
{
    struct vsec_principal *p = vrpc_manager_principal(n->m);
    struct v23_now now;

    vrpc_ev_now(n->ev, &now);
    return vsec_principal_names(p, vsec_store_default(p->store), now.wall, a,
        out);
}

static int add(struct vrpc_ev_node *n, size_t cap, struct vdl_str protocol,
    const char *address, const vdl_str_list *names)
{
    struct vrpc_server *s = vrpc_manager_server(n->m);
    struct vrpc_endpoint *ep;
    char *text;

    if (n->neps == cap)
        return 0;
    text = v23_arena_dup(&n->eps_arena, address, strlen(address));
    if (text == NULL)
        return V23_ENOMEM;
    ep = &n->eps[n->neps];
    memset(ep, 0, sizeof(*ep));
    ep->protocol = protocol;
    ep->address = vdl_str(text);
    ep->rid = *vrpc_manager_rid(n->m);
    ep->mount_table = s != NULL && vrpc_server_is_mount_table(s);
    ep->blessings = *names;
    n->neps++;
    return 0;
}

/* A listener on all interfaces: the best kind of address that there is. */
static int add_interfaces(struct vrpc_ev_node *n, size_t cap,
    const struct vrpc_ev_listener_ *l, const vdl_str_list *names)
{
    const struct vrpc_network *nets;
    char text[80], host[INET6_ADDRSTRLEN];
    const char *port = strrchr(l->bound, ':');
    bool v4_only = l->sa.ss_family == AF_INET;
    int best = RANK_NONE, rc = 0;
    size_t nnets, i;

    vrpc_ev_networks(n->ev, &nets, &nnets);
    for (i = 0; i < nnets; i++)
        if (rank_of(&nets[i]) > best && (!v4_only || is_v4(&nets[i])))
            best = rank_of(&nets[i]);
    for (i = 0; i < nnets && rc == 0; i++) {
        if (best == RANK_NONE || rank_of(&nets[i]) != best ||
            (v4_only && !is_v4(&nets[i])))
            continue;
        if (is_v4(&nets[i]))
            inet_ntop(AF_INET, nets[i].addr + 12, host, sizeof(host));
        else
            inet_ntop(AF_INET6, nets[i].addr, host, sizeof(host));
        snprintf(text, sizeof(text), is_v4(&nets[i]) ? "%s%s" : "[%s]%s",
            host, port);
        rc = add(n, cap, l->protocol, text, names);
    }
    if (best == RANK_NONE)
        rc = add(n, cap, l->protocol, l->bound, names);
    return rc;
}

int vrpc_ev_endpoints(struct vrpc_ev_node *n,
    const struct vrpc_endpoint **eps, size_t *neps)
{
    const struct vrpc_ev_listener_ *l;
    const struct vrpc_network *nets;
    vdl_str_list names = { NULL, 0 };
    size_t cap = 1, nnets;
    int rc;

    vrpc_ev_networks(n->ev, &nets, &nnets);
    for (l = n->listeners; l != NULL; l = l->next)
        cap += nnets + 1;
    v23_arena_reset(&n->eps_arena);
    n->neps = 0;
    n->eps = v23_arena_get0(&n->eps_arena, cap, sizeof(*n->eps),
        V23_ALIGNOF(struct vrpc_endpoint));
    if (n->eps == NULL)
        return V23_ENOMEM;
    rc = bind_names(n, &n->eps_arena, &names);
    for (l = n->listeners; l != NULL && rc == 0; l = l->next) {
        if (l->fd < 0)
            continue;
        if (vrpc_ev_is_unspecified_((const struct sockaddr *)&l->sa))
            rc = add_interfaces(n, cap, l, &names);
        else
            rc = add(n, cap, l->protocol, l->bound, &names);
    }
    if (rc == 0 && n->neps == 0)
        rc = add(n, cap, vdl_str("bidi"), "", &names);
    if (rc != 0)
        return rc;
    *eps = n->eps;
    *neps = n->neps;
    return 0;
}

void vrpc_ev_on_endpoints(struct vrpc_ev_node *n, void (*fn)(void *ud),
    void *ud)
{
    n->eps_fn = fn;
    n->eps_ud = ud;
}

void vrpc_ev_endpoints_changed_(struct vrpc_ev_node *n)
{
    if (n->eps_fn != NULL)
        n->eps_fn(n->eps_ud);
}

int vrpc_ev_routing_id(struct vrpc_routing_id *out)
{
    evutil_secure_rng_get_bytes(out->b, sizeof(out->b));
    return 0;
}

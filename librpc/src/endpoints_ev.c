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

/* Room for the addresses of one listener. */
#define MAX_CHOSEN 256u

static struct vrpc_endpoint *new_endpoint(struct vrpc_ev_node *n)
{
    void *v = n->eps;

    if (v23_reserve(n->ev->al, &v, &n->eps_cap, n->neps + 1, SIZE_MAX,
            sizeof(*n->eps)) != 0)
        return NULL;
    n->eps = v;
    memset(&n->eps[n->neps], 0, sizeof(*n->eps));
    return &n->eps[n->neps++];
}

static int add(struct vrpc_ev_node *n, struct vdl_str protocol,
    struct vdl_str address, const vdl_str_list *names)
{
    struct vrpc_server *s = vrpc_manager_server(n->m);
    char *text = v23_arena_dup(&n->eps_arena, address.p, address.n);
    struct vrpc_endpoint *ep = text == NULL ? NULL : new_endpoint(n);

    if (ep == NULL)
        return V23_ENOMEM;
    ep->protocol = protocol;
    ep->address = vdl_strn(text, address.n);
    ep->rid = *vrpc_manager_rid(n->m);
    ep->mount_table = s != NULL && vrpc_server_is_mount_table(s);
    ep->blessings = *names;
    return 0;
}

static int add_proxied(struct vrpc_ev_node *n)
{
    struct vrpc_endpoint *list = NULL, *ep;
    size_t k = 0, i;
    int rc = 0;

    if (n->proxied != NULL)
        rc = vrpc_proxied_endpoints(n->proxied, &n->eps_arena, &list, &k);
    for (i = 0; i < k && rc == 0; i++) {
        ep = new_endpoint(n);
        if (ep == NULL)
            rc = V23_ENOMEM;
        else
            *ep = list[i];
    }
    return rc;
}

static int text_of(struct v23_arena *a, const struct vrpc_network *net,
    struct vdl_str *out)
{
    char host[INET6_ADDRSTRLEN];
    bool v4 = is_v4(net);

    inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? net->addr + 12 : net->addr, host,
        sizeof(host));
    out->n = (uint32_t)strlen(host);
    out->p = v23_arena_dup(a, host, out->n);
    return out->p == NULL ? V23_ENOMEM : 0;
}

/*
 * Addresses under which a listener on every interface is reached, the best
 * first; loopback ones only where there is nothing else.
 */
static int candidates(struct vrpc_ev_node *n,
    const struct vrpc_ev_listener_ *l, struct vdl_str *out, size_t *nout)
{
    bool v4 = l->what->family != AF_INET6, v6 = l->sa.ss_family == AF_INET6;
    const struct vrpc_network *nets;
    size_t nnets, i;
    int rank, rc = 0;

    *nout = 0;
    vrpc_ev_networks(n->ev, &nets, &nnets);
    for (rank = RANK_PUBLIC; rank > RANK_NONE; rank--) {
        if (rank == RANK_LOOPBACK && *nout > 0)
            break;
        for (i = 0; i < nnets && *nout < MAX_CHOSEN && rc == 0; i++)
            if (rank_of(&nets[i]) == rank && (is_v4(&nets[i]) ? v4 : v6))
                rc = text_of(&n->eps_arena, &nets[i], &out[(*nout)++]);
    }
    return rc;
}

/* "host" and the listener's port; "host:port" as it is. */
static int add_chosen(struct vrpc_ev_node *n,
    const struct vrpc_ev_listener_ *l, struct vdl_str address,
    const vdl_str_list *names)
{
    const char *port = strrchr(l->bound, ':');
    struct vdl_str host, given;
    struct v23_buf b;
    int rc;

    if (vrpc_split_host_port(address, &host, &given) == 0)
        return add(n, l->protocol, address, names);
    v23_buf_init(&b, n->ev->al, 1024);
    v23_buf_printf(&b, memchr(address.p, ':', address.n) != NULL
            ? "[%.*s]%s" : "%.*s%s", (int)address.n, address.p, port);
    rc = b.err != 0 ? b.err
        : add(n, l->protocol, vdl_strn((char *)b.p, b.n), names);
    v23_buf_fini(&b);
    return rc;
}

static int add_interfaces(struct vrpc_ev_node *n,
    const struct vrpc_ev_listener_ *l, const vdl_str_list *names)
{
    struct vdl_str *all, *chosen;
    size_t k, i;
    int rc;

    all = v23_arena_get0(&n->eps_arena, 2 * MAX_CHOSEN, sizeof(*all),
        V23_ALIGNOF(struct vdl_str));
    if (all == NULL)
        return V23_ENOMEM;
    chosen = all;
    rc = candidates(n, l, all, &k);
    if (rc == 0 && n->choose != NULL) {
        chosen = all + MAX_CHOSEN;
        k = n->choose(n->choose_ud, l->protocol, all, k, chosen, MAX_CHOSEN);
    }
    for (i = 0; i < k && rc == 0; i++)
        rc = chosen[i].n == 0 ? 0 : add_chosen(n, l, chosen[i], names);
    if (rc == 0 && k == 0)
        rc = add(n, l->protocol, vdl_str(l->bound), names);
    return rc;
}

int vrpc_ev_endpoints(struct vrpc_ev_node *n,
    const struct vrpc_endpoint **eps, size_t *neps)
{
    const struct vrpc_ev_listener_ *l;
    vdl_str_list names = { NULL, 0 };
    int rc;

    v23_arena_reset(&n->eps_arena);
    n->neps = 0;
    rc = bind_names(n, &n->eps_arena, &names);
    if (rc == 0)
        rc = add_proxied(n);
    for (l = n->listeners; l != NULL && rc == 0; l = l->next) {
        if (l->fd < 0)
            continue;
        if (l->roams)
            rc = add_interfaces(n, l, &names);
        else
            rc = add(n, l->protocol, vdl_str(l->bound), &names);
    }
    if (rc == 0 && n->neps == 0)
        rc = add(n, vdl_str("bidi"), vdl_str(""), &names);
    if (rc != 0)
        return rc;
    *eps = n->eps;
    *neps = n->neps;
    return 0;
}

void vrpc_ev_set_chooser(struct vrpc_ev_node *n, vrpc_address_chooser_fn *fn,
    void *ud)
{
    n->choose = fn;
    n->choose_ud = ud;
    vrpc_ev_endpoints_changed_(n);
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

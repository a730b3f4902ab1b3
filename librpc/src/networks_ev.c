/* BSD-3-Clause; see LICENSE. */
/*
 * The networks of the local interfaces, and their changes (spec/rpc.md 20.6):
 * the kernel tells of them where it can, else somebody looks from time to
 * time. Only servers that listen on every interface want to know.
 */
#define _DEFAULT_SOURCE /* IFF_UP */
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#endif

#include "ev_int.h"
#include "rpc_int.h"

#define MAX_NETWORKS 256u
#define SETTLE (100 * V23_NS_PER_MS) /* changes come in bursts */
#define LOOK_EVERY (10 * V23_NS_PER_SEC)

/* ---- the interfaces ------------------------------------------------------ */

static unsigned prefix_bits(const uint8_t *mask, size_t n)
{
    unsigned bits = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        uint8_t m = mask[i];

        while (m & 0x80) {
            bits++;
            m = (uint8_t)(m << 1);
        }
        if (mask[i] != 0xff)
            break;
    }
    return bits;
}

/* One interface address; false: not an IP address. */
static bool network_of(const struct ifaddrs *ia, struct vrpc_network *out)
{
    struct sockaddr_in6 a6, m6;
    struct sockaddr_in a4, m4;

    if (ia->ifa_addr == NULL || ia->ifa_netmask == NULL ||
        (ia->ifa_flags & IFF_UP) == 0)
        return false;
    memset(out, 0, sizeof(*out));
    if (ia->ifa_addr->sa_family == AF_INET) {
        memcpy(&a4, ia->ifa_addr, sizeof(a4));
        memcpy(&m4, ia->ifa_netmask, sizeof(m4));
        out->addr[10] = out->addr[11] = 0xff;
        memcpy(out->addr + 12, &a4.sin_addr, 4);
        out->prefix = (uint8_t)(96 +
            prefix_bits((const uint8_t *)&m4.sin_addr, 4));
        return true;
    }
    if (ia->ifa_addr->sa_family == AF_INET6) {
        memcpy(&a6, ia->ifa_addr, sizeof(a6));
        memcpy(&m6, ia->ifa_netmask, sizeof(m6));
        memcpy(out->addr, a6.sin6_addr.s6_addr, 16);
        out->prefix = (uint8_t)prefix_bits(m6.sin6_addr.s6_addr, 16);
        return true;
    }
    return false;
}

int vrpc_ev_interfaces_(const struct v23_alloc *al,
    struct vrpc_network **nets, size_t *n)
{
    struct ifaddrs *list = NULL, *ia;
    struct vrpc_network net;
    size_t cap = 0;
    void *v = NULL;
    int rc = 0;

    *nets = NULL;
    *n = 0;
    if (getifaddrs(&list) != 0)
        return V23_ESYS;
    for (ia = list; ia != NULL && *n < MAX_NETWORKS; ia = ia->ifa_next) {
        if (!network_of(ia, &net))
            continue;
        rc = v23_reserve(al, &v, &cap, *n + 1, MAX_NETWORKS, sizeof(net));
        if (rc != 0)
            break;
        *nets = v;
        (*nets)[(*n)++] = net;
    }
    freeifaddrs(list);
    if (rc != 0) {
        v23_put(al, v);
        *nets = NULL;
        *n = 0;
    }
    return rc;
}

void vrpc_ev_networks(struct vrpc_ev *ev, const struct vrpc_network **nets,
    size_t *n)
{
    if (!ev->has_nets && ev->interfaces(ev->al, &ev->nets, &ev->nnets) == 0)
        ev->has_nets = true;
    *nets = ev->nets;
    *n = ev->nnets;
}

/* ---- changes ------------------------------------------------------------- */

static bool is_roaming(const struct vrpc_ev_node *n)
{
    const struct vrpc_ev_listener_ *l;

    for (l = n->listeners; l != NULL; l = l->next)
        if (l->roams)
            return true;
    return false;
}

void vrpc_ev_networks_changed_(struct vrpc_ev *ev)
{
    struct vrpc_network *now, *old = ev->nets;
    struct vrpc_ev_node *n, *next;
    size_t k;

    if (ev->interfaces(ev->al, &now, &k) != 0)
        return; /* the old ones are better than none */
    if (ev->has_nets && k == ev->nnets &&
        (k == 0 || memcmp(now, old, k * sizeof(*now)) == 0)) {
        v23_put(ev->al, now);
        return;
    }
    v23_logf(ev->log, V23_LOG_INFO, "addresses of the interfaces changed");
    ev->has_nets = true;
    ev->nets = now;
    ev->nnets = k;
    for (n = ev->nodes; n != NULL; n = n->next)
        vrpc_client_networks_(vrpc_manager_client(n->m), old, now, k);
    v23_put(ev->al, old);
    for (n = ev->nodes; n != NULL; n = next) {
        next = n->next;
        if (is_roaming(n))
            vrpc_ev_endpoints_changed_(n);
    }
}

static void look_again(struct vrpc_ev *ev, int64_t ns)
{
    struct timeval tv = vrpc_ev_timeval_(ns);

    if (!event_pending(&ev->roam.timer, EV_TIMEOUT, NULL))
        (void)event_add(&ev->roam.timer, &tv);
}

static void on_roam_timer(evutil_socket_t fd, short what, void *ud)
{
    struct vrpc_ev *ev = ud;

    (void)fd;
    (void)what;
    if (ev->roam.fd < 0)
        look_again(ev, LOOK_EVERY);
    vrpc_ev_networks_changed_(ev);
}

/* The kernel has news; which, the list of the interfaces says. */
static void on_news(evutil_socket_t fd, short what, void *ud)
{
    struct vrpc_ev *ev = ud;
    ssize_t n;

    (void)what;
    do
        n = recv(fd, ev->scratch, VRPC_EV_SCRATCH_, 0);
    while (n > 0 || (n < 0 && (errno == EINTR || errno == ENOBUFS)));
    look_again(ev, SETTLE);
}

#ifdef __linux__
static int open_news(void)
{
    struct sockaddr_nl sa;
    int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

    if (fd < 0)
        return -1;
    memset(&sa, 0, sizeof(sa));
    sa.nl_family = AF_NETLINK;
    sa.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
    if (vrpc_ev_socket_options_(fd, false) == 0 &&
        bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0)
        return fd;
    close(fd);
    return -1;
}
#else
static int open_news(void)
{
    return -1;
}
#endif

void vrpc_ev_roam_(struct vrpc_ev_listener_ *l)
{
    struct vrpc_ev *ev = l->node->ev;

    l->roams = true;
    if (ev->roam.users++ > 0)
        return;
    ev->roam.fd = open_news();
    event_assign(&ev->roam.timer, ev->base, -1, 0, on_roam_timer, ev);
    event_assign(&ev->roam.news, ev->base, ev->roam.fd, EV_READ | EV_PERSIST,
        on_news, ev);
    if (ev->roam.fd < 0 || event_add(&ev->roam.news, NULL) != 0)
        look_again(ev, LOOK_EVERY);
}

void vrpc_ev_unroam_(struct vrpc_ev_listener_ *l)
{
    struct vrpc_ev *ev = l->node->ev;

    if (!l->roams)
        return;
    l->roams = false;
    if (--ev->roam.users > 0)
        return;
    event_del(&ev->roam.timer);
    event_del(&ev->roam.news);
    if (ev->roam.fd >= 0)
        close(ev->roam.fd);
}

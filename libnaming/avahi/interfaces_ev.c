/* BSD-3-Clause; see LICENSE. */
/* The network interfaces of this machine. */
#define _DEFAULT_SOURCE /* IFF_UP and the like */
#include "interfaces_ev.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <event2/event.h>
#include <v23/alloc.h>

void vname_put_hardware_(struct v23_buf *out)
{
    char best[3 * 8 + 1] = "", text[sizeof(best)];
    struct ifaddrs *all, *i;
    const char *c;
    int k;

    if (getifaddrs(&all) != 0)
        return;
    for (i = all; i != NULL; i = i->ifa_next) {
        struct sockaddr_ll ll;

        if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_PACKET
            || (i->ifa_flags & IFF_LOOPBACK) != 0)
            continue;
        memcpy(&ll, i->ifa_addr, sizeof(ll));
        text[0] = 0;
        for (k = 0; k < ll.sll_halen && k < 8; k++)
            snprintf(text + 3 * k, sizeof(text) - 3 * (size_t)k, "%02x:",
                ll.sll_addr[k]);
        if (strcmp(text, best) > 0)
            memcpy(best, text, sizeof(best));
    }
    freeifaddrs(all);
    for (c = best; *c != 0; c++)
        if (*c != ':')
            v23_buf_put(out, c, 1);
}

AvahiStringList *vname_loopbacks_(void)
{
    AvahiStringList *list = NULL;
    struct ifaddrs *all, *i;

    if (getifaddrs(&all) != 0)
        return NULL;
    for (i = all; i != NULL; i = i->ifa_next)
        if ((i->ifa_flags & IFF_LOOPBACK) != 0
            && avahi_string_list_find(list, i->ifa_name) == NULL)
            list = avahi_string_list_add(list, i->ifa_name);
    freeifaddrs(all);
    return list;
}

static bool is_used(const struct ifaddrs *i, bool loopback)
{
    const unsigned need = loopback ? IFF_UP : IFF_UP | IFF_MULTICAST;

    return i->ifa_addr != NULL && (i->ifa_flags & need) == need
        && ((i->ifa_flags & IFF_LOOPBACK) != 0) == loopback;
}

static bool address_of(const struct sockaddr *sa, AvahiAddress *a)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;

    if (sa->sa_family == AF_INET) {
        memcpy(&in, sa, sizeof(in));
        a->proto = AVAHI_PROTO_INET;
        memcpy(&a->data.ipv4, &in.sin_addr, sizeof(a->data.ipv4));
        return true;
    }
    if (sa->sa_family == AF_INET6) {
        memcpy(&in6, sa, sizeof(in6));
        a->proto = AVAHI_PROTO_INET6;
        memcpy(&a->data.ipv6, &in6.sin6_addr, sizeof(a->data.ipv6));
        return true;
    }
    return false;
}

int vname_each_address_(bool loopback,
    int (*fn)(void *ud, AvahiIfIndex interface, const AvahiAddress *a),
    void *ud)
{
    struct ifaddrs *all, *i;
    AvahiAddress a;
    int rc = 0;

    if (getifaddrs(&all) != 0)
        return 0; /* as if there were none */
    for (i = all; i != NULL && rc == 0; i = i->ifa_next) {
        unsigned index = is_used(i, loopback) ? if_nametoindex(i->ifa_name)
                                              : 0;

        if (index != 0 && address_of(i->ifa_addr, &a))
            rc = fn(ud, (AvahiIfIndex)index, &a);
    }
    freeifaddrs(all);
    return rc;
}

/* ---- changes ------------------------------------------------------------- */

struct vname_news_ {
    int fd;
    struct event *heard, *settled;
    void (*fn)(void *ud);
    void *ud;
};

/* What has changed, the list of the interfaces says; when some has, more is
 * about to. */
static void on_news(evutil_socket_t fd, short what, void *ud)
{
    static const struct timeval settle = { 0, 500000 };
    struct vname_news_ *news = ud;
    char ignored[4096];
    ssize_t n;

    (void)what;
    do
        n = recv(fd, ignored, sizeof(ignored), 0);
    while (n > 0 || (n < 0 && (errno == EINTR || errno == ENOBUFS)));
    event_add(news->settled, &settle);
}

static void on_settled(evutil_socket_t fd, short what, void *ud)
{
    struct vname_news_ *news = ud;

    (void)fd;
    (void)what;
    news->fn(news->ud);
}

void vname_news_free_(struct vname_news_ *n)
{
    if (n == NULL)
        return;
    if (n->heard != NULL)
        event_free(n->heard);
    if (n->settled != NULL)
        event_free(n->settled);
    if (n->fd >= 0)
        close(n->fd);
    v23_put(NULL, n);
}

struct vname_news_ *vname_news_new_(struct event_base *base,
    void (*fn)(void *ud), void *ud)
{
    struct vname_news_ *n = v23_new(NULL, struct vname_news_);
    struct sockaddr_nl sa;

    if (n == NULL)
        return NULL;
    memset(&sa, 0, sizeof(sa));
    sa.nl_family = AF_NETLINK;
    sa.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
    n->fn = fn;
    n->ud = ud;
    n->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
        NETLINK_ROUTE);
    if (n->fd >= 0 && bind(n->fd, (struct sockaddr *)&sa, sizeof(sa)) == 0) {
        n->heard = event_new(base, n->fd, EV_READ | EV_PERSIST, on_news, n);
        n->settled = event_new(base, -1, 0, on_settled, n);
    }
    if (n->heard == NULL || n->settled == NULL
        || event_add(n->heard, NULL) != 0) {
        vname_news_free_(n);
        return NULL;
    }
    return n;
}

/* BSD-3-Clause; see LICENSE. */
/* Socket addresses as text, and the networks of the local interfaces. */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "ev_int.h"

#define MAX_NETWORKS 256u

/* "%eth0" of an address that means one interface only. */
static void format_zone(const struct sockaddr_in6 *s6, struct v23_buf *out)
{
    char name[IF_NAMESIZE];

    if (s6->sin6_scope_id != 0 && if_indextoname(s6->sin6_scope_id, name))
        v23_buf_printf(out, "%%%s", name);
}

void vrpc_ev_format_addr_(const struct sockaddr *sa, socklen_t len,
    struct v23_buf *out)
{
    char text[INET6_ADDRSTRLEN] = "";
    struct sockaddr_in6 s6;
    struct sockaddr_in s4;

    if (sa->sa_family == AF_INET) {
        memcpy(&s4, sa, sizeof(s4));
        inet_ntop(AF_INET, &s4.sin_addr, text, sizeof(text));
        v23_buf_printf(out, "%s:%u", text, (unsigned)ntohs(s4.sin_port));
    } else if (sa->sa_family == AF_INET6) {
        memcpy(&s6, sa, sizeof(s6));
        if (IN6_IS_ADDR_V4MAPPED(&s6.sin6_addr)) {
            inet_ntop(AF_INET, &s6.sin6_addr.s6_addr[12], text, sizeof(text));
            v23_buf_printf(out, "%s:%u", text,
                (unsigned)ntohs(s6.sin6_port));
        } else {
            inet_ntop(AF_INET6, &s6.sin6_addr, text, sizeof(text));
            v23_buf_printf(out, "[%s", text);
            format_zone(&s6, out);
            v23_buf_printf(out, "]:%u", (unsigned)ntohs(s6.sin6_port));
        }
    } else if (sa->sa_family == AF_UNIX) {
        vrpc_ev_unix_format_(sa, len, out);
    }
}

bool vrpc_ev_is_unspecified_(const struct sockaddr *sa)
{
    struct sockaddr_in6 s6;
    struct sockaddr_in s4;

    if (sa->sa_family == AF_INET) {
        memcpy(&s4, sa, sizeof(s4));
        return s4.sin_addr.s_addr == htonl(INADDR_ANY);
    }
    if (sa->sa_family != AF_INET6)
        return false;
    memcpy(&s6, sa, sizeof(s6));
    return IN6_IS_ADDR_UNSPECIFIED(&s6.sin6_addr);
}

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

    if (ia->ifa_addr == NULL || ia->ifa_netmask == NULL)
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

void vrpc_ev_networks(struct vrpc_ev *ev, const struct vrpc_network **nets,
    size_t *n)
{
    struct ifaddrs *list = NULL, *ia;
    struct vrpc_network net;
    size_t cap = 0;
    void *v = NULL;

    if (!ev->has_nets && getifaddrs(&list) == 0) {
        ev->has_nets = true;
        for (ia = list; ia != NULL; ia = ia->ifa_next) {
            if (!network_of(ia, &net) ||
                v23_reserve(ev->al, &v, &cap, ev->nnets + 1, MAX_NETWORKS,
                    sizeof(net)) != 0)
                continue;
            ev->nets = v;
            ev->nets[ev->nnets++] = net;
        }
        freeifaddrs(list);
    }
    *nets = ev->nets;
    *n = ev->nnets;
}

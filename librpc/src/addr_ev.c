/* BSD-3-Clause; see LICENSE. */
/* Socket addresses as text. */
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "ev_int.h"

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

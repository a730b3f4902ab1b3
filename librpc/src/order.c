/* BSD-3-Clause; see LICENSE. */
/*
 * Which of several equivalent servers to try first: by protocol, then by how
 * near the address is. Numbers only; no interface is asked (the caller passes
 * the local networks).
 */
#include <vrpc/endpoint.h>
#include <vrpc/name.h>

#include <arpa/inet.h>

struct ranked {
    size_t index;
    int protocol, locality;
};

/* Address as 16 bytes, IPv4 mapped. */
static bool parse_ip(struct vdl_str s, uint8_t out[16], bool *v4)
{
    char text[64];

    if (s.n >= sizeof(text) || (s.n != 0 && memchr(s.p, 0, s.n) != NULL))
        return false;
    if (s.n != 0)
        memcpy(text, s.p, s.n);
    text[s.n] = 0;
    memset(out, 0, 16);
    out[10] = out[11] = 0xff;
    *v4 = inet_pton(AF_INET, text, out + 12) == 1;
    return *v4 || inet_pton(AF_INET6, text, out) == 1;
}

int vrpc_network_parse(struct vdl_str cidr, struct vrpc_network *out)
{
    const char *slash = cidr.n == 0 ? NULL : memchr(cidr.p, '/', cidr.n);
    struct vrpc_network net;
    size_t i, at;
    unsigned prefix = 0, most;
    bool v4;

    if (slash == NULL)
        return V23_EENDPOINT;
    at = (size_t)(slash - cidr.p);
    if (at + 1 == cidr.n || !parse_ip(vdl_strn(cidr.p, at), net.addr, &v4))
        return V23_EENDPOINT;
    most = v4 ? 32 : 128;
    for (i = at + 1; i < cidr.n; i++) {
        if (cidr.p[i] < '0' || cidr.p[i] > '9')
            return V23_EENDPOINT;
        prefix = prefix * 10 + (unsigned)(cidr.p[i] - '0');
        if (prefix > most)
            return V23_EENDPOINT;
    }
    net.prefix = (uint8_t)(v4 ? prefix + 96 : prefix);
    *out = net;
    return 0;
}

static bool contains(const struct vrpc_network *net, const uint8_t ip[16])
{
    size_t whole = net->prefix / 8;
    unsigned rest = net->prefix % 8;

    if (memcmp(net->addr, ip, whole) != 0)
        return false;
    return rest == 0 || ((net->addr[whole] ^ ip[whole]) >> (8 - rest)) == 0;
}

/* 2 local network, 1 other IP address, 0 not an address or nothing known. */
static int locality(const struct vrpc_order_opts *opts, struct vdl_str address)
{
    struct vdl_str host = address, port;
    uint8_t ip[16];
    size_t i;
    bool v4;

    if (opts->nnetworks == 0)
        return 0;
    if (vrpc_split_host_port(address, &host, &port) != 0)
        host = address;
    if (!parse_ip(host, ip, &v4))
        return 0;
    for (i = 0; i < opts->nnetworks; i++)
        if (contains(&opts->networks[i], ip))
            return 2;
    return 1;
}

/* Position-based rank of `p` in the list, or -1. */
static int listed(const vdl_str_list *l, struct vdl_str p)
{
    uint32_t i;

    /* A later duplicate overrides, as in the reference's map. */
    for (i = l->n; i-- > 0;)
        if (vdl_str_eq(l->v[i], p))
            return (int)(l->n - i);
    return -1;
}

/* Rank of a protocol; false: the server cannot be used. */
static bool rank(const vdl_str_list *l, struct vdl_str p, int *out)
{
    static const char *const digits[] = { "wsh4", "wsh6", "tcp4", "tcp6",
        "ws4", "ws6" };
    size_t i;

    *out = listed(l, p);
    for (i = 0; *out < 0 && i < sizeof(digits) / sizeof(digits[0]); i++)
        if (vdl_str_is(p, digits[i]))
            *out = listed(l, vdl_strn(p.p, p.n - 1u));
    if (*out < 0)
        *out = listed(l, vdl_str("*"));
    return *out >= 0 || p.n == 0;
}

static bool before(const struct ranked *x, const struct ranked *y)
{
    if (x->protocol != y->protocol)
        return x->protocol > y->protocol;
    return x->locality > y->locality;
}

int vrpc_order_servers(struct v23_arena *scratch,
    const struct vrpc_order_opts *opts, const struct vdl_str *servers,
    size_t n, size_t *order, size_t *norder)
{
    static const struct vdl_str names[] = { VDL_STR_INIT("unixfd"),
        VDL_STR_INIT("wsh"), VDL_STR_INIT("tcp4"), VDL_STR_INIT("tcp"),
        VDL_STR_INIT("*") };
    vdl_str_list protocols = { names, 5 };
    struct ranked *r;
    size_t i, k, used = 0;
    int rc;

    if (opts->protocols.n != 0)
        protocols = opts->protocols;
    r = v23_arena_get0(scratch, n + 1, sizeof(*r), _Alignof(struct ranked));
    if (r == NULL)
        return V23_ENOMEM;
    for (i = 0; i < n; i++) {
        struct vdl_str address = servers[i], suffix;
        struct vrpc_endpoint ep;
        struct ranked one;

        if (vrpc_name_is_rooted(servers[i])
            && vrpc_name_split(scratch, servers[i], &address, &suffix) != 0)
            return V23_ENOMEM;
        rc = vrpc_endpoint_parse(scratch, address, &ep, NULL);
        if (rc == V23_ENOMEM)
            return rc;
        if (rc != 0 || !rank(&protocols, ep.protocol, &one.protocol))
            continue;
        one.index = i;
        one.locality = locality(opts, ep.address);
        /* Insertion keeps equal ones in order; lists are short. */
        for (k = used++; k > 0 && before(&one, &r[k - 1]); k--)
            r[k] = r[k - 1];
        r[k] = one;
    }
    for (i = 0; i < used; i++)
        order[i] = r[i].index;
    *norder = used;
    return 0;
}

/* BSD-3-Clause; see LICENSE. */
/*
 * Fuzz target of the texts that name things: endpoints, object names, globs,
 * networks. The first byte chooses which; what is accepted is printed and read
 * again.
 */
#include <v23/alloc.h>
#include <v23/bytes.h>
#include <vom/value.h>
#include <vrpc/endpoint.h>
#include <vrpc/glob.h>
#include <vrpc/name.h>

#include "fuzz.h"

static struct v23_arena A;

static bool same_list(vdl_str_list a, vdl_str_list b)
{
    uint32_t i;

    if (a.n != b.n)
        return false;
    for (i = 0; i < a.n; i++)
        if (!vdl_str_eq(a.v[i], b.v[i]))
            return false;
    return true;
}

static bool has(vdl_str_list a, char c)
{
    uint32_t i;

    for (i = 0; i < a.n; i++)
        if (a.v[i].n > 0 && memchr(a.v[i].p, c, a.v[i].n) != NULL)
            return true;
    return false;
}

/*
 * The canonical form reads as what it was made of, and is its own; but for what
 * the reference implementation does not escape: '@' in routes, and commas in
 * the one name of a short form.
 */
static void endpoint(struct vdl_str s)
{
    struct vrpc_endpoint ep, copy, again;
    struct vdl_str text, host, port, twice;
    const char *why = NULL;
    struct v23_buf name;

    if (vrpc_endpoint_parse(&A, s, &ep, &why) != 0) {
        check(why != NULL);
        return;
    }
    check(vrpc_endpoint_copy(&A, &copy, &ep) == 0);
    check(vrpc_endpoint_text(&A, &copy, &text) == 0);
    if (has(ep.routes, '@'))
        return;
    check(vrpc_endpoint_parse(&A, text, &again, NULL) == 0);
    check(vrpc_endpoint_text(&A, &again, &twice) == 0);
    check(vdl_str_eq(text, twice));
    check(vrpc_routing_id_eq(&ep.rid, &again.rid));
    check(ep.mount_table == again.mount_table);
    check(same_list(ep.routes, again.routes));
    check(has(ep.blessings, ',') || same_list(ep.blessings, again.blessings));
    (void)!vrpc_split_host_port(ep.address, &host, &port);
    v23_buf_init(&name, NULL, SIZE_MAX);
    vrpc_endpoint_name(&ep, &name);
    check(name.err == 0 && name.n == text.n + 1u);
    v23_buf_fini(&name);
}

static void name(struct vdl_str s)
{
    struct vdl_str address, suffix, joined, clean, pattern, rest, again[2];
    struct v23_buf b, c;

    check(vrpc_name_clean(&A, s, &clean) == 0);
    check(vrpc_name_clean(&A, clean, &again[0]) == 0);
    check(vdl_str_eq(clean, again[0]));
    check(vrpc_name_split(&A, s, &address, &suffix) == 0);
    check(vrpc_name_join_address(&A, address, suffix, &joined) == 0);
    check(vrpc_name_split(&A, joined, &again[0], &again[1]) == 0);
    check(vdl_str_eq(address, again[0]));
    if (vrpc_name_split_pattern(&A, s, &pattern, &rest) == 0 && pattern.n > 0)
        check(vrpc_name_join_pattern(&A, pattern, rest, &joined) == 0);
    v23_buf_init(&b, NULL, SIZE_MAX);
    v23_buf_init(&c, NULL, SIZE_MAX);
    vrpc_name_encode_element(s, &b);
    check(memchr(b.n == 0 ? (const uint8_t *)"" : b.p, '/', b.n) == NULL);
    check(vrpc_name_decode_element(vdl_strn((const char *)b.p, b.n), &c) == 0);
    check(vdl_str_eq(s, vdl_strn((const char *)c.p, c.n)));
    v23_buf_fini(&b);
    v23_buf_fini(&c);
}

/* The pattern up to a zero byte, then what it is matched with. */
static void glob(struct vdl_str s)
{
    const char *zero = s.n == 0 ? NULL : memchr(s.p, 0, s.n);
    struct vdl_str pattern = s, segment = vdl_str("");
    struct vrpc_glob g;
    struct v23_buf b;
    int i;

    if (zero != NULL) {
        pattern.n = (uint32_t)(zero - s.p);
        segment = vdl_strn(zero + 1, s.n - pattern.n - 1u);
    }
    if (vrpc_glob_parse(&A, pattern, &g) != 0)
        return;
    v23_buf_init(&b, NULL, SIZE_MAX);
    vrpc_glob_format(&g, &b);
    check(b.err == 0);
    v23_buf_fini(&b);
    for (i = 0; i < 40 && !vrpc_glob_is_empty(&g); i++) {
        (void)vrpc_glob_match(&g, segment);
        g = vrpc_glob_tail(&g);
    }
}

/* Servers, one a line, in order: each at most once. */
static void order(struct vdl_str s)
{
    struct vdl_str servers[32];
    struct vrpc_order_opts opts;
    struct vrpc_network net;
    size_t out[32], nout = 0, n = 0, i, seen = 0;

    while (s.n > 0 && n < 32) {
        const char *end = memchr(s.p, '\n', s.n);
        uint32_t len = end == NULL ? s.n : (uint32_t)(end - s.p);

        servers[n++] = vdl_strn(s.p, len);
        len += end != NULL;
        s = vdl_strn(s.p + len, s.n - len);
    }
    memset(&opts, 0, sizeof(opts));
    if (n > 0 && vrpc_network_parse(servers[0], &net) == 0) {
        check(net.prefix <= 128);
        opts.networks = &net;
        opts.nnetworks = 1;
    }
    check(vrpc_order_servers(&A, &opts, servers, n, out, &nout) == 0);
    check(nout <= n);
    for (i = 0; i < nout; i++) {
        check(out[i] < n && (seen & (size_t)1 << out[i]) == 0);
        seen |= (size_t)1 << out[i];
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct vdl_str s;

    if (n == 0)
        return 0;
    v23_arena_init(&A, NULL, 64u << 20);
    s = vdl_strn((const char *)p + 1, n - 1);
    switch (*p % 4) {
    case 0:
        endpoint(s);
        break;
    case 1:
        name(s);
        break;
    case 2:
        glob(s);
        break;
    default:
        order(s);
    }
    v23_arena_fini(&A);
    return 0;
}

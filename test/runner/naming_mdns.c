/* BSD-3-Clause; see LICENSE. */
/*
 * mDNS packets of a neighborhood (mdns.jsonl). libc takes them apart; what is
 * compared is that with the decoded form, and both with what our own functions
 * make of the host: names, strings of TXT records, servers.
 */
#define _DEFAULT_SOURCE /* arpa/nameser.h */
#include <stdlib.h>

#include <netinet/in.h>
#include <arpa/nameser.h>
#include <resolv.h>

#include <vname/neighborhood.h>

#include "naming_int.h"

enum { IN_CLASS = 1, SRV_FIXED = 6 };

struct packet {
    struct run_case *c;
    struct v23_arena *a;
    ns_msg msg;
    struct vdl_str host;      /* of the record */
    char service[VNAME_DOMAIN_MAX], instance[VNAME_DOMAIN_MAX],
        local[VNAME_DOMAIN_MAX]; /* as we name them, with a dot at the end */
};

static const char *str(const cJSON *o, const char *name)
{
    const char *s = cJSON_GetStringValue(get(o, name));

    return s == NULL ? "" : s;
}

static int num(const cJSON *o, const char *name)
{
    const cJSON *v = get(o, name);

    return cJSON_IsNumber(v) ? (int)v->valuedouble : -1;
}

/* ---- names --------------------------------------------------------------- */

static bool keep_name(struct run_case *c, struct v23_buf *b, int rc,
    char *out)
{
    if (rc == 0)
        v23_buf_puts(b, ".");
    if (rc != 0 || b->err != 0)
        return run_fail(c, "no domain name for this host");
    memcpy(out, b->p, b->n);
    out[b->n] = 0;
    v23_buf_cut(b, 0);
    return true;
}

static bool make_names(struct packet *p)
{
    char mem[VNAME_DOMAIN_MAX - 1];
    struct v23_buf b;
    struct vdl_str service;

    v23_buf_init_fixed(&b, mem, sizeof(mem));
    if (!keep_name(p->c, &b,
            vname_dns_service(vdl_str(VNAME_NEIGHBORHOOD_SERVICE), &b),
            p->service))
        return false;
    service = vdl_strn(p->service, strlen(p->service) - 1);
    return keep_name(p->c, &b, vname_dns_instance(p->host, service, &b),
               p->instance)
        && keep_name(p->c, &b, vname_dns_host(p->host, &b), p->local);
}

/* libc leaves the dot at the end out. */
static bool same_name(struct run_case *c, const char *what, const char *got,
    const char *want)
{
    size_t n = strlen(want);

    return (n != 0 && want[n - 1] == '.' && strlen(got) == n - 1
               && memcmp(got, want, n - 1) == 0)
        || run_fail(c, "%s is %s, not %s", what, got, want);
}

/* A compressed name in a record's data. */
static bool target(struct packet *p, const ns_rr *rr, unsigned at,
    const char *want, const char *ours)
{
    char text[NS_MAXDNAME];

    if (at > ns_rr_rdlen(*rr)
        || ns_name_uncompress(ns_msg_base(p->msg), ns_msg_end(p->msg),
               ns_rr_rdata(*rr) + at, text, sizeof(text))
            < 0)
        return run_fail(p->c, "malformed name in a record");
    return same_name(p->c, "target", text, want)
        && same_name(p->c, "our target", text, ours);
}

/* ---- records ------------------------------------------------------------- */

/* The strings, as they are and as read and written by us; the servers. */
static bool txt(struct packet *p, const ns_rr *rr, const cJSON *want)
{
    struct v23_bytes data = v23_bytes(ns_rr_rdata(*rr), ns_rr_rdlen(*rr));
    const cJSON *e, *strings = get(want, "strings");
    vdl_str_list got;
    struct v23_buf b;
    uint32_t i = 0;
    bool ok;

    if (vname_txt_unpack(data, p->a, &got) != 0)
        return run_fail(p->c, "TXT is refused");
    if (got.n != (uint32_t)cJSON_GetArraySize(strings))
        return run_fail(p->c, "%u strings", got.n);
    cJSON_ArrayForEach(e, strings)
    {
        if (!vdl_str_eq(got.v[i], run_text(e)))
            return run_fail(p->c, "string %u is %.*s", i, (int)got.v[i].n,
                got.v[i].p);
        i++;
    }
    v23_buf_init(&b, p->a->al, SIZE_MAX);
    ok = vname_txt_pack(got, &b) == 0 && b.n == data.n
        && memcmp(b.p, data.p, b.n) == 0;
    v23_buf_fini(&b);
    return ok || run_fail(p->c, "TXT is not written the same");
}

static bool srv(struct packet *p, const ns_rr *rr, const cJSON *want)
{
    const u_char *d = ns_rr_rdata(*rr);

    if (ns_rr_rdlen(*rr) < SRV_FIXED)
        return run_fail(p->c, "SRV is too short");
    if ((int)ns_get16(d) != num(want, "priority")
        || (int)ns_get16(d + 2) != num(want, "weight")
        || (int)ns_get16(d + 4) != num(want, "port"))
        return run_fail(p->c, "SRV has other numbers");
    return target(p, rr, SRV_FIXED, str(want, "target"), p->local);
}

static bool address(struct packet *p, const ns_rr *rr, const cJSON *want)
{
    char text[64];

    if (ns_rr_type(*rr) == ns_t_aaaa) {
        struct v23_bytes b = hex(str(want, "address_hex"));

        return (ns_rr_rdlen(*rr) == 16 && b.n == 16
                   && memcmp(b.p, ns_rr_rdata(*rr), 16) == 0)
            || run_fail(p->c, "another address");
    }
    if (ns_rr_rdlen(*rr) != 4)
        return run_fail(p->c, "an address has not 4 bytes");
    snprintf(text, sizeof(text), "%u.%u.%u.%u", ns_rr_rdata(*rr)[0],
        ns_rr_rdata(*rr)[1], ns_rr_rdata(*rr)[2], ns_rr_rdata(*rr)[3]);
    return strcmp(text, str(want, "address")) == 0
        || run_fail(p->c, "address is %s", text);
}

static const struct {
    const char *name;
    int type;
    bool shared; /* nobody owns the name */
    size_t owner; /* offset of the name in struct packet */
    bool (*data)(struct packet *p, const ns_rr *rr, const cJSON *want);
} types[] = {
    { "A", ns_t_a, false, offsetof(struct packet, local), address },
    { "AAAA", ns_t_aaaa, false, offsetof(struct packet, local), address },
    { "TXT", ns_t_txt, false, offsetof(struct packet, instance), txt },
    { "SRV", ns_t_srv, false, offsetof(struct packet, instance), srv },
    { "PTR", ns_t_ptr, true, offsetof(struct packet, service), NULL },
};

static bool class_is(struct packet *p, unsigned class, const cJSON *want)
{
    return class == strtoul(str(want, "class"), NULL, 16)
        || run_fail(p->c, "class is %04x", class);
}

static bool answer(struct packet *p, int i, const cJSON *want)
{
    size_t k;
    ns_rr rr;

    if (ns_parserr(&p->msg, ns_s_an, i, &rr) != 0)
        return run_fail(p->c, "malformed record %d", i);
    for (k = 0; k < sizeof(types) / sizeof(types[0]); k++)
        if (types[k].type == (int)ns_rr_type(rr))
            break;
    if (k == sizeof(types) / sizeof(types[0])
        || strcmp(str(want, "type"), types[k].name) != 0)
        return run_fail(p->c, "record %d has type %d", i, ns_rr_type(rr));
    if (!same_name(p->c, "name", ns_rr_name(rr), str(want, "name"))
        || !same_name(p->c, "our name", ns_rr_name(rr),
            (const char *)p + types[k].owner)
        || !class_is(p, (unsigned)ns_rr_class(rr), want))
        return false;
    if ((int)ns_rr_ttl(rr) != num(want, "ttl"))
        return run_fail(p->c, "record %d lives %d s", i, (int)ns_rr_ttl(rr));
    if ((unsigned)ns_rr_class(rr)
        != (types[k].shared ? IN_CLASS : 0x8000u + IN_CLASS))
        return run_fail(p->c, "record %d is shared, or not", i);
    return types[k].data != NULL
        ? types[k].data(p, &rr, want)
        : target(p, &rr, 0, str(want, "target"), p->instance);
}

static bool question(struct packet *p, int i, const cJSON *want)
{
    const char *ours;
    ns_rr rr;

    if (ns_parserr(&p->msg, ns_s_qd, i, &rr) != 0)
        return run_fail(p->c, "malformed question %d", i);
    if ((int)ns_rr_type(rr) != num(want, "type"))
        return run_fail(p->c, "question %d is of type %d", i, ns_rr_type(rr));
    ours = ns_rr_type(rr) == ns_t_ptr ? p->service
        : ns_rr_type(rr) == ns_t_a || ns_rr_type(rr) == ns_t_aaaa
        ? p->local
        : p->instance;
    return same_name(p->c, "question", ns_rr_name(rr), str(want, "name"))
        && same_name(p->c, "our question", ns_rr_name(rr), ours)
        && class_is(p, (unsigned)ns_rr_class(rr), want);
}

/* ---- what the neighborhood makes of it ----------------------------------- */

/* An announcement of the same endpoints has the same strings and port. */
static bool announced(struct packet *p, const cJSON *strings, int port)
{
    struct vrpc_endpoint *eps = v23_arena_get0(p->a,
        (size_t)cJSON_GetArraySize(strings), sizeof(*eps), 16);
    struct vname_announcement an;
    const char *why = "out of memory";
    const cJSON *e;
    size_t n = 0;
    uint32_t i = 0;

    cJSON_ArrayForEach(e, strings)
    {
        struct vdl_str s = run_text(e);
        const uint32_t npre = sizeof("address:/") - 1;

        if (s.n < npre
            || vrpc_endpoint_parse(p->a, vdl_strn(s.p + npre, s.n - npre),
                   &eps[n++], NULL)
                != 0)
            return run_fail(p->c, "%.*s is no address", (int)s.n, s.p);
    }
    if (vname_neighborhood_announce(eps, n, p->a, &an, &why) != 0)
        return run_fail(p->c, "%s", why);
    if (an.port != port || an.txt.n != n)
        return run_fail(p->c, "we announce port %u and %u strings", an.port,
            an.txt.n);
    cJSON_ArrayForEach(e, strings)
    {
        if (!vdl_str_eq(an.txt.v[i], run_text(e)))
            return run_fail(p->c, "we announce %.*s", (int)an.txt.v[i].n,
                an.txt.v[i].p);
        i++;
    }
    return true;
}

/* Who hears the record knows the host and its servers. */
static bool heard(struct packet *p, vdl_str_list strings, uint32_t ttl)
{
    struct vname_neighborhood_config cfg = { p->a->al, NULL };
    struct vname_neighborhood *nh;
    struct vname_dns_found f = { p->host, 1, ttl, { NULL, 0 } };
    v23_naming_mount_entry e;
    struct v23_buf b;
    const size_t nprefix = sizeof("address:") - 1;
    uint32_t i;
    bool ok;

    if (vname_neighborhood_new(&cfg, &nh) != 0)
        return run_fail(p->c, "out of memory");
    v23_buf_init(&b, p->a->al, SIZE_MAX);
    ok = vname_txt_pack(strings, &b) == 0;
    f.txt = v23_bytes(b.p, b.n);
    ok = ok && vname_neighborhood_found(nh, &f) == 0
        && vname_neighborhood_get(nh, p->host, p->a, &e) == 0
        && e.serves_mount_table && e.servers.n == strings.n;
    for (i = 0; ok && i < strings.n; i++) {
        struct vdl_str want = strings.v[i];

        want = vdl_strn(want.p + nprefix, want.n - nprefix);
        ok = vdl_str_eq(e.servers.v[i].server, want)
            && e.servers.v[i].deadline.from_now.seconds == ttl;
    }
    v23_buf_fini(&b);
    vname_neighborhood_free(nh);
    return ok || run_fail(p->c, "the neighborhood shows something else");
}

static bool neighbors(struct packet *p, const cJSON *answers)
{
    const cJSON *e, *strings = NULL, *s;
    int port = -1, ttl = 0;
    struct vdl_str *v;
    vdl_str_list list = { NULL, 0 };

    cJSON_ArrayForEach(e, answers)
    {
        if (strcmp(str(e, "type"), "TXT") == 0) {
            strings = get(e, "strings");
            ttl = num(e, "ttl");
        } else if (strcmp(str(e, "type"), "SRV") == 0) {
            port = num(e, "port");
        }
    }
    if (strings == NULL || ttl == 0)
        return true; /* says nothing of a service, or goodbye */
    v = v23_arena_get0(p->a, (size_t)cJSON_GetArraySize(strings), sizeof(*v),
        16);
    list.v = v;
    cJSON_ArrayForEach(s, strings)
    {
        v[list.n++] = run_text(s);
    }
    return (port < 0 || announced(p, strings, port))
        && heard(p, list, (uint32_t)ttl);
}

static bool mdns_case(struct run_case *c, struct v23_arena *a)
{
    struct packet *p = v23_arena_new(a, struct packet);
    struct v23_bytes bytes = run_hex(c, "packet_hex");
    const cJSON *want = get(c->json, "decoded"), *e;
    int i = 0;

    p->c = c;
    p->a = a;
    p->host = run_text(get(c->json, "host"));
    if (ns_initparse(bytes.p, (int)bytes.n, &p->msg) != 0)
        return run_fail(c, "not a DNS message");
    if (!make_names(p))
        return false;
    if (ns_get16(bytes.p + 2) != strtoul(str(want, "flags"), NULL, 16))
        return run_fail(c, "other flags");
    if (ns_msg_count(p->msg, ns_s_qd)
            != cJSON_GetArraySize(get(want, "questions"))
        || ns_msg_count(p->msg, ns_s_an)
            != cJSON_GetArraySize(get(want, "answers")))
        return run_fail(c, "other numbers of questions and answers");
    cJSON_ArrayForEach(e, get(want, "questions"))
    {
        if (!question(p, i++, e))
            return false;
    }
    i = 0;
    cJSON_ArrayForEach(e, get(want, "answers"))
    {
        if (!answer(p, i++, e))
            return false;
    }
    return neighbors(p, get(want, "answers"));
}

bool run_naming_mdns(struct run_case *c)
{
    return run_with_arena(c, mdns_case);
}

/* BSD-3-Clause; see LICENSE. */
/* debug discovery: services that advertise themselves near by. */
#include "debug.h"

#include <have_avahi.h>
#include <stdlib.h>
#include <v23/vdl/v.io/x/ref/lib/discovery/discovery.rpc.h>
#include <vname/discovery.h>
#include <vom/value.h>

#if VNAME_HAVE_AVAHI

enum { OUTPUT_MAX = 16 << 20, LOOKUPS_MAX = 64 };

struct scan {
    struct vname_program *p;
    struct vname_scan *scan;
    struct vname_mdns *mdns;
    struct v23_arena arena; /* of the query */
    struct v23_buf out;
    size_t lookups; /* of directories, that have not ended */
    int rc;
};

/* ---- printing ------------------------------------------------------------ */

/* The order of keys, whatever the map's is. */
static int by_key(const void *a, const void *b)
{
    const struct vdl_str *const *x = a, *const *y = b;

    return vdl_str_cmp(**x, **y);
}

/* Pointers to the keys of n entries, sorted; an entry begins with its key. */
static const struct vdl_str **sorted(const void *entries, size_t n,
    size_t size, struct v23_arena *a)
{
    const struct vdl_str **v = v23_arena_get0(a, n, sizeof(*v), 16);
    size_t i;

    for (i = 0; v != NULL && i < n; i++)
        v[i] = (const void *)((const char *)entries + i * size);
    if (v != NULL)
        qsort(v, n, sizeof(*v), by_key);
    return v;
}

static void put_quoted(struct v23_buf *out, struct vdl_str s)
{
    vdl_format_quoted(out, s.p, s.n);
}

static void put_attributes(struct v23_buf *out,
    const v23_discovery_attributes *m, struct v23_arena *a)
{
    const struct vdl_str **keys = sorted(m->v, m->n, sizeof(*m->v), a);
    uint32_t i;

    if (keys == NULL)
        out->err = V23_ENOMEM;
    v23_buf_puts(out, "Attributes:    {\n");
    for (i = 0; keys != NULL && i < m->n; i++) {
        const v23_discovery_attributes_entry *e = (const void *)keys[i];

        v23_buf_puts(out, "  ");
        put_quoted(out, e->key);
        v23_buf_puts(out, ": ");
        put_quoted(out, e->val);
        v23_buf_puts(out, "\n");
    }
    v23_buf_puts(out, "}\n");
}

static void put_attachments(struct v23_buf *out,
    const v23_discovery_attachments *m, struct v23_arena *a)
{
    const struct vdl_str **keys = sorted(m->v, m->n, sizeof(*m->v), a);
    uint32_t i;

    if (keys == NULL)
        out->err = V23_ENOMEM;
    v23_buf_puts(out, "Attachments:    {\n");
    for (i = 0; keys != NULL && i < m->n; i++) {
        const v23_discovery_attachments_entry *e = (const void *)keys[i];

        v23_buf_puts(out, "  ");
        put_quoted(out, e->key);
        v23_buf_printf(out, ": (%u bytes)\n", e->val.n);
    }
    v23_buf_puts(out, "}\n");
}

static void flush(struct scan *s)
{
    if (print_buf(&s->out) == 0)
        return;
    s->rc = 1;
    vname_program_done(s->p);
}

static void on_found(void *ud, const v23_discovery_advertisement *ad)
{
    struct scan *s = ud;
    struct v23_buf *out = &s->out;
    struct v23_arena a;
    uint32_t i;

    v23_arena_init(&a, NULL, SIZE_MAX);
    v23_buf_puts(out, "FOUND:\nId:            ");
    v23_hex_put(out, ad->id.v, sizeof(ad->id.v));
    v23_buf_puts(out, "\nInterfaceName: ");
    v23_buf_put_str(out, ad->interface_name);
    v23_buf_puts(out, "\n");
    if (ad->addresses.n != 0) {
        v23_buf_puts(out, "Addresses:     {\n");
        for (i = 0; i < ad->addresses.n; i++) {
            v23_buf_puts(out, "  ");
            v23_buf_put_str(out, ad->addresses.v[i]);
            v23_buf_puts(out, "\n");
        }
        v23_buf_puts(out, "}\n");
    }
    if (ad->attributes.n != 0)
        put_attributes(out, &ad->attributes, &a);
    if (ad->attachments.n != 0)
        put_attachments(out, &ad->attachments, &a);
    v23_buf_puts(out, "\n");
    v23_arena_fini(&a);
    flush(s);
}

static void on_lost(void *ud, const v23_discovery_advertisement *ad)
{
    struct scan *s = ud;

    v23_buf_puts(&s->out, "LOST:");
    v23_hex_put(&s->out, ad->id.v, sizeof(ad->id.v));
    v23_buf_puts(&s->out, "\n\n");
    flush(s);
}

/* ---- directories --------------------------------------------------------- */

/* A lookup, with what it borrows. */
struct lookup {
    struct scan *s;
    struct v23_arena a;
    struct vrpc_call_opts opts;
    vdl_str_list names;
    v23_lib_discovery_directory_lookup_in in;
};

static void on_looked_up(void *ud, const struct v23_verror *err,
    const v23_lib_discovery_directory_lookup_out *out)
{
    struct lookup *l = ud;
    struct scan *s = l->s;

    s->lookups--;
    if (err == NULL)
        (void)vname_scan_fetched(s->scan, &out->result);
    else
        v23_logf(&s->p->rt.log, V23_LOG_INFO,
            "an advertisement's directory does not answer: %.*s",
            (int)err->msg.n, err->msg.p);
    v23_arena_fini(&l->a);
    v23_put(NULL, l);
}

static int copy_names(vdl_str_list from, struct v23_arena *a,
    vdl_str_list *out)
{
    struct vdl_str *v = v23_arena_get0(a, from.n, sizeof(*v), 16);
    uint32_t i;

    if (v == NULL)
        return V23_ENOMEM;
    for (i = 0; i < from.n; i++) {
        v[i] = vdl_strn(v23_arena_dup(a, from.v[i].p, from.v[i].n),
            from.v[i].n);
        if (v[i].p == NULL)
            return V23_ENOMEM;
    }
    out->v = v;
    out->n = from.n;
    return 0;
}

/* What did not fit in a packet is asked for, of not too many at a time:
 * anybody can say that there is more. */
static void on_fetch(void *ud, const v23_lib_discovery_ad_info *info)
{
    struct scan *s = ud;
    struct lookup *l = s->lookups < LOOKUPS_MAX ? v23_new(NULL, struct lookup)
                                                : NULL;

    if (l == NULL)
        return;
    l->s = s;
    v23_arena_init(&l->a, NULL, SIZE_MAX);
    l->opts = call_opts(s->p);
    l->opts.no_retry = true;
    l->in.id = info->ad.id;
    s->lookups++;
    if (copy_names(info->dir_addrs, &l->a, &l->names) == 0) {
        l->opts.preresolved = &l->names;
        if (v23_lib_discovery_directory_lookup_start(s->p->rt.client, "",
                &l->opts, &l->in.id, on_looked_up, l)
            != NULL)
            return;
    }
    s->lookups--;
    v23_arena_fini(&l->a);
    v23_put(NULL, l);
}

/* ---- scanning ------------------------------------------------------------ */

static void on_heard(void *ud, const struct vname_dns_found *f)
{
    struct scan *s = ud;

    (void)vname_scan_heard(s->scan, f);
}

static void on_gone(void *ud, const struct vname_dns_found *f)
{
    struct scan *s = ud;

    vname_scan_gone(s->scan, f);
}

static void on_failed(void *ud, const char *why)
{
    struct scan *s = ud;

    s->rc = v23_error("scanning has ended: %s", why);
    vname_program_done(s->p);
}

static int start_mdns(struct scan *s, const struct vname_query *q)
{
    char service[VNAME_AD_SERVICE_TEXT];
    struct vname_mdns_config cfg = { 0 };
    const char *why = "";
    int rc = vname_ad_service(vsec_crypto_default.sha1,
        vname_query_interface(q), service);

    if (rc != 0)
        return v23_error("%s", v23_strerror(rc));
    cfg.base = s->p->rt.base;
    cfg.log = &s->p->rt.log;
    cfg.service = vdl_str(service);
    cfg.found = on_heard;
    cfg.lost = on_gone;
    cfg.failed = on_failed;
    cfg.ud = s;
    if (vname_mdns_new(&cfg, &s->mdns, &why) != 0)
        return v23_error("cannot scan: %s", why);
    return 0;
}

static int run_scan(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    static struct scan s; /* calls may end after this function */
    struct vname_scan_config cfg = { 0 };
    const struct vname_query *q;
    char mem[256];
    struct v23_buf why;
    int rc;

    if (argc > 1)
        return v23_usage_error(inv, "got %d arguments, expected at most 1",
            argc);
    s.p = ud;
    v23_arena_init(&s.arena, NULL, SIZE_MAX);
    v23_buf_init(&s.out, NULL, OUTPUT_MAX);
    v23_buf_init_fixed(&why, mem, sizeof(mem) - 1);
    rc = vname_query_parse(vdl_str(argc == 0 ? "" : argv[0]), &s.arena, &q,
        &why);
    if (rc != 0) {
        s.rc = v23_error("invalid query: %s",
            why.n != 0 ? v23_buf_cstr(&why) : v23_strerror(rc));
        goto out;
    }
    cfg.log = &s.p->rt.log;
    cfg.z = &vname_deflate_zlib;
    cfg.query = q;
    cfg.found = on_found;
    cfg.lost = on_lost;
    cfg.fetch = on_fetch;
    cfg.ud = &s;
    if (vname_scan_new(&cfg, &s.scan) != 0) {
        s.rc = out_of_memory();
        goto out;
    }
    s.rc = start_mdns(&s, q);
    if (s.rc == 0)
        vname_program_wait(s.p);
    vname_mdns_free(s.mdns);
out:
    if (s.lookups == 0)
        vname_scan_free(s.scan);
    v23_buf_fini(&s.out);
    v23_arena_fini(&s.arena);
    return s.rc;
}

#else

static int run_scan(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    (void)ud;
    (void)argv;
    if (argc > 1)
        return v23_usage_error(inv, "got %d arguments, expected at most 1",
            argc);
    return v23_error(
        "this program was built without libavahi-core: it cannot scan");
}

#endif

static const struct v23_command cmd_scan = {
    .name = "scan",
    .brief = "Scan for advertised v23 services",
    .about = "Scans by mDNS, on all interfaces but the loopback, for services "
        "that advertise themselves, until it is interrupted; prints those "
        "that match the query when they are found, changed and lost. "
        "Advertisements for certain readers only (encrypted ones) are left "
        "out.",
    .args = "[<query>]",
    .args_help = "<query> is a condition on k, the id, and v, the "
        "advertisement; none: all services. Texts of v.InterfaceName, "
        "v.Attributes[\"key\"] and v.Addresses[0] are compared with =, <>, <, "
        "<=, >, >=, like, not like, is nil and is not nil; and, or and "
        "parentheses join conditions:\n"
        "  v.InterfaceName = \"v.io/i\"\n"
        "  v.InterfaceName = \"v.io/i\" AND v.Attributes[\"a\"] = \"v\"\n"
        "  v.Attributes[\"a\"] = \"v1\" OR v.Attributes[\"a\"] = \"v2\"",
    .run = run_scan,
};
static const struct v23_command *const discovery_children[] = { &cmd_scan };
const struct v23_command cmd_discovery = {
    .name = "discovery",
    .brief = "Scan and advertise using the v23 discovery API",
    .children = discovery_children,
    .nchildren = 1,
};

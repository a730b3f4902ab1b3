/* BSD-3-Clause; see LICENSE. */
/*
 * The mount tables that announce themselves near by: instances in the order of
 * their names, each with the TXT records that were heard of it.
 */
#include <vname/neighborhood.h>

#include <v23/time.h>
#include <vname/mounttable.h>
#include <vrpc/name.h>

static const char prefix[] = "address:";

/* ---- being announced ----------------------------------------------------- */

static bool has_port(const struct vrpc_endpoint *ep, uint16_t *port)
{
    static const char *const protocols[] = { "tcp", "tcp4", "tcp6", "ws", "ws4",
        "ws6", "wsh", "wsh4", "wsh6" };
    struct vdl_str host, text;
    uint32_t v = 0, i;

    for (i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
        if (vdl_str_is(ep->protocol, protocols[i]))
            break;
    if (i == sizeof(protocols) / sizeof(protocols[0])
        || vrpc_split_host_port(ep->address, &host, &text) != 0
        || text.n == 0)
        return false;
    for (i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        v = v * 10 + (uint32_t)(text.p[i] - '0');
        if (v > UINT16_MAX)
            return false;
    }
    *port = (uint16_t)v;
    return v != 0;
}

static int put_address(struct v23_arena *a, const struct vrpc_endpoint *ep,
    struct vdl_str *out)
{
    struct v23_buf b;
    int rc;

    v23_buf_init(&b, a->al, VNAME_TXT_STRING_MAX);
    v23_buf_puts(&b, prefix);
    vrpc_endpoint_name(ep, &b);
    rc = b.err;
    if (rc == 0) {
        *out = vdl_strn(v23_arena_dup(a, b.p, b.n), b.n);
        if (out->p == NULL)
            rc = V23_ENOMEM;
    }
    v23_buf_fini(&b);
    return rc;
}

int vname_neighborhood_announce(const struct vrpc_endpoint *eps, size_t n,
    struct v23_arena *a, struct vname_announcement *out, const char **why)
{
    struct vdl_str *v = v23_arena_get0(a, n, sizeof(*v),
        V23_ALIGNOF(struct vdl_str));
    const char *reason = NULL;
    size_t i, size = 0;
    int rc = 0;

    if (v == NULL)
        return V23_ENOMEM;
    memset(out, 0, sizeof(*out));
    out->txt.v = v;
    for (i = 0; i < n; i++) {
        struct vdl_str *s = &v[out->txt.n];

        if (out->port == 0 && !has_port(&eps[i], &out->port))
            out->port = 0;
        rc = put_address(a, &eps[i], s);
        if (rc == V23_ENOMEM)
            return rc;
        if (rc == V23_ELIMIT || size + s->n + 1 > VNAME_NEIGHBORHOOD_TXT) {
            out->left_out++;
            continue;
        }
        size += (size_t)s->n + 1;
        out->txt.n++;
    }
    if (out->txt.n == 0)
        reason = "neighborhood passed no useful addresses";
    else if (out->port == 0)
        reason = "neighborhood couldn't determine a port to use{";
    if (reason != NULL && why != NULL)
        *why = reason;
    return reason == NULL ? 0 : V23_EARG;
}

/* ---- the others ---------------------------------------------------------- */

struct record {
    uint32_t source, ttl;
    uint8_t *txt;
    size_t n;
};

struct instance {
    char *name;
    uint32_t nname;
    struct record *records;
    size_t n, cap;
};

struct vname_neighborhood {
    const struct v23_alloc *al;
    const struct v23_log *log;
    struct instance *v; /* sorted by name */
    size_t n, cap;
    size_t bytes;
    bool full; /* has been said */
};

int vname_neighborhood_new(const struct vname_neighborhood_config *cfg,
    struct vname_neighborhood **out)
{
    struct vname_neighborhood *nh = v23_new(cfg->al,
        struct vname_neighborhood);

    if (nh == NULL)
        return V23_ENOMEM;
    nh->al = cfg->al;
    nh->log = cfg->log;
    *out = nh;
    return 0;
}

static void drop_record(struct vname_neighborhood *nh, struct instance *in,
    size_t k)
{
    nh->bytes -= in->records[k].n;
    v23_put(nh->al, in->records[k].txt);
    in->records[k] = in->records[--in->n];
}

static void drop_instance(struct vname_neighborhood *nh, size_t k)
{
    struct instance *in = &nh->v[k];

    while (in->n != 0)
        drop_record(nh, in, in->n - 1);
    nh->bytes -= in->nname;
    v23_put(nh->al, in->records);
    v23_put(nh->al, in->name);
    nh->n--;
    memmove(in, in + 1, (nh->n - k) * sizeof(*in));
}

void vname_neighborhood_clear(struct vname_neighborhood *nh)
{
    while (nh->n != 0)
        drop_instance(nh, nh->n - 1);
}

void vname_neighborhood_free(struct vname_neighborhood *nh)
{
    if (nh == NULL)
        return;
    vname_neighborhood_clear(nh);
    v23_put(nh->al, nh->v);
    v23_put(nh->al, nh);
}

size_t vname_neighborhood_count(const struct vname_neighborhood *nh)
{
    return nh->n;
}

static struct vdl_str name_of(const struct instance *in)
{
    return vdl_strn(in->name, in->nname);
}

/* Where the name is, or would be. */
static size_t place(const struct vname_neighborhood *nh, struct vdl_str name,
    bool *there)
{
    size_t lo = 0, hi = nh->n;

    *there = false;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int order = vdl_str_cmp(name_of(&nh->v[mid]), name);

        if (order < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
            *there = *there || order == 0;
        }
    }
    return lo;
}

/* An element of an object name, which people will see. */
static bool is_name(struct vdl_str s)
{
    size_t at = 0, n;
    uint32_t cp;

    while (at < s.n) {
        n = v23_utf8_next(s.p + at, s.n - at, &cp);
        if (n == 0 || cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == '/')
            return false;
        at += n;
    }
    return s.n != 0 && s.n <= VNAME_MAX_ELEMENT;
}

/* The object name of a server in a string, or nothing. */
static int server_of(struct vdl_str string, struct v23_arena *a,
    struct vdl_str *server)
{
    const uint32_t npre = sizeof(prefix) - 1;
    struct vdl_str address, suffix, name;
    struct vrpc_endpoint ep;
    int rc;

    if (string.n < npre || memcmp(string.p, prefix, npre) != 0)
        return V23_ENOENT;
    name = vdl_strn(string.p + npre, string.n - npre);
    if (!vrpc_name_is_rooted(name))
        return V23_ENOENT;
    rc = vrpc_name_split(a, name, &address, &suffix);
    if (rc == 0)
        rc = vrpc_endpoint_parse(a, address, &ep, NULL);
    if (rc == 0) {
        server->n = name.n;
        server->p = v23_arena_dup(a, name.p, name.n);
        if (server->p == NULL)
            rc = V23_ENOMEM;
    }
    return rc == 0 || rc == V23_ENOMEM ? rc : V23_ENOENT;
}

/* Add the servers of a record to v, which holds *n, at most max. */
static int add_servers(struct v23_bytes txt, uint32_t ttl,
    struct v23_arena *a, v23_naming_mounted_server *v, uint32_t *n)
{
    vdl_str_list strings;
    uint32_t i, j;
    int rc = vname_txt_unpack(txt, a, &strings);

    for (i = 0; rc == 0 && i < strings.n && *n < VNAME_MAX_SERVERS; i++) {
        struct vdl_str server;

        rc = server_of(strings.v[i], a, &server);
        if (rc == V23_ENOENT) {
            rc = 0;
            continue;
        }
        for (j = 0; rc == 0 && j < *n; j++)
            if (vdl_str_eq(v[j].server, server))
                break;
        if (rc != 0 || j < *n)
            continue;
        v[j].server = server;
        v[j].deadline.from_now.seconds = ttl;
        *n = j + 1;
    }
    return rc;
}

/* Does it hold the address of a server? */
static int check_txt(const struct vname_neighborhood *nh, struct v23_bytes txt)
{
    v23_naming_mounted_server v[VNAME_MAX_SERVERS];
    struct v23_arena a;
    uint32_t n = 0;
    int rc;

    v23_arena_init(&a, nh->al, SIZE_MAX);
    memset(v, 0, sizeof(v));
    rc = add_servers(txt, 0, &a, v, &n);
    v23_arena_fini(&a);
    return rc == V23_ENOMEM ? rc : rc != 0 || n == 0 ? V23_ETEXT : 0;
}

static int make_instance(struct vname_neighborhood *nh, struct vdl_str name,
    size_t k)
{
    char *copy;
    int rc = v23_reserve(nh->al, (void **)&nh->v, &nh->cap, nh->n + 1,
        VNAME_NEIGHBORHOOD_INSTANCES, sizeof(*nh->v));

    if (rc != 0)
        return rc;
    copy = v23_get(nh->al, name.n);
    if (copy == NULL)
        return V23_ENOMEM;
    memcpy(copy, name.p, name.n);
    memmove(nh->v + k + 1, nh->v + k, (nh->n - k) * sizeof(*nh->v));
    memset(&nh->v[k], 0, sizeof(nh->v[k]));
    nh->v[k].name = copy;
    nh->v[k].nname = name.n;
    nh->bytes += name.n;
    nh->n++;
    return 0;
}

static size_t find_record(const struct instance *in,
    const struct vname_dns_found *f)
{
    size_t i;

    for (i = 0; i < in->n; i++)
        if (in->records[i].source == f->source
            && in->records[i].n == f->txt.n
            && memcmp(in->records[i].txt, f->txt.p, f->txt.n) == 0)
            break;
    return i;
}

static int add_record(struct vname_neighborhood *nh, struct instance *in,
    const struct vname_dns_found *f)
{
    struct record *r;
    int rc = v23_reserve(nh->al, (void **)&in->records, &in->cap, in->n + 1,
        VNAME_NEIGHBORHOOD_RECORDS, sizeof(*in->records));

    if (rc != 0)
        return rc;
    r = &in->records[in->n];
    r->txt = v23_get(nh->al, f->txt.n);
    if (r->txt == NULL)
        return V23_ENOMEM;
    memcpy(r->txt, f->txt.p, f->txt.n);
    r->n = f->txt.n;
    r->source = f->source;
    nh->bytes += r->n;
    in->n++;
    return 0;
}

static int add(struct vname_neighborhood *nh, const struct vname_dns_found *f)
{
    bool there;
    size_t k, r;
    int rc;

    if (!is_name(f->instance) || f->txt.n == 0)
        return V23_ETEXT;
    rc = check_txt(nh, f->txt);
    if (rc != 0)
        return rc;
    k = place(nh, f->instance, &there);
    r = there ? find_record(&nh->v[k], f) : 0;
    if (!there || r == nh->v[k].n) {
        if (f->txt.n + f->instance.n
            > (size_t)VNAME_NEIGHBORHOOD_BYTES - nh->bytes)
            return V23_ELIMIT;
        if (!there)
            rc = make_instance(nh, f->instance, k);
        if (rc == 0) {
            rc = add_record(nh, &nh->v[k], f);
            if (rc != 0 && !there)
                drop_instance(nh, k);
        }
        if (rc != 0)
            return rc;
        r = nh->v[k].n - 1;
    }
    nh->v[k].records[r].ttl = f->ttl < VNAME_MDNS_TTL_MAX
        ? f->ttl
        : VNAME_MDNS_TTL_MAX;
    return 0;
}

int vname_neighborhood_found(struct vname_neighborhood *nh,
    const struct vname_dns_found *f)
{
    int rc = add(nh, f);

    if (rc == V23_ELIMIT && !nh->full) {
        nh->full = true;
        v23_logf(nh->log, V23_LOG_ERROR,
            "neighborhood: there are more mount tables near by, or more "
            "addresses of them, than there is room for");
    } else if (rc != 0) {
        v23_logf(nh->log, V23_LOG_DEBUG, "neighborhood: ignored a record: %s",
            v23_strerror(rc));
    }
    return rc;
}

void vname_neighborhood_lost(struct vname_neighborhood *nh,
    const struct vname_dns_found *f)
{
    bool there;
    size_t k = place(nh, f->instance, &there), r;

    if (!there)
        return;
    nh->full = false;
    if (f->txt.n == 0) {
        drop_instance(nh, k);
        return;
    }
    r = find_record(&nh->v[k], f);
    if (r == nh->v[k].n)
        return;
    drop_record(nh, &nh->v[k], r);
    if (nh->v[k].n == 0)
        drop_instance(nh, k);
}

int vname_neighborhood_get(const struct vname_neighborhood *nh,
    struct vdl_str instance, struct v23_arena *a, v23_naming_mount_entry *out)
{
    v23_naming_mounted_server *v;
    uint32_t n = 0;
    bool there;
    size_t k = place(nh, instance, &there), i;
    int rc = 0;

    if (!there)
        return V23_ENOENT;
    v = v23_arena_get0(a, VNAME_MAX_SERVERS, sizeof(*v),
        V23_ALIGNOF(v23_naming_mounted_server));
    if (v == NULL)
        return V23_ENOMEM;
    for (i = 0; i < nh->v[k].n && rc == 0; i++) {
        const struct record *r = &nh->v[k].records[i];

        rc = add_servers(v23_bytes(r->txt, r->n), r->ttl, a, v, &n);
    }
    if (rc != 0)
        return rc;
    memset(out, 0, sizeof(*out));
    out->servers.v = v;
    out->servers.n = n;
    out->serves_mount_table = true;
    return 0;
}

bool vname_neighborhood_next(const struct vname_neighborhood *nh,
    struct vdl_str after, struct vdl_str *out)
{
    bool there = false;
    size_t k = after.n == 0 ? 0 : place(nh, after, &there);

    if (there)
        k++;
    if (k >= nh->n)
        return false;
    *out = name_of(&nh->v[k]);
    return true;
}

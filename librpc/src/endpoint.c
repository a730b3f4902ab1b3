/* BSD-3-Clause; see LICENSE. */
/*
 * Endpoint text forms. Version 6 is the only one read and written; the quirks
 * of the reference parser (fields that may be missing at the end) are kept, so
 * that the same strings give the same values.
 */
#include <vrpc/endpoint.h>
#include <vrpc/name.h>

static const struct vdl_str empty;

static struct vdl_str from(struct vdl_str s, size_t i)
{
    return i >= s.n ? empty : vdl_strn(s.p + i, s.n - i);
}

/* Cut s at the first '@': true when there is one. */
static bool field(struct vdl_str *s, struct vdl_str *out)
{
    const char *at = s->n == 0 ? NULL : memchr(s->p, '@', s->n);

    if (at == NULL)
        return false;
    *out = vdl_strn(s->p, (size_t)(at - s->p));
    *s = from(*s, out->n + 1u);
    return true;
}

static int unescape(struct v23_arena *a, struct vdl_str in,
    struct vdl_str *out)
{
    struct v23_buf b;
    char *p;
    int rc;

    if (in.n == 0 || memchr(in.p, '%', in.n) == NULL) {
        *out = in;
        return 0;
    }
    p = v23_arena_get(a, in.n, 1);
    if (p == NULL)
        return V23_ENOMEM;
    v23_buf_init_fixed(&b, p, in.n);
    rc = vrpc_unescape(in, &b);
    if (rc == 0)
        *out = vdl_strn(p, b.n);
    return rc;
}

/* Split at commas; unescape each part when asked. */
static int split_list(struct v23_arena *a, struct vdl_str s, bool escaped,
    vdl_str_list *out)
{
    struct vdl_str *v;
    uint32_t n = 1, i, k;
    int rc = 0;

    out->v = NULL;
    out->n = 0;
    if (s.n == 0)
        return 0;
    for (i = 0; i < s.n; i++)
        n += s.p[i] == ',';
    v = v23_arena_get0(a, n, sizeof(*v), _Alignof(struct vdl_str));
    if (v == NULL)
        return V23_ENOMEM;
    for (k = 0; k < n && rc == 0; k++) {
        const char *comma = s.n == 0 ? NULL : memchr(s.p, ',', s.n);
        size_t len = comma == NULL ? s.n : (size_t)(comma - s.p);

        v[k] = vdl_strn(s.p, len);
        s = from(s, len + 1);
        if (escaped)
            rc = unescape(a, v[k], &v[k]);
    }
    out->v = v;
    out->n = n;
    return rc;
}

int vrpc_split_host_port(struct vdl_str s, struct vdl_str *host,
    struct vdl_str *port)
{
    size_t colon = s.n, i;
    struct vdl_str h;

    for (i = 0; i < s.n; i++)
        if (s.p[i] == ':')
            colon = i;
    if (colon == s.n)
        return V23_EENDPOINT;
    h = vdl_strn(s.p, colon);
    if (s.p[0] == '[') {
        const char *end = memchr(s.p, ']', s.n);

        if (end == NULL || (size_t)(end - s.p) + 1 != colon)
            return V23_EENDPOINT;
        h = vdl_strn(s.p + 1, colon - 2);
    } else if (h.n != 0 && memchr(h.p, ':', h.n) != NULL) {
        return V23_EENDPOINT;
    }
    /* Stray brackets anywhere else are refused. */
    for (i = 0; i < s.n; i++) {
        bool own = s.p[0] == '[' && (i == 0 || i + 1 == colon);

        if ((s.p[i] == '[' || s.p[i] == ']') && !own)
            return V23_EENDPOINT;
    }
    *host = h;
    *port = from(s, colon + 1);
    return 0;
}

/* host:port, host:port#, (blessing)@host:port[#]; V23_EAGAIN: another form. */
static int parse_short(struct v23_arena *a, struct vdl_str s,
    struct vrpc_endpoint *ep)
{
    struct vdl_str blessing = empty, hp = s, host, port, *v;
    size_t i;

    if (s.n != 0 && s.p[0] == '(')
        for (i = s.n; i-- > 1;)
            if (s.p[i - 1] == ')' && s.p[i] == '@') {
                blessing = vdl_strn(s.p + 1, i - 2);
                hp = from(s, i + 1);
                break;
            }
    if (hp.n == 0 || memchr(hp.p, '@', hp.n) != NULL)
        return V23_EAGAIN;
    if (vrpc_split_host_port(hp, &host, &port) != 0)
        return V23_EENDPOINT;
    ep->mount_table = true;
    if (hp.p[hp.n - 1] == '#') {
        hp.n--;
        ep->mount_table = false;
    }
    ep->address = hp;
    if (blessing.n != 0) {
        v = v23_arena_new(a, struct vdl_str);
        if (v == NULL)
            return V23_ENOMEM;
        *v = blessing;
        ep->blessings.v = v;
        ep->blessings.n = 1;
    }
    return 0;
}

/* Fields from the routing id on; missing separators end the parse quietly. */
static int parse_rest(struct v23_arena *a, struct vdl_str s,
    struct vrpc_endpoint *ep, const char **why)
{
    struct vdl_str f;

    if (!field(&s, &f))
        return 0;
    if (vrpc_routing_id_parse(f, &ep->rid) != 0) {
        *why = "invalid routing id";
        return V23_EENDPOINT;
    }
    if (!field(&s, &f))
        return 0;
    if (f.n == 0 || vdl_str_is(f, "m")) {
        ep->mount_table = true;
    } else if (!vdl_str_is(f, "s") && !vdl_str_is(f, "l")) {
        *why = "invalid mount table flag";
        return V23_EENDPOINT;
    }
    return split_list(a, s, false, &ep->blessings);
}

static int parse_v6(struct v23_arena *a, struct vdl_str s,
    struct vrpc_endpoint *ep, const char **why)
{
    struct vdl_str f, address, routes;
    int rc;

    if (s.n >= 2 && s.p[s.n - 1] == '@' && s.p[s.n - 2] == '@')
        s.n -= 2;
    if (s.n != 0 && s.p[0] == '@')
        s = from(s, 1);
    *why = "invalid endpoint string";
    if (!field(&s, &f) || !vdl_str_is(f, "6") || !field(&s, &ep->protocol)
        || !field(&s, &address) || !field(&s, &routes))
        return V23_EENDPOINT;
    *why = "invalid address: bad escape";
    rc = unescape(a, address, &ep->address);
    if (rc != 0)
        return rc;
    if (ep->address.n == 0)
        ep->address = vdl_str(":0");
    *why = "invalid route: bad escape";
    rc = split_list(a, routes, true, &ep->routes);
    if (rc != 0)
        return rc;
    return parse_rest(a, s, ep, why);
}

int vrpc_endpoint_parse(struct v23_arena *a, struct vdl_str s,
    struct vrpc_endpoint *out, const char **why)
{
    struct vrpc_endpoint ep = { 0 };
    const char *reason = "invalid endpoint string";
    int rc = parse_short(a, s, &ep);

    if (rc == V23_EAGAIN)
        rc = parse_v6(a, s, &ep, &reason);
    if (rc == 0)
        *out = ep;
    else if (rc == V23_EENDPOINT && why != NULL)
        *why = reason;
    return rc;
}

static void put_list(struct v23_buf *out, vdl_str_list l, bool escape)
{
    uint32_t i;

    for (i = 0; i < l.n; i++) {
        if (i != 0)
            v23_buf_put_byte(out, ',');
        if (escape)
            vrpc_escape(l.v[i], ",", out);
        else
            v23_buf_put_str(out, l.v[i]);
    }
}

void vrpc_endpoint_format(const struct vrpc_endpoint *ep, struct v23_buf *out)
{
    v23_buf_puts(out, "@6@");
    v23_buf_put_str(out, ep->protocol);
    v23_buf_put_byte(out, '@');
    vrpc_escape(ep->address, "@", out);
    v23_buf_put_byte(out, '@');
    put_list(out, ep->routes, true);
    v23_buf_put_byte(out, '@');
    vrpc_routing_id_format(&ep->rid, out);
    v23_buf_puts(out, ep->mount_table ? "@m@" : "@s@");
    put_list(out, ep->blessings, false);
    v23_buf_puts(out, "@@");
}

void vrpc_endpoint_name(const struct vrpc_endpoint *ep, struct v23_buf *out)
{
    v23_buf_put_byte(out, '/');
    vrpc_endpoint_format(ep, out);
}

/* Upper bound of the formatted length. */
static size_t text_bound(const struct vrpc_endpoint *ep)
{
    size_t n = 64 + (size_t)ep->protocol.n + 3 * (size_t)ep->address.n;
    uint32_t i;

    for (i = 0; i < ep->routes.n; i++)
        n += 3 * (size_t)ep->routes.v[i].n + 1;
    for (i = 0; i < ep->blessings.n; i++)
        n += (size_t)ep->blessings.v[i].n + 1;
    return n;
}

int vrpc_endpoint_text(struct v23_arena *a, const struct vrpc_endpoint *ep,
    struct vdl_str *out)
{
    size_t n = text_bound(ep);
    char *p = v23_arena_get(a, n, 1);
    struct v23_buf b;

    if (p == NULL)
        return V23_ENOMEM;
    v23_buf_init_fixed(&b, p, n);
    vrpc_endpoint_format(ep, &b);
    *out = vdl_strn(p, b.n);
    return 0;
}

bool vrpc_endpoint_is_zero(const struct vrpc_endpoint *ep)
{
    return ep->protocol.n == 0 && ep->address.n == 0 && ep->routes.n == 0
        && ep->blessings.n == 0 && !ep->mount_table
        && vrpc_routing_id_is_null(&ep->rid);
}

static int copy_str(struct v23_arena *a, struct vdl_str *dst,
    struct vdl_str src)
{
    *dst = empty;
    if (src.n == 0)
        return 0;
    dst->p = v23_arena_dup(a, src.p, src.n);
    if (dst->p == NULL)
        return V23_ENOMEM;
    dst->n = src.n;
    return 0;
}

static int copy_list(struct v23_arena *a, vdl_str_list *dst, vdl_str_list src)
{
    struct vdl_str *v = NULL;
    uint32_t i;

    if (src.n != 0) {
        v = v23_arena_get0(a, src.n, sizeof(*v), _Alignof(struct vdl_str));
        if (v == NULL)
            return V23_ENOMEM;
    }
    for (i = 0; i < src.n; i++)
        if (copy_str(a, &v[i], src.v[i]) != 0)
            return V23_ENOMEM;
    dst->v = v;
    dst->n = src.n;
    return 0;
}

int vrpc_endpoint_copy(struct v23_arena *a, struct vrpc_endpoint *dst,
    const struct vrpc_endpoint *src)
{
    struct vrpc_endpoint ep = *src;

    if (copy_str(a, &ep.protocol, src->protocol) != 0
        || copy_str(a, &ep.address, src->address) != 0
        || copy_list(a, &ep.routes, src->routes) != 0
        || copy_list(a, &ep.blessings, src->blessings) != 0)
        return V23_ENOMEM;
    *dst = ep;
    return 0;
}

/* ---- routing ids --------------------------------------------------------- */

int vrpc_routing_id_parse(struct vdl_str s, struct vrpc_routing_id *out)
{
    struct vrpc_routing_id id = { { 0 } };
    struct v23_buf b;
    int rc = 0;

    if (s.n != 0) {
        if (s.n != 2 * VRPC_ROUTING_ID_SIZE)
            return V23_EENDPOINT;
        v23_buf_init_fixed(&b, id.b, sizeof(id.b));
        rc = v23_hex_parse(s.p, s.n, &b);
    }
    if (rc != 0)
        return V23_EENDPOINT;
    *out = id;
    return 0;
}

void vrpc_routing_id_format(const struct vrpc_routing_id *id,
    struct v23_buf *out)
{
    v23_hex_put(out, id->b, sizeof(id->b));
}

struct vrpc_routing_id vrpc_routing_id_fixed(uint64_t n)
{
    struct vrpc_routing_id id = { { 0 } };
    int i;

    for (i = 0; i < 8; i++)
        id.b[15 - i] = (uint8_t)(n >> (8 * i));
    return id;
}

bool vrpc_routing_id_is_null(const struct vrpc_routing_id *id)
{
    static const struct vrpc_routing_id null;

    return vrpc_routing_id_eq(id, &null);
}

bool vrpc_routing_id_is_reserved(const struct vrpc_routing_id *id)
{
    static const uint8_t zero[14];

    return memcmp(id->b, zero, sizeof(zero)) == 0 && id->b[14] < 4;
}

bool vrpc_routing_id_eq(const struct vrpc_routing_id *x,
    const struct vrpc_routing_id *y)
{
    return memcmp(x->b, y->b, sizeof(x->b)) == 0;
}

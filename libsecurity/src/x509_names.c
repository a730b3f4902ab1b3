/* BSD-3-Clause; see LICENSE. */
/*
 * Names in X.509 certificates: hosts (RFC 6125), what a blessing name may be
 * made of, and name constraints (RFC 5280 4.2.1.10).
 *
 * Stricter than the reference implementation where it would let a certificate
 * for some hosts stand for other names: a DNS name counts only when it is a
 * host name (not "...", which as a pattern matches everything), and what '*'
 * stands for is one label of the first component (or else "*.example.com" would
 * give its holder names like "root:x.example.com").
 */
#include "x509_int.h"

#include <vsec/pattern.h>

#include "der_int.h"

/* ---- pieces -------------------------------------------------------------- */

int vsec_x509_take_any_(struct v23_bytes *in, uint8_t *tag,
    struct v23_bytes *content)
{
    if (in->n == 0 || (in->p[0] & 0x1f) == 0x1f)
        return V23_ECERT;
    *tag = in->p[0];
    return vsec_der_take_(in, *tag, content) == 0 ? 0 : V23_ECERT;
}

static struct vdl_str text_of(struct v23_bytes b)
{
    return vdl_strn((const char *)b.p, b.n);
}

static struct vdl_str from(struct vdl_str s, uint32_t i)
{
    return vdl_strn(s.p + i, s.n - i);
}

/* Place of the first dot, or the length. */
static uint32_t first_dot(struct vdl_str s)
{
    uint32_t i = 0;

    while (i < s.n && s.p[i] != '.')
        i++;
    return i;
}

static bool is_wildcard(struct vdl_str s)
{
    return s.n >= 2 && s.p[0] == '*' && s.p[1] == '.';
}

/* ---- hosts --------------------------------------------------------------- */

static bool valid_label(struct vdl_str s)
{
    uint32_t i;
    char c;

    for (i = 0; i < s.n; i++) {
        c = v23_lower(s.p[i]);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'
                || (c == '-' && i > 0)))
            return false;
    }
    return s.n > 0;
}

bool vsec_x509_valid_host_(struct vdl_str s, bool pattern)
{
    uint32_t dot;

    if (!pattern && s.n > 0 && s.p[s.n - 1] == '.')
        s.n--;
    if (pattern && is_wildcard(s))
        s = from(s, 2);
    for (;;) {
        dot = first_dot(s);
        if (!valid_label(vdl_strn(s.p, dot)))
            return false;
        if (dot == s.n)
            return true;
        s = from(s, dot + 1);
    }
}

/* Four decimal numbers without leading zeros. */
static bool parse_ipv4(struct vdl_str s, uint8_t ip[4])
{
    uint32_t i = 0, start, v;
    int part;

    for (part = 0; part < 4; part++) {
        if (part > 0 && (i >= s.n || s.p[i++] != '.'))
            return false;
        start = i;
        for (v = 0; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
            v = v * 10 + (uint32_t)(s.p[i] - '0');
            if (i - start >= 3)
                return false;
        }
        if (i == start || v > 255 || (s.p[start] == '0' && i - start > 1))
            return false;
        ip[part] = (uint8_t)v;
    }
    return i == s.n;
}

static bool has_ipv4(const struct vsec_x509_cert *c, const uint8_t ip[4])
{
    static const uint8_t mapped[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff,
        0xff };
    struct v23_bytes rest = c->names, name;
    uint8_t tag;

    while (vsec_x509_take_any_(&rest, &tag, &name) == 0) {
        if (tag != VSEC_X509_IP_)
            continue;
        if ((name.n == 4 && memcmp(name.p, ip, 4) == 0)
            || (name.n == 16 && memcmp(name.p, mapped, sizeof(mapped)) == 0
                && memcmp(name.p + sizeof(mapped), ip, 4) == 0))
            return true;
    }
    return false;
}

bool vsec_x509_next_dns(struct v23_bytes *rest, struct vdl_str *name)
{
    struct v23_bytes content;
    uint8_t tag;

    while (vsec_x509_take_any_(rest, &tag, &content) == 0)
        if (tag == VSEC_X509_DNS_) {
            *name = text_of(content);
            return true;
        }
    return false;
}

/* One DNS name against a host; `valid`: it is a proper host name. */
static bool covers(struct vdl_str dns, struct vdl_str host, bool valid)
{
    uint32_t dot;

    if (!valid || !vsec_x509_valid_host_(dns, true))
        return dns.n > 0 && !vdl_str_is(dns, ".") && vdl_str_eq_nocase(dns, host);
    if (host.p[host.n - 1] == '.')
        host.n--;
    if (!is_wildcard(dns))
        return vdl_str_eq_nocase(dns, host);
    dot = first_dot(host);
    return vdl_str_eq_nocase(from(dns, 1), from(host, dot));
}

bool vsec_x509_has_host(const struct vsec_x509_cert *c, struct vdl_str host)
{
    struct v23_bytes rest = c->names;
    struct vdl_str dns, inner = host;
    uint8_t ip[4];
    bool valid;

    if (host.n >= 3 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        inner = vdl_strn(host.p + 1, host.n - 2);
    if (parse_ipv4(inner, ip))
        return has_ipv4(c, ip);
    valid = vsec_x509_valid_host_(host, false);
    while (vsec_x509_next_dns(&rest, &dns))
        if (covers(dns, host, valid))
            return true;
    return false;
}

bool vsec_x509_dns_names_(struct vdl_str dns, struct vdl_str name)
{
    uint32_t i;

    if (!vsec_x509_valid_host_(dns, true))
        return false;
    if (is_wildcard(dns)) {
        for (i = 0; i < name.n && name.p[i] != '.'; i++)
            if (name.p[i] == ':')
                return false;
        if (i == 0 || i == name.n)
            return false;
        dns = from(dns, 2);
        name = from(name, i + 1);
    }
    return vsec_pattern_matches(dns, name);
}

/* ---- constraints --------------------------------------------------------- */

/* Labels of visible characters; the empty text is fine. */
static bool valid_domain(struct vdl_str s)
{
    uint32_t i;

    for (i = 0; i < s.n; i++) {
        if (s.p[i] < 33 || s.p[i] > 126)
            return false;
        if (s.p[i] == '.'
            && (i == 0 || i + 1 == s.n || s.p[i - 1] == '.'))
            return false;
    }
    return true;
}

/* A leading dot asks for at least one label more. */
static struct vdl_str without_dot(struct vdl_str s)
{
    return s.n > 0 && s.p[0] == '.' ? from(s, 1) : s;
}

static bool in_domain(struct vdl_str domain, struct vdl_str constraint)
{
    struct vdl_str tail = without_dot(constraint);
    uint32_t more;

    if (tail.n == 0)
        return true;
    if (domain.n < tail.n)
        return false;
    more = domain.n - tail.n;
    if (more == 0)
        return constraint.n == tail.n && vdl_str_eq_nocase(domain, tail);
    return domain.p[more - 1] == '.' && vdl_str_eq_nocase(from(domain, more), tail);
}

/* `net` is an address and its mask. */
static bool in_network(struct v23_bytes ip, struct v23_bytes net)
{
    size_t i;

    if (net.n != 2 * ip.n)
        return false;
    for (i = 0; i < ip.n; i++)
        if (((ip.p[i] ^ net.p[i]) & net.p[ip.n + i]) != 0)
            return false;
    return true;
}

static bool valid_mask(struct v23_bytes mask)
{
    bool ended = false;
    size_t i;
    uint8_t inverse;

    for (i = 0; i < mask.n; i++) {
        inverse = (uint8_t)~mask.p[i];
        /* Ones, then zeros: the inverse plus one is a power of two. */
        if ((inverse & (inverse + 1)) != 0 || (ended && mask.p[i] != 0))
            return false;
        ended = ended || mask.p[i] != 0xff;
    }
    return true;
}

static int next_subtree(struct v23_bytes *trees, uint8_t *tag,
    struct v23_bytes *base)
{
    struct v23_bytes seq;

    if (vsec_der_take_(trees, DER_SEQUENCE, &seq) != 0)
        return V23_ECERT;
    return vsec_x509_take_any_(&seq, tag, base);
}

int vsec_x509_check_subtrees_(struct v23_bytes trees, bool *known)
{
    struct v23_bytes base;
    uint8_t tag;
    bool ok;

    *known = true;
    while (trees.n > 0) {
        if (next_subtree(&trees, &tag, &base) != 0)
            return V23_ECERT;
        ok = true;
        if (tag == VSEC_X509_DNS_)
            ok = valid_domain(without_dot(text_of(base)));
        else if (tag == VSEC_X509_IP_)
            ok = (base.n == 8 || base.n == 32)
                && valid_mask(v23_bytes(base.p + base.n / 2, base.n / 2));
        else if (tag != VSEC_X509_EMAIL_ && tag != VSEC_X509_URI_)
            *known = false;
        if (!ok)
            return V23_ECERT;
    }
    return 0;
}

/* How a name stands to a list of subtrees. */
enum fit {
    FIT_NONE,    /* no subtree is of its kind */
    FIT_OUTSIDE,
    FIT_INSIDE,
    FIT_UNKNOWN  /* there are subtrees of a kind that is not compared */
};

static enum fit fit(struct v23_bytes trees, uint8_t kind,
    struct v23_bytes name)
{
    enum fit f = FIT_NONE;
    struct v23_bytes base;
    uint8_t tag;
    bool inside;

    while (trees.n > 0 && next_subtree(&trees, &tag, &base) == 0) {
        if (tag != kind)
            continue;
        if (kind != VSEC_X509_DNS_ && kind != VSEC_X509_IP_)
            return FIT_UNKNOWN;
        inside = kind == VSEC_X509_DNS_
            ? in_domain(text_of(name), text_of(base))
            : in_network(name, base);
        if (inside)
            return FIT_INSIDE;
        f = FIT_OUTSIDE;
    }
    return f;
}

bool vsec_x509_permits_(const struct vsec_x509_cert *ca,
    const struct vsec_x509_cert *c)
{
    struct v23_bytes rest = c->names, name;
    enum fit allowed, denied;
    uint8_t tag;

    while (vsec_x509_take_any_(&rest, &tag, &name) == 0) {
        if (tag == VSEC_X509_DNS_ && !valid_domain(text_of(name)))
            return false;
        allowed = fit(ca->permitted, tag, name);
        denied = fit(ca->excluded, tag, name);
        if (allowed == FIT_OUTSIDE || allowed == FIT_UNKNOWN
            || denied == FIT_INSIDE || denied == FIT_UNKNOWN)
            return false;
    }
    return true;
}

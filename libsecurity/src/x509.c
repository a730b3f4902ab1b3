/* BSD-3-Clause; see LICENSE. */
/*
 * Reading X.509 certificates (RFC 5280 4.1). Only what recognition needs is
 * taken apart; the other extensions are skipped, and remembered when they are
 * critical.
 */
#include "x509_int.h"

#include "caveat_int.h"
#include "der_int.h"

enum {
    DER_BOOLEAN = 0x01,
    DER_UTC_TIME = 0x17,
    DER_GENERALIZED_TIME = 0x18
};

/* ---- pieces -------------------------------------------------------------- */

/* An element with its tag and length. */
static int take_element(struct v23_bytes *in, uint8_t tag,
    struct v23_bytes *whole, struct v23_bytes *content)
{
    const uint8_t *from = in->p;
    int rc = vsec_der_take_(in, tag, content);

    if (rc == 0)
        *whole = v23_bytes(from, (size_t)(in->p - from));
    return rc;
}

/* Octets of a BIT STRING whose last octet may be used in part. */
static int take_flags(struct v23_bytes in, struct v23_bytes *octets)
{
    struct v23_bytes c;

    if (vsec_der_take_(&in, DER_BIT_STRING, &c) != 0 || in.n != 0 || c.n == 0
        || c.p[0] > 7 || (c.n == 1 && c.p[0] != 0)
        || (c.p[c.n - 1] & ((1u << c.p[0]) - 1)) != 0)
        return V23_ECERT;
    *octets = v23_bytes(c.p + 1, c.n - 1);
    return 0;
}

static int take_bool(struct v23_bytes *in, bool *out)
{
    struct v23_bytes c;

    *out = false;
    if (in->n == 0 || in->p[0] != DER_BOOLEAN)
        return 0;
    if (vsec_der_take_(in, DER_BOOLEAN, &c) != 0 || c.n != 1
        || (c.p[0] != 0 && c.p[0] != 0xff))
        return V23_ECERT;
    *out = c.p[0] != 0;
    return 0;
}

static bool oid_is(struct v23_bytes oid, const char *octets, size_t n)
{
    return vsec_der_eq_(oid, v23_bytes(octets, n));
}
#define OID_IS(oid, s) oid_is(oid, s, sizeof(s) - 1)

/* ---- time ---------------------------------------------------------------- */

/* Two digits; -1 when there are none. */
static int two(const uint8_t *p)
{
    if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
        return -1;
    return (p[0] - '0') * 10 + (p[1] - '0');
}

static int days_in(int year, int month)
{
    static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
        30, 31 };
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap);
}

/* YYMMDDhhmmssZ or YYYYMMDDhhmmssZ, the only forms of RFC 5280. */
static int take_time(struct v23_bytes *in, struct v23_walltime *out)
{
    struct v23_bytes c;
    int year, month, day, h, m, s;

    if (in->n > 0 && in->p[0] == DER_UTC_TIME) {
        if (vsec_der_take_(in, DER_UTC_TIME, &c) != 0 || c.n != 13)
            return V23_ECERT;
        year = two(c.p);
        year = year < 0 ? -1 : year + (year < 50 ? 2000 : 1900);
    } else {
        if (vsec_der_take_(in, DER_GENERALIZED_TIME, &c) != 0 || c.n != 15)
            return V23_ECERT;
        year = two(c.p) < 0 || two(c.p + 2) < 0
            ? -1 : two(c.p) * 100 + two(c.p + 2);
        c.p += 2;
    }
    month = two(c.p + 2);
    day = two(c.p + 4);
    h = two(c.p + 6);
    m = two(c.p + 8);
    s = two(c.p + 10);
    if (year < 0 || month < 1 || month > 12 || day < 1
        || day > days_in(year, month) || h < 0 || h > 23 || m < 0 || m > 59
        || s < 0 || s > 59 || c.p[12] != 'Z')
        return V23_ECERT;
    out->sec = vsec_time_days_(year, month, day) * 86400 + h * 3600 + m * 60
        + s;
    out->nanos = 0;
    return 0;
}

/* ---- extensions ---------------------------------------------------------- */

static int read_basic(struct vsec_x509_cert *c, struct v23_bytes value)
{
    struct v23_bytes seq, length;

    c->has_basic = true;
    if (vsec_der_take_(&value, DER_SEQUENCE, &seq) != 0 || value.n != 0
        || take_bool(&seq, &c->is_ca) != 0)
        return V23_ECERT;
    /* The length of the path that may follow: one step always may. */
    if (seq.n > 0 && vsec_der_take_uint_(&seq, &length) != 0)
        return V23_ECERT;
    return seq.n == 0 ? 0 : V23_ECERT;
}

/* A usage without any bit counts as none, as in the reference. */
static int read_usage(struct vsec_x509_cert *c, struct v23_bytes value)
{
    struct v23_bytes bits;
    size_t i;

    if (take_flags(value, &bits) != 0)
        return V23_ECERT;
    for (i = 0; i < bits.n && i < 2; i++)
        c->has_usage = c->has_usage || bits.p[i] != 0;
    c->signs_certs = bits.n > 0 && (bits.p[0] & 0x04) != 0;
    return 0;
}

static int read_purposes(struct vsec_x509_cert *c, struct v23_bytes value)
{
    struct v23_bytes seq, oid;

    if (vsec_der_take_(&value, DER_SEQUENCE, &seq) != 0 || value.n != 0)
        return V23_ECERT;
    while (seq.n > 0) {
        if (vsec_der_take_(&seq, DER_OID, &oid) != 0)
            return V23_ECERT;
        c->has_purposes = true;
        if (OID_IS(oid, "\x2b\x06\x01\x05\x05\x07\x03\x01")
            || OID_IS(oid, "\x55\x1d\x25\x00")) /* any purpose */
            c->serves = true;
    }
    return 0;
}

/* *known: there is a name of a kind that counts. */
static int read_names(struct vsec_x509_cert *c, struct v23_bytes value,
    bool *known)
{
    struct v23_bytes rest, name;
    size_t i, n = 0;
    uint8_t tag;

    if (vsec_der_take_(&value, DER_SEQUENCE, &c->names) != 0 || value.n != 0)
        return V23_ECERT;
    *known = false;
    for (rest = c->names; rest.n > 0;) {
        if (++n > VSEC_X509_MAX_NAMES)
            return V23_ELIMIT;
        if (vsec_x509_take_any_(&rest, &tag, &name) != 0)
            return V23_ECERT;
        *known = *known || tag == VSEC_X509_EMAIL_ || tag == VSEC_X509_DNS_
            || tag == VSEC_X509_URI_ || tag == VSEC_X509_IP_;
        if (tag == VSEC_X509_IP_ && name.n != 4 && name.n != 16)
            return V23_ECERT;
        if (tag == VSEC_X509_DNS_ || tag == VSEC_X509_EMAIL_
            || tag == VSEC_X509_URI_)
            for (i = 0; i < name.n; i++)
                if (name.p[i] > 127)
                    return V23_ECERT;
    }
    return 0;
}

static int read_constraints(struct vsec_x509_cert *c, struct v23_bytes value,
    bool *known)
{
    struct v23_bytes seq;
    bool permitted, excluded;

    if (vsec_der_take_(&value, DER_SEQUENCE, &seq) != 0 || value.n != 0
        || vsec_der_take_opt_(&seq, DER_CONTEXT, &c->permitted) != 0
        || vsec_der_take_opt_(&seq, DER_CONTEXT + 1, &c->excluded) != 0
        || seq.n != 0 || c->permitted.n + c->excluded.n == 0
        || vsec_x509_check_subtrees_(c->permitted, &permitted) != 0
        || vsec_x509_check_subtrees_(c->excluded, &excluded) != 0)
        return V23_ECERT;
    c->has_constraints = true;
    *known = permitted && excluded;
    return 0;
}

/* Extensions that say nothing about recognition, but are no reason to refuse
 * a certificate when critical: key identifiers, policies, where to find
 * revocation lists and the issuer. */
static bool is_harmless(struct v23_bytes oid)
{
    return OID_IS(oid, "\x55\x1d\x0e") || OID_IS(oid, "\x55\x1d\x23")
        || OID_IS(oid, "\x55\x1d\x20") || OID_IS(oid, "\x55\x1d\x1f")
        || OID_IS(oid, "\x2b\x06\x01\x05\x05\x07\x01\x01");
}

static int read_extension(struct vsec_x509_cert *c, struct v23_bytes ext,
    struct v23_bytes *oid)
{
    struct v23_bytes value;
    bool critical, known = true;
    int rc = 0;

    if (vsec_der_take_(&ext, DER_OID, oid) != 0
        || take_bool(&ext, &critical) != 0
        || vsec_der_take_(&ext, DER_OCTET_STRING, &value) != 0 || ext.n != 0)
        return V23_ECERT;
    if (OID_IS(*oid, "\x55\x1d\x0f"))
        rc = read_usage(c, value);
    else if (OID_IS(*oid, "\x55\x1d\x11"))
        rc = read_names(c, value, &known);
    else if (OID_IS(*oid, "\x55\x1d\x13"))
        rc = read_basic(c, value);
    else if (OID_IS(*oid, "\x55\x1d\x1e"))
        rc = read_constraints(c, value, &known);
    else if (OID_IS(*oid, "\x55\x1d\x25"))
        rc = read_purposes(c, value);
    else
        known = is_harmless(*oid);
    c->unhandled = c->unhandled || (critical && !known);
    return rc;
}

static int read_extensions(struct vsec_x509_cert *c, struct v23_bytes in)
{
    struct v23_bytes seq, ext, seen[VSEC_X509_MAX_EXTENSIONS];
    size_t i, n = 0;
    int rc;

    if (vsec_der_take_(&in, DER_SEQUENCE, &seq) != 0 || in.n != 0)
        return V23_ECERT;
    while (seq.n > 0) {
        if (n == VSEC_X509_MAX_EXTENSIONS)
            return V23_ELIMIT;
        if (vsec_der_take_(&seq, DER_SEQUENCE, &ext) != 0)
            return V23_ECERT;
        rc = read_extension(c, ext, &seen[n]);
        if (rc != 0)
            return rc;
        for (i = 0; i < n; i++)
            if (vsec_der_eq_(seen[i], seen[n]))
                return V23_ECERT;
        n++;
    }
    return 0;
}

/* ---- the whole ----------------------------------------------------------- */

static int read_version(struct vsec_x509_cert *c, struct v23_bytes *tbs)
{
    struct v23_bytes v;
    uint32_t n = 0;

    if (tbs->n > 0 && tbs->p[0] == DER_CONTEXT
        && (vsec_der_take_(tbs, DER_CONTEXT, &v) != 0
            || vsec_der_take_u32_(&v, 2, &n) != 0 || v.n != 0))
        return V23_ECERT;
    c->version = (uint8_t)(n + 1);
    return 0;
}

/* Everything behind the key. */
static int read_tail(struct vsec_x509_cert *c, struct v23_bytes tbs)
{
    struct v23_bytes unused;
    int rc;

    /* Unique identifiers of issuer and subject: [1] and [2], primitive. */
    if (c->version > 1
        && (vsec_der_take_opt_(&tbs, 0x81, &unused) != 0
            || vsec_der_take_opt_(&tbs, 0x82, &unused) != 0))
        return V23_ECERT;
    if (c->version == 3 && tbs.n > 0) {
        if (vsec_der_take_(&tbs, DER_CONTEXT + 3, &unused) != 0)
            return V23_ECERT;
        rc = read_extensions(c, unused);
        if (rc != 0)
            return rc;
    }
    return tbs.n == 0 ? 0 : V23_ECERT;
}

static int read_tbs(struct vsec_x509_cert *c, struct v23_bytes tbs)
{
    struct v23_bytes serial, algorithm, validity, content, spki;

    if (read_version(c, &tbs) != 0
        || vsec_der_take_(&tbs, DER_INTEGER, &serial) != 0 || serial.n == 0
        || vsec_der_take_(&tbs, DER_SEQUENCE, &algorithm) != 0
        || !vsec_der_eq_(algorithm, c->algorithm)
        || take_element(&tbs, DER_SEQUENCE, &c->issuer, &content) != 0
        || vsec_der_take_(&tbs, DER_SEQUENCE, &validity) != 0
        || take_time(&validity, &c->not_before) != 0
        || take_time(&validity, &c->not_after) != 0 || validity.n != 0
        || take_element(&tbs, DER_SEQUENCE, &c->subject, &content) != 0
        || take_element(&tbs, DER_SEQUENCE, &spki, &content) != 0)
        return V23_ECERT;
    c->spki = vdl_bytes(spki.p, spki.n);
    return read_tail(c, tbs);
}

int vsec_x509_parse(struct v23_bytes der, struct vsec_x509_cert *out)
{
    struct v23_bytes rest = der, whole, tbs;

    memset(out, 0, sizeof(*out));
    if (der.n > VSEC_X509_MAX)
        return V23_ELIMIT;
    out->der = der;
    if (vsec_der_take_(&rest, DER_SEQUENCE, &whole) != 0 || rest.n != 0
        || take_element(&whole, DER_SEQUENCE, &out->tbs, &tbs) != 0
        || vsec_der_take_(&whole, DER_SEQUENCE, &out->algorithm) != 0
        || vsec_der_take_bits_(&whole, &out->signature) != 0 || whole.n != 0)
        return V23_ECERT;
    return read_tbs(out, tbs);
}

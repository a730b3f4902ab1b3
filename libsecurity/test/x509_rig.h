/* BSD-3-Clause; see LICENSE. */
/*
 * Certificates for tests, made when they run: a form is filled in, extension by
 * extension, and signed by an authority with a P-256 key.
 */
#ifndef VSEC_TEST_X509_RIG_H
#define VSEC_TEST_X509_RIG_H

#include "people.h"

#include <vsec/x509.h>

#include "der_int.h"
#include "key_int.h"

/* Every certificate that says nothing else is valid from 2024 until 2044. */
static const struct v23_walltime in_2027 = { 1800000000, 0 };

/* Who signs certificates. */
struct authority {
    const struct vsec_alg *alg;
    void *shared, *priv;
    uint8_t spki[128];
    struct vdl_bytes key;
};

struct form {
    unsigned version; /* as encoded: 2 is version 3 */
    const char *issuer, *subject; /* common names */
    const char *from, *until;
    struct vdl_bytes key;
    struct v23_buf extensions;
};

static struct authority ca;
static struct form form; /* the one being filled in */
static struct vsec_principal *owner; /* of the leaf's key */

static inline void authority_new(struct authority *a)
{
    struct vsec_raw_key raw;
    struct v23_buf mem_buf, spki;

    ck_assert_int_eq(vsec_engine_alg_(e, VSEC_ECDSA, VSEC_P256, &a->alg,
        &a->shared), 0);
    ck_assert_int_eq(a->alg->priv_generate(a->alg, e, a->shared, 0,
        &a->priv), 0);
    v23_buf_init(&mem_buf, &mem.al, 4096);
    ck_assert_int_eq(v23_buf_room(&mem_buf, 4096), 0);
    ck_assert_int_eq(a->alg->priv_export(a->alg, e, a->shared, a->priv,
        &mem_buf, &raw), 0);
    v23_buf_init_fixed(&spki, a->spki, sizeof(a->spki));
    vsec_spki_put_(a->alg, &raw, &spki);
    ck_assert_int_eq(spki.err, 0);
    a->key = vdl_bytes(a->spki, spki.n);
    v23_buf_fini(&mem_buf);
}

static inline void authority_free(struct authority *a)
{
    a->alg->priv_free(e, a->priv);
}

/* Behind people_setup() and before people_teardown(). */
static inline void x509_begin(void)
{
    authority_new(&ca);
    owner = person();
    v23_buf_init(&form.extensions, &mem.al, SIZE_MAX);
}

static inline void x509_end(void)
{
    v23_buf_fini(&form.extensions);
    vsec_principal_unref(owner);
    authority_free(&ca);
}

static inline void x509_setup(void)
{
    people_setup();
    x509_begin();
}

static inline void x509_teardown(void)
{
    x509_end();
    people_teardown();
}

/* ---- forms --------------------------------------------------------------- */

static inline void new_form(const char *issuer, const char *subject,
    struct vdl_bytes key)
{
    form.version = 2;
    form.issuer = issuer;
    form.subject = subject;
    form.from = "240101000000Z";
    form.until = "20440101000000Z";
    form.key = key;
    v23_buf_cut(&form.extensions, 0);
}

/* An extension whose value is given in hex. */
static inline void extension(const char *oid, bool critical,
    const char *value)
{
    struct v23_buf *b = &form.extensions;
    size_t all = vsec_der_open_(b, DER_SEQUENCE);
    struct v23_bytes o = hex(oid), v = hex(value);

    vsec_der_put_(b, DER_OID, o.p, o.n);
    if (critical)
        vsec_der_put_(b, 0x01, "\xff", 1);
    vsec_der_put_(b, DER_OCTET_STRING, v.p, v.n);
    vsec_der_close_(b, all);
}

static const char oid_usage[] = "551d0f", oid_names[] = "551d11",
    oid_basic[] = "551d13", oid_constraints[] = "551d1e",
    oid_purposes[] = "551d25", server_auth[] = "300a06082b06010505070301",
    client_auth[] = "300a06082b06010505070302",
    any_purpose[] = "30060604551d2500";

/* "dns a.com ip 0a000001 …" as GeneralNames, each wrapped when asked for. */
static inline void put_names(struct v23_buf *b, const char *text, bool wrap)
{
    char kind[16], value[256];
    struct v23_bytes octets;
    size_t mark = 0;
    uint8_t tag;
    int n;

    while (sscanf(text, " %15s %255s%n", kind, value, &n) == 2) {
        text += n;
        octets = v23_bytes(value, strlen(value));
        tag = 0x82;
        if (strcmp(kind, "ip") == 0) {
            octets = hex(value);
            tag = 0x87;
        } else if (strcmp(kind, "email") == 0) {
            tag = 0x81;
        } else if (strcmp(kind, "uri") == 0) {
            tag = 0x86;
        } else if (strcmp(kind, "dir") == 0) {
            tag = 0xa4;
            octets = hex(value);
        }
        if (strcmp(value, "''") == 0)
            octets.n = 0;
        if (wrap)
            mark = vsec_der_open_(b, DER_SEQUENCE);
        vsec_der_put_(b, tag, octets.p, octets.n);
        if (wrap)
            vsec_der_close_(b, mark);
    }
}

static inline void names(const char *text)
{
    struct v23_buf b;
    size_t mark;

    v23_buf_init(&b, &mem.al, SIZE_MAX);
    mark = vsec_der_open_(&b, DER_SEQUENCE);
    put_names(&b, text, false);
    vsec_der_close_(&b, mark);
    extension(oid_names, false, unhex(b.p, b.n));
    v23_buf_fini(&b);
}

static inline void constraints(bool critical, const char *permitted,
    const char *excluded)
{
    struct v23_buf b;
    size_t all, mark;

    v23_buf_init(&b, &mem.al, SIZE_MAX);
    all = vsec_der_open_(&b, DER_SEQUENCE);
    if (*permitted != 0) {
        mark = vsec_der_open_(&b, DER_CONTEXT);
        put_names(&b, permitted, true);
        vsec_der_close_(&b, mark);
    }
    if (*excluded != 0) {
        mark = vsec_der_open_(&b, DER_CONTEXT + 1);
        put_names(&b, excluded, true);
        vsec_der_close_(&b, mark);
    }
    vsec_der_close_(&b, all);
    extension(oid_constraints, critical, unhex(b.p, b.n));
    v23_buf_fini(&b);
}

/* ---- signed -------------------------------------------------------------- */

static inline void put_name(struct v23_buf *b, const char *cn)
{
    size_t seq = vsec_der_open_(b, DER_SEQUENCE), set, one;

    set = vsec_der_open_(b, 0x31);
    one = vsec_der_open_(b, DER_SEQUENCE);
    vsec_der_put_(b, DER_OID, "\x55\x04\x03", 3);
    vsec_der_put_(b, 0x0c, cn, strlen(cn));
    vsec_der_close_(b, one);
    vsec_der_close_(b, set);
    vsec_der_close_(b, seq);
}

static inline void put_time(struct v23_buf *b, const char *t)
{
    /* Two digits of the year: UTCTime. */
    vsec_der_put_(b, strlen(t) < 15 ? 0x17 : 0x18, t, strlen(t));
}

static inline void put_algorithm(struct v23_buf *b)
{
    struct v23_bytes oid = hex("2a8648ce3d040302");
    size_t mark = vsec_der_open_(b, DER_SEQUENCE);

    vsec_der_put_(b, DER_OID, oid.p, oid.n);
    vsec_der_close_(b, mark);
}

static inline void put_tbs(struct v23_buf *b)
{
    size_t all = vsec_der_open_(b, DER_SEQUENCE), mark, seq;
    uint8_t version = (uint8_t)form.version;

    mark = vsec_der_open_(b, DER_CONTEXT);
    vsec_der_put_(b, DER_INTEGER, &version, 1);
    vsec_der_close_(b, mark);
    vsec_der_put_(b, DER_INTEGER, "\x01", 1);
    put_algorithm(b);
    put_name(b, form.issuer);
    mark = vsec_der_open_(b, DER_SEQUENCE);
    put_time(b, form.from);
    put_time(b, form.until);
    vsec_der_close_(b, mark);
    put_name(b, form.subject);
    v23_buf_put(b, form.key.p, form.key.n);
    if (form.extensions.n > 0) {
        mark = vsec_der_open_(b, DER_CONTEXT + 3);
        seq = vsec_der_open_(b, DER_SEQUENCE);
        v23_buf_put(b, form.extensions.p, form.extensions.n);
        vsec_der_close_(b, seq);
        vsec_der_close_(b, mark);
    }
    vsec_der_close_(b, all);
}

static inline void put_signature(struct v23_buf *b, struct v23_bytes tbs)
{
    const struct vsec_hash_alg *h = e->crypto->sha256;
    uint8_t digest[VSEC_HASH_MAX], room[VSEC_SIG_MAX], der[160];
    struct vsec_sigval val;
    struct v23_buf sig;
    size_t mark;

    ck_assert_int_eq(vsec_hash(h, tbs.p, tbs.n, digest), 0);
    ck_assert_int_eq(ca.alg->sign(ca.alg, e, ca.shared, ca.priv, h, digest,
        room, &val), 0);
    v23_buf_init_fixed(&sig, der, sizeof(der));
    mark = vsec_der_open_(&sig, DER_SEQUENCE);
    vsec_der_put_uint_(&sig, val.a);
    vsec_der_put_uint_(&sig, val.b);
    vsec_der_close_(&sig, mark);
    vsec_der_put_bits_(b, v23_bytes(sig.p, sig.n));
}

/* The form, signed by `ca`; lives as long as the arena. */
static inline struct v23_bytes certificate(void)
{
    struct v23_buf b, tbs;
    struct v23_bytes der;
    size_t all;

    v23_buf_init(&b, &mem.al, SIZE_MAX);
    v23_buf_init(&tbs, &mem.al, SIZE_MAX);
    put_tbs(&tbs);
    all = vsec_der_open_(&b, DER_SEQUENCE);
    v23_buf_put(&b, tbs.p, tbs.n);
    put_algorithm(&b);
    put_signature(&b, v23_bytes(tbs.p, tbs.n));
    vsec_der_close_(&b, all);
    ck_assert_int_eq(b.err, 0);
    ck_assert_int_eq(tbs.err, 0);
    der = v23_bytes(v23_arena_dup(&arena, b.p, b.n), b.n);
    ck_assert_ptr_nonnull(der.p);
    v23_buf_fini(&tbs);
    v23_buf_fini(&b);
    return der;
}

/* ---- the usual ones ------------------------------------------------------ */

static inline void leaf_form(const char *text)
{
    new_form("CA", "leaf", owner->key->der);
    extension(oid_purposes, false, server_auth);
    names(text);
}

/* A leaf of the owner's key with these alternative names. */
static inline struct v23_bytes leaf(const char *text)
{
    leaf_form(text);
    return certificate();
}

static inline void ca_form(void)
{
    new_form("CA", "CA", ca.key);
    extension(oid_basic, true, "30030101ff");
    extension(oid_usage, true, "03020204");
}

static inline struct vsec_anchors *trust(struct v23_bytes der)
{
    struct vsec_anchors *t;

    ck_assert_int_eq(vsec_anchors_new(e, &t), 0);
    ck_assert_int_eq(vsec_anchors_add(t, der), 0);
    return t;
}

static inline struct vsec_anchors *trust_ca(void)
{
    ca_form();
    return trust(certificate());
}

#endif

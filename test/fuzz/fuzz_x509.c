/* BSD-3-Clause; see LICENSE. */
/*
 * Fuzz target of X.509 certificates: two octets hold the length of an
 * authority's certificate, which comes next; the rest is a leaf.
 */
#include <vsec/x509.h>

#include "fuzz.h"

static struct vsec_engine *engine;

/* Whatever is in a certificate that was read can be looked at. */
static void look(const struct vsec_x509_cert *c)
{
    struct v23_bytes rest = c->names;
    struct vdl_str name;
    int i = 0;

    while (vsec_x509_next_dns(&rest, &name)) {
        check(++i <= VSEC_X509_MAX_NAMES);
        (void)vsec_x509_has_host(c, name);
    }
    (void)vsec_x509_has_host(c, vdl_str("a.example.com"));
    (void)vsec_x509_has_host(c, vdl_str("10.0.0.1"));
}

/* All that recognition does; only as much memory as there is may fail. */
static void recognize(struct vsec_anchors *t, const struct vsec_x509_cert *c)
{
    struct vsec_x509 *x = vsec_anchors_x509(t);
    struct v23_bytes rest = c->names;
    v23_security_certificate cert;
    struct vdl_str name;
    const char *why;
    int rc;

    memset(&cert, 0, sizeof(cert));
    cert.public_key = c->spki;
    cert.x509_raw = vdl_bytes(c->der.p, c->der.n);
    rc = vsec_anchors_verify(t, c, c->not_before, &why);
    check(rc == 0 || rc == V23_EUNTRUSTED);
    while (vsec_x509_next_dns(&rest, &name)) {
        rc = x->recognized(x, &cert, name, c->not_before, &why);
        check(rc == 0 || rc == V23_EUNTRUSTED);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct v23_bytes ca, leaf;
    struct vsec_anchors *t;
    struct vsec_x509_cert c;
    size_t k;

    if (engine == NULL)
        check(vsec_engine_new(&engine, &vsec_crypto_default, NULL, NULL)
            == 0);
    k = n < 2 ? 0 : (size_t)p[0] << 8 | p[1];
    if (n < 2 + k)
        return 0;
    ca = v23_bytes(p + 2, k);
    leaf = v23_bytes(p + 2 + k, n - 2 - k);
    check(vsec_anchors_new(engine, &t) == 0);
    if (vsec_anchors_add(t, ca) == 0 && vsec_x509_parse(ca, &c) == 0)
        look(&c);
    if (vsec_x509_parse(leaf, &c) == 0) {
        look(&c);
        recognize(t, &c);
        check(vsec_anchors_add(t, leaf) == 0);
        recognize(t, &c);
    }
    vsec_anchors_unref(t);
    return 0;
}

/* BSD-3-Clause; see LICENSE. */
/*
 * Principals with an X.509 certificate: what they may call themselves (spec
 * 5.8). principal.c reaches this file through a pointer of the principal.
 */
#include "x509_int.h"

#include "blessings_int.h"

/* The caller's caveats, then the time in which the certificate is valid. */
static int make_caveats(const struct vsec_x509_cert *c,
    v23_security_caveat_list from, struct v23_arena *a,
    v23_security_caveat_list *out)
{
    v23_security_caveat *v;
    int rc;

    if (from.n > VSEC_MAX_CAVEATS - 2)
        return V23_ELIMIT;
    v = v23_arena_get0(a, (size_t)from.n + 2, sizeof(*v),
        V23_ALIGNOF(v23_security_caveat));
    if (v == NULL)
        return V23_ENOMEM;
    if (from.n > 0)
        memcpy(v, from.v, from.n * sizeof(*v));
    rc = vsec_caveat_expiry(a, c->not_after, &v[from.n]);
    if (rc == 0)
        rc = vsec_caveat_not_before(a, c->not_before, &v[from.n + 1]);
    out->v = v;
    out->n = from.n + 2;
    return rc;
}

static struct vdl_str host_of(struct vdl_str name)
{
    uint32_t i = 0;

    while (i < name.n && name.p[i] != ':')
        i++;
    return vdl_strn(name.p, i);
}

/* Names of the chains to be made: the one asked for, or all. */
static int choose_names(const struct vsec_x509_cert *c, struct vdl_str name,
    struct vdl_str names[VSEC_MAX_CHAINS], uint32_t *n)
{
    struct v23_bytes rest = c->names;
    struct vdl_str dns;

    *n = 0;
    if (name.n > 0) {
        names[(*n)++] = name;
        return vsec_x509_has_host(c, host_of(name)) ? 0 : V23_ECERT;
    }
    while (vsec_x509_next_dns(&rest, &dns)) {
        if (!vsec_x509_valid_host_(dns, true))
            continue;
        if (*n == VSEC_MAX_CHAINS)
            return V23_ELIMIT;
        names[(*n)++] = dns;
    }
    return *n > 0 ? 0 : V23_ECERT;
}

static int bless_names(struct vsec_principal *p, struct vsec_issue *is,
    const v23_security_certificate *model, vdl_str_list names,
    struct v23_arena *a, struct vsec_blessings **out)
{
    const struct v23_bytes none = { NULL, 0 };
    struct vsec_link_ links[VSEC_MAX_CHAINS];
    v23_security_certificate *certs;
    uint32_t i;
    int rc = 0;

    certs = v23_arena_get0(a, names.n, sizeof(*certs),
        V23_ALIGNOF(v23_security_certificate));
    if (certs == NULL)
        return V23_ENOMEM;
    for (i = 0; rc == 0 && i < names.n; i++) {
        certs[i] = *model;
        certs[i].extension = names.v[i];
        links[i].certs.v = &certs[i];
        links[i].certs.n = 1;
        rc = vsec_sign_cert_(p, is, &certs[i], none, a, &links[i].digest);
    }
    if (rc == 0)
        rc = vsec_blessings_build_(p->key, links, names.n, false, out);
    return rc;
}

static int bless_self(struct vsec_principal *p, struct vsec_issue *i,
    struct vdl_str name, v23_security_caveat_list caveats,
    struct vsec_blessings **out)
{
    struct vdl_str names[VSEC_MAX_CHAINS];
    v23_security_certificate model;
    struct vsec_x509_cert c;
    vdl_str_list list;
    struct v23_arena a;
    int rc = vsec_x509_parse(v23_bytes(p->x509.p, p->x509.n), &c);

    list.v = names;
    if (rc == 0)
        rc = choose_names(&c, name, names, &list.n);
    if (rc != 0)
        return rc;
    memset(&model, 0, sizeof(model));
    model.public_key = p->key->der;
    model.x509_raw = vdl_bytes(p->x509.p, p->x509.n);
    v23_arena_init(&a, p->engine->al, SIZE_MAX);
    rc = make_caveats(&c, caveats, &a, &model.caveats);
    if (rc == 0)
        rc = bless_names(p, i, &model, list, &a, out);
    v23_arena_fini(&a);
    return rc;
}

static const struct vsec_principal_ops x509_ops = { NULL, bless_self, NULL,
    NULL, NULL, NULL };

int vsec_principal_use_x509(struct vsec_principal *p, struct v23_bytes der)
{
    struct vsec_x509_cert c;
    int rc = p->ops != NULL ? V23_ESTATE : vsec_x509_parse(der, &c);

    if (rc == 0 && !vdl_bytes_eq(c.spki, p->key->der))
        rc = V23_EKEYMISMATCH;
    if (rc != 0)
        return rc;
    v23_buf_put(&p->x509, der.p, der.n);
    if (p->x509.err != 0)
        return p->x509.err;
    p->ops = &x509_ops;
    return 0;
}

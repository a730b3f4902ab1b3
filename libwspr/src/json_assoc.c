/* BSD-3-Clause; see LICENSE. */
/*
 * Pages of 2014-07 bring an identity, with its private key, and act as it from
 * then on (spec/wspr.md 16.9). It becomes an account, too: the identity blesses
 * the proxy's principal, because accounts belong to that.
 */
#include "json_era_int.h"

#include <stdio.h>

#include <vom/dec.h>
#include <wspr/accounts.h>

#define INTERNAL "v.io/v23/verror.Internal"
#define BAD_ARG "v.io/v23/verror.BadArg"
#define EXTENSION "wspr" /* whom the identity's blessings are passed on to */

/* ---- the identity -------------------------------------------------------- */

/* Base64url, with padding or without. */
static int decode_text(struct vdl_str s, struct v23_buf *out)
{
    struct v23_buf padded;
    int rc;

    v23_buf_init(&padded, out->al, out->max);
    v23_buf_put_str(&padded, s);
    while (padded.n % 4 != 0 && padded.err == 0)
        v23_buf_put_byte(&padded, '=');
    rc = padded.err;
    if (rc == 0)
        rc = v23_base64_parse((const char *)padded.p, padded.n, true, out);
    v23_wipe(padded.p, padded.n);
    v23_buf_fini(&padded);
    return rc;
}

static int make_principal(struct wspr_ctl *c,
    const v23_wspr_json_private_identity *id, struct vsec_principal **out)
{
    struct vsec_engine *e = c->cfg.principal->engine;
    struct vsec_signer *signer = NULL;
    struct vsec_blessings *b = NULL;
    struct vsec_principal *p = NULL;
    int rc;

    rc = vsec_signer_pkcs8(e, v23_bytes(id->key.p, id->key.n), &signer);
    if (rc == 0)
        rc = vsec_blessings_from_wire(e, c->cfg.chains, &id->blessings, &b);
    if (rc == 0 && (b == NULL || vsec_blessings_is_nameless(b)))
        rc = V23_ECERT;
    if (rc == 0)
        rc = vsec_principal_new(e, signer, NULL, NULL, NULL, &p);
    if (rc == 0) /* fails if the blessings are not for this key */
        rc = vsec_principal_set_default_blessings(p, b);
    if (rc == 0) {
        *out = p;
        p = NULL;
    }
    vsec_principal_unref(p);
    vsec_blessings_unref(b);
    vsec_signer_unref(signer);
    return rc;
}

static int read_identity(
    struct wspr_ctl *c, struct vdl_str text, struct vsec_principal **out)
{
    v23_wspr_json_private_identity id;
    struct v23_buf vom;
    int rc;

    v23_buf_init(&vom, c->al, 1u << 20);
    rc = decode_text(text, &vom);
    if (rc == 0)
        rc = vom_decode_single(vom.p, vom.n, NULL, &c->scratch,
            &v23_wspr_json_private_identity_desc, &id, NULL);
    if (rc == 0) {
        rc = make_principal(c, &id, out);
        v23_wipe((void *)(uintptr_t)id.key.p, id.key.n);
    }
    v23_wipe(vom.p, vom.n);
    v23_buf_fini(&vom);
    return rc;
}

/* ---- the account --------------------------------------------------------- */

static int add_account(struct wspr_ctl *c, struct vsec_principal *p,
    struct vdl_str account, char *why)
{
    struct wspr_principals *m = c->cfg.principals;
    v23_security_caveat none = vsec_caveat_unconstrained();
    struct vsec_blessings *b = NULL;
    struct vsec_bless what;
    int rc;

    memset(&what, 0, sizeof(what));
    what.key = wspr_principals_root(m)->key;
    what.with = vsec_store_default(p->store);
    what.extension = vdl_str(EXTENSION);
    what.caveats.v = &none;
    what.caveats.n = 1;
    rc = vsec_principal_bless(p, &what, &b);
    if (rc == 0)
        rc = wspr_principals_add_account(m, account, b, why);
    else
        snprintf(why, WSPR_WHY, "%s", v23_strerror(rc));
    vsec_blessings_unref(b);
    return rc;
}

static void keep(struct wspr_ctl *c, int64_t id, struct vsec_principal *p,
    const v23_wspr_json_assoc_request *r)
{
    v23_wspr_principal_permissions perm;
    char why[WSPR_WHY] = "there are no accounts here";
    int rc = V23_ENOSYS;

    if (c->cfg.principals != NULL)
        rc = add_account(c, p, r->account, why);
    if (rc != 0) {
        wspr_json_error_(c, id, INTERNAL,
            "identity.AddAccount(%.*s) failed: %s",
            r->account.n < 200 ? (int)r->account.n : 200, r->account.p, why);
        return;
    }
    memset(&perm, 0, sizeof(perm));
    perm.account = r->account;
    rc = wspr_principals_add_origin(c->cfg.principals, r->origin, &perm, why);
    if (rc != 0)
        wspr_json_error_(c, id, INTERNAL,
            "identity.AddOrigin(%.*s) failed: %s",
            r->origin.n < 200 ? (int)r->origin.n : 200, r->origin.p, why);
}

/* ---- the message --------------------------------------------------------- */

static int assume(struct wspr_ctl *c, struct vsec_principal *p)
{
    int rc = V23_ESTATE;

    if (c->client == NULL && c->servers == NULL)
        rc = c->cfg.hooks->assume(c->cfg.ud, p);
    if (rc != 0)
        return rc;
    vsec_principal_unref(c->cfg.principal);
    c->cfg.principal = vsec_principal_ref(p);
    return 0;
}

void wspr_json_assoc_(struct wspr_ctl *c, const struct wspr_frame_ *f)
{
    struct vsec_principal *p = NULL;
    v23_wspr_json_assoc_request r;
    int rc;

    /* Later pages use the number for nothing. */
    if (c->cfg.hooks->assume == NULL ||
        wspr_json_member_(v23_bytes(f->data.p, f->data.n), "identity").p ==
            NULL) {
        wspr_json_unknown_(c, f);
        return;
    }
    if (!wspr_json_open_(c, f, &v23_wspr_json_assoc_request_desc, &c->scratch,
            &r, wspr_json_bad_message_))
        return;
    rc = read_identity(c, r.identity, &p);
    if (rc == 0)
        rc = assume(c, p);
    if (rc != 0) {
        wspr_json_error_(c, f->id, BAD_ARG, "invalid identity: %s",
            v23_strerror(rc));
    } else {
        keep(c, f->id, p, &r);
        v23_buf_puts(wspr_json_begin_(c, WSPR_J_FINAL_), "null");
        rc = wspr_json_send_(c, f->id, 0);
        if (rc != 0)
            wspr_json_error_(c, f->id, INTERNAL, "%s", v23_strerror(rc));
    }
    vsec_principal_unref(p);
}

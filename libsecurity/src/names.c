/* BSD-3-Clause; see LICENSE. */
/*
 * Names that need no validation of caveats by others: those of the local end,
 * and those of blessings that signed data at rest (spec 6.4).
 */
#include "check_int.h"

#include <vsec/principal.h>

/* ---- local names --------------------------------------------------------- */

int vsec_principal_names(struct vsec_principal *p,
    const struct vsec_blessings *b, struct v23_walltime wall,
    struct v23_arena *a, vdl_str_list *out)
{
    struct vdl_str *v;
    uint32_t i, n = 0;
    int rc;

    out->v = NULL;
    out->n = 0;
    if (p == NULL || b == NULL || !vsec_pubkey_eq(b->key, p->key))
        return 0;
    v = v23_arena_get0(a, b->nchains, sizeof(*v),
        V23_ALIGNOF(struct vdl_str));
    if (v == NULL)
        return V23_ENOMEM;
    for (i = 0; i < b->nchains; i++) {
        rc = vsec_roots_recognized_cert(p->roots, &b->chains[i].certs.v[0],
            b->chains[i].name, wall, a, NULL);
        if (rc == 0)
            v[n++] = b->chains[i].name;
        else if (rc != V23_EUNTRUSTED)
            return rc;
    }
    out->v = v;
    out->n = n;
    return 0;
}

int vsec_local_names(const struct vsec_call *call, struct v23_arena *a,
    vdl_str_list *out)
{
    return vsec_principal_names(call->principal, call->local_blessings,
        call->timestamp, a, out);
}

/* ---- signing names ------------------------------------------------------- */

static int check_signing(const struct vsec_call *call,
    const struct vsec_chain *chain, struct v23_arena *a,
    const struct v23_verror **err)
{
    const struct vsec_caveat_kind *k;
    const v23_security_caveat *cav;
    uint32_t i, j;
    int rc;

    for (i = 0; i < chain->certs.n; i++)
        for (j = 0; j < chain->certs.v[i].caveats.n; j++) {
            cav = &chain->certs.v[i].caveats.v[j];
            if (vsec_caveat_is(cav, &vsec_kind_expiry)) {
                k = &vsec_kind_expiry;
            } else if (vsec_caveat_is(cav, &vsec_kind_const)) {
                k = &vsec_kind_const;
            } else {
                *err = VSEC_ERROR_(
                    v23_security_err_invalid_signing_blessing_caveat_static,
                    signing, a, NULL, &cav->id);
                return V23_ECAVEAT;
            }
            rc = vsec_caveat_validate_now_(k, cav, call, a, err);
            if (rc != 0)
                return rc;
        }
    return 0;
}

int vsec_signing_names(struct vsec_principal *p, struct vsec_blessings *b,
    struct v23_walltime wall, struct v23_arena *a, struct vsec_names *out)
{
    v23_security_rejected_blessing *rejected;
    struct vsec_call call;
    struct vdl_str *names;
    const struct v23_verror *err;
    uint32_t i, n = 0, nrejected = 0;
    int rc;

    memset(out, 0, sizeof(*out));
    if (p == NULL || b == NULL || b->nameless)
        return 0;
    memset(&call, 0, sizeof(call));
    call.principal = p;
    call.remote_blessings = b;
    call.timestamp = wall;
    names = v23_arena_get0(a, b->nchains, sizeof(*names),
        V23_ALIGNOF(struct vdl_str));
    rejected = v23_arena_get0(a, b->nchains, sizeof(*rejected),
        V23_ALIGNOF(v23_security_rejected_blessing));
    if (names == NULL || rejected == NULL)
        return V23_ENOMEM;
    for (i = 0; i < b->nchains; i++) {
        err = NULL;
        rc = vsec_roots_recognized_cert(p->roots, &b->chains[i].certs.v[0],
            b->chains[i].name, wall, a, &err);
        if (rc == 0)
            rc = check_signing(&call, &b->chains[i], a, &err);
        if (rc == 0) {
            names[n++] = b->chains[i].name;
        } else if (rc == V23_EUNTRUSTED || rc == V23_ECAVEAT) {
            rejected[nrejected].blessing = b->chains[i].name;
            rejected[nrejected++].err = err;
        } else {
            return rc;
        }
    }
    out->remote.v = names;
    out->remote.n = n;
    out->rejected.v = rejected;
    out->rejected.n = nrejected;
    return 0;
}

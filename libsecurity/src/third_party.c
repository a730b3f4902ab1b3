/* BSD-3-Clause; see LICENSE. */
/*
 * Validation of third-party caveats: their discharges come with the call. Apart
 * from the other kinds, so that a program that knows none links no discharges.
 */
#include <vsec/principal.h>

#include "caveat_int.h"
#include "check_int.h"

static struct vsec_discharge *find_discharge(const struct vsec_call *call,
    const char *id)
{
    size_t i;

    for (i = 0; i < call->nremote_discharges; i++)
        if (vdl_str_is(vsec_discharge_id(call->remote_discharges[i]), id))
            return call->remote_discharges[i];
    return NULL;
}

static struct vsec_engine *engine_of(const struct vsec_call *call)
{
    return call->remote_blessings != NULL ? call->remote_blessings->key->engine
        : call->principal != NULL         ? call->principal->engine
                                          : NULL;
}

/* Signed by the discharger, for this purpose? */
static int verify(const struct vsec_call *call, struct v23_arena *a,
    struct vsec_discharge *d,
    const v23_security_public_key_third_party_caveat_param *p,
    const struct v23_verror **err)
{
    struct vdl_str id = vsec_discharge_id(d);
    struct vsec_pubkey *key;
    int rc = vsec_pubkey_parse(engine_of(call), p->discharger_key, &key);

    if (rc == V23_EKEY)
        return vsec_refuse_(err, vsec_plain_error_(a,
            "key of the discharger is malformed in third party caveat(id=%.*s)",
            (int)id.n, id.p));
    if (rc != 0)
        return rc;
    rc = vsec_discharge_verify_in_(d, key, call->chains);
    vsec_pubkey_unref(key);
    if (rc == V23_ESIG || rc == V23_ENOSYS)
        return vsec_refuse_(err, vsec_plain_error_(a,
            "signature of the discharge for third party caveat(id=%.*s) does "
            "not verify", (int)id.n, id.p));
    return rc;
}

/* The discharge must be there and signed by the discharger; its own caveats
 * become the next level. */
static int validate(void *ud, struct vsec_check *c, struct v23_op op,
    const struct vsec_call *call, const void *param, struct v23_arena *a,
    const struct v23_verror **err)
{
    const v23_security_public_key_third_party_caveat_param *p = param;
    struct vsec_engine *e = engine_of(call);
    struct vsec_discharge *d;
    char id[VSEC_CAVEAT_ID];
    int rc = e == NULL ? V23_EARG : vsec_third_party_id(e, p, id);

    (void)ud;
    (void)op;
    if (rc != 0)
        return rc;
    d = find_discharge(call, id);
    if (d == NULL)
        return vsec_refuse_(err, vsec_plain_error_(a,
            "missing discharge for third party caveat(id=%s) from %.*s", id,
            vsec_shown_(p->discharger_location), p->discharger_location.p));
    rc = verify(call, a, d, p, err);
    if (rc != 0)
        return rc;
    rc = vsec_check_descend_(c, d->wire.u.public_key.caveats);
    if (rc != 0)
        return vsec_refuse_(err, vsec_plain_error_(a, "discharges are nested "
            "too deeply at third party caveat(id=%s)", id));
    return 0;
}

const struct vsec_caveat_kind vsec_kind_third_party = {
    &V23_SECURITY_PUBLIC_KEY_THIRD_PARTY_CAVEAT, "PublicKeyThirdParty",
    validate, NULL, NULL };

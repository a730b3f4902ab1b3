/* BSD-3-Clause; see LICENSE. */
/*
 * The plain authorizers (spec 10). All answer at once, from the validated names
 * of the call; none keeps state.
 */
#include <vsec/authorizer.h>
#include <vsec/pattern.h>

#include "check_int.h"

int vsec_authorize(const struct vsec_authorizer *auth,
    const struct vsec_call *call, struct v23_arena *a,
    const struct vsec_auth_wait *wait, const struct v23_verror **err)
{
    if (auth == NULL)
        auth = &vsec_auth_default;
    if (call->names == NULL)
        return V23_EARG;
    return auth->authorize(auth->ud, call, a, wait, err);
}

/* Some name of `patterns`, taken as a pattern, is matched by `names`. */
static bool some_matched(vdl_str_list patterns, vdl_str_list names)
{
    uint32_t i;

    for (i = 0; i < patterns.n; i++)
        if (vsec_pattern_matched(patterns.v[i], names))
            return true;
    return false;
}

static int allow_delegates(void *ud, const struct vsec_call *call,
    struct v23_arena *a, const struct vsec_auth_wait *wait,
    const struct v23_verror **err)
{
    const struct vsec_names *n = call->names;

    (void)ud;
    (void)wait;
    if (some_matched(n->local, n->remote) || some_matched(n->remote, n->local))
        return 0;
    *err = v23_security_err_authorization_failed(a, NULL, n->remote,
        n->rejected, n->local);
    return V23_EDENIED;
}

const struct vsec_authorizer vsec_auth_default = { allow_delegates, NULL,
    NULL };

static int allow_all(void *ud, const struct vsec_call *call,
    struct v23_arena *a, const struct vsec_auth_wait *wait,
    const struct v23_verror **err)
{
    (void)ud;
    (void)call;
    (void)a;
    (void)wait;
    (void)err;
    return 0;
}

const struct vsec_authorizer vsec_auth_everyone = { allow_all, NULL, NULL };

static int allow_endpoint(void *ud, const struct vsec_call *call,
    struct v23_arena *a, const struct vsec_auth_wait *wait,
    const struct v23_verror **err)
{
    const struct vsec_names *n = call->names;

    (void)ud;
    (void)wait;
    if (some_matched(call->remote_endpoint_names, n->remote))
        return 0;
    *err = v23_security_err_endpoint_authorization_failed(a, NULL,
        call->remote_endpoint, n->remote, n->rejected);
    return V23_EDENIED;
}

const struct vsec_authorizer vsec_auth_endpoint = { allow_endpoint, NULL,
    NULL };

/* Fingerprint; empty without a key or without MD5. */
static struct vdl_str fingerprint(const struct vsec_pubkey *k,
    char text[VSEC_FINGERPRINT])
{
    if (k == NULL
        || vsec_fingerprint(k->engine->crypto, k->der, text) != 0)
        text[0] = 0;
    return vdl_str(text);
}

static int allow_key(void *ud, const struct vsec_call *call,
    struct v23_arena *a, const struct vsec_auth_wait *wait,
    const struct v23_verror **err)
{
    const struct vsec_pubkey *want = ud;
    const struct vsec_pubkey *got = vsec_blessings_key(call->remote_blessings);
    char text[2][VSEC_FINGERPRINT];

    (void)wait;
    if (got != NULL && vsec_pubkey_eq(got, want))
        return 0;
    *err = v23_security_err_public_key_not_allowed(a, NULL,
        fingerprint(got, text[0]), fingerprint(want, text[1]));
    return V23_EDENIED;
}

struct vsec_authorizer vsec_auth_public_key(const struct vsec_pubkey *key)
{
    struct vsec_authorizer auth;

    auth.authorize = allow_key;
    auth.cancel = NULL;
    auth.ud = (void *)(uintptr_t)key;
    return auth;
}

static int allow_pattern(void *ud, const struct vsec_call *call,
    struct v23_arena *a, const struct vsec_auth_wait *wait,
    const struct v23_verror **err)
{
    const struct vsec_auth_pattern *p = ud;

    (void)wait;
    if (vsec_pattern_matched(p->pattern, call->names->remote))
        return 0;
    *err = vsec_plain_error_(a, "no name of the peer matches %.*s",
        (int)(p->pattern.n > 256 ? 256 : p->pattern.n), p->pattern.p);
    return V23_EDENIED;
}

struct vsec_authorizer vsec_auth_pattern(const struct vsec_auth_pattern *p)
{
    struct vsec_authorizer auth;

    auth.authorize = allow_pattern;
    auth.cancel = NULL;
    auth.ud = (void *)(uintptr_t)p;
    return auth;
}

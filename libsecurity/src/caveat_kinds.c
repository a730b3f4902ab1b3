/* BSD-3-Clause; see LICENSE. */
/* The standard kinds of caveats but third-party ones (third_party.c). */
#include <vom/time.h>
#include <vsec/check.h>
#include <vsec/pattern.h>

#include "check_int.h"

static int check_const(void *ud, struct vsec_check *c, struct v23_op op,
    const struct vsec_call *call, const void *param, struct v23_arena *a,
    const struct v23_verror **err)
{
    (void)ud;
    (void)c;
    (void)op;
    (void)call;
    if (*(const bool *)param)
        return 0;
    return vsec_refuse_(err, VSEC_ERROR_(
        v23_security_err_const_caveat_validation_static, const_caveat, a,
        NULL));
}

static int wrong_time(const struct vsec_call *call, const char *how,
    const v23_time_time *limit, struct v23_arena *a,
    const struct v23_verror **err)
{
    return vsec_refuse_(err, VSEC_ERROR_(
        v23_security_err_expiry_caveat_validation_static, time, a,
        call->timestamp, how, limit));
}

static int check_expiry(void *ud, struct vsec_check *c, struct v23_op op,
    const struct vsec_call *call, const void *param, struct v23_arena *a,
    const struct v23_verror **err)
{
    const v23_time_time *t = param;

    (void)ud;
    (void)c;
    (void)op;
    if (v23_walltime_cmp(call->timestamp, vsec_time_from_wire(*t)) <= 0)
        return 0;
    return wrong_time(call, "after expiry", t, a, err);
}

static int check_not_before(void *ud, struct vsec_check *c, struct v23_op op,
    const struct vsec_call *call, const void *param, struct v23_arena *a,
    const struct v23_verror **err)
{
    const v23_time_time *t = param;

    (void)ud;
    (void)c;
    (void)op;
    if (v23_walltime_cmp(call->timestamp, vsec_time_from_wire(*t)) > 0)
        return 0;
    return wrong_time(call, "not before", t, a, err);
}

static int check_method(void *ud, struct vsec_check *c, struct v23_op op,
    const struct vsec_call *call, const void *param, struct v23_arena *a,
    const struct v23_verror **err)
{
    const vdl_str_list *methods = param;
    uint32_t i;

    (void)ud;
    (void)c;
    (void)op;
    for (i = 0; i < methods->n; i++)
        if (vdl_str_eq(methods->v[i], call->method))
            return 0;
    return vsec_refuse_(err, VSEC_ERROR_(
        v23_security_err_method_caveat_validation_static, method, a, NULL,
        call->method, *methods));
}

static int check_peers(void *ud, struct vsec_check *c, struct v23_op op,
    const struct vsec_call *call, const void *param, struct v23_arena *a,
    const struct v23_verror **err)
{
    const v23_security_blessing_pattern_list *patterns = param;
    vdl_str_list local;
    uint32_t i;
    int rc;

    (void)ud;
    (void)op;
    rc = vsec_check_local_(c, call, a, &local);
    if (rc != 0)
        return rc;
    for (i = 0; i < patterns->n; i++)
        if (vsec_pattern_matched(patterns->v[i], local))
            return 0;
    return vsec_refuse_(err, VSEC_ERROR_(
        v23_security_err_peer_blessings_caveat_validation_static, peers, a,
        NULL, local, *patterns));
}

/* Texts of the call's tags of type access.Tag. */
static int access_tags(const struct vsec_call *call, struct v23_arena *a,
    vdl_str_list *out)
{
    struct vdl_str *v;
    uint32_t i, n = 0;

    v = v23_arena_get0(a, call->method_tags.n, sizeof(*v),
        V23_ALIGNOF(struct vdl_str));
    if (v == NULL)
        return V23_ENOMEM;
    for (i = 0; i < call->method_tags.n; i++) {
        const struct vdl_any *t = &call->method_tags.v[i];

        if (t->type != NULL && vdl_type_equal(t->type, &v23_access_tag_desc))
            v[n++] = *(const struct vdl_str *)t->val;
    }
    out->v = v;
    out->n = n;
    return 0;
}

static int check_access_tag(void *ud, struct vsec_check *c, struct v23_op op,
    const struct vsec_call *call, const void *param, struct v23_arena *a,
    const struct v23_verror **err)
{
    const v23_access_tag_list *want = param;
    vdl_str_list tags;
    uint32_t i, j;
    int rc = access_tags(call, a, &tags);

    (void)ud;
    (void)c;
    (void)op;
    if (rc != 0)
        return rc;
    for (i = 0; i < tags.n; i++)
        for (j = 0; j < want->n; j++)
            if (vdl_str_eq(tags.v[i], want->v[j]))
                return 0;
    return vsec_refuse_(err, VSEC_ERROR_(
        v23_access_err_access_tag_caveat_validation_static, access_tag, a,
        NULL, tags, *want));
}

#define KIND(desc, name, fn) { &(desc), (name), (fn), NULL, NULL }

const struct vsec_caveat_kind vsec_kind_const = KIND(
    V23_SECURITY_CONST_CAVEAT, "Const", check_const);
const struct vsec_caveat_kind vsec_kind_expiry = KIND(
    V23_SECURITY_EXPIRY_CAVEAT, "Expiry", check_expiry);
const struct vsec_caveat_kind vsec_kind_not_before = KIND(
    V23_SECURITY_NOT_BEFORE_CAVEAT, "NotBefore", check_not_before);
const struct vsec_caveat_kind vsec_kind_method = KIND(
    V23_SECURITY_METHOD_CAVEAT, "Method", check_method);
const struct vsec_caveat_kind vsec_kind_peer_blessings = KIND(
    V23_SECURITY_PEER_BLESSINGS_CAVEAT, "PeerBlessings", check_peers);
const struct vsec_caveat_kind vsec_kind_access_tag = KIND(
    V23_ACCESS_ACCESS_TAG_CAVEAT, "AccessTag", check_access_tag);

static const struct vsec_caveat_kind *const standard[] = { &vsec_kind_const,
    &vsec_kind_expiry, &vsec_kind_not_before, &vsec_kind_method,
    &vsec_kind_peer_blessings, &vsec_kind_third_party,
    &vsec_kind_access_tag };
const struct vsec_caveat_kinds vsec_kinds_standard = { standard,
    sizeof(standard) / sizeof(standard[0]) };

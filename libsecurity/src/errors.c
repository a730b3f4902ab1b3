/* BSD-3-Clause; see LICENSE. */
/* The errors of checks, with their parameters and texts. */
#include <vom/value.h>
#include <vsec/principal.h>

#include "check_int.h"

const struct v23_verror vsec_unknown_error_ = { VDL_STR_INIT(VSEC_UNKNOWN_ID_),
    V23_NO_RETRY, { NULL, 0 }, { NULL, 0 } };

static const struct v23_verror *caveat_param(struct v23_arena *a,
    const v23_security_caveat *cav, const struct vdl_type *t, int rc)
{
    return v23_security_err_caveat_param_coding(a, NULL, &cav->id, t,
        vsec_plain_error_(a, "%s", v23_strerror(rc)));
}

/* Both kinds of time caveats report the same error; instants in its text are
 * to be read by people. */
static const struct v23_verror *wrong_time(struct v23_arena *a,
    struct v23_walltime now, const char *how, const v23_time_time *limit)
{
    v23_time_time t = vsec_time_to_wire(now);
    const struct v23_verror *e =
        v23_security_err_expiry_caveat_validation(a, NULL, &t, limit);
    struct v23_verror *to = v23_arena_new(a, struct v23_verror);
    char mem[160];
    struct v23_buf b;

    v23_buf_init_fixed(&b, mem, sizeof(mem));
    v23_buf_puts(&b, "now(");
    vsec_time_format(now, &b);
    v23_buf_printf(&b, ") is %s(", how);
    vsec_time_format(vsec_time_from_wire(*limit), &b);
    v23_buf_puts(&b, ")");
    if (to == NULL || b.err != 0)
        return e;
    *to = *e;
    to->msg = vdl_strn(v23_arena_dup(a, b.p, b.n), b.n);
    return to->msg.p == NULL ? e : to;
}

static const struct v23_verror *on_discharge(struct v23_arena *a,
    const v23_security_caveat *cav, const struct vsec_caveat_kind *k,
    const struct v23_verror *e)
{
    char hex[2 * sizeof(cav->id.v) + 1];
    struct v23_buf b;

    v23_buf_init_fixed(&b, hex, sizeof(hex));
    v23_hex_put(&b, cav->id.v, sizeof(cav->id.v));
    v23_buf_put_byte(&b, 0);
    return vsec_plain_error_(a,
        "a caveat(%s) on the discharge failed to validate: %.*s",
        k != NULL ? k->name : hex, vsec_shown_(e->msg), e->msg.p);
}

static const struct v23_verror *root(const struct vsec_crypto *c,
    struct vdl_bytes key, const char *why, struct v23_arena *a)
{
    char text[VSEC_FINGERPRINT];

    /* Without MD5 the text stays empty. */
    if (vsec_fingerprint(c, key, text) != 0)
        text[0] = 0;
    return v23_security_err_unrecognized_root(a, NULL, vdl_str(text),
        vsec_plain_error_(a, "%s", why));
}

static const struct v23_verror *copy(struct v23_arena *a,
    const struct v23_verror *e)
{
    struct v23_verror *to = v23_arena_new(a, struct v23_verror);

    if (to == NULL || vdl_copy(a, &v23_verror_desc, to, e) != 0)
        return vsec_plain_error_(a, "out of memory");
    return to;
}

const struct vsec_errors vsec_errors_full = {
    v23_verror_text,
    copy,
    v23_security_err_caveat_not_registered,
    caveat_param,
    v23_security_err_caveat_validation,
    on_discharge,
    v23_security_err_const_caveat_validation,
    wrong_time,
    v23_security_err_method_caveat_validation,
    v23_security_err_peer_blessings_caveat_validation,
    v23_access_err_access_tag_caveat_validation,
    root,
    v23_security_err_invalid_signing_blessing_caveat,
};

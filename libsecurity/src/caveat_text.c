/* BSD-3-Clause; see LICENSE. */
/*
 * How tools print caveats: in the notation of the reference implementation
 * (its language's %T=%v), which scripts read (spec 4.3, 14.4).
 */
#include "caveat_int.h"

#include <vom/dec.h>
#include <vom/value.h>

/* ---- values -------------------------------------------------------------- */

static void put_strs(struct v23_buf *out, const struct vdl_str *v, uint32_t n)
{
    uint32_t i;

    v23_buf_put_byte(out, '[');
    for (i = 0; i < n; i++) {
        if (i > 0)
            v23_buf_put_byte(out, ' ');
        v23_buf_put_str(out, v[i]);
    }
    v23_buf_put_byte(out, ']');
}

static void put_octets(struct v23_buf *out, const uint8_t *p, uint32_t n)
{
    uint32_t i;

    v23_buf_puts(out, "[]uint8=[");
    for (i = 0; i < n; i++)
        v23_buf_printf(out, "%s%u", i > 0 ? " " : "", (unsigned)p[i]);
    v23_buf_put_byte(out, ']');
}

static const char *yes_no(bool b)
{
    return b ? "true" : "false";
}

static int put_third_party(struct vsec_engine *e, struct v23_buf *out,
    const v23_security_public_key_third_party_caveat_param *p)
{
    char id[VSEC_CAVEAT_ID];
    int rc = vsec_third_party_id(e, p, id);

    if (rc != 0)
        return rc;
    v23_buf_printf(out, "security.publicKeyThirdPartyCaveatParam=%s@", id);
    v23_buf_put_str(out, p->discharger_location);
    v23_buf_printf(out, " [{ReportServer:%s ReportMethod:%s "
        "ReportArguments:%s}]",
        yes_no(p->discharger_requirements.report_server),
        yes_no(p->discharger_requirements.report_method),
        yes_no(p->discharger_requirements.report_arguments));
    return 0;
}

/* Name of an unnamed number type, or NULL. */
static const char *number_name(const struct vdl_type *t)
{
    if (t->name.n > 0)
        return NULL;
    switch (t->kind) {
    case VDL_BYTE:
        return "uint8";
    case VDL_UINT16:
    case VDL_UINT32:
    case VDL_UINT64:
    case VDL_INT8:
    case VDL_INT16:
    case VDL_INT32:
    case VDL_INT64:
        return vdl_kind_name((enum vdl_kind)t->kind);
    default:
        return NULL;
    }
}

/* Types that the standard caveats use. */
static const struct vdl_type *list_of_patterns(void)
{
    return V23_SECURITY_PEER_BLESSINGS_CAVEAT.param_type;
}

static const struct vdl_type *third_party_param(void)
{
    return V23_SECURITY_PUBLIC_KEY_THIRD_PARTY_CAVEAT.param_type;
}

static const struct vdl_type *list_of_tags(void)
{
    return V23_ACCESS_ACCESS_TAG_CAVEAT.param_type;
}

/* "type=value" of a value whose C form is the one described by its type. */
static int put_value(struct vsec_engine *e, const struct vdl_any *v,
    struct v23_buf *out)
{
    const struct vdl_type *t = v->type;
    const struct vdl_list *list = v->val;
    const char *number;

    if (t == NULL) {
        v23_buf_puts(out, "<nil>=<nil>");
        return 0;
    }
    if (vdl_type_equal(t, third_party_param()))
        return put_third_party(e, out, v->val);
    number = number_name(t);
    if (t->kind == VDL_BOOL && t->name.n == 0) {
        v23_buf_printf(out, "bool=%s", yes_no(*(const bool *)v->val));
    } else if (t->kind == VDL_STRING && t->name.n == 0) {
        v23_buf_puts(out, "string=");
        v23_buf_put_str(out, *(const struct vdl_str *)v->val);
    } else if (number != NULL && t->kind >= VDL_INT8) {
        v23_buf_printf(out, "%s=%lld", number,
            (long long)vdl_get_int(t, v->val));
    } else if (number != NULL) {
        v23_buf_printf(out, "%s=%llu", number,
            (unsigned long long)vdl_get_uint(t, v->val));
    } else if (vdl_type_equal(t, &v23_time_time_desc)) {
        v23_buf_puts(out, "time.Time=");
        vsec_time_format(
            vsec_time_from_wire(*(const v23_time_time *)v->val), out);
    } else if (vdl_type_equal(t, &vdl_bytes_desc)) {
        put_octets(out, list->v, list->n);
    } else if (vdl_type_equal(t, &vdl_str_list_desc)) {
        v23_buf_puts(out, "[]string=");
        put_strs(out, list->v, list->n);
    } else if (vdl_type_equal(t, list_of_patterns())) {
        v23_buf_puts(out, "[]security.BlessingPattern=");
        put_strs(out, list->v, list->n);
    } else if (vdl_type_equal(t, list_of_tags())) {
        v23_buf_puts(out, "[]access.Tag=");
        put_strs(out, list->v, list->n);
    } else {
        v23_buf_puts(out, "*vdl.Value=");
        return vdl_format(t, v->val, true, out);
    }
    return 0;
}

int vsec_caveat_format(struct vsec_engine *e, const v23_security_caveat *c,
    struct v23_buf *out)
{
    size_t start = out->n;
    struct v23_arena a;
    struct vdl_any v;
    size_t used;
    int rc;

    v23_arena_init(&a, e->al, 8 * (size_t)VSEC_PARAM_BUDGET);
    v23_buf_puts(out, "0x");
    v23_hex_put(out, c->id.v, sizeof(c->id.v));
    v23_buf_put_byte(out, '(');
    rc = vom_decode_single(c->param_vom.p, c->param_vom.n, NULL, &a, NULL, &v,
        &used);
    if (rc == 0) {
        rc = put_value(e, &v, out);
    } else if (rc != V23_ENOMEM) {
        v23_buf_printf(out, "%u bytes of param", (unsigned)c->param_vom.n);
        rc = 0;
    }
    v23_buf_put_byte(out, ')');
    if (rc == 0)
        rc = out->err;
    v23_arena_fini(&a);
    if (rc != 0 && out->err == 0)
        v23_buf_cut(out, start);
    return rc;
}

/* ---- sentences ----------------------------------------------------------- */

static int describe(struct vsec_engine *e, const v23_security_caveat *c,
    struct v23_arena *a, struct v23_buf *out)
{
    v23_security_public_key_third_party_caveat_param tp;
    v23_security_blessing_pattern_list patterns;
    vdl_str_list methods;
    v23_time_time t;
    char id[VSEC_CAVEAT_ID];
    bool b;
    int rc;

    if (vsec_caveat_param(c, &vsec_kind_const, a, &b) == 0) {
        v23_buf_puts(out, b ? "Always validates" : "Never validates");
    } else if (vsec_caveat_param(c, &vsec_kind_expiry, a, &t) == 0) {
        v23_buf_puts(out, "Expires at ");
        vsec_time_format(vsec_time_from_wire(t), out);
    } else if (vsec_caveat_param(c, &vsec_kind_method, a, &methods) == 0) {
        v23_buf_puts(out, "Restricted to methods ");
        put_strs(out, methods.v, methods.n);
    } else if (vsec_caveat_param(c, &vsec_kind_peer_blessings, a, &patterns)
        == 0) {
        v23_buf_puts(out, "Restricted to peers with blessings ");
        put_strs(out, patterns.v, patterns.n);
    } else if (vsec_caveat_param(c, &vsec_kind_third_party, a, &tp) == 0) {
        rc = vsec_third_party_id(e, &tp, id);
        if (rc != 0)
            return rc;
        v23_buf_puts(out, "ThirdPartyCaveat: Requires discharge from ");
        v23_buf_put_str(out, tp.discharger_location);
        v23_buf_printf(out, " (ID=\"%s\")", id);
    } else {
        return vsec_caveat_format(e, c, out);
    }
    return out->err;
}

int vsec_caveat_describe(struct vsec_engine *e, const v23_security_caveat *c,
    struct v23_buf *out)
{
    struct v23_arena a;
    int rc;

    v23_arena_init(&a, e->al, 8 * (size_t)VSEC_PARAM_BUDGET);
    rc = describe(e, c, &a, out);
    v23_arena_fini(&a);
    return rc;
}

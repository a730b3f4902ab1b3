/* BSD-3-Clause; see LICENSE. */
/*
 * Caveats on the command line: "package/path".Name=expression,
 * {{id octets},typeobject(T)}=expression, revocable=KEY,NAME, and --for=duration.
 */
#include <stdio.h>
#include <string.h>

#include <v23/time.h>
#include <vom/enc.h>
#include <vom/time.h>
#include <vom/value.h>

#include "expr.h"
#include "principal.h"

#define SECURITY "\"v.io/v23/security\"."
#define ACCESS "\"v.io/v23/security/access\"."

static const struct {
    const char *name;
    const struct vsec_caveat_kind *kind;
} known[] = {
    { SECURITY "ConstCaveat", &vsec_kind_const },
    { SECURITY "ExpiryCaveat", &vsec_kind_expiry },
    { SECURITY "NotBeforeCaveat", &vsec_kind_not_before },
    { SECURITY "MethodCaveat", &vsec_kind_method },
    { SECURITY "PeerBlessingsCaveat", &vsec_kind_peer_blessings },
    { SECURITY "PublicKeyThirdPartyCaveat", &vsec_kind_third_party },
    { ACCESS "AccessTagCaveat", &vsec_kind_access_tag },
};

/* The '=' between kind and parameter: outside of braces and quotes. */
static const char *split_at(const char *text)
{
    int depth = 0;
    bool quoted = false;

    for (; *text != 0; text++) {
        if (*text == '"')
            quoted = !quoted;
        if (quoted)
            continue;
        depth += *text == '{' || *text == '(';
        depth -= *text == '}' || *text == ')';
        if (*text == '=' && depth == 0)
            return text;
    }
    return NULL;
}

int caveat_flag_set(void *var, const char *value, const char **why)
{
    static char text[256];
    struct caveat_flags *f = var;
    void *v = f->texts;

    if (split_at(value) == NULL) {
        snprintf(text, sizeof(text), "incorrect caveat format: %.200s",
            value);
        *why = text;
        return V23_EARG;
    }
    if (v23_reserve(NULL, &v, &f->cap, f->n + 1, VSEC_MAX_CAVEATS,
            sizeof(*f->texts))
        != 0) {
        *why = "too many caveats";
        return V23_EARG;
    }
    f->texts = v;
    f->texts[f->n++] = value;
    return 0;
}

static int failed(const char *what, int rc)
{
    return v23_error("%s: %s", what, v23_strerror(rc));
}

/* Encode the parameter of a caveat that this tool does not know. */
static int encode(struct v23_arena *a,
    const v23_security_caveat_descriptor *d, const struct vdl_any *param,
    v23_security_caveat *out)
{
    struct v23_buf vom;
    int rc;

    v23_buf_init(&vom, NULL, 1u << 20);
    rc = vom_encode_single(NULL, param->type, param->val, &vom);
    out->id = d->id;
    out->param_vom.p = v23_arena_dup(a, vom.p, vom.n);
    out->param_vom.n = (uint32_t)vom.n;
    v23_buf_fini(&vom);
    if (rc == 0 && out->param_vom.p == NULL)
        rc = V23_ENOMEM;
    return rc == 0 ? 0 : failed("cannot make the caveat", rc);
}

/*
 * Id and type of the parameter: {{0x54,…},typeobject([]string)}, or a constant
 * of a package.
 */
static int find_descriptor(struct expr *x, struct v23_arena *a,
    struct vdl_str kind, v23_security_caveat_descriptor *out)
{
    const struct vdl_type *want = &v23_security_caveat_descriptor_desc;
    struct vdl_any v;
    int rc = expr_eval(x, kind, kind.p[0] == '{' ? want : &vdl_any_desc, &v);

    if (rc != 0)
        return rc;
    if (v.type == NULL || !vdl_str_eq(v.type->name, want->name))
        return v23_error("failed to parse caveats: %.*s is not a "
            "CaveatDescriptor", (int)kind.n, kind.p);
    rc = vdl_convert(a, want, out, v.type, v.val);
    return rc == 0 ? 0 : failed("cannot make the caveat", rc);
}

static int build_other(struct expr *x, struct v23_arena *a,
    struct vdl_str kind, struct vdl_str param, v23_security_caveat *out)
{
    v23_security_caveat_descriptor d;
    struct vdl_any value;
    int rc = find_descriptor(x, a, kind, &d);

    if (rc != 0)
        return rc;
    if (d.param_type == NULL || (d.param_type->flags & VDL_T_ANY) != 0)
        return v23_error("the parameter of a caveat may not contain any");
    rc = expr_eval(x, param, d.param_type, &value);
    return rc != 0 ? rc : encode(a, &d, &value, out);
}

static int build_known(struct expr *x, struct v23_arena *a,
    const struct vsec_caveat_kind *kind, struct vdl_str param,
    v23_security_caveat *out)
{
    struct vdl_any value;
    int rc = expr_eval(x, param, kind->desc->param_type, &value);

    if (rc != 0)
        return rc;
    rc = vsec_caveat_make(a, kind, value.val, out);
    return rc == 0 ? 0 : failed("cannot make the caveat", rc);
}

static int build(struct app *app, struct expr *x, struct v23_arena *a,
    const char *text, v23_security_caveat *out)
{
    const char *eq = split_at(text);
    struct vdl_str kind = vdl_strn(text, (size_t)(eq - text)),
                   param = vdl_str(eq + 1);
    size_t i;

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (vdl_str_is(kind, known[i].name))
            return build_known(x, a, known[i].kind, param, out);
    if (vdl_str_is(kind, "revocable"))
        return revocable_make(app, a, param, out);
    if (kind.n == 0 || (kind.p[0] != '{' && kind.p[0] != '"'))
        return v23_error("unknown caveat %.*s", (int)kind.n, kind.p);
    return build_other(x, a, kind, param, out);
}

int caveats_make(struct app *app, const struct caveat_flags *f,
    struct v23_arena *a, v23_security_caveat_list *out)
{
    size_t n = f->n + (f->for_ns != 0), i;
    v23_security_caveat *v = v23_arena_get0(a, n + 1, sizeof(*v),
        _Alignof(v23_security_caveat));
    struct expr x;
    int rc = 0;

    if (v == NULL)
        return failed("caveats", V23_ENOMEM);
    expr_init(&x);
    for (i = 0; i < f->n && rc == 0; i++)
        rc = build(app, &x, a, f->texts[i], &v[i]);
    expr_fini(&x);
    if (rc == 0 && f->for_ns != 0) {
        rc = vsec_caveat_expiry(a,
            v23_walltime_add(vrpc_ev_wall(), f->for_ns), &v[f->n]);
        if (rc != 0)
            rc = failed("cannot make the caveat", rc);
    }
    out->v = v;
    out->n = (uint32_t)n;
    return rc;
}

void caveats_rotate(v23_security_caveat_list l)
{
    v23_security_caveat *v = (v23_security_caveat *)(uintptr_t)l.v, first;

    if (l.n < 2)
        return;
    first = v[0];
    memmove(v, v + 1, (l.n - 1) * sizeof(*v));
    v[l.n - 1] = first;
}

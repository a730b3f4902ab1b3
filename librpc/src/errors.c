/* BSD-3-Clause; see LICENSE. */
/* Standard errors and their conversion from and to local codes. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <vom/value.h>
#include <vrpc/verror.h>

#define PREFIX "v.io/v23/verror."
#define TEXT_MAX 2048

struct kind {
    struct vdl_str id;
    uint8_t retry;
};

static const struct kind kinds[VRPC_ERRS] = {
    [VRPC_ERR_UNKNOWN] = { VDL_STR_INIT(PREFIX "Unknown"), V23_NO_RETRY },
    [VRPC_ERR_INTERNAL] = { VDL_STR_INIT(PREFIX "Internal"), V23_NO_RETRY },
    [VRPC_ERR_NOT_IMPLEMENTED] = { VDL_STR_INIT(PREFIX "NotImplemented"),
        V23_NO_RETRY },
    [VRPC_ERR_END_OF_FILE] = { VDL_STR_INIT(PREFIX "EndOfFile"),
        V23_NO_RETRY },
    [VRPC_ERR_BAD_ARG] = { VDL_STR_INIT(PREFIX "BadArg"), V23_NO_RETRY },
    [VRPC_ERR_BAD_STATE] = { VDL_STR_INIT(PREFIX "BadState"), V23_NO_RETRY },
    [VRPC_ERR_BAD_VERSION] = { VDL_STR_INIT(PREFIX "BadVersion"),
        V23_NO_RETRY },
    [VRPC_ERR_EXIST] = { VDL_STR_INIT(PREFIX "Exist"), V23_NO_RETRY },
    [VRPC_ERR_NO_EXIST] = { VDL_STR_INIT(PREFIX "NoExist"), V23_NO_RETRY },
    [VRPC_ERR_UNKNOWN_METHOD] = { VDL_STR_INIT(PREFIX "UnknownMethod"),
        V23_NO_RETRY },
    [VRPC_ERR_UNKNOWN_SUFFIX] = { VDL_STR_INIT(PREFIX "UnknownSuffix"),
        V23_NO_RETRY },
    [VRPC_ERR_NO_EXIST_OR_NO_ACCESS] = { VDL_STR_INIT(PREFIX
                                             "NoExistOrNoAccess"),
        V23_NO_RETRY },
    [VRPC_ERR_NO_SERVERS] = { VDL_STR_INIT(PREFIX "NoServers"),
        V23_RETRY_REFETCH },
    [VRPC_ERR_NO_ACCESS] = { VDL_STR_INIT(PREFIX "NoAccess"),
        V23_RETRY_REFETCH },
    [VRPC_ERR_NOT_TRUSTED] = { VDL_STR_INIT(PREFIX "NotTrusted"),
        V23_RETRY_REFETCH },
    [VRPC_ERR_ABORTED] = { VDL_STR_INIT(PREFIX "Aborted"), V23_NO_RETRY },
    [VRPC_ERR_BAD_PROTOCOL] = { VDL_STR_INIT(PREFIX "BadProtocol"),
        V23_NO_RETRY },
    [VRPC_ERR_CANCELED] = { VDL_STR_INIT(PREFIX "Canceled"), V23_NO_RETRY },
    [VRPC_ERR_TIMEOUT] = { VDL_STR_INIT(PREFIX "Timeout"), V23_NO_RETRY },
};

struct vdl_str vrpc_err_id(enum vrpc_err kind)
{
    return kinds[kind].id;
}

enum v23_retry vrpc_err_retry(enum vrpc_err kind)
{
    return (enum v23_retry)kinds[kind].retry;
}

bool vrpc_err_is(const struct v23_verror *e, enum vrpc_err kind)
{
    return v23_verror_is(e, kinds[kind].id);
}

static const struct v23_verror *make(struct v23_arena *a,
    const struct v23_errctx *ctx, enum vrpc_err kind, const char *fmt,
    va_list ap) V23_PRINTF(4, 0);

static const struct v23_verror *make(struct v23_arena *a,
    const struct v23_errctx *ctx, enum vrpc_err kind, const char *fmt,
    va_list ap)
{
    char text[TEXT_MAX];

    vsnprintf(text, sizeof(text), fmt, ap);
    return v23_verror_text(a, ctx, kinds[kind].id,
        (enum v23_retry)kinds[kind].retry, "%s", text);
}

const struct v23_verror *vrpc_err_make(struct v23_arena *a,
    const struct v23_errctx *ctx, enum vrpc_err kind, const char *fmt, ...)
{
    const struct v23_verror *e;
    va_list ap;

    va_start(ap, fmt);
    e = make(a, ctx, kind, fmt, ap);
    va_end(ap);
    return e;
}

/* e with n more parameters; NULL when memory is short. */
static struct v23_verror *extend(struct v23_arena *a,
    const struct v23_verror *e, size_t n, struct vdl_any **added)
{
    struct v23_verror *out = v23_arena_new(a, struct v23_verror);
    struct vdl_any *v;

    v = v23_arena_get0(a, e->params.n + n, sizeof(*v),
        V23_ALIGNOF(struct vdl_any));
    if (out == NULL || v == NULL)
        return NULL;
    if (e->params.n > 0)
        memcpy(v, e->params.v, e->params.n * sizeof(*v));
    *out = *e;
    out->params.v = v;
    out->params.n = e->params.n + (uint32_t)n;
    *added = v + e->params.n;
    return out;
}

const struct v23_verror *vrpc_err_params(struct v23_arena *a,
    const struct v23_errctx *ctx, enum vrpc_err kind,
    const struct vdl_str *params, size_t n, const char *fmt, ...)
{
    const struct v23_verror *e;
    struct v23_verror *out;
    struct vdl_str *copy;
    struct vdl_any *v;
    va_list ap;
    size_t i;

    va_start(ap, fmt);
    e = make(a, ctx, kind, fmt, ap);
    va_end(ap);
    out = extend(a, e, n, &v);
    copy = v23_arena_get0(a, n, sizeof(*copy), V23_ALIGNOF(struct vdl_str));
    if (out == NULL || copy == NULL)
        return e;
    for (i = 0; i < n; i++) {
        copy[i].n = params[i].n;
        copy[i].p = params[i].n == 0
                        ? ""
                        : v23_arena_dup(a, params[i].p, params[i].n);
        if (copy[i].p == NULL)
            return e;
        v[i].type = &vdl_string_desc;
        v[i].val = &copy[i];
    }
    return out;
}

const struct v23_verror *vrpc_err_with_subs(struct v23_arena *a,
    const struct v23_verror *e, const struct vrpc_suberr *subs, size_t n)
{
    const struct v23_verror **slots;
    struct v23_verror *out;
    struct vdl_any *v;
    size_t len = e->msg.n, i;
    char *p;

    if (n == 0)
        return e;
    for (i = 0; i < n; i++)
        len += (size_t)subs[i].name.n + subs[i].err->msg.n + 5;
    out = extend(a, e, n, &v);
    p = v23_arena_get(a, len + 1, 1);
    slots = v23_arena_get0(a, n, sizeof(*slots),
        V23_ALIGNOF(const struct v23_verror *));
    if (out == NULL || p == NULL || slots == NULL)
        return e;
    out->msg.p = p;
    if (e->msg.n > 0)
        memcpy(p, e->msg.p, e->msg.n);
    p += e->msg.n;
    for (i = 0; i < n; i++) {
        p += sprintf(p, " [%.*s: %.*s]", (int)subs[i].name.n, subs[i].name.p,
            (int)subs[i].err->msg.n, subs[i].err->msg.p);
        slots[i] = subs[i].err;
        v[i].type = &vdl_error_desc;
        v[i].val = &slots[i];
    }
    out->msg.n = (uint32_t)(p - out->msg.p);
    return out;
}

/* ---- status codes -------------------------------------------------------- */

struct mapping {
    int status;
    enum vrpc_err kind;
};

/* The first entry of a kind is what a wire error of that kind becomes. */
static const struct mapping map[] = {
    { V23_EARG, VRPC_ERR_BAD_ARG },
    { V23_ELIMIT, VRPC_ERR_BAD_ARG },
    { V23_EGLOB, VRPC_ERR_BAD_ARG },
    { V23_EENDPOINT, VRPC_ERR_BAD_ARG },
    { V23_EPATTERN, VRPC_ERR_BAD_ARG },
    { V23_EEOF, VRPC_ERR_END_OF_FILE },
    { V23_ESTATE, VRPC_ERR_BAD_STATE },
    { V23_ECANCELED, VRPC_ERR_CANCELED },
    { V23_ETIMEOUT, VRPC_ERR_TIMEOUT },
    { V23_ENOENT, VRPC_ERR_NO_EXIST },
    { V23_ENONAME, VRPC_ERR_NO_EXIST },
    { V23_EEXIST, VRPC_ERR_EXIST },
    { V23_ENOSYS, VRPC_ERR_NOT_IMPLEMENTED },
    { V23_EBADVERSION, VRPC_ERR_BAD_VERSION },
    { V23_EDENIED, VRPC_ERR_NO_ACCESS },
    { V23_EUNTRUSTED, VRPC_ERR_NOT_TRUSTED },
    { V23_ECAVEAT, VRPC_ERR_NO_ACCESS },
    { V23_EKEYMISMATCH, VRPC_ERR_BAD_ARG },
    { V23_ECLOSED, VRPC_ERR_ABORTED },
    { V23_EREMOTE, VRPC_ERR_ABORTED },
    { V23_ELAMEDUCK, VRPC_ERR_ABORTED },
    { V23_EPROTO, VRPC_ERR_BAD_PROTOCOL },
    { V23_EMSG, VRPC_ERR_BAD_PROTOCOL },
    { V23_EFRAME, VRPC_ERR_BAD_PROTOCOL },
    { V23_EVERSION, VRPC_ERR_BAD_PROTOCOL },
    { V23_ECONTROL, VRPC_ERR_BAD_PROTOCOL },
    { V23_EINT, VRPC_ERR_BAD_PROTOCOL },
    { V23_EID, VRPC_ERR_BAD_PROTOCOL },
    { V23_EWIRETYPE, VRPC_ERR_BAD_PROTOCOL },
    { V23_ETYPE, VRPC_ERR_BAD_PROTOCOL },
    { V23_ELENGTH, VRPC_ERR_BAD_PROTOCOL },
    { V23_EINDEX, VRPC_ERR_BAD_PROTOCOL },
    { V23_ECOMPAT, VRPC_ERR_BAD_PROTOCOL },
    { V23_ECONVERT, VRPC_ERR_BAD_PROTOCOL },
};

enum vrpc_err vrpc_err_of_status(int status)
{
    size_t i;

    for (i = 0; i < sizeof(map) / sizeof(map[0]); i++)
        if (map[i].status == status)
            return map[i].kind;
    return VRPC_ERR_INTERNAL;
}

int vrpc_status_of_err(const struct v23_verror *e)
{
    size_t i;

    if (e == NULL)
        return 0;
    for (i = 0; i < sizeof(map) / sizeof(map[0]); i++)
        if (vrpc_err_is(e, map[i].kind))
            return map[i].status;
    return V23_EWIREERR;
}

const struct v23_verror *vrpc_err_copy(struct v23_arena *a,
    const struct v23_verror *e)
{
    struct v23_verror *out;

    if (e == NULL)
        return NULL;
    out = v23_arena_new(a, struct v23_verror);
    if (out == NULL || vdl_copy(a, &v23_verror_desc, out, e) != 0)
        return v23_verror_text(a, NULL, kinds[VRPC_ERR_INTERNAL].id,
            V23_NO_RETRY, "out of memory");
    return out;
}

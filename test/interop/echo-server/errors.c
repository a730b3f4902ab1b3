/* BSD-3-Clause; see LICENSE. */
/*
 * The errors of Fail and StreamFail. Ids, action codes and parameters are what
 * peers compare; the texts are free.
 */
#include "server.h"

#include <vrpc/verror.h>

static const struct vdl_type *const types_s[] = { &vdl_string_desc };
static const struct vdl_type *const types_si[] = { &vdl_string_desc,
    &vdl_int64_desc };
static const struct vdl_type *const types_sib[] = { &vdl_string_desc,
    &vdl_int64_desc, &vdl_bool_desc };

struct kind {
    const char *name;
    struct v23_errdef def;
    const char *param; /* the first parameter */
    int64_t number;
};

#define STD(name) VDL_STR_INIT("v.io/v23/verror." name)
#define OWN(name) VDL_STR_INIT(ECHO_PKG "." name)
#define NONE(text) VDL_STR_INIT(text), 0, NULL
#define ONE(text) VDL_STR_INIT(text " {3}"), 1, types_s

static const struct kind kinds[] = {
    { "unknown", { STD("Unknown"), V23_NO_RETRY,
          VDL_STR_INIT("unknown {3} {4}"), 2, types_si }, "p1", 2 },
    { "internal", { STD("Internal"), V23_NO_RETRY, ONE("internal") }, "p1",
        0 },
    { "notimpl", { STD("NotImplemented"), V23_NO_RETRY,
          NONE("not implemented") }, NULL, 0 },
    { "badarg", { STD("BadArg"), V23_NO_RETRY, ONE("bad argument") }, "arg",
        0 },
    { "badstate", { STD("BadState"), V23_NO_RETRY, NONE("bad state") }, NULL,
        0 },
    { "exist", { STD("Exist"), V23_NO_RETRY, ONE("exists") }, "x", 0 },
    { "noexist", { STD("NoExist"), V23_NO_RETRY, ONE("does not exist") },
        "x", 0 },
    { "noaccess", { STD("NoAccess"), V23_RETRY_REFETCH, ONE("no access") },
        "x", 0 },
    { "timeout", { STD("Timeout"), V23_NO_RETRY, NONE("timeout") }, NULL, 0 },
    { "canceled", { STD("Canceled"), V23_NO_RETRY, NONE("canceled") }, NULL,
        0 },
    { "aborted", { STD("Aborted"), V23_NO_RETRY, NONE("aborted") }, NULL, 0 },
    { "eof", { STD("EndOfFile"), V23_NO_RETRY, NONE("end of file") }, NULL,
        0 },
    { "custom", { OWN("Custom"), V23_NO_RETRY,
          VDL_STR_INIT("custom {3} {4} {5}"), 3, types_sib }, "p1", -2 },
    { "retryconn", { OWN("RetryConnection"), V23_RETRY_CONNECTION,
          NONE("retry with a new connection") }, NULL, 0 },
    { "retryrefetch", { OWN("RetryRefetch"), V23_RETRY_REFETCH,
          NONE("retry after looking again") }, NULL, 0 },
    { "retrybackoff", { OWN("RetryBackoff"), V23_RETRY_BACKOFF,
          NONE("retry later") }, NULL, 0 },
};

static const struct v23_errdef custom_of_subs = { OWN("Custom"),
    V23_NO_RETRY, ONE("custom") };
static const struct v23_errdef bad_kind = { STD("BadArg"), V23_NO_RETRY,
    ONE("unknown kind of error") };
static const struct v23_errdef sub_no_exist = { STD("NoExist"), V23_NO_RETRY,
    ONE("does not exist") };

static const struct v23_verror *with_string(struct vrpc_server_call *call,
    const struct v23_errdef *def, struct vdl_str param)
{
    const void *params[1];

    params[0] = &param;
    return v23_verror_make(vrpc_server_call_arena(call),
        vrpc_server_call_errctx(call), def, params);
}

/*
 * An error without id, as others see it: Unknown, with its text as the only
 * parameter behind two empty names.
 */
static const struct v23_verror *plain(struct v23_arena *a,
    struct vdl_str text)
{
    struct v23_verror *e = v23_arena_new(a, struct v23_verror);
    struct vdl_any *v = v23_arena_get0(a, 3, sizeof(*v),
        V23_ALIGNOF(struct vdl_any));
    struct vdl_str *s = v23_arena_get0(a, 3, sizeof(*s),
        V23_ALIGNOF(struct vdl_str));
    size_t i;

    if (e == NULL || v == NULL || s == NULL)
        return vrpc_err_make(a, NULL, VRPC_ERR_INTERNAL, "out of memory");
    s[2] = text;
    for (i = 0; i < 3; i++) {
        v[i].type = &vdl_string_desc;
        v[i].val = &s[i];
    }
    e->id = vrpc_err_id(VRPC_ERR_UNKNOWN);
    e->retry = V23_NO_RETRY;
    e->msg = text;
    e->params.v = v;
    e->params.n = 3;
    return e;
}

/* A sub-error in a list of parameters: its name and text are what is left. */
static const struct v23_verror *sub_error(struct v23_arena *a,
    const char *name, const struct v23_verror *e)
{
    struct v23_buf b;
    const char *text;
    size_t n;

    v23_buf_init(&b, NULL, 4096);
    v23_buf_printf(&b, "[%s: %.*s]", name, (int)e->msg.n, e->msg.p);
    n = b.n;
    text = v23_arena_dup(a, b.p, n);
    v23_buf_fini(&b);
    return plain(a, vdl_strn(text, text == NULL ? 0 : n));
}

static const struct v23_verror *with_subs(struct vrpc_server_call *call)
{
    struct v23_arena *a = vrpc_server_call_arena(call);
    const struct v23_verror *e, **subs;
    struct v23_verror *out;
    struct vdl_any *v;
    struct v23_buf text;
    uint32_t n;

    e = with_string(call, &custom_of_subs, vdl_str("p1"));
    n = e->params.n;
    out = v23_arena_new(a, struct v23_verror);
    subs = v23_arena_get0(a, 2, sizeof(*subs), V23_ALIGNOF(void *));
    v = v23_arena_get0(a, n + 2, sizeof(*v), V23_ALIGNOF(struct vdl_any));
    if (out == NULL || subs == NULL || v == NULL)
        return e;
    memcpy(v, e->params.v, n * sizeof(*v));
    subs[0] = sub_error(a, "sub1",
        with_string(call, &sub_no_exist, vdl_str("s1")));
    subs[1] = sub_error(a, "sub2", plain(a, vdl_str("plain sub error")));
    v[n].type = v[n + 1].type = &vdl_error_desc;
    v[n].val = &subs[0];
    v[n + 1].val = &subs[1];
    *out = *e;
    out->params.v = v;
    out->params.n = n + 2;
    v23_buf_init(&text, NULL, 4096);
    v23_buf_printf(&text, "%.*s %.*s %.*s", (int)e->msg.n, e->msg.p,
        (int)subs[0]->msg.n, subs[0]->msg.p, (int)subs[1]->msg.n,
        subs[1]->msg.p);
    out->msg.p = v23_arena_dup(a, text.p, text.n);
    out->msg.n = out->msg.p == NULL ? 0 : (uint32_t)text.n;
    v23_buf_fini(&text);
    return out;
}

static const struct v23_verror *of_kind(struct vrpc_server_call *call,
    const struct kind *k)
{
    struct vdl_str param = vdl_str(k->param);
    const void *params[3];
    bool flag = true;

    params[0] = &param;
    params[1] = &k->number;
    params[2] = &flag;
    return v23_verror_make(vrpc_server_call_arena(call),
        vrpc_server_call_errctx(call), &k->def, params);
}

const struct v23_verror *echo_fail(struct echo_server *s,
    struct vrpc_server_call *call, struct vdl_str kind)
{
    size_t i;

    if (vdl_str_is(kind, "ok"))
        return NULL;
    s->count.fails++;
    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (vdl_str_is(kind, kinds[i].name))
            return of_kind(call, &kinds[i]);
    if (vdl_str_is(kind, "subs"))
        return with_subs(call);
    if (vdl_str_is(kind, "goerror"))
        return plain(vrpc_server_call_arena(call),
            vdl_str("plain go error 42"));
    return with_string(call, &bad_kind, kind);
}

const struct v23_verror *echo_gone(struct vrpc_server_call *call, int reason)
{
    bool late = reason == V23_ETIMEOUT;

    return vrpc_err_make(vrpc_server_call_arena(call),
        vrpc_server_call_errctx(call),
        late ? VRPC_ERR_TIMEOUT : VRPC_ERR_CANCELED,
        late ? "timeout" : "canceled");
}

/* BSD-3-Clause; see LICENSE. */
/*
 * Calls of the page in the protocol of 2014 (spec/wspr.md 16.3, 16.4). Their
 * arguments are JSON without types, so that each call needs the signature of
 * its object first; what the page sends meanwhile waits in the call.
 */
#include "json_calls_int.h"

#include <stdio.h>

#include <vom/value.h>

#include "json_read_int.h"

#define UNKNOWN "v.io/v23/verror.Unknown"
#define INTERNAL "v.io/v23/verror.Internal"

/* ---- waiting for a signature --------------------------------------------- */

static void cancel_wait(struct wspr_call_ *call)
{
    struct wspr_json_call_ *jc = call->waits_for;

    wspr_signature_cancel_(&jc->w);
}

/* A call of a remote object that is to be started: it has no method yet. */
static const struct wspr_local_ waiting = {"", NULL, cancel_wait, NULL};

static const struct vrpc_method nothing;
const struct wspr_local_ wspr_json_control_ = {"", NULL, NULL, &nothing};
static const struct wspr_local_ asking = {"", NULL, cancel_wait, &nothing};

struct wspr_call_ *wspr_json_call_new_(struct wspr_ctl *c, int64_t id,
    enum wspr_json_what_ what)
{
    struct wspr_call_ *call = wspr_calls_get_(c);
    struct wspr_json_call_ *jc = NULL;

    if (call != NULL)
        jc = v23_arena_new(&call->arena, struct wspr_json_call_);
    if (jc == NULL) {
        if (call != NULL)
            wspr_calls_put_(call);
        wspr_json_error_(c, id, INTERNAL, "out of memory");
        return NULL;
    }
    jc->call = call;
    jc->what = what;
    call->e.era_data = jc;
    return call;
}

static void fail(struct wspr_call_ *call, const char *error_id,
    const char *fmt, ...) V23_PRINTF(3, 4);
static void fail(
    struct wspr_call_ *call, const char *error_id, const char *fmt, ...)
{
    struct wspr_json_fault_ f;
    va_list ap;

    va_start(ap, fmt);
    wspr_json_fault_(&f, error_id, fmt, ap);
    va_end(ap);
    wspr_calls_fail_(call, &f.err);
}

/* What went wrong, without what the page knows. */
static struct vdl_str cause(const struct v23_verror *err)
{
    const struct vdl_any *last;

    if (err->params.n < 4)
        return err->msg;
    last = &err->params.v[err->params.n - 1];
    return last->type == &vdl_string_desc
        ? *(const struct vdl_str *)last->val
        : err->msg;
}

static int shown(struct vdl_str s)
{
    return s.n < 400 ? (int)s.n : 400;
}

static void no_signature(struct wspr_call_ *call, struct vdl_str why)
{
    fail(call, INTERNAL, "error getting service signature for %.*s: %.*s",
        shown(call->name), call->name.p, shown(why), why.p);
}

static void have_signature(
    struct wspr_call_ *call, const struct vdl_list *interfaces);

static void arrived(struct wspr_signature_wait_ *w,
    const struct v23_verror *err, const struct vdl_list *interfaces)
{
    struct wspr_json_call_ *jc = (void *)w; /* its first member */
    struct wspr_call_ *call = jc->call;
    struct wspr_ctl *c = call->c;

    call->waits_for = NULL;
    if (err != NULL)
        no_signature(call, cause(err));
    else
        have_signature(call, interfaces); /* the call may be gone */
    v23_arena_reset(&c->scratch);
}

static void ask_signature(struct wspr_call_ *call)
{
    struct wspr_json_call_ *jc = wspr_json_of_call_(call);
    const struct vdl_list *interfaces;
    int rc;

    jc->w.done = arrived;
    call->local = jc->what == WSPR_JSON_CALL_ ? &waiting : &asking;
    call->waits_for = jc;
    rc = wspr_signature_get_(
        call->c, call->name, call, &jc->w, &interfaces);
    if (rc == V23_EAGAIN)
        return;
    call->waits_for = NULL;
    if (rc == 0)
        have_signature(call, interfaces);
    else
        no_signature(call, vdl_str(v23_strerror(rc)));
}

/* ---- arguments ----------------------------------------------------------- */

static const struct vdl_type *type_of(const v23_signature_arg *arg)
{
    return arg == NULL || arg->type == NULL ? &vdl_any_desc : arg->type;
}

/* A value of type t; what any holds instead of an any. */
static int take(struct wspr_json_reader_ *r, const cJSON *j,
    const struct vdl_type *t, struct vdl_any *out)
{
    void *v = v23_arena_get0(r->a, 1, t->size, t->align);
    int rc;

    if (v == NULL)
        return V23_ENOMEM;
    rc = wspr_json_take_(r, j, t, v);
    out->type = t;
    out->val = v;
    if (rc == 0 && t->kind == VDL_ANY)
        *out = *(const struct vdl_any *)v;
    return rc;
}

/* Say why it failed, if nobody has. */
static void explain(struct v23_buf *why, int rc)
{
    if (why->n == 0)
        v23_buf_puts(why, rc == V23_EEOF ? "EOF" : v23_strerror(rc));
}

int wspr_json_value_(struct v23_bytes json, const struct vdl_type *t,
    struct v23_arena *a, struct vdl_any *out, struct v23_buf *why)
{
    struct wspr_json_reader_ r = {a, &wspr_json_options_default, why};
    cJSON *j;
    int rc = wspr_json_parse_(&r, json, &j);

    if (rc == 0) {
        rc = take(&r, j, t, out);
        cJSON_Delete(j);
    }
    if (rc != 0)
        explain(why, rc);
    return rc;
}

/* The arguments from an array that has as many. */
static bool convert(struct wspr_call_ *call, struct wspr_json_reader_ *r,
    const v23_signature_method *m, const cJSON *list, struct vdl_any *args)
{
    const v23_signature_arg *arg = m->in_args.v;
    const cJSON *j;
    int rc;

    cJSON_ArrayForEach(j, list) {
        rc = take(r, j, type_of(arg), args++);
        if (rc != 0) {
            explain(r->why, rc);
            fail(call, UNKNOWN,
                "error while converting json to object for arg %u (%.*s): "
                "%.*s", (unsigned)(arg - m->in_args.v), shown(arg->name),
                arg->name.p, (int)r->why->n, (const char *)r->why->p);
            return false;
        }
        arg++;
    }
    return true;
}

static const v23_signature_method *find_method(
    const struct vdl_list *interfaces, struct vdl_str name)
{
    const v23_signature_interface *x = interfaces->v;
    const v23_signature_interface *end = x + interfaces->n;
    uint32_t i;

    for (; x < end; x++)
        for (i = 0; i < x->methods.n; i++)
            if (vdl_str_eq(x->methods.v[i].name, name))
                return &x->methods.v[i];
    return NULL;
}

/* The arguments of method m, of which the page has sent `list`; NULL: the
 * page has been told why not. */
static struct vdl_any *arguments(struct wspr_call_ *call,
    struct wspr_json_reader_ *r, const v23_signature_method *m,
    const cJSON *list)
{
    int n = cJSON_GetArraySize(list);
    bool right = cJSON_IsArray(list) || cJSON_IsNull(list);
    struct vdl_any *args =
        v23_arena_get0(&call->arena, m->in_args.n, sizeof(*args), 16);

    if (args == NULL) {
        fail(call, INTERNAL, "out of memory");
        return NULL;
    }
    if (!right || (uint32_t)n != m->in_args.n) {
        fail(call, UNKNOWN,
            "invalid number of arguments, expected: %u, got: %d",
            (unsigned)m->in_args.n, right ? n : 0);
        return NULL;
    }
    return convert(call, r, m, list, args) ? args : NULL;
}

static void start(struct wspr_call_ *call, const v23_signature_method *m)
{
    struct wspr_json_call_ *jc = wspr_json_of_call_(call);
    struct v23_buf why;
    char text[512];
    struct wspr_json_reader_ r = {
        &call->arena, &wspr_json_options_default, &why};
    struct vdl_any *args = NULL;
    cJSON *list;
    int rc;

    v23_buf_init_fixed(&why, text, sizeof(text) - 1);
    rc = wspr_json_parse_(&r, jc->args, &list);
    if (rc == 0) {
        args = arguments(call, &r, m, list);
        cJSON_Delete(list);
    } else {
        explain(&why, rc);
        fail(call, UNKNOWN, "error while converting json to object: %.*s",
            (int)why.n, text);
    }
    if (args == NULL)
        return;
    call->local = NULL;
    wspr_calls_start_(call, args, m->in_args.n);
}

static void have_signature(
    struct wspr_call_ *call, const struct vdl_list *interfaces)
{
    struct wspr_json_call_ *jc = wspr_json_of_call_(call);
    struct vdl_str name = wspr_upper_first_(&call->arena, call->method);
    const v23_signature_method *m;

    if (jc->what == WSPR_JSON_SIGNATURE_CALL_) {
        jc->interfaces = interfaces;
        wspr_local_done_(call, 0, NULL);
        return;
    }
    m = find_method(interfaces, name);
    if (m == NULL) {
        fail(call, UNKNOWN, "method not found in signature: %.*s",
            shown(call->method), call->method.p);
        return;
    }
    /* The signature may be forgotten before the call ends. */
    if (v23_signature_method_copy(&call->arena, &jc->method, m) != 0)
        fail(call, INTERNAL, "out of memory");
    else
        start(call, &jc->method);
}

/* ---- requests ------------------------------------------------------------ */

static bool fill(struct wspr_call_ *call, const struct wspr_frame_ *f,
    const v23_wspr_json_request *r)
{
    struct wspr_json_call_ *jc = wspr_json_of_call_(call);
    struct v23_bytes args = wspr_json_member_(
        v23_bytes(f->data.p, f->data.n), "inArgs");

    if (args.p == NULL)
        args = v23_bytes("null", 4);
    jc->args.p = v23_arena_dup(&call->arena, args.p, args.n);
    jc->args.n = args.n;
    if (jc->args.p == NULL) {
        wspr_json_error_(call->c, f->id, INTERNAL, "out of memory");
        return false;
    }
    if (r->num_out_args < 0 ||
        (uint32_t)r->num_out_args > call->c->cfg.limits.args) {
        wspr_json_error_(call->c, f->id, "v.io/v23/verror.BadArg",
            "invalid number of results: %d", (int)r->num_out_args);
        return false;
    }
    /* Their number includes the error. */
    call->nresults = r->num_out_args == 0 ? 0 : (uint32_t)r->num_out_args - 1;
    call->name = r->name;
    call->method = r->method;
    call->streaming = r->is_streaming;
    return true;
}

static void begin(struct wspr_call_ *call, int64_t id)
{
    int64_t retry_ns = call->c->cfg.retry_ns;

    call->opts.no_retry = retry_ns == 0;
    call->opts.connect_timeout_ns = retry_ns;
    wspr_calls_span_(call, NULL);
    if (wspr_calls_register_(call, id))
        ask_signature(call);
}

void wspr_json_request_(struct wspr_ctl *c, const struct wspr_frame_ *f)
{
    struct wspr_call_ *call = wspr_json_call_new_(c, f->id, WSPR_JSON_CALL_);
    v23_wspr_json_request r;

    if (call == NULL)
        return;
    if (wspr_json_open_(c, f, &v23_wspr_json_request_desc, &call->arena, &r,
            "can't parse Veyron Request: can't unmarshall JSONMessage") &&
        fill(call, f, &r))
        begin(call, f->id);
    else
        wspr_calls_put_(call);
}

void wspr_json_signature_(struct wspr_ctl *c, const struct wspr_frame_ *f)
{
    struct wspr_call_ *call =
        wspr_json_call_new_(c, f->id, WSPR_JSON_SIGNATURE_CALL_);
    v23_wspr_json_signature_request r;

    if (call == NULL)
        return;
    if (wspr_json_open_(c, f, &v23_wspr_json_signature_request_desc,
            &call->arena, &r, "can't unmarshall JSONMessage")) {
        call->name = r.name;
        call->method = vdl_str("signature");
        begin(call, f->id);
    } else {
        wspr_calls_put_(call);
    }
}

int wspr_json_decode_item_(struct wspr_ctl *c, struct wspr_entry_ *e,
    struct vdl_str data, struct v23_arena *a, struct vdl_any *out)
{
    const struct wspr_json_call_ *jc = e->era_data;
    struct v23_bytes json = v23_bytes(data.p, data.n);
    struct v23_buf why;
    char text[512];

    v23_buf_init_fixed(&why, text, sizeof(text) - 1);
    if (e->kind != WSPR_CALL_)
        return wspr_json_value_(json, &vdl_any_desc, a, out, &why);
    if (wspr_json_value_(
            json, type_of(jc->method.in_stream), a, out, &why) == 0)
        return 0;
    wspr_json_error_(c, e->id, UNKNOWN,
        "error while converting json to a stream value: %.*s", (int)why.n,
        text);
    return V23_ENOENT; /* the stream goes on */
}

/* ---- answers ------------------------------------------------------------- */

static int put_method(
    struct v23_buf *b, struct v23_arena *a, const v23_signature_method *m)
{
    v23_wspr_json_method out;
    struct vdl_str *names;
    uint32_t i;

    names = v23_arena_get0(
        a, m->in_args.n, sizeof(*names), V23_ALIGNOF(struct vdl_str));
    if (names == NULL)
        return V23_ENOMEM;
    for (i = 0; i < m->in_args.n; i++)
        names[i] = m->in_args.v[i].name;
    out.in_args.v = names;
    out.in_args.n = m->in_args.n;
    out.num_out_args = (int32_t)m->out_args.n + 1;
    out.is_streaming = m->in_stream != NULL || m->out_stream != NULL;
    wspr_json_quote(b, wspr_lower_first_(a, m->name));
    v23_buf_puts(b, ": ");
    return wspr_json_encode(&v23_wspr_json_method_desc, &out, b);
}

/* All but what every object has. */
static int put_signature(struct v23_buf *b, struct v23_arena *a,
    const struct vdl_list *interfaces)
{
    const v23_signature_interface *x = interfaces->v;
    const v23_signature_interface *end = x + interfaces->n;
    const char *between = "";
    uint32_t i;
    int rc = 0;

    v23_buf_put_byte(b, '{');
    for (; x < end; x++) {
        if (vdl_str_is(x->name, "__Reserved"))
            continue;
        for (i = 0; rc == 0 && i < x->methods.n; i++) {
            v23_buf_puts(b, between);
            between = ", ";
            rc = put_method(b, a, &x->methods.v[i]);
        }
    }
    v23_buf_put_byte(b, '}');
    return rc;
}

static int put_results(
    struct v23_buf *b, const struct vdl_any *results, size_t n)
{
    size_t i;
    int rc = 0;

    v23_buf_put_byte(b, '[');
    for (i = 0; rc == 0 && i < n; i++) {
        v23_buf_puts(b, i == 0 ? "" : ", ");
        rc = wspr_json_encode(&vdl_any_desc, &results[i], b);
    }
    v23_buf_put_byte(b, ']');
    return rc;
}

int wspr_json_final_(
    struct wspr_call_ *call, const struct vdl_any *results, size_t n)
{
    struct v23_buf *b = wspr_json_begin_(call->c, WSPR_J_FINAL_);
    const struct wspr_json_call_ *jc = call->e.era_data;
    int rc = 0;

    if (jc->what == WSPR_JSON_CALL_)
        rc = put_results(b, results, n);
    else if (jc->what == WSPR_JSON_SIGNATURE_CALL_)
        rc = put_signature(b, &call->arena, jc->interfaces);
    else
        v23_buf_puts(b, "true");
    return wspr_json_send_(call->c, call->e.id, rc);
}

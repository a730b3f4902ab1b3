/* BSD-3-Clause; see LICENSE. */
/*
 * The protocol of 2014 (spec/wspr.md 16): which message is for whom, and how
 * messages to the page are written.
 */
#include "json_era_int.h"

#include <stdarg.h>
#include <stdio.h>

#include <vname/json.h>

#define KEEP_MAX 4096u

const char wspr_json_bad_message_[] = "can't unmarshall message";

/* ---- writing ------------------------------------------------------------- */

struct v23_buf *wspr_json_begin_(struct wspr_ctl *c, int type)
{
    struct v23_buf *b = &wspr_json_of_(c)->text;

    v23_buf_cut(b, 0);
    v23_buf_printf(b, "{\"type\": %d, \"message\": ", type);
    return b;
}

int wspr_json_send_(struct wspr_ctl *c, int64_t id, int rc)
{
    struct v23_buf *b = &wspr_json_of_(c)->text;

    v23_buf_put_byte(b, '}');
    if (rc == 0)
        rc = b->err;
    if (rc == 0) {
        v23_buf_printf(&c->out, "{\"id\": %lld, \"data\": ", (long long)id);
        wspr_json_quote(&c->out, vdl_strn((const char *)b->p, b->n));
        v23_buf_puts(&c->out, ", \"type\": 0}");
        rc = c->out.err;
        wspr_ctl_send_(c);
    }
    if (b->cap > KEEP_MAX)
        v23_buf_fini(b);
    return rc;
}

static int send_error(
    struct wspr_ctl *c, int64_t id, const struct v23_verror *err)
{
    struct v23_buf *b = wspr_json_begin_(c, WSPR_J_ERROR_);

    return wspr_json_send_(
        c, id, wspr_json_encode(&v23_verror_desc, err, b));
}

void wspr_json_fault_(struct wspr_json_fault_ *out, const char *error_id,
    const char *fmt, va_list ap)
{
    vsnprintf(out->text, sizeof(out->text), fmt, ap);
    memset(&out->err, 0, sizeof(out->err));
    out->err.id = vdl_str(error_id);
    out->err.msg = vdl_str(out->text);
}

void wspr_json_error_(struct wspr_ctl *c, int64_t id, const char *error_id,
    const char *fmt, ...)
{
    struct wspr_json_fault_ f;
    va_list ap;

    va_start(ap, fmt);
    wspr_json_fault_(&f, error_id, fmt, ap);
    va_end(ap);
    wspr_ctl_error_(c, id, &f.err);
}

static int send_item(
    struct wspr_ctl *c, struct wspr_entry_ *e, struct vdl_any item)
{
    struct v23_buf *b = wspr_json_begin_(c, WSPR_J_STREAM_);

    return wspr_json_send_(
        c, e->id, wspr_json_encode(&vdl_any_desc, &item, b));
}

static int send_item_end(struct wspr_ctl *c, struct wspr_entry_ *e)
{
    v23_buf_puts(wspr_json_begin_(c, WSPR_J_STREAM_CLOSE_), "null");
    return wspr_json_send_(c, e->id, 0);
}

/* Pages of 2014 know no such message. */
static int send_log(
    struct wspr_ctl *c, v23_wspr_lib_log_level level, struct vdl_str text)
{
    (void)c;
    (void)level;
    (void)text;
    return 0;
}

/* ---- reading ------------------------------------------------------------- */

bool wspr_json_open_(struct wspr_ctl *c, const struct wspr_frame_ *f,
    const struct vdl_type *t, struct v23_arena *a, void *out,
    const char *what)
{
    struct wspr_json_options opt = WSPR_JSON_OPTIONS_INIT;
    struct v23_buf why;
    char text[512];
    int rc;

    opt.lax = true;
    v23_buf_init_fixed(&why, text, sizeof(text) - 1);
    rc = wspr_json_decode(
        v23_bytes(f->data.p, f->data.n), &opt, a, t, out, &why);
    if (rc == 0)
        return true;
    text[why.n] = 0;
    if (why.n == 0)
        snprintf(text, sizeof(text), "%s",
            rc == V23_EEOF ? "EOF" : v23_strerror(rc));
    wspr_json_error_(c, f->id, "v.io/v23/verror.Internal", "%s: %s", what,
        text);
    return false;
}

struct member {
    const char *name;
    struct v23_bytes value;
};

static int find_member(void *ud, struct vdl_str key, struct v23_bytes value)
{
    struct member *m = ud;

    if (vdl_str_eq_nocase(key, vdl_str(m->name)))
        m->value = value;
    return 0;
}

struct v23_bytes wspr_json_member_(struct v23_bytes text, const char *name)
{
    struct member m;

    m.name = name;
    m.value = v23_bytes(NULL, 0);
    if (vname_json_members(text, find_member, &m) != 0)
        m.value = v23_bytes(NULL, 0);
    return m.value;
}

/* ---- messages ------------------------------------------------------------ */

static void ignore(struct wspr_ctl *c, const struct wspr_frame_ *f)
{
    v23_logf(c->cfg.log, V23_LOG_INFO,
        "wspr: message of type %lld ignored: nothing waits for it on id %lld",
        (long long)f->type, (long long)f->id);
}

static void to_call(struct wspr_ctl *c, const struct wspr_frame_ *f,
    struct wspr_call_ *call)
{
    if (f->type == WSPR_J_VALUE_)
        wspr_calls_item_(call, f->data);
    else if (f->type == WSPR_J_VALUES_END_)
        wspr_calls_end_stream_(call);
    else
        ignore(c, f);
}

static void to_flow(struct wspr_ctl *c, const struct wspr_frame_ *f,
    struct wspr_flow_ *flow)
{
    if (f->type == WSPR_J_VALUE_)
        wspr_flows_item_(flow, f->data);
    else if (f->type == WSPR_J_RESPONSE_)
        wspr_flows_reply_(flow, f->data);
    else
        ignore(c, f);
}

static void to_ask(struct wspr_ctl *c, const struct wspr_frame_ *f,
    struct wspr_ask_ *k)
{
    if (f->type == WSPR_J_LOOKUP_REPLY_ && k->kind == WSPR_LOOKUP_)
        wspr_json_looked_up_(k, f->data);
    else if (f->type == WSPR_J_AUTH_REPLY_ && k->kind == WSPR_AUTHORIZE_)
        wspr_json_authorized_(k, f->data);
    else
        ignore(c, f);
}

static void to_entry(struct wspr_ctl *c, const struct wspr_frame_ *f)
{
    struct wspr_entry_ *e = wspr_table_find_(c, f->id);

    if (e == NULL)
        ignore(c, f);
    else if (e->kind == WSPR_CALL_)
        to_call(c, f, (struct wspr_call_ *)e);
    else if (e->kind == WSPR_FLOW_)
        to_flow(c, f, (struct wspr_flow_ *)e);
    else
        to_ask(c, f, (struct wspr_ask_ *)e);
}

void wspr_json_unknown_(struct wspr_ctl *c, const struct wspr_frame_ *f)
{
    wspr_json_error_(c, f->id, "v.io/v23/verror.Unknown",
        "unknown message type: %lld", (long long)f->type);
}

static void message(struct wspr_ctl *c, const struct wspr_frame_ *f)
{
    switch (f->type) {
    case WSPR_J_REQUEST_:
        wspr_json_request_(c, f);
        break;
    case WSPR_J_SIGNATURE_:
        wspr_json_signature_(c, f);
        break;
    case WSPR_J_SERVE_:
        wspr_json_serve_(c, f);
        break;
    case WSPR_J_STOP_:
        wspr_json_stop_(c, f);
        break;
    case WSPR_J_ASSOC_:
        wspr_json_assoc_(c, f);
        break;
    case WSPR_J_BLESS_:
        wspr_json_bless_(c, f);
        break;
    case WSPR_J_UNLINK_ID_:
        wspr_json_unlink_id_(c, f);
        break;
    case WSPR_J_NEW_ID_:
        wspr_json_new_id_(c, f);
        break;
    case WSPR_J_RESPONSE_:
    case WSPR_J_VALUE_:
    case WSPR_J_VALUES_END_:
    case WSPR_J_LOOKUP_REPLY_:
    case WSPR_J_AUTH_REPLY_:
        to_entry(c, f);
        break;
    default:
        wspr_json_unknown_(c, f);
    }
}

/* ---- the era ------------------------------------------------------------- */

/* A page takes the first message for its configuration, whatever it is. */
static int greet(struct wspr_ctl *c)
{
    int rc;

    v23_buf_puts(&c->out, "{\"mounttableRoot\": ");
    rc = wspr_json_encode(&vdl_str_list_desc, &c->cfg.roots, &c->out);
    v23_buf_put_byte(&c->out, '}');
    if (rc == 0)
        rc = c->out.err;
    if (rc == 0)
        wspr_ctl_send_(c);
    return rc;
}

static int open_era(struct wspr_ctl *c)
{
    struct wspr_json_ *j = v23_new(c->al, struct wspr_json_);

    c->era_state = j;
    if (j == NULL)
        return V23_ENOMEM;
    v23_buf_init(&j->text, c->al, SIZE_MAX / 8);
    return greet(c);
}

static void rest(struct wspr_ctl *c)
{
    v23_buf_fini(&wspr_json_of_(c)->text);
}

static void close_era(struct wspr_ctl *c)
{
    struct wspr_json_ *j = wspr_json_of_(c);

    if (j == NULL)
        return;
    wspr_json_forget_ids_(c);
    v23_buf_fini(&j->text);
    v23_put(c->al, j);
    c->era_state = NULL;
}

const struct wspr_era_ wspr_era_json_ = {
    .name = "json",
    .first_id = 0,
    .open = open_era,
    .close = close_era,
    .message = message,
    .decode_item = wspr_json_decode_item_,
    .reply = wspr_json_reply_,
    .final = wspr_json_final_,
    .error = send_error,
    .item = send_item,
    .item_end = send_item_end,
    .log = send_log,
    .lookup = wspr_json_lookup_,
    .authorize = wspr_json_authorize_,
    .invoke = wspr_json_invoke_,
    .rest = rest,
    .everyone = true,
};

/* BSD-3-Clause; see LICENSE. */
/* Messages of the page: hex of VOM, whose types come in messages of their
 * own (spec/wspr.md 3.1, 3.3). */
#include "forms_int.h"
#include "vom_int.h"

#include <string.h>
#include <vom/vom80.h>

static void refuse(struct wspr_ctl *c, int code, const char *why)
{
    if (c->cut)
        return; /* values that waited are met later, too */
    c->cut = true;
    v23_logf(c->cfg.log, V23_LOG_ERROR, "wspr: %s", why);
    c->cfg.hooks->close(c->cfg.ud, code, why);
}

/* ---- payloads ------------------------------------------------------------ */

int wspr_vom_open_(struct wspr_ctl *c, struct vdl_str hex,
    struct wspr_vom_in_ *in)
{
    struct wspr_vom_ *v = wspr_vom_of_(c);
    int rc;

    if (v->types_rc != 0) {
        refuse(c, 1007, "malformed type stream");
        return v->types_rc;
    }
    wspr_vom_trim_(&v->in);
    rc = v23_hex_parse(hex.p, hex.n, &v->in);
    if (rc != 0)
        return rc;
    vom_dec_init(&in->dec, c->al, v->types, true);
    in->p = v->in.p;
    in->n = v->in.n;
    return 0;
}

int wspr_vom_next_(struct wspr_vom_in_ *in, struct v23_arena *a,
    const struct vdl_type *t, void *out)
{
    struct vom_msg msg;
    size_t used = 0;
    int rc;

    rc = vom_dec_next(&in->dec, in->p, in->n, &used, &msg);
    if (rc == 0)
        rc = vom_dec_value(&in->dec, &msg, a, t, out);
    if (used > 0)
        in->p += used;
    in->n -= used;
    if (rc != V23_EAGAIN)
        return rc;
    return in->dec.waits_type ? V23_EID : V23_EEOF;
}

void wspr_vom_shut_(struct wspr_vom_in_ *in)
{
    vom_dec_fini(&in->dec);
}

int wspr_vom_value_(struct wspr_ctl *c, struct vdl_str hex,
    struct v23_arena *a, const struct vdl_type *t, void *out)
{
    struct wspr_vom_in_ in;
    int rc = wspr_vom_open_(c, hex, &in);

    if (rc != 0)
        return rc;
    rc = wspr_vom_next_(&in, a, t, out);
    wspr_vom_shut_(&in);
    return rc;
}

/* ---- types --------------------------------------------------------------- */

/* The page is heard further, until it says what needs the types. */
static void types_end(struct wspr_ctl *c, int rc)
{
    struct wspr_vom_ *v = wspr_vom_of_(c);

    v->types_rc = rc;
    v23_buf_fini(&v->type_bytes);
    v23_logf(c->cfg.log, V23_LOG_ERROR, "wspr: malformed type stream: %s",
        v23_strerror(rc));
}

static void type_message(struct wspr_ctl *c, struct vdl_str hex)
{
    struct wspr_vom_ *v = wspr_vom_of_(c);
    struct v23_buf *b = &v->type_bytes;
    size_t before = b->n, used = 0;
    int rc;

    if (v->types_rc != 0)
        return;
    rc = v23_hex_parse(hex.p, hex.n, b);
    if (rc == V23_ETEXT) {
        v23_buf_cut(b, before);
        v23_logf(c->cfg.log, V23_LOG_WARN,
            "wspr: type message ignored: it is not hex");
        return;
    }
    if (rc != 0) {
        types_end(c, rc);
        return;
    }
    if (b->n > 0 && b->p[0] == VOM_VERSION_80 && !v->types_begun) {
        refuse(c, 1003, "VOM 0x80 is not spoken here, only 0x81");
        return;
    }
    v->types_begun = v->types_begun || b->n > 0;
    rc = vom_typedec_input(v->types, b->p, b->n, &used);
    v23_buf_drop(b, used);
    if (b->n == 0)
        v23_buf_fini(b); /* types are rare after the first calls */
    if (rc != 0)
        types_end(c, rc);
}

/* ---- messages ------------------------------------------------------------ */

static void ignore(struct wspr_ctl *c, const struct wspr_frame_ *f)
{
    v23_logf(c->cfg.log, V23_LOG_INFO,
        "wspr: message of type %lld ignored: nothing waits for it on id %lld",
        (long long)f->type, (long long)f->id);
}

static void unknown(struct wspr_ctl *c, const struct wspr_frame_ *f)
{
    struct v23_errctx ctx = wspr_ctl_ctx_(c);

    wspr_ctl_error_(c, f->id, v23_wspr_app_err_unkown_message(&c->scratch,
                                  &ctx, (int32_t)f->type));
}

static void to_call(struct wspr_ctl *c, const struct wspr_frame_ *f,
    struct wspr_entry_ *e)
{
    struct wspr_call_ *call = (struct wspr_call_ *)e;

    if (f->type == WSPR_C2S_STREAM_)
        wspr_calls_item_(call, f->data);
    else if (f->type == WSPR_C2S_STREAM_CLOSE_)
        wspr_calls_end_stream_(call);
    else if (f->type == WSPR_C2S_CANCEL_)
        wspr_calls_cancel_(call);
    else
        ignore(c, f);
}

static void to_flow(struct wspr_ctl *c, const struct wspr_frame_ *f,
    struct wspr_entry_ *e)
{
    struct wspr_flow_ *flow = (struct wspr_flow_ *)e;

    if (f->type == WSPR_C2S_STREAM_)
        wspr_flows_item_(flow, f->data);
    else if (f->type == WSPR_C2S_RESPONSE_)
        wspr_flows_reply_(flow, f->data);
    else
        ignore(c, f);
}

static void to_ask(struct wspr_ctl *c, const struct wspr_frame_ *f,
    struct wspr_entry_ *e)
{
    struct wspr_ask_ *k = (struct wspr_ask_ *)e;

    if (f->type == WSPR_C2S_LOOKUP_ && k->kind == WSPR_LOOKUP_)
        wspr_vom_looked_up_(k, f->data);
    else if (f->type == WSPR_C2S_AUTHORIZE_ && k->kind == WSPR_AUTHORIZE_)
        wspr_vom_authorized_(k, f->data);
    else if (f->type == WSPR_C2S_CAVEATS_ && k->kind == WSPR_CAVEATS_)
        wspr_vom_validated_(k, f->data);
    else if (f->type == WSPR_C2S_GRANTER_ && k->kind == WSPR_GRANT_)
        wspr_vom_granted_(k, f->data);
    else
        ignore(c, f);
}

static void to_entry(struct wspr_ctl *c, const struct wspr_frame_ *f)
{
    struct wspr_entry_ *e = wspr_table_find_(c, f->id);

    if (e == NULL)
        ignore(c, f);
    else if (e->kind == WSPR_CALL_)
        to_call(c, f, e);
    else if (e->kind == WSPR_FLOW_)
        to_flow(c, f, e);
    else
        to_ask(c, f, e);
}

static void message(struct wspr_ctl *c, const struct wspr_frame_ *f)
{
    switch (f->type) {
    case WSPR_C2S_REQUEST_:
        wspr_vom_request_(c, f);
        break;
    case WSPR_C2S_TYPE_:
        type_message(c, f->data);
        break;
    case WSPR_C2S_RESPONSE_:
    case WSPR_C2S_STREAM_:
    case WSPR_C2S_STREAM_CLOSE_:
    case WSPR_C2S_LOOKUP_:
    case WSPR_C2S_AUTHORIZE_:
    case WSPR_C2S_CANCEL_:
    case WSPR_C2S_CAVEATS_:
    case WSPR_C2S_GRANTER_:
        to_entry(c, f);
        break;
    default:
        unknown(c, f);
    }
    wspr_vom_trim_(&wspr_vom_of_(c)->in);
}

/* ---- the era ------------------------------------------------------------- */

static int open_era(struct wspr_ctl *c)
{
    struct wspr_vom_ *v = v23_new(c->al, struct wspr_vom_);
    const struct wspr_forms *forms = c->cfg.forms;
    struct vom_options opt = vom_options_host;

    if (forms != NULL)
        opt.known = forms->known;
    c->era_state = v;
    if (v == NULL)
        return V23_ENOMEM;
    v23_buf_init(&v->type_bytes, c->al, 1u << 20);
    v23_buf_init(&v->te_out, c->al, SIZE_MAX / 8);
    v23_buf_init(&v->payload, c->al, SIZE_MAX / 8);
    v23_buf_init(&v->in, c->al, SIZE_MAX / 8);
    v23_arena_init_small(&v->tmp, c->al, SIZE_MAX, 256);
    vom_typeenc_init(&v->te, c->al, &v->te_out);
    vom_enc_init(&v->enc, &v->te, &v->payload);
    wspr_bridge_init_(&v->bridge, c->al,
        forms == NULL ? NULL : &forms->bridge);
    return vom_typedec_new(c->al, &opt, &v->types);
}

static void rest(struct wspr_ctl *c)
{
    struct wspr_vom_ *v = wspr_vom_of_(c);

    v23_buf_fini(&v->payload);
    v23_buf_fini(&v->in);
    v23_arena_fini(&v->tmp);
}

static void close_era(struct wspr_ctl *c)
{
    struct wspr_vom_ *v = wspr_vom_of_(c);

    if (v == NULL)
        return;
    wspr_vom_forget_(c);
    vom_typedec_unref(v->types);
    vom_enc_fini(&v->enc);
    vom_typeenc_fini(&v->te);
    wspr_bridge_fini_(&v->bridge);
    v23_buf_fini(&v->type_bytes);
    v23_buf_fini(&v->te_out);
    v23_buf_fini(&v->payload);
    v23_buf_fini(&v->in);
    v23_arena_fini(&v->tmp);
    v23_put(c->al, v);
    c->era_state = NULL;
}

static int decode_item(struct wspr_ctl *c, struct wspr_entry_ *e,
    struct vdl_str data, struct v23_arena *a, struct vdl_any *out)
{
    (void)e;
    return wspr_vom_value_(c, data, a, NULL, out);
}

static int send_error(struct wspr_ctl *c, int64_t id,
    const struct v23_verror *err)
{
    return wspr_vom_send_alone_(c, id, WSPR_S2C_ERROR_, &vdl_error_desc, &err);
}

static int send_item(struct wspr_ctl *c, struct wspr_entry_ *e,
    struct vdl_any item)
{
    return wspr_vom_send_(c, e->id, WSPR_S2C_STREAM_, &vdl_any_desc, &item);
}

static int send_item_end(struct wspr_ctl *c, struct wspr_entry_ *e)
{
    static const struct vdl_any nil;

    return wspr_vom_send_alone_(c, e->id, WSPR_S2C_STREAM_CLOSE_,
        &vdl_any_desc, &nil);
}

static int send_cancel(struct wspr_ctl *c, int64_t id)
{
    static const struct vdl_any nil;

    return wspr_vom_send_alone_(c, id, WSPR_S2C_CANCEL_, &vdl_any_desc, &nil);
}

static int send_log(struct wspr_ctl *c, v23_wspr_lib_log_level level,
    struct vdl_str text)
{
    v23_wspr_lib_log_message m;

    m.level = level;
    m.message = text;
    return wspr_vom_send_alone_(c, wspr_ctl_id_(c), WSPR_S2C_LOG_,
        &v23_wspr_lib_log_message_desc, &m);
}

const struct wspr_era_ wspr_era_vom_ = {
    .name = "vom",
    .first_id = 2,
    .open = open_era,
    .close = close_era,
    .message = message,
    .decode_item = decode_item,
    .reply = wspr_vom_reply_,
    .final = wspr_vom_final_,
    .error = send_error,
    .item = send_item,
    .item_end = send_item_end,
    .cancel = send_cancel,
    .log = send_log,
    .lookup = wspr_vom_lookup_,
    .authorize = wspr_vom_authorize_,
    .caveats = wspr_vom_caveats_,
    .grant = wspr_vom_grant_,
    .invoke = wspr_vom_invoke_,
    .tick = wspr_vom_collect_,
    .rest = rest,
};

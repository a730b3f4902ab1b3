/* BSD-3-Clause; see LICENSE. */
/*
 * A connection that became a websocket. It only moves frames: what they mean is
 * its object's affair.
 */
#include "ev_int.h"

static int on_open(void *ud)
{
    (void)ud;
    return 0;
}

static int on_message(void *ud, uint8_t *p, size_t n)
{
    struct wspr_conn_ *c = ud;

    if (c->object == NULL || c->state != WSPR_CONN_WEBSOCKET_)
        return 0;
    return c->h->cfg.hooks->message(c->object, (char *)p, n);
}

static size_t on_limit(void *ud)
{
    return ((struct wspr_conn_ *)ud)->h->cfg.max_message;
}

static const struct vrpc_ws_hooks ws_hooks = { on_open, on_message, on_limit,
    NULL };

int wspr_conn_upgrade_(struct wspr_conn_ *c, const struct wspr_request_ *r,
    const char *protocol)
{
    struct wspr_http_ *h = c->h;
    struct vrpc_ws_config cfg = { .engine = h->cfg.engine, .al = h->cfg.al,
        .hooks = &ws_hooks, .ud = c, .text = true, .upgraded = true };
    struct v23_buf *out = wspr_conn_out_(c);
    int rc = vrpc_ws_new(&cfg, &c->ws);

    if (rc == 0)
        rc = vrpc_ws_accept(h->cfg.engine, &r->head, protocol, out);
    if (rc != 0) {
        vrpc_ws_free(c->ws);
        c->ws = NULL;
        v23_buf_cut(out, 0);
        return rc;
    }
    wspr_conn_request_ends_(c);
    wspr_conn_set_state_(c, WSPR_CONN_WEBSOCKET_, h->cfg.patience_ns);
    c->ping = wspr_http_now_(h) + h->cfg.ping_ns;
    return 0;
}

void wspr_conn_take_back_(struct wspr_conn_ *c)
{
    vrpc_ws_free(c->ws);
    c->ws = NULL;
    v23_buf_cut(&c->out, 0);
    wspr_conn_set_state_(c, WSPR_CONN_ANSWERING_, WSPR_HTTP_ANSWER_TIME_);
}

void wspr_conn_frames_came_(struct wspr_conn_ *c, const uint8_t *p, size_t n)
{
    struct wspr_http_ *h = c->h;
    const char *why = NULL;
    int rc;

    c->deadline = wspr_http_now_(h) + h->cfg.patience_ns;
    rc = vrpc_ws_input(c->ws, p, n, &h->message, &why);
    if (h->message.cap > WSPR_HTTP_KEPT_)
        v23_buf_fini(&h->message);
    if (rc == 0)
        return;
    if (rc != V23_ECLOSED)
        v23_logf(h->cfg.log, V23_LOG_INFO, "wspr: %s: %s", wspr_conn_peer_(c),
            why != NULL ? why : v23_strerror(rc));
    if (c->state == WSPR_CONN_WEBSOCKET_)
        wspr_conn_set_state_(c, WSPR_CONN_ENDING_, WSPR_HTTP_ANSWER_TIME_);
}

void wspr_conn_take_control_(struct wspr_conn_ *c)
{
    if (c->ws != NULL && vrpc_ws_wants_output(c->ws) &&
        vrpc_ws_output(c->ws, wspr_conn_out_(c)) != 0)
        c->broken = true;
}

void wspr_conn_send_(struct wspr_conn_ *c, const char *text, size_t n)
{
    if (c->state != WSPR_CONN_WEBSOCKET_ || c->broken)
        return;
    if (wspr_conn_waiting_(c) > c->h->cfg.max_waiting) {
        v23_logf(c->h->cfg.log, V23_LOG_WARN,
            "wspr: %s does not read what is sent to it", wspr_conn_peer_(c));
        wspr_conn_break_down_(c);
        return;
    }
    wspr_conn_take_control_(c);
    if (c->off > 0 && c->off >= c->out.n / 2) {
        v23_buf_drop(&c->out, c->off);
        c->off = 0;
    }
    if (vrpc_ws_send(c->ws, (const uint8_t *)text, n, wspr_conn_out_(c)) != 0)
        c->broken = true;
    wspr_conn_want_work_(c);
}

void wspr_conn_close_(struct wspr_conn_ *c, unsigned code, const char *why)
{
    if (c->state != WSPR_CONN_WEBSOCKET_)
        return;
    vrpc_ws_close(c->ws, code, why);
    wspr_conn_set_state_(c, WSPR_CONN_ENDING_, WSPR_HTTP_ANSWER_TIME_);
}

/* BSD-3-Clause; see LICENSE. */
/*
 * What a socket's bytes are (spec/rpc.md 2): frames of the connection itself,
 * websocket frames around its messages, or, of an accepted socket, one of both,
 * which its first byte tells. And which protocol name means what.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "ev_int.h"

#define OUT_AT_ONCE (256u * 1024u) /* fetched from one connection per turn */
#define CLASSIFY (10 * V23_NS_PER_SEC)
#define HEADER (1 * V23_NS_PER_SEC) /* for a request to be complete */
#define GOING_AWAY 1001u

/* ---- plain --------------------------------------------------------------- */

static int plain_input(struct vrpc_ev_link_ *l, uint8_t *p, size_t n,
    const struct v23_now *now, const char **why)
{
    (void)why;
    (void)!vrpc_conn_input(l->conn, p, n, now);
    return 0; /* its end is told by a hook */
}

static bool plain_wants(const struct vrpc_ev_link_ *l)
{
    return vrpc_conn_wants_output(l->conn);
}

static int plain_output(struct vrpc_ev_link_ *l, struct v23_buf *out,
    const struct v23_now *now)
{
    return vrpc_conn_output(l->conn, out, OUT_AT_ONCE, now);
}

static const struct vrpc_ev_wire_ plain = {
    { false, false, vrpc_ev_link_wake_, vrpc_ev_link_closed_ }, plain_input,
    plain_wants, plain_output, NULL };

/* ---- websocket ----------------------------------------------------------- */

static int on_ws_open(void *ud)
{
    return vrpc_ev_link_opened_(ud);
}

static int on_ws_message(void *ud, uint8_t *p, size_t n)
{
    struct vrpc_ev_link_ *l = ud;
    struct v23_now now;

    if (l->closing)
        return 0;
    vrpc_ev_now(l->node->ev, &now);
    (void)!vrpc_conn_input(l->conn, p, n, &now);
    return 0;
}

static size_t on_ws_limit(void *ud)
{
    return vrpc_conn_message_max(((struct vrpc_ev_link_ *)ud)->conn);
}

static const struct vrpc_ws_hooks ws_hooks = { on_ws_open, on_ws_message,
    on_ws_limit, NULL };

static int ws_input(struct vrpc_ev_link_ *l, uint8_t *p, size_t n,
    const struct v23_now *now, const char **why)
{
    (void)now; /* each message takes its own */
    return vrpc_ws_input(l->ws, p, n, &l->node->ev->in, why);
}

static bool ws_wants(const struct vrpc_ev_link_ *l)
{
    return vrpc_ws_wants_output(l->ws) ||
        (l->conn != NULL && vrpc_conn_wants_output(l->conn));
}

/* The next message of the connection, as a frame. */
static int put_message(struct vrpc_ev_link_ *l, struct v23_buf *out,
    const struct v23_now *now)
{
    struct v23_buf *msg = &l->node->ev->msg;
    int rc;

    v23_buf_cut(msg, 0);
    rc = vrpc_conn_output(l->conn, msg, SIZE_MAX, now);
    if (rc != 0 || msg->n == 0)
        return rc;
    rc = vrpc_ws_send(l->ws, msg->p, msg->n, out);
    if (rc != 0)
        v23_buf_cut(out, 0); /* a message is lost: the link must end */
    return rc;
}

static int ws_output(struct vrpc_ev_link_ *l, struct v23_buf *out,
    const struct v23_now *now)
{
    int rc = 0;

    if (vrpc_ws_wants_output(l->ws))
        rc = vrpc_ws_output(l->ws, out);
    while (rc == 0 && out->n < OUT_AT_ONCE && l->conn != NULL &&
        vrpc_conn_wants_output(l->conn))
        rc = put_message(l, out, now);
    return rc;
}

static void ws_bye(struct vrpc_ev_link_ *l)
{
    /* As the reference does. */
    vrpc_ws_close(l->ws, GOING_AWAY, "EOF");
}

static const struct vrpc_ev_wire_ websocket = {
    { true, false, vrpc_ev_link_wake_, vrpc_ev_link_closed_ }, ws_input,
    ws_wants, ws_output, ws_bye };

static int ws_start(struct vrpc_ev_link_ *l, const struct vdl_str *address)
{
    struct vsec_principal *p = vrpc_manager_principal(l->node->m);
    struct vrpc_ws_config cfg = { .engine = p->engine,
        .al = l->node->ev->al, .hooks = &ws_hooks, .ud = l,
        .address = address };
    int rc = vrpc_ws_new(&cfg, &l->ws);

    if (rc == 0)
        vrpc_ev_link_set_wire_(l, &websocket);
    return rc;
}

/* ---- either -------------------------------------------------------------- */

static const struct vrpc_ev_wire_ either;

static int either_input(struct vrpc_ev_link_ *l, uint8_t *p, size_t n,
    const struct v23_now *now, const char **why)
{
    int rc;

    if (p[0] == 'G') {
        vrpc_ev_link_pend_(l, HEADER);
        rc = ws_start(l, NULL);
    } else {
        vrpc_ev_link_set_wire_(l, &plain);
        rc = vrpc_ev_link_opened_(l);
        if (rc != 0)
            vrpc_ev_link_set_wire_(l, &either); /* has no connection */
    }
    return rc != 0 ? rc : l->wire->input(l, p, n, now, why);
}

static bool either_wants(const struct vrpc_ev_link_ *l)
{
    (void)l;
    return false;
}

static int either_output(struct vrpc_ev_link_ *l, struct v23_buf *out,
    const struct v23_now *now)
{
    (void)l;
    (void)out;
    (void)now;
    return 0;
}

static const struct vrpc_ev_wire_ either = {
    { false, false, vrpc_ev_link_wake_, vrpc_ev_link_closed_ }, either_input,
    either_wants, either_output, NULL };

/* ---- protocols ----------------------------------------------------------- */

static const struct vrpc_ev_protocol_ protocols[] = {
    { "", AF_UNSPEC, &plain, &either },
    { "tcp", AF_UNSPEC, &plain, &plain },
    { "tcp4", AF_INET, &plain, &plain },
    { "tcp6", AF_INET6, &plain, &plain },
    { "wsh", AF_UNSPEC, &plain, &either },
    { "wsh4", AF_INET, &plain, &either },
    { "wsh6", AF_INET6, &plain, &either },
    { "ws", AF_UNSPEC, &websocket, &websocket },
    { "ws4", AF_INET, &websocket, &websocket },
    { "ws6", AF_INET6, &websocket, &websocket },
    { "unix", AF_UNIX, &plain, &plain },
};

const struct vrpc_ev_protocol_ *vrpc_ev_protocol_(struct vdl_str name)
{
    size_t i;

    for (i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
        if (vdl_str_is(name, protocols[i].name))
            return &protocols[i];
    return NULL;
}

int vrpc_ev_wire_accept_(struct vrpc_ev_link_ *l)
{
    if (l->wire == &plain)
        return vrpc_ev_link_opened_(l);
    vrpc_ev_link_pend_(l, l->wire == &either ? CLASSIFY : HEADER);
    return l->wire == &either ? 0 : ws_start(l, NULL);
}

int vrpc_ev_wire_dial_(struct vrpc_ev_link_ *l, struct vdl_str address)
{
    return l->wire == &plain ? vrpc_ev_link_opened_(l) : ws_start(l, &address);
}

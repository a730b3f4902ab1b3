/* BSD-3-Clause; see LICENSE. */
/*
 * Websocket frames. wslay reads and writes the frames themselves; what their
 * order means (fragments, control frames between them, who masks) is here.
 * A message is put together in the loop's buffer, and only one that is still
 * incomplete when the input ends is kept in memory of its own.
 */
#include <vrpc/websocket.h>

#include <string.h>

#include <wslay/wslay.h>

#include "upgrade_int.h"

#define CONTROL_MAX 125u   /* payload of a control frame */
#define FRAME_HEAD_MAX 14u
/* Answers to pings that wait for the socket; beyond it pings go unanswered,
 * as RFC 6455 5.5.3 allows. */
#define CONTROL_QUEUE 1024u
#define MASKS 16u          /* fetched at once */

struct vrpc_ws {
    const struct v23_alloc *al;
    struct vsec_engine *engine;
    const struct vrpc_ws_hooks *hooks;
    void *ud;
    wslay_frame_context_ptr frames;
    struct vrpc_upgrade_ upgrade;
    bool server, open, text;
    bool closed;             /* nothing more is sent */
    struct v23_buf control;  /* to be sent before messages */
    struct v23_buf *sink;    /* where frames go */
    /* receiving */
    const uint8_t *p;        /* input not yet given to wslay */
    size_t n;
    struct v23_buf *msg;     /* the message so far: `held` or the scratch */
    struct v23_buf held;
    bool in_message;         /* fragments are to follow */
    uint64_t left;           /* of the frame whose header was checked */
    uint8_t ctl[CONTROL_MAX];
    size_t nctl;
    const char **why;
    uint8_t masks[4 * MASKS];
    size_t nmasks;           /* left */
};

/* ---- wslay's callbacks --------------------------------------------------- */

static ssize_t give(uint8_t *buf, size_t len, int flags, void *ud)
{
    struct vrpc_ws *ws = ud;
    size_t n = ws->n < len ? ws->n : len;

    (void)flags;
    if (n == 0)
        return -1;
    memcpy(buf, ws->p, n);
    ws->p += n;
    ws->n -= n;
    return (ssize_t)n;
}

static ssize_t take(const uint8_t *data, size_t len, int flags, void *ud)
{
    struct vrpc_ws *ws = ud;

    (void)flags;
    v23_buf_put(ws->sink, data, len);
    return ws->sink->err == 0 ? (ssize_t)len : -1;
}

static int new_mask(uint8_t *buf, size_t len, void *ud)
{
    struct vrpc_ws *ws = ud;

    if (ws->nmasks == 0) {
        if (vsec_random_fill(ws->engine, ws->masks, sizeof(ws->masks)) != 0)
            return -1;
        ws->nmasks = MASKS;
    }
    memcpy(buf, ws->masks + 4 * --ws->nmasks, len);
    return 0;
}

/* ---- sending ------------------------------------------------------------- */

static int put_frame(struct vrpc_ws *ws, uint8_t opcode, const void *p,
    size_t n, struct v23_buf *out)
{
    struct wslay_frame_iocb io;
    int rc = v23_buf_room(out, n + FRAME_HEAD_MAX);

    if (rc != 0)
        return rc;
    memset(&io, 0, sizeof(io));
    io.fin = 1;
    io.opcode = opcode;
    io.payload_length = io.data_length = n;
    io.data = p;
    io.mask = !ws->server;
    ws->sink = out;
    /* There is room: only the mask can fail, before anything is written. */
    if (wslay_frame_send(ws->frames, &io) < 0)
        return V23_ECRYPTO;
    return 0;
}

int vrpc_ws_send(struct vrpc_ws *ws, const uint8_t *p, size_t n,
    struct v23_buf *out)
{
    return put_frame(ws, ws->text ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME, p,
        n, out);
}

void vrpc_ws_ping(struct vrpc_ws *ws)
{
    if (ws->open && !ws->closed)
        (void)!put_frame(ws, WSLAY_PING, NULL, 0, &ws->control);
}

void vrpc_ws_close(struct vrpc_ws *ws, unsigned code, const char *why)
{
    uint8_t p[CONTROL_MAX];
    size_t n = strnlen(why, sizeof(p) - 2);

    if (ws->closed || !ws->open)
        return;
    ws->closed = true;
    p[0] = (uint8_t)(code >> 8);
    p[1] = (uint8_t)code;
    memcpy(p + 2, why, n);
    (void)!put_frame(ws, WSLAY_CONNECTION_CLOSE, p, n + 2, &ws->control);
}

bool vrpc_ws_wants_output(const struct vrpc_ws *ws)
{
    return ws->control.n > 0;
}

int vrpc_ws_output(struct vrpc_ws *ws, struct v23_buf *out)
{
    int rc = v23_buf_room(out, ws->control.n);

    if (rc != 0)
        return rc;
    v23_buf_put(out, ws->control.p, ws->control.n);
    v23_buf_fini(&ws->control);
    return 0;
}

/* ---- receiving ----------------------------------------------------------- */

static int violation(struct vrpc_ws *ws, int status, unsigned code,
    const char *why)
{
    vrpc_ws_close(ws, code, why);
    *ws->why = why;
    return status;
}

static int bad_frame(struct vrpc_ws *ws, const char *why)
{
    return violation(ws, V23_EPROTO, WSLAY_CODE_PROTOCOL_ERROR, why);
}

static int check_frame(struct vrpc_ws *ws, const struct wslay_frame_iocb *io)
{
    size_t limit;

    if (io->rsv != 0)
        return bad_frame(ws, "websocket frame with reserved bits");
    if (io->mask != ws->server)
        return bad_frame(ws, ws->server ? "websocket frame is not masked"
                                        : "websocket frame is masked");
    switch (io->opcode) {
    case WSLAY_CONTINUATION_FRAME:
        if (!ws->in_message)
            return bad_frame(ws, "websocket fragment without a beginning");
        break;
    case WSLAY_TEXT_FRAME:
        if (!ws->text)
            return violation(ws, V23_EPROTO, WSLAY_CODE_UNSUPPORTED_DATA,
                "websocket message is text");
        V23_FALLTHROUGH;
    case WSLAY_BINARY_FRAME:
        if (ws->in_message)
            return bad_frame(ws, "websocket message inside another");
        break;
    case WSLAY_CONNECTION_CLOSE:
    case WSLAY_PING:
    case WSLAY_PONG:
        return 0; /* wslay has checked its length and that it is whole */
    default:
        return bad_frame(ws, "unknown websocket frame");
    }
    limit = ws->hooks->limit(ws->ud);
    if (ws->msg->n > limit || io->payload_length > limit - ws->msg->n)
        return violation(ws, V23_EFRAME, WSLAY_CODE_MESSAGE_TOO_BIG,
            "websocket message too long");
    return 0;
}

static int on_close(struct vrpc_ws *ws)
{
    if (ws->nctl == 1)
        return bad_frame(ws, "malformed websocket close");
    if (!ws->closed)
        (void)!put_frame(ws, WSLAY_CONNECTION_CLOSE, ws->ctl,
            ws->nctl < 2 ? 0 : 2, &ws->control);
    ws->closed = true;
    *ws->why = "EOF";
    return V23_ECLOSED;
}

static int on_control(struct vrpc_ws *ws, const struct wslay_frame_iocb *io)
{
    memcpy(ws->ctl + ws->nctl, io->data, io->data_length);
    ws->nctl += io->data_length;
    if (ws->nctl < io->payload_length)
        return 0;
    if (io->opcode == WSLAY_CONNECTION_CLOSE)
        return on_close(ws);
    if (io->opcode == WSLAY_PING && !ws->closed &&
        ws->control.n < CONTROL_QUEUE)
        return put_frame(ws, WSLAY_PONG, ws->ctl, ws->nctl, &ws->control);
    if (io->opcode == WSLAY_PONG && ws->hooks->pong != NULL)
        ws->hooks->pong(ws->ud);
    return 0;
}

static bool is_utf8(const uint8_t *p, size_t n)
{
    size_t i, k;

    for (i = 0; i < n; i += k) {
        /* Mostly it is ASCII, eight at a time. */
        for (k = 0; n - i - k >= 8; k += 8) {
            uint64_t v;

            memcpy(&v, p + i + k, sizeof(v));
            if ((v & UINT64_C(0x8080808080808080)) != 0)
                break;
        }
        if (k == 0)
            k = v23_utf8_next((const char *)p + i, n - i, NULL);
        if (k == 0)
            return false;
    }
    return true;
}

/* A message is complete. */
static int deliver(struct vrpc_ws *ws, struct v23_buf *scratch)
{
    uint8_t none = 0;
    int rc;

    if (ws->text && !is_utf8(ws->msg->p, ws->msg->n))
        return violation(ws, V23_ETEXT, WSLAY_CODE_INVALID_FRAME_PAYLOAD_DATA,
            "websocket message is not UTF-8");
    rc = ws->hooks->message(ws->ud, ws->msg->n == 0 ? &none : ws->msg->p,
        ws->msg->n);
    v23_buf_fini(&ws->held);
    v23_buf_cut(scratch, 0);
    ws->msg = scratch;
    return rc;
}

/* What wslay has read of a frame. */
static int on_piece(struct vrpc_ws *ws, const struct wslay_frame_iocb *io,
    struct v23_buf *scratch)
{
    int rc = 0;

    if (ws->left == 0) {
        rc = check_frame(ws, io);
        if (rc != 0)
            return rc;
        ws->left = io->payload_length;
        ws->nctl = 0;
    }
    ws->left -= io->data_length;
    if (wslay_is_ctrl_frame(io->opcode))
        return on_control(ws, io);
    v23_buf_put(ws->msg, io->data, io->data_length);
    if (ws->msg->err != 0 || ws->left > 0)
        return ws->msg->err;
    ws->in_message = !io->fin;
    return ws->in_message ? 0 : deliver(ws, scratch);
}

static int frames_input(struct vrpc_ws *ws, struct v23_buf *scratch)
{
    struct wslay_frame_iocb io;
    ssize_t r;
    int rc = 0;

    while (rc == 0) {
        r = wslay_frame_recv(ws->frames, &io);
        if (r == WSLAY_ERR_WANT_READ)
            return 0;
        rc = r < 0 ? bad_frame(ws, "malformed websocket frame")
                   : on_piece(ws, &io, scratch);
    }
    return rc;
}

/* Frames. Whatever of a message is left moves out of the scratch buffer. */
static int receive(struct vrpc_ws *ws, struct v23_buf *scratch)
{
    int rc;

    v23_buf_cut(scratch, 0);
    ws->msg = ws->held.n > 0 ? &ws->held : scratch;
    rc = frames_input(ws, scratch);
    if (rc == 0 && ws->msg == scratch && scratch->n > 0) {
        v23_buf_put(&ws->held, scratch->p, scratch->n);
        rc = ws->held.err;
    }
    ws->msg = NULL;
    return rc;
}

int vrpc_ws_input(struct vrpc_ws *ws, const uint8_t *p, size_t n,
    struct v23_buf *scratch, const char **why)
{
    size_t used = 0;
    int rc;

    if (!ws->open) {
        rc = vrpc_upgrade_input_(&ws->upgrade, p, n, &used, &ws->control,
            why);
        if (rc == V23_EAGAIN)
            return 0;
        if (rc == 0) {
            ws->open = true;
            rc = ws->hooks->open(ws->ud);
        }
        if (rc != 0)
            return rc;
    }
    ws->p = p + used;
    ws->n = n - used;
    ws->why = why;
    return receive(ws, scratch);
}

/* ---- life ---------------------------------------------------------------- */

int vrpc_ws_new(const struct vrpc_ws_config *cfg, struct vrpc_ws **out)
{
    const struct wslay_frame_callbacks callbacks = { take, give, new_mask };
    struct vrpc_ws *ws = v23_new(cfg->al, struct vrpc_ws);
    int rc = V23_ENOMEM;

    if (ws == NULL)
        return rc;
    ws->al = cfg->al;
    ws->engine = vsec_engine_ref(cfg->engine);
    ws->hooks = cfg->hooks;
    ws->ud = cfg->ud;
    ws->server = cfg->address == NULL;
    ws->text = cfg->text;
    ws->open = cfg->upgraded;
    v23_buf_init(&ws->control, cfg->al, SIZE_MAX);
    v23_buf_init(&ws->held, cfg->al, SIZE_MAX);
    vrpc_upgrade_init_(&ws->upgrade, cfg->engine, cfg->al, ws->server);
    ws->upgrade.path = cfg->path;
    ws->upgrade.origin = cfg->origin;
    if (wslay_frame_context_init(&ws->frames, &callbacks, ws) == 0)
        rc = ws->server ? 0 : vrpc_upgrade_request_(&ws->upgrade,
            *cfg->address, &ws->control);
    if (rc != 0) {
        vrpc_ws_free(ws);
        return rc;
    }
    *out = ws;
    return 0;
}

void vrpc_ws_free(struct vrpc_ws *ws)
{
    if (ws == NULL)
        return;
    if (ws->frames != NULL)
        wslay_frame_context_free(ws->frames);
    vrpc_upgrade_fini_(&ws->upgrade);
    v23_buf_fini(&ws->control);
    v23_buf_fini(&ws->held);
    vsec_engine_unref(ws->engine);
    v23_put(ws->al, ws);
}

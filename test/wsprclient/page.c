/* BSD-3-Clause; see LICENSE. */
#include "bridge_int.h"
#include "page.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>
#include <event2/util.h>

#include <v23/cmdline.h>
#include <v23/vdl/v.io/x/ref/services/wspr/internal/app/app.vdl.h>
#include <vom/dec.h>
#include <vom/enc.h>
#include <vom/print.h>
#include <vrpc/websocket.h>
#include <vsec/crypto.h>

#define SCRATCH 65536
#define LIMIT (256u << 20)

struct page {
    int fd;
    struct event read;
    struct vrpc_ws *ws;
    const struct page_hooks *hooks;
    void *ud;
    struct v23_buf out, message, text;
    uint64_t next_id;
    bool busy, ended; /* in a callback; to be freed behind it */
    /* what we send */
    struct vom_typeenc te;
    struct vom_enc enc;
    struct v23_buf te_out, payload;
    struct wspr_bridge_ bridge; /* pages have types of their time */
    /* what comes */
    struct vom_typedec *types;
    struct v23_buf type_bytes;
};

/* ---- bytes --------------------------------------------------------------- */

/* A test may wait here: what it sends is little. */
static void write_out(struct page *p)
{
    struct pollfd fd = { .fd = p->fd, .events = POLLOUT };
    size_t at = 0;
    ssize_t k;

    if (vrpc_ws_wants_output(p->ws))
        (void)!vrpc_ws_output(p->ws, &p->out);
    while (at < p->out.n) {
        k = send(p->fd, p->out.p + at, p->out.n - at, MSG_NOSIGNAL);
        if (k >= 0)
            at += (size_t)k;
        else if (errno != EAGAIN || poll(&fd, 1, -1) < 0)
            break; /* reading tells the end */
    }
    v23_buf_cut(&p->out, 0);
}

static void send_text(struct page *p, const struct v23_buf *text)
{
    (void)!vrpc_ws_send(p->ws, text->p, text->n, &p->out);
    write_out(p);
}

static void ended(struct page *p, const char *why)
{
    event_del(&p->read);
    p->hooks->closed(p->ud, p, why);
}

static void on_read(evutil_socket_t fd, short what, void *ud)
{
    static uint8_t bytes[SCRATCH];
    struct page *p = ud;
    const char *why = NULL;
    ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
    int rc;

    (void)what;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        ended(p, n == 0 ? "EOF" : strerror(errno));
        return;
    }
    p->busy = true;
    rc = vrpc_ws_input(p->ws, bytes, (size_t)n, &p->message, &why);
    p->busy = false;
    if (p->ended) {
        page_free(p);
        return;
    }
    write_out(p);
    if (rc != 0)
        ended(p, why != NULL ? why : v23_strerror(rc));
}

/* ---- messages ------------------------------------------------------------ */

/* The uint of which these are the hex digits (3.2); false: it is not whole. */
static bool take_uint(struct vdl_str *s, uint64_t *out)
{
    uint8_t b[9];
    struct v23_buf buf;
    size_t n, i;

    v23_buf_init_fixed(&buf, b, sizeof(b));
    if (s->n < 2 || v23_hex_parse(s->p, 2, &buf) != 0)
        return false;
    n = b[0] < 0x80 ? 0 : 256u - b[0];
    if (n > 8 || s->n < 2 + 2 * n
        || v23_hex_parse(s->p + 2, 2 * n, &buf) != 0)
        return false;
    *out = n == 0 ? b[0] : 0;
    for (i = 0; i < n; i++)
        *out = *out << 8 | b[1 + i];
    *s = vdl_strn(s->p + 2 + 2 * n, s->n - 2 - 2 * n);
    return true;
}

/* A value that stands alone, in hex. */
static int alone(struct vdl_str text, const struct vdl_type *t,
    struct v23_arena *a, void *out)
{
    struct v23_buf b;
    size_t used;
    int rc;

    v23_buf_init(&b, NULL, LIMIT);
    rc = v23_hex_parse(text.p, text.n, &b);
    if (rc == 0)
        rc = vom_decode_single(b.p, b.n, NULL, a, t, out, &used);
    v23_buf_fini(&b);
    return rc;
}

static int add_types(struct page *p, struct vdl_str text)
{
    struct vdl_bytes b = { 0 };
    struct v23_arena a;
    size_t used = 0;
    int rc;

    v23_arena_init(&a, NULL, LIMIT);
    rc = alone(text, &vdl_bytes_desc, &a, &b);
    if (rc == 0) {
        v23_buf_put(&p->type_bytes, b.p, b.n);
        rc = vom_typedec_input(p->types, p->type_bytes.p, p->type_bytes.n,
            &used);
        v23_buf_drop(&p->type_bytes, used);
    }
    v23_arena_fini(&a);
    return rc;
}

static int on_message(void *ud, uint8_t *bytes, size_t n)
{
    struct page *p = ud;
    struct vdl_str s = vdl_strn((char *)bytes, n);
    uint64_t id, kind;

    if (p->ended)
        return 0;
    if (!take_uint(&s, &id) || !take_uint(&s, &kind)) {
        fprintf(stderr, "got \"%.*s\"\n", n > 200 ? 200 : (int)n,
            (char *)bytes);
        return V23_ETEXT;
    }
    if (kind == TYPES)
        return add_types(p, s);
    p->hooks->message(p->ud, p, id, (unsigned)kind, s);
    return 0;
}

static int on_open(void *ud)
{
    struct page *p = ud;

    p->hooks->open(p->ud, p);
    return 0;
}

static size_t on_limit(void *ud)
{
    (void)ud;
    return LIMIT;
}

static const struct vrpc_ws_hooks ws_hooks = { on_open, on_message, on_limit,
    NULL };

/* A payload with the types of the connection. */
static int payload(struct page *p, struct vdl_str hex,
    const struct vdl_type *t, struct v23_arena *a, void *out)
{
    struct vom_dec dec;
    struct vom_msg msg;
    struct v23_buf b;
    size_t used = 0;
    int rc;

    v23_buf_init(&b, NULL, LIMIT);
    vom_dec_init(&dec, NULL, p->types, true);
    rc = v23_hex_parse(hex.p, hex.n, &b);
    if (rc == 0)
        rc = vom_dec_next(&dec, b.p, b.n, &used, &msg);
    if (rc == 0)
        rc = vom_dec_value(&dec, &msg, a, t, out);
    vom_dec_fini(&dec);
    v23_buf_fini(&b);
    return rc;
}

int page_value(struct page *p, unsigned kind, struct vdl_str text,
    struct v23_buf *out)
{
    const struct v23_verror *err = NULL;
    v23_wspr_app_rpc_response response = { 0 };
    struct vdl_str hex = { 0 };
    struct vdl_any item = { 0 };
    struct v23_arena a;
    uint32_t i;
    int rc;

    v23_arena_init(&a, NULL, LIMIT);
    if (kind == FAILURE) {
        rc = alone(text, &vdl_error_desc, &a, &err);
        if (rc == 0 && err != NULL)
            v23_buf_printf(out, "%.*s: %.*s", (int)err->id.n, err->id.p,
                (int)err->msg.n, err->msg.n == 0 ? "" : err->msg.p);
    } else {
        rc = alone(text, &vdl_string_desc, &a, &hex);
        if (rc == 0 && kind == FINAL)
            rc = payload(p, hex, &v23_wspr_app_rpc_response_desc, &a,
                &response);
        else if (rc == 0)
            rc = payload(p, hex, NULL, &a, &item);
        if (rc == 0 && kind != FINAL)
            rc = vdl_print_any(item, out);
        for (i = 0; rc == 0 && i < response.out_args.n; i++) {
            v23_buf_puts(out, i == 0 ? "" : " ");
            rc = vdl_print_any(response.out_args.v[i], out);
        }
    }
    v23_arena_fini(&a);
    return rc;
}

/* ---- calls --------------------------------------------------------------- */

static void put_frame(struct page *p, uint64_t id, int kind,
    const struct v23_buf *data)
{
    v23_buf_cut(&p->text, 0);
    v23_buf_printf(&p->text, "{\"id\":%llu,\"data\":\"",
        (unsigned long long)id);
    if (data != NULL)
        v23_hex_put(&p->text, data->p, data->n);
    v23_buf_printf(&p->text, "\",\"type\":%d}", kind);
    send_text(p, &p->text);
}

const char *page_request(struct page *p, const char *name, const char *method,
    const struct vdl_any *args, size_t n, int nresults, bool streaming)
{
    v23_wspr_app_rpc_request r = { .name = vdl_str(name),
        .method = vdl_str(method), .num_in_args = (int32_t)n,
        .num_out_args = nresults, .is_streaming = streaming };
    struct vdl_any any = { &v23_wspr_app_rpc_request_desc, &r };
    struct v23_arena a;
    size_t i;
    int rc;

    r.deadline.no_deadline = true;
    v23_buf_cut(&p->payload, 0);
    p->enc.started = false;
    v23_arena_init(&a, NULL, SIZE_MAX);
    rc = wspr_bridge_value_(&p->bridge, &a, any, &any);
    if (rc == 0)
        rc = vom_encode(&p->enc, &vdl_any_desc, &any);
    v23_arena_fini(&a);
    for (i = 0; rc == 0 && i < n; i++)
        rc = vom_encode(&p->enc, &vdl_any_desc, &args[i]);
    if (rc != 0) {
        v23_error("cannot encode the request: %s", v23_strerror(rc));
        return NULL;
    }
    if (p->te_out.n > 0)
        put_frame(p, 0, 23, &p->te_out);
    v23_buf_cut(&p->te_out, 0);
    v23_buf_cut(&p->text, 0);
    v23_hex_put(&p->text, p->payload.p, p->payload.n);
    return v23_buf_cstr(&p->text);
}

uint64_t page_call(struct page *p, const char *request)
{
    struct v23_buf text;
    uint64_t id = p->next_id;

    p->next_id += 2;
    v23_buf_init(&text, NULL, LIMIT);
    v23_buf_printf(&text, "{\"id\":%llu,\"data\":\"%s\",\"type\":0}",
        (unsigned long long)id, request);
    send_text(p, &text);
    v23_buf_fini(&text);
    return id;
}

void page_cancel(struct page *p, uint64_t id)
{
    put_frame(p, id, 17, NULL);
}

/* ---- life ---------------------------------------------------------------- */

static int dial(const char *address)
{
    struct sockaddr_storage sa;
    int n = sizeof(sa), fd, one = 1;

    if (evutil_parse_sockaddr_port(address, (struct sockaddr *)&sa, &n) != 0)
        return -1;
    fd = socket(sa.ss_family, SOCK_STREAM, 0);
    if (fd >= 0
        && connect(fd, (struct sockaddr *)&sa, (socklen_t)n) != 0) {
        close(fd);
        return -1;
    }
    /* As browsers do it. */
    if (fd >= 0)
        (void)setsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &one,
            sizeof(one));
    return fd;
}

int page_open(struct event_base *base, struct vsec_engine *e,
    const struct page_place *at, const struct page_hooks *hooks, void *ud,
    struct page **out)
{
    struct vdl_str host = vdl_str(at->address);
    struct page *p = v23_new(NULL, struct page);
    struct vrpc_ws_config cfg = { .engine = e, .hooks = &ws_hooks,
        .ud = p, .address = &host, .path = at->path, .origin = at->origin,
        .text = true };

    if (p == NULL)
        return v23_error("out of memory");
    p->hooks = hooks;
    p->ud = ud;
    p->next_id = 1;
    v23_buf_init(&p->out, NULL, LIMIT);
    v23_buf_init(&p->message, NULL, LIMIT);
    v23_buf_init(&p->text, NULL, LIMIT);
    v23_buf_init(&p->te_out, NULL, LIMIT);
    v23_buf_init(&p->payload, NULL, LIMIT);
    v23_buf_init(&p->type_bytes, NULL, LIMIT);
    vom_typeenc_init(&p->te, NULL, &p->te_out);
    wspr_bridge_init_(&p->bridge, NULL, NULL);
    vom_enc_init(&p->enc, &p->te, &p->payload);
    p->fd = dial(at->address);
    if (p->fd < 0 || vrpc_ws_new(&cfg, &p->ws) != 0
        || vom_typedec_new(NULL, NULL, &p->types) != 0
        || evutil_make_socket_nonblocking(p->fd) != 0) {
        v23_error("cannot connect to %s: %s", at->address, strerror(errno));
        page_free(p);
        return 1;
    }
    event_assign(&p->read, base, p->fd, EV_READ | EV_PERSIST, on_read, p);
    event_add(&p->read, NULL);
    write_out(p);
    *out = p;
    return 0;
}

void page_close(struct page *p)
{
    vrpc_ws_close(p->ws, 1000, "");
    write_out(p);
}

void page_free(struct page *p)
{
    if (p == NULL)
        return;
    if (p->busy) {
        p->ended = true;
        return;
    }
    if (p->fd >= 0) {
        if (event_initialized(&p->read))
            event_del(&p->read);
        close(p->fd);
    }
    vrpc_ws_free(p->ws);
    vom_typedec_unref(p->types);
    vom_enc_fini(&p->enc);
    vom_typeenc_fini(&p->te);
    wspr_bridge_fini_(&p->bridge);
    v23_buf_fini(&p->out);
    v23_buf_fini(&p->message);
    v23_buf_fini(&p->text);
    v23_buf_fini(&p->te_out);
    v23_buf_fini(&p->payload);
    v23_buf_fini(&p->type_bytes);
    v23_put(NULL, p);
}

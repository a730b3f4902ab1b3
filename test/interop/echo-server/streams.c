/* BSD-3-Clause; see LICENSE. */
/*
 * Methods with streams. When the client reads slowly, what is to be sent is
 * kept (one item) and the client's own items are held back.
 */
#include "server.h"

#include <vom/value.h>
#include <vrpc/verror.h>

static struct echo_server *server_of(void *self)
{
    struct echo_object *o = self;

    return o->server;
}

static const struct v23_verror *out_of_memory(struct vrpc_server_call *call)
{
    return vrpc_err_make(vrpc_server_call_arena(call),
        vrpc_server_call_errctx(call), VRPC_ERR_INTERNAL, "out of memory");
}

/* ---- both ways ----------------------------------------------------------- */

/* An echo in progress; lives in the call's arena. */
struct echoing {
    struct echo_server *server;
    const struct vdl_type *type;  /* of the items */
    int64_t result;               /* items, or bytes */
    struct v23_arena held_arena;  /* of `held` */
    void *held;                   /* item to be sent, or NULL */
};

static void echoing_end(struct echoing *e, struct vrpc_server_call *call,
    const struct v23_verror *err)
{
    echo_echo_stream_echo_out out;

    out.result = e->result;
    v23_arena_fini(&e->held_arena);
    (void)vrpc_server_call_reply(call, err, &out);
}

static void abandoned(void *ud, struct vrpc_server_call *call, int reason)
{
    struct echoing *e = ud;

    e->server->count.cancels++;
    echoing_end(e, call, echo_gone(call, reason));
}

static void send_held(void *ud, struct vrpc_server_call *call)
{
    struct echoing *e = ud;

    if (e->held == NULL || vrpc_server_call_send(call, e->held) == V23_EAGAIN)
        return;
    e->held = NULL;
    v23_arena_reset(&e->held_arena);
    vrpc_server_call_pause(call, false);
}

static const struct v23_verror *echoing_start(void *self,
    struct vrpc_server_call *call, const struct vdl_type *type)
{
    struct echoing *e = v23_arena_new(vrpc_server_call_arena(call),
        struct echoing);

    echo_enter(server_of(self), call);
    if (e == NULL)
        return out_of_memory(call);
    e->server = server_of(self);
    e->type = type;
    v23_arena_init(&e->held_arena, NULL, SIZE_MAX);
    vrpc_server_call_set_data(call, e);
    vrpc_server_call_on_cancel(call, abandoned, e);
    vrpc_server_call_on_writable(call, send_held, e);
    return &vrpc_pending;
}

static void echoing_item(struct vrpc_server_call *call, const void *item,
    int64_t counts)
{
    struct echoing *e = vrpc_server_call_data(call);
    int rc;

    if (item == NULL) {
        echoing_end(e, call, NULL);
        return;
    }
    e->result += counts;
    rc = vrpc_server_call_send(call, item);
    if (rc != V23_EAGAIN)
        return; /* when nobody listens any more, `abandoned` is next */
    e->held = v23_arena_get0(&e->held_arena, 1, e->type->size, 16);
    if (e->held == NULL
        || vdl_copy(&e->held_arena, e->type, e->held, item) != 0)
        echoing_end(e, call, out_of_memory(call));
    else
        vrpc_server_call_pause(call, true);
}

const struct v23_verror *echo_stream_echo(void *self,
    struct vrpc_server_call *call, echo_echo_stream_echo_out *out)
{
    (void)out;
    return echoing_start(self, call, &vdl_any_desc);
}

void echo_stream_echo_item(void *self, struct vrpc_server_call *call,
    const struct vdl_any *item)
{
    (void)self;
    echoing_item(call, item, 1);
}

const struct v23_verror *echo_stream_echo_bytes(void *self,
    struct vrpc_server_call *call, echo_echo_stream_echo_bytes_out *out)
{
    (void)out;
    return echoing_start(self, call, &vdl_bytes_desc);
}

void echo_stream_echo_bytes_item(void *self, struct vrpc_server_call *call,
    const struct vdl_bytes *item)
{
    (void)self;
    echoing_item(call, item, item == NULL ? 0 : (int64_t)item->n);
}

/* ---- up ------------------------------------------------------------------ */

struct summing {
    struct echo_server *server;
    echo_echo_stream_sum_out out;
};

static void sum_abandoned(void *ud, struct vrpc_server_call *call, int reason)
{
    struct summing *s = ud;

    s->server->count.cancels++;
    (void)echo_echo_stream_sum_reply(call, echo_gone(call, reason), NULL);
}

const struct v23_verror *echo_stream_sum(void *self,
    struct vrpc_server_call *call, echo_echo_stream_sum_out *out)
{
    struct summing *s = v23_arena_new(vrpc_server_call_arena(call),
        struct summing);

    (void)out;
    echo_enter(server_of(self), call);
    if (s == NULL)
        return out_of_memory(call);
    s->server = server_of(self);
    vrpc_server_call_set_data(call, s);
    vrpc_server_call_on_cancel(call, sum_abandoned, s);
    return &vrpc_pending;
}

void echo_stream_sum_item(void *self, struct vrpc_server_call *call,
    const int64_t *item)
{
    struct summing *s = vrpc_server_call_data(call);

    (void)self;
    if (item == NULL) {
        (void)echo_echo_stream_sum_reply(call, NULL, &s->out);
        return;
    }
    /* As two's complement, whatever the client sends. */
    s->out.sum = (int64_t)((uint64_t)s->out.sum + (uint64_t)*item);
    s->out.n++;
}

/* ---- down ---------------------------------------------------------------- */

/* Items being sent: numbers, or always the same chunk. */
struct sending {
    int32_t next, n;
    const struct vdl_bytes *chunk;  /* NULL: numbers */
    const struct v23_verror *err;   /* outcome */
};

/* Send while there is room. V23_EAGAIN: more later. */
static int send_more(struct sending *s, struct vrpc_server_call *call)
{
    int rc;

    while (s->next < s->n) {
        rc = s->chunk != NULL ? vrpc_server_call_send(call, s->chunk)
                              : vrpc_server_call_send(call, &s->next);
        if (rc != 0)
            return rc;
        s->next++;
    }
    return 0;
}

static const struct v23_verror *outcome(const struct sending *s,
    struct vrpc_server_call *call, int rc)
{
    return rc == 0 ? s->err
                   : vrpc_err_make(vrpc_server_call_arena(call),
                         vrpc_server_call_errctx(call),
                         vrpc_err_of_status(rc), "cannot send: %s",
                         v23_strerror(rc));
}

static void room(void *ud, struct vrpc_server_call *call)
{
    struct sending *s = ud;
    int rc = send_more(s, call);

    /* With nobody listening the end comes through nobody_reads(). */
    if (rc != V23_EAGAIN && rc != V23_ECLOSED)
        (void)vrpc_server_call_reply(call, outcome(s, call, rc), NULL);
}

static void nobody_reads(void *ud, struct vrpc_server_call *call, int reason)
{
    (void)ud;
    (void)vrpc_server_call_reply(call, echo_gone(call, reason), NULL);
}

static const struct v23_verror *sending_start(struct vrpc_server_call *call,
    const struct sending *what)
{
    struct sending *s = v23_arena_new(vrpc_server_call_arena(call),
        struct sending);
    int rc;

    if (s == NULL)
        return out_of_memory(call);
    *s = *what;
    rc = send_more(s, call);
    if (rc != V23_EAGAIN)
        return outcome(s, call, rc);
    vrpc_server_call_on_writable(call, room, s);
    vrpc_server_call_on_cancel(call, nobody_reads, s);
    return &vrpc_pending;
}

const struct v23_verror *echo_stream_count(void *self,
    struct vrpc_server_call *call, const echo_echo_stream_count_in *in)
{
    struct sending s = { 0, in->n, NULL, NULL };

    echo_enter(server_of(self), call);
    return sending_start(call, &s);
}

const struct v23_verror *echo_stream_bytes(void *self,
    struct vrpc_server_call *call, const echo_echo_stream_bytes_in *in)
{
    struct v23_arena *a = vrpc_server_call_arena(call);
    struct sending s = { 0, in->n, NULL, NULL };
    struct vdl_bytes *chunk = v23_arena_new(a, struct vdl_bytes);
    uint32_t size = in->size < 0 ? 0 : (uint32_t)in->size, i;
    uint8_t *p = v23_arena_get(a, size, 1);

    echo_enter(server_of(self), call);
    if (in->size < 0)
        return vrpc_err_make(a, vrpc_server_call_errctx(call),
            VRPC_ERR_BAD_ARG, "bad argument: negative size");
    if (chunk == NULL || p == NULL)
        return out_of_memory(call);
    for (i = 0; i < size; i++)
        p[i] = (uint8_t)i;
    *chunk = vdl_bytes(p, size);
    s.chunk = chunk;
    return sending_start(call, &s);
}

const struct v23_verror *echo_stream_fail(void *self,
    struct vrpc_server_call *call, const echo_echo_stream_fail_in *in)
{
    struct sending s = { 0, in->n, NULL, NULL };

    echo_enter(server_of(self), call);
    s.err = echo_fail(server_of(self), call, in->kind);
    return sending_start(call, &s);
}

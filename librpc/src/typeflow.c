/* BSD-3-Clause; see LICENSE. */
/*
 * Type flows: the type messages of all calls of one side over one connection
 * (spec/rpc.md 16.2). New types are encoded into a buffer of our own and given
 * to the flow whole, so that a shut window delays them but never splits the
 * id table from what was sent; the peer waits for a type it lacks.
 */
#include "rpc_int.h"

#include <string.h>

#define TYPE_FLOW_BYTE 't'
#define OUT_MAX (1u << 20) /* type messages waiting for the window */

static struct vrpc_types_ *types_of(struct vrpc_user_ *u)
{
    return (struct vrpc_types_ *)u;
}

/* Let the streams that lack a type try again. */
static void wake_waiters(struct vrpc_types_ *t)
{
    struct vrpc_stream_ *list = t->waiters, *s;

    t->waiters = NULL;
    if (list != NULL)
        list->wait_link = &list;
    while ((s = list) != NULL) {
        vrpc_stream_unwait_(s);
        s->user.ops->readable(&s->user);
    }
}

static void types_readable(struct vrpc_user_ *u)
{
    struct vrpc_types_ *t = types_of(u);
    struct v23_bytes b;
    size_t used = 0, before = vom_typedec_count(t->dec);

    if (t->err != 0 || t->flow == NULL)
        return;
    if (vrpc_flow_peek(t->flow, &b) != 0)
        return;
    t->err = vom_typedec_input(t->dec, b.p, b.n, &used);
    if (used > 0)
        vrpc_flow_consume(t->flow, used);
    if (t->err != 0 || vom_typedec_count(t->dec) != before)
        wake_waiters(t);
}

static void types_writable(struct vrpc_user_ *u)
{
    struct vrpc_types_ *t = types_of(u);

    if (t->out.n > 0 && t->flow != NULL &&
        vrpc_flow_write(t->flow, t->out.p, t->out.n) == 0)
        v23_buf_fini(&t->out); /* new types are rare */
}

static void types_closed(struct vrpc_user_ *u, int status)
{
    struct vrpc_types_ *t = types_of(u);

    types_readable(u); /* what came before the close */
    if (t->err == 0)
        t->err = status == 0 ? V23_ECLOSED : status;
    if (t->flow != NULL) {
        vrpc_flow_close(t->flow);
        t->flow = NULL;
    }
    wake_waiters(t);
}

static const struct vrpc_user_ops_ types_ops = { types_readable,
    types_writable, types_closed };

static int types_new(struct vrpc_session_ *s, struct vrpc_types_ **out)
{
    const struct v23_alloc *al = s->m->al;
    struct vrpc_types_ *t = v23_new(al, struct vrpc_types_);
    struct vom_options opt = vom_options_host;
    int rc;

    if (t == NULL)
        return V23_ENOMEM;
    /* Peers that pass on an any without looking into it may have forgotten
     * the lengths of those inside. Nothing depends on them. */
    opt.lax_any_lengths = true;
    opt.known = s->m->known;
    rc = vom_typedec_new(al, &opt, &t->dec);
    if (rc != 0) {
        v23_put(al, t);
        return rc;
    }
    t->user.ops = &types_ops;
    t->session = s;
    v23_buf_init(&t->out, al, OUT_MAX);
    vom_typeenc_init(&t->enc, al, &t->out);
    vom_enc_init(&t->values, &t->enc, &t->out);
    *out = t;
    return 0;
}

void vrpc_types_free_(struct vrpc_types_ *t)
{
    const struct v23_alloc *al;

    if (t == NULL)
        return;
    al = t->session->m->al;
    if (t->flow != NULL)
        vrpc_flow_cancel(t->flow);
    vom_enc_fini(&t->values);
    vom_typeenc_fini(&t->enc);
    v23_buf_fini(&t->out);
    vom_typedec_unref(t->dec);
    v23_put(al, t);
}

int vrpc_types_open_(struct vrpc_session_ *s)
{
    static const uint8_t first = TYPE_FLOW_BYTE;
    struct vrpc_flow_opts opts;
    struct vrpc_types_ *t;
    int rc;

    rc = types_new(s, &t);
    if (rc != 0)
        return rc;
    memset(&opts, 0, sizeof(opts));
    opts.side_channel = true;
    opts.ud = &t->user;
    rc = vrpc_flow_open(s->conn, &opts, &t->flow);
    if (rc == 0)
        rc = vrpc_flow_write(t->flow, &first, 1);
    if (rc != 0) {
        vrpc_types_free_(t);
        return rc;
    }
    s->ctypes = t;
    return 0;
}

int vrpc_types_accept_(struct vrpc_session_ *s, struct vrpc_flow *f)
{
    struct vrpc_types_ *t;
    int rc = types_new(s, &t);

    if (rc != 0)
        return rc;
    t->flow = f;
    vrpc_flow_set_ud(f, &t->user);
    s->stypes = t;
    return 0;
}

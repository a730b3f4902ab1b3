/* BSD-3-Clause; see LICENSE. */
/* Encoder: the writer's slow parts. */
#include "enc_int.h"

static uint8_t *use_out(struct vom_wr_ *w)
{
    struct v23_buf *b = w->out;

    w->base = b->p;
    w->flushed = 0;
    w->end = b->p == NULL ? NULL : b->p + (b->cap < b->max ? b->cap : b->max);
    return b->p == NULL ? NULL : b->p + b->n;
}

uint8_t *vom_wr_init_(struct vom_wr_ *w, struct v23_buf *out, struct vom_enc *e)
{
    w->out = out;
    w->e = e;
    w->typed = NULL;
    w->depth = VOM_ENC_DEPTH_;
    w->err = 0;
    w->nrecent = 0;
    w->set = false;
    return use_out(w);
}

int vom_wr_flush_small_(struct vom_wr_ *w, uint8_t *p)
{
    v23_buf_put(w->out, w->small, (size_t)(p - w->small));
    w->flushed = w->out->n;
    return w->out->err;
}

uint8_t *vom_wr_grow_(struct vom_wr_ *w, uint8_t *p, size_t n)
{
    struct v23_buf *b = w->out;

    w->err = vom_wr_flush_(w, p);
    if (w->err != 0)
        return NULL;
    if (n <= vom_wr_most_(b) - b->n) {
        w->err = v23_buf_room(b, n);
        p = use_out(w);
        return w->err == 0 ? p : NULL;
    }
    w->base = w->small;
    w->end = w->small + sizeof(w->small);
    w->flushed = b->n;
    return w->small;
}

uint8_t *vom_wr_bytes_slow_(
    struct vom_wr_ *w, uint8_t *p, const void *from, size_t n)
{
    w->err = vom_wr_flush_(w, p);
    if (w->err != 0)
        return NULL;
    v23_buf_put(w->out, from, n);
    w->err = w->out->err;
    p = use_out(w);
    return w->err == 0 ? p : NULL;
}

uint8_t *vom_wr_rewind_(struct vom_wr_ *w, size_t pos)
{
    if (pos >= w->flushed)
        return w->base + (pos - w->flushed);
    w->out->n = pos;
    w->flushed = pos;
    return w->base;
}

int vom_put_length_(struct v23_buf *b, size_t body)
{
    size_t size = b->n - body, more;
    uint8_t len[VOM_UINT_MAX_];
    int rc;

    if (size > VOM_LENGTH_MAX_)
        return V23_ELIMIT;
    more = vom_put_uint(len, size) - 1;
    if (more != 0) {
        rc = v23_buf_room(b, more);
        if (rc != 0)
            return rc;
        memmove(b->p + body + more, b->p + body, size);
        b->n += more;
    }
    memcpy(b->p + body - 1, len, more + 1);
    return 0;
}

/* BSD-3-Clause; see LICENSE. */
/*
 * The dumper: collects the bytes of a message, has them walked over, keeps the
 * types, writes the lines of status.
 */
#include "dump_int.h"

#include <vom/value.h>

#include "prim_int.h"

/* Bytes taken at once: what a line of status shows as not consumed. */
#define SLICE 4096
#define LINE_MAX_ ((size_t)1 << 31)
#define FLUSHED 1 /* not an error of the stream */

static const uint8_t version_byte = 0x81;

/* ---- types --------------------------------------------------------------- */

/* A type stream of what was accepted so far. */
static int types_restart(struct vom_dumper *d)
{
    struct vom_options opt = vom_options_host;
    struct vom_typedec *types;
    size_t used;
    int rc;

    opt.limits.message = VOM_LENGTH_MAX_;
    opt.lax_any_lengths = true;
    rc = vom_typedec_new(d->al, &opt, &types);

    if (rc != 0)
        return rc;
    rc = vom_typedec_input(types, d->stream.p, d->stream.n, &used);
    if (rc != 0) {
        vom_typedec_unref(types);
        return rc;
    }
    vom_typedec_unref(d->types);
    d->types = types;
    return 0;
}

static int types_add(struct vom_dumper *d, const uint8_t *p, size_t n)
{
    size_t used;
    int rc, rc2;

    /* First the copy, so that nothing is accepted that cannot be kept. */
    v23_buf_put(&d->stream, p, n);
    rc = d->stream.err;
    if (rc != 0) {
        v23_buf_cut(&d->stream, d->stream.n);
        return rc;
    }
    rc = vom_typedec_input(d->types, p, n, &used);
    if (rc == 0 && used != n)
        rc = V23_ELENGTH;
    if (rc != 0) {
        v23_buf_cut(&d->stream, d->stream.n - n);
        rc2 = types_restart(d);
        if (rc2 != 0)
            rc = rc2;
    }
    return rc;
}

/* ---- status -------------------------------------------------------------- */

/* Append the text of the value of a message. */
static int put_value(struct vom_dumper *d, const uint8_t *p, size_t n,
    struct v23_buf *out)
{
    struct vdl_any v = { NULL, NULL };
    struct v23_arena arena;
    struct v23_buf stream;
    struct vom_msg msg;
    struct vom_dec dec;
    size_t used;
    int rc;

    v23_arena_init(&arena, d->al, SIZE_MAX);
    v23_buf_init(&stream, d->al, SIZE_MAX);
    vom_dec_init(&dec, d->al, d->types, true);
    v23_buf_put_byte(&stream, version_byte);
    v23_buf_put(&stream, p, n);
    rc = stream.err;
    if (rc == 0)
        rc = vom_dec_next(&dec, stream.p, stream.n, &used, &msg);
    if (rc == 0)
        rc = vom_dec_value(&dec, &msg, &arena, NULL, &v);
    if (rc == V23_EAGAIN)
        rc = V23_EID; /* a type that is not there */
    if (rc == 0 && v.type == NULL)
        v23_buf_puts(out, "any(nil)");
    else if (rc == 0)
        rc = vdl_format(v.type, v.val, true, out);
    vom_dec_fini(&dec);
    v23_buf_fini(&stream);
    v23_arena_fini(&arena);
    return rc;
}

/* Write the line of status. `value`: text, n == 0: none. */
static int put_status(struct vom_dumper *d, const struct v23_buf *value,
    bool done, int err)
{
    const struct vom_walk_ *w = &d->at;
    size_t left = (size_t)(w->end - w->p);
    struct v23_buf *line = &d->line;
    int rc;

    v23_buf_cut(line, 0);
    v23_buf_printf(line, "DumpStatus{MsgId: %lld", (long long)w->id);
    if (w->len != 0)
        v23_buf_printf(line, ", MsgLen: %llu", (unsigned long long)w->len);
    if (w->count != 0)
        v23_buf_printf(line, ", MsgN: %zu", w->count);
    if (left != 0) {
        v23_buf_printf(line, ", Buf(%zu): \"", left);
        v23_hex_put(line, w->p, left);
        v23_buf_put_byte(line, '"');
    }
    if (!done && w->waiting != NULL)
        v23_buf_printf(line, ", Debug: \"%s\"", w->waiting);
    if (value != NULL && value->n != 0) {
        v23_buf_puts(line, ", Value: ");
        v23_buf_put(line, value->p, value->n);
    }
    if (err != 0)
        v23_buf_printf(line, ", Err: %s",
            err == FLUSHED ? "vom: Dumper flushed" : v23_strerror(err));
    v23_buf_puts(line, "}\n");
    rc = line->err;
    if (rc == 0)
        d->write(d->ud, (const char *)line->p, line->n);
    v23_buf_cut(line, 0);
    return rc;
}

/* ---- passes -------------------------------------------------------------- */

/* Pass over the message that begins at d->in[at]. */
static int pass(struct vom_dumper *d, size_t at)
{
    struct vom_walk_ *w = &d->at;

    memset(w, 0, sizeof(*w));
    w->d = d;
    w->begin = w->p = w->atom = d->in.p == NULL ? &version_byte
                                                : d->in.p + at;
    w->end = w->begin + (d->in.n - at);
    w->limit = UINT64_MAX;
    return vom_walk_message_(w);
}

/* A message has been walked over: take it in. */
static int finish(struct vom_dumper *d)
{
    const struct vom_walk_ *w = &d->at;
    size_t n = (size_t)(w->p - w->begin);
    struct v23_buf value;
    int rc = 0, rc2;

    v23_buf_init(&value, d->al, LINE_MAX_);
    if (w->id == 0)
        d->version = true;
    else if (w->id < 0)
        rc = types_add(d, w->begin, n);
    else
        rc = put_value(d, w->begin, n, &value);
    rc2 = put_status(d, &value, rc == 0, rc);
    v23_buf_fini(&value);
    return rc != 0 ? rc : rc2;
}

static void forget(struct vom_dumper *d, size_t n)
{
    v23_buf_drop(&d->in, n);
    d->emitted = 0;
    d->again = 0;
}

static int run(struct vom_dumper *d)
{
    size_t at = 0;
    int rc = 0;

    while (at < d->in.n) {
        rc = pass(d, at);
        if (rc == 0)
            rc = finish(d);
        else if (rc != V23_EAGAIN && put_status(d, NULL, false, rc) != 0)
            rc = V23_ENOMEM;
        if (rc != 0)
            break;
        at += (size_t)(d->at.p - d->at.begin);
        d->emitted = 0;
    }
    if (rc == V23_EAGAIN) {
        v23_buf_drop(&d->in, at);
        d->again = d->in.n + d->in.n / 4;
        return 0;
    }
    forget(d, rc == 0 ? at : d->in.n);
    return rc;
}

/* ---- interface ----------------------------------------------------------- */

int vom_dumper_input(struct vom_dumper *d, const uint8_t *p, size_t n)
{
    size_t slice;
    int rc = 0;

    for (; n != 0 && rc == 0; p += slice, n -= slice) {
        slice = n < SLICE ? n : SLICE;
        v23_buf_put(&d->in, p, slice);
        if (d->in.err != 0)
            rc = d->in.err;
        else if (d->in.n <= SLICE || d->in.n >= d->again)
            rc = run(d);
    }
    if (rc != 0) {
        v23_buf_cut(&d->in, 0);
        forget(d, 0);
    }
    return rc;
}

/* Bring d->at up to date. */
static int look(struct vom_dumper *d)
{
    int rc = pass(d, 0);

    /* Complete messages and errors have been dealt with on input, but for
     * those of messages that had not grown enough. */
    if (rc == V23_EAGAIN)
        return 0;
    rc = run(d);
    if (rc == 0)
        rc = pass(d, 0);
    return rc == V23_EAGAIN ? 0 : rc;
}

int vom_dumper_status(struct vom_dumper *d)
{
    int rc = look(d);

    return rc == 0 ? put_status(d, NULL, false, 0) : rc;
}

int vom_dumper_flush(struct vom_dumper *d)
{
    int rc = look(d);

    if (rc == 0 && (d->at.len != 0 || d->at.count != 0))
        rc = put_status(d, NULL, false, FLUSHED);
    forget(d, d->in.n);
    return rc;
}

int vom_dumper_new(const struct v23_alloc *al,
    void (*write)(void *ud, const char *text, size_t n), void *ud,
    struct vom_dumper **out)
{
    struct vom_dumper *d = v23_new(al, struct vom_dumper);
    int rc;

    if (d == NULL)
        return V23_ENOMEM;
    d->al = al;
    d->write = write;
    d->ud = ud;
    v23_buf_init(&d->in, al, SIZE_MAX);
    v23_buf_init(&d->stream, al, SIZE_MAX);
    v23_buf_init(&d->data, al, LINE_MAX_);
    v23_buf_init(&d->debug, al, LINE_MAX_);
    v23_buf_init(&d->line, al, LINE_MAX_);
    v23_buf_put_byte(&d->stream, version_byte);
    rc = d->stream.err;
    if (rc == 0)
        rc = types_restart(d);
    if (rc != 0) {
        vom_dumper_free(d);
        return rc;
    }
    *out = d;
    return 0;
}

void vom_dumper_free(struct vom_dumper *d)
{
    if (d == NULL)
        return;
    vom_typedec_unref(d->types);
    v23_buf_fini(&d->in);
    v23_buf_fini(&d->stream);
    v23_buf_fini(&d->data);
    v23_buf_fini(&d->debug);
    v23_buf_fini(&d->line);
    v23_put(d->al, d->ref_types);
    v23_put(d->al, d->ref_lens);
    v23_put(d->al, d);
}

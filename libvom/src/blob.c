/* BSD-3-Clause; see LICENSE. */
/* Streams of one value whose type messages are a constant. */
#include <vom/blob.h>

#include "dec_int.h"
#include "enc_int.h"

/* ---- encoding ------------------------------------------------------------ */

int vom_blob_encode(
    const struct vom_blob *b, const void *v, struct v23_buf *out)
{
    bool has_length = vdl_type_has_length(b->type);
    size_t start = out->n, body;
    struct vom_wr_ w;
    uint8_t *p;
    int rc;

    if (out->err != 0)
        return out->err;
    v23_buf_put(out, b->p, b->n);
    vom_buf_put_uint(out, vom_zigzag_(b->id));
    if (has_length)
        v23_buf_put_byte(out, 0);
    body = out->n;
    rc = out->err;
    if (rc == 0) {
        p = vom_wr_init_(&w, out, NULL);
        p = vom_enc_value_(&w, p, b->type, v);
        rc = p == NULL ? w.err : vom_wr_flush_(&w, p);
    }
    if (rc == 0 && has_length)
        rc = vom_put_length_(out, body);
    if (rc != 0)
        v23_buf_cut(out, start);
    return rc;
}

/* ---- decoding ------------------------------------------------------------ */

/* The constant part and the id. */
static int check_types(const struct vom_blob *b, struct vom_rd_ *r)
{
    size_t n = (size_t)(r->end - r->p);
    uint64_t id;
    int rc;

    if (*r->p != VOM_VERSION)
        return V23_EVERSION;
    if (memcmp(r->p, b->p, n < b->n ? n : b->n) != 0)
        return V23_ECOMPAT;
    if (n < b->n)
        return V23_EEOF;
    r->p += b->n;
    rc = vom_rd_uint_(r, &id);
    if (rc != 0)
        return rc;
    return id == vom_zigzag_(b->id) ? 0 : V23_ECOMPAT;
}

/* Let the reader end with the value. */
static int set_end(struct vom_rd_ *r, const struct vdl_type *t)
{
    uint64_t len;
    int rc;

    if (!vdl_type_has_length(t))
        return 0;
    rc = vom_rd_uint_(r, &len);
    if (rc != 0)
        return rc;
    if (len > VOM_LENGTH_MAX_)
        return V23_ELENGTH;
    if (len > (size_t)(r->end - r->p))
        return V23_EEOF;
    r->end = r->p + len;
    return 0;
}

int vom_blob_decode(const struct vom_blob *b, struct v23_bytes stream,
    struct v23_arena *a, void *out, size_t *used)
{
    const struct vdl_type *t = b->type;
    const uint8_t *end;
    struct v23_arena_mark mark;
    struct v23_arena none;
    struct vom_rd_ r;
    uint8_t nothing;
    int rc;

    if (stream.n == 0)
        return V23_EEOF;
    memset(&r, 0, sizeof(r));
    if (a == NULL) {
        v23_arena_init_fixed(&none, &nothing, 0);
        a = &none;
        r.bare = true;
    }
    end = stream.p + stream.n;
    r.p = stream.p;
    r.end = end;
    r.a = a;
    r.again = stream.n * 16 + t->size;
    r.depth = VOM_BLOB_DEPTH;
    mark = v23_arena_mark(a);
    rc = check_types(b, &r);
    if (rc == 0)
        rc = set_end(&r, t);
    if (rc == 0) {
        vom_rd_reset_(t, out);
        rc = vom_dec_same_(&r, t, out);
    }
    if (rc == 0 && vdl_type_has_length(t) && r.p != r.end)
        rc = V23_ELENGTH;
    if (rc == 0 && used == NULL && r.p != end)
        rc = V23_ELENGTH;
    if (rc != 0)
        v23_arena_rewind(a, mark);
    else if (used != NULL)
        *used = (size_t)(r.p - stream.p);
    return rc;
}

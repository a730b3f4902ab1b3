/* BSD-3-Clause; see LICENSE. */
/*
 * VOM 0x80 into 0x81. The two agree in most bytes; what differs is a byte
 * alone, a complex number, an any and a typeobject. In front of these the bytes
 * passed so far are copied.
 */
#include <vom/vom80.h>

#include <v23/vdl/math/math.vdl.h>

#include "../src/dec_int.h"

struct rewrite {
    struct vom_rd_ r;
    const uint8_t *from; /* bytes from here to r.p are still to be copied */
    struct v23_buf body;
    struct v23_buf ids;  /* encoded */
    struct v23_buf lens; /* as uint32_t */
    uint32_t nids, nlens;
};

/* ---- types --------------------------------------------------------------- */

static const struct vdl_type *builtin(uint64_t id)
{
    if (id == 12)
        return &v23_math_complex64_desc;
    return id == 13 ? &v23_math_complex128_desc : NULL;
}

/* The types above under their own or another name share the fields' names. */
static bool is_complex(const struct vdl_type *t)
{
    return t->kind == VDL_STRUCT && t->count == 2 &&
           (t->fields[0].name.p == v23_math_complex64_desc.fields[0].name.p ||
               t->fields[0].name.p ==
                   v23_math_complex128_desc.fields[0].name.p);
}

/* ---- values -------------------------------------------------------------- */

static int walk(struct rewrite *w, const struct vdl_type *t);

/* Copy the bytes passed; the next to copy come after `skip` more. */
static int flush(struct rewrite *w)
{
    v23_buf_put(&w->body, w->from, (size_t)(w->r.p - w->from));
    w->from = w->r.p;
    return w->body.err;
}

static int pass(struct rewrite *w, size_t n)
{
    if ((size_t)(w->r.end - w->r.p) < n)
        return V23_EEOF;
    w->r.p += n;
    return 0;
}

static int walk_byte(struct rewrite *w)
{
    int rc = flush(w);

    if (rc == 0)
        rc = pass(w, 1);
    if (rc != 0)
        return rc;
    vom_buf_put_uint(&w->body, *w->from);
    w->from = w->r.p;
    return 0;
}

/* A field of a complex number, left out if zero. */
static int walk_part(struct rewrite *w, uint8_t index)
{
    uint64_t u;
    int rc;

    w->from = w->r.p;
    rc = vom_rd_uint_(&w->r, &u);
    if (rc != 0)
        return rc;
    if (u == 0) {
        w->from = w->r.p;
        return 0;
    }
    v23_buf_put_byte(&w->body, index);
    return flush(w);
}

static int walk_complex(struct rewrite *w)
{
    int rc = flush(w);

    if (rc == 0)
        rc = walk_part(w, 0);
    if (rc == 0)
        rc = walk_part(w, 1);
    v23_buf_put_byte(&w->body, VOM_END_);
    return rc;
}

/* A type's id becomes its index in the message's list. */
static int walk_type(struct rewrite *w, const struct vdl_type **t)
{
    struct vom_typedec *td = w->r.td;
    uint64_t id;
    int rc = flush(w);

    if (rc == 0)
        rc = vom_rd_uint_(&w->r, &id);
    if (rc != 0)
        return rc;
    *t = vom_typedec_lookup(td, id);
    if (*t == NULL) {
        if (td->err != 0)
            return td->err;
        if (!w->r.split || id < VOM_FIRST_USER_ID)
            return V23_EID;
        w->r.waits = true;
        return V23_EAGAIN;
    }
    vom_buf_put_uint(&w->ids, id);
    vom_buf_put_uint(&w->body, w->nids++);
    w->from = w->r.p;
    return w->ids.err;
}

static int walk_any(struct rewrite *w)
{
    const struct vdl_type *t;
    uint32_t k = w->nlens, len = 0;
    size_t start;
    bool nil;
    int rc = vom_rd_nil_(&w->r, &nil);

    if (rc != 0 || nil)
        return rc;
    rc = walk_type(w, &t);
    if (rc != 0)
        return rc;
    w->nlens++;
    v23_buf_put(&w->lens, &len, sizeof(len));
    vom_buf_put_uint(&w->body, k);
    start = w->body.n;
    rc = walk(w, t);
    if (rc == 0)
        rc = flush(w);
    if (rc == 0)
        rc = w->lens.err;
    if (rc != 0)
        return rc;
    if (w->body.n - start > VOM_LENGTH_MAX_)
        return V23_ELIMIT;
    len = (uint32_t)(w->body.n - start);
    memcpy(w->lens.p + k * sizeof(len), &len, sizeof(len));
    return 0;
}

static int walk_array(struct rewrite *w, const struct vdl_type *t)
{
    uint32_t i;
    int rc = vom_rd_array_(&w->r);

    if (rc == 0 && t->elem->kind == VDL_BYTE)
        return pass(w, t->count);
    for (i = 0; rc == 0 && i < t->count; i++)
        rc = walk(w, t->elem);
    return rc;
}

static int walk_list(struct rewrite *w, const struct vdl_type *t)
{
    uint32_t n, i;
    int rc;

    if (vdl_type_is_bytes(t)) {
        rc = vom_rd_length_(&w->r, &n);
        return rc == 0 ? pass(w, n) : rc;
    }
    rc = vom_rd_count_(&w->r, 1, &n);
    for (i = 0; rc == 0 && i < n; i++) {
        if (t->kind != VDL_LIST)
            rc = walk(w, t->key);
        if (rc == 0 && t->kind != VDL_SET)
            rc = walk(w, t->elem);
    }
    return rc;
}

static int walk_struct(struct rewrite *w, const struct vdl_type *t)
{
    uint32_t i;
    bool end;
    int rc;

    do {
        rc = vom_rd_field_(&w->r, t->count, &i, &end);
        if (rc != 0 || end)
            return rc;
        rc = walk(w, t->fields[i].type);
    } while (rc == 0);
    return rc;
}

static int walk_composite(struct rewrite *w, const struct vdl_type *t)
{
    uint32_t i;
    int rc;

    switch (t->kind) {
    case VDL_ANY:
        return walk_any(w);
    case VDL_ARRAY:
        return walk_array(w, t);
    case VDL_STRUCT:
        return is_complex(t) ? walk_complex(w) : walk_struct(w, t);
    case VDL_UNION:
        rc = vom_rd_index_(&w->r, t->count, &i);
        return rc == 0 ? walk(w, t->fields[i].type) : rc;
    default:
        return walk_list(w, t);
    }
}

static int walk(struct rewrite *w, const struct vdl_type *t)
{
    uint64_t u;
    uint32_t n;
    bool nil;
    int rc;

    switch (t->kind) {
    case VDL_BYTE:
        return walk_byte(w);
    case VDL_STRING:
        rc = vom_rd_length_(&w->r, &n);
        return rc == 0 ? pass(w, n) : rc;
    case VDL_TYPEOBJECT:
        return walk_type(w, &t);
    case VDL_OPTIONAL:
        rc = vom_rd_nil_(&w->r, &nil);
        return rc == 0 && !nil ? walk(w, t->elem) : rc;
    default:
        break;
    }
    if (vom_is_scalar_(t->kind) || t->kind == VDL_ENUM)
        return vom_rd_uint_(&w->r, &u);
    rc = vom_rd_enter_(&w->r);
    if (rc == 0)
        rc = walk_composite(w, t);
    w->r.depth++;
    return rc;
}

/* ---- messages ------------------------------------------------------------ */

/* The any-lengths as they stand in a message, behind the type ids. */
static int put_lens(struct rewrite *w)
{
    uint32_t i, len;

    for (i = 0; i < w->nlens; i++) {
        memcpy(&len, w->lens.p + i * sizeof(len), sizeof(len));
        vom_buf_put_uint(&w->ids, len);
    }
    return w->ids.err;
}

static int rewrite(
    struct vom_dec *d, const struct vom_msg *m, struct vom_rewritten_ *to)
{
    const struct v23_alloc *al = d->types->al;
    struct rewrite w;
    size_t nids;
    int rc;

    memset(&w, 0, sizeof(w));
    v23_buf_init(&w.body, al, VOM_LENGTH_MAX_);
    v23_buf_init(&w.ids, al, VOM_LENGTH_MAX_);
    v23_buf_init(&w.lens, al, VOM_LENGTH_MAX_);
    w.from = w.r.p = m->body.p;
    w.r.end = m->body.p + m->body.n;
    w.r.td = d->types;
    w.r.split = d->split;
    w.r.depth = d->types->opt.limits.depth;
    rc = walk(&w, m->type);
    if (rc == 0)
        rc = w.r.p == w.r.end ? flush(&w) : V23_ELENGTH;
    nids = w.ids.n;
    if (rc == 0)
        rc = put_lens(&w);
    v23_buf_fini(&w.lens);
    to->body = w.body;
    to->lists = w.ids;
    to->msg = (struct vom_msg){m->type, v23_bytes(w.ids.p, nids), w.nids,
        v23_bytes(w.ids.p == NULL ? NULL : w.ids.p + nids, w.ids.n - nids),
        w.nlens, v23_bytes(w.body.p, w.body.n)};
    d->waits_type = w.r.waits;
    return rc;
}

const struct vom_v80 vom_v80 = {builtin, is_complex, rewrite};

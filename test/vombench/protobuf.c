/* BSD-3-Clause; see LICENSE. */
/*
 * The same values with protobuf-c. It too decodes to memory that is only reset,
 * and packs to a buffer that is large enough.
 */
#include "bench.h"

#include <have.h>

#if VOMBENCH_PROTOBUF

#include <stdlib.h>

#include "bench.pb-c.h"

struct pb_side {
    const ProtobufCMessage *message;
    ProtobufCAllocator al;
    size_t n; /* bytes packed */
    uint8_t out[ROOM];
    uint8_t in[ROOM];
    struct floor_mem mem;
    max_align_t room[ROOM / sizeof(max_align_t)];
};

static void *mem_get(void *ud, size_t size)
{
    struct floor_mem *mem = ud;
    uint8_t *p = mem->p;

    size = (size + 15) & ~(size_t)15;
    if (size > (size_t)(mem->end - p))
        return NULL;
    mem->p = p + size;
    return p;
}

static void mem_put(void *ud, void *p)
{
    (void)ud;
    (void)p;
}

static void pack(void *ctx)
{
    struct pb_side *x = ctx;

    x->n = protobuf_c_message_pack(x->message, x->out);
}

static ProtobufCMessage *unpacked(struct pb_side *x)
{
    x->mem.p = (uint8_t *)x->room;
    x->mem.end = (uint8_t *)x->room + sizeof(x->room);
    return protobuf_c_message_unpack(
        x->message->descriptor, &x->al, x->n, x->in);
}

static void unpack(void *ctx)
{
    if (unpacked(ctx) == NULL)
        abort();
}

/* ---- values -------------------------------------------------------------- */

/* Texts of the shapes end with NUL; the generated structs are not const. */
static char *text(struct vdl_str s)
{
    char *p = keep((size_t)s.n + 1);

    if (s.n != 0)
        memcpy(p, s.p, s.n);
    return p;
}

static ProtobufCBinaryData bytes(const void *p, size_t n)
{
    ProtobufCBinaryData b;

    b.len = n;
    b.data = n == 0 ? NULL : memcpy(keep(n), p, n);
    return b;
}

static ProtobufCMessage *rec_of(const void *v)
{
    const bench_rec *r = v;
    Pb__Rec *m = keep(sizeof(*m));
    Pb__Item *item;
    uint32_t i;

    pb__rec__init(m);
    m->id = r->id;
    m->when = r->when;
    m->level = r->level;
    m->ok = r->ok;
    m->name = text(r->name);
    m->digest = bytes(r->digest.p, r->digest.n);
    m->n_tags = r->tags.n;
    m->tags = keep(r->tags.n * sizeof(*m->tags));
    for (i = 0; i < r->tags.n; i++)
        m->tags[i] = text(r->tags.v[i]);
    m->n_items = r->items.n;
    m->items = keep(r->items.n * sizeof(*m->items));
    for (i = 0; i < r->items.n; i++) {
        item = keep(sizeof(*item));
        pb__item__init(item);
        item->x = r->items.v[i].x;
        item->y = r->items.v[i].y;
        item->name = text(r->items.v[i].name);
        m->items[i] = item;
    }
    return &m->base;
}

static ProtobufCMessage *ints_of(const void *v)
{
    const bench_ints *l = v;
    Pb__Ints *m = keep(sizeof(*m));

    pb__ints__init(m);
    m->n_v = l->n;
    m->v = memcpy(keep(l->n * sizeof(*l->v)), l->v, l->n * sizeof(*l->v));
    return &m->base;
}

static ProtobufCMessage *blob_of(const void *v)
{
    const bench_blob *b = v;
    Pb__Blob *m = keep(sizeof(*m));

    pb__blob__init(m);
    m->v = bytes(b->p, b->n);
    return &m->base;
}

static ProtobufCMessage *req_of(const void *v)
{
    const v23_rpc_request *r = v;
    const v23_vtrace_request *t = &r->trace_request;
    Pb__Req *m = keep(sizeof(*m));

    pb__req__init(m);
    m->suffix = text(r->suffix);
    m->method = text(r->method);
    m->num_pos_args = r->num_pos_args;
    m->end_stream_args = r->end_stream_args;
    m->deadline = keep(sizeof(*m->deadline));
    pb__duration__init(m->deadline);
    m->deadline->seconds = r->deadline.from_now.seconds;
    m->deadline->nanos = r->deadline.from_now.nanos;
    m->trace_request = keep(sizeof(*m->trace_request));
    pb__trace_request__init(m->trace_request);
    m->trace_request->span_id = bytes(t->span_id.v, sizeof(t->span_id.v));
    m->trace_request->trace_id = bytes(t->trace_id.v, sizeof(t->trace_id.v));
    m->trace_request->request_metadata =
        bytes(t->request_metadata.p, t->request_metadata.n);
    m->trace_request->flags = t->flags;
    m->trace_request->log_level = t->log_level;
    m->language = text(r->language);
    return &m->base;
}

void protobuf_ops(
    const struct shape *s, struct group *encode, struct group *decode)
{
    static ProtobufCMessage *(*const make[SHAPES])(const void *v) = {
        [REC] = rec_of, [INTS] = ints_of, [BLOB] = blob_of, [REQ] = req_of};
    struct pb_side *x = keep(sizeof(*x));
    ProtobufCMessage *back;

    x->message = make[s->id](s->value);
    x->al.alloc = mem_get;
    x->al.free = mem_put;
    x->al.allocator_data = &x->mem;
    must(protobuf_c_message_get_packed_size(x->message) <= ROOM, s,
        "protobuf-c needs more room");
    pack(x);
    memcpy(x->in, x->out, x->n);
    back = unpacked(x);
    must(back != NULL && protobuf_c_message_pack(back, x->out) == x->n &&
             memcmp(x->in, x->out, x->n) == 0,
        s, "protobuf-c decodes another value");
    group_add(encode, "protobuf-c", FLOOR, 0, x->n, pack, x);
    group_add(decode, "protobuf-c", FLOOR, 0, x->n, unpack, x);
}

#else

void protobuf_ops(
    const struct shape *s, struct group *encode, struct group *decode)
{
    (void)s;
    (void)encode;
    (void)decode;
}

#endif

/* BSD-3-Clause; see LICENSE. */
/*
 * The operations that are timed: the hand-written coder, and libvom's through
 * descriptors and through dynamic values, with the types already sent and with
 * the types sent with each value.
 */
#include "bench.h"

#include <stdlib.h>

#include <vom/blob.h>

#include "support.h"

/* Both the floor and libvom decode to memory of their callers. */
struct floor_side {
    const struct shape *shape;
    struct v23_bytes message;
    uint8_t out[ROOM];
    max_align_t mem[ROOM / sizeof(max_align_t)];
    max_align_t value[16];
};

struct vom_side {
    const struct shape *shape;
    const struct vdl_type *type; /* of the value; NULL decodes dynamically */
    const void *value;
    struct tst_alloc mem; /* everything but the arena */
    struct v23_buf out, single;
    struct vom_typeenc types;
    struct vom_enc enc;
    struct vom_typedec *typedec;
    struct vom_dec dec;
    struct vom_blob blob; /* the types as a constant */
    struct v23_arena arena;
    struct v23_bytes message; /* with the types sent before */
    struct v23_bytes stream;  /* types and value */
    max_align_t room[ROOM / sizeof(max_align_t)];
    max_align_t result[16];
};

static uint64_t hash_of(struct v23_bytes b)
{
    uint64_t h = UINT64_C(0xCBF29CE484222325);
    size_t i;

    for (i = 0; i < b.n; i++)
        h = (h ^ b.p[i]) * UINT64_C(0x100000001B3);
    return h;
}

static bool same(struct v23_bytes a, const uint8_t *p, size_t n)
{
    return a.n == n && memcmp(a.p, p, n) == 0;
}

static struct v23_bytes keep_bytes(const uint8_t *p, size_t n)
{
    return v23_bytes(memcpy(keep(n), p, n), n);
}

/* ---- floor --------------------------------------------------------------- */

struct v23_bytes floor_message(const struct shape *s)
{
    uint8_t *out = keep(ROOM);

    return v23_bytes(out, s->put(out, ROOM, s->value));
}

static void floor_encode(void *ctx)
{
    struct floor_side *f = ctx;

    if (f->shape->put(f->out, sizeof(f->out), f->shape->value) == 0)
        abort();
}

static void floor_decode(void *ctx)
{
    struct floor_side *f = ctx;
    struct floor_mem mem;

    mem.p = (uint8_t *)f->mem;
    mem.end = (uint8_t *)f->mem + sizeof(f->mem);
    if (!f->shape->get(f->message.p, f->message.n, &mem, f->value))
        abort();
}

static void copy_out(void *ctx)
{
    struct floor_side *f = ctx;
    const bench_blob *b = f->shape->value;

    memcpy(f->out, b->p, b->n);
}

static void copy_in(void *ctx)
{
    struct floor_side *f = ctx;
    const bench_blob *b = f->shape->value;

    memcpy(f->mem, f->message.p + (f->message.n - b->n), b->n);
}

void floor_ops(
    const struct shape *s, struct group *encode, struct group *decode)
{
    struct floor_side *f = keep(sizeof(*f));
    size_t n;

    f->shape = s;
    f->message = floor_message(s);
    n = f->message.n;
    must(hash_of(f->message) == s->hash, s, "the floor's bytes are others");
    floor_decode(f);
    must(vdl_equal(s->type, f->value, s->value), s,
        "the floor decodes another value");
    group_add(encode, FLOOR, NULL, 0, n, floor_encode, f);
    group_add(decode, FLOOR, NULL, 0, n, floor_decode, f);
    if (s->id == BLOB) {
        n = ((const bench_blob *)s->value)->n;
        group_add(encode, COPY, NULL, 0, n, copy_out, f);
        group_add(decode, COPY, NULL, 0, n, copy_in, f);
    }
}

/* ---- libvom -------------------------------------------------------------- */

static void vom_encode_warm(void *ctx)
{
    struct vom_side *x = ctx;

    v23_buf_cut(&x->out, 0);
    if (vom_encode(&x->enc, x->type, x->value) != 0)
        abort();
}

/* What the stream says about types is made for each value. */
static void vom_encode_one(void *ctx)
{
    struct vom_side *x = ctx;

    v23_buf_cut(&x->single, 0);
    if (vom_encode_single(&x->mem.al, x->type, x->value, &x->single) != 0)
        abort();
}

static void vom_decode_warm(void *ctx)
{
    struct vom_side *x = ctx;
    struct vom_msg msg;
    size_t used;

    v23_arena_reset(&x->arena);
    if (vom_dec_next(&x->dec, x->message.p, x->message.n, &used, &msg) != 0 ||
        vom_dec_value(&x->dec, &msg, &x->arena, x->type, x->result) != 0)
        abort();
}

static void vom_decode_one(void *ctx)
{
    struct vom_side *x = ctx;

    v23_arena_reset(&x->arena);
    if (vom_decode_single(x->stream.p, x->stream.n, NULL, &x->arena, x->type,
            x->result, NULL) != 0)
        abort();
}

/* With the types as a constant, as the compiler emits it. */
static void vom_encode_blob(void *ctx)
{
    struct vom_side *x = ctx;

    v23_buf_cut(&x->single, 0);
    if (vom_blob_encode(&x->blob, x->value, &x->single) != 0)
        abort();
}

static void vom_decode_blob(void *ctx)
{
    struct vom_side *x = ctx;

    v23_arena_reset(&x->arena);
    if (vom_blob_decode(&x->blob, x->stream, &x->arena, x->result, NULL) != 0)
        abort();
}

static void check_value(const struct vom_side *x, const char *what)
{
    const struct shape *s = x->shape;
    const void *v = x->result;
    const struct vdl_any *any = v;

    if (x->type->kind == VDL_ANY) {
        must(vdl_type_equal(any->type, s->type), s, what);
        v = any->val;
    }
    must(vdl_equal(s->type, v, s->value), s, what);
}

static void check(struct vom_side *x)
{
    const struct shape *s = x->shape;
    struct v23_bytes m = floor_message(s);
    size_t calls;

    vom_encode_warm(x);
    must(same(m, x->out.p, x->out.n), s, "libvom's bytes are not the floor's");
    calls = x->mem.calls;
    vom_encode_warm(x);
    must(x->mem.calls == calls, s, "warm encoding allocates");
    vom_encode_one(x);
    must(same(x->stream, x->single.p, x->single.n), s,
        "the bytes of one stream differ from those of many values");
    vom_decode_warm(x);
    check_value(x, "libvom decodes another value");
    calls = x->mem.calls;
    vom_decode_warm(x);
    must(x->mem.calls == calls, s, "warm decoding allocates");
    vom_decode_one(x);
    check_value(x, "libvom decodes another value from one stream");
}

static void check_blob(struct vom_side *x)
{
    const struct shape *s = x->shape;
    struct v23_buf *types = keep(sizeof(*types));

    v23_buf_init_fixed(types, keep(ROOM), ROOM);
    must(vom_blob_make(NULL, x->type, types, &x->blob) == 0, s,
        "there is no constant of the types");
    if (s->blob != NULL)
        x->blob = *s->blob;
    vom_encode_blob(x);
    must(same(x->stream, x->single.p, x->single.n), s,
        "the constant of the types is wrong");
    vom_decode_blob(x);
    check_value(x, "libvom decodes another value behind a constant");
}

/* The first value of a stream brings its types. */
static void start(struct vom_side *x)
{
    const struct shape *s = x->shape;
    struct vom_msg msg;
    size_t used;

    must(vom_encode(&x->enc, x->type, x->value) == 0, s, "libvom encodes");
    x->stream = keep_bytes(x->out.p, x->out.n);
    must(vom_dec_next(&x->dec, x->stream.p, x->stream.n, &used, &msg) == 0, s,
        "libvom reads the types");
    must(msg.body.n == s->body, s, "the value has another size");
    vom_encode_warm(x);
    x->message = keep_bytes(x->out.p, x->out.n);
}

static struct vom_side *vom_side(
    const struct shape *s, const struct vdl_type *type, const void *value)
{
    struct vom_side *x = keep(sizeof(*x));

    x->shape = s;
    x->type = type;
    x->value = value;
    tst_alloc_init(&x->mem);
    v23_buf_init(&x->out, &x->mem.al, ROOM);
    v23_buf_init(&x->single, &x->mem.al, ROOM);
    vom_typeenc_init(&x->types, &x->mem.al, &x->out);
    vom_enc_init(&x->enc, &x->types, &x->out);
    must(vom_typedec_new(&x->mem.al, NULL, &x->typedec) == 0, s, "memory");
    vom_dec_init(&x->dec, NULL, x->typedec, false);
    v23_arena_init_fixed(&x->arena, x->room, sizeof(x->room));
    start(x);
    check(x);
    return x;
}

/* The value under a type learned from a stream. */
static const struct vdl_any *learn(const struct vom_side *x)
{
    struct v23_arena *a = keep(sizeof(*a));
    struct vdl_any *any = keep(sizeof(*any));

    v23_arena_init(a, NULL, SIZE_MAX);
    must(vom_decode_single(
             x->stream.p, x->stream.n, NULL, a, &vdl_any_desc, any, NULL) == 0,
        x->shape, "libvom decodes dynamically");
    return any;
}

void vom_ops(const struct shape *s, struct group *encode, struct group *decode)
{
    const char *base = s->id == BLOB ? COPY : FLOOR;
    struct vom_side *x = vom_side(s, s->type, s->value);
    struct vom_side *y = vom_side(s, &vdl_any_desc, learn(x));
    size_t n = x->message.n, with = x->stream.n;

    check_blob(x);
    group_add(encode, WARM, base, s->encode, n, vom_encode_warm, x);
    group_add(encode, "dynamic", base, 0, n, vom_encode_warm, y);
    group_add(encode, "one-shot", WARM, 4, with, vom_encode_blob, x);
    group_add(encode, "one-shot computed", WARM, 0, with, vom_encode_one, x);
    group_add(encode, "one-shot dynamic", WARM, 0, with, vom_encode_one, y);
    group_add(decode, WARM, base, s->decode, n, vom_decode_warm, x);
    group_add(decode, "dynamic", base, 0, n, vom_decode_warm, y);
    group_add(decode, "one-shot", WARM, 0, with, vom_decode_blob, x);
    group_add(decode, "one-shot computed", WARM, 0, with, vom_decode_one, x);
    group_add(decode, "one-shot dynamic", WARM, 0, with, vom_decode_one, y);
}

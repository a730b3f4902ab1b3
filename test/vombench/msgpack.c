/* BSD-3-Clause; see LICENSE. */
/*
 * The same values with msgpack-c: structs as arrays of their fields. It decodes
 * to its own objects first, from which the structs are then filled.
 */
#include "bench.h"

#include <have.h>

#if VOMBENCH_MSGPACK

#include <stdlib.h>

#include <msgpack.h>

#include "floor_int.h"

struct mp_shape {
    void (*put)(msgpack_packer *pk, const void *v);
    bool (*get)(const msgpack_object *o, struct floor_mem *mem, void *v);
};

struct mp_side {
    const struct shape *shape;
    const struct mp_shape *coder;
    msgpack_packer packer;
    msgpack_sbuffer out;
    msgpack_zone zone;
    struct v23_bytes in;
    max_align_t room[ROOM / sizeof(max_align_t)];
    max_align_t value[16];
};

/* ---- encoding ------------------------------------------------------------ */

static void put_str(msgpack_packer *pk, struct vdl_str s)
{
    msgpack_pack_str(pk, s.n);
    msgpack_pack_str_body(pk, s.p, s.n);
}

static void put_bin(msgpack_packer *pk, const void *p, size_t n)
{
    msgpack_pack_bin(pk, n);
    msgpack_pack_bin_body(pk, p, n);
}

static void put_bool(msgpack_packer *pk, bool v)
{
    if (v)
        msgpack_pack_true(pk);
    else
        msgpack_pack_false(pk);
}

static void put_rec(msgpack_packer *pk, const void *v)
{
    const bench_rec *r = v;
    uint32_t i;

    msgpack_pack_array(pk, 8);
    msgpack_pack_uint32(pk, r->id);
    msgpack_pack_int64(pk, r->when);
    msgpack_pack_double(pk, r->level);
    put_bool(pk, r->ok);
    put_str(pk, r->name);
    put_bin(pk, r->digest.p, r->digest.n);
    msgpack_pack_array(pk, r->tags.n);
    for (i = 0; i < r->tags.n; i++)
        put_str(pk, r->tags.v[i]);
    msgpack_pack_array(pk, r->items.n);
    for (i = 0; i < r->items.n; i++) {
        msgpack_pack_array(pk, 3);
        msgpack_pack_int32(pk, r->items.v[i].x);
        msgpack_pack_int32(pk, r->items.v[i].y);
        put_str(pk, r->items.v[i].name);
    }
}

static void put_ints(msgpack_packer *pk, const void *v)
{
    const bench_ints *l = v;
    uint32_t i;

    msgpack_pack_array(pk, l->n);
    for (i = 0; i < l->n; i++)
        msgpack_pack_int32(pk, l->v[i]);
}

static void put_blob(msgpack_packer *pk, const void *v)
{
    const bench_blob *b = v;

    put_bin(pk, b->p, b->n);
}

static void put_req(msgpack_packer *pk, const void *v)
{
    const v23_rpc_request *r = v;
    const v23_vtrace_request *t = &r->trace_request;

    msgpack_pack_array(pk, 7);
    put_str(pk, r->suffix);
    put_str(pk, r->method);
    msgpack_pack_uint64(pk, r->num_pos_args);
    put_bool(pk, r->end_stream_args);
    msgpack_pack_array(pk, 2);
    msgpack_pack_int64(pk, r->deadline.from_now.seconds);
    msgpack_pack_int32(pk, r->deadline.from_now.nanos);
    msgpack_pack_array(pk, 5);
    put_bin(pk, t->span_id.v, sizeof(t->span_id.v));
    put_bin(pk, t->trace_id.v, sizeof(t->trace_id.v));
    put_bin(pk, t->request_metadata.p, t->request_metadata.n);
    msgpack_pack_int32(pk, t->flags);
    msgpack_pack_int32(pk, t->log_level);
    put_str(pk, r->language);
}

/* ---- decoding ------------------------------------------------------------ */

/* The fields of a struct; NULL unless there are n. */
static const msgpack_object *fields_of(const msgpack_object *o, uint32_t n)
{
    return o->type == MSGPACK_OBJECT_ARRAY && o->via.array.size == n
               ? o->via.array.ptr
               : NULL;
}

static bool as_int(const msgpack_object *o, int64_t *out)
{
    if (o->type != MSGPACK_OBJECT_NEGATIVE_INTEGER &&
        (o->type != MSGPACK_OBJECT_POSITIVE_INTEGER || o->via.u64 > INT64_MAX))
        return false;
    *out = o->via.i64;
    return true;
}

static bool as_int32(const msgpack_object *o, int32_t *out)
{
    int64_t v;

    if (!as_int(o, &v) || v < INT32_MIN || v > INT32_MAX)
        return false;
    *out = (int32_t)v;
    return true;
}

static bool as_uint(const msgpack_object *o, uint64_t most, uint64_t *out)
{
    *out = o->via.u64;
    return o->type == MSGPACK_OBJECT_POSITIVE_INTEGER && *out <= most;
}

static bool as_bool(const msgpack_object *o, bool *out)
{
    *out = o->via.boolean;
    return o->type == MSGPACK_OBJECT_BOOLEAN;
}

static bool as_str(
    const msgpack_object *o, struct floor_mem *mem, struct vdl_str *out)
{
    char *p;

    if (o->type != MSGPACK_OBJECT_STR)
        return false;
    p = take(mem, o->via.str.size, 1, 1);
    if (p == NULL)
        return false;
    memcpy(p, o->via.str.ptr, o->via.str.size);
    *out = vdl_strn(p, o->via.str.size);
    return true;
}

static bool as_bin(
    const msgpack_object *o, struct floor_mem *mem, struct vdl_bytes *out)
{
    uint8_t *p;

    if (o->type != MSGPACK_OBJECT_BIN)
        return false;
    p = take(mem, o->via.bin.size, 1, 1);
    if (p == NULL)
        return false;
    memcpy(p, o->via.bin.ptr, o->via.bin.size);
    *out = vdl_bytes(p, o->via.bin.size);
    return true;
}

static bool as_id(const msgpack_object *o, v23_uniqueid_id *id)
{
    if (o->type != MSGPACK_OBJECT_BIN || o->via.bin.size != sizeof(id->v))
        return false;
    memcpy(id->v, o->via.bin.ptr, sizeof(id->v));
    return true;
}

/* Memory for the elements of a list; NULL if it is none. */
static void *list_of(const msgpack_object *o, struct floor_mem *mem,
    size_t size, size_t align, uint32_t *n)
{
    if (o->type != MSGPACK_OBJECT_ARRAY)
        return NULL;
    *n = o->via.array.size;
    return take(mem, *n, size, align);
}

static bool get_tags(
    const msgpack_object *o, struct floor_mem *mem, vdl_str_list *out)
{
    struct vdl_str *v =
        list_of(o, mem, sizeof(*v), _Alignof(struct vdl_str), &out->n);
    bool ok = v != NULL;
    uint32_t i;

    for (i = 0; ok && i < out->n; i++)
        ok = as_str(&o->via.array.ptr[i], mem, &v[i]);
    out->v = v;
    return ok;
}

static bool get_items(
    const msgpack_object *o, struct floor_mem *mem, bench_item_list *out)
{
    bench_item *v = list_of(o, mem, sizeof(*v), _Alignof(bench_item), &out->n);
    bool ok = v != NULL;
    const msgpack_object *f;
    uint32_t i;

    for (i = 0; ok && i < out->n; i++) {
        f = fields_of(&o->via.array.ptr[i], 3);
        ok = f != NULL && as_int32(&f[0], &v[i].x) &&
             as_int32(&f[1], &v[i].y) && as_str(&f[2], mem, &v[i].name);
    }
    out->v = v;
    return ok;
}

static bool get_rec(const msgpack_object *o, struct floor_mem *mem, void *v)
{
    const msgpack_object *f = fields_of(o, 8);
    bench_rec *r = v;
    uint64_t u;

    if (f == NULL || !as_uint(&f[0], UINT32_MAX, &u) ||
        !as_int(&f[1], &r->when) || f[2].type != MSGPACK_OBJECT_FLOAT64)
        return false;
    r->id = (uint32_t)u;
    r->level = f[2].via.f64;
    return as_bool(&f[3], &r->ok) && as_str(&f[4], mem, &r->name) &&
           as_bin(&f[5], mem, &r->digest) && get_tags(&f[6], mem, &r->tags) &&
           get_items(&f[7], mem, &r->items);
}

static bool get_ints(const msgpack_object *o, struct floor_mem *mem, void *v)
{
    bench_ints *l = v;
    int32_t *x = list_of(o, mem, sizeof(*x), _Alignof(int32_t), &l->n);
    bool ok = x != NULL;
    uint32_t i;

    for (i = 0; ok && i < l->n; i++)
        ok = as_int32(&o->via.array.ptr[i], &x[i]);
    l->v = x;
    return ok;
}

static bool get_blob(const msgpack_object *o, struct floor_mem *mem, void *v)
{
    return as_bin(o, mem, v);
}

static bool get_trace(
    const msgpack_object *o, struct floor_mem *mem, v23_vtrace_request *t)
{
    const msgpack_object *f = fields_of(o, 5);

    return f != NULL && as_id(&f[0], &t->span_id) &&
           as_id(&f[1], &t->trace_id) &&
           as_bin(&f[2], mem, &t->request_metadata) &&
           as_int32(&f[3], &t->flags) && as_int32(&f[4], &t->log_level);
}

static bool get_req(const msgpack_object *o, struct floor_mem *mem, void *v)
{
    const msgpack_object *f = fields_of(o, 7), *d;
    v23_rpc_request *r = v;

    memset(r, 0, sizeof(*r));
    if (f == NULL || !as_str(&f[0], mem, &r->suffix) ||
        !as_str(&f[1], mem, &r->method) ||
        !as_uint(&f[2], UINT64_MAX, &r->num_pos_args) ||
        !as_bool(&f[3], &r->end_stream_args))
        return false;
    d = fields_of(&f[4], 2);
    return d != NULL && as_int(&d[0], &r->deadline.from_now.seconds) &&
           as_int32(&d[1], &r->deadline.from_now.nanos) &&
           get_trace(&f[5], mem, &r->trace_request) &&
           as_str(&f[6], mem, &r->language);
}

/* ---- operations ---------------------------------------------------------- */

static void pack(void *ctx)
{
    struct mp_side *x = ctx;

    msgpack_sbuffer_clear(&x->out);
    x->coder->put(&x->packer, x->shape->value);
}

static bool unpacked(struct mp_side *x)
{
    struct floor_mem mem;
    msgpack_object o;
    size_t at = 0;

    mem.p = (uint8_t *)x->room;
    mem.end = (uint8_t *)x->room + sizeof(x->room);
    msgpack_zone_clear(&x->zone);
    return msgpack_unpack((const char *)x->in.p, x->in.n, &at, &x->zone, &o) ==
               MSGPACK_UNPACK_SUCCESS &&
           x->coder->get(&o, &mem, x->value);
}

static void unpack(void *ctx)
{
    if (!unpacked(ctx))
        abort();
}

void msgpack_ops(
    const struct shape *s, struct group *encode, struct group *decode)
{
    static const struct mp_shape coders[SHAPES] = {
        [REC] = {put_rec, get_rec},
        [INTS] = {put_ints, get_ints},
        [BLOB] = {put_blob, get_blob},
        [REQ] = {put_req, get_req},
    };
    struct mp_side *x = keep(sizeof(*x));

    x->shape = s;
    x->coder = &coders[s->id];
    msgpack_sbuffer_init(&x->out);
    msgpack_packer_init(&x->packer, &x->out, msgpack_sbuffer_write);
    must(msgpack_zone_init(&x->zone, ROOM), s, "msgpack-c has no memory");
    pack(x);
    x->in = v23_bytes(
        memcpy(keep(x->out.size), x->out.data, x->out.size), x->out.size);
    must(unpacked(x) && vdl_equal(s->type, x->value, s->value), s,
        "msgpack-c decodes another value");
    group_add(encode, "msgpack-c", FLOOR, 0, x->in.n, pack, x);
    group_add(decode, "msgpack-c", FLOOR, 0, x->in.n, unpack, x);
}

#else

void msgpack_ops(
    const struct shape *s, struct group *encode, struct group *decode)
{
    (void)s;
    (void)encode;
    (void)decode;
}

#endif

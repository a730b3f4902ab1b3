/* BSD-3-Clause; see LICENSE. */
/*
 * Fixture of the codec's tests: types from canonical strings, values from VDL
 * constants, results as text. Everything lives until teardown(), which checks
 * that no memory is left.
 */
#ifndef CODEC_TEST_H
#define CODEC_TEST_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include <suite.h>
#include <support.h>
#include <vom/dec.h>
#include <vom/enc.h>
#include <vom/parse.h>
#include <vom/print.h>
#include <vom/value.h>

static struct tst_alloc mem;
static struct v23_arena arena;
static struct vdl_types *types;
static struct vdl_named named; /* what constants may name */

static inline void setup(void)
{
    tst_alloc_init(&mem);
    v23_arena_init(&arena, &mem.al, SIZE_MAX);
    ck_assert_int_eq(vdl_types_new(&mem.al, NULL, &types), 0);
    vdl_named_init(&named, &mem.al);
}

static inline void teardown(void)
{
    v23_arena_fini(&arena);
    vdl_named_fini(&named);
    vdl_types_unref(types);
    ck_assert_uint_eq(mem.live, 0);
}

/* ---- types --------------------------------------------------------------- */

/* The type with this canonical string, made in `set`. */
static inline const struct vdl_type *type_in(
    struct vdl_types *set, const char *text)
{
    struct vdl_parse_error err;
    const struct vdl_type *t;
    int rc = vdl_type_parse(set, vdl_str(text), &t, &err);

    ck_assert_msg(rc == 0, "%s: %zu: %s", text, err.at, err.text);
    if (set == types)
        ck_assert_int_eq(vdl_named_add(&named, t), 0);
    return t;
}

static inline const struct vdl_type *ty(const char *text)
{
    return type_in(types, text);
}

/* ---- values -------------------------------------------------------------- */

/* The value of a VDL constant; types made before may be named in it. */
static inline const void *val(const struct vdl_type *t, const char *text)
{
    struct vdl_registry known = {named.v, named.n};
    struct vdl_parse_error err;
    const void *v;
    size_t got;
    int rc =
        vdl_parse_values(vdl_str(text), &known, &arena, &t, 1, &v, &got, &err);

    ck_assert_msg(rc == 0, "%s: %zu: %s", text, err.at, err.text);
    return v;
}

static inline struct v23_buf *scratch(void)
{
    static struct v23_buf ring[8];
    static char space[8][65536];
    static unsigned at;
    unsigned i = at++ % 8;

    v23_buf_init_fixed(&ring[i], space[i], sizeof(space[i]));
    return &ring[i];
}

/* Text of a value. */
static inline const char *text(const struct vdl_type *t, const void *v)
{
    struct v23_buf *b = scratch();

    ck_assert_int_eq(vdl_format(t, v, true, b), 0);
    return v23_buf_cstr(b);
}

/* Text of what an any holds: the text of `vom decode`. */
static inline const char *any_text(struct vdl_any a)
{
    return a.type == NULL ? "any(nil)" : text(a.type, a.val);
}

/* ---- coding -------------------------------------------------------------- */

/* Single stream of a value as hex. */
static inline const char *enc(const struct vdl_type *t, const void *v)
{
    struct v23_buf b;
    const char *s;

    v23_buf_init(&b, &mem.al, 1u << 24);
    ck_assert_int_eq(vom_encode_single(&mem.al, t, v, &b), 0);
    s = unhex(b.p, b.n);
    v23_buf_fini(&b);
    return s;
}

/* The same of a constant. */
static inline const char *enc_text(const char *type, const char *constant)
{
    const struct vdl_type *t = ty(type);

    return enc(t, val(t, constant));
}

/* Hex without blanks, for comparison with the above. */
static inline const char *flat(const char *text)
{
    struct v23_bytes b = hex(text);

    return unhex(b.p, b.n);
}

/* Decode dynamically; the text of the value, or of the error. */
static inline const char *dec_bytes(struct v23_bytes b)
{
    struct vdl_any v = {NULL, NULL};
    int rc = vom_decode_single(b.p, b.n, NULL, &arena, NULL, &v, NULL);

    return rc != 0 ? v23_strerror(rc) : any_text(v);
}

static inline const char *dec(const char *stream)
{
    return dec_bytes(hex(stream));
}

static inline int dec_error(const char *stream)
{
    struct v23_bytes b = hex(stream);
    struct vdl_any v = {NULL, NULL};
    struct v23_arena_mark before = v23_arena_mark(&arena), after;
    int rc = vom_decode_single(b.p, b.n, NULL, &arena, NULL, &v, NULL);

    after = v23_arena_mark(&arena);
    if (rc != 0) {
        ck_assert_uint_eq(before.used, after.used);
        ck_assert_ptr_null(v.type);
    }
    return rc;
}

/* Decode into a type; the text of the value, or of the error. */
static inline const char *dec_as(const struct vdl_type *t, const char *stream)
{
    struct v23_bytes b = hex(stream);
    void *v = v23_arena_get0(&arena, 1, t->size, 16);
    int rc = vom_decode_single(b.p, b.n, NULL, &arena, t, v, NULL);

    return rc != 0 ? v23_strerror(rc) : text(t, v);
}

/* A constant of one type converted to another. */
static inline const char *conv(
    const char *from, const char *constant, const char *to)
{
    return dec_as(ty(to), enc_text(from, constant));
}

/* The program of a file whose tests all use this header's fixture. */
static inline int run_suite(const char *name, void (*fill)(TCase *))
{
    return tst_run_case(name, fill, setup, teardown);
}

#endif

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
#include <vom/value.h>

#define NODES 64

static struct tst_alloc mem;
static struct v23_arena arena;
static struct vdl_types *types;
static const struct vdl_type *named[NODES];
static size_t nnamed;

static inline void setup(void)
{
    tst_alloc_init(&mem);
    v23_arena_init(&arena, &mem.al, SIZE_MAX);
    ck_assert_int_eq(vdl_types_new(&mem.al, NULL, &types), 0);
    nnamed = 0;
}

static inline void teardown(void)
{
    v23_arena_fini(&arena);
    vdl_types_unref(types);
    ck_assert_uint_eq(mem.live, 0);
}

/* ---- types --------------------------------------------------------------- */

struct type_text {
    const char *p;
    struct vdl_type_node nodes[NODES];
    uint32_t n;
};

static const struct vdl_type *builtin_named(struct vdl_str s)
{
    static const struct vdl_type *const all[] = { &vdl_any_desc,
        &vdl_bool_desc, &vdl_byte_desc, &vdl_uint16_desc, &vdl_uint32_desc,
        &vdl_uint64_desc, &vdl_int8_desc, &vdl_int16_desc, &vdl_int32_desc,
        &vdl_int64_desc, &vdl_float32_desc, &vdl_float64_desc,
        &vdl_string_desc, &vdl_typeobject_desc };
    size_t i;

    for (i = 0; i < sizeof(all) / sizeof(*all); i++)
        if (vdl_str_is(s, vdl_kind_name((enum vdl_kind)all[i]->kind)))
            return all[i];
    return NULL;
}

static struct vdl_str word(struct type_text *s)
{
    const char *start = s->p;

    s->p += strcspn(s->p, " ;{}[]?");
    return vdl_strn(start, (size_t)(s->p - start));
}

static void expect(struct type_text *s, char c)
{
    ck_assert_msg(*s->p == c, "type text at \"%s\"", s->p);
    s->p++;
}

static struct vdl_type_ref parse_type(struct type_text *s);

/* "name type; name type}" or "label; label}" */
static void parse_members(struct type_text *s, struct vdl_type_node *node)
{
    struct vdl_type_member *m = v23_arena_get0(&arena, NODES, sizeof(*m), 8);
    struct vdl_str *labels = v23_arena_get0(&arena, NODES, sizeof(*labels), 8);
    uint32_t n = 0;

    expect(s, '{');
    while (*s->p != '}') {
        if (n != 0)
            expect(s, ';');
        labels[n] = m[n].name = word(s);
        if (node->kind != VDL_ENUM) {
            expect(s, ' ');
            m[n].type = parse_type(s);
        }
        n++;
    }
    s->p++;
    node->nmembers = n;
    node->members = m;
    node->labels = labels;
}

static void parse_body(struct type_text *s, struct vdl_type_node *node,
    struct vdl_str w)
{
    const struct vdl_type *b = builtin_named(w);

    if (b != NULL) {
        node->kind = (enum vdl_kind)b->kind;
    } else if (vdl_str_is(w, "set") || vdl_str_is(w, "map")) {
        node->kind = vdl_str_is(w, "set") ? VDL_SET : VDL_MAP;
        expect(s, '[');
        node->key = parse_type(s);
        expect(s, ']');
        if (node->kind == VDL_MAP)
            node->elem = parse_type(s);
    } else if (w.n != 0) {
        node->kind = vdl_str_is(w, "enum") ? VDL_ENUM
            : vdl_str_is(w, "struct")      ? VDL_STRUCT
                                           : VDL_UNION;
        parse_members(s, node);
    } else if (*s->p == '?') {
        s->p++;
        node->kind = VDL_OPTIONAL;
        node->elem = parse_type(s);
    } else {
        expect(s, '[');
        node->kind = *s->p == ']' ? VDL_LIST : VDL_ARRAY;
        node->len = strtoull(s->p, NULL, 10);
        s->p = strchr(s->p, ']') + 1;
        node->elem = parse_type(s);
    }
}

static struct vdl_type_ref parse_type(struct type_text *s)
{
    struct vdl_type_ref r = { NULL, 0 };
    struct vdl_type_node *node;
    struct vdl_str w = word(s);

    r.type = builtin_named(w);
    if (r.type != NULL && *s->p != ' ')
        return r;
    r.type = NULL;
    for (r.node = 0; r.node < s->n; r.node++)
        if (w.n != 0 && vdl_str_eq(s->nodes[r.node].name, w))
            return r;
    ck_assert_uint_lt(s->n, NODES);
    node = &s->nodes[s->n++];
    memset(node, 0, sizeof(*node));
    if (*s->p == ' ') {
        node->name = w;
        s->p++;
        w = word(s);
    }
    parse_body(s, node, w);
    return r;
}

/* The type with this canonical string, made in `set`. */
static inline const struct vdl_type *type_in(struct vdl_types *set,
    const char *text)
{
    static struct type_text s;
    const struct vdl_type *out[NODES];
    struct vdl_type_ref r;
    uint32_t i;

    s.p = text;
    s.n = 0;
    r = parse_type(&s);
    ck_assert_str_eq(s.p, "");
    if (r.type != NULL)
        return r.type;
    ck_assert_int_eq(vdl_types_build(set, s.nodes, s.n, out), 0);
    for (i = 0; set == types && i < s.n; i++)
        if (out[i]->name.n != 0 && nnamed < NODES)
            named[nnamed++] = out[i];
    return out[r.node];
}

static inline const struct vdl_type *ty(const char *text)
{
    return type_in(types, text);
}

/* ---- values -------------------------------------------------------------- */

/* The value of a VDL constant; types made before may be named in it. */
static inline const void *val(const struct vdl_type *t, const char *text)
{
    struct vdl_registry known = { named, nnamed };
    struct vdl_parse_error err;
    const void *v;
    size_t got;
    int rc = vdl_parse_values(vdl_str(text), &known, &arena, &t, 1, &v, &got,
        &err);

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
    struct vdl_any v = { NULL, NULL };
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
    struct vdl_any v = { NULL, NULL };
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
static inline const char *conv(const char *from, const char *constant,
    const char *to)
{
    return dec_as(ty(to), enc_text(from, constant));
}

/* The program of a file whose tests all use this header's fixture. */
static inline int run_suite(const char *name, void (*fill)(TCase *))
{
    return tst_run_case(name, fill, setup, teardown);
}

#endif

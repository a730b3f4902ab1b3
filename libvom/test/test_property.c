/* BSD-3-Clause; see LICENSE. */
/*
 * Properties of random values of random types: each round makes a table of
 * types and values of them and sends them every way there is.
 *
 * The number that Check prints behind the name of a failed test is the round's
 * seed. PROPERTY_SEED=N sets the first (1), PROPERTY_ROUNDS=N their number.
 */
#include <vom/blob.h>
#include <vom/raw.h>

#include "random_types.h"

#define ROUNDS 400
#define VALUES 4

static struct rt R;
static struct vdl_types *Again, *Changed;
/* The types of the table, built a second time, and changed. */
static const struct vdl_type *Same[RT_NODES], *Other[RT_NODES];

/* A value of one of the types. */
struct sample {
    const struct vdl_type *t;
    uint32_t node;
    void *v;
    struct v23_buf stream; /* of it alone */
};
static struct sample S[VALUES];

static void *zeroed(const struct vdl_type *t)
{
    void *v = v23_arena_get0(&arena, 1, t->size, 16);

    ck_assert_ptr_nonnull(v);
    return v;
}

static void encode(const struct vdl_type *t, const void *v, struct v23_buf *b)
{
    int rc;

    v23_buf_init(b, &mem.al, 1u << 24);
    rc = vom_encode_single(&mem.al, t, v, b);
    ck_assert_msg(rc == 0, "encoding: %s", v23_strerror(rc));
}

static void decode_as(
    const struct v23_buf *b, const struct vdl_type *t, void *out)
{
    int rc = vom_decode_single(b->p, b->n, NULL, &arena, t, out, NULL);

    ck_assert_msg(rc == 0, "decoding: %s", v23_strerror(rc));
}

static void check_same_bytes(const struct v23_buf *a, const struct v23_buf *b)
{
    ck_assert_str_eq(unhex(a->p, a->n), unhex(b->p, b->n));
}

/* Encoding gives the stream of the sample. */
static void check_encodes(
    const struct sample *s, const struct vdl_type *t, const void *v)
{
    struct v23_buf b;

    encode(t, v, &b);
    if (b.n != s->stream.n || memcmp(b.p, s->stream.p, b.n) != 0)
        check_same_bytes(&b, &s->stream);
    v23_buf_fini(&b);
}

static struct vdl_any as_any(const struct sample *s)
{
    struct vdl_any any = {s->t, s->v};

    return any;
}

/* ---- making -------------------------------------------------------------- */

/* A table that fits the limits, built; then values. */
static void make(uint32_t seed)
{
    struct vdl_type_node nodes[RT_NODES];
    uint32_t i;
    int rc;

    R.state = seed;
    do {
        rt_types(&R);
        rc = vdl_types_build(types, R.nodes, R.n, R.types);
    } while (rc == V23_ELIMIT);
    ck_assert_msg(rc == 0, "types are refused: %s", v23_strerror(rc));
    rt_build(&R, R.nodes, Again, Same);
    rt_change(&R, nodes);
    rt_build(&R, nodes, Changed, Other);
    for (i = 0; i < VALUES; i++) {
        R.budget = 200;
        S[i].node = rt_below(&R, R.n);
        S[i].t = R.types[S[i].node];
        if (S[i].t->size > 65536)
            S[i].t = &vdl_any_desc;
        S[i].v = zeroed(S[i].t);
        rt_value(&R, S[i].t, S[i].v, 0);
        encode(S[i].t, S[i].v, &S[i].stream);
    }
}

/* ---- one value on one stream --------------------------------------------- */

static void decodes_dynamically(const struct sample *s)
{
    struct vdl_any v;

    decode_as(&s->stream, NULL, &v);
    ck_assert(vdl_type_equal(v.type == NULL ? &vdl_any_desc : v.type, s->t) ||
              s->t->kind == VDL_ANY);
    ck_assert(vdl_any_equal(v, as_any(s)) || s->t->kind == VDL_ANY);
    check_encodes(s, &vdl_any_desc, &v);
}

static bool is_known(const struct vdl_registry *r, const struct vdl_type *t)
{
    size_t i;

    for (i = 0; i < r->n; i++)
        if (r->types[i] == t)
            return true;
    return false;
}

static struct vdl_any decode_knowing(const struct sample *s,
    const struct vdl_registry *known)
{
    struct vom_options opt = vom_options_host;
    struct vdl_any v;

    opt.known = *known;
    ck_assert_int_eq(vom_decode_single(s->stream.p, s->stream.n, &opt, &arena,
        NULL, &v, NULL), 0);
    return v;
}

/* Types that the program knows become its own; others stay what they are. */
static void recognizes_types(const struct sample *s)
{
    struct vdl_registry same, other;
    struct vdl_any v;

    if (s->t->kind == VDL_ANY)
        return;
    ck_assert_int_eq(vdl_registry_make(&mem.al, Same, R.n, &same), 0);
    ck_assert_int_eq(vdl_registry_make(&mem.al, Other, R.n, &other), 0);
    v = decode_knowing(s, &same);
    ck_assert(v.type == Same[s->node] || is_known(&same, v.type));
    ck_assert(vdl_any_equal(v, as_any(s)));
    v = decode_knowing(s, &other);
    ck_assert(vdl_type_equal(v.type, s->t));
    ck_assert(vdl_any_equal(v, as_any(s)));
    vdl_registry_free(&mem.al, &same);
    vdl_registry_free(&mem.al, &other);
}

static void decodes_into_equal_types(const struct sample *s)
{
    const struct vdl_type *t = s->t->kind == VDL_ANY ? s->t : Same[s->node];
    void *v = zeroed(t);

    ck_assert(vdl_type_equal(t, s->t));
    ck_assert(vdl_type_compatible(s->t, t));
    decode_as(&s->stream, t, v);
    ck_assert(vdl_equal(s->t, v, s->v));
    check_encodes(s, t, v);
}

/* What the small decoder takes is what the other one makes of it. */
static void decodes_leanly(const struct sample *s, const struct vdl_type *t)
{
    static const struct vom_limits limits = VOM_LIMITS_HOST;
    void *v = zeroed(t), *w = zeroed(t);
    struct v23_bytes in = v23_bytes(s->stream.p, s->stream.n);

    if (vom_decode_lean(in, &limits, &arena, t, v, NULL) != 0)
        return;
    decode_as(&s->stream, t, w);
    ck_assert(vdl_equal(t, v, w));
}

static void copies(const struct sample *s)
{
    void *v = zeroed(s->t);

    ck_assert_int_eq(vdl_copy(&arena, s->t, v, s->v), 0);
    ck_assert(vdl_equal(s->t, v, s->v));
    check_encodes(s, s->t, v);
    ck_assert_int_eq(vdl_is_zero(s->t, v), vdl_is_zero(s->t, s->v));
}

/* As bytes: alone, and in a list of anys. */
static void passes_raw(const struct sample *s)
{
    struct vom_raw raw;
    struct vdl_any holder = {&vom_raw_desc, &raw}, plain = as_any(s), v;
    struct vdl_list l = {&holder, 1}, m = {&plain, 1};
    struct v23_buf a, b;

    decode_as(&s->stream, &vom_raw_desc, &raw);
    check_encodes(s, &vom_raw_desc, &raw);
    encode(&vdl_any_list_desc, &l, &a);
    encode(&vdl_any_list_desc, &m, &b);
    check_same_bytes(&a, &b);
    v23_buf_fini(&a);
    v23_buf_fini(&b);
    ck_assert_int_eq(vom_raw_decode(&raw, NULL, &arena, NULL, &v), 0);
    ck_assert(vdl_any_equal(v, holder));
    check_encodes(s, &vdl_any_desc, &v);
}

static void codes_with_blob(const struct sample *s)
{
    struct v23_buf bytes, b;
    struct vom_blob blob;
    void *v = zeroed(s->t);
    int rc;

    v23_buf_init(&bytes, &mem.al, 1u << 20);
    v23_buf_init(&b, &mem.al, 1u << 24);
    rc = vom_blob_make(&mem.al, s->t, &bytes, &blob);
    if ((s->t->flags & (VDL_T_ANY | VDL_T_TYPEOBJECT)) != 0) {
        ck_assert_int_eq(rc, V23_EARG);
    } else {
        ck_assert_int_eq(rc, 0);
        ck_assert_int_eq(vom_blob_encode(&blob, s->v, &b), 0);
        check_same_bytes(&b, &s->stream);
        ck_assert_int_eq(
            vom_blob_decode(&blob, v23_bytes(b.p, b.n), &arena, v, NULL), 0);
        ck_assert(vdl_equal(s->t, v, s->v));
    }
    v23_buf_fini(&bytes);
    v23_buf_fini(&b);
}

/* Every prefix is an error and leaves no trace. */
static void is_no_value_when_cut(const struct sample *s)
{
    size_t n, used, step = 1 + s->stream.n / 200;
    struct vdl_any v;
    uint8_t *part;
    int rc;

    for (n = 0; n < s->stream.n; n += step) {
        part = v23_get(&mem.al, n + 1); /* a sanitizer sees reads beyond */
        memcpy(part, s->stream.p, n);
        used = arena.used;
        rc = vom_decode_single(part, n, NULL, &arena, NULL, &v, NULL);
        ck_assert_int_eq(rc, V23_EEOF);
        ck_assert_uint_eq(arena.used, used);
        v23_put(&mem.al, part);
    }
}

/* A changed byte gives a value or an error. */
static void survives_damage(const struct sample *s)
{
    struct v23_arena a;
    struct vdl_any v;
    size_t at, i;
    uint8_t was;

    for (i = 0; i < 20; i++) {
        at = rt_below(&R, (uint32_t)s->stream.n);
        was = s->stream.p[at];
        s->stream.p[at] = (uint8_t)rt_next(&R);
        v23_arena_init(&a, &mem.al, 1u << 26);
        (void)(vom_decode_single(
                   s->stream.p, s->stream.n, NULL, &a, NULL, &v, NULL) == 0);
        v23_arena_fini(&a);
        s->stream.p[at] = was;
    }
}

/* ---- text ---------------------------------------------------------------- */

/* Longer texts repeat unnamed types more often than can be told apart. */
#define TYPE_TEXT 1500

static void reads_its_text(const struct sample *s)
{
    struct vdl_parse_error err;
    const struct vdl_type *t;
    struct vdl_any v;
    struct v23_buf b;

    v23_buf_init(&b, &mem.al, 1u << 24);
    if (vdl_type_format(s->t, TYPE_TEXT, &b) == 0) {
        ck_assert_int_eq(
            vdl_type_parse(types, vdl_strn((const char *)b.p, b.n), &t, &err),
            0);
        ck_assert(vdl_type_equal(t, s->t));
        v23_buf_cut(&b, 0);
        ck_assert_int_eq(vdl_format(s->t, s->v, false, &b), 0);
        ck_assert_int_eq(
            vdl_parse(vdl_strn((const char *)b.p, b.n), &arena, &v, &err), 0);
        if (s->t->kind != VDL_ANY) {
            ck_assert(vdl_any_equal(v, as_any(s)));
            check_encodes(s, v.type, v.val);
        }
    }
    v23_buf_fini(&b);
}

/* ---- conversion ---------------------------------------------------------- */

/* To a changed type by the decoder and by value, and back. */
static void converts_and_back(const struct sample *s)
{
    const struct vdl_type *t = Other[s->node];
    void *there = zeroed(t), *by_value = zeroed(t), *back = zeroed(s->t);
    struct v23_buf a, b;

    if (s->t->kind == VDL_ANY)
        return;
    ck_assert(vdl_type_compatible(s->t, t));
    decode_as(&s->stream, t, there);
    ck_assert_int_eq(vdl_convert(&arena, t, by_value, s->t, s->v), 0);
    ck_assert(vdl_equal(t, there, by_value));
    encode(t, there, &a);
    encode(t, by_value, &b);
    check_same_bytes(&a, &b);
    decode_as(&a, s->t, back);
    ck_assert(vdl_equal(s->t, back, s->v));
    check_encodes(s, s->t, back);
    v23_buf_fini(&a);
    v23_buf_fini(&b);
}

/* Into a type of another value: refused or not, alike by both ways. */
static void converts_to_anything_or_not(
    const struct sample *s, const struct vdl_type *t)
{
    void *direct = zeroed(t), *by_value = zeroed(t);
    int rc, rc2;

    if (t->size > 65536 || s->t->kind == VDL_ANY)
        return;
    rc = vom_decode_single(
        s->stream.p, s->stream.n, NULL, &arena, t, direct, NULL);
    rc2 = vdl_convert(&arena, t, by_value, s->t, s->v);
    ck_assert_int_eq(rc == 0, rc2 == 0);
    if (rc == 0)
        ck_assert(vdl_equal(t, direct, by_value));
    else if (rc != V23_ECOMPAT)
        ck_assert(rc == V23_ECONVERT || rc == V23_EINT);
}

/* ---- several values on one encoder --------------------------------------- */

static void reads_all(struct vom_dec *d, struct v23_buf *in)
{
    size_t at = 0, have = 0, used;
    struct vdl_any v;
    struct vom_msg m;
    uint32_t i;
    int rc;

    for (i = 0; i < VALUES;) {
        rc = vom_dec_next(d, in->p + at, have, &used, &m);
        at += used;
        have -= used;
        if (rc == V23_EAGAIN) {
            ck_assert_uint_lt(at + have, in->n);
            have += 1 + rt_below(&R, 40);
            if (at + have > in->n)
                have = in->n - at;
            continue;
        }
        ck_assert_int_eq(rc, 0);
        ck_assert_int_eq(vom_dec_value(d, &m, &arena, NULL, &v), 0);
        check_encodes(&S[i++], &vdl_any_desc, &v);
    }
    ck_assert_uint_eq(at, in->n);
}

static void streams(bool split)
{
    struct v23_buf type_bytes, value_bytes;
    struct vom_typedec *td;
    struct vom_typeenc te;
    struct vom_enc e;
    struct vom_dec d;
    uint32_t i;
    size_t used;

    v23_buf_init(&type_bytes, &mem.al, 1u << 24);
    v23_buf_init(&value_bytes, &mem.al, 1u << 24);
    vom_typeenc_init(&te, &mem.al, split ? &type_bytes : &value_bytes);
    vom_enc_init(&e, &te, &value_bytes);
    for (i = 0; i < VALUES; i++)
        ck_assert_int_eq(vom_encode(&e, S[i].t, S[i].v), 0);
    vom_enc_fini(&e);
    vom_typeenc_fini(&te);
    ck_assert_int_eq(vom_typedec_new(&mem.al, NULL, &td), 0);
    vom_dec_init(&d, NULL, td, split);
    ck_assert_int_eq(
        vom_typedec_input(td, type_bytes.p, type_bytes.n, &used), 0);
    ck_assert_uint_eq(used, type_bytes.n);
    reads_all(&d, &value_bytes);
    ck_assert_int_eq(v23_arena_hold(&arena, vom_typedec_ref(td)), 0);
    vom_dec_fini(&d);
    vom_typedec_unref(td);
    v23_buf_fini(&type_bytes);
    v23_buf_fini(&value_bytes);
}

/* ---- rounds -------------------------------------------------------------- */

START_TEST(random_values_survive_every_way)
{
    uint32_t i;

    ck_assert_int_eq(vdl_types_new(&mem.al, NULL, &Again), 0);
    ck_assert_int_eq(vdl_types_new(&mem.al, NULL, &Changed), 0);
    make((uint32_t)_i);
    for (i = 0; i < VALUES; i++) {
        decodes_dynamically(&S[i]);
        recognizes_types(&S[i]);
        decodes_into_equal_types(&S[i]);
        decodes_leanly(&S[i], S[i].t);
        decodes_leanly(&S[i], Other[S[i].node]);
        copies(&S[i]);
        passes_raw(&S[i]);
        codes_with_blob(&S[i]);
        reads_its_text(&S[i]);
        converts_and_back(&S[i]);
        converts_to_anything_or_not(&S[i], S[(i + 1) % VALUES].t);
        is_no_value_when_cut(&S[i]);
        survives_damage(&S[i]);
    }
    streams(false);
    streams(true);
    for (i = 0; i < VALUES; i++)
        v23_buf_fini(&S[i].stream);
    vdl_types_unref(Again);
    vdl_types_unref(Changed);
}
END_TEST

static int number_from(const char *name, int otherwise)
{
    const char *given = getenv(name);

    return given == NULL ? otherwise : (int)strtol(given, NULL, 10);
}

static void fill(TCase *tc)
{
    int seed = number_from("PROPERTY_SEED", 1);

    tcase_add_loop_test(tc, random_values_survive_every_way, seed,
        seed + number_from("PROPERTY_ROUNDS", ROUNDS));
}

int main(void)
{
    return run_suite("libvom/property", fill);
}

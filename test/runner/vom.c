/* BSD-3-Clause; see LICENSE. */
/* Vectors of the family vom/ (test/vectors/README.md, spec/vom.md 18). */
#include "vom_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <vom/dec.h>
#include <vom/enc.h>
#include <vom/raw.h>
#include <vom/value.h>
#include <vom/vom80.h>

/* Most memory one case may use for values. */
#define BUDGET ((size_t)64 << 20)

/* ---- helpers ------------------------------------------------------------- */

/* The type of a dynamically decoded value; that of any(nil) is any. */
static const struct vdl_type *type_of(const struct vdl_any *v)
{
    return v->type == NULL ? &vdl_any_desc : v->type;
}

/* The C value that type_of() describes. */
static const void *content_of(const struct vdl_any *v)
{
    return v->type == NULL ? v : v->val;
}

/* The text of a value of any type equals `want`, and can be read again. */
static bool same_value(struct run_case *c, const struct vdl_type *t,
    const void *v, const char *want)
{
    struct v23_buf b;
    bool ok;
    int rc;

    v23_buf_init(&b, NULL, SIZE_MAX);
    rc = vdl_format(t, v, true, &b);
    ok = rc == 0 && strcmp(v23_buf_cstr(&b), want) == 0;
    if (!ok)
        run_fail(c, "value is %s (%s), not %s", v23_buf_cstr(&b),
            v23_strerror(rc), want);
    v23_buf_fini(&b);
    return ok && run_vom_text(c, t, v, want);
}

static bool same_type(
    struct run_case *c, const struct vdl_type *t, const char *want)
{
    struct v23_buf b;
    bool ok;
    int rc;

    v23_buf_init(&b, NULL, SIZE_MAX);
    rc = vdl_type_format(t, 1 << 20, &b);
    ok = rc == 0 && strcmp(v23_buf_cstr(&b), want) == 0;
    if (!ok)
        run_fail(c, "type is %s (%s), not %s", v23_buf_cstr(&b),
            v23_strerror(rc), want);
    v23_buf_fini(&b);
    return ok;
}

static bool same_any(struct run_case *c, const struct vdl_any *v,
    const char *type, const char *value)
{
    return same_type(c, type_of(v), type) &&
           same_value(c, type_of(v), content_of(v), value);
}

static bool same_bytes(struct run_case *c, const char *what,
    const struct v23_buf *got, struct v23_bytes want)
{
    if (got->n == want.n &&
        (want.n == 0 || memcmp(got->p, want.p, want.n) == 0))
        return true;
    return run_fail(c, "%s gives %s", what, unhex(got->p, got->n));
}

/* Encoding v on a fresh stream gives `want`. */
static bool encodes_to(struct run_case *c, const struct vdl_type *t,
    const void *v, struct v23_bytes want)
{
    struct v23_buf b;
    bool ok;
    int rc;

    v23_buf_init(&b, NULL, SIZE_MAX);
    rc = vom_encode_single(NULL, t, v, &b);
    ok = rc == 0 ? same_bytes(c, "encoding", &b, want)
                 : run_fail(c, "encoding fails: %s", v23_strerror(rc));
    v23_buf_fini(&b);
    return ok;
}

static const struct vom_options with_v80 = {
    .limits = VOM_LIMITS_HOST, .v80 = &vom_v80, .converter = &vom_converter};

static int decode(struct v23_arena *a, struct v23_bytes in,
    const struct vdl_type *t, void *out)
{
    return vom_decode_single(in.p, in.n, NULL, a, t, out, NULL);
}

static bool decode_any(struct run_case *c, struct v23_arena *a,
    const char *member, struct vdl_any *out)
{
    int rc = decode(a, run_hex(c, member), NULL, out);

    return rc == 0 ||
           run_fail(c, "decoding %s fails: %s", member, v23_strerror(rc));
}

/* Version byte and messages in fresh memory; nothing for no messages. */
static struct v23_bytes with_version(uint8_t version, struct v23_bytes messages)
{
    uint8_t *p = malloc(messages.n + 1);

    if (p == NULL)
        abort();
    if (messages.n == 0)
        return v23_bytes(p, 0);
    p[0] = version;
    memcpy(p + 1, messages.p, messages.n);
    return v23_bytes(p, messages.n + 1);
}

/* Read a value stream whose types have a stream of their own. */
struct split {
    struct vom_typedec *types;
    struct vom_dec dec;
};

static int split_open(
    struct split *s, const struct vom_options *opt, struct v23_bytes types)
{
    size_t used = 0;
    int rc = vom_typedec_new(NULL, opt, &s->types);

    if (rc != 0)
        return rc;
    vom_dec_init(&s->dec, NULL, s->types, true);
    rc = vom_typedec_input(s->types, types.p, types.n, &used);
    if (rc == 0 && used != types.n)
        rc = V23_ELENGTH;
    return rc;
}

static void split_close(struct split *s)
{
    vom_dec_fini(&s->dec);
    vom_typedec_unref(s->types);
}

static int next_value(struct vom_dec *d, struct v23_bytes *in,
    struct v23_arena *a, struct vdl_any *out)
{
    struct vom_msg msg;
    size_t used = 0;
    int rc = vom_dec_next(d, in->p, in->n, &used, &msg);

    if (rc != 0)
        return rc;
    rc = vom_dec_value(d, &msg, a, NULL, out);
    in->p += used;
    in->n -= used;
    return rc;
}

/* Encoding v gives `want`, or, with sets and maps, the value `text` again. */
static bool codes_to(struct run_case *c, const struct vdl_type *t,
    const void *v, struct v23_bytes want, const char *text)
{
    struct v23_arena a;
    struct v23_buf b;
    void *again;
    bool ok;
    int rc;

    if (!run_has(c, "unordered") || !run_bool(c, "unordered"))
        return encodes_to(c, t, v, want);
    v23_arena_init(&a, NULL, BUDGET);
    v23_buf_init(&b, NULL, SIZE_MAX);
    again = v23_arena_get0(&a, 1, t->size, t->align);
    rc = vom_encode_single(NULL, t, v, &b);
    if (rc == 0)
        rc = decode(&a, v23_bytes(b.p, b.n), t, again);
    ok = rc == 0 ? same_value(c, t, again, text)
                 : run_fail(c, "coding again: %s", v23_strerror(rc));
    if (ok && !vdl_equal(t, v, again) && strstr(text, "NaN") == NULL)
        ok = run_fail(c, "the value coded again is not equal");
    v23_buf_fini(&b);
    v23_arena_fini(&a);
    return ok;
}

/* ---- pass, hand ---------------------------------------------------------- */

static bool decodes_split(
    struct run_case *c, struct v23_arena *a, uint8_t version)
{
    struct v23_bytes types = with_version(version, run_hex(c, "hex_type"));
    struct v23_bytes values = with_version(version, run_hex(c, "hex_value"));
    struct v23_bytes rest = values;
    struct split s;
    struct vdl_any v;
    bool ok;
    int rc;

    rc = split_open(&s, &with_v80, types);
    if (rc == 0)
        rc = next_value(&s.dec, &rest, a, &v);
    if (rc != 0)
        ok = run_fail(c, "split streams: %s", v23_strerror(rc));
    else if (rest.n != 0)
        ok = run_fail(c, "split streams: %zu bytes left", rest.n);
    else
        ok = same_any(c, &v, run_str(c, "type"), run_str(c, "value"));
    split_close(&s);
    free((void *)(uintptr_t)types.p);
    free((void *)(uintptr_t)values.p);
    return ok;
}

/* Kept as bytes and written again, also inside another value. */
static bool passes_raw(
    struct run_case *c, struct v23_arena *a, const struct vdl_any *v)
{
    struct vom_raw raw;
    struct vdl_any holder = {&vom_raw_desc, &raw};
    struct vdl_list list = {&holder, 1}, plain = {v, 1};
    struct v23_buf want;
    bool ok;
    int rc = decode(a, run_hex(c, "hex"), &vom_raw_desc, &raw);

    if (rc != 0)
        return run_fail(c, "decoding as raw: %s", v23_strerror(rc));
    if (!encodes_to(c, &vom_raw_desc, &raw, run_hex(c, "hex")))
        return false;
    v23_buf_init(&want, NULL, SIZE_MAX);
    rc = vom_encode_single(NULL, &vdl_any_list_desc, &plain, &want);
    if (rc != 0)
        ok = run_fail(c, "encoding as any: %s", v23_strerror(rc));
    else
        ok =
            encodes_to(c, &vdl_any_list_desc, &list, v23_bytes(want.p, want.n));
    v23_buf_fini(&want);
    return ok;
}

static bool pass_value(struct run_case *c, struct v23_arena *a)
{
    struct vdl_any v, copy;
    int rc;

    if (!decode_any(c, a, "hex", &v) ||
        !same_any(c, &v, run_str(c, "type"), run_str(c, "value")))
        return false;
    if (!codes_to(c, type_of(&v), content_of(&v), run_hex(c, "hex"),
            run_str(c, "value")))
        return false;
    if (!passes_raw(c, a, &v))
        return false;
    rc = vdl_copy(a, &vdl_any_desc, &copy, &v);
    if (rc != 0)
        return run_fail(c, "copying: %s", v23_strerror(rc));
    return same_any(c, &copy, run_str(c, "type"), run_str(c, "value"));
}

static bool run_pass(struct run_case *c)
{
    struct v23_arena a;
    bool ok;

    v23_arena_init(&a, NULL, BUDGET);
    ok = pass_value(c, &a);
    if (ok && run_has(c, "hex_value"))
        ok = decodes_split(c, &a, VOM_VERSION);
    v23_arena_fini(&a);
    return ok;
}

/* ---- version 0x80 -------------------------------------------------------- */

/* The value is read, and comes out the same in the newer version. */
static bool value80(struct run_case *c, struct v23_arena *a)
{
    struct v23_bytes in = run_hex(c, "hex");
    struct vdl_any v, again;
    struct v23_buf b;
    int rc;

    rc = vom_decode_single(in.p, in.n, &with_v80, a, NULL, &v, NULL);
    if (rc != 0)
        return run_fail(c, "decoding fails: %s", v23_strerror(rc));
    if (!same_any(c, &v, run_str(c, "type"), run_str(c, "value")))
        return false;
    v23_buf_init(&b, NULL, SIZE_MAX);
    rc = vom_encode_single(NULL, type_of(&v), content_of(&v), &b);
    if (rc == 0)
        rc = decode(a, v23_bytes(b.p, b.n), NULL, &again);
    v23_buf_fini(&b);
    if (rc != 0)
        return run_fail(c, "coding again: %s", v23_strerror(rc));
    return same_any(c, &again, run_str(c, "type"), run_str(c, "value"));
}

static bool run_pass80(struct run_case *c)
{
    struct v23_bytes in = run_hex(c, "hex");
    struct v23_arena a;
    struct vdl_any v;
    bool ok;

    v23_arena_init(&a, NULL, BUDGET);
    ok = vom_decode_single(in.p, in.n, NULL, &a, NULL, &v, NULL) ==
             V23_EVERSION ||
         run_fail(c, "is accepted without the option");
    ok = ok && value80(c, &a) && decodes_split(c, &a, VOM_VERSION_80);
    v23_arena_fini(&a);
    return ok;
}

/* ---- fail, strict -------------------------------------------------------- */

static int decode_first(struct run_case *c, struct v23_arena *a)
{
    struct v23_bytes in = run_hex(c, "hex");
    struct vdl_any v;
    size_t used;

    return vom_decode_single(in.p, in.n, NULL, a, NULL, &v, &used);
}

static bool run_fails(struct run_case *c)
{
    struct v23_arena a;
    int rc;

    v23_arena_init(&a, NULL, BUDGET);
    rc = decode_first(c, &a);
    v23_arena_fini(&a);
    if (rc == V23_EAGAIN)
        return run_fail(c, "asks for more input");
    return rc != 0 || run_fail(c, "is accepted");
}

static bool run_strict(struct run_case *c)
{
    bool reject = strcmp(run_str(c, "require"), "reject") == 0;
    struct tst_alloc t;
    struct v23_arena a;
    clock_t begin = clock();
    size_t used;
    int rc;

    tst_alloc_init(&t);
    v23_arena_init(&a, &t.al, BUDGET);
    rc = decode_first(c, &a);
    used = t.peak;
    v23_arena_fini(&a);
    if (reject && rc == 0)
        return run_fail(c, "is accepted");
    if (used > 4096 * run_hex(c, "hex").n + 65536)
        return run_fail(c, "takes %zu bytes", used);
    if (clock() - begin > CLOCKS_PER_SEC)
        return run_fail(c, "takes longer than a second");
    return true;
}

/* ---- lenient ------------------------------------------------------------- */

/* A record that a strict decoder may reject is rejected unless told to be
 * lax (spec/vom.md 7). */
static bool run_lenient(struct run_case *c)
{
    struct vom_options opt = vom_options_host;
    struct v23_bytes in = run_hex(c, "hex");
    struct v23_arena a;
    struct vdl_any v;
    size_t used;
    bool ok;
    int rc;

    opt.lax_any_lengths = strstr(run_str(c, "why"), "may reject") != NULL;
    if (opt.lax_any_lengths && !run_fails(c))
        return false;
    v23_arena_init(&a, NULL, BUDGET);
    rc = vom_decode_single(in.p, in.n, &opt, &a, NULL, &v, &used);
    ok = rc == 0 || run_fail(c, "decoding fails: %s", v23_strerror(rc));
    ok = ok && same_any(c, &v, run_str(c, "type"), run_str(c, "value"));
    if (ok && run_has(c, "canonical_hex"))
        ok = encodes_to(c, &vdl_any_desc, &v, run_hex(c, "canonical_hex"));
    v23_arena_fini(&a);
    return ok;
}

/* ---- stream, js ---------------------------------------------------------- */

static const cJSON *item(struct run_case *c, const char *list, int i)
{
    return cJSON_GetArrayItem(
        cJSON_GetObjectItemCaseSensitive(c->json, list), i);
}

static const char *text_item(struct run_case *c, const char *list, int i)
{
    const cJSON *v = item(c, list, i);

    if (!cJSON_IsString(v)) {
        run_fail(c, "record has no text %s[%d]", list, i);
        return "";
    }
    return v->valuestring;
}

static int items(struct run_case *c, const char *list)
{
    return cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(c->json, list));
}

/* Decode all values of a stream and compare them with types and values. */
static bool read_values(struct run_case *c, struct vom_dec *d,
    struct v23_arena *a, struct v23_bytes in, struct vdl_any *out)
{
    int i, n = items(c, "values"), rc;

    for (i = 0; i < n; i++) {
        rc = next_value(d, &in, a, &out[i]);
        if (rc != 0)
            return run_fail(c, "value %d: %s", i, v23_strerror(rc));
        if (!same_any(c, &out[i], text_item(c, "types", i),
                text_item(c, "values", i)))
            return false;
    }
    return in.n == 0 || run_fail(c, "%zu bytes left", in.n);
}

static bool read_single(
    struct run_case *c, struct v23_arena *a, struct vdl_any *out)
{
    struct v23_bytes in = run_hex(c, "hex");
    struct vom_typedec *types = NULL;
    struct vom_dec d;
    bool ok;

    if (vom_typedec_new(NULL, NULL, &types) != 0)
        return run_fail(c, "out of memory");
    vom_dec_init(&d, NULL, types, false);
    ok = read_values(c, &d, a, in, out);
    vom_dec_fini(&d);
    v23_arena_hold(a, vom_typedec_ref(types)) == 0 || (ok = false);
    vom_typedec_unref(types);
    return ok;
}

static bool read_split(
    struct run_case *c, struct v23_arena *a, struct vdl_any *out)
{
    struct split s;
    bool ok;
    int rc;

    rc = split_open(&s, NULL, run_hex(c, "type_stream"));
    ok = rc == 0 || run_fail(c, "type stream: %s", v23_strerror(rc));
    if (ok)
        ok = read_values(c, &s.dec, a, run_hex(c, "value_stream"), out);
    split_close(&s);
    return ok;
}

/* What `b` got since `*from` is parts[i]. */
static bool same_part(struct run_case *c, const char *parts, int i,
    const struct v23_buf *b, size_t *from)
{
    struct v23_bytes want = hex(text_item(c, parts, i));
    bool ok = b->n - *from == want.n &&
              (want.n == 0 || memcmp(b->p + *from, want.p, want.n) == 0);

    if (!ok)
        run_fail(
            c, "%s[%d] is %s", parts, i, unhex(b->p + *from, b->n - *from));
    *from = b->n;
    return ok;
}

static bool write_values(
    struct run_case *c, const struct vdl_any *v, bool split)
{
    const char *vparts = split ? "value_parts" : "parts";
    struct v23_buf types, values, *tout = split ? &types : &values;
    size_t tfrom = 0, vfrom = 0;
    struct vom_typeenc te;
    struct vom_enc e;
    int i, n = items(c, "values"), rc;
    bool ok = true;

    v23_buf_init(&types, NULL, SIZE_MAX);
    v23_buf_init(&values, NULL, SIZE_MAX);
    vom_typeenc_init(&te, NULL, tout);
    vom_enc_init(&e, &te, &values);
    for (i = 0; i < n && ok; i++) {
        rc = vom_encode(&e, &vdl_any_desc, &v[i]);
        ok = rc == 0 || run_fail(c, "encoding %d: %s", i, v23_strerror(rc));
        if (ok)
            ok = same_part(c, vparts, i, &values, &vfrom);
        if (ok && split)
            ok = same_part(c, "type_parts", i, &types, &tfrom);
    }
    vom_enc_fini(&e);
    vom_typeenc_fini(&te);
    v23_buf_fini(&types);
    v23_buf_fini(&values);
    return ok;
}

static bool run_stream(struct run_case *c)
{
    int n = items(c, "values");
    struct vdl_any *v = calloc((size_t)n + 1, sizeof(*v));
    struct v23_arena a;
    bool ok;

    if (v == NULL)
        abort();
    v23_arena_init(&a, NULL, BUDGET);
    ok = read_single(c, &a, v) && write_values(c, v, false) &&
         write_values(c, v, true) && read_split(c, &a, v);
    v23_arena_fini(&a);
    free(v);
    return ok;
}

/* All values on one stream give `want`. */
static bool all_encode_to(
    struct run_case *c, const struct vdl_any *v, struct v23_bytes want)
{
    struct vom_typeenc te;
    struct vom_enc e;
    struct v23_buf b;
    int i, n = items(c, "values"), rc = 0;
    bool ok;

    v23_buf_init(&b, NULL, SIZE_MAX);
    vom_typeenc_init(&te, NULL, &b);
    vom_enc_init(&e, &te, &b);
    for (i = 0; i < n && rc == 0; i++)
        rc = vom_encode(&e, &vdl_any_desc, &v[i]);
    ok = rc == 0 ? same_bytes(c, "encoding", &b, want)
                 : run_fail(c, "encoding fails: %s", v23_strerror(rc));
    vom_enc_fini(&e);
    vom_typeenc_fini(&te);
    v23_buf_fini(&b);
    return ok;
}

static bool run_js(struct run_case *c)
{
    struct v23_arena a;
    struct vdl_any v[16];
    bool ok;

    if (items(c, "values") > 16)
        return run_fail(c, "too many values");
    v23_arena_init(&a, NULL, BUDGET);
    ok = read_single(c, &a, v);
    ok = ok && all_encode_to(c, v, run_hex(c, "go_hex"));
    v23_arena_fini(&a);
    if (run_bool(c, "same") !=
        (strcmp(run_str(c, "hex"), run_str(c, "go_hex")) == 0))
        return run_fail(c, "\"same\" is wrong");
    return ok;
}

/* ---- types, compat ------------------------------------------------------- */

static const struct vdl_type *decode_type(
    struct run_case *c, struct v23_arena *a, const char *member)
{
    const struct vdl_type *t = NULL;
    int rc = decode(a, run_hex(c, member), &vdl_typeobject_desc, &t);

    if (rc != 0) {
        run_fail(c, "decoding %s fails: %s", member, v23_strerror(rc));
        return NULL;
    }
    return t == NULL ? &vdl_any_desc : t;
}

static bool same_bool(struct run_case *c, const char *member, bool got)
{
    return run_bool(c, member) == got ||
           run_fail(c, "%s is %s", member, got ? "true" : "false");
}

static bool check_type(struct run_case *c, const struct vdl_type *t)
{
    const char *kind = vdl_kind_name((enum vdl_kind)t->kind);

    if (strcmp(kind, run_str(c, "kind")) != 0)
        return run_fail(c, "kind is %s", kind);
    if (!vdl_str_is(t->name, run_str(c, "type_name")))
        return run_fail(c, "name is %.*s", (int)t->name.n, t->name.p);
    return same_type(c, t, run_str(c, "unique")) &&
           same_bool(c, "can_be_key", vdl_type_can_be_key(t)) &&
           same_bool(c, "can_be_named", vdl_type_can_be_named(t)) &&
           same_bool(c, "can_be_optional", vdl_type_can_be_optional(t)) &&
           same_bool(c, "is_bytes", vdl_type_is_bytes(t)) &&
           same_bool(c, "contains_any", (t->flags & VDL_T_ANY) != 0) &&
           same_bool(
               c, "contains_typeobject", (t->flags & VDL_T_TYPEOBJECT) != 0) &&
           encodes_to(c, &vdl_typeobject_desc, &t, run_hex(c, "hex"));
}

static bool run_types(struct run_case *c)
{
    const struct vdl_type *t;
    struct v23_arena a;
    bool ok;

    v23_arena_init(&a, NULL, BUDGET);
    t = decode_type(c, &a, "hex");
    ok = t != NULL && check_type(c, t);
    v23_arena_fini(&a);
    return ok;
}

static bool run_compat(struct run_case *c)
{
    const struct vdl_type *x, *y;
    struct v23_arena a;
    bool ok = false;

    v23_arena_init(&a, NULL, BUDGET);
    x = decode_type(c, &a, "a_hex");
    y = decode_type(c, &a, "b_hex");
    if (x != NULL && y != NULL)
        ok = same_bool(c, "compatible", vdl_type_compatible(x, y));
    v23_arena_fini(&a);
    return ok;
}

/* ---- convert ------------------------------------------------------------- */

/* The target type: that of the value in `member`, unless it is any. */
static const struct vdl_type *target_type(
    struct run_case *c, struct v23_arena *a, const char *member)
{
    struct vdl_any v;

    if (strcmp(run_str(c, "target_type"), "any") == 0)
        return &vdl_any_desc;
    return decode_any(c, a, member, &v) ? type_of(&v) : NULL;
}

static bool is_target(
    struct run_case *c, const struct vdl_type *t, const void *v)
{
    return same_value(c, t, v, run_str(c, "target_value")) &&
           codes_to(
               c, t, v, run_hex(c, "target_hex"), run_str(c, "target_value"));
}

/* The same conversion from a decoded value. */
static bool convert_value(struct run_case *c, struct v23_arena *a,
    const struct vdl_type *t, void *out)
{
    struct vdl_any v;
    int rc;

    if (!decode_any(c, a, "hex", &v) ||
        !same_any(c, &v, run_str(c, "source_type"), run_str(c, "source_value")))
        return false;
    rc = vdl_convert(a, t, out, &vdl_any_desc, &v);
    return (rc == 0 || run_fail(c, "converting: %s", v23_strerror(rc))) &&
           is_target(c, t, out);
}

static bool run_convert(struct run_case *c)
{
    const struct vdl_type *t;
    struct v23_arena a;
    bool ok = false;
    void *v;
    int rc;

    v23_arena_init(&a, NULL, BUDGET);
    t = target_type(c, &a, "target_hex");
    if (t != NULL) {
        v = v23_arena_get0(&a, 1, t->size, t->align);
        rc = decode(&a, run_hex(c, "hex"), t, v);
        ok = (rc == 0 || run_fail(c, "decoding: %s", v23_strerror(rc))) &&
             is_target(c, t, v) && convert_value(c, &a, t, v);
    }
    v23_arena_fini(&a);
    return ok;
}

static bool run_convert_fail(struct run_case *c)
{
    const struct vdl_type *t;
    struct v23_arena a;
    struct vdl_any any;
    bool ok = false;
    void *v;
    int rc;

    v23_arena_init(&a, NULL, BUDGET);
    t = target_type(c, &a, "target_zero_hex");
    if (t != NULL && decode_any(c, &a, "hex", &any)) {
        v = v23_arena_get0(&a, 1, t->size, t->align);
        rc = decode(&a, run_hex(c, "hex"), t, v);
        ok = rc == V23_ECOMPAT || rc == V23_ECONVERT || rc == V23_EINT ||
             run_fail(c, "decoding gives: %s", v23_strerror(rc));
        if (ok && vdl_convert(&a, t, v, &vdl_any_desc, &any) == 0)
            ok = run_fail(c, "the decoded value converts");
    }
    v23_arena_fini(&a);
    return ok;
}

static const struct run_file files[] = {
    {"vom81_pass.jsonl", run_pass, NULL, NULL, NULL, NULL},
    {"vom81_hand.jsonl", run_pass, NULL, NULL, NULL, NULL},
    {"vom81_lenient.jsonl", run_lenient, NULL, NULL, NULL, NULL},
    {"vom81_fail.jsonl", run_fails, NULL, NULL, NULL, NULL},
    {"vom81_strict.jsonl", run_strict, NULL, NULL, NULL, NULL},
    {"vom81_stream.jsonl", run_stream, NULL, NULL, NULL, NULL},
    {"vom81_js.jsonl", run_js, NULL, NULL, NULL, NULL},
    {"vom81_types.jsonl", run_types, NULL, NULL, NULL, NULL},
    {"vom81_compat.jsonl", run_compat, NULL, NULL, NULL, NULL},
    {"vom81_convert.jsonl", run_convert, NULL, NULL, NULL, NULL},
    {"vom81_convert_fail.jsonl", run_convert_fail, NULL, NULL, NULL, NULL},
    {"vom81_dump.jsonl", run_vom_dump, NULL, NULL, NULL, NULL},
    {"vom80_pass.jsonl", run_pass80, NULL, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

const struct run_family run_vom = {"vom", files, NULL};

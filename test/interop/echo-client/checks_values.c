/* BSD-3-Clause; see LICENSE. */
/* Values of every kind through Echo(any), payloads of every length, records. */
#include "client.h"

#include <math.h>

#include <vom/value.h>

#define PKG "\"" ECHO_PKG "\"."

struct echoed {
    struct echo_test *t;
    struct vdl_any value; /* copy */
    bool done;
};

static void note_error(struct echo_test *t, const struct v23_verror *err)
{
    echo_fail(t, "error %.*s: %.*s", (int)err->id.n, err->id.p,
        (int)err->msg.n, err->msg.p);
}

static void echo_done(void *ud, const struct v23_verror *err,
    const echo_echo_echo_out *out)
{
    struct echoed *e = ud;

    if (err != NULL)
        note_error(e->t, err);
    else if (vdl_copy(&e->t->a, &vdl_any_desc, &e->value, &out->result) != 0)
        echo_fail(e->t, "the result cannot be copied");
    e->done = true;
    vname_program_done(e->t->c->p);
}

/* Through the server and back; false after a failure. */
static bool echo_any(struct echo_test *t, struct vdl_any v,
    struct vdl_any *out)
{
    struct echoed e = { .t = t };

    if (echo_echo_echo_start(t->c->p->rt.client, echo_name(t, ""), &t->opts,
            v, echo_done, &e)
        == NULL) {
        echo_fail(t, "out of memory");
        return false;
    }
    echo_wait(t, &e.done);
    *out = e.value;
    return !t->failed;
}

static void check_same(struct echo_test *t, struct vdl_any v)
{
    struct vdl_any got;

    if (echo_any(t, v, &got))
        ECHO_CHECK(t, vdl_any_equal(v, got), "got %s, want %s",
            echo_text(t, got), echo_text(t, v));
}

/* ---- written as constants ------------------------------------------------ */

static const struct {
    const char *name, *value;
} values[] = {
    { "bool-true", "true" },
    { "bool-false", "false" },
    { "byte-0", "byte(0)" },
    { "byte-max", "byte(255)" },
    { "uint16-0", "uint16(0)" },
    { "uint16-max", "uint16(65535)" },
    { "uint32-0", "uint32(0)" },
    { "uint32-max", "uint32(4294967295)" },
    { "uint64-0", "uint64(0)" },
    { "uint64-127", "uint64(127)" },
    { "uint64-128", "uint64(128)" },
    { "uint64-max", "uint64(18446744073709551615)" },
    { "int8-min", "int8(-128)" },
    { "int8-max", "int8(127)" },
    { "int16-min", "int16(-32768)" },
    { "int16-max", "int16(32767)" },
    { "int32-min", "int32(-2147483648)" },
    { "int32-max", "int32(2147483647)" },
    { "int64-min", "int64(-9223372036854775808)" },
    { "int64-max", "int64(9223372036854775807)" },
    { "int64-0", "int64(0)" },
    { "int64-minus-1", "int64(-1)" },
    { "float32-0", "float32(0)" },
    { "float32-max", "float32(3.4028234663852886e38)" },
    { "float32-tiny", "float32(1e-45)" },
    { "float64-0", "float64(0)" },
    { "float64-max", "float64(1.7976931348623157e308)" },
    { "float64-tiny", "float64(5e-324)" },
    { "float64-pi", "float64(-3.141592653589793)" },
    { "string-empty", "\"\"" },
    { "string", "\"a string\"" },
    { "string-utf8", "\"gr\xc3\xbc\xc3\x9f \xe4\xb8\x96\xe7\x95\x8c "
                     "\xf0\x9f\x98\x80\"" },
    { "bytes-empty", "[]byte{}" },
    { "bytes", "[]byte{0, 1, 127, 128, 255}" },
    { "array", PKG "Quad{1, 2, 3, 4}" },
    { "array-zero", PKG "Quad{}" },
    { "array-unnamed", "[3]int32{-1, 0, 1}" },
    { "enum-first", PKG "Color(Red)" },
    { "enum-last", PKG "Color(Blue)" },
    { "struct", PKG "Point{X: 1, Y: -2}" },
    { "struct-zero", PKG "Point{}" },
    { "union-int", PKG "Variant{I: -5}" },
    { "union-string", PKG "Variant{S: \"s\"}" },
    { "union-list", PKG "Variant{P: {{X: 1, Y: 2}, {}}}" },
    { "list-empty", "[]int32{}" },
    { "list-int32", "[]int32{0, -1, 2147483647}" },
    { "list-uint64", "[]uint64{0, 18446744073709551615}" },
    { "list-float64", "[]float64{0.5, -1e100}" },
    { "list-bool", "[]bool{true, false, true}" },
    { "list-string", "[]string{\"\", \"a\", \"bc\"}" },
    { "list-bytes", "[][]byte{{}, {1}, {2, 3}}" },
    { "list-structs", "[]" PKG "Point{{X: 1}, {Y: 2}}" },
    { "lists-of-lists", "[][][]string{{}, {{}, {\"x\", \"y\"}}}" },
    { "set", "set[string]{\"a\", \"b\", \"\"}" },
    { "set-empty", "set[int64]{}" },
    { "set-numbers", "set[uint16]{0, 1, 65535}" },
    { "map", "map[string]int32{\"one\": 1, \"two\": 2}" },
    { "map-empty", "map[string]bool{}" },
    { "map-of-maps",
        "map[int8]map[string]float64{1: {\"a\": 0.5}, 2: {}}" },
    { "map-struct-key", "map[" PKG "Point]string{{X: 1, Y: 2}: \"p\"}" },
    { "map-any", "map[string]any{\"n\": int16(-3), \"s\": \"t\", "
                 "\"nil\": nil}" },
    { "list-any", "[]any{nil, true, \"s\", byte(1), []byte{2}, "
                  "[]any{int32(3)}}" },
    { "list-any-empty", "[]any{}" },
    { "time", "\"time\".Time{Seconds: 63881568000, Nanos: 123456789}" },
    { "time-zero", "\"time\".Time{}" },
    { "duration", "\"time\".Duration{Seconds: -5, Nanos: -500000000}" },
    { "typeobject-any", "typeobject(any)" },
    { "typeobject-bool", "typeobject(bool)" },
    { "typeobject-bytes", "typeobject([]byte)" },
    { "typeobject-map", "typeobject(map[string][]int64)" },
    { "typeobject-struct", "typeobject(" PKG "Record)" },
    { "typeobject-list", "[]typeobject{typeobject(any), typeobject("
                         PKG "Variant), typeobject(string)}" },
    { "record", PKG "Record{Name: \"n\", Data: {1, 2}, Flag: true, "
                "Color: Green, List: {\"l\"}, Attrs: {\"k\": uint32(7)}, "
                "Choice: {S: \"c\"}, Typ: typeobject(int8), "
                "Any: " PKG "Color(Blue)}" },
    { "record-zero", PKG "Record{}" },
};

static const char *value_name(size_t i)
{
    return values[i].name;
}

static void check_value(struct echo_test *t, size_t i)
{
    check_same(t, echo_parse(t, values[i].value, 1)[0]);
}

const struct echo_checks echo_value_checks = { "value",
    sizeof(values) / sizeof(values[0]), value_name, check_value };

/* ---- built by hand ------------------------------------------------------- */

static struct vdl_any any_of(const struct vdl_type *type, const void *v)
{
    struct vdl_any out;

    out.type = type;
    out.val = v;
    return out;
}

/* Floats are compared bit by bit. */
static void check_float(struct echo_test *t, const struct vdl_type *type,
    const void *v)
{
    struct vdl_any got;

    if (!echo_any(t, any_of(type, v), &got))
        return;
    ECHO_CHECK(t, got.type != NULL && vdl_type_equal(got.type, type),
        "got a value of another type");
    ECHO_CHECK(t, memcmp(got.val, v, type->size) == 0,
        "got %s, want %s", echo_text(t, got),
        echo_text(t, any_of(type, v)));
}

static void minus_zero(struct echo_test *t)
{
    double d = -0.0;

    check_float(t, &vdl_float64_desc, &d);
}

static void minus_zero32(struct echo_test *t)
{
    float f = -0.0f;

    check_float(t, &vdl_float32_desc, &f);
}

static void infinities(struct echo_test *t)
{
    double d = INFINITY;
    float f = -INFINITY;

    check_float(t, &vdl_float64_desc, &d);
    d = -d;
    check_float(t, &vdl_float64_desc, &d);
    check_float(t, &vdl_float32_desc, &f);
    f = -f;
    check_float(t, &vdl_float32_desc, &f);
}

static void any_nil(struct echo_test *t)
{
    check_same(t, any_of(NULL, NULL));
}

static struct vdl_types *new_types(struct echo_test *t)
{
    struct vdl_types *ts = NULL;

    if (vdl_types_new(NULL, NULL, &ts) != 0)
        echo_fail(t, "out of memory");
    return ts;
}

static void optional(struct echo_test *t, const echo_point *p)
{
    struct vdl_types *ts = new_types(t);
    const struct vdl_type *type;

    if (ts != NULL && vdl_types_optional(ts, &echo_point_desc, &type) == 0)
        check_same(t, any_of(type, &p));
    else
        echo_fail(t, "out of memory");
    vdl_types_unref(ts);
}

static void optional_nil(struct echo_test *t)
{
    optional(t, NULL);
}

static void optional_set(struct echo_test *t)
{
    echo_point p = { 3, -4 };

    optional(t, &p);
}

static void list_of_optionals(struct echo_test *t)
{
    struct vdl_types *ts = new_types(t);
    const struct vdl_type *opt, *list;
    echo_point p = { 1, 2 };
    const echo_point *v[3] = { NULL, &p, NULL };
    struct vdl_list l = { v, 3 };

    if (ts != NULL && vdl_types_optional(ts, &echo_point_desc, &opt) == 0
        && vdl_types_list(ts, opt, &list) == 0)
        check_same(t, any_of(list, &l));
    else
        echo_fail(t, "out of memory");
    vdl_types_unref(ts);
}

static void string_1mib(struct echo_test *t)
{
    size_t n = 1 << 20, i;
    char *p = echo_mem(t, n, 1);
    struct vdl_str s = vdl_strn(p, n);

    for (i = 0; i < n; i++)
        p[i] = (char)('a' + i % 26);
    check_same(t, any_of(&vdl_string_desc, &s));
}

static void bytes_1mib(struct echo_test *t)
{
    struct vdl_bytes b = echo_payload(t, 1 << 20);

    check_same(t, any_of(&vdl_bytes_desc, &b));
}

static const struct v23_verror *make_error(struct echo_test *t)
{
    struct v23_verror *e = ECHO_NEW(t, struct v23_verror, 1);

    e->id = vdl_str("v.io/v23/verror.NoExist");
    e->retry = V23_RETRY_BACKOFF;
    e->msg = vdl_str("prog:op: gone");
    e->params.v = echo_parse(t, "\"prog\", \"op\", int32(7), nil", 4);
    e->params.n = 4;
    return e;
}

static void error_set(struct echo_test *t)
{
    const struct v23_verror *e = make_error(t);

    check_same(t, any_of(&vdl_error_desc, &e));
}

static void error_nil(struct echo_test *t)
{
    const struct v23_verror *e = NULL;

    check_same(t, any_of(&vdl_error_desc, &e));
}

static void error_in_list(struct echo_test *t)
{
    const struct v23_verror *e = make_error(t);
    struct vdl_any v[2];
    vdl_any_list l = { v, 2 };

    v[0] = any_of(&vdl_error_desc, &e);
    v[1] = any_of(NULL, NULL);
    check_same(t, any_of(&vdl_any_list_desc, &l));
}

static void deep_list(struct echo_test *t)
{
    struct vdl_any inner = any_of(NULL, NULL);
    vdl_any_list *l;
    struct vdl_any *v;
    int i;

    for (i = 0; i < 30; i++) {
        v = ECHO_NEW(t, struct vdl_any, 1);
        l = ECHO_NEW(t, vdl_any_list, 1);
        *v = inner;
        l->v = v;
        l->n = 1;
        inner = any_of(&vdl_any_list_desc, l);
    }
    check_same(t, inner);
}

static void long_list(struct echo_test *t)
{
    uint32_t n = 100000, i;
    int64_t *v = ECHO_NEW(t, int64_t, n);
    struct vdl_types *ts = new_types(t);
    const struct vdl_type *type;
    struct vdl_list l = { v, n };

    for (i = 0; i < n; i++)
        v[i] = (int64_t)i * i * (i % 2 == 0 ? 1 : -1);
    if (ts != NULL && vdl_types_list(ts, &vdl_int64_desc, &type) == 0)
        check_same(t, any_of(type, &l));
    else
        echo_fail(t, "out of memory");
    vdl_types_unref(ts);
}

static const struct {
    const char *name;
    void (*run)(struct echo_test *t);
} specials[] = {
    { "minus-zero", minus_zero },
    { "minus-zero-float32", minus_zero32 },
    { "infinities", infinities },
    { "any-nil", any_nil },
    { "optional-nil", optional_nil },
    { "optional-set", optional_set },
    { "list-of-optionals", list_of_optionals },
    { "string-1MiB", string_1mib },
    { "bytes-1MiB", bytes_1mib },
    { "error", error_set },
    { "error-nil", error_nil },
    { "error-in-list", error_in_list },
    { "any-in-any-30-deep", deep_list },
    { "list-100000", long_list },
};

static const char *special_name(size_t i)
{
    return specials[i].name;
}

static void check_special(struct echo_test *t, size_t i)
{
    specials[i].run(t);
}

const struct echo_checks echo_special_checks = { "value",
    sizeof(specials) / sizeof(specials[0]), special_name, check_special };

/* ---- bytes and strings of many lengths ----------------------------------- */

static const struct {
    const char *name;
    uint32_t n;
} lengths[] = {
    { "0", 0 }, { "1", 1 }, { "31", 31 }, { "32", 32 }, { "127", 127 },
    { "128", 128 }, { "4095", 4095 }, { "4096", 4096 },
    { "16383", 16383 }, { "16384", 16384 }, { "16385", 16385 },
    { "65535", 65535 }, { "65536", 65536 }, { "100000", 100000 },
    { "1MiB", 1 << 20 }, { "1MiB+1", (1 << 20) + 1 }, { "4MiB", 4 << 20 },
};

struct transfer {
    struct echo_test *t;
    struct vdl_bytes want;
    bool done;
};

static void compare(struct transfer *x, const struct v23_verror *err,
    struct vdl_bytes got)
{
    if (err != NULL)
        note_error(x->t, err);
    else if (!vdl_bytes_eq(got, x->want))
        echo_fail(x->t, "got %lu bytes that differ from the %lu sent",
            (unsigned long)got.n, (unsigned long)x->want.n);
    x->done = true;
    vname_program_done(x->t->c->p);
}

static void bytes_done(void *ud, const struct v23_verror *err,
    const echo_echo_echo_bytes_out *out)
{
    compare(ud, err, err == NULL ? out->result : vdl_bytes(NULL, 0));
}

static void string_done(void *ud, const struct v23_verror *err,
    const echo_echo_echo_string_out *out)
{
    compare(ud, err, err == NULL
            ? vdl_bytes((const uint8_t *)out->result.p, out->result.n)
            : vdl_bytes(NULL, 0));
}

static const char *length_name(size_t i)
{
    return lengths[i].name;
}

static void check_bytes(struct echo_test *t, size_t i)
{
    struct transfer x = { .t = t };

    if (lengths[i].n > t->c->o->max_bytes)
        return;
    x.want = echo_payload(t, lengths[i].n);
    if (echo_echo_echo_bytes_start(t->c->p->rt.client, echo_name(t, ""),
            &t->opts, x.want, bytes_done, &x)
        != NULL)
        echo_wait(t, &x.done);
    else
        echo_fail(t, "out of memory");
}

const struct echo_checks echo_bytes_checks = { "bytes",
    sizeof(lengths) / sizeof(lengths[0]), length_name, check_bytes };

static void check_string(struct echo_test *t, size_t i)
{
    struct transfer x = { .t = t };
    uint8_t *p = echo_mem(t, lengths[i].n, 1);
    size_t k;

    if (lengths[i].n > t->c->o->max_bytes)
        return;
    for (k = 0; k < lengths[i].n; k++)
        p[k] = (uint8_t)('0' + echo_byte(k) % 64);
    x.want = vdl_bytes(p, lengths[i].n);
    if (echo_echo_echo_string_start(t->c->p->rt.client, echo_name(t, "a/b"),
            &t->opts, vdl_strn((const char *)p, lengths[i].n), string_done,
            &x)
        != NULL)
        echo_wait(t, &x.done);
    else
        echo_fail(t, "out of memory");
}

const struct echo_checks echo_string_checks = { "string",
    sizeof(lengths) / sizeof(lengths[0]), length_name, check_string };

/* ---- records ------------------------------------------------------------- */

struct recorded {
    struct echo_test *t;
    const echo_record *want;
    bool done;
};

static void record_done(void *ud, const struct v23_verror *err,
    const echo_echo_echo_record_out *out)
{
    struct recorded *r = ud;

    if (err != NULL)
        note_error(r->t, err);
    else if (!echo_record_equal(&out->result, r->want))
        echo_fail(r->t, "the record came back changed: %s",
            echo_text(r->t, any_of(&echo_record_desc, &out->result)));
    r->done = true;
    vname_program_done(r->t->c->p);
}

static void fill_record(struct echo_test *t, echo_record *r)
{
    echo_point *points = ECHO_NEW(t, echo_point, 2);
    struct vdl_str *names = ECHO_NEW(t, struct vdl_str, 3);
    vdl_str_any_entry *attrs = ECHO_NEW(t, vdl_str_any_entry, 2);
    size_t i;

    r->name = vdl_str("full");
    r->data = echo_payload(t, 300);
    r->flag = true;
    r->b = 255;
    r->u16 = UINT16_MAX;
    r->u64 = UINT64_MAX;
    r->i8 = INT8_MIN;
    r->i64 = INT64_MIN;
    r->f = -1.25e-300;
    r->color = ECHO_COLOR_BLUE;
    r->point.x = INT32_MAX;
    r->point.y = INT32_MIN;
    for (i = 0; i < 4; i++)
        r->fixed.v[i] = (uint8_t)(200 + i);
    names[0] = vdl_str("alpha");
    names[1] = vdl_str("");
    names[2] = vdl_str("\xce\xb2");
    r->list.v = r->tags.v = names;
    r->list.n = r->tags.n = 3;
    /* No nil: peers are known to write what follows it wrongly. */
    attrs[0].key = vdl_str("nested");
    attrs[0].val = echo_parse(t, "[]any{\"x\", []any{}}", 1)[0];
    attrs[1].key = vdl_str("number");
    attrs[1].val = echo_parse(t, "uint16(9)", 1)[0];
    r->attrs.v = attrs;
    r->attrs.n = 2;
    points[0] = r->point;
    points[1].x = 7;
    r->choice.which = ECHO_VARIANT_P;
    r->choice.u.p.v = points;
    r->choice.u.p.n = 2;
    r->opt = &points[1];
    r->when.seconds = INT64_C(63881568000);
    r->when.nanos = 999999999;
    r->dur.seconds = -3600;
    r->typ = &echo_record_desc;
    r->any = any_of(&echo_point_desc, &points[0]);
}

static const char *record_name(size_t i)
{
    static const char *const names[] = { "zero", "full", "chain-of-50",
        "nil-attribute" };

    return names[i];
}

static void check_record(struct echo_test *t, size_t i)
{
    echo_record *v = ECHO_NEW(t, echo_record, 50);
    struct recorded r = { t, v, false };
    size_t k;

    if (i == 1 || i == 2)
        fill_record(t, v);
    for (k = 1; i == 2 && k < 50; k++) {
        if (k % 2 == 0)
            fill_record(t, &v[k]);
        v[k - 1].next = &v[k];
    }
    if (i == 3) {
        v->attrs.v = ECHO_NEW(t, vdl_str_any_entry, 1);
        v->attrs.n = 1;
    }
    if (echo_echo_echo_record_start(t->c->p->rt.client, echo_name(t, ""),
            &t->opts, v, record_done, &r)
        != NULL)
        echo_wait(t, &r.done);
    else
        echo_fail(t, "out of memory");
}

const struct echo_checks echo_record_checks = { "record", 4, record_name,
    check_record };

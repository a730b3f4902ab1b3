/* BSD-3-Clause; see LICENSE. */
/*
 * Type flows against a hand-made client: types before, between and after the
 * values that need them (spec/rpc.md 16.2, vector v14_unary).
 */
#include <cjson/cJSON.h>

#include <vom/value.h>

#include "raw_client.h"

static void raw_make(struct raw *r)
{
    static const int32_t a = 40, b = 2;
    const void *const args[] = { &a, &b };

    raw_call(r, "Add", &vdl_int32_desc, args, 2);
}

static struct raw Raw;

static void setup(void)
{
    pair_setup();
    raw_make(&Raw);
}

static void teardown(void)
{
    raw_free(&Raw);
    world_teardown();
}

static void put(struct vrpc_flow *f, const struct v23_buf *b, size_t from,
    size_t to)
{
    ck_assert_int_eq(vrpc_flow_write(f, b->p + from, to - from), 0);
}

START_TEST(call_waits_for_the_type_flow)
{
    struct vrpc_conn *c = bare_client();
    struct vrpc_flow *d = raw_open(c), *t = raw_open(c);

    put(d, &Raw.values, 0, Raw.values.n);
    world_settle(&W);
    ck_assert_int_eq(P.echo.calls, 0);
    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 1);
    put(t, &Raw.types, 0, Raw.types.n);
    world_settle(&W);

    ck_assert_int_eq(P.echo.calls, 1);
    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
}
END_TEST

START_TEST(call_waits_for_each_type)
{
    struct vrpc_conn *c = bare_client();
    struct vrpc_flow *t = raw_open(c), *d = raw_open(c);
    size_t i;

    put(t, &Raw.types, 0, 1);
    put(d, &Raw.values, 0, Raw.values.n);
    for (i = 1; i < Raw.types.n; i++) { /* octet by octet */
        world_settle(&W);
        ck_assert_int_eq(P.echo.calls, 0);
        put(t, &Raw.types, i, i + 1);
    }
    world_settle(&W);

    ck_assert_int_eq(P.echo.calls, 1);
    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
}
END_TEST

START_TEST(values_may_come_octet_by_octet)
{
    struct vrpc_conn *c = bare_client();
    struct vrpc_flow *t = raw_open(c), *d = raw_open(c);
    size_t i;

    put(t, &Raw.types, 0, Raw.types.n);
    for (i = 0; i < Raw.values.n; i++) {
        world_settle(&W);
        ck_assert_int_eq(P.echo.calls, 0);
        put(d, &Raw.values, i, i + 1);
    }
    world_settle(&W);

    ck_assert_int_eq(P.echo.calls, 1);
}
END_TEST

START_TEST(call_without_type_flow_times_out)
{
    struct vrpc_conn *c = bare_client();
    struct vrpc_flow *d = raw_open(c);

    put(d, &Raw.values, 0, Raw.values.n);
    world_sleep(&W, 59 * SEC);
    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 1);
    world_sleep(&W, 2 * SEC);

    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
    ck_assert_int_eq(P.echo.calls, 0);
}
END_TEST

START_TEST(broken_type_flow_fails_the_calls_that_need_it)
{
    struct vrpc_conn *c = bare_client();
    struct vrpc_flow *t = raw_open(c), *d = raw_open(c);
    struct v23_bytes bad = hex("74 82 51");

    put(d, &Raw.values, 0, Raw.values.n);
    ck_assert_int_eq(vrpc_flow_write(t, bad.p, bad.n), 0);
    world_settle(&W);

    ck_assert_int_eq(P.echo.calls, 0);
    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
}
END_TEST

START_TEST(closed_type_flow_fails_the_calls_that_need_it)
{
    struct vrpc_conn *c = bare_client();
    struct vrpc_flow *t = raw_open(c), *d = raw_open(c);

    put(d, &Raw.values, 0, Raw.values.n);
    put(t, &Raw.types, 0, 2);
    world_settle(&W);
    vrpc_flow_close(t);
    world_settle(&W);

    ck_assert_int_eq(P.echo.calls, 0);
    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
}
END_TEST

START_TEST(every_truncation_leaves_the_server_well)
{
    struct vrpc_conn *c = bare_client();
    struct vrpc_flow *t = raw_open(c), *d;
    struct add_in in = { 1, 1 };
    struct result r;
    size_t n;

    put(t, &Raw.types, 0, Raw.types.n);
    for (n = 1; n < Raw.values.n; n++) {
        d = raw_open(c);
        put(d, &Raw.values, 0, n);
        world_settle(&W);
        vrpc_flow_close(d);
        world_settle(&W);
        ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
    }
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ADD, NULL, &in,
        &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_int_eq(P.echo.calls, 1);
}
END_TEST

START_TEST(every_changed_octet_leaves_the_server_well)
{
    struct vrpc_conn *c = bare_client();
    struct vrpc_flow *t = raw_open(c), *d;
    size_t i;
    int bit;

    put(t, &Raw.types, 0, Raw.types.n);
    for (i = 0; i < Raw.values.n; i++)
        for (bit = 0; bit < 8; bit++) {
            Raw.values.p[i] ^= (uint8_t)(1 << bit);
            d = raw_open(c);
            put(d, &Raw.values, 0, Raw.values.n);
            world_settle(&W);
            vrpc_flow_cancel(d);
            world_settle(&W);
            Raw.values.p[i] ^= (uint8_t)(1 << bit);
            ck_assert_uint_le(vrpc_server_ncalls(P.s->s), 1);
        }
    world_sleep(&W, 61 * SEC);

    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
}
END_TEST

/* ---- recorded clients ---------------------------------------------------- */

#define TRANSCRIPTS "test/vectors/rpc/transcripts/"

struct recording {
    struct v23_bytes types, calls[8]; /* as the Go client wrote them */
    size_t ncalls;
};

static struct v23_bytes unhexed(const char *text)
{
    struct v23_buf b;

    v23_buf_init(&b, NULL, SIZE_MAX);
    ck_assert_int_eq(v23_hex_parse(text, strlen(text), &b), 0);
    return v23_bytes(b.p, b.n);
}

static void load(const char *name, struct recording *r)
{
    char path[200], *text, *line, *save = NULL;

    memset(r, 0, sizeof(*r));
    snprintf(path, sizeof(path), TRANSCRIPTS "%s.jsonl", name);
    text = tst_read_file(path, NULL);
    ck_assert_msg(text != NULL, "run from the top of the tree: %s", path);
    for (line = strtok_r(text, "\n", &save); line != NULL;
        line = strtok_r(NULL, "\n", &save)) {
        cJSON *j = cJSON_Parse(line);
        const char *type = cJSON_GetStringValue(cJSON_GetObjectItem(j,
            "type"));
        const char *from = cJSON_GetStringValue(cJSON_GetObjectItem(j,
            "from"));
        const char *content = cJSON_GetStringValue(cJSON_GetObjectItem(j,
            "content"));
        const char *bytes = cJSON_GetStringValue(cJSON_GetObjectItem(j,
            "bytes"));

        if (strcmp(type, "stream") == 0 && strcmp(from, "dialer") == 0) {
            if (strcmp(content, "types") == 0)
                r->types = unhexed(bytes);
            else if (strcmp(content, "rpc") == 0 && r->ncalls < 8)
                r->calls[r->ncalls++] = unhexed(bytes);
        }
        cJSON_Delete(j);
    }
    free(text);
    ck_assert_uint_gt(r->types.n, 0);
    ck_assert_uint_gt(r->ncalls, 0);
}

static void recording_free(struct recording *r)
{
    struct v23_buf b;
    size_t i;

    for (i = 0; i <= r->ncalls; i++) {
        const struct v23_bytes *v = i < r->ncalls ? &r->calls[i] : &r->types;
        union { const uint8_t *c; uint8_t *m; } u = { v->p };

        v23_buf_init(&b, NULL, SIZE_MAX);
        b.p = u.m;
        v23_buf_fini(&b);
    }
}

/* The value stream that the server wrote on a flow: its responses and what
 * follows them, printed. */
static void print_answer(struct vrpc_flow *t, struct vrpc_flow *d,
    struct v23_buf *out)
{
    struct vom_typedec *td;
    struct vom_dec dec;
    struct vom_msg msg;
    struct vdl_any any;
    struct v23_bytes b;
    struct v23_arena a;
    size_t used, at = 0;

    v23_arena_init(&a, NULL, SIZE_MAX);
    ck_assert_int_eq(vom_typedec_new(NULL, NULL, &td), 0);
    ck_assert_int_eq(vrpc_flow_peek(t, &b), 0);
    ck_assert_int_eq(vom_typedec_input(td, b.p, b.n, &used), 0);
    vom_dec_init(&dec, NULL, td, true);
    ck_assert_int_eq(vrpc_flow_peek(d, &b), 0);
    while (at < b.n) {
        ck_assert_int_eq(vom_dec_next(&dec, b.p + at, b.n - at, &used, &msg),
            0);
        ck_assert_int_eq(vom_dec_value(&dec, &msg, &a, NULL, &any), 0);
        ck_assert_int_eq(vdl_format(any.type, any.val, true, out), 0);
        v23_buf_put_byte(out, '\n');
        at += used;
    }
    vom_dec_fini(&dec);
    vom_typedec_unref(td);
    v23_arena_fini(&a);
}

/* Call Any([]any{int32(3)}) with zero for the length of the inner any. */
START_TEST(wrong_lengths_of_anys_are_accepted)
{
    struct vrpc_conn *c = bare_client();
    struct vrpc_flow *t = raw_open(c), *d = raw_open(c);
    static const int32_t three = 3;
    struct vdl_any item = { &vdl_int32_desc, &three };
    vdl_any_list list = { &item, 1 };
    const void *const args[] = { &list };
    const struct vdl_type *type;
    struct vdl_types *types;
    struct v23_buf out;
    struct raw r;

    ck_assert_int_eq(vdl_types_new(NULL, NULL, &types), 0);
    ck_assert_int_eq(vdl_types_list(types, &vdl_any_desc, &type), 0);
    raw_call(&r, "Any", type, args, 1);
    vdl_types_unref(types);
    /* Its end: lengths, size, one any of type 0 and length 0, the number. */
    ck_assert_mem_eq(r.values.p + r.values.n - 7, "\1\1\4\1\0\0\6", 7);
    r.values.p[r.values.n - 6] = 0;
    v23_buf_init(&out, NULL, SIZE_MAX);
    put(t, &r.types, 0, r.types.n);
    put(d, &r.values, 0, r.values.n);
    world_settle(&W);
    print_answer(t, d, &out);

    ck_assert_ptr_nonnull(strstr(v23_buf_cstr(&out), "\n[]any{int32(3)}\n"));
    ck_assert_int_eq(P.echo.calls, 1);
    vrpc_flow_close(d);
    v23_buf_fini(&out);
    raw_free(&r);
}
END_TEST

static const char *play(const char *name)
{
    static char text[65536];
    struct vrpc_conn *c = bare_client();
    struct vrpc_flow *t = raw_open(c), *d;
    struct recording r;
    struct v23_buf out;
    size_t i;

    load(name, &r);
    v23_buf_init(&out, NULL, SIZE_MAX);
    ck_assert_int_eq(vrpc_flow_write(t, r.types.p, r.types.n), 0);
    for (i = 0; i < r.ncalls; i++) {
        d = raw_open(c);
        ck_assert_int_eq(vrpc_flow_write(d, r.calls[i].p, r.calls[i].n), 0);
        world_settle(&W);
        ck_assert(vrpc_flow_is_closed(d)); /* the server ends the call */
        print_answer(t, d, &out);
        vrpc_flow_close(d);
    }
    snprintf(text, sizeof(text), "%s", v23_buf_cstr(&out));
    v23_buf_fini(&out);
    recording_free(&r);
    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
    return text;
}

START_TEST(recorded_unary_call_is_answered)
{
    const char *got = play("v14_unary");

    ck_assert_ptr_nonnull(strstr(got, "EndStreamResults: true"));
    ck_assert_ptr_nonnull(strstr(got, "NumPosResults: 1"));
    ck_assert_ptr_nonnull(strstr(got, "\n\"hello\"\n"));
    ck_assert_int_eq(P.echo.calls, 1);
}
END_TEST

START_TEST(recorded_stream_is_answered)
{
    const char *got = play("v14_stream");
    const char *items[] = { "\nint32(1)\n", "\nint32(3)\n",
        "\nint32(6)\n" };
    size_t i;

    for (i = 0; i < 3; i++) {
        got = strstr(got, items[i]);
        ck_assert_ptr_nonnull(got);
    }
    got = strstr(got, "NumPosResults: 1");
    ck_assert_ptr_nonnull(got);
    ck_assert_ptr_nonnull(strstr(got, "int32(6)"));
    ck_assert_int_eq(P.echo.ended, 1);
}
END_TEST

START_TEST(recorded_glob_and_signature_are_answered)
{
    const char *got = play("v14_glob");

    /* An object without children below the empty suffix. */
    ck_assert_ptr_nonnull(strstr(got, "GlobNotImplemented"));
    /* Of suffix "alpha": a leaf has none, whatever is asked for. */
    got = play("v14_signature");
    got = strstr(got, "UnknownSuffix");
    ck_assert_ptr_nonnull(got);
    ck_assert_ptr_nonnull(strstr(got + 1, "UnknownSuffix"));
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("librpc/typeflow");
    TCase *t = tcase_create("typeflow");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, call_waits_for_the_type_flow);
    tcase_add_test(t, call_waits_for_each_type);
    tcase_add_test(t, values_may_come_octet_by_octet);
    tcase_add_test(t, wrong_lengths_of_anys_are_accepted);
    tcase_add_test(t, call_without_type_flow_times_out);
    tcase_add_test(t, broken_type_flow_fails_the_calls_that_need_it);
    tcase_add_test(t, closed_type_flow_fails_the_calls_that_need_it);
    tcase_add_test(t, every_truncation_leaves_the_server_well);
    tcase_add_test(t, every_changed_octet_leaves_the_server_well);
    tcase_add_test(t, recorded_unary_call_is_answered);
    tcase_add_test(t, recorded_stream_is_answered);
    tcase_add_test(t, recorded_glob_and_signature_are_answered);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return tst_run(suite());
}

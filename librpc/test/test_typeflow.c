/* BSD-3-Clause; see LICENSE. */
/*
 * Type flows against a hand-made client: types before, between and after the
 * values that need them (spec/rpc.md 16.2, vector v14_unary).
 */
#include <v23/vdl/v.io/v23/rpc/rpc.vdl.h>
#include <vom/enc.h>

#include "echo.h"

/* Types that rpc.Request needs, ids as in the recording, then a request
 * Add(40, 2), cut into messages. */
struct raw {
    struct v23_buf types, values;
};

static void raw_make(struct raw *r)
{
    struct vom_typeenc te;
    struct vom_enc e;
    v23_rpc_request req;
    int32_t a = 40, b = 2;

    v23_buf_init(&r->types, NULL, SIZE_MAX);
    v23_buf_init(&r->values, NULL, SIZE_MAX);
    v23_buf_puts(&r->types, "t");
    v23_buf_puts(&r->values, "d");
    vom_typeenc_init(&te, NULL, &r->types);
    vom_enc_init(&e, &te, &r->values);
    memset(&req, 0, sizeof(req));
    req.method = vdl_str("Add");
    req.num_pos_args = 2;
    ck_assert_int_eq(vom_encode(&e, &v23_rpc_request_desc, &req), 0);
    ck_assert_int_eq(vom_encode(&e, &vdl_int32_desc, &a), 0);
    ck_assert_int_eq(vom_encode(&e, &vdl_int32_desc, &b), 0);
    vom_enc_fini(&e);
    vom_typeenc_fini(&te);
}

static struct raw Raw;

static void setup(void)
{
    pair_setup();
    raw_make(&Raw);
}

static void teardown(void)
{
    v23_buf_fini(&Raw.types);
    v23_buf_fini(&Raw.values);
    world_teardown();
}

static int refuse_grant(void *ud, struct v23_op op, struct vrpc_call *call,
    struct vsec_blessings **out)
{
    (void)ud;
    (void)op;
    (void)call;
    (void)out;
    return V23_EDENIED;
}

/* The granter refuses after the connection is there and before any flow. */
static struct vrpc_conn *bare_client(void)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    struct wnode *n;
    struct result r;

    ck_assert_int_eq(world_node(&W, "raw", 0, &n), 0);
    o.no_retry = true;
    o.granter = refuse_grant;
    ck_assert_ptr_nonnull(start(n, world_name(P.s, ""), M_NO, &o, NULL,
        &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, 2 * SEC));
    ck_assert_str_eq(r.id, VERR "NotTrusted");
    return world_link_of(&W, n)->conn;
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

static Suite *suite(void)
{
    Suite *s = suite_create("librpc/typeflow");
    TCase *t = tcase_create("typeflow");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, call_waits_for_the_type_flow);
    tcase_add_test(t, call_waits_for_each_type);
    tcase_add_test(t, values_may_come_octet_by_octet);
    tcase_add_test(t, call_without_type_flow_times_out);
    tcase_add_test(t, broken_type_flow_fails_the_calls_that_need_it);
    tcase_add_test(t, closed_type_flow_fails_the_calls_that_need_it);
    tcase_add_test(t, every_truncation_leaves_the_server_well);
    tcase_add_test(t, every_changed_octet_leaves_the_server_well);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    SRunner *r = srunner_create(suite());
    int failed;

    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}

/* BSD-3-Clause; see LICENSE. */
/* Calls between managers over an in-memory network: the client's side. */
#include <vom/value.h>

#include "echo.h"

/* ---- calls that succeed -------------------------------------------------- */

START_TEST(unary_call_returns_result)
{
    struct add_in in = { 40, 2 };
    struct result r;

    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ADD, NULL, &in,
        &stub_plain, &r));
    ck_assert_int_eq(r.done, 0);
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, "");
    ck_assert_int_eq(r.sum, 42);
    ck_assert_int_eq(P.echo.calls, 1);
    ck_assert_uint_eq(vrpc_client_ncalls(P.c->c), 0);
    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
}
END_TEST

START_TEST(calls_share_one_connection)
{
    static struct result r[20];
    struct add_in in = { 0, 1 };
    int i;

    for (i = 0; i < 20; i++) {
        in.a = i;
        ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ADD, NULL,
            &in, &stub_plain, &r[i]));
    }
    for (i = 0; i < 20; i++) {
        ck_assert(world_until(&W, &r[i].done, SEC));
        ck_assert_int_eq(r[i].sum, i + 1);
    }

    ck_assert_uint_eq(W.ndials, 1);
    ck_assert_uint_eq(vrpc_manager_nconns(P.c->m), 1);
}
END_TEST

START_TEST(arguments_may_die_after_start)
{
    char text[] = "hello";
    struct text in;
    struct result r;

    in.s = vdl_str(text);
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ECHO, NULL, &in,
        &stub_text, &r));
    memset(text, 'x', sizeof(text) - 1);
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.text, "hello");
}
END_TEST

START_TEST(values_larger_than_the_window_pass)
{
    static const size_t sizes[] = { 0, 1, 4096, 65535, 65536, 65537, 1u << 20,
        (1u << 20) + 1, 3u << 20 };
    static uint8_t data[3u << 20];
    struct blob in;
    struct result r;
    size_t i;

    for (i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 7);
    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        in.b = vdl_bytes(data, sizes[i]);
        ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_BLOB, NULL,
            &in, &stub_blob, &r));
        ck_assert(world_until(&W, &r.done, SEC));
        ck_assert_str_eq(r.id, "");
        ck_assert_uint_eq(r.blob_n, sizes[i]);
        ck_assert(r.blob_ok);
    }
}
END_TEST

START_TEST(warm_call_does_not_allocate)
{
    struct add_in in = { 1, 2 };
    struct result r;
    size_t before = 0;
    int i;

    for (i = 0; i < 10; i++) {
        if (i == 5)
            before = W.t.calls;
        ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ADD, NULL,
            &in, &stub_plain, &r));
        ck_assert(world_until(&W, &r.done, SEC));
    }

    ck_assert_uint_eq(W.t.calls, before);
}
END_TEST

/* ---- dynamic calls ------------------------------------------------------- */

struct dyn {
    int done, items;
    char id[96];
    size_t n;
    char first[128];
};

static void dyn_item(void *ud, struct vdl_any item)
{
    struct dyn *d = ud;

    ck_assert_ptr_nonnull(item.type);
    d->items++;
}

static void dyn_done(void *ud, const struct v23_verror *err,
    const struct vdl_any *results, size_t n)
{
    struct dyn *d = ud;
    struct v23_buf b;

    d->done++;
    d->n = n;
    if (err != NULL)
        snprintf(d->id, sizeof(d->id), "%.*s", (int)err->id.n, err->id.p);
    if (n > 0 && results[0].type != NULL) {
        v23_buf_init_fixed(&b, d->first, sizeof(d->first) - 1);
        ck_assert_int_eq(vdl_format(results[0].type, results[0].val, true,
            &b), 0);
        d->first[b.n] = 0;
    }
}

static const struct vrpc_any_cb dyn_cb = { dyn_item, dyn_done };

static struct vrpc_call *start_any(const char *method, size_t nargs,
    const struct vdl_any *args, size_t nresults, struct dyn *d)
{
    memset(d, 0, sizeof(*d));
    return vrpc_client_start_any(P.c->c, vdl_str(world_name(P.s, "")),
        vdl_str(method), NULL, args, nargs, nresults, &dyn_cb, d);
}

START_TEST(dynamic_call_converts_arguments)
{
    int64_t a = 40;
    uint16_t b = 2;
    struct vdl_any args[2] = { { &vdl_int64_desc, &a },
        { &vdl_uint16_desc, &b } };
    struct vrpc_call *call;
    struct dyn d;

    call = start_any("Add", 2, args, VRPC_ANY_RESULTS, &d);
    ck_assert_ptr_nonnull(call);
    vrpc_call_close_send(call);
    ck_assert(world_until(&W, &d.done, SEC));

    ck_assert_str_eq(d.id, "");
    ck_assert_uint_eq(d.n, 1);
    ck_assert_str_eq(d.first, "int32(42)");
}
END_TEST

START_TEST(dynamic_call_checks_the_number_of_results)
{
    int32_t a = 1;
    struct vdl_any args[2] = { { &vdl_int32_desc, &a },
        { &vdl_int32_desc, &a } };
    struct dyn d;

    ck_assert_ptr_nonnull(start_any("Add", 2, args, 2, &d));
    ck_assert(world_until(&W, &d.done, SEC));

    ck_assert_str_eq(d.id, VERR "BadProtocol");
}
END_TEST

START_TEST(dynamic_stream_goes_both_ways)
{
    struct vdl_any item;
    struct vrpc_call *call;
    struct dyn d;
    int32_t v;

    call = start_any("Sum", 0, NULL, 1, &d);
    ck_assert_int_eq(vrpc_call_send_any(call, (struct vdl_any){ NULL, NULL }),
        V23_EAGAIN);
    world_settle(&W);
    item.type = &vdl_int32_desc;
    item.val = &v;
    for (v = 1; v <= 4; v++)
        ck_assert_int_eq(vrpc_call_send_any(call, item), 0);
    vrpc_call_close_send(call);
    ck_assert_int_eq(vrpc_call_send_any(call, item), V23_ESTATE);
    ck_assert(world_until(&W, &d.done, SEC));

    ck_assert_str_eq(d.id, "");
    ck_assert_int_eq(d.items, 4);
    ck_assert_str_eq(d.first, "int32(10)");
    ck_assert_int_eq(P.echo.ended, 1);
}
END_TEST

START_TEST(nil_any_travels)
{
    struct vdl_any nil = { NULL, NULL };
    struct dyn d;

    ck_assert_ptr_nonnull(start_any("Any", 1, &nil, 1, &d));
    ck_assert(world_until(&W, &d.done, SEC));

    ck_assert_str_eq(d.id, "");
    ck_assert_uint_eq(d.n, 1);
}
END_TEST

/* ---- errors of the server ------------------------------------------------ */

START_TEST(server_error_keeps_id_text_and_parameters)
{
    struct vrpc_call_opts o = opts_now();
    struct text in = { VDL_STR_INIT("noexist") };
    struct result r;

    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_FAIL, &o, &in,
        &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, VERR "NoExist");
    ck_assert_str_eq(r.msg, "server:.Fail: does not exist: x");
    ck_assert_uint_eq(r.nparams, 3);
}
END_TEST

START_TEST(unknown_method_is_reported)
{
    struct dyn d;

    ck_assert_ptr_nonnull(start_any("Nope", 0, NULL, 0, &d));
    ck_assert(world_until(&W, &d.done, SEC));

    ck_assert_str_eq(d.id, VERR "UnknownMethod");
}
END_TEST

START_TEST(wrong_number_of_arguments_is_bad_protocol)
{
    int32_t a = 1;
    struct vdl_any arg = { &vdl_int32_desc, &a };
    struct dyn d;

    ck_assert_ptr_nonnull(start_any("Add", 1, &arg, 1, &d));
    ck_assert(world_until(&W, &d.done, SEC));

    ck_assert_str_eq(d.id, VERR "BadProtocol");
    ck_assert_int_eq(P.echo.calls, 0);
}
END_TEST

START_TEST(wrong_argument_type_is_bad_protocol)
{
    struct vdl_str s = VDL_STR_INIT("forty");
    struct vdl_any args[2] = { { &vdl_string_desc, &s },
        { &vdl_string_desc, &s } };
    struct dyn d;

    ck_assert_ptr_nonnull(start_any("Add", 2, args, 1, &d));
    ck_assert(world_until(&W, &d.done, SEC));

    ck_assert_str_eq(d.id, VERR "BadProtocol");
    ck_assert_int_eq(P.echo.calls, 0);
}
END_TEST

START_TEST(suffix_of_an_object_server_is_unknown)
{
    ck_assert_str_eq(fail_with(world_name(P.s, "a/b"), M_WAIT, NULL),
        VERR "UnknownSuffix");
}
END_TEST

START_TEST(reserved_suffix_without_dispatcher_is_unknown)
{
    ck_assert_str_eq(fail_with(world_name(P.s, "__debug/stats"), M_WAIT,
        NULL), VERR "UnknownSuffix");
}
END_TEST

START_TEST(method_without_handler_is_not_implemented)
{
    ck_assert_str_eq(fail_with(world_name(P.s, ""), M_NO, NULL),
        VERR "NotImplemented");
}
END_TEST

START_TEST(backoff_error_repeats_the_call)
{
    struct text in = { VDL_STR_INIT("backoff") };
    struct result r;

    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_FAIL, NULL, &in,
        &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, 30 * SEC));

    ck_assert_str_eq(r.id, "");
    ck_assert_int_eq(P.echo.calls, 3);
}
END_TEST

START_TEST(backoff_error_is_final_without_retry)
{
    struct text in = { VDL_STR_INIT("backoff") };

    ck_assert_str_eq(fail_with(world_name(P.s, ""), M_FAIL, &in),
        "x/y.Later");
    ck_assert_int_eq(P.echo.calls, 1);
}
END_TEST

/* ---- idle connections and memory ----------------------------------------- */

START_TEST(idle_connection_is_closed_and_dialed_again)
{
    struct add_in in = { 1, 2 };
    struct result r;

    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ADD, NULL, &in,
        &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, SEC));
    world_sleep(&W, 1500 * SEC);
    ck_assert_uint_eq(vrpc_manager_nconns(P.c->m), 0);
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ADD, NULL, &in,
        &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, "");
    ck_assert_uint_eq(W.ndials, 2);
}
END_TEST

/* A whole life with one call of each kind. */
static int life(const struct v23_alloc *al, void *ud)
{
    struct add_in in = { 40, 2 };
    int32_t n = 10, one = 1;
    struct vrpc_call *call;
    struct result r;
    int rc;

    (void)ud;
    memset(&W, 0, sizeof(W));
    W.t.al = *al;
    rc = world_init(&W);
    if (rc == 0)
        rc = pair_init(&W);
    if (rc != 0)
        goto out;
    rc = V23_ENOMEM;
    if (start(P.c, world_name(P.s, ""), M_ADD, NULL, &in, &stub_plain,
            &r) == NULL)
        goto out;
    if (!world_until(&W, &r.done, 100 * SEC))
        ck_abort_msg("the call never ended");
    if (r.id[0] != 0)
        goto out;
    ck_assert_int_eq(r.sum, 42);
    if (start(P.c, world_name(P.s, ""), M_COUNT, NULL, &n, &stub_plain,
            &r) == NULL)
        goto out;
    if (!world_until(&W, &r.done, 100 * SEC))
        ck_abort_msg("the stream never ended");
    if (r.id[0] != 0)
        goto out;
    ck_assert_int_eq(r.items, 10);
    call = start(P.c, world_name(P.s, ""), M_SUM, NULL, NULL, &stub_plain,
        &r);
    if (call == NULL)
        goto out;
    world_settle(&W);
    if (r.done || vrpc_call_send(call, &one) != 0)
        goto out;
    vrpc_call_close_send(call);
    if (!world_until(&W, &r.done, 100 * SEC))
        ck_abort_msg("the second stream never ended");
    if (r.id[0] != 0)
        goto out;
    ck_assert_int_eq(r.sum, 1);
    rc = 0;
out:
    world_fini(&W);
    return rc;
}

START_TEST(out_of_memory_anywhere_is_survived)
{
    tst_out_of_memory(life, NULL);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("librpc/call");
    TCase *t = tcase_create("call"), *m = tcase_create("memory");

    tcase_add_checked_fixture(t, pair_setup, world_teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, unary_call_returns_result);
    tcase_add_test(t, calls_share_one_connection);
    tcase_add_test(t, arguments_may_die_after_start);
    tcase_add_test(t, values_larger_than_the_window_pass);
    tcase_add_test(t, warm_call_does_not_allocate);
    tcase_add_test(t, dynamic_call_converts_arguments);
    tcase_add_test(t, dynamic_call_checks_the_number_of_results);
    tcase_add_test(t, dynamic_stream_goes_both_ways);
    tcase_add_test(t, nil_any_travels);
    tcase_add_test(t, server_error_keeps_id_text_and_parameters);
    tcase_add_test(t, unknown_method_is_reported);
    tcase_add_test(t, wrong_number_of_arguments_is_bad_protocol);
    tcase_add_test(t, wrong_argument_type_is_bad_protocol);
    tcase_add_test(t, suffix_of_an_object_server_is_unknown);
    tcase_add_test(t, reserved_suffix_without_dispatcher_is_unknown);
    tcase_add_test(t, method_without_handler_is_not_implemented);
    tcase_add_test(t, backoff_error_repeats_the_call);
    tcase_add_test(t, backoff_error_is_final_without_retry);
    tcase_add_test(t, idle_connection_is_closed_and_dialed_again);
    suite_add_tcase(s, t);
    tcase_set_timeout(m, 300);
    tcase_add_test(m, out_of_memory_anywhere_is_survived);
    suite_add_tcase(s, m);
    return s;
}

int main(void)
{
    return tst_run(suite());
}

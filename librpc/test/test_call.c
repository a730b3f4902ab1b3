/* BSD-3-Clause; see LICENSE. */
/* Calls between two managers over an in-memory network. */
#include "echo.h"

START_TEST(unary_call_returns_result)
{
    struct add_in in = { 40, 2 };
    struct result r;
    struct vrpc_call *call;

    call = start(P.c, world_name(P.s, ""), M_ADD, NULL, &in, &stub_plain, &r);
    ck_assert_ptr_nonnull(call);
    ck_assert_int_eq(r.done, 0);
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, "");
    ck_assert_int_eq(r.sum, 42);
    ck_assert_int_eq(P.echo.calls, 1);
    ck_assert_uint_eq(vrpc_client_ncalls(P.c->c), 0);
    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("librpc/call");
    TCase *t = tcase_create("call");

    tcase_add_checked_fixture(t, pair_setup, world_teardown);
    tcase_add_test(t, unary_call_returns_result);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    SRunner *r = srunner_create(suite());
    int failed;

    (void)stub_text;
    (void)stub_blob;
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}

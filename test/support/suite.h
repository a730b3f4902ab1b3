/* BSD-3-Clause; see LICENSE. */
/**
 * The end of every unit test program. Apart from support.h, because programs
 * without Check link that one too.
 */
#ifndef TEST_SUITE_H
#define TEST_SUITE_H

#include <check.h>
#include <stddef.h>

/* Run a suite, output and forking as Check's environment variables say, and
 * free it. The exit status of the program: 0 if every check passed, else 1. */
static inline int tst_run(Suite *s)
{
    SRunner *sr = srunner_create(s);
    int failed;

    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed != 0;
}

/* A suite of one case, which `fill` adds the tests to, each run between
 * `setup` and `teardown`; two minutes per test, for slow emulators. */
static inline int tst_run_case(const char *name, void (*fill)(TCase *),
    void (*setup)(void), void (*teardown)(void))
{
    Suite *s = suite_create(name);
    TCase *tc = tcase_create(name);

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 120);
    fill(tc);
    suite_add_tcase(s, tc);
    return tst_run(s);
}

#endif

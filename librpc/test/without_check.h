/* BSD-3-Clause; see LICENSE. */
/*
 * For programs without Check that define WORLD_WITHOUT_CHECK and include a rig
 * of tests: what the rig asserts ends the program.
 */
#ifndef WITHOUT_CHECK_H
#define WITHOUT_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#ifndef WORLD_FAIL /* the includer's may say more */
#define WORLD_FAIL without_check_fail
static inline void without_check_fail(const char *file, int line,
    const char *what)
{
    fprintf(stderr, "%s:%d: %s\n", file, line, what);
    abort();
}
#endif

#define WORLD_ASSERT(cond)                                                     \
    do {                                                                       \
        if (!(cond))                                                           \
            WORLD_FAIL(__FILE__, __LINE__, #cond);                             \
    } while (0)
#define ck_abort_msg(text) WORLD_FAIL(__FILE__, __LINE__, text)
#define ck_assert_int_lt(a, b) WORLD_ASSERT((a) < (b))
#define ck_assert_int_eq(a, b) WORLD_ASSERT((a) == (b))
#define ck_assert_uint_eq(a, b) WORLD_ASSERT((a) == (b))

#endif

/* BSD-3-Clause; see LICENSE. */
/*
 * The allocator that NULL stands for. Alone in its object file: a program that
 * defines it itself links no malloc.
 */
#include <v23/alloc.h>

#include <stdlib.h>

static void *libc_get(void *ud, size_t size)
{
    (void)ud;
    return malloc(size);
}

static void *libc_regrow(void *ud, void *p, size_t size)
{
    (void)ud;
    return realloc(p, size);
}

static void libc_put(void *ud, void *p)
{
    (void)ud;
    free(p);
}

const struct v23_alloc v23_alloc_libc = { libc_get, libc_regrow, libc_put,
    NULL };

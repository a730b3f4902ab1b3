/* BSD-3-Clause; see LICENSE. */
/** What the tests of all libraries share: a counting, failing allocator, hex. */
#ifndef TEST_SUPPORT_H
#define TEST_SUPPORT_H

#include <v23/bytes.h>

/* Allocator that counts live blocks and can fail the k-th request. */
struct tst_alloc {
    struct v23_alloc al; /* pass &al */
    size_t live;         /* blocks not given back */
    size_t bytes;        /* their size */
    size_t peak;         /* largest `bytes` */
    size_t calls;        /* requests so far */
    size_t fail_at;      /* request number (from 1) that fails; 0 = none */
};
void tst_alloc_init(struct tst_alloc *t);

/*
 * Run `body` with the k-th allocation failing for k = 1, 2, … until it
 * succeeds; asserts that nothing stays allocated after each run. `body`
 * returns 0 or a status; only V23_ENOMEM is accepted as failure.
 */
void tst_out_of_memory(int (*body)(const struct v23_alloc *al, void *ud),
    void *ud);

/*
 * Does this test run under an emulator? One of user programs may not survive
 * fork and threads, and its memory is not what the system says. Then says on
 * standard error that `what` is left out.
 */
bool tst_emulated(const char *what);

/* Decode a hex constant (blanks allowed) into static storage; valid until 16
 * more calls. Aborts on bad hex. */
struct v23_bytes hex(const char *text);
/* Hex text of bytes, in the same kind of storage. */
const char *unhex(const void *p, size_t n);
/* Whole file in malloc'd memory, NUL added; NULL when unreadable. */
char *tst_read_file(const char *path, size_t *n);

#endif

/* BSD-3-Clause; see LICENSE. */
/*
 * Runs a fuzz target on stored inputs, for compilers without a fuzzer and for
 * the tests: replay FILE…
 */
#include <stdio.h>

#include <v23/bytes.h>

#include "fuzz.h"

static int run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    struct v23_buf b;
    uint8_t part[4096];
    size_t n;
    int rc = 0;

    if (f == NULL) {
        perror(path);
        return 1;
    }
    v23_buf_init(&b, NULL, 64u << 20);
    while ((n = fread(part, 1, sizeof(part), f)) > 0)
        v23_buf_put(&b, part, n);
    if (ferror(f) || b.err != 0) {
        fprintf(stderr, "%s cannot be read.\n", path);
        rc = 1;
    }
    fclose(f);
    v23_buf_fit(&b); /* a sanitizer sees what reads beyond */
    if (rc == 0)
        LLVMFuzzerTestOneInput(b.p, b.n);
    v23_buf_fini(&b);
    return rc;
}

int main(int argc, char **argv)
{
    int i, failed = 0;

    if (argc < 2) {
        fprintf(stderr, "usage: %s FILE…\n", argv[0]);
        return 2;
    }
    for (i = 1; i < argc; i++)
        failed += run_file(argv[i]);
    printf("%d passed, %d failed\n", argc - 1 - failed, failed);
    return failed != 0;
}

/* BSD-3-Clause; see LICENSE. */
/* Passphrases from a standard input that is no terminal. */
#include <string.h>
#include <unistd.h>

#include <vsec/credentials.h>

#include <suite.h>
#include <support.h>

static struct tst_alloc mem;
static struct v23_buf out;

static void setup(void)
{
    tst_alloc_init(&mem);
    v23_buf_init(&out, &mem.al, 8192);
}

static void teardown(void)
{
    v23_buf_fini(&out);
    ck_assert_uint_eq(mem.live, 0);
}

/* The standard input holds n octets and ends. */
static void feed(const char *text, size_t n)
{
    int fd[2];

    ck_assert_int_eq(pipe(fd), 0);
    ck_assert_int_eq(write(fd[1], text, n), (int)n);
    close(fd[1]);
    ck_assert_int_eq(dup2(fd[0], STDIN_FILENO), STDIN_FILENO);
    close(fd[0]);
}

START_TEST(passphrase_is_the_first_line_and_takes_no_more)
{
    char rest[8];

    feed("one two\r\nnext", 13);
    ck_assert_int_eq(vsec_passphrase_read("?", &out), 0);
    ck_assert_uint_eq(out.n, 8);
    ck_assert_mem_eq(out.p, "one two\r", 8);
    ck_assert_int_eq(read(STDIN_FILENO, rest, sizeof(rest)), 4);
    ck_assert_mem_eq(rest, "next", 4);
}
END_TEST

START_TEST(passphrase_ends_with_the_input)
{
    feed("a\0b", 3);
    ck_assert_int_eq(vsec_passphrase_ask(NULL, "file", &out), 0);
    ck_assert_uint_eq(out.n, 3);
    ck_assert_mem_eq(out.p, "a\0b", 3);
    ck_assert_int_eq(vsec_passphrase_read("?", &out), 0);
    ck_assert_uint_eq(out.n, 3);
}
END_TEST

START_TEST(passphrase_over_4096_octets_is_refused_and_wiped)
{
    char text[5000];
    size_t i;

    memset(text, 'x', sizeof(text));
    feed(text, sizeof(text));
    ck_assert_int_eq(vsec_passphrase_read("?", &out), V23_ELIMIT);
    ck_assert_uint_eq(out.n, 0);
    for (i = 0; i < out.cap; i++)
        ck_assert_uint_eq(out.p[i], 0);
}
END_TEST

START_TEST(passphrase_without_room_reads_nothing)
{
    char c;

    feed("x\n", 2);
    v23_buf_init(&out, &mem.al, 100);
    ck_assert_int_eq(vsec_passphrase_read("?", &out), V23_ELIMIT);
    ck_assert_int_eq(read(STDIN_FILENO, &c, 1), 1);
    ck_assert_int_eq(c, 'x');
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, passphrase_is_the_first_line_and_takes_no_more);
    tcase_add_test(tc, passphrase_ends_with_the_input);
    tcase_add_test(tc, passphrase_over_4096_octets_is_refused_and_wiped);
    tcase_add_test(tc, passphrase_without_room_reads_nothing);
}

int main(void)
{
    return tst_run_case("libsecurity/passphrase", fill, setup, teardown);
}

/* BSD-3-Clause; see LICENSE. */
/* Buffers, secrets, hex, base64, UTF-8, log lines, unique ids. */
#include <check.h>

#include <suite.h>
#include <support.h>
#include <v23/log.h>
#include <v23/uniqueid.h>

static struct tst_alloc mem;
static struct v23_buf buf;

static void setup(void)
{
    tst_alloc_init(&mem);
    v23_buf_init(&buf, &mem.al, SIZE_MAX);
}

static void teardown(void)
{
    v23_buf_fini(&buf);
    ck_assert_uint_eq(mem.live, 0);
}

/* ---- buffers ------------------------------------------------------------- */

START_TEST(strings_sort_by_octets)
{
    ck_assert_int_lt(vdl_str_cmp(vdl_str("ab"), vdl_str("abc")), 0);
    ck_assert_int_gt(vdl_str_cmp(vdl_str("\xC3"), vdl_str("z")), 0);
    ck_assert_int_eq(vdl_str_cmp(vdl_str(NULL), vdl_str("")), 0);
    ck_assert(vdl_str_is(vdl_strn("abc", 2), "ab"));
    ck_assert(!vdl_str_is(vdl_strn("a\0b", 3), "a"));
}
END_TEST

START_TEST(a_buffer_grows_and_moves)
{
    int i;

    for (i = 0; i < 1000; i++)
        v23_buf_printf(&buf, "%d,", i);
    ck_assert_int_eq(buf.err, 0);
    ck_assert_uint_eq(buf.n, 3890);
    v23_buf_drop(&buf, 3886);
    ck_assert_str_eq(v23_buf_cstr(&buf), "999,");
    v23_buf_cut(&buf, 1);
    v23_buf_put_byte(&buf, 'x');
    v23_buf_put_str(&buf, vdl_str("yz"));

    ck_assert_str_eq(v23_buf_cstr(&buf), "9xyz");
    ck_assert_uint_eq(buf.n, 4);
    v23_buf_fit(&buf);
    ck_assert_uint_eq(buf.cap, 4);
    ck_assert_mem_eq(buf.p, "9xyz", 4);
    v23_buf_cut(&buf, 0);
    v23_buf_fit(&buf);
    ck_assert_ptr_null(buf.p);
}
END_TEST

START_TEST(long_printf_text_is_complete)
{
    char word[300];

    memset(word, 'w', sizeof(word) - 1);
    word[299] = 0;
    v23_buf_printf(&buf, "<%s>", word);

    ck_assert_uint_eq(buf.n, 301);
    ck_assert_int_eq(buf.p[300], '>');
}
END_TEST

START_TEST(numbers_are_put_in_decimal_digits)
{
    v23_buf_put_uint(&buf, 0);
    v23_buf_put_byte(&buf, ' ');
    v23_buf_put_uint(&buf, UINT64_MAX);
    v23_buf_put_byte(&buf, ' ');
    v23_buf_put_int(&buf, INT64_MIN);
    v23_buf_put_byte(&buf, ' ');
    v23_buf_put_int(&buf, -10);
    v23_buf_put_int(&buf, INT64_MAX);

    ck_assert_str_eq(v23_buf_cstr(&buf), "0 18446744073709551615 "
        "-9223372036854775808 -109223372036854775807");
}
END_TEST

START_TEST(the_limit_sticks)
{
    v23_buf_fini(&buf);
    v23_buf_init(&buf, &mem.al, 4);
    v23_buf_puts(&buf, "abcd");
    ck_assert_str_eq(v23_buf_cstr(&buf), "abcd");
    v23_buf_puts(&buf, "e");
    ck_assert_int_eq(buf.err, V23_ELIMIT);
    v23_buf_puts(&buf, "");
    ck_assert_int_eq(v23_buf_room(&buf, 0), V23_ELIMIT);
    ck_assert_str_eq(v23_buf_cstr(&buf), "");
    ck_assert_uint_eq(buf.n, 4);
    v23_buf_cut(&buf, 2);

    ck_assert_str_eq(v23_buf_cstr(&buf), "ab");
    ck_assert_int_eq(v23_buf_room(&buf, SIZE_MAX), V23_ELIMIT);
}
END_TEST

START_TEST(a_fixed_buffer_never_grows)
{
    struct v23_buf b;
    char space[4];

    v23_buf_init_fixed(&b, space, sizeof(space));
    v23_buf_puts(&b, "abc");
    ck_assert_str_eq(v23_buf_cstr(&b), "abc");
    v23_buf_puts(&b, "de");
    ck_assert_int_eq(b.err, V23_ENOSPC);
    ck_assert_uint_eq(b.n, 3);
    v23_buf_cut(&b, 3);
    v23_buf_put_byte(&b, 'd');
    ck_assert_int_eq(b.err, 0);
    ck_assert_str_eq(v23_buf_cstr(&b), "");
    v23_buf_fini(&b);
}
END_TEST

static int fill(const struct v23_alloc *al, void *ud)
{
    struct v23_buf b;
    int i, rc;

    (void)ud;
    v23_buf_init(&b, al, SIZE_MAX);
    for (i = 0; i < 100; i++)
        v23_buf_puts(&b, "some text");
    rc = b.err;
    if (rc == 0)
        ck_assert_uint_eq(b.n, 900);
    v23_buf_fini(&b);
    return rc;
}

START_TEST(out_of_memory_is_reported)
{
    tst_out_of_memory(fill, NULL);
}
END_TEST

/* ---- secrets ------------------------------------------------------------- */

START_TEST(secrets_are_wiped_and_compared)
{
    uint8_t a[4] = { 1, 2, 3, 4 }, b[4] = { 1, 2, 3, 5 };

    ck_assert(!v23_ct_equal(a, b, 4));
    ck_assert(v23_ct_equal(a, b, 3));
    ck_assert(v23_ct_equal(a, b, 0));
    v23_wipe(a, sizeof(a));
    ck_assert_str_eq(unhex(a, 4), "00000000");
}
END_TEST

/* ---- hashes of tables ---------------------------------------------------- */

START_TEST(hash_depends_on_key_length_and_every_octet)
{
    uint8_t b[19] = { 0 };
    uint64_t h[sizeof(b) + 1];
    size_t i, j;

    for (i = 0; i <= sizeof(b); i++) /* zeros of each length */
        h[i] = v23_hash(7, b, i);
    for (i = 0; i <= sizeof(b); i++)
        for (j = 0; j < i; j++)
            ck_assert(h[i] != h[j]);
    ck_assert(v23_hash(8, b, sizeof(b)) != h[sizeof(b)]);
    for (i = 0; i < sizeof(b); i++) {
        b[i] ^= 0x80;
        ck_assert(v23_hash(7, b, sizeof(b)) != h[sizeof(b)]);
        b[i] ^= 0x80;
    }
    ck_assert(v23_hash(7, b, sizeof(b)) == h[sizeof(b)]);
}
END_TEST

/* Neighbours fall into all places of a small table. */
START_TEST(hash_spreads_neighbours)
{
    unsigned used[64] = { 0 }, most = 0, i;

    for (i = 0; i < 64 * 16; i++)
        used[v23_hash(1, &i, sizeof(i)) & 63]++;
    for (i = 0; i < 64; i++)
        if (used[i] > most)
            most = used[i];
    ck_assert_uint_le(most, 40);
}
END_TEST

/* ---- hex and base64 ------------------------------------------------------ */

START_TEST(hex_goes_both_ways)
{
    v23_hex_put(&buf, "\x00\x7f\xff", 3);
    ck_assert_str_eq(v23_buf_cstr(&buf), "007fff");
    v23_buf_cut(&buf, 0);
    ck_assert_int_eq(v23_hex_parse("00fFAb", 6, &buf), 0);
    ck_assert_str_eq(unhex(buf.p, buf.n), "00ffab");
    ck_assert_int_eq(v23_hex_parse("000", 3, &buf), V23_ETEXT);
    ck_assert_int_eq(v23_hex_parse("0g", 2, &buf), V23_ETEXT);
    ck_assert_int_eq(v23_hex_parse("", 0, &buf), 0);
    ck_assert_uint_eq(buf.n, 3);
}
END_TEST

struct b64 {
    const char *plain, *text;
};

START_TEST(base64_goes_both_ways)
{
    /* RFC 4648, section 10, and the two last digits. */
    static const struct b64 cases[] = { { "", "" }, { "66", "Zg==" },
        { "666f", "Zm8=" }, { "666f6f", "Zm9v" }, { "666f6f62", "Zm9vYg==" },
        { "666f6f6261", "Zm9vYmE=" }, { "666f6f626172", "Zm9vYmFy" },
        { "fbff", "+/8=" } };
    struct v23_bytes p;
    char exact[8];
    struct v23_buf fixed;
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        p = hex(cases[i].plain);
        v23_buf_cut(&buf, 0);
        v23_base64_put(&buf, p.p, p.n, false);
        ck_assert_str_eq(v23_buf_cstr(&buf), cases[i].text);
        v23_buf_init_fixed(&fixed, exact, p.n);
        ck_assert_int_eq(v23_base64_parse(cases[i].text,
            strlen(cases[i].text), false, &fixed), 0);
        ck_assert_str_eq(unhex(fixed.p, fixed.n), cases[i].plain);
    }
}
END_TEST

START_TEST(base64_of_less_than_an_octet_is_refused)
{
    ck_assert_int_eq(v23_base64_parse("3", 1, false, &buf), V23_ETEXT);
    ck_assert_int_eq(v23_base64_parse("=", 1, false, &buf), V23_ETEXT);
    ck_assert_int_eq(v23_base64_parse("", 0, false, &buf), 0);
    ck_assert_uint_eq(buf.n, 0);
}
END_TEST

START_TEST(base64_url_alphabet_differs)
{
    v23_base64_put(&buf, "\xfb\xff", 2, true);
    ck_assert_str_eq(v23_buf_cstr(&buf), "-_8=");
    v23_buf_cut(&buf, 0);
    ck_assert_int_eq(v23_base64_parse("-_8=", 4, true, &buf), 0);
    ck_assert_str_eq(unhex(buf.p, buf.n), "fbff");
    ck_assert_int_eq(v23_base64_parse("-_8=", 4, false, &buf), V23_ETEXT);
    ck_assert_int_eq(v23_base64_parse("+/8=", 4, true, &buf), V23_ETEXT);
}
END_TEST

START_TEST(base64_breaks_and_bad_texts)
{
    static const char *const bad[] = { "Z", "Zg", "Zg=", "Zg===", "Z===",
        "====", "Zg==Zg==", "Zm9v=", "Zm 9v", "Zm9v\tZm9v", "Zg=x" };
    size_t i;

    ck_assert_int_eq(v23_base64_parse("Zm\r\n9\nv\n", 8, false, &buf), 0);
    ck_assert_str_eq(unhex(buf.p, buf.n), "666f6f");
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_int_eq(
            v23_base64_parse(bad[i], strlen(bad[i]), false, &buf), V23_ETEXT);
        ck_assert_uint_eq(buf.n, 3);
    }
}
END_TEST

/* ---- UTF-8 --------------------------------------------------------------- */

START_TEST(utf8_is_strict)
{
    static const char *const good[] = { "24", "c2a3", "e0a080", "ed9fbf",
        "ee8080", "efbfbd", "f0908080", "f48fbfbf" };
    static const char *const bad[] = { "80", "bf", "c0af", "c1bf", "c2",
        "c228", "e08080", "e09fbf", "eda080", "edbfbf", "e0a0", "f08fbfbf",
        "f4908080", "f8888080", "ff", "f09080" };
    struct v23_bytes b;
    uint32_t cp;
    size_t i;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        b = hex(good[i]);
        ck_assert_uint_eq(v23_utf8_next((const char *)b.p, b.n, &cp), b.n);
    }
    ck_assert_uint_eq(cp, 0x10FFFF);
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        b = hex(bad[i]);
        ck_assert_uint_eq(v23_utf8_next((const char *)b.p, b.n, NULL), 0);
    }
    ck_assert_uint_eq(v23_utf8_next("", 0, NULL), 0);
}
END_TEST

/* ---- log, status texts --------------------------------------------------- */

static void keep(void *ud, enum v23_log_level level, const char *text)
{
    v23_buf_printf(ud, "%d:%zu:%.5s;", (int)level, strlen(text), text);
}

START_TEST(log_lines_are_filtered_and_cut)
{
    struct v23_log log = { keep, &buf, V23_LOG_WARN };

    v23_logf(NULL, V23_LOG_ERROR, "nobody");
    v23_logf(&log, V23_LOG_INFO, "too much");
    v23_logf(&log, V23_LOG_WARN, "%s", "warn");
    v23_logf(&log, V23_LOG_ERROR, "%02000d", 0);
    v23_logf(&log, V23_LOG_ERROR, "%s", "a\n\x7f\tb");

    ck_assert_str_eq(v23_buf_cstr(&buf),
        "1:4:warn;0:1023:00000;0:5:a   b;");
}
END_TEST

START_TEST(every_status_has_a_text)
{
    int i;

    for (i = -13; i <= 0; i++)
        ck_assert_str_ne(v23_strerror(i), "unknown error");
    for (i = V23_ETEXT; i <= V23_EVERSION; i++)
        ck_assert_str_ne(v23_strerror(i), "unknown error");
    ck_assert_str_eq(v23_strerror(1), "unknown error");
}
END_TEST

static uint8_t drawn; /* of which random octets were made last */
static bool dry;

static int draw(void *ud, void *p, size_t n)
{
    (void)ud;
    memset(p, ++drawn, n);
    return dry ? V23_ESYS : 0;
}

START_TEST(uniqueids_are_random_octets_and_a_counter)
{
    struct v23_uniqueids s = { draw, NULL, { 0 } };
    uint8_t first[16], id[16];
    uint32_t i;

    drawn = 0;
    ck_assert_int_eq(v23_uniqueid_next(&s, first), 0);
    ck_assert_str_eq(unhex(first, 16), "01010101010101010101010101018000");
    for (i = 1; i < 0x8000; i++) {
        ck_assert_int_eq(v23_uniqueid_next(&s, id), 0);
        ck_assert_int_eq(memcmp(id, first, 14), 0);
        ck_assert_uint_eq((uint32_t)id[14] << 8 | id[15], 0x8000u | i);
    }
    ck_assert_int_eq(v23_uniqueid_next(&s, id), 0);
    ck_assert_str_eq(unhex(id, 16), "02020202020202020202020202028000");
}
END_TEST

START_TEST(uniqueid_without_random_octets_is_told)
{
    struct v23_uniqueids s = { draw, NULL, { 0 } };
    uint8_t id[16];

    dry = true;
    ck_assert_int_eq(v23_uniqueid_next(&s, id), V23_ESYS);
    ck_assert_str_eq(unhex(id, 16), "00000000000000000000000000008000");
    dry = false;
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_test(tc, strings_sort_by_octets);
    tcase_add_test(tc, a_buffer_grows_and_moves);
    tcase_add_test(tc, long_printf_text_is_complete);
    tcase_add_test(tc, numbers_are_put_in_decimal_digits);
    tcase_add_test(tc, the_limit_sticks);
    tcase_add_test(tc, a_fixed_buffer_never_grows);
    tcase_add_test(tc, out_of_memory_is_reported);
    tcase_add_test(tc, secrets_are_wiped_and_compared);
    tcase_add_test(tc, hex_goes_both_ways);
    tcase_add_test(tc, base64_goes_both_ways);
    tcase_add_test(tc, base64_of_less_than_an_octet_is_refused);
    tcase_add_test(tc, base64_url_alphabet_differs);
    tcase_add_test(tc, base64_breaks_and_bad_texts);
    tcase_add_test(tc, hash_depends_on_key_length_and_every_octet);
    tcase_add_test(tc, hash_spreads_neighbours);
    tcase_add_test(tc, utf8_is_strict);
    tcase_add_test(tc, log_lines_are_filtered_and_cut);
    tcase_add_test(tc, every_status_has_a_text);
    tcase_add_test(tc, uniqueids_are_random_octets_and_a_counter);
    tcase_add_test(tc, uniqueid_without_random_octets_is_told);
}

int main(void)
{
    return tst_run_case("libvom/bytes", add, setup, teardown);
}

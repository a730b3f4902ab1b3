/* BSD-3-Clause; see LICENSE. */
/* Dumps. Complete streams are in the vectors; here is what they lack. */
#include <check.h>
#include <stdlib.h>

#include <suite.h>
#include <support.h>
#include <vom/dump.h>

static struct tst_alloc mem;
static struct v23_buf out;
static struct vom_dumper *d;

static void collect(void *ud, const char *text, size_t n)
{
    v23_buf_put(ud, text, n);
}

static void setup(void)
{
    tst_alloc_init(&mem);
    v23_buf_init(&out, NULL, SIZE_MAX);
    ck_assert_int_eq(vom_dumper_new(&mem.al, collect, &out, &d), 0);
}

static void teardown(void)
{
    vom_dumper_free(d);
    v23_buf_fini(&out);
    ck_assert_uint_eq(mem.live, 0);
}

static int input(const char *text)
{
    struct v23_bytes b = hex(text);

    return vom_dumper_input(d, b.p, b.n);
}

/* What was written since the last time. */
static const char *written(void)
{
    static char text[16384];

    ck_assert_uint_lt(out.n, sizeof(text));
    if (out.n != 0)
        memcpy(text, out.p, out.n);
    text[out.n] = 0;
    out.n = 0;
    return text;
}

#define VERSION \
    "81                   Version                          129 [Version81]\n"
/* x.S struct{A int32;B string} as type 41; a value of it. */
#define TYPE \
    "51 15 06 00 03 782e53 01 02 00 01 41 01 08 e1 00 01 42 01 03 e1 e1"
#define VALUE "52 07 00 05 01 02 6869 e1"

/* ---- state --------------------------------------------------------------- */

START_TEST(status_tells_what_is_waited_for)
{
    ck_assert_int_eq(vom_dumper_status(d), 0);
    ck_assert_str_eq(written(), "DumpStatus{MsgId: 0, Debug: \"waiting for "
                                "version byte or first byte of message\"}\n");
    ck_assert_int_eq(input("81 10 fe 01"), 0);
    ck_assert_str_eq(written(),
        VERSION "DumpStatus{MsgId: 0, MsgN: 1, Buf(3): \"10fe01\"}\n"
        "10                   MsgId                              8\n"
        "                     ValueMsg                           8 [int32]\n");
    ck_assert_int_eq(vom_dumper_status(d), 0);
    ck_assert_str_eq(written(),
        "DumpStatus{MsgId: 8, MsgN: 1, Buf(2): \"fe01\", Debug: \"waiting for "
        "int value\"}\n");
    ck_assert_int_eq(input("00"), 0);
    ck_assert_str_eq(written(),
        "fe0100               PrimValue                        128 [int]\n"
        "DumpStatus{MsgId: 8, MsgN: 4, Value: int32(128)}\n");
}
END_TEST

START_TEST(flush_drops_a_message_and_keeps_types)
{
    ck_assert_int_eq(input("81" TYPE "52 07 00 05"), 0);
    written();
    ck_assert_int_eq(vom_dumper_flush(d), 0);
    ck_assert_str_eq(written(),
        "DumpStatus{MsgId: 41, MsgLen: 7, MsgN: 2, Debug: \"waiting for struct "
        "field index\", Err: vom: Dumper flushed}\n");
    ck_assert_int_eq(vom_dumper_flush(d), 0);
    ck_assert_str_eq(written(), "");
    ck_assert_int_eq(input(VALUE), 0);
    ck_assert_str_eq(written(),
        "52                   MsgId                             41\n"
        "                     ValueMsg                          41 [x.S "
        "struct{A int32;B string}]\n"
        "07                   MsgLen                             7\n"
        "00                   Index                              0 [x.S.A]\n"
        "05                   PrimValue                         -3 [int]\n"
        "01                   Index                              1 [x.S.B]\n"
        "02                   ByteLen                            2 [string "
        "len]\n"
        "6869                 PrimValue                       \"hi\" [string]\n"
        "e1                   Control                          End [x.S END]\n"
        "DumpStatus{MsgId: 41, MsgLen: 7, MsgN: 7, Value: x.S struct{A int32;B "
        "string}{A: -3, B: \"hi\"}}\n");
}
END_TEST

START_TEST(the_version_may_be_missing_once)
{
    ck_assert_int_eq(input("06 01 61"), 0);
    ck_assert_ptr_nonnull(strstr(written(), "Value: \"a\"}"));
    ck_assert_int_eq(input("81 06 01 62"), 0);
    ck_assert_ptr_nonnull(strstr(written(), "Value: \"b\"}"));
    ck_assert_int_eq(input("81"), V23_ECONTROL);
}
END_TEST

START_TEST(texts_are_aligned_by_characters)
{
    ck_assert_int_eq(input("06 03 c3a921"), 0);
    ck_assert_ptr_nonnull(strstr(written(),
        "c3a921               PrimValue                       \"\xc3\xa9!\" "
        "[string]\n"));
}
END_TEST

/* ---- errors -------------------------------------------------------------- */

START_TEST(errors_drop_bytes_and_keep_types)
{
    static const struct {
        const char *stream;
        int rc;
    } rows[] = {
        { "00", V23_EID },            /* message id 0 */
        { "54", V23_EID },            /* unknown type */
        { "e1", V23_ECONTROL },
        { "f0", V23_EINT },
        { "52 03 02 00 e1", V23_EINDEX }, /* field */
        { "52 02 01 02 61", V23_ELENGTH }, /* longer than the message */
        { "52 03 e1 00 00", V23_ELENGTH }, /* shorter */
        { "52 fc ffffffff", V23_ELENGTH },
        { "1e 01 54", V23_EID },      /* any of unknown type */
        { "1e 00 00 02 00 00", V23_EINDEX },
        { "1e 01 10 00 02 00 00", V23_EINDEX },
        { "1c 00 00", V23_EINDEX },   /* typeobject */
        { "51 02 09 e1", V23_EINDEX }, /* WireType 9 */
        { "51" TYPE, V23_EWIRETYPE },
        { "02 02", V23_EINT },        /* bool 2: the value, not the atom */
        { "55 06 08 01 08 e1", V23_ELENGTH },
    };
    size_t i;

    ck_assert_int_eq(input("81" TYPE), 0);
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int rc;

        written();
        rc = input(rows[i].stream);
        if (rows[i].rc != V23_EWIRETYPE)
            ck_assert_msg(rc == rows[i].rc, "%s: %d", rows[i].stream, rc);
        else
            ck_assert_int_ne(rc, 0);
        ck_assert_ptr_nonnull(strstr(written(), ", Err: "));
        ck_assert_int_eq(vom_dumper_flush(d), 0);
        ck_assert_str_eq(written(), "");
        ck_assert_int_eq(input(VALUE), 0);
        ck_assert_ptr_nonnull(strstr(written(), "B: \"hi\"}}\n"));
    }
}
END_TEST

START_TEST(refused_types_are_not_defined)
{
    /* An optional of an int32. */
    ck_assert_int_ne(input("53 04 08 01 08 e1"), 0);
    ck_assert_int_eq(input("54 00"), V23_EID);
    /* The same id, right. */
    ck_assert_int_eq(input("53 04 03 01 08 e1" "54 02 01 04"), 0);
    ck_assert_ptr_nonnull(strstr(written(), "Value: []int32{2}}\n"));
}
END_TEST

START_TEST(nesting_is_bounded)
{
    /* x.N struct{K []x.N}, nested. */
    struct v23_buf b;
    size_t i, n = 20000;
    int rc;

    ck_assert_int_eq(
        input("81 e2 51 0f 06 00 03 782e4e 01 01 00 01 4b 01 2a e1 e1"
              "53 04 03 01 29 e1"),
        0);
    out.n = 0;
    v23_buf_init(&b, NULL, SIZE_MAX);
    v23_buf_put(&b, "\x52\xfd\x01\x00\x00", 5);
    for (i = 0; i < n; i++)
        v23_buf_put(&b, "\x00\x01", 2);
    rc = vom_dumper_input(d, b.p, b.n);
    v23_buf_fini(&b);
    ck_assert_int_eq(rc, V23_ELIMIT);
}
END_TEST

/* ---- pieces -------------------------------------------------------------- */

/* The atoms alone. */
static size_t without_status(char *text)
{
    char *from = text, *to = text, *end;

    for (; (end = strchr(from, '\n')) != NULL; from = end + 1)
        if (strncmp(from, "DumpStatus", 10) != 0) {
            memmove(to, from, (size_t)(end + 1 - from));
            to += end + 1 - from;
        }
    *to = 0;
    return (size_t)(to - text);
}

static char *dump_in_pieces(struct v23_bytes b, size_t step, int *rc)
{
    struct vom_dumper *x;
    char *text;
    size_t at, n;

    out.n = 0;
    ck_assert_int_eq(vom_dumper_new(&mem.al, collect, &out, &x), 0);
    *rc = 0;
    for (at = 0; at < b.n && *rc == 0; at += n) {
        n = b.n - at < step ? b.n - at : step;
        *rc = vom_dumper_input(x, b.p + at, n);
    }
    if (*rc == 0)
        *rc = vom_dumper_flush(x);
    vom_dumper_free(x);
    v23_buf_put_byte(&out, 0);
    text = malloc(out.n);
    memcpy(text, out.p, out.n);
    without_status(text);
    out.n = 0;
    return text;
}

START_TEST(pieces_of_any_size_give_the_same_atoms)
{
    static const char begin[] = "81" TYPE "53 04 03 01 29 e1"
                                "54 0b 02 00 05 e1 01 04 61626364 e1" VALUE
                                "1e 01 29 01 03 05 00 00 00 05 e1";
    struct v23_bytes stream = hex(begin);
    uint8_t bytes[256];
    uint64_t random = 88172645463325252u;
    unsigned i, k;

    ck_assert_uint_lt(stream.n, sizeof(bytes));
    for (i = 0; i < 500; i++) {
        static const size_t steps[] = { 2, 3, 7, 64 };
        char *one, *other;
        int rc, rc2;

        memcpy(bytes, stream.p, stream.n);
        for (k = 0; k < i % 4; k++) { /* some damage */
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            bytes[random % stream.n] = (uint8_t)(random >> 32);
        }
        one = dump_in_pieces(v23_bytes(bytes, stream.n), 1, &rc);
        other = dump_in_pieces(v23_bytes(bytes, stream.n), steps[i % 4], &rc2);
        ck_assert_int_eq(rc, rc2);
        ck_assert_str_eq(one, other);
        free(one);
        free(other);
    }
}
END_TEST

START_TEST(long_messages_are_not_looked_at_for_every_piece)
{
    /* 256 KiB of bytes in pieces of 64: quadratic would take for ever. */
    enum { LEN = 1 << 18 };
    uint8_t piece[64] = { 0 };
    size_t i;

    ck_assert_int_eq(input("81 4e fd 040000"), 0);
    for (i = 0; i < LEN / sizeof(piece); i++)
        ck_assert_int_eq(vom_dumper_input(d, piece, sizeof(piece)), 0);
    ck_assert_int_eq(vom_dumper_status(d), 0);
    out.n = out.n > 64 ? 64 : out.n; /* some status */
    ck_assert_int_eq(vom_dumper_flush(d), 0);
}
END_TEST

static void drop(void *ud, const char *text, size_t n)
{
    (void)ud;
    (void)text;
    (void)n;
}

static int dump_all(const struct v23_alloc *al, void *ud)
{
    struct v23_bytes b = hex("81" TYPE VALUE "1e 01 29 01 03 05 00 00 00 05 e1"
                             "54");
    struct vom_dumper *x;
    int rc = vom_dumper_new(al, drop, NULL, &x);

    (void)ud;
    if (rc != 0)
        return rc;
    rc = vom_dumper_input(x, b.p, b.n - 1);
    if (rc == 0)
        rc = vom_dumper_flush(x);
    vom_dumper_free(x);
    return rc;
}

START_TEST(memory_may_run_out)
{
    tst_out_of_memory(dump_all, NULL);
}
END_TEST

static void add(TCase *c)
{
    tcase_add_test(c, status_tells_what_is_waited_for);
    tcase_add_test(c, flush_drops_a_message_and_keeps_types);
    tcase_add_test(c, the_version_may_be_missing_once);
    tcase_add_test(c, texts_are_aligned_by_characters);
    tcase_add_test(c, errors_drop_bytes_and_keep_types);
    tcase_add_test(c, refused_types_are_not_defined);
    tcase_add_test(c, nesting_is_bounded);
    tcase_add_test(c, pieces_of_any_size_give_the_same_atoms);
    tcase_add_test(c, long_messages_are_not_looked_at_for_every_piece);
    tcase_add_test(c, memory_may_run_out);
}

int main(void)
{
    return tst_run_case("dump", add, setup, teardown);
}

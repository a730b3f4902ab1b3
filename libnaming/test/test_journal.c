/* BSD-3-Clause; see LICENSE. */
/* The journal of permissions: files, recovery, torn and hostile content. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vname/journal.h>

#include "table_rig.h"

#define OPEN "{\"Read\":{\"In\":[\"...\"]}}"
#define REC(n, v) \
    "{\"N\":\"" n "\",\"V\":{\"V\":" v ",\"P\":{\"Admin\":{\"In\":[\"root\"]," \
    "\"NotIn\":null},\"Read\":{\"In\":[\"...\"],\"NotIn\":null}}}," \
    "\"D\":false,\"C\":\"root\"}\n"
#define DEL(n) \
    "{\"N\":\"" n "\",\"V\":{\"V\":0,\"P\":null},\"D\":true,\"C\":\"\"}\n"

static char dir[64];
static struct vname_journal *journal;
static char why_mem[512], log_text[4096];

static const char *path(const char *name)
{
    static char text[2][128];
    static unsigned next;
    char *p = text[next++ % 2];

    snprintf(p, sizeof(text[0]), "%s/%s", dir, name);
    return p;
}

static void write_log(void *ud, enum v23_log_level level, const char *text)
{
    (void)ud;
    (void)level;
    snprintf(log_text + strlen(log_text), sizeof(log_text) - strlen(log_text),
        "%s\n", text);
}

static const struct v23_log log_ = { write_log, NULL, V23_LOG_DEBUG };

static int open_it(void)
{
    struct vname_journal_config cfg;
    struct v23_buf why;
    int rc;

    memset(&cfg, 0, sizeof(cfg));
    cfg.al = &R.t.al;
    cfg.log = &log_;
    cfg.dir = dir;
    cfg.table = R.table;
    v23_buf_init_fixed(&why, why_mem, sizeof(why_mem));
    rc = vname_journal_open(&cfg, &journal, &why);
    (void)v23_buf_cstr(&why);
    return rc;
}

static void setup(void)
{
    rig_setup();
    snprintf(dir, sizeof(dir), "/tmp/v23-journal-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    journal = NULL;
    log_text[0] = 0;
}

static void teardown(void)
{
    vname_journal_close(journal);
    chmod(dir, 0700);
    unlink(path("persistent.permslog"));
    unlink(path("old.permslog"));
    unlink(path("tmp.permslog"));
    ck_assert_int_eq(rmdir(dir), 0);
    rig_teardown();
}

static void restart(void)
{
    vname_journal_close(journal);
    journal = NULL;
    vname_table_free(R.table);
    rig_new_table(0);
    ck_assert_int_eq(open_it(), 0);
}

/* Content of a file; "-" when there is none. */
static const char *content(const char *name)
{
    static char text[65536];
    FILE *f = fopen(path(name), "rb");
    size_t n;

    if (f == NULL)
        return "-";
    n = fread(text, 1, sizeof(text) - 1, f);
    text[n] = 0;
    fclose(f);
    return text;
}

static void put(const char *name, const char *text)
{
    FILE *f = fopen(path(name), "wb");

    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(text, 1, strlen(text), f), strlen(text));
    fclose(f);
}

START_TEST(journal_starts_empty_and_private)
{
    struct stat st;

    ck_assert_int_eq(open_it(), 0);

    ck_assert_str_eq(content("persistent.permslog"), "");
    ck_assert_str_eq(content("old.permslog"), "-");
    ck_assert_str_eq(content("tmp.permslog"), "-");
    ck_assert_int_eq(stat(path("persistent.permslog"), &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
    ck_assert_str_eq(log_text, "");
}
END_TEST

START_TEST(journal_has_a_line_for_each_change)
{
    ck_assert_int_eq(open_it(), 0);

    do_set("root", "a/<&>\"\\\xe2\x80\xa8", OPEN, "");
    do_set("root", "a", OPEN, "");
    do_set("root", "a", OPEN, "77"); /* fails */
    do_delete("root", "a", true);

    ck_assert_str_eq(content("persistent.permslog"),
        REC("a/\\u003c\\u0026\\u003e\\\"\\\\\\u2028", "1") REC("a", "1")
            DEL("a"));
}
END_TEST

START_TEST(journal_restores_everything_any_number_of_times)
{
    static const char *const names[] = { "", "x", "y", "z", "x/a", "x/b/c",
        "\xc3\xa4/\"q\"" };
    char text[16];
    size_t i;
    int k;

    ck_assert_int_eq(open_it(), 0);
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        ck_assert_str_eq(do_set("root", names[i], OPEN, ""), "");
    do_set("root", "x", OPEN, "");

    for (k = 0; k < 3; k++) {
        restart();
        for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
            ck_assert_str_ne(do_get("root", names[i]), "nameDoesntExist");
        snprintf(text, sizeof(text), "%.1s", do_get("root", "x"));
        ck_assert_str_eq(text, "3"); /* inherited 1, then twice set */
        ck_assert_uint_eq(nodes(), 9);
    }
    ck_assert_str_eq(log_text, "");
}
END_TEST

START_TEST(journal_keeps_what_it_was_before)
{
    ck_assert_int_eq(open_it(), 0);
    do_set("root", "a", OPEN, "");
    do_set("root", "a", OPEN, "");

    restart();

    ck_assert_str_eq(content("persistent.permslog"), REC("a", "2"));
    ck_assert_str_eq(content("old.permslog"), REC("a", "1") REC("a", "2"));
    ck_assert_str_eq(content("tmp.permslog"), "-");
}
END_TEST

START_TEST(journal_forgets_deleted_nodes_and_counts_creators)
{
    ck_assert_int_eq(open_it(), 0);
    do_set("root", "a/b", OPEN, "");
    do_set("root", "a/c", OPEN, "");
    do_delete("root", "a/b", true);

    restart();

    ck_assert_str_eq(content("persistent.permslog"), REC("a/c", "1"));
    ck_assert_uint_eq(nodes(), 3);
    ck_assert_str_eq(do_get("root", "a/b"), "nameDoesntExist");
}
END_TEST

START_TEST(torn_last_line_is_ignored)
{
    put("persistent.permslog", REC("a", "1") "{\"N\":\"b\",\"V\":{\"V\":1,");

    ck_assert_int_eq(open_it(), 0);

    ck_assert_str_eq(content("persistent.permslog"), REC("a", "1"));
    ck_assert_ptr_nonnull(strstr(log_text, "ends within a record"));
    do_set("root", "c", OPEN, "");
    ck_assert_str_eq(content("persistent.permslog"),
        REC("a", "1") REC("c", "1"));
}
END_TEST

START_TEST(last_line_may_lack_its_end)
{
    char text[512];

    snprintf(text, sizeof(text), "%s", REC("a", "1"));
    text[strlen(text) - 1] = 0;
    put("persistent.permslog", text);

    ck_assert_int_eq(open_it(), 0);

    ck_assert_str_eq(content("persistent.permslog"), REC("a", "1"));
    ck_assert_str_eq(log_text, "");
}
END_TEST

START_TEST(malformed_line_is_named_and_nothing_is_changed)
{
    const char *text = REC("a", "1") "what\n" REC("b", "1");
    char want[256];

    put("persistent.permslog", text);

    ck_assert_int_eq(open_it(), V23_ETEXT);

    snprintf(want, sizeof(want), "%s: line 2 is not a record",
        path("persistent.permslog"));
    ck_assert_str_eq(why_mem, want);
    ck_assert_str_eq(content("persistent.permslog"), text);
    ck_assert_str_eq(content("old.permslog"), "-");
}
END_TEST

START_TEST(endless_line_is_refused)
{
    FILE *f = fopen(path("persistent.permslog"), "wb");
    size_t i;

    ck_assert_ptr_nonnull(f);
    fputs(REC("a", "1"), f);
    for (i = 0; i < (4u << 20) + 65537; i++)
        putc('x', f);
    fclose(f);

    ck_assert_int_eq(open_it(), V23_ETEXT);
    ck_assert_ptr_nonnull(strstr(why_mem, ": line 2 is not a record"));
}
END_TEST

START_TEST(every_truncation_restores_the_whole_lines)
{
    const char *text = REC("a", "1") REC("b", "1") DEL("a");
    size_t n, one = strlen(REC("a", "1")), all = strlen(text), want;
    char part[1024];

    for (n = 0; n <= all; n += n % 7 + 1) {
        snprintf(part, sizeof(part), "%.*s", (int)n, text);
        put("persistent.permslog", part);
        vname_table_free(R.table);
        rig_new_table(0);
        ck_assert_int_eq(open_it(), 0);
        /* A record without its line end is whole, too. */
        want = 1 + (n + 1 >= one) + (n + 1 >= 2 * one) - (n + 1 >= all);
        ck_assert_msg(nodes() == want, "%zu bytes: %zu nodes", n, nodes());
        vname_journal_close(journal);
        journal = NULL;
    }
}
END_TEST

START_TEST(unusable_records_are_left_out)
{
    /* A NUL would make it another name; versions and names have limits. */
    put("persistent.permslog",
        REC("a", "1") REC("b\\u0000x", "1") REC("b\\udf00", "1")
            REC("b\\ud800x", "1") REC("b\\ud800\\u0041", "1")
            REC("c", "4294967296")
            REC("d", "-1") "\n" REC("f\xff", "1") REC("e", "2147483647"));

    ck_assert_int_eq(open_it(), 0);

    ck_assert_str_eq(do_get("root", "b"), "nameDoesntExist");
    ck_assert_str_eq(do_get("root", "c"), "nameDoesntExist");
    ck_assert_str_eq(do_get("root", "d"), "nameDoesntExist");
    ck_assert_uint_eq(nodes(), 3);
    ck_assert_int_eq(do_get("root", "a")[0], '1');
    ck_assert_int_eq(do_get("root", "e")[0], '2');
    ck_assert_ptr_nonnull(strstr(log_text, "left out"));
}
END_TEST

START_TEST(records_of_any_writer_are_read)
{
    /* Other order and case, blanks, escapes, unknown members, other numbers. */
    put("persistent.permslog",
        " {\"x\":[{}], \"c\" : \"me\\u0041\" , \"V\":{\"P\":{\"Admin\":{\"In\":"
        "[\"root\"]}}, \"v\": 2e1},\"N\":\"a\\/b\\u00e4\" ,\"d\":null} \n");

    ck_assert_int_eq(open_it(), 0);

    ck_assert_str_eq(do_get("root", "a/b\xc3\xa4"),
        "20 {\"Admin\":{\"In\":[\"root\"],\"NotIn\":null}}");
    ck_assert_ptr_nonnull(strstr(content("persistent.permslog"),
        "\"C\":\"meA\""));
}
END_TEST

START_TEST(escapes_of_any_kind_are_read)
{
    /* A character in two halves; a backslash is no escape of what follows. */
    put("persistent.permslog",
        REC("x\\uD83d\\uDe00", "1") REC("y\\\\u0000", "1"));

    ck_assert_int_eq(open_it(), 0);

    ck_assert_int_eq(do_get("root", "x\xf0\x9f\x98\x80")[0], '1');
    ck_assert_int_eq(do_get("root", "y\\u0000")[0], '1');
}
END_TEST

START_TEST(hostile_lines_do_no_harm)
{
    static const char *const lines[] = { "[]\n", "7\n", "\"x\"\n", "null\n",
        "{\"N\":7}\n", "{\"N\":\"a\",\"V\":7}\n", "{\"N\":\"a\",\"V\":{\"V\":"
        "\"1\"}}\n", "{\"N\":\"a\",\"V\":{\"P\":[]}}\n", "{\"N\":\"a\",\"C\":"
        "{}}\n", "{}{}\n", "\xff\xfe\n", "{\"N\":\"a\",\"V\":{\"V\":1.5}}\n",
        "{\"N\":\"\",\"D\":true}\n", "{\"N\":\"///\",\"D\":true}\n" };
    size_t i;

    for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        int rc;

        put("persistent.permslog", lines[i]);
        vname_table_free(R.table);
        rig_new_table(0);
        rc = open_it();
        ck_assert(rc == V23_ETEXT
            ? strstr(why_mem, ": line 1 is not a record") != NULL
            : rc == 0);
        ck_assert_uint_le(nodes(), 2);
        vname_journal_close(journal);
        journal = NULL;
    }
}
END_TEST

START_TEST(mutated_journals_do_no_harm)
{
    char text[1024];
    size_t n, i;

    snprintf(text, sizeof(text), "%s", REC("a/b", "1") DEL("a") REC("", "9"));
    n = strlen(text);
    for (i = 0; i < n; i++) {
        char keep = text[i];
        int rc;

        text[i] = (char)(keep ^ (1 << i % 7));
        if (text[i] == 0)
            text[i] = '\x7f';
        put("persistent.permslog", text);
        text[i] = keep;
        vname_table_free(R.table);
        rig_new_table(0);
        rc = open_it();
        ck_assert(rc == V23_ETEXT || rc == 0);
        vname_journal_close(journal);
        journal = NULL;
    }
}
END_TEST

START_TEST(unfinished_rewrite_is_finished)
{
    put("tmp.permslog", REC("a", "1"));
    ck_assert_int_eq(open_it(), 0);
    ck_assert_str_eq(content("persistent.permslog"), REC("a", "1"));
    ck_assert_str_eq(content("tmp.permslog"), "-");

    /* But the current file wins when it is there. */
    put("tmp.permslog", REC("b", "1"));
    restart();
    ck_assert_str_eq(content("persistent.permslog"), REC("a", "1"));
    ck_assert_str_eq(content("tmp.permslog"), "-");
}
END_TEST

START_TEST(unusable_directory_is_refused)
{
    char keep[sizeof(dir)];
    int rc;

    memcpy(keep, dir, sizeof(dir));
    snprintf(dir, sizeof(dir), "/nonexistent/v23");
    rc = open_it();
    memcpy(dir, keep, sizeof(dir));

    ck_assert_int_eq(rc, V23_ESYS);
    ck_assert_str_eq(why_mem, "cannot open /nonexistent/v23/"
                              "persistent.permslog: No such file or "
                              "directory");
    ck_assert_str_eq(do_set("root", "a", OPEN, ""), "");
}
END_TEST

START_TEST(journal_that_cannot_be_rewritten_is_continued)
{
    put("persistent.permslog", REC("a", "1") REC("a", "2") "{torn");
    /* A directory in the way of the new file. */
    ck_assert_int_eq(mkdir(path("tmp.permslog"), 0700), 0);

    ck_assert_int_eq(open_it(), 0);
    do_set("root", "b", OPEN, "");

    ck_assert_str_eq(content("persistent.permslog"),
        REC("a", "1") REC("a", "2") REC("b", "1"));
    ck_assert_ptr_nonnull(strstr(log_text, "cannot rewrite"));
    ck_assert_int_eq(rmdir(path("tmp.permslog")), 0);
    restart();
    ck_assert_str_eq(content("old.permslog"),
        REC("a", "1") REC("a", "2") REC("b", "1"));
    ck_assert_uint_eq(strlen(content("persistent.permslog")),
        2 * strlen(REC("a", "2")));
}
END_TEST

START_TEST(record_without_line_end_gets_one)
{
    char text[512];

    snprintf(text, sizeof(text), "%s", REC("a", "1"));
    text[strlen(text) - 1] = 0;
    put("persistent.permslog", text);
    ck_assert_int_eq(mkdir(path("tmp.permslog"), 0700), 0);

    ck_assert_int_eq(open_it(), 0);
    do_set("root", "b", OPEN, "");

    ck_assert_str_eq(content("persistent.permslog"),
        REC("a", "1") REC("b", "1"));
    ck_assert_int_eq(rmdir(path("tmp.permslog")), 0);
}
END_TEST

START_TEST(journal_is_rewritten_when_it_has_grown)
{
    struct stat st;
    int i;

    ck_assert_int_eq(open_it(), 0);
    for (i = 0; i < 12000; i++) {
        do_set("root", "a", OPEN, "");
        v23_arena_reset(&R.arena);
    }

    ck_assert_int_eq(stat(path("persistent.permslog"), &st), 0);
    ck_assert_int_lt(st.st_size, (1 << 20) + 1024);
    restart();
    ck_assert_ptr_nonnull(strstr(do_get("root", "a"), "12000 {"));
}
END_TEST

static int life(const struct v23_alloc *al, void *ud)
{
    struct vname_table_config tcfg = { 0 };
    struct vname_journal_config cfg = { 0 };
    struct vname_journal *j = NULL;
    struct vname_table *t;
    int rc;

    (void)ud;
    put("persistent.permslog", REC("a/b", "1") REC("c", "1") DEL("a"));
    tcfg.al = al;
    rc = vname_table_new(&tcfg, &t);
    if (rc != 0)
        return rc;
    cfg.al = al;
    cfg.dir = dir;
    cfg.table = t;
    rc = vname_journal_open(&cfg, &j, NULL);
    vname_journal_close(j);
    vname_table_free(t);
    return rc;
}

START_TEST(journal_survives_every_lack_of_memory)
{
    tst_out_of_memory(life, NULL);
    ck_assert_str_eq(content("persistent.permslog"), REC("c", "1"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("libnaming/journal");
    TCase *tc = tcase_create("journal");

    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, journal_starts_empty_and_private);
    tcase_add_test(tc, journal_has_a_line_for_each_change);
    tcase_add_test(tc, journal_restores_everything_any_number_of_times);
    tcase_add_test(tc, journal_keeps_what_it_was_before);
    tcase_add_test(tc, journal_forgets_deleted_nodes_and_counts_creators);
    tcase_add_test(tc, torn_last_line_is_ignored);
    tcase_add_test(tc, last_line_may_lack_its_end);
    tcase_add_test(tc, malformed_line_is_named_and_nothing_is_changed);
    tcase_add_test(tc, endless_line_is_refused);
    tcase_add_test(tc, every_truncation_restores_the_whole_lines);
    tcase_add_test(tc, unusable_records_are_left_out);
    tcase_add_test(tc, records_of_any_writer_are_read);
    tcase_add_test(tc, escapes_of_any_kind_are_read);
    tcase_add_test(tc, hostile_lines_do_no_harm);
    tcase_add_test(tc, mutated_journals_do_no_harm);
    tcase_add_test(tc, unfinished_rewrite_is_finished);
    tcase_add_test(tc, unusable_directory_is_refused);
    tcase_add_test(tc, journal_that_cannot_be_rewritten_is_continued);
    tcase_add_test(tc, record_without_line_end_gets_one);
    tcase_add_test(tc, journal_is_rewritten_when_it_has_grown);
    tcase_add_test(tc, journal_survives_every_lack_of_memory);
    suite_add_tcase(s, tc);
    return tst_run(s);
}

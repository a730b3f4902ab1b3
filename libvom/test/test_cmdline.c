/* BSD-3-Clause; see LICENSE. */
/* Command lines: flags, commands, errors, help. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <suite.h>
#include <support.h>
#include <v23/cmdline.h>

/* ---- a program ----------------------------------------------------------- */

static bool all;
static const char *name;
static int64_t count, timeout, seen;
static double rate;
static char log_text[512];

static int add_word(void *var, const char *value, const char **why)
{
    if (strchr(value, '=') == NULL) {
        *why = "incorrect format";
        return V23_EARG;
    }
    ++*(int64_t *)var;
    strcat(log_text, value);
    strcat(log_text, ";");
    return 0;
}

static int run_args(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    int i;

    (void)ud;
    printf("%s", v23_invocation_path(inv));
    for (i = 0; i < argc; i++)
        printf(" [%s]", argv[i]);
    printf("\n");
    return 0;
}

static int run_two(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    int rc = v23_want_args(inv, 2, argc);

    return rc != 0 ? rc : run_args(ud, inv, argc, argv);
}

static int run_fail(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    (void)ud;
    (void)inv;
    (void)argc;
    (void)argv;
    return v23_error("it %s", "broke");
}

static const struct v23_flag echo_flags[] = {
    { "all", "Echo all.", "false", V23_FLAG_BOOL, &all, NULL },
    { "name", "A name.", "", V23_FLAG_STRING, &name, NULL },
    { "n", "How often.", "0", V23_FLAG_INT, &count, NULL },
    { "rate", "A rate.", "0", V23_FLAG_FLOAT, &rate, NULL },
    { "add", "A word; may be repeated.", "", V23_FLAG_FUNC, &seen, add_word },
};
static const struct v23_flag root_flags[] = {
    { "timeout", "How long to wait.", "1m0s", V23_FLAG_DURATION, &timeout,
        NULL },
};
static const struct v23_command echo = { .name = "echo",
    .brief = "Echo the arguments",
    .about = "Echo prints its arguments.\nThis line joins  the first one.\n\n"
             "  verbatim   line\n",
    .args = "<word> ...", .flags = echo_flags, .nflags = 5,
    .run = run_args };
static const struct v23_command two = { .name = "two", .brief = "Needs two",
    .args = "<a> <b>", .run = run_two };
static const struct v23_command fail = { .name = "fail", .brief = "Fails",
    .run = run_fail };
static const struct v23_command *const group_children[] = { &two };
static const struct v23_command group = { .name = "group",
    .brief = "A group", .children = group_children, .nchildren = 1 };
static const struct v23_command *const children[] = { &echo, &group, &fail };
static const struct v23_topic topics[] = { { "words", "About words",
    "Words are made of letters." } };
static const struct v23_command root = { .name = "tool",
    .brief = "Tests command lines", .flags = root_flags, .nflags = 1,
    .children = children, .nchildren = 3, .topics = topics, .ntopics = 1 };

static bool source_has(void *ud, const char *flag, bool *is_bool)
{
    (void)ud;
    *is_bool = strcmp(flag, "v23.on") == 0;
    return strncmp(flag, "v23.", 4) == 0;
}

static int source_set(void *ud, const char *flag, const char *value,
    const char **why)
{
    (void)ud;
    if (value != NULL && strcmp(value, "bad") == 0) {
        *why = "bad value";
        return V23_EARG;
    }
    strcat(log_text, flag);
    strcat(log_text, value == NULL ? "!" : value);
    return 0;
}

static void source_help(void *ud, struct v23_buf *out)
{
    (void)ud;
    v23_buf_puts(out, " -v23.on=false\n   Switch it on.\n");
}

static int before(void *ud)
{
    ++*(int *)ud;
    return strcmp(log_text, "v23.stop1") == 0 ? 3 : 0;
}

/* ---- running it ---------------------------------------------------------- */

static char out[16384], err[16384];
static int befores;

static void redirect(FILE *std, FILE *to, int *saved)
{
    fflush(std);
    *saved = dup(fileno(std));
    dup2(fileno(to), fileno(std));
}

static void restore(FILE *std, FILE *from, int saved, char *text)
{
    size_t n;

    fflush(std);
    dup2(saved, fileno(std));
    close(saved);
    rewind(from);
    n = fread(text, 1, sizeof(out) - 1, from);
    text[n] = 0;
    fclose(from);
}

/* Run "tool WORDS"; words are separated by blanks. Output is in out, err. */
static int run(const char *words)
{
    static const struct v23_flag_source src = { source_has, source_set,
        source_help, NULL };
    static const struct v23_flag_source *const sources[] = { &src };
    FILE *o = tmpfile(), *e = tmpfile();
    static char copy[512]; /* string flags point into it */
    char *argv[32], *word;
    int argc = 0, rc, save_out, save_err;

    all = false;
    name = "";
    count = seen = 0;
    rate = 0;
    befores = 0;
    log_text[0] = 0;
    snprintf(copy, sizeof(copy), "%s", words);
    argv[argc++] = (char *)(uintptr_t)"tool";
    for (word = strtok(copy, " "); word != NULL; word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc] = NULL;
    redirect(stdout, o, &save_out);
    redirect(stderr, e, &save_err);
    rc = v23_cmdline_main(&root, sources, 1, before, &befores, argc, argv);
    restore(stdout, o, save_out, out);
    restore(stderr, e, save_err, err);
    return rc;
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* Usage error: exit code, first line, blank line, usage. */
static void usage_error(const char *words, const char *first)
{
    size_t n = strlen(first);

    ck_assert_int_eq(run(words), 2);
    ck_assert_str_eq(out, "");
    ck_assert_msg(strncmp(err, first, n) == 0, "%s: %s", words, err);
    ck_assert_msg(strncmp(err + n, "\n\n", 2) == 0, "%s: %s", words, err);
    ck_assert_ptr_nonnull(strstr(err, "\nUsage:\n   tool"));
    ck_assert_int_eq(befores, 0);
}

static void setup(void)
{
    unsetenv("CMDLINE_STYLE");
    unsetenv("CMDLINE_PREFIX");
    setenv("CMDLINE_WIDTH", "80", 1);
}

/* ---- tests --------------------------------------------------------------- */

START_TEST(flags_take_all_forms)
{
    ck_assert_int_eq(run("-timeout=3s echo -all --name=x -n 0x10 --rate 2.5 "
                         "-add a=1 -add=b=2 w1 -w2"), 0);
    ck_assert_str_eq(out, "tool echo [w1] [-w2]\n");
    ck_assert(all);
    ck_assert_str_eq(name, "x");
    ck_assert_int_eq(count, 16);
    ck_assert_double_eq(rate, 2.5);
    ck_assert_int_eq(timeout, INT64_C(3000000000));
    ck_assert_int_eq(seen, 2);
    ck_assert_str_eq(log_text, "a=1;b=2;");
    ck_assert_int_eq(befores, 1);
}
END_TEST

START_TEST(outer_and_global_flags_work_at_any_level)
{
    ck_assert_int_eq(run("-v23.a=1 echo -timeout 250ms -v23.on --v23.b 2 x"),
        0);
    ck_assert_int_eq(timeout, 250000000);
    ck_assert_str_eq(log_text, "v23.a1v23.on!v23.b2");
}
END_TEST

START_TEST(flags_end_at_words_and_dashes)
{
    ck_assert_int_eq(run("echo - -all"), 0);
    ck_assert_str_eq(out, "tool echo [-] [-all]\n");
    ck_assert_int_eq(run("echo -all=0 -- -all"), 0);
    ck_assert_str_eq(out, "tool echo [-all]\n");
    ck_assert(!all);
}
END_TEST

START_TEST(numbers_are_read_as_in_go)
{
    ck_assert_int_eq(run("echo -n -9223372036854775808"), 0);
    ck_assert(count == INT64_MIN);
    ck_assert_int_eq(run("echo -n 0b101"), 0);
    ck_assert_int_eq(count, 5);
    ck_assert_int_eq(run("echo -n +017"), 0);
    ck_assert_int_eq(count, 15);
    usage_error("echo -n 9223372036854775808",
        "ERROR: tool echo: invalid value \"9223372036854775808\" for flag "
        "-n: value out of range");
    usage_error("echo -n 1x",
        "ERROR: tool echo: invalid value \"1x\" for flag -n: parse error");
    usage_error("echo -n --5",
        "ERROR: tool echo: invalid value \"--5\" for flag -n: parse error");
    usage_error("echo -n=",
        "ERROR: tool echo: invalid value \"\" for flag -n: parse error");
}
END_TEST

START_TEST(bad_flags_are_usage_errors)
{
    usage_error("-x", "ERROR: tool: flag provided but not defined: -x");
    usage_error("echo -x=1",
        "ERROR: tool echo: flag provided but not defined: -x");
    usage_error("echo -name",
        "ERROR: tool echo: flag needs an argument: -name");
    usage_error("echo ---all", "ERROR: tool echo: bad flag syntax: ---all");
    usage_error("echo -=1", "ERROR: tool echo: bad flag syntax: -=1");
    usage_error("echo -all=maybe",
        "ERROR: tool echo: invalid boolean value \"maybe\" for -all: parse "
        "error");
    usage_error("-timeout=10 echo",
        "ERROR: tool: invalid value \"10\" for flag -timeout: parse error");
    usage_error("echo -add nonsense",
        "ERROR: tool echo: invalid value \"nonsense\" for flag -add: "
        "incorrect format");
    usage_error("echo -v23.a bad",
        "ERROR: tool echo: invalid value \"bad\" for flag -v23.a: bad value");
}
END_TEST

START_TEST(bad_commands_are_usage_errors)
{
    usage_error("", "ERROR: tool: no command specified");
    usage_error("frob", "ERROR: tool: unknown command \"frob\"");
    usage_error("group", "ERROR: tool group: no command specified");
    usage_error("group frob", "ERROR: tool group: unknown command \"frob\"");
    usage_error("fail x", "ERROR: tool fail: doesn't take arguments");
    usage_error("echo help ...",
        "ERROR: tool echo: unsupported help invocation");
}
END_TEST

START_TEST(commands_report_errors)
{
    ck_assert_int_eq(run("group two a"), 2);
    ck_assert(begins(err, "ERROR: two: incorrect number of arguments, "
        "expected 2, got 1\n\n"));
    ck_assert_int_eq(run("group two a b"), 0);
    ck_assert_str_eq(out, "tool group two [a] [b]\n");
    ck_assert_int_eq(run("fail"), 1);
    ck_assert_str_eq(err, "ERROR: it broke\n");
    ck_assert_int_eq(run("-v23.stop=1 echo x"), 3);
    ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(help_is_on_standard_output)
{
    ck_assert_int_eq(run("help"), 0);
    ck_assert_str_eq(out,
        "Tests command lines\n"
        "\n"
        "Usage:\n"
        "   tool [flags] <command>\n"
        "\n"
        "The tool commands are:\n"
        "   echo        Echo the arguments\n"
        "   group       A group\n"
        "   fail        Fails\n"
        "   help        Display help for commands or topics\n"
        "Run \"tool help [command]\" for command usage.\n"
        "\n"
        "The tool additional help topics are:\n"
        "   words       About words\n"
        "Run \"tool help [topic]\" for topic details.\n"
        "\n"
        "The tool flags are:\n"
        " -timeout=1m0s\n"
        "   How long to wait.\n"
        "\n"
        "Run \"tool help -style=full\" to show all flags.\n");
    ck_assert_str_eq(err, "");
    ck_assert_int_eq(befores, 0);
}
END_TEST

START_TEST(help_of_a_command)
{
    static const char want[] =
        "Echo prints its arguments. This line joins  the first one.\n"
        "\n"
        "  verbatim   line\n"
        "\n"
        "Usage:\n"
        "   tool echo [flags] <word> ...\n"
        "\n"
        "The tool echo flags are:\n"
        " -add=\n"
        "   A word; may be repeated.\n"
        " -all=false\n"
        "   Echo all.\n"
        " -n=0\n"
        "   How often.\n"
        " -name=\n"
        "   A name.\n"
        " -rate=0\n"
        "   A rate.\n"
        "\n"
        "Run \"tool help -style=full echo\" to show all flags.\n";

    ck_assert_int_eq(run("help echo"), 0);
    ck_assert_str_eq(out, want);
    ck_assert_int_eq(run("echo -help"), 0);
    ck_assert_str_eq(out, want);
    ck_assert_int_eq(run("echo -all -h x"), 0);
    ck_assert_str_eq(out, want);
}
END_TEST

START_TEST(full_help_shows_all_flags)
{
    ck_assert_int_eq(run("help -style=full echo"), 0);
    ck_assert_ptr_nonnull(strstr(out,
        "\nThe tool flags are:\n -timeout=1m0s\n"));
    ck_assert_ptr_nonnull(strstr(out, "\nThe global flags are:\n"
        " -v23.on=false\n   Switch it on.\n -metadata=\n"));
    ck_assert_int_eq(run("help -style shortonly echo"), 0);
    ck_assert_str_eq(out, "Echo the arguments\n");
    setenv("CMDLINE_STYLE", "shortonly", 1);
    ck_assert_int_eq(run("-help"), 0);
    ck_assert_str_eq(out, "Tests command lines\n");
}
END_TEST

START_TEST(help_of_everything)
{
    ck_assert_int_eq(run("help ..."), 0);
    ck_assert_ptr_nonnull(strstr(out, "====\nTool echo - Echo the arguments\n"
        "\nEcho prints"));
    ck_assert_ptr_nonnull(strstr(out, "\nTool group two - Needs two\n"));
    ck_assert_ptr_nonnull(strstr(out, "\nTool help - Display help"));
    ck_assert_ptr_nonnull(strstr(out, "\nTool words - About words\n\n"
        "Words are made of letters.\n"));
}
END_TEST

START_TEST(help_has_topics_and_errors)
{
    ck_assert_int_eq(run("help words"), 0);
    ck_assert_str_eq(out, "Words are made of letters.\n");
    usage_error("help frob",
        "ERROR: tool: unknown command or topic \"frob\"");
    usage_error("help group frob",
        "ERROR: tool group: unknown command or topic \"frob\"");
    usage_error("help -style=loud",
        "ERROR: tool help: invalid value \"loud\" for flag -style: unknown "
        "style");
    ck_assert_int_eq(run("help help"), 0);
    ck_assert_ptr_nonnull(strstr(out, " -width="));
}
END_TEST

START_TEST(help_is_wrapped)
{
    ck_assert_int_eq(run("help -width=20 echo"), 0);
    ck_assert(begins(out, "Echo prints its\narguments. This line\n"
        "joins  the first\none.\n\n"));
    ck_assert_int_eq(run("help -width=-1 echo"), 0);
    ck_assert(begins(out, "Echo prints its arguments. This line "
        "joins  the first one.\n"));
    setenv("CMDLINE_WIDTH", "20", 1);
    ck_assert_int_eq(run("help echo"), 0);
    ck_assert(begins(out, "Echo prints its\n"));
}
END_TEST

START_TEST(the_prefix_precedes_the_tool)
{
    setenv("CMDLINE_PREFIX", "big", 1);
    ck_assert_int_eq(run("frob"), 2);
    ck_assert(begins(err, "ERROR: big tool: unknown command"));
}
END_TEST

START_TEST(metadata_and_time)
{
    ck_assert_int_eq(run("-metadata"), 0);
    ck_assert(begins(out, "<metadata>\n"));
    ck_assert_ptr_nonnull(strstr(out, "[tool]"));
    ck_assert_int_eq(run("-time echo"), 0);
    ck_assert(begins(err, "tool: "));
}
END_TEST

static void add(TCase *tc)
{
    tcase_add_test(tc, flags_take_all_forms);
    tcase_add_test(tc, outer_and_global_flags_work_at_any_level);
    tcase_add_test(tc, flags_end_at_words_and_dashes);
    tcase_add_test(tc, numbers_are_read_as_in_go);
    tcase_add_test(tc, bad_flags_are_usage_errors);
    tcase_add_test(tc, bad_commands_are_usage_errors);
    tcase_add_test(tc, commands_report_errors);
    tcase_add_test(tc, help_is_on_standard_output);
    tcase_add_test(tc, help_of_a_command);
    tcase_add_test(tc, full_help_shows_all_flags);
    tcase_add_test(tc, help_of_everything);
    tcase_add_test(tc, help_has_topics_and_errors);
    tcase_add_test(tc, help_is_wrapped);
    tcase_add_test(tc, the_prefix_precedes_the_tool);
    tcase_add_test(tc, metadata_and_time);
}

int main(void)
{
    return tst_run_case("libvom/cmdline", add, setup, NULL);
}

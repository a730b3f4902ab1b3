/* BSD-3-Clause; see LICENSE. */
/*
 * cli -bin DIR -dir DIR [-skip ID]… [-before "ID COMMAND"]… FILE GROUP…: run
 * the cases of these groups in the order of the file, a shell command before
 * some of them. The caller has started the daemons that the cases talk about
 * and put their endpoints into the environment. Records of commands (group
 * `commands`) are compared with what the programs say of themselves.
 */
#include "cli.h"

#include "commands.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_ARGS 32
#define MAX_SLOW 16

struct slow {
    struct cli_process p;
    char *line; /* of the file */
};

static struct {
    const char *bin, *dir;
    const char *skip[64], *before[64];
    size_t nskip, nbefore;
    char *const *groups;
    struct slow slow[MAX_SLOW];
    size_t nslow;
    size_t passed, failed;
} C;

static const cJSON *get(const cJSON *o, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(o, name);
}

static const char *text(const cJSON *o, const char *name)
{
    const cJSON *v = get(o, name);

    return cJSON_IsString(v) ? v->valuestring : NULL;
}

/* ---- verdicts ------------------------------------------------------------ */

static bool fail(const cJSON *c, const char *what, const char *want,
    const char *got)
{
    printf("FAIL %s: %s\n--- want\n%s\n--- got\n%s\n", text(c, "id"), what,
        want, got);
    return false;
}

/* What the network stack says is not compared: only the part before. */
static void cut_network_error(char *want, char *got)
{
    char *at = strstr(want, " [");
    size_t n = at == NULL ? 0 : (size_t)(at - want);

    if (strstr(want, "dial tcp") == NULL || n == 0)
        return;
    want[n] = 0;
    if (strlen(got) > n)
        got[n] = 0;
}

static bool same_stdout(const cJSON *c, const char *path)
{
    char *want = cli_expand(text(c, "stdout")), *got = cli_read(path);
    bool ok;

    if (cJSON_IsTrue(get(c, "comments_stripped"))) {
        cli_strip_comments(got);
        cli_strip_comments(want);
    }
    ok = cJSON_IsTrue(get(c, "unordered_lines")) ? cli_match_lines(want, got)
                                                 : cli_match(want, got);
    if (!ok)
        fail(c, "standard output", want, got);
    free(want);
    free(got);
    return ok;
}

static bool same_stderr(const cJSON *c, const char *path)
{
    const char *whole = text(c, "stderr"), *first,
               *part = text(c, "stderr_contains");
    char *want, *got = cli_read(path);
    bool ok;

    first = text(c, "stderr_first_line");
    want = cli_expand(whole != NULL ? whole
            : first != NULL         ? first
            : part != NULL          ? part
                                    : "");
    if (whole != NULL) {
        cut_network_error(want, got);
        ok = cli_match(want, got);
    } else if (first != NULL) {
        got[strcspn(got, "\n")] = 0;
        ok = cli_match(want, got);
    } else {
        ok = part == NULL || strstr(got, want) != NULL;
    }
    if (!ok)
        fail(c, "standard error", want, got);
    free(want);
    free(got);
    return ok;
}

static bool same_files(const cJSON *c)
{
    const cJSON *f;
    char path[1024];
    bool ok = true;

    cJSON_ArrayForEach(f, get(c, "files_after"))
    {
        char *got;

        snprintf(path, sizeof(path), "%s/%s", C.dir, f->string);
        got = cli_read(path);
        if (!cli_match(f->valuestring, got))
            ok = fail(c, f->string, f->valuestring, got);
        free(got);
    }
    return ok;
}

static bool verdict(const cJSON *c, const struct cli_process *p, int rc)
{
    char want[16], got[16];
    bool ok = true;

    snprintf(want, sizeof(want), "%d", (int)get(c, "exit")->valuedouble);
    snprintf(got, sizeof(got), "%d", rc);
    if (strcmp(want, got) != 0)
        ok = fail(c, "exit code", want, got);
    ok = same_stdout(c, p->out) && ok;
    ok = same_stderr(c, p->err) && ok;
    return same_files(c) && ok;
}

/* ---- running ------------------------------------------------------------- */

static void write_files(const cJSON *c)
{
    const cJSON *f;
    char path[1024];
    FILE *out;

    cJSON_ArrayForEach(f, get(c, "files_before"))
    {
        snprintf(path, sizeof(path), "%s/%s", C.dir, f->string);
        out = fopen(path, "wb");
        if (out == NULL)
            continue;
        fputs(f->valuestring, out);
        fclose(out);
    }
}

/* uniqueid has no run time, so it lacks the logging flags. */
static bool has_logging(const char *program)
{
    return strcmp(program, "uniqueid") != 0;
}

static bool start(const cJSON *c, struct cli_process *p)
{
    char *argv[MAX_ARGS + 2];
    const cJSON *a;
    size_t n = 0, i;
    bool ok;

    cJSON_ArrayForEach(a, get(c, "argv"))
    {
        if (n < MAX_ARGS)
            argv[n++] = cli_expand(a->valuestring);
        if (n == 1 && has_logging(argv[0]))
            argv[n++] = strdup("-alsologtostderr=false");
    }
    argv[n] = NULL;
    write_files(c);
    ok = n != 0
        && cli_start(C.bin, C.dir, text(c, "id"), argv, get(c, "env"),
            text(c, "stdin"), p);
    for (i = 0; i < n; i++)
        free(argv[i]);
    return ok;
}

static size_t lines(const char *t)
{
    size_t n = 0;

    for (; *t != 0; t++)
        n += *t == '\n';
    return n;
}

/* A daemon has printed what it prints at its start; then it is ended. */
static bool run_daemon(const cJSON *c, const struct cli_process *p)
{
    struct timespec pause = { 0, 5000000 };
    char want[16], got[16];
    size_t n = lines(text(c, "stdout")), i;
    bool ok, there = false;

    for (i = 0; i < 2000 && !there; i++) {
        char *t = cli_read(p->out);

        there = lines(t) >= n;
        free(t);
        if (!there)
            nanosleep(&pause, NULL);
    }
    ok = same_stdout(c, p->out);
    kill(p->pid, SIGTERM);
    snprintf(want, sizeof(want), "%d",
        (int)get(c, "exit_on_sigterm")->valuedouble);
    snprintf(got, sizeof(got), "%d", cli_wait(p, 20));
    return strcmp(want, got) == 0 ? ok : fail(c, "exit code", want, got);
}

/* Cases that wait for a time-out run beside the others. */
static bool is_slow(const cJSON *c)
{
    const char *err = text(c, "stderr");

    return err != NULL && strstr(err, "dial tcp") != NULL;
}

static void count(bool ok)
{
    if (ok)
        C.passed++;
    else
        C.failed++;
}

static void run_before(const char *id)
{
    size_t n = strlen(id), i;

    for (i = 0; i < C.nbefore; i++)
        if (strncmp(C.before[i], id, n) == 0 && C.before[i][n] == ' '
            && system(C.before[i] + n + 1) != 0)
            printf("FAIL %s: %s\n", id, C.before[i] + n + 1);
}

static void run_case(const cJSON *c)
{
    struct cli_process p;

    run_before(text(c, "id"));
    if (!start(c, &p))
        count(fail(c, "cannot start", "", ""));
    else if (cJSON_IsTrue(get(c, "daemon")))
        count(run_daemon(c, &p));
    else
        count(verdict(c, &p, cli_wait(&p, 90)));
}

static void start_slow(const cJSON *c, const char *line)
{
    struct slow *s = &C.slow[C.nslow];

    if (C.nslow < MAX_SLOW && start(c, &s->p)
        && (s->line = strdup(line)) != NULL)
        C.nslow++;
    else
        count(fail(c, "cannot start", "", ""));
}

static void finish_slow(void)
{
    cJSON *c;
    size_t i;

    for (i = 0; i < C.nslow; i++) {
        c = cJSON_Parse(C.slow[i].line);
        count(verdict(c, &C.slow[i].p, cli_wait(&C.slow[i].p, 120)));
        cJSON_Delete(c);
        free(C.slow[i].line);
    }
}

/* ---- which cases --------------------------------------------------------- */

static bool wanted(const cJSON *c)
{
    const char *group = text(c, "group");
    char *const *g;

    for (g = C.groups; *g != NULL; g++)
        if (group != NULL && strcmp(*g, group) == 0)
            return true;
    return false;
}

static bool skipped(const cJSON *c)
{
    const char *id = text(c, "id");
    char path[1024];
    size_t i;

    for (i = 0; i < C.nskip; i++)
        if (strcmp(C.skip[i], id) == 0) {
            printf("skip %s: needs what this build does not have\n", id);
            return true;
        }
    snprintf(path, sizeof(path), "%s/%s", C.bin,
        cJSON_GetArrayItem(get(c, "argv"), 0)->valuestring);
    if (access(path, X_OK) == 0)
        return false;
    printf("skip %s: there is no program %s\n", id, path);
    return true;
}

/* In the second pass; if their group is wanted. */
static void count_commands(const cJSON *c, bool slow)
{
    char *const *g;

    for (g = C.groups; !slow && *g != NULL; g++)
        if (strcmp(*g, "commands") == 0)
            count(cli_check_commands(C.bin, C.dir, c));
}

/* Slow cases first: they only wait. */
static void run_file(char *all, bool slow)
{
    char *line, *end;
    cJSON *c;

    for (line = all; *line != 0; line = end) {
        end = strchr(line, '\n');
        if (end == NULL)
            end = line + strlen(line);
        else
            *end++ = 0;
        c = cJSON_Parse(line);
        if (c == NULL && *line != 0)
            count(false);
        else if (c != NULL && get(c, "tool") != NULL)
            count_commands(c, slow);
        else if (c != NULL && wanted(c) && is_slow(c) == slow && !skipped(c)) {
            if (slow)
                start_slow(c, line);
            else
                run_case(c);
        }
        cJSON_Delete(c);
        if (end[0] != 0 || end[-1] == 0)
            end[-1] = '\n';
    }
}

int main(int argc, char **argv)
{
    const char *file = NULL;
    char *all;
    int k;

    for (k = 1; k < argc && argv[k][0] == '-' && k + 1 < argc; k += 2) {
        if (strcmp(argv[k], "-bin") == 0)
            C.bin = argv[k + 1];
        else if (strcmp(argv[k], "-dir") == 0)
            C.dir = argv[k + 1];
        else if (strcmp(argv[k], "-skip") == 0 && C.nskip < 64)
            C.skip[C.nskip++] = argv[k + 1];
        else if (strcmp(argv[k], "-before") == 0 && C.nbefore < 64)
            C.before[C.nbefore++] = argv[k + 1];
    }
    if (k < argc)
        file = argv[k++];
    if (file == NULL || C.bin == NULL || C.dir == NULL || k == argc) {
        fprintf(stderr, "usage: cli -bin DIR -dir DIR [-skip ID]... FILE "
                        "GROUP...\n");
        return 2;
    }
    C.groups = argv + k;
    all = cli_read(file);
    run_file(all, true);
    run_file(all, false);
    finish_slow();
    free(all);
    if (C.passed + C.failed == 0)
        C.failed++;
    printf("%zu passed, %zu failed\n", C.passed, C.failed);
    return C.failed == 0 ? 0 : 1;
}

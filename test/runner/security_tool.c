/* BSD-3-Clause; see LICENSE. */
/*
 * Recorded runs of the program principal (security/principal_tool), in their
 * order, in a copy of the folders that they work in. What an earlier run has
 * printed takes the place of what it had printed in the recording.
 */
#define _GNU_SOURCE 1 /* environ */
#include "security_tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cli.h>

enum { MAX_RECORDS = 1024, MAX_ARGS = 64, PATIENCE = 180 };

struct record {
    cJSON *json;
    struct cli_process process;
    bool started, done;
};

struct replay {
    const char *companions[2];
    char top[64];  /* the copies: credentials, keys, x509 */
    char work[96]; /* top/credentials, the working directory */
    char bin[4096];
    const char *file;
    long agent; /* process of an ssh-agent; 0 = none */
    struct tool_pairs pairs;
    struct record v[MAX_RECORDS];
    size_t n;
};

static const char *id_of(const struct record *r)
{
    return run_sec_text(r->json, "id");
}

static void fail(struct replay *t, const struct record *r, const char *what,
    const char *want, const char *got)
{
    char why[4096];

    snprintf(why, sizeof(why), "%s\n--- want\n%.1500s\n--- got\n%.1500s", what,
        want, got);
    run_result(t->file, id_of(r), false, why);
}

/* ---- the folders --------------------------------------------------------- */

static bool shell(const char *fmt, const char *a, const char *b)
{
    char cmd[16384];

    snprintf(cmd, sizeof(cmd), fmt, a, b);
    return system(cmd) == 0;
}

/* Copy a folder or file of the companions, unless it is there. */
static bool bring(struct replay *t, const char *name)
{
    char from[4096], to[512];
    size_t i;

    snprintf(to, sizeof(to), "%s/%.300s", t->top, name);
    if (access(to, F_OK) == 0)
        return true;
    for (i = 0; i < 2; i++) {
        snprintf(from, sizeof(from), "%.3000s/%.300s", t->companions[i],
            name);
        if (access(from, F_OK) == 0)
            return shell("cp -R '%s' '%s'", from, to)
                && shell("chmod -R %s '%s'", "u+rwX,go-rwx", to);
    }
    return false;
}

static bool has_arg(const struct record *r, const char *part)
{
    const cJSON *a;

    cJSON_ArrayForEach(a, run_sec_get(r->json, "argv"))
        if (cJSON_IsString(a) && strstr(a->valuestring, part) != NULL)
            return true;
    return false;
}

/*
 * A record may build on runs that another recording has: then what they left
 * in credentials/ takes part. New directories are not there before.
 */
static void bring_missing(struct replay *t, const struct record *r)
{
    bool makes = has_arg(r, "create") || has_arg(r, "fork");
    const cJSON *a;
    const char *s, *eq;
    char name[512];

    cJSON_ArrayForEach(a, run_sec_get(r->json, "argv"))
    {
        s = cJSON_IsString(a) ? a->valuestring : "";
        eq = strrchr(s, '=');
        if (makes && strncmp(s, "--v23.credentials=", 18) != 0)
            continue;
        if (*s == '-' && eq != NULL && eq[1] != 0)
            s = eq + 1;
        if (*s == 0 || strlen(s) > 255 || strchr(s, '/') != NULL)
            continue;
        snprintf(name, sizeof(name), "credentials/%s", s);
        (void)bring(t, name);
    }
    s = run_sec_text(run_sec_get(r->json, "env"), "V23_CREDENTIALS");
    snprintf(name, sizeof(name), "credentials/%s", s);
    if (*s != 0)
        (void)bring(t, name);
}

/* The keys that are given have the same fingerprints in every run. */
static void bind_given_keys(struct replay *t)
{
    static const char *const names[] = { "alice", "bob", "carol", "dave",
        "eve", "frank", "grace", "idp", "mallory", "phone" };
    char path[256], print[VSEC_FINGERPRINT];
    struct vsec_pubkey_file f;
    char *text;
    size_t i, n;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/keys/%s.pub.pem", t->top, names[i]);
        text = tst_read_file(path, &n);
        if (text == NULL)
            continue;
        if (vsec_pubkey_file_read(t->pairs.engine, v23_bytes(text, n), &f)
            == 0) {
            if (f.key != NULL
                && vsec_fingerprint(t->pairs.engine->crypto, f.key->der,
                       print)
                    == 0)
                (void)tool_bind(&t->pairs, print, strlen(print), print,
                    strlen(print));
            vsec_pubkey_file_fini(&f);
        }
        free(text);
    }
}

/* ---- an ssh-agent for the records that name its keys --------------------- */

static void start_agent(struct replay *t)
{
    char path[128], *said, *at;
    size_t i;

    for (i = 0; i < t->n && !has_arg(&t->v[i], "--ssh-public-key"); i++)
        ;
    if (i == t->n)
        return;
    snprintf(path, sizeof(path), "%s/agent", t->top);
    if (!shell("ssh-agent -a '%s' >'%s.said' 2>&1", path, path)
        || setenv("SSH_AUTH_SOCK", path, 1) != 0
        || !shell("ssh-add -q '%s'/keys/*.openssh </dev/null 2>'%s/agent.log'",
            t->top, t->top))
        run_result(t->file, "ssh-agent", false,
            "ssh-agent and ssh-add do not work");
    snprintf(path, sizeof(path), "%s/agent.said", t->top);
    said = cli_read(path);
    at = strstr(said, "SSH_AGENT_PID=");
    t->agent = at == NULL ? 0 : strtol(at + 14, NULL, 10);
    free(said);
}

static void stop_agent(struct replay *t)
{
    char pid[32];

    snprintf(pid, sizeof(pid), "%ld", t->agent);
    if (t->agent > 1)
        (void)shell("kill %s%s", pid, "");
}

/* ---- a run --------------------------------------------------------------- */

static bool start(struct replay *t, struct record *r)
{
    char *argv[MAX_ARGS + 1], *input, *agent = NULL;
    const cJSON *a;
    size_t n = 0, i;

    bring_missing(t, r);
    cJSON_ArrayForEach(a, run_sec_get(r->json, "argv"))
        if (n < MAX_ARGS && cJSON_IsString(a))
            argv[n++] = tool_translate(&t->pairs, a->valuestring);
    argv[n] = NULL;
    input = tool_translate(&t->pairs, run_sec_text(r->json, "stdin"));
    if (strncmp(run_sec_text(r->json, "note"), "no agent", 8) == 0
        && getenv("SSH_AUTH_SOCK") != NULL) {
        agent = strdup(getenv("SSH_AUTH_SOCK"));
        unsetenv("SSH_AUTH_SOCK");
    }
    r->started = n != 0
        && cli_start(t->bin, t->work, id_of(r), argv,
            run_sec_get(r->json, "env"), input, &r->process);
    if (agent != NULL)
        setenv("SSH_AUTH_SOCK", agent, 1);
    free(agent);
    free(input);
    for (i = 0; i < n; i++)
        free(argv[i]);
    return r->started;
}

static void save(struct replay *t, const struct record *r, const char *text)
{
    const char *name = run_sec_text(r->json, "stdout_saved_as");
    char path[1024];
    FILE *f;

    if (*name == 0 || strstr(name, "..") != NULL)
        return;
    snprintf(path, sizeof(path), "%s/%s", t->top, name);
    f = fopen(path, "wb");
    if (f == NULL)
        return;
    fputs(text, f);
    fclose(f);
}

static void finish(struct replay *t, struct record *r)
{
    char *out, *err, want[16], got[16];

    r->done = true;
    snprintf(got, sizeof(got), "%d", cli_wait(&r->process, PATIENCE));
    snprintf(want, sizeof(want), "%d",
        (int)cJSON_GetNumberValue(run_sec_get(r->json, "exit")));
    out = cli_read(r->process.out);
    err = cli_read(r->process.err);
    save(t, r, out);
    if (!tool_same(&t->pairs, run_sec_text(r->json, "stderr"), err))
        fail(t, r, "standard error", run_sec_text(r->json, "stderr"), err);
    else if (strcmp(want, got) != 0)
        fail(t, r, "exit code", want, got);
    else if (!tool_same(&t->pairs, run_sec_text(r->json, "stdout"), out))
        fail(t, r, "standard output", run_sec_text(r->json, "stdout"), out);
    else
        run_result(t->file, id_of(r), true, "");
    free(out);
    free(err);
}

/* ---- two processes that talk --------------------------------------------- */

/* Key, token and name in a line "principal bless --remote-key=…". */
static bool split_order(const char *text, char part[3][512])
{
    const char *at = strstr(text, "principal bless --remote-key=");

    return at != NULL
        && sscanf(at, "principal bless --remote-key=%511s "
               "--remote-token=%511s %511s", part[0], part[1], part[2])
        == 3;
}

/* What the receiver tells its sender to do differs in every run. */
static bool bind_order(struct replay *t, const struct record *r,
    const char *said)
{
    char want[3][512], got[3][512];
    bool ok = true;
    size_t i;

    if (!split_order(run_sec_text(r->json, "stdout"), want))
        return true; /* it is in a file */
    if (!split_order(said, got))
        return false;
    for (i = 0; i < 3; i++)
        ok = tool_bind(&t->pairs, want[i], strlen(want[i]), got[i],
                 strlen(got[i]))
            && ok;
    return ok;
}

/* Start a receiver and wait until it serves. */
static bool receiver_ready(struct replay *t, struct record *r)
{
    struct timespec pause = { 0, 5000000 };
    char *said = NULL;
    bool ready = false;
    int tries;

    if (!start(t, r))
        return false;
    for (tries = 0; tries < 6000 && !ready; tries++) {
        free(said);
        said = cli_read(r->process.out);
        ready = strstr(said, "...waiting for sender..\n") != NULL;
        if (!ready)
            nanosleep(&pause, NULL);
    }
    ready = ready && bind_order(t, r, said);
    free(said);
    return ready;
}

/* The recording lists a receiver when it has ended: after its sender. */
static void before_sender(struct replay *t, size_t i)
{
    size_t k = i + 1;

    if (!has_arg(&t->v[i], "--remote-key") && !has_arg(&t->v[i],
            "--remote-arg-file"))
        return;
    if (has_arg(&t->v[i], "recvblessings"))
        return;
    while (k < t->n
        && (t->v[k].started || !has_arg(&t->v[k], "recvblessings")))
        k++;
    if (k < t->n && !receiver_ready(t, &t->v[k])) {
        t->v[k].done = true;
        fail(t, &t->v[k], "does not wait for blessings", "", "");
    }
}

/* ---- all of a file ------------------------------------------------------- */

static bool prepare(struct replay *t, const char *dir, const char *companions)
{
    extern char **environ;
    char name[256], at[4096];
    const char *const clear[] = { "V23_", "VDL", "CMDLINE_", "SSH_A" };
    size_t i, k;

    for (i = 0; environ[i] != NULL;) {
        snprintf(name, sizeof(name), "%.*s",
            (int)strcspn(environ[i], "="), environ[i]);
        for (k = 0; k < 4 && strncmp(name, clear[k], strlen(clear[k])) != 0;)
            k++;
        if (k == 4 || unsetenv(name) != 0)
            i++;
    }
    setenv("CMDLINE_WIDTH", "80", 1);
    t->companions[0] = dir;
    t->companions[1] = companions;
    snprintf(t->top, sizeof(t->top), "/tmp/principal-tool.XXXXXX");
    if (mkdtemp(t->top) == NULL || realpath(run_bin, at) == NULL)
        return false;
    snprintf(t->bin, sizeof(t->bin), "%s", at);
    snprintf(t->work, sizeof(t->work), "%s/credentials", t->top);
    return mkdir(t->work, 0700) == 0 && bring(t, "keys") && bring(t, "x509");
}

static void run_all(struct replay *t)
{
    size_t i;

    bind_given_keys(t);
    start_agent(t);
    for (i = 0; i < t->n; i++) {
        if (t->v[i].done)
            continue;
        if (!t->v[i].started) {
            before_sender(t, i);
            if (!start(t, &t->v[i])) {
                fail(t, &t->v[i], "cannot start", "", "");
                continue;
            }
        }
        finish(t, &t->v[i]);
    }
    stop_agent(t);
}

static void parse(struct replay *t, char *text)
{
    char *line, *end;

    for (line = text; *line != 0; line = end) {
        end = strchr(line, '\n');
        if (end == NULL)
            end = line + strlen(line);
        else
            *end++ = 0;
        if (*line == 0)
            continue;
        if (t->n < MAX_RECORDS
            && (t->v[t->n].json = cJSON_Parse(line)) != NULL)
            t->n++;
        else
            run_result(t->file, "line", false, "cannot be read");
    }
}

void run_sec_tool(const char *dir, const char *companions, const char *path)
{
    struct replay *t;
    char *text;

    if (run_bin == NULL) {
        printf("left  security/principal_tool/transcripts.jsonl: programs are "
            "not run here\n");
        return;
    }
    t = calloc(1, sizeof(*t));
    text = tst_read_file(path, NULL);
    t->file = "principal_tool/transcripts.jsonl";
    if (text == NULL
        || vsec_engine_new(&t->pairs.engine, &vsec_crypto_default, NULL, NULL)
            != 0
        || !prepare(t, dir, companions)) {
        run_result(t->file, "file", false, "cannot be replayed");
    } else {
        parse(t, text);
        run_all(t);
        while (t->n > 0)
            cJSON_Delete(t->v[--t->n].json);
    }
    (void)shell("rm -rf '%s'%s", t->top, "");
    tool_pairs_fini(&t->pairs);
    vsec_engine_unref(t->pairs.engine);
    free(text);
    free(t);
}

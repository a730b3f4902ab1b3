/* BSD-3-Clause; see LICENSE. */
/* Starting programs and waiting for them. */
#include "cli.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

char *cli_read(const char *path)
{
    FILE *f = fopen(path, "rb");
    size_t cap = 4096, n = 0, k;
    char *text = malloc(cap);

    if (text == NULL)
        abort();
    while (f != NULL && (k = fread(text + n, 1, cap - n - 1, f)) != 0) {
        n += k;
        if (n + 1 == cap && (text = realloc(text, cap *= 2)) == NULL)
            abort();
    }
    if (f != NULL)
        fclose(f);
    text[n] = 0;
    return text;
}

static void redirect(const char *path, int flags, int fd)
{
    int f = open(path, flags, 0600);

    if (f < 0 || dup2(f, fd) < 0)
        _exit(126);
    close(f);
}

static void child(const char *bin, const char *dir, const char *in,
    char **argv, const cJSON *env, const struct cli_process *p)
{
    char path[1024];
    const cJSON *v;

    redirect(in, O_RDONLY, 0);
    redirect(p->out, O_WRONLY | O_CREAT | O_TRUNC, 1);
    redirect(p->err, O_WRONLY | O_CREAT | O_TRUNC, 2);
    cJSON_ArrayForEach(v, env)
    {
        char *value = cli_expand(cJSON_IsString(v) ? v->valuestring : "");

        setenv(v->string, value, 1);
    }
    snprintf(path, sizeof(path), "%s/%s", bin, argv[0]);
    if (chdir(dir) != 0)
        _exit(126);
    execv(path, argv);
    _exit(127);
}

bool cli_start(const char *bin, const char *dir, const char *id, char **argv,
    const cJSON *env, const char *input, struct cli_process *out)
{
    char in[512] = "/dev/null";
    FILE *f;

    snprintf(out->out, sizeof(out->out), "%s/.%s.out", dir, id);
    snprintf(out->err, sizeof(out->err), "%s/.%s.err", dir, id);
    if (input != NULL) {
        snprintf(in, sizeof(in), "%s/.%s.in", dir, id);
        f = fopen(in, "wb");
        if (f == NULL)
            return false;
        fputs(input, f);
        fclose(f);
    }
    fflush(stdout);
    out->pid = fork();
    if (out->pid == 0)
        child(bin, dir, in, argv, env, out);
    return out->pid > 0;
}

int cli_wait(const struct cli_process *p, int seconds)
{
    struct timespec pause = { 0, 2000000 };
    time_t until = time(NULL) + seconds;
    int status;
    pid_t pid;

    while ((pid = waitpid(p->pid, &status, WNOHANG)) == 0) {
        if (time(NULL) > until) {
            kill(p->pid, SIGKILL);
            waitpid(p->pid, &status, 0);
            return -1;
        }
        nanosleep(&pause, NULL);
    }
    return pid == p->pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* BSD-3-Clause; see LICENSE. */
/*
 * Programs that this one starts. They are asked to end with it, and where the
 * system can do that, also when it is killed.
 */
#define _DEFAULT_SOURCE

#include "runner.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <v23/cmdline.h>
#include <vsec/credentials.h>

#define START_MS 30000

/* The path of a program beside this one; its name, if it is not known where
 * that is: then $PATH decides. */
static void find(const char *name, char *path, size_t size)
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    char *slash;

    snprintf(path, size, "%s", name);
    if (n <= 0)
        return;
    self[n] = 0;
    slash = strrchr(self, '/');
    if (slash == NULL)
        return;
    *slash = 0;
    if ((size_t)snprintf(path, size, "%s/%s", self, name) >= size
        || access(path, X_OK) != 0)
        snprintf(path, size, "%s", name);
}

/* Nothing of the others goes to a child. */
static void close_inherited(const struct children *c)
{
    size_t i;

    for (i = 0; i < c->n; i++)
        close(c->out[i]);
}

static void run(const char *credentials, const char *const *argv, int out)
{
    char path[2 * PATH_MAX];
    char *args[16];
    sigset_t none;
    size_t i;

#ifdef __linux__
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
#endif
    find(argv[0], path, sizeof(path));
    for (i = 0; i < 15 && argv[i] != NULL; i++)
        args[i] = strdup(argv[i]);
    args[i] = NULL;
    for (i = 0; vsec_cred_env[i] != NULL; i++)
        unsetenv(vsec_cred_env[i]);
    setenv("V23_CREDENTIALS", credentials, 1);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (dup2(out, 1) >= 0)
        execvp(path, args);
    fprintf(stderr, "%s: %s\n", path, strerror(errno));
    _exit(127);
}

/* Read lines until one begins with the key. */
static int await(int fd, const char *key, char *value, size_t size)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    char line[8192];
    size_t n = 0;

    while (poll(&p, 1, START_MS) > 0 && n < sizeof(line) - 1
        && read(fd, line + n, 1) == 1) {
        if (line[n++] != '\n')
            continue;
        line[n - 1] = 0;
        n = 0;
        if (strncmp(line, key, strlen(key)) != 0)
            continue;
        snprintf(value, size, "%s", line + strlen(key));
        return 0;
    }
    return 1;
}

int children_start(struct children *c, const char *credentials,
    const char *const *argv, const char *key, char *value, size_t size)
{
    int fds[2], rc;
    pid_t pid;

    if (c->n == MAX_CHILDREN || pipe(fds) != 0)
        return v23_error("cannot start %s: %s", argv[0], strerror(errno));
    pid = fork();
    if (pid == 0) {
        close(fds[0]);
        close_inherited(c);
        run(credentials, argv, fds[1]);
    }
    close(fds[1]);
    if (pid < 0) {
        close(fds[0]);
        return v23_error("cannot start %s: %s", argv[0], strerror(errno));
    }
    c->names[c->n] = argv[0];
    c->out[c->n] = fds[0];
    c->pids[c->n++] = pid;
    rc = await(fds[0], key, value, size);
    return rc == 0 ? 0 : v23_error("%s does not start", argv[0]);
}

const char *children_ended(struct children *c)
{
    size_t i;

    for (i = 0; i < c->n; i++)
        if (c->pids[i] > 0 && waitpid(c->pids[i], NULL, WNOHANG) != 0) {
            c->pids[i] = 0;
            return c->names[i];
        }
    return NULL;
}

void children_stop(struct children *c)
{
    size_t i;

    for (i = c->n; i-- > 0; close(c->out[i]))
        if (c->pids[i] > 0 && kill(c->pids[i], SIGTERM) == 0)
            while (waitpid(c->pids[i], NULL, 0) < 0 && errno == EINTR)
                ;
    c->n = 0;
}

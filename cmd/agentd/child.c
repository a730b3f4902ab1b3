/* BSD-3-Clause; see LICENSE. */
/* Running a command with an agent, in an event loop. */
#define _DEFAULT_SOURCE /* prctl's header */
#include "child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <event2/event.h>

#include <v23/cmdline.h>
#include <vsec/credentials.h>

static const int forwarded[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
enum { SIGNALS = sizeof(forwarded) / sizeof(forwarded[0]),
    REST_US = 200000 /* before it is run again */ };

struct child {
    const struct child_options *opt;
    struct event *signals[SIGNALS], *ended, *rest;
    pid_t pid;
    bool told; /* to end */
    int status;
    int rc;
};

void child_hide_memory(void)
{
#ifdef __linux__
    (void)prctl(PR_SET_DUMPABLE, 0);
#endif
}

void child_environment(const char *path)
{
    const char *const *v;

    for (v = vsec_cred_env; *v != NULL; v++)
        unsetenv(*v);
    setenv("V23_AGENT_PATH", path, 1);
}

static void become(const struct child_options *opt)
{
    int e;

    child_environment(opt->agent_path);
    execvp(opt->argv[0], opt->argv);
    e = errno;
    fprintf(stderr, "ERROR: %s: %s\n", opt->argv[0], strerror(e));
    _exit(e == ENOENT ? 127 : 126);
}

static int start(struct child *c)
{
    fflush(NULL);
    c->pid = fork();
    if (c->pid == 0)
        become(c->opt);
    if (c->pid > 0)
        return 0;
    c->rc = v23_error("fork: %s", strerror(errno));
    event_base_loopbreak(c->opt->base);
    return c->rc;
}

static void forward(evutil_socket_t signo, short what, void *ud)
{
    struct child *c = ud;

    (void)what;
    c->told = true;
    if (c->pid > 0)
        kill(c->pid, (int)signo);
    else
        event_base_loopbreak(c->opt->base);
}

static void run_again(evutil_socket_t fd, short what, void *ud)
{
    (void)fd;
    (void)what;
    (void)start(ud);
}

static void on_ended(evutil_socket_t signo, short what, void *ud)
{
    const struct timeval tv = { 0, REST_US };
    struct child *c = ud;
    int st;

    (void)signo;
    (void)what;
    if (c->pid <= 0 || waitpid(c->pid, &st, WNOHANG) != c->pid)
        return;
    c->pid = 0;
    c->status = WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st);
    if (c->told || c->opt->again == NULL
        || !c->opt->again(c->opt->ud, c->status)
        || event_add(c->rest, &tv) != 0)
        event_base_loopbreak(c->opt->base);
}

static bool watch(struct child *c)
{
    size_t i;

    c->ended = evsignal_new(c->opt->base, SIGCHLD, on_ended, c);
    c->rest = evtimer_new(c->opt->base, run_again, c);
    if (c->ended == NULL || c->rest == NULL
        || event_add(c->ended, NULL) != 0)
        return false;
    for (i = 0; i < SIGNALS; i++) {
        c->signals[i] = evsignal_new(c->opt->base, forwarded[i], forward, c);
        if (c->signals[i] == NULL || event_add(c->signals[i], NULL) != 0)
            return false;
    }
    return true;
}

static void unwatch(struct child *c)
{
    size_t i;

    for (i = 0; i < SIGNALS; i++)
        if (c->signals[i] != NULL)
            event_free(c->signals[i]);
    if (c->ended != NULL)
        event_free(c->ended);
    if (c->rest != NULL)
        event_free(c->rest);
}

int child_run(const struct child_options *opt, int *status)
{
    struct child c;

    memset(&c, 0, sizeof(c));
    c.opt = opt;
    if (!watch(&c))
        c.rc = v23_error("out of memory");
    else if (start(&c) == 0)
        event_base_dispatch(opt->base);
    unwatch(&c);
    *status = c.status;
    return c.rc;
}

/* BSD-3-Clause; see LICENSE. */
/*
 * A parent's side of the exec protocol. The data goes through a socket pair
 * instead of a pipe, which the child cannot tell apart, so that a child that
 * has gone costs an error instead of SIGPIPE. A third pipe, closed when the
 * program starts to run, says at once if it cannot be run.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vrpc/exec.h>
#include <vrpc/verror.h>

#include "ev_int.h"
#include "exec_int.h"

#define MAX_FILES 16
#define FIRST_FD 3 /* of the child, behind the standard ones */

extern char **environ;

struct vrpc_exec_parent {
    struct event_base *base;
    const struct v23_alloc *al;
    enum vrpc_exec_form form;
    pid_t pid;
    bool ended;
    int end_status;
    /* what is told */
    int data_fd;        /* -1: all is written, or failed: */
    int write_error;    /* errno */
    struct v23_buf data;
    size_t written;
    struct event write;
    /* what is reported */
    int status_fd;
    bool complete;      /* there is no more to come */
    struct v23_buf status;
    struct event read, ready_timer;
    vrpc_exec_ready_fn *ready;
    void *ready_ud;
    /* the end */
    struct event child, end_timer;
    vrpc_exec_end_fn *end;
    void *end_ud;
};

void vrpc_exec_cloexec_(int fd)
{
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* ---- in the new process -------------------------------------------------- */

struct plan {
    const struct vrpc_exec_options *opt;
    char **env;
    int files[2 + MAX_FILES]; /* to become the descriptors from 3 on */
    int nfiles;
    int failed;               /* where to write errno */
};

/* Between fork and exec: only what is safe in a signal handler. */
static void become(struct plan *p)
{
    int first = FIRST_FD + p->nfiles, i, e;

    for (i = 0; i < p->nfiles; i++) { /* out of the way of the others */
        p->files[i] = fcntl(p->files[i], F_DUPFD, first);
        if (p->files[i] < 0)
            goto fail;
        vrpc_exec_cloexec_(p->files[i]);
    }
    p->failed = fcntl(p->failed, F_DUPFD, first);
    if (p->failed < 0)
        _exit(127);
    vrpc_exec_cloexec_(p->failed);
    for (i = 0; i < p->nfiles; i++)
        if (dup2(p->files[i], FIRST_FD + i) < 0)
            goto fail;
    environ = p->env;
    execvp(p->opt->argv[0], p->opt->argv);
fail:
    e = errno;
    (void)!write(p->failed, &e, sizeof(e));
    _exit(127);
}

/* ---- starting ------------------------------------------------------------ */

static bool is_ours(const char *variable)
{
    size_t n = strcspn(variable, "=");
    struct vdl_str name = vdl_strn(variable, n);

    return vdl_str_is(name, VRPC_EXEC_VERSION_VAR_)
        || vdl_str_is(name, VRPC_EXEC_CONFIG_VAR_);
}

/* The child's environment, in one block; `text` holds our variable. */
static int make_env(const struct vrpc_exec_options *opt, struct v23_buf *text,
    char ***out)
{
    static const struct vrpc_exec_config none;
    char *const *env = opt->env != NULL ? opt->env : environ;
    size_t n = 0, i, k = 0;
    char **v;
    int rc = 0;

    while (env != NULL && env[n] != NULL)
        n++;
    v = v23_get0(opt->al, n + 2, sizeof(*v));
    if (v == NULL)
        return V23_ENOMEM;
    for (i = 0; i < n; i++)
        if (!is_ours(env[i]))
            v[k++] = env[i];
    if (opt->form == VRPC_EXEC_PIPES) {
        v23_buf_puts(text, VRPC_EXEC_VERSION_VAR_ "=" VRPC_EXEC_VERSION);
    } else if (opt->form == VRPC_EXEC_ENVIRONMENT) {
        v23_buf_puts(text, VRPC_EXEC_CONFIG_VAR_ "=");
        rc = vrpc_exec_config_to_env(
            opt->config != NULL ? opt->config : &none, text);
    }
    v23_buf_put_byte(text, 0);
    if (rc == 0)
        rc = text->err;
    if (rc != 0) {
        v23_put(opt->al, v);
        return rc;
    }
    if (opt->form != VRPC_EXEC_NONE)
        v[k] = (char *)text->p;
    *out = v;
    return 0;
}

/* fork and exec; 0 or V23_ESYS with errno. */
static int launch(struct vrpc_exec_parent *p, struct plan *plan)
{
    int news[2], e = 0;
    ssize_t n;

    if (pipe(news) != 0)
        return V23_ESYS;
    vrpc_exec_cloexec_(news[0]);
    vrpc_exec_cloexec_(news[1]);
    plan->failed = news[1];
    fflush(NULL);
    p->pid = fork();
    if (p->pid == 0)
        become(plan);
    e = errno;
    close(news[1]);
    if (p->pid > 0) {
        do
            n = read(news[0], &e, sizeof(e));
        while (n < 0 && errno == EINTR);
        if (n == (ssize_t)sizeof(e)) {
            (void)waitpid(p->pid, NULL, 0);
            p->pid = -1;
        }
    }
    close(news[0]);
    errno = e;
    return p->pid > 0 ? 0 : V23_ESYS;
}

static void on_writable(evutil_socket_t fd, short what, void *ud);
static void on_status(evutil_socket_t fd, short what, void *ud);
static void on_ready_timer(evutil_socket_t fd, short what, void *ud);
static void on_child(evutil_socket_t fd, short what, void *ud);
static void on_end_timer(evutil_socket_t fd, short what, void *ud);

static int listen_to_it(struct vrpc_exec_parent *p)
{
    if (evutil_make_socket_nonblocking(p->data_fd) != 0
        || evutil_make_socket_nonblocking(p->status_fd) != 0)
        return V23_ESYS;
    event_assign(&p->write, p->base, p->data_fd, EV_WRITE | EV_PERSIST,
        on_writable, p);
    event_assign(&p->read, p->base, p->status_fd, EV_READ | EV_PERSIST,
        on_status, p);
    return event_add(&p->write, NULL) == 0 && event_add(&p->read, NULL) == 0
        ? 0 : V23_ENOMEM;
}

/* The pipes, the child's ends of which go to theirs[2]. */
static int make_pipes(struct vrpc_exec_parent *p, int theirs[2])
{
    int data[2], status[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, data) != 0)
        return V23_ESYS;
    p->data_fd = data[0];
    theirs[0] = data[1];
    if (pipe(status) != 0)
        return V23_ESYS;
    p->status_fd = status[0];
    theirs[1] = status[1];
    vrpc_exec_cloexec_(data[0]);
    vrpc_exec_cloexec_(data[1]);
    vrpc_exec_cloexec_(status[0]);
    vrpc_exec_cloexec_(status[1]);
    return 0;
}

static struct vrpc_exec_parent *parent_new(
    const struct vrpc_exec_options *opt)
{
    struct vrpc_exec_parent *p = v23_new(opt->al, struct vrpc_exec_parent);

    if (p == NULL)
        return NULL;
    p->base = opt->base;
    p->al = opt->al;
    p->form = opt->form;
    p->pid = -1;
    p->data_fd = p->status_fd = -1;
    v23_buf_init(&p->data, opt->al, SIZE_MAX);
    v23_buf_init(&p->status, opt->al, VRPC_EXEC_MAX_STATUS);
    event_assign(&p->write, p->base, -1, 0, on_writable, p);
    event_assign(&p->read, p->base, -1, 0, on_status, p);
    event_assign(&p->ready_timer, p->base, -1, 0, on_ready_timer, p);
    event_assign(&p->child, p->base, SIGCHLD, EV_SIGNAL | EV_PERSIST,
        on_child, p);
    event_assign(&p->end_timer, p->base, -1, 0, on_end_timer, p);
    return p;
}

int vrpc_exec_start(const struct vrpc_exec_options *opt,
    struct vrpc_exec_parent **out)
{
    static const struct vrpc_exec_config none;
    struct vrpc_exec_parent *p = NULL;
    int theirs[2] = { -1, -1 }, rc, e;
    struct v23_buf text;
    struct plan plan;

    if (opt->nfiles > MAX_FILES || opt->secret.n > VRPC_EXEC_MAX)
        return V23_EARG;
    memset(&plan, 0, sizeof(plan));
    plan.opt = opt;
    v23_buf_init(&text, opt->al, SIZE_MAX);
    rc = make_env(opt, &text, &plan.env);
    if (rc == 0 && (p = parent_new(opt)) == NULL)
        rc = V23_ENOMEM;
    if (rc == 0 && opt->form == VRPC_EXEC_PIPES) {
        rc = vrpc_exec_hello(opt->config != NULL ? opt->config : &none,
            opt->secret, &p->data);
        if (rc == 0)
            rc = make_pipes(p, theirs);
        plan.files[plan.nfiles++] = theirs[0];
        plan.files[plan.nfiles++] = theirs[1];
    }
    if (opt->nfiles != 0)
        memcpy(plan.files + plan.nfiles, opt->files,
            opt->nfiles * sizeof(*opt->files));
    plan.nfiles += (int)opt->nfiles;
    if (rc == 0)
        rc = launch(p, &plan);
    e = errno;
    close_fd(&theirs[0]);
    close_fd(&theirs[1]);
    if (rc == 0 && opt->form == VRPC_EXEC_PIPES)
        rc = listen_to_it(p);
    v23_put(opt->al, plan.env);
    v23_buf_fini(&text);
    if (rc == 0)
        *out = p;
    else
        vrpc_exec_free(p);
    errno = e;
    return rc;
}

static void stop_telling(struct vrpc_exec_parent *p)
{
    event_del(&p->write);
    close_fd(&p->data_fd);
    if (p->data.p != NULL)
        v23_wipe(p->data.p, p->data.n);
    v23_buf_fini(&p->data);
}

void vrpc_exec_free(struct vrpc_exec_parent *p)
{
    if (p == NULL)
        return;
    stop_telling(p);
    event_del(&p->read);
    event_del(&p->ready_timer);
    event_del(&p->child);
    event_del(&p->end_timer);
    close_fd(&p->status_fd);
    v23_buf_fini(&p->status);
    v23_put(p->al, p);
}

int64_t vrpc_exec_pid(const struct vrpc_exec_parent *p)
{
    return p->pid;
}

/* ---- telling ------------------------------------------------------------- */

static void on_writable(evutil_socket_t fd, short what, void *ud)
{
    struct vrpc_exec_parent *p = ud;
    ssize_t n = send(fd, p->data.p + p->written, p->data.n - p->written,
        MSG_NOSIGNAL);

    (void)what;
    if (n >= 0)
        p->written += (size_t)n;
    else if (errno != EAGAIN && errno != EINTR)
        p->write_error = errno;
    if (p->written == p->data.n || p->write_error != 0)
        stop_telling(p);
}

/* ---- being told ---------------------------------------------------------- */

static const struct v23_verror *outcome(const struct vrpc_exec_parent *p,
    int64_t *pid, struct v23_arena *a)
{
    struct v23_bytes text = v23_bytes(p->status.p, p->status.n);

    if (text.n == 0 && p->write_error != 0)
        return v23_exec_err_err_partial_write(a, NULL,
            vdl_str(strerror(p->write_error)));
    return vrpc_exec_status_parse(text, pid, a);
}

static void tell_ready(struct vrpc_exec_parent *p,
    const struct v23_verror *err, int64_t pid)
{
    vrpc_exec_ready_fn *fn = p->ready;

    p->ready = NULL;
    event_del(&p->ready_timer);
    if (fn != NULL)
        fn(p->ready_ud, err, pid); /* it may free p */
}

static void told(struct vrpc_exec_parent *p)
{
    const struct v23_verror *err;
    struct v23_arena a;
    int64_t pid = 0;

    v23_arena_init(&a, p->al, SIZE_MAX);
    err = outcome(p, &pid, &a);
    tell_ready(p, err, pid);
    v23_arena_fini(&a);
}

static void on_status(evutil_socket_t fd, short what, void *ud)
{
    struct vrpc_exec_parent *p = ud;
    uint8_t part[4096], *end;
    ssize_t n = read((int)fd, part, sizeof(part));

    (void)what;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    end = n > 0 ? memchr(part, 0xff, (size_t)n) : NULL;
    if (n > 0)
        v23_buf_put(&p->status, part,
            end != NULL ? (size_t)(end - part) : (size_t)n);
    if (n > 0 && end == NULL && p->status.err == 0)
        return;
    if (end == NULL) {
        v23_buf_cut(&p->status, 0); /* no end, no status; perhaps because */
        if (p->data_fd >= 0)        /* it did not take its configuration */
            on_writable(p->data_fd, EV_WRITE, p);
    }
    p->complete = true;
    event_del(&p->read);
    close_fd(&p->status_fd);
    if (p->ready != NULL)
        told(p);
}

/* Runs also at once, when what it waits for is known already. */
static void on_ready_timer(evutil_socket_t fd, short what, void *ud)
{
    struct vrpc_exec_parent *p = ud;
    struct v23_arena a;

    (void)fd;
    (void)what;
    if (p->complete) {
        told(p);
        return;
    }
    v23_arena_init(&a, p->al, SIZE_MAX);
    tell_ready(p, p->form == VRPC_EXEC_PIPES
            ? v23_exec_err_err_timeout(&a, NULL)
            : v23_exec_err_err_not_using_protocol(&a, NULL), 0);
    v23_arena_fini(&a);
}

void vrpc_exec_wait_ready(struct vrpc_exec_parent *p, int64_t timeout_ns,
    vrpc_exec_ready_fn *fn, void *ud)
{
    bool known = p->complete || p->form != VRPC_EXEC_PIPES;
    struct timeval tv = vrpc_ev_timeval_(known ? 0 : timeout_ns);

    p->ready = fn;
    p->ready_ud = ud;
    (void)event_add(&p->ready_timer, &tv);
}

/* ---- the end ------------------------------------------------------------- */

static bool has_ended(struct vrpc_exec_parent *p)
{
    if (!p->ended && waitpid(p->pid, &p->end_status, WNOHANG) == p->pid)
        p->ended = true;
    return p->ended;
}

static void tell_end(struct vrpc_exec_parent *p)
{
    vrpc_exec_end_fn *fn = p->end;
    bool ended = has_ended(p);
    const struct v23_verror *err = NULL;
    struct v23_arena a;

    p->end = NULL;
    event_del(&p->child);
    event_del(&p->end_timer);
    v23_arena_init(&a, p->al, SIZE_MAX);
    if (!ended)
        err = v23_exec_err_err_timeout(&a, NULL);
    fn(p->end_ud, err, p->end_status); /* it may free p */
    v23_arena_fini(&a);
}

static void on_child(evutil_socket_t fd, short what, void *ud)
{
    (void)fd;
    (void)what;
    if (has_ended(ud))
        tell_end(ud);
}

static void on_end_timer(evutil_socket_t fd, short what, void *ud)
{
    (void)fd;
    (void)what;
    tell_end(ud);
}

void vrpc_exec_wait_end(struct vrpc_exec_parent *p, int64_t timeout_ns,
    vrpc_exec_end_fn *fn, void *ud)
{
    struct timeval tv;

    p->end = fn;
    p->end_ud = ud;
    (void)event_add(&p->child, NULL);
    if (has_ended(p))
        timeout_ns = 0;
    else if (timeout_ns == V23_NEVER)
        return;
    tv = vrpc_ev_timeval_(timeout_ns);
    (void)event_add(&p->end_timer, &tv);
}

const struct v23_verror *vrpc_exec_signal(struct vrpc_exec_parent *p,
    int signo, struct v23_arena *a)
{
    if (!has_ended(p) && kill(p->pid, signo) == 0)
        return NULL;
    if (p->ended || errno == ESRCH)
        return v23_exec_err_err_no_such_process(a, NULL, p->pid);
    return vrpc_err_make(a, NULL, VRPC_ERR_INTERNAL, "kill: %s",
        strerror(errno));
}

/* BSD-3-Clause; see LICENSE. */
/*
 * Agents on unix sockets: the octets of vsec/agent.h's connections, moved by
 * plain events. What is to be written is written at once; the rest waits for
 * the socket, and an agent reads nothing more from who does not read.
 */
#include <vrpc/agent.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include <v23/time.h>
#include <vrpc/ev.h>
#include <vsec/x509.h>

enum { CHUNK = 16384, BACKLOG = 64, USERS = 256, SILENCE_S = 10,
    PAUSE_US = 100000 };

/* One connection, of either end. */
struct link {
    struct vsec_agent_conn *conn;
    int fd;
    struct event_base *base;        /* NULL: no events */
    struct event read, write, turn;
    bool over;  /* the protocol has ended */
    int rc;     /* why */
    void (*gone)(struct link *l); /* may free it */
};

static int explain(char why[VRPC_AGENT_WHY], int rc, const char *path,
    const char *text)
{
    snprintf(why, VRPC_AGENT_WHY, "agent at %.120s: %.120s", path, text);
    return rc;
}

static int failed(char why[VRPC_AGENT_WHY], const char *path)
{
    int e = errno;

    return explain(why, e == ENOENT ? V23_ENOENT : V23_ESYS, path,
        strerror(e));
}

/* ---- octets -------------------------------------------------------------- */

static void link_write(struct link *l)
{
    struct v23_bytes b;
    ssize_t n;

    while (!l->over && (b = vsec_agent_output(l->conn)).n > 0) {
        n = send(l->fd, b.p, b.n, MSG_NOSIGNAL);
        if (n >= 0)
            vsec_agent_sent(l->conn, (size_t)n);
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            break;
        else if (errno != EINTR)
            vsec_agent_close(l->conn,
                errno == EPIPE || errno == ECONNRESET ? V23_EEOF : V23_ESYS);
        if (vsec_agent_status(l->conn) != 0)
            break;
    }
}

/* What is there to read; false when nothing was. */
static bool link_read(struct link *l)
{
    uint8_t chunk[CHUNK];
    ssize_t n = recv(l->fd, chunk, sizeof(chunk), 0);

    if (n > 0)
        (void)vsec_agent_input(l->conn, chunk, (size_t)n,
            vrpc_ev_wall());
    else if (n == 0)
        vsec_agent_close(l->conn, V23_EEOF);
    else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
        return false;
    else
        vsec_agent_close(l->conn, errno == ECONNRESET ? V23_EEOF : V23_ESYS);
    return true;
}

/* ---- events -------------------------------------------------------------- */

static void link_stop(struct link *l)
{
    if (l->base != NULL) {
        event_del(&l->read);
        event_del(&l->write);
        event_del(&l->turn);
    }
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}

/* Deliver, write, and wait for what may come next. */
static void link_work(struct link *l)
{
    int rc = 0;

    vsec_agent_run(l->conn);
    link_write(l);
    if (l->over) {
        link_stop(l);
        l->gone(l);
        return;
    }
    if (vsec_agent_output(l->conn).n > 0)
        rc = event_add(&l->write, NULL);
    if (vsec_agent_wants_input(l->conn))
        rc |= event_add(&l->read, NULL);
    else
        event_del(&l->read);
    if (rc != 0)
        vsec_agent_close(l->conn, V23_ENOMEM); /* comes back by `turn` */
}

static void on_read(evutil_socket_t fd, short what, void *ud)
{
    struct link *l = ud;

    (void)fd;
    (void)what;
    (void)link_read(l);
    link_work(l);
}

static void on_work(evutil_socket_t fd, short what, void *ud)
{
    (void)fd;
    (void)what;
    link_work(ud);
}

static void link_wake(void *ud)
{
    struct link *l = ud;

    if (l->base != NULL && l->fd >= 0)
        event_active(&l->turn, EV_TIMEOUT, 0);
}

static void link_closed(void *ud, int rc)
{
    struct link *l = ud;

    l->over = true;
    l->rc = rc;
    link_wake(l);
}

static void link_init(struct link *l, struct event_base *base, int fd,
    void (*gone)(struct link *l))
{
    l->fd = fd;
    l->base = base;
    l->gone = gone;
    if (base == NULL)
        return;
    event_assign(&l->read, base, fd, EV_READ | EV_PERSIST, on_read, l);
    event_assign(&l->write, base, fd, EV_WRITE, on_work, l);
    event_assign(&l->turn, base, -1, 0, on_work, l);
}

/* ---- sockets ------------------------------------------------------------- */

static int address(const char *path, struct sockaddr_un *sa,
    char why[VRPC_AGENT_WHY])
{
    size_t n = strlen(path);

    memset(sa, 0, sizeof(*sa));
    sa->sun_family = AF_UNIX;
    if (n == 0 || n >= sizeof(sa->sun_path))
        return explain(why, V23_ELIMIT, path,
            "the path of a unix socket has 1 to 107 octets");
    memcpy(sa->sun_path, path, n);
    return 0;
}

static int open_socket(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    if (fd >= 0)
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    return fd;
}

static int no_wait(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

/* ---- using an agent ------------------------------------------------------ */

struct vrpc_agent {
    struct link link;
    struct vsec_agent_client *client;
    const struct v23_alloc *al;
    int silence_ms;
    void (*lost)(void *ud, int rc);
    void *ud;
};

static struct vrpc_agent *of_link(struct link *l)
{
    return (struct vrpc_agent *)(void *)l; /* its first member */
}

/* Write, and read until some octets have come. */
static int block(void *ud)
{
    struct vrpc_agent *a = of_link(ud);
    struct pollfd p;
    int n;

    for (;;) {
        link_write(&a->link);
        if (vsec_agent_status(a->link.conn) != 0)
            return 0;
        memset(&p, 0, sizeof(p));
        p.fd = a->link.fd;
        p.events = POLLIN;
        if (vsec_agent_output(a->link.conn).n > 0)
            p.events |= POLLOUT;
        n = poll(&p, 1, a->silence_ms);
        if (n == 0)
            return V23_ETIMEOUT;
        if (n < 0 && errno != EINTR)
            return V23_ESYS;
        if (n > 0 && (p.revents & ~POLLOUT) != 0 && link_read(&a->link))
            return 0;
    }
}

static void agent_gone(struct link *l)
{
    struct vrpc_agent *a = of_link(l);

    if (a->lost != NULL)
        a->lost(a->ud, l->rc);
}

/* A full queue of the agent's counts as silence. */
static int open_agent(const struct vrpc_agent *a, const char *path,
    char why[VRPC_AGENT_WHY])
{
    struct sockaddr_un sa;
    struct timeval tv;
    int fd, rc = address(path, &sa, why);

    if (rc != 0)
        return rc;
    fd = open_socket();
    if (fd < 0)
        return failed(why, path);
    tv.tv_sec = a->silence_ms / 1000;
    tv.tv_usec = a->silence_ms % 1000 * 1000;
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
    if (connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) == 0
        && no_wait(fd) == 0)
        return fd;
    rc = failed(why, path);
    close(fd);
    return rc;
}

/* The system's, as for the roots of a directory. */
static int use_anchors(struct vsec_principal *p)
{
    struct vsec_anchors *t;
    int rc = vsec_anchors_system(p->engine, &t);

    if (rc != 0)
        return rc;
    vsec_roots_use_x509(p->roots, vsec_anchors_x509(t));
    vsec_anchors_unref(t);
    return 0;
}

static int load(struct vrpc_agent *a, const struct vrpc_agent_options *opt,
    char why[VRPC_AGENT_WHY])
{
    struct vsec_agent_client_config cfg;
    int rc;

    memset(&cfg, 0, sizeof(cfg));
    cfg.engine = opt->engine;
    cfg.io.wake = link_wake;
    cfg.io.closed = link_closed;
    cfg.io.ud = &a->link;
    cfg.block = block;
    cfg.log = opt->log;
    cfg.x509 = opt->x509;
    rc = vsec_agent_client_new(&cfg, &a->client);
    if (rc == 0) {
        a->link.conn = vsec_agent_client_conn(a->client);
        rc = vsec_agent_client_wait(a->client);
    }
    if (rc == 0 && opt->x509 == NULL)
        rc = use_anchors(vrpc_agent_principal(a));
    if (rc == 0 && opt->base != NULL
        && event_add(&a->link.read, NULL) != 0)
        rc = V23_ENOMEM;
    if (rc == 0)
        link_wake(&a->link);
    return rc == 0 ? 0 : explain(why, rc, opt->path, v23_strerror(rc));
}

int vrpc_agent_connect(const struct vrpc_agent_options *opt,
    struct vrpc_agent **out, char why[VRPC_AGENT_WHY])
{
    const struct v23_alloc *al = opt->engine->al;
    struct vrpc_agent *a = v23_new(al, struct vrpc_agent);
    int64_t ms = opt->silence_ns / V23_NS_PER_MS;
    int rc;

    why[0] = 0;
    if (a == NULL)
        return explain(why, V23_ENOMEM, opt->path, v23_strerror(V23_ENOMEM));
    a->al = al;
    a->link.fd = -1;
    a->silence_ms = ms <= 0 ? SILENCE_S * 1000
                            : (int)(ms > 1000000000 ? 1000000000 : ms);
    a->lost = opt->lost;
    a->ud = opt->ud;
    rc = open_agent(a, opt->path, why);
    if (rc >= 0) {
        link_init(&a->link, opt->base, rc, agent_gone);
        rc = load(a, opt, why);
    }
    if (rc == 0)
        *out = a;
    else
        vrpc_agent_free(a);
    return rc;
}

void vrpc_agent_free(struct vrpc_agent *a)
{
    if (a == NULL)
        return;
    if (a->client != NULL && a->link.fd >= 0)
        link_write(&a->link); /* what nobody waits for */
    vsec_agent_client_free(a->client);
    if (a->link.fd >= 0)
        link_stop(&a->link);
    v23_put(a->al, a);
}

struct vsec_principal *vrpc_agent_principal(struct vrpc_agent *a)
{
    return vsec_agent_client_principal(a->client);
}

struct vsec_agent_client *vrpc_agent_client(struct vrpc_agent *a)
{
    return a->client;
}

/* ---- being an agent ------------------------------------------------------ */

struct user {
    struct link link; /* first */
    struct vrpc_agent_listener *at;
    struct user *next, **plink;
};

struct vrpc_agent_listener {
    const struct v23_alloc *al;
    const struct v23_log *log;
    struct event_base *base;
    struct vsec_agent_server *server;
    struct vsec_agent_limits limits;
    uint32_t most, nusers;
    struct user *users;
    int fd;
    struct event accept, pause;
    struct stat st; /* of the socket, so that no other is removed */
    char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
};

static void user_free(struct user *u)
{
    struct vrpc_agent_listener *at = u->at;

    *u->plink = u->next;
    if (u->next != NULL)
        u->next->plink = u->plink;
    vsec_agent_conn_free(u->link.conn);
    link_stop(&u->link);
    v23_put(at->al, u);
    at->nusers--;
}

static void user_gone(struct link *l)
{
    struct user *u = (struct user *)(void *)l;
    struct vrpc_agent_listener *at = u->at;

    if (l->rc != V23_EEOF)
        v23_logf(at->log, V23_LOG_WARN, "connection to the agent: %s",
            v23_strerror(l->rc));
    user_free(u);
    (void)event_add(&at->accept, NULL);
}

/* Takes fd, also on failure. */
static int user_new(struct vrpc_agent_listener *at, int fd)
{
    struct user *u = v23_new(at->al, struct user);
    struct vsec_agent_io io = { link_wake, link_closed, NULL };
    int rc = V23_ENOMEM;

    if (u == NULL) {
        close(fd);
        return rc;
    }
    u->at = at;
    u->next = at->users;
    u->plink = &at->users;
    if (u->next != NULL)
        u->next->plink = &u->next;
    at->users = u;
    at->nusers++;
    io.ud = &u->link;
    link_init(&u->link, at->base, fd, user_gone);
    if (no_wait(fd) == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0)
        rc = vsec_agent_server_accept(at->server, &at->limits, &io,
            &u->link.conn);
    if (rc != 0) {
        user_free(u);
        return rc;
    }
    link_work(&u->link);
    return 0;
}

static void on_accept(evutil_socket_t fd, short what, void *ud)
{
    const struct timeval tv = { 0, PAUSE_US };
    struct vrpc_agent_listener *l = ud;
    int c, rc;

    (void)what;
    if (l->nusers >= l->most) {
        event_del(&l->accept); /* until one leaves */
        return;
    }
    c = accept(fd, NULL, NULL);
    if (c >= 0) {
        rc = user_new(l, c);
        if (rc != 0)
            v23_logf(l->log, V23_LOG_WARN, "agent: connection refused: %s",
                v23_strerror(rc));
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS
        || errno == ENOMEM) {
        v23_logf(l->log, V23_LOG_WARN, "agent: accept: %s", strerror(errno));
        event_del(&l->accept);
        (void)event_add(&l->pause, &tv);
    }
}

static void on_pause_over(evutil_socket_t fd, short what, void *ud)
{
    struct vrpc_agent_listener *l = ud;

    (void)fd;
    (void)what;
    (void)event_add(&l->accept, NULL);
}

/* The directory is all the protection that the socket has. */
static int check_dir(const char *path, char why[VRPC_AGENT_WHY])
{
    char dir[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
    const char *slash = strrchr(path, '/');
    struct stat st;
    size_t n = slash == NULL ? 0 : (size_t)(slash - path);

    if (slash == NULL) {
        strcpy(dir, ".");
    } else {
        memcpy(dir, path, n);
        dir[n] = 0;
        if (n == 0)
            strcpy(dir, "/");
    }
    if (stat(dir, &st) != 0)
        return failed(why, path);
    if (st.st_uid != geteuid() || (st.st_mode & 077) != 0)
        return explain(why, V23_EDENIED, path,
            "its directory must be yours, with mode 0700");
    return 0;
}

/* Does anybody listen there? */
static bool answers(const struct sockaddr_un *sa)
{
    int fd = open_socket();
    bool yes = true;

    if (fd < 0)
        return true;
    if (no_wait(fd) == 0
        && connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) != 0)
        yes = errno != ECONNREFUSED && errno != ENOENT;
    close(fd);
    return yes;
}

static int bind_there(int fd, const struct sockaddr_un *sa)
{
    mode_t old = umask(0177);
    int rc = bind(fd, (const struct sockaddr *)sa, sizeof(*sa));

    if (rc != 0 && errno == EADDRINUSE && !answers(sa)
        && unlink(sa->sun_path) == 0)
        rc = bind(fd, (const struct sockaddr *)sa, sizeof(*sa));
    umask(old);
    return rc;
}

static int open_listener(struct vrpc_agent_listener *l, const char *path,
    char why[VRPC_AGENT_WHY])
{
    struct sockaddr_un sa;
    int rc = address(path, &sa, why);

    if (rc == 0)
        rc = check_dir(path, why);
    if (rc != 0)
        return rc;
    l->fd = open_socket();
    if (l->fd < 0)
        return failed(why, path);
    if (bind_there(l->fd, &sa) != 0)
        return errno == EADDRINUSE
                   ? explain(why, V23_EEXIST, path, "somebody listens there")
                   : failed(why, path);
    memcpy(l->path, sa.sun_path, sizeof(l->path));
    if (stat(path, &l->st) != 0 || no_wait(l->fd) != 0
        || listen(l->fd, BACKLOG) != 0)
        return failed(why, path);
    event_assign(&l->accept, l->base, l->fd, EV_READ | EV_PERSIST, on_accept,
        l);
    event_assign(&l->pause, l->base, -1, 0, on_pause_over, l);
    return event_add(&l->accept, NULL) == 0
               ? 0
               : explain(why, V23_ENOMEM, path, v23_strerror(V23_ENOMEM));
}

int vrpc_agent_listen(const struct vrpc_agent_listen_options *opt,
    struct vrpc_agent_listener **out, char why[VRPC_AGENT_WHY])
{
    struct vrpc_agent_listener *l = v23_new(opt->al,
        struct vrpc_agent_listener);
    int rc;

    why[0] = 0;
    if (l == NULL)
        return explain(why, V23_ENOMEM, opt->path, v23_strerror(V23_ENOMEM));
    l->al = opt->al;
    l->log = opt->log;
    l->base = opt->base;
    l->server = opt->server;
    if (opt->limits != NULL)
        l->limits = *opt->limits;
    l->most = opt->users == 0 ? USERS : opt->users;
    l->fd = -1;
    rc = open_listener(l, opt->path, why);
    if (rc == 0)
        *out = l;
    else
        vrpc_agent_unlisten(l);
    return rc;
}

void vrpc_agent_unlisten(struct vrpc_agent_listener *l)
{
    struct stat st;

    if (l == NULL)
        return;
    while (l->users != NULL)
        user_free(l->users);
    if (event_initialized(&l->accept)) {
        event_del(&l->accept);
        event_del(&l->pause);
    }
    if (l->path[0] != 0 && stat(l->path, &st) == 0
        && st.st_ino == l->st.st_ino && st.st_dev == l->st.st_dev)
        unlink(l->path);
    if (l->fd >= 0)
        close(l->fd);
    v23_put(l->al, l);
}

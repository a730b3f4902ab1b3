/* BSD-3-Clause; see LICENSE. */
/*
 * What speaks mDNS, in a process of its own. Both sides are here; between them
 * is a socket that keeps packets apart: those to the child say what to announce,
 * those from it what is heard. The parent takes them with care: who has broken
 * into the child may write them.
 */
#define _DEFAULT_SOURCE /* RLIMIT_AS, environ */
#include "engine.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>
#include <have_avahi.h>
#include <v23/time.h>

enum {
    ENGINE_FD = 3,
    PACKET_MAX = 12 << 10,
    AT_ONCE = 64 /* packets that are read before others get their turn */
};

enum what {
    W_CONFIG,    /* to the child: what to announce */
    W_STARTED,   /* first answer; or W_FAILED */
    W_FAILED,    /* a = the reason */
    W_ANNOUNCED, /* a = the host */
    W_FOUND,     /* a = instance, b = TXT record */
    W_LOST
};

/* Both sides are the same program. */
struct head {
    uint32_t what, source, ttl, na, nb;
};

struct packet {
    struct head h;
    uint8_t text[PACKET_MAX];
};

static struct vdl_str first(const struct packet *p)
{
    return vdl_strn((const char *)p->text, p->h.na);
}

static struct v23_bytes second(const struct packet *p)
{
    return v23_bytes(p->text + p->h.na, p->h.nb);
}

static int write_packet(int fd, struct packet *p, const struct head *h,
    const void *a, const void *b)
{
    ssize_t n;

    if (h->na > PACKET_MAX || h->nb > PACKET_MAX - h->na)
        return V23_ELIMIT;
    p->h = *h;
    if (h->na != 0)
        memcpy(p->text, a, h->na);
    if (h->nb != 0)
        memcpy(p->text + h->na, b, h->nb);
    do
        n = send(fd, p, sizeof(p->h) + h->na + h->nb, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? V23_ESYS : 0;
}

/* 0; V23_EEOF; V23_EAGAIN; V23_ESYS, also when it is malformed. */
static int read_packet(int fd, struct packet *p)
{
    ssize_t n;

    do
        n = recv(fd, p, sizeof(*p), 0);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? V23_EAGAIN
                                                       : V23_ESYS;
    if (n == 0)
        return V23_EEOF;
    return (size_t)n >= sizeof(p->h)
            && p->h.na <= (size_t)n - sizeof(p->h)
            && p->h.nb == (size_t)n - sizeof(p->h) - p->h.na
        ? 0
        : V23_ESYS;
}

/* ---- the child ----------------------------------------------------------- */

#if VNAME_HAVE_AVAHI

struct child {
    struct event_base *base;
    struct vname_mdns *mdns;
    struct packet out, in;
};

/* The parent reads slowly, or has gone: then there is nothing to do here. */
static void tell(struct child *c, enum what what, uint32_t source,
    uint32_t ttl, struct vdl_str a, struct v23_bytes b)
{
    struct head h = { (uint32_t)what, source, ttl, a.n, (uint32_t)b.n };

    if (write_packet(ENGINE_FD, &c->out, &h, a.p, b.p) == V23_ESYS)
        event_base_loopbreak(c->base);
}

static const struct v23_bytes nothing = { NULL, 0 };

static void on_found(void *ud, const struct vname_dns_found *f)
{
    tell(ud, W_FOUND, f->source, f->ttl, f->instance, f->txt);
}

static void on_lost(void *ud, const struct vname_dns_found *f)
{
    tell(ud, W_LOST, f->source, 0, f->instance, f->txt);
}

static void on_announced(void *ud, struct vdl_str host)
{
    tell(ud, W_ANNOUNCED, 0, 0, host, nothing);
}

static void on_failed(void *ud, const char *why)
{
    tell(ud, W_FAILED, 0, 0, vdl_str(why), nothing);
}

/* Something else to announce, or the end. */
static void on_parent(evutil_socket_t fd, short what, void *ud)
{
    struct child *c = ud;

    (void)what;
    if (read_packet((int)fd, &c->in) != 0 || c->in.h.what != W_CONFIG
        || vname_mdns_update(c->mdns, second(&c->in),
               (uint16_t)c->in.h.ttl)
            != 0)
        event_base_loopbreak(c->base);
}

/* Nothing of the parent's, not much of the machine. */
static void confine(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    const bool roomy = true; /* a checker needs address space */
#elif defined(__has_feature)
    const bool roomy = __has_feature(address_sanitizer)
        || __has_feature(thread_sanitizer);
#else
    const bool roomy = false;
#endif
    struct rlimit memory = { 256u << 20, 256u << 20 }, none = { 0, 0 };
    long fd, last = sysconf(_SC_OPEN_MAX);

    for (fd = ENGINE_FD + 1; fd < (last < 0 || last > 65536 ? 65536 : last);
         fd++)
        close((int)fd);
    if (!roomy)
        (void)setrlimit(RLIMIT_AS, &memory);
    (void)setrlimit(RLIMIT_CORE, &none);
    /* A terminal or a manager of services signals both processes; this one
     * ends after the parent, which wants a goodbye to be said. */
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
}

static int speak(struct child *c)
{
    struct vname_mdns_config cfg = { 0 };
    const char *why = "out of memory";
    struct event *parent;
    int rc;

    cfg.base = c->base;
    cfg.service = vdl_str(VNAME_NEIGHBORHOOD_SERVICE);
    cfg.loopback = c->in.h.source != 0;
    cfg.host = first(&c->in);
    cfg.txt = second(&c->in);
    cfg.port = (uint16_t)c->in.h.ttl;
    cfg.ttl = VNAME_NEIGHBORHOOD_TTL;
    cfg.found = on_found;
    cfg.lost = on_lost;
    cfg.announced = on_announced;
    cfg.failed = on_failed;
    cfg.ud = c;
    rc = vname_mdns_new(&cfg, &c->mdns, &why);
    if (rc != 0) {
        on_failed(c, why);
        return 1;
    }
    tell(c, W_STARTED, 0, 0, vdl_str(""), nothing);
    parent = event_new(c->base, ENGINE_FD, EV_READ | EV_PERSIST, on_parent,
        c);
    if (parent != NULL && event_add(parent, NULL) == 0)
        event_base_dispatch(c->base);
    vname_mdns_free(c->mdns);
    if (parent != NULL)
        event_free(parent);
    return 0;
}

int engine_main(void)
{
    static struct child c;
    int rc = 1;

    confine();
    if (read_packet(ENGINE_FD, &c.in) != 0 || c.in.h.what != W_CONFIG)
        return 1;
    c.base = event_base_new();
    if (c.base != NULL) {
        rc = speak(&c);
        event_base_free(c.base);
    }
    return rc;
}

#else

int engine_main(void)
{
    static struct packet p;
    static const char why[]
        = "this program was built without libavahi-core: it cannot announce";
    struct head h = { W_FAILED, 0, 0, sizeof(why) - 1, 0 };

    (void)write_packet(ENGINE_FD, &p, &h, why, NULL);
    return 1;
}

#endif

/* ---- the parent ---------------------------------------------------------- */

#define PATIENCE_S 10                      /* for its first answer */
#define FIRST_PAUSE (V23_NS_PER_SEC / 5)      /* before it is run again */
#define LAST_PAUSE (60 * V23_NS_PER_SEC)

struct engine {
    struct engine_config cfg;
    struct v23_buf host, txt;
    pid_t pid;
    int fd; /* -1: it does not run */
    struct event *ev;
    int64_t pause;
    struct packet p;
};

/* In the new process: nothing but what is safe after a fork. */
static void become_engine(int fd)
{
    static char name[] = "mounttabled", arg[] = ENGINE_ARGUMENT;
    char *argv[] = { name, arg, NULL }, *env[] = { NULL };

    /* dup2 onto itself would keep close-on-exec. */
    if (fd == ENGINE_FD ? fcntl(fd, F_SETFD, 0) == 0
                        : dup2(fd, ENGINE_FD) == ENGINE_FD)
        execve("/proc/self/exe", argv, env);
    _exit(127);
}

static int write_config(struct engine *e)
{
    struct head h = { W_CONFIG, e->cfg.loopback, e->cfg.port,
        (uint32_t)e->host.n, (uint32_t)e->txt.n };

    return write_packet(e->fd, &e->p, &h, e->host.p, e->txt.p);
}

/* Run it and wait for its answer. */
static int spawn(struct engine *e, struct v23_buf *why)
{
    struct timeval patience = { PATIENCE_S, 0 };
    int pair[2], rc;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return V23_ESYS;
    e->pid = fork();
    if (e->pid == 0)
        become_engine(pair[1]);
    close(pair[1]);
    e->fd = pair[0];
    if (e->pid < 0)
        return V23_ESYS;
    (void)setsockopt(e->fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
        sizeof(patience));
    rc = write_config(e);
    do
        rc = rc == 0 ? read_packet(e->fd, &e->p) : rc;
    while (rc == 0 && e->p.h.what == W_ANNOUNCED); /* that was quick */
    if (rc == 0 && e->p.h.what == W_FAILED)
        v23_buf_put_str(why, first(&e->p));
    return rc == 0 && e->p.h.what == W_STARTED ? 0 : V23_ESTATE;
}

/* Make an end of what is left of it. Returns what waitpid() says. */
static int bury(struct engine *e, int signo)
{
    int status = 0;

    if (e->ev != NULL)
        event_free(e->ev);
    e->ev = NULL;
    if (e->fd >= 0)
        close(e->fd);
    e->fd = -1;
    if (e->pid > 0) {
        if (signo != 0)
            kill(e->pid, signo);
        while (waitpid(e->pid, &status, 0) < 0 && errno == EINTR)
            ;
    }
    e->pid = 0;
    return status;
}

static void on_packets(evutil_socket_t fd, short what, void *ud);

static int watch(struct engine *e)
{
    if (evutil_make_socket_nonblocking(e->fd) != 0)
        return V23_ESYS;
    e->ev = event_new(e->cfg.rt->base, e->fd, EV_READ | EV_PERSIST,
        on_packets, e);
    return e->ev != NULL && event_add(e->ev, NULL) == 0 ? 0 : V23_ENOMEM;
}

static void run_again(void *ud);

static void restart_later(struct engine *e)
{
    if (vrpc_runtime_after(e->cfg.rt, e->pause, run_again, e) != 0)
        v23_logf(&e->cfg.rt->log, V23_LOG_ERROR,
            "neighborhood: out of memory; nothing is announced any more");
    e->pause = e->pause * 2 < LAST_PAUSE ? e->pause * 2 : LAST_PAUSE;
}

static void run_again(void *ud)
{
    struct engine *e = ud;
    char mem[256];
    struct v23_buf why;

    v23_buf_init_fixed(&why, mem, sizeof(mem) - 1);
    if (spawn(e, &why) == 0 && watch(e) == 0)
        return;
    v23_logf(&e->cfg.rt->log, V23_LOG_ERROR,
        "neighborhood: mDNS does not start: %s", v23_buf_cstr(&why));
    (void)bury(e, SIGKILL);
    restart_later(e);
}

static void on_packet(struct engine *e)
{
    const struct packet *p = &e->p;
    struct vname_dns_found f = { first(p), p->h.source, p->h.ttl, second(p) };
    const struct v23_log *log = &e->cfg.rt->log;

    switch (p->h.what) {
    case W_FOUND:
        (void)vname_neighborhood_found(e->cfg.nh, &f);
        break;
    case W_LOST:
        vname_neighborhood_lost(e->cfg.nh, &f);
        break;
    case W_ANNOUNCED:
        e->pause = FIRST_PAUSE;
        v23_logf(log, V23_LOG_INFO, "neighborhood: announced as %.*s",
            (int)f.instance.n, f.instance.p);
        break;
    case W_FAILED:
        v23_logf(log, V23_LOG_ERROR, "neighborhood: not announced: %.*s",
            (int)f.instance.n, f.instance.p);
        break;
    default:
        break;
    }
}

static void on_packets(evutil_socket_t fd, short what, void *ud)
{
    struct engine *e = ud;
    int i, status, rc = 0;

    (void)fd;
    (void)what;
    for (i = 0; i < AT_ONCE && rc == 0; i++) {
        rc = read_packet(e->fd, &e->p);
        if (rc == 0)
            on_packet(e);
    }
    if (rc == 0 || rc == V23_EAGAIN)
        return;
    /* Of its own accord, unless it has said something that it should not. */
    status = bury(e, rc == V23_EEOF ? 0 : SIGKILL);
    v23_logf(&e->cfg.rt->log, V23_LOG_ERROR,
        "neighborhood: what speaks mDNS has ended (%s %d); it is run again",
        WIFSIGNALED(status) ? "signal" : "status",
        WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    vname_neighborhood_clear(e->cfg.nh);
    restart_later(e);
}

void engine_update(struct engine *e, struct v23_bytes txt, uint16_t port)
{
    if (port == e->cfg.port && txt.n == e->txt.n
        && memcmp(txt.p, e->txt.p, txt.n) == 0)
        return;
    v23_buf_cut(&e->txt, 0);
    v23_buf_put(&e->txt, txt.p, txt.n);
    e->cfg.port = port;
    /* If it does not run, or has to be ended: it is run again with these. */
    if (e->fd >= 0 && write_config(e) != 0)
        shutdown(e->fd, SHUT_RDWR);
}

static void engine_free(struct engine *e)
{
    v23_buf_fini(&e->host);
    v23_buf_fini(&e->txt);
    v23_put(NULL, e);
}

int engine_start(const struct engine_config *cfg, struct engine **out,
    struct v23_buf *why)
{
    struct engine *e = v23_new(NULL, struct engine);
    int rc;

    if (e == NULL)
        return V23_ENOMEM;
    e->cfg = *cfg;
    e->fd = -1;
    e->pause = FIRST_PAUSE;
    v23_buf_init(&e->host, NULL, SIZE_MAX);
    v23_buf_init(&e->txt, NULL, SIZE_MAX);
    v23_buf_put_str(&e->host, cfg->host);
    v23_buf_put(&e->txt, cfg->txt.p, cfg->txt.n);
    rc = e->host.err != 0 ? e->host.err : e->txt.err;
    if (rc == 0)
        rc = spawn(e, why);
    if (rc == 0)
        rc = watch(e);
    if (rc != 0) {
        if (why->n == 0)
            v23_buf_puts(why, "mDNS does not start");
        (void)bury(e, SIGKILL);
        engine_free(e);
        return rc;
    }
    *out = e;
    return 0;
}

void engine_stop(struct engine *e)
{
    struct timeval patience = { 2, 0 };
    int rc = V23_EEOF, flags;

    vrpc_runtime_cancel(e->cfg.rt, run_again, e);
    if (e->fd >= 0) {
        if (e->ev != NULL)
            event_free(e->ev);
        e->ev = NULL;
        flags = fcntl(e->fd, F_GETFL);
        if (flags >= 0)
            (void)fcntl(e->fd, F_SETFL, flags & ~O_NONBLOCK);
        (void)setsockopt(e->fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
            sizeof(patience));
        shutdown(e->fd, SHUT_WR);
        do
            rc = read_packet(e->fd, &e->p); /* it ends with its goodbye */
        while (rc == 0);
    }
    (void)bury(e, rc == V23_EEOF ? 0 : SIGKILL);
    engine_free(e);
}

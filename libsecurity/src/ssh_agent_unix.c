/* BSD-3-Clause; see LICENSE. */
/* The unix socket of an ssh-agent: one connection for each message. */
#include <vsec/ssh_agent.h>

#include "ssh_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATIENCE = 120 }; /* seconds; the agent may ask its user */

struct place {
    const struct v23_alloc *al;
    struct sockaddr_un addr;
};

static int last_error(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK ? V23_ETIMEOUT : V23_ESYS;
}

static int dial(const struct place *at, int *out)
{
    const struct timeval wait = { PATIENCE, 0 };
    int e, fd = socket(AF_UNIX, SOCK_STREAM, 0);

    if (fd < 0)
        return V23_ESYS;
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0
        && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) == 0
        && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) == 0
        && connect(fd, (const struct sockaddr *)&at->addr, sizeof(at->addr))
            == 0) {
        *out = fd;
        return 0;
    }
    e = errno;
    close(fd);
    errno = e;
    return last_error();
}

static int send_all(int fd, const uint8_t *p, size_t n)
{
    ssize_t k;

    while (n > 0) {
        k = send(fd, p, n, MSG_NOSIGNAL);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return last_error();
        p += k;
        n -= (size_t)k;
    }
    return 0;
}

static int receive_all(int fd, uint8_t *p, size_t n)
{
    ssize_t k;

    while (n > 0) {
        k = recv(fd, p, n, 0);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return k == 0 ? V23_EEOF : last_error();
        p += k;
        n -= (size_t)k;
    }
    return 0;
}

static int send_request(int fd, struct v23_bytes request)
{
    uint8_t head[4];
    struct v23_buf b;
    int rc;

    v23_buf_init_fixed(&b, head, sizeof(head));
    vsec_ssh_put_u32_(&b, request.n);
    rc = send_all(fd, head, sizeof(head));
    return rc != 0 ? rc : send_all(fd, request.p, request.n);
}

static int receive_answer(int fd, struct v23_buf *answer)
{
    uint8_t head[4];
    struct v23_bytes in = v23_bytes(head, sizeof(head));
    uint32_t n = 0;
    int rc = receive_all(fd, head, sizeof(head));

    if (rc == 0)
        rc = vsec_ssh_take_u32_(&in, &n);
    if (rc == 0 && n > VSEC_SSH_AGENT_MAX)
        rc = V23_ELIMIT;
    if (rc == 0 && n > 0)
        rc = v23_buf_room(answer, n);
    if (rc == 0)
        rc = receive_all(fd, answer->p + answer->n, n);
    if (rc == 0)
        answer->n += n;
    return rc;
}

static int ask_unix(void *ud, struct v23_bytes request,
    struct v23_buf *answer)
{
    int e, fd = -1, rc = dial(ud, &fd);

    if (rc != 0)
        return rc;
    rc = send_request(fd, request);
    if (rc == 0)
        rc = receive_answer(fd, answer);
    e = errno;
    close(fd);
    errno = e;
    return rc;
}

static void close_unix(void *ud)
{
    struct place *at = ud;

    v23_put(at->al, at);
}

int vsec_ssh_agent_unix(const struct v23_alloc *al, const char *path,
    struct vsec_ssh_agent *out)
{
    struct place *at;

    if (path == NULL)
        path = getenv("SSH_AUTH_SOCK");
    if (path == NULL || *path == 0)
        return V23_ENOENT;
    if (strlen(path) >= sizeof(at->addr.sun_path))
        return V23_ELIMIT;
    at = v23_new(al, struct place);
    if (at == NULL)
        return V23_ENOMEM;
    at->al = al;
    at->addr.sun_family = AF_UNIX;
    memcpy(at->addr.sun_path, path, strlen(path) + 1);
    out->ask = ask_unix;
    out->close = close_unix;
    out->ud = at;
    return 0;
}

/* BSD-3-Clause; see LICENSE. */
/*
 * Sockets of protocol unix: a path in the file system, or after "@" a name in
 * the abstract name space of Linux, which needs no cleaning up. A socket file
 * that nobody listens on is what a killed server leaves; it is replaced. A
 * server removes its own file and no other.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ev_int.h"

int vrpc_ev_unix_address_(struct vdl_str text, struct sockaddr_storage *out,
    socklen_t *len)
{
    struct sockaddr_un sa;
    const size_t head = offsetof(struct sockaddr_un, sun_path);

    memset(&sa, 0, sizeof(sa));
    sa.sun_family = AF_UNIX;
    if (text.n == 0 || text.n >= sizeof(sa.sun_path) ||
        memchr(text.p, 0, text.n) != NULL)
        return V23_EENDPOINT;
    memcpy(sa.sun_path, text.p, text.n);
    *len = (socklen_t)(head + text.n + 1);
    if (text.p[0] == '@') {
        if (text.n == 1)
            return V23_EENDPOINT;
        sa.sun_path[0] = 0;
        *len = (socklen_t)(head + text.n);
    }
    memset(out, 0, sizeof(*out));
    memcpy(out, &sa, sizeof(sa));
    return 0;
}

void vrpc_ev_unix_format_(const struct sockaddr *sa, socklen_t len,
    struct v23_buf *out)
{
    const size_t head = offsetof(struct sockaddr_un, sun_path);
    struct sockaddr_un un;
    size_t n;

    if (len <= head || len > sizeof(un))
        return; /* a socket without a name */
    memset(&un, 0, sizeof(un));
    memcpy(&un, sa, len);
    n = len - head;
    if (un.sun_path[0] == 0) {
        v23_buf_puts(out, "@");
        v23_buf_put(out, un.sun_path + 1, n - 1);
    } else {
        v23_buf_put(out, un.sun_path, strnlen(un.sun_path, n));
    }
}

/* Nobody accepts there any more: what a bind to it would stumble over. */
static bool is_stale(const struct sockaddr_un *sa, socklen_t len)
{
    struct stat st;
    int fd, err = 0;

    if (lstat(sa->sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
        return false;
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0)
        return false;
    /* A full queue would make it wait for a server that lives. */
    if (vrpc_ev_socket_options_(fd, false) != 0 ||
        connect(fd, (const struct sockaddr *)sa, len) == 0)
        err = 0;
    else
        err = errno;
    close(fd);
    return err == ECONNREFUSED;
}

/* A relative path means something in this process only. */
static int absolute(struct vdl_str text, char *out, size_t size)
{
    size_t n = 0;

    if (text.n == 0 || memchr(text.p, 0, text.n) != NULL)
        return V23_EENDPOINT;
    if (text.p[0] != '@' && text.p[0] != '/') {
        if (getcwd(out, size - 1) == NULL)
            return V23_EENDPOINT;
        n = strlen(out);
        out[n++] = '/';
    }
    if (n + text.n >= size)
        return V23_EENDPOINT;
    memcpy(out + n, text.p, text.n);
    out[n + text.n] = 0;
    return 0;
}

int vrpc_ev_unix_listen_(struct vdl_str address, int backlog,
    struct vrpc_ev_unix_ *own, const char **step)
{
    char text[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
    struct sockaddr_storage ss;
    struct sockaddr_un sa;
    socklen_t len;
    struct stat st;
    int fd, err;

    memset(own, 0, sizeof(*own));
    *step = "path";
    if (absolute(address, text, sizeof(text)) != 0 ||
        vrpc_ev_unix_address_(vdl_str(text), &ss, &len) != 0) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(&sa, &ss, sizeof(sa));
    *step = "socket";
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0)
        return -1;
    *step = "bind";
    if (vrpc_ev_socket_options_(fd, false) != 0)
        goto fail;
    if (bind(fd, (struct sockaddr *)&sa, len) != 0 &&
        (errno != EADDRINUSE || sa.sun_path[0] == 0 || !is_stale(&sa, len) ||
            unlink(sa.sun_path) != 0 ||
            bind(fd, (struct sockaddr *)&sa, len) != 0))
        goto fail;
    *step = "listen";
    if (listen(fd, backlog) != 0)
        goto fail;
    if (sa.sun_path[0] != 0 && lstat(sa.sun_path, &st) == 0) {
        own->dev = st.st_dev;
        own->ino = st.st_ino;
        memcpy(own->path, text, sizeof(own->path));
    }
    return fd;
fail:
    err = errno;
    if (*step[0] == 'l' && sa.sun_path[0] != 0)
        (void)unlink(sa.sun_path);
    close(fd);
    errno = err;
    return -1;
}

void vrpc_ev_unix_remove_(struct vrpc_ev_unix_ *own)
{
    struct stat st;

    if (own->path[0] != 0 && lstat(own->path, &st) == 0 &&
        st.st_dev == own->dev && st.st_ino == own->ino)
        (void)unlink(own->path);
    own->path[0] = 0;
}

/* BSD-3-Clause; see LICENSE. */
/*
 * Logs in files below a directory. A name is cleaned as text first, then what
 * the system makes of the path must still be below the directory, so that no
 * symbolic link leads out of it.
 */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700 /* realpath */
#endif
#include <vrpc/debug_host.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef PATH_MAX
#define PATH_MAX 4096
#endif

#define OUTSIDE ": outside of root directory"

struct vrpc_log_dir {
    const struct v23_alloc *al;
    char path[];
};

struct log {
    const struct v23_alloc *al;
    int fd;
    int64_t size;
    bool is_dir;
};

int vrpc_log_dir_new(const struct v23_alloc *al, struct vdl_str path,
    struct vrpc_log_dir **out)
{
    struct vrpc_log_dir *d;

    while (path.n > 1 && path.p[path.n - 1] == '/')
        path.n--;
    if (path.n == 0 || path.n >= PATH_MAX / 2)
        return V23_EARG;
    d = v23_get0(al, 1, sizeof(*d) + path.n + 1);
    if (d == NULL)
        return V23_ENOMEM;
    d->al = al;
    memcpy(d->path, path.p, path.n);
    *out = d;
    return 0;
}

void vrpc_log_dir_free(struct vrpc_log_dir *d)
{
    if (d != NULL)
        v23_put(d->al, d);
}

/* ---- names --------------------------------------------------------------- */

/* Take one element of a name to the path, which is `root` bytes at least. */
static int step(char *path, size_t root, struct vdl_str elem)
{
    size_t n = strlen(path);

    if (elem.n == 0 || vdl_str_is(elem, "."))
        return 0;
    if (vdl_str_is(elem, "..")) {
        if (n == root)
            return V23_EARG;
        while (path[n - 1] != '/')
            n--;
        path[n - 1] = 0;
        return 0;
    }
    if (memchr(elem.p, 0, elem.n) != NULL || n + elem.n + 2 > PATH_MAX)
        return V23_EARG;
    path[n] = '/';
    memcpy(path + n + 1, elem.p, elem.n);
    path[n + 1 + elem.n] = 0;
    return 0;
}

static int to_path(const struct vrpc_log_dir *d, struct vdl_str name,
    char *path)
{
    size_t root = strlen(d->path);
    const char *slash;
    struct vdl_str elem;
    int rc = 0;

    memcpy(path, d->path, root + 1);
    while (rc == 0 && name.n > 0) {
        slash = memchr(name.p, '/', name.n);
        elem = vdl_strn(name.p,
            slash == NULL ? name.n : (size_t)(slash - name.p));
        rc = step(path, root, elem);
        name.p += elem.n + (slash != NULL);
        name.n -= elem.n + (slash != NULL);
    }
    return rc;
}

static int status_of_errno(void)
{
    return errno == ENOENT || errno == ENOTDIR ? V23_ENOENT : V23_ESYS;
}

/* The real path of a name. */
static int resolve(const struct vrpc_log_dir *d, struct vdl_str name,
    char *real, struct v23_buf *why)
{
    char path[PATH_MAX], root[PATH_MAX];
    size_t n;
    int rc = to_path(d, name, path);

    if (rc != 0) {
        v23_buf_put_str(why, name);
        v23_buf_puts(why, OUTSIDE);
        return rc;
    }
    v23_buf_puts(why, path);
    if (realpath(d->path, root) == NULL || realpath(path, real) == NULL)
        return status_of_errno();
    n = strlen(root);
    if (strncmp(real, root, n) != 0 ||
        (real[n] != 0 && real[n] != '/' && n > 1)) {
        v23_buf_puts(why, OUTSIDE);
        return V23_EARG;
    }
    return 0;
}

/* ---- files --------------------------------------------------------------- */

static int dir_open(void *ud, struct vdl_str name, void **log,
    struct v23_buf *why)
{
    const struct vrpc_log_dir *d = ud;
    char real[PATH_MAX];
    struct stat st;
    struct log *l;
    int fd, rc = resolve(d, name, real, why);

    if (rc != 0)
        return rc;
    fd = open(real, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    if (fd < 0)
        return status_of_errno();
    if (fstat(fd, &st) != 0 || !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))) {
        close(fd);
        v23_buf_puts(why, " is not a file");
        return V23_EARG;
    }
    l = v23_new(d->al, struct log);
    if (l == NULL) {
        close(fd);
        return V23_ENOMEM;
    }
    l->al = d->al;
    l->fd = fd;
    l->size = (int64_t)st.st_size;
    l->is_dir = S_ISDIR(st.st_mode);
    *log = l;
    return 0;
}

static int dir_size(void *ud, void *log, int64_t *bytes, struct v23_buf *why)
{
    const struct log *l = log;

    (void)ud;
    if (l->is_dir) {
        v23_buf_puts(why, " is a directory");
        return V23_EARG;
    }
    *bytes = l->size;
    return 0;
}

static int dir_read(void *ud, void *log, int64_t *pos, void *p, size_t n,
    size_t *got)
{
    const struct log *l = log;
    ssize_t k;

    (void)ud;
    *got = 0;
    if (*pos > INT64_MAX - (int64_t)n) /* no file is that long */
        return 0;
    do
        k = pread(l->fd, p, n, (off_t)*pos);
    while (k < 0 && errno == EINTR);
    *got = k < 0 ? 0 : (size_t)k;
    return k < 0 ? V23_ESYS : 0;
}

static void dir_close(void *ud, void *log)
{
    struct log *l = log;

    (void)ud;
    close(l->fd);
    v23_put(l->al, l);
}

static int dir_list(void *ud, struct vdl_str name, void *arg,
    int (*each)(void *arg, struct vdl_str child), struct v23_buf *why)
{
    char real[PATH_MAX];
    struct dirent *e;
    int rc = resolve(ud, name, real, why);
    DIR *dir;

    if (rc != 0)
        return rc;
    dir = opendir(real);
    if (dir == NULL) /* a file has no children */
        return errno == ENOTDIR ? 0 : status_of_errno();
    while (rc == 0 && (e = readdir(dir)) != NULL)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            rc = each(arg, vdl_str(e->d_name));
    closedir(dir);
    return rc;
}

struct vrpc_logs vrpc_log_dir_logs(struct vrpc_log_dir *d)
{
    static const struct vrpc_logs_ops ops = { dir_open, dir_size, dir_read,
        dir_close, dir_list };
    struct vrpc_logs logs = { &ops, d };

    return logs;
}

/* BSD-3-Clause; see LICENSE. */
/*
 * System calls of credentials directories: reading, complete new files and
 * their renaming, directories and flock(2) locks. Every failure fills a sentence that names the
 * path and the cause.
 */
#include "cred_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- reasons ------------------------------------------------------------- */

int vsec_cred_why_(char *why, int rc, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, VSEC_CRED_WHY, fmt, ap);
    va_end(ap);
    return rc;
}

int vsec_cred_sys_(char *why, const char *what, const char *path)
{
    int e = errno;
    const char *text = strerror(e);
    char first = text[0];

    /* The reference implementation's texts begin in lower case. */
    if (first >= 'A' && first <= 'Z')
        first = (char)(first + ('a' - 'A'));
    snprintf(why, VSEC_CRED_WHY, "%s %.256s: %c%s", what, path, first,
        text + 1);
    return e == ENOENT ? V23_ENOENT : e == EEXIST ? V23_EEXIST : V23_ESYS;
}

int vsec_cred_path_(char path[VSEC_CRED_PATH], const char *dir,
    const char *name, char *why)
{
    int n = snprintf(path, VSEC_CRED_PATH, "%s/%s", dir, name);

    if (n < 0 || n >= VSEC_CRED_PATH)
        return vsec_cred_why_(why, V23_ELIMIT, "path of %s is too long",
            name);
    return 0;
}

/* ---- whole files --------------------------------------------------------- */

int vsec_cred_read_(const char *path, struct v23_buf *out, char *why)
{
    uint8_t part[4096];
    ssize_t n;
    int rc = 0, fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return vsec_cred_sys_(why, "open", path);
    for (;;) {
        n = read(fd, part, sizeof(part));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        v23_buf_put(out, part, (size_t)n);
    }
    if (n < 0)
        rc = vsec_cred_sys_(why, "read", path);
    else if (out->err != 0)
        rc = vsec_cred_why_(why, out->err, "read %.256s: %s", path,
            v23_strerror(out->err));
    v23_wipe(part, sizeof(part));
    close(fd);
    return rc;
}

static int write_all(int fd, struct v23_bytes data)
{
    ssize_t n;

    while (data.n > 0) {
        n = write(fd, data.p, data.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        data.p += n;
        data.n -= (size_t)n;
    }
    return fsync(fd);
}

/* ---- names --------------------------------------------------------------- */

/* dir/name.ext; false when it is too long. */
static bool join(char path[VSEC_CRED_PATH], const char *dir, const char *name,
    const char *ext)
{
    int n = snprintf(path, VSEC_CRED_PATH, "%s/%s%s%s", dir, name,
        ext == NULL ? "" : ".", ext == NULL ? "" : ext);

    return n >= 0 && n < VSEC_CRED_PATH;
}

int vsec_cred_write_temp_(const char *dir, const char *name,
    struct v23_bytes data, unsigned mode, char *why)
{
    char path[VSEC_CRED_PATH];
    int rc = 0, fd;

    if (!join(path, dir, name, "new"))
        return vsec_cred_why_(why, V23_ELIMIT, "path of %s is too long",
            name);
    if (unlink(path) != 0 && errno != ENOENT)
        return vsec_cred_sys_(why, "remove", path);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
    if (fd < 0)
        return vsec_cred_sys_(why, "open", path);
    if (write_all(fd, data) != 0)
        rc = vsec_cred_sys_(why, "write", path);
    if (close(fd) != 0 && rc == 0)
        rc = vsec_cred_sys_(why, "close", path);
    if (rc != 0)
        unlink(path);
    return rc;
}

int vsec_cred_commit_(const char *dir, const char *name, char *why)
{
    char from[VSEC_CRED_PATH], to[VSEC_CRED_PATH];

    if (!join(from, dir, name, "new") || !join(to, dir, name, NULL))
        return vsec_cred_why_(why, V23_ELIMIT, "path of %s is too long",
            name);
    return rename(from, to) == 0 ? 0 : vsec_cred_sys_(why, "rename", from);
}

void vsec_cred_remove_(const char *dir, const char *name, const char *ext)
{
    char path[VSEC_CRED_PATH];

    if (join(path, dir, name, ext))
        unlink(path);
}

bool vsec_cred_exists_(const char *dir, const char *name, const char *ext)
{
    char path[VSEC_CRED_PATH];
    struct stat st;

    return join(path, dir, name, ext) && lstat(path, &st) == 0;
}

void vsec_cred_sync_dir_(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    (void)fsync(fd);
    close(fd);
}

/* The directory that holds path[0 .. n). */
static void sync_parent(char *path, size_t n)
{
    char cut;

    while (n > 0 && path[n - 1] != '/')
        n--;
    if (n == 0) {
        vsec_cred_sync_dir_(".");
        return;
    }
    cut = path[n];
    path[n] = 0;
    vsec_cred_sync_dir_(path);
    path[n] = cut;
}

int vsec_cred_mkdir_(const char *dir, char *why)
{
    char path[VSEC_CRED_PATH];
    size_t i, n = strlen(dir);

    if (n >= sizeof(path))
        return vsec_cred_why_(why, V23_ELIMIT, "path is too long");
    memcpy(path, dir, n + 1);
    for (i = 1; i <= n; i++) {
        if (path[i] != '/' && path[i] != 0)
            continue;
        path[i] = 0;
        if (mkdir(path, 0700) == 0)
            sync_parent(path, i);
        else if (errno != EEXIST)
            return vsec_cred_sys_(why, "mkdir", path);
        path[i] = dir[i];
    }
    return 0;
}

/* ---- locks --------------------------------------------------------------- */

int vsec_cred_lock_(const char *dir, const char *name,
    enum vsec_cred_lock_kind_ kind, int *fd, char *why)
{
    char path[VSEC_CRED_PATH];
    bool write = kind == VSEC_CRED_EXCLUSIVE_;
    int rc = vsec_cred_path_(path, dir, name, why);

    *fd = -1;
    if (rc != 0 || kind == VSEC_CRED_NO_LOCK_)
        return rc;
    *fd = open(path, (write ? O_RDWR : O_RDONLY) | O_CREAT | O_CLOEXEC,
        write ? 0666 : 0444);
    if (*fd < 0)
        return vsec_cred_sys_(why, "open", path);
    while (flock(*fd, write ? LOCK_EX : LOCK_SH) != 0) {
        if (errno == EINTR)
            continue;
        rc = vsec_cred_sys_(why, "lock", path);
        vsec_cred_unlock_(fd);
        return rc;
    }
    return 0;
}

void vsec_cred_unlock_(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

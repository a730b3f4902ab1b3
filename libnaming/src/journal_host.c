/* BSD-3-Clause; see LICENSE. */
/* The files of a journal, on a host. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal_int.h"

static int open_(void *ud, const char *path, int flags)
{
    (void)ud;
    return open(path, flags | O_CLOEXEC, 0600);
}

static ssize_t pread_(void *ud, int fd, void *p, size_t n, off_t at)
{
    (void)ud;
    return pread(fd, p, n, at);
}

static ssize_t write_(void *ud, int fd, const void *p, size_t n)
{
    (void)ud;
    return write(fd, p, n);
}

static int truncate_(void *ud, int fd, off_t size)
{
    (void)ud;
    return ftruncate(fd, size);
}

static int sync_(void *ud, int fd)
{
    (void)ud;
    return fsync(fd);
}

static void close_(void *ud, int fd)
{
    (void)ud;
    close(fd);
}

/* As far as the file system can lock. The lock lives as long as the
 * descriptor. */
static bool lock(void *ud, int fd)
{
    struct flock l;

    (void)ud;
    memset(&l, 0, sizeof(l));
    l.l_type = F_WRLCK;
    l.l_whence = SEEK_SET;
    return fcntl(fd, F_SETLK, &l) == 0
        || (errno != EACCES && errno != EAGAIN);
}

static bool exists(void *ud, const char *path)
{
    struct stat st;

    (void)ud;
    return stat(path, &st) == 0;
}

static int rename_(void *ud, const char *from, const char *to)
{
    (void)ud;
    return rename(from, to);
}

static int link_(void *ud, const char *from, const char *to)
{
    (void)ud;
    return link(from, to);
}

static int unlink_(void *ud, const char *path)
{
    (void)ud;
    return unlink(path);
}

/* The names of the directory's entries survive a crash from here on. */
static void sync_dir(void *ud, const char *dir)
{
    int fd = open(dir, O_RDONLY | O_CLOEXEC);

    (void)ud;
    if (fd < 0)
        return;
    fsync(fd); /* not every file system can */
    close(fd);
}

const struct vname_disk_ vname_host_disk_ = { open_, pread_, write_, truncate_,
    sync_, close_, lock, exists, rename_, link_, unlink_, sync_dir, NULL };

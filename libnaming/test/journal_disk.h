/* BSD-3-Clause; see LICENSE. */
/*
 * A disk in memory for journals. It may end before a chosen step: each octet
 * that is written and each other change of it is one.
 */
#ifndef JOURNAL_DISK_H
#define JOURNAL_DISK_H

#ifdef WORLD_WITHOUT_CHECK
#include "../../librpc/test/without_check.h"
#else
#include <suite.h>
#endif
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>

#include "journal_int.h"

#define INODES 64
#define HISTORY 16

enum { CURRENT, OLD, TMP, NAMES };

struct inode {
    struct v23_buf data; /* kept from one disk to the next */
    size_t flushed;
};

/* Of the directory: the inode of each name, -1 = none. */
struct names {
    int of[NAMES];
};

static struct {
    struct inode inodes[INODES];
    int ninodes;
    struct names past[HISTORY]; /* since it was flushed; the last is present */
    int npast;
    int fds[8]; /* inode of each, -1 = closed */
    long left;  /* steps to live */
    long taken;
    bool full;  /* the next write ends half way, then nothing goes any more */
    bool half;
    size_t room; /* for all files; 0 = plenty */
    int dir_flushes;
    bool no_links;
    int stuck; /* a name that cannot be renamed; -1 = none */
    jmp_buf death;
    void (*synced)(void); /* the directory was flushed; NULL = never mind */
} D;

/* Check writes each assertion to a pipe; these are too many for that. */
static inline void must(bool ok)
{
    if (!ok)
        ck_abort_msg("the test itself is at fault");
}

static inline void step(void)
{
    D.taken++;
    if (D.left-- == 0)
        longjmp(D.death, 1);
}

static inline int name_of(const char *path)
{
    static const char *const ends[NAMES] = { "/persistent.permslog",
        "/old.permslog", "/tmp.permslog" };
    int i;

    for (i = 0; i < NAMES; i++)
        if (strcmp(path + strlen("d"), ends[i]) == 0)
            return i;
    must(false);
    return -1;
}

static inline struct names *present(void)
{
    return &D.past[D.npast - 1];
}

/* Change a name; what was is not forgotten before the directory is flushed. */
static inline void set_name(int name, int inode)
{
    step();
    must(D.npast < HISTORY);
    D.past[D.npast] = *present();
    D.npast++;
    present()->of[name] = inode;
}

static inline int missing(void)
{
    errno = ENOENT;
    return -1;
}

static inline int open_(void *ud, const char *path, int flags)
{
    int name = name_of(path), fd = 0;

    (void)ud;
    if (present()->of[name] < 0 && (flags & O_CREAT) == 0)
        return missing();
    if (present()->of[name] < 0) {
        must(D.ninodes < INODES);
        v23_buf_cut(&D.inodes[D.ninodes].data, 0);
        D.inodes[D.ninodes].flushed = 0;
        set_name(name, D.ninodes++);
    }
    if ((flags & O_TRUNC) != 0) {
        step();
        v23_buf_cut(&D.inodes[present()->of[name]].data, 0);
        D.inodes[present()->of[name]].flushed = 0;
    }
    while (D.fds[fd] >= 0)
        fd++;
    D.fds[fd] = present()->of[name];
    return fd;
}

static inline ssize_t pread_(void *ud, int fd, void *p, size_t n, off_t at)
{
    const struct v23_buf *b = &D.inodes[D.fds[fd]].data;

    (void)ud;
    if (n > b->n - (size_t)at)
        n = b->n - (size_t)at;
    if (n > 0)
        memcpy(p, b->p + at, n);
    return (ssize_t)n;
}

/* Octets of all files. */
static inline size_t disk_used(void)
{
    size_t n = 0;
    int i;

    for (i = 0; i < NAMES; i++)
        if (present()->of[i] >= 0)
            n += D.inodes[present()->of[i]].data.n;
    return n;
}

static inline ssize_t write_(void *ud, int fd, const void *p, size_t n)
{
    struct v23_buf *b = &D.inodes[D.fds[fd]].data;
    size_t k;

    (void)ud;
    for (k = 0; k < n; k++) {
        if ((D.full && (D.half || k == n / 2))
            || (D.room != 0 && disk_used() >= D.room)) {
            D.half = true;
            errno = ENOSPC;
            return k == 0 ? -1 : (ssize_t)k;
        }
        step();
        v23_buf_put_byte(b, ((const uint8_t *)p)[k]);
    }
    return (ssize_t)n;
}

static inline int truncate_(void *ud, int fd, off_t size)
{
    struct inode *i = &D.inodes[D.fds[fd]];

    (void)ud;
    if (D.full) {
        errno = EIO;
        return -1;
    }
    step();
    v23_buf_cut(&i->data, (size_t)size);
    if (i->flushed > i->data.n)
        i->flushed = i->data.n;
    return 0;
}

static inline int sync_(void *ud, int fd)
{
    (void)ud;
    step();
    D.inodes[D.fds[fd]].flushed = D.inodes[D.fds[fd]].data.n;
    return 0;
}

static inline void close_(void *ud, int fd)
{
    (void)ud;
    D.fds[fd] = -1;
}

static inline bool lock(void *ud, int fd)
{
    (void)ud;
    (void)fd;
    return true;
}

static inline bool exists(void *ud, const char *path)
{
    (void)ud;
    return present()->of[name_of(path)] >= 0;
}

static inline int rename_(void *ud, const char *from, const char *to)
{
    int inode = present()->of[name_of(from)];

    (void)ud;
    if (inode < 0)
        return missing();
    if (name_of(from) == D.stuck) {
        errno = EIO;
        return -1;
    }
    set_name(name_of(to), inode);
    present()->of[name_of(from)] = -1;
    return 0;
}

static inline int link_(void *ud, const char *from, const char *to)
{
    int inode = present()->of[name_of(from)];

    (void)ud;
    if (inode < 0)
        return missing();
    if (D.no_links) {
        errno = EPERM;
        return -1;
    }
    must(present()->of[name_of(to)] < 0);
    set_name(name_of(to), inode);
    return 0;
}

static inline int unlink_(void *ud, const char *path)
{
    (void)ud;
    if (present()->of[name_of(path)] < 0)
        return missing();
    set_name(name_of(path), -1);
    return 0;
}

static inline void sync_dir(void *ud, const char *dir)
{
    (void)ud;
    (void)dir;
    step();
    D.past[0] = *present();
    D.npast = 1;
    D.dir_flushes++;
    if (D.synced != NULL)
        D.synced();
}

static const struct vname_disk_ disk = { open_, pread_, write_, truncate_,
    sync_, close_, lock, exists, rename_, link_, unlink_, sync_dir, NULL };

static inline void new_disk(void)
{
    int i;

    for (i = 0; i < INODES; i++)
        if (D.inodes[i].data.max == 0)
            v23_buf_init(&D.inodes[i].data, NULL, SIZE_MAX);
    D.ninodes = 0; /* open_() empties each */
    D.taken = 0;
    D.full = D.half = false;
    D.room = 0;
    D.dir_flushes = 0;
    D.no_links = false;
    D.stuck = -1;
    for (i = 0; i < NAMES; i++)
        D.past[0].of[i] = -1;
    D.npast = 1;
    memset(D.fds, -1, sizeof(D.fds));
    D.left = LONG_MAX;
}

/* A file that is there, and flushed. */
static inline void disk_set(int name, const void *p, size_t n)
{
    struct inode *i = &D.inodes[D.ninodes];

    v23_buf_cut(&i->data, 0);
    v23_buf_put(&i->data, p, n);
    i->flushed = n;
    present()->of[name] = D.ninodes++;
}

#endif

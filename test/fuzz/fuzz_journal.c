/* BSD-3-Clause; see LICENSE. */
/*
 * Fuzz target of the journal's file: the input is what a process finds there
 * when it starts. Either it is refused, with the line that is wrong, and stays
 * as it is; or what it holds is written anew, and holds the same the next time.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "journal_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void check(bool ok)
{
    if (!ok)
        abort();
}

/* ---- a directory in memory ----------------------------------------------- */

enum { CURRENT, OLD, TMP, NAMES };
static struct file {
    struct v23_buf data;
    bool there;
} files[NAMES];
static size_t at[NAMES]; /* a descriptor is a name */
static int renamed;      /* to `current`: descriptors move along */

static int name_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash[1] == 'p' ? CURRENT : slash[1] == 'o' ? OLD : TMP;
}

static int open_(void *ud, const char *path, int flags)
{
    int i = name_of(path);

    (void)ud;
    files[i].there = true;
    if ((flags & O_TRUNC) != 0)
        v23_buf_cut(&files[i].data, 0);
    at[i] = 0;
    return i;
}

/* The file that a descriptor of `tmp` has become. */
static struct file *file_of(int fd)
{
    return &files[fd == TMP && renamed != 0 ? CURRENT : fd];
}

static ssize_t read_(void *ud, int fd, void *p, size_t n)
{
    const struct v23_buf *b = &file_of(fd)->data;

    (void)ud;
    if (n > b->n - at[fd])
        n = b->n - at[fd];
    if (n > 0)
        memcpy(p, b->p + at[fd], n);
    at[fd] += n;
    return (ssize_t)n;
}

static ssize_t write_(void *ud, int fd, const void *p, size_t n)
{
    (void)ud;
    v23_buf_put(&file_of(fd)->data, p, n);
    return (ssize_t)n;
}

static int truncate_(void *ud, int fd, off_t size)
{
    (void)ud;
    v23_buf_cut(&file_of(fd)->data, (size_t)size);
    return 0;
}

static int sync_(void *ud, int fd)
{
    (void)ud;
    (void)fd;
    return 0;
}

static void close_(void *ud, int fd)
{
    (void)ud;
    (void)fd;
}

static bool lock(void *ud, int fd)
{
    (void)ud;
    (void)fd;
    return true;
}

static bool exists(void *ud, const char *path)
{
    (void)ud;
    return files[name_of(path)].there;
}

static int rename_(void *ud, const char *from, const char *to)
{
    struct file *a = &files[name_of(from)], *b = &files[name_of(to)];

    (void)ud;
    v23_buf_fini(&b->data);
    *b = *a;
    v23_buf_init(&a->data, NULL, SIZE_MAX);
    a->there = false;
    renamed++;
    return 0;
}

static int link_(void *ud, const char *from, const char *to)
{
    struct file *a = &files[name_of(from)], *b = &files[name_of(to)];

    (void)ud;
    b->there = true;
    v23_buf_put(&b->data, a->data.p, a->data.n);
    return 0;
}

static int unlink_(void *ud, const char *path)
{
    struct file *f = &files[name_of(path)];

    (void)ud;
    if (!f->there) {
        errno = ENOENT;
        return -1;
    }
    v23_buf_cut(&f->data, 0);
    f->there = false;
    return 0;
}

static void sync_dir(void *ud, const char *dir)
{
    (void)ud;
    (void)dir;
}

static const struct vname_disk_ disk = { open_, read_, write_, truncate_,
    sync_, close_, lock, exists, rename_, link_, unlink_, sync_dir, NULL };

/* ---- the target ---------------------------------------------------------- */

/* Open it; what is written then goes to `out`. */
static int recover(struct v23_buf *out)
{
    struct vname_table_config tcfg = { 0 };
    struct vname_journal_config cfg = { 0 };
    struct vname_journal *j = NULL;
    struct v23_buf why;
    int rc;

    renamed = 0;
    check(vname_table_new(&tcfg, &cfg.table) == 0);
    cfg.dir = "d";
    v23_buf_init(&why, NULL, 4096);
    rc = vname_journal_open_(&cfg, &disk, 1000, &j, &why);
    check(rc == 0 || rc == V23_ETEXT);
    check((rc == 0) == (why.n == 0));
    v23_buf_fini(&why);
    v23_buf_put(out, files[CURRENT].data.p, files[CURRENT].data.n);
    vname_journal_close(j);
    vname_table_free(cfg.table);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct v23_buf first, second;
    size_t i;
    int rc;

    for (i = 0; i < NAMES; i++) {
        v23_buf_init(&files[i].data, NULL, SIZE_MAX);
        files[i].there = false;
    }
    v23_buf_init(&first, NULL, SIZE_MAX);
    v23_buf_init(&second, NULL, SIZE_MAX);
    files[CURRENT].there = true;
    v23_buf_put(&files[CURRENT].data, p, n);
    rc = recover(&first);
    if (rc != 0) {
        check(first.n == n && (n == 0 || memcmp(first.p, p, n) == 0));
    } else {
        check(recover(&second) == 0);
        check(second.n == first.n);
    }
    v23_buf_fini(&first);
    v23_buf_fini(&second);
    for (i = 0; i < NAMES; i++)
        v23_buf_fini(&files[i].data);
    return 0;
}

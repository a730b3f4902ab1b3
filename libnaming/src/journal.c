/* BSD-3-Clause; see LICENSE. */
/*
 * The files of the journal. At every moment persistent.permslog is complete:
 * it is replaced by a rename, after its successor was flushed to the disk.
 */
#include <vname/journal.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "journal_int.h"

/* Longest line that is a record. */
#define MAX_LINE (4u << 20)
#define CHUNK 65536u
#define GROWTH 4

struct vname_journal {
    const struct v23_alloc *al;
    const struct v23_log *log;
    const struct vname_disk_ *disk;
    struct vname_table *table;
    struct vname_store store;
    char *dir, *current, *tmp, *old; /* paths */
    int fd;            /* of current, to append */
    int64_t size;      /* of current: complete, good records */
    int64_t base;      /* its size when it was last rewritten */
    int64_t slack;
    size_t lines;      /* read so far */
    bool open_line;    /* the last record lacks its line end */
    bool torn;         /* there is something behind the good records */
    struct v23_buf buf;
};

static int fault(struct v23_buf *why, const char *what, const char *path)
{
    if (why != NULL)
        v23_buf_printf(why, "cannot %s %s: %s", what, path, strerror(errno));
    return V23_ESYS;
}

static int write_all(struct vname_journal *j, int fd, const uint8_t *p,
    size_t n)
{
    ssize_t k;

    while (n != 0) {
        k = j->disk->write(j->disk->ud, fd, p, n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return V23_ESYS;
        p += k;
        n -= (size_t)k;
    }
    return 0;
}

/* ---- restoring ----------------------------------------------------------- */

/* V23_ETEXT: it is no record. */
static int restore_line(struct vname_journal *j, const uint8_t *p, size_t n,
    struct v23_arena *a)
{
    struct vname_change ch;
    int rc;

    j->lines++;
    if (n == 0)
        return 0;
    v23_arena_reset(a);
    rc = vname_record_read_(v23_bytes(p, n), a, &ch);
    if (rc == 0)
        rc = vname_table_restore(j->table, &ch);
    if (rc == V23_EARG) {
        v23_logf(j->log, V23_LOG_WARN,
            "%s: the record in line %zu cannot be applied and is left out",
            j->current, j->lines);
        rc = 0;
    }
    return rc;
}

/* Apply the complete lines of the buffer and drop them. */
static int restore_lines(struct vname_journal *j, struct v23_arena *a)
{
    size_t done = 0;
    uint8_t *end;
    int rc = 0;

    while (rc == 0 && done < j->buf.n
        && (end = memchr(j->buf.p + done, '\n', j->buf.n - done)) != NULL) {
        rc = restore_line(j, j->buf.p + done,
            (size_t)(end - j->buf.p) - done, a);
        done = (size_t)(end - j->buf.p) + 1;
    }
    if (rc == 0)
        j->size += (int64_t)done;
    v23_buf_drop(&j->buf, done);
    return rc;
}

/* What is left has no line end: a whole record, or one whose writer died. */
static int restore_rest(struct vname_journal *j, struct v23_arena *a)
{
    size_t n = j->buf.n;
    int rc;

    if (n == 0)
        return 0;
    rc = restore_line(j, j->buf.p, n, a);
    if (rc == 0) {
        j->size += (int64_t)n;
        j->open_line = true;
    } else if (rc == V23_ETEXT) {
        v23_logf(j->log, V23_LOG_WARN,
            "%s ends within a record, which is left out", j->current);
        j->torn = true;
        rc = 0;
    }
    return rc;
}

static int restore(struct vname_journal *j, struct v23_buf *why)
{
    struct v23_arena a;
    ssize_t k = 1;
    int rc = 0;

    v23_arena_init(&a, j->al, SIZE_MAX);
    while (rc == 0 && k > 0) {
        rc = j->buf.n > MAX_LINE ? V23_ETEXT : v23_buf_room(&j->buf, CHUNK);
        if (rc != 0)
            break;
        k = j->disk->read(j->disk->ud, j->fd, j->buf.p + j->buf.n, CHUNK);
        if (k < 0 && errno == EINTR)
            k = 1;
        else if (k > 0)
            j->buf.n += (size_t)k;
        rc = restore_lines(j, &a);
    }
    if (rc == 0 && k < 0)
        rc = fault(why, "read", j->current);
    else if (rc == 0)
        rc = restore_rest(j, &a);
    if (rc == V23_ETEXT && why != NULL)
        v23_buf_printf(why, "%s: line %zu is not a record", j->current,
            j->lines + (j->buf.n > MAX_LINE));
    v23_buf_cut(&j->buf, 0);
    v23_arena_fini(&a);
    return rc;
}

/* ---- rewriting ----------------------------------------------------------- */

struct rewrite {
    struct vname_journal *j;
    int fd;
    int64_t size;
};

static int flush(struct rewrite *w)
{
    int rc = write_all(w->j, w->fd, w->j->buf.p, w->j->buf.n);

    w->size += (int64_t)w->j->buf.n;
    v23_buf_cut(&w->j->buf, 0);
    return rc;
}

static int rewrite_one(void *ud, const struct vname_change *ch)
{
    struct rewrite *w = ud;
    int rc = vname_record_write_(ch, &w->j->buf);

    return rc == 0 && w->j->buf.n >= CHUNK ? flush(w) : rc;
}

/* Make tmp the current file, and what was current the old one. */
static int replace(struct vname_journal *j, bool keep_old)
{
    const struct vname_disk_ *d = j->disk;

    if (keep_old) {
        d->unlink(d->ud, j->old);
        if (d->link(d->ud, j->current, j->old) != 0
            && d->rename(d->ud, j->current, j->old) != 0)
            v23_logf(j->log, V23_LOG_WARN, "cannot keep %s: %s", j->old,
                strerror(errno));
    }
    if (d->rename(d->ud, j->tmp, j->current) != 0)
        return V23_ESYS;
    d->sync_dir(d->ud, j->dir);
    return 0;
}

/* Write the present state to a new file that takes the place of the current
 * one. V23_ESYS (logged), V23_ENOMEM: it stays. */
static int rewrite(struct vname_journal *j, bool keep_old)
{
    const struct vname_disk_ *d = j->disk;
    struct rewrite w = { j, -1, 0 };
    int rc = V23_ESYS;

    w.fd = d->open(d->ud, j->tmp, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND);
    if (w.fd < 0)
        goto out;
    v23_buf_cut(&j->buf, 0);
    rc = vname_table_each_kept(j->table, rewrite_one, &w);
    if (rc == 0)
        rc = flush(&w);
    if (rc == 0 && (!d->lock(d->ud, w.fd) || d->sync(d->ud, w.fd) != 0))
        rc = V23_ESYS;
    if (rc == 0)
        rc = replace(j, keep_old);
out:
    if (rc != 0) {
        v23_logf(j->log, V23_LOG_WARN, "cannot rewrite %s: %s", j->current,
            rc == V23_ESYS ? strerror(errno) : v23_strerror(rc));
        if (w.fd >= 0) {
            d->close(d->ud, w.fd);
            d->unlink(d->ud, j->tmp);
        }
        return rc;
    }
    d->close(d->ud, j->fd);
    j->fd = w.fd;
    j->size = j->base = w.size;
    j->torn = j->open_line = false;
    return 0;
}

/* ---- appending ----------------------------------------------------------- */

/* End the file behind the last good record: anything else there would spoil
 * those to come. */
static int mend(struct vname_journal *j)
{
    int rc = 0;

    if (j->torn) {
        if (j->disk->truncate(j->disk->ud, j->fd, (off_t)j->size) != 0)
            rc = V23_ESYS;
        else
            j->torn = false;
    }
    if (rc == 0 && j->open_line) {
        rc = write_all(j, j->fd, (const uint8_t *)"\n", 1);
        j->size += rc == 0;
        j->open_line = rc != 0;
    }
    if (rc != 0)
        v23_logf(j->log, V23_LOG_ERROR, "cannot mend the end of %s: %s",
            j->current, strerror(errno));
    return rc;
}

/* What is written stands before what changes. What cannot be written does not
 * happen: nothing that was acknowledged is ever missing. */
static int commit(void *ud, struct v23_op op, const struct vname_change *ch,
    size_t n)
{
    struct vname_journal *j = ud;
    size_t i;
    int rc = 0;

    (void)op;
    if (j->size > GROWTH * j->base + j->slack && rewrite(j, true) != 0)
        j->base = j->size; /* and not again for each change */
    if (j->torn || j->open_line)
        rc = mend(j);
    v23_buf_cut(&j->buf, 0);
    for (i = 0; i < n && rc == 0; i++)
        rc = vname_record_write_(&ch[i], &j->buf);
    if (rc != 0)
        return rc;
    rc = write_all(j, j->fd, j->buf.p, j->buf.n);
    if (rc == 0) {
        j->size += (int64_t)j->buf.n;
        return 0;
    }
    v23_logf(j->log, V23_LOG_ERROR, "cannot write to %s: %s", j->current,
        strerror(errno));
    j->torn = true;
    (void)!mend(j); /* else before the next record */
    return rc;
}

/* ---- opening ------------------------------------------------------------- */

static char *path_of(const struct v23_alloc *al, const char *dir,
    const char *name)
{
    size_t n = strlen(dir) + strlen(name) + 2;
    char *p = v23_get(al, n);

    if (p != NULL)
        snprintf(p, n, "%s/%s", dir, name);
    return p;
}

/* Find or make the current file; *existed: there was one. */
static int open_current(struct vname_journal *j, bool *existed,
    struct v23_buf *why)
{
    const struct vname_disk_ *d = j->disk;

    *existed = d->exists(d->ud, j->current);
    if (!*existed && d->exists(d->ud, j->tmp)) {
        /* A rewrite was cut off between its renames. */
        if (d->rename(d->ud, j->tmp, j->current) != 0)
            return fault(why, "rename", j->tmp);
        *existed = true;
    }
    j->fd = d->open(d->ud, j->current, O_RDWR | O_CREAT | O_APPEND);
    if (j->fd < 0)
        return fault(why, "open", j->current);
    if (!d->lock(d->ud, j->fd)) {
        if (why != NULL)
            v23_buf_printf(why, "another process uses %s", j->current);
        return V23_ESYS;
    }
    d->unlink(d->ud, j->tmp);
    return 0;
}

static int set_paths(struct vname_journal *j, const char *dir)
{
    j->dir = path_of(j->al, dir, ".");
    j->current = path_of(j->al, dir, "persistent.permslog");
    j->tmp = path_of(j->al, dir, "tmp.permslog");
    j->old = path_of(j->al, dir, "old.permslog");
    return j->dir == NULL || j->current == NULL || j->tmp == NULL
            || j->old == NULL
        ? V23_ENOMEM
        : 0;
}

int vname_journal_open_(const struct vname_journal_config *cfg,
    const struct vname_disk_ *disk, int64_t slack, struct vname_journal **out,
    struct v23_buf *why)
{
    struct vname_journal *j = v23_new(cfg->al, struct vname_journal);
    bool existed = false;
    int rc;

    if (j == NULL)
        return V23_ENOMEM;
    j->al = cfg->al;
    j->log = cfg->log;
    j->disk = disk;
    j->slack = slack;
    j->table = cfg->table;
    j->fd = -1;
    v23_buf_init(&j->buf, j->al, SIZE_MAX);
    rc = set_paths(j, cfg->dir);
    if (rc == 0)
        rc = open_current(j, &existed, why);
    if (rc == 0)
        rc = restore(j, why);
    if (rc != 0)
        goto out;
    rc = rewrite(j, existed);
    if (rc == V23_ESYS && mend(j) == 0) /* go on with the old file */
        rc = 0;
    else if (rc == V23_ESYS)
        (void)!fault(why, "write to", j->current);
    if (rc != 0)
        goto out;
    j->store.commit = commit;
    j->store.ud = j;
    vname_table_set_store(j->table, &j->store);
    *out = j;
    j = NULL;
out:
    vname_journal_close(j);
    return rc;
}

int vname_journal_open(const struct vname_journal_config *cfg,
    struct vname_journal **out, struct v23_buf *why)
{
    return vname_journal_open_(cfg, &vname_host_disk_, VNAME_JOURNAL_SLACK_,
        out, why);
}

void vname_journal_close(struct vname_journal *j)
{
    if (j == NULL)
        return;
    vname_table_set_store(j->table, NULL);
    if (j->fd >= 0)
        j->disk->close(j->disk->ud, j->fd);
    v23_buf_fini(&j->buf);
    v23_put(j->al, j->dir);
    v23_put(j->al, j->current);
    v23_put(j->al, j->tmp);
    v23_put(j->al, j->old);
    v23_put(j->al, j);
}

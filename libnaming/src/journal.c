/* BSD-3-Clause; see LICENSE. */
/*
 * The files of the journal. At every moment persistent.permslog is complete:
 * it is replaced by a rename, after its successor was flushed to the disk.
 *
 * With a million permissions the successor takes seconds to write. So each
 * change writes a part of it before it is appended to the current file: first
 * what the table keeps, then what was appended to the current file meanwhile.
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
/* A journal is rewritten when it is so many times as long as it was, and the
 * slack. */
#define GROWTH 4

const struct vname_journal_pace_ vname_journal_pace_ = { .slack = 1 << 20,
    .nodes = 1000,
    .bytes = 32768,
    .sync = 1 << 20 };

enum stage {
    IDLE,
    STATE, /* what the table keeps is being written */
    TAIL   /* and now what was appended to the current file since */
};

/* The successor of the current file. */
struct next {
    enum stage stage;
    int fd; /* of tmp; -1 = none */
    bool keep_old;
    int64_t size, synced;
    int64_t copied; /* of the current file: up to here it is there too */
};

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
    size_t appended;   /* by the last change */
    struct next next;
    const struct vname_journal_pace_ *pace;
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
    off_t at = 0;
    ssize_t k = 1;
    int rc = 0;

    v23_arena_init(&a, j->al, SIZE_MAX);
    while (rc == 0 && k > 0) {
        rc = j->buf.n > MAX_LINE ? V23_ETEXT : v23_buf_room(&j->buf, CHUNK);
        if (rc != 0)
            break;
        k = j->disk->pread(j->disk->ud, j->fd, j->buf.p + j->buf.n, CHUNK,
            at);
        if (k < 0 && errno == EINTR) {
            k = 1;
        } else if (k > 0) {
            j->buf.n += (size_t)k;
            at += k;
        }
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

static int flush(struct vname_journal *j)
{
    const struct vname_disk_ *d = j->disk;
    struct next *x = &j->next;
    int rc = write_all(j, x->fd, j->buf.p, j->buf.n);

    x->size += (int64_t)j->buf.n;
    v23_buf_cut(&j->buf, 0);
    /* Flushed now and then, there is little left to flush at the end. */
    if (rc == 0 && x->size - x->synced >= j->pace->sync) {
        x->synced = x->size;
        rc = d->sync(d->ud, x->fd) == 0 ? 0 : V23_ESYS;
    }
    return rc;
}

static int keep_one(void *ud, const struct vname_change *ch)
{
    struct vname_journal *j = ud;
    int rc = vname_record_write_(ch, &j->buf);

    return rc != 0 ? rc : j->buf.n >= j->pace->bytes;
}

static int write_state(struct vname_journal *j)
{
    int more = vname_table_kept_next(j->table, j->pace->nodes, keep_one, j);

    if (more < 0)
        return more;
    if (more == 0)
        j->next.stage = TAIL;
    return flush(j);
}

/* Make tmp the current file, and what was current the old one. */
static int replace(struct vname_journal *j, bool keep_old)
{
    const struct vname_disk_ *d = j->disk;
    int why;

    if (keep_old) {
        d->unlink(d->ud, j->old);
        if (d->link(d->ud, j->current, j->old) != 0
            && d->rename(d->ud, j->current, j->old) != 0)
            v23_logf(j->log, V23_LOG_WARN, "cannot keep %s: %s", j->old,
                strerror(errno));
    }
    if (d->rename(d->ud, j->tmp, j->current) != 0) {
        why = errno;
        /* The next start would find nothing. */
        if (!d->exists(d->ud, j->current))
            d->rename(d->ud, j->old, j->current);
        errno = why;
        return V23_ESYS;
    }
    d->sync_dir(d->ud, j->dir);
    return 0;
}

/* It is complete: it takes the place of the current file. */
static int succeed(struct vname_journal *j)
{
    const struct vname_disk_ *d = j->disk;
    struct next *x = &j->next;

    if (!d->lock(d->ud, x->fd) || d->sync(d->ud, x->fd) != 0
        || replace(j, x->keep_old) != 0)
        return V23_ESYS;
    d->close(d->ud, j->fd);
    j->fd = x->fd;
    j->size = j->base = x->size;
    j->torn = j->open_line = false;
    x->fd = -1;
    x->stage = IDLE;
    return 0;
}

/* More than the last change has added: once this will be all. */
static int write_tail(struct vname_journal *j)
{
    struct next *x = &j->next;
    int64_t left = j->size - x->copied;
    size_t n = j->pace->bytes + j->appended;
    ssize_t k = 0;
    int rc;

    if (left < (int64_t)n)
        n = (size_t)left;
    rc = v23_buf_room(&j->buf, n);
    if (rc != 0)
        return rc;
    if (n != 0)
        k = j->disk->pread(j->disk->ud, j->fd, j->buf.p, n, (off_t)x->copied);
    if (k < 0 || (k == 0 && n != 0))
        return V23_ESYS;
    j->buf.n = (size_t)k;
    x->copied += k;
    rc = flush(j);
    return rc == 0 && x->copied == j->size ? succeed(j) : rc;
}

/* The current file stays, and is not rewritten again for each change. */
static int give_up(struct vname_journal *j, int rc)
{
    const struct vname_disk_ *d = j->disk;
    struct next *x = &j->next;

    v23_logf(j->log, V23_LOG_WARN, "cannot rewrite %s: %s", j->current,
        rc == V23_ESYS ? strerror(errno) : v23_strerror(rc));
    if (x->fd >= 0) {
        d->close(d->ud, x->fd);
        d->unlink(d->ud, j->tmp);
    }
    x->fd = -1;
    x->stage = IDLE;
    vname_table_kept_end(j->table);
    j->base = j->size;
    return rc;
}

/* Begin to write the present state to a new file that will take the place of
 * the current one. V23_ESYS (logged): it stays. */
static int begin(struct vname_journal *j, bool keep_old)
{
    struct next *x = &j->next;

    x->fd = j->disk->open(j->disk->ud, j->tmp,
        O_RDWR | O_CREAT | O_TRUNC | O_APPEND);
    if (x->fd < 0)
        return give_up(j, V23_ESYS);
    x->stage = STATE;
    x->keep_old = keep_old;
    x->size = x->synced = 0;
    x->copied = j->size;
    vname_table_kept_begin(j->table);
    return 0;
}

/* Do a part of it. V23_ESYS, V23_ENOMEM (logged): the current file stays. */
static int go_on(struct vname_journal *j)
{
    struct next *x = &j->next;
    int rc = 0;

    v23_buf_cut(&j->buf, 0);
    if (x->stage == STATE)
        rc = write_state(j);
    if (rc == 0 && x->stage == TAIL)
        rc = write_tail(j);
    return rc == 0 ? 0 : give_up(j, rc);
}

/* All at once. */
static int rewrite(struct vname_journal *j, bool keep_old)
{
    int rc = begin(j, keep_old);

    while (rc == 0 && j->next.stage != IDLE)
        rc = go_on(j);
    return rc;
}

/* Leave it where it is. */
static void abandon(struct vname_journal *j)
{
    struct next *x = &j->next;

    vname_table_kept_end(j->table);
    if (x->fd < 0)
        return;
    j->disk->close(j->disk->ud, x->fd);
    j->disk->unlink(j->disk->ud, j->tmp);
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

static int append(struct vname_journal *j, const struct vname_change *ch,
    size_t n)
{
    size_t i;
    int rc = 0;

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
        j->appended = j->buf.n;
        return 0;
    }
    v23_logf(j->log, V23_LOG_ERROR, "cannot write to %s: %s", j->current,
        strerror(errno));
    j->torn = true;
    (void)!mend(j); /* else before the next record */
    return rc;
}

/* What is written stands before what changes. What cannot be written does not
 * happen: nothing that was acknowledged is ever missing. */
static int commit(void *ud, struct v23_op op, const struct vname_change *ch,
    size_t n)
{
    struct vname_journal *j = ud;
    int rc;

    (void)op;
    if (j->next.stage == IDLE && j->size > GROWTH * j->base + j->pace->slack)
        (void)!begin(j, true);
    if (j->next.stage != IDLE)
        (void)!go_on(j);
    rc = append(j, ch, n);
    /* The disk may be full of the successor. */
    if (rc == V23_ESYS && j->next.fd >= 0) {
        give_up(j, rc);
        rc = append(j, ch, n);
    }
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
    const struct vname_disk_ *disk, const struct vname_journal_pace_ *pace,
    struct vname_journal **out, struct v23_buf *why)
{
    struct vname_journal *j = v23_new(cfg->al, struct vname_journal);
    bool existed = false;
    int rc;

    if (j == NULL)
        return V23_ENOMEM;
    j->al = cfg->al;
    j->log = cfg->log;
    j->disk = disk;
    j->pace = pace;
    j->table = cfg->table;
    j->fd = j->next.fd = -1;
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
    return vname_journal_open_(cfg, &vname_host_disk_, &vname_journal_pace_,
        out, why);
}

void vname_journal_close(struct vname_journal *j)
{
    if (j == NULL)
        return;
    vname_table_set_store(j->table, NULL);
    abandon(j);
    if (j->fd >= 0)
        j->disk->close(j->disk->ud, j->fd);
    v23_buf_fini(&j->buf);
    v23_put(j->al, j->dir);
    v23_put(j->al, j->current);
    v23_put(j->al, j->tmp);
    v23_put(j->al, j->old);
    v23_put(j->al, j);
}

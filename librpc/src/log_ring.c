/* BSD-3-Clause; see LICENSE. */
/*
 * The last lines of a log in memory: a ring of bytes in which lines end with a
 * newline. A line that is partly overwritten counts as gone.
 */
#include <vrpc/debug.h>

struct vrpc_log_ring {
    const struct v23_alloc *al;
    struct vdl_str name;
    size_t cap;
    int64_t first; /* position of the oldest whole line */
    int64_t end;   /* bytes ever written */
    char bytes[];
};

int vrpc_log_ring_new(const struct v23_alloc *al, struct vdl_str name,
    size_t bytes, struct vrpc_log_ring **out)
{
    struct vrpc_log_ring *r;

    if (bytes < 256 || name.n == 0 || memchr(name.p, '/', name.n) != NULL)
        return V23_EARG;
    r = v23_get(al, sizeof(*r) + bytes + name.n);
    if (r == NULL)
        return V23_ENOMEM;
    r->al = al;
    r->cap = bytes;
    r->first = r->end = 0;
    memcpy(r->bytes + bytes, name.p, name.n);
    r->name = vdl_strn(r->bytes + bytes, name.n);
    *out = r;
    return 0;
}

void vrpc_log_ring_free(struct vrpc_log_ring *r)
{
    if (r != NULL)
        v23_put(r->al, r);
}

static size_t place(const struct vrpc_log_ring *r, int64_t pos)
{
    return (size_t)(pos % (int64_t)r->cap);
}

static void append(struct vrpc_log_ring *r, const char *p, size_t n)
{
    size_t at = place(r, r->end), part = n < r->cap - at ? n : r->cap - at;

    if (n == 0)
        return;
    memcpy(r->bytes + at, p, part);
    memcpy(r->bytes, p + part, n - part);
    r->end += (int64_t)n;
}

void vrpc_log_ring_put(struct vrpc_log_ring *r, struct vdl_str line)
{
    size_t n = line.n < r->cap / 2 ? line.n : r->cap / 2;
    int64_t end = r->end + (int64_t)n + 1;

    /* Whole lines make room for it. */
    while (end - r->first > (int64_t)r->cap)
        while (r->bytes[place(r, r->first++)] != '\n')
            ;
    append(r, line.p, n);
    append(r, "\n", 1);
}

/* ---- as logs ------------------------------------------------------------- */

static int ring_open(void *ud, struct vdl_str name, void **log,
    struct v23_buf *why)
{
    struct vrpc_log_ring *r = ud;

    if (name.n > 0 && !vdl_str_eq(name, r->name)) {
        v23_buf_put_str(why, name);
        return V23_ENOENT;
    }
    *log = name.n == 0 ? NULL : r;
    return 0;
}

static int ring_size(void *ud, void *log, int64_t *bytes, struct v23_buf *why)
{
    (void)ud;
    if (log == NULL) {
        v23_buf_puts(why, "logs is a directory");
        return V23_EARG;
    }
    *bytes = ((const struct vrpc_log_ring *)log)->end;
    return 0;
}

static int ring_read(void *ud, void *log, int64_t *pos, void *p, size_t n,
    size_t *got)
{
    const struct vrpc_log_ring *r = log;
    size_t at;

    (void)ud;
    *got = 0;
    if (r == NULL)
        return V23_EARG;
    if (*pos < r->first)
        *pos = r->first;
    if (*pos >= r->end)
        return 0;
    at = place(r, *pos);
    if (n > r->cap - at)
        n = r->cap - at;
    if ((int64_t)n > r->end - *pos)
        n = (size_t)(r->end - *pos);
    memcpy(p, r->bytes + at, n);
    *got = n;
    return 0;
}

static void ring_close(void *ud, void *log)
{
    (void)ud;
    (void)log;
}

static int ring_list(void *ud, struct vdl_str name, void *arg,
    int (*each)(void *arg, struct vdl_str child), struct v23_buf *why)
{
    const struct vrpc_log_ring *r = ud;
    void *log;
    int rc = ring_open(ud, name, &log, why);

    return rc != 0 || log != NULL ? rc : each(arg, r->name);
}

struct vrpc_logs vrpc_log_ring_logs(struct vrpc_log_ring *r)
{
    static const struct vrpc_logs_ops ops = { ring_open, ring_size, ring_read,
        ring_close, ring_list };
    struct vrpc_logs logs = { &ops, r };

    return logs;
}

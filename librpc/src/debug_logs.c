/* BSD-3-Clause; see LICENSE. */
/* __debug/logs (spec/services.md 9.2). */
#include "debug_int.h"

#include <v23/vdl/v.io/v23/services/logreader/logreader.rpc.h>

#define CHUNK 4096
#define MAX_LINE (1u << 20)
#define MAX_PATH 4096

/* ---- errors -------------------------------------------------------------- */

static const struct v23_verror *refused(struct vrpc_server_call *call, int rc,
    struct v23_buf *why)
{
    struct vdl_str name = vdl_strn((const char *)why->p, why->n);

    if (rc == V23_ENOENT)
        return vrpc_err_make(vrpc_server_call_arena(call),
            vrpc_server_call_errctx(call), VRPC_ERR_NO_EXIST,
            "does not exist: %.*s", (int)name.n, name.p);
    if (rc == V23_EARG)
        return vrpc_debug_failed_(call, "", name);
    return vrpc_debug_failed_(call, "operation failed: ", name);
}

/* ---- Size ---------------------------------------------------------------- */

static const struct v23_verror *size(void *self,
    struct vrpc_server_call *call, v23_logreader_log_file_size_out *out)
{
    const struct vrpc_debug_object_ *o = self;
    const struct vrpc_logs *l = &o->d->cfg.logs;
    char text[MAX_PATH];
    struct v23_buf why;
    void *log;
    int rc;

    v23_buf_init_fixed(&why, text, sizeof(text));
    rc = l->ops->open(l->ud, o->suffix, &log, &why);
    if (rc != 0)
        return refused(call, rc, &why);
    rc = l->ops->size(l->ud, log, &out->result, &why);
    l->ops->close(l->ud, log);
    return rc == 0 ? NULL : refused(call, rc, &why);
}

/* ---- ReadLog ------------------------------------------------------------- */

struct reading {
    struct vrpc_debug_run_ run; /* first member */
    const struct vrpc_logs *logs;
    void *log;
    bool follow, idle;
    int64_t left;      /* lines wanted */
    int64_t lines;     /* delivered */
    int64_t pos;       /* where to read on */
    struct v23_buf in; /* what was read; lines begin at `start` */
    size_t start;
    size_t seen;       /* no newline before this */
    v23_logreader_log_file_read_log_out out; /* where the next line begins */
};

static void reading_end(struct vrpc_debug_run_ *r)
{
    struct reading *g = (struct reading *)r;

    g->logs->ops->close(g->logs->ud, g->log);
    v23_buf_fini(&g->in);
}

static size_t space(const char *p, size_t n)
{
    uint32_t c;
    size_t len = v23_utf8_next(p, n, &c);

    if ((c >= 9 && c <= 13) || c == ' ' || c == 0x85 || c == 0xa0 ||
        c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
        c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000)
        return len;
    return 0;
}

/* Without white space at both ends. */
static struct vdl_str trim(const char *p, size_t n)
{
    size_t len, end = 0, i;
    uint32_t c;

    while (n > 0 && (len = space(p, n)) > 0) {
        p += len;
        n -= len;
    }
    for (i = 0; i < n; i += len) {
        len = space(p + i, n - i);
        if (len == 0) {
            len = v23_utf8_next(p + i, n - i, &c);
            end = i + len;
        }
    }
    return vdl_strn(p, end);
}

/* Read more: V23_EEOF, V23_ELIMIT (no line is that long), others. */
static int more(struct reading *g)
{
    int64_t pos = g->pos;
    size_t got = 0;
    int rc;

    if (g->start > 0) {
        v23_buf_drop(&g->in, g->start);
        g->seen -= g->start;
        g->start = 0;
    }
    rc = g->in.n >= MAX_LINE ? V23_ELIMIT : v23_buf_room(&g->in, CHUNK);
    if (rc != 0)
        return rc;
    rc = g->logs->ops->read(g->logs->ud, g->log, &pos, g->in.p + g->in.n,
        CHUNK, &got);
    if (rc != 0 || got == 0)
        return rc != 0 ? rc : V23_EEOF;
    if (pos != g->pos) { /* lines between have gone */
        memmove(g->in.p, g->in.p + g->in.n, got);
        g->in.n = g->seen = 0;
        g->out.result = pos;
    }
    g->in.n += got;
    g->pos = pos + (int64_t)got;
    return 0;
}

/* Deliver the next line; V23_EEOF: there is none, V23_EAGAIN: no room. */
static int next_line(struct reading *g)
{
    v23_logreader_log_entry e;
    const uint8_t *nl;
    size_t n;
    int rc;

    while (g->seen == g->in.n ||
           (nl = memchr(g->in.p + g->seen, '\n', g->in.n - g->seen)) == NULL) {
        g->seen = g->in.n;
        rc = more(g);
        if (rc != 0)
            return rc;
    }
    n = (size_t)(nl - g->in.p) - g->start;
    g->seen = g->start + n; /* found again when there is no room now */
    e.position = g->out.result;
    e.line = trim((const char *)g->in.p + g->start, n);
    rc = v23_logreader_log_file_read_log_send(g->run.call, &e);
    if (rc != 0)
        return rc;
    g->start += n + 1;
    g->seen = g->start;
    g->out.result += (int64_t)n + 1;
    g->lines++;
    g->left--;
    return 0;
}

static void reading_go(struct vrpc_debug_run_ *r, bool timed)
{
    struct reading *g = (struct reading *)r;
    const struct v23_verror *err = NULL;
    int rc = 0;

    if (!timed && g->idle) /* the window has nothing to do with it */
        return;
    g->idle = false;
    while (rc == 0 && g->left > 0)
        rc = next_line(g);
    if (rc == V23_EAGAIN)
        return;
    if (rc == V23_EEOF && g->follow) {
        g->idle = true;
        vrpc_debug_run_wait_(r, r->d->cfg.follow_period_ns);
        return;
    }
    if (rc == V23_EEOF && g->lines == 0)
        err = vrpc_err_make(vrpc_server_call_arena(r->call),
            vrpc_server_call_errctx(r->call), VRPC_ERR_END_OF_FILE,
            "end of file");
    else if (rc != 0 && rc != V23_EEOF && rc != V23_ECLOSED)
        err = vrpc_debug_failed_(r->call, "failed to read line: ",
            vdl_str(v23_strerror(rc)));
    vrpc_debug_run_finish_(r, err);
}

static const struct v23_verror *read_log(void *self,
    struct vrpc_server_call *call,
    const v23_logreader_log_file_read_log_in *in,
    v23_logreader_log_file_read_log_out *out)
{
    const struct vrpc_debug_object_ *o = self;
    const struct v23_verror *err;
    char text[MAX_PATH];
    struct v23_buf why;
    struct reading *g = v23_arena_new(vrpc_server_call_arena(call),
        struct reading);
    int rc;

    (void)out;
    if (g == NULL || in->start_pos < 0)
        return vrpc_debug_failed_(call, "failed to seek to start: ",
            o->suffix);
    v23_buf_init_fixed(&why, text, sizeof(text));
    g->logs = &o->d->cfg.logs;
    rc = g->logs->ops->open(g->logs->ud, o->suffix, &g->log, &why);
    if (rc != 0)
        return refused(call, rc, &why);
    g->run.go = reading_go;
    g->run.end = reading_end;
    g->run.out = &g->out;
    g->follow = in->follow;
    g->left = in->num_entries == V23_LOGREADER_ALL_ENTRIES ? INT32_MAX
                                                           : in->num_entries;
    g->pos = g->out.result = in->start_pos;
    v23_buf_init(&g->in, o->d->cfg.al, MAX_LINE + CHUNK);
    err = vrpc_debug_run_start_(&g->run, o->d, call);
    if (err != NULL) {
        reading_end(&g->run);
        return err;
    }
    reading_go(&g->run, true);
    return &vrpc_pending;
}

/* ---- glob ---------------------------------------------------------------- */

struct children {
    struct vrpc_glob_call *g;
    const struct vrpc_glob *pattern;
};

static int child(void *arg, struct vdl_str name)
{
    const struct children *c = arg;

    if (!vrpc_glob_match(c->pattern, name))
        return 0;
    return vrpc_glob_send_child(c->g, name);
}

static int children(void *self, struct vrpc_glob_call *g,
    const struct vrpc_glob *pattern)
{
    const struct vrpc_debug_object_ *o = self;
    const struct vrpc_logs *l = &o->d->cfg.logs;
    struct children c = { g, pattern };
    char text[MAX_PATH];
    struct v23_buf why;
    int rc;

    v23_buf_init_fixed(&why, text, sizeof(text));
    rc = l->ops->list(l->ud, o->suffix, &c, child, &why);
    if (rc != 0 && why.n > 0) {
        vrpc_glob_fail(g, refused(vrpc_glob_server_call(g), rc, &why));
        return V23_EWIREERR;
    }
    return rc;
}

struct vrpc_object vrpc_debug_logs_(struct vrpc_debug_object_ *o)
{
    static const v23_logreader_log_file_vt vt = { size, read_log };
    static const struct vrpc_globber globber = { .children = children };
    struct vrpc_object obj = v23_logreader_log_file_object(&vt, o);

    obj.glob = &globber;
    return obj;
}

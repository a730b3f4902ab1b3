/* BSD-3-Clause; see LICENSE. */
/*
 * Lists of revoked ids. `ids` holds those of the newest file that could be
 * read, sorted; `good` says whether that is the present one.
 */
#include <vsec/revocations.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check_int.h"
#include "cred_int.h"

enum { ID = VSEC_REVOCATION_ID, HEX = 2 * ID, MOST = VSEC_CRED_FILE_MAX / HEX };

/* What is different when a file was changed. */
struct state {
    int64_t dev, ino, size, sec, nanos;
};

struct vsec_revocations {
    const struct v23_alloc *al;
    const struct v23_log *log;
    char *path;
    struct vsec_caveat_kind kind;
    uint8_t (*ids)[ID];
    size_t n, cap;
    struct state state;
    bool good;
};

/* ---- ids ----------------------------------------------------------------- */

int vsec_revocation_id_parse(struct vdl_str text, uint8_t id[ID])
{
    uint8_t mem[ID];
    struct v23_buf b;

    v23_buf_init_fixed(&b, mem, sizeof(mem));
    if (text.n != HEX || v23_hex_parse(text.p, text.n, &b) != 0)
        return V23_ETEXT;
    memcpy(id, mem, ID);
    return 0;
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, ID);
}

static bool listed(const struct vsec_revocations *r, const uint8_t id[ID])
{
    return r->n > 0 && bsearch(id, r->ids, r->n, ID, compare) != NULL;
}

/* ---- reading ------------------------------------------------------------- */

static int add_id(struct vsec_revocations *r, const uint8_t id[ID])
{
    void *v = r->ids;
    int rc = v23_reserve(r->al, &v, &r->cap, r->n + 1, MOST, ID);

    r->ids = v;
    if (rc == 0)
        memcpy(r->ids[r->n++], id, ID);
    return rc;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The line without its comment and blanks around it. */
static struct vdl_str content(struct vdl_str line)
{
    const char *hash = line.n == 0 ? NULL : memchr(line.p, '#', line.n);

    if (hash != NULL)
        line.n = (uint32_t)(hash - line.p);
    while (line.n > 0 && is_blank(line.p[line.n - 1]))
        line.n--;
    while (line.n > 0 && is_blank(line.p[0])) {
        line.p++;
        line.n--;
    }
    return line;
}

static int parse(struct vsec_revocations *r, const char *p, size_t n,
    char *why)
{
    size_t line = 0, len;
    const char *end;
    struct vdl_str text;
    uint8_t id[ID];
    int rc = 0;

    while (n > 0 && rc == 0) {
        end = memchr(p, '\n', n);
        len = end == NULL ? n : (size_t)(end - p);
        line++;
        text = content(vdl_strn(p, len));
        p += len + (end != NULL);
        n -= len + (end != NULL);
        if (text.n == 0)
            continue;
        rc = vsec_revocation_id_parse(text, id);
        if (rc != 0)
            return vsec_cred_why_(why, rc,
                "%.256s:%zu: not an id of %d hex digits", r->path, line, HEX);
        rc = add_id(r, id);
    }
    if (rc != 0)
        return vsec_cred_why_(why, rc, "%.256s: %s", r->path,
            v23_strerror(rc));
    if (r->n > 1)
        qsort(r->ids, r->n, ID, compare);
    return 0;
}

static int look(const char *path, struct state *out, char *why)
{
    struct stat st;

    memset(out, 0, sizeof(*out));
    if (stat(path, &st) != 0)
        return vsec_cred_sys_(why, "open", path);
    out->dev = (int64_t)st.st_dev;
    out->ino = (int64_t)st.st_ino;
    out->size = (int64_t)st.st_size;
    out->sec = (int64_t)st.st_mtim.tv_sec;
    out->nanos = (int64_t)st.st_mtim.tv_nsec;
    return 0;
}

static int load(struct vsec_revocations *r, char *why)
{
    struct v23_buf text;
    int rc;

    r->n = 0;
    v23_buf_init(&text, r->al, VSEC_CRED_FILE_MAX);
    rc = vsec_cred_read_(r->path, &text, why);
    if (rc == 0)
        rc = parse(r, (const char *)text.p, text.n, why);
    v23_buf_fini(&text);
    return rc;
}

/*
 * Read the file if it is not the one that was read last. Its state is taken
 * before it is read: a change meanwhile is seen the next time.
 */
static int refresh(struct vsec_revocations *r, char *why)
{
    struct state now;
    int rc = look(r->path, &now, why);

    if (rc == 0 && memcmp(&now, &r->state, sizeof(now)) == 0 && r->good)
        return 0;
    if (rc == 0)
        rc = load(r, why);
    if (rc != 0 && (r->good || memcmp(&now, &r->state, sizeof(now)) != 0))
        v23_logf(r->log, V23_LOG_ERROR,
            "no discharges for NotRevoked caveats: %s", why);
    if (rc == 0 && !r->good)
        v23_logf(r->log, V23_LOG_INFO, "%s can be used again", r->path);
    r->state = now;
    r->good = rc == 0;
    return rc;
}

/* ---- the kind ------------------------------------------------------------ */

static int refuse(struct v23_arena *a, const char *what, struct vdl_bytes id,
    const struct v23_verror **err)
{
    struct v23_buf hex;
    char mem[HEX + 1];

    v23_buf_init_fixed(&hex, mem, sizeof(mem));
    v23_hex_put(&hex, id.p, id.n);
    *err = vsec_plain_error_(a, "NotRevoked caveat %s: %s",
        hex.err != 0 ? "" : v23_buf_cstr(&hex), what);
    return V23_ECAVEAT;
}

static int validate(void *ud, struct vsec_check *c, struct v23_op op,
    const struct vsec_call *call, const void *param, struct v23_arena *a,
    const struct v23_verror **err)
{
    struct vsec_revocations *r = ud;
    const struct vdl_bytes *id = param;
    char why[VSEC_CRED_WHY];

    (void)c;
    (void)op;
    (void)call;
    if (id->n != ID)
        return refuse(a, "the id has not 16 octets", *id, err);
    if (refresh(r, why) != 0)
        return refuse(a, "the list of revoked ids cannot be read", *id, err);
    return listed(r, id->p) ? refuse(a, "revoked", *id, err) : 0;
}

const struct vsec_caveat_kind *vsec_revocations_kind(
    const struct vsec_revocations *r)
{
    return &r->kind;
}

/* ---- life ---------------------------------------------------------------- */

int vsec_revocations_open(const struct v23_alloc *al, const char *path,
    const struct v23_log *log, struct vsec_revocations **out,
    char why[VSEC_CRED_WHY])
{
    struct vsec_revocations *r = v23_new(al, struct vsec_revocations);
    size_t n = strlen(path);
    int rc;

    if (r == NULL)
        return vsec_cred_why_(why, V23_ENOMEM, "out of memory");
    r->al = al;
    r->kind.desc = &vsec_caveat_not_revoked;
    r->kind.name = "NotRevoked";
    r->kind.validate = validate;
    r->kind.ud = r;
    r->path = v23_get(al, n + 1);
    if (r->path == NULL) {
        vsec_revocations_free(r);
        return vsec_cred_why_(why, V23_ENOMEM, "out of memory");
    }
    memcpy(r->path, path, n + 1);
    r->good = true; /* nothing to say about an earlier failure */
    rc = refresh(r, why);
    if (rc != 0) {
        vsec_revocations_free(r);
        return rc;
    }
    r->log = log;
    *out = r;
    return 0;
}

void vsec_revocations_free(struct vsec_revocations *r)
{
    const struct v23_alloc *al;

    if (r == NULL)
        return;
    al = r->al;
    v23_put(al, r->path);
    v23_put(al, r->ids);
    v23_put(al, r);
}

/* ---- adding -------------------------------------------------------------- */

/* A path in two. */
static int split(const char *path, char dir[VSEC_CRED_PATH],
    const char **name, char *why)
{
    const char *slash = strrchr(path, '/');
    int n = slash == NULL ? 0 : (int)(slash - path);

    if (strlen(path) >= VSEC_CRED_PATH)
        return vsec_cred_why_(why, V23_ELIMIT, "path is too long");
    snprintf(dir, VSEC_CRED_PATH, "%.*s", n > 0 ? n : 1,
        slash == NULL ? "." : path);
    *name = slash == NULL ? path : slash + 1;
    return 0;
}

static void put_line(struct v23_buf *text, const uint8_t id[ID],
    const char *note)
{
    if (text->n > 0 && text->p[text->n - 1] != '\n')
        v23_buf_put_byte(text, '\n');
    v23_hex_put(text, id, ID);
    if (note != NULL && note[0] != 0) {
        v23_buf_puts(text, "  # ");
        v23_buf_puts(text, note);
    }
    v23_buf_put_byte(text, '\n');
}

/* Owner and permissions as of the old file; it may not be ours to give away. */
static int same_access(const char *path, char *why)
{
    char fresh[VSEC_CRED_PATH + 4];
    struct stat st;

    if (stat(path, &st) != 0)
        return 0; /* the first one */
    snprintf(fresh, sizeof(fresh), "%s.new", path);
    if (chown(fresh, st.st_uid, st.st_gid) != 0 && errno != EPERM)
        return vsec_cred_sys_(why, "chown", fresh);
    return chmod(fresh, st.st_mode & 07777) == 0
        ? 0 : vsec_cred_sys_(why, "chmod", fresh);
}

/* Replace the whole file. */
static int replace(const char *path, const struct v23_buf *text, char *why)
{
    char dir[VSEC_CRED_PATH];
    const char *name;
    int rc = split(path, dir, &name, why);

    if (rc == 0)
        rc = vsec_cred_write_temp_(dir, name, v23_bytes(text->p, text->n),
            0644, why);
    if (rc != 0)
        return rc;
    rc = same_access(path, why);
    if (rc == 0)
        rc = vsec_cred_commit_(dir, name, why);
    if (rc != 0)
        vsec_cred_remove_(dir, name, "new");
    else
        vsec_cred_sync_dir_(dir);
    return rc;
}

/* The lock is held. */
static int add_locked(const struct v23_alloc *al, const char *path,
    const uint8_t id[ID], const char *note, char *why)
{
    struct vsec_revocations r;
    struct v23_buf text;
    int rc;

    memset(&r, 0, sizeof(r));
    r.al = al;
    r.path = (char *)(uintptr_t)path;
    v23_buf_init(&text, al, VSEC_CRED_FILE_MAX);
    rc = vsec_cred_read_(path, &text, why);
    if (rc == V23_ENOENT)
        rc = 0;
    if (rc == 0)
        rc = parse(&r, (const char *)text.p, text.n, why);
    if (rc == 0 && !listed(&r, id)) {
        put_line(&text, id, note);
        rc = text.err != 0
            ? vsec_cred_why_(why, text.err, "%.256s: %s", path,
                v23_strerror(text.err))
            : replace(path, &text, why);
    }
    v23_put(al, r.ids);
    v23_buf_fini(&text);
    return rc;
}

int vsec_revocations_add(const struct v23_alloc *al, const char *path,
    const uint8_t id[ID], const char *note, char why[VSEC_CRED_WHY])
{
    char dir[VSEC_CRED_PATH], lock[VSEC_CRED_PATH + 8];
    const char *name, *p;
    int fd, rc;

    for (p = note == NULL ? "" : note; *p != 0; p++)
        if ((uint8_t)*p < ' ' || *p == 0x7f)
            return vsec_cred_why_(why, V23_EARG,
                "the note has a control character");
    rc = split(path, dir, &name, why);
    if (rc != 0)
        return rc;
    snprintf(lock, sizeof(lock), "%s.lock", name);
    rc = vsec_cred_lock_(dir, lock, VSEC_CRED_EXCLUSIVE_, &fd, why);
    if (rc != 0)
        return rc;
    rc = add_locked(al, path, id, note, why);
    vsec_cred_unlock_(&fd);
    return rc;
}

/* ---- making -------------------------------------------------------------- */

int vsec_caveat_revocable(struct vsec_engine *e, struct v23_arena *a,
    uint8_t id[ID], v23_security_caveat *out)
{
    struct vsec_caveat_kind kind;
    struct vdl_bytes param;
    int rc = vsec_random_fill(e, id, ID);

    if (rc != 0)
        return rc;
    memset(&kind, 0, sizeof(kind));
    kind.desc = &vsec_caveat_not_revoked;
    param = vdl_bytes(id, ID);
    return vsec_caveat_make(a, &kind, &param, out);
}

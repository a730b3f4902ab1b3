/* BSD-3-Clause; see LICENSE. */
/*
 * What parents and children tell each other: configurations, and the bytes on
 * the two pipes. No I/O.
 */
#include <vrpc/exec.h>

#include <stdlib.h>

#include <vrpc/verror.h>

#define TERMINATOR 0xffu
#define READY "ready::"
#define FAILED "failed::"

/* ---- configuration ------------------------------------------------------- */

void vrpc_exec_config_init(struct vrpc_exec_config *c,
    const struct v23_alloc *al)
{
    memset(c, 0, sizeof(*c));
    c->al = al;
}

/* A pair is one allocation: key, NUL, value, NUL. */
void vrpc_exec_config_fini(struct vrpc_exec_config *c)
{
    size_t i;

    for (i = 0; i < c->n; i++)
        v23_put(c->al, (void *)(uintptr_t)c->v[i].key);
    v23_put(c->al, c->v);
    vrpc_exec_config_init(c, c->al);
}

/* The first pair not before this key; *found: it has the key. */
static size_t place_of(const struct vrpc_exec_config *c, const char *key,
    bool *found)
{
    size_t lo = 0, hi = c->n, mid;
    int d = 1;

    while (lo < hi) {
        mid = lo + (hi - lo) / 2;
        d = strcmp(c->v[mid].key, key);
        if (d < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    *found = lo < c->n && strcmp(c->v[lo].key, key) == 0;
    return lo;
}

static bool is_text(struct vdl_str s)
{
    return s.n == 0 || memchr(s.p, 0, s.n) == NULL;
}

static char *put_text(char *to, struct vdl_str s)
{
    if (s.n != 0)
        memcpy(to, s.p, s.n);
    to[s.n] = 0;
    return to + s.n + 1;
}

int vrpc_exec_config_set(struct vrpc_exec_config *c, struct vdl_str key,
    struct vdl_str value)
{
    struct vrpc_exec_pair pair;
    void *v = c->v;
    bool found;
    char *p;
    size_t at;
    int rc;

    if (!is_text(key) || !is_text(value))
        return V23_ETEXT;
    rc = v23_reserve(c->al, &v, &c->cap, c->n + 1, VRPC_EXEC_MAX_KEYS,
        sizeof(*c->v));
    if (rc != 0)
        return rc;
    c->v = v;
    p = v23_get(c->al, (size_t)key.n + value.n + 2);
    if (p == NULL)
        return V23_ENOMEM;
    pair.key = p;
    pair.value = put_text(p, key);
    (void)put_text(p + key.n + 1, value);
    at = place_of(c, p, &found);
    if (found) {
        v23_put(c->al, (void *)(uintptr_t)c->v[at].key);
    } else {
        memmove(c->v + at + 1, c->v + at, (c->n - at) * sizeof(*c->v));
        c->n++;
    }
    c->v[at] = pair;
    return 0;
}

const char *vrpc_exec_config_get(const struct vrpc_exec_config *c,
    const char *key)
{
    bool found;
    size_t at = place_of(c, key, &found);

    return found ? c->v[at].value : NULL;
}

void vrpc_exec_config_clear(struct vrpc_exec_config *c, const char *key)
{
    bool found;
    size_t at = place_of(c, key, &found);

    if (!found)
        return;
    v23_put(c->al, (void *)(uintptr_t)c->v[at].key);
    c->n--;
    memmove(c->v + at, c->v + at + 1, (c->n - at) * sizeof(*c->v));
}

/* The map without the struct around it. */
static const struct vdl_type *map_desc(void)
{
    return v23_exec_config_desc.fields[0].type;
}

int vrpc_exec_config_encode(const struct vrpc_exec_config *c,
    struct v23_buf *out)
{
    vdl_str_str_entry *v = NULL;
    vdl_str_str_map map;
    size_t i;
    int rc;

    if (c->n != 0) {
        v = v23_get0(c->al, c->n, sizeof(*v));
        if (v == NULL)
            return V23_ENOMEM;
    }
    for (i = 0; i < c->n; i++) {
        v[i].key = vdl_str(c->v[i].key);
        v[i].val = vdl_str(c->v[i].value);
    }
    map.v = v;
    map.n = (uint32_t)c->n;
    rc = vom_encode_single(c->al, map_desc(), &map, out);
    v23_put(c->al, v);
    return rc;
}

int vrpc_exec_config_merge(struct vrpc_exec_config *c, struct v23_bytes vom)
{
    struct v23_arena a;
    vdl_str_str_map map;
    uint32_t i;
    int rc;

    v23_arena_init(&a, c->al, 16u * VRPC_EXEC_MAX);
    rc = vom_decode_single(vom.p, vom.n, NULL, &a, map_desc(), &map, NULL);
    for (i = 0; rc == 0 && i < map.n; i++)
        rc = vrpc_exec_config_set(c, map.v[i].key, map.v[i].val);
    v23_arena_fini(&a);
    return rc;
}

/* ---- parent to child ----------------------------------------------------- */

#define LENGTH 8u

static void put_length(struct v23_buf *out, uint64_t n)
{
    int shift;

    for (shift = 56; shift >= 0; shift -= 8)
        v23_buf_put_byte(out, (uint8_t)(n >> shift));
}

int vrpc_exec_hello(const struct vrpc_exec_config *c, struct v23_bytes secret,
    struct v23_buf *out)
{
    struct v23_buf config;
    int rc;

    v23_buf_init(&config, c->al, VRPC_EXEC_MAX);
    rc = vrpc_exec_config_encode(c, &config);
    if (rc == 0) {
        put_length(out, config.n);
        v23_buf_put(out, config.p, config.n);
        put_length(out, secret.n);
        v23_buf_put(out, secret.p, secret.n);
        rc = out->err;
    }
    v23_buf_fini(&config);
    return rc;
}

/* One string at *at; moves *at behind it. */
static int take(const uint8_t *p, size_t n, size_t *at, struct v23_bytes *out,
    size_t *want)
{
    uint64_t len = 0;
    size_t i;

    *want = *at + LENGTH;
    if (n < *want)
        return V23_EAGAIN;
    for (i = 0; i < LENGTH; i++)
        len = len << 8 | p[*at + i];
    if (len > VRPC_EXEC_MAX)
        return V23_ELIMIT;
    *want += (size_t)len;
    if (n < *want)
        return V23_EAGAIN;
    *out = v23_bytes(p + *at + LENGTH, (size_t)len);
    *at = *want;
    return 0;
}

int vrpc_exec_hello_parse(const uint8_t *p, size_t n,
    struct v23_bytes *config, struct v23_bytes *secret, size_t *want)
{
    size_t at = 0;
    int rc = take(p, n, &at, config, want);

    return rc == 0 ? take(p, n, &at, secret, want) : rc;
}

/* ---- child to parent ----------------------------------------------------- */

/* Octets that are no text become U+FFFD, so that the terminator is none. */
static void put_utf8(struct v23_buf *out, const char *s, size_t most)
{
    size_t left = strlen(s), n;

    for (; left != 0; s += n, left -= n) {
        n = v23_utf8_next(s, left, NULL);
        if (out->n + (n == 0 ? 3 : n) > most)
            break;
        if (n != 0)
            v23_buf_put(out, s, n);
        else
            v23_buf_puts(out, "\xef\xbf\xbd");
        n += n == 0;
    }
}

void vrpc_exec_status(int64_t pid, const char *failed, struct v23_buf *out)
{
    if (failed == NULL) {
        v23_buf_printf(out, READY "%lld", (long long)pid);
    } else {
        v23_buf_puts(out, FAILED);
        put_utf8(out, failed, out->n + VRPC_EXEC_MAX_STATUS - 32);
    }
    v23_buf_put_byte(out, TERMINATOR);
}

static bool after(struct vdl_str *text, const char *prefix)
{
    size_t n = strlen(prefix);

    if (text->n < n || memcmp(text->p, prefix, n) != 0)
        return false;
    *text = vdl_strn(text->p + n, text->n - n);
    return true;
}

static bool process_id(struct vdl_str text, int64_t *out)
{
    int64_t v = 0;
    uint32_t i;

    if (text.n == 0 || text.n > 18)
        return false;
    for (i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        v = 10 * v + (text.p[i] - '0');
    }
    *out = v;
    return true;
}

const struct v23_verror *vrpc_exec_status_parse(struct v23_bytes bytes,
    int64_t *pid, struct v23_arena *a)
{
    struct vdl_str text = vdl_strn((const char *)bytes.p, bytes.n);

    if (text.n != 0 && (uint8_t)text.p[text.n - 1] == TERMINATOR)
        text.n--;
    if (after(&text, FAILED))
        return v23_exec_err_err_failed_status(a, NULL, text);
    if (after(&text, READY) && process_id(text, pid))
        return NULL;
    return v23_exec_err_err_unrecognized_status(a, NULL, text);
}

/* BSD-3-Clause; see LICENSE. */
/*
 * Blessing stores: which blessings are shown to whom (spec 7.2). A change is
 * made in a state that the kind of store hands out, so that a store in files
 * changes only when writing succeeded; every single change is atomic by
 * itself.
 */
#include "store_int.h"

#include <vsec/pattern.h>

/* ---- state --------------------------------------------------------------- */

void vsec_store_state_fini_(const struct v23_alloc *al,
    struct vsec_store_state *st)
{
    size_t i;

    vsec_blessings_unref(st->def);
    for (i = 0; i < st->nentries; i++) {
        v23_put(al, (void *)(uintptr_t)st->entries[i].pattern.p);
        vsec_blessings_unref(st->entries[i].b);
    }
    v23_put(al, st->entries);
    for (i = 0; i < st->ndischarges; i++)
        vsec_discharge_unref(st->discharges[i].d);
    v23_put(al, st->discharges);
    memset(st, 0, sizeof(*st));
}

static size_t place(const struct vsec_store_state *st, struct vdl_str pattern,
    bool *found)
{
    size_t lo = 0, hi = st->nentries, mid;
    int c;

    *found = false;
    while (lo < hi) {
        mid = lo + (hi - lo) / 2;
        c = vdl_str_cmp(st->entries[mid].pattern, pattern);
        if (c == 0) {
            *found = true;
            return mid;
        }
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static void remove_entry(const struct v23_alloc *al,
    struct vsec_store_state *st, size_t i)
{
    v23_put(al, (void *)(uintptr_t)st->entries[i].pattern.p);
    st->nentries--;
    memmove(&st->entries[i], &st->entries[i + 1],
        (st->nentries - i) * sizeof(*st->entries));
}

static int insert_entry(const struct v23_alloc *al,
    struct vsec_store_state *st, size_t i, struct vdl_str pattern,
    struct vsec_blessings *b)
{
    void *v = st->entries;
    char *p;
    int rc = v23_reserve(al, &v, &st->entries_cap, st->nentries + 1,
        VSEC_MAX_ENTRIES, sizeof(*st->entries));

    if (rc != 0)
        return rc;
    st->entries = v;
    p = v23_get(al, (size_t)pattern.n + 1);
    if (p == NULL)
        return V23_ENOMEM;
    memcpy(p, pattern.p, pattern.n);
    memmove(&st->entries[i + 1], &st->entries[i],
        (st->nentries - i) * sizeof(*st->entries));
    st->entries[i].pattern = vdl_strn(p, pattern.n);
    st->entries[i].b = vsec_blessings_ref(b);
    st->nentries++;
    return 0;
}

int vsec_store_put_(const struct v23_alloc *al, struct vsec_store_state *st,
    struct vsec_blessings *b, struct vdl_str pattern,
    struct vsec_blessings **old)
{
    bool found;
    size_t i = place(st, pattern, &found);

    *old = found ? st->entries[i].b : NULL;
    if (b == NULL) {
        if (found)
            remove_entry(al, st, i);
        return 0;
    }
    if (!found)
        return insert_entry(al, st, i, pattern, b);
    st->entries[i].b = vsec_blessings_ref(b);
    return 0;
}

/* ---- objects ------------------------------------------------------------- */

static void destroy(struct v23_ref *ref)
{
    struct vsec_store *s = (struct vsec_store *)(void *)ref;

    s->ops->destroy(s);
}

void vsec_store_init_(struct vsec_store *s, const struct vsec_store_ops *ops,
    struct vsec_engine *e, struct vsec_pubkey *key)
{
    memset(s, 0, sizeof(*s));
    s->ref.n = 1;
    s->ref.destroy = destroy;
    s->ops = ops;
    s->engine = vsec_engine_ref(e);
    s->key = vsec_pubkey_ref(key);
}

void vsec_store_fini_(struct vsec_store *s)
{
    vsec_store_state_fini_(s->engine->al, &s->state);
    vsec_pubkey_unref(s->key);
    vsec_engine_unref(s->engine);
}

static int begin(struct vsec_store *s, struct vsec_store_state **st)
{
    *st = &s->state;
    return 0;
}

static int end(struct vsec_store *s, struct vsec_store_state *st, int rc)
{
    (void)s;
    (void)st;
    return rc;
}

static void destroy_memory(struct vsec_store *s)
{
    struct vsec_engine *e = vsec_engine_ref(s->engine);

    vsec_store_fini_(s);
    v23_put(e->al, s);
    vsec_engine_unref(e);
}

static const struct vsec_store_ops memory_ops = { begin, end,
    destroy_memory, NULL };

int vsec_store_new(struct vsec_engine *e, struct vsec_pubkey *key,
    struct vsec_store **out)
{
    struct vsec_store *s = v23_new(e->al, struct vsec_store);

    if (s == NULL)
        return V23_ENOMEM;
    vsec_store_init_(s, &memory_ops, e, key);
    *out = s;
    return 0;
}

struct vsec_store *vsec_store_ref(struct vsec_store *s)
{
    if (s != NULL)
        v23_ref(&s->ref);
    return s;
}

void vsec_store_unref(struct vsec_store *s)
{
    if (s != NULL)
        v23_unref(&s->ref);
}

/* ---- changes ------------------------------------------------------------- */

static int check_key(const struct vsec_store *s,
    const struct vsec_blessings *b)
{
    return b == NULL || vsec_pubkey_eq(b->key, s->key) ? 0 : V23_EKEYMISMATCH;
}

int vsec_store_set(struct vsec_store *s, struct vsec_blessings *b,
    struct vdl_str pattern, struct vsec_blessings **old)
{
    struct vsec_blessings *previous = NULL;
    struct vsec_store_state *st;
    int rc;

    if (s->readonly)
        return V23_ENOSYS;
    if (!vsec_pattern_valid(pattern))
        return V23_EPATTERN;
    rc = check_key(s, b);
    if (rc != 0)
        return rc;
    if (s->ops->remote != NULL)
        return s->ops->remote->set(s, b, pattern, old);
    rc = s->ops->begin(s, &st);
    if (rc != 0)
        return rc;
    rc = vsec_store_put_(s->engine->al, st, b, pattern, &previous);
    rc = s->ops->end(s, st, rc);
    if (rc == 0 && old != NULL)
        *old = previous;
    else
        vsec_blessings_unref(previous);
    return rc;
}

int vsec_store_set_default(struct vsec_store *s, struct vsec_blessings *b)
{
    struct vsec_store_state *st;
    int rc;

    if (s->readonly)
        return V23_ENOSYS;
    rc = check_key(s, b);
    if (rc != 0)
        return rc;
    if (s->ops->remote != NULL)
        return s->ops->remote->set_default(s, b);
    rc = s->ops->begin(s, &st);
    if (rc != 0)
        return rc;
    vsec_blessings_ref(b);
    vsec_blessings_unref(st->def);
    st->def = b;
    rc = s->ops->end(s, st, 0);
    if (rc == 0)
        vsec_store_changed_(s);
    return rc;
}

void vsec_store_watch(struct vsec_store *s, struct vsec_store_watch *w)
{
    w->next = s->watches;
    s->watches = w;
}

void vsec_store_unwatch(struct vsec_store *s, struct vsec_store_watch *w)
{
    struct vsec_store_watch **p;

    for (p = &s->watches; *p != NULL; p = &(*p)->next)
        if (*p == w) {
            *p = w->next;
            return;
        }
}

void vsec_store_changed_(struct vsec_store *s)
{
    struct vsec_store_watch *w, *next;

    vsec_store_ref(s);
    for (w = s->watches; w != NULL; w = next) {
        next = w->next;
        w->changed(w->ud, s);
    }
    vsec_store_unref(s);
}

/* ---- look-up ------------------------------------------------------------- */

int vsec_store_for_peer(struct vsec_store *s, vdl_str_list names,
    struct vsec_blessings **out)
{
    struct vsec_blessings *pair[2] = { NULL, NULL }, *sum;
    size_t i;
    int rc;

    for (i = 0; i < s->state.nentries; i++) {
        if (!vsec_pattern_matched(s->state.entries[i].pattern, names))
            continue;
        pair[1] = s->state.entries[i].b;
        rc = vsec_blessings_union(pair, 2, &sum);
        if (rc == V23_EKEYMISMATCH || rc == V23_ELIMIT) {
            v23_logf(s->log, V23_LOG_WARN,
                "blessings for %.*s left out: %s",
                (int)s->state.entries[i].pattern.n,
                s->state.entries[i].pattern.p, v23_strerror(rc));
            continue;
        }
        vsec_blessings_unref(pair[0]);
        pair[0] = NULL;
        if (rc != 0)
            return rc;
        pair[0] = sum;
    }
    *out = pair[0];
    return 0;
}

struct vsec_blessings *vsec_store_default(const struct vsec_store *s)
{
    return s->state.def;
}

const struct vsec_store_entry *vsec_store_peers(const struct vsec_store *s,
    size_t *n)
{
    *n = s->state.nentries;
    return s->state.entries;
}

struct vsec_pubkey *vsec_store_key(const struct vsec_store *s)
{
    return s->key;
}

/* ---- text ---------------------------------------------------------------- */

/* A column of 30 characters and 3 blanks, then the text. */
static void put_line(struct v23_buf *out, struct vdl_str left,
    struct vdl_str right)
{
    uint32_t i, n = 0;

    v23_buf_put_str(out, left);
    for (i = 0; i < left.n; i++)
        n += ((uint8_t)left.p[i] & 0xC0) != 0x80;
    for (; n < 30; n++)
        v23_buf_put_byte(out, ' ');
    v23_buf_puts(out, "   ");
    v23_buf_put_str(out, right);
    v23_buf_put_byte(out, '\n');
}

int vsec_store_format(const struct vsec_store *s, struct v23_buf *out)
{
    const struct vsec_store_entry *e;
    int pass;
    size_t i;

    put_line(out, vdl_str("Default Blessings"),
        vsec_blessings_text(s->state.def));
    put_line(out, vdl_str("Peer pattern"), vdl_str("Blessings"));
    /* The entry for everyone comes first. */
    for (pass = 0; pass < 2; pass++)
        for (i = 0; i < s->state.nentries; i++) {
            e = &s->state.entries[i];
            if (vdl_str_is(e->pattern, VSEC_ALL_PRINCIPALS) == (pass == 0))
                put_line(out, e->pattern, vsec_blessings_text(e->b));
        }
    return out->err;
}

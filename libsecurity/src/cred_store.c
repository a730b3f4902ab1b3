/* BSD-3-Clause; see LICENSE. */
/*
 * Blessing stores in a credentials directory (spec 12.6, 12.8). A change locks
 * the files, reads them again, changes that state, writes it, and only then
 * becomes visible.
 */
#include "cred_int.h"

#include <v23/vdl/v.io/x/ref/lib/security/security.vdl.h>

struct file_store {
    struct vsec_store base;
    struct vsec_cred_pair_ pair;
    struct vsec_chain_cache *cache;
    struct vsec_store_state next; /* of the change being made */
};

static struct file_store *file_store(struct vsec_store *s)
{
    return (struct file_store *)(void *)s;
}

/* ---- from the wire form -------------------------------------------------- */

typedef v23_security_blessing_pattern_wire_blessings_entry peer_entry;

/* Blessings that must be bound to the owner's key. */
static int own_blessings(struct file_store *f,
    const v23_security_wire_blessings *w, struct vsec_blessings **out)
{
    int rc = vsec_blessings_from_wire(f->base.engine, f->cache, w, out);

    if (rc == 0 && *out != NULL
        && !vsec_pubkey_eq((*out)->key, f->base.key)) {
        vsec_blessings_unref(*out);
        *out = NULL;
        rc = V23_EKEYMISMATCH;
    }
    return rc;
}

static int load_peers(struct file_store *f, const peer_entry *v, uint32_t n,
    struct vsec_store_state *st)
{
    struct vsec_blessings *b, *old;
    uint32_t i;
    int rc = 0;

    for (i = 0; rc == 0 && i < n; i++) {
        rc = own_blessings(f, &v[i].val, &b);
        if (rc != 0)
            break;
        rc = vsec_store_put_(f->base.engine->al, st, b, v[i].key, &old);
        vsec_blessings_unref(old);
        vsec_blessings_unref(b);
    }
    return rc;
}

static int load_discharge(struct file_store *f, struct vsec_store_state *st,
    const v23_lib_security_discharge_cache_key *key,
    const v23_security_wire_discharge *w, v23_time_time cached)
{
    const struct v23_alloc *al = f->base.engine->al;
    struct vsec_discharge *d;
    int rc = vsec_discharge_from_wire(al, w, &d);

    if (rc != 0)
        return rc;
    rc = vsec_store_put_discharge_(al, st, key->v, d,
        vsec_time_from_wire(cached));
    vsec_discharge_unref(d);
    return rc;
}

/* Discharges under keys of another format are of no use. */
static int load_discharges(struct file_store *f,
    const v23_lib_security_blessing_store_state *w,
    struct vsec_store_state *st)
{
    const v23_time_time unknown = { 0, 0 };
    uint32_t i;
    int rc = 0;

    if (w->cache_key_format != 1)
        return 0;
    for (i = 0; rc == 0 && i < w->discharge_cache.n; i++)
        rc = load_discharge(f, st, &w->discharge_cache.v[i].key,
            &w->discharge_cache.v[i].val, unknown);
    for (i = 0; rc == 0 && i < w->discharges.n; i++)
        rc = load_discharge(f, st, &w->discharges.v[i].key,
            &w->discharges.v[i].val.discharge,
            w->discharges.v[i].val.cache_time);
    return rc;
}

static int from_wire(struct file_store *f,
    const v23_lib_security_blessing_store_state *w,
    struct vsec_store_state *st)
{
    int rc = own_blessings(f, &w->default_blessings, &st->def);

    if (rc == 0)
        rc = load_peers(f, w->peer_blessings.v, w->peer_blessings.n, st);
    if (rc == 0)
        rc = load_discharges(f, w, st);
    return rc;
}

/* Read the files into an empty state. The lock is held. */
static int load(struct file_store *f, struct vsec_store_state *st, char *why)
{
    const struct v23_alloc *al = f->base.engine->al;
    v23_lib_security_blessing_store_state w;
    struct v23_arena a;
    int rc;

    memset(st, 0, sizeof(*st));
    v23_arena_init(&a, al, SIZE_MAX);
    rc = vsec_cred_pair_read_(&f->pair,
        &v23_lib_security_blessing_store_state_desc, &a, &w, why);
    if (rc == 0) {
        rc = from_wire(f, &w, st);
        if (rc != 0)
            vsec_cred_pair_why_(&f->pair, rc, why);
    }
    v23_arena_fini(&a);
    if (rc != 0)
        vsec_store_state_fini_(al, st);
    return rc;
}

/* ---- to the wire form ---------------------------------------------------- */

typedef v23_lib_security_discharge_cache_key_cached_discharge_entry
    discharge_entry;

static int fill(const struct vsec_store_state *st, struct v23_arena *a,
    v23_lib_security_blessing_store_state *w)
{
    peer_entry *peers;
    discharge_entry *discharges;
    size_t i;

    memset(w, 0, sizeof(*w));
    peers = v23_arena_get0(a, st->nentries, sizeof(*peers),
        V23_ALIGNOF(peer_entry));
    discharges = v23_arena_get0(a, st->ndischarges, sizeof(*discharges),
        V23_ALIGNOF(discharge_entry));
    if (peers == NULL || discharges == NULL)
        return V23_ENOMEM;
    for (i = 0; i < st->nentries; i++) {
        peers[i].key = st->entries[i].pattern;
        peers[i].val = vsec_blessings_wire(st->entries[i].b);
    }
    for (i = 0; i < st->ndischarges; i++) {
        memcpy(discharges[i].key.v, st->discharges[i].key,
            sizeof(discharges[i].key.v));
        discharges[i].val.discharge = st->discharges[i].d->wire;
        discharges[i].val.cache_time = vsec_time_to_wire(
            st->discharges[i].cached);
    }
    w->default_blessings = vsec_blessings_wire(st->def);
    w->peer_blessings.v = peers;
    w->peer_blessings.n = (uint32_t)st->nentries;
    w->discharges.v = discharges;
    w->discharges.n = (uint32_t)st->ndischarges;
    w->cache_key_format = 1;
    return 0;
}

static int save(struct file_store *f, const struct vsec_store_state *st,
    char *why)
{
    v23_lib_security_blessing_store_state w;
    struct v23_arena a;
    int rc;

    v23_arena_init(&a, f->base.engine->al, SIZE_MAX);
    rc = fill(st, &a, &w);
    if (rc != 0)
        vsec_cred_why_(why, rc, "%s: %s", f->pair.base, v23_strerror(rc));
    else
        rc = vsec_cred_pair_write_(&f->pair,
            &v23_lib_security_blessing_store_state_desc, &w, why);
    v23_arena_fini(&a);
    return rc;
}

/* ---- changes ------------------------------------------------------------- */

/* Make a loaded state the visible one. */
static bool swap(struct file_store *f, struct vsec_store_state *st)
{
    struct vsec_store_state old = f->base.state;
    bool changed = !vsec_blessings_eq(old.def, st->def);

    f->base.state = *st;
    memset(st, 0, sizeof(*st));
    vsec_store_state_fini_(f->base.engine->al, &old);
    return changed;
}

static int begin(struct vsec_store *s, struct vsec_store_state **st)
{
    struct file_store *f = file_store(s);
    char why[VSEC_CRED_WHY];
    int rc = vsec_cred_pair_lock_(&f->pair, true, why);

    if (rc == 0) {
        rc = load(f, &f->next, why);
        if (rc != 0)
            vsec_cred_pair_unlock_(&f->pair);
    }
    if (rc != 0)
        v23_logf(s->log, V23_LOG_ERROR, "%s", why);
    *st = &f->next;
    return rc;
}

static int end(struct vsec_store *s, struct vsec_store_state *st, int rc)
{
    struct file_store *f = file_store(s);
    char why[VSEC_CRED_WHY];

    if (rc == 0) {
        rc = save(f, st, why);
        if (rc != 0)
            v23_logf(s->log, V23_LOG_ERROR, "%s", why);
    }
    vsec_cred_pair_unlock_(&f->pair);
    if (rc == 0)
        (void)swap(f, st);
    else
        vsec_store_state_fini_(s->engine->al, st);
    return rc;
}

static void destroy(struct vsec_store *s)
{
    struct file_store *f = file_store(s);
    struct vsec_engine *e = vsec_engine_ref(s->engine);

    vsec_cred_pair_fini_(&f->pair);
    vsec_chain_cache_free(f->cache);
    vsec_store_fini_(s);
    v23_put(e->al, f);
    vsec_engine_unref(e);
}

static const struct vsec_store_ops file_ops = { begin, end, destroy,
    NULL };

int vsec_cred_store_reload_(struct vsec_store *s, char *why)
{
    struct file_store *f = file_store(s);
    struct vsec_store_state st;
    int rc;

    if (s->ops != &file_ops)
        return 0;
    /* A writer's own loading also makes good what a crash left. */
    rc = vsec_cred_pair_lock_(&f->pair, !s->readonly, why);
    if (rc != 0)
        return rc;
    rc = load(f, &st, why);
    vsec_cred_pair_unlock_(&f->pair);
    if (rc == 0 && s->readonly) {
        /* Discharges got meanwhile are in memory only. */
        rc = vsec_store_keep_discharges_(s->engine->al, &st, &s->state);
        if (rc != 0)
            vsec_store_state_fini_(s->engine->al, &st);
    }
    if (rc == 0 && swap(f, &st))
        vsec_store_changed_(s);
    return rc;
}

int vsec_cred_store_new_(const char *dir, const struct vsec_cred_opts *opt,
    struct vsec_signer *signer, struct vsec_pubkey *key,
    struct vsec_store **out, char *why)
{
    struct file_store *f = v23_new(opt->engine->al, struct file_store);
    int rc;

    if (f == NULL)
        return V23_ENOMEM;
    vsec_store_init_(&f->base, &file_ops, opt->engine, key);
    f->base.log = opt->log;
    f->base.readonly = !opt->writable;
    f->pair.fd = -1;
    rc = vsec_cred_pair_init_(&f->pair, dir, "blessingstore",
        "blessings.lock", signer, key, opt->readonly_fs);
    if (rc == 0)
        rc = vsec_chain_cache_new(opt->engine, 0, &f->cache);
    if (rc == 0)
        rc = vsec_cred_store_reload_(&f->base, why);
    if (rc != 0)
        vsec_store_unref(&f->base);
    else
        *out = &f->base;
    return rc;
}

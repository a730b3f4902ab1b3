/* BSD-3-Clause; see LICENSE. */
/*
 * The discharge cache of a store (spec 8.6), sorted by key. Looking up does not
 * change anything; what has expired goes when the next discharge comes.
 */
#include "store_int.h"

#include "caveat_int.h"

#include <vom/time.h>

/* ---- keys ---------------------------------------------------------------- */

static void sort_strs(struct vdl_str *v, uint32_t n)
{
    struct vdl_str one;
    uint32_t i, j;

    for (i = 1; i < n; i++) {
        one = v[i];
        for (j = i; j > 0 && vdl_str_cmp(one, v[j - 1]) < 0; j--)
            v[j] = v[j - 1];
        v[j] = one;
    }
}

/* Hash of the server patterns, sorted and joined by ','. */
static int hash_servers(const struct vsec_hash_alg *h,
    v23_security_blessing_pattern_list servers, struct v23_arena *a,
    uint8_t *out)
{
    struct vsec_hash hash;
    struct vdl_str *v;
    uint32_t i;

    if (servers.n > VSEC_MAX_ENTRIES)
        return V23_ELIMIT;
    v = v23_arena_get0(a, servers.n, sizeof(*v), V23_ALIGNOF(struct vdl_str));
    if (v == NULL)
        return V23_ENOMEM;
    for (i = 0; i < servers.n; i++)
        v[i] = servers.v[i];
    sort_strs(v, servers.n);
    vsec_hash_init(&hash, h);
    for (i = 0; i < servers.n; i++) {
        if (i > 0)
            vsec_hash_update(&hash, ",", 1);
        vsec_hash_update(&hash, v[i].p, v[i].n);
    }
    return vsec_hash_final(&hash, out);
}

int vsec_discharge_key(struct vsec_engine *e, struct vdl_str id,
    const v23_security_third_party_requirements *wants,
    const v23_security_discharge_impetus *impetus,
    uint8_t key[VSEC_DISCHARGE_KEY])
{
    const struct vsec_hash_alg *h = e->crypto->sha256;
    v23_security_blessing_pattern_list servers = { NULL, 0 };
    struct vdl_str method = { NULL, 0 };
    uint8_t d[3 * VSEC_DISCHARGE_KEY];
    struct v23_arena a;
    int rc;

    if (wants->report_arguments)
        return V23_ENOENT;
    if (wants->report_method)
        method = impetus->method;
    if (wants->report_server)
        servers = impetus->server;
    v23_arena_init(&a, e->al, VSEC_PARAM_BUDGET);
    rc = vsec_hash(h, id.p, id.n, d);
    if (rc == 0)
        rc = vsec_hash(h, method.p, method.n, d + VSEC_DISCHARGE_KEY);
    if (rc == 0)
        rc = hash_servers(h, servers, &a, d + 2 * VSEC_DISCHARGE_KEY);
    if (rc == 0)
        rc = vsec_hash(h, d, sizeof(d), key);
    v23_arena_fini(&a);
    return rc;
}

/* Key for a caveat; V23_ENOENT also when it is not a third-party one. */
static int key_of(struct vsec_engine *e, const v23_security_caveat *caveat,
    const v23_security_discharge_impetus *impetus,
    uint8_t key[VSEC_DISCHARGE_KEY])
{
    v23_security_public_key_third_party_caveat_param p;
    char id[VSEC_CAVEAT_ID];
    struct v23_arena a;
    int rc;

    if (!vsec_caveat_is(caveat, &vsec_kind_third_party))
        return V23_ENOENT;
    v23_arena_init(&a, e->al, VSEC_PARAM_BUDGET);
    rc = vsec_caveat_param(caveat, &vsec_kind_third_party, &a, &p);
    if (rc == 0)
        rc = vsec_third_party_id(e, &p, id);
    else if (rc != V23_ENOMEM)
        rc = V23_ENOENT;
    if (rc == 0)
        rc = vsec_discharge_key(e, vdl_str(id), &p.discharger_requirements,
            impetus, key);
    v23_arena_fini(&a);
    return rc;
}

/* ---- state --------------------------------------------------------------- */

static size_t place(const struct vsec_store_state *st,
    const uint8_t key[VSEC_DISCHARGE_KEY], bool *found)
{
    size_t lo = 0, hi = st->ndischarges, mid;
    int c;

    *found = false;
    while (lo < hi) {
        mid = lo + (hi - lo) / 2;
        c = memcmp(st->discharges[mid].key, key, VSEC_DISCHARGE_KEY);
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

static void remove_at(struct vsec_store_state *st, size_t i)
{
    vsec_discharge_unref(st->discharges[i].d);
    st->ndischarges--;
    memmove(&st->discharges[i], &st->discharges[i + 1],
        (st->ndischarges - i) * sizeof(*st->discharges));
}

static void remove_oldest(struct vsec_store_state *st)
{
    size_t i, oldest = 0;

    for (i = 1; i < st->ndischarges; i++)
        if (v23_walltime_cmp(st->discharges[i].cached,
                st->discharges[oldest].cached) < 0)
            oldest = i;
    remove_at(st, oldest);
}

int vsec_store_put_discharge_(const struct v23_alloc *al,
    struct vsec_store_state *st, const uint8_t key[VSEC_DISCHARGE_KEY],
    struct vsec_discharge *d, struct v23_walltime cached)
{
    void *v = st->discharges;
    bool found;
    size_t i;
    int rc = v23_reserve(al, &v, &st->discharges_cap, st->ndischarges + 1,
        VSEC_MAX_DISCHARGES + 1, sizeof(*st->discharges));

    if (rc != 0)
        return rc;
    st->discharges = v;
    vsec_discharge_ref(d);
    i = place(st, key, &found);
    if (found) {
        vsec_discharge_unref(st->discharges[i].d);
    } else {
        if (st->ndischarges == VSEC_MAX_DISCHARGES) {
            remove_oldest(st);
            i = place(st, key, &found);
        }
        memmove(&st->discharges[i + 1], &st->discharges[i],
            (st->ndischarges - i) * sizeof(*st->discharges));
        st->ndischarges++;
    }
    memcpy(st->discharges[i].key, key, VSEC_DISCHARGE_KEY);
    st->discharges[i].d = d;
    st->discharges[i].cached = cached;
    return 0;
}

static bool expired(const struct vsec_discharge *d, struct v23_walltime now)
{
    return d->expires && v23_walltime_cmp(d->expiry, now) <= 0;
}

void vsec_store_expire_(struct vsec_store_state *st, struct v23_walltime now)
{
    size_t i;

    for (i = st->ndischarges; i-- > 0;)
        if (expired(st->discharges[i].d, now))
            remove_at(st, i);
}

/* ---- operations ---------------------------------------------------------- */

/*
 * Discharges are no secret of the owner and worth nothing for long: a store
 * that may not change its files keeps them in memory.
 */
static int begin(struct vsec_store *s, struct vsec_store_state **st)
{
    if (!s->readonly)
        return s->ops->begin(s, st);
    *st = &s->state;
    return 0;
}

static int end(struct vsec_store *s, struct vsec_store_state *st, int rc)
{
    return s->readonly ? rc : s->ops->end(s, st, rc);
}

int vsec_store_keep_discharges_(const struct v23_alloc *al,
    struct vsec_store_state *st, const struct vsec_store_state *from)
{
    const struct vsec_store_discharge *d;
    bool found;
    size_t i, at;
    int rc = 0;

    for (i = 0; i < from->ndischarges && rc == 0; i++) {
        d = &from->discharges[i];
        at = place(st, d->key, &found);
        if (!found ||
            v23_walltime_cmp(st->discharges[at].cached, d->cached) < 0)
            rc = vsec_store_put_discharge_(al, st, d->key, d->d, d->cached);
    }
    return rc;
}

int vsec_store_cache_discharge(struct vsec_store *s, struct vsec_discharge *d,
    const v23_security_caveat *caveat,
    const v23_security_discharge_impetus *impetus, struct v23_walltime now)
{
    uint8_t key[VSEC_DISCHARGE_KEY];
    struct vsec_store_state *st;
    int rc;

    if (vsec_discharge_id(d).n == 0)
        return 0;
    if (s->ops->remote != NULL)
        return s->ops->remote->cache_discharge(s, d, caveat, impetus);
    rc = key_of(s->engine, caveat, impetus, key);
    if (rc != 0)
        return rc == V23_ENOENT ? 0 : rc;
    rc = begin(s, &st);
    if (rc != 0)
        return rc;
    vsec_store_expire_(st, now);
    rc = vsec_store_put_discharge_(s->engine->al, st, key, d, now);
    return end(s, st, rc);
}

int vsec_store_clear_discharges(struct vsec_store *s,
    struct vsec_discharge *const *v, size_t n)
{
    struct vsec_store_state *st;
    size_t i, j;
    int rc;

    if (s->ops->remote != NULL)
        return s->ops->remote->clear_discharges(s, v, n);
    rc = begin(s, &st);
    if (rc != 0)
        return rc;
    for (i = st->ndischarges; i-- > 0;)
        for (j = 0; j < n; j++)
            if (vsec_discharge_eq(st->discharges[i].d, v[j])) {
                remove_at(st, i);
                break;
            }
    return end(s, st, 0);
}

int vsec_store_discharge(struct vsec_store *s,
    const v23_security_caveat *caveat,
    const v23_security_discharge_impetus *impetus, struct v23_walltime now,
    struct vsec_discharge **d, struct v23_walltime *cached)
{
    uint8_t key[VSEC_DISCHARGE_KEY];
    bool found;
    size_t i;
    int rc;

    *d = NULL;
    if (s->ops->remote != NULL) {
        rc = s->ops->remote->discharge(s, caveat, impetus, d, cached);
        if (rc == 0 && *d != NULL && expired(*d, now)) {
            vsec_discharge_unref(*d);
            *d = NULL;
        }
        return rc;
    }
    rc = key_of(s->engine, caveat, impetus, key);
    if (rc != 0)
        return rc == V23_ENOENT ? 0 : rc;
    i = place(&s->state, key, &found);
    if (!found || expired(s->state.discharges[i].d, now))
        return 0;
    *d = vsec_discharge_ref(s->state.discharges[i].d);
    if (cached != NULL)
        *cached = s->state.discharges[i].cached;
    return 0;
}

int vsec_store_discharge_start(struct vsec_store *s,
    const struct vsec_look_up *what, const struct vsec_look_up_wait *wait,
    struct vsec_discharge **d, struct v23_walltime *cached)
{
    *d = NULL;
    if (s->ops->remote != NULL)
        return s->ops->remote->discharge_start(s, what, wait);
    return vsec_store_discharge(s, what->caveat, what->impetus, what->now, d,
        cached);
}

void vsec_store_discharge_cancel(struct vsec_store *s, void *ud)
{
    if (s->ops->remote != NULL)
        s->ops->remote->discharge_cancel(s, ud);
}

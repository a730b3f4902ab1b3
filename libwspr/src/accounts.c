/* BSD-3-Clause; see LICENSE. */
/*
 * Accounts and origins. A state is never changed: a new one is made in an arena
 * of its own, saved, and then takes the place of the old one, so that a change
 * that cannot be saved has not happened.
 */
#include "accounts_int.h"

#include <stdarg.h>
#include <stdio.h>

#include <vom/dec.h>
#include <vom/enc.h>

typedef v23_wspr_principal_persistent_state state_value;
typedef vdl_str_v23_wspr_principal_permissions_entry origin_entry;
typedef vdl_str_v23_security_wire_blessings_entry account_entry;

enum { STATE_MAX = 64 << 20 };

struct state {
    struct v23_arena a;
    state_value v;              /* both maps sorted by name */
    struct vsec_blessings **b;  /* references; of the accounts, in order */
    struct vdl_str *names;      /* of the accounts */
};

struct wspr_principals {
    const struct v23_alloc *al;
    struct vsec_principal *root;
    struct wspr_state_io io; /* load NULL: the state is not kept */
    struct state *state;
    bool has_dummy;
};

int wspr_why_(char *why, int rc, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, WSPR_WHY, fmt, ap);
    va_end(ap);
    return rc;
}

/* ---- states -------------------------------------------------------------- */

static struct state *state_new(const struct v23_alloc *al)
{
    struct state *s = v23_new(al, struct state);

    if (s != NULL)
        v23_arena_init(&s->a, al, STATE_MAX);
    return s;
}

static void state_free(const struct v23_alloc *al, struct state *s)
{
    uint32_t i;

    if (s == NULL)
        return;
    if (s->b != NULL)
        for (i = 0; i < s->v.accounts.n; i++)
            vsec_blessings_unref(s->b[i]);
    v23_arena_fini(&s->a);
    v23_put(al, s);
}

/* Index of a name in a sorted map, or where it would be. */
static uint32_t find(const void *map, size_t stride, uint32_t n,
    struct vdl_str name, bool *found)
{
    uint32_t lo = 0, hi = n, mid;
    const struct vdl_str *key;
    int cmp;

    *found = false;
    while (lo < hi) {
        mid = lo + (hi - lo) / 2;
        key = (const void *)((const char *)map + mid * stride);
        cmp = vdl_str_cmp(*key, name);
        if (cmp == 0)
            *found = true;
        if (cmp >= 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

static uint32_t find_account(
    const struct state *s, struct vdl_str name, bool *found)
{
    return find(s->v.accounts.v, sizeof(account_entry), s->v.accounts.n, name,
        found);
}

static const v23_wspr_principal_permissions *find_origin(
    const struct state *s, struct vdl_str origin)
{
    bool found;
    uint32_t i = find(
        s->v.origins.v, sizeof(origin_entry), s->v.origins.n, origin, &found);

    return found ? &s->v.origins.v[i].val : NULL;
}

/* Room for one more entry at index i, in a copy of a map's. */
static void *widened(struct v23_arena *a, const void *v, uint32_t n,
    size_t stride, uint32_t i)
{
    char *out = v23_arena_get0(a, (size_t)n + 1, stride, 16);

    if (out == NULL)
        return NULL;
    if (i > 0)
        memcpy(out, v, i * stride);
    if (i < n)
        memcpy(out + (i + 1) * stride, (const char *)v + i * stride,
            (n - i) * stride);
    return out;
}

/* Blessings of the accounts, and their names. */
static int index_accounts(struct state *s)
{
    uint32_t i, n = s->v.accounts.n;

    s->b = v23_arena_get0(&s->a, n, sizeof(*s->b), 16);
    s->names = v23_arena_get0(&s->a, n, sizeof(*s->names), 16);
    if (s->b == NULL || s->names == NULL) {
        s->b = NULL;
        return V23_ENOMEM;
    }
    for (i = 0; i < n; i++)
        s->names[i] = s->v.accounts.v[i].key;
    return 0;
}

/* A copy that can be changed, without the blessings of its accounts. */
static int state_copy(const struct v23_alloc *al, const struct state *old,
    struct state **out)
{
    struct state *s = state_new(al);
    int rc = V23_ENOMEM;

    if (s != NULL)
        rc = vdl_copy(&s->a, &v23_wspr_principal_persistent_state_desc, &s->v,
            &old->v);
    if (rc != 0) {
        state_free(al, s);
        return rc;
    }
    *out = s;
    return 0;
}

/* ---- load and save ------------------------------------------------------- */

static int decode_accounts(
    struct wspr_principals *m, struct state *s, char *why)
{
    uint32_t i;
    int rc = index_accounts(s);

    for (i = 0; rc == 0 && i < s->v.accounts.n; i++) {
        rc = vsec_blessings_from_wire(m->root->engine, NULL,
            &s->v.accounts.v[i].val, &s->b[i]);
        if (rc == 0 && s->b[i] == NULL)
            rc = V23_ECERT;
        if (rc != 0)
            return wspr_why_(why, rc, "account %.*s: %s",
                wspr_shown_(s->names[i]), s->names[i].p, v23_strerror(rc));
    }
    return rc;
}

static int decode(struct wspr_principals *m, struct v23_bytes data,
    struct state *s, char *why)
{
    const struct vdl_type *t = &v23_wspr_principal_persistent_state_desc;
    int rc = vom_decode_single(data.p, data.n, NULL, &s->a, t, &s->v, NULL);

    if (rc == 0 &&
        (s->v.accounts.n > WSPR_ACCOUNTS_MAX ||
            s->v.origins.n > WSPR_ORIGINS_MAX))
        rc = V23_ELIMIT;
    if (rc == 0)
        rc = vdl_sort(&s->a, t->fields[0].type, &s->v.origins);
    if (rc == 0)
        rc = vdl_sort(&s->a, t->fields[1].type, &s->v.accounts);
    if (rc != 0) {
        s->v.accounts.n = 0;
        return wspr_why_(why, rc, "accounts: %s", v23_strerror(rc));
    }
    return decode_accounts(m, s, why);
}

static int load(struct wspr_principals *m, char *why)
{
    struct v23_buf data;
    int rc = V23_ENOENT;

    m->state = state_new(m->al);
    if (m->state == NULL)
        return V23_ENOMEM;
    if (m->io.load == NULL)
        return index_accounts(m->state);
    v23_buf_init(&data, m->al, STATE_MAX);
    rc = m->io.load(m->io.ud, &data, why);
    if (rc == V23_ENOENT)
        rc = index_accounts(m->state);
    else if (rc == 0)
        rc = decode(m, v23_bytes(data.p, data.n), m->state, why);
    v23_buf_fini(&data);
    return rc;
}

/* Save a new state and put it into the place of the old one; it is freed if
 * that fails. */
static int replace(struct wspr_principals *m, struct state *s, char *why)
{
    struct v23_buf data;
    int rc = 0;

    if (m->io.save != NULL) {
        v23_buf_init(&data, m->al, STATE_MAX);
        rc = vom_encode_single(m->al,
            &v23_wspr_principal_persistent_state_desc, &s->v, &data);
        if (rc == 0)
            rc = m->io.save(m->io.ud, v23_bytes(data.p, data.n), why);
        v23_buf_fini(&data);
    }
    if (rc != 0) {
        state_free(m->al, s);
        return rc;
    }
    state_free(m->al, m->state);
    m->state = s;
    return 0;
}

/* Every failure has a reason. */
static int reason(int rc, char *why)
{
    if (rc != 0 && why[0] == 0)
        wspr_why_(why, rc, "%s", v23_strerror(rc));
    return rc;
}

int wspr_principals_new(struct vsec_principal *root,
    const struct wspr_state_io *io, struct wspr_principals **out,
    char why[WSPR_WHY])
{
    struct wspr_principals *m = v23_new(root->engine->al,
        struct wspr_principals);
    int rc;

    why[0] = 0;
    if (m == NULL)
        return reason(V23_ENOMEM, why);
    m->al = root->engine->al;
    m->root = vsec_principal_ref(root);
    if (io != NULL)
        m->io = *io;
    rc = load(m, why);
    if (rc != 0)
        wspr_principals_free(m);
    else
        *out = m;
    return reason(rc, why);
}

void wspr_principals_free(struct wspr_principals *m)
{
    const struct v23_alloc *al;

    if (m == NULL)
        return;
    al = m->al;
    state_free(al, m->state);
    vsec_principal_unref(m->root);
    v23_put(al, m);
}

struct vsec_principal *wspr_principals_root(const struct wspr_principals *m)
{
    return m->root;
}

/* ---- accounts ------------------------------------------------------------ */

/* The accounts of `old` and one more, or one with other blessings. */
static int put_account(const struct state *old, struct state *s,
    struct vdl_str name, struct vsec_blessings *b)
{
    bool found;
    uint32_t i = find_account(s, name, &found), k, n = s->v.accounts.n;
    v23_security_wire_blessings wire = vsec_blessings_wire(b);
    account_entry *v;
    int rc;

    if (!found && n == WSPR_ACCOUNTS_MAX)
        return V23_ELIMIT;
    v = widened(&s->a, s->v.accounts.v, n, sizeof(*v), i);
    if (v == NULL)
        return V23_ENOMEM;
    if (found) /* over the old one */
        memmove(v + i + 1, v + i + 2, (n - i - 1) * sizeof(*v));
    v[i].key.p = v23_arena_dup(&s->a, name.p, name.n);
    v[i].key.n = name.n;
    if (v[i].key.p == NULL)
        return V23_ENOMEM;
    rc = v23_security_wire_blessings_copy(&s->a, &v[i].val, &wire);
    if (rc != 0)
        return rc;
    s->v.accounts.v = v;
    s->v.accounts.n = n + !found;
    rc = index_accounts(s);
    for (k = 0; rc == 0 && k < s->v.accounts.n; k++)
        s->b[k] = vsec_blessings_ref(
            k == i ? b : old->b[k > i && !found ? k - 1 : k]);
    return rc;
}

int wspr_principals_add_account(struct wspr_principals *m,
    struct vdl_str name, struct vsec_blessings *b, char why[WSPR_WHY])
{
    struct state *s;
    int rc;

    why[0] = 0;
    if (name.n == 0 || b == NULL || vsec_blessings_is_nameless(b))
        return reason(V23_EARG, why);
    if (!vsec_pubkey_eq(vsec_blessings_key(b), m->root->key))
        return wspr_why_(why, V23_EKEYMISMATCH,
            "the blessings are for another key than the proxy's");
    rc = state_copy(m->al, m->state, &s);
    if (rc != 0)
        return reason(rc, why);
    rc = put_account(m->state, s, name, b);
    if (rc != 0)
        state_free(m->al, s);
    else
        rc = replace(m, s, why);
    return reason(rc, why);
}

vdl_str_list wspr_principals_accounts(const struct wspr_principals *m)
{
    vdl_str_list l;

    l.v = m->state->names;
    l.n = m->state->v.accounts.n;
    return l;
}

struct vsec_blessings *wspr_principals_blessings(
    const struct wspr_principals *m, struct vdl_str account)
{
    bool found;
    uint32_t i = find_account(m->state, account, &found);

    return found ? m->state->b[i] : NULL;
}

int wspr_principals_dummy(
    struct wspr_principals *m, struct vdl_str *name, char why[WSPR_WHY])
{
    static const struct vdl_str dummy =
        VDL_STR_INIT("unauthenticated-dummy-account");
    const v23_security_caveat_list none = {NULL, 0};
    struct vsec_blessings *b;
    int rc = 0;

    why[0] = 0;
    if (!m->has_dummy) {
        rc = vsec_principal_bless_self(m->root, dummy, none, &b);
        if (rc == 0) {
            rc = wspr_principals_add_account(m, dummy, b, why);
            vsec_blessings_unref(b);
        }
    }
    if (rc == 0) {
        m->has_dummy = true;
        *name = dummy;
    }
    return reason(rc, why);
}

/* ---- origins ------------------------------------------------------------- */

static int put_origin(struct state *s, struct vdl_str origin,
    const v23_wspr_principal_permissions *p)
{
    uint32_t n = s->v.origins.n, i;
    origin_entry *v;
    bool found;

    i = find(s->v.origins.v, sizeof(*v), n, origin, &found);
    if (!found && n == WSPR_ORIGINS_MAX)
        return V23_ELIMIT;
    v = widened(&s->a, s->v.origins.v, n, sizeof(*v), i);
    if (v == NULL)
        return V23_ENOMEM;
    if (found)
        memmove(v + i + 1, v + i + 2, (n - i - 1) * sizeof(*v));
    v[i].key.p = v23_arena_dup(&s->a, origin.p, origin.n);
    v[i].key.n = origin.n;
    if (v[i].key.p == NULL)
        return V23_ENOMEM;
    s->v.origins.v = v;
    s->v.origins.n = n + !found;
    return v23_wspr_principal_permissions_copy(&s->a, &v[i].val, p);
}

int wspr_principals_add_origin(struct wspr_principals *m,
    struct vdl_str origin, const v23_wspr_principal_permissions *p,
    char why[WSPR_WHY])
{
    struct state *s;
    uint32_t i;
    int rc;

    why[0] = 0;
    if (origin.n == 0)
        return reason(V23_EARG, why);
    if (wspr_principals_blessings(m, p->account) == NULL)
        return wspr_why_(why, V23_ENOENT, "unknown account: %.*s",
            wspr_shown_(p->account), p->account.p);
    rc = state_copy(m->al, m->state, &s);
    if (rc != 0)
        return reason(rc, why);
    rc = put_origin(s, origin, p);
    if (rc == 0)
        rc = index_accounts(s);
    if (rc != 0) {
        state_free(m->al, s);
        return reason(rc, why);
    }
    for (i = 0; i < s->v.accounts.n; i++)
        s->b[i] = vsec_blessings_ref(m->state->b[i]);
    return reason(replace(m, s, why), why);
}

bool wspr_principals_has_account(const struct wspr_principals *m,
    struct vdl_str origin, struct v23_walltime now)
{
    const v23_wspr_principal_permissions *p = find_origin(m->state, origin);
    uint32_t i;

    if (p == NULL || wspr_principals_blessings(m, p->account) == NULL)
        return false;
    for (i = 0; i < p->expirations.n; i++)
        if (p->expirations.v[i] <= now.sec)
            return false;
    return true;
}

void wspr_query_escape(struct v23_buf *out, struct vdl_str s)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
    uint32_t i;

    for (i = 0; i < s.n; i++)
        if (memchr(plain, s.p[i], sizeof(plain) - 1) != NULL)
            v23_buf_put_byte(out, (uint8_t)s.p[i]);
        else if (s.p[i] == ' ')
            v23_buf_put_byte(out, '+');
        else
            v23_buf_printf(out, "%%%02X", (unsigned)(uint8_t)s.p[i]);
}

/* The account's blessing has come, or not. */
static void blessed(void *ud, int rc, struct vsec_blessings *b,
    struct vsec_discharge *d)
{
    struct wspr_making *k = ud;
    struct vsec_principal *p = k->p;

    (void)d;
    k->p = NULL;
    k->issue = NULL;
    if (rc == 0)
        rc = vsec_principal_set_default_blessings(p, b);
    k->done(k->ud, rc, rc == 0 ? p : NULL, rc == 0 ? "" : v23_strerror(rc));
    vsec_principal_unref(p);
}

static int sign(struct wspr_principals *m, const struct vsec_bless *what,
    struct wspr_making *k, struct vsec_blessings **out)
{
    struct vsec_issue_wait wait;

    if (k == NULL)
        return vsec_principal_bless(m->root, what, out);
    wait.done = blessed;
    wait.ud = k;
    return vsec_principal_bless_start(m->root, what, &wait, out, &k->issue);
}

/* Bless a new principal as `origin` of the account. */
static int bless(struct wspr_principals *m, struct vsec_principal *p,
    struct vdl_str origin, const v23_wspr_principal_permissions *perm,
    struct wspr_making *k)
{
    v23_security_caveat none = vsec_caveat_unconstrained();
    struct vsec_blessings *b = NULL;
    struct vsec_bless what;
    struct v23_buf name;
    int rc;

    v23_buf_init(&name, m->al, 1u << 20);
    wspr_query_escape(&name, origin);
    rc = name.err;
    if (rc == 0) {
        memset(&what, 0, sizeof(what));
        what.key = p->key;
        what.with = wspr_principals_blessings(m, perm->account);
        what.extension = vdl_strn((const char *)name.p, name.n);
        what.caveats = perm->caveats;
        if (what.caveats.n == 0) {
            what.caveats.v = &none;
            what.caveats.n = 1;
        }
        rc = sign(m, &what, k, &b);
    }
    if (rc == 0)
        rc = vsec_principal_set_default_blessings(p, b);
    vsec_blessings_unref(b);
    v23_buf_fini(&name);
    return rc;
}

int wspr_principals_make(struct wspr_principals *m, struct vdl_str origin,
    struct wspr_making *k, struct vsec_principal **out, char why[WSPR_WHY])
{
    const v23_wspr_principal_permissions *perm =
        find_origin(m->state, origin);
    struct vsec_principal *p = NULL;
    int rc;

    why[0] = 0;
    if (perm == NULL)
        return wspr_why_(why, V23_ENOENT, "unknown origin: %.*s",
            wspr_shown_(origin), origin.p);
    if (wspr_principals_blessings(m, perm->account) == NULL)
        return wspr_why_(why, V23_ESTATE, "unknown account: %.*s",
            wspr_shown_(perm->account), perm->account.p);
    rc = vsec_principal_generate(m->root->engine, "ecdsa256", &p);
    if (rc == 0)
        rc = bless(m, p, origin, perm, k);
    if (rc == 0)
        *out = p;
    else if (rc == V23_EAGAIN && k != NULL)
        k->p = p;
    else
        vsec_principal_unref(p);
    return reason(rc, why);
}

void wspr_principals_make_cancel(struct wspr_making *k)
{
    if (k->issue != NULL)
        vsec_issue_cancel(k->issue);
    vsec_principal_unref(k->p);
    k->issue = NULL;
    k->p = NULL;
}

/* ---- files --------------------------------------------------------------- */

static int load_files(void *ud, struct v23_buf *out, char why[WSPR_WHY])
{
    return vsec_signed_files_read(ud, out, why);
}

static int save_files(void *ud, struct v23_bytes data, char why[WSPR_WHY])
{
    return vsec_signed_files_write(ud, data, why);
}

struct wspr_state_io wspr_state_files(const struct vsec_signed_files *f)
{
    struct wspr_state_io io;

    io.load = load_files;
    io.save = save_files;
    io.ud = (void *)(uintptr_t)f;
    return io;
}

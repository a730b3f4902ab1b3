/* BSD-3-Clause; see LICENSE. */
/*
 * Roots: which keys are authorities on which names (spec 7.3). Sorted by key.
 */
#include "store_int.h"

#include <stdlib.h>

#include <vsec/pattern.h>

#include "check_int.h"

/* ---- state --------------------------------------------------------------- */

static int key_cmp(struct vdl_bytes a, struct vdl_bytes b)
{
    return vdl_str_cmp(vdl_strn((const char *)a.p, a.n),
        vdl_strn((const char *)b.p, b.n));
}

static void root_fini(const struct v23_alloc *al, struct vsec_root *r)
{
    size_t i;

    for (i = 0; i < r->npatterns; i++)
        v23_put(al, (void *)(uintptr_t)r->patterns[i].p);
    v23_put(al, r->patterns);
    v23_put(al, (void *)(uintptr_t)r->key.p);
}

void vsec_roots_state_fini_(const struct v23_alloc *al,
    struct vsec_roots_state *st)
{
    size_t i;

    for (i = 0; i < st->n; i++)
        root_fini(al, &st->v[i]);
    v23_put(al, st->v);
    memset(st, 0, sizeof(*st));
}

/* Place of a key: where it is (*found) or belongs. */
static size_t place(const struct vsec_roots_state *st, struct vdl_bytes key,
    bool *found)
{
    size_t lo = 0, hi = st->n, mid;
    int c;

    *found = false;
    while (lo < hi) {
        mid = lo + (hi - lo) / 2;
        c = key_cmp(st->v[mid].key, key);
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

static void *dup(const struct v23_alloc *al, const void *p, size_t n)
{
    void *copy = v23_get(al, n + 1);

    if (copy != NULL && n > 0)
        memcpy(copy, p, n);
    return copy;
}

static int add_pattern(const struct v23_alloc *al, struct vsec_root *r,
    struct vdl_str pattern)
{
    void *v = r->patterns;
    size_t i;
    char *p;
    int rc;

    for (i = 0; i < r->npatterns; i++)
        if (vdl_str_eq(r->patterns[i], pattern))
            return 0;
    rc = v23_reserve(al, &v, &r->patterns_cap, r->npatterns + 1,
        VSEC_MAX_ROOTS, sizeof(*r->patterns));
    if (rc != 0)
        return rc;
    r->patterns = v;
    p = dup(al, pattern.p, pattern.n);
    if (p == NULL)
        return V23_ENOMEM;
    r->patterns[r->npatterns++] = vdl_strn(p, pattern.n);
    return 0;
}

int vsec_roots_put_(const struct v23_alloc *al, struct vsec_roots_state *st,
    struct vdl_bytes key, struct vdl_str pattern)
{
    struct vsec_root one;
    bool found;
    size_t i = place(st, key, &found);
    void *v = st->v;
    uint8_t *der;
    int rc;

    if (found)
        return add_pattern(al, &st->v[i], pattern);
    rc = v23_reserve(al, &v, &st->cap, st->n + 1, VSEC_MAX_ROOTS,
        sizeof(*st->v));
    if (rc != 0)
        return rc;
    st->v = v;
    memset(&one, 0, sizeof(one));
    der = dup(al, key.p, key.n);
    if (der == NULL)
        return V23_ENOMEM;
    one.key = vdl_bytes(der, key.n);
    rc = add_pattern(al, &one, pattern);
    if (rc != 0) {
        root_fini(al, &one);
        return rc;
    }
    memmove(&st->v[i + 1], &st->v[i], (st->n - i) * sizeof(*st->v));
    st->v[i] = one;
    st->n++;
    return 0;
}

/* ---- objects ------------------------------------------------------------- */

static void destroy(struct v23_ref *ref)
{
    struct vsec_roots *r = (struct vsec_roots *)(void *)ref;

    r->ops->destroy(r);
}

void vsec_roots_init_(struct vsec_roots *r, const struct vsec_roots_ops *ops,
    struct vsec_engine *e)
{
    memset(r, 0, sizeof(*r));
    r->ref.n = 1;
    r->ref.destroy = destroy;
    r->ops = ops;
    r->engine = vsec_engine_ref(e);
}

void vsec_roots_fini_(struct vsec_roots *r)
{
    vsec_roots_use_x509(r, NULL);
    vsec_roots_state_fini_(r->engine->al, &r->state);
    vsec_engine_unref(r->engine);
}

static int begin(struct vsec_roots *r, struct vsec_roots_state **st)
{
    *st = &r->state;
    return 0;
}

static int end(struct vsec_roots *r, struct vsec_roots_state *st, int rc)
{
    (void)r;
    (void)st;
    return rc;
}

static void destroy_memory(struct vsec_roots *r)
{
    struct vsec_engine *e = vsec_engine_ref(r->engine);

    vsec_roots_fini_(r);
    v23_put(e->al, r);
    vsec_engine_unref(e);
}

static const struct vsec_roots_ops memory_ops = { begin, end,
    destroy_memory, NULL };

int vsec_roots_new(struct vsec_engine *e, struct vsec_roots **out)
{
    struct vsec_roots *r = v23_new(e->al, struct vsec_roots);

    if (r == NULL)
        return V23_ENOMEM;
    vsec_roots_init_(r, &memory_ops, e);
    *out = r;
    return 0;
}

struct vsec_roots *vsec_roots_ref(struct vsec_roots *r)
{
    if (r != NULL)
        v23_ref(&r->ref);
    return r;
}

void vsec_roots_unref(struct vsec_roots *r)
{
    if (r != NULL)
        v23_unref(&r->ref);
}

int vsec_roots_add(struct vsec_roots *r, struct vdl_bytes key,
    struct vdl_str pattern)
{
    struct vsec_roots_state *st;
    struct vsec_pubkey *k;
    int rc;

    if (vdl_str_is(pattern, VSEC_ALL_PRINCIPALS))
        return V23_EPATTERN;
    rc = vsec_pubkey_parse(r->engine, key, &k);
    if (rc != 0)
        return rc;
    vsec_pubkey_unref(k);
    if (r->readonly)
        return V23_ENOSYS;
    if (r->ops->add != NULL)
        return r->ops->add(r, key, pattern);
    rc = r->ops->begin(r, &st);
    if (rc != 0)
        return rc;
    rc = vsec_roots_put_(r->engine->al, st, key, pattern);
    return r->ops->end(r, st, rc);
}

int vsec_roots_recognized(const struct vsec_roots *r, struct vdl_bytes key,
    struct vdl_str name)
{
    const struct vsec_root *root;
    bool found;
    size_t i = place(&r->state, key, &found);

    if (!found)
        return V23_EUNTRUSTED;
    root = &r->state.v[i];
    for (i = 0; i < root->npatterns; i++)
        if (vsec_pattern_matches(root->patterns[i], name))
            return 0;
    return V23_EUNTRUSTED;
}

void vsec_roots_use_x509(struct vsec_roots *r, struct vsec_x509 *x)
{
    if (x != NULL)
        v23_ref(&x->ref);
    if (r->x509 != NULL)
        v23_unref(&r->x509->ref);
    r->x509 = x;
}

int vsec_roots_recognized_cert(const struct vsec_roots *r,
    const v23_security_certificate *cert, struct vdl_str name,
    struct v23_walltime now, struct v23_arena *a,
    const struct v23_verror **err)
{
    const char *why = "no root of this key matches the name";
    int rc;

    if (cert->x509_raw.n == 0) {
        rc = vsec_roots_recognized(r, cert->public_key, name);
    } else if (r->x509 == NULL) {
        why = "X.509 certificates are not supported by this program";
        rc = V23_EUNTRUSTED;
    } else {
        rc = r->x509->recognized(r->x509, cert, name, now, &why);
    }
    if (rc == V23_EUNTRUSTED && err != NULL)
        *err = VSEC_ERROR_(v23_security_err_unrecognized_root_static, root,
            r->engine->crypto, cert->public_key, why, a);
    if (rc == V23_ECERT && err != NULL)
        *err = vsec_plain_error_(a, "%s", why);
    return rc == V23_ECERT ? V23_EUNTRUSTED : rc;
}

const struct vsec_root *vsec_roots_all(const struct vsec_roots *r, size_t *n)
{
    *n = r->state.n;
    return r->state.v;
}

/* ---- text ---------------------------------------------------------------- */

struct line {
    struct vdl_str patterns; /* "[a b]" */
    const struct vsec_root *root;
};

static int line_cmp(const void *a, const void *b)
{
    const struct line *x = a, *y = b;
    int c = vdl_str_cmp(x->patterns, y->patterns);

    return c != 0 ? c : key_cmp(x->root->key, y->root->key);
}

static int put_patterns(const struct vsec_root *r, struct v23_buf *b)
{
    size_t i;

    v23_buf_put_byte(b, '[');
    for (i = 0; i < r->npatterns; i++) {
        if (i > 0)
            v23_buf_put_byte(b, ' ');
        v23_buf_put_str(b, r->patterns[i]);
    }
    v23_buf_put_byte(b, ']');
    return b->err;
}

/* Pattern texts of all roots, in the arena. */
static int make_lines(const struct vsec_roots *r, struct v23_arena *a,
    struct line *lines)
{
    struct v23_buf b;
    size_t i;
    char *p;
    int rc = 0;

    v23_buf_init(&b, r->engine->al, VSEC_MAX_BLESSINGS);
    for (i = 0; rc == 0 && i < r->state.n; i++) {
        b.n = 0;
        rc = put_patterns(&r->state.v[i], &b);
        p = rc == 0 ? v23_arena_dup(a, b.p, b.n) : NULL;
        if (rc == 0 && p == NULL)
            rc = V23_ENOMEM;
        lines[i].patterns = vdl_strn(p, b.n);
        lines[i].root = &r->state.v[i];
    }
    v23_buf_fini(&b);
    return rc;
}

int vsec_roots_format(const struct vsec_roots *r, struct v23_buf *out)
{
    char text[VSEC_FINGERPRINT];
    struct v23_arena a;
    struct line *lines;
    size_t i;
    int rc = V23_ENOMEM;

    v23_buf_printf(out, "%-47s   %s\n", "Public key", "Pattern");
    v23_arena_init(&a, r->engine->al, SIZE_MAX);
    lines = v23_arena_get0(&a, r->state.n, sizeof(*lines),
        V23_ALIGNOF(struct line));
    if (lines == NULL)
        goto out;
    rc = make_lines(r, &a, lines);
    if (rc != 0)
        goto out;
    if (r->state.n > 1)
        qsort(lines, r->state.n, sizeof(*lines), line_cmp);
    for (i = 0; i < r->state.n; i++) {
        rc = vsec_fingerprint(r->engine->crypto, lines[i].root->key, text);
        if (rc != 0)
            goto out;
        v23_buf_printf(out, "%-47s   ", text);
        v23_buf_put_str(out, lines[i].patterns);
        v23_buf_put_byte(out, '\n');
    }
    rc = out->err;
out:
    v23_arena_fini(&a);
    return rc;
}

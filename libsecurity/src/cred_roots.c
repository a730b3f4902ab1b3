/* BSD-3-Clause; see LICENSE. */
/* Roots in a credentials directory (spec 12.5); as cred_store.c. */
#include "cred_int.h"

#include <v23/vdl/v.io/x/ref/lib/security/security.vdl.h>
#include <vsec/x509.h>

struct file_roots {
    struct vsec_roots base;
    struct vsec_cred_pair_ pair;
    struct vsec_roots_state next; /* of the change being made */
    const struct v23_log *log;
};

typedef v23_lib_security_blessing_roots_state_entry root_entry;

static struct file_roots *file_roots(struct vsec_roots *r)
{
    return (struct file_roots *)(void *)r;
}

static int from_wire(struct file_roots *f,
    const v23_lib_security_blessing_roots_state *w,
    struct vsec_roots_state *st)
{
    const root_entry *e;
    struct vdl_bytes der;
    uint32_t i, k;
    int rc = 0;

    for (k = 0; rc == 0 && k < w->n; k++) {
        e = &w->v[k];
        /* The key of an entry is DER in a string. */
        der = vdl_bytes((const uint8_t *)e->key.p, e->key.n);
        for (i = 0; rc == 0 && i < e->val.n; i++)
            rc = vsec_roots_put_(f->base.engine->al, st, der, e->val.v[i]);
    }
    return rc;
}

/* Read the files into an empty state. The lock is held. */
static int load(struct file_roots *f, struct vsec_roots_state *st, char *why)
{
    const struct v23_alloc *al = f->base.engine->al;
    v23_lib_security_blessing_roots_state w;
    struct v23_arena a;
    int rc;

    memset(st, 0, sizeof(*st));
    v23_arena_init(&a, al, SIZE_MAX);
    rc = vsec_cred_pair_read_(&f->pair,
        &v23_lib_security_blessing_roots_state_desc, &a, &w, why);
    if (rc == 0) {
        rc = from_wire(f, &w, st);
        if (rc != 0)
            vsec_cred_pair_why_(&f->pair, rc, why);
    }
    v23_arena_fini(&a);
    if (rc != 0)
        vsec_roots_state_fini_(al, st);
    return rc;
}

static int fill(const struct vsec_roots_state *st, struct v23_arena *a,
    v23_lib_security_blessing_roots_state *w)
{
    root_entry *v;
    size_t i;

    v = v23_arena_get0(a, st->n, sizeof(*v), V23_ALIGNOF(root_entry));
    if (v == NULL)
        return V23_ENOMEM;
    for (i = 0; i < st->n; i++) {
        v[i].key = vdl_strn((const char *)st->v[i].key.p, st->v[i].key.n);
        v[i].val.v = st->v[i].patterns;
        v[i].val.n = (uint32_t)st->v[i].npatterns;
    }
    w->v = v;
    w->n = (uint32_t)st->n;
    return 0;
}

static int save(struct file_roots *f, const struct vsec_roots_state *st,
    char *why)
{
    v23_lib_security_blessing_roots_state w;
    struct v23_arena a;
    int rc;

    v23_arena_init(&a, f->base.engine->al, SIZE_MAX);
    rc = fill(st, &a, &w);
    if (rc != 0)
        vsec_cred_why_(why, rc, "%s: %s", f->pair.base, v23_strerror(rc));
    else
        rc = vsec_cred_pair_write_(&f->pair,
            &v23_lib_security_blessing_roots_state_desc, &w, why);
    v23_arena_fini(&a);
    return rc;
}

static void swap(struct file_roots *f, struct vsec_roots_state *st)
{
    struct vsec_roots_state old = f->base.state;

    f->base.state = *st;
    memset(st, 0, sizeof(*st));
    vsec_roots_state_fini_(f->base.engine->al, &old);
}

static int begin(struct vsec_roots *r, struct vsec_roots_state **st)
{
    struct file_roots *f = file_roots(r);
    char why[VSEC_CRED_WHY];
    int rc = vsec_cred_pair_lock_(&f->pair, true, why);

    if (rc == 0) {
        rc = load(f, &f->next, why);
        if (rc != 0)
            vsec_cred_pair_unlock_(&f->pair);
    }
    if (rc != 0)
        v23_logf(f->log, V23_LOG_ERROR, "%s", why);
    *st = &f->next;
    return rc;
}

static int end(struct vsec_roots *r, struct vsec_roots_state *st, int rc)
{
    struct file_roots *f = file_roots(r);
    char why[VSEC_CRED_WHY];

    if (rc == 0) {
        rc = save(f, st, why);
        if (rc != 0)
            v23_logf(f->log, V23_LOG_ERROR, "%s", why);
    }
    vsec_cred_pair_unlock_(&f->pair);
    if (rc == 0)
        swap(f, st);
    else
        vsec_roots_state_fini_(r->engine->al, st);
    return rc;
}

static void destroy(struct vsec_roots *r)
{
    struct file_roots *f = file_roots(r);
    struct vsec_engine *e = vsec_engine_ref(r->engine);

    vsec_cred_pair_fini_(&f->pair);
    vsec_roots_fini_(r);
    v23_put(e->al, f);
    vsec_engine_unref(e);
}

static const struct vsec_roots_ops file_ops = { begin, end, destroy,
    NULL };

int vsec_cred_roots_reload_(struct vsec_roots *r, char *why)
{
    struct file_roots *f = file_roots(r);
    struct vsec_roots_state st;
    int rc;

    if (r->ops != &file_ops)
        return 0;
    /* A writer's own loading also makes good what a crash left. */
    rc = vsec_cred_pair_lock_(&f->pair, !r->readonly, why);
    if (rc != 0)
        return rc;
    rc = load(f, &st, why);
    vsec_cred_pair_unlock_(&f->pair);
    if (rc == 0)
        swap(f, &st);
    return rc;
}

int vsec_cred_x509_(struct vsec_roots *r, const struct vsec_cred_opts *opt)
{
    struct vsec_anchors *t;
    int rc;

    if (opt->x509 != NULL) {
        vsec_roots_use_x509(r, opt->x509);
        return 0;
    }
    rc = vsec_anchors_system(r->engine, &t);
    if (rc != 0)
        return rc;
    vsec_roots_use_x509(r, vsec_anchors_x509(t));
    vsec_anchors_unref(t);
    return 0;
}

int vsec_cred_roots_new_(const char *dir, const struct vsec_cred_opts *opt,
    struct vsec_signer *signer, struct vsec_pubkey *key,
    struct vsec_roots **out, char *why)
{
    struct file_roots *f = v23_new(opt->engine->al, struct file_roots);
    int rc;

    if (f == NULL)
        return V23_ENOMEM;
    vsec_roots_init_(&f->base, &file_ops, opt->engine);
    f->base.readonly = !opt->writable;
    f->log = opt->log;
    f->pair.fd = -1;
    rc = vsec_cred_pair_init_(&f->pair, dir, "blessingroots",
        "blessingroots.lock", signer, key, opt->readonly_fs);
    if (rc == 0)
        rc = vsec_cred_x509_(&f->base, opt);
    if (rc == 0)
        rc = vsec_cred_roots_reload_(&f->base, why);
    if (rc != 0)
        vsec_roots_unref(&f->base);
    else
        *out = &f->base;
    return rc;
}

/* BSD-3-Clause; see LICENSE. */
/* Principals for tests: quick Ed25519 keys, one engine per test. */
#ifndef VSEC_TEST_PEOPLE_H
#define VSEC_TEST_PEOPLE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include <suite.h>
#include <support.h>
#include <vsec/principal.h>

static struct tst_alloc mem;
static struct vsec_crypto counted; /* default, secrets counted like the rest */
static struct vsec_engine *e;
static struct v23_arena arena;

static inline void people_setup(void)
{
    tst_alloc_init(&mem);
    v23_arena_init(&arena, &mem.al, SIZE_MAX);
    counted = vsec_crypto_default;
    counted.secret = NULL;
    ck_assert_int_eq(vsec_engine_new(&e, &counted, &mem.al, NULL), 0);
}

static inline void people_teardown(void)
{
    v23_arena_fini(&arena);
    vsec_engine_unref(e);
    ck_assert_uint_eq(mem.live, 0);
}

static inline struct vsec_principal *person(void)
{
    struct vsec_principal *p;

    ck_assert_int_eq(vsec_principal_generate(e, "ed25519", &p), 0);
    return p;
}

static inline struct vsec_blessings *self(struct vsec_principal *p,
    const char *name)
{
    const v23_security_caveat_list none = { NULL, 0 };
    struct vsec_blessings *b;

    ck_assert_int_eq(vsec_principal_bless_self(p, vdl_str(name), none, &b),
        0);
    return b;
}

static inline v23_security_caveat_list one(const v23_security_caveat *c)
{
    v23_security_caveat_list l;

    l.v = c;
    l.n = 1;
    return l;
}

/* `p` blesses `whom`, with a caveat (NULL: none that restricts). */
static inline struct vsec_blessings *bless(struct vsec_principal *p,
    struct vsec_principal *whom, struct vsec_blessings *with,
    const char *extension, const v23_security_caveat *caveat)
{
    v23_security_caveat any = vsec_caveat_unconstrained();
    struct vsec_blessings *b;
    struct vsec_bless what;

    what.key = whom->key;
    what.with = with;
    what.extension = vdl_str(extension);
    what.caveats = one(caveat == NULL ? &any : caveat);
    ck_assert_int_eq(vsec_principal_bless(p, &what, &b), 0);
    return b;
}

/* A third-party caveat that `p` discharges, at that object name. */
static inline v23_security_caveat discharged_by(struct vsec_principal *p,
    const char *location)
{
    v23_security_caveat any = vsec_caveat_unconstrained(), c;
    struct vsec_third_party what;

    memset(&what, 0, sizeof(what));
    what.key = p->key->der;
    what.location = vdl_str(location);
    what.caveats = one(&any);
    ck_assert_int_eq(vsec_caveat_third_party(e, &arena, &what, &c), 0);
    return c;
}

static inline struct v23_walltime at(int64_t sec)
{
    struct v23_walltime t;

    t.sec = sec;
    t.nanos = 0;
    return t;
}

/* Up to 8 texts as a list, ended by NULL. */
static inline vdl_str_list strs(const char *a, const char *b, const char *c)
{
    static struct vdl_str v[8][3];
    static unsigned next;
    struct vdl_str *s = v[next++ % 8];
    vdl_str_list l;

    s[0] = vdl_str(a);
    s[1] = vdl_str(b);
    s[2] = vdl_str(c);
    l.v = s;
    l.n = a == NULL ? 0 : b == NULL ? 1 : c == NULL ? 2 : 3;
    return l;
}

static inline bool text_is(struct vdl_str s, const char *want)
{
    if (vdl_str_is(s, want))
        return true;
    ck_abort_msg("\"%.*s\" is not \"%s\"", (int)s.n, s.p, want);
}

#endif

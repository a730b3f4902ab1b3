/* BSD-3-Clause; see LICENSE. */
/* A client, servers that are reached through proxies only, and the proxies. */
#ifndef PROXIED_H
#define PROXIED_H

#include "proxy_rig.h" /* first: it makes a larger world */

#include "echo.h"

#include <vrpc/proxied.h>

#define MS V23_NS_PER_MS

/* A server that listens through the proxies of a name. */
struct behind {
    struct wnode *n;
    struct echo echo;
    struct vrpc_proxied *p;
    int changes;
};

static void behind_changed(void *ud)
{
    ((struct behind *)ud)->changes++;
}

static int behind_listen(struct behind *b, const char *name,
    enum vrpc_proxied_kind kind)
{
    struct vrpc_proxied_config c;

    memset(&c, 0, sizeof(c));
    c.kind = kind;
    c.name = vdl_str(name);
    c.policy = VRPC_PROXY_ALL;
    c.changed = behind_changed;
    c.ud = b;
    return vrpc_proxied_new(b->n->m, &c, &b->p);
}

static int behind_init(struct behind *b, const char *node, uint64_t rid,
    const char *name)
{
    int rc = world_node(&W, node, rid, &b->n);

    if (rc == 0)
        rc = serve(b->n, &b->echo, &vsec_auth_everyone);
    if (rc == 0)
        b->n->listens = false; /* nobody can dial it */
    return rc == 0 ? behind_listen(b, name, VRPC_PROXIED_SERVER) : rc;
}

/* Object name under which the i-th endpoint makes it known; "" = none. */
static const char *behind_name(struct behind *b, size_t i)
{
    static char text[4][512];
    static unsigned next;
    char *s = text[next++ % 4];
    struct vrpc_endpoint *eps;
    struct v23_arena a;
    struct v23_buf out;
    size_t n;

    s[0] = 0;
    v23_arena_init(&a, NULL, SIZE_MAX);
    if (vrpc_proxied_endpoints(b->p, &a, &eps, &n) == 0 && i < n) {
        v23_buf_init_fixed(&out, s, 511);
        vrpc_endpoint_name(&eps[i], &out);
        s[out.n] = 0;
    }
    v23_arena_fini(&a);
    return s;
}

/* Listening, as far as time goes. */
static bool behind_ready(struct behind *b, size_t active)
{
    int64_t until = W.now.mono_ns + 200 * SEC;

    while (vrpc_proxied_active(b->p) != active && W.now.mono_ns < until)
        world_sleep(&W, 10 * MS);
    return vrpc_proxied_active(b->p) == active;
}

/* ---- the usual three ----------------------------------------------------- */

struct trio {
    struct prig proxy;
    struct behind s;
    struct wnode *c;
};
static struct trio T;

static int trio_init(void)
{
    int rc;

    memset(&T, 0, sizeof(T));
    rc = prig_init(&T.proxy, "proxy", 0x63);
    if (rc == 0)
        rc = behind_init(&T.s, "server", 77, "/" PROXY_EP);
    if (rc == 0)
        rc = world_node(&W, "client", 0, &T.c);
    return rc;
}

static void trio_setup(void)
{
    world_setup();
    ck_assert_int_eq(trio_init(), 0);
    ck_assert(behind_ready(&T.s, 1));
}

static void trio_teardown(void)
{
    vrpc_proxied_free(T.s.p);
    world_teardown();
}

/* Id of the error of a call of Add(20, 22), "" = it gave 42. */
static const char *add_from(struct wnode *n, const char *name,
    const struct vrpc_call_opts *o)
{
    static struct result r;
    struct add_in in = { 20, 22 };

    ck_assert_ptr_nonnull(start(n, name, M_ADD, o, &in, &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, 100 * SEC));
    ck_assert_int_eq(r.done, 1);
    if (r.id[0] == 0)
        ck_assert_int_eq(r.sum, 42);
    return r.id;
}

#endif

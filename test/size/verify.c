/* BSD-3-Clause; see LICENSE. */
/*
 * A device that only checks who calls it: blessings as they came, roots in
 * memory, the standard caveats. It signs nothing, needs no random numbers and
 * no file system, and all memory is one block of its own.
 */
#include "verify.h"

#include <string.h>

#include <vsec/check.h>
#include <vsec/principal.h>
#include <vsec/profile.h>

#include "board.h"

/* ---- memory -------------------------------------------------------------- */

#define POOL (3072 * sizeof(void *))
#define ALIGN 16

/* In front of each piece of the pool, in use or not. */
struct piece {
    size_t size; /* of what follows */
    bool used;
};

static struct {
    uint64_t mem[POOL / 8];
    bool ready;
} pool;

static struct piece *at(size_t offset)
{
    return (struct piece *)(void *)((uint8_t *)pool.mem + offset);
}

/* The first piece that is large enough, with those free behind it. */
static void *get(void *ud, size_t size)
{
    struct piece *p, *next;
    size_t i;

    (void)ud;
    if (!pool.ready)
        at(0)->size = POOL - ALIGN;
    pool.ready = true;
    size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    for (i = 0; i < POOL; i += ALIGN + p->size) {
        p = at(i);
        while (!p->used && i + ALIGN + p->size < POOL) {
            next = at(i + ALIGN + p->size);
            if (next->used)
                break;
            p->size += ALIGN + next->size;
        }
        if (p->used || p->size < size)
            continue;
        if (p->size >= size + ALIGN) {
            next = at(i + ALIGN + size);
            next->size = p->size - size - ALIGN;
            next->used = false;
            p->size = size;
        }
        p->used = true;
        return (uint8_t *)p + ALIGN;
    }
    return NULL;
}

static void put(void *ud, void *v)
{
    (void)ud;
    if (v != NULL)
        ((struct piece *)(void *)((uint8_t *)v - ALIGN))->used = false;
}

static void *regrow(void *ud, void *v, size_t size)
{
    const struct piece *p;
    void *to = get(ud, size);

    if (v == NULL || to == NULL)
        return to;
    p = (const struct piece *)(void *)((uint8_t *)v - ALIGN);
    memcpy(to, v, p->size < size ? p->size : size);
    put(ud, v);
    return to;
}

/* Is everything given back? */
static bool all_free(void)
{
    void *all = get(NULL, POOL - ALIGN);

    put(NULL, all);
    return all != NULL;
}

static const struct v23_alloc memory = {get, regrow, put, NULL};

/* This device has no heap. */
static void *no_memory(void *ud, size_t size)
{
    (void)ud;
    (void)size;
    return NULL;
}

static void *no_growth(void *ud, void *p, size_t size)
{
    (void)p;
    return no_memory(ud, size);
}

const struct v23_alloc v23_alloc_libc = {no_memory, no_growth, put, NULL};

/* Nor does it make texts for people, or know other caveats. */
static const struct vsec_caveat_kind *const known[] = {&vsec_kind_const,
    &vsec_kind_expiry, &vsec_kind_method, &vsec_kind_peer_blessings};
static const struct vsec_caveat_kinds kinds = {known, 4};
const struct vsec_profile vsec_profile = {vsec_decode_lean, &kinds, NULL};

static int no_random(void *ud, uint8_t *p, size_t n)
{
    (void)ud;
    (void)p;
    (void)n;
    return V23_ENOSYS;
}

/* ---- the device ---------------------------------------------------------- */

struct device {
    struct vsec_engine *engine;
    struct vsec_roots *roots;
    struct vsec_blessings *local;
    struct vsec_principal *principal;
};

static int start(struct device *dev, const struct vsec_crypto *crypto,
    const struct verify_data *d)
{
    static const struct vsec_random random = {no_random, NULL};
    int rc = vsec_engine_new(&dev->engine, crypto, &memory, &random);

    if (rc == 0)
        rc = vsec_roots_new(dev->engine, &dev->roots);
    if (rc == 0)
        rc = vsec_roots_add(
            dev->roots, vdl_bytes(d->root.p, d->root.n), vdl_str("idp"));
    if (rc == 0)
        rc = vsec_blessings_decode(dev->engine, NULL, d->local, &dev->local);
    if (rc == 0)
        rc = vsec_principal_new(dev->engine, NULL, dev->local->key, NULL,
            dev->roots, &dev->principal);
    return rc;
}

static void stop(struct device *dev)
{
    vsec_principal_unref(dev->principal);
    vsec_blessings_unref(dev->local);
    vsec_roots_unref(dev->roots);
    vsec_engine_unref(dev->engine);
}

/* 1: the peer has a name that it may use for this call; 0: it has none. */
static int admit(const struct device *dev, struct v23_bytes vom,
    const char *method, int64_t now)
{
    struct vsec_blessings *peer;
    struct vsec_names names;
    struct v23_arena a;
    struct vsec_call call;
    uint32_t i;
    int rc = vsec_blessings_decode(dev->engine, NULL, vom, &peer);

    if (rc != 0)
        return rc;
    memset(&call, 0, sizeof(call));
    call.timestamp.sec = now;
    call.method = vdl_str(method);
    call.principal = dev->principal;
    call.local_blessings = dev->local;
    call.remote_blessings = peer;
    v23_arena_init(&a, &memory, SIZE_MAX);
    rc = vsec_check_start(&call, &a, NULL, &names, NULL);
    for (i = 0; rc == 0 && i < names.remote.n; i++)
        board_print(names.remote.v[i]);
    for (i = 0; rc == 0 && i < names.rejected.n; i++)
        board_print(names.rejected.v[i].err->id);
    if (rc == 0)
        rc = names.remote.n != 0;
    v23_arena_fini(&a);
    vsec_blessings_unref(peer);
    return rc;
}

/* ---- what must hold ------------------------------------------------------ */

#define NOW INT64_C(1800000000)
#define IN_A_CENTURY (NOW + INT64_C(100) * 31557600)

/* What a peer changed that was signed. */
static int admit_changed(const struct device *dev, struct v23_bytes vom,
    size_t at)
{
    static uint8_t copy[2048];

    if (vom.n > sizeof(copy))
        return V23_ENOSPC;
    memcpy(copy, vom.p, vom.n);
    copy[at] ^= 1;
    return admit(dev, v23_bytes(copy, vom.n), "Get", NOW);
}

int verify(const struct vsec_crypto *crypto, const struct verify_data *d)
{
    struct device dev = {NULL, NULL, NULL, NULL};
    int failed = 1;

    if (start(&dev, crypto, d) == 0)
        failed = admit(&dev, d->peer, "Get", NOW) != 1
                 || admit(&dev, d->peer, "Delete", NOW) != 0
                 || admit(&dev, d->peer, "Put", IN_A_CENTURY) != 0
                 /* the last octet of the last signature, of a type */
                 || admit_changed(&dev, d->peer, d->peer.n - 4) != V23_ESIG
                 || admit_changed(&dev, d->peer, 3) >= 0;
    stop(&dev);
    return failed || !all_free();
}

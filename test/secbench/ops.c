/* BSD-3-Clause; see LICENSE. */
/* The operations that are timed, and what they work on. */
#include "secbench.h"

#include <stdlib.h>
#include <string.h>

#include <vsec/check.h>
#include <vsec/principal.h>

#define CERTS 3
static const char message[] = "an authentication tag and a channel binding";

struct subject {
    struct vsec_engine *engine;
    struct vsec_principal *people[CERTS];
    struct vsec_blessings *chain; /* of people[CERTS - 1] */
    struct v23_arena arena;       /* lasts as long as the subject */
    struct v23_arena scratch;     /* of one operation */
    struct v23_buf vom;
    struct vsec_signature sig[CERTS]; /* of the message, by each */
    struct vsec_chain_cache *cache;
    struct vsec_principal *judge; /* recognizes the chain's root */
    struct v23_walltime now;
};

static void need(int rc)
{
    if (rc != 0)
        abort();
}

/* ---- keys ---------------------------------------------------------------- */

void op_sign(void *ctx)
{
    struct subject *s = ctx;
    struct vsec_signature sig;

    need(vsec_principal_sign(s->people[0], message, sizeof(message),
        &s->scratch, &sig, NULL));
    v23_arena_reset(&s->scratch);
}

void op_verify(void *ctx)
{
    struct subject *s = ctx;

    need(vsec_verify(s->people[0]->key, &s->sig[0], message,
        sizeof(message)));
}

void op_parse(void *ctx)
{
    struct subject *s = ctx;
    struct vsec_pubkey *k;

    need(vsec_pubkey_parse(s->engine, s->people[0]->key->der, &k));
    vsec_pubkey_unref(k);
}

void op_bless(void *ctx)
{
    struct subject *s = ctx;
    const v23_security_caveat any = vsec_caveat_unconstrained();
    struct vsec_blessings *b;
    struct vsec_bless what;

    what.key = s->people[0]->key;
    what.with = s->chain;
    what.extension = vdl_str("friend");
    what.caveats.v = &any;
    what.caveats.n = 1;
    need(vsec_principal_bless(s->people[CERTS - 1], &what, &b));
    vsec_blessings_unref(b);
}

/* ---- chains -------------------------------------------------------------- */

static const v23_security_certificate *cert(const struct subject *s,
    uint32_t i)
{
    return &s->chain->chains[0].certs.v[i];
}

void op_digest(void *ctx)
{
    struct subject *s = ctx;
    uint8_t content[VSEC_HASH_MAX], digest[CERTS][VSEC_HASH_MAX];
    struct v23_bytes prev = { NULL, 0 };
    const struct vsec_hash_alg *h;
    uint32_t i;

    for (i = 0; i < CERTS; i++) {
        h = vsec_hash_named(s->engine->crypto, cert(s, i)->signature.hash);
        need(vsec_cert_digests(h, cert(s, i), prev, content, digest[i]));
        prev = v23_bytes(digest[i], h->size);
    }
}

/* What nobody can save who sees the chain for the first time. A key's first
 * verification costs more than others where the library prepares it. */
void op_floor(void *ctx)
{
    struct subject *s = ctx;
    struct vsec_pubkey *k;
    uint32_t i;

    op_digest(s);
    for (i = 0; i < CERTS; i++) {
        need(vsec_pubkey_parse(s->engine, cert(s, i)->public_key, &k));
        need(vsec_verify(k, &s->sig[i], message, sizeof(message)));
        vsec_pubkey_unref(k);
    }
}

static void decode(struct subject *s, struct vsec_chain_cache *cache)
{
    struct vsec_blessings *b;

    need(vsec_blessings_decode(s->engine, cache,
        v23_bytes(s->vom.p, s->vom.n), &b));
    vsec_blessings_unref(b);
}

void op_cold(void *ctx)
{
    decode(ctx, NULL);
}

void op_cached_vom(void *ctx)
{
    struct subject *s = ctx;

    decode(s, s->cache);
}

void op_cached_wire(void *ctx)
{
    struct subject *s = ctx;
    struct vsec_blessings *b;

    need(vsec_blessings_from_wire(s->engine, s->cache, &s->chain->wire, &b));
    vsec_blessings_unref(b);
}

void op_names(void *ctx)
{
    struct subject *s = ctx;
    struct vsec_names names;
    struct vsec_call call;

    memset(&call, 0, sizeof(call));
    call.timestamp = s->now;
    call.method = vdl_str("Get");
    call.principal = s->judge;
    call.local_blessings = vsec_store_default(s->judge->store);
    call.remote_blessings = s->chain;
    need(vsec_check_start(&call, &s->scratch, NULL, &names, NULL));
    if (names.remote.n != 1
        || !vdl_str_is(names.remote.v[0], "root:user:device"))
        abort();
    v23_arena_reset(&s->scratch);
}

/* ---- subjects ------------------------------------------------------------ */

static int make_chain(struct subject *s)
{
    static const char *const names[CERTS] = { "root", "user", "device" };
    v23_security_caveat_list caveats = { NULL, 0 };
    struct vsec_blessings *next;
    v23_security_caveat expiry;
    struct vsec_bless what;
    int rc, i;

    s->now.sec = 1700000000;
    rc = vsec_caveat_expiry(&s->arena, (struct v23_walltime){ 2000000000, 0 },
        &expiry);
    if (rc == 0)
        rc = vsec_principal_bless_self(s->people[0], vdl_str(names[0]),
            caveats, &s->chain);
    caveats.v = &expiry;
    caveats.n = 1;
    for (i = 1; rc == 0 && i < CERTS; i++) {
        what.key = s->people[i]->key;
        what.with = s->chain;
        what.extension = vdl_str(names[i]);
        what.caveats = caveats;
        rc = vsec_principal_bless(s->people[i - 1], &what, &next);
        if (rc != 0)
            break;
        vsec_blessings_unref(s->chain);
        s->chain = next;
    }
    if (rc == 0)
        rc = vsec_blessings_encode(NULL, s->chain, &s->vom);
    return rc;
}

static int make(struct subject *s, const struct vsec_crypto *crypto,
    const char *key)
{
    const v23_security_caveat_list none = { NULL, 0 };
    struct vsec_blessings *b;
    int rc, i;

    rc = vsec_engine_new(&s->engine, crypto, NULL, NULL);
    for (i = 0; rc == 0 && i < CERTS; i++)
        rc = vsec_principal_generate(s->engine, key, &s->people[i]);
    if (rc == 0)
        rc = make_chain(s);
    if (rc == 0)
        rc = vsec_chain_cache_new(s->engine, 0, &s->cache);
    for (i = 0; rc == 0 && i < CERTS; i++)
        rc = vsec_principal_sign(s->people[i], message, sizeof(message),
            &s->arena, &s->sig[i], NULL);
    if (rc == 0)
        rc = vsec_principal_generate(s->engine, key, &s->judge);
    if (rc == 0)
        rc = vsec_principal_add_to_roots(s->judge, s->chain);
    if (rc == 0)
        rc = vsec_principal_bless_self(s->judge, vdl_str("judge"), none, &b);
    if (rc == 0) {
        rc = vsec_principal_set_default_blessings(s->judge, b);
        vsec_blessings_unref(b);
    }
    return rc;
}

struct subject *subject_new(const struct vsec_crypto *crypto, const char *key)
{
    struct subject *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return NULL;
    v23_arena_init(&s->arena, NULL, SIZE_MAX);
    v23_arena_init(&s->scratch, NULL, SIZE_MAX);
    v23_buf_init(&s->vom, NULL, 1 << 20);
    if (make(s, crypto, key) == 0)
        return s;
    subject_free(s);
    return NULL;
}

void subject_free(struct subject *s)
{
    int i;

    vsec_chain_cache_free(s->cache);
    vsec_blessings_unref(s->chain);
    vsec_principal_unref(s->judge);
    for (i = 0; i < CERTS; i++)
        vsec_principal_unref(s->people[i]);
    vsec_engine_unref(s->engine);
    v23_buf_fini(&s->vom);
    v23_arena_fini(&s->arena);
    v23_arena_fini(&s->scratch);
    free(s);
}

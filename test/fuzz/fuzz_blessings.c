/* BSD-3-Clause; see LICENSE. */
/*
 * Fuzz target of blessings and discharges: an octet of bits, two octets with
 * the length of the blessings, their VOM value, that of a discharge. Signatures
 * of the cheap keys always verify, so that what a peer made up gets as far as
 * what it was given.
 *
 * Both decoders say the same; what is accepted is written as what it was read
 * from; whatever a program may do with blessings is done.
 */
#include "cheap.h"

#include <vom/value.h>
#include <vsec/check.h>
#include <vsec/principal.h>
#include <vsec/profile.h>

static struct vsec_engine *engine;
static struct vsec_principal *me;
static struct vsec_blessings *mine;

static void start(void)
{
    engine = cheap_engine();
    me = cheap_person(0, "idp", &mine);
    check(vsec_roots_add(me->roots, me->key->der, vdl_str("idp")) == 0);
}

/* ---- decoders ------------------------------------------------------------ */

/* The one of devices refuses what it does not know, and reads nothing else. */
static void decode(struct v23_bytes vom, const struct vdl_type *t)
{
    struct v23_arena a;
    void *host, *lean;
    int rc;

    v23_arena_init(&a, NULL, 64u << 20);
    host = v23_arena_get0(&a, 1, t->size, 16);
    lean = v23_arena_get0(&a, 1, t->size, 16);
    check(host != NULL && lean != NULL);
    rc = vsec_decode_lean(vom, &a, t, lean);
    if (rc == 0 && vsec_decode_host(vom, &a, t, host) == 0)
        check(vdl_equal(t, host, lean));
    v23_arena_fini(&a);
}

/* ---- caveats ------------------------------------------------------------- */

static void show_caveats(const struct vsec_blessings *b, struct v23_buf *out)
{
    const v23_security_certificate *c;
    uint32_t i, j, k;
    int rc;

    for (i = 0; i < b->nchains; i++)
        for (j = 0; j < b->chains[i].certs.n; j++) {
            c = &b->chains[i].certs.v[j];
            for (k = 0; k < c->caveats.n; k++) {
                decode(v23_bytes(c->caveats.v[k].param_vom.p,
                           c->caveats.v[k].param_vom.n),
                    &vdl_str_list_desc);
                v23_buf_cut(out, 0);
                rc = vsec_caveat_format(engine, &c->caveats.v[k], out);
                if (rc == 0)
                    (void)!vsec_caveat_describe(
                        engine, &c->caveats.v[k], out);
            }
        }
}

/* ---- names --------------------------------------------------------------- */

static void check_call(
    struct vsec_blessings *b, struct vsec_discharge *d, uint8_t bits)
{
    const struct v23_walltime now = {1728388800, 123456789};
    struct vsec_call call;
    struct vsec_names names;
    struct v23_arena a;
    uint32_t i;
    int rc;

    memset(&call, 0, sizeof(call));
    call.timestamp = now;
    call.method = vdl_str((bits & 1) != 0 ? "Get" : "");
    call.principal = me;
    call.local_blessings = (bits & 2) != 0 ? mine : NULL;
    call.remote_blessings = b;
    call.remote_discharges = &d;
    call.nremote_discharges = d != NULL;
    v23_arena_init(&a, NULL, 64u << 20);
    rc = vsec_check_start(&call, &a, NULL, &names, NULL);
    if (rc == 0) {
        check(names.remote.n + names.rejected.n ==
              (vsec_blessings_is_nameless(b) ? 0 : b->nchains));
        for (i = 0; i < names.rejected.n; i++)
            check(names.rejected.v[i].err->id.n != 0);
    }
    if (vsec_signing_names(me, b, now, &a, &names) == 0)
        check(names.remote.n + names.rejected.n ==
              (vsec_blessings_is_nameless(b) ? 0 : b->nchains));
    v23_arena_fini(&a);
}

/* ---- other blessings ----------------------------------------------------- */

static void derive(struct vsec_blessings *b)
{
    struct vsec_blessings *both[2] = {b, b}, *other;
    v23_security_caveat_list third;
    struct v23_arena a;
    uint32_t i;

    if (vsec_blessings_union(both, 2, &other) == 0)
        vsec_blessings_unref(other);
    if (vsec_blessings_for_signing(b, &other) == 0)
        vsec_blessings_unref(other);
    for (i = 0; i < b->nchains; i++)
        if (vsec_blessings_root(b, i, &other) == 0)
            vsec_blessings_unref(other);
    v23_arena_init(&a, NULL, 64u << 20);
    check(vsec_blessings_third_party(b, &a, &third) == 0);
    v23_arena_fini(&a);
}

static void write_again(
    const struct vsec_blessings *b, struct vsec_chain_cache *cache)
{
    struct vsec_blessings *again;
    struct v23_buf out;

    v23_buf_init(&out, NULL, 64u << 20);
    check(vsec_blessings_encode(NULL, b, &out) == 0);
    check(vsec_blessings_decode(
              engine, cache, v23_bytes(out.p, out.n), &again) == 0);
    check(vsec_blessings_eq(b, again));
    vsec_blessings_unref(again);
    v23_buf_fini(&out);
}

static void use(struct vsec_blessings *b, struct vsec_discharge *d,
    uint8_t bits, struct vsec_chain_cache *cache)
{
    struct v23_buf text;

    write_again(b, NULL);
    write_again(b, cache);
    derive(b);
    check_call(b, d, bits);
    v23_buf_init(&text, NULL, 64u << 20);
    show_caveats(b, &text);
    v23_buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct vsec_chain_cache *cache;
    struct vsec_blessings *b = NULL;
    struct vsec_discharge *d = NULL;
    struct v23_bytes first, second;
    size_t len;

    if (engine == NULL)
        start();
    if (n < 3)
        return 0;
    len = (size_t)p[1] << 8 | p[2];
    if (len > n - 3)
        len = n - 3;
    first = v23_bytes(p + 3, len);
    second = v23_bytes(p + 3 + len, n - 3 - len);
    decode(first, &v23_security_wire_blessings_desc);
    decode(second, &v23_security_wire_discharge_desc);
    if (vsec_discharge_decode(NULL, second, &d) != 0)
        d = NULL;
    check(vsec_chain_cache_new(engine, 16, &cache) == 0);
    if (vsec_blessings_decode(engine, cache, first, &b) == 0 && b != NULL)
        use(b, d, *p, cache);
    vsec_blessings_unref(b);
    vsec_discharge_unref(d);
    vsec_chain_cache_free(cache);
    return 0;
}

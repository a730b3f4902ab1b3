/* BSD-3-Clause; see LICENSE. */
/* People of tests, from a crypto engine that draws the same each time. */
#ifndef SEEDED_H
#define SEEDED_H

#include <vsec/principal.h>

/* `ud` is the seed, a uint64_t. */
static inline int seeded_random(void *ud, uint8_t *p, size_t n)
{
    uint64_t *s = ud;

    while (n-- > 0) {
        *s = *s * UINT64_C(6364136223846793005) + 1442695040888963407u;
        *p++ = (uint8_t)(*s >> 56);
    }
    return 0;
}

/* Both borrowed, for the engine's life. */
static inline int seeded_engine(uint64_t *seed,
    const struct vsec_crypto *crypto, const struct v23_alloc *al,
    struct vsec_engine **out)
{
    struct vsec_random random;

    random.fill = seeded_random;
    random.ud = seed;
    return vsec_engine_new(out, crypto, al, &random);
}

/* Somebody new, with a name of his own giving; references. */
static inline int seeded_person(struct vsec_engine *e, const char *name,
    struct vsec_principal **p, struct vsec_blessings **b)
{
    v23_security_caveat any = vsec_caveat_unconstrained();
    v23_security_caveat_list caveats;
    int rc = vsec_principal_generate(e, "ed25519", p);

    caveats.v = &any;
    caveats.n = 1;
    if (rc == 0)
        rc = vsec_principal_bless_self(*p, vdl_str(name), caveats, b);
    return rc;
}

#endif

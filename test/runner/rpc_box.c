/* BSD-3-Clause; see LICENSE. */
/* rpc/box.jsonl: sealed messages of a connection (spec/rpc.md 6). */
#include "rpc_int.h"

#include <stdlib.h>

#include <vsec/crypto.h>

/* Nonce of message `seq` from a sender with public key `from` (6, rule 3). */
static void make_nonce(uint8_t nonce[VSEC_BOX_NONCE], uint64_t seq,
    const uint8_t *from, const uint8_t *to)
{
    int i;

    memset(nonce, 0, VSEC_BOX_NONCE);
    for (i = 0; i < 8; i++)
        nonce[i] = (uint8_t)(seq >> (8 * i));
    nonce[8] = memcmp(from, to, VSEC_BOX_KEY) < 0;
}

static bool check_keys(struct run_case *c, const char *secret,
    const char *pub)
{
    const struct vsec_box_ops *box = vsec_crypto_default.box;
    struct v23_bytes s = run_hex(c, secret), p = run_hex(c, pub);
    uint8_t got[VSEC_BOX_KEY];

    if (s.n != VSEC_BOX_KEY || p.n != VSEC_BOX_KEY)
        return run_fail(c, "%s, %s: not 32 octets", secret, pub);
    if (box->public_key(s.p, got) != 0 || memcmp(got, p.p, sizeof(got)) != 0)
        return run_fail(c, "%s gives %s", secret, unhex(got, sizeof(got)));
    return true;
}

/* Seal in `buf`, compare, open, compare, and see forgeries refused. */
static bool check_message(struct run_case *c, const uint8_t *seal_key,
    const uint8_t *open_key, const uint8_t *nonce, uint8_t *buf)
{
    const struct vsec_box_ops *box = vsec_crypto_default.box;
    struct v23_bytes plain = run_hex(c, "plain"), cipher = run_hex(c, "cipher");
    size_t n = plain.n;

    if (cipher.n != n + VSEC_BOX_TAG)
        return run_fail(c, "lengths %zu and %zu", n, cipher.n);
    if (n > 0)
        memcpy(buf + VSEC_BOX_TAG, plain.p, n);
    box->seal(seal_key, nonce, buf, n);
    if (memcmp(buf, cipher.p, cipher.n) != 0)
        return run_fail(c, "sealed %s", unhex(buf, cipher.n));
    buf[n] ^= 1;
    if (box->open(open_key, nonce, buf, n) != V23_EBOX)
        return run_fail(c, "a changed message opens");
    buf[n] ^= 1;
    if (memcmp(buf, cipher.p, cipher.n) != 0)
        return run_fail(c, "a refused message was changed");
    if (box->open(open_key, nonce, buf, n) != 0
        || (n > 0 && memcmp(buf + VSEC_BOX_TAG, plain.p, n) != 0))
        return run_fail(c, "does not open");
    return true;
}

bool run_rpc_box(struct run_case *c)
{
    const struct vsec_box_ops *box = vsec_crypto_default.box;
    const cJSON *seq = cJSON_GetObjectItemCaseSensitive(c->json, "seq");
    struct v23_bytes ss, sp, rs, rp, want;
    uint8_t ours[VSEC_BOX_KEY], theirs[VSEC_BOX_KEY], nonce[VSEC_BOX_NONCE];
    uint8_t *buf;
    bool ok;

    if (!check_keys(c, "senderPrivate", "senderPublic")
        || !check_keys(c, "receiverPrivate", "receiverPublic"))
        return false;
    if (!cJSON_IsNumber(seq))
        return run_fail(c, "no seq");
    ss = run_hex(c, "senderPrivate");
    sp = run_hex(c, "senderPublic");
    rs = run_hex(c, "receiverPrivate");
    rp = run_hex(c, "receiverPublic");
    if (box->shared_key(ss.p, rp.p, ours) != 0
        || box->shared_key(rs.p, sp.p, theirs) != 0
        || memcmp(ours, theirs, sizeof(ours)) != 0)
        return run_fail(c, "shared keys differ");
    make_nonce(nonce, (uint64_t)seq->valuedouble, sp.p, rp.p);
    want = run_hex(c, "nonce");
    if (want.n != sizeof(nonce) || memcmp(want.p, nonce, want.n) != 0)
        return run_fail(c, "nonce %s", unhex(nonce, sizeof(nonce)));
    buf = malloc(run_hex(c, "cipher").n + VSEC_BOX_TAG);
    if (buf == NULL)
        return run_fail(c, "out of memory");
    ok = check_message(c, ours, theirs, nonce, buf);
    free(buf);
    return ok;
}

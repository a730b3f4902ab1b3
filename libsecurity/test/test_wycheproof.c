/* BSD-3-Clause; see LICENSE. */
/*
 * Signatures that implementations are known to get wrong: wycheproof.tsv, one
 * case a line, chosen from the facts that project Wycheproof publishes; those
 * of points with a part of low order were computed for it. Fields:
 *   ok | bad   what verification has to say
 *   hash       SHA256, SHA384, SHA512; - for Ed25519
 *   key        SubjectPublicKeyInfo; = is that of the line before
 *   digest     Ed25519: the message; = and - (empty)
 *   value      r:s; der: and an ECDSA-Sig-Value; else the octets
 *   what       its kind
 */
#include <stdio.h>
#include <stdlib.h>

#include "der_int.h"
#include "key_int.h"
#include "key_rig.h"

enum { NFIELDS = 6, LINE = 8192, FIELD = 2048 };

struct octets {
    uint8_t p[FIELD];
    size_t n;
};

static struct {
    unsigned number, cases, bad, der;
    char *field[NFIELDS];
    struct octets spki, digest, a, b;
    struct vsec_pubkey *key; /* NULL: refused */
} now;

/* "-" is empty, "=" leaves what the line before had. */
static void take_field(const char *text, struct octets *out)
{
    struct v23_bytes v;

    if (strcmp(text, "=") == 0)
        return;
    v = hex(strcmp(text, "-") == 0 ? "" : text);
    ck_assert_msg(v.n <= FIELD, "line %u: too long", now.number);
    if (v.n > 0)
        memcpy(out->p, v.p, v.n);
    out->n = v.n;
}

static struct v23_bytes view(const struct octets *o)
{
    return v23_bytes(o->p, o->n);
}

static void take_key(void)
{
    int rc;

    if (strcmp(now.field[2], "=") == 0)
        return;
    take_field(now.field[2], &now.spki);
    vsec_pubkey_unref(now.key);
    now.key = NULL;
    rc = vsec_pubkey_parse(e, vdl_bytes(now.spki.p, now.spki.n), &now.key);
    ck_assert_msg(rc == 0 || rc == V23_EKEY, "line %u: key: %d", now.number,
        rc);
}

/* 0 or V23_ESIG */
static int take_value(char *text, struct vsec_sigval *sig)
{
    char *colon = strchr(text, ':');

    memset(sig, 0, sizeof(*sig));
    if (strncmp(text, "der:", 4) == 0) {
        now.der++;
        take_field(text + 4, &now.a);
        return vsec_der_ecdsa_(view(&now.a), sig);
    }
    if (colon != NULL)
        *colon++ = 0;
    take_field(text, &now.a);
    take_field(colon == NULL ? "-" : colon, &now.b);
    sig->a = view(&now.a);
    sig->b = view(&now.b);
    return 0;
}

static void run_case(void)
{
    const struct vsec_hash_alg *h = vsec_hash_named(e->crypto,
        vdl_str(now.field[1]));
    bool good = strcmp(now.field[0], "ok") == 0;
    struct vsec_sigval sig;
    int rc = V23_ESIG;

    take_key();
    take_field(now.field[3], &now.digest);
    if (take_value(now.field[4], &sig) == 0 && now.key != NULL)
        rc = vsec_verify_digest_(now.key, h, view(&now.digest), sig);
    ck_assert_msg(rc == (good ? 0 : V23_ESIG), "line %u, %s: %d", now.number,
        now.field[5], rc);
    now.cases++;
    now.bad += good ? 0 : 1;
}

static void split(char *line)
{
    int i;

    line[strcspn(line, "\n")] = 0;
    for (i = 0; i < NFIELDS; i++) {
        now.field[i] = line;
        line += strcspn(line, "\t");
        ck_assert_msg((*line == 0) == (i == NFIELDS - 1), "line %u: fields",
            now.number);
        *line++ = 0;
    }
}

/* The default provider, but for its Ed25519. */
static void use_ed25519(const struct vsec_alg *alg)
{
    static const struct vsec_alg *algs[16];
    static struct vsec_crypto list;
    size_t n = 0;

    list = vsec_crypto_default;
    for (; list.algs[n] != NULL; n++)
        algs[n] = list.algs[n]->kind == VSEC_ED25519 ? alg : list.algs[n];
    ck_assert_uint_lt(n, sizeof(algs) / sizeof(algs[0]));
    list.algs = algs;
    vsec_engine_unref(e);
    ck_assert_int_eq(vsec_engine_new(&e, &list, &mem.al, NULL), 0);
}

START_TEST(every_case_ends_as_it_must)
{
    const char *dir = strrchr(__FILE__, '/');
    static char line[LINE], path[256];
    FILE *f;

    snprintf(path, sizeof(path), "%.*swycheproof.tsv",
        dir == NULL ? 0 : (int)(dir + 1 - __FILE__), __FILE__);
    f = fopen(path, "r");
    ck_assert_msg(f != NULL, "%s: run this in the top folder", path);
    use_ed25519(ed25519s[_i]);
    memset(&now, 0, sizeof(now));
    while (fgets(line, sizeof(line), f) != NULL) {
        now.number++;
        split(line);
        run_case();
    }
    fclose(f);
    vsec_pubkey_unref(now.key);
    ck_assert_uint_gt(now.cases, 500);
    ck_assert_uint_gt(now.bad, 300);
    ck_assert_uint_gt(now.der, 100);
}
END_TEST

static void add(TCase *t)
{
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, every_case_ends_as_it_must, 0, NED25519);
}

int main(void)
{
    return tst_run_case("security/wycheproof", add, setup, teardown);
}

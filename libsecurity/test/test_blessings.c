/* BSD-3-Clause; see LICENSE. */
/* Blessings: verification, hostile chains, the cache, derived values. */
#include "people.h"

#include <vom/enc.h>
#include <vsec/sodium.h>

/* ---- objects ------------------------------------------------------------- */

static int from_wire(const v23_security_wire_blessings *w)
{
    struct vsec_blessings *b = NULL;
    int rc = vsec_blessings_from_wire(e, NULL, w, &b);

    vsec_blessings_unref(b);
    return rc;
}

START_TEST(zero_blessings_are_null)
{
    v23_security_wire_blessings w = vsec_blessings_wire(NULL);
    struct vsec_blessings *b = (struct vsec_blessings *)&w;
    struct v23_walltime t;

    ck_assert_int_eq(vsec_blessings_from_wire(e, NULL, &w, &b), 0);
    ck_assert_ptr_null(b);
    ck_assert_ptr_null(vsec_blessings_key(NULL));
    ck_assert(!vsec_blessings_is_nameless(NULL));
    ck_assert(!vsec_blessings_expiry(NULL, &t));
    ck_assert(vsec_blessings_eq(NULL, NULL));
    text_is(vsec_blessings_text(NULL), "");
    vsec_blessings_unref(NULL);
}
END_TEST

START_TEST(a_chain_names_its_holder)
{
    struct vsec_principal *a = person(), *b = person();
    struct vsec_blessings *x = self(a, "alice");
    struct vsec_blessings *y = bless(a, b, x, "friend:phone", NULL);

    text_is(vsec_blessings_text(y), "alice:friend:phone");
    ck_assert_uint_eq(y->nchains, 1);
    ck_assert_uint_eq(y->chains[0].certs.n, 2);
    ck_assert_uint_eq(y->chains[0].ncaveats, 1);
    ck_assert(vsec_pubkey_eq(y->key, b->key));
    ck_assert(!vsec_blessings_eq(x, y));
    ck_assert_int_eq(from_wire(&y->wire), 0);
    vsec_blessings_unref(x);
    vsec_blessings_unref(y);
    vsec_principal_unref(a);
    vsec_principal_unref(b);
}
END_TEST

START_TEST(objects_outlive_their_makers)
{
    struct vsec_principal *a = person();
    struct vsec_blessings *x = self(a, "alice");

    vsec_principal_unref(a);
    vsec_engine_unref(e);
    text_is(vsec_blessings_text(x), "alice");
    e = vsec_engine_ref(x->key->engine);
    vsec_blessings_unref(x);
}
END_TEST

START_TEST(nameless_blessings_convey_a_key)
{
    struct vsec_principal *a = person();
    struct vsec_blessings *n, *back;

    ck_assert_int_eq(vsec_blessings_nameless(a->key, &n), 0);
    ck_assert(vsec_blessings_is_nameless(n));
    text_is(vsec_blessings_text(n), "");
    ck_assert_int_eq(vsec_blessings_from_wire(e, NULL, &n->wire, &back), 0);
    ck_assert(vsec_blessings_is_nameless(back));
    ck_assert(vsec_blessings_eq(n, back));
    vsec_blessings_unref(n);
    vsec_blessings_unref(back);
    vsec_principal_unref(a);
}
END_TEST

/* ---- hostile values ------------------------------------------------------ */

/* A copy of a blessed value's wire form to spoil: two chains of two. */
static struct vsec_principal *anna, *bert;
static struct vsec_blessings *good;
static v23_security_certificate certs[2][2];
static v23_security_certificate_list lists[2];
static v23_security_wire_blessings wire;

static void spoil_setup(void)
{
    struct vsec_blessings *x, *y;
    int i;

    people_setup();
    anna = person();
    bert = person();
    x = self(anna, "anna");
    y = self(anna, "other");
    {
        struct vsec_blessings *pair[2];

        pair[0] = bless(anna, bert, x, "bert", NULL);
        pair[1] = bless(anna, bert, y, "bert", NULL);
        ck_assert_int_eq(vsec_blessings_union(pair, 2, &good), 0);
        vsec_blessings_unref(pair[0]);
        vsec_blessings_unref(pair[1]);
    }
    vsec_blessings_unref(x);
    vsec_blessings_unref(y);
    for (i = 0; i < 2; i++) {
        memcpy(certs[i], good->chains[i].certs.v, sizeof(certs[i]));
        lists[i].v = certs[i];
        lists[i].n = 2;
    }
    wire.certificate_chains.v = lists;
    wire.certificate_chains.n = 2;
}

static void spoil_teardown(void)
{
    vsec_blessings_unref(good);
    vsec_principal_unref(anna);
    vsec_principal_unref(bert);
    people_teardown();
}

START_TEST(unspoiled_value_verifies)
{
    ck_assert_int_eq(from_wire(&wire), 0);
}
END_TEST

START_TEST(signatures_cover_names_keys_and_caveats)
{
    v23_security_caveat other = vsec_caveat_unconstrained();
    int k = _i % 2;

    switch (_i / 2) {
    case 0:
        certs[0][k].extension = vdl_str("eve");
        break;
    case 1:
        other.id.v[0] = 1;
        certs[0][k].caveats = one(&other);
        break;
    case 2:
        certs[0][k].caveats.n = 0;
        if (k == 0)
            certs[0][0].caveats = one(&other);
        break;
    case 3:
        certs[0][k].x509_raw = vdl_bytes((const uint8_t *)"x", 1);
        break;
    default:
        certs[0][k].signature = certs[1][k].signature;
        break;
    }
    ck_assert_int_eq(from_wire(&wire), V23_ESIG);
}
END_TEST

START_TEST(key_of_the_issuer_is_covered)
{
    certs[0][0].public_key = bert->key->der;
    ck_assert_int_eq(from_wire(&wire), V23_ESIG);
}
END_TEST

START_TEST(purpose_must_be_that_of_certificates)
{
    certs[0][1].signature.purpose = vdl_bytes((const uint8_t *)"S1", 2);
    ck_assert_int_eq(from_wire(&wire), V23_ECERT);
}
END_TEST

START_TEST(chains_must_end_at_one_key)
{
    lists[1].n = 1;
    ck_assert_int_eq(from_wire(&wire), V23_EKEYMISMATCH);
}
END_TEST

START_TEST(empty_chains_are_refused)
{
    lists[_i].n = 0;
    ck_assert_int_eq(from_wire(&wire), V23_ECERT);
}
END_TEST

START_TEST(malformed_keys_are_refused)
{
    certs[0][_i].public_key = vdl_bytes((const uint8_t *)"junk", 4);
    certs[1][_i].public_key = certs[0][_i].public_key;
    ck_assert_int_eq(from_wire(&wire), V23_EKEY);
}
END_TEST

START_TEST(counts_are_limited)
{
    static v23_security_certificate_list chains[VSEC_MAX_CHAINS + 1];
    static v23_security_certificate chain[VSEC_MAX_CERTS + 1];
    static v23_security_caveat caveats[VSEC_MAX_CAVEATS + 1];
    static uint8_t big[VSEC_MAX_BLESSINGS + 1];
    v23_security_wire_blessings w;
    int i;

    for (i = 0; i <= VSEC_MAX_CHAINS; i++)
        chains[i] = lists[0];
    w.certificate_chains.v = chains;
    w.certificate_chains.n = VSEC_MAX_CHAINS + 1;
    ck_assert_int_eq(from_wire(&w), V23_ELIMIT);
    w.certificate_chains.n = VSEC_MAX_CHAINS;
    ck_assert_int_eq(from_wire(&w), 0);

    lists[0].v = chain;
    lists[0].n = VSEC_MAX_CERTS + 1;
    ck_assert_int_eq(from_wire(&wire), V23_ELIMIT);

    lists[0].v = certs[0];
    lists[0].n = 2;
    certs[0][1].caveats.v = caveats;
    certs[0][1].caveats.n = VSEC_MAX_CAVEATS + 1;
    ck_assert_int_eq(from_wire(&wire), V23_ELIMIT);

    certs[0][1].caveats.n = 0;
    certs[0][1].x509_raw = vdl_bytes(big, sizeof(big));
    ck_assert_int_eq(from_wire(&wire), V23_ELIMIT);
}
END_TEST

static int decode_once(const struct v23_alloc *al, void *ud)
{
    const struct v23_bytes *vom = ud;
    struct vsec_chain_cache *cache = NULL;
    struct vsec_blessings *b = NULL;
    struct vsec_engine *mine;
    int rc = vsec_engine_new(&mine, &counted, al, NULL);

    if (rc != 0)
        return rc;
    rc = vsec_chain_cache_new(mine, 8, &cache);
    if (rc == 0)
        rc = vsec_blessings_decode(mine, cache, *vom, &b);
    vsec_blessings_unref(b);
    vsec_chain_cache_free(cache);
    vsec_engine_unref(mine);
    return rc;
}

START_TEST(decoding_survives_out_of_memory)
{
    struct v23_bytes vom;
    struct v23_buf b;

    v23_buf_init(&b, &mem.al, 1 << 16);
    ck_assert_int_eq(vsec_blessings_encode(&mem.al, good, &b), 0);
    vom = v23_bytes(b.p, b.n);
    tst_out_of_memory(decode_once, &vom);
    v23_buf_fini(&b);
}
END_TEST

/* No cut or changed value yields other names or another key: what is accepted
 * was changed where nothing is covered (fields of other algorithms) or where
 * the meaning stays (an unknown hash stands for SHA512). */
START_TEST(no_mutation_passes_for_something_else)
{
    struct vsec_blessings *x;
    struct v23_buf b;
    size_t i;
    int bit;

    v23_buf_init(&b, &mem.al, 1 << 16);
    ck_assert_int_eq(vsec_blessings_encode(&mem.al, good, &b), 0);
    for (i = 0; i < b.n; i++) {
        x = NULL;
        ck_assert_int_lt(vsec_blessings_decode(e, NULL, v23_bytes(b.p, i),
            &x), 0);
    }
    for (i = 0; i < b.n; i++)
        for (bit = _i; bit < 8; bit += 4) {
            b.p[i] ^= (uint8_t)(1 << bit);
            x = NULL;
            if (vsec_blessings_decode(e, NULL, v23_bytes(b.p, b.n), &x) == 0
                && x != NULL)
                ck_assert_msg(vsec_pubkey_eq(x->key, good->key)
                        && vdl_str_eq(x->text, good->text)
                        && x->chains[0].ncaveats == good->chains[0].ncaveats,
                    "octet %zu bit %d", i, bit);
            vsec_blessings_unref(x);
            b.p[i] ^= (uint8_t)(1 << bit);
        }
    v23_buf_fini(&b);
}
END_TEST

/* ---- cache --------------------------------------------------------------- */

static int verified;

static int counting_verify(const struct vsec_alg *alg, struct vsec_engine *en,
    void *shared, void *pub, const struct vsec_hash_alg *h,
    struct v23_bytes digest, const struct vsec_sigval *sig)
{
    (void)alg;
    verified++;
    return vsec_sodium_ed25519.verify(&vsec_sodium_ed25519, en, shared, pub,
        h, digest, sig);
}

START_TEST(cache_saves_verification_of_known_prefixes)
{
    struct vsec_alg counting = vsec_sodium_ed25519;
    const struct vsec_alg *algs[] = { &counting, NULL };
    struct vsec_crypto crypto = vsec_crypto_default;
    struct vsec_chain_cache *cache;
    struct vsec_engine *mine;
    struct vsec_blessings *x;

    counting.verify = counting_verify;
    crypto.algs = algs;
    ck_assert_int_eq(vsec_engine_new(&mine, &crypto, &mem.al, NULL), 0);
    ck_assert_int_eq(vsec_chain_cache_new(mine, 0, &cache), 0);

    verified = 0;
    wire.certificate_chains.n = 1;
    ck_assert_int_eq(vsec_blessings_from_wire(mine, cache, &wire, &x), 0);
    vsec_blessings_unref(x);
    ck_assert_int_eq(verified, 2);
    ck_assert_uint_eq(vsec_chain_cache_count(cache), 2);
    ck_assert_int_eq(vsec_blessings_from_wire(mine, cache, &wire, &x), 0);
    vsec_blessings_unref(x);
    ck_assert_int_eq(verified, 2);

    /* The root is known, what it signed is not. */
    certs[0][1].extension = vdl_str("eve");
    ck_assert_int_eq(vsec_blessings_from_wire(mine, cache, &wire, &x),
        V23_ESIG);
    ck_assert_int_eq(verified, 3);
    ck_assert_uint_eq(vsec_chain_cache_count(cache), 2);
    vsec_chain_cache_free(cache);
    vsec_engine_unref(mine);
}
END_TEST

START_TEST(cache_gives_the_same_object_for_the_same_octets)
{
    struct vsec_chain_cache *cache;
    struct vsec_blessings *b, *x, *y;
    struct v23_buf vom;

    ck_assert_int_eq(vsec_chain_cache_new(e, 0, &cache), 0);
    v23_buf_init(&vom, &mem.al, 1 << 16);
    b = self(anna, "anna");
    ck_assert_int_eq(vsec_blessings_encode(&mem.al, b, &vom), 0);

    ck_assert_int_eq(vsec_blessings_decode(e, cache,
        v23_bytes(vom.p, vom.n), &x), 0);
    ck_assert_int_eq(vsec_blessings_decode(e, cache,
        v23_bytes(vom.p, vom.n), &y), 0);
    ck_assert_ptr_eq(x, y);
    vsec_blessings_unref(y);
    ck_assert_int_eq(vsec_blessings_from_wire(e, cache, &b->wire, &y), 0);
    ck_assert_ptr_eq(x, y);
    vsec_blessings_unref(y);
    vsec_blessings_unref(x);

    vsec_blessings_unref(b);
    v23_buf_fini(&vom);
    vsec_chain_cache_free(cache);
}
END_TEST

/* Fields that no digest covers count too: they go on the wire again. */
START_TEST(cache_tells_blessings_apart_by_every_field)
{
    static const uint8_t one[] = { 1 };
    v23_security_certificate cert;
    v23_security_certificate_list chain = { &cert, 1 };
    v23_security_wire_blessings w;
    struct vsec_chain_cache *cache;
    struct vsec_blessings *b, *x, *y;

    ck_assert_int_eq(vsec_chain_cache_new(e, 0, &cache), 0);
    b = self(anna, "anna");
    ck_assert_int_eq(vsec_blessings_from_wire(e, cache, &b->wire, &x), 0);

    cert = b->chains[0].certs.v[0];
    cert.signature.rsa = vdl_bytes(one, 1);
    w.certificate_chains.v = &chain;
    w.certificate_chains.n = 1;
    ck_assert_int_eq(vsec_blessings_from_wire(e, cache, &w, &y), 0);
    ck_assert_ptr_ne(x, y);
    ck_assert_uint_eq(y->chains[0].certs.v[0].signature.rsa.n, 1);
    vsec_blessings_unref(y);

    cert.signature = b->chains[0].certs.v[0].signature;
    cert.extension = vdl_str("anno");
    ck_assert_int_eq(vsec_blessings_from_wire(e, cache, &w, &y), V23_ESIG);

    vsec_blessings_unref(x);
    vsec_blessings_unref(b);
    vsec_chain_cache_free(cache);
}
END_TEST

START_TEST(cache_stays_bounded)
{
    struct vsec_chain_cache *cache;
    struct vsec_blessings *x, *y;
    char name[16];
    int i;

    ck_assert_int_eq(vsec_chain_cache_new(e, 8, &cache), 0);
    for (i = 0; i < 40; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        x = self(anna, name);
        ck_assert_int_eq(vsec_blessings_from_wire(e, cache, &x->wire, &y), 0);
        vsec_blessings_unref(x);
        vsec_blessings_unref(y);
    }
    ck_assert_uint_le(vsec_chain_cache_count(cache), 8);
    ck_assert_uint_ge(vsec_chain_cache_count(cache), 4);
    vsec_chain_cache_free(cache);
}
END_TEST

/* ---- derived values ------------------------------------------------------ */

START_TEST(union_sorts_and_keeps_duplicates)
{
    struct vsec_blessings *v[4], *sum;

    v[0] = NULL;
    v[1] = self(anna, "b");
    v[2] = self(anna, "a");
    v[3] = v[1];
    ck_assert_int_eq(vsec_blessings_union(v, 4, &sum), 0);
    text_is(vsec_blessings_text(sum), "a,b,b");
    vsec_blessings_unref(sum);
    vsec_blessings_unref(v[1]);
    vsec_blessings_unref(v[2]);
}
END_TEST

START_TEST(union_needs_one_key)
{
    struct vsec_blessings *v[2], *sum = NULL;

    v[0] = self(anna, "a");
    v[1] = self(bert, "b");
    ck_assert_int_eq(vsec_blessings_union(v, 2, &sum), V23_EKEYMISMATCH);
    ck_assert_ptr_null(sum);
    ck_assert_int_eq(vsec_blessings_union(v, 1, &sum), 0);
    ck_assert_ptr_eq(sum, v[0]);
    vsec_blessings_unref(sum);
    vsec_blessings_unref(v[0]);
    vsec_blessings_unref(v[1]);
    ck_assert_int_eq(vsec_blessings_union(NULL, 0, &sum), 0);
    ck_assert_ptr_null(sum);
}
END_TEST

START_TEST(roots_stand_alone)
{
    struct vsec_blessings *root;

    ck_assert_int_eq(vsec_blessings_root(good, 0, &root), 0);
    ck_assert(vsec_pubkey_eq(root->key, anna->key));
    text_is(vsec_blessings_text(root), "anna");
    ck_assert_int_eq(from_wire(&root->wire), 0);
    vsec_blessings_unref(root);
    ck_assert_int_eq(vsec_blessings_root(good, 2, &root), V23_EARG);
    ck_assert_int_eq(vsec_blessings_root(NULL, 0, &root), V23_EARG);
}
END_TEST

START_TEST(only_plain_caveats_may_sign)
{
    struct vsec_blessings *x = self(anna, "anna"), *y, *sub;
    v23_security_caveat c;

    ck_assert_int_eq(vsec_caveat_method(&arena, strs("m", NULL, NULL), &c),
        0);
    y = bless(anna, bert, x, "m", &c);
    ck_assert_int_eq(vsec_blessings_for_signing(y, &sub), 0);
    ck_assert_ptr_null(sub);
    ck_assert_int_eq(vsec_blessings_for_signing(good, &sub), 0);
    ck_assert(vsec_blessings_eq(sub, good));
    vsec_blessings_unref(sub);
    vsec_blessings_unref(x);
    vsec_blessings_unref(y);
}
END_TEST

START_TEST(names_that_could_be_had)
{
    struct vsec_blessings *x = self(anna, "*.example.com");

    ck_assert(vsec_blessings_could_have_names(x,
        strs("www.example.com", "*.example.com", NULL)));
    ck_assert(!vsec_blessings_could_have_names(x,
        strs("a.b.example.com", NULL, NULL)));
    ck_assert(!vsec_blessings_could_have_names(x,
        strs(".example.com", NULL, NULL)));
    ck_assert(vsec_blessings_could_have_names(NULL,
        strs(NULL, NULL, NULL)));
    ck_assert(!vsec_blessings_could_have_names(NULL, strs("a", NULL, NULL)));
    vsec_blessings_unref(x);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, zero_blessings_are_null);
    tcase_add_test(t, a_chain_names_its_holder);
    tcase_add_test(t, objects_outlive_their_makers);
    tcase_add_test(t, nameless_blessings_convey_a_key);
    tcase_add_test(t, unspoiled_value_verifies);
    tcase_add_loop_test(t, signatures_cover_names_keys_and_caveats, 0, 10);
    tcase_add_test(t, key_of_the_issuer_is_covered);
    tcase_add_test(t, purpose_must_be_that_of_certificates);
    tcase_add_test(t, chains_must_end_at_one_key);
    tcase_add_loop_test(t, empty_chains_are_refused, 0, 2);
    tcase_add_loop_test(t, malformed_keys_are_refused, 0, 2);
    tcase_add_test(t, counts_are_limited);
    tcase_add_test(t, decoding_survives_out_of_memory);
    tcase_add_loop_test(t, no_mutation_passes_for_something_else, 0, 4);
    tcase_add_test(t, cache_saves_verification_of_known_prefixes);
    tcase_add_test(t, cache_gives_the_same_object_for_the_same_octets);
    tcase_add_test(t, cache_tells_blessings_apart_by_every_field);
    tcase_add_test(t, cache_stays_bounded);
    tcase_add_test(t, union_sorts_and_keeps_duplicates);
    tcase_add_test(t, union_needs_one_key);
    tcase_add_test(t, roots_stand_alone);
    tcase_add_test(t, only_plain_caveats_may_sign);
    tcase_add_test(t, names_that_could_be_had);
}

int main(void)
{
    return tst_run_case("security/blessings", add, spoil_setup, spoil_teardown);
}

/* BSD-3-Clause; see LICENSE. */
/* Principals, stores, roots and the discharge cache, in memory. */
#include "people.h"

#include <vsec/check.h>

/* ---- blessing ------------------------------------------------------------ */

START_TEST(blessing_needs_own_names)
{
    struct vsec_principal *a = person(), *b = person();
    struct vsec_blessings *x = self(a, "a"), *nameless, *out = NULL;
    v23_security_caveat any = vsec_caveat_unconstrained();
    struct vsec_bless what = { b->key, x, VDL_STR_INIT("b"), one(&any) };

    ck_assert_int_eq(vsec_principal_bless(b, &what, &out), V23_EKEYMISMATCH);
    what.with = NULL;
    ck_assert_int_eq(vsec_principal_bless(a, &what, &out), V23_EARG);
    ck_assert_int_eq(vsec_blessings_nameless(a->key, &nameless), 0);
    what.with = nameless;
    ck_assert_int_eq(vsec_principal_bless(a, &what, &out), V23_EARG);
    what.with = x;
    what.caveats.n = 0;
    ck_assert_int_eq(vsec_principal_bless(a, &what, &out), V23_EARG);
    what.caveats.n = 1;
    what.extension = vdl_str("b/c");
    ck_assert_int_eq(vsec_principal_bless(a, &what, &out), V23_EPATTERN);
    ck_assert_ptr_null(out);
    vsec_blessings_unref(x);
    vsec_blessings_unref(nameless);
    vsec_principal_unref(a);
    vsec_principal_unref(b);
}
END_TEST

START_TEST(every_chain_is_extended)
{
    struct vsec_principal *a = person(), *b = person();
    struct vsec_blessings *v[2], *sum, *out, *back;

    v[0] = self(a, "x");
    v[1] = self(a, "y");
    ck_assert_int_eq(vsec_blessings_union(v, 2, &sum), 0);
    out = bless(a, b, sum, "z", NULL);
    text_is(vsec_blessings_text(out), "x:z,y:z");
    ck_assert_int_eq(vsec_blessings_from_wire(e, NULL, &out->wire, &back), 0);
    ck_assert(vsec_blessings_eq(out, back));
    vsec_blessings_unref(back);
    vsec_blessings_unref(out);
    vsec_blessings_unref(sum);
    vsec_blessings_unref(v[0]);
    vsec_blessings_unref(v[1]);
    vsec_principal_unref(a);
    vsec_principal_unref(b);
}
END_TEST

START_TEST(mixed_key_kinds_make_valid_chains)
{
    static const char *const types[] = { "ecdsa256", "ecdsa384", "ecdsa521",
        "ed25519" };
    struct vsec_principal *p[4];
    struct vsec_blessings *x = NULL, *y;
    int i;

    for (i = 0; i < 4; i++) {
        ck_assert_int_eq(vsec_principal_generate(e, types[i], &p[i]), 0);
        y = i == 0 ? self(p[0], "n0")
                   : bless(p[i - 1], p[i], x, "n", NULL);
        vsec_blessings_unref(x);
        x = y;
    }
    ck_assert_int_eq(vsec_blessings_from_wire(e, NULL, &x->wire, &y), 0);
    text_is(vsec_blessings_text(y), "n0:n:n:n");
    ck_assert(vsec_blessings_eq(x, y));
    vsec_blessings_unref(x);
    vsec_blessings_unref(y);
    for (i = 0; i < 4; i++)
        vsec_principal_unref(p[i]);
}
END_TEST

START_TEST(public_key_alone_signs_nothing)
{
    const v23_security_caveat_list none = { NULL, 0 };
    struct vsec_principal *a = person(), *p;
    struct vsec_blessings *x = self(a, "a"), *out;
    v23_security_caveat any = vsec_caveat_unconstrained();
    struct vsec_bless what = { a->key, x, VDL_STR_INIT("b"), one(&any) };
    struct vsec_signature sig;

    ck_assert_int_eq(vsec_principal_new(e, NULL, NULL, NULL, NULL, &p),
        V23_EARG);
    ck_assert_int_eq(vsec_principal_new(e, NULL, a->key, NULL, NULL, &p), 0);
    ck_assert_int_eq(vsec_principal_sign(p, "m", 1, &arena, &sig, NULL),
        V23_ENOSYS);
    ck_assert_int_eq(vsec_principal_bless_self(p, vdl_str("x"), none, &out),
        V23_ENOSYS);
    ck_assert_int_eq(vsec_principal_bless(p, &what, &out), V23_ENOSYS);
    vsec_principal_unref(p);
    vsec_blessings_unref(x);
    vsec_principal_unref(a);
}
END_TEST

START_TEST(messages_are_signed_for_their_purpose)
{
    struct vsec_principal *a = person();
    struct vsec_signature sig;

    ck_assert_int_eq(vsec_principal_sign(a, "hello", 5, &arena, &sig, NULL),
        0);
    ck_assert_mem_eq(sig.purpose.p, "S1", 2);
    ck_assert_int_eq(vsec_verify(a->key, &sig, "hello", 5), 0);
    ck_assert_int_eq(vsec_verify(a->key, &sig, "hallo", 5), V23_ESIG);
    vsec_principal_unref(a);
}
END_TEST

START_TEST(parts_must_belong_together)
{
    struct vsec_principal *a = person(), *b = person(), *p;

    ck_assert_int_eq(vsec_principal_new(e, a->signer, b->key, NULL, NULL, &p),
        V23_EKEYMISMATCH);
    ck_assert_int_eq(vsec_principal_new(e, a->signer, NULL, b->store, NULL,
        &p), V23_EKEYMISMATCH);
    vsec_principal_unref(a);
    vsec_principal_unref(b);
}
END_TEST

START_TEST(defaults_are_recognized_and_shown)
{
    struct vsec_principal *a = person();
    struct vsec_blessings *x = self(a, "alice"), *shown;
    const struct vsec_root *roots;
    size_t n;

    ck_assert_int_eq(vsec_principal_set_default_blessings(a, x), 0);
    ck_assert_ptr_eq(vsec_store_default(a->store), x);
    ck_assert_int_eq(vsec_store_for_peer(a->store, strs("whoever", NULL,
        NULL), &shown), 0);
    ck_assert(vsec_blessings_eq(shown, x));
    roots = vsec_roots_all(a->roots, &n);
    ck_assert_uint_eq(n, 1);
    text_is(roots[0].patterns[0], "alice");
    vsec_blessings_unref(shown);
    vsec_blessings_unref(x);
    vsec_principal_unref(a);
}
END_TEST

/* ---- store --------------------------------------------------------------- */

static struct vsec_principal *own, *foreign;

static void store_setup(void)
{
    people_setup();
    own = person();
    foreign = person();
}

static void store_teardown(void)
{
    vsec_principal_unref(own);
    vsec_principal_unref(foreign);
    people_teardown();
}

START_TEST(set_replaces_and_deletes)
{
    struct vsec_blessings *x = self(own, "x"), *y = self(own, "y"), *old;
    struct vsec_store *s = own->store;
    size_t n;

    old = x;
    ck_assert_int_eq(vsec_store_set(s, x, vdl_str("p"), &old), 0);
    ck_assert_ptr_null(old);
    ck_assert_int_eq(vsec_store_set(s, y, vdl_str("p"), &old), 0);
    ck_assert_ptr_eq(old, x);
    vsec_blessings_unref(old);
    ck_assert_int_eq(vsec_store_set(s, NULL, vdl_str("p"), &old), 0);
    ck_assert_ptr_eq(old, y);
    vsec_blessings_unref(old);
    vsec_store_peers(s, &n);
    ck_assert_uint_eq(n, 0);
    ck_assert_int_eq(vsec_store_set(s, NULL, vdl_str("p"), NULL), 0);
    vsec_blessings_unref(x);
    vsec_blessings_unref(y);
}
END_TEST

START_TEST(set_checks_pattern_and_key)
{
    struct vsec_blessings *x = self(own, "x"), *y = self(foreign, "y");

    ck_assert_int_eq(vsec_store_set(own->store, x, vdl_str("a::b"), NULL),
        V23_EPATTERN);
    ck_assert_int_eq(vsec_store_set(own->store, y, vdl_str("a"), NULL),
        V23_EKEYMISMATCH);
    ck_assert_int_eq(vsec_store_set_default(own->store, y),
        V23_EKEYMISMATCH);
    own->store->readonly = true;
    ck_assert_int_eq(vsec_store_set(own->store, x, vdl_str("a"), NULL),
        V23_ENOSYS);
    ck_assert_int_eq(vsec_store_set_default(own->store, x), V23_ENOSYS);
    vsec_blessings_unref(x);
    vsec_blessings_unref(y);
}
END_TEST

START_TEST(peers_see_the_union_of_what_matches)
{
    struct vsec_blessings *x = self(own, "x"), *y = self(own, "y"), *out;
    struct vsec_store *s = own->store;

    ck_assert_int_eq(vsec_store_set(s, y, vdl_str("..."), NULL), 0);
    ck_assert_int_eq(vsec_store_set(s, x, vdl_str("friend"), NULL), 0);
    ck_assert_int_eq(vsec_store_for_peer(s, strs("friend:phone", NULL, NULL),
        &out), 0);
    text_is(vsec_blessings_text(out), "x,y");
    vsec_blessings_unref(out);
    ck_assert_int_eq(vsec_store_for_peer(s, strs(NULL, NULL, NULL), &out), 0);
    text_is(vsec_blessings_text(out), "y");
    vsec_blessings_unref(out);
    vsec_blessings_unref(x);
    vsec_blessings_unref(y);
}
END_TEST

static int changes;
static struct vsec_store_watch watch;

static void changed(void *ud, struct vsec_store *s)
{
    changes++;
    if (ud != NULL)
        vsec_store_unwatch(s, &watch);
}

START_TEST(watchers_hear_of_new_defaults)
{
    struct vsec_blessings *x = self(own, "x");

    changes = 0;
    watch.changed = changed;
    watch.ud = NULL;
    vsec_store_watch(own->store, &watch);
    ck_assert_int_eq(vsec_store_set_default(own->store, x), 0);
    ck_assert_int_eq(vsec_store_set(own->store, x, vdl_str("a"), NULL), 0);
    ck_assert_int_eq(changes, 1);
    watch.ud = &changes; /* now it leaves from inside */
    ck_assert_int_eq(vsec_store_set_default(own->store, NULL), 0);
    ck_assert_int_eq(vsec_store_set_default(own->store, x), 0);
    ck_assert_int_eq(changes, 2);
    vsec_blessings_unref(x);
}
END_TEST

START_TEST(store_and_roots_print_like_the_reference)
{
    struct vsec_blessings *x = self(own, "x");
    struct v23_buf b;
    char print[VSEC_FINGERPRINT], want[400];

    ck_assert_int_eq(vsec_principal_set_default_blessings(own, x), 0);
    ck_assert_int_eq(vsec_store_set(own->store, x, vdl_str("$"), NULL), 0);
    v23_buf_init(&b, &mem.al, 4096);
    ck_assert_int_eq(vsec_store_format(own->store, &b), 0);
    ck_assert_str_eq(v23_buf_cstr(&b),
        "Default Blessings                x\n"
        "Peer pattern                     Blessings\n"
        "...                              x\n"
        "$                                x\n");
    v23_buf_cut(&b, 0);
    ck_assert_int_eq(vsec_roots_add(own->roots, own->key->der,
        vdl_str("b:$")), 0);
    ck_assert_int_eq(vsec_roots_format(own->roots, &b), 0);
    ck_assert_int_eq(vsec_fingerprint(e->crypto, own->key->der, print), 0);
    snprintf(want, sizeof(want), "Public key                              "
        "          Pattern\n%s   [x b:$]\n", print);
    ck_assert_str_eq(v23_buf_cstr(&b), want);
    v23_buf_fini(&b);
    vsec_blessings_unref(x);
}
END_TEST

/* ---- roots --------------------------------------------------------------- */

START_TEST(roots_refuse_everybody_and_bad_keys)
{
    struct vsec_roots *r = own->roots;
    size_t n;

    ck_assert_int_eq(vsec_roots_add(r, own->key->der, vdl_str("...")),
        V23_EPATTERN);
    ck_assert_int_eq(vsec_roots_add(r, vdl_bytes((const uint8_t *)"k", 1),
        vdl_str("a")), V23_EKEY);
    r->readonly = true;
    ck_assert_int_eq(vsec_roots_add(r, own->key->der, vdl_str("a")),
        V23_ENOSYS);
    vsec_roots_all(r, &n);
    ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(roots_are_authorities_on_their_patterns)
{
    struct vsec_roots *r = own->roots;
    struct vdl_bytes k = own->key->der;
    size_t n;

    ck_assert_int_eq(vsec_roots_add(r, k, vdl_str("a")), 0);
    ck_assert_int_eq(vsec_roots_add(r, k, vdl_str("a")), 0);
    ck_assert_int_eq(vsec_roots_add(r, k, vdl_str("b:$")), 0);
    ck_assert_int_eq(vsec_roots_add(r, foreign->key->der, vdl_str("c")), 0);
    ck_assert_uint_eq(vsec_roots_all(r, &n)[0].npatterns
        + vsec_roots_all(r, &n)[1].npatterns, 3);
    ck_assert_int_eq(vsec_roots_recognized(r, k, vdl_str("a:x")), 0);
    ck_assert_int_eq(vsec_roots_recognized(r, k, vdl_str("b")), 0);
    ck_assert_int_eq(vsec_roots_recognized(r, k, vdl_str("b:x")),
        V23_EUNTRUSTED);
    ck_assert_int_eq(vsec_roots_recognized(r, k, vdl_str("c")),
        V23_EUNTRUSTED);
}
END_TEST

START_TEST(x509_roots_are_refused_without_support)
{
    v23_security_certificate c;
    const struct v23_verror *err = NULL;

    memset(&c, 0, sizeof(c));
    c.public_key = own->key->der;
    c.x509_raw = vdl_bytes((const uint8_t *)"x", 1);
    ck_assert_int_eq(vsec_roots_add(own->roots, own->key->der, vdl_str("a")),
        0);
    ck_assert_int_eq(vsec_roots_recognized_cert(own->roots, &c, vdl_str("a"),
        at(0), &arena, &err), V23_EUNTRUSTED);
    ck_assert(v23_security_err_unrecognized_root_is(err));
}
END_TEST

/* ---- discharge cache ----------------------------------------------------- */

static v23_security_caveat third_party(bool report_method)
{
    v23_security_caveat any = vsec_caveat_unconstrained(), c;
    struct vsec_third_party what;

    memset(&what, 0, sizeof(what));
    what.key = foreign->key->der;
    what.wants.report_method = report_method;
    what.caveats = one(&any);
    ck_assert_int_eq(vsec_caveat_third_party(e, &arena, &what, &c), 0);
    return c;
}

static struct vsec_discharge *discharge(const v23_security_caveat *tp,
    int64_t until)
{
    v23_security_caveat c;
    struct vsec_discharge *d;

    ck_assert_int_eq(vsec_caveat_expiry(&arena, at(until), &c), 0);
    ck_assert_int_eq(vsec_principal_mint_discharge(foreign, tp, one(&c), &d),
        0);
    return d;
}

START_TEST(discharges_are_found_until_they_expire)
{
    v23_security_caveat tp = third_party(true);
    struct vsec_discharge *d = discharge(&tp, 100), *got;
    v23_security_discharge_impetus get, put;
    struct v23_walltime cached;

    memset(&get, 0, sizeof(get));
    put = get;
    get.method = vdl_str("Get");
    put.method = vdl_str("Put");
    ck_assert_int_eq(vsec_store_cache_discharge(own->store, d, &tp, &get,
        at(50)), 0);
    ck_assert_int_eq(vsec_store_discharge(own->store, &tp, &get, at(99), &got,
        &cached), 0);
    ck_assert_ptr_eq(got, d);
    ck_assert_int_eq(cached.sec, 50);
    vsec_discharge_unref(got);
    ck_assert_int_eq(vsec_store_discharge(own->store, &tp, &put, at(99), &got,
        NULL), 0);
    ck_assert_ptr_null(got);
    ck_assert_int_eq(vsec_store_discharge(own->store, &tp, &get, at(100),
        &got, NULL), 0);
    ck_assert_ptr_null(got);

    ck_assert_int_eq(vsec_store_clear_discharges(own->store, &d, 1), 0);
    ck_assert_int_eq(vsec_store_discharge(own->store, &tp, &get, at(1), &got,
        NULL), 0);
    ck_assert_ptr_null(got);
    vsec_discharge_unref(d);
}
END_TEST

START_TEST(what_cannot_be_cached_is_ignored)
{
    v23_security_caveat tp = third_party(false);
    v23_security_caveat plain = vsec_caveat_unconstrained();
    struct vsec_discharge *d = discharge(&tp, 100), *got;
    v23_security_discharge_impetus imp;

    memset(&imp, 0, sizeof(imp));
    ck_assert_int_eq(vsec_store_cache_discharge(own->store, d, &plain, &imp,
        at(1)), 0);
    ck_assert_int_eq(vsec_store_discharge(own->store, &plain, &imp, at(1),
        &got, NULL), 0);
    ck_assert_ptr_null(got);
    vsec_discharge_unref(d);
}
END_TEST

START_TEST(read_only_stores_keep_discharges_in_memory)
{
    v23_security_caveat tp = third_party(false);
    struct vsec_discharge *d = discharge(&tp, 100), *got;
    v23_security_discharge_impetus imp;

    memset(&imp, 0, sizeof(imp));
    own->store->readonly = true;
    ck_assert_int_eq(vsec_store_cache_discharge(own->store, d, &tp, &imp,
        at(1)), 0);
    ck_assert_int_eq(vsec_store_discharge(own->store, &tp, &imp, at(2), &got,
        NULL), 0);
    ck_assert_ptr_eq(got, d);
    vsec_discharge_unref(got);
    ck_assert_int_eq(vsec_store_clear_discharges(own->store, &d, 1), 0);
    ck_assert_int_eq(vsec_store_discharge(own->store, &tp, &imp, at(2), &got,
        NULL), 0);
    ck_assert_ptr_null(got);
    vsec_discharge_unref(d);
}
END_TEST

START_TEST(expired_discharges_make_room)
{
    v23_security_caveat a = third_party(false), b = third_party(false);
    struct vsec_discharge *x = discharge(&a, 10), *y = discharge(&b, 1000);
    v23_security_discharge_impetus imp;

    memset(&imp, 0, sizeof(imp));
    ck_assert_int_eq(vsec_store_cache_discharge(own->store, x, &a, &imp,
        at(1)), 0);
    ck_assert_int_eq(vsec_store_cache_discharge(own->store, y, &b, &imp,
        at(20)), 0);
    ck_assert_uint_eq(own->store->state.ndischarges, 1);
    vsec_discharge_unref(x);
    vsec_discharge_unref(y);
}
END_TEST

/* ---- lack of memory ------------------------------------------------------ */

static int live_once(const struct v23_alloc *al, void *ud)
{
    const v23_security_caveat_list none = { NULL, 0 };
    struct vsec_principal *p = NULL;
    struct vsec_blessings *b = NULL, *out = NULL;
    struct vsec_engine *mine;
    int rc = vsec_engine_new(&mine, &counted, al, NULL);

    (void)ud;
    if (rc != 0)
        return rc;
    rc = vsec_principal_generate(mine, "ed25519", &p);
    if (rc == 0)
        rc = vsec_principal_bless_self(p, vdl_str("x"), none, &b);
    if (rc == 0)
        rc = vsec_principal_set_default_blessings(p, b);
    if (rc == 0)
        rc = vsec_store_for_peer(p->store, strs("y", NULL, NULL), &out);
    vsec_blessings_unref(out);
    vsec_blessings_unref(b);
    vsec_principal_unref(p);
    vsec_engine_unref(mine);
    return rc;
}

START_TEST(life_survives_out_of_memory)
{
    tst_out_of_memory(live_once, NULL);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, blessing_needs_own_names);
    tcase_add_test(t, every_chain_is_extended);
    tcase_add_test(t, mixed_key_kinds_make_valid_chains);
    tcase_add_test(t, public_key_alone_signs_nothing);
    tcase_add_test(t, messages_are_signed_for_their_purpose);
    tcase_add_test(t, parts_must_belong_together);
    tcase_add_test(t, defaults_are_recognized_and_shown);
    tcase_add_test(t, set_replaces_and_deletes);
    tcase_add_test(t, set_checks_pattern_and_key);
    tcase_add_test(t, peers_see_the_union_of_what_matches);
    tcase_add_test(t, watchers_hear_of_new_defaults);
    tcase_add_test(t, store_and_roots_print_like_the_reference);
    tcase_add_test(t, roots_refuse_everybody_and_bad_keys);
    tcase_add_test(t, roots_are_authorities_on_their_patterns);
    tcase_add_test(t, x509_roots_are_refused_without_support);
    tcase_add_test(t, discharges_are_found_until_they_expire);
    tcase_add_test(t, what_cannot_be_cached_is_ignored);
    tcase_add_test(t, read_only_stores_keep_discharges_in_memory);
    tcase_add_test(t, expired_discharges_make_room);
    tcase_add_test(t, life_survives_out_of_memory);
}

int main(void)
{
    return tst_run_case("security/principal", add, store_setup, store_teardown);
}

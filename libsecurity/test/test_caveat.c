/* BSD-3-Clause; see LICENSE. */
/* Caveats, their texts and ids; discharges; instants. */
#include "people.h"

#include <vom/enc.h>
#include <vom/time.h>

#include "key_data.h"

/* ---- instants ------------------------------------------------------------ */

START_TEST(instants_convert_both_ways)
{
    static const struct v23_walltime t[] = { { 0, 0 }, { 1451606400, 0 },
        { -1, 500000000 }, { 1728388800, 123456789 },
        { -62135596800, 0 }, { -62135596801, 999999999 } };
    struct v23_walltime back = vsec_time_from_wire(vsec_time_to_wire(t[_i]));

    ck_assert_int_eq(v23_walltime_cmp(t[_i], back), 0);
}
END_TEST

START_TEST(before_1970_is_normalised)
{
    v23_time_time w = vsec_time_to_wire((struct v23_walltime) { -1,
        500000000 });

    ck_assert_int_eq(w.seconds, 62135596799);
    ck_assert_int_eq(w.nanos, 500000000);
}
END_TEST

/* Numbers that no honest peer sends stay ordered and in range. */
START_TEST(odd_instants_are_taken)
{
    static const v23_time_time odd[] = { { INT64_MIN, INT32_MIN },
        { INT64_MAX, INT32_MAX }, { 0, -1 }, { 5, -1500000000 },
        { INT64_MIN, 0 } };
    struct v23_walltime t = vsec_time_from_wire(odd[_i]);

    ck_assert_int_ge(t.nanos, 0);
    ck_assert_int_lt(t.nanos, 1000000000);
    ck_assert((t.sec > at(0).sec) == (odd[_i].seconds > V23_TIME_UNIX_EPOCH));
}
END_TEST

START_TEST(instants_print_like_the_reference)
{
    static const struct {
        struct v23_walltime t;
        const char *text;
    } v[] = {
        { { 1451606400, 0 }, "2016-01-01 00:00:00 +0000 UTC" },
        { { 1728388800, 123456789 },
            "2024-10-08 12:00:00.123456789 +0000 UTC" },
        { { -1, 500000000 }, "1969-12-31 23:59:59.5 +0000 UTC" },
        { { -62135596800, 0 }, "0001-01-01 00:00:00 +0000 UTC" },
        { { 951782400, 1 }, "2000-02-29 00:00:00.000000001 +0000 UTC" },
        { { 253402300800, 0 }, "10000-01-01 00:00:00 +0000 UTC" },
        { { -62167219201, 0 }, "-0001-12-31 23:59:59 +0000 UTC" },
    };
    struct v23_buf b;

    v23_buf_init(&b, &mem.al, 100);
    vsec_time_format(v[_i].t, &b);
    ck_assert_str_eq(v23_buf_cstr(&b), v[_i].text);
    v23_buf_fini(&b);
}
END_TEST

/* ---- making and reading -------------------------------------------------- */

static void param_is(const v23_security_caveat *c, const char *want)
{
    ck_assert_str_eq(unhex(c->param_vom.p, c->param_vom.n),
        unhex(hex(want).p, hex(want).n));
}

START_TEST(parameters_are_encoded_as_specified)
{
    v23_security_caveat c = vsec_caveat_unconstrained();

    param_is(&c, "81 02 01");
    ck_assert_int_eq(vsec_caveat_expiry(&arena, at(1451606400), &c), 0);
    param_is(&c, "81512506000974696d652e54696d65010200075365636f6e64730109e1"
                 "00054e616e6f730108e1e1520800fb1d9c2f7100e1");
    ck_assert(vsec_caveat_is(&c, &vsec_kind_expiry));
    ck_assert_int_eq(vsec_caveat_method(&arena, strs("Get", "Put", NULL), &c),
        0);
    param_is(&c, "81 50 09 02 03 476574 03 507574");
    ck_assert_int_eq(vsec_caveat_peers(&arena,
        strs("root:server", NULL, NULL), &c), 0);
    param_is(&c, "81 53 27 00 00 21 762e696f2f7632332f73656375726974792e426c65"
                 "7373696e675061747465726e 01 03 e1 51 04 03 01 2a e1"
                 "52 0d 01 0b 726f6f743a736572766572");
    ck_assert_int_eq(vsec_caveat_access_tags(&arena,
        strs("Read", NULL, NULL), &c), 0);
    ck_assert(vsec_caveat_is(&c, &vsec_kind_access_tag));
    ck_assert(!vsec_caveat_is(&c, &vsec_kind_method));
}
END_TEST

START_TEST(parameter_with_any_is_refused)
{
    static const v23_security_caveat_descriptor desc = { { { 1 } },
        &vdl_any_desc };
    struct vsec_caveat_kind kind = { &desc, "Any", NULL, NULL, NULL };
    struct vdl_any nil = { NULL, NULL };
    v23_security_caveat c;

    ck_assert_int_eq(vsec_caveat_make(&arena, &kind, &nil, &c), V23_EARG);
}
END_TEST

START_TEST(parameters_decode_or_are_refused)
{
    v23_security_caveat c;
    v23_time_time t;
    bool b;

    ck_assert_int_eq(vsec_caveat_not_before(&arena, at(7), &c), 0);
    ck_assert_int_eq(vsec_caveat_param(&c, &vsec_kind_not_before, &arena, &t),
        0);
    ck_assert_int_eq(t.seconds, 7 + V23_TIME_UNIX_EPOCH);
    ck_assert_int_eq(vsec_caveat_param(&c, &vsec_kind_const, &arena, &b),
        V23_ENOENT);

    c = vsec_caveat_unconstrained();
    c.param_vom.n--;
    ck_assert_int_lt(vsec_caveat_param(&c, &vsec_kind_const, &arena, &b), 0);
}
END_TEST

START_TEST(text_survives_bad_parameters)
{
    v23_security_caveat c = vsec_caveat_unconstrained();
    struct v23_buf b;

    v23_buf_init(&b, &mem.al, 4096);
    c.param_vom.n = 2;
    ck_assert_int_eq(vsec_caveat_format(e, &c, &b), 0);
    ck_assert_str_eq(v23_buf_cstr(&b),
        "0x00000000000000000000000000000000(2 bytes of param)");
    v23_buf_cut(&b, 0);
    ck_assert_int_eq(vsec_caveat_describe(e, &c, &b), 0);
    ck_assert_str_eq(v23_buf_cstr(&b),
        "0x00000000000000000000000000000000(2 bytes of param)");
    v23_buf_fini(&b);
}
END_TEST

START_TEST(sentences)
{
    v23_security_caveat c[4] = { vsec_caveat_unconstrained() };
    struct v23_buf b;
    int i;

    ck_assert_int_eq(vsec_caveat_expiry(&arena, at(0), &c[1]), 0);
    ck_assert_int_eq(vsec_caveat_method(&arena, strs("a", "b", NULL), &c[2]),
        0);
    ck_assert_int_eq(vsec_caveat_peers(&arena, strs("p", NULL, NULL), &c[3]),
        0);
    v23_buf_init(&b, &mem.al, 4096);
    for (i = 0; i < 4; i++) {
        ck_assert_int_eq(vsec_caveat_describe(e, &c[i], &b), 0);
        v23_buf_put_byte(&b, '\n');
    }
    ck_assert_str_eq(v23_buf_cstr(&b), "Always validates\n"
        "Expires at 1970-01-01 00:00:00 +0000 UTC\n"
        "Restricted to methods [a b]\n"
        "Restricted to peers with blessings [p]\n");
    v23_buf_fini(&b);
}
END_TEST

/* ---- third parties ------------------------------------------------------- */

static v23_security_caveat third_party(struct vdl_bytes key,
    v23_security_caveat_list caveats)
{
    struct vsec_third_party what;
    v23_security_caveat c;

    memset(&what, 0, sizeof(what));
    what.key = key;
    what.location = vdl_str("there");
    what.caveats = caveats;
    ck_assert_int_eq(vsec_caveat_third_party(e, &arena, &what, &c), 0);
    return c;
}

START_TEST(third_party_ids_differ_by_nonce)
{
    struct v23_bytes der = hex(dave_spki);
    v23_security_caveat any = vsec_caveat_unconstrained();
    v23_security_public_key_third_party_caveat_param p;
    char id[2][VSEC_CAVEAT_ID];
    v23_security_caveat c;
    int i;

    for (i = 0; i < 2; i++) {
        c = third_party(vdl_bytes(der.p, der.n), one(&any));
        ck_assert_int_eq(vsec_caveat_param(&c, &vsec_kind_third_party,
            &arena, &p), 0);
        text_is(p.discharger_location, "there");
        ck_assert_int_eq(vsec_third_party_id(e, &p, id[i]), 0);
        ck_assert_uint_eq(strlen(id[i]), 88);
    }
    ck_assert_str_ne(id[0], id[1]);
}
END_TEST

START_TEST(third_party_of_a_bad_key_has_no_id)
{
    static const uint8_t junk[] = { 1, 2, 3 };
    v23_security_public_key_third_party_caveat_param p;
    char id[VSEC_CAVEAT_ID] = "x";

    memset(&p, 0, sizeof(p));
    p.discharger_key = vdl_bytes(junk, sizeof(junk));
    ck_assert_int_eq(vsec_third_party_id(e, &p, id), 0);
    ck_assert_str_eq(id, "");
}
END_TEST

START_TEST(third_party_needs_a_caveat)
{
    struct vsec_third_party what;
    v23_security_caveat c;

    memset(&what, 0, sizeof(what));
    ck_assert_int_eq(vsec_caveat_third_party(e, &arena, &what, &c),
        V23_EARG);
}
END_TEST

/* ---- discharges ---------------------------------------------------------- */

START_TEST(discharge_is_signed_for_its_key)
{
    struct vsec_principal *d = person(), *other = person();
    v23_security_caveat any = vsec_caveat_unconstrained(), until, tp;
    struct vsec_discharge *x;
    struct v23_walltime t;

    tp = third_party(d->key->der, one(&any));
    ck_assert_int_eq(vsec_caveat_expiry(&arena, at(99), &until), 0);
    ck_assert_int_eq(vsec_principal_mint_discharge(d, &tp, one(&until), &x),
        0);

    ck_assert_int_eq(vsec_discharge_verify(x, d->key), 0);
    ck_assert_int_eq(vsec_discharge_verify(x, d->key), 0);
    ck_assert_int_eq(vsec_discharge_verify(x, other->key), V23_ESIG);
    ck_assert(vsec_discharge_expiry(x, &t));
    ck_assert_int_eq(t.sec, 99);
    vsec_discharge_unref(x);
    vsec_principal_unref(d);
    vsec_principal_unref(other);
}
END_TEST

START_TEST(discharge_of_another_purpose_is_refused)
{
    struct vsec_principal *d = person();
    v23_security_caveat any = vsec_caveat_unconstrained(), tp;
    v23_security_wire_discharge w;
    struct vsec_discharge *x, *y;

    tp = third_party(d->key->der, one(&any));
    ck_assert_int_eq(vsec_principal_mint_discharge(d, &tp, one(&any), &x), 0);
    w = x->wire;
    w.u.public_key.signature.purpose = vdl_bytes((const uint8_t *)"S1", 2);
    ck_assert_int_eq(vsec_discharge_from_wire(&mem.al, &w, &y), 0);

    ck_assert_int_eq(vsec_discharge_verify(y, d->key), V23_ESIG);
    vsec_discharge_unref(x);
    vsec_discharge_unref(y);
    vsec_principal_unref(d);
}
END_TEST

START_TEST(discharge_limits)
{
    static v23_security_caveat many[VSEC_MAX_CAVEATS + 1];
    v23_security_wire_discharge w;
    struct vsec_discharge *x;

    memset(&w, 0, sizeof(w));
    w.u.public_key.caveats.v = many;
    w.u.public_key.caveats.n = VSEC_MAX_CAVEATS + 1;
    ck_assert_int_eq(vsec_discharge_from_wire(&mem.al, &w, &x), V23_ELIMIT);
    w.u.public_key.caveats.n = VSEC_MAX_CAVEATS;
    ck_assert_int_eq(vsec_discharge_from_wire(&mem.al, &w, &x), 0);
    vsec_discharge_unref(x);
}
END_TEST

static int decode_once(const struct v23_alloc *al, void *ud)
{
    const struct v23_bytes *vom = ud;
    struct vsec_discharge *x = NULL;
    int rc = vsec_discharge_decode(al, *vom, &x);

    vsec_discharge_unref(x);
    return rc;
}

START_TEST(decoding_survives_out_of_memory_and_mutation)
{
    struct vsec_principal *d = person();
    v23_security_caveat any = vsec_caveat_unconstrained(), tp;
    struct vsec_discharge *x;
    struct v23_bytes vom;
    struct v23_buf b;
    size_t i;
    int rc;

    tp = third_party(d->key->der, one(&any));
    ck_assert_int_eq(vsec_principal_mint_discharge(d, &tp, one(&any), &x), 0);
    v23_buf_init(&b, &mem.al, 1 << 16);
    ck_assert_int_eq(vom_encode_single(&mem.al,
        &v23_security_wire_discharge_desc, &x->wire, &b), 0);
    vsec_discharge_unref(x);
    vom = v23_bytes(b.p, b.n);
    tst_out_of_memory(decode_once, &vom);
    for (i = 0; i < b.n; i++) {
        vom.n = i;
        ck_assert_int_lt(decode_once(&mem.al, &vom), 0);
    }
    vom.n = b.n;
    for (i = 0; i < b.n; i++) {
        b.p[i] ^= 0x41;
        x = NULL;
        rc = vsec_discharge_decode(&mem.al, vom, &x);
        if (rc == 0)
            (void)!vsec_discharge_verify(x, d->key);
        vsec_discharge_unref(x);
        b.p[i] ^= 0x41;
    }
    v23_buf_fini(&b);
    vsec_principal_unref(d);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_loop_test(t, instants_convert_both_ways, 0, 6);
    tcase_add_test(t, before_1970_is_normalised);
    tcase_add_loop_test(t, odd_instants_are_taken, 0, 5);
    tcase_add_loop_test(t, instants_print_like_the_reference, 0, 7);
    tcase_add_test(t, parameters_are_encoded_as_specified);
    tcase_add_test(t, parameter_with_any_is_refused);
    tcase_add_test(t, parameters_decode_or_are_refused);
    tcase_add_test(t, text_survives_bad_parameters);
    tcase_add_test(t, sentences);
    tcase_add_test(t, third_party_ids_differ_by_nonce);
    tcase_add_test(t, third_party_of_a_bad_key_has_no_id);
    tcase_add_test(t, third_party_needs_a_caveat);
    tcase_add_test(t, discharge_is_signed_for_its_key);
    tcase_add_test(t, discharge_of_another_purpose_is_refused);
    tcase_add_test(t, discharge_limits);
    tcase_add_test(t, decoding_survives_out_of_memory_and_mutation);
}

int main(void)
{
    return tst_run_case("security/caveat", add, people_setup, people_teardown);
}

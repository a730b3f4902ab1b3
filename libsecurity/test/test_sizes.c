/* BSD-3-Clause; see LICENSE. */
/* Blessings and caveats that just fit the limits, one beyond, and values that
 * are nested in ways nobody writes. */
#include "people.h"

#include <vom/enc.h>
#include <vsec/check.h>
#include <vsec/profile.h>

static int take(const v23_security_wire_blessings *w)
{
    struct vsec_blessings *b = NULL;
    int rc = vsec_blessings_from_wire(e, NULL, w, &b);

    vsec_blessings_unref(b);
    return rc;
}

/* Take ownership of `b`; the wire form of the next one. */
static struct vsec_blessings *extend(struct vsec_principal *p,
    struct vsec_blessings *b, uint32_t certs)
{
    struct vsec_blessings *next;

    while (b->chains[0].certs.n < certs) {
        next = bless(p, p, b, "x", NULL);
        vsec_blessings_unref(b);
        b = next;
    }
    return b;
}

START_TEST(longest_chain_is_accepted_and_no_longer_one)
{
    static v23_security_certificate certs[VSEC_MAX_CERTS + 1];
    struct vsec_principal *p = person();
    struct vsec_blessings *b = extend(p, self(p, "p"), VSEC_MAX_CERTS);
    v23_security_wire_blessings w = vsec_blessings_wire(b);
    v23_security_certificate_list chain;

    ck_assert_int_eq(take(&w), 0);

    memcpy(certs, b->chains[0].certs.v, VSEC_MAX_CERTS * sizeof(*certs));
    certs[VSEC_MAX_CERTS] = certs[VSEC_MAX_CERTS - 1];
    chain.v = certs;
    chain.n = VSEC_MAX_CERTS + 1;
    w.certificate_chains.v = &chain;
    ck_assert_int_eq(take(&w), V23_ELIMIT);
    vsec_blessings_unref(b);
    vsec_principal_unref(p);
}
END_TEST

/* Blessings of q by p with n caveats. */
static struct vsec_blessings *with_caveats(struct vsec_principal *p,
    const v23_security_caveat *v, uint32_t n)
{
    struct vsec_blessings *own = self(p, "p"), *b;
    struct vsec_bless what;

    what.key = p->key;
    what.with = own;
    what.extension = vdl_str("x");
    what.caveats.v = v;
    what.caveats.n = n;
    ck_assert_int_eq(vsec_principal_bless(p, &what, &b), 0);
    vsec_blessings_unref(own);
    return b;
}

START_TEST(as_many_caveats_as_allowed_are_accepted)
{
    static v23_security_caveat v[VSEC_MAX_CAVEATS];
    struct vsec_principal *p = person();
    struct vsec_blessings *b;
    v23_security_wire_blessings w;
    int i;

    for (i = 0; i < VSEC_MAX_CAVEATS; i++)
        v[i] = vsec_caveat_unconstrained();
    b = with_caveats(p, v, VSEC_MAX_CAVEATS);
    w = vsec_blessings_wire(b);
    ck_assert_int_eq(take(&w), 0);
    vsec_blessings_unref(b);
    vsec_principal_unref(p);
}
END_TEST

/* What a value of one chain weighs. */
static size_t weight(const struct vsec_blessings *b)
{
    const v23_security_certificate *c;
    size_t n = 0;
    uint32_t i, j;

    for (i = 0; i < b->chains[0].certs.n; i++) {
        c = &b->chains[0].certs.v[i];
        n += c->extension.n + c->public_key.n + c->signature.purpose.n
            + c->signature.hash.n + c->signature.ed25519.n;
        for (j = 0; j < c->caveats.n; j++)
            n += sizeof(c->caveats.v[j].id.v) + c->caveats.v[j].param_vom.n;
    }
    return n;
}

START_TEST(as_many_octets_as_allowed_are_accepted)
{
    static uint8_t octets[VSEC_MAX_BLESSINGS];
    v23_security_caveat big = { { { 7 } }, { octets, 0 } };
    struct vsec_principal *p = person();
    struct vsec_blessings *b = with_caveats(p, &big, 1);
    v23_security_wire_blessings w;
    uint32_t most = (uint32_t)(VSEC_MAX_BLESSINGS - weight(b));

    vsec_blessings_unref(b);
    big.param_vom.n = most;
    b = with_caveats(p, &big, 1);
    ck_assert_uint_eq(weight(b), VSEC_MAX_BLESSINGS);
    w = vsec_blessings_wire(b);
    ck_assert_int_eq(take(&w), 0);
    vsec_blessings_unref(b);

    big.param_vom.n = most + 1;
    b = with_caveats(p, &big, 1);
    w = vsec_blessings_wire(b);
    ck_assert_int_eq(take(&w), V23_ELIMIT);
    vsec_blessings_unref(b);
    vsec_principal_unref(p);
}
END_TEST

/* ---- nesting ------------------------------------------------------------- */

/* A struct with the field Seconds of time.Time and one that nobody knows, of
 * type 42. */
#define TIME "81 51 19 06 00 01 54 01 02 00 07 5365636f6e6473 01 09 e1 00 01 " \
    "58 01 2a e1 e1 "

/* Type 42 and the value of X. */
static const struct {
    const char *types, *value;
    int deep; /* octets of `value` are repeated */
} nested[] = {
    /* lists in lists */
    { "53 04 03 01 2a e1", "01", 100000 },
    /* itself, optional; in itself; a name for itself; an array of itself */
    { "53 04 08 01 2a e1", "e0", 0 },
    { "53 0a 06 00 01 52 01 01 00 01 59 01 2a e1 e1", "00", 1000 },
    { "53 07 00 00 01 4e 01 2a e1", "01", 0 },
    { "53 06 02 01 2a 02 02 e1", "00", 1000 },
    /* lists of maps of lists; a map with itself as key */
    { "53 06 05 01 2a 02 2a e1", "01", 1000 },
};
#define NESTED (int)(sizeof(nested) / sizeof(*nested))

static struct v23_bytes nest(struct v23_buf *b, int i)
{
    struct v23_bytes part = hex(TIME), value = hex(nested[i].value);
    size_t len;
    int k, times = nested[i].deep == 0 ? 1 : nested[i].deep;

    v23_buf_put(b, part.p, part.n);
    part = hex(nested[i].types);
    v23_buf_put(b, part.p, part.n);
    len = 1 + (size_t)times * value.n + 2;
    v23_buf_put_byte(b, 0x52);
    vom_buf_put_uint(b, len);
    v23_buf_put_byte(b, 1);
    for (k = 0; k < times; k++)
        v23_buf_put(b, value.p, value.n);
    v23_buf_put(b, "\0\xe1", 2);
    ck_assert_int_eq(b->err, 0);
    return v23_bytes(b->p, b->n);
}

START_TEST(nested_parameters_are_refused_by_both_decoders)
{
    struct v23_buf b;
    struct v23_bytes vom;
    v23_time_time t;

    v23_buf_init(&b, &mem.al, SIZE_MAX);
    vom = nest(&b, _i);
    ck_assert_int_ne(vsec_decode_host(vom, &arena, &v23_time_time_desc, &t),
        0);
    ck_assert_int_ne(vsec_decode_lean(vom, &arena, &v23_time_time_desc, &t),
        0);
    v23_buf_fini(&b);
}
END_TEST

START_TEST(nested_parameters_reject_the_name)
{
    struct vsec_principal *p = person();
    struct vsec_blessings *b;
    v23_security_caveat cav;
    struct vsec_names names;
    struct vsec_call call;
    struct v23_buf param, text;
    struct v23_bytes vom;

    v23_buf_init(&param, &mem.al, SIZE_MAX);
    v23_buf_init(&text, &mem.al, SIZE_MAX);
    vom = nest(&param, _i);
    cav.id = V23_SECURITY_EXPIRY_CAVEAT.id;
    cav.param_vom = vdl_bytes(vom.p, vom.n);
    b = with_caveats(p, &cav, 1);
    ck_assert_int_eq(vsec_roots_add(p->roots, p->key->der, vdl_str("p")), 0);
    memset(&call, 0, sizeof(call));
    call.principal = p;
    call.remote_blessings = b;

    ck_assert_int_eq(vsec_check_start(&call, &arena, NULL, &names, NULL), 0);

    ck_assert_uint_eq(names.remote.n, 0);
    ck_assert_uint_eq(names.rejected.n, 1);
    ck_assert(v23_security_err_caveat_param_coding_is(
        names.rejected.v[0].err));
    ck_assert(!b->expires);
    ck_assert_int_eq(vsec_caveat_format(e, &cav, &text), 0);
    v23_buf_fini(&text);
    v23_buf_fini(&param);
    vsec_blessings_unref(b);
    vsec_principal_unref(p);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, longest_chain_is_accepted_and_no_longer_one);
    tcase_add_test(tc, as_many_caveats_as_allowed_are_accepted);
    tcase_add_test(tc, as_many_octets_as_allowed_are_accepted);
    tcase_add_loop_test(tc, nested_parameters_are_refused_by_both_decoders, 0,
        NESTED);
    tcase_add_loop_test(tc, nested_parameters_reject_the_name, 0, NESTED);
}

int main(void)
{
    return tst_run_case("security/sizes", fill, people_setup,
        people_teardown);
}

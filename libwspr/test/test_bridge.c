/* BSD-3-Clause; see LICENSE. */
/* Types and values in the form that pages know (spec/wspr.md 13). */
#include <check.h>

#include <stdio.h>
#include <string.h>
#include <suite.h>
#include <support.h>
#include <v23/vdl/signature/signature.vdl.h>
#include <v23/vdl/v.io/v23/security/security.vdl.h>
#include <v23/vdl/v.io/v23/vtrace/vtrace.vdl.h>
#include <vom/value.h>

#include <v23/vdl/v.io/x/ref/services/wspr/internal/app/app.vdl.h>

#include "../src/forms_int.h"

#define ERROR_TEXT "?error struct{Id string;RetryCode enum{NoRetry;" \
    "RetryConnection;RetryRefetch;RetryBackoff};Msg string;ParamList []any}"
#define TIME_TEXT "time.Duration struct{Seconds int64;Nanos int32}"

static struct wspr_bridge_ bridge;
static struct v23_arena arena;

static void start(void)
{
    wspr_bridge_init_(&bridge, NULL, NULL);
    v23_arena_init(&arena, NULL, SIZE_MAX);
}

static void stop(void)
{
    wspr_bridge_fini_(&bridge);
    v23_arena_fini(&arena);
}

static const struct vdl_type *become(const struct vdl_type *t)
{
    const struct vdl_type *out = NULL;

    ck_assert_int_eq(wspr_bridge_type_(&bridge, &arena, t, &out), 0);
    return out;
}

static void expect_type(const struct vdl_type *t, const char *text)
{
    struct v23_buf b;

    v23_buf_init(&b, NULL, SIZE_MAX);
    ck_assert_int_eq(vdl_type_format(become(t), SIZE_MAX, &b), 0);
    ck_assert_str_eq(v23_buf_cstr(&b), text);
    v23_buf_fini(&b);
}

/* The text of a value begins with its type, which is left out here. */
static void expect_value(const struct vdl_type *t, const void *v,
    const char *text)
{
    struct vdl_any in = { t, v }, out = { NULL, NULL };
    struct v23_buf b;
    const char *got;

    ck_assert_int_eq(wspr_bridge_value_(&bridge, &arena, in, &out), 0);
    v23_buf_init(&b, NULL, SIZE_MAX);
    ck_assert_int_eq(vdl_format(out.type, out.val, true, &b), 0);
    got = v23_buf_cstr(&b);
    ck_assert_uint_ge(strlen(got), strlen(text));
    ck_assert_str_eq(got + strlen(got) - strlen(text), text);
    v23_buf_fini(&b);
}

START_TEST(what_does_not_differ_stays_the_same_object)
{
    static const struct vdl_type *const same[] = { &vdl_string_desc,
        &vdl_any_desc, &vdl_bytes_desc, &vdl_any_list_desc,
        &v23_time_duration_desc, &v23_security_caveat_desc };
    size_t i;

    for (i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
        ck_assert_ptr_eq(become(same[i]), same[i]);
        ck_assert_ptr_eq(become(same[i]), same[i]);
    }
}
END_TEST

START_TEST(types_take_the_names_and_fields_of_2016)
{
    expect_type(&vdl_error_desc, ERROR_TEXT);
    expect_type(&v23_time_wire_deadline_desc,
        "time.WireDeadline struct{FromNow " TIME_TEXT ";NoDeadline bool}");
    expect_type(&v23_security_signature_desc,
        "v.io/v23/security.Signature struct{Purpose []byte;"
        "Hash v.io/v23/security.Hash string;R []byte;S []byte}");
    expect_type(&v23_security_wire_discharge_desc,
        "v.io/v23/security.WireDischarge union{PublicKey "
        "v.io/v23/security.publicKeyDischarge struct{"
        "ThirdPartyCaveatId string;Caveats []v.io/v23/security.Caveat struct"
        "{Id v.io/v23/uniqueid.Id [16]byte;ParamVom []byte};"
        "Signature v.io/v23/security.Signature struct{Purpose []byte;"
        "Hash v.io/v23/security.Hash string;R []byte;S []byte}}}");
    expect_type(&v23_vtrace_request_desc,
        "v.io/v23/vtrace.Request struct{SpanId v.io/v23/uniqueid.Id [16]byte;"
        "TraceId v.io/v23/uniqueid.Id;Flags v.io/v23/vtrace.TraceFlags int32;"
        "LogLevel int32}");
}
END_TEST

/* What is in the old form already is left alone. */
START_TEST(the_old_form_stays)
{
    const struct vdl_type *once = become(&v23_time_wire_deadline_desc);

    ck_assert_ptr_ne(once, &v23_time_wire_deadline_desc);
    ck_assert_ptr_eq(become(once), once);
}
END_TEST

START_TEST(values_lose_and_gain_fields)
{
    static const uint8_t key[] = { 1 }, x509[] = { 2, 3 }, r[] = { 4 };
    v23_security_certificate c;
    v23_time_wire_deadline d;

    memset(&d, 0, sizeof(d));
    expect_value(&v23_time_wire_deadline_desc, &d,
        "{FromNow: {Seconds: 0, Nanos: 0}, "
        "NoDeadline: true}");
    d.from_now.nanos = 7;
    expect_value(&v23_time_wire_deadline_desc, &d,
        "{FromNow: {Seconds: 0, Nanos: 7}, "
        "NoDeadline: false}");
    memset(&c, 0, sizeof(c));
    c.extension = vdl_str("x");
    c.public_key.p = key;
    c.public_key.n = sizeof(key);
    c.x509_raw.p = x509;
    c.x509_raw.n = sizeof(x509);
    c.signature.r.p = r;
    c.signature.r.n = sizeof(r);
    c.signature.ed25519.p = x509;
    c.signature.ed25519.n = sizeof(x509);
    expect_value(&v23_security_certificate_desc, &c,
        "{Extension: \"x\", "
        "PublicKey: \"\\x01\", Caveats: {}, Signature: {Purpose: \"\", "
        "Hash: \"\", R: \"\\x04\", S: \"\"}}");
}
END_TEST

/* Errors in parameters of errors, and types as values. */
START_TEST(any_and_typeobject_are_looked_into)
{
    struct v23_verror inner, outer;
    const struct v23_verror *p = &outer, *q = &inner;
    const struct vdl_type *t = &v23_time_wire_deadline_desc;
    struct vdl_any params[2];

    memset(&inner, 0, sizeof(inner));
    memset(&outer, 0, sizeof(outer));
    inner.id = vdl_str("in");
    outer.id = vdl_str("out");
    params[0].type = &vdl_error_desc;
    params[0].val = &q;
    params[1].type = &vdl_typeobject_desc;
    params[1].val = &t;
    outer.params.v = params;
    outer.params.n = 2;
    expect_value(&vdl_error_desc, &p,
        "({Id: \"out\", RetryCode: NoRetry, Msg: \"\", ParamList: {"
        ERROR_TEXT "({Id: \"in\", RetryCode: NoRetry, Msg: \"\", "
        "ParamList: {}}), typeobject(time.WireDeadline struct{FromNow "
        TIME_TEXT ";NoDeadline bool})}})");
}
END_TEST

START_TEST(a_type_that_contains_itself_is_rewritten_once)
{
    struct vdl_type_node n[2];
    struct vdl_type_member m[2];
    const struct vdl_type *t[2], *to;
    struct vdl_types *types;

    memset(n, 0, sizeof(n));
    memset(m, 0, sizeof(m));
    n[0].kind = VDL_STRUCT;
    n[0].name = vdl_str("a.Tree");
    n[0].members = m;
    n[0].nmembers = 2;
    m[0].name = vdl_str("Err");
    m[0].type.type = &vdl_error_desc;
    m[1].name = vdl_str("Kids");
    m[1].type.node = 1;
    n[1].kind = VDL_LIST;
    ck_assert_int_eq(vdl_types_new(NULL, NULL, &types), 0);
    ck_assert_int_eq(vdl_types_build(types, n, 2, t), 0);
    to = become(t[0]);
    ck_assert_ptr_ne(to, t[0]);
    ck_assert_ptr_eq(to->fields[1].type->elem, to);
    expect_type(t[0],
        "a.Tree struct{Err " ERROR_TEXT ";Kids []a.Tree}");
    vdl_types_unref(types);
}
END_TEST

/* The peer's types go, and others take their place. */
START_TEST(an_address_is_no_identity)
{
    struct vdl_type_node n;
    struct vdl_type_member m;
    const struct vdl_type *t, *to;
    struct vdl_types *types;
    char name[16];
    unsigned i;

    memset(&n, 0, sizeof(n));
    memset(&m, 0, sizeof(m));
    n.kind = VDL_STRUCT;
    n.members = &m;
    n.nmembers = 1;
    m.name = vdl_str("Err");
    m.type.type = &vdl_error_desc;
    for (i = 0; i < 1100; i++) {
        snprintf(name, sizeof(name), "a.T%u", i);
        n.name = vdl_str(name);
        ck_assert_int_eq(vdl_types_new(NULL, NULL, &types), 0);
        ck_assert_int_eq(vdl_types_build(types, &n, 1, &t), 0);
        to = become(t);
        ck_assert(vdl_str_eq(to->name, n.name));
        ck_assert(vdl_str_eq(to->fields[0].type->elem->name,
            vdl_str("error")));
        vdl_types_unref(types);
        v23_arena_reset(&arena);
    }
}
END_TEST

static int with_allocator(const struct v23_alloc *al, void *ud)
{
    static const v23_signature_interface zero;
    struct vdl_any in = { &v23_signature_interface_desc, &zero }, out;
    const struct v23_verror e = { VDL_STR_INIT("x"), 0, VDL_STR_INIT(""),
        { NULL, 0 } }, *p = &e;
    struct wspr_bridge_ b;
    struct v23_arena a;
    int rc;

    (void)ud;
    wspr_bridge_init_(&b, al, NULL);
    v23_arena_init(&a, al, SIZE_MAX);
    rc = wspr_bridge_value_(&b, &a, in, &out);
    in.type = &vdl_error_desc;
    in.val = &p;
    if (rc == 0)
        rc = wspr_bridge_value_(&b, &a, in, &out);
    v23_arena_fini(&a);
    wspr_bridge_fini_(&b);
    return rc;
}

START_TEST(memory_may_run_out)
{
    tst_out_of_memory(with_allocator, NULL);
}
END_TEST

START_TEST(what_controllers_share_is_asked_first)
{
    struct wspr_forms *f;
    struct wspr_bridge_ b;
    const struct vdl_type *t, *error;

    ck_assert_int_eq(wspr_forms_new(NULL, &f), 0);
    wspr_bridge_init_(&b, NULL, &f->bridge);
    ck_assert_int_eq(wspr_bridge_type_(&b, &arena,
        &v23_wspr_app_rpc_response_desc, &t), 0);
    ck_assert_ptr_ne(t, &v23_wspr_app_rpc_response_desc);
    ck_assert_int_eq(wspr_bridge_type_(&b, &arena, &vdl_error_desc, &error),
        0);
    ck_assert_uint_eq(b.used, 0);
    /* Others are its own. */
    ck_assert_int_eq(wspr_bridge_type_(&b, &arena,
        &v23_signature_interface_desc, &t), 0);
    ck_assert_uint_eq(b.used, 1);
    wspr_bridge_fini_(&b);
    wspr_forms_free(f);
}
END_TEST

/* What pages define is recognized: it has the names of their time. */
START_TEST(requests_are_known_in_the_form_of_pages)
{
    struct wspr_forms *f;
    const struct vdl_type *t;
    unsigned found = 0, old = 0;
    size_t i;

    ck_assert_int_eq(wspr_forms_new(NULL, &f), 0);
    for (i = 0; i < f->known.n; i++) {
        t = f->known.types[i];
        if (vdl_str_is(t->name, "time.WireDeadline") && t->count == 2)
            found |= 1;
        if (vdl_str_is(t->name, "v.io/v23/vtrace.Request") && t->count == 4)
            found |= 2;
        if (vdl_str_is(t->name,
                "v.io/x/ref/services/wspr/internal/app.RpcRequest"))
            found |= 4;
        if (vdl_str_is(t->name, "error"))
            found |= 8;
        old += vdl_str_is(t->name, "v.io/v23/vdl.WireError");
    }
    ck_assert_uint_eq(found, 15);
    ck_assert_uint_eq(old, 0);
    wspr_forms_free(f);
}
END_TEST

static int make_forms(const struct v23_alloc *al, void *ud)
{
    struct wspr_forms *f;
    int rc = wspr_forms_new(al, &f);

    (void)ud;
    if (rc == 0)
        wspr_forms_free(f);
    return rc;
}

START_TEST(memory_for_what_is_shared_may_run_out)
{
    tst_out_of_memory(make_forms, NULL);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, what_does_not_differ_stays_the_same_object);
    tcase_add_test(tc, types_take_the_names_and_fields_of_2016);
    tcase_add_test(tc, the_old_form_stays);
    tcase_add_test(tc, values_lose_and_gain_fields);
    tcase_add_test(tc, any_and_typeobject_are_looked_into);
    tcase_add_test(tc, a_type_that_contains_itself_is_rewritten_once);
    tcase_add_test(tc, an_address_is_no_identity);
    tcase_add_test(tc, memory_may_run_out);
    tcase_add_test(tc, what_controllers_share_is_asked_first);
    tcase_add_test(tc, requests_are_known_in_the_form_of_pages);
    tcase_add_test(tc, memory_for_what_is_shared_may_run_out);
}

int main(void)
{
    return tst_run_case("libwspr/bridge", fill, start, stop);
}

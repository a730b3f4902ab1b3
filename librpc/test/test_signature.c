/* BSD-3-Clause; see LICENSE. */
/* __Signature and __MethodSignature (spec/rpc.md 17.4). */
#include <v23/vdl/signature/signature.vdl.h>
#include <vom/value.h>

#include "echo.h"

static const struct vrpc_method base_methods[] = { { .name = STR("Close"),
    .thunk = echo_wait } };
static const struct vrpc_iface base_iface = { .name = STR("Closer"),
    .pkg_path = STR("x/base"), .doc = STR("Closer closes."),
    .methods = base_methods, .nmethods = 1 };
static const struct vrpc_embed embeds[] = { { &base_iface, 0 },
    { &base_iface, 0 } };
static const struct vrpc_iface both_iface = { .name = STR("Both"),
    .pkg_path = STR("x/both"), .embeds = embeds, .nembeds = 2,
    .methods = echo_methods, .nmethods = M_N };

struct answer {
    int done;
    char id[96];
    struct v23_arena a;
    struct vdl_list ifaces; /* of v23_signature_interface */
    v23_signature_method method;
    bool one;
};

static struct answer A;

static const struct vdl_type list_desc = { .kind = VDL_LIST,
    .flags = VDL_T_ANY | VDL_T_TYPEOBJECT,
    .align = _Alignof(struct vdl_list), .size = sizeof(struct vdl_list),
    .elem = &v23_signature_interface_desc,
    .stride = sizeof(v23_signature_interface) };

static void sig_done(void *ud, const struct v23_verror *err,
    const struct vdl_any *results, size_t n)
{
    struct answer *r = ud;

    r->done++;
    if (err != NULL) {
        snprintf(r->id, sizeof(r->id), "%.*s", (int)err->id.n, err->id.p);
        return;
    }
    ck_assert_uint_eq(n, 1);
    if (r->one)
        ck_assert_int_eq(vdl_convert(&r->a, &v23_signature_method_desc,
            &r->method, results[0].type, results[0].val), 0);
    else
        ck_assert_int_eq(vdl_convert(&r->a, &list_desc, &r->ifaces,
            results[0].type, results[0].val), 0);
}

static const struct vrpc_any_cb sig_cb = { NULL, sig_done };

static const char *ask(const char *suffix, const char *method,
    const char *arg)
{
    struct vdl_str s = vdl_str(arg);
    struct vdl_any v = { &vdl_string_desc, &s };
    struct vrpc_call *call;

    v23_arena_reset(&A.a);
    A.done = 0;
    A.id[0] = 0;
    A.one = arg != NULL;
    call = vrpc_client_start_any(P.c->c, vdl_str(world_name(P.s, suffix)),
        vdl_str(method), NULL, &v, arg == NULL ? 0 : 1, 1, &sig_cb, &A);
    ck_assert_ptr_nonnull(call);
    vrpc_call_close_send(call);
    ck_assert(world_until(&W, &A.done, SEC));
    return A.id;
}

static void setup(void)
{
    struct vrpc_server_config sc;

    world_setup();
    memset(&P, 0, sizeof(P));
    v23_arena_init(&A.a, NULL, SIZE_MAX);
    ck_assert_int_eq(world_node(&W, "client", 0, &P.c), 0);
    ck_assert_int_eq(world_node(&W, "server", 77, &P.s), 0);
    memset(&sc, 0, sizeof(sc));
    sc.object.iface = &both_iface;
    sc.object.self = &P.echo;
    sc.authorizer = &nobody; /* signatures are public */
    ck_assert_int_eq(vrpc_server_new(P.s->m, &sc, &P.s->s), 0);
}

static void teardown(void)
{
    v23_arena_fini(&A.a);
    world_teardown();
}

static const v23_signature_interface *iface(uint32_t i)
{
    ck_assert_uint_lt(i, A.ifaces.n);
    return (const v23_signature_interface *)A.ifaces.v + i;
}

START_TEST(signature_lists_interfaces_once)
{
    ck_assert_str_eq(ask("", "__Signature", NULL), "");

    ck_assert_uint_eq(A.ifaces.n, 3);
    ck_assert(vdl_str_is(iface(0)->name, "Both"));
    ck_assert_uint_eq(iface(0)->embeds.n, 2);
    ck_assert(vdl_str_is(iface(0)->embeds.v[0].name, "Closer"));
    ck_assert_uint_eq(iface(0)->methods.n, M_N);
    ck_assert(vdl_str_is(iface(1)->name, "Closer"));
    ck_assert(vdl_str_is(iface(1)->pkg_path, "x/base"));
    ck_assert(vdl_str_is(iface(1)->doc, "Closer closes."));
    ck_assert_uint_eq(iface(1)->methods.n, 1);
}
END_TEST

START_TEST(reserved_methods_have_the_texts_of_the_recording)
{
    const v23_signature_interface *r;

    ck_assert_str_eq(ask("", "__Signature", NULL), "");
    r = iface(2);

    ck_assert(vdl_str_is(r->name, "__Reserved"));
    ck_assert(vdl_str_is(r->pkg_path, ""));
    ck_assert(vdl_str_is(r->doc, "Reserved methods implemented by the RPC "
        "framework.  Each method name is prefixed with a double underscore "
        "\"__\"."));
    ck_assert_uint_eq(r->methods.n, 3);
    ck_assert(vdl_str_is(r->methods.v[0].name, "__Glob"));
    ck_assert(vdl_str_is(r->methods.v[0].doc,
        "Glob returns all entries matching the pattern."));
    ck_assert(vdl_str_is(r->methods.v[0].in_args.v[0].name, "pattern"));
    ck_assert_ptr_nonnull(r->methods.v[0].in_stream);
    ck_assert(vdl_str_is(r->methods.v[0].out_stream->doc,
        "Streams matching entries back to the client."));
    ck_assert(vdl_str_is(r->methods.v[1].name, "__MethodSignature"));
    ck_assert(vdl_str_is(r->methods.v[1].in_args.v[0].doc,
        "Method name whose signature will be returned."));
    ck_assert(vdl_str_is(r->methods.v[1].out_args.v[0].doc,
        "Method signature for the given method."));
    ck_assert(vdl_str_is(r->methods.v[2].name, "__Signature"));
    ck_assert(vdl_str_is(r->methods.v[2].out_args.v[0].doc,
        "All interface signatures implemented by the object."));
}
END_TEST

START_TEST(method_signature_describes_one_method)
{
    ck_assert_str_eq(ask("", "__MethodSignature", "Sum"), "");

    ck_assert(vdl_str_is(A.method.name, "Sum"));
    ck_assert_uint_eq(A.method.in_args.n, 0);
    ck_assert_uint_eq(A.method.out_args.n, 1);
    ck_assert(vdl_str_is(A.method.out_args.v[0].name, "n"));
    ck_assert(vdl_str_is(A.method.out_args.v[0].doc, "the number"));
    ck_assert(vdl_type_equal(A.method.out_args.v[0].type, &vdl_int32_desc));
    ck_assert(vdl_type_equal(A.method.in_stream->type, &vdl_int32_desc));
}
END_TEST

START_TEST(embedded_and_reserved_methods_are_found)
{
    ck_assert_str_eq(ask("", "__MethodSignature", "Close"), "");
    ck_assert(vdl_str_is(A.method.name, "Close"));
    ck_assert_str_eq(ask("", "__MethodSignature", "__Glob"), "");
    ck_assert(vdl_str_is(A.method.name, "Glob"));
}
END_TEST

START_TEST(unknown_methods_and_suffixes_are_errors)
{
    ck_assert_str_eq(ask("", "__MethodSignature", "Nope"),
        VERR "UnknownMethod");
    ck_assert_str_eq(ask("", "__MethodSignature", "__Nope"),
        VERR "UnknownMethod");
    ck_assert_str_eq(ask("x", "__Signature", NULL), VERR "UnknownSuffix");
    ck_assert_str_eq(ask("x", "__MethodSignature", "Sum"),
        VERR "UnknownSuffix");
    ck_assert_str_eq(ask("__debug", "__Signature", NULL),
        VERR "UnknownSuffix");
    ck_assert_str_eq(ask("__debug", "__MethodSignature", "Sum"),
        VERR "UnknownMethod");
    ck_assert_str_eq(ask("", "__Nope", NULL), VERR "UnknownMethod");
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("librpc/signature");
    TCase *t = tcase_create("signature");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, signature_lists_interfaces_once);
    tcase_add_test(t, reserved_methods_have_the_texts_of_the_recording);
    tcase_add_test(t, method_signature_describes_one_method);
    tcase_add_test(t, embedded_and_reserved_methods_are_found);
    tcase_add_test(t, unknown_methods_and_suffixes_are_errors);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return tst_run(suite());
}

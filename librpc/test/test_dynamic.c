/* BSD-3-Clause; see LICENSE. */
/* Objects whose methods are known at run time only, and the languages of
 * calls. */
#include <v23/vdl/signature/signature.vdl.h>
#include <vom/value.h>

#include "echo.h"

/* ---- an object ----------------------------------------------------------- */

static const v23_signature_arg two_args[] = {
    { .name = STR("a"), .type = &vdl_int64_desc },
    { .name = STR("b"), .type = &vdl_any_desc },
};
static const v23_signature_arg byte_arg[] = {
    { .name = STR("x"), .type = &vdl_byte_desc },
    { .name = STR("s"), .type = &vdl_string_desc },
};
static const v23_signature_method methods1[] = {
    { .name = STR("Both"), .doc = STR("Both returns its arguments."),
        .in_args = { two_args, 2 } },
    { .name = STR("Items") },
};
static const v23_signature_method methods2[] = {
    { .name = STR("Both") }, /* hidden by the first interface's */
    { .name = STR("Late"), .in_args = { byte_arg, 2 } },
};
static const v23_signature_interface interfaces[] = {
    { .name = STR("One"), .methods = { methods1, 2 } },
    { .name = STR(""), .methods = { methods2, 2 } },
};

static struct {
    struct vrpc_server_call *call;
    char language[16], lookup_method[32];
    int invoked, items, ended, released;
    int64_t sum;
    uint8_t x;
    struct vrpc_dynamic dynamic;
    struct v23_op op;
    bool late;
} D;

static const struct v23_verror *invoke(void *self,
    struct vrpc_server_call *call, const struct vdl_any *args, size_t n)
{
    struct vdl_str l = vrpc_server_call_language(call);

    (void)self;
    D.invoked++;
    D.call = call;
    snprintf(D.language, sizeof(D.language), "%.*s", (int)l.n, l.p);
    if (vdl_str_is(vrpc_server_call_method(call), "Both"))
        ck_assert_int_eq(vrpc_server_call_reply_any(call, NULL, args, n), 0);
    else if (vdl_str_is(vrpc_server_call_method(call), "Late"))
        D.x = *(const uint8_t *)args[0].val;
    return &vrpc_pending;
}

static void item(void *self, struct vrpc_server_call *call,
    const struct vdl_any *v)
{
    struct vdl_any sum = { &vdl_int64_desc, &D.sum };

    (void)self;
    if (v == NULL) {
        D.ended++;
        if (!vdl_str_is(vrpc_server_call_method(call), "Items"))
            return;
        ck_assert_int_eq(vrpc_server_call_reply_any(call, NULL, &sum, 1), 0);
        ck_assert_int_eq(vrpc_server_call_reply_any(call, NULL, &sum, 1),
            V23_ESTATE);
        return;
    }
    D.items++;
    D.sum += vdl_get_int(v->type, v->val);
    ck_assert_int_eq(vrpc_server_call_send_any(call, *v), 0);
}

static const struct v23_verror *refuse(void *self,
    struct vrpc_server_call *call, const v23_signature_method *m,
    uint64_t nargs)
{
    (void)self;
    if (m == NULL)
        return NULL; /* the usual error */
    return v23_verror_text(vrpc_server_call_arena(call), NULL,
        vdl_str("x.Wrong"), V23_NO_RETRY, "%d", (int)nargs);
}

static int lookup(void *ud, struct v23_op op, struct vdl_str suffix,
    struct v23_arena *a, struct vrpc_object *obj,
    const struct vsec_authorizer **auth, const struct v23_verror **err)
{
    const struct vrpc_server_call *call = vrpc_server_lookup_call(P.s->s, op);
    struct vdl_str m;

    (void)ud;
    (void)suffix;
    (void)a;
    (void)err;
    ck_assert_ptr_nonnull(call);
    m = vrpc_server_call_method(call);
    snprintf(D.lookup_method, sizeof(D.lookup_method), "%.*s", (int)m.n, m.p);
    if (D.late) {
        D.op = op;
        return V23_EAGAIN;
    }
    obj->dynamic = &D.dynamic;
    *auth = &vsec_auth_everyone;
    return 0;
}

static void release(void *ud, const struct vrpc_object *obj)
{
    (void)ud;
    (void)obj;
    D.released++;
}

static struct vrpc_dispatcher dispatcher = { .lookup = lookup,
    .release = release };

/* ---- calling it ---------------------------------------------------------- */

static struct {
    int done, items;
    char id[96];
    size_t n;
    int64_t first, last_item;
    char text[32];
    struct vdl_list ifaces;
    struct v23_arena a;
} C;

static void any_item(void *ud, struct vdl_any v)
{
    (void)ud;
    C.items++;
    C.last_item = vdl_get_int(v.type, v.val);
}

static void any_done(void *ud, const struct v23_verror *err,
    const struct vdl_any *results, size_t n)
{
    const struct vdl_str *s;

    (void)ud;
    C.done++;
    C.n = n;
    C.id[0] = 0;
    if (err != NULL) {
        snprintf(C.id, sizeof(C.id), "%.*s", (int)err->id.n, err->id.p);
        return;
    }
    if (n > 0 && results[0].type == &vdl_int64_desc)
        C.first = *(const int64_t *)results[0].val;
    if (n > 1 && results[1].type == &vdl_string_desc) {
        s = results[1].val;
        snprintf(C.text, sizeof(C.text), "%.*s", (int)s->n, s->p);
    }
    if (n == 1 && results[0].type->kind == VDL_LIST)
        C.ifaces.n = ((const struct vdl_list *)results[0].val)->n;
}

static const struct vrpc_any_cb cb = { any_item, any_done };

static struct vrpc_call *call_it(const char *method,
    const struct vdl_any *args, size_t n, const struct vrpc_call_opts *o)
{
    struct vrpc_call *call;

    C.done = C.items = 0;
    call = vrpc_client_start_any(P.c->c, vdl_str(world_name(P.s, "o")),
        vdl_str(method), o, args, n, VRPC_ANY_RESULTS, &cb, NULL);
    ck_assert_ptr_nonnull(call);
    return call;
}

static const char *result_of(const char *method, const struct vdl_any *args,
    size_t n, const struct vrpc_call_opts *o)
{
    vrpc_call_close_send(call_it(method, args, n, o));
    ck_assert(world_until(&W, &C.done, SEC));
    return C.id;
}

static void setup(void)
{
    struct vrpc_server_config sc;

    world_setup();
    memset(&P, 0, sizeof(P));
    memset(&D, 0, sizeof(D));
    memset(&C, 0, sizeof(C));
    D.dynamic.interfaces = interfaces;
    D.dynamic.ninterfaces = 2;
    D.dynamic.invoke = invoke;
    D.dynamic.item = item;
    D.dynamic.refuse = refuse;
    ck_assert_int_eq(world_node(&W, "client", 0, &P.c), 0);
    ck_assert_int_eq(world_node(&W, "server", 77, &P.s), 0);
    memset(&sc, 0, sizeof(sc));
    sc.dispatcher = &dispatcher;
    ck_assert_int_eq(vrpc_server_new(P.s->m, &sc, &P.s->s), 0);
}

static int32_t i7 = 7;
static int64_t b200 = 200;
static const struct vdl_str hello = STR("hello");
static const struct vdl_any int_and_text[] = { { &vdl_int32_desc, &i7 },
    { &vdl_string_desc, &hello } };

START_TEST(arguments_have_the_types_of_the_first_interface)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;

    o.keep_args = true;
    o.language = vdl_str("de-AT");
    ck_assert_str_eq(result_of("Both", int_and_text, 2, &o), "");
    ck_assert_uint_eq(C.n, 2);
    ck_assert_int_eq(C.first, 7); /* an int32 became an int64 */
    ck_assert_str_eq(C.text, "hello");
    ck_assert_str_eq(D.language, "de-AT");
    ck_assert_str_eq(D.lookup_method, "Both");
    ck_assert_int_eq(D.released, 1);
}
END_TEST

START_TEST(wrong_calls_are_refused_as_the_object_says)
{
    struct vdl_any nil[2] = { { &vdl_string_desc, &hello }, { NULL, NULL } };

    ck_assert_str_eq(result_of("Both", int_and_text, 1, NULL), "x.Wrong");
    ck_assert_str_eq(result_of("None", NULL, 0, NULL), VERR "UnknownMethod");
    D.dynamic.refuse = NULL;
    ck_assert_str_eq(result_of("Both", int_and_text, 1, NULL),
        VERR "BadProtocol");
    ck_assert_str_eq(result_of("Both", nil, 2, NULL), VERR "BadProtocol");
    ck_assert_int_eq(D.invoked, 0);
}
END_TEST

START_TEST(items_go_both_ways_with_their_own_types)
{
    struct vdl_any one = { &vdl_int32_desc, &i7 };
    struct vdl_any two = { &vdl_int64_desc, &b200 };
    struct vrpc_call *call = call_it("Items", NULL, 0, NULL);

    world_settle(&W);
    ck_assert_int_eq(vrpc_call_send_any(call, one), 0);
    ck_assert_int_eq(vrpc_call_send_any(call, two), 0);
    vrpc_call_close_send(call);
    ck_assert(world_until(&W, &C.done, SEC));
    ck_assert_str_eq(C.id, "");
    ck_assert_int_eq(C.items, 2);
    ck_assert_int_eq(C.last_item, 200);
    ck_assert_int_eq(C.first, 207);
    ck_assert_int_eq(D.ended, 1);
}
END_TEST

START_TEST(answers_may_come_later)
{
    struct vdl_any args[] = { { &vdl_int32_desc, &i7 },
        { &vdl_string_desc, &hello } };
    const struct v23_verror *e;

    vrpc_call_close_send(call_it("Late", args, 2, NULL));
    world_settle(&W);
    ck_assert_str_eq(C.id, "");
    ck_assert_int_eq(C.done, 0);
    ck_assert_uint_eq(D.x, 7);
    e = vrpc_err_make(vrpc_server_call_arena(D.call), NULL,
        VRPC_ERR_NO_EXIST, "no");
    ck_assert_int_eq(vrpc_server_call_reply_any(D.call, e, args, 2), 0);
    ck_assert(world_until(&W, &C.done, SEC));
    ck_assert_str_eq(C.id, VERR "NoExist");
}
END_TEST

START_TEST(late_lookups_know_their_call)
{
    struct vrpc_object o;

    D.late = true;
    vrpc_call_close_send(call_it("__Signature", NULL, 0, NULL));
    world_settle(&W);
    ck_assert_str_eq(D.lookup_method, "__Signature");
    memset(&o, 0, sizeof(o));
    o.dynamic = &D.dynamic;
    vrpc_server_looked_up(P.s->s, D.op, 0, &o, NULL, NULL);
    ck_assert_ptr_null(vrpc_server_lookup_call(P.s->s, D.op));
    ck_assert(world_until(&W, &C.done, SEC));
    ck_assert_str_eq(C.id, "");
    ck_assert_uint_eq(C.ifaces.n, 3); /* with the reserved ones */
}
END_TEST

START_TEST(signatures_of_methods_are_found)
{
    static const struct vdl_str late = STR("Late"), none = STR("None");
    struct vdl_any arg = { &vdl_string_desc, &late };

    ck_assert_str_eq(result_of("__MethodSignature", &arg, 1, NULL), "");
    ck_assert_uint_eq(C.n, 1);
    arg.val = &none;
    ck_assert_str_eq(result_of("__MethodSignature", &arg, 1, NULL),
        VERR "UnknownMethod");
}
END_TEST

/* ---- caveats that somebody else validates -------------------------------- */

static struct {
    struct vsec_check *check;
    struct v23_op op;
    int asked, canceled;
    size_t n;
} H;

static int validate(void *ud, struct vsec_check *c, struct v23_op op,
    const struct vsec_call *call, const v23_security_caveat_list *sets,
    size_t n, struct v23_arena *a, const struct v23_verror **errs)
{
    (void)ud;
    (void)sets;
    (void)a;
    (void)errs;
    ck_assert(vdl_str_is(call->method, "Both"));
    ck_assert(vdl_str_is(call->language, "fr"));
    H.asked++;
    H.check = c;
    H.op = op;
    H.n = n;
    return V23_EAGAIN;
}

static void cancel(void *ud, struct v23_op op)
{
    (void)ud;
    ck_assert_uint_eq(op.generation, H.op.generation);
    H.canceled++;
}

static const struct vsec_caveat_hook hook = { validate, cancel, NULL };

static void hook_setup(void)
{
    struct vrpc_server_config sc;

    setup();
    memset(&H, 0, sizeof(H));
    vrpc_server_free(P.s->s);
    P.s->s = NULL;
    memset(&sc, 0, sizeof(sc));
    sc.dispatcher = &dispatcher;
    sc.caveats = &hook;
    ck_assert_int_eq(vrpc_server_new(P.s->m, &sc, &P.s->s), 0);
}

START_TEST(caveats_are_judged_by_the_hook)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    const struct v23_verror *ok[1] = { NULL };
    int i;

    o.language = vdl_str("fr");
    for (i = 1; i <= 2; i++) { /* each time: nothing is remembered */
        vrpc_call_close_send(call_it("Both", int_and_text, 2, &o));
        world_settle(&W);
        ck_assert_int_eq(H.asked, i);
        ck_assert_uint_eq(H.n, 1);
        ck_assert_int_eq(D.invoked, i - 1);
        vsec_check_complete_all(H.check, H.op, 0, ok, 1);
        ck_assert(world_until(&W, &C.done, SEC));
        ck_assert_str_eq(C.id, "");
    }
}
END_TEST

START_TEST(the_hook_hears_of_calls_that_end)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;

    o.language = vdl_str("fr");
    o.timeout_ns = SEC;
    vrpc_call_close_send(call_it("Both", int_and_text, 2, &o));
    world_settle(&W);
    ck_assert_int_eq(H.asked, 1);
    ck_assert(world_until(&W, &C.done, 2 * SEC));
    ck_assert_str_eq(C.id, VERR "Timeout");
    world_settle(&W);
    ck_assert_int_eq(H.canceled, 1);
}
END_TEST

START_TEST(out_of_memory_ends_calls_and_leaks_nothing)
{
    struct vrpc_call *call;
    size_t k, at = 0;

    for (k = 1; at == 0 || W.t.calls >= at; k++) {
        setup();
        ck_assert_str_eq(result_of("Late", int_and_text, 1, NULL), "x.Wrong");
        C.done = 0;
        at = W.t.calls + k;
        W.t.fail_at = at;
        call = vrpc_client_start_any(P.c->c, vdl_str(world_name(P.s, "o")),
            vdl_str("Both"), NULL, int_and_text, 2, VRPC_ANY_RESULTS, &cb,
            NULL);
        if (call != NULL) {
            vrpc_call_close_send(call);
            ck_assert(world_until(&W, &C.done, 200 * SEC));
        }
        world_teardown();
    }
    ck_assert_uint_gt(k, 2);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("librpc/dynamic");
    TCase *t = tcase_create("dynamic");

    tcase_add_checked_fixture(t, setup, world_teardown);
    tcase_add_test(t, arguments_have_the_types_of_the_first_interface);
    tcase_add_test(t, wrong_calls_are_refused_as_the_object_says);
    tcase_add_test(t, items_go_both_ways_with_their_own_types);
    tcase_add_test(t, answers_may_come_later);
    tcase_add_test(t, late_lookups_know_their_call);
    tcase_add_test(t, signatures_of_methods_are_found);
    suite_add_tcase(s, t);
    t = tcase_create("hook");
    tcase_add_checked_fixture(t, hook_setup, world_teardown);
    tcase_add_test(t, caveats_are_judged_by_the_hook);
    tcase_add_test(t, the_hook_hears_of_calls_that_end);
    suite_add_tcase(s, t);
    t = tcase_create("memory");
    tcase_add_test(t, out_of_memory_ends_calls_and_leaks_nothing);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return tst_run(suite());
}

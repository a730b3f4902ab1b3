/* BSD-3-Clause; see LICENSE. */
/* Calls between managers over an in-memory network: the client's side. */
#include <vom/value.h>

#include "echo.h"

static struct vrpc_call_opts opts_now(void)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;

    o.no_retry = true;
    return o;
}

/* ---- calls that succeed -------------------------------------------------- */

START_TEST(unary_call_returns_result)
{
    struct add_in in = { 40, 2 };
    struct result r;

    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ADD, NULL, &in,
        &stub_plain, &r));
    ck_assert_int_eq(r.done, 0);
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, "");
    ck_assert_int_eq(r.sum, 42);
    ck_assert_int_eq(P.echo.calls, 1);
    ck_assert_uint_eq(vrpc_client_ncalls(P.c->c), 0);
    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
}
END_TEST

START_TEST(calls_share_one_connection)
{
    static struct result r[20];
    struct add_in in = { 0, 1 };
    int i;

    for (i = 0; i < 20; i++) {
        in.a = i;
        ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ADD, NULL,
            &in, &stub_plain, &r[i]));
    }
    for (i = 0; i < 20; i++) {
        ck_assert(world_until(&W, &r[i].done, SEC));
        ck_assert_int_eq(r[i].sum, i + 1);
    }

    ck_assert_uint_eq(W.ndials, 1);
    ck_assert_uint_eq(vrpc_manager_nconns(P.c->m), 1);
}
END_TEST

START_TEST(arguments_may_die_after_start)
{
    char text[] = "hello";
    struct text in;
    struct result r;

    in.s = vdl_str(text);
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ECHO, NULL, &in,
        &stub_text, &r));
    memset(text, 'x', sizeof(text) - 1);
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.text, "hello");
}
END_TEST

START_TEST(values_larger_than_the_window_pass)
{
    static const size_t sizes[] = { 0, 1, 4096, 65535, 65536, 65537, 1u << 20,
        (1u << 20) + 1, 3u << 20 };
    static uint8_t data[3u << 20];
    struct blob in;
    struct result r;
    size_t i;

    for (i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 7);
    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        in.b = vdl_bytes(data, sizes[i]);
        ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_BLOB, NULL,
            &in, &stub_blob, &r));
        ck_assert(world_until(&W, &r.done, SEC));
        ck_assert_str_eq(r.id, "");
        ck_assert_uint_eq(r.blob_n, sizes[i]);
        ck_assert(r.blob_ok);
    }
}
END_TEST

START_TEST(warm_call_does_not_allocate)
{
    struct add_in in = { 1, 2 };
    struct result r;
    size_t before = 0;
    int i;

    for (i = 0; i < 10; i++) {
        if (i == 5)
            before = W.t.calls;
        ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ADD, NULL,
            &in, &stub_plain, &r));
        ck_assert(world_until(&W, &r.done, SEC));
    }

    ck_assert_uint_eq(W.t.calls, before);
}
END_TEST

/* ---- dynamic calls ------------------------------------------------------- */

struct dyn {
    int done, items;
    char id[96];
    size_t n;
    char first[128];
};

static void dyn_item(void *ud, struct vdl_any item)
{
    struct dyn *d = ud;

    ck_assert_ptr_nonnull(item.type);
    d->items++;
}

static void dyn_done(void *ud, const struct v23_verror *err,
    const struct vdl_any *results, size_t n)
{
    struct dyn *d = ud;
    struct v23_buf b;

    d->done++;
    d->n = n;
    if (err != NULL)
        snprintf(d->id, sizeof(d->id), "%.*s", (int)err->id.n, err->id.p);
    if (n > 0 && results[0].type != NULL) {
        v23_buf_init_fixed(&b, d->first, sizeof(d->first) - 1);
        ck_assert_int_eq(vdl_format(results[0].type, results[0].val, true,
            &b), 0);
        d->first[b.n] = 0;
    }
}

static const struct vrpc_any_cb dyn_cb = { dyn_item, dyn_done };

static struct vrpc_call *start_any(const char *method, size_t nargs,
    const struct vdl_any *args, size_t nresults, struct dyn *d)
{
    memset(d, 0, sizeof(*d));
    return vrpc_client_start_any(P.c->c, vdl_str(world_name(P.s, "")),
        vdl_str(method), NULL, args, nargs, nresults, &dyn_cb, d);
}

START_TEST(dynamic_call_converts_arguments)
{
    int64_t a = 40;
    uint16_t b = 2;
    struct vdl_any args[2] = { { &vdl_int64_desc, &a },
        { &vdl_uint16_desc, &b } };
    struct vrpc_call *call;
    struct dyn d;

    call = start_any("Add", 2, args, VRPC_ANY_RESULTS, &d);
    ck_assert_ptr_nonnull(call);
    vrpc_call_close_send(call);
    ck_assert(world_until(&W, &d.done, SEC));

    ck_assert_str_eq(d.id, "");
    ck_assert_uint_eq(d.n, 1);
    ck_assert_str_eq(d.first, "int32(42)");
}
END_TEST

START_TEST(dynamic_call_checks_the_number_of_results)
{
    int32_t a = 1;
    struct vdl_any args[2] = { { &vdl_int32_desc, &a },
        { &vdl_int32_desc, &a } };
    struct dyn d;

    ck_assert_ptr_nonnull(start_any("Add", 2, args, 2, &d));
    ck_assert(world_until(&W, &d.done, SEC));

    ck_assert_str_eq(d.id, VERR "BadProtocol");
}
END_TEST

START_TEST(dynamic_stream_goes_both_ways)
{
    struct vdl_any item;
    struct vrpc_call *call;
    struct dyn d;
    int32_t v;

    call = start_any("Sum", 0, NULL, 1, &d);
    ck_assert_int_eq(vrpc_call_send_any(call, (struct vdl_any){ NULL, NULL }),
        V23_EAGAIN);
    world_settle(&W);
    item.type = &vdl_int32_desc;
    item.val = &v;
    for (v = 1; v <= 4; v++)
        ck_assert_int_eq(vrpc_call_send_any(call, item), 0);
    vrpc_call_close_send(call);
    ck_assert_int_eq(vrpc_call_send_any(call, item), V23_ESTATE);
    ck_assert(world_until(&W, &d.done, SEC));

    ck_assert_str_eq(d.id, "");
    ck_assert_int_eq(d.items, 4);
    ck_assert_str_eq(d.first, "int32(10)");
    ck_assert_int_eq(P.echo.ended, 1);
}
END_TEST

START_TEST(nil_any_travels)
{
    struct vdl_any nil = { NULL, NULL };
    struct dyn d;

    ck_assert_ptr_nonnull(start_any("Any", 1, &nil, 1, &d));
    ck_assert(world_until(&W, &d.done, SEC));

    ck_assert_str_eq(d.id, "");
    ck_assert_uint_eq(d.n, 1);
}
END_TEST

/* ---- errors of the server ------------------------------------------------ */

static const char *fail_with(const char *name, int method, const void *in)
{
    static struct result r;
    struct vrpc_call_opts o = opts_now();

    ck_assert_ptr_nonnull(start(P.c, name, method, &o, in, &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, 10 * SEC));
    ck_assert_int_eq(r.done, 1);
    return r.id;
}

START_TEST(server_error_keeps_id_text_and_parameters)
{
    struct vrpc_call_opts o = opts_now();
    struct text in = { VDL_STR_INIT("noexist") };
    struct result r;

    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_FAIL, &o, &in,
        &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, VERR "NoExist");
    ck_assert_str_eq(r.msg, "server:.Fail: does not exist: x");
    ck_assert_uint_eq(r.nparams, 3);
}
END_TEST

START_TEST(unknown_method_is_reported)
{
    struct dyn d;

    ck_assert_ptr_nonnull(start_any("Nope", 0, NULL, 0, &d));
    ck_assert(world_until(&W, &d.done, SEC));

    ck_assert_str_eq(d.id, VERR "UnknownMethod");
}
END_TEST

START_TEST(wrong_number_of_arguments_is_bad_protocol)
{
    int32_t a = 1;
    struct vdl_any arg = { &vdl_int32_desc, &a };
    struct dyn d;

    ck_assert_ptr_nonnull(start_any("Add", 1, &arg, 1, &d));
    ck_assert(world_until(&W, &d.done, SEC));

    ck_assert_str_eq(d.id, VERR "BadProtocol");
    ck_assert_int_eq(P.echo.calls, 0);
}
END_TEST

START_TEST(wrong_argument_type_is_bad_protocol)
{
    struct vdl_str s = VDL_STR_INIT("forty");
    struct vdl_any args[2] = { { &vdl_string_desc, &s },
        { &vdl_string_desc, &s } };
    struct dyn d;

    ck_assert_ptr_nonnull(start_any("Add", 2, args, 1, &d));
    ck_assert(world_until(&W, &d.done, SEC));

    ck_assert_str_eq(d.id, VERR "BadProtocol");
    ck_assert_int_eq(P.echo.calls, 0);
}
END_TEST

START_TEST(suffix_of_an_object_server_is_unknown)
{
    ck_assert_str_eq(fail_with(world_name(P.s, "a/b"), M_WAIT, NULL),
        VERR "UnknownSuffix");
}
END_TEST

START_TEST(reserved_suffix_without_dispatcher_is_unknown)
{
    ck_assert_str_eq(fail_with(world_name(P.s, "__debug/stats"), M_WAIT,
        NULL), VERR "UnknownSuffix");
}
END_TEST

START_TEST(method_without_handler_is_not_implemented)
{
    ck_assert_str_eq(fail_with(world_name(P.s, ""), M_NO, NULL),
        VERR "NotImplemented");
}
END_TEST

START_TEST(backoff_error_repeats_the_call)
{
    struct text in = { VDL_STR_INIT("backoff") };
    struct result r;

    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_FAIL, NULL, &in,
        &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, 30 * SEC));

    ck_assert_str_eq(r.id, "");
    ck_assert_int_eq(P.echo.calls, 3);
}
END_TEST

START_TEST(backoff_error_is_final_without_retry)
{
    struct text in = { VDL_STR_INIT("backoff") };

    ck_assert_str_eq(fail_with(world_name(P.s, ""), M_FAIL, &in),
        "x/y.Later");
    ck_assert_int_eq(P.echo.calls, 1);
}
END_TEST

/* ---- names and servers --------------------------------------------------- */

START_TEST(relative_name_without_resolver_is_no_servers)
{
    ck_assert_str_eq(fail_with("some/name", M_WAIT, NULL),
        VERR "NoServers");
}
END_TEST

START_TEST(bad_endpoint_is_no_servers)
{
    ck_assert_str_eq(fail_with("/@6@tcp", M_WAIT, NULL), VERR "NoServers");
}
END_TEST

START_TEST(refused_dial_is_retried_until_the_server_is_there)
{
    struct add_in in = { 1, 2 };
    struct result r;

    P.s->refuses = true;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ADD, NULL, &in,
        &stub_plain, &r));
    world_sleep(&W, 2 * SEC);
    ck_assert_int_eq(r.done, 0);
    ck_assert_uint_gt(W.ndials, 2);
    P.s->refuses = false;
    ck_assert(world_until(&W, &r.done, 10 * SEC));

    ck_assert_str_eq(r.id, "");
    ck_assert_int_eq(r.sum, 3);
}
END_TEST

START_TEST(retries_end_with_the_connection_timeout)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    int64_t begin = W.now.mono_ns;
    struct result r;

    o.connect_timeout_ns = 5 * SEC;
    P.s->refuses = true;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_WAIT, &o, NULL,
        &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, 60 * SEC));

    ck_assert_str_eq(r.id, VERR "NoServers");
    ck_assert_int_le(W.now.mono_ns - begin, 5 * SEC);
    ck_assert_int_gt(W.now.mono_ns - begin, 3 * SEC);
}
END_TEST

START_TEST(cached_only_does_not_dial)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    struct add_in in = { 1, 2 };
    struct result r;

    o.cached_only = true;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ADD, &o, &in,
        &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, SEC));
    ck_assert_str_eq(r.id, VERR "NoServers");
    ck_assert_uint_eq(W.ndials, 0);
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ADD, NULL, &in,
        &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, SEC));
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ADD, &o, &in,
        &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, "");
    ck_assert_uint_eq(W.ndials, 1);
}
END_TEST

/* Copy of a name with one part replaced. */
static const char *edited(const char *name, const char *what,
    const char *with)
{
    static char out[600];
    const char *at = strstr(name, what);

    ck_assert_ptr_nonnull(at);
    snprintf(out, sizeof(out), "%.*s%s%s", (int)(at - name), name, with,
        at + strlen(what));
    return out;
}

START_TEST(server_with_other_name_is_not_trusted)
{
    ck_assert_str_eq(fail_with(edited(world_name(P.s, ""), "test:server",
        "test:other"), M_WAIT, NULL), VERR "NotTrusted");
    ck_assert_uint_eq(vrpc_manager_nconns(P.c->m), 0);
    ck_assert_int_eq(P.echo.calls, 0);
}
END_TEST

START_TEST(endpoint_without_names_is_not_trusted)
{
    ck_assert_str_eq(fail_with(edited(world_name(P.s, ""), "test:server", ""),
        M_WAIT, NULL), VERR "NotTrusted");
}
END_TEST

START_TEST(cached_connection_is_authorized_again)
{
    struct add_in in = { 1, 2 };
    struct result r;

    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ADD, NULL, &in,
        &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(fail_with(edited(world_name(P.s, ""), "test:server",
        "test:other"), M_ADD, &in), VERR "NotTrusted");
    ck_assert_int_eq(P.echo.calls, 1);
}
END_TEST

START_TEST(server_authorizer_replaces_the_rule)
{
    struct vrpc_call_opts o = opts_now();
    struct add_in in = { 1, 2 };
    struct result r;

    o.server_auth = &vsec_auth_everyone;
    ck_assert_ptr_nonnull(start(P.c, edited(world_name(P.s, ""),
        "test:server", ""), M_ADD, &o, &in, &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, SEC));
    ck_assert_str_eq(r.id, "");
    o.server_auth = &nobody;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ADD, &o, &in,
        &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, VERR "NotTrusted");
}
END_TEST

START_TEST(pattern_in_the_name_must_match_too)
{
    struct add_in in = { 1, 2 };

    ck_assert_str_eq(fail_with(world_name(P.s, "__(test:server)"), M_ADD,
        &in), "");
    ck_assert_str_eq(fail_with(world_name(P.s, "__(test:other)"), M_ADD,
        &in), VERR "NotTrusted");
}
END_TEST

START_TEST(black_hole_does_not_hide_other_servers)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    struct vdl_str names[2];
    vdl_str_list list = { names, 2 };
    struct add_in in = { 1, 2 };
    struct wnode *hole;
    struct result r;

    ck_assert_int_eq(world_node(&W, "hole", 5, &hole), 0);
    hole->black_hole = true;
    names[0] = vdl_str(world_name(hole, ""));
    names[1] = vdl_str(world_name(P.s, ""));
    o.preresolved = &list;
    ck_assert_ptr_nonnull(start(P.c, "a/name", M_ADD, &o, &in, &stub_plain,
        &r));
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, "");
    ck_assert_uint_eq(W.ndials, 2);
}
END_TEST

START_TEST(preresolved_servers_that_fail_report_each)
{
    struct vrpc_call_opts o = opts_now();
    struct vdl_str names[2] = { VDL_STR_INIT("/(x)@nowhere:1"),
        VDL_STR_INIT("/(x)@nowhere:2") };
    vdl_str_list list = { names, 2 };
    struct result r;

    o.preresolved = &list;
    ck_assert_ptr_nonnull(start(P.c, "n", M_WAIT, &o, NULL, &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, VERR "NoServers");
    ck_assert_ptr_nonnull(strstr(r.msg, "nowhere:1:n.Wait"));
    ck_assert_ptr_nonnull(strstr(r.msg, "nowhere:2:n.Wait"));
    ck_assert_uint_eq(r.nparams, 4);
}
END_TEST

/* ---- resolver ------------------------------------------------------------ */

struct fake {
    int asked, cancelled, flushed;
    struct v23_op op;
    int rc;
    struct vdl_str server;
    bool later;
};

static int fake_resolve(void *ud, struct v23_op op, struct vdl_str name,
    const struct vrpc_call_opts *opts, int64_t deadline, struct v23_arena *a,
    vdl_str_list *servers, const struct v23_verror **err)
{
    struct fake *f = ud;

    (void)opts;
    (void)a;
    (void)err;
    ck_assert(vdl_str_is(name, "some/name"));
    ck_assert_int_gt(deadline, W.now.mono_ns);
    f->asked++;
    f->op = op;
    servers->v = &f->server;
    servers->n = 1;
    return f->later ? V23_EAGAIN : f->rc;
}

static void fake_cancel(void *ud, struct v23_op op)
{
    struct fake *f = ud;

    ck_assert_uint_eq(op.generation, f->op.generation);
    f->cancelled++;
}

static void fake_flush(void *ud, struct vdl_str name)
{
    (void)name;
    ((struct fake *)ud)->flushed++;
}

static struct fake F;
static const struct vrpc_resolver fake = { fake_resolve, fake_cancel,
    fake_flush, &F };

START_TEST(resolver_may_answer_at_once_or_later)
{
    struct add_in in = { 1, 2 };
    struct result r;
    vdl_str_list list = { &F.server, 1 };

    memset(&F, 0, sizeof(F));
    F.server = vdl_str(world_name(P.s, ""));
    vrpc_client_set_resolver(P.c->c, &fake);
    ck_assert_str_eq(fail_with("some/name", M_ADD, &in), "");
    F.later = true;
    ck_assert_ptr_nonnull(start(P.c, "some/name", M_ADD, NULL, &in,
        &stub_plain, &r));
    world_sleep(&W, SEC);
    ck_assert_int_eq(r.done, 0);
    vrpc_client_resolved(P.c->c, F.op, 0, list, NULL);
    vrpc_client_resolved(P.c->c, F.op, 0, list, NULL);
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, "");
    ck_assert_int_eq(F.asked, 2);
    ck_assert_int_eq(F.cancelled, 0);
}
END_TEST

START_TEST(missing_name_is_asked_for_again)
{
    struct add_in in = { 1, 2 };
    struct result r;

    memset(&F, 0, sizeof(F));
    F.rc = V23_ENONAME;
    F.server = vdl_str(world_name(P.s, ""));
    vrpc_client_set_resolver(P.c->c, &fake);
    ck_assert_ptr_nonnull(start(P.c, "some/name", M_ADD, NULL, &in,
        &stub_plain, &r));
    world_sleep(&W, SEC);
    ck_assert_int_gt(F.asked, 1);
    F.rc = 0;
    ck_assert(world_until(&W, &r.done, 10 * SEC));

    ck_assert_str_eq(r.id, "");
}
END_TEST

START_TEST(other_resolver_errors_are_final)
{
    static const struct { int rc; const char *id; } cases[] = {
        { V23_ENOENT, VERR "NoServers" },
        { V23_ETIMEOUT, VERR "Timeout" },
        { V23_EDEPTH, VERR "NoServers" },
    };
    struct result r;
    size_t i;

    memset(&F, 0, sizeof(F));
    vrpc_client_set_resolver(P.c->c, &fake);
    for (i = 0; i < 3; i++) {
        F.rc = cases[i].rc;
        F.asked = 0;
        ck_assert_ptr_nonnull(start(P.c, "some/name", M_WAIT, NULL, NULL,
            &stub_plain, &r));
        ck_assert(world_until(&W, &r.done, SEC));
        ck_assert_str_eq(r.id, cases[i].id);
        ck_assert_int_eq(F.asked, 1);
    }
}
END_TEST

START_TEST(unreachable_servers_flush_the_cache)
{
    struct vrpc_call_opts o = opts_now();
    struct result r;

    memset(&F, 0, sizeof(F));
    F.server = vdl_str("/(x)@nowhere:1");
    vrpc_client_set_resolver(P.c->c, &fake);
    ck_assert_ptr_nonnull(start(P.c, "some/name", M_WAIT, &o, NULL,
        &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, VERR "NoServers");
    ck_assert_int_eq(F.flushed, 1);
}
END_TEST

START_TEST(cancel_while_resolving_cancels_the_resolver)
{
    struct vrpc_call *call;
    struct result r;

    memset(&F, 0, sizeof(F));
    F.later = true;
    vrpc_client_set_resolver(P.c->c, &fake);
    call = start(P.c, "some/name", M_WAIT, NULL, NULL, &stub_plain, &r);
    vrpc_call_cancel(call);
    ck_assert_int_eq(r.done, 0);
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, VERR "Canceled");
    ck_assert_int_eq(F.cancelled, 1);
}
END_TEST

/* ---- ends before the end ------------------------------------------------- */

START_TEST(cancel_reaches_the_server)
{
    struct vrpc_call *call;
    struct result r;

    P.echo.auto_reply = true;
    call = start(P.c, world_name(P.s, ""), M_WAIT, NULL, NULL, &stub_plain,
        &r);
    ck_assert(world_until(&W, &P.echo.calls, SEC));
    vrpc_call_cancel(call);
    vrpc_call_cancel(call);
    ck_assert(world_until(&W, &r.done, SEC));
    ck_assert(world_until(&W, &P.echo.cancels, SEC));

    ck_assert_str_eq(r.id, VERR "Canceled");
    ck_assert_int_eq(r.done, 1);
    ck_assert_int_eq(P.echo.cancel_reason, V23_ECANCELED);
    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
    ck_assert_uint_eq(vrpc_manager_nconns(P.c->m), 1);
}
END_TEST

START_TEST(cancel_while_dialing_ends_the_call)
{
    struct vrpc_call *call;
    struct result r;

    P.s->black_hole = true;
    call = start(P.c, world_name(P.s, ""), M_WAIT, NULL, NULL, &stub_plain,
        &r);
    world_sleep(&W, SEC);
    vrpc_call_cancel(call);
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, VERR "Canceled");
}
END_TEST

START_TEST(deadline_passes_to_the_server)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    struct result r;

    o.timeout_ns = 2 * SEC;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_WAIT, &o, NULL,
        &stub_plain, &r));
    ck_assert(world_until(&W, &P.echo.calls, SEC));
    ck_assert_int_eq(vrpc_server_call_deadline(P.echo.waiting),
        W.now.mono_ns + 2 * SEC);
    ck_assert(!world_until(&W, &r.done, SEC));
    P.echo.auto_reply = true;
    ck_assert(world_until(&W, &r.done, 2 * SEC));
    ck_assert(world_until(&W, &P.echo.cancels, SEC));

    ck_assert_str_eq(r.id, VERR "Timeout");
    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
}
END_TEST

START_TEST(deadline_while_dialing_ends_the_call)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    struct result r;

    P.s->black_hole = true;
    o.timeout_ns = 3 * SEC;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_WAIT, &o, NULL,
        &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, 4 * SEC));

    ck_assert_str_eq(r.id, VERR "Timeout");
}
END_TEST

START_TEST(lost_connection_ends_calls_on_both_sides)
{
    struct result r;

    P.echo.auto_reply = true;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_WAIT, NULL, NULL,
        &stub_plain, &r));
    ck_assert(world_until(&W, &P.echo.calls, SEC));
    world_cut(world_link_of(&W, P.c));
    ck_assert(world_until(&W, &r.done, SEC));
    ck_assert(world_until(&W, &P.echo.cancels, SEC));

    ck_assert_str_eq(r.id, VERR "BadProtocol");
    ck_assert_uint_eq(vrpc_manager_nconns(P.c->m), 0);
    ck_assert_uint_eq(vrpc_manager_nconns(P.s->m), 0);
}
END_TEST

START_TEST(handler_may_answer_after_its_connection_is_gone)
{
    struct result r;

    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_WAIT, NULL, NULL,
        &stub_plain, &r));
    ck_assert(world_until(&W, &P.echo.calls, SEC));
    world_cut(world_link_of(&W, P.c));
    ck_assert(world_until(&W, &P.echo.cancels, SEC));
    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 1);
    /* What the call knows stays there. */
    ck_assert_uint_eq(vrpc_server_call_remote_names(P.echo.waiting).n, 1);
    ck_assert_ptr_nonnull(vrpc_server_call_remote_blessings(P.echo.waiting));
    ck_assert_int_eq(vrpc_server_call_reply(P.echo.waiting, NULL, NULL),
        V23_ECLOSED);

    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
    ck_assert(world_until(&W, &r.done, SEC));
}
END_TEST

static struct v23_op Grant_op;
static int Grants;

static int grant_later(void *ud, struct v23_op op, struct vrpc_call *call,
    struct vsec_blessings **out)
{
    (void)ud;
    (void)call;
    (void)out;
    Grant_op = op;
    Grants++;
    return V23_EAGAIN;
}

START_TEST(connection_may_die_while_the_granter_thinks)
{
    struct vrpc_call_opts o = opts_now();
    struct add_in in = { 1, 2 };
    struct result r;

    Grants = 0;
    o.granter = grant_later;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ADD, &o, &in,
        &stub_plain, &r));
    ck_assert(world_until(&W, &Grants, SEC));
    world_cut(world_link_of(&W, P.c));
    world_settle(&W);
    ck_assert_int_eq(r.done, 0);
    vrpc_client_granted(P.c->c, Grant_op, 0, NULL);
    vrpc_client_granted(P.c->c, Grant_op, 0, NULL);
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, VERR "BadProtocol");
}
END_TEST

START_TEST(late_grant_continues_the_call)
{
    struct vrpc_call_opts o = opts_now();
    struct add_in in = { 1, 2 };
    struct result r;

    Grants = 0;
    o.granter = grant_later;
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ADD, &o, &in,
        &stub_plain, &r));
    ck_assert(world_until(&W, &Grants, SEC));
    vrpc_client_granted(P.c->c, Grant_op, 0, NULL);
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, "");
}
END_TEST

START_TEST(paused_call_keeps_what_came_before_the_connection_died)
{
    struct vrpc_call *call;
    struct result r;
    int32_t n = 100;

    call = start(P.c, world_name(P.s, ""), M_COUNT, NULL, &n, &stub_plain,
        &r);
    vrpc_call_pause(call, true);
    world_settle(&W);
    world_cut(world_link_of(&W, P.c));
    world_settle(&W);
    ck_assert_int_eq(r.done, 0);
    ck_assert_int_eq(r.items, 0);
    vrpc_call_pause(call, false);
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, "");
    ck_assert_int_eq(r.items, 100);
}
END_TEST

START_TEST(freed_client_finishes_its_calls)
{
    struct result r;

    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_WAIT, NULL, NULL,
        &stub_plain, &r));
    P.echo.auto_reply = true;
    ck_assert(world_until(&W, &P.echo.calls, SEC));
    vrpc_client_free(P.c->c);
    P.c->c = NULL;

    ck_assert_int_eq(r.done, 1);
    ck_assert_str_eq(r.id, VERR "Canceled");
}
END_TEST

/* ---- streams ------------------------------------------------------------- */

START_TEST(stream_both_ways_ends_with_result)
{
    struct vrpc_call *call;
    struct result r;
    int32_t v;

    call = start(P.c, world_name(P.s, ""), M_SUM, NULL, NULL, &stub_plain,
        &r);
    world_settle(&W);
    for (v = 1; v <= 100; v++)
        ck_assert_int_eq(vrpc_call_send(call, &v), 0);
    world_settle(&W);
    ck_assert_int_eq(r.items, 100);
    ck_assert_int_eq(r.last, 5050);
    ck_assert_int_eq(r.done, 0);
    vrpc_call_close_send(call);
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, "");
    ck_assert_int_eq(r.sum, 5050);
    ck_assert_int_eq(P.echo.ended, 1);
}
END_TEST

struct pump {
    struct vrpc_call *call;
    int32_t next, n;
    int shut, calls;
};

static void pump_more(void *ud, struct vrpc_call *call)
{
    struct pump *p = ud;
    int32_t one = 1;
    int rc = 0;

    p->calls++;
    while (p->next < p->n && rc == 0) {
        rc = vrpc_call_send(call, &one);
        if (rc == 0)
            p->next++;
    }
    if (rc == V23_EAGAIN)
        p->shut++;
    else if (p->next == p->n)
        vrpc_call_close_send(call);
}

START_TEST(shut_window_opens_again)
{
    struct pump p = { NULL, 0, 60000, 0, 0 };
    struct result r;

    p.call = start(P.c, world_name(P.s, ""), M_SUM, NULL, NULL, &stub_plain,
        &r);
    vrpc_call_on_writable(p.call, pump_more, &p);
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, "");
    ck_assert_int_eq(r.sum, 60000);
    ck_assert_int_eq(r.items, 60000);
    ck_assert_int_gt(p.shut, 0);
}
END_TEST

START_TEST(paused_reader_slows_the_server)
{
    struct vrpc_call *call;
    struct result r;
    int32_t n = 500000;

    call = start(P.c, world_name(P.s, ""), M_COUNT, NULL, &n, &stub_plain,
        &r);
    vrpc_call_pause(call, true);
    world_settle(&W);
    ck_assert_int_eq(r.items, 0);
    ck_assert_int_lt(P.echo.next, n);
    vrpc_call_pause(call, false);
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, "");
    ck_assert_int_eq(r.items, n);
    ck_assert_int_eq(r.last, n - 1);
}
END_TEST

static struct vrpc_call *Doomed;

static void item_cancels(vrpc_any_fn *fn, void *ud, const void *item)
{
    struct result *r = ud;

    (void)fn;
    (void)item;
    if (++r->items == 3)
        vrpc_call_cancel(Doomed);
}

START_TEST(item_callback_may_cancel)
{
    static const struct vrpc_call_stub stub = { got_done, item_cancels };
    struct result r;
    int32_t n = 500000;

    Doomed = start(P.c, world_name(P.s, ""), M_COUNT, NULL, &n, &stub, &r);
    ck_assert(world_until(&W, &r.done, SEC));
    ck_assert(world_until(&W, &P.echo.cancels, SEC));

    ck_assert_int_eq(r.items, 3);
    ck_assert_str_eq(r.id, VERR "Canceled");
    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
}
END_TEST

START_TEST(reply_before_the_client_ends_its_stream)
{
    struct vrpc_call *call;
    struct result r;
    struct add_out out = { 7 };
    int32_t v = 1;

    call = start(P.c, world_name(P.s, ""), M_WAIT, NULL, NULL, &stub_plain,
        &r);
    (void)call;
    ck_assert(world_until(&W, &P.echo.calls, SEC));
    ck_assert_int_eq(vrpc_server_call_reply(P.echo.waiting, NULL, &out), 0);
    ck_assert(world_until(&W, &r.done, SEC));
    ck_assert_str_eq(r.id, "");
    (void)v;
}
END_TEST

/* ---- calling back -------------------------------------------------------- */

START_TEST(server_can_be_called_back_over_its_connection)
{
    struct wnode *both;
    struct echo echo;
    struct add_in in = { 20, 2 };
    struct result r;
    char name[300];
    struct v23_buf b;

    memset(&echo, 0, sizeof(echo));
    ck_assert_int_eq(world_node(&W, "both", 99, &both), 0);
    ck_assert_int_eq(serve(both, &echo, &vsec_auth_everyone), 0);
    ck_assert_ptr_nonnull(start(both, world_name(P.s, ""), M_ADD, NULL, &in,
        &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, SEC));
    v23_buf_init_fixed(&b, name, sizeof(name));
    v23_buf_puts(&b, "/@6@bidi@@@");
    vrpc_routing_id_format(vrpc_manager_rid(both->m), &b);
    v23_buf_puts(&b, "@s@test:both@@");
    v23_buf_put_byte(&b, 0);
    ck_assert_ptr_nonnull(start(P.s, name, M_ADD, NULL, &in, &stub_plain,
        &r));
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, "");
    ck_assert_int_eq(r.sum, 22);
    ck_assert_int_eq(echo.calls, 1);
    ck_assert_uint_eq(W.ndials, 1);
}
END_TEST

START_TEST(bidi_endpoint_without_connection_fails)
{
    struct vrpc_call_opts o = opts_now();
    struct result r;

    ck_assert_ptr_nonnull(start(P.s, "/@6@bidi@@@00000000000000000000000000000"
        "063@s@test:both@@", M_WAIT, &o, NULL, &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, VERR "NoServers");
    ck_assert_uint_eq(W.ndials, 0);
}
END_TEST

/* ---- idle connections and memory ----------------------------------------- */

START_TEST(idle_connection_is_closed_and_dialed_again)
{
    struct add_in in = { 1, 2 };
    struct result r;

    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ADD, NULL, &in,
        &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, SEC));
    world_sleep(&W, 1500 * SEC);
    ck_assert_uint_eq(vrpc_manager_nconns(P.c->m), 0);
    ck_assert_ptr_nonnull(start(P.c, world_name(P.s, ""), M_ADD, NULL, &in,
        &stub_plain, &r));
    ck_assert(world_until(&W, &r.done, SEC));

    ck_assert_str_eq(r.id, "");
    ck_assert_uint_eq(W.ndials, 2);
}
END_TEST

/* A whole life with one call of each kind. */
static int life(const struct v23_alloc *al, void *ud)
{
    struct add_in in = { 40, 2 };
    int32_t n = 10, one = 1;
    struct vrpc_call *call;
    struct result r;
    int rc;

    (void)ud;
    memset(&W, 0, sizeof(W));
    W.t.al = *al;
    rc = world_init(&W);
    if (rc == 0)
        rc = pair_init(&W);
    if (rc != 0)
        goto out;
    rc = V23_ENOMEM;
    if (start(P.c, world_name(P.s, ""), M_ADD, NULL, &in, &stub_plain,
            &r) == NULL)
        goto out;
    if (!world_until(&W, &r.done, 100 * SEC))
        ck_abort_msg("the call never ended");
    if (r.id[0] != 0)
        goto out;
    ck_assert_int_eq(r.sum, 42);
    if (start(P.c, world_name(P.s, ""), M_COUNT, NULL, &n, &stub_plain,
            &r) == NULL)
        goto out;
    if (!world_until(&W, &r.done, 100 * SEC))
        ck_abort_msg("the stream never ended");
    if (r.id[0] != 0)
        goto out;
    ck_assert_int_eq(r.items, 10);
    call = start(P.c, world_name(P.s, ""), M_SUM, NULL, NULL, &stub_plain,
        &r);
    if (call == NULL)
        goto out;
    world_settle(&W);
    if (r.done || vrpc_call_send(call, &one) != 0)
        goto out;
    vrpc_call_close_send(call);
    if (!world_until(&W, &r.done, 100 * SEC))
        ck_abort_msg("the second stream never ended");
    if (r.id[0] != 0)
        goto out;
    ck_assert_int_eq(r.sum, 1);
    rc = 0;
out:
    world_fini(&W);
    return rc;
}

START_TEST(out_of_memory_anywhere_is_survived)
{
    tst_out_of_memory(life, NULL);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("librpc/call");
    TCase *t = tcase_create("call"), *m = tcase_create("memory");

    tcase_add_checked_fixture(t, pair_setup, world_teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, unary_call_returns_result);
    tcase_add_test(t, calls_share_one_connection);
    tcase_add_test(t, arguments_may_die_after_start);
    tcase_add_test(t, values_larger_than_the_window_pass);
    tcase_add_test(t, warm_call_does_not_allocate);
    tcase_add_test(t, dynamic_call_converts_arguments);
    tcase_add_test(t, dynamic_call_checks_the_number_of_results);
    tcase_add_test(t, dynamic_stream_goes_both_ways);
    tcase_add_test(t, nil_any_travels);
    tcase_add_test(t, server_error_keeps_id_text_and_parameters);
    tcase_add_test(t, unknown_method_is_reported);
    tcase_add_test(t, wrong_number_of_arguments_is_bad_protocol);
    tcase_add_test(t, wrong_argument_type_is_bad_protocol);
    tcase_add_test(t, suffix_of_an_object_server_is_unknown);
    tcase_add_test(t, reserved_suffix_without_dispatcher_is_unknown);
    tcase_add_test(t, method_without_handler_is_not_implemented);
    tcase_add_test(t, backoff_error_repeats_the_call);
    tcase_add_test(t, backoff_error_is_final_without_retry);
    tcase_add_test(t, relative_name_without_resolver_is_no_servers);
    tcase_add_test(t, bad_endpoint_is_no_servers);
    tcase_add_test(t, refused_dial_is_retried_until_the_server_is_there);
    tcase_add_test(t, retries_end_with_the_connection_timeout);
    tcase_add_test(t, cached_only_does_not_dial);
    tcase_add_test(t, server_with_other_name_is_not_trusted);
    tcase_add_test(t, endpoint_without_names_is_not_trusted);
    tcase_add_test(t, cached_connection_is_authorized_again);
    tcase_add_test(t, server_authorizer_replaces_the_rule);
    tcase_add_test(t, pattern_in_the_name_must_match_too);
    tcase_add_test(t, black_hole_does_not_hide_other_servers);
    tcase_add_test(t, preresolved_servers_that_fail_report_each);
    tcase_add_test(t, resolver_may_answer_at_once_or_later);
    tcase_add_test(t, missing_name_is_asked_for_again);
    tcase_add_test(t, other_resolver_errors_are_final);
    tcase_add_test(t, unreachable_servers_flush_the_cache);
    tcase_add_test(t, cancel_while_resolving_cancels_the_resolver);
    tcase_add_test(t, cancel_reaches_the_server);
    tcase_add_test(t, cancel_while_dialing_ends_the_call);
    tcase_add_test(t, deadline_passes_to_the_server);
    tcase_add_test(t, deadline_while_dialing_ends_the_call);
    tcase_add_test(t, lost_connection_ends_calls_on_both_sides);
    tcase_add_test(t, handler_may_answer_after_its_connection_is_gone);
    tcase_add_test(t, connection_may_die_while_the_granter_thinks);
    tcase_add_test(t, late_grant_continues_the_call);
    tcase_add_test(t,
        paused_call_keeps_what_came_before_the_connection_died);
    tcase_add_test(t, freed_client_finishes_its_calls);
    tcase_add_test(t, stream_both_ways_ends_with_result);
    tcase_add_test(t, shut_window_opens_again);
    tcase_add_test(t, paused_reader_slows_the_server);
    tcase_add_test(t, item_callback_may_cancel);
    tcase_add_test(t, reply_before_the_client_ends_its_stream);
    tcase_add_test(t, server_can_be_called_back_over_its_connection);
    tcase_add_test(t, bidi_endpoint_without_connection_fails);
    tcase_add_test(t, idle_connection_is_closed_and_dialed_again);
    suite_add_tcase(s, t);
    tcase_set_timeout(m, 300);
    tcase_add_test(m, out_of_memory_anywhere_is_survived);
    suite_add_tcase(s, m);
    return s;
}

int main(void)
{
    return tst_run(suite());
}

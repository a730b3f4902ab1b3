/* BSD-3-Clause; see LICENSE. */
/* The objects __controller and __namespace, blessings by number, granters,
 * traces (spec/wspr.md 7-9, 11.2, 12). */
#include "page_rig.h"

#include <v23/vdl/v.io/v23/naming/naming.vdl.h>
#include <v23/vdl/v.io/x/ref/services/wspr/internal/principal/principal.vdl.h>
#include <vname/mount_service.h>
#include <vsec/blessings.h>

#define CTL "__controller"
#define NS "__namespace"

static struct vdl_any str_any(const char *s)
{
    static struct vdl_str v[8];
    static unsigned n;
    struct vdl_any a;

    n = (n + 1) % 8;
    v[n] = vdl_str(s);
    a.type = &vdl_string_desc;
    a.val = &v[n];
    return a;
}

static struct vdl_any bool_any(bool b)
{
    static const bool v[2] = { false, true };
    struct vdl_any a;

    a.type = &vdl_bool_desc;
    a.val = &v[b];
    return a;
}

/* ---- blessings ----------------------------------------------------------- */

static struct {
    uint32_t id;
    v23_security_wire_blessings b;
} added[16];
static size_t nadded;

/* Past those that tell of blessings, which are remembered. */
static v23_wspr_app_rpc_response final_past(int64_t id)
{
    settle();
    while (P.next < P.ngot && P.got[P.next].type == BLESSINGS) {
        const struct got *g = &P.got[P.next++];
        const struct vdl_list *l = g->v.val;
        v23_wspr_principal_blessings_cache_message m;

        ck_assert_uint_eq(l->n, 1);
        ck_assert_int_eq(vdl_convert(&P.a,
                             &v23_wspr_principal_blessings_cache_message_desc,
                             &m, g->v.type->elem, l->v), 0);
        ck_assert_uint_eq(m.which,
            V23_WSPR_PRINCIPAL_BLESSINGS_CACHE_MESSAGE_ADD);
        added[nadded].id = m.u.add.cache_id;
        added[nadded++].b = m.u.add.blessings;
    }
    return final_of(id);
}

static uint32_t id_of(const v23_wspr_app_rpc_response *r)
{
    ck_assert_uint_eq(r->out_args.n, 1);
    ck_assert(vdl_str_is(r->out_args.v[0].type->name,
        "v.io/x/ref/services/wspr/internal/principal.BlessingsId"));
    return (uint32_t)vdl_get_uint(r->out_args.v[0].type,
        r->out_args.v[0].val);
}

static uint32_t id_from(int64_t call)
{
    v23_wspr_app_rpc_response r = final_past(call);

    return id_of(&r);
}

static struct vdl_any wire_any(const v23_security_wire_blessings *w)
{
    struct vdl_any a;

    a.type = &v23_security_wire_blessings_desc;
    a.val = w;
    return a;
}

static const struct vdl_type caveats_desc = { .kind = VDL_LIST,
    .align = _Alignof(struct vdl_list), .size = sizeof(struct vdl_list),
    .elem = &v23_security_caveat_desc,
    .stride = sizeof(v23_security_caveat) };

static uint32_t bless_self(const char *name)
{
    static const struct vdl_list none;
    struct vdl_any args[2] = { { NULL, NULL }, { &caveats_desc, &none } };

    args[0] = str_any(name);
    return id_from(call_it(CTL, "BlessSelf", args, 2, 1));
}

static uint32_t bless(struct vdl_bytes key,
    const v23_security_wire_blessings *with)
{
    static const struct vdl_list none;
    struct vdl_any args[4] = { { &vdl_bytes_desc, NULL } };

    args[0].val = &key;
    args[1] = wire_any(with);
    args[2] = str_any("child");
    args[3].type = &caveats_desc;
    args[3].val = &none;
    return id_from(call_it(CTL, "Bless", args, 4, 1));
}

static void setup(void)
{
    nadded = 0;
    rig_setup();
}

START_TEST(blessings_are_named_by_numbers)
{
    ck_assert_uint_eq(bless_self("me"), 1);
    ck_assert_uint_eq(nadded, 1);
    ck_assert_uint_eq(added[0].id, 1);
    ck_assert_uint_eq(added[0].b.certificate_chains.n, 1);
    ck_assert(vdl_str_is(added[0].b.certificate_chains.v[0].v[0].extension,
        "me"));
    ck_assert_uint_eq(id_from(call_it(CTL, "BlessingStoreDefault", NULL, 0,
                          1)), 2);
    ck_assert_uint_eq(id_from(call_it(CTL, "BlessingStoreDefault", NULL, 0,
                          1)), 2);
    ck_assert_uint_eq(nadded, 2);
}
END_TEST

static void told_deletes(uint32_t *ids, uint32_t *after, uint32_t n)
{
    const struct got *g = next_of(BLESSINGS);
    const struct vdl_list *l = g->v.val;
    v23_wspr_principal_blessings_cache_message m;
    uint32_t i;

    ck_assert_uint_eq(l->n, n);
    for (i = 0; i < n; i++) {
        ck_assert_int_eq(vdl_convert(&P.a,
                             &v23_wspr_principal_blessings_cache_message_desc,
                             &m, g->v.type->elem,
                             (const char *)l->v + i * g->v.type->stride), 0);
        ck_assert_uint_eq(m.which,
            V23_WSPR_PRINCIPAL_BLESSINGS_CACHE_MESSAGE_DELETE);
        ids[i] = m.u.delete_.cache_id;
        after[i] = m.u.delete_.delete_after;
    }
}

START_TEST(unused_blessings_are_forgotten_in_the_second_minute)
{
    uint32_t ids[2], after[2];

    (void)bless_self("me");
    (void)id_from(call_it(CTL, "BlessingStoreDefault", NULL, 0, 1));
    (void)id_from(call_it(CTL, "BlessingStoreDefault", NULL, 0, 1));
    pass(61 * SEC);
    nothing();
    (void)id_from(call_it(CTL, "BlessingStoreDefault", NULL, 0, 1));
    pass(60 * SEC);
    told_deletes(ids, after, 1);
    ck_assert_uint_eq(ids[0], 1);
    ck_assert_uint_eq(after[0], 1);
    pass(60 * SEC);
    told_deletes(ids, after, 1);
    ck_assert_uint_eq(ids[0], 2);
    ck_assert_uint_eq(after[0], 3);
    pass(3 * SEC);
    ck_assert(wspr_ctl_next_deadline(X.c) == V23_NEVER);
    nadded = 0;
    ck_assert_uint_eq(id_from(call_it(CTL, "BlessingStoreDefault", NULL, 0,
                          1)), 3); /* never used again */
    ck_assert_uint_eq(nadded, 1);
}
END_TEST

START_TEST(ids_of_blessings_are_bounded)
{
    struct wspr_ctl_config cfg = rig_config();
    static const struct vdl_list none;
    struct vdl_any args[2] = { { NULL, NULL }, { &caveats_desc, &none } };

    wspr_ctl_close(X.c, NULL, NULL);
    wspr_ctl_free(X.c);
    cfg.limits.blessings = 2;
    ck_assert_int_eq(wspr_ctl_new(&cfg, &X.c), 0);
    (void)bless_self("a");
    (void)bless_self("b");
    args[0] = str_any("c");
    ck_assert_str_eq(error_of(call_it(CTL, "BlessSelf", args, 2, 1)),
        VERR "Internal");
}
END_TEST

START_TEST(blessings_are_extended_for_keys)
{
    struct vdl_bytes key = vdl_bytes(O.n->principal->key->der.p,
        O.n->principal->key->der.n);
    struct vdl_bytes bad = vdl_bytes((const uint8_t *)"xx", 2);
    struct vdl_any args[4] = { { &vdl_bytes_desc, &bad } };
    static const struct vdl_list none;

    (void)bless_self("me");
    ck_assert_uint_eq(bless(key, &added[0].b), 2);
    ck_assert_uint_eq(added[1].b.certificate_chains.v[0].n, 2);
    ck_assert_uint_eq(added[1].b.certificate_chains.v[0].v[1].caveats.n, 1);
    args[1] = wire_any(&added[0].b);
    args[2] = str_any("x");
    args[3].type = &caveats_desc;
    args[3].val = &none;
    ck_assert_str_eq(error_of(call_it(CTL, "Bless", args, 4, 1)),
        VERR "Internal");
    args[1] = wire_any(&added[1].b); /* those of somebody else */
    args[0].val = &key;
    ck_assert_str_eq(error_of(call_it(CTL, "Bless", args, 4, 1)),
        VERR "Internal");
}
END_TEST

START_TEST(the_store_is_the_principals)
{
    struct vdl_any args[2];
    static const struct vdl_str names[] = { STR("peer:x") };
    struct vdl_list l = { names, 1 };
    v23_wspr_app_rpc_response r;

    (void)bless_self("me");
    args[0] = wire_any(&added[0].b);
    args[1] = str_any("peer");
    ck_assert_uint_eq(id_from(call_it(CTL, "BlessingStoreSet", args, 2, 1)),
        0);
    ck_assert_uint_eq(id_from(call_it(CTL, "BlessingStoreSet", args, 2, 1)),
        1);
    args[1] = str_any("...x");
    ck_assert_str_eq(error_of(call_it(CTL, "BlessingStoreSet", args, 2, 1)),
        "v.io/x/ref/lib/security.errBadBlessingPattern");
    args[0].type = &vdl_str_list_desc;
    args[0].val = &l;
    ck_assert_uint_gt(id_from(call_it(CTL, "BlessingStoreForPeer", args, 1,
                          1)), 0);
    args[0] = wire_any(&added[0].b);
    (void)final_past(call_it(CTL, "BlessingStoreSetDefault", args, 1, 0));
    ck_assert_uint_eq(id_from(call_it(CTL, "BlessingStoreDefault", NULL, 0,
                          1)), 1);
    (void)final_past(call_it(CTL, "AddToRoots", args, 1, 0));
    r = final_past(call_it(CTL, "BlessingStorePublicKey", NULL, 0, 1));
    ck_assert_ptr_eq(r.out_args.v[0].type, &vdl_bytes_desc);
    ck_assert(vdl_bytes_eq(*(const struct vdl_bytes *)r.out_args.v[0].val,
        vdl_bytes(X.client->principal->key->der.p,
            X.client->principal->key->der.n)));
    r = final_past(call_it(CTL, "BlessingStorePeerBlessings", NULL, 0, 1));
    ck_assert_int_eq(r.out_args.v[0].type->kind, VDL_MAP);
    ck_assert_uint_eq(((const struct vdl_list *)r.out_args.v[0].val)->n, 2);
    r = final_past(call_it(CTL, "BlessingStoreDebugString", NULL, 0, 1));
    ck_assert_ptr_nonnull(strstr(str_of(r.out_args.v[0]),
        "Default Blessings                me"));
}
END_TEST

START_TEST(blessings_that_come_back_need_no_signature)
{
    v23_security_wire_blessings w;
    struct vdl_bytes key = vdl_bytes(O.n->principal->key->der.p,
        O.n->principal->key->der.n);
    v23_security_certificate *c;
    v23_security_certificate_list chain;

    (void)bless_self("me"); /* Ed25519: pages cannot hold its signature */
    w = added[0].b;
    ck_assert_uint_eq(w.certificate_chains.v[0].v[0].signature.ed25519.n, 0);
    (void)bless(key, &w);
    c = v23_arena_new(&P.a, v23_security_certificate);
    *c = w.certificate_chains.v[0].v[0];
    c->extension = vdl_str("other");
    chain.v = c;
    chain.n = 1;
    w.certificate_chains.v = &chain;
    {
        static const struct vdl_list none;
        struct vdl_any args[4] = { { &vdl_bytes_desc, &key } };

        args[1] = wire_any(&w);
        args[2] = str_any("x");
        args[3].type = &caveats_desc;
        args[3].val = &none;
        ck_assert_str_eq(error_of(call_it(CTL, "Bless", args, 4, 1)),
            VERR "Internal");
    }
}
END_TEST

START_TEST(results_that_are_blessings_become_numbers)
{
    struct vsec_blessings *b = vsec_store_default(X.client->principal->store);
    v23_security_wire_blessings w = vsec_blessings_wire(b);
    v23_wspr_app_rpc_response r;

    O.result = wire_any(&w);
    r = final_past(call_it(world_name(O.n, "o"), "result", NULL, 0, 1));
    ck_assert_uint_eq(id_of(&r), 1);
    ck_assert_uint_eq(nadded, 1);
    memset(&w, 0, sizeof(w));
    r = final_past(call_it(world_name(O.n, "o"), "result", NULL, 0, 1));
    ck_assert_uint_eq(id_of(&r), 0);
}
END_TEST

/* ---- granters ------------------------------------------------------------ */

static int64_t call_with_granter(int32_t handle)
{
    static v23_wspr_app_rpc_call_option o;
    static const struct vdl_str hello = STR("hello");
    static const struct vdl_any text = { &vdl_string_desc, &hello };
    v23_wspr_app_rpc_request r = request(world_name(O.n, "o"), "echo", 1, 1);

    o.which = V23_WSPR_APP_RPC_CALL_OPTION_GRANTER;
    o.u.granter = handle;
    r.call_options.v = &o;
    r.call_options.n = 1;
    return call_with(&r, &text);
}

static const struct got *next_granter(v23_wspr_app_granter_request *q)
{
    const struct got *g;

    settle();
    while (P.next < P.ngot && P.got[P.next].type == BLESSINGS)
        P.next++;
    g = next_of(GRANTER);
    ck_assert_int_eq(g->v.type->kind, VDL_OPTIONAL);
    ck_assert_int_eq(vdl_convert(&P.a, &v23_wspr_app_granter_request_desc, q,
        g->v.type->elem, *(const void *const *)g->v.val), 0);
    return g;
}

static void grant(int64_t id, const v23_wspr_app_granter_response *r)
{
    struct v23_buf b;

    v23_buf_init(&b, NULL, SIZE_MAX);
    ck_assert_int_eq(vom_encode_single(NULL,
        &v23_wspr_app_granter_response_desc, r, &b), 0);
    say_hex(id, C_GRANTER, b.p, b.n);
    v23_buf_fini(&b);
}

START_TEST(granters_of_the_page_are_asked)
{
    struct vsec_blessings *b = NULL;
    v23_wspr_app_granter_request q;
    v23_wspr_app_granter_response r;
    v23_security_caveat cav = vsec_caveat_unconstrained();
    const struct got *g;
    struct vsec_bless what;
    int64_t id = call_with_granter(5);

    g = next_granter(&q);
    ck_assert_int_eq(q.granter_handle, 5);
    ck_assert_uint_eq(q.call.remote_blessing_strings.n, 1);
    ck_assert(vdl_str_is(q.call.remote_blessing_strings.v[0], "test:other"));
    ck_assert(vdl_str_is(q.call.local_blessing_strings.v[0], "test:wsprd"));
    memset(&what, 0, sizeof(what));
    what.key = O.n->principal->key;
    what.with = vsec_store_default(X.client->principal->store);
    what.extension = vdl_str("friend");
    what.caveats.v = &cav;
    what.caveats.n = 1;
    ck_assert_int_eq(vsec_principal_bless(X.client->principal, &what, &b), 0);
    memset(&r, 0, sizeof(r));
    r.blessings = vsec_blessings_wire(b);
    /* Pages have P-256; here the signature would be lost on the way. */
    grant(g->id, &r);
    (void)final_of(id);
    ck_assert(O.granted);
    grant(g->id, &r);
    nothing();
    vsec_blessings_unref(b);
}
END_TEST

START_TEST(granters_may_refuse_or_be_silent)
{
    struct v23_verror e = { STR("x.No"), 0, STR("not to them"), { NULL, 0 } };
    v23_wspr_app_granter_request q;
    v23_wspr_app_granter_response r;
    const struct got *g;
    int64_t id = call_with_granter(1);

    g = next_granter(&q);
    memset(&r, 0, sizeof(r));
    r.err = &e;
    grant(g->id, &r);
    ck_assert_str_eq(error_of(id), VERR "Internal");
    ck_assert(error_says("error starting call"));
    ck_assert(error_says("not to them"));
    id = call_with_granter(2);
    (void)next_granter(&q);
    pass(4 * SEC);
    nothing();
    pass(2 * SEC);
    ck_assert_str_eq(error_of(id), VERR "Internal");
    ck_assert(error_says("Timed out receiving response from javascript "
                         "granter"));
    id = call_with_granter(3);
    g = next_granter(&q);
    say_hex(g->id, C_GRANTER, (const uint8_t *)"x", 1);
    ck_assert_str_eq(error_of(id), VERR "Internal");
    ck_assert_int_eq(O.calls, 0);
}
END_TEST

/* ---- other methods of the controller ------------------------------------- */

START_TEST(wrong_local_calls_are_errors)
{
    struct vdl_any arg = str_any("x");

    ck_assert_str_eq(error_of(call_it(CTL, "Nope", NULL, 0, 0)),
        VERR "UnknownMethod");
    ck_assert_str_eq(error_of(call_it(CTL, "roots", NULL, 0, 0)),
        VERR "UnknownMethod");
    ck_assert_str_eq(error_of(call_it(NS, "Roots", &arg, 1, 1)),
        VERR "BadProtocol");
    ck_assert_str_eq(error_of(call_it(CTL, "Stop", &arg, 1, 0)),
        VERR "Internal");
}
END_TEST

START_TEST(remote_blessings_are_the_servers_names)
{
    struct vdl_any args[2];
    v23_wspr_app_rpc_response r;
    const struct vdl_list *l;
    int64_t id;

    args[0] = str_any(world_name(O.n, "o"));
    args[1] = str_any("__Signature");
    r = final_of(call_it(CTL, "RemoteBlessings", args, 2, 1));
    ck_assert_ptr_eq(r.out_args.v[0].type, &vdl_str_list_desc);
    l = r.out_args.v[0].val;
    ck_assert_uint_eq(l->n, 1);
    ck_assert(vdl_str_is(*(const struct vdl_str *)l->v, "test:other"));
    ck_assert_int_eq(O.calls, 0);
    args[0] = str_any("/nowhere:1");
    id = call_it(CTL, "RemoteBlessings", args, 2, 1);
    pass(6 * SEC);
    ck_assert_str_eq(error_of(id), VERR "Internal");
}
END_TEST

START_TEST(signatures_are_shared_and_remembered)
{
    struct vdl_any name = str_any(world_name(O.n, "o"));
    v23_wspr_app_rpc_response r;
    struct wspr_ctl_stats st;
    size_t before = W.ndials;
    int64_t a, b;

    a = call_it(CTL, "Signature", &name, 1, 1);
    b = call_it(CTL, "Signature", &name, 1, 1);
    settle();
    ck_assert_uint_eq(P.ngot, 2);
    wspr_ctl_stats(X.c, &st);
    ck_assert_uint_eq(st.signatures, 1);
    P.next = P.got[0].id == a ? 0 : 1;
    r = final_of(a);
    ck_assert_uint_eq(((const struct vdl_list *)r.out_args.v[0].val)->n, 2);
    ck_assert_uint_eq(W.ndials, before + 1);
    P.next = 2;
    world_node_fini(O.n); /* answered without it */
    r = final_of(call_it(CTL, "Signature", &name, 1, 1));
    pass(3601 * SEC);
    b = call_it(CTL, "Signature", &name, 1, 1);
    pass(61 * SEC);
    ck_assert_str_eq(error_of(b), VERR "NoServers");
    wspr_ctl_stats(X.c, &st);
    ck_assert_uint_eq(st.signatures, 0);
}
END_TEST

/* ---- names --------------------------------------------------------------- */

static struct {
    struct wnode *n;
    struct vname_table *t;
    struct vname_mount_service svc;
    char name[256];
} T;

static void table_setup(void)
{
    struct vname_table_config tcfg = { 0 };
    struct vrpc_server_config cfg;
    struct v23_buf b;

    setup();
    memset(&cfg, 0, sizeof(cfg));
    tcfg.al = &W.t.al;
    ck_assert_int_eq(world_node(&W, "table", 100, &T.n), 0);
    ck_assert_int_eq(vname_table_new(&tcfg, &T.t), 0);
    vname_mount_service_init(&T.svc, T.t);
    cfg.dispatcher = &T.svc.dispatcher;
    cfg.mount_table = true;
    ck_assert_int_eq(vrpc_server_new(T.n->m, &cfg, &T.n->s), 0);
    v23_buf_init_fixed(&b, T.name, 255);
    world_endpoint(T.n, true, &b);
    T.name[b.n] = 0;
}

static void table_teardown(void)
{
    world_node_fini(T.n);
    vname_table_free(T.t);
    rig_teardown();
}

static int64_t set_roots(const char *root)
{
    static struct vdl_str s[1];
    static struct vdl_list l = { s, 1 };
    struct vdl_any arg;

    s[0] = vdl_str(root);
    arg.type = &vdl_str_list_desc;
    arg.val = &l;
    return call_it(NS, "SetRoots", &arg, 1, 0);
}

static int64_t mount(const char *name, const char *server)
{
    static const v23_time_duration ttl = { 100, 0 };
    struct vdl_any args[4] = { { NULL, NULL }, { NULL, NULL },
        { &v23_time_duration_desc, &ttl }, { NULL, NULL } };

    args[0] = str_any(name);
    args[1] = str_any(server);
    args[3] = bool_any(true);
    return call_it(NS, "Mount", args, 4, 0);
}

START_TEST(roots_are_the_connections_own)
{
    v23_wspr_app_rpc_response r;

    ck_assert_str_eq(error_of(set_roots("not/rooted")), VERR "Internal");
    ck_assert(error_says(
        "At least one root is not a rooted name: [not/rooted]"));
    (void)final_of(set_roots(T.name));
    r = final_of(call_it(NS, "Roots", NULL, 0, 1));
    ck_assert_uint_eq(((const struct vdl_list *)r.out_args.v[0].val)->n, 1);
}
END_TEST

START_TEST(names_are_mounted_resolved_and_removed)
{
    v23_wspr_app_rpc_request q = request(NS, "Glob", 1, 0);
    v23_wspr_app_rpc_response r;
    v23_naming_glob_reply reply;
    struct vdl_any args[2];
    const struct vdl_list *l;
    const struct got *g;
    int64_t id;

    (void)final_of(set_roots(T.name));
    (void)final_of(mount("a/b", world_name(O.n, "")));
    args[0] = str_any("a/b");
    r = final_of(call_it(NS, "Resolve", args, 1, 1));
    l = r.out_args.v[0].val;
    ck_assert_uint_eq(l->n, 1);
    ck_assert(vdl_str_is(*(const struct vdl_str *)l->v, world_name(O.n, "")));
    (void)final_of(call_it(NS, "ShallowResolve", args, 1, 1));
    (void)final_of(call_it(NS, "ResolveToMountTable", args, 1, 1));
    r = final_of(call_it(NS, "FlushCacheEntry", args, 1, 1));
    ck_assert_ptr_eq(r.out_args.v[0].type, &vdl_bool_desc);
    ck_assert(*(const bool *)r.out_args.v[0].val);
    args[0] = bool_any(true);
    (void)final_of(call_it(NS, "DisableCache", args, 1, 0));
    args[0] = str_any("a/b");
    (void)final_of(call_it(NS, "Resolve", args, 1, 1));
    r = final_of(call_it(NS, "FlushCacheEntry", args, 1, 1));
    ck_assert(!*(const bool *)r.out_args.v[0].val);
    args[0] = bool_any(false);
    (void)final_of(call_it(NS, "DisableCache", args, 1, 0));

    q.is_streaming = true;
    args[0] = str_any("a/*");
    id = call_with(&q, args);
    g = next_of(ITEM);
    ck_assert_int_eq(g->id, id);
    ck_assert(vdl_str_is(g->v.type->name, "v.io/v23/naming.GlobReply"));
    as(g, &v23_naming_glob_reply_desc, &reply);
    ck_assert(vdl_str_is(reply.u.entry.name, "a/b"));
    (void)next_of(END);
    (void)final_of(id);

    args[0] = str_any("a/b");
    args[1] = str_any("");
    (void)final_of(call_it(NS, "Unmount", args, 2, 0));
    ck_assert_str_eq(error_of(call_it(NS, "Resolve", args, 1, 1)),
        "v.io/v23/naming.nameDoesntExist");
    args[0] = str_any("a");
    args[1] = bool_any(true);
    (void)call_it(NS, "Delete", args, 2, 0);
    settle();
    ck_assert_uint_eq(P.ngot, P.next + 1);
}
END_TEST

START_TEST(permissions_have_versions)
{
    v23_access_permissions none;
    struct vdl_any args[3] = { { NULL, NULL },
        { &v23_access_permissions_desc, &none } };
    v23_wspr_app_rpc_response r;

    memset(&none, 0, sizeof(none));
    (void)final_of(set_roots(T.name));
    (void)final_of(mount("p/q", world_name(O.n, "")));
    args[0] = str_any("p");
    r = final_of(call_it(NS, "GetPermissions", args, 1, 2));
    ck_assert_uint_eq(r.out_args.n, 2);
    args[2] = str_any("wrong");
    ck_assert_str_eq(error_of(call_it(NS, "SetPermissions", args, 3, 0)),
        VERR "BadVersion");
}
END_TEST

START_TEST(local_calls_can_be_cancelled)
{
    struct vdl_any arg = str_any("a/b");
    int64_t id;
    char m[64];

    (void)final_of(set_roots(T.name));
    T.n->black_hole = true;
    id = call_it(NS, "Resolve", &arg, 1, 1);
    nothing();
    snprintf(m, sizeof(m), "{\"id\":%d,\"type\":17}", (int)id);
    say(m);
    ck_assert_str_eq(error_of(id), VERR "Canceled");
    id = call_it(CTL, "Signature", &arg, 1, 1);
    nothing();
    snprintf(m, sizeof(m), "{\"id\":%d,\"type\":17}", (int)id);
    say(m);
    ck_assert_str_eq(error_of(id), VERR "Canceled");
    nothing();
}
END_TEST

/* ---- traces -------------------------------------------------------------- */

static int any_random(void *ud, void *p, size_t n)
{
    return seeded_random(ud, p, n);
}

static void any_now(void *ud, struct v23_now *out)
{
    (void)ud;
    *out = W.now;
}

START_TEST(spans_come_with_the_answer)
{
    static const struct vdl_str hello = STR("hello");
    struct vdl_any text = { &vdl_string_desc, &hello };
    v23_wspr_app_rpc_request q = request(world_name(O.n, "o"), "echo", 1, 1);
    struct wspr_ctl_config cfg = rig_config();
    struct vrpc_vtrace_config vc;
    struct vrpc_vtrace *v;
    v23_wspr_app_rpc_response r;
    const v23_vtrace_span_record *s;
    uint64_t seed = 1;
    char want[600];
    uint32_t i;
    bool found = false;

    memset(&vc, 0, sizeof(vc));
    vc.now = any_now;
    vc.random = any_random;
    vc.ud = &seed;
    ck_assert_int_eq(vrpc_vtrace_new(&vc, &v), 0);
    wspr_ctl_close(X.c, NULL, NULL);
    wspr_ctl_free(X.c);
    cfg.vtrace = v;
    ck_assert_int_eq(wspr_ctl_new(&cfg, &X.c), 0);
    memset(&q.trace_request.trace_id, 3, 16);
    memset(&q.trace_request.span_id, 4, 16);
    r = final_of(call_with(&q, &text));
    ck_assert_uint_eq(r.trace_response.trace.spans.n, 0);
    q.trace_request.flags = V23_VTRACE_COLLECT_IN_MEMORY;
    r = final_of(call_with(&q, &text));
    ck_assert_int_eq(r.trace_response.flags, V23_VTRACE_COLLECT_IN_MEMORY);
    ck_assert_int_eq(memcmp(&r.trace_response.trace.id,
        &q.trace_request.trace_id, 16), 0);
    snprintf(want, sizeof(want), "<wspr>\"%s\".echo", world_name(O.n, "o"));
    for (i = 0; i < r.trace_response.trace.spans.n; i++) {
        s = &r.trace_response.trace.spans.v[i];
        if (vdl_str_is(s->name, want)) {
            found = true;
            ck_assert_int_eq(memcmp(&s->parent, &q.trace_request.span_id,
                16), 0);
        }
    }
    ck_assert(found);
    rig_close();
    wspr_ctl_free(X.c);
    P.closed = 0;
    X.c = NULL;
    vrpc_vtrace_free(v);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("libwspr/local");
    TCase *t = tcase_create("controller");

    tcase_add_checked_fixture(t, setup, rig_teardown);
    tcase_add_test(t, blessings_are_named_by_numbers);
    tcase_add_test(t, unused_blessings_are_forgotten_in_the_second_minute);
    tcase_add_test(t, ids_of_blessings_are_bounded);
    tcase_add_test(t, blessings_are_extended_for_keys);
    tcase_add_test(t, the_store_is_the_principals);
    tcase_add_test(t, blessings_that_come_back_need_no_signature);
    tcase_add_test(t, results_that_are_blessings_become_numbers);
    tcase_add_test(t, granters_of_the_page_are_asked);
    tcase_add_test(t, granters_may_refuse_or_be_silent);
    tcase_add_test(t, wrong_local_calls_are_errors);
    tcase_add_test(t, remote_blessings_are_the_servers_names);
    tcase_add_test(t, signatures_are_shared_and_remembered);
    tcase_add_test(t, spans_come_with_the_answer);
    suite_add_tcase(s, t);
    t = tcase_create("namespace");
    tcase_add_checked_fixture(t, table_setup, table_teardown);
    tcase_add_test(t, roots_are_the_connections_own);
    tcase_add_test(t, names_are_mounted_resolved_and_removed);
    tcase_add_test(t, permissions_have_versions);
    tcase_add_test(t, local_calls_can_be_cancelled);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return tst_run(suite());
}

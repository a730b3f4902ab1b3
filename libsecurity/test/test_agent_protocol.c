/* BSD-3-Clause; see LICENSE. */
/* The protocol of agents, octet by octet; what breaks it, and memory. */
#include "agent_rig.h"

#include <v23/vdl/v.io/x/ref/services/agent/agent.vdl.h>

/* A peer made by hand. */
static struct v23_buf bytes;
static struct vom_typeenc types;
static struct vom_enc enc;

static void setup(void)
{
    const v23_agent_conn_info info = { 1, 1 };

    agent_setup();
    v23_buf_init(&bytes, NULL, SIZE_MAX);
    vom_typeenc_init(&types, NULL, &bytes);
    vom_enc_init(&enc, &types, &bytes);
    ck_assert_int_eq(v23_agent_conn_info_encode(&enc, &info), 0);
}

static void teardown(void)
{
    vom_enc_fini(&enc);
    vom_typeenc_fini(&types);
    v23_buf_fini(&bytes);
    agent_teardown();
}

static void put(const struct vdl_type *t, const void *v)
{
    ck_assert_int_eq(vom_encode(&enc, t, v), 0);
}

static void put_request(uint64_t id, const char *method, uint32_t nargs)
{
    v23_agent_rpc_message m;

    memset(&m, 0, sizeof(m));
    m.which = V23_AGENT_RPC_MESSAGE_REQ;
    m.u.req.id = id;
    m.u.req.method = vdl_str(method);
    m.u.req.num_args = nargs;
    put(&v23_agent_rpc_message_desc, &m);
}

static void put_answer(uint64_t id, const struct v23_verror *err, uint32_t n)
{
    v23_agent_rpc_message m;

    memset(&m, 0, sizeof(m));
    m.which = V23_AGENT_RPC_MESSAGE_RESP;
    m.u.resp.id = id;
    m.u.resp.err = err;
    m.u.resp.num_args = n;
    put(&v23_agent_rpc_message_desc, &m);
}

/* What a connection has to say, decoded. */
struct heard {
    struct vom_typedec *types;
    struct vom_dec dec;
    size_t pos;
    struct v23_buf in;
};

static void hear_begin(struct heard *h)
{
    memset(h, 0, sizeof(*h));
    v23_buf_init(&h->in, NULL, SIZE_MAX);
    ck_assert_int_eq(vom_typedec_new(NULL, NULL, &h->types), 0);
    vom_dec_init(&h->dec, NULL, h->types, false);
}

static void hear_end(struct heard *h)
{
    vom_dec_fini(&h->dec);
    vom_typedec_unref(h->types);
    v23_buf_fini(&h->in);
}

static void hear(struct heard *h, struct vsec_agent_conn *c,
    const struct vdl_type *t, void *out)
{
    struct v23_bytes b = vsec_agent_output(c);
    struct vom_msg m;
    size_t used;

    v23_buf_put(&h->in, b.p, b.n);
    vsec_agent_sent(c, b.n);
    ck_assert_int_eq(vom_dec_next(&h->dec, h->in.p + h->pos,
        h->in.n - h->pos, &used, &m), 0);
    h->pos += used;
    ck_assert_int_eq(vom_dec_value(&h->dec, &m, &arena, t, out), 0);
}

static struct vsec_agent_conn *conn(struct user *u,
    const struct vsec_agent_limits *limits)
{
    const struct vsec_agent_io io = { NULL, user_lost, u };
    struct vsec_agent_conn *c;

    memset(u, 0, sizeof(*u));
    ck_assert_int_eq(vsec_agent_server_accept(server, limits, &io, &c), 0);
    return c;
}

static int feed(struct vsec_agent_conn *c)
{
    int rc = vsec_agent_input(c, bytes.p, bytes.n, at(1500000000));

    v23_buf_drop(&bytes, bytes.n);
    return rc;
}

/* ---- what is answered ---------------------------------------------------- */

static void hear_error(struct heard *h, struct vsec_agent_conn *c,
    uint64_t id, uint32_t n, const char *text)
{
    v23_agent_rpc_message m;

    hear(h, c, &v23_agent_rpc_message_desc, &m);
    ck_assert_int_eq(m.which, V23_AGENT_RPC_MESSAGE_RESP);
    ck_assert_uint_eq(m.u.resp.id, id);
    ck_assert_uint_eq(m.u.resp.num_args, n);
    ck_assert_ptr_nonnull(m.u.resp.err);
    text_is(m.u.resp.err->msg, text);
}

START_TEST(unknown_methods_and_wrong_counts_are_answered)
{
    const struct vdl_str text = VDL_STR_INIT("x");
    v23_agent_rpc_message m;
    v23_agent_conn_info info;
    struct vdl_bytes key;
    struct heard h;
    struct user u;
    struct vsec_agent_conn *c = conn(&u, NULL);

    hear_begin(&h);
    put_request(0, "NoSuchMethod", 1);
    put(&vdl_string_desc, &text);
    put_request(1, "Sign", 2);
    put(&vdl_string_desc, &text);
    put(&vdl_string_desc, &text);
    put_request(2, "FlushAllCaches", 0);
    put_request(3, "PublicKey", 0);
    ck_assert_int_eq(feed(c), 0);
    hear(&h, c, &v23_agent_conn_info_desc, &info);
    ck_assert_int_eq(info.min_version, 1);
    ck_assert_int_eq(info.max_version, 1);
    hear_error(&h, c, 0, 0, "agent: NoSuchMethod: unknown method");
    hear_error(&h, c, 1, 0, "agent: Sign: wrong number of arguments");
    hear_error(&h, c, 2, 0, "agent: FlushAllCaches: unknown method");
    hear(&h, c, &v23_agent_rpc_message_desc, &m);
    ck_assert_ptr_null(m.u.resp.err);
    ck_assert_uint_eq(m.u.resp.id, 3);
    ck_assert_uint_eq(m.u.resp.num_args, 1);
    hear(&h, c, &vdl_bytes_desc, &key);
    ck_assert(vdl_bytes_eq(key, owner->key->der));
    hear_end(&h);
    vsec_agent_conn_free(c);
}
END_TEST

START_TEST(failed_methods_send_zero_results)
{
    const struct vdl_str name = VDL_STR_INIT("a/b");
    const v23_security_caveat_list none = { NULL, 0 };
    v23_agent_bless_self_args args = { name, none };
    v23_agent_conn_info info;
    v23_security_wire_blessings w;
    struct heard h;
    struct user u;
    struct vsec_agent_conn *c = conn(&u, NULL);

    hear_begin(&h);
    put_request(9, "BlessSelf", 2);
    put(&vdl_string_desc, &args.name);
    put(v23_agent_bless_self_args_desc.fields[1].type, &args.caveats);
    ck_assert_int_eq(feed(c), 0);
    hear(&h, c, &v23_agent_conn_info_desc, &info);
    hear_error(&h, c, 9, 1,
        "agent: invalid blessing pattern");
    hear(&h, c, &v23_security_wire_blessings_desc, &w);
    ck_assert_uint_eq(w.certificate_chains.n, 0);
    hear_end(&h);
    vsec_agent_conn_free(c);
}
END_TEST

START_TEST(blessings_of_2015_methods_are_found)
{
    struct vdl_str pattern = vdl_str("alice");
    v23_security_wire_blessings w
        = vsec_blessings_wire(vsec_store_default(owner->store));
    vdl_str_v23_security_caveat_list_map info;
    v23_security_wire_blessings_list list;
    v23_agent_rpc_message m;
    v23_agent_conn_info ci;
    struct heard h;
    struct user u;
    struct vsec_agent_conn *c = conn(&u, NULL);

    hear_begin(&h);
    put_request(0, "BlessingsByName", 1);
    put(&v23_security_blessing_pattern_desc, &pattern);
    put_request(1, "BlessingsInfo", 1);
    put(&v23_security_wire_blessings_desc, &w);
    put_request(2, "AddToRoots", 1);
    put(&v23_security_wire_blessings_desc, &w);
    ck_assert_int_eq(feed(c), 0);
    hear(&h, c, &v23_agent_conn_info_desc, &ci);
    hear(&h, c, &v23_agent_rpc_message_desc, &m);
    ck_assert_ptr_null(m.u.resp.err);
    hear(&h, c, v23_agent_blessings_list_desc.fields[0].type, &list);
    ck_assert_uint_eq(list.n, 1);
    hear(&h, c, &v23_agent_rpc_message_desc, &m);
    ck_assert_ptr_null(m.u.resp.err);
    hear(&h, c, v23_agent_blessings_info_desc.fields[0].type, &info);
    ck_assert_uint_eq(info.n, 1);
    text_is(info.v[0].key, "alice");
    hear(&h, c, &v23_agent_rpc_message_desc, &m);
    ck_assert_uint_eq(m.u.resp.id, 2);
    ck_assert_ptr_null(m.u.resp.err);
    hear(&h, c, &v23_agent_rpc_message_desc, &m); /* after the answer */
    ck_assert_int_eq(m.which, V23_AGENT_RPC_MESSAGE_REQ);
    text_is(m.u.req.method, "FlushAllCaches");
    hear_end(&h);
    vsec_agent_conn_free(c);
}
END_TEST

/* ---- what ends a connection ---------------------------------------------- */

START_TEST(breach_of_protocol_ends_the_connection)
{
    struct vsec_agent_limits few = { 4096, 2, 3, 0, 0 };
    const struct vdl_str text = VDL_STR_INIT("x");
    const v23_agent_conn_info later = { 2, 7 };
    char big[5000];
    struct vdl_str much = vdl_strn(big, sizeof(big));
    struct user u;
    struct vsec_agent_conn *c = conn(&u, &few);
    int want = V23_EPROTO;

    memset(big, 'x', sizeof(big));
    switch (_i) {
    case 0: /* an answer that nobody asked for */
        put_answer(7, NULL, 0);
        break;
    case 1:
        put_request(0, "X", 4);
        want = V23_ELIMIT;
        break;
    case 2:
        put_request(0, "X", 1);
        put(&vdl_string_desc, &much);
        want = V23_ELIMIT;
        break;
    case 3: /* what is no message */
        put(&vdl_string_desc, &text);
        want = V23_ECOMPAT;
        break;
    case 4: /* an argument of another type */
        put_request(0, "BlessSelf", 2);
        put(&v23_agent_conn_info_desc, &later);
        want = V23_ECOMPAT;
        break;
    case 5:
        v23_buf_cut(&bytes, 0);
        v23_buf_put(&bytes, "\x80", 1);
        want = V23_EVERSION;
        break;
    }
    ck_assert_int_eq(feed(c), want);
    ck_assert_int_eq(u.lost, 1);
    ck_assert_int_eq(u.lost_rc, want);
    ck_assert_int_eq(vsec_agent_status(c), want);
    ck_assert(!vsec_agent_wants_input(c));
    ck_assert_int_eq(vsec_agent_input(c, "x", 1, at(1)), want);
    ck_assert_int_eq(u.lost, 1);
    vsec_agent_conn_free(c);
}
END_TEST

START_TEST(versions_must_overlap)
{
    static const struct {
        v23_agent_conn_info info;
        int rc;
    } cases[] = { { { 0, 1 }, 0 }, { { 1, 9 }, 0 }, { { 2, 9 }, V23_EVERSION },
        { { 0, 0 }, V23_EVERSION } };
    struct vsec_agent_conn *c;
    struct v23_buf b;
    struct user u;
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        c = conn(&u, NULL);
        v23_buf_init(&b, NULL, SIZE_MAX);
        ck_assert_int_eq(vom_encode_single(NULL, &v23_agent_conn_info_desc,
            &cases[i].info, &b), 0);
        ck_assert_int_eq(vsec_agent_input(c, b.p, b.n, at(1)), cases[i].rc);
        v23_buf_fini(&b);
        vsec_agent_conn_free(c);
    }
}
END_TEST

/* An agent that answers the first question with `key`, and calls `b` its
 * default blessings. */
static int client_of(struct vdl_bytes key, struct vsec_blessings *b)
{
    struct vsec_agent_client_config cfg;
    v23_security_wire_blessings w = vsec_blessings_wire(b);
    const struct vdl_list none = { NULL, 0 };
    struct vsec_agent_client *cl;
    struct user u;
    int rc;

    memset(&u, 0, sizeof(u));
    memset(&cfg, 0, sizeof(cfg));
    cfg.engine = e;
    cfg.io.closed = user_closed;
    cfg.io.ud = &u;
    cfg.ready = user_ready;
    ck_assert_int_eq(vsec_agent_client_new(&cfg, &cl), 0);
    ck_assert_int_eq(vsec_agent_client_wait(cl), V23_EAGAIN);
    put_answer(0, NULL, 1);
    put(&vdl_bytes_desc, &key);
    put_answer(2, NULL, 1); /* the peers, before the default */
    put(v23_agent_peers_desc.fields[0].type, &none);
    put_answer(3, NULL, 1);
    put(v23_agent_roots_desc.fields[0].type, &none);
    put_answer(1, NULL, 1);
    put(&v23_security_wire_blessings_desc, &w);
    rc = vsec_agent_input(vsec_agent_client_conn(cl), bytes.p, bytes.n,
        at(1));
    ck_assert_int_eq(rc, 0);
    ck_assert_int_eq(u.ready, 1);
    rc = u.ready_rc;
    ck_assert(rc != 0 || vsec_agent_client_principal(cl) != NULL);
    ck_assert_int_eq(vsec_agent_client_wait(cl), rc);
    vsec_agent_client_free(cl);
    return rc;
}

START_TEST(client_takes_answers_in_any_order)
{
    ck_assert_int_eq(client_of(owner->key->der,
        vsec_store_default(owner->store)), 0);
}
END_TEST

START_TEST(client_refuses_blessings_of_others)
{
    struct vsec_principal *other = person();
    struct vsec_blessings *b = self(other, "other");

    ck_assert_int_eq(client_of(owner->key->der, b), V23_EKEYMISMATCH);
    vsec_blessings_unref(b);
    vsec_principal_unref(other);
}
END_TEST

START_TEST(client_refuses_bad_keys)
{
    static const uint8_t bad[] = { 0x30, 0 };
    struct vsec_agent_client_config cfg;
    struct vdl_bytes key = vdl_bytes(bad, sizeof(bad));
    struct vsec_agent_client *cl;
    struct user u;

    memset(&u, 0, sizeof(u));
    memset(&cfg, 0, sizeof(cfg));
    cfg.engine = e;
    cfg.io.ud = &u;
    cfg.ready = user_ready;
    ck_assert_int_eq(vsec_agent_client_new(&cfg, &cl), 0);
    put_answer(0, NULL, 1);
    put(&vdl_bytes_desc, &key);
    ck_assert_int_eq(feed(vsec_agent_client_conn(cl)), 0);
    ck_assert_int_eq(u.ready_rc, V23_EKEY);
    vsec_agent_client_free(cl);
}
END_TEST

START_TEST(errors_of_the_agent_have_their_codes)
{
    struct user u;
    struct vsec_principal *p = user_new(&u, server);
    const v23_security_caveat_list none = { NULL, 0 };
    struct vsec_blessings *b;
    struct vsec_principal *mute;

    /* A principal that only knows its public key. */
    user_end(&u);
    ck_assert_int_eq(vsec_principal_new(e, NULL, owner->key, NULL, NULL,
        &mute), 0);
    vsec_agent_server_free(server);
    server = agent(mute);
    p = user_new(&u, server);
    ck_assert_int_eq(vsec_principal_bless_self(p, vdl_str("x"), none, &b),
        V23_ENOSYS);
    ck_assert_ptr_nonnull(strstr(vsec_agent_client_error(u.client),
        "agent: "));
    user_end(&u);
    vsec_principal_unref(mute);
}
END_TEST

/* ---- back-pressure ------------------------------------------------------- */

START_TEST(who_does_not_read_is_not_served)
{
    const struct vsec_agent_limits small = { 0, 0, 0, 0, 2000 };
    struct vsec_agent_conn *c;
    struct v23_bytes out;
    struct user u;
    int i;

    c = conn(&u, &small);
    for (i = 0; i < 100; i++)
        put_request((uint64_t)i, "PublicKey", 0);
    ck_assert_int_eq(feed(c), 0);
    ck_assert(!vsec_agent_wants_input(c));
    out = vsec_agent_output(c);
    ck_assert_uint_gt(out.n, 2000);
    ck_assert_uint_lt(out.n, 4000);
    /* What was held back goes on when there is room. */
    for (i = 0; !vsec_agent_wants_input(c); i++) {
        vsec_agent_sent(c, vsec_agent_output(c).n);
        vsec_agent_run(c);
        ck_assert_int_lt(i, 100);
    }
    ck_assert_int_gt(i, 2);
    vsec_agent_conn_free(c);
}
END_TEST

START_TEST(octets_may_come_one_by_one)
{
    struct user u;

    ck_assert_int_eq(user_start(&u, e, server, NULL), 0);
    u.chunk = 1;
    ck_assert_int_eq(vsec_agent_client_wait(u.client), 0);
    text_is(vsec_blessings_text(vsec_store_default(
        vsec_agent_client_principal(u.client)->store)), "alice");
    user_end(&u);
}
END_TEST

/* ---- cut and broken sessions --------------------------------------------- */

/* Everything that a user sends in a session. */
static void record(struct v23_buf *out)
{
    struct vdl_bytes msg = vdl_bytes((const uint8_t *)"hello", 5);
    const v23_security_caveat_list none = { NULL, 0 };
    struct vdl_str name = vdl_str("x"), pattern = vdl_str("...");
    v23_security_wire_blessings w
        = vsec_blessings_wire(vsec_store_default(owner->store));

    put_request(0, "PublicKey", 0);
    put_request(1, "Sign", 1);
    put(&vdl_bytes_desc, &msg);
    put_request(2, "BlessSelf", 2);
    put(&vdl_string_desc, &name);
    put(v23_agent_bless_self_args_desc.fields[1].type, &none);
    put_request(3, "BlessingStoreSet", 2);
    put(&v23_security_wire_blessings_desc, &w);
    put(&v23_security_blessing_pattern_desc, &pattern);
    put_answer(0, NULL, 0);
    put_request(4, "BlessingRootsDump", 0);
    v23_buf_put(out, bytes.p, bytes.n);
    v23_buf_drop(&bytes, bytes.n);
}

START_TEST(every_truncation_is_only_incomplete)
{
    struct vsec_agent_conn *c;
    struct v23_buf all;
    struct user u;
    uint8_t *copy;
    size_t n;

    v23_buf_init(&all, NULL, SIZE_MAX);
    record(&all);
    for (n = 0; n <= all.n; n++) {
        c = conn(&u, NULL);
        copy = malloc(n + 1);
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, all.p, n);
        ck_assert_int_eq(vsec_agent_input(c, copy, n, at(1)), 0);
        free(copy);
        vsec_agent_close(c, V23_EEOF);
        ck_assert_int_eq(u.lost_rc, V23_EEOF);
        vsec_agent_conn_free(c);
    }
    v23_buf_fini(&all);
}
END_TEST

START_TEST(changed_octets_do_no_harm)
{
    struct vsec_agent_conn *c;
    struct v23_buf all;
    struct user u;
    size_t i, ended = 0;

    v23_buf_init(&all, NULL, SIZE_MAX);
    record(&all);
    for (i = 0; i < all.n; i++) {
        all.p[i] ^= (uint8_t)(1 + i % 255);
        c = conn(&u, NULL);
        if (vsec_agent_input(c, all.p, all.n, at(1)) != 0)
            ended++;
        vsec_agent_conn_free(c);
        all.p[i] ^= (uint8_t)(1 + i % 255);
    }
    ck_assert_uint_gt(ended, 0);
    v23_buf_fini(&all);
}
END_TEST

/* ---- memory -------------------------------------------------------------- */

/* Out of memory at either end reaches the caller in several ways. */
static int as_nomem(const struct user *u, int rc)
{
    if (rc == V23_ECLOSED
        && (vsec_agent_status(u->here) == V23_ENOMEM
            || vsec_agent_status(u->there) == V23_ENOMEM))
        return V23_ENOMEM;
    if (rc == V23_EWIREERR
        && strstr(vsec_agent_client_error(u->client), "memory") != NULL)
        return V23_ENOMEM;
    if (rc == V23_ETIMEOUT && vsec_agent_status(u->there) == V23_ENOMEM)
        return V23_ENOMEM;
    return rc;
}

static int work(struct user *u, struct vsec_agent_server *s,
    struct vsec_engine *engine)
{
    const v23_security_caveat_list none = { NULL, 0 };
    struct vsec_blessings *b = NULL, *old = NULL;
    struct vsec_signature sig;
    struct vsec_principal *p;
    struct v23_arena a;
    int rc = user_start(u, engine, s, NULL);

    if (rc != 0)
        return rc;
    v23_arena_init(&a, engine->al, SIZE_MAX);
    rc = vsec_agent_client_wait(u->client);
    if (rc == 0) {
        p = vsec_agent_client_principal(u->client);
        rc = vsec_principal_sign(p, "x", 1, &a, &sig, NULL);
        if (rc == 0)
            rc = vsec_principal_bless_self(p, vdl_str("x"), none, &b);
        if (rc == 0)
            rc = vsec_store_set(p->store, b, vdl_str("x"), &old);
        if (rc == 0)
            rc = vsec_principal_add_to_roots(p, b);
    }
    vsec_blessings_unref(b);
    vsec_blessings_unref(old);
    v23_arena_fini(&a);
    return as_nomem(u, rc);
}

static int session_once(const struct v23_alloc *al, void *ud)
{
    struct vsec_agent_server_config cfg;
    struct vsec_agent_server *s = NULL;
    struct vsec_principal *p = NULL;
    struct vsec_engine *mine;
    struct user u;
    int rc;

    (void)ud;
    memset(&u, 0, sizeof(u));
    rc = vsec_engine_new(&mine, &counted, al, NULL);
    if (rc != 0)
        return rc;
    rc = vsec_principal_generate(mine, "ed25519", &p);
    memset(&cfg, 0, sizeof(cfg));
    cfg.principal = p;
    if (rc == 0)
        rc = vsec_agent_server_new(&cfg, &s);
    if (rc == 0)
        rc = work(&u, s, mine);
    user_end(&u);
    vsec_agent_server_free(s);
    vsec_principal_unref(p);
    vsec_engine_unref(mine);
    return rc;
}

START_TEST(session_survives_out_of_memory)
{
    tst_out_of_memory(session_once, NULL);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, unknown_methods_and_wrong_counts_are_answered);
    tcase_add_test(t, failed_methods_send_zero_results);
    tcase_add_test(t, blessings_of_2015_methods_are_found);
    tcase_add_loop_test(t, breach_of_protocol_ends_the_connection, 0, 6);
    tcase_add_test(t, versions_must_overlap);
    tcase_add_test(t, client_takes_answers_in_any_order);
    tcase_add_test(t, client_refuses_blessings_of_others);
    tcase_add_test(t, client_refuses_bad_keys);
    tcase_add_test(t, errors_of_the_agent_have_their_codes);
    tcase_add_test(t, who_does_not_read_is_not_served);
    tcase_add_test(t, octets_may_come_one_by_one);
    tcase_add_test(t, every_truncation_is_only_incomplete);
    tcase_add_test(t, changed_octets_do_no_harm);
    tcase_add_test(t, session_survives_out_of_memory);
}

int main(void)
{
    return tst_run_case("security/agent_protocol", add, setup, teardown);
}

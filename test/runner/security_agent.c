/* BSD-3-Clause; see LICENSE. */
/*
 * A recorded connection to an agent (spec/security.md 15.1), line by line: each
 * value is read with the type that its place asks for, and written again by an
 * encoder of the same stream, which must give the same octets. What the client
 * says goes to an agent of ours too, whose answers must be of the same kind.
 */
#include "security_int.h"

#include <stdio.h>
#include <stdlib.h>

#include <v23/vdl/v.io/x/ref/services/agent/agent.vdl.h>
#include <vsec/agent.h>

enum { CALLS = 64, VALUE = 1024 };

/* One direction: the recorded stream, and ours. */
struct side {
    struct vom_typedec *typedec;
    struct vom_dec dec;
    struct v23_buf out;
    struct vom_typeenc typeenc;
    struct vom_enc enc;
    bool started;               /* the version was exchanged */
    const struct vdl_type *of;  /* struct whose fields come now */
    uint32_t next, left;
    const struct vdl_type *answers[CALLS]; /* to calls of this side, by id */
};

/* What an answer says. */
struct answer {
    struct vdl_str error; /* id; empty = none */
    uint32_t n;
    bool there;
};

struct session {
    struct tst_alloc t;
    struct v23_arena a;
    struct vsec_engine *e;
    struct vsec_principal *p;
    struct vsec_agent_server *server;
    struct vsec_agent_conn *conn;
    struct side client, agent; /* of the recording */
    struct side ours;          /* what our agent says */
    struct answer want[CALLS];
};

static const struct {
    const char *name;
    const struct vdl_type *args, *results;
} methods[] = {
    { "PublicKey", &v23_agent_none_desc, &v23_agent_bytes_desc },
    { "BlessingStoreDefault", &v23_agent_none_desc,
        &v23_agent_blessings_desc },
    { "Sign", &v23_agent_bytes_desc, &v23_agent_signature_desc },
    { "BlessSelf", &v23_agent_bless_self_args_desc,
        &v23_agent_blessings_desc },
    { "BlessingStoreSet", &v23_agent_set_args_desc,
        &v23_agent_blessings_desc },
    { "BlessingRootsRecognized", &v23_agent_recognized_args_desc,
        &v23_agent_none_desc },
    { "FlushAllCaches", &v23_agent_none_desc, &v23_agent_none_desc },
    { "NoSuchMethod", &v23_agent_none_desc, &v23_agent_none_desc },
};

/* ---- state --------------------------------------------------------------- */

static void side_init(struct side *s)
{
    v23_buf_init(&s->out, NULL, SIZE_MAX);
    vom_typeenc_init(&s->typeenc, NULL, &s->out);
    vom_enc_init(&s->enc, &s->typeenc, &s->out);
    if (vom_typedec_new(NULL, NULL, &s->typedec) != 0)
        abort();
    vom_dec_init(&s->dec, NULL, s->typedec, false);
}

static void side_fini(struct side *s)
{
    vom_dec_fini(&s->dec);
    vom_typedec_unref(s->typedec);
    vom_enc_fini(&s->enc);
    vom_typeenc_fini(&s->typeenc);
    v23_buf_fini(&s->out);
}

/* Alice, whose agent was recorded. */
static int load_alice(struct session *s, const char *companions)
{
    struct vsec_key_file f;
    char path[4096], *text;
    size_t n;
    int rc;

    snprintf(path, sizeof(path), "%s/keys/alice.pkcs8.pem", companions);
    text = tst_read_file(path, &n);
    if (text == NULL)
        return V23_ENOENT;
    rc = vsec_key_file_read(s->e, v23_bytes(text, n), v23_bytes(NULL, 0), &f);
    free(text);
    if (rc != 0)
        return rc;
    rc = vsec_principal_new(s->e, f.signer, NULL, NULL, NULL, &s->p);
    vsec_key_file_fini(&f);
    return rc;
}

static int start_agent(struct session *s, const char *companions)
{
    const struct vsec_agent_io io = { NULL, NULL, NULL };
    struct vsec_agent_server_config cfg;
    int rc = vsec_engine_new(&s->e, &vsec_crypto_default, &s->t.al, NULL);

    if (rc == 0)
        rc = load_alice(s, companions);
    memset(&cfg, 0, sizeof(cfg));
    cfg.principal = s->p;
    cfg.name = "genbin";
    if (rc == 0)
        rc = vsec_agent_server_new(&cfg, &s->server);
    if (rc == 0)
        rc = vsec_agent_server_accept(s->server, NULL, &io, &s->conn);
    return rc;
}

void *run_sec_agent_begin(const char *dir, const char *companions)
{
    struct session *s = calloc(1, sizeof(*s));

    (void)dir;
    if (s == NULL)
        abort();
    tst_alloc_init(&s->t);
    v23_arena_init(&s->a, NULL, SIZE_MAX);
    side_init(&s->client);
    side_init(&s->agent);
    side_init(&s->ours);
    if (start_agent(s, companions) != 0) {
        fprintf(stderr, "no agent with the key of %s/keys\n", companions);
        abort();
    }
    return s;
}

/* ---- values -------------------------------------------------------------- */

/* What a message announces: the values behind it, the answer to it. */
static bool announce(struct run_case *c, struct side *from, struct side *to,
    const v23_agent_rpc_message *m)
{
    uint64_t id = m->u.req.id;
    size_t i;

    if (id >= CALLS)
        return run_fail(c, "id is too large");
    if (m->which == V23_AGENT_RPC_MESSAGE_RESP) {
        from->of = to->answers[id];
        from->left = m->u.resp.num_args;
        if (from->of == NULL)
            return run_fail(c, "answers nothing");
    } else {
        for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
            if (vdl_str_is(m->u.req.method, methods[i].name))
                break;
        if (i == sizeof(methods) / sizeof(methods[0]))
            return run_fail(c, "unknown method");
        from->answers[id] = methods[i].results;
        from->of = methods[i].args;
        from->left = m->u.req.num_args;
    }
    from->next = 0;
    if (from->left != 0 && from->left != from->of->count)
        return run_fail(c, "%u values announced", (unsigned)from->left);
    return true;
}

/* Read one value of a side; *type says what it is. */
static bool take(struct run_case *c, struct side *s, struct v23_bytes in,
    struct v23_arena *a, const struct vdl_type **type, void *value,
    size_t *used)
{
    struct vom_msg m;
    int rc = vom_dec_next(&s->dec, in.p, in.n, used, &m);

    *type = !s->started       ? &v23_agent_conn_info_desc
            : s->left == 0    ? &v23_agent_rpc_message_desc
                              : s->of->fields[s->next].type;
    if ((*type)->size > VALUE)
        return run_fail(c, "value is too large");
    if (rc == 0)
        rc = vom_dec_value(&s->dec, &m, a, *type, value);
    if (rc != 0)
        return run_fail(c, "does not decode: %s", v23_strerror(rc));
    return true;
}

/* Go on behind a value. */
static bool advance(struct run_case *c, struct side *from, struct side *to,
    const void *value)
{
    if (!from->started) {
        from->started = true;
    } else if (from->left == 0) {
        return announce(c, from, to, value);
    } else {
        from->left--;
        from->next++;
    }
    return true;
}

/* ---- our agent ----------------------------------------------------------- */

/* All that it says to one line: answers go with those recorded. */
static bool listen(struct run_case *c, struct session *s)
{
    struct v23_bytes out = vsec_agent_output(s->conn);
    union {
        uint64_t align[VALUE / 8];
        v23_agent_rpc_message m;
    } v;
    const struct vdl_type *type;
    struct answer *want;
    size_t pos = 0, used;

    while (pos < out.n) {
        if (!take(c, &s->ours, v23_bytes(out.p + pos, out.n - pos), &s->a,
                &type, &v, &used)
            || !advance(c, &s->ours, &s->client, &v))
            return false;
        pos += used;
        if (type != &v23_agent_rpc_message_desc
            || v.m.which != V23_AGENT_RPC_MESSAGE_RESP)
            continue;
        want = &s->want[v.m.u.resp.id];
        want->there = true;
        want->n = v.m.u.resp.num_args;
        if (v.m.u.resp.err != NULL)
            want->error = v.m.u.resp.err->id;
    }
    vsec_agent_sent(s->conn, out.n);
    return true;
}

static bool feed(struct run_case *c, struct session *s, struct v23_bytes in)
{
    int rc = vsec_agent_input(s->conn, in.p, in.n,
        run_sec_time("2016-02-01T00:00:00Z"));

    if (rc != 0)
        return run_fail(c, "our agent ends the connection: %s",
            v23_strerror(rc));
    return listen(c, s);
}

/* Does our agent answer like the recorded one? */
static bool compare(struct run_case *c, const struct session *s,
    const v23_agent_rpc_response *resp)
{
    const struct answer *w = &s->want[resp->id];
    struct vdl_str error = { NULL, 0 };

    if (resp->err != NULL)
        error = resp->err->id;
    if (!w->there)
        return run_fail(c, "our agent does not answer");
    if (w->n != resp->num_args || !vdl_str_eq(w->error, error))
        return run_fail(c, "our agent answers %u values, error \"%.*s\"",
            (unsigned)w->n, (int)w->error.n, w->error.p);
    return true;
}

/* ---- lines --------------------------------------------------------------- */

bool run_sec_agent(struct run_case *c)
{
    struct session *s = c->state;
    bool out = strcmp(run_str(c, "direction"), "client->agent") == 0;
    struct side *from = out ? &s->client : &s->agent;
    struct side *to = out ? &s->agent : &s->client;
    struct v23_bytes in = run_hex(c, "bytes");
    union {
        uint64_t align[VALUE / 8];
        v23_agent_rpc_message m;
    } v;
    const struct vdl_type *type;
    size_t used;

    memset(&v, 0, sizeof(v));
    if (!take(c, from, in, &s->a, &type, &v, &used))
        return false;
    if (used != in.n)
        return run_fail(c, "%zu octets are left over", in.n - used);
    if (vom_encode(&from->enc, type, &v) != 0 || from->out.n != in.n
        || memcmp(from->out.p, in.p, in.n) != 0)
        return run_fail(c, "encodes to %s", unhex(from->out.p, from->out.n));
    v23_buf_cut(&from->out, 0);
    if (!advance(c, from, to, &v))
        return false;
    if (out)
        return feed(c, s, in);
    return type != &v23_agent_rpc_message_desc
           || v.m.which != V23_AGENT_RPC_MESSAGE_RESP
           || compare(c, s, &v.m.u.resp);
}

void run_sec_agent_end(void *state)
{
    struct session *s = state;

    vsec_agent_conn_free(s->conn);
    vsec_agent_server_free(s->server);
    vsec_principal_unref(s->p);
    vsec_engine_unref(s->e);
    if (s->t.live != 0)
        run_result("security", "agent", false, "memory was not given back");
    side_fini(&s->client);
    side_fini(&s->agent);
    side_fini(&s->ours);
    v23_arena_fini(&s->a);
    free(s);
}

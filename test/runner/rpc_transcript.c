/* BSD-3-Clause; see LICENSE. */
/*
 * Files of transcripts/: open and seal every frame, decode and encode every
 * message, verify both sides' signatures, decode every stream; then replay
 * (rpc_replay.c). Each check of each connection counts as one case.
 */
#include "rpc_transcript.h"

#include <stdio.h>
#include <stdlib.h>
#include <v23/vdl/v.io/x/ref/runtime/internal/flow/conn/conn.vdl.h>

/* ---- loading ------------------------------------------------------------- */

static int side(const cJSON *o)
{
    return strcmp(run_rpc_text(o, "from"), "dialer") == 0 ? DIALER : ACCEPTOR;
}

static void load_key(const cJSON *o, const char *name, uint8_t out[32])
{
    struct v23_bytes b = hex(run_rpc_text(o, name));

    if (b.n == 32)
        memcpy(out, b.p, 32);
}

static void load_conn(struct transcript *t, const cJSON *o)
{
    struct tr_conn *c = &t->conns[t->nconns++];
    const cJSON *over;

    c->num = (int)run_rpc_u64(o, "conn");
    c->version = run_rpc_u64(o, "version");
    load_key(o, "dialerPublic", c->pub[DIALER]);
    load_key(o, "dialerPrivate", c->priv[DIALER]);
    load_key(o, "acceptorPublic", c->pub[ACCEPTOR]);
    load_key(o, "acceptorPrivate", c->priv[ACCEPTOR]);
    c->binding[DIALER] = run_rpc_bytes(&t->arena, o, "binding");
    c->binding[ACCEPTOR] = c->binding[DIALER];
    if (cJSON_HasObjectItem(o, "bindingAcceptor"))
        c->binding[ACCEPTOR] = run_rpc_bytes(&t->arena, o, "bindingAcceptor");
    c->inside = cJSON_HasObjectItem(o, "dialerInside")
        || cJSON_HasObjectItem(o, "acceptorInside");
    over = cJSON_GetObjectItem(o, "acceptorInside");
    if (cJSON_GetArraySize(over) == 2) {
        c->over_conn = cJSON_GetArrayItem(over, 0)->valueint;
        c->over_flow = (uint64_t)cJSON_GetArrayItem(over, 1)->valueint;
    }
    c->refused = cJSON_HasObjectItem(o, "setupError");
}

static void load_frame(struct transcript *t, const cJSON *o)
{
    static const char *const kinds[] = { "setup", "clear", "sealed", "raw" };
    struct tr_frame *f = &t->frames[t->nframes++];
    int k;

    f->conn = (int)run_rpc_u64(o, "conn");
    f->from = side(o);
    f->n = run_rpc_u64(o, "n");
    f->seq = run_rpc_u64(o, "seq");
    for (k = TR_SETUP; k < TR_RAW; k++)
        if (strcmp(kinds[k], run_rpc_text(o, "kind")) == 0)
            break;
    f->kind = (enum tr_kind)k;
    f->plain = run_rpc_bytes(&t->arena, o, "plain");
    f->wire = run_rpc_bytes(&t->arena, o, "wire");
    f->msg = cJSON_GetObjectItemCaseSensitive(o, "msg");
}

static void load_stream(struct transcript *t, const cJSON *o)
{
    struct tr_stream *s = &t->streams[t->nstreams++];

    s->conn = (int)run_rpc_u64(o, "conn");
    s->from = side(o);
    s->flow = run_rpc_u64(o, "flow");
    s->content = run_rpc_text(o, "content");
    s->bytes = run_rpc_bytes(&t->arena, o, "bytes");
    s->values = cJSON_GetObjectItemCaseSensitive(o, "values");
}

static void load_principal(struct transcript *t, const cJSON *o)
{
    struct tr_principal *p = &t->principals[t->nprincipals++];

    p->name = run_rpc_text(o, "name");
    p->pkcs8 = run_rpc_bytes(&t->arena, o, "pkcs8");
    p->der = run_rpc_bytes(&t->arena, o, "publicKeyDER");
}

static bool load_line(struct transcript *t, const cJSON *o)
{
    const char *type = run_rpc_text(o, "type");

    if (strcmp(type, "conn") == 0 && t->nconns < TR_CONNS)
        load_conn(t, o);
    else if (strcmp(type, "frame") == 0)
        load_frame(t, o);
    else if (strcmp(type, "stream") == 0)
        load_stream(t, o);
    else if (strcmp(type, "principal") == 0 && t->nprincipals < TR_PRINCIPALS)
        load_principal(t, o);
    else if (strcmp(type, "meta") != 0 && strcmp(type, "call") != 0
        && strcmp(type, "note") != 0)
        return run_fail(&t->c, "unexpected line of type %s", type);
    return true;
}

static bool load(struct transcript *t, const char *path)
{
    char *text = tst_read_file(path, NULL), *line, *end;
    size_t n = 0, i;
    bool ok = true;

    if (text == NULL)
        return run_fail(&t->c, "cannot be read");
    for (i = 0; text[i] != 0; i++)
        n += text[i] == '\n';
    t->lines = calloc(n + 1, sizeof(*t->lines));
    t->frames = calloc(n + 1, sizeof(*t->frames));
    t->streams = calloc(n + 1, sizeof(*t->streams));
    if (t->lines == NULL || t->frames == NULL || t->streams == NULL)
        abort();
    for (line = text; ok && *line != 0; line = end) {
        end = line + strcspn(line, "\n");
        if (*end != 0)
            *end++ = 0;
        if (*line == 0)
            continue;
        t->lines[t->nlines] = run_rpc_json(line);
        if (t->lines[t->nlines] == NULL)
            ok = run_fail(&t->c, "line %zu is not JSON", t->nlines + 1);
        else
            ok = load_line(t, t->lines[t->nlines++]);
    }
    free(text);
    return ok;
}

static void unload(struct transcript *t)
{
    size_t i;

    for (i = 0; i < t->nlines; i++)
        cJSON_Delete(t->lines[i]);
    free(t->lines);
    free(t->frames);
    free(t->streams);
    v23_arena_fini(&t->arena);
    vsec_engine_unref(t->engine);
    free(t);
}

/* ---- look-up ------------------------------------------------------------- */

struct tr_conn *tr_conn(struct transcript *t, int num)
{
    size_t i;

    for (i = 0; i < t->nconns; i++)
        if (t->conns[i].num == num)
            return &t->conns[i];
    return NULL;
}

const struct tr_stream *tr_stream(const struct transcript *t, int conn,
    int from, uint64_t flow)
{
    size_t i;

    for (i = 0; i < t->nstreams; i++)
        if (t->streams[i].conn == conn && t->streams[i].from == from
            && t->streams[i].flow == flow)
            return &t->streams[i];
    return NULL;
}

void tr_nonce(const struct tr_conn *c, int from, uint64_t seq,
    uint8_t nonce[VSEC_BOX_NONCE])
{
    int i;

    memset(nonce, 0, VSEC_BOX_NONCE);
    for (i = 0; i < 8; i++)
        nonce[i] = (uint8_t)(seq >> (8 * i));
    nonce[8] = memcmp(c->pub[from], c->pub[1 - from], 32) < 0;
}

/* ---- frames -------------------------------------------------------------- */

static bool check_keys(struct transcript *t, struct tr_conn *c)
{
    const struct vsec_box_ops *box = vsec_crypto_default.box;
    uint8_t pub[32], other[32];
    int s;

    for (s = DIALER; s <= ACCEPTOR; s++)
        if (box->public_key(c->priv[s], pub) != 0
            || memcmp(pub, c->pub[s], 32) != 0)
            return run_fail(&t->c, "ephemeral keys do not fit");
    if (box->shared_key(c->priv[DIALER], c->pub[ACCEPTOR], c->shared) != 0
        || box->shared_key(c->priv[ACCEPTOR], c->pub[DIALER], other) != 0
        || memcmp(c->shared, other, 32) != 0)
        return run_fail(&t->c, "no shared key");
    return true;
}

/* Open, compare, seal, compare. */
static bool check_box(struct transcript *t, const struct tr_conn *c,
    const struct tr_frame *f)
{
    const struct vsec_box_ops *box = vsec_crypto_default.box;
    uint8_t nonce[VSEC_BOX_NONCE];
    uint8_t *buf = malloc(f->wire.n + 1);
    bool ok = true;

    if (buf == NULL)
        abort();
    memcpy(buf, f->wire.p, f->wire.n);
    tr_nonce(c, f->from, f->seq, nonce);
    if (f->wire.n != f->plain.n + VSEC_BOX_TAG
        || box->open(c->shared, nonce, buf, f->plain.n) != 0
        || memcmp(buf + VSEC_BOX_TAG, f->plain.p, f->plain.n) != 0)
        ok = run_fail(&t->c, "frame %llu does not open",
            (unsigned long long)f->n);
    if (ok) {
        box->seal(c->shared, nonce, buf, f->plain.n);
        if (memcmp(buf, f->wire.p, f->wire.n) != 0)
            ok = run_fail(&t->c, "frame %llu seals differently",
                (unsigned long long)f->n);
    }
    free(buf);
    return ok;
}

static bool check_frames(struct transcript *t, struct tr_conn *c)
{
    uint64_t seq[2] = { 0, 0 };
    struct tr_frame *f;
    size_t i;

    for (i = 0; i < t->nframes; i++) {
        f = &t->frames[i];
        if (f->conn != c->num)
            continue;
        if (f->kind == TR_SEALED
            && (f->seq != seq[f->from]++ || !check_box(t, c, f)))
            return run_fail(&t->c, "frame %llu out of sequence",
                (unsigned long long)f->n);
        if (f->kind != TR_RAW
            && !run_rpc_check_message(&t->c, f->msg, f->plain, true))
            return false;
    }
    return true;
}

static const struct tr_frame *first_frame(struct transcript *t, int conn,
    int from, uint8_t type_a, uint8_t type_b)
{
    size_t i;

    for (i = 0; i < t->nframes; i++)
        if (t->frames[i].conn == conn && t->frames[i].from == from
            && t->frames[i].plain.n > 0
            && (t->frames[i].plain.p[0] == type_a
                || t->frames[i].plain.p[0] == type_b))
            return &t->frames[i];
    return NULL;
}

/* ---- binding ------------------------------------------------------------- */

static bool check_binding(struct transcript *t, struct tr_conn *c)
{
    const struct tr_frame *f[2];
    struct vrpc_msg m[2];
    struct v23_bytes want = c->binding[ACCEPTOR];
    struct v23_buf b;
    bool ok;
    int s;

    for (s = DIALER; s <= ACCEPTOR; s++) {
        f[s] = first_frame(t, c->num, s, VRPC_MSG_SETUP, VRPC_MSG_SETUP);
        if (f[s] == NULL
            || vrpc_msg_decode(f[s]->plain.p, f[s]->plain.n, &m[s], NULL) != 0)
            return run_fail(&t->c, "no Setup");
    }
    v23_buf_init(&b, NULL, SIZE_MAX);
    ok = vrpc_binding(c->version, &m[DIALER].u.setup, &m[ACCEPTOR].u.setup,
             false, &b) == 0
        && b.n == want.n && memcmp(b.p, want.p, b.n) == 0;
    if (!ok && c->inside) {
        /* The acceptor saw a Setup without routes. */
        v23_buf_cut(&b, 0);
        ok = vrpc_binding(c->version, &m[DIALER].u.setup,
                 &m[ACCEPTOR].u.setup, true, &b) == 0
            && b.n == want.n && memcmp(b.p, want.p, b.n) == 0;
    }
    v23_buf_fini(&b);
    return ok || run_fail(&t->c, "other binding");
}

/* The message of flow 1 that makes something known under a key. */
static int find_told(struct v23_bytes s, uint32_t which, uint64_t key,
    struct v23_arena *a, v23_conn_blessings_flow_message *m)
{
    struct vom_typedec *types = NULL;
    struct vom_dec d;
    struct vom_msg msg;
    size_t used = 0;
    int rc;

    if (vom_typedec_new(NULL, NULL, &types) != 0)
        abort();
    vom_dec_init(&d, NULL, types, false);
    do {
        rc = vom_dec_next(&d, s.p, s.n, &used, &msg);
        s.p += used;
        s.n -= used;
        if (rc == 0)
            rc = vom_dec_value(&d, &msg, a,
                &v23_conn_blessings_flow_message_desc, m);
    } while (rc == 0
        && (m->which != which
            || (which == V23_CONN_BLESSINGS_FLOW_MESSAGE_BLESSINGS
                       ? m->u.blessings.bkey : m->u.discharges.dkey)
                != key));
    vom_dec_fini(&d);
    vom_typedec_unref(types);
    return rc;
}

bool tr_blessings(struct transcript *t, struct v23_bytes s, uint64_t bkey,
    struct vsec_blessings **out)
{
    v23_conn_blessings_flow_message m;
    struct v23_arena a;
    int rc;

    *out = NULL;
    v23_arena_init(&a, NULL, SIZE_MAX);
    rc = find_told(s, V23_CONN_BLESSINGS_FLOW_MESSAGE_BLESSINGS, bkey, &a, &m);
    if (rc == 0)
        rc = vsec_blessings_from_wire(t->engine, NULL,
            &m.u.blessings.blessings, out);
    v23_arena_fini(&a);
    return rc == 0
        || run_fail(&t->c, "blessings %llu: %s", (unsigned long long)bkey,
            v23_strerror(rc));
}

bool tr_discharges(struct transcript *t, struct v23_bytes s, uint64_t dkey,
    struct tr_discharges *out)
{
    v23_conn_blessings_flow_message m;
    struct v23_arena a;
    int rc = 0;

    out->n = 0;
    if (dkey == 0)
        return true;
    v23_arena_init(&a, NULL, SIZE_MAX);
    rc = find_told(s, V23_CONN_BLESSINGS_FLOW_MESSAGE_DISCHARGES, dkey, &a,
        &m);
    while (rc == 0 && out->n < m.u.discharges.discharges.n
        && out->n < TR_DISCHARGES) {
        rc = vsec_discharge_from_wire(NULL,
            &m.u.discharges.discharges.v[out->n], &out->v[out->n]);
        out->n += rc == 0;
    }
    v23_arena_fini(&a);
    return rc == 0
        || run_fail(&t->c, "discharges %llu: %s", (unsigned long long)dkey,
            v23_strerror(rc));
}

void tr_discharges_fini(struct tr_discharges *d)
{
    while (d->n > 0)
        vsec_discharge_unref(d->v[--d->n]);
}

static bool verify_auth(struct transcript *t, struct tr_conn *c, int from,
    const struct tr_frame *f)
{
    const struct tr_stream *s = tr_stream(t, c->num, from, 1);
    struct vsec_blessings *b = NULL;
    struct vsec_signature sig;
    struct vrpc_msg m;
    struct v23_buf msg;
    bool ok = true;

    if (s == NULL || vrpc_msg_decode(f->plain.p, f->plain.n, &m, NULL) != 0
        || !tr_blessings(t, s->bytes, m.u.auth.bkey, &b))
        return run_fail(&t->c, "Auth without blessings");
    sig = run_rpc_signature(&m);
    v23_buf_init(&msg, NULL, SIZE_MAX);
    v23_buf_put(&msg, from == DIALER ? "AuthDial" : "AuthAcpt", 9);
    v23_buf_put(&msg, c->binding[from].p, c->binding[from].n);
    if (vsec_verify(vsec_blessings_key(b), &sig, msg.p, msg.n) != 0)
        ok = run_fail(&t->c, "signature of the %s is wrong",
            from == DIALER ? "dialer" : "acceptor");
    v23_buf_fini(&msg);
    vsec_blessings_unref(b);
    return ok;
}

static bool check_auth(struct transcript *t, struct tr_conn *c)
{
    const struct tr_frame *f;
    int s;

    for (s = DIALER; s <= ACCEPTOR; s++) {
        f = first_frame(t, c->num, s, VRPC_MSG_AUTH, VRPC_MSG_AUTH_ED25519);
        if (f != NULL && !verify_auth(t, c, s, f))
            return false;
    }
    return true;
}

/* ---- streams ------------------------------------------------------------- */

/* All payload of a flow in one direction, out of the frames. */
static void collect(struct transcript *t, const struct tr_stream *s,
    struct v23_buf *out)
{
    const struct tr_frame *f;
    struct vrpc_msg m;
    bool raw = false;
    size_t i;

    for (i = 0; i < t->nframes; i++) {
        f = &t->frames[i];
        if (f->conn != s->conn || f->from != s->from)
            continue;
        if (f->kind == TR_RAW) {
            if (raw)
                v23_buf_put(out, f->wire.p, f->wire.n);
            continue;
        }
        if (vrpc_msg_decode(f->plain.p, f->plain.n, &m, NULL) != 0)
            continue;
        if (m.type == VRPC_MSG_DATA) {
            raw = m.u.data.id == s->flow;
            if (raw)
                v23_buf_put(out, m.u.data.payload.p, m.u.data.payload.n);
        } else if (m.type == VRPC_MSG_OPEN_FLOW) {
            raw = m.u.open_flow.id == s->flow;
            if (raw)
                v23_buf_put(out, m.u.open_flow.payload.p,
                    m.u.open_flow.payload.n);
        }
    }
}

/* Types that `from` sent for the calls of the same caller as s. */
static bool load_types(struct transcript *t, const struct tr_stream *s,
    struct vom_typedec *types)
{
    const struct tr_stream *x;
    struct v23_bytes b;
    size_t i, used;

    for (i = 0; i < t->nstreams; i++) {
        x = &t->streams[i];
        if (x->conn != s->conn || x->from != s->from
            || strcmp(x->content, "types") != 0
            || (x->flow & 1) != (s->flow & 1))
            continue;
        b = x->bytes;
        if (b.n > 0 && b.p[0] == 't') {
            b.p++;
            b.n--;
        }
        if (vom_typedec_input(types, b.p, b.n, &used) != 0 || used != b.n)
            return run_fail(&t->c, "types of flow %llu do not decode",
                (unsigned long long)x->flow);
        return true; /* only the first one counts */
    }
    return true;
}

static bool check_values(struct transcript *t, const struct tr_stream *s)
{
    bool blessings = strcmp(s->content, "blessings") == 0;
    struct vom_typedec *types = NULL;
    struct v23_bytes b = s->bytes;
    bool ok = true;

    if (s->values == NULL)
        return true;
    if (vom_typedec_new(NULL, NULL, &types) != 0)
        abort();
    if (!blessings) {
        ok = load_types(t, s, types);
        if (b.n > 0 && b.p[0] == 'd') {
            b.p++;
            b.n--;
        }
    }
    ok = ok && run_rpc_stream(&t->c, types, !blessings, b, s->values);
    vom_typedec_unref(types);
    return ok;
}

static bool check_streams(struct transcript *t, struct tr_conn *c)
{
    struct tr_stream *s;
    struct v23_buf b;
    bool ok = true;
    size_t i;

    v23_buf_init(&b, NULL, SIZE_MAX);
    for (i = 0; i < t->nstreams && ok; i++) {
        s = &t->streams[i];
        if (s->conn != c->num)
            continue;
        v23_buf_cut(&b, 0);
        collect(t, s, &b);
        if (b.n != s->bytes.n
            || (b.n > 0 && memcmp(b.p, s->bytes.p, b.n) != 0))
            ok = run_fail(&t->c, "flow %llu has other bytes",
                (unsigned long long)s->flow);
        else
            ok = check_values(t, s);
    }
    v23_buf_fini(&b);
    return ok;
}

/* ---- all checks ---------------------------------------------------------- */

static bool replay_dialer(struct transcript *t, struct tr_conn *c)
{
    return tr_replay(t, c, DIALER);
}

static bool replay_acceptor(struct transcript *t, struct tr_conn *c)
{
    return tr_replay(t, c, ACCEPTOR);
}

static const struct {
    const char *name;
    bool (*fn)(struct transcript *t, struct tr_conn *c);
} checks[] = {
    { "keys", check_keys },
    { "frames", check_frames },
    { "binding", check_binding },
    { "auth", check_auth },
    { "streams", check_streams },
    { "replay of the dialer", replay_dialer },
    { "replay of the acceptor", replay_acceptor },
};

static void run_checks(struct transcript *t)
{
    char id[128];
    size_t i, k;
    bool ok;

    for (i = 0; i < t->nconns; i++) {
        for (k = 0; k < sizeof(checks) / sizeof(checks[0]); k++) {
            if (t->conns[i].refused && strcmp(checks[k].name, "binding") == 0)
                continue; /* it was never computed */
            snprintf(id, sizeof(id), "conn %d: %s", t->conns[i].num,
                checks[k].name);
            t->c.why[0] = 0;
            ok = checks[k].fn(t, &t->conns[i]);
            run_result(t->name, id, ok && t->c.why[0] == 0, t->c.why);
        }
    }
    if (t->nconns == 0)
        run_result(t->name, "file", false, "no connection");
}

void run_rpc_transcript(const char *dir, const char *companions,
    const char *path)
{
    struct transcript *t = calloc(1, sizeof(*t));
    const char *base = strrchr(path, '/');

    (void)dir;
    (void)companions;
    if (t == NULL
        || vsec_engine_new(&t->engine, &vsec_crypto_default, NULL, NULL) != 0)
        abort();
    snprintf(t->name, sizeof(t->name), "%s", base == NULL ? path : base + 1);
    v23_arena_init(&t->arena, NULL, SIZE_MAX);
    if (load(t, path))
        run_checks(t);
    else
        run_result(t->name, "file", false, t->c.why);
    unload(t);
}

/* BSD-3-Clause; see LICENSE. */
/*
 * ws2016-*.jsonl: every frame is decoded as what it shall be and compared with
 * what the library's client saw; those of the proxy are also made again, from
 * the types that we declare, and must come out the same.
 */
#include "wspr_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <v23/vdl/v.io/x/ref/services/wspr/internal/app/app.vdl.h>
#include <v23/vdl/v.io/x/ref/services/wspr/internal/channel/channel.vdl.h>
#include <v23/vdl/v.io/x/ref/services/wspr/internal/lib/lib.vdl.h>
#include <v23/vdl/v.io/x/ref/services/wspr/internal/principal/principal.vdl.h>
#include <v23/vdl/v.io/x/ref/services/wspr/internal/rpc/server/server.vdl.h>
#include <vom/dec.h>
#include <vom/enc.h>
#include <vom/value.h>

#include "../../libwspr/src/bridge_int.h"

#define MAX_CONNS 64
#define BUDGET ((size_t)64 << 20)

enum { C2S, S2C };

/* What the streams of types of one direction hold. */
struct way {
    struct vom_typedec *dec;
    struct v23_buf in;  /* recorded, not yet taken by the decoder */
    struct v23_buf all; /* recorded */
    /* Made again. */
    struct vom_typeenc enc;
    struct v23_buf out;
    bool lost; /* a type is missing or came in another order */
};

struct conn {
    int num;
    struct way way[2];
    struct wspr_bridge_ bridge;
};

struct run {
    struct run_case c;
    struct conn *conns[MAX_CONNS];
    size_t nconns;
    struct v23_arena arena;
};

/* How a message's payload is held. */
enum form {
    NONE,   /* not there, or nil */
    SHARED, /* types of the connection; from the proxy as hex in a string */
    ALONE,  /* a stream of its own */
    TYPES,
    HIDDEN  /* a stream of its own, as hex in a string; not made again */
};

struct message {
    int dir, type;
    enum form form;
    const struct vdl_type *desc; /* NULL: any */
};

static const struct message messages[] = {
    { C2S, 0, SHARED, &v23_wspr_app_rpc_request_desc },
    { C2S, 2, SHARED, &v23_wspr_lib_server_rpc_reply_desc },
    { C2S, 3, SHARED, NULL },
    { C2S, 4, NONE, NULL },
    { C2S, 11, SHARED, &v23_wspr_server_lookup_reply_desc },
    { C2S, 12, SHARED, &v23_wspr_server_auth_reply_desc },
    { C2S, 17, NONE, NULL },
    { C2S, 21, SHARED, &v23_wspr_server_caveat_validation_response_desc },
    { C2S, 22, ALONE, &v23_wspr_app_granter_response_desc },
    { C2S, 23, TYPES, NULL },
    { S2C, 0, SHARED, &v23_wspr_app_rpc_response_desc },
    { S2C, 1, SHARED, NULL },
    { S2C, 2, ALONE, &vdl_error_desc },
    { S2C, 3, SHARED, &v23_wspr_server_server_rpc_request_desc },
    { S2C, 4, NONE, NULL },
    { S2C, 5, ALONE, &v23_wspr_server_dispatcher_request_desc },
    { S2C, 6, SHARED, &v23_wspr_server_auth_request_desc },
    { S2C, 7, NONE, NULL },
    { S2C, 8, ALONE, &v23_wspr_server_caveat_validation_request_desc },
    { S2C, 9, ALONE, &v23_wspr_lib_log_message_desc },
    { S2C, 10, HIDDEN, &v23_wspr_app_granter_request_desc },
    { S2C, 11, ALONE, NULL },
    { S2C, 12, TYPES, NULL },
};

/* ---- connections --------------------------------------------------------- */

static struct conn *conn_of(struct run *r, int num)
{
    struct conn *c;
    size_t i;
    int d;

    for (i = 0; i < r->nconns; i++)
        if (r->conns[i]->num == num)
            return r->conns[i];
    if (r->nconns == MAX_CONNS)
        return NULL;
    c = calloc(1, sizeof(*c));
    if (c == NULL)
        return NULL;
    c->num = num;
    for (d = 0; d < 2; d++) {
        if (vom_typedec_new(NULL, NULL, &c->way[d].dec) != 0)
            abort();
        v23_buf_init(&c->way[d].in, NULL, SIZE_MAX);
        v23_buf_init(&c->way[d].all, NULL, SIZE_MAX);
        v23_buf_init(&c->way[d].out, NULL, SIZE_MAX);
        vom_typeenc_init(&c->way[d].enc, NULL, &c->way[d].out);
    }
    wspr_bridge_init_(&c->bridge, NULL, NULL);
    r->conns[r->nconns++] = c;
    return c;
}

static void conn_free(struct conn *c)
{
    int d;

    for (d = 0; d < 2; d++) {
        vom_typedec_unref(c->way[d].dec);
        v23_buf_fini(&c->way[d].in);
        v23_buf_fini(&c->way[d].all);
        vom_typeenc_fini(&c->way[d].enc);
        v23_buf_fini(&c->way[d].out);
    }
    wspr_bridge_fini_(&c->bridge);
    free(c);
}

/* ---- decoding ------------------------------------------------------------ */

static bool take_types(struct run *r, struct way *w, struct v23_bytes b)
{
    size_t used = 0;
    int rc;

    v23_buf_put(&w->all, b.p, b.n);
    v23_buf_put(&w->in, b.p, b.n);
    rc = vom_typedec_input(w->dec, w->in.p, w->in.n, &used);
    if (rc != 0)
        return run_fail(&r->c, "type stream: %s", v23_strerror(rc));
    memmove(w->in.p, w->in.p + used, w->in.n - used);
    w->in.n -= used;
    return true;
}

/* The bytes of a text: what cJSON has unescaped, or a part of it. */
static bool unhex_text(struct run *r, const char *p, size_t n,
    struct v23_bytes *out)
{
    uint8_t *mem = v23_arena_get(&r->arena, n / 2 + 1, 1);
    struct v23_buf b;

    if (mem == NULL)
        abort();
    v23_buf_init_fixed(&b, mem, n / 2 + 1);
    if (v23_hex_parse(p, n, &b) != 0)
        return run_fail(&r->c, "bad hex");
    *out = v23_bytes(mem, b.n);
    return true;
}

/* One value of a stream; `left` is what follows it. */
static bool value(struct run *r, struct vom_dec *d, struct v23_bytes *b,
    const struct vdl_type *t, void *out)
{
    struct vom_msg msg;
    size_t used = 0;
    int rc = vom_dec_next(d, b->p, b->n, &used, &msg);

    if (rc == 0)
        rc = vom_dec_value(d, &msg, &r->arena, t, out);
    b->p += used;
    b->n -= used;
    return rc == 0 || run_fail(&r->c, "decode: %s%s", v23_strerror(rc),
                          d->waits_type ? " (a type is missing)" : "");
}

static bool arguments(struct run *r, struct vom_dec *d, struct v23_bytes *b,
    const cJSON *want)
{
    const cJSON *e;
    struct vdl_any v;

    cJSON_ArrayForEach(e, want) {
        if (!value(r, d, b, NULL, &v) ||
            !wspr_value_is(&r->c, e, &vdl_any_desc, &v))
            return false;
    }
    return b->n == 0 || run_fail(&r->c, "%zu bytes are left", b->n);
}

static bool decode(struct run *r, struct way *w, struct v23_bytes b,
    const struct message *m, bool dynamic, void *out)
{
    const cJSON *want = cJSON_GetObjectItemCaseSensitive(r->c.json, "value");
    const cJSON *args = cJSON_GetObjectItemCaseSensitive(r->c.json, "args");
    struct vom_typedec *own = NULL;
    struct vom_dec d;
    bool ok;

    if (m->form != SHARED && vom_typedec_new(NULL, NULL, &own) != 0)
        abort();
    vom_dec_init(&d, NULL, own != NULL ? own : w->dec, own == NULL);
    ok = value(r, &d, &b, dynamic ? NULL : m->desc, out);
    if (ok && dynamic && want != NULL)
        ok = wspr_value_is(&r->c, want, &vdl_any_desc, out);
    if (ok && dynamic && m->dir == C2S && m->type == 0 &&
        !cJSON_HasObjectItem(r->c.json, "args_omitted"))
        ok = arguments(r, &d, &b, args);
    vom_dec_fini(&d);
    vom_typedec_unref(own);
    return ok;
}

/* ---- frames -------------------------------------------------------------- */

static const struct message *find(int dir, int type)
{
    size_t i;

    for (i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
        if (messages[i].dir == dir && messages[i].type == type)
            return &messages[i];
    return NULL;
}

/* The bytes of a c2s message: its `data`. */
static bool page_bytes(struct run *r, const char *text, struct v23_bytes *b)
{
    cJSON *json = cJSON_Parse(text);
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(json, "data");
    bool ok = true;

    *b = v23_bytes(NULL, 0);
    if (json == NULL)
        ok = run_fail(&r->c, "not JSON");
    else if (cJSON_IsString(data))
        ok = unhex_text(r, data->valuestring, strlen(data->valuestring), b);
    cJSON_Delete(json);
    return ok;
}

/* Skip id and type, which are those of the record. */
static bool head(struct run *r, struct v23_bytes *b)
{
    double id = cJSON_GetObjectItem(r->c.json, "id")->valuedouble;
    double type = cJSON_GetObjectItem(r->c.json, "type")->valuedouble;
    const uint8_t *p = b->p, *end = b->p + b->n;
    uint64_t got_id, got_type;

    if (vom_get_uint(&p, end, &got_id) != 0 ||
        vom_get_uint(&p, end, &got_type) != 0)
        return run_fail(&r->c, "no id and type");
    if (got_id != (uint64_t)id || got_type != (uint64_t)type)
        return run_fail(&r->c, "another id or type");
    *b = v23_bytes(p, (size_t)(end - p));
    return true;
}

/* The bytes of an s2c message behind id and type; `frame` is all of it. */
static bool proxy_bytes(struct run *r, const char *text,
    struct v23_bytes *frame, struct v23_bytes *b)
{
    if (!unhex_text(r, text, strlen(text), frame))
        return false;
    *b = *frame;
    return head(r, b);
}

/* The string of a frame that hides its payload in one. */
static bool unwrap(struct run *r, struct v23_bytes *b)
{
    struct vdl_str s;
    int rc = vom_decode_single(b->p, b->n, NULL, &r->arena, &vdl_string_desc,
        &s, NULL);

    if (rc != 0)
        return run_fail(&r->c, "string: %s", v23_strerror(rc));
    return unhex_text(r, s.p, s.n, b);
}

/* ---- encoding ------------------------------------------------------------ */

static int encode_shared(struct conn *c, struct vdl_any v,
    struct v23_buf *out)
{
    struct way *w = &c->way[S2C];
    struct v23_buf body, inner;
    struct vom_enc e;
    struct vdl_str text;
    int rc;

    v23_buf_init(&body, NULL, SIZE_MAX);
    v23_buf_init(&inner, NULL, SIZE_MAX);
    vom_enc_init(&e, &w->enc, &body);
    rc = vom_encode(&e, v.type, v.val);
    vom_enc_fini(&e);
    v23_hex_put(&inner, body.p, body.n);
    text = vdl_strn((const char *)inner.p, inner.n);
    if (rc == 0)
        rc = vom_encode_single(NULL, &vdl_string_desc, &text, out);
    v23_buf_fini(&inner);
    v23_buf_fini(&body);
    return rc;
}

static int encode_alone(const struct message *m, struct vdl_any v,
    struct v23_buf *out)
{
    static const struct vdl_any nil;

    if (m->form == NONE)
        return vom_encode_single(NULL, &vdl_any_desc, &nil, out);
    return vom_encode_single(NULL, v.type, v.val, out);
}

/* Their encoder wrote some fields, of arrays above all, that are zero. */
static bool same_value(struct run *r, struct conn *c, const struct message *m,
    struct v23_bytes got, struct v23_bytes want)
{
    struct vdl_any v[2] = { { NULL, NULL }, { NULL, NULL } };
    struct v23_bytes b[2];
    int i;

    b[0] = got;
    b[1] = want;
    for (i = 0; i < 2; i++) {
        if (!head(r, &b[i]) ||
            (m->form == SHARED && !unwrap(r, &b[i])) ||
            !decode(r, &c->way[S2C], b[i], m, true, &v[i]))
            return false;
    }
    return vdl_any_equal(v[0], v[1]);
}

static bool same_bytes(struct run *r, struct v23_bytes got,
    struct v23_bytes want)
{
    size_t i = 0, from;

    while (i < got.n && i < want.n && got.p[i] == want.p[i])
        i++;
    if (i == got.n && i == want.n)
        return true;
    from = i < 20 ? 0 : i - 20;
    return run_fail(&r->c, "byte %zu: encoded as …%.80s, not …%.80s", i,
        unhex(got.p + from, got.n - from),
        unhex(want.p + from, want.n - from));
}

/* Make a frame of the proxy again. */
static bool reencode(struct run *r, struct conn *c, const struct message *m,
    struct vdl_any v, struct v23_bytes frame)
{
    double id = cJSON_GetObjectItem(r->c.json, "id")->valuedouble;
    struct way *w = &c->way[S2C];
    struct v23_buf b;
    bool ok = true, order;
    int rc;

    order = m->form != NONE && wspr_has_order(v.type, v.val);
    v23_buf_init(&b, NULL, SIZE_MAX);
    vom_buf_put_uint(&b, (uint64_t)id);
    vom_buf_put_uint(&b, (uint64_t)m->type);
    rc = m->form == NONE ? 0
                         : wspr_bridge_value_(&c->bridge, &r->arena, v, &v);
    if (rc == 0)
        rc = m->form == SHARED ? encode_shared(c, v, &b)
                               : encode_alone(m, v, &b);
    if (rc != 0)
        ok = run_fail(&r->c, "encode: %s", v23_strerror(rc));
    /* Two calls at once may define their types in another order. */
    if (w->out.n > w->all.n ||
        (w->out.n > 0 && memcmp(w->out.p, w->all.p, w->out.n) != 0))
        w->lost = true;
    if (ok && !order && !(m->form == SHARED && w->lost) &&
        (m->form == NONE ||
            !same_value(r, c, m, v23_bytes(b.p, b.n), frame)))
        ok = same_bytes(r, v23_bytes(b.p, b.n), frame);
    v23_buf_fini(&b);
    return ok;
}

static bool type_frame(struct run *r, struct conn *c, int dir,
    struct v23_bytes b)
{
    struct vdl_bytes raw;

    if (dir == S2C) {
        if (vom_decode_single(b.p, b.n, NULL, &r->arena, &vdl_bytes_desc,
                &raw, NULL) != 0)
            return run_fail(&r->c, "no bytes");
        b = v23_bytes(raw.p, raw.n);
    }
    return take_types(r, &c->way[dir], b);
}

static bool value_frame(struct run *r, struct conn *c,
    const struct message *m, struct v23_bytes frame, struct v23_bytes b)
{
    struct vdl_any v = { NULL, NULL };
    struct way *w = &c->way[m->dir];
    void *out;

    if (m->form == NONE)
        return m->dir == C2S || reencode(r, c, m, v, frame);
    if (m->dir == S2C && (m->form == SHARED || m->form == HIDDEN) &&
        !unwrap(r, &b))
        return false;
    v.type = m->desc == NULL ? &vdl_any_desc : m->desc;
    out = v23_arena_get0(&r->arena, 1, v.type->size, v.type->align);
    if (out == NULL)
        abort();
    if (!decode(r, w, b, m, true, &v) || !decode(r, w, b, m, false, out))
        return false;
    v.type = m->desc == NULL ? &vdl_any_desc : m->desc;
    v.val = out;
    if (m->desc == NULL)
        memcpy(&v, out, sizeof(v));
    return m->dir == C2S || m->form == HIDDEN || v.type == NULL ||
        reencode(r, c, m, v, frame);
}

static bool frame(struct run *r)
{
    const cJSON *dir = cJSON_GetObjectItemCaseSensitive(r->c.json, "dir");
    const cJSON *type = cJSON_GetObjectItemCaseSensitive(r->c.json, "type");
    const cJSON *num = cJSON_GetObjectItemCaseSensitive(r->c.json, "conn");
    struct v23_bytes all = { NULL, 0 }, b;
    const struct message *m;
    const char *text = run_str(&r->c, "text");
    struct conn *c;
    int d;

    if (!cJSON_IsString(dir) || !cJSON_IsNumber(type) || !cJSON_IsNumber(num))
        return run_fail(&r->c, "no frame");
    d = strcmp(dir->valuestring, "s2c") == 0 ? S2C : C2S;
    if (d == C2S && strcmp(dir->valuestring, "c2s") != 0)
        return run_fail(&r->c, "direction %s", dir->valuestring);
    c = conn_of(r, num->valueint);
    m = find(d, type->valueint);
    if (c == NULL || m == NULL)
        return run_fail(&r->c, "message type %d", type->valueint);
    if (!(d == S2C ? proxy_bytes(r, text, &all, &b)
                   : page_bytes(r, text, &b)))
        return false;
    if (m->form == TYPES)
        return type_frame(r, c, d, b);
    return value_frame(r, c, m, all, b);
}

/* ---- files --------------------------------------------------------------- */

/* Records that are no frames: all are known, or it would go unnoticed that one
 * says something of importance. */
static bool is_event(const cJSON *json)
{
    static const char *const known[] = { "connect", "open", "close", "error" };
    const cJSON *ev = cJSON_GetObjectItemCaseSensitive(json, "ev");
    size_t i;

    if (cJSON_HasObjectItem(json, "transcript"))
        return true;
    for (i = 0; cJSON_IsString(ev) && i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(ev->valuestring, known[i]) == 0)
            return true;
    return false;
}

static void line(struct run *r, char *text)
{
    const cJSON *n;
    cJSON *json;
    char id[32];
    bool ok;

    run_mark_nuls(text);
    json = cJSON_Parse(text);
    n = cJSON_GetObjectItemCaseSensitive(json, "n");
    r->c.json = json;
    r->c.why[0] = 0;
    snprintf(id, sizeof(id), "n %d", cJSON_IsNumber(n) ? n->valueint : -1);
    r->c.id = id;
    if (json == NULL) {
        run_result(r->c.file, id, false, "not JSON");
    } else if (!cJSON_HasObjectItem(json, "dir")) {
        if (!is_event(json))
            run_result(r->c.file, id, false, "a record of an unknown kind");
    } else if (cJSON_HasObjectItem(json, "text_omitted")) {
        printf("left  %s %s: the frame is not in the file\n", r->c.file, id);
    } else {
        ok = frame(r);
        run_result(r->c.file, id, ok && r->c.why[0] == 0, r->c.why);
    }
    v23_arena_reset(&r->arena);
    cJSON_Delete(json);
}

void wspr_transcript(const char *dir, const char *companions,
    const char *path)
{
    struct run *r = calloc(1, sizeof(*r));
    char *text = tst_read_file(path, NULL), *p, *end;
    const char *slash = strrchr(path, '/');
    size_t i;

    (void)dir;
    (void)companions;
    if (r == NULL || text == NULL)
        abort();
    r->c.file = slash == NULL ? path : slash + 1;
    v23_arena_init(&r->arena, NULL, BUDGET);
    for (p = text; *p != 0; p = end) {
        end = strchr(p, '\n');
        if (end == NULL)
            end = p + strlen(p);
        else
            *end++ = 0;
        line(r, p);
    }
    for (i = 0; i < r->nconns; i++)
        conn_free(r->conns[i]);
    v23_arena_fini(&r->arena);
    free(text);
    free(r);
}

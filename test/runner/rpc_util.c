/* BSD-3-Clause; see LICENSE. */
/* JSON with 64-bit integers, and messages described by JSON objects. */
#include "rpc_int.h"

#include <stdlib.h>

#include <vom/enc.h>

#define SAFE_DIGITS 15 /* integers up to this length fit a double */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

cJSON *run_rpc_json(const char *line)
{
    struct v23_buf b;
    bool text = false;
    const char *p, *q;
    cJSON *json;

    v23_buf_init(&b, NULL, SIZE_MAX);
    for (p = line; *p != 0; p = q) {
        q = p + 1;
        if (text && *p == '\\' && p[1] != 0)
            q++;
        else if (*p == '"')
            text = !text;
        while (!text && is_digit(*p) && is_digit(*q))
            q++;
        if (q - p > SAFE_DIGITS && !text && *q != '.' && *q != 'e')
            v23_buf_printf(&b, "\"%.*s\"", (int)(q - p), p);
        else
            v23_buf_put(&b, p, (size_t)(q - p));
    }
    json = cJSON_Parse(v23_buf_cstr(&b));
    v23_buf_fini(&b);
    return json;
}

uint64_t run_rpc_u64_of(const cJSON *v)
{
    if (cJSON_IsString(v))
        return strtoull(v->valuestring, NULL, 10);
    return cJSON_IsNumber(v) ? (uint64_t)v->valuedouble : 0;
}

uint64_t run_rpc_u64(const cJSON *o, const char *name)
{
    return run_rpc_u64_of(cJSON_GetObjectItemCaseSensitive(o, name));
}

const char *run_rpc_text(const cJSON *o, const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, name);

    return cJSON_IsString(v) ? v->valuestring : "";
}

struct v23_bytes run_rpc_bytes(struct v23_arena *a, const cJSON *o,
    const char *name)
{
    struct v23_bytes b = hex(run_rpc_text(o, name));
    void *p = v23_arena_dup(a, b.p, b.n);

    if (p == NULL)
        abort();
    return v23_bytes(p, b.n);
}

static struct v23_bytes text_of(struct v23_arena *a, const cJSON *o,
    const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, name);
    struct vdl_str t = VDL_STR_INIT("");

    if (cJSON_IsString(v))
        t = run_text(v);
    return v23_bytes(v23_arena_dup(a, t.p, t.n), t.n);
}

/* ---- messages ------------------------------------------------------------ */

static void setup_of(struct v23_arena *a, const cJSON *o,
    struct vrpc_setup *s)
{
    struct v23_bytes key = run_rpc_bytes(a, o, "naclPublicKey");

    s->min_version = run_rpc_u64(o, "minVersion");
    s->max_version = run_rpc_u64(o, "maxVersion");
    if (key.n == sizeof(s->key)) {
        memcpy(s->key, key.p, key.n);
        s->has_key = true;
    }
    s->remote = text_of(a, o, "remoteEndpoint");
    s->local = text_of(a, o, "localEndpoint");
    s->mtu = run_rpc_u64(o, "mtu");
    s->shared_tokens = run_rpc_u64(o, "sharedTokens");
}

static void auth_of(struct v23_arena *a, const cJSON *o, struct vrpc_msg *m)
{
    struct vrpc_auth *auth = &m->u.auth;

    auth->bkey = run_rpc_u64(o, "bkey");
    auth->dkey = run_rpc_u64(o, "dkey");
    auth->purpose = text_of(a, o, "purpose");
    auth->hash = text_of(a, o, "hash");
    m->type = VRPC_MSG_AUTH;
    if (cJSON_HasObjectItem(o, "ed25519")) {
        m->type = VRPC_MSG_AUTH_ED25519;
        auth->sig = run_rpc_bytes(a, o, "ed25519");
    } else if (cJSON_HasObjectItem(o, "rsa")) {
        m->type = VRPC_MSG_AUTH_RSA;
        auth->sig = run_rpc_bytes(a, o, "rsa");
    } else {
        auth->r = run_rpc_bytes(a, o, "r");
        auth->s = run_rpc_bytes(a, o, "s");
    }
}

static void open_of(struct v23_arena *a, const cJSON *o,
    struct vrpc_open_flow *f)
{
    f->id = run_rpc_u64(o, "id");
    f->counters = run_rpc_u64(o, "initialCounters");
    f->bkey = run_rpc_u64(o, "bkey");
    f->dkey = run_rpc_u64(o, "dkey");
    f->flags = run_rpc_u64(o, "flags");
    f->payload = run_rpc_bytes(a, o, "payload");
}

static void data_of(struct v23_arena *a, const cJSON *o, struct vrpc_data *d)
{
    d->id = run_rpc_u64(o, "id");
    d->flags = run_rpc_u64(o, "flags");
    d->payload = run_rpc_bytes(a, o, "payload");
}

static struct v23_bytes keep(struct v23_arena *a, struct v23_buf *b)
{
    struct v23_bytes out;

    out = v23_bytes(v23_arena_dup(a, b->p, b->n), b->n);
    v23_buf_fini(b);
    return out;
}

static struct v23_bytes release_of(struct v23_arena *a, const cJSON *o)
{
    const cJSON *pair;
    struct v23_buf b;

    v23_buf_init(&b, NULL, SIZE_MAX);
    cJSON_ArrayForEach(pair, cJSON_GetObjectItemCaseSensitive(o, "counters"))
    {
        vom_buf_put_uint(&b, run_rpc_u64_of(cJSON_GetArrayItem(pair, 0)));
        vom_buf_put_uint(&b, run_rpc_u64_of(cJSON_GetArrayItem(pair, 1)));
    }
    return keep(a, &b);
}

static struct v23_bytes endpoints_of(struct v23_arena *a, const cJSON *o)
{
    const cJSON *ep;
    struct v23_buf b;

    v23_buf_init(&b, NULL, SIZE_MAX);
    cJSON_ArrayForEach(ep, cJSON_GetObjectItemCaseSensitive(o, "endpoints"))
    {
        vom_buf_put_uint(&b, strlen(ep->valuestring));
        v23_buf_puts(&b, ep->valuestring);
    }
    return keep(a, &b);
}

static const struct {
    const char *name;
    uint8_t type;
} types[] = {
    { "Setup", VRPC_MSG_SETUP },
    { "TearDown", VRPC_MSG_TEAR_DOWN },
    { "EnterLameDuck", VRPC_MSG_ENTER_LAME_DUCK },
    { "AckLameDuck", VRPC_MSG_ACK_LAME_DUCK },
    { "Auth", VRPC_MSG_AUTH },
    { "OpenFlow", VRPC_MSG_OPEN_FLOW },
    { "Release", VRPC_MSG_RELEASE },
    { "Data", VRPC_MSG_DATA },
    { "MultiProxyRequest", VRPC_MSG_MULTI_PROXY },
    { "ProxyServerRequest", VRPC_MSG_PROXY_SERVER },
    { "ProxyResponse", VRPC_MSG_PROXY_RESPONSE },
    { "HealthCheckRequest", VRPC_MSG_HEALTH_REQUEST },
    { "HealthCheckResponse", VRPC_MSG_HEALTH_RESPONSE },
    { "ProxyErrorResponse", VRPC_MSG_PROXY_ERROR },
};

bool run_rpc_message(struct run_case *c, struct v23_arena *a,
    const cJSON *o, struct vrpc_msg *m)
{
    const char *type = run_rpc_text(o, "type");
    size_t i, n = sizeof(types) / sizeof(types[0]);

    memset(m, 0, sizeof(*m));
    for (i = 0; i < n; i++)
        if (strcmp(types[i].name, type) == 0)
            break;
    if (i == n)
        return run_fail(c, "unknown message type %s", type);
    m->type = types[i].type;
    switch (m->type) {
    case VRPC_MSG_SETUP:
        setup_of(a, o, &m->u.setup);
        break;
    case VRPC_MSG_AUTH:
        auth_of(a, o, m);
        break;
    case VRPC_MSG_OPEN_FLOW:
        open_of(a, o, &m->u.open_flow);
        break;
    case VRPC_MSG_DATA:
        data_of(a, o, &m->u.data);
        break;
    case VRPC_MSG_RELEASE:
        m->u.counters = release_of(a, o);
        break;
    case VRPC_MSG_PROXY_RESPONSE:
        m->u.endpoints = endpoints_of(a, o);
        break;
    case VRPC_MSG_TEAR_DOWN:
        m->u.text = text_of(a, o, "message");
        break;
    case VRPC_MSG_PROXY_ERROR:
        m->u.text = text_of(a, o, "error");
        break;
    default:
        break;
    }
    return true;
}

static bool same(struct run_case *c, const char *what,
    const struct v23_buf *got, struct v23_bytes want)
{
    if (got->err != 0)
        return run_fail(c, "%s: %s", what, v23_strerror(got->err));
    if (got->n != want.n || (want.n > 0 && memcmp(got->p, want.p, want.n) != 0))
        return run_fail(c, "%s: %.200s", what, unhex(got->p, got->n));
    return true;
}

bool run_rpc_check_message(struct run_case *c, const cJSON *fields,
    struct v23_bytes p, bool exact)
{
    struct vrpc_msg want, got;
    struct v23_buf w, g;
    struct v23_arena a;
    bool ok;

    v23_arena_init(&a, NULL, SIZE_MAX);
    v23_buf_init(&w, NULL, SIZE_MAX);
    v23_buf_init(&g, NULL, SIZE_MAX);
    ok = run_rpc_message(c, &a, fields, &want);
    if (ok && vrpc_msg_decode(p.p, p.n, &got, NULL) != 0)
        ok = run_fail(c, "does not decode");
    if (ok) {
        vrpc_msg_encode(&want, &w);
        vrpc_msg_encode(&got, &g);
        ok = same(c, "fields encode to", &w, v23_bytes(g.p, g.n));
        if (ok && exact)
            ok = same(c, "encodes to", &g, p);
    }
    v23_buf_fini(&w);
    v23_buf_fini(&g);
    v23_arena_fini(&a);
    return ok;
}

struct vsec_signature run_rpc_signature(const struct vrpc_msg *m)
{
    struct vsec_signature sig;

    memset(&sig, 0, sizeof(sig));
    sig.purpose = vdl_bytes(m->u.auth.purpose.p, m->u.auth.purpose.n);
    sig.hash = vdl_strn((const char *)m->u.auth.hash.p, m->u.auth.hash.n);
    sig.r = vdl_bytes(m->u.auth.r.p, m->u.auth.r.n);
    sig.s = vdl_bytes(m->u.auth.s.p, m->u.auth.s.n);
    if (m->type == VRPC_MSG_AUTH_ED25519)
        sig.ed25519 = vdl_bytes(m->u.auth.sig.p, m->u.auth.sig.n);
    if (m->type == VRPC_MSG_AUTH_RSA)
        sig.rsa = vdl_bytes(m->u.auth.sig.p, m->u.auth.sig.n);
    return sig;
}

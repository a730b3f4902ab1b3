/* BSD-3-Clause; see LICENSE. */
/* channel.jsonl: requests between a browser extension and its proxy. */
#include "wspr_int.h"

#include <string.h>
#include <v23/vdl/v.io/x/ref/services/wspr/internal/browspr/browspr.vdl.h>
#include <v23/vdl/v.io/x/ref/services/wspr/internal/channel/channel.vdl.h>
#include <vom/dec.h>
#include <vom/enc.h>
#include <vom/value.h>

/* What the bodies of requests are. */
static const struct {
    const char *type;
    const struct vdl_type *desc;
} bodies[] = {
    { "start", &v23_wspr_browspr_start_message_desc },
    { "auth:create-account", &v23_wspr_browspr_create_account_message_desc },
    { "auth:associate-account",
        &v23_wspr_browspr_associate_account_message_desc },
    { "auth:get-accounts", &v23_wspr_browspr_get_accounts_message_desc },
    { "auth:origin-has-account",
        &v23_wspr_browspr_origin_has_account_message_desc },
    { "create-instance", &v23_wspr_browspr_create_instance_message_desc },
    { "cleanup", &v23_wspr_browspr_cleanup_message_desc },
};

/* Give the body the type that we declare for it. */
static bool retype(struct run_case *c, struct v23_arena *a,
    struct vdl_str type, struct vdl_any *body)
{
    const struct vdl_type *t = NULL;
    void *v;
    size_t i;

    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
        if (vdl_str_eq(type, vdl_str(bodies[i].type)))
            t = bodies[i].desc;
    if (t == NULL)
        return run_fail(c, "request of an unknown type");
    v = v23_arena_get0(a, 1, t->size, t->align);
    if (v == NULL || vdl_convert(a, t, v, body->type, body->val) != 0)
        return run_fail(c, "the body is of another type");
    body->type = t;
    body->val = v;
    return true;
}

static bool request_is(struct run_case *c, struct v23_arena *a,
    v23_wspr_channel_request *q)
{
    const cJSON *seq = cJSON_GetObjectItemCaseSensitive(c->json, "seq");
    const cJSON *body = cJSON_GetObjectItemCaseSensitive(c->json, "body");

    if (!vdl_str_eq(q->type, vdl_str(run_str(c, "type"))) ||
        !cJSON_IsNumber(seq) || q->seq != (uint32_t)seq->valuedouble)
        return run_fail(c, "another type or number");
    return wspr_value_is(c, body, &vdl_any_desc, &q->body) &&
        retype(c, a, q->type, &q->body);
}

static bool response_is(struct run_case *c,
    const v23_wspr_channel_response *s)
{
    const cJSON *seq = cJSON_GetObjectItemCaseSensitive(c->json, "reqSeq");
    const cJSON *body = cJSON_GetObjectItemCaseSensitive(c->json, "body");

    if (!vdl_str_eq(s->err, vdl_str(run_str(c, "err"))) ||
        !cJSON_IsNumber(seq) || s->req_seq != (uint32_t)seq->valuedouble)
        return run_fail(c, "another error or number");
    return wspr_value_is(c, body, &vdl_any_desc, &s->body);
}

bool wspr_channel(struct run_case *c)
{
    struct v23_bytes want = run_hex(c, "vom");
    v23_wspr_channel_message m;
    struct v23_arena a;
    struct v23_buf out;
    bool ok;
    int rc;

    v23_arena_init(&a, NULL, (size_t)1 << 20);
    v23_buf_init(&out, NULL, SIZE_MAX);
    memset(&m, 0, sizeof(m));
    rc = vom_decode_single(want.p, want.n, NULL, &a,
        &v23_wspr_channel_message_desc, &m, NULL);
    if (rc != 0)
        ok = run_fail(c, "decode: %s", v23_strerror(rc));
    else if (m.which == V23_WSPR_CHANNEL_MESSAGE_REQUEST)
        ok = request_is(c, &a, &m.u.request);
    else
        ok = response_is(c, &m.u.response);
    if (ok)
        rc = vom_encode_single(NULL, &v23_wspr_channel_message_desc, &m,
            &out);
    if (ok && (rc != 0 || out.n != want.n ||
                  memcmp(out.p, want.p, want.n) != 0))
        ok = run_fail(c, "encoded as %.400s", unhex(out.p, out.n));
    v23_buf_fini(&out);
    v23_arena_fini(&a);
    return ok;
}

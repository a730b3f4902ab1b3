/* BSD-3-Clause; see LICENSE. */
/* Vectors of the family rpc/: varints, frames, messages, bindings. */
#include "rpc_int.h"

#include <stdlib.h>

#include <vom/enc.h>
#include <vrpc/conn.h>
#include <vsec/key.h>

#include "naming_int.h"

static bool run_varint(struct run_case *c)
{
    const char *op = run_str(c, "op");
    struct v23_bytes b = run_hex(c, "hex");
    const uint8_t *p = b.p;
    uint64_t want, got = 0;
    uint8_t mem[9];
    size_t n;
    int rc = vom_get_uint(&p, b.p + b.n, &got);

    if (strcmp(op, "invalid") == 0)
        return rc != 0 || run_fail(c, "accepted");
    want = strtoull(run_str(c, "value"), NULL, 10);
    if (rc != 0 || got != want || p != b.p + b.n)
        return run_fail(c, "decodes to %llu", (unsigned long long)got);
    if (strcmp(op, "both") != 0)
        return true;
    n = vom_put_uint(mem, want);
    if (n != b.n || memcmp(mem, b.p, n) != 0)
        return run_fail(c, "encodes to %s", unhex(mem, n));
    return true;
}

static bool run_frame(struct run_case *c)
{
    size_t n = (size_t)run_rpc_u64(c->json, "length");
    struct v23_bytes want = run_hex(c, "header");
    uint8_t p[VRPC_FRAME_HEADER];

    if (vrpc_frame_put(p, n) != 0 || want.n != sizeof(p)
        || memcmp(p, want.p, sizeof(p)) != 0)
        return run_fail(c, "header %s", unhex(p, sizeof(p)));
    if (vrpc_frame_get(want.p) != n)
        return run_fail(c, "length %u", (unsigned)vrpc_frame_get(want.p));
    return true;
}

static bool run_message(struct run_case *c)
{
    cJSON *json = run_rpc_json(c->line);
    bool ok;

    ok = run_rpc_check_message(c,
        cJSON_GetObjectItemCaseSensitive(json, "fields"), run_hex(c, "hex"),
        strcmp(run_str(c, "op"), "both") == 0);
    cJSON_Delete(json);
    return ok;
}

static bool run_invalid(struct run_case *c)
{
    const char *want = run_str(c, "error");
    struct v23_bytes b = run_hex(c, "hex");
    enum vrpc_msg_fault fault = 0;
    struct vrpc_msg m;

    if (vrpc_msg_decode(b.p, b.n, &m, &fault) == 0)
        return run_fail(c, "accepted");
    if (strcmp(want, "truncated") == 0)
        want = "v.io/v23/flow/messages.InvalidMsg";
    if (strcmp(vrpc_msg_fault_id(fault), want) != 0)
        return run_fail(c, "%s", vrpc_msg_fault_id(fault));
    return true;
}

/* ---- binding ------------------------------------------------------------- */

static bool make_binding(struct run_case *c, struct v23_buf *out)
{
    struct v23_bytes d = run_hex(c, "dialerSetup");
    struct v23_bytes a = run_hex(c, "acceptorSetup");
    struct v23_bytes want = run_hex(c, "binding");
    struct vrpc_msg dm, am;
    size_t start = out->n;

    if (vrpc_msg_decode(d.p, d.n, &dm, NULL) != 0
        || vrpc_msg_decode(a.p, a.n, &am, NULL) != 0)
        return run_fail(c, "a Setup does not decode");
    if (vrpc_binding(run_rpc_u64(c->json, "version"), &dm.u.setup,
            &am.u.setup, false, out) != 0)
        return run_fail(c, "no binding");
    if (out->n - start != want.n
        || memcmp(out->p + start, want.p, want.n) != 0)
        return run_fail(c, "binding %.200s",
            unhex(out->p + start, out->n - start));
    return true;
}

static bool check_signature(struct run_case *c, struct vsec_engine *e,
    struct v23_bytes msg)
{
    struct v23_bytes der = run_hex(c, "publicKeyDER");
    struct v23_bytes auth = run_hex(c, "authMessage");
    struct vsec_pubkey *key = NULL;
    struct vsec_signature sig;
    struct vrpc_msg m;
    bool valid;
    int rc;

    if (vrpc_msg_decode(auth.p, auth.n, &m, NULL) != 0)
        return run_fail(c, "Auth does not decode");
    rc = vsec_pubkey_parse(e, vdl_bytes(der.p, der.n), &key);
    if (rc != 0)
        return run_fail(c, "key: %s", v23_strerror(rc));
    sig = run_rpc_signature(&m);
    valid = vsec_verify(key, &sig, msg.p, msg.n) == 0;
    vsec_pubkey_unref(key);
    if (valid != run_bool(c, "valid"))
        return run_fail(c, "signature is %s", valid ? "valid" : "invalid");
    return true;
}

static bool run_binding(struct run_case *c)
{
    struct v23_bytes tag = run_hex(c, "tag");
    struct v23_buf msg;
    bool ok;

    v23_buf_init(&msg, NULL, SIZE_MAX);
    v23_buf_put(&msg, tag.p, tag.n);
    ok = make_binding(c, &msg)
        && check_signature(c, c->state, v23_bytes(msg.p, msg.n));
    v23_buf_fini(&msg);
    return ok;
}

static void *make_engine(const char *dir, const char *companions)
{
    struct vsec_engine *e;

    (void)dir;
    (void)companions;
    if (vsec_engine_new(&e, &vsec_crypto_default, NULL, NULL) != 0)
        abort();
    return e;
}

static void free_engine(void *state)
{
    vsec_engine_unref(state);
}

static const struct run_file files[] = {
    { "varint.jsonl", run_varint, NULL, NULL, NULL, NULL },
    { "frame.jsonl", run_frame, NULL, NULL, NULL, NULL },
    { "messages.jsonl", run_message, NULL, NULL, NULL, NULL },
    { "messages_invalid.jsonl", run_invalid, NULL, NULL, NULL, NULL },
    { "box.jsonl", run_rpc_box, NULL, NULL, NULL, NULL },
    { "binding.jsonl", run_binding, NULL, NULL, make_engine, free_engine },
    { "rpc_values.jsonl", run_rpc_values, NULL, NULL, NULL, NULL },
    { "server_order.jsonl", run_rpc_server_order, NULL, NULL, NULL, NULL },
    { "transcripts/*.jsonl", NULL, run_rpc_transcript, NULL, NULL, NULL },
    { NULL, NULL, NULL, NULL, NULL, NULL },
};

const struct run_family run_rpc = { "rpc", files, NULL };

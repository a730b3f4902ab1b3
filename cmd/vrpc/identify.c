/* BSD-3-Clause; see LICENSE. */
/*
 * vrpc identify: who a server says it is. A call needs a connection, and with
 * that the server has authenticated itself; what becomes of the call, of a
 * method that does not exist, is of no interest.
 */
#include "vrpc.h"

#include <vsec/blessings.h>

struct run {
    struct remote *r;
    struct vrpc_call *call;
};

static void put_names(struct v23_buf *out, vdl_str_list names)
{
    uint32_t i;

    v23_buf_put_byte(out, '[');
    for (i = 0; i < names.n; i++) {
        if (i != 0)
            v23_buf_put_byte(out, ' ');
        v23_buf_put_str(out, names.v[i]);
    }
    v23_buf_put_byte(out, ']');
}

static int print_server(const struct vrpc_call *call,
    const struct vsec_blessings *b)
{
    const struct vsec_pubkey *key = vsec_blessings_key(b);
    char fingerprint[VSEC_FINGERPRINT];
    struct v23_buf out;
    int rc;

    v23_buf_init(&out, NULL, SIZE_MAX);
    rc = vsec_fingerprint(key->engine->crypto, key->der, fingerprint);
    v23_buf_puts(&out, "PRESENTED: ");
    v23_buf_put_str(&out, vsec_blessings_text(b));
    v23_buf_puts(&out, "\nVALID:     ");
    put_names(&out, vrpc_call_server_names(call));
    v23_buf_puts(&out, "\nPUBLICKEY: ");
    v23_buf_puts(&out, fingerprint);
    v23_buf_puts(&out, "\n           ");
    v23_base64_put(&out, key->der.p, key->der.n, true);
    v23_buf_put_byte(&out, '\n');
    return print_out(&out, rc);
}

static void done(void *ud, const struct v23_verror *err,
    const struct vdl_any *results, size_t n)
{
    struct run *x = ud;
    struct remote *r = x->r;
    const struct vsec_blessings *b = vrpc_call_server_blessings(x->call);
    struct v23_buf text;

    (void)results;
    (void)n;
    v23_buf_init(&text, NULL, SIZE_MAX);
    v23_buf_puts(&text, "client.StartCall(");
    vdl_format_quoted(&text, r->name.p, r->name.n);
    v23_buf_puts(&text, ", \"\", nil) failed with ");
    if (err != NULL)
        vrpc_runtime_error(&r->p->rt, err, &text);
    if (vrpc_call_server(x->call) != NULL && vsec_blessings_key(b) != NULL)
        r->rc = print_server(x->call, b);
    else
        r->rc = v23_error("%s", v23_buf_cstr(&text));
    v23_buf_fini(&text);
    vname_program_done(r->p);
}

static int identify(struct remote *r)
{
    static const struct vrpc_any_cb cb = { NULL, done };
    struct run x = { r, NULL };

    x.call = vrpc_client_start_any(r->p->rt.client, r->name, vdl_str(""),
        &r->opts, NULL, 0, VRPC_ANY_RESULTS, &cb, &x);
    if (x.call == NULL)
        return v23_error("out of memory");
    vrpc_call_close_send(x.call);
    vname_program_wait(r->p);
    return r->rc;
}

int run_identify(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct remote r;
    int rc;

    if (argc != 1)
        return v23_usage_error(inv, "wrong number of arguments");
    rc = remote_open(&r, ud, argv[0]);
    if (rc == 0)
        rc = identify(&r);
    remote_close(&r);
    return rc;
}

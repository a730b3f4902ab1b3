/* BSD-3-Clause; see LICENSE. */
/*
 * principal-state.jsonl: accounts and origins as the proxy of 2016 stored them.
 * They are read, written in our form, and read again; the signature is checked,
 * also that it covers every octet.
 */
#include "wspr_int.h"

#include <stdio.h>
#include <stdlib.h>

#include <wspr/accounts.h>

struct store {
    struct v23_buf data;
    int saves;
};

static int load(void *ud, struct v23_buf *out, char why[WSPR_WHY])
{
    const struct store *s = ud;

    (void)why;
    v23_buf_put(out, s->data.p, s->data.n);
    return out->err;
}

static int save(void *ud, struct v23_bytes data, char why[WSPR_WHY])
{
    struct store *s = ud;

    (void)why;
    s->saves++;
    v23_buf_cut(&s->data, 0);
    v23_buf_put(&s->data, data.p, data.n);
    return s->data.err;
}

static bool is_signed(struct run_case *c, const struct vsec_pubkey *key)
{
    struct v23_bytes data = run_hex(c, "data"), sig = run_hex(c, "signature");
    struct v23_buf copy;
    size_t i;
    int rc = vsec_stream_verify(key, data, sig);

    if (rc != 0)
        return run_fail(c, "signature: %s", v23_strerror(rc));
    v23_buf_init(&copy, NULL, SIZE_MAX);
    v23_buf_put(&copy, data.p, data.n);
    for (i = 0; rc == 0 && i < copy.n; i++) {
        copy.p[i] ^= 1;
        if (vsec_stream_verify(key, v23_bytes(copy.p, copy.n), sig) == 0)
            rc = V23_ETAMPERED;
        copy.p[i] ^= 1;
    }
    v23_buf_fini(&copy);
    return rc == 0 || run_fail(c, "octet %zu is not signed", i - 1);
}

/* Is it the name that an account of that name gives to the origin? */
static bool is_made_by(struct run_case *c, struct wspr_principals *m,
    struct vdl_str account, struct vdl_str text)
{
    struct v23_buf name;
    bool same;

    v23_buf_init(&name, NULL, 1024);
    v23_buf_put_str(&name,
        vsec_blessings_text(wspr_principals_blessings(m, account)));
    v23_buf_put_byte(&name, ':');
    wspr_query_escape(&name, vdl_str(run_str(c, "origin")));
    same = vdl_str_eq(text, vdl_strn((const char *)name.p, name.n));
    v23_buf_fini(&name);
    return same;
}

static bool names_fit(struct run_case *c, struct wspr_principals *m,
    struct vdl_str text)
{
    vdl_str_list accounts = wspr_principals_accounts(m);
    bool ok = false;
    uint32_t i;

    for (i = 0; !ok && i < accounts.n; i++)
        ok = is_made_by(c, m, accounts.v[i], text);
    return (ok && vdl_str_is(text, run_str(c, "origin_principal_blessings"))) ||
        run_fail(c, "the name is %.*s", (int)text.n, text.p);
}

static bool has(struct run_case *c, const struct wspr_principals *m,
    bool expires)
{
    struct vdl_str origin = vdl_str(run_str(c, "origin"));
    struct v23_walltime before = {0, 0}, after = {INT64_MAX, 0};

    if (wspr_principals_accounts(m).n == 0)
        return run_fail(c, "no accounts");
    if (!wspr_principals_has_account(m, origin, before))
        return run_fail(c, "the origin has no account");
    return wspr_principals_has_account(m, origin, after) != expires ||
        run_fail(c, "the origin's account ends at another time");
}

/* What the recorded proxy made for the origin, and what we say of it. */
static bool as_recorded(struct run_case *c, struct wspr_principals *m)
{
    struct v23_bytes vom = run_hex(c, "origin_blessings_vom");
    struct vsec_blessings *b = NULL;
    struct v23_walltime at;
    bool ok;
    int rc = vsec_blessings_decode(wspr_principals_root(m)->engine, NULL, vom,
        &b);

    if (rc != 0)
        return run_fail(c, "origin_blessings_vom: %s", v23_strerror(rc));
    ok = names_fit(c, m, vsec_blessings_text(b)) &&
        has(c, m, vsec_blessings_expiry(b, &at));
    vsec_blessings_unref(b);
    return ok;
}

static bool check(struct run_case *c, struct vsec_principal *root,
    struct store *s)
{
    struct wspr_state_io io = {load, save, NULL};
    struct wspr_principals *m = NULL;
    char why[WSPR_WHY];
    struct vdl_str name;
    bool ok;

    io.ud = s;
    if (wspr_principals_new(root, &io, &m, why) != 0)
        return run_fail(c, "%s", why);
    ok = as_recorded(c, m);
    if (ok) { /* have it written */
        name = wspr_principals_accounts(m).v[0];
        if (wspr_principals_add_account(
                m, name, wspr_principals_blessings(m, name), why) != 0)
            ok = run_fail(c, "%s", why);
    }
    wspr_principals_free(m);
    m = NULL;
    if (ok && wspr_principals_new(root, &io, &m, why) != 0)
        return run_fail(c, "what was written: %s", why);
    ok = ok && s->saves == 1 && as_recorded(c, m);
    wspr_principals_free(m);
    return ok;
}

bool wspr_accounts(struct run_case *c)
{
    struct v23_bytes der = run_hex(c, "root_public_key_der"), data;
    struct vsec_engine *e = NULL;
    struct vsec_pubkey *key = NULL;
    struct vsec_principal *root = NULL;
    struct store s;
    bool ok;

    memset(&s, 0, sizeof(s));
    v23_buf_init(&s.data, NULL, SIZE_MAX);
    data = run_hex(c, "data");
    v23_buf_put(&s.data, data.p, data.n);
    if (vsec_engine_new(&e, &vsec_crypto_default, NULL, NULL) != 0)
        abort();
    ok = vsec_pubkey_parse(e, vdl_bytes(der.p, der.n), &key) == 0 &&
        vsec_principal_new(e, NULL, key, NULL, NULL, &root) == 0;
    if (!ok)
        run_fail(c, "root_public_key_der is no key");
    ok = ok && is_signed(c, key) && check(c, root, &s);
    vsec_principal_unref(root);
    vsec_pubkey_unref(key);
    vsec_engine_unref(e);
    v23_buf_fini(&s.data);
    return ok;
}

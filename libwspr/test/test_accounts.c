/* BSD-3-Clause; see LICENSE. */
/* Accounts, and principals of origins (wspr/accounts.h). */
#include "../../librpc/test/world.h"
#include "../../libsecurity/test/slow_key.h"

#include <unistd.h>

#include <v23/vdl/v.io/x/ref/services/identity/identity.rpc.h>
#include <vsec/check.h>
#include <wspr/accounts.h>

#define ORIGIN "https://app.example.com:443"

static struct wspr_principals *m;
static struct vsec_principal *root;
static char why[WSPR_WHY];

/* A state kept in memory, and what may happen to it. */
static struct {
    struct v23_buf data;
    bool saved;
    int fail; /* of save */
    int load; /* of load */
    int saves;
} kept;

static int load_kept(void *ud, struct v23_buf *out, char w[WSPR_WHY])
{
    (void)ud;
    if (kept.load != 0) {
        snprintf(w, WSPR_WHY, "cannot read it");
        return kept.load;
    }
    if (!kept.saved)
        return V23_ENOENT;
    v23_buf_put(out, kept.data.p, kept.data.n);
    return out->err;
}

static int save_kept(void *ud, struct v23_bytes data, char w[WSPR_WHY])
{
    (void)ud;
    if (kept.fail != 0) {
        snprintf(w, WSPR_WHY, "disk full");
        return kept.fail;
    }
    v23_buf_cut(&kept.data, 0);
    v23_buf_put(&kept.data, data.p, data.n);
    kept.saved = true;
    kept.saves++;
    return kept.data.err;
}

static const struct wspr_state_io io = {load_kept, save_kept, NULL};

static void again(void)
{
    wspr_principals_free(m);
    ck_assert_msg(wspr_principals_new(root, &io, &m, why) == 0, "%s", why);
}

static void setup(void)
{
    world_setup();
    memset(&kept, 0, sizeof(kept));
    v23_buf_init(&kept.data, NULL, SIZE_MAX);
    ck_assert_int_eq(
        vsec_principal_generate(W.engine, "ed25519", &root), 0);
    m = NULL;
    again();
}

static void teardown(void)
{
    wspr_principals_free(m);
    vsec_principal_unref(root);
    v23_buf_fini(&kept.data);
    world_teardown();
}

/* Blessings of the root principal. */
static struct vsec_blessings *named(struct vsec_principal *p, const char *name)
{
    const v23_security_caveat_list none = {NULL, 0};
    struct vsec_blessings *b;

    ck_assert_int_eq(
        vsec_principal_bless_self(p, vdl_str(name), none, &b), 0);
    return b;
}

static int add_account(const char *name, const char *blessing)
{
    struct vsec_blessings *b = named(root, blessing);
    int rc = wspr_principals_add_account(m, vdl_str(name), b, why);

    vsec_blessings_unref(b);
    return rc;
}

static int associate(const char *origin, const char *account,
    const char *type, const char *args)
{
    v23_wspr_account_caveat c;

    c.type = vdl_str(type);
    c.args = vdl_str(args);
    return wspr_principals_associate(m, vdl_str(origin), vdl_str(account), &c,
        type[0] != 0, W.now.wall, why);
}

static bool has(const char *origin)
{
    return wspr_principals_has_account(m, vdl_str(origin), W.now.wall);
}

/* Names of the accounts, with blanks between. */
static const char *accounts(void)
{
    static char out[256];
    vdl_str_list l = wspr_principals_accounts(m);
    size_t n = 0;
    uint32_t i;

    out[0] = 0;
    for (i = 0; i < l.n; i++)
        n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%.*s",
            i == 0 ? "" : " ", (int)l.v[i].n, l.v[i].p);
    return out;
}

/* ---- accounts ------------------------------------------------------------ */

START_TEST(accounts_are_kept_sorted)
{
    struct vsec_blessings *b;

    ck_assert_str_eq(accounts(), "");
    ck_assert_int_eq(add_account("m", "idp:m"), 0);
    ck_assert_int_eq(add_account("z", "idp:z"), 0);
    ck_assert_int_eq(add_account("a", "idp:a"), 0);
    ck_assert_int_eq(add_account("m", "idp:new"), 0);
    ck_assert_int_eq(kept.saves, 4);
    ck_assert_str_eq(accounts(), "a m z");
    again();
    ck_assert_str_eq(accounts(), "a m z");
    b = wspr_principals_blessings(m, vdl_str("m"));
    ck_assert(vdl_str_is(vsec_blessings_text(b), "idp:new"));
    b = wspr_principals_blessings(m, vdl_str("z"));
    ck_assert(vdl_str_is(vsec_blessings_text(b), "idp:z"));
    ck_assert_ptr_null(wspr_principals_blessings(m, vdl_str("b")));
}
END_TEST

START_TEST(only_blessings_of_the_proxy_make_accounts)
{
    struct vsec_principal *other;
    struct vsec_blessings *b;

    ck_assert_int_eq(
        vsec_principal_generate(W.engine, "ed25519", &other), 0);
    b = named(other, "stranger");
    ck_assert_int_eq(wspr_principals_add_account(m, vdl_str("s"), b, why),
        V23_EKEYMISMATCH);
    ck_assert_int_eq(
        wspr_principals_add_account(m, vdl_str("s"), NULL, why), V23_EARG);
    ck_assert_int_eq(add_account("", "idp"), V23_EARG);
    ck_assert_str_eq(accounts(), "");
    ck_assert_int_eq(kept.saves, 0);
    vsec_blessings_unref(b);
    vsec_principal_unref(other);
}
END_TEST

START_TEST(what_cannot_be_saved_has_not_happened)
{
    ck_assert_int_eq(add_account("a", "idp:a"), 0);
    kept.fail = V23_ESYS;
    ck_assert_int_eq(add_account("b", "idp:b"), V23_ESYS);
    ck_assert_str_eq(why, "disk full");
    ck_assert_str_eq(accounts(), "a");
    ck_assert_int_eq(associate(ORIGIN, "a", "", ""), V23_ESYS);
    ck_assert_str_eq(why, "failed to associate account: disk full");
    ck_assert(!has(ORIGIN));
    kept.fail = 0;
    ck_assert_int_eq(associate(ORIGIN, "a", "", ""), 0);
    ck_assert(has(ORIGIN));
}
END_TEST

START_TEST(a_state_that_cannot_be_read_is_fatal)
{
    struct wspr_principals *other = NULL;
    size_t i, n;

    kept.load = V23_ESIG;
    ck_assert_int_eq(wspr_principals_new(root, &io, &other, why), V23_ESIG);
    ck_assert_str_eq(why, "cannot read it");
    kept.load = 0;
    ck_assert_int_eq(add_account("a", "idp:a"), 0);
    ck_assert_int_eq(associate(ORIGIN, "a", "MethodCaveat", "Get"), 0);
    n = kept.data.n;
    for (i = 0; i < n; i++) {
        kept.data.n = i;
        ck_assert_int_ne(wspr_principals_new(root, &io, &other, why), 0);
        ck_assert_str_ne(why, "");
    }
    kept.data.n = n;
    for (i = 0; i < n; i++) {
        kept.data.p[i] ^= 0x55;
        if (wspr_principals_new(root, &io, &other, why) == 0)
            wspr_principals_free(other);
        kept.data.p[i] ^= 0x55;
    }
    again();
    ck_assert(has(ORIGIN));
}
END_TEST

START_TEST(dummy_is_made_once)
{
    struct vdl_str name;

    ck_assert_int_eq(wspr_principals_dummy(m, &name, why), 0);
    ck_assert(vdl_str_is(name, "unauthenticated-dummy-account"));
    ck_assert_int_eq(wspr_principals_dummy(m, &name, why), 0);
    ck_assert_int_eq(kept.saves, 1);
    ck_assert_str_eq(accounts(), "unauthenticated-dummy-account");
}
END_TEST

/* ---- origins ------------------------------------------------------------- */

START_TEST(origins_get_principals_of_their_own)
{
    struct vsec_principal *p, *q;
    struct vsec_blessings *b;
    const struct vsec_store_entry *entries;
    size_t n;

    ck_assert_int_eq(add_account("acc", "idp:me"), 0);
    ck_assert_int_eq(associate(ORIGIN, "acc", "", ""), 0);
    ck_assert_int_eq(
        wspr_principals_make(m, vdl_str(ORIGIN), NULL, &p, why), 0);
    ck_assert_int_eq(
        wspr_principals_make(m, vdl_str(ORIGIN), NULL, &q, why), 0);

    ck_assert(!vsec_pubkey_eq(p->key, q->key));
    ck_assert_int_eq(p->key->alg->curve, VSEC_P256);
    b = vsec_store_default(p->store);
    ck_assert(vdl_str_is(vsec_blessings_text(b),
        "idp:me:https%3A%2F%2Fapp.example.com%3A443"));
    entries = vsec_store_peers(p->store, &n);
    ck_assert(n == 1 && vdl_str_is(entries[0].pattern, "..."));
    ck_assert_int_eq(vsec_roots_recognized(p->roots, root->key->der,
                         vdl_str("idp:me")),
        0);
    vsec_principal_unref(p);
    vsec_principal_unref(q);
}
END_TEST

/* ---- a key that takes its time ------------------------------------------- */

/* What came of a principal that was made. */
static struct {
    int done, rc;
    struct vsec_principal *p; /* a reference */
    char why[WSPR_WHY];
} late;

static void on_late(void *ud, int rc, struct vsec_principal *p,
    const char *w)
{
    ck_assert_ptr_eq(ud, &late);
    late.done++;
    late.rc = rc;
    late.p = p == NULL ? NULL : vsec_principal_ref(p);
    snprintf(late.why, sizeof(late.why), "%s", w);
}

static struct slow slow; /* used until the teardown */

/* The proxy's principal gets that key; the account is there. */
static void slow_down(void)
{
    ck_assert_int_eq(add_account("acc", "idp:me"), 0);
    ck_assert_int_eq(associate(ORIGIN, "acc", "", ""), 0);
    wspr_principals_free(m);
    m = NULL;
    slow_init(&slow, vsec_signer_ref(root->signer));
    vsec_principal_unref(root);
    ck_assert_int_eq(vsec_principal_new(W.engine, &slow.s, NULL, NULL, NULL,
        &root), 0);
    vsec_signer_unref(&slow.s);
    again();
    memset(&late, 0, sizeof(late));
}

START_TEST(blessing_of_an_origin_may_come_later)
{
    struct wspr_making k = { on_late, &late, NULL, NULL };
    struct vsec_principal *p;

    slow_down();
    ck_assert_int_eq(wspr_principals_make(m, vdl_str(ORIGIN), NULL, &p, why),
        V23_EAGAIN);
    ck_assert_int_eq(wspr_principals_make(m, vdl_str(ORIGIN), &k, &p, why),
        V23_EAGAIN);
    ck_assert_int_eq(late.done, 0);
    slow_answer(&slow);

    ck_assert_int_eq(late.done, 1);
    ck_assert_int_eq(late.rc, 0);
    ck_assert_str_eq(late.why, "");
    ck_assert(vdl_str_is(vsec_blessings_text(vsec_store_default(
        late.p->store)), "idp:me:https%3A%2F%2Fapp.example.com%3A443"));
    ck_assert_int_eq(vsec_roots_recognized(late.p->roots, root->key->der,
                         vdl_str("idp:me")),
        0);
    vsec_principal_unref(late.p);
    wspr_principals_make_cancel(&k); /* nothing is under way */
}
END_TEST

START_TEST(blessing_of_an_origin_may_fail_later)
{
    struct wspr_making k = { on_late, &late, NULL, NULL };
    struct vsec_principal *p;

    slow_down();
    ck_assert_int_eq(wspr_principals_make(m, vdl_str(ORIGIN), &k, &p, why),
        V23_EAGAIN);
    slow_fail(&slow, V23_ECRYPTO);

    ck_assert_int_eq(late.done, 1);
    ck_assert_int_eq(late.rc, V23_ECRYPTO);
    ck_assert_ptr_null(late.p);
    ck_assert_str_eq(late.why, v23_strerror(V23_ECRYPTO));
}
END_TEST

START_TEST(blessing_of_an_origin_may_be_given_up)
{
    struct wspr_making k = { on_late, &late, NULL, NULL };
    struct vsec_principal *p;

    slow_down();
    ck_assert_int_eq(wspr_principals_make(m, vdl_str(ORIGIN), &k, &p, why),
        V23_EAGAIN);
    wspr_principals_make_cancel(&k);

    ck_assert_uint_eq(slow.cancelled, 1);
    ck_assert_int_eq(late.done, 0);
}
END_TEST

START_TEST(caveats_of_an_origin_are_in_its_blessings)
{
    struct vsec_principal *p;
    struct v23_walltime end;
    struct vsec_blessings *b;

    ck_assert_int_eq(add_account("acc", "idp:me"), 0);
    ck_assert_int_eq(associate(ORIGIN, "acc", "ExpiryCaveat", "1h30m"), 0);
    ck_assert_int_eq(
        wspr_principals_make(m, vdl_str(ORIGIN), NULL, &p, why), 0);
    b = vsec_store_default(p->store);
    ck_assert(vsec_blessings_expiry(b, &end));
    ck_assert_int_eq(end.sec, W.now.wall.sec + 5400);
    vsec_principal_unref(p);
    again();
    ck_assert(has(ORIGIN));
    world_sleep(&W, 5399 * V23_NS_PER_SEC);
    ck_assert(has(ORIGIN));
    world_sleep(&W, V23_NS_PER_SEC);
    ck_assert(!has(ORIGIN));
}
END_TEST

START_TEST(methods_are_split_at_commas)
{
    struct vsec_principal *p;
    struct v23_arena a;
    const v23_security_certificate *last;
    vdl_str_list methods;

    v23_arena_init(&a, NULL, SIZE_MAX);
    ck_assert_int_eq(add_account("acc", "idp:me"), 0);
    ck_assert_int_eq(associate(ORIGIN, "acc", "MethodCaveat", "Get,,Set"), 0);
    ck_assert_int_eq(
        wspr_principals_make(m, vdl_str(ORIGIN), NULL, &p, why), 0);
    last = &vsec_store_default(p->store)->chains[0].certs.v[1];
    ck_assert_uint_eq(last->caveats.n, 1);
    ck_assert_int_eq(vsec_caveat_param(last->caveats.v, &vsec_kind_method, &a,
                         &methods),
        0);
    ck_assert_uint_eq(methods.n, 3);
    ck_assert(vdl_str_is(methods.v[0], "Get"));
    ck_assert_uint_eq(methods.v[1].n, 0);
    ck_assert(vdl_str_is(methods.v[2], "Set"));
    vsec_principal_unref(p);
    v23_arena_fini(&a);
}
END_TEST

START_TEST(unknown_things_are_named)
{
    struct vsec_principal *p;

    ck_assert_int_eq(
        wspr_principals_make(m, vdl_str("http://x"), NULL, &p, why), V23_ENOENT);
    ck_assert_str_eq(why, "unknown origin: http://x");
    ck_assert_int_eq(associate(ORIGIN, "nobody", "", ""), V23_ENOENT);
    ck_assert_str_eq(
        why, "failed to associate account: unknown account: nobody");
    ck_assert_int_eq(add_account("acc", "idp:me"), 0);
    ck_assert_int_eq(
        associate(ORIGIN, "acc", "PeerCaveat", "x"), V23_ETEXT);
    ck_assert_str_eq(
        why, "failed to construct caveats: caveat PeerCaveat does not exist");
    ck_assert_int_eq(associate(ORIGIN, "acc", "ExpiryCaveat", "1"), V23_ETEXT);
    ck_assert_str_eq(why, "failed to construct caveats: time: missing unit in "
                          "duration \"1\"");
    ck_assert_int_eq(associate("", "acc", "", ""), V23_EARG);
    ck_assert(!has(ORIGIN));
}
END_TEST

START_TEST(associating_again_replaces)
{
    ck_assert_int_eq(add_account("acc", "idp:me"), 0);
    ck_assert_int_eq(associate("http://b", "acc", "", ""), 0);
    ck_assert_int_eq(associate("http://a", "acc", "ExpiryCaveat", "-1s"), 0);
    ck_assert_int_eq(associate("http://c", "acc", "", ""), 0);
    ck_assert(!has("http://a") && has("http://b") && has("http://c"));
    ck_assert_int_eq(associate("http://a", "acc", "ExpiryCaveat", "1s"), 0);
    ck_assert(has("http://a") && has("http://b") && has("http://c"));
    again();
    ck_assert(has("http://a") && has("http://b") && has("http://c"));
}
END_TEST

START_TEST(origins_are_escaped_like_queries)
{
    char text[64];
    struct v23_buf b;

    v23_buf_init_fixed(&b, text, sizeof(text));
    wspr_query_escape(&b, vdl_str("a b/\xc3\xa9~_.-Z9+"));
    ck_assert(vdl_str_is(vdl_strn(text, b.n), "a+b%2F%C3%A9~_.-Z9%2B"));
}
END_TEST

/* ---- files --------------------------------------------------------------- */

static void remove_state(const char *dir)
{
    static const char *const names[] = {
        "accounts.data", "accounts.sig", "accounts.lock"};
    char path[128];
    size_t i;

    for (i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        unlink(path);
    }
    rmdir(dir);
}

START_TEST(files_are_signed)
{
    char dir[64] = "/tmp/v23-accounts-XXXXXX", path[128];
    struct vsec_signed_files f;
    struct wspr_principals *x;
    struct wspr_state_io files;
    FILE *h;

    ck_assert_ptr_nonnull(mkdtemp(dir));
    f.dir = dir;
    f.base = "accounts";
    f.principal = root;
    files = wspr_state_files(&f);
    ck_assert_int_eq(wspr_principals_new(root, &files, &x, why), 0);
    wspr_principals_free(m);
    m = x;
    ck_assert_int_eq(add_account("a", "idp:a"), 0);
    wspr_principals_free(m);
    m = NULL;
    ck_assert_int_eq(wspr_principals_new(root, &files, &m, why), 0);
    ck_assert_str_eq(accounts(), "a");

    snprintf(path, sizeof(path), "%s/accounts.data", dir);
    h = fopen(path, "ab");
    fputc(0, h);
    fclose(h);
    x = NULL;
    ck_assert_int_eq(
        wspr_principals_new(root, &files, &x, why), V23_ETAMPERED);
    ck_assert_ptr_nonnull(strstr(why, "/accounts"));
    remove_state(dir);
}
END_TEST

/* ---- accounts from a provider -------------------------------------------- */

static struct wnode *proxy, *provider;
static struct wspr_accounts *acc;
static bool silent; /* the provider does not answer */
static struct {
    int done, rc;
    char account[128], why[WSPR_WHY];
} made;

static const struct v23_verror *bless(void *self,
    struct vrpc_server_call *call,
    const v23_identity_oauth_blesser_bless_using_access_token_in *in,
    v23_identity_oauth_blesser_bless_using_access_token_out *out)
{
    struct v23_bytes der = vrpc_server_call_remote_key(call);
    v23_security_caveat free_use = vsec_caveat_unconstrained();
    struct vsec_blessings *b = NULL;
    struct vsec_bless what;

    (void)self;
    if (silent)
        return &vrpc_pending;
    if (vdl_str_is(in->token, "nothing"))
        return NULL;
    if (!vdl_str_is(in->token, "good"))
        return v23_verror_text(vrpc_server_call_arena(call), NULL,
            vdl_str("v.io/v23/verror.NoAccess"), V23_NO_RETRY, "bad token");
    memset(&what, 0, sizeof(what));
    what.with = vsec_store_default(provider->principal->store);
    what.extension = vdl_str("user");
    what.caveats.v = &free_use;
    what.caveats.n = 1;
    ck_assert_int_eq(vsec_pubkey_parse(W.engine,
                         vdl_bytes(der.p, der.n), &what.key),
        0);
    ck_assert_int_eq(
        vsec_principal_bless(provider->principal, &what, &b), 0);
    {
        v23_security_wire_blessings wire = vsec_blessings_wire(b);

        ck_assert_int_eq(v23_security_wire_blessings_copy(
                             vrpc_server_call_arena(call), &out->blessing,
                             &wire),
            0);
    }
    out->email = vdl_str("alice@example.com");
    vsec_pubkey_unref(what.key);
    vsec_blessings_unref(b);
    return NULL;
}

static const v23_identity_oauth_blesser_vt methods = {bless};

static void provider_setup(void)
{
    struct vrpc_server_config cfg;

    setup();
    memset(&made, 0, sizeof(made));
    silent = false;
    ck_assert_int_eq(world_node(&W, "proxy", 0, &proxy), 0);
    ck_assert_int_eq(world_node(&W, "idp", 2, &provider), 0);
    memset(&cfg, 0, sizeof(cfg));
    cfg.object = v23_identity_oauth_blesser_object(&methods, NULL);
    cfg.authorizer = &vsec_auth_everyone;
    ck_assert_int_eq(vrpc_server_new(provider->m, &cfg, &provider->s), 0);
    wspr_principals_free(m);
    ck_assert_int_eq(
        wspr_principals_new(proxy->principal, &io, &m, why), 0);
    ck_assert_int_eq(
        wspr_accounts_new(m, proxy->c, world_name(provider, ""), &acc), 0);
}

static void provider_teardown(void)
{
    wspr_accounts_free(acc);
    teardown();
}

static void created(void *ud, int rc, struct vdl_str account, const char *text)
{
    (void)ud;
    made.done++;
    made.rc = rc;
    snprintf(made.account, sizeof(made.account), "%.*s", (int)account.n,
        account.p);
    snprintf(made.why, sizeof(made.why), "%s", text);
}

static void create(const char *token)
{
    made.done = 0;
    ck_assert_int_eq(
        wspr_accounts_create(acc, vdl_str(token), created, NULL), 0);
    ck_assert_int_eq(made.done, 0);
    ck_assert(world_until(&W, &made.done, 100 * V23_NS_PER_SEC));
    ck_assert_int_eq(made.done, 1);
}

START_TEST(provider_makes_an_account)
{
    struct vsec_blessings *b;

    create("good");
    ck_assert_msg(made.rc == 0, "%s", made.why);
    ck_assert_str_eq(made.account, "test:idp:alice@example.com");
    ck_assert_str_eq(accounts(), "test:idp:alice@example.com");
    b = wspr_principals_blessings(m, vdl_str(made.account));
    ck_assert(vdl_str_is(vsec_blessings_text(b), "test:idp:user"));
}
END_TEST

START_TEST(refusals_of_the_provider_are_reported)
{
    create("bad");
    ck_assert_int_eq(made.rc, V23_EWIREERR);
    ck_assert_ptr_nonnull(strstr(
        made.why, "Error getting blessing for access token: "));
    ck_assert_ptr_nonnull(strstr(made.why, "bad token"));
    create("nothing");
    ck_assert_int_eq(made.rc, V23_ECERT);
    kept.fail = V23_ESYS;
    create("good");
    ck_assert_int_eq(made.rc, V23_ESYS);
    ck_assert_str_eq(made.why, "Error adding account: disk full");
    ck_assert_str_eq(accounts(), "");
}
END_TEST

START_TEST(provider_has_a_minute)
{
    int64_t begin = W.now.mono_ns;

    silent = true;
    create("good");
    ck_assert_int_eq(made.rc, V23_EWIREERR);
    ck_assert_int_eq((W.now.mono_ns - begin) / V23_NS_PER_SEC, 60);
}
END_TEST

START_TEST(calls_end_unheard_with_their_manager)
{
    silent = true;
    ck_assert_int_eq(
        wspr_accounts_create(acc, vdl_str("good"), created, NULL), 0);
    world_settle(&W);
    wspr_accounts_free(acc);
    acc = NULL;
    world_sleep(&W, 70 * V23_NS_PER_SEC);
    ck_assert_int_eq(made.done, 0);
}
END_TEST

START_TEST(calls_under_way_are_bounded)
{
    int i, rc = 0;

    silent = true;
    for (i = 0; i <= WSPR_CREATE_MAX && rc == 0; i++)
        rc = wspr_accounts_create(acc, vdl_str("good"), created, NULL);
    ck_assert_int_eq(rc, V23_ELIMIT);
    ck_assert_int_eq(i, WSPR_CREATE_MAX + 1);
}
END_TEST

/* ---- memory -------------------------------------------------------------- */

static int life(const struct v23_alloc *al, void *ud)
{
    struct vsec_crypto crypto = vsec_crypto_default;
    struct vsec_principal *r = NULL, *p = NULL;
    struct wspr_principals *x = NULL;
    struct vsec_blessings *b = NULL;
    struct vsec_engine *engine = NULL;
    const v23_security_caveat_list none = {NULL, 0};
    v23_wspr_account_caveat c;
    char w[WSPR_WHY];
    int rc;

    (void)ud;
    crypto.secret = NULL;
    c.type = vdl_str("MethodCaveat");
    c.args = vdl_str("Get,Set");
    kept.saved = false;
    rc = vsec_engine_new(&engine, &crypto, al, NULL);
    if (rc == 0)
        rc = vsec_principal_generate(engine, "ed25519", &r);
    if (rc == 0)
        rc = vsec_principal_bless_self(r, vdl_str("me"), none, &b);
    if (rc == 0)
        rc = wspr_principals_new(r, &io, &x, w);
    if (rc == 0)
        rc = wspr_principals_add_account(x, vdl_str("a"), b, w);
    if (rc == 0)
        rc = wspr_principals_associate(x, vdl_str(ORIGIN), vdl_str("a"), &c,
            1, W.now.wall, w);
    if (rc == 0) {
        wspr_principals_free(x);
        x = NULL;
        rc = wspr_principals_new(r, &io, &x, w);
    }
    if (rc == 0)
        rc = wspr_principals_make(x, vdl_str(ORIGIN), NULL, &p, w);
    vsec_principal_unref(p);
    wspr_principals_free(x);
    vsec_blessings_unref(b);
    vsec_principal_unref(r);
    vsec_engine_unref(engine);
    return rc;
}

START_TEST(memory_may_end_anywhere)
{
    tst_out_of_memory(life, NULL);
}
END_TEST

static void fill(Suite *s)
{
    TCase *tc = tcase_create("states"), *p = tcase_create("provider");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, accounts_are_kept_sorted);
    tcase_add_test(tc, only_blessings_of_the_proxy_make_accounts);
    tcase_add_test(tc, what_cannot_be_saved_has_not_happened);
    tcase_add_test(tc, a_state_that_cannot_be_read_is_fatal);
    tcase_add_test(tc, dummy_is_made_once);
    tcase_add_test(tc, origins_get_principals_of_their_own);
    tcase_add_test(tc, blessing_of_an_origin_may_come_later);
    tcase_add_test(tc, blessing_of_an_origin_may_fail_later);
    tcase_add_test(tc, blessing_of_an_origin_may_be_given_up);
    tcase_add_test(tc, caveats_of_an_origin_are_in_its_blessings);
    tcase_add_test(tc, methods_are_split_at_commas);
    tcase_add_test(tc, unknown_things_are_named);
    tcase_add_test(tc, associating_again_replaces);
    tcase_add_test(tc, origins_are_escaped_like_queries);
    tcase_add_test(tc, files_are_signed);
    tcase_add_test(tc, memory_may_end_anywhere);
    suite_add_tcase(s, tc);
    tcase_add_checked_fixture(p, provider_setup, provider_teardown);
    tcase_set_timeout(p, 120);
    tcase_add_test(p, provider_makes_an_account);
    tcase_add_test(p, refusals_of_the_provider_are_reported);
    tcase_add_test(p, provider_has_a_minute);
    tcase_add_test(p, calls_end_unheard_with_their_manager);
    tcase_add_test(p, calls_under_way_are_bounded);
    suite_add_tcase(s, p);
}

int main(void)
{
    Suite *s = suite_create("wspr/accounts");

    fill(s);
    return tst_run(s);
}

/* BSD-3-Clause; see LICENSE. */
/*
 * Accounts from a provider of identity, and associations as users ask for
 * them. A call may outlive its manager of accounts: it then ends unheard.
 */
#include "accounts_int.h"

#include <v23/vdl/v.io/x/ref/services/identity/identity.rpc.h>
#include <vom/time.h>

struct creation {
    const struct v23_alloc *al;
    struct wspr_accounts *of; /* NULL: it is gone */
    struct creation **prev, *next;
    struct vrpc_call *call;
    wspr_account_done_fn *done;
    void *ud;
};

struct wspr_accounts {
    const struct v23_alloc *al;
    struct wspr_principals *m;
    struct vrpc_client *c;
    char *identd;
    struct creation *calls;
    size_t ncalls;
};

int wspr_accounts_new(struct wspr_principals *m, struct vrpc_client *c,
    const char *identd, struct wspr_accounts **out)
{
    const struct v23_alloc *al = wspr_principals_root(m)->engine->al;
    struct wspr_accounts *a = v23_new(al, struct wspr_accounts);
    size_t n = strlen(identd) + 1;

    if (a == NULL)
        return V23_ENOMEM;
    a->al = al;
    a->m = m;
    a->c = c;
    a->identd = v23_get(al, n);
    if (a->identd == NULL) {
        v23_put(al, a);
        return V23_ENOMEM;
    }
    memcpy(a->identd, identd, n);
    *out = a;
    return 0;
}

static void forget(struct creation *c)
{
    *c->prev = c->next;
    if (c->next != NULL)
        c->next->prev = c->prev;
    c->of->ncalls--;
    c->of = NULL;
}

void wspr_accounts_free(struct wspr_accounts *a)
{
    struct creation *c;

    if (a == NULL)
        return;
    while ((c = a->calls) != NULL) {
        forget(c);
        vrpc_call_cancel(c->call);
    }
    v23_put(a->al, a->identd);
    v23_put(a->al, a);
}

/* ---- a new account ------------------------------------------------------- */

/* "name#name:email" */
static void account_name(const struct creation *c,
    struct vdl_str email, struct v23_buf *out)
{
    vdl_str_list names = vrpc_call_server_names(c->call);
    uint32_t i;

    for (i = 0; i < names.n; i++) {
        if (i > 0)
            v23_buf_put_byte(out, '#');
        v23_buf_put_str(out, names.v[i]);
    }
    v23_buf_put_byte(out, ':');
    v23_buf_put_str(out, email);
}

static int add(const struct creation *c,
    const v23_identity_oauth_blesser_bless_using_access_token_out *out,
    struct v23_buf *name, char *why)
{
    char cause[WSPR_WHY];
    struct vsec_blessings *b = NULL;
    int rc;

    rc = vsec_blessings_from_wire(
        wspr_principals_root(c->of->m)->engine, NULL, &out->blessing, &b);
    if (rc == 0 && b == NULL)
        rc = V23_ECERT;
    if (rc != 0)
        return wspr_why_(why, rc,
            "Error getting blessing for access token: %s", v23_strerror(rc));
    account_name(c, out->email, name);
    rc = name->err;
    wspr_why_(cause, rc, "%s", v23_strerror(rc));
    if (rc == 0)
        rc = wspr_principals_add_account(c->of->m,
            vdl_strn((const char *)name->p, name->n), b, cause);
    vsec_blessings_unref(b);
    if (rc != 0)
        wspr_why_(why, rc, "Error adding account: %.400s", cause);
    return rc;
}

static void blessed(void *ud, const struct v23_verror *err,
    const v23_identity_oauth_blesser_bless_using_access_token_out *out)
{
    struct creation *c = ud;
    struct v23_buf name;
    char why[WSPR_WHY] = "";
    int rc;

    if (c->of == NULL) {
        v23_put(c->al, c);
        return;
    }
    v23_buf_init(&name, c->al, 64u << 10);
    if (err != NULL)
        rc = wspr_why_(why, V23_EWIREERR,
            "Error getting blessing for access token: %.*s",
            wspr_shown_(err->msg), err->msg.p);
    else
        rc = add(c, out, &name, why);
    forget(c);
    c->done(c->ud, rc,
        rc == 0 ? vdl_strn((const char *)name.p, name.n) : vdl_str(""), why);
    v23_buf_fini(&name);
    v23_put(c->al, c);
}

int wspr_accounts_create(struct wspr_accounts *a, struct vdl_str token,
    wspr_account_done_fn *done, void *ud)
{
    struct vrpc_call_opts opts = VRPC_CALL_OPTS_INIT;
    struct creation *c;

    if (a->ncalls == WSPR_CREATE_MAX)
        return V23_ELIMIT;
    c = v23_new(a->al, struct creation);
    if (c == NULL)
        return V23_ENOMEM;
    opts.timeout_ns = 60 * V23_NS_PER_SEC;
    c->al = a->al;
    c->done = done;
    c->ud = ud;
    c->call = v23_identity_oauth_blesser_bless_using_access_token_start(
        a->c, a->identd, &opts, token, blessed, c);
    if (c->call == NULL) {
        v23_put(a->al, c);
        return V23_ENOMEM;
    }
    c->of = a;
    c->prev = &a->calls;
    c->next = a->calls;
    if (c->next != NULL)
        c->next->prev = &c->next;
    a->calls = c;
    a->ncalls++;
    return 0;
}

/* ---- associations -------------------------------------------------------- */

/* The parts of a text between commas; at least one. */
static int split(struct v23_arena *a, struct vdl_str s, vdl_str_list *out)
{
    struct vdl_str *v;
    uint32_t i, n = 1, start = 0;

    for (i = 0; i < s.n; i++)
        n += s.p[i] == ',';
    v = v23_arena_get0(a, n, sizeof(*v), V23_ALIGNOF(struct vdl_str));
    if (v == NULL)
        return V23_ENOMEM;
    for (i = 0, n = 0; i <= s.n; i++)
        if (i == s.n || s.p[i] == ',') {
            v[n++] = vdl_strn(s.p + start, i - start);
            start = i + 1;
        }
    out->v = v;
    out->n = n;
    return 0;
}

struct making {
    struct v23_arena a;
    struct v23_walltime now;
    v23_security_caveat *caveats;
    int64_t *expirations;
    uint32_t ncaveats, nexpirations;
    struct v23_buf cause;
};

static int make_expiry(struct making *m, struct vdl_str args)
{
    const char *text = v23_arena_dup(&m->a, args.p, args.n);
    struct v23_walltime end;
    int64_t ns = 0;
    int rc;

    if (text == NULL)
        return V23_ENOMEM;
    if (strlen(text) != args.n)
        rc = V23_ETEXT;
    else
        rc = v23_duration_parse(text, &ns, &m->cause);
    if (rc != 0)
        return rc;
    end = v23_walltime_add(m->now, ns);
    m->expirations[m->nexpirations++] = end.sec;
    return vsec_caveat_expiry(&m->a, end, &m->caveats[m->ncaveats++]);
}

static int make_caveat(struct making *m, const v23_wspr_account_caveat *c)
{
    vdl_str_list methods;
    int rc;

    if (vdl_str_is(c->type, "ExpiryCaveat"))
        return make_expiry(m, c->args);
    if (!vdl_str_is(c->type, "MethodCaveat")) {
        v23_buf_printf(&m->cause, "caveat %.*s does not exist",
            wspr_shown_(c->type), c->type.p);
        return V23_ETEXT;
    }
    rc = split(&m->a, c->args, &methods);
    if (rc == 0)
        rc = vsec_caveat_method(
            &m->a, methods, &m->caveats[m->ncaveats++]);
    return rc;
}

static int make_all(struct making *m, const v23_wspr_account_caveat *caveats,
    size_t n)
{
    size_t i;
    int rc = 0;

    if (n > VSEC_MAX_CAVEATS)
        return V23_ELIMIT;
    m->caveats = v23_arena_get0(&m->a, n, sizeof(*m->caveats), 16);
    m->expirations = v23_arena_get0(&m->a, n, sizeof(*m->expirations), 16);
    if (m->caveats == NULL || m->expirations == NULL)
        return V23_ENOMEM;
    for (i = 0; rc == 0 && i < n; i++)
        rc = make_caveat(m, &caveats[i]);
    return rc;
}

int wspr_principals_associate(struct wspr_principals *p,
    struct vdl_str origin, struct vdl_str account,
    const v23_wspr_account_caveat *caveats, size_t ncaveats,
    struct v23_walltime now, char why[WSPR_WHY])
{
    const struct v23_alloc *al = wspr_principals_root(p)->engine->al;
    v23_wspr_principal_permissions perm;
    char cause[WSPR_WHY];
    struct making m;
    int rc;

    why[0] = 0;
    memset(&m, 0, sizeof(m));
    v23_arena_init(&m.a, al, 1u << 20);
    v23_buf_init_fixed(&m.cause, cause, sizeof(cause) - 1);
    m.now = now;
    rc = make_all(&m, caveats, ncaveats);
    if (rc != 0) {
        if (m.cause.n == 0)
            v23_buf_puts(&m.cause, v23_strerror(rc));
        cause[m.cause.n] = 0;
        wspr_why_(why, rc, "failed to construct caveats: %.400s", cause);
    } else {
        perm.account = account;
        perm.caveats.v = m.caveats;
        perm.caveats.n = m.ncaveats;
        perm.expirations.v = m.expirations;
        perm.expirations.n = m.nexpirations;
        rc = wspr_principals_add_origin(p, origin, &perm, cause);
        if (rc != 0)
            wspr_why_(why, rc, "failed to associate account: %.400s", cause);
    }
    v23_arena_fini(&m.a);
    return rc;
}

/* BSD-3-Clause; see LICENSE. */
/*
 * Servers of the page (spec/wspr.md 10): who looks up, authorizes, and judges
 * caveats is the page, which is asked and answers later.
 */
#include "wspr_int.h"

#include <string.h>
#include <vsec/check.h>

/* ---- lookup -------------------------------------------------------------- */

static void cancel_lookup(void *ud, struct v23_op op)
{
    struct wspr_ask_ *k = wspr_ask_find_(ud, WSPR_LOOKUP_, op);

    if (k != NULL)
        wspr_ask_free_(k);
}

static int authorize(void *ud, const struct vsec_call *call,
    struct v23_arena *a, const struct vsec_auth_wait *wait,
    const struct v23_verror **err);
static void cancel_authorize(void *ud, struct v23_op op);

static const struct v23_verror *refuse(void *self,
    struct vrpc_server_call *call, const v23_signature_method *m,
    uint64_t nargs)
{
    struct v23_arena *a = vrpc_server_call_arena(call);
    const struct v23_errctx *ctx = vrpc_server_call_errctx(call);
    struct vdl_str name = wspr_lower_first_(a, vrpc_server_call_method(call));

    (void)self;
    if (m == NULL)
        return v23_wspr_server_err_err_method_not_found_in_signature(a, ctx,
            name);
    return v23_wspr_server_err_err_wrong_number_of_args(a, ctx, name, nargs,
        m->in_args.n);
}

/* What the RPC layer gets of an object of the page. */
static void complete(struct wspr_ask_ *k, struct wspr_object_ *o,
    struct vrpc_object *obj, const struct vsec_authorizer **auth)
{
    memset(obj, 0, sizeof(*obj));
    o->server = k->server;
    o->deadline = k->deadline;
    o->dynamic.invoke = wspr_flows_invoke_;
    o->dynamic.item = wspr_flows_client_item_;
    o->dynamic.refuse = refuse;
    obj->self = o;
    obj->dynamic = &o->dynamic;
    if (o->has_globber)
        obj->glob = &wspr_flows_globber_;
    o->auth.authorize = authorize;
    o->auth.cancel = cancel_authorize;
    o->auth.ud = o;
    *auth = o->has_authorizer            ? &o->auth
            : k->c->era->everyone ? &vsec_auth_everyone
                                         : NULL;
}

static int lookup(void *ud, struct v23_op op, struct vdl_str suffix,
    struct v23_arena *a, struct vrpc_object *obj,
    const struct vsec_authorizer **auth, const struct v23_verror **err)
{
    struct wspr_server_ *s = ud;
    struct wspr_ctl *c = s->c;
    struct v23_errctx ctx = wspr_ctl_ctx_(c);
    struct vrpc_server *rs = s->serving->server;
    const struct vrpc_server_call *call = vrpc_server_lookup_call(rs, op);
    struct wspr_object_ *found = NULL;
    struct wspr_ask_ *k;
    int rc;

    if (s->stopped) {
        *err = v23_wspr_server_err_server_stopped(a, &ctx);
        return V23_EWIREERR;
    }
    rc = wspr_ask_new_(c, WSPR_LOOKUP_, s, &k);
    if (rc != 0)
        return rc;
    k->op = op;
    k->a = a;
    k->deadline = vrpc_server_call_deadline(call);
    if (k->deadline == V23_NEVER)
        wspr_ask_limit_(k, vrpc_manager_now(vrpc_server_manager(rs)).mono_ns);
    rc = c->era->lookup(k, suffix,
        wspr_lower_first_(a, vrpc_server_call_method(call)), &found);
    if (rc == 0 && found == NULL)
        return V23_EAGAIN;
    if (rc == 0)
        complete(k, found, obj, auth);
    wspr_ask_free_(k);
    return rc;
}

void wspr_servers_looked_up_(struct wspr_ask_ *k, int rc,
    struct wspr_object_ *o, const struct v23_verror *err)
{
    struct vrpc_server *rs = k->server->serving->server;
    struct v23_errctx ctx = wspr_ctl_ctx_(k->c);
    const struct vsec_authorizer *auth = NULL;
    const struct vrpc_server_call *call;
    struct vdl_str params[2];
    struct vrpc_object obj;
    struct v23_op op = k->op;

    memset(&obj, 0, sizeof(obj));
    if (rc == 0 && err == NULL && o->handle < 0) {
        call = vrpc_server_lookup_call(rs, op);
        params[0] = vdl_str("Dispatcher");
        params[1] = call == NULL ? vdl_str("") : vrpc_server_call_suffix(call);
        err = vrpc_err_params(k->a, &ctx, VRPC_ERR_NO_EXIST, params, 2,
            "does not exist: Dispatcher %.*s", (int)params[1].n, params[1].p);
    }
    if (rc == 0 && err != NULL)
        rc = V23_EWIREERR;
    if (rc == 0)
        complete(k, o, &obj, &auth);
    wspr_ask_free_(k);
    vrpc_server_looked_up(rs, op, rc, &obj, auth, err);
}

/* ---- authorization ------------------------------------------------------- */

static const struct v23_verror *cleaning_up(struct wspr_ctl *c,
    struct v23_arena *a)
{
    struct v23_errctx ctx = wspr_ctl_ctx_(c);

    return vrpc_err_make(a, &ctx, VRPC_ERR_ABORTED, "Cleaning up server");
}

static int authorize(void *ud, const struct vsec_call *call,
    struct v23_arena *a, const struct vsec_auth_wait *wait,
    const struct v23_verror **err)
{
    const struct wspr_object_ *o = ud;
    struct wspr_server_ *s = o->server;
    struct vrpc_server *rs = s->serving->server;
    struct wspr_ctl *c = s->c;
    struct wspr_ask_ *k;
    int rc;

    if (s->stopped || wait == NULL) {
        *err = cleaning_up(c, a);
        return V23_EDENIED;
    }
    rc = wspr_ask_new_(c, WSPR_AUTHORIZE_, s, &k);
    if (rc != 0)
        return rc;
    k->op = wait->op;
    k->wait = *wait;
    k->a = a;
    if (o->deadline == V23_NEVER)
        wspr_ask_limit_(k, vrpc_manager_now(vrpc_server_manager(rs)).mono_ns);
    rc = c->era->authorize(k, o, call);
    if (rc == 0)
        return V23_EAGAIN;
    wspr_ask_free_(k);
    return rc;
}

static void cancel_authorize(void *ud, struct v23_op op)
{
    const struct wspr_object_ *o = ud;
    struct wspr_ask_ *k = wspr_ask_find_(o->server, WSPR_AUTHORIZE_, op);

    if (k != NULL)
        wspr_ask_free_(k);
}

void wspr_servers_authorized_(struct wspr_ask_ *k,
    const struct v23_verror *err)
{
    struct vsec_auth_wait wait = k->wait;

    wspr_ask_free_(k);
    wait.done(wait.ud, wait.op, err == NULL ? 0 : V23_EDENIED, err);
}

/* ---- caveats ------------------------------------------------------------- */

/* NULL, or why one of them does not hold, by the kinds that are known here. */
static int judge(const struct vsec_call *call, v23_security_caveat_list l,
    struct v23_arena *a, const struct v23_verror **err)
{
    struct vsec_call own = *call;
    struct vsec_names names;
    int rc;

    own.hook = NULL;
    memset(&names, 0, sizeof(names));
    rc = vsec_check_caveats_start(&own, l, a, NULL, &names, NULL);
    if (rc == 0 && names.rejected.n > 0)
        *err = names.rejected.v[0].err;
    return rc;
}

static bool is_ours(const struct wspr_ctl *c, const v23_security_caveat *cav)
{
    size_t i;

    if (vsec_caveat_is(cav, &vsec_kind_third_party))
        return true;
    for (i = 0; c->cfg.native_caveats && i < vsec_kinds_standard.n; i++)
        if (vsec_caveat_is(cav, vsec_kinds_standard.v[i]))
            return true;
    return false;
}

/* Judge what is ours of a set; the rest is `left`. */
static int split(const struct wspr_ctl *c, const struct vsec_call *call,
    const v23_security_caveat_list *set, struct v23_arena *a,
    v23_security_caveat_list *left, const struct v23_verror **err)
{
    v23_security_caveat *v;
    v23_security_caveat_list one;
    uint32_t i, n = 0;
    int rc = 0;

    v = v23_arena_get0(a, set->n, sizeof(*v),
        V23_ALIGNOF(v23_security_caveat));
    if (v == NULL)
        return V23_ENOMEM;
    for (i = 0; i < set->n && rc == 0 && *err == NULL; i++) {
        if (!is_ours(c, &set->v[i])) {
            v[n++] = set->v[i];
            continue;
        }
        one.v = &set->v[i];
        one.n = 1;
        rc = judge(call, one, a, err);
    }
    left->v = v;
    left->n = *err == NULL ? n : 0;
    return rc;
}

static int ask_page(struct wspr_server_ *s, struct wspr_ask_ *q,
    const struct vsec_call *call)
{
    struct wspr_ctl *c = s->c;
    struct vrpc_server *rs = s->serving->server;
    struct wspr_ask_ *k;
    int rc = wspr_ask_new_(c, WSPR_CAVEATS_, s, &k);

    if (rc != 0)
        return rc;
    k->op = q->op;
    k->a = q->a;
    k->check = q->check;
    k->sets = q->sets;
    k->errs = q->errs;
    k->nsets = q->nsets;
    k->nleft = q->nleft;
    k->security = call;
    wspr_ask_limit_(k, vrpc_manager_now(vrpc_server_manager(rs)).mono_ns);
    rc = c->era->caveats(k, call);
    if (rc == 0)
        return V23_EAGAIN;
    wspr_ask_free_(k);
    return rc;
}

static int validate(void *ud, struct vsec_check *check, struct v23_op op,
    const struct vsec_call *call, const v23_security_caveat_list *sets,
    size_t n, struct v23_arena *a, const struct v23_verror **errs)
{
    struct wspr_server_ *s = ud;
    v23_security_caveat_list *left;
    struct wspr_ask_ q;
    size_t i;
    int rc = 0;

    memset(&q, 0, sizeof(q));
    left = v23_arena_get0(a, n, sizeof(*left),
        V23_ALIGNOF(v23_security_caveat_list));
    q.errs = v23_arena_get0(a, n, sizeof(*q.errs),
        V23_ALIGNOF(const struct v23_verror *));
    if (left == NULL || q.errs == NULL)
        return V23_ENOMEM;
    for (i = 0; i < n && rc == 0; i++) {
        errs[i] = NULL;
        rc = s->stopped ? judge(call, sets[i], a, &errs[i])
                        : split(s->c, call, &sets[i], a, &left[i], &errs[i]);
        q.errs[i] = errs[i];
        q.nleft += left[i].n > 0;
    }
    if (rc != 0 || q.nleft == 0)
        return rc;
    q.check = check;
    q.op = op;
    q.a = a;
    q.sets = left;
    q.nsets = n;
    return ask_page(s, &q, call);
}

static void cancel_validate(void *ud, struct v23_op op)
{
    struct wspr_ask_ *k = wspr_ask_find_(ud, WSPR_CAVEATS_, op);

    if (k != NULL)
        wspr_ask_free_(k);
}

static void validated(struct wspr_ask_ *k, int rc)
{
    const struct v23_verror **errs = k->errs;
    struct vsec_check *check = k->check;
    struct v23_op op = k->op;
    size_t n = k->nsets;

    wspr_ask_free_(k);
    vsec_check_complete_all(check, op, rc, errs, n);
}

void wspr_servers_not_validated_(struct wspr_ask_ *k,
    const struct v23_verror *err)
{
    size_t i;

    for (i = 0; i < k->nsets; i++)
        if (k->sets[i].n > 0)
            k->errs[i] = err;
    validated(k, 0);
}

void wspr_servers_validated_(struct wspr_ask_ *k,
    const struct v23_verror *const *errs, size_t n)
{
    struct v23_errctx ctx = wspr_ctl_ctx_(k->c);
    size_t i, j = 0;

    if (n != k->nleft) {
        wspr_servers_not_validated_(k,
            v23_wspr_server_err_invalid_validation_response_from_javascript(
                k->a, &ctx));
        return;
    }
    for (i = 0; i < k->nsets; i++)
        if (k->sets[i].n > 0)
            k->errs[i] = errs[j++];
    validated(k, 0);
}

/* The page is not asked any more. */
static void validate_here(struct wspr_ask_ *k)
{
    size_t i;
    int rc = 0;

    for (i = 0; i < k->nsets && rc == 0; i++)
        if (k->sets[i].n > 0)
            rc = judge(k->security, k->sets[i], k->a, &k->errs[i]);
    validated(k, rc);
}

/* ---- life ---------------------------------------------------------------- */

struct wspr_server_ *wspr_servers_find_(const struct wspr_ctl *c, uint32_t id)
{
    struct wspr_server_ *s = c->servers;

    while (s != NULL && (s->id != id || s->stopped))
        s = s->next;
    return s;
}

static void server_free(struct wspr_server_ *s)
{
    struct wspr_ctl *c = s->c;

    *s->link = s->next;
    if (s->next != NULL)
        s->next->link = s->link;
    c->nservers--;
    v23_arena_fini(&s->arena);
    v23_put(c->al, s);
}

static void configure(struct wspr_server_ *s, const struct wspr_serve_ *what)
{
    struct wspr_ctl *c = s->c;
    struct vrpc_server_config *cfg = &s->cfg;

    s->dispatcher.lookup = lookup;
    s->dispatcher.cancel = cancel_lookup;
    s->dispatcher.ud = s;
    s->hook.validate = validate;
    s->hook.cancel = cancel_validate;
    s->hook.ud = s;
    cfg->dispatcher = &s->dispatcher;
    if (c->era->caveats != NULL)
        cfg->caveats = &s->hook;
    cfg->leaf = what->leaf ? VRPC_LEAF_YES : VRPC_LEAF_NO;
    cfg->mount_table = what->mount_table;
    cfg->component = c->cfg.component;
    cfg->name = s->name;
}

/*
 * Those who publish names and take them back need a while for it, and keep
 * them meanwhile. So a name counts for as long as its server lives.
 */
static int keep_name(struct wspr_server_ *s, struct vdl_str name)
{
    size_t size = sizeof(struct wspr_name_) + name.n;
    struct wspr_name_ *n = s->names;

    while (n != NULL && !vdl_str_eq(n->text, name))
        n = n->next;
    if (n != NULL)
        return 0;
    if (size > s->c->cfg.limits.names - s->names_size)
        return V23_ELIMIT;
    n = v23_arena_new(&s->arena, struct wspr_name_);
    if (n == NULL)
        return V23_ENOMEM;
    n->text.p = v23_arena_dup(&s->arena, name.p, name.n);
    if (n->text.p == NULL)
        return V23_ENOMEM;
    n->text.n = name.n;
    n->next = s->names;
    s->names = n;
    s->names_size += size;
    return 0;
}

int wspr_servers_add_name_(struct wspr_server_ *s, struct vdl_str name)
{
    struct wspr_ctl *c = s->c;
    int rc = keep_name(s, name);

    return rc != 0 ? rc : c->cfg.hooks->add_name(c->cfg.ud, s->serving, name);
}

int wspr_servers_new_(struct wspr_ctl *c, const struct wspr_serve_ *what,
    struct wspr_server_ **out)
{
    struct wspr_server_ *s;
    int rc;

    if (wspr_servers_find_(c, what->id) != NULL)
        return V23_EEXIST;
    if (c->nservers >= c->cfg.limits.servers)
        return V23_ELIMIT;
    s = v23_new(c->al, struct wspr_server_);
    if (s == NULL)
        return V23_ENOMEM;
    s->c = c;
    s->id = what->id;
    v23_arena_init_small(&s->arena, c->al, SIZE_MAX, 64);
    s->next = c->servers;
    if (s->next != NULL)
        s->next->link = &s->next;
    s->link = &c->servers;
    c->servers = s;
    c->nservers++;
    rc = keep_name(s, what->name);
    if (rc == 0) {
        s->name = s->names->text;
        configure(s, what);
        rc = wspr_ctl_identity_(c);
    }
    if (rc == 0)
        rc = c->cfg.hooks->serve(c->cfg.ud, &s->cfg, s->name, &s->serving);
    if (rc != 0)
        server_free(s);
    else
        *out = s;
    return rc;
}

/* The page is out of it: whoever waits for an answer gets one of ours. */
static void answer_all(struct wspr_server_ *s)
{
    struct v23_errctx ctx = wspr_ctl_ctx_(s->c);
    struct wspr_ask_ *k;

    while ((k = s->asks) != NULL) {
        if (k->kind == WSPR_LOOKUP_)
            wspr_servers_looked_up_(k, 0, NULL,
                v23_wspr_server_err_server_stopped(k->a, &ctx));
        else if (k->kind == WSPR_AUTHORIZE_)
            wspr_servers_authorized_(k, cleaning_up(s->c, k->a));
        else
            validate_here(k);
    }
    while (s->flows != NULL)
        wspr_flows_stop_(s->flows);
}

static void stopped(void *ud)
{
    struct wspr_server_ *s = ud;
    struct wspr_ctl *c = s->c;
    struct wspr_call_ *call = s->waiting, *next;

    server_free(s);
    for (; call != NULL; call = next) {
        next = call->wait_next;
        wspr_local_done_(call, 0, NULL);
    }
    wspr_ctl_progress_(c);
}

void wspr_servers_stop_(struct wspr_server_ *s, struct wspr_call_ *call)
{
    struct wspr_ctl *c = s->c;

    if (call != NULL) {
        call->wait_next = s->waiting;
        call->waits_for = s;
        s->waiting = call;
    }
    if (s->stopped)
        return;
    s->stopped = true;
    answer_all(s);
    c->cfg.hooks->stop(c->cfg.ud, s->serving, stopped, s);
}

void wspr_servers_close_(struct wspr_ctl *c)
{
    struct wspr_server_ *s, *next;

    for (s = c->servers; s != NULL; s = next) {
        next = s->next;
        wspr_servers_stop_(s, NULL); /* frees this one at most */
    }
}

void wspr_servers_fini_(struct wspr_ctl *c)
{
    while (c->servers != NULL)
        server_free(c->servers);
}

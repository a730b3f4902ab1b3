/* BSD-3-Clause; see LICENSE. */
/*
 * Which proxies to listen through (spec/rpc.md 20.5): resolve their name every
 * second, keep as many as the policy says at work, each with its own delays.
 *
 * A name stands for endpoints, and several of them may be addresses of one
 * proxy, of which some cannot be reached from here. So of one routing id only
 * one is at work, and one that fails makes room for another.
 */
#include "call_int.h"
#include "proxied_int.h"

#include <stdio.h>
#include <string.h>
#include <vom/value.h>
#include <vrpc/name.h>
#include <vsec/principal.h>

#define RESOLVE_EVERY (1 * V23_NS_PER_SEC)
#define RESOLVE_TIMEOUT (30 * V23_NS_PER_SEC)
#define RETRY_FIRST (50 * V23_NS_PER_MS)
#define RETRY_MOST (60 * V23_NS_PER_SEC)
#define GOOD_AFTER (1 * V23_NS_PER_SEC) /* sooner is no better than a failure */
#define PROXIES_MAX 64u /* of one name */
#define ENDPOINTS_MAX 1024u
#define WHY_MAX 256

/* One proxy. */
struct one {
    struct vrpc_request_ request; /* first member */
    struct vrpc_proxied *p;
    struct one *next, **plink;
    struct v23_arena arena;
    struct vdl_str text;     /* its endpoint; in the arena */
    size_t rank;             /* among what the name stands for */
    bool listed;             /* the name still stands for it */
    bool active;             /* we listen through it, or try to */
    unsigned failures;       /* in a row */
    int64_t not_before;      /* the next attempt */
    struct vrpc_timer_ retry;
    int64_t since;           /* of the last answer */
    char why[WHY_MAX];       /* "" = it works */
};

struct vrpc_proxied {
    struct vrpc_manager *m;
    struct vrpc_proxied_config cfg;
    struct v23_arena arena;  /* one resolution */
    struct one *ones;
    struct vrpc_client *asked; /* its resolver's answer is awaited: */
    struct v23_op op;
    struct vrpc_timer_ timer;  /* resolve again */
    struct vrpc_task_ task;    /* tell of changes */
    struct v23_buf errors;
    char why[WHY_MAX];       /* of the name */
    bool stopped;
    char name[1];            /* storage of cfg.name */
};

static void choose(struct vrpc_proxied *p);

static int64_t now_ns(const struct vrpc_proxied *p)
{
    return vrpc_mgr_now_(p->m).mono_ns;
}

static void tell(void *ud)
{
    struct vrpc_proxied *p = ud;

    if (p->cfg.changed != NULL)
        p->cfg.changed(p->cfg.ud);
}

static void changed(struct vrpc_proxied *p)
{
    if (!p->stopped)
        vrpc_mgr_post_(p->m, &p->task);
}

static void set_why(struct vrpc_proxied *p, char why[WHY_MAX],
    struct vdl_str text)
{
    char new[WHY_MAX];

    snprintf(new, sizeof(new), "%.*s", (int)text.n,
        text.n == 0 ? "" : text.p);
    if (strcmp(new, why) == 0)
        return;
    memcpy(why, new, sizeof(new));
    changed(p);
}

/* ---- one proxy ----------------------------------------------------------- */

static void one_free(struct one *o)
{
    struct vrpc_manager *m = o->p->m;

    vrpc_request_fini_(&o->request);
    vrpc_timer_fini_(&m->timers, &o->retry);
    *o->plink = o->next;
    if (o->next != NULL)
        o->next->plink = o->plink;
    v23_arena_fini(&o->arena);
    v23_put(m->al, o);
}

static void request_changed(struct vrpc_request_ *r)
{
    struct one *o = (struct one *)r;

    if (o->since == INT64_MIN) {
        o->since = now_ns(o->p);
        v23_logf(o->p->m->log, V23_LOG_INFO, "listening through %.*s",
            (int)o->text.n, o->text.p);
    }
    set_why(o->p, o->why, vdl_str(""));
    changed(o->p);
}

/* How long to wait after so many failures in a row. */
static int64_t delay_after(unsigned failures)
{
    int64_t delay = RETRY_MOST;

    if (failures < 12)
        delay = (RETRY_FIRST << failures) - RETRY_FIRST;
    return delay < RETRY_MOST ? delay : RETRY_MOST;
}

static void failed(struct one *o, int rc, const char *why)
{
    struct vrpc_proxied *p = o->p;
    int64_t now = now_ns(p);

    v23_logf(p->m->log, V23_LOG_WARN, "proxy %.*s: %s", (int)o->text.n,
        o->text.p, why);
    if (rc == 0 && now - o->since >= GOOD_AFTER)
        o->failures = 0;
    else
        o->failures++;
    o->not_before = now + delay_after(o->failures);
    o->active = false;
    set_why(p, o->why, vdl_str(why));
    changed(p);
    if (o->failures > 0 && p->asked == NULL)
        vrpc_mgr_timer_(p->m, &p->timer, now);
    choose(p);
}

static void request_ended(struct vrpc_request_ *r, int rc, const char *why)
{
    failed((struct one *)r, rc, why);
}

static void try_now(void *ud)
{
    struct one *o = ud;
    struct vrpc_proxied *p = o->p;
    int rc;

    if (!o->listed) { /* the next resolution forgets it */
        o->active = false;
        choose(p);
        return;
    }
    o->since = INT64_MIN;
    rc = vrpc_request_start_(&o->request);
    if (rc != 0)
        failed(o, rc, v23_strerror(rc));
}

/* ---- choosing ------------------------------------------------------------ */

static bool is_idle(const struct one *o)
{
    const struct one *x;

    if (!o->listed || o->active)
        return false;
    for (x = o->p->ones; x != NULL; x = x->next)
        if (x->active && !vrpc_routing_id_is_null(&x->request.ep.rid) &&
            vrpc_routing_id_eq(&x->request.ep.rid, &o->request.ep.rid))
            return false; /* another address of the same proxy */
    return true;
}

/* Of those that failed least, the one that the policy wants. */
static struct one *pick(struct vrpc_proxied *p)
{
    struct one *o, *best = NULL;
    uint32_t n = 0, r;

    for (o = p->ones; o != NULL; o = o->next) {
        if (!is_idle(o) || (best != NULL && o->failures > best->failures))
            continue;
        if (best == NULL || o->failures < best->failures) {
            best = o;
            n = 1;
        } else if (p->cfg.policy == VRPC_PROXY_FIRST) {
            best = o->rank < best->rank ? o : best;
        } else if (vsec_random_fill(p->m->principal->engine, &r,
                       sizeof(r)) == 0 && r % ++n == 0) {
            best = o; /* each with the same chance */
        }
    }
    return best;
}

static size_t wanted(const struct vrpc_proxied *p)
{
    if (p->cfg.policy != VRPC_PROXY_ALL)
        return 1;
    return p->cfg.limit == 0 ? SIZE_MAX : p->cfg.limit;
}

static void choose(struct vrpc_proxied *p)
{
    int64_t now = now_ns(p);
    size_t active = 0;
    struct one *o;

    for (o = p->ones; o != NULL; o = o->next)
        active += o->active;
    for (; active < wanted(p) && (o = pick(p)) != NULL; active++) {
        o->active = true;
        vrpc_mgr_timer_(p->m, &o->retry,
            o->not_before > now ? o->not_before : now);
    }
}

/* ---- resolving ----------------------------------------------------------- */

static struct one *one_new(struct vrpc_proxied *p, struct vdl_str text)
{
    struct vrpc_manager *m = p->m;
    struct one *o = v23_new(m->al, struct one);
    int rc = V23_ENOMEM;

    if (o == NULL)
        return NULL;
    o->p = p;
    v23_arena_init_small(&o->arena, m->al, 1u << 16, 512);
    o->next = p->ones;
    if (o->next != NULL)
        o->next->plink = &o->next;
    o->plink = &p->ones;
    p->ones = o;
    o->request.m = m;
    o->request.kind = p->cfg.kind;
    o->request.changed = request_changed;
    o->request.ended = request_ended;
    o->text.p = v23_arena_dup(&o->arena, text.p, text.n);
    o->text.n = text.n;
    if (o->text.p != NULL)
        rc = vrpc_endpoint_parse(&o->arena, o->text, &o->request.ep, NULL);
    if (rc == 0)
        rc = vrpc_request_init_(&o->request);
    if (rc == 0)
        rc = vrpc_timer_init_(&m->timers, &o->retry, try_now, o);
    if (rc == 0)
        return o;
    one_free(o);
    return NULL;
}

/* A server of the name: ours, if it has no suffix and an endpoint. */
static bool take_server(struct vrpc_proxied *p, struct vdl_str server,
    size_t rank)
{
    struct vdl_str address, suffix, text;
    struct vrpc_endpoint ep;
    struct one *o;

    if (vrpc_name_split(&p->arena, server, &address, &suffix) != 0 ||
        address.n == 0 || suffix.n > 0 ||
        vrpc_endpoint_parse(&p->arena, address, &ep, NULL) != 0 ||
        vrpc_endpoint_text(&p->arena, &ep, &text) != 0)
        return false;
    for (o = p->ones; o != NULL; o = o->next)
        if (vdl_str_eq(o->text, text))
            break;
    if (o == NULL)
        o = one_new(p, text);
    if (o == NULL)
        return false;
    o->listed = true;
    o->rank = rank;
    return true;
}

static bool take_servers(struct vrpc_proxied *p, vdl_str_list servers)
{
    struct vrpc_order_opts opts;
    struct one *o, *next;
    size_t *order, n = 0, i, taken = 0;

    memset(&opts, 0, sizeof(opts));
    opts.protocols = p->cfg.protocols;
    order = v23_arena_get0(&p->arena, servers.n, sizeof(*order),
        V23_ALIGNOF(size_t));
    if (order == NULL || vrpc_order_servers(&p->arena, &opts, servers.v,
                             servers.n, order, &n) != 0)
        return false;
    for (o = p->ones; o != NULL; o = o->next)
        o->listed = false;
    for (i = 0; i < n && taken < PROXIES_MAX; i++)
        taken += take_server(p, servers.v[order[i]], i);
    for (o = p->ones; o != NULL; o = next) {
        next = o->next;
        if (!o->listed && !o->active)
            one_free(o);
    }
    return taken > 0;
}

static void resolved(struct vrpc_proxied *p, int rc, vdl_str_list servers,
    const struct v23_verror *err)
{
    /* What failed to resolve may still work as it is. */
    if (rc == 0 && take_servers(p, servers))
        set_why(p, p->why, vdl_str(""));
    else if (rc == 0)
        set_why(p, p->why, vdl_str("failed to resolve to an endpoint"));
    else
        set_why(p, p->why, err == NULL ? vdl_str(v23_strerror(rc)) : err->msg);
    v23_arena_reset(&p->arena);
    vrpc_mgr_timer_(p->m, &p->timer, now_ns(p) + RESOLVE_EVERY);
    choose(p);
}

void vrpc_proxied_resolved_(struct vrpc_proxied *p, int rc,
    vdl_str_list servers, const struct v23_verror *err)
{
    vdl_str_list copy = { NULL, 0 };

    vrpc_op_end_(&p->asked->m->ops, &p->op);
    p->asked = NULL;
    if (rc == 0)
        rc = vdl_copy(&p->arena, &vdl_str_list_desc, &copy, &servers);
    resolved(p, rc, copy, err);
}

static void resolve(struct vrpc_proxied *p)
{
    struct vrpc_client *c = p->cfg.client != NULL ? p->cfg.client
                                                  : p->m->clients;
    const struct vrpc_resolver *r = c == NULL ? NULL : c->resolver;
    struct vrpc_call_opts opts = VRPC_CALL_OPTS_INIT;
    const struct v23_verror *err = NULL;
    vdl_str_list servers = { NULL, 0 };
    int rc;

    if (p->asked != NULL || p->stopped)
        return;
    if (r == NULL) {
        servers.v = &p->cfg.name;
        servers.n = 1;
        resolved(p, 0, servers, NULL);
        return;
    }
    rc = vrpc_op_new_(&c->m->ops, VRPC_OP_PROXIES, p, &p->op);
    if (rc == 0) {
        p->asked = c;
        if (r->flush != NULL)
            r->flush(r->ud, p->cfg.name);
        rc = r->resolve(r->ud, p->op, p->cfg.name, &opts,
            now_ns(p) + RESOLVE_TIMEOUT, &p->arena, &servers, &err);
        if (rc == V23_EAGAIN)
            return;
        vrpc_op_end_(&c->m->ops, &p->op);
        p->asked = NULL;
    }
    resolved(p, rc, servers, err);
}

static void resolve_again(void *ud)
{
    resolve(ud);
}

/* ---- life ---------------------------------------------------------------- */

int vrpc_proxied_new(struct vrpc_manager *m,
    const struct vrpc_proxied_config *cfg, struct vrpc_proxied **out)
{
    struct vrpc_proxied *p;
    int rc;

    if (vrpc_routing_id_is_null(&m->rid) || cfg->name.n == 0)
        return V23_EARG;
    p = v23_get0(m->al, 1, sizeof(*p) + cfg->name.n);
    if (p == NULL)
        return V23_ENOMEM;
    p->m = m;
    p->cfg = *cfg;
    memcpy(p->name, cfg->name.p, cfg->name.n);
    p->cfg.name.p = p->name;
    p->task.fn = tell;
    p->task.ud = p;
    rc = vrpc_timer_init_(&m->timers, &p->timer, resolve_again, p);
    if (rc != 0) {
        v23_put(m->al, p);
        return rc;
    }
    v23_arena_init(&p->arena, m->al, 1u << 20);
    v23_buf_init(&p->errors, m->al, 1u << 16);
    vrpc_mgr_timer_(m, &p->timer, now_ns(p));
    *out = p;
    return 0;
}

void vrpc_proxied_stop(struct vrpc_proxied *p)
{
    struct v23_op op = p->op;
    struct vrpc_client *c = p->asked;

    p->stopped = true;
    p->asked = NULL;
    if (c != NULL) {
        vrpc_op_end_(&c->m->ops, &p->op);
        if (c->resolver != NULL && c->resolver->cancel != NULL)
            c->resolver->cancel(c->resolver->ud, op);
    }
    vrpc_task_drop_(&p->m->tasks, &p->task);
    vrpc_timer_set_(&p->m->timers, &p->timer, V23_NEVER);
    while (p->ones != NULL)
        one_free(p->ones);
}

void vrpc_proxied_free(struct vrpc_proxied *p)
{
    if (p == NULL)
        return;
    vrpc_proxied_stop(p);
    vrpc_timer_fini_(&p->m->timers, &p->timer);
    v23_arena_fini(&p->arena);
    v23_buf_fini(&p->errors);
    v23_put(p->m->al, p);
}

/* ---- enquiries ----------------------------------------------------------- */

/* The next one that has answered, in the order of their texts. */
static struct one *answered_after(const struct vrpc_proxied *p,
    const struct one *after)
{
    struct one *o, *best = NULL;

    for (o = p->ones; o != NULL; o = o->next)
        if (o->request.answered &&
            (after == NULL || vdl_str_cmp(o->text, after->text) > 0) &&
            (best == NULL || vdl_str_cmp(o->text, best->text) < 0))
            best = o;
    return best;
}

static bool same_way(const struct vrpc_endpoint *x,
    const struct vrpc_endpoint *y)
{
    uint32_t i;

    if (!vrpc_routing_id_eq(&x->rid, &y->rid) ||
        !vdl_str_eq(x->protocol, y->protocol) ||
        !vdl_str_eq(x->address, y->address) || x->routes.n != y->routes.n)
        return false;
    for (i = 0; i < x->routes.n; i++)
        if (!vdl_str_eq(x->routes.v[i], y->routes.v[i]))
            return false;
    return true;
}

static bool has_way(const struct vrpc_endpoint *eps, size_t n,
    const struct vrpc_endpoint *ep)
{
    while (n > 0)
        if (same_way(&eps[--n], ep))
            return true;
    return false;
}

int vrpc_proxied_endpoints(struct vrpc_proxied *p, struct v23_arena *a,
    struct vrpc_endpoint **list, size_t *n)
{
    struct vrpc_manager *m = p->m;
    vdl_str_list names = { NULL, 0 };
    const struct one *o;
    struct vrpc_endpoint *eps;
    size_t max = 0, i, k = 0;
    int rc;

    rc = vsec_principal_names(m->principal,
        vsec_store_default(m->principal->store), vrpc_mgr_now_(m).wall, a,
        &names);
    for (o = p->ones; o != NULL; o = o->next)
        max += o->request.neps;
    if (max > ENDPOINTS_MAX)
        max = ENDPOINTS_MAX;
    eps = v23_arena_get0(a, max, sizeof(*eps),
        V23_ALIGNOF(struct vrpc_endpoint));
    if (eps == NULL)
        return V23_ENOMEM;
    for (o = NULL; rc == 0 && (o = answered_after(p, o)) != NULL;)
        for (i = 0; i < o->request.neps && rc == 0 && k < max; i++) {
            if (has_way(eps, k, &o->request.eps[i]))
                continue; /* proxies may be reached through each other */
            rc = vrpc_endpoint_copy(a, &eps[k], &o->request.eps[i]);
            eps[k].blessings = names;
            eps[k++].mount_table = m->server != NULL &&
                                   vrpc_server_is_mount_table(m->server);
        }
    if (rc != 0)
        return rc;
    *list = eps;
    *n = k;
    return 0;
}

const char *vrpc_proxied_errors(struct vrpc_proxied *p)
{
    const struct one *o;

    v23_buf_cut(&p->errors, 0);
    if (p->why[0] != 0)
        v23_buf_printf(&p->errors, "%s: %s\n", p->name, p->why);
    for (o = p->ones; o != NULL; o = o->next)
        if (o->why[0] != 0)
            v23_buf_printf(&p->errors, "%.*s: %s\n", (int)o->text.n,
                o->text.p, o->why);
    return v23_buf_cstr(&p->errors);
}

size_t vrpc_proxied_active(const struct vrpc_proxied *p)
{
    const struct one *o;
    size_t n = 0;

    for (o = p->ones; o != NULL; o = o->next)
        n += o->request.answered;
    return n;
}

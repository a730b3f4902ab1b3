/* BSD-3-Clause; see LICENSE. */
/*
 * A program's end of a connection to an agent (spec 15.2): it keeps a copy of
 * the agent's default blessings, peer map and roots, and fetches them again
 * after every FlushAllCaches, so that look-ups never wait. The public key is
 * fetched once.
 */
#include "agent_int.h"

#include "store_int.h"

/* ---- blessings ----------------------------------------------------------- */

int vsec_agent_blessings_(struct vsec_agent_client *cl,
    const v23_security_wire_blessings *w, const struct vsec_pubkey *key,
    struct vsec_blessings **out)
{
    int rc = vsec_blessings_from_wire(cl->engine, cl->cache, w, out);

    if (rc == 0 && *out != NULL && !vsec_pubkey_eq((*out)->key, key)) {
        vsec_blessings_unref(*out);
        *out = NULL;
        rc = V23_EKEYMISMATCH;
    }
    return rc;
}

/* ---- fetching the state -------------------------------------------------- */

static void fetch(struct vsec_agent_client *cl);

static void drop_fetched(struct vsec_agent_client *cl)
{
    vsec_store_state_fini_(cl->engine->al, &cl->fetch.store);
    vsec_roots_state_fini_(cl->engine->al, &cl->fetch.roots);
}

/* Make what was fetched the visible state. */
static void swap(struct vsec_agent_client *cl)
{
    struct vsec_store_state store;
    struct vsec_roots_state roots;

    if (cl->store != NULL) {
        store = cl->store->state;
        if (!vsec_blessings_eq(store.def, cl->fetch.store.def))
            cl->changed = true;
        cl->store->state = cl->fetch.store;
        cl->fetch.store = store;
    }
    if (cl->roots != NULL) {
        roots = cl->roots->state;
        cl->roots->state = cl->fetch.roots;
        cl->fetch.roots = roots;
    }
    drop_fetched(cl);
}

/* The first fetch makes the principal. */
static void end_fetch(struct vsec_agent_client *cl)
{
    bool first = cl->principal == NULL;
    int rc = cl->fetch.rc;

    if (rc == 0 && first && cl->rc == 0)
        rc = cl->rc = vsec_agent_principal_new_(cl);
    if (rc == 0) {
        swap(cl);
        cl->changed = cl->changed && !first;
    } else {
        drop_fetched(cl);
        if (first && cl->rc == 0)
            cl->rc = rc;
        else if (rc != V23_ECLOSED)
            v23_logf(cl->cfg.log, V23_LOG_ERROR, "state of the agent: %s",
                v23_strerror(rc));
    }
    if (cl->fetch.again && cl->rc == 0 && cl->conn->status == 0)
        fetch(cl);
    else
        cl->fetched = true;
}

static void answered(struct vsec_agent_client *cl, int rc)
{
    if (cl->fetch.rc == 0)
        cl->fetch.rc = rc;
    if (--cl->fetch.waits == 0)
        end_fetch(cl);
}

static void got_default(struct vsec_agent_call_ *call)
{
    struct vsec_agent_client *cl = call->then.ud;
    const v23_agent_blessings *r = call->results;
    int rc = call->rc;

    if (rc == 0)
        rc = vsec_agent_blessings_(cl, &r->blessings, cl->key,
            &cl->fetch.store.def);
    answered(cl, rc);
}

static int put_peers(struct vsec_agent_client *cl, const v23_agent_peers *r)
{
    struct vsec_blessings *b, *old;
    uint32_t i;
    int rc = 0;

    for (i = 0; rc == 0 && i < r->peers.n; i++) {
        rc = vsec_agent_blessings_(cl, &r->peers.v[i].val, cl->key, &b);
        if (rc != 0)
            break;
        rc = vsec_store_put_(cl->engine->al, &cl->fetch.store, b,
            r->peers.v[i].key, &old);
        vsec_blessings_unref(old);
        vsec_blessings_unref(b);
    }
    return rc;
}

static void got_peers(struct vsec_agent_call_ *call)
{
    struct vsec_agent_client *cl = call->then.ud;

    answered(cl, call->rc != 0 ? call->rc : put_peers(cl, call->results));
}

static void got_roots(struct vsec_agent_call_ *call)
{
    struct vsec_agent_client *cl = call->then.ud;
    const v23_agent_roots *r = call->results;
    uint32_t i, k;
    int rc = call->rc;

    for (i = 0; rc == 0 && i < r->roots.n; i++)
        for (k = 0; rc == 0 && k < r->roots.v[i].val.n; k++)
            rc = vsec_roots_put_(cl->engine->al, &cl->fetch.roots,
                r->roots.v[i].val.v[k], r->roots.v[i].key);
    answered(cl, rc);
}

/* Answers may come in any order. */
static void ask_for(struct vsec_agent_client *cl,
    enum vsec_agent_method_no_ m,
    void (*done)(struct vsec_agent_call_ *call))
{
    const struct vsec_agent_then_ then = { done, cl, true };
    int rc = vsec_agent_start_(cl->conn, m, NULL, &then, NULL);

    if (rc != 0)
        answered(cl, rc);
}

static void fetch(struct vsec_agent_client *cl)
{
    if (cl->fetch.waits > 0) {
        cl->fetch.again = true;
        return;
    }
    cl->fetch.again = false;
    cl->fetch.rc = 0;
    cl->fetch.waits = 3;
    ask_for(cl, VSEC_AGENT_STORE_DEFAULT_, got_default);
    ask_for(cl, VSEC_AGENT_STORE_PEERS_, got_peers);
    ask_for(cl, VSEC_AGENT_ROOTS_DUMP_, got_roots);
}

/* What comes later must be bound to the key. */
static void got_key(struct vsec_agent_call_ *call)
{
    struct vsec_agent_client *cl = call->then.ud;
    const v23_agent_bytes *r = call->results;

    cl->rc = call->rc;
    if (cl->rc == 0)
        cl->rc = vsec_pubkey_parse(cl->engine, r->bytes, &cl->key);
    cl->fetch.waits = 0;
    if (cl->rc == 0)
        fetch(cl);
    else
        cl->fetched = true;
}

/* ---- asking -------------------------------------------------------------- */

static int failed(struct vsec_agent_client *cl,
    enum vsec_agent_method_no_ m, int rc)
{
    if (rc == V23_EWIREERR)
        v23_logf(cl->cfg.log, V23_LOG_ERROR, "agent, %.*s: %s",
            (int)vsec_agent_methods_[m].name.n, vsec_agent_methods_[m].name.p,
            cl->conn->error);
    return rc;
}

int vsec_agent_client_ask_(struct vsec_agent_client *cl,
    enum vsec_agent_method_no_ m, const void *args,
    struct vsec_agent_call_ **out)
{
    if (cl->conn == NULL)
        return V23_ECLOSED;
    return failed(cl, m, vsec_agent_ask_(cl->conn, m, args, out));
}

int vsec_agent_client_tell_(struct vsec_agent_client *cl,
    enum vsec_agent_method_no_ m, const void *args)
{
    if (cl->conn == NULL)
        return V23_ECLOSED;
    return vsec_agent_start_(cl->conn, m, args, NULL, NULL);
}

static void settle(void *ud)
{
    struct vsec_agent_client *cl = ud;

    v23_ref(&cl->ref); /* who is told may free it */
    if (cl->changed) {
        cl->changed = false;
        if (cl->store != NULL)
            vsec_store_changed_(cl->store);
    }
    if (!cl->told && (cl->rc != 0 || cl->principal != NULL)) {
        cl->told = true;
        if (cl->cfg.ready != NULL)
            cl->cfg.ready(cl->cfg.io.ud, cl->rc);
    }
    v23_unref(&cl->ref);
}

int vsec_agent_client_change_(struct vsec_agent_client *cl,
    enum vsec_agent_method_no_ m, const void *args,
    struct vsec_agent_call_ **out)
{
    int rc = vsec_agent_client_ask_(cl, m, args, out);

    if (rc != 0)
        return rc;
    /* What is under way may be older than the change; it is dropped. */
    cl->fetched = false;
    fetch(cl);
    /* The change was made even if its effect cannot be seen yet. */
    if (vsec_agent_block_(cl->conn, &cl->fetched) == 0)
        settle(cl);
    return 0;
}

/* ---- calls of the agent -------------------------------------------------- */

static void request(void *ud, struct vsec_agent_call_ *call)
{
    vsec_agent_answer_(call, NULL);
    fetch(ud); /* FlushAllCaches is the only method */
}

/* ---- objects ------------------------------------------------------------- */

static void destroy(struct v23_ref *ref)
{
    struct vsec_agent_client *cl = (struct vsec_agent_client *)(void *)ref;
    struct vsec_engine *e = cl->engine;

    drop_fetched(cl);
    vsec_chain_cache_free(cl->cache);
    vsec_pubkey_unref(cl->key);
    v23_put(e->al, cl);
    vsec_engine_unref(e);
}

void vsec_agent_client_unref_(struct vsec_agent_client *cl)
{
    v23_unref(&cl->ref);
}

int vsec_agent_client_new(const struct vsec_agent_client_config *cfg,
    struct vsec_agent_client **out)
{
    struct vsec_agent_client *cl = v23_new(cfg->engine->al,
        struct vsec_agent_client);
    const struct vsec_agent_then_ then = { got_key, cl, true };
    struct vsec_agent_end_ end;
    int rc;

    if (cl == NULL)
        return V23_ENOMEM;
    cl->ref.n = 1;
    cl->ref.destroy = destroy;
    cl->engine = vsec_engine_ref(cfg->engine);
    cl->cfg = *cfg;
    memset(&end, 0, sizeof(end));
    end.first = VSEC_AGENT_FLUSH_;
    end.last = VSEC_AGENT_ALL_METHODS_;
    end.request = request;
    end.settle = settle;
    end.block = cfg->block;
    end.name = "";
    end.ud = cl;
    rc = vsec_chain_cache_new(cl->engine, 0, &cl->cache);
    if (rc == 0)
        rc = vsec_agent_conn_new_(cl->engine->al, cfg->limits, &cfg->io, &end,
            &cl->conn);
    cl->fetch.waits = 1; /* nothing is fetched before the key is there */
    if (rc == 0)
        rc = vsec_agent_start_(cl->conn, VSEC_AGENT_PUBLIC_KEY_, NULL, &then,
            NULL);
    if (rc == 0 && cl->conn->status != 0)
        rc = cl->conn->status;
    if (rc == 0) {
        *out = cl;
        return 0;
    }
    cl->told = true;
    if (cl->conn != NULL)
        vsec_agent_conn_free_(cl->conn);
    v23_unref(&cl->ref);
    return rc;
}

void vsec_agent_client_free(struct vsec_agent_client *cl)
{
    struct vsec_agent_conn *c;

    if (cl == NULL)
        return;
    cl->told = true;
    cl->changed = false;
    c = cl->conn;
    vsec_agent_conn_free_(c);
    cl->conn = NULL;
    vsec_principal_unref(cl->principal);
    cl->principal = NULL;
    v23_unref(&cl->ref);
}

struct vsec_agent_conn *vsec_agent_client_conn(struct vsec_agent_client *cl)
{
    return cl->conn;
}

int vsec_agent_client_wait(struct vsec_agent_client *cl)
{
    int rc = 0;

    if (cl->principal == NULL && cl->rc == 0)
        rc = vsec_agent_block_(cl->conn, &cl->fetched);
    if (cl->rc != 0)
        return cl->rc == V23_ECLOSED && cl->conn->status != 0
                   ? cl->conn->status
                   : cl->rc;
    return rc;
}

struct vsec_principal *vsec_agent_client_principal(
    struct vsec_agent_client *cl)
{
    return cl->principal;
}

const char *vsec_agent_client_error(const struct vsec_agent_client *cl)
{
    return cl->conn->error;
}

/* ---- key manager --------------------------------------------------------- */

int vsec_agent_key_new(struct vsec_agent_client *cl, bool in_memory,
    uint8_t handle[VSEC_AGENT_HANDLE])
{
    struct vsec_agent_call_ *call;
    const v23_agent_new_args args = { in_memory };
    int rc = vsec_agent_client_ask_(cl, VSEC_AGENT_KEY_NEW_, &args, &call);

    if (rc != 0)
        return rc;
    memcpy(handle, ((const v23_agent_key_args *)call->results)->handle.v,
        VSEC_AGENT_HANDLE);
    vsec_agent_call_free_(call);
    return 0;
}

int vsec_agent_key_serve(struct vsec_agent_client *cl,
    const uint8_t handle[VSEC_AGENT_HANDLE], const char *path)
{
    v23_agent_serve_args args;

    memcpy(args.handle.v, handle, VSEC_AGENT_HANDLE);
    args.path = vdl_str(path);
    return vsec_agent_client_ask_(cl, VSEC_AGENT_KEY_SERVE_, &args, NULL);
}

static int key_op(struct vsec_agent_client *cl,
    enum vsec_agent_method_no_ m, const uint8_t handle[VSEC_AGENT_HANDLE])
{
    v23_agent_key_args args;

    memcpy(args.handle.v, handle, VSEC_AGENT_HANDLE);
    return vsec_agent_client_ask_(cl, m, &args, NULL);
}

int vsec_agent_key_stop(struct vsec_agent_client *cl,
    const uint8_t handle[VSEC_AGENT_HANDLE])
{
    return key_op(cl, VSEC_AGENT_KEY_STOP_, handle);
}

int vsec_agent_key_delete(struct vsec_agent_client *cl,
    const uint8_t handle[VSEC_AGENT_HANDLE])
{
    return key_op(cl, VSEC_AGENT_KEY_DELETE_, handle);
}

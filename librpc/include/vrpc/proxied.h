/* BSD-3-Clause; see LICENSE. */
/**
 * Being reached through proxies: a server, or another proxy, keeps a
 * connection to each of some proxies, which pass on to it who asks for its
 * routing id. Source: spec/rpc.md 15.2, 20.5.
 *
 * No I/O and no thread: everything runs on the manager's timers. The proxies
 * are what a name stands for; it is resolved again every second and after each
 * failure. A proxy that fails for the k-th time in a row is tried again after
 * 50 ms times 2^k less 50 ms, at most 1 min; one that ends a good connection at
 * once. One that failed more often than another makes room for it. A proxy that
 * the name no longer stands for is given up when its connection ends.
 */
#ifndef VRPC_PROXIED_H
#define VRPC_PROXIED_H

#include <vrpc/endpoint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vrpc_client;
struct vrpc_manager;
struct vrpc_proxied;

enum vrpc_proxied_kind {
    /* Each flow that the proxy opens carries a connection to the manager's
     * server. */
    VRPC_PROXIED_SERVER,
    /* We are a proxy ourselves: such flows are the manager's, like those of
     * any connection. */
    VRPC_PROXIED_PROXY
};

/* Which of several proxies to use. */
enum vrpc_proxy_policy {
    VRPC_PROXY_FIRST,  /* the first one */
    VRPC_PROXY_RANDOM, /* any one */
    VRPC_PROXY_ALL     /* as many as the limit allows */
};

struct vrpc_proxied_config {
    enum vrpc_proxied_kind kind;
    struct vdl_str name; /* of the proxies, without suffix; copied */
    enum vrpc_proxy_policy policy;
    uint32_t limit;      /* of VRPC_PROXY_ALL; 0 = all */
    /* Whose resolver knows the name; of the same thread, outlives the object.
     * NULL = the manager's own client, if it has one. Without a resolver the
     * name must be rooted. */
    struct vrpc_client *client;
    vdl_str_list protocols; /* preferred ones (19.3); borrowed */
    /* Endpoints or errors have changed. May be NULL. Not called from inside a
     * function of this header. */
    void (*changed)(void *ud);
    void *ud;
};

/**
 * Begin to listen through proxies.
 *
 * @param m    has a routing id; outlives the object. Of kind SERVER only while
 *             it has a server that is ready are connections taken.
 * @return 0; V23_EARG (null routing id, empty name); V23_ENOMEM
 */
V23_MUST_USE int vrpc_proxied_new(struct vrpc_manager *m,
    const struct vrpc_proxied_config *cfg, struct vrpc_proxied **out);
/**
 * Ask the proxies for nothing more: close the request flows, and do not come
 * back. Connections that came through them go on. `changed` is not called
 * again; there are no endpoints afterwards. Harmless when repeated.
 */
void vrpc_proxied_stop(struct vrpc_proxied *p);
/** Stop and free; NULL is ignored. Not from inside `changed`. */
void vrpc_proxied_free(struct vrpc_proxied *p);
/**
 * Append the endpoints under which the proxies make us known, with the names
 * of our default blessings and the mount-table bit of our server.
 *
 * @param a     holds the endpoints' parts
 * @param list  array in the arena; its order is stable
 * @return 0 or V23_ENOMEM
 */
V23_MUST_USE int vrpc_proxied_endpoints(struct vrpc_proxied *p,
    struct v23_arena *a, struct vrpc_endpoint **list, size_t *n);
/**
 * Why the name or proxies fail at present, one a line: the name or the proxy's
 * endpoint, ": ", the error. "" = nothing fails. Valid until the next call.
 */
const char *vrpc_proxied_errors(struct vrpc_proxied *p);
/** Proxies that we are listening through at present. */
size_t vrpc_proxied_active(const struct vrpc_proxied *p);

#ifdef __cplusplus
}
#endif
#endif

/* BSD-3-Clause; see LICENSE. */
/*
 * The end of a process: signals, requests to stop, and the parent process that
 * may ask for it.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include <v23/time.h>
#include <v23/vdl/v.io/x/ref/services/device/device.rpc.h>
#include <vrpc/endpoint.h>
#include <vrpc/exec.h>
#include <vrpc/verror.h>
#include <vsec/authorizer.h>

#include "runtime_int.h"

#define CALL_TIMEOUT (60 * V23_NS_PER_SEC)

/* ---- signals and requests ------------------------------------------------ */

static void happened(struct vrpc_runtime *rt, int signo)
{
    struct vrpc_runtime_private *p = rt->p;
    struct v23_now now;

    vrpc_ev_now(rt->ev, &now);
    if (p->life.fn == NULL)
        _exit(1);
    if (p->life.last >= 0) {
        if (signo == p->life.last && p->life.same_ns != 0
            && now.mono_ns - p->life.at <= p->life.same_ns)
            return;
        _exit(1);
    }
    p->life.last = signo;
    p->life.at = now.mono_ns;
    p->life.fn(p->life.ud, signo);
}

static void signal_fired(evutil_socket_t signo, short what, void *ud)
{
    (void)what;
    happened(ud, (int)signo);
}

static void stop_fired(evutil_socket_t fd, short what, void *ud)
{
    (void)fd;
    (void)what;
    happened(ud, VRPC_STOP);
}

int vrpc_runtime_on_signal(struct vrpc_runtime *rt,
    void (*fn)(void *ud, int signo), void *ud)
{
    static const int numbers[2] = { SIGINT, SIGTERM };
    struct event **e = rt->p->life.signals;
    size_t i;

    rt->p->life.fn = fn;
    rt->p->life.ud = ud;
    for (i = 0; i < 2; i++) {
        if (e[i] != NULL)
            continue;
        e[i] = evsignal_new(rt->base, numbers[i], signal_fired, rt);
        if (e[i] == NULL || event_add(e[i], NULL) != 0)
            return V23_ENOMEM;
    }
    return 0;
}

void vrpc_runtime_same_signal(struct vrpc_runtime *rt, int64_t within_ns)
{
    rt->p->life.same_ns = within_ns;
}

void vrpc_runtime_request_stop(struct vrpc_runtime *rt)
{
    event_active(rt->p->life.stop, 0, 0);
}

struct vrpc_appcycle *vrpc_runtime_appcycle(const struct vrpc_runtime *rt)
{
    return rt->p->life.appcycle;
}

/* ---- AppCycle ------------------------------------------------------------ */

static void on_stop(void *ud)
{
    vrpc_runtime_request_stop(ud);
}

static void on_force_stop(void *ud)
{
    (void)ud;
    _exit(1);
}

int vrpc_runtime_life_(struct vrpc_runtime *rt)
{
    struct vrpc_appcycle_config cfg;

    memset(&cfg, 0, sizeof(cfg));
    cfg.stop = on_stop;
    cfg.force_stop = on_force_stop;
    cfg.ud = rt;
    rt->p->life.last = -1;
    rt->p->life.stop = event_new(rt->base, -1, 0, stop_fired, rt);
    return rt->p->life.stop == NULL ? V23_ENOMEM
        : vrpc_appcycle_new(&cfg, &rt->p->life.appcycle);
}

void vrpc_runtime_life_fini_(struct vrpc_runtime *rt)
{
    struct vrpc_runtime_private *p = rt->p;
    size_t i;

    if (p == NULL)
        return;
    if (p->life.appcycle != NULL)
        vrpc_appcycle_end(p->life.appcycle);
    if (p->life.node != NULL) {
        vrpc_ev_node_flush(p->life.node);
        vrpc_ev_node_free(p->life.node);
    }
    vrpc_appcycle_free(p->life.appcycle);
    if (p->life.stop != NULL)
        event_free(p->life.stop);
    for (i = 0; i < 2; i++)
        if (p->life.signals[i] != NULL)
            event_free(p->life.signals[i]);
}

/* ---- being managed ------------------------------------------------------- */

static void managed(struct vrpc_runtime *rt, const struct v23_verror *err)
{
    rt->p->life.managed(rt->p->life.managed_ud, err);
}

static void parent_told(void *ud, const struct v23_verror *err)
{
    managed(ud, err);
}

/* Set our name in the parent's Config object. */
static int tell_parent(struct vrpc_runtime *rt, const char *parent)
{
    struct vrpc_call_opts opts = VRPC_CALL_OPTS_INIT;
    const struct vrpc_endpoint *eps;
    struct vrpc_call *call;
    struct v23_buf name;
    size_t n;
    int rc = vrpc_ev_endpoints(rt->p->life.node, &eps, &n);

    if (rc != 0)
        return rc;
    v23_buf_init(&name, NULL, SIZE_MAX);
    vrpc_endpoint_name(&eps[0], &name);
    opts.timeout_ns = CALL_TIMEOUT;
    call = name.err != 0 ? NULL
        : v23_device_config_set_start(rt->client, parent, &opts,
              vdl_str(V23_EXEC_APP_CYCLE_MANAGER_NAME),
              vdl_strn((const char *)name.p, name.n), parent_told, rt);
    v23_buf_fini(&name);
    return call == NULL ? V23_ENOMEM : 0;
}

static int serve(struct vrpc_runtime *rt, const struct vrpc_exec_config *c,
    const char *pattern)
{
    const char *protocol = vrpc_exec_config_get(c, V23_EXEC_CHILD_PROTOCOL);
    const char *address = vrpc_exec_config_get(c, V23_EXEC_CHILD_ADDRESS);
    struct vrpc_server_config cfg;
    struct vrpc_listen_addr addr;
    int rc;

    if (protocol == NULL || address == NULL)
        return V23_EARG;
    rt->p->life.pattern.pattern = vdl_str(pattern);
    rt->p->life.auth = vsec_auth_pattern(&rt->p->life.pattern);
    memset(&cfg, 0, sizeof(cfg));
    cfg.object = vrpc_appcycle_object(rt->p->life.appcycle);
    cfg.authorizer = &rt->p->life.auth;
    rc = vrpc_runtime_node_(rt, &cfg, NULL, &rt->p->life.node);
    if (rc != 0)
        return rc;
    addr.protocol = vdl_str(protocol);
    addr.address = vdl_str(address);
    return vrpc_runtime_listen_(rt, rt->p->life.node, &addr, 1);
}

static void nothing_to_do(void *ud)
{
    managed(ud, NULL);
}

static void cannot(void *ud)
{
    struct vrpc_runtime *rt = ud;
    struct v23_arena a;

    v23_arena_init(&a, NULL, SIZE_MAX);
    managed(rt, vrpc_err_make(&a, NULL, VRPC_ERR_BAD_ARG,
        "cannot serve AppCycle: %s", rt->why[0] != 0
            ? rt->why : v23_strerror(rt->p->life.failed)));
    v23_arena_fini(&a);
}

int vrpc_runtime_managed(struct vrpc_runtime *rt,
    const struct vrpc_exec_config *cfg,
    void (*done)(void *ud, const struct v23_verror *err), void *ud)
{
    const char *parent = vrpc_exec_config_get(cfg, V23_EXEC_PARENT_NAME);
    const char *pattern = vrpc_exec_config_get(cfg,
        V23_EXEC_PARENT_PEER_PATTERN);
    int rc;

    rt->p->life.managed = done;
    rt->p->life.managed_ud = ud;
    if (parent == NULL || pattern == NULL)
        return vrpc_runtime_after(rt, 0, nothing_to_do, rt);
    rc = serve(rt, cfg, pattern);
    if (rc == V23_EARG)
        snprintf(rt->why, sizeof(rt->why), "%s or %s is not there",
            V23_EXEC_CHILD_PROTOCOL, V23_EXEC_CHILD_ADDRESS);
    if (rc == 0)
        rc = tell_parent(rt, parent);
    rt->p->life.failed = rc;
    return rc == 0 ? 0 : vrpc_runtime_after(rt, 0, cannot, rt);
}

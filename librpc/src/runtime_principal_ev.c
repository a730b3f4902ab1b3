/* BSD-3-Clause; see LICENSE. */
/*
 * Who a program is: its credentials, which others may change, or its agent.
 */
#include <vrpc/runtime.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/event.h>

#include <v23/time.h>
#include <vrpc/agent.h>
#include <vsec/credentials.h>

#include "ev_int.h"
#include "runtime_int.h"

/* ---- principal ----------------------------------------------------------- */

static void agent_lost(void *ud, int rc)
{
    const struct vrpc_runtime *rt = ud;

    v23_logf(&rt->log, V23_LOG_ERROR, "the agent is gone: %s",
        v23_strerror(rc));
}

static int use_agent(struct vrpc_runtime *rt, const char *path)
{
    struct vrpc_agent_options opt;
    char why[VRPC_AGENT_WHY];
    int rc;

    memset(&opt, 0, sizeof(opt));
    opt.engine = rt->p->engine;
    opt.path = path;
    opt.base = rt->base;
    opt.log = &rt->log;
    opt.lost = agent_lost;
    opt.ud = rt;
    rc = vrpc_agent_connect(&opt, &rt->p->agent, why);
    if (rc == 0)
        rt->principal = vsec_principal_ref(vrpc_agent_principal(rt->p->agent));
    else
        snprintf(rt->why, sizeof(rt->why), "%s", why);
    return rc;
}

static int load_principal(struct vrpc_runtime *rt)
{
    const char *path = getenv("V23_AGENT_PATH");
    struct vsec_cred_opts opt;
    char dir[4096], why[VSEC_CRED_WHY] = "";
    int rc;

    if (rt->flags->principal != NULL) {
        rt->principal = vsec_principal_ref(rt->flags->principal);
        return 0;
    }
    memset(&opt, 0, sizeof(opt));
    opt.engine = rt->p->engine;
    opt.readonly_fs = vsec_cred_env_readonly_fs();
    opt.writable = (rt->flags->groups & VRPC_FLAGS_WRITABLE) != 0
        && !opt.readonly_fs;
    opt.public_key_only_ok = true;
    opt.log = &rt->log;
    if (rt->flags->credentials.n == 0 && path != NULL && *path != 0)
        return use_agent(rt, path);
    if (rt->flags->credentials.n >= sizeof(dir)) {
        snprintf(rt->why, sizeof(rt->why), "credentials path is too long");
        return V23_EARG;
    }
    if (rt->flags->credentials.n != 0)
        memcpy(dir, rt->flags->credentials.p, rt->flags->credentials.n);
    dir[rt->flags->credentials.n] = 0;
    rc = vsec_cred_runtime(dir, &opt, &rt->principal, why);
    if (rc != 0 && opt.writable) {
        opt.writable = false;
        rc = vsec_cred_runtime(dir, &opt, &rt->principal, why);
    }
    if (rc != 0)
        snprintf(rt->why, sizeof(rt->why),
            "failed to initialize credentials, perhaps you need to create "
            "them with 'principal create %.200s': %.200s",
            dir[0] != 0 ? dir : "DIR", why[0] != 0 ? why : v23_strerror(rc));
    return rc;
}

/* ---- credentials that others change -------------------------------------- */

static void arm_reload(struct vrpc_runtime *rt)
{
    struct timeval tv;

    tv.tv_sec = (time_t)(rt->p->reload_ns / V23_NS_PER_SEC);
    tv.tv_usec = (suseconds_t)(rt->p->reload_ns % V23_NS_PER_SEC / 1000);
    (void)event_add(rt->p->reload, &tv);
}

/* A reload that fails keeps what is known; the next one may succeed. */
void vrpc_runtime_reload_(struct vrpc_runtime *rt)
{
    char why[VSEC_CRED_WHY];

    if (rt->p->reload == NULL)
        return;
    if (vsec_cred_reload(rt->principal, why) != 0)
        v23_logf(&rt->log, V23_LOG_ERROR, "failed to reload principal: %s",
            why);
    arm_reload(rt);
}

static void reload(evutil_socket_t signo, short what, void *ud)
{
    struct vrpc_runtime *rt = ud;
    const struct vrpc_ev_node *n;

    (void)signo;
    if ((what & EV_SIGNAL) != 0) {
        v23_logf(&rt->log, V23_LOG_INFO, "Received signal hangup");
        for (n = rt->ev->nodes; n != NULL; n = n->next)
            vrpc_ev_loops_reload_(n->loops);
    }
    vrpc_runtime_reload_(rt);
}

/* Credentials of files are read again after a while and at SIGHUP, which in
 * any case does not end the program: it may have been started as a daemon. */
static int watch_credentials(struct vrpc_runtime *rt, bool first)
{
    if (first) {
        rt->p->hangup = evsignal_new(rt->base, SIGHUP, reload, rt);
        if (rt->p->hangup == NULL || event_add(rt->p->hangup, NULL) != 0)
            return V23_ENOMEM;
    }
    if (rt->flags->credentials.n == 0)
        return 0;
    rt->p->reload = evtimer_new(rt->base, reload, rt);
    if (rt->p->reload == NULL)
        return V23_ENOMEM;
    rt->p->reload_ns = vsec_cred_env_reload_ns(&rt->log);
    arm_reload(rt);
    return 0;
}

int vrpc_runtime_principal_(struct vrpc_runtime *rt, bool first)
{
    int rc = load_principal(rt);

    return rc != 0 ? rc : watch_credentials(rt, first);
}

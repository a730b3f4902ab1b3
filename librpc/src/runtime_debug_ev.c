/* BSD-3-Clause; see LICENSE. */
/*
 * What a program says of itself: its log, to standard error and to where it is
 * read below __debug, and __debug itself.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <vsec/crypto.h>
#include <vsec/principal.h>

#include "runtime_int.h"

#define RING_BYTES (64u << 10)
#define MAX_TEXT (1u << 20)

/* ---- log ----------------------------------------------------------------- */

static void write_log(void *ud, enum v23_log_level level, const char *text)
{
    const struct vrpc_runtime *rt = ud;
    const struct vrpc_runtime_private *p = rt->p;
    struct timespec ts;
    struct v23_buf line;
    char room[2048];
    struct tm tm;

    clock_gettime(CLOCK_REALTIME, &ts);
    localtime_r(&ts.tv_sec, &tm);
    v23_buf_init_fixed(&line, room, sizeof(room));
    v23_buf_printf(&line, "%c%02d%02d %02d:%02d:%02d.%06ld %ld] ",
        "EWID"[level], tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
        tm.tm_sec, ts.tv_nsec / 1000, (long)getpid());
    if (strlen(text) < sizeof(room) - line.n)
        v23_buf_puts(&line, text);
    else
        v23_buf_put(&line, text, sizeof(room) - line.n - 1);
    if (level <= p->to_stderr)
        fprintf(stderr, "%.*s\n", (int)line.n, (const char *)line.p);
    if (p->log_file != NULL) {
        fprintf(p->log_file, "%.*s\n", (int)line.n, (const char *)line.p);
        fflush(p->log_file);
    }
    if (p->ring != NULL)
        vrpc_log_ring_put(p->ring, vdl_strn((const char *)line.p, line.n));
}

/* A component of a file's name. */
static void name_part(char *out, size_t size, const char *from,
    const char *otherwise)
{
    size_t i;

    if (from == NULL || *from == 0)
        from = otherwise;
    for (i = 0; i + 1 < size && from[i] != 0; i++)
        out[i] = from[i] == '/' || from[i] == '.' ? '_' : from[i];
    out[i] = 0;
}

/* program.host.user.log.v23.INFO.time.pid, as gclogs knows it, and the link
 * program.INFO to it. */
static void open_log(struct vrpc_runtime *rt, struct vdl_str dir)
{
    char host[64], user[64], program[64], name[320], path[4096];
    char link[4096] = "", stamp[32];
    time_t now = time(NULL);
    struct tm tm;

    (void)!gethostname(link, sizeof(host));
    link[sizeof(host) - 1] = 0;
    name_part(host, sizeof(host), link, "unknownhost");
    name_part(user, sizeof(user), getenv("USER"), "unknownuser");
    name_part(program, sizeof(program), rt->component, "program");
    localtime_r(&now, &tm);
    strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &tm);
    snprintf(name, sizeof(name), "%s.%s.%s.log.v23.INFO.%s.%ld", program,
        host, user, stamp, (long)getpid());
    if (snprintf(path, sizeof(path), "%.*s/%s", (int)dir.n, dir.p, name)
        >= (int)sizeof(path))
        return;
    rt->p->log_file = fopen(path, "ae");
    if (rt->p->log_file == NULL) {
        v23_logf(&rt->log, V23_LOG_ERROR, "cannot write the log %s", path);
        return;
    }
    snprintf(link, sizeof(link), "%.*s/%s.INFO", (int)dir.n, dir.p, program);
    (void)unlink(link);
    if (symlink(name, link) != 0 && errno != EEXIST) /* of another loop */
        v23_logf(&rt->log, V23_LOG_WARN, "cannot make the link %s", link);
}

void vrpc_runtime_log_(struct vrpc_runtime *rt)
{
    const struct vrpc_flags *f = rt->flags;
    bool on = f->log_to_stderr || f->also_log_to_stderr;

    rt->log.write = write_log;
    rt->log.ud = rt;
    rt->log.max = f->log_level > 1 ? V23_LOG_DEBUG
        : f->log_level == 1        ? V23_LOG_INFO
        : on                       ? V23_LOG_WARN
                                   : V23_LOG_ERROR;
    rt->p->to_stderr = rt->log.max;
    if (f->log_dir.n > 0 && !f->log_to_stderr)
        open_log(rt, f->log_dir);
    else if ((f->groups & VRPC_FLAGS_LISTEN) != 0)
        (void)!vrpc_log_ring_new(NULL, vdl_str("INFO"), RING_BYTES,
            &rt->p->ring); /* it only keeps what is printed anyway */
    if ((rt->p->log_file != NULL || rt->p->ring != NULL) &&
        rt->log.max < V23_LOG_INFO)
        rt->log.max = V23_LOG_INFO;
}

void vrpc_runtime_log_fini_(struct vrpc_runtime *rt)
{
    rt->log.write = NULL;
    if (rt->p->log_file != NULL)
        fclose(rt->p->log_file);
    vrpc_log_ring_free(rt->p->ring);
}

/* ---- __debug ------------------------------------------------------------- */

static int make_logs(struct vrpc_runtime *rt, struct vrpc_logs *out)
{
    struct vrpc_runtime_private *p = rt->p;
    int rc;

    if (p->log_file == NULL) {
        if (p->ring != NULL)
            *out = vrpc_log_ring_logs(p->ring);
        return 0;
    }
    rc = vrpc_log_dir_new(NULL, rt->flags->log_dir, &p->log_dir);
    if (rc == 0)
        *out = vrpc_log_dir_logs(p->log_dir);
    return rc;
}

/* A text that a function appends to a buffer, as value. */
static int give(struct v23_buf *text, struct v23_arena *a,
    struct vdl_any *out)
{
    struct vdl_str *s = v23_arena_new(a, struct vdl_str);
    int rc = text->err;

    if (rc == 0 && s != NULL) {
        s->p = v23_arena_dup(a, text->n == 0 ? "" : (const char *)text->p,
            text->n);
        s->n = (uint32_t)text->n;
        out->type = &vdl_string_desc;
        out->val = s;
    }
    v23_buf_fini(text);
    return rc != 0 ? rc : s == NULL || s->p == NULL ? V23_ENOMEM : 0;
}

static int store_text(void *ud, const struct v23_now *now,
    struct v23_arena *a, struct vdl_any *out)
{
    const struct vrpc_runtime *rt = ud;
    struct v23_buf text;

    (void)now;
    v23_buf_init(&text, NULL, MAX_TEXT);
    if (vsec_store_format(rt->principal->store, &text) != 0)
        text.n = 0;
    return give(&text, a, out);
}

static int roots_text(void *ud, const struct v23_now *now,
    struct v23_arena *a, struct vdl_any *out)
{
    const struct vrpc_runtime *rt = ud;
    struct v23_buf text;

    (void)now;
    v23_buf_init(&text, NULL, MAX_TEXT);
    if (vsec_roots_format(rt->principal->roots, &text) != 0)
        text.n = 0;
    return give(&text, a, out);
}

/* security/principal/<fingerprint>/… */
static int principal_stats(struct vrpc_runtime *rt)
{
    char print[VSEC_FINGERPRINT], name[128];
    struct vdl_str key = vdl_str("");
    int rc;

    if (vsec_fingerprint(rt->principal->engine->crypto,
            rt->principal->key->der, print) == 0)
        key = vdl_str(print);
    snprintf(name, sizeof(name), "security/principal/%.*s/blessingstore/0",
        (int)key.n, key.n == 0 ? "" : key.p);
    rc = vrpc_stats_func(rt->stats, vdl_str(name), store_text, rt);
    snprintf(name, sizeof(name), "security/principal/%.*s/blessingroots/0",
        (int)key.n, key.n == 0 ? "" : key.p);
    return rc != 0 ? rc
                   : vrpc_stats_func(rt->stats, vdl_str(name), roots_text, rt);
}

int vrpc_runtime_stats_(struct vrpc_runtime *rt)
{
    const char *env = getenv("V23_STATS_ENVIRON");
    struct v23_now now;
    int rc;

    if (rt->stats != NULL)
        return 0;
    vrpc_ev_now(rt->ev, &now);
    rc = vrpc_stats_new(NULL, &now, &rt->stats);
    if (rc == 0)
        rc = vrpc_stats_system(rt->stats, env != NULL && *env != 0
                                              ? VRPC_SYSTEM_ENVIRON
                                              : VRPC_SYSTEM_DEFAULT, &now);
    return rc != 0 ? rc : principal_stats(rt);
}

/* ---- where a server listens ---------------------------------------------- */

static int endpoints_text(void *ud, const struct v23_now *now,
    struct v23_arena *a, struct vdl_any *out)
{
    const struct vrpc_endpoint *eps;
    struct v23_buf text;
    size_t n, i;

    (void)now;
    v23_buf_init(&text, NULL, MAX_TEXT);
    v23_buf_put_byte(&text, '[');
    if (vrpc_ev_endpoints(ud, &eps, &n) == 0)
        for (i = 0; i < n; i++) {
            v23_buf_puts(&text, i > 0 ? " " : "");
            vrpc_endpoint_format(&eps[i], &text);
        }
    v23_buf_put_byte(&text, ']');
    return give(&text, a, out);
}

static int lines_text(const char *lines, struct v23_arena *a,
    struct vdl_any *out)
{
    struct v23_buf text;

    v23_buf_init(&text, NULL, MAX_TEXT);
    v23_buf_puts(&text, lines);
    return give(&text, a, out);
}

static int listen_errors(void *ud, const struct v23_now *now,
    struct v23_arena *a, struct vdl_any *out)
{
    (void)now;
    return lines_text(vrpc_ev_listen_errors(ud), a, out);
}

static int proxy_errors(void *ud, const struct v23_now *now,
    struct v23_arena *a, struct vdl_any *out)
{
    (void)now;
    return lines_text(vrpc_ev_proxy_errors(ud), a, out);
}

static void listen_spec(struct vrpc_stats *t, struct vdl_str name,
    const struct vrpc_listen_addr *addrs, size_t naddrs, int64_t now)
{
    struct v23_buf text;
    struct vrpc_stat *s;
    size_t i;

    v23_buf_init(&text, NULL, MAX_TEXT);
    for (i = 0; addrs != NULL && i < naddrs; i++)
        v23_buf_printf(&text, "%s(\"%.*s\", \"%.*s\")", i > 0 ? " " : "",
            (int)addrs[i].protocol.n, addrs[i].protocol.p,
            (int)addrs[i].address.n, addrs[i].address.p);
    if (vrpc_stats_string(t, name, &s) == 0)
        (void)vrpc_stat_set_string(s,
            vdl_strn((const char *)text.p, text.n), now);
    v23_buf_fini(&text);
}

void vrpc_runtime_status_(struct vrpc_runtime *rt, struct vrpc_ev_node *n,
    const struct vrpc_listen_addr *addrs, size_t naddrs)
{
    static const struct {
        const char *name;
        vrpc_stat_fn *fn;
    } status[] = { { "/status/endpoints", endpoints_text },
        { "/status/listen-errors", listen_errors },
        { "/status/proxy-errors", proxy_errors } };
    struct vrpc_manager *m = vrpc_ev_node_manager(n);
    struct v23_buf name;
    char text[128];
    size_t base, i;

    if (rt->stats == NULL)
        return;
    if (addrs == NULL && rt->flags->addrs_flag) {
        addrs = rt->flags->addrs;
        naddrs = rt->flags->naddrs;
    }
    v23_buf_init_fixed(&name, text, sizeof(text));
    v23_buf_puts(&name, "rpc/server/routing-id/");
    vrpc_routing_id_format(vrpc_manager_rid(m), &name);
    base = name.n;
    v23_buf_puts(&name, "/listenspec");
    listen_spec(rt->stats, vdl_strn(text, name.n), addrs, naddrs,
        vrpc_manager_now(m).mono_ns);
    for (i = 0; i < sizeof(status) / sizeof(status[0]); i++) {
        v23_buf_cut(&name, base);
        v23_buf_puts(&name, status[i].name);
        (void)!vrpc_stats_func(rt->stats, vdl_strn(text, name.n),
            status[i].fn, n);
    }
}

/* ---- the dispatcher ------------------------------------------------------ */

static int make_debug(struct vrpc_runtime *rt)
{
    struct vrpc_runtime_private *p = rt->p;
    struct vrpc_debug_config cfg;
    int rc = vrpc_runtime_stats_(rt);

    memset(&cfg, 0, sizeof(cfg));
    if (rc == 0)
        rc = make_logs(rt, &cfg.logs);
    if (rc == 0) {
        rc = vrpc_flags_auth_init(&p->auth, rt->flags, NULL, &rt->log);
        p->has_auth = rc == 0;
    }
    if (rc != 0)
        return rc;
    cfg.stats = rt->stats;
    cfg.profiler = &vrpc_profiler_host;
    if (rt->vtrace != NULL)
        cfg.vtrace = vrpc_vtrace_object(rt->vtrace);
    cfg.authorizer = p->auth.authorizer;
    return vrpc_debug_new(&cfg, &p->debug);
}

int vrpc_runtime_debug_(struct vrpc_runtime *rt,
    struct vrpc_server_config *cfg)
{
    int rc = 0;

    if (cfg->reserved != NULL || cfg->no_debug)
        return 0;
    if (rt->p->debug == NULL)
        rc = make_debug(rt);
    if (rc == 0)
        cfg->reserved = vrpc_debug_dispatcher(rt->p->debug);
    return rc;
}

void vrpc_runtime_debug_fini_(struct vrpc_runtime *rt)
{
    struct vrpc_runtime_private *p = rt->p;

    vrpc_debug_free(p->debug);
    p->debug = NULL;
    if (p->has_auth)
        vrpc_flags_auth_fini(&p->auth);
    p->has_auth = false;
    vrpc_log_dir_free(p->log_dir);
    p->log_dir = NULL;
    vrpc_stats_free(rt->stats);
    rt->stats = NULL;
}

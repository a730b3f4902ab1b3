/* BSD-3-Clause; see LICENSE. */
/*
 * A server with __debug and a client of it, in virtual time: statistics, a log
 * in memory, a profiler that only counts.
 */
#ifndef DEBUGGED_H
#define DEBUGGED_H

#include <v23/vdl/v.io/v23/services/http/http.rpc.h>
#include <v23/vdl/v.io/v23/services/logreader/logreader.rpc.h>
#include <v23/vdl/v.io/v23/services/pprof/pprof.rpc.h>
#include <v23/vdl/v.io/v23/services/stats/stats.rpc.h>
#include <vom/value.h>
#include <vrpc/debug.h>

#include "globbed.h"

#include "call_int.h"

static struct vrpc_stats *S;
static struct vrpc_debug *D;
static struct vrpc_log_ring *L;

/* What came back. */
static struct reply {
    int done, items;
    bool failed;
    char id[96], text[300], items_text[4096];
    char value[1000];
    int64_t number;
} Y;

static void ended(const struct v23_verror *err)
{
    Y.done++;
    Y.failed = err != NULL;
    if (err == NULL)
        return;
    snprintf(Y.id, sizeof(Y.id), "%.*s", (int)err->id.n, err->id.p);
    snprintf(Y.text, sizeof(Y.text), "%.*s", (int)err->msg.n, err->msg.p);
}

static void put_item(const char *fmt, ...)
{
    size_t n = strlen(Y.items_text);
    va_list ap;

    Y.items++;
    va_start(ap, fmt);
    vsnprintf(Y.items_text + n, sizeof(Y.items_text) - n, fmt, ap);
    va_end(ap);
}

static const char *finish(void)
{
    ck_assert(world_until(&W, &Y.done, 10000 * SEC));
    ck_assert_int_eq(Y.done, 1);
    return Y.id;
}

static struct vrpc_call_opts begin(void)
{
    memset(&Y, 0, sizeof(Y));
    return opts_now();
}

/* ---- stats --------------------------------------------------------------- */

static void value_done(void *ud, const struct v23_verror *err,
    const v23_stats_stats_value_out *out)
{
    struct v23_buf b;

    (void)ud;
    ended(err);
    if (err != NULL)
        return;
    v23_buf_init_fixed(&b, Y.value, sizeof(Y.value));
    if (out->result.type == NULL)
        v23_buf_puts(&b, "nil");
    else
        ck_assert_int_eq(vdl_format(out->result.type, out->result.val, true,
                             &b), 0);
    (void)v23_buf_cstr(&b);
}

static const char *value(const char *name)
{
    struct vrpc_call_opts o = begin();

    ck_assert_ptr_nonnull(v23_stats_stats_value_start(P.c->c,
        world_name(P.s, name), &o, value_done, NULL));
    return finish()[0] != 0 ? Y.id : Y.value;
}

static void change_item(void *ud, const v23_watch_change *c)
{
    (void)ud;
    ck_assert_int_eq(c->state, V23_WATCH_EXISTS);
    ck_assert_uint_eq(c->resume_marker.n, 0);
    ck_assert(!c->continued);
    put_item("%.*s%s ", (int)c->name.n, c->name.p,
        c->value.type == NULL ? "" : "=");
}

static void watch_done(void *ud, const struct v23_verror *err)
{
    (void)ud;
    ended(err);
}

static struct vrpc_call *watch(const char *name, const char *pattern)
{
    static const v23_watch_glob_watcher_watch_glob_cb cb = { change_item,
        watch_done };
    struct vrpc_call_opts o = begin();
    v23_watch_glob_request req;
    struct vrpc_call *call;

    memset(&req, 0, sizeof(req));
    req.pattern = vdl_str(pattern);
    call = v23_watch_glob_watcher_watch_glob_start(P.c->c,
        world_name(P.s, name), &o, &req, &cb, NULL);
    ck_assert_ptr_nonnull(call);
    return call;
}

/* ---- logs ---------------------------------------------------------------- */

static void entry_item(void *ud, const v23_logreader_log_entry *e)
{
    (void)ud;
    put_item("%d:%.*s|", (int)e->position, (int)e->line.n, e->line.p);
}

static void read_done(void *ud, const struct v23_verror *err,
    const v23_logreader_log_file_read_log_out *out)
{
    (void)ud;
    ended(err);
    if (err == NULL)
        Y.number = out->result;
}

static struct vrpc_call *read_start(const char *name, int64_t pos, int32_t n,
    bool follow)
{
    static const v23_logreader_log_file_read_log_cb cb = { entry_item,
        read_done };
    struct vrpc_call_opts o = begin();
    struct vrpc_call *call = v23_logreader_log_file_read_log_start(P.c->c,
        world_name(P.s, name), &o, pos, n, follow, &cb, NULL);

    ck_assert_ptr_nonnull(call);
    return call;
}

static const char *read_log(int64_t pos, int32_t n)
{
    read_start("__debug/logs/log", pos, n, false);
    return finish()[0] != 0 ? Y.id : Y.items_text;
}

static void size_done(void *ud, const struct v23_verror *err,
    const v23_logreader_log_file_size_out *out)
{
    (void)ud;
    ended(err);
    if (err == NULL)
        Y.number = out->result;
}

static const char *size(const char *name)
{
    struct vrpc_call_opts o = begin();

    ck_assert_ptr_nonnull(v23_logreader_log_file_size_start(P.c->c,
        world_name(P.s, name), &o, size_done, NULL));
    return finish();
}

static void put_line(const char *text)
{
    vrpc_log_ring_put(L, vdl_str(text));
}

/* ---- profiles ------------------------------------------------------------ */

static struct {
    int starts, stops, dropped;
    bool busy;
    size_t bytes;
} F;

static int fake_cmdline(void *ud, struct v23_arena *a, vdl_str_list *out)
{
    static const struct vdl_str v[2] = { VDL_STR_INIT("prog"),
        VDL_STR_INIT("-x") };

    (void)ud;
    (void)a;
    out->v = v;
    out->n = 2;
    return 0;
}

static int fake_profile(void *ud, struct vdl_str name, int32_t debug,
    struct v23_buf *out)
{
    size_t i;

    (void)ud;
    ck_assert(vdl_str_is(name, "heap"));
    for (i = 0; i < F.bytes; i++)
        v23_buf_put_byte(out, debug == 0 ? 'h' : 'H');
    return 0;
}

static int fake_start(void *ud)
{
    (void)ud;
    if (F.busy)
        return V23_ESTATE;
    F.busy = true;
    F.starts++;
    return 0;
}

static int fake_stop(void *ud, struct v23_buf *out)
{
    (void)ud;
    F.busy = false;
    F.stops++;
    F.dropped += out == NULL;
    if (out != NULL)
        v23_buf_puts(out, "cpu");
    return 0;
}

static int fake_symbol(void *ud, uint64_t pc, struct v23_arena *a,
    struct vdl_str *out)
{
    (void)ud;
    (void)a;
    if (pc != 7)
        return V23_ENOENT;
    *out = vdl_str("seven");
    return 0;
}

static const struct vdl_str heap = VDL_STR_INIT("heap");
static const vdl_str_list names = { &heap, 1 };
static const struct vrpc_profiler fake = { fake_cmdline, &names, fake_profile,
    fake_start, fake_stop, fake_symbol, NULL };

static size_t profile_bytes;

static void bytes_item(void *ud, const struct vdl_bytes *b)
{
    (void)ud;
    ck_assert_uint_le(b->n, 32768);
    profile_bytes += b->n;
    put_item("%c", b->p[0]);
}

static struct vrpc_call *cpu(int32_t seconds)
{
    static const v23_pprof_pprof_cpu_profile_cb cb = { bytes_item,
        watch_done };
    struct vrpc_call_opts o = begin();
    struct vrpc_call *call = v23_pprof_pprof_cpu_profile_start(P.c->c,
        world_name(P.s, "__debug/pprof"), &o, seconds, &cb, NULL);

    ck_assert_ptr_nonnull(call);
    profile_bytes = 0;
    return call;
}

static const char *profile(const char *name, int32_t debug)
{
    static const v23_pprof_pprof_profile_cb cb = { bytes_item, watch_done };
    struct vrpc_call_opts o = begin();

    profile_bytes = 0;
    ck_assert_ptr_nonnull(v23_pprof_pprof_profile_start(P.c->c,
        world_name(P.s, "__debug/pprof"), &o, vdl_str(name), debug, &cb,
        NULL));
    return finish();
}

/* ---- life ---------------------------------------------------------------- */

static const struct vsec_authorizer *Auth;
static uint32_t Streams;

static void serve_debug(void)
{
    struct vrpc_debug_config dc;
    struct vrpc_server_config sc;

    memset(&dc, 0, sizeof(dc));
    dc.al = &W.t.al;
    dc.stats = S;
    dc.logs = vrpc_log_ring_logs(L);
    dc.profiler = &fake;
    dc.authorizer = Auth;
    dc.max_streams = Streams;
    ck_assert_int_eq(vrpc_debug_new(&dc, &D), 0);
    memset(&sc, 0, sizeof(sc));
    sc.object.iface = &echo_iface;
    sc.object.self = &P.echo;
    sc.authorizer = &vsec_auth_everyone;
    sc.reserved = vrpc_debug_dispatcher(D);
    ck_assert_int_eq(vrpc_server_new(P.s->m, &sc, &P.s->s), 0);
}

static void setup(void)
{
    struct vrpc_stats_config cfg;

    world_setup();
    memset(&P, 0, sizeof(P));
    memset(&F, 0, sizeof(F));
    memset(&cfg, 0, sizeof(cfg));
    cfg.al = &W.t.al;
    Auth = &vsec_auth_everyone;
    Streams = 0;
    ck_assert_int_eq(vrpc_stats_new(&cfg, &W.now, &S), 0);
    ck_assert_int_eq(vrpc_log_ring_new(&W.t.al, vdl_str("log"), 256, &L), 0);
    ck_assert_int_eq(world_node(&W, "client", 0, &P.c), 0);
    W.stats = S;
    ck_assert_int_eq(world_node(&W, "server", 77, &P.s), 0);
}

static void teardown(void)
{
    size_t i;

    for (i = 0; i < W.nnodes; i++)
        world_node_fini(&W.nodes[i]);
    vrpc_debug_free(D);
    vrpc_stats_free(S);
    vrpc_log_ring_free(L);
    D = NULL;
    world_teardown();
}

static void integer(const char *name, int64_t v)
{
    struct vrpc_stat *s;

    ck_assert_int_eq(vrpc_stats_integer(S, vdl_str(name), &s), 0);
    ck_assert_int_eq(vrpc_stat_set_int(s, v, W.now.mono_ns), 0);
}

#endif

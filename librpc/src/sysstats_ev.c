/* BSD-3-Clause; see LICENSE. */
/* The statistics "system/…" of a hosted process (spec/services.md 4.3). */
#include <vrpc/debug_host.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <vrpc/conn.h>

#include "profiler_int.h"

#define ENDPOINT_VERSION 6 /* spec/rpc.md 14.1: "@6@…@@" */

extern char **environ;

static int put_text(struct vrpc_stats *t, const char *name,
    struct vdl_str text, int64_t now)
{
    struct vrpc_stat *s;
    int rc = vrpc_stats_string(t, vdl_str(name), &s);

    return rc != 0 ? rc : vrpc_stat_set_string(s, text, now);
}

static int put_int(struct vrpc_stats *t, const char *name, int64_t v,
    int64_t now)
{
    struct vrpc_stat *s;
    int rc = vrpc_stats_integer(t, vdl_str(name), &s);

    return rc != 0 ? rc : vrpc_stat_set_int(s, v, now);
}

/* Arguments as one text. */
static int put_cmdline(struct vrpc_stats *t, int64_t now)
{
    struct v23_arena a;
    struct v23_buf text;
    vdl_str_list args;
    uint32_t i;
    int rc = 0;

    v23_arena_init(&a, NULL, 4u << 20);
    v23_buf_init(&text, NULL, 4u << 20);
    if (vrpc_host_cmdline_(NULL, &a, &args) == 0) {
        for (i = 0; i < args.n; i++) {
            v23_buf_puts(&text, i > 0 ? " " : "");
            v23_buf_put_str(&text, args.v[i]);
        }
        rc = put_text(t, "system/cmdline",
            vdl_strn((const char *)text.p, text.n), now);
    }
    v23_buf_fini(&text);
    v23_arena_fini(&a);
    return rc;
}

static int put_start(struct vrpc_stats *t, const struct v23_now *now)
{
    time_t sec = (time_t)now->wall.sec;
    char text[64] = "";
    struct tm tm;
    int rc;

    if (localtime_r(&sec, &tm) != NULL)
        strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S %Z", &tm);
    rc = put_int(t, "system/start-time-unix", now->wall.sec, now->mono_ns);
    if (rc == 0)
        rc = put_text(t, "system/start-time-rfc1123", vdl_str(text),
            now->mono_ns);
    return rc;
}

static int put_map(struct vrpc_stat *map, struct vdl_str key,
    struct vdl_str value, int64_t now)
{
    struct vdl_any any = { &vdl_string_desc, &value };

    return vrpc_stat_map_set(map, key, any, now);
}

static int put_environ(struct vrpc_stats *t, int64_t now)
{
    struct vrpc_stat *map;
    const char *eq;
    char **e;
    int rc = vrpc_stats_map(t, vdl_str("system/environ"), &map);

    for (e = environ; rc == 0 && e != NULL && *e != NULL; e++) {
        eq = strchr(*e, '=');
        if (eq != NULL && eq != *e)
            rc = put_map(map, vdl_strn(*e, (size_t)(eq - *e)),
                vdl_str(eq + 1), now);
    }
    return rc;
}

static int put_metadata(struct vrpc_stats *t, int64_t now)
{
    static const struct {
        const char *key;
        int value;
    } known[] = { { "v23.RPCVersionMin", VRPC_VERSION_MIN },
        { "v23.RPCVersionMax", VRPC_VERSION_MAX },
        { "v23.RPCEndpointVersion", ENDPOINT_VERSION } };
    struct vrpc_stat *map;
    char text[16];
    size_t i;
    int rc = vrpc_stats_map(t, vdl_str("system/metadata"), &map);

    for (i = 0; rc == 0 && i < sizeof(known) / sizeof(known[0]); i++) {
        snprintf(text, sizeof(text), "%d", known[i].value);
        rc = put_map(map, vdl_str(known[i].key), vdl_str(text), now);
    }
    return rc;
}

/* ---- memory -------------------------------------------------------------- */

static int memory(void *ud, const struct v23_now *now, struct v23_arena *a,
    struct vdl_any *out)
{
    int64_t *v = v23_arena_new(a, int64_t);
    struct vrpc_host_memory_ m;

    (void)now;
    if (v == NULL)
        return V23_ENOMEM;
    vrpc_host_memory_(&m);
    *v = *(const int64_t *)((const char *)&m + (uintptr_t)ud);
    out->type = &vdl_int64_desc;
    out->val = v;
    return 0;
}

static int put_memory(struct vrpc_stats *t)
{
#define OF(f) (void *)(uintptr_t)offsetof(struct vrpc_host_memory_, f)
    const struct {
        const char *name;
        void *offset;
    } fields[] = { { "Alloc", OF(in_use) }, { "HeapAlloc", OF(in_use) },
        { "HeapInuse", OF(in_use) }, { "HeapIdle", OF(idle) },
        { "HeapSys", OF(from_system) }, { "Sys", OF(from_system) } };
#undef OF
    char name[48];
    size_t i;
    int rc = 0;

    for (i = 0; rc == 0 && i < sizeof(fields) / sizeof(fields[0]); i++) {
        snprintf(name, sizeof(name), "system/memstats/%s", fields[i].name);
        rc = vrpc_stats_func(t, vdl_str(name), memory, fields[i].offset);
    }
    return rc;
}

int vrpc_stats_system(struct vrpc_stats *t, int what,
    const struct v23_now *now)
{
    int64_t mono = now->mono_ns;
    char host[256] = "";
    int rc = put_start(t, now);

    if (rc == 0)
        rc = put_cmdline(t, mono);
    if (rc == 0)
        rc = put_int(t, "system/num-cpu", sysconf(_SC_NPROCESSORS_ONLN), mono);
    if (rc == 0)
        rc = put_int(t, "system/pid", getpid(), mono);
    if (rc == 0 && gethostname(host, sizeof(host) - 1) == 0)
        rc = put_text(t, "system/hostname", vdl_str(host), mono);
#ifdef __VERSION__
    if (rc == 0)
        rc = put_text(t, "system/version", vdl_str("C " __VERSION__), mono);
#endif
    if (rc == 0)
        rc = put_metadata(t, mono);
    if (rc == 0 && (what & VRPC_SYSTEM_ENVIRON) != 0)
        rc = put_environ(t, mono);
    return rc != 0 ? rc : put_memory(t);
}

/* BSD-3-Clause; see LICENSE. */
/* The pages about the host: what is connected, and the statistics. */
#include "host_int.h"

#include <string.h>

#include <vom/print.h>
#include <vom/time.h>
#include <vrpc/ev.h>
#include <vrpc/stats.h>

/* Text that a peer may have chosen. */
static void put_text(struct v23_buf *b, struct vdl_str s)
{
    uint32_t i;

    for (i = 0; i < s.n; i++)
        switch (s.p[i]) {
        case '<':
            v23_buf_puts(b, "&lt;");
            break;
        case '>':
            v23_buf_puts(b, "&gt;");
            break;
        case '&':
            v23_buf_puts(b, "&amp;");
            break;
        case '"':
            v23_buf_puts(b, "&quot;");
            break;
        default:
            v23_buf_put_byte(b, (uint8_t)s.p[i]);
        }
}

static unsigned long long ull(uint64_t v)
{
    return (unsigned long long)v;
}

struct servers {
    struct v23_buf *out;
    const struct wspr_page_ *page;
};

static void put_server(void *ud, uint32_t id, struct vdl_str name)
{
    struct servers *s = ud;

    v23_buf_printf(s->out, "<tr><td>%llu</td><td>%lu</td><td>",
        ull(s->page->number), (unsigned long)id);
    put_text(s->out, name);
    v23_buf_puts(s->out, "</td></tr>\n");
}

static void put_pipe(struct v23_buf *b, const struct wspr_page_ *page)
{
    struct wspr_ctl_stats s;

    wspr_ctl_stats(page->ctl, &s);
    v23_buf_printf(b, "<tr><td>%llu</td><td>%s</td><td>", ull(page->number),
        page->peer);
    put_text(b, vdl_str(page->origin));
    v23_buf_puts(b, "</td><td>");
    v23_walltime_put(b, page->since);
    v23_buf_printf(b, "</td><td>%s</td><td>%zu</td><td>%zu</td><td>%zu</td>"
        "<td>%zu</td><td>%llu</td><td>%llu</td><td>%llu</td><td>%llu</td>"
        "<td>%zu</td></tr>\n",
        page->conn == NULL ? "ending" : s.protocol, s.calls, s.flows,
        s.servers, s.blessings, ull(s.messages_in), ull(s.bytes_in),
        ull(s.messages_out), ull(s.bytes_out),
        page->conn == NULL ? 0 : wspr_conn_waiting_(page->conn));
}

void wspr_host_debug_(struct wspr_host *h, struct v23_buf *out)
{
    struct servers s = { .out = out };
    const struct wspr_page_ *page;
    struct wspr_ctl_stats now;
    size_t ending = 0, calls = 0, flows = 0, servers = 0;

    for (page = h->pages; page != NULL; page = page->next) {
        wspr_ctl_stats(page->ctl, &now);
        ending += page->conn == NULL;
        calls += now.calls;
        flows += now.flows;
        servers += now.servers;
    }
    v23_buf_puts(out, "<!DOCTYPE html>\n<html>\n<head>\n"
        "<title>/debug</title>\n</head>\n<body>\n<ul>\n"
        "<li><a href=\"/debug/stats\">/debug/stats</a></li>\n</ul>\n");
    v23_buf_printf(out, "<p>%zu connections, %zu pipes, %zu ending, %zu calls, "
        "%zu flows, %zu servers; %llu pipes so far, %llu refused</p>\n",
        wspr_http_nconns_(h->http), h->npages, ending, calls, flows, servers,
        ull(h->opened), ull(h->refused));
    v23_buf_puts(out, "<h1>Pipes and flows</h1>\n<table>\n<tr><th>pipe</th>"
        "<th>peer</th><th>origin</th><th>since</th><th>protocol</th>"
        "<th>calls</th><th>flows</th><th>servers</th><th>blessings</th>"
        "<th>messages in</th><th>bytes</th><th>messages out</th>"
        "<th>bytes</th><th>waiting</th></tr>\n");
    for (page = h->pages; page != NULL; page = page->next)
        put_pipe(out, page);
    v23_buf_puts(out, "</table>\n<h1>Servers</h1>\n<table>\n"
        "<tr><th>pipe</th><th>id</th><th>name</th></tr>\n");
    for (page = h->pages; page != NULL; page = page->next) {
        s.page = page;
        wspr_ctl_each_server(page->ctl, put_server, &s);
    }
    v23_buf_puts(out, "</table>\n</body>\n</html>\n");
}

/* Whoever reaches this machine's ports sees them: what principals and the
 * command line tell is for those who may read __debug. */
static bool is_for_all(struct vdl_str name)
{
    static const char *const parts[] = { "rpc/", "system/memstats/",
        "system/start-time-unix", "system/version" };
    size_t i, n;

    for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        n = strlen(parts[i]);
        if (name.n >= n && memcmp(name.p, parts[i], n) == 0)
            return true;
    }
    return false;
}

/* One object of the tree of statistics a line. */
static int put_stats(struct wspr_host *h, struct v23_arena *a,
    struct v23_buf *out)
{
    struct vrpc_stats_query q = { .since = INT64_MIN, .values = true };
    struct vrpc_stats_matches m;
    struct vrpc_glob all;
    size_t i;
    int rc = vrpc_glob_parse(a, vdl_str("..."), &all);

    vrpc_ev_now(h->p->rt.ev, &q.now);
    if (rc == 0)
        rc = vrpc_stats_glob(h->p->rt.stats, vdl_strn("", 0), &all, &q, a, &m);
    for (i = 0; rc == 0 && i < m.n; i++) {
        if (m.v[i].value.type == NULL || !is_for_all(m.v[i].name))
            continue;
        v23_buf_put_str(out, m.v[i].name);
        v23_buf_puts(out, ": ");
        rc = vdl_print_any(m.v[i].value, out);
        v23_buf_puts(out, "\n");
    }
    return rc;
}

void wspr_host_stats_(struct wspr_host *h, struct v23_buf *out)
{
    struct v23_arena a;

    v23_buf_printf(out, "wspr/connections: %zu\nwspr/pipes: %zu\n"
        "wspr/pipes-so-far: %llu\nwspr/refused: %llu\n"
        "wspr/shared-rpc-connections: %zu\n",
        wspr_http_nconns_(h->http), h->npages, ull(h->opened),
        ull(h->refused), h->node == NULL
            ? 0 : vrpc_manager_nconns(vrpc_ev_node_manager(h->node)));
    if (h->p->rt.stats == NULL)
        return;
    v23_arena_init(&a, NULL, 64u << 20);
    if (put_stats(h, &a, out) != 0)
        v23_buf_puts(out, "the rest cannot be shown\n");
    v23_arena_fini(&a);
}

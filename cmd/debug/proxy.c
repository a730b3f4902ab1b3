/* BSD-3-Clause; see LICENSE. */
/*
 * The HTTP server that the pprof tool fetches profiles from, with the pages
 * and paths that it knows (spec/services.md 9.5).
 */
#include "pprof.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <v23/time.h>
#include <v23/vdl/v.io/v23/services/pprof/pprof.rpc.h>

static const struct vrpc_call_opts opts = VRPC_CALL_OPTS_INIT;
static const char *const plain[] = { "Content-Type",
    "text/plain; charset=utf-8", "X-Content-Type-Options", "nosniff", NULL };
static const char *const octets[] = { "Content-Type",
    "application/octet-stream", "X-Content-Type-Options", "nosniff", NULL };
static const char *const html[] = { "Content-Type", "text/html; charset=utf-8",
    "Content-Security-Policy", "default-src 'none'", NULL };

static void unavailable(struct web_req *q, struct vdl_str why)
{
    web_reply(q, 503, plain, v23_bytes(why.p, why.n));
}

static void reply_buf(struct web_req *q, const char *const *headers,
    struct v23_buf *b)
{
    if (b->err != 0)
        unavailable(q, vdl_str(v23_strerror(b->err)));
    else
        web_reply(q, 200, headers, v23_bytes(b->p, b->n));
    v23_buf_fini(b);
}

/* ---- profiles ------------------------------------------------------------ */

/* A profile on its way. */
struct sending {
    struct web_req *q;
    struct vrpc_call *call;
    const char *const *headers;
    bool paused;
};

static void reader_gone(void *ud)
{
    struct sending *s = ud;

    vrpc_call_cancel(s->call);
}

static void reader_ready(void *ud)
{
    struct sending *s = ud;

    if (s->paused && !web_is_full(s->q)) {
        s->paused = false;
        vrpc_call_pause(s->call, false);
    }
}

static void got_piece(void *ud, const struct vdl_bytes *b)
{
    struct sending *s = ud;

    if (!web_started(s->q))
        web_start(s->q, 200, s->headers);
    web_put(s->q, b->p, b->n);
    if (!s->paused && web_is_full(s->q)) {
        s->paused = true;
        vrpc_call_pause(s->call, true);
    }
}

/* What has gone out cannot be taken back: then the answer ends early. */
static void all_sent(void *ud, const struct v23_verror *err)
{
    struct sending *s = ud;

    if (web_started(s->q))
        web_end(s->q);
    else if (err != NULL)
        unavailable(s->q, err->msg);
    else
        web_reply(s->q, 200, s->headers, v23_bytes(NULL, 0));
    v23_put(NULL, s);
}

void proxy_send_profile(struct vrpc_client *client, const char *name,
    struct web_req *q, const char *profile, const char *const *headers)
{
    static const v23_pprof_pprof_profile_cb named = { got_piece, all_sent };
    static const v23_pprof_pprof_cpu_profile_cb cpu = { got_piece, all_sent };
    struct sending *s = v23_new(NULL, struct sending);
    int64_t seconds = web_number(q, "seconds", 0);

    if (s == NULL) {
        unavailable(q, vdl_str("out of memory"));
        return;
    }
    s->q = q;
    s->headers = headers;
    web_watch(q, reader_gone, reader_ready, s);
    if (strcmp(profile, "profile") == 0)
        s->call = v23_pprof_pprof_cpu_profile_start(client, name, &opts,
            seconds <= 0 || seconds > INT32_MAX ? 30 : (int32_t)seconds, &cpu,
            s);
    else
        s->call = v23_pprof_pprof_profile_start(client, name, &opts,
            vdl_str(profile), (int32_t)web_number(q, "debug", 0), &named, s);
    if (s->call != NULL)
        return;
    web_watch(q, NULL, NULL, NULL);
    v23_put(NULL, s);
    unavailable(q, vdl_str("out of memory"));
}

/* ---- pages --------------------------------------------------------------- */

/* Text between tags and in attributes. */
static void put_escaped(struct v23_buf *out, struct vdl_str s)
{
    uint32_t i;

    for (i = 0; i < s.n; i++)
        switch (s.p[i]) {
        case '<': v23_buf_puts(out, "&lt;"); break;
        case '>': v23_buf_puts(out, "&gt;"); break;
        case '&': v23_buf_puts(out, "&amp;"); break;
        case '"': v23_buf_puts(out, "&#34;"); break;
        case '\'': v23_buf_puts(out, "&#39;"); break;
        default: v23_buf_put_byte(out, (uint8_t)s.p[i]); break;
        }
}

/* One element of a path. */
static void put_element(struct v23_buf *out, struct vdl_str s)
{
    static const char as_is[] = "abcdefghijklmnopqrstuvwxyz"
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    uint32_t i;

    for (i = 0; i < s.n; i++)
        if (s.p[i] != 0 && strchr(as_is, s.p[i]) != NULL)
            v23_buf_put_byte(out, (uint8_t)s.p[i]);
        else
            v23_buf_printf(out, "%%%02X", (uint8_t)s.p[i]);
}

static void got_profiles(void *ud, const struct v23_verror *err,
    const v23_pprof_pprof_profiles_out *out)
{
    struct web_req *q = ud;
    struct v23_buf b;
    uint32_t i;

    if (err != NULL) {
        unavailable(q, err->msg);
        return;
    }
    v23_buf_init(&b, NULL, 4u << 20);
    v23_buf_puts(&b, "<html>\n<head>\n<title>/pprof/</title>\n</head>\n"
        "/pprof/<br>\n<br>\n<body>\nprofiles:<br>\n<table>\n");
    for (i = 0; i < out->result.n; i++) {
        v23_buf_puts(&b, "<tr><td align=right><td><a href=\"/pprof/");
        put_element(&b, out->result.v[i]);
        v23_buf_puts(&b, "?debug=1\">");
        put_escaped(&b, out->result.v[i]);
        v23_buf_puts(&b, "</a>\n");
    }
    v23_buf_puts(&b, "\n</table>\n<br>\n<a href=\"/pprof/goroutine?debug=2\">"
        "full goroutine stack dump</a><br>\n</body>\n</html>\n");
    reply_buf(q, html, &b);
}

static void got_cmdline(void *ud, const struct v23_verror *err,
    const v23_pprof_pprof_cmd_line_out *out)
{
    struct web_req *q = ud;
    struct v23_buf b;
    uint32_t i;

    if (err != NULL) {
        unavailable(q, err->msg);
        return;
    }
    v23_buf_init(&b, NULL, 4u << 20);
    for (i = 0; i < out->result.n; i++) {
        if (i != 0)
            v23_buf_put_byte(&b, 0);
        v23_buf_put_str(&b, out->result.v[i]);
    }
    reply_buf(q, plain, &b);
}

/* ---- symbols ------------------------------------------------------------- */

struct symbols {
    struct web_req *q;
    size_t n;
    uint64_t pc[];
};

static void got_symbols(void *ud, const struct v23_verror *err,
    const v23_pprof_pprof_symbol_out *out)
{
    struct symbols *s = ud;
    struct v23_buf b;
    uint32_t i;

    v23_buf_init(&b, NULL, 16u << 20);
    if (err != NULL) {
        unavailable(s->q, err->msg);
    } else if (out->result.n != s->n) {
        v23_buf_printf(&b, "received the wrong number of results. Got %u, "
            "want %zu", (unsigned)out->result.n, s->n);
        unavailable(s->q, vdl_strn((const char *)b.p, b.n));
    } else {
        /* The tool wants a number above zero; which one does not matter. */
        v23_buf_puts(&b, "num_symbols: 1\n");
        for (i = 0; i < out->result.n; i++)
            if (out->result.v[i].n != 0) {
                v23_buf_printf(&b, "0x%llx ", (unsigned long long)s->pc[i]);
                v23_buf_put_str(&b, out->result.v[i]);
                v23_buf_put_byte(&b, '\n');
            }
        reply_buf(s->q, plain, &b);
        v23_put(NULL, s);
        return;
    }
    v23_buf_fini(&b);
    v23_put(NULL, s);
}

/* The number of one word; 0 if it is none. */
static uint64_t number(const char *p, size_t n)
{
    char word[32], *end;
    unsigned long long v;

    if (n == 0 || n >= sizeof(word) || *p == '-')
        return 0;
    memcpy(word, p, n);
    word[n] = 0;
    errno = 0;
    v = strtoull(word, &end, 0);
    return errno != 0 || *end != 0 ? 0 : v;
}

static void ask_symbols(struct proxy *x, struct web_req *q)
{
    struct v23_bytes text = web_is_post(q) ? web_body(q)
        : v23_bytes(web_query(q), strlen(web_query(q)));
    struct symbols *s = v23_get(NULL, sizeof(*s)
        + (text.n / 2 + 1) * sizeof(s->pc[0]));
    vdl_uint64_list l;
    size_t i, begin = 0;

    if (s == NULL) {
        unavailable(q, vdl_str("out of memory"));
        return;
    }
    s->q = q;
    s->n = 0;
    for (i = 0; i <= text.n; i++) {
        if (i < text.n && text.p[i] != '+')
            continue;
        s->pc[s->n] = number((const char *)text.p + begin, i - begin);
        if (s->pc[s->n] != 0)
            s->n++;
        begin = i + 1;
    }
    l.v = s->pc;
    l.n = (uint32_t)s->n;
    if (v23_pprof_pprof_symbol_start(x->client, x->name, &opts, l,
            got_symbols, s)
        == NULL) {
        unavailable(q, vdl_str("out of memory"));
        v23_put(NULL, s);
    }
}

/* ---- paths --------------------------------------------------------------- */

static void ask(void *ud, struct web_req *q, const char *path)
{
    static const char *const to_index[] = { "Location", "/pprof/", NULL };
    static const char lost[] = "404 page not found\n";
    struct proxy *x = ud;
    struct vrpc_call *call;

    if (strcmp(path, "/") == 0 || *path == 0) {
        web_reply(q, 307, to_index, v23_bytes(NULL, 0));
        return;
    }
    if (strcmp(path, "/pprof/symbol") == 0) {
        ask_symbols(x, q);
        return;
    }
    if (strcmp(path, "/pprof") == 0 || strcmp(path, "/pprof/") == 0) {
        call = v23_pprof_pprof_profiles_start(x->client, x->name, &opts,
            got_profiles, q);
    } else if (strcmp(path, "/pprof/cmdline") == 0) {
        call = v23_pprof_pprof_cmd_line_start(x->client, x->name, &opts,
            got_cmdline, q);
    } else {
        if (strncmp(path, "/pprof/", 7) != 0)
            web_reply(q, 404, plain, v23_bytes(lost, sizeof(lost) - 1));
        else
            proxy_send_profile(x->client, x->name, q, path + 7,
                strcmp(path + 7, "profile") == 0 ? octets : plain);
        return;
    }
    if (call == NULL)
        unavailable(q, vdl_str("out of memory"));
}

int proxy_open(struct proxy *x, struct vname_program *p, const char *name)
{
    x->client = p->rt.client;
    x->name = name;
    return web_open(p->rt.base, NULL, ask, x, &x->web);
}

void proxy_close(struct proxy *x)
{
    web_close(x->web);
    x->web = NULL;
}

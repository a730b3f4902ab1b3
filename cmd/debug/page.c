/* BSD-3-Clause; see LICENSE. */
/* The page's addresses: its files, and the questions it asks. */
#include "browse.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <vsec/acl.h>
#include <vsec/key.h>
#include <vsec/principal.h>

#include "assets.h"
#include "debug.h"
#include "pprof.h"

/*
 * Nothing of other places, nothing that is not in the three files; no frames
 * around the page; nobody learns its address.
 */
#define SAFE \
    "Content-Security-Policy", "default-src 'none'; script-src 'self'; " \
        "style-src 'self'; connect-src 'self'; img-src 'self'; " \
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " \
        "require-trusted-types-for 'script'; trusted-types 'none'", \
    "X-Content-Type-Options", "nosniff", \
    "X-Frame-Options", "DENY", \
    "Referrer-Policy", "no-referrer", \
    "Cross-Origin-Resource-Policy", "same-origin", \
    "Cross-Origin-Opener-Policy", "same-origin", \
    "Cache-Control", "no-store"

static const char *const plain[] = { "Content-Type",
    "text/plain; charset=utf-8", SAFE, NULL };
static const char *const lines[] = { "Content-Type",
    "application/x-ndjson; charset=utf-8", SAFE, NULL };

static void sentence(struct web_req *q, int code, const char *text)
{
    web_reply(q, code, plain, v23_bytes(text, strlen(text)));
}

/* ---- files --------------------------------------------------------------- */

static const char *type_of(const char *name)
{
    const char *dot = strrchr(name, '.');

    if (dot != NULL && strcmp(dot, ".css") == 0)
        return "text/css; charset=utf-8";
    if (dot != NULL && strcmp(dot, ".js") == 0)
        return "text/javascript; charset=utf-8";
    if (dot != NULL && strcmp(dot, ".svg") == 0)
        return "image/svg+xml";
    return "text/html; charset=utf-8";
}

/* A file of -assets, for who works on the page. */
static void send_file(const struct page *pg, struct web_req *q,
    const char *name, const char *const *headers)
{
    struct v23_buf b;
    char chunk[4096];
    FILE *f;
    size_t n;

    v23_buf_init(&b, NULL, 16u << 20);
    v23_buf_printf(&b, "%s/%s", pg->assets, name);
    f = fopen(v23_buf_cstr(&b), "rb");
    v23_buf_cut(&b, 0);
    if (f == NULL) {
        sentence(q, 404, strerror(errno));
    } else {
        while ((n = fread(chunk, 1, sizeof(chunk), f)) != 0)
            v23_buf_put(&b, chunk, n);
        fclose(f);
        web_reply(q, 200, headers, v23_bytes(b.p, b.n));
    }
    v23_buf_fini(&b);
}

static void send_asset(const struct page *pg, struct web_req *q,
    const char *name)
{
    const char *headers[] = { "Content-Type", type_of(name), SAFE, NULL };
    const struct asset *x = assets;

    while (x->name != NULL && strcmp(x->name, name) != 0)
        x++;
    if (x->name == NULL)
        sentence(q, 404, "There is no such page.");
    else if (*pg->assets != 0)
        send_file(pg, q, name, headers);
    else
        web_reply(q, 200, headers, v23_bytes(x->p, x->n));
}

/* ---- answers ------------------------------------------------------------- */

void put_key(struct v23_buf *b, const char *name)
{
    if (b->n != 0 && b->p[b->n - 1] != '{')
        v23_buf_put_byte(b, ',');
    vsec_json_put_text(b, vdl_str(name));
    v23_buf_put_byte(b, ':');
}

void put_text(struct v23_buf *b, const char *name, struct vdl_str s)
{
    put_key(b, name);
    vsec_json_put_text(b, s);
}

void put_int(struct v23_buf *b, const char *name, int64_t v)
{
    put_key(b, name);
    v23_buf_printf(b, "%lld", (long long)v);
}

void put_bool(struct v23_buf *b, const char *name, bool v)
{
    put_key(b, name);
    v23_buf_puts(b, v ? "true" : "false");
}

void put_element(struct v23_buf *b)
{
    if (b->n != 0 && b->p[b->n - 1] != '[')
        v23_buf_put_byte(b, ',');
}

static void send_line(struct answer *a)
{
    v23_buf_put_byte(&a->line, '\n');
    if (a->pg->log)
        v23_logf(&a->pg->p->rt.log, V23_LOG_INFO, "browse %s: %s", a->what,
            v23_buf_cstr(&a->line));
    web_put(a->q, a->line.p, a->line.n);
    v23_buf_cut(&a->line, 0);
}

void answer_line(struct answer *a)
{
    static const char too_long[] = "{\"problem\":\"Something is too long to "
        "be shown.\"}\n";

    a->n++;
    if (a->line.err != 0) {
        v23_buf_cut(&a->line, 0);
        web_put(a->q, too_long, sizeof(too_long) - 1);
    } else {
        send_line(a);
    }
    if (a->call != NULL && !a->paused && web_is_full(a->q)) {
        a->paused = true;
        vrpc_call_pause(a->call, true);
    }
}

static void cut_now(void *ud);

static void answer_free(struct answer *a)
{
    vrpc_runtime_cancel(&a->pg->p->rt, cut_now, a);
    web_watch(a->q, NULL, NULL, NULL);
    web_end(a->q);
    v23_buf_fini(&a->line);
    v23_arena_fini(&a->arena);
    v23_put(NULL, a);
}

/* What has ended while it was being started is freed by who starts it. */
static void over(struct answer *a)
{
    a->call = NULL;
    a->op = NULL;
    a->ended = true;
    if (!a->starting)
        answer_free(a);
}

void answer_end(struct answer *a, const struct v23_verror *err)
{
    if (a->cut)
        err = NULL; /* the cancellation was ours */
    if (a->line.err != 0 || err != NULL)
        v23_buf_cut(&a->line, 0);
    if (a->line.n == 0)
        v23_buf_put_byte(&a->line, '{');
    if (err == NULL) {
        put_bool(&a->line, "end", true);
        if (a->cut)
            put_bool(&a->line, "cut", true);
    } else {
        put_text(&a->line, "error", err->msg);
        put_text(&a->line, "id", err->id);
    }
    v23_buf_put_byte(&a->line, '}');
    send_line(a);
    over(a);
}

void answer_fail(struct answer *a, int rc)
{
    struct v23_verror err = { .msg = vdl_str(v23_strerror(rc)) };

    answer_end(a, &err);
}

static void cut_now(void *ud)
{
    struct answer *a = ud;
    struct vname_op *op = a->op;

    a->op = NULL;
    vname_op_cancel(op);
    answer_end(a, NULL);
}

void answer_cut(struct answer *a)
{
    if (a->cut)
        return;
    a->cut = true;
    if (a->call != NULL)
        vrpc_call_cancel(a->call);
    else
        (void)!vrpc_runtime_after(&a->pg->p->rt, 0, cut_now, a);
}

static void reader_gone(void *ud)
{
    struct answer *a = ud;
    struct vname_op *op = a->op;

    if (a->call != NULL) {
        if (a->paused)
            vrpc_call_pause(a->call, false);
        vrpc_call_cancel(a->call); /* its end is that of the answer */
    } else if (op != NULL) {
        a->op = NULL;
        vname_op_cancel(op);
        over(a);
    }
}

static void reader_ready(void *ud)
{
    struct answer *a = ud;

    if (a->paused && a->call != NULL && !web_is_full(a->q)) {
        a->paused = false;
        vrpc_call_pause(a->call, false);
    }
}

const char *answer_param(struct answer *a, const char *name)
{
    const char *s = web_param(a->q, name);

    return s == NULL ? "" : s;
}

const char *answer_join(struct answer *a, const char *name, const char *rest)
{
    size_t n = strlen(name), m = strlen(rest);
    char *s;

    while (n > 1 && name[n - 1] == '/')
        n--;
    s = v23_arena_get(&a->arena, n + m + 2, 1);
    if (s == NULL) {
        answer_fail(a, V23_ENOMEM);
        return NULL;
    }
    memcpy(s, name, n);
    if (n != 0 && m != 0)
        s[n++] = '/';
    memcpy(s + n, rest, m + 1);
    return s;
}

static void start(struct page *pg, struct web_req *q,
    const struct question_kind *k)
{
    static const struct vrpc_call_opts forever = VRPC_CALL_OPTS_INIT;
    struct answer *a = v23_new(NULL, struct answer);

    if (a == NULL) {
        sentence(q, 503, "There is no memory left.");
        return;
    }
    a->pg = pg;
    a->q = q;
    a->what = k->path;
    a->opts = k->forever ? forever : call_opts(pg->p);
    if (k->forever)
        a->opts.connect_timeout_ns = timeout_ns;
    a->ns_opts.deadline = deadline(pg->p);
    v23_arena_init(&a->arena, NULL, (size_t)PAGE_LINE * 4);
    v23_buf_init(&a->line, NULL, PAGE_LINE);
    web_start(q, 200, lines);
    web_watch(q, reader_gone, reader_ready, a);
    a->starting = true;
    k->start(a, answer_param(a, "n"));
    a->starting = false;
    if (a->ended)
        answer_free(a);
    else if (a->call == NULL && a->op == NULL)
        answer_fail(a, V23_ENOMEM);
}

/* ---- addresses ----------------------------------------------------------- */

static const struct question_kind *find(const struct question_kind *k,
    const char *path)
{
    while (k->path != NULL && strcmp(k->path, path) != 0)
        k++;
    return k->path == NULL ? NULL : k;
}

static void ask(struct page *pg, struct web_req *q, const char *path)
{
    static const char *const file[] = { "Content-Type",
        "application/octet-stream", "Content-Disposition", "attachment", SAFE,
        NULL };
    const struct question_kind *k = find(page_names, path);
    const char *name = web_param(q, "n"), *profile = web_param(q, "p");

    if (k == NULL)
        k = find(page_data, path);
    if (k != NULL)
        start(pg, q, k);
    else if (strcmp(path, "profile") == 0 && name != NULL && profile != NULL)
        proxy_send_profile(pg->client, name, q, profile,
            web_number(q, "debug", 0) == 0 ? file : plain);
    else
        sentence(q, 404, "There is no such question.");
}

/* Behind "/TOKEN/"; NULL if the token is not ours. */
static const char *behind_token(const struct page *pg, const char *path)
{
    if (path[0] != '/' || strlen(path) < PAGE_TOKEN + 1
        || !v23_ct_equal(path + 1, pg->token, PAGE_TOKEN)
        || (path[PAGE_TOKEN + 1] != '/' && path[PAGE_TOKEN + 1] != 0))
        return NULL;
    return path + PAGE_TOKEN + 1;
}

static void on_request(void *ud, struct web_req *q, const char *path)
{
    struct page *pg = ud;
    const char *rest = behind_token(pg, path);
    char home[PAGE_TOKEN + 3];
    const char *to_home[] = { "Location", home, SAFE, NULL };

    snprintf(home, sizeof(home), "/%s/", pg->token);
    if (rest == NULL)
        sentence(q, 403, "This page needs the address that debug browse has "
            "printed.\n");
    else if (web_is_post(q))
        sentence(q, 405, "Nothing can be changed here.");
    else if (*rest == 0)
        web_reply(q, 308, to_home, v23_bytes(NULL, 0));
    else if (strncmp(rest, "/api/", 5) == 0)
        ask(pg, q, rest + 5);
    else
        send_asset(pg, q, rest[1] == 0 ? "index.html" : rest + 1);
}

int page_open(struct page *pg, const char *addr)
{
    uint8_t raw[PAGE_TOKEN / 4 * 3];
    struct v23_buf b;
    int rc = vsec_random_fill(pg->principal->engine, raw, sizeof(raw));

    if (rc != 0)
        return v23_error("cannot make the page's address: %s",
            v23_strerror(rc));
    v23_buf_init_fixed(&b, pg->token, sizeof(pg->token));
    v23_base64_put(&b, raw, sizeof(raw), true);
    return web_open(pg->p->rt.base, addr, on_request, pg, &pg->web);
}

void page_close(struct page *pg)
{
    web_close(pg->web);
    pg->web = NULL;
}

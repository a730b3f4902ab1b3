/* BSD-3-Clause; see LICENSE. */
/*
 * Pages of 2016: edge-2016.jsonl, and ws2016-*.jsonl once more. What the page
 * said is said to a controller whose RPC layer goes nowhere: names are asked
 * for and never found. Looked at is what the controller does with it: which
 * names it asks for, which servers it makes and stops, and what its own objects
 * answer.
 */
#include <stdio.h>
#include <stdlib.h>

#define WORLD_WITHOUT_CHECK
#define WORLD_NODES 64
#include "../../librpc/test/world.h"

#include <vname/namespace.h>
#include <vom/dec.h>
#include <vom/enc.h>
#include <vom/value.h>
#include <wspr/controller.h>

#include "wspr_int.h"

enum { PAGES = WORLD_NODES, FINAL = 0, ERROR = 2, PLAIN = 99 };

struct page {
    int num; /* of the connection in the file */
    struct wspr_ctl *c; /* NULL: it has gone */
    struct wnode *n;
    struct vrpc_resolver resolver;
    struct vname_ns *ns;
    struct wspr_serving serving;
    char asked[256];  /* the last name that was to be resolved */
    char served[256]; /* the last one that was published */
    int stops, closes;
    int64_t last_id;  /* of the last message */
    int last_kind;
    size_t nsent;
    struct vdl_any last; /* an error, decoded */
    struct v23_arena a;
};

struct replay {
    struct run_case c;
    struct page pages[PAGES];
    size_t n;
    /* What the recorded proxy answered to a request. */
    struct recorded {
        int conn, id, kind;
    } *kinds;
    size_t nkinds;
};

static void copy_text(char *to, size_t n, struct vdl_str s)
{
    snprintf(to, n, "%.*s", (int)s.n, s.p);
}

/* ---- an RPC layer that goes nowhere -------------------------------------- */

static int ask_name(void *ud, struct v23_op op, struct vdl_str name,
    const struct vrpc_call_opts *opts, int64_t deadline, struct v23_arena *a,
    vdl_str_list *servers, const struct v23_verror **err)
{
    struct page *p = ud;

    (void)op;
    (void)opts;
    (void)deadline;
    (void)a;
    (void)servers;
    (void)err;
    copy_text(p->asked, sizeof(p->asked), name);
    return V23_EAGAIN;
}

static void forget_op(void *ud, struct v23_op op)
{
    (void)ud;
    (void)op;
}

static void forget_name(void *ud, struct vdl_str name)
{
    (void)ud;
    (void)name;
}

static int identity(void *ud, struct vrpc_client **c, struct vname_ns **ns)
{
    struct page *p = ud;

    *c = p->n->c;
    *ns = p->ns;
    return 0;
}

static int serve(void *ud, const struct vrpc_server_config *cfg,
    struct vdl_str name, struct wspr_serving **out)
{
    struct page *p = ud;

    (void)cfg;
    copy_text(p->served, sizeof(p->served), name);
    *out = &p->serving;
    return 0;
}

static int add_name(void *ud, struct wspr_serving *s, struct vdl_str name)
{
    struct page *p = ud;

    (void)s;
    copy_text(p->served, sizeof(p->served), name);
    return 0;
}

static void remove_name(void *ud, struct wspr_serving *s, struct vdl_str name)
{
    (void)s;
    (void)name;
    ((struct page *)ud)->served[0] = 0;
}

static void stop(void *ud, struct wspr_serving *s, void (*done)(void *ud),
    void *done_ud)
{
    (void)s;
    ((struct page *)ud)->stops++;
    done(done_ud);
}

/* ---- messages of the controller ------------------------------------------ */

/* The head of a message; of an error also what it says. */
static void take(void *ud, const char *text, size_t n)
{
    struct page *p = ud;
    struct v23_buf b;
    const uint8_t *at;
    uint64_t id = 0, kind = PLAIN;

    p->nsent++;
    v23_buf_init(&b, NULL, SIZE_MAX);
    if (v23_hex_parse(text, n, &b) == 0 && b.n > 0) {
        at = b.p;
        if (vom_get_uint(&at, b.p + b.n, &id) != 0 ||
            vom_get_uint(&at, b.p + b.n, &kind) != 0)
            kind = PLAIN;
        if (kind == ERROR)
            ck_assert_int_eq(
                vom_decode_single(at, (size_t)(b.p + b.n - at), NULL, &p->a,
                    NULL, &p->last, NULL),
                0);
    }
    v23_buf_fini(&b);
    p->last_id = (int64_t)id;
    p->last_kind = (int)kind;
}

static size_t queued(void *ud)
{
    (void)ud;
    return 0;
}

static void end(void *ud, int code, const char *why)
{
    (void)code;
    (void)why;
    ((struct page *)ud)->closes++;
}

static void timer(void *ud)
{
    (void)ud;
}

static const struct wspr_ctl_hooks hooks = {
    .send = take,
    .queued = queued,
    .close = end,
    .timer = timer,
    .identity = identity,
    .serve = serve,
    .add_name = add_name,
    .remove_name = remove_name,
    .stop = stop,
};

/* ---- pages --------------------------------------------------------------- */

static void page_begin(struct page *p)
{
    struct wspr_ctl_config cfg;
    struct vname_ns_config ncfg;

    ck_assert_int_eq(world_node(&W, "page", 0, &p->n), 0);
    v23_arena_init(&p->a, NULL, SIZE_MAX);
    memset(&ncfg, 0, sizeof(ncfg));
    ncfg.al = &W.t.al;
    ncfg.client = p->n->c;
    ck_assert_int_eq(vname_ns_new(&ncfg, &p->ns), 0);
    p->resolver.resolve = ask_name;
    p->resolver.cancel = forget_op;
    p->resolver.flush = forget_name;
    p->resolver.ud = p;
    vrpc_client_set_resolver(p->n->c, &p->resolver);
    memset(&cfg, 0, sizeof(cfg));
    cfg.al = &W.t.al;
    cfg.hooks = &hooks;
    cfg.ud = p;
    cfg.principal = p->n->principal;
    cfg.component = vdl_str("wsprd");
    cfg.protocol = WSPR_VOM;
    ck_assert_int_eq(wspr_ctl_new(&cfg, &p->c), 0);
}

static void closed(void *ud)
{
    *(bool *)ud = true;
}

/* False: something goes on though the page is gone. */
static bool page_end(struct page *p)
{
    bool over = false;

    if (p->c == NULL)
        return true;
    wspr_ctl_close(p->c, closed, &over);
    world_settle(&W);
    vname_ns_free(p->ns);
    wspr_ctl_free(p->c);
    v23_arena_fini(&p->a);
    p->c = NULL;
    return over;
}

static const char *text_of(const cJSON *o, const char *name)
{
    const char *s = cJSON_GetStringValue(cJSON_GetObjectItem(o, name));

    return s == NULL ? "" : s;
}

static int number_of(const cJSON *o, const char *name)
{
    const cJSON *v = cJSON_GetObjectItem(o, name);

    return cJSON_IsNumber(v) ? v->valueint : -1;
}

static void say(struct page *p, const char *text)
{
    p->last_kind = -1;
    p->last_id = -1;
    wspr_ctl_input(p->c, text, strlen(text), &W.now);
    world_settle(&W);
}

/* ---- transcripts --------------------------------------------------------- */

/* A text, also if it is shown as a value with its type. */
static const char *plain(const cJSON *v)
{
    if (cJSON_IsObject(v))
        v = cJSON_GetObjectItem(v, "val");
    return cJSON_IsString(v) ? v->valuestring : "";
}

static int recorded(const struct replay *r, int conn, int id)
{
    size_t i;

    for (i = 0; i < r->nkinds; i++)
        if (r->kinds[i].conn == conn && r->kinds[i].id == id)
            return r->kinds[i].kind;
    return -1;
}

/* Methods whose answer depends on nobody else. */
static bool is_ours(const char *method)
{
    static const char *const names[] = { "NewServer", "Stop", "AddName",
        "RemoveName", "BlessSelf", "BlessingStoreDefault",
        "BlessingStorePublicKey", "BlessingStorePeerBlessings",
        "BlessingStoreDebugString", "AddToRoots", "Roots", "DisableCache",
        "FlushCacheEntry" };
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(method, names[i]) == 0)
            return true;
    return false;
}

static bool own_call(struct replay *r, struct page *p, const char *method,
    const char *arg)
{
    struct run_case *c = &r->c;
    int id = number_of(c->json, "id"), want = recorded(r, p->num, id);

    if (!is_ours(method))
        return true;
    if (want >= 0 && (p->last_kind != want || (int)p->last_id != id))
        return run_fail(c, "%s: answer of kind %d on %d instead of %d on %d",
            method, p->last_kind, (int)p->last_id, want, id);
    if (strcmp(method, "NewServer") == 0 && want == FINAL &&
        strcmp(p->served, arg) != 0)
        return run_fail(c, "serves \"%s\", not \"%s\"", p->served, arg);
    if (strcmp(method, "Stop") == 0 && p->stops == 0)
        return run_fail(c, "nothing was stopped");
    return true;
}

static bool request(struct replay *r, struct page *p)
{
    struct run_case *c = &r->c;
    const cJSON *v = cJSON_GetObjectItem(c->json, "value");
    const char *name = plain(cJSON_GetObjectItem(v, "name"));
    const char *method = plain(cJSON_GetObjectItem(v, "method"));
    const cJSON *args = cJSON_GetObjectItem(c->json, "args");

    if (name[0] == '_')
        return own_call(r, p, method, plain(cJSON_GetArrayItem(args, 0)));
    if (name[0] != '/' && strcmp(p->asked, name) != 0)
        return run_fail(c, "asks for \"%s\", not \"%s\"", p->asked, name);
    return p->last_kind != ERROR ||
           run_fail(c, "an error without asking for the name");
}

static void from_page(struct replay *r, struct page *p)
{
    struct run_case *c = &r->c;
    char id[32];
    bool ok = true;

    say(p, text_of(c->json, "text"));
    c->why[0] = 0;
    if (p->closes > 0)
        ok = run_fail(c, "the connection was closed");
    else if (p->last_kind == PLAIN)
        ok = run_fail(c, "not understood");
    else if (number_of(c->json, "type") == 0 &&
             cJSON_IsObject(cJSON_GetObjectItem(c->json, "value")))
        ok = request(r, p);
    snprintf(id, sizeof(id), "controller n %d", number_of(c->json, "n"));
    run_result(c->file, id, ok, c->why);
}

/* The page of a connection, which begins here if it is not known yet; NULL:
 * there are too many. */
static struct page *page_of(struct replay *r, int conn)
{
    struct page *p;
    size_t i;

    for (i = 0; i < r->n; i++)
        if (r->pages[i].num == conn)
            return &r->pages[i];
    if (r->n == PAGES)
        return NULL;
    p = &r->pages[r->n++];
    p->num = conn;
    page_begin(p);
    return p;
}

static void learn(struct replay *r, const cJSON *json)
{
    int kind = number_of(json, "type");
    struct recorded *k;

    if (strcmp(text_of(json, "dir"), "s2c") != 0 ||
        (kind != FINAL && kind != ERROR))
        return;
    k = realloc(r->kinds, (r->nkinds + 1) * sizeof(*k));
    if (k == NULL)
        abort();
    r->kinds = k;
    k += r->nkinds++;
    k->conn = number_of(json, "conn");
    k->id = number_of(json, "id");
    k->kind = kind;
}

static void play(struct replay *r, const cJSON *json)
{
    struct page *p;

    if (!cJSON_HasObjectItem(json, "conn"))
        return; /* the description of the transcript */
    p = page_of(r, number_of(json, "conn"));
    if (p == NULL)
        run_result(r->c.file, "controller", false, "too many connections");
    else if (p->c == NULL)
        return; /* on its way when the connection ended */
    else if (strcmp(text_of(json, "ev"), "close") == 0)
        run_result(r->c.file, "close", page_end(p),
            "something goes on without the page");
    else if (strcmp(text_of(json, "dir"), "c2s") == 0 &&
             text_of(json, "text")[0] != 0)
        from_page(r, p);
}

static void each_line(struct replay *r, const char *path,
    void (*fn)(struct replay *r, const cJSON *json))
{
    char *all = tst_read_file(path, NULL), *p, *next;
    cJSON *json;

    if (all == NULL)
        abort();
    for (p = all; *p != 0; p = next) {
        next = strchr(p, '\n');
        if (next == NULL)
            next = p + strlen(p);
        else
            *next++ = 0;
        json = cJSON_Parse(p);
        r->c.json = json;
        fn(r, json);
        cJSON_Delete(json);
    }
    free(all);
}

static bool world_begin(void)
{
    memset(&W, 0, sizeof(W));
    tst_alloc_init(&W.t);
    return world_init(&W) == 0;
}

static bool world_end(void)
{
    world_fini(&W);
    return W.t.live == 0;
}

void wspr_replay(const char *dir, const char *companions, const char *path)
{
    struct replay *r = calloc(1, sizeof(*r));
    const char *slash = strrchr(path, '/');
    size_t i;

    (void)dir;
    (void)companions;
    if (r == NULL || !world_begin())
        abort();
    r->c.file = slash == NULL ? path : slash + 1;
    each_line(r, path, learn);
    each_line(r, path, play);
    for (i = 0; i < r->n; i++)
        (void)page_end(&r->pages[i]);
    run_result(r->c.file, "controller", world_end(), "memory is lost");
    free(r->kinds);
    free(r);
}

/* ---- cases --------------------------------------------------------------- */

/* Was the last answer what was recorded, but for words and ids of errors of
 * the old decoder? */
static bool same_answer(struct run_case *c, struct page *p, const char *want)
{
    struct page theirs;
    const struct v23_verror *we, *ge;
    bool ok = true;

    memset(&theirs, 0, sizeof(theirs));
    v23_arena_init(&theirs.a, NULL, SIZE_MAX);
    take(&theirs, want, strlen(want));
    if (theirs.last_kind != p->last_kind || theirs.last_id != p->last_id)
        ok = run_fail(c, "kind %d on %d", p->last_kind, (int)p->last_id);
    if (ok && p->last_kind == ERROR) {
        ck_assert_int_eq(vdl_convert(&theirs.a, &vdl_error_desc, &we,
                             theirs.last.type, theirs.last.val), 0);
        ck_assert_int_eq(vdl_convert(&theirs.a, &vdl_error_desc, &ge,
                             p->last.type, p->last.val), 0);
        ok = vdl_str_eq(we->id, ge->id) ||
             (we->id.n > 13 && memcmp(we->id.p, "v.io/v23/vom3", 13) == 0 &&
                 vrpc_err_is(ge, VRPC_ERR_INTERNAL)) ||
             run_fail(c, "error %.*s", (int)ge->id.n, ge->id.p);
        ok = ok && (we->retry == ge->retry || run_fail(c, "another action"));
        ok = ok &&
             (vdl_type_equal(theirs.last.type, p->last.type) ||
                 run_fail(c, "not of the type that pages know"));
    }
    v23_arena_fini(&theirs.a);
    return ok;
}

bool wspr_edge(struct run_case *c)
{
    const cJSON *sent = cJSON_GetObjectItem(c->json, "sent");
    const cJSON *want = cJSON_GetObjectItem(c->json, "received");
    const cJSON *one;
    struct page p;
    bool ok = true;

    if (wspr_is_about_frames(c))
        return wspr_frames(c);
    memset(&p, 0, sizeof(p));
    if (!world_begin())
        abort();
    page_begin(&p);
    cJSON_ArrayForEach(one, sent)
        say(&p, text_of(one, "payload"));
    if (p.nsent != (size_t)cJSON_GetArraySize(want) || p.closes > 0)
        ok = run_fail(c, "%d answers, %d ends", (int)p.nsent, p.closes);
    else if (p.nsent > 0)
        ok = same_answer(c, &p,
            text_of(cJSON_GetArrayItem(want, (int)p.nsent - 1), "payload"));
    ok = page_end(&p) && ok;
    return world_end() && ok;
}

/* BSD-3-Clause; see LICENSE. */
/*
 * Mount tables over an etcd in memory, in virtual time. Requests wait until the
 * world lets them be answered; it can lose them, before or after they have had
 * their effect, cut watches, and be out of reach.
 */
#ifndef ETCD_RIG_H
#define ETCD_RIG_H

#include "etcd_fake.h"
#include "etcd_int.h"
#include "table_text.h"

#define SEC V23_NS_PER_SEC
#define S1 "/h1:1"
#define S2 "/h2:2"
#define REPLICAS 3
#define OPEN "{\"Admin\":{\"In\":[\"root\"]},\"Read\":{\"In\":[\"...\"]}}"

struct call {
    bool there;
    unsigned endpoint;
    char path[64], token[64];
    char *body;
};

struct replica {
    struct vname_table *table;
    struct vname_etcd_core *core;
    struct vname_etcd_io io;
    struct call calls[VNAME_ETCD_SLOTS];
    bool watching;
    size_t next_event;
    unsigned piece; /* octets of a watch's piece; 0 = whole messages */
    bool no_events; /* the watch is silent */
};

static struct {
    struct tst_alloc t;
    struct vname_etcd_place place;
    struct replica r[REPLICAS];
    int64_t now_ns;
    bool down[2];      /* end points that do not answer */
    unsigned asked[2]; /* requests to each */
    unsigned lose;     /* one in so many requests is lost; 0 = none */
    uint32_t seed;
    size_t limit;      /* of answered requests of a kind, for tests */
    const char *path;  /* these requests are not answered; NULL = all are */
    const char *password;
    struct v23_arena arena;
    char log[16384];
} W;

static inline uint32_t w_dice(uint32_t n)
{
    W.seed = W.seed * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)W.seed * n) >> 32);
}

static inline void w_log(void *ud, enum v23_log_level level,
    const char *text)
{
    size_t n = strlen(W.log);

    (void)ud;
    (void)level;
    snprintf(W.log + n, sizeof(W.log) - n, "%s\n", text);
}

static const struct v23_log w_logger = { w_log, NULL, V23_LOG_INFO };

static inline int w_send(void *ud, unsigned slot, unsigned endpoint,
    const struct vname_etcd_request *r)
{
    struct replica *x = ud;
    struct call *c = &x->calls[slot];

    ck_assert(!c->there);
    c->there = true;
    c->endpoint = endpoint;
    snprintf(c->path, sizeof(c->path), "%s", r->path);
    snprintf(c->token, sizeof(c->token), "%s", r->token);
    c->body = fake_dup(r->body.p, r->body.n);
    W.asked[endpoint]++;
    return 0;
}

static inline void w_abort(void *ud, unsigned slot)
{
    struct replica *x = ud;

    free(x->calls[slot].body);
    x->calls[slot].body = NULL;
    x->calls[slot].there = false;
    if (slot == VNAME_ETCD_WATCH)
        x->watching = false;
}

static inline void w_wake(void *ud)
{
    (void)ud;
}

static inline void w_now(void *ud, struct v23_now *out)
{
    (void)ud;
    out->mono_ns = W.now_ns;
    out->wall.sec = 1700000000 + W.now_ns / SEC;
    out->wall.nanos = (int32_t)(W.now_ns % SEC);
}

/* 0, or V23_ENOMEM. */
static inline int w_open_limited(unsigned i, uint32_t max_nodes)
{
    struct vname_table_config tcfg = { .al = &W.t.al,
        .max_nodes_per_user = max_nodes };
    struct vname_etcd_core_config cfg = { .al = &W.t.al,
        .log = &w_logger,
        .place = &W.place,
        .password = W.password };
    struct replica *x = &W.r[i];
    int rc;

    memset(x, 0, sizeof(*x));
    x->io.send = w_send;
    x->io.abort = w_abort;
    x->io.wake = w_wake;
    x->io.now = w_now;
    x->io.ud = x;
    rc = vname_table_new(&tcfg, &x->table);
    if (rc != 0)
        return rc;
    cfg.table = x->table;
    cfg.io = &x->io;
    return vname_etcd_core_new_(&cfg, &x->core);
}

static inline void w_close(unsigned i)
{
    struct replica *x = &W.r[i];
    unsigned k;

    for (k = 0; k < VNAME_ETCD_SLOTS; k++)
        w_abort(x, k);
    vname_etcd_core_free_(x->core);
    vname_table_free(x->table);
    memset(x, 0, sizeof(*x));
}

/* ---- the world ----------------------------------------------------------- */

static inline void w_piece(struct replica *x, const char *p, size_t n)
{
    size_t step = x->piece == 0 ? n : x->piece, k;

    for (; n != 0 && x->watching; p += k, n -= k) {
        k = n < step ? n : step;
        vname_etcd_chunk_(x->core, 200, v23_bytes(p, k));
    }
}

/* {"result":{header MORE}} and the end of the line. */
static inline void w_message(struct replica *x, const char *more)
{
    struct v23_buf b;

    v23_buf_init(&b, NULL, SIZE_MAX);
    v23_buf_puts(&b, "{\"result\":{");
    fake_header(&b);
    v23_buf_puts(&b, more);
    v23_buf_puts(&b, "}}\n");
    w_piece(x, (const char *)b.p, b.n);
    v23_buf_fini(&b);
}

static inline void w_begin_watch(struct replica *x, const char *body)
{
    cJSON *o = cJSON_Parse(body);
    const cJSON *c = cJSON_GetObjectItemCaseSensitive(o, "create_request");
    int64_t from = fake_int(c, "start_revision");
    char text[128];

    cJSON_Delete(o);
    x->watching = true;
    for (x->next_event = 0; x->next_event < F.nevents
         && F.events[x->next_event].rev < from;)
        x->next_event++;
    if (from <= F.compacted) {
        snprintf(text, sizeof(text),
            ",\"canceled\":true,\"compact_revision\":\"%lld\"",
            (long long)F.compacted + 1);
        w_message(x, text);
    } else {
        w_message(x, ",\"created\":true");
    }
}

/* All events of the next revision. */
static inline bool w_event(struct replica *x)
{
    struct v23_buf b;
    int64_t rev;
    const char *comma = "";

    if (!x->watching || x->no_events || x->next_event >= F.nevents
        || F.events[x->next_event].rev > F.rev)
        return false;
    v23_buf_init(&b, NULL, SIZE_MAX);
    v23_buf_puts(&b, ",\"events\":[");
    rev = F.events[x->next_event].rev;
    for (; x->next_event < F.nevents && F.events[x->next_event].rev == rev;
         x->next_event++) {
        const struct fake_kv *e = &F.events[x->next_event];

        if (strncmp(e->key, "p/", 2) != 0)
            continue;
        v23_buf_printf(&b, "%s{%s\"kv\":", comma,
            e->value == NULL ? "\"type\":\"DELETE\"," : "");
        fake_put_kv(&b, e);
        v23_buf_puts(&b, "}");
        comma = ",";
    }
    v23_buf_puts(&b, "]");
    w_message(x, v23_buf_cstr(&b));
    v23_buf_fini(&b);
    return true;
}

static inline void w_answer(struct replica *x, unsigned slot)
{
    struct call c = x->calls[slot];
    struct v23_buf b;
    bool lost = W.lose != 0 && w_dice(W.lose) == 0;
    int status = 200;

    x->calls[slot].there = false;
    x->calls[slot].body = NULL;
    v23_buf_init(&b, NULL, SIZE_MAX);
    if (W.down[c.endpoint] || (lost && w_dice(2) == 0)) {
        vname_etcd_failed_(x->core, slot, "it cannot be reached");
    } else if (slot == VNAME_ETCD_WATCH) {
        w_begin_watch(x, c.body);
    } else {
        status = fake_answer(c.path, c.token, c.body, &b);
        if (lost)
            vname_etcd_failed_(x->core, slot, "the connection has failed");
        else
            vname_etcd_answer_(x->core, slot, status, v23_bytes(b.p, b.n));
    }
    v23_buf_fini(&b);
    free(c.body);
}

/* Let one thing happen; false: there is nothing but time to pass. */
static inline bool w_step(void)
{
    unsigned first = w_dice(REPLICAS), i, k, slot;

    for (i = 0; i < REPLICAS; i++) {
        struct replica *x = &W.r[(first + i) % REPLICAS];
        unsigned start = w_dice(VNAME_ETCD_SLOTS);

        if (x->core == NULL)
            continue;
        if (vname_etcd_deadline_(x->core) <= W.now_ns) {
            vname_etcd_tick_(x->core);
            return true;
        }
        if (w_dice(2) == 0 && w_event(x))
            return true;
        for (k = 0; k < VNAME_ETCD_SLOTS; k++) {
            slot = (start + k) % VNAME_ETCD_SLOTS;
            if (x->calls[slot].there
                && (W.path == NULL
                    || strcmp(W.path, x->calls[slot].path) != 0)) {
                w_answer(x, slot);
                return true;
            }
        }
        if (w_event(x))
            return true;
    }
    return false;
}

static inline void w_run(void)
{
    size_t steps = 0;

    while (w_step())
        ck_assert_uint_lt(++steps, 200000);
}

/* Let so much time pass, and all that it brings. */
static inline void w_pass(int64_t ns)
{
    int64_t end = W.now_ns + ns, next, at;
    unsigned i;

    for (;;) {
        w_run();
        next = end;
        for (i = 0; i < REPLICAS; i++)
            if (W.r[i].core != NULL) {
                at = vname_etcd_deadline_(W.r[i].core);
                next = at < next ? at : next;
            }
        if (W.now_ns >= end)
            return;
        W.now_ns = next > W.now_ns ? next : W.now_ns + 1;
    }
}

/* ---- operations ---------------------------------------------------------- */

struct waiting {
    struct vname_write w;
    struct vname_caller c;
    struct vdl_str who;
    v23_access_permissions perms;
    bool ended;
    char said[512];
    enum v23_retry retry;
};

static inline void w_done(void *ud, const struct v23_verror *err)
{
    struct waiting *x = ud;

    ck_assert(!x->ended);
    x->ended = true;
    snprintf(x->said, sizeof(x->said), "%s", table_said(err));
    if (err != NULL)
        x->retry = err->retry;
}

/* Begin an operation; *x stays where it is until it has ended. */
static inline void w_start(struct waiting *x, const char *who,
    enum vname_write_kind kind, const char *name)
{
    memset(x, 0, sizeof(*x));
    x->who = vdl_str(who);
    x->c.arena = &W.arena;
    x->c.names.v = &x->who;
    x->c.names.n = x->who.n != 0;
    x->c.now_ns = W.now_ns;
    x->w.kind = kind;
    x->w.name = vdl_str(name);
    x->w.done = w_done;
    x->w.ud = x;
}

static inline void w_go(struct waiting *x, unsigned i)
{
    const struct v23_verror *err
        = vname_table_write(W.r[i].table, &x->c, &x->w);

    if (err != &vname_waiting)
        w_done(x, err);
}

static inline void w_begin_mount(struct waiting *x, unsigned i,
    const char *who, const char *name, const char *server, uint32_t ttl)
{
    w_start(x, who, VNAME_WRITE_MOUNT, name);
    x->w.server = vdl_str(server);
    x->w.ttl = ttl;
    w_go(x, i);
}

static inline void w_begin_set(struct waiting *x, unsigned i,
    const char *who, const char *name, const char *json, const char *version)
{
    w_start(x, who, VNAME_WRITE_PERMISSIONS, name);
    x->perms = table_perms(json, &W.arena);
    x->w.perms = &x->perms;
    x->w.version = vdl_str(version);
    w_go(x, i);
}

/* What it said in the end. */
static inline const char *w_end(struct waiting *x)
{
    static char text[4][512];
    static unsigned next;
    char *p = text[next++ % 4];
    int i;

    w_run();
    for (i = 0; !x->ended && i < 1000; i++)
        w_pass(SEC / 10);
    ck_assert(x->ended);
    snprintf(p, 512, "%s", x->said);
    return p;
}

static inline const char *w_mount(unsigned i, const char *who,
    const char *name, const char *server, uint32_t ttl)
{
    struct waiting x;

    w_begin_mount(&x, i, who, name, server, ttl);
    return w_end(&x);
}

static inline const char *w_unmount(unsigned i, const char *who,
    const char *name, const char *server)
{
    struct waiting x;

    w_start(&x, who, VNAME_WRITE_UNMOUNT, name);
    x.w.server = vdl_str(server);
    w_go(&x, i);
    return w_end(&x);
}

static inline const char *w_delete(unsigned i, const char *who,
    const char *name, bool subtree)
{
    struct waiting x;

    w_start(&x, who, VNAME_WRITE_DELETE, name);
    x.w.subtree = subtree;
    w_go(&x, i);
    return w_end(&x);
}

static inline const char *w_set(unsigned i, const char *who,
    const char *name, const char *json, const char *version)
{
    struct waiting x;

    w_begin_set(&x, i, who, name, json, version);
    return w_end(&x);
}

static inline struct vname_caller *w_caller(const char *who)
{
    return table_caller(who, &W.arena, W.now_ns);
}

/* Time has passed on the way to etcd: to the nearest second. */
static inline const char *w_look(unsigned i, const char *who,
    const char *name)
{
    return table_look(W.r[i].table, w_caller(who), name, SEC / 2);
}

static inline const char *w_get(unsigned i, const char *who,
    const char *name)
{
    return table_get(W.r[i].table, w_caller(who), name);
}

static inline size_t w_nodes(unsigned i)
{
    return table_stats(W.r[i].table).nodes;
}

/* ---- begin and end ------------------------------------------------------- */

static inline void w_init(void)
{
    memset(&W, 0, sizeof(W));
    tst_alloc_init(&W.t);
    W.seed = 1;
    W.now_ns = 1000 * SEC;
    strcpy(W.place.endpoints[0].host, "one");
    strcpy(W.place.endpoints[1].host, "two");
    W.place.nendpoints = 2;
    strcpy(W.place.prefix, "p");
    v23_arena_init(&W.arena, NULL, SIZE_MAX);
    fake_init();
}

static inline void w_fini(void)
{
    unsigned i;

    for (i = 0; i < REPLICAS; i++)
        w_close(i);
    v23_arena_fini(&W.arena);
    fake_fini();
    ck_assert_uint_eq(W.t.live, 0);
}

/* Three tables that follow etcd. */
static inline void w_setup(void)
{
    unsigned i;

    w_init();
    for (i = 0; i < REPLICAS; i++)
        ck_assert_int_eq(w_open_limited(i, 0), 0);
    w_run();
    for (i = 0; i < REPLICAS; i++)
        ck_assert(vname_etcd_is_live_(W.r[i].core));
}

#endif

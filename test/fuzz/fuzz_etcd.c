/* BSD-3-Clause; see LICENSE. */
/*
 * Fuzz target of what etcd says: values of nodes, and answers at every stage.
 * The first byte chooses: 0 a value; 1 answers from the start; 2 answers to a
 * table that follows etcd already.
 *
 * Answers are a script. A byte says what happens: 0 to 7, the answer to the
 * request in that slot, or nothing if none is there; 8 a piece of the watch; 9
 * time passes; 10 a mount; 11 an unmount; 12 permissions are set; 13 a request
 * fails. Answers and pieces have two bytes of length, and the octets.
 */
#include <stdio.h>

#include <v23/time.h>

#include "fuzz.h"
#include "etcd_int.h"

#define MAX_WRITES 64

static struct {
    int64_t now_ns;
    bool asked[VNAME_ETCD_SLOTS];
    struct vname_table *table;
    struct vname_etcd_core *core;
    struct v23_arena arena;
    struct vname_write writes[MAX_WRITES];
    size_t nwrites, ended;
} X;

static int send_request(void *ud, unsigned slot, unsigned endpoint,
    const struct vname_etcd_request *r)
{
    (void)ud;
    check(endpoint < 2 && r->path[0] == '/' && r->body.n != 0);
    check(!X.asked[slot]);
    X.asked[slot] = true;
    return 0;
}

static void abort_request(void *ud, unsigned slot)
{
    (void)ud;
    X.asked[slot] = false;
}

static void wake(void *ud)
{
    (void)ud;
}

static void tell_time(void *ud, struct v23_now *out)
{
    (void)ud;
    out->mono_ns = X.now_ns;
    out->wall.sec = 1700000000 + X.now_ns / V23_NS_PER_SEC;
    out->wall.nanos = (int32_t)(X.now_ns % V23_NS_PER_SEC);
}

static const struct vname_etcd_io io = { send_request, abort_request, wake,
    tell_time, NULL };

/* ---- values -------------------------------------------------------------- */

/* What is read is written in one form, which is read as the same. */
static void value(struct v23_bytes text)
{
    struct v23_now now = { 0, { 1700000000, 0 } };
    struct vname_change ch, again;
    struct v23_buf one, two;
    struct v23_arena a;

    v23_arena_init(&a, NULL, 64u << 20);
    v23_buf_init(&one, NULL, SIZE_MAX);
    v23_buf_init(&two, NULL, SIZE_MAX);
    if (vname_etcd_read_(text, &now, &a, &ch) == 0) {
        check(vname_etcd_write_(&ch, &now, &one) == 0);
        check(vname_etcd_read_(v23_bytes(one.p, one.n), &now, &a, &again)
            == 0);
        check(vname_etcd_write_(&again, &now, &two) == 0);
        check(one.n == two.n && memcmp(one.p, two.p, one.n) == 0);
    }
    v23_buf_fini(&one);
    v23_buf_fini(&two);
    v23_arena_fini(&a);
}

/* ---- answers ------------------------------------------------------------- */

static void done(void *ud, const struct v23_verror *err)
{
    (void)ud;
    (void)err;
    X.ended++;
}

static void write_something(unsigned kind, uint8_t which)
{
    static const struct vdl_str me = VDL_STR_INIT("me");
    static const char *const names[] = { "a", "a/b", "a/b/c", "d" };
    static const v23_access_permissions nobody = { NULL, 0 };
    struct vname_caller c = { .arena = &X.arena,
        .names = { &me, 1 },
        .now_ns = X.now_ns };
    struct vname_write *w = &X.writes[X.nwrites];

    if (X.nwrites == MAX_WRITES)
        return;
    X.nwrites++;
    w->kind = kind == 10 ? VNAME_WRITE_MOUNT
        : kind == 11     ? VNAME_WRITE_UNMOUNT
                         : VNAME_WRITE_PERMISSIONS;
    w->name = vdl_str(names[which % 4]);
    w->server = vdl_str(which & 4 ? "/h:1" : "/h:2");
    w->ttl = which & 8 ? 1 : 60;
    w->perms = &nobody;
    w->version = vdl_str(which & 16 ? "" : "1");
    w->done = done;
    if (vname_table_write(X.table, &c, w) != &vname_waiting)
        X.ended++;
}

static void tick(void)
{
    if (vname_etcd_deadline_(X.core) <= X.now_ns)
        vname_etcd_tick_(X.core);
}

static struct v23_bytes take(const uint8_t **p, size_t *n)
{
    size_t len = *n < 2 ? 0 : (size_t)(*p)[0] << 8 | (*p)[1];
    struct v23_bytes v;

    *p += *n < 2 ? *n : 2;
    *n -= *n < 2 ? *n : 2;
    len = len < *n ? len : *n;
    v = v23_bytes(*p, len);
    *p += len;
    *n -= len;
    return v;
}

static void step(unsigned what, const uint8_t **p, size_t *n)
{
    struct v23_bytes v;

    if (what <= 8) {
        v = take(p, n);
        if (what == 8 && X.asked[VNAME_ETCD_WATCH]) {
            vname_etcd_chunk_(X.core, 200, v);
        } else if (what > 0 && what < VNAME_ETCD_SLOTS && X.asked[what]) {
            X.asked[what] = false;
            vname_etcd_answer_(X.core, what,
                v.n != 0 && v.p[0] == '!' ? 500 : 200, v);
        }
    } else if (what == 9) {
        X.now_ns += 300 * V23_NS_PER_MS;
    } else if (what <= 12 && *n != 0) {
        write_something(what, **p);
        ++*p, --*n;
    } else if (what == 13 && *n != 0) {
        unsigned slot = **p % VNAME_ETCD_SLOTS;

        ++*p, --*n;
        if (X.asked[slot]) {
            X.asked[slot] = false;
            vname_etcd_failed_(X.core, slot, "gone");
        }
    }
    tick();
}

static void answer(unsigned slot, const char *text)
{
    if (!X.asked[slot])
        return;
    X.asked[slot] = slot == VNAME_ETCD_WATCH;
    if (slot == VNAME_ETCD_WATCH)
        vname_etcd_chunk_(X.core, 200, v23_bytes(text, strlen(text)));
    else
        vname_etcd_answer_(X.core, slot, 200,
            v23_bytes(text, strlen(text)));
}

#define HEAD "\"header\":{\"cluster_id\":\"7\",\"revision\":\"2\"}"

static void answers(const uint8_t *p, size_t n, bool live)
{
    static const struct vname_etcd_place place = { .endpoints
        = { { "one", 1 }, { "two", 2 } },
        .nendpoints = 2,
        .prefix = "p" };
    struct vname_table_config tcfg = { .max_nodes_per_user = 10 };
    struct vname_etcd_core_config cfg = { .place = &place, .io = &io };
    unsigned i;

    memset(&X, 0, sizeof(X));
    v23_arena_init(&X.arena, NULL, SIZE_MAX);
    check(vname_table_new(&tcfg, &X.table) == 0);
    cfg.table = X.table;
    check(vname_etcd_core_new_(&cfg, &X.core) == 0);
    tick();
    if (live) {
        answer(VNAME_ETCD_ASK, "{" HEAD ",\"succeeded\":true}");
        answer(VNAME_ETCD_ASK, "{" HEAD "}");
        answer(VNAME_ETCD_WATCH,
            "{\"result\":{" HEAD ",\"created\":true}}\n");
        check(vname_etcd_is_live_(X.core));
    }
    while (n != 0) {
        unsigned what = *p++ % 14;

        n--;
        step(what, &p, &n);
    }
    /* Whoever waits hears the end of it. */
    for (i = 0; i < 100 && X.ended < X.nwrites; i++) {
        X.now_ns += V23_NS_PER_SEC;
        tick();
    }
    check(X.ended == X.nwrites);
    vname_etcd_core_free_(X.core);
    vname_table_free(X.table);
    v23_arena_fini(&X.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    if (n == 0 || n > 65536)
        return 0;
    if (p[0] % 3 == 0)
        value(v23_bytes(p + 1, n - 1));
    else
        answers(p + 1, n - 1, p[0] % 3 == 2);
    return 0;
}

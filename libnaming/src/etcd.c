/* BSD-3-Clause; see LICENSE. */
/*
 * How a table follows etcd: a token if there is a user, the format of the keys,
 * all of them in pages at one revision, and then a watch (etcd_watch.c) from
 * the next revision on. The watch alone changes the table, so it changes in the
 * order of etcd.
 *
 * Whatever goes wrong ends at RESTING and begins again with the next end point;
 * only the watch is made anew as long as etcd can tell what has happened since.
 */
#include <stdarg.h>
#include <stdio.h>

#include "etcd_core.h"

#define FORMAT "vanadium mount table 1"
#define FIRST_LIMIT 1000
#define MAX_LIMIT 20000
/* A page should take long neither to send nor to apply. */
#define SMALL_PAGE (1u << 20)
#define LARGE_PAGE (4u << 20)
#define FIRST_REST_NS (50 * V23_NS_PER_MS)
#define MAX_REST_NS (5 * V23_NS_PER_SEC)
#define GO_ON_NS (250 * V23_NS_PER_MS)

void vname_etcd_look_at_clock_(struct vname_etcd_core *e)
{
    e->io->now(e->io->ud, &e->now);
}

/* ---- trouble ------------------------------------------------------------- */

static void stop_all(struct vname_etcd_core *e)
{
    unsigned i;

    for (i = 0; i < VNAME_ETCD_SLOTS; i++)
        e->io->abort(e->io->ud, i);
    v23_buf_cut(&e->line, 0);
}

static void rest(struct vname_etcd_core *e)
{
    unsigned round = e->tries / (unsigned)e->place->nendpoints, i;
    int64_t ns = 0;

    e->tries += e->tries < 1000;
    for (i = 0; i < round && ns < MAX_REST_NS; i++)
        ns = ns == 0 ? FIRST_REST_NS : 2 * ns;
    e->state = RESTING;
    e->until_ns = e->now.mono_ns + (ns > MAX_REST_NS ? MAX_REST_NS : ns);
}

/* The same trouble once a time is enough. */
static void complain(struct vname_etcd_core *e)
{
    if (!e->logged)
        v23_logf(e->log, V23_LOG_WARN, "etcd at %s:%u: %s",
            e->place->endpoints[e->endpoint].host,
            (unsigned)e->place->endpoints[e->endpoint].port, e->why);
    e->logged = e->tries >= e->place->nendpoints;
}

void vname_etcd_lost_(struct vname_etcd_core *e, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(e->why, sizeof(e->why), fmt, ap);
    va_end(ap);
    complain(e);
    stop_all(e);
    e->endpoint = (e->endpoint + 1) % (unsigned)e->place->nendpoints;
    rest(e);
    vname_etcd_give_up_(e);
    e->io->wake(e->io->ud);
}

static void fatal(struct vname_etcd_core *e, const char *text)
{
    e->fatal = true;
    vname_etcd_lost_(e, "%s", text);
}

/* Codes of gRPC. */
enum {
    INVALID_ARGUMENT = 3,
    PERMISSION_DENIED = 7,
    OUT_OF_RANGE = 11,
    UNAUTHENTICATED = 16
};

void vname_etcd_refused_(struct vname_etcd_core *e,
    const struct vname_etcd_fault *f)
{
    if (f->code == UNAUTHENTICATED)
        e->token[0] = 0; /* an old one: ask for another */
    if (f->code == PERMISSION_DENIED
        || (f->code == INVALID_ARGUMENT && e->state == ASKING_FOR_TOKEN))
        fatal(e, f->text);
    else
        vname_etcd_lost_(e, "%s", f->text);
}

bool vname_etcd_see_(struct vname_etcd_core *e,
    const struct vname_etcd_header *h, int64_t floor)
{
    bool other = e->cluster != 0 && h->cluster != 0
        && h->cluster != e->cluster;

    if (!other && h->revision >= floor) {
        if (h->cluster != 0)
            e->cluster = h->cluster;
        if (h->revision > e->seen_rev)
            e->seen_rev = h->revision;
        return true;
    }
    e->cluster = h->cluster;
    e->seen_rev = h->revision;
    e->must_read = true;
    if (e->state == READING && e->read_rev == 0)
        return true; /* that is just what is being done */
    vname_etcd_lost_(e, other
            ? "this is another cluster than before"
            : "revisions go back: etcd was restored from a copy");
    return false;
}

int vname_etcd_post_(struct vname_etcd_core *e, unsigned slot,
    const char *path, const struct v23_buf *body)
{
    struct vname_etcd_request r = { path, e->token,
        { body->p, body->n } };
    int rc = body->err;

    if (rc == 0)
        rc = e->io->send(e->io->ud, slot, e->endpoint, &r);
    if (rc != 0)
        vname_etcd_lost_(e, "cannot ask: %s", v23_strerror(rc));
    return rc;
}

/* ---- asking -------------------------------------------------------------- */

/* Into a state that ends with the answer to a request. */
static void ask(struct vname_etcd_core *e, enum state state, unsigned slot,
    const char *path, struct v23_buf *body)
{
    e->state = state;
    e->until_ns = e->now.mono_ns
        + (state == READING ? READ_PATIENCE_NS : ASK_PATIENCE_NS);
    (void)vname_etcd_post_(e, slot, path, body);
    v23_buf_fini(body);
}

static void ask_for_token(struct vname_etcd_core *e)
{
    struct v23_buf b;

    v23_buf_init(&b, e->al, 1u << 16);
    v23_buf_puts(&b, "{\"name\":");
    vname_etcd_put_text_(&b, e->place->user);
    v23_buf_puts(&b, ",\"password\":");
    vname_etcd_put_text_(&b, e->password == NULL ? "" : e->password);
    v23_buf_puts(&b, "}");
    e->state = ASKING_FOR_TOKEN;
    e->until_ns = e->now.mono_ns + ASK_PATIENCE_NS;
    (void)vname_etcd_post_(e, VNAME_ETCD_ASK, "/v3/auth/authenticate", &b);
    if (b.p != NULL)
        v23_wipe(b.p, b.n);
    v23_buf_fini(&b);
}

/* Who comes first says which form the keys have. */
static void ask_format(struct vname_etcd_core *e)
{
    struct v23_buf b, key;

    v23_buf_init(&b, e->al, 1u << 16);
    v23_buf_init(&key, e->al, 1024);
    vname_etcd_put_key_(e, "/format", vdl_str(""), &key);
    v23_buf_puts(&b, "{\"compare\":[{\"target\":\"MOD\",\"key\":");
    vname_etcd_put64_(&b, v23_bytes(key.p, key.n));
    v23_buf_puts(&b, "}],\"success\":[{\"request_put\":{\"key\":");
    vname_etcd_put64_(&b, v23_bytes(key.p, key.n));
    v23_buf_puts(&b, ",\"value\":");
    vname_etcd_put64_(&b, v23_bytes(FORMAT, strlen(FORMAT)));
    v23_buf_puts(&b, "}}],\"failure\":[{\"request_range\":{\"key\":");
    vname_etcd_put64_(&b, v23_bytes(key.p, key.n));
    v23_buf_puts(&b, "}}]}");
    if (key.err != 0)
        b.err = key.err;
    v23_buf_fini(&key);
    ask(e, ASKING_FORMAT, VNAME_ETCD_ASK, "/v3/kv/txn", &b);
}

static void ask_for_page(struct vname_etcd_core *e)
{
    struct v23_buf b;

    v23_buf_init(&b, e->al, 1u << 16);
    e->floor = e->seen_rev;
    v23_buf_puts(&b, "{");
    vname_etcd_put_range_(e, &b, &e->from);
    v23_buf_printf(&b, ",\"limit\":\"%lld\"", (long long)e->limit);
    if (e->read_rev != 0)
        v23_buf_printf(&b, ",\"revision\":\"%lld\"", (long long)e->read_rev);
    v23_buf_puts(&b, "}");
    ask(e, READING, VNAME_ETCD_ASK, "/v3/kv/range", &b);
}

static void ask_for_all(struct vname_etcd_core *e)
{
    e->must_read = true;
    e->read_rev = 0;
    v23_buf_cut(&e->from, 0);
    vname_table_reread_begin(e->table);
    ask_for_page(e);
}

static void ask_to_watch(struct vname_etcd_core *e)
{
    struct v23_buf b;

    v23_buf_init(&b, e->al, 1u << 16);
    v23_buf_puts(&b, "{\"create_request\":{");
    vname_etcd_put_range_(e, &b, NULL);
    v23_buf_printf(&b, ",\"start_revision\":\"%lld\"}}",
        (long long)e->rev + 1);
    v23_buf_cut(&e->line, 0);
    ask(e, WATCHING, VNAME_ETCD_WATCH, "/v3/watch", &b);
}

static void begin(struct vname_etcd_core *e)
{
    if (e->place->user[0] != 0 && e->token[0] == 0)
        ask_for_token(e);
    else if (e->must_read)
        ask_format(e);
    else
        ask_to_watch(e);
}

/* ---- answers ------------------------------------------------------------- */

static int got_token(struct vname_etcd_core *e, const cJSON *doc)
{
    const cJSON *t = cJSON_GetObjectItemCaseSensitive(doc, "token");

    if (!cJSON_IsString(t) || t->valuestring[0] == 0
        || strlen(t->valuestring) >= sizeof(e->token)
        || strpbrk(t->valuestring, "\r\n") != NULL)
        return V23_ETEXT;
    memcpy(e->token, t->valuestring, strlen(t->valuestring) + 1);
    begin(e);
    return 0;
}

static int format_of(struct vname_etcd_core *e, const cJSON *doc,
    struct vname_etcd_kv *kv)
{
    const cJSON *v, *range, *kvs;
    int rc = vname_etcd_array_(doc, "responses", &v);

    if (rc == 0)
        rc = vname_etcd_object_(cJSON_GetArrayItem(v, 0), "response_range",
            &range);
    if (rc == 0)
        rc = vname_etcd_array_(range, "kvs", &kvs);
    return rc != 0 ? rc
                   : vname_etcd_kv_(cJSON_GetArrayItem(kvs, 0), &e->scratch,
                       kv);
}

static int got_format(struct vname_etcd_core *e, const cJSON *doc)
{
    struct vname_etcd_header h;
    struct vname_etcd_kv kv;
    bool new;
    int rc = vname_etcd_header_(doc, &h);

    if (rc == 0)
        rc = vname_etcd_bool_(doc, "succeeded", &new);
    if (rc == 0 && !new)
        rc = format_of(e, doc, &kv);
    if (rc != 0)
        return rc;
    if (!new
        && (kv.value.n != strlen(FORMAT)
            || memcmp(kv.value.p, FORMAT, kv.value.n) != 0)) {
        fatal(e, "the keys below this prefix have another format");
        return 0;
    }
    ask_for_all(e);
    return 0;
}

static int take_page(struct vname_etcd_core *e, const cJSON *kvs, bool more)
{
    struct vname_etcd_kv kv = { { NULL, 0 }, { NULL, 0 }, 0, false };
    const cJSON *x;
    int rc = 0;

    cJSON_ArrayForEach(x, kvs)
    {
        rc = vname_etcd_kv_(x, &e->scratch, &kv);
        if (rc == 0)
            rc = vname_etcd_take_(e, &kv);
        if (rc != 0)
            return rc;
    }
    if (more && kv.key.n == 0)
        return V23_ETEXT; /* this would never end */
    v23_buf_cut(&e->from, 0);
    v23_buf_put(&e->from, kv.key.p, kv.key.n);
    v23_buf_put_byte(&e->from, 0);
    return e->from.err;
}

static int got_page(struct vname_etcd_core *e, const cJSON *doc, size_t size)
{
    struct vname_etcd_header h;
    const cJSON *kvs;
    bool more;
    int rc = vname_etcd_header_(doc, &h);

    if (rc == 0)
        rc = vname_etcd_bool_(doc, "more", &more);
    if (rc == 0)
        rc = vname_etcd_array_(doc, "kvs", &kvs);
    if (rc == 0 && h.revision == 0)
        rc = V23_ETEXT;
    if (rc != 0 || !vname_etcd_see_(e, &h, e->floor))
        return rc;
    if (e->read_rev == 0)
        e->read_rev = h.revision;
    rc = take_page(e, kvs, more);
    if (rc != 0)
        return rc;
    e->why[0] = 0; /* it gets on */
    if (size < SMALL_PAGE && e->limit < MAX_LIMIT)
        e->limit *= 2;
    else if (size > LARGE_PAGE && e->limit > 1)
        e->limit /= 2;
    if (more) {
        ask_for_page(e);
        return 0;
    }
    vname_table_reread_end(e->table);
    e->rev = e->read_rev;
    e->must_read = false;
    ask_to_watch(e);
    return 0;
}

void vname_etcd_not_understood_(struct vname_etcd_core *e, int rc)
{
    if (rc == V23_ENOMEM || rc == V23_ELIMIT) {
        e->must_read = true; /* a part of it may be missing now */
        vname_etcd_lost_(e, "out of memory");
    } else {
        vname_etcd_lost_(e, "an answer is malformed");
    }
}

void vname_etcd_answer_(struct vname_etcd_core *e, unsigned slot, int status,
    struct v23_bytes body)
{
    struct vname_etcd_fault f;
    cJSON *doc;
    int rc = V23_ETEXT;

    vname_etcd_look_at_clock_(e);
    if (slot >= VNAME_ETCD_TXN) {
        vname_etcd_answered_(e, &e->batches[slot - VNAME_ETCD_TXN], status,
            body);
        return;
    }
    if (status != 200) {
        vname_etcd_fault_(status, body, &f);
        if (f.code == OUT_OF_RANGE && e->state == READING)
            ask_for_all(e); /* forgotten while it was read */
        else
            vname_etcd_refused_(e, &f);
        return;
    }
    doc = cJSON_ParseWithLength((const char *)body.p, body.n);
    if (!cJSON_IsObject(doc))
        rc = V23_ETEXT;
    else if (e->state == ASKING_FOR_TOKEN)
        rc = got_token(e, doc);
    else if (e->state == ASKING_FORMAT)
        rc = got_format(e, doc);
    else if (e->state == READING)
        rc = got_page(e, doc, body.n);
    cJSON_Delete(doc);
    if (rc != 0)
        vname_etcd_not_understood_(e, rc);
}

void vname_etcd_failed_(struct vname_etcd_core *e, unsigned slot,
    const char *why)
{
    vname_etcd_look_at_clock_(e);
    if (e->state == READING && slot == VNAME_ETCD_ASK && e->limit > 16)
        e->limit /= 2; /* maybe it was too much */
    vname_etcd_lost_(e, "%s", why);
}

/* ---- time ---------------------------------------------------------------- */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t vname_etcd_deadline_(const struct vname_etcd_core *e)
{
    int64_t at = earlier(e->until_ns, vname_etcd_batches_deadline_(e));

    if (e->state == LIVE)
        at = earlier(at, earlier(e->owed_ns, e->sweep_ns));
    if (vname_table_waiting(e->table) != 0)
        at = earlier(at, e->go_on_ns);
    return at;
}

static void look_after(struct vname_etcd_core *e)
{
    if (e->rev >= e->owed_rev)
        e->owed_ns = V23_NEVER;
    if (e->now.mono_ns >= e->owed_ns) {
        vname_etcd_lost_(e, "the watch is silent");
        return;
    }
    vname_etcd_settle_(e);
    if (e->state == LIVE && e->now.mono_ns >= e->sweep_ns) {
        e->sweep_ns = e->now.mono_ns + SWEEP_NS;
        vname_etcd_sign_of_life_(e);
        vname_table_sweep(e->table, e->now.mono_ns);
    }
    vname_etcd_flush_(e);
}

void vname_etcd_tick_(struct vname_etcd_core *e)
{
    vname_etcd_look_at_clock_(e);
    if (e->now.mono_ns >= e->until_ns) {
        if (e->state == RESTING)
            begin(e);
        else
            vname_etcd_lost_(e, "it does not answer in time");
    }
    if (e->state == LIVE)
        look_after(e);
    if (e->now.mono_ns >= e->go_on_ns) {
        e->go_on_ns = e->now.mono_ns + GO_ON_NS;
        vname_table_go_on(e->table, e->now.mono_ns, e->why);
        vname_etcd_flush_(e);
    }
}

/* ---- life ---------------------------------------------------------------- */

int vname_etcd_core_new_(const struct vname_etcd_core_config *cfg,
    struct vname_etcd_core **out)
{
    struct vname_etcd_core *e = v23_new(cfg->al, struct vname_etcd_core);

    if (e == NULL)
        return V23_ENOMEM;
    e->al = cfg->al;
    e->log = cfg->log;
    e->place = cfg->place;
    e->password = cfg->password;
    e->table = cfg->table;
    e->io = cfg->io;
    e->must_read = true;
    e->limit = FIRST_LIMIT;
    v23_buf_init(&e->from, e->al, VNAME_ETCD_MAX_ANSWER);
    v23_buf_init(&e->line, e->al, VNAME_ETCD_MAX_ANSWER);
    v23_buf_init(&e->scratch, e->al, VNAME_ETCD_MAX_ANSWER);
    v23_arena_init(&e->arena, e->al, VNAME_ETCD_MAX_ANSWER);
    vname_etcd_look_at_clock_(e);
    e->state = RESTING;
    e->until_ns = e->heard_ns = e->go_on_ns = e->now.mono_ns;
    e->owed_ns = V23_NEVER;
    vname_etcd_store_init_(e);
    *out = e;
    return 0;
}

void vname_etcd_core_free_(struct vname_etcd_core *e)
{
    if (e == NULL)
        return;
    vname_etcd_store_fini_(e);
    v23_wipe(e->token, sizeof(e->token));
    v23_buf_fini(&e->from);
    v23_buf_fini(&e->line);
    v23_buf_fini(&e->scratch);
    v23_arena_fini(&e->arena);
    v23_put(e->al, e);
}

bool vname_etcd_is_live_(const struct vname_etcd_core *e)
{
    return e->state == LIVE;
}

const char *vname_etcd_why_(const struct vname_etcd_core *e)
{
    return e->why;
}

bool vname_etcd_is_fatal_(const struct vname_etcd_core *e)
{
    return e->fatal;
}

void vname_etcd_facts_(const struct vname_etcd_core *e,
    struct vname_etcd_facts *out)
{
    struct v23_now now;

    e->io->now(e->io->ud, &now);
    out->endpoint = e->endpoint;
    out->age_ns = now.mono_ns - e->heard_ns;
    out->revision = e->rev;
    out->batches = e->nbatches;
    out->operations = e->nops;
}

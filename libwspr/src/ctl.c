/* BSD-3-Clause; see LICENSE. */
/*
 * The controller of one websocket: its life, its limits, and what is sent.
 */
#include "wspr_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MESSAGE (16u << 20)
#define QUEUE (4u << 20)
#define STREAM (1u << 20)
#define NAMES (64u << 10)
#define ANSWER_NS (60 * V23_NS_PER_SEC)
/* Memory of the output that an idle websocket keeps. */
#define KEEP_MAX 4096u
/* Silent for that long, or up to twice, it gives back what it keeps for a
 * steady flow of messages: two thirds of what a page costs that has called. */
#define REST_NS V23_NS_PER_SEC
/* How far beyond its share the socket may be before the page is cut off. */
#define PATIENCE 4u

/* ---- small things -------------------------------------------------------- */

struct v23_errctx wspr_ctl_ctx_(const struct wspr_ctl *c)
{
    struct v23_errctx ctx;

    ctx.component = c->cfg.component;
    ctx.op = vdl_strn(NULL, 0);
    return ctx;
}

struct v23_now wspr_ctl_now_(const struct wspr_ctl *c)
{
    if (c->client == NULL)
        return c->now;
    return vrpc_manager_now(vrpc_client_manager(c->client));
}

int64_t wspr_ctl_id_(struct wspr_ctl *c)
{
    int64_t id = c->next_id;

    c->next_id += 2;
    return id;
}

static struct vdl_str change_first(struct v23_arena *a, struct vdl_str s,
    bool upper)
{
    char *p;
    bool differs = s.n > 0 &&
                   (upper ? s.p[0] >= 'a' && s.p[0] <= 'z'
                          : s.p[0] >= 'A' && s.p[0] <= 'Z');

    if (!differs)
        return s;
    p = v23_arena_dup(a, s.p, s.n);
    if (p == NULL)
        return s;
    p[0] = (char)(p[0] ^ ('a' ^ 'A'));
    return vdl_strn(p, s.n);
}

struct vdl_str wspr_lower_first_(struct v23_arena *a, struct vdl_str s)
{
    return change_first(a, s, false);
}

struct vdl_str wspr_upper_first_(struct v23_arena *a, struct vdl_str s)
{
    return change_first(a, s, true);
}

const struct v23_verror *wspr_status_error_(struct v23_arena *a,
    const struct v23_errctx *ctx, int rc)
{
    struct vdl_str text = vdl_str(v23_strerror(rc));

    return vrpc_err_params(a, ctx, VRPC_ERR_INTERNAL, &text, 1,
        "internal error: %s", text.p);
}

int wspr_ctl_identity_(struct wspr_ctl *c)
{
    struct vrpc_client *client = NULL;
    struct vname_ns *ns = NULL;
    int rc;

    if (c->client != NULL)
        return 0;
    if (c->closing)
        return V23_ECLOSED;
    rc = c->cfg.hooks->identity(c->cfg.ud, &client, &ns);
    if (rc == 0) {
        c->client = client;
        c->ns = ns;
    }
    return rc;
}

void wspr_ctl_timer_(struct wspr_ctl *c)
{
    if (!c->closing)
        c->cfg.hooks->timer(c->cfg.ud);
}

void wspr_ctl_stir_(struct wspr_ctl *c)
{
    c->stirred = true;
    if (c->rest_at != V23_NEVER || c->closing)
        return;
    c->rest_at = wspr_ctl_now_(c).mono_ns + REST_NS;
    wspr_ctl_timer_(c);
}

/* ---- sending ------------------------------------------------------------- */

/* A page that asks and does not read would fill our memory. */
static void check_queue(struct wspr_ctl *c)
{
    size_t limit = c->cfg.limits.queue;

    if (c->cut || c->cfg.hooks->queued(c->cfg.ud) / PATIENCE <= limit +
                                          c->cfg.limits.message)
        return;
    c->cut = true;
    c->cfg.hooks->close(c->cfg.ud, 1008, "messages are not read");
}

void wspr_ctl_send_(struct wspr_ctl *c)
{
    if (!c->closing && !c->cut && c->out.err == 0) {
        c->messages_out++;
        c->bytes_out += c->out.n;
        wspr_ctl_stir_(c);
        c->cfg.hooks->send(c->cfg.ud, (const char *)c->out.p, c->out.n);
        check_queue(c);
    }
    if (c->out.cap > KEEP_MAX)
        v23_buf_fini(&c->out);
    else
        v23_buf_cut(&c->out, 0);
}

void wspr_ctl_plain_(struct wspr_ctl *c, const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    v23_buf_puts(&c->out, text);
    wspr_ctl_send_(c);
}

void wspr_ctl_error_(struct wspr_ctl *c, int64_t id,
    const struct v23_verror *err)
{
    int rc;

    if (c->closing || c->era == NULL)
        return;
    rc = c->era->error(c, id, err);
    if (rc != 0)
        v23_logf(c->cfg.log, V23_LOG_WARN,
            "wspr: error of message %lld cannot be sent: %s", (long long)id,
            v23_strerror(rc));
}

bool wspr_ctl_behind_(const struct wspr_ctl *c)
{
    return c->cfg.hooks->queued(c->cfg.ud) > c->cfg.limits.queue;
}

/* ---- reading ------------------------------------------------------------- */

/* While the page owes answers it is read, or both would wait for ever. */
bool wspr_ctl_is_reading(const struct wspr_ctl *c)
{
    return !c->closing && !c->cut && (c->nfull == 0 || c->nasks > 0);
}

void wspr_ctl_on_reading(struct wspr_ctl *c, void (*fn)(void *ud), void *ud)
{
    c->on_reading = fn;
    c->on_reading_ud = ud;
}

void wspr_ctl_reading_(struct wspr_ctl *c)
{
    bool was = c->reading;

    c->reading = wspr_ctl_is_reading(c);
    if (c->reading && !was && c->on_reading != NULL)
        c->on_reading(c->on_reading_ud);
}

/* ---- time ---------------------------------------------------------------- */

int64_t wspr_ctl_next_deadline(const struct wspr_ctl *c)
{
    int64_t at = c->era_at < c->rest_at ? c->era_at : c->rest_at;

    if (c->closing)
        return V23_NEVER;
    if (c->answers.first != NULL && c->answers.first->at < at)
        at = c->answers.first->at;
    if (c->grants.first != NULL && c->grants.first->at < at)
        at = c->grants.first->at;
    return at;
}

static void rest(struct wspr_ctl *c, int64_t now)
{
    if (c->stirred) {
        c->stirred = false;
        c->rest_at = now + REST_NS;
        return;
    }
    c->rest_at = V23_NEVER;
    wspr_calls_rest_(c);
    v23_arena_fini(&c->scratch);
    v23_buf_fini(&c->out);
    if (c->era != NULL)
        c->era->rest(c);
}

void wspr_ctl_tick(struct wspr_ctl *c, const struct v23_now *now)
{
    c->now = *now;
    if (c->closing)
        return;
    wspr_asks_tick_(c, now->mono_ns);
    if (now->mono_ns >= c->era_at)
        c->era_at = c->era->tick(c, now->mono_ns);
    if (now->mono_ns >= c->rest_at)
        rest(c, now->mono_ns);
}

void wspr_ctl_writable(struct wspr_ctl *c, const struct v23_now *now)
{
    c->now = *now;
    if (c->nheld > 0 && !c->closing && !wspr_ctl_behind_(c)) {
        wspr_calls_release_(c);
        wspr_flows_release_(c);
    }
}

/* ---- life ---------------------------------------------------------------- */

static void defaults(struct wspr_ctl_limits *l)
{
    if (l->message == 0)
        l->message = MESSAGE;
    if (l->queue == 0)
        l->queue = QUEUE;
    if (l->stream == 0)
        l->stream = STREAM;
    if (l->calls == 0)
        l->calls = 1000;
    if (l->args == 0)
        l->args = 1000;
    if (l->servers == 0)
        l->servers = 100;
    if (l->names == 0)
        l->names = NAMES;
    if (l->flows == 0)
        l->flows = 4096;
    if (l->blessings == 0)
        l->blessings = 10000;
    if (l->signatures == 0)
        l->signatures = 256;
    if (l->answer_ns == 0)
        l->answer_ns = ANSWER_NS;
}

int wspr_ctl_new(const struct wspr_ctl_config *cfg, struct wspr_ctl **out)
{
    const struct v23_alloc *al = cfg->al != NULL ? cfg->al : &v23_alloc_libc;
    struct wspr_ctl *c = v23_new(al, struct wspr_ctl);
    int rc = 0;

    if (c == NULL)
        return V23_ENOMEM;
    c->al = al;
    c->cfg = *cfg;
    defaults(&c->cfg.limits);
    if (c->cfg.language.n == 0)
        c->cfg.language = vdl_str("en-US");
    c->cfg.principal = vsec_principal_ref(cfg->principal);
    c->answers.tail = &c->answers.first;
    c->grants.tail = &c->grants.first;
    c->era_at = c->rest_at = V23_NEVER;
    c->reading = true;
    v23_arena_init(&c->scratch, al, SIZE_MAX);
    v23_buf_init(&c->out, al, SIZE_MAX / 8);
    if (cfg->protocol == WSPR_JSON)
        rc = wspr_ctl_use_(c, &wspr_era_json_);
    else if (cfg->protocol == WSPR_VOM)
        rc = wspr_ctl_use_(c, &wspr_era_vom_);
    if (rc != 0) {
        wspr_ctl_free(c);
        return rc;
    }
    *out = c;
    return 0;
}

void wspr_ctl_progress_(struct wspr_ctl *c)
{
    void (*fn)(void *ud) = c->closed_fn;

    if (!c->closing || c->nrpcs > 0 || c->nservers > 0)
        return;
    c->closed_fn = NULL;
    if (fn != NULL)
        fn(c->closed_ud);
}

void wspr_ctl_close(struct wspr_ctl *c, void (*closed)(void *ud), void *ud)
{
    if (c->closing)
        return;
    c->closing = true;
    c->nservers++; /* not closed before we are through */
    c->closed_fn = closed;
    c->closed_ud = ud;
    wspr_servers_close_(c);
    wspr_calls_close_(c);
    wspr_signature_close_(c);
    c->nservers--;
    wspr_ctl_progress_(c);
}

void wspr_ctl_free(struct wspr_ctl *c)
{
    if (c == NULL)
        return;
    wspr_ctl_close(c, NULL, NULL);
    wspr_servers_fini_(c);
    wspr_calls_fini_(c);
    wspr_signature_fini_(c);
    if (c->era != NULL)
        c->era->close(c);
    v23_put(c->al, c->table.v);
    v23_arena_fini(&c->scratch);
    v23_buf_fini(&c->out);
    vsec_principal_unref(c->cfg.principal);
    v23_put(c->al, c);
}

/* ---- enquiries ----------------------------------------------------------- */

void wspr_ctl_mounted(struct wspr_ctl *c, struct vdl_str name,
    struct vdl_str why)
{
    struct v23_buf b;

    if (c->closing || c->era == NULL)
        return;
    v23_buf_init(&b, c->al, 65536);
    v23_buf_printf(&b, why.n == 0 ? "serve: %.*s successfully mounted "
                                  : "serve: %.*s failed with: ",
        (int)name.n, name.p);
    v23_buf_put_str(&b, why);
    if (b.err == 0)
        (void)!c->era->log(c,
            why.n == 0 ? V23_WSPR_LIB_LOG_LEVEL_INFO
                       : V23_WSPR_LIB_LOG_LEVEL_ERROR,
            vdl_strn((const char *)b.p, b.n));
    v23_buf_fini(&b);
}

void wspr_ctl_stats(const struct wspr_ctl *c, struct wspr_ctl_stats *out)
{
    memset(out, 0, sizeof(*out));
    out->protocol = c->era == NULL ? "" : c->era->name;
    out->calls = c->ncalls;
    out->flows = c->nasks;
    out->servers = c->nservers;
    out->signatures = c->nsignatures;
    out->blessings = c->nblessings;
    out->messages_in = c->messages_in;
    out->messages_out = c->messages_out;
    out->bytes_in = c->bytes_in;
    out->bytes_out = c->bytes_out;
}

void wspr_ctl_each_server(const struct wspr_ctl *c,
    void (*fn)(void *ud, uint32_t id, struct vdl_str name), void *ud)
{
    const struct wspr_server_ *s;

    for (s = c->servers; s != NULL; s = s->next)
        if (!s->stopped)
            fn(ud, s->id, s->name);
}

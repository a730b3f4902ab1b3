/* BSD-3-Clause; see LICENSE. */
/*
 * A connection's life, its verbs, and the hooks that cannot run where their
 * cause arises. Every verb is bracketed by vrpc_enter_ and
 * vrpc_leave_; the latter runs what is due until nothing is.
 */
#include "conn_int.h"

/* Longest text of a TearDown that we send. */
#define TEXT_SENT_MAX 1024u

/* ---- small things -------------------------------------------------------- */

bool vrpc_is_closing_(const struct vrpc_conn *c)
{
    return c->status >= VRPC_CONN_CLOSING;
}

void vrpc_wake_(struct vrpc_conn *c)
{
    if (c->depth > 0 || c->woken)
        return;
    c->woken = true;
    if (c->hooks->wake != NULL)
        c->hooks->wake(c->ud, c);
}

void vrpc_break_(struct vrpc_conn *c, int status)
{
    if (c->broken == 0)
        c->broken = status;
    vrpc_wake_(c);
}

/* Keep a text, without control characters; silently none without memory. */
void vrpc_set_text_(struct vrpc_conn *c, const void *p, size_t n,
    const char *prefix)
{
    size_t pre = strlen(prefix), i;
    char *text;

    if (n > c->limits.text)
        n = c->limits.text;
    text = v23_get(c->al, pre + n + 1);
    if (text == NULL)
        return;
    memcpy(text, prefix, pre);
    if (n > 0)
        memcpy(text + pre, p, n);
    text[pre + n] = 0;
    for (i = pre; i < pre + n; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            text[i] = '?';
    v23_put(c->al, c->text);
    c->text = text;
}

void vrpc_conn_set_text(struct vrpc_conn *c, const char *text)
{
    if (!vrpc_is_closing_(c))
        vrpc_set_text_(c, text, strlen(text), "");
}

const char *vrpc_conn_strerror(const struct vrpc_conn *c)
{
    if (c->text != NULL)
        return c->text;
    return vrpc_is_closing_(c) ? v23_strerror(c->close_status) : "";
}

/* ---- making and freeing -------------------------------------------------- */

static uint32_t or_default(uint32_t v, uint32_t def)
{
    return v == 0 ? def : v;
}

static void set_limits(struct vrpc_conn *c, const struct vrpc_conn_limits *l)
{
    c->limits.setup_frame = or_default(l->setup_frame, 16u << 10);
    c->limits.handshake_frame = or_default(l->handshake_frame, 256u << 10);
    c->limits.blessings_frame = or_default(l->blessings_frame, 256u << 10);
    c->limits.blessings_bytes = or_default(l->blessings_bytes, 1u << 20);
    c->limits.blessings_keys = or_default(l->blessings_keys, 1024);
    c->limits.flows = or_default(l->flows, 8192);
    c->limits.text = or_default(l->text, 512);
    c->limits.windows = or_default(l->windows, 128u << 20);
    c->limits.flow_queue = or_default(l->flow_queue, 128u << 10);
}

static bool is_ours(const struct vsec_principal *p,
    const struct vsec_blessings *b)
{
    return b == NULL || vsec_pubkey_eq(vsec_blessings_key(b), p->key);
}

static int check_config(const struct vrpc_conn_config *cfg)
{
    uint32_t mtu = or_default(cfg->mtu, VRPC_MTU);

    if (cfg->hooks == NULL || cfg->principal == NULL
        || cfg->principal->signer == NULL
        || !is_ours(cfg->principal, cfg->blessings))
        return V23_EARG;
    if (cfg->principal->engine->crypto->box == NULL)
        return V23_ENOSYS;
    if (cfg->has_handler && cfg->hooks->flow_opened == NULL)
        return V23_EARG;
    if (cfg->role == VRPC_DIALER
        && (cfg->remote == NULL || cfg->hooks->authorize_peer == NULL
            || (!cfg->has_handler && cfg->blessings != NULL)))
        return V23_EARG;
    if (mtu > or_default(cfg->bytes_buffered, VRPC_BYTES_BUFFERED)
        || mtu > VRPC_FRAME_MAX - VRPC_FRAME_SLACK_
        || (cfg->encapsulated && mtu <= VRPC_MTU_ENCAPSULATED))
        return V23_EARG;
    if (or_default(cfg->min_version, VRPC_VERSION_MIN) < VRPC_VERSION_MIN
        || or_default(cfg->max_version, VRPC_VERSION_MAX) > VRPC_VERSION_MAX
        || or_default(cfg->min_version, VRPC_VERSION_MIN)
            > or_default(cfg->max_version, VRPC_VERSION_MAX))
        return V23_EARG;
    return 0;
}

static void set_numbers(struct vrpc_conn *c,
    const struct vrpc_conn_config *cfg)
{
    c->min_version = or_default(cfg->min_version, VRPC_VERSION_MIN);
    c->max_version = or_default(cfg->max_version, VRPC_VERSION_MAX);
    c->mtu = or_default(cfg->mtu, VRPC_MTU);
    c->window = or_default(cfg->bytes_buffered, VRPC_BYTES_BUFFERED);
    c->announced = cfg->shared_tokens;
    if (c->announced == 0)
        c->announced = cfg->has_handler || c->window > VRPC_BYTES_BUFFERED
            ? c->window : VRPC_BYTES_BUFFERED;
    c->next_id = c->role == VRPC_DIALER ? VRPC_FIRST_FLOW_
                                        : VRPC_FIRST_FLOW_ + 1;
    c->channel_timeout_ns = cfg->channel_timeout_ns > 0
        ? cfg->channel_timeout_ns : 30 * 60 * V23_NS_PER_SEC;
    c->health_request_at = c->health_close_at = V23_NEVER;
    c->trim_at = V23_NEVER;
    c->born_ns = c->last_use_ns = c->busy_ns = c->now.mono_ns;
    c->deadline = c->now.mono_ns + (cfg->handshake_timeout_ns > 0
        ? cfg->handshake_timeout_ns : 60 * V23_NS_PER_SEC);
}

static void set_empty(struct vrpc_conn *c, const struct vrpc_conn_config *cfg)
{
    c->log = cfg->log;
    c->hooks = cfg->hooks;
    c->ud = cfg->ud;
    c->chains = cfg->chains;
    c->known = cfg->known;
    c->role = cfg->role;
    c->message_transport = cfg->message_transport;
    c->encapsulated = cfg->encapsulated;
    c->has_handler = cfg->has_handler;
    c->hold = cfg->hold && cfg->has_handler;
    c->principal = vsec_principal_ref(cfg->principal);
    c->box = cfg->principal->engine->crypto->box;
    vrpc_link_init_(&c->ready);
    vrpc_link_init_(&c->pool_wait);
    vrpc_link_init_(&c->flows);
    vrpc_link_init_(&c->due);
    vrpc_link_init_(&c->to_release);
    vrpc_link_init_(&c->spare);
    c->pool.max = VRPC_POOL_BUSY_;
    v23_arena_init_small(&c->arena, c->al, SIZE_MAX, 256);
    v23_buf_init(&c->express, c->al, SIZE_MAX);
    v23_buf_init(&c->raw_out, c->al, SIZE_MAX);
    set_limits(c, &cfg->limits);
    vrpc_blessflow_init_(c);
}

static int set_identity(struct vrpc_conn *c,
    const struct vrpc_conn_config *cfg)
{
    int rc = 0;

    if (cfg->blessings != NULL)
        c->own = vsec_blessings_ref(cfg->blessings);
    rc = vrpc_discharges_copy_(c->al, &c->own_discharges, cfg->discharges,
        cfg->blessings == NULL ? 0 : cfg->ndischarges);
    if (rc == 0 && cfg->local != NULL)
        rc = vrpc_endpoint_copy(&c->arena, &c->local, cfg->local);
    if (rc == 0 && cfg->role == VRPC_DIALER)
        rc = vrpc_endpoint_copy(&c->arena, &c->remote, cfg->remote);
    return rc;
}

static void destroy(struct vrpc_conn *c)
{
    struct vrpc_flow *f;

    vrpc_shake_free_(c);
    c->status = VRPC_CONN_CLOSED;
    while (vrpc_linked_(&c->flows))
        vrpc_flow_drop_(VRPC_FLOW_OF_(c->flows.next, all));
    while (vrpc_linked_(&c->spare)) {
        f = VRPC_FLOW_OF_(c->spare.next, all);
        vrpc_unlink_(&f->all);
        v23_put(c->al, f);
    }
    vrpc_idmap_fini_(&c->by_id, c->al);
    vrpc_idmap_fini_(&c->outstanding, c->al);
    v23_put(c->al, c->closed_release);
    vrpc_partial_fini_(c);
    vrpc_blessflow_fini_(c);
    vrpc_discharges_fini_(c->al, &c->own_discharges);
    vsec_blessings_unref(c->own);
    vsec_blessings_unref(c->nameless);
    vsec_pubkey_unref(c->peer_key);
    vsec_principal_unref(c->principal);
    v23_buf_fini(&c->express);
    v23_buf_fini(&c->raw_out);
    vrpc_pool_trim_(&c->pool, c->al, 0);
    v23_arena_fini(&c->arena);
    v23_put(c->al, c->text);
    v23_wipe(c->shared_key, sizeof(c->shared_key));
    v23_put(c->al, c);
}

int vrpc_conn_new(const struct vrpc_conn_config *cfg,
    const struct v23_now *now, struct vrpc_conn **out)
{
    const struct v23_alloc *al = cfg->al == NULL ? &v23_alloc_libc : cfg->al;
    struct vrpc_conn *c;
    int rc = check_config(cfg);

    if (rc != 0)
        return rc;
    c = v23_new(al, struct vrpc_conn);
    if (c == NULL)
        return V23_ENOMEM;
    c->al = al;
    c->now = *now;
    set_empty(c, cfg);
    set_numbers(c, cfg);
    rc = set_identity(c, cfg);
    if (rc == 0)
        rc = vrpc_shake_new_(c, cfg);
    if (rc != 0) {
        destroy(c);
        return rc;
    }
    *out = c;
    return 0;
}

void vrpc_conn_free(struct vrpc_conn *c)
{
    if (c == NULL)
        return;
    if (c->depth > 0)
        c->dead = true;
    else
        destroy(c);
}

/* ---- closing ------------------------------------------------------------- */

static void send_tear_down(struct vrpc_conn *c)
{
    uint8_t msg[1 + TEXT_SENT_MAX];
    size_t n = c->text == NULL ? 0 : strlen(c->text);
    int rc;

    if (n > TEXT_SENT_MAX)
        n = TEXT_SENT_MAX;
    msg[0] = VRPC_MSG_TEAR_DOWN;
    if (n > 0)
        memcpy(msg + 1, c->text, n);
    rc = vrpc_express_(c, msg, 1 + n, false);
    if (rc != 0) /* best effort */
        v23_logf(c->log, V23_LOG_DEBUG, "conn: no TearDown: %s",
            v23_strerror(rc));
}

static void end_flows(struct vrpc_conn *c, int status)
{
    struct vrpc_link_ *l, *next;
    struct vrpc_flow *f;

    for (l = c->flows.next; l != &c->flows; l = next) {
        next = l->next;
        f = VRPC_FLOW_OF_(l, all);
        vrpc_flow_unmap_(f, true);
        if (!f->told_closed)
            vrpc_flow_end_(f, status);
        else
            vrpc_flow_discard_(f);
    }
}

void vrpc_close_(struct vrpc_conn *c, int status, const char *text,
    bool tear_down)
{
    if (vrpc_is_closing_(c))
        return;
    if (text != NULL)
        vrpc_set_text_(c, text, strlen(text), "");
    c->status = VRPC_CONN_CLOSING;
    c->close_status = status == 0 ? V23_ECLOSED : status;
    c->deadline = c->health_request_at = c->health_close_at = V23_NEVER;
    c->raw.wanted = false;
    vrpc_shake_free_(c);
    v23_buf_fini(&c->bf.out);
    if (tear_down) {
        send_tear_down(c);
    } else {
        c->raw_due = false;
        v23_buf_fini(&c->express);
        c->express_head = 0;
    }
    end_flows(c, c->close_status);
    c->closed_due = true;
    vrpc_wake_(c);
}

int vrpc_fail_(struct vrpc_conn *c, int status, const char *text)
{
    if (vrpc_is_closing_(c))
        return c->close_status;
    if (text == NULL && c->text == NULL)
        text = v23_strerror(status);
    vrpc_close_(c, status, text, true);
    v23_logf(c->log, V23_LOG_INFO, "conn: closed: %s", vrpc_conn_strerror(c));
    return c->close_status;
}

void vrpc_conn_close(struct vrpc_conn *c, int status, const char *text)
{
    vrpc_close_(c, status, text == NULL ? "" : text, true);
}

/* ---- verbs --------------------------------------------------------------- */

void vrpc_enter_(struct vrpc_conn *c, const struct v23_now *now)
{
    c->depth++;
    c->woken = false;
    c->now = *now;
    if (c->health_new_ns != 0)
        vrpc_health_begin_(c);
}

static void tell_flow(struct vrpc_conn *c, struct vrpc_flow *f)
{
    if (f->peer_closed) {
        f->told_closed = true;
        if (c->hooks->flow_closed != NULL)
            c->hooks->flow_closed(c->ud, c, f, f->close_status);
    } else if (f->want_write && vrpc_flow_can_write(f)) {
        f->want_write = false;
        if (c->hooks->flow_writable != NULL)
            c->hooks->flow_writable(c->ud, c, f);
    }
}

static bool has_due(const struct vrpc_conn *c)
{
    return (c->broken != 0 && !vrpc_is_closing_(c)) || c->closed_due
        || vrpc_linked_(&c->due) || (c->shake != NULL && c->shake->answered);
}

static void run_due(struct vrpc_conn *c)
{
    struct vrpc_flow *f;

    if (c->broken != 0 && !vrpc_is_closing_(c)) {
        vrpc_close_(c, c->broken, NULL, true);
    } else if (c->shake != NULL && c->shake->answered) {
        if (vrpc_shake_resume_(c) != 0)
            return; /* closing by now */
    } else if (vrpc_linked_(&c->due)) {
        f = VRPC_FLOW_OF_(c->due.next, due);
        vrpc_unlink_(&f->due);
        tell_flow(c, f);
    } else {
        c->closed_due = false;
        c->status = VRPC_CONN_CLOSED;
        if (c->hooks->closed != NULL)
            c->hooks->closed(c->ud, c, c->close_status,
                vrpc_conn_strerror(c));
    }
}

bool vrpc_settle_(struct vrpc_conn *c)
{
    while (!c->dead && has_due(c))
        run_due(c);
    return !c->dead;
}

bool vrpc_leave_(struct vrpc_conn *c)
{
    if (c->depth == 1)
        vrpc_settle_(c);
    c->depth--;
    if (c->depth > 0)
        return !c->dead;
    if (c->dead) {
        destroy(c);
        return false;
    }
    if (c->trim_at == V23_NEVER && vrpc_is_fat_(c))
        c->trim_at = c->now.mono_ns + VRPC_REST_AFTER_NS_;
    return true;
}

int vrpc_conn_input(struct vrpc_conn *c, uint8_t *p, size_t n,
    const struct v23_now *now)
{
    int rc;

    if (vrpc_is_closing_(c))
        return c->close_status;
    vrpc_enter_(c, now);
    rc = vrpc_input_(c, p, n);
    if (rc == 0 && vrpc_is_closing_(c))
        rc = c->close_status;
    return vrpc_leave_(c) && rc == 0 && vrpc_is_closing_(c)
        ? c->close_status : rc;
}

void vrpc_conn_input_end(struct vrpc_conn *c, int status, const char *text,
    const struct v23_now *now)
{
    vrpc_enter_(c, now);
    if (text == NULL)
        text = status == V23_ECLOSED ? "connection closed by the peer"
                                     : v23_strerror(status);
    vrpc_close_(c, status, text, false);
    vrpc_leave_(c);
}

int vrpc_conn_output(struct vrpc_conn *c, struct v23_buf *out, size_t max,
    const struct v23_now *now)
{
    size_t before;
    int rc;

    vrpc_enter_(c, now);
    do {
        before = out->n;
        rc = vrpc_output_(c, out, max);
        /* Those who may write again do so now. */
    } while (c->depth == 1 && vrpc_settle_(c) && rc == 0 && out->n > before
        && out->n < max && !c->message_transport
        && vrpc_conn_wants_output(c));
    vrpc_leave_(c);
    return rc;
}

bool vrpc_conn_output_was_sealed(const struct vrpc_conn *c)
{
    return c->last_sealed;
}

int64_t vrpc_conn_next_deadline(const struct vrpc_conn *c)
{
    int64_t t = c->trim_at;

    if (has_due(c) || c->health_new_ns != 0)
        return INT64_MIN;
    if (c->deadline < t)
        t = c->deadline;
    if (c->health_request_at < t)
        t = c->health_request_at;
    if (c->health_close_at < t)
        t = c->health_close_at;
    return t;
}

void vrpc_conn_tick(struct vrpc_conn *c, const struct v23_now *now)
{
    vrpc_enter_(c, now);
    if (now->mono_ns >= c->deadline)
        vrpc_close_(c, V23_ETIMEOUT, "handshake timed out", true);
    vrpc_health_tick_(c, now->mono_ns);
    vrpc_trim_tick_(c, now->mono_ns);
    vrpc_leave_(c);
}

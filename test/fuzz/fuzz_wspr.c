/* BSD-3-Clause; see LICENSE. */
/*
 * Fuzz target of a controller: the lines of the input are what a page says. In
 * them '@' stands for the number of the last question that the page was asked.
 * A line "*" is somebody calling the page's server, "+" a minute. Before the
 * first newline is the protocol: v, j, or whatever the page begins with.
 *
 * What must hold: whatever is said, every message sent is one; when the page is
 * gone everything ends, and nothing is left. Memory is bounded.
 */

#define WORLD_WITHOUT_CHECK
#include "fuzz.h"
#include "../../libwspr/test/servings.h"
#include "../support/clear_box.h"

#include <vname/namespace.h>
#include <vom/enc.h>

#define MEMORY_MAX ((size_t)64 << 20)
#define LINES 200

static struct wspr_ctl *ctl;
static struct wnode *proxy, *other;
static struct vname_ns *ns;
static char other_name[256];
static int64_t question;
static bool calling, closed, cut;

/* ---- somebody else's object ---------------------------------------------- */

static const v23_signature_arg arg[] = { { .name = VDL_STR_INIT("v"),
    .type = &vdl_any_desc } };
static const v23_signature_method methods[] = {
    { .name = VDL_STR_INIT("Echo"), .in_args = { arg, 1 } },
    { .name = VDL_STR_INIT("Sum") },
};
static const v23_signature_interface iface = { .name = VDL_STR_INIT("O"),
    .methods = { methods, 2 } };

static const struct v23_verror *invoke(void *self,
    struct vrpc_server_call *call, const struct vdl_any *args, size_t n)
{
    (void)self;
    if (n > 0)
        (void)vrpc_server_call_reply_any(call, NULL, args, n);
    return &vrpc_pending;
}

static void item(void *self, struct vrpc_server_call *call,
    const struct vdl_any *v)
{
    (void)self;
    if (v != NULL)
        (void)!vrpc_server_call_send_any(call, *v);
    else if (vdl_str_is(vrpc_server_call_method(call), "Sum"))
        (void)vrpc_server_call_reply_any(call, NULL, NULL, 0);
}

static const struct vrpc_dynamic object = { &iface, 1, invoke, item, NULL };

/* ---- hooks --------------------------------------------------------------- */

/* A message to the page: hex, JSON, or a complaint. */
static void h_send(void *ud, const char *text, size_t n)
{
    struct v23_buf b;
    const uint8_t *at;
    uint64_t id, kind;
    const char *q;

    (void)ud;
    WORLD_ASSERT(n > 0);
    v23_buf_init(&b, NULL, SIZE_MAX);
    if (text[0] == '{') {
        q = n > 7 ? text + 7 : NULL; /* {"id": 12, */
        id = q == NULL ? 1 : strtoull(q, NULL, 10);
        if (id % 2 == 0)
            question = (int64_t)id;
    } else if (v23_hex_parse(text, n, &b) == 0) {
        at = b.p;
        WORLD_ASSERT(vom_get_uint(&at, b.p + b.n, &id) == 0);
        WORLD_ASSERT(vom_get_uint(&at, b.p + b.n, &kind) == 0 && kind <= 12);
        WORLD_ASSERT(b.p + b.n > at && *at == VOM_VERSION);
        if (id % 2 == 0 && id != 0 && kind != 9 && kind != 11)
            question = (int64_t)id;
    } else {
        WORLD_ASSERT(n > 10);
    }
    v23_buf_fini(&b);
}

static size_t h_queued(void *ud)
{
    (void)ud;
    return 0;
}

static void h_close(void *ud, int code, const char *why)
{
    (void)ud;
    WORLD_ASSERT(code >= 1000 && why != NULL);
    cut = true;
}

static void h_timer(void *ud)
{
    (void)ud;
}

static int h_identity(void *ud, struct vrpc_client **c, struct vname_ns **out)
{
    (void)ud;
    *c = proxy->c;
    *out = ns;
    return 0;
}

static const struct wspr_ctl_hooks hooks = { .send = h_send,
    .queued = h_queued, .close = h_close, .timer = h_timer,
    .identity = h_identity, SERVING_HOOKS };

/* ---- the world ----------------------------------------------------------- */

static void begin(void)
{
    struct vrpc_server_config sc;
    struct vname_ns_config nc;
    struct v23_buf b;

    tst_alloc_init(&W.t);
    WORLD_ASSERT(world_init(&W) == 0);
    W.crypto.box = &clear_box;
    WORLD_ASSERT(world_node(&W, "wsprd", 0, &proxy) == 0);
    WORLD_ASSERT(world_node(&W, "other", 77, &other) == 0);
    memset(&sc, 0, sizeof(sc));
    sc.object.dynamic = &object;
    sc.authorizer = &vsec_auth_everyone;
    sc.leaf = VRPC_LEAF_NO; /* any suffix */
    WORLD_ASSERT(vrpc_server_new(other->m, &sc, &other->s) == 0);
    v23_buf_init_fixed(&b, other_name, sizeof(other_name) - 1);
    world_endpoint(other, false, &b);
    memset(&nc, 0, sizeof(nc));
    nc.al = &W.t.al;
    nc.client = proxy->c;
    WORLD_ASSERT(vname_ns_new(&nc, &ns) == 0);
}

static void settle(void)
{
    do
        world_settle(&W);
    while (wspr_ctl_next_deadline(ctl) <= W.now.mono_ns &&
           (wspr_ctl_tick(ctl, &W.now), true));
}

static void called(void *ud, const struct v23_verror *err,
    const struct vdl_any *results, size_t n)
{
    (void)ud;
    (void)err;
    (void)results;
    (void)n;
    calling = false;
}

static void call_page(void)
{
    static const struct vrpc_any_cb cb = { NULL, called };
    static const struct vdl_str hello = VDL_STR_INIT("hello");
    static const struct vdl_any v = { &vdl_string_desc, &hello };
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    struct vrpc_call *call;

    if (calling || S.v[0].s.server == NULL)
        return;
    o.no_retry = true;
    o.timeout_ns = 200 * V23_NS_PER_SEC;
    call = vrpc_client_start_any(other->c, vdl_str(world_name(S.v[0].n, "x")),
        vdl_str("Add"), &o, &v, 1, VRPC_ANY_RESULTS, &cb, NULL);
    calling = call != NULL;
    if (calling)
        vrpc_call_close_send(call);
}

static void pass_minute(void)
{
    int64_t until = W.now.mono_ns + 61 * V23_NS_PER_SEC, at;

    while (W.now.mono_ns < until) {
        at = wspr_ctl_next_deadline(ctl);
        if (at > until || at <= W.now.mono_ns)
            at = until;
        world_sleep(&W, at - W.now.mono_ns);
        settle();
    }
}

/* ---- the page ------------------------------------------------------------ */

static void say(const char *p, size_t n)
{
    struct v23_buf b;
    size_t i;

    v23_buf_init(&b, NULL, SIZE_MAX);
    for (i = 0; i < n; i++)
        if (p[i] == '@')
            v23_buf_printf(&b, "%d", (int)question);
        else
            v23_buf_put_byte(&b, (uint8_t)p[i]);
    wspr_ctl_input(ctl, (const char *)b.p, b.n, &W.now);
    v23_buf_fini(&b);
}

static void is_closed(void *ud)
{
    (void)ud;
    closed = true;
}

static void finish(void)
{
    size_t i;

    closed = false;
    wspr_ctl_close(ctl, is_closed, NULL);
    settle();
    if (!closed)
        world_sleep(&W, 61 * V23_NS_PER_SEC);
    WORLD_ASSERT(closed);
    wspr_ctl_free(ctl);
    if (calling)
        world_sleep(&W, 300 * V23_NS_PER_SEC);
    WORLD_ASSERT(!calling);
    for (i = 0; i < S.n; i++)
        WORLD_ASSERT(S.v[i].s.server == NULL);
    vname_ns_flush(ns);
}

static void page_begin(char protocol)
{
    struct wspr_ctl_config cfg;

    memset(&cfg, 0, sizeof(cfg));
    cfg.al = &W.t.al;
    cfg.hooks = &hooks;
    cfg.principal = proxy->principal;
    cfg.protocol = protocol == 'v'   ? WSPR_VOM
                   : protocol == 'j' ? WSPR_JSON
                                     : WSPR_AUTO;
    cfg.limits.calls = 20;
    cfg.limits.stream = 1u << 16;
    question = 0;
    cut = false;
    S.names[0] = 0;
    WORLD_ASSERT(wspr_ctl_new(&cfg, &ctl) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t n)
{
    const char *p = (const char *)in, *end = p + n, *nl;
    int lines = 0;

    if (proxy == NULL)
        begin();
    if (n < 2 || (nl = memchr(p, '\n', n)) == NULL)
        return 0;
    page_begin(p[0]);
    for (p = nl + 1; p < end && !cut && lines < LINES; p = nl + 1, lines++) {
        nl = memchr(p, '\n', (size_t)(end - p));
        if (nl == NULL)
            nl = end;
        if (nl - p == 1 && *p == '*')
            call_page();
        else if (nl - p == 1 && *p == '+')
            pass_minute();
        else
            say(p, (size_t)(nl - p));
        settle();
        WORLD_ASSERT(W.t.bytes < MEMORY_MAX);
    }
    finish();
    return 0;
}

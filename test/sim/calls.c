/* BSD-3-Clause; see LICENSE. */
/*
 * The callers. Each knows what must come: the right sum, the same octets,
 * items in order without a gap or a repetition; and never anything after the
 * end.
 */
#include "sim.h"

#define CALLERS 24
#define BLOB_MAX 70000

struct caller {
    struct vrpc_call *call; /* NULL: none runs */
    enum sim_method method;
    int32_t a, b;      /* Add; Count: a items */
    uint32_t blob, pattern;
    int32_t sent[64];  /* Sum */
    uint32_t nsent, nitems;
    int32_t running;
    bool closed;
};

static struct caller callers[CALLERS];
static uint64_t ended;
uint64_t sim_started, sim_good;

static uint8_t octet(const struct caller *c, uint32_t i)
{
    return (uint8_t)(c->pattern + i * 7 + i / 251);
}

static void check_result(const struct caller *c, const void *out)
{
    const struct sim_int *n = out;
    const struct sim_blob *b = out;
    uint32_t i;

    switch (c->method) {
    case SIM_ADD:
        SIM_CHECK(n->n == c->a + c->b);
        break;
    case SIM_BLOB:
        SIM_CHECK(b->b.n == c->blob);
        for (i = 0; i < b->b.n && b->b.p[i] == octet(c, i); i++)
            ;
        SIM_CHECK(i == b->b.n);
        break;
    case SIM_COUNT:
        SIM_CHECK(c->nitems == (uint32_t)c->a);
        break;
    case SIM_SUM:
        SIM_CHECK(c->nitems == c->nsent);
        SIM_CHECK(n->n == c->running);
        break;
    default:
        break;
    }
}

static void done(vrpc_any_fn *fn, void *ud, const struct v23_verror *err,
    const void *out)
{
    struct caller *c = ud;

    (void)fn;
    SIM_CHECK(c->call != NULL);
    SIM_CHECK(err == NULL || err->id.n > 0);
    c->call = NULL;
    ended++;
    if (err != NULL)
        return;
    sim_good++;
    check_result(c, out);
}

static void item(vrpc_any_fn *fn, void *ud, const void *v)
{
    struct caller *c = ud;
    int32_t got = *(const int32_t *)v;

    (void)fn;
    SIM_CHECK(c->call != NULL);
    if (c->method == SIM_COUNT) {
        SIM_CHECK(got == (int32_t)c->nitems);
    } else {
        SIM_CHECK(c->method == SIM_SUM && c->nitems < c->nsent);
        c->running += c->sent[c->nitems];
        SIM_CHECK(got == c->running);
    }
    c->nitems++;
    if (sim_one_in(60))
        vrpc_call_cancel(c->call);
    else if (sim_one_in(20))
        vrpc_call_pause(c->call, true);
}

static const struct vrpc_call_stub stub = { done, item };

static void typed(void)
{
}

static void start(struct caller *c, struct wnode *from, struct wnode *to)
{
    static uint8_t data[BLOB_MAX];
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    union {
        struct sim_add add;
        struct sim_int n;
        struct sim_blob blob;
    } in;
    uint32_t i;

    memset(c, 0, sizeof(*c));
    memset(&in, 0, sizeof(in));
    c->method = (enum sim_method)sim_rnd(SIM_NM);
    c->pattern = sim_rnd(256);
    c->a = (int32_t)sim_rnd(c->method == SIM_COUNT ? 20000 : 1u << 20);
    c->b = (int32_t)sim_rnd(1u << 20);
    if (c->method == SIM_ADD) {
        in.add.a = c->a;
        in.add.b = c->b;
    } else if (c->method == SIM_COUNT) {
        in.n.n = c->a;
    } else if (c->method == SIM_BLOB) {
        c->blob = sim_rnd(BLOB_MAX);
        for (i = 0; i < c->blob; i++)
            data[i] = octet(c, i);
        in.blob.b = vdl_bytes(data, c->blob);
    }
    if (sim_one_in(2))
        o.timeout_ns = (int64_t)(1 + sim_rnd(5000)) * V23_NS_PER_MS;
    o.no_retry = sim_one_in(3);
    sim_started++;
    c->call = vrpc_client_start(from->c, sim_name(to), &o,
        &sim_methods[c->method], &in, &stub, typed, typed, c);
    SIM_CHECK(c->call != NULL);
}

static void send(struct caller *c)
{
    int32_t v = (int32_t)sim_rnd(1000);

    if (c->method != SIM_SUM || c->closed
        || c->nsent == sizeof(c->sent) / sizeof(c->sent[0]))
        return;
    c->sent[c->nsent] = v;
    if (vrpc_call_send(c->call, &v) == 0)
        c->nsent++;
}

static void poke(struct caller *c)
{
    switch (sim_rnd(8)) {
    case 0:
        if (sim_one_in(3))
            vrpc_call_cancel(c->call);
        break;
    case 1:
    case 2:
        vrpc_call_pause(c->call, sim_one_in(2));
        break;
    case 3:
        c->closed = true;
        vrpc_call_close_send(c->call);
        break;
    default:
        send(c);
    }
}

void sim_calls_act(struct wnode *const *clients, size_t nclients,
    struct wnode *const *servers, size_t nservers)
{
    struct caller *c = &callers[sim_rnd(CALLERS)];

    if (c->call != NULL)
        poke(c);
    else
        start(c, clients[sim_rnd((uint32_t)nclients)],
            servers[sim_rnd((uint32_t)nservers)]);
}

void sim_calls_finish(void)
{
    int i;

    for (i = 0; i < CALLERS; i++)
        if (callers[i].call != NULL) {
            callers[i].closed = true;
            vrpc_call_close_send(callers[i].call);
            vrpc_call_pause(callers[i].call, false);
        }
}

void sim_calls_cancel(void)
{
    int i;

    for (i = 0; i < CALLERS; i++)
        if (callers[i].call != NULL)
            vrpc_call_cancel(callers[i].call);
}

bool sim_calls_ended(void)
{
    int i;

    for (i = 0; i < CALLERS; i++)
        if (callers[i].call != NULL)
            return false;
    return ended == sim_started;
}

void sim_calls_reset(void)
{
    memset(callers, 0, sizeof(callers));
    ended = sim_started = sim_good = 0;
}

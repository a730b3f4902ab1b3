/* BSD-3-Clause; see LICENSE. */
/*
 * Simulation: clients and servers over connections that stall, are cut at any
 * octet, end in one direction only, or are tampered with, while clocks jump,
 * readers are slow, and servers stop and come back; in every other world some
 * of them go through a proxy. Everything happens in one process and in virtual
 * time, so a seed repeats a run exactly.
 *
 * What must hold at every step: nothing comes after the end of a call or in the
 * wrong order (calls.c, service.c); the shared tokens of a connection are
 * neither lost nor multiplied; memory stays within what the windows allow. In
 * the end: every call has ended exactly once, on both sides, and everything is
 * given back.
 */
#include "sim.h"

#include <time.h>

#include <v23/cmdline.h>
#include <vrpc/proxied.h>
#include <vrpc/proxy.h>

#include "../../librpc/src/conn_int.h"
#include "../../librpc/src/rpc_int.h"

#define WINDOW (64u << 10)
#define NODES 3
/* Calls, connections and the ends of both, with all windows full. */
#define MEMORY_MAX ((size_t)24 << 20)

struct options {
    int64_t seed, seeds, steps;
    int64_t time; /* ns; 0 = until all seeds are done */
};

/* A proxy that the servers listen through, too. */
static struct {
    struct wnode *n; /* NULL: this world has none */
    struct vrpc_proxied *listening[NODES];
} proxy;

static uint64_t now_seed, state;
static int64_t step_;

void sim_fail(const char *file, int line, const char *what)
{
    fflush(stdout);
    fprintf(stderr, "%s:%d: seed %lld, step %lld: %s\n", file, line,
        (long long)now_seed, (long long)step_, what);
    abort();
}

uint32_t sim_rnd(uint32_t n)
{
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)((state >> 33) % n);
}

/* ---- the network --------------------------------------------------------- */

static void tamper(struct wlink *from, struct v23_buf *bytes)
{
    if (sim_one_in(400)) {
        bytes->n = sim_rnd((uint32_t)bytes->n + 1); /* cut within */
        from->closing = true; /* at once */
    } else if (sim_one_in(2000) && bytes->n > 0) {
        bytes->p[sim_rnd((uint32_t)bytes->n)] ^= (uint8_t)(1 + sim_rnd(255));
    }
}

static void disturb(void)
{
    struct wlink *l = &W.links[sim_rnd(WORLD_LINKS)];
    struct wnode *n = &W.nodes[sim_rnd((uint32_t)W.nnodes)];

    switch (sim_rnd(12)) {
    case 0:
        n->refuses = sim_one_in(2);
        break;
    case 1:
        n->black_hole = sim_one_in(3);
        break;
    case 2:
        if (l->used && !l->closing)
            world_cut(l);
        break;
    case 3: /* one direction ends */
        if (l->used && !l->closing)
            vrpc_conn_input_end(l->conn, V23_ECLOSED, NULL, &W.now);
        break;
    case 4:
    case 5:
        l->stuck = l->used;
        break;
    default:
        l->stuck = false;
    }
}

/* ---- servers that stop --------------------------------------------------- */

static struct stop {
    bool stopping, stopped;
} stops[NODES];

static void on_stopped(void *ud)
{
    struct stop *s = ud;

    SIM_CHECK(s->stopping && !s->stopped);
    s->stopped = true;
}

/* One of the servers stops, or serves again. */
static void stop_or_serve(struct wnode *nodes[NODES])
{
    uint32_t i = 1 + sim_rnd(NODES - 1);
    int64_t patience = sim_one_in(4)
        ? 0 : (int64_t)sim_rnd(6000) * V23_NS_PER_MS;

    if (nodes[i]->s == NULL) {
        SIM_CHECK(sim_serve(nodes[i]) == 0);
    } else if (!stops[i].stopping) {
        stops[i].stopping = true;
        vrpc_server_stop(nodes[i]->s, patience, on_stopped, &stops[i]);
    }
}

/* Those that have stopped serve nothing, and go. */
static void reap(struct wnode *nodes[NODES])
{
    size_t i;

    for (i = 1; i < NODES; i++) {
        if (!stops[i].stopped)
            continue;
        SIM_CHECK(vrpc_server_ncalls(nodes[i]->s) == 0);
        SIM_CHECK(vrpc_server_state(nodes[i]->s) == VRPC_SERVER_STOPPED);
        vrpc_server_free(nodes[i]->s);
        nodes[i]->s = NULL;
        memset(&stops[i], 0, sizeof(stops[i]));
    }
}

static void clocks(void)
{
    switch (sim_rnd(20)) {
    case 0: /* the wall clock is set */
        W.now.wall.sec += (int64_t)sim_rnd(200000) - 100000;
        break;
    case 1: /* the machine slept */
        world_set_time(&W, W.now.mono_ns
            + (int64_t)sim_rnd(2400) * V23_NS_PER_SEC);
        break;
    default:
        world_sleep(&W, (int64_t)sim_rnd(300) * V23_NS_PER_MS);
        }
}

/* ---- what must hold ------------------------------------------------------ */

/* Shared tokens are with the connection, or borrowed by a flow, or were
 * borrowed by one that is closed. */
static void check_tokens(const struct vrpc_conn *c)
{
    uint64_t sum = c->pool_tokens;
    const struct vrpc_flow *f;
    struct vrpc_link_ *l;
    uint32_t i;

    if (c->shake != NULL || vrpc_is_closing_(c))
        return;
    for (l = c->flows.next; l != &c->flows; l = l->next) {
        f = VRPC_FLOW_OF_(l, all);
        sum += f->borrowed;
        SIM_CHECK(f->released <= UINT32_MAX);
    }
    for (i = 0; i < c->outstanding.cap; i++)
        if (c->outstanding.slots[i].id != 0)
            sum += c->outstanding.slots[i].val.n;
    SIM_CHECK(sum == c->peer_pool);
}

static void check_all(void)
{
    const struct vrpc_session_ *s;
    size_t i;

    for (i = 0; i < W.nnodes; i++)
        for (s = W.nodes[i].m->sessions; s != NULL; s = s->next)
            check_tokens(s->conn);
    SIM_CHECK(W.t.bytes <= MEMORY_MAX);
}

/* ---- the proxy ----------------------------------------------------------- */

static void make_proxy(struct wnode *nodes[NODES])
{
    struct vrpc_proxy_config cfg;
    struct vrpc_proxied_config pc;
    struct vrpc_endpoint ep;
    struct vrpc_proxy *p;
    size_t i;

    SIM_CHECK(world_node(&W, "proxy", 99, &proxy.n) == 0);
    memset(&cfg, 0, sizeof(cfg));
    cfg.authorizer = &vsec_auth_everyone;
    SIM_CHECK(vrpc_proxy_new(proxy.n->m, &cfg, &p) == 0);
    proxy.n->listens = true;
    memset(&ep, 0, sizeof(ep));
    ep.protocol = vdl_str("tcp");
    ep.address = vdl_str(proxy.n->address);
    ep.rid = *vrpc_manager_rid(proxy.n->m);
    SIM_CHECK(vrpc_proxy_set_endpoints(p, &ep, 1) == 0);
    memset(&pc, 0, sizeof(pc));
    pc.name = vdl_str(world_name(proxy.n, ""));
    for (i = 1; i < NODES; i++)
        SIM_CHECK(vrpc_proxied_new(nodes[i]->m, &pc, &proxy.listening[i])
            == 0);
}

const char *sim_name(struct wnode *to)
{
    struct wnode via = *to;

    if (proxy.n != NULL && sim_one_in(2))
        memcpy(via.address, proxy.n->address, sizeof(via.address));
    return world_name(&via, "");
}

/* ---- one seed ------------------------------------------------------------ */

static void make_world(struct wnode *nodes[NODES])
{
    static const char *const names[NODES] = { "one", "two", "three" };
    size_t i;

    memset(&W, 0, sizeof(W));
    tst_alloc_init(&W.t);
    W.seed = now_seed;
    SIM_CHECK(world_init(&W) == 0);
    W.bytes_buffered = sim_one_in(3) ? 0 : WINDOW;
    W.max_out = sim_one_in(2) ? 1 + sim_rnd(3000) : 0;
    W.tamper = tamper;
    for (i = 0; i < NODES; i++) {
        SIM_CHECK(world_node(&W, names[i], i == 0 ? 0 : 11 * i, &nodes[i])
            == 0);
        if (i > 0)
            SIM_CHECK(sim_serve(nodes[i]) == 0);
    }
    memset(&proxy, 0, sizeof(proxy));
    if (sim_one_in(2))
        make_proxy(nodes);
}

static void calm(void)
{
    size_t i;

    W.tamper = NULL;
    sim_slow(false);
    for (i = 0; i < WORLD_LINKS; i++)
        W.links[i].stuck = false;
    for (i = 0; i < W.nnodes; i++)
        W.nodes[i].refuses = W.nodes[i].black_hole = false;
}

static void end(struct wnode *nodes[NODES])
{
    size_t i;

    calm();
    sim_calls_finish();
    world_sleep(&W, 5 * V23_NS_PER_SEC);
    check_all();
    sim_calls_cancel();
    world_sleep(&W, 5 * V23_NS_PER_SEC);
    check_all();
    reap(nodes);
    for (i = 1; i < NODES; i++)
        SIM_CHECK(!stops[i].stopping);
    SIM_CHECK(sim_calls_ended());
    SIM_CHECK(sim_jobs == 0);
    for (i = 0; i < NODES; i++) {
        SIM_CHECK(vrpc_client_ncalls(nodes[i]->c) == 0);
        SIM_CHECK(nodes[i]->s == NULL || vrpc_server_ncalls(nodes[i]->s) == 0);
        vrpc_proxied_free(proxy.listening[i]);
    }
    world_fini(&W);
    SIM_CHECK(W.t.live == 0);
}

static void run_seed(int64_t steps)
{
    struct wnode *nodes[NODES];
    uint32_t k;

    state = now_seed;
    sim_calls_reset();
    memset(stops, 0, sizeof(stops));
    make_world(nodes);
    for (step_ = 0; step_ < steps; step_++) {
        sim_calls_act(nodes, 2, nodes + 1, 2);
        if (sim_one_in(8))
            disturb();
        if (sim_one_in(50))
            stop_or_serve(nodes);
        reap(nodes);
        if (sim_one_in(4))
            sim_answer_one();
        if (sim_one_in(10))
            sim_slow(sim_one_in(2));
        for (k = sim_rnd(6); k > 0; k--)
            world_step(&W);
        if (sim_one_in(8))
            clocks();
        check_all();
    }
    end(nodes);
}

/* ---- program ------------------------------------------------------------- */

static int64_t real_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * V23_NS_PER_SEC + ts.tv_nsec;
}

static int run(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    const struct options *opt = ud;
    int64_t i, begin = real_ns();
    uint64_t started = 0, good = 0;

    (void)argv;
    if (argc != 0)
        return v23_want_args(inv, 0, argc);
    for (i = 0; i < opt->seeds; i++) {
        if (opt->time != 0 && real_ns() - begin >= opt->time)
            break;
        now_seed = (uint64_t)(opt->seed + i);
        run_seed(opt->steps);
        started += sim_started;
        good += sim_good;
    }
    /* A world in which nothing succeeds tests nothing. */
    if (good * 4 < started)
        return v23_error("only %llu of %llu calls succeeded",
            (unsigned long long)good, (unsigned long long)started);
    printf("seeds %lld to %lld, %lld steps each: %llu calls, %llu succeeded\n",
        (long long)opt->seed, (long long)(opt->seed + i - 1),
        (long long)opt->steps, (unsigned long long)started,
        (unsigned long long)good);
    printf("%lld passed, 0 failed\n", (long long)i);
    return 0;
}

int main(int argc, char **argv)
{
    struct options opt = { 1, 1000, 300, 0 };
    const struct v23_flag flags[] = {
        { "seed", "First seed.", "1", V23_FLAG_INT, &opt.seed, NULL },
        { "seeds", "How many seeds are run, one after the other.", "1000",
            V23_FLAG_INT, &opt.seeds, NULL },
        { "steps", "Steps of each.", "300", V23_FLAG_INT, &opt.steps,
            NULL },
        { "time", "Begin no further seed after this time; 0 = never.", "0s",
            V23_FLAG_DURATION, &opt.time, NULL },
    };
    const struct v23_command root = {
        .name = "sim",
        .brief = "simulates clients and servers over a bad network",
        .about = "Command sim runs clients and servers in virtual time over "
                 "connections that stall, are cut at any octet or tampered "
                 "with. A failed check names the seed, with which the run is "
                 "repeated: sim -seed=N -seeds=1.",
        .flags = flags,
        .nflags = sizeof(flags) / sizeof(*flags),
        .run = run,
    };

    return v23_cmdline_main(&root, NULL, 0, NULL, &opt, argc, argv);
}

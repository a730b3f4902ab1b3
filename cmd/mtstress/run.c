/* BSD-3-Clause; see LICENSE. */
#include "mtstress.h"

#include <inttypes.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <vom/value.h>
#include <vrpc/endpoint.h>
#include <vrpc/name.h>

#define WARM_UP 10
#define DISTANCE_TRIES 5
#define CALL_TIMEOUT (60 * V23_NS_PER_SEC)
/* Of calls from which the histogram's bounds are taken. */
#define SAMPLE 10

static void more(struct stress *s);
static void end(void *ud);

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * V23_NS_PER_SEC + t.tv_nsec;
}

/* ---- one call ------------------------------------------------------------ */

static struct work *work_new(struct stress *s)
{
    struct work *w = s->idle;

    if (w != NULL) {
        s->idle = w->next;
        return w;
    }
    if (s->nwork == MAX_WORKERS)
        return NULL;
    w = v23_new(NULL, struct work);
    if (w == NULL)
        return NULL;
    w->s = s;
    v23_arena_init(&w->arena, NULL, SIZE_MAX);
    s->nwork++;
    return w;
}

static void drop_node(struct work *w)
{
    if (w->node == NULL)
        return;
    vrpc_client_free(w->client);
    vrpc_ev_node_free(w->node);
    w->node = NULL;
    w->client = NULL;
}

static void work_idle(struct work *w)
{
    w->next = w->s->idle;
    w->s->idle = w;
}

/* A manager of its own shares no connection with the others. */
static int own_client(struct work *w)
{
    struct vrpc_client_config ccfg = { .component = vdl_str("mtstress") };
    struct vrpc_manager_config mcfg = {
        .principal = w->s->p->rt.principal };
    int rc;

    drop_node(w); /* of the last call: not from inside its callback */
    rc = vrpc_ev_node_new(w->s->p->rt.ev, &mcfg, &w->node);
    if (rc == 0)
        rc = vrpc_client_new(vrpc_ev_node_manager(w->node), &ccfg,
            &w->client);
    return rc;
}

/* The name of this call; false when it is too long. */
static bool set_name(struct work *w)
{
    struct stress *s = w->s;
    uint64_t i = (uint64_t)s->started;
    int n;

    if (s->names == 0) {
        n = snprintf(w->name, sizeof(w->name), "%s", s->name);
        return n >= 0 && (size_t)n < sizeof(w->name);
    }
    if (s->shuffle) {
        s->random = s->random * 1664525u + 1013904223u;
        i = ((uint64_t)s->random * (uint64_t)s->names) >> 32;
    }
    i %= (uint64_t)s->names;
    n = snprintf(w->name, sizeof(w->name), "%s/%05" PRIu64 "/%03" PRIu64,
        s->name, i / 1000, i % 1000);
    return n >= 0 && (size_t)n < sizeof(w->name);
}

static bool start_one(struct stress *s)
{
    struct vrpc_call_opts opts = VRPC_CALL_OPTS_INIT;
    struct work *w = work_new(s);
    struct vrpc_client *c = s->p->rt.client;

    if (w == NULL)
        return false;
    if (!set_name(w)
        || vname_program_raw_names(s->p, w->name, &w->arena, &w->roots) != 0
        || (s->reauthenticate && own_client(w) != 0)) {
        work_idle(w);
        return false;
    }
    if (s->reauthenticate)
        c = w->client;
    opts.timeout_ns = CALL_TIMEOUT;
    opts.preresolved = &w->roots;
    opts.no_retry = true; /* what fails is to be seen */
    s->started++;
    s->running++;
    w->began_ns = now_ns();
    if (s->call(w, c, w->name, &opts) != NULL)
        return true;
    s->running--;
    s->failed++;
    work_idle(w);
    return false;
}

static void later(void *ud)
{
    more(ud);
}

/* ---- what comes back ----------------------------------------------------- */

/* Most of it is of interest from about the average up. */
static void make_histogram(struct stress *s)
{
    struct vrpc_histogram_options opt = { .buckets = 32, .growth = 0.2 };

    opt.min = s->sum_ms / s->count * 95 / 100;
    if (vrpc_stats_histogram(s->stats, vdl_str("latency-ms"), &opt, now_ns(),
            &s->histogram)
        != 0)
        s->histogram = NULL;
}

static void count(struct stress *s, int64_t ns)
{
    int64_t ms = ns / V23_NS_PER_MS;

    s->count++;
    s->sum_ns += ns;
    s->sum_ms += ms;
    if (s->histogram != NULL) /* a value below the first bucket is not shown */
        (void)vrpc_stat_record(s->histogram, ms, now_ns());
    else if (s->count == SAMPLE)
        make_histogram(s);
}

static void keep_error(struct stress *s, const struct v23_verror *err)
{
    s->failed++;
    if (s->first_error[0] == 0)
        snprintf(s->first_error, sizeof(s->first_error), "%.*s",
            (int)err->msg.n, err->msg.n == 0 ? "" : err->msg.p);
}

void stress_called(struct work *w, const struct v23_verror *err)
{
    struct stress *s = w->s;

    s->running--;
    v23_arena_reset(&w->arena);
    work_idle(w);
    if (s->over)
        return;
    if (s->began_ns != 0 && err == NULL)
        count(s, now_ns() - w->began_ns);
    else if (err != NULL)
        keep_error(s, err);
    /* The connection that has just been used is not freed from in here. */
    if (!s->reauthenticate)
        more(s);
    else if (vrpc_runtime_after(&s->p->rt, 0, later, s) != 0)
        end(s);
}

/* ---- when ---------------------------------------------------------------- */

static void end(void *ud)
{
    struct stress *s = ud;

    s->over = true;
    s->last_ns = now_ns();
    vname_program_done(s->p);
}

static void on_signal(void *ud, int signo)
{
    (void)signo;
    end(ud);
}

/* At a fixed rate: all calls that are due by now, and the time of the next. */
static void due(void *ud)
{
    struct stress *s = ud;
    double past = (double)(now_ns() - s->began_ns) / V23_NS_PER_SEC, wait;

    while (!s->over && (double)s->started < past * s->rate)
        if (!start_one(s))
            break;
    wait = (double)(s->started + 1) / s->rate - past;
    if (!s->over
        && vrpc_runtime_after(&s->p->rt,
               wait <= 0 ? V23_NS_PER_MS : (int64_t)(wait * V23_NS_PER_SEC),
               due, s)
            != 0)
        end(s);
}

static void begin(struct stress *s)
{
    s->began_ns = now_ns();
    s->started = s->failed = s->entries = 0;
    s->first_error[0] = 0;
    if (!s->once
        && vrpc_runtime_after(&s->p->rt, s->duration_ns, end, s) != 0)
        end(s);
    else if (s->rate > 0)
        due(s);
    else
        more(s);
}

/* A call has ended: those that are to follow it. */
static void more(struct stress *s)
{
    if (s->began_ns == 0) { /* warming up */
        if (s->running == 0 && s->failed == s->started)
            end(s);
        else if (s->running == 0)
            begin(s);
        return;
    }
    if (s->rate > 0)
        return;
    while (!s->over && s->running < s->workers
        && !(s->once && s->started == s->names))
        if (!start_one(s))
            break;
    if (s->running == 0)
        end(s);
}

static void warm_up(struct stress *s)
{
    int i;

    if (s->once) {
        begin(s);
        return;
    }
    for (i = 0; i < WARM_UP; i++)
        (void)start_one(s);
    if (s->running == 0)
        end(s);
}

/* ---- report -------------------------------------------------------------- */

static int64_t connect_ns(const struct addrinfo *ai)
{
    int64_t began = now_ns(), took = -1;
    int fd = socket(ai->ai_family, SOCK_STREAM, 0);

    if (fd < 0)
        return -1;
    if (connect(fd, ai->ai_addr, ai->ai_addrlen) == 0)
        took = now_ns() - began;
    close(fd);
    return took;
}

/* How far away the table is: the time of a connect, on average. */
static int64_t distance(struct stress *s)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct vdl_str address, suffix, host, port;
    struct addrinfo *ai = NULL;
    struct vrpc_endpoint ep;
    char h[256], p[16];
    struct v23_arena a;
    vdl_str_list names;
    int64_t sum = 0, ns;
    int i;

    v23_arena_init(&a, NULL, SIZE_MAX);
    if (vname_program_raw_names(s->p, s->name, &a, &names) != 0
        || names.n == 0
        || vrpc_name_split(&a, names.v[0], &address, &suffix) != 0
        || vrpc_endpoint_parse(&a, address, &ep, NULL) != 0
        || vrpc_split_host_port(ep.address, &host, &port) != 0)
        sum = -1;
    if (sum == 0) {
        snprintf(h, sizeof(h), "%.*s", (int)host.n, host.p);
        snprintf(p, sizeof(p), "%.*s", (int)port.n, port.p);
        if (getaddrinfo(h, p, &hints, &ai) != 0)
            sum = -1;
    }
    for (i = 0; i < DISTANCE_TRIES && sum >= 0; i++) {
        ns = connect_ns(ai);
        sum = ns < 0 ? -1 : sum + ns;
    }
    if (ai != NULL)
        freeaddrinfo(ai);
    v23_arena_fini(&a);
    return sum < 0 ? -1 : sum / DISTANCE_TRIES;
}

static void print_duration(const char *what, int64_t ns)
{
    struct v23_buf b;

    v23_buf_init(&b, NULL, SIZE_MAX);
    v23_duration_put(&b, ns);
    printf("%s%s\n", what, v23_buf_cstr(&b));
    v23_buf_fini(&b);
}

static void print_histogram(struct stress *s)
{
    v23_services_stats_histogram_value h;
    struct v23_now now = { .mono_ns = now_ns() };
    struct v23_arena a;
    struct vdl_any v;
    struct v23_buf b;

    if (s->histogram == NULL)
        return;
    v23_arena_init(&a, NULL, SIZE_MAX);
    v23_buf_init(&b, NULL, SIZE_MAX);
    if (vrpc_stats_value(s->stats, vdl_str("latency-ms"), &now, &a, &v) == 0
        && v.type == &v23_services_stats_histogram_value_desc) {
        memcpy(&h, v.val, sizeof(h));
        vrpc_histogram_format(&h, &b);
        printf("RPC latency histogram (in ms):\n%s", v23_buf_cstr(&b));
    }
    v23_buf_fini(&b);
    v23_arena_fini(&a);
}

static int report(struct stress *s)
{
    double seconds = (double)(s->last_ns - s->began_ns) / V23_NS_PER_SEC;
    double rate = seconds <= 0 ? 0 : (double)s->count / seconds;

    if (s->count == 0)
        return v23_error("no call succeeded: %s",
            s->first_error[0] == 0 ? "none was made" : s->first_error);
    print_histogram(s);
    if (s->distance_ns >= 0)
        print_duration("Network Distance: ", s->distance_ns);
    printf("#RPCs sent:       %" PRId64 "\n", s->count);
    if (s->rate > 0)
        printf("RPCs/sec sent:    %.2f (%.2f%% of the desired rate of %g)\n",
            rate, rate * 100 / s->rate, s->rate);
    else
        printf("RPCs/sec sent:    %.2f\n", rate);
    print_duration("Avg. Latency:     ", s->sum_ns / s->count);
    if (s->entries > 0)
        printf("Entries/sec:      %.2f\n", (double)s->entries / seconds);
    if (s->failed > 0)
        return v23_error("%" PRId64 " calls failed, the first one with: %s",
            s->failed, s->first_error);
    if (rate < 0.9 * s->rate)
        return v23_error("TAINTED RESULTS: less traffic than desired: either "
            "the server or this program was too slow");
    return 0;
}

int stress_run(struct stress *s, struct vname_program *p, const char *name,
    stress_fn *call)
{
    struct v23_now now;
    struct work *w;
    int rc;

    s->p = p;
    s->name = name;
    s->call = call;
    s->random = 1;
    vrpc_ev_now(p->rt.ev, &now);
    if (vrpc_stats_new(NULL, &now, &s->stats) != 0
        || vrpc_runtime_on_signal(&p->rt, on_signal, s) != 0)
        return v23_error("out of memory");
    s->distance_ns = distance(s);
    warm_up(s);
    vname_program_wait(p);
    vrpc_runtime_cancel_timers(&p->rt);
    rc = report(s);
    while ((w = s->idle) != NULL && s->running == 0) {
        s->idle = w->next;
        drop_node(w);
        v23_arena_fini(&w->arena);
        v23_put(NULL, w);
    }
    vrpc_stats_free(s->stats);
    return rc;
}

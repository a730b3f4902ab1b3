/* BSD-3-Clause; see LICENSE. */
/*
 * The simulated service. Each call keeps its own state, so that many run at a
 * time and what they send can be checked byte by byte:
 *   Add(a, b int32) int32, Blob([]byte) []byte, Count(n int32) stream<_, int32>,
 *   Fail(), Sum() stream<int32, int32> int32, Wait()
 */
#include "sim.h"

#include <vsec/authorizer.h>

struct job {
    struct job *next, **link; /* of all jobs */
    struct vrpc_server_call *call;
    int32_t at, count, sum;
    bool unsent, waits, gone;
};

static struct job *jobs;
size_t sim_jobs;
static bool slow_;

static struct job *job_new(struct vrpc_server_call *call)
{
    struct job *j = v23_arena_get0(vrpc_server_call_arena(call), 1, sizeof(*j),
        V23_ALIGNOF(struct job));

    SIM_CHECK(j != NULL);
    j->call = call;
    j->next = jobs;
    j->link = &jobs;
    if (jobs != NULL)
        jobs->link = &j->next;
    jobs = j;
    sim_jobs++;
    vrpc_server_call_set_data(call, j);
    return j;
}

/* The handler's part ends here; nothing may be said to it any more. */
static void finish(struct job *j, const void *out)
{
    SIM_CHECK(!j->gone);
    j->gone = true;
    *j->link = j->next;
    if (j->next != NULL)
        j->next->link = j->link;
    sim_jobs--;
    (void)vrpc_server_call_reply(j->call, NULL, out);
}

static void cancelled(void *ud, struct vrpc_server_call *call, int reason)
{
    static const struct sim_int zero;
    struct job *j = ud;

    (void)call;
    SIM_CHECK(reason == V23_ECANCELED || reason == V23_ETIMEOUT);
    finish(j, &zero); /* only Sum has a result */
}

static const struct v23_verror *add(const void *vt, void *self,
    struct vrpc_server_call *call, const void *in, void *out)
{
    const struct sim_add *i = in;

    (void)vt;
    (void)self;
    (void)call;
    ((struct sim_int *)out)->n = (int32_t)((uint32_t)i->a + (uint32_t)i->b);
    return NULL;
}

static const struct v23_verror *blob(const void *vt, void *self,
    struct vrpc_server_call *call, const void *in, void *out)
{
    (void)vt;
    (void)self;
    (void)call;
    *(struct sim_blob *)out = *(const struct sim_blob *)in;
    return NULL;
}

static void count_more(void *ud, struct vrpc_server_call *call)
{
    struct job *j = ud;
    int rc = 0;

    SIM_CHECK(!j->gone);
    while (j->at < j->count && rc == 0) {
        rc = vrpc_server_call_send(call, &j->at);
        if (rc == 0)
            j->at++;
    }
    if (rc == 0)
        finish(j, NULL);
}

static const struct v23_verror *count(const void *vt, void *self,
    struct vrpc_server_call *call, const void *in, void *out)
{
    struct job *j = job_new(call);

    (void)vt;
    (void)self;
    (void)out;
    j->count = ((const struct sim_int *)in)->n;
    vrpc_server_call_on_writable(call, count_more, j);
    vrpc_server_call_on_cancel(call, cancelled, j);
    count_more(j, call);
    return &vrpc_pending;
}

/* Asks to be tried again, at once or later; or gives in. */
static const struct v23_verror *fail(const void *vt, void *self,
    struct vrpc_server_call *call, const void *in, void *out)
{
    (void)vt;
    (void)self;
    (void)in;
    (void)out;
    if (sim_one_in(3))
        return NULL;
    return v23_verror_text(vrpc_server_call_arena(call),
        vrpc_server_call_errctx(call), vdl_str("x/sim.Later"),
        sim_one_in(2) ? V23_RETRY_BACKOFF : V23_RETRY_CONNECTION, "later");
}

static void sum_writable(void *ud, struct vrpc_server_call *call)
{
    struct job *j = ud;

    SIM_CHECK(!j->gone);
    if (j->unsent && vrpc_server_call_send(call, &j->sum) != V23_EAGAIN) {
        j->unsent = false;
        vrpc_server_call_pause(call, slow_);
    }
}

static const struct v23_verror *sum(const void *vt, void *self,
    struct vrpc_server_call *call, const void *in, void *out)
{
    struct job *j = job_new(call);

    (void)vt;
    (void)self;
    (void)in;
    (void)out;
    vrpc_server_call_on_writable(call, sum_writable, j);
    vrpc_server_call_on_cancel(call, cancelled, j);
    return &vrpc_pending;
}

static void sum_item(const void *vt, void *self, struct vrpc_server_call *call,
    const void *item)
{
    struct job *j = vrpc_server_call_data(call);
    struct sim_int out;

    (void)vt;
    (void)self;
    SIM_CHECK(!j->gone && !j->unsent);
    if (item == NULL) {
        out.n = j->sum;
        finish(j, &out);
        return;
    }
    j->sum = (int32_t)((uint32_t)j->sum + (uint32_t)*(const int32_t *)item);
    if (vrpc_server_call_send(call, &j->sum) == V23_EAGAIN) {
        j->unsent = true;
        vrpc_server_call_pause(call, true);
    } else if (slow_) {
        vrpc_server_call_pause(call, true);
    }
}

static const struct v23_verror *wait(const void *vt, void *self,
    struct vrpc_server_call *call, const void *in, void *out)
{
    struct job *j = job_new(call);

    (void)vt;
    (void)self;
    (void)in;
    (void)out;
    j->waits = true;
    vrpc_server_call_on_cancel(call, cancelled, j);
    return &vrpc_pending;
}

void sim_answer_one(void)
{
    struct job *j;

    for (j = jobs; j != NULL; j = j->next)
        if (j->waits) {
            finish(j, NULL);
            return;
        }
}

void sim_slow(bool slow)
{
    struct job *j, *next;

    slow_ = slow;
    for (j = jobs; !slow && j != NULL; j = next) {
        next = j->next;
        if (!j->unsent)
            vrpc_server_call_pause(j->call, false);
    }
}

#define STR(lit) VDL_STR_INIT(lit)
static const struct vrpc_arg add_args[] = {
    { STR("a"), STR(""), &vdl_int32_desc, offsetof(struct sim_add, a) },
    { STR("b"), STR(""), &vdl_int32_desc, offsetof(struct sim_add, b) },
};
static const struct vrpc_arg int_args[] = { { STR("n"), STR(""),
    &vdl_int32_desc, 0 } };
static const struct vrpc_arg blob_args[] = { { STR("b"), STR(""),
    &vdl_bytes_desc, 0 } };

/* Sorted by name. */
const struct vrpc_method sim_methods[SIM_NM] = {
    [SIM_ADD] = { .name = STR("Add"), .in = add_args, .nin = 2,
        .in_size = sizeof(struct sim_add), .out = int_args, .nout = 1,
        .out_size = sizeof(struct sim_int), .thunk = add },
    [SIM_BLOB] = { .name = STR("Blob"), .in = blob_args, .nin = 1,
        .in_size = sizeof(struct sim_blob), .out = blob_args, .nout = 1,
        .out_size = sizeof(struct sim_blob), .thunk = blob },
    [SIM_COUNT] = { .name = STR("Count"), .in = int_args, .nin = 1,
        .in_size = sizeof(struct sim_int), .out_stream = &vdl_int32_desc,
        .thunk = count },
    [SIM_FAIL] = { .name = STR("Fail"), .thunk = fail },
    [SIM_SUM] = { .name = STR("Sum"), .in_stream = &vdl_int32_desc,
        .out_stream = &vdl_int32_desc, .out = int_args, .nout = 1,
        .out_size = sizeof(struct sim_int), .thunk = sum, .item = sum_item },
    [SIM_WAIT] = { .name = STR("Wait"), .thunk = wait },
};
static const struct vrpc_iface iface = { .name = STR("Sim"),
    .pkg_path = STR("x/sim"), .methods = sim_methods, .nmethods = SIM_NM };

int sim_serve(struct wnode *n)
{
    struct vrpc_server_config sc;

    memset(&sc, 0, sizeof(sc));
    sc.object.iface = &iface;
    sc.authorizer = &vsec_auth_everyone;
    sc.component = vdl_str(n->name);
    return vrpc_server_new(n->m, &sc, &n->s);
}

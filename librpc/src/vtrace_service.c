/* BSD-3-Clause; see LICENSE. */
/* The object "__debug/vtrace": one trace, or all of them as a stream. */
#include <vrpc/server.h>
#include <vrpc/verror.h>
#include <vrpc/vtrace.h>

#include <v23/vdl/v.io/v23/services/vtrace/vtrace.rpc.h>

/* An AllTraces at work. The traces are copied one by one, as the client takes
 * them; those that went meanwhile are left out. */
struct listing {
    struct vrpc_vtrace *v;
    const v23_uniqueid_id *ids;
    size_t n, next;
};

static const struct v23_verror *trace(void *self,
    struct vrpc_server_call *call,
    const v23_services_vtrace_store_trace_in *in,
    v23_services_vtrace_store_trace_out *out)
{
    struct v23_arena *a = vrpc_server_call_arena(call);
    const struct v23_errctx *ctx = vrpc_server_call_errctx(call);
    struct v23_buf text;
    uint8_t mem[40];
    int rc = vrpc_vtrace_get(self, &in->id, a, &out->result);

    if (rc == 0)
        return NULL;
    v23_buf_init_fixed(&text, mem, sizeof(mem));
    v23_hex_put(&text, in->id.v, sizeof(in->id.v));
    return rc == V23_ENOENT
               ? vrpc_err_make(a, ctx, VRPC_ERR_NO_EXIST,
                     "no trace with id 0x%.*s", (int)text.n, (char *)text.p)
               : vrpc_err_make(a, ctx, vrpc_err_of_status(rc), "%s",
                     v23_strerror(rc));
}

/* 0: all sent; V23_EAGAIN: the window is shut. */
static int send_more(struct vrpc_server_call *call, struct listing *l)
{
    struct v23_arena *a = vrpc_server_call_arena(call);
    struct v23_arena_mark mark = v23_arena_mark(a);
    v23_vtrace_trace_record t;
    int rc = 0;

    while (l->next < l->n && rc == 0) {
        memset(&t, 0, sizeof(t));
        rc = vrpc_vtrace_get(l->v, &l->ids[l->next], a, &t);
        if (rc == 0)
            rc = v23_services_vtrace_store_all_traces_send(call, &t);
        v23_arena_rewind(a, mark);
        if (rc == V23_ENOENT)
            rc = 0;
        if (rc == 0)
            l->next++;
    }
    return rc;
}

static const struct v23_verror *outcome(struct vrpc_server_call *call, int rc)
{
    if (rc == 0)
        return NULL;
    return vrpc_err_make(vrpc_server_call_arena(call),
        vrpc_server_call_errctx(call), vrpc_err_of_status(rc), "%s",
        v23_strerror(rc));
}

static void writable(void *ud, struct vrpc_server_call *call)
{
    int rc = send_more(call, ud);

    if (rc != V23_EAGAIN)
        (void)vrpc_server_call_reply(call, outcome(call, rc), NULL);
}

static void cancelled(void *ud, struct vrpc_server_call *call, int reason)
{
    (void)ud;
    (void)vrpc_server_call_reply(call, outcome(call, reason), NULL);
}

static const struct v23_verror *all_traces(void *self,
    struct vrpc_server_call *call)
{
    struct v23_arena *a = vrpc_server_call_arena(call);
    struct listing *l = v23_arena_new(a, struct listing);
    int rc = V23_ENOMEM;

    if (l != NULL) {
        l->v = self;
        rc = vrpc_vtrace_ids(l->v, a, &l->ids, &l->n);
    }
    if (rc == 0)
        rc = send_more(call, l);
    if (rc != V23_EAGAIN)
        return outcome(call, rc);
    vrpc_server_call_on_writable(call, writable, l);
    vrpc_server_call_on_cancel(call, cancelled, l);
    return &vrpc_pending;
}

struct vrpc_object vrpc_vtrace_object(struct vrpc_vtrace *v)
{
    static const v23_services_vtrace_store_vt vt = { trace, all_traces };

    return v23_services_vtrace_store_object(&vt, v);
}

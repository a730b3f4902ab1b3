/* BSD-3-Clause; see LICENSE. */
/* Methods with one request and one response. */
#include "server.h"

#include <stdio.h>

#include <vrpc/verror.h>

void echo_log(const struct echo_server *s,
    const struct vrpc_server_call *call)
{
    struct vdl_str suffix = vrpc_server_call_suffix(call);
    struct vdl_str method = vrpc_server_call_method(call);
    vdl_str_list names = vrpc_server_call_remote_names(call);
    struct vdl_str who = names.n == 0 ? vdl_str("somebody") : names.v[0];

    if (!s->quiet)
        fprintf(stderr, "%.*s.%.*s from %.*s\n", (int)suffix.n, suffix.p,
            (int)method.n, method.p, (int)who.n, who.p);
}

/* Count the loops by the first call that each serves. */
static void note_loop(struct echo_server *s, const void *loop)
{
    const void *none;
    size_t i;

    for (i = 0; i < ECHO_LOOPS; i++) {
        none = NULL;
        if (atomic_load(&s->loops[i]) == loop)
            return;
        if (atomic_compare_exchange_strong(&s->loops[i], &none, loop)) {
            s->count.loops++;
            return;
        }
    }
}

void echo_enter(struct echo_server *s, const struct vrpc_server_call *call)
{
    s->count.calls++;
    note_loop(s, vrpc_runtime_of(call));
    echo_log(s, call);
}

static struct echo_server *enter(void *self, struct vrpc_server_call *call)
{
    struct echo_object *o = self;

    echo_enter(o->server, call);
    return o->server;
}

static const struct v23_verror *echo(void *self,
    struct vrpc_server_call *call, const echo_echo_echo_in *in,
    echo_echo_echo_out *out)
{
    enter(self, call);
    out->result = in->v;
    return NULL;
}

static const struct v23_verror *echo_bytes(void *self,
    struct vrpc_server_call *call, const echo_echo_echo_bytes_in *in,
    echo_echo_echo_bytes_out *out)
{
    enter(self, call);
    out->result = in->b;
    return NULL;
}

static const struct v23_verror *echo_string(void *self,
    struct vrpc_server_call *call, const echo_echo_echo_string_in *in,
    echo_echo_echo_string_out *out)
{
    enter(self, call);
    out->result = in->s;
    return NULL;
}

static const struct v23_verror *echo_record_(void *self,
    struct vrpc_server_call *call, const echo_echo_echo_record_in *in,
    echo_echo_echo_record_out *out)
{
    enter(self, call);
    out->result = in->r;
    return NULL;
}

static const struct v23_verror *sum(void *self, struct vrpc_server_call *call,
    const echo_echo_sum_in *in, echo_echo_sum_out *out)
{
    uint32_t i;

    enter(self, call);
    out->isum = (int64_t)in->a + in->b;
    out->fsum = 0;
    for (i = 0; i < in->xs.n; i++)
        out->fsum += in->xs.v[i];
    out->n = in->xs.n;
    return NULL;
}

static const struct v23_verror *nothing(void *self,
    struct vrpc_server_call *call)
{
    enter(self, call);
    return NULL;
}

static const struct v23_verror *fail(void *self,
    struct vrpc_server_call *call, const echo_echo_fail_in *in)
{
    return echo_fail(enter(self, call), call, in->kind);
}

/* ---- who am I ------------------------------------------------------------ */

static struct vdl_str fingerprint(struct v23_arena *a, struct v23_bytes der)
{
    char text[VSEC_FINGERPRINT] = "";
    const char *copy;

    if (vsec_fingerprint(&vsec_crypto_default,
            vdl_bytes(der.p, der.n), text)
        != 0)
        text[0] = 0;
    copy = v23_arena_dup(a, text, strlen(text));
    return vdl_str(copy);
}

static struct vdl_str endpoint(struct v23_arena *a,
    const struct vrpc_endpoint *ep)
{
    struct vdl_str text = { "", 0 };

    if (ep != NULL && vrpc_endpoint_text(a, ep, &text) != 0)
        text.n = 0;
    return text;
}

static vdl_str_list rejected(struct v23_arena *a,
    v23_security_rejected_blessing_list in)
{
    struct vdl_str *v = v23_arena_get0(a, in.n, sizeof(*v),
        V23_ALIGNOF(struct vdl_str));
    vdl_str_list out = { NULL, 0 };
    uint32_t i;

    if (v == NULL)
        return out;
    for (i = 0; i < in.n; i++)
        v[i] = in.v[i].blessing;
    out.v = v;
    out.n = in.n;
    return out;
}

static const struct v23_verror *who_am_i(void *self,
    struct vrpc_server_call *call, echo_echo_who_am_i_out *out)
{
    struct v23_arena *a = vrpc_server_call_arena(call);
    struct echo_server *s = enter(self, call);
    int64_t deadline = vrpc_server_call_deadline(call);
    echo_who *w = &out->result;
    struct v23_now now;

    w->suffix = vrpc_server_call_suffix(call);
    w->method = vrpc_server_call_method(call);
    w->remote_names = vrpc_server_call_remote_names(call);
    w->remote_rejected = rejected(a, vrpc_server_call_rejected(call));
    w->remote_raw = vsec_blessings_text(
        vrpc_server_call_remote_blessings(call));
    w->local_names = vrpc_server_call_local_names(call);
    w->local_raw = vsec_blessings_text(vrpc_server_call_local_blessings(call));
    w->remote_key = fingerprint(a, vrpc_server_call_remote_key(call));
    w->local_key = fingerprint(a, vrpc_server_call_local_key(call));
    w->remote_endpoint = endpoint(a, vrpc_server_call_remote_endpoint(call));
    w->local_endpoint = endpoint(a, vrpc_server_call_local_endpoint(call));
    w->granted = vsec_blessings_text(vrpc_server_call_granted(call));
    w->discharges = (int32_t)vrpc_server_call_discharges(call);
    w->has_deadline = deadline != V23_NEVER;
    if (w->has_deadline) {
        vrpc_ev_now(s->p->rt.ev, &now);
        w->deadline_ms = (deadline - now.mono_ns) / V23_NS_PER_MS;
    }
    return NULL;
}

/* ---- counters ------------------------------------------------------------ */

static const struct v23_verror *counters(void *self,
    struct vrpc_server_call *call, echo_echo_counters_out *out)
{
    struct v23_arena *a = vrpc_server_call_arena(call);
    struct echo_server *s = enter(self, call);
    vdl_str_int64_entry *v = v23_arena_get0(a, 5, sizeof(*v),
        V23_ALIGNOF(vdl_str_int64_entry));

    if (v == NULL)
        return vrpc_err_make(a, vrpc_server_call_errctx(call),
            VRPC_ERR_INTERNAL, "out of memory");
    v[0].key = vdl_str("calls");
    v[0].val = s->count.calls;
    v[1].key = vdl_str("cancels");
    v[1].val = s->count.cancels;
    v[2].key = vdl_str("deadlines");
    v[2].val = s->count.deadlines;
    v[3].key = vdl_str("fails");
    v[3].val = s->count.fails;
    v[4].key = vdl_str("loops");
    v[4].val = s->count.loops;
    out->result.v = v;
    out->result.n = 5;
    return NULL;
}

static const struct v23_verror *admin_only(void *self,
    struct vrpc_server_call *call, echo_echo_admin_only_out *out)
{
    enter(self, call);
    out->result = vdl_str("admin");
    return NULL;
}

const echo_echo_vt echo_methods = {
    .echo = echo,
    .echo_bytes = echo_bytes,
    .echo_string = echo_string,
    .echo_record = echo_record_,
    .sum = sum,
    .nothing = nothing,
    .fail = fail,
    .stream_echo = echo_stream_echo,
    .stream_echo_item = echo_stream_echo_item,
    .stream_echo_bytes = echo_stream_echo_bytes,
    .stream_echo_bytes_item = echo_stream_echo_bytes_item,
    .stream_count = echo_stream_count,
    .stream_bytes = echo_stream_bytes,
    .stream_sum = echo_stream_sum,
    .stream_sum_item = echo_stream_sum_item,
    .stream_fail = echo_stream_fail,
    .sleep = echo_sleep,
    .who_am_i = who_am_i,
    .counters = counters,
    .admin_only = admin_only,
};

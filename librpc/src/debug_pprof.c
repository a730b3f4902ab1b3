/* BSD-3-Clause; see LICENSE. */
/* __debug/pprof (spec/services.md 9.4). A profile is made as a whole and sent
 * in pieces. */
#include "debug_int.h"

#include <v23/vdl/v.io/v23/services/pprof/pprof.rpc.h>

#define PIECE (32u << 10)
#define MAX_PROFILE (16u << 20)
#define MAX_SECONDS 3600
#define MAX_SYMBOLS 65536

static const struct vrpc_profiler nothing;

static const struct vrpc_profiler *profiler(void *self)
{
    const struct vrpc_debug *d = ((struct vrpc_debug_object_ *)self)->d;

    return d->cfg.profiler == NULL ? &nothing : d->cfg.profiler;
}

static const struct v23_verror *cmd_line(void *self,
    struct vrpc_server_call *call, v23_pprof_pprof_cmd_line_out *out)
{
    const struct vrpc_profiler *p = profiler(self);

    if (p->cmdline != NULL &&
        p->cmdline(p->ud, vrpc_server_call_arena(call), &out->result) != 0)
        return vrpc_debug_failed_(call, "the command line is unknown",
            vdl_str(""));
    return NULL;
}

static const struct v23_verror *profiles(void *self,
    struct vrpc_server_call *call, v23_pprof_pprof_profiles_out *out)
{
    const struct vrpc_profiler *p = profiler(self);

    (void)call;
    if (p->profile != NULL && p->names != NULL)
        out->result = *p->names;
    return NULL;
}

/* ---- profiles ------------------------------------------------------------ */

struct profile {
    struct vrpc_debug_run_ run; /* first member */
    const struct vrpc_profiler *p;
    struct v23_buf text;
    size_t sent;
    bool sampling;
};

static void profile_end(struct vrpc_debug_run_ *r)
{
    struct profile *f = (struct profile *)r;

    if (f->sampling)
        (void)f->p->cpu_stop(f->p->ud, NULL);
    v23_buf_fini(&f->text);
}

static void profile_go(struct vrpc_debug_run_ *r, bool timed)
{
    struct profile *f = (struct profile *)r;
    struct vdl_bytes piece;
    int rc = 0;

    if (f->sampling && !timed)
        return;
    if (f->sampling) {
        f->sampling = false;
        rc = f->p->cpu_stop(f->p->ud, &f->text);
        if (rc == 0)
            rc = f->text.err;
    }
    for (; rc == 0 && f->sent < f->text.n; f->sent += rc == 0 ? piece.n : 0) {
        piece = vdl_bytes(f->text.p + f->sent,
            f->text.n - f->sent < PIECE ? f->text.n - f->sent : PIECE);
        rc = v23_pprof_pprof_profile_send(r->call, &piece);
    }
    if (rc == V23_EAGAIN)
        return;
    vrpc_debug_run_finish_(r, rc == 0 || rc == V23_ECLOSED
                                  ? NULL
                                  : vrpc_debug_failed_(r->call,
                                        "the profile cannot be made: ",
                                        vdl_str(v23_strerror(rc))));
}

/* A run, or NULL with *err. */
static struct profile *start(void *self, struct vrpc_server_call *call,
    const struct v23_verror **err)
{
    struct vrpc_debug *d = ((struct vrpc_debug_object_ *)self)->d;
    struct profile *f = v23_arena_new(vrpc_server_call_arena(call),
        struct profile);

    if (f == NULL) {
        *err = vrpc_debug_failed_(call, "out of memory", vdl_str(""));
        return NULL;
    }
    f->p = profiler(self);
    f->run.go = profile_go;
    f->run.end = profile_end;
    v23_buf_init(&f->text, d->cfg.al, MAX_PROFILE);
    *err = vrpc_debug_run_start_(&f->run, d, call);
    return *err == NULL ? f : NULL;
}

static const struct v23_verror *profile(void *self,
    struct vrpc_server_call *call, const v23_pprof_pprof_profile_in *in)
{
    const struct vrpc_profiler *p = profiler(self);
    const struct v23_verror *err;
    struct profile *f;
    bool known = false;
    uint32_t i;
    int rc;

    for (i = 0; p->profile != NULL && p->names != NULL && i < p->names->n; i++)
        known = known || vdl_str_eq(p->names->v[i], in->name);
    if (!known)
        return vrpc_debug_failed_(call, "profile does not exist: ", in->name);
    f = start(self, call, &err);
    if (f == NULL)
        return err;
    rc = p->profile(p->ud, in->name, in->debug, &f->text);
    if (rc == 0)
        rc = f->text.err;
    if (rc != 0)
        vrpc_debug_run_finish_(&f->run, vrpc_debug_failed_(call,
                                   "the profile cannot be made: ",
                                   vdl_str(v23_strerror(rc))));
    else
        profile_go(&f->run, false);
    return &vrpc_pending;
}

static const struct v23_verror *cpu_profile(void *self,
    struct vrpc_server_call *call, const v23_pprof_pprof_cpu_profile_in *in)
{
    const struct vrpc_profiler *p = profiler(self);
    const struct v23_verror *err;
    struct profile *f;
    int rc;

    if (in->seconds <= 0 || in->seconds > MAX_SECONDS)
        return vrpc_err_make(vrpc_server_call_arena(call), NULL,
            VRPC_ERR_UNKNOWN,
            "invalid number of seconds: %d, not in range 0...%d",
            (int)in->seconds, MAX_SECONDS);
    if (p->cpu_start == NULL)
        return vrpc_debug_failed_(call, "no CPU profiles on this platform",
            vdl_str(""));
    f = start(self, call, &err);
    if (f == NULL)
        return err;
    rc = p->cpu_start(p->ud);
    if (rc != 0) {
        vrpc_debug_run_finish_(&f->run, vrpc_debug_failed_(call,
                                   rc == V23_ESTATE
                                       ? "cpu profiling already in use"
                                       : "cpu profiling failed",
                                   vdl_str("")));
        return &vrpc_pending;
    }
    f->sampling = true;
    vrpc_debug_run_wait_(&f->run, in->seconds * V23_NS_PER_SEC);
    return &vrpc_pending;
}

/* ---- Symbol -------------------------------------------------------------- */

static const struct v23_verror *symbol(void *self,
    struct vrpc_server_call *call, const v23_pprof_pprof_symbol_in *in,
    v23_pprof_pprof_symbol_out *out)
{
    const struct vrpc_profiler *p = profiler(self);
    struct v23_arena *a = vrpc_server_call_arena(call);
    uint32_t n = in->program_counters.n, i;
    struct vdl_str *v;

    if (n > MAX_SYMBOLS)
        return vrpc_debug_failed_(call, "too many addresses", vdl_str(""));
    v = v23_arena_get0(a, n == 0 ? 1 : n, sizeof(*v),
        _Alignof(struct vdl_str));
    if (v == NULL)
        return vrpc_debug_failed_(call, "out of memory", vdl_str(""));
    for (i = 0; p->symbol != NULL && i < n; i++)
        if (p->symbol(p->ud, in->program_counters.v[i], a, &v[i]) != 0)
            v[i].n = 0;
    out->result.v = v;
    out->result.n = n;
    return NULL;
}

struct vrpc_object vrpc_debug_pprof_(struct vrpc_debug_object_ *o)
{
    static const v23_pprof_pprof_vt vt = { cmd_line, profiles, profile,
        cpu_profile, symbol };

    return v23_pprof_pprof_object(&vt, o);
}

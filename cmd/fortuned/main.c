/* BSD-3-Clause; see LICENSE. */
/* fortuned: serves fortunes (spec/services.md 7.1). */
#include <stdio.h>
#include <stdlib.h>

#include <v23/vdl/v.io/x/ref/examples/fortune/fortune.rpc.h>
#include <vname/program.h>
#include <vrpc/server.h>

#define MAX_FORTUNES 65536
#define MAX_LENGTH 65536

static const char *name = "";
static struct vdl_str *fortunes; /* each text in its own block */
static size_t nfortunes, cap;
static uint64_t state = 1;

static const char *const known[] = {
    "You will reach the heights of success.",
    "Conquer your fears or they will conquer you.",
    "Today is your lucky day!",
};

static const struct v23_flag flags[] = {
    { "name", "Name to publish the server under.", "", V23_FLAG_STRING, &name,
        NULL },
};

static int add(struct vdl_str text)
{
    void *v = fortunes;
    char *copy = v23_get(NULL, text.n == 0 ? 1 : text.n);

    if (copy == NULL
        || v23_reserve(NULL, &v, &cap, nfortunes + 1, MAX_FORTUNES,
               sizeof(*fortunes))
            != 0) {
        v23_put(NULL, copy);
        return V23_ENOMEM;
    }
    fortunes = v;
    if (text.n != 0)
        memcpy(copy, text.p, text.n);
    fortunes[nfortunes++] = vdl_strn(copy, text.n);
    return 0;
}

static const struct v23_verror *get_(void *self, struct vrpc_server_call *call,
    v23_fortune_fortune_get_out *out)
{
    (void)self;
    if (nfortunes == 0)
        return v23_verror_text(vrpc_server_call_arena(call),
            vrpc_server_call_errctx(call),
            vdl_str("v.io/v23/verror.NoExist"), V23_NO_RETRY,
            "there are no fortunes");
    /* Any one will do; this needs no good randomness. */
    state = state * UINT64_C(6364136223846793005)
        + UINT64_C(1442695040888963407);
    out->fortune = fortunes[(state >> 33) % nfortunes];
    return NULL;
}

static const struct v23_verror *add_(void *self, struct vrpc_server_call *call,
    const v23_fortune_fortune_add_in *in)
{
    (void)self;
    if (in->fortune.n > MAX_LENGTH || add(in->fortune) != 0)
        return v23_verror_text(vrpc_server_call_arena(call),
            vrpc_server_call_errctx(call),
            vdl_str("v.io/v23/verror.BadArg"), V23_NO_RETRY,
            "no room for this fortune");
    return NULL;
}

static const struct v23_verror *has_(void *self, struct vrpc_server_call *call,
    const v23_fortune_fortune_has_in *in, v23_fortune_fortune_has_out *out)
{
    size_t i;

    (void)self;
    (void)call;
    for (i = 0; i < nfortunes; i++)
        if (vdl_str_eq(fortunes[i], in->fortune))
            out->result = true;
    return NULL;
}

static const v23_fortune_fortune_vt methods = {
    .get = get_,
    .add = add_,
    .has = has_,
};

static int run(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct vname_program *p = ud;
    struct vrpc_server_config cfg = { 0 };
    struct vname_serve_config scfg = { 0 };
    struct vname_serving *s;
    struct v23_now now;
    size_t i;
    int rc = 0;

    (void)inv;
    (void)argc;
    (void)argv;
    for (i = 0; i < sizeof(known) / sizeof(known[0]) && rc == 0; i++)
        rc = add(vdl_str(known[i]));
    vrpc_ev_now(p->rt.ev, &now);
    state = (uint64_t)now.wall.sec ^ (uint64_t)now.mono_ns;
    cfg.object = v23_fortune_fortune_object(&methods, NULL);
    scfg.server = &cfg;
    scfg.name = vdl_str(name);
    if (rc == 0)
        rc = vname_serve(p, &scfg, &s);
    if (rc != 0)
        rc = v23_error("cannot serve: %s",
            p->rt.why[0] != 0 ? p->rt.why : v23_strerror(rc));
    else
        vname_serving_run(s);
    for (i = 0; i < nfortunes; i++)
        v23_put(NULL, (void *)(uintptr_t)fortunes[i].p);
    v23_put(NULL, fortunes);
    return rc;
}

static const struct v23_command command = {
    .name = "fortuned",
    .brief = "serves fortunes",
    .about = "Command fortuned runs a daemon that serves fortunes.",
    .flags = flags,
    .nflags = 1,
    .run = run,
};

int main(int argc, char **argv)
{
    static struct vname_program p;

    return vname_program_main(&p, &command, VRPC_FLAGS_SERVER, argc,
        argv);
}

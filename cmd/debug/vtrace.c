/* BSD-3-Clause; see LICENSE. */
/* debug vtrace: the traces that a server has collected. */
#include "debug.h"

#include <string.h>

#include <v23/vdl/v.io/v23/services/vtrace/vtrace.rpc.h>
#include <vrpc/vtrace_text.h>

#define TEXT_MAX ((size_t)256 << 20)

struct run {
    struct vname_program *p;
    struct vrpc_call_opts opts;
    size_t running;
    int rc;
};

static void put_trace(struct run *x, const v23_vtrace_trace_record *t)
{
    struct v23_arena a;
    struct v23_buf out;
    int rc;

    v23_arena_init(&a, NULL, TEXT_MAX);
    v23_buf_init(&out, NULL, TEXT_MAX);
    rc = vrpc_vtrace_put(&out, t, vrpc_zone_local, &a);
    if (rc != 0)
        out.err = rc;
    if (print_buf(&out) != 0)
        x->rc = 1;
    v23_buf_fini(&out);
    v23_arena_fini(&a);
}

static void ended(struct run *x, const struct v23_verror *err)
{
    if (err != NULL && x->rc == 0)
        x->rc = vname_program_error(x->p, NULL, err);
    if (--x->running == 0)
        vname_program_done(x->p);
}

static void got_trace(void *ud, const v23_vtrace_trace_record *t)
{
    put_trace(ud, t);
}

static void all_done(void *ud, const struct v23_verror *err)
{
    ended(ud, err);
}

static void one_done(void *ud, const struct v23_verror *err,
    const v23_services_vtrace_store_trace_out *out)
{
    if (err == NULL)
        put_trace(ud, &out->result);
    ended(ud, err);
}

static int all(struct run *x, const char *name)
{
    static const v23_services_vtrace_store_all_traces_cb cb = { got_trace,
        all_done };

    x->running = 1;
    if (v23_services_vtrace_store_all_traces_start(x->p->rt.client, name,
            &x->opts, &cb, x)
        == NULL)
        return out_of_memory();
    vname_program_wait(x->p);
    return x->rc;
}

static int parse_id(const char *text, v23_uniqueid_id *id)
{
    struct v23_buf b;
    int rc;

    if (strncmp(text, "0x", 2) == 0)
        text += 2;
    v23_buf_init_fixed(&b, id, sizeof(*id));
    rc = v23_hex_parse(text, strlen(text), &b);
    if (rc == V23_ETEXT && strspn(text, "0123456789abcdefABCDEF")
            == strlen(text))
        return v23_error("unexpected EOF"); /* as HEAD says it */
    if (rc == V23_ETEXT)
        return v23_error("%s is not an id in hexadecimal digits", text);
    if (rc != 0 || b.n != sizeof(*id))
        return v23_error("cannot convert %s to Id, size mismatch", text);
    return 0;
}

static int some(struct run *x, const char *name, int n, char **texts)
{
    v23_uniqueid_id *ids;
    struct v23_arena a;
    int i, rc = 0;

    v23_arena_init(&a, NULL, SIZE_MAX);
    ids = v23_arena_get0(&a, (size_t)n, sizeof(*ids), 1);
    if (ids == NULL)
        return out_of_memory();
    for (i = 0; i < n && rc == 0; i++)
        rc = parse_id(texts[i], &ids[i]);
    x->opts = call_opts(x->p);
    for (i = 0; i < n && rc == 0; i++) {
        if (v23_services_vtrace_store_trace_start(x->p->rt.client, name,
                &x->opts, &ids[i], one_done, x)
            == NULL)
            rc = out_of_memory();
        else
            x->running++;
    }
    if (rc == 0) {
        vname_program_wait(x->p);
        rc = x->rc;
    }
    v23_arena_fini(&a);
    return rc;
}

static int run_vtrace(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    /* Outlives this function when memory runs short half-way. */
    static struct run x;

    x.p = ud;
    if (argc == 0)
        return v23_usage_error(inv,
            "vtrace: incorrect number of arguments, got 0 want >= 1");
    return argc == 1 ? all(&x, argv[0])
                     : some(&x, argv[0], argc - 1, argv + 1);
}

const struct v23_command cmd_vtrace = {
    .name = "vtrace",
    .brief = "Returns vtrace traces.",
    .about = "Returns matching vtrace traces (or all stored traces if no ids "
        "are given).",
    .args = "<name> [id ...]",
    .args_help = "<name> is the name of a vtrace object.\n"
        "[id] is a vtrace trace id.",
    .run = run_vtrace,
};

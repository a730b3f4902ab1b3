/* BSD-3-Clause; see LICENSE. */
/* debug glob: names and who serves them. */
#include "debug.h"

#include <stdio.h>
#include <string.h>

#include <vom/time.h>

#include "value.h"

/* ---- several patterns ---------------------------------------------------- */

/* One of them. */
struct pattern {
    struct globs *g;
    const char *text;
};

static void reply(void *ud, const v23_naming_glob_reply *r)
{
    struct pattern *x = ud;

    if (r->which == V23_NAMING_GLOB_REPLY_ENTRY)
        x->g->entry(x->g->ud, &r->u.entry);
    else if (x->g->error != NULL)
        x->g->error(x->g->ud, &r->u.error);
}

static void ended(struct globs *g)
{
    if (--g->running == 0)
        g->done(g->ud);
}

static void pattern_done(void *ud, const struct v23_verror *err)
{
    struct pattern *x = ud;
    struct globs *g = x->g;

    if (err != NULL)
        g->bad(g->ud, x->text, err);
    v23_put(NULL, x);
    ended(g);
}

int globs_start(struct globs *g, int n, char **patterns)
{
    struct pattern *x;
    int i, rc = 0;

    memset(&g->opts, 0, sizeof(g->opts));
    g->opts.deadline = deadline(g->p);
    g->running = 1; /* until all have been started */
    for (i = 0; i < n && rc == 0; i++) {
        x = v23_new(NULL, struct pattern);
        if (x == NULL)
            return out_of_memory();
        x->g = g;
        x->text = patterns[i];
        g->running++;
        rc = vname_glob(g->p->ns, vdl_str(patterns[i]), &g->opts, reply,
            pattern_done, x, NULL);
        if (rc != 0) {
            v23_put(NULL, x);
            return out_of_memory();
        }
    }
    ended(g);
    return 0;
}

/* ---- the command --------------------------------------------------------- */

struct run {
    struct vname_program *p;
    struct v23_buf out, last; /* an entry; the last error */
    int rc;
};

/* When a mount ends, as an instant; the zero one when it does not. */
static void put_deadline(struct vname_program *p, struct v23_buf *out,
    v23_time_wire_deadline d)
{
    struct v23_walltime t = { -V23_TIME_UNIX_EPOCH, 0 };
    struct v23_now now;
    int64_t end;

    vrpc_ev_now(p->rt.ev, &now);
    end = v23_deadline_from_wire(d, now.mono_ns);
    if (end != V23_NEVER)
        t = v23_walltime_add(now.wall, end - now.mono_ns);
    value_put_time(out, t);
}

static void entry(void *ud, const v23_naming_mount_entry *e)
{
    struct run *x = ud;
    uint32_t i;

    v23_buf_put_str(&x->out, e->name);
    for (i = 0; i < e->servers.n; i++) {
        v23_buf_put_byte(&x->out, ' ');
        v23_buf_put_str(&x->out, e->servers.v[i].server);
        v23_buf_puts(&x->out, " (Deadline ");
        put_deadline(x->p, &x->out, e->servers.v[i].deadline);
        v23_buf_put_byte(&x->out, ')');
    }
    v23_buf_put_byte(&x->out, '\n');
    if (print_buf(&x->out) != 0)
        x->rc = 1;
}

static void unreachable(void *ud, const v23_naming_glob_error *e)
{
    (void)ud;
    fprintf(stderr, "Error: %.*s: %.*s\n", (int)e->name.n,
        e->name.n == 0 ? "" : e->name.p,
        e->error == NULL ? 0 : (int)e->error->msg.n,
        e->error == NULL || e->error->msg.n == 0 ? "" : e->error->msg.p);
}

static void bad(void *ud, const char *pattern, const struct v23_verror *err)
{
    struct run *x = ud;

    v23_buf_cut(&x->last, 0);
    v23_buf_printf(&x->last, "%s: ", pattern);
    v23_buf_put_str(&x->last, err->msg);
    fprintf(stderr, "Error: %s\n", v23_buf_cstr(&x->last));
    x->rc = 1;
}

static void all_done(void *ud)
{
    struct run *x = ud;

    vname_program_done(x->p);
}

static int glob(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct run x = { .p = ud };
    struct globs g = { .p = ud, .entry = entry, .error = unreachable,
        .bad = bad, .done = all_done, .ud = &x };

    if (argc < 1)
        return v23_usage_error(inv,
            "glob: incorrect number of arguments, got %d, want >=1", argc);
    v23_buf_init(&x.out, NULL, 16u << 20);
    v23_buf_init(&x.last, NULL, 1u << 20);
    if (globs_start(&g, argc, argv) != 0)
        return 1;
    vname_program_wait(x.p);
    if (x.last.n != 0)
        x.rc = v23_error("%s", v23_buf_cstr(&x.last));
    v23_buf_fini(&x.out);
    v23_buf_fini(&x.last);
    return x.rc;
}

const struct v23_command cmd_glob = {
    .name = "glob",
    .brief = "Returns all matching entries from the namespace.",
    .args = "<pattern> ...",
    .args_help = "<pattern> is a glob pattern to match.",
    .run = glob,
};

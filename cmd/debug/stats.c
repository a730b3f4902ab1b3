/* BSD-3-Clause; see LICENSE. */
/* debug stats: what servers count and measure. */
#include "debug.h"

#include <stdio.h>

#include <v23/time.h>
#include <v23/vdl/v.io/v23/services/stats/stats.rpc.h>
#include <v23/vdl/v.io/v23/services/watch/watch.rpc.h>
#include <vrpc/glob.h>
#include <vrpc/name.h>
#include <vsec/acl.h>

#include "value.h"

#define MAX_CALLS 64     /* at the same time */
#define MAX_NAMES 1000000
#define RETRY_NS (10 * V23_NS_PER_SEC)

static bool raw, json, show_type;

/* ---- one value ----------------------------------------------------------- */

static int put_type(struct v23_buf *out, struct vdl_any v)
{
    int rc = show_type ? value_put_type(out, v) : 0;

    if (rc == 0 && show_type)
        v23_buf_puts(out, ": ");
    return rc;
}

static int put_text(struct v23_buf *out, struct vdl_any v)
{
    int rc = put_type(out, v);

    if (rc == 0)
        rc = raw ? value_put_raw(out, v) : value_put_pretty(out, v);
    return rc;
}

/* The object `{"Name":…,"Type":…,"Value":…}`. */
static int put_object(struct v23_buf *out, const char *name, struct vdl_any v)
{
    struct v23_buf type;
    int rc = 0;

    v23_buf_init(&type, NULL, VALUE_MAX);
    if (show_type)
        rc = value_put_type(&type, v);
    v23_buf_puts(out, "{\"Name\":");
    vsec_json_put_text(out, vdl_str(name));
    v23_buf_puts(out, ",\"Type\":");
    vsec_json_put_text(out, vdl_strn((const char *)type.p, type.n));
    v23_buf_puts(out, ",\"Value\":");
    if (rc == 0)
        rc = value_put_json(out, v);
    v23_buf_put_byte(out, '}');
    v23_buf_fini(&type);
    return rc != 0 ? rc : out->err;
}

/* ---- read ---------------------------------------------------------------- */

/*
 * Values are asked for while names still come, some at a time, and printed in
 * the order of the names.
 */
struct value {
    struct reading *x;
    const char *name;
    struct vrpc_call_opts opts;
    struct v23_buf text;
    bool done, good;
};

struct reading {
    struct vname_program *p;
    struct v23_arena arena; /* names and values */
    struct value **v;
    size_t n, cap;
    size_t started, printed, running;
    bool found;          /* all names have come */
    struct v23_buf last; /* the last error */
    size_t objects;      /* in the JSON list */
    int rc;
};

static void complain(struct reading *x, const char *name, struct vdl_str why)
{
    v23_buf_cut(&x->last, 0);
    v23_buf_printf(&x->last, "%s: ", name);
    v23_buf_put_str(&x->last, why);
    fprintf(stderr, "%s\n", v23_buf_cstr(&x->last));
    x->rc = 1;
}

static void print_ready(struct reading *x)
{
    struct value *v;

    for (; x->printed < x->started; x->printed++) {
        v = x->v[x->printed];
        if (!v->done)
            break;
        if (v->good && json && x->objects++ != 0)
            putchar(',');
        if (v->good)
            fwrite(v->text.p, 1, v->text.n, stdout);
        v23_buf_fini(&v->text);
    }
    fflush(stdout);
}

static void more(struct reading *x);

static void got_value(void *ud, const struct v23_verror *err,
    const v23_stats_stats_value_out *out)
{
    struct value *v = ud;
    struct reading *x = v->x;
    int rc = 0;

    x->running--;
    v->done = true;
    if (err != NULL) {
        complain(x, v->name, err->msg);
    } else {
        if (!json)
            v23_buf_printf(&v->text, "%s: ", v->name);
        rc = json ? put_object(&v->text, v->name, out->result)
                  : put_text(&v->text, out->result);
        if (!json)
            v23_buf_put_byte(&v->text, '\n');
        v->good = rc == 0 && v->text.err == 0;
        if (!v->good)
            complain(x, v->name, vdl_str(v23_strerror(rc != 0 ? rc
                                                        : v->text.err)));
    }
    print_ready(x);
    more(x);
}

/* Start what may run now; the end when nothing is left. */
static void more(struct reading *x)
{
    struct value *v;

    while (x->started < x->n && x->running < MAX_CALLS) {
        v = x->v[x->started++];
        v->opts = call_opts(x->p);
        if (v23_stats_stats_value_start(x->p->rt.client, v->name, &v->opts,
                got_value, v)
            == NULL) {
            v->done = true;
            complain(x, v->name, vdl_str("out of memory"));
        } else {
            x->running++;
        }
    }
    if (x->found && x->running == 0 && x->started == x->n)
        vname_program_done(x->p);
}

static void found_name(void *ud, const v23_naming_mount_entry *e)
{
    struct reading *x = ud;
    struct value *v = v23_arena_new(&x->arena, struct value);
    const char *name = v23_arena_dup(&x->arena, e->name.p, e->name.n);
    void *list = x->v;

    if (v == NULL || name == NULL
        || v23_reserve(NULL, &list, &x->cap, x->n + 1, MAX_NAMES,
               sizeof(*x->v))
            != 0) {
        if (x->rc == 0)
            x->rc = v23_error("there are too many names");
        return;
    }
    x->v = list;
    v->x = x;
    v->name = name;
    v23_buf_init(&v->text, NULL, VALUE_MAX);
    x->v[x->n++] = v;
    more(x);
}

static void bad_pattern(void *ud, const char *pattern,
    const struct v23_verror *err)
{
    complain(ud, pattern, err->msg);
}

static void names_done(void *ud)
{
    struct reading *x = ud;

    x->found = true;
    more(x);
}

static int read_stats(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct reading x = { .p = ud };
    struct globs g = { .p = ud, .entry = found_name, .bad = bad_pattern,
        .done = names_done, .ud = &x };

    if (argc < 1)
        return v23_usage_error(inv,
            "read: incorrect number of arguments, got %d, want >=1", argc);
    v23_arena_init(&x.arena, NULL, SIZE_MAX);
    v23_buf_init(&x.last, NULL, 1u << 20);
    if (json)
        putchar('[');
    if (globs_start(&g, argc, argv) != 0)
        return 1;
    vname_program_wait(x.p);
    if (json)
        putchar(']');
    fflush(stdout);
    if (x.last.n != 0)
        x.rc = v23_error("%s", v23_buf_cstr(&x.last));
    v23_buf_fini(&x.last);
    v23_put(NULL, x.v);
    v23_arena_fini(&x.arena);
    return x.rc;
}

/* ---- watch --------------------------------------------------------------- */

struct watching {
    struct vname_program *p;
    struct v23_arena arena;
    size_t running;
    struct v23_buf out, last;
    int rc;
};

/* One pattern: an object, and what is watched below it. */
struct watch {
    struct watching *x;
    const char *name;
    v23_watch_glob_request req;
};

static void watch_failed(struct watching *x, const char *name,
    struct vdl_str why)
{
    v23_buf_cut(&x->last, 0);
    v23_buf_printf(&x->last, "%s: ", name);
    v23_buf_put_str(&x->last, why);
    fprintf(stderr, "Error: %s\n", v23_buf_cstr(&x->last));
    x->rc = 1;
}

static void changed(void *ud, const v23_watch_change *c)
{
    struct watch *w = ud;
    struct watching *x = w->x;
    struct v23_arena a;
    struct vdl_str name;
    int rc;

    v23_arena_init(&a, NULL, VALUE_MAX);
    rc = vrpc_name_join2(&a, vdl_str(w->name), c->name, &name);
    if (rc == 0) {
        v23_buf_put_str(&x->out, name);
        v23_buf_puts(&x->out, ": ");
        rc = put_text(&x->out, c->value);
    }
    v23_buf_put_byte(&x->out, '\n');
    if (rc == 0)
        (void)print_buf(&x->out);
    else
        watch_failed(x, w->name, vdl_str(v23_strerror(rc)));
    v23_buf_cut(&x->out, 0);
    v23_arena_fini(&a);
}

static void watch_again(void *ud);

static void watch_ended(void *ud, const struct v23_verror *err)
{
    struct watch *w = ud;

    if (err != NULL)
        watch_failed(w->x, w->name, err->msg);
    if (vrpc_runtime_after(&w->x->p->rt, RETRY_NS, watch_again, w) != 0) {
        (void)out_of_memory();
        vname_program_done(w->x->p);
    }
}

static void watch_again(void *ud)
{
    static const v23_watch_glob_watcher_watch_glob_cb cb = { changed,
        watch_ended };
    static const struct vrpc_call_opts forever = VRPC_CALL_OPTS_INIT;
    struct watch *w = ud;

    if (v23_watch_glob_watcher_watch_glob_start(w->x->p->rt.client, w->name,
            &forever, &w->req, &cb, w)
        == NULL) {
        w->x->rc = out_of_memory();
        vname_program_done(w->x->p);
    }
}

/* Split a pattern into the object that is asked and the pattern it gets. */
static int split(struct v23_arena *a, const char *pattern, struct watch *w,
    struct vdl_str *rest)
{
    struct vdl_str address, name;
    struct vrpc_glob glob, tail;
    vdl_str_list fixed;
    struct v23_buf text;
    int rc = vrpc_name_split(a, vdl_str(pattern), &address, rest);

    if (rc == 0)
        rc = vrpc_glob_parse(a, *rest, &glob);
    if (rc == 0)
        rc = vrpc_glob_split_fixed(a, &glob, &fixed, &tail);
    if (rc == 0)
        rc = vrpc_name_join(a, fixed.v, fixed.n, &name);
    if (rc == 0 && address.n != 0)
        rc = vrpc_name_join_address(a, address, name, &name);
    if (rc != 0)
        return rc;
    v23_buf_init(&text, NULL, 1u << 20);
    vrpc_glob_format(&tail, &text);
    w->req.pattern.p = v23_arena_dup(a, text.p, text.n);
    w->req.pattern.n = (uint32_t)text.n;
    w->name = v23_arena_dup(a, name.p, name.n);
    rc = text.err;
    v23_buf_fini(&text);
    return rc != 0 || w->name == NULL || w->req.pattern.p == NULL ? V23_ENOMEM
                                                                  : 0;
}

static void start_watch(struct watching *x, const char *pattern)
{
    struct watch *w = v23_arena_new(&x->arena, struct watch);
    struct vdl_str rest = vdl_str(pattern);
    struct v23_buf text;
    int rc = V23_ENOMEM;

    if (w != NULL) {
        w->x = x;
        rc = split(&x->arena, pattern, w, &rest);
    }
    if (rc == 0) {
        x->running++;
        watch_again(w);
        return;
    }
    v23_buf_init(&text, NULL, 1u << 20);
    v23_buf_put_str(&text, rest);
    watch_failed(x, v23_buf_cstr(&text), rc == V23_EGLOB
        ? vdl_str("syntax error in pattern") : vdl_str(v23_strerror(rc)));
    v23_buf_fini(&text);
}

static int watch_stats(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct watching x = { .p = ud };
    int i;

    if (argc < 1)
        return v23_usage_error(inv,
            "watch: incorrect number of arguments, got %d, want >=1", argc);
    v23_arena_init(&x.arena, NULL, SIZE_MAX);
    v23_buf_init(&x.out, NULL, VALUE_MAX);
    v23_buf_init(&x.last, NULL, 1u << 20);
    for (i = 0; i < argc; i++)
        start_watch(&x, argv[i]);
    if (x.running != 0)
        vname_program_wait(x.p);
    if (x.last.n != 0)
        x.rc = v23_error("%s", v23_buf_cstr(&x.last));
    v23_buf_fini(&x.out);
    v23_buf_fini(&x.last);
    v23_arena_fini(&x.arena);
    return x.rc;
}

/* ---- the commands -------------------------------------------------------- */

#define RAW_HELP \
    "When true, the command will display the raw value of the object."
#define TYPE_HELP "When true, the type of the values will be displayed."

static const struct v23_flag read_flags[] = {
    { "json", "When true, the command will display the raw value of the "
        "object in json format.", "false", V23_FLAG_BOOL, &json, NULL },
    { "raw", RAW_HELP, "false", V23_FLAG_BOOL, &raw, NULL },
    { "type", TYPE_HELP, "false", V23_FLAG_BOOL, &show_type, NULL },
};
static const struct v23_flag watch_flags[] = {
    { "raw", RAW_HELP, "false", V23_FLAG_BOOL, &raw, NULL },
    { "type", TYPE_HELP, "false", V23_FLAG_BOOL, &show_type, NULL },
};
static const struct v23_command cmd_read = {
    .name = "read",
    .brief = "Returns the value of stats objects.",
    .args = "<name> ...",
    .args_help = "<name> is the name of a stats object, or a glob pattern to "
        "match against stats object names.",
    .flags = read_flags,
    .nflags = 3,
    .run = read_stats,
};
static const struct v23_command cmd_watch = {
    .name = "watch",
    .brief = "Returns a stream of all matching entries and their values as "
        "they change.",
    .args = "<pattern> ...",
    .args_help = "<pattern> is a glob pattern to match.",
    .flags = watch_flags,
    .nflags = 2,
    .run = watch_stats,
};
static const struct v23_command *const children[] = { &cmd_read, &cmd_watch };
const struct v23_command cmd_stats = {
    .name = "stats",
    .brief = "Accesses stats",
    .children = children,
    .nchildren = 2,
};

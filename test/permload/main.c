/* BSD-3-Clause; see LICENSE. */
/*
 * permload NAME FILE: sets and deletes permissions of names below NAME as fast
 * as it can, until the mount table there is gone; what it then knows is in FILE.
 * Started again with that file it first checks that the table remembers:
 * nothing that was acknowledged is lost, and what was under way happened or did
 * not. Exit code 0: so it is, and the table is gone again; 1: it is not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <v23/vdl/v.io/v23/services/mounttable/mounttable.rpc.h>
#include <v23/vdl/v.io/v23/services/permissions/permissions.rpc.h>
#include <vname/program.h>

#define WORKERS 8
#define TIMEOUT (20 * V23_NS_PER_SEC)

/* One name, changed in one step after the other; each fifth deletes it. */
static struct worker {
    char name[512];
    vdl_str_list names;
    struct vdl_str rooted;
    int done;      /* last step that was acknowledged */
    int under_way; /* 0 = none */
} workers[WORKERS];

static struct vname_program *P;
static int running, wrong;
static long total;
static bool checking;

static bool is_deletion(int step)
{
    return step % 5 == 0;
}

static void options(const struct worker *w, struct vrpc_call_opts *o)
{
    const struct vrpc_call_opts init = VRPC_CALL_OPTS_INIT;

    *o = init;
    o->timeout_ns = TIMEOUT;
    o->preresolved = &w->names;
    o->no_retry = true;
}

static void ended(void)
{
    if (--running == 0)
        vname_program_done(P);
}

static void next(struct worker *w);

static void changed(void *ud, const struct v23_verror *err)
{
    struct worker *w = ud;

    if (err != NULL) {
        ended();
        return;
    }
    w->done = w->under_way;
    if (total++ == 0) {
        puts("LOADING");
        fflush(stdout);
    }
    next(w);
}

static void set(struct worker *w, const struct vrpc_call_opts *o, int step)
{
    v23_access_permissions_entry e = { .key = vdl_str("Admin") };
    v23_access_permissions p = { &e, 1 };
    struct vdl_str in[2] = { VDL_STR_INIT("root"), { NULL, 0 } };
    char text[32];

    snprintf(text, sizeof(text), "step%d", step);
    in[1] = vdl_str(text);
    e.val.in.v = in;
    e.val.in.n = 2;
    if (v23_permissions_object_set_permissions_start(P->rt.client, w->name, o,
            p, vdl_str(""), changed, w)
        == NULL)
        ended();
}

static void next(struct worker *w)
{
    struct vrpc_call_opts o;

    options(w, &o);
    w->under_way = w->done + 1;
    if (!is_deletion(w->under_way))
        set(w, &o, w->under_way);
    else if (v23_mounttable_mount_table_delete_start(P->rt.client, w->name,
                 &o, true, changed, w)
        == NULL)
        ended();
}

/* ---- checking ------------------------------------------------------------ */

/* What the table has is what a step left; 0 is "nothing". */
static bool is_state(int step, const v23_access_permissions *perms)
{
    char text[32];
    uint32_t i;

    if (step == 0 || is_deletion(step))
        return perms == NULL;
    snprintf(text, sizeof(text), "step%d", step);
    if (perms == NULL || perms->n != 1)
        return false;
    for (i = 0; i < perms->v[0].val.in.n; i++)
        if (vdl_str_is(perms->v[0].val.in.v[i], text))
            return true;
    return false;
}

static void got(void *ud, const struct v23_verror *err,
    const v23_permissions_object_get_permissions_out *out)
{
    const v23_access_permissions *perms = err == NULL ? &out->perms : NULL;
    struct worker *w = ud;

    if (err != NULL
        && !v23_verror_is(err, vdl_str("v.io/v23/naming.nameDoesntExist"))) {
        fprintf(stderr, "%s: %.*s\n", w->name, (int)err->msg.n, err->msg.p);
        wrong++;
    } else if (!is_state(w->done, perms)) {
        if (w->under_way != 0 && is_state(w->under_way, perms)) {
            w->done = w->under_way;
        } else {
            fprintf(stderr, "%s: step %d is lost\n", w->name, w->done);
            wrong++;
        }
    }
    ended();
}

static void check(struct worker *w)
{
    struct vrpc_call_opts o;

    options(w, &o);
    if (v23_permissions_object_get_permissions_start(P->rt.client, w->name, &o,
            got, w)
        == NULL)
        ended();
}

static void each(void (*fn)(struct worker *w))
{
    int i;

    running = WORKERS;
    for (i = 0; i < WORKERS; i++)
        fn(&workers[i]);
    vname_program_wait(P);
}

static void load(const char *file)
{
    FILE *f = fopen(file, "r");
    int i;

    for (i = 0; f != NULL && i < WORKERS; i++)
        if (fscanf(f, "%d %d", &workers[i].done, &workers[i].under_way) != 2)
            wrong++;
    checking = f != NULL;
    if (f != NULL)
        fclose(f);
}

static int save(const char *file)
{
    FILE *f = fopen(file, "w");
    int i;

    if (f == NULL)
        return 1;
    for (i = 0; i < WORKERS; i++)
        fprintf(f, "%d %d\n", workers[i].done, workers[i].under_way);
    return fclose(f) != 0;
}

static int run(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    int i, rc = v23_want_args(inv, 2, argc);

    if (rc != 0)
        return rc;
    P = ud;
    for (i = 0; i < WORKERS; i++) {
        snprintf(workers[i].name, sizeof(workers[i].name), "%s/n%d", argv[0],
            i);
        workers[i].rooted = vdl_str(workers[i].name);
        workers[i].names.v = &workers[i].rooted;
        workers[i].names.n = 1;
    }
    load(argv[1]);
    if (checking)
        each(check);
    if (wrong == 0)
        each(next);
    printf("CHANGES=%ld\n", total);
    return wrong != 0 || save(argv[1]) != 0;
}

static const struct v23_command command = {
    .name = "permload",
    .brief = "changes permissions until the mount table is gone",
    .args = "<name> <file>",
    .run = run,
};

int main(int argc, char **argv)
{
    static struct vname_program p;

    return vname_program_main(&p, &command, VRPC_FLAGS_CLIENT, argc, argv);
}

/* BSD-3-Clause; see LICENSE. */
/*
 * Operations that follow a walk: the resolutions themselves, and the changes
 * made at the mount table that holds a name (spec/naming.md 13.3-13.5).
 */
#include <v23/time.h>
#include <v23/vdl/v.io/v23/services/mounttable/mounttable.rpc.h>
#include <v23/vdl/v.io/v23/services/permissions/permissions.rpc.h>
#include <vrpc/client.h>
#include <vrpc/manager.h>
#include <vrpc/name.h>
#include <vrpc/verror.h>

#include "ns_int.h"

/* One struct for all: what an operation does not need stays zero. */
struct change {
    struct walk walk;
    vname_entry_done_fn *entry_done;
    vname_done_fn *done;
    vname_perms_done_fn *perms_done;
    void *ud;
    /* Calls the method at the servers `walk.names`; false: out of memory. */
    bool (*act)(struct change *ch, const struct vrpc_call_opts *opts);
    struct vdl_str server, version;
    v23_access_permissions perms;
    v23_naming_mount_entry table; /* where the change is made */
    uint32_t ttl, flags;
    uint32_t next;                /* server to be told */
    const char *what;             /* for the log */
    uint64_t *known;              /* the option `table` of a mount */
    bool refused;                 /* not all have agreed */
    bool each;                    /* every server is told */
    bool reached;                 /* one has answered, with `answer` */
    bool all;                     /* any of them will do, however late */
    const struct v23_verror *answer;
    bool subtree;
};

static struct change *change_new(struct vname_ns *ns, struct vdl_str name,
    const struct vname_opts *opts, enum walk_mode mode,
    void (*then)(struct walk *w, const struct v23_verror *err,
        const v23_naming_mount_entry *answer),
    void *ud)
{
    struct change *ch
        = vname_op_new_(ns, sizeof(*ch), opts, vname_walk_stop_);

    if (ch == NULL)
        return NULL;
    ch->walk.mode = mode;
    ch->walk.then = then;
    ch->ud = ud;
    ch->walk.name.p = v23_arena_dup(&ch->walk.op.arena, name.p, name.n);
    ch->walk.name.n = name.n;
    if (ch->walk.name.p == NULL) {
        vname_op_free_(&ch->walk.op);
        return NULL;
    }
    return ch;
}

static bool keep(struct change *ch, struct vdl_str s, struct vdl_str *to)
{
    to->p = v23_arena_dup(&ch->walk.op.arena, s.p, s.n);
    to->n = s.n;
    return to->p != NULL;
}

static int start(struct change *ch, bool ok, struct vname_op **op)
{
    if (!ok) {
        vname_op_free_(&ch->walk.op);
        return V23_ENOMEM;
    }
    vname_walk_start_(&ch->walk);
    vname_op_started_(&ch->walk.op, op);
    return 0;
}

/* ---- resolutions --------------------------------------------------------- */

/* "host:80/a" was probably meant to be rooted: say so (13.3). */
static const struct v23_verror *hint(struct walk *w,
    const struct v23_verror *err)
{
    struct vdl_str first = w->name;
    const char *slash = first.n == 0 ? NULL : memchr(first.p, '/', first.n);
    struct v23_verror meant = { 0 };
    struct vrpc_suberr sub;
    struct vrpc_endpoint ep;
    char *text;

    if (slash != NULL)
        first.n = (uint32_t)(slash - first.p);
    if (err == NULL || vrpc_name_is_rooted(w->name)
        || vrpc_endpoint_parse(&w->op.arena, first, &ep, NULL) != 0)
        return err;
    text = v23_arena_get(&w->op.arena, (size_t)w->name.n + 1, 1);
    if (text == NULL)
        return err;
    text[0] = '/';
    memcpy(text + 1, w->name.p, w->name.n);
    meant.msg = vdl_strn(text, (size_t)w->name.n + 1);
    sub.name = vdl_str("Did you mean");
    sub.err = vname_copy_error_(&w->op.arena, &meant);
    return vrpc_err_with_subs(&w->op.arena, err, &sub, 1);
}

static void resolved(struct walk *w, const struct v23_verror *err,
    const v23_naming_mount_entry *answer)
{
    struct change *ch = (struct change *)w;

    if (w->mode == WALK_RESOLVE)
        err = hint(w, err);
    ch->entry_done(ch->ud, err, answer);
    vname_op_end_(&w->op);
}

int vname_resolve(struct vname_ns *ns, struct vdl_str name,
    const struct vname_opts *opts, vname_entry_done_fn *done, void *ud,
    struct vname_op **op)
{
    struct change *ch = change_new(ns, name, opts, WALK_RESOLVE, resolved,
        ud);

    if (ch == NULL)
        return V23_ENOMEM;
    ch->entry_done = done;
    return start(ch, true, op);
}

int vname_resolve_to_mount_table(struct vname_ns *ns, struct vdl_str name,
    const struct vname_opts *opts, vname_entry_done_fn *done, void *ud,
    struct vname_op **op)
{
    struct change *ch = change_new(ns, name, opts, WALK_TO_TABLE, resolved,
        ud);

    if (ch == NULL)
        return V23_ENOMEM;
    ch->entry_done = done;
    return start(ch, true, op);
}

/* ---- the call after the walk --------------------------------------------- */

static void finish(struct change *ch, const struct v23_verror *err)
{
    if (ch->known != NULL)
        *ch->known = err != NULL || ch->refused
            ? 0 : vname_entry_hash_(ch->walk.op.ns, &ch->table);
    if (ch->perms_done != NULL)
        ch->perms_done(ch->ud, err, NULL, vdl_str(""));
    else if (ch->entry_done != NULL)
        ch->entry_done(ch->ud, err, NULL);
    else
        ch->done(ch->ud, err);
    vname_op_end_(&ch->walk.op);
}

/* True: the operation was cancelled and is gone. */
static bool gone(struct change *ch)
{
    ch->walk.call = NULL;
    if (!ch->walk.op.canceled)
        return false;
    vname_op_free_(&ch->walk.op);
    return true;
}

static void forget(struct change *ch)
{
    struct vname_ns *ns = ch->walk.op.ns;
    vdl_str_list names;
    uint32_t i;

    if (ns->cache == NULL
        || vname_object_names(&ch->walk.op.arena, &ch->table, &names) != 0)
        return;
    for (i = 0; i < names.n; i++)
        vname_cache_forget_(ns->cache, &ch->walk.op.arena, names.v[i]);
}

static void tell_next(struct change *ch);

static void act(struct change *ch)
{
    struct vrpc_call_opts opts;

    if (vname_object_names(&ch->walk.op.arena, &ch->table, &ch->walk.names)
        != 0) {
        finish(ch, vname_no_memory_(&ch->walk.op.arena));
        return;
    }
    if (ch->each && ch->walk.names.n > 1) {
        tell_next(ch);
        return;
    }
    vname_call_opts_(&ch->walk.op, &ch->walk.names, &opts);
    if (!ch->act(ch, &opts))
        finish(ch, vname_no_memory_(&ch->walk.op.arena));
}

static void found_table(struct walk *w, const struct v23_verror *err,
    const v23_naming_mount_entry *answer)
{
    struct change *ch = (struct change *)w;

    if (err != NULL) {
        finish(ch, err);
        return;
    }
    ch->table = *answer;
    if (ch->entry_done != NULL && answer->name.n == 0) {
        ch->entry_done(ch->ud, NULL, answer);
        vname_op_end_(&w->op);
        return;
    }
    if (ch->entry_done == NULL)
        forget(ch);
    act(ch);
}

static void changed(void *ud, const struct v23_verror *err)
{
    struct change *ch = ud;

    if (gone(ch))
        return;
    forget(ch);
    finish(ch, err);
}

/* ---- shallow resolve ----------------------------------------------------- */

static void shallow_done(void *ud, const struct v23_verror *err,
    const v23_mounttable_mount_table_resolve_step_out *out)
{
    struct change *ch = ud;

    if (gone(ch))
        return;
    ch->entry_done(ch->ud, err, err == NULL ? &out->result : NULL);
    vname_op_end_(&ch->walk.op);
}

/* The name as the caller gave it, for error texts. */
static const char *call_name(struct change *ch)
{
    return vname_call_name_(&ch->walk.op.arena, ch->walk.name);
}

static bool shallow_act(struct change *ch, const struct vrpc_call_opts *opts)
{
    ch->walk.call = v23_mounttable_mount_table_resolve_step_start(
        ch->walk.op.ns->client, call_name(ch), opts, shallow_done, ch);
    return ch->walk.call != NULL;
}

int vname_shallow_resolve(struct vname_ns *ns, struct vdl_str name,
    const struct vname_opts *opts, vname_entry_done_fn *done, void *ud,
    struct vname_op **op)
{
    struct change *ch = change_new(ns, name, opts, WALK_TO_TABLE, found_table,
        ud);

    if (ch == NULL)
        return V23_ENOMEM;
    ch->entry_done = done;
    ch->act = shallow_act;
    return start(ch, true, op);
}

/* ---- mount, unmount: every server of the table's entry ------------------- */

/*
 * They are told one after the other. One that does not answer is left out for a
 * while, so that a dead replica costs a short time-out now and then; what
 * counts is the last answer. If none answers, all are asked until the deadline.
 */

static bool all_dead(const struct change *ch)
{
    uint32_t i = 0;

    while (i < ch->table.servers.n
        && vname_is_dead_(ch->walk.op.ns, ch->table.servers.v[i].server))
        i++;
    return i == ch->table.servers.n;
}

/* All servers of the table have been told. */
static void all_told(struct change *ch, const struct v23_verror *err)
{
    forget(ch);
    /* A table that was not asked may no longer be the one: look again. */
    if (err == NULL || vname_unreachable_(err) || !ch->walk.guessed) {
        finish(ch, err);
        return;
    }
    ch->walk.known = 0;
    ch->walk.guessed = false;
    ch->next = 0;
    ch->reached = ch->all = ch->refused = false;
    vname_walk_start_(&ch->walk);
}

/* What a later result will hide. */
static void log_failure(struct change *ch, const struct v23_verror *err)
{
    struct vdl_str table = ch->walk.names.v[ch->next];

    v23_logf(vrpc_manager_log(vrpc_client_manager(ch->walk.op.ns->client)),
        V23_LOG_WARN, "%s of %.*s at %.*s: %.*s",
        ch->what, (int)ch->server.n, ch->server.n == 0 ? "" : ch->server.p,
        (int)table.n, table.p, (int)err->msg.n, err->msg.p);
}

static void told(void *ud, const struct v23_verror *err)
{
    struct change *ch = ud;
    bool silent = vname_unreachable_(err);

    if (gone(ch))
        return;
    err = vname_copy_error_(&ch->walk.op.arena, err);
    ch->refused = ch->refused || (err != NULL && !silent);
    if (ch->all || ch->walk.names.n == 1) {
        all_told(ch, err);
        return;
    }
    vname_set_dead_(ch->walk.op.ns, ch->table.servers.v[ch->next].server,
        silent);
    if (err != NULL)
        log_failure(ch, err);
    if (!silent || !ch->reached)
        ch->answer = err;
    ch->reached = ch->reached || !silent;
    ch->next++;
    tell_next(ch);
}

/* Its share of the time that is left, if that is short. */
static int64_t patience(const struct change *ch)
{
    int64_t left = ch->walk.op.deadline == 0
        ? VNAME_CALL_TIMEOUT_NS
        : ch->walk.op.deadline - vname_now_(ch->walk.op.ns);
    int64_t share = left / (int64_t)(ch->walk.names.n - ch->next);

    return share < VNAME_SHORT_NS ? share > 0 ? share : 1 : VNAME_SHORT_NS;
}

static void tell_next(struct change *ch)
{
    struct vrpc_call_opts opts;
    vdl_str_list *name = v23_arena_new(&ch->walk.op.arena, vdl_str_list);
    bool spare = !all_dead(ch);

    while (spare && ch->next < ch->walk.names.n
        && vname_is_dead_(ch->walk.op.ns,
            ch->table.servers.v[ch->next].server))
        ch->next++;
    if (ch->next == ch->walk.names.n && (ch->reached || ch->walk.op.no_retry)) {
        all_told(ch, ch->answer);
        return;
    }
    vname_call_opts_(&ch->walk.op, &ch->walk.names, &opts);
    if (ch->next == ch->walk.names.n) {
        ch->all = true;
    } else if (name != NULL) {
        name->v = &ch->walk.names.v[ch->next];
        name->n = 1;
        opts.preresolved = name;
        opts.channel_timeout_ns = 0; /* the time-out does it */
        opts.no_retry = true;
        opts.timeout_ns = patience(ch);
    }
    if (name == NULL || !ch->act(ch, &opts))
        finish(ch, vname_no_memory_(&ch->walk.op.arena));
}

static bool mount_act(struct change *ch, const struct vrpc_call_opts *opts)
{
    ch->walk.call = v23_mounttable_mount_table_mount_start(
        ch->walk.op.ns->client, call_name(ch), opts, ch->server, ch->ttl,
        ch->flags, told, ch);
    return ch->walk.call != NULL;
}

int vname_mount(struct vname_ns *ns, struct vdl_str name,
    struct vdl_str server, int64_t ttl_ns, uint32_t flags,
    const struct vname_opts *opts, vname_done_fn *done, void *ud,
    struct vname_op **op)
{
    struct change *ch = change_new(ns, name, opts, WALK_TO_TABLE, found_table,
        ud);
    int64_t seconds = ttl_ns / V23_NS_PER_SEC
        + (ttl_ns % V23_NS_PER_SEC > 0);

    if (ch == NULL)
        return V23_ENOMEM;
    ch->done = done;
    ch->act = mount_act;
    ch->what = "mount";
    ch->each = true;
    ch->flags = flags;
    ch->known = opts == NULL ? NULL : opts->table;
    ch->walk.known = ch->known == NULL ? 0 : *ch->known;
    ch->ttl = seconds > (int64_t)UINT32_MAX ? UINT32_MAX
        : seconds < 0                       ? 1
                                            : (uint32_t)seconds;
    return start(ch, keep(ch, server, &ch->server), op);
}

static bool unmount_act(struct change *ch, const struct vrpc_call_opts *opts)
{
    ch->walk.call = v23_mounttable_mount_table_unmount_start(
        ch->walk.op.ns->client, call_name(ch), opts, ch->server, told, ch);
    return ch->walk.call != NULL;
}

int vname_unmount(struct vname_ns *ns, struct vdl_str name,
    struct vdl_str server, const struct vname_opts *opts, vname_done_fn *done,
    void *ud, struct vname_op **op)
{
    struct change *ch = change_new(ns, name, opts, WALK_TO_TABLE, found_table,
        ud);

    if (ch == NULL)
        return V23_ENOMEM;
    ch->done = done;
    ch->act = unmount_act;
    ch->what = "unmount";
    ch->each = true;
    return start(ch, keep(ch, server, &ch->server), op);
}

/* ---- delete, permissions: the first replica that answers ----------------- */

static bool delete_act(struct change *ch, const struct vrpc_call_opts *opts)
{
    ch->walk.call = v23_mounttable_mount_table_delete_start(
        ch->walk.op.ns->client, call_name(ch), opts, ch->subtree, changed, ch);
    return ch->walk.call != NULL;
}

int vname_delete(struct vname_ns *ns, struct vdl_str name, bool subtree,
    const struct vname_opts *opts, vname_done_fn *done, void *ud,
    struct vname_op **op)
{
    struct change *ch = change_new(ns, name, opts, WALK_TO_TABLE, found_table,
        ud);

    if (ch == NULL)
        return V23_ENOMEM;
    ch->done = done;
    ch->act = delete_act;
    ch->subtree = subtree;
    return start(ch, true, op);
}

static bool set_act(struct change *ch, const struct vrpc_call_opts *opts)
{
    ch->walk.call = v23_permissions_object_set_permissions_start(
        ch->walk.op.ns->client, call_name(ch), opts, ch->perms, ch->version,
        changed, ch);
    return ch->walk.call != NULL;
}

int vname_set_permissions(struct vname_ns *ns, struct vdl_str name,
    const v23_access_permissions *perms, struct vdl_str version,
    const struct vname_opts *opts, vname_done_fn *done, void *ud,
    struct vname_op **op)
{
    struct change *ch = change_new(ns, name, opts, WALK_TO_TABLE, found_table,
        ud);
    bool ok;

    if (ch == NULL)
        return V23_ENOMEM;
    ch->done = done;
    ch->act = set_act;
    ok = keep(ch, version, &ch->version)
        && v23_access_permissions_copy(&ch->walk.op.arena, &ch->perms, perms)
            == 0;
    return start(ch, ok, op);
}

static void got(void *ud, const struct v23_verror *err,
    const v23_permissions_object_get_permissions_out *out)
{
    struct change *ch = ud;

    if (gone(ch))
        return;
    forget(ch);
    if (err != NULL) {
        finish(ch, err);
        return;
    }
    ch->perms_done(ch->ud, NULL, &out->perms, out->version);
    vname_op_end_(&ch->walk.op);
}

static bool get_act(struct change *ch, const struct vrpc_call_opts *opts)
{
    ch->walk.call = v23_permissions_object_get_permissions_start(
        ch->walk.op.ns->client, call_name(ch), opts, got, ch);
    return ch->walk.call != NULL;
}

int vname_get_permissions(struct vname_ns *ns, struct vdl_str name,
    const struct vname_opts *opts, vname_perms_done_fn *done, void *ud,
    struct vname_op **op)
{
    struct change *ch = change_new(ns, name, opts, WALK_TO_TABLE, found_table,
        ud);

    if (ch == NULL)
        return V23_ENOMEM;
    ch->perms_done = done;
    ch->act = get_act;
    return start(ch, true, op);
}

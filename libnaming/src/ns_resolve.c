/* BSD-3-Clause; see LICENSE. */
/*
 * Walking from mount table to mount table (spec/naming.md 13.2-13.4). A walk
 * is the common part of every operation on a name; what it leads to is its
 * `then`.
 */
#include <v23/vdl/v.io/v23/services/mounttable/mounttable.rpc.h>
#include <vrpc/name.h>

#include "ns_int.h"

bool vname_walk_stop_(struct vname_op *op)
{
    struct walk *w = (struct walk *)op;

    if (w->call == NULL)
        return false;
    vrpc_call_cancel(w->call);
    return true;
}

static void run(struct walk *w);

static int copy_entry(struct walk *w, const v23_naming_mount_entry *from,
    v23_naming_mount_entry *to)
{
    return v23_naming_mount_entry_copy(&w->op.arena, to, from);
}

/* Cached answer of any server of the entry; V23_ENONAME when there is none:
 * w->asked then has those servers that may be mount tables. */
static int from_cache(struct walk *w, v23_naming_mount_entry *out)
{
    struct vname_cache *cache = w->op.ns->cache;
    int64_t now = vname_now_(w->op.ns);
    v23_naming_mount_entry one;
    v23_naming_mounted_server *left;
    vdl_str_list names;
    uint32_t i, n = 0;
    int rc;

    w->asked = w->e;
    if (cache == NULL)
        return V23_ENONAME;
    left = v23_arena_get0(&w->op.arena, w->e.servers.n, sizeof(*left),
        _Alignof(v23_naming_mounted_server));
    rc = vname_object_names(&w->op.arena, &w->e, &names);
    if (left == NULL || rc != 0)
        return V23_ENOMEM;
    for (i = 0; i < w->e.servers.n; i++) {
        if (vname_cache_is_not_mt_(cache, w->e.servers.v[i].server, now))
            continue;
        rc = vname_cache_lookup_(cache, &w->op.arena, names.v[i], now, &one);
        if (rc != V23_ENONAME) {
            if (rc == 0)
                *out = one;
            return rc;
        }
        left[n++] = w->e.servers.v[i];
    }
    w->asked.servers.v = left;
    w->asked.servers.n = n;
    return V23_ENONAME;
}

/* Take an answer: true when the walk is over (w may be gone). */
static bool take(struct walk *w, const struct v23_verror *err,
    const v23_naming_mount_entry *next)
{
    bool root = err != NULL
        && v23_verror_is(err, vdl_str(VNAME_ERR_ROOT_NAME));
    bool table = err == NULL || !vname_not_a_table_(err);

    if (err == NULL) {
        w->last = w->e;
        w->e = *next;
        return false;
    }
    if (w->mode == WALK_RESOLVE) {
        if (!table)
            w->then(w, NULL, &w->e);
        else if (root)
            w->then(w,
                vname_error_(&w->op, VNAME_ERR_NO_NAME,
                    "name %.*s doesn't exist", w->name),
                NULL);
        else
            w->then(w, err, NULL);
    } else if (root || !table) {
        w->then(w, NULL, &w->last);
    } else if (v23_verror_is(err, vdl_str(VNAME_ERR_NO_NAME))) {
        w->then(w, NULL, &w->e);
    } else {
        w->then(w, err, NULL);
    }
    return true;
}

/* The answer of a mount table: remember it for all servers asked. */
static void remember(struct walk *w, const struct v23_verror *err,
    const v23_naming_mount_entry *next)
{
    struct vname_cache *cache = vname_ns_cache_(w->op.ns);
    int64_t now = vname_now_(w->op.ns);
    uint32_t i;

    if (cache == NULL)
        return;
    if (err == NULL) {
        for (i = 0; i < w->names.n; i++)
            vname_cache_remember_(cache, &w->op.arena, w->names.v[i], next,
                now);
    } else if (vname_not_a_table_(err)
        && !vrpc_name_is_reserved(w->asked.name)) {
        for (i = 0; i < w->asked.servers.n; i++)
            vname_cache_set_not_mt_(cache, w->asked.servers.v[i].server, now);
    }
}

static void stepped(void *ud, const struct v23_verror *err,
    const v23_mounttable_mount_table_resolve_step_out *out)
{
    struct walk *w = ud;
    v23_naming_mount_entry next;

    w->call = NULL;
    if (w->op.canceled) {
        vname_op_free_(&w->op);
        return;
    }
    /* The others may answer, or the same one over a new connection. */
    if (err != NULL && vname_lost_(err) && !w->again && !w->op.no_retry) {
        w->again = true;
        w->steps--;
        run(w);
        return;
    }
    w->again = false;
    if (err == NULL && copy_entry(w, &out->result, &next) != 0)
        err = vname_no_memory_(&w->op.arena);
    else
        err = vname_copy_error_(&w->op.arena, err);
    remember(w, err, &next);
    if (!take(w, err, &next))
        run(w);
}

/* Ask the servers of the entry; an answer follows in stepped(). */
static const struct v23_verror *ask(struct walk *w)
{
    struct vrpc_call_opts opts;

    if (w->asked.servers.n == 0)
        return vname_error_(&w->op, VNAME_ERR_NO_SERVERS,
            "no servers found to resolve query", vdl_str(""));
    if (vname_object_names(&w->op.arena, &w->asked, &w->names) != 0)
        return vname_no_memory_(&w->op.arena);
    vname_call_opts_(&w->op, &w->names, &opts);
    w->call = v23_mounttable_mount_table_resolve_step_start(
        w->op.ns->client, vname_call_name_(&w->op.arena, w->asked.name),
        &opts, stepped, w);
    return w->call == NULL ? vname_no_memory_(&w->op.arena) : NULL;
}

/* Go on until the answer is known or a mount table has to be asked. */
static void run(struct walk *w)
{
    const struct v23_verror *err;
    v23_naming_mount_entry next;
    int rc;

    for (;;) {
        if (w->steps++ == w->op.ns->resolve_depth) {
            w->then(w,
                vname_error_(&w->op, VNAME_ERR_DEPTH,
                    "resolution depth exceeded", vdl_str("")),
                NULL);
            return;
        }
        if (w->mode == WALK_RESOLVE && !w->e.serves_mount_table) {
            w->then(w, NULL, &w->e);
            return;
        }
        if (w->mode == WALK_TO_TABLE
            && (!w->e.serves_mount_table || w->e.name.n == 0)) {
            w->then(w, NULL, &w->last);
            return;
        }
        if (w->known != 0 && vname_entry_hash_(w->op.ns, &w->e) == w->known) {
            w->guessed = true;
            w->then(w, NULL, &w->e);
            return;
        }
        rc = from_cache(w, &next);
        if (rc == V23_ENONAME) {
            err = ask(w);
            if (err == NULL)
                return;
        } else {
            err = rc == 0 ? NULL : vname_no_memory_(&w->op.arena);
        }
        if (take(w, err, &next))
            return;
    }
}

void vname_walk_start_(struct walk *w)
{
    int rc = vname_root_entry_(w->op.ns, &w->op.arena, w->name, &w->e);

    if (rc != 0) {
        w->then(w, vname_no_memory_(&w->op.arena), NULL);
        return;
    }
    if (w->e.servers.n == 0) {
        w->then(w,
            w->mode == WALK_RESOLVE
                ? vname_error_(&w->op, VNAME_ERR_NO_NAME,
                    "name %.*s doesn't exist", w->name)
                : vname_error_(&w->op, VNAME_ERR_NO_TABLE, "no mounttable",
                    vdl_str("")),
            NULL);
        return;
    }
    w->last = w->e;
    w->steps = 0;
    run(w);
}

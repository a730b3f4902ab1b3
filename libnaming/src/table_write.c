/* BSD-3-Clause; see LICENSE. */
/*
 * Writes: operations that change a table. Without a store, or with one that
 * answers at once, each is done while its caller waits. With a store of whole
 * tables a write is thought over, the store is asked, and the table changes by
 * what the store feeds it with; if what the write rested on has changed in the
 * meantime, it is thought over again.
 */
#include <stdio.h>

#include "table_int.h"

/* Writes that the store would not take one after the other: it is full. */
#define ENOUGH 64

const struct v23_verror vname_waiting;

static vname_write_fn *const functions[] = {
    [VNAME_WRITE_MOUNT] = vname_do_mount_,
    [VNAME_WRITE_UNMOUNT] = vname_do_unmount_,
    [VNAME_WRITE_DELETE] = vname_do_delete_,
    [VNAME_WRITE_PERMISSIONS] = vname_do_set_,
    [VNAME_WRITE_LOAD] = vname_do_load_,
    [VNAME_WRITE_COLLECT] = vname_do_collect_,
};

static void changes_fini(struct changes *ch)
{
    vname_spot_fini_(&ch->s);
    vname_perms_unref_(ch->fresh);
}

const struct v23_verror *vname_write_failed_(const struct vname_caller *c,
    int rc)
{
    if (rc == V23_ELIMIT)
        return vname_err_text_(c,
            "this is more than the store of the mount table can keep at once");
    if (rc == V23_ESYS)
        return v23_verror_text(c->arena, c->ctx,
            vdl_str("v.io/v23/verror.Internal"), V23_NO_RETRY,
            "the change cannot be kept, so it is not made");
    return vname_err_no_memory_(c);
}

/* The store cannot be reached, or there is too much to do. */
static const struct v23_verror *try_later(const struct vname_caller *c,
    const char *why)
{
    return v23_verror_text(c->arena, c->ctx,
        vdl_str("v.io/v23/verror.Aborted"), V23_RETRY_BACKOFF,
        "the store of the mount table does not answer, try again later%s%s",
        why == NULL || why[0] == 0 ? "" : ": ", why == NULL ? "" : why);
}

const struct v23_verror *vname_write_find_(struct vname_table *t,
    const struct vname_write *w, struct changes *ch, bool create, int tags,
    int parent_tags)
{
    const struct vname_caller *c = &w->c;
    struct path p = ch->s.p;
    const struct v23_verror *err;

    if (ch->whole && create
        && (!vname_path_fits_(p, false) || !vname_is_plain_(w->name)))
        return vname_err_text_(c, "a name may not have empty elements, NULs "
                                  "or invalid UTF-8 here");
    err = vname_walk_(t, c, p, &ch->s);
    if (err == NULL && create)
        err = vname_spot_plan_(t, c, vdl_strn(NULL, 0), &ch->s);
    if (err == NULL && !ch->s.below && vname_spot_found_(&ch->s)
        && !vname_allows_(t, vname_spot_perms_(&ch->s), tags, c)
        && (parent_tags == 0 || ch->s.n->parent == NULL
            || !vname_satisfies_(t, ch->s.n->parent, parent_tags, c)))
        err = vname_err_no_access_(c);
    /* What was made on the way to a failure stays until it is collected. */
    if (err != NULL && !ch->whole)
        (void)vname_spot_make_(t, &ch->s, 0);
    return err;
}

/* ---- waiting ------------------------------------------------------------- */

static void wait_in_line(struct vname_table *t, struct vname_write *w)
{
    w->next = NULL;
    *t->waiting_end = w;
    t->waiting_end = &w->next;
}

static void finish(struct vname_table *t, struct vname_write *w,
    const struct v23_verror *err)
{
    t->nwaiting--;
    w->done(w->ud, err);
}

/* A place for a write that the store will be asked to keep. */
static struct ticket *ticket_new(struct vname_table *t, struct v23_op *op)
{
    void *v = t->tickets;
    struct ticket *k;

    if (t->free_ticket != 0) {
        k = &t->tickets[t->free_ticket - 1];
        t->free_ticket = k->next_free;
    } else {
        if (v23_reserve(t->al, &v, &t->cap_tickets, t->ntickets + 1,
                VNAME_MAX_WAITING + 64, sizeof(*k))
            != 0)
            return NULL;
        t->tickets = v;
        k = &t->tickets[t->ntickets++];
        memset(k, 0, sizeof(*k));
    }
    if (++k->generation == 0)
        k->generation = 1;
    op->index = (uint32_t)(k - t->tickets);
    op->generation = k->generation;
    return k;
}

static void ticket_free(struct vname_table *t, struct ticket *k)
{
    k->w = NULL;
    k->next_free = t->free_ticket;
    t->free_ticket = (uint32_t)(k - t->tickets) + 1;
}

/* Ask the store. NULL: all is as wanted already; &vname_waiting: it is being
 * kept, or (*refused) waits in line. */
static const struct v23_verror *ask(struct vname_table *t,
    struct vname_write *w, const struct changes *ch, bool *refused)
{
    struct v23_op op;
    struct ticket *k = ticket_new(t, &op);
    int rc = V23_ENOMEM;

    if (k != NULL)
        rc = t->store->commit(t->store->ud, op, ch->v, ch->n);
    if (k != NULL && rc != V23_EAGAIN)
        ticket_free(t, k);
    *refused = rc == V23_ESTATE;
    if (*refused) {
        wait_in_line(t, w);
        return &vname_waiting;
    }
    if (rc != V23_EAGAIN)
        return rc == 0 ? NULL : vname_write_failed_(&w->c, rc);
    k->w = w;
    k->creator = ch->s.creator;
    k->made = (uint32_t)ch->s.made;
    if (k->creator != NULL)
        k->creator->coming += k->made;
    return &vname_waiting;
}

static const struct v23_verror *attempt(struct vname_table *t,
    struct vname_write *w, bool *refused)
{
    struct v23_arena_mark m = v23_arena_mark(w->c.arena),
                          scratch = v23_arena_mark(&t->scratch);
    struct changes ch = { .whole = vname_table_is_whole_(t) };
    const struct v23_verror *err = functions[w->kind](t, w, &ch);

    *refused = false;
    if (err == NULL && ch.whole && ch.n != 0)
        err = ask(t, w, &ch, refused);
    changes_fini(&ch);
    v23_arena_rewind(&t->scratch, scratch);
    if (err == &vname_waiting)
        v23_arena_rewind(w->c.arena, m);
    return err;
}

const struct v23_verror *vname_table_write(struct vname_table *t,
    const struct vname_caller *c, struct vname_write *w)
{
    const struct v23_verror *err;
    bool refused;

    w->c = *c;
    w->unsure = false;
    w->until_ns = c->now_ns + VNAME_STORE_PATIENCE_NS;
    if (t->nwaiting >= VNAME_MAX_WAITING)
        return try_later(c, "too many operations wait for it");
    err = attempt(t, w, &refused);
    if (err == &vname_waiting)
        t->nwaiting++;
    return err;
}

void vname_table_committed(struct vname_table *t, struct v23_op op, int rc,
    const char *why)
{
    struct ticket *k = op.index < t->ntickets ? &t->tickets[op.index] : NULL;
    struct vname_write *w;

    if (k == NULL || k->w == NULL || k->generation != op.generation)
        return;
    w = k->w;
    if (k->creator != NULL)
        k->creator->coming -= k->made;
    ticket_free(t, k);
    w->unsure = w->unsure || rc == V23_ETIMEOUT;
    if (rc == 0)
        finish(t, w, NULL);
    else if (rc == V23_EAGAIN || rc == V23_ETIMEOUT)
        wait_in_line(t, w);
    else if (rc == V23_ELIMIT || rc == V23_ENOMEM)
        finish(t, w, vname_write_failed_(&w->c, rc));
    else
        finish(t, w, try_later(&w->c, why));
}

/* One that has waited in line: it is over for it, or it is tried again. */
static bool is_refused(struct vname_table *t, struct vname_write *w,
    int64_t now_ns)
{
    const struct v23_verror *err;
    bool refused;

    w->c.now_ns = now_ns;
    err = attempt(t, w, &refused);
    if (err != &vname_waiting)
        finish(t, w, err);
    return refused;
}

void vname_table_go_on(struct vname_table *t, int64_t now_ns, const char *why)
{
    struct vname_write *w = t->waiting, *next, *rest = NULL, **end = &rest;
    unsigned refusals = 0;

    t->waiting = NULL;
    t->waiting_end = &t->waiting;
    for (; w != NULL; w = next) {
        next = w->next;
        if (now_ns >= w->until_ns) {
            finish(t, w, try_later(&w->c, why));
        } else if (refusals < ENOUGH) {
            refusals += is_refused(t, w, now_ns);
        } else {
            *end = w;
            end = &w->next;
        }
    }
    /* Those that were not tried are the first the next time: who asks for the
     * same thing again and again does not keep others from theirs. */
    *end = NULL;
    if (rest == NULL)
        return;
    if (t->waiting == NULL)
        t->waiting_end = end;
    *end = t->waiting;
    t->waiting = rest;
}

size_t vname_table_waiting(const struct vname_table *t)
{
    return t->nwaiting;
}

void vname_write_fini_(struct vname_table *t)
{
    vname_load_free_(t);
    vname_sweeps_free_(t);
    v23_put(t->al, t->tickets);
}

/* ---- at once ------------------------------------------------------------- */

static const struct v23_verror *write_now(struct vname_table *t,
    const struct vname_caller *c, struct vname_write *w)
{
    if (vname_table_is_whole_(t))
        return vname_err_text_(c, "this table's store answers later");
    return vname_table_write(t, c, w);
}

const struct v23_verror *vname_table_mount(struct vname_table *t,
    const struct vname_caller *c, struct vdl_str name, struct vdl_str server,
    uint32_t ttl, uint32_t flags)
{
    struct vname_write w = { .kind = VNAME_WRITE_MOUNT,
        .name = name,
        .server = server,
        .ttl = ttl,
        .flags = flags };

    return write_now(t, c, &w);
}

const struct v23_verror *vname_table_unmount(struct vname_table *t,
    const struct vname_caller *c, struct vdl_str name, struct vdl_str server)
{
    struct vname_write w = { .kind = VNAME_WRITE_UNMOUNT,
        .name = name,
        .server = server };

    return write_now(t, c, &w);
}

const struct v23_verror *vname_table_delete(struct vname_table *t,
    const struct vname_caller *c, struct vdl_str name, bool subtree)
{
    struct vname_write w = { .kind = VNAME_WRITE_DELETE,
        .name = name,
        .subtree = subtree };

    return write_now(t, c, &w);
}

const struct v23_verror *vname_table_set_permissions(struct vname_table *t,
    const struct vname_caller *c, struct vdl_str name,
    const v23_access_permissions *perms, struct vdl_str version)
{
    struct vname_write w = { .kind = VNAME_WRITE_PERMISSIONS,
        .name = name,
        .perms = perms,
        .version = version };

    return write_now(t, c, &w);
}

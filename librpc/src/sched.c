/* BSD-3-Clause; see LICENSE. */
/*
 * Timers, deferred functions and operations of a manager. A timer's place in
 * the heap is reserved when it is announced, so arming one never fails.
 */
#include "sched_int.h"

#include <string.h>

#define MAX_SLOTS (1u << 24)

/* ---- timers -------------------------------------------------------------- */

void vrpc_timers_init_(struct vrpc_timers_ *h, const struct v23_alloc *al)
{
    memset(h, 0, sizeof(*h));
    h->al = al;
}

void vrpc_timers_fini_(struct vrpc_timers_ *h)
{
    v23_put(h->al, h->v);
    memset(h, 0, sizeof(*h));
}

int vrpc_timer_init_(struct vrpc_timers_ *h, struct vrpc_timer_ *t,
    void (*fn)(void *ud), void *ud)
{
    void *v = h->v;
    int rc;

    rc = v23_reserve(h->al, &v, &h->cap, h->known + 1, MAX_SLOTS,
        sizeof(struct vrpc_timer_ *));
    if (rc != 0)
        return rc;
    h->v = v;
    h->known++;
    t->at = V23_NEVER;
    t->pos = 0;
    t->fn = fn;
    t->ud = ud;
    return 0;
}

static void place(struct vrpc_timers_ *h, size_t i, struct vrpc_timer_ *t)
{
    h->v[i] = t;
    t->pos = i + 1;
}

static void sift_up(struct vrpc_timers_ *h, size_t i)
{
    struct vrpc_timer_ *t = h->v[i];

    while (i > 0 && h->v[(i - 1) / 2]->at > t->at) {
        place(h, i, h->v[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    place(h, i, t);
}

static void sift_down(struct vrpc_timers_ *h, size_t i)
{
    struct vrpc_timer_ *t = h->v[i];
    size_t child;

    while ((child = 2 * i + 1) < h->n) {
        if (child + 1 < h->n && h->v[child + 1]->at < h->v[child]->at)
            child++;
        if (h->v[child]->at >= t->at)
            break;
        place(h, i, h->v[child]);
        i = child;
    }
    place(h, i, t);
}

void vrpc_timer_set_(struct vrpc_timers_ *h, struct vrpc_timer_ *t,
    int64_t at)
{
    size_t i;

    t->at = at;
    if (t->pos == 0) {
        if (at == V23_NEVER)
            return;
        place(h, h->n++, t);
        sift_up(h, t->pos - 1);
        return;
    }
    i = t->pos - 1;
    if (at != V23_NEVER) {
        sift_up(h, i);
        sift_down(h, t->pos - 1);
        return;
    }
    t->pos = 0;
    h->n--;
    if (i != h->n) {
        place(h, i, h->v[h->n]);
        sift_up(h, i);
        sift_down(h, h->v[i]->pos - 1);
    }
}

void vrpc_timer_fini_(struct vrpc_timers_ *h, struct vrpc_timer_ *t)
{
    if (t->fn == NULL)
        return;
    vrpc_timer_set_(h, t, V23_NEVER);
    t->fn = NULL;
    h->known--;
}

int64_t vrpc_timers_next_(const struct vrpc_timers_ *h)
{
    return h->n == 0 ? V23_NEVER : h->v[0]->at;
}

bool vrpc_timers_run_(struct vrpc_timers_ *h, int64_t now)
{
    struct vrpc_timer_ *t;

    if (h->n == 0 || h->v[0]->at > now)
        return false;
    t = h->v[0];
    vrpc_timer_set_(h, t, V23_NEVER);
    t->fn(t->ud);
    return true;
}

/* ---- deferred functions -------------------------------------------------- */

void vrpc_tasks_init_(struct vrpc_tasks_ *q)
{
    memset(q, 0, sizeof(*q));
    q->tail = &q->first;
}

void vrpc_task_post_(struct vrpc_tasks_ *q, struct vrpc_task_ *t)
{
    if (t->link != NULL)
        return;
    t->next = NULL;
    t->link = q->tail;
    *q->tail = t;
    q->tail = &t->next;
}

void vrpc_task_drop_(struct vrpc_tasks_ *q, struct vrpc_task_ *t)
{
    if (t->link == NULL)
        return;
    *t->link = t->next;
    if (t->next != NULL)
        t->next->link = t->link;
    else
        q->tail = t->link;
    t->link = NULL;
}

void vrpc_tasks_run_(struct vrpc_tasks_ *q)
{
    struct vrpc_task_ *t;

    if (q->first == NULL || q->mark.link != NULL)
        return;
    vrpc_task_post_(q, &q->mark);
    while ((t = q->first) != &q->mark) {
        vrpc_task_drop_(q, t);
        t->fn(t->ud);
    }
    vrpc_task_drop_(q, &q->mark);
}

/* ---- operations ---------------------------------------------------------- */

void vrpc_ops_init_(struct vrpc_ops_ *o, const struct v23_alloc *al)
{
    memset(o, 0, sizeof(*o));
    o->al = al;
}

void vrpc_ops_fini_(struct vrpc_ops_ *o)
{
    v23_put(o->al, o->v);
    memset(o, 0, sizeof(*o));
}

int vrpc_op_new_(struct vrpc_ops_ *o, unsigned kind, void *owner,
    struct v23_op *out)
{
    struct vrpc_opslot_ *s;
    void *v = o->v;
    int rc;

    if (o->free == 0) {
        rc = v23_reserve(o->al, &v, &o->cap, o->n + 1, MAX_SLOTS,
            sizeof(*o->v));
        if (rc != 0)
            return rc;
        o->v = v;
        memset(&o->v[o->n], 0, sizeof(*o->v));
        o->free = (uint32_t)++o->n;
    }
    s = &o->v[o->free - 1];
    out->index = o->free - 1;
    o->free = s->next;
    if (++s->generation == 0)
        s->generation = 1;
    s->kind = (uint16_t)kind;
    s->owner = owner;
    out->generation = s->generation;
    return 0;
}

void *vrpc_op_owner_(const struct vrpc_ops_ *o, struct v23_op op,
    unsigned kind)
{
    const struct vrpc_opslot_ *s;

    if (op.generation == 0 || op.index >= o->n)
        return NULL;
    s = &o->v[op.index];
    return s->kind == kind && s->generation == op.generation ? s->owner
                                                             : NULL;
}

void vrpc_op_end_(struct vrpc_ops_ *o, struct v23_op *op)
{
    struct vrpc_opslot_ *s;

    if (op->generation != 0 && op->index < o->n) {
        s = &o->v[op->index];
        if (s->kind != 0 && s->generation == op->generation) {
            s->kind = 0;
            s->owner = NULL;
            s->next = o->free;
            o->free = op->index + 1;
        }
    }
    op->generation = 0;
}

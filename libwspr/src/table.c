/* BSD-3-Clause; see LICENSE. */
/* What has an id on a websocket, and deadlines. */
#include "wspr_int.h"

#include <string.h>

/* ---- ids ----------------------------------------------------------------- */

static size_t slot_of(const struct wspr_table_ *t, int64_t id)
{
    uint64_t x = (uint64_t)id * UINT64_C(0x9e3779b97f4a7c15);

    return (size_t)(x >> 32) & (t->nslots - 1);
}

static int grow(struct wspr_ctl *c)
{
    struct wspr_table_ *t = &c->table, bigger;
    struct wspr_entry_ *e;
    size_t i, s;

    bigger.nslots = t->nslots == 0 ? 16 : 2 * t->nslots;
    bigger.n = t->n;
    bigger.v = v23_get0(c->al, bigger.nslots, sizeof(*bigger.v));
    if (bigger.v == NULL)
        return V23_ENOMEM;
    for (i = 0; i < t->nslots; i++)
        while ((e = t->v[i]) != NULL) {
            t->v[i] = e->hnext;
            s = slot_of(&bigger, e->id);
            e->hnext = bigger.v[s];
            bigger.v[s] = e;
        }
    v23_put(c->al, t->v);
    *t = bigger;
    return 0;
}

int wspr_table_add_(struct wspr_ctl *c, struct wspr_entry_ *e)
{
    struct wspr_table_ *t = &c->table;
    size_t s;

    if (wspr_table_find_(c, e->id) != NULL)
        return V23_EEXIST;
    if (t->n >= t->nslots && grow(c) != 0)
        return V23_ENOMEM;
    s = slot_of(t, e->id);
    e->hnext = t->v[s];
    t->v[s] = e;
    t->n++;
    e->known = true;
    return 0;
}

void wspr_table_drop_(struct wspr_ctl *c, struct wspr_entry_ *e)
{
    struct wspr_table_ *t = &c->table;
    struct wspr_entry_ **link;

    if (!e->known)
        return;
    for (link = &t->v[slot_of(t, e->id)]; *link != e; link = &(*link)->hnext)
        ;
    *link = e->hnext;
    e->known = false;
    if (--t->n > 0)
        return;
    v23_put(c->al, t->v); /* an idle websocket is small */
    memset(t, 0, sizeof(*t));
}

struct wspr_entry_ *wspr_table_find_(const struct wspr_ctl *c, int64_t id)
{
    const struct wspr_table_ *t = &c->table;
    struct wspr_entry_ *e;

    if (t->n == 0)
        return NULL;
    e = t->v[slot_of(t, id)];
    while (e != NULL && e->id != id)
        e = e->hnext;
    return e;
}

/* ---- deadlines ----------------------------------------------------------- */

void wspr_due_set_(struct wspr_ctl *c, struct wspr_dues_ *q,
    struct wspr_due_ *d, int64_t at)
{
    d->at = at;
    d->next = NULL;
    d->link = q->tail;
    *q->tail = d;
    q->tail = &d->next;
    if (q->first == d)
        wspr_ctl_timer_(c);
}

void wspr_due_drop_(struct wspr_dues_ *q, struct wspr_due_ *d)
{
    if (d->link == NULL)
        return;
    *d->link = d->next;
    if (d->next != NULL)
        d->next->link = d->link;
    else
        q->tail = d->link;
    d->link = NULL;
}

/* BSD-3-Clause; see LICENSE. */
/* What the page has sent on a call and the other end cannot take yet. */
#include "wspr_int.h"

#include <string.h>

/* What a chunk costs besides its text. */
#define OVERHEAD (sizeof(struct wspr_chunk_) + 16)

void wspr_queue_init_(struct wspr_queue_ *q)
{
    memset(q, 0, sizeof(*q));
    q->tail = &q->first;
}

static void measure(struct wspr_ctl *c, struct wspr_queue_ *q)
{
    size_t limit = c->cfg.limits.stream;
    bool full = q->full ? q->bytes > limit / 2 : q->bytes > limit;

    if (full == q->full)
        return;
    q->full = full;
    if (full)
        c->nfull++;
    else
        c->nfull--;
    wspr_ctl_reading_(c);
}

int wspr_queue_put_(struct wspr_ctl *c, struct wspr_queue_ *q,
    enum wspr_chunk_kind_ kind, struct vdl_str text)
{
    struct wspr_chunk_ *k;

    /* Its end, and a short answer, always have a place. */
    if (kind == WSPR_ITEM_ && q->bytes / 4 > c->cfg.limits.stream)
        return V23_ELIMIT;
    k = v23_get(c->al, sizeof(*k) + text.n);
    if (k == NULL)
        return V23_ENOMEM;
    k->next = NULL;
    k->n = text.n;
    k->kind = kind;
    if (text.n > 0)
        memcpy(k->text, text.p, text.n);
    *q->tail = k;
    q->tail = &k->next;
    q->bytes += k->n + OVERHEAD;
    measure(c, q);
    return 0;
}

void wspr_queue_drop_(struct wspr_ctl *c, struct wspr_queue_ *q)
{
    struct wspr_chunk_ *k = q->first;

    q->first = k->next;
    if (q->first == NULL)
        q->tail = &q->first;
    q->bytes -= k->n + OVERHEAD;
    v23_put(c->al, k);
    measure(c, q);
}

void wspr_queue_clear_(struct wspr_ctl *c, struct wspr_queue_ *q)
{
    while (q->first != NULL)
        wspr_queue_drop_(c, q);
}

/* BSD-3-Clause; see LICENSE. */
/*
 * Open addressing with linear probing, at most half full; deletion shifts the
 * rest of a run back, so there are no tombstones and the cost of a look-up
 * does not grow with the history of the map.
 */
#include "idmap_int.h"

#define FIRST_CAP 8u
#define MAX_CAP (1u << 21)

static uint32_t home(const struct vrpc_idmap_ *m, uint64_t id)
{
    id *= UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(id >> 32) & (m->cap - 1);
}

union vrpc_idval_ *vrpc_idmap_get_(const struct vrpc_idmap_ *m, uint64_t id)
{
    uint32_t i;

    if (m->used == 0 || id == 0)
        return NULL;
    for (i = home(m, id); m->slots[i].id != 0; i = (i + 1) & (m->cap - 1))
        if (m->slots[i].id == id)
            return &m->slots[i].val;
    return NULL;
}

static void insert(struct vrpc_idmap_ *m, uint64_t id, union vrpc_idval_ val)
{
    uint32_t i = home(m, id);

    while (m->slots[i].id != 0)
        i = (i + 1) & (m->cap - 1);
    m->slots[i].id = id;
    m->slots[i].val = val;
    m->used++;
}

static int resize(struct vrpc_idmap_ *m, const struct v23_alloc *al,
    uint32_t cap)
{
    struct vrpc_idmap_ new = { NULL, cap, 0 };
    uint32_t i;

    new.slots = v23_get0(al, cap, sizeof(*new.slots));
    if (new.slots == NULL)
        return V23_ENOMEM;
    for (i = 0; i < m->cap; i++)
        if (m->slots[i].id != 0)
            insert(&new, m->slots[i].id, m->slots[i].val);
    v23_put(al, m->slots);
    *m = new;
    return 0;
}

int vrpc_idmap_put_(struct vrpc_idmap_ *m, const struct v23_alloc *al,
    uint64_t id, union vrpc_idval_ val)
{
    int rc = 0;

    if (2 * (m->used + 1) > m->cap) {
        if (m->cap >= MAX_CAP)
            return V23_ELIMIT;
        rc = resize(m, al, m->cap == 0 ? FIRST_CAP : 2 * m->cap);
    }
    if (rc == 0)
        insert(m, id, val);
    return rc;
}

/* May the entry whose home is h fill the hole at i, when it now is at j? */
static bool fits(uint32_t h, uint32_t i, uint32_t j)
{
    return i <= j ? h <= i || h > j : h <= i && h > j;
}

void vrpc_idmap_del_(struct vrpc_idmap_ *m, uint64_t id)
{
    union vrpc_idval_ *v = vrpc_idmap_get_(m, id);
    uint32_t i, j;

    if (v == NULL)
        return;
    for (i = home(m, id); m->slots[i].id != id; i = (i + 1) & (m->cap - 1))
        ;
    for (j = (i + 1) & (m->cap - 1); m->slots[j].id != 0;
        j = (j + 1) & (m->cap - 1)) {
        if (fits(home(m, m->slots[j].id), i, j)) {
            m->slots[i] = m->slots[j];
            i = j;
        }
    }
    m->slots[i].id = 0;
    m->used--;
}

bool vrpc_idmap_is_sparse_(const struct vrpc_idmap_ *m)
{
    return m->cap > FIRST_CAP && m->used <= m->cap / 8;
}

void vrpc_idmap_trim_(struct vrpc_idmap_ *m, const struct v23_alloc *al)
{
    uint32_t cap = m->cap;

    while (cap > FIRST_CAP && m->used <= cap / 4)
        cap /= 2;
    if (cap == m->cap)
        return;
    if (m->used == 0)
        vrpc_idmap_fini_(m, al);
    else if (resize(m, al, cap) != 0)
        return; /* failing to shrink harms nobody */
}

void vrpc_idmap_fini_(struct vrpc_idmap_ *m, const struct v23_alloc *al)
{
    v23_put(al, m->slots);
    m->slots = NULL;
    m->cap = m->used = 0;
}

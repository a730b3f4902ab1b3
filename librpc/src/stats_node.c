/* BSD-3-Clause; see LICENSE. */
/*
 * Nodes of the tree of statistics, sorted by name below each node, and the
 * memory that they take, which is counted against the bound of the tree.
 */
#include "stats_int.h"

void vrpc_stats_lock_(struct vrpc_stats *t)
{
    if (t->cfg.lock != NULL)
        t->cfg.lock(t->cfg.ud);
}

int vrpc_stats_unlock_(struct vrpc_stats *t, int rc)
{
    if (t->cfg.unlock != NULL)
        t->cfg.unlock(t->cfg.ud);
    return rc;
}

int64_t vrpc_stats_sec_of_(const struct vrpc_stats *t, int64_t now)
{
    int64_t ns = now + t->offset;

    return ns / V23_NS_PER_SEC - (ns % V23_NS_PER_SEC < 0);
}

/* ---- bounded memory ------------------------------------------------------ */

/* Zeroed; *rc is set on failure. */
void *vrpc_stats_grab_(struct vrpc_stats *t, size_t size, int *rc)
{
    void *p;

    if (size > t->cfg.max_bytes - t->used) {
        *rc = V23_ELIMIT;
        return NULL;
    }
    p = v23_get0(t->cfg.al, 1, size);
    if (p == NULL)
        *rc = V23_ENOMEM;
    else
        t->used += size;
    return p;
}

void vrpc_stats_drop_(struct vrpc_stats *t, void *p, size_t size)
{
    if (p == NULL)
        return;
    t->used -= size;
    v23_put(t->cfg.al, p);
}

/* ---- nodes --------------------------------------------------------------- */

struct vdl_str vrpc_stat_name_(const struct vrpc_stat *s)
{
    return vdl_strn(s->name, s->name_n);
}

static size_t node_size(struct vdl_str name)
{
    return sizeof(struct vrpc_stat) + name.n + 1;
}

/* Where a child of that name is, or would be. */
static size_t position(const struct vrpc_stat *dir, struct vdl_str name,
    bool *found)
{
    size_t from = 0, to = dir->nkids;

    *found = false;
    while (from < to) {
        size_t mid = from + (to - from) / 2;
        int c = vdl_str_cmp(vrpc_stat_name_(dir->kids[mid]), name);

        if (c == 0) {
            *found = true;
            return mid;
        }
        if (c < 0)
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

/* Cut the first element off a name; false: none is left. */
static bool next_element(struct vdl_str *name, struct vdl_str *elem)
{
    const char *slash;

    while (name->n > 0 && name->p[0] == '/') {
        name->p++;
        name->n--;
    }
    if (name->n == 0)
        return false;
    slash = memchr(name->p, '/', name->n);
    *elem = vdl_strn(name->p,
        slash == NULL ? name->n : (size_t)(slash - name->p));
    name->p += elem->n;
    name->n -= elem->n;
    return true;
}

struct vrpc_stat *vrpc_stats_find_(struct vrpc_stat *dir, struct vdl_str name)
{
    struct vdl_str elem;
    bool found;
    size_t i;

    while (next_element(&name, &elem)) {
        i = position(dir, elem, &found);
        if (!found)
            return NULL;
        dir = dir->kids[i];
    }
    return dir;
}

static int room_for_kid(struct vrpc_stat *dir)
{
    size_t cap = dir->cap == 0 ? 4 : 2 * dir->cap;
    struct vrpc_stat **kids;
    int rc = 0;

    if (dir->nkids < dir->cap)
        return 0;
    kids = vrpc_stats_grab_(dir->t, cap * sizeof(struct vrpc_stat *), &rc);
    if (kids == NULL)
        return rc;
    if (dir->nkids > 0)
        memcpy(kids, dir->kids, dir->nkids * sizeof(struct vrpc_stat *));
    vrpc_stats_drop_(dir->t, dir->kids, dir->cap * sizeof(struct vrpc_stat *));
    dir->kids = kids;
    dir->cap = cap;
    return 0;
}

static int add_kid(struct vrpc_stat *dir, size_t at, struct vdl_str name,
    struct vrpc_stat **out)
{
    struct vrpc_stats *t = dir->t;
    struct vrpc_stat *s;
    int rc = room_for_kid(dir);

    if (rc != 0)
        return rc;
    s = vrpc_stats_grab_(t, node_size(name), &rc);
    if (s == NULL)
        return rc;
    s->t = t;
    s->parent = dir;
    s->updated = VRPC_NEVER_UPDATED_;
    s->name_n = name.n;
    memcpy(s->name, name.p, name.n);
    memmove(dir->kids + at + 1, dir->kids + at,
        (dir->nkids - at) * sizeof(struct vrpc_stat *));
    dir->kids[at] = s;
    dir->nkids++;
    *out = s;
    return 0;
}

static void histogram_free(struct vrpc_stats *t, struct vrpc_histogram_ *h)
{
    uint32_t i;

    if (h == NULL)
        return;
    for (i = 0; h->buckets != NULL && i < h->nbuckets; i++)
        vrpc_stats_drop_(t, h->buckets[i].rings, sizeof(struct vrpc_rings_));
    vrpc_stats_drop_(t, h->buckets, h->nbuckets * sizeof(struct vrpc_series_));
    vrpc_stats_drop_(t, h->low, h->nbuckets * sizeof(int64_t));
    vrpc_stats_drop_(t, h->sum.rings, sizeof(struct vrpc_rings_));
    vrpc_stats_drop_(t, h->mins, sizeof(struct vrpc_rings_));
    vrpc_stats_drop_(t, h->maxs, sizeof(struct vrpc_rings_));
    vrpc_stats_drop_(t, h, sizeof(*h));
}

bool vrpc_stat_is_text_(const struct vrpc_stat *s)
{
    return s->kind == VRPC_STAT_STRING_ ||
           (s->kind == VRPC_STAT_VALUE_ && s->type == &vdl_string_desc);
}

/* The node has no object any more. */
void vrpc_stat_clear_(struct vrpc_stat *s)
{
    if (vrpc_stat_is_text_(s))
        vrpc_stats_drop_(s->t, s->u.text.p, s->u.text.cap);
    else if (s->kind == VRPC_STAT_COUNTER_)
        vrpc_stats_drop_(s->t, s->u.counter, sizeof(*s->u.counter));
    else if (s->kind == VRPC_STAT_HISTOGRAM_)
        histogram_free(s->t, s->u.h);
    memset(&s->u, 0, sizeof(s->u));
    s->kind = VRPC_STAT_NONE_;
    s->updated = VRPC_NEVER_UPDATED_;
}

/* Depth is bounded by VRPC_STATS_DEPTH_. */
void vrpc_stat_free_(struct vrpc_stat *s)
{
    while (s->nkids > 0)
        vrpc_stat_free_(s->kids[--s->nkids]);
    vrpc_stats_drop_(s->t, s->kids, s->cap * sizeof(struct vrpc_stat *));
    vrpc_stat_clear_(s);
    vrpc_stats_drop_(s->t, s, node_size(vrpc_stat_name_(s)));
}

void vrpc_stat_remove_(struct vrpc_stat *s)
{
    struct vrpc_stat *dir = s->parent;
    bool found;
    size_t i = position(dir, vrpc_stat_name_(s), &found);

    dir->nkids--;
    memmove(dir->kids + i, dir->kids + i + 1,
        (dir->nkids - i) * sizeof(struct vrpc_stat *));
    vrpc_stat_free_(s);
}

/* Remove a node, and those above it that only led to it. */
void vrpc_stat_prune_(struct vrpc_stat *s)
{
    struct vrpc_stat *dir;

    for (; s->parent != NULL && s->kind == VRPC_STAT_NONE_ && s->nkids == 0;
         s = dir) {
        dir = s->parent;
        vrpc_stat_remove_(s);
    }
}

static int depth_of(const struct vrpc_stat *s)
{
    int n = 0;

    for (; s->parent != NULL; s = s->parent)
        n++;
    return n;
}

int vrpc_stats_find_or_add_(struct vrpc_stat *from, struct vdl_str name,
    struct vrpc_stat **out)
{
    int depth = depth_of(from), rc = 0;
    struct vrpc_stat *s = from, *kid = NULL;
    struct vdl_str elem;
    bool found;
    size_t i;

    while (rc == 0 && next_element(&name, &elem)) {
        i = position(s, elem, &found);
        if (found)
            kid = s->kids[i];
        else
            rc = ++depth > VRPC_STATS_DEPTH_ ? V23_EARG
                                             : add_kid(s, i, elem, &kid);
        if (rc == 0)
            s = kid;
    }
    if (rc == 0 && s == from)
        rc = V23_EARG;
    if (rc != 0) {
        if (s != from)
            vrpc_stat_prune_(s);
        return rc;
    }
    *out = s;
    return 0;
}

int vrpc_stats_root_(struct vrpc_stats *t)
{
    int rc = 0;

    t->root = vrpc_stats_grab_(t, node_size(vdl_str("")), &rc);
    if (t->root != NULL) {
        t->root->t = t;
        t->root->updated = VRPC_NEVER_UPDATED_;
    }
    return rc;
}

struct vrpc_stat *vrpc_stats_get_(struct vrpc_stats *t, struct vdl_str name)
{
    struct vrpc_stat *s;

    vrpc_stats_lock_(t);
    s = vrpc_stats_find_(t->root, name);
    (void)vrpc_stats_unlock_(t, 0);
    return s;
}

/* BSD-3-Clause; see LICENSE. */
/*
 * Registries of what types consist of. Parts come before what is made of them,
 * as far as there is such an order: peers send them in that order.
 */
#include "type_int.h"

#define TYPES_MAX 4096

struct list {
    const struct v23_alloc *al;
    const struct vdl_type **v;
    size_t n, cap;
};

/* Ids below the first user id stand for these. */
static bool is_builtin(const struct vdl_type *t)
{
    return t == &vdl_bytes_desc || t == &vdl_str_list_desc
        || t == vdl_builtin_[t->kind];
}

static int add(struct list *l, const struct vdl_type *t)
{
    void *v = l->v;
    size_t i;
    int rc;

    if (t == NULL || t->wire != NULL || is_builtin(t))
        return 0;
    for (i = 0; i < l->n; i++)
        if (l->v[i] == t)
            return 0;
    rc = v23_reserve(l->al, &v, &l->cap, l->n + 1, TYPES_MAX, sizeof(*l->v));
    if (rc != 0)
        return rc;
    l->v = v;
    l->v[l->n++] = t;
    return 0;
}

static int add_parts(struct list *l, const struct vdl_type *t)
{
    uint32_t i;
    int rc = add(l, t->elem);

    if (rc == 0)
        rc = add(l, t->key);
    for (i = 0; rc == 0 && t->fields != NULL && i < t->count; i++)
        rc = add(l, t->fields[i].type);
    return rc;
}

int vdl_registry_make(const struct v23_alloc *al,
    const struct vdl_type *const *roots, size_t n, struct vdl_registry *out)
{
    struct list l = { al, NULL, 0, 0 };
    const struct vdl_type *t;
    size_t i;
    int rc = 0;

    for (i = 0; rc == 0 && i < n; i++)
        rc = add(&l, roots[i]);
    for (i = 0; rc == 0 && i < l.n; i++)
        rc = add_parts(&l, l.v[i]);
    if (rc != 0) {
        v23_put(al, l.v);
        return rc;
    }
    for (i = 0; i < l.n / 2; i++) {
        t = l.v[i];
        l.v[i] = l.v[l.n - 1 - i];
        l.v[l.n - 1 - i] = t;
    }
    out->types = l.v;
    out->n = l.n;
    return 0;
}

void vdl_registry_free(const struct v23_alloc *al, struct vdl_registry *r)
{
    v23_put(al, (void *)(uintptr_t)r->types);
    r->types = NULL;
    r->n = 0;
}

/* BSD-3-Clause; see LICENSE. */
/*
 * Copies of run-time types into an arena. They belong to no set: they live as
 * long as the arena's content. Static types are their own copies.
 */
#include "type_build_int.h"
#include "value_int.h"

struct vdl_type_map_ {
    const struct vdl_type *from, *to;
};

/* Slot of a type in an open table; free when from == NULL. */
static struct vdl_type_map_ *slot(struct vdl_type_map_ *map, size_t cap,
    const struct vdl_type *t)
{
    size_t i = vdl_address_hash_(t) & (cap - 1);

    while (map[i].from != NULL && map[i].from != t)
        i = (i + 1) & (cap - 1);
    return &map[i];
}

static int make_room(struct vdl_type_copier_ *c)
{
    size_t cap = c->cap == 0 ? 16 : 2 * c->cap, i;
    struct vdl_type_map_ *map;

    if (2 * (c->n + 1) <= c->cap)
        return 0;
    map = v23_arena_get0(c->a, cap, sizeof(*map),
        _Alignof(struct vdl_type_map_));
    if (map == NULL)
        return V23_ENOMEM;
    for (i = 0; i < c->cap; i++)
        if (c->map[i].from != NULL)
            *slot(map, cap, c->map[i].from) = c->map[i];
    c->map = map;
    c->cap = cap;
    return 0;
}

static int dup_str(struct v23_arena *a, struct vdl_str *s)
{
    if (s->n == 0)
        return 0;
    s->p = v23_arena_dup(a, s->p, s->n);
    return s->p == NULL ? V23_ENOMEM : 0;
}

static int dup_labels(struct v23_arena *a, struct vdl_type *t)
{
    struct vdl_str *labels = v23_arena_get0(a, t->count, sizeof(*labels),
        _Alignof(struct vdl_str));
    uint32_t i;

    if (labels == NULL)
        return V23_ENOMEM;
    for (i = 0; i < t->count; i++) {
        labels[i] = t->labels[i];
        if (dup_str(a, &labels[i]) != 0)
            return V23_ENOMEM;
    }
    t->labels = labels;
    return 0;
}

static int dup_fields(struct v23_arena *a, struct vdl_type *t)
{
    struct vdl_field *fields = v23_arena_get0(a, t->count, sizeof(*fields),
        _Alignof(struct vdl_field));
    uint32_t i;

    if (fields == NULL)
        return V23_ENOMEM;
    for (i = 0; i < t->count; i++) {
        fields[i] = t->fields[i];
        if (dup_str(a, &fields[i].name) != 0)
            return V23_ENOMEM;
    }
    t->fields = fields;
    return 0;
}

/* The copy of a type; a new one still refers to the old subtypes. */
static int get(struct vdl_type_copier_ *c, const struct vdl_type *t,
    struct vdl_built_ **todo, const struct vdl_type **out)
{
    struct vdl_type_map_ *m;
    struct vdl_built_ *x;
    int rc;

    if (t == NULL || (t->flags & VDL_T_BUILT_) == 0) {
        *out = t;
        return 0;
    }
    rc = make_room(c);
    if (rc != 0)
        return rc;
    m = slot(c->map, c->cap, t);
    if (m->from == NULL) {
        x = v23_arena_new(c->a, struct vdl_built_);
        if (x == NULL)
            return V23_ENOMEM;
        *x = *(const struct vdl_built_ *)(const void *)t;
        x->owner = NULL;
        x->same = x;
        x->prev = *todo;
        *todo = x;
        rc = dup_str(c->a, &x->t.name);
        if (rc == 0 && x->t.labels != NULL)
            rc = dup_labels(c->a, &x->t);
        if (rc == 0 && x->t.fields != NULL)
            rc = dup_fields(c->a, &x->t);
        if (rc != 0)
            return rc;
        m->from = t;
        m->to = &x->t;
        c->n++;
    }
    *out = m->to;
    return 0;
}

/* Turn the references of a new copy into references to copies. */
static int relink(struct vdl_type_copier_ *c, struct vdl_type *t,
    struct vdl_built_ **todo)
{
    /* Its fields are this arena's. */
    struct vdl_field *f = (struct vdl_field *)(uintptr_t)t->fields;
    uint32_t i;
    int rc;

    rc = get(c, t->elem, todo, &t->elem);
    if (rc == 0)
        rc = get(c, t->key, todo, &t->key);
    if (rc == 0)
        rc = get(c, t->wire, todo, &t->wire);
    for (i = 0; f != NULL && i < t->count && rc == 0; i++)
        rc = get(c, f[i].type, todo, &f[i].type);
    return rc;
}

int vdl_copy_type_(struct vdl_type_copier_ *c, const struct vdl_type *t,
    const struct vdl_type **out)
{
    struct vdl_built_ *todo = NULL, *x;
    int rc;

    rc = get(c, t, &todo, out);
    while (rc == 0 && todo != NULL) {
        x = todo;
        todo = x->prev;
        x->prev = NULL;
        rc = relink(c, &x->t, &todo);
    }
    return rc;
}

/* BSD-3-Clause; see LICENSE. */
/*
 * Most calls of a manager's clients go to few objects, so taking the same name apart and
 * parsing the same endpoint again for each would be most of a call's work. What
 * was found for the names used last is kept, one for each value of a hash.
 */
#include "place_int.h"

#include <vrpc/name.h>

static void place_destroy(struct v23_ref *r)
{
    struct vrpc_place_ *p = (struct vrpc_place_ *)r;

    v23_arena_fini(&p->arena);
    v23_put(p->al, p);
}

struct vrpc_place_ *vrpc_place_ref_(struct vrpc_place_ *p)
{
    v23_ref(&p->ref);
    return p;
}

void vrpc_place_unref_(struct vrpc_place_ *p)
{
    if (p != NULL)
        v23_unref(&p->ref);
}

/* Names of objects of one server differ at their ends. */
static size_t slot(struct vdl_str name)
{
    uint32_t h = name.n, i = name.n < 8 ? 0 : name.n - 8;

    for (; i < name.n; i++)
        h = h * 31 + (uint8_t)name.p[i];
    return (h ^ h >> 8) % VRPC_PLACES_;
}

static int fill(struct vrpc_place_ *p, struct vdl_str name, const char **why)
{
    struct v23_arena *a = &p->arena;
    struct vdl_str clean, pattern, rest;
    int rc;

    p->name = vdl_strn(v23_arena_dup(a, name.p, name.n), name.n);
    if (p->name.p == NULL)
        return V23_ENOMEM;
    rc = vrpc_name_clean(a, p->name, &clean);
    if (rc == 0)
        rc = vrpc_name_split_pattern(a, p->name, &pattern, &rest);
    if (rc == 0)
        rc = vrpc_name_split(a, p->name, &p->address, &p->suffix);
    if (rc != 0)
        return rc;
    p->clean = vdl_str_eq(clean, p->name);
    p->plain = p->clean && pattern.n == 0 && vdl_str_eq(rest, p->name);
    if (p->address.n == 0)
        *why = "the name does not appear to contain an address";
    return p->address.n == 0 ? V23_EENDPOINT
                             : vrpc_endpoint_parse(a, p->address, &p->ep, NULL);
}

int vrpc_place_get_(struct vrpc_places_ *s, struct vdl_str name,
    struct vrpc_place_ **out, const char **why)
{
    struct vrpc_place_ **at = &s->v[slot(name)], *p = *at;
    int rc;

    if (p != NULL && vdl_str_eq(p->name, name)) {
        *out = vrpc_place_ref_(p);
        return 0;
    }
    p = v23_new(s->al, struct vrpc_place_);
    if (p == NULL)
        return V23_ENOMEM;
    p->ref.n = 1;
    p->ref.destroy = place_destroy;
    p->al = s->al;
    v23_arena_init_small(&p->arena, s->al, SIZE_MAX, 512);
    *why = "failed to parse endpoint";
    rc = fill(p, name, why);
    if (rc != 0) {
        vrpc_place_unref_(p);
        return rc;
    }
    vrpc_place_unref_(*at);
    *at = p;
    *out = vrpc_place_ref_(p);
    return 0;
}

void vrpc_places_fini_(struct vrpc_places_ *s)
{
    size_t i;

    for (i = 0; i < VRPC_PLACES_; i++) {
        vrpc_place_unref_(s->v[i]);
        s->v[i] = NULL;
    }
}

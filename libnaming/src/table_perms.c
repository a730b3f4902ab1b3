/* BSD-3-Clause; see LICENSE. */
/*
 * Permissions of nodes: immutable normalised maps, shared by every node that
 * inherited the same lists. Patterns and access lists are libsecurity's.
 */
#include <vsec/acl.h>

#include "table_int.h"

#define FIRST_BUCKETS 16
/* First block of the arena of one: two lists of two names. */
#define SMALL_PERMS 192

static const char *const tag_names[] = { "Read", "Resolve", "Create", "Mount",
    "Admin" };

/* ---- equal ones are one object ------------------------------------------- */

static uint64_t hash_list(uint64_t h, v23_security_blessing_pattern_list l)
{
    uint32_t i;

    for (i = 0; i < l.n; i++)
        h = v23_hash(h, l.v[i].p, l.v[i].n);
    return h + l.n;
}

static uint32_t hash_of(const struct vname_table *t,
    const v23_access_permissions *map)
{
    uint64_t h = (uint64_t)(uintptr_t)t;
    v23_security_blessing_pattern_list not_in;
    uint32_t i;

    for (i = 0; i < map->n; i++) {
        not_in.v = map->v[i].val.not_in.v;
        not_in.n = map->v[i].val.not_in.n;
        h = v23_hash(h, map->v[i].key.p, map->v[i].key.n);
        h = hash_list(hash_list(h, map->v[i].val.in), not_in);
    }
    return (uint32_t)(h ^ h >> 32);
}

static bool grow(struct vname_table *t)
{
    size_t n = t->perms_buckets == 0 ? FIRST_BUCKETS : 2 * t->perms_buckets,
           i;
    struct perms **fresh = v23_get0(t->al, n, sizeof(*fresh)), *p;

    if (fresh == NULL)
        return false;
    for (i = 0; i < t->perms_buckets; i++)
        while ((p = t->perms[i]) != NULL) {
            t->perms[i] = p->hash_next;
            p->hash_next = fresh[p->hash & (n - 1)];
            fresh[p->hash & (n - 1)] = p;
        }
    v23_put(t->al, t->perms);
    t->perms = fresh;
    t->perms_buckets = n;
    return true;
}

static void destroy(struct v23_ref *r)
{
    struct perms *p = (struct perms *)(void *)r, **q;
    struct vname_table *t = p->t;

    for (q = &t->perms[p->hash & (t->perms_buckets - 1)]; *q != p;)
        q = &(*q)->hash_next;
    *q = p->hash_next;
    t->nperms--;
    v23_arena_fini(&p->arena);
    v23_put(t->al, p);
}

struct perms *vname_perms_ref_(struct perms *p)
{
    if (p != NULL)
        v23_ref(&p->ref);
    return p;
}

void vname_perms_unref_(struct perms *p)
{
    if (p != NULL)
        v23_unref(&p->ref);
}

int vname_perms_keep_(struct vname_table *t,
    const v23_access_permissions *map, struct perms **out)
{
    uint32_t h = hash_of(t, map);
    struct perms *p, **bucket;
    int rc;

    if (t->nperms >= t->perms_buckets && !grow(t))
        return V23_ENOMEM;
    bucket = &t->perms[h & (t->perms_buckets - 1)];
    for (p = *bucket; p != NULL; p = p->hash_next)
        if (p->hash == h && v23_access_permissions_equal(&p->map, map)) {
            *out = vname_perms_ref_(p);
            return 0;
        }
    p = v23_new(t->al, struct perms);
    if (p == NULL)
        return V23_ENOMEM;
    v23_arena_init_small(&p->arena, t->al, SIZE_MAX, SMALL_PERMS);
    rc = v23_access_permissions_copy(&p->arena, &p->map, map);
    if (rc != 0) {
        v23_arena_fini(&p->arena);
        v23_put(t->al, p);
        return rc;
    }
    p->ref.n = 1;
    p->ref.destroy = destroy;
    p->t = t;
    p->hash = h;
    p->hash_next = *bucket;
    *bucket = p;
    t->nperms++;
    *out = p;
    return 0;
}

int vname_perms_new_(struct vname_table *t,
    const v23_access_permissions *map, struct perms **out)
{
    struct v23_arena_mark m = v23_arena_mark(&t->scratch);
    v23_access_permissions normal;
    int rc;

    rc = vsec_perms_normalize(map, &t->scratch, &normal);
    if (rc == 0)
        rc = vname_perms_keep_(t, &normal, out);
    if (rc == 0)
        (*out)->normal = true;
    v23_arena_rewind(&t->scratch, m);
    return rc;
}

/* ---- looking into them --------------------------------------------------- */

const v23_access_access_list *vname_perms_find_(
    const v23_access_permissions *map, const char *tag)
{
    return vsec_perms_find(map, vdl_str(tag));
}

bool vname_perms_allow_(const struct perms *p, int tags, vdl_str_list names)
{
    const v23_access_access_list *acl;
    int i;

    if (p == NULL)
        return true;
    for (i = 0; i < 5; i++) {
        if ((tags & 1 << i) == 0)
            continue;
        acl = vname_perms_find_(&p->map, tag_names[i]);
        if (acl != NULL && vsec_acl_includes(acl, names))
            return true;
    }
    return false;
}

static bool has(v23_security_blessing_pattern_list l, struct vdl_str s)
{
    uint32_t i;

    for (i = 0; i < l.n; i++)
        if (vdl_str_eq(l.v[i], s))
            return true;
    return false;
}

/* Map with `names` added to the In list of Admin, in `a`. */
static int widen(struct v23_arena *a, const v23_access_permissions *map,
    vdl_str_list names, v23_access_permissions *out)
{
    const v23_access_access_list *admin = vname_perms_find_(map, "Admin");
    v23_access_permissions_entry *v;
    struct vdl_str *in;
    uint32_t n = map->n + (admin == NULL), i, k = 0;

    v = v23_arena_get0(a, n, sizeof(*v),
        _Alignof(v23_access_permissions_entry));
    in = v23_arena_get0(a, names.n + (admin == NULL ? 0 : admin->in.n),
        sizeof(*in), _Alignof(struct vdl_str));
    if (v == NULL || in == NULL)
        return V23_ENOMEM;
    if (map->n != 0)
        memcpy(v, map->v, map->n * sizeof(*v));
    for (i = 0; admin != NULL && i < admin->in.n; i++)
        in[k++] = admin->in.v[i];
    for (i = 0; i < names.n; i++)
        in[k++] = names.v[i];
    for (i = 0; i < map->n; i++)
        if (vdl_str_is(v[i].key, "Admin"))
            break;
    v[i].key = vdl_str("Admin");
    v[i].val.in.v = in;
    v[i].val.in.n = k;
    out->v = v;
    out->n = n;
    return 0;
}

int vname_perms_add_admins_(struct vname_table *t, struct perms *p,
    vdl_str_list names, struct perms **out)
{
    const v23_access_access_list *admin
        = vname_perms_find_(&p->map, "Admin");
    struct v23_arena_mark m = v23_arena_mark(&t->scratch);
    v23_access_permissions wide;
    uint32_t i;
    int rc;

    /* Nothing new: the child shares its parent's permissions. */
    for (i = 0; i < names.n; i++)
        if (admin == NULL || !has(admin->in, names.v[i]))
            break;
    if (i == names.n && (p->normal || names.n == 0)) {
        *out = vname_perms_ref_(p);
        return 0;
    }
    rc = widen(&t->scratch, &p->map, names, &wide);
    if (rc == 0)
        rc = vname_perms_new_(t, &wide, out);
    v23_arena_rewind(&t->scratch, m);
    return rc;
}

/* `s` with every "%%" replaced by `element`. */
static int expand_text(struct v23_arena *a, struct vdl_str s,
    struct vdl_str element, struct vdl_str *out)
{
    uint32_t i, marks = 0;
    size_t size, n = 0;
    char *p;

    for (i = 0; i + 1 < s.n; i++)
        if (s.p[i] == '%' && s.p[i + 1] == '%') {
            marks++;
            i++;
        }
    if (v23_mul_size(marks, element.n, &size) != 0
        || v23_add_size(size, s.n, &size) != 0)
        return V23_ENOMEM;
    p = v23_arena_get(a, size, 1);
    if (p == NULL)
        return V23_ENOMEM;
    for (i = 0; i < s.n; i++) {
        if (i + 1 < s.n && s.p[i] == '%' && s.p[i + 1] == '%') {
            if (element.n != 0)
                memcpy(p + n, element.p, element.n);
            n += element.n;
            i++;
        } else {
            p[n++] = s.p[i];
        }
    }
    *out = vdl_strn(p, n);
    return 0;
}

static int expand_texts(struct v23_arena *a, const struct vdl_str *from,
    uint32_t n, struct vdl_str element, const struct vdl_str **out)
{
    struct vdl_str *v = v23_arena_get0(a, n, sizeof(*v),
        _Alignof(struct vdl_str));
    uint32_t i;
    int rc = v == NULL ? V23_ENOMEM : 0;

    for (i = 0; rc == 0 && i < n; i++)
        rc = expand_text(a, from[i], element, &v[i]);
    *out = v;
    return rc;
}

int vname_perms_expand_(struct vname_table *t, const struct perms *tmpl,
    struct vdl_str element, struct perms **out)
{
    struct v23_arena *a = &t->scratch;
    struct v23_arena_mark m = v23_arena_mark(a);
    v23_access_permissions_entry *v;
    v23_access_permissions map;
    uint32_t i;
    int rc = 0;

    v = v23_arena_get0(a, tmpl->map.n, sizeof(*v),
        _Alignof(v23_access_permissions_entry));
    if (v == NULL)
        rc = V23_ENOMEM;
    for (i = 0; rc == 0 && i < tmpl->map.n; i++) {
        const v23_access_access_list *from = &tmpl->map.v[i].val;

        v[i].key = tmpl->map.v[i].key;
        rc = expand_texts(a, from->in.v, from->in.n, element,
            &v[i].val.in.v);
        v[i].val.in.n = from->in.n;
        if (rc == 0)
            rc = expand_texts(a, from->not_in.v, from->not_in.n, element,
                &v[i].val.not_in.v);
        v[i].val.not_in.n = from->not_in.n;
    }
    map.v = v;
    map.n = tmpl->map.n;
    if (rc == 0)
        rc = vname_perms_keep_(t, &map, out);
    v23_arena_rewind(a, m);
    return rc;
}

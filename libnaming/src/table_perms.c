/* BSD-3-Clause; see LICENSE. */
/*
 * Permissions of nodes: immutable normalised maps, shared by every node that
 * inherited the same lists. Patterns and access lists are libsecurity's.
 */
#include <vsec/acl.h>

#include "table_int.h"

static const char *const tag_names[] = { "Read", "Resolve", "Create", "Mount",
    "Admin" };

static void destroy(struct v23_ref *r)
{
    struct perms *p = (struct perms *)(void *)r;
    const struct v23_alloc *al = p->al;

    v23_arena_fini(&p->arena);
    v23_put(al, p);
}

static struct perms *perms_new(const struct vname_table *t)
{
    struct perms *p = v23_new(t->al, struct perms);

    if (p == NULL)
        return NULL;
    p->ref.n = 1;
    p->ref.destroy = destroy;
    p->al = t->al;
    v23_arena_init(&p->arena, t->al, SIZE_MAX);
    return p;
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

int vname_perms_keep_(const struct vname_table *t,
    const v23_access_permissions *map, struct perms **out)
{
    struct perms *p = perms_new(t);
    int rc;

    if (p == NULL)
        return V23_ENOMEM;
    rc = v23_access_permissions_copy(&p->arena, &p->map, map);
    if (rc != 0)
        vname_perms_unref_(p);
    else
        *out = p;
    return rc;
}

int vname_perms_new_(const struct vname_table *t,
    const v23_access_permissions *map, struct perms **out)
{
    v23_access_permissions normal;
    struct v23_arena scratch;
    int rc;

    v23_arena_init(&scratch, t->al, SIZE_MAX);
    rc = vsec_perms_normalize(map, &scratch, &normal);
    if (rc == 0)
        rc = vname_perms_keep_(t, &normal, out);
    if (rc == 0)
        (*out)->normal = true;
    v23_arena_fini(&scratch);
    return rc;
}

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

int vname_perms_add_admins_(const struct vname_table *t, struct perms *p,
    vdl_str_list names, struct perms **out)
{
    const v23_access_access_list *admin
        = vname_perms_find_(&p->map, "Admin");
    v23_access_permissions wide;
    struct v23_arena scratch;
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
    v23_arena_init(&scratch, t->al, SIZE_MAX);
    rc = widen(&scratch, &p->map, names, &wide);
    if (rc == 0)
        rc = vname_perms_new_(t, &wide, out);
    v23_arena_fini(&scratch);
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

int vname_perms_expand_(const struct vname_table *t, const struct perms *tmpl,
    struct vdl_str element, struct perms **out)
{
    v23_access_permissions_entry *v;
    v23_access_permissions map;
    struct v23_arena a;
    uint32_t i;
    int rc = 0;

    v23_arena_init(&a, t->al, SIZE_MAX);
    v = v23_arena_get0(&a, tmpl->map.n, sizeof(*v),
        _Alignof(v23_access_permissions_entry));
    if (v == NULL)
        rc = V23_ENOMEM;
    for (i = 0; rc == 0 && i < tmpl->map.n; i++) {
        const v23_access_access_list *from = &tmpl->map.v[i].val;

        v[i].key = tmpl->map.v[i].key;
        rc = expand_texts(&a, from->in.v, from->in.n, element,
            &v[i].val.in.v);
        v[i].val.in.n = from->in.n;
        if (rc == 0)
            rc = expand_texts(&a, from->not_in.v, from->not_in.n, element,
                &v[i].val.not_in.v);
        v[i].val.not_in.n = from->not_in.n;
    }
    map.v = v;
    map.n = tmpl->map.n;
    if (rc == 0)
        rc = vname_perms_keep_(t, &map, out);
    v23_arena_fini(&a);
    return rc;
}

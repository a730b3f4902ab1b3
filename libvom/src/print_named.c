/* BSD-3-Clause; see LICENSE. */
/*
 * The named types that a set of types is made of. Types are told apart by
 * address first; those of one name are compared as graphs, because a type may
 * come from several type streams.
 */
#include "print_int.h"
#include "type_int.h"

/* More types than this are not looked at. */
#define TYPES_MAX (1u << 20)

void vdl_named_init(struct vdl_named *s, const struct v23_alloc *al)
{
    memset(s, 0, sizeof(*s));
    s->al = al;
}

void vdl_named_fini(struct vdl_named *s)
{
    v23_put(s->al, s->v);
    v23_put(s->al, s->seen);
    v23_put(s->al, s->slots);
    vdl_named_init(s, s->al);
}

/* Slot of a type, or the free one where it belongs. */
static size_t slot(const struct vdl_named *s, const struct vdl_type *t)
{
    size_t h = (size_t)((uintptr_t)t >> 4) * 2654435769u;

    for (h ^= h >> 15;; h++) {
        h &= s->nslots - 1;
        if (s->slots[h] == 0 || s->seen[s->slots[h] - 1] == t)
            return h;
    }
}

/* Keep the table of slots at most half full. */
static int rehash(struct vdl_named *s)
{
    size_t n = s->nslots == 0 ? 64 : 2 * s->nslots, i;
    uint32_t *slots;

    if (2 * (s->nseen + 1) <= s->nslots)
        return 0;
    slots = v23_get0(s->al, n, sizeof(*slots));
    if (slots == NULL)
        return V23_ENOMEM;
    v23_put(s->al, s->slots);
    s->slots = slots;
    s->nslots = n;
    for (i = 0; i < s->nseen; i++)
        slots[slot(s, s->seen[i])] = (uint32_t)i + 1;
    return 0;
}

static int see(struct vdl_named *s, const struct vdl_type *t)
{
    void *v = (void *)s->seen;
    size_t h;
    int rc = rehash(s);

    if (rc == 0)
        rc = v23_reserve(
            s->al, &v, &s->seen_cap, s->nseen + 1, TYPES_MAX, sizeof(*s->seen));
    if (rc != 0)
        return rc;
    s->seen = v;
    h = slot(s, t);
    if (s->slots[h] == 0) {
        s->seen[s->nseen++] = t;
        s->slots[h] = (uint32_t)s->nseen;
    }
    return 0;
}

static int by_name(struct vdl_str a, struct vdl_str b)
{
    struct vdl_str apath, aname, bpath, bname;
    int c;

    vdl_split_name_(a, &apath, &aname);
    vdl_split_name_(b, &bpath, &bname);
    c = vdl_str_cmp(apath, bpath);
    return c != 0 ? c : vdl_str_cmp(aname, bname);
}

/* Place of the first type of that name. */
static size_t place(const struct vdl_named *s, struct vdl_str name)
{
    size_t lo = 0, hi = s->n, mid;

    while (lo < hi) {
        mid = lo + (hi - lo) / 2;
        if (by_name(s->v[mid]->name, name) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

const struct vdl_type *vdl_named_find(
    const struct vdl_named *s, struct vdl_str name)
{
    size_t at = place(s, name);

    return at < s->n && vdl_str_eq(s->v[at]->name, name) ? s->v[at] : NULL;
}

/* Put a named type in its place. */
static int insert(struct vdl_named *s, const struct vdl_type *t)
{
    void *v = (void *)s->v;
    size_t lo = place(s, t->name);
    int rc;

    for (; lo < s->n && vdl_str_eq(s->v[lo]->name, t->name); lo++)
        if (vdl_type_equal(s->v[lo], t))
            return 0;
    rc = v23_reserve(s->al, &v, &s->cap, s->n + 1, TYPES_MAX, sizeof(*s->v));
    if (rc != 0)
        return rc;
    s->v = v;
    memmove(s->v + lo + 1, s->v + lo, (s->n - lo) * sizeof(*s->v));
    s->v[lo] = t;
    s->n++;
    return 0;
}

int vdl_named_add(struct vdl_named *s, const struct vdl_type *t)
{
    size_t at = s->nseen;
    uint32_t i;
    int rc;

    if (t == NULL)
        return 0;
    rc = see(s, vdl_wire_(t));
    /* What has been seen and not been looked into yet is the work left. */
    for (; rc == 0 && at < s->nseen; at++) {
        t = s->seen[at];
        if (t->name.n != 0)
            rc = insert(s, t);
        for (i = 0; rc == 0 && i < vdl_nsubtypes_(t); i++)
            rc = see(s, vdl_wire_(vdl_subtype_(t, i)));
    }
    return rc;
}

int vdl_named_print(const struct vdl_named *s, struct v23_buf *out)
{
    size_t start = out->n, i;
    struct vdl_str path, name;
    int rc = 0;

    for (i = 0; rc == 0 && i < s->n; i++) {
        vdl_split_name_(s->v[i]->name, &path, &name);
        v23_buf_puts(out, "\ntype ");
        vdl_print_name(path, name, out);
        v23_buf_put_byte(out, ' ');
        rc = vdl_print_base_type(s->v[i], out);
        v23_buf_put_byte(out, '\n');
    }
    if (rc == 0)
        rc = out->err;
    if (rc != 0)
        out->n = start;
    return rc;
}

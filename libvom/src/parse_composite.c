/* BSD-3-Clause; see LICENSE. */
/* Composite literals (spec/vdl.md 7.5) and the braces in the text of values. */
#include "print_int.h"

#include "parse_int.h"
#include "value_int.h"

/* Largest list that indices may make, in bytes. */
#define INDEXED_MAX (1u << 20)

/* ---- arrays, lists, sets, maps ------------------------------------------- */

/* Elements while they are read. */
struct seq {
    const struct vdl_type *t;
    uint8_t *v;
    uint32_t n; /* elements, with gaps */
    uint32_t cap;
    uint32_t at; /* where the next one goes */
    uint32_t size;
    uint8_t *used; /* for each element; NULL: there are no gaps yet */
};

static int fit(struct parser *p, struct seq *s)
{
    uint64_t cap = s->cap == 0 ? 4 : s->cap;
    uint8_t *v, *used;

    if (s->at < s->cap)
        return 0;
    if (s->t->kind == VDL_ARRAY)
        return vdl_parse_fail_(
            p, "index %lu out of range", (unsigned long)s->at);
    while (cap <= s->at)
        cap *= 2;
    if (cap > UINT32_MAX)
        return V23_ENOMEM;
    v = v23_arena_get0(p->a, (size_t)cap, s->size, 16);
    if (v == NULL)
        return V23_ENOMEM;
    if (s->n != 0)
        memcpy(v, s->v, (size_t)s->n * s->size);
    s->v = v;
    if (s->used != NULL) {
        used = v23_arena_get0(p->a, (size_t)cap, 1, 1);
        if (used == NULL)
            return V23_ENOMEM;
        memcpy(used, s->used, s->n);
        s->used = used;
    }
    s->cap = (uint32_t)cap;
    return 0;
}

/* "N:" in front of an element of a list or array. */
static int index_key(struct parser *p, struct seq *s)
{
    uint32_t index;
    size_t start, end;
    char c = vdl_parse_peek_(p);
    int rc;

    if (p->canonical || c < '0' || c > '9')
        return 0;
    start = p->at;
    while (p->at < p->text.n && vdl_parse_is_word_(p->text.p[p->at]))
        p->at++;
    end = p->at;
    c = vdl_parse_peek_(p);
    p->at = start;
    if (c != ':')
        return 0;
    rc = vdl_parse_number_(p, &vdl_uint32_desc, &index);
    if (rc == 0 && p->at != end)
        rc = vdl_parse_expect_(p, ':');
    if (rc != 0)
        return rc;
    if (s->t->kind == VDL_ARRAY ? index >= s->t->count
                                : index >= INDEXED_MAX / s->size)
        return vdl_parse_fail_at_(
            p, start, "index %lu out of range", (unsigned long)index);
    if (s->used == NULL) {
        s->used = v23_arena_get0(p->a, (size_t)s->cap + 1, 1, 1);
        if (s->used == NULL)
            return V23_ENOMEM;
        memset(s->used, 1, s->n);
    }
    s->at = index;
    return vdl_parse_expect_(p, ':');
}

static int element(struct parser *p, struct seq *s)
{
    const struct vdl_type *t = s->t;
    size_t start;
    uint8_t *to;
    int rc = 0;

    vdl_parse_peek_(p);
    start = p->at;
    if (t->key == NULL)
        rc = index_key(p, s);
    if (rc == 0)
        rc = fit(p, s);
    if (rc != 0)
        return rc;
    if (s->used != NULL && s->used[s->at] != 0)
        return vdl_parse_fail_at_(
            p, start, "duplicate index %lu", (unsigned long)s->at);
    to = s->v + (size_t)s->at * s->size;
    rc = vdl_parse_implied_(p, t->key == NULL ? t->elem : t->key, to);
    if (rc == 0 && t->kind == VDL_MAP) {
        rc = vdl_parse_expect_(p, ':');
        if (rc == 0)
            rc = vdl_parse_implied_(p, t->elem, to + t->val_off);
    }
    if (s->used != NULL)
        s->used[s->at] = 1;
    s->at++;
    if (s->n < s->at)
        s->n = s->at;
    return rc;
}

/* Sorted by their text, equal keys are neighbours. */
static int unique_keys(struct parser *p, const struct vdl_type *t,
    struct vdl_list l, size_t start)
{
    const struct vdl_type *key = t->key;
    struct v23_arena a;
    uint32_t i;
    int rc;

    if (l.n < 2)
        return 0;
    v23_arena_init(&a, p->a->al, SIZE_MAX);
    rc = vdl_sort_by_text_(&a, t, &l);
    for (i = 1; rc == 0 && i < l.n; i++)
        if (vdl_equal(key, vdl_at_(l.v, (size_t)(i - 1) * t->stride),
                vdl_at_(l.v, (size_t)i * t->stride)))
            rc = vdl_parse_fail_at_(p, start, "duplicate key");
    v23_arena_fini(&a);
    return rc;
}

static int sequence(struct parser *p, const struct vdl_type *t, void *out)
{
    struct vdl_list *list = out;
    struct seq s = {0};
    size_t start = p->at;
    int rc = vdl_parse_expect_(p, '{');

    s.t = t;
    s.size = t->stride;
    if (t->kind == VDL_ARRAY) {
        s.size = t->elem->size;
        s.cap = t->count;
        s.v = out;
    }
    while (rc == 0 && !vdl_parse_take_(p, '}')) {
        rc = element(p, &s);
        if (rc == 0 && vdl_parse_peek_(p) != '}')
            rc = vdl_parse_expect_(p, ',');
    }
    if (rc != 0 || t->kind == VDL_ARRAY)
        return rc;
    list->v = s.v;
    list->n = s.n;
    return t->key == NULL ? 0 : unique_keys(p, t, *list, start);
}

/* ---- structs and unions -------------------------------------------------- */

enum { NO_FIELD = -1, UNKNOWN_FIELD = -2 };

/* The field's name stands there, and a ':' behind it; p->at is moved. */
static bool is_field(struct parser *p, size_t start, struct vdl_str name)
{
    if (name.n > p->text.n - start ||
        memcmp(name.p, p->text.p + start, name.n) != 0)
        return false;
    p->at = start + name.n;
    return vdl_parse_peek_(p) == ':';
}

/*
 * "Name:" of a field, which is taken: its index. Names from the wire need not
 * be identifiers; the longest that fits is meant. `hint`: where it is if the
 * fields come in order.
 */
static int field_key(struct parser *p, const struct vdl_type *t, uint32_t hint)
{
    struct vdl_str name;
    size_t start, best = 0;
    int found = NO_FIELD;
    uint32_t i;

    vdl_parse_peek_(p);
    start = p->at;
    name = vdl_parse_ident_(p);
    if (name.n != 0 && hint < t->count &&
        vdl_str_eq(name, t->fields[hint].name) && vdl_parse_take_(p, ':'))
        return (int)hint;
    p->at = start;
    if (p->at < p->text.n && p->text.p[p->at] == '{')
        return NO_FIELD;
    for (i = 0; i < t->count; i++) {
        name = t->fields[i].name;
        if (name.n > best && is_field(p, start, name)) {
            best = name.n;
            found = (int)i;
        }
    }
    p->at = start + best;
    if (found == NO_FIELD && vdl_parse_ident_(p).n != 0 &&
        vdl_parse_peek_(p) == ':')
        found = UNKNOWN_FIELD;
    if (found < 0)
        p->at = start;
    else
        (void)vdl_parse_take_(p, ':');
    return found;
}

static int unknown_field(struct parser *p)
{
    size_t at = p->at;
    struct vdl_str name = vdl_parse_ident_(p);

    return vdl_parse_fail_at_(p, at, "unknown field \"%.*s\"",
        name.n > 80 ? 80 : (int)name.n, name.p);
}

/* Which field an entry is for, and that it is the first for it. */
static int struct_field(struct parser *p, const struct vdl_type *t,
    uint64_t *seen, uint32_t n, bool *keyed)
{
    size_t start = p->at;
    int i = field_key(p, t, n);

    if (i == UNKNOWN_FIELD)
        return unknown_field(p);
    if (n == 0)
        *keyed = i >= 0;
    if (*keyed != (i >= 0))
        return vdl_parse_fail_at_(p, start, "mixed key:value and value");
    if (!*keyed)
        i = n > INT32_MAX ? INT32_MAX : (int)n;
    if ((uint32_t)i >= t->count)
        return vdl_parse_fail_at_(p, start, "too many fields");
    if ((seen[i / 64] >> i % 64 & 1) != 0)
        return vdl_parse_fail_at_(p, start, "duplicate field \"%.*s\"",
            (int)t->fields[i].name.n, t->fields[i].name.p);
    seen[i / 64] |= (uint64_t)1 << i % 64;
    return i;
}

static int struct_literal(struct parser *p, const struct vdl_type *t, void *out)
{
    size_t start = p->at;
    uint64_t few = 0, *seen = &few;
    bool keyed = false;
    uint32_t n = 0;
    int rc = vdl_parse_expect_(p, '{'), i;

    if (t->count > 64) {
        seen = v23_arena_get0(
            p->a, t->count / 64 + 1, sizeof(*seen), V23_ALIGNOF(uint64_t));
        if (seen == NULL)
            return V23_ENOMEM;
    }
    for (; rc == 0 && !vdl_parse_take_(p, '}'); n++) {
        vdl_parse_peek_(p);
        i = struct_field(p, t, seen, n, &keyed);
        if (i < 0)
            return i;
        rc = vdl_parse_implied_(
            p, t->fields[i].type, vdl_at_mut_(out, t->fields[i].offset));
        if (rc == 0 && vdl_parse_peek_(p) != '}')
            rc = vdl_parse_expect_(p, ',');
    }
    if (rc == 0 && n != 0 && !keyed && n != t->count)
        return vdl_parse_fail_at_(p, start, "too few fields");
    return rc;
}

static int union_literal(struct parser *p, const struct vdl_type *t, void *out)
{
    size_t start = p->at;
    int rc = vdl_parse_expect_(p, '{'), i;

    if (rc != 0 || vdl_parse_take_(p, '}'))
        return rc;
    i = field_key(p, t, t->count);
    if (i == UNKNOWN_FIELD)
        return unknown_field(p);
    if (i < 0)
        return vdl_parse_fail_(p, "must have explicit key and value");
    vdl_set_which(t, out, (uint32_t)i);
    rc = vdl_parse_implied_(
        p, t->fields[i].type, vdl_at_mut_(out, t->fields[i].offset));
    if (rc == 0)
        (void)vdl_parse_take_(p, ',');
    if (rc == 0 && !vdl_parse_take_(p, '}'))
        rc = vdl_parse_fail_at_(p, start, "must have a single entry");
    return rc;
}

int vdl_parse_composite_(struct parser *p, const struct vdl_type *t, void *out)
{
    if (vdl_parse_peek_(p) != '{')
        return vdl_parse_mismatch_(p, t);
    if (t->kind == VDL_STRUCT)
        return struct_literal(p, t, out);
    if (t->kind == VDL_UNION)
        return union_literal(p, t, out);
    return sequence(p, t, out);
}

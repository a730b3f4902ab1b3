/* BSD-3-Clause; see LICENSE. */
/*
 * Fuzz target of permissions in JSON. What is read is written in normal form,
 * which is read again as the same.
 */
#include <vsec/acl.h>

#include "fuzz.h"

static void write_json(
    const v23_access_permissions *p, bool is_nil, struct v23_buf *b)
{
    v23_buf_init(b, NULL, 64u << 20);
    check(vsec_perms_to_json(is_nil ? NULL : p, b) == 0);
}

static bool same(const struct v23_buf *a, const struct v23_buf *b)
{
    return a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
}

/* Lists answer for the names that they hold. */
static void ask(const v23_access_permissions *p)
{
    const v23_access_access_list *l;
    vdl_str_list names;
    uint32_t i;

    for (i = 0; i < p->n; i++) {
        l = vsec_perms_find(p, p->v[i].key);
        check(l != NULL);
        names.v = l->not_in.v;
        names.n = l->not_in.n;
        (void)vsec_acl_includes(l, names);
        names.v = l->in.v;
        names.n = l->in.n;
        (void)vsec_acl_includes(l, names);
    }
}

static void again(const v23_access_permissions *p, bool is_nil)
{
    v23_access_permissions normal, back;
    struct v23_buf first, second, third;
    struct v23_arena a;
    bool nil;

    v23_arena_init(&a, NULL, 64u << 20);
    check(vsec_perms_normalize(p, &a, &normal) == 0);
    write_json(p, is_nil, &first);
    write_json(&normal, is_nil, &second);
    check(same(&first, &second));
    check(vsec_perms_from_json(
              v23_bytes(first.p, first.n), &a, &back, &nil) == 0);
    check(nil == is_nil && back.n == normal.n);
    write_json(&back, nil, &third);
    check(same(&first, &third));
    v23_buf_fini(&first);
    v23_buf_fini(&second);
    v23_buf_fini(&third);
    v23_arena_fini(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    v23_access_permissions perms;
    struct v23_arena a;
    bool is_nil;

    v23_arena_init(&a, NULL, 64u << 20);
    if (vsec_perms_from_json(v23_bytes(p, n), &a, &perms, &is_nil) == 0) {
        ask(&perms);
        again(&perms, is_nil);
    }
    v23_arena_fini(&a);
    return 0;
}

/* BSD-3-Clause; see LICENSE. */
/*
 * Access lists and permissions (spec 11). Lists are short; everything is a
 * plain walk, and only what makes a new value allocates.
 */
#include <vsec/acl.h>

#include <stdlib.h>

#include <vsec/pattern.h>
#include <vsec/principal.h>

/* ---- one list ------------------------------------------------------------ */

static bool excluded(const v23_access_access_list *acl, struct vdl_str name)
{
    uint32_t i;

    for (i = 0; i < acl->not_in.n; i++)
        if (vsec_pattern_matches(acl->not_in.v[i], name))
            return true;
    return false;
}

bool vsec_acl_includes(const v23_access_access_list *acl, vdl_str_list names)
{
    uint32_t i, j;

    for (i = 0; i < acl->in.n; i++)
        if (vdl_str_is(acl->in.v[i], VSEC_ALL_PRINCIPALS))
            return true;
    for (j = 0; j < names.n; j++) {
        if (excluded(acl, names.v[j]))
            continue;
        for (i = 0; i < acl->in.n; i++)
            if (vsec_pattern_matches(acl->in.v[i], names.v[j]))
                return true;
    }
    return false;
}

static bool is_exact(struct vdl_str pattern)
{
    return pattern.n >= 2 && memcmp(pattern.p + pattern.n - 2, ":$", 2) == 0;
}

/* Does some root vouch for names that the pattern can match? */
static bool has_root(const struct vsec_principal *p, struct vdl_str pattern)
{
    const struct vsec_root *roots;
    struct vdl_str body = pattern, root;
    size_t n, i, j;

    if (vdl_str_is(pattern, VSEC_NO_EXTENSION))
        return true;
    if (is_exact(pattern))
        body.n -= 2;
    roots = vsec_roots_all(p->roots, &n);
    for (i = 0; i < n; i++)
        for (j = 0; j < roots[i].npatterns; j++) {
            root = roots[i].patterns[j];
            if (vdl_str_is(root, VSEC_NO_EXTENSION)
                || (is_exact(root) && !is_exact(pattern)))
                continue;
            if (vsec_pattern_matches(root, body))
                return true;
        }
    return false;
}

int vsec_acl_enforceable(const v23_access_access_list *acl,
    struct vsec_principal *p, struct v23_arena *a,
    const struct v23_verror **err)
{
    const struct v23_verror *unused;
    v23_security_blessing_pattern_list bad;
    struct vdl_str *v;
    uint32_t i, n = 0;

    if (err == NULL)
        err = &unused;
    if (acl->in.n == 1 && acl->not_in.n == 0
        && vdl_str_is(acl->in.v[0], VSEC_ALL_PRINCIPALS))
        return 0;
    v = v23_arena_get0(a, acl->in.n, sizeof(*v), V23_ALIGNOF(struct vdl_str));
    if (v == NULL)
        return V23_ENOMEM;
    for (i = 0; i < acl->in.n; i++) {
        if (vdl_str_is(acl->in.v[i], VSEC_ALL_PRINCIPALS)) {
            *err = v23_access_err_invalid_open_access_list(a, NULL);
            return V23_EDENIED;
        }
        if (!vsec_pattern_valid(acl->in.v[i]) || !has_root(p, acl->in.v[i]))
            v[n++] = acl->in.v[i];
    }
    if (n == 0)
        return 0;
    bad.v = v;
    bad.n = n;
    *err = v23_access_err_unenforceable_patterns(a, NULL, bad);
    return V23_EDENIED;
}

static int allow_listed(void *ud, const struct vsec_call *call,
    struct v23_arena *a, const struct vsec_auth_wait *wait,
    const struct v23_verror **err)
{
    const v23_access_access_list *acl = ud;

    (void)wait;
    if (vsec_acl_includes(acl, call->names->remote))
        return 0;
    *err = v23_access_err_access_list_match(a, NULL, call->names->remote,
        call->names->rejected);
    return V23_EDENIED;
}

struct vsec_authorizer vsec_auth_acl(const v23_access_access_list *acl)
{
    struct vsec_authorizer auth;

    auth.authorize = allow_listed;
    auth.cancel = NULL;
    auth.ud = (void *)(uintptr_t)acl;
    return auth;
}

/* ---- permissions --------------------------------------------------------- */

const v23_access_access_list *vsec_perms_find(const v23_access_permissions *p,
    struct vdl_str tag)
{
    uint32_t i;

    /* A key that a peer sent twice has the value sent last. */
    for (i = p->n; i-- > 0;)
        if (vdl_str_eq(p->v[i].key, tag))
            return &p->v[i].val;
    return NULL;
}

static int str_cmp(const void *a, const void *b)
{
    return vdl_str_cmp(*(const struct vdl_str *)a,
        *(const struct vdl_str *)b);
}

/* Sorted copy without duplicates. */
static int sorted(const struct vdl_str *v, uint32_t n, struct v23_arena *a,
    const struct vdl_str **out, uint32_t *count)
{
    struct vdl_str *copy;
    uint32_t i, k = 0;

    *out = NULL;
    *count = 0;
    if (n == 0)
        return 0;
    copy = v23_arena_get0(a, n, sizeof(*copy), V23_ALIGNOF(struct vdl_str));
    if (copy == NULL)
        return V23_ENOMEM;
    memcpy(copy, v, n * sizeof(*copy));
    qsort(copy, n, sizeof(*copy), str_cmp);
    for (i = 0; i < n; i++)
        if (k == 0 || !vdl_str_eq(copy[k - 1], copy[i]))
            copy[k++] = copy[i];
    *out = copy;
    *count = k;
    return 0;
}

static int entry_cmp(const void *a, const void *b)
{
    const v23_access_permissions_entry *x = a, *y = b;

    return vdl_str_cmp(x->key, y->key);
}

int vsec_perms_normalize(const v23_access_permissions *p, struct v23_arena *a,
    v23_access_permissions *out)
{
    v23_access_permissions_entry *v;
    const v23_access_access_list *l;
    uint32_t i, n = 0;
    int rc;

    v = v23_arena_get0(a, p->n, sizeof(*v),
        V23_ALIGNOF(v23_access_permissions_entry));
    if (v == NULL)
        return V23_ENOMEM;
    for (i = 0; i < p->n; i++) {
        l = vsec_perms_find(p, p->v[i].key);
        if (l != &p->v[i].val)
            continue; /* replaced by a later one */
        v[n].key = p->v[i].key;
        rc = sorted(l->in.v, l->in.n, a, &v[n].val.in.v, &v[n].val.in.n);
        if (rc == 0)
            rc = sorted(l->not_in.v, l->not_in.n, a, &v[n].val.not_in.v,
                &v[n].val.not_in.n);
        if (rc != 0)
            return rc;
        n++;
    }
    if (n > 1)
        qsort(v, n, sizeof(*v), entry_cmp);
    out->v = v;
    out->n = n;
    return 0;
}

int vsec_perms_typical(vdl_str_list in, struct v23_arena *a,
    v23_access_permissions *out)
{
    static const struct vdl_str tags[] = { VDL_STR_INIT("Admin"),
        VDL_STR_INIT("Read"), VDL_STR_INIT("Write"), VDL_STR_INIT("Debug"),
        VDL_STR_INIT("Resolve") };
    enum { NTAGS = sizeof(tags) / sizeof(tags[0]) };
    v23_access_permissions_entry *v;
    int i;

    v = v23_arena_get0(a, NTAGS, sizeof(*v),
        V23_ALIGNOF(v23_access_permissions_entry));
    if (v == NULL)
        return V23_ENOMEM;
    for (i = 0; i < NTAGS; i++) {
        v[i].key = tags[i];
        v[i].val.in.v = in.v;
        v[i].val.in.n = in.n;
    }
    out->v = v;
    out->n = NTAGS;
    return 0;
}

/* ---- the authorizer ------------------------------------------------------ */

/* Text of a type for an error; empty when memory is short. */
static struct vdl_str type_text(const struct vdl_type *t, struct v23_arena *a)
{
    struct vdl_str s = { NULL, 0 };
    struct v23_buf b;
    char *p;

    v23_buf_init(&b, a->al, 4096);
    if (vdl_type_format(t, 4096, &b) == 0) {
        p = v23_arena_dup(a, b.p, b.n);
        if (p != NULL)
            s = vdl_strn(p, b.n);
    }
    v23_buf_fini(&b);
    return s;
}

static int allow_tagged(void *ud, const struct vsec_call *call,
    struct v23_arena *a, const struct vsec_auth_wait *wait,
    const struct v23_verror **err)
{
    const struct vsec_auth_perms *p = ud;
    const struct vdl_type *type = p->tag != NULL ? p->tag
                                                 : &v23_access_tag_desc;
    const v23_access_access_list *acl;
    const struct vdl_any *tag;
    struct vdl_str text;
    bool found = false;
    uint32_t i;

    (void)wait;
    for (i = 0; i < call->method_tags.n; i++) {
        tag = &call->method_tags.v[i];
        if (tag->type == NULL || !vdl_type_equal(tag->type, type))
            continue;
        if (found) {
            *err = v23_access_err_multiple_tags(a, NULL, call->suffix,
                call->method, type_text(type, a));
            return V23_EDENIED;
        }
        found = true;
        text = *(const struct vdl_str *)tag->val;
        acl = vsec_perms_find(p->perms, text);
        if (acl == NULL || !vsec_acl_includes(acl, call->names->remote)) {
            *err = v23_access_err_no_permissions(a, NULL,
                call->names->remote, call->names->rejected, text);
            return V23_EDENIED;
        }
    }
    if (found)
        return 0;
    *err = v23_access_err_no_tags(a, NULL, call->suffix, call->method,
        type_text(type, a));
    return V23_EDENIED;
}

struct vsec_authorizer vsec_auth_perms(const struct vsec_auth_perms *p)
{
    struct vsec_authorizer auth;

    auth.authorize = allow_tagged;
    auth.cancel = NULL;
    auth.ud = (void *)(uintptr_t)p;
    return auth;
}

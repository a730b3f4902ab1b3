/* BSD-3-Clause; see LICENSE. */
/*
 * Permissions of nodes: reading and replacing them, and what of them outlives
 * the process (spec/naming.md 8.1, 8.3). The table does no I/O: it tells a
 * callback what changed and takes back what was kept.
 */
#include <vname/mounttable.h>

#include "table_int.h"

static const struct vdl_str empty;

/* Decimal 32-bit version; empty or negative = unconditional. */
static bool version_ok(struct vdl_str text, int32_t have)
{
    int64_t v = 0;
    bool negative = false;
    uint32_t i = 0;

    if (text.n == 0)
        return true;
    if (text.p[0] == '+' || text.p[0] == '-') {
        negative = text.p[0] == '-';
        i = 1;
    }
    if (i == text.n)
        return false;
    for (; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        v = v * 10 + (text.p[i] - '0');
        if (v > INT64_C(2147483648))
            return false;
    }
    if (negative)
        return true;
    return v <= INT32_MAX && v == have;
}

/* This name alone is an admin by a list (which may be missing). */
static bool is_admin(const v23_access_access_list *admins,
    const struct vdl_str *name)
{
    v23_access_permissions_entry e;
    struct perms p = { 0 };
    vdl_str_list one;

    if (admins == NULL)
        return false;
    memset(&e, 0, sizeof(e));
    e.key = vdl_str("Admin");
    e.val = *admins;
    p.map.v = &e;
    p.map.n = 1;
    one.v = name;
    one.n = 1;
    return vname_perms_allow_(&p, TAG_ADMIN, one);
}

/* Admins to add so that the caller does not lock everybody out. */
static int keep_admins(struct vname_table *t, const struct vname_caller *c,
    const struct node *n, struct perms **perms)
{
    const v23_access_access_list *old = NULL;
    vdl_str_list names = { NULL, 0 };
    struct perms *wide;
    struct vdl_str *v;
    uint32_t i;
    int rc;

    if (vname_perms_allow_(*perms, TAG_ADMIN, c->names) || c->names.n == 0)
        return 0;
    v = v23_arena_get0(c->arena, c->names.n, sizeof(*v),
        _Alignof(struct vdl_str));
    if (v == NULL)
        return V23_ENOMEM;
    if (n->perms != NULL)
        old = vname_perms_find_(&n->perms->map, "Admin");
    for (i = 0; i < c->names.n; i++)
        if (n->perms == NULL || is_admin(old, &c->names.v[i]))
            v[names.n++] = c->names.v[i];
    names.v = v;
    rc = vname_perms_add_admins_(t, *perms, names, &wide);
    if (rc != 0)
        return rc;
    vname_perms_unref_(*perms);
    *perms = wide;
    return 0;
}

/* The text survives JSON unchanged. */
static bool is_plain(struct vdl_str s)
{
    size_t i = 0, len;

    while (i < s.n) {
        len = v23_utf8_next(s.p + i, s.n - i, NULL);
        if (len == 0 || s.p[i] == 0)
            return false;
        i += len;
    }
    return true;
}

static bool are_plain(const struct vdl_str *v, uint32_t n, size_t *size)
{
    uint32_t i;

    for (i = 0; i < n; i++) {
        *size += v[i].n + sizeof("\"\",") - 1;
        if (!is_plain(v[i]))
            return false;
    }
    return true;
}

/* Refuse what could not be kept, or is larger than anybody needs. */
static const struct v23_verror *check(const struct vname_table *t,
    const struct vname_caller *c, struct vdl_str name,
    const v23_access_permissions *perms)
{
    bool plain = is_plain(name);
    size_t size = 0;
    uint32_t i;

    for (i = 0; i < perms->n; i++) {
        const v23_access_permissions_entry *e = &perms->v[i];

        plain = are_plain(&e->key, 1, &size)
            && are_plain(e->val.in.v, e->val.in.n, &size)
            && are_plain(e->val.not_in.v, e->val.not_in.n, &size) && plain;
    }
    if (size > VNAME_MAX_PERMISSIONS)
        return vname_err_text_(c, "permissions are too large (max is %d)",
            VNAME_MAX_PERMISSIONS);
    if (!plain && t->on_change != NULL)
        return vname_err_text_(c,
            "neither name nor permissions may have NULs or invalid UTF-8");
    return NULL;
}

static void tell(const struct vname_table *t, struct vdl_str name,
    const struct node *n)
{
    struct vname_change ch = { 0 };

    if (t->on_change == NULL)
        return;
    ch.name = name;
    if (n != NULL) {
        ch.perms = &n->perms->map;
        ch.version = n->version;
        if (n->creator != NULL)
            ch.creator = n->creator->id;
    }
    t->on_change(t->on_change_ud, &ch);
}

const struct v23_verror *vname_table_set_permissions(struct vname_table *t,
    const struct vname_caller *c, struct vdl_str name,
    const v23_access_permissions *perms, struct vdl_str version)
{
    const struct v23_verror *err;
    struct perms *fresh = NULL;
    struct node *n;
    struct path p;

    if ((err = vname_split_(c, name, true, &p)) != NULL
        || (err = check(t, c, name, perms)) != NULL
        || (err = vname_find_(t, c, p, true, TAGS_SET, 0, &n)) != NULL)
        return err;
    if (n == NULL)
        return vname_err_no_name_(c, name);
    if (vname_perms_new_(t, perms, &fresh) != 0
        || keep_admins(t, c, n, &fresh) != 0) {
        vname_perms_unref_(fresh);
        return vname_err_no_memory_(c);
    }
    if (!version_ok(version, n->perms == NULL ? 0 : n->version)) {
        vname_perms_unref_(fresh);
        return v23_verror_text(c->arena, c->ctx,
            vdl_str("v.io/v23/verror.BadVersion"), V23_NO_RETRY,
            "version is out of date");
    }
    vname_node_set_(n, fresh);
    tell(t, name, n);
    return NULL;
}

const struct v23_verror *vname_table_get_permissions(struct vname_table *t,
    const struct vname_caller *c, struct vdl_str name,
    v23_access_permissions *perms, struct vdl_str *version)
{
    const struct v23_verror *err;
    char text[16];
    struct v23_buf b;
    struct node *n;
    struct path p;

    if ((err = vname_split_(c, name, false, &p)) != NULL
        || (err = vname_find_(t, c, p, false, TAGS_GET, 0, &n)) != NULL)
        return err;
    if (n == NULL)
        return vname_err_no_name_(c, name);
    memset(perms, 0, sizeof(*perms));
    *version = empty;
    if (n->perms == NULL)
        return NULL;
    v23_buf_init_fixed(&b, text, sizeof(text));
    v23_buf_printf(&b, "%d", (int)n->version);
    version->p = v23_arena_dup(c->arena, text, b.n);
    if (version->p == NULL
        || v23_access_permissions_copy(c->arena, perms, &n->perms->map) != 0)
        return vname_err_no_memory_(c);
    version->n = (uint32_t)b.n;
    return NULL;
}

/* ---- what outlives the process ------------------------------------------- */

void vname_table_on_change(struct vname_table *t, vname_change_fn *fn,
    void *ud)
{
    t->on_change = fn;
    t->on_change_ud = ud;
}

void vname_table_deleted_(const struct vname_table *t, struct vdl_str name)
{
    tell(t, name, NULL);
}

static bool fits(struct path p)
{
    size_t i;

    if (p.n > VNAME_MAX_DEPTH)
        return false;
    for (i = 0; i < p.n; i++)
        if (p.v[i].n > VNAME_MAX_ELEMENT)
            return false;
    return true;
}

static void restore_delete(struct vname_table *t, struct path p)
{
    struct node *n = t->root;
    size_t i;

    for (i = 0; i < p.n && n != NULL; i++)
        n = vname_child_(t, n, p.v[i]);
    if (n != NULL && n != t->root)
        vname_node_delete_(t, n);
}

int vname_table_restore(struct vname_table *t, const struct vname_change *ch)
{
    struct v23_arena_mark m = v23_arena_mark(&t->scratch);
    struct perms *perms = NULL;
    struct node *n;
    struct path p;
    int rc;

    rc = vname_path_split_(&t->scratch, ch->name, &p);
    if (rc != 0)
        goto out;
    if (!fits(p) || ch->version < 0) {
        rc = V23_EARG;
    } else if (ch->perms == NULL) {
        restore_delete(t, p);
    } else {
        n = vname_node_make_(t, p, ch->creator);
        rc = n == NULL ? V23_ENOMEM
                       : vname_perms_keep_(t, ch->perms, &perms);
        if (rc == 0) {
            vname_node_set_(n, perms);
            n->version = ch->version;
        }
    }
out:
    v23_arena_rewind(&t->scratch, m);
    return rc;
}

int vname_table_each_kept(const struct vname_table *t,
    int (*fn)(void *ud, const struct vname_change *ch), void *ud)
{
    const struct node *n = t->root;
    struct vname_change ch;
    struct v23_buf name;
    int rc = 0;

    v23_buf_init(&name, t->al, SIZE_MAX);
    while (n != NULL && rc == 0) {
        if (n->explicit) {
            memset(&ch, 0, sizeof(ch));
            ch.name = vdl_strn((const char *)name.p, name.n);
            ch.perms = &n->perms->map;
            ch.version = n->version;
            if (n->creator != NULL)
                ch.creator = n->creator->id;
            rc = fn(ud, &ch);
        }
        n = vname_next_node_(n, &name);
        if (rc == 0)
            rc = name.err;
    }
    v23_buf_fini(&name);
    return rc;
}

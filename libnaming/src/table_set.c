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
    const struct perms *before, struct perms **perms)
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
    if (before != NULL)
        old = vname_perms_find_(&before->map, "Admin");
    for (i = 0; i < c->names.n; i++)
        if (before == NULL || is_admin(old, &c->names.v[i]))
            v[names.n++] = c->names.v[i];
    names.v = v;
    rc = vname_perms_add_admins_(t, *perms, names, &wide);
    if (rc != 0)
        return rc;
    vname_perms_unref_(*perms);
    *perms = wide;
    return 0;
}

bool vname_is_plain_(struct vdl_str s)
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
        if (!vname_is_plain_(v[i]))
            return false;
    }
    return true;
}

/* Refuse what could not be kept, or is larger than anybody needs. */
static const struct v23_verror *check(const struct vname_table *t,
    const struct vname_caller *c, struct vdl_str name,
    const v23_access_permissions *perms)
{
    bool plain = vname_is_plain_(name);
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
    if (!plain && t->store != NULL)
        return vname_err_text_(c,
            "neither name nor permissions may have NULs or invalid UTF-8");
    return NULL;
}

int vname_table_tell_(const struct vname_table *t,
    const struct vname_change *ch)
{
    const struct v23_op none = { 0, 0 };

    return t->store == NULL
        ? 0
        : t->store->commit(t->store->ud, none, ch, 1);
}

/* The permissions that a write was to set are there: an earlier attempt, whose
 * outcome was not known, has come through. */
static bool has_been_set(const struct vname_write *w, const struct node *n,
    const struct perms *fresh)
{
    char text[16];
    struct v23_buf b;

    if (!w->unsure || n->perms != fresh || !n->explicit)
        return false;
    v23_buf_init_fixed(&b, text, sizeof(text));
    v23_buf_printf(&b, "%d", n->version == 0 ? INT32_MAX : n->version - 1);
    return vdl_str_eq(w->version, vdl_strn(text, b.n));
}

static const struct v23_verror *set_now(struct vname_table *t,
    const struct vname_write *w, struct changes *ch)
{
    struct vname_change change = { .kind = VNAME_KEEP, .name = w->name };
    struct node *n = vname_spot_make_(t, &ch->s, 0);
    int rc;

    if (n == NULL)
        return vname_err_no_memory_(&w->c);
    change.perms = &ch->fresh->map;
    change.version = vname_next_version_(n);
    change.set = true;
    if (n->creator != NULL)
        change.creator = n->creator->id;
    rc = vname_table_tell_(t, &change);
    if (rc != 0)
        return vname_write_failed_(&w->c, rc);
    vname_node_set_(n, vname_perms_ref_(ch->fresh));
    return NULL;
}

static const struct v23_verror *plan_set(struct vname_table *t,
    const struct vname_write *w, struct changes *ch)
{
    const struct v23_verror *err = vname_changes_path_(t, &w->c, ch);
    struct vname_change *last = &ch->v[ch->n - 1];

    if (err != NULL)
        return err;
    if (vname_changes_keep_(&w->c, ch) == NULL)
        return vname_err_no_memory_(&w->c);
    last->version = last->perms == NULL   ? 1
        : last->version == INT32_MAX ? 0
                                     : last->version + 1;
    last->perms = &ch->fresh->map;
    last->set = true;
    return NULL;
}

const struct v23_verror *vname_do_set_(struct vname_table *t,
    const struct vname_write *w, struct changes *ch)
{
    const struct vname_caller *c = &w->c;
    const struct v23_verror *err;
    struct perms *before;
    int32_t version;

    if ((err = vname_split_(c, w->name, true, &ch->s.p)) != NULL
        || (err = check(t, c, w->name, w->perms)) != NULL
        || (err = vname_write_find_(t, w, ch, true, TAGS_SET, 0)) != NULL)
        return err;
    if (ch->s.below)
        return vname_err_no_name_(c, w->name);
    before = vname_spot_perms_(&ch->s);
    version = ch->s.made != 0 ? ch->s.version : ch->s.n->version;
    if (vname_perms_new_(t, w->perms, &ch->fresh) != 0
        || keep_admins(t, c, before, &ch->fresh) != 0)
        return vname_err_no_memory_(c);
    if (!version_ok(w->version, before == NULL ? 0 : version)) {
        if (ch->whole && ch->s.made == 0
            && has_been_set(w, ch->s.n, ch->fresh))
            return vname_changes_path_(t, c, ch);
        if (!ch->whole)
            (void)vname_spot_make_(t, &ch->s, 0);
        return v23_verror_text(c->arena, c->ctx,
            vdl_str("v.io/v23/verror.BadVersion"), V23_NO_RETRY,
            "version is out of date");
    }
    return ch->whole ? plan_set(t, w, ch) : set_now(t, w, ch);
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
        || (err = vname_find_(t, c, p, TAGS_GET, &n)) != NULL)
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

void vname_table_set_store(struct vname_table *t, const struct vname_store *s)
{
    t->store = s;
}

bool vname_path_fits_(struct path p, bool empty_ones)
{
    size_t i;

    if (p.n > VNAME_MAX_DEPTH)
        return false;
    for (i = 0; i < p.n; i++)
        if (p.v[i].n > VNAME_MAX_ELEMENT || (p.v[i].n == 0 && !empty_ones))
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
    if (!vname_path_fits_(p, true) || ch->version < 0
        || (ch->kind == VNAME_KEEP && ch->perms == NULL)) {
        rc = V23_EARG;
    } else if (ch->kind != VNAME_KEEP) {
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

static int report(const struct node *n, const struct v23_buf *name,
    int (*fn)(void *ud, const struct vname_change *ch), void *ud)
{
    struct vname_change ch = { .kind = VNAME_KEEP };

    if (name->err != 0)
        return name->err;
    ch.name = vdl_strn((const char *)name->p, name->n);
    ch.perms = &n->perms->map;
    ch.version = n->version;
    ch.set = true;
    if (n->creator != NULL)
        ch.creator = n->creator->id;
    return fn(ud, &ch);
}

int vname_table_each_kept(const struct vname_table *t,
    int (*fn)(void *ud, const struct vname_change *ch), void *ud)
{
    const struct node *n = t->root;
    struct v23_buf name;
    int rc = 0;

    v23_buf_init(&name, t->al, SIZE_MAX);
    while (n != NULL && rc == 0) {
        if (n->explicit)
            rc = report(n, &name, fn, ud);
        n = vname_next_node_(n, &name);
    }
    v23_buf_fini(&name);
    return rc;
}

void vname_table_kept_begin(struct vname_table *t)
{
    t->kept.at = t->root;
    v23_buf_init(&t->kept.name, t->al, SIZE_MAX);
}

void vname_table_kept_end(struct vname_table *t)
{
    t->kept.at = NULL;
    v23_buf_fini(&t->kept.name);
}

/* New nodes stand before their siblings: what is made in a directory that has
 * had its turn is not met, so nothing seems older than what it inherits. */
int vname_table_kept_next(struct vname_table *t, size_t nodes,
    int (*fn)(void *ud, const struct vname_change *ch), void *ud)
{
    const struct node *n;
    int rc = 0;

    while (rc == 0 && nodes-- != 0 && (n = t->kept.at) != NULL) {
        if (n->explicit)
            rc = report(n, &t->kept.name, fn, ud);
        t->kept.at = vname_next_node_(n, &t->kept.name);
    }
    if (rc >= 0 && t->kept.at != NULL)
        return 1;
    vname_table_kept_end(t);
    return rc < 0 ? rc : 0;
}

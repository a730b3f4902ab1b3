/* BSD-3-Clause; see LICENSE. */
/*
 * The operations of a mount table (spec/naming.md 7.4). Each authorizes as it
 * walks; what it leaves behind on failure (nodes created on the way) is
 * collected when something meets it.
 */
#include <v23/time.h>
#include <vname/mounttable.h>
#include <vrpc/endpoint.h>
#include <vrpc/name.h>

#include "table_int.h"

static const struct vdl_str empty;

const struct v23_verror *vname_find_(struct vname_table *t,
    const struct vname_caller *c, struct path p, int tags, struct node **out)
{
    const struct v23_verror *err;
    struct spot s;

    *out = NULL;
    err = vname_walk_(t, c, p, &s);
    if (err != NULL || s.have != p.n)
        return err;
    if (!vname_satisfies_(t, s.n, tags, c))
        return vname_err_no_access_(c);
    *out = s.n;
    return NULL;
}

const struct v23_verror *vname_split_(const struct vname_caller *c,
    struct vdl_str name, bool bounded, struct path *out)
{
    size_t i;

    if (vname_path_split_(c->arena, name, out) != 0)
        return vname_err_no_memory_(c);
    if (bounded && out->n > VNAME_MAX_DEPTH)
        return vname_err_text_(c, "name has more than %d elements",
            VNAME_MAX_DEPTH);
    for (i = 0; bounded && i < out->n; i++)
        if (out->v[i].n > VNAME_MAX_ELEMENT)
            return vname_err_text_(c,
                "path element %.32s...: too long (max len is %d)",
                out->v[i].p, VNAME_MAX_ELEMENT);
    return NULL;
}

/* ---- mounting ------------------------------------------------------------ */

static const struct v23_verror *check_server(const struct vname_caller *c,
    struct vdl_str server)
{
    struct vdl_str address = server, suffix;
    struct vrpc_endpoint ep;
    int rc = 0;

    if (server.n > VNAME_MAX_SERVER)
        return vname_err_text_(c, "server %.32s...: too long (max len is %d)",
            server.p, VNAME_MAX_SERVER);
    if (vrpc_name_is_rooted(server))
        rc = vrpc_name_split(c->arena, server, &address, &suffix);
    if (rc == 0)
        rc = vrpc_endpoint_parse(c->arena, address, &ep, NULL);
    if (rc == V23_ENOMEM)
        return vname_err_no_memory_(c);
    if (rc != 0)
        return vname_err_text_(c,
            "malformed address %.*s for mounted server %.*s", (int)address.n,
            address.n == 0 ? "" : address.p, (int)server.n,
            server.n == 0 ? "" : server.p);
    return NULL;
}

/* Take the server out of the list, or make a new one; NULL: out of memory. */
static struct server *take_server(struct vname_table *t, struct node *n,
    struct vdl_str name)
{
    struct server **p, *s;

    for (p = &n->servers; (s = *p) != NULL; p = &s->next)
        if (vdl_str_eq(s->name, name)) {
            *p = s->next;
            return s;
        }
    return vname_server_new_(t, n, name);
}

static void drop_oldest(struct vname_table *t, struct node *n)
{
    struct server **p = &n->servers;
    size_t count = 0;

    while (*p != NULL && count++ < VNAME_MAX_SERVERS)
        p = &(*p)->next;
    if (*p != NULL) {
        vname_server_free_(t, n, *p);
        *p = NULL;
    }
}

/* A renewal that adds less than this part of its time to live is no change
 * for a store: who mounts at each of several tables over one writes once. */
#define RENEWAL_PART 16

static int64_t lifetime(const struct vname_write *w)
{
    return (w->ttl == 0 ? VNAME_TTL_FOREVER : w->ttl) * V23_NS_PER_SEC;
}

static bool is_renewed(const struct vname_write *w, const struct node *n)
{
    const struct server *s = n->servers;

    return vdl_str_eq(s->name, w->server)
        && ((w->flags & V23_NAMING_REPLACE) == 0 || s->next == NULL)
        && s->expires_ns
        >= w->c.now_ns + lifetime(w) - lifetime(w) / RENEWAL_PART;
}

static const struct v23_verror *plan_mount(struct vname_table *t,
    const struct vname_write *w, struct changes *ch)
{
    struct node *n = ch->s.made != 0 ? NULL : ch->s.n;
    bool active = n != NULL && vname_is_active_(t, n, w->c.now_ns);
    const struct v23_verror *err = vname_changes_path_(t, &w->c, ch);
    struct vname_change *last = &ch->v[ch->n - 1];
    struct vname_mounted *v, old;
    size_t i, k = 1;

    if (err != NULL || (active && is_renewed(w, n)))
        return err;
    v = vname_changes_keep_(&w->c, ch);
    if (v == NULL)
        return vname_err_no_memory_(&w->c);
    /* Each moves up by one until the place of the same server is free. */
    old = v[0];
    v[0].name = w->server;
    v[0].expires_ns = w->c.now_ns + lifetime(w);
    for (i = 0; i < last->nservers; i++) {
        struct vname_mounted next = v[i + 1];

        if ((w->flags & V23_NAMING_REPLACE) == 0
            && !vdl_str_eq(old.name, w->server) && k < VNAME_MAX_SERVERS)
            v[k++] = old;
        old = next;
    }
    last->nservers = k;
    last->mt = (w->flags & V23_NAMING_MT) != 0;
    last->leaf = (w->flags & V23_NAMING_LEAF) != 0;
    if (n != NULL && !active)
        vname_changes_add_(ch, VNAME_CLEAR);
    return NULL;
}

static const struct v23_verror *mount_now(struct vname_table *t,
    const struct vname_write *w, struct node *n)
{
    struct server *s = n == NULL ? NULL : take_server(t, n, w->server);

    if (s == NULL) {
        if (n != NULL)
            vname_collect_(t, n, w->c.now_ns);
        return vname_err_no_memory_(&w->c);
    }
    while (n->children != NULL)
        vname_node_delete_(t, n->children);
    if ((w->flags & V23_NAMING_REPLACE) != 0)
        vname_servers_clear_(t, n);
    n->mounted = true;
    n->mt = (w->flags & V23_NAMING_MT) != 0;
    n->leaf = (w->flags & V23_NAMING_LEAF) != 0;
    s->expires_ns = w->c.now_ns + lifetime(w);
    s->next = n->servers;
    n->servers = s;
    drop_oldest(t, n);
    return NULL;
}

const struct v23_verror *vname_do_mount_(struct vname_table *t,
    const struct vname_write *w, struct changes *ch)
{
    const struct vname_caller *c = &w->c;
    const struct v23_verror *err;
    struct node *n;

    if ((err = vname_split_(c, w->name, true, &ch->s.p)) != NULL
        || (err = check_server(c, w->server)) != NULL)
        return err;
    if (ch->whole && !vname_is_plain_(w->server))
        return vname_err_text_(c,
            "the server's name may not have NULs or invalid UTF-8");
    err = vname_write_find_(t, w, ch, true, TAGS_MOUNT, 0);
    if (err != NULL)
        return err;
    if (ch->s.below)
        return vname_err_root_name_(c, w->name);
    n = ch->s.made != 0 ? NULL : ch->s.n;
    if (n != NULL && n->mounted
        && n->mt != ((w->flags & V23_NAMING_MT) != 0))
        return vname_err_text_(c, "mount table doesn't match");
    if (n != NULL && n->mounted
        && n->leaf != ((w->flags & V23_NAMING_LEAF) != 0))
        return vname_err_text_(c, "leaf doesn't match");
    if (ch->whole)
        return plan_mount(t, w, ch);
    return mount_now(t, w,
        vname_spot_make_(t, &ch->s,
            w->server.n <= MAX_ROOM ? w->server.n : 0));
}

static const struct v23_verror *plan_unmount(struct vname_table *t,
    const struct vname_write *w, struct changes *ch)
{
    const struct v23_verror *err = vname_changes_path_(t, &w->c, ch);
    const struct node *n = ch->s.n;
    struct vname_change *last = &ch->v[ch->n - 1];
    struct vname_mounted *v;
    size_t i, k = 0;

    if (err != NULL || !vname_spot_found_(&ch->s) || !n->mounted)
        return err;
    v = vname_changes_keep_(&w->c, ch);
    if (v == NULL)
        return vname_err_no_memory_(&w->c);
    for (i = 0; i < last->nservers; i++)
        if (w->server.n != 0 && !vdl_str_eq(v[i].name, w->server))
            v[k++] = v[i];
    last->nservers = k;
    if (k == 0)
        last->mt = last->leaf = false;
    if (k == 0 && n->parent != NULL && n->children == NULL && !n->explicit
        && n->template == NULL)
        last->kind = VNAME_REMOVE;
    return NULL;
}

static void unmount_now(struct vname_table *t, const struct vname_write *w,
    struct node *n)
{
    struct server **q, *s;

    if (w->server.n == 0)
        vname_servers_clear_(t, n);
    for (q = &n->servers; (s = *q) != NULL; q = &s->next)
        if (vdl_str_eq(s->name, w->server)) {
            *q = s->next;
            vname_server_free_(t, n, s);
            break;
        }
    if (n->servers == NULL)
        vname_servers_clear_(t, n);
    vname_collect_(t, n, w->c.now_ns);
}

const struct v23_verror *vname_do_unmount_(struct vname_table *t,
    const struct vname_write *w, struct changes *ch)
{
    const struct v23_verror *err;

    if ((err = vname_split_(&w->c, w->name, false, &ch->s.p)) != NULL
        || (err = vname_write_find_(t, w, ch, false, TAGS_MOUNT, 0)) != NULL)
        return err;
    if (ch->whole)
        return plan_unmount(t, w, ch);
    if (vname_spot_found_(&ch->s))
        unmount_now(t, w, ch->s.n);
    return NULL;
}

const struct v23_verror *vname_do_delete_(struct vname_table *t,
    const struct vname_write *w, struct changes *ch)
{
    const struct v23_verror *err;
    struct vname_change gone = { .kind = VNAME_DELETE, .name = w->name };
    int rc;

    if (w->name.n == 0)
        return vname_err_text_(&w->c, "cannot delete root node");
    if ((err = vname_split_(&w->c, w->name, false, &ch->s.p)) != NULL
        || (err = vname_write_find_(t, w, ch, false, TAGS_REMOVE,
                TAGS_REMOVE)) != NULL)
        return err;
    if (vname_spot_found_(&ch->s) && ch->s.n->children != NULL && !w->subtree)
        return vname_err_text_(&w->c, "cannot delete %.*s: has children",
            (int)w->name.n, w->name.p);
    if (ch->whole) {
        err = vname_changes_path_(t, &w->c, ch);
        if (err == NULL && vname_spot_found_(&ch->s))
            ch->v[ch->n - 1].kind = w->subtree ? VNAME_DELETE : VNAME_REMOVE;
        return err;
    }
    if (!vname_spot_found_(&ch->s))
        return NULL;
    rc = vname_table_tell_(t, &gone);
    if (rc != 0)
        return vname_write_failed_(&w->c, rc);
    vname_node_delete_(t, ch->s.n);
    return NULL;
}

/* ---- resolving ----------------------------------------------------------- */

int vname_copy_servers_(const struct vname_caller *c, const struct node *n,
    struct vdl_str rest, v23_naming_mount_entry *out)
{
    const struct server *s;
    v23_naming_mounted_server *v;
    uint32_t k = 0, count = 0;

    for (s = n->servers; s != NULL; s = s->next)
        count++;
    v = v23_arena_get0(c->arena, count, sizeof(*v),
        _Alignof(v23_naming_mounted_server));
    if (v == NULL)
        return V23_ENOMEM;
    for (s = n->servers; s != NULL; s = s->next, k++) {
        int64_t left = s->expires_ns - c->now_ns;

        v[k].server = s->name;
        if (rest.n != 0) {
            if (vrpc_name_join2(c->arena, s->name, rest, &v[k].server) != 0)
                return V23_ENOMEM;
        } else {
            v[k].server.p = v23_arena_dup(c->arena, s->name.p, s->name.n);
            if (v[k].server.p == NULL)
                return V23_ENOMEM;
        }
        v[k].deadline.from_now.seconds = left / V23_NS_PER_SEC;
        v[k].deadline.from_now.nanos = (int32_t)(left % V23_NS_PER_SEC);
    }
    out->servers.v = v;
    out->servers.n = count;
    return 0;
}

struct vdl_str vname_tail_of_(struct vdl_str name, struct path p, size_t left)
{
    const char *start;

    if (left == 0)
        return empty;
    start = p.v[p.n - left].p;
    return vdl_strn(start, (size_t)(name.p + name.n - start));
}

const struct v23_verror *vname_table_resolve(struct vname_table *t,
    const struct vname_caller *c, struct vdl_str name,
    v23_naming_mount_entry *out)
{
    v23_naming_mount_entry e;
    const struct v23_verror *err;
    struct spot s;
    struct path p;

    if ((err = vname_split_(c, name, false, &p)) != NULL
        || (err = vname_walk_(t, c, p, &s)) != NULL)
        return err;
    if (!s.below && s.have != p.n)
        return vname_err_no_name_(c, name);
    if (!vname_satisfies_(t, s.n, TAGS_RESOLVE, c))
        return vname_err_no_access_(c);
    if (!s.below && !vname_is_active_(t, s.n, c->now_ns)) {
        vname_collect_(t, s.n, c->now_ns);
        return vname_err_no_name_(c, name);
    }
    memset(&e, 0, sizeof(e));
    e.name = vname_tail_of_(name, p, p.n - s.have);
    e.serves_mount_table = s.n->mt;
    e.is_leaf = s.n->leaf;
    if (vname_copy_servers_(c, s.n, empty, &e) != 0)
        return vname_err_no_memory_(c);
    *out = e;
    return NULL;
}

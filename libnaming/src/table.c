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
    const struct vname_caller *c, struct path p, bool create, int tags,
    int parent_tags, struct node **out)
{
    size_t left;
    struct node *n;
    const struct v23_verror *err = vname_walk_(t, c, p, create, &n, &left);

    *out = NULL;
    if (err != NULL || n == NULL || left != 0)
        return err;
    if (!vname_satisfies_(t, n, tags, c)
        && (parent_tags == 0 || n->parent == NULL
            || !vname_satisfies_(t, n->parent, parent_tags, c)))
        return vname_err_no_access_(c);
    *out = n;
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

static struct server *server_new(struct vname_table *t, struct vdl_str name)
{
    struct server *s = v23_get(t->al, sizeof(*s) + name.n);
    char *text;

    if (s == NULL)
        return NULL;
    text = (char *)(s + 1);
    if (name.n != 0)
        memcpy(text, name.p, name.n);
    s->name = vdl_strn(text, name.n);
    t->servers++;
    return s;
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
    return server_new(t, name);
}

static void drop_oldest(struct vname_table *t, struct node *n)
{
    struct server **p = &n->servers;
    size_t count = 0;

    while (*p != NULL && count++ < VNAME_MAX_SERVERS)
        p = &(*p)->next;
    if (*p != NULL) {
        t->servers--;
        v23_put(t->al, *p);
        *p = NULL;
    }
}

const struct v23_verror *vname_table_mount(struct vname_table *t,
    const struct vname_caller *c, struct vdl_str name, struct vdl_str server,
    uint32_t ttl, uint32_t flags)
{
    bool mt = (flags & V23_NAMING_MT) != 0;
    bool leaf = (flags & V23_NAMING_LEAF) != 0;
    const struct v23_verror *err;
    struct server *s;
    struct node *n;
    struct path p;

    if ((err = vname_split_(c, name, true, &p)) != NULL
        || (err = check_server(c, server)) != NULL
        || (err = vname_find_(t, c, p, true, TAGS_MOUNT, 0, &n)) != NULL)
        return err;
    if (n == NULL)
        return vname_err_root_name_(c, name);
    if (n->mounted && n->mt != mt)
        return vname_err_text_(c, "mount table doesn't match");
    if (n->mounted && n->leaf != leaf)
        return vname_err_text_(c, "leaf doesn't match");
    s = take_server(t, n, server);
    if (s == NULL) {
        vname_collect_(t, n, c->now_ns);
        return vname_err_no_memory_(c);
    }
    while (n->children != NULL)
        vname_node_delete_(t, n->children);
    if ((flags & V23_NAMING_REPLACE) != 0)
        vname_servers_clear_(t, n);
    n->mounted = true;
    n->mt = mt;
    n->leaf = leaf;
    s->expires_ns = c->now_ns
        + (ttl == 0 ? VNAME_TTL_FOREVER : ttl) * V23_NS_PER_SEC;
    s->next = n->servers;
    n->servers = s;
    drop_oldest(t, n);
    return NULL;
}

const struct v23_verror *vname_table_unmount(struct vname_table *t,
    const struct vname_caller *c, struct vdl_str name, struct vdl_str server)
{
    const struct v23_verror *err;
    struct server **q, *s;
    struct node *n;
    struct path p;

    if ((err = vname_split_(c, name, false, &p)) != NULL
        || (err = vname_find_(t, c, p, false, TAGS_MOUNT, 0, &n)) != NULL)
        return err;
    if (n == NULL)
        return NULL;
    if (server.n == 0)
        vname_servers_clear_(t, n);
    for (q = &n->servers; (s = *q) != NULL; q = &s->next)
        if (vdl_str_eq(s->name, server)) {
            *q = s->next;
            t->servers--;
            v23_put(t->al, s);
            break;
        }
    if (n->servers == NULL)
        vname_servers_clear_(t, n);
    vname_collect_(t, n, c->now_ns);
    return NULL;
}

const struct v23_verror *vname_table_delete(struct vname_table *t,
    const struct vname_caller *c, struct vdl_str name, bool subtree)
{
    const struct v23_verror *err;
    struct node *n;
    struct path p;

    if ((err = vname_split_(c, name, false, &p)) != NULL)
        return err;
    if (p.n == 0)
        return vname_err_text_(c, "cannot delete root node");
    err = vname_find_(t, c, p, false, TAGS_REMOVE, TAGS_REMOVE, &n);
    if (err != NULL || n == NULL)
        return err;
    if (n->children != NULL && !subtree)
        return vname_err_text_(c, "cannot delete %.*s: has children",
            (int)name.n, name.p);
    vname_node_delete_(t, n);
    vname_table_deleted_(t, name);
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
    struct node *n;
    struct path p;
    size_t left;

    if ((err = vname_split_(c, name, false, &p)) != NULL
        || (err = vname_walk_(t, c, p, false, &n, &left)) != NULL)
        return err;
    if (n == NULL)
        return vname_err_no_name_(c, name);
    if (!vname_satisfies_(t, n, TAGS_RESOLVE, c))
        return vname_err_no_access_(c);
    if (!vname_is_active_(t, n, c->now_ns)) {
        vname_collect_(t, n, c->now_ns);
        return vname_err_no_name_(c, name);
    }
    memset(&e, 0, sizeof(e));
    e.name = vname_tail_of_(name, p, left);
    e.serves_mount_table = n->mt;
    e.is_leaf = n->leaf;
    if (vname_copy_servers_(c, n, empty, &e) != 0)
        return vname_err_no_memory_(c);
    *out = e;
    return NULL;
}

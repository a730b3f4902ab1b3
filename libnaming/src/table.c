/* BSD-3-Clause; see LICENSE. */
/*
 * The operations of a mount table (spec/naming.md 7.4). Each authorizes as it
 * walks; what it leaves behind on failure (nodes created on the way) is
 * collected when something meets it.
 */
#include <v23/time.h>
#include <vname/mounttable.h>
#include <vrpc/endpoint.h>
#include <vrpc/glob.h>
#include <vrpc/name.h>

#include "table_int.h"

static const struct vdl_str empty;

/* Find a node that satisfies `tags`, or whose parent satisfies `parent_tags`
 * (0: only the node). Below a mount point or missing: *out = NULL. */
static const struct v23_verror *find(struct vname_table *t,
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

static const struct v23_verror *split(const struct vname_caller *c,
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

    if ((err = split(c, name, true, &p)) != NULL
        || (err = check_server(c, server)) != NULL
        || (err = find(t, c, p, true, TAGS_MOUNT, 0, &n)) != NULL)
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
    return NULL;
}

const struct v23_verror *vname_table_unmount(struct vname_table *t,
    const struct vname_caller *c, struct vdl_str name, struct vdl_str server)
{
    const struct v23_verror *err;
    struct server **q, *s;
    struct node *n;
    struct path p;

    if ((err = split(c, name, false, &p)) != NULL
        || (err = find(t, c, p, false, TAGS_MOUNT, 0, &n)) != NULL)
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

    if ((err = split(c, name, false, &p)) != NULL)
        return err;
    if (p.n == 0)
        return vname_err_text_(c, "cannot delete root node");
    if ((err = find(t, c, p, false, TAGS_REMOVE, TAGS_REMOVE, &n)) != NULL
        || n == NULL)
        return err;
    if (n->children != NULL && !subtree)
        return vname_err_text_(c, "cannot delete %.*s: has children",
            (int)name.n, name.p);
    vname_node_delete_(t, n);
    return NULL;
}

/* ---- resolving ----------------------------------------------------------- */

/* Servers of a mount with the time left, `rest` joined to their names. */
static int copy_servers(const struct vname_caller *c, const struct node *n,
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

/* The last `left` elements of a name as text; it is a cut of the name. */
static struct vdl_str tail_of(struct vdl_str name, struct path p, size_t left)
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

    if ((err = split(c, name, false, &p)) != NULL
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
    e.name = tail_of(name, p, left);
    e.serves_mount_table = n->mt;
    e.is_leaf = n->leaf;
    if (copy_servers(c, n, empty, &e) != 0)
        return vname_err_no_memory_(c);
    *out = e;
    return NULL;
}

/* ---- permissions --------------------------------------------------------- */

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

/* Admins to add so that the caller does not lock everybody out. */
static int keep_admins(struct vname_table *t, const struct vname_caller *c,
    const struct node *n, struct perms **perms)
{
    const v23_access_access_list *old = NULL;
    vdl_str_list names = { NULL, 0 }, one;
    struct vdl_str *v;
    struct perms *wide, admin = { 0 };
    v23_access_permissions_entry entry;
    uint32_t i;
    int rc;

    if (vname_perms_find_(&(*perms)->map, "Admin") != NULL
        && vname_perms_allow_(*perms, TAG_ADMIN, c->names))
        return 0;
    if (c->names.n == 0)
        return 0;
    v = v23_arena_get0(c->arena, c->names.n, sizeof(*v),
        _Alignof(struct vdl_str));
    if (v == NULL)
        return V23_ENOMEM;
    if (n->perms != NULL)
        old = vname_perms_find_(&n->perms->map, "Admin");
    for (i = 0; i < c->names.n; i++) {
        one.v = &c->names.v[i];
        one.n = 1;
        if (n->perms != NULL) {
            if (old == NULL)
                continue;
            memset(&entry, 0, sizeof(entry));
            entry.key = vdl_str("Admin");
            entry.val = *old;
            admin.map.v = &entry;
            admin.map.n = 1;
            if (!vname_perms_allow_(&admin, TAG_ADMIN, one))
                continue;
        }
        v[names.n++] = c->names.v[i];
    }
    names.v = v;
    rc = vname_perms_add_admins_(t, *perms, names, &wide);
    if (rc != 0)
        return rc;
    vname_perms_unref_(*perms);
    *perms = wide;
    return 0;
}

const struct v23_verror *vname_table_set_permissions(struct vname_table *t,
    const struct vname_caller *c, struct vdl_str name,
    const v23_access_permissions *perms, struct vdl_str version)
{
    const struct v23_verror *err;
    struct perms *fresh = NULL;
    struct node *n;
    struct path p;

    if ((err = split(c, name, true, &p)) != NULL
        || (err = find(t, c, p, true, TAGS_SET, 0, &n)) != NULL)
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
    n->version = n->perms == NULL ? 1
        : n->version == INT32_MAX ? 0
                                  : n->version + 1;
    vname_perms_unref_(n->perms);
    n->perms = fresh;
    n->explicit = true;
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

    if ((err = split(c, name, false, &p)) != NULL
        || (err = find(t, c, p, false, TAGS_GET, 0, &n)) != NULL)
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

/* ---- glob ---------------------------------------------------------------- */

struct walk {
    struct vname_table *t;
    const struct vname_caller *c;
    vname_entry_fn *fn;
    void *ud;
    struct v23_buf name; /* of the node being visited */
    struct v23_arena scratch; /* of the entry being reported */
};

static int report(struct walk *w, struct node *n, struct vdl_str rest,
    bool servers, bool directory)
{
    struct vname_caller scratch = *w->c;
    v23_naming_mount_entry e;
    int rc;

    v23_arena_reset(&w->scratch);
    scratch.arena = &w->scratch;
    memset(&e, 0, sizeof(e));
    e.name = vdl_strn((const char *)w->name.p, w->name.n);
    e.serves_mount_table = directory;
    if (servers) {
        rc = copy_servers(&scratch, n, rest, &e);
        if (rc != 0)
            return rc;
        if (rest.n == 0) {
            e.serves_mount_table = n->mt;
            e.is_leaf = n->leaf;
        }
    }
    return w->fn(w->ud, &e);
}

/* What remains to be said of a node whose children were visited. */
static int leave(struct walk *w, struct node *n, const struct vrpc_glob *g)
{
    if (vname_collect_one_(w->t, n, w->c->now_ns))
        return 0;
    if (n->parent == NULL && n->children == NULL && !n->explicit
        && !n->mounted)
        return 0; /* an empty table says nothing */
    if (g->n != 0 || !vname_satisfies_(w->t, n, TAGS_ALL, w->c))
        return 0;
    return report(w, n, empty, false, true);
}

static bool may_list(struct walk *w, const struct node *n,
    const struct vrpc_glob *g, bool fixed)
{
    if (vrpc_glob_is_empty(g))
        return false;
    return vname_satisfies_(w->t, n, TAGS_GLOB, w->c)
        || (fixed && vname_satisfies_(w->t, n, TAGS_TRAVERSE, w->c));
}

static int mount_record(struct walk *w, struct node *n)
{
    bool active = vname_is_active_(w->t, n, w->c->now_ns);

    if (!active && n->children == NULL && !n->explicit) {
        vname_collect_one_(w->t, n, w->c->now_ns); /* but never the root */
        return 0;
    }
    return report(w, n, empty,
        vname_satisfies_(w->t, n, TAGS_RESOLVE, w->c), false);
}

/* First child of n from `from` on that is to be visited. */
static struct node *next_child(struct walk *w, struct node *from,
    const struct vrpc_glob *g)
{
    while (from != NULL
        && (!vrpc_glob_match(g, vdl_strn(from->name, from->len))
            || !vname_satisfies_(w->t, from, TAGS_ALL, w->c)))
        from = from->next;
    return from;
}

static int visit(struct walk *w, struct node *n, struct vrpc_glob g);

static int visit_child(struct walk *w, struct node *child,
    const struct vrpc_glob *g)
{
    size_t keep = w->name.n;
    int rc;

    if (keep != 0)
        v23_buf_put_byte(&w->name, '/');
    v23_buf_put(&w->name, child->name, child->len);
    rc = w->name.err;
    if (rc == 0)
        rc = visit(w, child, vrpc_glob_tail(g));
    v23_buf_cut(&w->name, keep);
    return rc;
}

/* Depth is bounded by VNAME_MAX_DEPTH: no deeper node can be made. */
static int visit(struct walk *w, struct node *n, struct vrpc_glob g)
{
    struct node *child, *next;
    struct vdl_str prefix;
    bool fixed = false;
    int rc = 0;

    if (n->mounted)
        return mount_record(w, n);
    if (g.n != 0)
        rc = vrpc_glob_fixed_prefix(w->c->arena, &g, &prefix, &fixed);
    if (rc == 0 && may_list(w, n, &g, fixed)) {
        /* A literal element names one child: no scan of the directory. */
        child = fixed ? vname_child_(w->t, n, prefix)
                      : next_child(w, n->children, &g);
        if (fixed && child != NULL
            && !vname_satisfies_(w->t, child, TAGS_ALL, w->c))
            child = NULL;
        for (; rc == 0 && child != NULL; child = next) {
            /* Visiting may collect the child, never its sibling. */
            next = fixed ? NULL : next_child(w, child->next, &g);
            rc = visit_child(w, child, &g);
        }
    }
    return rc == 0 ? leave(w, n, &g) : rc;
}

int vname_table_glob(struct vname_table *t, const struct vname_caller *c,
    struct vdl_str name, const struct vrpc_glob *pattern, vname_entry_fn *fn,
    void *ud)
{
    struct walk w = { 0 };
    struct node *n;
    struct path p;
    size_t left;
    int rc = vname_path_split_(c->arena, name, &p);

    if (rc != 0)
        return rc;
    if (vname_walk_(t, c, p, false, &n, &left) != NULL || n == NULL)
        return 0; /* no access on the way, or nothing there */
    w.t = t;
    w.c = c;
    w.fn = fn;
    w.ud = ud;
    v23_buf_init(&w.name, t->al, SIZE_MAX);
    v23_arena_init(&w.scratch, t->al, SIZE_MAX);
    if (left == 0)
        rc = visit(&w, n, *pattern);
    else if (vname_satisfies_(t, n, TAGS_RESOLVE, c))
        rc = report(&w, n, tail_of(name, p, left), true, false);
    v23_arena_fini(&w.scratch);
    v23_buf_fini(&w.name);
    return rc;
}

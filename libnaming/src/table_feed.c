/* BSD-3-Clause; see LICENSE. */
/*
 * How a table follows a store of whole tables. A record of the store is a node;
 * a node without record is only there because something is below it, or because
 * this process has a template for its children.
 */
#include "table_int.h"

#define SERVER_USER "self:?:ServerUser"

/* What is needed for a new form of a node. */
struct fresh {
    struct perms *perms;
    struct server *servers;
    struct user *creator;
};

static void free_servers(struct vname_table *t, struct server *s)
{
    struct server *next;

    for (; s != NULL; s = next) {
        next = s->next;
        vname_server_free_(t, NULL, s);
    }
}

static int make_servers(struct vname_table *t, const struct vname_change *ch,
    struct server **out)
{
    struct server **end = out;
    size_t i, n = ch->nservers;

    if (n > VNAME_MAX_SERVERS)
        n = VNAME_MAX_SERVERS;
    for (i = 0; i < n; i++) {
        struct server *s = vname_server_new_(t, NULL, ch->servers[i].name);

        if (s == NULL)
            return V23_ENOMEM;
        s->next = NULL;
        s->expires_ns = ch->servers[i].expires_ns;
        *end = s;
        end = &s->next;
    }
    return 0;
}

static int prepare(struct vname_table *t, const struct vname_change *ch,
    struct fresh *f)
{
    int rc = 0;

    memset(f, 0, sizeof(*f));
    if (ch->perms != NULL)
        rc = vname_perms_keep_(t, ch->perms, &f->perms);
    if (rc == 0)
        rc = make_servers(t, ch, &f->servers);
    if (rc == 0 && (f->creator = vname_user_(t, ch->creator)) == NULL)
        rc = V23_ENOMEM;
    if (rc != 0) {
        vname_perms_unref_(f->perms);
        free_servers(t, f->servers);
    }
    return rc;
}

static void replace(struct vname_table *t, struct node *n,
    const struct vname_change *ch, const struct fresh *f)
{
    vname_servers_clear_(t, n);
    n->servers = f->servers;
    n->mounted = f->servers != NULL;
    n->mt = n->mounted && ch->mt;
    n->leaf = n->mounted && ch->leaf;
    vname_perms_unref_(n->perms);
    n->perms = f->perms;
    n->version = f->perms == NULL ? 0 : ch->version;
    n->explicit = f->perms != NULL && ch->set;
    if (n->parent != NULL)
        vname_set_creator_(t, n, f->creator);
    n->rev = ch->rev;
    n->read = true;
}

static int feed(struct vname_table *t, const struct vname_change *ch,
    struct path p)
{
    struct fresh f;
    struct spot s;
    struct node *n;
    int rc;

    vname_spot_plain_(t, p, &s);
    if (s.have == p.n && !t->rereading && s.n->rev >= ch->rev)
        return 0;
    rc = prepare(t, ch, &f);
    if (rc != 0)
        return rc;
    n = vname_node_make_(t, p, vdl_str(SERVER_USER));
    if (n == NULL) {
        vname_perms_unref_(f.perms);
        free_servers(t, f.servers);
        return V23_ENOMEM;
    }
    replace(t, n, ch, &f);
    return 0;
}

int vname_table_feed(struct vname_table *t, const struct vname_change *ch)
{
    struct v23_arena_mark m = v23_arena_mark(&t->scratch);
    struct path p;
    int rc = vname_path_split_(&t->scratch, ch->name, &p);

    if (rc == 0)
        rc = !vname_path_fits_(p, false) || ch->version < 0 || ch->rev <= 0
            ? V23_EARG
            : feed(t, ch, p);
    v23_arena_rewind(&t->scratch, m);
    return rc;
}

/* A node without record is what its parent would make of a new child. */
static void forget(struct vname_table *t, struct node *n)
{
    struct user *u = vname_user_(t, vdl_str(SERVER_USER));

    n->rev = 0;
    n->explicit = false;
    vname_servers_clear_(t, n);
    if (n->parent != NULL && n->children == NULL && n->template == NULL) {
        vname_prune_(t, n);
        return;
    }
    vname_perms_unref_(n->perms);
    n->perms = n->parent == NULL ? NULL : vname_perms_ref_(n->parent->perms);
    n->version = n->parent == NULL ? 0 : n->parent->version;
    if (n->parent != NULL && u != NULL)
        vname_set_creator_(t, n, u);
}

void vname_table_forget(struct vname_table *t, struct vdl_str name,
    int64_t rev)
{
    struct v23_arena_mark m = v23_arena_mark(&t->scratch);
    struct spot s;
    struct path p;

    /* Without memory for its path the node stays, and is read anew later. */
    if (vname_path_split_(&t->scratch, name, &p) == 0) {
        vname_spot_plain_(t, p, &s);
        if (s.have == p.n && s.n->rev != 0 && s.n->rev <= rev)
            forget(t, s.n);
    }
    v23_arena_rewind(&t->scratch, m);
}

int vname_table_feed_user(struct vname_table *t, struct vdl_str id,
    int64_t rev)
{
    struct user *u = vname_user_(t, id);

    if (u == NULL)
        return V23_ENOMEM;
    if (rev == 0 || rev > u->rev)
        u->rev = rev;
    return 0;
}

/* ---- reading everything anew --------------------------------------------- */

void vname_table_reread_begin(struct vname_table *t)
{
    struct user *u;
    size_t i;

    for (i = 0; i < t->nslots; i++)
        if (t->slots[i].n != NULL)
            t->slots[i].n->read = false;
    for (i = 0; i < t->nuser_buckets; i++)
        for (u = t->users[i]; u != NULL; u = u->next)
            u->rev = 0;
    t->root->read = false;
    t->rereading = true;
}

static bool is_stale(const struct node *n)
{
    return n != NULL && n->rev != 0 && !n->read;
}

void vname_table_reread_end(struct vname_table *t)
{
    bool again = true;
    size_t i;

    /* Forgetting one may remove and move others. */
    while (again) {
        again = false;
        for (i = 0; i < t->nslots; i++)
            while (is_stale(t->slots[i].n)) {
                forget(t, t->slots[i].n);
                again = true;
            }
    }
    if (is_stale(t->root))
        forget(t, t->root);
    t->rereading = false;
}

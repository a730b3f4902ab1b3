/* BSD-3-Clause; see LICENSE. */
/*
 * The tree of a mount table: nodes, their servers and the walk. Nodes that serve
 * no purpose any more are collected when an operation meets them, so expiry
 * costs nothing while nobody asks.
 */
#include "table_int.h"

#define FIRST_SLOTS 64
#define AHEAD 8
#define LINE 64 /* of a cache: for speed only */

/* A path has the hash of its elements one after the other: those of all its
 * parts are known before the first node is looked at. */
static uint64_t hash_of(uint64_t parent, struct vdl_str element)
{
    return v23_hash(parent, element.p, element.n);
}

/* ---- slots --------------------------------------------------------------- */

static size_t home_of(const struct vname_table *t, uint64_t hash)
{
    return (size_t)(uint32_t)hash & (t->nslots - 1);
}

static void put_slot(struct slot *slots, size_t nslots, struct slot s)
{
    size_t i = s.hash & (nslots - 1);

    while (slots[i].n != NULL)
        i = (i + 1) & (nslots - 1);
    slots[i] = s;
}

/* Room for one more: a quarter of the slots stays free. */
static bool grow(struct vname_table *t)
{
    size_t n = t->nslots == 0 ? FIRST_SLOTS : 2 * t->nslots, i;
    struct slot *fresh;

    if (t->nodes < t->nslots / 4 * 3)
        return true;
    fresh = v23_get0(t->al, n, sizeof(*fresh));
    if (fresh == NULL)
        return false;
    for (i = 0; i < t->nslots; i++)
        if (t->slots[i].n != NULL)
            put_slot(fresh, n, t->slots[i]);
    v23_put(t->al, t->slots);
    t->slots = fresh;
    t->nslots = n;
    return true;
}

/* Empty the slot of a node, and move up those that were pushed behind it. */
static void drop_slot(struct vname_table *t, const struct node *n)
{
    size_t mask = t->nslots - 1, i = home_of(t, n->hash), k;

    while (t->slots[i].n != n)
        i = (i + 1) & mask;
    for (k = (i + 1) & mask; t->slots[k].n != NULL; k = (k + 1) & mask)
        /* It may stand at i if its own slot is not between i and k. */
        if (((k - t->slots[k].hash) & mask) >= ((k - i) & mask)) {
            t->slots[i] = t->slots[k];
            i = k;
        }
    t->slots[i].n = NULL;
}

static struct node *find(const struct vname_table *t,
    const struct node *parent, struct vdl_str element, uint64_t hash)
{
    size_t i = home_of(t, hash);
    struct node *n;

    for (; (n = t->slots[i].n) != NULL; i = (i + 1) & (t->nslots - 1))
        if (t->slots[i].hash == (uint32_t)hash && n->parent == parent
            && vdl_str_eq(vdl_strn(n->name, n->len), element))
            return n;
    return NULL;
}

struct node *vname_child_(const struct vname_table *t,
    const struct node *parent, struct vdl_str element)
{
    return find(t, parent, element, hash_of(parent->hash, element));
}

/* ---- nodes --------------------------------------------------------------- */

/* Where the server is that the block of a node has room for. */
static size_t place_of(size_t len)
{
    const size_t align = _Alignof(struct server);

    return (offsetof(struct node, name) + len + align - 1) / align * align;
}

static struct server *own_server(struct node *n)
{
    return (struct server *)(void *)((char *)n + place_of(n->len));
}

static struct node *node_new(struct vname_table *t, struct vdl_str element,
    size_t room)
{
    size_t size = sizeof(struct node) + element.n;
    struct node *n;

    if (room != 0)
        size = place_of(element.n) + sizeof(struct server) + room;
    n = v23_get0(t->al, 1, size);
    if (n == NULL)
        return NULL;
    if (element.n != 0)
        memcpy(n->name, element.p, element.n);
    n->len = (uint16_t)element.n;
    n->room = (uint16_t)room;
    return n;
}

struct node *vname_child_new_(struct vname_table *t, struct node *parent,
    struct vdl_str element, struct user *creator, size_t room)
{
    struct node *n;

    if (!grow(t))
        return NULL;
    n = node_new(t, element, room);
    if (n == NULL)
        return NULL;
    n->parent = parent;
    n->hash = hash_of(parent->hash, element);
    n->creator = creator;
    vname_user_count_(t, creator, 1, 0);
    put_slot(t->slots, t->nslots, (struct slot){ n, (uint32_t)n->hash });
    n->next = parent->children;
    n->pprev = &parent->children;
    if (n->next != NULL)
        n->next->pprev = &n->next;
    parent->children = n;
    t->nodes++;
    return n;
}

struct server *vname_server_new_(struct vname_table *t, struct node *n,
    struct vdl_str name)
{
    bool own = n != NULL && n->room != 0 && name.n <= n->room
        && !n->room_used;
    struct server *s = own ? own_server(n)
                           : v23_get(t->al, sizeof(*s) + name.n);
    char *text;

    if (s == NULL)
        return NULL;
    if (own)
        n->room_used = true;
    text = (char *)(s + 1);
    if (name.n != 0)
        memcpy(text, name.p, name.n);
    s->name = vdl_strn(text, name.n);
    t->servers++;
    return s;
}

void vname_server_free_(struct vname_table *t, struct node *n,
    struct server *s)
{
    t->servers--;
    if (n != NULL && n->room_used && s == own_server(n))
        n->room_used = false;
    else
        v23_put(t->al, s);
}

void vname_servers_clear_(struct vname_table *t, struct node *n)
{
    struct server *s;

    while ((s = n->servers) != NULL) {
        n->servers = s->next;
        vname_server_free_(t, n, s);
    }
    n->mounted = n->mt = n->leaf = false;
}

/* Free a node without children that is not the root. */
static void unlink_leaf(struct vname_table *t, struct node *n)
{
    if (n->globs != 0)
        vname_glob_leaves_(t, n);
    if (t->kept.at == n)
        t->kept.at = vname_next_node_(n, &t->kept.name);
    drop_slot(t, n);
    *n->pprev = n->next;
    if (n->next != NULL)
        n->next->pprev = n->pprev;
    vname_servers_clear_(t, n);
    vname_perms_unref_(n->perms);
    vname_perms_unref_(n->template);
    vname_user_count_(t, n->creator, -1, 0);
    t->nodes--;
    v23_put(t->al, n);
}

void vname_node_delete_(struct vname_table *t, struct node *n)
{
    struct node *cur = n, *parent;

    /* Depth first without a stack: a node is freed when it has no children. */
    for (;;) {
        while (cur->children != NULL)
            cur = cur->children;
        parent = cur->parent;
        unlink_leaf(t, cur);
        if (cur == n)
            return;
        cur = parent;
    }
}

bool vname_is_active_(struct vname_table *t, struct node *n, int64_t now_ns)
{
    struct server **p = &n->servers, *s;

    while ((s = *p) != NULL) {
        if (now_ns > s->expires_ns) {
            *p = s->next;
            vname_server_free_(t, n, s);
        } else {
            p = &s->next;
        }
    }
    return n->mounted && n->servers != NULL;
}

bool vname_collect_one_(struct vname_table *t, struct node *n, int64_t now_ns)
{
    if (n->parent == NULL || n->explicit || n->children != NULL
        || vname_is_active_(t, n, now_ns)
        || (n->template != NULL && vname_table_is_whole_(t)))
        return false;
    if (n->rev == 0)
        unlink_leaf(t, n); /* else vname_table_sweep() sees to it */
    return true;
}

void vname_prune_(struct vname_table *t, struct node *n)
{
    struct node *parent = n->parent;

    unlink_leaf(t, n);
    while ((n = parent) != NULL && n->parent != NULL && n->rev == 0
        && n->children == NULL && n->template == NULL && !n->mounted) {
        parent = n->parent;
        unlink_leaf(t, n);
    }
}

void vname_set_creator_(struct vname_table *t, struct node *n,
    struct user *creator)
{
    if (n->creator == creator)
        return;
    vname_user_count_(t, n->creator, -1, 0);
    vname_user_count_(t, creator, 1, 0);
    n->creator = creator;
}

bool vname_collect_(struct vname_table *t, struct node *n, int64_t now_ns)
{
    struct node *parent = n->parent;
    bool gone = vname_collect_one_(t, n, now_ns);

    while (gone && parent != NULL) {
        n = parent;
        parent = n->parent;
        if (!vname_collect_one_(t, n, now_ns))
            break;
    }
    return gone;
}

static void name_push(struct v23_buf *name, const struct node *child)
{
    if (child->parent->parent != NULL)
        v23_buf_put_byte(name, '/');
    v23_buf_put(name, child->name, child->len);
}

struct node *vname_next_node_(const struct node *n, struct v23_buf *name)
{
    struct node *next = n->children;

    while (next == NULL && n->parent != NULL) {
        if (name->err == 0)
            v23_buf_cut(name,
                name->n - n->len - (n->parent->parent != NULL));
        next = n->next;
        n = n->parent;
    }
    if (next != NULL)
        name_push(name, next);
    return next;
}

/* ---- access and walking -------------------------------------------------- */

int vname_path_split_(struct v23_arena *a, struct vdl_str name,
    struct path *out)
{
    struct vdl_str *v;
    size_t n = 1, i, k = 0, start = 0;

    out->v = NULL;
    out->n = 0;
    if (name.n == 0)
        return 0;
    for (i = 0; i < name.n; i++)
        n += name.p[i] == '/';
    v = v23_arena_get0(a, n, sizeof(*v), _Alignof(struct vdl_str));
    if (v == NULL)
        return V23_ENOMEM;
    for (i = 0; i <= name.n; i++)
        if (i == name.n || name.p[i] == '/') {
            v[k++] = vdl_strn(name.p + start, i - start);
            start = i + 1;
        }
    out->v = v;
    out->n = n;
    return 0;
}

bool vname_allows_(const struct vname_table *t, const struct perms *p,
    int tags, const struct vname_caller *c)
{
    if (vname_perms_allow_(p, tags, c->names))
        return true;
    return t->superusers != NULL
        && vname_perms_allow_(t->superusers, TAG_ADMIN, c->names);
}

bool vname_satisfies_(const struct vname_table *t, const struct node *n,
    int tags, const struct vname_caller *c)
{
    return vname_allows_(t, n->perms, tags, c);
}

/* Permissions that a new child starts with: those of a template, which admits
 * whom its expanded form lets create, or of the parent. */
static const struct v23_verror *derive(struct vname_table *t,
    const struct vname_caller *c, const struct perms *template,
    struct perms *parent, struct vdl_str element, struct perms **out)
{
    static const vdl_str_list nobody;

    *out = NULL;
    if (template == NULL && parent == NULL)
        return NULL;
    if (template == NULL)
        return vname_perms_add_admins_(t, parent,
                   c == NULL ? nobody : c->names, out) == 0
            ? NULL
            : vname_err_no_memory_(c);
    if (vname_perms_expand_(t, template, element, out) != 0)
        return vname_err_no_memory_(c);
    if (c == NULL || vname_perms_allow_(*out, TAGS_CREATE, c->names))
        return NULL;
    vname_perms_unref_(*out);
    return vname_err_no_access_(c);
}

/* May this user, who was found before, get one more node? */
static const struct v23_verror *check_quota(struct vname_table *t,
    const struct vname_caller *c, struct vdl_str creator, struct spot *s)
{
    if (s->creator == NULL) {
        if (c != NULL && vname_user_id_(c, &creator) != 0)
            return vname_err_no_memory_(c);
        s->creator = vname_user_(t, creator);
        if (s->creator == NULL)
            return vname_err_no_memory_(c);
    }
    if (c != NULL && t->max_nodes_per_user != 0
        && s->creator->nodes + s->creator->coming + (int64_t)s->made
            >= (int64_t)t->max_nodes_per_user)
        return vname_err_text_(c, "user has exceeded their node limit");
    return NULL;
}

const struct v23_verror *vname_spot_plan_(struct vname_table *t,
    const struct vname_caller *c, struct vdl_str creator, struct spot *s)
{
    struct perms *template = s->n->template, *parent = s->n->perms, *next;
    const struct v23_verror *err;
    size_t i;

    if (s->below || s->have == s->p.n)
        return NULL;
    s->version = template != NULL || parent == NULL ? 0 : s->n->version;
    s->perms = v23_arena_get0(c == NULL ? &t->scratch : c->arena,
        s->p.n - s->have, sizeof(*s->perms), _Alignof(struct perms *));
    if (s->perms == NULL)
        return vname_err_no_memory_(c);
    for (i = s->have; i < s->p.n; i++) {
        if (c != NULL && !vname_allows_(t, parent, TAGS_CREATE, c))
            return vname_err_no_access_(c);
        err = derive(t, c, template, parent, s->p.v[i], &next);
        if (err != NULL)
            return err;
        err = check_quota(t, c, creator, s);
        if (err != NULL) {
            vname_perms_unref_(next);
            return err;
        }
        s->perms[s->made++] = parent = next;
        template = NULL;
    }
    return NULL;
}

struct node *vname_spot_make_(struct vname_table *t, const struct spot *s,
    size_t room)
{
    struct node *n = s->n;
    size_t i;

    for (i = 0; i < s->made && n != NULL; i++) {
        n = vname_child_new_(t, n, s->p.v[s->have + i], s->creator,
            i + 1 == s->made ? room : 0);
        if (n == NULL)
            break;
        n->perms = vname_perms_ref_(s->perms[i]);
        n->version = s->version;
    }
    return n;
}

void vname_spot_fini_(const struct spot *s)
{
    size_t i;

    for (i = 0; i < s->made; i++)
        vname_perms_unref_(s->perms[i]);
}

void vname_spot_plain_(const struct vname_table *t, struct path p,
    struct spot *s)
{
    struct node *next;

    memset(s, 0, sizeof(*s));
    s->p = p;
    s->n = t->root;
    while (s->have < p.n
        && (next = vname_child_(t, s->n, p.v[s->have])) != NULL) {
        s->n = next;
        s->have++;
    }
}

struct node *vname_node_make_(struct vname_table *t, struct path p,
    struct vdl_str creator)
{
    struct v23_arena_mark m = v23_arena_mark(&t->scratch);
    struct node *n = NULL;
    struct spot s;

    vname_spot_plain_(t, p, &s);
    if (vname_spot_plan_(t, NULL, creator, &s) == NULL)
        n = vname_spot_make_(t, &s, 0);
    vname_spot_fini_(&s);
    v23_arena_rewind(&t->scratch, m);
    return n;
}

int32_t vname_next_version_(const struct node *n)
{
    if (n->perms == NULL)
        return 1;
    return n->version == INT32_MAX ? 0 : n->version + 1;
}

void vname_node_set_(struct node *n, struct perms *perms)
{
    n->version = vname_next_version_(n);
    vname_perms_unref_(n->perms);
    n->perms = perms;
    n->explicit = true;
}

/* In a table that is larger than the caches most of a walk is waiting for
 * memory: all its slots are asked for at once, then all its nodes. */
static void look_ahead(const struct vname_table *t, struct path p,
    uint64_t hashes[AHEAD])
{
    size_t n = p.n < AHEAD ? p.n : AHEAD, i;
    uint64_t h = t->root->hash;
    const struct slot *s;
    const char *node;

    for (i = 0; i < n; i++) {
        h = hashes[i] = hash_of(h, p.v[i]);
        __builtin_prefetch(&t->slots[home_of(t, h)]);
    }
    for (i = 0; i < n; i++) {
        s = &t->slots[home_of(t, hashes[i])];
        if (s->n == NULL || s->hash != (uint32_t)hashes[i])
            continue;
        node = (const char *)s->n;
        __builtin_prefetch(node);
        __builtin_prefetch(node + LINE);
        __builtin_prefetch(node + 2 * LINE);
        __builtin_prefetch(node + 3 * LINE);
    }
}

const struct v23_verror *vname_walk_(struct vname_table *t,
    const struct vname_caller *c, struct path p, struct spot *s)
{
    const struct v23_verror *err = NULL;
    struct node *cur = t->root, *next;
    uint64_t hashes[AHEAD];
    size_t i;

    memset(s, 0, sizeof(*s));
    look_ahead(t, p, hashes);
    for (i = 0; i < p.n; i++) {
        if (!vname_satisfies_(t, cur, TAGS_TRAVERSE, c)) {
            err = vname_err_no_access_(c);
            break;
        }
        s->below = vname_is_active_(t, cur, c->now_ns);
        if (s->below)
            break;
        next = i < AHEAD ? find(t, cur, p.v[i], hashes[i])
                         : vname_child_(t, cur, p.v[i]);
        if (next == NULL)
            break;
        cur = next;
    }
    s->p = p;
    s->n = cur;
    s->have = i;
    return err;
}

/* ---- life of a table ----------------------------------------------------- */

int vname_table_new(const struct vname_table_config *cfg,
    struct vname_table **out)
{
    struct vname_table *t = v23_new(cfg->al, struct vname_table);

    if (t == NULL)
        return V23_ENOMEM;
    t->al = cfg->al;
    t->log = cfg->log;
    t->max_nodes_per_user = cfg->max_nodes_per_user;
    t->empty_elements = cfg->empty_elements;
    t->waiting_end = &t->waiting;
    t->glob_steps = VNAME_GLOB_STEPS;
    v23_arena_init(&t->scratch, t->al, SIZE_MAX);
    t->root = node_new(t, vdl_strn(NULL, 0), 0);
    if (t->root == NULL || !grow(t)) {
        vname_table_free(t);
        return V23_ENOMEM;
    }
    /* Strangers choose names, but not where this is. */
    t->root->hash = (uint64_t)(uintptr_t)t->root;
    t->nodes = 1;
    *out = t;
    return 0;
}

void vname_table_free(struct vname_table *t)
{
    if (t == NULL)
        return;
    vname_write_fini_(t);
    if (t->root != NULL) {
        while (t->root->children != NULL)
            vname_node_delete_(t, t->root->children);
        vname_servers_clear_(t, t->root);
        vname_perms_unref_(t->root->perms);
        vname_perms_unref_(t->root->template);
        v23_put(t->al, t->root);
    }
    vname_users_fini_(t);
    vname_perms_unref_(t->superusers);
    v23_put(t->al, t->perms);
    v23_put(t->al, t->slots);
    v23_arena_fini(&t->scratch);
    v23_buf_fini(&t->kept.name);
    v23_put(t->al, t);
}

void vname_table_stats(const struct vname_table *t,
    struct vname_table_stats *out)
{
    out->nodes = t->nodes;
    out->servers = t->servers;
}

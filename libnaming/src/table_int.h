/* BSD-3-Clause; see LICENSE. */
/*
 * Inside of the mount table. A node is found by the hash of its path, so a step
 * costs the same in a directory of ten names and of a million; the children of
 * a node are also linked, for globs and deletion.
 */
#ifndef VNAME_TABLE_INT_H
#define VNAME_TABLE_INT_H

#include <vname/mounttable.h>

/* Any one tag of a set suffices (spec/naming.md 7.2). */
enum tags {
    TAG_READ = 1,
    TAG_RESOLVE = 2,
    TAG_CREATE = 4,
    TAG_MOUNT = 8,
    TAG_ADMIN = 16
};
#define TAGS_TRAVERSE (TAG_READ | TAG_RESOLVE | TAG_CREATE | TAG_ADMIN)
#define TAGS_CREATE (TAG_CREATE | TAG_ADMIN)
#define TAGS_MOUNT (TAG_MOUNT | TAG_ADMIN)
#define TAGS_RESOLVE (TAG_READ | TAG_RESOLVE | TAG_ADMIN)
#define TAGS_GLOB (TAG_READ | TAG_ADMIN)
#define TAGS_REMOVE TAG_ADMIN
#define TAGS_SET TAG_ADMIN
#define TAGS_GET (TAG_ADMIN | TAG_READ)
#define TAGS_ALL (TAGS_TRAVERSE | TAG_MOUNT)

/*
 * Immutable, and one object for all nodes that have the same: most of a million
 * names have one of a few permissions.
 */
struct perms {
    struct v23_ref ref;
    struct vname_table *t;
    struct perms *hash_next;
    struct v23_arena arena;
    v23_access_permissions map;
    uint32_t hash;
    bool normal; /* sorted, without duplicates */
};

struct server {
    struct server *next;
    int64_t expires_ns;
    struct vdl_str name; /* behind the struct */
};

struct user {
    struct user *next;
    int64_t nodes, rpcs;
    struct vdl_str id; /* behind the struct */
};

/* Nodes without parent: the root only. What a walk reads stands together, at
 * the end. */
struct node {
    struct node *children;      /* first child */
    struct node *next, **pprev; /* siblings */
    struct perms *template;
    struct user *creator;
    struct node *hash_next;
    struct node *parent;
    uint64_t hash;              /* of the path */
    struct server *servers;     /* most recent first */
    struct perms *perms;
    int32_t version;
    bool mounted; /* has a mount record, even if all servers expired */
    bool mt, leaf;
    bool explicit; /* permissions were set: never collected */
    uint16_t globs; /* that rest here */
    uint16_t len;
    char name[]; /* the element */
};

struct vname_table {
    const struct v23_alloc *al;
    const struct v23_log *log;
    struct node *root;
    struct node **buckets;
    size_t nbuckets, nodes, servers;
    struct perms **perms; /* by hash; no references */
    size_t perms_buckets, nperms;
    struct v23_arena scratch; /* between two operations empty */
    struct vname_glob *globs;
    size_t nglobs;
    struct user **users; /* by hash of the id */
    size_t nuser_buckets, nusers;
    struct perms *superusers; /* map with one list, "Admin"; NULL = none */
    uint32_t max_nodes_per_user;
    bool empty_elements;
    vname_change_fn *on_change; /* NULL = nothing is kept */
    void *on_change_ud;
    vname_count_fn *on_count; /* NULL = nobody */
    void *on_count_ud;
};

/* ---- errors (table_error.c) ---------------------------------------------- */

const struct v23_verror *vname_err_no_memory_(const struct vname_caller *c);
/* nameDoesntExist, or rootNameDoesntExist for "". */
const struct v23_verror *vname_err_no_name_(const struct vname_caller *c,
    struct vdl_str name);
const struct v23_verror *vname_err_root_name_(const struct vname_caller *c,
    struct vdl_str name);
const struct v23_verror *vname_err_no_access_(const struct vname_caller *c);
/* An error without id: bare text. */
const struct v23_verror *vname_err_text_(const struct vname_caller *c,
    const char *fmt, ...) V23_PRINTF(2, 3);

/* ---- permissions (table_perms.c) ----------------------------------------- */

/* Copy as it is. */
int vname_perms_keep_(struct vname_table *t,
    const v23_access_permissions *map, struct perms **out);
/* Copy and normalise: sorted lists without duplicates. */
int vname_perms_new_(struct vname_table *t,
    const v23_access_permissions *map, struct perms **out);
struct perms *vname_perms_ref_(struct perms *p);
void vname_perms_unref_(struct perms *p);
/* With `names` added to the In list of Admin, normalised. */
int vname_perms_add_admins_(struct vname_table *t, struct perms *p,
    vdl_str_list names, struct perms **out);
/* With every "%%" replaced by `element`. */
int vname_perms_expand_(struct vname_table *t, const struct perms *tmpl,
    struct vdl_str element, struct perms **out);
/* One of the tags' lists includes the names. NULL permissions: yes. */
bool vname_perms_allow_(const struct perms *p, int tags, vdl_str_list names);
/* The list of a tag, or NULL. */
const v23_access_access_list *vname_perms_find_(
    const v23_access_permissions *map, const char *tag);

/* ---- tree (table_tree.c) ------------------------------------------------- */

struct path {
    const struct vdl_str *v;
    size_t n;
};
int vname_path_split_(struct v23_arena *a, struct vdl_str name,
    struct path *out);
struct node *vname_child_(const struct vname_table *t,
    const struct node *parent, struct vdl_str element);
/* A new child; the quota is the caller's business. NULL: out of memory. */
struct node *vname_child_new_(struct vname_table *t, struct node *parent,
    struct vdl_str element, struct user *creator);
/* Remove a node with everything below it. */
void vname_node_delete_(struct vname_table *t, struct node *n);
void vname_servers_clear_(struct vname_table *t, struct node *n);
/* Drop expired servers; the mount record is there and has servers left. */
bool vname_is_active_(struct vname_table *t, struct node *n, int64_t now_ns);
/* Remove a node that is of no use, then its ancestors; true: n is gone. */
bool vname_collect_(struct vname_table *t, struct node *n, int64_t now_ns);
/* The same without ancestors. */
bool vname_collect_one_(struct vname_table *t, struct node *n,
    int64_t now_ns);
/* Find or create without checks and quota. NULL: out of memory. */
struct node *vname_node_make_(struct vname_table *t, struct path p,
    struct vdl_str creator);
/* Give a node permissions (takes the reference): next version, explicit. */
void vname_node_set_(struct node *n, struct perms *perms);
/* Depth first, parents before children; keeps the name up to date, whose
 * `err` may be set. NULL: that was the last. */
struct node *vname_next_node_(const struct node *n, struct v23_buf *name);
bool vname_satisfies_(const struct vname_table *t, const struct node *n,
    int tags, const struct vname_caller *c);
struct user *vname_user_(struct vname_table *t, struct vdl_str id);
/* The caller's user id in the arena; NULL names: the server itself. */
int vname_user_id_(const struct vname_caller *c, struct vdl_str *out);
/*
 * Walk the elements (spec/naming.md 7.3). Success: *out is NULL (nothing
 * there), or the node reached, with *left elements not consumed (the node is
 * then an active mount).
 */
const struct v23_verror *vname_walk_(struct vname_table *t,
    const struct vname_caller *c, struct path p, bool create,
    struct node **out, size_t *left);

/* A node is about to go: walks that rest at it move on (table_glob.c). */
void vname_glob_leaves_(struct vname_table *t, struct node *n);

/* ---- shared by the operations (table.c) ---------------------------------- */

/* Elements of a name; `bounded` refuses what must not be created. */
const struct v23_verror *vname_split_(const struct vname_caller *c,
    struct vdl_str name, bool bounded, struct path *out);
/* Find a node that satisfies `tags`, or whose parent satisfies `parent_tags`
 * (0: only the node). Below a mount point or missing: *out = NULL. */
const struct v23_verror *vname_find_(struct vname_table *t,
    const struct vname_caller *c, struct path p, bool create, int tags,
    int parent_tags, struct node **out);
/* Servers of a mount with the time left, `rest` joined to their names. */
int vname_copy_servers_(const struct vname_caller *c, const struct node *n,
    struct vdl_str rest, v23_naming_mount_entry *out);
/* The last `left` elements of a name as text; it is a cut of the name. */
struct vdl_str vname_tail_of_(struct vdl_str name, struct path p,
    size_t left);
/* Tell whoever keeps permissions that a subtree is gone (table_set.c). */
void vname_table_deleted_(const struct vname_table *t, struct vdl_str name);

#endif

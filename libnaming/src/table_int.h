/* BSD-3-Clause; see LICENSE. */
/*
 * Inside of the mount table. A node is found by the hash of its path, so a step
 * costs the same in a directory of ten names and of a million; the children of
 * a node are also linked, for globs and deletion.
 *
 * In a table beyond the caches a walk waits for memory, so it reads little of
 * it: a slot of the hash table, which tells most nodes apart, and the node with
 * its name and its first server in one block.
 */
#ifndef VNAME_TABLE_INT_H
#define VNAME_TABLE_INT_H

#include <vname/store.h>

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

/* Longest name of a server that is kept in the block of its node. */
#define MAX_ROOM 1024

struct user {
    struct user *next;
    int64_t nodes, rpcs;
    int64_t coming; /* nodes that the store is being asked to keep */
    int64_t rev;    /* of the guard of the count in the store */
    struct vdl_str id; /* behind the struct */
};

/* Nodes without parent: the root only. What a walk reads stands together, at
 * the end. */
struct node {
    struct node *children;      /* first child */
    struct node *next, **pprev; /* siblings */
    struct perms *template;
    struct user *creator;
    struct node *parent;
    uint64_t hash;              /* of the path */
    struct server *servers;     /* most recent first */
    struct perms *perms;
    int64_t rev;  /* of its record in a whole store; 0: there is none */
    int32_t version;
    bool mounted : 1;  /* has a mount record, even if all servers expired */
    bool mt : 1, leaf : 1;
    bool explicit : 1; /* permissions were set: never collected */
    bool read : 1;     /* in this round of reading everything anew */
    bool room_used : 1;
    uint16_t globs; /* that rest here */
    uint16_t len;
    uint16_t room;  /* for the name of a server; 0: there is no such place */
    char name[]; /* the element; then, aligned, the server */
};

struct slot {
    struct node *n; /* NULL = free */
    uint32_t hash;  /* the low bits of the node's */
};

/* A write that the store is keeping. */
struct ticket {
    struct vname_write *w; /* NULL = free */
    uint32_t generation, next_free;
    struct user *creator;  /* of new nodes; NULL = none */
    uint32_t made;
};

struct vname_table {
    const struct v23_alloc *al;
    const struct v23_log *log;
    struct node *root;
    struct slot *slots; /* a node is in the first free one from its own on */
    size_t nslots, nodes, servers;
    struct perms **perms; /* by hash; no references */
    size_t perms_buckets, nperms;
    struct v23_arena scratch; /* between two operations empty */
    struct vname_glob *globs;
    size_t nglobs;
    int glob_steps; /* of one turn; less in tests */
    struct user **users; /* by hash of the id */
    size_t nuser_buckets, nusers;
    struct perms *superusers; /* map with one list, "Admin"; NULL = none */
    uint32_t max_nodes_per_user;
    bool empty_elements;
    const struct vname_store *store; /* NULL = memory only */
    struct ticket *tickets;          /* writes that the store is keeping */
    size_t ntickets, cap_tickets;
    uint32_t free_ticket;            /* index + 1 */
    struct vname_write *waiting, **waiting_end;
    size_t nwaiting; /* with those being kept */
    struct load *load;     /* of a permissions file, not all there yet */
    int load_rc;
    char load_why[256];
    struct sweep *sweeps;
    size_t swept;   /* slots looked at in this round */
    bool rereading;
    struct {
        struct node *at; /* whose turn is next; NULL = nothing is reported */
        struct v23_buf name;
    } kept;
    vname_count_fn *on_count; /* NULL = nobody */
    void *on_count_ud;
};

/* ---- errors (table_error.c) ---------------------------------------------- */

/* NULL caller: only that it is an error counts. */
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

static inline bool vname_table_is_whole_(const struct vname_table *t)
{
    return t->store != NULL && t->store->whole;
}

/* ---- users (table_user.c) ------------------------------------------------ */

/* Find or remember. NULL: out of memory. */
struct user *vname_user_(struct vname_table *t, struct vdl_str id);
/* The caller's user id in the arena; NULL names: the server itself. */
int vname_user_id_(const struct vname_caller *c, struct vdl_str *out);
/* So many more nodes and calls, or fewer. */
void vname_user_count_(struct vname_table *t, struct user *u, int64_t nodes,
    int64_t rpcs);
void vname_users_fini_(struct vname_table *t);

/* ---- tree (table_tree.c) ------------------------------------------------- */

struct path {
    const struct vdl_str *v;
    size_t n;
};
int vname_path_split_(struct v23_arena *a, struct vdl_str name,
    struct path *out);
struct node *vname_child_(const struct vname_table *t,
    const struct node *parent, struct vdl_str element);
/*
 * A new child; the quota is the caller's business. NULL: out of memory.
 * @param room  for the name of a server; 0 = for none
 */
struct node *vname_child_new_(struct vname_table *t, struct node *parent,
    struct vdl_str element, struct user *creator, size_t room);
/* Remove a node with everything below it. */
void vname_node_delete_(struct vname_table *t, struct node *n);
/* A server of no list yet, in the block of `n` (NULL: none) if there is room.
 * NULL: out of memory. */
struct server *vname_server_new_(struct vname_table *t, struct node *n,
    struct vdl_str name);
/* Free a server of that node that is in no list. */
void vname_server_free_(struct vname_table *t, struct node *n,
    struct server *s);
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
/* What comes after a node's version when permissions are set. */
int32_t vname_next_version_(const struct node *n);
/* Give a node permissions (takes the reference): next version, explicit. */
void vname_node_set_(struct node *n, struct perms *perms);
/* Depth first, parents before children; keeps the name up to date, whose
 * `err` may be set. NULL: that was the last. */
struct node *vname_next_node_(const struct node *n, struct v23_buf *name);
/* These permissions, or being a superuser, give one of the tags. */
bool vname_allows_(const struct vname_table *t, const struct perms *p,
    int tags, const struct vname_caller *c);
bool vname_satisfies_(const struct vname_table *t, const struct node *n,
    int tags, const struct vname_caller *c);
/* A node was made by that user after all. */
void vname_set_creator_(struct vname_table *t, struct node *n,
    struct user *creator);
/* Remove a node without children, then its ancestors that the store does not
 * know and that are of no use; nobody asks what of them has expired. */
void vname_prune_(struct vname_table *t, struct node *n);

/* How far the elements of a name lead (spec/naming.md 7.3). */
struct spot {
    struct path p;
    struct node *n;  /* the last node of the path that is there */
    size_t have;     /* elements up to it */
    bool below;      /* n is an active mount above the name */
    /* Of the nodes to be made, one after the other: */
    struct user *creator;
    struct perms **perms; /* references, or NULL: none */
    int32_t version;
    size_t made; /* how many */
};
static inline bool vname_spot_found_(const struct spot *s)
{
    return s->have + s->made == s->p.n;
}
/* Permissions of the node found, or of the one that will be made. */
static inline struct perms *vname_spot_perms_(const struct spot *s)
{
    return s->made != 0 ? s->perms[s->made - 1] : s->n->perms;
}
/*
 * Walk as far as there are nodes. An error leaves s->n where it happened. The
 * spot is valid until the table changes, but for vname_spot_make_().
 */
const struct v23_verror *vname_walk_(struct vname_table *t,
    const struct vname_caller *c, struct path p, struct spot *s);
/* The same without checks, also through mounts. */
void vname_spot_plain_(const struct vname_table *t, struct path p,
    struct spot *s);
/* Think over the rest of the path, unless it is below a mount; NULL caller:
 * without checks and quota, by `creator`. s->made is right after an error, too.
 */
const struct v23_verror *vname_spot_plan_(struct vname_table *t,
    const struct vname_caller *c, struct vdl_str creator, struct spot *s);
/* Make the nodes, the last one with room for the name of a server. That one, or
 * NULL: out of memory. */
struct node *vname_spot_make_(struct vname_table *t, const struct spot *s,
    size_t room);
void vname_spot_fini_(const struct spot *s);

/* A node is about to go: walks that rest at it move on (table_glob.c). */
void vname_glob_leaves_(struct vname_table *t, struct node *n);

/* ---- shared by the operations (table.c) ---------------------------------- */

/* Elements of a name; `bounded` refuses what must not be created. */
const struct v23_verror *vname_split_(const struct vname_caller *c,
    struct vdl_str name, bool bounded, struct path *out);
/* Find a node that satisfies `tags`. Below a mount point or missing: *out =
 * NULL. */
const struct v23_verror *vname_find_(struct vname_table *t,
    const struct vname_caller *c, struct path p, int tags, struct node **out);
/* Servers of a mount with the time left, `rest` joined to their names. */
int vname_copy_servers_(const struct vname_caller *c, const struct node *n,
    struct vdl_str rest, v23_naming_mount_entry *out);
/* The last `left` elements of a name as text; it is a cut of the name. */
struct vdl_str vname_tail_of_(struct vdl_str name, struct path p,
    size_t left);

/* ---- what writes do (table.c, table_set.c, table_load.c, table_sweep.c) --- */

/* A write that is being thought over. */
struct changes {
    bool whole;    /* say what it changes; else change it */
    struct spot s; /* where */
    struct perms *fresh;    /* a reference, or NULL */
    struct vname_change *v; /* for a store, in the caller's arena */
    size_t n;
};
typedef const struct v23_verror *vname_write_fn(struct vname_table *t,
    const struct vname_write *w, struct changes *ch);
vname_write_fn vname_do_mount_, vname_do_unmount_, vname_do_delete_,
    vname_do_set_, vname_do_load_, vname_do_collect_;

/* Walk along ch->s.p to the node of a write, and with `create` think over what is missing.
 * What is found, or will be made, satisfies `tags`, or its parent does
 * `parent_tags` (0: only the node). */
const struct v23_verror *vname_write_find_(struct vname_table *t,
    const struct vname_write *w, struct changes *ch, bool create, int tags,
    int parent_tags);
/* Out of memory, or what a store gave. */
const struct v23_verror *vname_write_failed_(const struct vname_caller *c,
    int rc);
/* Ask a store that answers at once. 0 or a status. */
int vname_table_tell_(const struct vname_table *t,
    const struct vname_change *ch);
/* Nobody waits any more (the table is being freed). */
void vname_write_fini_(struct vname_table *t);
void vname_load_free_(struct vname_table *t);
void vname_sweeps_free_(struct vname_table *t);
/* The file's text is plain enough for JSON. */
bool vname_is_plain_(struct vdl_str s);
/* No element is empty or too long, and there are not too many. */
bool vname_path_fits_(struct path p, bool empty_ones);

/* ---- changes for whole stores (table_change.c) --------------------------- */

/*
 * The path of a spot: what is there stays the same, what is missing is made or,
 * if it will not be, stays missing. Room is left for three more. The last one
 * is that of the node itself when it was found.
 */
const struct v23_verror *vname_changes_path_(const struct vname_table *t,
    const struct vname_caller *c, struct changes *ch);
/* One more, of the spot's own node. */
void vname_changes_add_(struct changes *ch, enum vname_change_kind kind);
/* Make the last change a VNAME_KEEP of the spot's node as it is now, without
 * expired servers; the array has room for one more. NULL: out of memory. */
struct vname_mounted *vname_changes_keep_(const struct vname_caller *c,
    struct changes *ch);

#endif

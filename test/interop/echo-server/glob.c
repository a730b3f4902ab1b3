/* BSD-3-Clause; see LICENSE. */
/* The little tree of names, seen child by child or as a whole (`all`). */
#include "server.h"

#include <vrpc/verror.h>

static const char *const no_children[] = { NULL };
static const char *const children_of_root[] = { "a", "err", "x", NULL };
static const char *const children_of_a[] = { "b", "c", NULL };
static const char *const children_of_a_c[] = { "d", NULL };
static const char *const children_of_x[] = { "y z", NULL };

const struct echo_node echo_tree[ECHO_NODES] = {
    { "", children_of_root, false },
    { "a", children_of_a, false },
    { "a/b", no_children, false },
    { "a/c", children_of_a_c, false },
    { "a/c/d", no_children, false },
    { "err", no_children, true },
    { "x", children_of_x, false },
    { "x/y z", no_children, false },
};

/* ---- children ------------------------------------------------------------ */

static int send_children(void *self, struct vrpc_glob_call *g,
    const struct vrpc_glob *pattern)
{
    const struct echo_object *o = self;
    struct vrpc_server_call *call = vrpc_glob_server_call(g);
    struct vdl_str name;
    size_t i;
    int rc = 0;

    if (o->node->denied)
        return vrpc_glob_send_error(g, vdl_str(""),
            vrpc_err_make(vrpc_server_call_arena(call),
                vrpc_server_call_errctx(call), VRPC_ERR_NO_ACCESS,
                "access denied"));
    for (i = 0; o->node->children[i] != NULL && rc == 0; i++) {
        name = vdl_str(o->node->children[i]);
        if (vrpc_glob_match(pattern, name))
            rc = vrpc_glob_send_child(g, name);
    }
    return rc;
}

const struct vrpc_globber echo_children = { .children = send_children };

/* ---- the whole tree at once ---------------------------------------------- */

struct walk {
    struct vrpc_glob pattern;
    size_t next; /* node; ECHO_NODES: the error at the end */
};

/* Every element of the name matches, and nothing of the pattern is left. */
static bool matches(const struct vrpc_glob *pattern, const char *name)
{
    struct vrpc_glob g = *pattern;
    const char *end;

    while (*name != 0) {
        end = strchr(name, '/');
        if (end == NULL)
            end = name + strlen(name);
        if (vrpc_glob_is_empty(&g)
            || !vrpc_glob_match(&g, vdl_strn(name, (size_t)(end - name))))
            return false;
        g = vrpc_glob_tail(&g);
        name = *end == '/' ? end + 1 : end;
    }
    return g.n == 0;
}

static int send_next(struct vrpc_glob_call *g, const struct walk *w)
{
    struct vrpc_server_call *call = vrpc_glob_server_call(g);
    v23_naming_mount_entry e;

    if (w->next == ECHO_NODES)
        return vrpc_glob_send_error(g, vdl_str("some/where"),
            vrpc_err_make(vrpc_server_call_arena(call),
                vrpc_server_call_errctx(call), VRPC_ERR_NO_EXIST,
                "does not exist"));
    if (!matches(&w->pattern, echo_tree[w->next].name))
        return 0;
    memset(&e, 0, sizeof(e));
    e.name = vdl_str(echo_tree[w->next].name);
    e.is_leaf = echo_tree[w->next].children[0] == NULL;
    return vrpc_glob_send_entry(g, &e);
}

static int walk(struct vrpc_glob_call *g, struct walk *w)
{
    int rc;

    for (; w->next <= ECHO_NODES; w->next++) {
        rc = send_next(g, w);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int send_all(void *self, struct vrpc_glob_call *g,
    const struct vrpc_glob *pattern)
{
    struct vrpc_server_call *call = vrpc_glob_server_call(g);
    struct walk *w = v23_arena_new(vrpc_server_call_arena(call),
        struct walk);

    (void)self;
    if (w == NULL)
        return V23_ENOMEM;
    w->pattern = *pattern;
    vrpc_glob_set_data(g, w);
    return walk(g, w);
}

static void go_on(void *self, struct vrpc_glob_call *g)
{
    int rc = walk(g, vrpc_glob_data(g));

    (void)self;
    if (rc != V23_EAGAIN)
        vrpc_glob_done(g, rc);
}

const struct vrpc_globber echo_all = { .glob = send_all, .writable = go_on };

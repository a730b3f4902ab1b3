/* BSD-3-Clause; see LICENSE. */
/*
 * Depth-first topological sort in order of insertion, children before parents.
 * The walk keeps its own stack: a chain of constants may be long.
 */
#include "compile.h"

struct topo_node {
    const char *name;
    void *value;
    struct list children; /* struct topo_node */
    size_t next;          /* child to visit */
    bool on_path, done;
};

void topo_node(struct ctx *c, struct toposort *t, const char *name,
    void *value)
{
    struct topo_node *n = map_get(&t->index, name);

    if (n == NULL) {
        n = ctx_new(c, struct topo_node);
        n->name = name;
        map_put(c, &t->index, name, n);
        list_push(c, &t->order, n);
    }
    n->value = value;
}

void topo_edge(struct ctx *c, struct toposort *t, const char *from,
    const char *to)
{
    struct topo_node *a = map_get(&t->index, from);
    struct topo_node *b = map_get(&t->index, to);

    if (a != NULL && b != NULL)
        list_push(c, &a->children, b);
}

/* "[p <= q <= p]": from the repeated node down to itself. */
static void put_cycle(struct v23_buf *b, const struct list *path,
    const struct topo_node *again)
{
    size_t i = path->n;

    v23_buf_printf(b, "%s[%s", b->n > 0 ? " " : "", again->name);
    while (i-- > 0) {
        const struct topo_node *n = path->v[i];

        v23_buf_printf(b, " <= %s", n->name);
        if (n == again)
            break;
    }
    v23_buf_puts(b, "]");
}

const char *topo_sort(struct ctx *c, struct toposort *t, struct list *out,
    const char **first)
{
    struct list path = { 0 };
    struct v23_buf cycles;
    size_t i;

    v23_buf_init(&cycles, NULL, SIZE_MAX);
    for (i = 0; i < t->order.n; i++) {
        struct topo_node *n = t->order.v[i], *child;

        if (n->done)
            continue;
        n->on_path = true;
        list_push(c, &path, n);
        while (path.n > 0) {
            n = path.v[path.n - 1];
            if (n->next == n->children.n) {
                n->done = true;
                n->on_path = false;
                list_push(c, out, n->value);
                path.n--;
                continue;
            }
            child = n->children.v[n->next++];
            if (child->on_path) {
                if (cycles.n == 0 && first != NULL)
                    *first = child->name;
                put_cycle(&cycles, &path, child);
            } else if (!child->done) {
                child->on_path = true;
                list_push(c, &path, child);
            }
        }
    }
    if (cycles.n == 0)
        return NULL;
    return ctx_take(c, &cycles);
}

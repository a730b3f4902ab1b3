/* BSD-3-Clause; see LICENSE. */
/*
 * Servers of pages: hooks of controllers that give each server a node in memory
 * (world.h), named like the first part of the first name that it serves, or
 * "unnamed". A node whose server has stopped serves again.
 */
#ifndef WSPR_SERVINGS_H
#define WSPR_SERVINGS_H

#include "../../librpc/test/world.h"

#include <wspr/controller.h>

struct serving {
    struct wspr_serving s; /* first member; server NULL: it has stopped */
    struct wnode *n;
    char node[24]; /* its name */
    char name[64]; /* first one published */
    void (*done)(void *ud);
    void *done_ud;
};

static struct {
    struct serving v[WORLD_NODES];
    size_t n;
    char names[512]; /* published and withdrawn: "+a +b -a" */
    int fails;       /* what comes of serving; 0 = it works */
    bool slow_stop;  /* `done` is left to the test */
} S;

static inline void serving_note(char sign, struct vdl_str name)
{
    size_t n = strlen(S.names);

    snprintf(S.names + n, sizeof(S.names) - n, "%s%c%.*s", n == 0 ? "" : " ",
        sign, (int)name.n, name.n == 0 ? "" : name.p);
}

/* One that has stopped, or a new one. */
static inline int serving_new(const char *name, struct serving **out)
{
    struct serving *s = S.v, *end = s + S.n;
    int n = (int)strcspn(name, "/"), rc;

    while (s < end && s->s.server != NULL)
        s++;
    *out = s;
    if (s < end)
        return 0;
    if (W.nnodes == WORLD_NODES)
        return V23_ELIMIT;
    memset(s, 0, sizeof(*s));
    if (n == 0)
        snprintf(s->node, sizeof(s->node), "unnamed");
    else
        snprintf(s->node, sizeof(s->node), "%.*s", n, name);
    rc = world_node(&W, s->node, 100 + S.n, &s->n);
    if (rc == 0)
        S.n++;
    else
        world_node_fini(&W.nodes[--W.nnodes]);
    return rc;
}

static inline int serving_serve(void *ud, const struct vrpc_server_config *cfg,
    struct vdl_str name, struct wspr_serving **out)
{
    struct serving *s;
    char text[64];
    int rc = S.fails;

    (void)ud;
    snprintf(text, sizeof(text), "%.*s", (int)name.n,
        name.n == 0 ? "" : name.p);
    if (rc == 0)
        rc = serving_new(text, &s);
    if (rc == 0)
        rc = vrpc_server_new(s->n->m, cfg, &s->n->s);
    if (rc != 0)
        return rc;
    memcpy(s->name, text, sizeof(text));
    s->s.server = s->n->s;
    serving_note('+', name);
    *out = &s->s;
    return 0;
}

static inline int serving_add_name(void *ud, struct wspr_serving *s,
    struct vdl_str name)
{
    (void)ud;
    (void)s;
    serving_note('+', name);
    return 0;
}

static inline void serving_remove_name(void *ud, struct wspr_serving *s,
    struct vdl_str name)
{
    (void)ud;
    (void)s;
    serving_note('-', name);
}

/* A list of one text. */
static inline int serving_text(struct v23_arena *a, const char *text,
    vdl_str_list *out)
{
    struct vdl_str *v = v23_arena_new(a, struct vdl_str);

    if (v == NULL)
        return V23_ENOMEM;
    v->p = v23_arena_dup(a, text, strlen(text));
    v->n = (uint32_t)strlen(text);
    out->v = v;
    out->n = 1;
    return v->p == NULL ? V23_ENOMEM : 0;
}

static inline int serving_endpoints(void *ud, struct wspr_serving *s,
    struct v23_arena *a, vdl_str_list *out)
{
    (void)ud;
    return serving_text(a, world_name(((struct serving *)s)->n, "") + 1, out);
}

static inline void serving_stopped(void *ud)
{
    struct serving *s = ud;

    vrpc_server_free(s->n->s);
    s->n->s = NULL;
    s->s.server = NULL;
    if (!S.slow_stop)
        s->done(s->done_ud);
}

static inline void serving_stop(void *ud, struct wspr_serving *serving,
    void (*done)(void *ud), void *done_ud)
{
    struct serving *s = (struct serving *)serving;

    (void)ud;
    s->done = done;
    s->done_ud = done_ud;
    vrpc_server_stop(s->n->s, V23_NS_PER_SEC, serving_stopped, s);
}

/* For the tables of hooks. */
#define SERVING_HOOKS                                                          \
    .serve = serving_serve, .add_name = serving_add_name,                      \
    .remove_name = serving_remove_name, .endpoints = serving_endpoints,        \
    .stop = serving_stop

#endif

/* BSD-3-Clause; see LICENSE. */
/* __Glob calls of the pair's client, and what they give as text. */
#ifndef GLOBBED_H
#define GLOBBED_H

#include <stdarg.h>

#include <v23/vdl/v.io/v23/naming/naming.vdl.h>
#include <vom/value.h>

#include "echo.h"

struct globbed {
    int done, entries, errors;
    char id[96];
    char text[2048]; /* one "name" or "name!id" each, then '\n' */
};

static struct globbed G;

static void note(const char *fmt, ...) V23_PRINTF(1, 2);
static void note(const char *fmt, ...)
{
    size_t n = strlen(G.text);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(G.text + n, sizeof(G.text) - n, fmt, ap);
    va_end(ap);
}

static void glob_item(void *ud, struct vdl_any item)
{
    const v23_naming_glob_reply *r;
    struct v23_arena a;
    v23_naming_glob_reply conv;

    (void)ud;
    v23_arena_init(&a, NULL, SIZE_MAX);
    ck_assert_int_eq(vdl_convert(&a, &v23_naming_glob_reply_desc, &conv,
        item.type, item.val), 0);
    r = &conv;
    if (r->which == V23_NAMING_GLOB_REPLY_ENTRY) {
        G.entries++;
        note("%.*s%s\n", (int)r->u.entry.name.n, r->u.entry.name.p,
            r->u.entry.is_leaf ? " leaf" : "");
    } else {
        const char *dot = NULL;
        int i;

        for (i = 0; i < (int)r->u.error.error->id.n; i++)
            if (r->u.error.error->id.p[i] == '.')
                dot = r->u.error.error->id.p + i + 1;
        G.errors++;
        note("%.*s!%.*s\n", (int)r->u.error.name.n, r->u.error.name.p,
            (int)(r->u.error.error->id.p + r->u.error.error->id.n - dot),
            dot);
    }
    v23_arena_fini(&a);
}

static void glob_done(void *ud, const struct v23_verror *err,
    const struct vdl_any *results, size_t n)
{
    (void)ud;
    (void)results;
    (void)n;
    G.done++;
    if (err != NULL)
        snprintf(G.id, sizeof(G.id), "%.*s", (int)err->id.n, err->id.p);
}

static const struct vrpc_any_cb glob_cb = { glob_item, glob_done };

static struct vrpc_call *glob_start(const char *suffix, const char *pattern)
{
    struct vdl_str p = vdl_str(pattern);
    struct vdl_any arg = { &vdl_string_desc, &p };
    struct vrpc_call *call;

    memset(&G, 0, sizeof(G));
    call = vrpc_client_start_any(P.c->c, vdl_str(world_name(P.s, suffix)),
        vdl_str("__Glob"), NULL, &arg, 1, 0, &glob_cb, NULL);
    ck_assert_ptr_nonnull(call);
    vrpc_call_close_send(call);
    return call;
}

static const char *glob(const char *suffix, const char *pattern)
{
    glob_start(suffix, pattern);
    ck_assert(world_until(&W, &G.done, 10 * SEC));
    ck_assert_uint_eq(vrpc_server_ncalls(P.s->s), 0);
    return G.text;
}

#endif

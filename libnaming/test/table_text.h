/* BSD-3-Clause; see LICENSE. */
/* Who calls a mount table, and what it says, as text for tests. */
#ifndef TABLE_TEXT_H
#define TABLE_TEXT_H

#include <stdio.h>
#include <stdlib.h>

#include <suite.h>
#include <support.h>
#include <v23/time.h>
#include <vname/store.h>
#include <vrpc/glob.h>
#include <vsec/acl.h>

/* Someone with one name, or with none ("" or NULL). */
static inline struct vname_caller *table_caller(const char *name,
    struct v23_arena *a, int64_t now_ns)
{
    static struct vname_caller c;
    static struct vdl_str one;

    memset(&c, 0, sizeof(c));
    one = vdl_str(name);
    c.arena = a;
    c.names.v = &one;
    c.names.n = one.n != 0;
    c.now_ns = now_ns;
    return &c;
}

static inline v23_access_permissions table_perms(const char *json,
    struct v23_arena *a)
{
    v23_access_permissions p;

    ck_assert_int_eq(vsec_perms_from_json(v23_bytes(json, strlen(json)), a, &p,
                         NULL),
        0);
    return p;
}

/* "" for success, the text of an error without id, else the id's last part. */
static inline const char *table_said(const struct v23_verror *err)
{
    static char text[512];
    const char *dot;

    if (err == NULL)
        return "";
    if (vdl_str_is(err->id, "v.io/v23/verror.Unknown")) {
        snprintf(text, sizeof(text), "%.*s", (int)err->msg.n, err->msg.p);
        return text;
    }
    snprintf(text, sizeof(text), "%.*s", (int)err->id.n, err->id.p);
    dot = strrchr(text, '.');
    return dot == NULL ? text : dot + 1;
}

/* "rest server=seconds … [MT] [L]"; what is left of a second counts as one
 * together with `ns`. */
static inline void table_put_entry(struct v23_buf *b,
    const v23_naming_mount_entry *e, int32_t ns)
{
    uint32_t i;

    v23_buf_put_str(b, e->name);
    for (i = 0; i < e->servers.n; i++) {
        const v23_naming_mounted_server *s = &e->servers.v[i];

        v23_buf_printf(b, " %.*s=%d", (int)s->server.n, s->server.p,
            (int)(s->deadline.from_now.seconds
                + (s->deadline.from_now.nanos + ns >= V23_NS_PER_SEC)));
    }
    v23_buf_puts(b, e->serves_mount_table ? " MT" : "");
    v23_buf_puts(b, e->is_leaf ? " L" : "");
}

/* Such an entry, or the error. */
static inline const char *table_look(struct vname_table *t,
    struct vname_caller *c, const char *name, int32_t ns)
{
    static char text[65536];
    v23_naming_mount_entry e;
    struct v23_buf b;
    const struct v23_verror *err
        = vname_table_resolve(t, c, vdl_str(name), &e);

    if (err != NULL)
        return table_said(err);
    v23_buf_init_fixed(&b, text, sizeof(text));
    table_put_entry(&b, &e, ns);
    return v23_buf_cstr(&b);
}

/* "version json", or the error. */
static inline const char *table_get(struct vname_table *t,
    struct vname_caller *c, const char *name)
{
    static char text[65536];
    v23_access_permissions p;
    struct vdl_str version;
    struct v23_buf b;
    const struct v23_verror *err
        = vname_table_get_permissions(t, c, vdl_str(name), &p, &version);

    if (err != NULL)
        return table_said(err);
    v23_buf_init_fixed(&b, text, sizeof(text));
    v23_buf_put_str(&b, version);
    v23_buf_puts(&b, " ");
    ck_assert_int_eq(vsec_perms_to_json(&p, &b), 0);
    b.n--;
    return v23_buf_cstr(&b);
}

static inline struct vname_table_stats table_stats(
    const struct vname_table *t)
{
    struct vname_table_stats s;

    vname_table_stats(t, &s);
    return s;
}

#endif

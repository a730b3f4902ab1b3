/* BSD-3-Clause; see LICENSE. */
/* A mount table on a clock of its own, for tests of the table. */
#ifndef TABLE_RIG_H
#define TABLE_RIG_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include <suite.h>
#include <support.h>
#include <v23/time.h>
#include <vname/store.h>
#include <vrpc/glob.h>
#include <vsec/acl.h>

static struct {
    struct tst_alloc t;
    struct vname_table *table;
    struct v23_arena arena; /* of callers */
    int64_t now_ns;
    char text[65536]; /* result of look() and friends */
} R;

static inline void rig_new_table(uint32_t max_nodes)
{
    struct vname_table_config cfg;

    memset(&cfg, 0, sizeof(cfg));
    cfg.al = &R.t.al;
    cfg.max_nodes_per_user = max_nodes;
    ck_assert_int_eq(vname_table_new(&cfg, &R.table), 0);
}

static inline void rig_setup(void)
{
    memset(&R, 0, sizeof(R));
    tst_alloc_init(&R.t);
    R.now_ns = 1000 * V23_NS_PER_SEC;
    v23_arena_init(&R.arena, &R.t.al, SIZE_MAX);
    rig_new_table(0);
}

static inline void rig_teardown(void)
{
    vname_table_free(R.table);
    v23_arena_fini(&R.arena);
    ck_assert_uint_eq(R.t.live, 0);
}

/* Someone with one name, or with none ("" or NULL). */
static inline struct vname_caller *as(const char *name)
{
    static struct vname_caller c;
    static struct vdl_str one;

    memset(&c, 0, sizeof(c));
    one = vdl_str(name);
    c.arena = &R.arena;
    c.names.v = &one;
    c.names.n = one.n != 0;
    c.now_ns = R.now_ns;
    return &c;
}

/* "" for success, the text of an error without id, else the id's last part. */
static inline const char *said(const struct v23_verror *err)
{
    static char text[1024];
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

static inline const char *do_mount(const char *who, const char *name,
    const char *server, uint32_t ttl, uint32_t flags)
{
    return said(vname_table_mount(R.table, as(who), vdl_str(name),
        vdl_str(server), ttl, flags));
}

static inline const char *do_unmount(const char *who, const char *name,
    const char *server)
{
    return said(vname_table_unmount(R.table, as(who), vdl_str(name),
        vdl_str(server)));
}

static inline const char *do_delete(const char *who, const char *name,
    bool subtree)
{
    return said(
        vname_table_delete(R.table, as(who), vdl_str(name), subtree));
}

static inline const char *do_set(const char *who, const char *name,
    const char *json, const char *version)
{
    v23_access_permissions p;

    ck_assert_int_eq(vsec_perms_from_json(v23_bytes(json, strlen(json)),
                         &R.arena, &p, NULL),
        0);
    return said(vname_table_set_permissions(R.table, as(who), vdl_str(name),
        &p, vdl_str(version)));
}

/* "version json", or the error. */
static inline const char *do_get(const char *who, const char *name)
{
    v23_access_permissions p;
    struct vdl_str version;
    struct v23_buf b;
    const struct v23_verror *err = vname_table_get_permissions(R.table,
        as(who), vdl_str(name), &p, &version);

    if (err != NULL)
        return said(err);
    v23_buf_init_fixed(&b, R.text, sizeof(R.text));
    v23_buf_put_str(&b, version);
    v23_buf_puts(&b, " ");
    ck_assert_int_eq(vsec_perms_to_json(&p, &b), 0);
    b.n--;
    return v23_buf_cstr(&b);
}

static inline void put_entry(struct v23_buf *b,
    const v23_naming_mount_entry *e)
{
    uint32_t i;

    v23_buf_put_str(b, e->name);
    for (i = 0; i < e->servers.n; i++) {
        v23_buf_puts(b, " ");
        v23_buf_put_str(b, e->servers.v[i].server);
        v23_buf_printf(b, "=%d",
            (int)e->servers.v[i].deadline.from_now.seconds);
    }
    v23_buf_puts(b, e->serves_mount_table ? " MT" : "");
    v23_buf_puts(b, e->is_leaf ? " L" : "");
}

/* "rest server=seconds … [MT] [L]", or the error. */
static inline const char *look(const char *who, const char *name)
{
    v23_naming_mount_entry e;
    struct v23_buf b;
    const struct v23_verror *err
        = vname_table_resolve(R.table, as(who), vdl_str(name), &e);

    if (err != NULL)
        return said(err);
    v23_buf_init_fixed(&b, R.text, sizeof(R.text));
    put_entry(&b, &e);
    return v23_buf_cstr(&b);
}

struct lines {
    char *v[1024];
    size_t n;
};

static inline int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static inline int collect_line(void *ud, const v23_naming_mount_entry *e)
{
    struct lines *l = ud;
    char text[4096];
    struct v23_buf b;

    v23_buf_init_fixed(&b, text, sizeof(text));
    put_entry(&b, e);
    ck_assert_uint_lt(l->n, 1024);
    l->v[l->n] = v23_arena_dup(&R.arena, b.p, b.n);
    return l->v[l->n++] == NULL ? V23_ENOMEM : 0;
}

/* The entries, sorted, each in brackets. */
/* Call fn for each entry of a glob until it returns other than 0. */
static inline int each(const struct vname_caller *c, const char *name,
    const struct vrpc_glob *pattern,
    int (*fn)(void *ud, const v23_naming_mount_entry *e), void *ud)
{
    v23_naming_mount_entry e;
    struct vname_glob *g;
    int rc = vname_glob_new(R.table, c, vdl_str(name), pattern, &g);

    if (rc != 0)
        return rc;
    while (rc == 0 || rc == V23_EAGAIN) {
        rc = vname_glob_next(g, R.now_ns, &e);
        if (rc == 0)
            rc = fn(ud, &e);
    }
    vname_glob_free(g);
    return rc == V23_EEOF ? 0 : rc;
}

static inline const char *list(const char *who, const char *name,
    const char *pattern)
{
    struct vrpc_glob g;
    struct lines l;
    struct v23_buf b;
    size_t i;

    l.n = 0;
    ck_assert_int_eq(vrpc_glob_parse(&R.arena, vdl_str(pattern), &g), 0);
    ck_assert_int_eq(each(as(who), name, &g, collect_line, &l), 0);
    qsort(l.v, l.n, sizeof(l.v[0]), by_text);
    v23_buf_init_fixed(&b, R.text, sizeof(R.text));
    for (i = 0; i < l.n; i++)
        v23_buf_printf(&b, "[%s]", l.v[i]);
    return v23_buf_cstr(&b);
}

static inline size_t nodes(void)
{
    struct vname_table_stats s;

    vname_table_stats(R.table, &s);
    return s.nodes;
}

static inline size_t servers(void)
{
    struct vname_table_stats s;

    vname_table_stats(R.table, &s);
    return s.servers;
}

#endif

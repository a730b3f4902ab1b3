/* BSD-3-Clause; see LICENSE. */
/* A mount table on a clock of its own, for tests of the table. */
#ifndef TABLE_RIG_H
#define TABLE_RIG_H

#include "table_text.h"

static struct {
    struct tst_alloc t;
    struct vname_table *table;
    struct v23_arena arena; /* of callers */
    int64_t now_ns;
    char text[65536]; /* result of list() */
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

static inline struct vname_caller *as(const char *name)
{
    return table_caller(name, &R.arena, R.now_ns);
}

static inline const char *do_mount(const char *who, const char *name,
    const char *server, uint32_t ttl, uint32_t flags)
{
    return table_said(vname_table_mount(R.table, as(who), vdl_str(name),
        vdl_str(server), ttl, flags));
}

static inline const char *do_unmount(const char *who, const char *name,
    const char *server)
{
    return table_said(vname_table_unmount(R.table, as(who), vdl_str(name),
        vdl_str(server)));
}

static inline const char *do_delete(const char *who, const char *name,
    bool subtree)
{
    return table_said(
        vname_table_delete(R.table, as(who), vdl_str(name), subtree));
}

static inline const char *do_set(const char *who, const char *name,
    const char *json, const char *version)
{
    v23_access_permissions p = table_perms(json, &R.arena);

    return table_said(vname_table_set_permissions(R.table, as(who),
        vdl_str(name), &p, vdl_str(version)));
}

static inline const char *do_get(const char *who, const char *name)
{
    return table_get(R.table, as(who), name);
}

static inline const char *look(const char *who, const char *name)
{
    return table_look(R.table, as(who), name, 0);
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
    table_put_entry(&b, e, 0);
    ck_assert_uint_lt(l->n, 1024);
    l->v[l->n] = v23_arena_dup(&R.arena, b.p, b.n);
    return l->v[l->n++] == NULL ? V23_ENOMEM : 0;
}

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

/* The entries, sorted, each in brackets. */
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
    return table_stats(R.table).nodes;
}

static inline size_t servers(void)
{
    return table_stats(R.table).servers;
}

#endif

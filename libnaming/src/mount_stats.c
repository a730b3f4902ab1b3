/* BSD-3-Clause; see LICENSE. */
/* Counts of a mount table among the statistics of its program. */
#include <vname/mount_service.h>

#define PREFIX "mounttable"

static int put(struct v23_arena *a, size_t n, struct vdl_any *out)
{
    int64_t *v = v23_arena_new(a, int64_t);

    if (v == NULL)
        return V23_ENOMEM;
    *v = (int64_t)n;
    out->type = &vdl_int64_desc;
    out->val = v;
    return 0;
}

static int nodes(void *ud, const struct v23_now *now, struct v23_arena *a,
    struct vdl_any *out)
{
    struct vname_table_stats ts;

    (void)now;
    vname_table_stats(((struct vname_mount_stats *)ud)->table, &ts);
    return put(a, ts.nodes, out);
}

static int servers(void *ud, const struct v23_now *now, struct v23_arena *a,
    struct vdl_any *out)
{
    struct vname_table_stats ts;

    (void)now;
    vname_table_stats(((struct vname_mount_stats *)ud)->table, &ts);
    return put(a, ts.servers, out);
}

/* A user without room in the tree is not counted there. */
static void count(void *ud, struct vdl_str id, int64_t n, int64_t rpcs)
{
    struct vname_mount_stats *s = ud;
    struct v23_now now;

    s->now(s->ud, &now);
    if (n != 0)
        (void)vrpc_stat_map_incr(s->nodes, id, n, now.mono_ns);
    if (rpcs != 0)
        (void)vrpc_stat_map_incr(s->rpcs, id, rpcs, now.mono_ns);
}

int vname_mount_stats_init(struct vname_mount_stats *s)
{
    int rc = vrpc_stats_func(s->stats, vdl_str(PREFIX "/num-nodes"), nodes, s);

    if (rc != 0)
        return rc;
    rc = vrpc_stats_func(s->stats, vdl_str(PREFIX "/num-mounted-servers"),
        servers, s);
    if (rc == 0)
        rc = vrpc_stats_map(s->stats, vdl_str(PREFIX "/num-nodes-per-user"),
            &s->nodes);
    if (rc == 0)
        rc = vrpc_stats_map(s->stats, vdl_str(PREFIX "/num-rpcs-per-user"),
            &s->rpcs);
    if (rc != 0) {
        (void)vrpc_stats_delete(s->stats, vdl_str(PREFIX));
        return rc;
    }
    vname_table_users(s->table, count, s);
    vname_table_on_count(s->table, count, s);
    return 0;
}

void vname_mount_stats_fini(struct vname_mount_stats *s)
{
    vname_table_on_count(s->table, NULL, NULL);
    (void)vrpc_stats_delete(s->stats, vdl_str(PREFIX));
}

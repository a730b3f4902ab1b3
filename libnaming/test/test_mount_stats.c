/* BSD-3-Clause; see LICENSE. */
/* A mount table among the statistics of its program (spec/naming.md 9). */
#include "table_rig.h"

#include <vname/mount_service.h>
#include <vom/value.h>

#define SERVER "/127.0.0.1:1"

static struct vrpc_stats *S;
static struct vname_mount_stats M;

static void tell_time(void *ud, struct v23_now *out)
{
    (void)ud;
    out->mono_ns = R.now_ns;
    out->wall.sec = R.now_ns / V23_NS_PER_SEC;
    out->wall.nanos = 0;
}

static void setup(void)
{
    struct vrpc_stats_config cfg;
    struct v23_now now;

    rig_setup();
    memset(&cfg, 0, sizeof(cfg));
    cfg.al = &R.t.al;
    tell_time(NULL, &now);
    ck_assert_int_eq(vrpc_stats_new(&cfg, &now, &S), 0);
    memset(&M, 0, sizeof(M));
    M.table = R.table;
    M.stats = S;
    M.now = tell_time;
}

static void teardown(void)
{
    vrpc_stats_free(S);
    rig_teardown();
}

/* -1: there is none. */
static int64_t count(const char *name)
{
    char full[128];
    struct v23_now now;
    struct vdl_any v;

    snprintf(full, sizeof(full), "mounttable/%s", name);
    tell_time(NULL, &now);
    if (vrpc_stats_value(S, vdl_str(full), &now, &R.arena, &v) != 0)
        return -1;
    ck_assert_ptr_eq(v.type, &vdl_int64_desc);
    return *(const int64_t *)v.val;
}

START_TEST(counts_follow_the_table)
{
    ck_assert_int_eq(vname_mount_stats_init(&M), 0);
    ck_assert_int_eq(count("num-nodes"), 1);
    ck_assert_int_eq(count("num-mounted-servers"), 0);
    ck_assert_int_eq(count("num-nodes-per-user/alice"), -1);
    ck_assert_str_eq(do_mount("alice", "a/b", SERVER, 60, 0), "");
    vname_table_count_rpc(R.table, as("alice"));
    vname_table_count_rpc(R.table, as("bob"));
    ck_assert_int_eq(count("num-nodes"), 3);
    ck_assert_int_eq(count("num-mounted-servers"), 1);
    ck_assert_int_eq(count("num-nodes-per-user/alice"), 2);
    ck_assert_int_eq(count("num-nodes-per-user/bob"), -1);
    ck_assert_int_eq(count("num-rpcs-per-user/bob"), 1);
    ck_assert_str_eq(table_said(vname_table_delete(R.table, as("bob"),
        vdl_str("a"), true)), "");
    ck_assert_int_eq(count("num-nodes-per-user/alice"), 0);
    ck_assert_int_eq(count("num-nodes"), 1);
    vname_mount_stats_fini(&M);
    ck_assert_int_eq(count("num-nodes"), -1);
    ck_assert_str_eq(do_mount("alice", "c", SERVER, 60, 0), "");
}
END_TEST

START_TEST(what_was_there_before_is_counted)
{
    ck_assert_str_eq(do_mount("alice/x", "a", SERVER, 60, 0), "");
    ck_assert_int_eq(vname_mount_stats_init(&M), 0);
    ck_assert_int_eq(count("num-nodes"), 2);
    ck_assert_int_eq(count("num-nodes-per-user/alice\\x"), 1);
    vname_mount_stats_fini(&M);
}
END_TEST

START_TEST(without_room_nothing_is_shown)
{
    struct vrpc_stat *s;

    ck_assert_int_eq(vrpc_stats_integer(S,
                         vdl_str("mounttable/num-nodes-per-user"), &s), 0);
    ck_assert_int_eq(vname_mount_stats_init(&M), V23_EEXIST);
    ck_assert_int_eq(count("num-nodes"), -1);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, counts_follow_the_table);
    tcase_add_test(tc, what_was_there_before_is_counted);
    tcase_add_test(tc, without_room_nothing_is_shown);
}

int main(void)
{
    return tst_run_case("libnaming/mount_stats", fill, setup, teardown);
}

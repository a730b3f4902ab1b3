/* BSD-3-Clause; see LICENSE. */
/*
 * What becomes of a journal when its process dies at any moment, or the power
 * fails, at any step of its disk. Then another process recovers, and may die as
 * well.
 *
 * Death loses nothing that was done. A power failure loses what was not
 * flushed: of each file any part behind its flushed octets, of the directory
 * any number of the last changes.
 */
#include <stdio.h>
#include <stdlib.h>

#include <suite.h>
#include <support.h>
#include <vname/store.h>
#include <vsec/acl.h>

#include "journal_disk.h"

#define CHANGES 30
/* The journal is rewritten now and then, while some changes are made. */
static const struct vname_journal_pace_ pace = { .slack = 300,
    .nodes = 1,
    .bytes = 100,
    .sync = 250 };

static int acked, flushed; /* changes; flushed: those of the last rewriting */
static int meanwhile;      /* changes while the journal was being rewritten */

static void directory_flushed(void)
{
    flushed = acked;
}

/* The process is gone; with the power also what was not flushed. */
static void reboot(bool power, uint32_t *random)
{
    int i;

    memset(D.fds, -1, sizeof(D.fds));
    D.left = LONG_MAX;
    for (i = 0; power && i < D.ninodes; i++) {
        struct inode *x = &D.inodes[i];

        *random = *random * 1664525u + 1013904223u;
        x->flushed += (*random >> 8) % (x->data.n - x->flushed + 1);
        v23_buf_cut(&x->data, x->flushed);
    }
    if (power) {
        *random = *random * 1664525u + 1013904223u;
        D.npast = 1 + (int)((*random >> 8) % (uint32_t)D.npast);
    }
    D.past[0] = *present();
    D.npast = 1;
}

/* ---- memory that goes with the process ----------------------------------- */

static struct {
    size_t used;
    long fail; /* the which-th block is not got; 0 = all are */
    max_align_t room[(8u << 20) / sizeof(max_align_t)];
} M;

struct block {
    size_t size;
    max_align_t data[];
};

static void *regrow(void *ud, void *p, size_t n)
{
    struct block *old = NULL, *b = (struct block *)&M.room[M.used];

    (void)ud;
    if (M.fail != 0 && --M.fail == 0)
        return NULL;
    if (p != NULL)
        old = (struct block *)(void *)((char *)p -
            offsetof(struct block, data));
    M.used += (sizeof(*b) + n) / sizeof(M.room[0]) + 1;
    must(M.used < sizeof(M.room) / sizeof(M.room[0]));
    b->size = n;
    if (old != NULL)
        memcpy(b->data, p, old->size < n ? old->size : n);
    return b->data;
}

static void *get(void *ud, size_t n)
{
    return regrow(ud, NULL, n);
}

static void give_back(void *ud, void *p)
{
    (void)ud;
    (void)p;
}

static const struct v23_alloc al = { get, regrow, give_back, NULL };

static void free_all(void)
{
    M.used = 0;
    M.fail = 0;
}

/* ---- a process ----------------------------------------------------------- */

static struct vname_table *table;
static struct vname_journal *journal;
static struct v23_arena arena;

static void begin(void)
{
    struct vname_table_config cfg = { .al = &al };

    must(vname_table_new(&cfg, &table) == 0);
    v23_arena_init(&arena, &al, SIZE_MAX);
    journal = NULL;
}

static void open_journal(void)
{
    struct vname_journal_config cfg = { .al = &al, .dir = "d",
        .table = table };
    char text[256];
    struct v23_buf why;

    v23_buf_init_fixed(&why, text, sizeof(text));
    ck_assert_msg(vname_journal_open_(&cfg, &disk, &pace, &journal, &why)
            == 0, "%s", v23_buf_cstr(&why));
}

static struct vname_caller me(void)
{
    static const struct vdl_str name = VDL_STR_INIT("me");
    struct vname_caller c = { .arena = &arena, .names = { &name, 1 } };

    return c;
}

/* `me` may do everything there, `who` may read. */
static const struct v23_verror *set(const char *name, const char *reader)
{
    struct vname_caller c = me();
    struct vdl_str who = vdl_str(reader);
    v23_access_permissions_entry e[2];
    v23_access_permissions p = { e, 2 };

    memset(e, 0, sizeof(e));
    e[0].key = vdl_str("Admin");
    e[0].val.in.v = c.names.v;
    e[0].val.in.n = 1;
    e[1].key = vdl_str("Read");
    e[1].val.in.v = &who;
    e[1].val.in.n = 1;
    return vname_table_set_permissions(table, &c, vdl_str(name), &p,
        vdl_str(""));
}

/* Change number k: NULL when it is acknowledged. */
static const struct v23_verror *change(int k)
{
    static const char *const names[] = { "a", "a/b", "c", "", "a/b/d/e" };
    const char *name = names[k * 7 % 5];
    struct vname_caller c = me();
    char text[16];

    if (k % 5 == 3 && *name != 0)
        return vname_table_delete(table, &c, vdl_str(name), true);
    snprintf(text, sizeof(text), "user%d", k);
    return set(name, text);
}

/* All that the table keeps, in an order of its own. */
struct state {
    char lines[8][256];
    int n;
};

static int note(void *ud, const struct vname_change *ch)
{
    struct state *s = ud;
    struct v23_buf b;

    must(s->n < 8);
    v23_buf_init_fixed(&b, s->lines[s->n++], 255);
    must(vname_record_write_(ch, &b) == 0);
    (void)v23_buf_cstr(&b);
    return 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void look(struct state *s)
{
    memset(s, 0, sizeof(*s));
    must(vname_table_each_kept(table, note, s) == 0);
    qsort(s->lines, (size_t)s->n, sizeof(s->lines[0]), by_text);
}

/* ---- what must be there -------------------------------------------------- */

static struct state want[CHANGES + 1]; /* after so many changes */

static void know(void)
{
    int k;

    D.synced = directory_flushed;
    begin();
    for (k = 0; k < CHANGES; k++) {
        look(&want[k]);
        ck_assert_ptr_null(change(k));
    }
    look(&want[CHANGES]);
    free_all();
}

/* One life: recover, and go on from change `acked`. True: it died. */
static bool life(long steps)
{
    D.left = steps;
    if (setjmp(D.death) != 0) {
        free_all();
        return true;
    }
    begin();
    open_journal();
    for (; acked < CHANGES; acked++) {
        must(change(acked) == NULL);
        meanwhile += present()->of[TMP] >= 0;
    }
    vname_journal_close(journal);
    free_all();
    return false;
}

/* One that only recovers. */
static void short_life(long steps)
{
    D.left = steps;
    if (setjmp(D.death) == 0) {
        begin();
        open_journal();
        vname_journal_close(journal);
    }
    free_all();
}

/* Number of changes that are there after a restart, which should be between
 * these; if not, -1. */
static int recovered(int from, int to)
{
    struct state s;
    int k;

    D.left = LONG_MAX;
    begin();
    open_journal();
    look(&s);
    vname_journal_close(journal);
    free_all();
    for (k = to < CHANGES ? to : CHANGES; k >= from; k--)
        if (memcmp(&s, &want[k], sizeof(s)) == 0)
            return k;
    return -1;
}

static void check_all(bool power)
{
    uint32_t random = 1;
    long k, steps;
    int from, to;

    new_disk();
    acked = 0;
    meanwhile = 0;
    ck_assert(!life(LONG_MAX));
    steps = D.taken;
    ck_assert_int_gt(steps, 1000);
    ck_assert_int_ge(D.dir_flushes, 3); /* at the start, and two more */
    ck_assert_int_ge(meanwhile, 8);
    for (k = 0; k < steps; k++) {
        new_disk();
        acked = flushed = 0;
        ck_assert(life(k));
        from = power ? flushed : acked;
        to = acked + 1; /* it may have been about to be acknowledged */
        reboot(power, &random);
        /* The next one may die while it recovers. */
        random = random * 1664525u + 1013904223u;
        short_life((random >> 8) % 700);
        reboot(power, &random);
        acked = recovered(from, to);
        ck_assert_msg(acked >= from, "step %ld: change %d is lost", k, from);
        /* And the state is one to go on from. */
        ck_assert(!life(LONG_MAX));
        ck_assert_int_eq(recovered(CHANGES, CHANGES), CHANGES);
    }
}

START_TEST(death_at_any_step_loses_nothing_acknowledged)
{
    know();
    check_all(false);
}
END_TEST

START_TEST(power_failure_leaves_a_state_that_was)
{
    know();
    check_all(true);
}
END_TEST

START_TEST(full_disk_refuses_changes_and_loses_none)
{
    int k;

    know();
    new_disk();
    begin();
    open_journal();
    ck_assert_ptr_null(change(0));

    /* Half a record was written, and cannot even be removed. */
    D.full = true;
    ck_assert_ptr_nonnull(change(1));
    ck_assert_ptr_nonnull(change(1));
    D.full = D.half = false;
    for (k = 1; k < CHANGES; k++)
        ck_assert_ptr_null(change(k));
    vname_journal_close(journal);
    free_all();

    ck_assert_int_eq(recovered(CHANGES, CHANGES), CHANGES);
}
END_TEST

/* Changes up to one that leaves the rewriting unfinished. */
static int until_rewriting(void)
{
    int k = 0;

    while (present()->of[TMP] < 0)
        ck_assert_ptr_null(change(k++));
    return k;
}

/* The changes from number k on, and what a restart finds. */
static void finish(int k)
{
    D.room = 0;
    D.full = D.half = false;
    for (; k < CHANGES; k++)
        ck_assert_ptr_null(change(k));
    vname_journal_close(journal);
    free_all();

    ck_assert_int_eq(recovered(CHANGES, CHANGES), CHANGES);
}

START_TEST(rewriting_gives_way_to_changes_on_a_full_disk)
{
    int k, room;

    know();
    for (room = 50; room < 250; room++) {
        new_disk();
        begin();
        open_journal();
        k = until_rewriting();
        ck_assert_ptr_null(change(k++));
        ck_assert_uint_gt(D.inodes[present()->of[TMP]].data.n, 100);

        /* For half of the next part, or for that and half of the change. */
        D.room = disk_used() + (size_t)room;
        ck_assert_ptr_null(change(k++));
        ck_assert_int_lt(present()->of[TMP], 0);
        finish(k);
    }
}
END_TEST

START_TEST(disk_that_fails_while_rewriting_refuses_changes_and_loses_none)
{
    int k;

    know();
    new_disk();
    begin();
    open_journal();
    k = until_rewriting();
    D.full = true;
    ck_assert_ptr_nonnull(change(k));
    ck_assert_int_lt(present()->of[TMP], 0);
    finish(k);
}
END_TEST

START_TEST(journal_closed_while_rewriting_is_whole)
{
    int k;

    know();
    new_disk();
    begin();
    open_journal();
    k = until_rewriting();
    vname_journal_close(journal);
    ck_assert_int_lt(present()->of[TMP], 0);

    /* Of the same table another journal over the same files. */
    open_journal();
    finish(k);
}
END_TEST

/* On a file system without links the current file has been renamed by then. */
START_TEST(file_that_nothing_can_replace_stays_in_its_place)
{
    int links, k;

    know();
    for (links = 0; links < 2; links++) {
        new_disk();
        D.no_links = links == 0;
        begin();
        open_journal();
        D.stuck = TMP;
        for (k = 0; k < CHANGES; k++)
            ck_assert_ptr_null(change(k));
        ck_assert_int_ge(present()->of[CURRENT], 0);
        D.stuck = -1;
        finish(CHANGES);
    }
}
END_TEST

START_TEST(lack_of_memory_while_rewriting_loses_nothing)
{
    bool plenty = false;
    long k;
    int i;

    know();
    for (k = 1; !plenty; k++) {
        new_disk();
        begin();
        open_journal();
        M.fail = k;
        for (i = 0; i < CHANGES; i++)
            if (change(i) != NULL)
                ck_assert_ptr_null(change(i));
        plenty = M.fail != 0;
        finish(CHANGES);
    }
    ck_assert_int_gt(k, 100);
}
END_TEST

/* A directory on the way to what is set has what its parent had then, however
 * far the new file was at that time. */
START_TEST(directory_made_while_rewriting_inherits_what_its_parent_got)
{
    struct vname_caller c = me();
    v23_access_permissions perms;
    struct vdl_str version;
    int k, later;

    for (later = 0; later < 8; later++) {
        new_disk();
        begin();
        open_journal();
        ck_assert_ptr_null(set("z", "nobody"));
        ck_assert_ptr_null(set("p", "everybody"));
        ck_assert_ptr_null(set("p/q", "everybody"));
        while (present()->of[TMP] < 0)
            ck_assert_ptr_null(set("z", "nobody"));
        for (k = 0; k < later; k++)
            ck_assert_ptr_null(set("z", "nobody"));
        ck_assert_ptr_null(set("p", "nobody"));
        ck_assert_ptr_null(set("p/made/x", "nobody"));
        for (k = 0; D.dir_flushes < 2; k++)
            ck_assert_ptr_null(set("z", "nobody"));
        vname_journal_close(journal);
        free_all();

        begin();
        open_journal();
        c.arena = &arena;
        ck_assert_ptr_null(vname_table_get_permissions(table, &c,
            vdl_str("p/made"), &perms, &version));
        ck_assert_uint_eq(perms.n, 2);
        ck_assert_uint_eq(perms.v[1].val.in.n, 1);
        ck_assert(vdl_str_is(perms.v[1].val.in.v[0], "nobody"));
        vname_journal_close(journal);
        free_all();
    }
}
END_TEST

START_TEST(death_on_a_full_disk_leaves_a_torn_record)
{
    know();
    new_disk();
    begin();
    open_journal();
    ck_assert_ptr_null(change(0));
    D.full = true;
    ck_assert_ptr_nonnull(change(1));
    D.full = false;
    free_all();
    memset(D.fds, -1, sizeof(D.fds));

    ck_assert_int_eq(recovered(1, 1), 1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("libnaming/journal_crash");
    TCase *tc = tcase_create("journal_crash");

    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, death_at_any_step_loses_nothing_acknowledged);
    tcase_add_test(tc, power_failure_leaves_a_state_that_was);
    tcase_add_test(tc, full_disk_refuses_changes_and_loses_none);
    tcase_add_test(tc, rewriting_gives_way_to_changes_on_a_full_disk);
    tcase_add_test(tc,
        disk_that_fails_while_rewriting_refuses_changes_and_loses_none);
    tcase_add_test(tc, journal_closed_while_rewriting_is_whole);
    tcase_add_test(tc, file_that_nothing_can_replace_stays_in_its_place);
    tcase_add_test(tc, lack_of_memory_while_rewriting_loses_nothing);
    tcase_add_test(tc,
        directory_made_while_rewriting_inherits_what_its_parent_got);
    tcase_add_test(tc, death_on_a_full_disk_leaves_a_torn_record);
    suite_add_tcase(s, tc);
    return tst_run(s);
}

/* BSD-3-Clause; see LICENSE. */
/*
 * Fuzz target of the journal's file: the input is what a process finds there
 * when it starts. Either it is refused, with the line that is wrong, and stays
 * as it is; or what it holds is written anew, and holds the same the next time.
 */

#define WORLD_WITHOUT_CHECK
#include "fuzz.h"
#include "../../libnaming/test/journal_disk.h"

/* Open it; what is written then goes to `out`. */
static int recover(struct v23_buf *out)
{
    struct vname_table_config tcfg = { 0 };
    struct vname_journal_config cfg = { 0 };
    struct vname_journal *j = NULL;
    const struct v23_buf *now;
    struct v23_buf why;
    int rc;

    WORLD_ASSERT(vname_table_new(&tcfg, &cfg.table) == 0);
    cfg.dir = "d";
    v23_buf_init(&why, NULL, 4096);
    rc = vname_journal_open_(&cfg, &disk, &vname_journal_pace_, &j, &why);
    WORLD_ASSERT(rc == 0 || rc == V23_ETEXT);
    WORLD_ASSERT((rc == 0) == (why.n == 0));
    v23_buf_fini(&why);
    WORLD_ASSERT(present()->of[CURRENT] >= 0);
    now = &D.inodes[present()->of[CURRENT]].data;
    v23_buf_put(out, now->p, now->n);
    vname_journal_close(j);
    vname_table_free(cfg.table);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct v23_buf first, second;
    int rc;

    v23_buf_init(&first, NULL, SIZE_MAX);
    v23_buf_init(&second, NULL, SIZE_MAX);
    new_disk();
    disk_set(CURRENT, p, n);
    rc = recover(&first);
    if (rc != 0) {
        WORLD_ASSERT(first.n == n);
        WORLD_ASSERT(n == 0 || memcmp(first.p, p, n) == 0);
    } else {
        WORLD_ASSERT(recover(&second) == 0);
        WORLD_ASSERT(second.n == first.n);
    }
    v23_buf_fini(&first);
    v23_buf_fini(&second);
    return 0;
}

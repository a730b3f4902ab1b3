/* BSD-3-Clause; see LICENSE. */
/**
 * Keeps the permissions of a mount table in files (hosts). Source:
 * spec/naming.md 8.3.
 *
 * The directory holds persistent.permslog (one JSON object a line, appended
 * after each change), old.permslog (what it was before it was last rewritten)
 * and, while it is being rewritten, tmp.permslog. When the journal has grown
 * enough, each change writes a part of that file, and the last one puts it in
 * the place of the first; until then the first holds everything. Files of the
 * reference implementation are read and written in the same form.
 *
 *     vname_table_new(…, &t);
 *     vname_journal_open(&cfg, &j, &why);
 *     vname_table_load_permissions(t, …);  the file wins over the journal
 */
#ifndef VNAME_JOURNAL_H
#define VNAME_JOURNAL_H

#include <v23/log.h>
#include <vname/store.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vname_journal;

struct vname_journal_config {
    const struct v23_alloc *al; /* NULL = libc */
    const struct v23_log *log;  /* NULL = silent; also of bad records */
    const char *dir;            /* must exist */
    struct vname_table *table;  /* outlives the journal */
};

/**
 * Restore what the journal holds, rewrite it without what was replaced since,
 * and be the table's store (vname/store.h) from then on: what cannot be written
 * does not happen, and its caller is told.
 *
 * A last record that was cut off is left out (and logged): its change was not
 * acknowledged. Any other line that is no record is a reason not to start,
 * because who may do what afterwards would be anybody's guess. Where the
 * journal cannot be rewritten it is continued.
 *
 * @param why  receives the reason of V23_ESYS and V23_ETEXT; may be NULL
 * @return 0; V23_ESYS: the directory cannot be used, or another process uses
 *         it; V23_ETEXT: `why` names the line that is no record; V23_ENOMEM
 */
V23_MUST_USE int vname_journal_open(const struct vname_journal_config *cfg,
    struct vname_journal **out, struct v23_buf *why);
/** End keeping changes; NULL is ignored. */
void vname_journal_close(struct vname_journal *j);

#ifdef __cplusplus
}
#endif
#endif

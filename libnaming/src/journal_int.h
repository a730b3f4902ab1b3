/* BSD-3-Clause; see LICENSE. */
/* Records of the journal as text (journal_record.c). */
#ifndef VNAME_JOURNAL_INT_H
#define VNAME_JOURNAL_INT_H

#include <vname/store.h>

/* Append one line. 0 or V23_ENOMEM. */
int vname_record_write_(const struct vname_change *ch, struct v23_buf *out);
/*
 * Read one line (without its end); *ch is built in the arena. 0; V23_ETEXT: not
 * a record; V23_EARG: a record that cannot be applied; V23_ENOMEM
 */
int vname_record_read_(struct v23_bytes line, struct v23_arena *a,
    struct vname_change *ch);

#endif

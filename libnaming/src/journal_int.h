/* BSD-3-Clause; see LICENSE. */
/* Inside of the journal: its records as text (journal_record.c), and the files
 * it is kept in (journal_host.c). */
#ifndef VNAME_JOURNAL_INT_H
#define VNAME_JOURNAL_INT_H

#include <sys/types.h>

#include <vname/journal.h>

/* Append one line. 0 or V23_ENOMEM. */
int vname_record_write_(const struct vname_change *ch, struct v23_buf *out);
/*
 * Read one line (without its end); *ch is built in the arena. 0; V23_ETEXT: not
 * a record; V23_EARG: a record that cannot be applied; V23_ENOMEM
 */
int vname_record_read_(struct v23_bytes line, struct v23_arena *a,
    struct vname_change *ch);

/*
 * What a journal does with files: results, errno and meaning as the system
 * calls have them. A test puts a disk in its place that fails, or is cut off
 * from power, at any moment.
 */
struct vname_disk_ {
    int (*open)(void *ud, const char *path, int flags); /* mode 0600 */
    ssize_t (*pread)(void *ud, int fd, void *p, size_t n, off_t at);
    ssize_t (*write)(void *ud, int fd, const void *p, size_t n);
    int (*truncate)(void *ud, int fd, off_t size);
    int (*sync)(void *ud, int fd);
    void (*close)(void *ud, int fd);
    bool (*lock)(void *ud, int fd); /* false: another process has it */
    bool (*exists)(void *ud, const char *path);
    int (*rename)(void *ud, const char *from, const char *to);
    int (*link)(void *ud, const char *from, const char *to);
    int (*unlink)(void *ud, const char *path);
    void (*sync_dir)(void *ud, const char *dir);
    void *ud;
};
extern const struct vname_disk_ vname_host_disk_;

/* When a journal is rewritten, and how much of that a change has to wait for. */
struct vname_journal_pace_ {
    int64_t slack; /* bytes that a short one may grow */
    size_t nodes;  /* of the table to look at in a part */
    size_t bytes;  /* to write in a part, about */
    int64_t sync;  /* bytes after which they are flushed to the disk */
};
extern const struct vname_journal_pace_ vname_journal_pace_;
int vname_journal_open_(const struct vname_journal_config *cfg,
    const struct vname_disk_ *disk, const struct vname_journal_pace_ *pace,
    struct vname_journal **out, struct v23_buf *why);

/* Parts of records that other stores have, too. */

/* One JSON value whose texts survive this JSON library: 0, V23_ETEXT, or
 * V23_EARG: they do not. */
int vname_record_check_(struct v23_bytes text);
/* A text, "" when it is missing or null; it is copied. */
int vname_record_text_(struct v23_bytes v, struct v23_arena *a,
    struct vdl_str *out);
/* {"V":version,"P":permissions} into the parts of a change. */
int vname_record_perms_(struct v23_bytes v, struct v23_arena *a,
    struct vname_change *ch);

#endif

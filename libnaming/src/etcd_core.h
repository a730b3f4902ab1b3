/* BSD-3-Clause; see LICENSE. */
/*
 * Inside of the store in etcd: etcd.c asks and reads everything, etcd_watch.c
 * follows, etcd_commit.c writes, etcd_keys.c knows the keys.
 */
#ifndef VNAME_ETCD_CORE_H
#define VNAME_ETCD_CORE_H

#include "etcd_int.h"

/* Operations in one transaction: each is one of its own inside, so that they
 * fail alone. etcd takes 128 operations at two levels together. */
#define MAX_PARTS 64
#define MAX_OPS 128
/* JSON of one transaction; etcd takes 1.5 MiB before base64. */
#define MAX_BODY (1400u << 10)

#define ASK_PATIENCE_NS (5 * V23_NS_PER_SEC)
#define READ_PATIENCE_NS (60 * V23_NS_PER_SEC)
#define TXN_PATIENCE_NS (5 * V23_NS_PER_SEC)
#define SWEEP_NS V23_NS_PER_SEC

enum state {
    RESTING, /* until `until_ns` */
    ASKING_FOR_TOKEN,
    ASKING_FORMAT,
    READING,
    WATCHING, /* asked for; not yet begun */
    LIVE
};

/* A name that an operation in a transaction reads or writes. */
struct touched {
    size_t at; /* in names */
    uint32_t n;
    bool writes, below; /* below: all below it, too */
};

enum batch_state {
    FREE,   /* being filled, or idle */
    SENT,
    SETTLING /* kept; the watch has not shown it yet */
};

struct part {
    struct v23_op op; /* generation 0: the sign of life */
    bool conflict;    /* what it rested on has changed */
};

/* A transaction. */
struct batch {
    enum batch_state state;
    struct v23_buf body, names;
    struct touched *touched;
    size_t ntouched, cap;
    struct part parts[MAX_PARTS];
    size_t nparts, widest; /* operations of the largest part */
    struct touched users[MAX_PARTS]; /* whose counts are guarded */
    size_t nusers;
    int64_t until_ns;
    int64_t floor;  /* revision when it was sent: the answer's is not lower */
    int64_t target; /* revision that the watch has to show */
};

struct vname_etcd_core {
    const struct v23_alloc *al;
    const struct v23_log *log;
    const struct vname_etcd_place *place;
    const char *password;
    struct vname_table *table;
    const struct vname_etcd_io *io;
    struct vname_store store;
    struct v23_now now;

    enum state state;
    int64_t until_ns; /* of the state; V23_NEVER */
    unsigned endpoint, tries;
    char token[1024];
    char why[320];
    bool fatal, logged; /* the trouble since something was kept */
    unsigned strangers; /* keys of others that were logged */

    bool must_read;   /* what is known has holes */
    int64_t read_rev; /* at which all pages are read; 0: the first */
    int64_t limit;    /* keys of a page */
    struct v23_buf from;    /* where the next page begins */
    struct v23_buf line;    /* of the watch, not complete */
    int64_t rev;      /* the table is as of this revision */
    int64_t seen_rev; /* the highest that was heard of */
    int64_t floor;    /* the same, when a page was asked for */
    int64_t cluster;
    int64_t heard_ns; /* when the watch has last said something */
    int64_t owed_rev, owed_ns; /* what it must have shown by then */
    int64_t sweep_ns, go_on_ns;

    struct batch batches[VNAME_ETCD_TXNS];
    struct batch *open; /* being filled; NULL = none */
    struct v23_buf scratch, part; /* of one key and value; of one operation */
    struct v23_arena arena;       /* of one record */
    uint64_t nbatches, nops;
};

/* ---- etcd.c -------------------------------------------------------------- */

void vname_etcd_look_at_clock_(struct vname_etcd_core *e);
/* This end point is of no use now: try the next, soon. */
void vname_etcd_lost_(struct vname_etcd_core *e, const char *fmt, ...)
    V23_PRINTF(2, 3);
/* An answer that is an error, of any slot. */
void vname_etcd_refused_(struct vname_etcd_core *e,
    const struct vname_etcd_fault *f);
/* The revision of an answer to what was asked when it was `floor` already;
 * false: etcd is not what it was, and everything begins anew. */
bool vname_etcd_see_(struct vname_etcd_core *e,
    const struct vname_etcd_header *h, int64_t floor);
int vname_etcd_post_(struct vname_etcd_core *e, unsigned slot,
    const char *path, const struct v23_buf *body);
/* What was sent cannot be taken: malformed, or no memory for it. */
void vname_etcd_not_understood_(struct vname_etcd_core *e, int rc);

/* ---- etcd_keys.c --------------------------------------------------------- */

/* Key of a node: prefix "/n/" name. */
void vname_etcd_put_key_(const struct vname_etcd_core *e, const char *dir,
    struct vdl_str name, struct v23_buf *out);
/* A key with its value, or one that is gone. 0, V23_ENOMEM. */
int vname_etcd_take_(struct vname_etcd_core *e,
    const struct vname_etcd_kv *kv);
/* The keys from `from` (empty: the first) to the last one of ours. */
void vname_etcd_put_range_(struct vname_etcd_core *e, struct v23_buf *body,
    const struct v23_buf *from);

/* ---- etcd_commit.c ------------------------------------------------------- */

void vname_etcd_store_init_(struct vname_etcd_core *e);
void vname_etcd_store_fini_(struct vname_etcd_core *e);
/* Send what is to be sent, if it may be. */
void vname_etcd_flush_(struct vname_etcd_core *e);
/* End what the watch has shown by now, or will not show in time. */
void vname_etcd_settle_(struct vname_etcd_core *e);
/* Nothing that was sent will be answered. */
void vname_etcd_give_up_(struct vname_etcd_core *e);
void vname_etcd_answered_(struct vname_etcd_core *e, struct batch *b,
    int status, struct v23_bytes body);
/* A write of ours that everybody sees, if there has been none for a while. */
void vname_etcd_sign_of_life_(struct vname_etcd_core *e);
int64_t vname_etcd_batches_deadline_(const struct vname_etcd_core *e);

#endif

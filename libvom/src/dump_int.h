/* BSD-3-Clause; see LICENSE. */
/* Shared by the dumper and its walk over messages. */
#ifndef VOM_DUMP_INT_H
#define VOM_DUMP_INT_H

#include <vom/dec.h>
#include <vom/dump.h>

/* One pass over the bytes of a message that have come so far. */
struct vom_walk_ {
    struct vom_dumper *d;
    const uint8_t *begin, *p, *end; /* what has come; read up to p */
    const uint8_t *atom;  /* begin of the present atom */
    uint64_t limit;       /* end of the message, from `begin`; or UINT64_MAX */
    uint64_t natoms;      /* passed so far */
    const char *waiting;  /* what an incomplete message lacks; or NULL */
    int64_t id;           /* of the message; 0: not known */
    uint64_t len;         /* from MsgLen, else 0 */
    size_t count;         /* bytes since MsgLen, else since the begin */
    size_t ntypes, nlens; /* lists in front of the value: d->ref_… */
};

struct vom_dumper {
    const struct v23_alloc *al;
    void (*write)(void *ud, const char *text, size_t n);
    void *ud;
    struct v23_buf in;     /* the message being received, from its begin */
    size_t again;          /* look at it when it is that long */
    uint64_t emitted;      /* its atoms that were written */
    struct vom_walk_ at;   /* where the last pass over it ended */
    bool version;          /* the version byte has been seen */
    struct vom_typedec *types;
    struct v23_buf stream; /* version byte and the type messages accepted */
    const struct vdl_type **ref_types;
    uint64_t *ref_lens;
    size_t types_cap, lens_cap;
    struct v23_buf data, debug, line; /* of the line being written */
    int err;               /* no memory for them */
};

/*
 * Pass over the next message, or the version byte, and write the atoms that
 * were not written before.
 * 0: it is complete, up to w->p; V23_EAGAIN: it is not; or its error
 */
int vom_walk_message_(struct vom_walk_ *w) V23_MUST_USE;

/* v.io/v23/vom.wireType; only what a walk needs is filled in. */
extern const struct vdl_type vom_wire_type_;

#endif

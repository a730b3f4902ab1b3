/* BSD-3-Clause; see LICENSE. */
/* What kinds of stores and roots share: their states. */
#ifndef VSEC_STORE_INT_H
#define VSEC_STORE_INT_H

#include <vsec/principal.h>

enum {
    VSEC_MAX_ENTRIES = 4096,   /* of a peer map */
    VSEC_MAX_ROOTS = 4096,     /* keys, and patterns of one key */
    VSEC_MAX_DISCHARGES = 4096 /* cached; the oldest go first */
};

/* ---- stores -------------------------------------------------------------- */

/* Common part of a new store, with one owner. References are taken. */
void vsec_store_init_(struct vsec_store *s, const struct vsec_store_ops *ops,
    struct vsec_engine *e, struct vsec_pubkey *key);
/* Release the common part (but not the memory of s itself). */
void vsec_store_fini_(struct vsec_store *s);
/* Default blessings changed. */
void vsec_store_changed_(struct vsec_store *s);

void vsec_store_state_fini_(const struct v23_alloc *al,
    struct vsec_store_state *st);
/* Put an entry; b NULL deletes. *old receives the previous reference. */
V23_MUST_USE int vsec_store_put_(const struct v23_alloc *al,
    struct vsec_store_state *st, struct vsec_blessings *b,
    struct vdl_str pattern, struct vsec_blessings **old);
/* Put a discharge; a reference is taken. */
V23_MUST_USE int vsec_store_put_discharge_(const struct v23_alloc *al,
    struct vsec_store_state *st, const uint8_t key[VSEC_DISCHARGE_KEY],
    struct vsec_discharge *d, struct v23_walltime cached);
/* Take over discharges of another state that are newer or not there. */
V23_MUST_USE int vsec_store_keep_discharges_(const struct v23_alloc *al,
    struct vsec_store_state *st, const struct vsec_store_state *from);
/* Drop what has expired at `now`. */
void vsec_store_expire_(struct vsec_store_state *st, struct v23_walltime now);

/* ---- roots --------------------------------------------------------------- */

void vsec_roots_init_(struct vsec_roots *r, const struct vsec_roots_ops *ops,
    struct vsec_engine *e);
void vsec_roots_fini_(struct vsec_roots *r);
void vsec_roots_state_fini_(const struct v23_alloc *al,
    struct vsec_roots_state *st);
/* Add a pattern; duplicates change nothing. */
V23_MUST_USE int vsec_roots_put_(const struct v23_alloc *al,
    struct vsec_roots_state *st, struct vdl_bytes key,
    struct vdl_str pattern);

#endif

/* BSD-3-Clause; see LICENSE. */
/**
 * Types in the form that the JavaScript library knows. It recognizes errors,
 * times and blessings by their exact type of 2016, so whatever is encoded for
 * a page is rewritten by type name, at any depth, also inside any and
 * typeobject. Source: spec/wspr.md 13.
 */
#ifndef WSPR_BRIDGE_INT_H
#define WSPR_BRIDGE_INT_H

#include <v23/alloc.h>
#include <vom/type.h>

struct wspr_bridge_slot_;

/* One for each connection; what it has learned of types it keeps. */
struct wspr_bridge_ {
    const struct v23_alloc *al;
    const struct wspr_bridge_ *base; /* asked first; NULL = there is none */
    struct v23_arena mem;    /* copies of the types that were asked for */
    struct vdl_types *types; /* what they become; NULL until there is one */
    struct wspr_bridge_slot_ *slots;
    uint32_t nslots, used;
};

/* Allocates nothing. `base` outlives it, and learns nothing meanwhile. */
void wspr_bridge_init_(struct wspr_bridge_ *b, const struct v23_alloc *al,
    const struct wspr_bridge_ *base);
void wspr_bridge_fini_(struct wspr_bridge_ *b);

/**
 * The type as the page knows it: `t` itself when nothing in it differs.
 *
 * @param a    keeps what was made for this call only, once the bridge knows as
 *             many types as it remembers
 * @param out  lives as long as the bridge, `a`, and `t`
 * @return 0, V23_ENOMEM, V23_ELIMIT (a graph of over 4,096 types), V23_ETYPE
 */
V23_MUST_USE int wspr_bridge_type_(struct wspr_bridge_ *b, struct v23_arena *a,
    const struct vdl_type *t, const struct vdl_type **out);
/**
 * A value as the page knows it: `in` itself when it cannot differ.
 *
 * @param out  shares memory with `in`; the rest is in `a`
 * @return as wspr_bridge_type_(); V23_ELIMIT also for deep nesting; V23_EARG: a
 *         union without a field
 */
V23_MUST_USE int wspr_bridge_value_(struct wspr_bridge_ *b,
    struct v23_arena *a, struct vdl_any in, struct vdl_any *out);

#endif

/* BSD-3-Clause; see LICENSE. */
/** Sets of types for graph walks, on the stack and of fixed size. */
#ifndef VOM_TYPE_INT_H
#define VOM_TYPE_INT_H

#include <v23/bytes.h>
#include <v23/config.h>
#include <vom/type.h>

#define VDL_GRAPH_ V23_TYPE_GRAPH
#define VDL_SLOTS_ (2 * V23_TYPE_GRAPH)

/* Pairs of types in order of insertion, found by hash. */
struct vdl_pairs_ {
    uint32_t n;
    const struct vdl_type *a[VDL_GRAPH_], *b[VDL_GRAPH_];
    uint16_t slots[VDL_SLOTS_]; /* index + 1 into a and b; 0 = free */
};

void vdl_pairs_init_(struct vdl_pairs_ *s);
bool vdl_pairs_has_(const struct vdl_pairs_ *s, const struct vdl_type *a,
    const struct vdl_type *b);
/* False when the set is full; adding a pair again does nothing. */
bool vdl_pairs_add_(struct vdl_pairs_ *s, const struct vdl_type *a,
    const struct vdl_type *b);

/*
 * Slot of the entry (ka, kb), or the free slot where it belongs. `b` NULL: the
 * entries are single types.
 */
uint32_t vdl_slot_(const uint16_t *slots, const struct vdl_type *const *a,
    const struct vdl_type *const *b, const struct vdl_type *ka,
    const struct vdl_type *kb);

static inline const struct vdl_type *vdl_wire_(const struct vdl_type *t)
{
    return t->wire == NULL ? t : t->wire;
}

/* Mixed address, for open tables; the low bits are as good as any. */
static inline size_t vdl_address_hash_(const void *p)
{
    const unsigned half = sizeof(uintptr_t) * 4;
    uintptr_t x = (uintptr_t)p * (uintptr_t)UINT64_C(0x9E3779B97F4A7C15);

    return x ^ x >> half;
}

/* Mix a text into a hash. The result differs with the byte order. */
uint32_t vdl_mix_str_(uint32_t h, struct vdl_str s);

/* The unnamed built-in type of a kind, or NULL. */
extern const struct vdl_type *const vdl_builtin_[VDL_KINDS];

/* Number of subtypes, and the i-th (not its wire type) in the order of the
 * canonical string. */
uint32_t vdl_nsubtypes_(const struct vdl_type *t);
const struct vdl_type *vdl_subtype_(const struct vdl_type *t, uint32_t i);

/* Same kind, name, length, labels and field names; subtypes not compared. */
bool vdl_type_same_node_(const struct vdl_type *a, const struct vdl_type *b);

/* `enum{A;B}` */
void vdl_put_labels_(struct v23_buf *out, const struct vdl_type *t);

#endif

/* BSD-3-Clause; see LICENSE. */
/** Parts of vdl_types_build(): one step per function. */
#ifndef VOM_TYPE_BUILD_INT_H
#define VOM_TYPE_BUILD_INT_H

#include "type_int.h"

/* Private flags of a descriptor. */
#define VDL_T_NOKEY_ 0x40 /* may not be a set or map key; valid with BUILT */
#define VDL_T_BUILT_ 0x80 /* is the first member of a struct vdl_built_ */

/* A run-time type with what only the builder needs. */
struct vdl_built_ {
    struct vdl_type t;
    struct vdl_types *owner;
    struct vdl_built_ *prev; /* made before this one, in the same set */
    struct vdl_built_ *same; /* an equal type of the set, or itself */
    uint32_t build;          /* serial number of the build */
    uint32_t index;          /* in that build's `made` */
    uint32_t depth;          /* bound on the length of simple paths from it */
};

struct vdl_types {
    struct v23_ref ref;
    const struct v23_alloc *al;
    struct v23_arena mem;
    struct vdl_type_limits limits;
    struct vdl_built_ *last;
    uint32_t n;      /* types made */
    uint32_t builds;
    uint64_t work;   /* steps spent on comparing names, over all builds */
};

struct vdl_build_ {
    struct vdl_types *ts;
    const struct vdl_type_node *nodes;
    uint32_t n;
    const struct vdl_type **types; /* per node: the result */
    struct vdl_built_ **made;      /* new descriptors */
    uint32_t nmade;
    struct v23_arena tmp;          /* scratch of this build */
};

/* Index in b->made of a type of this build, else UINT32_MAX. */
uint32_t vdl_made_index_(const struct vdl_build_ *b, const struct vdl_type *t);

enum vdl_edges_ {
    VDL_EDGES_STRICT_, /* to types held inline */
    VDL_EDGES_UNNAMED_ /* between unnamed types */
};
/*
 * Order b->made so that edges of that sort lead to earlier entries.
 * V23_ETYPE: there is a cycle.
 */
int vdl_build_order_(struct vdl_build_ *b, enum vdl_edges_ edges,
    uint32_t *order) V23_MUST_USE;
/* One name, one type in the graphs of the new types (rule 11). */
int vdl_build_names_(struct vdl_build_ *b) V23_MUST_USE;
/* Flags and depths of the new types. */
int vdl_build_flags_(struct vdl_build_ *b) V23_MUST_USE;
/* Sizes, alignments and offsets of the new types. */
int vdl_build_layout_(struct vdl_build_ *b) V23_MUST_USE;

#endif

/* BSD-3-Clause; see LICENSE. */
/** Shared by the sources that walk values. */
#ifndef VOM_VALUE_INT_H
#define VOM_VALUE_INT_H

#include <vom/value.h>

#include "rep_int.h"
#include "type_int.h"

static inline const void *vdl_at_(const void *p, size_t offset)
{
    return (const char *)p + offset;
}

static inline void *vdl_at_mut_(void *p, size_t offset)
{
    return (char *)p + offset;
}

/* The text form of a value without its type. */
int vdl_format_literal_(const struct vdl_type *t, const void *v,
    struct v23_buf *out) V23_MUST_USE;

/* A float in the fewest digits that read back as this double, or as this
 * float when it is `single`. */
void vdl_format_float_(struct v23_buf *out, double x, bool single);

/* Printable code point (spec/vom.md 16.1). */
bool vdl_printable_(uint32_t cp);

/*
 * Copies of run-time types, each made once. Zero the struct and set `a` before
 * the first use; it owns nothing outside the arena.
 */
struct vdl_type_copier_ {
    struct v23_arena *a;
    struct vdl_type_map_ *map; /* type to copy */
    size_t cap, n;
};
/* The copy of a type; a static type is its own copy. */
int vdl_copy_type_(struct vdl_type_copier_ *c, const struct vdl_type *t,
    const struct vdl_type **out) V23_MUST_USE;

#endif

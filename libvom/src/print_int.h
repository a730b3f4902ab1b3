/* BSD-3-Clause; see LICENSE. */
/* Shared by the printers of constants and of JSON. */
#ifndef VOM_PRINT_INT_H
#define VOM_PRINT_INT_H

#include <vom/print.h>

#include "value_int.h"

/*
 * Order of the entries of a set or map by the text of their keys.
 *
 * @param order  receives l->n indices, to be given back with v23_put(al);
 *               NULL for an empty one
 * @return 0, V23_ENOMEM, V23_ELIMIT, V23_EARG
 */
int vdl_key_order_(const struct v23_alloc *al, const struct vdl_type *t,
    const struct vdl_list *l, uint32_t **order) V23_MUST_USE;

/* Split "pkg/path.Name" at the last dot. */
void vdl_split_name_(struct vdl_str full, struct vdl_str *path,
    struct vdl_str *name);

/* A value of special type by `put`, as one of the wire type. */
int vdl_print_special_(struct v23_buf *out, const struct vdl_type *t,
    const void *v, unsigned depth,
    int (*put)(struct v23_buf *, const struct vdl_type *, const void *,
        unsigned)) V23_MUST_USE;

/* A scalar, or a bytes list or array, without its type. */
int vdl_print_scalar_(const struct vdl_type *t, const void *v,
    struct v23_buf *out) V23_MUST_USE;

#endif

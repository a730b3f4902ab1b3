/* BSD-3-Clause; see LICENSE. */
/* Shared by the printers of constants and of JSON. */
#ifndef VOM_PRINT_INT_H
#define VOM_PRINT_INT_H

#include <vom/print.h>

#include "value_int.h"

/* As vdl_sort(), but by the text of the keys. */
int vdl_sort_by_text_(struct v23_arena *a, const struct vdl_type *t,
    void *v) V23_MUST_USE;

/* Split "pkg/path.Name" at the last dot. */
void vdl_split_name_(struct vdl_str full, struct vdl_str *path,
    struct vdl_str *name);

/* Writes a value in its way. */
typedef int vdl_put_fn_(struct vdl_printer *p, const struct vdl_type *t,
    const void *v);
/* Write a value by `put`, or nothing if that fails. */
int vdl_print_with_(struct vdl_printer *p, vdl_put_fn_ *put,
    const struct vdl_type *t, const void *v) V23_MUST_USE;
/* Writes something instead of a value of special type that its bytes do not
 * give. */
typedef int vdl_unreadable_fn_(struct vdl_printer *p, const struct vdl_type *t,
    const void *v, int why);
/* Write a value of special type by `put`, as one of the wire type. What cannot
 * be read as that is a failure if `unreadable` is NULL. */
int vdl_print_special_(struct vdl_printer *p, vdl_put_fn_ *put,
    vdl_unreadable_fn_ *unreadable, const struct vdl_type *t, const void *v)
    V23_MUST_USE;

/* A scalar, or a bytes list or array, without its type. */
int vdl_print_scalar_(struct vdl_printer *p, const struct vdl_type *t,
    const void *v) V23_MUST_USE;

#endif

/* BSD-3-Clause; see LICENSE. */
/* What the files about JSON share. */
#ifndef WSPR_JSON_INT_H
#define WSPR_JSON_INT_H

#include <v23/verror.h>
#include <wspr/json.h>

/* A struct that stands for an error, of whoever made its descriptor. */
static inline bool wspr_json_is_error_(const struct vdl_type *t)
{
    return t->kind == VDL_STRUCT && vdl_str_eq(t->name, v23_verror_desc.name);
}

#endif

/* BSD-3-Clause; see LICENSE. */
/* Inside of what controllers share of types. Private to libwspr. */
#ifndef WSPR_FORMS_INT_H
#define WSPR_FORMS_INT_H

#include <wspr/controller.h>

#include "bridge_int.h"

struct wspr_forms {
    const struct v23_alloc *al;
    struct wspr_bridge_ bridge; /* of what is sent; changes no more */
    struct vdl_registry known;  /* what pages send */
};

#endif

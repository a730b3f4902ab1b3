/* BSD-3-Clause; see LICENSE. */
/* Tables of the methods of our own objects, one for each of the interface. */
#ifndef WSPR_LOCAL_INT_H
#define WSPR_LOCAL_INT_H

#include <v23/vdl/v.io/x/ref/services/wspr/internal/namespace/namespace.rpc.h>

#include "wspr_int.h"

extern const struct wspr_local_ wspr_controller_[], wspr_namespace_[];

#endif

/* BSD-3-Clause; see LICENSE. */
/*
 * What generated thunks call (vrpc/iface.h) beyond the functions of a served
 * call itself.
 */
#include <vrpc/iface.h>

#include <v23/vdl/v.io/v23/verror/verror.vdl.h>

const struct v23_verror *vrpc_not_implemented(struct vrpc_server_call *call)
{
    return v23_verror_err_not_implemented(vrpc_server_call_arena(call),
        vrpc_server_call_errctx(call));
}

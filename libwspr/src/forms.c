/* BSD-3-Clause; see LICENSE. */
/*
 * The types of the protocol as pages know them, once for all pages. Each page
 * defines the same types when it makes its first call, and is sent the same
 * ones with its first answer: made for each, they would be most of what a page
 * costs.
 */
#include "forms_int.h"

#include <v23/vdl/v.io/v23/naming/naming.vdl.h>
#include <v23/vdl/v.io/x/ref/services/wspr/internal/app/app.vdl.h>
#include <v23/vdl/v.io/x/ref/services/wspr/internal/lib/lib.vdl.h>
#include <v23/vdl/v.io/x/ref/services/wspr/internal/rpc/server/server.vdl.h>

/* The first of them are what pages send. */
static const struct vdl_type *const roots[] = {
    &v23_wspr_app_rpc_request_desc,
    &v23_wspr_server_lookup_reply_desc,
    &v23_wspr_server_auth_reply_desc,
    &v23_wspr_server_caveat_validation_response_desc,
    &v23_wspr_lib_server_rpc_reply_desc,
    &v23_security_wire_blessings_desc,
    &v23_wspr_app_rpc_response_desc,
    &v23_wspr_server_server_rpc_request_desc,
    &v23_wspr_server_auth_request_desc,
    &v23_wspr_server_caveat_validation_request_desc,
    &v23_naming_glob_reply_desc,
    &vdl_error_desc,
};
enum { NROOTS = sizeof(roots) / sizeof(roots[0]), NSENT = 6 };

static int make(struct wspr_forms *f)
{
    const struct vdl_type *forms[NROOTS];
    size_t i;
    int rc = 0;

    for (i = 0; i < NROOTS && rc == 0; i++)
        rc = wspr_bridge_type_(&f->bridge, NULL, roots[i], &forms[i]);
    if (rc == 0)
        rc = vdl_registry_make(f->al, forms, NSENT, &f->known);
    if (rc == 0)
        vdl_types_settle(f->bridge.types);
    return rc;
}

int wspr_forms_new(const struct v23_alloc *al, struct wspr_forms **out)
{
    struct wspr_forms *f;
    int rc;

    if (al == NULL)
        al = &v23_alloc_libc;
    f = v23_new(al, struct wspr_forms);
    if (f == NULL)
        return V23_ENOMEM;
    f->al = al;
    wspr_bridge_init_(&f->bridge, al, NULL);
    rc = make(f);
    if (rc != 0)
        wspr_forms_free(f);
    else
        *out = f;
    return rc;
}

void wspr_forms_free(struct wspr_forms *f)
{
    if (f == NULL)
        return;
    vdl_registry_free(f->al, &f->known);
    wspr_bridge_fini_(&f->bridge);
    v23_put(f->al, f);
}

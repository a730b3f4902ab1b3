/* BSD-3-Clause; see LICENSE. */
/* The blob of a type, as the encoder would send its type messages. */
#include <vom/blob.h>

#include "enc_int.h"

int vom_blob_make(const struct v23_alloc *al, const struct vdl_type *t,
    struct v23_buf *bytes, struct vom_blob *out)
{
    struct vom_typeenc te;
    size_t start = bytes->n;
    uint32_t id;
    int rc;

    if ((t->flags & (VDL_T_ANY | VDL_T_TYPEOBJECT)) != 0)
        return V23_EARG;
    vom_typeenc_init(&te, al, bytes);
    v23_buf_put_byte(bytes, VOM_VERSION);
    te.started = true;
    rc = vom_typeenc_id_(&te, t, bytes, &id);
    vom_typeenc_fini(&te);
    if (rc == 0)
        rc = bytes->err;
    if (rc != 0) {
        v23_buf_cut(bytes, start);
        return rc;
    }
    out->p = bytes->p + start;
    out->n = (uint32_t)(bytes->n - start);
    out->id = id;
    out->type = t;
    return 0;
}

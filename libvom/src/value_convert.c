/* BSD-3-Clause; see LICENSE. */
/* Conversion between types, as an encoder and a decoder do it together. */
#include <vom/dec.h>
#include <vom/enc.h>
#include <vom/value.h>

/* Into an any: the value keeps its own type. */
static int wrap(struct v23_arena *a, struct vdl_any *dst,
    const struct vdl_type *st, const void *src)
{
    struct vdl_any view, copy;
    int rc;

    view.type = st;
    view.val = src;
    rc = vdl_copy(a, &vdl_any_desc, &copy, &view);
    if (rc == 0)
        *dst = copy;
    return rc;
}

int vdl_convert(struct v23_arena *a, const struct vdl_type *dt, void *dst,
    const struct vdl_type *st, const void *src)
{
    struct v23_buf buf;
    int rc;

    if (vdl_type_same_layout(dt, st))
        return vdl_copy(a, dt, dst, src);
    if (dt->kind == VDL_ANY && st->kind != VDL_SPECIAL)
        return wrap(a, dst, st, src);
    v23_buf_init(&buf, a->al, SIZE_MAX);
    rc = vom_encode_single(a->al, st, src, &buf);
    if (rc == 0)
        rc = vom_decode_single(buf.p, buf.n, NULL, a, dt, dst, NULL);
    v23_buf_fini(&buf);
    return rc;
}

/* BSD-3-Clause; see LICENSE. */
/*
 * Fuzz target of the decoder into given descriptors. The first byte chooses
 * one of the program's own types, or, as 0, the type of the value in a stream
 * whose length the second byte says; the rest is the stream to be decoded as
 * that type.
 */
#include <v23/vdl/signature/signature.vdl.h>
#include <v23/vdl/time/time.vdl.h>
#include <v23/vdl/v.io/v23/vdl/vdl.vdl.h>
#include <v23/vdl/vdltool/vdltool.vdl.h>
#include <vom/blob.h>
#include <vom/dec.h>
#include <vom/enc.h>
#include <vom/raw.h>
#include <vom/value.h>

#include "fuzz.h"

#define BUDGET (64u << 20)

static const struct vdl_type *const own[] = {&vdl_error_desc,
    &v23_signature_interface_desc, &v23_time_time_desc, &v23_time_duration_desc,
    &v23_vdltool_config_desc, &vdl_bytes_desc, &vdl_str_list_desc,
    &vdl_any_list_desc, &vom_raw_desc};
#define OWN (sizeof(own) / sizeof(*own))

/* What decodes with the blob of the type decodes without (`rc`) to the same. */
static void check_blob(const struct vdl_type *t, struct v23_bytes stream,
    int rc, const struct v23_buf *encoded)
{
    struct v23_arena a;
    struct v23_buf bytes, again;
    struct vom_blob blob;
    void *v = calloc(1, t->size);
    size_t used;

    check(v != NULL);
    v23_arena_init(&a, NULL, BUDGET);
    v23_buf_init(&bytes, NULL, BUDGET);
    v23_buf_init(&again, NULL, BUDGET);
    if (vom_blob_make(NULL, t, &bytes, &blob) == 0 &&
        vom_blob_decode(&blob, stream, &a, v, &used) == 0) {
        check(rc == 0 || rc == V23_ELIMIT);
        check(vom_blob_encode(&blob, v, &again) == 0);
        check(rc != 0 || (again.n == encoded->n &&
                             memcmp(again.p, encoded->p, again.n) == 0));
    }
    v23_buf_fini(&again);
    v23_buf_fini(&bytes);
    v23_arena_fini(&a);
    free(v);
}

static void decode_as(const struct vdl_type *t, struct v23_bytes stream)
{
    struct v23_buf encoded;
    struct v23_arena a;
    struct vdl_any back;
    void *v = calloc(1, t->size);
    size_t used;
    int rc;

    check(v != NULL);
    v23_arena_init(&a, NULL, BUDGET);
    v23_buf_init(&encoded, NULL, BUDGET);
    rc = vom_decode_single(stream.p, stream.n, NULL, &a, t, v, &used);
    if (rc == 0) {
        check(used <= stream.n);
        check(vom_encode_single(NULL, t, v, &encoded) == 0);
        (void)(vdl_convert(&a, &vdl_any_desc, &back, t, v) == 0);
        (void)vdl_equal(t, v, v);
    }
    if ((t->flags & (VDL_T_ANY | VDL_T_TYPEOBJECT)) == 0)
        check_blob(t, stream, rc, &encoded);
    v23_buf_fini(&encoded);
    v23_arena_fini(&a);
    free(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct v23_arena a;
    struct vdl_any like;
    size_t first, used;

    if (n < 2)
        return 0;
    if (*p != 0) {
        decode_as(own[(*p - 1u) % OWN], v23_bytes(p + 1, n - 1));
        return 0;
    }
    first = p[1] < n - 2 ? p[1] : n - 2;
    p += 2;
    n -= 2;
    v23_arena_init(&a, NULL, BUDGET);
    if (vom_decode_single(p, first, NULL, &a, NULL, &like, &used) == 0 &&
        like.type != NULL && like.type->size < 1u << 20)
        decode_as(like.type, v23_bytes(p + first, n - first));
    v23_arena_fini(&a);
    return 0;
}

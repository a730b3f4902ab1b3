/* BSD-3-Clause; see LICENSE. */
/**
 * Single-shot streams of one fixed type (spec/vom.md 17.3).
 *
 * What such a stream says about types is always the same, so it can be a
 * constant: encoding is that constant and the value, decoding compares with it
 * and then walks the value. Neither needs a table of types nor any memory but
 * the output or the arena, and neither links what builds types or converts.
 * The streams are those of vom_encode_single() and vom_decode_single().
 */
#ifndef VOM_BLOB_H
#define VOM_BLOB_H

#include <vom/type.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Deepest nesting of values that vom_blob_decode() reads. */
#define VOM_BLOB_DEPTH 64

/*
 * What precedes the values of a type. The VDL compiler emits constants of it
 * for types that contain neither any nor typeobject; others have none, because
 * their streams depend on the value.
 */
struct vom_blob {
    const uint8_t *p; /* version byte and type messages */
    uint32_t n;
    uint32_t id; /* of the type, 1 to 16 or from 39 on */
    const struct vdl_type *type;
};

/**
 * Append the stream of a value.
 * @return 0; V23_ENOSPC, V23_ENOMEM, V23_ELIMIT as vom_encode(); V23_EARG: an
 *         enum or union selector is out of range. `out` is unchanged unless 0
 * Allocates: only what `out` does.
 */
V23_MUST_USE int vom_blob_encode(
    const struct vom_blob *b, const void *v, struct v23_buf *out);
/**
 * Decode a stream whose types are sent exactly as in the blob.
 *
 * @param a     NULL if the type holds no strings, lists, sets, maps or
 * optionals
 * @param out   filled in place: of no use after a failure. The arena is as
 *              before then
 * @param used  bytes of the stream consumed; NULL: leftover is V23_ELENGTH
 * @return 0; V23_ECOMPAT: other types, or the same said otherwise:
 *         vom_decode_single() may be able to read it; else as that function
 * Allocates: from the arena, no more than it allows.
 */
V23_MUST_USE int vom_blob_decode(const struct vom_blob *b,
    struct v23_bytes stream, struct v23_arena *a, void *out, size_t *used);
/**
 * Make the blob of a type at run time.
 *
 * @param bytes  where its bytes are appended; they must stay in place
 * @param out    refers to them and to t
 * @return 0; V23_EARG: the type contains any or typeobject; V23_ENOMEM,
 *         V23_ENOSPC, V23_ELIMIT
 */
V23_MUST_USE int vom_blob_make(const struct v23_alloc *al,
    const struct vdl_type *t, struct v23_buf *bytes, struct vom_blob *out);

#ifdef __cplusplus
}
#endif
#endif

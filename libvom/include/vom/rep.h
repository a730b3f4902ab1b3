/* BSD-3-Clause; see LICENSE. */
/**
 * Values that are not held in the normal way (enum vdl_rep). Their descriptors
 * have the kind VDL_SPECIAL; the VDL compiler emits those of the two ways below
 * as the options of a package say (docs/c-binding.md).
 *
 * A descriptor's `wire` is the VDL type and `elem` the *view*: the descriptor
 * of the same value in the normal way, whose parts may be special in turn. Only
 * descriptors refer to the code behind `ops`, so a program without such types
 * links nothing of it.
 *
 * VDL_REP_INLINE   struct { N n; char p[count]; }  string, []byte (uint8_t p)
 *                  struct { N n; T v[count]; }     list, set, map (entries)
 *                  struct { bool has; T v; }       optional; count is 1
 *                  N is the smallest of uint8_t, uint16_t, uint32_t that
 *                  holds `count`; val_off is the offset of p or v. Only the
 *                  first n elements count, whatever the others hold. What
 *                  does not fit ends decoding with V23_ECONVERT; encoding a
 *                  value with n > count gives V23_EARG. No memory is needed:
 *                  a type all of whose parts are so is VDL_T_FLAT.
 *
 * VDL_REP_STREAM   a list: struct { uint32_t n;
 *                      int (*each)(void *ud, const T *item);
 *                      int (*next)(void *ud, const T **item); void *ud; }
 *                  Decoding leaves the callbacks as they are, calls each() for
 *                  every element as it is read, and counts them in n; the item
 *                  and all it points at are gone when each() returns. Without
 *                  each() the elements are read over. As fields come in the
 *                  order of the wire, later ones are not there yet, and an
 *                  error may follow. Items need an arena. Callbacks count
 *                  where the caller's struct holds the stream itself or in a
 *                  struct within it; elsewhere elements are read over.
 *                  Encoding calls next() n times; *item must stay valid until
 *                  the next call. What a callback returns other than 0 ends
 *                  the operation with that code.
 *                  Streams are equal if n is, copied as they are, and printed
 *                  as an empty list.
 */
#ifndef VOM_REP_H
#define VOM_REP_H

#include <vom/type.h>

#ifdef __cplusplus
extern "C" {
#endif

extern const struct vdl_rep_ops vdl_inline_ops, vdl_inline_enc_ops,
    vdl_stream_ops;

/*
 * What generated descriptors refer to. A program that only encodes may compile
 * generated sources with VDL_ENCODE_ONLY=1: then they do not make it link the
 * decoder. Decoding, copying and comparing such values fails then.
 */
#ifndef VDL_ENCODE_ONLY
#define VDL_ENCODE_ONLY 0
#endif
#if VDL_ENCODE_ONLY
#define VDL_INLINE_OPS (&vdl_inline_enc_ops)
#else
#define VDL_INLINE_OPS (&vdl_inline_ops)
#endif

/* Descriptor of a stream: calls the callbacks by their own types. */
struct vdl_stream_type {
    struct vdl_type t; /* ops = &vdl_stream_ops */
    int (*each)(const void *stream, const void *item);
    int (*next)(const void *stream, const void **item);
};

#ifdef __cplusplus
}
#endif
#endif

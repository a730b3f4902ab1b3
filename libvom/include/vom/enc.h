/* BSD-3-Clause; see LICENSE. */
/**
 * VOM 0x81 encoder (spec/vom.md 2-9).
 *
 * A struct vom_typeenc holds the ids of the types sent on one outgoing type
 * stream and appends type messages to its buffer. A struct vom_enc writes one
 * value stream; many may share one typeenc. For a single stream both write to
 * the same buffer; for split streams (RPC) each has its own.
 *
 * Encoding is a transaction: on failure neither buffer nor id table changes.
 * Warm encoding (types already sent) does not allocate beyond the buffer.
 */
#ifndef VOM_ENC_H
#define VOM_ENC_H

#include <vom/type.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VOM_VERSION 0x81
#define VOM_FIRST_USER_ID 41

/* Private. */
struct vom_typeid_slot {
    const struct vdl_type *type;
    uint64_t id;
};

struct vom_typeenc {
    const struct v23_alloc *al;
    struct v23_buf *out;     /* where type messages go; not owned */
    struct vom_typeid_slot *slots; /* open hash by descriptor address */
    size_t nslots, used;
    const struct vdl_type **types; /* types by id - 41 */
    size_t ntypes, types_cap;
    bool started;            /* version byte written */
    bool single;             /* shares `out` with one vom_enc */
    struct vdl_types *own;   /* keeps run-time types alive */
};

/**
 * @param al   NULL = libc
 * @param out  buffer of the type stream, must outlive the object; the version
 *             byte precedes the first type message
 */
void vom_typeenc_init(struct vom_typeenc *te, const struct v23_alloc *al,
    struct v23_buf *out);
void vom_typeenc_fini(struct vom_typeenc *te);

struct vom_enc {
    struct vom_typeenc *types;
    struct v23_buf *out; /* value stream; may be types->out (single stream) */
    bool started;
    /* scratch of the message being written */
    uint64_t *ids;
    size_t nids, ids_cap;
    uint64_t *lens;
    size_t nlens, lens_cap;
    struct v23_buf body;
};

/** Value stream that shares `types`. `out` may equal types->out. */
void vom_enc_init(struct vom_enc *e, struct vom_typeenc *types,
    struct v23_buf *out);
void vom_enc_fini(struct vom_enc *e);
/**
 * Write one value as a message, preceded by the version byte when it is the
 * first of its stream and by the type messages it needs.
 *
 * A value of type any is written with the type of its content; a nil any as
 * type any (spec/vom.md 8).
 *
 * @param t  static type; run-time types must stay alive as long as the
 *           typeenc, which takes no reference
 * @return 0; V23_ENOMEM, V23_ENOSPC, V23_ELIMIT (depth, sizes > 2^30);
 *         V23_EARG: enum or union selector out of range. Streams unchanged.
 */
V23_MUST_USE int vom_encode(struct vom_enc *e, const struct vdl_type *t,
    const void *v);
/**
 * A value as one complete single-shot stream, appended to `out`
 * (caveat parameters, files).
 */
V23_MUST_USE int vom_encode_single(const struct v23_alloc *al,
    const struct vdl_type *t, const void *v, struct v23_buf *out);

/* ---- primitives (spec/vom.md 2), also used by the RPC protocol ----------- */

/** Bytes that vom_put_uint writes, 1..9. */
size_t vom_uint_size(uint64_t v);
/** Write var128 to p, which has room for 9 bytes; returns the length. */
size_t vom_put_uint(uint8_t *p, uint64_t v);
/** Append var128. */
void vom_buf_put_uint(struct v23_buf *b, uint64_t v);
/**
 * Read var128 (non-minimal forms accepted).
 * @param p  moved behind the number on success
 * @return 0; V23_EEOF truncated; V23_ECONTROL first byte 80..EF;
 *         V23_EINT first byte F0..F7
 */
V23_MUST_USE int vom_get_uint(const uint8_t **p, const uint8_t *end,
    uint64_t *v);

#ifdef __cplusplus
}
#endif
#endif

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

/* Private: a descriptor seen, and its id. */
struct vom_typeid_slot {
    const struct vdl_type *type;
    uint32_t id;
};

/* Private: a type that has been given an id. */
struct vom_typeid {
    const struct vdl_type *type;
    uint32_t hash; /* of its own node */
    uint32_t low;  /* while ids are given: oldest unfinished type reachable */
    uint8_t hint;  /* header bytes of the last message of this type */
};

/* Private: a few numbers without allocation, more with. */
struct vom_u32s {
    uint32_t small[8];
    uint32_t *more; /* NULL: `small` is in use */
    size_t n, cap;
};

#define VOM_TYPEENC_SMALL 16

/*
 * May not be moved in memory. Up to 8 types (12 descriptors, if some are of
 * equal types) need no allocation. All fields are private.
 */
struct vom_typeenc {
    const struct v23_alloc *al;
    struct v23_buf *out; /* where type messages go; not owned */
    struct vom_typeid_slot *slots; /* open hash by descriptor address */
    size_t nslots, used;
    struct vom_typeid *types; /* by id - 41 */
    size_t ntypes, types_cap;
    bool started; /* version byte written */
    bool kept;    /* `own` was added to, `mark` is where it was before */
    struct v23_arena own; /* copies of run-time types */
    struct v23_arena_mark mark;
    struct vom_typeid_slot small_slots[VOM_TYPEENC_SMALL];
    struct vom_typeid small_types[VOM_TYPEENC_SMALL / 2];
};

/**
 * @param al   NULL = libc; asked only for tables that outgrow the object
 * @param out  buffer of the type stream, must outlive the object; the version
 *             byte precedes the first type message
 */
void vom_typeenc_init(struct vom_typeenc *te, const struct v23_alloc *al,
    struct v23_buf *out);
void vom_typeenc_fini(struct vom_typeenc *te);

/*
 * Between two calls `out` and `started` may be exchanged with those of another
 * value stream that shares the types: one object then serves all of them. The
 * other fields are private.
 */
struct vom_enc {
    struct vom_typeenc *types;
    struct v23_buf *out; /* value stream; may be types->out (single stream) */
    bool started;        /* its version byte is written */
    struct vom_u32s ids;  /* type-id list of the message being written */
    struct vom_u32s lens; /* its any-length list */
    struct v23_buf late;  /* type messages to go before it (single stream) */
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
 * @param t  static type. Descriptors that are not made at run time (here and
 *           inside the value) must stay in place as long as the typeenc; of
 *           those made at run time it keeps copies
 * @return 0; V23_ENOMEM; V23_ENOSPC; V23_ELIMIT (a buffer's maximum, values
 *         nested deeper than 1000, sizes above 2^30); V23_EARG: enum or union
 *         selector out of range. Unless 0, streams and ids are unchanged. An
 *         error that a buffer already holds is returned and stays.
 *
 * Cost: linear; the body is written once and moved at most once, by the few
 * bytes that its header differs from the last message's.
 */
V23_MUST_USE int vom_encode(struct vom_enc *e, const struct vdl_type *t,
    const void *v);
/**
 * A value as one complete single-shot stream, appended to `out`
 * (caveat parameters, files). `out` is unchanged unless 0 is returned.
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

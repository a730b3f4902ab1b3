/* BSD-3-Clause; see LICENSE. */
/**
 * VOM 0x81 decoder (spec/vom.md 3, 5-7, 9, 11, 12, 17).
 *
 * Bytes in, no I/O: the caller offers a contiguous window of a stream, the
 * decoder says how much it used and whether it needs more. A struct vom_typedec
 * holds the types of one incoming type stream (shared by many value streams in
 * split mode); a struct vom_dec reads one value stream.
 *
 * Every error ends the stream. Memory and time are proportional to the input:
 * counts are checked against the bytes left and the arena's budget.
 */
#ifndef VOM_DEC_H
#define VOM_DEC_H

#include <vom/type.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vom_limits {
    uint32_t message;      /* bytes of one value message body */
    uint32_t type_message; /* bytes of one type message body */
    uint32_t type_stream;  /* bytes of all type messages of a type stream */
    uint32_t depth;        /* nesting of values (spec/vom.md 17.2) */
    /* A value may use alloc_base + alloc_factor * its bytes of the arena, and
     * never more than the arena's own budget. */
    uint32_t alloc_base, alloc_factor;
    struct vdl_type_limits types;
};
#define VOM_LIMITS_HOST \
    { 64u << 20, 64u << 10, 8u << 20, 1000, 4u << 20, 64, \
        VDL_TYPE_LIMITS_HOST }
#define VOM_LIMITS_MCU \
    { 16u << 10, 1u << 10, 16u << 10, 64, 8u << 10, 16, VDL_TYPE_LIMITS_MCU }

struct vom_v80;
struct vom_any_mode;

/* Turns values of one type into another (spec/vom.md 11). */
struct vom_converter;
extern const struct vom_converter vom_converter;

/* Finds known types among those of a peer. */
struct vom_recognizer;
extern const struct vom_recognizer vom_recognizer;

struct vom_options {
    struct vom_limits limits;
    /* Types whose descriptors equal types of a peer get. */
    struct vdl_registry known;
    const struct vom_recognizer *recognizer; /* &vom_recognizer; NULL: `known`
                                                is not looked at */
    bool lax_any_lengths; /* accept any-length entries that are wrong */
    const struct vom_v80 *v80; /* vom/vom80.h; NULL: only 0x81 is read */
    /* &vom_converter, or NULL: a value is decoded as any or as a type equal to
     * its own, else V23_ECOMPAT; what converts is not linked then. */
    const struct vom_converter *converter;
    const struct vom_any_mode *any; /* vom/raw.h; what an any becomes */
};
extern const struct vom_options vom_options_host;

/* ---- type stream --------------------------------------------------------- */

struct vom_typedec; /* opaque, reference counted */

/**
 * @param al   NULL = libc
 * @param opt  NULL = vom_options_host; copied (the registry array is not)
 */
V23_MUST_USE static inline int vom_typedec_new(const struct v23_alloc *al,
    const struct vom_options *opt, struct vom_typedec **out);
V23_MUST_USE int vom_typedec_new_(const struct v23_alloc *al,
    const struct vom_options *opt, struct vom_typedec **out);
/* Here, so that options of the caller's do not link all that the host's do. */
static inline int vom_typedec_new(const struct v23_alloc *al,
    const struct vom_options *opt, struct vom_typedec **out)
{
    return vom_typedec_new_(al, opt == NULL ? &vom_options_host : opt, out);
}
/** The object's count, for v23_ref() and v23_arena_hold(). Adds no owner. */
struct v23_ref *vom_typedec_ref(struct vom_typedec *td);
void vom_typedec_unref(struct vom_typedec *td); /* NULL ignored */
/**
 * Read the complete messages at the front of a separate type stream.
 *
 * @param used  bytes consumed; the caller offers the rest again with more
 * @return 0 (also when a partial message is left); an error poisons the
 *         type stream: all later calls and look-ups return it
 */
V23_MUST_USE int vom_typedec_input(struct vom_typedec *td, const uint8_t *p,
    size_t n, size_t *used);
/**
 * Type of an id, or NULL when it is not (yet) defined. It lives as long as
 * the typedec; v23_arena_hold(arena, vom_typedec_ref(td)) keeps it longer.
 */
const struct vdl_type *vom_typedec_lookup(struct vom_typedec *td, uint64_t id);
/** Number of types defined, without the built-in ones. */
size_t vom_typedec_count(const struct vom_typedec *td);

/* ---- value stream -------------------------------------------------------- */

/* One value message, cut out but not decoded; points into the input. */
struct vom_msg {
    const struct vdl_type *type; /* static type of the message */
    struct v23_bytes ids;        /* encoded entries of the type-id list */
    uint32_t nids;
    struct v23_bytes lens;       /* encoded entries of the any-length list */
    uint32_t nlens;
    struct v23_bytes body;       /* the value's bytes */
};

/* Only to be read, by the caller; nothing is allocated. */
struct vom_dec {
    struct vom_typedec *types; /* reference held */
    bool split;       /* type messages in this stream are errors */
    bool started;     /* version byte seen */
    bool v80;         /* it was 0x80 */
    bool waits_type;  /* last EAGAIN: a type id is not defined yet */
    int err;          /* first error, sticky */
    size_t need;      /* last EAGAIN: a window shorter than this is in vain */
};

/**
 * @param al     not used so far, may be NULL
 * @param types  a reference to it is taken; its options apply
 * @param split  false: type messages arrive in this stream
 */
void vom_dec_init(struct vom_dec *d, const struct v23_alloc *al,
    struct vom_typedec *types, bool split);
void vom_dec_fini(struct vom_dec *d);
/**
 * Cut the next value message out of the window.
 *
 * @param used  bytes consumed, also with EAGAIN (type messages in single mode)
 * @return 0: *msg set (valid while the window is);
 *         V23_EAGAIN: the window ends inside a message, or (waits_type) a type
 *         has not arrived on the type stream yet: offer the unused rest again;
 *         else the stream's error. A window of 0 bytes gives V23_EAGAIN;
 *         whether that is a clean end is for the caller to say.
 */
V23_MUST_USE int vom_dec_next(struct vom_dec *d, const uint8_t *p, size_t n,
    size_t *used, struct vom_msg *msg);
/**
 * Decode a message into a value of type t, converting (spec/vom.md 11).
 * Nothing in *out points into the input. Run-time types that it points to are
 * kept alive by the arena.
 *
 * @param a  NULL if the type is VDL_T_FLAT; V23_ENOMEM then means that the
 *           message names more than 8 types. Of types above 256 bytes *out is
 *           of no use after an error then
 * @param t  NULL decodes dynamically: *out is a struct vdl_any holding the
 *           value under its own type. &vdl_any_desc does the same. A type
 *           not made at run time must stay in place as long as the typedec
 * @param out  written only on success, as is the arena; callbacks of streamed
 *           lists (vom/rep.h) must be set before
 * @return 0; V23_EAGAIN with waits_type (a type inside an any has not arrived:
 *         call again with the same message); or an error, which also sticks to
 *         the stream
 */
V23_MUST_USE int vom_dec_value(struct vom_dec *d, const struct vom_msg *msg,
    struct v23_arena *a, const struct vdl_type *t, void *out);

/**
 * Decode the first value of a complete single stream. What is needed besides
 * the value comes from the arena's allocator or, if it has none, from the
 * arena itself, which then gets it back only when it is reset.
 *
 * @param opt   NULL = vom_options_host
 * @param used  bytes of the stream consumed; NULL: leftover is V23_ELENGTH
 * @return as above; V23_EEOF when the input ends inside a message
 */
V23_MUST_USE static inline int vom_decode_single(const uint8_t *p, size_t n,
    const struct vom_options *opt, struct v23_arena *a,
    const struct vdl_type *t, void *out, size_t *used);
V23_MUST_USE int vom_decode_single_(const uint8_t *p, size_t n,
    const struct vom_options *opt, struct v23_arena *a,
    const struct vdl_type *t, void *out, size_t *used);
static inline int vom_decode_single(const uint8_t *p, size_t n,
    const struct vom_options *opt, struct v23_arena *a,
    const struct vdl_type *t, void *out, size_t *used)
{
    return vom_decode_single_(p, n, opt == NULL ? &vom_options_host : opt, a,
        t, out, used);
}

/**
 * Decode the first value of a complete single stream on a small device: the
 * same for the streams that are met, with a third of the code, because the
 * peer's types are not made into descriptors.
 *
 * Fields are matched by name, names of types do not matter; but parts have to
 * be of one kind on both sides. Not decoded, though skipped where the target
 * has no such field, are floats, enums, optionals, sets and maps; anys and
 * typeobjects are neither. Fields have to come in their order, as every encoder
 * writes them. At most 48 types, of 32 fields.
 *
 * @param limits  not NULL
 * @param t       a type known when the program was built
 * @param out     of no use after an error
 * @param used    bytes of the stream consumed; NULL: leftover is V23_ELENGTH
 * @return 0; V23_ECOMPAT: not the same kinds, or one of those; V23_EEOF,
 *         V23_ELIMIT, V23_ENOMEM and the codes of malformed streams
 */
V23_MUST_USE int vom_decode_lean(struct v23_bytes vom,
    const struct vom_limits *limits, struct v23_arena *a,
    const struct vdl_type *t, void *out, size_t *used);

#ifdef __cplusplus
}
#endif
#endif

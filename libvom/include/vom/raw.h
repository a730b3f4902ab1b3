/* BSD-3-Clause; see LICENSE. */
/**
 * Raw values: an any kept as the bytes it came in (spec/vom.md 10), to be
 * passed on, looked into later, or dropped, without making the C form of a
 * type that the program does not know.
 *
 * struct vom_raw is another C form of the VDL type any, described by
 * vom_raw_desc. That descriptor may stand wherever one of any may: as the type
 * of a struct's field, as the target of vom_dec_value() and vdl_convert(),
 * which then take a value of whatever type, as the static type given to
 * vom_encode(), and in a vdl_any, as { &vom_raw_desc, raw }. An option of the
 * decoder makes it hold the content of anys in this last way.
 *
 * Encoded as a message of its own, a raw value gives the bytes it came in, on
 * another stream with other type ids. Inside another value only its references
 * to the message's lists change. Functions that compare or print it decode it;
 * vdl_format() writes T(!why) for bytes that are no value of their type T.
 *
 * Programs that name nothing of this header link none of its code.
 */
#ifndef VOM_RAW_H
#define VOM_RAW_H

#include <vom/dec.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A value of some type, encoded. All zero bytes: nil. `ids` and `lens` are the
 * lists of the message it came in, which indices in `data` refer to; they are
 * empty when `type` contains neither any nor typeobject.
 */
struct vom_raw {
    const struct vdl_type *type; /* NULL = nil */
    const struct vdl_type *const *ids;
    const uint32_t *lens;
    const uint8_t *data;
    uint32_t nids, nlens, ndata;
    struct vdl_types *types; /* set of the types; NULL: they live as long as
                                what holds this value */
};

/* Type any, held as struct vom_raw. */
extern const struct vdl_type vom_raw_desc;

/*
 * What a decoder makes of an any that is not nil (struct vom_options, `any`).
 * The same goes for a message that is decoded into an any. The bytes are
 * checked in any case. A raw value that has lists needs the types of all of
 * their entries, also of those that nothing refers to.
 *
 * NULL           a value of the type's C form, built at run time if need be
 * vom_any_known  such a value if the type is built in or in the registry, else
 *                a raw one
 * vom_any_raw    a raw one
 * vom_any_none   nil, for programs that have no use for anys
 */
extern const struct vom_any_mode vom_any_known, vom_any_raw, vom_any_none;

/**
 * Decode a raw value into a type, converting (spec/vom.md 11).
 *
 * @param opt  NULL = vom_options_host. Wrong any-lengths inside are accepted
 * @param t    NULL or &vdl_any_desc: *out is a struct vdl_any
 * @param out  written only on success. Run-time types it points to are kept by
 *             the arena if raw->types is set, else they are the raw value's
 * @return 0; V23_ECOMPAT, V23_ECONVERT, V23_ELIMIT, V23_ENOMEM; an error of
 *         vom_dec_value() if the bytes are not what their type says
 */
V23_MUST_USE static inline int vom_raw_decode(const struct vom_raw *raw,
    const struct vom_options *opt, struct v23_arena *a,
    const struct vdl_type *t, void *out);
V23_MUST_USE int vom_raw_decode_(const struct vom_raw *raw,
    const struct vom_options *opt, struct v23_arena *a,
    const struct vdl_type *t, void *out);
static inline int vom_raw_decode(const struct vom_raw *raw,
    const struct vom_options *opt, struct v23_arena *a,
    const struct vdl_type *t, void *out)
{
    return vom_raw_decode_(
        raw, opt == NULL ? &vom_options_host : opt, a, t, out);
}

#ifdef __cplusplus
}
#endif
#endif

/* BSD-3-Clause; see LICENSE. */
/**
 * Operations on values of any described type: `v` points at the C
 * representation that `t` describes (vom/type.h). Recursion is bounded by
 * VDL_VALUE_DEPTH levels of values.
 */
#ifndef VOM_VALUE_H
#define VOM_VALUE_H

#include <vom/type.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Deepest nesting of values handled (spec/vom.md 17.2). */
#define VDL_VALUE_DEPTH 1000

/** The zero value of the type (spec/vom.md 1.1); -0.0 is zero, NaN is not. */
bool vdl_is_zero(const struct vdl_type *t, const void *v);
/**
 * Equality (spec/vom.md 1.6); sets and maps ignore order. Values nested deeper
 * than VDL_VALUE_DEPTH are unequal. Cost: linear; for sets and maps whose
 * entries come in another order, quadratic in their size.
 */
bool vdl_equal(const struct vdl_type *t, const void *a, const void *b);
/** any against any: nil only equals nil; same type and equal values. */
bool vdl_any_equal(struct vdl_any a, struct vdl_any b);
/**
 * Deep copy. Run-time types inside (any, typeobject) are copied into the arena
 * too, so the copy does not depend on src's owner.
 * @param a  NULL if the type is VDL_T_FLAT
 * @return 0, V23_ENOMEM, V23_ELIMIT (depth), V23_EARG (union selector out of
 *         range); *dst written only on success, and may overlap *src
 */
V23_MUST_USE int vdl_copy(
    struct v23_arena *a, const struct vdl_type *t, void *dst, const void *src);
/**
 * Value text (spec/vom.md 16.1): what `vom decode` prints.
 * @param sorted  sets and maps sorted by entry text, for stable output
 */
V23_MUST_USE int vdl_format(
    const struct vdl_type *t, const void *v, bool sorted, struct v23_buf *out);
/** A quoted string literal of that text form. */
void vdl_format_quoted(struct v23_buf *out, const char *p, size_t n);

/* Scalar access for generic code; kind must be of the named group. */
uint64_t vdl_get_uint(const struct vdl_type *t, const void *v);
int64_t vdl_get_int(const struct vdl_type *t, const void *v);
double vdl_get_float(const struct vdl_type *t, const void *v);
uint32_t vdl_get_enum(const struct vdl_type *t, const void *v);
void vdl_set_enum(const struct vdl_type *t, void *v, uint32_t label);
/* The same way round: `x` has to be in the range of the kind. */
void vdl_set_uint(const struct vdl_type *t, void *v, uint64_t x);
void vdl_set_int(const struct vdl_type *t, void *v, int64_t x);
void vdl_set_float(const struct vdl_type *t, void *v, double x);
/** Selected field of a union. */
uint32_t vdl_get_which(const struct vdl_type *t, const void *v);
void vdl_set_which(const struct vdl_type *t, void *v, uint32_t field);

/**
 * Order of two keys: numbers by value, strings bytewise, labels and union
 * fields by index, arrays and structs part by part. NaN comes last and equals
 * nothing.
 * @param t  a type that can be a key
 */
int vdl_key_cmp(const struct vdl_type *t, const void *a, const void *b);
/**
 * The entry of a set or map that has this key, or NULL. Of a set it is the key
 * itself, of a map a struct { K key; V val; }. It is part of v.
 * @param t  the set or map, held in the normal way
 *
 * Cost: linear; logarithmic if the entries are sorted by vdl_sort().
 * Source: spec/vdl.md 13.3.
 */
const void *vdl_find(const struct vdl_type *t, const void *v, const void *key);
const void *vdl_find_sorted(const struct vdl_type *t, const void *v,
    const void *key);
static inline bool vdl_set_has(const struct vdl_type *t, const void *v,
    const void *key)
{
    return vdl_find(t, v, key) != NULL;
}
/**
 * Put the entries of a set or map in the order of their keys. The entries are
 * moved to the arena, not changed where they are.
 * @return 0; V23_ENOMEM: v and the arena are as they were
 */
V23_MUST_USE int vdl_sort(struct v23_arena *a, const struct vdl_type *t,
    void *v);

/**
 * Convert a value to another type by the rules of spec/vom.md 11. The result
 * does not depend on src's memory or run-time types. Scratch memory comes from
 * the arena's allocator (from libc's, when the arena has none).
 * @return 0, V23_ECOMPAT, V23_ECONVERT, V23_ELIMIT, V23_ENOMEM; *dst written
 *         only on success
 */
V23_MUST_USE int vdl_convert(struct v23_arena *a, const struct vdl_type *dt,
    void *dst, const struct vdl_type *st, const void *src);

#ifdef __cplusplus
}
#endif
#endif

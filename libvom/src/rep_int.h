/* BSD-3-Clause; see LICENSE. */
/**
 * What the sources that walk values do with a type of kind VDL_SPECIAL. They
 * reach the code through the descriptor, so a program that names none of a
 * representation's descriptors links none of its code.
 */
#ifndef VOM_REP_INT_H
#define VOM_REP_INT_H

#include <v23/bytes.h>
#include <vom/rep.h>

struct vom_rd_;
struct vom_wr_;
struct vdl_type_copier_;

/* A value in the normal way. */
union vdl_view_ {
    struct vdl_str s;
    struct vdl_list l;
    const void *p; /* optional */
};

struct vdl_rep_ops {
    /* As vom_enc_value_(). */
    uint8_t *(*enc)(
        struct vom_wr_ *w, uint8_t *p, const struct vdl_type *t, const void *v);
    /* Type of a message that holds just v, and its body; v is not zero. NULL:
     * the wire type, and `enc`. */
    const struct vdl_type *(*message_type)(const void *v);
    uint8_t *(*enc_message)(struct vom_wr_ *w, uint8_t *p, const void *v);
    /* Read a value of type src at r->p; src == t->wire if the types are
     * equal. If not, the options have a converter. */
    int (*dec)(struct vom_rd_ *r, const struct vdl_type *src,
        const struct vdl_type *t, void *out);
    bool (*is_zero)(const struct vdl_type *t, const void *v);
    /* The other value is of this type too, or, if the wire type is any, of
     * whatever type; that is NULL for nil. */
    bool (*equal)(const struct vdl_type *t, const void *v,
        const struct vdl_type *other_type, const void *other);
    int (*copy)(struct vdl_type_copier_ *c, const struct vdl_type *t, void *dst,
        const void *src);
    /* The value as one of the wire type, which may use the arena. */
    int (*open)(const struct vdl_type *t, const void *v, struct v23_arena *a,
        const void **out);
    /* Instead of `open`: the value as t->elem describes it, pointing into v.
     * False: it is broken. */
    bool (*view)(const struct vdl_type *t, const void *v, union vdl_view_ *out);
    /* Of any type with VDL_T_STREAM: clear all but callbacks. */
    void (*reset)(const struct vdl_type *t, void *v);
};

#endif

/* BSD-3-Clause; see LICENSE. */
/**
 * The encoder's writer, shared by enc.c (messages), enc_value.c (values) and
 * enc_type.c (type messages).
 */
#ifndef VOM_ENC_INT_H
#define VOM_ENC_INT_H

#include "prim_int.h"
#include "type_build_int.h"

#define VOM_ENC_DEPTH_ 1000
/* Largest room that may be asked for: 16 scalar fields and what follows. */
#define VOM_WR_ROOM_ 256
/* Run-time types whose ids are remembered during a message. */
#define VOM_WR_RECENT_ 8

/*
 * Writes one message behind the content of `out`. What writes takes the place
 * where to and returns the place behind, or NULL with `err` set. The room that
 * ends at `end` is in `out` itself or, when `out` cannot take the most that a
 * group of fields might need, in `small`, from where the bytes really used are
 * copied. Positions count from the start of `out`, so they stay valid.
 */
struct vom_wr_ {
    uint8_t *end;
    uint8_t *base; /* where the byte at position `flushed` is, or will be */
    size_t flushed;
    uint32_t depth; /* levels of values left */
    int err;
    bool set; /* the value written last is not zero */
    struct v23_buf *out;
    /* Writes anys and typeobjects; NULL: the value can hold none. */
    uint8_t *(*typed)(
        struct vom_wr_ *w, uint8_t *p, const struct vdl_type *t, const void *v);
    struct vom_enc *e;         /* for `typed` */
    struct v23_buf *types_out; /* where new type messages go */
    uint32_t nrecent;
    struct vom_typeid_slot recent[VOM_WR_RECENT_];
    uint8_t small[VOM_WR_ROOM_];
};

/* Most bytes the buffer can ever hold. */
static inline size_t vom_wr_most_(const struct v23_buf *b)
{
    return b->fixed && b->cap < b->max ? b->cap : b->max;
}

/* Where writing begins. `e` may be NULL if the value needs no types. */
uint8_t *vom_wr_init_(
    struct vom_wr_ *w, struct v23_buf *out, struct vom_enc *e);
/* Slow parts of the functions below. */
int vom_wr_flush_small_(struct vom_wr_ *w, uint8_t *p);
uint8_t *vom_wr_grow_(struct vom_wr_ *w, uint8_t *p, size_t n);
uint8_t *vom_wr_bytes_slow_(
    struct vom_wr_ *w, uint8_t *p, const void *from, size_t n);
/* Put the length of a body that begins at `body`, where one byte is left. */
int vom_put_length_(struct v23_buf *b, size_t body);
/* Take back what was written from a position on. */
uint8_t *vom_wr_rewind_(struct vom_wr_ *w, size_t pos);

/* Bring out->n up to date. */
static inline int vom_wr_flush_(struct vom_wr_ *w, uint8_t *p)
{
    if (w->base == w->small)
        return vom_wr_flush_small_(w, p);
    if (w->base != NULL)
        w->out->n = (size_t)(p - w->base);
    return 0;
}

/* Room for n ≤ VOM_WR_ROOM_ bytes. */
static inline uint8_t *vom_wr_room_(struct vom_wr_ *w, uint8_t *p, size_t n)
{
    return (size_t)(w->end - p) >= n ? p : vom_wr_grow_(w, p, n);
}

static inline uint8_t *vom_wr_bytes_(
    struct vom_wr_ *w, uint8_t *p, const void *from, size_t n)
{
    if ((size_t)(w->end - p) < n)
        return vom_wr_bytes_slow_(w, p, from, n);
    if (n != 0)
        memcpy(p, from, n);
    return p + n;
}

static inline uint8_t *vom_wr_uint_(struct vom_wr_ *w, uint8_t *p, uint64_t u)
{
    p = vom_wr_room_(w, p, VOM_UINT_MAX_);
    return p == NULL ? NULL : vom_put_uint_(p, u);
}

static inline uint8_t *vom_wr_nil_(struct vom_wr_ *w, uint8_t *p)
{
    p = vom_wr_room_(w, p, 1);
    if (p != NULL)
        *p++ = VOM_NIL_;
    return p;
}

static inline size_t vom_wr_pos_(const struct vom_wr_ *w, const uint8_t *p)
{
    return w->flushed + (size_t)(p - w->base);
}

static inline uint8_t *vom_wr_fail_(struct vom_wr_ *w, int err)
{
    w->err = err;
    return NULL;
}

/* Write a value; w->set then tells whether it is not zero. */
uint8_t *vom_enc_value_(
    struct vom_wr_ *w, uint8_t *p, const struct vdl_type *t, const void *v);
/* The same for any and typeobject: what vom_wr_.typed points to. */
uint8_t *vom_enc_typed_(
    struct vom_wr_ *w, uint8_t *p, const struct vdl_type *t, const void *v);

/* Id of a type, given now if it has none. */
int vom_enc_type_id_(
    struct vom_wr_ *w, const struct vdl_type *t, uint32_t *id);
/* Write the index of a type in the message's type-id list. */
uint8_t *vom_enc_type_(
    struct vom_wr_ *w, uint8_t *p, const struct vdl_type *t);
/* What goes before and behind the content of an any. */
struct vom_any_place_ {
    size_t entry; /* in the any-length list */
    size_t start; /* of the content */
};
uint8_t *vom_enc_any_head_(struct vom_wr_ *w, uint8_t *p,
    const struct vdl_type *t, struct vom_any_place_ *place);
uint8_t *vom_enc_any_end_(
    struct vom_wr_ *w, uint8_t *p, const struct vom_any_place_ *place);

/* Append to / look at a list of numbers. */
int vom_u32s_add_(struct vom_u32s *l, const struct v23_alloc *al, uint32_t x);
void vom_u32s_fini_(struct vom_u32s *l, const struct v23_alloc *al);
static inline uint32_t *vom_u32s_(struct vom_u32s *l)
{
    return l->more == NULL ? l->small : l->more;
}

/* A type made at run time may be gone after the call, its address reused. */
static inline bool vom_is_runtime_(const struct vdl_type *t)
{
    return (t->flags & VDL_T_BUILT_) != 0;
}

/* Where the search for a type's slot begins; n is a power of two. */
static inline size_t vom_typeenc_hash_(const struct vdl_type *t, size_t n)
{
    return vdl_address_hash_(t) & (n - 1);
}

/* Id of a type if it is found at once, or 0. */
static inline uint32_t vom_typeenc_cached_(
    const struct vom_typeenc *te, const struct vdl_type *t)
{
    const struct vom_typeid_slot *s =
        &te->slots[vom_typeenc_hash_(t, te->nslots)];

    return s->type == t && !vom_is_runtime_(t) ? s->id : 0;
}

/*
 * Id of a type; when it has none, give it one and append the type messages it
 * needs to `out`.
 */
int vom_typeenc_id_(struct vom_typeenc *te, const struct vdl_type *t,
    struct v23_buf *out, uint32_t *id);
/* Forget the types beyond the first n. */
void vom_typeenc_rollback_(struct vom_typeenc *te, size_t n);

#endif

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
 * Writes one message behind the content of `out`. [p, end) is room either in
 * `out` itself or, when `out` cannot take the most that a group of fields
 * might need, in `small`, from where the bytes really used are copied.
 * Positions count from the start of `out`, so they stay valid.
 */
struct vom_wr_ {
    uint8_t *p, *end;
    uint8_t *base;  /* where the byte at position `flushed` is, or will be */
    size_t flushed;
    struct vom_enc *e;
    struct v23_buf *out;
    struct v23_buf *types_out; /* where new type messages go */
    uint32_t depth;            /* levels of values left */
    uint32_t nrecent;
    struct vom_typeid_slot recent[VOM_WR_RECENT_];
    uint8_t small[VOM_WR_ROOM_];
};

void vom_wr_init_(struct vom_wr_ *w, struct vom_enc *e);
/* Bring out->n up to date. */
int vom_wr_flush_(struct vom_wr_ *w);
/* Slow parts of the two functions below. */
int vom_wr_grow_(struct vom_wr_ *w, size_t n);
int vom_wr_bytes_slow_(struct vom_wr_ *w, const void *p, size_t n);
void vom_wr_rewind_(struct vom_wr_ *w, size_t pos);

/* Room for n ≤ VOM_WR_ROOM_ bytes at w->p. */
static inline int vom_wr_need_(struct vom_wr_ *w, size_t n)
{
    return (size_t)(w->end - w->p) >= n ? 0 : vom_wr_grow_(w, n);
}

static inline int vom_wr_bytes_(struct vom_wr_ *w, const void *p, size_t n)
{
    if ((size_t)(w->end - w->p) < n)
        return vom_wr_bytes_slow_(w, p, n);
    if (n != 0)
        memcpy(w->p, p, n);
    w->p += n;
    return 0;
}

static inline size_t vom_wr_pos_(const struct vom_wr_ *w)
{
    return w->flushed + (size_t)(w->p - w->base);
}

/* 1 the value is not zero, 0 it is, < 0 error. */
int vom_enc_value_(struct vom_wr_ *w, const struct vdl_type *t, const void *v);

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
    return (size_t)(((uint64_t)(uintptr_t)t * UINT64_C(0x9E3779B97F4A7C15))
               >> 32)
        & (n - 1);
}

/* Id of a type if it is found at once, or 0. */
static inline uint32_t vom_typeenc_cached_(const struct vom_typeenc *te,
    const struct vdl_type *t)
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

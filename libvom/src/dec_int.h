/* BSD-3-Clause; see LICENSE. */
/**
 * The decoder's parts: dec_type.c (type streams), plan.c (how a wire type
 * becomes a target type), dec_value.c (values of one type), dec_skip.c,
 * dec_conv.c (conversions), dec_num.c, dec_keys.c, dec.c (messages).
 * dec_lean.c is a decoder of its own, of which only dec_wire.c is shared.
 */
#ifndef VOM_DEC_INT_H
#define VOM_DEC_INT_H

#include <vom/dec.h>

#include "prim_int.h"
#include "rep_int.h"

/* ---- type streams -------------------------------------------------------- */

/* A field of a type message. */
struct vom_member_ {
    struct vdl_str name;
    uint64_t type;
};

/* A type message read but not built; all in one allocation. */
struct vom_pending_ {
    uint32_t alt;   /* alternative of the union wireType */
    uint32_t index; /* 1 + position among the types being built, or 0 */
    struct vdl_str name;
    uint64_t sub[2]; /* fields 1 and 2, where they are numbers */
    uint32_t nmembers;
    struct vom_member_ *members;
    struct vdl_str *labels;
};

struct vom_def_ {
    uint64_t id;
    const struct vdl_type *type;    /* NULL: not built */
    struct vom_pending_ *pending;   /* NULL: built */
};

struct vom_plan_;
struct vom_rd_;

/* min(t) of spec/vom.md 17.2 of a few types. */
#define VOM_MINS_ 16
struct vom_min_ {
    const struct vdl_type *type;
    uint32_t min;
};

struct vom_typedec {
    struct v23_ref ref;
    const struct v23_alloc *al;
    struct vom_options opt;
    struct vdl_types *set; /* made with the first type message */
    int err;
    bool started;           /* version byte seen */
    bool v80;               /* types of version 0x80 */
    bool in_arena;          /* lives in the arena that values go to */
    struct vom_def_ *defs;  /* sorted by id */
    size_t ndefs, npending, defs_cap;
    size_t bytes;           /* of type messages so far */
    /* Source and target last found to be the same type. */
    const struct vdl_type *same_src, *same_dst;
    struct vom_plan_ **plans; /* open hash by source and target */
    size_t nplans, plans_cap;
    struct vom_min_ mins[VOM_MINS_];
};

/* Read the body of a type message. Poisons the type stream on failure. */
int vom_typedec_message_(struct vom_typedec *td, uint64_t id, bool incomplete,
    const uint8_t *p, size_t n);
/* Type message whose id has been read: its length and body. V23_EAGAIN. */
int vom_typedec_body_(struct vom_typedec *td, uint64_t id, bool incomplete,
    const uint8_t **p, const uint8_t *end, size_t *need);
/* The first byte of a type or value stream; *v80: it is of version 0x80. */
int vom_typedec_version_(struct vom_typedec *td, uint8_t version, bool *v80);
/* Alternatives of a WireType. */
enum {
    VOM_WIRE_NAMED_,
    VOM_WIRE_ENUM_,
    VOM_WIRE_ARRAY_,
    VOM_WIRE_LIST_,
    VOM_WIRE_SET_,
    VOM_WIRE_MAP_,
    VOM_WIRE_STRUCT_,
    VOM_WIRE_UNION_,
    VOM_WIRE_OPTIONAL_
};
/* Ids of byte and string, the elements of the two built-in lists. */
enum { VOM_ID_BYTE_ = 2, VOM_ID_STRING_ = 3 };
/* Kind of a built-in type, with the element's id of a list; else VDL_KINDS. */
unsigned vom_wire_kind_(uint64_t id, uint64_t *elem);
struct vom_cursor_ {
    const uint8_t *p, *end;
};
/* Check a WireType (dec_wire.c), the whole of the cursor: *w, which is zeroed,
 * gets all but the members, which are at *at; its name views the input. */
int vom_wire_scan_(struct vom_cursor_ *c, uint32_t max,
    struct vom_pending_ *w, const uint8_t **at);
/* The next member of a struct or union. */
int vom_wire_member_(struct vom_cursor_ *c, struct vom_member_ *m);
/* Parse one; the result is one allocation. */
int vom_wire_parse_(const struct v23_alloc *al, uint32_t members,
    const uint8_t *p, size_t n, struct vom_pending_ **out);

/* ---- version 0x80 -------------------------------------------------------- */

/* A message of the newer version and what it points into. */
struct vom_rewritten_ {
    struct vom_msg msg;
    struct v23_buf body, lists;
};

struct vom_v80 {
    const struct vdl_type *(*builtin)(uint64_t id);
    /* Values of the type are encoded in a way of their own. */
    bool (*is_special)(const struct vdl_type *t);
    /* V23_EAGAIN with d->waits_type. The buffers are the caller's to free,
     * also after a failure. */
    int (*rewrite)(struct vom_dec *d, const struct vom_msg *m,
        struct vom_rewritten_ *to);
};

/* ---- plans --------------------------------------------------------------- */

enum vom_plan_op_ {
    VOM_PLAN_BAD_,
    VOM_PLAN_SAME_,
    VOM_PLAN_NUM_,
    VOM_PLAN_LABEL_,      /* enum to enum */
    VOM_PLAN_ENUM_STR_,
    VOM_PLAN_STR_ENUM_,
    VOM_PLAN_BYTES_,      /* bytes to bytes */
    VOM_PLAN_FROM_BYTES_, /* bytes to another list or array */
    VOM_PLAN_LIST_,
    VOM_PLAN_SET_,
    VOM_PLAN_MAP_,
    VOM_PLAN_STRUCT_,
    VOM_PLAN_UNION_,
    VOM_PLAN_TO_OPTIONAL_,
    VOM_PLAN_FROM_OPTIONAL_,
    VOM_PLAN_OPTIONALS_,
    VOM_PLAN_TO_ANY_,
    VOM_PLAN_FROM_ANY_,
    VOM_PLAN_SPECIAL_ /* the target's own code converts */
};

#define VOM_NOWHERE_ UINT32_MAX

/* Where a field or label of the source goes. */
struct vom_plan_member_ {
    uint32_t to;           /* index in the target, or VOM_NOWHERE_ */
    struct vom_plan_ *sub; /* fields; made when first needed */
};

struct vom_plan_ {
    const struct vdl_type *src, *dst;
    uint8_t op;         /* enum vom_plan_op_ */
    uint8_t compatible; /* as a whole: 0 not asked yet, 1 yes, 2 no */
    struct vom_plan_ *key, *elem; /* made when first needed */
    struct vom_plan_member_ *members;
    uint32_t *order; /* many labels by name, to find a string among them */
};

/* Find or make the plan of a pair. */
int vom_plan_(struct vom_typedec *td, const struct vdl_type *src,
    const struct vdl_type *dst, struct vom_plan_ **out);
/* The same for a whole value, with the test of spec/vom.md 11.1. */
int vom_plan_root_(struct vom_typedec *td, const struct vdl_type *src,
    const struct vdl_type *dst, struct vom_plan_ **out);
/* Field or label of the target with a name, or VOM_NOWHERE_. */
uint32_t vom_plan_find_(const struct vom_plan_ *pl, struct vdl_str name);
/* Forget all plans; none may be in use. */
void vom_plans_free_(struct vom_typedec *td);

/* Plans that may stay between values. */
#define VOM_PLANS_KEEP_ 1024

/* What vom_options.converter points to. */
struct vom_converter {
    /* Read a value of another type than dst, which is not any. */
    int (*convert)(struct vom_rd_ *r, const struct vdl_type *src,
        const struct vdl_type *dst, void *out);
};

/* ---- raw values ---------------------------------------------------------- */

/* Makes the content of an any from a value of type t, not an any. */
struct vom_any_mode {
    int (*dec)(struct vom_rd_ *r, const struct vdl_type *t,
        struct vdl_any *out);
};

/*
 * Called while a value is skipped: behind the indices of an any, which begin
 * at `at`, behind its content, and behind the index of a typeobject.
 */
struct vom_move_ {
    int (*any)(struct vom_move_ *m, const struct vom_rd_ *r,
        const uint8_t *at, const struct vdl_type *t);
    int (*any_end)(struct vom_move_ *m, const struct vom_rd_ *r);
    int (*type)(struct vom_move_ *m, const struct vom_rd_ *r,
        const uint8_t *at, const struct vdl_type *t);
};

/* ---- reading a value ----------------------------------------------------- */

/* An entry of the type-id list. */
struct vom_listed_ {
    uint64_t id;
    const struct vdl_type *type; /* NULL: not looked up yet */
};

#define VOM_RD_LISTED_ 8

struct vom_rd_ {
    const uint8_t *p, *end;
    int err; /* why one of the functions that return a place returned NULL */
    struct vom_typedec *td;
    struct v23_arena *a;
    uint32_t depth; /* levels of values left */
    uint32_t nids, nlens;
    struct vom_listed_ *ids;
    uint32_t *lens;
    /* Reads anys and typeobjects; NULL: the type holds none. */
    int (*typed)(struct vom_rd_ *r, const struct vdl_type *t, void *out);
    size_t again;   /* bytes of targets that may be cleared a second time */
    bool split;
    bool waits;     /* a type has not arrived */
    bool held;      /* the arena holds the run-time types */
    bool bare;      /* there is no arena */
    /* Where the next memory asked for is: room for `places` things. */
    void *place;
    uint32_t places;
    uint8_t *place_end; /* end of the arena's block, if it was taken away */
    const struct vom_raw *raw; /* the lists, as raw values of this message
                                  share them; made by the first */
    struct vom_move_ *move;    /* skipping copies the bytes */
    struct vom_listed_ few_ids[VOM_RD_LISTED_];
    uint32_t few_lens[VOM_RD_LISTED_];
};

/*
 * All readers below return 0 or an error; `out` is zeroed memory laid out for
 * the target type and may be half written on failure.
 */

/*
 * Values under their own type: reads at p and returns the place behind, or
 * NULL with r->err set.
 */
const uint8_t *vom_dec_value_(struct vom_rd_ *r, const uint8_t *p,
    const struct vdl_type *t, void *out);

/* Memory from the arena for n objects. */
int vom_rd_get_(struct vom_rd_ *r, size_t n, size_t size, size_t align,
    bool zero, void **out);
int vom_rd_uint_(struct vom_rd_ *r, uint64_t *v);
/* Element count; each element takes at least `min` bytes. */
int vom_rd_count_(struct vom_rd_ *r, size_t min, uint32_t *n);
/* Length of a string or byte list, which is there entirely. */
int vom_rd_length_(struct vom_rd_ *r, uint32_t *n);
/* The zero byte in front of an array. */
int vom_rd_array_(struct vom_rd_ *r);
/* True: a nil was read. */
int vom_rd_nil_(struct vom_rd_ *r, bool *nil);
/* Index below `count`. */
int vom_rd_index_(struct vom_rd_ *r, uint32_t count, uint32_t *index);
/* Next field of a struct; *end: there is none. */
int vom_rd_field_(struct vom_rd_ *r, uint32_t count, uint32_t *index,
    bool *end);
/* The two indices in front of an any's content. */
int vom_rd_any_(struct vom_rd_ *r, const struct vdl_type **t, uint32_t *len);
int vom_rd_type_(struct vom_rd_ *r, const struct vdl_type **t);
/* Entry i of the type-id list, which has it. */
int vom_rd_listed_(struct vom_rd_ *r, uint32_t i, const struct vdl_type **t);
/* Content of an any is through: compare its length. */
int vom_rd_any_end_(const struct vom_rd_ *r, const uint8_t *start,
    uint32_t len);
/* Keep the run-time types alive as long as the arena's content. */
int vom_rd_hold_(struct vom_rd_ *r);
/* The place is taken, or not needed. */
static inline void vom_rd_unplace_(struct vom_rd_ *r)
{
    if (r->place_end != NULL)
        r->a->end = r->place_end;
    r->place = NULL;
    r->place_end = NULL;
}
/* Make memory ready for a value: clear it, but for callbacks of streams. */
static inline void vom_rd_reset_(const struct vdl_type *t, void *v)
{
    if ((t->flags & VDL_T_STREAM) != 0)
        t->ops->reset(t, v);
    else
        memset(v, 0, t->size);
}
/* Clear a field that is given a second time. */
int vom_rd_clear_(struct vom_rd_ *r, const struct vdl_type *t, void *v);
/* Least number of bytes of a value. */
size_t vom_rd_min_slow_(struct vom_rd_ *r, const struct vdl_type *t);
static inline size_t vom_rd_min_(struct vom_rd_ *r, const struct vdl_type *t)
{
    return t->kind == VDL_ARRAY || t->kind == VDL_UNION
        ? vom_rd_min_slow_(r, t)
        : 1;
}
/* The same for an entry of a map type. */
size_t vom_rd_min_entry_(struct vom_rd_ *r, const struct vdl_type *t);

static inline int vom_rd_enter_(struct vom_rd_ *r)
{
    if (r->depth == 0)
        return V23_ELIMIT;
    r->depth--;
    return 0;
}

/* A value whose wire type is t itself. */
int vom_dec_same_(struct vom_rd_ *r, const struct vdl_type *t, void *out);
int vom_dec_elems_(struct vom_rd_ *r, const struct vdl_type *elem, void *out,
    size_t n);
int vom_dec_any_(struct vom_rd_ *r, struct vdl_any *out);
/* What vom_rd_.typed points to. */
int vom_dec_typed_(struct vom_rd_ *r, const struct vdl_type *t, void *out);
/* A value of type t as content of an any, as the options want it. */
int vom_dec_to_any_(struct vom_rd_ *r, const struct vdl_type *t,
    struct vdl_any *out);
/* The same in the type's own C form. */
int vom_dec_wrap_(struct vom_rd_ *r, const struct vdl_type *t,
    struct vdl_any *out);
int vom_dec_skip_(struct vom_rd_ *r, const struct vdl_type *t);
int vom_dec_conv_(struct vom_rd_ *r, struct vom_plan_ *pl, void *out);
/* Drop all but the last of equal keys of a set or map. */
int vom_dec_unique_(struct vom_rd_ *r, const struct vdl_type *t,
    struct vdl_list *l, void *entries);

/* Allocator for what a decode into the arena needs besides; NULL when out. */
const struct v23_alloc *vom_arena_alloc_(struct v23_arena *a);

/* A number read from the wire, and its conversion (spec/vom.md 11.3). */
int vom_dec_num_(struct vom_rd_ *r, enum vdl_kind from, enum vdl_kind to,
    void *out);
int vom_num_from_byte_(uint8_t v, enum vdl_kind to, void *out);

static inline bool vom_is_number_(unsigned kind)
{
    return kind >= VDL_BYTE && kind <= VDL_FLOAT64;
}
static inline bool vom_is_scalar_(unsigned kind)
{
    return kind >= VDL_BOOL && kind <= VDL_FLOAT64;
}

/* Selector of a union, label of an enum. */
static inline void vom_set_selector_(void *v, bool wide, uint32_t x)
{
    if (wide)
        *(uint16_t *)v = (uint16_t)x;
    else
        *(uint8_t *)v = (uint8_t)x;
}

#endif

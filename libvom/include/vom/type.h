/* BSD-3-Clause; see LICENSE. */
/**
 * VDL types.
 *
 * struct vdl_type describes a VDL type and the C representation of its
 * values. It is immutable: `static const` tables emitted by the VDL compiler,
 * or built at run time (vdl_types below) with the same layout rule, so one
 * generic coder serves both. Source: spec/vom.md section 1, spec/vdl.md 13.
 *
 * C representation of a value, all-zero bytes being the VDL zero value:
 *
 *   bool, byte, intN, uintN, floatN   bool, uint8_t, intN_t, uintN_t, float,
 *                                     double
 *   string                            struct vdl_str
 *   enum                              uint8_t (uint16_t with > 256 labels)
 *   typeobject                        const struct vdl_type *, NULL = any
 *   any                               struct vdl_any, type NULL = nil
 *   ?T                                const T *, NULL = nil
 *   [N]T                              T[N] (generated: struct { T v[N]; })
 *   []T, set[K]                       struct vdl_list { v, n } of T / K
 *   map[K]V                           struct vdl_list of entries
 *                                     { K key; V val; }, naturally aligned
 *   struct                            members in order, naturally aligned;
 *                                     an empty struct has size 1
 *   union                             uint8_t which (uint16_t with > 256
 *                                     fields), then a C union
 */
#ifndef VOM_TYPE_H
#define VOM_TYPE_H

#include <v23/bytes.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The order is that of spec/vom.md 1.1. */
enum vdl_kind {
    VDL_ANY,
    VDL_OPTIONAL,
    VDL_BOOL,
    VDL_BYTE,
    VDL_UINT16,
    VDL_UINT32,
    VDL_UINT64,
    VDL_INT8,
    VDL_INT16,
    VDL_INT32,
    VDL_INT64,
    VDL_FLOAT32,
    VDL_FLOAT64,
    VDL_STRING,
    VDL_ENUM,
    VDL_TYPEOBJECT,
    VDL_ARRAY,
    VDL_LIST,
    VDL_SET,
    VDL_MAP,
    VDL_STRUCT,
    VDL_UNION,
    VDL_KINDS, /* number of kinds */
    /* No kind of VDL: values of the type `wire`, held as `rep` says. */
    VDL_SPECIAL = VDL_KINDS
};

/* Flags; computed over the whole graph reachable from the type. */
enum vdl_type_flags {
    VDL_T_ANY = 1,        /* contains any */
    VDL_T_TYPEOBJECT = 2, /* contains typeobject */
    VDL_T_FLAT = 4, /* C value holds no pointer: copying is memcpy */
    VDL_T_STREAM = 8 /* contains a streamed list */
};

/*
 * How a value is held in C. Whatever is not held in the normal way has a
 * descriptor of kind VDL_SPECIAL, so that code which knows the normal way only
 * takes it for something unknown rather than for something else.
 */
enum vdl_rep {
    VDL_REP_NORMAL = 0,
    VDL_REP_INLINE = 1, /* bounded, in place: struct { N n; T v[count]; } */
    VDL_REP_STREAM = 2, /* a list whose items pass through callbacks */
    VDL_REP_RAW = 3     /* an any left as bytes */
};

struct vdl_type;
struct vdl_rep_ops; /* private: what the coder does with a special type */

struct vdl_field {
    struct vdl_str name;
    const struct vdl_type *type;
    uint32_t offset; /* in the C struct; for a union, of its C union */
};

struct vdl_type {
    uint8_t kind;  /* enum vdl_kind */
    uint8_t rep;   /* enum vdl_rep */
    uint8_t flags; /* enum vdl_type_flags */
    uint8_t align; /* _Alignof the C representation */
    uint32_t size; /* sizeof the C representation */
    struct vdl_str name; /* "pkg/path.Name"; n == 0: unnamed */
    const struct vdl_type *elem; /* optional, array, list, map */
    const struct vdl_type *key;  /* set, map */
    uint32_t count; /* array length; number of fields or labels */
    uint32_t stride;  /* list, set: element size; map: entry size */
    uint32_t val_off; /* map: offset of the elem in an entry */
    const struct vdl_field *fields;  /* struct, union */
    union {
        const struct vdl_str *labels;  /* enum */
        const struct vdl_rep_ops *ops; /* VDL_SPECIAL; VDL_T_STREAM */
    };
    const struct vdl_type *wire; /* type on the wire; NULL = this one */
};

/* Any list, set or map. */
struct vdl_list {
    const void *v;
    uint32_t n;
};

/* `val` points at the C representation described by `type`. */
struct vdl_any {
    const struct vdl_type *type; /* NULL = nil */
    const void *val;
};

/* Descriptors of the unnamed built-in types. */
extern const struct vdl_type vdl_any_desc, vdl_bool_desc, vdl_byte_desc,
    vdl_uint16_desc, vdl_uint32_desc, vdl_uint64_desc, vdl_int8_desc,
    vdl_int16_desc, vdl_int32_desc, vdl_int64_desc, vdl_float32_desc,
    vdl_float64_desc, vdl_string_desc, vdl_typeobject_desc,
    vdl_bytes_desc /* []byte */, vdl_str_list_desc /* []string */,
    vdl_any_list_desc /* []any */, vdl_error_desc /* ?WireError */;

/* C types of unnamed built-in lists, as the generator names them. */
#define VDL_LIST_OF(T, name) \
    typedef struct name { const T *v; uint32_t n; } name
VDL_LIST_OF(struct vdl_str, vdl_str_list);
VDL_LIST_OF(struct vdl_any, vdl_any_list);
VDL_LIST_OF(bool, vdl_bool_list);
VDL_LIST_OF(uint16_t, vdl_uint16_list);
VDL_LIST_OF(uint32_t, vdl_uint32_list);
VDL_LIST_OF(uint64_t, vdl_uint64_list);
VDL_LIST_OF(int8_t, vdl_int8_list);
VDL_LIST_OF(int16_t, vdl_int16_list);
VDL_LIST_OF(int32_t, vdl_int32_list);
VDL_LIST_OF(int64_t, vdl_int64_list);
VDL_LIST_OF(float, vdl_float32_list);
VDL_LIST_OF(double, vdl_float64_list);
VDL_LIST_OF(struct vdl_bytes, vdl_bytes_list);
VDL_LIST_OF(struct vdl_type *const, vdl_typeobject_list);

/* ---- predicates (spec/vom.md 1.1, 1.5) ----------------------------------- */

/** List or array whose elem kind is byte. */
bool vdl_type_is_bytes(const struct vdl_type *t);
/** A value message of this type carries its length. */
bool vdl_type_has_length(const struct vdl_type *t);
bool vdl_type_can_be_key(const struct vdl_type *t);
bool vdl_type_can_be_named(const struct vdl_type *t);
bool vdl_type_can_be_optional(const struct vdl_type *t);
/** "any", "optional", "bool", … */
const char *vdl_kind_name(enum vdl_kind kind);
/*
 * The walks below are linear, do not recurse and do not allocate. They tell
 * V23_TYPE_GRAPH (v23/config.h) types apart; of larger graphs, equality says
 * no, and compatibility yes for what it has no room to look at.
 */

/** Same VDL type: equal canonical strings. */
bool vdl_type_equal(const struct vdl_type *a, const struct vdl_type *b);
/** Values of a and b have the same C representation and wire type. */
bool vdl_type_same_layout(const struct vdl_type *a, const struct vdl_type *b);
/** Compatibility of a source and a target type (spec/vom.md 11.1). */
bool vdl_type_compatible(const struct vdl_type *src,
    const struct vdl_type *dst);
/** Index of a label or field, or -1. */
int vdl_type_label_index(const struct vdl_type *t, struct vdl_str label);
int vdl_type_field_index(const struct vdl_type *t, struct vdl_str name);
/**
 * Append the canonical string (spec/vom.md 1.4); nothing on failure.
 * @return 0; V23_ELIMIT: longer than `max`, nested deeper than V23_TYPE_NEST,
 *         or more than V23_TYPE_GRAPH named types; V23_ENOMEM, V23_ENOSPC
 */
V23_MUST_USE int vdl_type_format(const struct vdl_type *t, size_t max,
    struct v23_buf *out);

/* ---- run-time types ------------------------------------------------------ */

struct vdl_type_limits {
    uint32_t types;     /* per set */
    uint32_t depth;     /* nesting: no path through a type that visits no
                           type twice is longer */
    uint32_t size;      /* C size of a value, bytes */
    uint32_t members;   /* fields or labels of one type, at most 65536 */
};
#define VDL_TYPE_LIMITS_HOST { 4096, 256, 16u << 20, 65536 }
#define VDL_TYPE_LIMITS_MCU { 64, 64, 8192, 256 }

/*
 * A reference-counted, append-only set of run-time types. A type lives as long
 * as its set; an arena that receives a pointer into the set holds a reference
 * (v23_arena_hold(&set->ref)).
 */
struct vdl_types;
/** The set's reference count, for v23_arena_hold(). */
struct v23_ref *vdl_types_ref(struct vdl_types *ts);
/**
 * Make an empty set with one reference.
 * @param limits  NULL = VDL_TYPE_LIMITS_HOST; copied
 * @return 0, V23_ENOMEM
 */
int vdl_types_new(const struct v23_alloc *al,
    const struct vdl_type_limits *limits, struct vdl_types **out) V23_MUST_USE;
/** Give up one reference; NULL is ignored. */
void vdl_types_unref(struct vdl_types *ts);

/**
 * Make the types of a set like those that were compiled in: nothing copies them
 * or holds on to the set any more, and encoders remember their addresses. It
 * must outlive whatever has met them, and nothing may be added to it.
 * @param ts  NULL is ignored
 */
void vdl_types_settle(struct vdl_types *ts);

/*
 * Building types: describe each node in a table, then build all nodes at once
 * (they may refer to each other in cycles). A reference is either a finished
 * type or the index of another node.
 */
struct vdl_type_ref {
    const struct vdl_type *type; /* NULL: use node */
    uint32_t node;
};
struct vdl_type_member {
    struct vdl_str name;
    struct vdl_type_ref type;
};
struct vdl_type_node {
    enum vdl_kind kind;
    struct vdl_str name; /* copied */
    struct vdl_type_ref elem, key;
    uint64_t len;        /* array */
    const struct vdl_type_member *members; /* struct, union; names copied */
    const struct vdl_str *labels;          /* enum; copied */
    uint32_t nmembers;   /* fields or labels */
    bool renames; /* this node = copy of `elem`'s structure under `name` */
};
/**
 * Validate (spec/vom.md 1.2), lay out and add types to a set.
 *
 * Unnamed scalars, []byte, []string and []any become the built-in descriptors.
 * Finished types that nodes refer to must outlive the set. A renaming node
 * needs a name. Rule 11 (one name, one type) covers the whole graph of the new
 * types; nodes with one name must be equal.
 *
 * @param nodes  n nodes
 * @param out    n pointers; written only on success
 * @return 0; V23_ETYPE: a rule is broken; V23_ELIMIT; V23_ENOMEM. On failure
 *         the set is unchanged.
 */
V23_MUST_USE int vdl_types_build(struct vdl_types *ts,
    const struct vdl_type_node *nodes, uint32_t n,
    const struct vdl_type **out);
/** The unnamed list or optional of a type, made when the set has none. */
V23_MUST_USE int vdl_types_list(struct vdl_types *ts,
    const struct vdl_type *elem, const struct vdl_type **out);
V23_MUST_USE int vdl_types_optional(struct vdl_types *ts,
    const struct vdl_type *elem, const struct vdl_type **out);

/*
 * Types known to a program. A decoder that is told of them builds nothing for
 * equal types of a peer, and an `any` of an equal type gets this descriptor.
 */
struct vdl_registry {
    const struct vdl_type *const *types;
    size_t n;
};

/**
 * Make a registry of types and everything that they consist of, each once, so
 * that a decoder recognizes the parts as they come.
 *
 * @param roots  n of them; need not outlive the call
 * @param out    to be given to vdl_registry_free
 * @return 0 or V23_ENOMEM, V23_ELIMIT (over 4,096 types)
 */
V23_MUST_USE int vdl_registry_make(const struct v23_alloc *al,
    const struct vdl_type *const *roots, size_t n, struct vdl_registry *out);
/** Free its list, with the allocator that it was made with. */
void vdl_registry_free(const struct v23_alloc *al, struct vdl_registry *r);

#ifdef __cplusplus
}
#endif
#endif

/* BSD-3-Clause; see LICENSE. */
/**
 * Types and values as a person writes them: VDL syntax and JSON. What the
 * tool vrpc prints; vom/parse.h reads the constants back.
 * Source: spec/naming.md 17.5.
 *
 * Not to be mixed up with the canonical string of a type (vdl_type_format)
 * and the text of a value that `vom decode` prints (vdl_format).
 *
 * Every function appends to `out`, or appends nothing when it fails. Scratch
 * memory comes from the allocator of `out` (from libc's, when it has none).
 * Thread: no state.
 */
#ifndef VOM_PRINT_H
#define VOM_PRINT_H

#include <vom/type.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Append a type: a named one by its name, `"pkg/path".Name`, another by its
 * structure, which takes several lines where there are structs and unions:
 *
 *     []struct {
 *     <tab>Size int32
 *     <tab>At "time".Time
 *     }
 *
 * The type of errors is `error`.
 *
 * @param t  NULL = any
 * @return 0; V23_ELIMIT: nested deeper than V23_TYPE_NEST or longer than the
 *         buffer may grow (a type from a peer can have a text that is
 *         exponentially longer); V23_ENOMEM, V23_ENOSPC
 */
V23_MUST_USE int vdl_print_type(const struct vdl_type *t, struct v23_buf *out);
/** The same, but of a named type its structure: what its definition says. */
V23_MUST_USE int vdl_print_base_type(
    const struct vdl_type *t, struct v23_buf *out);
/** Append a name as `"pkg/path".Name`; `Name` when there is no path and
 * `<empty>` when there is no name either. The path is quoted. */
void vdl_print_name(
    struct vdl_str path, struct vdl_str name, struct v23_buf *out);

/**
 * Append a value as a constant that tells its type:
 *
 *     true  "a"  int32(3)  "pkg".T(3)  "pkg".E.Label  []byte("\x01")
 *     []string{"a", "b"}  map[string]int64{"a": 0}  "pkg".S{Name: "x"}
 *     ?"pkg".S{Name: "x"}  ?"pkg".S(nil)  typeobject([]byte)
 *
 * Elements and fields are written without types, except inside any; fields
 * that are zero are left out. Sets and maps are ordered by the text of their
 * keys.
 *
 * @return 0; V23_ELIMIT: nested deeper than VDL_VALUE_DEPTH, and the cases of
 *         vdl_print_type(); V23_EARG: a label or field out of range;
 *         V23_ENOMEM, V23_ENOSPC
 */
V23_MUST_USE int vdl_print_const(
    const struct vdl_type *t, const void *v, struct v23_buf *out);
/** The same for the content of an any; a nil one is `nil`. */
V23_MUST_USE int vdl_print_any(struct vdl_any any, struct v23_buf *out);
/**
 * Append a value as JSON: 64-bit integers and enums as strings, sets and bytes
 * as arrays, structs with all fields and small first letters, nil as null.
 * Codes as vdl_print_const().
 *
 * Output: as the reference tool writes it, which is not JSON for strings with
 * other escapes, for infinities and NaN, for composite keys, and for types
 * (bare text).
 */
V23_MUST_USE int vdl_print_json(
    const struct vdl_type *t, const void *v, struct v23_buf *out);
/** The same for the content of an any; a nil one is `null`. */
V23_MUST_USE int vdl_print_json_any(struct vdl_any any, struct v23_buf *out);

/* ---- other forms of values ----------------------------------------------- */

/** A value being written; the hooks of a form write to `out`. */
struct vdl_printer {
    const struct vdl_form *form;
    struct v23_buf *out;
    unsigned depth; /* private: levels that the value is nested */
};

/**
 * A form in which values are written: what its owner writes, and the marks
 * around it. The constants and the JSON above are forms, and so are the text of
 * vdl_format(), the JSON of web pages and that of the tool debug.
 *
 * Hooks append to p->out and return 0 or a status; what they write inside a
 * value, they write with vdl_print_part(). Those that are NULL are left out.
 */
struct vdl_form {
    /* Marks before and after the parts of lists and arrays, of sets, of maps,
     * of structs and of unions. */
    const char *list[2], *set[2], *map[2], *fields[2], *field[2];
    const char *comma; /* between two parts */
    const char *colon; /* between a key or a field's name and its value */
    const char *nil;   /* instead of no value */
    /* What the members of a set are the keys of; NULL = they are written like
     * the elements of a list. */
    const char *member;
    bool zeros; /* fields of structs that are zero are written too */
    /** Write a value of the kinds bool to typeobject. Never NULL. */
    int (*scalar)(struct vdl_printer *p, const struct vdl_type *t,
        const void *v);
    /** Asked about a value of any other kind: 0 = written, VDL_PARTS = to be
     * written part by part. */
    int (*whole)(struct vdl_printer *p, const struct vdl_type *t,
        const void *v);
    /** Write a key; NULL = as any value. */
    int (*key)(struct vdl_printer *p, const struct vdl_type *t, const void *v);
    /** Write the name of a field; NULL = as it is. */
    void (*name)(struct v23_buf *out, struct vdl_str name);
    /** Put the entries of a set or map in order, such as vdl_sort(); NULL =
     * as they come. */
    int (*sort)(struct v23_arena *a, const struct vdl_type *t, void *v);
};
#define VDL_PARTS 1

/**
 * Append a value in a form.
 *
 * @return as vdl_print_const(), and what the hooks return
 */
V23_MUST_USE int vdl_print_form(const struct vdl_form *form,
    const struct vdl_type *t, const void *v, struct v23_buf *out);
/** From a hook: write a value that is part of the one being written. */
V23_MUST_USE int vdl_print_part(
    struct vdl_printer *p, const struct vdl_type *t, const void *v);

/* ---- named types --------------------------------------------------------- */

/*
 * The named types that some types are made of, each once. Members are private
 * but for `v` and `n`: the types, by package path, then by name.
 */
struct vdl_named {
    const struct v23_alloc *al;
    const struct vdl_type **v;
    size_t n, cap;
    const struct vdl_type **seen; /* everything that was looked at */
    size_t nseen, seen_cap;
    uint32_t *slots; /* finds a type in `seen`: index + 1, 0 = free */
    size_t nslots;
};

/** An empty set; al NULL = libc. */
void vdl_named_init(struct vdl_named *s, const struct v23_alloc *al);
void vdl_named_fini(struct vdl_named *s);
/**
 * Add what is named in the graph of a type, which has to outlive the set.
 *
 * @param t  NULL is ignored
 * @return 0; V23_ENOMEM, V23_ELIMIT: some types may be missing from the set
 * Cost: linear; a comparison of type graphs for types of one name.
 */
V23_MUST_USE int vdl_named_add(struct vdl_named *s, const struct vdl_type *t);
/** The type of that full name ("pkg/path.Name") that was added first, or
 * NULL. */
const struct vdl_type *vdl_named_find(
    const struct vdl_named *s, struct vdl_str name);
/**
 * Append the definitions, each after an empty line:
 *
 *     type "pkg/path".Name int32
 *
 * Codes as vdl_print_type().
 */
V23_MUST_USE int vdl_named_print(
    const struct vdl_named *s, struct v23_buf *out);

#ifdef __cplusplus
}
#endif
#endif

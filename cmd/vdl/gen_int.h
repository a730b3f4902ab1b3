/* BSD-3-Clause; see LICENSE. */
/**
 * Private parts of the C generator (gen.h).
 *
 *   gen.c          the four files: frame, includes, order of the parts
 *   gen_names.c    C names, prefixes, the table of identifiers
 *   gen_types.c    C types and wrappers of a header
 *   gen_special.c  fields held in place, streamed, or as bits
 *   gen_desc.c     descriptors
 *   gen_blob.c     constants with the types of single-shot streams
 *   gen_consts.c   constants and static initialisers of values
 *   gen_errors.c   error definitions and constructors
 *   gen_rpc_h.c    declarations of interfaces
 *   gen_rpc_c.c    method tables, thunks, client stubs
 *
 * Functions return nothing: the first failure sticks in struct gen and gen_c()
 * returns it at the end. Strings live in the generator's arena.
 */
#ifndef VDL_GEN_INT_H
#define VDL_GEN_INT_H

#include "gen.h"

/* Growing list of pointers, kept in order. */
struct gen_list {
    const void **v;
    size_t n, cap;
};

struct gen {
    const struct ir_package *p;
    const struct gen_options *opt;
    struct v23_arena mem;
    struct v23_buf *out; /* the file being written */
    struct v23_buf *err;
    int rc;
    const char *prefix;  /* "sensor_" */
    const char *upper;   /* "SENSOR_" */

    struct gen_list idents; /* struct gen_ident: names at file scope */
    struct gen_list packages; /* struct ir_package: used by this file pair */
    /* What the C code has seen so far. */
    struct gen_list started; /* types of the package being or been emitted */
    struct gen_list forward; /* those with a forward typedef */
    struct gen_list unnamed; /* unnamed types that have their typedef */
    struct gen_list entries; /* maps whose entry struct is not complete */
    struct gen_list complete; /* names of entry structs that are */
    struct gen_list arrays;   /* names of arrays with changed elements */
    struct gen_list specials; /* struct vdl_type: see gen_special.c */
    struct gen_list descs;   /* names of file-local descriptors */
    struct gen_list objects; /* struct gen_object: parts of constants */
};

/* ---- gen.c --------------------------------------------------------------- */

/* Fail with a sentence; the first one counts. */
void gen_fail(struct gen *g, const char *fmt, ...) V23_PRINTF(2, 3);
/* A string in the arena; "" when memory is short. */
const char *gen_str(struct gen *g, const char *fmt, ...) V23_PRINTF(2, 3);
/* Write to the current file. */
#define gen_put(g, ...) v23_buf_printf((g)->out, __VA_ARGS__)
/* Write text whose lines may be too long: they are broken behind ',', '{'
 * and '(' outside literals. */
void gen_wrap(struct gen *g, const char *text);
#define gen_putw(g, ...) gen_wrap(g, gen_str(g, __VA_ARGS__))
/* Title of a part of a file. */
void gen_title(struct gen *g, const char *title);
/* A doc text as a C comment of its own lines. */
void gen_doc(struct gen *g, const char *indent, const struct ir_doc *doc);
void gen_add(struct gen *g, struct gen_list *l, const void *p);
bool gen_has(const struct gen_list *l, const void *p);
bool gen_has_name(const struct gen_list *l, const char *name);

/* ---- gen_names.c --------------------------------------------------------- */

/* "SetHz" -> "set_hz". */
const char *gen_snake(struct gen *g, const char *name);
/* The same in capitals: "SET_HZ". */
const char *gen_upper(struct gen *g, const char *name);
/* Name of a member or parameter: snake case, made safe for C and C++. */
const char *gen_member(struct gen *g, const char *name);
const char *gen_prefix(struct gen *g, const struct ir_package *p);
bool gen_shipped(const struct ir_package *p);
/* "<v23/vdl/time/time.vdl.h>" or "\"vx/sensor/sensor.vdl.h\"". */
const char *gen_include(struct gen *g, const struct ir_package *p,
    const char *ext);
/* Include guard. */
const char *gen_guard(struct gen *g, const char *ext);
/* Take an identifier of file scope; two equal ones are an error. `what` names
 * its origin. Returns `name`. */
const char *gen_ident(struct gen *g, const char *name, const char *what);
bool gen_taken(const struct gen *g, const char *name);
/* Report members of one scope with equal names. */
void gen_check_scope(struct gen *g, const char *const *names, size_t n,
    const char *what);

/* Package of a named type; NULL for run-time types (struct v23_verror). */
const struct ir_package *gen_type_package(struct gen *g,
    const struct vdl_type *t);
/* VDL name without the package. */
const char *gen_type_base(struct gen *g, const struct vdl_type *t);
bool gen_is_error(const struct vdl_type *t);
/* Identifier that stands for the type in names: "sensor_id", "vdl_str". */
const char *gen_tname(struct gen *g, const struct vdl_type *t);
/* C type: "sensor_id", "struct vdl_str", "const sensor_reading *". */
const char *gen_ctype(struct gen *g, const struct vdl_type *t);
/* Declaration of `name` with that type. */
const char *gen_decl(struct gen *g, const struct vdl_type *t,
    const char *name);
/* C type of an element behind a pointer: "const sensor_id", ready for " *". */
const char *gen_celem(struct gen *g, const struct vdl_type *t);
/* Entry struct of a map. */
const char *gen_entry(struct gen *g, const struct vdl_type *map);
/* Constant of an enum label or a union field. */
const char *gen_label(struct gen *g, const struct vdl_type *t, uint32_t i);
/* C name of a struct or union field. */
const char *gen_field(struct gen *g, const struct vdl_type *t, uint32_t i);
/* A C string literal. */
const char *gen_literal(struct gen *g, const char *p, size_t n);
/* Initialiser of a struct vdl_str. */
const char *gen_str_init(struct gen *g, const char *p, size_t n);
/* Passed by pointer rather than by value. */
bool gen_by_pointer(const struct vdl_type *t);
/* Parameter declaration of an argument, and its C name as a parameter: `fixed`
 * lists the function's other parameters. */
const char *gen_param_name(struct gen *g, const char *name,
    const char *const *fixed);
const char *gen_param(struct gen *g, const struct vdl_type *t,
    const char *name);

/* C name that the options give to a definition or part of one, or NULL. */
const char *gen_renamed(struct gen *g, const struct ir_package *p,
    const char *key);
const char *gen_const_name(struct gen *g, const struct ir_const *c);
const char *gen_error_name(struct gen *g, const struct ir_error *e);
/* Name of an error's parameter. */
const char *gen_error_param(struct gen *g, const struct ir_error *e, size_t i);

/* ---- gen_special.c ------------------------------------------------------- */

struct gen_method;

/* In the generator only: a float64 held as uint64_t. */
#define GEN_REP_BITS 0xff

static inline const struct vdl_type *gen_wire(const struct vdl_type *t)
{
    return t->wire == NULL ? t : t->wire;
}

/* A package's options; never NULL. */
const struct gen_config *gen_config(const struct ir_package *p);
/* Definition of a named type, or NULL. */
const struct ir_typedef *gen_typedef(struct gen *g, const struct vdl_type *t);
/* The type whose C type it has: itself unless it is derived from another. */
const struct vdl_type *gen_origin(struct gen *g, const struct vdl_type *t);
/* How a type is held where the options have `key`. */
const struct vdl_type *gen_held(struct gen *g, const struct ir_package *p,
    const char *key, const struct vdl_type *t);
/* How a field, an argument or the items of a stream are held. */
const struct vdl_type *gen_ftype(struct gen *g, const struct vdl_type *t,
    uint32_t i);
const struct vdl_type *gen_atype(struct gen *g, const struct gen_method *n,
    const struct ir_arg *a);
const struct vdl_type *gen_in_stream(struct gen *g,
    const struct gen_method *n);
const struct vdl_type *gen_out_stream(struct gen *g,
    const struct gen_method *n);
/* Fail if a value would contain itself, or mode inline lacks a bound. */
void gen_check_special(struct gen *g);
const char *gen_special_name(struct gen *g, const struct vdl_type *t);
/* Write the struct of a bounded or streamed type. */
void gen_special_struct(struct gen *g, const struct vdl_type *t,
    const char *name);
/* Strings and lists of bytes. */
bool gen_is_text(const struct vdl_type *t);

/* ---- gen_types.c --------------------------------------------------------- */

/* Make a type usable by value; writes what is still missing. */
void gen_need_type(struct gen *g, const struct vdl_type *t);
/* Complete the entry of one map, or of all met so far. */
void gen_need_entry(struct gen *g, const struct vdl_type *map);
void gen_flush_entries(struct gen *g);
void gen_types_h(struct gen *g);
/* Add the packages of all types reachable without passing a named type. */
void gen_use(struct gen *g, const struct vdl_type *t);

/* ---- gen_desc.c ---------------------------------------------------------- */

/* Write the descriptor of an unnamed type unless it is there. */
void gen_need_desc(struct gen *g, const struct vdl_type *t);
/* Expression for the descriptor's address. */
const char *gen_desc(struct gen *g, const struct vdl_type *t);
/* A value needs no memory of its own. */
bool gen_flat(struct gen *g, const struct vdl_type *t);
void gen_descs_h(struct gen *g);
void gen_descs_c(struct gen *g);

/* ---- gen_blob.c ---------------------------------------------------------- */

void gen_blob_h(struct gen *g, const struct ir_typedef *d);
void gen_blob_c(struct gen *g, const struct vdl_type *t);

/* ---- gen_consts.c -------------------------------------------------------- */

/* Append the initialiser of a value; objects that it points at are written
 * to the current file first. */
void gen_value(struct gen *g, struct v23_buf *b, const struct vdl_type *t,
    const void *v);
/* Use the packages of a value's types. */
void gen_use_value(struct gen *g, const struct vdl_type *t, const void *v);
/* Text of a value in a buffer of its own, as a string of the arena. */
const char *gen_value_str(struct gen *g, const struct vdl_type *t,
    const void *v);
void gen_consts_h(struct gen *g);
void gen_consts_c(struct gen *g);

/* ---- gen_errors.c -------------------------------------------------------- */

void gen_errors_h(struct gen *g);
void gen_errors_c(struct gen *g);

/* ---- gen_rpc_h.c, gen_rpc_c.c -------------------------------------------- */

void gen_use_ifaces(struct gen *g);
void gen_ifaces_h(struct gen *g);
void gen_ifaces_c(struct gen *g);

/* Names around a method, shared by header and source. */
struct gen_method {
    const struct ir_iface *iface;
    const struct ir_method *m;
    const char *base;   /* "sensor_monitor_get" */
    const char *iname;  /* "sensor_monitor" */
    const char *member; /* of the vtable: "get" */
    const char *name;   /* "get" also if that is a keyword */
    size_t index;       /* in the sorted method table */
    bool has_stream;    /* either direction */
};
void gen_method_names(struct gen *g, const struct ir_iface *f,
    const struct ir_method *m, struct gen_method *out);
const char *gen_iface_name(struct gen *g, const struct ir_iface *f);
/* C name of an argument; a single unnamed result is "result". */
const char *gen_arg(struct gen *g, const struct gen_method *n,
    const struct ir_arg *a);
/* Member of an embedded interface in the vtable. */
const char *gen_embed(struct gen *g, const struct ir_iface *f, size_t i);
/* Own methods sorted by name; n pointers in the arena. */
const struct ir_method **gen_sorted(struct gen *g, const struct ir_iface *f);
/* Parameter list of the client's start function. */
const char *gen_start_proto(struct gen *g, const struct gen_method *n);
extern const char *const gen_start_fixed[];

#endif

/* BSD-3-Clause; see LICENSE. */
/*
 * The parser under vom/parse.h. Constants of VDL and the text of values are
 * read by the same functions: they differ in how types are written and in
 * where a type may stand.
 */
#ifndef VOM_PARSE_INT_H
#define VOM_PARSE_INT_H

#include <vom/parse.h>
#include <vom/print.h>

struct vdl_canon_text_;

struct parser {
    struct vdl_str text;
    size_t at;
    bool canonical; /* the text of values, not constants */
    struct v23_arena *a;
    const struct vdl_registry *known;
    const struct vdl_type *const *roots; /* types whose names are known */
    size_t nroots;
    struct vdl_named names; /* of both, once a name was looked for */
    bool have_names;
    struct vdl_types *types;        /* run-time types; made when needed */
    struct vdl_canon_text_ **texts; /* canonical: types by their text */
    struct vdl_parse_error *err;
    int depth;
};

/* ---- scanner ------------------------------------------------------------- */

/* Record an error at the present place; returns V23_ETEXT. */
int vdl_parse_fail_(struct parser *p, const char *fmt, ...) V23_PRINTF(2, 3);
/* Go back to `at` and record an error there; returns V23_ETEXT. */
int vdl_parse_fail_at_(struct parser *p, size_t at, const char *fmt, ...)
    V23_PRINTF(3, 4);
/* Skip blanks and comments; the next byte, or 0 at the end. */
char vdl_parse_peek_(struct parser *p);
/* Take `c` when it is next. */
bool vdl_parse_take_(struct parser *p, char c);
/* Take `c`, or fail. */
int vdl_parse_expect_(struct parser *p, char c);
/* Part of an identifier or a number. */
bool vdl_parse_is_word_(char c);
/* Take an identifier; n == 0: there is none. */
struct vdl_str vdl_parse_ident_(struct parser *p);
/* Take this word when it is next. */
bool vdl_parse_take_word_(struct parser *p, const char *word);
/* A string literal at the present place, unquoted into the arena. */
int vdl_parse_string_(struct parser *p, struct vdl_str *out);
/* Leave a string literal behind without reading it. */
int vdl_parse_skip_string_(struct parser *p);
/* A number at the present place, stored as kind and size of `t` say. */
int vdl_parse_number_(struct parser *p, const struct vdl_type *t, void *out);

/* ---- types --------------------------------------------------------------- */

/* The unnamed built-in type of that name, or NULL. */
const struct vdl_type *vdl_parse_builtin_(struct vdl_str name);
/* The set of run-time types. */
int vdl_parse_types_(struct parser *p, struct vdl_types **out);
/*
 * A type of VDL at the present place. *out = NULL and 0 when what stands there
 * is no type (nothing is taken then).
 */
int vdl_parse_type_(struct parser *p, const struct vdl_type **out);
/* A type as vdl_type_format() writes it. */
int vdl_parse_canonical_(struct parser *p, const struct vdl_type **out);

/* ---- values -------------------------------------------------------------- */

/* A value of type t, which the context implies. */
int vdl_parse_implied_(struct parser *p, const struct vdl_type *t, void *out);
/* "{…}" of an array, list, set, map, struct or union. */
int vdl_parse_composite_(struct parser *p, const struct vdl_type *t, void *out);
/* What stands there cannot be a `t`: an error that says so. */
int vdl_parse_mismatch_(struct parser *p, const struct vdl_type *t);

#endif

/* BSD-3-Clause; see LICENSE. */
/* The scanner under vom/parse.h, shared by values and types. */
#ifndef VOM_PARSE_INT_H
#define VOM_PARSE_INT_H

#include <vom/parse.h>

struct parser {
    struct vdl_str text;
    size_t at;
    struct v23_arena *a;
    const struct vdl_registry *known;
    const struct vdl_type *const *roots; /* types whose names are known */
    size_t nroots;
    struct vdl_types *types; /* run-time types; made when needed */
    struct vdl_parse_error *err;
    int depth;
};

/* Record an error at the present place; returns V23_ETEXT. */
int vdl_parse_fail_(struct parser *p, const char *fmt, ...) V23_PRINTF(2, 3);
/* Skip blanks; the next byte, or 0 at the end. */
char vdl_parse_peek_(struct parser *p);
/* Take `c` when it is next. */
bool vdl_parse_take_(struct parser *p, char c);
/* Take `c`, or fail. */
int vdl_parse_expect_(struct parser *p, char c);
/* Take an identifier; n == 0: there is none. */
struct vdl_str vdl_parse_ident_(struct parser *p);
/* A string literal at the present place, unquoted into the arena. */
int vdl_parse_string_(struct parser *p, struct vdl_str *out);
/*
 * A type at the present place. *out = NULL and 0 when what stands there is no
 * type (nothing is taken then).
 */
int vdl_parse_type_(struct parser *p, const struct vdl_type **out);

#endif

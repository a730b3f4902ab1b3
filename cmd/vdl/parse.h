/* BSD-3-Clause; see LICENSE. */
/* What lexer.l, grammar.y, parse.c and doc.c share. */
#ifndef VDL_PARSE_H
#define VDL_PARSE_H

#include "ast.h"

/* Adjacent comments (spec/vdl.md 2.6). */
struct comment {
    const char *text; /* of a finished one */
    int first, last;  /* lines */
    bool taken;
};

struct parser {
    struct ctx *c;
    const struct source *src;
    enum parse_mode mode;
    struct ast_file *file;
    struct pos at;    /* of the next character */
    struct pos tok;   /* of the present token */
    int start_token;  /* goes first, chooses the grammar's start */
    const char *text; /* of the present token, as written */
    size_t tokens;    /* so far */
    bool recovering;  /* nothing counts up to the next definition */
    bool skipping;    /* messages about tokens are not wanted */
    bool stopped;     /* nothing counts any more */
    int pending;      /* the keyword that begins the definition, or 0 */
    struct ast_name pending_name;
    int prev;             /* last token's number; 0 = none yet */
    int prev_line;        /* where it began */
    bool prev_newline;    /* the last token is an automatic semicolon */
    struct list comments; /* struct comment, finished ones */
    struct comment *open; /* block being collected, or NULL */
    struct v23_buf block; /* its text so far */
    int errors;           /* of this file */
};

/* ---- lexer.l ------------------------------------------------------------- */

int lex_begin(struct parser *ps, void **scanner);
void lex_end(void *scanner);

/* ---- parse.c ------------------------------------------------------------- */

void parse_error_at(struct parser *ps, struct pos pos, const char *fmt, ...)
    V23_PRINTF(3, 4);
/**
 * After a syntax error: go on with the next definition, which is a line that
 * begins with a keyword.
 *
 * @param t  the last token, which may be that keyword; 0 = none
 */
void parse_recover(struct parser *ps, int t);
/** Decode the escapes of a quoted string; false when malformed. */
bool parse_string(
    struct parser *ps, const char *p, size_t n, struct ast_name *out);

/** Collect and join the parts of a dotted name. */
void parse_part(struct parser *ps, struct list *parts, struct ast_name part);
const char *parse_dotted(struct parser *ps, const struct list *parts);

struct ast_type *parse_type(struct parser *ps, enum ast_type_kind kind,
    struct pos pos, struct ast_type *key, struct ast_type *elem);
struct ast_type *parse_named_type(struct parser *ps, struct ast_name name);
struct ast_type *parse_array_type(struct parser *ps, struct pos pos,
    struct ast_name len, struct ast_type *elem);
struct ast_field *parse_field(
    struct parser *ps, struct ast_name name, struct ast_type *type);
/** Turn "a, b T" (names read as types) into fields appended to `out`. */
void parse_fields(struct parser *ps, struct list *out, const struct list *names,
    struct ast_type *type);
/** Turn a list of types into unnamed arguments. */
void parse_unnamed(
    struct parser *ps, struct list *out, const struct list *types);
struct ast_expr *parse_expr(
    struct parser *ps, enum ast_expr_kind kind, struct pos pos);
struct ast_expr *parse_binary(struct parser *ps, struct pos pos, int op,
    struct ast_expr *l, struct ast_expr *r);
void parse_append(struct parser *ps, struct list *to, const struct list *from);

/* ---- doc.c --------------------------------------------------------------- */

void doc_comment(struct parser *ps, const char *p, size_t n, struct pos pos);
/** A token ends the open block. */
void doc_token(struct parser *ps);
/** After a successful parse: hand the comments to the tree's items. */
void doc_attach(struct parser *ps);

#endif

/* BSD-3-Clause; see LICENSE. */
/**
 * Parse trees (spec/vdl.md section 3) and the parser's entry point.
 *
 * Trees hold names and positions only; nothing is resolved. They live in the
 * compiler's arena. Lists are struct list of pointers to the named node.
 */
#ifndef VDL_AST_H
#define VDL_AST_H

#include "ctx.h"

struct pos {
    int line, col; /* from 1 */
};

/* A dotted name, or any other token with its text. */
struct ast_name {
    const char *s;
    uint32_t len; /* of s, for string literals with embedded NULs */
    struct pos pos;
};

enum ast_type_kind {
    AST_NAMED,
    AST_ARRAY,
    AST_LIST,
    AST_ENUM,
    AST_SET,
    AST_MAP,
    AST_STRUCT,
    AST_UNION,
    AST_OPTIONAL
};

struct ast_type {
    enum ast_type_kind kind;
    struct pos pos;
    const char *name;            /* AST_NAMED; also "error", "typeobject" */
    uint64_t len;                /* AST_ARRAY; UINT64_MAX = too large */
    struct ast_type *key, *elem; /* set, map; array, list, map, optional */
    struct list members;         /* struct ast_field: fields or labels */
};

/* A field, argument or enum label. */
struct ast_field {
    const char *name; /* "" = unnamed argument */
    struct pos pos;
    struct ast_type *type; /* NULL for a label */
    struct ir_doc doc;
};

enum ast_expr_kind {
    AST_STRING,
    AST_INTEGER,
    AST_RATIONAL,
    AST_NAME,
    AST_COMPOSITE,
    AST_INDEX,
    AST_CONVERT,
    AST_TYPEOBJECT,
    AST_UNARY,
    AST_BINARY
};

struct ast_expr {
    enum ast_expr_kind kind;
    struct pos pos;
    int depth;              /* of nested operators */
    struct ast_name text;   /* literal (a string: its value) or name */
    struct ast_type *type;  /* composite (NULL = implicit), convert,
                               typeobject */
    int op;                 /* unary, binary: token number */
    struct ast_expr *l, *r; /* operands; indexed constant and index */
    struct list entries;    /* composite: struct ast_entry */
};

/* One element of a composite literal. */
struct ast_entry {
    struct ast_expr *key; /* NULL = none */
    struct ast_expr *value;
};

struct ast_import {
    struct pos pos;
    const char *name; /* explicit local name, or NULL */
    const char *path;
    struct ir_doc doc;
};

struct ast_typedef {
    const char *name;
    struct pos pos;
    struct ast_type *type;
    struct ir_doc doc;
};

struct ast_const {
    const char *name;
    struct pos pos;
    struct ast_expr *expr;
    struct ir_doc doc;
};

/* Text of an error in one language. */
struct ast_format {
    struct ast_name lang, text;
};

struct ast_error {
    const char *name;
    struct pos pos;
    struct list params;  /* struct ast_field */
    struct list actions; /* struct ast_name */
    struct list formats; /* struct ast_format */
    struct ir_doc doc;
};

struct ast_method {
    const char *name;
    struct pos pos;
    struct list in, out;                    /* struct ast_field */
    struct ast_type *in_stream, *out_stream; /* NULL = none */
    struct list tags;                       /* struct ast_expr */
    struct ir_doc doc;
};

struct ast_embed {
    const char *name;
    struct pos pos;
    struct ir_doc doc;
};

struct ast_iface {
    const char *name;
    struct pos pos;
    struct list embeds, methods; /* struct ast_embed, struct ast_method */
    struct ir_doc doc;
};

struct ast_file {
    const char *file_doc;
    const char *package; /* "config" for a config file */
    struct pos package_pos;
    struct ir_doc package_doc;
    struct list imports, types, consts, errors, ifaces;
    struct ast_expr *config; /* config files: the exported constant */
    struct list exprs;       /* struct ast_expr, of PARSE_EXPRS */
};

enum parse_mode {
    PARSE_FILE,
    PARSE_IMPORTS, /* stop at the first definition */
    PARSE_CONFIG,
    PARSE_EXPRS /* expressions between commas */
};

/**
 * Parse one file. Errors are reported to the context.
 *
 * @return the tree, or NULL when the file has errors
 */
struct ast_file *parse(struct ctx *c, const struct source *src,
    enum parse_mode mode);

/** "[]string", "map[string]Foo", …: a type as it would be written. */
const char *ast_type_text(struct ctx *c, const struct ast_type *t);
/** "_", an operand's text, …: short form of an expression for messages. */
const char *ast_expr_text(struct ctx *c, const struct ast_expr *e);
const char *ast_op_text(int op);

#endif

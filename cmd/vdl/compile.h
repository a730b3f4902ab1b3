/* BSD-3-Clause; see LICENSE. */
/**
 * Compiling one package (spec/vdl.md sections 4.5 to 10): parse trees in,
 * struct ir_package out. Sub-stages run in order - names of imports, types,
 * errors, consts, interfaces, unused imports - and each one that reports an
 * error is the last.
 */
#ifndef VDL_COMPILE_H
#define VDL_COMPILE_H

#include "ast.h"

struct package;
struct file;

enum decl_kind { DECL_TYPE, DECL_CONST, DECL_ERROR, DECL_IFACE };

/* A name of a package. */
struct decl {
    enum decl_kind kind;
    const char *name;
    struct file *file; /* NULL: built in */
    struct pos pos;
    bool exported;
    bool failed; /* a constant without value, already reported */
    const void *ast;
    /* What it stands for, once compiled: */
    const struct vdl_type *type;  /* DECL_TYPE; NULL = being built */
    uint32_t node;                /* DECL_TYPE: while being built */
    struct vdl_any value;         /* DECL_CONST; type NULL = not yet */
    const struct ir_iface *iface; /* DECL_IFACE; NULL = not yet */
};

/* An import of a file. */
struct import {
    const char *path;
    struct pos pos;
    struct package *package;
    bool used;
};

struct file {
    const char *base; /* name in its directory */
    struct source src;
    struct package *package;
    struct ast_file *ast;
    struct map imports;      /* local name -> struct import */
    struct list import_list; /* the same in source order */
};

struct package {
    struct ir_package ir; /* path, gen_path, dir, builtin: set when resolved */
    bool root;            /* a standard package */
    bool named;           /* given on the command line */
    bool compiled, failed;
    struct list files;   /* struct file, by name */
    struct list imports; /* struct package: what it depends on */
    struct map decls;    /* name -> struct decl */
    struct map lower;    /* the same in lower case */
    struct list types, consts, errors, ifaces; /* struct decl, source order */
    struct source config_src; /* its vdl.config; path NULL = none */
    struct vdl_any config;    /* of type vdltool.Config; type NULL = none */
};

/* ---- compile.c ----------------------------------------------------------- */

/**
 * Compile a package whose imports are compiled.
 * @return false after reporting errors
 */
bool compile_package(struct ctx *c, struct package *p);

/**
 * Compile a config file.
 *
 * @param implicit  imports every config file has without saying so
 * @param type      type of the exported constant; NULL = what it says
 */
bool compile_config(struct ctx *c, const struct source *src,
    const char *pkg_path, const char *const *implicit, size_t nimplicit,
    const struct vdl_type *type, struct vdl_any *out);

/* ---- config.c ------------------------------------------------------------ */

/** Check the config of a compiled package; false after reporting. */
bool check_config(struct ctx *c, const struct package *p);

/* A message about a place in a file. */
#define FILE_ERROR(c, file, at, ...)                                           \
    ctx_error((c), &(file)->src, (at).line, (at).col, __VA_ARGS__)

/** Declare a package-level name; NULL after reporting a conflict. */
struct decl *declare(struct ctx *c, struct file *f, enum decl_kind kind,
    const char *what, const char *name, struct pos pos);

/**
 * Resolve the first part of a dotted name.
 *
 * @param rest  receives the unmatched rest, ".B.C" or ""
 * @return NULL when nothing of that name is visible
 */
const struct decl *resolve_name(
    struct file *f, const char *name, const char **rest);

/** Sort declarations so that those in edges[i] come before v[i]; stable. */
struct toposort {
    struct map index;  /* name -> struct topo_node */
    struct list order; /* struct topo_node, in order of insertion */
};
void topo_node(
    struct ctx *c, struct toposort *t, const char *name, void *value);
void topo_edge(
    struct ctx *c, struct toposort *t, const char *from, const char *to);
/**
 * Children first, in order of insertion.
 *
 * @param out    values in order
 * @param first  name of the node that the first cycle returns to
 * @return NULL, or "[a <= b <= a]" lines of the cycles
 */
const char *topo_sort(
    struct ctx *c, struct toposort *t, struct list *out, const char **first);

/* ---- compile_types.c ----------------------------------------------------- */

/** Built-in names: types and the constants true, false, nil. */
const struct decl *builtin_name(const char *name);
bool compile_types(struct ctx *c, struct package *p);
/** A type where it is used; NULL after reporting. */
const struct vdl_type *compile_type(
    struct ctx *c, struct file *f, const struct ast_type *t);
/** The same, and every local name in it must be exported. */
const struct vdl_type *compile_exported_type(
    struct ctx *c, struct file *f, const struct ast_type *t);
bool type_exported(const struct vdl_type *t);
/** []T, set[K], map[K]V or ?T, each made once. */
const struct vdl_type *unnamed_type(struct ctx *c, enum vdl_kind kind,
    const struct vdl_type *key, const struct vdl_type *elem);
/** Canonical text. */
const char *type_text(struct ctx *c, const struct vdl_type *t);

/* ---- the other stages ---------------------------------------------------- */

bool compile_errors(struct ctx *c, struct package *p);
bool compile_consts(struct ctx *c, struct package *p);
bool compile_ifaces(struct ctx *c, struct package *p);

/**
 * Evaluate a constant to its final, typed value.
 *
 * @param what      "const", "tag", …: names it in messages
 * @param implicit  type it takes if it has none; NULL = it must have one
 * @return false after reporting
 */
bool compile_const(struct ctx *c, struct file *f, const char *what,
    const struct vdl_type *implicit, const struct ast_expr *e,
    struct vdl_any *out);

/* ---- exprs.c ------------------------------------------------------------- */

/**
 * Evaluate expressions that stand for themselves, with types that come from
 * elsewhere: of those, and of what is below them, the named ones are known,
 * as "pkg/path".Name. So is what the packages in c->packages declare; they are
 * compiled.
 *
 * @param src    the expressions, between commas
 * @param types  n > 0 implied types; the last one also for further expressions
 * @param out    struct vdl_any, of the implied types
 * @return false after reporting
 */
bool compile_exprs(struct ctx *c, const struct source *src,
    const struct vdl_type *const *types, size_t n, struct list *out);

#endif

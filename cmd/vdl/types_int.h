/* BSD-3-Clause; see LICENSE. */
/** What the sources that compile types share. */
#ifndef VDL_TYPES_INT_H
#define VDL_TYPES_INT_H

#include "compile.h"

/* The definitions of a package while they are built. */
struct builder {
    struct ctx *c;
    struct package *p;
    struct vdl_type_node *nodes; /* definitions first */
    uint32_t n, cap, ndefs;
    const struct ast_type **asts; /* of each definition */
    struct vdl_type_ref *ends;    /* of each: what its chain of `type X Y`
                                     ends at, itself if it is no such */
    struct map unnamed;           /* parts -> number of the node + 1 */
    const struct vdl_type **out;
};

#define DEF(b, i) ((struct decl *)(b)->p->types.v[i])

/* A finished type, or a node of the builder; neither: error reported. */
struct ref {
    bool ok;
    struct vdl_type_ref r;
};

enum vdl_kind kind_of(enum ast_type_kind kind);
struct vdl_type_node *add_node(struct builder *b);
/* A new unnamed type is the one of its form, unless there is one already. */
void keep_unnamed(struct ctx *c, const struct vdl_type *t);
/* A type literal: what may stand anywhere. `b` NULL: all names are finished. */
struct ref type_ref(struct ctx *c, struct file *f, struct builder *b,
    const struct ast_type *t, bool export);
/* Fill builder.ends; false after reporting definitions by themselves. */
bool follow_names(struct builder *b);
/* The rules that need the whole table; false after reporting. */
bool check_types(struct builder *b);

#endif

/* BSD-3-Clause; see LICENSE. */
/** Identifier rules (spec/vdl.md section 5). */
#ifndef VDL_NAMES_H
#define VDL_NAMES_H

#include <stdbool.h>

enum name_kind {
    NAME_NORMAL, /* types, errors, interfaces, packages */
    NAME_CONST,  /* as is, acronyms allowed */
    NAME_LOWER,  /* arguments, parameters: generated in lower case too */
    NAME_MEMBER  /* labels, fields, methods: the same, must be exported */
};

/** NULL when the identifier is allowed, else the reason. */
const char *name_check(const char *ident, enum name_kind kind);
bool name_exported(const char *ident);

#endif

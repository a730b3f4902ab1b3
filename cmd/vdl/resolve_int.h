/* BSD-3-Clause; see LICENSE. */
/** What the sources that find packages share. */
#ifndef VDL_RESOLVE_INT_H
#define VDL_RESOLVE_INT_H

#include "resolve.h"

#define VDLROOT_PATH "v.io/v23/vdlroot"

/* A directory that packages are searched below. */
struct root {
    const char *dir;    /* absolute */
    const char *module; /* of its go.mod, or NULL */
    bool standard;      /* VDLROOT */
};

struct resolver {
    struct ctx *c;
    const struct resolve_options *opt;
    struct list roots;    /* struct root */
    struct list builtins; /* struct package */
    struct map dirs;      /* absolute directory -> struct package */
    struct toposort sort;
    bool bootstrap; /* vdltool is not compiled yet */
    bool has_vdlroot;
};

/** The path is that of a directory, not of a package. */
bool is_dir_path(const char *path);
/** A file or directory that is no part of any package. */
bool ignored_name(const char *name);
/** Add a package that was found, and resolve what it imports. */
void add_package(struct resolver *r, struct package *p);
/** The package in a directory; NULL: none, reported if `strict`. */
struct package *resolve_dir(struct resolver *r, const char *dir, bool strict);
/** All packages that a pattern means; false: there are none. */
bool resolve_wildcard(
    struct resolver *r, const char *pattern, struct list *out);

#endif

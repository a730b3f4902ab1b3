/* BSD-3-Clause; see LICENSE. */
/** Paths and files. Strings live in the context's arena. */
#ifndef VDL_FS_H
#define VDL_FS_H

#include "ctx.h"

/** Lexically shortest form, "." when empty. */
const char *path_clean(struct ctx *c, const char *path);
/** Cleaned; relative paths start at the working directory. */
const char *path_abs(struct ctx *c, const char *path);
/** Cleaned "a/b"; either may be empty. */
const char *path_join(struct ctx *c, const char *a, const char *b);
const char *path_base(const char *path);
/** Rest of `path` below `dir` ("" for itself), or NULL. */
const char *path_below(const char *path, const char *dir);
/** Where `path` ends in whole elements "tail"; NULL if it does not. */
const char *path_ends(const char *path, const char *tail);
/** "..." matches any string; a trailing "/..." also nothing. */
bool path_match(struct ctx *c, const char *pattern, const char *s);

bool is_dir(const char *path);
/** A regular file: reading it does not wait. */
bool is_file(const char *path);
/** A directory and no symbolic link to one. */
bool is_real_dir(const char *path);
/** Whole content; false with errno. */
bool read_file(struct ctx *c, const char *path, const char **text,
    size_t *len);
/** Create directories and write; false with errno. */
bool write_file(struct ctx *c, const char *path, const void *p, size_t n);
/** Names in a directory, sorted, without "." and ".."; false with errno. */
bool list_dir(struct ctx *c, const char *path, struct list *out);

#endif

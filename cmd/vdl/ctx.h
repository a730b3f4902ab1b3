/* BSD-3-Clause; see LICENSE. */
/**
 * What every part of the compiler shares: memory, messages and two containers.
 *
 * The compiler is a host program that runs once: everything it makes lives in
 * one arena until the end, and running out of memory ends the program
 * (ctx_get never returns NULL).
 */
#ifndef VDL_CTX_H
#define VDL_CTX_H

#include <stdarg.h>

#include <v23/bytes.h>
#include <vom/type.h>

#include "ir.h"

struct bn; /* bignum.h */
struct package;

/* A string-keyed table that never forgets; keys are not copied. */
struct map_entry {
    const char *key; /* NULL = free */
    void *value;
};
struct map {
    struct map_entry *slots;
    size_t n, cap;
};

/* A growable list of pointers. */
struct list {
    void **v;
    size_t n, cap;
};

struct ctx {
    struct v23_arena arena;
    struct v23_buf errors; /* messages so far */
    struct v23_buf warnings;
    int nerrors, nwarnings;
    int max_errors;     /* -1 = no limit */
    bool colour;        /* messages are for a terminal */
    bool terse;         /* messages come without source lines */
    struct map lines;   /* path of a source -> its struct lines */
    size_t value_bytes; /* of all constants so far */
    size_t embedded;    /* interfaces and methods, counted each time */
    bool verbose;
    const char *config_name; /* base name of a package's config file */
    struct vdl_types *types; /* every type that is built */
    struct map unnamed;      /* unnamed types by their parts, each once */
    struct map packages;     /* import path -> struct package, resolved ones */
    struct bn *bns;          /* big numbers to be released at the end */
};

/* Where a message points; one path has one text. A byte order mark in front
   is not part of it. */
struct source {
    const char *path; /* "pkg/path/file.vdl" as printed */
    const char *text; /* whole file; NULL = unknown */
    size_t len;
};

void ctx_init(struct ctx *c);
void ctx_fini(struct ctx *c);

/** `size` zeroed bytes aligned for any type; ends the program when out. */
void *ctx_get(struct ctx *c, size_t size);
#define ctx_new(c, T) ((T *)ctx_get((c), sizeof(T)))
#define ctx_array(c, T, n) ((T *)ctx_get((c), (n) * sizeof(T)))
/** NUL-terminated copy. */
char *ctx_strn(struct ctx *c, const char *p, size_t n);
char *ctx_str(struct ctx *c, const char *s);
/** printf into new memory. */
char *ctx_printf(struct ctx *c, const char *fmt, ...) V23_PRINTF(2, 3);
/** NUL-terminated copy of a buffer, which is released. */
char *ctx_take(struct ctx *c, struct v23_buf *b);
/** Ends the program with "out of memory" when `rc` is not 0. */
void ctx_must(int rc);

/**
 * Report an error: "#N path:line:col text", then the source line with a caret.
 *
 * @param src   NULL: the message stands alone
 * @param line  0: "[no pos]" in place of line:col
 */
void ctx_error(struct ctx *c, const struct source *src, int line, int col,
    const char *fmt, ...) V23_PRINTF(5, 6);
void ctx_verror(struct ctx *c, const struct source *src, int line, int col,
    const char *fmt, va_list ap);
/** The same without a place. */
void ctx_fail(struct ctx *c, const char *fmt, ...) V23_PRINTF(2, 3);
/** A message that does not fail the run. */
void ctx_warn(struct ctx *c, const struct source *src, int line, int col,
    const char *fmt, ...) V23_PRINTF(5, 6);
/** No more errors are wanted: -max-errors, or there is too much text. */
bool ctx_full(const struct ctx *c);
/** printf to standard error when -v was given. */
void ctx_trace(const struct ctx *c, const char *fmt, ...) V23_PRINTF(2, 3);

void *map_get(const struct map *m, const char *key);
/** Add or replace. */
void map_put(struct ctx *c, struct map *m, const char *key, void *value);

void list_push(struct ctx *c, struct list *l, void *item);
bool list_has(const struct list *l, const void *item);

#endif

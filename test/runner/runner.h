/* BSD-3-Clause; see LICENSE. */
/**
 * Runner of the recorded test vectors (test/vectors). Each family (folder)
 * has one source file that exports a table of its data files.
 */
#ifndef TEST_RUNNER_H
#define TEST_RUNNER_H

#include <cjson/cJSON.h>

#include <support.h>

/* One case: a line of a .jsonl file. */
struct run_case {
    const char *dir;        /* folder of the family in the directory under test */
    const char *companions; /* the same in the project's own vectors */
    const char *file;       /* "vom81_pass.jsonl" */
    const char *id;         /* text of the record's `name` or `id`, or line N */
    const char *line;       /* the raw JSON text */
    size_t lineno;
    const cJSON *json;
    void *state;            /* what `begin` returned */
    char why[512];          /* filled on failure */
    const char *left;       /* why it was left out, set by who does that */
};

/* Returns true when the case passes; else explains in c->why. */
typedef bool run_case_fn(struct run_case *c);
/* Runs a whole file; adds to the counters with run_result(). */
typedef void run_file_fn(const char *dir, const char *companions,
    const char *path);

/*
 * A data file of the family. Exactly one of `each` and `whole` is set, or
 * neither: then `left` says who reads it instead.
 */
struct run_file {
    const char *name; /* file name; may contain one '*' */
    run_case_fn *each;
    run_file_fn *whole;
    const char *left; /* "nothing reads it yet" */
    void *(*begin)(const char *dir, const char *companions);
    void (*end)(void *state);
};

struct run_family {
    const char *folder; /* "vom" */
    const struct run_file *files; /* ends with name == NULL */
    const char *const *companions; /* sub-folders and files that are no cases,
                                      ends with NULL */
};

/* Folder of the programs of this build; NULL: they cannot be run here. */
extern const char *run_bin;

extern const struct run_family run_vom, run_security, run_rpc, run_naming,
    run_wspr;

/* Count one result and print failures ("FAIL file id: why"). */
void run_result(const char *file, const char *id, bool ok, const char *why);
/* c->why = printf; returns false. */
bool run_fail(struct run_case *c, const char *fmt, ...) V23_PRINTF(2, 3);

/* Members of the record; abort the case with a clear text when missing:
 * strings give "" and numbers 0, and run_missing() is true afterwards. */
const char *run_str(struct run_case *c, const char *name);
/* A text with its NULs put back (once per member): cJSON strings end at NUL, so
 * the runner reads \u0000 as U+F8FF. */
#define RUN_NUL "\xef\xa3\xbf"
struct vdl_str run_text(const cJSON *v);
/* Marks them, before a line is parsed. */
void run_mark_nuls(char *line);
bool run_has(const struct run_case *c, const char *name);
bool run_bool(struct run_case *c, const char *name);
/* A hex member as bytes (see hex()). */
struct v23_bytes run_hex(struct run_case *c, const char *name);

#endif

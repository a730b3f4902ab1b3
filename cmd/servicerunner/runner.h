/* BSD-3-Clause; see LICENSE. */
/* Parts of servicerunner. */
#ifndef SERVICERUNNER_H
#define SERVICERUNNER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct event_base;
struct vname_program;
struct vsec_principal;

/* ---- people.c: credentials in a temporary directory ---------------------- */

/* A directory of directories; each is removed with it. */
struct people {
    char dir[256]; /* "" = none */
};
/* 0, or 1 after a message; then there is nothing to give back. */
int people_init(struct people *p);
void people_fini(struct people *p);
/* Credentials of a principal that calls itself `name`, in dir/name; `path`
 * receives that. */
int people_self(struct people *p, const char *name, char *path, size_t size);
/* … of one that `by` has blessed as its `extension`, in dir/name. */
int people_blessed(struct people *p, struct vsec_principal *by,
    const char *name, const char *extension, char *path, size_t size);

/* ---- children.c: programs that run as long as this one ------------------- */

enum { MAX_CHILDREN = 4 };

struct children {
    pid_t pids[MAX_CHILDREN];
    int out[MAX_CHILDREN]; /* what they print; kept so that they may */
    const char *names[MAX_CHILDREN];
    size_t n;
};
/*
 * Start a program of the directory where this one is, and wait for the line of
 * its output that begins with `key`.
 *
 * @param argv   ends with NULL; [0] is its name
 * @param value  receives the rest of the line
 * @return 0, or 1 after a message
 */
int children_start(struct children *c, const char *credentials,
    const char *const *argv, const char *key, char *value, size_t size);
/* One that has ended: its name; NULL: all run. */
const char *children_ended(struct children *c);
/* End all, the last one first, and wait for that. */
void children_stop(struct children *c);

/* ---- identd_ev.c: somebody who knows everybody --------------------------- */

struct identd;
/*
 * Serve as test identity provider under `name`: whoever comes with a token is
 * taken for testemail@example.com. Its web server tells whose blessings it
 * gives.
 *
 * @param http  receives its address, "127.0.0.1:4567"
 * @return 0, or 1 after a message
 */
int identd_start(struct vname_program *p, const char *name,
    struct identd **out, char *http, size_t size);
void identd_stop(struct identd *d); /* NULL is ignored */

#endif

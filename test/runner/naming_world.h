/* BSD-3-Clause; see LICENSE. */
/** The servers of namespace_scripts.jsonl, in memory and virtual time. */
#ifndef TEST_RUNNER_NAMING_WORLD_H
#define TEST_RUNNER_NAMING_WORLD_H

#include <vname/namespace.h>

#include "runner.h"

/* Start the servers of a record and a client with a namespace. */
bool world_start(struct run_case *c, struct vname_ns **ns);
/* End everything; false: memory leaked. */
bool world_stop(void);
/* Let things happen until *done, for at most ten minutes. */
bool world_wait(const int *done);
/* Let things happen for so long. */
void world_pass(int64_t ns);
int64_t world_time(void);
/* Warnings and errors that were logged. */
int world_warnings(void);
/* A text with every ${id}, ${id:addr}, ${id:rid} put in; malloc'd. */
char *world_expand(const char *text);
/* Glob calls that a server of kind "globber" got since the last question. */
int world_glob_calls(const char *id);
struct vrpc_client *world_client(void);

#endif

/* BSD-3-Clause; see LICENSE. */
/* Runners of the family security/ that security.c lists. */
#ifndef TEST_RUNNER_SECURITY_INT_H
#define TEST_RUNNER_SECURITY_INT_H

#include "runner.h"

/* security_keys.c. `begin` and `end` of all three are those below. */
bool run_sec_keys(struct run_case *c);       /* keys.jsonl */
bool run_sec_key_files(struct run_case *c);  /* key_files.jsonl */
bool run_sec_signatures(struct run_case *c); /* signatures.jsonl */
void *run_sec_engine_begin(const char *dir, const char *companions);
void run_sec_engine_end(void *engine); /* fails when something leaked */

#endif

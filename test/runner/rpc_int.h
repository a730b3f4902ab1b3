/* BSD-3-Clause; see LICENSE. */
/* Runners of the family rpc/ that rpc.c lists. */
#ifndef TEST_RUNNER_RPC_INT_H
#define TEST_RUNNER_RPC_INT_H

#include "runner.h"

bool run_rpc_box(struct run_case *c); /* box.jsonl (rpc_box.c) */

#endif

/* BSD-3-Clause; see LICENSE. */
/** Case functions that another family's table uses. */
#ifndef TEST_RUNNER_NAMING_INT_H
#define TEST_RUNNER_NAMING_INT_H

#include "runner.h"

/* rpc/server_order.jsonl */
bool run_rpc_server_order(struct run_case *c);
/* naming/mounttable_scripts.jsonl */
bool run_naming_table(struct run_case *c);

#endif

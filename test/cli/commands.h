/* BSD-3-Clause; see LICENSE. */
#ifndef TEST_CLI_COMMANDS_H
#define TEST_CLI_COMMANDS_H

#include <stdbool.h>

#include <cjson/cJSON.h>

/** Does a program in `bin` have what a record lists? Says what it lacks. */
bool cli_check_commands(const char *bin, const char *dir, const cJSON *record);

#endif

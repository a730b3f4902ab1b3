/* BSD-3-Clause; see LICENSE. */
/** Case functions of the family naming/ beside naming.c's own. */
#ifndef TEST_RUNNER_NAMING_INT_H
#define TEST_RUNNER_NAMING_INT_H

#include "runner.h"

#include <vsec/acl.h>

static inline const cJSON *get(const cJSON *o, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(o, name);
}

/* Permissions in JSON; 0, or why they are none. */
int run_permissions(const cJSON *v, struct v23_arena *a,
    v23_access_permissions *out);
/* Letters of V23_NAMING_REPLACE, V23_NAMING_MT, V23_NAMING_LEAF. */
uint32_t run_mount_flags(const cJSON *op);

/* rpc/server_order.jsonl */
bool run_rpc_server_order(struct run_case *c);
/* naming/mounttable_scripts.jsonl */
bool run_naming_table(struct run_case *c);
/* naming/cache_scripts.jsonl, naming/namespace_misc.jsonl */
bool run_naming_cache(struct run_case *c);
bool run_naming_misc(struct run_case *c);
/* naming/namespace_scripts.jsonl */
bool run_naming_ns(struct run_case *c);
/* naming/wire.jsonl */
bool run_naming_wire(struct run_case *c);

/* naming/discovery.jsonl, naming/discovery_ads.jsonl, naming/mdns.jsonl,
 * naming/quirks.jsonl */
bool run_naming_discovery(struct run_case *c);
bool run_naming_ads(struct run_case *c);
bool run_naming_mdns(struct run_case *c);
bool run_naming_quirk(struct run_case *c);

/* naming/cli.jsonl, naming/cli_commands.jsonl */
void run_naming_cli(const char *dir, const char *companions,
    const char *path);
void run_naming_commands(const char *dir, const char *companions,
    const char *path);

/* Run a case with an arena and see that nothing leaks. */
bool run_with_arena(struct run_case *c,
    bool (*fn)(struct run_case *c, struct v23_arena *a));

#endif

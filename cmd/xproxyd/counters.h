/* BSD-3-Clause; see LICENSE. */
/* What a proxy counts, as counters in a tree of statistics. */
#ifndef COUNTERS_H
#define COUNTERS_H

#include <v23/log.h>
#include <vrpc/proxy.h>
#include <vrpc/stats.h>

struct counters_entry;

struct counters {
    struct vrpc_stats *tree;
    const struct v23_log *log;
    void (*now)(void *ud, struct v23_now *out);
    void *now_ud;
    struct counters_entry *first;
};

/* As `counted` of struct vrpc_proxy_config, with a struct counters as ud. */
void counters_counted(void *ud, const struct vrpc_proxy_counts *c, bool gone);
/* Bring the tree up to date. True: something was counted since. */
bool counters_update(struct counters *s);

#endif

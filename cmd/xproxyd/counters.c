/* BSD-3-Clause; see LICENSE. */
/*
 * Under the routing id of each server: requests, and msgs and bytes to it and
 * from it (spec/services.md 8.2). The proxy's own numbers are looked at now and
 * then, so that passing on costs nothing more.
 */
#include "counters.h"

#include <stdio.h>

enum { REQUESTS, TO_MSGS, TO_BYTES, FROM_MSGS, FROM_BYTES, COUNTERS };

static const char *const names[COUNTERS] = { "requests", "to/msgs",
    "to/bytes", "from/msgs", "from/bytes" };

struct counters_entry {
    struct counters_entry *next;
    const struct vrpc_proxy_counts *c;
    struct vrpc_stat *stat[COUNTERS];
    uint64_t shown[COUNTERS];
    char rid[2 * VRPC_ROUTING_ID_SIZE + 1];
};

static uint64_t value(const struct vrpc_proxy_counts *c, int i)
{
    switch (i) {
    case REQUESTS:
        return c->requests;
    case TO_MSGS:
        return c->to.msgs;
    case TO_BYTES:
        return c->to.bytes;
    case FROM_MSGS:
        return c->from.msgs;
    default:
        return c->from.bytes;
    }
}

static void add(struct counters *s, const struct vrpc_proxy_counts *c)
{
    struct counters_entry *e = v23_new(NULL, struct counters_entry);
    struct v23_now now;
    struct v23_buf text;
    char name[64];
    int i, rc = 0;

    if (e == NULL)
        return;
    e->c = c;
    v23_buf_init_fixed(&text, e->rid, sizeof(e->rid) - 1);
    vrpc_routing_id_format(&c->rid, &text);
    s->now(s->now_ud, &now);
    for (i = 0; rc == 0 && i < COUNTERS; i++) {
        snprintf(name, sizeof(name), "%s/%s", e->rid, names[i]);
        rc = vrpc_stats_counter(s->tree, vdl_str(name), now.mono_ns,
            &e->stat[i]);
    }
    if (rc != 0)
        v23_logf(s->log, V23_LOG_WARN, "%s is not counted: %s", e->rid,
            v23_strerror(rc));
    e->next = s->first;
    s->first = e;
}

static void forget(struct counters *s, const struct vrpc_proxy_counts *c)
{
    struct counters_entry *e, **link = &s->first;

    while ((e = *link) != NULL && e->c != c)
        link = &e->next;
    if (e == NULL)
        return;
    *link = e->next;
    (void)vrpc_stats_delete(s->tree, vdl_str(e->rid));
    v23_put(NULL, e);
}

void counters_counted(void *ud, const struct vrpc_proxy_counts *c, bool gone)
{
    if (gone)
        forget(ud, c);
    else
        add(ud, c);
}

bool counters_update(struct counters *s)
{
    struct counters_entry *e;
    struct v23_now now;
    bool changed = false;
    uint64_t v;
    int i;

    s->now(s->now_ud, &now);
    for (e = s->first; e != NULL; e = e->next)
        for (i = 0; i < COUNTERS; i++) {
            v = value(e->c, i);
            if (v == e->shown[i])
                continue;
            e->shown[i] = v;
            changed = true;
            (void)vrpc_stat_set_int(e->stat[i], (int64_t)v, now.mono_ns);
        }
    return changed;
}

/* BSD-3-Clause; see LICENSE. */
/* Comparing the texts of two runs of a program that makes keys. */
#ifndef TEST_RUNNER_SECURITY_TOOL_H
#define TEST_RUNNER_SECURITY_TOOL_H

#include "security_int.h"

enum { TOOL_PAIRS = 512 };

/*
 * What stands for the same thing in the recorded run and in this one:
 * fingerprints, keys, blessings, tokens. One text has one partner.
 */
struct tool_pairs {
    struct vsec_engine *engine;
    struct tool_pair {
        char *want, *got;
    } v[TOOL_PAIRS];
    size_t n;
};

/* Bind two texts; false if one of them is bound otherwise. */
bool tool_bind(struct tool_pairs *p, const char *want, size_t nwant,
    const char *got, size_t ngot);
/*
 * Do two texts say the same? Fingerprints, keys and blessings that are new are
 * bound; blessings must also agree in names and caveats. Times may differ.
 */
bool tool_same(struct tool_pairs *p, const char *want, const char *got);
/* A text of the recorded run as this one says it; malloc'd. */
char *tool_translate(const struct tool_pairs *p, const char *text);
void tool_pairs_fini(struct tool_pairs *p);

#endif

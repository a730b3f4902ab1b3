/* BSD-3-Clause; see LICENSE. */
/* The neighborhood of a mount table (spec/naming.md 12). */
#ifndef MOUNTTABLED_NEIGHBORHOOD_H
#define MOUNTTABLED_NEIGHBORHOOD_H

#include <vname/program.h>

struct neighborhood;

/**
 * Announce a table and serve those that others announce, as the name "nh" in
 * it. Prints what is wrong.
 * @param host  to be announced as
 * @return 0 or an exit code
 */
int neighborhood_start(struct vname_program *p, struct vname_serving *table,
    const char *host, struct neighborhood **out);
/** Run until a signal says to end; say goodbye, and free. */
void neighborhood_run(struct neighborhood *n);
/** The same without a signal. */
void neighborhood_stop(struct neighborhood *n);

#endif

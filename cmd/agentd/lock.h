/* BSD-3-Clause; see LICENSE. */
/* One agent for a directory (spec/security.md 15.4). */
#ifndef AGENTD_LOCK_H
#define AGENTD_LOCK_H

enum { LOCK_PATH = 4200 };

struct lock {
    char path[LOCK_PATH]; /* of agent.lock; empty = not held */
};

/* Take the lock of a directory; 0, or the exit code after a message. */
int lock_take(struct lock *l, const char *dir);
void lock_drop(struct lock *l);

#endif

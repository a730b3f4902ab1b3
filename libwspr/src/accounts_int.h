/* BSD-3-Clause; see LICENSE. */
/* What the files about accounts share. */
#ifndef WSPR_ACCOUNTS_INT_H
#define WSPR_ACCOUNTS_INT_H

#include <wspr/accounts.h>

/* why = printf; returns rc. */
int wspr_why_(char *why, int rc, const char *fmt, ...) V23_PRINTF(3, 4);
/* How much of a name is shown in reasons, for "%.*s". */
static inline int wspr_shown_(struct vdl_str s)
{
    return s.n < 200 ? (int)s.n : 200;
}

#endif

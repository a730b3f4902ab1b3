/* BSD-3-Clause; see LICENSE. */
/**
 * Identifiers that are unique without coordination: 14 random octets and a
 * counter of 15 bits, so that random octets are needed once in 32,768 ids.
 * Source: spec/rpc.md 22, spec/naming.md 17.4.
 */
#ifndef V23_UNIQUEID_H
#define V23_UNIQUEID_H

#include <v23/err.h>

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Set `random` and `ud`; the rest is zero at first. For one thread. */
struct v23_uniqueids {
    /* Fill p with n random octets: 0 or why not. */
    int (*random)(void *ud, void *p, size_t n);
    void *ud;
    uint8_t last[16]; /* given out last */
};
/**
 * The next id.
 * @return 0, or what `random` returned; *id then has zeros for random octets
 */
int v23_uniqueid_next(struct v23_uniqueids *s, uint8_t id[16]);

#ifdef __cplusplus
}
#endif
#endif

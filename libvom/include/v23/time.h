/* BSD-3-Clause; see LICENSE. */
/**
 * Time as an argument. No core reads a clock: the caller passes struct v23_now.
 */
#ifndef V23_TIME_H
#define V23_TIME_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Wall-clock instant: seconds since 1970-01-01T00:00:00Z, 0 ≤ nanos < 10^9. */
struct v23_walltime {
    int64_t sec;
    int32_t nanos;
};

struct v23_now {
    int64_t mono_ns; /* monotonic, any origin: timers */
    struct v23_walltime wall; /* caveats, deadlines sent to peers */
};

/* A deadline that never comes; what next_deadline() returns when idle. */
#define V23_NEVER INT64_MAX
#define V23_NS_PER_SEC INT64_C(1000000000)
#define V23_NS_PER_MS INT64_C(1000000)
/* time.Time seconds of the unix epoch (spec/vom.md 15.1). */
#define V23_TIME_UNIX_EPOCH INT64_C(62135596800)

#ifdef __cplusplus
}
#endif
#endif

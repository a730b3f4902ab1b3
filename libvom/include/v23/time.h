/* BSD-3-Clause; see LICENSE. */
/**
 * Time as an argument. No core reads a clock: the caller passes struct v23_now.
 */
#ifndef V23_TIME_H
#define V23_TIME_H

#include <v23/bytes.h>

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

/**
 * Read a duration in the notation of Go: signed decimal numbers, each with a
 * unit ns, us, ms, s, m or h, as in "-1h2m3.5s"; "0" needs no unit.
 *
 * @param ns   written only on success
 * @param why  receives what is wrong (`time: missing unit in duration "10"`);
 *             may be NULL
 * @return 0, V23_ETEXT
 */
V23_MUST_USE int v23_duration_parse(const char *text, int64_t *ns,
    struct v23_buf *why);
/** Append a duration in that notation: "1h2m3.5s", "250ms", "0s". */
void v23_duration_put(struct v23_buf *out, int64_t ns);

#ifdef __cplusplus
}
#endif
#endif

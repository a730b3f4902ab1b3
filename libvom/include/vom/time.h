/* BSD-3-Clause; see LICENSE. */
/**
 * Times and durations: between the types of the VDL package time, which travel,
 * and struct v23_walltime and nanoseconds, which programs use; and the text of
 * instants. Source: spec/vom.md 15.1, spec/vdl.md 11.
 */
#ifndef VOM_TIME_H
#define VOM_TIME_H

#include <v23/time.h>
#include <v23/vdl/time/time.vdl.h>

#ifdef __cplusplus
extern "C" {
#endif

/** |nanos| < 10^9, and no two signs; saturates at the ends of int64. */
v23_time_duration v23_duration_normalize(v23_time_duration d);
v23_time_duration v23_duration_from_ns(int64_t ns);
/** @return 0; V23_ECONVERT: beyond ±2^63 ns, *ns unchanged */
V23_MUST_USE int v23_duration_to_ns(v23_time_duration d, int64_t *ns);

/** Wire form, normalized; saturates at the ends of int64. */
v23_time_time v23_time_from_wall(struct v23_walltime t);
/** The instant of any wire form, normalized or not; saturates. */
struct v23_walltime v23_time_to_wall(v23_time_time t);

/**
 * A deadline as it is sent: the time left, 1 ns instead of 0.
 * @param deadline_ns  V23_NEVER: no deadline
 * @param now_ns       on the same clock
 */
v23_time_wire_deadline v23_deadline_to_wire(int64_t deadline_ns,
    int64_t now_ns);
/** A received deadline on the receiver's clock; V23_NEVER for none. */
int64_t v23_deadline_from_wire(v23_time_wire_deadline d, int64_t now_ns);

/** t + ns, saturating. */
struct v23_walltime v23_walltime_add(struct v23_walltime t, int64_t ns);
/** < 0, 0, > 0. */
int v23_walltime_cmp(struct v23_walltime a, struct v23_walltime b);
/**
 * Append the instant in UTC as in RFC 3339, with as many digits behind the
 * point as it needs: "2024-10-08T12:00:00.5Z". Years beyond 0..9999 have a
 * sign or more digits.
 */
void v23_walltime_put(struct v23_buf *out, struct v23_walltime t);
/**
 * Read an RFC 3339 date and time with any offset.
 * @return 0; V23_ETEXT, *t unchanged
 */
V23_MUST_USE int v23_walltime_parse(const char *s, size_t n,
    struct v23_walltime *t);

#ifdef __cplusplus
}
#endif
#endif

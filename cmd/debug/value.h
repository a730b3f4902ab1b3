/* BSD-3-Clause; see LICENSE. */
/* Values of statistics as text, for people and as JSON. */
#ifndef DEBUG_VALUE_H
#define DEBUG_VALUE_H

#include <v23/time.h>
#include <v23/vdl/v.io/x/ref/services/stats/stats.vdl.h>
#include <vom/value.h>

/* Bytes of the longest text of one value; beyond it is an error. */
#define VALUE_MAX ((size_t)64 << 20)

/*
 * Each function appends to `out` and returns 0 or a status (V23_ELIMIT, …); a
 * nil any is a value too.
 */

/** The value as a person wants to read it: histograms and time series drawn,
 * numbers and texts bare. */
int value_put_pretty(struct v23_buf *out, struct vdl_any v);
/** The value as a VDL constant with its type. */
int value_put_raw(struct v23_buf *out, struct vdl_any v);
/** The canonical string of its type. */
int value_put_type(struct v23_buf *out, struct vdl_any v);
/** JSON: numbers as numbers, bytes in base64, times in RFC 3339, durations in
 * nanoseconds, fields by their names; what JSON has no form for is null. */
int value_put_json(struct v23_buf *out, struct vdl_any v);

/** An instant as "2006-01-02 15:04:05.5 +0000 UTC". */
void value_put_time(struct v23_buf *out, struct v23_walltime t);

/* Values that are more than a number or a text. */
enum value_known {
    VALUE_PLAIN,
    VALUE_HISTOGRAM,
    VALUE_TIME_SERIES,
    VALUE_TIME,
    VALUE_DURATION
};
/** Which of them a type is, by its name. */
enum value_known value_known(const struct vdl_type *t);

#endif

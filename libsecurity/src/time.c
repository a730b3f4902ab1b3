/* BSD-3-Clause; see LICENSE. */
/*
 * Instants: time.Time on the wire counts from the year 1, struct v23_walltime
 * from 1970. Any pair of numbers from the wire is normalised; what does not
 * fit saturates, so that hostile instants stay ordered.
 */
#include "caveat_int.h"

enum { NANOS = 1000000000 };

v23_time_time vsec_time_to_wire(struct v23_walltime t)
{
    v23_time_time w;

    w.seconds = t.sec > INT64_MAX - V23_TIME_UNIX_EPOCH
        ? INT64_MAX : t.sec + V23_TIME_UNIX_EPOCH;
    w.nanos = t.nanos;
    /* Normalised: nanos has the sign of seconds, or is zero. */
    if (w.seconds < 0 && w.nanos > 0) {
        w.seconds++;
        w.nanos -= NANOS;
    }
    return w;
}

struct v23_walltime vsec_time_from_wire(v23_time_time w)
{
    struct v23_walltime t;
    int64_t sec = w.seconds;
    int32_t carry = w.nanos / NANOS, nanos = w.nanos % NANOS;

    if (nanos < 0) {
        nanos += NANOS;
        carry--;
    }
    if (sec < INT64_MIN + V23_TIME_UNIX_EPOCH + 3)
        sec = INT64_MIN + V23_TIME_UNIX_EPOCH + 3;
    t.sec = sec - V23_TIME_UNIX_EPOCH + carry;
    t.nanos = nanos;
    return t;
}

bool vsec_time_is_zero(struct v23_walltime t)
{
    return t.sec == -V23_TIME_UNIX_EPOCH && t.nanos == 0;
}

/* Year, month and day of a day number counted from 1970-01-01. */
static void civil(int64_t days, int64_t *year, int *month, int *day)
{
    /* Days from 0000-03-01, in eras of 400 years. */
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;

    *day = (int)(doy - (153 * mp + 2) / 5 + 1);
    *month = (int)(mp < 10 ? mp + 3 : mp - 9);
    *year = yoe + era * 400 + (*month <= 2);
}

int64_t vsec_time_days_(int64_t year, int month, int day)
{
    /* Years begin in March here, so that the leap day is their last. */
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400, yoe = y - era * 400;
    int64_t doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day
        - 1;

    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

void vsec_time_format(struct v23_walltime t, struct v23_buf *out)
{
    int64_t days = t.sec / 86400, rest = t.sec % 86400, year;
    int month, day, digits = 9;
    int32_t frac = t.nanos;

    if (rest < 0) {
        rest += 86400;
        days--;
    }
    civil(days, &year, &month, &day);
    v23_buf_printf(out, "%s%04llu-%02d-%02d %02d:%02d:%02d",
        year < 0 ? "-" : "",
        (unsigned long long)(year < 0 ? -(uint64_t)year : (uint64_t)year),
        month, day, (int)(rest / 3600), (int)(rest / 60 % 60),
        (int)(rest % 60));
    if (frac != 0) {
        while (frac % 10 == 0) {
            frac /= 10;
            digits--;
        }
        v23_buf_printf(out, ".%0*ld", digits, (long)frac);
    }
    v23_buf_puts(out, " +0000 UTC");
}

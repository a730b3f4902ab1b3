/* BSD-3-Clause; see LICENSE. */
/* What tracing takes from a POSIX system: the zone of its clock. */
#include <vrpc/vtrace_text.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void vrpc_zone_local(struct v23_walltime t, struct vrpc_zone *out)
{
    time_t sec = (time_t)t.sec;
    struct tm tm;
    char text[16];
    int hhmm;

    /* The difference as a number is in no standard, its text is. */
    if (localtime_r(&sec, &tm) == NULL ||
        strftime(text, sizeof(text), "%z", &tm) == 0 ||
        strftime(out->name, sizeof(out->name), "%Z", &tm) == 0) {
        snprintf(out->name, sizeof(out->name), "UTC");
        out->offset_s = 0;
        return;
    }
    hhmm = atoi(text);
    out->offset_s = (hhmm / 100 * 60 + hhmm % 100) * 60;
}

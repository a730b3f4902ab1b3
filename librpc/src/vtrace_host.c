/* BSD-3-Clause; see LICENSE. */
/* What tracing takes from a POSIX system: the zone of its clock and regular
 * expressions. */
#include <vrpc/vtrace.h>
#include <vrpc/vtrace_text.h>

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define WHY 128

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

/* ---- regular expressions ------------------------------------------------- */

struct vrpc_vtrace_regexp {
    regex_t re;
};

int vrpc_vtrace_regexp_new(const char *text, struct vrpc_vtrace_regexp **out,
    char *why)
{
    struct vrpc_vtrace_regexp *r = v23_new(NULL, struct vrpc_vtrace_regexp);
    int rc;

    if (r == NULL)
        return V23_ENOMEM;
    rc = regcomp(&r->re, text, REG_EXTENDED | REG_NOSUB);
    if (rc != 0) {
        regerror(rc, &r->re, why, WHY);
        v23_put(NULL, r);
        return rc == REG_ESPACE ? V23_ENOMEM : V23_ETEXT;
    }
    *out = r;
    return 0;
}

bool vrpc_vtrace_regexp_match(const struct vrpc_vtrace_regexp *r,
    struct vdl_str text)
{
    char copy[4097];
    size_t n = text.n < sizeof(copy) ? text.n : sizeof(copy) - 1;

    if (n > 0)
        memcpy(copy, text.p, n);
    copy[n] = 0;
    return regexec(&r->re, copy, 0, NULL, 0) == 0;
}

void vrpc_vtrace_regexp_free(struct vrpc_vtrace_regexp *r)
{
    if (r == NULL)
        return;
    regfree(&r->re);
    v23_put(NULL, r);
}

/* BSD-3-Clause; see LICENSE. */
#include "logname.h"

#define STAMP 15 /* YYYYMMDD-HHMMSS */

/* Cut the part behind the last dot off. */
static bool cut(struct vdl_str *s, struct vdl_str *part)
{
    size_t i = s->n;

    while (i > 0 && s->p[i - 1] != '.')
        i--;
    if (i == 0)
        return false;
    *part = vdl_strn(s->p + i, s->n - i);
    *s = vdl_strn(s->p, i - 1);
    return true;
}

/* Decimal digits of s[from, from+n); -1: something else. */
static long number(struct vdl_str s, size_t from, size_t n)
{
    long v = 0;
    size_t i;

    for (i = from; i < from + n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return -1;
        v = v * 10 + (s.p[i] - '0');
    }
    return v;
}

static bool is_stamp(struct vdl_str s)
{
    static const unsigned char days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30,
        31, 30, 31 };
    long year, month, day, most;

    if (s.n != STAMP || s.p[8] != '-')
        return false;
    year = number(s, 0, 4);
    month = number(s, 4, 2);
    day = number(s, 6, 2);
    if (year < 0 || month < 1 || month > 12)
        return false;
    most = days[month - 1];
    if (month == 2 && (year % 4 != 0 || (year % 100 == 0 && year % 400 != 0)))
        most = 28;
    return day >= 1 && day <= most && number(s, 9, 2) >= 0
        && number(s, 9, 2) < 24 && number(s, 11, 2) >= 0
        && number(s, 11, 2) < 60 && number(s, 13, 2) >= 0
        && number(s, 13, 2) < 60;
}

static bool is_pid(struct vdl_str s)
{
    size_t zeros = 0;

    while (zeros < s.n && s.p[zeros] == '0')
        zeros++;
    if (s.n == 0 || s.n - zeros > 10)
        return false;
    return number(s, 0, s.n) >= 0
        && number(s, zeros, s.n - zeros) <= INT32_MAX;
}

int log_name_parse(struct vdl_str s, struct log_name *out)
{
    struct vdl_str pid, stamp, log;

    if (!cut(&s, &pid) || !is_pid(pid) || !cut(&s, &stamp) || !is_stamp(stamp)
        || !cut(&s, &out->tag) || !cut(&s, &out->logger) || !cut(&s, &log)
        || !vdl_str_is(log, "log") || !cut(&s, &out->user)
        || !cut(&s, &out->host))
        return V23_ETEXT;
    out->program = s;
    return 0;
}

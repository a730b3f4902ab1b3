/* BSD-3-Clause; see LICENSE. */
/*
 * Conversions of times and durations. All arithmetic on seconds saturates, so
 * hostile values end up at the ends of the time line, never on its other side.
 */
#include <vom/time.h>

#define BILLION 1000000000

static int64_t add_sat(int64_t a, int64_t b)
{
    if (b > 0 && a > INT64_MAX - b)
        return INT64_MAX;
    if (b < 0 && a < INT64_MIN - b)
        return INT64_MIN;
    return a + b;
}

/* ---- durations ----------------------------------------------------------- */

v23_time_duration v23_duration_normalize(v23_time_duration d)
{
    d.seconds = add_sat(d.seconds, d.nanos / BILLION);
    d.nanos %= BILLION;
    if (d.seconds < 0 && d.nanos > 0) {
        d.seconds++;
        d.nanos -= BILLION;
    } else if (d.seconds > 0 && d.nanos < 0) {
        d.seconds--;
        d.nanos += BILLION;
    }
    return d;
}

v23_time_duration v23_duration_from_ns(int64_t ns)
{
    v23_time_duration d;

    d.seconds = ns / BILLION;
    d.nanos = (int32_t)(ns % BILLION);
    return d;
}

int v23_duration_to_ns(v23_time_duration d, int64_t *ns)
{
    const int64_t most = INT64_MAX / BILLION;

    d = v23_duration_normalize(d);
    if (d.seconds > most || d.seconds < -most
        || (d.seconds == most && d.nanos > INT64_MAX % BILLION)
        || (d.seconds == -most && d.nanos < INT64_MIN % BILLION))
        return V23_ECONVERT;
    *ns = d.seconds * BILLION + d.nanos;
    return 0;
}

/* ---- instants ------------------------------------------------------------ */

v23_time_time v23_time_from_wall(struct v23_walltime t)
{
    v23_time_time w;

    w.seconds = add_sat(t.sec, V23_TIME_UNIX_EPOCH);
    w.nanos = t.nanos;
    return v23_duration_normalize(w);
}

struct v23_walltime v23_time_to_wall(v23_time_time w)
{
    struct v23_walltime t;

    w = v23_duration_normalize(w);
    if (w.nanos < 0) {
        w.nanos += BILLION;
        w.seconds = add_sat(w.seconds, -1);
    }
    t.sec = add_sat(w.seconds, -V23_TIME_UNIX_EPOCH);
    t.nanos = w.nanos;
    return t;
}

v23_time_wire_deadline v23_deadline_to_wire(int64_t deadline_ns,
    int64_t now_ns)
{
    v23_time_wire_deadline d = { { 0, 0 } };
    int64_t left;

    if (deadline_ns == V23_NEVER)
        return d;
    left = add_sat(deadline_ns, now_ns == INT64_MIN ? INT64_MAX : -now_ns);
    d.from_now = v23_duration_from_ns(left == 0 ? 1 : left);
    return d;
}

int64_t v23_deadline_from_wire(v23_time_wire_deadline d, int64_t now_ns)
{
    v23_time_duration left = v23_duration_normalize(d.from_now);
    int64_t ns;

    if (left.seconds == 0 && left.nanos == 0)
        return V23_NEVER;
    if (v23_duration_to_ns(left, &ns) != 0)
        return left.seconds > 0 ? V23_NEVER : INT64_MIN;
    return add_sat(now_ns, ns);
}

struct v23_walltime v23_walltime_add(struct v23_walltime t, int64_t ns)
{
    t.sec = add_sat(t.sec, ns / BILLION);
    t.nanos += (int32_t)(ns % BILLION);
    if (t.nanos < 0) {
        t.nanos += BILLION;
        t.sec = add_sat(t.sec, -1);
    } else if (t.nanos >= BILLION) {
        t.nanos -= BILLION;
        t.sec = add_sat(t.sec, 1);
    }
    return t;
}

int v23_walltime_cmp(struct v23_walltime a, struct v23_walltime b)
{
    if (a.sec != b.sec)
        return a.sec < b.sec ? -1 : 1;
    return (a.nanos > b.nanos) - (a.nanos < b.nanos);
}

/* ---- text ---------------------------------------------------------------- */

/* Days from 0000-03-01 to 1970-01-01, in a year that begins in March. */
#define DAYS_TO_EPOCH 719468
#define DAYS_PER_ERA 146097 /* 400 years */

struct date {
    int64_t year;
    int month, day; /* from 1 */
};

/* The proleptic Gregorian date of a day counted from 1970-01-01. */
static struct date date_of(int64_t day)
{
    int64_t era, of_era, year, of_year, month;
    struct date d;

    day += DAYS_TO_EPOCH;
    era = (day >= 0 ? day : day - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
    of_era = day - era * DAYS_PER_ERA;
    year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    of_year = of_era - (365 * year + year / 4 - year / 100);
    month = (5 * of_year + 2) / 153; /* 0 = March */
    d.day = (int)(of_year - (153 * month + 2) / 5 + 1);
    d.month = (int)(month < 10 ? month + 3 : month - 9);
    d.year = era * 400 + year + (d.month <= 2);
    return d;
}

static int64_t day_of(struct date d)
{
    int64_t year = d.year - (d.month <= 2), era, of_era;
    int64_t month = d.month > 2 ? d.month - 3 : d.month + 9;

    era = (year >= 0 ? year : year - 399) / 400;
    of_era = year - era * 400;
    of_era = of_era * 365 + of_era / 4 - of_era / 100
        + (153 * month + 2) / 5 + d.day - 1;
    return era * DAYS_PER_ERA + of_era - DAYS_TO_EPOCH;
}

void v23_walltime_put(struct v23_buf *out, struct v23_walltime t)
{
    int64_t day = t.sec / 86400, sec = t.sec % 86400;
    char digits[16];
    struct date d;
    size_t n = 9;
    int32_t nanos = t.nanos;

    if (sec < 0) {
        sec += 86400;
        day--;
    }
    d = date_of(day);
    v23_buf_printf(out, "%04lld-%02d-%02dT%02d:%02d:%02d", (long long)d.year,
        d.month, d.day, (int)(sec / 3600), (int)(sec / 60 % 60),
        (int)(sec % 60));
    if (nanos != 0) {
        for (n = 9; n > 0; n--) {
            digits[n - 1] = (char)('0' + nanos % 10);
            nanos /= 10;
        }
        for (n = 9; digits[n - 1] == '0';)
            n--;
        v23_buf_put_byte(out, '.');
        v23_buf_put(out, digits, n);
    }
    v23_buf_put_byte(out, 'Z');
}

/* A text being read; `bad` is set for good at the first mistake. */
struct cursor {
    const char *p, *end;
    bool bad;
};

static int number(struct cursor *c, int digits, int least, int most)
{
    int v = 0;

    while (digits-- > 0) {
        if (c->p == c->end || *c->p < '0' || *c->p > '9') {
            c->bad = true;
            return least;
        }
        v = 10 * v + (*c->p++ - '0');
    }
    if (v < least || v > most)
        c->bad = true;
    return v;
}

static void expect(struct cursor *c, char want)
{
    if (c->p == c->end || *c->p != want)
        c->bad = true;
    else
        c->p++;
}

static int days_in_month(const struct date *d)
{
    static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
        31 };

    if (d->month == 2 && d->year % 4 == 0
        && (d->year % 100 != 0 || d->year % 400 == 0))
        return 29;
    return days[d->month - 1];
}

static int32_t fraction(struct cursor *c)
{
    int32_t v = 0, scale = BILLION;

    if (c->p == c->end || *c->p != '.')
        return 0;
    c->p++;
    c->bad |= c->p == c->end || *c->p < '0' || *c->p > '9';
    for (; c->p != c->end && *c->p >= '0' && *c->p <= '9'; c->p++) {
        scale /= 10;
        v += scale * (*c->p - '0');
    }
    return v;
}

/* Seconds east of UTC. */
static int32_t offset(struct cursor *c)
{
    int32_t v, sign;

    if (c->p != c->end && *c->p == 'Z') {
        c->p++;
        return 0;
    }
    sign = c->p != c->end && *c->p == '-' ? -1 : 1;
    expect(c, sign < 0 ? '-' : '+');
    v = number(c, 2, 0, 23) * 3600;
    expect(c, ':');
    return sign * (v + number(c, 2, 0, 59) * 60);
}

int v23_walltime_parse(const char *s, size_t n, struct v23_walltime *t)
{
    struct cursor c = { s, s + n, false };
    struct v23_walltime v;
    struct date d;

    d.year = number(&c, 4, 0, 9999);
    expect(&c, '-');
    d.month = number(&c, 2, 1, 12);
    expect(&c, '-');
    d.day = number(&c, 2, 1, 31);
    expect(&c, 'T');
    if (c.bad || d.day > days_in_month(&d))
        return V23_ETEXT;
    v.sec = day_of(d) * 86400 + number(&c, 2, 0, 23) * 3600;
    expect(&c, ':');
    v.sec += number(&c, 2, 0, 59) * 60;
    expect(&c, ':');
    v.sec += number(&c, 2, 0, 59);
    v.nanos = fraction(&c);
    v.sec -= offset(&c);
    if (c.bad || c.p != c.end)
        return V23_ETEXT;
    *t = v;
    return 0;
}

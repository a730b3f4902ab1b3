/* BSD-3-Clause; see LICENSE. */
/* Durations in the text form of Go: "1h2m3.5s", "250ms", "0s". */
#include <v23/time.h>

#include <vom/value.h>

struct unit {
    const char *name;
    uint64_t ns;
};

static const struct unit units[] = {
    { "ns", 1 },
    { "us", 1000 },
    { "\xC2\xB5s", 1000 }, /* micro sign */
    { "\xCE\xBCs", 1000 }, /* Greek mu */
    { "ms", 1000000 },
    { "s", 1000000000 },
    { "m", UINT64_C(60000000000) },
    { "h", UINT64_C(3600000000000) },
};

/* Largest magnitude: that of INT64_MIN. */
#define MAGNITUDE_MAX (UINT64_C(1) << 63)

struct number {
    uint64_t whole;    /* digits before the point */
    uint64_t fraction; /* digits behind the point, over `scale` */
    double scale;
};

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits with at most one point, at least one digit. NULL: there is none. */
static const char *parse_number(const char *s, struct number *n)
{
    bool any = false, full = false;

    n->whole = n->fraction = 0;
    n->scale = 1;
    for (; digit(*s); s++) {
        if (n->whole > MAGNITUDE_MAX / 10)
            return NULL;
        n->whole = 10 * n->whole + (uint64_t)(*s - '0');
        if (n->whole > MAGNITUDE_MAX)
            return NULL;
        any = true;
    }
    if (*s != '.')
        return any ? s : NULL;
    for (s++; digit(*s); s++) {
        any = true;
        /* Digits beyond the precision are read over. */
        full = full || n->fraction > (MAGNITUDE_MAX - 10) / 10;
        if (full)
            continue;
        n->fraction = 10 * n->fraction + (uint64_t)(*s - '0');
        n->scale *= 10;
    }
    return any ? s : NULL;
}

static size_t unit_length(const char *s)
{
    size_t n = 0;

    while (s[n] != 0 && s[n] != '.' && !digit(s[n]))
        n++;
    return n;
}

static const struct unit *find_unit(const char *s, size_t n)
{
    size_t i;

    for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strlen(units[i].name) == n && memcmp(units[i].name, s, n) == 0)
            return &units[i];
    return NULL;
}

/* Add `n` units to the sum; false when it becomes too large. */
static bool add(uint64_t *sum, const struct number *n, const struct unit *u)
{
    uint64_t v;

    if (n->whole > MAGNITUDE_MAX / u->ns)
        return false;
    v = n->whole * u->ns;
    if (n->fraction != 0)
        v += (uint64_t)((double)n->fraction * ((double)u->ns / n->scale));
    if (v > MAGNITUDE_MAX || *sum + v > MAGNITUDE_MAX)
        return false;
    *sum += v;
    return true;
}

static int invalid(struct v23_buf *why, const char *what, const char *unit,
    size_t nunit, const char *text)
{
    if (why == NULL)
        return V23_ETEXT;
    v23_buf_printf(why, "time: %s ", what);
    if (unit != NULL) {
        vdl_format_quoted(why, unit, nunit);
        v23_buf_puts(why, " in duration ");
    }
    vdl_format_quoted(why, text, strlen(text));
    return V23_ETEXT;
}

int v23_duration_parse(const char *text, int64_t *ns, struct v23_buf *why)
{
    const char *s = text;
    bool negative = *s == '-';
    const struct unit *u;
    struct number n;
    uint64_t sum = 0;
    size_t len;

    if (*s == '-' || *s == '+')
        s++;
    if (strcmp(s, "0") == 0) {
        *ns = 0;
        return 0;
    }
    if (*s == 0)
        return invalid(why, "invalid duration", NULL, 0, text);
    for (; *s != 0; s += len) {
        s = parse_number(s, &n);
        if (s == NULL)
            return invalid(why, "invalid duration", NULL, 0, text);
        len = unit_length(s);
        if (len == 0)
            return invalid(why, "missing unit in duration", NULL, 0, text);
        u = find_unit(s, len);
        if (u == NULL)
            return invalid(why, "unknown unit", s, len, text);
        if (!add(&sum, &n, u))
            return invalid(why, "invalid duration", NULL, 0, text);
    }
    if (sum == MAGNITUDE_MAX) {
        if (!negative)
            return invalid(why, "invalid duration", NULL, 0, text);
        *ns = INT64_MIN;
        return 0;
    }
    *ns = negative ? -(int64_t)sum : (int64_t)sum;
    return 0;
}

/* v / 10^digits without trailing zeros. */
static void put_fraction(struct v23_buf *out, uint64_t v, int digits)
{
    uint64_t scale = 1;
    char text[24];
    int i;

    for (i = 0; i < digits; i++)
        scale *= 10;
    v23_buf_put_uint(out, v / scale);
    v %= scale;
    if (v == 0)
        return;
    for (i = digits; i > 0; i--) {
        text[i - 1] = (char)('0' + v % 10);
        v /= 10;
    }
    while (text[digits - 1] == '0')
        digits--;
    v23_buf_put_byte(out, '.');
    v23_buf_put(out, text, (size_t)digits);
}

void v23_duration_put(struct v23_buf *out, int64_t ns)
{
    uint64_t v = ns < 0 ? UINT64_C(0) - (uint64_t)ns : (uint64_t)ns, minutes;

    if (ns < 0)
        v23_buf_put_byte(out, '-');
    if (v == 0) {
        v23_buf_puts(out, "0s");
    } else if (v < 1000) {
        put_fraction(out, v, 0);
        v23_buf_puts(out, "ns");
    } else if (v < 1000000) {
        put_fraction(out, v, 3);
        v23_buf_puts(out, "\xC2\xB5s");
    } else if (v < 1000000000) {
        put_fraction(out, v, 6);
        v23_buf_puts(out, "ms");
    } else {
        minutes = v / UINT64_C(60000000000);
        if (minutes >= 60)
            v23_buf_printf(out, "%lluh", (unsigned long long)(minutes / 60));
        if (minutes != 0)
            v23_buf_printf(out, "%llum", (unsigned long long)(minutes % 60));
        put_fraction(out, v % UINT64_C(60000000000), 9);
        v23_buf_put_byte(out, 's');
    }
}

/* BSD-3-Clause; see LICENSE. */
/*
 * Texts to trees of cJSON. It keeps numbers as doubles and strings up to their
 * first NUL, and takes no surrogate without a partner; but integers of 64 bits
 * have to be exact, and pages may send any string of JavaScript. So cJSON gets
 * the text in another spelling: a number as a string, which begins with an
 * octet that UTF-8 does not have, \u0000 as another such octet, and U+FFFD for
 * what is no character.
 */
#include "json_read_int.h"

#include <vname/json.h>

enum { NUL = 0xfe };

struct spelling {
    const char *p, *end; /* of a text that is JSON */
    struct v23_buf *out;
    uint32_t depth, deepest;
    uint32_t values;
};

/* ---- strings ------------------------------------------------------------- */

static uint32_t hex4(const char *p)
{
    uint32_t v = 0;
    int i;

    for (i = 0; i < 4; i++)
        v = v << 4 |
            (uint32_t)(p[i] <= '9' ? p[i] - '0' : (p[i] | 0x20) - 'a' + 10);
    return v;
}

static void no_character(struct spelling *s)
{
    v23_buf_puts(s->out, "\xef\xbf\xbd");
}

/* The escape \uXXXX, or two that are one character. */
static void unicode_escape(struct spelling *s)
{
    uint32_t unit = hex4(s->p + 2);
    bool high = unit >= 0xd800 && unit < 0xdc00;
    size_t n = 6;

    if (high && s->end - s->p > 12 && s->p[6] == '\\' && s->p[7] == 'u' &&
        (hex4(s->p + 8) & 0xfc00) == 0xdc00)
        n = 12;
    if (unit == 0)
        v23_buf_put_byte(s->out, NUL);
    else if (n == 6 && (unit & 0xf800) == 0xd800)
        no_character(s);
    else
        v23_buf_put(s->out, s->p, n);
    s->p += n;
}

/* Up to the next escape or the end of the string. */
static void characters(struct spelling *s)
{
    const char *start = s->p;
    size_t n = 1;

    while (*s->p != '"' && *s->p != '\\' && n > 0) {
        n = (uint8_t)*s->p < 0x80
            ? 1
            : v23_utf8_next(s->p, (size_t)(s->end - s->p), NULL);
        s->p += n;
    }
    v23_buf_put(s->out, start, (size_t)(s->p - start));
    if (n == 0) {
        no_character(s);
        s->p++;
    }
}

static void string(struct spelling *s)
{
    v23_buf_put_byte(s->out, '"');
    for (s->p++; *s->p != '"';) {
        if (*s->p != '\\') {
            characters(s);
        } else if (s->p[1] == 'u') {
            unicode_escape(s);
        } else {
            v23_buf_put(s->out, s->p, 2);
            s->p += 2;
        }
    }
    v23_buf_put_byte(s->out, '"');
    s->p++;
}

int wspr_json_string_(
    struct v23_arena *a, const char *s, struct vdl_str *out)
{
    size_t n = strlen(s);
    char *p = v23_arena_dup(a, s, n), *nul;

    if (p == NULL)
        return V23_ENOMEM;
    *out = vdl_strn(p, n);
    while ((nul = memchr(p, NUL, (size_t)(out->p + n - p))) != NULL) {
        *nul = 0;
        p = nul + 1;
    }
    return 0;
}

/* ---- everything else ----------------------------------------------------- */

static void number(struct spelling *s)
{
    const char *start = s->p;

    while (s->p < s->end && strchr("+-.0123456789Ee", *s->p) != NULL)
        s->p++;
    v23_buf_put_byte(s->out, '"');
    v23_buf_put_byte(s->out, WSPR_JSON_NUMBER_);
    v23_buf_put(s->out, start, (size_t)(s->p - start));
    v23_buf_put_byte(s->out, '"');
}

/* A bracket, comma, colon or letter; `before` is what stands before it. */
static void mark(struct spelling *s, uint8_t before)
{
    char c = *s->p++;

    if (c == '[' || c == '{') {
        s->depth++;
        if (s->deepest < s->depth)
            s->deepest = s->depth;
    }
    if (c == ']' || c == '}')
        s->depth--;
    if (c == ',')
        s->values++;
    if ((c == ']' && before != '[') || (c == '}' && before != '{'))
        s->values++;
    v23_buf_put_byte(s->out, (uint8_t)c);
}

static void spell(struct spelling *s)
{
    struct v23_buf *out = s->out;

    while (s->p < s->end && out->err == 0) {
        if (*s->p == '"')
            string(s);
        else if (*s->p == '-' || (*s->p >= '0' && *s->p <= '9'))
            number(s);
        else if (strchr(" \t\r\n", *s->p) != NULL)
            s->p++;
        else
            mark(s, out->n == 0 ? 0 : out->p[out->n - 1]);
    }
}

/* Is the text, without blanks around it, within the limits? */
static int limits(const struct wspr_json_reader_ *r, const struct spelling *s)
{
    const struct wspr_json_options *opt = r->opt;

    if (s->deepest > opt->depth)
        return wspr_json_fail_(r, NULL, V23_ELIMIT, "nested deeper than %u",
            (unsigned)opt->depth);
    if (s->values > opt->elements)
        return wspr_json_fail_(r, NULL, V23_ELIMIT, "more than %u values",
            (unsigned)opt->elements);
    return 0;
}

int wspr_json_parse_(struct wspr_json_reader_ *r, struct v23_bytes text,
    cJSON **out)
{
    struct spelling s;
    struct v23_buf b;
    size_t n;
    int rc = vname_json_check(text, &n, r->why);

    if (rc != 0)
        return rc;
    if (n > UINT32_MAX / 2)
        return V23_ELIMIT;
    v23_buf_init(&b, r->a->al, SIZE_MAX);
    memset(&s, 0, sizeof(s));
    s.p = (const char *)text.p;
    s.end = s.p + n;
    s.out = &b;
    s.values = 1;
    spell(&s);
    rc = b.err == 0 ? limits(r, &s) : b.err;
    if (rc == 0) {
        *out = cJSON_ParseWithLength((const char *)b.p, b.n);
        rc = *out == NULL ? V23_ENOMEM : 0;
    }
    v23_buf_fini(&b);
    return rc;
}

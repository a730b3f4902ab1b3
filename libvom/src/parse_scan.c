/* BSD-3-Clause; see LICENSE. */
/* The scanner of constants and types: words and string literals. */
#include <stdarg.h>
#include <stdio.h>

#include "parse_int.h"

/* ---- errors -------------------------------------------------------------- */

int vdl_parse_fail_(struct parser *p, const char *fmt, ...)
{
    va_list ap;

    p->err->at = p->at;
    va_start(ap, fmt);
    vsnprintf(p->err->text, sizeof(p->err->text), fmt, ap);
    va_end(ap);
    return V23_ETEXT;
}

int vdl_parse_fail_at_(struct parser *p, size_t at, const char *fmt, ...)
{
    va_list ap;

    p->at = at;
    p->err->at = at;
    va_start(ap, fmt);
    vsnprintf(p->err->text, sizeof(p->err->text), fmt, ap);
    va_end(ap);
    return V23_ETEXT;
}

/* ---- words --------------------------------------------------------------- */

/* Byte i from here on, or 0 behind the end. */
static char ahead(const struct parser *p, size_t i)
{
    return i < p->text.n - p->at ? p->text.p[p->at + i] : 0;
}

/* Leave a comment behind; false when there is none, or no end of it. */
static bool skip_comment(struct parser *p)
{
    size_t start = p->at;

    if (ahead(p, 0) != '/')
        return false;
    if (ahead(p, 1) == '/') {
        while (p->at < p->text.n && p->text.p[p->at] != '\n')
            p->at++;
        return true;
    }
    if (ahead(p, 1) != '*')
        return false;
    for (p->at += 2; p->at < p->text.n; p->at++)
        if (ahead(p, 0) == '*' && ahead(p, 1) == '/') {
            p->at += 2;
            return true;
        }
    p->at = start;
    return false;
}

char vdl_parse_peek_(struct parser *p)
{
    for (;;) {
        while (p->at < p->text.n &&
               (p->text.p[p->at] == ' ' || p->text.p[p->at] == '\t' ||
                   p->text.p[p->at] == '\n' || p->text.p[p->at] == '\r'))
            p->at++;
        if (p->canonical || !skip_comment(p))
            return ahead(p, 0);
    }
}

bool vdl_parse_take_(struct parser *p, char c)
{
    if (vdl_parse_peek_(p) != c || p->at == p->text.n)
        return false;
    p->at++;
    return true;
}

int vdl_parse_expect_(struct parser *p, char c)
{
    if (vdl_parse_take_(p, c))
        return 0;
    return vdl_parse_fail_(p, "expected '%c'", c);
}

bool vdl_parse_is_word_(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (c >= '0' && c <= '9');
}

struct vdl_str vdl_parse_ident_(struct parser *p)
{
    char c = vdl_parse_peek_(p);
    size_t start = p->at;

    if (!vdl_parse_is_word_(c) || (c >= '0' && c <= '9'))
        return vdl_strn(NULL, 0);
    while (vdl_parse_is_word_(ahead(p, 0)))
        p->at++;
    return vdl_strn(p->text.p + start, p->at - start);
}

bool vdl_parse_take_word_(struct parser *p, const char *word)
{
    size_t start;

    vdl_parse_peek_(p);
    start = p->at;
    if (vdl_str_is(vdl_parse_ident_(p), word))
        return true;
    p->at = start;
    return false;
}

/* ---- string literals ----------------------------------------------------- */

static int digits(struct parser *p, int count, unsigned base, uint32_t *out)
{
    uint32_t v = 0;

    for (; count > 0; count--, p->at++) {
        char c = ahead(p, 0);
        unsigned d = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                     : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                     : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                            : 99;

        if (d >= base)
            return vdl_parse_fail_(p, "malformed escape in string");
        v = v * base + d;
    }
    *out = v;
    return 0;
}

static size_t put_utf8(char *to, uint32_t cp)
{
    if (cp < 0x80) {
        to[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        to[0] = (char)(0xc0 | cp >> 6);
        to[1] = (char)(0x80 | (cp & 63));
        return 2;
    }
    if (cp < 0x10000) {
        to[0] = (char)(0xe0 | cp >> 12);
        to[1] = (char)(0x80 | (cp >> 6 & 63));
        to[2] = (char)(0x80 | (cp & 63));
        return 3;
    }
    to[0] = (char)(0xf0 | cp >> 18);
    to[1] = (char)(0x80 | (cp >> 12 & 63));
    to[2] = (char)(0x80 | (cp >> 6 & 63));
    to[3] = (char)(0x80 | (cp & 63));
    return 4;
}

/* One escape behind a '\'; what it stands for is never longer. */
static int escape(struct parser *p, char *to, size_t *n)
{
    static const char names[] = "abfnrtv\\\"", values[] = "\a\b\f\n\r\t\v\\\"";
    char c = ahead(p, 0);
    const char *hit = c == 0 ? NULL : strchr(names, c);
    uint32_t v = 0;
    int rc;

    if (hit != NULL) {
        to[(*n)++] = values[hit - names];
        p->at++;
        return 0;
    }
    if (c >= '0' && c <= '7') {
        rc = digits(p, 3, 8, &v);
        if (rc == 0 && v > 255)
            rc = vdl_parse_fail_(p, "octal escape out of range");
    } else if (c == 'x') {
        p->at++;
        rc = digits(p, 2, 16, &v);
    } else if (c == 'u' || c == 'U') {
        p->at++;
        rc = digits(p, c == 'u' ? 4 : 8, 16, &v);
        if (rc == 0 && (v > 0x10ffff || (v >= 0xd800 && v < 0xe000)))
            rc = vdl_parse_fail_(p, "escape is no code point");
        if (rc == 0)
            *n += put_utf8(to + *n, v);
        return rc;
    } else {
        return vdl_parse_fail_(p, "unknown escape in string");
    }
    if (rc == 0)
        to[(*n)++] = (char)v;
    return rc;
}

int vdl_parse_skip_string_(struct parser *p)
{
    char quote = ahead(p, 0), c;
    size_t start = p->at;

    for (p->at++; p->at < p->text.n; p->at++) {
        c = p->text.p[p->at];
        if (c == quote) {
            p->at++;
            return 0;
        }
        if (quote == '"' && c == '\n')
            break;
        if (quote == '"' && c == '\\' && ahead(p, 1) != '\n')
            p->at++;
    }
    return vdl_parse_fail_at_(p, start, "string is not terminated");
}

int vdl_parse_string_(struct parser *p, struct vdl_str *out)
{
    char quote = vdl_parse_peek_(p), c, *to;
    size_t n = 0, start = p->at, end;
    int rc = vdl_parse_skip_string_(p);

    if (rc != 0)
        return rc;
    end = p->at - 1; /* the closing quote */
    to = v23_arena_get(p->a, end - start, 1);
    if (to == NULL)
        return V23_ENOMEM;
    for (p->at = start + 1; rc == 0 && p->at < end;) {
        c = p->text.p[p->at++];
        if (c == '\\' && quote == '"')
            rc = escape(p, to, &n);
        else if (c != '\r' || quote == '"')
            to[n++] = c;
    }
    if (rc != 0)
        return rc;
    p->at = end + 1;
    *out = vdl_strn(to, n);
    return 0;
}

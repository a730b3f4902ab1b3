/* BSD-3-Clause; see LICENSE. */
/* Recorded output has placeholders for what differs from run to run. */
#include "cli.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LINES 256
#define HEX_OCTETS "0123456789abcdefx, "

static size_t name_length(const char *p)
{
    size_t n = 0;

    while (isupper((unsigned char)p[n]) || isdigit((unsigned char)p[n])
        || p[n] == '_')
        n++;
    return isupper((unsigned char)p[0]) ? n : 0;
}

static const char *value_of(const char *name, size_t n)
{
    static const char *const known[] = { "ROOT", "SUB", "TESTD", "TMP" };
    size_t i;

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strlen(known[i]) == n && memcmp(known[i], name, n) == 0)
            return getenv(known[i]);
    return NULL;
}

char *cli_expand(const char *text)
{
    size_t room = strlen(text) * 64 + 1, n = 0, len;
    char *out = malloc(room);
    const char *value;

    if (out == NULL)
        abort();
    while (*text != 0) {
        len = *text == '$' ? name_length(text + 1) : 0;
        value = len == 0 ? NULL : value_of(text + 1, len);
        if (value == NULL) {
            out[n++] = *text++;
            continue;
        }
        n += (size_t)snprintf(out + n, room - n, "%s", value);
        if (n >= room)
            abort();
        text += len + 1;
    }
    out[n] = 0;
    return out;
}

static size_t digits(const char *p)
{
    return strspn(p, "0123456789");
}

size_t cli_time_length(const char *p)
{
    static const char form[] = "dddd-dd-dd dd:dd:dd";
    size_t i, n;

    for (i = 0; form[i] != 0; i++)
        if (form[i] == 'd' ? !isdigit((unsigned char)p[i]) : p[i] != form[i])
            return 0;
    if (p[i] == '.')
        i += 1 + digits(p + i + 1);
    if (p[i] != ' ' || (p[i + 1] != '+' && p[i + 1] != '-')
        || digits(p + i + 2) != 4 || p[i + 6] != ' ')
        return 0;
    i += 7;
    for (n = 0; isalnum((unsigned char)p[i + n]) || p[i + n] == '+'
         || p[i + n] == '-';)
        n++;
    if (n == 0)
        return 0;
    i += n;
    return strncmp(p + i, " m=", 3) != 0
        ? i
        : i + 3 + strspn(p + i + 3, "+-.0123456789");
}

/* A word of at least one character: try every length. */
static bool match_word(const char *pattern, const char *text)
{
    size_t n;

    for (n = 1; text[n - 1] != 0 && text[n - 1] != '\n'
         && text[n - 1] != ' ';
         n++)
        if (cli_match(pattern, text + n))
            return true;
    return false;
}

/* Log prefixes end in "] "; level and time are in front. */
static bool match_log(const char *pattern, const char *text)
{
    const char *p = strstr(pattern, "] "), *t = strstr(text, "] ");

    return p != NULL && t != NULL && strchr("IWEF", *text) != NULL
        && cli_match(p, t);
}

bool cli_match(const char *pattern, const char *text)
{
    size_t n;

    for (; *pattern != 0; pattern++, text++) {
        n = *pattern == '$' ? name_length(pattern + 1) : 0;
        if (n == 0) {
            if (*pattern != *text)
                return false;
            continue;
        }
        pattern += 1 + n;
        if (n == 1 && pattern[-1] == 'N')
            return digits(text) != 0
                && cli_match(pattern, text + digits(text));
        if (n == 4 && memcmp(pattern - 4, "TIME", 4) == 0)
            return cli_time_length(text) != 0
                && cli_match(pattern, text + cli_time_length(text));
        if (n == 3 && memcmp(pattern - 3, "LOG", 3) == 0)
            return match_log(pattern, text);
        if (n == 2 && memcmp(pattern - 2, "ID", 2) == 0)
            return strncmp(text, "0x", 2) == 0
                && cli_match(pattern, text + strspn(text, HEX_OCTETS));
        return match_word(pattern, text);
    }
    return *text == 0;
}

static size_t split(char *text, char **lines)
{
    size_t n = 0;
    char *end;

    while (*text != 0 && n < MAX_LINES) {
        lines[n++] = text;
        end = strchr(text, '\n');
        if (end == NULL)
            break;
        *end = 0;
        text = end + 1;
    }
    return n;
}

bool cli_match_lines(const char *pattern, const char *text)
{
    char *want[MAX_LINES], *got[MAX_LINES];
    char *p = strdup(pattern), *t = strdup(text);
    size_t nwant, ngot, i, k;
    bool ok = p != NULL && t != NULL;

    nwant = ok ? split(p, want) : 0;
    ngot = ok ? split(t, got) : 0;
    ok = ok && nwant == ngot;
    for (i = 0; ok && i < nwant; i++) {
        for (k = 0; k < ngot && !cli_match(want[i], got[k]); k++)
            ;
        ok = k < ngot;
        if (ok)
            got[k] = got[--ngot];
    }
    free(p);
    free(t);
    return ok;
}

void cli_strip_comments(char *text)
{
    char *to = text, *end, *p;
    size_t n;

    while (*text != 0) {
        end = strchr(text, '\n');
        n = end == NULL ? strlen(text) : (size_t)(end - text) + 1;
        for (p = text; *p == '\t' || *p == ' '; p++)
            ;
        if (strncmp(p, "//", 2) != 0 && *p != '\n') {
            memmove(to, text, n);
            to += n;
        }
        text += n;
    }
    *to = 0;
}

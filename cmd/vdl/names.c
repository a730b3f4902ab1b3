/* BSD-3-Clause; see LICENSE. */
/*
 * Identifiers that every generator can use (spec/vdl.md section 5). A tool
 * that accepted more would make packages that others refuse.
 */
#include "names.h"

#include <stdlib.h>
#include <string.h>

/* Each list is sorted. */
static const char *const go_words[] = { "break", "case", "chan", "const",
    "continue", "default", "defer", "else", "fallthrough", "for", "func",
    "go", "goto", "if", "import", "interface", "map", "package", "range",
    "return", "select", "struct", "switch", "type", "var" };
static const char *const java_words[] = { "abstract", "assert", "boolean",
    "break", "byte", "case", "catch", "char", "class", "const", "continue",
    "default", "do", "double", "else", "enum", "extends", "final", "finally",
    "float", "for", "goto", "if", "implements", "import", "instanceof", "int",
    "interface", "long", "native", "new", "package", "private", "protected",
    "public", "return", "short", "static", "strictfp", "super", "switch",
    "synchronized", "this", "throw", "throws", "transient", "try", "void",
    "volatile", "while" };
static const char *const js_words[] = { "break", "case", "catch", "continue",
    "debugger", "default", "do", "else", "finally", "for", "function", "if",
    "instanceof", "new", "return", "switch", "this", "throw", "try", "typeof",
    "var", "void", "while", "with" };

static int compare(const void *a, const void *b)
{
    return strcmp(a, *(const char *const *)b);
}

#define HAS(words, s) \
    (bsearch((s), (words), sizeof(words) / sizeof(*(words)), \
        sizeof(*(words)), compare) != NULL)

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

/* As is for Go, with the first letter in lower case for the others. */
static bool reserved(const char *ident, bool lower)
{
    char word[16]; /* longer than any reserved word */

    if (strlen(ident) >= sizeof(word))
        return false;
    strcpy(word, ident);
    if (HAS(go_words, word))
        return true;
    if (lower && is_upper(word[0]))
        word[0] = (char)(word[0] - 'A' + 'a');
    return HAS(java_words, word) || HAS(js_words, word);
}

/* Two upper-case letters in a row that no lower-case letter follows. */
static bool has_acronym(const char *s)
{
    for (; s[0] != '\0'; s++) {
        if (is_upper(s[0]) && is_upper(s[1]) && !is_lower(s[2]))
            return true;
    }
    return false;
}

bool name_exported(const char *ident)
{
    return is_upper(ident[0]);
}

const char *name_check(const char *ident, enum name_kind kind)
{
    const char *s;

    for (s = ident; *s != '\0'; s++) {
        if (!is_upper(*s) && !is_lower(*s) &&
            (s == ident || (*s != '_' && (*s < '0' || *s > '9'))))
            break;
    }
    if (*s != '\0' || s == ident)
        return "allowed regexp: \"^[A-Za-z][A-Za-z0-9_]*$\"";
    if (reserved(ident, kind == NAME_LOWER || kind == NAME_MEMBER))
        return "reserved word in a generated language";
    if (kind != NAME_CONST && has_acronym(ident))
        return "acronyms must use CamelCase";
    if (kind == NAME_MEMBER && !name_exported(ident))
        return "must be exported";
    return NULL;
}

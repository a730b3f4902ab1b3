/* BSD-3-Clause; see LICENSE. */
/*
 * Scanner and type expressions of VDL constants. Named types cannot be
 * defined here, only found: in the registry or anywhere below the types that
 * the caller expects.
 */
#include <stdarg.h>
#include <stdio.h>

#include "parse_int.h"

#define FIND_MAX 4096 /* types looked at when a name is searched */

int vdl_parse_fail_(struct parser *p, const char *fmt, ...)
{
    va_list ap;

    p->err->at = p->at;
    va_start(ap, fmt);
    vsnprintf(p->err->text, sizeof(p->err->text), fmt, ap);
    va_end(ap);
    return V23_ETEXT;
}

char vdl_parse_peek_(struct parser *p)
{
    while (p->at < p->text.n
        && (p->text.p[p->at] == ' ' || p->text.p[p->at] == '\t'
            || p->text.p[p->at] == '\n' || p->text.p[p->at] == '\r'))
        p->at++;
    return p->at == p->text.n ? 0 : p->text.p[p->at];
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

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'
        || (c >= '0' && c <= '9');
}

struct vdl_str vdl_parse_ident_(struct parser *p)
{
    char c = vdl_parse_peek_(p);
    size_t start = p->at;

    if (!is_word(c) || (c >= '0' && c <= '9'))
        return vdl_strn(NULL, 0);
    while (p->at < p->text.n && is_word(p->text.p[p->at]))
        p->at++;
    return vdl_strn(p->text.p + start, p->at - start);
}

/* ---- string literals ----------------------------------------------------- */

static int digits(struct parser *p, int count, unsigned base, uint32_t *out)
{
    uint32_t v = 0;

    for (; count > 0; count--, p->at++) {
        char c = p->at < p->text.n ? p->text.p[p->at] : 0;
        unsigned d = c >= '0' && c <= '9' ? (unsigned)(c - '0')
            : c >= 'a' && c <= 'f'        ? (unsigned)(c - 'a') + 10
            : c >= 'A' && c <= 'F'        ? (unsigned)(c - 'A') + 10
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

/* One escape behind a '\'; appends at most 4 bytes. */
static int escape(struct parser *p, char *to, size_t *n)
{
    static const char names[] = "abfnrtv\\\"", values[] = "\a\b\f\n\r\t\v\\\"";
    char c = p->at < p->text.n ? p->text.p[p->at] : 0;
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

int vdl_parse_string_(struct parser *p, struct vdl_str *out)
{
    char quote = vdl_parse_peek_(p), *to;
    size_t n = 0;
    int rc = 0;

    to = v23_arena_get(p->a, p->text.n - p->at, 1);
    if (to == NULL)
        return V23_ENOMEM;
    for (p->at++; rc == 0; ) {
        char c = p->at < p->text.n ? p->text.p[p->at] : 0;

        if (p->at == p->text.n || (c == '\n' && quote == '"'))
            return vdl_parse_fail_(p, "string is not terminated");
        p->at++;
        if (c == quote)
            break;
        if (c == '\\' && quote == '"')
            rc = escape(p, to, &n);
        else if (c != '\r' || quote == '"')
            to[n++] = c;
    }
    if (rc == 0)
        *out = vdl_strn(to, n);
    return rc;
}

/* ---- types --------------------------------------------------------------- */

static const struct vdl_type *const builtins[] = { &vdl_any_desc,
    &vdl_bool_desc, &vdl_byte_desc, &vdl_uint16_desc, &vdl_uint32_desc,
    &vdl_uint64_desc, &vdl_int8_desc, &vdl_int16_desc, &vdl_int32_desc,
    &vdl_int64_desc, &vdl_float32_desc, &vdl_float64_desc, &vdl_string_desc,
    &vdl_typeobject_desc };

/* Types met so far while a name is searched. */
struct search {
    const struct vdl_type **seen;
    size_t n;
};

static void visit(struct search *s, const struct vdl_type *t)
{
    size_t i;

    if (t == NULL)
        return;
    for (i = 0; i < s->n; i++)
        if (s->seen[i] == t)
            return;
    if (s->n < FIND_MAX)
        s->seen[s->n++] = t;
}

static int find_named(struct parser *p, struct vdl_str name,
    const struct vdl_type **out)
{
    struct search s = { NULL, 0 };
    struct v23_arena_mark mark = v23_arena_mark(p->a);
    size_t i;
    uint32_t k;

    *out = NULL;
    for (i = 0; p->known != NULL && i < p->known->n; i++)
        if (vdl_str_eq(p->known->types[i]->name, name)) {
            *out = p->known->types[i];
            return 0;
        }
    s.seen = v23_arena_get0(p->a, FIND_MAX, sizeof(*s.seen),
        _Alignof(const struct vdl_type *));
    if (s.seen == NULL)
        return V23_ENOMEM;
    for (i = 0; i < p->nroots; i++)
        visit(&s, p->roots[i]);
    for (i = 0; i < s.n; i++) {
        const struct vdl_type *t = s.seen[i];

        if (vdl_str_eq(t->name, name)) {
            *out = t;
            break;
        }
        visit(&s, t->key);
        visit(&s, t->elem);
        for (k = 0; t->fields != NULL && k < t->count; k++)
            visit(&s, t->fields[k].type);
    }
    v23_arena_rewind(p->a, mark);
    return 0;
}

static int build(struct parser *p, const struct vdl_type_node *node,
    const struct vdl_type **out)
{
    int rc = 0;

    if (p->types == NULL)
        rc = vdl_types_new(NULL, NULL, &p->types);
    if (rc == 0)
        rc = vdl_types_build(p->types, node, 1, out);
    if (rc == V23_ETYPE || rc == V23_ELIMIT)
        return vdl_parse_fail_(p, "invalid type");
    return rc;
}

static int need_type(struct parser *p, const struct vdl_type **out)
{
    int rc = vdl_parse_type_(p, out);

    if (rc == 0 && *out == NULL)
        return vdl_parse_fail_(p, "expected a type");
    return rc;
}

/* '[' has been taken: "]T" or "N]T". */
static int list_type(struct parser *p, const struct vdl_type **out)
{
    struct vdl_type_node node = { 0 };
    uint64_t len = 0;
    char c = vdl_parse_peek_(p);
    int rc;

    node.kind = VDL_LIST;
    if (c != ']') {
        node.kind = VDL_ARRAY;
        for (; c >= '0' && c <= '9'; c = vdl_parse_peek_(p)) {
            len = len * 10 + (uint64_t)(c - '0');
            if (len > INT32_MAX)
                return vdl_parse_fail_(p, "array is too long");
            p->at++;
        }
        node.len = len;
    }
    rc = vdl_parse_expect_(p, ']');
    if (rc == 0)
        rc = need_type(p, &node.elem.type);
    if (rc == 0 && node.kind == VDL_LIST
        && node.elem.type == &vdl_byte_desc) {
        *out = &vdl_bytes_desc;
        return 0;
    }
    return rc == 0 ? build(p, &node, out) : rc;
}

static int map_type(struct parser *p, bool map, const struct vdl_type **out)
{
    struct vdl_type_node node = { 0 };
    int rc = vdl_parse_expect_(p, '[');

    node.kind = map ? VDL_MAP : VDL_SET;
    if (rc == 0)
        rc = need_type(p, &node.key.type);
    if (rc == 0)
        rc = vdl_parse_expect_(p, ']');
    if (rc == 0 && map)
        rc = need_type(p, &node.elem.type);
    return rc == 0 ? build(p, &node, out) : rc;
}

/* A built-in or named type; nothing is taken when there is none. */
static int name_type(struct parser *p, const struct vdl_type **out)
{
    size_t start = p->at, i;
    struct vdl_str path = { NULL, 0 }, name, full;
    char *to;
    int rc = 0;

    if (vdl_parse_peek_(p) == '"') {
        rc = vdl_parse_string_(p, &path);
        if (rc != 0 || !vdl_parse_take_(p, '.')) {
            p->at = start;
            return rc == V23_ETEXT ? 0 : rc;
        }
    }
    name = vdl_parse_ident_(p);
    for (i = 0; path.n == 0 && i < sizeof(builtins) / sizeof(builtins[0]); i++)
        if (vdl_str_is(name, vdl_kind_name(
                                 (enum vdl_kind)builtins[i]->kind))) {
            *out = builtins[i];
            return 0;
        }
    if (path.n == 0 && vdl_str_is(name, "error")) {
        *out = &vdl_error_desc;
        return 0;
    }
    full = name;
    if (path.n == 0 && name.n != 0 && p->at < p->text.n
        && p->text.p[p->at] == '.') {
        path = name; /* time.Duration: a path of one element */
        p->at++;
        name = vdl_parse_ident_(p);
    }
    if (path.n != 0) {
        to = v23_arena_get(p->a, (size_t)path.n + 1 + name.n, 1);
        if (to == NULL)
            return V23_ENOMEM;
        memcpy(to, path.p, path.n);
        to[path.n] = '.';
        if (name.n != 0)
            memcpy(to + path.n + 1, name.p, name.n);
        full = vdl_strn(to, (size_t)path.n + 1 + name.n);
    }
    if (full.n != 0)
        rc = find_named(p, full, out);
    if (*out == NULL)
        p->at = start;
    return rc;
}

int vdl_parse_type_(struct parser *p, const struct vdl_type **out)
{
    struct vdl_type_node node = { 0 };
    size_t start;
    struct vdl_str word;
    int rc = 0;

    *out = NULL;
    if (++p->depth > VDL_PARSE_DEPTH)
        return vdl_parse_fail_(p, "nested too deeply");
    vdl_parse_peek_(p);
    start = p->at;
    if (vdl_parse_take_(p, '[')) {
        rc = list_type(p, out);
    } else if (vdl_parse_take_(p, '?')) {
        node.kind = VDL_OPTIONAL;
        rc = need_type(p, &node.elem.type);
        if (rc == 0)
            rc = build(p, &node, out);
    } else {
        word = vdl_parse_ident_(p);
        if (vdl_str_is(word, "map") || vdl_str_is(word, "set")) {
            rc = map_type(p, word.p[0] == 'm', out);
        } else {
            p->at = start;
            rc = name_type(p, out);
        }
    }
    p->depth--;
    return rc;
}

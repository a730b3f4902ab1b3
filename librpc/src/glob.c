/* BSD-3-Clause; see LICENSE. */
/*
 * Glob patterns over name elements. Matching never crosses '/', takes one
 * UTF-8 code point for '?' and for a class, and backtracks only at '*', so its
 * cost is at most pattern length times segment length.
 */
#include <vrpc/glob.h>

static const struct vdl_str empty;

/* One code point at s[i], or U+FFFD and one byte where it is invalid. */
static size_t next_rune(struct vdl_str s, size_t i, uint32_t *cp)
{
    size_t n = v23_utf8_next(s.p + i, s.n - i, cp);

    if (n != 0)
        return n;
    *cp = 0xfffd;
    return 1;
}

/* Lexical check only: classes closed, no lone '\' at the end. */
static bool element_ok(struct vdl_str e)
{
    bool escape = false, class = false;
    size_t i;

    for (i = 0; i < e.n; i++) {
        if (escape) {
            uint32_t cp;

            escape = false;
            i += next_rune(e, i, &cp) - 1;
        } else if (e.p[i] == '\\') {
            escape = true;
        } else if (e.p[i] == '[') {
            class = true;
        } else if (e.p[i] == ']') {
            class = false;
        }
    }
    return e.n != 0 && !escape && !class;
}

int vrpc_glob_parse(struct v23_arena *a, struct vdl_str pattern,
    struct vrpc_glob *out)
{
    struct vrpc_glob g = { NULL, 0, false, false };
    struct vdl_str *v, rest = pattern;
    size_t i, n = 1;

    if (pattern.n == 0) {
        *out = g;
        return 0;
    }
    for (i = 0; i < pattern.n; i++)
        n += pattern.p[i] == '/';
    v = v23_arena_get0(a, n, sizeof(*v), _Alignof(struct vdl_str));
    if (v == NULL)
        return V23_ENOMEM;
    for (i = 0; i < n; i++) {
        const char *slash = rest.n == 0 ? NULL : memchr(rest.p, '/', rest.n);
        size_t len = slash == NULL ? rest.n : (size_t)(slash - rest.p);

        v[i] = vdl_strn(rest.p, len);
        rest = slash == NULL ? empty : vdl_strn(slash + 1, rest.n - len - 1);
    }
    if (vdl_str_is(v[n - 1], "...") || vdl_str_is(v[n - 1], "***")) {
        g.recursive = true;
        g.restricted = v[n - 1].p[0] == '*';
        n--;
    }
    for (i = 0; i < n; i++)
        if (!element_ok(v[i]))
            return V23_EGLOB;
    g.elems = v;
    g.n = (uint32_t)n;
    *out = g;
    return 0;
}

bool vrpc_glob_is_empty(const struct vrpc_glob *g)
{
    return g->n == 0 && !g->recursive;
}

struct vrpc_glob vrpc_glob_tail(const struct vrpc_glob *g)
{
    struct vrpc_glob t = *g;

    if (t.n != 0) {
        t.elems++;
        t.n--;
    }
    return t;
}

bool vrpc_glob_match(const struct vrpc_glob *g, struct vdl_str segment)
{
    if (g->n == 0)
        return g->recursive;
    return vrpc_glob_match_element(g->elems[0], segment);
}

/* A possibly escaped class member at *i; false: malformed. */
static bool class_char(struct vdl_str e, size_t *i, uint32_t *cp)
{
    if (*i >= e.n || e.p[*i] == '-' || e.p[*i] == ']')
        return false;
    if (e.p[*i] == '\\' && ++*i >= e.n)
        return false;
    if (v23_utf8_next(e.p + *i, e.n - *i, cp) == 0)
        return false;
    *i += next_rune(e, *i, cp);
    return *i < e.n; /* the class still needs its ']' */
}

/* Class whose '[' is at e[*i]: 1 match, 0 no match, -1 malformed. */
static int match_class(struct vdl_str e, size_t *i, uint32_t c)
{
    bool negate = false, hit = false;
    size_t ranges = 0;

    ++*i;
    if (*i < e.n && e.p[*i] == '^') {
        negate = true;
        ++*i;
    }
    for (;; ranges++) {
        uint32_t lo, hi;

        if (*i < e.n && e.p[*i] == ']' && ranges > 0)
            break;
        if (!class_char(e, i, &lo))
            return -1;
        hi = lo;
        if (e.p[*i] == '-') {
            ++*i;
            if (!class_char(e, i, &hi))
                return -1;
        }
        hit = hit || (lo <= c && c <= hi);
    }
    ++*i;
    return hit != negate;
}

/* Match the part of e from i up to the next '*' (or its end) at s[j]. On
 * success *i and *j are behind it. 1, 0, or -1 when malformed. */
static int match_chunk(struct vdl_str e, size_t *i, struct vdl_str s,
    size_t *j)
{
    uint32_t c;
    int hit;

    while (*i < e.n && e.p[*i] != '*') {
        if (*j >= s.n)
            return 0;
        switch (e.p[*i]) {
        case '[':
            *j += next_rune(s, *j, &c);
            hit = match_class(e, i, c);
            if (hit <= 0)
                return hit;
            break;
        case '?':
            if (s.p[*j] == '/')
                return 0;
            *j += next_rune(s, *j, &c);
            ++*i;
            break;
        case '\\':
            if (++*i >= e.n)
                return -1;
            V23_FALLTHROUGH;
        default:
            if (e.p[*i] != s.p[*j])
                return 0;
            ++*i;
            ++*j;
        }
    }
    return 1;
}

bool vrpc_glob_match_element(struct vdl_str e, struct vdl_str s)
{
    size_t i = 0, j = 0, star_i = 0, star_j = 0;
    bool star = false;
    int hit;

    for (;;) {
        if (i < e.n && e.p[i] == '*') {
            while (i < e.n && e.p[i] == '*')
                i++;
            if (i == e.n)
                return s.n == j || memchr(s.p + j, '/', s.n - j) == NULL;
            star = true;
            star_i = i;
            star_j = j;
        }
        hit = match_chunk(e, &i, s, &j);
        if (hit < 0)
            return false;
        /* The last chunk has to end where the segment does. */
        if (hit && (i < e.n || j == s.n)) {
            if (i == e.n)
                return true;
            continue;
        }
        if (!star || star_j >= s.n || s.p[star_j] == '/')
            return false;
        j = ++star_j;
        i = star_i;
    }
}

int vrpc_glob_fixed_prefix(struct v23_arena *a, const struct vrpc_glob *g,
    struct vdl_str *out, bool *fixed)
{
    struct vdl_str e;
    bool escape = false;
    size_t i, n = 0;
    char *to;

    *out = empty;
    *fixed = g->n == 0 && !g->recursive;
    if (g->n == 0)
        return 0;
    e = g->elems[0];
    to = v23_arena_get(a, e.n, 1);
    if (to == NULL)
        return V23_ENOMEM;
    for (i = 0; i < e.n; i++) {
        if (!escape && memchr("*?[", e.p[i], 3) != NULL)
            break;
        escape = !escape && e.p[i] == '\\';
        if (!escape)
            to[n++] = e.p[i];
    }
    *fixed = i == e.n;
    *out = vdl_strn(to, n);
    return 0;
}

int vrpc_glob_split_fixed(struct v23_arena *a, const struct vrpc_glob *g,
    vdl_str_list *fixed, struct vrpc_glob *rest)
{
    struct vdl_str *v = NULL;
    struct vrpc_glob t = *g;
    bool whole;
    int rc;

    fixed->v = NULL;
    fixed->n = 0;
    if (g->n != 0) {
        v = v23_arena_get0(a, g->n, sizeof(*v), _Alignof(struct vdl_str));
        if (v == NULL)
            return V23_ENOMEM;
    }
    while (t.n != 0) {
        rc = vrpc_glob_fixed_prefix(a, &t, &v[fixed->n], &whole);
        if (rc != 0)
            return rc;
        if (!whole)
            break;
        fixed->n++;
        t = vrpc_glob_tail(&t);
    }
    fixed->v = v;
    *rest = t;
    return 0;
}

/* Remove the last element of the path written since `start`, unless there is
 * none or it is a "..". */
static bool drop_element(struct v23_buf *out, size_t start)
{
    size_t end = out->n, at = end;

    while (at > start && out->p[at - 1] != '/')
        at--;
    if (end == start || (end - at == 2 && memcmp(out->p + at, "..", 2) == 0))
        return false;
    v23_buf_cut(out, at > start ? at - 1 : at);
    return true;
}

void vrpc_glob_format(const struct vrpc_glob *g, struct v23_buf *out)
{
    size_t start = out->n;
    uint32_t i;

    for (i = 0; i < g->n + (g->recursive ? 1u : 0u); i++) {
        struct vdl_str e = vdl_str(g->restricted ? "***" : "...");

        if (i < g->n)
            e = g->elems[i];
        if (vdl_str_is(e, "."))
            continue;
        if (vdl_str_is(e, "..") && drop_element(out, start))
            continue;
        if (out->n != start)
            v23_buf_put_byte(out, '/');
        v23_buf_put_str(out, e);
    }
    /* path.Join of elements that all vanish is ".", of none "". */
    if (out->n == start && g->n + (g->recursive ? 1u : 0u) != 0)
        v23_buf_put_byte(out, '.');
}

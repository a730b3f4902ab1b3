/* BSD-3-Clause; see LICENSE. */
/*
 * Extensions, blessing patterns and matching. Everything is octet-wise: names
 * may hold NUL and invalid UTF-8. Nothing here allocates but for the two
 * functions that build patterns in an arena.
 */
#include <vsec/pattern.h>

static bool has(struct vdl_str s, const char *part)
{
    size_t n = strlen(part), i;

    for (i = 0; i + n <= s.n; i++)
        if (memcmp(s.p + i, part, n) == 0)
            return true;
    return false;
}

static bool ends_with(struct vdl_str s, const char *part)
{
    size_t n = strlen(part);

    return s.n >= n && memcmp(s.p + s.n - n, part, n) == 0;
}

/* Nothing in it can be wrong; so it is with nearly all. */
static bool is_plain(struct vdl_str s)
{
    static const bool special[256] = { ['.'] = true, [':'] = true,
        [','] = true, ['@'] = true, ['('] = true, [')'] = true,
        ['<'] = true, ['>'] = true, ['/'] = true, ['$'] = true };
    size_t i;

    for (i = 0; i < s.n; i++)
        if (special[(uint8_t)s.p[i]])
            return false;
    return s.n > 0;
}

const char *vsec_extension_fault(struct vdl_str ext)
{
    /* In the order in which the reference implementation complains. */
    static const struct {
        const char *part, *why;
    } bad[] = {
        { "...", "extension contains ..." },
        { "::", "extension contains ::" },
        { ",", "extension contains ," },
        { "@@", "extension contains @@" },
        { "(", "extension contains (" },
        { ")", "extension contains )" },
        { "<", "extension contains <" },
        { ">", "extension contains >" },
        { "/", "extension contains /" },
    };
    size_t i;

    if (is_plain(ext))
        return NULL;
    if (ext.n == 0)
        return "extension is empty";
    if (ext.p[0] == VSEC_NAME_SEPARATOR)
        return "extension starts with :";
    if (ext.p[ext.n - 1] == VSEC_NAME_SEPARATOR)
        return "extension ends with :";
    if (vdl_str_is(ext, VSEC_NO_EXTENSION))
        return "extension is $";
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (has(ext, bad[i].part))
            return bad[i].why;
    return NULL;
}

/* The pattern without its terminator; *exact: there was one. */
static struct vdl_str trim(struct vdl_str p, bool *exact)
{
    *exact = true;
    if (vdl_str_is(p, VSEC_NO_EXTENSION))
        return vdl_strn(p.p, 0);
    if (ends_with(p, ":$"))
        return vdl_strn(p.p, p.n - 2);
    *exact = false;
    return p;
}

/* Length of the component at the front. */
static uint32_t component(struct vdl_str s)
{
    uint32_t i;

    for (i = 0; i < s.n && s.p[i] != VSEC_NAME_SEPARATOR; i++)
        ;
    return i;
}

bool vsec_pattern_valid(struct vdl_str pattern)
{
    struct vdl_str rest;
    uint32_t n;
    bool exact;

    if (pattern.n == 0)
        return false;
    if (vdl_str_is(pattern, VSEC_ALL_PRINCIPALS))
        return true;
    rest = trim(pattern, &exact);
    if (ends_with(rest, ":"))
        return false;
    while (rest.n > 0) {
        n = component(rest);
        if (vsec_extension_fault(vdl_strn(rest.p, n)) != NULL)
            return false;
        if (n < rest.n)
            n++;
        rest = vdl_strn(rest.p + n, rest.n - n);
    }
    return true;
}

static bool covers(struct vdl_str p, bool exact, struct vdl_str name)
{
    if (name.n < p.n || memcmp(name.p, p.p, p.n) != 0)
        return false;
    return name.n == p.n || (!exact && name.p[p.n] == VSEC_NAME_SEPARATOR);
}

bool vsec_pattern_matched(struct vdl_str pattern, vdl_str_list names)
{
    struct vdl_str p;
    bool exact;
    uint32_t i;

    if (vdl_str_is(pattern, VSEC_ALL_PRINCIPALS))
        return true;
    if (!vsec_pattern_valid(pattern))
        return false;
    p = trim(pattern, &exact);
    if (p.n == 0)
        return false;
    for (i = 0; i < names.n; i++)
        if (covers(p, exact, names.v[i]))
            return true;
    return false;
}

bool vsec_pattern_matches(struct vdl_str pattern, struct vdl_str name)
{
    vdl_str_list one = { &name, 1 };

    return vsec_pattern_matched(pattern, one);
}

/* *out = p ":$" */
static int terminate(struct vdl_str p, struct v23_arena *a,
    struct vdl_str *out)
{
    char *s;

    if (p.n > UINT32_MAX - 2)
        return V23_ENOMEM;
    s = v23_arena_get(a, (size_t)p.n + 2, 1);
    if (s == NULL)
        return V23_ENOMEM;
    if (p.n > 0)
        memcpy(s, p.p, p.n);
    memcpy(s + p.n, ":$", 2);
    *out = vdl_strn(s, (size_t)p.n + 2);
    return 0;
}

int vsec_pattern_non_extendable(struct vdl_str pattern, struct v23_arena *a,
    struct vdl_str *out)
{
    if (pattern.n == 0) {
        *out = vdl_str(VSEC_NO_EXTENSION);
        return 0;
    }
    if (vdl_str_is(pattern, VSEC_NO_EXTENSION) || ends_with(pattern, ":$")) {
        *out = pattern;
        return 0;
    }
    return terminate(pattern, a, out);
}

int vsec_pattern_prefixes(struct vdl_str pattern, struct v23_arena *a,
    vdl_str_list *out)
{
    struct vdl_str *v;
    bool exact;
    struct vdl_str body = trim(pattern, &exact);
    uint32_t i, n = 0, count = 1;
    int rc;

    for (i = 0; i < body.n; i++)
        count += body.p[i] == VSEC_NAME_SEPARATOR;
    v = v23_arena_get0(a, count, sizeof(*v), V23_ALIGNOF(struct vdl_str));
    if (v == NULL)
        return V23_ENOMEM;
    for (i = 0; i < body.n; i++) {
        if (body.p[i] != VSEC_NAME_SEPARATOR)
            continue;
        rc = vsec_pattern_non_extendable(vdl_strn(body.p, i), a, &v[n++]);
        if (rc != 0)
            return rc;
    }
    v[n++] = pattern;
    out->v = v;
    out->n = n;
    return 0;
}

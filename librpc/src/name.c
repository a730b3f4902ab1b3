/* BSD-3-Clause; see LICENSE. */
/*
 * Object names as byte strings: no case folding, no meaning of "." and "..",
 * elements separated by '/'. Everything here is text; resolving names is
 * libnaming's business.
 */
#include <vrpc/name.h>

static const struct vdl_str empty;

/* A writable copy of at most `n` bytes, or NULL. */
static char *room(struct v23_arena *a, size_t n)
{
    return v23_arena_get(a, n == 0 ? 1 : n, 1);
}

static struct vdl_str cut(struct vdl_str s, size_t from)
{
    return from >= s.n ? empty : vdl_strn(s.p + from, s.n - from);
}

static size_t squeeze(char *to, struct vdl_str s, size_t at)
{
    size_t i;

    for (i = 0; i < s.n; i++)
        if (s.p[i] != '/' || at == 0 || to[at - 1] != '/')
            to[at++] = s.p[i];
    return at;
}

static bool is_clean(struct vdl_str s)
{
    const char *p = s.p, *end;

    if (s.n < 2)
        return true;
    end = s.p + s.n - 1; /* the last octet */
    while ((p = memchr(p, '/', (size_t)(end - p))) != NULL)
        if (*++p == '/')
            return false;
    return *end != '/';
}

/* Clean the concatenation of n pieces. */
static int clean_pieces(struct v23_arena *a, const struct vdl_str *s, size_t n,
    struct vdl_str *out)
{
    size_t total = 0, i, at = 0;
    char *to;

    for (i = 0; i < n; i++)
        if (v23_add_size(total, s[i].n, &total) != 0)
            return V23_ENOMEM;
    to = room(a, total);
    if (to == NULL)
        return V23_ENOMEM;
    for (i = 0; i < n; i++)
        at = squeeze(to, s[i], at);
    if (at > 1 && to[at - 1] == '/')
        at--;
    *out = vdl_strn(to, at);
    return 0;
}

int vrpc_name_clean(struct v23_arena *a, struct vdl_str name,
    struct vdl_str *out)
{
    if (is_clean(name)) {
        *out = name;
        return 0;
    }
    return clean_pieces(a, &name, 1, out);
}

bool vrpc_name_is_rooted(struct vdl_str name)
{
    return name.n != 0 && name.p[0] == '/';
}

/* Index of `what` in s, or s.n. */
static size_t find(struct vdl_str s, const char *what)
{
    size_t n = strlen(what);
    const char *p = s.p, *end = s.n < n ? s.p : s.p + (s.n - n + 1);

    while (p < end && (p = memchr(p, what[0], (size_t)(end - p))) != NULL) {
        if (memcmp(p, what, n) == 0)
            return (size_t)(p - s.p);
        p++;
    }
    return s.n;
}

/* Length of the address at the front of s (no leading '/'). */
static size_t address_len(struct vdl_str s)
{
    size_t at = 0, slash;

    if (s.p[0] == '@') {
        at = find(s, "@@/");
        /* The terminating "@@" belongs to the endpoint, unless nothing
         * follows the slash. */
        return at == s.n ? s.n : at + 2;
    }
    if (s.p[0] == '(') {
        at = find(s, ")@");
        if (at == s.n)
            return s.n;
    }
    slash = find(cut(s, at), "/");
    return at + slash;
}

int vrpc_name_split(struct v23_arena *a, struct vdl_str name,
    struct vdl_str *address, struct vdl_str *suffix)
{
    size_t n;
    int rc = vrpc_name_clean(a, name, &name);

    if (rc != 0)
        return rc;
    if (!vrpc_name_is_rooted(name)) {
        *address = empty;
        *suffix = name;
        return 0;
    }
    name = cut(name, 1);
    *address = *suffix = empty;
    if (name.n == 0)
        return 0;
    n = address_len(name);
    *address = vdl_strn(name.p, n);
    *suffix = cut(name, n + 1);
    return 0;
}

int vrpc_name_join_address(struct v23_arena *a, struct vdl_str address,
    struct vdl_str suffix, struct vdl_str *out)
{
    struct vdl_str s[4];

    while (address.n != 0 && address.p[0] == '/')
        address = cut(address, 1);
    if (address.n == 0)
        return vrpc_name_clean(a, suffix, out);
    s[0] = vdl_str("/");
    s[1] = address;
    s[2] = vdl_str("/");
    s[3] = suffix;
    return clean_pieces(a, s, suffix.n == 0 ? 2 : 4, out);
}

int vrpc_name_join(struct v23_arena *a, const struct vdl_str *elems, size_t n,
    struct vdl_str *out)
{
    size_t total = 0, i, at = 0;
    char *to;

    while (n != 0 && elems[0].n == 0) {
        elems++;
        n--;
    }
    for (i = 0; i < n; i++)
        if (v23_add_size(total, (size_t)elems[i].n + 1, &total) != 0)
            return V23_ENOMEM;
    to = room(a, total);
    if (to == NULL)
        return V23_ENOMEM;
    for (i = 0; i < n; i++) {
        if (i != 0)
            at = squeeze(to, vdl_str("/"), at);
        at = squeeze(to, elems[i], at);
    }
    if (at > 1 && to[at - 1] == '/')
        at--;
    *out = vdl_strn(to, at);
    return 0;
}

int vrpc_name_join2(struct v23_arena *a, struct vdl_str x, struct vdl_str y,
    struct vdl_str *out)
{
    struct vdl_str e[2];

    e[0] = x;
    e[1] = y;
    return vrpc_name_join(a, e, 2, out);
}

int vrpc_name_trim_suffix(struct v23_arena *a, struct vdl_str name,
    struct vdl_str suffix, struct vdl_str *out)
{
    size_t at;
    int rc = vrpc_name_clean(a, name, &name);

    if (rc == 0)
        rc = vrpc_name_clean(a, suffix, &suffix);
    if (rc != 0)
        return rc;
    *out = name;
    if (vdl_str_eq(name, suffix)) {
        *out = empty;
        return 0;
    }
    if (suffix.n >= name.n || vrpc_name_is_rooted(suffix))
        return 0;
    at = name.n - suffix.n;
    if (!vdl_str_eq(cut(name, at), suffix) || name.p[at - 1] != '/')
        return 0;
    if (at > 1)
        *out = vdl_strn(name.p, at - 1);
    return 0;
}

bool vrpc_name_is_reserved(struct vdl_str name)
{
    return name.n >= 2 && name.p[0] == '_' && name.p[1] == '_';
}

struct vdl_str vrpc_name_strip_reserved(struct vdl_str name)
{
    return vrpc_name_is_reserved(name) ? cut(name, 2) : name;
}

void vrpc_escape(struct vdl_str s, const char *special, struct v23_buf *out)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t i;

    for (i = 0; i < s.n; i++) {
        uint8_t c = (uint8_t)s.p[i];

        if (c == '%' || (c != 0 && strchr(special, c) != NULL)) {
            v23_buf_put_byte(out, '%');
            v23_buf_put_byte(out, (uint8_t)digits[c >> 4]);
            v23_buf_put_byte(out, (uint8_t)digits[c & 15]);
        } else {
            v23_buf_put_byte(out, c);
        }
    }
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int vrpc_unescape(struct vdl_str s, struct v23_buf *out)
{
    size_t i;

    for (i = 0; i < s.n; i++) {
        int hi, lo;

        if (s.p[i] != '%') {
            v23_buf_put_byte(out, (uint8_t)s.p[i]);
            continue;
        }
        if (i + 2 >= s.n)
            return V23_EENDPOINT;
        hi = hex_digit(s.p[i + 1]);
        lo = hex_digit(s.p[i + 2]);
        if (hi < 0 || lo < 0)
            return V23_EENDPOINT;
        v23_buf_put_byte(out, (uint8_t)(hi << 4 | lo));
        i += 2;
    }
    return out->err;
}

void vrpc_name_encode_element(struct vdl_str s, struct v23_buf *out)
{
    vrpc_escape(s, "/", out);
}

int vrpc_name_decode_element(struct vdl_str s, struct v23_buf *out)
{
    return vrpc_unescape(s, out);
}

int vrpc_name_split_pattern(struct v23_arena *a, struct vdl_str name,
    struct vdl_str *pattern, struct vdl_str *rest)
{
    struct vdl_str address, rel, tail;
    size_t close;
    int rc = vrpc_name_split(a, name, &address, &rel);

    if (rc != 0)
        return rc;
    *pattern = empty;
    *rest = name;
    if (rel.n < 4 || memcmp(rel.p, "__(", 3) != 0)
        return 0;
    close = find(rel, ")");
    if (close == rel.n || (close + 1 < rel.n && rel.p[close + 1] != '/'))
        return 0;
    rc = vrpc_name_clean(a, cut(rel, close + 2), &tail);
    if (rc == 0 && vrpc_name_is_rooted(name))
        rc = vrpc_name_join_address(a, address, tail, &tail);
    if (rc != 0)
        return rc;
    *pattern = vdl_strn(rel.p + 3, close - 3);
    *rest = tail;
    return 0;
}

int vrpc_name_join_pattern(struct v23_arena *a, struct vdl_str pattern,
    struct vdl_str name, struct vdl_str *out)
{
    struct vdl_str address, s[4], joined;
    size_t i, at = 0;
    char *to;
    int rc;

    if (pattern.n == 0) {
        *out = name;
        return 0;
    }
    rc = vrpc_name_split(a, name, &address, &s[3]);
    if (rc != 0)
        return rc;
    s[0] = vdl_str("__(");
    s[1] = pattern;
    s[2] = vdl_str(")/");
    to = room(a, (size_t)pattern.n + s[3].n + 5);
    if (to == NULL)
        return V23_ENOMEM;
    for (i = 0; i < 4; i++) {
        if (s[i].n != 0)
            memcpy(to + at, s[i].p, s[i].n);
        at += s[i].n;
    }
    joined = vdl_strn(to, at);
    return vrpc_name_join_address(a, address, joined, out);
}

struct vdl_str vrpc_user_id(struct vdl_str blessing, size_t *n)
{
    size_t colon[3], k = 0, i;

    for (i = 0; i < blessing.n && k < 3; i++)
        if (blessing.p[i] == ':')
            colon[k++] = i;
    if (k >= 2 && colon[1] - colon[0] == 2) {
        *n = 3;
        return vdl_strn(blessing.p, k == 3 ? colon[2] : blessing.n);
    }
    *n = 1;
    return vdl_strn(blessing.p, k == 0 ? blessing.n : colon[0]);
}

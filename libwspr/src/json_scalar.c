/* BSD-3-Clause; see LICENSE. */
/* Scalars, bytes and keys from JSON. */
#include "json_read_int.h"

#include <vname/json.h>
#include <vom/parse.h>
#include <vom/value.h>

/* ---- strings ------------------------------------------------------------- */

bool wspr_json_is_ascii_(struct vdl_str s)
{
    uint32_t i;

    for (i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 0x80)
            return false;
    return true;
}

static uint32_t hex4(const char *p)
{
    uint32_t v = 0;
    int i;

    for (i = 0; i < 4; i++)
        v = v << 4 |
            (uint32_t)(p[i] <= '9' ? p[i] - '0' : (p[i] | 0x20) - 'a' + 10);
    return v;
}

/* The code point of the \u escape at *p, which is moved behind it. */
static uint32_t escaped_unit(const char **p, const char *end)
{
    uint32_t hi = hex4(*p + 2), lo;

    *p += 6;
    if (hi < 0xd800 || hi > 0xdfff)
        return hi;
    if (hi > 0xdbff || end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u')
        return 0xfffd;
    lo = hex4(*p + 2);
    if (lo < 0xdc00 || lo > 0xdfff)
        return 0xfffd;
    *p += 6;
    return 0x10000 + ((hi - 0xd800) << 10) + (lo - 0xdc00);
}

/* The code point at *p, which is moved behind it. */
static uint32_t next(const char **p, const char *end)
{
    static const char names[] = "bfnrt", letters[] = "\b\f\n\r\t";
    const char *name;
    uint32_t cp;
    size_t n;

    if (**p == '\\' && (*p)[1] == 'u')
        return escaped_unit(p, end);
    if (**p == '\\') {
        name = strchr(names, (*p)[1]);
        cp = (uint32_t)(name == NULL ? (*p)[1] : letters[name - names]);
        *p += 2;
        return cp;
    }
    n = v23_utf8_next(*p, (size_t)(end - *p), &cp);
    *p += n == 0 ? 1 : n;
    return n == 0 ? 0xfffd : cp;
}

static size_t utf8_size(uint32_t cp)
{
    return cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
}

static void utf8_put(char *out, uint32_t cp)
{
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t n = utf8_size(cp), i;

    for (i = n - 1; i > 0; i--, cp >>= 6)
        out[i] = (char)(0x80 | (cp & 0x3f));
    out[0] = (char)(lead[n] | cp);
}

int wspr_json_unescape_(
    struct v23_arena *a, struct vdl_str raw, struct vdl_str *out)
{
    const char *p, *end = raw.p + raw.n;
    size_t n = 0;
    uint32_t cp;
    char *s;

    for (p = raw.p; p < end;)
        n += utf8_size(next(&p, end));
    if (n > UINT32_MAX)
        return V23_ENOMEM;
    s = v23_arena_get(a, n + 1, 1);
    if (s == NULL)
        return V23_ENOMEM;
    *out = vdl_strn(s, n);
    for (p = raw.p; p < end; s += utf8_size(cp)) {
        cp = next(&p, end);
        utf8_put(s, cp);
    }
    *s = 0;
    return 0;
}

/* ---- numbers ------------------------------------------------------------- */

static bool is_signed(const struct vdl_type *t)
{
    return t->kind >= VDL_INT8 && t->kind <= VDL_INT64;
}

/* Decimal digits, for signed types perhaps with a minus sign. */
static int read_int(const struct vdl_type *t, void *out, struct vdl_str s)
{
    bool minus = s.n > 0 && s.p[0] == '-';
    uint64_t v = 0, max = UINT64_MAX >> (64 - 8 * t->size);
    uint32_t i = minus;

    if (is_signed(t))
        max = (max >> 1) + minus;
    else if (minus)
        max = 0;
    if (i == s.n)
        return V23_ECONVERT;
    for (; i < s.n; i++) {
        uint64_t digit = (uint64_t)(s.p[i] - '0');

        if (s.p[i] < '0' || s.p[i] > '9' || v > max / 10 ||
            digit > max - 10 * v)
            return V23_ECONVERT;
        v = 10 * v + digit;
    }
    if (!is_signed(t))
        vdl_set_uint(t, out, v);
    else if (minus && v > 0)
        vdl_set_int(t, out, -(int64_t)(v - 1) - 1);
    else
        vdl_set_int(t, out, (int64_t)v);
    return 0;
}

/* Does the text look like a number of JSON? */
static bool is_number(struct vdl_str s)
{
    size_t end;

    return s.n > 0 && (s.p[0] == '-' || (s.p[0] >= '0' && s.p[0] <= '9')) &&
        vname_json_check(v23_bytes(s.p, s.n), &end, NULL) == 0 && end == s.n;
}

static int read_float(struct wspr_json_reader_ *r, const struct vdl_type *t,
    void *out, struct vdl_str s)
{
    const struct vdl_type *plain =
        t->kind == VDL_FLOAT32 ? &vdl_float32_desc : &vdl_float64_desc;
    struct v23_arena_mark m = v23_arena_mark(r->a);
    struct vdl_parse_error err;
    const void *v;
    size_t got;
    int rc;

    if (!is_number(s))
        return V23_ECONVERT;
    rc = vdl_parse_values(s, NULL, r->a, &plain, 1, &v, &got, &err);
    if (rc == 0)
        memcpy(out, v, t->size);
    v23_arena_rewind(r->a, m);
    return rc == V23_ETEXT ? V23_ECONVERT : rc;
}

static int read_number(struct wspr_json_reader_ *r, const struct vdl_type *t,
    void *out, struct vdl_str s)
{
    if (t->kind == VDL_FLOAT32 || t->kind == VDL_FLOAT64)
        return read_float(r, t, out, s);
    if (t->kind >= VDL_BYTE && t->kind <= VDL_INT64)
        return read_int(t, out, s);
    return V23_ECONVERT;
}

/* ---- by type ------------------------------------------------------------- */

static int read_label(const struct vdl_type *t, void *out, struct vdl_str s)
{
    int i = vdl_type_label_index(t, s);

    if (i < 0)
        return V23_ECONVERT;
    vdl_set_enum(t, out, (uint32_t)i);
    return 0;
}

int wspr_json_from_text_(struct wspr_json_reader_ *r,
    const struct vdl_type *t, void *out, struct vdl_str s)
{
    switch (t->kind) {
    case VDL_STRING:
    case VDL_LIST: /* struct vdl_str is made like the list of bytes */
        memcpy(out, &s, sizeof(s));
        return 0;
    case VDL_ARRAY:
        if (s.n != t->count)
            return V23_ECONVERT;
        memcpy(out, s.p, s.n);
        return 0;
    case VDL_ENUM:
        return read_label(t, out, s);
    default:
        return read_number(r, t, out, s);
    }
}

int wspr_json_from_word_(struct wspr_json_reader_ *r,
    const struct vdl_type *t, void *out, struct vdl_str s)
{
    bool yes = vdl_str_is(s, "true");

    if (t->kind == VDL_BOOL && (yes || vdl_str_is(s, "false"))) {
        memcpy(out, &yes, sizeof(yes));
        return 0;
    }
    return read_number(r, t, out, s);
}

/* A key that is JSON itself, within what its object may use. */
static int read_key(struct wspr_json_reader_ *r, const struct vdl_type *t,
    void *out, struct vdl_str s, const struct wspr_json_at_ *at)
{
    struct wspr_json_options opt = *r->opt;
    int rc;

    opt.bytes = r->a->limit - r->a->used;
    opt.depth /= 2; /* keys in keys end */
    rc = wspr_json_decode(v23_bytes(s.p, s.n), &opt, r->a, t, out, NULL);
    if (rc == V23_EEOF || rc == V23_ETEXT || rc == V23_ECONVERT)
        return wspr_json_fail_(r, at, V23_ECONVERT, "no such key");
    return rc;
}

int wspr_json_key_(struct wspr_json_reader_ *r, const struct vdl_type *t,
    void *out, struct vdl_str s, const struct wspr_json_at_ *at)
{
    int rc;

    switch (t->kind) {
    case VDL_STRING:
        s.p = v23_arena_dup(r->a, s.p, s.n);
        if (s.p == NULL)
            return V23_ENOMEM;
        break;
    case VDL_ARRAY:
    case VDL_STRUCT:
    case VDL_UNION:
        return read_key(r, t, out, s, at);
    default:
        break;
    }
    if (t->kind == VDL_BOOL)
        rc = wspr_json_from_word_(r, t, out, s);
    else
        rc = wspr_json_from_text_(r, t, out, s);
    if (rc == V23_ECONVERT)
        return wspr_json_fail_(r, at, rc, "no such key");
    return rc;
}

int wspr_json_unique_(struct wspr_json_reader_ *r, const struct vdl_type *t,
    struct vdl_list *l, const struct wspr_json_at_ *at)
{
    const char *v;
    uint32_t i;
    int rc;

    if (l->n < 2)
        return 0;
    rc = vdl_sort(r->a, t, l);
    if (rc != 0)
        return rc;
    v = l->v;
    for (i = 1; i < l->n; i++)
        if (vdl_key_cmp(t->key, v + (size_t)(i - 1) * t->stride,
                v + (size_t)i * t->stride) == 0)
            return wspr_json_fail_(r, at, V23_ECONVERT, "a key comes twice");
    return 0;
}

/* ---- map[string]any ------------------------------------------------------ */

const struct vdl_type wspr_json_object_desc = {
    .kind = VDL_MAP,
    .flags = VDL_T_ANY,
    .align = _Alignof(struct vdl_list),
    .size = sizeof(struct vdl_list),
    .elem = &vdl_any_desc,
    .key = &vdl_string_desc,
    .stride = sizeof(struct wspr_json_member),
    .val_off = offsetof(struct wspr_json_member, val),
};

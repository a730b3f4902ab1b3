/* BSD-3-Clause; see LICENSE. */
/*
 * Values written as VDL constants, by recursive descent along the implied
 * type. Numbers are read exactly: integers as 64-bit magnitudes, floats by
 * strtod, and checked against the range of their type.
 */
#include <errno.h>
#include <stdlib.h>

#include <vom/value.h>

#include "parse_int.h"

static int parse(struct parser *p, const struct vdl_type *t, void *out);

/* ---- scalars ------------------------------------------------------------- */

struct number {
    bool negative, integral;
    uint64_t magnitude; /* when integral */
    double value;
    struct vdl_str text;
};

static bool is_number_byte(char c, bool hex)
{
    return (c >= '0' && c <= '9') || c == '.' || c == '_' || c == 'x'
        || c == 'X' || c == 'o' || c == 'b' || c == 'e' || c == 'E'
        || (hex && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')
               || c == 'p' || c == 'P'));
}

/* Digits of an integer literal with its prefix: true when it is one. */
static bool read_integer(const char *s, uint64_t *out, bool *overflow)
{
    unsigned base = 10, d;

    *out = 0;
    *overflow = false;
    if (s[0] == '0' && s[1] != 0) {
        base = s[1] == 'x' || s[1] == 'X' ? 16 : s[1] == 'b' ? 2 : 8;
        s += base == 8 && s[1] != 'o' ? 1 : 2;
    }
    if (*s == 0)
        return false;
    for (; *s != 0; s++) {
        d = *s >= '0' && *s <= '9' ? (unsigned)(*s - '0')
            : *s >= 'a' && *s <= 'f' ? (unsigned)(*s - 'a') + 10
            : *s >= 'A' && *s <= 'F' ? (unsigned)(*s - 'A') + 10
                                     : 99;
        if (d >= base)
            return false;
        if (*out > (UINT64_MAX - d) / base)
            *overflow = true;
        *out = *out * base + d;
    }
    return true;
}

static int read_number(struct parser *p, struct number *n)
{
    char digits[128], *end;
    size_t k = 0, start;
    bool hex = false, overflow;

    memset(n, 0, sizeof(*n));
    vdl_parse_peek_(p);
    start = p->at;
    for (;;) {
        char c = vdl_parse_peek_(p);

        if (c != '-' && c != '+')
            break;
        n->negative = n->negative != (c == '-');
        p->at++;
    }
    for (; p->at < p->text.n; p->at++) {
        char c = p->text.p[p->at];
        char before = k == 0 ? 0 : digits[k - 1];
        bool sign = (c == '-' || c == '+')
            && ((!hex && (before == 'e' || before == 'E'))
                || (hex && (before == 'p' || before == 'P')));

        if (!sign && !is_number_byte(c, hex))
            break;
        hex = hex || ((c == 'x' || c == 'X') && k == 1);
        if (k + 1 == sizeof(digits))
            return vdl_parse_fail_(p, "number is too long");
        if (c != '_')
            digits[k++] = c;
    }
    digits[k] = 0;
    n->text = vdl_strn(p->text.p + start, p->at - start);
    if (k == 0)
        return vdl_parse_fail_(p, "expected a number");
    n->integral = read_integer(digits, &n->magnitude, &overflow);
    if (n->integral && !overflow) {
        n->value = (double)n->magnitude;
    } else {
        n->integral = false;
        errno = 0;
        n->value = strtod(digits, &end);
        if (*end != 0)
            return vdl_parse_fail_(p, "malformed number %s", digits);
        if (n->value < 18446744073709551616.0
            && n->value == (double)(uint64_t)n->value) {
            n->integral = true;
            n->magnitude = (uint64_t)n->value;
        }
    }
    if (n->negative)
        n->value = -n->value;
    return 0;
}

/* The number as a 64-bit value of the widest kind of t's group. */
static int store_number(struct parser *p, const struct number *n,
    const struct vdl_type *t, void *out)
{
    uint64_t u = n->magnitude;
    int64_t i = n->negative ? -(int64_t)(u - 1) - 1 : (int64_t)u;
    double d = n->value;
    int rc;

    if (t->kind == VDL_FLOAT32 || t->kind == VDL_FLOAT64) {
        rc = vdl_convert(p->a, t, out, &vdl_float64_desc, &d);
    } else if (!n->integral) {
        return vdl_parse_fail_(p,
            "converting %.*s to %s loses precision", (int)n->text.n,
            n->text.p, vdl_kind_name((enum vdl_kind)t->kind));
    } else if (n->negative && u != 0) {
        rc = u > (uint64_t)INT64_MAX + 1
            ? V23_ECONVERT
            : vdl_convert(p->a, t, out, &vdl_int64_desc, &i);
    } else {
        rc = vdl_convert(p->a, t, out, &vdl_uint64_desc, &u);
    }
    if (rc == V23_ECONVERT || rc == V23_ECOMPAT || rc == V23_EINT)
        return vdl_parse_fail_(p, "const %.*s overflows %s",
            (int)n->text.n, n->text.p,
            vdl_kind_name((enum vdl_kind)t->kind));
    return rc;
}

/* What stands there is of another kind than the type wants. */
static int mismatch(struct parser *p, const struct vdl_type *t)
{
    char c = vdl_parse_peek_(p);
    size_t start = p->at, n;
    struct vdl_str s;

    if (c == '"' || c == '`') {
        if (vdl_parse_string_(p, &s) != 0)
            return V23_ETEXT;
        n = p->at - start;
    } else {
        n = vdl_parse_ident_(p).n;
        n = n == 0 ? 1 : n;
    }
    p->at = start;
    if (start == p->text.n)
        return vdl_parse_fail_(p, "expected a constant");
    return vdl_parse_fail_(p, "can't convert %.*s to %.*s", (int)n,
        p->text.p + start,
        t->name.n != 0 ? (int)t->name.n
                       : (int)strlen(vdl_kind_name((enum vdl_kind)t->kind)),
        t->name.n != 0 ? t->name.p
                       : vdl_kind_name((enum vdl_kind)t->kind));
}

static int parse_bool(struct parser *p, const struct vdl_type *t, void *out)
{
    size_t start = p->at;
    struct vdl_str w = vdl_parse_ident_(p);

    if (vdl_str_is(w, "true") || vdl_str_is(w, "false")) {
        *(bool *)out = w.p[0] == 't';
        return 0;
    }
    p->at = start;
    return mismatch(p, t);
}

static int parse_enum(struct parser *p, const struct vdl_type *t, void *out)
{
    size_t start = p->at;
    struct vdl_str w = vdl_parse_ident_(p);
    int i = vdl_type_label_index(t, w);

    /* Type.Label */
    if (i < 0 && w.n != 0 && vdl_parse_take_(p, '.'))
        i = vdl_type_label_index(t, vdl_parse_ident_(p));
    if (i < 0) {
        p->at = start;
        return mismatch(p, t);
    }
    vdl_set_enum(t, out, (uint32_t)i);
    return 0;
}

static int parse_text(struct parser *p, const struct vdl_type *t, void *out)
{
    struct vdl_str s;
    char c = vdl_parse_peek_(p);
    int rc;

    if (c != '"' && c != '`')
        return mismatch(p, t);
    rc = vdl_parse_string_(p, &s);
    if (rc != 0)
        return rc;
    if (t->kind == VDL_ARRAY) {
        if (s.n != t->count)
            return vdl_parse_fail_(p, "array needs %u bytes",
                (unsigned)t->count);
        if (s.n != 0)
            memcpy(out, s.p, s.n);
        return 0;
    }
    if (t->kind == VDL_LIST)
        *(struct vdl_bytes *)out
            = vdl_bytes((const uint8_t *)(const void *)s.p, s.n);
    else
        *(struct vdl_str *)out = s;
    return 0;
}

/* ---- composites ---------------------------------------------------------- */

/* A growing array of elements in a list that ends up in the arena. */
static int parse_sequence(struct parser *p, const struct vdl_type *t,
    void *out)
{
    const struct vdl_type *elem = t->kind == VDL_SET ? t->key : t->elem;
    struct vdl_list *list = out;
    uint32_t n = 0, cap = 0, size = t->stride;
    uint8_t *v = NULL, *grown;
    int rc = vdl_parse_expect_(p, '{');

    if (t->kind == VDL_ARRAY) {
        size = elem->size;
        cap = t->count;
        v = out;
    }
    for (; rc == 0 && !vdl_parse_take_(p, '}'); n++) {
        if (n == cap && t->kind == VDL_ARRAY)
            return vdl_parse_fail_(p, "index %u out of range", (unsigned)n);
        if (n == cap) {
            cap = cap == 0 ? 4 : 2 * cap;
            grown = v23_arena_get0(p->a, cap, size, 16);
            if (grown == NULL)
                return V23_ENOMEM;
            if (n != 0)
                memcpy(grown, v, (size_t)n * size);
            v = grown;
        }
        if (t->kind == VDL_MAP) {
            rc = parse(p, t->key, v + (size_t)n * size);
            if (rc == 0)
                rc = vdl_parse_expect_(p, ':');
            if (rc == 0)
                rc = parse(p, elem, v + (size_t)n * size + t->val_off);
        } else {
            rc = parse(p, elem, v + (size_t)n * size);
        }
        if (rc == 0 && vdl_parse_peek_(p) != '}')
            rc = vdl_parse_expect_(p, ',');
    }
    if (rc == 0 && t->kind != VDL_ARRAY) {
        list->v = v;
        list->n = n;
    }
    return rc;
}

/* "Name:" when it names a field: its index, else -1 and nothing taken. */
static int field_key(struct parser *p, const struct vdl_type *t)
{
    size_t start = p->at;
    struct vdl_str w = vdl_parse_ident_(p);

    if (w.n != 0 && vdl_parse_take_(p, ':'))
        return vdl_type_field_index(t, w) < 0
            ? -2
            : vdl_type_field_index(t, w);
    p->at = start;
    return -1;
}

static int parse_struct(struct parser *p, const struct vdl_type *t, void *out)
{
    uint32_t n = 0;
    bool keyed = false;
    int rc = vdl_parse_expect_(p, '{'), i;

    for (; rc == 0 && !vdl_parse_take_(p, '}'); n++) {
        vdl_parse_peek_(p);
        i = field_key(p, t);
        if (i == -2)
            return vdl_parse_fail_(p, "unknown field");
        if (n != 0 && keyed != (i >= 0))
            return vdl_parse_fail_(p, "mixed key:value and value");
        keyed = i >= 0;
        if (!keyed)
            i = (int)n;
        if ((uint32_t)i >= t->count)
            return vdl_parse_fail_(p, "too many fields");
        rc = parse(p, t->fields[i].type, (uint8_t *)out + t->fields[i].offset);
        if (rc == 0 && vdl_parse_peek_(p) != '}')
            rc = vdl_parse_expect_(p, ',');
    }
    if (rc == 0 && n != 0 && !keyed && n != t->count)
        return vdl_parse_fail_(p, "too few fields");
    return rc;
}

static int parse_union(struct parser *p, const struct vdl_type *t, void *out)
{
    int rc = vdl_parse_expect_(p, '{'), i;

    if (rc != 0 || vdl_parse_take_(p, '}'))
        return rc;
    vdl_parse_peek_(p);
    i = field_key(p, t);
    if (i < 0)
        return vdl_parse_fail_(p, i == -2 ? "unknown field"
                                          : "must have explicit key and value");
    vdl_set_which(t, out, (uint32_t)i);
    rc = parse(p, t->fields[i].type, (uint8_t *)out + t->fields[i].offset);
    if (rc == 0)
        rc = vdl_parse_expect_(p, '}');
    return rc;
}

static bool take_nil(struct parser *p)
{
    size_t start;

    vdl_parse_peek_(p);
    start = p->at;
    if (vdl_str_is(vdl_parse_ident_(p), "nil"))
        return true;
    p->at = start;
    return false;
}

/* ---- typed forms --------------------------------------------------------- */

/* T(x) or T{…}: parse x as T. *have = false: nothing of the kind is there. */
static int parse_typed(struct parser *p, const struct vdl_type **t,
    void **value, bool *have)
{
    size_t start;
    bool paren;
    int rc;

    vdl_parse_peek_(p);
    start = p->at;
    *have = false;
    rc = vdl_parse_type_(p, t);
    if (rc != 0 || *t == NULL)
        return rc;
    paren = vdl_parse_take_(p, '(');
    if (!paren && vdl_parse_peek_(p) != '{') {
        p->at = start;
        return 0;
    }
    *value = v23_arena_get0(p->a, 1, (*t)->size, (*t)->align);
    if (*value == NULL)
        return V23_ENOMEM;
    *have = true;
    if (paren && (*t)->kind == VDL_TYPEOBJECT) {
        const struct vdl_type *inner;

        rc = vdl_parse_type_(p, &inner);
        if (rc == 0 && inner == NULL)
            rc = vdl_parse_fail_(p, "expected a type");
        if (rc == 0)
            *(const struct vdl_type **)*value
                = inner == &vdl_any_desc ? NULL : inner;
    } else {
        rc = parse(p, *t, *value);
    }
    if (rc == 0 && paren)
        rc = vdl_parse_expect_(p, ')');
    return rc;
}

static int parse_any(struct parser *p, struct vdl_any *out)
{
    const struct vdl_type *t;
    struct vdl_str *s;
    void *value;
    bool have, *b;
    char c;
    int rc;

    out->type = NULL;
    out->val = NULL;
    if (take_nil(p))
        return 0;
    rc = parse_typed(p, &t, &value, &have);
    if (rc != 0)
        return rc;
    if (have) {
        out->type = t;
        out->val = value;
        return 0;
    }
    c = vdl_parse_peek_(p);
    if (c == '"' || c == '`') {
        s = v23_arena_new(p->a, struct vdl_str);
        out->type = &vdl_string_desc;
        out->val = s;
        return s == NULL ? V23_ENOMEM : parse_text(p, out->type, s);
    }
    if (c == 't' || c == 'f') {
        b = v23_arena_new(p->a, bool);
        out->type = &vdl_bool_desc;
        out->val = b;
        return b == NULL ? V23_ENOMEM : parse_bool(p, out->type, b);
    }
    return vdl_parse_fail_(p, "must be assigned a type");
}

static int parse_optional(struct parser *p, const struct vdl_type *t,
    const void **out)
{
    void *value;
    int rc;

    if (take_nil(p)) {
        *out = NULL;
        return 0;
    }
    value = v23_arena_get0(p->a, 1, t->elem->size, t->elem->align);
    if (value == NULL)
        return V23_ENOMEM;
    rc = parse(p, t->elem, value);
    if (rc == 0)
        *out = value;
    return rc;
}

/* A typed constant where a type is implied: it is converted. */
static int parse_converted(struct parser *p, const struct vdl_type *t,
    void *out, bool *have)
{
    const struct vdl_type *own;
    void *value;
    int rc;

    rc = parse_typed(p, &own, &value, have);
    if (rc != 0 || !*have)
        return rc;
    rc = vdl_convert(p->a, t, out, own, value);
    if (rc == V23_ECOMPAT || rc == V23_ECONVERT)
        return vdl_parse_fail_(p, "value is not assignable");
    return rc;
}

static int parse_kind(struct parser *p, const struct vdl_type *t, void *out)
{
    struct number n;
    char c = vdl_parse_peek_(p);
    int rc;

    switch ((enum vdl_kind)t->kind) {
    case VDL_BOOL:
        return parse_bool(p, t, out);
    case VDL_STRING:
        return parse_text(p, t, out);
    case VDL_ENUM:
        return parse_enum(p, t, out);
    case VDL_ARRAY:
    case VDL_LIST:
        if (vdl_type_is_bytes(t) && c != '{')
            return parse_text(p, t, out);
        V23_FALLTHROUGH;
    case VDL_SET:
    case VDL_MAP:
        return c == '{' ? parse_sequence(p, t, out) : mismatch(p, t);
    case VDL_STRUCT:
        return c == '{' ? parse_struct(p, t, out) : mismatch(p, t);
    case VDL_UNION:
        return c == '{' ? parse_union(p, t, out) : mismatch(p, t);
    case VDL_OPTIONAL:
        return parse_optional(p, t, out);
    case VDL_ANY:
        return parse_any(p, out);
    case VDL_TYPEOBJECT:
        return mismatch(p, t); /* only as typeobject(T) */
    default:
        if (!(c >= '0' && c <= '9') && c != '-' && c != '+' && c != '.')
            return mismatch(p, t);
        rc = read_number(p, &n);
        return rc == 0 ? store_number(p, &n, t, out) : rc;
    }
}

static int parse(struct parser *p, const struct vdl_type *t, void *out)
{
    bool have = false;
    int rc = 0;

    if (++p->depth > VDL_PARSE_DEPTH)
        return vdl_parse_fail_(p, "nested too deeply");
    if (t->kind != VDL_ANY && t->kind != VDL_OPTIONAL)
        rc = parse_converted(p, t, out, &have);
    if (rc == 0 && !have)
        rc = parse_kind(p, t, out);
    p->depth--;
    return rc;
}

/* ---- lists of constants -------------------------------------------------- */

/* How many constants there are, without looking into them. */
static size_t count(struct parser *p)
{
    size_t n = 0;
    int nest = 0;
    struct vdl_str skipped;
    char c;

    for (; (c = vdl_parse_peek_(p)) != 0;) {
        if (n == 0)
            n = 1;
        if (c == '"' || c == '`') {
            if (vdl_parse_string_(p, &skipped) != 0)
                return n;
            continue;
        }
        nest += (c == '{' || c == '(' || c == '[')
            - (c == '}' || c == ')' || c == ']');
        n += c == ',' && nest == 0;
        p->at++;
    }
    p->at = 0;
    return n;
}

int vdl_parse_values(struct vdl_str text, const struct vdl_registry *known,
    struct v23_arena *a, const struct vdl_type *const *types, size_t n,
    const void **out, size_t *got, struct vdl_parse_error *err)
{
    struct parser p = { 0 };
    size_t i;
    int rc = 0;

    memset(err, 0, sizeof(*err));
    p.text = text;
    p.a = a;
    p.known = known;
    p.roots = types;
    p.nroots = n;
    p.err = err;
    *got = count(&p);
    p.at = 0;
    if (*got != n)
        return V23_EARG;
    for (i = 0; rc == 0 && i < n; i++) {
        void *v = v23_arena_get0(a, 1, types[i]->size, types[i]->align);

        if (v == NULL) {
            rc = V23_ENOMEM;
            break;
        }
        out[i] = v;
        vdl_parse_peek_(&p);
        err->start = p.at;
        rc = parse(&p, types[i], v);
        if (rc == 0 && i + 1 < n)
            rc = vdl_parse_expect_(&p, ',');
    }
    if (rc == 0 && vdl_parse_peek_(&p) != 0)
        rc = vdl_parse_fail_(&p, "unexpected text behind the constant");
    /* The values may point into the run-time types. */
    if (p.types != NULL) {
        if (rc == 0)
            rc = v23_arena_hold(a, vdl_types_ref(p.types));
        vdl_types_unref(p.types);
    }
    return rc;
}

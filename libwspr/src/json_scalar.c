/* BSD-3-Clause; see LICENSE. */
/* Scalars, bytes and keys from JSON. */
#include "json_read_int.h"

#include <vname/json.h>
#include <vom/parse.h>
#include <vom/value.h>

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

/* From a string, or the text of a number. */
static int read_text(struct wspr_json_reader_ *r, const struct vdl_type *t,
    void *out, struct vdl_str s)
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

int wspr_json_scalar_(struct wspr_json_reader_ *r, const cJSON *j,
    const struct vdl_type *t, void *out)
{
    bool yes = cJSON_IsTrue(j);
    struct vdl_str s;
    int rc;

    if (wspr_json_is_number_(j))
        return read_number(r, t, out, vdl_str(j->valuestring + 1));
    if (cJSON_IsBool(j) && t->kind == VDL_BOOL) {
        memcpy(out, &yes, sizeof(yes));
        return 0;
    }
    if (!cJSON_IsString(j))
        return V23_ECONVERT;
    rc = wspr_json_string_(r->a, j->valuestring, &s);
    return rc == 0 ? read_text(r, t, out, s) : rc;
}

/* A key that is JSON itself, within what its object may use. */
static int read_key(struct wspr_json_reader_ *r, const struct vdl_type *t,
    void *out, struct vdl_str s)
{
    struct wspr_json_options opt = *r->opt;
    int rc;

    opt.bytes = r->a->limit - r->a->used;
    opt.depth /= 2; /* keys in keys end */
    rc = wspr_json_decode(v23_bytes(s.p, s.n), &opt, r->a, t, out, NULL);
    return rc == V23_EEOF || rc == V23_ETEXT ? V23_ECONVERT : rc;
}

static int read_bool_key(void *out, struct vdl_str s)
{
    bool yes = vdl_str_is(s, "true");

    memcpy(out, &yes, sizeof(yes));
    return yes || vdl_str_is(s, "false") ? 0 : V23_ECONVERT;
}

int wspr_json_key_(struct wspr_json_reader_ *r, const struct vdl_type *t,
    void *out, const struct wspr_json_at_ *at)
{
    struct vdl_str s;
    int rc = wspr_json_string_(r->a, at->name, &s);

    if (rc != 0)
        return rc;
    switch (t->kind) {
    case VDL_BOOL:
        rc = read_bool_key(out, s);
        break;
    case VDL_ARRAY:
    case VDL_STRUCT:
    case VDL_UNION:
        rc = read_key(r, t, out, s);
        break;
    default:
        rc = read_text(r, t, out, s);
        break;
    }
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

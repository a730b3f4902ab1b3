/* BSD-3-Clause; see LICENSE. */
/* Values as the JavaScript library shows them. */
#include "wspr_int.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <v23/verror.h>
#include <vom/time.h>
#include <vom/value.h>

static bool equal(struct run_case *c, const cJSON *e, const struct vdl_type *t,
    const void *v);

static const void *at(const void *p, size_t off)
{
    return (const char *)p + off;
}

static bool differs(struct run_case *c, const cJSON *e,
    const struct vdl_type *t, const void *v)
{
    char *want = cJSON_PrintUnformatted(e);
    struct v23_buf got;

    v23_buf_init(&got, NULL, SIZE_MAX);
    if (vdl_format(t, v, true, &got) != 0)
        v23_buf_puts(&got, "a value without text");
    run_fail(c, "%.200s is not %.200s", v23_buf_cstr(&got),
        want == NULL ? "there" : want);
    v23_buf_fini(&got);
    free(want);
    return false;
}

static bool text_is(const char *want, struct vdl_str got)
{
    return vdl_str_eq(vdl_str(want), got);
}

/* As text_is(), of a text that may hold marks for NUL. */
static bool marked_is(const char *want, struct vdl_str got)
{
    size_t i;

    for (i = 0; i < got.n; i++) {
        if (got.p[i] != 0 && *want++ != got.p[i])
            return false;
        if (got.p[i] == 0 && strncmp(want, RUN_NUL, 3) != 0)
            return false;
        want += got.p[i] == 0 ? 3 : 0;
    }
    return *want == 0;
}

/* `$type`: the name, or the text of a type without one. */
static bool type_is(const char *want, const struct vdl_type *t)
{
    struct v23_buf b;
    bool same;

    if (t == NULL) /* in a typeobject */
        return strcmp(want, "any") == 0;
    if (t->name.n > 0 && text_is(want, t->name))
        return true;
    v23_buf_init(&b, NULL, SIZE_MAX);
    same = vdl_type_format(t, SIZE_MAX, &b) == 0 &&
        strcmp(v23_buf_cstr(&b), want) == 0;
    v23_buf_fini(&b);
    return same;
}

static bool bytes_are(const char *want, const void *p, size_t n)
{
    struct v23_bytes b = hex(want);

    return b.n == n && (n == 0 || memcmp(b.p, p, n) == 0);
}

/* The member of a field: its name with a small first letter. */
static const cJSON *member(const cJSON *e, struct vdl_str field)
{
    char name[128];

    if (text_is("CertificateChains", field))
        return cJSON_GetObjectItemCaseSensitive(e, "chains");
    snprintf(name, sizeof(name), "%.*s", (int)field.n, field.p);
    name[0] = (char)tolower((unsigned char)name[0]);
    return cJSON_GetObjectItemCaseSensitive(e, name);
}

static bool fields_equal(struct run_case *c, const cJSON *e,
    const struct vdl_type *t, const void *v)
{
    const struct vdl_field *f;
    const cJSON *m;
    uint32_t i;

    for (i = 0; i < t->count; i++) {
        f = &t->fields[i];
        m = member(e, f->name);
        if (m == NULL && !vdl_is_zero(f->type, at(v, f->offset)))
            return differs(c, e, t, v);
        if (m != NULL && !equal(c, m, f->type, at(v, f->offset)))
            return false;
    }
    return true;
}

/* [{Key, Value}] of a JSValue: {$map: [[key, value]]} or an object. */
static bool pairs_equal(struct run_case *c, const cJSON *e, bool map,
    const struct vdl_type *t, const struct vdl_list *l)
{
    const cJSON *list = map ? cJSON_GetObjectItemCaseSensitive(e, "$map") : e;
    const struct vdl_field *key = &t->elem->fields[0];
    const struct vdl_field *val = &t->elem->fields[1];
    const cJSON *one;
    const char *p;
    uint32_t i = 0;

    if (list == NULL || (uint32_t)cJSON_GetArraySize(list) != l->n)
        return differs(c, e, t, l);
    cJSON_ArrayForEach(one, list) {
        p = at(l->v, (size_t)i++ * t->stride);
        if (map ? !equal(c, cJSON_GetArrayItem(one, 0), key->type,
                      at(p, key->offset))
                : !text_is(one->string,
                      *(const struct vdl_str *)at(p, key->offset)))
            return differs(c, e, t, l);
        if (!equal(c, map ? cJSON_GetArrayItem(one, 1) : one, val->type,
                at(p, val->offset)))
            return false;
    }
    return true;
}

/* A value that had no VDL type in the page. */
static bool js_equal(struct run_case *c, const cJSON *e,
    const struct vdl_type *t, const void *v)
{
    const struct vdl_field *f = &t->fields[vdl_get_which(t, v)];
    const void *p = at(v, f->offset);

    if (text_is("Null", f->name))
        return cJSON_IsNull(e) || differs(c, e, t, v);
    if (text_is("Set", f->name))
        e = cJSON_GetObjectItemCaseSensitive(e, "$set");
    if (text_is("Map", f->name) || text_is("Object", f->name))
        return pairs_equal(c, e, text_is("Map", f->name), f->type, p);
    return e == NULL ? run_fail(c, "no set") : equal(c, e, f->type, p);
}

static bool union_equal(struct run_case *c, const cJSON *e,
    const struct vdl_type *t, const void *v)
{
    const struct vdl_field *f = &t->fields[vdl_get_which(t, v)];
    const cJSON *m = member(e, f->name);

    return m == NULL ? differs(c, e, t, v)
                     : equal(c, m, f->type, at(v, f->offset));
}

static bool list_equal(struct run_case *c, const cJSON *e,
    const struct vdl_type *t, const void *v, uint32_t n)
{
    uint32_t i;

    if (!cJSON_IsArray(e) || (uint32_t)cJSON_GetArraySize(e) != n)
        return differs(c, e, t, v);
    for (i = 0; i < n; i++)
        if (!equal(c, cJSON_GetArrayItem(e, (int)i), t->elem,
                at(v, (size_t)i * t->elem->size)))
            return false;
    return true;
}

/* Entries in any order: each of `e` has one that is equal to it. */
static bool entries_equal(struct run_case *c, const cJSON *e,
    const struct vdl_type *t, const struct vdl_list *l)
{
    const cJSON *list, *one, *key;
    bool map = t->kind == VDL_MAP, hit;
    const char *p;
    uint32_t i;

    list = cJSON_GetObjectItemCaseSensitive(e, map ? "$map" : "$set");
    if (!cJSON_IsArray(list) || (uint32_t)cJSON_GetArraySize(list) != l->n)
        return differs(c, e, t, l);
    cJSON_ArrayForEach(one, list) {
        key = map ? cJSON_GetArrayItem(one, 0) : one;
        hit = false;
        for (i = 0; i < l->n && !hit; i++) {
            p = at(l->v, (size_t)i * t->stride);
            hit = equal(c, key, t->key, p) &&
                (!map || equal(c, cJSON_GetArrayItem(one, 1), t->elem,
                             at(p, t->val_off)));
        }
        if (!hit)
            return differs(c, e, t, l);
        c->why[0] = 0;
    }
    return true;
}

/* An error that came without words is shown with those that the library makes:
 * its id, then its parameters. */
static bool made_words(const cJSON *m, const char *id, struct vdl_str msg)
{
    return msg.n == 0 && cJSON_IsString(m) &&
        strncmp(m->valuestring, id, strlen(id)) == 0;
}

/* {$error: id, msg, action, params} */
static bool error_equal(struct run_case *c, const cJSON *e, const char *id,
    const struct vdl_type *t, const void *v)
{
    static const char *const from[] = { "Id", "RetryCode", "Msg",
        "ParamList" };
    static const char *const to[] = { NULL, "action", "msg", "params" };
    const struct vdl_field *f;
    const cJSON *m;
    size_t i;
    int k;

    for (i = 0; i < 4; i++) {
        k = t->kind == VDL_STRUCT ? vdl_type_field_index(t, vdl_str(from[i]))
                                  : -1;
        if (k < 0)
            return differs(c, e, t, v);
        f = &t->fields[k];
        if (to[i] == NULL) {
            if (!text_is(id, *(const struct vdl_str *)at(v, f->offset)))
                return differs(c, e, t, v);
            continue;
        }
        m = cJSON_GetObjectItemCaseSensitive(e, to[i]);
        if (i == 2 &&
            made_words(m, id, *(const struct vdl_str *)at(v, f->offset)))
            continue;
        if (m != NULL && !equal(c, m, f->type, at(v, f->offset)))
            return false;
    }
    return true;
}

static bool date_is(const char *want, const struct vdl_type *t, const void *v)
{
    struct v23_walltime w, got;
    v23_time_time x;

    if (!text_is("time.Time", t->name) ||
        v23_walltime_parse(want, strlen(want), &w) != 0)
        return false;
    memcpy(&x, v, sizeof(x));
    got = v23_time_to_wall(x);
    return got.sec == w.sec && got.nanos / 1000000 == w.nanos / 1000000;
}

static bool string_equal(struct run_case *c, const cJSON *e,
    const struct vdl_type *t, const void *v)
{
    const char *s = e->valuestring;
    const struct vdl_list *l = v;
    char num[32] = "";
    bool same = false;

    switch ((enum vdl_kind)t->kind) {
    case VDL_STRING:
        same = marked_is(s, *(const struct vdl_str *)v);
        break;
    case VDL_ENUM:
        same = text_is(s, t->labels[vdl_get_enum(t, v)]);
        break;
    case VDL_TYPEOBJECT:
        same = strncmp(s, "type:", 5) == 0 &&
            type_is(s + 5, *(const struct vdl_type *const *)v);
        break;
    case VDL_ARRAY:
        same = strncmp(s, "hex:", 4) == 0 && vdl_type_is_bytes(t) &&
            bytes_are(s + 4, v, t->count);
        break;
    case VDL_LIST:
        same = strncmp(s, "hex:", 4) == 0 && vdl_type_is_bytes(t) &&
            bytes_are(s + 4, l->v, l->n);
        break;
    case VDL_INT64:
        snprintf(num, sizeof(num), "bigint:%" PRId64, vdl_get_int(t, v));
        break;
    case VDL_UINT64:
        snprintf(num, sizeof(num), "bigint:%" PRIu64, vdl_get_uint(t, v));
        break;
    case VDL_STRUCT:
        same = strncmp(s, "date:", 5) == 0 && date_is(s + 5, t, v);
        break;
    default:
        break;
    }
    return same || strcmp(num, s) == 0 || differs(c, e, t, v);
}

static bool number_equal(struct run_case *c, const cJSON *e,
    const struct vdl_type *t, const void *v)
{
    double x = e->valuedouble, got;

    switch ((enum vdl_kind)t->kind) {
    case VDL_BYTE:
    case VDL_UINT16:
    case VDL_UINT32:
    case VDL_UINT64:
        got = (double)vdl_get_uint(t, v);
        break;
    case VDL_INT8:
    case VDL_INT16:
    case VDL_INT32:
    case VDL_INT64:
        got = (double)vdl_get_int(t, v);
        break;
    case VDL_FLOAT32:
    case VDL_FLOAT64:
        got = vdl_get_float(t, v);
        break;
    default:
        return differs(c, e, t, v);
    }
    return (x <= got && x >= got) || differs(c, e, t, v);
}

static bool composite_equal(struct run_case *c, const cJSON *e,
    const struct vdl_type *t, const void *v)
{
    const struct vdl_list *l = v;

    switch ((enum vdl_kind)t->kind) {
    case VDL_STRUCT:
        return cJSON_IsObject(e) ? fields_equal(c, e, t, v)
                                 : differs(c, e, t, v);
    case VDL_UNION:
        return union_equal(c, e, t, v);
    case VDL_ARRAY:
        return list_equal(c, e, t, v, t->count);
    case VDL_LIST:
        return list_equal(c, e, t, l->v, l->n);
    case VDL_SET:
    case VDL_MAP:
        return entries_equal(c, e, t, l);
    default:
        return differs(c, e, t, v);
    }
}

static bool equal(struct run_case *c, const cJSON *e, const struct vdl_type *t,
    const void *v)
{
    const cJSON *type, *val, *err;
    const struct vdl_any *any = v;
    const void *p;
    bool wraps;

    type = cJSON_GetObjectItemCaseSensitive(e, "$type");
    val = cJSON_GetObjectItemCaseSensitive(e, "val");
    wraps = cJSON_IsString(type) && val != NULL;
    if (wraps && strcmp(type->valuestring, "any") == 0)
        return equal(c, val, t, v);
    if (t->kind == VDL_ANY) {
        if (any->type == NULL)
            return cJSON_IsNull(e) || differs(c, e, t, v);
        return equal(c, e, any->type, any->val);
    }
    if (t->kind == VDL_OPTIONAL) {
        if (wraps && type_is(type->valuestring, t))
            return equal(c, val, t, v);
        memcpy(&p, v, sizeof(p));
        if (p == NULL)
            return cJSON_IsNull(e) || differs(c, e, t, v);
        return equal(c, e, t->elem, p);
    }
    err = cJSON_GetObjectItemCaseSensitive(e, "$error");
    if (cJSON_IsString(err))
        return error_equal(c, e, err->valuestring, t, v);
    if (cJSON_IsString(type) && !type_is(type->valuestring, t))
        return differs(c, e, t, v);
    if (wraps)
        return equal(c, val, t, v);
    if (text_is("JSValue", t->name))
        return js_equal(c, e, t, v);
    if (cJSON_IsNull(e)) /* blessings, or what JSON has no number for */
        return vdl_is_zero(t, v) ||
            ((t->kind == VDL_FLOAT32 || t->kind == VDL_FLOAT64) &&
                !isfinite(vdl_get_float(t, v))) ||
            differs(c, e, t, v);
    if (cJSON_IsString(e))
        return string_equal(c, e, t, v);
    if (cJSON_IsNumber(e))
        return number_equal(c, e, t, v);
    if (cJSON_IsBool(e) && t->kind == VDL_BOOL)
        return *(const bool *)v == (bool)cJSON_IsTrue(e) ||
            differs(c, e, t, v);
    return composite_equal(c, e, t, v);
}

bool wspr_value_is(struct run_case *c, const cJSON *want,
    const struct vdl_type *t, const void *v)
{
    return equal(c, want, t, v);
}

bool wspr_has_order(const struct vdl_type *t, const void *v)
{
    const struct vdl_any *any = v;
    const struct vdl_list *l = v;
    const void *p = v;
    uint32_t i;

    switch ((enum vdl_kind)t->kind) {
    case VDL_ANY:
        return any->type != NULL && wspr_has_order(any->type, any->val);
    case VDL_OPTIONAL:
        memcpy(&p, v, sizeof(p));
        return p != NULL && wspr_has_order(t->elem, p);
    case VDL_SET:
    case VDL_MAP:
        return l->n > 1;
    case VDL_LIST:
        for (i = 0; i < l->n; i++)
            if (wspr_has_order(t->elem, at(l->v, (size_t)i * t->stride)))
                return true;
        return false;
    case VDL_STRUCT:
        for (i = 0; i < t->count; i++)
            if (wspr_has_order(t->fields[i].type,
                    at(v, t->fields[i].offset)))
                return true;
        return false;
    case VDL_UNION:
        i = vdl_get_which(t, v);
        return wspr_has_order(t->fields[i].type, at(v, t->fields[i].offset));
    default:
        return false;
    }
}

/* BSD-3-Clause; see LICENSE. */
/* rpc_values.jsonl, and comparing decoded values with their JSON form. */
#include "rpc_int.h"

#include <stdio.h>
#include <stdlib.h>

#include <vom/value.h>

static bool equal(struct run_case *c, const struct vdl_type *t, const void *v,
    const cJSON *j);

static bool differs(struct run_case *c, const struct vdl_type *t,
    const cJSON *j)
{
    char *text = cJSON_PrintUnformatted(j);

    run_fail(c, "%.*s (%s) is not %.200s", (int)t->name.n,
        t->name.n == 0 ? "" : t->name.p, vdl_kind_name(t->kind),
        text == NULL ? "there" : text);
    free(text);
    return false;
}

/* Short type text: names are not expanded. */
static void put_type(struct v23_buf *b, const struct vdl_type *t)
{
    if (t->name.n > 0) {
        v23_buf_put_str(b, t->name);
        return;
    }
    switch (t->kind) {
    case VDL_OPTIONAL:
        v23_buf_puts(b, "?");
        put_type(b, t->elem);
        break;
    case VDL_LIST:
        v23_buf_puts(b, "[]");
        put_type(b, t->elem);
        break;
    case VDL_SET:
        v23_buf_puts(b, "set[");
        put_type(b, t->key);
        v23_buf_puts(b, "]");
        break;
    case VDL_MAP:
        v23_buf_puts(b, "map[");
        put_type(b, t->key);
        v23_buf_puts(b, "]");
        put_type(b, t->elem);
        break;
    default:
        v23_buf_puts(b, vdl_kind_name(t->kind));
        break;
    }
}

static bool type_is(const struct vdl_type *t, const char *text)
{
    struct v23_buf b;
    bool ok;

    v23_buf_init(&b, NULL, SIZE_MAX);
    put_type(&b, t == NULL ? &vdl_any_desc : t);
    ok = strcmp(v23_buf_cstr(&b), text) == 0;
    v23_buf_fini(&b);
    return ok;
}

static bool equal_bytes(struct run_case *c, const struct vdl_type *t,
    const void *v, const cJSON *j)
{
    const struct vdl_list *l = v;
    const void *p = t->kind == VDL_ARRAY ? v : l->v;
    size_t n = t->kind == VDL_ARRAY ? t->count : l->n;
    struct v23_bytes want;

    if (!cJSON_HasObjectItem(j, "bytes"))
        return differs(c, t, j);
    want = hex(run_rpc_text(j, "bytes"));
    if (want.n != n || (n > 0 && memcmp(p, want.p, n) != 0))
        return differs(c, t, j);
    return true;
}

static bool equal_items(struct run_case *c, const struct vdl_type *t,
    const uint8_t *p, size_t n, size_t stride, const cJSON *j)
{
    const struct vdl_type *elem = t->kind == VDL_SET ? t->key : t->elem;
    size_t i;

    if (!cJSON_IsArray(j) || (size_t)cJSON_GetArraySize(j) != n)
        return differs(c, t, j);
    for (i = 0; i < n; i++)
        if (!equal(c, elem, p + i * stride, cJSON_GetArrayItem(j, (int)i)))
            return false;
    return true;
}

static bool equal_map(struct run_case *c, const struct vdl_type *t,
    const struct vdl_list *l, const cJSON *j)
{
    const uint8_t *p = l->v;
    const cJSON *pair;
    uint32_t i;

    if (!cJSON_IsArray(j) || (uint32_t)cJSON_GetArraySize(j) != l->n)
        return differs(c, t, j);
    for (i = 0; i < l->n; i++, p += t->stride) {
        pair = cJSON_GetArrayItem(j, (int)i);
        if (!equal(c, t->key, p, cJSON_GetArrayItem(pair, 0))
            || !equal(c, t->elem, p + t->val_off,
                cJSON_GetArrayItem(pair, 1)))
            return false;
    }
    return true;
}

static bool equal_struct(struct run_case *c, const struct vdl_type *t,
    const uint8_t *v, const cJSON *j)
{
    char name[128];
    const cJSON *f;
    uint32_t i;
    int seen = 0;

    if (!cJSON_IsObject(j))
        return differs(c, t, j);
    for (i = 0; i < t->count; i++) {
        snprintf(name, sizeof(name), "%.*s", (int)t->fields[i].name.n,
            t->fields[i].name.p);
        f = cJSON_GetObjectItemCaseSensitive(j, name);
        if (f != NULL) {
            seen++;
            if (!equal(c, t->fields[i].type, v + t->fields[i].offset, f))
                return false;
        } else if (!vdl_is_zero(t->fields[i].type, v + t->fields[i].offset)) {
            return run_fail(c, "field %s is not zero", name);
        }
    }
    return seen == cJSON_GetArraySize(j) || differs(c, t, j);
}

static bool equal_union(struct run_case *c, const struct vdl_type *t,
    const uint8_t *v, const cJSON *j)
{
    const struct vdl_field *f = &t->fields[vdl_get_which(t, v)];

    if (!cJSON_IsObject(j) || cJSON_GetArraySize(j) != 1
        || !vdl_str_is(f->name, j->child->string))
        return differs(c, t, j);
    return equal(c, f->type, v + f->offset, j->child);
}

static bool equal_any(struct run_case *c, struct vdl_any a, const cJSON *j)
{
    if (a.type == NULL || cJSON_IsNull(j))
        return (a.type == NULL && cJSON_IsNull(j))
            || differs(c, &vdl_any_desc, j);
    if (!type_is(a.type, run_rpc_text(j, "anyType")))
        return differs(c, a.type, j);
    return equal(c, a.type, a.val,
        cJSON_GetObjectItemCaseSensitive(j, "value"));
}

static bool equal_optional(struct run_case *c, const struct vdl_type *t,
    const void *p, const cJSON *j)
{
    if (p == NULL || cJSON_IsNull(j))
        return (p == NULL && cJSON_IsNull(j)) || differs(c, t, j);
    return equal(c, t->elem, p, j);
}

static bool equal_scalar(const struct vdl_type *t, const void *v,
    const cJSON *j)
{
    const struct vdl_str *s = v;

    switch (t->kind) {
    case VDL_BOOL:
        return cJSON_IsBool(j) && cJSON_IsTrue(j) == *(const bool *)v;
    case VDL_STRING:
        return cJSON_IsString(j) && vdl_str_is(*s, j->valuestring);
    case VDL_ENUM:
        return cJSON_IsString(j)
            && vdl_str_is(t->labels[vdl_get_enum(t, v)], j->valuestring);
    case VDL_TYPEOBJECT:
        return cJSON_IsString(j)
            && type_is(*(const struct vdl_type *const *)v, j->valuestring);
    case VDL_FLOAT32:
    case VDL_FLOAT64:
        return cJSON_IsNumber(j) && !(vdl_get_float(t, v) < j->valuedouble)
            && !(vdl_get_float(t, v) > j->valuedouble);
    case VDL_INT8:
    case VDL_INT16:
    case VDL_INT32:
    case VDL_INT64:
        return (cJSON_IsNumber(j)
                   && vdl_get_int(t, v) == (int64_t)j->valuedouble)
            || (cJSON_IsString(j)
                && vdl_get_int(t, v) == strtoll(j->valuestring, NULL, 10));
    default:
        return (cJSON_IsNumber(j) || cJSON_IsString(j))
            && vdl_get_uint(t, v) == run_rpc_u64_of(j);
    }
}

static bool equal(struct run_case *c, const struct vdl_type *t, const void *v,
    const cJSON *j)
{
    const struct vdl_list *l = v;
    const void *const *p = v;

    if (vdl_type_is_bytes(t))
        return equal_bytes(c, t, v, j);
    switch (t->kind) {
    case VDL_ANY:
        return equal_any(c, *(const struct vdl_any *)v, j);
    case VDL_OPTIONAL:
        return equal_optional(c, t, *p, j);
    case VDL_ARRAY:
        return equal_items(c, t, v, t->count, t->elem->size, j);
    case VDL_LIST:
    case VDL_SET:
        return equal_items(c, t, l->v, l->n, t->stride, j);
    case VDL_MAP:
        return equal_map(c, t, l, j);
    case VDL_STRUCT:
        return equal_struct(c, t, v, j);
    case VDL_UNION:
        return equal_union(c, t, v, j);
    default:
        return equal_scalar(t, v, j) || differs(c, t, j);
    }
}

bool run_rpc_value(struct run_case *c, struct vdl_any v, const cJSON *record)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(record, "value");
    const char *type = run_rpc_text(record, "type");

    if (v.type == NULL)
        return cJSON_IsNull(value) || differs(c, &vdl_any_desc, value);
    if (!type_is(v.type, type))
        return run_fail(c, "type %.*s is not %s", (int)v.type->name.n,
            v.type->name.p, type);
    return equal(c, v.type, v.val, value);
}

bool run_rpc_stream(struct run_case *c, struct vom_typedec *types, bool split,
    struct v23_bytes s, const cJSON *values)
{
    const cJSON *want;
    struct v23_arena a;
    struct vom_dec d;
    struct vom_msg msg;
    struct vdl_any v;
    size_t used;
    bool ok = true;
    int rc = 0;

    v23_arena_init(&a, NULL, SIZE_MAX);
    vom_dec_init(&d, NULL, types, split);
    cJSON_ArrayForEach(want, values)
    {
        rc = vom_dec_next(&d, s.p, s.n, &used, &msg);
        s.p += used;
        s.n -= used;
        if (rc == 0)
            rc = vom_dec_value(&d, &msg, &a, NULL, &v);
        if (rc != 0)
            ok = run_fail(c, "value does not decode: %s", v23_strerror(rc));
        else
            ok = run_rpc_value(c, v, want);
        if (!ok)
            break;
    }
    if (ok && s.n > 0)
        ok = run_fail(c, "%zu bytes after the last value", s.n);
    vom_dec_fini(&d);
    v23_arena_fini(&a);
    return ok;
}

bool run_rpc_values(struct run_case *c)
{
    cJSON *json = run_rpc_json(c->line);
    struct vom_typedec *types = NULL;
    struct v23_bytes b;
    struct v23_arena a;
    size_t used = 0;
    bool ok = true;

    v23_arena_init(&a, NULL, SIZE_MAX);
    if (vom_typedec_new(NULL, NULL, &types) != 0)
        abort();
    b = run_rpc_bytes(&a, json, "typeStream");
    if (vom_typedec_input(types, b.p, b.n, &used) != 0 || used != b.n)
        ok = run_fail(c, "type stream does not decode");
    if (ok)
        ok = run_rpc_stream(c, types, true,
            run_rpc_bytes(&a, json, "valueStream"),
            cJSON_GetObjectItemCaseSensitive(json, "values"));
    vom_typedec_unref(types);
    v23_arena_fini(&a);
    cJSON_Delete(json);
    return ok;
}

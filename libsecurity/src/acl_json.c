/* BSD-3-Clause; see LICENSE. */
/*
 * Permissions as JSON and in files (hosts; spec 11.4). cJSON parses; what it
 * tolerates beyond JSON inside texts (control characters, and \u0000, which
 * would cut a name short) is refused here first: a name must not turn into
 * another one.
 */
#include <vsec/acl.h>

#include <stdio.h>

#include <cjson/cJSON.h>

#include "check_int.h"

enum { MAX_JSON = 1 << 20 };

/* ---- reading ------------------------------------------------------------- */

static bool is_member(const cJSON *m, const char *name)
{
    return vdl_str_eq_nocase(vdl_str(m->string), vdl_str(name));
}

/* No control characters but blanks between tokens, no escaped NUL. */
static bool clean(const char *p, const char *end)
{
    bool in_text = false;

    for (; p < end; p++) {
        unsigned char c = (unsigned char)*p;

        if (c < 0x20 && (in_text || (c != '\t' && c != '\n' && c != '\r')))
            return false;
        if (c == '"')
            in_text = !in_text;
        if (!in_text || c != '\\')
            continue;
        if (end - p >= 6 && memcmp(p, "\\u0000", 6) == 0)
            return false;
        p++;
    }
    return true;
}

/* A copy; as in the reference implementation each octet that is not UTF-8
 * becomes U+FFFD, so that what is read can be written and read again. */
static int read_text(const char *s, struct v23_arena *a, struct vdl_str *out)
{
    static const char unknown[] = "\xef\xbf\xbd";
    size_t left = strlen(s), n, len = 0;
    char *p = v23_arena_get(a, 3 * left + 1, 1);

    if (p == NULL)
        return V23_ENOMEM;
    for (; left > 0; s += n, left -= n) {
        n = v23_utf8_next(s, left, NULL);
        memcpy(p + len, n == 0 ? unknown : s, n == 0 ? 3 : n);
        len += n == 0 ? 3 : n;
        n += n == 0;
    }
    *out = vdl_strn(p, len);
    return 0;
}

static int read_str(const cJSON *v, struct v23_arena *a, struct vdl_str *out)
{
    if (cJSON_IsNull(v)) {
        *out = vdl_str("");
        return 0;
    }
    if (!cJSON_IsString(v))
        return V23_ETEXT;
    return read_text(v->valuestring, a, out);
}

static int read_list(const cJSON *v, struct v23_arena *a,
    const struct vdl_str **out, uint32_t *count)
{
    const cJSON *item;
    struct vdl_str *list;
    uint32_t n = 0;
    int rc;

    *out = NULL;
    *count = 0;
    if (cJSON_IsNull(v))
        return 0;
    if (!cJSON_IsArray(v))
        return V23_ETEXT;
    for (item = v->child; item != NULL; item = item->next)
        n++;
    list = v23_arena_get0(a, n, sizeof(*list), V23_ALIGNOF(struct vdl_str));
    if (list == NULL)
        return V23_ENOMEM;
    n = 0;
    for (item = v->child; item != NULL; item = item->next) {
        rc = read_str(item, a, &list[n++]);
        if (rc != 0)
            return rc;
    }
    *out = list;
    *count = n;
    return 0;
}

static int read_acl(const cJSON *v, struct v23_arena *a,
    v23_access_access_list *out)
{
    const cJSON *m;
    int rc = 0;

    memset(out, 0, sizeof(*out));
    if (cJSON_IsNull(v))
        return 0;
    if (!cJSON_IsObject(v))
        return V23_ETEXT;
    for (m = v->child; rc == 0 && m != NULL; m = m->next) {
        if (is_member(m, "In"))
            rc = read_list(m, a, &out->in.v, &out->in.n);
        else if (is_member(m, "NotIn"))
            rc = read_list(m, a, &out->not_in.v, &out->not_in.n);
    }
    return rc;
}

/* The entry of a tag: the one it had before, or the next free one. */
static v23_access_permissions_entry *entry(v23_access_permissions_entry *v,
    uint32_t *n, struct vdl_str tag)
{
    uint32_t i;

    for (i = 0; i < *n; i++)
        if (vdl_str_eq(v[i].key, tag))
            return &v[i];
    return &v[(*n)++];
}

static int read_perms(const cJSON *v, struct v23_arena *a,
    v23_access_permissions *out)
{
    v23_access_permissions_entry *list, *e;
    const cJSON *m;
    uint32_t n = 0;
    struct vdl_str tag;
    int rc;

    out->v = NULL;
    out->n = 0;
    if (cJSON_IsNull(v))
        return 0;
    if (!cJSON_IsObject(v))
        return V23_ETEXT;
    for (m = v->child; m != NULL; m = m->next)
        n++;
    list = v23_arena_get0(a, n, sizeof(*list),
        V23_ALIGNOF(v23_access_permissions_entry));
    if (list == NULL)
        return V23_ENOMEM;
    n = 0;
    for (m = v->child; m != NULL; m = m->next) {
        rc = read_text(m->string, a, &tag);
        if (rc != 0)
            return rc;
        e = entry(list, &n, tag);
        e->key = tag;
        rc = read_acl(m, a, &e->val);
        if (rc != 0)
            return rc;
    }
    out->v = list;
    out->n = n;
    return 0;
}

/* The first JSON value of a text. */
static int first_value(struct v23_bytes json, cJSON **out)
{
    const char *text = (const char *)json.p, *end = NULL;
    cJSON *v;

    if (json.n > MAX_JSON)
        return V23_ELIMIT;
    if (json.n == 0 || json.p[0] == 0xef)
        return V23_ETEXT;
    v = cJSON_ParseWithLengthOpts(text, json.n, &end, false);
    if (v == NULL || !clean(text, end)) {
        cJSON_Delete(v);
        return V23_ETEXT;
    }
    *out = v;
    return 0;
}

int vsec_perms_from_json(struct v23_bytes json, struct v23_arena *a,
    v23_access_permissions *out, bool *is_nil)
{
    cJSON *v = NULL;
    int rc = first_value(json, &v);

    if (rc == 0)
        rc = read_perms(v, a, out);
    if (rc == 0 && is_nil != NULL)
        *is_nil = cJSON_IsNull(v);
    cJSON_Delete(v);
    return rc;
}

int vsec_acl_from_json(struct v23_bytes json, struct v23_arena *a,
    v23_access_access_list *out)
{
    cJSON *v = NULL;
    int rc = first_value(json, &v);

    if (rc == 0)
        rc = read_acl(v, a, out);
    cJSON_Delete(v);
    return rc;
}

bool vsec_json_valid(struct v23_bytes json)
{
    const char *text = (const char *)json.p, *end = NULL;
    cJSON *v;

    if (json.n == 0 || json.n > MAX_JSON || json.p[0] == 0xef)
        return false;
    v = cJSON_ParseWithLengthOpts(text, json.n, &end, false);
    if (v == NULL || !clean(text, end))
        end = NULL;
    cJSON_Delete(v);
    while (end != NULL && end < text + json.n)
        if (strchr(" \t\r\n", *end) != NULL && *end != 0)
            end++;
        else
            end = NULL;
    return end != NULL;
}

/* ---- writing ------------------------------------------------------------- */

void vsec_json_put_text(struct v23_buf *out, struct vdl_str s)
{
    uint32_t i = 0, cp;
    size_t n;
    unsigned char c;

    v23_buf_put_byte(out, '"');
    for (; i < s.n; i += (uint32_t)n) {
        c = (unsigned char)s.p[i];
        n = v23_utf8_next(s.p + i, s.n - i, &cp);
        if (n == 0) {
            n = 1;
            v23_buf_puts(out, "\\ufffd");
        } else if (c == '"' || c == '\\') {
            v23_buf_put_byte(out, '\\');
            v23_buf_put_byte(out, c);
        } else if (c == '\n') {
            v23_buf_puts(out, "\\n");
        } else if (c == '\r') {
            v23_buf_puts(out, "\\r");
        } else if (c == '\t') {
            v23_buf_puts(out, "\\t");
        } else if (c < 0x20 || c == '<' || c == '>' || c == '&'
            || cp == 0x2028 || cp == 0x2029) {
            v23_buf_printf(out, "\\u%04x", (unsigned)cp);
        } else {
            v23_buf_put(out, s.p + i, n);
        }
    }
    v23_buf_put_byte(out, '"');
}

static void put_list(struct v23_buf *out, const struct vdl_str *v, uint32_t n)
{
    uint32_t i;

    if (n == 0) {
        v23_buf_puts(out, "null");
        return;
    }
    for (i = 0; i < n; i++) {
        v23_buf_put_byte(out, i == 0 ? '[' : ',');
        vsec_json_put_text(out, v[i]);
    }
    v23_buf_put_byte(out, ']');
}

int vsec_perms_to_json(const v23_access_permissions *p, struct v23_buf *out)
{
    v23_access_permissions norm;
    struct v23_arena a;
    uint32_t i;
    int rc;

    if (p == NULL) {
        v23_buf_puts(out, "null\n");
        return out->err;
    }
    v23_arena_init(&a, out->al, SIZE_MAX);
    rc = vsec_perms_normalize(p, &a, &norm);
    if (rc == 0) {
        v23_buf_put_byte(out, '{');
        for (i = 0; i < norm.n; i++) {
            if (i > 0)
                v23_buf_put_byte(out, ',');
            vsec_json_put_text(out, norm.v[i].key);
            v23_buf_puts(out, ":{\"In\":");
            put_list(out, norm.v[i].val.in.v, norm.v[i].val.in.n);
            v23_buf_puts(out, ",\"NotIn\":");
            put_list(out, norm.v[i].val.not_in.v, norm.v[i].val.not_in.n);
            v23_buf_put_byte(out, '}');
        }
        v23_buf_puts(out, "}\n");
        rc = out->err;
    }
    v23_arena_fini(&a);
    return rc;
}

/* ---- permissions in a file ----------------------------------------------- */

static int read_file(const char *path, struct v23_buf *b)
{
    uint8_t part[4096];
    FILE *f = fopen(path, "rb");
    size_t n;
    int rc;

    if (f == NULL)
        return V23_ESYS;
    do {
        n = fread(part, 1, sizeof(part), f);
        v23_buf_put(b, part, n);
    } while (n > 0 && b->err == 0);
    rc = ferror(f) ? V23_ESYS : b->err;
    fclose(f);
    return rc;
}

int vsec_perms_from_file(const char *path, struct v23_arena *a,
    v23_access_permissions *out)
{
    struct v23_buf b;
    int rc;

    v23_buf_init(&b, a->al, MAX_JSON);
    rc = read_file(path, &b);
    if (rc == 0)
        rc = vsec_perms_from_json(v23_bytes(b.p, b.n), a, out, NULL);
    v23_buf_fini(&b);
    return rc;
}

static int allow_by_file(void *ud, const struct vsec_call *call,
    struct v23_arena *a, const struct vsec_auth_wait *wait,
    const struct v23_verror **err)
{
    const struct vsec_auth_perms_file *f = ud;
    v23_access_permissions perms;
    struct vsec_auth_perms p;
    struct vsec_authorizer auth;
    int rc = vsec_perms_from_file(f->path, a, &perms);

    if (rc != 0) {
        v23_logf(f->log, V23_LOG_ERROR, "permissions file %s: %s", f->path,
            v23_strerror(rc));
        *err = v23_verror_text(a, NULL, vdl_str("v.io/v23/verror.Internal"),
            V23_NO_RETRY, "failed to read Permissions from file");
        return V23_EDENIED;
    }
    p.perms = &perms;
    p.tag = f->tag;
    auth = vsec_auth_perms(&p);
    return auth.authorize(auth.ud, call, a, wait, err);
}

struct vsec_authorizer vsec_auth_perms_file(
    const struct vsec_auth_perms_file *f)
{
    struct vsec_authorizer auth;

    auth.authorize = allow_by_file;
    auth.cancel = NULL;
    auth.ud = (void *)(uintptr_t)f;
    return auth;
}

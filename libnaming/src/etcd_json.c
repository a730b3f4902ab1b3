/* BSD-3-Clause; see LICENSE. */
/*
 * The JSON of etcd's gateway, and the text that says where a table is kept.
 * 64-bit numbers are texts there, bytes are base64.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include <vsec/acl.h>

#include "etcd_int.h"

/* ---- writing ------------------------------------------------------------- */

void vname_etcd_put64_(struct v23_buf *b, struct v23_bytes v)
{
    v23_buf_puts(b, "\"");
    v23_base64_put(b, v.p, v.n, false);
    v23_buf_puts(b, "\"");
}

void vname_etcd_put_text_(struct v23_buf *b, const char *s)
{
    vsec_json_put_text(b, vdl_str(s));
}

/* ---- reading ------------------------------------------------------------- */

/* The member, or NULL: missing or null. */
static const cJSON *get(const cJSON *o, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

    return cJSON_IsNull(v) ? NULL : v;
}

int vname_etcd_int_(const cJSON *o, const char *key, int64_t *out)
{
    const cJSON *v = get(o, key);
    const char *p;
    uint64_t n = 0;

    *out = 0;
    if (v == NULL)
        return 0;
    if (cJSON_IsNumber(v)) {
        if (!(v->valuedouble >= 0 && v->valuedouble <= INT32_MAX)
            || v->valuedouble != (double)(int32_t)v->valuedouble)
            return V23_ETEXT;
        *out = (int32_t)v->valuedouble;
        return 0;
    }
    if (!cJSON_IsString(v) || v->valuestring[0] == 0)
        return V23_ETEXT;
    for (p = v->valuestring; *p != 0; p++) {
        if (*p < '0' || *p > '9' || n > (UINT64_MAX - 9) / 10)
            return V23_ETEXT;
        n = n * 10 + (uint64_t)(*p - '0');
    }
    /* Ids are unsigned: only their equality counts. */
    memcpy(out, &n, sizeof(n));
    return 0;
}

int vname_etcd_bool_(const cJSON *o, const char *key, bool *out)
{
    const cJSON *v = get(o, key);

    *out = cJSON_IsTrue(v);
    return v == NULL || cJSON_IsBool(v) ? 0 : V23_ETEXT;
}

int vname_etcd_object_(const cJSON *o, const char *key, const cJSON **out)
{
    *out = get(o, key);
    return *out == NULL || cJSON_IsObject(*out) ? 0 : V23_ETEXT;
}

int vname_etcd_array_(const cJSON *o, const char *key, const cJSON **out)
{
    *out = get(o, key);
    return *out == NULL || cJSON_IsArray(*out) ? 0 : V23_ETEXT;
}

int vname_etcd_bytes_(const cJSON *o, const char *key, struct v23_buf *out)
{
    const cJSON *v = get(o, key);

    if (v == NULL)
        return 0;
    if (!cJSON_IsString(v))
        return V23_ETEXT;
    return v23_base64_parse(v->valuestring, strlen(v->valuestring), false,
        out);
}

int vname_etcd_header_(const cJSON *o, struct vname_etcd_header *out)
{
    const cJSON *h;
    int rc = vname_etcd_object_(o, "header", &h);

    memset(out, 0, sizeof(*out));
    if (rc == 0)
        rc = vname_etcd_int_(h, "cluster_id", &out->cluster);
    if (rc == 0)
        rc = vname_etcd_int_(h, "revision", &out->revision);
    return rc == 0 && out->revision < 0 ? V23_ETEXT : rc;
}

int vname_etcd_kv_(const cJSON *o, struct v23_buf *scratch,
    struct vname_etcd_kv *out)
{
    size_t key;
    int rc;

    memset(out, 0, sizeof(*out));
    v23_buf_cut(scratch, 0);
    if (!cJSON_IsObject(o))
        return V23_ETEXT;
    rc = vname_etcd_bytes_(o, "key", scratch);
    key = scratch->n;
    if (rc == 0)
        rc = vname_etcd_bytes_(o, "value", scratch);
    if (rc == 0)
        rc = vname_etcd_int_(o, "mod_revision", &out->revision);
    if (rc == 0 && (key == 0 || out->revision <= 0))
        rc = V23_ETEXT;
    if (rc == 0)
        rc = scratch->err;
    out->key = v23_bytes(scratch->p, key);
    out->value = v23_bytes(scratch->p == NULL ? NULL : scratch->p + key,
        scratch->n - key);
    return rc;
}

static void copy_text(char *to, size_t size, const char *from)
{
    size_t i;

    for (i = 0; i + 1 < size && from[i] != 0; i++)
        to[i] = (unsigned char)from[i] < 0x20 ? ' ' : from[i];
    to[i] = 0;
}

void vname_etcd_fault_(int status, struct v23_bytes body,
    struct vname_etcd_fault *out)
{
    cJSON *doc = cJSON_ParseWithLength((const char *)body.p, body.n);
    const cJSON *e = get(doc, "error"), *text = get(doc, "message");
    const cJSON *of = cJSON_IsObject(e) ? e : doc;

    memset(out, 0, sizeof(*out));
    if (cJSON_IsObject(e))
        text = get(e, "message");
    else if (text == NULL)
        text = e;
    if (vname_etcd_int_(of, "code", &out->code) != 0 || out->code == 0)
        (void)!vname_etcd_int_(of, "grpc_code", &out->code);
    if (cJSON_IsString(text))
        copy_text(out->text, sizeof(out->text), text->valuestring);
    else
        snprintf(out->text, sizeof(out->text), "HTTP status %d", status);
    cJSON_Delete(doc);
}

/* ---- where a table is kept ----------------------------------------------- */

static int fault(struct v23_buf *why, const char *what, const char *p,
    size_t n)
{
    v23_buf_printf(why, "%s: \"%.*s\"", what, (int)(n > 200 ? 200 : n), p);
    return V23_ETEXT;
}

static bool copy(char *to, const char *p, size_t n)
{
    size_t i;

    if (n == 0 || n > VNAME_ETCD_MAX_TEXT)
        return false;
    for (i = 0; i < n; i++)
        if ((unsigned char)p[i] <= ' ' || p[i] == 0x7f)
            return false;
    memcpy(to, p, n);
    to[n] = 0;
    return true;
}

/* host:port, with brackets around an address of IPv6 */
static int endpoint(const char *p, size_t n, struct vname_etcd_place *out,
    struct v23_buf *why)
{
    size_t host, at, i;
    unsigned port = 0;

    if (out->nendpoints == VNAME_ETCD_MAX_ENDPOINTS)
        return fault(why, "too many end points", p, n);
    for (at = n; at > 0 && p[at - 1] != ':'; at--)
        continue;
    if (at == 0 || at == n || n - at > 5)
        return fault(why, "an end point is host:port", p, n);
    for (i = at; i < n; i++) {
        if (!isdigit((unsigned char)p[i]))
            return fault(why, "an end point is host:port", p, n);
        port = port * 10 + (unsigned)(p[i] - '0');
    }
    host = at - 1;
    if (host >= 2 && p[0] == '[' && p[host - 1] == ']')
        p++, host -= 2;
    else if (memchr(p, ':', host) != NULL)
        return fault(why, "an address of IPv6 stands in brackets", p, n);
    if (port == 0 || port > UINT16_MAX
        || !copy(out->endpoints[out->nendpoints].host, p, host))
        return fault(why, "an end point is host:port", p, n);
    out->endpoints[out->nendpoints++].port = (uint16_t)port;
    return 0;
}

static int user(const char *p, size_t n, struct vname_etcd_place *out,
    struct v23_buf *why)
{
    if (memchr(p, ':', n) != NULL) {
        /* What it is, is not repeated. */
        v23_buf_puts(why, "a password does not belong into the command line, "
                          "which others can read");
        return V23_ETEXT;
    }
    if (!copy(out->user, p, n))
        return fault(why, "this is no user's name", p, n);
    return 0;
}

int vname_etcd_parse(const char *text, struct vname_etcd_place *out,
    struct v23_buf *why)
{
    const char *p = text, *slash, *at, *end;
    size_t n;
    int rc;

    memset(out, 0, sizeof(*out));
    n = strlen(VNAME_ETCD_SCHEME);
    if (strncmp(p, VNAME_ETCD_SCHEME, n) != 0) {
        v23_buf_puts(why, "it does not begin with " VNAME_ETCD_SCHEME);
        return V23_ETEXT;
    }
    p += n;
    slash = strchr(p, '/');
    if (slash == NULL)
        slash = p + strlen(p);
    at = memchr(p, '@', (size_t)(slash - p));
    if (at != NULL) {
        rc = user(p, (size_t)(at - p), out, why);
        if (rc != 0)
            return rc;
        p = at + 1;
    }
    for (;; p = end + 1) {
        end = memchr(p, ',', (size_t)(slash - p));
        rc = endpoint(p, (size_t)((end == NULL ? slash : end) - p), out, why);
        if (rc != 0 || end == NULL)
            break;
    }
    if (rc != 0)
        return rc;
    while (*slash == '/')
        slash++;
    n = strlen(slash);
    while (n != 0 && slash[n - 1] == '/')
        n--;
    if (!copy(out->prefix, slash, n))
        return fault(why, "this cannot be a prefix of keys", slash, n);
    return 0;
}

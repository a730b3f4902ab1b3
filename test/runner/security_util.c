/* BSD-3-Clause; see LICENSE. */
/* Reading the records of the family security/. */
#include "security_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

const cJSON *run_sec_get(const cJSON *o, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(o, name);
}

const char *run_sec_text(const cJSON *o, const char *name)
{
    const cJSON *v = run_sec_get(o, name);

    return cJSON_IsString(v) ? v->valuestring : "";
}

struct vdl_bytes run_sec_bytes(const cJSON *o, const char *name)
{
    struct v23_bytes b = hex(run_sec_text(o, name));

    return vdl_bytes(b.p, b.n);
}

vdl_str_list run_sec_strs(const cJSON *array, struct v23_arena *a)
{
    vdl_str_list l = { NULL, 0 };
    const cJSON *v;
    struct vdl_str *s;
    int n = cJSON_GetArraySize(array);

    s = v23_arena_get0(a, (size_t)n, sizeof(*s), V23_ALIGNOF(struct vdl_str));
    if (s == NULL)
        abort();
    cJSON_ArrayForEach(v, array)
        s[l.n++] = vdl_str(v->valuestring);
    l.v = s;
    return l;
}

bool run_sec_same(struct run_case *c, const cJSON *o, const char *name,
    const void *p, size_t n)
{
    struct v23_bytes want = hex(run_sec_text(o, name));

    if (want.n == n && (n == 0 || memcmp(want.p, p, n) == 0))
        return true;
    return run_fail(c, "%s is %s", name, unhex(p, n));
}

bool run_sec_same_text(struct run_case *c, const cJSON *o, const char *name,
    struct vdl_str s)
{
    if (vdl_str_is(s, run_sec_text(o, name)))
        return true;
    return run_fail(c, "%s is \"%.*s\"", name, (int)s.n, s.p);
}

bool run_sec_same_strs(struct run_case *c, const cJSON *array,
    const char *what, vdl_str_list l)
{
    const cJSON *v;
    uint32_t i = 0;

    if ((uint32_t)cJSON_GetArraySize(array) != l.n)
        return run_fail(c, "%u %s", (unsigned)l.n, what);
    cJSON_ArrayForEach(v, array) {
        if (!vdl_str_is(l.v[i], v->valuestring))
            return run_fail(c, "%s %u is %.*s", what, (unsigned)i,
                (int)l.v[i].n, l.v[i].p);
        i++;
    }
    return true;
}

bool run_sec_blessings(struct run_case *c, const char *vom,
    struct vsec_blessings **out)
{
    struct vsec_engine *e = run_sec_engine(c);
    int rc;

    *out = NULL;
    if (e == NULL)
        return false;
    rc = vsec_blessings_decode(e, NULL, hex(vom), out);
    if (rc != 0)
        return run_fail(c, "blessings do not decode: %s", v23_strerror(rc));
    return true;
}

bool run_sec_encodes(struct run_case *c, const struct vsec_blessings *b,
    const char *vom)
{
    const struct v23_alloc *al = run_sec_engine(c)->al;
    struct v23_bytes want = hex(vom);
    struct v23_buf out;
    bool ok = true;
    int rc;

    v23_buf_init(&out, al, SIZE_MAX);
    rc = vsec_blessings_encode(al, b, &out);
    if (rc != 0)
        ok = run_fail(c, "encoding: %s", v23_strerror(rc));
    else if (out.n != want.n || memcmp(out.p, want.p, out.n) != 0)
        ok = run_fail(c, "encodes to %s", unhex(out.p, out.n));
    v23_buf_fini(&out);
    return ok;
}

/* Days from 1970-01-01 to a date of the Gregorian calendar. */
static int64_t days_to(int64_t y, int64_t m, int64_t d)
{
    int64_t era, yoe, doy;

    y -= m <= 2;
    era = (y >= 0 ? y : y - 399) / 400;
    yoe = y - era * 400;
    doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

struct v23_walltime run_sec_time(const char *text)
{
    struct v23_walltime t = { -V23_TIME_UNIX_EPOCH, 0 };
    int y, mo, d, h, mi, s, used = 0, digits = 0;
    int oh = 0, om = 0;
    char sign = 'Z';

    if (text[0] == 0)
        return t;
    if (sscanf(text, "%d-%d-%dT%d:%d:%d%n", &y, &mo, &d, &h, &mi, &s, &used)
        != 6)
        abort();
    text += used;
    t.sec = days_to(y, mo, d) * 86400 + h * 3600 + mi * 60 + s;
    if (*text == '.')
        for (text++; *text >= '0' && *text <= '9'; text++, digits++)
            t.nanos = t.nanos * 10 + (*text - '0');
    for (; digits > 0 && digits < 9; digits++)
        t.nanos *= 10;
    sign = *text;
    if (sign != 'Z' && sscanf(text + 1, "%d:%d", &oh, &om) != 2)
        abort();
    t.sec -= (sign == '-' ? -1 : 1) * (oh * 3600 + om * 60);
    return t;
}

bool run_sec_principal(struct run_case *c, struct vdl_bytes key,
    const cJSON *roots, struct vsec_principal **out)
{
    struct vsec_engine *e = run_sec_engine(c);
    struct vsec_pubkey *k;
    const cJSON *r;
    int rc;

    *out = NULL;
    if (e == NULL)
        return false;
    rc = vsec_pubkey_parse(e, key, &k);
    if (rc == 0) {
        rc = vsec_principal_new(e, NULL, k, NULL, NULL, out);
        vsec_pubkey_unref(k);
    }
    cJSON_ArrayForEach(r, roots)
        if (rc == 0)
            rc = vsec_roots_add((*out)->roots, run_sec_bytes(r, "public_key"),
                vdl_str(run_sec_text(r, "pattern")));
    if (rc == 0)
        return true;
    vsec_principal_unref(*out);
    *out = NULL;
    return run_fail(c, "principal: %s", v23_strerror(rc));
}

/* Named string types that tags have; other names get a type of their own. */
static const struct vdl_type *tag_type(const char *name, struct v23_arena *a)
{
    struct vdl_type *t;

    if (strcmp(name, "string") == 0)
        return &vdl_string_desc;
    if (strcmp(name, "v.io/v23/security/access.Tag") == 0)
        return &v23_access_tag_desc;
    t = v23_arena_new(a, struct vdl_type);
    if (t == NULL)
        abort();
    *t = vdl_string_desc;
    t->name = vdl_str(name);
    return t;
}

vdl_any_list run_sec_tags(const cJSON *array, struct v23_arena *a)
{
    vdl_any_list l = { NULL, 0 };
    struct vdl_any *v;
    struct vdl_str *s;
    const cJSON *t;
    size_t n = (size_t)cJSON_GetArraySize(array);

    v = v23_arena_get0(a, n, sizeof(*v), V23_ALIGNOF(struct vdl_any));
    s = v23_arena_get0(a, n, sizeof(*s), V23_ALIGNOF(struct vdl_str));
    if (v == NULL || s == NULL)
        abort();
    cJSON_ArrayForEach(t, array) {
        s[l.n] = vdl_str(run_sec_text(t, "value"));
        v[l.n].type = tag_type(run_sec_text(t, "type"), a);
        v[l.n].val = &s[l.n];
        l.n++;
    }
    l.v = v;
    return l;
}

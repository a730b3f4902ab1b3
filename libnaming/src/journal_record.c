/* BSD-3-Clause; see LICENSE. */
/*
 * Records of the journal:
 *     {"N":name,"V":{"V":version,"P":permissions},"D":deleted,"C":creator}
 */
#include <cjson/cJSON.h>

#include <vname/json.h>
#include <vsec/acl.h>

#include "journal_int.h"

int vname_record_write_(const struct vname_change *ch, struct v23_buf *out)
{
    int rc = 0;

    v23_buf_puts(out, "{\"N\":");
    vsec_json_put_text(out, ch->name);
    v23_buf_printf(out, ",\"V\":{\"V\":%d,\"P\":", (int)ch->version);
    if (out->err == 0)
        rc = vsec_perms_to_json(ch->perms, out);
    if (rc != 0 || out->err != 0)
        return rc != 0 ? rc : out->err;
    out->n--; /* it ends its line */
    v23_buf_printf(out, "},\"D\":%s,\"C\":",
        ch->perms == NULL ? "true" : "false");
    vsec_json_put_text(out, ch->creator);
    v23_buf_puts(out, "}\n");
    return out->err;
}

/* A text, "" when it is missing. */
static int get_text(const cJSON *v, struct v23_arena *a, struct vdl_str *out)
{
    *out = vdl_str("");
    if (v == NULL || cJSON_IsNull(v))
        return 0;
    if (!cJSON_IsString(v))
        return V23_ETEXT;
    *out = vdl_str(v->valuestring);
    out->p = v23_arena_dup(a, out->p, out->n);
    return out->p == NULL ? V23_ENOMEM : 0;
}

static int get_version(const cJSON *v, int32_t *out)
{
    *out = 0;
    if (v == NULL)
        return 0;
    if (!cJSON_IsNumber(v))
        return V23_ETEXT;
    if (!(v->valuedouble >= 0 && v->valuedouble <= INT32_MAX))
        return V23_EARG;
    *out = (int32_t)v->valuedouble;
    return *out == v->valuedouble ? 0 : V23_ETEXT;
}

static int get_perms(const cJSON *v, struct v23_arena *a,
    const v23_access_permissions **out)
{
    v23_access_permissions *perms = v23_arena_new(a, v23_access_permissions);
    char *text;
    int rc;

    *out = perms;
    if (perms == NULL)
        return V23_ENOMEM;
    if (v == NULL)
        return 0;
    text = cJSON_PrintUnformatted(v);
    if (text == NULL)
        return V23_ENOMEM;
    rc = vsec_perms_from_json(v23_bytes(text, strlen(text)), a, perms, NULL);
    cJSON_free(text);
    return rc == V23_ELIMIT ? V23_EARG : rc;
}

static int read_object(const cJSON *o, struct v23_arena *a,
    struct vname_change *ch)
{
    const cJSON *v = cJSON_GetObjectItem(o, "V");
    int rc;

    if (!cJSON_IsObject(o))
        return V23_ETEXT;
    memset(ch, 0, sizeof(*ch));
    rc = get_text(cJSON_GetObjectItem(o, "N"), a, &ch->name);
    if (rc == 0)
        rc = get_text(cJSON_GetObjectItem(o, "C"), a, &ch->creator);
    if (rc == 0)
        rc = get_version(cJSON_GetObjectItem(v, "V"), &ch->version);
    if (rc == 0 && !cJSON_IsTrue(cJSON_GetObjectItem(o, "D")))
        rc = get_perms(cJSON_GetObjectItem(v, "P"), a, &ch->perms);
    return rc;
}

/* The JSON library ends a text at its first NUL, and what is not UTF-8 would
 * be written in another way: other names would result. */
static bool is_exact(struct v23_bytes line)
{
    size_t i, len;

    for (i = 0; i < line.n; i += len) {
        len = v23_utf8_next((const char *)line.p + i, line.n - i, NULL);
        if (len == 0
            || (line.n - i >= 6 && memcmp(line.p + i, "\\u0000", 6) == 0))
            return false;
    }
    return true;
}

int vname_record_read_(struct v23_bytes line, struct v23_arena *a,
    struct vname_change *ch)
{
    size_t end;
    cJSON *o;
    int rc;

    if (vname_json_check(line, &end, NULL) != 0
        || vname_json_check(v23_bytes(line.p + end, line.n - end), NULL, NULL)
            != V23_EEOF)
        return V23_ETEXT;
    if (!is_exact(line))
        return V23_EARG;
    o = cJSON_ParseWithLength((const char *)line.p, end);
    rc = o == NULL ? V23_ETEXT : read_object(o, a, ch);
    cJSON_Delete(o);
    return rc;
}

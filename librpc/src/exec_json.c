/* BSD-3-Clause; see LICENSE. */
/* Configurations in the environment: base64 of a JSON object of strings. */
#include <cjson/cJSON.h>

#include <vrpc/exec.h>
#include <vsec/acl.h>

int vrpc_exec_config_to_env(const struct vrpc_exec_config *c,
    struct v23_buf *out)
{
    struct v23_buf json;
    size_t i;
    int rc;

    v23_buf_init(&json, c->al, SIZE_MAX);
    v23_buf_put_byte(&json, '{');
    for (i = 0; i < c->n; i++) {
        if (i != 0)
            v23_buf_put_byte(&json, ',');
        vsec_json_put_text(&json, vdl_str(c->v[i].key));
        v23_buf_put_byte(&json, ':');
        vsec_json_put_text(&json, vdl_str(c->v[i].value));
    }
    v23_buf_put_byte(&json, '}');
    rc = json.err;
    if (rc == 0) {
        v23_base64_put(out, json.p, json.n, false);
        rc = out->err;
    }
    v23_buf_fini(&json);
    return rc;
}

/* cJSON ends a string at an escaped NUL and does not tell. */
static bool has_nul(const uint8_t *p, size_t n)
{
    static const char escape[] = "u0000";
    size_t i;

    if (memchr(p, 0, n) != NULL)
        return true;
    for (i = 0; i + 1 < n; i++) {
        if (p[i] != '\\')
            continue;
        i++; /* what is escaped, perhaps a backslash */
        if (n - i >= 5 && memcmp(p + i, escape, 5) == 0)
            return true;
    }
    return false;
}

static int add_all(struct vrpc_exec_config *c, const cJSON *object)
{
    const cJSON *item;
    int rc = 0;

    if (!cJSON_IsObject(object))
        return V23_ETEXT;
    cJSON_ArrayForEach(item, object) {
        if (!cJSON_IsString(item))
            return V23_ETEXT;
        rc = vrpc_exec_config_set(c, vdl_str(item->string),
            vdl_str(item->valuestring));
        if (rc != 0)
            break;
    }
    return rc;
}

int vrpc_exec_config_from_env(struct vrpc_exec_config *c, const char *text)
{
    struct v23_buf json;
    cJSON *object;
    int rc;

    v23_buf_init(&json, c->al, VRPC_EXEC_MAX);
    rc = v23_base64_parse(text, strlen(text), false, &json);
    if (rc == 0 && (json.n == 0 || has_nul(json.p, json.n)))
        rc = V23_ETEXT;
    v23_buf_put_byte(&json, 0); /* where the parser has to have ended */
    if (rc == 0)
        rc = json.err;
    if (rc == 0) {
        object = cJSON_ParseWithLengthOpts((const char *)json.p, json.n, NULL,
            true);
        rc = add_all(c, object);
        cJSON_Delete(object);
    }
    v23_wipe(json.p, json.n);
    v23_buf_fini(&json);
    return rc;
}

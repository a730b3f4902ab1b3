/* BSD-3-Clause; see LICENSE. */
/*
 * Records of the journal:
 *     {"N":name,"V":{"V":version,"P":permissions},"D":deleted,"C":creator}
 */
#include <cjson/cJSON.h>

#include <stdlib.h>

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
        ch->kind == VNAME_DELETE ? "true" : "false");
    vsec_json_put_text(out, ch->creator);
    v23_buf_puts(out, "}\n");
    return out->err;
}

/* What the members of a record are; empty = not there. */
struct parts {
    struct v23_bytes name, creator, versioned, deleted; /* of the record */
    struct v23_bytes version, perms;                    /* of "V" */
};

/* Keys are those of the reference, which does not mind their case. */
static int outer(void *ud, struct vdl_str key, struct v23_bytes value)
{
    struct parts *p = ud;

    if (vdl_str_eq_nocase(key, vdl_str("N")))
        p->name = value;
    else if (vdl_str_eq_nocase(key, vdl_str("V")))
        p->versioned = value;
    else if (vdl_str_eq_nocase(key, vdl_str("D")))
        p->deleted = value;
    else if (vdl_str_eq_nocase(key, vdl_str("C")))
        p->creator = value;
    return 0;
}

static int inner(void *ud, struct vdl_str key, struct v23_bytes value)
{
    struct parts *p = ud;

    if (vdl_str_eq_nocase(key, vdl_str("V")))
        p->version = value;
    else if (vdl_str_eq_nocase(key, vdl_str("P")))
        p->perms = value;
    return 0;
}

static bool is(struct v23_bytes v, const char *word)
{
    return v.n == strlen(word) && memcmp(v.p, word, v.n) == 0;
}

/* A string with escapes. */
static int unescape(struct v23_bytes v, struct v23_arena *a,
    struct vdl_str *out)
{
    cJSON *o = cJSON_ParseWithLength((const char *)v.p, v.n);
    int rc = 0;

    if (o == NULL)
        return V23_ENOMEM; /* the syntax has been checked */
    *out = vdl_str(o->valuestring);
    out->p = v23_arena_dup(a, out->p, out->n);
    if (out->p == NULL)
        rc = V23_ENOMEM;
    cJSON_Delete(o);
    return rc;
}

int vname_record_text_(struct v23_bytes v, struct v23_arena *a,
    struct vdl_str *out)
{
    *out = vdl_str("");
    if (v.n == 0 || is(v, "null"))
        return 0;
    if (v.p[0] != '"')
        return V23_ETEXT;
    if (memchr(v.p, '\\', v.n) != NULL)
        return unescape(v, a, out);
    *out = vdl_strn((const char *)v.p + 1, v.n - 2);
    out->p = v23_arena_dup(a, out->p, out->n);
    return out->p == NULL ? V23_ENOMEM : 0;
}

/* A whole number, also in the form 1e3. */
static int get_version(struct v23_bytes v, int32_t *out)
{
    char text[64];
    double d;

    *out = 0;
    if (v.n == 0)
        return 0;
    if (v.p[0] != '-' && (v.p[0] < '0' || v.p[0] > '9'))
        return V23_ETEXT;
    if (v.n >= sizeof(text))
        return V23_EARG;
    memcpy(text, v.p, v.n);
    text[v.n] = 0;
    d = strtod(text, NULL);
    if (!(d >= 0 && d <= INT32_MAX))
        return V23_EARG;
    *out = (int32_t)d;
    return *out == d ? 0 : V23_ETEXT;
}

static int get_perms(struct v23_bytes v, struct v23_arena *a,
    const v23_access_permissions **out)
{
    v23_access_permissions *perms = v23_arena_new(a, v23_access_permissions);
    int rc;

    *out = perms;
    if (perms == NULL)
        return V23_ENOMEM;
    if (v.n == 0)
        return 0;
    rc = vsec_perms_from_json(v, a, perms, NULL);
    return rc == V23_ELIMIT ? V23_EARG : rc;
}

/* Octets of the escape at p that stands for itself; 0: for half a character, or
 * for a NUL, where the JSON library ends a text. */
static size_t escape_len(const uint8_t *p, size_t n)
{
    if (n < 6 || p[1] != 'u')
        return 2;
    if (memcmp(p + 2, "0000", 4) == 0)
        return 0;
    if ((p[2] != 'd' && p[2] != 'D') || p[3] < '8')
        return 6;
    /* Of the two halves this has to be the first. */
    if ((p[3] | 0x20) > 'b' || n < 12 || p[6] != '\\' || p[7] != 'u'
        || (p[8] != 'd' && p[8] != 'D') || (p[9] | 0x20) < 'c')
        return 0;
    return 12;
}

/* What is not exactly one text would be written in another way: other names
 * would result. */
static bool is_exact(struct v23_bytes line)
{
    size_t i, len;

    for (i = 0; i < line.n; i += len) {
        len = 1;
        if (line.p[i] == '\\')
            len = escape_len(line.p + i, line.n - i);
        else if (line.p[i] >= 0x80)
            len = v23_utf8_next((const char *)line.p + i, line.n - i, NULL);
        if (len == 0)
            return false;
    }
    return true;
}

int vname_record_check_(struct v23_bytes text)
{
    size_t end;

    if (vname_json_check(text, &end, NULL) != 0
        || vname_json_check(v23_bytes(text.p + end, text.n - end), NULL, NULL)
            != V23_EEOF)
        return V23_ETEXT;
    return is_exact(text) ? 0 : V23_EARG;
}

static int get_versioned(struct parts *p, struct v23_arena *a,
    struct vname_change *ch)
{
    int rc = get_version(p->version, &ch->version);

    return rc != 0 ? rc : get_perms(p->perms, a, &ch->perms);
}

int vname_record_perms_(struct v23_bytes v, struct v23_arena *a,
    struct vname_change *ch)
{
    struct parts p;

    memset(&p, 0, sizeof(p));
    if (vname_json_members(v, inner, &p) != 0)
        return V23_ETEXT;
    return get_versioned(&p, a, ch);
}

int vname_record_read_(struct v23_bytes line, struct v23_arena *a,
    struct vname_change *ch)
{
    struct parts p;
    int rc = vname_record_check_(line);

    if (rc != 0)
        return rc;
    memset(&p, 0, sizeof(p));
    if (vname_json_members(line, outer, &p) != 0)
        return V23_ETEXT;
    if (p.versioned.n != 0 && p.versioned.p[0] == '{'
        && vname_json_members(p.versioned, inner, &p) != 0)
        return V23_ETEXT;
    memset(ch, 0, sizeof(*ch));
    ch->kind = is(p.deleted, "true") ? VNAME_DELETE : VNAME_KEEP;
    rc = vname_record_text_(p.name, a, &ch->name);
    if (rc == 0)
        rc = vname_record_text_(p.creator, a, &ch->creator);
    if (rc != 0)
        return rc;
    if (ch->kind == VNAME_KEEP)
        return get_versioned(&p, a, ch);
    return get_version(p.version, &ch->version);
}

/* BSD-3-Clause; see LICENSE. */
/* Identifiers of advertisements, and what may be advertised. */
#include <vname/discovery.h>

#include <vom/value.h>

/* ---- UUIDs --------------------------------------------------------------- */

static const uint8_t services[16] = { 0x3d, 0xd1, 0xd5, 0xa8, 0x2e, 0xef, 0x58,
    0x16, 0xa7, 0x20, 0xf8, 0x8b, 0x9b, 0xcf, 0x6e, 0xe4 };
static const uint8_t attributes[16] = { 0x94, 0x2b, 0x61, 0x64, 0x12, 0x79,
    0x5e, 0xb6, 0xb6, 0x43, 0xc9, 0x0c, 0x4c, 0xcc, 0x8a, 0x72 };

/* Version 5: the name's digest in a name space (RFC 4122, 4.3). */
static int uuid5(const struct vsec_hash_alg *sha1, const uint8_t space[16],
    struct vdl_str name, uint8_t uuid[16])
{
    uint8_t digest[VSEC_HASH_MAX];
    struct vsec_hash h;
    int rc;

    vsec_hash_init(&h, sha1);
    vsec_hash_update(&h, space, 16);
    vsec_hash_update(&h, name.p, name.n);
    rc = vsec_hash_final(&h, digest);
    if (rc != 0)
        return rc;
    memcpy(uuid, digest, 16);
    uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x50);
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
    return 0;
}

int vname_service_uuid(const struct vsec_hash_alg *sha1,
    struct vdl_str interface_name, uint8_t uuid[16])
{
    return uuid5(sha1, services, interface_name, uuid);
}

int vname_attribute_uuid(const struct vsec_hash_alg *sha1,
    struct vdl_str attribute, uint8_t uuid[16])
{
    return uuid5(sha1, attributes, attribute, uuid);
}

void vname_uuid_format(const uint8_t uuid[16], char text[VNAME_UUID_TEXT])
{
    struct v23_buf b;
    size_t i;

    v23_buf_init_fixed(&b, text, VNAME_UUID_TEXT);
    for (i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            v23_buf_puts(&b, "-");
        v23_hex_put(&b, &uuid[i], 1);
    }
    text[b.n] = 0;
}

/* ---- names of services --------------------------------------------------- */

int vname_ad_service(const struct vsec_hash_alg *sha1,
    struct vdl_str interface_name, char text[VNAME_AD_SERVICE_TEXT])
{
    static const char sub[] = "._sub._v23";
    uint8_t uuid[16];
    int rc;

    if (interface_name.n == 0) {
        memcpy(text, "v23", sizeof("v23"));
        return 0;
    }
    rc = vname_service_uuid(sha1, interface_name, uuid);
    if (rc != 0)
        return rc;
    vname_uuid_format(uuid, text);
    memcpy(text + VNAME_UUID_TEXT - 1, sub, sizeof(sub));
    return 0;
}

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUV";

void vname_ad_instance(const v23_discovery_ad_id *id,
    char text[VNAME_AD_INSTANCE_TEXT])
{
    size_t i, bit, k;

    for (i = 0; i < VNAME_AD_INSTANCE_TEXT - 1; i++) {
        unsigned v = 0;

        /* The last digit has two bits more than there are. */
        for (k = 0; k < 5; k++) {
            bit = i * 5 + k;
            v = v << 1
                | (bit < 128 ? (unsigned)id->v[bit / 8] >> (7 - bit % 8) & 1u : 0);
        }
        text[i] = digits[v];
    }
    text[i] = 0;
}

int vname_ad_instance_parse(struct vdl_str text, v23_discovery_ad_id *id)
{
    uint8_t out[17] = { 0 };
    uint32_t i;

    if (text.n != VNAME_AD_INSTANCE_TEXT - 1)
        return V23_ETEXT;
    for (i = 0; i < text.n; i++) {
        char c = text.p[i] >= 'a' && text.p[i] <= 'v'
            ? (char)(text.p[i] - 'a' + 'A')
            : text.p[i];
        const char *hit = c == 0 ? NULL : strchr(digits, c);
        unsigned v, bit, k;

        if (hit == NULL)
            return V23_ETEXT;
        v = (unsigned)(hit - digits);
        for (k = 0; k < 5; k++) {
            bit = i * 5 + k;
            if ((v >> (4 - k) & 1) != 0)
                out[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
        }
    }
    if (out[16] != 0)
        return V23_ETEXT; /* two texts for the same id */
    memcpy(id->v, out, sizeof(id->v));
    return 0;
}

/* ---- what may be advertised ---------------------------------------------- */

static int wrong(struct v23_buf *why, const char *what, struct vdl_str text)
{
    if (why != NULL) {
        v23_buf_puts(why, what);
        if (text.n != 0) {
            v23_buf_puts(why, ": ");
            vdl_format_quoted(why, text.p, text.n < 100 ? text.n : 100);
        }
        if (why->err == V23_ENOMEM)
            return V23_ENOMEM;
    }
    return V23_EARG;
}

static int check_key(struct vdl_str key, struct v23_buf *why)
{
    uint32_t i;

    if (key.n == 0)
        return wrong(why, "a key is empty", key);
    if (key.p[0] == '_')
        return wrong(why, "key starts with '_'", key);
    for (i = 0; i < key.n; i++)
        if (key.p[i] < 0x20 || key.p[i] > 0x7e || key.p[i] == '=')
            return wrong(why, "key is not printable US-ASCII without '='",
                key);
    return 0;
}

static bool is_utf8(struct vdl_str s)
{
    size_t at = 0, n;

    while (at < s.n) {
        n = v23_utf8_next(s.p + at, s.n - at, NULL);
        if (n == 0)
            return false;
        at += n;
    }
    return true;
}

/* Two entries of the same key would be two advertisements. */
static int check_attributes(const v23_discovery_attributes *m, size_t *size,
    struct v23_buf *why)
{
    uint32_t i, j;
    int rc = 0;

    if (m->n > VNAME_AD_ATTRIBUTES_MAX)
        return wrong(why, "there are more than 32 attributes", vdl_str(""));
    for (i = 0; i < m->n && rc == 0; i++) {
        rc = check_key(m->v[i].key, why);
        if (rc == 0 && !is_utf8(m->v[i].val))
            rc = wrong(why, "value of an attribute is not valid UTF-8",
                m->v[i].key);
        for (j = 0; j < i && rc == 0; j++)
            if (vdl_str_eq(m->v[i].key, m->v[j].key))
                rc = wrong(why, "two attributes have one key", m->v[i].key);
        *size += (size_t)m->v[i].key.n + m->v[i].val.n;
    }
    return rc;
}

static int check_attachments(const v23_discovery_attachments *m,
    struct v23_buf *why)
{
    uint32_t i, j;
    int rc = 0;

    if (m->n > VNAME_AD_ATTACHMENTS_MAX)
        return wrong(why, "there are more than 32 attachments", vdl_str(""));
    for (i = 0; i < m->n && rc == 0; i++) {
        rc = check_key(m->v[i].key, why);
        if (rc == 0 && m->v[i].val.n > VNAME_AD_ATTACHMENT_MAX)
            rc = wrong(why, "attachment has more than 4096 bytes",
                m->v[i].key);
        for (j = 0; j < i && rc == 0; j++)
            if (vdl_str_eq(m->v[i].key, m->v[j].key))
                rc = wrong(why, "two attachments have one key", m->v[i].key);
    }
    return rc;
}

int vname_ad_check(const v23_discovery_advertisement *ad, struct v23_buf *why)
{
    static const v23_discovery_ad_id none;
    size_t size = (size_t)ad->interface_name.n + 1;
    uint32_t i;
    int rc;

    if (memcmp(&ad->id, &none, sizeof(none)) == 0)
        return wrong(why, "there is no id", vdl_str(""));
    if (ad->interface_name.n == 0)
        return wrong(why, "there is no interface name", vdl_str(""));
    if (ad->addresses.n == 0)
        return wrong(why, "there is no address", vdl_str(""));
    for (i = 0; i < ad->addresses.n; i++)
        size += (size_t)ad->addresses.v[i].n
            + (ad->addresses.v[i].n < 128 ? 1 : 2);
    rc = check_attributes(&ad->attributes, &size, why);
    if (rc == 0)
        rc = check_attachments(&ad->attachments, why);
    if (rc == 0 && size > VNAME_AD_MAX)
        rc = wrong(why, "the advertisement has more than 1024 bytes",
            vdl_str(""));
    return rc;
}

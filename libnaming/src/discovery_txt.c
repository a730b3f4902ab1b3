/* BSD-3-Clause; see LICENSE. */
/*
 * Advertisements as the texts of a DNS-SD service. A text is `key=value`; one
 * longer than a TXT string is cut into pieces `_x<i><j>=…`, of which i counts
 * the texts that are cut and j the pieces of one.
 */
#include <stdlib.h>

#include "discovery_int.h"

enum {
    PIECE_HEAD = 5, /* _x<i><j>= */
    PIECE = VNAME_TXT_STRING_MAX - PIECE_HEAD,
    INDEX_FIRST = '0',
    INDEX_LAST = '~',
    INDICES = INDEX_LAST - INDEX_FIRST + 1,
    STATUS_TEXT = 4 /* _s=<digit> */
};

/* ---- writing ------------------------------------------------------------- */

/* Texts that belong together. */
struct group {
    struct vdl_str *v;
    size_t n, size; /* size: octets of all */
};

struct writer {
    const struct vname_deflate *z;
    struct v23_arena *a;
    size_t cut; /* texts cut so far */
};

static void piece_head(char *p, size_t i, size_t j)
{
    p[0] = '_';
    p[1] = 'x';
    p[2] = (char)(INDEX_FIRST + (int)i);
    p[3] = (char)(INDEX_FIRST + (int)j);
    p[4] = '=';
}

/* Make room for n more texts. */
static int group_room(struct writer *w, struct group *g, size_t n)
{
    struct vdl_str *v = v23_arena_get0(w->a, g->n + n, sizeof(*v),
        V23_ALIGNOF(struct vdl_str));

    if (v == NULL)
        return V23_ENOMEM;
    if (g->n != 0)
        memcpy(v, g->v, g->n * sizeof(*v));
    g->v = v;
    return 0;
}

static int add_cut(struct writer *w, struct group *g, const char *text,
    size_t n)
{
    size_t pieces = (n + PIECE - 1) / PIECE, j, part;
    int rc;

    if (w->cut >= INDICES || pieces > INDICES)
        return V23_ELIMIT;
    rc = group_room(w, g, pieces);
    for (j = 0; j < pieces && rc == 0; j++) {
        char *p;

        part = n - j * PIECE < PIECE ? n - j * PIECE : PIECE;
        p = v23_arena_get(w->a, PIECE_HEAD + part, 1);
        if (p == NULL)
            return V23_ENOMEM;
        piece_head(p, w->cut, j);
        memcpy(p + PIECE_HEAD, text + j * PIECE, part);
        g->v[g->n++] = vdl_strn(p, PIECE_HEAD + part);
        g->size += PIECE_HEAD + part;
    }
    w->cut++;
    return rc;
}

/* Add `prefix key = value`. */
static int add(struct writer *w, struct group *g, const char *prefix,
    struct vdl_str key, const void *value, size_t nvalue)
{
    size_t npre = strlen(prefix), n = npre + key.n + 1 + nvalue;
    char *text = v23_arena_get(w->a, n, 1);
    int rc;

    if (text == NULL)
        return V23_ENOMEM;
    memcpy(text, prefix, npre);
    if (key.n != 0)
        memcpy(text + npre, key.p, key.n);
    text[npre + key.n] = '=';
    if (nvalue != 0)
        memcpy(text + npre + key.n + 1, value, nvalue);
    if (n > VNAME_TXT_STRING_MAX)
        return add_cut(w, g, text, n);
    rc = group_room(w, g, 1);
    if (rc != 0)
        return rc;
    g->v[g->n++] = vdl_strn(text, n);
    g->size += n;
    return 0;
}

static int add_addresses(struct writer *w, struct group *g, const char *key,
    vdl_str_list addresses)
{
    struct v23_buf b;
    int rc;

    v23_buf_init(&b, w->a->al, SIZE_MAX);
    rc = vname_addresses_pack(w->z, addresses, &b);
    if (rc == 0)
        rc = add(w, g, key, vdl_str(""), b.p, b.n);
    v23_buf_fini(&b);
    return rc;
}

static int add_keys(struct writer *w, struct group *g,
    const v23_lib_discovery_ad_info *info)
{
    struct v23_buf b;
    int rc;

    if (info->encryption_algorithm == V23_LIB_DISCOVERY_NO_ENCRYPTION)
        return 0;
    v23_buf_init(&b, w->a->al, SIZE_MAX);
    rc = vname_ad_keys_pack(info->encryption_algorithm, info->encryption_keys,
        &b);
    if (rc == 0)
        rc = add(w, g, "_e", vdl_str(""), b.p, b.n);
    v23_buf_fini(&b);
    return rc;
}

/* What must be there, in this order: the texts that are cut are numbered in
 * the order in which they are made. */
static int add_fixed(struct writer *w, const v23_lib_discovery_ad_info *info,
    struct group *core, struct group *dir, struct group *required)
{
    const v23_discovery_advertisement *ad = &info->ad;
    uint8_t stamp[8];
    uint32_t i;
    int rc;

    vname_ad_timestamp_encode(info->timestamp_ns, stamp);
    rc = add(w, core, "_i", vdl_str(""), ad->interface_name.p,
        ad->interface_name.n);
    if (rc == 0)
        rc = add(w, core, "_h", vdl_str(""), info->hash.v,
            sizeof(info->hash.v));
    if (rc == 0)
        rc = add(w, core, "_t", vdl_str(""), stamp, sizeof(stamp));
    if (rc == 0)
        rc = add_addresses(w, dir, "_d", info->dir_addrs);
    if (rc == 0)
        rc = add_addresses(w, required, "_a", ad->addresses);
    for (i = 0; i < ad->attributes.n && rc == 0; i++)
        rc = add(w, required, "", ad->attributes.v[i].key,
            ad->attributes.v[i].val.p, ad->attributes.v[i].val.n);
    return rc != 0 ? rc : add_keys(w, required, info);
}

static int by_size(const void *a, const void *b)
{
    const struct group *x = a, *y = b;

    return x->size < y->size ? -1 : x->size > y->size;
}

/* The attachments that may have room, each a group. */
static int add_attachments(struct writer *w,
    const v23_discovery_attachments *m, size_t room, struct group *extra,
    size_t *n)
{
    uint32_t i;
    int rc = 0;

    *n = 0;
    for (i = 0; i < m->n && w->cut < INDICES && rc == 0; i++)
        if (m->v[i].val.n <= room)
            rc = add(w, &extra[(*n)++], "__", m->v[i].key, m->v[i].val.p,
                m->v[i].val.n);
    return rc;
}

static int finish(struct writer *w, v23_lib_discovery_ad_status status,
    const struct group *const *parts, size_t n, vdl_str_list *out)
{
    struct group all = { NULL, 0, 0 };
    char digit = (char)('0' + status);
    size_t i;
    int rc = 0;

    if (status != V23_LIB_DISCOVERY_AD_READY)
        rc = add(w, &all, "_s", vdl_str(""), &digit, 1);
    for (i = 0; i < n && rc == 0; i++) {
        rc = group_room(w, &all, parts[i]->n);
        if (rc == 0 && parts[i]->n != 0)
            memcpy(all.v + all.n, parts[i]->v,
                parts[i]->n * sizeof(*all.v));
        all.n += parts[i]->n;
        all.size += parts[i]->size;
    }
    if (rc == 0 && all.size > VNAME_AD_TXT_MAX)
        rc = V23_ELIMIT;
    if (rc == 0) {
        out->v = all.v;
        out->n = (uint32_t)all.n;
    }
    return rc;
}

/* Put the attachments behind what is in parts, the smallest first. */
static size_t choose(struct group *extra, size_t nextra, size_t room,
    const struct group **parts, size_t n)
{
    size_t i;

    qsort(extra, nextra, sizeof(*extra), by_size);
    for (i = 0; i < nextra; i++)
        if (extra[i].size <= room) {
            room -= extra[i].size;
            parts[n++] = &extra[i];
        }
    return n;
}

int vname_ad_to_txt(const struct vname_deflate *z,
    const v23_lib_discovery_ad_info *info, struct v23_arena *a,
    vdl_str_list *out)
{
    struct group core = { NULL, 0, 0 }, dir = core, required = core,
                 extra[VNAME_AD_ATTACHMENTS_MAX];
    const struct group *parts[VNAME_AD_ATTACHMENTS_MAX + 3] = { &core, &dir };
    struct writer w = { z, a, 0 };
    size_t room, nextra = 0, size = 0, i;
    int rc;

    if (info->ad.attachments.n > VNAME_AD_ATTACHMENTS_MAX)
        return V23_ELIMIT;
    memset(extra, 0, sizeof(extra));
    rc = add_fixed(&w, info, &core, &dir, &required);
    if (rc != 0)
        return rc;
    if (core.size + required.size > VNAME_AD_TXT_MAX)
        return finish(&w, V23_LIB_DISCOVERY_AD_NOT_READY, parts, 2, out);
    room = VNAME_AD_TXT_MAX - core.size - required.size;
    rc = add_attachments(&w, &info->ad.attachments, room, extra, &nextra);
    if (rc != 0)
        return rc;
    for (i = 0; i < nextra; i++)
        size += extra[i].size;
    if (nextra == info->ad.attachments.n && size <= room) {
        parts[1] = &required;
        for (i = 0; i < nextra; i++)
            parts[2 + i] = &extra[i];
        return finish(&w, V23_LIB_DISCOVERY_AD_READY, parts, 2 + nextra, out);
    }
    if (dir.size + STATUS_TEXT > room)
        return finish(&w, V23_LIB_DISCOVERY_AD_NOT_READY, parts, 2, out);
    parts[2] = &required;
    return finish(&w, V23_LIB_DISCOVERY_AD_PARTIALLY_READY, parts,
        choose(extra, nextra, room - dir.size - STATUS_TEXT, parts, 3), out);
}

/* ---- reading ------------------------------------------------------------- */

struct reader {
    const struct vname_deflate *z;
    struct v23_arena *a;
    v23_lib_discovery_ad_info *info;
    struct v23_buf *why;
    v23_discovery_attributes_entry attributes[VNAME_AD_ATTRIBUTES_MAX];
    v23_discovery_attachments_entry attachments[VNAME_AD_ATTACHMENTS_MAX];
};

static int bad(struct reader *r, const char *what)
{
    if (r->why != NULL) {
        v23_buf_puts(r->why, what);
        if (r->why->err == V23_ENOMEM)
            return V23_ENOMEM;
    }
    return V23_ETEXT;
}

static bool is_piece(struct vdl_str s)
{
    return s.n >= 2 && s.p[0] == '_' && s.p[1] == 'x';
}

static bool is_index(char c)
{
    return c >= INDEX_FIRST && c <= INDEX_LAST;
}

/* UTF-8 without control characters: it will be shown to people. */
static bool is_text(struct vdl_str s)
{
    size_t at = 0, n;
    uint32_t cp;

    while (at < s.n) {
        n = v23_utf8_next(s.p + at, s.n - at, &cp);
        if (n == 0 || cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
            return false;
        at += n;
    }
    return true;
}

static int unpack(struct reader *r, struct vdl_str v, vdl_str_list *out)
{
    int rc = vname_addresses_unpack(r->z, v23_bytes(v.p, v.n), r->a, out);

    return rc == 0 || rc == V23_ENOMEM ? rc
                                       : bad(r, "malformed packed addresses");
}

static int set_attribute(struct reader *r, struct vdl_str key,
    struct vdl_str val)
{
    v23_discovery_attributes *m = &r->info->ad.attributes;
    uint32_t i;

    if (key.n == 0 || key.p[0] == '_')
        return bad(r, "an attribute has no name");
    for (i = 0; i < m->n && !vdl_str_eq(m->v[i].key, key); i++)
        ;
    if (i == VNAME_AD_ATTRIBUTES_MAX)
        return bad(r, "too many attributes");
    r->attributes[i].key = key;
    r->attributes[i].val = val;
    if (i == m->n)
        m->n++;
    return 0;
}

static int set_attachment(struct reader *r, struct vdl_str key,
    struct vdl_str val)
{
    v23_discovery_attachments *m = &r->info->ad.attachments;
    uint32_t i;

    if (key.n == 0)
        return bad(r, "an attachment has no name");
    for (i = 0; i < m->n && !vdl_str_eq(m->v[i].key, key); i++)
        ;
    if (i == VNAME_AD_ATTACHMENTS_MAX)
        return bad(r, "too many attachments");
    r->attachments[i].key = key;
    r->attachments[i].val = vdl_bytes((const uint8_t *)val.p, val.n);
    if (i == m->n)
        m->n++;
    return 0;
}

/* The keys that mean something. */
static int set_known(struct reader *r, char key, struct vdl_str val)
{
    v23_lib_discovery_ad_info *info = r->info;
    struct v23_bytes b = v23_bytes(val.p, val.n);
    int rc;

    switch (key) {
    case 'i':
        info->ad.interface_name = val;
        return 0;
    case 'a':
        return unpack(r, val, &info->ad.addresses);
    case 'd':
        return unpack(r, val, &info->dir_addrs);
    case 'e':
        rc = vname_ad_keys_unpack(b, r->a, &info->encryption_algorithm,
            &info->encryption_keys);
        return rc == 0 || rc == V23_ENOMEM ? rc
                                           : bad(r, "malformed keys");
    case 'h':
        if (val.n != sizeof(info->hash.v))
            return bad(r, "the hash has not 8 bytes");
        memcpy(info->hash.v, val.p, val.n);
        return 0;
    case 't':
        return vname_ad_timestamp_decode(b, &info->timestamp_ns) == 0
            ? 0
            : bad(r, "the timestamp has not 8 bytes");
    case 's':
        if (val.n != 1 || val.p[0] < '0' || val.p[0] > '2')
            return bad(r, "unknown status");
        info->status = (v23_lib_discovery_ad_status)(val.p[0] - '0');
        return 0;
    default:
        return 0; /* of a later version */
    }
}

static int set(struct reader *r, struct vdl_str text)
{
    const char *eq = text.n == 0 ? NULL : memchr(text.p, '=', text.n);
    struct vdl_str key, val;

    if (eq == NULL)
        return bad(r, "a text is not key=value");
    key = vdl_strn(text.p, (size_t)(eq - text.p));
    val = vdl_strn(eq + 1, text.n - key.n - 1);
    if (key.n >= 2 && key.p[0] == '_' && key.p[1] == '_')
        return set_attachment(r, vdl_strn(key.p + 2, key.n - 2u), val);
    if (key.n != 0 && key.p[0] == '_')
        return key.n == 2 ? set_known(r, key.p[1], val) : 0;
    return set_attribute(r, key, val);
}

static int by_text(const void *a, const void *b)
{
    return vdl_str_cmp(*(const struct vdl_str *)a, *(const struct vdl_str *)b);
}

/* Put the pieces together and read what comes out. */
static int set_pieces(struct reader *r, struct vdl_str *v, size_t n)
{
    size_t i, j, size;
    char *text, *p;
    int rc = 0;

    qsort(v, n, sizeof(*v), by_text);
    for (i = 0; i < n && rc == 0; i = j) {
        size = 0;
        for (j = i; j < n && v[j].p[2] == v[i].p[2]; j++)
            size += v[j].n - PIECE_HEAD;
        if (size > VNAME_AD_TXT_MAX)
            return bad(r, "a text is too long");
        p = text = v23_arena_get(r->a, size, 1);
        if (text == NULL)
            return V23_ENOMEM;
        for (j = i; j < n && v[j].p[2] == v[i].p[2]; j++) {
            memcpy(p, v[j].p + PIECE_HEAD, v[j].n - PIECE_HEAD);
            p += v[j].n - PIECE_HEAD;
        }
        rc = set(r, vdl_strn(text, size));
    }
    return rc;
}

static int read_all(struct reader *r, vdl_str_list txt)
{
    struct vdl_str *pieces = v23_arena_get0(r->a, txt.n, sizeof(*pieces),
        V23_ALIGNOF(struct vdl_str));
    size_t n = 0;
    uint32_t i;
    int rc = 0;

    if (pieces == NULL)
        return V23_ENOMEM;
    for (i = 0; i < txt.n && rc == 0; i++) {
        struct vdl_str s = txt.v[i];

        if (!is_piece(s)) {
            rc = set(r, s);
            continue;
        }
        if (s.n < PIECE_HEAD || !is_index(s.p[2]) || !is_index(s.p[3])
            || s.p[4] != '=')
            return bad(r, "malformed piece of a long text");
        pieces[n++] = s;
    }
    return rc != 0 ? rc : set_pieces(r, pieces, n);
}

/* Addresses that are encrypted are neither shown nor called. */
const char *vname_ad_fault_(const v23_lib_discovery_ad_info *info)
{
    const v23_discovery_advertisement *ad = &info->ad;
    uint32_t i;

    if (!is_text(ad->interface_name))
        return "the interface name is not valid UTF-8";
    for (i = 0; i < ad->attributes.n; i++)
        if (!is_text(ad->attributes.v[i].key)
            || !is_text(ad->attributes.v[i].val))
            return "an attribute is not valid UTF-8";
    for (i = 0; i < ad->attachments.n; i++)
        if (!is_text(ad->attachments.v[i].key))
            return "the name of an attachment is not valid UTF-8";
    for (i = 0; i < info->dir_addrs.n; i++)
        if (!is_text(info->dir_addrs.v[i]))
            return "the address of a directory is not valid UTF-8";
    if (info->encryption_algorithm != V23_LIB_DISCOVERY_NO_ENCRYPTION)
        return NULL;
    for (i = 0; i < ad->addresses.n; i++)
        if (!is_text(ad->addresses.v[i]))
            return "an address is not valid UTF-8";
    return NULL;
}

int vname_ad_from_txt(const struct vname_deflate *z, struct vdl_str instance,
    vdl_str_list txt, struct v23_arena *a, v23_lib_discovery_ad_info *info,
    struct v23_buf *why)
{
    const char *dot = instance.n == 0 ? NULL
                                      : memchr(instance.p, '.', instance.n);
    struct reader *r = v23_arena_new(a, struct reader);
    const char *fault;
    int rc;

    if (r == NULL)
        return V23_ENOMEM;
    if (dot != NULL)
        instance.n = (uint32_t)(dot - instance.p);
    r->z = z;
    r->a = a;
    r->info = info;
    r->why = why;
    memset(info, 0, sizeof(*info));
    info->ad.attributes.v = r->attributes;
    info->ad.attachments.v = r->attachments;
    if (vname_ad_instance_parse(instance, &info->ad.id) != 0)
        return bad(r, "the instance is not the id of an advertisement");
    rc = read_all(r, txt);
    if (rc != 0)
        return rc;
    fault = vname_ad_fault_(info);
    return fault == NULL ? 0 : bad(r, fault);
}

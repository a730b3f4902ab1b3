/* BSD-3-Clause; see LICENSE. */
/* Advertisements as bytes: packed lists, times, digests. */
#include <stdlib.h>

#include <vname/discovery.h>

/* ---- numbers ------------------------------------------------------------- */

/* Seven bits per octet, the low ones first. */
static void put_number(struct v23_buf *out, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        v23_buf_put_byte(out, (uint8_t)(v | 0x80));
    v23_buf_put_byte(out, (uint8_t)v);
}

static int get_number(struct v23_bytes *in, uint64_t *out)
{
    uint64_t v = 0;
    unsigned shift;
    uint8_t c;

    for (shift = 0; shift < 64; shift += 7) {
        if (in->n == 0)
            return V23_EEOF;
        c = *in->p++;
        in->n--;
        if (shift == 63 && c > 1)
            return V23_EINT;
        v |= (uint64_t)(c & 0x7f) << shift;
        if (c < 0x80) {
            *out = v;
            return 0;
        }
    }
    return V23_EINT;
}

static int get_item(struct v23_bytes *in, struct v23_bytes *item)
{
    uint64_t n;
    int rc = get_number(in, &n);

    if (rc != 0)
        return rc;
    if (n > in->n)
        return V23_EEOF;
    *item = v23_bytes(in->p, (size_t)n);
    in->p += n;
    in->n -= (size_t)n;
    return 0;
}

static int count_items(struct v23_bytes in, size_t *n)
{
    struct v23_bytes item;
    int rc = 0;

    for (*n = 0; in.n != 0 && rc == 0; (*n)++)
        rc = get_item(&in, &item);
    return rc;
}

/* ---- addresses ----------------------------------------------------------- */

enum { PLAIN = 0, DEFLATED = 1 };

int vname_addresses_pack(const struct vname_deflate *z, vdl_str_list addresses,
    struct v23_buf *out)
{
    struct v23_buf plain, small;
    const struct v23_buf *best = &plain;
    uint32_t i;
    int rc;

    if (addresses.n == 0)
        return 0;
    v23_buf_init(&plain, out->al, SIZE_MAX);
    for (i = 0; i < addresses.n; i++) {
        put_number(&plain, addresses.v[i].n);
        v23_buf_put_str(&plain, addresses.v[i]);
    }
    v23_buf_init(&small, out->al, plain.n); /* more is of no use */
    rc = plain.err;
    if (rc == 0 && z != NULL) {
        rc = z->deflate(v23_bytes(plain.p, plain.n), &small);
        if (rc == 0 && small.n < plain.n)
            best = &small;
        else if (rc == V23_ELIMIT)
            rc = 0;
    }
    if (rc == 0) {
        v23_buf_put(out, best->p, best->n);
        v23_buf_put_byte(out, best == &small ? DEFLATED : PLAIN);
        rc = out->err;
    }
    v23_buf_fini(&small);
    v23_buf_fini(&plain);
    return rc;
}

static int unpack_plain(struct v23_bytes in, struct v23_arena *a,
    vdl_str_list *out)
{
    struct v23_bytes item;
    struct vdl_str *v;
    size_t n, i;
    int rc = count_items(in, &n);

    if (rc != 0)
        return rc;
    if (n > VNAME_AD_ADDRESSES_MAX)
        return V23_ELIMIT;
    v = v23_arena_get0(a, n, sizeof(*v), V23_ALIGNOF(struct vdl_str));
    if (v == NULL)
        return V23_ENOMEM;
    for (i = 0; i < n && rc == 0; i++) {
        rc = get_item(&in, &item);
        if (rc == 0) {
            v[i] = vdl_strn(v23_arena_dup(a, item.p, item.n), item.n);
            if (v[i].p == NULL)
                rc = V23_ENOMEM;
        }
    }
    if (rc == 0) {
        out->v = v;
        out->n = (uint32_t)n;
    }
    return rc;
}

int vname_addresses_unpack(const struct vname_deflate *z, struct v23_bytes in,
    struct v23_arena *a, vdl_str_list *out)
{
    static const vdl_str_list none;
    struct v23_buf plain;
    int rc;

    if (in.n == 0) {
        *out = none;
        return 0;
    }
    in.n--;
    switch (in.p[in.n]) {
    case PLAIN:
        return unpack_plain(in, a, out);
    case DEFLATED:
        break;
    default:
        return V23_ETEXT;
    }
    if (z == NULL)
        return V23_ENOSYS;
    v23_buf_init(&plain, a->al, VNAME_AD_UNPACKED_MAX);
    rc = z->inflate(in, &plain);
    if (rc == 0)
        rc = unpack_plain(v23_bytes(plain.p, plain.n), a, out);
    v23_buf_fini(&plain);
    return rc;
}

/* ---- keys, times --------------------------------------------------------- */

int vname_ad_keys_pack(v23_lib_discovery_encryption_algorithm alg,
    v23_lib_discovery_encryption_key_list keys, struct v23_buf *out)
{
    uint32_t i;

    put_number(out, (uint64_t)(int64_t)alg);
    for (i = 0; i < keys.n; i++) {
        put_number(out, keys.v[i].n);
        v23_buf_put(out, keys.v[i].p, keys.v[i].n);
    }
    return out->err;
}

int vname_ad_keys_unpack(struct v23_bytes in, struct v23_arena *a,
    v23_lib_discovery_encryption_algorithm *alg,
    v23_lib_discovery_encryption_key_list *keys)
{
    v23_lib_discovery_encryption_key *v;
    struct v23_bytes item;
    uint64_t number;
    size_t n, i;
    int rc = get_number(&in, &number);

    if (rc == 0)
        rc = count_items(in, &n);
    if (rc != 0)
        return rc;
    if (number > INT32_MAX)
        return V23_EINT;
    v = v23_arena_get0(a, n, sizeof(*v), V23_ALIGNOF(struct vdl_bytes));
    if (v == NULL)
        return V23_ENOMEM;
    for (i = 0; i < n && rc == 0; i++) {
        rc = get_item(&in, &item);
        if (rc == 0)
            v[i] = vdl_bytes(item.p, item.n);
    }
    if (rc == 0) {
        *alg = (v23_lib_discovery_encryption_algorithm)number;
        keys->v = v;
        keys->n = (uint32_t)n;
    }
    return rc;
}

void vname_ad_timestamp_encode(int64_t ns, uint8_t out[8])
{
    int i;

    for (i = 0; i < 8; i++)
        out[i] = (uint8_t)((uint64_t)ns >> 8 * i);
}

int vname_ad_timestamp_decode(struct v23_bytes in, int64_t *ns)
{
    uint64_t v = 0;
    int i;

    if (in.n != 8)
        return V23_ELENGTH;
    for (i = 7; i >= 0; i--)
        v = v << 8 | in.p[i];
    memcpy(ns, &v, sizeof(v)); /* two's complement */
    return 0;
}

/* ---- digest -------------------------------------------------------------- */

/* The digest of some digests, of which the whole is made. */
struct part {
    const struct vsec_hash_alg *sha256;
    struct vsec_hash h;
    int err;
};

static void part_begin(struct part *p, const struct vsec_hash_alg *sha256)
{
    p->sha256 = sha256;
    p->err = 0;
    vsec_hash_init(&p->h, sha256);
}

/* Add the digest of n octets. */
static void part_add(struct part *p, const void *octets, size_t n)
{
    uint8_t digest[VSEC_HASH_MAX];

    if (p->err == 0)
        p->err = vsec_hash(p->sha256, octets, n, digest);
    if (p->err == 0)
        vsec_hash_update(&p->h, digest, p->sha256->size);
}

/* Add what p has come to, as it is. */
static void part_end(struct part *p, struct part *to)
{
    uint8_t digest[VSEC_HASH_MAX];
    int rc = vsec_hash_final(&p->h, digest);

    if (p->err == 0)
        p->err = rc;
    if (to->err == 0)
        to->err = p->err;
    if (to->err == 0)
        vsec_hash_update(&to->h, digest, p->sha256->size);
}

/* A key and the octets it stands for. */
struct pair {
    struct vdl_str key;
    struct vdl_bytes val;
};

static int by_key(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;

    return vdl_str_cmp(x->key, y->key);
}

static void add_pairs(struct part *whole, struct pair *v, size_t n)
{
    struct part p;
    size_t i;

    qsort(v, n, sizeof(*v), by_key);
    part_begin(&p, whole->sha256);
    for (i = 0; i < n; i++) {
        part_add(&p, v[i].key.p, v[i].key.n);
        part_add(&p, v[i].val.p, v[i].val.n);
    }
    part_end(&p, whole);
}

static void add_encryption(struct part *whole,
    const v23_lib_discovery_ad_info *info)
{
    uint32_t alg = (uint32_t)info->encryption_algorithm, i;
    uint8_t le[4] = { (uint8_t)alg, (uint8_t)(alg >> 8), (uint8_t)(alg >> 16),
        (uint8_t)(alg >> 24) };
    struct part p;

    part_begin(&p, whole->sha256);
    part_add(&p, le, sizeof(le));
    for (i = 0; i < info->encryption_keys.n; i++)
        part_add(&p, info->encryption_keys.v[i].p,
            info->encryption_keys.v[i].n);
    part_end(&p, whole);
}

int vname_ad_hash(const struct vsec_hash_alg *sha256,
    const v23_lib_discovery_ad_info *info, struct v23_arena *scratch,
    v23_lib_discovery_ad_hash *hash)
{
    const v23_discovery_advertisement *ad = &info->ad;
    uint8_t digest[VSEC_HASH_MAX];
    struct part whole, p;
    struct pair *v;
    uint32_t i;
    int rc;

    v = v23_arena_get0(scratch, (size_t)ad->attributes.n + ad->attachments.n,
        sizeof(*v), V23_ALIGNOF(struct pair));
    if (v == NULL)
        return V23_ENOMEM;
    if (sha256 == NULL)
        return V23_ENOSYS;
    part_begin(&whole, sha256);
    part_add(&whole, ad->id.v, sizeof(ad->id.v));
    part_add(&whole, ad->interface_name.p, ad->interface_name.n);
    part_begin(&p, sha256);
    for (i = 0; i < ad->addresses.n; i++)
        part_add(&p, ad->addresses.v[i].p, ad->addresses.v[i].n);
    part_end(&p, &whole);
    for (i = 0; i < ad->attributes.n; i++) {
        struct vdl_str val = ad->attributes.v[i].val;

        v[i].key = ad->attributes.v[i].key;
        v[i].val = vdl_bytes((const uint8_t *)val.p, val.n);
    }
    add_pairs(&whole, v, i);
    for (i = 0; i < ad->attachments.n; i++) {
        v[i].key = ad->attachments.v[i].key;
        v[i].val = ad->attachments.v[i].val;
    }
    add_pairs(&whole, v, i);
    add_encryption(&whole, info);
    rc = vsec_hash_final(&whole.h, digest);
    if (whole.err != 0)
        rc = whole.err;
    if (rc == 0)
        memcpy(hash->v, digest, sizeof(hash->v));
    return rc;
}

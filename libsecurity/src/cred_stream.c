/* BSD-3-Clause; see LICENSE. */
/*
 * Signed streams (spec 12.4): hashes of the chunks of a payload and a signature
 * over them, as one VOM stream beside the payload. Memory to memory.
 *
 * Reading is strict where the reference implementation is not: a stream
 * without signature, octets behind it and payload that no hash covers are
 * refused.
 */
#include <vsec/credentials.h>

#include <v23/vdl/v.io/x/ref/lib/security/serialization/serialization.vdl.h>
#include <vom/dec.h>
#include <vom/enc.h>

enum { CODE = 32 };

/* Begin the hash of what is signed: chunk size, then all chunk hashes. */
static void begin_sum(struct vsec_hash *h, const struct vsec_crypto *c,
    uint64_t chunk)
{
    uint8_t le[8];
    int i;

    for (i = 0; i < 8; i++)
        le[i] = (uint8_t)(chunk >> (8 * i));
    vsec_hash_init(h, c->sha256);
    vsec_hash_update(h, le, sizeof(le));
}

/* ---- writing ------------------------------------------------------------- */

static int put_chunks(struct vom_enc *e, const struct vsec_crypto *c,
    struct v23_bytes data, uint32_t chunk, struct vsec_hash *sum)
{
    v23_serialization_signed_data item;
    size_t n;
    int rc = 0;

    memset(&item, 0, sizeof(item));
    item.which = V23_SERIALIZATION_SIGNED_DATA_HASH;
    for (; rc == 0 && data.n > 0; data.p += n, data.n -= n) {
        n = data.n < chunk ? data.n : chunk;
        rc = vsec_hash(c->sha256, data.p, n, item.u.hash.v);
        vsec_hash_update(sum, item.u.hash.v, CODE);
        if (rc == 0)
            rc = vom_encode(e, &v23_serialization_signed_data_desc, &item);
    }
    return rc;
}

static int put_signature(struct vom_enc *e, struct vsec_signer *s,
    struct vsec_hash *sum)
{
    static const uint8_t purpose[] = VSEC_PURPOSE_MESSAGE;
    v23_serialization_signed_data item;
    struct vsec_signature sig;
    struct v23_arena a;
    uint8_t digest[CODE];
    int rc = vsec_hash_final(sum, digest);

    if (rc != 0)
        return rc;
    v23_arena_init(&a, s->pub->engine->al, SIZE_MAX);
    rc = vsec_sign(s, vdl_bytes(purpose, sizeof(purpose) - 1), digest, CODE,
        &a, &sig, NULL);
    if (rc == 0) {
        memset(&item, 0, sizeof(item));
        item.which = V23_SERIALIZATION_SIGNED_DATA_SIGNATURE;
        item.u.signature = vsec_signature_to_wire(&sig);
        rc = vom_encode(e, &v23_serialization_signed_data_desc, &item);
    }
    v23_arena_fini(&a);
    return rc;
}

int vsec_stream_sign(struct vsec_signer *s, struct v23_bytes data,
    uint32_t chunk, struct v23_buf *sig)
{
    const struct vsec_engine *engine = s->pub->engine;
    v23_serialization_signed_header header;
    struct vom_typeenc te;
    struct vom_enc e;
    struct vsec_hash sum;
    int rc;

    if (chunk == 0)
        return V23_EARG;
    vom_typeenc_init(&te, engine->al, sig);
    vom_enc_init(&e, &te, sig);
    header.chunk_size_bytes = chunk;
    rc = vom_encode(&e, &v23_serialization_signed_header_desc, &header);
    begin_sum(&sum, engine->crypto, chunk);
    if (rc == 0)
        rc = put_chunks(&e, engine->crypto, data, chunk, &sum);
    if (rc == 0)
        rc = put_signature(&e, s, &sum);
    vom_enc_fini(&e);
    vom_typeenc_fini(&te);
    return rc;
}

/* ---- reading ------------------------------------------------------------- */

struct reader {
    const struct vsec_pubkey *key;
    struct v23_bytes data, sig; /* what is still to be read */
    struct vom_dec dec;
    struct v23_arena a;
    struct vsec_hash sum;
    uint64_t chunk;
};

/* The next value of the signature stream; the end of it is V23_ETAMPERED. */
static int next(struct reader *r, const struct vdl_type *t, void *out)
{
    struct vom_msg msg;
    size_t used;
    int rc = vom_dec_next(&r->dec, r->sig.p, r->sig.n, &used, &msg);

    if (rc == V23_EAGAIN)
        return V23_ETAMPERED;
    if (rc != 0)
        return rc;
    rc = vom_dec_value(&r->dec, &msg, &r->a, t, out);
    r->sig.p += used;
    r->sig.n -= used;
    return rc == V23_EAGAIN ? V23_ETAMPERED : rc;
}

static int read_header(struct reader *r)
{
    v23_serialization_signed_header h;
    int rc = next(r, &v23_serialization_signed_header_desc, &h);

    if (rc != 0)
        return rc;
    if (h.chunk_size_bytes <= 0)
        return V23_ETAMPERED;
    r->chunk = (uint64_t)h.chunk_size_bytes;
    begin_sum(&r->sum, r->key->engine->crypto, r->chunk);
    return 0;
}

/* A hash must be that of the next chunk, which must not be empty. */
static int check_chunk(struct reader *r, const uint8_t hash[CODE])
{
    size_t n = r->data.n < r->chunk ? r->data.n : (size_t)r->chunk;
    uint8_t digest[CODE];
    int rc;

    if (n == 0)
        return V23_ETAMPERED;
    rc = vsec_hash(r->key->engine->crypto->sha256, r->data.p, n, digest);
    if (rc != 0)
        return rc;
    if (memcmp(digest, hash, CODE) != 0)
        return V23_ETAMPERED;
    vsec_hash_update(&r->sum, hash, CODE);
    r->data.p += n;
    r->data.n -= n;
    return 0;
}

static int check_signature(struct reader *r, const v23_security_signature *s)
{
    struct vsec_signature sig = vsec_signature_of(s);
    uint8_t digest[CODE];
    int rc = vsec_hash_final(&r->sum, digest);

    if (rc != 0)
        return rc;
    if (!vdl_str_is(vdl_strn((const char *)sig.purpose.p, sig.purpose.n),
            VSEC_PURPOSE_MESSAGE))
        return V23_ESIG;
    rc = vsec_verify(r->key, &sig, digest, CODE);
    if (rc == 0 && (r->sig.n > 0 || r->data.n > 0))
        rc = V23_ETAMPERED;
    return rc;
}

static int read_all(struct reader *r)
{
    v23_serialization_signed_data item;
    struct v23_arena_mark m;
    int rc = read_header(r);

    while (rc == 0) {
        m = v23_arena_mark(&r->a);
        rc = next(r, &v23_serialization_signed_data_desc, &item);
        if (rc != 0)
            break;
        if (item.which == V23_SERIALIZATION_SIGNED_DATA_SIGNATURE)
            return check_signature(r, &item.u.signature);
        rc = check_chunk(r, item.u.hash.v);
        v23_arena_rewind(&r->a, m);
    }
    return rc;
}

int vsec_stream_verify(const struct vsec_pubkey *k, struct v23_bytes data,
    struct v23_bytes sig)
{
    const struct v23_alloc *al = k->engine->al;
    struct vom_typedec *td;
    struct reader r;
    int rc = vom_typedec_new(al, NULL, &td);

    if (rc != 0)
        return rc;
    memset(&r, 0, sizeof(r));
    r.key = k;
    r.data = data;
    r.sig = sig;
    v23_arena_init(&r.a, al, SIZE_MAX);
    vom_dec_init(&r.dec, al, td, false);
    rc = read_all(&r);
    vom_dec_fini(&r.dec);
    v23_arena_fini(&r.a);
    vom_typedec_unref(td);
    return rc;
}

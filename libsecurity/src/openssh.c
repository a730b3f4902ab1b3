/* BSD-3-Clause; see LICENSE. */
/*
 * OpenSSH's forms of keys: authorized_keys lines, the binary form inside them,
 * and openssh-key-v1 private key files, plain or encrypted.
 *
 * Sources: RFC 4253 6.6, RFC 5656 3.1, RFC 8709 4, PROTOCOL.key of OpenSSH.
 */
#include "ssh_int.h"

enum { MAX_ROUNDS = 4096 }; /* of bcrypt: about a minute of work */

/* ---- the binary form ---------------------------------------------------- */

/* Kind of key that a type name stands for. */
static int key_type(struct v23_bytes name, enum vsec_kind *kind,
    enum vsec_curve *curve)
{
    static const char ecdsa[] = "ecdsa-sha2-";
    const size_t n = sizeof(ecdsa) - 1;
    const struct vsec_curve_ *c;

    *curve = VSEC_CURVE_NONE;
    if (vsec_ssh_is_(name, "ssh-ed25519")) {
        *kind = VSEC_ED25519;
        return 0;
    }
    if (vsec_ssh_is_(name, "ssh-rsa")) {
        *kind = VSEC_RSA;
        return 0;
    }
    if (name.n <= n || memcmp(name.p, ecdsa, n) != 0)
        return V23_EKEY;
    c = vsec_curve_by_ssh_(v23_bytes(name.p + n, name.n - n));
    if (c == NULL)
        return V23_EKEY;
    *kind = VSEC_ECDSA;
    *curve = c->curve;
    return 0;
}

/* Curve name and point; the name must be that of the type. */
static int take_point(struct v23_bytes *in, enum vsec_curve curve,
    struct v23_bytes *point)
{
    struct v23_bytes name;
    const struct vsec_curve_ *c;

    if (vsec_ssh_take_string_(in, &name) != 0
        || vsec_ssh_take_string_(in, point) != 0)
        return V23_EKEY;
    c = vsec_curve_by_ssh_(name);
    return c != NULL && c->curve == curve ? 0 : V23_EKEY;
}

int vsec_ssh_blob_parse(struct vsec_engine *e, struct v23_bytes blob,
    struct vsec_pubkey **out)
{
    struct vsec_raw_key raw;
    struct v23_bytes in = blob, name;
    const struct vsec_alg *alg;
    enum vsec_kind kind = VSEC_ECDSA;
    enum vsec_curve curve;
    void *shared;
    int rc;

    memset(&raw, 0, sizeof(raw));
    rc = vsec_ssh_take_string_(&in, &name);
    if (rc == 0)
        rc = key_type(name, &kind, &curve);
    if (rc != 0)
        return rc;
    switch (kind) {
    case VSEC_ECDSA:
        rc = take_point(&in, curve, &raw.pub);
        break;
    case VSEC_ED25519:
        rc = vsec_ssh_take_string_(&in, &raw.pub);
        break;
    case VSEC_RSA:
        rc = vsec_ssh_take_mpint_(&in, &raw.e);
        if (rc == 0)
            rc = vsec_ssh_take_mpint_(&in, &raw.n);
        break;
    }
    if (rc == 0 && in.n != 0)
        rc = V23_EKEY;
    if (rc == 0)
        rc = vsec_engine_alg_(e, kind, curve, &alg, &shared);
    if (rc == 0)
        rc = vsec_pubkey_from_raw_(e, alg, &raw, out);
    return rc;
}

const char *vsec_ssh_type_(const struct vsec_pubkey *k)
{
    switch (k->alg->curve) {
    case VSEC_P256:
        return "ecdsa-sha2-nistp256";
    case VSEC_P384:
        return "ecdsa-sha2-nistp384";
    case VSEC_P521:
        return "ecdsa-sha2-nistp521";
    case VSEC_P224:
        return NULL;
    case VSEC_CURVE_NONE:
        break;
    }
    return k->alg->kind == VSEC_RSA ? "ssh-rsa" : "ssh-ed25519";
}

int vsec_ssh_blob_put(const struct vsec_pubkey *k, struct v23_buf *out)
{
    const char *type = vsec_ssh_type_(k), *curve;
    struct vsec_raw_key raw;
    size_t before = out->n;
    int rc;

    if (type == NULL)
        return V23_ENOSYS;
    if (out->err != 0)
        return out->err;
    rc = vsec_pubkey_raw_(k, &raw);
    if (rc != 0)
        return rc;
    vsec_ssh_put_string_(out, type, strlen(type));
    switch (k->alg->kind) {
    case VSEC_ECDSA:
        curve = vsec_curve_by_id_(k->alg->curve)->ssh;
        vsec_ssh_put_string_(out, curve, strlen(curve));
        vsec_ssh_put_string_(out, raw.pub.p, raw.pub.n);
        break;
    case VSEC_ED25519:
        vsec_ssh_put_string_(out, raw.pub.p, raw.pub.n);
        break;
    case VSEC_RSA:
        vsec_ssh_put_mpint_(out, raw.e);
        vsec_ssh_put_mpint_(out, raw.n);
        break;
    }
    rc = out->err;
    if (rc != 0)
        v23_buf_cut(out, before);
    return rc;
}

/* ---- authorized_keys lines ---------------------------------------------- */

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_blanks(struct v23_bytes *in)
{
    while (in->n > 0 && is_blank(in->p[0])) {
        in->p++;
        in->n--;
    }
}

/* Take a word off; white space inside double quotes belongs to it. */
static struct v23_bytes take_word(struct v23_bytes *in)
{
    struct v23_bytes word;
    bool quoted = false;
    size_t n = 0;

    skip_blanks(in);
    for (; n < in->n && (quoted || !is_blank(in->p[n])); n++)
        if (in->p[n] == '"' && (n == 0 || in->p[n - 1] != '\\'))
            quoted = !quoted;
    word = v23_bytes(in->p, n);
    in->p += n;
    in->n -= n;
    return word;
}

int vsec_ssh_pubkey_parse(struct vsec_engine *e, struct v23_bytes line,
    struct vsec_pubkey **out)
{
    struct v23_bytes in = line, type, blob, name;
    enum vsec_kind kind;
    enum vsec_curve curve;
    struct v23_buf b;
    int rc;

    type = take_word(&in);
    if (key_type(type, &kind, &curve) != 0)
        type = take_word(&in); /* the first word were options */
    blob = take_word(&in);
    if (key_type(type, &kind, &curve) != 0 || blob.n == 0
        || blob.n > KEY_FILE_MAX)
        return V23_EKEY;
    v23_buf_init(&b, e->al, KEY_FILE_MAX);
    rc = v23_base64_parse((const char *)blob.p, blob.n, false, &b);
    if (rc == V23_ETEXT)
        rc = V23_EKEY;
    blob = v23_bytes(b.p, b.n);
    in = blob;
    if (rc == 0
        && (vsec_ssh_take_string_(&in, &name) != 0 || name.n != type.n
            || memcmp(name.p, type.p, name.n) != 0))
        rc = V23_EKEY;
    if (rc == 0)
        rc = vsec_ssh_blob_parse(e, blob, out);
    v23_buf_fini(&b);
    return rc;
}

int vsec_ssh_pubkey_put(const struct vsec_pubkey *k, struct v23_buf *out)
{
    size_t before = out->n;
    struct v23_buf b;
    int rc;

    v23_buf_init(&b, k->engine->al, KEY_FILE_MAX);
    rc = vsec_ssh_blob_put(k, &b);
    if (rc == 0) {
        v23_buf_puts(out, vsec_ssh_type_(k));
        v23_buf_put_byte(out, ' ');
        v23_base64_put(out, b.p, b.n, false);
        rc = out->err;
        if (rc != 0)
            v23_buf_cut(out, before);
    }
    v23_buf_fini(&b);
    return rc;
}

/* ---- private key files -------------------------------------------------- */

/* The key's own numbers, behind its type. */
static int take_private(struct v23_bytes *in, enum vsec_kind kind,
    enum vsec_curve curve, uint8_t d[KEY_FIELD_MAX], struct vsec_raw_key *raw)
{
    struct v23_bytes v, qi;

    switch (kind) {
    case VSEC_ECDSA:
        if (take_point(in, curve, &raw->pub) != 0
            || vsec_ssh_take_mpint_(in, &v) != 0)
            return V23_EKEY;
        return vsec_ec_scalar_(curve, v, d, &raw->priv);
    case VSEC_ED25519:
        if (vsec_ssh_take_string_(in, &raw->pub) != 0
            || vsec_ssh_take_string_(in, &v) != 0
            || v.n != 64 || raw->pub.n != 32
            || memcmp(v.p + 32, raw->pub.p, 32) != 0)
            return V23_EKEY;
        raw->priv = v23_bytes(v.p, 32);
        return 0;
    case VSEC_RSA:
        if (vsec_ssh_take_mpint_(in, &raw->n) != 0
            || vsec_ssh_take_mpint_(in, &raw->e) != 0
            || vsec_ssh_take_mpint_(in, &raw->d) != 0
            || vsec_ssh_take_mpint_(in, &qi) != 0
            || vsec_ssh_take_mpint_(in, &raw->p) != 0
            || vsec_ssh_take_mpint_(in, &raw->q) != 0)
            return V23_EKEY;
        return 0;
    }
    return V23_EKEY;
}

/* The decrypted part: two equal check numbers, one key, comment, 1 2 3 … */
static int open_plain(struct vsec_engine *e, struct v23_bytes in,
    bool encrypted, struct vsec_signer **out)
{
    struct v23_bytes name, comment;
    struct vsec_raw_key raw;
    enum vsec_kind kind = VSEC_ECDSA;
    enum vsec_curve curve;
    uint8_t d[KEY_FIELD_MAX];
    uint32_t a, b;
    size_t i;
    int rc;

    if (vsec_ssh_take_u32_(&in, &a) != 0 || vsec_ssh_take_u32_(&in, &b) != 0)
        return V23_EKEY;
    if (a != b)
        return encrypted ? V23_EBADPASSPHRASE : V23_EKEY;
    memset(&raw, 0, sizeof(raw));
    rc = vsec_ssh_take_string_(&in, &name);
    if (rc == 0)
        rc = key_type(name, &kind, &curve);
    if (rc == 0)
        rc = take_private(&in, kind, curve, d, &raw);
    if (rc == 0)
        rc = vsec_ssh_take_string_(&in, &comment);
    for (i = 0; rc == 0 && i < in.n; i++)
        if (in.p[i] != (uint8_t)(i + 1))
            rc = V23_EKEY;
    if (rc == 0)
        rc = vsec_signer_from_raw_(e, kind, curve, &raw, out);
    v23_wipe(d, sizeof(d));
    return rc;
}

struct file {
    struct v23_bytes cipher, kdf, options, pub, data;
};

static int take_file(struct v23_bytes in, struct file *f)
{
    static const char magic[] = "openssh-key-v1"; /* with its NUL */
    uint32_t keys;

    if (in.n < sizeof(magic) || memcmp(in.p, magic, sizeof(magic)) != 0)
        return V23_EKEY;
    in.p += sizeof(magic);
    in.n -= sizeof(magic);
    if (vsec_ssh_take_string_(&in, &f->cipher) != 0
        || vsec_ssh_take_string_(&in, &f->kdf) != 0
        || vsec_ssh_take_string_(&in, &f->options) != 0
        || vsec_ssh_take_u32_(&in, &keys) != 0 || keys != 1
        || vsec_ssh_take_string_(&in, &f->pub) != 0
        || vsec_ssh_take_string_(&in, &f->data) != 0 || in.n != 0)
        return V23_EKEY;
    return 0;
}

/* Decrypt f->data in `b`, where a copy of it is. */
static int decrypt(const struct vsec_crypto *c, const struct file *f,
    struct v23_bytes pass, struct v23_buf *b)
{
    struct v23_bytes options = f->options, salt;
    uint8_t key[32 + 16];
    uint32_t rounds;
    bool ctr = vsec_ssh_is_(f->cipher, "aes256-ctr");
    int rc;

    if (!vsec_ssh_is_(f->kdf, "bcrypt")
        || (!ctr && !vsec_ssh_is_(f->cipher, "aes256-cbc"))
        || vsec_ssh_take_string_(&options, &salt) != 0
        || vsec_ssh_take_u32_(&options, &rounds) != 0 || options.n != 0
        || salt.n == 0 || b->n % 16 != 0)
        return V23_EKEY;
    if (pass.n == 0)
        return V23_EPASSPHRASE;
    if (rounds == 0 || rounds > MAX_ROUNDS)
        return V23_ELIMIT;
    if (c->cipher == NULL)
        return V23_ENOSYS;
    rc = vsec_bcrypt_pbkdf_(c->sha512, pass, salt, rounds, key, sizeof(key));
    if (rc == 0 && ctr)
        rc = c->cipher->aes_ctr(v23_bytes(key, 32), key + 32, b->p, b->n);
    else if (rc == 0)
        rc = c->cipher->aes_cbc(false, v23_bytes(key, 32), key + 32, b->p,
            b->n);
    v23_wipe(key, sizeof(key));
    return rc;
}

int vsec_openssh_open_(struct vsec_engine *e, struct v23_bytes body,
    struct v23_bytes pass, struct vsec_signer **out)
{
    struct file f;
    struct v23_buf b;
    int rc = take_file(body, &f);

    if (rc != 0)
        return rc;
    if (vsec_ssh_is_(f.cipher, "none"))
        return vsec_ssh_is_(f.kdf, "none") ? open_plain(e, f.data, false, out)
                                 : V23_EKEY;
    v23_buf_init(&b, e->secret, KEY_FILE_MAX);
    if (f.data.n > 0)
        rc = v23_buf_room(&b, f.data.n);
    if (rc == 0) {
        v23_buf_put(&b, f.data.p, f.data.n);
        rc = decrypt(e->crypto, &f, pass, &b);
    }
    if (rc == 0)
        rc = open_plain(e, v23_bytes(b.p, b.n), true, out);
    vsec_wipe_buf_(&b);
    return rc;
}

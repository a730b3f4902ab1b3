/* BSD-3-Clause; see LICENSE. */
/** What the sources about keys share. */
#ifndef VSEC_KEY_INT_H
#define VSEC_KEY_INT_H

#include <vsec/key.h>

enum {
    KEY_FIELD_MAX = 66,                /* octets of a P-521 coordinate */
    KEY_POINT_MAX = 1 + 2 * KEY_FIELD_MAX,
    KEY_FILE_MAX = 1 << 20,            /* longest key file */
    /* Room for a private key's material or any of its encodings but PEM. */
    KEY_RAW_MAX = 6 * VSEC_SIG_MAX
};

/* The engine's algorithm and its shared state; V23_EKEY: not listed. */
int vsec_engine_alg_(struct vsec_engine *e, enum vsec_kind kind,
    enum vsec_curve curve, const struct vsec_alg **alg, void **shared);

/* Facts about a named curve. */
struct vsec_curve_ {
    enum vsec_curve curve;
    uint16_t field;       /* octets of a coordinate and of d */
    uint16_t bits;
    struct v23_bytes oid; /* content octets */
    const char *ssh;      /* "nistp256"; NULL: ssh has no such keys */
};
/* NULL when unknown. */
const struct vsec_curve_ *vsec_curve_by_oid_(struct v23_bytes oid);
const struct vsec_curve_ *vsec_curve_by_id_(enum vsec_curve id);
const struct vsec_curve_ *vsec_curve_by_ssh_(struct v23_bytes name);

/* Object identifiers (content octets) of key algorithms. */
extern const struct v23_bytes vsec_oid_ec_, vsec_oid_rsa_, vsec_oid_ed25519_;

/* Unsigned numbers without their leading zeros. */
struct v23_bytes vsec_strip_zeros_(struct v23_bytes v);
/* Is this point of Ed25519 encoded the one way, and not of low order? */
bool vsec_ed25519_sound_(const uint8_t point[32]);

/*
 * Verify a raw value as it was received over a ready digest (as
 * vsec_alg.verify). What does not take arithmetic is checked here, so that
 * providers agree in it.
 * 0, V23_ESIG, V23_ENOMEM, V23_ECRYPTO.
 */
int vsec_verify_digest_(const struct vsec_pubkey *k,
    const struct vsec_hash_alg *h, struct v23_bytes digest,
    struct vsec_sigval sig);

/* Append AlgorithmIdentifier and SubjectPublicKeyInfo. */
void vsec_spki_put_alg_(const struct vsec_alg *alg, struct v23_buf *b);
void vsec_spki_put_(const struct vsec_alg *alg, const struct vsec_raw_key *raw,
    struct v23_buf *b);
/* Take an AlgorithmIdentifier of a key off *in; EC without named curve has
 * VSEC_CURVE_NONE. */
int vsec_spki_take_alg_(struct v23_bytes *in, enum vsec_kind *kind,
    enum vsec_curve *curve);
/* Key of raw material, parsed by way of its SubjectPublicKeyInfo. */
int vsec_pubkey_from_raw_(struct vsec_engine *e, const struct vsec_alg *alg,
    const struct vsec_raw_key *raw, struct vsec_pubkey **out);
/* Material of a key. */
int vsec_pubkey_raw_(const struct vsec_pubkey *k, struct vsec_raw_key *raw);

/* Software signer of raw material. */
int vsec_signer_from_raw_(struct vsec_engine *e, enum vsec_kind kind,
    enum vsec_curve curve, const struct vsec_raw_key *raw,
    struct vsec_signer **out);
/* ECDSA material in `raw->priv` of any length is brought to the field's size,
 * in `d`; V23_EKEY when it is too long. */
int vsec_ec_scalar_(enum vsec_curve curve, struct v23_bytes v,
    uint8_t d[KEY_FIELD_MAX], struct v23_bytes *out);

/* Wipe everything a buffer ever held and release it. */
void vsec_wipe_buf_(struct v23_buf *b);
/* Cut a buffer back to n octets and wipe the rest. */
void vsec_wipe_cut_(struct v23_buf *b, size_t n);

/*
 * Encrypted key files (keycrypt.c). The results of opening go to an empty
 * buffer, which the caller gives to vsec_wipe_buf_ whatever is returned:
 * 0, V23_EPASSPHRASE, V23_EBADPASSPHRASE, V23_EKEY, V23_ENOSYS, V23_ELIMIT,
 * V23_ENOMEM, V23_ECRYPTO.
 */
int vsec_pbes2_open_(const struct vsec_crypto *c, struct v23_bytes der,
    struct v23_bytes pass, struct v23_buf *plain);
/* Append an EncryptedPrivateKeyInfo. */
int vsec_pbes2_seal_(struct vsec_engine *e, struct v23_bytes plain,
    struct v23_bytes pass, struct v23_buf *out);
/* RFC 1423; `dek` is the value of the DEK-Info header. */
int vsec_rfc1423_open_(const struct vsec_crypto *c, struct vdl_str dek,
    struct v23_bytes body, struct v23_bytes pass, struct v23_buf *plain);

/* Signer of an openssh-key-v1 file's octets (openssh.c). */
int vsec_openssh_open_(struct vsec_engine *e, struct v23_bytes body,
    struct v23_bytes pass, struct vsec_signer **out);

/*
 * bcrypt_pbkdf of OpenSSH (bcrypt.c): n (1 .. 1,024) octets of a passphrase.
 * 0, V23_EARG, V23_ENOSYS, V23_ECRYPTO.
 */
int vsec_bcrypt_pbkdf_(const struct vsec_hash_alg *sha512, struct v23_bytes pass,
    struct v23_bytes salt, uint32_t rounds, uint8_t *out, size_t n);
/* Hexadecimal digits of the fraction of pi: Blowfish's initial state. */
extern const uint32_t vsec_bcrypt_pi_[18 + 4 * 256];

#endif

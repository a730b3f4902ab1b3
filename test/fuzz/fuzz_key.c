/* BSD-3-Clause; see LICENSE. */
/*
 * Fuzz target of keys. The first octet says what the rest is (bits 0 to 2), and
 * with bit 3 that the real provider reads it instead of the cheap one. What is
 * read is written in every form there is, and read again as the same key.
 */
#include "cheap.h"

enum {
    FILE_PLAIN,
    FILE_PASS,
    PUBLIC_FILE,
    SSH_LINE,
    SPKI,
    PKCS8,
    SEC1,
    SSH_BLOB
};

static const struct v23_bytes none = {NULL, 0};
static const struct v23_bytes pass = {(const uint8_t *)"correct", 7};

static struct vsec_engine *real_engine(void)
{
    static struct vsec_engine *e;

    if (e == NULL)
        check(vsec_engine_new(&e, &vsec_crypto_default, NULL, NULL) == 0);
    return e;
}

/* ---- public keys --------------------------------------------------------- */

static void expect(int rc, struct vsec_pubkey *got,
    const struct vsec_pubkey *want)
{
    check(rc == 0);
    check(vsec_pubkey_eq(got, want));
    vsec_pubkey_unref(got);
}

static void check_ssh(struct vsec_engine *e, const struct vsec_pubkey *k)
{
    struct vsec_pubkey *again;
    struct v23_buf b;
    int rc;

    v23_buf_init(&b, NULL, 1u << 20);
    rc = vsec_ssh_pubkey_put(k, &b);
    if (rc == 0) {
        rc = vsec_ssh_pubkey_parse(e, v23_bytes(b.p, b.n), &again);
        expect(rc, again, k);
        v23_buf_cut(&b, 0);
        check(vsec_ssh_blob_put(k, &b) == 0);
        rc = vsec_ssh_blob_parse(e, v23_bytes(b.p, b.n), &again);
        expect(rc, again, k);
    }
    v23_buf_fini(&b);
}

static void check_public(struct vsec_engine *e, const struct vsec_pubkey *k)
{
    char text[VSEC_FINGERPRINT];
    struct vsec_pubkey_file f;
    struct vsec_pubkey *again;
    struct v23_buf b;
    int rc = vsec_pubkey_parse(e, k->der, &again);

    expect(rc, again, k);
    check(vsec_fingerprint(e->crypto, k->der, text) == 0);
    v23_buf_init(&b, NULL, 1u << 20);
    check(vsec_pubkey_pem_put(k->der, &b) == 0);
    check(vsec_pubkey_file_read(e, v23_bytes(b.p, b.n), &f) == 0);
    check(f.key != NULL && vsec_pubkey_eq(f.key, k));
    vsec_pubkey_file_fini(&f);
    v23_buf_fini(&b);
    check_ssh(e, k);
}

/* ---- private keys -------------------------------------------------------- */

static void reread(struct vsec_engine *e, const struct vsec_signer *s,
    const struct v23_buf *text, struct v23_bytes secret)
{
    struct vsec_key_file f;

    check(vsec_key_file_read(e, v23_bytes(text->p, text->n), secret, &f) ==
          0);
    /* PKCS#8 has no public key of Ed25519; the cheap ones are made up. */
    check(f.place == VSEC_KEY_HERE &&
          (vsec_pubkey_eq(f.signer->pub, s->pub) ||
              (e == cheap_engine() && s->pub->alg->kind == VSEC_ED25519)));
    vsec_key_file_fini(&f);
}

static void check_private(struct vsec_engine *e, struct vsec_signer *s)
{
    struct v23_buf b;

    check_public(e, s->pub);
    v23_buf_init(&b, NULL, 1u << 20);
    check(vsec_key_file_put(s, none, &b) == 0);
    reread(e, s, &b, none);
    if (e == cheap_engine()) {
        v23_buf_cut(&b, 0);
        check(vsec_key_file_put(s, pass, &b) == 0);
        reread(e, s, &b, pass);
    }
    v23_buf_fini(&b);
}

static void read_file(
    struct vsec_engine *e, struct v23_bytes in, struct v23_bytes secret)
{
    struct vsec_key_file f;
    struct v23_buf b;
    int rc = vsec_key_file_read(e, in, secret, &f);

    if (rc != 0)
        return;
    if (f.place == VSEC_KEY_HERE) {
        check_private(e, f.signer);
    } else {
        v23_buf_init(&b, NULL, 1u << 22);
        check(vsec_key_file_put_indirect(
                  f.place, v23_bytes(f.target.p, f.target.n), &b) == 0);
        v23_buf_fini(&b);
    }
    vsec_key_file_fini(&f);
}

static void read_public_file(struct vsec_engine *e, struct v23_bytes in)
{
    struct vsec_pubkey_file f;

    if (vsec_pubkey_file_read(e, in, &f) != 0)
        return;
    check((f.key == NULL) == (f.x509.n != 0));
    if (f.key != NULL)
        check_public(e, f.key);
    vsec_pubkey_file_fini(&f);
}

static void read_key(struct vsec_engine *e, unsigned what, struct v23_bytes in)
{
    struct vsec_pubkey *k = NULL;
    struct vsec_signer *s = NULL;

    if (what == SSH_LINE && vsec_ssh_pubkey_parse(e, in, &k) != 0)
        return;
    if (what == SSH_BLOB && vsec_ssh_blob_parse(e, in, &k) != 0)
        return;
    if (what == SPKI && vsec_pubkey_parse(e, vdl_bytes(in.p, in.n), &k) != 0)
        return;
    if (what == PKCS8 && vsec_signer_pkcs8(e, in, &s) != 0)
        return;
    if (what == SEC1 && vsec_signer_sec1(e, in, &s) != 0)
        return;
    if (k != NULL)
        check_public(e, k);
    if (s != NULL)
        check_private(e, s);
    vsec_pubkey_unref(k);
    vsec_signer_unref(s);
}

/* A key derivation whose cost the file says, and which is not cheap. */
static bool is_costly(struct v23_bytes in)
{
    static const char name[] = "OPENSSH PRIVATE";
    size_t i, n = sizeof(name) - 1;

    for (i = 0; i + n <= in.n; i++)
        if (memcmp(in.p + i, name, n) == 0)
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct vsec_engine *e;
    struct v23_bytes in;

    if (n == 0 || n > 1 << 16)
        return 0;
    e = (*p & 8) != 0 ? real_engine() : cheap_engine();
    in = v23_bytes(p + 1, n - 1);
    switch (*p & 7) {
    case FILE_PLAIN:
        read_file(e, in, none);
        break;
    case FILE_PASS:
        read_file(cheap_engine(), in, is_costly(in) ? none : pass);
        break;
    case PUBLIC_FILE:
        read_public_file(e, in);
        break;
    default:
        read_key(e, *p & 7, in);
    }
    return 0;
}

/* BSD-3-Clause; see LICENSE. */
/*
 * Key files: which PEM block decides, and what its type means.
 */
#include "key_int.h"

static const char indirect[] = "VANADIUM INDIRECT PRIVATE KEY";
static const char indirection[] = "Vanadium-Indirection-Type";
static const char in_file[] = "filename";
static const char in_agent[] = "sshagent-hosted-key";

/* ---- private keys ------------------------------------------------------- */

typedef int parse_fn(struct vsec_engine *e, struct v23_bytes der,
    struct vsec_signer **out);

/* Octets that came out of decryption: if they are no key, the passphrase was
 * wrong, and only the padding happened to be right. */
static int parse_decrypted(struct vsec_engine *e, parse_fn *parse,
    const struct v23_buf *plain, struct vsec_signer **out)
{
    int rc = parse(e, v23_bytes(plain->p, plain->n), out);

    return rc == V23_EKEY ? V23_EBADPASSPHRASE : rc;
}

/* A block that may carry the headers of RFC 1423. */
static int read_headed(struct vsec_engine *e, const struct vsec_pem *pem,
    struct v23_bytes pass, parse_fn *parse, struct vsec_signer **out)
{
    struct vdl_str dek = vsec_pem_header(pem, "DEK-Info");
    struct v23_bytes body = v23_bytes(pem->body.p, pem->body.n);
    struct v23_buf plain;
    int rc;

    if (dek.n == 0)
        return parse(e, body, out);
    v23_buf_init(&plain, e->secret, KEY_FILE_MAX);
    rc = vsec_rfc1423_open_(e->crypto, dek, body, pass, &plain);
    if (rc == 0)
        rc = parse_decrypted(e, parse, &plain, out);
    vsec_wipe_buf_(&plain);
    return rc;
}

static int read_encrypted(struct vsec_engine *e, const struct vsec_pem *pem,
    struct v23_bytes pass, struct vsec_signer **out)
{
    struct v23_buf plain;
    int rc;

    v23_buf_init(&plain, e->secret, KEY_FILE_MAX);
    rc = vsec_pbes2_open_(e->crypto, v23_bytes(pem->body.p, pem->body.n),
        pass, &plain);
    if (rc == 0)
        rc = parse_decrypted(e, vsec_signer_pkcs8, &plain, out);
    vsec_wipe_buf_(&plain);
    return rc;
}

/* V23_ENOENT: an indirection of a kind that is not known here. */
static int read_indirect(struct vsec_pem *pem, struct vsec_key_file *out)
{
    struct vdl_str kind = vsec_pem_header(pem, indirection);

    if (vdl_str_is(kind, in_file))
        out->place = VSEC_KEY_IN_FILE;
    else if (vdl_str_is(kind, in_agent))
        out->place = VSEC_KEY_SSH_AGENT;
    else
        return V23_ENOENT;
    out->target = pem->body;
    memset(&pem->body, 0, sizeof(pem->body));
    return 0;
}

/* V23_ENOENT: not a block for private keys. */
static int read_block(struct vsec_engine *e, struct vsec_pem *pem,
    struct v23_bytes pass, struct vsec_key_file *out)
{
    struct vsec_signer **to = &out->signer;

    out->place = VSEC_KEY_HERE;
    if (vdl_str_is(pem->type, "PRIVATE KEY"))
        return read_headed(e, pem, pass, vsec_signer_pkcs8, to);
    if (vdl_str_is(pem->type, "EC PRIVATE KEY"))
        return read_headed(e, pem, pass, vsec_signer_sec1, to);
    if (vdl_str_is(pem->type, "ENCRYPTED PRIVATE KEY"))
        return read_encrypted(e, pem, pass, to);
    if (vdl_str_is(pem->type, "OPENSSH PRIVATE KEY"))
        return vsec_openssh_open_(e, v23_bytes(pem->body.p, pem->body.n),
            pass, to);
    if (vdl_str_is(pem->type, indirect))
        return read_indirect(pem, out);
    return V23_ENOENT;
}

int vsec_key_file_read(struct vsec_engine *e, struct v23_bytes text,
    struct v23_bytes pass, struct vsec_key_file *out)
{
    struct vsec_key_file f;
    struct vsec_pem pem;
    int rc;

    memset(&f, 0, sizeof(f));
    do {
        rc = vsec_pem_next(&text, e->secret, &pem);
        if (rc != 0)
            return rc;
        rc = read_block(e, &pem, pass, &f);
        vsec_pem_fini(&pem);
    } while (rc == V23_ENOENT);
    if (rc == 0)
        *out = f;
    return rc;
}

void vsec_key_file_fini(struct vsec_key_file *f)
{
    vsec_signer_unref(f->signer);
    f->signer = NULL;
    v23_buf_fini(&f->target);
}

int vsec_key_file_put(struct vsec_signer *s, struct v23_bytes pass,
    struct v23_buf *out)
{
    struct vsec_engine *e = s->pub->engine;
    struct v23_buf plain, sealed;
    int rc;

    v23_buf_init(&plain, e->secret, KEY_FILE_MAX);
    v23_buf_init(&sealed, e->al, KEY_FILE_MAX);
    rc = vsec_pkcs8_put(s, &plain);
    if (rc != 0)
        goto out;
    if (pass.n == 0) {
        rc = vsec_pem_put("PRIVATE KEY", NULL, plain.p, plain.n, out);
        goto out;
    }
    rc = vsec_pbes2_seal_(e, v23_bytes(plain.p, plain.n), pass, &sealed);
    if (rc == 0)
        rc = vsec_pem_put("ENCRYPTED PRIVATE KEY", NULL, sealed.p, sealed.n,
            out);
out:
    vsec_wipe_buf_(&sealed);
    vsec_wipe_buf_(&plain);
    return rc;
}

int vsec_key_file_put_indirect(enum vsec_key_place place,
    struct v23_bytes target, struct v23_buf *out)
{
    switch (place) {
    case VSEC_KEY_IN_FILE:
        return vsec_pem_put(indirect, "Vanadium-Indirection-Type: filename\n",
            target.p, target.n, out);
    case VSEC_KEY_SSH_AGENT:
        return vsec_pem_put(indirect,
            "Vanadium-Indirection-Type: sshagent-hosted-key\n", target.p,
            target.n, out);
    case VSEC_KEY_HERE:
        break;
    }
    return V23_EARG;
}

/* ---- public keys -------------------------------------------------------- */

/* The first PEM block that holds a public key; V23_ENOENT: none. */
static int read_public_pem(struct vsec_engine *e, struct v23_bytes text,
    struct vsec_pubkey_file *f)
{
    struct vsec_pem pem;
    int rc;

    for (;;) {
        rc = vsec_pem_next(&text, e->al, &pem);
        if (rc != 0)
            return rc;
        if (vdl_str_is(pem.type, "PUBLIC KEY")) {
            rc = vsec_pubkey_parse(e, vdl_bytes(pem.body.p, pem.body.n),
                &f->key);
            vsec_pem_fini(&pem);
            return rc;
        }
        if (vdl_str_is(pem.type, "CERTIFICATE")) {
            f->x509 = pem.body;
            return 0;
        }
        vsec_pem_fini(&pem);
    }
}

/* The first line that is an authorized_keys entry; V23_ENOENT: none. */
static int read_public_ssh(struct vsec_engine *e, struct v23_bytes text,
    struct vsec_pubkey_file *f)
{
    const uint8_t *nl;
    struct v23_bytes line;
    int rc;

    while (text.n > 0) {
        nl = (const uint8_t *)memchr(text.p, '\n', text.n);
        line = v23_bytes(text.p,
            nl == NULL ? text.n : (size_t)(nl - text.p) + 1);
        text.p += line.n;
        text.n -= line.n;
        rc = vsec_ssh_pubkey_parse(e, line, &f->key);
        if (rc != V23_EKEY)
            return rc;
    }
    return V23_ENOENT;
}

int vsec_pubkey_file_read(struct vsec_engine *e, struct v23_bytes text,
    struct vsec_pubkey_file *out)
{
    struct vsec_pubkey_file f;
    int rc;

    memset(&f, 0, sizeof(f));
    rc = read_public_pem(e, text, &f);
    if (rc == V23_ENOENT)
        rc = read_public_ssh(e, text, &f);
    if (rc == 0)
        *out = f;
    return rc;
}

void vsec_pubkey_file_fini(struct vsec_pubkey_file *f)
{
    vsec_pubkey_unref(f->key);
    f->key = NULL;
    v23_buf_fini(&f->x509);
}

int vsec_pubkey_pem_put(struct vdl_bytes der, struct v23_buf *out)
{
    return vsec_pem_put("PUBLIC KEY", NULL, der.p, der.n, out);
}

/* BSD-3-Clause; see LICENSE. */
/* PEM, private and public key files, OpenSSH's forms. */
#include <stdio.h>
#include <stdlib.h>

#include "key_data.h"
#include "key_rig.h"

static const char right[] = "correct horse battery staple";
static const char wrong[] = "wrong";

static struct v23_bytes text(const char *s)
{
    return v23_bytes(s, strlen(s));
}

/* Read a private key file; on success check whose key it is. */
static int read_as(const char *file, const char *pass, const char *spki)
{
    struct vsec_key_file f;
    int rc = vsec_key_file_read(e, text(file), text(pass), &f);

    if (rc == 0) {
        struct v23_bytes want = hex(spki);

        ck_assert_int_eq(f.place, VSEC_KEY_HERE);
        ck_assert_uint_eq(f.signer->pub->der.n, want.n);
        ck_assert_mem_eq(f.signer->pub->der.p, want.p, want.n);
        vsec_key_file_fini(&f);
    }
    return rc;
}

/* ---- PEM blocks --------------------------------------------------------- */

static int next(const char *s, struct vsec_pem *p)
{
    struct v23_bytes in = text(s);

    return vsec_pem_next(&in, &mem.al, p);
}

START_TEST(pem_finds_blocks_in_order)
{
    struct v23_bytes in = text("text\n"
                               "-----BEGIN A-----\n"
                               "YWJj\n"
                               "-----END A-----\n"
                               "more -----BEGIN X-----\n"
                               "-----BEGIN B C-----\r\n"
                               "Key: one\r\n"
                               "Other:two : 3 \r\n"
                               "\r\n"
                               "  YWJj ZGVm \r\n"
                               "Zw==\r\n"
                               "-----END B C-----");
    struct vsec_pem p;

    ck_assert_int_eq(vsec_pem_next(&in, &mem.al, &p), 0);
    ck_assert(vdl_str_is(p.type, "A"));
    ck_assert_uint_eq(p.headers.n, 0);
    ck_assert_uint_eq(p.body.n, 3);
    ck_assert_mem_eq(p.body.p, "abc", 3);
    vsec_pem_fini(&p);

    ck_assert_int_eq(vsec_pem_next(&in, &mem.al, &p), 0);
    ck_assert(vdl_str_is(p.type, "B C"));
    ck_assert(vdl_str_is(vsec_pem_header(&p, "Key"), "one"));
    ck_assert(vdl_str_is(vsec_pem_header(&p, "Other"), "two : 3"));
    ck_assert_uint_eq(vsec_pem_header(&p, "key").n, 0);
    ck_assert_uint_eq(vsec_pem_header(&p, "Ke").n, 0);
    ck_assert_uint_eq(p.body.n, 7);
    ck_assert_mem_eq(p.body.p, "abcdefg", 7);
    vsec_pem_fini(&p);

    ck_assert_uint_eq(in.n, 0);
    ck_assert_int_eq(vsec_pem_next(&in, &mem.al, &p), V23_ENOENT);
}
END_TEST

static const char *const no_blocks[] = {
    "", "\n", "-----BEGIN ", "-----BEGIN -----", "-----BEGIN A-----",
    "-----BEGIN A-----\n", "-----BEGIN A-----\nYWJj\n",
    "-----BEGIN A-----\nYWJj\n-----END B-----\n",
    "-----BEGIN A-----\nYWJj\n-----END A----\n",
    "-----BEGIN A-----\nYW*j\n-----END A-----\n",
    "-----BEGIN A-----\nYWJ\n-----END A-----\n",
    "-----BEGIN A-----\nYW==YW==\n-----END A-----\n",
    " -----BEGIN A-----\nYWJj\n-----END A-----\n",
    "-----BEGIN A----\nYWJj\n-----END A-----\n",
    "-----END A-----\n-----BEGIN A-----\n",
};
enum { NNO = sizeof(no_blocks) / sizeof(no_blocks[0]) };

START_TEST(pem_skips_what_is_no_block)
{
    struct vsec_pem p;
    char after[256];

    snprintf(after, sizeof(after),
        "%s\n-----BEGIN GOOD-----\nYWJj\n-----END GOOD-----\n",
        no_blocks[_i]);
    ck_assert_int_eq(next(no_blocks[_i], &p), V23_ENOENT);
    ck_assert_int_eq(next(after, &p), 0);
    ck_assert(vdl_str_is(p.type, "GOOD"));
    vsec_pem_fini(&p);
}
END_TEST

START_TEST(pem_of_no_octets)
{
    struct vsec_pem p;

    ck_assert_int_eq(next("-----BEGIN A-----\n-----END A-----\n", &p), 0);
    ck_assert_uint_eq(p.body.n, 0);
    vsec_pem_fini(&p);
}
END_TEST

START_TEST(pem_limits_the_text)
{
    size_t n = (1u << 20) + 1;
    char *s = malloc(n);
    struct v23_bytes in = v23_bytes(s, n);
    struct vsec_pem p;

    memset(s, '\n', n);
    ck_assert_int_eq(vsec_pem_next(&in, &mem.al, &p), V23_ELIMIT);
    in.n--;
    ck_assert_int_eq(vsec_pem_next(&in, &mem.al, &p), V23_ENOENT);
    free(s);
}
END_TEST

/* Many begin lines must not cost the square of their number. */
START_TEST(pem_begin_lines_are_cheap)
{
    size_t n = (1u << 20) / 16 * 16, i;
    char *s = malloc(n);
    struct v23_bytes in = v23_bytes(s, n);
    struct vsec_pem p;

    for (i = 0; i < n; i += 16)
        memcpy(s + i, "-----BEGIN -----", 16);
    for (i = 0; i + 18 <= n; i += 18)
        memcpy(s + i, "-----BEGIN A-----\n", 18);
    ck_assert_int_eq(vsec_pem_next(&in, &mem.al, &p), V23_ENOENT);
    free(s);
}
END_TEST

START_TEST(pem_put_breaks_lines)
{
    uint8_t octets[100];
    struct v23_buf b;
    struct vsec_pem p;
    size_t n;

    memset(octets, 'a', sizeof(octets));
    v23_buf_init(&b, &mem.al, SIZE_MAX);
    ck_assert_int_eq(vsec_pem_put("T", "K: v\n", octets, 50, &b), 0);
    ck_assert_str_eq(v23_buf_cstr(&b),
        "-----BEGIN T-----\nK: v\n\n"
        "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh\n"
        "YWE=\n-----END T-----\n");
    for (n = 0; n <= sizeof(octets); n++) {
        v23_buf_cut(&b, 0);
        ck_assert_int_eq(vsec_pem_put("T", NULL, octets, n, &b), 0);
        ck_assert_int_eq(next(v23_buf_cstr(&b), &p), 0);
        ck_assert_uint_eq(p.body.n, n);
        vsec_pem_fini(&p);
    }
    v23_buf_fini(&b);
}
END_TEST

/* ---- private key files -------------------------------------------------- */

static const struct {
    const char *file, *spki;
    bool encrypted;
} files[] = {
    { dave_pkcs8_pem, dave_spki, false },
    { alice_openssh, alice_spki, false },
    { dave_openssh, dave_spki, false },
    { eve_openssh, eve_spki, false },
    { alice_sec1_enc, alice_spki, true },
    { dave_pkcs8_enc, dave_spki, true },
    { dave_openssh_enc, dave_spki, true },
};
enum { NFILES = sizeof(files) / sizeof(files[0]) };

START_TEST(file_gives_its_key)
{
    ck_assert_int_eq(read_as(files[_i].file, right, files[_i].spki), 0);
    ck_assert_int_eq(read_as(files[_i].file, "", files[_i].spki),
        files[_i].encrypted ? V23_EPASSPHRASE : 0);
    ck_assert_int_eq(read_as(files[_i].file, wrong, files[_i].spki),
        files[_i].encrypted ? V23_EBADPASSPHRASE : 0);
}
END_TEST

START_TEST(file_of_other_ciphers_and_versions)
{
    static const char rfc8410_spki[] = "302a300506032b6570032100"
        "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1";

    ck_assert_int_eq(read_as(dave_pbes2_sha1_128, "x", dave_spki), 0);
    ck_assert_int_eq(read_as(dave_pbes2_sha256_192, "x", dave_spki), 0);
    ck_assert_int_eq(read_as(dave_pbes2_sha1_128, "y", dave_spki),
        V23_EBADPASSPHRASE);
    ck_assert_int_eq(read_as(rfc8410_pem, "", rfc8410_spki), 0);
}
END_TEST

START_TEST(first_usable_block_decides)
{
    char both[4096];

    snprintf(both, sizeof(both), "%s%s%s%s", dave_pub, eve_pkcs1,
        dave_pkcs8_pem, alice_openssh);
    ck_assert_int_eq(read_as(both, "", dave_spki), 0);
    snprintf(both, sizeof(both), "%s%s", alice_openssh, dave_pkcs8_pem);
    ck_assert_int_eq(read_as(both, "", alice_spki), 0);
    snprintf(both, sizeof(both), "%s%s",
        "-----BEGIN PRIVATE KEY-----\nYWJj\n-----END PRIVATE KEY-----\n",
        dave_pkcs8_pem);
    ck_assert_int_eq(read_as(both, "", dave_spki), V23_EKEY);
    ck_assert_int_eq(read_as(eve_pkcs1, "", eve_spki), V23_ENOENT);
    ck_assert_int_eq(read_as(dave_pub, "", dave_spki), V23_ENOENT);
    ck_assert_int_eq(read_as("", "", dave_spki), V23_ENOENT);
}
END_TEST

/* Every passphrase that fails says so, whatever the padding happens to be. */
START_TEST(wrong_passphrases_always_tell)
{
    char pass[16];
    int i;

    for (i = 0; i < 600; i++) {
        snprintf(pass, sizeof(pass), "not %d", i);
        ck_assert_int_eq(read_as(alice_sec1_enc, pass, alice_spki),
            V23_EBADPASSPHRASE);
        ck_assert_int_eq(read_as(dave_pbes2_sha1_128, pass, dave_spki),
            V23_EBADPASSPHRASE);
    }
}
END_TEST

static bool is_documented(int rc)
{
    return rc == 0 || rc == V23_EPASSPHRASE || rc == V23_EBADPASSPHRASE
        || rc == V23_ENOENT || rc == V23_EKEY || rc == V23_ENOSYS
        || rc == V23_ELIMIT;
}

/* Files whose reading is cheap enough to be tried a thousand times. */
static const struct {
    const char *file, *pass;
} cheap[] = {
    { dave_pkcs8_pem, "" }, { dave_openssh, "" }, { alice_openssh, "" },
    { alice_sec1_enc, "correct horse battery staple" },
    { dave_pbes2_sha1_128, "x" }, { dave_pbes2_sha256_192, "x" },
};
enum { NCHEAP = sizeof(cheap) / sizeof(cheap[0]) };

/* Read the block of `type` with this body. */
static int read_body(struct vdl_str type, struct vdl_str headers,
    const uint8_t *p, size_t n, const char *pass)
{
    struct vsec_key_file f;
    struct v23_buf b;
    char name[64], head[256];
    int rc;

    snprintf(name, sizeof(name), "%.*s", (int)type.n, type.p);
    snprintf(head, sizeof(head), "%.*s", (int)headers.n, headers.p);
    v23_buf_init(&b, NULL, SIZE_MAX);
    ck_assert_int_eq(vsec_pem_put(name, *head == 0 ? NULL : head, p, n, &b),
        0);
    rc = vsec_key_file_read(e, v23_bytes(b.p, b.n), text(pass), &f);
    if (rc == 0)
        vsec_key_file_fini(&f);
    v23_buf_fini(&b);
    return rc;
}

START_TEST(file_mutations_are_harmless)
{
    struct vsec_pem p;
    size_t i;
    unsigned k;
    int rc;
    static const uint8_t with[] = { 0x01, 0x80, 0xff };

    ck_assert_int_eq(next(cheap[_i].file, &p), 0);
    for (i = 0; i < p.body.n; i++)
        for (k = 0; k < sizeof(with); k++) {
            p.body.p[i] ^= with[k];
            /* A round count or a length that got huge would take long. */
            rc = read_body(p.type, p.headers, p.body.p, p.body.n,
                cheap[_i].pass);
            ck_assert(is_documented(rc));
            p.body.p[i] ^= with[k];
        }
    for (i = 0; i < p.body.n; i++) {
        rc = read_body(p.type, p.headers, p.body.p, i, cheap[_i].pass);
        ck_assert(rc != 0 && is_documented(rc));
    }
    vsec_pem_fini(&p);
}
END_TEST

START_TEST(text_mutations_are_harmless)
{
    char *s = strdup(cheap[_i].file);
    size_t i, n = strlen(s);
    struct vsec_key_file f;
    int rc;

    for (i = 0; i < n; i++) {
        char was = s[i];

        s[i] = (char)(was ^ 0x10);
        rc = vsec_key_file_read(e, text(s), text(cheap[_i].pass), &f);
        ck_assert(is_documented(rc));
        if (rc == 0)
            vsec_key_file_fini(&f);
        s[i] = was;
        rc = vsec_key_file_read(e, v23_bytes(s, i), text(cheap[_i].pass), &f);
        if (rc == 0)
            vsec_key_file_fini(&f);
        ck_assert(is_documented(rc));
        ck_assert(rc != 0 || i + 1 == n); /* the last newline may lack */
    }
    free(s);
}
END_TEST

/* PBES2 with its round count replaced. */
START_TEST(derivation_cost_is_bounded)
{
    struct vsec_pem p;
    size_t i = 0;

    ck_assert_int_eq(next(dave_pkcs8_enc, &p), 0);
    while (memcmp(p.body.p + i, "\x02\x02\x27\x10", 4) != 0)
        i++;
    p.body.p[i + 2] = 0x7f; /* 32,528 */
    ck_assert_int_eq(read_body(p.type, p.headers, p.body.p, p.body.n, right),
        V23_EBADPASSPHRASE);
    p.body.p[i + 2] = 0; /* not the shortest form */
    ck_assert_int_eq(read_body(p.type, p.headers, p.body.p, p.body.n, right),
        V23_EKEY);
    vsec_pem_fini(&p);

    ck_assert_int_eq(next(dave_openssh_enc, &p), 0);
    for (i = 0; memcmp(p.body.p + i, "bcrypt", 6) != 0; i++)
        continue;
    i += 6 + 4 + 4 + 16; /* the rounds */
    p.body.p[i] = 1;
    ck_assert_int_eq(read_body(p.type, p.headers, p.body.p, p.body.n, right),
        V23_ELIMIT);
    memset(p.body.p + i, 0, 4);
    ck_assert_int_eq(read_body(p.type, p.headers, p.body.p, p.body.n, right),
        V23_ELIMIT);
    vsec_pem_fini(&p);
}
END_TEST

static const char *const bad_dek[] = { "AES-256-CBC", "AES-256-CBC,",
    "AES-256-CBC,00", "DES-CBC,0011223344556677",
    "AES-256-CTR,6edca8fbafe874dbe6e745da7f986c8a",
    "AES-256-CBC,6edca8fbafe874dbe6e745da7f986c8x",
    "AES-256-CBC,6edca8fbafe874dbe6e745da7f986c8a00" };

START_TEST(unknown_dek_info_is_refused)
{
    struct vsec_pem p;
    char head[128];

    ck_assert_int_eq(next(alice_sec1_enc, &p), 0);
    snprintf(head, sizeof(head), "DEK-Info: %s\n", bad_dek[_i]);
    ck_assert_int_eq(read_body(p.type, vdl_str(head), p.body.p, p.body.n,
                         right),
        V23_EKEY);
    vsec_pem_fini(&p);
}
END_TEST

START_TEST(without_ciphers_encrypted_files_are_told_apart)
{
    struct vsec_crypto small = vsec_crypto_default;
    struct vsec_engine *other;
    struct vsec_key_file f;
    size_t i;

    small.cipher = NULL;
    ck_assert_int_eq(vsec_engine_new(&other, &small, &mem.al, NULL), 0);
    for (i = 0; i < NFILES; i++) {
        int rc = vsec_key_file_read(other, text(files[i].file), text(right),
            &f);

        ck_assert_int_eq(rc, files[i].encrypted ? V23_ENOSYS : 0);
        if (rc == 0)
            vsec_key_file_fini(&f);
    }
    vsec_engine_unref(other);
}
END_TEST

START_TEST(written_files_read_back)
{
    static const char *const pass[] = { "", "secret" };
    struct vsec_key_file f, again;
    struct v23_buf b, c;

    v23_buf_init(&b, &mem.al, SIZE_MAX);
    v23_buf_init(&c, &mem.al, SIZE_MAX);
    ck_assert_int_eq(vsec_key_file_read(e, text(dave_pkcs8_pem), text(""),
                         &f),
        0);
    ck_assert_int_eq(vsec_key_file_put(f.signer, text(pass[_i]), &b), 0);
    if (_i == 0)
        ck_assert_str_eq(v23_buf_cstr(&b), dave_pkcs8_pem);
    ck_assert_int_eq(vsec_key_file_read(e, v23_bytes(b.p, b.n),
                         text(pass[_i]), &again),
        0);
    ck_assert(vsec_pubkey_eq(f.signer->pub, again.signer->pub));
    vsec_key_file_fini(&again);
    /* Salt and IV differ each time. */
    ck_assert_int_eq(vsec_key_file_put(f.signer, text(pass[_i]), &c), 0);
    ck_assert_uint_eq(b.n, c.n);
    ck_assert((memcmp(b.p, c.p, b.n) == 0) == (_i == 0));
    vsec_key_file_fini(&f);
    v23_buf_fini(&b);
    v23_buf_fini(&c);
}
END_TEST

START_TEST(write_into_a_small_buffer_leaves_nothing)
{
    struct vsec_key_file f;
    struct v23_buf b;
    uint8_t small[100], zero[100] = { 0 };

    memset(small, 0, sizeof(small));
    ck_assert_int_eq(vsec_key_file_read(e, text(dave_pkcs8_pem), text(""),
                         &f),
        0);
    v23_buf_init_fixed(&b, small, sizeof(small));
    ck_assert_int_eq(vsec_key_file_put(f.signer, text(""), &b), V23_ENOSPC);
    ck_assert_uint_eq(b.n, 0);
    ck_assert_mem_eq(small, zero, sizeof(zero));
    vsec_key_file_fini(&f);
}
END_TEST

START_TEST(indirections_are_handed_back)
{
    static const enum vsec_key_place places[] = { VSEC_KEY_IN_FILE,
        VSEC_KEY_SSH_AGENT };
    struct vsec_key_file f;
    struct v23_buf b;

    v23_buf_init(&b, &mem.al, SIZE_MAX);
    ck_assert_int_eq(vsec_key_file_put_indirect(VSEC_KEY_HERE, text("x"), &b),
        V23_EARG);
    ck_assert_int_eq(vsec_key_file_put_indirect(places[_i],
                         text("../keys/it's"), &b),
        0);
    ck_assert_int_eq(vsec_key_file_read(e, v23_bytes(b.p, b.n), text(""), &f),
        0);
    ck_assert_int_eq(f.place, places[_i]);
    ck_assert_ptr_null(f.signer);
    ck_assert_str_eq(v23_buf_cstr(&f.target), "../keys/it's");
    vsec_key_file_fini(&f);
    v23_buf_fini(&b);
}
END_TEST

START_TEST(unknown_indirection_is_skipped)
{
    char both[4096];

    snprintf(both, sizeof(both),
        "-----BEGIN VANADIUM INDIRECT PRIVATE KEY-----\n"
        "Vanadium-Indirection-Type: moon\n\nYWJj\n"
        "-----END VANADIUM INDIRECT PRIVATE KEY-----\n%s",
        dave_pkcs8_pem);
    ck_assert_int_eq(read_as(both, "", dave_spki), 0);
}
END_TEST

/* ---- public key files --------------------------------------------------- */

static int read_public(const char *file, const char *spki)
{
    struct vsec_pubkey_file f;
    int rc = vsec_pubkey_file_read(e, text(file), &f);

    if (rc == 0) {
        struct v23_bytes want = hex(spki);

        ck_assert_uint_eq(f.x509.n, 0);
        ck_assert_uint_eq(f.key->der.n, want.n);
        ck_assert_mem_eq(f.key->der.p, want.p, want.n);
        vsec_pubkey_file_fini(&f);
    }
    return rc;
}

START_TEST(public_key_files)
{
    char both[4096];

    ck_assert_int_eq(read_public(dave_pub, dave_spki), 0);
    ck_assert_int_eq(read_public(dave_ssh, dave_spki), 0);
    snprintf(both, sizeof(both), "# comment\n\n%s%s", dave_pkcs8_pem,
        dave_ssh);
    ck_assert_int_eq(read_public(both, dave_spki), 0);
    snprintf(both, sizeof(both),
        "from=\"a b\",command=\"say \\\"ssh-rsa\\\" x\" %s", dave_ssh);
    ck_assert_int_eq(read_public(both, dave_spki), 0);
    ck_assert_int_eq(read_public("", dave_spki), V23_ENOENT);
    ck_assert_int_eq(read_public("ssh-ed25519", dave_spki), V23_ENOENT);
    ck_assert_int_eq(read_public(dave_pkcs8_pem, dave_spki), V23_ENOENT);
    ck_assert_int_eq(
        read_public("-----BEGIN PUBLIC KEY-----\nYWJj\n"
                    "-----END PUBLIC KEY-----\n",
            dave_spki),
        V23_EKEY);
}
END_TEST

START_TEST(certificate_is_handed_back)
{
    struct vsec_pubkey_file f;
    char both[1024];

    snprintf(both, sizeof(both),
        "-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n"
        "-----BEGIN CERTIFICATE-----\nZGVm\n-----END CERTIFICATE-----\n%s",
        dave_pub);
    ck_assert_int_eq(vsec_pubkey_file_read(e, text(both), &f), 0);
    ck_assert_ptr_null(f.key);
    ck_assert_uint_eq(f.x509.n, 3);
    ck_assert_mem_eq(f.x509.p, "abc", 3);
    vsec_pubkey_file_fini(&f);
}
END_TEST

START_TEST(ssh_lines_are_strict)
{
    /* Type name and blob do not agree; blob cut; not base64. */
    static const char *const bad[] = {
        "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIBmavbmoAXXNW4x1Dz5vATCdkDwua+"
        "TYZAR5e+jrt6ss",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBmavbmoAXXNW4x1Dz5vATCdkDw=",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBmavbmoAXXNW4x1Dz5vATCdkDwua+"
        "TYZAR5e+jrt6ssAAAA",
        "ssh-ed25519 AAAA", "ssh-ed25519 *", "ssh-dss AAAAB3NzaC1kc3M=",
    };
    struct vsec_pubkey *k;
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_int_eq(vsec_ssh_pubkey_parse(e, text(bad[i]), &k),
            V23_EKEY);
}
END_TEST

START_TEST(ssh_blobs_round_trip)
{
    static const char *const spki[] = { alice_spki, bob_spki, carol_spki,
        dave_spki, eve_spki };
    struct v23_bytes der = hex(spki[_i]);
    struct vsec_pubkey *k, *again;
    struct v23_buf b;
    size_t n, whole;
    int rc;

    v23_buf_init(&b, &mem.al, SIZE_MAX);
    ck_assert_int_eq(vsec_pubkey_parse(e, vdl_bytes(der.p, der.n), &k), 0);
    ck_assert_int_eq(vsec_ssh_blob_put(k, &b), 0);
    ck_assert_int_eq(vsec_ssh_blob_parse(e, v23_bytes(b.p, b.n), &again), 0);
    ck_assert(vsec_pubkey_eq(k, again));
    vsec_pubkey_unref(again);
    whole = b.n;
    for (n = 0; n < whole; n++) {
        uint8_t *cut = malloc(n + 1);

        memcpy(cut + 1, b.p, n);
        ck_assert_int_eq(vsec_ssh_blob_parse(e, v23_bytes(cut + 1, n),
                             &again),
            V23_EKEY);
        free(cut);
        b.p[n] ^= 0x81;
        rc = vsec_ssh_blob_parse(e, v23_bytes(b.p, b.n), &again);
        ck_assert(rc == 0 || rc == V23_EKEY);
        if (rc == 0)
            vsec_pubkey_unref(again);
        b.p[n] ^= 0x81;
    }
    vsec_pubkey_unref(k);
    v23_buf_fini(&b);
}
END_TEST

/* ---- out of memory ------------------------------------------------------ */

static int read_and_write(const struct v23_alloc *al, void *ud)
{
    const char *file = *(const char *const *)ud;
    struct vsec_key_file f;
    struct vsec_pubkey_file pub;
    struct vsec_engine *x = NULL;
    struct v23_buf b;
    int rc;

    memset(&f, 0, sizeof(f));
    memset(&pub, 0, sizeof(pub));
    v23_buf_init(&b, al, SIZE_MAX);
    rc = vsec_engine_new(&x, &counted, al, NULL);
    if (rc == 0)
        rc = vsec_key_file_read(x, text(file), text(right), &f);
    if (rc == 0)
        rc = vsec_key_file_put(f.signer, text(""), &b);
    if (rc == 0)
        v23_buf_cut(&b, 0);
    if (rc == 0)
        rc = vsec_ssh_pubkey_put(f.signer->pub, &b);
    if (rc == 0)
        rc = vsec_pubkey_file_read(x, v23_bytes(b.p, b.n), &pub);
    if (rc == 0)
        ck_assert(vsec_pubkey_eq(pub.key, f.signer->pub));
    vsec_pubkey_file_fini(&pub);
    vsec_key_file_fini(&f);
    v23_buf_fini(&b);
    vsec_engine_unref(x);
    return rc;
}

START_TEST(files_survive_out_of_memory)
{
    const char *file = files[_i].file;

    tst_out_of_memory(read_and_write, &file);
}
END_TEST

static int write_encrypted(const struct v23_alloc *al, void *ud)
{
    struct vsec_key_file f;
    struct vsec_engine *x = NULL;
    struct v23_buf b;
    int rc;

    (void)ud;
    memset(&f, 0, sizeof(f));
    v23_buf_init(&b, al, SIZE_MAX);
    rc = vsec_engine_new(&x, &counted, al, NULL);
    if (rc == 0)
        rc = vsec_key_file_read(x, text(dave_pkcs8_pem), text(""), &f);
    if (rc == 0) {
        rc = vsec_key_file_put(f.signer, text(right), &b);
        ck_assert(rc == 0 || b.n == 0);
    }
    if (rc == 0) {
        v23_buf_cut(&b, 0);
        rc = vsec_key_file_put_indirect(VSEC_KEY_IN_FILE, text("f"), &b);
    }
    vsec_key_file_fini(&f);
    v23_buf_fini(&b);
    vsec_engine_unref(x);
    return rc;
}

START_TEST(writing_survives_out_of_memory)
{
    tst_out_of_memory(write_encrypted, NULL);
}
END_TEST

static void add_pem(TCase *t)
{
    tcase_add_test(t, pem_finds_blocks_in_order);
    tcase_add_loop_test(t, pem_skips_what_is_no_block, 0, NNO);
    tcase_add_test(t, pem_of_no_octets);
    tcase_add_test(t, pem_limits_the_text);
    tcase_add_test(t, pem_begin_lines_are_cheap);
    tcase_add_test(t, pem_put_breaks_lines);
}

static void add_private(TCase *t)
{
    tcase_add_loop_test(t, file_gives_its_key, 0, NFILES);
    tcase_add_test(t, file_of_other_ciphers_and_versions);
    tcase_add_test(t, first_usable_block_decides);
    tcase_add_test(t, wrong_passphrases_always_tell);
    tcase_add_loop_test(t, file_mutations_are_harmless, 0, NCHEAP);
    tcase_add_loop_test(t, text_mutations_are_harmless, 0, NCHEAP);
    tcase_add_test(t, derivation_cost_is_bounded);
    tcase_add_loop_test(t, unknown_dek_info_is_refused, 0, 7);
    tcase_add_test(t, without_ciphers_encrypted_files_are_told_apart);
    tcase_add_loop_test(t, written_files_read_back, 0, 2);
    tcase_add_test(t, write_into_a_small_buffer_leaves_nothing);
    tcase_add_loop_test(t, indirections_are_handed_back, 0, 2);
    tcase_add_test(t, unknown_indirection_is_skipped);
    tcase_add_loop_test(t, files_survive_out_of_memory, 0, NFILES);
    tcase_add_test(t, writing_survives_out_of_memory);
}

static void add_public(TCase *t)
{
    tcase_add_test(t, public_key_files);
    tcase_add_test(t, certificate_is_handed_back);
    tcase_add_test(t, ssh_lines_are_strict);
    tcase_add_loop_test(t, ssh_blobs_round_trip, 0, 5);
}

int main(void)
{
    Suite *s = suite_create("security/pem");
    TCase *t = tcase_create("pem");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    add_pem(t);
    add_private(t);
    add_public(t);
    suite_add_tcase(s, t);
    return tst_run(s);
}

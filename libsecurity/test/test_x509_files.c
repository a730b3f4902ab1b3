/* BSD-3-Clause; see LICENSE. */
/* X.509 certificates in files: credentials, the system's trust anchors. */
#include "cred_rig.h"
#include "x509_rig.h"

static const v23_security_caveat_list none = { NULL, 0 };

static void setup(void)
{
    cred_setup();
    x509_begin();
    ck_assert_int_eq(mkdir(dir, 0700), 0);
}

static void teardown(void)
{
    unsetenv("SSL_CERT_FILE");
    unsetenv("SSL_CERT_DIR");
    x509_end();
    cred_teardown();
}

/* ---- credentials --------------------------------------------------------- */

/* Create credentials of the owner's key with a certificate. */
static int create_with(struct v23_bytes der, struct vsec_principal **out)
{
    struct vsec_cred_files files;
    struct v23_buf priv, pub;
    int rc;

    v23_buf_init(&priv, &mem.al, 1 << 16);
    v23_buf_init(&pub, &mem.al, 1 << 16);
    ck_assert_int_eq(vsec_key_file_put(owner->signer, v23_bytes(NULL, 0),
        &priv), 0);
    ck_assert_int_eq(vsec_pem_put("CERTIFICATE", NULL, der.p, der.n, &pub),
        0);
    memset(&files, 0, sizeof(files));
    files.private_pem = v23_bytes(priv.p, priv.n);
    files.public_pem = v23_bytes(pub.p, pub.n);
    rc = vsec_cred_create_files(dir, &opt, &files, out, why);
    v23_buf_fini(&priv);
    v23_buf_fini(&pub);
    return rc;
}

START_TEST(credentials_keep_the_certificate)
{
    struct v23_bytes der = leaf("dns a.example.com");
    struct vsec_principal *p;
    struct vsec_blessings *b;

    ck_assert_int_eq(create_with(der, &p), 0);
    b = self(p, "");
    ck_assert_int_eq(vsec_principal_set_default_blessings(p, b), 0);
    vsec_blessings_unref(b);
    vsec_principal_unref(p);

    ck_assert_int_eq(vsec_cred_load(dir, &opt, &p, why), 0);
    ck_assert_uint_eq(p->x509.n, der.n);
    text_is(vsec_blessings_text(vsec_store_default(p->store)),
        "a.example.com");
    ck_assert_int_eq(vsec_principal_bless_self(p, vdl_str("x"), none, &b),
        V23_ECERT);
    vsec_principal_unref(p);
}
END_TEST

START_TEST(credentials_refuse_a_certificate_of_another_key)
{
    struct vsec_principal *p;
    struct v23_bytes der;

    new_form("CA", "leaf", ca.key);
    der = certificate();
    ck_assert_int_eq(create_with(der, &p), V23_EKEYMISMATCH);
    ck_assert_ptr_nonnull(strstr(why, "belong together"));
}
END_TEST

START_TEST(credentials_refuse_a_malformed_certificate)
{
    struct v23_bytes der = leaf("dns a.example.com");
    struct vsec_principal *p;

    ck_assert_int_eq(create_with(v23_bytes(der.p, der.n - 1), &p), V23_ECERT);
    ck_assert_ptr_nonnull(strstr(why, "publickey.pem"));
}
END_TEST

/* ---- the system's anchors ------------------------------------------------ */

static void put_pem(const char *name, struct v23_bytes der)
{
    struct v23_buf b;

    v23_buf_init(&b, &mem.al, SIZE_MAX);
    ck_assert_int_eq(vsec_pem_put("CERTIFICATE", NULL, der.p, der.n, &b), 0);
    put(name, b.p, b.n);
    v23_buf_fini(&b);
}

/* Does a principal of these files recognize the leaf? */
static int recognized_by_files(struct vsec_x509 *x)
{
    struct v23_bytes der = leaf("dns a.example.com");
    struct vsec_principal *p;
    v23_security_certificate c;
    int rc;

    memset(&c, 0, sizeof(c));
    c.public_key = owner->key->der;
    c.x509_raw = vdl_bytes(der.p, der.n);
    opt.x509 = x;
    ck_assert_int_eq(vsec_cred_runtime(NULL, &opt, &p, why), 0);
    rc = vsec_roots_recognized_cert(p->roots, &c, vdl_str("a.example.com"),
        in_2027, &arena, NULL);
    /* The anchors stay as they were when they were first needed. */
    unsetenv("SSL_CERT_FILE");
    unsetenv("SSL_CERT_DIR");
    ck_assert_int_eq(vsec_roots_recognized_cert(p->roots, &c,
        vdl_str("a.example.com"), in_2027, &arena, NULL), rc);
    vsec_principal_unref(p);
    return rc;
}

START_TEST(system_anchors_come_from_files)
{
    struct vsec_anchors *t;
    struct v23_bytes der;
    char list[300];

    ca_form();
    der = certificate();
    put_pem("ca.crt", der);
    setenv("SSL_CERT_DIR", file("missing"), 1);
    setenv("SSL_CERT_FILE", file("missing"), 1);
    ck_assert_int_eq(recognized_by_files(NULL), V23_EUNTRUSTED);
    setenv("SSL_CERT_DIR", file("missing"), 1);
    setenv("SSL_CERT_FILE", file("ca.crt"), 1);
    ck_assert_int_eq(recognized_by_files(NULL), 0);
    /* A directory is no file. */
    setenv("SSL_CERT_DIR", file("missing"), 1);
    setenv("SSL_CERT_FILE", dir, 1);
    ck_assert_int_eq(recognized_by_files(NULL), V23_EUNTRUSTED);
    snprintf(list, sizeof(list), "%s::%s", file("missing"), dir);
    setenv("SSL_CERT_DIR", list, 1);
    setenv("SSL_CERT_FILE", file("missing"), 1);
    ck_assert_int_eq(recognized_by_files(NULL), 0);
    /* A program may bring its own. */
    t = trust(der);
    setenv("SSL_CERT_DIR", file("missing"), 1);
    setenv("SSL_CERT_FILE", file("missing"), 1);
    ck_assert_int_eq(recognized_by_files(vsec_anchors_x509(t)), 0);
    vsec_anchors_unref(t);
}
END_TEST

static int system_body(const struct v23_alloc *al, void *ud)
{
    struct vsec_anchors *t = NULL;
    struct vsec_engine *mine;
    struct vsec_x509_cert c;
    const char *reason;
    int rc = vsec_engine_new(&mine, &vsec_crypto_default, al, NULL);

    if (rc != 0)
        return rc;
    rc = vsec_anchors_system(mine, &t);
    if (rc == 0)
        rc = vsec_x509_parse(*(struct v23_bytes *)ud, &c);
    if (rc == 0)
        rc = vsec_anchors_verify(t, &c, in_2027, &reason);
    vsec_anchors_unref(t);
    vsec_engine_unref(mine);
    return rc;
}

START_TEST(system_anchors_survive_lack_of_memory)
{
    struct v23_bytes der;

    ca_form();
    der = certificate();
    put_pem("ca.crt", der);
    setenv("SSL_CERT_FILE", file("ca.crt"), 1);
    setenv("SSL_CERT_DIR", dir, 1);
    der = leaf("dns a.b");
    tst_out_of_memory(system_body, &der);
}
END_TEST

static void fill(TCase *t)
{
    tcase_add_test(t, credentials_keep_the_certificate);
    tcase_add_test(t, credentials_refuse_a_certificate_of_another_key);
    tcase_add_test(t, credentials_refuse_a_malformed_certificate);
    tcase_add_test(t, system_anchors_come_from_files);
    tcase_add_test(t, system_anchors_survive_lack_of_memory);
}

int main(void)
{
    return tst_run_case("security/x509_files", fill, setup, teardown);
}

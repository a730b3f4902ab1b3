/* BSD-3-Clause; see LICENSE. */
/*
 * Secrets in memory: what a core dump of this process would hold is searched
 * for the octets of keys and for passphrases. Everything that the search needs
 * itself lies in memory that is not dumped.
 */
#define _DEFAULT_SOURCE /* madvise */
#include <vsec/credentials.h>

#include "key_rig.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "key_data.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

enum {
    WINDOW = 16,      /* octets in a row that count as found */
    MAX_NEEDLES = 64,
    PART = 1 << 16    /* read at once */
};

/* What is searched, and room to search in; in undumped memory. */
struct search {
    uint8_t needle[MAX_NEEDLES][WINDOW];
    const char *of[MAX_NEEDLES];
    int n;
    char passphrase[64];
    uint8_t octets[6 * VSEC_SIG_MAX];
    uint8_t part[PART + WINDOW];
};
static struct search *s;

static void secret_setup(void)
{
    setup();
    vsec_engine_unref(e);
    /* As in a program: the provider's memory for secrets, and malloc's. */
    ck_assert_int_eq(vsec_engine_new(&e, &vsec_crypto_default, NULL, NULL),
        0);
    s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(s, MAP_FAILED);
    ck_assert_int_eq(madvise(s, sizeof(*s), MADV_DONTDUMP), 0);
}

static void secret_teardown(void)
{
    munmap(s, sizeof(*s));
    teardown();
}

/* ---- the memory of this process ------------------------------------------ */

struct area {
    uintptr_t from, to;
    bool dumped;
};

/* All areas with something in them. -1: the system does not list them. */
static int areas(struct area *v, int max)
{
    FILE *f = fopen("/proc/self/smaps", "r");
    unsigned long from, to;
    char line[512], mode[8];
    int n = 0;

    if (f == NULL)
        return -1;
    setvbuf(f, NULL, _IOFBF, 4096);
    while (fgets(line, sizeof(line), f) != NULL) {
        if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) == 3) {
            ck_assert_int_lt(n, max);
            v[n].from = from;
            v[n].to = to;
            v[n].dumped = mode[0] == 'r' && strstr(line, "[v") == NULL;
            n++;
        } else if (n > 0 && strncmp(line, "VmFlags:", 8) == 0
            && strstr(line, " dd") != NULL) {
            v[n - 1].dumped = false;
        }
    }
    fclose(f);
    return n;
}

static bool is_dumped(const void *p)
{
    struct area v[512];
    int i, n = areas(v, 512);

    for (i = 0; i < n; i++)
        if ((uintptr_t)p >= v[i].from && (uintptr_t)p < v[i].to)
            return v[i].dumped;
    ck_abort_msg("no area holds %p", p);
}

/* Does this system say which memory is not dumped? Emulators and sanitizers
 * do not, or have too much of it. */
static bool searchable(void)
{
    struct area v[512];
    int i, n = SANITIZED ? -1 : areas(v, 512);

    if (tst_emulated("search of the memory"))
        return false;
    for (i = 0; i < n; i++)
        if ((uintptr_t)s >= v[i].from && (uintptr_t)s < v[i].to)
            return !v[i].dumped;
    fprintf(stderr, "test_secret: memory cannot be searched here\n");
    return false;
}

/* Search n octets; returns the name of what was found. */
static const char *search_part(const uint8_t *p, size_t n)
{
    bool first[256] = { false };
    size_t i;
    int k;

    for (k = 0; k < s->n; k++)
        first[s->needle[k][0]] = true;
    for (i = 0; i + WINDOW <= n; i++)
        for (k = 0; first[p[i]] && k < s->n; k++)
            if (memcmp(p + i, s->needle[k], WINDOW) == 0)
                return s->of[k];
    return NULL;
}

static const char *search_area(int fd, const struct area *a)
{
    const char *found = NULL;
    uintptr_t at = a->from;
    size_t keep = 0, want;
    ssize_t n;

    while (at < a->to && found == NULL) {
        want = a->to - at < PART ? a->to - at : PART;
        n = pread(fd, s->part + keep, want, (off_t)at);
        if (n <= 0)
            break; /* not backed by anything */
        found = search_part(s->part, keep + (size_t)n);
        at += (size_t)n;
        keep += (size_t)n;
        if (keep > WINDOW - 1) {
            memmove(s->part, s->part + keep - (WINDOW - 1), WINDOW - 1);
            keep = WINDOW - 1;
        }
    }
    return found;
}

/* The name of a secret in dumped memory, or NULL. */
static const char *search_dump(void)
{
    struct area v[512];
    const char *found = NULL;
    int i, n = areas(v, 512), fd = open("/proc/self/mem", O_RDONLY);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_gt(n, 0);
    for (i = 0; i < n && found == NULL; i++)
        if (v[i].dumped)
            found = search_area(fd, &v[i]);
    close(fd);
    return found;
}

/* ---- what is looked for -------------------------------------------------- */

static void look_for(const char *what, const uint8_t *p)
{
    ck_assert_int_lt(s->n, MAX_NEEDLES);
    memcpy(s->needle[s->n], p, WINDOW);
    s->of[s->n++] = what;
}

/* A number in both orders of its octets: as it is, and as limbs hold it on
 * most machines. Beginning, middle and end. */
static void look_for_number(const char *what, struct v23_bytes v)
{
    uint8_t turned[VSEC_SIG_MAX];
    size_t i, at[3] = { 0, v.n / 2 - WINDOW / 2, v.n - WINDOW };

    ck_assert_uint_ge(v.n, WINDOW);
    for (i = 0; i < v.n; i++)
        turned[i] = v.p[v.n - 1 - i];
    for (i = 0; i < 3; i++) {
        look_for(what, v.p + at[i]);
        look_for(what, turned + at[i]);
    }
    v23_wipe(turned, sizeof(turned));
}

static void look_for_key(struct vsec_signer *k)
{
    struct vsec_raw_key raw;
    struct v23_buf b;

    memset(&raw, 0, sizeof(raw));
    v23_buf_init_fixed(&b, s->octets, sizeof(s->octets));
    ck_assert_int_eq(k->ops->export_raw(k, &b, &raw), 0);
    if (k->pub->alg->kind != VSEC_RSA) {
        look_for_number("private key", raw.priv);
        return;
    }
    look_for_number("d", raw.d);
    look_for_number("p", raw.p);
    look_for_number("q", raw.q);
    look_for_number("d mod p - 1", raw.dp);
    look_for_number("d mod q - 1", raw.dq);
    look_for_number("1/q mod p", raw.qi);
}

/* "correct horse battery staple" and no copy of it in this program: volatile,
 * or a compiler would undo the hiding. */
static struct v23_bytes passphrase(void)
{
    static const volatile uint8_t hidden[] = { 0x39, 0x35, 0x28, 0x28, 0x3f,
        0x39, 0x2e, 0x7a, 0x32, 0x35, 0x28, 0x29, 0x3f, 0x7a, 0x38, 0x3b, 0x2e,
        0x2e, 0x3f, 0x28, 0x23, 0x7a, 0x29, 0x2e, 0x3b, 0x2a, 0x36, 0x3f };
    size_t i;

    for (i = 0; i < sizeof(hidden); i++)
        s->passphrase[i] = (char)(hidden[i] ^ 0x5a);
    return v23_bytes(s->passphrase, sizeof(hidden));
}

static void look_for_passphrase(void)
{
    struct v23_bytes p = passphrase();

    look_for("passphrase", p.p);
    look_for("passphrase", p.p + p.n - WINDOW);
}

static void use(struct vsec_signer *k)
{
    struct vsec_signature sig;
    int i;

    for (i = 0; i < 2; i++) {
        sign(k, "message", &sig);
        ck_assert_int_eq(verify(k->pub, &sig, "message"), 0);
    }
}

static void nothing_found(void)
{
    const char *found = search_dump();

    ck_assert_msg(found == NULL, "%s would be in a core dump", found);
}

/* ---- tests --------------------------------------------------------------- */

START_TEST(search_finds_what_is_there)
{
    uint8_t *copy = malloc(4096);

    if (!searchable()) {
        free(copy);
        return;
    }
    look_for_passphrase();
    nothing_found();

    memcpy(copy + 1001, s->passphrase, 28);

    ck_assert_str_eq(search_dump(), "passphrase");
    v23_wipe(copy, 4096);
    nothing_found();
    free(copy);
}
END_TEST

static const char *const types[] = { "ecdsa256", "ecdsa384", "ecdsa521",
    "ed25519", "rsa2048" };

/* Made, written with a passphrase, read, used, released. */
START_TEST(no_secret_of_a_key_is_dumped)
{
    struct vsec_key_file f;
    struct vsec_signer *k;
    struct v23_buf file;
    struct v23_bytes pass;

    if (!searchable())
        return;
    pass = passphrase();
    look_for_passphrase();
    v23_buf_init(&file, &mem.al, SIZE_MAX);
    ck_assert_int_eq(vsec_signer_generate(e, types[_i], &k), 0);
    look_for_key(k);
    use(k);
    nothing_found();

    ck_assert_int_eq(vsec_key_file_put(k, pass, &file), 0);
    nothing_found();
    vsec_signer_unref(k);
    nothing_found();
    ck_assert_int_eq(vsec_key_file_read(e, v23_bytes(file.p, file.n), pass,
        &f), 0);
    use(f.signer);
    nothing_found();

    vsec_key_file_fini(&f);
    nothing_found();
    v23_buf_fini(&file);
}
END_TEST

static const char *const files[] = { alice_sec1_enc, dave_pkcs8_enc,
    dave_openssh_enc };

START_TEST(no_secret_of_an_encrypted_file_is_dumped)
{
    struct v23_bytes text = v23_bytes(files[_i], strlen(files[_i]));
    struct v23_bytes wrong;
    struct vsec_key_file f;

    if (!searchable())
        return;
    look_for_passphrase();

    ck_assert_int_eq(vsec_key_file_read(e, text, passphrase(), &f), 0);
    use(f.signer);
    look_for_key(f.signer);
    nothing_found();

    vsec_key_file_fini(&f);
    nothing_found();
    wrong = passphrase();
    wrong.n--;
    ck_assert_int_eq(vsec_key_file_read(e, text, wrong, &f),
        V23_EBADPASSPHRASE);
    nothing_found();
}
END_TEST

static int ask(void *ud, const char *what, struct v23_buf *out)
{
    const struct v23_bytes *pass = ud;

    (void)what;
    v23_buf_put(out, pass->p, pass->n);
    return out->err;
}

START_TEST(no_secret_of_a_credentials_directory_is_dumped)
{
    static const char *const names[] = { "privatekey.pem", "publickey.pem",
        "dir.lock", "blessings.lock", "blessingroots.lock" };
    char dir[] = "/tmp/v23-secret-XXXXXX", path[64], why[VSEC_CRED_WHY];
    struct vsec_principal *p = NULL;
    struct v23_bytes pass;
    struct vsec_cred_opts o;
    struct vsec_signer *k;
    const char *found;
    size_t i;
    int rc;

    if (!searchable())
        return;
    look_for_passphrase();
    pass = passphrase();
    memset(&o, 0, sizeof(o));
    o.engine = e;
    o.writable = true;
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_int_eq(vsec_signer_generate(e, "ecdsa256", &k), 0);
    look_for_key(k);
    rc = vsec_cred_create(dir, &o, k, pass, &p, why);
    vsec_signer_unref(k);
    found = search_dump();
    vsec_principal_unref(p);
    p = NULL;
    o.passphrase = ask;
    o.ud = &pass;
    if (rc == 0 && found == NULL)
        rc = vsec_cred_load(dir, &o, &p, why);
    if (rc == 0 && found == NULL) {
        use(p->signer);
        found = search_dump();
    }
    vsec_principal_unref(p);
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        unlink(path);
    }
    rmdir(dir);

    ck_assert_msg(rc == 0, "%s", why);
    ck_assert_msg(found == NULL, "%s would be in a core dump", found);
    nothing_found();
}
END_TEST

START_TEST(memory_for_secrets_is_not_dumped)
{
    void *p = v23_get(e->secret, 100);

    ck_assert_ptr_nonnull(p);
    if (searchable())
        ck_assert(!is_dumped(p));
    ck_assert_uint_eq((uintptr_t)p % 16, 0);
    v23_put(e->secret, p);
}
END_TEST

START_TEST(memory_for_secrets_keeps_its_content_when_it_grows)
{
    uint8_t *p = v23_get(e->secret, 3);
    size_t n;

    memcpy(p, "abc", 3);
    for (n = 4; n < 20000; n = 3 * n + 1) {
        p = v23_regrow(e->secret, p, n);
        ck_assert_ptr_nonnull(p);
        ck_assert_uint_eq((uintptr_t)p % 16, 0);
        ck_assert_mem_eq(p, "abc", 3);
        p[n - 1] = 1;
    }
    p = v23_regrow(e->secret, p, 2);
    ck_assert_mem_eq(p, "ab", 2);
    v23_put(e->secret, p);
    v23_put(e->secret, NULL);
}
END_TEST

START_TEST(too_much_memory_for_secrets_is_refused)
{
    ck_assert_ptr_null(v23_get(e->secret, SIZE_MAX));
    ck_assert_ptr_null(v23_get(e->secret, SIZE_MAX - 20));
    ck_assert_ptr_null(v23_get(e->secret, SIZE_MAX - 4096));
}
END_TEST

START_TEST(without_memory_for_secrets_the_engines_is_used)
{
    struct vsec_crypto plain = vsec_crypto_default;
    struct vsec_engine *other;

    plain.secret = NULL;
    ck_assert_int_eq(vsec_engine_new(&other, &plain, &mem.al, NULL), 0);
    ck_assert_ptr_eq(other->secret, &mem.al);
    vsec_engine_unref(other);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, search_finds_what_is_there);
    tcase_add_loop_test(tc, no_secret_of_a_key_is_dumped, 0, 5);
    tcase_add_loop_test(tc, no_secret_of_an_encrypted_file_is_dumped, 0, 3);
    tcase_add_test(tc, no_secret_of_a_credentials_directory_is_dumped);
    tcase_add_test(tc, memory_for_secrets_is_not_dumped);
    tcase_add_test(tc, memory_for_secrets_keeps_its_content_when_it_grows);
    tcase_add_test(tc, too_much_memory_for_secrets_is_refused);
    tcase_add_test(tc, without_memory_for_secrets_the_engines_is_used);
}

int main(void)
{
    return tst_run_case("security/secret", fill, secret_setup,
        secret_teardown);
}

/* BSD-3-Clause; see LICENSE. */
/* Credentials directories and signed streams. */
#include "cred_rig.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>

/* ---- create and load ----------------------------------------------------- */

START_TEST(created_directory_loads_again)
{
    struct vsec_principal *p = create(""), *q;
    struct vsec_blessings *x = self(p, "alice");

    ck_assert_int_eq(vsec_principal_set_default_blessings(p, x), 0);
    ck_assert_uint_eq(mode("privatekey.pem"), 0400);
    ck_assert_uint_eq(mode("publickey.pem"), 0400);
    ck_assert_uint_eq(mode("."), 0700);
    q = load(false);
    ck_assert(vsec_pubkey_eq(p->key, q->key));
    ck_assert_ptr_nonnull(q->signer);
    ck_assert(vsec_blessings_eq(vsec_store_default(q->store), x));
    ck_assert_int_eq(vsec_roots_recognized(q->roots, p->key->der,
        vdl_str("alice:phone")), 0);
    ck_assert(!exists("blessingstore.data.new"));
    ck_assert(!exists("blessingstore.sig.new"));
    vsec_blessings_unref(x);
    vsec_principal_unref(p);
    vsec_principal_unref(q);
}
END_TEST

START_TEST(directory_is_not_created_twice)
{
    struct vsec_principal *p = create(""), *q;
    struct vsec_signer *s;

    ck_assert_int_eq(vsec_signer_generate(e, "ed25519", &s), 0);
    ck_assert_int_eq(vsec_cred_create(dir, &opt, s, v23_bytes("", 0), &q,
        why), V23_EEXIST);
    ck_assert(mentions("publickey.pem"));
    ck_assert(mentions("file exists"));
    vsec_signer_unref(s);
    vsec_principal_unref(p);
}
END_TEST

START_TEST(missing_files_are_named)
{
    struct vsec_principal *p;

    ck_assert_int_eq(try_load(false, &p), V23_ENOENT);
    ck_assert(mentions("/d/dir.lock: no such file or directory"));

    vsec_principal_unref(create(""));
    unlink(file("privatekey.pem"));
    ck_assert_int_eq(try_load(false, &p), V23_ENOENT);
    ck_assert(mentions("privatekey.pem"));
    put("privatekey.pem", "no key", 6);
    ck_assert_int_eq(try_load(false, &p), V23_EKEY);
    ck_assert(mentions("privatekey.pem"));
    unlink(file("publickey.pem"));
    ck_assert_int_eq(try_load(false, &p), V23_ENOENT);
    ck_assert(mentions("publickey.pem"));
}
END_TEST

START_TEST(public_key_can_be_derived_when_asked_for)
{
    struct vsec_principal *p = create(""), *q;
    struct vsec_pubkey *k;

    unlink(file("publickey.pem"));
    opt.derive_public = true;
    q = load(false);
    ck_assert(vsec_pubkey_eq(p->key, q->key));
    ck_assert_int_eq(vsec_cred_public_key(dir, &opt, &k, why), 0);
    ck_assert(vsec_pubkey_eq(p->key, k));
    vsec_pubkey_unref(k);
    vsec_principal_unref(p);
    vsec_principal_unref(q);
}
END_TEST

START_TEST(halves_must_belong_together)
{
    struct vsec_principal *p = create(""), *other = person(), *q;
    struct v23_buf pem;

    v23_buf_init(&pem, &mem.al, 4096);
    ck_assert_int_eq(vsec_pubkey_pem_put(other->key->der, &pem), 0);
    unlink(file("publickey.pem"));
    put("publickey.pem", pem.p, pem.n);
    ck_assert_int_eq(try_load(false, &q), V23_EKEYMISMATCH);
    v23_buf_fini(&pem);
    vsec_principal_unref(other);
    vsec_principal_unref(p);
}
END_TEST

static int ask(void *ud, const char *what, struct v23_buf *out)
{
    ck_assert_ptr_nonnull(strstr(what, "privatekey.pem"));
    v23_buf_puts(out, ud);
    return out->err;
}

START_TEST(encrypted_keys_want_their_passphrase)
{
    static char right[] = "sesame", wrong[] = "simsala";
    struct vsec_principal *p = create(right), *q;

    ck_assert_int_eq(try_load(false, &q), V23_EPASSPHRASE);
    opt.passphrase = ask;
    opt.ud = wrong;
    ck_assert_int_eq(try_load(false, &q), V23_EBADPASSPHRASE);
    opt.ud = right;
    q = load(true);
    ck_assert_ptr_nonnull(q->signer);
    vsec_principal_unref(q);
    opt.passphrase = NULL;
    opt.public_key_only_ok = true;
    q = load(false);
    ck_assert_ptr_null(q->signer);
    ck_assert(vsec_pubkey_eq(p->key, q->key));
    vsec_principal_unref(q);
    vsec_principal_unref(p);
}
END_TEST

START_TEST(one_indirection_is_followed)
{
    struct vsec_principal *p = create(""), *q;
    char real[128], loop[128];
    struct v23_buf b;

    snprintf(real, sizeof(real), "%s/real.pem", base);
    snprintf(loop, sizeof(loop), "%s", file("privatekey.pem"));
    ck_assert_int_eq(rename(loop, real), 0);
    v23_buf_init(&b, &mem.al, 4096);
    ck_assert_int_eq(vsec_key_file_put_indirect(VSEC_KEY_IN_FILE,
        v23_bytes(real, strlen(real)), &b), 0);
    put("privatekey.pem", b.p, b.n);
    q = load(true);
    ck_assert_ptr_nonnull(q->signer);
    vsec_principal_unref(q);

    v23_buf_cut(&b, 0);
    ck_assert_int_eq(vsec_key_file_put_indirect(VSEC_KEY_IN_FILE,
        v23_bytes(loop, strlen(loop)), &b), 0);
    put("privatekey.pem", b.p, b.n);
    ck_assert_int_eq(try_load(false, &q), V23_EKEY);
    v23_buf_fini(&b);
    vsec_principal_unref(p);
}
END_TEST

START_TEST(read_only_file_systems_are_left_alone)
{
    struct vsec_principal *p = create("");
    struct vsec_signer *s;

    vsec_principal_unref(p);
    unlink(file("dir.lock"));
    unlink(file("blessings.lock"));
    unlink(file("blessingroots.lock"));
    opt.readonly_fs = true;
    vsec_principal_unref(load(false));
    ck_assert(!exists("dir.lock"));
    ck_assert(!exists("blessings.lock"));
    ck_assert_int_eq(vsec_signer_generate(e, "ed25519", &s), 0);
    opt.writable = true;
    ck_assert_int_eq(vsec_cred_create(base, &opt, s, v23_bytes("", 0), &p,
        why), V23_ESTATE);
    vsec_signer_unref(s);
}
END_TEST

START_TEST(no_credentials_mean_a_principal_of_its_own)
{
    struct vsec_principal *p;

    ck_assert_int_eq(vsec_cred_runtime("", &opt, &p, why), 0);
    ck_assert_int_eq(strncmp(vsec_blessings_text(
        vsec_store_default(p->store)).p, "anonymous-", 10), 0);
    vsec_principal_unref(p);
    ck_assert_int_eq(vsec_cred_runtime(dir, &opt, &p, why), V23_ENOENT);
}
END_TEST

/* ---- files of the system ------------------------------------------------- */

START_TEST(umask_is_respected_and_keys_are_private)
{
    mode_t masks[] = { 022, 077 }, before = umask(masks[_i]);
    struct vsec_principal *p = create("");
    struct vsec_blessings *x = self(p, "x");

    ck_assert_int_eq(vsec_principal_set_default_blessings(p, x), 0);
    umask(before);
    ck_assert_uint_eq(mode("privatekey.pem"), 0400);
    ck_assert_uint_eq(mode("publickey.pem"), 0400);
    ck_assert_uint_eq(mode("."), 0700);
    ck_assert_uint_eq(mode("blessingstore.data"), 0666 & ~masks[_i]);
    ck_assert_uint_eq(mode("blessingroots.sig"), 0666 & ~masks[_i]);
    ck_assert_uint_eq(mode("dir.lock"), 0666 & ~masks[_i]);
    vsec_blessings_unref(x);
    vsec_principal_unref(p);
}
END_TEST

START_TEST(missing_parents_are_made_private)
{
    char deep[100], parent[90];
    struct stat st;

    snprintf(parent, sizeof(parent), "%s/a", base);
    snprintf(deep, sizeof(deep), "%s/a/b/", base);
    snprintf(dir, sizeof(dir), "%s/a/b", base);

    vsec_principal_unref(create(""));

    ck_assert_int_eq(stat(parent, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0700);
    vsec_principal_unref(load(true));
}
END_TEST

START_TEST(symbolic_links_are_followed_but_not_written_through)
{
    struct vsec_principal *p = create(""), *q;
    struct vsec_blessings *x = self(p, "x"), *y = self(p, "y");
    char real[100], data[100], key[100];
    char *text, *after;
    size_t n, m;

    ck_assert_int_eq(vsec_store_set_default(p->store, x), 0);
    snprintf(data, sizeof(data), "%s/data", base);
    snprintf(key, sizeof(key), "%s/key", base);
    ck_assert_int_eq(rename(file("blessingstore.data"), data), 0);
    ck_assert_int_eq(symlink(data, file("blessingstore.data")), 0);
    ck_assert_int_eq(rename(file("privatekey.pem"), key), 0);
    ck_assert_int_eq(symlink(key, file("privatekey.pem")), 0);
    snprintf(real, sizeof(real), "%s/real", base);
    ck_assert_int_eq(rename(dir, real), 0);
    ck_assert_int_eq(symlink(real, dir), 0);
    text = tst_read_file(data, &n);

    q = load(true);
    ck_assert(vsec_blessings_eq(vsec_store_default(q->store), x));
    ck_assert_int_eq(vsec_store_set_default(q->store, y), 0);
    vsec_principal_unref(q);

    q = load(false);
    ck_assert(vsec_blessings_eq(vsec_store_default(q->store), y));
    after = tst_read_file(data, &m);
    ck_assert(n == m && memcmp(text, after, n) == 0);
    free(text);
    free(after);
    vsec_blessings_unref(x);
    vsec_blessings_unref(y);
    vsec_principal_unref(q);
    vsec_principal_unref(p);
}
END_TEST

/* In a child without privileges. 0: refused, and the reason says what. */
static int try_as_stranger(void)
{
    struct vsec_principal *p;
    struct vsec_signer *s;

    if (geteuid() == 0 && setuid(65534) != 0)
        return 1;
    if (try_load(false, &p) != V23_ESYS || !mentions("dir.lock")
        || !mentions("permission denied"))
        return 2;
    if (try_load(true, &p) != V23_ESYS || !mentions("permission denied"))
        return 3;
    if (vsec_signer_generate(e, "ed25519", &s) != 0)
        return 4;
    if (vsec_cred_create(dir, &opt, s, v23_bytes("", 0), &p, why) == 0
        || !mentions(dir))
        return 5;
    return 0;
}

START_TEST(directory_of_somebody_else_is_refused)
{
    int status;
    pid_t pid;

    if (tst_emulated("a directory of somebody else"))
        return;
    vsec_principal_unref(create(""));
    unlink(file("dir.lock"));
    ck_assert_int_eq(chmod(dir, geteuid() == 0 ? 0700 : 0000), 0);
    ck_assert_int_eq(chmod(base, 0755), 0);

    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        _exit(try_as_stranger());
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(chmod(dir, 0700), 0);

    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
}
END_TEST

/* ---- reasons ------------------------------------------------------------- */

/* Does a text hold any 12 characters in a row of a key file's body? */
static bool leaks(const char *text, const char *pem)
{
    const char *body = strchr(pem, '\n'), *end = strstr(pem, "-----END");
    char part[13] = "";

    for (; body != NULL && body + 12 <= end; body++) {
        memcpy(part, body, 12);
        if (strchr(part, '\n') == NULL && strstr(text, part) != NULL)
            return true;
    }
    return false;
}

static void catch_log(void *ud, enum v23_log_level level, const char *text)
{
    (void)level;
    ck_assert_ptr_null(strstr(text, "sesame"));
    ck_assert(!leaks(text, ud));
}

START_TEST(reasons_and_log_hold_no_secrets)
{
    static char pass[] = "open-sesame-open";
    struct vsec_principal *p = create(_i == 0 ? "" : pass), *q;
    struct v23_log log;
    size_t n, i;
    char *pem;
    int refused = 0;

    pem = tst_read_file(file("privatekey.pem"), &n);
    memset(&log, 0, sizeof(log));
    log.write = catch_log;
    log.max = V23_LOG_DEBUG;
    log.ud = pem;
    opt.log = &log;
    opt.passphrase = _i == 0 ? NULL : ask;
    opt.ud = pass;
    for (i = 0; i < n; i += _i == 0 ? 1 : 7) {
        char *damaged = tst_read_file(file("privatekey.pem"), &n);

        damaged[i] = damaged[i] == 'A' ? 'B' : 'A';
        unlink(file("privatekey.pem"));
        put("privatekey.pem", damaged, n);
        if (try_load(i % 2 == 0, &q) != 0) {
            refused++;
            ck_assert_ptr_null(strstr(why, "sesame"));
            ck_assert_msg(!leaks(why, pem) && !leaks(why, damaged), "%s",
                why);
        }
        vsec_principal_unref(q);
        unlink(file("privatekey.pem"));
        put("privatekey.pem", pem, n);
        free(damaged);
    }
    ck_assert_int_gt(refused, 20);
    opt.log = NULL;
    free(pem);
    vsec_principal_unref(p);
}
END_TEST

/* ---- sharing ------------------------------------------------------------- */

START_TEST(writers_do_not_undo_each_other)
{
    struct vsec_principal *p = create(""), *q = load(true), *r;
    struct vsec_blessings *x = self(p, "x"), *y = self(q, "y");
    size_t n;

    ck_assert_int_eq(vsec_store_set(p->store, x, vdl_str("px"), NULL), 0);
    ck_assert_int_eq(vsec_store_set(q->store, y, vdl_str("qy"), NULL), 0);
    vsec_store_peers(q->store, &n);
    ck_assert_uint_eq(n, 2);
    ck_assert_int_eq(vsec_roots_add(p->roots, p->key->der, vdl_str("x")), 0);
    ck_assert_int_eq(vsec_roots_add(q->roots, q->key->der, vdl_str("y")), 0);
    r = load(false);
    vsec_store_peers(r->store, &n);
    ck_assert_uint_eq(n, 2);
    ck_assert_uint_eq(vsec_roots_all(r->roots, &n)[0].npatterns, 2);
    vsec_blessings_unref(x);
    vsec_blessings_unref(y);
    vsec_principal_unref(p);
    vsec_principal_unref(q);
    vsec_principal_unref(r);
}
END_TEST

static int changes;

static void changed(void *ud, struct vsec_store *s)
{
    (void)ud;
    (void)s;
    changes++;
}

START_TEST(readers_see_changes_when_they_reload)
{
    struct vsec_principal *p = create(""), *q = load(false);
    struct vsec_blessings *x = self(p, "x");
    struct vsec_store_watch w = { changed, NULL, NULL };

    changes = 0;
    vsec_store_watch(q->store, &w);
    ck_assert_int_eq(vsec_store_set_default(q->store, NULL), V23_ENOSYS);
    ck_assert_int_eq(vsec_roots_add(q->roots, q->key->der, vdl_str("x")),
        V23_ENOSYS);
    ck_assert_int_eq(vsec_principal_set_default_blessings(p, x), 0);
    ck_assert_ptr_null(vsec_store_default(q->store));
    ck_assert_int_eq(vsec_cred_reload(q, why), 0);
    ck_assert(vsec_blessings_eq(vsec_store_default(q->store), x));
    ck_assert_int_eq(changes, 1);
    ck_assert_int_eq(vsec_cred_reload(q, why), 0);
    ck_assert_int_eq(changes, 1);

    /* A reload that fails keeps what was there. */
    put("blessingstore.data", "junk", 4);
    ck_assert_int_lt(vsec_cred_reload(q, why), 0);
    ck_assert(mentions("blessingstore"));
    ck_assert(vsec_blessings_eq(vsec_store_default(q->store), x));
    vsec_store_unwatch(q->store, &w);
    vsec_blessings_unref(x);
    vsec_principal_unref(p);
    vsec_principal_unref(q);
}
END_TEST

START_TEST(a_change_that_cannot_be_written_is_undone)
{
    struct vsec_principal *p = create("");
    struct vsec_blessings *x = self(p, "x"), *y = self(p, "y");

    ck_assert_int_eq(vsec_store_set_default(p->store, x), 0);
    /* A directory in the place of the temporary file. */
    ck_assert_int_eq(mkdir(file("blessingstore.sig.new"), 0700), 0);
    ck_assert_int_lt(vsec_store_set_default(p->store, y), 0);
    ck_assert(vsec_blessings_eq(vsec_store_default(p->store), x));
    ck_assert_int_eq(vsec_cred_reload(p, why), 0);
    ck_assert(vsec_blessings_eq(vsec_store_default(p->store), x));
    ck_assert_int_eq(rmdir(file("blessingstore.sig.new")), 0);
    ck_assert_int_eq(vsec_store_set_default(p->store, y), 0);
    vsec_blessings_unref(x);
    vsec_blessings_unref(y);
    vsec_principal_unref(p);
}
END_TEST

START_TEST(locks_are_released)
{
    static const char *const names[] = { "dir.lock", "blessings.lock",
        "blessingroots.lock" };
    struct vsec_principal *p = create("");
    struct vsec_blessings *x = self(p, "x");
    size_t i;
    int fd;

    ck_assert_int_eq(vsec_principal_set_default_blessings(p, x), 0);
    for (i = 0; i < 3; i++) {
        fd = open(file(names[i]), O_RDWR);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
        close(fd);
    }
    vsec_blessings_unref(x);
    vsec_principal_unref(p);
}
END_TEST

/* ---- damage -------------------------------------------------------------- */

START_TEST(damage_is_found)
{
    static const char *const names[] = { "blessingstore.data",
        "blessingstore.sig", "blessingroots.data", "blessingroots.sig" };
    struct vsec_principal *p = create(""), *q;
    struct vsec_blessings *x = self(p, "x");
    size_t n, i;
    char *text;
    int rc;

    ck_assert_int_eq(vsec_principal_set_default_blessings(p, x), 0);
    vsec_blessings_unref(x);
    vsec_principal_unref(p);
    text = tst_read_file(file(names[_i]), &n);
    for (i = 0; i < n; i += 7) {
        text[i] ^= 0x10;
        put(names[_i], text, n);
        rc = try_load(false, &q);
        ck_assert_msg(rc != 0 || strstr(names[_i], ".sig") != NULL,
            "octet %zu", i);
        /* Type names in the signature stream are covered by nothing. */
        vsec_principal_unref(q);
        text[i] ^= 0x10;
        put(names[_i], text, i);
        ck_assert_int_lt(try_load(false, &q), 0);
        ck_assert(mentions("blessing"));
    }
    put(names[_i], text, n);
    vsec_principal_unref(load(false));
    free(text);
}
END_TEST

/* A crash between the two renames of a change. */
START_TEST(crash_between_renames_is_survived)
{
    struct vsec_principal *p = create(""), *q;
    struct vsec_blessings *x = self(p, "x"), *y = self(p, "y");
    size_t n;
    char *old;

    if (_i == 1)
        ck_assert_int_eq(vsec_store_set_default(p->store, x), 0);
    old = tst_read_file(file("blessingstore.sig"), &n);
    ck_assert_int_eq(vsec_store_set_default(p->store, y), 0);
    ck_assert_int_eq(rename(file("blessingstore.sig"),
        file("blessingstore.sig.new")), 0);
    if (old != NULL)
        put("blessingstore.sig", old, n);
    q = load(true);
    ck_assert(vsec_blessings_eq(vsec_store_default(q->store), y));
    ck_assert_int_eq(vsec_store_set_default(q->store, x), 0);
    ck_assert(!exists("blessingstore.sig.new"));
    vsec_principal_unref(q);
    q = load(false);
    ck_assert(vsec_blessings_eq(vsec_store_default(q->store), x));
    free(old);
    vsec_blessings_unref(x);
    vsec_blessings_unref(y);
    vsec_principal_unref(p);
    vsec_principal_unref(q);
}
END_TEST

START_TEST(discharges_survive)
{
    struct vsec_principal *p = create(""), *q, *d = person();
    v23_security_caveat any = vsec_caveat_unconstrained(),
                        c = discharged_by(d, "");
    v23_security_discharge_impetus imp;
    struct vsec_discharge *x, *got;
    struct v23_walltime cached;

    memset(&imp, 0, sizeof(imp));
    ck_assert_int_eq(vsec_principal_mint_discharge(d, &c, one(&any), &x), 0);
    ck_assert_int_eq(vsec_store_cache_discharge(p->store, x, &c, &imp,
        at(77)), 0);
    q = load(true);
    ck_assert_int_eq(vsec_store_discharge(q->store, &c, &imp, at(78), &got,
        &cached), 0);
    ck_assert_ptr_nonnull(got);
    ck_assert_int_eq(cached.sec, 77);
    ck_assert_int_eq(vsec_discharge_verify(got, d->key), 0);
    vsec_discharge_unref(got);
    vsec_discharge_unref(x);
    vsec_principal_unref(p);
    vsec_principal_unref(q);
    vsec_principal_unref(d);
}
END_TEST

/* ---- signed streams ------------------------------------------------------ */

static const size_t lengths[] = { 0, 1, 6, 7, 8, 14, 100 };

START_TEST(streams_verify_and_show_any_change)
{
    struct vsec_principal *p = person(), *other = person();
    uint8_t data[101] = { 3, 1, 4 };
    struct v23_bytes d = v23_bytes(data, lengths[_i]);
    struct v23_buf sig;

    v23_buf_init(&sig, &mem.al, 1 << 16);
    ck_assert_int_eq(vsec_stream_sign(p->signer, d, 7, &sig), 0);
    ck_assert_int_eq(vsec_stream_verify(p->key, d,
        v23_bytes(sig.p, sig.n)), 0);
    ck_assert_int_eq(vsec_stream_verify(other->key, d,
        v23_bytes(sig.p, sig.n)), V23_ESIG);
    d.n++;
    ck_assert_int_eq(vsec_stream_verify(p->key, d,
        v23_bytes(sig.p, sig.n)), V23_ETAMPERED);
    d.n--;
    if (d.n > 0) {
        data[d.n - 1] ^= 1;
        ck_assert_int_eq(vsec_stream_verify(p->key, d,
            v23_bytes(sig.p, sig.n)), V23_ETAMPERED);
        data[d.n - 1] ^= 1;
        d.n--;
        ck_assert_int_eq(vsec_stream_verify(p->key, d,
            v23_bytes(sig.p, sig.n)), V23_ETAMPERED);
        d.n++;
    }
    ck_assert_int_lt(vsec_stream_verify(p->key, d,
        v23_bytes(sig.p, sig.n - 1)), 0);
    v23_buf_put_byte(&sig, 0);
    ck_assert_int_eq(vsec_stream_verify(p->key, d,
        v23_bytes(sig.p, sig.n)), V23_ETAMPERED);
    ck_assert_int_eq(vsec_stream_verify(p->key, d, v23_bytes("", 0)),
        V23_ETAMPERED);
    ck_assert_int_eq(vsec_stream_sign(p->signer, d, 0, &sig), V23_EARG);
    v23_buf_fini(&sig);
    vsec_principal_unref(p);
    vsec_principal_unref(other);
}
END_TEST

/* ---- lack of memory ------------------------------------------------------ */

static int load_once(const struct v23_alloc *al, void *ud)
{
    struct vsec_cred_opts o;
    struct vsec_principal *p = NULL;
    int rc;

    (void)ud;
    memset(&o, 0, sizeof(o));
    rc = vsec_engine_new(&o.engine, &counted, al, NULL);
    if (rc != 0)
        return rc;
    rc = vsec_cred_load(dir, &o, &p, why);
    vsec_principal_unref(p);
    vsec_engine_unref(o.engine);
    return rc;
}

START_TEST(loading_survives_out_of_memory)
{
    struct vsec_principal *p = create("");
    struct vsec_blessings *x = self(p, "x");

    ck_assert_int_eq(vsec_principal_set_default_blessings(p, x), 0);
    vsec_blessings_unref(x);
    vsec_principal_unref(p);
    tst_out_of_memory(load_once, NULL);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, created_directory_loads_again);
    tcase_add_test(t, directory_is_not_created_twice);
    tcase_add_test(t, missing_files_are_named);
    tcase_add_test(t, public_key_can_be_derived_when_asked_for);
    tcase_add_test(t, halves_must_belong_together);
    tcase_add_test(t, encrypted_keys_want_their_passphrase);
    tcase_add_test(t, one_indirection_is_followed);
    tcase_add_test(t, read_only_file_systems_are_left_alone);
    tcase_add_test(t, no_credentials_mean_a_principal_of_its_own);
    tcase_add_loop_test(t, umask_is_respected_and_keys_are_private, 0, 2);
    tcase_add_test(t, missing_parents_are_made_private);
    tcase_add_test(t, symbolic_links_are_followed_but_not_written_through);
    tcase_add_test(t, directory_of_somebody_else_is_refused);
    tcase_add_loop_test(t, reasons_and_log_hold_no_secrets, 0, 2);
    tcase_add_test(t, writers_do_not_undo_each_other);
    tcase_add_test(t, readers_see_changes_when_they_reload);
    tcase_add_test(t, a_change_that_cannot_be_written_is_undone);
    tcase_add_test(t, locks_are_released);
    tcase_add_loop_test(t, damage_is_found, 0, 4);
    tcase_add_loop_test(t, crash_between_renames_is_survived, 0, 2);
    tcase_add_test(t, discharges_survive);
    tcase_add_loop_test(t, streams_verify_and_show_any_change, 0,
        sizeof(lengths) / sizeof(lengths[0]));
    tcase_add_test(t, loading_survives_out_of_memory);
}

int main(void)
{
    return tst_run_case("security/credentials", add, cred_setup, cred_teardown);
}

/* BSD-3-Clause; see LICENSE. */
/*
 * What happens to a credentials directory when its writer is killed before any
 * of its system calls, or when one of them fails. The writer is a child under
 * ptrace(2); afterwards the directory must hold the state of before or after
 * the change, for readers with and without locks, and the next writer must
 * find everything in order.
 */
#define _DEFAULT_SOURCE /* for sys/ptrace.h */
#include "cred_rig.h"

#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

/* ---- a child under control ----------------------------------------------- */

struct run {
    long at;    /* which system call (from 1) is not done; 0 = none */
    int err;    /* 0: the child is killed there; else the call fails with it */
    /* results */
    long calls; /* how many there were */
    bool done;  /* the child ended by itself */
    int code;   /* and how */
};

#ifdef __x86_64__
/* Does a failure of this call say anything about files? */
static bool is_file_call(pid_t pid)
{
    static const unsigned long calls[] = { SYS_read, SYS_write, SYS_open,
        SYS_openat, SYS_close, SYS_fsync, SYS_rename, SYS_unlink, SYS_flock,
        SYS_mkdir, SYS_stat, SYS_lstat, SYS_fstat, SYS_newfstatat, SYS_lseek };
    struct user_regs_struct r;
    size_t i;

    ck_assert_int_eq(ptrace(PTRACE_GETREGS, pid, NULL, &r), 0);
    for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        if (r.orig_rax == calls[i])
            return true;
    return false;
}

static void skip_call(pid_t pid)
{
    struct user_regs_struct r;

    ck_assert_int_eq(ptrace(PTRACE_GETREGS, pid, NULL, &r), 0);
    /* A close that fails has closed nevertheless. */
    if (r.orig_rax != SYS_close)
        r.orig_rax = (unsigned long long)-1;
    ck_assert_int_eq(ptrace(PTRACE_SETREGS, pid, NULL, &r), 0);
}

static void fail_call(pid_t pid, int err)
{
    struct user_regs_struct r;

    ck_assert_int_eq(ptrace(PTRACE_GETREGS, pid, NULL, &r), 0);
    r.rax = (unsigned long long)-err;
    ck_assert_int_eq(ptrace(PTRACE_SETREGS, pid, NULL, &r), 0);
}
#else
static bool is_file_call(pid_t pid)
{
    (void)pid;
    return true;
}

static void skip_call(pid_t pid)
{
    (void)pid;
}

static void fail_call(pid_t pid, int err)
{
    (void)pid;
    (void)err;
}
#endif

/* At a stop before a call. True: the child is no more. */
static bool before_call(pid_t pid, struct run *r)
{
    int status;

    if (r->err != 0 && !is_file_call(pid))
        return false;
    r->calls++;
    if (r->calls != r->at)
        return false;
    if (r->err != 0) {
        skip_call(pid);
        return false;
    }
    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return true;
}

static void control(pid_t pid, struct run *r)
{
    bool before = true, failing;
    int status;

    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFSTOPPED(status));
    ck_assert_int_eq(ptrace(PTRACE_SETOPTIONS, pid, NULL,
        (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)), 0);
    for (;;) {
        ck_assert_int_eq(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        if (WIFEXITED(status)) {
            r->done = true;
            r->code = WEXITSTATUS(status);
            return;
        }
        ck_assert_msg(WIFSTOPPED(status)
            && WSTOPSIG(status) == (SIGTRAP | 0x80), "status %x", status);
        failing = r->err != 0 && r->calls == r->at && !before;
        if (before && before_call(pid, r))
            return;
        if (failing && r->at != 0) {
            fail_call(pid, r->err);
            r->at = 0;
        }
        before = !before;
    }
}

/* Fork; in the parent `r` is then for control(). */
static pid_t fork_run(struct run *r, long at, int err)
{
    pid_t pid;

    memset(r, 0, sizeof(*r));
    r->at = at;
    r->err = err;
    fflush(NULL);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    return pid;
}

/* In the child: calls from now on are counted. */
static void be_controlled(void)
{
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
        _exit(5);
    raise(SIGSTOP);
}

/* Is control possible here? Emulators and sandboxes may not have it. */
static bool controllable(void)
{
    int status;
    pid_t pid;

    if (tst_emulated("killing a writer of credentials"))
        return false;
    pid = fork();
    if (pid == 0)
        _exit(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 ? 0 : 1);
    if (pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status)
        && WEXITSTATUS(status) == 0)
        return true;
    fprintf(stderr, "test_cred_crash: ptrace is not possible here\n");
    return false;
}

/* And can calls be made to fail? */
static bool can_fail(void)
{
#ifdef __x86_64__
    return controllable();
#else
    fprintf(stderr, "test_cred_crash: calls can be made to fail on x86-64 "
        "only\n");
    return false;
#endif
}

/* ---- states -------------------------------------------------------------- */

/* What a principal has, as text. */
static void describe(struct vsec_principal *p, struct v23_buf *out)
{
    v23_buf_cut(out, 0);
    ck_assert_int_eq(vsec_store_format(p->store, out), 0);
    ck_assert_int_eq(vsec_roots_format(p->roots, out), 0);
    v23_buf_printf(out, "%zu discharges\n", p->store->state.ndischarges);
    v23_buf_cstr(out);
}

static bool same(const struct v23_buf *a, const struct v23_buf *b)
{
    return a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
}

/* The same for what is on disk: with the private key's file. */
static int describe_dir(bool writable, bool locks, struct v23_buf *out)
{
    struct vsec_principal *p;
    char *pem;
    size_t n;
    int rc;

    opt.readonly_fs = !locks;
    rc = try_load(writable, &p);
    opt.readonly_fs = false;
    if (rc != 0)
        return rc;
    describe(p, out);
    vsec_principal_unref(p);
    pem = tst_read_file(file("privatekey.pem"), &n);
    ck_assert_ptr_nonnull(pem);
    v23_buf_put(out, pem, n);
    v23_buf_cstr(out);
    free(pem);
    return 0;
}

/* Do data and signature fit, for those who look at no other file? */
static bool pair_is_whole(const struct vsec_pubkey *k, const char *data,
    const char *sig)
{
    size_t nd, ns;
    char *d = tst_read_file(file(data), &nd);
    char *s = tst_read_file(file(sig), &ns);
    bool whole = d == NULL || s == NULL
        || vsec_stream_verify(k, v23_bytes(d, nd), v23_bytes(s, ns)) == 0;

    free(d);
    free(s);
    return whole;
}

static bool is_whole(const struct vsec_pubkey *k)
{
    return pair_is_whole(k, "blessingstore.data", "blessingstore.sig")
        && pair_is_whole(k, "blessingroots.data", "blessingroots.sig");
}

static bool has_left_overs(void)
{
    struct dirent *d;
    DIR *h = opendir(dir);
    bool found = false;

    while (h != NULL && (d = readdir(h)) != NULL)
        found |= strlen(d->d_name) > 4
            && strcmp(d->d_name + strlen(d->d_name) - 4, ".new") == 0;
    if (h != NULL)
        closedir(h);
    return found;
}

/* Copy the files of one directory to another, which is made anew. */
static void copy_dir(const char *from, const char *to)
{
    char a[512], b[512];
    struct dirent *d;
    DIR *h = opendir(from);
    size_t n;
    char *text;
    FILE *f;

    remove_dir(to);
    ck_assert_int_eq(mkdir(to, 0700), 0);
    while (h != NULL && (d = readdir(h)) != NULL) {
        if (d->d_name[0] == '.')
            continue;
        snprintf(a, sizeof(a), "%s/%s", from, d->d_name);
        snprintf(b, sizeof(b), "%s/%s", to, d->d_name);
        text = tst_read_file(a, &n);
        f = fopen(b, "wb");
        ck_assert(text != NULL && f != NULL);
        ck_assert_uint_eq(fwrite(text, 1, n, f), n);
        fclose(f);
        free(text);
    }
    if (h != NULL)
        closedir(h);
}

/* ---- changes ------------------------------------------------------------- */

static struct vsec_principal *me, *friend;
static struct vsec_blessings *x, *y;
static struct vsec_discharge *ticket;
static v23_security_caveat tp;
static v23_security_discharge_impetus impetus;
static struct v23_buf old_state, new_state, old_memory, new_memory, now_state;

static int set_default(struct vsec_principal *p)
{
    return vsec_store_set_default(p->store, y);
}

static int set_for_peer(struct vsec_principal *p)
{
    return vsec_store_set(p->store, y, vdl_str("new"), NULL);
}

static int delete_for_peer(struct vsec_principal *p)
{
    return vsec_store_set(p->store, NULL, vdl_str("old"), NULL);
}

static int add_root(struct vsec_principal *p)
{
    return vsec_roots_add(p->roots, friend->key->der, vdl_str("friend"));
}

static int cache_discharge(struct vsec_principal *p)
{
    return vsec_store_cache_discharge(p->store, ticket, &tp, &impetus, at(77));
}

static int rewrite_key(struct vsec_principal *p)
{
    struct vsec_cred_files f;
    struct v23_buf pem;
    int rc;

    v23_buf_init(&pem, NULL, 1 << 16);
    rc = vsec_key_file_put(p->signer, v23_bytes("", 0), &pem);
    v23_buf_puts(&pem, "in another form\n");
    f.private_pem = v23_bytes(pem.p, pem.n);
    f.public_pem = v23_bytes(NULL, 0);
    if (rc == 0)
        rc = vsec_cred_rewrite_keys(dir, &opt, &f, why);
    v23_buf_fini(&pem);
    return rc;
}

static int (*const changes[])(struct vsec_principal *p) = { set_default,
    set_for_peer, delete_for_peer, add_root, cache_discharge, rewrite_key };
enum { NCHANGES = sizeof(changes) / sizeof(changes[0]) };

/* In the child: 0: done, 1: not done, both with that state in memory. */
static int report(struct vsec_principal *p, int rc)
{
    describe(p, &now_state);
    if (rc == 0)
        return same(&now_state, &new_memory) ? 0 : 2;
    return same(&now_state, &old_memory) ? 1 : 3;
}

static struct run run_change(int which, long at, int err)
{
    struct vsec_principal *p;
    struct run r;
    pid_t pid = fork_run(&r, at, err);

    if (pid == 0) {
        if (try_load(true, &p) != 0)
            _exit(4);
        be_controlled();
        _exit(report(p, changes[which](p)));
    }
    control(pid, &r);
    return r;
}

/* ---- a directory to be changed ------------------------------------------- */

static char template[96];

static void crash_setup(void)
{
    v23_security_caveat any = vsec_caveat_unconstrained();

    cred_setup();
    snprintf(template, sizeof(template), "%s/t", base);
    me = create("");
    friend = person();
    x = self(me, "x");
    y = self(me, "y");
    ck_assert_int_eq(vsec_principal_set_default_blessings(me, x), 0);
    ck_assert_int_eq(vsec_store_set(me->store, x, vdl_str("old"), NULL), 0);
    memset(&impetus, 0, sizeof(impetus));
    tp = discharged_by(friend, "");
    ck_assert_int_eq(vsec_principal_mint_discharge(friend, &tp, one(&any),
        &ticket), 0);
    v23_buf_init(&old_state, NULL, 1 << 20);
    v23_buf_init(&new_state, NULL, 1 << 20);
    v23_buf_init(&old_memory, NULL, 1 << 20);
    v23_buf_init(&new_memory, NULL, 1 << 20);
    v23_buf_init(&now_state, NULL, 1 << 20);
    copy_dir(dir, template);
}

static void crash_teardown(void)
{
    v23_buf_fini(&old_state);
    v23_buf_fini(&new_state);
    v23_buf_fini(&old_memory);
    v23_buf_fini(&new_memory);
    v23_buf_fini(&now_state);
    vsec_discharge_unref(ticket);
    vsec_blessings_unref(x);
    vsec_blessings_unref(y);
    vsec_principal_unref(me);
    vsec_principal_unref(friend);
    cred_teardown();
}

/* The states of before and after a change of the template. */
static void learn_states(int which)
{
    struct vsec_principal *p;

    copy_dir(template, dir);
    ck_assert_int_eq(describe_dir(false, true, &old_state), 0);
    p = load(true);
    describe(p, &old_memory);
    ck_assert_int_eq(changes[which](p), 0);
    describe(p, &new_memory);
    ck_assert_int_eq(describe_dir(false, true, &new_state), 0);
    ck_assert(!same(&old_state, &new_state));
    vsec_principal_unref(p);
}

/* The directory holds `want`, or when that is NULL the old or the new state;
 * whoever writes next puts everything in order. True: others could not have
 * read it before. */
static bool check_dir(const struct v23_buf *want, long k)
{
    struct v23_buf first;
    struct vsec_principal *p;
    bool torn = !is_whole(me->key);

    v23_buf_init(&first, NULL, 1 << 20);
    ck_assert_msg(describe_dir(false, false, &first) == 0, "%ld: %s", k, why);
    if (want != NULL)
        ck_assert_msg(same(&first, want), "%ld: %s", k,
            v23_buf_cstr(&first));
    else
        ck_assert_msg(same(&first, &old_state) || same(&first, &new_state),
            "%ld: %s", k, v23_buf_cstr(&first));
    ck_assert_msg(describe_dir(false, true, &now_state) == 0, "%s", why);
    ck_assert(same(&first, &now_state));
    ck_assert_msg(describe_dir(true, true, &now_state) == 0, "%s", why);
    ck_assert(same(&first, &now_state));
    ck_assert_msg(is_whole(me->key), "%ld: not put in order", k);
    p = load(true);
    ck_assert_int_eq(vsec_store_set(p->store, x, vdl_str("next"), NULL), 0);
    ck_assert_int_eq(vsec_roots_add(p->roots, p->key->der, vdl_str("next")),
        0);
    ck_assert_int_eq(rewrite_key(p), 0);
    vsec_principal_unref(p);
    ck_assert_msg(!has_left_overs(), "%ld: left-overs", k);
    ck_assert(is_whole(me->key));
    vsec_principal_unref(load(false));
    v23_buf_fini(&first);
    return torn;
}

/* ---- tests --------------------------------------------------------------- */

/* Kill the writer before each of its system calls; the last torn state is
 * kept in base/torn. Returns how many there were. */
static long kill_everywhere(int which)
{
    char torn_dir[96], saved[96];
    struct run r;
    long k, torn = 0, news = 0;

    snprintf(torn_dir, sizeof(torn_dir), "%s/torn", base);
    snprintf(saved, sizeof(saved), "%s/s", base);
    learn_states(which);
    for (k = 1;; k++) {
        copy_dir(template, dir);
        r = run_change(which, k, 0);
        if (r.done)
            break;
        copy_dir(dir, saved);
        if (check_dir(NULL, k)) {
            torn++;
            copy_dir(saved, torn_dir);
        }
        copy_dir(saved, dir);
        ck_assert_int_eq(describe_dir(false, true, &now_state), 0);
        news += same(&now_state, &new_state);
    }
    ck_assert_int_eq(r.code, 0);
    check_dir(&new_state, k);
    ck_assert_int_gt(k, 10);
    ck_assert_int_gt(news, 0);
    ck_assert_int_lt(news, k);
    return torn;
}

START_TEST(killed_writer_leaves_the_old_or_the_new_state)
{
    if (controllable())
        kill_everywhere(_i);
}
END_TEST

/* Once killed between the renames, and then again anywhere. */
START_TEST(killed_writer_after_a_crash_leaves_the_old_or_the_new_state)
{
    char torn[96];

    if (!controllable())
        return;
    ck_assert_int_gt(kill_everywhere(_i), 0);
    snprintf(torn, sizeof(torn), "%s/torn", base);
    copy_dir(torn, template);
    kill_everywhere((_i + 1) % NCHANGES);
}
END_TEST

/* An error of each system call that has to do with files. */
START_TEST(failing_write_is_undone)
{
    static const int errors[] = { EIO, ENOSPC };
    struct run r;
    long k;

    if (!can_fail())
        return;
    learn_states(_i / 2);
    for (k = 1;; k++) {
        copy_dir(template, dir);
        r = run_change(_i / 2, k, errors[_i % 2]);
        ck_assert(r.done);
        ck_assert_msg(r.code <= 1, "%ld: code %d", k, r.code);
        check_dir(r.code == 0 ? &new_state : &old_state, k);
        if (r.calls < k)
            break;
    }
    ck_assert_int_eq(r.code, 0);
    ck_assert_int_gt(k, 10);
}
END_TEST

/* ---- creation ------------------------------------------------------------ */

static int name_it(void *ud, struct vsec_principal *p)
{
    struct vsec_blessings *b = self(p, "newborn");
    int rc = vsec_principal_set_default_blessings(p, b);

    (void)ud;
    vsec_blessings_unref(b);
    return rc;
}

static int create_it(struct vsec_signer *s)
{
    struct vsec_principal *p;
    int rc;

    opt.furnish = name_it;
    opt.writable = true;
    rc = vsec_cred_create(dir, &opt, s, v23_bytes("", 0), &p, why);
    if (rc == 0)
        vsec_principal_unref(p);
    return rc;
}

static struct run run_create(struct vsec_signer *s, long at, int err)
{
    struct run r;
    pid_t pid = fork_run(&r, at, err);

    if (pid == 0) {
        be_controlled();
        _exit(create_it(s) == 0 ? 0 : 1);
    }
    control(pid, &r);
    return r;
}

static bool is_complete(void)
{
    struct vsec_principal *p;
    bool complete;

    if (try_load(false, &p) != 0)
        return false;
    complete = vdl_str_is(vsec_blessings_text(vsec_store_default(p->store)),
        "newborn");
    ck_assert(complete);
    ck_assert_uint_eq(mode("privatekey.pem"), 0400);
    ck_assert_uint_eq(mode("publickey.pem"), 0400);
    ck_assert_uint_eq(mode("."), 0700);
    vsec_principal_unref(p);
    return true;
}

/* Complete, or it can be created again, also by somebody with another key. */
static bool check_created(struct vsec_signer *other, long k)
{
    bool complete = is_complete();

    if (!complete) {
        ck_assert_msg(create_it(other) == 0, "%ld: %s", k, why);
        ck_assert(is_complete());
    }
    /* A signature may still have its temporary name: the next writer's work. */
    vsec_principal_unref(load(true));
    ck_assert(!has_left_overs());
    ck_assert_int_eq(create_it(other), V23_EEXIST);
    return complete;
}

START_TEST(killed_creation_is_complete_or_can_be_repeated)
{
    struct vsec_signer *s, *other;
    long k, complete = 0;
    struct run r;

    if (!controllable())
        return;
    ck_assert_int_eq(vsec_signer_generate(e, "ed25519", &s), 0);
    ck_assert_int_eq(vsec_signer_generate(e, "ed25519", &other), 0);
    for (k = 1;; k++) {
        remove_dir(dir);
        r = run_create(s, k, 0);
        if (r.done)
            break;
        complete += check_created(other, k);
    }
    ck_assert_int_eq(r.code, 0);
    ck_assert(check_created(other, k));
    ck_assert_int_gt(k, 40);
    ck_assert_int_gt(complete, 0);
    vsec_signer_unref(s);
    vsec_signer_unref(other);
}
END_TEST

START_TEST(failing_creation_can_be_repeated)
{
    struct vsec_signer *s, *other;
    struct run r;
    long k;

    if (!can_fail())
        return;
    ck_assert_int_eq(vsec_signer_generate(e, "ed25519", &s), 0);
    ck_assert_int_eq(vsec_signer_generate(e, "ed25519", &other), 0);
    for (k = 1;; k++) {
        remove_dir(dir);
        r = run_create(s, k, ENOSPC);
        ck_assert(r.done);
        ck_assert_msg(check_created(other, k) == (r.code == 0), "%ld", k);
        if (r.calls < k)
            break;
    }
    ck_assert_int_eq(r.code, 0);
    vsec_signer_unref(s);
    vsec_signer_unref(other);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_loop_test(t, killed_writer_leaves_the_old_or_the_new_state, 0,
        NCHANGES);
    tcase_add_loop_test(t,
        killed_writer_after_a_crash_leaves_the_old_or_the_new_state, 0, 5);
    tcase_add_loop_test(t, failing_write_is_undone, 0, 2 * NCHANGES);
    tcase_add_test(t, killed_creation_is_complete_or_can_be_repeated);
    tcase_add_test(t, failing_creation_can_be_repeated);
}

int main(void)
{
    return tst_run_case("security/cred_crash", add, crash_setup,
        crash_teardown);
}

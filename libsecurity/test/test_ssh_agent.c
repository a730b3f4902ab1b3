/* BSD-3-Clause; see LICENSE. */
/* Signers whose key is in an ssh-agent: one of the tests' own, that holds keys
 * of the provider, and one behind a socket. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <vsec/ssh_agent.h>

#include "../src/ssh_int.h"
#include "key_data.h"
#include "key_rig.h"

/* ---- an agent ------------------------------------------------------------ */

struct fake {
    struct vsec_signer *key;
    struct v23_bytes says; /* instead of a real answer; p NULL = none */
    size_t cut;            /* octets left off the end of a real answer */
    size_t flip;           /* this octet of a real answer is changed; 0 = none */
    int fails;             /* status instead of an answer */
    unsigned closed;
};

static void list_keys(struct fake *f, struct v23_buf *out)
{
    struct v23_buf blob;

    v23_buf_init(&blob, NULL, SIZE_MAX);
    v23_buf_put_byte(out, 12);
    vsec_ssh_put_u32_(out, 2);
    vsec_ssh_put_string_(out, "other", 5);
    vsec_ssh_put_string_(out, "comment", 7);
    ck_assert_int_eq(vsec_ssh_blob_put(f->key->pub, &blob), 0);
    vsec_ssh_put_string_(out, blob.p, blob.n);
    vsec_ssh_put_string_(out, NULL, 0);
    v23_buf_fini(&blob);
}

static void put_value(const struct fake *f, const struct vsec_sigval *v,
    struct v23_buf *b)
{
    const char *name = vsec_ssh_type_(f->key->pub);
    struct v23_buf two;

    v23_buf_init(&two, NULL, SIZE_MAX);
    if (f->key->pub->alg->kind == VSEC_RSA)
        name = "rsa-sha2-512";
    vsec_ssh_put_string_(b, name, strlen(name));
    if (f->key->pub->alg->kind == VSEC_ECDSA) {
        vsec_ssh_put_mpint_(&two, vsec_strip_zeros_(v->a));
        vsec_ssh_put_mpint_(&two, vsec_strip_zeros_(v->b));
        vsec_ssh_put_string_(b, two.p, two.n);
    } else {
        vsec_ssh_put_string_(b, v->a.p, v->a.n);
    }
    v23_buf_fini(&two);
}

/* What OpenSSH's agent does: it hashes, unless the key is of Ed25519. */
static void sign_it(struct fake *f, struct v23_bytes in, struct v23_buf *out)
{
    const struct vsec_pubkey *k = f->key->pub;
    uint8_t buf[VSEC_SIG_MAX];
    struct v23_bytes blob, data;
    struct vsec_sign_req req;
    struct vsec_sigval v;
    struct v23_buf sig;
    uint32_t flags;

    memset(&req, 0, sizeof(req));
    req.hash = k->hash;
    ck_assert_int_eq(vsec_ssh_take_string_(&in, &blob), 0);
    ck_assert_int_eq(vsec_ssh_take_string_(&in, &data), 0);
    ck_assert_int_eq(vsec_ssh_take_u32_(&in, &flags), 0);
    ck_assert_uint_eq(in.n, 0);
    ck_assert_uint_eq(flags, k->alg->kind == VSEC_RSA ? 4 : 0);
    if (k->alg->kind == VSEC_ED25519)
        memcpy(req.d, data.p, data.n);
    else
        ck_assert_int_eq(vsec_hash(k->hash, data.p, data.n, req.d), 0);
    ck_assert_int_eq(f->key->ops->sign(f->key, &req, buf, &v), 0);
    v23_buf_init(&sig, NULL, SIZE_MAX);
    put_value(f, &v, &sig);
    v23_buf_put_byte(out, 14);
    vsec_ssh_put_string_(out, sig.p, sig.n);
    v23_buf_fini(&sig);
}

static int ask(void *ud, struct v23_bytes request, struct v23_buf *answer)
{
    struct fake *f = ud;
    struct v23_buf out;

    if (f->fails != 0)
        return f->fails;
    v23_buf_init(&out, NULL, SIZE_MAX);
    if (f->says.p != NULL)
        v23_buf_put(&out, f->says.p, f->says.n);
    else if (request.p[0] == 11)
        list_keys(f, &out);
    else if (request.p[0] == 13)
        sign_it(f, v23_bytes(request.p + 1, request.n - 1), &out);
    if (f->flip != 0 && f->flip <= out.n)
        out.p[out.n - f->flip] ^= 0x41;
    v23_buf_put(answer, out.p, out.n - (f->cut > out.n ? out.n : f->cut));
    v23_buf_fini(&out);
    return answer->err;
}

static void hang_up(void *ud)
{
    ((struct fake *)ud)->closed++;
}

static struct fake fake;
static const struct vsec_ssh_agent to_fake = { ask, hang_up, &fake };

static struct vsec_signer *hosted(const char *pkcs8)
{
    struct vsec_signer *s;

    memset(&fake, 0, sizeof(fake));
    fake.key = signer(pkcs8);
    ck_assert_int_eq(vsec_ssh_agent_signer(fake.key->pub, &to_fake, &s), 0);
    return s;
}

static void done(struct vsec_signer *s)
{
    vsec_signer_unref(s);
    vsec_signer_unref(fake.key);
    ck_assert_uint_eq(fake.closed, 1);
}

/* ---- messages ------------------------------------------------------------ */

START_TEST(agent_signs_for_every_kind_of_key)
{
    struct vsec_signer *s = hosted(privates[_i]);
    struct vsec_signature sig;
    struct v23_buf out;
    int i;

    for (i = 0; i < (_i == 3 ? 2 : 20); i++) {
        sign(s, "message", &sig);
        ck_assert_int_eq(verify(s->pub, &sig, "message"), 0);
        ck_assert_int_eq(verify(s->pub, &sig, "massage"), V23_ESIG);
    }
    v23_buf_init(&out, &mem.al, SIZE_MAX);
    ck_assert_int_eq(vsec_pkcs8_put(s, &out), V23_ENOSYS);
    v23_buf_fini(&out);
    done(s);
}
END_TEST

START_TEST(agent_without_the_key_is_an_error)
{
    struct vsec_signer *other = signer(dave_pkcs8), *s = NULL;

    memset(&fake, 0, sizeof(fake));
    fake.key = signer(alice_pkcs8);

    ck_assert_int_eq(vsec_ssh_agent_signer(other->pub, &to_fake, &s),
        V23_ENOENT);

    ck_assert_ptr_null(s);
    ck_assert_uint_eq(fake.closed, 0);
    vsec_signer_unref(other);
    vsec_signer_unref(fake.key);
}
END_TEST

static int try(struct vsec_signer *s)
{
    struct vsec_signature sig;
    int rc = vsec_sign(s, s1, "m", 1, &arena, &sig, NULL);

    /* A changed value may still have the form of one. */
    return rc != 0 ? rc : verify(s->pub, &sig, "m");
}

START_TEST(agent_may_refuse_or_be_gone)
{
    static const uint8_t no[] = { 5 };
    struct vsec_signer *s = hosted(alice_pkcs8), *second;

    fake.says = v23_bytes(no, 1);
    ck_assert_int_eq(try(s), V23_EDENIED);
    ck_assert_int_eq(vsec_ssh_agent_signer(s->pub, &to_fake, &second),
        V23_EDENIED);
    fake.fails = V23_ESYS;
    ck_assert_int_eq(try(s), V23_ESYS);
    ck_assert_int_eq(vsec_ssh_agent_signer(s->pub, &to_fake, &second),
        V23_ESYS);
    done(s);
}
END_TEST

START_TEST(malformed_answers_are_refused)
{
    struct vsec_signer *s = hosted(privates[_i]), *second;
    size_t n;
    int rc;

    for (n = 1; n < 400; n++) {
        fake.cut = n;
        ck_assert_int_eq(try(s), V23_ELENGTH);
        if (n < 150)
            ck_assert_int_eq(vsec_ssh_agent_signer(s->pub, &to_fake, &second),
                V23_ELENGTH);
    }
    fake.cut = 0;
    for (n = 1; n < 80; n++) {
        fake.flip = n;
        rc = try(s);
        ck_assert(rc == V23_ELENGTH || rc == V23_ESIG);
    }
    done(s);
}
END_TEST

/* Answers to "sign" made of hex octets. */
START_TEST(odd_answers_are_refused)
{
    static const char *const odd[] = {
        "ff",                     /* unknown kind */
        "0c00000000",             /* a list */
        "0e00000000", "0e",       /* empty signatures */
        "0e00000004 00000000",    /* no value */
        "0effffffff",             /* longer than the message */
        /* Right name; empty value, one number, zeros, too long, more behind. */
        "0e0000001b 00000013 65636473612d736861322d6e69737470323536 00000000",
        "0e00000020 00000013 65636473612d736861322d6e69737470323536 00000005"
        "00000001 01",
        "0e00000023 00000013 65636473612d736861322d6e69737470323536 00000008"
        "00000000 00000000",
        "0e00000045 00000013 65636473612d736861322d6e69737470323536 0000002a"
        "00000021 010000000000000000000000000000000000000000000000000000000000"
        "000000 00000001 01",
        "0e00000026 00000013 65636473612d736861322d6e69737470323536 0000000b"
        "00000001 01 00000001 01 00",
        /* Negative numbers, another name. */
        "0e00000025 00000013 65636473612d736861322d6e69737470323536 0000000a"
        "00000001 81 00000001 01",
        "0e00000025 00000013 65636473612d736861322d6e69737470333834 0000000a"
        "00000001 01 00000001 01",
    };
    struct vsec_signer *s = hosted(alice_pkcs8);

    fake.says = hex(odd[_i]);
    ck_assert_int_eq(try(s), V23_ELENGTH);
    done(s);
}
END_TEST

START_TEST(lists_that_lie_are_refused)
{
    static const char *const odd[] = { "0c", "0cffffffff", "0c00000001",
        "0c00000000 00", "0c00000001 00000000", "0e00000000" };
    struct vsec_signer *k = signer(alice_pkcs8), *s;

    memset(&fake, 0, sizeof(fake));
    fake.says = hex(odd[_i]);
    ck_assert_int_eq(vsec_ssh_agent_signer(k->pub, &to_fake, &s),
        V23_ELENGTH);
    vsec_signer_unref(k);
}
END_TEST

static int no_memory_body(const struct v23_alloc *al, void *ud)
{
    struct vsec_signer *s = NULL, *local = NULL;
    struct vsec_engine *eng;
    struct v23_arena a;
    struct vsec_signature sig;
    int rc;

    (void)ud;
    rc = vsec_engine_new(&eng, &counted, al, NULL);
    if (rc != 0)
        return rc;
    v23_arena_init(&a, al, SIZE_MAX);
    {
        struct v23_bytes der = hex(dave_pkcs8);

        rc = vsec_signer_pkcs8(eng, der, &local);
    }
    if (rc == 0)
        rc = vsec_ssh_agent_signer(local->pub, &to_fake, &s);
    if (rc == 0)
        rc = vsec_sign(s, s1, "m", 1, &a, &sig, NULL);
    vsec_signer_unref(s);
    vsec_signer_unref(local);
    v23_arena_fini(&a);
    vsec_engine_unref(eng);
    return rc;
}

START_TEST(hosted_keys_survive_out_of_memory)
{
    memset(&fake, 0, sizeof(fake));
    fake.key = signer(dave_pkcs8);
    tst_out_of_memory(no_memory_body, NULL);
    vsec_signer_unref(fake.key);
}
END_TEST

/* ---- the socket ---------------------------------------------------------- */

struct server {
    int fd;
    const char *answer; /* hex, written for every connection */
    size_t connections;
};

static void *serve(void *ud)
{
    struct server *v = ud;
    uint8_t in[5]; /* one request without arguments */
    size_t i;
    int fd;

    for (i = 0; i < v->connections; i++) {
        struct v23_bytes out = hex(v->answer);

        fd = accept(v->fd, NULL, NULL);
        if (fd >= 0 && recv(fd, in, sizeof(in), MSG_WAITALL) > 0
            && send(fd, out.p, out.n, MSG_NOSIGNAL) < 0)
            abort();
        close(fd);
    }
    return NULL;
}

/* Ask an agent that answers so. */
static int ask_over_socket(const char *answer, struct v23_buf *got)
{
    const uint8_t req[] = { 11 };
    char dir[] = "/tmp/ssh-agent-test.XXXXXX";
    struct server v = { -1, answer, 1 };
    struct vsec_ssh_agent agent;
    struct sockaddr_un at;
    pthread_t thread;
    int rc;

    ck_assert_ptr_nonnull(mkdtemp(dir));
    memset(&at, 0, sizeof(at));
    at.sun_family = AF_UNIX;
    snprintf(at.sun_path, sizeof(at.sun_path), "%s/s", dir);
    v.fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(v.fd, (struct sockaddr *)&at, sizeof(at)), 0);
    ck_assert_int_eq(listen(v.fd, 4), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, serve, &v), 0);
    ck_assert_int_eq(vsec_ssh_agent_unix(&mem.al, at.sun_path, &agent), 0);
    rc = agent.ask(agent.ud, v23_bytes(req, 1), got);
    agent.close(agent.ud);
    pthread_join(thread, NULL);
    close(v.fd);
    unlink(at.sun_path);
    rmdir(dir);
    return rc;
}

START_TEST(socket_carries_one_answer)
{
    struct v23_buf got;

    if (tst_emulated("an agent in a thread"))
        return;
    v23_buf_init(&got, &mem.al, SIZE_MAX);
    ck_assert_int_eq(ask_over_socket("00000003 0c0102", &got), 0);
    ck_assert_uint_eq(got.n, 3);
    ck_assert_mem_eq(got.p, hex("0c0102").p, 3);
    v23_buf_fini(&got);
}
END_TEST

START_TEST(socket_that_lies_about_lengths_is_refused)
{
    static const struct {
        const char *answer;
        int rc;
    } bad[] = { { "", V23_EEOF }, { "0000", V23_EEOF },
        { "00000003 0c01", V23_EEOF }, { "00040001 0c", V23_ELIMIT },
        { "ffffffff", V23_ELIMIT } };
    struct v23_buf got;

    if (tst_emulated("an agent in a thread"))
        return;
    v23_buf_init(&got, &mem.al, SIZE_MAX);
    ck_assert_int_eq(ask_over_socket(bad[_i].answer, &got), bad[_i].rc);
    ck_assert_uint_eq(got.n, 0);
    v23_buf_fini(&got);
}
END_TEST

START_TEST(socket_must_be_there)
{
    const uint8_t req[] = { 11 };
    struct vsec_ssh_agent agent;
    struct v23_buf got;
    char name[200];

    v23_buf_init(&got, &mem.al, SIZE_MAX);
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = 0;
    ck_assert_int_eq(vsec_ssh_agent_unix(&mem.al, name, &agent), V23_ELIMIT);
    unsetenv("SSH_AUTH_SOCK");
    ck_assert_int_eq(vsec_ssh_agent_unix(&mem.al, NULL, &agent), V23_ENOENT);
    setenv("SSH_AUTH_SOCK", "/nonexistent/agent", 1);
    ck_assert_int_eq(vsec_ssh_agent_unix(&mem.al, NULL, &agent), 0);
    ck_assert_int_eq(agent.ask(agent.ud, v23_bytes(req, 1), &got), V23_ESYS);
    ck_assert_int_eq(errno, ENOENT);
    agent.close(agent.ud);
    v23_buf_fini(&got);
}
END_TEST

static void fill(TCase *t)
{
    tcase_add_loop_test(t, agent_signs_for_every_kind_of_key, 0, 4);
    tcase_add_test(t, agent_without_the_key_is_an_error);
    tcase_add_test(t, agent_may_refuse_or_be_gone);
    tcase_add_loop_test(t, malformed_answers_are_refused, 0, 3);
    tcase_add_loop_test(t, odd_answers_are_refused, 0, 13);
    tcase_add_loop_test(t, lists_that_lie_are_refused, 0, 6);
    tcase_add_test(t, hosted_keys_survive_out_of_memory);
    tcase_add_test(t, socket_carries_one_answer);
    tcase_add_loop_test(t, socket_that_lies_about_lengths_is_refused, 0, 5);
    tcase_add_test(t, socket_must_be_there);
}

int main(void)
{
    return tst_run_case("libsecurity/ssh_agent", fill, setup, teardown);
}

/* BSD-3-Clause; see LICENSE. */
/* Agents on unix sockets. The agent has a thread, loop and engine of its own. */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>

#include <suite.h>
#include <support.h>
#include <v23/time.h>
#include <vrpc/agent.h>

static char dir[] = "/tmp/v23-agent-XXXXXX", path[64];
static struct tst_alloc mem;
static struct vsec_engine *e;

/* ---- the agent's thread -------------------------------------------------- */

static struct {
    pthread_t thread;
    int in[2], out[2]; /* pipes: to stop it, and what it has to say */
    struct event_base *base;
    uint32_t users;
    struct tst_alloc mem;
} host;

static void on_stop(evutil_socket_t fd, short what, void *ud)
{
    (void)fd;
    (void)what;
    (void)ud;
    event_base_loopbreak(host.base);
}

static void *host_run(void *ud)
{
    struct vrpc_agent_listen_options opt = { 0 };
    struct vsec_agent_server_config cfg = { 0 };
    const v23_security_caveat_list none = { NULL, 0 };
    struct vrpc_agent_listener *l = NULL;
    struct vsec_agent_server *s = NULL;
    struct vsec_blessings *b = NULL;
    struct vsec_principal *p = NULL;
    struct vsec_engine *mine = NULL;
    struct event *stop;
    char why[VRPC_AGENT_WHY];
    int ok;

    (void)ud;
    tst_alloc_init(&host.mem);
    ok = vsec_engine_new(&mine, &vsec_crypto_default, &host.mem.al, NULL)
            == 0
        && vsec_principal_generate(mine, "ed25519", &p) == 0
        && vsec_principal_bless_self(p, vdl_str("alice"), none, &b) == 0
        && vsec_principal_set_default_blessings(p, b) == 0;
    cfg.principal = p;
    ok = ok && vsec_agent_server_new(&cfg, &s) == 0;
    host.base = event_base_new();
    opt.base = host.base;
    opt.server = s;
    opt.path = path;
    opt.al = &host.mem.al;
    opt.users = host.users;
    ok = ok && vrpc_agent_listen(&opt, &l, why) == 0;
    stop = event_new(host.base, host.in[0], EV_READ, on_stop, NULL);
    event_add(stop, NULL);
    ok = write(host.out[1], ok ? "1" : "0", 1) == 1 && ok;
    if (ok)
        event_base_dispatch(host.base);
    vrpc_agent_unlisten(l);
    event_free(stop);
    event_base_free(host.base);
    vsec_blessings_unref(b);
    vsec_agent_server_free(s);
    vsec_principal_unref(p);
    vsec_engine_unref(mine);
    return NULL;
}

static void host_start(uint32_t users)
{
    char c;

    host.users = users;
    ck_assert_int_eq(pipe(host.in), 0);
    ck_assert_int_eq(pipe(host.out), 0);
    ck_assert_int_eq(pthread_create(&host.thread, NULL, host_run, NULL), 0);
    ck_assert_int_eq(read(host.out[0], &c, 1), 1);
    ck_assert_int_eq(c, '1');
}

static void host_stop(void)
{
    int i;

    ck_assert_int_eq(write(host.in[1], "x", 1), 1);
    ck_assert_int_eq(pthread_join(host.thread, NULL), 0);
    for (i = 0; i < 2; i++) {
        close(host.in[i]);
        close(host.out[i]);
    }
    ck_assert_uint_eq(host.mem.live, 0);
}

/* ---- users --------------------------------------------------------------- */

static void setup(void)
{
    strcpy(dir + sizeof(dir) - 7, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/sock", dir);
    tst_alloc_init(&mem);
    ck_assert_int_eq(vsec_engine_new(&e, &vsec_crypto_default, &mem.al, NULL),
        0);
}

static void teardown(void)
{
    vsec_engine_unref(e);
    ck_assert_uint_eq(mem.live, 0);
    ck_assert_int_eq(rmdir(dir), 0); /* no socket is left */
}

static struct vrpc_agent_options options(struct event_base *base)
{
    struct vrpc_agent_options opt = { 0 };

    opt.engine = e;
    opt.path = path;
    opt.base = base;
    return opt;
}

static struct vrpc_agent *user(const struct vrpc_agent_options *opt)
{
    char why[VRPC_AGENT_WHY] = "";
    struct vrpc_agent *a;

    if (vrpc_agent_connect(opt, &a, why) != 0)
        ck_abort_msg("%s", why);
    return a;
}

static void sign_at_once(struct vrpc_agent *a)
{
    struct vsec_principal *p = vrpc_agent_principal(a);
    struct vsec_signature sig;
    struct v23_arena arena;

    v23_arena_init(&arena, NULL, SIZE_MAX);
    ck_assert_int_eq(vsec_principal_sign(p, "x", 1, &arena, &sig, NULL), 0);
    ck_assert_int_eq(vsec_verify(p->key, &sig, "x", 1), 0);
    v23_arena_fini(&arena);
}

START_TEST(programs_without_a_loop_block)
{
    struct vrpc_agent_options opt = options(NULL);
    struct vrpc_agent *a;
    struct vsec_principal *p;

    host_start(0);
    a = user(&opt);
    p = vrpc_agent_principal(a);
    sign_at_once(a);
    ck_assert_int_eq(vsec_store_set_default(p->store, NULL), 0);
    ck_assert_ptr_null(vsec_store_default(p->store));
    vrpc_agent_free(a);
    host_stop();
}
END_TEST

struct looping {
    struct event_base *base;
    struct vsec_principal *p;
    int done, lost, rc;
};

static void done(void *ud, struct v23_op op, int rc,
    const struct vsec_signature *sig)
{
    struct looping *l = ud;

    (void)op;
    l->done++;
    l->rc = rc;
    if (rc == 0)
        l->rc = vsec_verify(l->p->key, sig, "later", 5);
    event_base_loopbreak(l->base);
}

static void lost(void *ud, int rc)
{
    struct looping *l = ud;

    l->lost++;
    ck_assert_int_eq(rc, V23_EEOF);
    event_base_loopbreak(l->base);
}

static void sign_later(struct looping *l)
{
    const struct vsec_sign_wait wait = { done, l, { 1, 1 } };
    struct vsec_signature sig;
    struct v23_arena arena;

    v23_arena_init(&arena, NULL, SIZE_MAX);
    ck_assert_int_eq(vsec_principal_sign(l->p, "later", 5, &arena, &sig,
        &wait), V23_EAGAIN);
    v23_arena_fini(&arena);
}

START_TEST(signatures_come_by_the_loop)
{
    struct looping l = { event_base_new(), NULL, 0, 0, 0 };
    struct vrpc_agent_options opt = options(l.base);
    struct vrpc_agent *a;

    host_start(0);
    a = user(&opt);
    l.p = vrpc_agent_principal(a);
    sign_later(&l);
    sign_at_once(a); /* in between */
    ck_assert_int_eq(l.done, 0);
    event_base_dispatch(l.base);
    ck_assert_int_eq(l.done, 1);
    ck_assert_int_eq(l.rc, 0);
    vrpc_agent_free(a);
    event_base_free(l.base);
    host_stop();
}
END_TEST

static void changed(void *ud, struct vsec_store *s)
{
    (void)s;
    event_base_loopbreak(((struct looping *)ud)->base);
}

START_TEST(changes_of_others_arrive)
{
    struct looping l = { event_base_new(), NULL, 0, 0, 0 };
    struct vrpc_agent_options opt = options(l.base), plain = options(NULL);
    struct vsec_store_watch w = { changed, &l, NULL };
    struct vrpc_agent *a, *b;

    host_start(0);
    a = user(&opt);
    b = user(&plain);
    l.p = vrpc_agent_principal(a);
    vsec_store_watch(l.p->store, &w);
    ck_assert_int_eq(vsec_store_set_default(vrpc_agent_principal(b)->store,
        NULL), 0);
    event_base_dispatch(l.base);
    ck_assert_ptr_null(vsec_store_default(l.p->store));
    vsec_store_unwatch(l.p->store, &w);
    vrpc_agent_free(a);
    vrpc_agent_free(b);
    event_base_free(l.base);
    host_stop();
}
END_TEST

START_TEST(loss_of_the_agent_is_told)
{
    struct looping l = { event_base_new(), NULL, 0, 0, 0 };
    struct vrpc_agent_options opt = options(l.base);
    struct vrpc_agent *a;

    host_start(0);
    opt.lost = lost;
    opt.ud = &l;
    a = user(&opt);
    l.p = vrpc_agent_principal(a);
    host_stop();
    sign_later(&l);
    while (l.lost == 0)
        event_base_dispatch(l.base);
    ck_assert_int_eq(l.done, 1);
    ck_assert_int_eq(l.rc, V23_ECLOSED);
    ck_assert_int_eq(vsec_store_set_default(l.p->store, NULL), V23_ECLOSED);
    vrpc_agent_free(a);
    event_base_free(l.base);
}
END_TEST

START_TEST(users_beyond_the_limit_wait)
{
    struct vrpc_agent_options opt = options(NULL);
    struct vrpc_agent *a[2], *c;
    char why[VRPC_AGENT_WHY];

    host_start(2);
    a[0] = user(&opt);
    a[1] = user(&opt);
    opt.silence_ns = 50 * V23_NS_PER_MS;
    ck_assert_int_eq(vrpc_agent_connect(&opt, &c, why), V23_ETIMEOUT);
    opt.silence_ns = 0;
    vrpc_agent_free(a[0]);
    c = user(&opt);
    sign_at_once(c);
    vrpc_agent_free(c);
    vrpc_agent_free(a[1]);
    host_stop();
}
END_TEST

/* ---- sockets ------------------------------------------------------------- */

static int listen_at(const char *at, char why[VRPC_AGENT_WHY])
{
    struct vrpc_agent_listen_options opt = { 0 };
    struct vsec_agent_server_config cfg = { 0 };
    struct vrpc_agent_listener *l = NULL;
    struct vsec_agent_server *s;
    struct event_base *base = event_base_new();
    struct stat st;
    int rc;

    ck_assert_int_eq(vsec_principal_generate(e, "ed25519", &cfg.principal),
        0);
    ck_assert_int_eq(vsec_agent_server_new(&cfg, &s), 0);
    opt.base = base;
    opt.server = s;
    opt.path = at;
    opt.al = &mem.al;
    rc = vrpc_agent_listen(&opt, &l, why);
    if (rc == 0) {
        ck_assert_int_eq(stat(at, &st), 0);
        ck_assert_int_eq(st.st_mode & 0777, 0600);
        vrpc_agent_unlisten(l);
    }
    vsec_agent_server_free(s);
    vsec_principal_unref(cfg.principal);
    event_base_free(base);
    return rc;
}

START_TEST(directory_must_be_private)
{
    char why[VRPC_AGENT_WHY];

    ck_assert_int_eq(chmod(dir, 0755), 0);
    ck_assert_int_eq(listen_at(path, why), V23_EDENIED);
    ck_assert_ptr_nonnull(strstr(why, "0700"));
    ck_assert_int_eq(chmod(dir, 0700), 0);
    ck_assert_int_eq(listen_at(path, why), 0);
}
END_TEST

START_TEST(sockets_of_the_dead_are_replaced)
{
    char why[VRPC_AGENT_WHY];
    struct sockaddr_un sa;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memset(&sa, 0, sizeof(sa));
    sa.sun_family = AF_UNIX;
    strcpy(sa.sun_path, path);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&sa, sizeof(sa)), 0);
    ck_assert_int_eq(listen(fd, 1), 0);
    ck_assert_int_eq(listen_at(path, why), V23_EEXIST);
    close(fd);
    ck_assert_int_eq(listen_at(path, why), 0);
}
END_TEST

START_TEST(bad_paths_are_explained)
{
    struct vrpc_agent_options opt = options(NULL);
    char why[VRPC_AGENT_WHY], lengthy[200];
    struct vrpc_agent *a;

    ck_assert_int_eq(vrpc_agent_connect(&opt, &a, why), V23_ENOENT);
    ck_assert_ptr_nonnull(strstr(why, path));
    memset(lengthy, 'x', sizeof(lengthy));
    lengthy[199] = 0;
    opt.path = lengthy;
    ck_assert_int_eq(vrpc_agent_connect(&opt, &a, why), V23_ELIMIT);
    ck_assert_int_eq(listen_at(lengthy, why), V23_ELIMIT);
    ck_assert_int_eq(listen_at("", why), V23_ELIMIT);
    ck_assert_int_eq(listen_at("/nonexistent/sock", why), V23_ENOENT);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, programs_without_a_loop_block);
    tcase_add_test(t, signatures_come_by_the_loop);
    tcase_add_test(t, changes_of_others_arrive);
    tcase_add_test(t, loss_of_the_agent_is_told);
    tcase_add_test(t, users_beyond_the_limit_wait);
    tcase_add_test(t, directory_must_be_private);
    tcase_add_test(t, sockets_of_the_dead_are_replaced);
    tcase_add_test(t, bad_paths_are_explained);
}

int main(void)
{
    return tst_run_case("rpc/ev_agent", add, setup, teardown);
}

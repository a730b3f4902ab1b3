/* BSD-3-Clause; see LICENSE. */
/* Agents that keep other keys, and serve them. */
#include "agent_rig.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/v23-keys-XXXXXX";
static unsigned listeners;

static int keys_listen(void *ud, struct vsec_agent_server *s,
    const char *path, void **listener)
{
    (void)ud;
    if (strcmp(path, "/bad") == 0)
        return V23_ESYS;
    listeners++;
    *listener = s;
    return 0;
}

static void keys_unlisten(void *ud, void *listener)
{
    (void)ud;
    ck_assert_ptr_nonnull(listener);
    listeners--;
}

static struct vsec_agent_keys *keys_new(const char *at_dir)
{
    struct vsec_agent_keys_config cfg;
    struct vsec_agent_keys *k;

    memset(&cfg, 0, sizeof(cfg));
    cfg.engine = e;
    cfg.dir = at_dir;
    cfg.pass = v23_bytes("secret", 6);
    cfg.listen = keys_listen;
    cfg.unlisten = keys_unlisten;
    ck_assert_int_eq(vsec_agent_keys_new(&cfg, &k), 0);
    return k;
}

static struct vsec_agent_server *managing(struct vsec_agent_keys *k)
{
    struct vsec_agent_manager m = vsec_agent_keys_manager(k);
    struct vsec_agent_server_config cfg;
    struct vsec_agent_server *s;

    memset(&cfg, 0, sizeof(cfg));
    cfg.principal = owner;
    cfg.manager = &m;
    ck_assert_int_eq(vsec_agent_server_new(&cfg, &s), 0);
    return s;
}

START_TEST(keys_in_memory_come_and_go)
{
    struct vsec_agent_keys *k = keys_new(NULL);
    struct vsec_agent_server *s = managing(k);
    uint8_t handle[VSEC_AGENT_HANDLE], other[VSEC_AGENT_HANDLE] = { 1 };
    struct user u;

    user_new(&u, s);
    ck_assert_int_eq(vsec_agent_key_new(u.client, false, handle), V23_ENOSYS);
    ck_assert_int_eq(vsec_agent_key_new(u.client, true, handle), 0);
    ck_assert_int_eq(vsec_agent_key_serve(u.client, other, "/s"), V23_ENOENT);
    ck_assert_int_eq(vsec_agent_key_stop(u.client, handle), V23_ENOENT);
    ck_assert_int_eq(vsec_agent_key_serve(u.client, handle, ""), V23_EARG);
    ck_assert_int_eq(vsec_agent_key_serve(u.client, handle, "/bad"),
        V23_EWIREERR);
    ck_assert_int_eq(vsec_agent_key_serve(u.client, handle, "/s"), 0);
    ck_assert_uint_eq(listeners, 1);
    ck_assert_int_eq(vsec_agent_key_serve(u.client, handle, "/t"),
        V23_EEXIST);
    ck_assert_int_eq(vsec_agent_key_stop(u.client, handle), 0);
    ck_assert_uint_eq(listeners, 0);
    ck_assert_int_eq(vsec_agent_key_serve(u.client, handle, "/s"), 0);
    ck_assert_int_eq(vsec_agent_key_delete(u.client, handle), 0);
    ck_assert_uint_eq(listeners, 0);
    ck_assert_int_eq(vsec_agent_key_delete(u.client, handle), V23_ENOENT);
    user_end(&u);
    vsec_agent_server_free(s);
    vsec_agent_keys_free(k);
}
END_TEST

START_TEST(agent_without_manager_says_so)
{
    uint8_t handle[VSEC_AGENT_HANDLE];
    struct user u;

    user_new(&u, server);
    ck_assert_int_eq(vsec_agent_key_new(u.client, true, handle), V23_ENOSYS);
    ck_assert_str_eq(vsec_agent_client_error(u.client),
        "the agent manages no other keys");
    user_end(&u);
}
END_TEST

static unsigned entries(const char *path, const char *sub, mode_t mode)
{
    char at_path[512];
    struct dirent *d;
    struct stat st;
    unsigned n = 0;
    DIR *h;

    snprintf(at_path, sizeof(at_path), "%s/%s", path, sub);
    h = opendir(at_path);
    ck_assert_ptr_nonnull(h);
    while ((d = readdir(h)) != NULL) {
        if (d->d_name[0] == '.')
            continue;
        ck_assert_uint_eq(strlen(d->d_name), 88);
        snprintf(at_path, sizeof(at_path), "%s/%s/%s", path, sub, d->d_name);
        ck_assert_int_eq(stat(at_path, &st), 0);
        ck_assert_uint_eq(st.st_mode & 0777, mode);
        n++;
    }
    closedir(h);
    return n;
}

START_TEST(keys_on_disk_are_found_again)
{
    struct vsec_agent_keys *k;
    struct vsec_agent_manager m;
    uint8_t handle[VSEC_AGENT_HANDLE];
    char path[64];

    strcpy(dir + sizeof(dir) - 7, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    k = keys_new(dir);
    m = vsec_agent_keys_manager(k);
    ck_assert_int_eq(m.create(m.ud, false, handle), 0);
    ck_assert_uint_eq(entries(dir, "keys", 0600), 1);
    ck_assert_uint_eq(entries(dir, "creds", 0700), 1);
    vsec_agent_keys_free(k);
    k = keys_new(dir);
    m = vsec_agent_keys_manager(k);
    ck_assert_int_eq(m.serve(m.ud, handle, "/s"), 0);
    ck_assert_int_eq(m.remove(m.ud, handle), 0);
    ck_assert_uint_eq(listeners, 0);
    ck_assert_int_eq(m.serve(m.ud, handle, "/s"), V23_ENOENT);
    ck_assert_uint_eq(entries(dir, "keys", 0600), 0);
    ck_assert_uint_eq(entries(dir, "creds", 0700), 0);
    vsec_agent_keys_free(k);
    snprintf(path, sizeof(path), "%s/keys", dir);
    rmdir(path);
    snprintf(path, sizeof(path), "%s/creds", dir);
    rmdir(path);
    ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, keys_in_memory_come_and_go);
    tcase_add_test(t, agent_without_manager_says_so);
    tcase_add_test(t, keys_on_disk_are_found_again);
}

int main(void)
{
    return tst_run_case("security/agent_keys", add, agent_setup,
        agent_teardown);
}

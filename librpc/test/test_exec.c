/* BSD-3-Clause; see LICENSE. */
/* What parents and children tell each other: bytes and configurations. */
#include <stdio.h>
#include <stdlib.h>

#include <suite.h>
#include <support.h>
#include <vrpc/exec.h>
#include <vrpc/flags.h>

static struct tst_alloc mem;
static struct v23_arena arena;
static struct vrpc_exec_config config;
static struct v23_buf out;

static void setup(void)
{
    tst_alloc_init(&mem);
    v23_arena_init(&arena, &mem.al, SIZE_MAX);
    vrpc_exec_config_init(&config, &mem.al);
    v23_buf_init(&out, &mem.al, SIZE_MAX);
}

static void teardown(void)
{
    v23_arena_fini(&arena);
    vrpc_exec_config_fini(&config);
    v23_buf_fini(&out);
    ck_assert_uint_eq(mem.live, 0);
}

static int set(const char *key, const char *value)
{
    return vrpc_exec_config_set(&config, vdl_str(key), vdl_str(value));
}

#define HELLO \
    "00000000 0000002c" \
    "81 51 06 05 01 03 02 03 e1 52 21 01 1b" \
    "4d474d545f4348494c445f50524f434553535f50524f544f434f4c 03 746370" \
    "00000000 00000000"

/* ---- configuration ------------------------------------------------------- */

START_TEST(values_are_kept_by_key)
{
    ck_assert_int_eq(set("b", "1"), 0);
    ck_assert_int_eq(set("a", ""), 0);
    ck_assert_int_eq(set("c", "3"), 0);
    ck_assert_int_eq(set("b", "two"), 0);

    ck_assert_uint_eq(config.n, 3);
    ck_assert_str_eq(config.v[0].key, "a");
    ck_assert_str_eq(vrpc_exec_config_get(&config, "a"), "");
    ck_assert_str_eq(vrpc_exec_config_get(&config, "b"), "two");
    ck_assert_ptr_null(vrpc_exec_config_get(&config, "bb"));

    vrpc_exec_config_clear(&config, "b");
    vrpc_exec_config_clear(&config, "nothing");
    ck_assert_uint_eq(config.n, 2);
    ck_assert_ptr_null(vrpc_exec_config_get(&config, "b"));
    ck_assert_str_eq(vrpc_exec_config_get(&config, "c"), "3");
}
END_TEST

START_TEST(a_configuration_is_texts_and_bounded)
{
    char key[16];
    unsigned i;

    ck_assert_int_eq(vrpc_exec_config_set(&config, vdl_strn("a\0b", 3),
                         vdl_str("")),
        V23_ETEXT);
    ck_assert_int_eq(vrpc_exec_config_set(&config, vdl_str("a"),
                         vdl_strn("\0", 1)),
        V23_ETEXT);
    for (i = 0; i < VRPC_EXEC_MAX_KEYS; i++) {
        snprintf(key, sizeof(key), "%u", i);
        ck_assert_int_eq(set(key, ""), 0);
    }
    ck_assert_int_eq(set("one more", ""), V23_ELIMIT);
}
END_TEST

START_TEST(the_environment_has_base64_of_json)
{
    ck_assert_int_eq(set("v23.namespace.root", "/127.0.0.1:8101"), 0);
    ck_assert_int_eq(vrpc_exec_config_to_env(&config, &out), 0);

    ck_assert_str_eq(v23_buf_cstr(&out),
        "eyJ2MjMubmFtZXNwYWNlLnJvb3QiOiIvMTI3LjAuMC4xOjgxMDEifQ==");

    vrpc_exec_config_clear(&config, "v23.namespace.root");
    ck_assert_int_eq(vrpc_exec_config_from_env(&config, v23_buf_cstr(&out)),
        0);
    ck_assert_str_eq(vrpc_exec_config_get(&config, "v23.namespace.root"),
        "/127.0.0.1:8101");
}
END_TEST

static int from_json(const char *json)
{
    v23_buf_cut(&out, 0);
    v23_base64_put(&out, json, strlen(json), false);
    return vrpc_exec_config_from_env(&config, v23_buf_cstr(&out));
}

START_TEST(bad_environments_are_refused)
{
    static const char *const bad[] = { "", "[]", "\"a\"", "null", "{",
        "{\"a\":1}", "{\"a\":{}}", "{\"a\":null}", "{\"a\":\"\"} x",
        "{\"a\":\"b\\u0000c\"}", "{\"a\\u0000\":\"b\"}" };
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(from_json(bad[i]) == V23_ETEXT, "%s", bad[i]);
    ck_assert_int_eq(vrpc_exec_config_from_env(&config, "e"), V23_ETEXT);
    ck_assert_int_eq(vrpc_exec_config_from_env(&config, "!!!!"), V23_ETEXT);
    ck_assert_int_eq(from_json(" {\"a\" : \"\\\\u0000\\u00e4\"}\n"), 0);
    ck_assert_str_eq(vrpc_exec_config_get(&config, "a"), "\\u0000\xc3\xa4");
}
END_TEST

/* ---- pipes --------------------------------------------------------------- */

START_TEST(a_hello_has_the_bytes_of_the_specification)
{
    struct v23_bytes want = hex(HELLO), c, secret;
    size_t need;

    ck_assert_int_eq(set(V23_EXEC_CHILD_PROTOCOL, "tcp"), 0);
    ck_assert_int_eq(vrpc_exec_hello(&config, v23_bytes("", 0), &out), 0);
    ck_assert_str_eq(unhex(out.p, out.n), unhex(want.p, want.n));

    vrpc_exec_config_clear(&config, V23_EXEC_CHILD_PROTOCOL);
    ck_assert_int_eq(vrpc_exec_hello_parse(out.p, out.n, &c, &secret, &need),
        0);
    ck_assert_uint_eq(secret.n, 0);
    ck_assert_int_eq(vrpc_exec_config_merge(&config, c), 0);
    ck_assert_str_eq(vrpc_exec_config_get(&config, V23_EXEC_CHILD_PROTOCOL),
        "tcp");
}
END_TEST

START_TEST(a_hello_is_read_as_it_comes)
{
    struct v23_bytes all, c, secret;
    size_t n, need;

    ck_assert_int_eq(set("k", "v"), 0);
    ck_assert_int_eq(vrpc_exec_hello(&config, v23_bytes("secret", 6), &out),
        0);
    all = v23_bytes(out.p, out.n);
    for (n = 0; n < all.n; n++) {
        ck_assert_int_eq(
            vrpc_exec_hello_parse(all.p, n, &c, &secret, &need), V23_EAGAIN);
        ck_assert_uint_gt(need, n);
        ck_assert_uint_le(need, all.n);
    }
    ck_assert_int_eq(vrpc_exec_hello_parse(all.p, n, &c, &secret, &need), 0);
    ck_assert_uint_eq(secret.n, 6);
    ck_assert_mem_eq(secret.p, "secret", 6);
}
END_TEST

START_TEST(huge_lengths_are_refused)
{
    static const char *const bad[] = { "0000000000100001",
        "ffffffffffffffff", "7fffffffffffffff", "8000000000000000",
        "0000000000000000 00000001 00000000" };
    struct v23_bytes c, secret;
    size_t i, need;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct v23_bytes b = hex(bad[i]);

        ck_assert_int_eq(
            vrpc_exec_hello_parse(b.p, b.n, &c, &secret, &need), V23_ELIMIT);
    }
}
END_TEST

START_TEST(what_is_no_configuration_is_refused)
{
    struct v23_bytes good = hex(HELLO);
    uint8_t copy[44];
    size_t i, n;

    for (n = 0; n < 44; n++)
        ck_assert_int_ne(
            vrpc_exec_config_merge(&config, v23_bytes(good.p + 8, n)), 0);
    for (i = 0; i < 44; i++) {
        memcpy(copy, good.p + 8, 44);
        copy[i] ^= 0xff;
        (void)!vrpc_exec_config_merge(&config, v23_bytes(copy, 44));
    }
}
END_TEST

/* ---- status -------------------------------------------------------------- */

static const char *status(const char *failed)
{
    v23_buf_cut(&out, 0);
    vrpc_exec_status(4242, failed, &out);
    ck_assert_uint_eq(out.p[out.n - 1], 0xff);
    out.n--;
    return v23_buf_cstr(&out);
}

START_TEST(a_status_is_text_and_a_terminator)
{
    ck_assert_str_eq(status(NULL), "ready::4242");
    ck_assert_str_eq(status("no \xff room\xc3"),
        "failed::no \xef\xbf\xbd room\xef\xbf\xbd");
    ck_assert_str_eq(status(""), "failed::");
}
END_TEST

START_TEST(long_statuses_are_cut_off)
{
    char *text = calloc(1, 2 * VRPC_EXEC_MAX_STATUS);
    size_t i;

    for (i = 0; i + 2 < 2 * VRPC_EXEC_MAX_STATUS; i += 2)
        memcpy(text + i, "\xc3\xa4", 2);
    status(text);
    free(text);
    ck_assert_uint_le(out.n, VRPC_EXEC_MAX_STATUS);
    ck_assert_uint_eq(out.p[out.n - 1], 0xa4);
}
END_TEST

static const struct v23_verror *parsed(const char *text, int64_t *pid)
{
    return vrpc_exec_status_parse(v23_bytes(text, strlen(text)), pid, &arena);
}

START_TEST(statuses_are_told_apart)
{
    static const char *const odd[] = { "", "\xff", "ready", "ready::",
        "ready::x", "ready::-1", "ready:: 1", "ready::1234567890123456789",
        "failed:", "Ready::1\xff" };
    const struct v23_verror *e;
    int64_t pid = 0;
    size_t i;

    ck_assert_ptr_null(parsed("ready::17\xff", &pid));
    ck_assert_int_eq(pid, 17);
    e = parsed("failed::no room\xff", &pid);
    ck_assert(v23_exec_err_err_failed_status_is(e));
    ck_assert(vdl_str_is(e->id, "v.io/x/ref/lib/exec.errFailedStatus"));
    ck_assert(vdl_str_is(e->msg, "the child failed to start: no room"));
    for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
        ck_assert_msg(
            v23_exec_err_err_unrecognized_status_is(parsed(odd[i], &pid)),
            "%s", odd[i]);
}
END_TEST

/* ---- flags --------------------------------------------------------------- */

START_TEST(a_configuration_beats_flags)
{
    struct vrpc_flags f;
    const char *why;

    ck_assert_int_eq(vrpc_flags_init(&f,
                         VRPC_FLAGS_RUNTIME | VRPC_FLAGS_LISTEN),
        0);
    ck_assert_int_eq(vrpc_flags_set(&f, "v23.credentials", "/a", &why), 0);
    ck_assert_int_eq(set("v23.credentials", "/b"), 0);
    ck_assert_int_eq(set("v23.tcp.address", "127.0.0.1:1"), 0);
    ck_assert_int_eq(set("v23.tcp.protocol", "tcp"), 0);
    ck_assert_int_eq(set("v23.no.such.flag", "not ours"), 0);
    ck_assert_int_eq(set("MGMT_INSTANCE_NAME", "x"), 0);
    ck_assert_int_eq(vrpc_flags_configure(&f, &config, &out), 0);

    ck_assert(vdl_str_is(f.credentials, "/b"));
    ck_assert_uint_eq(f.naddrs, 1);
    ck_assert(vdl_str_is(f.addrs[0].protocol, "tcp"));
    vrpc_flags_fini(&f);
}
END_TEST

START_TEST(a_bad_flag_of_a_configuration_is_named)
{
    struct vrpc_flags f;

    ck_assert_int_eq(vrpc_flags_init(&f, VRPC_FLAGS_LISTEN), 0);
    ck_assert_int_eq(set("v23.tcp.protocol", "pigeon"), 0);
    ck_assert_int_eq(vrpc_flags_configure(&f, &config, &out), V23_EARG);
    ck_assert_str_eq(v23_buf_cstr(&out),
        "flag v23.tcp.protocol: not one of tcp, tcp4, tcp6, ws, ws4, ws6, "
        "wsh, wsh4, wsh6, unix");
    vrpc_flags_fini(&f);
}
END_TEST

static int all_of_it(const struct v23_alloc *al, void *ud)
{
    struct vrpc_exec_config c, d;
    struct v23_bytes text, secret;
    struct v23_buf b, env;
    size_t want;
    int rc;

    (void)ud;
    vrpc_exec_config_init(&c, al);
    vrpc_exec_config_init(&d, al);
    v23_buf_init(&b, al, SIZE_MAX);
    v23_buf_init(&env, al, SIZE_MAX);
    rc = vrpc_exec_config_set(&c, vdl_str("a"), vdl_str("b"));
    if (rc == 0)
        rc = vrpc_exec_hello(&c, v23_bytes("s", 1), &b);
    if (rc == 0)
        rc = vrpc_exec_hello_parse(b.p, b.n, &text, &secret, &want);
    if (rc == 0)
        rc = vrpc_exec_config_merge(&d, text);
    if (rc == 0)
        rc = vrpc_exec_config_to_env(&d, &env);
    if (rc == 0)
        v23_buf_put_byte(&env, 0);
    if (rc == 0)
        rc = env.err;
    if (rc == 0)
        rc = vrpc_exec_config_from_env(&c, (const char *)env.p);
    v23_buf_fini(&env);
    v23_buf_fini(&b);
    vrpc_exec_config_fini(&c);
    vrpc_exec_config_fini(&d);
    return rc;
}

START_TEST(memory_may_run_out)
{
    tst_out_of_memory(all_of_it, NULL);
}
END_TEST

static void fill(TCase *tc)
{
    tcase_add_test(tc, values_are_kept_by_key);
    tcase_add_test(tc, a_configuration_is_texts_and_bounded);
    tcase_add_test(tc, the_environment_has_base64_of_json);
    tcase_add_test(tc, bad_environments_are_refused);
    tcase_add_test(tc, a_hello_has_the_bytes_of_the_specification);
    tcase_add_test(tc, a_hello_is_read_as_it_comes);
    tcase_add_test(tc, huge_lengths_are_refused);
    tcase_add_test(tc, what_is_no_configuration_is_refused);
    tcase_add_test(tc, a_status_is_text_and_a_terminator);
    tcase_add_test(tc, long_statuses_are_cut_off);
    tcase_add_test(tc, statuses_are_told_apart);
    tcase_add_test(tc, a_configuration_beats_flags);
    tcase_add_test(tc, a_bad_flag_of_a_configuration_is_named);
    tcase_add_test(tc, memory_may_run_out);
}

int main(void)
{
    return tst_run_case("librpc/exec", fill, setup, teardown);
}

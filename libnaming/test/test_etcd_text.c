/* BSD-3-Clause; see LICENSE. */
/* Texts of the store in etcd: places, values, and answers of all kinds. */
#include "etcd_rig.h"

static char why_text[512];

static int parse(const char *text, struct vname_etcd_place *p)
{
    struct v23_buf why;
    int rc;

    v23_buf_init_fixed(&why, why_text, sizeof(why_text) - 1);
    rc = vname_etcd_parse(text, p, &why);
    why_text[why.n] = 0;
    return rc;
}

START_TEST(place_has_end_points_user_and_prefix)
{
    struct vname_etcd_place p;

    ck_assert_int_eq(
        parse("etcd://me@db-1:2379,[::1]:80,10.0.0.1:65535/a/b/", &p), 0);
    ck_assert_str_eq(p.user, "me");
    ck_assert_uint_eq(p.nendpoints, 3);
    ck_assert_str_eq(p.endpoints[0].host, "db-1");
    ck_assert_uint_eq(p.endpoints[0].port, 2379);
    ck_assert_str_eq(p.endpoints[1].host, "::1");
    ck_assert_uint_eq(p.endpoints[2].port, 65535);
    ck_assert_str_eq(p.prefix, "a/b");
}
END_TEST

START_TEST(bad_places_are_told_what_is_wrong)
{
    static const struct {
        const char *text, *why;
    } bad[] = {
        { "http://x:1/p", "it does not begin with etcd://" },
        { "etcd://", "an end point is host:port: \"\"" },
        { "etcd://x/p", "an end point is host:port: \"x\"" },
        { "etcd://x:/p", "an end point is host:port: \"x:\"" },
        { "etcd://:1/p", "an end point is host:port: \":1\"" },
        { "etcd://x:0/p", "an end point is host:port: \"x:0\"" },
        { "etcd://x:65536/p", "an end point is host:port: \"x:65536\"" },
        { "etcd://x:1a/p", "an end point is host:port: \"x:1a\"" },
        { "etcd://x:1,/p", "an end point is host:port: \"\"" },
        { "etcd://::1:2/p",
            "an address of IPv6 stands in brackets: \"::1:2\"" },
        { "etcd://x:1", "this cannot be a prefix of keys: \"\"" },
        { "etcd://x:1///", "this cannot be a prefix of keys: \"\"" },
        { "etcd://x:1/a b", "this cannot be a prefix of keys: \"a b\"" },
        { "etcd://@x:1/p", "this is no user's name: \"\"" },
    };
    struct vname_etcd_place p;
    char many[400] = "etcd://a:1";
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_int_eq(parse(bad[i].text, &p), V23_ETEXT);
        ck_assert_str_eq(why_text, bad[i].why);
    }
    ck_assert_int_eq(parse("etcd://me:secret@x:1/p", &p), V23_ETEXT);
    ck_assert_ptr_null(strstr(why_text, "secret"));
    for (i = 0; i < VNAME_ETCD_MAX_ENDPOINTS; i++)
        strcat(many, ",a:1");
    ck_assert_int_eq(parse(many, &p), V23_ETEXT);
    ck_assert_str_eq(why_text, "too many end points: \"a:1\"");
}
END_TEST

/* ---- values -------------------------------------------------------------- */

static int read_value(const char *text, size_t n, struct vname_change *ch)
{
    struct v23_now now;

    w_now(NULL, &now);
    return vname_etcd_read_(v23_bytes(text, n), &now, &W.arena, ch);
}

static const char *write_value(const struct vname_change *ch)
{
    static char text[4096];
    struct v23_now now;
    struct v23_buf b;

    w_now(NULL, &now);
    v23_buf_init_fixed(&b, text, sizeof(text));
    ck_assert_int_eq(vname_etcd_write_(ch, &now, &b), 0);
    return v23_buf_cstr(&b);
}

static const char full[]
    = "{\"C\":\"root\",\"V\":{\"V\":7,\"P\":{\"Admin\":{\"In\":[\"root\"],"
      "\"NotIn\":null}}},\"E\":true,\"M\":true,\"L\":true,\"S\":{\"/h:1/"
      "\\u003c\\\"\":1700000060000,\"@6@@x@@@@@@\":1700001000123}}";

START_TEST(values_come_back_as_they_were)
{
    struct vname_change ch;

    ck_assert_int_eq(read_value(full, strlen(full), &ch), 0);
    ck_assert_uint_eq(ch.nservers, 2);
    ck_assert(vdl_str_is(ch.servers[0].name, "/h:1/<\""));
    ck_assert_int_eq(ch.servers[0].expires_ns, 60 * SEC);
    ck_assert(ch.set && ch.mt && ch.leaf && ch.version == 7);
    ck_assert_str_eq(write_value(&ch), full);

    ck_assert_int_eq(read_value("{\"New\":[{}],\"C\":null}", 21, &ch), 0);
    ck_assert_str_eq(write_value(&ch), "{\"C\":\"\"}");
}
END_TEST

START_TEST(malformed_values_are_none)
{
    static const char *const bad[] = { "", "[]", "null", "1", "\"C\"", "{",
        "{\"C\":1}", "{\"V\":1}", "{\"V\":{\"V\":-1}}",
        "{\"V\":{\"V\":1e99,\"P\":{}}}", "{\"V\":{\"P\":[]}}",
        "{\"E\":true}", "{\"E\":1}", "{\"M\":\"true\"}", "{\"L\":null}",
        "{\"S\":[]}", "{\"S\":null}", "{\"S\":{\"/h:1\":-1}}",
        "{\"S\":{\"/h:1\":1.5}}", "{\"S\":{\"/h:1\":1e3}}",
        "{\"S\":{\"/h:1\":\"1\"}}", "{\"S\":{\"/h:1\":9999999999999999}}",
        "{\"S\":{},\"S\":{}}", "{\"C\":\"\\u0000\"}", "{\"C\":\"\xff\"}",
        "{} {}" };
    struct vname_change ch;
    size_t i, k;
    char copy[512];

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(read_value(bad[i], strlen(bad[i]), &ch) == V23_ETEXT,
            "%s", bad[i]);
    for (i = 0; i < strlen(full); i++)
        ck_assert_int_eq(read_value(full, i, &ch), V23_ETEXT);
    for (i = 0; i < strlen(full); i++)
        for (k = 0; k < 256; k += 5) {
            memcpy(copy, full, sizeof(full));
            copy[i] = (char)k;
            if (read_value(copy, strlen(full), &ch) == 0)
                (void)write_value(&ch);
            v23_arena_reset(&W.arena);
        }
}
END_TEST

START_TEST(too_many_servers_are_cut)
{
    struct vname_change ch;
    struct v23_buf b;
    int i;

    v23_buf_init(&b, NULL, SIZE_MAX);
    v23_buf_puts(&b, "{\"S\":{");
    for (i = 0; i < 1000; i++)
        v23_buf_printf(&b, "%s\"/h:%d\":1700000060000", i == 0 ? "" : ",",
            i + 1);
    v23_buf_puts(&b, "}}");
    ck_assert_int_eq(read_value((char *)b.p, b.n, &ch), 0);
    ck_assert_uint_eq(ch.nservers, VNAME_MAX_SERVERS);
    ck_assert(vdl_str_is(ch.servers[0].name, "/h:1"));
    v23_buf_fini(&b);
}
END_TEST

static int value_in(const struct v23_alloc *al, void *ud)
{
    struct vname_change ch;
    struct v23_now now;
    struct v23_arena a;
    struct v23_buf b;
    int rc;

    (void)ud;
    w_now(NULL, &now);
    v23_arena_init(&a, al, SIZE_MAX);
    v23_buf_init(&b, al, SIZE_MAX);
    rc = vname_etcd_read_(v23_bytes(full, strlen(full)), &now, &a, &ch);
    if (rc == 0)
        rc = vname_etcd_write_(&ch, &now, &b);
    v23_buf_fini(&b);
    v23_arena_fini(&a);
    return rc;
}

START_TEST(values_survive_every_lack_of_memory)
{
    tst_out_of_memory(value_in, NULL);
}
END_TEST

/* ---- answers ------------------------------------------------------------- */

#define HEAD "\"header\":{\"cluster_id\":\"77\",\"revision\":\"1\"}"

static const char *const odd[] = { "", "x", "{", "{}", "[]", "null", "1",
    "{\"header\":1}", "{\"header\":{\"revision\":\"x\"}}",
    "{\"header\":{\"revision\":\"99999999999999999999999\"}}",
    "{\"header\":{\"revision\":1e99}}", "{\"header\":{\"revision\":-1}}",
    "{" HEAD ",\"succeeded\":1}", "{" HEAD ",\"responses\":{}}",
    "{" HEAD ",\"responses\":[1]}", "{" HEAD ",\"responses\":[{}]}",
    "{" HEAD ",\"responses\":[{\"response_txn\":1}]}",
    "{" HEAD ",\"responses\":[{\"response_range\":{\"kvs\":[{}]}}]}",
    "{" HEAD ",\"responses\":[{\"response_txn\":{\"responses\":[[]]}}]}",
    "{" HEAD ",\"more\":\"yes\"}", "{" HEAD ",\"more\":true}",
    "{" HEAD ",\"kvs\":{}}", "{" HEAD ",\"kvs\":[1]}",
    "{" HEAD ",\"kvs\":[{\"key\":1}]}",
    "{" HEAD ",\"kvs\":[{\"key\":\"!\",\"mod_revision\":\"1\"}]}",
    "{" HEAD ",\"kvs\":[{\"key\":\"cA==\",\"mod_revision\":\"0\"}]}",
    "{" HEAD ",\"kvs\":[{\"key\":\"cA\",\"mod_revision\":\"1\"}]}",
    "{\"result\":1}\n", "{\"result\":{}}\n", "\n\n\n", "{}\n",
    "{\"result\":{\"created\":1}}\n", "{\"result\":{\"events\":{}}}\n",
    "{\"result\":{\"created\":true,\"events\":[1]}}\n",
    "{\"result\":{\"created\":true,\"events\":[{}]}}\n",
    "{\"result\":{\"created\":true,\"events\":[{\"kv\":[]}]}}\n",
    "{\"result\":{\"canceled\":true}}\n",
    "{\"result\":{\"canceled\":true,\"compact_revision\":\"-\"}}\n",
    "{\"error\":{\"grpc_code\":14,\"message\":\"no leader\"}}\n",
    "{\"error\":\"e\",\"code\":3}", "{\"token\":1}", "{\"token\":\"\"}",
    "{\"token\":\"a\\nb\"}" };

/* Until it asks at that path, and that is answered with these octets; then with
 * what is right. */
static void answer_oddly(const char *path, int status, const char *text,
    size_t n)
{
    unsigned slot;
    struct call *c;

    w_init();
    F.token = "t";
    strcpy(W.place.user, "me");
    ck_assert_int_eq(w_open_limited(0, 10), 0);
    W.path = path;
    w_run();
    for (slot = 0; slot < VNAME_ETCD_SLOTS; slot++) {
        c = &W.r[0].calls[slot];
        if (!c->there)
            continue;
        ck_assert_str_eq(c->path, path);
        free(c->body);
        c->there = false;
        c->body = NULL;
        W.r[0].watching = true;
        if (slot == VNAME_ETCD_WATCH)
            vname_etcd_chunk_(W.r[0].core, status, v23_bytes(text, n));
        else
            vname_etcd_answer_(W.r[0].core, slot, status,
                v23_bytes(text, n));
        break;
    }
    ck_assert_uint_lt(slot, VNAME_ETCD_SLOTS);
    W.path = NULL;
    w_pass(20 * SEC);
    ck_assert_msg(vname_etcd_is_live_(W.r[0].core), "%s: %s", path, text);
    ck_assert_str_eq(w_mount(0, "root", "a", S1, 60), "");
    w_fini();
}

START_TEST(odd_answers_are_no_more_than_a_delay)
{
    static const char *const paths[] = { "/v3/auth/authenticate",
        "/v3/kv/txn", "/v3/kv/range", "/v3/watch" };
    size_t i, k;

    for (k = 0; k < 4; k++)
        for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
            answer_oddly(paths[k], 200, odd[i], strlen(odd[i]));
            answer_oddly(paths[k], 500, odd[i], strlen(odd[i]));
        }
}
END_TEST

START_TEST(odd_answers_to_transactions_lose_nothing)
{
    struct waiting x;
    unsigned slot;
    size_t i;

    for (i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        w_init();
        ck_assert_int_eq(w_open_limited(0, 10), 0);
        w_run();
        W.path = "/v3/kv/txn";
        w_begin_mount(&x, 0, "root", "a/b", S1, 60);
        w_run();
        for (slot = VNAME_ETCD_TXN; !W.r[0].calls[slot].there;)
            slot++;
        free(W.r[0].calls[slot].body);
        W.r[0].calls[slot].there = false;
        W.r[0].calls[slot].body = NULL;
        vname_etcd_answer_(W.r[0].core, slot, i % 2 == 0 ? 200 : 503,
            v23_bytes(odd[i], strlen(odd[i])));
        W.path = NULL;
        if (strstr(odd[i], "\"code\":3") != NULL)
            ck_assert_str_eq(w_end(&x), "Aborted"); /* etcd has refused */
        else
            ck_assert_str_eq(w_end(&x), "");
        w_fini();
    }
}
END_TEST

/* A watch in pieces of each size, with rubbish behind it. */
START_TEST(watch_may_be_cut_anywhere)
{
    unsigned piece;

    for (piece = 1; piece < 200; piece++) {
        w_init();
        ck_assert_int_eq(w_open_limited(0, 0), 0);
        W.r[0].piece = piece;
        w_run();
        ck_assert_str_eq(w_mount(0, "root", "a/b", S1, 60), "");
        w_run();
        ck_assert_str_eq(w_look(0, "root", "a/b"), " " S1 "=60");
        vname_etcd_chunk_(W.r[0].core, 200, v23_bytes("{\"result\"", 9));
        vname_etcd_failed_(W.r[0].core, VNAME_ETCD_WATCH, "cut");
        ck_assert_str_eq(w_mount(0, "root", "c", S1, 60), "");
        w_fini();
    }
}
END_TEST

static void setup(void)
{
    w_init();
}

int main(void)
{
    Suite *s = suite_create("libnaming/etcd_text");
    TCase *tc = tcase_create("text"), *answers = tcase_create("answers");

    tcase_add_checked_fixture(tc, setup, w_fini);
    tcase_add_test(tc, place_has_end_points_user_and_prefix);
    tcase_add_test(tc, bad_places_are_told_what_is_wrong);
    tcase_add_test(tc, values_come_back_as_they_were);
    tcase_add_test(tc, malformed_values_are_none);
    tcase_add_test(tc, too_many_servers_are_cut);
    tcase_add_test(tc, values_survive_every_lack_of_memory);
    tcase_add_test(answers, odd_answers_are_no_more_than_a_delay);
    tcase_add_test(answers, odd_answers_to_transactions_lose_nothing);
    tcase_add_test(answers, watch_may_be_cut_anywhere);
    suite_add_tcase(s, tc);
    suite_add_tcase(s, answers);
    return tst_run(s);
}

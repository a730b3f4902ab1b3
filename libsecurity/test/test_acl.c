/* BSD-3-Clause; see LICENSE. */
/* Authorizers, access lists, permissions and their JSON. */
#include "people.h"

#include <stdio.h>
#include <unistd.h>

#include <vsec/acl.h>

/* ---- authorizers --------------------------------------------------------- */

static struct vsec_names names;
static struct vsec_call call;
static const struct v23_verror *err;

static void setup(void)
{
    people_setup();
    memset(&call, 0, sizeof(call));
    memset(&names, 0, sizeof(names));
    call.names = &names;
    call.suffix = vdl_str("s");
    call.method = vdl_str("M");
    err = NULL;
}

static int ask(const struct vsec_authorizer *a)
{
    err = NULL;
    return vsec_authorize(a, &call, &arena, NULL, &err);
}

START_TEST(default_allows_delegates_both_ways)
{
    names.local = strs("a:b", NULL, NULL);
    names.remote = strs("a:b:c", NULL, NULL);
    ck_assert_int_eq(ask(NULL), 0);
    names.remote = strs("a", NULL, NULL);
    ck_assert_int_eq(ask(&vsec_auth_default), 0);
    names.remote = strs("a:bc", "x", NULL);
    ck_assert_int_eq(ask(NULL), V23_EDENIED);
    ck_assert(v23_security_err_authorization_failed_is(err));
    call.names = NULL;
    ck_assert_int_eq(ask(NULL), V23_EARG);
}
END_TEST

START_TEST(endpoint_must_keep_its_word)
{
    call.remote_endpoint = vdl_str("@6@tcp@h:1@@0@s@x@@");
    names.remote = strs("x:y", NULL, NULL);
    ck_assert_int_eq(ask(&vsec_auth_endpoint), V23_EDENIED);
    ck_assert(v23_security_err_endpoint_authorization_failed_is(err));
    call.remote_endpoint_names = strs("z", "x", NULL);
    ck_assert_int_eq(ask(&vsec_auth_endpoint), 0);
    ck_assert_int_eq(ask(&vsec_auth_everyone), 0);
}
END_TEST

START_TEST(one_key_only)
{
    struct vsec_principal *a = person(), *b = person();
    struct vsec_authorizer only = vsec_auth_public_key(a->key);

    ck_assert_int_eq(ask(&only), V23_EDENIED);
    ck_assert(v23_security_err_public_key_not_allowed_is(err));
    call.remote_blessings = self(b, "a");
    ck_assert_int_eq(ask(&only), V23_EDENIED);
    vsec_blessings_unref(call.remote_blessings);
    call.remote_blessings = self(a, "anyone");
    ck_assert_int_eq(ask(&only), 0);
    vsec_blessings_unref(call.remote_blessings);
    vsec_principal_unref(a);
    vsec_principal_unref(b);
}
END_TEST

START_TEST(pattern_of_an_object_name)
{
    struct vsec_auth_pattern p = { VDL_STR_INIT("a:$") };
    struct vsec_authorizer auth = vsec_auth_pattern(&p);

    names.remote = strs("a:b", NULL, NULL);
    ck_assert_int_eq(ask(&auth), V23_EDENIED);
    names.remote = strs("a", NULL, NULL);
    ck_assert_int_eq(ask(&auth), 0);
}
END_TEST

/* ---- permissions --------------------------------------------------------- */

static v23_access_permissions perms(const char *json)
{
    v23_access_permissions p;

    ck_assert_int_eq(vsec_perms_from_json(v23_bytes(json, strlen(json)),
        &arena, &p, NULL), 0);
    return p;
}

static void tags(const char *a, const char *b)
{
    static struct vdl_str text[2];
    static struct vdl_any v[2];

    text[0] = vdl_str(a);
    text[1] = vdl_str(b);
    v[0].type = &v23_access_tag_desc;
    v[0].val = &text[0];
    v[1].type = &v23_access_tag_desc;
    v[1].val = &text[1];
    call.method_tags.v = v;
    call.method_tags.n = b == NULL ? 1 : 2;
}

START_TEST(permissions_follow_the_tag)
{
    v23_access_permissions p = perms("{\"Read\":{\"In\":[\"a\"]}}");
    struct vsec_auth_perms ap = { &p, NULL };
    struct vsec_authorizer auth = vsec_auth_perms(&ap);

    names.remote = strs("a:b", NULL, NULL);
    ck_assert_int_eq(ask(&auth), V23_EDENIED);
    ck_assert(v23_access_err_no_tags_is(err));
    tags("Read", NULL);
    ck_assert_int_eq(ask(&auth), 0);
    tags("Write", NULL);
    ck_assert_int_eq(ask(&auth), V23_EDENIED);
    ck_assert(v23_access_err_no_permissions_is(err));
    tags("Read", "Read");
    ck_assert_int_eq(ask(&auth), V23_EDENIED);
    ck_assert(v23_access_err_multiple_tags_is(err));
    ap.tag = &vdl_string_desc;
    ck_assert_int_eq(ask(&auth), V23_EDENIED);
    ck_assert(v23_access_err_no_tags_is(err));
}
END_TEST

START_TEST(permissions_file_is_read_each_time)
{
    struct vsec_auth_perms_file f = { NULL, NULL, NULL };
    struct vsec_authorizer auth;
    char path[] = "/tmp/v23-perms-XXXXXX";
    int fd = mkstemp(path);
    FILE *out;

    ck_assert_int_ge(fd, 0);
    close(fd);
    f.path = path;
    auth = vsec_auth_perms_file(&f);
    tags("Read", NULL);
    names.remote = strs("a", NULL, NULL);
    ck_assert_int_eq(ask(&auth), V23_EDENIED); /* empty: not JSON */
    text_is(err->id, "v.io/v23/verror.Internal");

    out = fopen(path, "w");
    fputs("{\"Read\":{\"In\":[\"a\"]}}", out);
    fclose(out);
    ck_assert_int_eq(ask(&auth), 0);

    unlink(path);
    ck_assert_int_eq(ask(&auth), V23_EDENIED);
    text_is(err->msg, "failed to read Permissions from file");
}
END_TEST

START_TEST(open_lists_admit_everybody)
{
    v23_access_permissions p = perms("{\"X\":{\"In\":[\"...\"],"
        "\"NotIn\":[\"bob\"]},\"Y\":{\"In\":[\"a\"],\"NotIn\":[\"a:b\"]}}");
    const v23_access_access_list *x = vsec_perms_find(&p, vdl_str("X"));
    const v23_access_access_list *y = vsec_perms_find(&p, vdl_str("Y"));

    ck_assert(vsec_acl_includes(x, strs("bob", NULL, NULL)));
    ck_assert(vsec_acl_includes(x, strs(NULL, NULL, NULL)));
    ck_assert(vsec_acl_includes(y, strs("a:c", NULL, NULL)));
    ck_assert(!vsec_acl_includes(y, strs("a:b:c", NULL, NULL)));
    ck_assert(vsec_acl_includes(y, strs("a:b:c", "a", NULL)));
    ck_assert_ptr_null(vsec_perms_find(&p, vdl_str("Z")));
}
END_TEST

START_TEST(typical_permissions_have_all_tags)
{
    v23_access_permissions p;

    ck_assert_int_eq(vsec_perms_typical(strs("me", NULL, NULL), &arena, &p),
        0);
    ck_assert_uint_eq(p.n, 5);
    ck_assert(vsec_acl_includes(vsec_perms_find(&p, vdl_str("Resolve")),
        strs("me", NULL, NULL)));
}
END_TEST

/* ---- JSON ---------------------------------------------------------------- */

static const char *const bad_json[] = { "", " ", "[]", "1", "\"x\"", "{",
    "{\"A\":1}", "{\"A\":[]}", "{\"A\":{\"In\":\"x\"}}",
    "{\"A\":{\"In\":[1]}}", "{\"A\":{\"In\":[\"a\\u0000b\"]}}",
    "{\"A\\u0000\":{}}", "{\"A\":{\"In\":[\"a\nb\"]}}", "\xef\xbb\xbf{}",
    "{\"A\":{\"In\":[\"a\"]}", "\x01{}" };

START_TEST(bad_json_is_refused)
{
    v23_access_permissions p;
    const char *s = bad_json[_i];

    ck_assert_int_eq(vsec_perms_from_json(v23_bytes(s, strlen(s)), &arena,
        &p, NULL), V23_ETEXT);
}
END_TEST

START_TEST(one_access_list_is_read_by_itself)
{
    const char *text = "{\"In\":[\"a:b\",\"c\"],\"NotIn\":[\"d\"]} ";
    v23_access_access_list l;

    ck_assert_int_eq(vsec_acl_from_json(v23_bytes(text, strlen(text)), &arena,
        &l), 0);
    ck_assert_uint_eq(l.in.n, 2);
    text_is(l.in.v[1], "c");
    ck_assert_uint_eq(l.not_in.n, 1);
    text_is(l.not_in.v[0], "d");
    ck_assert_int_eq(vsec_acl_from_json(v23_bytes("null", 4), &arena, &l), 0);
    ck_assert_uint_eq(l.in.n, 0);
    ck_assert_int_eq(vsec_acl_from_json(v23_bytes("[\"a\"]", 5), &arena, &l),
        V23_ETEXT);
    ck_assert_int_eq(vsec_acl_from_json(v23_bytes("{\"In\":1}", 8), &arena,
        &l), V23_ETEXT);
}
END_TEST

START_TEST(backslashes_do_not_hide_quotes)
{
    v23_access_permissions p = perms(
        "{\"A\\\\\":{\"In\":[\"\\\\u0000\",\"\\\"\"]}}");

    text_is(p.v[0].key, "A\\");
    text_is(p.v[0].val.in.v[0], "\\u0000");
    text_is(p.v[0].val.in.v[1], "\"");
}
END_TEST

START_TEST(octets_that_are_no_text_are_replaced)
{
    v23_access_permissions p = perms("{\"R\x9f\":{\"In\":[\"a\xff\xfe\"]},"
        "\"R\x9e\":{\"In\":[\"\xc3\xa9\"]}}");

    ck_assert_uint_eq(p.n, 1);
    text_is(p.v[0].key, "R\xef\xbf\xbd");
    ck_assert_uint_eq(p.v[0].val.in.n, 1);
    text_is(p.v[0].val.in.v[0], "\xc3\xa9");
    p = perms("{\"R\":{\"In\":[\"a\xff\xfe\"]}}");
    text_is(p.v[0].val.in.v[0], "a\xef\xbf\xbd\xef\xbf\xbd");
}
END_TEST

START_TEST(json_is_written_in_normal_form)
{
    v23_access_permissions p = perms("{\"b\":{\"in\":[\"z\",\"a\",\"z\"],"
        "\"x\":1},\"a\":null} trailing");
    struct v23_buf b;

    v23_buf_init(&b, &mem.al, 4096);
    ck_assert_int_eq(vsec_perms_to_json(&p, &b), 0);
    ck_assert_str_eq(v23_buf_cstr(&b), "{\"a\":{\"In\":null,\"NotIn\":null},"
        "\"b\":{\"In\":[\"a\",\"z\"],\"NotIn\":null}}\n");
    v23_buf_cut(&b, 0);
    ck_assert_int_eq(vsec_perms_to_json(NULL, &b), 0);
    ck_assert_str_eq(v23_buf_cstr(&b), "null\n");
    v23_buf_fini(&b);
}
END_TEST

START_TEST(json_escapes_what_html_would_misread)
{
    struct vdl_str odd = VDL_STR_INIT("<&>\"\\\n\x01\xff\xe2\x80\xa8");
    v23_access_permissions_entry entry;
    v23_access_permissions p;
    struct v23_buf b;

    memset(&entry, 0, sizeof(entry));
    entry.key = odd;
    p.v = &entry;
    p.n = 1;
    v23_buf_init(&b, &mem.al, 4096);
    ck_assert_int_eq(vsec_perms_to_json(&p, &b), 0);
    ck_assert_str_eq(v23_buf_cstr(&b), "{\"\\u003c\\u0026\\u003e\\\"\\\\\\n"
        "\\u0001\\ufffd\\u2028\":{\"In\":null,\"NotIn\":null}}\n");
    v23_buf_fini(&b);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, default_allows_delegates_both_ways);
    tcase_add_test(t, endpoint_must_keep_its_word);
    tcase_add_test(t, one_key_only);
    tcase_add_test(t, pattern_of_an_object_name);
    tcase_add_test(t, permissions_follow_the_tag);
    tcase_add_test(t, permissions_file_is_read_each_time);
    tcase_add_test(t, open_lists_admit_everybody);
    tcase_add_test(t, typical_permissions_have_all_tags);
    tcase_add_loop_test(t, bad_json_is_refused, 0,
        sizeof(bad_json) / sizeof(bad_json[0]));
    tcase_add_test(t, one_access_list_is_read_by_itself);
    tcase_add_test(t, backslashes_do_not_hide_quotes);
    tcase_add_test(t, octets_that_are_no_text_are_replaced);
    tcase_add_test(t, json_is_written_in_normal_form);
    tcase_add_test(t, json_escapes_what_html_would_misread);
}

int main(void)
{
    return tst_run_case("security/acl", add, setup, people_teardown);
}

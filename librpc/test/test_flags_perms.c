/* BSD-3-Clause; see LICENSE. */
/* Permissions from flags. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <vrpc/flags.h>

#include "suite.h"
#include "support.h"

static struct vrpc_flags f;
static struct v23_arena arena;
static char path[64];
static const char *why;
static char logged[200];

static void setup(void)
{
    int fd;

    snprintf(path, sizeof(path), "/tmp/v23-perms-XXXXXX");
    fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
    v23_arena_init(&arena, NULL, SIZE_MAX);
    ck_assert_int_eq(vrpc_flags_init(&f, VRPC_FLAGS_PERMISSIONS), 0);
    logged[0] = 0;
}

static void teardown(void)
{
    vrpc_flags_fini(&f);
    v23_arena_fini(&arena);
    unlink(path);
}

static int set_file(const char *name, const char *file)
{
    char text[100];

    snprintf(text, sizeof(text), "%s:%s", name, file);
    return vrpc_flags_set(&f, "v23.permissions.file", text, &why);
}

static int set_literal(const char *json)
{
    return vrpc_flags_set(&f, "v23.permissions.literal", json, &why);
}

static void write_file(const char *json)
{
    FILE *out = fopen(path, "w");

    ck_assert_ptr_nonnull(out);
    fputs(json, out);
    fclose(out);
}

static void write_log(void *ud, enum v23_log_level level, const char *text)
{
    (void)ud;
    (void)level;
    snprintf(logged, sizeof(logged), "%s", text);
}

static const struct v23_log log_ = { write_log, NULL, V23_LOG_ERROR };

/* May someone of this name read? */
static int may(const struct vsec_authorizer *auth, const char *name,
    const struct v23_verror **err)
{
    static const struct vdl_str read = VDL_STR_INIT("Read");
    struct vdl_str remote = vdl_str(name);
    struct vsec_names names;
    struct vsec_call call;
    struct vdl_any tag;

    memset(&names, 0, sizeof(names));
    memset(&call, 0, sizeof(call));
    memset(&tag, 0, sizeof(tag));
    names.remote.v = &remote;
    names.remote.n = 1;
    tag.type = &v23_access_tag_desc;
    tag.val = (void *)(uintptr_t)&read;
    call.names = &names;
    call.method_tags.v = &tag;
    call.method_tags.n = 1;
    return vsec_authorize(auth, &call, &arena, NULL, err);
}

static void starts(struct vrpc_flags_auth *auth, const char *name)
{
    ck_assert_int_eq(vrpc_flags_auth_init(auth, &f, name, &log_), 0);
}

START_TEST(without_flags_there_is_no_authorizer)
{
    struct vrpc_flags_auth auth;
    v23_access_permissions perms;

    starts(&auth, NULL);

    ck_assert_ptr_null(auth.authorizer);
    ck_assert_int_eq(vrpc_flags_permissions(&f, NULL, &arena, &perms),
        V23_ENOENT);
    vrpc_flags_auth_fini(&auth);
}
END_TEST

START_TEST(literal_wins_over_the_file)
{
    struct vrpc_flags_auth auth;
    const struct v23_verror *err;
    v23_access_permissions perms;

    write_file("{\"Read\":{\"In\":[\"filed\"]}}");
    ck_assert_int_eq(set_file("runtime", path), 0);
    ck_assert_int_eq(set_literal("{\"Read\":{\"In\":[\"written\"]}} "), 0);
    /* Another one is accepted, and of no consequence. */
    ck_assert_int_eq(set_literal("{\"Read\":{\"In\":[\"ignored\"]}}"), 0);

    starts(&auth, NULL);

    ck_assert_int_eq(may(auth.authorizer, "written", &err), 0);
    ck_assert_int_eq(may(auth.authorizer, "filed", &err), V23_EDENIED);
    ck_assert_int_eq(may(auth.authorizer, "ignored", &err), V23_EDENIED);
    ck_assert_int_eq(vrpc_flags_permissions(&f, NULL, &arena, &perms), 0);
    ck_assert(vdl_str_is(perms.v[0].val.in.v[0], "written"));
    vrpc_flags_auth_fini(&auth);
}
END_TEST

START_TEST(file_is_read_at_each_authorization)
{
    struct vrpc_flags_auth auth;
    const struct v23_verror *err;
    v23_access_permissions perms;

    ck_assert_int_eq(set_file("runtime", path), 0);
    write_file("{\"Read\":{\"In\":[\"a\"]}}");
    starts(&auth, NULL);
    ck_assert_int_eq(may(auth.authorizer, "a", &err), 0);

    write_file("{\"Read\":{\"In\":[\"b\"]}}");

    ck_assert_int_eq(may(auth.authorizer, "a", &err), V23_EDENIED);
    ck_assert(vdl_str_is(err->id,
        "v.io/v23/security/access.NoPermissions"));
    ck_assert_int_eq(may(auth.authorizer, "b", &err), 0);
    ck_assert_str_eq(logged, "");

    write_file("{\"Read\":");
    ck_assert_int_eq(may(auth.authorizer, "b", &err), V23_EDENIED);
    ck_assert(vdl_str_is(err->id, "v.io/v23/verror.Internal"));
    ck_assert_ptr_nonnull(strstr(logged, path));
    ck_assert_int_eq(vrpc_flags_permissions(&f, NULL, &arena, &perms),
        V23_ETEXT);

    unlink(path);
    ck_assert_int_eq(may(auth.authorizer, "b", &err), V23_EDENIED);
    ck_assert(vdl_str_is(err->id, "v.io/v23/verror.Internal"));
    ck_assert_int_eq(vrpc_flags_permissions(&f, NULL, &arena, &perms),
        V23_ESYS);
    vrpc_flags_auth_fini(&auth);
}
END_TEST

START_TEST(missing_file_is_no_error_before_the_first_call)
{
    struct vrpc_flags_auth auth;

    ck_assert_int_eq(set_file("runtime", "/nowhere/perms"), 0);

    starts(&auth, NULL);

    ck_assert_ptr_nonnull(auth.authorizer);
    vrpc_flags_auth_fini(&auth);
}
END_TEST

START_TEST(files_have_names_and_the_last_one_counts)
{
    struct vrpc_flags_auth auth;
    const struct v23_verror *err;

    write_file("{\"Read\":{\"In\":[\"a\"]}}");
    ck_assert_int_eq(set_file("other", "/nowhere/a:b"), 0);
    ck_assert_int_eq(set_file("other", path), 0);
    starts(&auth, NULL);
    ck_assert_ptr_null(auth.authorizer);
    vrpc_flags_auth_fini(&auth);

    starts(&auth, "other");

    ck_assert_int_eq(may(auth.authorizer, "a", &err), 0);
    ck_assert_uint_eq(f.nperms_files, 1);
    vrpc_flags_auth_fini(&auth);
}
END_TEST

START_TEST(authorizer_outlives_the_flags)
{
    struct vrpc_flags_auth auth;
    const struct v23_verror *err;

    write_file("{\"Read\":{\"In\":[\"a\"]}}");
    ck_assert_int_eq(set_file("runtime", path), 0);
    starts(&auth, NULL);
    vrpc_flags_fini(&f);

    ck_assert_int_eq(may(auth.authorizer, "a", &err), 0);

    vrpc_flags_auth_fini(&auth);
    ck_assert_int_eq(vrpc_flags_init(&f, VRPC_FLAGS_PERMISSIONS), 0);
}
END_TEST

static const char *const no_json[] = { "", "{", "{} x", "{}}", "\xef\xbb\xbf{}",
    "{'a':1}", "nul", "[1,]", "\"a\nb\"" };

START_TEST(literal_must_be_json)
{
    ck_assert_int_eq(set_literal(no_json[_i]), V23_EARG);
    ck_assert_str_eq(why, "not JSON");
    ck_assert_uint_eq(f.perms_literal.n, 0);
}
END_TEST

START_TEST(literal_must_be_permissions)
{
    struct vrpc_flags_auth auth;

    ck_assert_int_eq(set_literal(" [\"a\"]\n"), 0);

    ck_assert_int_eq(vrpc_flags_auth_init(&auth, &f, NULL, NULL), V23_ETEXT);
}
END_TEST

START_TEST(file_must_have_a_name)
{
    ck_assert_int_eq(vrpc_flags_set(&f, "v23.permissions.file", "perms",
        &why), V23_EARG);
    ck_assert_str_eq(why, "not of the form name:file");
}
END_TEST

static void fill(TCase *t)
{
    tcase_add_test(t, without_flags_there_is_no_authorizer);
    tcase_add_test(t, literal_wins_over_the_file);
    tcase_add_test(t, file_is_read_at_each_authorization);
    tcase_add_test(t, missing_file_is_no_error_before_the_first_call);
    tcase_add_test(t, files_have_names_and_the_last_one_counts);
    tcase_add_test(t, authorizer_outlives_the_flags);
    tcase_add_loop_test(t, literal_must_be_json, 0,
        sizeof(no_json) / sizeof(no_json[0]));
    tcase_add_test(t, literal_must_be_permissions);
    tcase_add_test(t, file_must_have_a_name);
}

int main(void)
{
    return tst_run_case("rpc/flags_perms", fill, setup, teardown);
}

/* BSD-3-Clause; see LICENSE. */
/* Signed files of programs (vsec/credentials.h). */
#include "cred_rig.h"

static struct vsec_signed_files files;
static struct vsec_principal *owner;

static void setup(void)
{
    cred_setup();
    owner = person();
    files.dir = dir;
    files.base = "state";
    files.principal = owner;
}

static void teardown(void)
{
    vsec_principal_unref(owner);
    cred_teardown();
}

static int write_text(const char *text)
{
    return vsec_signed_files_write(&files, v23_bytes(text, strlen(text)), why);
}

/* What is read, or NULL with the code in *rc. */
static const char *read_text(int *rc)
{
    static char out[64];
    struct v23_buf b;

    v23_buf_init_fixed(&b, out, sizeof(out) - 1);
    *rc = vsec_signed_files_read(&files, &b, why);
    out[b.n] = 0;
    if (*rc != 0)
        ck_assert_uint_eq(b.n, 0);
    return *rc == 0 ? out : NULL;
}

static int read_code(void)
{
    int rc;

    (void)read_text(&rc);
    return rc;
}

START_TEST(what_is_written_is_read)
{
    int rc;

    ck_assert_int_eq(read_code(), V23_ENOENT);
    ck_assert(mentions("state.data: no such file"));
    ck_assert_int_eq(write_text("one"), 0);
    ck_assert_str_eq(read_text(&rc), "one");
    ck_assert_int_eq(write_text(""), 0);
    ck_assert_str_eq(read_text(&rc), "");
    ck_assert_int_eq(write_text("two"), 0);
    ck_assert_str_eq(read_text(&rc), "two");
    ck_assert(!exists("state.data.new") && !exists("state.sig.new"));
}
END_TEST

START_TEST(half_a_state_is_damage_not_absence)
{
    ck_assert_int_eq(write_text("one"), 0);
    unlink(file("state.sig"));
    ck_assert_int_eq(read_code(), V23_ETAMPERED);
    ck_assert(mentions("one of the two is missing"));
    ck_assert_int_eq(write_text("one"), 0);
    unlink(file("state.data"));
    ck_assert_int_eq(read_code(), V23_ETAMPERED);
}
END_TEST

START_TEST(changes_and_strangers_are_found)
{
    struct vsec_principal *other = person();
    int rc;

    ck_assert_int_eq(write_text("one"), 0);
    put("state.data", "onf", 3);
    ck_assert_int_eq(read_code(), V23_ETAMPERED);
    ck_assert(mentions("/d/state"));
    put("state.data", "one", 3);
    ck_assert_str_eq(read_text(&rc), "one");
    files.principal = other;
    ck_assert_int_eq(read_code(), V23_ESIG);
    vsec_principal_unref(other);
}
END_TEST

START_TEST(crash_between_renames_is_survived)
{
    int rc;

    ck_assert_int_eq(write_text("one"), 0);
    ck_assert_int_eq(rename(file("state.sig"), file("state.sig.new")), 0);
    ck_assert_str_eq(read_text(&rc), "one");
}
END_TEST

START_TEST(failed_writes_leave_the_old_state)
{
    struct vsec_principal *p = owner, *mute;
    int rc;

    ck_assert_int_eq(write_text("one"), 0);
    ck_assert_int_eq(
        vsec_principal_new(e, NULL, owner->key, NULL, NULL, &mute), 0);
    files.principal = mute;
    ck_assert_int_eq(write_text("two"), V23_ENOSYS);
    ck_assert(mentions("private key"));
    files.principal = p;
    ck_assert_str_eq(read_text(&rc), "one");
    files.base = "a name that is longer than any file name needs to be.";
    ck_assert_int_eq(write_text("x"), V23_EARG);
    vsec_principal_unref(mute);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, what_is_written_is_read);
    tcase_add_test(t, half_a_state_is_damage_not_absence);
    tcase_add_test(t, changes_and_strangers_are_found);
    tcase_add_test(t, crash_between_renames_is_survived);
    tcase_add_test(t, failed_writes_leave_the_old_state);
}

int main(void)
{
    return tst_run_case("security/signed_files", add, setup, teardown);
}

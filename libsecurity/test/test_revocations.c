/* BSD-3-Clause; see LICENSE. */
/* Lists of revoked ids. */
#include "people.h"

#include <sys/stat.h>
#include <unistd.h>

#include <vsec/check.h>
#include <vsec/revocations.h>

#define ID_A "00112233445566778899aabbccddeeff"
#define ID_B "FFEEDDCCBBAA99887766554433221100"

static char base[] = "/tmp/v23-revoked-XXXXXX", path[64], why[VSEC_CRED_WHY];
static struct vsec_revocations *list;
static char logged[2048];

static void keep_log(void *ud, enum v23_log_level level, const char *text)
{
    (void)ud;
    (void)level;
    strncat(logged, text, sizeof(logged) - strlen(logged) - 2);
    strcat(logged, "\n");
}

static const struct v23_log log_ = { keep_log, NULL, V23_LOG_DEBUG };

static void setup(void)
{
    people_setup();
    strcpy(base + sizeof(base) - 7, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(base));
    snprintf(path, sizeof(path), "%s/list", base);
    logged[0] = 0;
    list = NULL;
}

static void teardown(void)
{
    char other[80];

    vsec_revocations_free(list);
    unlink(path);
    snprintf(other, sizeof(other), "%s.lock", path);
    unlink(other);
    snprintf(other, sizeof(other), "%s.new", path);
    unlink(other);
    ck_assert_int_eq(rmdir(base), 0);
    people_teardown();
}

/* Replace the file by another one, as an editor does. */
static void write_file(const char *text)
{
    FILE *f;

    unlink(path);
    f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    fclose(f);
}

static void open_list(const char *text)
{
    write_file(text);
    ck_assert_int_eq(vsec_revocations_open(&mem.al, path, &log_, &list, why),
        0);
}

/* Validate a NotRevoked caveat with this id; 0 or V23_ECAVEAT. */
static const char *reason;
static int ask(const char *hex_id)
{
    const struct vsec_caveat_kind *k = vsec_revocations_kind(list);
    struct v23_bytes id = hex(hex_id);
    struct vdl_bytes param = vdl_bytes(id.p, id.n);
    const struct v23_verror *err = NULL;
    const struct v23_op none = { 0, 0 };
    struct vsec_call call;
    int rc;

    memset(&call, 0, sizeof(call));
    rc = k->validate(k->ud, NULL, none, &call, &param, &arena, &err);
    reason = rc == 0 ? "" : err->msg.p;
    return rc;
}

START_TEST(listed_ids_are_revoked)
{
    open_list("# phones\n\n  " ID_A "  # lost\r\n" ID_B);
    ck_assert_int_eq(ask(ID_A), V23_ECAVEAT);
    ck_assert_ptr_nonnull(strstr(reason, "NotRevoked caveat " ID_A
        ": revoked"));
    ck_assert_int_eq(ask(ID_B), V23_ECAVEAT);
    ck_assert_int_eq(ask("00112233445566778899aabbccddee00"), 0);
    ck_assert_int_eq(ask("0011"), V23_ECAVEAT);
    ck_assert_ptr_nonnull(strstr(reason, "16 octets"));
}
END_TEST

START_TEST(a_changed_file_is_read_again)
{
    open_list("");
    ck_assert_int_eq(ask(ID_A), 0);
    write_file(ID_A "\n");
    ck_assert_int_eq(ask(ID_A), V23_ECAVEAT);
    write_file("");
    ck_assert_int_eq(ask(ID_A), 0);
    ck_assert_str_eq(logged, "");
}
END_TEST

START_TEST(nothing_is_valid_while_the_file_is_bad)
{
    open_list("");
    write_file(ID_B "\n" ID_A "0\n");
    ck_assert_int_eq(ask("00112233445566778899aabbccddee00"), V23_ECAVEAT);
    ck_assert_ptr_nonnull(strstr(reason, "cannot be read"));
    ck_assert_ptr_null(strstr(reason, path)); /* of no use to callers */
    ck_assert_ptr_nonnull(strstr(logged, "list:2: not an id"));
    logged[0] = 0;
    ck_assert_int_eq(ask(ID_A), V23_ECAVEAT);
    ck_assert_str_eq(logged, ""); /* said once */

    unlink(path);
    ck_assert_int_eq(ask(ID_A), V23_ECAVEAT);
    ck_assert_ptr_nonnull(strstr(logged, "no such file"));
    write_file("");
    ck_assert_int_eq(ask(ID_A), 0);
    ck_assert_ptr_nonnull(strstr(logged, "can be used again"));
}
END_TEST

START_TEST(a_list_must_be_there_and_good)
{
    ck_assert_int_eq(vsec_revocations_open(&mem.al, path, NULL, &list, why),
        V23_ENOENT);
    ck_assert_ptr_nonnull(strstr(why, path));
    write_file("\n\nnonsense\n");
    ck_assert_int_eq(vsec_revocations_open(&mem.al, path, NULL, &list, why),
        V23_ETEXT);
    ck_assert_ptr_nonnull(strstr(why, "list:3"));
}
END_TEST

static int add(const char *hex_id, const char *note)
{
    return vsec_revocations_add(&mem.al, path, hex(hex_id).p, note, why);
}

static void file_is(const char *want)
{
    size_t n;
    char *text = tst_read_file(path, &n);

    ck_assert_ptr_nonnull(text);
    ck_assert_str_eq(text, want);
    free(text);
}

START_TEST(adding_keeps_what_is_there)
{
    struct stat st;

    ck_assert_int_eq(add(ID_A, NULL), 0);
    file_is(ID_A "\n");
    write_file("# all\n" ID_A " # mine");
    ck_assert_int_eq(chmod(path, 0640), 0);
    ck_assert_int_eq(add(ID_A, "again"), 0);
    file_is("# all\n" ID_A " # mine");
    ck_assert_int_eq(add(ID_B, "lost"), 0);
    file_is("# all\n" ID_A " # mine\n"
            "ffeeddccbbaa99887766554433221100  # lost\n");
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0640);

    ck_assert_int_eq(vsec_revocations_open(&mem.al, path, NULL, &list, why),
        0);
    ck_assert_int_eq(ask(ID_B), V23_ECAVEAT);
}
END_TEST

START_TEST(adding_refuses_what_it_would_spoil)
{
    write_file("nonsense");
    ck_assert_int_eq(add(ID_A, NULL), V23_ETEXT);
    file_is("nonsense");
    write_file("");
    ck_assert_int_eq(add(ID_A, "two\nlines"), V23_EARG);
    file_is("");
}
END_TEST

START_TEST(what_a_crash_left_is_replaced)
{
    char fresh[80];
    FILE *f;

    snprintf(fresh, sizeof(fresh), "%s.new", path);
    f = fopen(fresh, "w");
    ck_assert_ptr_nonnull(f);
    fputs("half", f);
    fclose(f);
    ck_assert_int_eq(add(ID_A, NULL), 0);
    file_is(ID_A "\n");
    ck_assert_int_ne(access(fresh, F_OK), 0);
}
END_TEST

START_TEST(revocable_caveats_carry_a_fresh_id)
{
    uint8_t a[VSEC_REVOCATION_ID], b[VSEC_REVOCATION_ID];
    v23_security_caveat c, d;
    struct vdl_bytes param;

    open_list("");
    ck_assert_int_eq(vsec_caveat_revocable(e, &arena, a, &c), 0);
    ck_assert_int_eq(vsec_caveat_revocable(e, &arena, b, &d), 0);
    ck_assert_int_ne(memcmp(a, b, sizeof(a)), 0);
    ck_assert_int_eq(vsec_caveat_param(&c, vsec_revocations_kind(list),
        &arena, &param), 0);
    ck_assert(vdl_bytes_eq(param, vdl_bytes(a, sizeof(a))));
}
END_TEST

static int open_and_add(const struct v23_alloc *al, void *ud)
{
    struct vsec_revocations *r;
    uint8_t id[VSEC_REVOCATION_ID];
    int rc;

    (void)ud;
    memset(id, 7, sizeof(id));
    write_file(ID_A "\n" ID_B "\n");
    rc = vsec_revocations_open(al, path, NULL, &r, why);
    if (rc != 0)
        return rc;
    vsec_revocations_free(r);
    return vsec_revocations_add(al, path, id, "x", why);
}

START_TEST(revocations_survive_out_of_memory)
{
    tst_out_of_memory(open_and_add, NULL);
}
END_TEST

static void add_tests(TCase *t)
{
    tcase_add_test(t, listed_ids_are_revoked);
    tcase_add_test(t, a_changed_file_is_read_again);
    tcase_add_test(t, nothing_is_valid_while_the_file_is_bad);
    tcase_add_test(t, a_list_must_be_there_and_good);
    tcase_add_test(t, adding_keeps_what_is_there);
    tcase_add_test(t, adding_refuses_what_it_would_spoil);
    tcase_add_test(t, what_a_crash_left_is_replaced);
    tcase_add_test(t, revocable_caveats_carry_a_fresh_id);
    tcase_add_test(t, revocations_survive_out_of_memory);
}

int main(void)
{
    return tst_run_case("security/revocations", add_tests, setup, teardown);
}

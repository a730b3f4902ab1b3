/* BSD-3-Clause; see LICENSE. */
/* The hand-written descriptors equal what the VDL compiler makes. */
#include <check.h>

#include <suite.h>
#include <v23/vdl/v.io/v23/vdl/vdl.vdl.h>

static void same(const struct vdl_type *hand, const struct vdl_type *made)
{
    uint32_t i;

    ck_assert_ptr_ne(hand, made);
    ck_assert(vdl_type_equal(hand, made));
    ck_assert(vdl_type_same_layout(hand, made));
    ck_assert_uint_eq(hand->flags, made->flags);
    ck_assert_uint_eq(hand->align, made->align);
    ck_assert_uint_eq(hand->size, made->size);
    ck_assert_uint_eq(hand->count, made->count);
    for (i = 0; hand->fields != NULL && i < hand->count; i++)
        ck_assert_uint_eq(hand->fields[i].offset, made->fields[i].offset);
}

START_TEST(retry_code_equals_generated)
{
    same(&v23_retry_desc, &v23_vdl_wire_retry_code_desc);
    ck_assert_int_eq(V23_NO_RETRY, V23_VDL_WIRE_RETRY_CODE_NO_RETRY);
    ck_assert_int_eq(V23_RETRY_CONNECTION,
        V23_VDL_WIRE_RETRY_CODE_RETRY_CONNECTION);
    ck_assert_int_eq(V23_RETRY_REFETCH,
        V23_VDL_WIRE_RETRY_CODE_RETRY_REFETCH);
    ck_assert_int_eq(V23_RETRY_BACKOFF,
        V23_VDL_WIRE_RETRY_CODE_RETRY_BACKOFF);
    ck_assert_int_eq(V23_VDL_WIRE_RETRY_CODE_COUNT, 4);
}
END_TEST

START_TEST(wire_error_equals_generated)
{
    same(&v23_verror_desc, &v23_vdl_wire_error_desc);
    ck_assert_uint_eq(sizeof(struct v23_verror), sizeof(v23_vdl_wire_error));
}
END_TEST

START_TEST(error_is_optional_wire_error)
{
    ck_assert_int_eq(vdl_error_desc.kind, VDL_OPTIONAL);
    ck_assert_ptr_eq(vdl_error_desc.elem, &v23_verror_desc);
    ck_assert_uint_eq(vdl_error_desc.name.n, 0);
    ck_assert_uint_eq(vdl_error_desc.size, sizeof(struct v23_verror *));
}
END_TEST

START_TEST(enum_names_and_labels_match)
{
    v23_vdl_wire_retry_code c = 9;

    ck_assert_str_eq(v23_vdl_wire_retry_code_name(2), "RetryRefetch");
    ck_assert_ptr_null(v23_vdl_wire_retry_code_name(4));
    ck_assert_int_eq(v23_vdl_wire_retry_code_parse(vdl_str("Nope"), &c),
        V23_EINDEX);
    ck_assert_int_eq(c, 9);
    ck_assert_int_eq(v23_vdl_wire_retry_code_parse(vdl_str("RetryBackoff"),
        &c), 0);
    ck_assert_int_eq(c, V23_RETRY_BACKOFF);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("libvom/boot");
    TCase *tc = tcase_create("boot");

    tcase_add_test(tc, retry_code_equals_generated);
    tcase_add_test(tc, wire_error_equals_generated);
    tcase_add_test(tc, error_is_optional_wire_error);
    tcase_add_test(tc, enum_names_and_labels_match);
    suite_add_tcase(s, tc);
    return tst_run(s);
}

/* BSD-3-Clause; see LICENSE. */
/*
 * Descriptors of the `error` type, written by hand because the VDL compiler
 * itself needs them. A test asserts that they equal the generated ones.
 */
#include <v23/verror.h>

static const struct vdl_str retry_labels[] = {
    VDL_STR_INIT("NoRetry"),
    VDL_STR_INIT("RetryConnection"),
    VDL_STR_INIT("RetryRefetch"),
    VDL_STR_INIT("RetryBackoff"),
};

const struct vdl_type v23_retry_desc = {
    VDL_ENUM, VDL_REP_NORMAL, VDL_T_FLAT, 1, 1,
    VDL_STR_INIT("v.io/v23/vdl.WireRetryCode"),
    NULL, NULL, 4, 0, 0, NULL, { retry_labels }, NULL
};

static const struct vdl_field error_fields[] = {
    { VDL_STR_INIT("Id"), &vdl_string_desc, offsetof(struct v23_verror, id) },
    { VDL_STR_INIT("RetryCode"), &v23_retry_desc,
        offsetof(struct v23_verror, retry) },
    { VDL_STR_INIT("Msg"), &vdl_string_desc,
        offsetof(struct v23_verror, msg) },
    { VDL_STR_INIT("ParamList"), &vdl_any_list_desc,
        offsetof(struct v23_verror, params) },
};

const struct vdl_type v23_verror_desc = {
    VDL_STRUCT, VDL_REP_NORMAL, VDL_T_ANY, _Alignof(struct v23_verror),
    sizeof(struct v23_verror), VDL_STR_INIT("v.io/v23/vdl.WireError"),
    NULL, NULL, 4, 0, 0, error_fields, { NULL }, NULL
};

const struct vdl_type vdl_error_desc = {
    VDL_OPTIONAL, VDL_REP_NORMAL, VDL_T_ANY,
    _Alignof(const struct v23_verror *), sizeof(const struct v23_verror *),
    { NULL, 0 }, &v23_verror_desc, NULL, 0, 0, 0, NULL, { NULL }, NULL
};

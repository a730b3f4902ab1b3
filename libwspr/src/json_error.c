/* BSD-3-Clause; see LICENSE. */
/* Ids of errors of 2014 and of today (spec/wspr.md 16.2). */
#include <wspr/json.h>

#define ID(name)                                                               \
    {VDL_STR_INIT("v.io/v23/verror." name),                                    \
        VDL_STR_INIT("veyron.io/veyron/veyron2/verror." name)}

static const struct {
    struct vdl_str now, then;
} ids[] = {
    ID("Aborted"),
    ID("BadArg"),
    ID("BadProtocol"),
    ID("Exists"),
    ID("Internal"),
    ID("NoAccess"),
    ID("NoExist"),
    ID("NoExistOrNoAccess"),
    {VDL_STR_INIT("v.io/v23/verror.Unknown"), VDL_STR_INIT("")},
};

struct vdl_str wspr_json_error_id(struct vdl_str id)
{
    size_t i;

    for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
        if (vdl_str_eq(id, ids[i].now))
            return ids[i].then;
    return id;
}

struct vdl_str wspr_json_error_id_parse(struct vdl_str id)
{
    size_t i;

    for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
        if (vdl_str_eq(id, ids[i].then))
            return ids[i].now;
    return id;
}

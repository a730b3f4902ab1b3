/* BSD-3-Clause; see LICENSE. */
/* Methods of agents and their users (spec 15.2, 15.3), and errors. */
#include "agent_int.h"

#include <v23/vdl/v.io/x/ref/services/agent/internal/server/server.vdl.h>

#define METHOD(name, args, results) \
    { VDL_STR_INIT(name), &v23_agent_##args##_desc, \
        &v23_agent_##results##_desc }

const struct vsec_agent_method_ vsec_agent_methods_[VSEC_AGENT_ALL_METHODS_]
    = {
    [VSEC_AGENT_BLESS_] = METHOD("Bless", bless_args, blessings),
    [VSEC_AGENT_BLESS_SELF_]
        = METHOD("BlessSelf", bless_self_args, blessings),
    [VSEC_AGENT_SIGN_] = METHOD("Sign", bytes, signature),
    [VSEC_AGENT_MINT_] = METHOD("MintDischarge", mint_args, discharge),
    [VSEC_AGENT_PUBLIC_KEY_] = METHOD("PublicKey", none, bytes),
    [VSEC_AGENT_BY_NAME_]
        = METHOD("BlessingsByName", pattern, blessings_list),
    [VSEC_AGENT_INFO_] = METHOD("BlessingsInfo", blessings, blessings_info),
    [VSEC_AGENT_ADD_TO_ROOTS_] = METHOD("AddToRoots", blessings, none),
    [VSEC_AGENT_STORE_SET_] = METHOD("BlessingStoreSet", set_args, blessings),
    [VSEC_AGENT_STORE_FOR_PEER_]
        = METHOD("BlessingStoreForPeer", names, blessings),
    [VSEC_AGENT_STORE_SET_DEFAULT_]
        = METHOD("BlessingStoreSetDefault", blessings, none),
    [VSEC_AGENT_STORE_DEFAULT_]
        = METHOD("BlessingStoreDefault", none, blessings),
    [VSEC_AGENT_STORE_PEERS_]
        = METHOD("BlessingStorePeerBlessings", none, peers),
    [VSEC_AGENT_STORE_TEXT_] = METHOD("BlessingStoreDebugString", none, text),
    [VSEC_AGENT_STORE_CACHE_]
        = METHOD("BlessingStoreCacheDischarge", cache_args, none),
    [VSEC_AGENT_STORE_CLEAR_]
        = METHOD("BlessingStoreClearDischarges", discharges, none),
    [VSEC_AGENT_STORE_DISCHARGE_]
        = METHOD("BlessingStoreDischarge", look_up_args, discharge),
    [VSEC_AGENT_STORE_DISCHARGE2_]
        = METHOD("BlessingStoreDischarge2", look_up_args, discharge_time),
    [VSEC_AGENT_ROOTS_ADD_] = METHOD("BlessingRootsAdd", root_args, none),
    [VSEC_AGENT_ROOTS_RECOGNIZED_]
        = METHOD("BlessingRootsRecognized", recognized_args, none),
    [VSEC_AGENT_ROOTS_DUMP_] = METHOD("BlessingRootsDump", none, roots),
    [VSEC_AGENT_ROOTS_TEXT_] = METHOD("BlessingRootsDebugString", none, text),
    [VSEC_AGENT_KEY_NEW_] = METHOD("NewPrincipal", new_args, key_args),
    [VSEC_AGENT_KEY_SERVE_] = METHOD("ServePrincipal", serve_args, none),
    [VSEC_AGENT_KEY_STOP_] = METHOD("StopServing", key_args, none),
    [VSEC_AGENT_KEY_DELETE_] = METHOD("DeletePrincipal", key_args, none),
    [VSEC_AGENT_FLUSH_] = METHOD("FlushAllCaches", none, none),
};

#define VERROR(name) VDL_STR_INIT("v.io/v23/verror." name)

/* Both ways: the first row of an id is what it is taken for. */
static const struct {
    struct vdl_str id;
    int rc;
} errors[] = {
    { VDL_STR_INIT("v.io/v23/security.UnrecognizedRoot"), V23_EUNTRUSTED },
    { VERROR("Exist"), V23_EEXIST },
    { VERROR("NoExist"), V23_ENOENT },
    { VERROR("BadArg"), V23_EARG },
    { VERROR("BadArg"), V23_EPATTERN },
    { VERROR("BadArg"), V23_EKEYMISMATCH },
    { VERROR("NotImplemented"), V23_ENOSYS },
    { VERROR("NoAccess"), V23_EDENIED },
};

const struct v23_verror *vsec_agent_error_(struct v23_arena *a,
    const struct v23_errctx *ctx, int rc)
{
    struct vdl_str id = VERROR("Unknown");
    size_t i;

    for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        if (errors[i].rc == rc) {
            id = errors[i].id;
            break;
        }
    return v23_verror_text(a, ctx, id, V23_NO_RETRY, "%s", v23_strerror(rc));
}

int vsec_agent_error_code_(const struct v23_verror *e)
{
    size_t i;

    for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        if (v23_verror_is(e, errors[i].id))
            return errors[i].rc;
    if (v23_server_err_err_not_multi_key_mode_is(e)
        || v23_server_err_err_storage_path_required_is(e))
        return V23_ENOSYS;
    return V23_EWIREERR;
}

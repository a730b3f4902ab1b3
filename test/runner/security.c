/* BSD-3-Clause; see LICENSE. */
/* Vectors of the family security/. */
#include "security_int.h"

#define EACH(name, fn) \
    { name, fn, NULL, NULL, run_sec_engine_begin, run_sec_engine_end }

static const struct run_file files[] = {
    EACH("keys.jsonl", run_sec_keys),
    EACH("key_files.jsonl", run_sec_key_files),
    EACH("signatures.jsonl", run_sec_signatures),
    EACH("caveats.jsonl", run_sec_caveats),
    EACH("discharges.jsonl", run_sec_discharges),
    EACH("discharge_cache_keys.jsonl", run_sec_discharge_keys),
    EACH("extensions.jsonl", run_sec_extensions),
    EACH("patterns.jsonl", run_sec_patterns),
    EACH("pattern_forms.jsonl", run_sec_pattern_forms),
    EACH("blessings.jsonl", run_sec_blessings_case),
    EACH("wire_blessings_decode.jsonl", run_sec_decode),
    EACH("unions.jsonl", run_sec_unions),
    EACH("wire_values.jsonl", run_sec_wire_values),
    EACH("validation.jsonl", run_sec_validation),
    EACH("local_names.jsonl", run_sec_local_names),
    EACH("signing_names.jsonl", run_sec_signing_names),
    EACH("roots.jsonl", run_sec_roots),
    EACH("acl.jsonl", run_sec_acl),
    EACH("acl_enforceable.jsonl", run_sec_enforceable),
    EACH("permissions_authorizer.jsonl", run_sec_perms),
    EACH("permissions_json.jsonl", run_sec_perms_json),
    EACH("store_for_peer.jsonl", run_sec_for_peer),
    EACH("store_set_errors.jsonl", run_sec_set_errors),
    EACH("serialization.jsonl", run_sec_serialization),
    EACH("credentials_contents.jsonl", run_sec_contents),
    EACH("credentials_negative.jsonl", run_sec_negative),
    EACH("split_pattern_name.jsonl", run_sec_object_name),
    { "principal_tool/transcripts.jsonl", NULL, run_sec_tool, NULL, NULL,
        NULL },
    { "agent_session.jsonl", run_sec_agent, NULL, NULL, run_sec_agent_begin,
        run_sec_agent_end },
    EACH("x509.jsonl", run_sec_x509),
    { NULL, NULL, NULL, NULL, NULL, NULL },
};

/* Folders of files that cases refer to. */
static const char *const companions[] = { "credentials", "keys", "x509",
    NULL };

const struct run_family run_security = { "security", files, companions };

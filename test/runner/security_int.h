/* BSD-3-Clause; see LICENSE. */
/* Runners of the family security/ that security.c lists. */
#ifndef TEST_RUNNER_SECURITY_INT_H
#define TEST_RUNNER_SECURITY_INT_H

#include "runner.h"

#include <vsec/principal.h>

/* ---- state: one engine for a file (security_keys.c) ---------------------- */

void *run_sec_engine_begin(const char *dir, const char *companions);
void run_sec_engine_end(void *engine); /* fails when something leaked */
struct vsec_engine *run_sec_engine(struct run_case *c);

/* ---- reading records (security_util.c) ----------------------------------- */

/* Hex members of objects as octets; empty when missing. */
struct vdl_bytes run_sec_bytes(const cJSON *o, const char *name);
/* A text member; "" when missing. */
const char *run_sec_text(const cJSON *o, const char *name);
const cJSON *run_sec_get(const cJSON *o, const char *name);
/* Array of texts in the arena. */
vdl_str_list run_sec_strs(const cJSON *array, struct v23_arena *a);
/* Is a hex member equal to these octets? */
bool run_sec_same(struct run_case *c, const cJSON *o, const char *name,
    const void *p, size_t n);
/* Is a text member equal to this text? */
bool run_sec_same_text(struct run_case *c, const cJSON *o, const char *name,
    struct vdl_str s);
/* Does an array hold these texts in this order? */
bool run_sec_same_strs(struct run_case *c, const cJSON *array,
    const char *what, vdl_str_list l);
/* Blessings of a hex VOM text; explains failure. */
bool run_sec_blessings(struct run_case *c, const char *vom,
    struct vsec_blessings **out);
/* Do blessings encode to this hex VOM text? */
bool run_sec_encodes(struct run_case *c, const struct vsec_blessings *b,
    const char *vom);
/* "2024-10-08T12:00:00.123456789Z"; no text = the year 1. */
struct v23_walltime run_sec_time(const char *text);
/* A principal in memory that only knows a key and these roots. */
bool run_sec_principal(struct run_case *c, struct vdl_bytes key,
    const cJSON *roots, struct vsec_principal **out);
/* [{type, value}] as tags in the arena. */
vdl_any_list run_sec_tags(const cJSON *array, struct v23_arena *a);

/* ---- runners ------------------------------------------------------------- */

/* security_keys.c */
bool run_sec_keys(struct run_case *c);
bool run_sec_key_files(struct run_case *c);
bool run_sec_signatures(struct run_case *c);
/* security_caveats.c */
bool run_sec_caveats(struct run_case *c);
bool run_sec_discharges(struct run_case *c);
bool run_sec_discharge_keys(struct run_case *c);
bool run_sec_extensions(struct run_case *c);
bool run_sec_patterns(struct run_case *c);
bool run_sec_pattern_forms(struct run_case *c);
/* security_blessings.c */
bool run_sec_blessings_case(struct run_case *c);
bool run_sec_decode(struct run_case *c);
bool run_sec_unions(struct run_case *c);
bool run_sec_wire_values(struct run_case *c);
/* security_check.c */
bool run_sec_validation(struct run_case *c);
bool run_sec_local_names(struct run_case *c);
bool run_sec_signing_names(struct run_case *c);
bool run_sec_roots(struct run_case *c);
/* Were these blessings rejected, in this order, with these errors? */
bool run_sec_rejected(struct run_case *c, const cJSON *want,
    v23_security_rejected_blessing_list got);
/* security_x509.c */
bool run_sec_x509(struct run_case *c);
/* security_acl.c */
bool run_sec_acl(struct run_case *c);
bool run_sec_enforceable(struct run_case *c);
bool run_sec_perms(struct run_case *c);
bool run_sec_perms_json(struct run_case *c);
/* security_store.c */
bool run_sec_for_peer(struct run_case *c);
bool run_sec_set_errors(struct run_case *c);
bool run_sec_serialization(struct run_case *c);
bool run_sec_contents(struct run_case *c);
bool run_sec_negative(struct run_case *c);
/* security_agent.c */
void *run_sec_agent_begin(const char *dir, const char *companions);
void run_sec_agent_end(void *session);
bool run_sec_agent(struct run_case *c);
/* security_tool.c */
void run_sec_tool(const char *dir, const char *companions, const char *path);
/* security_object_name.c */
bool run_sec_object_name(struct run_case *c);

#endif

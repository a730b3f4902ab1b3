/* BSD-3-Clause; see LICENSE. */
/* What the runners of the family rpc/ share. */
#ifndef TEST_RUNNER_RPC_INT_H
#define TEST_RUNNER_RPC_INT_H

#include "runner.h"

#include <vom/dec.h>
#include <vrpc/message.h>
#include <vsec/key.h>

bool run_rpc_box(struct run_case *c); /* box.jsonl (rpc_box.c) */
bool run_rpc_values(struct run_case *c); /* rpc_values.jsonl (rpc_values.c) */
/* transcripts (rpc_transcript.c) */
void run_rpc_transcript(const char *dir, const char *companions,
    const char *path);

/* ---- JSON (rpc_util.c) --------------------------------------------------- */

/* As cJSON_Parse, but integers that a double may not hold become texts. */
cJSON *run_rpc_json(const char *line);
/* An integer, also one of those; 0 when missing. */
uint64_t run_rpc_u64(const cJSON *o, const char *name);
uint64_t run_rpc_u64_of(const cJSON *v);
/* A text; "" when missing. */
const char *run_rpc_text(const cJSON *o, const char *name);
/* Hex member as bytes in the arena; empty when missing. */
struct v23_bytes run_rpc_bytes(struct v23_arena *a, const cJSON *o,
    const char *name);
/* The message that a `fields` or `msg` object describes. */
bool run_rpc_message(struct run_case *c, struct v23_arena *a,
    const cJSON *fields, struct vrpc_msg *out);
/*
 * Message p decodes to what `fields` say, and encodes to p again when `exact`.
 */
bool run_rpc_check_message(struct run_case *c, const cJSON *fields,
    struct v23_bytes p, bool exact);

/* The signature that an Auth message brings; it points into the message. */
struct vsec_signature run_rpc_signature(const struct vrpc_msg *m);

/* ---- values (rpc_values.c) ----------------------------------------------- */

/* Is v the value of a record {type, value}? */
bool run_rpc_value(struct run_case *c, struct vdl_any v, const cJSON *record);
/* Does the value stream consist of exactly these values? */
bool run_rpc_stream(struct run_case *c, struct vom_typedec *types, bool split,
    struct v23_bytes stream, const cJSON *values);

#endif

/* BSD-3-Clause; see LICENSE. */
/* The protocol of 2014: JSON in JSON (spec/wspr.md 16). Shared by json_*.c. */
#ifndef WSPR_JSON_ERA_INT_H
#define WSPR_JSON_ERA_INT_H

#include <v23/vdl/v.io/x/ref/services/wspr/internal/json/json.vdl.h>
#include <wspr/json.h>

#include <stdarg.h>

#include "wspr_int.h"

/* Kinds of messages to the page (16.1). */
enum {
    WSPR_J_FINAL_,
    WSPR_J_STREAM_,
    WSPR_J_ERROR_,
    WSPR_J_INVOKE_,
    WSPR_J_STREAM_CLOSE_,
    WSPR_J_LOOKUP_,
    WSPR_J_AUTHORIZE_
};

/* Kinds of messages of the page. */
enum {
    WSPR_J_REQUEST_ = 0,
    WSPR_J_SERVE_ = 1,
    WSPR_J_RESPONSE_ = 2,
    WSPR_J_VALUE_ = 3,
    WSPR_J_VALUES_END_ = 4,
    WSPR_J_SIGNATURE_ = 5,
    WSPR_J_STOP_ = 6,
    WSPR_J_ASSOC_ = 7, /* 2014-07 */
    WSPR_J_BLESS_ = 8,
    WSPR_J_UNLINK_ID_ = 9,
    WSPR_J_NEW_ID_ = 10,
    WSPR_J_LOOKUP_REPLY_ = 11,
    WSPR_J_AUTH_REPLY_ = 12
};

/* What rights a method needs, as bits (16.6). */
enum { WSPR_J_LABEL_READ_ = 2, WSPR_J_LABEL_ADMIN_ = 8 };

/* Blessings that the page has a handle of. */
struct wspr_json_id_ {
    int64_t handle;
    struct vsec_blessings *b; /* a reference; NULL: nobody's */
};

/* A BLESS whose answer waits for a signature. */
struct wspr_json_issue_ {
    struct wspr_json_issue_ *next, **link;
    struct wspr_ctl *c;
    int64_t id;
    struct vsec_issue *issue;
};

struct wspr_json_ {
    struct v23_buf text;        /* the message within a message */
    struct wspr_json_id_ *ids;  /* sorted by handle */
    size_t nids, ids_cap;
    int64_t last_handle;
    struct wspr_json_issue_ *issues;
    size_t nissues;
};

static inline struct wspr_json_ *wspr_json_of_(const struct wspr_ctl *c)
{
    return c->era_state;
}

/* ---- json_era.c ---------------------------------------------------------- */

/* Where the content of a message of that kind is to be written. */
struct v23_buf *wspr_json_begin_(struct wspr_ctl *c, int type);
/* Send it. 0, or why it could not be written; then nothing is sent. */
V23_MUST_USE int wspr_json_send_(struct wspr_ctl *c, int64_t id, int rc);
/* An error with one of today's ids and a text. */
struct wspr_json_fault_ {
    struct v23_verror err;
    char text[1024];
};
void wspr_json_fault_(struct wspr_json_fault_ *out, const char *error_id,
    const char *fmt, va_list ap);
/* Tell of it. */
void wspr_json_error_(struct wspr_ctl *c, int64_t id, const char *error_id,
    const char *fmt, ...) V23_PRINTF(4, 5);
/*
 * Read what a message holds into a value of type t in `a`. False: it is not
 * such a message, the page has been told "<what>: …".
 */
bool wspr_json_open_(struct wspr_ctl *c, const struct wspr_frame_ *f,
    const struct vdl_type *t, struct v23_arena *a, void *out,
    const char *what);
extern const char wspr_json_bad_message_[]; /* such a `what` */
/* A message of a kind that there is not. */
void wspr_json_unknown_(struct wspr_ctl *c, const struct wspr_frame_ *f);
/* One member of the object in a text, which is JSON; p NULL: it has none. */
struct v23_bytes wspr_json_member_(struct v23_bytes text, const char *name);

/* ---- json_calls.c -------------------------------------------------------- */

void wspr_json_request_(struct wspr_ctl *c, const struct wspr_frame_ *f);
void wspr_json_signature_(struct wspr_ctl *c, const struct wspr_frame_ *f);
int wspr_json_final_(struct wspr_call_ *call, const struct vdl_any *results,
    size_t n);
int wspr_json_decode_item_(struct wspr_ctl *c, struct wspr_entry_ *e,
    struct vdl_str data, struct v23_arena *a, struct vdl_any *out);

/* ---- json_serve.c -------------------------------------------------------- */

void wspr_json_serve_(struct wspr_ctl *c, const struct wspr_frame_ *f);
void wspr_json_stop_(struct wspr_ctl *c, const struct wspr_frame_ *f);
int wspr_json_lookup_(struct wspr_ask_ *k, struct vdl_str suffix,
    struct vdl_str method, struct wspr_object_ **now);
int wspr_json_authorize_(struct wspr_ask_ *k, const struct wspr_object_ *o,
    const struct vsec_call *call);
int wspr_json_invoke_(struct wspr_flow_ *f);
void wspr_json_reply_(struct wspr_flow_ *f, struct vdl_str data);
void wspr_json_looked_up_(struct wspr_ask_ *k, struct vdl_str data);
void wspr_json_authorized_(struct wspr_ask_ *k, struct vdl_str data);

/* ---- json_ids.c ---------------------------------------------------------- */

/* Append {"handle", "names"} with a new handle. 0, V23_ENOMEM, V23_ELIMIT: the
 * page has too many. */
V23_MUST_USE int wspr_json_put_id_(struct wspr_ctl *c,
    const struct vsec_blessings *b, vdl_str_list names, struct v23_buf *out);
void wspr_json_new_id_(struct wspr_ctl *c, const struct wspr_frame_ *f);
void wspr_json_bless_(struct wspr_ctl *c, const struct wspr_frame_ *f);
void wspr_json_unlink_id_(struct wspr_ctl *c, const struct wspr_frame_ *f);
void wspr_json_forget_ids_(struct wspr_ctl *c);

/* ---- json_assoc.c -------------------------------------------------------- */

void wspr_json_assoc_(struct wspr_ctl *c, const struct wspr_frame_ *f);

#endif

/* BSD-3-Clause; see LICENSE. */
/* The protocol of 2016: hex-encoded VOM 0x81. Shared by vom_*.c. */
#ifndef WSPR_VOM_INT_H
#define WSPR_VOM_INT_H

#include <v23/vdl/v.io/x/ref/services/wspr/internal/principal/principal.vdl.h>
#include <vom/dec.h>
#include <vom/enc.h>
#include <vsec/blessings.h>

#include "bridge_int.h"
#include "wspr_int.h"

/* Kinds of messages to the page (3.2). */
enum {
    WSPR_S2C_FINAL_,
    WSPR_S2C_STREAM_,
    WSPR_S2C_ERROR_,
    WSPR_S2C_INVOKE_,
    WSPR_S2C_STREAM_CLOSE_,
    WSPR_S2C_LOOKUP_,
    WSPR_S2C_AUTHORIZE_,
    WSPR_S2C_CANCEL_,
    WSPR_S2C_CAVEATS_,
    WSPR_S2C_LOG_,
    WSPR_S2C_GRANTER_,
    WSPR_S2C_BLESSINGS_,
    WSPR_S2C_TYPE_
};

/* Kinds of messages of the page (3.1). */
enum {
    WSPR_C2S_REQUEST_ = 0,
    WSPR_C2S_RESPONSE_ = 2,
    WSPR_C2S_STREAM_ = 3,
    WSPR_C2S_STREAM_CLOSE_ = 4,
    WSPR_C2S_LOOKUP_ = 11,
    WSPR_C2S_AUTHORIZE_ = 12,
    WSPR_C2S_CANCEL_ = 17,
    WSPR_C2S_CAVEATS_ = 21,
    WSPR_C2S_GRANTER_ = 22,
    WSPR_C2S_TYPE_ = 23
};

/* Blessings that the page knows by an id (9). */
struct wspr_blessed_ {
    struct wspr_blessed_ *next;
    uint32_t id, refs;
    struct vsec_blessings *b; /* a reference */
    bool dirty;               /* used since the last collection */
};
enum { WSPR_BLESSED_SLOTS_ = 32 };

struct wspr_vom_ {
    struct vom_typedec *types; /* of the page */
    struct v23_buf type_bytes; /* of its type stream, not understood yet */
    bool types_begun;
    int types_rc;              /* why no more of it can be understood, or 0 */
    struct vom_typeenc te;     /* our types */
    struct v23_buf te_out;     /* messages of the type stream, not sent yet */
    struct vom_enc enc;
    struct v23_buf payload;    /* what it writes */
    struct v23_buf in;         /* a payload of the page, in binary */
    struct wspr_bridge_ bridge;
    struct v23_arena tmp;      /* of one message sent */
    struct wspr_blessed_ *blessed[WSPR_BLESSED_SLOTS_];
    uint32_t last_blessed;
};

static inline struct wspr_vom_ *wspr_vom_of_(const struct wspr_ctl *c)
{
    return c->era_state;
}

/* ---- vom_out.c ----------------------------------------------------------- */

/* Send a value as a string of hex, with the connection's types. */
V23_MUST_USE int wspr_vom_send_(struct wspr_ctl *c, int64_t id, unsigned type,
    const struct vdl_type *t, const void *v);
/* Send a value that stands alone. */
V23_MUST_USE int wspr_vom_send_alone_(struct wspr_ctl *c, int64_t id,
    unsigned type, const struct vdl_type *t, const void *v);
/* The same, as a string of hex. */
V23_MUST_USE int wspr_vom_send_quoted_(struct wspr_ctl *c, int64_t id,
    unsigned type, const struct vdl_type *t, const void *v);
/* Forget what large messages have left. */
void wspr_vom_trim_(struct v23_buf *b);

/* ---- vom_in.c ------------------------------------------------------------ */

/* A payload of the page: its values, one after the other. */
struct wspr_vom_in_ {
    struct vom_dec dec;
    const uint8_t *p;
    size_t n;
};
/* Hex to binary. 0, V23_ETEXT, V23_ENOMEM. Valid until the next call. */
V23_MUST_USE int wspr_vom_open_(struct wspr_ctl *c, struct vdl_str hex,
    struct wspr_vom_in_ *in);
/* The next value; t NULL: *out is a struct vdl_any. V23_EEOF: there is none. */
V23_MUST_USE int wspr_vom_next_(struct wspr_vom_in_ *in, struct v23_arena *a,
    const struct vdl_type *t, void *out);
void wspr_vom_shut_(struct wspr_vom_in_ *in);
/* A payload of one value. */
V23_MUST_USE int wspr_vom_value_(struct wspr_ctl *c, struct vdl_str hex,
    struct v23_arena *a, const struct vdl_type *t, void *out);

/* ---- vom_calls.c --------------------------------------------------------- */

void wspr_vom_request_(struct wspr_ctl *c, const struct wspr_frame_ *f);
int wspr_vom_final_(struct wspr_call_ *call, const struct vdl_any *results,
    size_t n);

/* ---- vom_blessings.c ----------------------------------------------------- */

/* The id of blessings, told to the page if need be; NULL is 0. */
V23_MUST_USE int wspr_vom_bless_(struct wspr_ctl *c, struct vsec_blessings *b,
    uint32_t *id);
/* Blessings that the page has sent; *out is a reference, or NULL. */
V23_MUST_USE int wspr_vom_blessings_(struct wspr_ctl *c,
    const v23_security_wire_blessings *w, struct vsec_blessings **out);
int64_t wspr_vom_collect_(struct wspr_ctl *c, int64_t now);
void wspr_vom_forget_(struct wspr_ctl *c);

/* ---- vom_serve.c --------------------------------------------------------- */

int wspr_vom_lookup_(struct wspr_ask_ *k, struct vdl_str suffix,
    struct vdl_str method, struct wspr_object_ **now);
int wspr_vom_authorize_(struct wspr_ask_ *k, const struct wspr_object_ *o,
    const struct vsec_call *call);
int wspr_vom_caveats_(struct wspr_ask_ *k, const struct vsec_call *call);
int wspr_vom_grant_(struct wspr_ask_ *k, int32_t handle,
    struct vrpc_call *call);
int wspr_vom_invoke_(struct wspr_flow_ *f);
void wspr_vom_reply_(struct wspr_flow_ *f, struct vdl_str data);
/* The page's answers. */
void wspr_vom_looked_up_(struct wspr_ask_ *k, struct vdl_str data);
void wspr_vom_authorized_(struct wspr_ask_ *k, struct vdl_str data);
void wspr_vom_validated_(struct wspr_ask_ *k, struct vdl_str data);
void wspr_vom_granted_(struct wspr_ask_ *k, struct vdl_str data);

#endif

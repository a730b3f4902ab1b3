/* BSD-3-Clause; see LICENSE. */
/*
 * The store in etcd without I/O and clock: what is asked, what the answers mean,
 * and when to try again. Requests are made in slots, one at a time in each; an
 * adapter (etcd_ev.c) carries them.
 */
#ifndef VNAME_ETCD_INT_H
#define VNAME_ETCD_INT_H

#include <vname/etcd.h>

#include <cjson/cJSON.h>

enum {
    VNAME_ETCD_WATCH, /* answered piece by piece: vname_etcd_chunk_() */
    VNAME_ETCD_ASK,   /* what comes before it */
    VNAME_ETCD_TXN,   /* the first of several */
    VNAME_ETCD_TXNS = 2,
    VNAME_ETCD_SLOTS = VNAME_ETCD_TXN + VNAME_ETCD_TXNS
};
/* Largest answer, and largest message of a watch. */
#define VNAME_ETCD_MAX_ANSWER (64u << 20)

struct vname_etcd_request {
    const char *path;      /* "/v3/kv/txn" */
    const char *token;     /* of the header Authorization; "" = none */
    struct v23_bytes body; /* JSON; valid during the call */
};

struct vname_etcd_io {
    /* POST it; 0, or a status: no answer will come. */
    int (*send)(void *ud, unsigned slot, unsigned endpoint,
        const struct vname_etcd_request *r);
    /* The answer is not wanted any more; none comes after this. */
    void (*abort)(void *ud, unsigned slot);
    /* The next deadline may be an earlier one. */
    void (*wake)(void *ud);
    void (*now)(void *ud, struct v23_now *out);
    void *ud;
};

struct vname_etcd_core;
struct vname_etcd_core_config {
    const struct v23_alloc *al;
    const struct v23_log *log;
    const struct vname_etcd_place *place; /* borrowed */
    const char *password;                 /* borrowed; may be NULL */
    struct vname_table *table;
    const struct vname_etcd_io *io; /* borrowed */
};

/* Sends nothing before the first tick. 0 or V23_ENOMEM. */
V23_MUST_USE int vname_etcd_core_new_(
    const struct vname_etcd_core_config *cfg, struct vname_etcd_core **out);
void vname_etcd_core_free_(struct vname_etcd_core *e);

/* A whole answer of a slot but the watch. */
void vname_etcd_answer_(struct vname_etcd_core *e, unsigned slot, int status,
    struct v23_bytes body);
/* A piece of the watch's answer, wherever it was cut. */
void vname_etcd_chunk_(struct vname_etcd_core *e, int status,
    struct v23_bytes piece);
/* No answer, or the end of the watch's. */
void vname_etcd_failed_(struct vname_etcd_core *e, unsigned slot,
    const char *why);
int64_t vname_etcd_deadline_(const struct vname_etcd_core *e);
void vname_etcd_tick_(struct vname_etcd_core *e);

/* Everything was read, and is followed. */
bool vname_etcd_is_live_(const struct vname_etcd_core *e);
/* What keeps it from that; "" = nothing yet. */
const char *vname_etcd_why_(const struct vname_etcd_core *e);
/* Trying again will not help. */
bool vname_etcd_is_fatal_(const struct vname_etcd_core *e);

struct vname_etcd_facts {
    unsigned endpoint;
    int64_t age_ns;   /* since the table was known to be what etcd has */
    int64_t revision;
    uint64_t batches, operations;
};
void vname_etcd_facts_(const struct vname_etcd_core *e,
    struct vname_etcd_facts *out);

/* ---- values (etcd_record.c) ---------------------------------------------- */

/* The value of a node; deadlines become wall time. 0 or V23_ENOMEM. */
int vname_etcd_write_(const struct vname_change *ch,
    const struct v23_now *now, struct v23_buf *out);
/* Read one; *ch is built in the arena. 0; V23_ETEXT: it is none; V23_ENOMEM */
int vname_etcd_read_(struct v23_bytes value, const struct v23_now *now,
    struct v23_arena *a, struct vname_change *ch);

/* ---- JSON of the gateway (etcd_json.c) ----------------------------------- */

/* Append a text of bytes in base64, with its quotes. */
void vname_etcd_put64_(struct v23_buf *b, struct v23_bytes v);
/* Append a JSON text, escaped. */
void vname_etcd_put_text_(struct v23_buf *b, const char *s);
/*
 * Members of an object. A missing one is 0, false, NULL or empty, as the gateway
 * leaves such out. V23_ETEXT: it has another type or does not fit.
 */
int vname_etcd_int_(const cJSON *o, const char *key, int64_t *out);
int vname_etcd_bool_(const cJSON *o, const char *key, bool *out);
int vname_etcd_object_(const cJSON *o, const char *key, const cJSON **out);
int vname_etcd_array_(const cJSON *o, const char *key, const cJSON **out);
/* Bytes in base64, appended to `out`. */
int vname_etcd_bytes_(const cJSON *o, const char *key, struct v23_buf *out);

/* What the header of an answer says. */
struct vname_etcd_header {
    int64_t cluster, revision; /* 0 = not said */
};
int vname_etcd_header_(const cJSON *o, struct vname_etcd_header *out);

/* A key and its value, in scratch memory. */
struct vname_etcd_kv {
    struct v23_bytes key, value;
    int64_t revision;
    bool gone;
};
/* Read one of "kvs", or of an event's "kv"; 0, V23_ETEXT, V23_ENOMEM. */
int vname_etcd_kv_(const cJSON *o, struct v23_buf *scratch,
    struct vname_etcd_kv *out);

/* What an answer that is an error says. */
struct vname_etcd_fault {
    int64_t code;   /* of gRPC; 0 = not said */
    char text[256];
};
void vname_etcd_fault_(int status, struct v23_bytes body,
    struct vname_etcd_fault *out);

#endif

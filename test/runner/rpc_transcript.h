/* BSD-3-Clause; see LICENSE. */
/* A recorded connection in memory (test/vectors/README.md). */
#ifndef TEST_RUNNER_RPC_TRANSCRIPT_H
#define TEST_RUNNER_RPC_TRANSCRIPT_H

#include "rpc_int.h"

#include <vsec/principal.h>

enum { DIALER, ACCEPTOR };

enum tr_kind { TR_SETUP, TR_CLEAR, TR_SEALED, TR_RAW };

struct tr_principal {
    const char *name;
    struct v23_bytes pkcs8, der;
};

struct tr_conn {
    int num;
    uint64_t version;
    uint8_t pub[2][32], priv[2][32], shared[32];
    struct v23_bytes binding[2]; /* of the signer */
    bool inside;                 /* its transport is a flow */
    int over_conn;               /* the acceptor's flow: a proxy may have */
    uint64_t over_flow;          /* changed the Setup that comes on it */
    bool refused;                /* setup failed */
};

struct tr_frame {
    int conn, from;
    enum tr_kind kind;
    uint64_t n, seq;
    struct v23_bytes plain, wire;
    const cJSON *msg;
};

struct tr_stream {
    int conn, from;
    uint64_t flow;
    const char *content;
    struct v23_bytes bytes;
    const cJSON *values; /* NULL when not recorded */
};

#define TR_PRINCIPALS 16
#define TR_CONNS 16

struct transcript {
    struct run_case c;       /* for run_fail */
    char name[128];
    struct v23_arena arena;
    cJSON **lines;
    size_t nlines;
    struct vsec_engine *engine;
    struct tr_principal principals[TR_PRINCIPALS];
    size_t nprincipals;
    struct tr_conn conns[TR_CONNS];
    size_t nconns;
    struct tr_frame *frames;
    size_t nframes;
    struct tr_stream *streams;
    size_t nstreams;
};

struct tr_conn *tr_conn(struct transcript *t, int num);
/* What one side said on a flow; NULL: nothing. */
const struct tr_stream *tr_stream(const struct transcript *t, int conn,
    int from, uint64_t flow);
/*
 * Blessings that one side told under a key, as the reader of the stream sees
 * them. *out is a reference, or NULL for zero blessings.
 */
bool tr_blessings(struct transcript *t, struct v23_bytes stream,
    uint64_t bkey, struct vsec_blessings **out);
#define TR_DISCHARGES 8
struct tr_discharges {
    struct vsec_discharge *v[TR_DISCHARGES];
    size_t n;
};
/* The same of discharges; key 0: none. Release them in any case. */
bool tr_discharges(struct transcript *t, struct v23_bytes stream,
    uint64_t dkey, struct tr_discharges *out);
void tr_discharges_fini(struct tr_discharges *d);
/* Nonce of a sender's message. */
void tr_nonce(const struct tr_conn *c, int from, uint64_t seq,
    uint8_t nonce[VSEC_BOX_NONCE]);

/* Let a connection of ours play one side (rpc_replay.c). */
bool tr_replay(struct transcript *t, struct tr_conn *c, int role);

#endif

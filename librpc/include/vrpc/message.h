/* BSD-3-Clause; see LICENSE. */
/**
 * Messages and frames of the flow protocol: bytes in, views out.
 *
 * Nothing here allocates or keeps state. What a decoded message points to is
 * the input. Source: spec/rpc.md 2.2, 3, 4.
 */
#ifndef VRPC_MESSAGE_H
#define VRPC_MESSAGE_H

#include <v23/bytes.h>
#include <vrpc/endpoint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- frames (spec/rpc.md 2.2) -------------------------------------------- */

#define VRPC_FRAME_HEADER 3
#define VRPC_FRAME_MAX 0xffffffu

/** Write the header of a frame of n bytes. V23_EFRAME: n > VRPC_FRAME_MAX. */
V23_MUST_USE int vrpc_frame_put(uint8_t p[VRPC_FRAME_HEADER], size_t n);
/** Length announced by a header. */
uint32_t vrpc_frame_get(const uint8_t p[VRPC_FRAME_HEADER]);

/* ---- messages ------------------------------------------------------------ */

enum vrpc_msg_type {
    VRPC_MSG_AUTH_RSA = 0x6f,
    VRPC_MSG_AUTH_ED25519 = 0x70,
    VRPC_MSG_PROXY_ERROR = 0x71,
    VRPC_MSG_HEALTH_RESPONSE = 0x72,
    VRPC_MSG_HEALTH_REQUEST = 0x73,
    VRPC_MSG_PROXY_RESPONSE = 0x74,
    VRPC_MSG_PROXY_SERVER = 0x75,
    VRPC_MSG_MULTI_PROXY = 0x76,
    VRPC_MSG_DATA = 0x77,
    VRPC_MSG_RELEASE = 0x78,
    VRPC_MSG_OPEN_FLOW = 0x79,
    VRPC_MSG_AUTH = 0x7a, /* ECDSA, or unsigned */
    VRPC_MSG_ACK_LAME_DUCK = 0x7b,
    VRPC_MSG_ENTER_LAME_DUCK = 0x7c,
    VRPC_MSG_TEAR_DOWN = 0x7d,
    VRPC_MSG_SETUP = 0x7e
};

/* Flags of OpenFlow and Data; other bits are ignored. */
enum vrpc_flow_flags {
    VRPC_FLOW_CLOSE = 1,        /* closed after this payload */
    VRPC_FLOW_CLEAR = 2,        /* payload is the next frame, unsealed */
    VRPC_FLOW_SIDE_CHANNEL = 4  /* OpenFlow: does not keep conn from idling */
};

#define VRPC_KEY_SIZE 32          /* NaCl box keys */
#define VRPC_SETUP_UNKNOWN_MAX 8  /* unknown options kept for re-encoding */

struct vrpc_setup_option {
    uint64_t id;
    struct v23_bytes value;
};

/* Views into the message; `has_key`, n == 0 and 0 mean "not sent". */
struct vrpc_setup {
    uint64_t min_version, max_version;
    uint8_t key[VRPC_KEY_SIZE]; /* zero-padded or cut */
    bool has_key;               /* present and not all zero */
    struct v23_bytes remote;    /* option 2 as received (text) */
    struct v23_bytes local;     /* option 3 */
    uint64_t mtu;               /* option 4 */
    uint64_t shared_tokens;     /* option 5 */
    struct vrpc_setup_option unknown[VRPC_SETUP_UNKNOWN_MAX];
    size_t nunknown;
};

/* The signature of an Auth message: `type` says which fields are used. */
struct vrpc_auth {
    uint64_t bkey, dkey;
    struct v23_bytes purpose, hash;
    struct v23_bytes r, s; /* VRPC_MSG_AUTH; both empty: unsigned */
    struct v23_bytes sig;  /* VRPC_MSG_AUTH_ED25519, VRPC_MSG_AUTH_RSA */
};

struct vrpc_open_flow {
    uint64_t id, counters, bkey, dkey, flags;
    struct v23_bytes payload;
};

struct vrpc_data {
    uint64_t id, flags;
    struct v23_bytes payload;
};

struct vrpc_msg {
    uint8_t type; /* enum vrpc_msg_type */
    union {
        struct vrpc_setup setup;
        struct vrpc_auth auth;
        struct vrpc_open_flow open_flow;
        struct vrpc_data data;
        struct v23_bytes counters;  /* Release: use vrpc_release_next */
        struct v23_bytes endpoints; /* ProxyResponse: vrpc_msg_next_bytes */
        struct v23_bytes text;      /* TearDown, ProxyErrorResponse */
    } u;
};

/* Why decoding failed; the names of spec/rpc.md 4.6. */
enum vrpc_msg_fault {
    VRPC_FAULT_INVALID = 1, /* InvalidMsg */
    VRPC_FAULT_SETUP_OPTION, /* InvalidSetupOption */
    VRPC_FAULT_UNKNOWN,     /* UnknownMsg */
    VRPC_FAULT_BLESSINGS    /* MissingBlessings */
};
/** Error id of a fault: "v.io/v23/flow/messages.InvalidMsg", … */
const char *vrpc_msg_fault_id(enum vrpc_msg_fault fault);

/**
 * Decode one message. All lengths are checked; counters of a Release, the
 * endpoints of a ProxyResponse and those of a Setup are validated too.
 *
 * @param p, n   the message without frame header
 * @param out    views into p; written only on success
 * @param fault  NULL, or receives the reason of V23_EMSG
 * @return 0 or V23_EMSG; V23_ELIMIT: more than VRPC_SETUP_UNKNOWN_MAX unknown
 *         options, or an endpoint text over 4,096 bytes or of too many parts
 */
V23_MUST_USE int vrpc_msg_decode(const uint8_t *p, size_t n,
    struct vrpc_msg *out, enum vrpc_msg_fault *fault);
/**
 * Append the encoding of a message. Setup is written canonically: options in
 * ascending order, zero-valued ones left out, endpoints in the canonical
 * version-6 form (so that both sides of a version-14 binding agree), unknown
 * ones last. With VRPC_FLOW_CLEAR the payload is left out: it follows as a
 * frame of its own.
 * Errors stick to `out`; V23_EENDPOINT when an endpoint text does not parse.
 */
void vrpc_msg_encode(const struct vrpc_msg *m, struct v23_buf *out);
/**
 * Take the next (flow, tokens) pair off a Release.
 * @return 0; V23_EEOF: no more; V23_EMSG
 */
V23_MUST_USE int vrpc_release_next(struct v23_bytes *rest, uint64_t *flow,
    uint64_t *tokens);
/** Take the next lenbytes item. 0, V23_EEOF, V23_EMSG. */
V23_MUST_USE int vrpc_msg_next_bytes(struct v23_bytes *rest,
    struct v23_bytes *item);

/* Longest header that vrpc_put_data_header and _open_header write. */
#define VRPC_DATA_HEADER_MAX 20
#define VRPC_OPEN_HEADER_MAX 46
/** Type byte, id and flags of Data; returns the length. */
size_t vrpc_data_header(uint8_t p[VRPC_DATA_HEADER_MAX], uint64_t id,
    uint64_t flags);
/** Everything of OpenFlow but the payload; returns the length. */
size_t vrpc_open_header(uint8_t p[VRPC_OPEN_HEADER_MAX],
    const struct vrpc_open_flow *m);

/**
 * Channel binding of a connection (spec/rpc.md 7.4), appended to `out`.
 *
 * @param version   11..14
 * @param dialer, acceptor  the Setups as the two sides sent them, a missing
 *                  MTU already replaced
 * @param encapsulated_dialer  the dialer's option 2 goes in without routes
 */
V23_MUST_USE int vrpc_binding(uint64_t version,
    const struct vrpc_setup *dialer, const struct vrpc_setup *acceptor,
    bool encapsulated_dialer, struct v23_buf *out);

/**
 * The highest version both sides speak (spec/rpc.md 5).
 * @return 0 or V23_ERPCVERSION
 */
V23_MUST_USE int vrpc_negotiate(uint64_t lmin, uint64_t lmax, uint64_t rmin,
    uint64_t rmax, uint64_t *version);

#ifdef __cplusplus
}
#endif
#endif

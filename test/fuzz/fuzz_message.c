/* BSD-3-Clause; see LICENSE. */
/*
 * Fuzz target of frames and messages: the input is a byte stream, frame after
 * frame. What a message decodes to encodes to something that decodes to the
 * same, and its views lie in the input; of two Setups a binding is made.
 */
#include <v23/bytes.h>
#include <vrpc/message.h>

#include "fuzz.h"

static bool same(struct v23_bytes a, struct v23_bytes b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static void within(struct v23_bytes part, const uint8_t *p, size_t n)
{
    if (part.n != 0)
        check(part.p >= p && part.n <= n &&
              (size_t)(part.p - p) <= n - part.n);
}

/* ---- what a message holds ------------------------------------------------ */

static void check_release(struct v23_bytes rest)
{
    uint64_t flow, tokens;
    int rc;

    while ((rc = vrpc_release_next(&rest, &flow, &tokens)) == 0)
        ;
    check(rc == V23_EEOF); /* they were validated */
}

static void check_endpoints(struct v23_bytes rest)
{
    struct v23_bytes item;
    int rc;

    while ((rc = vrpc_msg_next_bytes(&rest, &item)) == 0)
        ;
    check(rc == V23_EEOF);
}

static void check_setup(const struct vrpc_setup *s, struct vrpc_setup *last)
{
    struct v23_buf b;
    uint64_t version;

    check(s->nunknown <= VRPC_SETUP_UNKNOWN_MAX);
    v23_buf_init(&b, NULL, 1u << 20);
    if (vrpc_negotiate(11, 14, s->min_version, s->max_version, &version)
        == 0) {
        check(version >= 11 && version <= 14);
        check(vrpc_binding(version, last, s, (version & 1) != 0, &b) == 0);
        check(version >= 14 || b.n == 2 * VRPC_KEY_SIZE);
    }
    v23_buf_fini(&b);
    *last = *s;
}

static void check_views(const struct vrpc_msg *m, const uint8_t *p, size_t n)
{
    const struct vrpc_auth *a = &m->u.auth;

    switch (m->type) {
    case VRPC_MSG_DATA:
        within(m->u.data.payload, p, n);
        break;
    case VRPC_MSG_OPEN_FLOW:
        within(m->u.open_flow.payload, p, n);
        break;
    case VRPC_MSG_AUTH:
    case VRPC_MSG_AUTH_ED25519:
    case VRPC_MSG_AUTH_RSA:
        within(a->purpose, p, n);
        within(a->hash, p, n);
        within(a->r, p, n);
        within(a->s, p, n);
        within(a->sig, p, n);
        break;
    case VRPC_MSG_RELEASE:
        within(m->u.counters, p, n);
        check_release(m->u.counters);
        break;
    case VRPC_MSG_PROXY_RESPONSE:
        within(m->u.endpoints, p, n);
        check_endpoints(m->u.endpoints);
        break;
    case VRPC_MSG_TEAR_DOWN:
    case VRPC_MSG_PROXY_ERROR:
        within(m->u.text, p, n);
        break;
    default:
        break;
    }
}

/* The payload of a message with flag 2 travels behind it. */
static bool is_clear(const struct vrpc_msg *m)
{
    return (m->type == VRPC_MSG_DATA &&
               (m->u.data.flags & VRPC_FLOW_CLEAR) != 0) ||
           (m->type == VRPC_MSG_OPEN_FLOW &&
               (m->u.open_flow.flags & VRPC_FLOW_CLEAR) != 0);
}

/* A '@' in a route is escaped, but not written so (spec/naming.md). */
static bool is_lossy(const struct vrpc_msg *m)
{
    const struct vrpc_setup *s = &m->u.setup;

    return m->type == VRPC_MSG_SETUP &&
           ((s->local.n > 0 && memchr(s->local.p, '%', s->local.n) != NULL) ||
               (s->remote.n > 0 &&
                   memchr(s->remote.p, '%', s->remote.n) != NULL));
}

static void message(const uint8_t *p, size_t n, struct vrpc_setup *last)
{
    enum vrpc_msg_fault fault = (enum vrpc_msg_fault)0;
    struct vrpc_msg m, again;
    struct v23_buf one, two;
    int rc = vrpc_msg_decode(p, n, &m, &fault);

    if (rc != 0) {
        check(rc == V23_ELIMIT || rc == V23_EMSG);
        check(rc == V23_ELIMIT || vrpc_msg_fault_id(fault)[0] != 0);
        return;
    }
    check_views(&m, p, n);
    v23_buf_init(&one, NULL, SIZE_MAX);
    v23_buf_init(&two, NULL, SIZE_MAX);
    vrpc_msg_encode(&m, &one);
    check(one.err == 0);
    rc = vrpc_msg_decode(one.p, one.n, &again, NULL);
    check(rc == 0 || is_lossy(&m));
    if (rc == 0) {
        check(again.type == m.type);
        vrpc_msg_encode(&again, &two);
        check(two.err == 0);
        check(is_lossy(&m) ||
              same(v23_bytes(one.p, one.n), v23_bytes(two.p, two.n)));
        if (m.type == VRPC_MSG_DATA && !is_clear(&m))
            check(same(m.u.data.payload, again.u.data.payload));
    }
    if (m.type == VRPC_MSG_SETUP)
        check_setup(&m.u.setup, last);
    v23_buf_fini(&one);
    v23_buf_fini(&two);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct vrpc_setup last;
    uint8_t head[VRPC_FRAME_HEADER];
    size_t len;

    memset(&last, 0, sizeof(last));
    last.min_version = 11;
    last.max_version = 14;
    while (n >= VRPC_FRAME_HEADER) {
        len = vrpc_frame_get(p);
        check(vrpc_frame_put(head, len) == 0);
        check(memcmp(head, p, sizeof(head)) == 0);
        p += VRPC_FRAME_HEADER;
        n -= VRPC_FRAME_HEADER;
        if (len > n)
            len = n; /* of a cut stream */
        message(p, len, &last);
        p += len;
        n -= len;
    }
    return 0;
}

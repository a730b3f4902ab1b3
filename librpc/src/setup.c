/* BSD-3-Clause; see LICENSE. */
/*
 * The Setup message in its canonical form, version negotiation, and the
 * channel binding built from two Setups (spec/rpc.md 4.1, 5, 7.4).
 */
#include <vom/enc.h>

#include "message_int.h"

enum {
    OPT_KEY = 1,
    OPT_REMOTE = 2,
    OPT_LOCAL = 3,
    OPT_MTU = 4,
    OPT_TOKENS = 5
};

static int parse_endpoint(struct v23_arena *a, void *mem, size_t size,
    struct v23_bytes text, struct vrpc_endpoint *ep)
{
    int rc;

    if (text.n > VRPC_ENDPOINT_TEXT_MAX_)
        return V23_ELIMIT;
    v23_arena_init_fixed(a, mem, size);
    rc = vrpc_endpoint_parse(a, vdl_strn((const char *)text.p, text.n), ep,
        NULL);
    return rc == V23_ENOMEM ? V23_ELIMIT : rc;
}

int vrpc_check_endpoint_(struct v23_bytes text)
{
    struct v23_arena a;
    struct vrpc_endpoint ep;
    union {
        uint64_t align[VRPC_ENDPOINT_PARTS_ / 8];
        uint8_t b[VRPC_ENDPOINT_PARTS_];
    } mem;

    return parse_endpoint(&a, mem.b, sizeof(mem.b), text, &ep);
}

/* ---- decoding ------------------------------------------------------------ */

static bool all_zero(const uint8_t *p, size_t n)
{
    uint8_t acc = 0;

    while (n > 0)
        acc |= p[--n];
    return acc == 0;
}

static int take_number(struct v23_bytes value, uint64_t *out)
{
    struct vrpc_cursor_ c = { value.p, value.p, false };
    uint64_t v;

    if (value.n > 0)
        c.end = value.p + value.n;
    v = vrpc_take_uint_(&c);
    if (c.bad)
        return VRPC_FAULT_SETUP_OPTION;
    *out = v;
    return 0;
}

static int take_endpoint(struct v23_bytes value, struct v23_bytes *out)
{
    int rc = vrpc_check_endpoint_(value);

    if (rc == V23_ELIMIT)
        return rc;
    if (rc != 0)
        return VRPC_FAULT_INVALID;
    *out = value;
    return 0;
}

static int take_option(uint64_t id, struct v23_bytes value,
    struct vrpc_setup *s)
{
    switch (id) {
    case OPT_KEY:
        memset(s->key, 0, sizeof(s->key));
        if (value.n > 0)
            memcpy(s->key, value.p,
                value.n < sizeof(s->key) ? value.n : sizeof(s->key));
        s->has_key = !all_zero(s->key, sizeof(s->key));
        return 0;
    case OPT_REMOTE:
        return take_endpoint(value, &s->remote);
    case OPT_LOCAL:
        return take_endpoint(value, &s->local);
    case OPT_MTU:
        return take_number(value, &s->mtu);
    case OPT_TOKENS:
        return take_number(value, &s->shared_tokens);
    default:
        if (s->nunknown == VRPC_SETUP_UNKNOWN_MAX)
            return V23_ELIMIT;
        s->unknown[s->nunknown].id = id;
        s->unknown[s->nunknown++].value = value;
        return 0;
    }
}

int vrpc_setup_decode_(struct vrpc_cursor_ *c, struct vrpc_setup *s)
{
    struct v23_bytes value;
    uint64_t id;
    int rc;

    s->min_version = vrpc_take_uint_(c);
    s->max_version = vrpc_take_uint_(c);
    while (!c->bad && c->p < c->end) {
        id = vrpc_take_uint_(c);
        value = vrpc_take_bytes_(c);
        if (c->bad)
            break;
        rc = take_option(id, value, s);
        if (rc != 0)
            return rc;
    }
    return c->bad ? VRPC_FAULT_INVALID : 0;
}

/* ---- encoding ------------------------------------------------------------ */

/* Put the length in front of what was written from `start` on. */
static void prefix_length(struct v23_buf *out, size_t start)
{
    uint8_t len[9];
    size_t n;

    if (out->err != 0)
        return;
    n = vom_put_uint(len, out->n - start);
    v23_buf_put(out, len, n); /* makes the room */
    if (out->err != 0)
        return;
    memmove(out->p + start + n, out->p + start, out->n - n - start);
    memcpy(out->p + start, len, n);
}

static void put_endpoint(struct v23_buf *out, uint64_t id,
    struct v23_bytes text, bool strip_routes)
{
    struct v23_arena a;
    struct vrpc_endpoint ep;
    union {
        uint64_t align[VRPC_ENDPOINT_PARTS_ / 8];
        uint8_t b[VRPC_ENDPOINT_PARTS_];
    } mem;
    size_t start;
    int rc;

    if (text.n == 0)
        return;
    rc = parse_endpoint(&a, mem.b, sizeof(mem.b), text, &ep);
    if (rc != 0) {
        if (out->err == 0)
            out->err = rc;
        return;
    }
    if (strip_routes)
        ep.routes.n = 0;
    if (vrpc_endpoint_is_zero(&ep))
        return;
    vom_buf_put_uint(out, id);
    start = out->n;
    vrpc_endpoint_format(&ep, out);
    prefix_length(out, start);
}

static void put_number(struct v23_buf *out, uint64_t id, uint64_t v)
{
    if (v == 0)
        return;
    vom_buf_put_uint(out, id);
    vom_buf_put_uint(out, vom_uint_size(v));
    vom_buf_put_uint(out, v);
}

static void encode(const struct vrpc_setup *s, bool strip_routes,
    struct v23_buf *out)
{
    size_t i;

    vom_buf_put_uint(out, s->min_version);
    vom_buf_put_uint(out, s->max_version);
    if (s->has_key) {
        vom_buf_put_uint(out, OPT_KEY);
        vrpc_put_bytes_(out, v23_bytes(s->key, sizeof(s->key)));
    }
    put_endpoint(out, OPT_REMOTE, s->remote, strip_routes);
    put_endpoint(out, OPT_LOCAL, s->local, false);
    put_number(out, OPT_MTU, s->mtu);
    put_number(out, OPT_TOKENS, s->shared_tokens);
    for (i = 0; i < s->nunknown; i++) {
        vom_buf_put_uint(out, s->unknown[i].id);
        vrpc_put_bytes_(out, s->unknown[i].value);
    }
}

void vrpc_setup_encode_(const struct vrpc_setup *s, struct v23_buf *out)
{
    encode(s, false, out);
}

/* ---- versions and binding ------------------------------------------------ */

int vrpc_negotiate(uint64_t lmin, uint64_t lmax, uint64_t rmin, uint64_t rmax,
    uint64_t *version)
{
    uint64_t v = lmax < rmax ? lmax : rmax;

    if (lmin > v || rmin > v)
        return V23_ERPCVERSION;
    *version = v;
    return 0;
}

int vrpc_binding(uint64_t version, const struct vrpc_setup *dialer,
    const struct vrpc_setup *acceptor, bool encapsulated_dialer,
    struct v23_buf *out)
{
    bool dialer_first = memcmp(dialer->key, acceptor->key, VRPC_KEY_SIZE) < 0;
    const struct vrpc_setup *low = dialer_first ? dialer : acceptor;
    const struct vrpc_setup *high = dialer_first ? acceptor : dialer;

    if (version < VRPC_BINDING_SETUPS) {
        v23_buf_put(out, low->key, VRPC_KEY_SIZE);
        v23_buf_put(out, high->key, VRPC_KEY_SIZE);
    } else {
        v23_buf_put_byte(out, VRPC_MSG_SETUP);
        encode(dialer, encapsulated_dialer, out);
        v23_buf_put_byte(out, VRPC_MSG_SETUP);
        encode(acceptor, false, out);
    }
    return out->err;
}

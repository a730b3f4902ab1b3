/* BSD-3-Clause; see LICENSE. */
/*
 * Signer of a key in an ssh-agent: the agent's messages, without I/O. Whatever
 * the agent says is checked: kinds, lengths, the name of the algorithm.
 */
#include <vsec/ssh_agent.h>

#include "ssh_int.h"

enum {
    FAILURE = 5,
    REQUEST_IDENTITIES = 11,
    IDENTITIES_ANSWER = 12,
    SIGN_REQUEST = 13,
    SIGN_RESPONSE = 14,
    MAX_KEYS = 4096
};
enum { RSA_SHA2_512 = 4 }; /* flag of a request */

struct hosted {
    struct vsec_signer s;
    struct vsec_ssh_agent agent;
    struct v23_buf blob; /* names the key */
};

/* ---- messages ------------------------------------------------------------ */

/* Ask, and take the kind of the answer off *in, which views `mem`. */
static int ask(const struct vsec_ssh_agent *agent, const struct v23_buf *req,
    uint8_t want, struct v23_buf *mem, struct v23_bytes *in)
{
    int rc = req->err;

    if (rc == 0)
        rc = agent->ask(agent->ud, v23_bytes(req->p, req->n), mem);
    if (rc == 0)
        rc = mem->err;
    if (rc != 0)
        return rc;
    if (mem->n == 0)
        return V23_ELENGTH;
    if (mem->p[0] != want)
        return mem->p[0] == FAILURE ? V23_EDENIED : V23_ELENGTH;
    *in = v23_bytes(mem->p + 1, mem->n - 1);
    return 0;
}

static bool same(struct v23_bytes a, const struct v23_buf *b)
{
    return a.n == b->n && memcmp(a.p, b->p, a.n) == 0;
}

/* Is the key among those listed? */
static int find(struct v23_bytes in, const struct v23_buf *blob)
{
    struct v23_bytes key, comment;
    bool found = false;
    uint32_t n;

    if (vsec_ssh_take_u32_(&in, &n) != 0 || n > MAX_KEYS)
        return V23_ELENGTH;
    for (; n > 0; n--) {
        if (vsec_ssh_take_string_(&in, &key) != 0
            || vsec_ssh_take_string_(&in, &comment) != 0)
            return V23_ELENGTH;
        found = found || same(key, blob);
    }
    if (in.n != 0)
        return V23_ELENGTH;
    return found ? 0 : V23_ENOENT;
}

static int check_held(const struct hosted *h)
{
    const struct v23_alloc *al = h->s.pub->engine->al;
    struct v23_buf req, mem;
    struct v23_bytes in;
    int rc;

    v23_buf_init(&req, al, VSEC_SSH_AGENT_MAX);
    v23_buf_init(&mem, al, VSEC_SSH_AGENT_MAX);
    v23_buf_put_byte(&req, REQUEST_IDENTITIES);
    rc = ask(&h->agent, &req, IDENTITIES_ANSWER, &mem, &in);
    if (rc == 0)
        rc = find(in, &h->blob);
    v23_buf_fini(&req);
    v23_buf_fini(&mem);
    return rc;
}

/* ---- signatures ---------------------------------------------------------- */

/* What is signed: an agent hashes for ECDSA and RSA. */
static void put_request(const struct hosted *h,
    const struct vsec_sign_req *req, struct v23_buf *b)
{
    bool ed25519 = h->s.pub->alg->kind == VSEC_ED25519;
    size_t size = req->hash->size;

    v23_buf_put_byte(b, SIGN_REQUEST);
    vsec_ssh_put_string_(b, h->blob.p, h->blob.n);
    if (ed25519)
        vsec_ssh_put_string_(b, req->d, size);
    else
        vsec_ssh_put_string_(b, req->f, 3 * size);
    vsec_ssh_put_u32_(b, h->s.pub->alg->kind == VSEC_RSA ? RSA_SHA2_512 : 0);
}

/* r and s, each as long as a coordinate at most. */
static int take_ecdsa(struct v23_bytes in, size_t field, uint8_t *buf,
    struct vsec_sigval *sig)
{
    struct v23_bytes r, s;

    if (vsec_ssh_take_mpint_(&in, &r) != 0
        || vsec_ssh_take_mpint_(&in, &s) != 0 || in.n != 0 || r.n > field
        || s.n > field || r.n == 0 || s.n == 0)
        return V23_ELENGTH;
    memcpy(buf, r.p, r.n);
    memcpy(buf + field, s.p, s.n);
    sig->a = v23_bytes(buf, r.n);
    sig->b = v23_bytes(buf + field, s.n);
    return 0;
}

/* A value of n octets; zeros that some agents leave out are put in front. */
static int take_fixed(struct v23_bytes v, size_t n, uint8_t *buf,
    struct vsec_sigval *sig)
{
    if (v.n > n || v.n == 0)
        return V23_ELENGTH;
    memset(buf, 0, n - v.n);
    memcpy(buf + n - v.n, v.p, v.n);
    sig->a = v23_bytes(buf, n);
    return 0;
}

static int take_signature(const struct vsec_pubkey *k, struct v23_bytes in,
    uint8_t *buf, struct vsec_sigval *sig)
{
    bool rsa = k->alg->kind == VSEC_RSA;
    struct v23_bytes all, name, value;

    if (vsec_ssh_take_string_(&in, &all) != 0 || in.n != 0
        || vsec_ssh_take_string_(&all, &name) != 0
        || vsec_ssh_take_string_(&all, &value) != 0 || all.n != 0
        || !vsec_ssh_is_(name, rsa ? "rsa-sha2-512" : vsec_ssh_type_(k)))
        return V23_ELENGTH;
    switch (k->alg->kind) {
    case VSEC_ECDSA:
        return take_ecdsa(value, k->alg->field, buf, sig);
    case VSEC_ED25519:
        return value.n != 64 ? V23_ELENGTH : take_fixed(value, 64, buf, sig);
    case VSEC_RSA:
        return take_fixed(value, (k->bits + 7u) / 8, buf, sig);
    }
    return V23_ENOSYS;
}

static int hosted_sign(struct vsec_signer *s, const struct vsec_sign_req *req,
    uint8_t *buf, struct vsec_sigval *sig)
{
    struct hosted *h = (struct hosted *)(void *)s;
    const struct v23_alloc *al = s->pub->engine->al;
    struct v23_buf out, mem;
    struct v23_bytes in;
    int rc;

    v23_buf_init(&out, al, VSEC_SSH_AGENT_MAX);
    v23_buf_init(&mem, al, VSEC_SSH_AGENT_MAX);
    put_request(h, req, &out);
    rc = ask(&h->agent, &out, SIGN_RESPONSE, &mem, &in);
    if (rc == 0)
        rc = take_signature(s->pub, in, buf, sig);
    v23_buf_fini(&out);
    v23_buf_fini(&mem);
    return rc;
}

/* ---- the signer ---------------------------------------------------------- */

static void hosted_destroy(struct vsec_signer *s)
{
    struct hosted *h = (struct hosted *)(void *)s;

    if (h->agent.close != NULL)
        h->agent.close(h->agent.ud);
    v23_buf_fini(&h->blob);
    v23_put(s->pub->engine->al, h);
}

static const struct vsec_key_ops hosted_ops = { hosted_sign, NULL,
    hosted_destroy, NULL };

int vsec_ssh_agent_signer(struct vsec_pubkey *key,
    const struct vsec_ssh_agent *agent, struct vsec_signer **out)
{
    const struct v23_alloc *al = key->engine->al;
    struct hosted *h = v23_new(al, struct hosted);
    int rc;

    if (h == NULL)
        return V23_ENOMEM;
    v23_buf_init(&h->blob, al, VSEC_SSH_AGENT_MAX);
    vsec_signer_init(&h->s, &hosted_ops, key);
    h->agent = *agent;
    rc = vsec_ssh_blob_put(key, &h->blob);
    if (rc == 0)
        rc = check_held(h);
    if (rc == 0) {
        *out = &h->s;
    } else {
        h->agent.close = NULL;
        vsec_signer_unref(&h->s);
    }
    return rc;
}

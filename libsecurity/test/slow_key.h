/* BSD-3-Clause; see LICENSE. */
/* A signer that answers when it is told to, by a real one. */
#ifndef VSEC_TEST_SLOW_KEY_H
#define VSEC_TEST_SLOW_KEY_H

#include <check.h>

#include <vsec/key.h>

struct slow {
    struct vsec_signer s;
    struct vsec_signer *real; /* a reference */
    struct vsec_sign_req req;
    bool at_once; /* for those who cannot wait */
    bool busy, destroyed;
    unsigned cancelled;
};

static int slow_sign(struct vsec_signer *s, const struct vsec_sign_req *req,
    uint8_t *buf, struct vsec_sigval *sig)
{
    struct slow *x = (struct slow *)(void *)s;

    if (req->wait.done == NULL)
        return x->at_once ? x->real->ops->sign(x->real, req, buf, sig)
                          : V23_EAGAIN;
    x->req = *req;
    x->busy = true;
    return V23_EAGAIN;
}

static void slow_cancel(struct vsec_signer *s, void *ud, struct v23_op op)
{
    struct slow *x = (struct slow *)(void *)s;

    if (x->busy && x->req.wait.ud == ud
        && x->req.wait.op.generation == op.generation) {
        x->busy = false;
        x->cancelled++;
    }
}

static void slow_destroy(struct vsec_signer *s)
{
    struct slow *x = (struct slow *)(void *)s;

    x->destroyed = true;
    vsec_signer_unref(x->real);
}

static const struct vsec_key_ops slow_ops = { slow_sign, slow_cancel,
    slow_destroy, NULL };

/* Takes over the reference to `real`. */
static inline void slow_init(struct slow *x, struct vsec_signer *real)
{
    memset(x, 0, sizeof(*x));
    x->real = real;
    vsec_signer_init(&x->s, &slow_ops, real->pub);
}

static inline void slow_answer(struct slow *x)
{
    uint8_t buf[VSEC_SIG_MAX];
    struct vsec_sigval val;

    ck_assert(x->busy);
    x->busy = false;
    ck_assert_int_eq(x->real->ops->sign(x->real, &x->req, buf, &val), 0);
    vsec_sign_complete(&x->req, 0, &val);
}

static inline void slow_fail(struct slow *x, int rc)
{
    ck_assert(x->busy);
    x->busy = false;
    vsec_sign_complete(&x->req, rc, NULL);
}

#endif

/* BSD-3-Clause; see LICENSE. */
/* Questions to servers. */
#include "ask.h"

static void answered(void *ud, const struct v23_verror *err,
    const struct vdl_any *results, size_t n)
{
    struct ask *q = ud;
    int rc = V23_ECONVERT; /* an answer of nil */

    if (err == NULL && n == 1 && results[0].type != NULL)
        rc = vdl_convert(q->arena, q->type, q->out, results[0].type,
            results[0].val);
    q->done(q->ud, err, rc);
}

struct vrpc_call *ask_start(struct ask *q, struct vrpc_client *c,
    struct vdl_str name, const char *method, const char *arg,
    const struct vrpc_call_opts *opts)
{
    static const struct vrpc_any_cb cb = { NULL, answered };
    struct vdl_str text = vdl_str(arg);
    struct vdl_any in = { &vdl_string_desc, &text };
    struct vrpc_call *call = vrpc_client_start_any(c, name, vdl_str(method),
        opts, &in, arg == NULL ? 0 : 1, 1, &cb, q);

    if (call != NULL)
        vrpc_call_close_send(call);
    return call;
}

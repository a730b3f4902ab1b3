/* BSD-3-Clause; see LICENSE. */
/* Private keys that an ssh-agent holds (spec 12.2). */
#include "cred_int.h"

#include <vsec/ssh_agent.h>

/* What went wrong at the agent; V23_ENOSYS unless it is this program's. */
static int because(int rc, char *why)
{
    static const char what[] = "the private key is in an ssh-agent";

    if (rc == V23_ENOMEM || rc == V23_EKEY)
        return rc;
    if (rc == V23_ESYS)
        (void)vsec_cred_sys_(why, what, "that cannot be asked");
    else
        vsec_cred_why_(why, rc, "%s that cannot be asked: %s", what,
            v23_strerror(rc));
    return V23_ENOSYS;
}

static size_t word(struct v23_bytes line, size_t i)
{
    while (i < line.n && line.p[i] != ' ' && line.p[i] != '\n')
        i++;
    return i;
}

/* Name the key by its type and comment. */
static int not_held(struct v23_bytes line, char *why)
{
    size_t type = word(line, 0), blob = type, end;

    if (type < line.n)
        blob = word(line, type + 1);
    for (end = blob; end < line.n && line.p[end] != '\n';)
        end++;
    return vsec_cred_why_(why, V23_ENOSYS, "the ssh-agent does not hold the "
        "private key %.*s%.*s", type > 64 ? 64 : (int)type,
        (const char *)line.p, end - blob > 128 ? 128 : (int)(end - blob),
        (const char *)line.p + blob);
}

int vsec_cred_hosted_(const struct vsec_cred_opts *opt, struct v23_bytes line,
    struct vsec_signer **out, char *why)
{
    struct vsec_ssh_agent agent;
    struct vsec_pubkey *key;
    int rc = vsec_ssh_pubkey_parse(opt->engine, line, &key);

    if (rc == V23_EKEY)
        return vsec_cred_why_(why, rc, "the line that names a key of an "
            "ssh-agent is malformed");
    if (rc != 0)
        return rc;
    rc = vsec_ssh_agent_unix(opt->engine->al, NULL, &agent);
    if (rc == V23_ENOENT) {
        rc = vsec_cred_why_(why, V23_ENOSYS, "the private key is in an "
            "ssh-agent, but SSH_AUTH_SOCK is not set");
        goto out;
    }
    if (rc == 0) {
        rc = vsec_ssh_agent_signer(key, &agent, out);
        if (rc != 0)
            agent.close(agent.ud);
    }
    if (rc == V23_ENOENT)
        rc = not_held(line, why);
    else if (rc != 0)
        rc = because(rc, why);
out:
    vsec_pubkey_unref(key);
    return rc;
}

/* BSD-3-Clause; see LICENSE. */
/* A child's side of the exec protocol: blocking, before there is a loop. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <v23/time.h>
#include <vrpc/exec.h>
#include <vrpc/verror.h>

#include "exec_int.h"

static int64_t monotonic(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * V23_NS_PER_SEC + ts.tv_nsec;
}

/* Wait until the descriptor can be read. 0, V23_ETIMEOUT, V23_ESYS. */
static int readable(int fd, int64_t until)
{
    struct pollfd p = { fd, POLLIN, 0 };
    int64_t left;
    int n;

    do {
        left = until - monotonic();
        if (left < 0)
            left = 0;
        n = poll(&p, 1, left / V23_NS_PER_MS >= INT32_MAX ? INT32_MAX
                : (int)((left + V23_NS_PER_MS - 1) / V23_NS_PER_MS));
    } while (n < 0 && errno == EINTR);
    return n > 0 ? 0 : n == 0 ? V23_ETIMEOUT : V23_ESYS;
}

/* Read until there are `want` bytes. 0, V23_EEOF, V23_ETIMEOUT, … */
static int fill(struct v23_buf *in, size_t want, int64_t until)
{
    ssize_t n;
    int rc;

    while (in->n < want) {
        rc = readable(VRPC_EXEC_DATA_FD_, until);
        if (rc == 0)
            rc = v23_buf_room(in, want - in->n);
        if (rc != 0)
            return rc;
        n = read(VRPC_EXEC_DATA_FD_, in->p + in->n, want - in->n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 ? V23_EEOF : V23_ESYS;
        in->n += (size_t)n;
    }
    return 0;
}

static const struct v23_verror *failure(int rc, struct v23_arena *a)
{
    switch (rc) {
    case 0:
        return NULL;
    case V23_ETIMEOUT:
        return v23_exec_err_err_auth_timeout(a, NULL);
    case V23_ELIMIT:
        return v23_exec_err_err_secret_too_large(a, NULL);
    case V23_EEOF:
        return v23_exec_err_partial_read(a, NULL);
    case V23_ESYS:
        return vrpc_err_make(a, NULL, VRPC_ERR_INTERNAL,
            "cannot read from the parent: %s", strerror(errno));
    case V23_ENOMEM:
        return vrpc_err_make(a, NULL, VRPC_ERR_INTERNAL, "out of memory");
    default:
        return vrpc_err_make(a, NULL, VRPC_ERR_BAD_ARG,
            "what the parent sent is no configuration: %s",
            v23_strerror(rc));
    }
}

/* Nothing of the protocol is left to processes that this one starts. */
static void close_data(void)
{
    close(VRPC_EXEC_DATA_FD_);
    unsetenv(VRPC_EXEC_VERSION_VAR_);
}

static const struct v23_verror *from_pipes(struct vrpc_exec_child *c,
    int64_t timeout_ns, struct v23_arena *a)
{
    struct v23_bytes config, secret;
    int64_t until = monotonic() + timeout_ns;
    size_t want = 0;
    int rc, parsed;

    c->status_fd = VRPC_EXEC_STATUS_FD_;
    vrpc_exec_cloexec_(c->status_fd);
    do {
        rc = fill(&c->in, want, until);
        parsed = vrpc_exec_hello_parse(c->in.p, c->in.n, &config, &secret,
            &want);
    } while (rc == 0 && parsed == V23_EAGAIN);
    if (rc == 0)
        rc = parsed;
    close_data();
    if (rc == 0)
        rc = vrpc_exec_config_merge(&c->config, config);
    if (rc == 0)
        c->secret = vdl_bytes(secret.p, secret.n);
    return failure(rc, a);
}

const struct v23_verror *vrpc_exec_child_init(struct vrpc_exec_child *c,
    int64_t timeout_ns, struct v23_arena *a)
{
    const char *version = getenv(VRPC_EXEC_VERSION_VAR_);
    const char *text = getenv(VRPC_EXEC_CONFIG_VAR_);
    const struct v23_verror *err;

    memset(c, 0, sizeof(*c));
    vrpc_exec_config_init(&c->config, NULL);
    v23_buf_init(&c->in, NULL, 2 * VRPC_EXEC_MAX + 64);
    v23_buf_init(&c->sent, NULL, 2 * VRPC_EXEC_MAX_STATUS);
    c->status_fd = -1;
    if (version != NULL && *version != 0) {
        if (strcmp(version, VRPC_EXEC_VERSION) == 0)
            return from_pipes(c, timeout_ns, a);
        err = v23_exec_err_err_unsupported_version(a, NULL, vdl_str(version));
        unsetenv(VRPC_EXEC_VERSION_VAR_);
        return err;
    }
    if (text == NULL || *text == 0)
        return v23_exec_err_err_no_version(a, NULL);
    return failure(vrpc_exec_config_from_env(&c->config, text), a);
}

void vrpc_exec_child_fini(struct vrpc_exec_child *c)
{
    if (c->status_fd >= 0)
        close(c->status_fd);
    c->status_fd = -1;
    if (c->in.p != NULL)
        v23_wipe(c->in.p, c->in.n);
    v23_buf_fini(&c->in);
    v23_buf_fini(&c->sent);
    vrpc_exec_config_fini(&c->config);
    c->secret = vdl_bytes(NULL, 0);
}

/* 0 or errno. */
static int write_all(int fd, const uint8_t *p, size_t n)
{
    ssize_t k;

    for (; n != 0; p += k, n -= (size_t)k) {
        k = write(fd, p, n);
        if (k < 0 && errno == EINTR)
            k = 0;
        else if (k < 0)
            return errno;
    }
    return 0;
}

const struct v23_verror *vrpc_exec_child_report(struct vrpc_exec_child *c,
    const char *failed, struct v23_arena *a)
{
    const struct v23_verror *err = NULL;
    struct v23_buf text;
    int e;

    v23_buf_init(&text, NULL, 2 * VRPC_EXEC_MAX_STATUS);
    vrpc_exec_status((int64_t)getpid(), failed, &text);
    if (text.err != 0) {
        err = failure(text.err, a);
    } else if (c->sent.n != 0) {
        if (text.n != c->sent.n || memcmp(text.p, c->sent.p, text.n) != 0)
            err = v23_exec_err_err_different_status_sent(a, NULL,
                vdl_strn((const char *)c->sent.p, c->sent.n - 1));
    } else if (c->status_fd >= 0) {
        e = write_all(c->status_fd, text.p, text.n);
        close(c->status_fd);
        c->status_fd = -1;
        if (e != 0)
            err = vrpc_err_make(a, NULL, VRPC_ERR_INTERNAL,
                "cannot report to the parent: %s", strerror(e));
        v23_buf_put(&c->sent, text.p, text.n);
    }
    v23_buf_fini(&text);
    return err;
}

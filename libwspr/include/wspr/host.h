/* BSD-3-Clause; see LICENSE. */
/**
 * The HTTP end point of the websocket proxy: its websockets, each with a
 * controller (wspr/controller.h) that has a client, a namespace and servers of
 * its own, and its few pages. Source: spec/wspr.md 2, 14, 16.10, 17-19.
 *
 * All of it runs on the program's loop.
 */
#ifndef WSPR_HOST_H
#define WSPR_HOST_H

#include <vname/program.h>
#include <wspr/accounts.h>
#include <wspr/controller.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wspr_host;

/* A file that is served as "/name". */
struct wspr_file {
    const char *name;
    const unsigned char *p;
    size_t n;
};

/* All-zero = defaults, where they are in parentheses. Borrowed for the life of
 * the host. */
struct wspr_host_config {
    struct vname_program *program; /* run time, roots, where servers listen */
    const char *address;           /* to listen on, a number (127.0.0.1) */
    uint16_t port;                 /* 0 = any */
    enum wspr_protocol protocol;   /* of "/ws"; VOM: no pages */
    /*
     * Whose pages may connect: patterns of origins, separated by commas, in
     * which `*` stands for anything but a slash (all: NULL). "https://x.org",
     * "http://localhost:*".
     */
    const char *allowed_origins;
    bool require_origin;           /* refuse who names none */
    bool require_account;          /* refuse origins without one */
    struct wspr_principals *principals; /* of origins with an account (none) */
    struct wspr_accounts *accounts; /* to make accounts (cannot be made) */
    bool native_caveats;           /* as in struct wspr_ctl_config */
    struct vdl_str language;       /* likewise */
    int64_t retry_ns;              /* likewise */
    struct wspr_ctl_limits limits; /* likewise */
    const struct wspr_file *files; /* "/" is index.html; ends with a NULL name
                                      (none) */
    size_t max_conns;              /* at the same time (10,000) */
    int64_t ping_ns;               /* how often to ask for a sign of life (50 s) */
    int64_t patience_ns;           /* how long to wait for one (60 s) */
};

/** Does a list of patterns allow an origin? See struct wspr_host_config. */
bool wspr_origin_is_allowed(const char *patterns, struct vdl_str origin);

/**
 * Listen.
 * @return 0; V23_ENOMEM; V23_EARG (the address is none); V23_ESYS with errno
 */
V23_MUST_USE int wspr_host_new(const struct wspr_host_config *cfg,
    struct wspr_host **out);
/** Where it listens, "127.0.0.1:8124". */
const char *wspr_host_address(const struct wspr_host *h);
/** Websockets that are open. */
size_t wspr_host_npages(const struct wspr_host *h);
/**
 * Take no more connections, say good-bye to all pages ("going away") and end
 * what they serve.
 * @param done  once, when that has ended; never before this returns, and it
 *              must not free the host
 */
void wspr_host_stop(struct wspr_host *h, void (*done)(void *ud), void *ud);
/** Ends the rest at once. Not from inside a callback. NULL is ignored. */
void wspr_host_free(struct wspr_host *h);

#ifdef __cplusplus
}
#endif
#endif

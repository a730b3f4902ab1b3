/* BSD-3-Clause; see LICENSE. */
/* Inside of the host: its pages. Private to libwspr. */
#ifndef WSPR_HOST_INT_H
#define WSPR_HOST_INT_H

#include <wspr/host.h>

#include "http_int.h"

struct creation;
struct serving;
struct wspr_page_;

/* First member of what a connection is given to. */
struct wspr_held_ {
    void (*gone)(struct wspr_held_ *held);
};

struct wspr_host {
    struct wspr_host_config cfg;
    struct vname_program *p;
    const struct v23_log *log;
    struct wspr_http_ *http;
    struct vsec_chain_cache *chains;
    struct wspr_forms *forms;
    struct vrpc_ev_node *node; /* connections of the pages that are the proxy
                                  itself; NULL: none of them has called */
    struct wspr_page_ *pages;
    size_t npages;
    uint64_t opened; /* of all pages so far, the last one's number */
    uint64_t refused;
    struct wspr_host_ev_ *ev;   /* host_ev.c's */
    struct creation *creations; /* host_accounts.c's */
    void (*stopped)(void *ud);
    void *stopped_ud;
};

/* host_ev.c: a page, from its handshake until all that it had has ended. */
struct wspr_page_ {
    struct wspr_held_ held; /* first */
    struct wspr_host *h;
    struct wspr_page_ *next, **plink;
    struct wspr_conn_ *conn; /* NULL: gone */
    struct wspr_ctl *ctl;
    struct vsec_principal *principal;
    struct vname_identity id;
    bool has_id;
    struct serving *servings;
    bool closed; /* the controller has nothing left */
    uint64_t number;
    struct v23_walltime since;
    const char *origin, *peer; /* behind the struct */
};

/*
 * Make a page of a connection and answer its handshake.
 * @param principal  reference taken
 * 0; or why not, and nothing has been answered
 */
V23_MUST_USE int wspr_page_open_(struct wspr_host *h, struct wspr_conn_ *c,
    const struct wspr_request_ *r, struct vsec_principal *principal,
    struct vdl_str origin, enum wspr_protocol protocol,
    const char *subprotocol);

/* host_http.c: what is asked of the host. */
void wspr_host_request_(void *ud, struct wspr_conn_ *c,
    const struct wspr_request_ *r);

/* host_accounts.c: POST requests about accounts. */
void wspr_host_create_account_(struct wspr_host *h, struct wspr_conn_ *c,
    const struct wspr_request_ *r);
void wspr_host_assoc_account_(struct wspr_host *h, struct wspr_conn_ *c,
    const struct wspr_request_ *r);
/* Nobody gets an answer any more. */
void wspr_host_forget_accounts_(struct wspr_host *h);

/* host_debug.c: the pages about it. */
void wspr_host_debug_(struct wspr_host *h, struct v23_buf *out);
void wspr_host_stats_(struct wspr_host *h, struct v23_buf *out);

#endif

/* BSD-3-Clause; see LICENSE. */
/*
 * debug browse: a page for a web browser on this machine.
 *
 * Everything lives below /TOKEN/, a random word that only the printed address
 * has: whoever does not know it gets 403. The page itself is three files that
 * do not change; what it shows it asks for at /TOKEN/api/..., and gets as
 * lines of one JSON object each, as soon as they are known. The last line says
 * how it ended: {"end":true,...} or {"error":"a sentence","id":"..."}.
 */
#ifndef DEBUG_BROWSE_H
#define DEBUG_BROWSE_H

#include <vname/program.h>

#include "web.h"

enum {
    PAGE_TOKEN = 32,          /* characters */
    PAGE_ENTRIES = 5000,      /* names of a glob, traces; more are cut off */
    PAGE_LINE = 32 << 20      /* bytes of the longest line */
};

/* The page and whom it speaks as. */
struct page {
    struct vname_program *p;
    struct vrpc_client *client;
    struct vname_ns *ns;
    struct vsec_principal *principal;
    const char *name;   /* shown at first */
    const char *assets; /* directory with the page's files; "" = built in */
    bool log;           /* write answers to the log */
    struct web *web;
    char token[PAGE_TOKEN + 1];
};

/** Make the token and listen. 0, or 1 after a message. */
int page_open(struct page *pg, const char *addr);
void page_close(struct page *pg);

/* ---- answers ------------------------------------------------------------- */

/* An answer to the page that is being written, and what it waits for. */
struct answer {
    struct page *pg;
    struct web_req *q;
    struct v23_arena arena; /* until the end */
    struct vrpc_call_opts opts;
    struct vname_opts ns_opts;
    struct vrpc_call *call; /* running, or NULL */
    struct vname_op *op;    /* running, or NULL */
    struct v23_buf line;
    size_t n;               /* entries so far */
    void *more;             /* the handler's own */
    const char *what;       /* for the log */
    bool starting, ended, paused, cut;
};

/* Starts what the answer needs: sets `call` or `op`, or ends the answer. */
typedef void answer_fn(struct answer *a, const char *name);

/* One kind of question: /api/NAME?n=… */
struct question_kind {
    const char *path;
    answer_fn *start;
    bool forever; /* lasts until the page has had enough */
};
/* The last has no path. */
extern const struct question_kind page_names[], page_data[];

/* JSON, in a->line: a member's name, with a comma if it is not the first. */
void put_key(struct v23_buf *b, const char *name);
void put_text(struct v23_buf *b, const char *name, struct vdl_str s);
void put_int(struct v23_buf *b, const char *name, int64_t v);
void put_bool(struct v23_buf *b, const char *name, bool v);
/** An element of a list: a comma if it is not the first. */
void put_element(struct v23_buf *b);
/** Send what is in a->line, an object, and hold the call while the browser is
 * slow. */
void answer_line(struct answer *a);
/** The last line, and the end of `a`: an error, or whatever members a->line
 * has. */
void answer_end(struct answer *a, const struct v23_verror *err);
/** The end with one of our own errors. */
void answer_fail(struct answer *a, int rc);
/** Stop the operation soon, and say that it was cut. */
void answer_cut(struct answer *a);
/** A parameter of the request; "" if it is not there. */
const char *answer_param(struct answer *a, const char *name);
/** Copy into the answer's memory: name, '/', rest; NULL when memory is short,
 * and then `a` has ended. */
const char *answer_join(struct answer *a, const char *name, const char *rest);

#endif

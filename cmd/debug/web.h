/* BSD-3-Clause; see LICENSE. */
/*
 * A small web server for the browsers and tools of this machine: it listens on
 * a loopback address only and answers only requests that name it by such an
 * address or by localhost, so that no page of another site can reach it under a
 * name of its own (DNS rebinding). All of it runs on the program's loop.
 */
#ifndef DEBUG_WEB_H
#define DEBUG_WEB_H

#include <v23/bytes.h>

struct event_base;
struct web;     /* the server */
struct web_req; /* a request that is being answered */

enum {
    WEB_HEADERS = 16 << 10, /* bytes of a request's head */
    WEB_BODY = 256 << 10,   /* and of its body */
    WEB_REQUESTS = 256,     /* answered at the same time; more get 503 */
    WEB_FULL = 256 << 10    /* bytes of an answer that wait for its reader */
};

/*
 * Answers a request, now or later: ends with exactly one web_end(). `path` is
 * decoded and has no query.
 */
typedef void web_handler_fn(void *ud, struct web_req *q, const char *path);

/**
 * Listen.
 *
 * @param addr  "host:port"; host 127.0.0.1, [::1], localhost or none, port or
 *              0; NULL or "" = 127.0.0.1:0
 * @return 0, or 1 after an error message
 */
int web_open(struct event_base *base, const char *addr, web_handler_fn *fn,
    void *ud, struct web **out);
/** Stop listening. Requests lose their readers, as when those go away. NULL is
 * ignored. */
void web_close(struct web *w);
/** "127.0.0.1:4567" */
const char *web_address(const struct web *w);

/** Was it a POST? Else it was a GET; others do not come here. */
bool web_is_post(const struct web_req *q);
struct v23_bytes web_body(struct web_req *q);
/** What stands behind the question mark, as it came; "" if nothing does. */
const char *web_query(const struct web_req *q);
/** A parameter of the query, decoded; NULL if it is not there. */
const char *web_param(struct web_req *q, const char *name);
/** A parameter that is a number, else `def`. */
int64_t web_number(struct web_req *q, const char *name, int64_t def);

/** Begin the answer. @param headers  name, value, …, NULL */
void web_start(struct web_req *q, int code, const char *const *headers);
bool web_started(const struct web_req *q);
/** Some more of it. */
void web_put(struct web_req *q, const void *p, size_t n);
/** Does more wait for the reader than should? Then `drained` follows. */
bool web_is_full(const struct web_req *q);
/**
 * The end. If nothing has begun, the reader gets an empty answer. `q` is gone.
 */
void web_end(struct web_req *q);
/** The whole answer, and the end. */
void web_reply(struct web_req *q, int code, const char *const *headers,
    struct v23_bytes body);

/**
 * Who wants to know about the reader.
 * @param gone     it went away; what follows is dropped, and web_end() is still
 *                 called, from inside it or later
 * @param drained  all of the answer up to now has been taken; may be NULL
 */
void web_watch(struct web_req *q, void (*gone)(void *ud),
    void (*drained)(void *ud), void *ud);

#endif

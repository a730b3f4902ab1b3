/* BSD-3-Clause; see LICENSE. */
/* What a page does, in C: a websocket to wsprd that speaks VOM (spec/wspr.md
 * 3, 6). */
#ifndef WSPRCLIENT_PAGE_H
#define WSPRCLIENT_PAGE_H

#include <vom/type.h>

struct event_base;
struct page;
struct vsec_engine;

/* Kinds of messages that come. */
enum { FINAL, ITEM, FAILURE, INVOKE, ITEM_END, LOOKUP, TYPES = 12 };

struct page_hooks {
    void (*open)(void *ud, struct page *p);
    /* A message about a call. `text` is its hex as it came, behind id and
     * kind, for page_value(). */
    void (*message)(void *ud, struct page *p, uint64_t id, unsigned kind,
        struct vdl_str text);
    /* The end; `why` says more. The page may be freed. */
    void (*closed)(void *ud, struct page *p, const char *why);
};

/* Whereto, "127.0.0.1:8124", "/ws", and whose page it is; NULL = nobody's. */
struct page_place {
    const char *address, *path, *origin;
};
/* Connect. 0, or 1 after a message. */
int page_open(struct event_base *base, struct vsec_engine *e,
    const struct page_place *at, const struct page_hooks *hooks, void *ud,
    struct page **out);
/* At once, without a good-bye. NULL is ignored. */
void page_free(struct page *p);
/* Say good-bye; `closed` follows. */
void page_close(struct page *p);

/* The hex of a request, with its types sent before; valid until the next. */
const char *page_request(struct page *p, const char *name, const char *method,
    const struct vdl_any *args, size_t n, int nresults, bool streaming);
/* Send it. The id of the call. */
uint64_t page_call(struct page *p, const char *request);
void page_cancel(struct page *p, uint64_t id);
/* What a FINAL, ITEM or FAILURE says, as text; 0 or a status. */
int page_value(struct page *p, unsigned kind, struct vdl_str text,
    struct v23_buf *out);

#endif

/* BSD-3-Clause; see LICENSE. */
/*
 * Why dials failed, for those who want a live connection only and find none
 * (spec/rpc.md 14.2): by address and by routing id, for five minutes.
 */
#include "dial_int.h"

#include <string.h>

#define KEPT_FOR (300 * V23_NS_PER_SEC)
#define MAX_KEPT 64u
#define MAX_TEXT 255u

/* The protocol, the address and the reason with its NUL are behind it. */
struct vrpc_failure_ {
    struct vrpc_failure_ *next;
    int64_t until;
    int rc;
    struct vrpc_routing_id rid;
    uint32_t nprotocol, naddress;
};

static char *text_of(struct vrpc_failure_ *f)
{
    return (char *)(f + 1);
}

static bool concerns(struct vrpc_failure_ *f, const struct vrpc_endpoint *ep)
{
    if (!vrpc_routing_id_is_null(&ep->rid))
        return vrpc_routing_id_eq(&f->rid, &ep->rid);
    return vdl_str_eq(vdl_strn(text_of(f), f->nprotocol), ep->protocol) &&
           vdl_str_eq(vdl_strn(text_of(f) + f->nprotocol, f->naddress),
               ep->address);
}

/* Leave out what is replaced, too old, or too much. */
static void clean(struct vrpc_manager *m, const struct vrpc_endpoint *ep)
{
    int64_t now = vrpc_mgr_now_(m).mono_ns;
    struct vrpc_failure_ **p = &m->failures, *f;
    size_t n = 0;

    while ((f = *p) != NULL) {
        if (f->until <= now || concerns(f, ep) || ++n >= MAX_KEPT) {
            *p = f->next;
            v23_put(m->al, f);
        } else {
            p = &f->next;
        }
    }
}

void vrpc_failure_note_(struct vrpc_manager *m,
    const struct vrpc_endpoint *ep, int rc, const char *why)
{
    size_t n = strlen(why), names = (size_t)ep->protocol.n + ep->address.n;
    struct vrpc_failure_ *f;
    char *p;

    clean(m, ep);
    if (n > MAX_TEXT)
        n = MAX_TEXT;
    f = v23_get(m->al, sizeof(*f) + names + n + 1);
    if (f == NULL)
        return; /* then nobody will know */
    f->until = vrpc_mgr_now_(m).mono_ns + KEPT_FOR;
    f->rc = rc;
    f->rid = ep->rid;
    f->nprotocol = ep->protocol.n;
    f->naddress = ep->address.n;
    p = text_of(f);
    if (ep->protocol.n > 0)
        memcpy(p, ep->protocol.p, ep->protocol.n);
    if (ep->address.n > 0)
        memcpy(p + ep->protocol.n, ep->address.p, ep->address.n);
    memcpy(p + names, why, n);
    p[names + n] = 0;
    f->next = m->failures;
    m->failures = f;
}

const char *vrpc_failure_of_(struct vrpc_manager *m,
    const struct vrpc_endpoint *ep, int *rc)
{
    int64_t now = vrpc_mgr_now_(m).mono_ns;
    struct vrpc_failure_ *f;

    for (f = m->failures; f != NULL; f = f->next)
        if (f->until > now && concerns(f, ep)) {
            *rc = f->rc;
            return text_of(f) + f->nprotocol + f->naddress;
        }
    return NULL;
}

void vrpc_failures_fini_(struct vrpc_manager *m)
{
    struct vrpc_failure_ *f;

    while ((f = m->failures) != NULL) {
        m->failures = f->next;
        v23_put(m->al, f);
    }
}

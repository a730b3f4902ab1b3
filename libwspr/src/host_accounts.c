/* BSD-3-Clause; see LICENSE. */
/*
 * The requests about accounts (spec/wspr.md 16.10). Browsers send them for any
 * page, so those that name an origin are taken from pages of this server, or
 * of origins that were allowed by name.
 */
#include "host_int.h"

#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include <vrpc/ev.h>
#include <vsec/acl.h>

#define MAX_CAVEATS 64

/* An account that is being made. */
struct creation {
    struct wspr_held_ held; /* first */
    struct wspr_host *h;
    struct wspr_conn_ *conn; /* NULL: nobody waits for the answer */
    struct creation *next, **plink;
};

/* ---- who may ask --------------------------------------------------------- */

static bool is_ours(const struct wspr_host *h, struct vdl_str origin)
{
    static const char *const names[] = { "http://127.0.0.1", "http://localhost",
        "http://[::1]" };
    const char *port = strrchr(wspr_host_address(h), ':');
    size_t i, n;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        n = strlen(names[i]);
        if (origin.n > n &&
            vdl_str_eq_nocase(vdl_strn(origin.p, n), vdl_str(names[i])) &&
            vdl_str_is(vdl_strn(origin.p + n, origin.n - n), port))
            return true;
    }
    return false;
}

static bool may_ask(const struct wspr_host *h, const struct wspr_request_ *r)
{
    struct vdl_str origin;
    unsigned n = vrpc_http_head_get(&r->head, "Origin", &origin);

    if (n == 0)
        return true;
    return n == 1 && (is_ours(h, origin) ||
        (h->cfg.allowed_origins != NULL &&
            wspr_origin_is_allowed(h->cfg.allowed_origins, origin)));
}

/* ---- bodies -------------------------------------------------------------- */

static void sayf(struct wspr_conn_ *c, int code, const char *what,
    const char *why)
{
    struct v23_buf b;

    v23_buf_init(&b, NULL, 65536);
    v23_buf_printf(&b, "%s%s", what, why);
    wspr_conn_say_(c, code, v23_buf_cstr(&b));
    v23_buf_fini(&b);
}

/* The object of a body; NULL: the answer has been given. */
static cJSON *parse(struct wspr_conn_ *c, const struct wspr_request_ *r)
{
    cJSON *o = vsec_json_valid(r->body)
        ? cJSON_ParseWithLength((const char *)r->body.p, r->body.n) : NULL;

    if (cJSON_IsObject(o))
        return o;
    cJSON_Delete(o);
    wspr_conn_say_(c, 400, "Error parsing body: not a JSON object");
    return NULL;
}

/* A text; empty if it is missing. */
static struct vdl_str text_of(const cJSON *o, const char *name)
{
    const char *s = cJSON_GetStringValue(cJSON_GetObjectItem(o, name));

    return vdl_str(s == NULL ? "" : s);
}

/* ---- making one ---------------------------------------------------------- */

static void creation_free(struct creation *k)
{
    *k->plink = k->next;
    if (k->next != NULL)
        k->next->plink = k->plink;
    v23_put(NULL, k);
}

void wspr_host_forget_accounts_(struct wspr_host *h)
{
    while (h->creations != NULL)
        creation_free(h->creations);
}

static void on_gone(struct wspr_held_ *held)
{
    ((struct creation *)held)->conn = NULL;
}

static void on_created(void *ud, int rc, struct vdl_str account,
    const char *why)
{
    struct wspr_reply_ reply = { .code = 200, .type = "application/json" };
    struct creation *k = ud;
    struct wspr_conn_ *c = k->conn;
    struct v23_buf b;

    creation_free(k);
    if (c == NULL)
        return;
    wspr_conn_set_object_(c, NULL);
    if (rc != 0) {
        wspr_conn_say_(c, 400, why);
        return;
    }
    v23_buf_init(&b, NULL, 1u << 20);
    v23_buf_puts(&b, "{\"names\":[");
    vsec_json_put_text(&b, account);
    v23_buf_puts(&b, "]}\n");
    reply.body = v23_bytes(b.p, b.n);
    wspr_conn_reply_(c, &reply);
    v23_buf_fini(&b);
}

static void create(struct wspr_host *h, struct wspr_conn_ *c, const cJSON *o)
{
    static const char failed[] = "Error getting blessing for access token: ";
    struct creation *k;
    int rc;

    if (h->cfg.accounts == NULL) {
        sayf(c, 400, failed, "an identd server must be set");
        return;
    }
    k = v23_new(NULL, struct creation);
    if (k == NULL) {
        wspr_conn_say_(c, 500, v23_strerror(V23_ENOMEM));
        return;
    }
    k->held.gone = on_gone;
    k->h = h;
    k->conn = c;
    k->next = h->creations;
    if (k->next != NULL)
        k->next->plink = &k->next;
    k->plink = &h->creations;
    h->creations = k;
    rc = wspr_accounts_create(h->cfg.accounts, text_of(o, "access_token"),
        on_created, k);
    if (rc == 0) {
        wspr_conn_set_object_(c, k);
        return;
    }
    creation_free(k);
    sayf(c, rc == V23_ELIMIT ? 503 : 500, failed, v23_strerror(rc));
}

/* ---- associating one ----------------------------------------------------- */

/* 0 or V23_EARG. */
static int read_caveats(const cJSON *list, v23_wspr_account_caveat *v,
    size_t *n)
{
    const cJSON *one;

    *n = 0;
    if (list == NULL || cJSON_IsNull(list))
        return 0;
    if (!cJSON_IsArray(list))
        return V23_EARG;
    cJSON_ArrayForEach(one, list)
    {
        if (*n == MAX_CAVEATS || !cJSON_IsObject(one))
            return V23_EARG;
        v[*n].type = text_of(one, "type");
        v[*n].args = text_of(one, "args");
        ++*n;
    }
    return 0;
}

static void associate(struct wspr_host *h, struct wspr_conn_ *c,
    const cJSON *o)
{
    static const char failed[] = "Error associating account: ";
    struct vdl_str account = text_of(o, "name");
    v23_wspr_account_caveat caveats[MAX_CAVEATS];
    struct wspr_reply_ empty = { .code = 200 };
    char why[WSPR_WHY];
    size_t n;

    if (read_caveats(cJSON_GetObjectItem(o, "caveats"), caveats, &n) != 0) {
        wspr_conn_say_(c, 400, "Error parsing body: malformed caveats");
    } else if (h->cfg.principals == NULL ||
        wspr_principals_blessings(h->cfg.principals, account) == NULL) {
        snprintf(why, sizeof(why), "unknown account %.*s",
            (int)(account.n > 200 ? 200 : account.n), account.p);
        sayf(c, 400, failed, why);
    } else if (wspr_principals_associate(h->cfg.principals,
            text_of(o, "origin"), account, caveats, n, vrpc_ev_wall(), why)
        != 0) {
        sayf(c, 400, failed, why);
    } else {
        wspr_conn_reply_(c, &empty);
    }
}

/* ---- requests ------------------------------------------------------------ */

static void take(struct wspr_host *h, struct wspr_conn_ *c,
    const struct wspr_request_ *r,
    void (*act)(struct wspr_host *h, struct wspr_conn_ *c, const cJSON *o))
{
    cJSON *o;

    if (!vdl_str_is(r->head.method, "POST")) {
        wspr_conn_say_(c, 405, "Method not allowed.");
    } else if (!may_ask(h, r)) {
        wspr_conn_say_(c, 403, "Origin not allowed");
    } else if ((o = parse(c, r)) != NULL) {
        act(h, c, o);
        cJSON_Delete(o);
    }
}

void wspr_host_create_account_(struct wspr_host *h, struct wspr_conn_ *c,
    const struct wspr_request_ *r)
{
    take(h, c, r, create);
}

void wspr_host_assoc_account_(struct wspr_host *h, struct wspr_conn_ *c,
    const struct wspr_request_ *r)
{
    take(h, c, r, associate);
}

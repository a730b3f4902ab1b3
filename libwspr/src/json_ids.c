/* BSD-3-Clause; see LICENSE. */
/*
 * Identities that a page of 2014 refers to by handles (spec/wspr.md 16.7).
 * Every time one is sent it gets a new handle, until the page gives it back.
 */
#include "json_era_int.h"

#include <vom/time.h>
#include <vsec/principal.h>

#define INTERNAL "v.io/v23/verror.Internal"
#define BAD_ARG "v.io/v23/verror.BadArg"

static void issue_free(struct wspr_json_issue_ *k)
{
    *k->link = k->next;
    if (k->next != NULL)
        k->next->link = k->link;
    wspr_json_of_(k->c)->nissues--;
    v23_put(k->c->al, k);
}

/* ---- handles ------------------------------------------------------------- */

static struct wspr_json_id_ *find(struct wspr_json_ *j, int64_t handle)
{
    size_t lo = 0, hi = j->nids, mid;

    while (lo < hi) {
        mid = lo + (hi - lo) / 2;
        if (j->ids[mid].handle == handle)
            return &j->ids[mid];
        if (j->ids[mid].handle < handle)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

int wspr_json_put_id_(struct wspr_ctl *c, const struct vsec_blessings *b,
    vdl_str_list names, struct v23_buf *out)
{
    struct wspr_json_ *j = wspr_json_of_(c);
    v23_wspr_json_public_id id;
    void *v = j->ids;
    int rc;

    rc = v23_reserve(c->al, &v, &j->ids_cap, j->nids + 1,
        c->cfg.limits.blessings, sizeof(*j->ids));
    j->ids = v;
    if (rc != 0)
        return rc;
    id.handle = j->last_handle + 1;
    id.names = names;
    rc = wspr_json_encode(&v23_wspr_json_public_id_desc, &id, out);
    if (rc != 0)
        return rc;
    j->last_handle++;
    j->ids[j->nids].handle = id.handle;
    j->ids[j->nids].b = b == NULL
        ? NULL
        : vsec_blessings_ref((struct vsec_blessings *)(uintptr_t)b);
    c->nblessings = ++j->nids;
    return 0;
}

void wspr_json_unlink_id_(struct wspr_ctl *c, const struct wspr_frame_ *f)
{
    struct wspr_json_ *j = wspr_json_of_(c);
    struct wspr_json_id_ *id;
    int64_t handle;

    if (!wspr_json_open_(c, f, &vdl_int64_desc, &c->scratch, &handle,
            wspr_json_bad_message_))
        return;
    id = find(j, handle);
    if (id == NULL)
        return;
    vsec_blessings_unref(id->b);
    j->nids--;
    memmove(id, id + 1, (size_t)(j->ids + j->nids - id) * sizeof(*id));
    c->nblessings = j->nids;
}

void wspr_json_forget_ids_(struct wspr_ctl *c)
{
    struct wspr_json_ *j = wspr_json_of_(c);

    while (j->issues != NULL) {
        vsec_issue_cancel(j->issues->issue);
        issue_free(j->issues);
    }
    while (j->nids > 0)
        vsec_blessings_unref(j->ids[--j->nids].b);
    c->nblessings = 0;
    v23_put(c->al, j->ids);
    j->ids = NULL;
}

/* ---- new identities ------------------------------------------------------ */

/* The names that the page's principal recognizes. */
static int recognized(struct wspr_ctl *c, const struct vsec_blessings *b,
    vdl_str_list *out)
{
    struct vdl_str *v = v23_arena_get0(&c->scratch, b->nchains, sizeof(*v),
        V23_ALIGNOF(struct vdl_str));
    const struct vsec_chain *ch;
    uint32_t i;

    out->v = v;
    out->n = 0;
    if (v == NULL)
        return V23_ENOMEM;
    for (i = 0; i < b->nchains; i++) {
        ch = &b->chains[i];
        if (vsec_roots_recognized_cert(c->cfg.principal->roots, ch->certs.v,
                ch->name, wspr_ctl_now_(c).wall, &c->scratch, NULL) == 0)
            v[out->n++] = ch->name;
    }
    return 0;
}

static void answer(struct wspr_ctl *c, int64_t id, struct vsec_blessings *b)
{
    vdl_str_list names;
    int rc = recognized(c, b, &names);

    if (rc == 0)
        rc = wspr_json_put_id_(
            c, b, names, wspr_json_begin_(c, WSPR_J_FINAL_));
    if (rc == 0)
        rc = wspr_json_send_(c, id, 0);
    if (rc != 0)
        wspr_json_error_(c, id, INTERNAL, "%s", v23_strerror(rc));
}

void wspr_json_new_id_(struct wspr_ctl *c, const struct wspr_frame_ *f)
{
    const v23_security_caveat_list none = {NULL, 0};
    struct vsec_principal *p = NULL;
    struct vsec_blessings *b = NULL;
    struct vdl_str name;
    int rc;

    if (!wspr_json_open_(c, f, &vdl_string_desc, &c->scratch, &name,
            wspr_json_bad_message_))
        return;
    rc = vsec_principal_generate(c->cfg.principal->engine, "ecdsa256", &p);
    if (rc == 0)
        rc = vsec_principal_bless_self(p, name, none, &b);
    if (rc == 0)
        answer(c, f->id, b);
    else
        wspr_json_error_(c, f->id, rc == V23_EPATTERN ? BAD_ARG : INTERNAL,
            "failed to create identity: %s", v23_strerror(rc));
    vsec_blessings_unref(b);
    vsec_principal_unref(p);
}

/* ---- blessing ------------------------------------------------------------ */

/* One more caveat; *why when there is none of that kind. */
static int make_caveat(struct wspr_ctl *c, vdl_str_any_map members,
    v23_security_caveat *out, struct v23_buf *why)
{
    const struct vdl_any *type = NULL, *data = NULL;
    vdl_str_list texts = {NULL, 0};
    struct vdl_str kind = {NULL, 0};
    uint32_t i;
    int rc = 0;

    for (i = 0; i < members.n; i++)
        if (vdl_str_is(members.v[i].key, "_type"))
            type = &members.v[i].val;
        else if (vdl_str_is(members.v[i].key, "data"))
            data = &members.v[i].val;
    if (type != NULL && type->type == &vdl_string_desc)
        kind = *(const struct vdl_str *)type->val;
    if (data != NULL && data->type != NULL)
        rc = vdl_convert(&c->scratch, &vdl_str_list_desc, &texts, data->type,
            data->val);
    if (rc == V23_ENOMEM)
        return rc;
    if (rc != 0 || texts.n == 0) {
        v23_buf_puts(why, "caveat data is not a list of texts");
        return V23_EARG;
    }
    if (vdl_str_is(kind, "MethodCaveat"))
        return vsec_caveat_method(&c->scratch, texts, out);
    if (vdl_str_is(kind, "PeerBlessingsCaveat"))
        return vsec_caveat_peers(&c->scratch, texts, out);
    v23_buf_puts(why, "unknown caveat type ");
    v23_buf_put(why, kind.p, kind.n < 100 ? kind.n : 100);
    return V23_EARG;
}

static int make_caveats(struct wspr_ctl *c,
    const v23_wspr_json_bless_request *r, v23_security_caveat_list *out,
    struct v23_buf *why)
{
    struct v23_walltime end = wspr_ctl_now_(c).wall;
    v23_security_caveat *v;
    int64_t ns = INT64_MAX;
    uint32_t i;
    int rc = 0;

    if (r->caveats.n >= VSEC_MAX_CAVEATS) {
        v23_buf_puts(why, "too many");
        return V23_EARG;
    }
    v = v23_arena_get0(&c->scratch, r->caveats.n + 1u, sizeof(*v),
        V23_ALIGNOF(v23_security_caveat));
    if (v == NULL)
        return V23_ENOMEM;
    for (i = 0; rc == 0 && i < r->caveats.n; i++)
        rc = make_caveat(c, r->caveats.v[i], &v[i], why);
    if (r->duration_ms < INT64_MAX / V23_NS_PER_MS)
        ns = (r->duration_ms < 0 ? 0 : r->duration_ms) * V23_NS_PER_MS;
    if (rc == 0)
        rc = vsec_caveat_expiry(
            &c->scratch, v23_walltime_add(end, ns), &v[r->caveats.n]);
    out->v = v;
    out->n = r->caveats.n + 1;
    return rc;
}

static void told(struct wspr_ctl *c, int64_t id, int rc,
    struct vsec_blessings *b)
{
    if (rc == 0)
        answer(c, id, b);
    else
        wspr_json_error_(c, id, rc == V23_EPATTERN ? BAD_ARG : INTERNAL,
            "failed to bless: %s", v23_strerror(rc));
}

static void issued(void *ud, int rc, struct vsec_blessings *b,
    struct vsec_discharge *d)
{
    struct wspr_json_issue_ *k = ud;
    struct wspr_ctl *c = k->c;
    int64_t id = k->id;

    (void)d;
    issue_free(k);
    told(c, id, rc, b);
    v23_arena_reset(&c->scratch);
}

/* The key may be one that takes its time. */
static void start(struct wspr_ctl *c, int64_t id, const struct vsec_bless *what)
{
    struct wspr_json_ *j = wspr_json_of_(c);
    struct wspr_json_issue_ *k = NULL;
    struct vsec_blessings *b = NULL;
    struct vsec_issue_wait wait;
    int rc = V23_ELIMIT;

    if (j->nissues < c->cfg.limits.calls) {
        k = v23_new(c->al, struct wspr_json_issue_);
        rc = k == NULL ? V23_ENOMEM : 0;
    }
    if (rc != 0) {
        told(c, id, rc, NULL);
        return;
    }
    k->c = c;
    k->id = id;
    k->next = j->issues;
    if (k->next != NULL)
        k->next->link = &k->next;
    k->link = &j->issues;
    j->issues = k;
    j->nissues++;
    wait.done = issued;
    wait.ud = k;
    rc = vsec_principal_bless_start(c->cfg.principal, what, &wait, &b,
        &k->issue);
    if (rc == V23_EAGAIN)
        return;
    issue_free(k);
    told(c, id, rc, b);
    vsec_blessings_unref(b);
}

static void bless(struct wspr_ctl *c, int64_t id,
    const v23_wspr_json_bless_request *r, const struct vsec_blessings *whom)
{
    struct vsec_principal *p = c->cfg.principal;
    struct vsec_bless what;
    struct v23_buf why;
    char text[200];
    int rc;

    memset(&what, 0, sizeof(what));
    v23_buf_init_fixed(&why, text, sizeof(text) - 1);
    rc = make_caveats(c, r, &what.caveats, &why);
    text[why.n] = 0;
    if (rc == V23_EARG) {
        wspr_json_error_(
            c, id, BAD_ARG, "failed to create caveat: %s", text);
        return;
    }
    what.key = vsec_blessings_key(whom);
    what.with = vsec_store_default(p->store);
    what.extension = r->name;
    if (rc == 0)
        start(c, id, &what);
    else
        told(c, id, rc, NULL);
}

void wspr_json_bless_(struct wspr_ctl *c, const struct wspr_frame_ *f)
{
    v23_wspr_json_bless_request r;
    struct wspr_json_id_ *id;

    if (!wspr_json_open_(c, f, &v23_wspr_json_bless_request_desc, &c->scratch,
            &r, wspr_json_bad_message_))
        return;
    id = find(wspr_json_of_(c), r.handle);
    if (id == NULL || id->b == NULL)
        wspr_json_error_(c, f->id, "v.io/v23/verror.NoExist",
            "invalid PublicID handle");
    else
        bless(c, f->id, &r, id->b);
}

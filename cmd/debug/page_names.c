/* BSD-3-Clause; see LICENSE. */
/* What the page asks about names: who is there, and what can be asked. */
#include "browse.h"

#include <string.h>

#include <v23/vdl/signature/signature.vdl.h>
#include <vom/print.h>
#include <vom/signature.h>
#include <vom/time.h>
#include <vrpc/endpoint.h>
#include <vrpc/name.h>
#include <vsec/acl.h>
#include <vsec/blessings.h>
#include <vsec/principal.h>

#include <ask.h>

static void put_list(struct v23_buf *b, const char *name, vdl_str_list l)
{
    uint32_t i;

    put_key(b, name);
    v23_buf_put_byte(b, '[');
    for (i = 0; i < l.n; i++) {
        put_element(b);
        vsec_json_put_text(b, l.v[i]);
    }
    v23_buf_put_byte(b, ']');
}

/* ---- this program -------------------------------------------------------- */

static void info(struct answer *a, const char *name)
{
    struct vsec_blessings *b = vsec_store_default(a->pg->principal->store);

    (void)name;
    v23_buf_put_byte(&a->line, '{');
    put_text(&a->line, "name", vdl_str(a->pg->name));
    put_text(&a->line, "me", b == NULL ? vdl_str("nobody")
                                       : vsec_blessings_text(b));
    put_list(&a->line, "roots", vname_ns_roots(a->pg->ns));
    answer_end(a, NULL);
}

/* ---- names --------------------------------------------------------------- */

static void put_endpoint(struct answer *a, struct vdl_str server)
{
    struct vdl_str address = server, suffix;
    struct v23_buf *b = &a->line;
    struct vrpc_endpoint ep;
    struct v23_buf rid;
    struct v23_arena scratch;

    v23_arena_init(&scratch, NULL, 1u << 20);
    if ((vrpc_name_is_rooted(server)
            && vrpc_name_split(&scratch, server, &address, &suffix) != 0)
        || vrpc_endpoint_parse(&scratch, address, &ep, NULL) != 0) {
        v23_arena_fini(&scratch);
        return;
    }
    put_text(b, "protocol", ep.protocol);
    put_text(b, "address", ep.address);
    put_list(b, "routes", ep.routes);
    put_list(b, "blessings", ep.blessings);
    if (!vrpc_routing_id_is_null(&ep.rid)) {
        v23_buf_init(&rid, NULL, 64);
        vrpc_routing_id_format(&ep.rid, &rid);
        put_text(b, "rid", vdl_strn((const char *)rid.p, rid.n));
        v23_buf_fini(&rid);
    }
    v23_arena_fini(&scratch);
}

static void put_server(struct answer *a, const v23_naming_mounted_server *s)
{
    struct v23_buf *b = &a->line;

    put_element(b);
    v23_buf_put_byte(b, '{');
    put_text(b, "server", s->server);
    put_endpoint(a, s->server);
    if (v23_deadline_from_wire(s->deadline, 0) != V23_NEVER)
        put_int(b, "left", s->deadline.from_now.seconds);
    v23_buf_put_byte(b, '}');
}

static void put_entry(struct answer *a, const v23_naming_mount_entry *e)
{
    struct v23_buf *b = &a->line;
    uint32_t i;

    v23_buf_put_byte(b, '{');
    put_text(b, "name", e->name);
    put_bool(b, "mt", e->serves_mount_table);
    put_bool(b, "leaf", e->is_leaf);
    put_key(b, "servers");
    v23_buf_put_byte(b, '[');
    for (i = 0; i < e->servers.n; i++)
        put_server(a, &e->servers.v[i]);
    v23_buf_put_byte(b, ']');
}

static void got_reply(void *ud, const v23_naming_glob_reply *r)
{
    struct answer *a = ud;

    if (a->cut)
        return;
    if (a->n == PAGE_ENTRIES) {
        answer_cut(a);
        return;
    }
    if (r->which == V23_NAMING_GLOB_REPLY_ENTRY) {
        put_entry(a, &r->u.entry);
    } else {
        v23_buf_put_byte(&a->line, '{');
        put_text(&a->line, "name", r->u.error.name);
        put_text(&a->line, "problem", r->u.error.error == NULL ? vdl_str("")
                                          : r->u.error.error->msg);
    }
    v23_buf_put_byte(&a->line, '}');
    answer_line(a);
}

static void glob_done(void *ud, const struct v23_verror *err)
{
    answer_end(ud, err);
}

static void glob(struct answer *a, const char *pattern)
{
    if (vname_glob(a->pg->ns, vdl_str(pattern), &a->ns_opts, got_reply,
            glob_done, a, &a->op) != 0)
        answer_fail(a, V23_ENOMEM);
}

static void resolved(void *ud, const struct v23_verror *err,
    const v23_naming_mount_entry *e)
{
    struct answer *a = ud;

    if (err == NULL)
        put_entry(a, e);
    answer_end(a, err);
}

/* Not what a mount table of that name makes of an empty rest, but itself. */
static void resolve(struct answer *a, const char *name)
{
    if (vname_shallow_resolve(a->pg->ns, vdl_str(name), &a->ns_opts, resolved,
            a, &a->op)
        != 0)
        answer_fail(a, V23_ENOMEM);
}

/* ---- who a server is ----------------------------------------------------- */

static void put_identity(struct answer *a)
{
    const struct vrpc_endpoint *ep = vrpc_call_server(a->call);
    const struct vsec_blessings *bl = vrpc_call_server_blessings(a->call);
    const struct vsec_pubkey *key = vsec_blessings_key(bl);
    char print[VSEC_FINGERPRINT];
    struct v23_buf *b = &a->line;

    v23_buf_put_byte(b, '{');
    put_text(b, "address", ep->address);
    put_text(b, "presented", vsec_blessings_text(bl));
    put_list(b, "valid", vrpc_call_server_names(a->call));
    if (key != NULL
        && vsec_fingerprint(key->engine->crypto, key->der, print) == 0)
        put_text(b, "key", vdl_str(print));
}

static void identified(void *ud, const struct v23_verror *err,
    const struct vdl_any *results, size_t n)
{
    struct answer *a = ud;

    (void)results;
    (void)n;
    /* That there is no such method is no matter: the server has shown itself
     * before. */
    if (vrpc_call_server(a->call) != NULL
        && vrpc_call_server_blessings(a->call) != NULL) {
        put_identity(a);
        err = NULL;
    }
    answer_end(a, err);
}

/* Reserved names are not looked up in a mount table: it answers itself. */
static void identify(struct answer *a, const char *name)
{
    static const struct vrpc_any_cb cb = { NULL, identified };
    const char *own = answer_join(a, name, "__debug");

    if (own == NULL)
        return;
    a->call = vrpc_client_start_any(a->pg->client, vdl_str(own), vdl_str(""),
        &a->opts, NULL, 0, VRPC_ANY_RESULTS, &cb, a);
    if (a->call != NULL)
        vrpc_call_close_send(a->call);
}

/* ---- signatures ---------------------------------------------------------- */

struct signature {
    struct ask ask;
    const char *name;
    vdl_str_list servers;
    struct vdl_list interfaces;
    struct v23_buf text;
};

static void put_buf(struct v23_buf *b, const char *name, struct v23_buf *text)
{
    put_text(b, name, vdl_strn((const char *)text->p, text->n));
    v23_buf_cut(text, 0);
}

static int put_args(struct answer *a, const char *name,
    const v23_signature_arg *v, uint32_t n)
{
    struct signature *s = a->more;
    struct v23_buf *b = &a->line;
    uint32_t i;
    int rc = 0;

    put_key(b, name);
    v23_buf_put_byte(b, '[');
    for (i = 0; i < n && rc == 0; i++) {
        put_element(b);
        v23_buf_put_byte(b, '{');
        put_text(b, "name", v[i].name);
        put_text(b, "doc", v[i].doc);
        rc = vdl_print_type(v[i].type, &s->text);
        put_buf(b, "type", &s->text);
        v23_buf_put_byte(b, '}');
    }
    v23_buf_put_byte(b, ']');
    return rc;
}

static int put_tags(struct answer *a, vdl_any_list tags)
{
    struct signature *s = a->more;
    struct v23_buf *b = &a->line;
    uint32_t i;
    int rc = 0;

    put_key(b, "tags");
    v23_buf_put_byte(b, '[');
    for (i = 0; i < tags.n && rc == 0; i++) {
        rc = vdl_print_any(tags.v[i], &s->text);
        put_element(b);
        vsec_json_put_text(b, vdl_strn((const char *)s->text.p, s->text.n));
        v23_buf_cut(&s->text, 0);
    }
    v23_buf_put_byte(b, ']');
    return rc;
}

static int put_method(struct answer *a, const v23_signature_method *m)
{
    int rc;

    put_element(&a->line);
    v23_buf_put_byte(&a->line, '{');
    put_text(&a->line, "name", m->name);
    put_text(&a->line, "doc", m->doc);
    rc = put_args(a, "in", m->in_args.v, m->in_args.n);
    if (rc == 0)
        rc = put_args(a, "out", m->out_args.v, m->out_args.n);
    if (rc == 0)
        rc = put_args(a, "inStream", m->in_stream, m->in_stream != NULL);
    if (rc == 0)
        rc = put_args(a, "outStream", m->out_stream, m->out_stream != NULL);
    if (rc == 0)
        rc = put_tags(a, m->tags);
    v23_buf_put_byte(&a->line, '}');
    return rc;
}

static int put_interface(struct answer *a, const v23_signature_interface *x,
    struct vdl_named *types)
{
    struct signature *s = a->more;
    uint32_t i;
    int rc;

    v23_buf_put_byte(&a->line, '{');
    put_text(&a->line, "name", x->name);
    put_text(&a->line, "pkg", x->pkg_path);
    put_text(&a->line, "doc", x->doc);
    put_key(&a->line, "methods");
    v23_buf_put_byte(&a->line, '[');
    rc = vdl_print_interface(x, types, &s->text); /* for the types in it */
    v23_buf_cut(&s->text, 0);
    for (i = 0; i < x->methods.n && rc == 0; i++)
        rc = put_method(a, &x->methods.v[i]);
    v23_buf_puts(&a->line, "]}");
    if (rc == 0)
        answer_line(a);
    else
        v23_buf_cut(&a->line, 0);
    return rc;
}

static void signature_done(void *ud, const struct v23_verror *err, int rc)
{
    struct answer *a = ud;
    struct signature *s = a->more;
    const v23_signature_interface *v = s->interfaces.v;
    struct vdl_named types;
    uint32_t i;

    vdl_named_init(&types, NULL);
    v23_buf_init(&s->text, NULL, PAGE_LINE);
    for (i = 0; err == NULL && rc == 0 && i < s->interfaces.n; i++)
        rc = put_interface(a, &v[i], &types);
    if (err == NULL && rc == 0) {
        rc = vdl_named_print(&types, &s->text);
        v23_buf_put_byte(&a->line, '{');
        put_buf(&a->line, "types", &s->text);
    }
    v23_buf_fini(&s->text);
    vdl_named_fini(&types);
    if (err == NULL && rc != 0)
        answer_fail(a, rc);
    else
        answer_end(a, err);
}

/* Who serves the name is known, or not: then the call tells why not. */
static void signature_servers(void *ud, const struct v23_verror *err,
    const v23_naming_mount_entry *e)
{
    struct answer *a = ud;
    struct signature *s = a->more;
    v23_naming_mount_entry own;

    a->op = NULL;
    if (err == NULL
        && vdl_copy(&a->arena, &v23_naming_mount_entry_desc, &own, e) == 0
        && vname_object_names(&a->arena, &own, &s->servers) == 0)
        a->opts.preresolved = &s->servers;
    a->call = ask_start(&s->ask, a->pg->client, vdl_str(s->name),
        "__Signature", NULL, &a->opts);
    if (a->call == NULL)
        answer_fail(a, V23_ENOMEM);
}

static void signature(struct answer *a, const char *name)
{
    struct signature *s = v23_arena_new(&a->arena, struct signature);
    const char *own = answer_join(a, name, "");

    if (own == NULL)
        return;
    if (s == NULL) {
        answer_fail(a, V23_ENOMEM);
        return;
    }
    a->more = s;
    s->ask.type = &vrpc_interfaces_desc;
    s->ask.out = &s->interfaces;
    s->ask.arena = &a->arena;
    s->ask.done = signature_done;
    s->ask.ud = a;
    s->name = own;
    if (vname_shallow_resolve(a->pg->ns, vdl_str(own), &a->ns_opts,
            signature_servers, a, &a->op)
        != 0)
        answer_fail(a, V23_ENOMEM);
}

const struct question_kind page_names[] = {
    { "info", info, false },
    { "glob", glob, false },
    { "resolve", resolve, false },
    { "identify", identify, false },
    { "signature", signature, false },
    { NULL, NULL, false }
};

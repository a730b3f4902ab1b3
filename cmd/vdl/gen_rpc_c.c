/* BSD-3-Clause; see LICENSE. */
/*
 * Tables of interfaces: methods sorted by name with arguments, tags and
 * documentation, the thunks between the generic server and a vtable, and the
 * stubs between the generic client and typed callbacks.
 */
#include "gen_int.h"

/* ---- tables -------------------------------------------------------------- */

static void arg_table(struct gen *g, const struct gen_method *n,
    const struct ir_arg *args, size_t count, const char *suffix)
{
    size_t i;

    if (count == 0)
        return;
    for (i = 0; i < count; i++)
        gen_need_desc(g, gen_atype(g, n, &args[i]));
    gen_put(g, "static const struct vrpc_arg %s_%s_[] = {\n", n->base, suffix);
    for (i = 0; i < count; i++)
        gen_put(g, "    { %s, { NULL, 0 }, %s,\n"
            "        offsetof(%s_%s, %s) },\n",
            gen_str_init(g, args[i].name, strlen(args[i].name)),
            gen_desc(g, gen_atype(g, n, &args[i])), n->base, suffix,
            gen_arg(g, n, &args[i]));
    gen_put(g, "};\n");
}

static void tag_table(struct gen *g, const struct gen_method *n)
{
    struct v23_buf b;
    size_t i;

    if (n->m->ntags == 0)
        return;
    v23_buf_init(&b, NULL, SIZE_MAX);
    for (i = 0; i < n->m->ntags; i++) {
        v23_buf_puts(&b, "    ");
        gen_value(g, &b, &vdl_any_desc, &n->m->tags[i]);
        v23_buf_puts(&b, ",\n");
    }
    gen_put(g, "static const struct vdl_any %s_tags_[] = {\n%s};\n", n->base,
        v23_buf_cstr(&b));
    if (b.err != 0)
        g->rc = b.err;
    v23_buf_fini(&b);
}

/* Documentation for the wire: markers kept, newlines around it dropped. */
static const char *doc_init(struct gen *g, const char *doc)
{
    size_t n;

    if (doc == NULL || (gen_config(g->p)->parts & GEN_DOC) == 0)
        return "{ NULL, 0 }";
    while (*doc == '\n')
        doc++;
    n = strlen(doc);
    while (n > 0 && doc[n - 1] == '\n')
        n--;
    return n == 0 ? "{ NULL, 0 }" :
        gen_str(g, "VRPC_DOC_INIT(%s)", gen_literal(g, doc, n));
}

static void method(struct gen *g, const struct gen_method *n)
{
    const struct ir_method *m = n->m;
    bool server = (gen_config(g->p)->parts & GEN_SERVER) != 0;

    gen_put(g, "    {\n        .name = %s,\n        .doc = %s,\n",
        gen_str_init(g, m->name, strlen(m->name)), doc_init(g, m->doc.doc));
    if (m->nin > 0)
        gen_put(g, "        .in = %s_in_,\n        .nin = %zu,\n"
            "        .in_size = sizeof(%s_in),\n", n->base, m->nin, n->base);
    if (m->nout > 0)
        gen_put(g, "        .out = %s_out_,\n        .nout = %zu,\n"
            "        .out_size = sizeof(%s_out),\n", n->base, m->nout,
            n->base);
    if (m->in_stream != NULL)
        gen_put(g, "        .in_stream = %s,\n",
            gen_desc(g, gen_in_stream(g, n)));
    if (m->in_stream != NULL && server)
        gen_put(g, "        .item = %s_item_,\n", n->base);
    if (m->out_stream != NULL)
        gen_put(g, "        .out_stream = %s,\n",
            gen_desc(g, gen_out_stream(g, n)));
    if (m->ntags > 0)
        gen_put(g, "        .tags = %s_tags_,\n        .ntags = %zu,\n",
            n->base, m->ntags);
    if (server)
        gen_put(g, "        .thunk = %s_thunk_,\n", n->base);
    gen_put(g, "    },\n");
}

/* ---- server -------------------------------------------------------------- */

static void thunks(struct gen *g, const struct gen_method *n)
{
    const struct ir_method *m = n->m;

    gen_putw(g, "static const struct v23_verror *%s_thunk_(const void *vt, "
        "void *self, struct vrpc_server_call *call, const void *in, "
        "void *out)\n{\n    const %s_vt *t = vt;\n\n", n->base, n->iname);
    if (m->nin == 0)
        gen_put(g, "    (void)in;\n");
    if (m->nout == 0)
        gen_put(g, "    (void)out;\n");
    gen_put(g, "    if (t->%s == NULL)\n"
        "        return vrpc_not_implemented(call);\n"
        "    return t->%s(self, call%s%s);\n}\n", n->member, n->member,
        m->nin > 0 ? ", in" : "", m->nout > 0 ? ", out" : "");
    if (m->in_stream == NULL)
        return;
    gen_putw(g, "static void %s_item_(const void *vt, void *self, "
        "struct vrpc_server_call *call, const void *item)\n{\n"
        "    const %s_vt *t = vt;\n\n    if (t->%s_item != NULL)\n"
        "        t->%s_item(self, call, item);\n}\n", n->base, n->iname,
        n->name, n->name);
}

/* ---- client -------------------------------------------------------------- */

static void stub(struct gen *g, const struct gen_method *n)
{
    const struct ir_method *m = n->m;

    gen_putw(g, "static void %s_ended_(vrpc_any_fn *fn, void *ud, "
        "const struct v23_verror *err, const void *out)\n{\n", n->base);
    if (m->nout == 0)
        gen_put(g, "    (void)out;\n");
    gen_put(g, "    if (fn != NULL)\n        ((%s_done *)fn)(ud, err%s);\n}\n",
        n->base, m->nout > 0 ? ", out" : "");
    if (m->out_stream != NULL)
        gen_putw(g, "static void %s_got_(vrpc_any_fn *fn, void *ud, "
            "const void *item)\n{\n    if (fn != NULL)\n"
            "        ((void (*)(void *, %s *))fn)(ud, item);\n}\n", n->base,
            gen_celem(g, gen_out_stream(g, n)));
    gen_put(g, "static const struct vrpc_call_stub %s_stub_ = {\n"
        "    %s_ended_, %s\n};\n", n->base, n->base,
        m->out_stream != NULL ? gen_str(g, "%s_got_", n->base) : "NULL");
}

static void start(struct gen *g, const struct gen_method *n)
{
    const struct ir_method *m = n->m;
    const char *fn_item = "NULL", *fn_done = "(vrpc_any_fn *)done";
    size_t i;

    gen_putw(g, "%s\n{\n", gen_start_proto(g, n));
    if (m->nin > 0)
        gen_put(g, "    %s_in in;\n\n", n->base);
    for (i = 0; i < m->nin; i++)
        gen_put(g, "    in.%s = %s%s;\n", gen_arg(g, n, &m->in[i]),
            gen_by_pointer(gen_atype(g, n, &m->in[i])) ? "*" : "",
            gen_param_name(g, gen_arg(g, n, &m->in[i]), gen_start_fixed));
    if (m->out_stream != NULL) {
        fn_item = "(vrpc_any_fn *)cb->item";
        fn_done = "(vrpc_any_fn *)cb->done";
    }
    gen_putw(g, "    return vrpc_client_start(c, name, o, %s_METHOD, %s, "
        "&%s_stub_, %s, %s, ud);\n}\n",
        gen_upper(g, n->base), m->nin > 0 ? "&in" : "NULL", n->base, fn_item,
        fn_done);
}

/* ---- one interface ------------------------------------------------------- */

static void embed_table(struct gen *g, const struct ir_iface *f,
    const char *name)
{
    bool server = (gen_config(g->p)->parts & GEN_SERVER) != 0;
    size_t i;

    if (f->nembeds == 0)
        return;
    gen_put(g, "static const struct vrpc_embed %s_embeds_[] = {\n", name);
    for (i = 0; i < f->nembeds; i++)
        gen_put(g, server ? "    { &%s_iface, offsetof(%s_vt, %s) },\n" :
            "    { &%s_iface, 0 },\n", gen_iface_name(g, f->embeds[i]), name,
            gen_embed(g, f, i));
    gen_put(g, "};\n");
}

static void iface(struct gen *g, const struct ir_iface *f)
{
    const char *name = gen_iface_name(g, f);
    const struct ir_method **sorted = gen_sorted(g, f);
    unsigned parts = gen_config(g->p)->parts;
    struct gen_method n;
    size_t i;

    if (sorted == NULL)
        return;
    gen_title(g, gen_str(g, "interface %s", f->name));
    for (i = 0; i < f->nmethods; i++) {
        gen_method_names(g, f, sorted[i], &n);
        arg_table(g, &n, n.m->in, n.m->nin, "in");
        arg_table(g, &n, n.m->out, n.m->nout, "out");
        gen_put(g, "\n");
        if (n.m->in_stream != NULL)
            gen_need_desc(g, gen_in_stream(g, &n));
        if (n.m->out_stream != NULL)
            gen_need_desc(g, gen_out_stream(g, &n));
        tag_table(g, &n);
        if ((parts & GEN_SERVER) != 0)
            thunks(g, &n);
    }
    gen_put(g, "\n");
    if (f->nmethods > 0)
        gen_put(g, "const struct vrpc_method %s_methods[%zu] = {\n", name,
            f->nmethods);
    for (i = 0; i < f->nmethods; i++) {
        gen_method_names(g, f, sorted[i], &n);
        method(g, &n);
    }
    if (f->nmethods > 0)
        gen_put(g, "};\n");
    embed_table(g, f, name);
    gen_put(g, "const struct vrpc_iface %s_iface = {\n    .name = %s,\n"
        "    .pkg_path = %s,\n    .doc = %s,\n", name,
        gen_str_init(g, f->name, strlen(f->name)),
        gen_str_init(g, g->p->path, strlen(g->p->path)),
        doc_init(g, f->doc.doc));
    if (f->nembeds > 0)
        gen_put(g, "    .embeds = %s_embeds_,\n    .nembeds = %zu,\n", name,
            f->nembeds);
    if (f->nmethods > 0)
        gen_put(g, "    .methods = %s_methods,\n    .nmethods = %zu,\n", name,
            f->nmethods);
    gen_put(g, "};\n");
    for (i = 0; i < f->nmethods && (parts & GEN_CLIENT) != 0; i++) {
        gen_method_names(g, f, sorted[i], &n);
        gen_put(g, "\n");
        stub(g, &n);
        start(g, &n);
    }
}

void gen_ifaces_c(struct gen *g)
{
    size_t i;

    for (i = 0; i < g->p->nifaces; i++)
        iface(g, &g->p->ifaces[i]);
}

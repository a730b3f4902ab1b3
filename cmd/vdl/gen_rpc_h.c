/* BSD-3-Clause; see LICENSE. */
/*
 * Declarations of interfaces: descriptor, argument structs, the vtable that a
 * server fills in, reply and send functions, and the client's start functions.
 */
#include <stdio.h>
#include <stdlib.h>

#include "gen_int.h"

const char *const gen_start_fixed[] = { "c", "name", "o", "done", "cb", "ud",
    "in", NULL };

/* ---- names --------------------------------------------------------------- */

const char *gen_iface_name(struct gen *g, const struct ir_iface *f)
{
    const char *name = gen_renamed(g, f->package, f->name);

    return name != NULL ? name : gen_str(g, "%s%s",
        gen_prefix(g, f->package), gen_snake(g, f->name));
}

const char *gen_arg(struct gen *g, const struct gen_method *n,
    const struct ir_arg *a)
{
    const char *name = a->name == NULL || a->name[0] == '\0' ? "result" :
        a->name, *other;

    other = gen_renamed(g, n->iface->package,
        gen_str(g, "%s.%s.%s", n->iface->name, n->m->name, name));
    return gen_member(g, other != NULL ? other : name);
}

const char *gen_embed(struct gen *g, const struct ir_iface *f, size_t i)
{
    const char *name = gen_member(g, f->embeds[i]->name);
    size_t j;

    for (j = 0; j < i; j++) {
        if (strcmp(name, gen_member(g, f->embeds[j]->name)) == 0)
            return gen_str(g, "%s_%s",
                gen_snake(g, f->embeds[i]->package->name), name);
    }
    return name;
}

static int compare_method(const void *a, const void *b)
{
    const struct ir_method *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

const struct ir_method **gen_sorted(struct gen *g, const struct ir_iface *f)
{
    const struct ir_method **v = v23_arena_get(&g->mem,
        (f->nmethods + 1) * sizeof(*v), _Alignof(void *));
    size_t i;

    if (v == NULL) {
        g->rc = V23_ENOMEM;
        return NULL;
    }
    for (i = 0; i < f->nmethods; i++)
        v[i] = &f->methods[i];
    qsort(v, f->nmethods, sizeof(*v), compare_method);
    return v;
}

void gen_method_names(struct gen *g, const struct ir_iface *f,
    const struct ir_method *m, struct gen_method *out)
{
    const char *name = gen_renamed(g, f->package,
        gen_str(g, "%s.%s", f->name, m->name));
    size_t i;

    out->iface = f;
    out->m = m;
    out->iname = gen_iface_name(g, f);
    out->name = gen_snake(g, name != NULL ? name : m->name);
    out->base = gen_str(g, "%s_%s", out->iname, out->name);
    out->member = gen_member(g, out->name);
    out->has_stream = m->in_stream != NULL || m->out_stream != NULL;
    out->index = 0;
    for (i = 0; i < f->nmethods; i++) {
        if (strcmp(f->methods[i].name, m->name) < 0)
            out->index++;
    }
}

/* ---- what is used -------------------------------------------------------- */

static void each_type(struct gen *g, const struct gen_method *n,
    void (*fn)(struct gen *g, const struct vdl_type *t))
{
    const struct ir_method *m = n->m;
    size_t i;

    for (i = 0; i < m->nin; i++)
        fn(g, gen_atype(g, n, &m->in[i]));
    for (i = 0; i < m->nout; i++)
        fn(g, gen_atype(g, n, &m->out[i]));
    if (m->in_stream != NULL)
        fn(g, gen_in_stream(g, n));
    if (m->out_stream != NULL)
        fn(g, gen_out_stream(g, n));
}

static void use_wire(struct gen *g, const struct vdl_type *t)
{
    gen_use(g, gen_wire(t));
}

void gen_use_ifaces(struct gen *g)
{
    const struct ir_method *m;
    struct gen_method n;
    size_t i, j, k;

    for (i = 0; i < g->p->nifaces; i++) {
        for (j = 0; j < g->p->ifaces[i].nmethods; j++) {
            m = &g->p->ifaces[i].methods[j];
            gen_method_names(g, &g->p->ifaces[i], m, &n);
            each_type(g, &n, use_wire);
            for (k = 0; k < m->ntags; k++)
                gen_use_value(g, m->tags[k].type, m->tags[k].val);
        }
    }
}

/* ---- argument structs ---------------------------------------------------- */

static void args_struct(struct gen *g, const struct gen_method *n,
    const struct ir_arg *args, size_t count, const char *suffix)
{
    const char **v, *name;
    size_t i;

    if (count == 0)
        return;
    v = v23_arena_get(&g->mem, count * sizeof(*v), _Alignof(void *));
    if (v == NULL) {
        g->rc = V23_ENOMEM;
        return;
    }
    name = gen_ident(g, gen_str(g, "%s_%s", n->base, suffix), n->m->name);
    gen_put(g, "typedef struct %s {\n", name);
    for (i = 0; i < count; i++) {
        v[i] = gen_arg(g, n, &args[i]);
        gen_put(g, "    %s;\n",
            gen_decl(g, gen_atype(g, n, &args[i]), v[i]));
    }
    gen_put(g, "} %s;\n", name);
    gen_check_scope(g, v, count, n->m->name);
}

/* ---- server side --------------------------------------------------------- */

static void vt_method(struct gen *g, const struct gen_method *n)
{
    const struct ir_method *m = n->m;

    gen_doc(g, "    ", &m->doc);
    gen_putw(g, "    const struct v23_verror *(*%s)(void *self, "
        "struct vrpc_server_call *call%s%s);\n", n->member,
        m->nin == 0 ? "" : gen_str(g, ", const %s_in *in", n->base),
        m->nout == 0 ? "" : gen_str(g, ", %s_out *out", n->base));
    if (m->in_stream != NULL)
        gen_putw(g, "    /* Each item; NULL: the client ended its stream. */\n"
            "    void (*%s_item)(void *self, struct vrpc_server_call *call, "
            "%s *item);\n", n->name, gen_celem(g, gen_in_stream(g, n)));
}

static void vt_scope(struct gen *g, const struct ir_iface *f)
{
    struct gen_method n;
    struct gen_list l = { NULL, 0, 0 };
    size_t i;

    for (i = 0; i < f->nembeds; i++)
        gen_add(g, &l, gen_embed(g, f, i));
    for (i = 0; i < f->nmethods; i++) {
        gen_method_names(g, f, &f->methods[i], &n);
        gen_add(g, &l, n.member);
        if (f->methods[i].in_stream != NULL)
            gen_add(g, &l, gen_str(g, "%s_item", n.name));
    }
    gen_check_scope(g, (const char *const *)l.v, l.n, f->name);
}

static void vtable(struct gen *g, const struct ir_iface *f, const char *name)
{
    struct gen_method n;
    size_t i;

    for (i = 0; i < f->nembeds; i++) {
        if ((gen_config(f->embeds[i]->package)->parts & GEN_SERVER) == 0)
            gen_fail(g, "interface %s embeds %s of package %s, which is "
                "generated without its server part", f->name,
                f->embeds[i]->name, f->embeds[i]->package->path);
    }
    vt_scope(g, f);
    gen_ident(g, gen_str(g, "%s_vt", name), f->name);
    gen_put(g, "\n/* Server side: a missing function is answered with "
        "NotImplemented. */\ntypedef struct %s_vt {\n", name);
    for (i = 0; i < f->nembeds; i++)
        gen_put(g, "    %s_vt %s;\n", gen_iface_name(g, f->embeds[i]),
            gen_embed(g, f, i));
    for (i = 0; i < f->nmethods; i++) {
        gen_method_names(g, f, &f->methods[i], &n);
        vt_method(g, &n);
    }
    if (f->nembeds + f->nmethods == 0)
        gen_put(g, "    char unused_;\n");
    gen_put(g, "} %s_vt;\n", name);
    gen_putw(g, "static inline struct vrpc_object %s(const %s_vt *vt, "
        "void *self)\n{\n    struct vrpc_object o;\n\n"
        "    o.iface = &%s_iface;\n    o.vt = vt;\n    o.self = self;\n"
        "    o.glob = NULL;\n    o.dynamic = NULL;\n    return o;\n}\n",
        gen_ident(g, gen_str(g, "%s_object", name), f->name), name, name);
}

static void reply(struct gen *g, const struct gen_method *n)
{
    const struct ir_method *m = n->m;

    gen_put(g, "/* Ends a call whose handler returned &vrpc_pending. */\n");
    gen_putw(g, "static inline int %s(struct vrpc_server_call *call, "
        "const struct v23_verror *err%s)\n{\n"
        "    return vrpc_server_call_reply(call, err, %s);\n}\n",
        gen_ident(g, gen_str(g, "%s_reply", n->base), m->name),
        m->nout == 0 ? "" : gen_str(g, ", const %s_out *out", n->base),
        m->nout > 0 ? "out" : "NULL");
    if (m->out_stream == NULL)
        return;
    gen_putw(g, "V23_MUST_USE static inline int %s("
        "struct vrpc_server_call *call, %s *item)\n{\n"
        "    return vrpc_server_call_send(call, item);\n}\n",
        gen_ident(g, gen_str(g, "%s_send", n->base), m->name),
        gen_celem(g, gen_out_stream(g, n)));
}

/* ---- client side --------------------------------------------------------- */

const char *gen_start_proto(struct gen *g, const struct gen_method *n)
{
    const struct ir_method *m = n->m;
    const char *s = gen_str(g, "struct vrpc_call *%s_start("
        "struct vrpc_client *c, const char *name, "
        "const struct vrpc_call_opts *o", n->base);
    size_t i;

    for (i = 0; i < m->nin; i++)
        s = gen_str(g, "%s, %s", s, gen_param(g, gen_atype(g, n, &m->in[i]),
            gen_param_name(g, gen_arg(g, n, &m->in[i]), gen_start_fixed)));
    return gen_str(g, m->out_stream != NULL ?
        "%s, const %s_cb *cb, void *ud)" : "%s, %s_done *done, void *ud)", s,
        n->base);
}

static void client(struct gen *g, const struct gen_method *n)
{
    const struct ir_method *m = n->m;
    const char *what = m->name;
    const char *out = m->nout == 0 ? "" :
        gen_str(g, ", const %s_out *out", n->base);

    gen_putw(g, "typedef void %s(void *ud, const struct v23_verror *err%s);\n",
        gen_ident(g, gen_str(g, "%s_done", n->base), what), out);
    if (m->out_stream != NULL)
        gen_put(g, "typedef struct %s_cb {\n"
            "    void (*item)(void *ud, %s *item); /* may be NULL */\n"
            "    %s_done *done;\n} %s;\n", n->base,
            gen_celem(g, gen_out_stream(g, n)), n->base,
            gen_ident(g, gen_str(g, "%s_cb", n->base), what));
    gen_ident(g, gen_str(g, "%s_start", n->base), what);
    gen_putw(g, "%s;\n", gen_start_proto(g, n));
    if (m->in_stream == NULL)
        return;
    gen_putw(g, "/* Then vrpc_call_close_send(). */\n"
        "V23_MUST_USE static inline int %s(struct vrpc_call *call, "
        "%s *item)\n{\n    return vrpc_call_send(call, item);\n}\n",
        gen_ident(g, gen_str(g, "%s_put", n->base), what),
        gen_celem(g, gen_in_stream(g, n)));
}

/* ---- one interface ------------------------------------------------------- */

static void iface(struct gen *g, const struct ir_iface *f)
{
    const char *name = gen_iface_name(g, f);
    unsigned parts = gen_config(g->p)->parts;
    struct gen_method n;
    size_t i;

    gen_title(g, gen_str(g, "interface %s", f->name));
    for (i = 0; i < f->nmethods; i++) {
        gen_method_names(g, f, &f->methods[i], &n);
        each_type(g, &n, gen_need_type);
    }
    gen_flush_entries(g);
    gen_put(g, "\n");
    gen_doc(g, "", &f->doc);
    gen_put(g, "extern const struct vrpc_iface %s;\n",
        gen_ident(g, gen_str(g, "%s_iface", name), f->name));
    if (f->nmethods > 0)
        gen_put(g, "/* Own methods, for generic calls. */\n"
            "extern const struct vrpc_method %s[%zu];\n",
            gen_ident(g, gen_str(g, "%s_methods", name), f->name),
            f->nmethods);
    for (i = 0; i < f->nmethods; i++) {
        gen_method_names(g, f, &f->methods[i], &n);
        gen_put(g, "#define %s (&%s_methods[%zu])\n", gen_ident(g,
            gen_str(g, "%s_METHOD", gen_upper(g, n.base)), n.m->name), name,
            n.index);
    }
    if (f->nmethods > 0)
        gen_put(g, "\n");
    for (i = 0; i < f->nmethods; i++) {
        gen_method_names(g, f, &f->methods[i], &n);
        args_struct(g, &n, n.m->in, n.m->nin, "in");
        args_struct(g, &n, n.m->out, n.m->nout, "out");
    }
    if ((parts & GEN_SERVER) != 0)
        vtable(g, f, name);
    for (i = 0; i < f->nmethods && (parts & GEN_SERVER) != 0; i++) {
        gen_method_names(g, f, &f->methods[i], &n);
        reply(g, &n);
    }
    if (f->nmethods > 0 && (parts & GEN_CLIENT) != 0)
        gen_put(g, "\n/* Client side. */\n");
    for (i = 0; i < f->nmethods && (parts & GEN_CLIENT) != 0; i++) {
        gen_method_names(g, f, &f->methods[i], &n);
        client(g, &n);
    }
}

void gen_ifaces_h(struct gen *g)
{
    size_t i;

    for (i = 0; i < g->p->nifaces; i++)
        iface(g, &g->p->ifaces[i]);
}

/* BSD-3-Clause; see LICENSE. */
/*
 * Errors: a definition, a constructor, a test and an extractor of parameters
 * for each. All work is done by libvom from the definition.
 */
#include "gen_int.h"

static const char *const make_fixed[] = { "a", "ctx", NULL };
static const char *const params_fixed[] = { "a", "e", NULL };

static void check_params(struct gen *g, const struct ir_error *e)
{
    const char *v[255];
    size_t i;

    if (e->nparams > sizeof(v) / sizeof(v[0])) {
        gen_fail(g, "error %s has too many parameters", e->name);
        return;
    }
    for (i = 0; i < e->nparams; i++)
        v[i] = gen_error_param(g, e, i);
    gen_check_scope(g, v, e->nparams, e->name);
}

static const char *make_proto(struct gen *g, const struct ir_error *e,
    const char *name)
{
    const char *s = gen_str(g, "const struct v23_verror *%s("
        "struct v23_arena *a, const struct v23_errctx *ctx", name);
    size_t i;

    for (i = 0; i < e->nparams; i++)
        s = gen_str(g, "%s, %s", s, gen_param(g, e->params[i].type,
            gen_param_name(g, gen_error_param(g, e, i), make_fixed)));
    return gen_str(g, "%s)", s);
}

static const char *params_proto(struct gen *g, const struct ir_error *e,
    const char *name)
{
    const char *s = gen_str(g, "int %s_params(const struct v23_verror *e, "
        "struct v23_arena *a", name);
    size_t i;

    for (i = 0; i < e->nparams; i++)
        s = gen_str(g, "%s, %s", s, gen_decl(g, e->params[i].type,
            gen_str(g, "*%s", gen_param_name(g, gen_error_param(g, e, i),
                params_fixed))));
    return gen_str(g, "%s)", s);
}

void gen_errors_h(struct gen *g)
{
    const struct ir_error *e;
    const char *name;
    size_t i;

    if (g->p->nerrors > 0) {
        gen_title(g, "errors");
        gen_put(g,
            "\n/*\n"
            " * Constructors copy their parameters into the arena and never "
            "return NULL;\n"
            " * ctx NULL = empty component and operation. _params: "
            "v23_verror_params().\n"
            " * _static needs no memory: id and retry code without a message.\n"
            " */\n");
    }
    for (i = 0; i < g->p->nerrors; i++) {
        e = &g->p->errors[i];
        check_params(g, e);
        name = gen_ident(g, gen_error_name(g, e), e->name);
        gen_put(g, "\n");
        gen_doc(g, "", &e->doc);
        gen_put(g, "extern const struct v23_errdef %s;\n"
            "extern const struct v23_verror %s;\n",
            gen_ident(g, gen_str(g, "%s_def", name), e->name),
            gen_ident(g, gen_str(g, "%s_static", name), e->name));
        gen_putw(g, "%s;\nstatic inline bool %s(const struct v23_verror *e)\n"
            "{\n    return v23_verror_is(e, %s_def.id);\n}\n",
            make_proto(g, e, name),
            gen_ident(g, gen_str(g, "%s_is", name), e->name), name);
        if (e->nparams == 0)
            continue;
        gen_ident(g, gen_str(g, "%s_params", name), e->name);
        gen_putw(g, "V23_MUST_USE %s;\n", params_proto(g, e, name));
    }
}

static void make(struct gen *g, const struct ir_error *e, const char *name)
{
    const char *list = "";
    size_t i;

    gen_putw(g, "%s\n{\n", make_proto(g, e, name));
    if (e->nparams == 0) {
        gen_putw(g, "    return v23_verror_make(a, ctx, &%s_def, NULL);\n}\n",
            name);
        return;
    }
    for (i = 0; i < e->nparams; i++)
        list = gen_str(g, "%s%s%s%s", list, i > 0 ? ", " : "",
            gen_by_pointer(e->params[i].type) ? "" : "&",
            gen_param_name(g, gen_error_param(g, e, i), make_fixed));
    gen_putw(g, "    const void *params_[] = { %s };\n\n"
        "    return v23_verror_make(a, ctx, &%s_def, params_);\n}\n", list,
        name);
}

static void params(struct gen *g, const struct ir_error *e, const char *name)
{
    const char *list = "";
    size_t i;

    for (i = 0; i < e->nparams; i++)
        list = gen_str(g, "%s%s%s", list, i > 0 ? ", " : "",
            gen_param_name(g, gen_error_param(g, e, i), params_fixed));
    gen_putw(g, "%s\n{\n    void *params_[] = { %s };\n\n"
        "    return v23_verror_params(e, &%s_def, a, params_);\n}\n",
        params_proto(g, e, name), list, name);
}

static const char *const retries[] = { "V23_NO_RETRY", "V23_RETRY_CONNECTION",
    "V23_RETRY_REFETCH", "V23_RETRY_BACKOFF" };

static void definition(struct gen *g, const struct ir_error *e,
    const char *name)
{
    bool has_format = e->format != NULL && e->format[0] != '\0';
    const char *list = "";
    size_t i;

    for (i = 0; i < e->nparams; i++)
        list = gen_str(g, "%s%s%s", list, i > 0 ? ", " : "",
            gen_desc(g, e->params[i].type));
    if (e->nparams > 0)
        gen_putw(g, "static const struct vdl_type *const %s_types_[] = "
            "{ %s };\n", name, list);
    /* Texts of their own objects: what is not used is not linked. */
    gen_putw(g, "static const char %s_id_[] = %s;\n", name,
        gen_literal(g, e->id, strlen(e->id)));
    if (has_format)
        gen_putw(g, "static const char %s_format_[] = %s;\n", name,
            gen_literal(g, e->format, strlen(e->format)));
    gen_put(g, "const struct v23_errdef %s_def = {\n"
        "    .id = VDL_STR_INIT(%s_id_),\n    .retry = %s,\n", name, name,
        retries[e->retry]);
    if (has_format)
        gen_put(g, "    .format = VDL_STR_INIT(%s_format_),\n", name);
    if (e->nparams > 0)
        gen_put(g, "    .nparams = %zu,\n    .params = %s_types_,\n",
            e->nparams, name);
    gen_put(g, "};\nconst struct v23_verror %s_static = {\n"
        "    .id = VDL_STR_INIT(%s_id_),\n    .retry = %s,\n};\n", name, name,
        retries[e->retry]);
}

void gen_errors_c(struct gen *g)
{
    const struct ir_error *e;
    const char *name;
    size_t i, j;

    if (g->p->nerrors > 0)
        gen_title(g, "errors");
    for (i = 0; i < g->p->nerrors; i++) {
        e = &g->p->errors[i];
        name = gen_error_name(g, e);
        for (j = 0; j < e->nparams; j++)
            gen_need_desc(g, e->params[j].type);
        gen_put(g, "\n");
        definition(g, e, name);
        make(g, e, name);
        if (e->nparams > 0)
            params(g, e, name);
    }
}

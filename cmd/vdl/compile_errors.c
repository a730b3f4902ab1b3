/* BSD-3-Clause; see LICENSE. */
/*
 * Error definitions (spec/vdl.md section 10). The English format is compiled
 * so that the library can render the text; other languages are only parsed.
 */
#include "compile.h"

#include "names.h"

static enum v23_retry compile_actions(
    struct ctx *c, struct file *f, const struct ast_error *def)
{
    static const char *const names[] = {
        "NoRetry", "RetryConnection", "RetryRefetch", "RetryBackoff"};
    enum v23_retry retry = V23_NO_RETRY;
    bool seen = false;
    size_t i, k;

    for (i = 0; i < def->actions.n; i++) {
        const struct ast_name *a = def->actions.v[i];
        const char *why = NULL;

        for (k = 0; k < 4 && strcmp(names[k], a->s) != 0; k++)
            ;
        if (k == 4)
            why = "unknown action";
        else if (seen)
            why = "retry action specified multiple times";
        if (why != NULL) {
            FILE_ERROR(c, f, a->pos, "error %s action %s invalid (%s)",
                def->name, a->s, why);
            continue;
        }
        seen = true;
        retry = (enum v23_retry)k;
    }
    return retry;
}

static void compile_params(struct ctx *c, struct file *f,
    const struct ast_error *def, struct ir_error *out)
{
    struct ir_arg *params = ctx_array(c, struct ir_arg, def->params.n);
    const struct ast_type *last = NULL;
    const struct ast_field *o;
    struct map seen = {0};
    const char *why;
    size_t i;

    for (i = 0; i < def->params.n; i++) {
        const struct ast_field *p = def->params.v[i];

        if (p->name[0] == '\0') {
            FILE_ERROR(c, f, p->pos,
                "error %s invalid (parameters must be named)", def->name);
            return;
        }
        o = map_get(&seen, p->name);
        if (o != NULL)
            FILE_ERROR(c, f, p->pos,
                "error %s param %s duplicate name (previous at %d:%d)",
                def->name, p->name, o->pos.line, o->pos.col);
        else
            map_put(c, &seen, p->name, def->params.v[i]);
        why = name_check(p->name, NAME_LOWER);
        if (why != NULL)
            FILE_ERROR(c, f, p->pos, "error %s param %s invalid (%s)",
                def->name, p->name, why);
        params[i].name = p->name;
        params[i].pos = (struct ir_pos){f->base, p->pos.line, p->pos.col};
        if (p->type == last)
            params[i].type = params[i - 1].type;
        else if (name_exported(def->name))
            params[i].type = compile_exported_type(c, f, p->type);
        else
            params[i].type = compile_type(c, f, p->type);
        last = p->type;
    }
    out->params = params;
    out->nparams = def->params.n;
}

/* ---- formats ------------------------------------------------------------- */

/* The English text: "en", or else a variant of it. */
static const struct ast_format *english(const struct ast_error *def)
{
    const struct ast_format *best = NULL;
    size_t i;

    for (i = 0; i < def->formats.n; i++) {
        const struct ast_format *x = def->formats.v[i];

        if (strcmp(x->lang.s, "en") == 0)
            return x;
        if (best == NULL && strncmp(x->lang.s, "en-", 3) == 0)
            best = x;
    }
    return best;
}

/* Longest name in a format that can be a parameter's. */
#define PARAM_MAX 256

/* Number of a parameter in a compiled format, or 0. */
static size_t param_number(const struct map *params, const char *p, size_t n)
{
    char name[PARAM_MAX];

    if (n >= sizeof(name))
        return 0;
    memcpy(name, p, n);
    name[n] = '\0';
    return (size_t)(uintptr_t)map_get(params, name);
}

/* 1 and 2 stand for the component and the operation. */
static void number_params(
    struct ctx *c, const struct ast_error *def, struct map *out)
{
    size_t i;

    for (i = def->params.n; i > 0; i--) {
        const struct ast_field *f = def->params.v[i - 1];

        map_put(c, out, f->name, (void *)(uintptr_t)(2 + i));
    }
}

static bool is_number(const char *p, size_t n)
{
    size_t i;

    for (i = 0; i < n && p[i] >= '0' && p[i] <= '9'; i++)
        ;
    return i == n;
}

/* "{name}", "{:name}", "{name:}" become "{3}", …; the rest stays. */
static const char *compile_format(
    struct ctx *c, struct file *f, const struct ast_error *def)
{
    const struct ast_format *x = english(def);
    const char *p, *end, *name, *close;
    struct map params = {0};
    struct v23_buf b;
    bool closed = true; /* a '}' follows */
    size_t n, k;

    if (x == NULL)
        return "";
    number_params(c, def, &params);
    v23_buf_init(&b, NULL, SIZE_MAX);
    p = x->text.s;
    end = p + x->text.len;
    while (p < end) {
        close = closed && *p == '{' ? memchr(p, '}', (size_t)(end - p)) : NULL;
        if (close == NULL) {
            closed = closed && *p != '{';
            v23_buf_put_byte(&b, (uint8_t)*p++);
            continue;
        }
        name = p + 1 + (p[1] == ':');
        n = (size_t)(close - name);
        if (n > 0 && close[-1] == ':')
            n--;
        k = param_number(&params, name, n);
        if (k == 0) {
            if (!is_number(name, n) && !(n == 1 && *name == '_'))
                ctx_warn(c, &f->src, x->text.pos.line, x->text.pos.col,
                    "Warning: error %s unknown param \"%.*s\"", def->name,
                    (int)n, name);
            v23_buf_put(&b, p, (size_t)(close + 1 - p));
        } else {
            v23_buf_put(&b, p, (size_t)(name - p));
            v23_buf_printf(&b, "%zu", k);
            v23_buf_put(&b, name + n, (size_t)(close + 1 - name) - n);
        }
        p = close + 1;
    }
    return ctx_take(c, &b);
}

bool compile_errors(struct ctx *c, struct package *p)
{
    int before = c->nerrors;
    size_t i, k, n = 0;
    struct ir_error *out;

    for (i = 0; i < p->files.n; i++)
        n += ((struct file *)p->files.v[i])->ast->errors.n;
    out = ctx_array(c, struct ir_error, n);
    n = 0;
    for (i = 0; i < p->files.n; i++) {
        struct file *f = p->files.v[i];

        for (k = 0; k < f->ast->errors.n; k++) {
            const struct ast_error *def = f->ast->errors.v[k];

            if (declare(c, f, DECL_ERROR, "error", def->name, def->pos) == NULL)
                continue;
            out[n].name = def->name;
            out[n].id = ctx_printf(c, "%s.%s", p->ir.path, def->name);
            out[n].doc = def->doc;
            out[n].pos = (struct ir_pos){f->base, def->pos.line, def->pos.col};
            out[n].retry = compile_actions(c, f, def);
            compile_params(c, f, def, &out[n]);
            out[n].format = compile_format(c, f, def);
            n++;
        }
    }
    p->ir.errors = out;
    p->ir.nerrors = n;
    return c->nerrors == before;
}

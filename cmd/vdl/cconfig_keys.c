/* BSD-3-Clause; see LICENSE. */
/*
 * What the keys of vdl.c.config may name, and whether a type can be held as a
 * field's options ask.
 */
#include "cconfig.h"

#include <v23/verror.h>

/* ---- names --------------------------------------------------------------- */

static struct ckey *add(struct ctx *c, struct list *l, enum ckey_kind kind,
    const char *name, const struct vdl_type *type)
{
    struct ckey *k = ctx_new(c, struct ckey);

    k->kind = kind;
    k->name = name;
    k->type = type;
    list_push(c, l, k);
    return k;
}

static const char *base_name(struct ctx *c, const struct vdl_type *t)
{
    uint32_t n = t->name.n;

    while (n > 0 && t->name.p[n - 1] != '.')
        n--;
    return ctx_strn(c, t->name.p + n, t->name.n - n);
}

static void add_type(struct ctx *c, struct list *l, const struct ir_typedef *d)
{
    const struct vdl_type *t = d->type;
    bool derived = d->base != NULL && d->base->name.n > 0;
    const char *name;
    struct ckey *k;
    uint32_t i;

    add(c, l, CKEY_TOP, d->name, NULL);
    for (i = 0; t->kind == VDL_ENUM && i < t->count; i++)
        add(c, l, CKEY_OTHER,
            ctx_printf(
                c, "%s.%.*s", d->name, (int)t->labels[i].n, t->labels[i].p),
            NULL);
    for (i = 0; t->fields != NULL && i < t->count; i++) {
        name = ctx_strn(c, t->fields[i].name.p, t->fields[i].name.n);
        k = add(c, l, derived ? CKEY_DERIVED : CKEY_FIELD,
            ctx_printf(c, "%s.%s", d->name, name), t->fields[i].type);
        if (derived)
            k->base = ctx_printf(c, "%s.%s", base_name(c, d->base), name);
    }
}

static void add_method(struct ctx *c, struct list *l, const struct ir_iface *f,
    const struct ir_method *m)
{
    const char *name = ctx_printf(c, "%s.%s", f->name, m->name), *arg;
    size_t i;

    add(c, l, CKEY_OTHER, name, NULL);
    for (i = 0; i < m->nin; i++)
        add(c, l, CKEY_ARG, ctx_printf(c, "%s.%s", name, m->in[i].name),
            m->in[i].type);
    for (i = 0; i < m->nout; i++) {
        arg = m->out[i].name == NULL || m->out[i].name[0] == '\0'
                  ? "result"
                  : m->out[i].name;
        add(c, l, CKEY_ARG, ctx_printf(c, "%s.%s", name, arg), m->out[i].type);
    }
    if (m->out_stream != NULL)
        add(c, l, CKEY_STREAM, ctx_printf(c, "%s.->", name), m->out_stream);
    if (m->in_stream != NULL)
        add(c, l, CKEY_STREAM, ctx_printf(c, "%s.<-", name), m->in_stream);
}

void ckeys(struct ctx *c, const struct ir_package *p, struct list *out)
{
    size_t i, j;

    for (i = 0; i < p->ntypes; i++)
        add_type(c, out, &p->types[i]);
    for (i = 0; i < p->nconsts; i++)
        add(c, out, CKEY_TOP, p->consts[i].name, NULL);
    for (i = 0; i < p->nerrors; i++) {
        add(c, out, CKEY_TOP, p->errors[i].name, NULL);
        for (j = 0; j < p->errors[i].nparams; j++)
            add(c, out, CKEY_OTHER,
                ctx_printf(
                    c, "%s.%s", p->errors[i].name, p->errors[i].params[j].name),
                NULL);
    }
    for (i = 0; i < p->nifaces; i++) {
        add(c, out, CKEY_TOP, p->ifaces[i].name, NULL);
        for (j = 0; j < p->ifaces[i].nmethods; j++)
            add_method(c, out, &p->ifaces[i], &p->ifaces[i].methods[j]);
    }
}

const struct ckey *ckey_find(const struct list *keys, const char *name)
{
    size_t i;

    for (i = 0; i < keys->n; i++) {
        const struct ckey *k = keys->v[i];

        if (strcmp(k->name, name) == 0)
            return k;
    }
    return NULL;
}

/* Letters to insert, delete or replace; the case of one counts half. */
static unsigned distance(struct ctx *c, const char *a, const char *b)
{
    size_t n = strlen(b), i, j;
    unsigned *row = ctx_array(c, unsigned, n + 1), diagonal, up, cost;

    for (j = 0; j <= n; j++)
        row[j] = (unsigned)(2 * j);
    for (i = 1; a[i - 1] != '\0'; i++) {
        diagonal = row[0];
        row[0] = (unsigned)(2 * i);
        for (j = 1; j <= n; j++) {
            up = row[j];
            cost = a[i - 1] == b[j - 1]                 ? 0
                   : v23_lower(a[i - 1]) == v23_lower(b[j - 1]) ? 1
                                                        : 2;
            cost += diagonal;
            if (up + 2 < cost)
                cost = up + 2;
            if (row[j - 1] + 2 < cost)
                cost = row[j - 1] + 2;
            row[j] = cost;
            diagonal = up;
        }
    }
    return row[n];
}

const char *ckey_nearest(
    struct ctx *c, const struct list *keys, const char *name)
{
    const char *best = NULL;
    unsigned least = 0, d;
    size_t i;

    for (i = 0; i < keys->n; i++) {
        const struct ckey *k = keys->v[i];

        d = distance(c, name, k->name);
        if (best == NULL || d < least) {
            best = k->name;
            least = d;
        }
    }
    return best;
}

/* ---- what a type can be -------------------------------------------------- */

/* What lies inside a type, down to named structs and unions. */
struct inside {
    bool text;                       /* strings and lists of bytes */
    bool many;                       /* lists, sets, maps, optionals */
    bool floats;                     /* float64 */
    const char *fixed;               /* why the innermost part cannot change */
    const struct vdl_type *path[32]; /* named types being looked into */
    unsigned depth;
};

static bool on_path(struct inside *x, const struct vdl_type *t)
{
    unsigned i;

    for (i = 0; i < x->depth; i++) {
        if (x->path[i] == t)
            return true;
    }
    if (x->depth == sizeof(x->path) / sizeof(x->path[0]))
        return true;
    x->path[x->depth++] = t;
    return false;
}

static void look(struct ctx *c, struct inside *x, const struct vdl_type *t)
{
    if (t->name.n > 0 && t->kind >= VDL_ARRAY && t->kind <= VDL_MAP &&
        on_path(x, t)) {
        x->fixed =
            ctx_printf(c, "%.*s contains itself", (int)t->name.n, t->name.p);
        return;
    }
    switch (t->kind) {
    case VDL_STRING:
        x->text = true;
        break;
    case VDL_FLOAT64:
        x->floats = true;
        break;
    case VDL_OPTIONAL:
        x->many = true;
        if (t->elem == &v23_verror_desc)
            x->fixed = "an error may have any size";
        else
            look(c, x, t->elem);
        break;
    case VDL_LIST:
        if (t->elem->kind == VDL_BYTE) {
            x->text = true;
            break;
        }
        x->many = true;
        look(c, x, t->elem);
        break;
    case VDL_SET:
    case VDL_MAP:
        x->many = true;
        look(c, x, t->key);
        if (t->kind == VDL_MAP)
            look(c, x, t->elem);
        break;
    case VDL_ARRAY:
        look(c, x, t->elem);
        break;
    case VDL_STRUCT:
    case VDL_UNION:
        x->fixed = ctx_printf(
            c, "%s has options of its own for each field", base_name(c, t));
        break;
    case VDL_ANY:
    case VDL_TYPEOBJECT:
        x->fixed = ctx_printf(
            c, "%s may have any size", vdl_kind_name((enum vdl_kind)t->kind));
        break;
    default:
        break;
    }
}

static const char *stream_reason(const struct ckey *k)
{
    if (k->kind != CKEY_FIELD)
        return "Stream is for fields of structs: nobody could set the "
               "callbacks here";
    if (k->type->kind == VDL_SET || k->type->kind == VDL_MAP)
        return "a repeated key must replace the earlier one, so sets and maps "
               "cannot be streamed";
    if (k->type->kind != VDL_LIST)
        return "Stream is for lists";
    if (k->type->elem->kind == VDL_BYTE)
        return "bytes cannot be streamed; bound them with MaxLen";
    return NULL;
}

const char *ckey_reason(
    struct ctx *c, const struct ckey *k, const struct gen_field_option *f)
{
    const struct vdl_type *t = k->type;
    struct inside x;
    const char *why = NULL;

    if (f->max_len == 0 && f->max_count == 0 && !f->stream && !f->bits)
        return "no option is set";
    if (f->stream) {
        why = stream_reason(k);
        if (why != NULL)
            return why;
        t = t->elem; /* the other options are about the items */
        if (f->max_len == 0 && f->max_count == 0 && !f->bits)
            return NULL;
    }
    memset(&x, 0, sizeof(x));
    look(c, &x, t);
    if (f->max_len != 0 && !x.text)
        why = "there is no string or []byte that MaxLen could bound";
    else if (f->max_count != 0 && !x.many)
        why = "there is no list, set, map or optional that MaxCount could "
              "bound";
    else if (f->bits && !x.floats)
        why = "there is no float64 that Float64AsBits could change";
    if (why == NULL || x.fixed == NULL)
        return why;
    return ctx_printf(c, "%s; %s", why, x.fixed);
}

/* BSD-3-Clause; see LICENSE. */
/* Signatures in VDL syntax. */
#include <vom/signature.h>

struct text {
    struct v23_buf *out;
    struct vdl_named *types;
};

/* Lines that are no comments yet become one by their first line only, as the
 * servers of the reference implementation send one line or comments. */
static void put_doc(struct v23_buf *out, struct vdl_str doc)
{
    if (doc.n == 0)
        return;
    if (doc.n < 2 || memcmp(doc.p, "//", 2) != 0)
        v23_buf_puts(out, "// ");
    v23_buf_put_str(out, doc);
    v23_buf_put_byte(out, '\n');
}

static int put_type(struct text *x, const struct vdl_type *t)
{
    int rc = vdl_named_add(x->types, t);

    return rc == 0 ? vdl_print_type(t, x->out) : rc;
}

static int put_args(struct text *x, const v23_signature_arg_list *args)
{
    uint32_t i;
    int rc = 0;

    for (i = 0; rc == 0 && i < args->n; i++) {
        if (i != 0)
            v23_buf_puts(x->out, ", ");
        if (args->v[i].name.n != 0) {
            v23_buf_put_str(x->out, args->v[i].name);
            v23_buf_put_byte(x->out, ' ');
        }
        rc = put_type(x, args->v[i].type);
    }
    return rc;
}

static int put_stream(struct text *x, const v23_signature_arg *items)
{
    if (items != NULL)
        return put_type(x, items->type);
    v23_buf_put_byte(x->out, '_');
    return 0;
}

static int put_streams(struct text *x, const v23_signature_method *m)
{
    int rc;

    if (m->in_stream == NULL && m->out_stream == NULL)
        return 0;
    v23_buf_puts(x->out, " stream<");
    rc = put_stream(x, m->in_stream);
    v23_buf_puts(x->out, ", ");
    if (rc == 0)
        rc = put_stream(x, m->out_stream);
    v23_buf_put_byte(x->out, '>');
    return rc;
}

static int put_results(struct text *x, const v23_signature_method *m)
{
    int rc;

    if (m->out_args.n == 0) {
        v23_buf_puts(x->out, " error");
        return 0;
    }
    v23_buf_puts(x->out, " (");
    rc = put_args(x, &m->out_args);
    v23_buf_puts(x->out, " | error)");
    return rc;
}

static int put_tags(struct text *x, const v23_signature_method *m)
{
    uint32_t i;
    int rc = 0;

    if (m->tags.n == 0)
        return 0;
    v23_buf_puts(x->out, " {");
    for (i = 0; rc == 0 && i < m->tags.n; i++) {
        if (i != 0)
            v23_buf_puts(x->out, ", ");
        rc = vdl_named_add(x->types, m->tags.v[i].type);
        if (rc == 0)
            rc = vdl_print_any(m->tags.v[i], x->out);
    }
    v23_buf_put_byte(x->out, '}');
    return rc;
}

static int put_method(struct text *x, const v23_signature_method *m)
{
    int rc;

    put_doc(x->out, m->doc);
    v23_buf_put_str(x->out, m->name);
    v23_buf_put_byte(x->out, '(');
    rc = put_args(x, &m->in_args);
    v23_buf_put_byte(x->out, ')');
    if (rc == 0)
        rc = put_streams(x, m);
    if (rc == 0)
        rc = put_results(x, m);
    if (rc == 0)
        rc = put_tags(x, m);
    return rc;
}

int vdl_print_method(const v23_signature_method *m, struct vdl_named *types,
    struct v23_buf *out)
{
    struct text x = { out, types };
    size_t start = out->n;
    int rc = put_method(&x, m);

    if (rc == 0)
        rc = out->err;
    if (rc != 0)
        out->n = start;
    return rc;
}

static void put_embed(struct v23_buf *out, const v23_signature_embed *e)
{
    put_doc(out, e->doc);
    vdl_print_name(e->pkg_path, e->name, out);
}

/* Append lines, each with a tab before. */
static void put_indented(struct v23_buf *out, const struct v23_buf *lines)
{
    size_t i, start = 0;

    v23_buf_puts(out, "\n\t");
    for (i = 0; i < lines->n; i++)
        if (lines->p[i] == '\n') {
            v23_buf_put(out, lines->p + start, i + 1 - start);
            v23_buf_put_byte(out, '\t');
            start = i + 1;
        }
    if (start < lines->n)
        v23_buf_put(out, lines->p + start, lines->n - start);
}

int vdl_print_interface(const v23_signature_interface *x,
    struct vdl_named *types, struct v23_buf *out)
{
    size_t start = out->n;
    struct v23_buf member;
    struct text sub = { &member, types };
    uint32_t i;
    int rc = 0;

    v23_buf_init(&member, out->al, out->max);
    put_doc(out, x->doc);
    v23_buf_puts(out, "type ");
    vdl_print_name(x->pkg_path, x->name, out);
    v23_buf_puts(out, " interface {");
    for (i = 0; rc == 0 && i < x->embeds.n; i++) {
        member.n = 0;
        put_embed(&member, &x->embeds.v[i]);
        rc = member.err;
        put_indented(out, &member);
    }
    for (i = 0; rc == 0 && i < x->methods.n; i++) {
        member.n = 0;
        rc = put_method(&sub, &x->methods.v[i]);
        if (rc == 0)
            rc = member.err;
        put_indented(out, &member);
    }
    v23_buf_puts(out, "\n}");
    v23_buf_fini(&member);
    if (rc == 0)
        rc = out->err;
    if (rc != 0)
        out->n = start;
    return rc;
}

/* BSD-3-Clause; see LICENSE. */
/*
 * Types in VDL syntax. The walk keeps its own stack; it ends at names, so that
 * it only ever goes down through unnamed types, which have no cycles.
 */
#include <vom/print.h>

#include <v23/verror.h>
#include "print_int.h"
#include "type_int.h"

/* A type whose text is being written. */
struct frame {
    const struct vdl_type *type;
    uint32_t next;   /* subtype to write next */
    uint32_t indent; /* of its lines */
};

struct text {
    struct v23_buf *out;
    struct frame stack[V23_TYPE_NEST];
    uint32_t depth;
    uint32_t indent;
};

void vdl_print_name(struct vdl_str path, struct vdl_str name,
    struct v23_buf *out)
{
    if (path.n == 0 && name.n == 0) {
        v23_buf_puts(out, "<empty>");
        return;
    }
    if (path.n != 0) {
        vdl_format_quoted(out, path.p, path.n);
        v23_buf_put_byte(out, '.');
    }
    v23_buf_put_str(out, name);
}

void vdl_split_name_(struct vdl_str full, struct vdl_str *path,
    struct vdl_str *name)
{
    uint32_t dot = full.n;

    while (dot != 0 && full.p[dot - 1] != '.')
        dot--;
    *path = vdl_strn(full.p, dot == 0 ? 0 : dot - 1);
    *name = vdl_strn(full.n == 0 ? NULL : full.p + dot, full.n - dot);
}

static void put_type_name(struct v23_buf *out, struct vdl_str full)
{
    struct vdl_str path, name;

    vdl_split_name_(full, &path, &name);
    if (path.n != 0) {
        v23_buf_put_byte(out, '"');
        v23_buf_put_str(out, path);
        v23_buf_puts(out, "\".");
    } else if (name.n == 0) {
        v23_buf_puts(out, "<empty>");
    }
    v23_buf_put_str(out, name);
}

static bool is_error(const struct vdl_type *t)
{
    return t == &vdl_error_desc
        || (t->kind == VDL_OPTIONAL
            && vdl_str_eq(t->elem->name, v23_verror_desc.name)
            && vdl_type_equal(t, &vdl_error_desc));
}

static void put_line(struct text *x, uint32_t indent)
{
    v23_buf_put_byte(x->out, '\n');
    while (indent-- != 0)
        v23_buf_put_byte(x->out, '\t');
}

/* What stands before the first subtype. */
static void put_head(struct text *x, const struct vdl_type *t)
{
    struct v23_buf *out = x->out;

    switch (t->kind) {
    case VDL_OPTIONAL:
        v23_buf_put_byte(out, '?');
        break;
    case VDL_ENUM:
        vdl_put_labels_(out, t);
        break;
    case VDL_ARRAY:
        v23_buf_printf(out, "[%lu]", (unsigned long)t->count);
        break;
    case VDL_LIST:
        v23_buf_puts(out, "[]");
        break;
    case VDL_SET:
    case VDL_MAP:
        v23_buf_puts(out, t->kind == VDL_SET ? "set[" : "map[");
        break;
    case VDL_STRUCT:
    case VDL_UNION:
        v23_buf_puts(out, t->kind == VDL_STRUCT ? "struct {" : "union {");
        x->indent++;
        break;
    default:
        v23_buf_puts(out, vdl_kind_name((enum vdl_kind)t->kind));
        break;
    }
}

/* Begin the text of a type; `base`: of its structure. */
static int begin(struct text *x, const struct vdl_type *t, bool base)
{
    if (t->name.n != 0 && !base) {
        put_type_name(x->out, t->name);
        return 0;
    }
    if (is_error(t)) {
        v23_buf_puts(x->out, "error");
        return 0;
    }
    if (x->depth == V23_TYPE_NEST)
        return V23_ELIMIT;
    x->stack[x->depth].type = t;
    x->stack[x->depth].next = 0;
    x->stack[x->depth].indent = x->indent;
    x->depth++;
    put_head(x, t);
    return 0;
}

static int step(struct text *x)
{
    struct frame *f = &x->stack[x->depth - 1];
    const struct vdl_type *t = f->type;
    bool body = t->kind == VDL_STRUCT || t->kind == VDL_UNION;

    if (x->out->err != 0)
        return x->out->err;
    if ((t->kind == VDL_SET || t->kind == VDL_MAP) && f->next == 1)
        v23_buf_put_byte(x->out, ']');
    if (f->next == vdl_nsubtypes_(t)) {
        x->indent = f->indent;
        if (body) {
            put_line(x, f->indent);
            v23_buf_put_byte(x->out, '}');
        }
        x->depth--;
        return 0;
    }
    if (body) {
        put_line(x, f->indent + 1);
        v23_buf_put_str(x->out, t->fields[f->next].name);
        v23_buf_put_byte(x->out, ' ');
    }
    return begin(x, vdl_wire_(vdl_subtype_(t, f->next++)), false);
}

static int print(const struct vdl_type *t, bool base, struct v23_buf *out)
{
    size_t start = out->n;
    struct text x;
    int rc;

    x.out = out;
    x.depth = 0;
    x.indent = 0;
    rc = begin(&x, vdl_wire_(t == NULL ? &vdl_any_desc : t), base);
    while (rc == 0 && x.depth > 0)
        rc = step(&x);
    if (rc == 0)
        rc = out->err;
    if (rc != 0)
        out->n = start;
    return rc;
}

int vdl_print_type(const struct vdl_type *t, struct v23_buf *out)
{
    return print(t, false, out);
}

int vdl_print_base_type(const struct vdl_type *t, struct v23_buf *out)
{
    return print(t, true, out);
}

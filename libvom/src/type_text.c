/* BSD-3-Clause; see LICENSE. */
/* The canonical string of a type (spec/vom.md 1.4). */
#include "type_int.h"

/* A type whose text is being written. */
struct frame {
    const struct vdl_type *type;
    uint32_t next; /* subtype to write next */
};

struct text {
    struct v23_buf *out;
    size_t end; /* the buffer may grow to this size */
    struct vdl_pairs_ named; /* named types written so far (b is unused) */
    struct frame stack[V23_TYPE_NEST];
    uint32_t depth;
};

void vdl_put_labels_(struct v23_buf *out, const struct vdl_type *t)
{
    uint32_t i;

    v23_buf_puts(out, "enum{");
    for (i = 0; i < t->count; i++) {
        if (i != 0)
            v23_buf_put_byte(out, ';');
        v23_buf_put_str(out, t->labels[i]);
    }
    v23_buf_put_byte(out, '}');
}

/* What stands before the first subtype. */
static void put_head(struct v23_buf *out, const struct vdl_type *t)
{
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
        v23_buf_puts(out, "set[");
        break;
    case VDL_MAP:
        v23_buf_puts(out, "map[");
        break;
    case VDL_STRUCT:
        v23_buf_puts(out, "struct{");
        break;
    case VDL_UNION:
        v23_buf_puts(out, "union{");
        break;
    default:
        v23_buf_puts(out, vdl_kind_name((enum vdl_kind)t->kind));
        break;
    }
}

/* What stands before the i-th subtype, or after the last. */
static void put_between(struct v23_buf *out, const struct vdl_type *t,
    uint32_t i)
{
    bool last = i == vdl_nsubtypes_(t);

    switch (t->kind) {
    case VDL_SET:
    case VDL_MAP:
        if (i == 1)
            v23_buf_put_byte(out, ']');
        break;
    case VDL_STRUCT:
    case VDL_UNION:
        if (last) {
            v23_buf_put_byte(out, '}');
            break;
        }
        if (i != 0)
            v23_buf_put_byte(out, ';');
        v23_buf_put_str(out, t->fields[i].name);
        v23_buf_put_byte(out, ' ');
        break;
    default:
        break;
    }
}

/*
 * Was a type of this name written? One graph has one type of a name, but it
 * may have several descriptors of it.
 */
static bool was_written(const struct text *x, const struct vdl_type *t)
{
    uint32_t i;

    if (vdl_pairs_has_(&x->named, t, NULL))
        return true;
    for (i = 0; i < x->named.n; i++)
        if (vdl_str_eq(x->named.a[i]->name, t->name))
            return true;
    return false;
}

/* Begin the text of a type. */
static int begin(struct text *x, const struct vdl_type *t)
{
    if (t->name.n != 0) {
        v23_buf_put_str(x->out, t->name);
        if (was_written(x, t))
            return 0;
        if (!vdl_pairs_add_(&x->named, t, NULL))
            return V23_ELIMIT;
        v23_buf_put_byte(x->out, ' ');
    }
    put_head(x->out, t);
    if (x->depth == V23_TYPE_NEST)
        return V23_ELIMIT;
    x->stack[x->depth].type = t;
    x->stack[x->depth].next = 0;
    x->depth++;
    return 0;
}

static int step(struct text *x)
{
    struct frame *f = &x->stack[x->depth - 1];
    uint32_t n = vdl_nsubtypes_(f->type);

    put_between(x->out, f->type, f->next);
    if (x->out->err != 0)
        return x->out->err;
    if (x->out->n > x->end)
        return V23_ELIMIT;
    if (f->next == n) {
        x->depth--;
        return 0;
    }
    return begin(x, vdl_wire_(vdl_subtype_(f->type, f->next++)));
}

int vdl_type_format(const struct vdl_type *t, size_t max, struct v23_buf *out)
{
    size_t start = out->n;
    struct text x;
    int rc;

    x.out = out;
    x.end = max > SIZE_MAX - out->n ? SIZE_MAX : out->n + max;
    x.depth = 0;
    vdl_pairs_init_(&x.named);
    rc = begin(&x, vdl_wire_(t));
    while (rc == 0 && x.depth > 0)
        rc = step(&x);
    if (rc == 0)
        rc = out->err;
    if (rc == 0 && out->n > x.end)
        rc = V23_ELIMIT;
    if (rc != 0)
        out->n = start;
    return rc;
}

/* BSD-3-Clause; see LICENSE. */
/*
 * The one walk through values that all forms share. Recursion follows the
 * nesting of values and stops at VDL_VALUE_DEPTH.
 */
#include "print_int.h"

static int put_elems(struct vdl_printer *p, const struct vdl_type *elem,
    uint32_t n, const void *v)
{
    uint32_t i;
    int rc = 0;

    v23_buf_puts(p->out, p->form->list[0]);
    for (i = 0; i < n && rc == 0; i++) {
        if (i != 0)
            v23_buf_puts(p->out, p->form->comma);
        rc = vdl_print_part(p, elem, vdl_at_(v, (size_t)i * elem->size));
    }
    v23_buf_puts(p->out, p->form->list[1]);
    return rc;
}

static int put_entry(struct vdl_printer *p, const struct vdl_type *t,
    const void *v)
{
    const struct vdl_form *f = p->form;
    bool keyed = t->kind == VDL_MAP || f->member != NULL;
    int rc = keyed && f->key != NULL ? f->key(p, t->key, v)
                                     : vdl_print_part(p, t->key, v);

    if (rc != 0 || !keyed)
        return rc;
    v23_buf_puts(p->out, f->colon);
    if (t->kind == VDL_MAP)
        return vdl_print_part(p, t->elem, vdl_at_(v, t->val_off));
    v23_buf_puts(p->out, f->member);
    return 0;
}

static int put_entries(struct vdl_printer *p, const struct vdl_type *t,
    struct vdl_list l)
{
    const struct vdl_form *f = p->form;
    const char *const *marks = t->kind == VDL_MAP ? f->map : f->set;
    struct v23_arena a;
    uint32_t i;
    int rc = 0;

    v23_arena_init(&a, p->out->al, SIZE_MAX);
    if (f->sort != NULL && l.n > 1)
        rc = f->sort(&a, t, &l);
    v23_buf_puts(p->out, marks[0]);
    for (i = 0; i < l.n && rc == 0; i++) {
        if (i != 0)
            v23_buf_puts(p->out, f->comma);
        rc = put_entry(p, t, vdl_at_(l.v, (size_t)i * t->stride));
    }
    v23_buf_puts(p->out, marks[1]);
    v23_arena_fini(&a);
    return rc;
}

static int put_field(struct vdl_printer *p, const struct vdl_field *f,
    const void *v)
{
    if (p->form->name != NULL)
        p->form->name(p->out, f->name);
    else
        v23_buf_put_str(p->out, f->name);
    v23_buf_puts(p->out, p->form->colon);
    return vdl_print_part(p, f->type, vdl_at_(v, f->offset));
}

static int put_struct(struct vdl_printer *p, const struct vdl_type *t,
    const void *v)
{
    const struct vdl_field *f;
    const char *comma = "";
    uint32_t i;
    int rc = 0;

    v23_buf_puts(p->out, p->form->fields[0]);
    for (i = 0; i < t->count && rc == 0; i++) {
        f = &t->fields[i];
        if (!p->form->zeros && vdl_is_zero(f->type, vdl_at_(v, f->offset)))
            continue;
        v23_buf_puts(p->out, comma);
        comma = p->form->comma;
        rc = put_field(p, f, v);
    }
    v23_buf_puts(p->out, p->form->fields[1]);
    return rc;
}

static int put_union(struct vdl_printer *p, const struct vdl_type *t,
    const void *v)
{
    uint32_t which = vdl_get_which(t, v);
    int rc;

    if (which >= t->count)
        return V23_EARG;
    v23_buf_puts(p->out, p->form->field[0]);
    rc = put_field(p, &t->fields[which], v);
    v23_buf_puts(p->out, p->form->field[1]);
    return rc;
}

int vdl_print_special_(struct vdl_printer *p, vdl_put_fn_ *put,
    vdl_unreadable_fn_ *unreadable, const struct vdl_type *t, const void *v)
{
    union vdl_view_ view;
    struct v23_arena a;
    const void *opened;
    int rc;

    if (t->ops->view != NULL)
        return t->ops->view(t, v, &view) ? put(p, t->elem, &view) : V23_EARG;
    v23_arena_init(&a, p->out->al, SIZE_MAX);
    rc = t->ops->open(t, v, &a, &opened);
    if (rc == 0)
        rc = put(p, t->wire, opened);
    else if (rc != V23_ENOMEM && unreadable != NULL)
        rc = unreadable(p, t, v, rc);
    v23_arena_fini(&a);
    return rc;
}

/* What an any or optional holds. */
static int put_content(struct vdl_printer *p, const struct vdl_type *t,
    const void *v)
{
    if (t != NULL && v != NULL)
        return vdl_print_part(p, t, v);
    v23_buf_puts(p->out, p->form->nil);
    return 0;
}

static int put_parts(struct vdl_printer *p, const struct vdl_type *t,
    const void *v)
{
    const struct vdl_any *any = v;
    const struct vdl_list *l = v;

    switch (t->kind) {
    case VDL_ANY:
        return put_content(p, any->type, any->val);
    case VDL_OPTIONAL:
        return put_content(p, t->elem, *(const void *const *)v);
    case VDL_ARRAY:
        return put_elems(p, t->elem, t->count, v);
    case VDL_LIST:
        return put_elems(p, t->elem, l->n, l->v);
    case VDL_SET:
    case VDL_MAP:
        return put_entries(p, t, *l);
    case VDL_STRUCT:
        return put_struct(p, t, v);
    case VDL_UNION:
        return put_union(p, t, v);
    case VDL_SPECIAL:
        return vdl_print_special_(p, vdl_print_part, NULL, t, v);
    default:
        return p->form->scalar(p, t, v);
    }
}

int vdl_print_part(struct vdl_printer *p, const struct vdl_type *t,
    const void *v)
{
    bool scalar = t->kind >= VDL_BOOL && t->kind <= VDL_TYPEOBJECT;
    int rc = VDL_PARTS;

    if (p->out->err != 0)
        return p->out->err;
    if (p->depth == VDL_VALUE_DEPTH)
        return V23_ELIMIT;
    p->depth++;
    if (!scalar && p->form->whole != NULL)
        rc = p->form->whole(p, t, v);
    if (rc == VDL_PARTS)
        rc = put_parts(p, t, v);
    p->depth--;
    return rc;
}

int vdl_print_with_(struct vdl_printer *p, vdl_put_fn_ *put,
    const struct vdl_type *t, const void *v)
{
    size_t start = p->out->n;
    int rc = put(p, t, v);

    if (rc == 0)
        rc = p->out->err;
    if (rc != 0)
        p->out->n = start;
    return rc;
}

int vdl_print_form(const struct vdl_form *form, const struct vdl_type *t,
    const void *v, struct v23_buf *out)
{
    struct vdl_printer p = { form, out, 0 };

    return vdl_print_with_(&p, vdl_print_part, t, v);
}

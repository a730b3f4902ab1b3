/* BSD-3-Clause; see LICENSE. */
/*
 * Decoder: reading over values nobody wants (spec/vom.md 11.5).
 *
 * The content is walked, not jumped by its any-lengths, so that what a stream
 * may hold does not depend on who reads it.
 */
#include "dec_int.h"

static int skip_n(struct vom_rd_ *r, size_t n)
{
    if ((size_t)(r->end - r->p) < n)
        return V23_EEOF;
    r->p += n;
    return 0;
}

static int skip_bool(struct vom_rd_ *r)
{
    if (r->p == r->end)
        return V23_EEOF;
    return *r->p++ <= 1 ? 0 : V23_EINT;
}

static int skip_array(struct vom_rd_ *r, const struct vdl_type *t)
{
    uint32_t i;
    int rc = vom_rd_array_(r);

    if (rc == 0 && t->elem->kind == VDL_BYTE)
        return skip_n(r, t->count);
    for (i = 0; rc == 0 && i < t->count; i++)
        rc = vom_dec_skip_(r, t->elem);
    return rc;
}

static int skip_list(struct vom_rd_ *r, const struct vdl_type *t)
{
    const struct vdl_type *elem = t->kind == VDL_SET ? t->key : t->elem;
    uint32_t n, i;
    int rc;

    if (t->kind == VDL_LIST && elem->kind == VDL_BYTE) {
        rc = vom_rd_length_(r, &n);
        return rc == 0 ? skip_n(r, n) : rc;
    }
    rc = vom_rd_count_(r,
        t->kind == VDL_MAP ? vom_rd_min_entry_(r, t) : vom_rd_min_(r, elem),
        &n);
    for (i = 0; rc == 0 && i < n; i++) {
        if (t->kind == VDL_MAP)
            rc = vom_dec_skip_(r, t->key);
        if (rc == 0)
            rc = vom_dec_skip_(r, elem);
    }
    return rc;
}

static int skip_struct(struct vom_rd_ *r, const struct vdl_type *t)
{
    uint32_t i;
    bool end;
    int rc;

    for (;;) {
        rc = vom_rd_field_(r, t->count, &i, &end);
        if (rc != 0 || end)
            return rc;
        rc = vom_dec_skip_(r, t->fields[i].type);
        if (rc != 0)
            return rc;
    }
}

static int skip_any(struct vom_rd_ *r)
{
    const struct vdl_type *t;
    const uint8_t *at = r->p, *start;
    uint32_t len;
    bool nil;
    int rc = vom_rd_nil_(r, &nil);

    if (rc != 0 || nil)
        return rc;
    rc = vom_rd_any_(r, &t, &len);
    start = r->p;
    if (rc == 0 && r->move != NULL)
        rc = r->move->any(r->move, r, at, t);
    if (rc == 0)
        rc = vom_dec_skip_(r, t);
    if (rc == 0 && r->move != NULL)
        rc = r->move->any_end(r->move, r);
    return rc == 0 ? vom_rd_any_end_(r, start, len) : rc;
}

static int skip_typeobject(struct vom_rd_ *r)
{
    const struct vdl_type *t;
    const uint8_t *at = r->p;
    int rc = vom_rd_type_(r, &t);

    if (rc == 0 && r->move != NULL)
        rc = r->move->type(r->move, r, at, t);
    return rc;
}

static int skip_composite(struct vom_rd_ *r, const struct vdl_type *t)
{
    uint32_t i;
    int rc;

    switch (t->kind) {
    case VDL_ANY:
        return skip_any(r);
    case VDL_ARRAY:
        return skip_array(r, t);
    case VDL_STRUCT:
        return skip_struct(r, t);
    case VDL_UNION:
        rc = vom_rd_index_(r, t->count, &i);
        return rc == 0 ? vom_dec_skip_(r, t->fields[i].type) : rc;
    default:
        return skip_list(r, t);
    }
}

int vom_dec_skip_(struct vom_rd_ *r, const struct vdl_type *t)
{
    uint64_t u;
    uint32_t n;
    bool nil;
    int rc;

    switch (t->kind) {
    case VDL_BOOL:
        return skip_bool(r);
    case VDL_STRING:
        rc = vom_rd_length_(r, &n);
        return rc == 0 ? skip_n(r, n) : rc;
    case VDL_ENUM:
        return vom_rd_index_(r, t->count, &n);
    case VDL_TYPEOBJECT:
        return skip_typeobject(r);
    case VDL_OPTIONAL:
        rc = vom_rd_nil_(r, &nil);
        return rc == 0 && !nil ? vom_dec_skip_(r, t->elem) : rc;
    default:
        break;
    }
    if (vom_is_number_(t->kind))
        return vom_rd_uint_(r, &u);
    rc = vom_rd_enter_(r);
    if (rc != 0)
        return rc;
    rc = skip_composite(r, t);
    r->depth++;
    return rc;
}

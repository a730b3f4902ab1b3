/* BSD-3-Clause; see LICENSE. */
/*
 * Decoder: the body of a type message (spec/vom.md 5.1).
 *
 * A first pass checks the bytes and finds the parts (of a field given twice,
 * the last), a second copies them into one allocation.
 */
#include "dec_int.h"

unsigned vom_wire_kind_(uint64_t id, uint64_t *elem)
{
    static const uint8_t kinds[] = { VDL_KINDS, VDL_BOOL, VDL_BYTE,
        VDL_STRING, VDL_UINT16, VDL_UINT32, VDL_UINT64, VDL_INT16, VDL_INT32,
        VDL_INT64, VDL_FLOAT32, VDL_FLOAT64, VDL_KINDS, VDL_KINDS,
        VDL_TYPEOBJECT, VDL_ANY, VDL_INT8 };

    if (id < sizeof(kinds))
        return kinds[id];
    *elem = id == 39 ? VOM_ID_BYTE_ : VOM_ID_STRING_;
    return id == 39 || id == 40 ? VDL_LIST : VDL_KINDS;
}

static int get_uint(struct vom_cursor_ *c, uint64_t *v)
{
    int rc = vom_get_uint(&c->p, c->end, v);

    return rc == V23_EEOF ? V23_EWIRETYPE : rc;
}

static int get_str(struct vom_cursor_ *c, struct vdl_str *s)
{
    uint64_t n;
    int rc = get_uint(c, &n);

    if (rc != 0)
        return rc;
    if (n > VOM_LENGTH_MAX_)
        return V23_ELENGTH;
    if (n > (size_t)(c->end - c->p))
        return V23_EWIRETYPE;
    *s = vdl_strn((const char *)c->p, (size_t)n);
    c->p += n;
    return 0;
}

/* Index of the next field, or *end at the end of the struct. */
static int get_field(struct vom_cursor_ *c, uint64_t count, uint64_t *index,
    bool *end)
{
    int rc;

    *end = c->p != c->end && *c->p == VOM_END_;
    if (*end) {
        c->p++;
        return 0;
    }
    rc = get_uint(c, index);
    return rc == 0 && *index >= count ? V23_EWIRETYPE : rc;
}

int vom_wire_member_(struct vom_cursor_ *c, struct vom_member_ *m)
{
    uint64_t field;
    bool end;
    int rc;

    memset(m, 0, sizeof(*m));
    for (;;) {
        rc = get_field(c, 2, &field, &end);
        if (rc != 0 || end)
            return rc;
        rc = field == 0 ? get_str(c, &m->name) : get_uint(c, &m->type);
        if (rc != 0)
            return rc;
    }
}

/* Read over a list of labels or fields, at least one byte each. */
static int get_members(struct vom_cursor_ *c, uint32_t alt, uint32_t max,
    uint32_t *n, const uint8_t **at)
{
    struct vom_member_ m;
    uint64_t count, i;
    int rc = get_uint(c, &count);

    if (rc != 0)
        return rc;
    if (count > VOM_LENGTH_MAX_)
        return V23_ELENGTH;
    if (count > (size_t)(c->end - c->p))
        return V23_EWIRETYPE;
    if (count > max)
        return V23_ELIMIT;
    *n = (uint32_t)count;
    *at = c->p;
    for (i = 0; rc == 0 && i < count; i++)
        rc = alt == VOM_WIRE_ENUM_ ? get_str(c, &m.name) : vom_wire_member_(c, &m);
    return rc;
}

int vom_wire_scan_(struct vom_cursor_ *c, uint32_t max,
    struct vom_pending_ *w, const uint8_t **at)
{
    uint64_t alt, field, count;
    bool end;
    int rc = get_uint(c, &alt);

    if (rc != 0)
        return rc;
    if (alt > VOM_WIRE_OPTIONAL_)
        return V23_EWIRETYPE;
    w->alt = (uint32_t)alt;
    count = alt == VOM_WIRE_ARRAY_ || alt == VOM_WIRE_MAP_ ? 3 : 2;
    for (;;) {
        rc = get_field(c, count, &field, &end);
        if (rc != 0)
            return rc;
        if (end)
            break;
        if (field == 0)
            rc = get_str(c, &w->name);
        else if (alt == VOM_WIRE_ENUM_ || alt == VOM_WIRE_STRUCT_ || alt == VOM_WIRE_UNION_)
            rc = get_members(c, w->alt, max, &w->nmembers, at);
        else
            rc = get_uint(c, &w->sub[field - 1]);
        if (rc != 0)
            return rc;
    }
    if (c->p != c->end || (alt == VOM_WIRE_NAMED_ && w->name.n == 0))
        return V23_EWIRETYPE;
    return 0;
}

/* Copy the members; their texts go to `text`. */
static int copy_members(struct vom_pending_ *w, const uint8_t *at,
    const uint8_t *end, char *text)
{
    struct vom_cursor_ c = { at, end };
    struct vdl_str *s;
    uint32_t i;
    int rc;

    for (i = 0; i < w->nmembers; i++) {
        s = w->labels != NULL ? &w->labels[i] : &w->members[i].name;
        rc = w->labels != NULL ? get_str(&c, s)
                               : vom_wire_member_(&c, &w->members[i]);
        if (rc != 0)
            return rc;
        /* Refused early: else they would be the cheapest way to fill memory
         * with types that are never built. */
        if (s->n == 0)
            return V23_ETYPE;
        memcpy(text, s->p, s->n);
        s->p = text;
        text += s->n;
    }
    return 0;
}

int vom_wire_parse_(const struct v23_alloc *al, uint32_t members,
    const uint8_t *p, size_t n, struct vom_pending_ **out)
{
    struct vom_pending_ head = { 0 }, *w;
    const uint8_t *at = p;
    struct vom_cursor_ c = { p, p + n };
    size_t each;
    char *text;
    int rc = vom_wire_scan_(&c, members, &head, &at);

    if (rc != 0)
        return rc;
    each = head.alt == VOM_WIRE_ENUM_ ? sizeof(*w->labels) : sizeof(*w->members);
    /* The texts are fewer than the n bytes that hold them. */
    w = v23_get(al, sizeof(*w) + head.nmembers * each + n);
    if (w == NULL)
        return V23_ENOMEM;
    *w = head;
    text = (char *)(w + 1) + head.nmembers * each;
    if (head.alt == VOM_WIRE_ENUM_)
        w->labels = (struct vdl_str *)(void *)(w + 1);
    else
        w->members = (struct vom_member_ *)(void *)(w + 1);
    if (head.name.n != 0) {
        memcpy(text, head.name.p, head.name.n);
        w->name.p = text;
        text += head.name.n;
    }
    rc = copy_members(w, at, p + n, text);
    if (rc != 0) {
        v23_put(al, w);
        return rc;
    }
    *out = w;
    return 0;
}

/* BSD-3-Clause; see LICENSE. */
/*
 * A walk over the bytes of one message, atom by atom. It begins anew when
 * more bytes have come and passes in silence over the atoms written before.
 * Recursion follows the nesting of values and stops at VDL_VALUE_DEPTH.
 */
#include "dump_int.h"


#include "prim_int.h"
#include "value_int.h"

#define VERSION_BYTE 0x81
/* Longest text of a type in a dump. */
#define TYPE_TEXT_MAX 65536
/* Entries of a list in front of a value. */
#define REFS_MAX (1u << 20)

/* ---- atoms --------------------------------------------------------------- */

/* Wait for the bytes of the next atom. */
static void prepare(struct vom_walk_ *w, const char *waiting)
{
    w->waiting = waiting;
    w->atom = w->p;
}

static size_t characters(const struct v23_buf *b)
{
    size_t i, n = 0;

    for (i = 0; i < b->n; i++)
        n += (b->p[i] & 0xC0) != 0x80;
    return n;
}

static void pad(struct v23_buf *out, size_t n, size_t width)
{
    for (; n < width; n++)
        v23_buf_put_byte(out, ' ');
}

/*
 * What has been read since prepare() is an atom: write it, with what was put
 * into d->data and d->debug.
 */
static void emit(struct vom_walk_ *w, const char *kind)
{
    struct vom_dumper *d = w->d;
    size_t n = (size_t)(w->p - w->atom);

    if (w->natoms++ == d->emitted && d->err == 0) {
        d->emitted++;
        v23_buf_cut(&d->line, 0);
        v23_hex_put(&d->line, w->atom, n);
        pad(&d->line, 2 * n, 20);
        v23_buf_printf(&d->line, " %-15s ", kind);
        pad(&d->line, characters(&d->data), 20);
        v23_buf_put(&d->line, d->data.p, d->data.n);
        if (d->debug.n != 0) {
            v23_buf_puts(&d->line, " [");
            v23_buf_put(&d->line, d->debug.p, d->debug.n);
            v23_buf_put_byte(&d->line, ']');
        }
        v23_buf_put_byte(&d->line, '\n');
        d->err = d->line.err != 0 ? d->line.err
            : d->data.err != 0    ? d->data.err
                                  : d->debug.err;
        if (d->err == 0)
            d->write(d->ud, (const char *)d->line.p, d->line.n);
    }
    v23_buf_cut(&d->data, 0);
    v23_buf_cut(&d->debug, 0);
    w->count += n;
    w->atom = w->p;
}

static void emit_text(struct vom_walk_ *w, const char *kind, const char *data,
    const char *debug)
{
    v23_buf_puts(&w->d->data, data);
    v23_buf_puts(&w->d->debug, debug);
    emit(w, kind);
}

static void emit_uint(struct vom_walk_ *w, const char *kind, uint64_t v,
    const char *debug)
{
    v23_buf_put_uint(&w->d->data, v);
    v23_buf_puts(&w->d->debug, debug);
    emit(w, kind);
}

static void debug_type(struct vom_walk_ *w, const struct vdl_type *t)
{
    if (vdl_type_format(t, TYPE_TEXT_MAX, &w->d->debug) == V23_ELIMIT)
        v23_buf_puts(&w->d->debug, "the text of the type is too long");
}

/* An index that selects `member` of t. */
static void emit_member(struct vom_walk_ *w, const struct vdl_type *t,
    uint64_t index, struct vdl_str member)
{
    v23_buf_put_str(&w->d->debug, t->name);
    v23_buf_put_byte(&w->d->debug, '.');
    v23_buf_put_str(&w->d->debug, member);
    emit_uint(w, "Index", index, "");
}

static int bad_member(struct vom_walk_ *w, const struct vdl_type *t,
    uint64_t index)
{
    v23_buf_puts(&w->d->debug, "out of range for ");
    debug_type(w, t);
    emit_uint(w, "Index", index, "");
    return V23_EINDEX;
}

/* ---- reading ------------------------------------------------------------- */

/* n more bytes: in the message, and here? */
static int need(const struct vom_walk_ *w, uint64_t n)
{
    if (n > w->limit - (uint64_t)(w->p - w->begin))
        return V23_ELENGTH;
    return n > (uint64_t)(w->end - w->p) ? V23_EAGAIN : 0;
}

static int get_uint(struct vom_walk_ *w, uint64_t *v)
{
    struct vom_got_ g;
    int rc = need(w, 1);

    if (rc == 0 && *w->p >= 0x80 && *w->p < 0xF8)
        return vom_get_uint_why_(w->p, w->end);
    if (rc == 0 && *w->p >= 0xF8)
        rc = need(w, 0x101u - *w->p);
    if (rc != 0)
        return rc;
    g = vom_get_uint_slow_(w->p, w->end);
    w->p = g.p;
    *v = g.v;
    return 0;
}

static int get_len(struct vom_walk_ *w, uint64_t *v)
{
    int rc = get_uint(w, v);

    return rc == 0 && *v > VOM_LENGTH_MAX_ ? V23_ELENGTH : rc;
}

/* The length of a list; that of an array is 0 and known by its type. */
static int get_list_len(struct vom_walk_ *w, const struct vdl_type *t,
    uint64_t *v)
{
    int rc = get_len(w, v);

    if (rc != 0 || t->kind != VDL_ARRAY)
        return rc;
    if (*v != 0)
        return V23_ELENGTH;
    *v = t->count;
    return 0;
}

/* Take a control byte, if it is next. */
static int get_control(struct vom_walk_ *w, uint8_t control, bool *taken)
{
    int rc = need(w, 1);

    *taken = rc == 0 && *w->p == control;
    if (*taken)
        w->p++;
    return rc;
}

/* ---- values -------------------------------------------------------------- */

static int value(struct vom_walk_ *w, const struct vdl_type *t,
    unsigned depth);

/* n bytes that are a text. */
static int chars(struct vom_walk_ *w, uint64_t n, const char *debug)
{
    int rc = need(w, n);

    if (rc != 0)
        return rc;
    /* Passing over long texts again is made cheap. */
    if (w->natoms == w->d->emitted)
        vdl_format_quoted(&w->d->data, (const char *)w->p, (size_t)n);
    w->p += n;
    emit_text(w, "PrimValue", "", debug);
    return 0;
}

static int bytes_value(struct vom_walk_ *w, const struct vdl_type *t)
{
    uint64_t n;
    int rc;

    prepare(w, "waiting for bytes len");
    rc = get_list_len(w, t, &n);
    if (rc != 0)
        return rc;
    emit_uint(w, "ByteLen", n, "bytes len");
    prepare(w, "waiting for bytes data");
    return chars(w, n, "bytes");
}

static int string_value(struct vom_walk_ *w)
{
    uint64_t n;
    int rc;

    prepare(w, "waiting for string len");
    rc = get_len(w, &n);
    if (rc != 0)
        return rc;
    emit_uint(w, "ByteLen", n, "string len");
    prepare(w, "waiting for string data");
    return chars(w, n, "string");
}

/* What a number is called, in both texts. */
static const char *const number_names[][2] = {
    { "bool", "waiting for bool value" },
    { "byte", "waiting for byte value" },
    { "uint", "waiting for uint value" },
    { "int", "waiting for int value" },
    { "float", "waiting for float value" },
};
enum number_kind { BOOL, BYTE, UINT, INT, FLOAT };

static enum number_kind number_kind(const struct vdl_type *t)
{
    switch (t->kind) {
    case VDL_BOOL:
        return BOOL;
    case VDL_BYTE:
        return BYTE;
    case VDL_INT8:
    case VDL_INT16:
    case VDL_INT32:
    case VDL_INT64:
        return INT;
    case VDL_FLOAT32:
    case VDL_FLOAT64:
        return FLOAT;
    default:
        return UINT;
    }
}

static int number(struct vom_walk_ *w, const struct vdl_type *t)
{
    struct v23_buf *data = &w->d->data;
    enum number_kind kind = number_kind(t);
    uint64_t u;
    int rc;

    prepare(w, number_names[kind][1]);
    rc = get_uint(w, &u);
    if (rc != 0)
        return rc;
    if (kind == BOOL)
        v23_buf_puts(data, u == 1 ? "true" : "false");
    else if (kind == INT)
        v23_buf_put_int(data, vom_unzigzag_(u));
    else if (kind == FLOAT)
        vdl_format_float_(data, vom_bits_float_(u), false);
    else
        v23_buf_put_uint(data, u);
    emit_text(w, "PrimValue", "", number_names[kind][0]);
    return 0;
}

static int enum_value(struct vom_walk_ *w, const struct vdl_type *t)
{
    uint64_t index;
    int rc;

    prepare(w, "waiting for enum index");
    rc = get_uint(w, &index);
    if (rc != 0)
        return rc;
    if (index >= t->count)
        return bad_member(w, t, index);
    emit_member(w, t, index, t->labels[index]);
    return 0;
}

static int struct_value(struct vom_walk_ *w, const struct vdl_type *t,
    unsigned depth)
{
    uint64_t index;
    bool end;
    int rc;

    for (;;) {
        prepare(w, "waiting for struct field index");
        rc = get_control(w, VOM_END_, &end);
        if (rc == 0 && end) {
            v23_buf_put_str(&w->d->debug, t->name);
            emit_text(w, "Control", "End", " END");
            return 0;
        }
        if (rc == 0)
            rc = get_uint(w, &index);
        if (rc != 0)
            return rc;
        if (index >= t->count)
            return bad_member(w, t, index);
        emit_member(w, t, index, t->fields[index].name);
        rc = value(w, t->fields[index].type, depth);
        if (rc != 0)
            return rc;
    }
}

static int union_value(struct vom_walk_ *w, const struct vdl_type *t,
    unsigned depth)
{
    uint64_t index;
    int rc;

    prepare(w, "waiting for union field index");
    rc = get_uint(w, &index);
    if (rc != 0)
        return rc;
    if (index >= t->count)
        return bad_member(w, t, index);
    if (t == &vom_wire_type_) {
        v23_buf_put_str(&w->d->debug, t->fields[index].type->name);
        emit_uint(w, "WireTypeIndex", index, "");
    } else {
        emit_member(w, t, index, t->fields[index].name);
    }
    return value(w, t->fields[index].type, depth);
}

/* Lists, arrays, sets and maps. */
static int sequence(struct vom_walk_ *w, const struct vdl_type *t,
    unsigned depth)
{
    static const char *const names[][2] = {
        { "list len", "waiting for list len" },
        { "set len", "waiting for set len" },
        { "map len", "waiting for map len" },
    };
    int which = t->kind == VDL_SET ? 1 : t->kind == VDL_MAP ? 2 : 0;
    uint64_t n, i;
    int rc;

    prepare(w, names[which][1]);
    rc = get_list_len(w, t, &n);
    if (rc != 0)
        return rc;
    emit_uint(w, "ValueLen", n, names[which][0]);
    for (i = 0; i < n && rc == 0; i++) {
        if (t->key != NULL)
            rc = value(w, t->key, depth);
        if (rc == 0 && t->kind != VDL_SET)
            rc = value(w, t->elem, depth);
    }
    return rc;
}

/* An index into the list of types. */
static int type_ref(struct vom_walk_ *w, const struct vdl_type **out)
{
    uint64_t index;
    int rc = get_uint(w, &index);

    if (rc == 0 && index >= w->ntypes)
        rc = V23_EINDEX;
    if (rc != 0)
        return rc;
    *out = w->d->ref_types[index];
    debug_type(w, *out);
    emit_uint(w, "TypeId", index, "");
    return 0;
}

static int any_value(struct vom_walk_ *w, unsigned depth)
{
    const struct vdl_type *t = NULL;
    uint64_t index;
    bool nil;
    int rc;

    prepare(w, "waiting for any typeID");
    rc = get_control(w, VOM_NIL_, &nil);
    if (rc == 0 && nil) {
        emit_text(w, "Control", "Nil", "any(nil)");
        return 0;
    }
    if (rc == 0)
        rc = type_ref(w, &t);
    if (rc != 0)
        return rc;
    prepare(w, "waiting for any message length index");
    rc = get_uint(w, &index);
    if (rc == 0 && index >= w->nlens)
        rc = V23_EINDEX;
    if (rc != 0)
        return rc;
    v23_buf_printf(&w->d->debug, "len %llu",
        (unsigned long long)w->d->ref_lens[index]);
    emit_uint(w, "AnyMsgLen", index, "");
    return value(w, t, depth);
}

static int optional_value(struct vom_walk_ *w, const struct vdl_type *t,
    unsigned depth)
{
    bool nil;
    int rc;

    prepare(w, "waiting for optional control byte");
    rc = get_control(w, VOM_NIL_, &nil);
    if (rc != 0)
        return rc;
    if (!nil)
        return value(w, t->elem, depth);
    debug_type(w, t);
    emit_text(w, "Control", "Nil", " is nil");
    return 0;
}

static int value(struct vom_walk_ *w, const struct vdl_type *t, unsigned depth)
{
    const struct vdl_type *object;

    if (depth++ == VDL_VALUE_DEPTH)
        return V23_ELIMIT;
    if (t->wire != NULL)
        t = t->wire;
    if (vdl_type_is_bytes(t))
        return bytes_value(w, t);
    switch (t->kind) {
    case VDL_ANY:
        return any_value(w, depth);
    case VDL_OPTIONAL:
        return optional_value(w, t, depth);
    case VDL_STRING:
        return string_value(w);
    case VDL_ENUM:
        return enum_value(w, t);
    case VDL_TYPEOBJECT:
        prepare(w, "waiting for typeobject ID");
        return type_ref(w, &object);
    case VDL_ARRAY:
    case VDL_LIST:
    case VDL_SET:
    case VDL_MAP:
        return sequence(w, t, depth);
    case VDL_STRUCT:
        return struct_value(w, t, depth);
    case VDL_UNION:
        return union_value(w, t, depth);
    default:
        return number(w, t);
    }
}

/* ---- messages ------------------------------------------------------------ */

static int type_ids(struct vom_walk_ *w)
{
    struct vom_dumper *d = w->d;
    const struct vdl_type *t;
    uint64_t n, id;
    void *v;
    int rc;

    prepare(w, "waiting for reference type ids");
    rc = get_len(w, &n);
    if (rc != 0)
        return rc;
    emit_uint(w, "TypeIdsLen", n, "");
    for (; n != 0; n--) {
        prepare(w, "waiting for type id");
        rc = get_uint(w, &id);
        if (rc != 0)
            return rc;
        t = vom_typedec_lookup(d->types, id);
        if (t == NULL)
            return V23_EID;
        v = (void *)d->ref_types;
        rc = v23_reserve(d->al, &v, &d->types_cap, w->ntypes + 1, REFS_MAX,
            sizeof(*d->ref_types));
        if (rc != 0)
            return rc;
        d->ref_types = v;
        d->ref_types[w->ntypes++] = t;
        emit_uint(w, "TypeId", id, "");
    }
    return 0;
}

static int any_lens(struct vom_walk_ *w)
{
    struct vom_dumper *d = w->d;
    uint64_t n, len;
    void *v;
    int rc;

    prepare(w, "waiting for any length list length");
    rc = get_len(w, &n);
    if (rc != 0)
        return rc;
    emit_uint(w, "AnyLensLen", n, "");
    for (; n != 0; n--) {
        prepare(w, "waiting for any len");
        rc = get_uint(w, &len);
        if (rc != 0)
            return rc;
        v = d->ref_lens;
        rc = v23_reserve(d->al, &v, &d->lens_cap, w->nlens + 1, REFS_MAX,
            sizeof(*d->ref_lens));
        if (rc != 0)
            return rc;
        d->ref_lens = v;
        d->ref_lens[w->nlens++] = len;
        emit_uint(w, "AnyMsgLen", len, "");
    }
    return 0;
}

/* What follows the id of a message. */
static int body(struct vom_walk_ *w, const struct vdl_type *t)
{
    uint64_t len;
    int rc = 0;

    if ((t->flags & (VDL_T_ANY | VDL_T_TYPEOBJECT)) != 0)
        rc = type_ids(w);
    if (rc == 0 && (t->flags & VDL_T_ANY) != 0)
        rc = any_lens(w);
    if (rc != 0)
        return rc;
    if (vdl_type_has_length(t)) {
        prepare(w, "waiting for message len");
        rc = get_len(w, &len);
        if (rc != 0)
            return rc;
        emit_uint(w, "MsgLen", len, "");
        w->len = len;
        w->count = 0;
        w->limit = (uint64_t)(w->p - w->begin) + len;
    }
    rc = value(w, t, 0);
    if (rc == 0 && w->limit != UINT64_MAX && need(w, 1) != V23_ELENGTH)
        rc = V23_ELENGTH; /* the value is shorter than the message */
    return rc;
}

static int message(struct vom_walk_ *w)
{
    const struct vdl_type *t;
    bool incomplete;
    uint64_t u;
    int rc;

    if (!w->d->version) {
        prepare(w, "waiting for version byte or first byte of message");
        rc = need(w, 1);
        if (rc != 0)
            return rc;
        if (*w->p == VERSION_BYTE) {
            w->p++;
            emit_text(w, "Version", "129", "Version81");
            return 0;
        }
    }
    prepare(w, "waiting for message ID or control code");
    rc = get_control(w, VOM_INCOMPLETE_, &incomplete);
    if (rc == 0 && incomplete) {
        emit_text(w, "Control", "IncompleteType", "incomplete type");
        prepare(w, "waiting for message ID");
    }
    if (rc == 0)
        rc = get_uint(w, &u);
    if (rc != 0)
        return rc;
    w->id = vom_unzigzag_(u);
    v23_buf_put_int(&w->d->data, w->id);
    emit_text(w, "MsgId", "", "");
    if (w->id == 0)
        return V23_EID;
    if (w->id < 0) {
        emit_uint(w, "TypeMsg", 0 - (uint64_t)w->id, "");
        return body(w, &vom_wire_type_);
    }
    t = vom_typedec_lookup(w->d->types, (uint64_t)w->id);
    if (t == NULL) {
        emit_uint(w, "ValueMsg", (uint64_t)w->id, v23_strerror(V23_EID));
        return V23_EID;
    }
    debug_type(w, t);
    emit_uint(w, "ValueMsg", (uint64_t)w->id, "");
    return body(w, t);
}

int vom_walk_message_(struct vom_walk_ *w)
{
    struct vom_dumper *d = w->d;
    int rc = message(w);

    if (d->err != 0)
        rc = d->err;
    d->err = 0;
    v23_buf_cut(&d->data, 0);
    v23_buf_cut(&d->debug, 0);
    v23_buf_cut(&d->line, 0);
    return rc;
}

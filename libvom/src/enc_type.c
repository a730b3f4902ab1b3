/* BSD-3-Clause; see LICENSE. */
/*
 * Encoder: type ids and type messages (spec/vom.md 4, 5).
 *
 * Ids are found by descriptor address. An address not seen before is compared
 * by structure with the types that have ids, so that equal types from
 * different places share one; the answer is kept for the address, unless the
 * type was made at run time and may go. Of such types copies get the ids.
 */
#include "enc_int.h"
#include "value_int.h"

/* Nesting of type definitions. */
#define DEPTH 512
#define TYPES_MAX (1u << 24)
#define NONE UINT32_MAX
/* In `low`: this type's children are being visited. */
#define OPEN (UINT32_MAX - 1)

void vom_typeenc_init(struct vom_typeenc *te, const struct v23_alloc *al,
    struct v23_buf *out)
{
    memset(te, 0, sizeof(*te));
    te->al = al;
    te->out = out;
    te->slots = te->small_slots;
    te->nslots = VOM_TYPEENC_SMALL;
    te->types = te->small_types;
    te->types_cap = VOM_TYPEENC_SMALL / 2;
    v23_arena_init(&te->own, al, SIZE_MAX);
}

void vom_typeenc_fini(struct vom_typeenc *te)
{
    if (te->slots != te->small_slots)
        v23_put(te->al, te->slots);
    if (te->types != te->small_types)
        v23_put(te->al, te->types);
    v23_arena_fini(&te->own);
    memset(te, 0, sizeof(*te));
}

/* ---- tables -------------------------------------------------------------- */

/* Slot of the type, or the free one where it belongs. */
static struct vom_typeid_slot *slot_of(struct vom_typeid_slot *slots, size_t n,
    const struct vdl_type *t)
{
    size_t i = vom_typeenc_hash_(t, n);

    while (slots[i].type != NULL && slots[i].type != t)
        i = (i + 1) & (n - 1);
    return &slots[i];
}

/* Make room for one more address. */
static int slots_room(struct vom_typeenc *te)
{
    struct vom_typeid_slot *v;
    size_t n = 2 * te->nslots, i;

    if (te->used + 1 <= te->nslots / 4 * 3)
        return 0;
    v = v23_get0(te->al, n, sizeof(*v));
    if (v == NULL)
        return V23_ENOMEM;
    for (i = 0; i < te->nslots; i++)
        if (te->slots[i].type != NULL)
            *slot_of(v, n, te->slots[i].type) = te->slots[i];
    if (te->slots != te->small_slots)
        v23_put(te->al, te->slots);
    te->slots = v;
    te->nslots = n;
    return 0;
}

static int remember(struct vom_typeenc *te, const struct vdl_type *t,
    uint32_t id)
{
    struct vom_typeid_slot *s;
    int rc = slots_room(te);

    if (rc != 0)
        return rc;
    s = slot_of(te->slots, te->nslots, t);
    if (s->type == NULL)
        te->used++;
    s->type = t;
    s->id = id;
    return 0;
}

/* Only the types' own addresses; others are found again when they come up. */
static void rebuild_slots(struct vom_typeenc *te)
{
    size_t i;

    memset(te->slots, 0, te->nslots * sizeof(*te->slots));
    for (i = 0; i < te->ntypes; i++)
        *slot_of(te->slots, te->nslots, te->types[i].type) =
            (struct vom_typeid_slot){ te->types[i].type,
                (uint32_t)i + VOM_FIRST_USER_ID };
    te->used = te->ntypes;
}

void vom_typeenc_rollback_(struct vom_typeenc *te, size_t n)
{
    if (te->ntypes != n) {
        te->ntypes = n;
        rebuild_slots(te);
    }
    if (te->kept)
        v23_arena_rewind(&te->own, te->mark);
    te->kept = false;
}

static int types_room(struct vom_typeenc *te)
{
    void *v = te->types == te->small_types ? NULL : te->types;
    size_t cap = v == NULL ? 0 : te->types_cap;
    int rc;

    if (te->ntypes < te->types_cap)
        return 0;
    rc = v23_reserve(te->al, &v, &cap, 2 * te->types_cap, TYPES_MAX,
        sizeof(*te->types));
    if (rc != 0)
        return rc;
    if (te->types == te->small_types)
        memcpy(v, te->small_types, sizeof(te->small_types));
    te->types = v;
    te->types_cap = cap;
    return 0;
}

/* ---- finding ------------------------------------------------------------- */

/* Ids of the built-in types without elements. */
static const uint8_t kind_ids[VDL_KINDS] = { [VDL_BOOL] = 1, [VDL_BYTE] = 2,
    [VDL_STRING] = 3, [VDL_UINT16] = 4, [VDL_UINT32] = 5, [VDL_UINT64] = 6,
    [VDL_INT16] = 7, [VDL_INT32] = 8, [VDL_INT64] = 9, [VDL_FLOAT32] = 10,
    [VDL_FLOAT64] = 11, [VDL_TYPEOBJECT] = 14, [VDL_ANY] = 15,
    [VDL_INT8] = 16 };

/* Id of a built-in type, or 0. */
static uint32_t builtin_id(const struct vdl_type *t)
{
    if (t->kind == VDL_LIST && t->name.n == 0 && t->elem->name.n == 0) {
        if (t->elem->kind == VDL_BYTE)
            return 39;
        return t->elem->kind == VDL_STRING ? 40 : 0;
    }
    return t->name.n == 0 ? kind_ids[t->kind] : 0;
}

static uint32_t mix_sub(uint32_t h, const struct vdl_type *t)
{
    return vdl_mix_str_(h * 31 + t->kind, t->name);
}

/* Hash of what the node itself says; equal types have equal hashes. */
static uint32_t node_hash(const struct vdl_type *t)
{
    uint32_t h = vdl_mix_str_(2166136261u + t->kind, t->name), i;

    h = h * 31 + t->count;
    if (t->elem != NULL)
        h = mix_sub(h, vdl_wire_(t->elem));
    if (t->key != NULL)
        h = mix_sub(h, vdl_wire_(t->key));
    for (i = 0; i < t->count; i++) {
        if (t->kind == VDL_ENUM)
            h = vdl_mix_str_(h, t->labels[i]);
        else if (t->kind == VDL_STRUCT || t->kind == VDL_UNION)
            h = vdl_mix_str_(h, t->fields[i].name);
    }
    return h;
}

/* Id of an equal type, or 0. */
static uint32_t find_equal(const struct vom_typeenc *te,
    const struct vdl_type *t, uint32_t hash)
{
    size_t i;

    for (i = 0; i < te->ntypes; i++)
        if (te->types[i].hash == hash
            && vdl_type_equal(te->types[i].type, t))
            return (uint32_t)i + VOM_FIRST_USER_ID;
    return 0;
}

/* ---- type messages ------------------------------------------------------- */

static void put_field_uint(struct v23_buf *b, uint32_t field, uint64_t v)
{
    vom_buf_put_uint(b, field);
    vom_buf_put_uint(b, v);
}

static void put_str(struct v23_buf *b, struct vdl_str s)
{
    vom_buf_put_uint(b, s.n);
    v23_buf_put_str(b, s);
}

/* Id of a subtype, which has one by now. */
static uint32_t sub_id(struct vom_typeenc *te, const struct vdl_type *t)
{
    uint32_t id;

    t = vdl_wire_(t);
    id = builtin_id(t);
    return id != 0 ? id : slot_of(te->slots, te->nslots, t)->id;
}

static void put_fields(struct vom_typeenc *te, const struct vdl_type *t,
    struct v23_buf *b)
{
    uint32_t i;

    if (t->count == 0)
        return;
    put_field_uint(b, 1, t->count);
    for (i = 0; i < t->count; i++) {
        vom_buf_put_uint(b, 0);
        put_str(b, t->fields[i].name);
        put_field_uint(b, 1, sub_id(te, t->fields[i].type));
        v23_buf_put_byte(b, VOM_END_);
    }
}

static void put_labels(const struct vdl_type *t, struct v23_buf *b)
{
    uint32_t i;

    put_field_uint(b, 1, t->count);
    for (i = 0; i < t->count; i++)
        put_str(b, t->labels[i]);
}

/* The index of a type's alternative in the union wireType. */
static uint32_t wire_kind(const struct vdl_type *t)
{
    switch (t->kind) {
    case VDL_ENUM:
        return 1;
    case VDL_ARRAY:
        return 2;
    case VDL_LIST:
        return 3;
    case VDL_SET:
        return 4;
    case VDL_MAP:
        return 5;
    case VDL_STRUCT:
        return 6;
    case VDL_UNION:
        return 7;
    case VDL_OPTIONAL:
        return 8;
    default:
        return 0;
    }
}

static void put_vdl_wire_(struct vom_typeenc *te, const struct vdl_type *t,
    struct v23_buf *b)
{
    vom_buf_put_uint(b, wire_kind(t));
    if (t->name.n != 0) {
        vom_buf_put_uint(b, 0);
        put_str(b, t->name);
    }
    switch (t->kind) {
    case VDL_ENUM:
        put_labels(t, b);
        break;
    case VDL_STRUCT:
    case VDL_UNION:
        put_fields(te, t, b);
        break;
    case VDL_SET:
    case VDL_MAP:
        put_field_uint(b, 1, sub_id(te, t->key));
        if (t->kind == VDL_MAP)
            put_field_uint(b, 2, sub_id(te, t->elem));
        break;
    case VDL_ARRAY:
    case VDL_LIST:
    case VDL_OPTIONAL:
        put_field_uint(b, 1, sub_id(te, t->elem));
        if (t->kind == VDL_ARRAY)
            put_field_uint(b, 2, t->count);
        break;
    default:
        put_field_uint(b, 1, kind_ids[t->kind]);
        break;
    }
    v23_buf_put_byte(b, VOM_END_);
}

static int put_message(struct vom_typeenc *te, uint32_t index, bool incomplete,
    struct v23_buf *b)
{
    size_t body;

    if (b == te->out && !te->started) {
        v23_buf_put_byte(b, VOM_VERSION);
        te->started = true;
    }
    if (incomplete)
        v23_buf_put_byte(b, VOM_INCOMPLETE_);
    vom_buf_put_uint(b,
        vom_zigzag_(-(int64_t)index - VOM_FIRST_USER_ID));
    v23_buf_put_byte(b, 0); /* most lengths take one byte */
    body = b->n;
    put_vdl_wire_(te, te->types[index].type, b);
    return b->err != 0 ? b->err : vom_put_length_(b, body);
}

/* ---- giving ids ---------------------------------------------------------- */

/* Oldest unfinished type that an entry with an id reaches, or NONE. */
static uint32_t oldest(const struct vom_typeenc *te, uint32_t index)
{
    uint32_t low;

    while (te->types[index].low != OPEN) {
        low = te->types[index].low;
        if (low == NONE || low == index)
            return NONE;
        index = low;
    }
    return index;
}

/*
 * Find a type's id without giving one: 0 = none. `stays`: the descriptor lives
 * as long as the typeenc.
 */
static int look_up(struct vom_typeenc *te, const struct vdl_type *t,
    bool stays, uint32_t *id, uint32_t *hash)
{
    *id = builtin_id(t);
    if (*id != 0)
        return 0;
    if (stays)
        *id = slot_of(te->slots, te->nslots, t)->id;
    if (*id != 0)
        return 0;
    *hash = node_hash(t);
    *id = find_equal(te, t, *hash);
    return *id == 0 || !stays ? 0 : remember(te, t, *id);
}

static int define(struct vom_typeenc *te, const struct vdl_type *t,
    struct v23_buf *b, unsigned depth, uint32_t *low);

/* Give ids to what the type refers to; the parent has its own already. */
static int define_children(struct vom_typeenc *te, const struct vdl_type *t,
    struct v23_buf *b, unsigned depth, uint32_t *low)
{
    uint32_t i;
    int rc = 0;

    if (t->kind == VDL_STRUCT || t->kind == VDL_UNION) {
        for (i = 0; rc == 0 && i < t->count; i++)
            rc = define(te, t->fields[i].type, b, depth, low);
        return rc;
    }
    if (t->key != NULL)
        rc = define(te, t->key, b, depth, low);
    if (rc == 0 && t->elem != NULL)
        rc = define(te, t->elem, b, depth, low);
    return rc;
}

/* *low becomes the oldest unfinished type reachable if that is older. */
static int define(struct vom_typeenc *te, const struct vdl_type *t,
    struct v23_buf *b, unsigned depth, uint32_t *low)
{
    uint32_t id, hash, index, mine = NONE;
    int rc;

    t = vdl_wire_(t);
    rc = look_up(te, t, true, &id, &hash);
    if (rc != 0)
        return rc;
    if (id != 0) {
        if (id >= VOM_FIRST_USER_ID)
            mine = oldest(te, id - VOM_FIRST_USER_ID);
        if (mine < *low)
            *low = mine;
        return 0;
    }
    if (depth == 0)
        return V23_ELIMIT;
    rc = types_room(te);
    if (rc != 0)
        return rc;
    index = (uint32_t)te->ntypes++;
    te->types[index] = (struct vom_typeid){ t, hash, OPEN, 0 };
    rc = remember(te, t, index + VOM_FIRST_USER_ID);
    if (rc == 0)
        rc = define_children(te, t, b, depth - 1, &mine);
    if (rc != 0)
        return rc;
    te->types[index].low = mine;
    if (mine < *low && mine < index)
        *low = mine;
    return put_message(te, index, mine < index, b);
}

/* A copy of a run-time type that lives as long as the typeenc. */
static int keep(struct vom_typeenc *te, const struct vdl_type **t)
{
    struct vdl_type_copier_ c = { &te->own, NULL, 0, 0 };

    if (!te->kept)
        te->mark = v23_arena_mark(&te->own);
    te->kept = true;
    return vdl_copy_type_(&c, *t, t);
}

int vom_typeenc_id_(struct vom_typeenc *te, const struct vdl_type *t,
    struct v23_buf *out, uint32_t *id)
{
    uint32_t hash, low = NONE;
    bool stays;
    int rc;

    t = vdl_wire_(t);
    stays = !vom_is_runtime_(t);
    rc = look_up(te, t, stays, id, &hash);
    if (rc != 0 || *id != 0)
        return rc;
    if (!stays)
        rc = keep(te, &t);
    if (rc == 0)
        rc = define(te, t, out, DEPTH, &low);
    if (rc == 0)
        *id = slot_of(te->slots, te->nslots, t)->id;
    return rc;
}

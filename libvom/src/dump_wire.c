/* BSD-3-Clause; see LICENSE. */
/* The types of type messages (spec/vom.md 5.1), as far as dumps need them. */
#include "dump_int.h"

#define WIRE "v.io/v23/vom."
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define FIELD(name, type) { VDL_STR_INIT(name), type, 0 }
#define STRUCT(label, f) \
    { .kind = VDL_STRUCT, .name = VDL_STR_INIT(WIRE label), \
        .count = COUNT(f), .fields = f }

static const struct vdl_field field_fields[] = {
    FIELD("Name", &vdl_string_desc),
    FIELD("Type", &vdl_uint64_desc),
};
static const struct vdl_type field_type = STRUCT("wireField", field_fields);
static const struct vdl_type fields_type = {
    .kind = VDL_LIST,
    .elem = &field_type,
};

static const struct vdl_field named_fields[] = {
    FIELD("Name", &vdl_string_desc),
    FIELD("Base", &vdl_uint64_desc),
};
static const struct vdl_field enum_fields[] = {
    FIELD("Name", &vdl_string_desc),
    FIELD("Labels", &vdl_str_list_desc),
};
static const struct vdl_field array_fields[] = {
    FIELD("Name", &vdl_string_desc),
    FIELD("Elem", &vdl_uint64_desc),
    FIELD("Len", &vdl_uint64_desc),
};
static const struct vdl_field elem_fields[] = {
    FIELD("Name", &vdl_string_desc),
    FIELD("Elem", &vdl_uint64_desc),
};
static const struct vdl_field set_fields[] = {
    FIELD("Name", &vdl_string_desc),
    FIELD("Key", &vdl_uint64_desc),
};
static const struct vdl_field map_fields[] = {
    FIELD("Name", &vdl_string_desc),
    FIELD("Key", &vdl_uint64_desc),
    FIELD("Elem", &vdl_uint64_desc),
};
static const struct vdl_field members_fields[] = {
    FIELD("Name", &vdl_string_desc),
    FIELD("Fields", &fields_type),
};

static const struct vdl_type named_type = STRUCT("wireNamed", named_fields);
static const struct vdl_type enum_type = STRUCT("wireEnum", enum_fields);
static const struct vdl_type array_type = STRUCT("wireArray", array_fields);
static const struct vdl_type list_type = STRUCT("wireList", elem_fields);
static const struct vdl_type set_type = STRUCT("wireSet", set_fields);
static const struct vdl_type map_type = STRUCT("wireMap", map_fields);
static const struct vdl_type struct_type = STRUCT("wireStruct",
    members_fields);
static const struct vdl_type union_type = STRUCT("wireUnion", members_fields);
static const struct vdl_type optional_type = STRUCT("wireOptional",
    elem_fields);

static const struct vdl_field wire_fields[] = {
    FIELD("NamedT", &named_type),
    FIELD("EnumT", &enum_type),
    FIELD("ArrayT", &array_type),
    FIELD("ListT", &list_type),
    FIELD("SetT", &set_type),
    FIELD("MapT", &map_type),
    FIELD("StructT", &struct_type),
    FIELD("UnionT", &union_type),
    FIELD("OptionalT", &optional_type),
};

const struct vdl_type vom_wire_type_ = {
    .kind = VDL_UNION,
    .name = VDL_STR_INIT(WIRE "wireType"),
    .count = COUNT(wire_fields),
    .fields = wire_fields,
};

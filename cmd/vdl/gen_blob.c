/* BSD-3-Clause; see LICENSE. */
/*
 * Constants that hold the type messages of a type (vom/blob.h), and functions
 * for single-shot streams. Packages of the project have none: their libraries
 * would grow by it. Types that contain any or typeobject have none either, nor
 * has a type whose constant would have the name of another type.
 */
#include <vom/blob.h>

#include "gen_int.h"

static bool has_blob(struct gen *g, const struct vdl_type *t)
{
    const char *name = gen_str(g, "%s_blob", gen_ctype(g, t));
    size_t i;

    if (gen_shipped(g->p) || (t->flags & (VDL_T_ANY | VDL_T_TYPEOBJECT)) != 0)
        return false;
    for (i = 0; i < g->p->ntypes; i++) {
        if (strcmp(gen_ctype(g, g->p->types[i].type), name) == 0)
            return false;
    }
    return true;
}

void gen_blob_h(struct gen *g, const struct ir_typedef *d)
{
    const char *name = gen_ctype(g, d->type);

    if (!has_blob(g, d->type))
        return;
    gen_putw(g,
        "extern const struct vom_blob %s;\n"
        "V23_MUST_USE static inline int %s(const %s *x, "
        "struct v23_buf *out)\n{\n"
        "    return vom_blob_encode(&%s_blob, x, out);\n}\n"
        "V23_MUST_USE static inline int %s(struct v23_bytes stream, "
        "struct v23_arena *a, %s *x, size_t *used)\n{\n"
        "    return vom_blob_decode(&%s_blob, stream, a, x, used);\n}\n",
        gen_ident(g, gen_str(g, "%s_blob", name), d->name),
        gen_ident(g, gen_str(g, "%s_encode_single", name), d->name), name, name,
        gen_ident(g, gen_str(g, "%s_decode_single", name), d->name), name,
        name);
}

void gen_blob_c(struct gen *g, const struct vdl_type *t)
{
    const char *name = gen_ctype(g, t);
    struct vom_blob blob;
    struct v23_buf bytes;
    uint32_t i;
    int rc;

    if (!has_blob(g, t))
        return;
    v23_buf_init(&bytes, NULL, SIZE_MAX);
    rc = vom_blob_make(NULL, t, &bytes, &blob);
    if (rc != 0) {
        g->rc = rc;
        v23_buf_fini(&bytes);
        return;
    }
    gen_put(g, "static const uint8_t %s_blob_[] = {", name);
    for (i = 0; i < blob.n; i++)
        gen_put(g, "%s0x%02x,", i % 12 == 0 ? "\n    " : " ", blob.p[i]);
    gen_put(g,
        "\n};\nconst struct vom_blob %s_blob = {\n"
        "    %s_blob_, sizeof(%s_blob_), %u, &%s_desc\n};\n",
        name, name, name, (unsigned)blob.id, name);
    v23_buf_fini(&bytes);
}

/* BSD-3-Clause; see LICENSE. */
/*
 * Fuzz target of the reader of type messages. The first byte says in pieces of
 * which size a type stream arrives and whether it is of version 0x80. Each type
 * that comes out has a text, zero values and an encoding that gives it back.
 */
#include <vom/dec.h>
#include <vom/enc.h>
#include <vom/value.h>
#include <vom/vom80.h>

#include "fuzz.h"

#define TYPES 32

/* The value encodes, and what that gives decodes to what encodes alike. */
static void check_value(const struct vdl_type *t, const void *v)
{
    struct v23_buf first, second;
    struct v23_arena a;
    struct vdl_any again;

    v23_buf_init(&first, NULL, 1u << 26);
    v23_buf_init(&second, NULL, 1u << 26);
    v23_arena_init(&a, NULL, 1u << 26);
    check(vom_encode_single(NULL, t, v, &first) == 0);
    if (vom_decode_single(first.p, first.n, NULL, &a, NULL, &again, NULL) ==
        0) {
        check(vom_encode_single(NULL, &vdl_any_desc, &again, &second) == 0);
        check(first.n == second.n && memcmp(first.p, second.p, first.n) == 0);
    }
    v23_buf_fini(&first);
    v23_buf_fini(&second);
    v23_arena_fini(&a);
}

static void check_type(const struct vdl_type *t)
{
    struct v23_buf text;
    void *zero;

    v23_buf_init(&text, NULL, 1u << 20);
    (void)(vdl_type_format(t, 1u << 16, &text) == 0);
    v23_buf_fini(&text);
    (void)vdl_type_can_be_key(t);
    check_value(&vdl_typeobject_desc, &t);
    if (t->size > 1u << 16)
        return;
    zero = calloc(1, t->size);
    check(zero != NULL);
    check(vdl_is_zero(t, zero));
    check_value(t, zero);
    free(zero);
}

static void check_pair(const struct vdl_type *a, const struct vdl_type *b)
{
    bool same = vdl_type_equal(a, b);

    check(same == vdl_type_equal(b, a));
    check(!same || vdl_type_compatible(a, b));
    (void)vdl_type_compatible(a, b);
    (void)vdl_type_compatible(b, a);
    check(!vdl_type_same_layout(a, b) || same);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct vom_options opt = vom_options_host;
    const struct vdl_type *types[TYPES];
    struct vom_typedec *td;
    size_t step, have = 0, used, i, k, count = 0;
    uint8_t version;
    int rc;

    if (n == 0)
        return 0;
    opt.v80 = &vom_v80;
    version = (*p & 1) != 0 ? VOM_VERSION_80 : VOM_VERSION;
    step = *p >> 4 == 0 ? n : *p >> 4;
    check(vom_typedec_new(NULL, &opt, &td) == 0);
    rc = vom_typedec_input(td, &version, 1, &used);
    check(rc == 0 && used == 1);
    for (p++, n--; rc == 0 && have != n; p += used, n -= used, have -= used) {
        have = n - have < step ? n : have + step;
        rc = vom_typedec_input(td, p, have, &used);
        check(used <= have);
    }
    for (i = 0; i < 2 * TYPES && count < TYPES; i++) {
        types[count] = vom_typedec_lookup(td, VOM_FIRST_USER_ID + i);
        count += types[count] != NULL;
    }
    for (i = 0; i < count; i++) {
        check_type(types[i]);
        for (k = 0; k < i; k++)
            check_pair(types[i], types[k]);
    }
    vom_typedec_unref(td);
    return 0;
}

/* BSD-3-Clause; see LICENSE. */
/*
 * Fuzz target of JSON read by type. The first octet chooses the type and how
 * the text is read. What is read is written, and read again as the same.
 */
#include <vom/parse.h>
#include <vom/value.h>
#include <wspr/json.h>

#include "fuzz.h"

static const char *const texts[] = {
    "any",
    "int64",
    "uint16",
    "float32",
    "string",
    "[]byte",
    "[3]byte",
    "set[string]",
    "map[int32]any",
    "map[struct{A int8;B E enum{X;Y}}]bool",
    "[][2]float64",
    "?N struct{Name string;Next ?N;Kids []N;M map[string]N}",
    "U union{A int32;Bb []U;C struct{D bool}}",
    "[]error",
};
enum { TYPES = sizeof(texts) / sizeof(texts[0]), LAX = 0x80, CHOICE = 0x7f };

static const struct vdl_type *type(unsigned i)
{
    static const struct vdl_type *made[TYPES];
    static struct vdl_types *types;
    struct vdl_parse_error err;

    if (strcmp(texts[i], "[]error") == 0 && made[i] == NULL) {
        check(types != NULL || vdl_types_new(NULL, NULL, &types) == 0);
        check(vdl_types_list(types, &vdl_error_desc, &made[i]) == 0);
    }
    if (made[i] == NULL) {
        check(types != NULL || vdl_types_new(NULL, NULL, &types) == 0);
        check(vdl_type_parse(types, vdl_str(texts[i]), &made[i], &err) == 0);
    }
    return made[i];
}

static void again(
    struct v23_arena *a, const struct vdl_type *t, const void *first)
{
    struct v23_buf json;
    void *second = v23_arena_get0(a, 1, t->size, t->align);
    int rc;

    check(second != NULL);
    v23_buf_init(&json, NULL, 256u << 20);
    check(wspr_json_encode(t, first, &json) == 0);
    rc = wspr_json_decode(
        v23_bytes(json.p, json.n), NULL, a, t, second, NULL);
    check(rc == 0 || rc == V23_ENOMEM);
    if (rc == 0)
        check(vdl_equal(t, first, second));
    v23_buf_fini(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct wspr_json_options opt = WSPR_JSON_OPTIONS_INIT;
    const struct vdl_type *t;
    struct v23_arena a;
    struct v23_buf why;
    void *v;
    int rc;

    if (n == 0)
        return 0;
    t = type((unsigned)(*p & CHOICE) % TYPES);
    opt.lax = (*p & LAX) != 0;
    opt.bytes = 16u << 20;
    v23_arena_init(&a, NULL, 64u << 20);
    v23_buf_init(&why, NULL, 1u << 20);
    v = v23_arena_get0(&a, 1, t->size, t->align);
    check(v != NULL);
    rc = wspr_json_decode(v23_bytes(p + 1, n - 1), &opt, &a, t, v, &why);
    if (rc == 0)
        again(&a, t, v);
    else if (rc == V23_ECONVERT || rc == V23_ETEXT || rc == V23_ELIMIT)
        check(why.n > 0);
    v23_buf_fini(&why);
    v23_arena_fini(&a);
    return 0;
}

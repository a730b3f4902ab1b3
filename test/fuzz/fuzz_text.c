/* BSD-3-Clause; see LICENSE. */
/*
 * Fuzz target of the parsers of types, values and VDL constants. The first
 * byte chooses: 't' a type, 'v' a value; else the first line is a type, and
 * the rest constants of it. What is accepted can be printed, and is the same
 * when it is read again.
 */
#include <vom/parse.h>
#include <vom/print.h>
#include <vom/value.h>

#include "fuzz.h"

#define BUDGET (64u << 20)
#define TEXT_MAX (1u << 20)

static struct vdl_str str_of(const struct v23_buf *b)
{
    return vdl_strn((const char *)b->p, b->n);
}

static void read_type(struct vdl_str in)
{
    const struct vdl_type *t, *again;
    struct vdl_parse_error err;
    struct vdl_types *ts;
    struct v23_buf text;

    check(vdl_types_new(NULL, NULL, &ts) == 0);
    v23_buf_init(&text, NULL, TEXT_MAX);
    if (vdl_type_parse(ts, in, &t, &err) == 0) {
        /* Up to blanks nothing but the canonical string is taken. */
        if (vdl_type_format(t, TEXT_MAX, &text) == 0) {
            check(vdl_type_parse(ts, str_of(&text), &again, &err) == 0);
            check(vdl_type_equal(t, again));
        }
    } else {
        check(err.at <= in.n);
    }
    v23_buf_fini(&text);
    vdl_types_unref(ts);
}

/* NaN is not equal to itself. */
static void check_equal(const struct vdl_type *t, const void *a, const void *b,
    const struct v23_buf *text)
{
    size_t i;

    for (i = 0; i + 3 <= text->n; i++)
        if (memcmp(text->p + i, "NaN", 3) == 0)
            return;
    check(vdl_equal(t, a, b));
}

/* Names may hold what separates words; their text has no meaning then. */
static bool plain(struct vdl_str s)
{
    uint32_t i;

    for (i = 0; i < s.n; i++)
        if (s.p[i] < ' ' || s.p[i] == 0x7F)
            return false;
    return true;
}

static void read_value(struct vdl_str in)
{
    struct vdl_any v = {NULL, NULL}, again = {NULL, NULL};
    struct vdl_parse_error err;
    struct v23_buf text;
    struct v23_arena a;
    int rc = 0;

    v23_arena_init(&a, NULL, BUDGET);
    v23_buf_init(&text, NULL, TEXT_MAX);
    if (vdl_parse(in, &a, &v, &err) == 0) {
        if (v.type != NULL && vdl_format(v.type, v.val, false, &text) == 0)
            rc = vdl_parse(str_of(&text), &a, &again, &err);
        check(rc == 0 || rc == V23_ENOMEM || !plain(in));
        if (rc == 0 && again.type != NULL)
            check_equal(&vdl_any_desc, &v, &again, &text);
    } else {
        check(err.at <= in.n);
    }
    v23_buf_fini(&text);
    v23_arena_fini(&a);
}

static void print_again(const struct vdl_type *t, const void *v,
    const struct vdl_registry *known, struct v23_arena *a)
{
    struct vdl_parse_error err;
    struct v23_buf text;
    const void *again;
    size_t got;

    v23_buf_init(&text, NULL, TEXT_MAX);
    /* Names that are no identifiers cannot be read. */
    if (vdl_print_const(t, v, &text) == 0 &&
        vdl_parse_values(str_of(&text), known, a, &t, 1, &again, &got, &err) ==
            0)
        check_equal(t, v, again, &text);
    v23_buf_fini(&text);
}

static void read_constants(struct vdl_str type, struct vdl_str in)
{
    struct vdl_registry known = {NULL, 0};
    const struct vdl_type *types[2];
    struct vdl_parse_error err;
    const void *values[2];
    struct vdl_types *ts;
    struct v23_arena a;
    size_t got, n;

    check(vdl_types_new(NULL, NULL, &ts) == 0);
    v23_arena_init(&a, NULL, BUDGET);
    if (vdl_type_parse(ts, type, &types[0], &err) == 0) {
        known.types = types;
        known.n = 1;
        types[1] = &vdl_any_desc;
        for (n = 1; n <= 2; n++) {
            if (vdl_parse_values(
                    in, &known, &a, types, n, values, &got, &err) == 0)
                print_again(types[n - 1], values[n - 1], &known, &a);
            else
                check(err.at <= in.n);
        }
    }
    v23_arena_fini(&a);
    vdl_types_unref(ts);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    const uint8_t *line;
    struct vdl_str all = vdl_strn((const char *)p, n);

    if (n != 0 && (p[0] == 't' || p[0] == 'v')) {
        all = vdl_strn(all.p + 1, n - 1);
        if (p[0] == 't')
            read_type(all);
        else
            read_value(all);
        return 0;
    }
    line = n == 0 ? NULL : memchr(p, '\n', n);
    if (line != NULL)
        read_constants(vdl_strn(all.p, (size_t)(line - p)),
            vdl_strn((const char *)line + 1, n - 1 - (size_t)(line - p)));
    return 0;
}

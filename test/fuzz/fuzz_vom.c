/* BSD-3-Clause; see LICENSE. */
/*
 * Fuzz target of the VOM decoder. The first byte says how the rest is read:
 * bits 0 and 1 as one stream, as a type stream and a value stream in turns, or
 * in the memory of a device; bits 2 and 3 what anys become; bits 4 to 7 in
 * pieces of which size. What is accepted must encode, and what was encoded must
 * decode to what encodes alike. Streams of both versions are read.
 */
#include <vom/dec.h>
#include <vom/enc.h>
#include <vom/raw.h>
#include <vom/value.h>
#include <vom/vom80.h>

#include "fuzz.h"

#define BUDGET (64u << 20)

static void encode(const struct vdl_type *t, const void *v, struct v23_buf *b)
{
    v23_buf_init(b, NULL, BUDGET);
    check(vom_encode_single(NULL, t, v, b) == 0);
}

/* What an encoded value decodes to is encoded. False: it is over a budget. */
static bool recode(const struct v23_buf *from, struct v23_buf *to)
{
    struct vdl_any v = {NULL, NULL};
    struct v23_arena a;
    bool ok;

    v23_arena_init(&a, NULL, SIZE_MAX);
    ok = vom_decode_single(from->p, from->n, NULL, &a, NULL, &v, NULL) == 0;
    if (ok)
        encode(&vdl_any_desc, &v, to);
    v23_arena_fini(&a);
    return ok;
}

static bool same(const struct v23_buf *a, const struct v23_buf *b)
{
    return a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
}

/* A value just decoded; `raw`: parts of it may be raw, as the peer wrote them.
 */
static void check_value(const struct vdl_type *t, const void *v, bool raw)
{
    struct v23_buf first, second, third;

    (void)vdl_is_zero(t, v);
    (void)vdl_equal(t, v, v);
    encode(t, v, &first);
    if (recode(&first, &second)) {
        check(raw || same(&first, &second));
        check(recode(&second, &third) && same(&second, &third));
        v23_buf_fini(&second);
        v23_buf_fini(&third);
    }
    v23_buf_fini(&first);
}

static const struct vdl_type *const targets[] = {NULL, &vdl_any_desc,
    &vdl_bool_desc, &vdl_byte_desc, &vdl_uint16_desc, &vdl_int64_desc,
    &vdl_float32_desc, &vdl_string_desc, &vdl_bytes_desc, &vdl_str_list_desc,
    &vdl_any_list_desc, &vdl_typeobject_desc, &vdl_error_desc};

/* Values of one stream in windows of `step` bytes, into various types. */
static void read_values(
    struct vom_dec *d, const uint8_t *p, size_t n, size_t step, bool raw)
{
    const struct vdl_type *last = NULL, *t;
    struct v23_arena a;
    size_t have = step, used, count = 0;
    struct vom_msg m;
    void *v;
    int rc;

    v23_arena_init(&a, NULL, BUDGET);
    for (;;) {
        if (have > n)
            have = n;
        rc = vom_dec_next(d, p, have, &used, &m);
        check(used <= have);
        p += used;
        n -= used;
        have -= used;
        if (rc == V23_EAGAIN && have < n && !d->waits_type) {
            have += step;
            continue;
        }
        if (rc != 0)
            break;
        t = targets[count++ % (sizeof(targets) / sizeof(*targets))];
        if (count % 3 == 0 && last != NULL)
            t = last;
        last = m.type;
        v = v23_arena_get0(
            &a, 1, t == NULL ? sizeof(struct vdl_any) : t->size, 16);
        if (v == NULL)
            break;
        rc = vom_dec_value(d, &m, &a, t, v);
        if (rc == 0)
            check_value(t == NULL ? &vdl_any_desc : t, v, raw);
        else if (rc != V23_EAGAIN)
            break;
        v23_arena_reset(&a);
    }
    v23_arena_fini(&a);
}

static void single(
    const struct vom_options *opt, const uint8_t *p, size_t n, size_t step)
{
    struct vom_typedec *td;
    struct vom_dec d;

    check(vom_typedec_new(NULL, opt, &td) == 0);
    vom_dec_init(&d, NULL, td, false);
    read_values(&d, p, n, step, opt->any != NULL);
    vom_dec_fini(&d);
    vom_typedec_unref(td);
}

/* The type stream has a third of the bytes and arrives in two parts. */
static void split(
    const struct vom_options *opt, const uint8_t *p, size_t n, size_t step)
{
    size_t cut = n / 3, used;
    struct vom_typedec *td;
    struct vom_dec d;
    int rc;

    check(vom_typedec_new(NULL, opt, &td) == 0);
    vom_dec_init(&d, NULL, td, true);
    rc = vom_typedec_input(td, p, cut / 2, &used);
    check(used <= cut / 2);
    read_values(&d, p + cut, n - cut, step, opt->any != NULL);
    if (rc == 0)
        rc = vom_typedec_input(td, p + used, cut - used, &used);
    vom_dec_fini(&d);
    vom_dec_init(&d, NULL, td, true);
    read_values(&d, p + cut, n - cut, step, opt->any != NULL);
    vom_dec_fini(&d);
    vom_typedec_unref(td);
}

/* The first value in memory of a device. */
static void fixed(const struct vom_options *opt, const uint8_t *p, size_t n)
{
    static uint64_t space[2048];
    struct v23_arena a;
    struct vdl_any v;
    size_t used;

    v23_arena_init_fixed(&a, space, sizeof(space));
    if (vom_decode_single(p, n, opt, &a, NULL, &v, &used) == 0) {
        check(used <= n);
        check_value(&vdl_any_desc, &v, opt->any != NULL);
    }
    v23_arena_reset(&a);
    v23_arena_fini(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const struct vom_any_mode *const modes[] = {
        NULL, &vom_any_known, &vom_any_raw, &vom_any_none};
    static const struct vom_limits mcu = VOM_LIMITS_MCU;
    struct vom_options opt = vom_options_host;
    size_t step;

    if (n == 0)
        return 0;
    step = *p >> 4 == 0 ? n : *p >> 4;
    opt.any = modes[*p >> 2 & 3];
    opt.v80 = &vom_v80;
    switch (*p & 3) {
    case 0:
    case 1:
        single(&opt, p + 1, n - 1, step);
        break;
    case 2:
        split(&opt, p + 1, n - 1, step);
        break;
    default:
        opt.limits = mcu;
        opt.lax_any_lengths = true;
        fixed(&opt, p + 1, n - 1);
        break;
    }
    return 0;
}

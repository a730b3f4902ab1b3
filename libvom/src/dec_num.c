/* BSD-3-Clause; see LICENSE. */
/* Decoder: numbers into another kind of number (spec/vom.md 11.3). */
#include "dec_int.h"

#include <float.h>

#define TWO53 (UINT64_C(1) << 53)
#define TWO24 (UINT64_C(1) << 24)
#define TWO63 9223372036854775808.0
#define TWO64 18446744073709551616.0

/* A number as sign and magnitude, or as a float. */
struct num {
    enum { INTEGER, REAL } form;
    bool negative; /* INTEGER */
    uint64_t size; /* INTEGER: absolute value */
    double d;      /* REAL */
};

static bool is_int(enum vdl_kind k)
{
    return k >= VDL_INT8 && k <= VDL_INT64;
}

static bool is_float(enum vdl_kind k)
{
    return k == VDL_FLOAT32 || k == VDL_FLOAT64;
}

static unsigned bits_of(enum vdl_kind k)
{
    switch (k) {
    case VDL_BYTE:
    case VDL_INT8:
        return 8;
    case VDL_UINT16:
    case VDL_INT16:
        return 16;
    case VDL_UINT32:
    case VDL_INT32:
        return 32;
    default:
        return 64;
    }
}

/* Largest magnitude on that side of zero. */
static uint64_t largest(enum vdl_kind k, bool negative)
{
    unsigned bits = bits_of(k);

    if (!is_int(k))
        return negative ? 0 : UINT64_MAX >> (64 - bits);
    return (UINT64_MAX >> (65 - bits)) + negative;
}

static int store_int(enum vdl_kind to, const struct num *x, void *out)
{
    uint64_t u = x->negative ? 0 - x->size : x->size;

    if (x->size > largest(to, x->negative))
        return V23_ECONVERT;
    /* Two's complement: signed and unsigned have the same bytes. */
    switch (bits_of(to)) {
    case 8:
        *(uint8_t *)out = (uint8_t)u;
        break;
    case 16:
        *(uint16_t *)out = (uint16_t)u;
        break;
    case 32:
        *(uint32_t *)out = (uint32_t)u;
        break;
    default:
        *(uint64_t *)out = u;
        break;
    }
    return 0;
}

static int store_float(enum vdl_kind to, double d, void *out)
{
    if (to == VDL_FLOAT32)
        *(float *)out = (float)d;
    else
        *(double *)out = d;
    return 0;
}

static int int_to_float(enum vdl_kind to, const struct num *x, void *out)
{
    if (x->size > (to == VDL_FLOAT32 ? TWO24 : TWO53))
        return V23_ECONVERT;
    return store_float(to, x->negative ? -(double)x->size : (double)x->size,
        out);
}

static int real_to_int(enum vdl_kind to, double d, void *out)
{
    struct num x = { INTEGER, d < 0, 0, 0 };

    if (x.negative)
        d = -d;
    if (!(d < TWO64))
        return V23_ECONVERT;
    x.size = (uint64_t)d;
    if ((double)x.size != d)
        return V23_ECONVERT;
    return store_int(to, &x, out);
}

static int store(enum vdl_kind to, const struct num *x, void *out)
{
    if (x->form == REAL)
        return is_float(to) ? store_float(to, x->d, out)
                            : real_to_int(to, x->d, out);
    return is_float(to) ? int_to_float(to, x, out) : store_int(to, x, out);
}

int vom_num_from_byte_(uint8_t v, enum vdl_kind to, void *out)
{
    struct num x = { INTEGER, false, v, 0 };

    return store(to, &x, out);
}

int vom_dec_num_(struct vom_rd_ *r, enum vdl_kind from, enum vdl_kind to,
    void *out)
{
    struct num x = { INTEGER, false, 0, 0 };
    bool finite;
    uint64_t u;
    int rc = vom_rd_uint_(r, &u);

    if (rc != 0)
        return rc;
    if (is_float(from)) {
        x.form = REAL;
        x.d = vom_bits_float_(u);
        finite = x.d - x.d == 0;
        if (finite && (x.d > (double)FLT_MAX || x.d < -(double)FLT_MAX)) {
            if (from == VDL_FLOAT32)
                return V23_EINT;
            if (to == VDL_FLOAT32)
                return V23_ECONVERT;
        }
        if (from == VDL_FLOAT64 && to == VDL_FLOAT32 && !finite
            && x.d == x.d)
            return V23_ECONVERT;
        return store(to, &x, out);
    }
    if (is_int(from)) {
        x.negative = (u & 1) != 0;
        x.size = (u >> 1) + x.negative;
    } else {
        x.size = u;
    }
    if (x.size > largest(from, x.negative))
        return V23_EINT;
    return store(to, &x, out);
}

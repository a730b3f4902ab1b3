/* BSD-3-Clause; see LICENSE. */
/* The values that are measured. All are fixed: the seed is in the text. */
#include "bench.h"

#define INTS_N 1024
#define BLOB_N 65532
#define COUNT(a) (uint32_t)(sizeof(a) / sizeof(*(a)))

static uint64_t next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

/*
 * Of 16 numbers, 8 take one byte on the wire, 4 two, 2 three, 1 four and 1
 * five, in random order.
 */
static const bench_ints *make_ints(void)
{
    static const uint8_t bits[16] = {
        7, 7, 7, 7, 7, 7, 7, 7, 8, 8, 8, 8, 16, 16, 24, 32};
    static int32_t v[INTS_N];
    static const bench_ints ints = {v, INTS_N};
    uint64_t seed = UINT64_C(0x9E3779B97F4A7C15);
    uint32_t i, j, u;
    int32_t t;

    for (i = 0; i < INTS_N; i++) {
        u = (uint32_t)(next_random(&seed) >> 32);
        /* The highest bit set makes the size certain. */
        u = (u | UINT32_C(0x80000000)) >> (32 - bits[i % 16]);
        v[i] = (int32_t)(u >> 1);
        if ((u & 1) != 0)
            v[i] = -v[i] - 1;
    }
    for (i = INTS_N - 1; i != 0; i--) {
        j = (uint32_t)(next_random(&seed) % (i + 1));
        t = v[i];
        v[i] = v[j];
        v[j] = t;
    }
    return &ints;
}

static const bench_blob *make_blob(void)
{
    static uint8_t p[BLOB_N];
    static const bench_blob blob = {p, BLOB_N};
    uint64_t seed = 1;
    size_t i;

    for (i = 0; i < BLOB_N; i++)
        p[i] = (uint8_t)next_random(&seed);
    return &blob;
}

static const uint8_t digest[32] = {0xE3, 0xB0, 0xC4, 0x42, 0x98, 0xFC, 0x1C,
    0x14, 0x9A, 0xFB, 0xF4, 0xC8, 0x99, 0x6F, 0xB9, 0x24, 0x27, 0xAE, 0x41,
    0xE4, 0x64, 0x9B, 0x93, 0x4C, 0xA4, 0x95, 0x99, 0x1B, 0x78, 0x52, 0xB8,
    0x55};

static const struct vdl_str tags[3] = {
    VDL_STR_INIT("indoor"), VDL_STR_INIT("north"), VDL_STR_INIT("test")};

static const bench_item items[4] = {
    {3, -7, VDL_STR_INIT("left")},
    {1200, 41, VDL_STR_INIT("up")},
    {-90, 15, VDL_STR_INIT("down")},
    {64, -33, VDL_STR_INIT("go")},
};

static const bench_rec rec = {3735928559, INT64_C(1446372345678901234), 21.37,
    true, VDL_STR_INIT("kitchen-sensor"), {digest, sizeof(digest)},
    {tags, COUNT(tags)}, {items, COUNT(items)}};

/* As our client sends it for a call with a deadline of a minute. */
static const v23_rpc_request req = {
    .suffix = VDL_STR_INIT("devices/kitchen/thermometer"),
    .method = VDL_STR_INIT("Read"),
    .num_pos_args = 1,
    .deadline = {.from_now = {59, 999873412}},
    .trace_request =
        {
            .span_id = {{0x4B, 0xF9, 0x2F, 0x35, 0x77, 0xB3, 0x4D, 0xA6, 0xA3,
                0xCE, 0x92, 0x9D, 0x0E, 0x0E, 0x47, 0x36}},
            .trace_id = {{0x4B, 0xF9, 0x2F, 0x35, 0x77, 0xB3, 0x4D, 0xA6, 0xA3,
                0xCE, 0x92, 0x9D, 0x0E, 0x0E, 0x47, 0x36}},
        },
};

/* The hand-written coders with untyped values. */
#define CODER(noun, T)                                                         \
    static size_t put_##noun(uint8_t *out, size_t room, const void *v)         \
    {                                                                          \
        return floor_put_##noun(out, room, v);                                 \
    }                                                                          \
    static bool get_##noun(                                                    \
        const uint8_t *p, size_t n, struct floor_mem *mem, void *v)            \
    {                                                                          \
        return floor_get_##noun(p, n, mem, v);                                 \
    }
CODER(rec, bench_rec)
CODER(ints, bench_ints)
CODER(blob, bench_blob)
CODER(req, v23_rpc_request)

const struct shape *shapes(void)
{
    static struct shape all[SHAPES] = {
        {REC, "Rec", &bench_rec_desc, &rec, &bench_rec_blob, put_rec, get_rec,
            145, UINT64_C(0x47C31AB55706B4A4), 2, 2.5},
        {INTS, "Ints", &bench_ints_desc, NULL, &bench_ints_blob, put_ints,
            get_ints, 1987, UINT64_C(0x5412E6D4791207E9), 1.2, 1.2},
        {BLOB, "Blob", &bench_blob_desc, NULL, &bench_blob_blob, put_blob,
            get_blob, BLOB_N + 3, UINT64_C(0x9E3CCF7023856CF5), 1.25, 1.25},
        {REQ, "Req", &v23_rpc_request_desc, &req, NULL, put_req, get_req, 88,
            UINT64_C(0xE34BE2604A147DD0), 0, 0},
    };

    if (all[INTS].value == NULL) {
        all[INTS].value = make_ints();
        all[BLOB].value = make_blob();
    }
    return all;
}

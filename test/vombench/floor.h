/* BSD-3-Clause; see LICENSE. */
/**
 * What a programmer would write by hand for one shape each: straight-line code
 * that writes and reads the bytes of one value message whose type has id 41.
 * It checks what has to be checked (room, bounds, ranges, counts, leftover
 * bytes) and knows everything else in advance, among it that fields arrive in
 * ascending order.
 */
#ifndef VOMBENCH_FLOOR_H
#define VOMBENCH_FLOOR_H

#include <example.org/bench/bench.vdl.h>
#include <v23/vdl/v.io/v23/rpc/rpc.vdl.h>

/* Memory for decoded lists and texts, taken from the front. */
struct floor_mem {
    uint8_t *p, *end;
};

/* Write a message to `out`; its length, or 0 when `room` may be too little. */
size_t floor_put_rec(uint8_t *out, size_t room, const bench_rec *x);
size_t floor_put_ints(uint8_t *out, size_t room, const bench_ints *x);
size_t floor_put_blob(uint8_t *out, size_t room, const bench_blob *x);
size_t floor_put_req(uint8_t *out, size_t room, const v23_rpc_request *x);

/* Read a message of exactly n bytes; false: malformed, or out of memory. */
bool floor_get_rec(
    const uint8_t *p, size_t n, struct floor_mem *mem, bench_rec *x);
bool floor_get_ints(
    const uint8_t *p, size_t n, struct floor_mem *mem, bench_ints *x);
bool floor_get_blob(
    const uint8_t *p, size_t n, struct floor_mem *mem, bench_blob *x);
bool floor_get_req(
    const uint8_t *p, size_t n, struct floor_mem *mem, v23_rpc_request *x);

#endif

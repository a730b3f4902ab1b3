/* BSD-3-Clause; see LICENSE. */
/**
 * What the parts of the benchmark of libvom share: shapes (a value, its type
 * and its hand-written coder) and operations on them.
 */
#ifndef VOMBENCH_BENCH_H
#define VOMBENCH_BENCH_H

#include "floor.h"

#include <measure.h>
#include <stdio.h>

/* Room for the longest message, and for the longest decoded value. */
#define ROOM ((size_t)1 << 18)

enum shape_id { REC, INTS, BLOB, REQ, SHAPES };

struct shape {
    enum shape_id id;
    const char *name;
    const struct vdl_type *type;
    const void *value;
    /* Its types as the compiler emits them; NULL: it does not for this one. */
    const struct vom_blob *blob;
    size_t (*put)(uint8_t *out, size_t room, const void *v);
    bool (*get)(const uint8_t *p, size_t n, struct floor_mem *mem, void *v);
    size_t body;   /* bytes of the value, without id and length */
    uint64_t hash; /* FNV-1a of the message */
    /* Highest ratio to the floor of coding through descriptors; 0 = none. The
     * floor of a block is memcpy. */
    double encode, decode;
};
/** All shapes; the values are made at the first call. */
const struct shape *shapes(void);

/* Names of the operations that others are compared with. */
#define FLOOR "floor"
#define WARM "descriptors"
#define COPY "memcpy"

/*
 * Each makes its operations for a shape, having checked their results: bytes
 * against the floor's, values against the shape's.
 */
void floor_ops(
    const struct shape *s, struct group *encode, struct group *decode);
void vom_ops(const struct shape *s, struct group *encode, struct group *decode);

/** Nothing, where the library is not installed. */
void protobuf_ops(
    const struct shape *s, struct group *encode, struct group *decode);
void msgpack_ops(
    const struct shape *s, struct group *encode, struct group *decode);

/** The message of a shape as the hand-written coder makes it. */
struct v23_bytes floor_message(const struct shape *s);
/** Unless `ok`, say what is wrong and end the program with 1. */
void must(bool ok, const struct shape *s, const char *what);
/** Memory that stays; never NULL. */
void *keep(size_t n);

#endif

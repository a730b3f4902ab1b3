/* BSD-3-Clause; see LICENSE. */
/* What the files that read JSON share. */
#ifndef WSPR_JSON_READ_INT_H
#define WSPR_JSON_READ_INT_H

#include "json_int.h"

#include <v23/vdl/v.io/x/ref/services/wspr/internal/json/json.vdl.h>

/* Where a value is in the text. */
struct wspr_json_at_ {
    const struct wspr_json_at_ *up; /* NULL: the value itself */
    struct vdl_str name; /* of the member; p NULL: `index` says which */
    size_t index;
};

struct wspr_json_reader_ {
    const char *p, *end; /* at a value of a correct text */
    struct v23_arena *a;
    const struct wspr_json_options *opt;
    struct v23_buf *why;
    uint32_t *counts; /* members of each object and array, in their order */
    size_t ncounts, cap;
    size_t next; /* the one that comes next */
};

/* Say where and what is wrong; returns rc. */
int wspr_json_fail_(const struct wspr_json_reader_ *r,
    const struct wspr_json_at_ *at, int rc, const char *fmt, ...)
    V23_PRINTF(4, 5);
/* The value at r->p is none of type t: V23_ECONVERT. */
int wspr_json_mismatch_(const struct wspr_json_reader_ *r,
    const struct vdl_type *t, const struct wspr_json_at_ *at);

/* ---- json_scalar.c ------------------------------------------------------- */

bool wspr_json_is_ascii_(struct vdl_str s);
/* What stands between two quotes, into the arena. 0 or V23_ENOMEM. */
V23_MUST_USE int wspr_json_unescape_(
    struct v23_arena *a, struct vdl_str raw, struct vdl_str *out);
/* A scalar or bytes from a string, which lives as long as the arena;
 * V23_ECONVERT: it is none. */
V23_MUST_USE int wspr_json_from_text_(struct wspr_json_reader_ *r,
    const struct vdl_type *t, void *out, struct vdl_str s);
/* The same from a number or literal. */
V23_MUST_USE int wspr_json_from_word_(struct wspr_json_reader_ *r,
    const struct vdl_type *t, void *out, struct vdl_str s);
/* The key of a map from that of an object. */
V23_MUST_USE int wspr_json_key_(struct wspr_json_reader_ *r,
    const struct vdl_type *t, void *out, struct vdl_str s,
    const struct wspr_json_at_ *at);
/* Sort the entries of a set or map; two of one key are V23_ECONVERT. */
V23_MUST_USE int wspr_json_unique_(struct wspr_json_reader_ *r,
    const struct vdl_type *t, struct vdl_list *l,
    const struct wspr_json_at_ *at);

#endif

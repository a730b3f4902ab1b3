/* BSD-3-Clause; see LICENSE. */
/* What the files that read JSON share. */
#ifndef WSPR_JSON_READ_INT_H
#define WSPR_JSON_READ_INT_H

#include "json_int.h"

#include <cjson/cJSON.h>
#include <v23/vdl/v.io/x/ref/services/wspr/internal/json/json.vdl.h>

/* Where a value is in the text. */
struct wspr_json_at_ {
    const struct wspr_json_at_ *up; /* NULL: the value itself */
    const char *name; /* of the member; NULL: `index` says which */
    size_t index;
};

struct wspr_json_reader_ {
    struct v23_arena *a;
    const struct wspr_json_options *opt;
    struct v23_buf *why;
};

/* ---- json_text.c --------------------------------------------------------- */

/*
 * The first JSON value of a text; ends with cJSON_Delete(). In it, numbers are
 * strings: see wspr_json_is_number_(). Errors: those of wspr_json_decode()
 * about texts.
 */
V23_MUST_USE int wspr_json_parse_(struct wspr_json_reader_ *r,
    struct v23_bytes text, cJSON **out);
/* What numbers begin with, before their text. */
enum { WSPR_JSON_NUMBER_ = 0xff };
static inline bool wspr_json_is_number_(const cJSON *j)
{
    return cJSON_IsString(j) &&
        (uint8_t)j->valuestring[0] == WSPR_JSON_NUMBER_;
}
/* A string or key of such a tree, into the arena. 0 or V23_ENOMEM. */
V23_MUST_USE int wspr_json_string_(
    struct v23_arena *a, const char *s, struct vdl_str *out);

/* ---- json_read.c --------------------------------------------------------- */

/* A value of a tree, as wspr_json_decode() makes that of a text. */
V23_MUST_USE int wspr_json_take_(struct wspr_json_reader_ *r, const cJSON *j,
    const struct vdl_type *t, void *out);
/* Say where and what is wrong; returns rc. */
int wspr_json_fail_(const struct wspr_json_reader_ *r,
    const struct wspr_json_at_ *at, int rc, const char *fmt, ...)
    V23_PRINTF(4, 5);
/* The value is none of type t: V23_ECONVERT. */
int wspr_json_mismatch_(const struct wspr_json_reader_ *r, const cJSON *j,
    const struct vdl_type *t, const struct wspr_json_at_ *at);

/* ---- json_scalar.c ------------------------------------------------------- */

/* A scalar, or bytes from a string; V23_ECONVERT: it is none. */
V23_MUST_USE int wspr_json_scalar_(struct wspr_json_reader_ *r,
    const cJSON *j, const struct vdl_type *t, void *out);
/* The key of a map from that of a member. */
V23_MUST_USE int wspr_json_key_(struct wspr_json_reader_ *r,
    const struct vdl_type *t, void *out, const struct wspr_json_at_ *at);
/* Sort the entries of a set or map; two of one key are V23_ECONVERT. */
V23_MUST_USE int wspr_json_unique_(struct wspr_json_reader_ *r,
    const struct vdl_type *t, struct vdl_list *l,
    const struct wspr_json_at_ *at);

#endif

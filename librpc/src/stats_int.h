/* BSD-3-Clause; see LICENSE. */
/*
 * What the sources of the tree of statistics share, stats*.c.
 *
 * What a counter or histogram has had is kept per minute of the last hour, per 10 seconds
 * of the last 10 minutes and per second of the last minute. The place in the
 * three rings is common to all series of an object (a struct vrpc_wheel_);
 * while the second lasts only totals change, so that an update costs a
 * comparison and an addition.
 */
#ifndef VRPC_STATS_INT_H
#define VRPC_STATS_INT_H

#include <vrpc/stats.h>

enum { VRPC_SLOTS_ = 61, VRPC_RINGS_ = 3 };

/* Rings, and names of what is derived from them, in this order. */
enum vrpc_period_ { VRPC_HOUR_, VRPC_TEN_MINUTES_, VRPC_MINUTE_ };

/* Where the rings stand. */
struct vrpc_wheel_ {
    int64_t sec;                  /* that the rings were turned to */
    int64_t steps[VRPC_RINGS_];   /* slots seen, the present one included */
    uint8_t head[VRPC_RINGS_];
};

struct vrpc_rings_ {
    int64_t slot[VRPC_RINGS_][VRPC_SLOTS_];
};

/* A running total. Its rings hold what it was; NULL while it was always 0. */
struct vrpc_series_ {
    int64_t total;
    struct vrpc_rings_ *rings;
};

struct vrpc_histogram_ {
    struct vrpc_wheel_ wheel;
    struct vrpc_series_ sum;
    int64_t min, max;                 /* of all times */
    struct vrpc_rings_ *mins, *maxs;  /* of each slot */
    uint32_t nbuckets;
    int64_t *low;                     /* first values of the buckets */
    struct vrpc_series_ *buckets;
};

extern const int64_t vrpc_resolution_[VRPC_RINGS_]; /* s */

void vrpc_wheel_init_(struct vrpc_wheel_ *w, int64_t sec);
/* Turn the rings of a counter to a second; an earlier one does nothing. */
void vrpc_series_turn_(struct vrpc_wheel_ *w, struct vrpc_series_ *s,
    int64_t sec);
/* The wheel must have been turned. */
int64_t vrpc_series_delta_(const struct vrpc_wheel_ *w,
    const struct vrpc_series_ *s, enum vrpc_period_ p);
double vrpc_series_rate_(const struct vrpc_wheel_ *w,
    const struct vrpc_series_ *s, enum vrpc_period_ p);
/* `shift`: what the wall clock is ahead of the seconds of the wheel. */
V23_MUST_USE int vrpc_series_values_(const struct vrpc_wheel_ *w,
    const struct vrpc_series_ *s, enum vrpc_period_ p, int64_t shift,
    struct v23_arena *a, v23_services_stats_time_series *out);

/* Fill h->low; V23_EARG when the bounds leave the int64. */
V23_MUST_USE int vrpc_histogram_bounds_(struct vrpc_histogram_ *h,
    const struct vrpc_histogram_options *opt);
void vrpc_histogram_start_(struct vrpc_histogram_ *h, int64_t sec);
void vrpc_histogram_turn_(struct vrpc_histogram_ *h, int64_t sec);
/* Bucket of a value; -1: below the first. */
int vrpc_histogram_bucket_(const struct vrpc_histogram_ *h, int64_t v);
/* Count a value; the bucket's rings are there. */
void vrpc_histogram_add_(struct vrpc_histogram_ *h, int bucket, int64_t v);
/* period < 0: since ever. */
V23_MUST_USE int vrpc_histogram_value_(const struct vrpc_histogram_ *h,
    int period, struct v23_arena *a, v23_services_stats_histogram_value *out);

/* ---- the tree (stats_node.c) --------------------------------------------- */

#define VRPC_STATS_DEPTH_ 64
#define VRPC_NEVER_UPDATED_ INT64_MIN

enum vrpc_stat_kind_ {
    VRPC_STAT_NONE_, /* a node on the way to others */
    VRPC_STAT_INTEGER_,
    VRPC_STAT_FLOAT_,
    VRPC_STAT_STRING_,
    VRPC_STAT_FUNC_,
    VRPC_STAT_MAP_,
    VRPC_STAT_VALUE_, /* of a map */
    VRPC_STAT_COUNTER_,
    VRPC_STAT_HISTOGRAM_,
    VRPC_STAT_DERIVED_ /* of the parent, a counter or histogram */
};

enum vrpc_stat_what_ { VRPC_STAT_DELTA_, VRPC_STAT_RATE_, VRPC_STAT_SERIES_ };

struct vrpc_counter_ {
    struct vrpc_wheel_ wheel;
    struct vrpc_series_ series;
    struct vrpc_rings_ rings;
};

struct vrpc_text_ {
    char *p;
    uint32_t n;
    size_t cap;
};

struct vrpc_stat {
    struct vrpc_stats *t;
    struct vrpc_stat *parent;
    struct vrpc_stat **kids; /* by name */
    size_t nkids, cap;
    int64_t updated;
    enum vrpc_stat_kind_ kind;
    enum vrpc_stat_what_ what;           /* VRPC_STAT_DERIVED_ */
    enum vrpc_period_ period; /* VRPC_STAT_DERIVED_ */
    const struct vdl_type *type; /* VRPC_STAT_VALUE_ */
    union {
        int64_t i;
        uint64_t u;
        double f;
        bool b;
        struct vrpc_text_ text;
        struct {
            vrpc_stat_fn *fn;
            void *ud;
        } func;
        struct vrpc_counter_ *counter;
        struct vrpc_histogram_ *h;
    } u;
    uint32_t name_n;
    char name[];
};

struct vrpc_stats {
    struct vrpc_stats_config cfg;
    size_t used;
    int64_t offset; /* of the wall clock from the monotonic, at the start */
    struct vrpc_stat *root;
};

void vrpc_stats_lock_(struct vrpc_stats *t);
/* Returns rc. */
int vrpc_stats_unlock_(struct vrpc_stats *t, int rc);
/* Second of the tree's clock. */
int64_t vrpc_stats_sec_of_(const struct vrpc_stats *t, int64_t now);
/* Zeroed; *rc is set on failure. */
void *vrpc_stats_grab_(struct vrpc_stats *t, size_t size, int *rc);
void vrpc_stats_drop_(struct vrpc_stats *t, void *p, size_t size);

struct vdl_str vrpc_stat_name_(const struct vrpc_stat *s);
/* NULL: there is none. */
struct vrpc_stat *vrpc_stats_find_(struct vrpc_stat *dir, struct vdl_str name);
/* The object of that name, for those who made it; NULL: none. */
struct vrpc_stat *vrpc_stats_get_(struct vrpc_stats *t, struct vdl_str name);
/* On failure nothing was added. */
V23_MUST_USE int vrpc_stats_find_or_add_(struct vrpc_stat *from,
    struct vdl_str name, struct vrpc_stat **out);
V23_MUST_USE int vrpc_stats_root_(struct vrpc_stats *t);
bool vrpc_stat_is_text_(const struct vrpc_stat *s);
/* The node has no object any more. */
void vrpc_stat_clear_(struct vrpc_stat *s);
/* Free a node with all below it, which no other one points to. */
void vrpc_stat_free_(struct vrpc_stat *s);
void vrpc_stat_remove_(struct vrpc_stat *s);
/* Remove a node, and those above it, if they have led to it only. */
void vrpc_stat_prune_(struct vrpc_stat *s);
/* Turn the rings of a counter. */
void vrpc_stat_turn_(const struct vrpc_stat *s, int64_t now);

#endif

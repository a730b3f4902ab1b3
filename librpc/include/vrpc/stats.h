/* BSD-3-Clause; see LICENSE. */
/**
 * Statistics: a tree of named objects that a program updates and that others
 * read below __debug/stats. Source: spec/services.md 4.3, spec/rpc.md 23.
 *
 *     vrpc_stats_counter(t, vdl_str("my/requests"), &c);
 *     vrpc_stat_incr(c, 1, now);
 *
 * A name is split at '/', empty elements are ignored. A node of the tree has
 * an object, or children, or both. Times are given by the caller: `now` of the
 * functions that update is monotonic, in nanoseconds, and never goes back by
 * more than is forgotten; no clock is read here.
 *
 * Threads: without the hooks of struct vrpc_stats_config a tree belongs to one
 * thread. With them one tree serves many: each function below takes the lock
 * for as long as it runs, which for an update of a counter or a histogram is
 * some tens of instructions. Functions that compute values
 * (vrpc_stats_func()) then run in the thread that reads, under the lock.
 *
 * Memory: what all nodes of a tree take is bounded. A counter takes 2.6 KiB; a
 * histogram 6 KiB, and 1.5 KiB more for each bucket that was ever hit. An
 * update allocates at the first hit of a bucket, at the first use of a key and
 * for a longer string, else never.
 */
#ifndef VRPC_STATS_H
#define VRPC_STATS_H

#include <v23/time.h>
#include <v23/vdl/v.io/x/ref/services/stats/stats.vdl.h>
#include <vom/type.h>
#include <vrpc/glob.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vrpc_stats; /* a tree */
struct vrpc_stat;  /* an object in it */

struct vrpc_stats_config {
    const struct v23_alloc *al; /* NULL = libc */
    size_t max_bytes;           /* of the whole tree; 0 = 8 MiB */
    /* Both or none; the lock need not be recursive. */
    void (*lock)(void *ud);
    void (*unlock)(void *ud);
    void *ud;
};

/**
 * Make an empty tree.
 * @param cfg  NULL = all defaults; copied
 * @param now  the present: slots of the time series begin at whole seconds,
 *             10 seconds and minutes of the wall clock
 * @return 0, V23_ENOMEM
 */
V23_MUST_USE int vrpc_stats_new(const struct vrpc_stats_config *cfg,
    const struct v23_now *now, struct vrpc_stats **out);
/** Free the tree with all its objects; NULL is ignored. */
void vrpc_stats_free(struct vrpc_stats *t);

/* ---- objects ------------------------------------------------------------- */

/*
 * Each function below makes an object and the nodes on the way to it. The
 * object belongs to the tree; it dies with it or by vrpc_stats_delete().
 *
 * They return 0; V23_EEXIST: the node has an object; V23_EARG: the empty name,
 * or one of more than 64 elements; V23_ELIMIT: the tree is full; V23_ENOMEM. On
 * failure no object was made.
 */

/** An int64, at first 0. */
V23_MUST_USE int vrpc_stats_integer(struct vrpc_stats *t, struct vdl_str name,
    struct vrpc_stat **out);
/** A float64, at first 0. */
V23_MUST_USE int vrpc_stats_float(struct vrpc_stats *t, struct vdl_str name,
    struct vrpc_stat **out);
/** A string, at first empty. */
V23_MUST_USE int vrpc_stats_string(struct vrpc_stats *t, struct vdl_str name,
    struct vrpc_stat **out);
/**
 * An int64 with the children delta1h, delta10m, delta1m (int64: by how much it
 * grew), rate1h, rate10m, rate1m (float64: per second) and timeseries1h,
 * timeseries10m, timeseries1m (TimeSeries of 61 values at most, one per minute,
 * 10 seconds, second).
 * @param now  when it begins to count, for its rates
 */
V23_MUST_USE int vrpc_stats_counter(struct vrpc_stats *t, struct vdl_str name,
    int64_t now, struct vrpc_stat **out);
/**
 * A node without value whose children are made by vrpc_stat_map_set() and
 * vrpc_stat_map_incr().
 */
V23_MUST_USE int vrpc_stats_map(struct vrpc_stats *t, struct vdl_str name,
    struct vrpc_stat **out);

/*
 * A value computed when it is read: an int64, float64, string or any other
 * constant or arena-held value of a type that outlives the tree. A status other
 * than 0 means "no value". It must not call functions of the same tree.
 */
typedef int vrpc_stat_fn(void *ud, const struct v23_now *now,
    struct v23_arena *a, struct vdl_any *out);
/** An object whose value is computed; it counts as updated at any time. */
V23_MUST_USE int vrpc_stats_func(struct vrpc_stats *t, struct vdl_str name,
    vrpc_stat_fn *fn, void *ud);

struct vrpc_histogram_options {
    uint32_t buckets; /* 1 .. 1000; 0 = 32 */
    double growth;    /* bucket n + 1 is larger than n by this share; ≥ 0 */
    double smallest;  /* size of the first bucket; 0 = 1 */
    int64_t min;      /* where the first bucket begins */
};
/**
 * A HistogramValue with the children delta1h, delta10m and delta1m of the same
 * type. Sizes of buckets are rounded down; the last one has no end.
 * @param opt  NULL = all defaults
 * @return as above; V23_EARG also for options out of range, and for buckets
 *         beyond the int64
 */
V23_MUST_USE int vrpc_stats_histogram(struct vrpc_stats *t,
    struct vdl_str name, const struct vrpc_histogram_options *opt,
    int64_t now, struct vrpc_stat **out);
/**
 * Remove a node with everything below it.
 * @return 0; V23_ENOENT: no such node, or the root
 */
int vrpc_stats_delete(struct vrpc_stats *t, struct vdl_str name);

/* ---- updates ------------------------------------------------------------- */

/* NULL as object is ignored (0), so that a program need not ask everywhere
 * whether it has statistics. Another kind of object than named: V23_EARG. */

/** Set an integer or a counter. */
int vrpc_stat_set_int(struct vrpc_stat *s, int64_t v, int64_t now);
/** Add to an integer or a counter; wraps around. */
int vrpc_stat_incr(struct vrpc_stat *s, int64_t delta, int64_t now);
int vrpc_stat_set_float(struct vrpc_stat *s, double v, int64_t now);
/** @return also V23_ELIMIT, V23_ENOMEM; the old text then stays */
int vrpc_stat_set_string(struct vrpc_stat *s, struct vdl_str v, int64_t now);
/**
 * Add a value to a histogram.
 * @return also V23_EARG: below the first bucket; V23_ELIMIT, V23_ENOMEM: there
 *         is no room for a bucket's series, nothing was added
 */
int vrpc_stat_record(struct vrpc_stat *s, int64_t v, int64_t now);
/**
 * Set a key of a map.
 * @param v  a bool, any integer, a float or a string; integers are kept as
 *           int64 or uint64
 * @return also V23_EARG: another kind of value, an empty key, or the key is
 *         taken by an object that is not the map's; V23_ELIMIT, V23_ENOMEM
 */
int vrpc_stat_map_set(struct vrpc_stat *map, struct vdl_str key,
    struct vdl_any v, int64_t now);
/**
 * Add to a key of a map, made as int64 when it is missing.
 * @return as vrpc_stat_map_set(); V23_EARG: the value is no number
 */
int vrpc_stat_map_incr(struct vrpc_stat *map, struct vdl_str key,
    int64_t delta, int64_t now);
/** Remove a key; a missing one is ignored. */
void vrpc_stat_map_delete(struct vrpc_stat *map, struct vdl_str key);

/* ---- reading ------------------------------------------------------------- */

/**
 * The value of an object.
 * @param out  in the arena; type NULL: it has none (a map, or a function that
 *             could not compute it)
 * @return 0; V23_ENOENT: no node of that name, or no object there; V23_ENOMEM
 */
V23_MUST_USE int vrpc_stats_value(struct vrpc_stats *t, struct vdl_str name,
    const struct v23_now *now, struct v23_arena *a, struct vdl_any *out);

struct vrpc_stats_query {
    struct v23_now now;
    int64_t since; /* monotonic: only objects updated then or later; INT64_MIN
                      = all nodes, also those without object */
    bool values;   /* the values too */
};
struct vrpc_stats_match {
    struct vdl_str name;  /* relative to the root of the search */
    struct vdl_any value; /* type NULL: none, or not asked for */
};
struct vrpc_stats_matches {
    const struct vrpc_stats_match *v;
    size_t n;
};
/**
 * Nodes below `root` (and itself) that match a pattern, sorted by name. A
 * derived object, such as a counter's rate, counts as updated until its period
 * has passed after the last update of its counter.
 * @param out  in the arena: a picture of this moment
 * @return 0; V23_ENOENT: no such root; V23_ENOMEM: the arena is full
 */
V23_MUST_USE int vrpc_stats_glob(struct vrpc_stats *t, struct vdl_str root,
    const struct vrpc_glob *pattern, const struct vrpc_stats_query *q,
    struct v23_arena *a, struct vrpc_stats_matches *out);

/**
 * Append the text form of a histogram, as people read it: a line with the
 * totals, and one for each bucket with its bounds, count, share, running share
 * and a bar. Ends with a newline. Source: spec/services.md 4.3.
 */
void vrpc_histogram_format(const v23_services_stats_histogram_value *h,
    struct v23_buf *out);

#ifdef __cplusplus
}
#endif
#endif

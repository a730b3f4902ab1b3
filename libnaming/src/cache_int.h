/* BSD-3-Clause; see LICENSE. */
/*
 * The resolution cache of a namespace client (spec/naming.md 13.7): resolved
 * prefix → servers with their deadlines. No clock: callers pass the time.
 */
#ifndef VNAME_CACHE_INT_H
#define VNAME_CACHE_INT_H

#include <v23/vdl/v.io/v23/naming/naming.vdl.h>

#define VNAME_CACHE_MAX 4000 /* entries at which cleaning starts, by default;
                                it ends below three quarters of them */
#define VNAME_NOT_MT_NS (60 * INT64_C(1000000000))

struct vname_cache;

/* `max` ≥ 4 entries; `seed` drives the choice of victims only. */
int vname_cache_new_(const struct v23_alloc *al, size_t max, uint64_t seed,
    struct vname_cache **out);
void vname_cache_free_(struct vname_cache *c);
size_t vname_cache_size_(const struct vname_cache *c);
/* Each key, any order. */
void vname_cache_keys_(const struct vname_cache *c,
    void (*fn)(void *ud, struct vdl_str key), void *ud);
/*
 * Remember the answer to `name`. Deadlines in `e` are relative to now.
 * Failure to allocate loses the entry, nothing else.
 */
void vname_cache_remember_(struct vname_cache *c, struct v23_arena *scratch,
    struct vdl_str name, const v23_naming_mount_entry *e, int64_t now_ns);
/*
 * 0 with *out built in the arena (Name = what is left, deadlines relative);
 * V23_ENONAME; V23_ENOMEM.
 */
int vname_cache_lookup_(struct vname_cache *c, struct v23_arena *a,
    struct vdl_str name, int64_t now_ns, v23_naming_mount_entry *out);
/* One step of lookup: take the last element from `prefix`, part of a clean
 * name; *rest is what of the name is not in it. */
void vname_cache_shorten_(struct vdl_str name, struct vdl_str *prefix,
    struct vdl_str *rest);
/* Delete every key that has `name` as string prefix. */
void vname_cache_forget_(struct vname_cache *c, struct v23_arena *scratch,
    struct vdl_str name);
/* A rooted name: flush what leads to it; true when something was. */
bool vname_cache_flush_(struct vname_cache *c, struct v23_arena *scratch,
    struct vdl_str name, int64_t now_ns);
void vname_cache_set_not_mt_(struct vname_cache *c, struct vdl_str server,
    int64_t now_ns);
bool vname_cache_is_not_mt_(struct vname_cache *c, struct vdl_str server,
    int64_t now_ns);

#endif

/* BSD-3-Clause; see LICENSE. */
/**
 * Allocators and arenas.
 *
 * No library calls malloc: objects take a `const struct v23_alloc *` when they
 * are made (NULL = libc's) and keep the pointer. Values that come from a peer
 * are decoded into a struct v23_arena, which also carries the budget that the
 * peer's bytes may use; freeing a value is resetting its arena.
 *
 * Thread: an arena belongs to one thread. An allocator is as thread-safe as
 * its functions.
 */
#ifndef V23_ALLOC_H
#define V23_ALLOC_H

#include <stddef.h>
#include <stdint.h>

#include <v23/err.h>

#ifdef __cplusplus
extern "C" {
#endif

struct v23_alloc {
    void *(*get)(void *ud, size_t size);           /* NULL when exhausted */
    void *(*regrow)(void *ud, void *p, size_t size); /* p may be NULL */
    void (*put)(void *ud, void *p);                /* p may be NULL */
    void *ud;
};

/*
 * malloc, realloc, free. What NULL stands for. A program without a heap defines
 * it itself, over memory of its own; then malloc is not linked.
 */
extern const struct v23_alloc v23_alloc_libc;

/** Get `size` (> 0) bytes, suitably aligned for any type; NULL when out. */
void *v23_get(const struct v23_alloc *al, size_t size);
/** The same, zeroed. `count * size` is checked for overflow. */
void *v23_get0(const struct v23_alloc *al, size_t count, size_t size);
/** Resize `p` (NULL = get). On failure NULL, and `p` stays valid. */
void *v23_regrow(const struct v23_alloc *al, void *p, size_t size);
/** Give back `p` (NULL is ignored). */
void v23_put(const struct v23_alloc *al, void *p);

/* One zeroed object of type T, or NULL. */
#define v23_new(al, T) ((T *)v23_get0((al), 1, sizeof(T)))

/** *out = a + b; V23_ELIMIT when it does not fit. */
V23_MUST_USE int v23_add_size(size_t a, size_t b, size_t *out);
/** *out = a * b; V23_ELIMIT when it does not fit. */
V23_MUST_USE int v23_mul_size(size_t a, size_t b, size_t *out);

/*
 * Grow the array *v of `esize`-byte elements so that it holds at least `need`
 * elements, doubling, never above `max`. Updates *v and *cap.
 * 0, V23_ENOMEM or V23_ELIMIT (need > max); unchanged on failure.
 */
V23_MUST_USE int v23_reserve(const struct v23_alloc *al, void **v, size_t *cap,
    size_t need, size_t max, size_t esize);

/* ---- reference counts ---------------------------------------------------- */

/* First member of objects that several owners share. Not atomic. */
struct v23_ref {
    uint32_t n;
    void (*destroy)(struct v23_ref *r); /* called when n falls to 0 */
};

/** Add one owner; returns r. */
struct v23_ref *v23_ref(struct v23_ref *r);
/** Remove one owner; NULL is ignored. */
void v23_unref(struct v23_ref *r);

/* ---- arenas -------------------------------------------------------------- */

/*
 * A bump allocator. Either chained blocks from an allocator, or one caller-
 * given buffer and no allocator. Fields are private but for `used` and `limit`.
 */
struct v23_arena {
    const struct v23_alloc *al; /* NULL with `fixed` */
    struct v23_arena_block *blocks;
    struct v23_arena_held *held;
    uint8_t *p, *end;           /* free space of the newest block */
    size_t used;                /* bytes handed out since the last reset */
    size_t limit;               /* budget for `used` */
    uint8_t *fixed;             /* caller's buffer, or NULL */
    size_t fixed_size;
    size_t first;               /* size of the first block */
};

/**
 * Make an empty arena that takes blocks from an allocator.
 *
 * @param al     NULL = libc; must outlive the arena
 * @param limit  most bytes that may be handed out between two resets;
 *               SIZE_MAX = no limit
 */
void v23_arena_init(struct v23_arena *a, const struct v23_alloc *al,
    size_t limit);
/** The same where little will be put: the first block has `first` bytes. */
void v23_arena_init_small(struct v23_arena *a, const struct v23_alloc *al,
    size_t limit, size_t first);
/** Make an arena over `mem`; never allocates anything else. */
void v23_arena_init_fixed(struct v23_arena *a, void *mem, size_t size);
/**
 * Get memory, not zeroed.
 *
 * @param size   0 gives a valid, unusable pointer
 * @param align  power of two ≤ 16
 * @return       NULL when the budget, the buffer or the allocator is exhausted
 */
void *v23_arena_get(struct v23_arena *a, size_t size, size_t align);
/** count * size bytes, zeroed; NULL also when the product overflows. */
void *v23_arena_get0(struct v23_arena *a, size_t count, size_t size,
    size_t align);
/** Copy n bytes into the arena (and a NUL behind them); NULL when out. */
void *v23_arena_dup(struct v23_arena *a, const void *p, size_t n);
/**
 * Keep a shared object alive until the next reset. Holding the object that was
 * held last again costs nothing.
 * @return 0 or V23_ENOMEM (no reference taken)
 */
V23_MUST_USE int v23_arena_hold(struct v23_arena *a, struct v23_ref *r);
/* A point to go back to when a decode fails half way. */
struct v23_arena_mark {
    struct v23_arena_block *block;
    uint8_t *p;
    size_t used;
};
struct v23_arena_mark v23_arena_mark(const struct v23_arena *a);
/** Forget everything handed out since `m` (references held stay held). */
void v23_arena_rewind(struct v23_arena *a, struct v23_arena_mark m);
/** Forget everything handed out; keeps the first block for reuse. */
void v23_arena_reset(struct v23_arena *a);
/** Give all memory back. The arena may be initialised again. */
void v23_arena_fini(struct v23_arena *a);

#define v23_arena_new(a, T) \
    ((T *)v23_arena_get0((a), 1, sizeof(T), V23_ALIGNOF(T)))
#ifdef __cplusplus
#define V23_ALIGNOF(T) alignof(T)
#else
#define V23_ALIGNOF(T) _Alignof(T)
#endif

#ifdef __cplusplus
}
#endif
#endif

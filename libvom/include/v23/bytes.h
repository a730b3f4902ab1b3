/* BSD-3-Clause; see LICENSE. */
/**
 * Views on bytes, growable buffers, secrets, hex and base64.
 *
 * struct vdl_str and struct vdl_bytes (32-bit lengths) are VDL values;
 * struct v23_bytes (size_t) is a view used everywhere else. None owns memory.
 */
#ifndef V23_BYTES_H
#define V23_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <v23/alloc.h>

#ifdef __cplusplus
extern "C" {
#endif

struct v23_bytes {
    const uint8_t *p;
    size_t n;
};

/* A VDL string: any bytes, not NUL-terminated. n == 0: p is ignored. */
struct vdl_str {
    const char *p;
    uint32_t n;
};

/* A VDL []byte. n == 0: p is ignored. */
struct vdl_bytes {
    const uint8_t *p;
    uint32_t n;
};

/* Constant initialiser of a vdl_str from a literal or an array with a NUL. */
#define VDL_STR_INIT(lit) { (lit), (uint32_t)(sizeof(lit) - 1) }

/** View of a NUL-terminated string (NULL = empty), which must stay alive. */
static inline struct vdl_str vdl_str(const char *s)
{
    struct vdl_str v;

    v.p = s;
    v.n = s == NULL ? 0 : (uint32_t)strlen(s);
    return v;
}
/** View of n bytes. */
static inline struct vdl_str vdl_strn(const char *p, size_t n)
{
    struct vdl_str v;

    v.p = p;
    v.n = (uint32_t)n;
    return v;
}
static inline struct vdl_bytes vdl_bytes(const uint8_t *p, size_t n)
{
    struct vdl_bytes v;

    v.p = p;
    v.n = (uint32_t)n;
    return v;
}
static inline struct v23_bytes v23_bytes(const void *p, size_t n)
{
    struct v23_bytes v;

    v.p = (const uint8_t *)p;
    v.n = n;
    return v;
}
/** Octet-wise equality. */
static inline bool vdl_str_eq(struct vdl_str a, struct vdl_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
static inline bool vdl_str_is(struct vdl_str a, const char *lit)
{
    return vdl_str_eq(a, vdl_str(lit));
}
static inline bool vdl_bytes_eq(struct vdl_bytes a, struct vdl_bytes b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
/** Lower-case form of an ASCII letter; other octets as they are. */
static inline char v23_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}
/** Equality but for the case of ASCII letters. */
bool vdl_str_eq_nocase(struct vdl_str a, struct vdl_str b);
/** Octet-wise order: <0, 0, >0; a proper prefix sorts first. */
int vdl_str_cmp(struct vdl_str a, struct vdl_str b);

/* ---- growable output buffer ---------------------------------------------- */

/*
 * Bytes [0, n) of p are content. With `al` == NULL and `fixed` the buffer is
 * the caller's and never grows (V23_ENOSPC). The first failure sticks in
 * `err`; later writes do nothing, so one check at the end is enough.
 */
struct v23_buf {
    uint8_t *p;
    size_t n, cap, max;
    const struct v23_alloc *al;
    bool fixed;
    int err;
};

/** Empty growable buffer; `max` bounds its size (V23_ELIMIT beyond). */
void v23_buf_init(struct v23_buf *b, const struct v23_alloc *al, size_t max);
/** Buffer over caller memory. */
void v23_buf_init_fixed(struct v23_buf *b, void *mem, size_t size);
/** Give memory back and reset to an empty buffer. */
void v23_buf_fini(struct v23_buf *b);
/** Make room for `n` more bytes. 0 or the (sticky) error. */
V23_MUST_USE int v23_buf_room(struct v23_buf *b, size_t n);
/** Append; on failure only `err` changes. */
void v23_buf_put(struct v23_buf *b, const void *p, size_t n);
void v23_buf_put_byte(struct v23_buf *b, uint8_t c);
void v23_buf_puts(struct v23_buf *b, const char *s);
void v23_buf_put_str(struct v23_buf *b, struct vdl_str s);
/** Decimal digits; a good deal faster than printf. */
void v23_buf_put_uint(struct v23_buf *b, uint64_t x);
void v23_buf_put_int(struct v23_buf *b, int64_t x);
/** printf into the buffer (no NUL is kept). */
void v23_buf_printf(struct v23_buf *b, const char *fmt, ...) V23_PRINTF(2, 3);
/** Drop the first n bytes (n ≤ b->n), moving the rest down. */
void v23_buf_drop(struct v23_buf *b, size_t n);
/** Cut back to n ≤ b->n bytes and clear `err`. */
void v23_buf_cut(struct v23_buf *b, size_t n);
/** Give back the memory beyond the content, where the allocator can. */
void v23_buf_fit(struct v23_buf *b);
/** NUL-terminate without counting it; "" on failure. */
const char *v23_buf_cstr(struct v23_buf *b);

/* ---- secrets ------------------------------------------------------------- */

/** Overwrite memory; not removed by the optimiser. */
void v23_wipe(void *p, size_t n);
/** Equality in time that depends on n only. */
bool v23_ct_equal(const void *a, const void *b, size_t n);

/* ---- tables -------------------------------------------------------------- */

/**
 * Hash of n bytes for tables in memory.
 *
 * Who does not know `key` cannot choose bytes that collide; who sees hashes
 * can find the key, so they stay inside. The value differs between byte
 * orders: never store or send it.
 *
 * @param key  random where the bytes come from strangers; any number elsewhere
 */
uint64_t v23_hash(uint64_t key, const void *p, size_t n);

/* ---- text forms ---------------------------------------------------------- */

/** Append lower-case hex. */
void v23_hex_put(struct v23_buf *out, const void *p, size_t n);
/**
 * Decode hex (either case) and append.
 * @return 0, V23_ETEXT (odd length or bad digit), V23_ENOMEM, V23_ENOSPC
 */
V23_MUST_USE int v23_hex_parse(const char *s, size_t n, struct v23_buf *out);
/** Append base64 with padding; `url` selects the alphabet of RFC 4648 §5. */
void v23_base64_put(struct v23_buf *out, const void *p, size_t n, bool url);
/** Decode padded base64; CR and LF are ignored. V23_ETEXT on anything else. */
V23_MUST_USE int v23_base64_parse(const char *s, size_t n, bool url,
    struct v23_buf *out);
/**
 * Length of the UTF-8 sequence at p (1..4), or 0 when it is invalid.
 * @param cp  receives the code point; may be NULL
 */
size_t v23_utf8_next(const char *p, size_t n, uint32_t *cp);

#ifdef __cplusplus
}
#endif
#endif

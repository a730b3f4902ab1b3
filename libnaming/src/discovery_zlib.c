/* BSD-3-Clause; see LICENSE. */
/*
 * Raw deflate with zlib. In an object of its own, so that a program that packs
 * or unpacks without it needs no zlib.
 */
#define ZLIB_CONST /* input is not written to */
#include <limits.h>
#include <zlib.h>

#include <vname/discovery.h>

enum { CHUNK = 1024 };

/* zlib's memory comes from the allocator of the buffer that is written. */
static void *get(void *ud, unsigned n, unsigned size)
{
    const struct v23_alloc *const *al = ud;

    return v23_get0(*al, n, size);
}

static void put(void *ud, void *p)
{
    const struct v23_alloc *const *al = ud;

    v23_put(*al, p);
}

static int status(int z)
{
    return z == Z_OK ? 0 : z == Z_MEM_ERROR ? V23_ENOMEM : V23_ETEXT;
}

/* Run one of both until its end. */
static int run(z_stream *s, int (*step)(z_stream *s, int flush),
    struct v23_buf *out)
{
    uint8_t chunk[CHUNK];
    int z;

    do {
        s->next_out = chunk;
        s->avail_out = CHUNK;
        z = step(s, Z_FINISH);
        v23_buf_put(out, chunk, CHUNK - s->avail_out);
        if (out->err != 0)
            return out->err;
    } while (z == Z_OK || (z == Z_BUF_ERROR && s->avail_out == 0));
    return z == Z_STREAM_END ? 0 : z == Z_BUF_ERROR ? V23_EEOF : status(z);
}

static int begin(z_stream *s, struct v23_bytes in,
    const struct v23_alloc **al)
{
    if (in.n > UINT_MAX)
        return V23_ELIMIT;
    memset(s, 0, sizeof(*s));
    s->zalloc = get;
    s->zfree = put;
    s->opaque = al;
    s->next_in = in.p;
    s->avail_in = (uInt)in.n;
    return 0;
}

static int shorten(struct v23_bytes in, struct v23_buf *out)
{
    const struct v23_alloc *al = out->al;
    z_stream s;
    int rc = begin(&s, in, &al);

    if (rc == 0)
        rc = status(deflateInit2(&s, Z_DEFAULT_COMPRESSION, Z_DEFLATED,
            -MAX_WBITS, 8, Z_DEFAULT_STRATEGY));
    if (rc != 0)
        return rc;
    rc = run(&s, deflate, out);
    deflateEnd(&s);
    return rc;
}

static int lengthen(struct v23_bytes in, struct v23_buf *out)
{
    const struct v23_alloc *al = out->al;
    z_stream s;
    int rc = begin(&s, in, &al);

    if (rc == 0)
        rc = status(inflateInit2(&s, -MAX_WBITS));
    if (rc != 0)
        return rc;
    rc = run(&s, inflate, out);
    if (rc == 0 && s.avail_in != 0)
        rc = V23_ETEXT; /* something follows */
    inflateEnd(&s);
    return rc;
}

const struct vname_deflate vname_deflate_zlib = { shorten, lengthen };

/* BSD-3-Clause; see LICENSE. */
/*
 * PEM blocks. The reader is lenient about what surrounds a block and about
 * white space, and takes a block only when it is complete: begin line, headers,
 * base64, end line of the same type.
 */
#include "key_int.h"

static const char begin[] = "-----BEGIN ";
static const char end[] = "-----END ";
static const char dashes[] = "-----";

/* Take a line off *in, without its end and trailing white space. */
static struct vdl_str take_line(struct v23_bytes *in)
{
    const uint8_t *nl = (const uint8_t *)memchr(in->p, '\n', in->n);
    size_t n = nl == NULL ? in->n : (size_t)(nl - in->p);
    struct vdl_str line = vdl_strn((const char *)in->p, n);

    if (nl != NULL)
        n++;
    in->p += n;
    in->n -= n;
    while (line.n > 0
        && (line.p[line.n - 1] == ' ' || line.p[line.n - 1] == '\t'
            || line.p[line.n - 1] == '\r'))
        line.n--;
    return line;
}

static bool starts_with(struct vdl_str s, const char *prefix)
{
    size_t n = strlen(prefix);

    return s.n >= n && memcmp(s.p, prefix, n) == 0;
}

/* Is `line` PREFIX type -----? */
static bool is_boundary(struct vdl_str line, const char *prefix,
    struct vdl_str *type)
{
    size_t n = strlen(prefix), tail = sizeof(dashes) - 1;

    if (!starts_with(line, prefix) || line.n <= n + tail
        || memcmp(line.p + line.n - tail, dashes, tail) != 0)
        return false;
    *type = vdl_strn(line.p + n, line.n - n - tail);
    return true;
}

/* Append the octets of a line that are not blank. */
static void put_line(struct v23_buf *b, struct vdl_str line)
{
    uint32_t i;

    for (i = 0; i < line.n; i++)
        if (line.p[i] != ' ' && line.p[i] != '\t')
            v23_buf_put_byte(b, (uint8_t)line.p[i]);
}

/*
 * Read what follows a begin line: headers into out->headers, base64 text into
 * `b64`. True at the end line of out->type, with *in behind it.
 */
static bool take_block(struct v23_bytes *in, struct vsec_pem *out,
    struct v23_buf *b64)
{
    struct v23_bytes rest = *in, next;
    struct vdl_str line, type;
    const char *headers = (const char *)in->p;

    for (next = rest; next.n > 0; rest = next) {
        line = take_line(&next);
        if (starts_with(line, dashes)
            || memchr(line.p, ':', line.n) == NULL)
            break;
    }
    out->headers = vdl_strn(headers,
        (size_t)((const char *)rest.p - headers));
    while (rest.n > 0) {
        next = rest;
        line = take_line(&next);
        if (is_boundary(line, end, &type)) {
            if (!vdl_str_eq(type, out->type))
                return false;
            *in = next;
            return true;
        }
        if (starts_with(line, dashes))
            return false;
        put_line(b64, line);
        rest = next;
    }
    return false;
}

/* Octets up to the next line of dashes, where a block ends. */
static size_t block_size(struct v23_bytes in)
{
    struct v23_bytes rest = in;

    while (rest.n > 0)
        if (starts_with(take_line(&rest), dashes))
            break;
    return in.n - rest.n;
}

int vsec_pem_next(struct v23_bytes *text, const struct v23_alloc *al,
    struct vsec_pem *out)
{
    struct v23_bytes in = *text;
    struct vsec_pem pem;
    struct v23_buf b64;
    int rc = V23_ENOENT;

    if (in.n > KEY_FILE_MAX)
        return V23_ELIMIT;
    memset(&pem, 0, sizeof(pem));
    v23_buf_init(&pem.body, al, KEY_FILE_MAX);
    v23_buf_init(&b64, al, KEY_FILE_MAX);
    while (in.n > 0 && rc == V23_ENOENT) {
        if (!is_boundary(take_line(&in), begin, &pem.type))
            continue;
        /* Room at once: growing would leave copies of a key behind. */
        rc = v23_buf_room(&b64, block_size(in));
        if (rc == 0)
            rc = v23_buf_room(&pem.body, block_size(in));
        if (rc != 0)
            break;
        if (!take_block(&in, &pem, &b64)
            || v23_base64_parse((const char *)b64.p, b64.n, false, &pem.body)
                != 0) {
            v23_buf_cut(&b64, 0);
            v23_buf_cut(&pem.body, 0);
            rc = V23_ENOENT;
        }
    }
    vsec_wipe_buf_(&b64);
    if (rc == 0) {
        *out = pem;
        *text = in;
    } else {
        vsec_wipe_buf_(&pem.body);
    }
    return rc;
}

void vsec_pem_fini(struct vsec_pem *p)
{
    vsec_wipe_buf_(&p->body);
}

struct vdl_str vsec_pem_header(const struct vsec_pem *p, const char *key)
{
    struct v23_bytes in = v23_bytes(p->headers.p, p->headers.n);
    size_t n = strlen(key);
    struct vdl_str line;

    while (in.n > 0) {
        line = take_line(&in);
        if (line.n <= n || memcmp(line.p, key, n) != 0 || line.p[n] != ':')
            continue;
        line = vdl_strn(line.p + n + 1, line.n - n - 1);
        while (line.n > 0 && (*line.p == ' ' || *line.p == '\t'))
            line = vdl_strn(line.p + 1, line.n - 1);
        return line;
    }
    return vdl_str(NULL);
}

int vsec_pem_put(const char *type, const char *header, const void *p,
    size_t n, struct v23_buf *out)
{
    const uint8_t *q = (const uint8_t *)p;
    size_t before = out->n, k;
    int rc;

    if (n > KEY_FILE_MAX)
        return V23_ELIMIT;
    rc = v23_buf_room(out,
        n / 3 * 4 + n / 48 + 64 + 2 * strlen(type)
            + (header == NULL ? 0 : strlen(header)));
    if (rc != 0)
        return rc;
    v23_buf_puts(out, begin);
    v23_buf_puts(out, type);
    v23_buf_puts(out, "-----\n");
    if (header != NULL) {
        v23_buf_puts(out, header);
        v23_buf_put_byte(out, '\n');
    }
    for (; n > 0; q += k, n -= k) {
        k = n < 48 ? n : 48;
        v23_base64_put(out, q, k, false);
        v23_buf_put_byte(out, '\n');
    }
    v23_buf_puts(out, end);
    v23_buf_puts(out, type);
    v23_buf_puts(out, "-----\n");
    rc = out->err;
    if (rc != 0)
        vsec_wipe_cut_(out, before);
    return rc;
}

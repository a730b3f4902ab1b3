/* BSD-3-Clause; see LICENSE. */
/* Names of services and instances, and strings of TXT records. */
#include <vname/dnssd.h>

/* ---- names --------------------------------------------------------------- */

int vname_dns_service(struct vdl_str service, struct v23_buf *out)
{
    v23_buf_puts(out, "_");
    v23_buf_put_str(out, service);
    v23_buf_puts(out, "._tcp.local");
    return out->err;
}

int vname_dns_instance(struct vdl_str instance, struct vdl_str domain,
    struct v23_buf *out)
{
    uint32_t i;

    if (instance.n == 0 || instance.n > VNAME_LABEL_MAX)
        return V23_EARG;
    for (i = 0; i < instance.n; i++) {
        uint8_t c = (uint8_t)instance.p[i];

        if (c == '.' || c == '\\')
            v23_buf_printf(out, "\\%c", c);
        else if (c <= ' ' || c >= 0x7f)
            v23_buf_printf(out, "\\%03u", c);
        else
            v23_buf_put_byte(out, c);
    }
    v23_buf_puts(out, ".");
    v23_buf_put_str(out, domain);
    return out->err;
}

int vname_dns_host(struct vdl_str host, struct v23_buf *out)
{
    return vname_dns_instance(host, vdl_str("local"), out);
}

/* The byte that an escape at s (behind its backslash) stands for; the number of
 * its octets, 0 if it is none. */
static size_t unescape(struct vdl_str s, uint8_t *c)
{
    unsigned v = 0, i;

    if (s.n == 0)
        return 0;
    if (s.p[0] < '0' || s.p[0] > '9') {
        *c = (uint8_t)s.p[0];
        return 1;
    }
    if (s.n < 3)
        return 0;
    for (i = 0; i < 3; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return 0;
        v = v * 10 + (unsigned)(s.p[i] - '0');
    }
    *c = (uint8_t)v;
    return v > 255 ? 0 : 3;
}

int vname_dns_instance_of(struct vdl_str name, struct vdl_str domain,
    struct v23_buf *out)
{
    struct vdl_str tail;
    uint32_t i, head;
    size_t start = out->n;

    if (name.n != 0 && name.p[name.n - 1] == '.')
        name.n--;
    if (name.n < domain.n)
        return V23_ENOENT;
    head = name.n - domain.n;
    tail = vdl_strn(name.p + head, domain.n);
    if (!vdl_str_eq_nocase(tail, domain)
        || (head != 0 && name.p[head - 1] != '.'))
        return V23_ENOENT;
    if (head < 2)
        return V23_ETEXT;
    head--;
    for (i = 0; i < head; i++) {
        uint8_t c = (uint8_t)name.p[i];

        if (c == '\\') {
            size_t n = unescape(vdl_strn(name.p + i + 1, head - i - 1), &c);

            if (n == 0) {
                v23_buf_cut(out, start);
                return V23_ETEXT;
            }
            i += (uint32_t)n;
        }
        v23_buf_put_byte(out, c);
    }
    return out->err;
}

/* ---- TXT records --------------------------------------------------------- */

int vname_txt_pack(vdl_str_list strings, struct v23_buf *out)
{
    size_t size = 0;
    uint32_t i;

    for (i = 0; i < strings.n; i++) {
        size += (size_t)strings.v[i].n + 1;
        if (strings.v[i].n > VNAME_TXT_STRING_MAX || size > VNAME_TXT_MAX)
            return V23_ELIMIT;
    }
    for (i = 0; i < strings.n; i++) {
        v23_buf_put_byte(out, (uint8_t)strings.v[i].n);
        v23_buf_put_str(out, strings.v[i]);
    }
    return out->err;
}

int vname_txt_unpack(struct v23_bytes data, struct v23_arena *a,
    vdl_str_list *out)
{
    struct vdl_str *v;
    size_t at, n = 0, i;

    for (at = 0; at < data.n; at += 1u + data.p[at]) {
        if (data.p[at] > data.n - at - 1)
            return V23_EEOF;
        n++;
    }
    v = v23_arena_get0(a, n, sizeof(*v), V23_ALIGNOF(struct vdl_str));
    if (v == NULL)
        return V23_ENOMEM;
    for (at = 0, i = 0; i < n; at += 1u + data.p[at], i++)
        v[i] = vdl_strn((const char *)data.p + at + 1, data.p[at]);
    out->v = v;
    out->n = (uint32_t)n;
    return 0;
}

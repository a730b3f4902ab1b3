/* BSD-3-Clause; see LICENSE. */
/* Hex, base64 (RFC 4648) and UTF-8. */
#include <v23/bytes.h>

static const char hex_digits[] = "0123456789abcdef";

void v23_hex_put(struct v23_buf *out, const void *p, size_t n)
{
    const uint8_t *b = p;
    uint8_t *to;
    size_t i;

    if (n == 0 ||
        v23_buf_room(out, n > SIZE_MAX / 2 ? SIZE_MAX : 2 * n) != 0)
        return;
    to = out->p + out->n;
    for (i = 0; i < n; i++) {
        *to++ = (uint8_t)hex_digits[b[i] >> 4];
        *to++ = (uint8_t)hex_digits[b[i] & 15];
    }
    out->n += 2 * n;
}

/* Values of digits, plus 1; 0 for everything else. */
static const uint8_t hex_values[256] = {
    ['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6,
    ['6'] = 7, ['7'] = 8, ['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12,
    ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16, ['A'] = 11, ['B'] = 12,
    ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

int v23_hex_parse(const char *s, size_t n, struct v23_buf *out)
{
    unsigned hi, lo, bad = 0;
    uint8_t *to;
    size_t i;
    int rc;

    if (n % 2 != 0)
        return V23_ETEXT;
    rc = v23_buf_room(out, n / 2);
    if (rc != 0 || n == 0)
        return rc;
    to = out->p + out->n;
    for (i = 0; i < n; i += 2) {
        /* Huge for what is no digit: one check at the end is enough. */
        hi = (unsigned)hex_values[(uint8_t)s[i]] - 1;
        lo = (unsigned)hex_values[(uint8_t)s[i + 1]] - 1;
        bad |= hi | lo;
        *to++ = (uint8_t)(hi << 4 | lo);
    }
    if (bad > 15)
        return V23_ETEXT;
    out->n += n / 2;
    return 0;
}

static char base64_digit(uint32_t v, bool url)
{
    if (v < 26)
        return (char)('A' + v);
    if (v < 52)
        return (char)('a' + (v - 26));
    if (v < 62)
        return (char)('0' + (v - 52));
    if (v == 62)
        return url ? '-' : '+';
    return url ? '_' : '/';
}

void v23_base64_put(struct v23_buf *out, const void *p, size_t n, bool url)
{
    const uint8_t *b = p;
    size_t i, k, left;
    uint32_t v;
    char q[4];

    for (i = 0; i < n; i += 3) {
        left = n - i;
        v = (uint32_t)b[i] << 16;
        if (left > 1)
            v |= (uint32_t)b[i + 1] << 8;
        if (left > 2)
            v |= b[i + 2];
        for (k = 0; k < 4; k++)
            q[k] = base64_digit(v >> (18 - 6 * k) & 63, url);
        if (left < 3)
            q[3] = '=';
        if (left < 2)
            q[2] = '=';
        v23_buf_put(out, q, 4);
    }
}

static int base64_value(char c, bool url)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == (url ? '-' : '+'))
        return 62;
    if (c == (url ? '_' : '/'))
        return 63;
    return -1;
}

/* State of base64 decoding: digits of the open group of four. */
struct base64 {
    uint32_t bits;
    unsigned digits, pads;
};

static int base64_char(struct base64 *d, char c, bool url, uint8_t **to)
{
    int v = base64_value(c, url);

    if (c == '=') {
        if (d->digits < 2 || d->digits + d->pads == 4)
            return V23_ETEXT;
        d->pads++;
        return 0;
    }
    if (v < 0 || d->pads != 0)
        return V23_ETEXT;
    d->bits = d->bits << 6 | (uint32_t)v;
    d->digits++;
    if (d->digits == 4) {
        *(*to)++ = (uint8_t)(d->bits >> 16);
        *(*to)++ = (uint8_t)(d->bits >> 8);
        *(*to)++ = (uint8_t)d->bits;
        d->digits = 0;
        d->bits = 0;
    }
    return 0;
}

int v23_base64_parse(const char *s, size_t n, bool url, struct v23_buf *out)
{
    struct base64 d = { 0, 0, 0 };
    size_t i, digits = 0;
    uint8_t *to;
    int rc;

    for (i = 0; i < n; i++)
        digits += base64_value(s[i], url) >= 0;
    rc = v23_buf_room(out, digits / 4 * 3 + digits % 4 * 3 / 4);
    if (rc != 0)
        return rc;
    to = out->p;
    if (to != NULL) /* it is, when there was nothing to make room for */
        to += out->n;
    for (i = 0; i < n; i++) {
        if (s[i] == '\r' || s[i] == '\n')
            continue;
        rc = base64_char(&d, s[i], url, &to);
        if (rc != 0)
            return rc;
    }
    if (d.digits != 0) {
        if (d.digits + d.pads != 4)
            return V23_ETEXT;
        d.bits <<= 6 * d.pads;
        *to++ = (uint8_t)(d.bits >> 16);
        if (d.digits == 3)
            *to++ = (uint8_t)(d.bits >> 8);
    }
    if (digits > 0)
        out->n = (size_t)(to - out->p);
    return 0;
}

size_t v23_utf8_next(const char *p, size_t n, uint32_t *cp)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    const uint8_t *b = (const uint8_t *)p;
    uint32_t v;
    size_t len, i;

    if (n == 0)
        return 0;
    if (b[0] < 0x80) {
        if (cp != NULL)
            *cp = b[0];
        return 1;
    }
    len = b[0] >= 0xF0 ? 4 : b[0] >= 0xE0 ? 3 : 2;
    if (b[0] < 0xC0 || b[0] > 0xF7 || n < len)
        return 0;
    v = b[0] & (0xFFu >> (len + 1));
    for (i = 1; i < len; i++) {
        if ((b[i] & 0xC0) != 0x80)
            return 0;
        v = v << 6 | (b[i] & 0x3Fu);
    }
    if (v < least[len] || v > 0x10FFFF || (v >= 0xD800 && v < 0xE000))
        return 0;
    if (cp != NULL)
        *cp = v;
    return len;
}

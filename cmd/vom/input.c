/* BSD-3-Clause; see LICENSE. */
/* Where data comes from: standard input, hex with white space. */
#include "vom.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <v23/cmdline.h>

int input_read(struct v23_buf *out)
{
    char chunk[65536];
    size_t n;

    do {
        n = fread(chunk, 1, sizeof(chunk), stdin);
        v23_buf_put(out, chunk, n);
    } while (n == sizeof(chunk) && out->err == 0);
    if (ferror(stdin))
        return v23_error("read stdin: %s", strerror(errno));
    if (out->err != 0)
        return v23_error("%s", v23_strerror(out->err));
    return 0;
}

/* White space of Unicode. */
static bool is_space(uint32_t cp)
{
    return (cp >= 0x09 && cp <= 0x0D) || cp == 0x20 || cp == 0x85 ||
           cp == 0xA0 || cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200A) ||
           cp == 0x2028 || cp == 0x2029 || cp == 0x202F || cp == 0x205F ||
           cp == 0x3000;
}

size_t input_whole(const struct v23_buf *data)
{
    size_t back, len;
    uint8_t c;

    for (back = 1; back <= 3 && back <= data->n; back++) {
        c = data->p[data->n - back];
        if (c < 0x80)
            break;
        if (c < 0xC0)
            continue; /* not the first byte */
        len = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
        return len > back ? data->n - back : data->n;
    }
    return data->n;
}

void input_drop_space(struct v23_buf *data)
{
    size_t from = 0, to = 0, len;
    uint32_t cp;

    while (from < data->n) {
        cp = 0;
        len = v23_utf8_next((const char *)data->p + from, data->n - from, &cp);
        if (len == 0)
            len = 1;
        if (!is_space(cp)) {
            memmove(data->p + to, data->p + from, len);
            to += len;
        }
        from += len;
    }
    data->n = to;
}

static int digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int input_from_hex(struct v23_buf *data)
{
    size_t i;
    int d, high = 0;

    input_drop_space(data);
    for (i = 0; i < data->n; i++) {
        uint8_t c = data->p[i];

        d = digit(c);
        if (d < 0 && c > 0x20 && c < 0x7F)
            return v23_error("encoding/hex: invalid byte: U+%04X '%c'", c, c);
        if (d < 0)
            return v23_error("encoding/hex: invalid byte: U+%04X", c);
        if (i % 2 == 0)
            high = d;
        else
            data->p[i / 2] = (uint8_t)(high << 4 | d);
    }
    if (data->n % 2 != 0)
        return v23_error("encoding/hex: odd length hex string");
    data->n /= 2;
    return 0;
}

/* BSD-3-Clause; see LICENSE. */
/*
 * vom dump. Hex on standard input may hold commands: '.' prints the status and
 * ';' gives up the present message. Between the two digits of a byte they act
 * before that byte.
 */
#include "vom.h"

#include <stdio.h>
#include <unistd.h>

#include <v23/cmdline.h>
#include <vom/dump.h>

static void to_stdout(void *ud, const char *text, size_t n)
{
    (void)ud;
    fwrite(text, 1, n, stdout);
}

static int failed(int rc)
{
    fflush(stdout);
    return rc == 0 ? 0 : v23_error("%s", v23_strerror(rc));
}

int dump_data(const struct v23_buf *data)
{
    struct vom_dumper *d;
    int rc = vom_dumper_new(NULL, to_stdout, NULL, &d), rc2;

    if (rc != 0)
        return failed(rc);
    rc = vom_dumper_input(d, data->p, data->n);
    rc2 = vom_dumper_flush(d);
    if (rc == 0)
        rc = rc2;
    vom_dumper_free(d);
    putchar('\n');
    return failed(rc);
}

/* Dump hex up to the next command; what is left over goes to the front. */
static int dump_hex(struct vom_dumper *d, struct v23_buf *hex)
{
    struct v23_buf bytes;
    size_t at = 0, n;
    uint8_t command = 0;
    int rc = 0;

    while (at < hex->n && hex->p[at] != '.' && hex->p[at] != ';')
        at++;
    if (at < hex->n)
        command = hex->p[at];
    n = at - at % 2;
    v23_buf_init(&bytes, NULL, SIZE_MAX);
    v23_buf_put(&bytes, hex->p, n);
    rc = bytes.err != 0 ? failed(bytes.err) : input_from_hex(&bytes);
    if (rc == 0)
        rc = failed(vom_dumper_input(d, bytes.p, bytes.n));
    v23_buf_fini(&bytes);
    if (rc == 0 && command == '.')
        rc = failed(vom_dumper_status(d));
    if (rc == 0 && command == ';')
        rc = failed(vom_dumper_flush(d));
    if (rc == 0 && command != 0)
        memmove(hex->p + at, hex->p + at + 1, --hex->n - at);
    if (rc == 0)
        v23_buf_drop(hex, n);
    return rc;
}

/* A chunk of hex with white space and commands, behind the digits left over. */
static int dump_chunk(struct vom_dumper *d, struct v23_buf *hex)
{
    size_t before;
    int rc = 0;

    while (rc == 0 && hex->n > 1) {
        before = hex->n;
        rc = dump_hex(d, hex);
        if (hex->n == before)
            break;
    }
    if (rc == 0 && hex->n == 1 && (hex->p[0] == '.' || hex->p[0] == ';'))
        rc = dump_hex(d, hex);
    return rc;
}

/* Move what has come to the digits, but for a character that is cut off. */
static int take_text(struct v23_buf *text, struct v23_buf *hex)
{
    size_t n = input_whole(text);

    v23_buf_put(hex, text->p, n);
    v23_buf_drop(text, n);
    input_drop_space(hex);
    return text->err != 0 ? text->err : hex->err;
}

int dump_stdin(bool binary)
{
    struct vom_dumper *d;
    struct v23_buf text, hex;
    char chunk[4096];
    ssize_t n = 0;
    int rc = vom_dumper_new(NULL, to_stdout, NULL, &d), rc2;

    if (rc != 0)
        return failed(rc);
    v23_buf_init(&text, NULL, SIZE_MAX);
    v23_buf_init(&hex, NULL, SIZE_MAX);
    /* Not stdio: what is typed is dumped at once. */
    while (rc == 0 && (n = read(0, chunk, sizeof(chunk))) > 0) {
        if (binary) {
            rc = failed(vom_dumper_input(d, (uint8_t *)chunk, (size_t)n));
            continue;
        }
        v23_buf_put(&text, chunk, (size_t)n);
        rc = failed(take_text(&text, &hex));
        if (rc == 0)
            rc = dump_chunk(d, &hex);
    }
    if (rc == 0 && n < 0)
        rc = v23_error("cannot read standard input");
    rc2 = failed(vom_dumper_flush(d));
    v23_buf_fini(&hex);
    v23_buf_fini(&text);
    vom_dumper_free(d);
    return rc != 0 ? rc : rc2;
}

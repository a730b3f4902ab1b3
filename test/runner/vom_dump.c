/* BSD-3-Clause; see LICENSE. */
/* Vectors of dumps (spec/vom.md 16.2). */
#include "vom_int.h"

#include <stdlib.h>
#include <string.h>

#include <vom/dump.h>

static void collect(void *ud, const char *text, size_t n)
{
    v23_buf_put(ud, text, n);
}

/* Dump in pieces of `step` bytes. */
static int dump(struct v23_bytes stream, size_t step, struct v23_buf *out)
{
    struct vom_dumper *d;
    size_t at, n;
    int rc = vom_dumper_new(NULL, collect, out, &d);

    if (rc != 0)
        return rc;
    for (at = 0; rc == 0 && at < stream.n; at += n) {
        n = stream.n - at < step ? stream.n - at : step;
        rc = vom_dumper_input(d, stream.p + at, n);
    }
    if (rc == 0)
        rc = vom_dumper_flush(d);
    vom_dumper_free(d);
    return rc;
}

static bool is_status(const char *line)
{
    return strncmp(line, "DumpStatus{", 11) == 0;
}

/* The lines that are no status are the recorded ones, the last status has the
 * recorded value. Cuts the text into lines. */
static bool same_atoms(struct run_case *c, char *text, const char *how)
{
    const cJSON *want = cJSON_GetObjectItem(c->json, "atoms");
    const char *value = run_str(c, "decode"), *status = "", *found;
    int i = 0, n = cJSON_GetArraySize(want);
    char *line;

    for (line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        if (is_status(line)) {
            status = line;
            continue;
        }
        if (i == n)
            return run_fail(c, "%s: one atom too many: %s", how, line);
        if (strcmp(line, cJSON_GetArrayItem(want, i)->valuestring) != 0)
            return run_fail(c, "%s: atom %d is: %s", how, i, line);
        i++;
    }
    if (i != n)
        return run_fail(c, "%s: %d atoms, not %d", how, i, n);
    found = strstr(status, ", Value: ");
    if (found == NULL || strncmp(found + 9, value, strlen(value)) != 0
        || strcmp(found + 9 + strlen(value), "}") != 0)
        return run_fail(c, "%s: last status is: %s", how, status);
    return true;
}

/* Length of a line of status without the value, which differs (16.2). */
static size_t significant(const char *line)
{
    const char *value = strstr(line, ", Value: "), *end = strchr(line, '\n');
    size_t n = end == NULL ? strlen(line) : (size_t)(end - line);

    if (is_status(line) && value != NULL && value < line + n)
        return (size_t)(value - line);
    return is_status(line) && n != 0 ? n - 1 : n;
}

/* The complete text is the recorded one, but for the values. */
static bool same_text(struct run_case *c, const char *got)
{
    const char *want = run_str(c, "dump_head"), *end, *want_end;
    size_t n;

    for (;;) {
        n = significant(got);
        if (n != significant(want) || memcmp(got, want, n) != 0)
            return run_fail(c, "line: %.*s", (int)n, got);
        end = strchr(got, '\n');
        want_end = strchr(want, '\n');
        if (end == NULL || want_end == NULL)
            break;
        got = end + 1;
        want = want_end + 1;
    }
    return (end == NULL) == (want_end == NULL)
        || run_fail(c, "the number of lines differs");
}

bool run_vom_dump(struct run_case *c)
{
    struct v23_bytes stream = run_hex(c, "hex");
    struct v23_buf whole, bytes;
    bool ok = true;
    int rc;

    v23_buf_init(&whole, NULL, SIZE_MAX);
    v23_buf_init(&bytes, NULL, SIZE_MAX);
    rc = dump(stream, SIZE_MAX, &whole);
    if (rc == 0)
        rc = dump(stream, 1, &bytes);
    v23_buf_put_byte(&whole, 0);
    v23_buf_put_byte(&bytes, 0);
    if (rc != 0)
        ok = run_fail(c, "%s", v23_strerror(rc));
    if (ok && run_has(c, "dump_head"))
        ok = same_text(c, (char *)whole.p);
    ok = ok && same_atoms(c, (char *)whole.p, "whole")
        && same_atoms(c, (char *)bytes.p, "by bytes");
    v23_buf_fini(&whole);
    v23_buf_fini(&bytes);
    return ok;
}

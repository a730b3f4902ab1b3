/* BSD-3-Clause; see LICENSE. */
/*
 * valuetext VALUE…: what the debug tool makes of values, for its test. Each is
 * given as `vom decode` prints it; four lines come out: its type, and the value
 * raw, for people, and as JSON.
 */
#include <stdio.h>

#include <vom/parse.h>

#include "value.h"

static int show(struct vdl_any v, int (*put)(struct v23_buf *out,
    struct vdl_any v))
{
    struct v23_buf out;
    int rc;

    v23_buf_init(&out, NULL, VALUE_MAX);
    rc = put(&out, v);
    if (rc == 0)
        printf("%s\n", v23_buf_cstr(&out));
    else
        fprintf(stderr, "valuetext: %s\n", v23_strerror(rc));
    v23_buf_fini(&out);
    return rc;
}

int main(int argc, char **argv)
{
    struct vdl_parse_error err;
    struct v23_arena a;
    struct vdl_any v;
    int i, rc = 0;

    v23_arena_init(&a, NULL, VALUE_MAX);
    for (i = 1; i < argc && rc == 0; i++) {
        rc = vdl_parse(vdl_str(argv[i]), &a, &v, &err);
        if (rc != 0)
            fprintf(stderr, "valuetext: %s: %s\n", argv[i], err.text);
        if (rc == 0)
            rc = show(v, value_put_type);
        if (rc == 0)
            rc = show(v, value_put_raw);
        if (rc == 0)
            rc = show(v, value_put_pretty);
        if (rc == 0)
            rc = show(v, value_put_json);
    }
    v23_arena_fini(&a);
    return rc != 0;
}

/* BSD-3-Clause; see LICENSE. */
/*
 * The tests that vomtestgen.sh has had generated: the encoding, the type and
 * the text of each value, on three lines.
 */
#include <stdio.h>

#include <vom/value.h>

#include "example.org/vomdata/vomdata.vdl.h"

static void line(struct v23_buf *b)
{
    v23_buf_put_byte(b, '\n');
    fwrite(b->p, 1, b->n, stdout);
    v23_buf_cut(b, 0);
}

int main(void)
{
    const struct vdl_type *t;
    const void *v;
    struct v23_buf b;
    uint32_t i;

    v23_buf_init(&b, NULL, SIZE_MAX);
    for (i = 0; i < VOMDATA_TESTS.n; i++) {
        const vomdata_test_case *c = &VOMDATA_TESTS.v[i];

        t = c->value.type == NULL ? &vdl_any_desc : c->value.type;
        v = c->value.type == NULL ? (const void *)&c->value : c->value.val;
        v23_buf_put_str(&b, c->hex_version);
        v23_buf_put_str(&b, c->hex_type);
        v23_buf_put_str(&b, c->hex_value);
        if (b.n != c->hex.n || memcmp(b.p, c->hex.p, b.n) != 0)
            return 1;
        line(&b);
        if (vdl_type_format(t, SIZE_MAX, &b) != 0 || b.n != c->type_string.n ||
            memcmp(b.p, c->type_string.p, b.n) != 0)
            return 2;
        line(&b);
        if (vdl_format(t, v, true, &b) != 0)
            return 3;
        line(&b);
    }
    v23_buf_fini(&b);
    return fflush(stdout) == 0 ? 0 : 4;
}

/* BSD-3-Clause; see LICENSE. */
/* Order of sets and maps: by the text of the keys. */
#include <stdlib.h>

#include "print_int.h"

/* The text of a key, in a buffer that has its final place by the time of
 * sorting. */
struct key {
    const struct v23_buf *text;
    size_t at, n;
    uint32_t index;
};

static int by_text(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    size_t n = x->n < y->n ? x->n : y->n;
    int c = memcmp(x->text->p + x->at, y->text->p + y->at, n);

    if (c != 0)
        return c;
    if (x->n != y->n)
        return x->n < y->n ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

int vdl_sort_by_text_(struct v23_arena *a, const struct vdl_type *t, void *v)
{
    struct vdl_list *l = v;
    struct v23_buf text;
    struct key *keys;
    uint32_t i;
    char *sorted;
    int rc = 0;

    keys = v23_arena_get0(a, l->n, sizeof(*keys), V23_ALIGNOF(struct key));
    sorted = v23_arena_get0(a, l->n, t->stride, 16);
    if (keys == NULL || sorted == NULL)
        return V23_ENOMEM;
    v23_buf_init(&text, a->al, SIZE_MAX);
    for (i = 0; rc == 0 && i < l->n; i++) {
        keys[i].text = &text;
        keys[i].at = text.n;
        keys[i].index = i;
        rc = vdl_format_literal_(t->key,
            vdl_at_(l->v, (size_t)i * t->stride), &text);
        if (rc == 0)
            rc = text.err;
        keys[i].n = text.n - keys[i].at;
    }
    if (rc == 0) {
        qsort(keys, l->n, sizeof(*keys), by_text);
        for (i = 0; i < l->n; i++)
            memcpy(sorted + (size_t)i * t->stride,
                vdl_at_(l->v, (size_t)keys[i].index * t->stride), t->stride);
        l->v = sorted;
    }
    v23_buf_fini(&text);
    return rc;
}

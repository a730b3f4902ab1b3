/* BSD-3-Clause; see LICENSE. */
/* Allocator front end, checked size arithmetic, reference counts. */
#include <v23/alloc.h>

#include <string.h>

static const struct v23_alloc *or_libc(const struct v23_alloc *al)
{
    return al == NULL ? &v23_alloc_libc : al;
}

void *v23_get(const struct v23_alloc *al, size_t size)
{
    al = or_libc(al);
    return al->get(al->ud, size);
}

void *v23_get0(const struct v23_alloc *al, size_t count, size_t size)
{
    size_t total;
    void *p;

    if (v23_mul_size(count, size, &total) != 0)
        return NULL;
    p = v23_get(al, total);
    if (p != NULL)
        memset(p, 0, total);
    return p;
}

void *v23_regrow(const struct v23_alloc *al, void *p, size_t size)
{
    al = or_libc(al);
    return al->regrow(al->ud, p, size);
}

void v23_put(const struct v23_alloc *al, void *p)
{
    al = or_libc(al);
    if (p != NULL)
        al->put(al->ud, p);
}

int v23_add_size(size_t a, size_t b, size_t *out)
{
    if (b > SIZE_MAX - a)
        return V23_ELIMIT;
    *out = a + b;
    return 0;
}

int v23_mul_size(size_t a, size_t b, size_t *out)
{
    if (a != 0 && b > SIZE_MAX / a)
        return V23_ELIMIT;
    *out = a * b;
    return 0;
}

int v23_reserve(const struct v23_alloc *al, void **v, size_t *cap,
    size_t need, size_t max, size_t esize)
{
    size_t want = *cap < 4 ? 4 : *cap, bytes;
    void *p;

    if (need <= *cap)
        return 0;
    if (need > max)
        return V23_ELIMIT;
    while (want < need)
        want = want > SIZE_MAX / 2 ? need : 2 * want;
    if (want > max)
        want = max;
    if (v23_mul_size(want, esize, &bytes) != 0)
        return V23_ELIMIT;
    p = v23_regrow(al, *v, bytes);
    if (p == NULL)
        return V23_ENOMEM;
    *v = p;
    *cap = want;
    return 0;
}

struct v23_ref *v23_ref(struct v23_ref *r)
{
    r->n++;
    return r;
}

void v23_unref(struct v23_ref *r)
{
    if (r != NULL && --r->n == 0)
        r->destroy(r);
}

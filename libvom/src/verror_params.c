/* BSD-3-Clause; see LICENSE. */
/*
 * Parameters of a received error: they come as any values in the order of the
 * definition, behind component and operation, in whatever types the sender
 * chose; each is converted to the type that the definition states.
 */
#include <v23/verror.h>

#include <vom/value.h>

/* Convert the i-th parameter into fresh memory of the arena. */
static int convert(const struct v23_verror *e, const struct v23_errdef *def,
    struct v23_arena *a, uint32_t i, void **out)
{
    const struct vdl_type *t = def->params[i];

    *out = v23_arena_get0(a, 1, t->size, t->align);
    if (*out == NULL)
        return V23_ENOMEM;
    return vdl_convert(a, t, *out, &vdl_any_desc, &e->params.v[i + 2]);
}

int v23_verror_params(const struct v23_verror *e, const struct v23_errdef *def,
    struct v23_arena *a, void *const *out)
{
    void **v;
    uint32_t i;
    int rc;

    if (!v23_verror_is(e, def->id))
        return V23_ENOENT;
    if (e->params.n < (uint32_t)def->nparams + 2)
        return V23_ELENGTH;
    v = v23_arena_get0(a, def->nparams, sizeof(*v), _Alignof(void *));
    if (v == NULL)
        return V23_ENOMEM;
    for (i = 0; i < def->nparams; i++) {
        rc = convert(e, def, a, i, &v[i]);
        if (rc != 0)
            return rc;
    }
    for (i = 0; i < def->nparams; i++)
        memcpy(out[i], v[i], def->params[i]->size);
    return 0;
}

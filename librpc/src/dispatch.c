/* BSD-3-Clause; see LICENSE. */
/* Names of one dispatcher become names of another. */
#include <vrpc/dispatch.h>

#include <string.h>
#include <vrpc/name.h>
#include <vsec/authorizer.h>

/* Is `below` the same as `above` or an element of it? *rest: what follows. */
static bool is_below(struct vdl_str below, struct vdl_str above,
    struct vdl_str *rest)
{
    uint32_t n = above.n;

    if (n > below.n || (n > 0 && memcmp(below.p, above.p, n) != 0))
        return false;
    *rest = vdl_strn(below.p + n, below.n - n);
    if (n == 0 || rest->n == 0)
        return true;
    if (rest->p[0] != '/')
        return false;
    rest->p++;
    rest->n--;
    return true;
}

static int lookup(void *ud, struct v23_op op, struct vdl_str suffix,
    struct v23_arena *a, struct vrpc_object *obj,
    const struct vsec_authorizer **auth, const struct v23_verror **err)
{
    struct vrpc_dispatch *d = ud;
    struct vdl_str rest;
    int rc;

    if (!is_below(suffix, d->at, &rest)) {
        if (!is_below(d->at, suffix, &rest))
            return V23_ENOENT;
        memset(obj, 0, sizeof(*obj));
        obj->glob = &d->glob;
        obj->self = d;
        *auth = &vsec_auth_everyone;
        return 0;
    }
    if (d->leaf && rest.n > 0)
        return V23_ENOENT;
    if (d->root.n > 0 && rest.n > 0) {
        rc = vrpc_name_join2(a, d->root, rest, &rest);
        if (rc != 0)
            return rc;
    } else if (d->root.n > 0) {
        rest = d->root;
    }
    return d->to->lookup(d->to->ud, op, rest, a, obj, auth, err);
}

static void cancel(void *ud, struct v23_op op)
{
    struct vrpc_dispatch *d = ud;

    if (d->to->cancel != NULL)
        d->to->cancel(d->to->ud, op);
}

static void release(void *ud, const struct vrpc_object *obj)
{
    struct vrpc_dispatch *d = ud;

    if (obj->glob != &d->glob && d->to->release != NULL)
        d->to->release(d->to->ud, obj);
}

/* On the way to `at`: the next name. */
static int children(void *self, struct vrpc_glob_call *g,
    const struct vrpc_glob *pattern)
{
    struct vrpc_dispatch *d = self;
    struct vdl_str rest;
    const char *slash;

    if (!is_below(d->at, vrpc_glob_suffix(g), &rest) || rest.n == 0)
        return 0;
    slash = memchr(rest.p, '/', rest.n);
    if (slash != NULL)
        rest.n = (uint32_t)(slash - rest.p);
    return vrpc_glob_match(pattern, rest) ? vrpc_glob_send_child(g, rest) : 0;
}

static bool has_slash_at_end(struct vdl_str s)
{
    return s.n > 0 && (s.p[0] == '/' || s.p[s.n - 1] == '/');
}

int vrpc_dispatch_init(struct vrpc_dispatch *d)
{
    if (d->to == NULL || has_slash_at_end(d->at) || has_slash_at_end(d->root))
        return V23_EARG;
    memset(&d->d, 0, sizeof(d->d));
    memset(&d->glob, 0, sizeof(d->glob));
    d->d.lookup = lookup;
    d->d.cancel = cancel;
    d->d.release = release;
    d->d.ud = d;
    d->glob.children = children;
    return 0;
}

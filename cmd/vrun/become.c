/* BSD-3-Clause; see LICENSE. */
/* What a new principal is called: a name of ours, or a role's. */
#define _DEFAULT_SOURCE /* mkdtemp */
#include "become.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <v23/time.h>
#include <v23/vdl/v.io/x/ref/services/role/role.rpc.h>
#include <v23/vdl/v.io/x/ref/services/role/role.vdl.h>
#include <vom/time.h>
#include <vrpc/ev.h>

#define TIMEOUT (60 * V23_NS_PER_SEC)

/* ---- our blessing -------------------------------------------------------- */

/* Extend the default blessing for a limited time. */
static int extend(struct vsec_principal *p, const char *name, int64_t ns,
    struct vsec_principal *fresh, struct vsec_blessings **out)
{
    struct vsec_bless what;
    v23_security_caveat c;
    struct v23_arena a;
    int rc;

    v23_arena_init(&a, NULL, SIZE_MAX);
    memset(&what, 0, sizeof(what));
    what.key = fresh->key;
    what.with = vsec_store_default(p->store);
    what.extension = vdl_str(name);
    what.caveats.v = &c;
    what.caveats.n = 1;
    rc = vsec_caveat_expiry(&a, v23_walltime_add(vrpc_ev_wall(), ns),
        &c);
    if (rc == 0)
        rc = vsec_principal_bless(p, &what, out);
    v23_arena_fini(&a);
    return rc;
}

static const char *base_name(const char *command)
{
    const char *slash = strrchr(command, '/');

    return slash == NULL ? command : slash + 1;
}

/* ---- a role's ------------------------------------------------------------ */

struct seek {
    struct vname_program *p;
    struct vsec_principal *fresh;
    struct vsec_blessings *b;
    int rc;
};

static void on_blessings(void *ud, const struct v23_verror *err,
    const v23_role_role_seek_blessings_out *out)
{
    struct seek *s = ud;

    if (err != NULL)
        s->rc = vname_program_error(s->p, NULL, err);
    else
        s->rc = vsec_blessings_from_wire(s->fresh->engine, NULL,
            &out->blessings, &s->b);
    if (err == NULL && s->rc == 0
        && (s->b == NULL || !vsec_pubkey_eq(s->b->key, s->fresh->key)))
        s->rc = V23_EKEYMISMATCH;
    if (err == NULL && s->rc != 0)
        s->rc = v23_error("the role's blessings: %s", v23_strerror(s->rc));
    vname_program_done(s->p);
}

/* Ask as the new principal: it shows what we have just blessed it with. */
static int seek(struct vname_program *p, const char *role,
    struct vsec_principal *fresh)
{
    struct vrpc_call_opts opts = { .timeout_ns = TIMEOUT };
    struct seek s = { p, fresh, NULL, 0 };
    struct vname_identity id;
    int rc = vname_identity_init(&id, p, fresh);

    if (rc != 0)
        return v23_error("%s", v23_strerror(rc));
    if (v23_role_role_seek_blessings_start(id.client, role, &opts,
            on_blessings, &s)
        == NULL) {
        rc = v23_error("out of memory");
    } else {
        vname_program_wait(p);
        rc = s.rc;
        if (rc == 0)
            rc = vsec_principal_set_default_blessings(fresh, s.b);
    }
    vsec_blessings_unref(s.b);
    vname_identity_fini(&id);
    return rc;
}

/* ---- both ---------------------------------------------------------------- */

int become_bless(struct vname_program *p, const struct become *b,
    const char *command, struct vsec_principal *fresh)
{
    struct vsec_blessings *blessing = NULL;
    bool role = b->role[0] != 0;
    const char *name = role ? V23_ROLE_ROLE_SUFFIX
        : b->name[0] != 0   ? b->name
                            : base_name(command);
    int rc;

    if (b->duration_ns <= 0)
        return v23_error("the duration must be above zero");
    rc = extend(p->rt.principal, name, b->duration_ns, fresh, &blessing);
    if (rc == V23_EARG)
        return v23_error("there is no default blessing to extend");
    if (rc == 0)
        rc = vsec_principal_set_default_blessings(fresh, blessing);
    vsec_blessings_unref(blessing);
    if (rc != 0)
        return v23_error("cannot bless the new principal as \"%s\": %s", name,
            v23_strerror(rc));
    return role ? seek(p, b->role, fresh) : 0;
}

int become_socket(char *dir, char *path, size_t size)
{
    const char *tmp = getenv("TMPDIR");
    int n = snprintf(dir, size, "%s/vrunXXXXXX",
        tmp == NULL || *tmp == 0 ? "/tmp" : tmp);

    if (n < 0 || (size_t)n + sizeof("/sock") > size)
        return v23_error("the path of the temporary directory is too long");
    if (mkdtemp(dir) == NULL)
        return v23_error("%s: %s", dir, strerror(errno));
    snprintf(path, size, "%s/sock", dir);
    return 0;
}

/* BSD-3-Clause; see LICENSE. */
/* Permissions that the flags name: as an authorizer, and as a value. */
#include <vrpc/flags.h>

/* File of a name, NUL-terminated; NULL: none. */
static const char *file_of(const struct vrpc_flags *f, const char *name)
{
    size_t i;

    if (name == NULL)
        name = "runtime";
    for (i = 0; i < f->nperms_files; i++)
        if (vdl_str_is(f->perms_files[i].name, name))
            return f->perms_files[i].file.p;
    return NULL;
}

static int from_literal(const struct vrpc_flags *f, struct v23_arena *a,
    v23_access_permissions *out)
{
    return vsec_perms_from_json(
        v23_bytes(f->perms_literal.p, f->perms_literal.n), a, out, NULL);
}

static int use_literal(struct vrpc_flags_auth *auth,
    const struct vrpc_flags *f)
{
    int rc = from_literal(f, &auth->arena, &auth->perms);

    auth->literal.perms = &auth->perms;
    auth->auth = vsec_auth_perms(&auth->literal);
    auth->authorizer = &auth->auth;
    return rc;
}

static int use_file(struct vrpc_flags_auth *auth, const char *file,
    const struct v23_log *log)
{
    auth->file.path = v23_arena_dup(&auth->arena, file, strlen(file));
    auth->file.log = log;
    auth->auth = vsec_auth_perms_file(&auth->file);
    auth->authorizer = &auth->auth;
    return auth->file.path == NULL ? V23_ENOMEM : 0;
}

int vrpc_flags_auth_init(struct vrpc_flags_auth *auth,
    const struct vrpc_flags *f, const char *name, const struct v23_log *log)
{
    const char *file = file_of(f, name);
    int rc = 0;

    memset(auth, 0, sizeof(*auth));
    v23_arena_init(&auth->arena, f->arena.al, SIZE_MAX);
    if (f->perms_literal.n != 0)
        rc = use_literal(auth, f);
    else if (file != NULL)
        rc = use_file(auth, file, log);
    if (rc != 0)
        vrpc_flags_auth_fini(auth);
    return rc;
}

void vrpc_flags_auth_fini(struct vrpc_flags_auth *auth)
{
    v23_arena_fini(&auth->arena);
    auth->authorizer = NULL;
}

int vrpc_flags_permissions(const struct vrpc_flags *f, const char *name,
    struct v23_arena *a, v23_access_permissions *out)
{
    const char *file = file_of(f, name);

    if (f->perms_literal.n != 0)
        return from_literal(f, a, out);
    return file == NULL ? V23_ENOENT : vsec_perms_from_file(file, a, out);
}

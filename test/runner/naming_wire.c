/* BSD-3-Clause; see LICENSE. */
/*
 * Values of the naming interfaces as bytes (wire.jsonl): decoded into the
 * generated C types and without them, compared, and encoded again.
 */
#include <stdlib.h>

#include <v23/vdl/v.io/v23/naming/naming.vdl.h>
#include <v23/vdl/v.io/v23/security/access/access.vdl.h>
#include <vom/dec.h>
#include <vom/enc.h>
#include <vom/value.h>
#include <vsec/acl.h>

#include "naming_int.h"

static bool same_text(struct run_case *c, const char *what,
    struct vdl_str got, const cJSON *want)
{
    return vdl_str_eq(got, run_text(want))
        || run_fail(c, "%s is \"%.*s\"", what, (int)got.n,
            got.n == 0 ? "" : got.p);
}

/* ---- one function per type ----------------------------------------------- */

static bool flag_is(struct run_case *c, const void *v, const cJSON *want)
{
    v23_naming_mount_flag f = *(const v23_naming_mount_flag *)v;

    return f == (v23_naming_mount_flag)want->valuedouble
        || run_fail(c, "flags are %u", (unsigned)f);
}

static bool entry_is(struct run_case *c, const void *v, const cJSON *want)
{
    const v23_naming_mount_entry *e = v;
    const cJSON *servers = get(want, "servers"), *s;
    uint32_t i = 0;

    if (!same_text(c, "name", e->name, get(want, "name")))
        return false;
    if (e->serves_mount_table != cJSON_IsTrue(get(want, "mt"))
        || e->is_leaf != cJSON_IsTrue(get(want, "leaf")))
        return run_fail(c, "other flags");
    if (e->servers.n != (uint32_t)cJSON_GetArraySize(servers))
        return run_fail(c, "%u servers", e->servers.n);
    cJSON_ArrayForEach(s, servers)
    {
        const v23_naming_mounted_server *m = &e->servers.v[i++];

        if (!same_text(c, "server", m->server, get(s, "server")))
            return false;
        if (m->deadline.from_now.seconds
                != (int64_t)get(s, "from_now_s")->valuedouble
            || m->deadline.from_now.nanos
                != (int32_t)get(s, "from_now_ns")->valuedouble)
            return run_fail(c, "another deadline");
    }
    return true;
}

static bool params_are(struct run_case *c, vdl_any_list got,
    const cJSON *want)
{
    const cJSON *p;
    uint32_t i = 0;

    if (want == NULL)
        return true;
    if (got.n != (uint32_t)cJSON_GetArraySize(want))
        return run_fail(c, "%u parameters", got.n);
    cJSON_ArrayForEach(p, want)
    {
        const struct vdl_any *a = &got.v[i++];

        if (a->type != &vdl_string_desc)
            return run_fail(c, "parameter %u is no string", i);
        if (!same_text(c, "parameter", *(const struct vdl_str *)a->val, p))
            return false;
    }
    return true;
}

static bool error_is(struct run_case *c, const v23_naming_glob_error *e,
    const cJSON *want)
{
    if (e->error == NULL)
        return run_fail(c, "there is no error");
    return same_text(c, "name", e->name, get(want, "name"))
        && same_text(c, "id", e->error->id, get(want, "id"))
        && same_text(c, "text", e->error->msg, get(want, "msg"))
        && params_are(c, e->error->params, get(want, "params"));
}

static bool reply_is(struct run_case *c, const void *v, const cJSON *want)
{
    const v23_naming_glob_reply *r = v;
    const cJSON *error = get(want, "error");

    if ((r->which == V23_NAMING_GLOB_REPLY_ERROR) != (error != NULL))
        return run_fail(c, "another kind of reply");
    return error != NULL ? error_is(c, &r->u.error, error)
                         : entry_is(c, &r->u.entry, get(want, "entry"));
}

static bool child_is(struct run_case *c, const void *v, const cJSON *want)
{
    const v23_naming_glob_children_reply *r = v;
    const cJSON *error = get(want, "error");

    if ((r->which == V23_NAMING_GLOB_CHILDREN_REPLY_ERROR) != (error != NULL))
        return run_fail(c, "another kind of reply");
    return error != NULL
        ? error_is(c, &r->u.error, error)
        : same_text(c, "name", r->u.name, get(want, "name"));
}

static bool perms_are(struct run_case *c, const void *v, const cJSON *want)
{
    char *text = cJSON_PrintUnformatted(want);
    v23_access_permissions expected;
    struct v23_arena a;
    bool ok;

    v23_arena_init(&a, NULL, SIZE_MAX);
    ok = vsec_perms_from_json(v23_bytes(text, strlen(text)), &a, &expected,
             NULL)
            == 0
        && v23_access_permissions_equal(v, &expected);
    v23_arena_fini(&a);
    cJSON_free(text);
    return ok || run_fail(c, "other permissions");
}

static const struct wire_type {
    const char *name;
    const struct vdl_type *desc;
    bool (*is)(struct run_case *c, const void *v, const cJSON *want);
} types[] = {
    { "v.io/v23/naming.MountFlag", &v23_naming_mount_flag_desc, flag_is },
    { "v.io/v23/naming.MountEntry", &v23_naming_mount_entry_desc, entry_is },
    { "v.io/v23/naming.GlobReply", &v23_naming_glob_reply_desc, reply_is },
    { "v.io/v23/naming.GlobChildrenReply",
        &v23_naming_glob_children_reply_desc, child_is },
    { "v.io/v23/security/access.Permissions", &v23_access_permissions_desc,
        perms_are },
};

/* ---- the test ------------------------------------------------------------ */

static bool encodes_back(struct run_case *c, const char *what,
    const struct vdl_type *t, const void *v, struct v23_bytes want)
{
    struct v23_buf b;
    bool ok;
    int rc;

    v23_buf_init(&b, NULL, SIZE_MAX);
    rc = vom_encode_single(NULL, t, v, &b);
    ok = rc == 0 && b.n == want.n && memcmp(b.p, want.p, want.n) == 0;
    if (!ok)
        run_fail(c, "encoding the %s value gives %s", what,
            rc == 0 ? unhex(b.p, b.n) : v23_strerror(rc));
    v23_buf_fini(&b);
    return ok;
}

/* No C type is needed to decode, name, and encode a value. */
static bool run_dynamic(struct run_case *c, struct v23_arena *a,
    struct v23_bytes in)
{
    struct vdl_any v;
    struct v23_buf type;
    bool ok;
    int rc = vom_decode_single(in.p, in.n, NULL, a, NULL, &v, NULL);

    if (rc != 0)
        return run_fail(c, "decoding fails: %s", v23_strerror(rc));
    v23_buf_init(&type, NULL, SIZE_MAX);
    rc = vdl_type_format(v.type, 1 << 20, &type);
    ok = rc == 0 && strcmp(v23_buf_cstr(&type), run_str(c, "type")) == 0;
    if (!ok)
        run_fail(c, "type is %s", v23_buf_cstr(&type));
    v23_buf_fini(&type);
    return ok && encodes_back(c, "dynamic", v.type, v.val, in);
}

static bool run_typed(struct run_case *c, struct v23_arena *a,
    struct v23_bytes in, const struct wire_type *t)
{
    void *v = v23_arena_get0(a, 1, t->desc->size, t->desc->align);
    int rc = v == NULL ? V23_ENOMEM
                       : vom_decode_single(in.p, in.n, NULL, a, t->desc, v,
                           NULL);

    if (rc != 0)
        return run_fail(c, "decoding into C fails: %s", v23_strerror(rc));
    return t->is(c, v, get(c->json, "value"))
        && encodes_back(c, "C", t->desc, v, in);
}

bool run_naming_wire(struct run_case *c)
{
    struct v23_bytes in = run_hex(c, "vom_hex");
    const char *type = run_str(c, "type");
    size_t n = strcspn(type, " "), i;
    struct v23_arena a;
    bool ok;

    v23_arena_init(&a, NULL, 64u << 20);
    ok = run_dynamic(c, &a, in);
    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (strlen(types[i].name) == n
            && memcmp(types[i].name, type, n) == 0)
            ok = ok && run_typed(c, &a, in, &types[i]);
    v23_arena_fini(&a);
    return ok;
}

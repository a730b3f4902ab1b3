/* BSD-3-Clause; see LICENSE. */
/* The namespace client against servers in memory (namespace_scripts.jsonl). */
#include <stdio.h>
#include <stdlib.h>

#include <v23/time.h>
#include <vsec/acl.h>
#include <vsec/authorizer.h>

#include "naming_int.h"
#include "naming_world.h"

#define MAX_NAMES 256

/* One script; what the last operation reported. */
static struct script {
    struct run_case *c;
    struct vname_ns *ns;
    struct v23_arena arena; /* of the operation */
    size_t op;
    int done;
    struct vdl_str id, msg;
    struct vdl_str names[MAX_NAMES]; /* of servers, or of entries */
    size_t nnames;
    bool mt, leaf;
    struct vdl_str err_names[MAX_NAMES], err_ids[MAX_NAMES];
    size_t nerrs;
    v23_access_permissions perms;
    bool has_perms;
    struct vdl_str version, result;
} S;

static struct vdl_str keep(struct vdl_str s)
{
    return vdl_strn(v23_arena_dup(&S.arena, s.p, s.n), s.n);
}

/* A text with servers put in. */
static struct vdl_str expanded(const cJSON *v)
{
    char *t = world_expand(cJSON_IsString(v) ? v->valuestring : "");
    struct vdl_str s = keep(vdl_str(t));

    free(t);
    return s;
}

static bool fail(const cJSON *op, const char *what, struct vdl_str got)
{
    const cJSON *name = get(op, "name");

    if (name == NULL)
        name = get(op, "pattern");
    return run_fail(S.c, "op %zu (%s %s): %s \"%.*s\"", S.op,
        get(op, "op")->valuestring,
        cJSON_IsString(name) ? name->valuestring : "", what, (int)got.n,
        got.n == 0 ? "" : got.p);
}

/* ---- callbacks ----------------------------------------------------------- */

static void note_error(const struct v23_verror *err)
{
    S.id = S.msg = vdl_str("");
    if (err != NULL) {
        S.id = keep(err->id);
        S.msg = keep(err->msg);
    }
    S.done = 1;
}

static void on_done(void *ud, const struct v23_verror *err)
{
    (void)ud;
    note_error(err);
}

static void on_entry(void *ud, const struct v23_verror *err,
    const v23_naming_mount_entry *e)
{
    vdl_str_list names;
    uint32_t i;

    (void)ud;
    note_error(err);
    if (err != NULL || vname_object_names(&S.arena, e, &names) != 0)
        return;
    for (i = 0; i < names.n && i < MAX_NAMES; i++)
        S.names[S.nnames++] = names.v[i];
    S.mt = e->serves_mount_table;
    S.leaf = e->is_leaf;
}

static void on_reply(void *ud, const v23_naming_glob_reply *r)
{
    size_t i;

    (void)ud;
    if (r->which == V23_NAMING_GLOB_REPLY_ERROR) {
        if (S.nerrs == MAX_NAMES)
            return;
        S.err_names[S.nerrs] = keep(r->u.error.name);
        S.err_ids[S.nerrs++] = r->u.error.error == NULL
            ? vdl_str("")
            : keep(r->u.error.error->id);
        return;
    }
    for (i = 0; i < S.nnames; i++)
        if (vdl_str_eq(S.names[i], r->u.entry.name))
            return;
    if (S.nnames < MAX_NAMES)
        S.names[S.nnames++] = keep(r->u.entry.name);
}

static void on_perms(void *ud, const struct v23_verror *err,
    const v23_access_permissions *perms, struct vdl_str version)
{
    (void)ud;
    note_error(err);
    if (err != NULL)
        return;
    S.version = keep(version);
    S.has_perms
        = v23_access_permissions_copy(&S.arena, &S.perms, perms) == 0;
}

static void on_result(void *ud, const struct v23_verror *err,
    const struct vdl_any *results, size_t n)
{
    (void)ud;
    note_error(err);
    if (err == NULL && n == 1 && results[0].type == &vdl_string_desc)
        S.result = keep(*(const struct vdl_str *)results[0].val);
}

/* ---- comparing ----------------------------------------------------------- */

static bool same_id(const cJSON *op)
{
    const cJSON *want = get(get(op, "expect"), "err");
    bool hint = cJSON_IsTrue(get(get(op, "expect"), "did_you_mean"));

    if (!vdl_str_is(S.id, want->valuestring))
        return fail(op, "error is", S.id);
    if (hint != (S.msg.n != 0 && strstr(S.msg.p, "Did you mean") != NULL))
        return fail(op, "with or without a hint:", S.msg);
    return true;
}

static bool contains(const struct vdl_str *v, size_t n, struct vdl_str s)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (vdl_str_eq(v[i], s))
            return true;
    return false;
}

static bool same_names(const cJSON *op, bool ordered)
{
    const cJSON *want = get(get(op, "expect"), "names"), *w;
    struct vdl_str s;
    size_t i = 0;

    if (want == NULL || cJSON_IsNull(want))
        return true;
    if ((size_t)cJSON_GetArraySize(want) != S.nnames)
        return fail(op, "number of names differs, first",
            S.nnames == 0 ? vdl_str("") : S.names[0]);
    cJSON_ArrayForEach(w, want)
    {
        s = expanded(w);
        if (ordered ? !vdl_str_eq(s, S.names[i++])
                    : !contains(S.names, S.nnames, s))
            return fail(op, "there is no", s);
    }
    return true;
}

static bool same_entry(const cJSON *op)
{
    const cJSON *e = get(op, "expect");

    if (!same_id(op))
        return false;
    if (S.id.n != 0)
        return true;
    if (cJSON_IsBool(get(e, "mt")) && cJSON_IsTrue(get(e, "mt")) != S.mt)
        return fail(op, "is a mount table or not", vdl_str(""));
    if (cJSON_IsBool(get(e, "leaf"))
        && cJSON_IsTrue(get(e, "leaf")) != S.leaf)
        return fail(op, "is a leaf or not", vdl_str(""));
    return same_names(op, true);
}

/* The recorded name lacks the path of the mount point (quirk-glob-error-name):
 * ours ends in it. */
static bool ends_in(struct vdl_str name, struct vdl_str end)
{
    return name.n >= end.n
        && (end.n == 0
            || memcmp(name.p + name.n - end.n, end.p, end.n) == 0);
}

static bool same_errors(const cJSON *op)
{
    const cJSON *want = get(get(op, "expect"), "errors"), *w;
    size_t i;

    if (want == NULL)
        return true;
    if ((size_t)cJSON_GetArraySize(want) != S.nerrs)
        return fail(op, "number of errors differs, first",
            S.nerrs == 0 ? vdl_str("") : S.err_ids[0]);
    cJSON_ArrayForEach(w, want)
    {
        struct vdl_str name = expanded(get(w, "name"));
        struct vdl_str id = vdl_str(get(w, "err")->valuestring);

        for (i = 0; i < S.nerrs; i++)
            if (vdl_str_eq(S.err_ids[i], id) && ends_in(S.err_names[i], name))
                break;
        if (i == S.nerrs)
            return fail(op, "there is no error of", name);
    }
    return true;
}

static bool same_perms(const cJSON *op)
{
    const cJSON *e = get(op, "expect"), *want = get(e, "perms");
    v23_access_permissions p;

    if (!same_id(op))
        return false;
    if (S.id.n != 0 || want == NULL)
        return true;
    if (!vdl_str_eq(S.version, run_text(get(e, "version"))))
        return fail(op, "version is", S.version);
    if (run_permissions(want, &S.arena, &p) != 0 || !S.has_perms
        || !v23_access_permissions_equal(&p, &S.perms))
        return fail(op, "other permissions", vdl_str(""));
    return true;
}

/* ---- operations ---------------------------------------------------------- */

static bool finish(const cJSON *op, int rc)
{
    if (rc != 0)
        return fail(op, "fails:", vdl_str(v23_strerror(rc)));
    return world_wait(&S.done) || fail(op, "never ends", vdl_str(""));
}

static bool do_roots(const cJSON *op)
{
    struct vdl_str roots[16];
    const cJSON *r;
    size_t n = 0;
    int rc;

    cJSON_ArrayForEach(r, get(op, "roots"))
    {
        if (n < 16)
            roots[n++] = expanded(r);
    }
    rc = vname_ns_set_roots(S.ns, roots, n);
    return (rc != 0) == (get(get(op, "expect"), "err")->valuestring[0] != 0)
        || fail(op, "roots:", vdl_str(v23_strerror(rc)));
}

static bool do_call(const cJSON *op)
{
    static const struct vrpc_any_cb cb = { NULL, on_result };
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;
    const cJSON *result = get(get(op, "expect"), "result");
    struct vrpc_call *call;

    o.no_retry = true;
    call = vrpc_client_start_any(world_client(), expanded(get(op, "name")),
        vdl_str(get(op, "method")->valuestring), &o, NULL, 0, 1, &cb, NULL);
    if (!finish(op, call == NULL ? V23_ENOMEM : 0) || !same_id(op))
        return false;
    return result == NULL || vdl_str_eq(S.result, run_text(result))
        || fail(op, "result is", S.result);
}

static bool do_set(const cJSON *op, struct vdl_str name,
    const struct vname_opts *o)
{
    v23_access_permissions p;

    return run_permissions(get(op, "perms"), &S.arena, &p) == 0
        && finish(op,
            vname_set_permissions(S.ns, name, &p,
                run_text(get(op, "version")), o, on_done, NULL, NULL))
        && same_id(op);
}

static bool do_glob(const cJSON *op, const struct vname_opts *o)
{
    return finish(op,
               vname_glob(S.ns, expanded(get(op, "pattern")), o, on_reply,
                   on_done, NULL, NULL))
        && same_id(op) && (S.id.n != 0 || same_names(op, false))
        && same_errors(op);
}

static bool do_count(const cJSON *op)
{
    int n = world_glob_calls(get(op, "server")->valuestring);

    return n == (int)get(get(op, "expect"), "count")->valuedouble
        || run_fail(S.c, "op %zu: %d glob calls", S.op, n);
}

static bool do_flush(const cJSON *op, struct vdl_str name)
{
    return vname_ns_flush_name(S.ns, name)
        == cJSON_IsTrue(get(get(op, "expect"), "flushed"))
        || fail(op, "flushed something or not", vdl_str(""));
}

/* The three resolutions differ only in the function. */
typedef int resolve_fn(struct vname_ns *ns, struct vdl_str name,
    const struct vname_opts *opts, vname_entry_done_fn *done, void *ud,
    struct vname_op **op);

static bool do_resolve(const cJSON *op, resolve_fn *fn,
    const struct vname_opts *o)
{
    return finish(op,
               fn(S.ns, expanded(get(op, "name")), o, on_entry, NULL, NULL))
        && same_entry(op);
}

/* Mount, unmount, delete. */
static bool do_change(const cJSON *op, const char *kind,
    const struct vname_opts *o)
{
    struct vdl_str name = expanded(get(op, "name"));
    struct vdl_str server = expanded(get(op, "server"));
    const cJSON *ttl = get(op, "ttl");
    int rc;

    if (strcmp(kind, "mount") == 0)
        rc = vname_mount(S.ns, name, server,
            (int64_t)(ttl->valuedouble * 1e9), run_mount_flags(op), o, on_done,
            NULL, NULL);
    else if (strcmp(kind, "unmount") == 0)
        rc = vname_unmount(S.ns, name, server, o, on_done, NULL, NULL);
    else
        rc = vname_delete(S.ns, name, cJSON_IsTrue(get(op, "subtree")), o,
            on_done, NULL, NULL);
    return finish(op, rc) && same_id(op);
}

static bool run_op(const cJSON *op)
{
    const char *kind = get(op, "op")->valuestring;
    struct vdl_str name = expanded(get(op, "name"));
    struct vname_opts o = { 0 };

    if (cJSON_IsTrue(get(op, "insecure")))
        o.name_auth = &vsec_auth_everyone;
    if (strcmp(kind, "roots") == 0)
        return do_roots(op);
    if (strcmp(kind, "resolve") == 0)
        return do_resolve(op, vname_resolve, &o);
    if (strcmp(kind, "resolvetomt") == 0)
        return do_resolve(op, vname_resolve_to_mount_table, &o);
    if (strcmp(kind, "shallow") == 0)
        return do_resolve(op, vname_shallow_resolve, &o);
    if (strcmp(kind, "mount") == 0 || strcmp(kind, "unmount") == 0
        || strcmp(kind, "delete") == 0)
        return do_change(op, kind, &o);
    if (strcmp(kind, "getperms") == 0)
        return finish(op, vname_get_permissions(S.ns, name, &o, on_perms,
                              NULL, NULL))
            && same_perms(op);
    if (strcmp(kind, "setperms") == 0)
        return do_set(op, name, &o);
    if (strcmp(kind, "glob") == 0)
        return do_glob(op, &o);
    if (strcmp(kind, "globcalls") == 0)
        return do_count(op);
    if (strcmp(kind, "flush") == 0)
        return do_flush(op, name);
    if (strcmp(kind, "call") == 0)
        return do_call(op);
    if (strcmp(kind, "advance") == 0) {
        world_pass((int64_t)(get(op, "seconds")->valuedouble * 1e9));
        return true;
    }
    if (strcmp(kind, "warnings") == 0)
        return world_warnings()
                == (int)get(get(op, "expect"), "count")->valuedouble
            || run_fail(S.c, "op %zu: %d warnings", S.op, world_warnings());
    return fail(op, "unknown operation", vdl_str(""));
}

bool run_naming_ns(struct run_case *c)
{
    const cJSON *op;
    bool ok;

    memset(&S, 0, sizeof(S));
    S.c = c;
    v23_arena_init(&S.arena, NULL, SIZE_MAX);
    ok = world_start(c, &S.ns);
    cJSON_ArrayForEach(op, get(c->json, "ops"))
    {
        if (!ok)
            break;
        v23_arena_reset(&S.arena);
        S.done = 0;
        S.nnames = S.nerrs = 0;
        S.has_perms = false;
        S.id = S.msg = S.version = S.result = vdl_str("");
        ok = run_op(op);
        S.op++;
    }
    if (!world_stop() && ok)
        ok = run_fail(c, "memory leaked");
    v23_arena_fini(&S.arena);
    return ok;
}

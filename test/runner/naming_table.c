/* BSD-3-Clause; see LICENSE. */
/*
 * Scripts against a mount table (mounttable_scripts.jsonl): the operations run
 * on the table itself, with the callers' names as the RPC layer would find
 * them, on a clock that the script moves.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <v23/time.h>
#include <vname/journal.h>
#include <vname/mounttable.h>
#include <vom/value.h>
#include <vrpc/glob.h>
#include <vsec/acl.h>

#include "naming_int.h"

struct script {
    struct run_case *c;
    struct tst_alloc alloc;
    struct vname_table *table;
    struct vname_journal *journal;
    char dir[256]; /* of the journal; "" = none */
    struct v23_arena arena;
    int64_t now_ns;
    size_t op;
    double var;      /* of a loop */
    const char *var_name;
};

/* A text of the operation, with a loop's variable put in. */
static struct vdl_str text(struct script *s, const cJSON *op, const char *name)
{
    const cJSON *v = get(op, name);
    const char *raw = cJSON_IsString(v) ? v->valuestring : "", *hit;
    struct v23_buf b;
    char mark[32];
    void *copy;

    if (s->var_name == NULL)
        return run_text(v);
    v23_buf_init(&b, NULL, 1u << 20);
    snprintf(mark, sizeof(mark), "%s", s->var_name);
    while ((hit = strstr(raw, mark)) != NULL) {
        v23_buf_put(&b, raw, (size_t)(hit - raw));
        v23_buf_printf(&b, "%d", (int)s->var);
        raw = hit + strlen(mark);
    }
    v23_buf_puts(&b, raw);
    copy = v23_arena_dup(&s->arena, b.p, b.n);
    raw = copy;
    v23_buf_fini(&b);
    return vdl_str(raw);
}

static void caller(struct script *s, const cJSON *op, struct vname_caller *c)
{
    static const struct {
        const char *as;
        struct vdl_str name;
    } names[] = {
        { "root", VDL_STR_INIT("root") },
        { "alice", VDL_STR_INIT("alice") },
        { "bob", VDL_STR_INIT("bob") },
        { "carol", VDL_STR_INIT("idp:u:carol") },
        { "phone", VDL_STR_INIT("bob:phone") },
    };
    static struct v23_errctx ctx;
    const cJSON *as = get(op, "as");
    size_t i;

    memset(c, 0, sizeof(*c));
    c->arena = &s->arena;
    ctx.component = vdl_str("mt");
    c->ctx = &ctx;
    c->now_ns = s->now_ns;
    if (!cJSON_IsString(as))
        return;
    c->same_key = strcmp(as->valuestring, "root") == 0;
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i].as, as->valuestring) == 0) {
            c->names.v = &names[i].name;
            c->names.n = 1;
        }
}

static bool fail(struct script *s, const cJSON *op, const char *what)
{
    const cJSON *name = get(op, "name"), *kind = get(op, "op");

    return run_fail(s->c, "op %zu (%s %s): %s", s->op,
        cJSON_IsString(kind) ? kind->valuestring : "",
        cJSON_IsString(name) ? name->valuestring : "", what);
}

/* Compare an error with the expected id; of errors without id the text. */
static bool same_error(struct script *s, const cJSON *op,
    const struct v23_verror *err)
{
    const cJSON *e = get(op, "expect"), *want = get(e, "err"),
                *msg = get(e, "msg");
    char what[512];

    if (!cJSON_IsString(want))
        return true;
    if (!vdl_str_is(err == NULL ? vdl_str("") : err->id, want->valuestring)) {
        snprintf(what, sizeof(what), "error \"%.*s\" (%.*s), not \"%s\"",
            err == NULL ? 0 : (int)err->id.n, err == NULL ? "" : err->id.p,
            err == NULL ? 0 : (int)err->msg.n, err == NULL ? "" : err->msg.p,
            want->valuestring);
        return fail(s, op, what);
    }
    if (err != NULL && vdl_str_is(err->id, "v.io/v23/verror.Unknown")
        && cJSON_IsString(msg)
        && !vdl_str_is(err->msg, msg->valuestring)) {
        snprintf(what, sizeof(what), "text \"%.*s\", not \"%s\"",
            (int)err->msg.n, err->msg.p, msg->valuestring);
        return fail(s, op, what);
    }
    return true;
}

static int64_t seconds_left(const v23_naming_mounted_server *m)
{
    return m->deadline.from_now.seconds
        + (m->deadline.from_now.nanos >= 500000000);
}

static bool same_entry(const cJSON *want, const v23_naming_mount_entry *e)
{
    const cJSON *servers = get(want, "servers"), *srv;
    uint32_t i = 0;

    if (!vdl_str_eq(run_text(get(want, "name")), e->name)
        || cJSON_IsTrue(get(want, "mt")) != e->serves_mount_table
        || cJSON_IsTrue(get(want, "leaf")) != e->is_leaf
        || cJSON_GetArraySize(servers) != (int)e->servers.n)
        return false;
    cJSON_ArrayForEach(srv, servers)
    {
        const cJSON *ttl = get(srv, "ttl");

        if (!vdl_str_eq(run_text(get(srv, "server")), e->servers.v[i].server)
            || (cJSON_IsNumber(ttl)
                && (int64_t)ttl->valuedouble
                    != seconds_left(&e->servers.v[i])))
            return false;
        i++;
    }
    return true;
}

static bool do_resolve(struct script *s, const cJSON *op,
    const struct vname_caller *c)
{
    const cJSON *want = get(get(op, "expect"), "entry");
    v23_naming_mount_entry e;
    const struct v23_verror *err
        = vname_table_resolve(s->table, c, text(s, op, "name"), &e);

    if (!same_error(s, op, err))
        return false;
    return err != NULL || want == NULL || same_entry(want, &e)
        || fail(s, op, "another entry");
}

/* ---- glob ---------------------------------------------------------------- */

struct entries {
    struct v23_arena *a;
    v23_naming_mount_entry v[512];
    size_t n;
};

static int collect(struct entries *es, const v23_naming_mount_entry *e)
{
    if (es->n == 512)
        return V23_ELIMIT;
    return v23_naming_mount_entry_copy(es->a, &es->v[es->n++], e);
}

static bool do_glob(struct script *s, const cJSON *op,
    const struct vname_caller *c)
{
    static struct entries es;
    const cJSON *want = get(get(op, "expect"), "entries"), *w;
    v23_naming_mount_entry e;
    struct vname_glob *walk;
    struct vrpc_glob g;
    char what[256];
    size_t i;
    int rc;

    if (vrpc_glob_parse(&s->arena, text(s, op, "pattern"), &g) != 0)
        return cJSON_IsString(get(get(op, "expect"), "err"))
            || fail(s, op, "pattern refused");
    es.a = &s->arena;
    es.n = 0;
    if (vname_glob_new(s->table, c, text(s, op, "name"), &g, &walk) != 0)
        return fail(s, op, "glob failed");
    do {
        rc = vname_glob_next(walk, c->now_ns, &e);
        if (rc == 0)
            rc = collect(&es, &e);
    } while (rc == 0 || rc == V23_EAGAIN);
    vname_glob_free(walk);
    if (rc != V23_EEOF)
        return fail(s, op, "glob failed");
    if (want == NULL)
        return true;
    if ((size_t)cJSON_GetArraySize(want) != es.n) {
        snprintf(what, sizeof(what), "%zu entries, not %d; first \"%.*s\"",
            es.n, cJSON_GetArraySize(want),
            es.n == 0 ? 0 : (int)es.v[0].name.n,
            es.n == 0 || es.v[0].name.n == 0 ? "" : es.v[0].name.p);
        return fail(s, op, what);
    }
    cJSON_ArrayForEach(w, want)
    {
        for (i = 0; i < es.n; i++)
            if (same_entry(w, &es.v[i]))
                break;
        if (i == es.n) {
            snprintf(what, sizeof(what), "no entry like \"%s\"",
                cJSON_IsString(get(w, "name")) ? get(w, "name")->valuestring
                                               : "");
            return fail(s, op, what);
        }
        es.v[i] = es.v[--es.n];
    }
    return true;
}

/* ---- permissions and statistics ------------------------------------------ */

static bool do_setperms(struct script *s, const cJSON *op,
    const struct vname_caller *c)
{
    v23_access_permissions perms;

    if (run_permissions(get(op, "perms"), &s->arena, &perms) != 0)
        return fail(s, op, "permissions refused");
    return same_error(s, op,
        vname_table_set_permissions(s->table, c, text(s, op, "name"), &perms,
            text(s, op, "version")));
}

static bool do_getperms(struct script *s, const cJSON *op,
    const struct vname_caller *c)
{
    const cJSON *e = get(op, "expect"), *want = get(e, "perms");
    v23_access_permissions got, expected;
    struct vdl_str version;
    const struct v23_verror *err = vname_table_get_permissions(s->table, c,
        text(s, op, "name"), &got, &version);

    if (!same_error(s, op, err))
        return false;
    if (err != NULL || want == NULL)
        return true;
    if (!vdl_str_eq(version, run_text(get(e, "version"))))
        return fail(s, op, "another version");
    if (cJSON_IsNull(want))
        return got.n == 0 || fail(s, op, "has permissions");
    if (run_permissions(want, &s->arena, &expected) != 0)
        return fail(s, op, "expected permissions refused");
    return v23_access_permissions_equal(&got, &expected)
        || fail(s, op, "other permissions");
}

struct wanted_user {
    const char *id;
    int64_t nodes, rpcs;
    bool found;
};

static void find_user(void *ud, struct vdl_str id, int64_t nodes,
    int64_t rpcs)
{
    struct wanted_user *w = ud;

    if (!vdl_str_is(id, w->id))
        return;
    w->nodes = nodes;
    w->rpcs = rpcs;
    w->found = true;
}

static bool do_stats(struct script *s, const cJSON *op)
{
    const cJSON *v;
    struct vname_table_stats st;
    char what[256];

    vname_table_stats(s->table, &st);
    cJSON_ArrayForEach(v, get(get(op, "expect"), "values"))
    {
        struct wanted_user w = { NULL, 0, 0, false };
        int64_t got;
        const char *slash = strchr(v->string, '/');

        w.id = slash == NULL ? "" : slash + 1;
        vname_table_users(s->table, find_user, &w);
        if (strcmp(v->string, "num-nodes") == 0)
            got = (int64_t)st.nodes;
        else if (strcmp(v->string, "num-mounted-servers") == 0)
            got = (int64_t)st.servers;
        else if (strncmp(v->string, "num-nodes-per-user/", 19) == 0)
            got = w.nodes;
        else
            got = w.rpcs;
        if (cJSON_IsNull(v) ? w.found && got != 0
                            : (int64_t)v->valuedouble != got) {
            snprintf(what, sizeof(what), "%s is %lld", v->string,
                (long long)got);
            return fail(s, op, what);
        }
    }
    return true;
}

/* ---- the journal --------------------------------------------------------- */

static const char *const journal_files[] = { "persistent.permslog",
    "old.permslog", "tmp.permslog" };
#define NFILES (sizeof(journal_files) / sizeof(journal_files[0]))

static bool do_journal(struct script *s, const cJSON *op)
{
    const cJSON *files = get(get(op, "expect"), "files"), *want;
    char path[sizeof(s->dir) + 32];
    bool same;
    char *text;
    size_t i;

    for (i = 0; i < NFILES; i++) {
        snprintf(path, sizeof(path), "%s/%s", s->dir, journal_files[i]);
        text = tst_read_file(path, NULL);
        want = get(files, journal_files[i]);
        same = want == NULL ? text == NULL
                            : text != NULL
                && strcmp(text, want->valuestring) == 0;
        free(text);
        if (!same)
            return fail(s, op, journal_files[i]);
    }
    return true;
}

/* ---- the script ---------------------------------------------------------- */

static bool run_op(struct script *s, const cJSON *op);
static bool start(struct script *s);
static void stop_table(struct script *s);

static bool do_loop(struct script *s, const cJSON *op)
{
    const cJSON *body = get(op, "do"), *var = get(op, "var");
    double from = get(op, "from")->valuedouble,
           to = get(op, "to")->valuedouble;
    bool ok = true;

    s->var_name = var->valuestring;
    for (s->var = from; ok && s->var < to; s->var++)
        ok = run_op(s, body);
    s->var_name = NULL;
    return ok;
}

/* A call of one of the table's methods. */
static bool run_call(struct script *s, const cJSON *op, const char *kind)
{
    struct vname_caller c;

    caller(s, op, &c);
    vname_table_count_rpc(s->table, &c);
    if (strcmp(kind, "resolvestep") == 0)
        return do_resolve(s, op, &c);
    if (strcmp(kind, "glob") == 0)
        return do_glob(s, op, &c);
    if (strcmp(kind, "setperms") == 0)
        return do_setperms(s, op, &c);
    if (strcmp(kind, "getperms") == 0)
        return do_getperms(s, op, &c);
    if (strcmp(kind, "mount") == 0)
        return same_error(s, op,
            vname_table_mount(s->table, &c, text(s, op, "name"),
                text(s, op, "server"),
                (uint32_t)get(op, "ttl")->valuedouble, run_mount_flags(op)));
    if (strcmp(kind, "unmount") == 0)
        return same_error(s, op,
            vname_table_unmount(s->table, &c, text(s, op, "name"),
                text(s, op, "server")));
    if (strcmp(kind, "delete") == 0)
        return same_error(s, op,
            vname_table_delete(s->table, &c, text(s, op, "name"),
                cJSON_IsTrue(get(op, "subtree"))));
    return fail(s, op, "unknown operation");
}

static bool run_op(struct script *s, const cJSON *op)
{
    const char *kind = get(op, "op")->valuestring;

    if (strcmp(kind, "loop") == 0)
        return do_loop(s, op);
    if (strcmp(kind, "advance") == 0) {
        s->now_ns += (int64_t)(get(op, "seconds")->valuedouble * 1e9);
        return true;
    }
    if (strcmp(kind, "stats") == 0)
        return do_stats(s, op);
    if (strcmp(kind, "journal") == 0)
        return do_journal(s, op);
    if (strcmp(kind, "restart") == 0) {
        stop_table(s);
        return start(s);
    }
    return run_call(s, op, kind);
}

/* Make the table as a server does at its start: journal, then file. */
static int start_table(struct script *s, struct v23_buf *why)
{
    struct vname_table_config cfg = { 0 };
    struct vname_journal_config jcfg = { 0 };
    const cJSON *acls = get(s->c->json, "acls");
    int rc;

    cfg.al = &s->alloc.al;
    cfg.max_nodes_per_user = VNAME_MAX_NODES_PER_USER;
    cfg.empty_elements = true; /* mt-perms-rooted-key */
    rc = vname_table_new(&cfg, &s->table);
    jcfg.al = &s->alloc.al;
    jcfg.dir = s->dir;
    jcfg.table = s->table;
    if (rc == 0 && s->dir[0] != 0)
        rc = vname_journal_open(&jcfg, &s->journal, why);
    if (rc == 0 && cJSON_IsString(acls))
        rc = vname_table_load_permissions(s->table, run_text(acls), why);
    return rc;
}

static void stop_table(struct script *s)
{
    vname_journal_close(s->journal);
    s->journal = NULL;
    vname_table_free(s->table);
    s->table = NULL;
}

static bool start(struct script *s)
{
    struct v23_buf why;
    int rc;

    v23_buf_init(&why, NULL, 4096);
    rc = start_table(s, &why);
    if (rc != 0)
        run_fail(s->c, "cannot start: %s",
            why.n != 0 ? v23_buf_cstr(&why) : v23_strerror(rc));
    v23_buf_fini(&why);
    return rc == 0;
}

static bool run_script(struct script *s)
{
    bool want_error = cJSON_IsTrue(get(s->c->json, "start_error"));
    const cJSON *op;

    if (!start(s)) {
        if (want_error)
            s->c->why[0] = 0;
        return want_error;
    }
    if (want_error)
        return run_fail(s->c, "it started");
    cJSON_ArrayForEach(op, get(s->c->json, "ops"))
    {
        v23_arena_reset(&s->arena);
        if (!run_op(s, op))
            return false;
        s->op++;
    }
    return true;
}

static bool make_dir(struct script *s)
{
    const char *tmp = getenv("TMPDIR");

    snprintf(s->dir, sizeof(s->dir), "%s/v23-journal-XXXXXX",
        tmp == NULL ? "/tmp" : tmp);
    if (mkdtemp(s->dir) != NULL)
        return true;
    s->dir[0] = 0;
    return run_fail(s->c, "cannot make a directory");
}

static void remove_dir(struct script *s)
{
    char path[sizeof(s->dir) + 32];
    size_t i;

    for (i = 0; i < NFILES; i++) {
        snprintf(path, sizeof(path), "%s/%s", s->dir, journal_files[i]);
        unlink(path);
    }
    rmdir(s->dir);
}

bool run_naming_table(struct run_case *c)
{
    struct script s = { 0 };
    bool ok;

    tst_alloc_init(&s.alloc);
    s.c = c;
    s.now_ns = INT64_C(1000000) * V23_NS_PER_SEC;
    if (cJSON_IsTrue(get(c->json, "persist")) && !make_dir(&s))
        return false;
    v23_arena_init(&s.arena, NULL, SIZE_MAX);
    ok = run_script(&s);
    stop_table(&s);
    v23_arena_fini(&s.arena);
    if (s.dir[0] != 0)
        remove_dir(&s);
    if (ok && s.alloc.live != 0)
        return run_fail(c, "%zu blocks leaked", s.alloc.live);
    return ok;
}

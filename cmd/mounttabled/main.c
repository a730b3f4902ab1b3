/* BSD-3-Clause; see LICENSE. */
/* mounttabled: a mount table server (spec/naming.md 10). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vname/etcd.h>
#include <vname/journal.h>
#include <vname/mount_service.h>
#include <vname/mounttable.h>
#include <vname/program.h>

#include "engine.h"
#include "neighborhood.h"

/* Bytes of one call: permissions, or the servers of a name. */
#define CALL_BUDGET (4u << 20)

static const char *name = "", *acls = "", *persist_dir = "",
                  *host = "", *store = "journal", *password_file = "";
static int64_t max_nodes = VNAME_MAX_NODES_PER_USER, logging = 1;

static const struct v23_flag flags[] = {
    { "name", "Name to mount the mount table at.", "", V23_FLAG_STRING, &name,
        NULL },
    { "acls", "File with the permissions of nodes, as JSON.", "",
        V23_FLAG_STRING, &acls, NULL },
    { "persist-dir", "Directory of the journal of permissions.", "",
        V23_FLAG_STRING, &persist_dir, NULL },
    { "neighborhood-name",
        "Name to announce this host under in its neighborhood.", "",
        V23_FLAG_STRING, &host, NULL },
    { "max-nodes-per-user",
        "Nodes that one user may have created; 0: no limit.", "1000",
        V23_FLAG_INT, &max_nodes, NULL },
    { "store", "Where the table is kept: journal, or for one table with many "
        "daemons etcd://[user@]host:port[,host:port...]/prefix.", "journal",
        V23_FLAG_STRING, &store, NULL },
    { "store-password-file", "File with the password of the user of -store.",
        "", V23_FLAG_STRING, &password_file, NULL },
    { "mounttable-logging",
        "0: nothing, 1: changes, 2: every operation is logged.", "1",
        V23_FLAG_INT, &logging, NULL },
};

/* Restore what was kept, and go on keeping it. */
static int open_journal(struct vname_program *p, struct vname_table *t,
    struct vname_journal **out)
{
    struct vname_journal_config cfg = { 0 };
    struct v23_buf why;
    int rc;

    if (persist_dir[0] == 0)
        return 0;
    cfg.log = &p->rt.log;
    cfg.dir = persist_dir;
    cfg.table = t;
    v23_buf_init(&why, NULL, 4096);
    rc = vname_journal_open(&cfg, out, &why);
    if (rc != 0)
        v23_error("mounttablelib.StartServers failed: %s",
            why.n != 0 ? v23_buf_cstr(&why) : v23_strerror(rc));
    v23_buf_fini(&why);
    return rc == 0 ? 0 : 255;
}

/* Read a file; a missing one is empty. 0, V23_ESYS or what the buffer has. */
static int read_file(const char *path, struct v23_buf *out)
{
    FILE *f = fopen(path, "rb");
    char chunk[4096];
    size_t n;
    int rc;

    if (f == NULL)
        return V23_ENOENT;
    while ((n = fread(chunk, 1, sizeof(chunk), f)) != 0)
        v23_buf_put(out, chunk, n);
    rc = ferror(f) != 0 ? V23_ESYS : out->err;
    fclose(f);
    v23_wipe(chunk, sizeof(chunk));
    return rc;
}

/* The first line of the file, as a text of its own. */
static int read_password(struct v23_buf *out)
{
    int rc = password_file[0] == 0 ? 0 : read_file(password_file, out);

    if (rc != 0)
        return v23_error("mounttablelib.StartServers failed: cannot read %s",
            password_file);
    while (out->n != 0
        && (out->p[out->n - 1] == '\n' || out->p[out->n - 1] == '\r'))
        out->n--;
    return 0;
}

static int open_etcd(struct vname_program *p, struct vname_table *t,
    struct vname_etcd **out)
{
    struct vname_etcd_config cfg = { .log = &p->rt.log,
        .ev = p->rt.ev,
        .table = t };
    struct vname_etcd_place place;
    struct v23_buf why, password;
    int rc;

    v23_buf_init(&why, NULL, 4096);
    v23_buf_init(&password, NULL, 4096);
    cfg.place = &place;
    rc = vname_etcd_parse(store, &place, &why);
    if (rc != 0) {
        rc = v23_error("mounttablelib.StartServers failed: bad -store: %s",
            v23_buf_cstr(&why));
    } else if ((rc = read_password(&password)) == 0) {
        cfg.password = password.n == 0 ? NULL : v23_buf_cstr(&password);
        rc = vname_etcd_open(&cfg, out, &why);
        if (rc != 0)
            rc = v23_error("mounttablelib.StartServers failed: %s",
                why.n != 0 ? v23_buf_cstr(&why) : v23_strerror(rc));
    }
    if (password.p != NULL)
        v23_wipe(password.p, password.cap);
    v23_buf_fini(&password);
    v23_buf_fini(&why);
    return rc;
}

/* Read the permissions file. */
static int load_acls(struct vname_program *p, struct vname_table *t,
    struct vname_etcd *etcd)
{
    struct v23_buf text, why;
    const char *reason;
    int rc;

    if (acls[0] == 0)
        return 0;
    v23_buf_init(&text, NULL, 64u << 20);
    v23_buf_init(&why, NULL, 4096);
    rc = read_file(acls, &text);
    if (rc == 0)
        rc = vname_table_load_permissions(t,
            vdl_strn((const char *)text.p, text.n), &why);
    if (rc == 0 && etcd != NULL)
        rc = vname_etcd_settle(etcd, &why);
    if (rc != 0 && rc != V23_ENOENT) {
        reason = why.n != 0 ? v23_buf_cstr(&why) : v23_strerror(rc);
        v23_logf(&p->rt.log, V23_LOG_ERROR,
            "NewMountTable failed: perms file %s invalid: %s", acls, reason);
        v23_error("mounttablelib.StartServers failed: perms file %s invalid: "
                  "%s",
            acls, reason);
    }
    v23_buf_fini(&text);
    v23_buf_fini(&why);
    return rc == 0 || rc == V23_ENOENT ? 0 : 1;
}

static void tell_time(void *ud, struct v23_now *out)
{
    vrpc_ev_now(ud, out);
}

/* With its neighborhood, which ends first: its name is in the table. */
static int print_and_run(struct vname_program *p, struct vname_serving *s)
{
    struct neighborhood *n;
    int rc;

    if (host[0] == 0)
        return vname_serving_print_and_run(s);
    rc = neighborhood_start(p, s, host, &n);
    if (rc == 0) {
        rc = vname_serving_print(s, "NAME");
        if (rc == 0)
            neighborhood_run(n);
        else
            neighborhood_stop(n);
    }
    vname_serving_stop(s);
    return rc;
}

static int serve(struct vname_program *p, struct vname_table *t,
    struct vname_etcd *etcd)
{
    struct vname_mount_service service;
    struct vname_mount_stats counts = { 0 };
    struct vrpc_server_config cfg = { 0 };
    struct vname_serve_config scfg = { 0 };
    struct vname_serving *s;
    int rc;

    vname_mount_service_init(&service, t);
    service.log = &p->rt.log;
    service.logging = logging <= 0 ? VNAME_LOG_NOTHING
        : logging == 1             ? VNAME_LOG_CHANGES
                                   : VNAME_LOG_ALL;
    cfg.dispatcher = &service.dispatcher;
    cfg.mount_table = true;
    cfg.call_budget = CALL_BUDGET;
    scfg.server = &cfg;
    scfg.name = vdl_str(name);
    rc = vname_serve(p, &scfg, &s);
    if (rc != 0)
        return v23_error("mounttablelib.StartServers failed: %s",
            p->rt.why[0] != 0 ? p->rt.why : v23_strerror(rc));
    counts.table = t;
    counts.stats = p->rt.stats;
    counts.now = tell_time;
    counts.ud = p->rt.ev;
    rc = vname_mount_stats_init(&counts);
    if (rc == 0 && etcd != NULL) {
        rc = vname_etcd_show(etcd, p->rt.stats);
        if (rc != 0)
            vname_mount_stats_fini(&counts);
    }
    if (rc != 0) {
        vname_serving_stop(s);
        return v23_error("mounttablelib.StartServers failed: %s",
            v23_strerror(rc));
    }
    rc = print_and_run(p, s);
    vname_mount_stats_fini(&counts);
    return rc;
}

static int run(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct vname_table_config cfg = { 0 };
    bool with_etcd = strncmp(store, VNAME_ETCD_SCHEME,
                         strlen(VNAME_ETCD_SCHEME))
        == 0;
    struct vname_journal *journal = NULL;
    struct vname_etcd *etcd = NULL;
    struct vname_table *t;
    int rc;

    (void)argc;
    (void)argv;
    if (max_nodes < 0 || max_nodes > UINT32_MAX)
        return v23_usage_error(inv,
            "-max-nodes-per-user=%lld is out of range", (long long)max_nodes);
    if (with_etcd && persist_dir[0] != 0)
        return v23_usage_error(inv,
            "-persist-dir is for the journal, not for -store=%.32s...",
            VNAME_ETCD_SCHEME);
    if (!with_etcd && strcmp(store, "journal") != 0)
        return v23_usage_error(inv, "-store must be journal or begin with %s",
            VNAME_ETCD_SCHEME);
    cfg.max_nodes_per_user = (uint32_t)max_nodes;
    rc = vname_table_new(&cfg, &t);
    if (rc != 0)
        return v23_error("mounttablelib.StartServers failed: %s",
            v23_strerror(rc));
    rc = with_etcd ? open_etcd(ud, t, &etcd) : open_journal(ud, t, &journal);
    if (rc == 0)
        rc = load_acls(ud, t, etcd);
    if (rc == 0)
        rc = serve(ud, t, etcd);
    vname_etcd_close(etcd);
    vname_journal_close(journal);
    vname_table_free(t);
    return rc;
}

static const struct v23_command command = {
    .name = "mounttabled",
    .brief = "runs the mount table daemon",
    .about = "Command mounttabled runs the mount table daemon: a server of "
             "names. It prints NAME=<object name> when it serves.",
    .flags = flags,
    .nflags = sizeof(flags) / sizeof(flags[0]),
    .run = run,
};

int main(int argc, char **argv)
{
    static struct vname_program p;

    if (argc == 2 && strcmp(argv[1], ENGINE_ARGUMENT) == 0)
        return engine_main();
    return vname_program_main(&p, &command, VRPC_FLAGS_SERVER, argc,
        argv);
}

/* BSD-3-Clause; see LICENSE. */
/* dischargerd: discharges third-party caveats (spec/services.md 11.2). */
#include <stdio.h>

#include <vname/program.h>
#include <vrpc/discharger.h>
#include <vrpc/server.h>
#include <vsec/revocations.h>

static const char *name = "", *revocations = "", *note = "";
static int64_t duration = VRPC_DISCHARGE_NS;

static const struct v23_flag flags[] = {
    { "duration", "How long a discharge is valid: what is revoked stops "
        "working after that long.", "15m", V23_FLAG_DURATION, &duration,
        NULL },
    { "name", "Name to mount the discharger at.", "", V23_FLAG_STRING, &name,
        NULL },
    { "revocations", "File with the ids of revoked blessings, see 'dischargerd "
        "help revocations'. Without it NotRevoked caveats are never "
        "discharged.", "", V23_FLAG_STRING, &revocations, NULL },
};

/* ---- the server ---------------------------------------------------------- */

static int print_key(const struct vsec_principal *p)
{
    struct v23_buf text;
    int rc;

    v23_buf_init(&text, NULL, 1u << 20);
    v23_base64_put(&text, p->key->der.p, p->key->der.n, true);
    printf("PUBLIC_KEY=%s\n", v23_buf_cstr(&text));
    rc = text.err == 0 ? 0 : v23_error("out of memory");
    v23_buf_fini(&text);
    return rc;
}

static int serve(struct vname_program *p, struct vrpc_discharger *d)
{
    struct vrpc_server_config cfg = { 0 };
    struct vname_serve_config scfg = { 0 };
    struct vname_serving *s;
    int rc;

    cfg.object = vrpc_discharger_object(d);
    cfg.authorizer = &vsec_auth_everyone;
    scfg.server = &cfg;
    scfg.name = vdl_str(name);
    rc = vname_serve(p, &scfg, &s);
    if (rc != 0)
        return v23_error("cannot serve: %s",
            p->rt.why[0] != 0 ? p->rt.why : v23_strerror(rc));
    rc = print_key(d->principal);
    if (rc == 0)
        return vname_serving_print_and_run(s);
    vname_serving_stop(s);
    return rc;
}

/* The kinds of caveats that are validated here: NotRevoked needs its file. */
static int serve_kinds(struct vname_program *p,
    const struct vsec_revocations *list)
{
    const struct vsec_caveat_kind logging =
        vrpc_discharger_logging(&p->rt.log);
    const struct vsec_caveat_kind *v[16];
    struct vsec_caveat_kinds kinds = { v, 0 };
    struct vrpc_discharger d = { 0 };

    _Static_assert(sizeof(v) / sizeof(v[0]) > 9, "room for the kinds");
    for (; kinds.n < vsec_kinds_standard.n; kinds.n++)
        v[kinds.n] = vsec_kinds_standard.v[kinds.n];
    v[kinds.n++] = &logging;
    if (list != NULL)
        v[kinds.n++] = vsec_revocations_kind(list);
    d.principal = p->rt.principal;
    d.duration_ns = duration;
    d.kinds = &kinds;
    d.log = &p->rt.log;
    return serve(p, &d);
}

static int run(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct vname_program *p = ud;
    struct vsec_revocations *list = NULL;
    char why[VSEC_CRED_WHY];
    int rc = v23_want_args(inv, 0, argc);

    (void)argv;
    if (rc != 0)
        return rc;
    if (duration <= 0)
        return v23_usage_error(inv, "-duration must be positive");
    if (p->rt.principal->signer == NULL)
        return v23_error("the private key of the credentials is not "
            "available: discharges cannot be signed");
    if (revocations[0] != 0 && vsec_revocations_open(NULL, revocations,
            &p->rt.log, &list, why) != 0)
        return v23_error("%s", why);
    rc = serve_kinds(p, list);
    vsec_revocations_free(list);
    return rc;
}

/* ---- revoke -------------------------------------------------------------- */

static const struct v23_flag revoke_flags[] = {
    { "note", "Comment to be written beside the ids.", "", V23_FLAG_STRING,
        &note, NULL },
};

static int revoke(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    uint8_t id[VSEC_REVOCATION_ID];
    char why[VSEC_CRED_WHY];
    int i;

    (void)ud;
    if (argc == 0)
        return v23_usage_error(inv, "revoke: no id given");
    if (revocations[0] == 0)
        return v23_usage_error(inv, "revoke: -revocations is required");
    for (i = 0; i < argc; i++) /* all or none */
        if (vsec_revocation_id_parse(vdl_str(argv[i]), id) != 0)
            return v23_error("%s is not an id of 32 hex digits", argv[i]);
    for (i = 0; i < argc; i++)
        if (vsec_revocation_id_parse(vdl_str(argv[i]), id) != 0
            || vsec_revocations_add(NULL, revocations, id, note, why) != 0)
            return v23_error("%s", why);
    return 0;
}

static const struct v23_command cmd_revoke = {
    .name = "revoke",
    .brief = "Revoke blessings",
    .about = "Adds ids to the file of revocations, which is made if it is not "
        "there. A running discharger takes notice at once: it gives no new "
        "discharges for these blessings, and they stop working when the last "
        "one expires.\n\nExample:\n"
        "    dischargerd --revocations=/etc/vanadium/revoked revoke "
        "--note='lost phone' 00112233445566778899aabbccddeeff",
    .args = "<id> ...",
    .args_help = "<id> is the revocation id that 'principal bless "
        "--caveat=revocable=...' or 'principal fork' printed.",
    .flags = revoke_flags,
    .nflags = 1,
    .run = revoke,
};

/* ---- the program --------------------------------------------------------- */

static const struct v23_topic topics[] = {
    { "revocations", "Making and revoking blessings",
        "A blessing that can be revoked carries a third-party caveat to a "
        "discharger, and inside it a NotRevoked caveat with 16 random octets, "
        "the revocation id:\n\n"
        "    principal bless --caveat=revocable=KEY,NAME <principal> "
        "<extension>\n\n"
        "KEY is the discharger's public key, as its line PUBLIC_KEY= says, or "
        "a file with it. NAME is the object name of the discharger: better "
        "the one that it is mounted at than one that changes when it is "
        "started again. The id is printed on standard error.\n\nThe file of "
        "revocations is text: one id of 32 hex digits on a line; empty lines "
        "and what follows a '#' are comments. 'dischargerd revoke' adds to it, "
        "and it may be edited; it is read again whenever it changed. While it "
        "cannot be read or has a bad line, nothing with a NotRevoked caveat "
        "is discharged.\n" },
};

static const struct v23_command *const children[] = { &cmd_revoke };

static const struct v23_command command = {
    .name = "dischargerd",
    .brief = "discharges third-party caveats",
    .about = "Command dischargerd runs a daemon that discharges third-party "
        "caveats: whoever calls it gets a discharge if every caveat inside the "
        "third-party caveat is valid for that call. The discharge expires "
        "after --duration, and when the caveat wants the method or the server "
        "to be reported, it is good for the reported ones only.\n\nWhen it "
        "serves, it prints two lines: PUBLIC_KEY=<key> and NAME=<object "
        "name>, which third-party caveats refer to.\n\nSee 'dischargerd help "
        "revocations' for blessings that can be revoked.",
    .flags = flags,
    .nflags = sizeof(flags) / sizeof(flags[0]),
    .children = children,
    .nchildren = 1,
    .run = run,
    .topics = topics,
    .ntopics = 1,
};

int main(int argc, char **argv)
{
    static struct vname_program p;

    return vname_program_main(&p, &command,
        VRPC_FLAGS_RUNTIME | VRPC_FLAGS_LISTEN | VRPC_FLAGS_VIRTUALIZED
            | VRPC_FLAGS_LOGGING,
        argc, argv);
}

/* BSD-3-Clause; see LICENSE. */
/*
 * The frame of programs: what they do alike at the start, and the means of all
 * that they do then. What they serve is in serving.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <v23/time.h>
#include <vname/program.h>
#include <vrpc/name.h>

#define PARENT_TIMEOUT (60 * V23_NS_PER_SEC)
/* Names that another principal remembers: there may be thousands of them. */
#define IDENTITY_NAMES 128
#define IDENTITY_CALLS 8 /* … and call objects that it keeps, */
#define IDENTITY_IDLE (60 * V23_NS_PER_SEC) /* … and unused connections */

/* ---- the start ----------------------------------------------------------- */

static int text_error(const struct v23_verror *err)
{
    return v23_error("%.*s", (int)err->msg.n,
        err->msg.n == 0 ? "" : err->msg.p);
}

/* Take the parent's configuration. */
static int hear_parent(struct vname_program *p)
{
    const struct v23_verror *err;
    struct v23_arena a;
    struct v23_buf why;
    int rc = 0;

    p->heard = true;
    v23_arena_init(&a, NULL, SIZE_MAX);
    v23_buf_init(&why, NULL, 4096);
    err = vrpc_exec_child_init(&p->child, PARENT_TIMEOUT, &a);
    if (err != NULL && !v23_exec_err_err_no_version_is(err))
        rc = text_error(err);
    else if (vrpc_flags_configure(&p->flags, &p->child.config, &why) != 0)
        rc = v23_error("%s", why.n == 0 ? "out of memory"
                                        : v23_buf_cstr(&why));
    v23_buf_fini(&why);
    v23_arena_fini(&a);
    return rc;
}

/* Say that all has started, or why not. */
static int tell_parent(struct vname_program *p, const char *failed)
{
    const struct v23_verror *err;
    struct v23_arena a;
    int rc = 0;

    v23_arena_init(&a, NULL, SIZE_MAX);
    err = vrpc_exec_child_report(&p->child, failed, &a);
    if (err != NULL)
        rc = text_error(err);
    v23_arena_fini(&a);
    return rc;
}

static int cannot_start(struct vname_program *p, const char *why)
{
    (void)tell_parent(p, why);
    return v23_error("%s", why);
}

/* The error is in p->rt.why. */
static void on_managed(void *ud, const struct v23_verror *err)
{
    struct vname_program *p = ud;

    p->rt.why[0] = 0;
    if (err != NULL)
        snprintf(p->rt.why, sizeof(p->rt.why), "the parent process: %.*s",
            (int)err->msg.n, err->msg.n == 0 ? "" : err->msg.p);
    vname_program_done(p);
}

static int be_managed(struct vname_program *p)
{
    if (vrpc_runtime_managed(&p->rt, &p->child.config, on_managed, p) != 0)
        return cannot_start(p, "out of memory");
    vname_program_wait(p);
    return p->rt.why[0] != 0 ? cannot_start(p, p->rt.why)
                             : tell_parent(p, NULL);
}

static int before(void *ud)
{
    struct vname_program *p = ud;
    struct vname_ns_config cfg = { 0 };
    int rc = hear_parent(p);

    if (rc != 0)
        return rc;
    rc = vrpc_runtime_init(&p->rt, &p->flags, p->name);
    if (rc != 0)
        return cannot_start(p, p->rt.why[0] != 0 ? p->rt.why
                                                 : v23_strerror(rc));
    cfg.client = p->rt.client;
    cfg.roots = p->flags.roots;
    cfg.nroots = p->flags.nroots;
    cfg.component = vdl_str(p->rt.component);
    cfg.no_cache = getenv("V23_DISABLE_NS_CACHE") != NULL
        && getenv("V23_DISABLE_NS_CACHE")[0] != 0;
    rc = vname_ns_new(&cfg, &p->ns);
    if (rc != 0) {
        vrpc_runtime_fini(&p->rt);
        return cannot_start(p, rc == V23_EARG
                ? "at least one namespace root is not a rooted name"
                : "cannot start the namespace: out of memory");
    }
    p->started = true;
    return p->child.config.n == 0 ? tell_parent(p, NULL) : be_managed(p);
}

int vname_program_main(struct vname_program *p,
    const struct v23_command *root, int groups, int argc, char **argv)
{
    struct v23_flag_source source;
    const struct v23_flag_source *sources[1];
    int rc;

    p->name = root->name;
    if (vrpc_flags_init(&p->flags, groups) != 0)
        return v23_error("out of memory");
    vrpc_flags_source(&p->flags, &source);
    sources[0] = &source;
    rc = v23_cmdline_main(root, sources, 1, before, p, argc, argv);
    if (p->started) {
        vname_ns_free(p->ns);
        vrpc_runtime_fini(&p->rt);
    }
    if (p->heard)
        vrpc_exec_child_fini(&p->child);
    vrpc_flags_fini(&p->flags);
    return rc;
}

void vname_program_wait(struct vname_program *p)
{
    if (!p->done)
        vrpc_runtime_run(&p->rt);
    p->done = false;
}

void vname_program_done(struct vname_program *p)
{
    p->done = true;
    vrpc_runtime_stop(&p->rt);
}

static void on_signal(void *ud, int signo)
{
    (void)signo;
    vname_program_done(ud);
}

int vname_program_catch(struct vname_program *p)
{
    if (vrpc_runtime_on_signal(&p->rt, on_signal, p) != 0)
        return v23_error("cannot catch signals");
    return 0;
}

int vname_program_error(const struct vname_program *p, const char *what,
    const struct v23_verror *err)
{
    struct v23_buf text;

    v23_buf_init(&text, NULL, SIZE_MAX);
    vrpc_runtime_error(&p->rt, err, &text);
    v23_error("%s%s%s", what == NULL ? "" : what, what == NULL ? "" : ": ",
        v23_buf_cstr(&text));
    v23_buf_fini(&text);
    return 1;
}

int vname_program_ttl(const char *text, int64_t *ns)
{
    struct v23_buf why;
    int rc;

    v23_buf_init(&why, NULL, 4096);
    rc = v23_duration_parse(text, ns, &why);
    if (rc != 0)
        rc = v23_error("TTL parse error: %s", v23_buf_cstr(&why));
    v23_buf_fini(&why);
    return rc;
}

int vname_program_raw_names(struct vname_program *p, const char *name,
    struct v23_arena *a, vdl_str_list *out)
{
    vdl_str_list roots = vname_ns_roots(p->ns);
    struct vdl_str *v = v23_arena_get0(a, roots.n + 1, sizeof(*v),
        _Alignof(struct vdl_str));
    uint32_t i;

    if (v == NULL)
        return V23_ENOMEM;
    out->v = v;
    out->n = 0;
    if (name[0] == '/') {
        v[out->n++] = vdl_str(name);
        return 0;
    }
    for (i = 0; i < roots.n; i++)
        if (vrpc_name_join2(a, roots.v[i], vdl_str(name), &v[out->n++]) != 0)
            return V23_ENOMEM;
    return 0;
}

/* ---- another principal --------------------------------------------------- */

int vname_identity_node(struct vname_program *p, struct vsec_principal *as,
    struct vrpc_ev_node **out)
{
    struct vrpc_manager_config cfg = { .principal = as,
        .vtrace = p->rt.vtrace, .idle_ns = IDENTITY_IDLE };

    return vrpc_ev_node_new(p->rt.ev, &cfg, out);
}

int vname_identity_join(struct vname_identity *id, struct vname_program *p,
    struct vrpc_ev_node *node)
{
    struct vrpc_client_config ccfg = { .component = vdl_str(p->name),
        .pool = IDENTITY_CALLS };
    struct vname_ns_config ncfg = { .roots = p->flags.roots,
        .nroots = p->flags.nroots, .component = ccfg.component,
        .cache_entries = IDENTITY_NAMES };
    int rc;

    memset(id, 0, sizeof(*id));
    id->node = node;
    vrpc_ev_networks(p->rt.ev, &ccfg.networks, &ccfg.nnetworks);
    rc = vrpc_client_new(vrpc_ev_node_manager(node), &ccfg, &id->client);
    ncfg.client = id->client;
    if (rc == 0)
        rc = vname_ns_new(&ncfg, &id->ns);
    if (rc != 0)
        vname_identity_fini(id);
    return rc;
}

int vname_identity_init(struct vname_identity *id, struct vname_program *p,
    struct vsec_principal *as)
{
    struct vrpc_ev_node *node;
    int rc;

    memset(id, 0, sizeof(*id));
    rc = vname_identity_node(p, as, &node);
    if (rc != 0)
        return rc;
    rc = vname_identity_join(id, p, node);
    if (rc != 0)
        vrpc_ev_node_free(node);
    id->owns_node = rc == 0;
    return rc;
}

void vname_identity_fini(struct vname_identity *id)
{
    vname_ns_free(id->ns);
    vrpc_client_free(id->client);
    if (id->owns_node)
        vrpc_ev_node_free(id->node);
    memset(id, 0, sizeof(*id));
}

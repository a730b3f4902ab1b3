/* BSD-3-Clause; see LICENSE. */
/*
 * Values of the --v23.* and logging flags (spec/rpc.md 25). Flag beats
 * environment beats default; the first use of a repeatable flag replaces what
 * was there.
 */
#include <vrpc/flags.h>

#include <stdlib.h>
#include <string.h>

#include <v23/time.h>
#include <vrpc/endpoint.h>
#include <vrpc/exec.h>

#include "flags_int.h"

extern char **environ;

#define DEFAULT_ROOT \
    "/(dev.v.io:r:vprod:service:mounttabled)@ns.dev.v.io:8101"
#define MAX_LIST 1024

int vrpc_flags_dup_(struct vrpc_flags *f, const char *s, struct vdl_str *out)
{
    size_t n = strlen(s);
    char *p = v23_arena_dup(&f->arena, s, n);

    if (p == NULL)
        return V23_ENOMEM;
    *out = vdl_strn(p, n);
    return 0;
}

static int add_root(struct vrpc_flags *f, const char *root)
{
    void *v = f->roots;
    size_t i;
    int rc;

    for (i = 0; i < f->nroots; i++)
        if (vdl_str_is(f->roots[i], root))
            return 0;
    rc = v23_reserve(NULL, &v, &f->roots_cap, f->nroots + 1, MAX_LIST,
        sizeof(*f->roots));
    if (rc != 0)
        return rc;
    f->roots = v;
    rc = vrpc_flags_dup_(f, root, &f->roots[f->nroots]);
    if (rc == 0)
        f->nroots++;
    return rc;
}

/* Every non-empty variable whose name starts with V23_NAMESPACE. */
static int roots_from_environment(struct vrpc_flags *f)
{
    static const char prefix[] = "V23_NAMESPACE";
    char **e;
    int rc = 0;

    for (e = environ; e != NULL && *e != NULL && rc == 0; e++) {
        const char *eq = strchr(*e, '=');

        if (eq != NULL && eq[1] != 0
            && strncmp(*e, prefix, sizeof(prefix) - 1) == 0)
            rc = add_root(f, eq + 1);
    }
    if (rc == 0 && f->nroots == 0) {
        f->roots_default = true;
        rc = add_root(f, DEFAULT_ROOT);
    }
    return rc;
}

/* A variable's text unless it is unset or empty. */
static int from_environment(struct vrpc_flags *f, const char *name,
    struct vdl_str *out)
{
    const char *v = getenv(name);

    return v == NULL || *v == 0 ? 0 : vrpc_flags_dup_(f, v, out);
}

int vrpc_flags_init(struct vrpc_flags *f, int groups)
{
    int rc;

    memset(f, 0, sizeof(*f));
    v23_arena_init(&f->arena, NULL, SIZE_MAX);
    f->groups = groups;
    f->vtrace_cache_size = 1024;
    f->vtrace_dump = true;
    f->protocol = vdl_str("wsh");
    f->proxy_policy = VRPC_PROXY_RANDOM;
    f->lame_duck_ns = 5 * V23_NS_PER_SEC;
    f->loops = 1;
    f->also_log_to_stderr = true;
    f->stderr_threshold = 2;
    f->public_protocol = vdl_str("wsh");
    f->advertise_private = true;
    vrpc_flags_provider_(f);
    rc = roots_from_environment(f);
    if (rc == 0)
        rc = from_environment(f, "V23_CREDENTIALS", &f->credentials);
    if (rc == 0)
        rc = from_environment(f, "V23_I18N_CATALOGUE", &f->catalogue);
    if (rc != 0)
        vrpc_flags_fini(f);
    return rc;
}

void vrpc_flags_fini(struct vrpc_flags *f)
{
    v23_put(NULL, f->roots);
    v23_put(NULL, f->addrs);
    v23_put(NULL, f->perms_files);
    v23_arena_fini(&f->arena);
    memset(f, 0, sizeof(*f));
}

/* ---- single flags -------------------------------------------------------- */

int vrpc_flags_bad_(const char **why, const char *text)
{
    *why = text;
    return V23_EARG;
}

static int set_root(struct vrpc_flags *f, const char *value, const char **why)
{
    (void)why;
    if (!f->roots_flag)
        f->nroots = 0;
    f->roots_flag = true;
    f->roots_default = false;
    return add_root(f, value);
}

static int set_credentials(struct vrpc_flags *f, const char *value,
    const char **why)
{
    (void)why;
    return vrpc_flags_dup_(f, value, &f->credentials);
}

static int set_catalogue(struct vrpc_flags *f, const char *value,
    const char **why)
{
    (void)why;
    return vrpc_flags_dup_(f, value, &f->catalogue);
}

/* A protocol name that we know, or NULL. */
const char *vrpc_flags_protocol_(const char *value)
{
    static const char *const known[] = { "tcp", "tcp4", "tcp6", "ws", "ws4",
        "ws6", "wsh", "wsh4", "wsh6", "unix" };
    size_t i;

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(value, known[i]) == 0)
            return known[i];
    return NULL;
}

static int set_protocol(struct vrpc_flags *f, const char *value,
    const char **why)
{
    const char *name = vrpc_flags_protocol_(value);

    if (name == NULL)
        return vrpc_flags_bad_(why, "not one of tcp, tcp4, tcp6, ws, ws4, "
                                    "ws6, wsh, wsh4, wsh6, unix");
    f->protocol = vdl_str(name);
    return 0;
}

static bool port_ok(struct vdl_str port)
{
    unsigned long v = 0;
    uint32_t i;

    for (i = 0; i < port.n; i++) {
        if (port.p[i] < '0' || port.p[i] > '9')
            return false;
        v = v * 10 + (unsigned)(port.p[i] - '0');
        if (v > 65535)
            return false;
    }
    return true;
}

/* The parts of "host", "host:port", ":port"; *port is empty without one. */
int vrpc_flags_split_(struct vdl_str text, struct vdl_str *host,
    struct vdl_str *port, const char **why)
{
    if (vrpc_split_host_port(text, host, port) != 0) {
        /* No port: a bare host, perhaps an IPv6 address. */
        *host = text;
        *port = vdl_str("");
        if (host->n > 2 && host->p[0] == '[' && host->p[host->n - 1] == ']')
            *host = vdl_strn(host->p + 1, host->n - 2u);
    }
    return port_ok(*port) ? 0 : vrpc_flags_bad_(why, "malformed port");
}

/* "host", "host:port", ":port"; the port defaults to 0. A path of a socket
 * stays as it is. */
static int complete_address(struct vrpc_flags *f, const char *value,
    struct vdl_str *out, const char **why)
{
    struct vdl_str text = vdl_str(value), host, port;
    struct v23_buf b;
    char *p;
    int rc;

    if (text.n == 0) {
        *out = text;
        return 0;
    }
    if (vdl_str_is(f->protocol, "unix"))
        return vrpc_flags_dup_(f, value, out);
    rc = vrpc_flags_split_(text, &host, &port, why);
    if (rc != 0)
        return rc;
    if (port.n == 0)
        port = vdl_str("0");
    p = v23_arena_get(&f->arena, (size_t)host.n + port.n + 4, 1);
    if (p == NULL)
        return V23_ENOMEM;
    v23_buf_init_fixed(&b, p, (size_t)host.n + port.n + 4);
    if (host.n != 0 && memchr(host.p, ':', host.n) != NULL) {
        v23_buf_puts(&b, "[");
        v23_buf_put_str(&b, host);
        v23_buf_puts(&b, "]");
    } else {
        v23_buf_put_str(&b, host);
    }
    v23_buf_puts(&b, ":");
    v23_buf_put_str(&b, port);
    *out = vdl_strn(p, b.n);
    return 0;
}

static int set_address(struct vrpc_flags *f, const char *value,
    const char **why)
{
    struct vdl_str address;
    void *v = f->addrs;
    size_t i;
    int rc = complete_address(f, value, &address, why);

    if (rc != 0)
        return rc;
    f->addrs_flag = true;
    if (address.n == 0)
        return 0; /* do not listen */
    for (i = 0; i < f->naddrs; i++)
        if (vdl_str_eq(f->addrs[i].address, address)
            && vdl_str_eq(f->addrs[i].protocol, f->protocol))
            return 0;
    rc = v23_reserve(NULL, &v, &f->addrs_cap, f->naddrs + 1, MAX_LIST,
        sizeof(*f->addrs));
    if (rc != 0)
        return rc;
    f->addrs = v;
    f->addrs[f->naddrs].protocol = f->protocol;
    f->addrs[f->naddrs++].address = address;
    return 0;
}

static int set_proxy(struct vrpc_flags *f, const char *value,
    const char **why)
{
    (void)why;
    return vrpc_flags_dup_(f, value, &f->proxy);
}

static int set_policy(struct vrpc_flags *f, const char *value,
    const char **why)
{
    if (strcmp(value, "first") == 0)
        f->proxy_policy = VRPC_PROXY_FIRST;
    else if (strcmp(value, "random") == 0)
        f->proxy_policy = VRPC_PROXY_RANDOM;
    else if (strcmp(value, "all") == 0)
        f->proxy_policy = VRPC_PROXY_ALL;
    else
        return vrpc_flags_bad_(why, "not one of first, random, all");
    return 0;
}

int vrpc_flags_number_(const char *value, unsigned long most, unsigned long *out,
    const char **why)
{
    char *end;
    unsigned long v = strtoul(value, &end, 10);

    if (value[0] < '0' || value[0] > '9' || *end != 0 || v > most)
        return vrpc_flags_bad_(why, "not a number in range");
    *out = v;
    return 0;
}

static int set_limit(struct vrpc_flags *f, const char *value,
    const char **why)
{
    unsigned long v;
    int rc = vrpc_flags_number_(value, UINT32_MAX, &v, why);

    if (rc == 0)
        f->proxy_limit = (uint32_t)v;
    return rc;
}

static int set_loops(struct vrpc_flags *f, const char *value,
    const char **why)
{
    unsigned long v;
    int rc = vrpc_flags_number_(value, 1024, &v, why);

    if (rc == 0)
        f->loops = (uint32_t)v;
    return rc;
}

static int set_lame_duck(struct vrpc_flags *f, const char *value,
    const char **why)
{
    int64_t ns;

    if (v23_duration_parse(value, &ns, NULL) != 0 || ns < 0)
        return vrpc_flags_bad_(why, "not a duration");
    f->lame_duck_ns = ns;
    return 0;
}

static int set_perms_file(struct vrpc_flags *f, const char *value,
    const char **why)
{
    const char *colon = strchr(value, ':');
    struct vdl_str text, name;
    void *v = f->perms_files;
    size_t i;
    int rc;

    if (colon == NULL)
        return vrpc_flags_bad_(why, "not of the form name:file");
    rc = vrpc_flags_dup_(f, value, &text);
    if (rc != 0)
        return rc;
    name = vdl_strn(text.p, (size_t)(colon - value));
    text = vdl_str(text.p + name.n + 1);
    for (i = 0; i < f->nperms_files; i++)
        if (vdl_str_eq(f->perms_files[i].name, name)) {
            f->perms_files[i].file = text; /* the last one counts */
            return 0;
        }
    rc = v23_reserve(NULL, &v, &f->perms_files_cap, f->nperms_files + 1,
        MAX_LIST, sizeof(*f->perms_files));
    if (rc != 0)
        return rc;
    f->perms_files = v;
    f->perms_files[f->nperms_files].name = name;
    f->perms_files[f->nperms_files++].file = text;
    return 0;
}

/* Repeated values are concatenated, though only the first counts. */
static int set_perms_literal(struct vrpc_flags *f, const char *value,
    const char **why)
{
    size_t n = strlen(value);
    char *p;

    if (!vsec_json_valid(v23_bytes(value, n)))
        return vrpc_flags_bad_(why, "not JSON");
    p = v23_arena_get(&f->arena, f->perms_literal.n + n + 1, 1);
    if (p == NULL)
        return V23_ENOMEM;
    if (f->perms_literal.n != 0)
        memcpy(p, f->perms_literal.p, f->perms_literal.n);
    memcpy(p + f->perms_literal.n, value, n + 1);
    f->perms_literal = vdl_strn(p, f->perms_literal.n + n);
    return 0;
}

int vrpc_flags_bool_(const char *value, bool *out, const char **why)
{
    if (value == NULL || strcmp(value, "true") == 0
        || strcmp(value, "1") == 0) {
        *out = true;
        return 0;
    }
    if (strcmp(value, "false") == 0 || strcmp(value, "0") == 0) {
        *out = false;
        return 0;
    }
    return vrpc_flags_bad_(why, "not a boolean");
}

static int set_to_stderr(struct vrpc_flags *f, const char *value,
    const char **why)
{
    return vrpc_flags_bool_(value, &f->log_to_stderr, why);
}

static int set_also(struct vrpc_flags *f, const char *value, const char **why)
{
    return vrpc_flags_bool_(value, &f->also_log_to_stderr, why);
}

static int set_log_level(struct vrpc_flags *f, const char *value,
    const char **why)
{
    unsigned long v;
    int rc = vrpc_flags_number_(value, 1000, &v, why);

    if (rc == 0)
        f->log_level = (int)v;
    return rc;
}

static int set_log_dir(struct vrpc_flags *f, const char *value,
    const char **why)
{
    (void)why;
    return vrpc_flags_dup_(f, value, &f->log_dir);
}

static int set_threshold(struct vrpc_flags *f, const char *value,
    const char **why)
{
    unsigned long v;
    int rc = vrpc_flags_number_(value, 3, &v, why);

    if (rc == 0)
        f->stderr_threshold = (int)v;
    return rc;
}

/* Go's logging has them; there is nothing to set here. */
static int ignore(struct vrpc_flags *f, const char *value, const char **why)
{
    (void)f;
    (void)value;
    (void)why;
    return 0;
}

static const struct vrpc_flag_ table[] = {
    { "v23.namespace.root", false, set_root },
    { "v23.credentials", false, set_credentials },
    { "v23.i18n-catalogue", false, set_catalogue },
    { "v23.tcp.protocol", false, set_protocol },
    { "v23.tcp.address", false, set_address },
    { "v23.proxy", false, set_proxy },
    { "v23.proxy.policy", false, set_policy },
    { "v23.proxy.limit", false, set_limit },
    { "v23.server.loops", false, set_loops },
    { "v23.server.lame-duck", false, set_lame_duck },
    { "v23.permissions.file", false, set_perms_file },
    { "v23.permissions.literal", false, set_perms_literal },
    { "logtostderr", true, set_to_stderr },
    { "alsologtostderr", true, set_also },
    { "v", false, set_log_level },
    { "log_dir", false, set_log_dir },
    { "stderrthreshold", false, set_threshold },
    { "vmodule", false, ignore },
    { "vpath", false, ignore },
    { "log_backtrace_at", false, ignore },
    { "max_stack_buf_size", false, ignore },
};
#define NTABLE (sizeof(table) / sizeof(table[0]))

static const struct vrpc_flag_ *find(const char *name)
{
    const struct vrpc_flag_ *const tables[] = { table, vrpc_flags_cloud_,
        vrpc_flags_vtrace_ };
    const size_t sizes[] = { NTABLE, VRPC_FLAGS_CLOUD_,
        VRPC_FLAGS_VTRACE_ };
    size_t t, i;

    for (t = 0; t < sizeof(sizes) / sizeof(sizes[0]); t++)
        for (i = 0; i < sizes[t]; i++)
            if (strcmp(tables[t][i].name, name) == 0)
                return &tables[t][i];
    return NULL;
}

bool vrpc_flags_has(const struct vrpc_flags *f, const char *name,
    bool *is_bool)
{
    const struct vrpc_flag_ *flag = find(name);

    (void)f;
    if (flag == NULL)
        return false;
    *is_bool = flag->is_bool;
    return true;
}

int vrpc_flags_set(struct vrpc_flags *f, const char *name, const char *value,
    const char **why)
{
    const struct vrpc_flag_ *flag = find(name);

    if (flag == NULL)
        return V23_ENOENT;
    if (value == NULL && !flag->is_bool)
        return vrpc_flags_bad_(why, "a value is missing");
    return flag->set(f, value, why);
}

/* Go takes the pairs in any order; here the protocol precedes the address. */
static bool comes_first(const char *key)
{
    return strcmp(key, "v23.tcp.protocol") == 0;
}

static int configure(struct vrpc_flags *f, const struct vrpc_exec_pair *pair,
    struct v23_buf *why)
{
    const char *reason = NULL;
    int rc = vrpc_flags_set(f, pair->key, pair->value, &reason);

    if (rc == V23_EARG)
        v23_buf_printf(why, "flag %s: %s", pair->key, reason);
    return rc == V23_ENOENT ? 0 : rc; /* that is for somebody else */
}

int vrpc_flags_configure(struct vrpc_flags *f,
    const struct vrpc_exec_config *cfg, struct v23_buf *why)
{
    size_t i;
    int rc = 0;

    for (i = 0; i < cfg->n && rc == 0; i++)
        if (comes_first(cfg->v[i].key))
            rc = configure(f, &cfg->v[i], why);
    for (i = 0; i < cfg->n && rc == 0; i++)
        if (!comes_first(cfg->v[i].key))
            rc = configure(f, &cfg->v[i], why);
    return rc;
}

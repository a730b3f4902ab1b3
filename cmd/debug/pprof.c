/* BSD-3-Clause; see LICENSE. */
/* debug pprof: profiles of a server, read by the tool pprof. */
#define _DEFAULT_SOURCE /* environ */
#include "pprof.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <v23/vdl/v.io/v23/services/pprof/pprof.rpc.h>

#include "debug.h"

static const char *command = "jiri go tool pprof";

/* ---- the list ------------------------------------------------------------ */

struct list {
    struct vname_program *p;
    int rc;
};

static int by_name(const void *a, const void *b)
{
    return vdl_str_cmp(*(const struct vdl_str *)a,
        *(const struct vdl_str *)b);
}

static int print_profiles(vdl_str_list l)
{
    struct vdl_str *v;
    struct v23_arena a;
    struct v23_buf out;
    size_t i, n = (size_t)l.n + 1;
    int rc;

    v23_arena_init(&a, NULL, SIZE_MAX);
    v = v23_arena_get0(&a, n, sizeof(*v), _Alignof(struct vdl_str));
    if (v == NULL)
        return out_of_memory();
    if (l.n != 0)
        memcpy(v, l.v, l.n * sizeof(*v));
    v[l.n] = vdl_str("profile"); /* the processor's, which is not listed */
    qsort(v, n, sizeof(*v), by_name);
    v23_buf_init(&out, NULL, 16u << 20);
    v23_buf_puts(&out, "Available profiles:\n");
    for (i = 0; i < n; i++) {
        v23_buf_puts(&out, "  ");
        v23_buf_put_str(&out, v[i]);
        v23_buf_put_byte(&out, '\n');
    }
    rc = print_buf(&out);
    v23_buf_fini(&out);
    v23_arena_fini(&a);
    return rc;
}

static void got_profiles(void *ud, const struct v23_verror *err,
    const v23_pprof_pprof_profiles_out *out)
{
    struct list *x = ud;

    x->rc = err != NULL ? vname_program_error(x->p, NULL, err)
                        : print_profiles(out->result);
    vname_program_done(x->p);
}

static int show_profiles(struct vname_program *p, const char *name)
{
    struct vrpc_call_opts opts = call_opts(p);
    struct list x = { p, 0 };

    if (v23_pprof_pprof_profiles_start(p->rt.client, name, &opts,
            got_profiles, &x)
        == NULL)
        return out_of_memory();
    vname_program_wait(p);
    return x.rc;
}

/* ---- run ----------------------------------------------------------------- */

/* One word for the shell. */
static void put_word(struct v23_buf *out, const char *s)
{
    if (strchr(s, '\'') == NULL) {
        v23_buf_printf(out, "'%s'", s);
        return;
    }
    v23_buf_put_byte(out, '"');
    for (; *s != 0; s++) {
        if (strchr("\"$`\\", *s) != NULL)
            v23_buf_put_byte(out, '\\');
        v23_buf_put_byte(out, (uint8_t)*s);
    }
    v23_buf_put_byte(out, '"');
}

struct tool {
    struct vname_program *p;
    pid_t pid;
    int status;
};

/* The tool asks this process for the profile: so look now and then whether it
 * has ended, instead of waiting for that. */
static void look(void *ud)
{
    struct tool *t = ud;
    pid_t got = waitpid(t->pid, &t->status, WNOHANG);

    if (got == 0
        && vrpc_runtime_after(&t->p->rt, 20 * V23_NS_PER_MS, look, t) == 0)
        return;
    if (got <= 0)
        (void)waitpid(t->pid, &t->status, 0);
    vname_program_done(t->p);
}

static int run_tool(struct vname_program *p, const char *line)
{
    struct tool t = { .p = p };

    t.pid = fork();
    if (t.pid < 0)
        return v23_error("cannot start sh: %s", strerror(errno));
    if (t.pid == 0) {
        execlp("sh", "sh", "-c", line, (char *)NULL);
        _exit(127);
    }
    look(&t);
    vname_program_wait(p);
    if (WIFSIGNALED(t.status))
        return v23_error("signal: %s", strsignal(WTERMSIG(t.status)));
    return WEXITSTATUS(t.status) == 0 ? 0
        : v23_error("exit status %d", WEXITSTATUS(t.status));
}

static int run_pprof(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct vname_program *p = ud;
    struct v23_buf line, url;
    struct proxy x;
    int i, rc;

    if (argc < 1)
        return v23_usage_error(inv,
            "pprof: incorrect number of arguments, got %d, want >=1", argc);
    if (argc == 1)
        return show_profiles(p, argv[0]);
    rc = proxy_open(&x, p, argv[0]);
    if (rc != 0)
        return rc;
    v23_buf_init(&line, NULL, 1u << 20);
    v23_buf_init(&url, NULL, 1u << 20);
    v23_buf_puts(&line, command); /* may be several words */
    for (i = 2; i < argc; i++) {
        v23_buf_put_byte(&line, ' ');
        put_word(&line, argv[i]);
    }
    v23_buf_printf(&url, "http://%s/pprof/%s", web_address(x.web), argv[1]);
    v23_buf_put_byte(&line, ' ');
    put_word(&line, v23_buf_cstr(&url));
    printf("Running: %s\n", v23_buf_cstr(&line));
    fflush(stdout);
    rc = line.err != 0 ? out_of_memory() : run_tool(p, v23_buf_cstr(&line));
    proxy_close(&x);
    v23_buf_fini(&line);
    v23_buf_fini(&url);
    return rc;
}

/* ---- proxy --------------------------------------------------------------- */

static int run_proxy(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct vname_program *p = ud;
    struct proxy x;
    int rc;

    if (argc != 1)
        return v23_usage_error(inv,
            "proxy: incorrect number of arguments, got %d, want 1", argc);
    rc = proxy_open(&x, p, argv[0]);
    if (rc != 0)
        return rc;
    rc = vname_program_catch(p);
    if (rc == 0) {
        printf("\nThe pprof proxy is listening at http://%s/pprof\n\n"
            "Hit CTRL-C to exit\n", web_address(x.web));
        fflush(stdout);
        vname_program_wait(p);
    }
    proxy_close(&x);
    return rc;
}

/* ---- the commands -------------------------------------------------------- */

static const struct v23_flag run_flags[] = {
    { "pprofcmd", "The pprof command to use.", "jiri go tool pprof",
        V23_FLAG_STRING, &command, NULL },
};
static const struct v23_command cmd_run = {
    .name = "run",
    .brief = "Runs the pprof tool.",
    .args = "<name> <profile> [passthru args] ...",
    .args_help = "<name> is the name of the pprof object.\n"
        "<profile> the name of the profile to use.\n\n"
        "All the [passthru args] are passed to the pprof tool directly, "
        "e.g.\n\n"
        "  $ debug pprof run a/b/c/__debug/pprof heap --text\n"
        "  $ debug pprof run a/b/c/__debug/pprof profile -gv",
    .flags = run_flags,
    .nflags = 1,
    .run = run_pprof,
};
static const struct v23_command cmd_proxy = {
    .name = "proxy",
    .brief = "Runs an http proxy to a pprof object.",
    .args = "<name>",
    .args_help = "<name> is the name of the pprof object.",
    .run = run_proxy,
};
static const struct v23_command *const children[] = { &cmd_run, &cmd_proxy };
const struct v23_command cmd_pprof = {
    .name = "pprof",
    .brief = "Accesses profiling data",
    .children = children,
    .nchildren = 2,
};

/* BSD-3-Clause; see LICENSE. */
/* debug logs: the log files of a server. */
#include "debug.h"

#include <string.h>

#include <v23/vdl/v.io/v23/services/logreader/logreader.rpc.h>

static bool follow, verbose;
static int64_t entries = -1, start;

struct run {
    struct vname_program *p;
    struct v23_buf out;
    int rc;
};

static void finished(struct run *x, const struct v23_verror *err)
{
    if (err != NULL && x->rc == 0)
        x->rc = vname_program_error(x->p, NULL, err);
    vname_program_done(x->p);
}

/* ---- read ---------------------------------------------------------------- */

static void got_line(void *ud, const v23_logreader_log_entry *e)
{
    struct run *x = ud;

    if (verbose)
        v23_buf_printf(&x->out, "[%lld] ", (long long)e->position);
    v23_buf_put_str(&x->out, e->line);
    v23_buf_put_byte(&x->out, '\n');
    if (x->rc == 0)
        x->rc = print_buf(&x->out);
}

static void read_done(void *ud, const struct v23_verror *err,
    const v23_logreader_log_file_read_log_out *out)
{
    struct run *x = ud;

    if (err == NULL && verbose && x->rc == 0) {
        v23_buf_printf(&x->out, "Offset: %lld\n", (long long)out->result);
        x->rc = print_buf(&x->out);
    }
    finished(x, err);
}

static int read_log(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    static const v23_logreader_log_file_read_log_cb cb = { got_line,
        read_done };
    struct run x = { .p = ud };
    struct vrpc_call_opts opts = call_opts(x.p);

    if (argc != 1)
        return v23_usage_error(inv,
            "read: incorrect number of arguments, got %d, want 1", argc);
    if (entries < INT32_MIN || entries > INT32_MAX)
        return v23_usage_error(inv, "-n=%lld is out of range",
            (long long)entries);
    if (follow)
        opts.deadline = 0;
    v23_buf_init(&x.out, NULL, 256u << 20);
    if (v23_logreader_log_file_read_log_start(x.p->rt.client, argv[0], &opts,
            start, (int32_t)entries, follow, &cb, &x) == NULL)
        return out_of_memory();
    vname_program_wait(x.p);
    v23_buf_fini(&x.out);
    return x.rc;
}

/* ---- size ---------------------------------------------------------------- */

static void got_size(void *ud, const struct v23_verror *err,
    const v23_logreader_log_file_size_out *out)
{
    struct run *x = ud;

    if (err == NULL) {
        v23_buf_printf(&x->out, "%lld\n", (long long)out->result);
        x->rc = print_buf(&x->out);
    }
    finished(x, err);
}

static int size(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct run x = { .p = ud };
    struct vrpc_call_opts opts = call_opts(x.p);

    if (argc != 1)
        return v23_usage_error(inv,
            "size: incorrect number of arguments, got %d, want 1", argc);
    v23_buf_init(&x.out, NULL, 4096);
    if (v23_logreader_log_file_size_start(x.p->rt.client, argv[0],
            &opts, got_size, &x) == NULL)
        return out_of_memory();
    vname_program_wait(x.p);
    v23_buf_fini(&x.out);
    return x.rc;
}

/* ---- the commands -------------------------------------------------------- */

static const struct v23_flag read_flags[] = {
    { "f", "When true, read will wait for new log entries when it reaches the "
        "end of the file.", "false", V23_FLAG_BOOL, &follow, NULL },
    { "n", "The number of log entries to read.", "-1", V23_FLAG_INT, &entries,
        NULL },
    { "o", "The position, in bytes, from which to start reading the log file.",
        "0", V23_FLAG_INT, &start, NULL },
    { "v", "When true, read will be more verbose.", "false", V23_FLAG_BOOL,
        &verbose, NULL },
};
static const struct v23_command cmd_read = {
    .name = "read",
    .brief = "Reads the content of a log file object.",
    .args = "<name>",
    .args_help = "<name> is the name of the log file object.",
    .flags = read_flags,
    .nflags = 4,
    .run = read_log,
};
static const struct v23_command cmd_size = {
    .name = "size",
    .brief = "Returns the size of a log file object.",
    .args = "<name>",
    .args_help = "<name> is the name of the log file object.",
    .run = size,
};
static const struct v23_command *const children[] = { &cmd_read, &cmd_size };
const struct v23_command cmd_logs = {
    .name = "logs",
    .brief = "Accesses log files",
    .children = children,
    .nchildren = 2,
};

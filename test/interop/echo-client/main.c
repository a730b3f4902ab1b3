/* BSD-3-Clause; see LICENSE. */
/*
 * echo-client: drives a server of echo.vdl, of this or another implementation:
 * checks it, or puts load on it.
 */
#include "client.h"

static struct echo_options options = { .server = "", .mode = "check",
    .run = "", .skip = "", .method = "EchoBytes", .own_conn = true,
    .max_bytes = 4 << 20, .clients = 1, .calls = 1000, .payload = 1,
    .warmup = 10, .timeout = 60 * V23_NS_PER_SEC };

static const struct v23_flag flags[] = {
    { "server", "Object name of the server.", "", V23_FLAG_STRING,
        &options.server, NULL },
    { "allow-any-server", "Do not authorize servers and mount tables.",
        "false", V23_FLAG_BOOL, &options.allow_any_server, NULL },
    { "mode",
        "What to do: check, load, connrate, stream-echo, stream-down, "
        "stream-up or flows (streams that stay open).",
        "check", V23_FLAG_STRING, &options.mode, NULL },
    { "run", "Only checks with one of these texts in their name.", "",
        V23_FLAG_STRING, &options.run, NULL },
    { "skip", "No checks with one of these texts in their name.", "",
        V23_FLAG_STRING, &options.skip, NULL },
    { "list", "Print the names of the checks.", "false", V23_FLAG_BOOL,
        &options.list, NULL },
    { "max-bytes", "Largest payload of a check.", "4194304", V23_FLAG_INT,
        &options.max_bytes, NULL },
    { "clients", "Callers at the same time.", "1", V23_FLAG_INT,
        &options.clients, NULL },
    { "calls", "Calls of each client; items in the stream modes.", "1000",
        V23_FLAG_INT, &options.calls, NULL },
    { "payload", "Bytes of an argument or item.", "1", V23_FLAG_INT,
        &options.payload, NULL },
    { "method",
        "What load and connrate call: EchoBytes, Echo, EchoString or "
        "Nothing.",
        "EchoBytes", V23_FLAG_STRING, &options.method, NULL },
    { "own-conn", "Each client has a connection of its own.", "true",
        V23_FLAG_BOOL, &options.own_conn, NULL },
    { "timeout", "Of each call.", "1m0s", V23_FLAG_DURATION,
        &options.timeout, NULL },
    { "at-once", "Clients at work at the same time; 0: all.", "0",
        V23_FLAG_INT, &options.at_once, NULL },
    { "warmup", "Calls of each client that are not measured.", "10",
        V23_FLAG_INT, &options.warmup, NULL },
    { "pause", "Rest between warming up and what is measured.", "0s",
        V23_FLAG_DURATION, &options.pause, NULL },
    { "hold", "Keep the connections open for so long after the load.", "0s",
        V23_FLAG_DURATION, &options.hold, NULL },
};

static int run(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct echo_client c = { ud, &options };

    (void)argc;
    (void)argv;
    if (options.server[0] == 0 && !options.list)
        return v23_usage_error(inv, "echo-client: -server is missing");
    if (options.max_bytes < 0 || options.clients < 1 || options.calls < 0
        || options.payload < 0 || options.payload > INT32_MAX
        || options.warmup < 0 || options.timeout <= 0)
        return v23_usage_error(inv, "echo-client: a number is out of range");
    if (strcmp(options.mode, "check") == 0)
        return echo_check_main(&c);
    return echo_load_main(&c);
}

static const struct v23_command command = {
    .name = "echo-client",
    .brief = "drives servers of echo.vdl for interoperability tests",
    .flags = flags,
    .nflags = sizeof(flags) / sizeof(flags[0]),
    .run = run,
};

int main(int argc, char **argv)
{
    static struct vname_program p;

    return vname_program_main(&p, &command, VRPC_FLAGS_CLIENT, argc,
        argv);
}

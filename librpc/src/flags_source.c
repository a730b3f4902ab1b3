/* BSD-3-Clause; see LICENSE. */
/* The --v23.* flags on a command line, and their help. */
#include <vrpc/flags.h>

#include <v23/cmdline.h>

static const struct {
    int group;
    const char *text;
} lines[] = {
    { VRPC_FLAGS_RUNTIME,
        " -v23.credentials=\n"
        "   directory of the principal's keys and blessings; "
        "$V23_CREDENTIALS;\n"
        "   without it the agent at $V23_AGENT_PATH has the principal\n"
        " -v23.namespace.root=\n"
        "   object name of a namespace root; may be repeated; "
        "$V23_NAMESPACE*\n"
        " -v23.i18n-catalogue=\n"
        "   file of error messages in other languages; $V23_I18N_CATALOGUE\n"
        " -v23.vtrace.sample-rate=0\n"
        "   rate from 0 to 1 at which the traces that begin here are "
        "collected\n"
        " -v23.vtrace.collect-regexp=\n"
        "   collect traces with a span or an annotation that this extended "
        "regular\n"
        "   expression matches\n"
        " -v23.vtrace.cache-size=1024\n"
        "   number of traces to keep; 0: none\n"
        " -v23.vtrace.v=0\n"
        "   level of the log lines that are kept with them\n"
        " -v23.vtrace.dump-on-shutdown=true\n"
        "   print what was collected at the end\n"
        " -v23.vtrace.root-span-name=\n"
        "   name of the root of the program's own calls\n" },
    { VRPC_FLAGS_LISTEN,
        " -v23.tcp.protocol=wsh\n"
        "   protocol of the -v23.tcp.address flags that follow: tcp, ws "
        "(websocket),\n"
        "   wsh (either on one port), with 4 or 6 behind it for one version "
        "of IP;\n"
        "   unix\n"
        " -v23.tcp.address=:0\n"
        "   host:port to listen on, no host: every interface; for unix a "
        "path, or\n"
        "   @name; may be repeated; empty: do not listen\n"
        " -v23.proxy=\n"
        "   object name of the proxies to listen through, too\n"
        " -v23.proxy.policy=random\n"
        "   which of them to use: first, random, all\n"
        " -v23.proxy.limit=0\n"
        "   most that policy all uses; 0: all\n"
        " -v23.server.lame-duck=5s\n"
        "   how long a stopping server lets calls finish\n"
        " -v23.server.loops=1\n"
        "   event loops, a thread each, of a server that can use several; 0: "
        "one\n"
        "   per core\n" },
    { VRPC_FLAGS_PERMISSIONS,
        " -v23.permissions.file=\n"
        "   name:file with permissions as JSON; may be repeated\n"
        " -v23.permissions.literal=\n"
        "   permissions as JSON; wins over the files\n" },
    { VRPC_FLAGS_VIRTUALIZED,
        " -v23.virtualized.tcp.public-address=\n"
        "   host:port under which the server is published, besides its own\n"
        "   addresses; no port: the one it listens on\n"
        " -v23.virtualized.dns.public-name=\n"
        "   the same, but a host name is published as it is\n"
        " -v23.virtualized.tcp.public-protocol=wsh\n"
        "   protocol of the listeners that these two are for\n"
        " -v23.virtualized.advertise-private-addresses=true\n"
        "   publish the server's own addresses, too\n"
        " -v23.virtualized.provider=\n"
        "   aws or gcp: without the first two, ask the provider's metadata\n"
        "   service for the addresses; $V23_VIRTUALIZATION_PROVIDER\n"
        " -v23.virtualized.disallow-native-fallback=false\n"
        "   fail if that service does not answer\n"
        " -v23.virtualized.docker=false\n"
        "   the server runs in a container; without effect\n" },
    { VRPC_FLAGS_LOGGING,
        " -v=0\n"
        "   log level\n"
        " -alsologtostderr=true\n"
        "   log to standard error as well\n" },
};

static bool has(void *ud, const char *name, bool *is_bool)
{
    return vrpc_flags_has(ud, name, is_bool);
}

static int set(void *ud, const char *name, const char *value,
    const char **why)
{
    return vrpc_flags_set(ud, name, value, why);
}

static void help(void *ud, struct v23_buf *out)
{
    const struct vrpc_flags *f = ud;
    size_t i;

    for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        if ((f->groups & lines[i].group) != 0)
            v23_buf_puts(out, lines[i].text);
}

void vrpc_flags_source(struct vrpc_flags *f, struct v23_flag_source *out)
{
    out->has = has;
    out->set = set;
    out->help = help;
    out->ud = f;
}

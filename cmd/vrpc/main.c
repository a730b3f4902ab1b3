/* BSD-3-Clause; see LICENSE. */
/* vrpc: calls any server (spec/naming.md 17.5). */
#include "vrpc.h"

#include <v23/time.h>

struct options options = {
    .timeout_ns = 60 * V23_NS_PER_SEC,
};

#define SERVER_HELP \
    "<server> identifies a Vanadium server: an object address, or a name " \
    "that is resolved to one."
#define INSECURE_HELP \
    "If true, the server is not authenticated, so that this client reveals " \
    "its blessings to servers that it may not recognize."

static const struct v23_flag tool_flags[] = {
    { "json", "if true, output a JSON representation of the response",
        "false", V23_FLAG_BOOL, &options.json, NULL },
    { "s", "if true, perform a shallow resolve", "false", V23_FLAG_BOOL,
        &options.shallow, NULL },
    { "timeout", "time to wait for a response before failing", "1m0s",
        V23_FLAG_DURATION, &options.timeout_ns, NULL },
};
static const struct v23_flag signature_flags[] = {
    { "insecure", INSECURE_HELP, "false", V23_FLAG_BOOL, &options.insecure,
        NULL },
    { "show-reserved",
        "if true, also show the signatures of reserved methods", "false",
        V23_FLAG_BOOL, &options.show_reserved, NULL },
};

static const struct v23_command cmd_signature = {
    .name = "signature",
    .brief = "Describe the interfaces of a Vanadium server",
    .about = "Signature prints all interfaces that the server implements "
             "and the types they use, or the signature of one method.",
    .args = "<server> [method]",
    .args_help = SERVER_HELP "\n\n[method] is the optional server method name.",
    .flags = signature_flags,
    .nflags = 2,
    .run = run_signature,
};
static const struct v23_command cmd_call = {
    .name = "call",
    .brief = "Call a method of a Vanadium server",
    .about = "Call calls a method and prints what comes back: one line for "
             "each item of a stream, then the results.\n\n"
             "Arguments are VDL expressions, separated by commas or as words "
             "of their own, such as 1<<20, \"a\" or {Name: \"x\", Size: 3}. "
             "The server is asked for the types first, so that composite "
             "arguments need none; the named types of the signature may be "
             "written as \"pkg/path\".Name.\n\n"
             "What the method takes as a stream is read from standard input, "
             "an expression a line, until its end.",
    .args = "<server> <method> [args...]",
    .args_help = SERVER_HELP
        "\n\n<method> is the server method to call.\n\n"
        "[args...] are the positional input arguments, specified as VDL "
        "expressions.",
    .run = run_call,
};
static const struct v23_command cmd_identify = {
    .name = "identify",
    .brief = "Reveal blessings presented by a Vanadium server",
    .about = "Identify connects to the server and prints the blessings that "
             "it presents, those of them that this client considers valid, "
             "and the server's public key.",
    .args = "<server>",
    .args_help = SERVER_HELP,
    .flags = signature_flags,
    .nflags = 1,
    .run = run_identify,
};
static const struct v23_command *const children[] = { &cmd_signature,
    &cmd_call, &cmd_identify };
static const struct v23_command cmd_vrpc = {
    .name = "vrpc",
    .brief = "sends and receives Vanadium remote procedure calls",
    .about = "Command vrpc is a generic client that talks to any Vanadium "
             "server.",
    .flags = tool_flags,
    .nflags = 3,
    .children = children,
    .nchildren = 3,
};

int main(int argc, char **argv)
{
    static struct vname_program p;

    return vname_program_main(&p, &cmd_vrpc,
        VRPC_FLAGS_CLIENT, argc, argv);
}

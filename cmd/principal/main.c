/* BSD-3-Clause; see LICENSE. */
/* principal: creates and manages principals and blessings (security.md 14). */
#include "principal.h"

#include <stdio.h>
#include <string.h>

static const struct v23_command *const children[] = { &cmd_create, &cmd_fork,
    &cmd_seekblessings, &cmd_recvblessings, &cmd_dump, &cmd_dumpblessings,
    &cmd_dumproots, &cmd_blessself, &cmd_bless, &cmd_set, &cmd_get,
    &cmd_recognize, &cmd_union, &cmd_update_pkcs8, &cmd_scripts };

static const struct v23_command root = {
    .name = "principal",
    .brief = "creates and manages Vanadium principals and blessings",
    .about = "Command principal creates and manages Vanadium principals and "
        "blessings.\n\nAll objects are printed using base64url-vom-encoding.",
    .children = children,
    .nchildren = sizeof(children) / sizeof(children[0]),
};

/* What went wrong with files is told when the command fails. */
static void keep_line(void *ud, enum v23_log_level level, const char *text)
{
    struct app *app = ud;

    (void)level;
    snprintf(app->logged, sizeof(app->logged), "%s", text);
}

int main(int argc, char **argv)
{
    const struct v23_flag_source *sources[1];
    struct v23_flag_source source;
    struct app app;
    int rc;

    memset(&app, 0, sizeof(app));
    app.log.write = keep_line;
    app.log.ud = &app;
    app.log.max = V23_LOG_ERROR;
    if (vrpc_flags_init(&app.flags, VRPC_FLAGS_RUNTIME | VRPC_FLAGS_LISTEN
            | VRPC_FLAGS_PERMISSIONS | VRPC_FLAGS_LOGGING) != 0)
        return v23_error("out of memory");
    rc = vsec_engine_new(&app.engine, &vsec_crypto_default, NULL, NULL);
    if (rc != 0) {
        vrpc_flags_fini(&app.flags);
        return v23_error("%s", v23_strerror(rc));
    }
    vrpc_flags_source(&app.flags, &source);
    sources[0] = &source;
    rc = v23_cmdline_main(&root, sources, 1, NULL, &app, argc, argv);
    vsec_principal_unref(app.p);
    vrpc_agent_free(app.agent);
    vsec_engine_unref(app.engine);
    vrpc_flags_fini(&app.flags);
    return rc;
}

/* BSD-3-Clause; see LICENSE. */
/*
 * Fuzz target of the VDL front end: any bytes are a package or an error. The
 * text is compiled as the one file of a package that may import the standard
 * ones; behind a "\1" as the first byte it is a vdl.config.
 */
#include "fuzz.h"
#include "resolve.h"

static void compile(const char *file, const char *text, size_t len)
{
    const struct std_package given[] = {
        {"p.kg/a", "a.vdl", "package a", false, 0},
        {"p.kg/a", file, text, false, len},
    };
    size_t first = strcmp(file, "a.vdl") == 0;
    struct resolve_options opt = {.given = given + first, .ngiven = 2 - first};
    const char *const args[] = {"p.kg/a"};
    struct list packages = {0};
    struct ctx c;
    size_t i;

    ctx_init(&c);
    resolve(&c, &opt, args, 1, &packages);
    if (c.nerrors == 0) {
        for (i = 0; i < packages.n; i++) {
            if (!compile_package(&c, packages.v[i]) && c.nerrors == 0)
                abort(); /* refused without a reason */
        }
    }
    ctx_fini(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    bool config = n > 0 && p[0] == 1;

    if (n == (size_t)config)
        compile(config ? "vdl.config" : "a.vdl", "", 0);
    else
        compile(config ? "vdl.config" : "a.vdl", (const char *)p + config,
            n - config);
    return 0;
}

/* BSD-3-Clause; see LICENSE. */
/*
 * vomtestgen: test data of the VOM encoding (spec/services.md 6.6). Values come
 * from a VDL config file; the output is a VDL file, from which tests in any
 * language can be generated.
 */
#include <v23/cmdline.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs.h"
#include "testgen.h"

#define SUFFIX ".vdl.config"
#define CANONICAL "v.io/v23/vom/testdata/vomdata.vdl.config"

/* Values of the flags. */
struct options {
    const char *exts;
    int64_t max_errors;
};

/* The canonical file below the first root that has it, or NULL. */
static const char *find_canonical(struct ctx *c)
{
    const char *s = getenv("VDLPATH"), *path;
    size_t n;

    for (; s != NULL && *s != '\0'; s += n + (s[n] != '\0')) {
        n = strcspn(s, ":");
        path = path_join(c, ctx_strn(c, s, n), CANONICAL);
        if (n != 0 && is_file(path))
            return path;
    }
    return NULL;
}

static int report(struct ctx *c)
{
    if (c->nwarnings > 0)
        fprintf(stderr, "%s\n", v23_buf_cstr(&c->warnings));
    if (c->nerrors == 0)
        return 0;
    return v23_error("\n%s", v23_buf_cstr(&c->errors));
}

static int generate(struct ctx *c, const struct options *o, const char *path)
{
    size_t n = strlen(path) - strlen(".config");
    const char *output = ctx_strn(c, path, n), *text = NULL;
    struct testdata d;

    c->max_errors = (int)o->max_errors;
    if (load_config(c, path, output, o->exts, &d))
        text = make_vdl(c, &d);
    if (text == NULL)
        return report(c);
    if (!write_file(c, output, text, strlen(text)))
        return v23_error("%s: %s", output, strerror(errno));
    printf("Wrote output file %s\n", output);
    return report(c);
}

static int run(
    void *ud, const struct v23_invocation *inv, int argc, char **argv)
{
    const char *path;
    struct ctx c;
    int rc;

    if (argc > 1)
        return v23_usage_error(
            inv, "too many args (expecting exactly 1 vomdata file)");
    ctx_init(&c);
    path = argc == 1 ? path_clean(&c, argv[0]) : find_canonical(&c);
    if (path == NULL)
        rc = v23_usage_error(inv, "couldn't find vomdata file " CANONICAL
                                  " in src dirs; set VDLPATH to a valid value");
    else if (strlen(path_base(path)) <= strlen(SUFFIX) ||
             strcmp(path + strlen(path) - strlen(SUFFIX), SUFFIX) != 0)
        rc = v23_usage_error(
            inv, "vomdata file doesn't end in \"" SUFFIX "\": %s", path);
    else
        rc = generate(&c, ud, path);
    ctx_fini(&c);
    return rc;
}

int main(int argc, char **argv)
{
    struct options o = {.exts = ".vdl", .max_errors = -1};
    const struct v23_flag flags[] = {
        {"exts", "Comma-separated list of valid VDL file name extensions.",
            ".vdl", V23_FLAG_STRING, &o.exts, NULL},
        {"max-errors",
            "Stop processing after this many errors, or -1 for unlimited.",
            "-1", V23_FLAG_INT, &o.max_errors, NULL},
    };
    const struct v23_command root = {.name = "vomtestgen",
        .brief = "generates test data for the vom wire protocol",
        .about =
            "Command vomtestgen generates test data for implementations of "
            "the vom wire protocol. It reads values from a file in the format "
            "of VDL config files and writes a VDL file with the values, their "
            "types and their encodings. From there \"vdl generate\" of any "
            "language makes the tests.\n\n"
            "The config exports a list of values:\n"
            "  config = []any{bool(true), uint64(123), string(\"abc\")}\n\n"
            "or a struct with some of the fields\n"
            "  EncodeDecodeData []any (or map[byte][]any: by the first "
            "version of vom that has them)\n"
            "  CompatData       map[string][]typeobject\n"
            "  ConvertData      map[string][]ConvertGroup\n\n"
            "It imports the packages of its types, found below VDLPATH. The "
            "package of the struct, or, for a list, that of the directory, "
            "has to define the struct TestCase, with the fields Name string, "
            "Value any, TypeString, Hex, HexVersion, HexType and HexValue "
            "string. The constants that are written are Tests, CompatTests "
            "and ConvertTests; the encoding is that of version 81.",
        .args = "[vomdata]",
        .args_help =
            "[vomdata] is the path of the input, of the form "
            "NAME.vdl.config; the output is NAME.vdl beside it. If "
            "not specified, " CANONICAL " is looked for below VDLPATH.",
        .flags = flags,
        .nflags = 2,
        .run = run};

    return v23_cmdline_main(&root, NULL, 0, NULL, &o, argc, argv);
}

/* BSD-3-Clause; see LICENSE. */
/*
 * Help texts of the vdl command and its topics.
 */
#include "help.h"

const char help_vdl[] =
    "Command vdl manages source code in the Vanadium Definition Language: "
    "types, constants, errors and interfaces that programs in several "
    "languages share. It generates C.";

const char help_generate[] =
    "Generate compiles packages and what they import, and writes C sources "
    "for all of them: <pkg>.vdl.h and <pkg>.vdl.c with types, constants and "
    "errors, and <pkg>.rpc.h and <pkg>.rpc.c if there are interfaces. Files "
    "are written only if their content changes; the packages with changes "
    "are printed. Packages that come with the libraries (standard ones and "
    "those below v.io/) are never written unless -shipped is given.";

const char help_compile[] =
    "Compile compiles packages and what they import without generating code, "
    "to check that the sources are valid.";

const char help_audit[] =
    "Audit does what generate does but writes nothing. Its exit status is 10 "
    "if generate would change a file, and 0 if everything is up to date.";

const char help_list[] =
    "List prints packages and what they import in build order: every package "
    "comes after those it depends on.";

const char help_packages[] =
    "<packages> are import paths, directories or patterns; without any, the "
    "present directory is meant. See \"vdl help packages\".";

const char help_out_dir[] =
    "Where C files go.\n"
    "\"\": beside the sources.\n"
    "\"dir\": dir/<package path>.\n"
    "\"src->dst[,src2->dst2...]\": the part of the source directory in front "
    "of the package path must end in src, which dst replaces; the first "
    "matching rule counts, and SKIP as dst leaves the package out.";

static const char packages[] =
    "Most commands take a list of packages:\n"
    "\n"
    "   vdl command <packages>\n"
    "\n"
    "A package is written as its import path, for example v.io/v23/security.\n"
    "An absolute path, or one that begins with an element . or .., is the\n"
    "directory of a package instead.\n"
    "\n"
    "The wildcard \"...\" stands for any string, also an empty one and one "
    "with\n"
    "slashes: a pattern means all packages below VDLPATH (or below the given\n"
    "directory) whose path matches. At the end of a pattern x/... also means "
    "x\n"
    "itself. The word \"all\" is the same as \"...\".\n"
    "\n"
    "Elements that begin with \".\" or \"_\" are not allowed in import paths;\n"
    "patterns pass over such directories, and over files with such names.\n"
    "The files of a package are those of its directory that end in .vdl.\n";

static const char vdlpath[] =
    "The environment variable VDLPATH is needed to find packages: a list of\n"
    "directories separated by colons. The path of a package's directory below\n"
    "one of them is its import path. The first directory that holds a package\n"
    "of the wanted path is taken.\n"
    "\n"
    "   VDLPATH=/home/me/a:/home/me/b\n"
    "\n"
    "   /home/me/a/foo/foo1.vdl      import \"foo\"\n"
    "   /home/me/b/foo/foo2.vdl      hidden by the one above\n"
    "   /home/me/b/bar/baz/baz.vdl   import \"bar/baz\"\n"
    "\n"
    "If a directory of the list holds a file go.mod, the module name in it is\n"
    "the first part of the import paths below that directory.\n";

static const char vdlroot[] =
    "The environment variable VDLROOT names a directory with the standard\n"
    "packages (math, signature, time, vdltool). Without it the packages that\n"
    "are compiled into the tool are used. Only those who change the standard\n"
    "packages need it.\n";

static const char vdl_config[] =
    "A package directory may hold a file vdl.config with settings for that\n"
    "package. It is written in VDL itself and exports one constant of type\n"
    "vdltool.Config:\n"
    "\n"
    "   config = vdltool.Config{\n"
    "      GenLanguages: {Go, Java},\n"
    "   }\n"
    "\n"
    "Package vdltool is imported without saying so. Without the file the\n"
    "settings are those of an empty config. None of them concerns C.\n";

const struct v23_topic help_topics[] = {
    { "packages", "Description of package lists", packages },
    { "vdlpath", "Description of VDLPATH environment variable", vdlpath },
    { "vdlroot", "Description of VDLROOT environment variable", vdlroot },
    { "vdl.config", "Description of vdl.config files", vdl_config },
};

const size_t help_ntopics = sizeof(help_topics) / sizeof(help_topics[0]);

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

const char help_mode[] =
    "How values are held: arena (what varies in size is in memory of its own) "
    "or inline (everything is in place, with bounds from vdl.c.config, so "
    "that no memory has to be allocated). Overrides the Mode of vdl.c.config; "
    "without either it is arena.";

const char help_parts[] =
    "What to generate: any of types, client, server, doc, separated by "
    "commas. Overrides the Parts of vdl.c.config; without either, everything "
    "is generated.";

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
    "settings are those of an empty config. None of them concerns C: see\n"
    "\"vdl help vdl.c.config\".\n";

static const char vdl_c_config[] =
    "A package directory may hold a file vdl.c.config with options for the C\n"
    "generator. It exports one constant of type vdlc.Config:\n"
    "\n"
    "   type Config struct {\n"
    "      Prefix  string                  // of C names, without _ at its end\n"
    "      Parts   set[Part]               // what to generate; none = all\n"
    "      Mode    Mode\n"
    "      Fields  map[string]FieldConfig  // how fields are held\n"
    "      Rename  map[string]string       // C names\n"
    "      Include []string                // headers to include\n"
    "      Skip    set[string]             // definitions to leave out\n"
    "   }\n"
    "   type FieldConfig struct {\n"
    "      MaxLen        uint32  // bytes of strings and []byte, held in place\n"
    "      MaxCount      uint32  // elements of lists, sets and maps, in place\n"
    "      Stream        bool    // items of a list pass through callbacks\n"
    "      Float64AsBits bool    // float64 is held as uint64_t\n"
    "   }\n"
    "   type Part enum { Types; Client; Server; Doc }\n"
    "   type Mode enum { Arena; Heap; Inline }\n"
    "\n"
    "Keys of Fields are Type.Field, Iface.Method.arg (the name \"result\" for\n"
    "a result without one), Iface.Method.-> for what the method streams to its\n"
    "client and Iface.Method.<- for what it receives. Options are about all\n"
    "that is in the field's type, down to named structs and unions.\n"
    "\n"
    "Keys of Rename are names of types, consts, errors and interfaces, and\n"
    "Type.Field, Type.Label, Iface.Method, Iface.Method.arg and Error.param.\n"
    "Names at file scope are replaced as a whole.\n"
    "\n"
    "   config = {\n"
    "      Mode: Inline,\n"
    "      Fields: {\n"
    "         \"Reading.Sensor\": {MaxLen: 32},\n"
    "         \"Batch.Readings\": {MaxCount: 8},\n"
    "      },\n"
    "      Rename: {\"Reading.At\": \"when\"},\n"
    "   }\n"
    "\n"
    "docs/c-binding.md tells what comes of it.\n";

const struct v23_topic help_topics[5] = {
    { "packages", "Description of package lists", packages },
    { "vdlpath", "Description of VDLPATH environment variable", vdlpath },
    { "vdlroot", "Description of VDLROOT environment variable", vdlroot },
    { "vdl.config", "Description of vdl.config files", vdl_config },
    { "vdl.c.config", "Description of vdl.c.config files", vdl_c_config },
};

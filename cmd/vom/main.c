/* BSD-3-Clause; see LICENSE. */
/* vom: looks into data of the VOM encoding (spec/vom.md 16.3). */
#include <stdio.h>
#include <string.h>

#include <v23/cmdline.h>
#include <vom/dec.h>
#include <vom/value.h>

#include "vom.h"

#define INPUT_MAX ((size_t)1 << 30)
#define MESSAGE_MAX (1u << 30) /* what the encoding allows */

static bool binary;

static int set_data(void *var, const char *value, const char **why)
{
    static char text[160];

    if (strcmp(value, "Hex") == 0 || strcmp(value, "hex") == 0) {
        *(bool *)var = false;
    } else if (strcmp(value, "Binary") == 0 || strcmp(value, "binary") == 0) {
        *(bool *)var = true;
    } else {
        snprintf(
            text, sizeof(text), "unknown label \"%s\" in main.dataRep", value);
        *why = text;
        return V23_EARG;
    }
    return 0;
}

/* The bytes that a command is about: its argument, or standard input. */
static int load(int argc, char **argv, struct v23_buf *data)
{
    int rc = 0;

    v23_buf_init(data, NULL, INPUT_MAX);
    if (argc == 0)
        rc = input_read(data);
    else
        v23_buf_puts(data, argv[0]);
    if (rc == 0 && data->err != 0)
        rc = v23_error("%s", v23_strerror(data->err));
    if (rc == 0 && !binary)
        rc = input_from_hex(data);
    return rc;
}

/* ---- decode -------------------------------------------------------------- */

static int print_value(struct vdl_any v)
{
    const struct vdl_type *t = v.type == NULL ? &vdl_any_desc : v.type;
    struct v23_buf out;
    int rc;

    v23_buf_init(&out, NULL, SIZE_MAX);
    rc = vdl_format(t, v.type == NULL ? &v : v.val, true, &out);
    if (rc == 0) {
        fwrite(out.p, 1, out.n, stdout);
        putchar('\n');
    } else {
        rc = v23_error("%s", v23_strerror(rc));
    }
    v23_buf_fini(&out);
    return rc;
}

static int leftover(const uint8_t *p, size_t n)
{
    struct v23_buf out;
    size_t i;
    int rc;

    v23_buf_init(&out, NULL, SIZE_MAX);
    for (i = 0; i < n; i++)
        v23_buf_printf(&out, " %02x", p[i]);
    fflush(stdout);
    rc = v23_error("%zu leftover bytes:%s", n, v23_buf_cstr(&out));
    v23_buf_fini(&out);
    return rc;
}

static int decode(
    void *ud, const struct v23_invocation *inv, int argc, char **argv)
{
    struct vom_options opt = vom_options_host;
    struct v23_arena arena;
    struct v23_buf data;
    struct vdl_any value = {NULL, NULL};
    size_t used = 0;
    int rc;

    (void)ud;
    if (argc > 1)
        return v23_usage_error(inv, "too many args");
    v23_arena_init(&arena, NULL, SIZE_MAX);
    rc = load(argc, argv, &data);
    if (rc != 0)
        goto out;
    opt.limits.message = MESSAGE_MAX;
    opt.lax_any_lengths = true; /* some peers write 0 */
    rc = vom_decode_single(data.p, data.n, &opt, &arena, NULL, &value, &used);
    if (rc != 0) {
        rc = v23_error("%s", v23_strerror(rc));
        goto out;
    }
    rc = print_value(value);
    if (rc == 0 && used != data.n)
        rc = leftover(data.p + used, data.n - used);
out:
    v23_buf_fini(&data);
    v23_arena_fini(&arena);
    return rc;
}

/* ---- dump ---------------------------------------------------------------- */

static int dump(
    void *ud, const struct v23_invocation *inv, int argc, char **argv)
{
    struct v23_buf data;
    int rc;

    (void)ud;
    if (argc > 1)
        return v23_usage_error(inv, "too many args");
    if (argc == 0)
        return dump_stdin(binary);
    rc = load(argc, argv, &data);
    if (rc == 0)
        rc = dump_data(&data);
    v23_buf_fini(&data);
    return rc;
}

/* ---- the command tree ---------------------------------------------------- */

static const struct v23_flag flags[] = {
    {"data", "Data representation, one of [Hex Binary]", "Hex", V23_FLAG_FUNC,
        &binary, set_data},
};

#define DATA_HELP                                                              \
    "Data is hex in either case unless the -data flag says otherwise; white "  \
    "space anywhere in hex is ignored."

static const struct v23_command cmd_decode = {
    .name = "decode",
    .brief = "Decode data encoded in the vom format",
    .about = "Decode reads one value in the vom format and prints its text "
             "with its type. Without an argument the data comes from stdin, "
             "otherwise the argument is the data.\n\n" DATA_HELP "\n\n"
             "When bytes are left behind the value, they are reported after "
             "the value has been printed, and the exit code is 1. The data "
             "has to begin with a version byte and has to hold the messages "
             "that define its types; for the second value of a stream, or "
             "one with a type stream of its own, use dump.\n\n"
             "Examples:\n"
             "  vom decode 810603616263\n"
             "  \"abc\"\n"
             "  vom decode -data=binary <value.vom",
    .args = "[data]",
    .args_help = "[data] is the data to decode; if not specified, reads from "
                 "stdin",
    .flags = flags,
    .nflags = 1,
    .run = decode,
};
static const struct v23_command cmd_dump = {
    .name = "dump",
    .brief = "Dump data encoded in the vom format into formatted output",
    .about =
        "Dump prints a line for each piece of the encoding, and one "
        "about the state after each message. The columns are the bytes, "
        "the kind of the piece, its value, and a remark in brackets. "
        "Without an argument the data comes from stdin and is dumped as "
        "it arrives, otherwise the argument is the data.\n\n" DATA_HELP "\n\n"
        "The version byte may be missing. Several values may follow "
        "each other. Of two separate streams, the one with the types "
        "goes first: what a message defines is known from then on.\n\n"
        "In hex on stdin two characters are commands:\n"
        "  . (period)    prints the status at once\n"
        "  ; (semicolon) gives up the present message and begins another\n"
        "\n"
        "Dumping ends at the first error; the exit code is 1 then.\n\n"
        "Example:\n"
        "  vom dump '81 51 04 03 01 08 e1  52 02 01 06'",
    .args = "[data]",
    .args_help = "[data] is the data to dump; if not specified, reads from "
                 "stdin",
    .flags = flags,
    .nflags = 1,
    .run = dump,
};
static const struct v23_command *const children[] = {&cmd_decode, &cmd_dump};
static const struct v23_command cmd_vom = {
    .name = "vom",
    .brief = "helps debug the Vanadium Object Marshaling wire protocol",
    .about = "Command vom helps debug the Vanadium Object Marshaling wire "
             "protocol.\n\n"
             "The exit code is 0, 1 when data is malformed or something else "
             "fails, and 2 when the command line is wrong.",
    .children = children,
    .nchildren = 2,
};

int main(int argc, char **argv)
{
    return v23_cmdline_main(&cmd_vom, NULL, 0, NULL, NULL, argc, argv);
}

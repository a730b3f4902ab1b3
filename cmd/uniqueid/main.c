/* BSD-3-Clause; see LICENSE. */
/* uniqueid: makes unique identifiers (spec/naming.md 17.4). */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <v23/cmdline.h>
#include <v23/uniqueid.h>

#define MARK "$UNIQUEID"
#define MARK_N (sizeof(MARK) - 1)
#define FILE_MAX_BYTES ((size_t)1 << 30)

static char errtext[V23_ERRNO];

static int from_system(void *ud, void *p, size_t n)
{
    FILE *f = fopen("/dev/urandom", "rb");
    size_t k;

    (void)ud;
    if (f == NULL)
        return V23_ESYS;
    setvbuf(f, NULL, _IONBF, 0);
    k = fread(p, 1, n, f);
    fclose(f);
    return k == n ? 0 : V23_ESYS;
}

static struct v23_uniqueids ids = { from_system, NULL, { 0 } };

/* A new one as a literal of Go. */
static int put_id(struct v23_buf *out)
{
    uint8_t id[16];
    size_t i;

    if (v23_uniqueid_next(&ids, id) != 0)
        return v23_error("/dev/urandom: %s", v23_errno(errtext));
    v23_buf_puts(out, "uniqueid.Id{");
    for (i = 0; i < sizeof(id); i++)
        v23_buf_printf(out, "%s0x%x", i == 0 ? "" : ", ", id[i]);
    v23_buf_puts(out, "}");
    return 0;
}

static int generate(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct v23_buf out;
    int rc;

    (void)ud;
    (void)argv;
    if (argc != 0)
        return v23_usage_error(inv, "%s: doesn't take arguments",
            v23_invocation_path(inv));
    v23_buf_init(&out, NULL, 4096);
    rc = put_id(&out);
    if (rc == 0)
        puts(v23_buf_cstr(&out));
    v23_buf_fini(&out);
    return rc;
}

/* ---- files --------------------------------------------------------------- */

static int read_file(const char *path, struct v23_buf *out)
{
    FILE *f = fopen(path, "rb");
    uint8_t part[65536];
    size_t n;
    int rc = 0;

    if (f == NULL)
        return v23_error("open %s: %s", path, v23_errno(errtext));
    do {
        n = fread(part, 1, sizeof(part), f);
        v23_buf_put(out, part, n);
    } while (n == sizeof(part) && out->err == 0);
    if (ferror(f))
        rc = v23_error("read %s: %s", path, v23_errno(errtext));
    else if (out->err != 0)
        rc = v23_error("%s: %s", path, v23_strerror(out->err));
    fclose(f);
    return rc;
}

/*
 * Put a file in the place of another, which stays as it is if that fails. The
 * mode is kept.
 */
static int replace(const char *path, const struct v23_buf *text)
{
    struct v23_buf tmp;
    struct stat st;
    FILE *f = NULL;
    int rc = 0;

    v23_buf_init(&tmp, NULL, 65536);
    v23_buf_puts(&tmp, path);
    v23_buf_puts(&tmp, ".uniqueid");
    if (stat(path, &st) != 0
        || (f = fopen(v23_buf_cstr(&tmp), "wb")) == NULL)
        rc = -1;
    if (f != NULL) {
        if (fwrite(text->p, 1, text->n, f) != text->n)
            rc = -1;
        if (fclose(f) != 0
            || chmod(v23_buf_cstr(&tmp), st.st_mode & 07777) != 0)
            rc = -1;
    }
    if (rc == 0 && rename(v23_buf_cstr(&tmp), path) != 0)
        rc = -1;
    if (rc != 0) {
        rc = v23_error("write %s: %s", path, v23_errno(errtext));
        if (f != NULL)
            (void)remove(v23_buf_cstr(&tmp));
    }
    v23_buf_fini(&tmp);
    return rc;
}

/* Copy a text with an id for each mark; *marks: how many there were. */
static int substitute(const struct v23_buf *in, struct v23_buf *out,
    size_t *marks)
{
    const uint8_t *p = in->p, *end = in->p + in->n, *at;
    int rc = 0;

    for (*marks = 0; rc == 0 && p < end; p = at) {
        at = memchr(p, MARK[0], (size_t)(end - p));
        if (at == NULL)
            at = end;
        v23_buf_put(out, p, (size_t)(at - p));
        if ((size_t)(end - at) >= MARK_N && memcmp(at, MARK, MARK_N) == 0) {
            rc = put_id(out);
            at += MARK_N;
            ++*marks;
        } else if (at < end) {
            v23_buf_put_byte(out, *at++);
        }
    }
    return rc;
}

static int inject_one(const char *path)
{
    struct v23_buf in, out;
    size_t marks;
    int rc;

    v23_buf_init(&in, NULL, FILE_MAX_BYTES);
    v23_buf_init(&out, NULL, SIZE_MAX);
    rc = read_file(path, &in);
    if (rc == 0 && in.n > 0) {
        rc = substitute(&in, &out, &marks);
        if (rc == 0 && out.err != 0)
            rc = v23_error("%s: %s", path, v23_strerror(out.err));
        if (rc == 0 && marks > 0)
            rc = replace(path, &out);
        if (rc == 0 && marks > 0)
            printf("Updated: %s\n", path);
    }
    v23_buf_fini(&in);
    v23_buf_fini(&out);
    return rc;
}

static int inject(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    int i, rc = 0;

    (void)ud;
    if (argc == 0)
        return v23_usage_error(inv,
            "expected at least one file arg, got 0");
    for (i = 0; i < argc && rc == 0; i++)
        rc = inject_one(argv[i]);
    return rc;
}

/* ---- the command tree ---------------------------------------------------- */

static const struct v23_command generate_command = {
    .name = "generate",
    .brief = "Generates an id",
    .about = "Prints a new unique id as a literal of the Go language.",
    .run = generate,
};
static const struct v23_command inject_command = {
    .name = "inject",
    .brief = "Puts ids into files",
    .about = "Replaces every $UNIQUEID in the files by a new id. A file is "
        "replaced as a whole, and keeps its mode.",
    .args = "<filenames>",
    .args_help = "<filenames> are the files to put ids into.",
    .run = inject,
};
static const struct v23_command *const children[] = { &generate_command,
    &inject_command };
static const struct v23_command command = {
    .name = "uniqueid",
    .brief = "generates unique identifiers",
    .about = "Command uniqueid generates unique identifiers, and puts them "
        "into files.",
    .children = children,
    .nchildren = 2,
};

int main(int argc, char **argv)
{
    return v23_cmdline_main(&command, NULL, 0, NULL, NULL, argc, argv);
}

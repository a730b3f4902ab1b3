/* BSD-3-Clause; see LICENSE. */
/* gclogs: deletes old log files (spec/services.md 6.1). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <v23/cmdline.h>
#include <v23/time.h>
#include <vom/time.h>
#include <vom/value.h>

#include "logname.h"

#define LINKS_MAX (16u << 20) /* octets of names of symbolic links */

static int64_t cutoff_ns = 24 * 3600 * V23_NS_PER_SEC;
static const char *program = ".*";
static bool verbose, dry_run;
static char errtext[V23_ERRNO];

static const struct v23_flag flags[] = {
    { "cutoff", "Age from which a log file is deleted.", "24h0m0s",
        V23_FLAG_DURATION, &cutoff_ns, NULL },
    { "n", "Only show which files would be deleted.", "false", V23_FLAG_BOOL,
        &dry_run, NULL },
    { "program", "A regular expression that the program part of a log file's "
        "name must match, as in \".*test\".", ".*", V23_FLAG_STRING, &program,
        NULL },
    { "verbose", "Show each file, and what becomes of it.", "false",
        V23_FLAG_BOOL, &verbose, NULL },
};

struct sweep {
    const char *dir;
    int fd;
    const char *user;
    const regex_t *program;
    struct v23_walltime cutoff;
    struct v23_buf links; /* names, each with its 0 */
    uint64_t deleted;
    int rc; /* exit code */
};

/* WHAT "path", quoted. */
static void say_path(const char *what, const void *path, size_t n)
{
    struct v23_buf out;

    v23_buf_init(&out, NULL, SIZE_MAX);
    vdl_format_quoted(&out, path, n);
    printf("%s %s\n", what, v23_buf_cstr(&out));
    v23_buf_fini(&out);
}

static void say(const struct sweep *s, const char *what, const char *name)
{
    struct v23_buf path;

    v23_buf_init(&path, NULL, SIZE_MAX);
    v23_buf_puts(&path, s->dir);
    if (path.n > 0 && path.p[path.n - 1] != '/')
        v23_buf_put_byte(&path, '/');
    v23_buf_puts(&path, name);
    say_path(what, path.p, path.n);
    v23_buf_fini(&path);
}

static void failed(struct sweep *s, const char *what, const char *name)
{
    s->rc = v23_error("%s %s/%s: %s", what, s->dir, name, v23_errno(errtext));
}

/* The log file name that a directory entry stands for. */
static int log_name(const struct sweep *s, const char *name, bool is_link,
    struct log_name *out)
{
    static char target[4096];
    ssize_t n;

    if (!is_link)
        return log_name_parse(vdl_str(name), out);
    n = readlinkat(s->fd, name, target, sizeof(target));
    if (n < 0 || (size_t)n == sizeof(target))
        return V23_ETEXT;
    return log_name_parse(vdl_strn(target, (size_t)n), out);
}

static bool program_matches(const struct sweep *s, struct vdl_str name)
{
    char text[NAME_MAX + 1];

    if (name.n >= sizeof(text))
        return false;
    memcpy(text, name.p, name.n);
    text[name.n] = 0;
    return regexec(s->program, text, 0, NULL, 0) == 0;
}

static bool is_old(const struct sweep *s, const struct stat *st)
{
    const struct v23_walltime changed = { st->st_mtim.tv_sec,
        (int32_t)st->st_mtim.tv_nsec };

    return v23_walltime_cmp(changed, s->cutoff) < 0;
}

static void delete_(struct sweep *s, const char *name, const char *kind)
{
    char what[64];

    snprintf(what, sizeof(what), "%s%s", dry_run ? "Would delete" : "Deleting",
        kind);
    if (dry_run || verbose)
        say(s, what, name);
    if (dry_run)
        return;
    if (unlinkat(s->fd, name, 0) == 0)
        s->deleted++;
    else
        failed(s, "remove", name);
}

static void entry(struct sweep *s, const char *name)
{
    struct log_name log;
    struct stat st;
    bool is_link;

    if (fstatat(s->fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno != ENOENT) /* somebody else was faster */
            failed(s, "stat", name);
        return;
    }
    is_link = S_ISLNK(st.st_mode);
    if (S_ISDIR(st.st_mode)) {
        if (verbose)
            say(s, "Skipped directory:", name);
    } else if (log_name(s, name, is_link, &log) != 0) {
        if (verbose)
            say(s, "Not a log file:", name);
    } else if (!vdl_str_is(log.user, s->user)) {
        if (verbose)
            say(s, "Skipped log file created by other user:", name);
    } else if (!program_matches(s, log.program)) {
        if (verbose)
            say(s, "Skipped log file of another program:", name);
    } else if (is_link) {
        v23_buf_put(&s->links, name, strlen(name) + 1);
    } else if (is_old(s, &st)) {
        delete_(s, name, "");
    }
}

/* Links to files that have gone, perhaps just now. */
static void broken_links(struct sweep *s)
{
    const char *name = (const char *)s->links.p;
    const char *end = name + s->links.n;
    struct stat st;

    for (; name < end; name += strlen(name) + 1)
        if (fstatat(s->fd, name, &st, 0) != 0 && errno == ENOENT)
            delete_(s, name, " symlink");
    if (s->links.err != 0)
        s->rc = v23_error("%s: too many symbolic links", s->dir);
}

static void sweep(struct sweep *s)
{
    struct dirent *d;
    DIR *dir;

    say_path("Processing:", s->dir, strlen(s->dir));
    s->fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    dir = s->fd < 0 ? NULL : fdopendir(s->fd);
    if (dir == NULL) {
        s->rc = v23_error("open %s: %s", s->dir, v23_errno(errtext));
        if (s->fd >= 0)
            close(s->fd);
        return;
    }
    s->deleted = 0;
    v23_buf_init(&s->links, NULL, LINKS_MAX);
    while (errno = 0, (d = readdir(dir)) != NULL)
        if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
            entry(s, d->d_name);
    if (errno != 0)
        s->rc = v23_error("read %s: %s", s->dir, v23_errno(errtext));
    broken_links(s);
    printf("Number of files deleted: %llu\n", (unsigned long long)s->deleted);
    v23_buf_fini(&s->links);
    closedir(dir);
}

static int run(void *ud, const struct v23_invocation *inv, int argc,
    char **argv)
{
    struct passwd *me = getpwuid(getuid());
    struct sweep s = { 0 };
    char user[256], why[256];
    struct timespec now;
    regex_t re;
    int i, rc;

    (void)ud;
    if (argc == 0)
        return v23_usage_error(inv, "gclogs requires at least one argument");
    if (me == NULL || strlen(me->pw_name) >= sizeof(user))
        return v23_error("who is user %ld?", (long)getuid());
    snprintf(user, sizeof(user), "%s", me->pw_name);
    rc = regcomp(&re, program, REG_EXTENDED | REG_NOSUB);
    if (rc != 0) {
        regerror(rc, &re, why, sizeof(why));
        return v23_usage_error(inv, "-program=%s: %s", program, why);
    }
    clock_gettime(CLOCK_REALTIME, &now);
    s.cutoff.sec = now.tv_sec;
    s.cutoff.nanos = (int32_t)now.tv_nsec;
    s.cutoff = v23_walltime_add(s.cutoff, -cutoff_ns);
    s.user = user;
    s.program = &re;
    for (i = 0; i < argc; i++) {
        s.dir = argv[i];
        sweep(&s);
    }
    regfree(&re);
    return s.rc;
}

static const struct v23_command command = {
    .name = "gclogs",
    .brief = "safely deletes old log files",
    .about = "Command gclogs deletes old log files: those whose name is one of "
        "a log file, that belong to programs of the user who runs it, and that "
        "have not changed for the time given by --cutoff. Then it deletes the "
        "symbolic links to log files that have lost their target.",
    .args = "<dir> ...",
    .args_help = "<dir> ... are the directories where to look for log files.",
    .flags = flags,
    .nflags = sizeof(flags) / sizeof(flags[0]),
    .run = run,
};

int main(int argc, char **argv)
{
    return v23_cmdline_main(&command, NULL, 0, NULL, NULL, argc, argv);
}

/* BSD-3-Clause; see LICENSE. */
/*
 * Paths are handled as text, with '/' between elements.
 */
#include "fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

const char *path_clean(struct ctx *c, const char *path)
{
    char *out = ctx_get(c, strlen(path) + 2), *w = out, *prev;
    const char *p = path;
    size_t n, depth = 0; /* elements that ".." can take back */

    if (*p == '/')
        *w++ = '/';
    for (; *p != '\0'; p += n) {
        for (; *p == '/'; p++)
            ;
        n = strcspn(p, "/");
        if (n == 0 || (n == 1 && p[0] == '.'))
            continue;
        if (n == 2 && p[0] == '.' && p[1] == '.') {
            if (depth > 0) {
                depth--;
                for (prev = w; prev > out && prev[-1] != '/'; prev--)
                    ;
                w = prev > out + (*path == '/') ? prev - 1 : prev;
                continue;
            }
            if (*path == '/')
                continue;
        } else {
            depth++;
        }
        if (w > out && w[-1] != '/')
            *w++ = '/';
        memcpy(w, p, n);
        w += n;
    }
    if (w == out)
        *w++ = '.';
    *w = '\0';
    return out;
}

const char *path_abs(struct ctx *c, const char *path)
{
    char *cwd;

    if (*path == '/')
        return path_clean(c, path);
    cwd = getcwd(NULL, 0);
    ctx_must(cwd == NULL ? V23_ESYS : 0);
    path = path_clean(c, ctx_printf(c, "%s/%s", cwd, path));
    free(cwd);
    return path;
}

const char *path_join(struct ctx *c, const char *a, const char *b)
{
    if (*a == '\0')
        return path_clean(c, b);
    return path_clean(c, ctx_printf(c, "%s/%s", a, b));
}

const char *path_base(const char *path)
{
    const char *s = strrchr(path, '/');

    return s == NULL ? path : s + 1;
}

const char *path_below(const char *path, const char *dir)
{
    size_t n = strlen(dir);

    if (strncmp(path, dir, n) != 0)
        return NULL;
    if (n > 0 && dir[n - 1] == '/')
        return path + n;
    if (path[n] == '\0')
        return path + n;
    return path[n] == '/' ? path + n + 1 : NULL;
}

const char *path_ends(const char *path, const char *tail)
{
    size_t n = strlen(path), k = strlen(tail);

    if (k > n || strcmp(path + n - k, tail) != 0)
        return NULL;
    if (k == n || k == 0 || path[n - k - 1] == '/' || *tail == '/')
        return path + n - k;
    return NULL;
}

bool path_match(struct ctx *c, const char *pattern, const char *s)
{
    const char *p = pattern, *star = NULL, *from = NULL;
    size_t n = strlen(pattern);

    if (n >= 4 && strcmp(pattern + n - 4, "/...") == 0 &&
        path_match(c, ctx_strn(c, pattern, n - 4), s))
        return true;
    while (*s != '\0') {
        if (strncmp(p, "...", 3) == 0) {
            star = p += 3;
            from = s;
        } else if (*p == *s) {
            p++;
            s++;
        } else if (star != NULL) {
            p = star;
            s = ++from;
        } else {
            return false;
        }
    }
    while (strncmp(p, "...", 3) == 0)
        p += 3;
    return *p == '\0';
}

bool is_dir(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool is_file(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool is_real_dir(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool read_file(struct ctx *c, const char *path, const char **text, size_t *len)
{
    struct v23_buf b;
    ssize_t n;
    int fd = open(path, O_RDONLY | O_CLOEXEC), saved;

    if (fd < 0)
        return false;
    v23_buf_init(&b, NULL, SIZE_MAX);
    for (;;) {
        ctx_must(v23_buf_room(&b, 65536));
        n = read(fd, b.p + b.n, 65536);
        if (n <= 0)
            break;
        b.n += (size_t)n;
    }
    saved = errno;
    close(fd);
    *len = b.n;
    *text = ctx_take(c, &b);
    errno = saved;
    return n == 0;
}

/* mkdir -p of the directory that holds `path`. */
static bool make_dirs(struct ctx *c, const char *path)
{
    char *dir = ctx_str(c, path), *p;

    for (p = dir + 1; *p != '\0'; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        if (mkdir(dir, 0777) != 0 && errno != EEXIST)
            return false;
        *p = '/';
    }
    return true;
}

bool write_file(struct ctx *c, const char *path, const void *p, size_t n)
{
    const char *at = p;
    ssize_t k = 0;
    int fd, saved;

    if (!make_dirs(c, path))
        return false;
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return false;
    for (; n > 0 && k >= 0; at += k, n -= (size_t)k) {
        k = write(fd, at, n);
        if (k < 0)
            break;
    }
    saved = errno;
    if (close(fd) != 0 && k >= 0)
        return false;
    errno = saved;
    return k >= 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool list_dir(struct ctx *c, const char *path, struct list *out)
{
    DIR *d = opendir(path);
    struct dirent *e;

    if (d == NULL)
        return false;
    while ((e = readdir(d)) != NULL) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            list_push(c, out, ctx_str(c, e->d_name));
    }
    closedir(d);
    if (out->n > 1)
        qsort(out->v, out->n, sizeof(out->v[0]), by_name);
    return true;
}

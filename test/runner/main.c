/* BSD-3-Clause; see LICENSE. */
/*
 * runner [-bin DIR] [-companions DIR] DIR: run every data file of a known family
 * below DIR, with the programs of -bin where cases are about them. A file
 * without a runner fails, unless it is left to something that is named.
 */
#include "runner.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static const struct run_family *const families[] = { &run_vom, &run_security,
    &run_rpc, &run_naming, &run_wspr };

static size_t passed, failed, files;
const char *run_bin;

void run_result(const char *file, const char *id, bool ok, const char *why)
{
    if (ok) {
        passed++;
        return;
    }
    failed++;
    printf("FAIL %s %s: %s\n", file, id, why);
}

bool run_fail(struct run_case *c, const char *fmt, ...)
{
    va_list ap;

    if (c->why[0] == 0) {
        va_start(ap, fmt);
        vsnprintf(c->why, sizeof(c->why), fmt, ap);
        va_end(ap);
    }
    return false;
}

bool run_has(const struct run_case *c, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(c->json, name) != NULL;
}

const char *run_str(struct run_case *c, const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(c->json, name);

    if (!cJSON_IsString(v)) {
        run_fail(c, "record has no text \"%s\"", name);
        return "";
    }
    return v->valuestring;
}

bool run_bool(struct run_case *c, const char *name)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(c->json, name);

    if (!cJSON_IsBool(v)) {
        run_fail(c, "record has no boolean \"%s\"", name);
        return false;
    }
    return cJSON_IsTrue(v);
}

struct vdl_str run_text(const cJSON *v)
{
    struct vdl_str s = vdl_str(cJSON_IsString(v) ? v->valuestring : "");
    char *p = cJSON_IsString(v) ? v->valuestring : NULL, *hit;

    while (p != NULL && (hit = strstr(p, RUN_NUL)) != NULL) {
        *hit = 0;
        memmove(hit + 1, hit + 3, (size_t)(s.p + s.n - hit) - 3 + 1);
        s.n -= 2;
        p = hit + 1;
    }
    return s;
}

struct v23_bytes run_hex(struct run_case *c, const char *name)
{
    return hex(run_str(c, name));
}

void run_mark_nuls(char *line)
{
    while ((line = strstr(line, "\\u0000")) != NULL) {
        memcpy(line, "\\uf8ff", 6);
        line += 6;
    }
}

static void run_line(const struct run_file *f, struct run_case *c)
{
    char num[32];
    cJSON *json = cJSON_Parse(c->line);
    const cJSON *id;
    bool ok;

    snprintf(num, sizeof(num), "line %zu", c->lineno);
    c->why[0] = 0;
    c->id = num;
    c->json = json;
    if (json == NULL) {
        run_result(c->file, num, false, "not JSON");
        return;
    }
    id = cJSON_GetObjectItemCaseSensitive(json, "id");
    if (!cJSON_IsString(id))
        id = cJSON_GetObjectItemCaseSensitive(json, "name");
    if (cJSON_IsString(id))
        c->id = id->valuestring;
    c->left = NULL;
    ok = f->each(c);
    if (c->left != NULL)
        printf("left  %s %s: %s\n", c->file, c->id, c->left);
    else
        run_result(c->file, c->id, ok && c->why[0] == 0, c->why);
    cJSON_Delete(json);
}

static void run_lines(const struct run_file *f, const char *dir,
    const char *companions, const char *name, const char *path)
{
    struct run_case *c = calloc(1, sizeof(*c));
    char *text = tst_read_file(path, NULL), *line, *end;

    if (text == NULL || c == NULL) {
        run_result(name, "file", false, "cannot be read");
        free(c);
        return;
    }
    c->dir = dir;
    c->companions = companions;
    c->file = name;
    c->state = f->begin == NULL ? NULL : f->begin(dir, companions);
    for (line = text; *line != 0; line = end) {
        end = strchr(line, '\n');
        if (end == NULL)
            end = line + strlen(line);
        else
            *end++ = 0;
        c->lineno++;
        run_mark_nuls(line);
        c->line = line;
        if (*line != 0)
            run_line(f, c);
    }
    if (f->end != NULL)
        f->end(c->state);
    free(text);
    free(c);
}

static bool glob_eq(const char *pattern, const char *name)
{
    const char *star = strchr(pattern, '*');
    size_t pre, post, n = strlen(name);

    if (star == NULL)
        return strcmp(pattern, name) == 0;
    pre = (size_t)(star - pattern);
    post = strlen(star + 1);
    return n >= pre + post && memcmp(pattern, name, pre) == 0
        && strcmp(name + n - post, star + 1) == 0;
}

static void run_one(const struct run_family *fam, const char *dir,
    const char *companions, const char *name)
{
    const struct run_file *f;
    const char *const *skip;
    char path[16384];
    size_t before = passed + failed, bad = failed;

    for (skip = fam->companions; skip != NULL && *skip != NULL; skip++)
        if (glob_eq(*skip, name))
            return;
    for (f = fam->files; f->name != NULL; f++)
        if (glob_eq(f->name, name))
            break;
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    if (f->name == NULL) {
        run_result(name, "file", false, "no runner for this file");
    } else if (f->each == NULL && f->whole == NULL) {
        printf("left  %s/%s: %s\n", fam->folder, name, f->left);
    } else {
        if (f->each != NULL)
            run_lines(f, dir, companions, name, path);
        else
            f->whole(dir, companions, path);
        if (passed + failed == before)
            return; /* it has said why */
        printf("%-5s %s/%s: %zu cases\n", failed == bad ? "ok" : "FAIL",
            fam->folder, name, passed + failed - before);
    }
    fflush(stdout);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void run_folder(const struct run_family *fam, const char *dir,
    const char *companions, const char *prefix)
{
    char *names[4096], path[8192], rel[2048];
    size_t n = 0, i;
    struct dirent *e;
    struct stat st;
    const char *const *skip;
    DIR *d = opendir(dir);

    errno = d == NULL ? errno : 0;
    while (d != NULL && (e = readdir(d)) != NULL) {
        if (e->d_name[0] == '.')
            continue;
        if (n == sizeof(names) / sizeof(names[0]))
            errno = ENOBUFS;
        else
            names[n++] = strdup(e->d_name);
        if (errno != 0)
            break;
    }
    if (errno != 0) {
        printf("FAIL %s: %s\n", dir, strerror(errno));
        failed++;
    }
    if (d != NULL)
        closedir(d);
    qsort(names, n, sizeof(names[0]), by_name);
    for (i = 0; i < n; i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        snprintf(rel, sizeof(rel), "%s%s%s", prefix, *prefix ? "/" : "",
            names[i]);
        if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
            for (skip = fam->companions; skip != NULL && *skip; skip++)
                if (glob_eq(*skip, rel))
                    break;
            if (skip == NULL || *skip == NULL)
                run_folder(fam, path, companions, rel);
        } else {
            /* Cases are named by their path below the family's folder. */
            char base[8192];

            files++;
            snprintf(base, sizeof(base), "%.*s",
                (int)(strlen(path) - strlen(rel) - 1), path);
            run_one(fam, base, companions, rel);
        }
        free(names[i]);
    }
}

int main(int argc, char **argv)
{
    const char *companions = "test/vectors", *dir = NULL;
    char sub[4096], own[4096];
    struct stat st;
    size_t i, found = 0;
    int k;

    for (k = 1; k < argc; k++) {
        if (strcmp(argv[k], "-companions") == 0 && k + 1 < argc)
            companions = argv[++k];
        else if (strcmp(argv[k], "-bin") == 0 && k + 1 < argc)
            run_bin = argv[++k];
        else
            dir = argv[k];
    }
    if (dir == NULL) {
        fprintf(stderr, "usage: runner [-bin DIR] [-companions DIR] DIR\n");
        return 2;
    }
    for (i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        snprintf(sub, sizeof(sub), "%s/%s", dir, families[i]->folder);
        snprintf(own, sizeof(own), "%s/%s", companions, families[i]->folder);
        if (stat(sub, &st) != 0 || !S_ISDIR(st.st_mode))
            continue;
        found++;
        run_folder(families[i], sub, own, "");
    }
    if (found == 0 || files == 0) {
        printf("FAIL %s: %s\n", dir,
            found == 0 ? "no folder of a known family" : "no files");
        failed++;
    }
    printf("%zu passed, %zu failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}

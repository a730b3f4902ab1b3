/* BSD-3-Clause; see LICENSE. */
/*
 * agent.lock holds what ps says about the agent that has it. A lock whose
 * process ps does not know, or describes otherwise, was left by one that is
 * gone. The file is complete before it gets its name, by a link, which fails
 * when there is one.
 */
#define _DEFAULT_SOURCE /* mkstemp, popen */
#include "lock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <v23/cmdline.h>

enum { TEXT = 1024 };

/* What ps says about a process; false when it knows none. */
static bool describe(long pid, char text[TEXT])
{
    char command[160];
    size_t n;
    FILE *f;

    /* Times are the same in every environment. */
    snprintf(command, sizeof(command),
        "LC_ALL=C TZ=UTC ps -o pid,ppid,lstart,user,comm -p %ld 2>/dev/null",
        pid);
    f = popen(command, "r");
    if (f == NULL)
        return false;
    n = fread(text, 1, TEXT - 1, f);
    text[n] = 0;
    return pclose(f) == 0 && strchr(text, '\n') != NULL;
}

static bool read_lock(const char *path, char text[TEXT])
{
    FILE *f = fopen(path, "r");
    size_t n;

    if (f == NULL)
        return false;
    n = fread(text, 1, TEXT - 1, f);
    text[n] = 0;
    fclose(f);
    return true;
}

/* The process that a lock names: the first number of the second line. */
static long holder(const char *text)
{
    const char *line = strchr(text, '\n');

    return line == NULL ? 0 : strtol(line + 1, NULL, 10);
}

static bool stale(const char *path)
{
    char was[TEXT], is[TEXT];
    long pid;

    if (!read_lock(path, was))
        return false;
    pid = holder(was);
    return pid <= 0 || !describe(pid, is) || strcmp(was, is) != 0;
}

/* A file beside the lock that says who we are. */
static int write_temp(const char *dir, char temp[LOCK_PATH])
{
    char text[TEXT];
    ssize_t n;
    int fd;

    if (!describe((long)getpid(), text))
        return v23_error("cannot find out about this process with ps");
    snprintf(temp, LOCK_PATH, "%s/agent.templockXXXXXX", dir);
    fd = mkstemp(temp);
    if (fd < 0) {
        fd = errno;
        temp[0] = 0;
        return v23_error("cannot make a lock file in %s: %s", dir,
            strerror(fd));
    }
    n = write(fd, text, strlen(text));
    if (close(fd) != 0 || n != (ssize_t)strlen(text))
        return v23_error("cannot write the lock file in %s: %s", dir,
            strerror(errno));
    return 0;
}

int lock_take(struct lock *l, const char *dir)
{
    char temp[LOCK_PATH] = "";
    int rc = write_temp(dir, temp);

    snprintf(l->path, sizeof(l->path), "%s/agent.lock", dir);
    if (rc == 0 && link(temp, l->path) != 0) {
        if (errno != EEXIST)
            rc = v23_error("cannot lock %s: %s", dir, strerror(errno));
        else if (!stale(l->path))
            rc = v23_error("agentd is already running for %s", dir);
        else if (rename(temp, l->path) != 0)
            rc = v23_error("cannot replace %s: %s", l->path,
                strerror(errno));
        else
            temp[0] = 0;
    }
    if (temp[0] != 0)
        unlink(temp);
    if (rc != 0)
        l->path[0] = 0;
    return rc;
}

void lock_drop(struct lock *l)
{
    if (l->path[0] != 0)
        unlink(l->path);
    l->path[0] = 0;
}

/* BSD-3-Clause; see LICENSE. */
/*
 * memscan PID HEX: looks for octets, in this order and the other way round (as
 * the limbs of a number lie on most machines), in all memory of a process that
 * can be read. Exit code 0: found; 1: not found; 2: cannot look (the reason is on
 * standard error).
 */
#define _GNU_SOURCE /* memmem */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <support.h>

enum { CHUNK = 1 << 20 };
/* A sanitizer reserves terabytes: reading them would take an hour. */
#define AREA_MAX (UINT64_C(1) << 40)

static uint8_t window[CHUNK];

/* What is looked for, and the same turned round. */
static struct v23_bytes want, turned;

/* Overlapping windows, so that nothing is missed between two. */
static bool scan(int fd, unsigned long from, unsigned long to)
{
    size_t n;
    ssize_t got;

    while (from < to) {
        n = to - from < CHUNK ? to - from : CHUNK;
        got = pread(fd, window, n, (off_t)from);
        if (got <= 0)
            return false;
        if (memmem(window, (size_t)got, want.p, want.n) != NULL
            || memmem(window, (size_t)got, turned.p, turned.n) != NULL)
            return true;
        if ((size_t)got <= want.n)
            return false;
        from += (size_t)got == to - from ? (size_t)got
                                         : (size_t)got - want.n + 1;
    }
    return false;
}

static struct v23_bytes reversed(struct v23_bytes v)
{
    uint8_t *p = (uint8_t *)malloc(v.n + 1);
    size_t i;

    if (p == NULL)
        return v23_bytes(NULL, 0);
    for (i = 0; i < v.n; i++)
        p[i] = v.p[v.n - 1 - i];
    return v23_bytes(p, v.n);
}

int main(int argc, char **argv)
{
    unsigned long from, to, scanned = 0;
    char path[64], line[512], perms[8];
    bool found = false;
    FILE *maps;
    int fd;

    if (argc != 3)
        return 2;
    want = hex(argv[2]);
    turned = reversed(want);
    if (turned.p == NULL)
        return 2;
    snprintf(path, sizeof(path), "/proc/%.20s/maps", argv[1]);
    maps = fopen(path, "r");
    snprintf(path, sizeof(path), "/proc/%.20s/mem", argv[1]);
    fd = open(path, O_RDONLY);
    if (maps == NULL || fd < 0 || want.n == 0) {
        fprintf(stderr, "memscan: %s: %s\n", path, strerror(errno));
        return 2;
    }
    while (!found && fgets(line, sizeof(line), maps) != NULL) {
        if (sscanf(line, "%lx-%lx %7s", &from, &to, perms) != 3
            || perms[0] != 'r' || strstr(line, "[vsyscall]") != NULL)
            continue;
        if (to - from > AREA_MAX) {
            fprintf(stderr, "memscan: %s reserves too much to be read\n",
                argv[1]);
            return 2;
        }
        scanned += to - from;
        found = scan(fd, from, to);
    }
    fclose(maps);
    close(fd);
    free((void *)(uintptr_t)turned.p);
    if (scanned == 0) {
        fprintf(stderr, "memscan: nothing of %s can be read\n", argv[1]);
        return 2;
    }
    return found ? 0 : 1;
}

/* BSD-3-Clause; see LICENSE. */
/*
 * Benchmark of the mount table itself, without RPC: mounting, resolving and
 * globbing with a thousand to a million names in it, the memory that a name
 * takes, and reading a journal back.
 *
 *     tablebench [names | permissions | journal]…      default: all that follows
 *         1000 100000 1000000 permissions journal
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <support.h>

#include <v23/time.h>
#include <vname/journal.h>
#include <vrpc/glob.h>

#define SERVER "/@6@tcp@192.168.100.200:8100@@0123456789abcdef0123456789abcdef" \
               "@s@fleet:device@@"
#define PROBES 1000000
#define RECORDS 200000

static struct v23_arena arena;
static const struct vdl_str me = VDL_STR_INIT("fleet:admin");
static struct vname_caller caller = { .arena = &arena, .names = { &me, 1 } };

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void die(const char *what)
{
    fprintf(stderr, "tablebench: %s\n", what);
    exit(1);
}

/* FIGURE, and whether it is as good as wanted. */
static void row(const char *text, double v, const char *unit, double target,
    bool least)
{
    bool good = least ? v >= target : v <= target;

    if (target == 0)
        printf("%-52s %10.4g %s\n", text, v, unit);
    else
        printf("%-52s %10.4g %-8s %2s %-7g %s\n", text, v, unit,
            least ? ">=" : "<=", target, good ? "" : "missed");
}

/* Name number i: three elements, a thousand devices to a site. */
static struct vdl_str name_of(char *room, size_t size, uint32_t i)
{
    int n = snprintf(room, size, "site/%05u/device-%03u", i / 1000, i % 1000);

    return vdl_strn(room, (size_t)n);
}

/* Bytes of names of nodes and servers, which a table cannot do without. */
static size_t strings;

static double fill(struct vname_table *t, uint32_t n)
{
    char room[64];
    double start = now();
    uint32_t i;

    strings = 0;
    for (i = 0; i < n; i++) {
        struct vdl_str name = name_of(room, sizeof(room), i);

        if (vname_table_mount(t, &caller, name, vdl_str(SERVER), 0, 0) != NULL)
            die("mount");
        v23_arena_reset(&arena);
        strings += sizeof(SERVER) - 1 + sizeof("device-000") - 1;
    }
    return n / (now() - start);
}

/* Names in no order that caches could guess. */
static uint32_t next_probe(uint32_t *state, uint32_t n)
{
    *state = *state * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)*state * n) >> 32);
}

static double resolve(struct vname_table *t, uint32_t n)
{
    v23_naming_mount_entry e;
    uint32_t state = 1, i;
    char room[64];
    double start = now(), names;

    /* What making the name itself takes is not the table's. */
    for (i = 0; i < PROBES; i++)
        if (name_of(room, sizeof(room), next_probe(&state, n)).n == 0)
            die("name");
    names = now() - start;
    state = 1;
    start = now();
    for (i = 0; i < PROBES; i++) {
        if (vname_table_resolve(t, &caller,
                name_of(room, sizeof(room), next_probe(&state, n)), &e) != NULL
            || e.servers.n != 1)
            die("resolve");
        v23_arena_reset(&arena);
    }
    return PROBES / (now() - start - names);
}

static double glob(struct vname_table *t, uint32_t n)
{
    struct v23_arena keep;
    v23_naming_mount_entry e;
    struct vname_glob *walk;
    struct vrpc_glob g;
    size_t found = 0;
    double start;
    int rc;

    v23_arena_init(&keep, NULL, SIZE_MAX);
    if (vrpc_glob_parse(&keep, vdl_str("site/*/*"), &g) != 0)
        die("pattern");
    start = now();
    if (vname_glob_new(t, &caller, vdl_str(""), &g, &walk) != 0)
        die("glob");
    while ((rc = vname_glob_next(walk, 0, &e)) != V23_EEOF)
        found += rc == 0;
    vname_glob_free(walk);
    if (found != n)
        die("glob");
    v23_arena_fini(&keep);
    v23_arena_reset(&arena);
    return n / (now() - start);
}

/* What most tables begin with: everybody resolves, some may mount. */
static void protect(struct vname_table *t)
{
    static const struct vdl_str all = VDL_STR_INIT("..."),
                                fleet = VDL_STR_INIT("fleet");
    const v23_access_permissions_entry v[] = {
        { VDL_STR_INIT("Admin"), { { &fleet, 1 }, { NULL, 0 } } },
        { VDL_STR_INIT("Create"), { { &fleet, 1 }, { NULL, 0 } } },
        { VDL_STR_INIT("Resolve"), { { &all, 1 }, { NULL, 0 } } },
    };
    const v23_access_permissions p = { v, 3 };

    if (vname_table_set_permissions(t, &caller, vdl_str(""), &p, vdl_str(""))
        != NULL)
        die("permissions");
}

static double with_names(uint32_t n, double base, bool protected_)
{
    struct vname_table_config cfg = { 0 };
    struct tst_alloc al;
    struct vname_table *t;
    double rate, bytes;
    char text[80];

    tst_alloc_init(&al);
    cfg.al = &al.al;
    if (vname_table_new(&cfg, &t) != 0)
        die("no memory");
    if (protected_) {
        protect(t);
        printf("with permissions:\n");
    }
    rate = fill(t, n);
    /* An allocator adds to each block what it needs, and rounds up. */
    bytes = (double)(al.bytes + 12 * al.live - strings) / n;
    snprintf(text, sizeof(text), "%u names: mounts", n);
    row(text, rate, "per_s", 0, true);
    snprintf(text, sizeof(text), "%u names: memory of one beside strings", n);
    row(text, bytes, "bytes", 300, false);
    rate = resolve(t, n);
    snprintf(text, sizeof(text), "%u names: resolves", n);
    row(text, rate, "per_s", base == 0 && !protected_ ? 2e6 : 0, true);
    if (base != 0)
        row("    time of one, beside that with the fewest names",
            base / rate, "times", 0, false);
    snprintf(text, sizeof(text), "%u names: entries of a glob", n);
    row(text, glob(t, n), "per_s", 650000, true);
    vname_table_free(t);
    return rate;
}

/* ---- journal ------------------------------------------------------------- */

static void journal(void)
{
    char dir[] = "/tmp/tablebench.XXXXXX", path[64];
    struct vname_table_config cfg = { 0 };
    struct vname_journal_config jcfg = { 0 };
    static const char *const files[] = { "persistent.permslog",
        "old.permslog", "tmp.permslog", "lock" };
    struct vname_journal *j;
    double start;
    size_t i;
    FILE *f;

    if (mkdtemp(dir) == NULL)
        die("mkdtemp");
    snprintf(path, sizeof(path), "%s/%s", dir, files[0]);
    f = fopen(path, "w");
    if (f == NULL)
        die(path);
    for (i = 0; i < RECORDS; i++)
        fprintf(f, "{\"N\":\"site/%05zu/device-%03zu\",\"V\":{\"V\":2,\"P\":{"
            "\"Admin\":{\"In\":[\"fleet:admin\"],\"NotIn\":null},\"Read\":{"
            "\"In\":[\"...\"],\"NotIn\":[\"fleet:guest\"]}}},\"D\":false,"
            "\"C\":\"fleet:admin\"}\n", i / 1000, i % 1000);
    if (fclose(f) != 0 || vname_table_new(&cfg, &jcfg.table) != 0)
        die("journal");
    jcfg.dir = dir;
    start = now();
    if (vname_journal_open(&jcfg, &j, NULL) != 0)
        die("vname_journal_open");
    row("journal: records read back and written anew",
        RECORDS / (now() - start), "per_s", 200000, true);
    vname_journal_close(j);
    vname_table_free(jcfg.table);
    for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
        (void)remove(path);
    }
    if (rmdir(dir) != 0)
        fprintf(stderr, "tablebench: something is left in %s\n", dir);
}

int main(int argc, char **argv)
{
    static char *const all[] = { "1000", "100000", "1000000", "permissions",
        "journal" };
    char *const *what = argc > 1 ? argv + 1 : all;
    int n = argc > 1 ? argc - 1 : 5, i;
    double base = 0, rate;

    v23_arena_init(&arena, NULL, SIZE_MAX);
    for (i = 0; i < n; i++) {
        if (strcmp(what[i], "journal") == 0) {
            journal();
            continue;
        }
        if (strcmp(what[i], "permissions") == 0) {
            (void)with_names(100000, 0, true);
            continue;
        }
        rate = with_names((uint32_t)strtoul(what[i], NULL, 10), base, false);
        base = base == 0 ? rate : base;
    }
    v23_arena_fini(&arena);
    return 0;
}

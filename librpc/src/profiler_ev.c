/* BSD-3-Clause; see LICENSE. */
/*
 * Profiles of the process that we run in. Samples of the CPU are counted in a
 * table of fixed size: the handler of SIGPROF allocates nothing, and what finds
 * no place, or meets another thread in the table, is dropped.
 *
 * A signal handler has no argument for our data, so this table is the one
 * thing of the library that a process has once.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* dladdr, mallinfo2 */
#endif
#include <vrpc/debug_host.h>

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#ifdef __GLIBC__
#include <dlfcn.h>
#include <execinfo.h>
#include <malloc.h>
#endif

#include "profiler_int.h"

#define PERIOD_US 10000
#define MAX_STACK 30
#define TABLE 4096
#define PROBES 16
#define SKIP 2 /* the handler, and the frame that called it */

/* ---- command line -------------------------------------------------------- */

static int copy_file(const char *path, struct v23_buf *out)
{
    FILE *f = fopen(path, "re");
    char piece[4096];
    size_t n;

    if (f == NULL)
        return V23_ESYS;
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        v23_buf_put(out, piece, n);
    fclose(f);
    return out->err;
}

int vrpc_host_cmdline_(void *ud, struct v23_arena *a, vdl_str_list *out)
{
    struct v23_buf text;
    struct vdl_str *v = NULL;
    const char *p;
    uint32_t n = 0;
    size_t i;
    int rc;

    (void)ud;
    v23_buf_init(&text, NULL, 4u << 20);
    rc = copy_file("/proc/self/cmdline", &text);
    for (i = 0; i < text.n; i++)
        n += text.p[i] == 0;
    p = rc != 0 || text.n == 0 ? NULL : v23_arena_dup(a, text.p, text.n);
    if (p != NULL)
        v = v23_arena_get0(a, n == 0 ? 1 : n, sizeof(*v),
            _Alignof(struct vdl_str));
    for (i = 0; v != NULL && i < n; i++) {
        v[i] = vdl_str(p);
        p += v[i].n + 1;
    }
    v23_buf_fini(&text);
    if (v == NULL)
        return rc != 0 ? rc : V23_ENOMEM;
    out->v = v;
    out->n = n;
    return 0;
}

/* ---- memory -------------------------------------------------------------- */

void vrpc_host_memory_(struct vrpc_host_memory_ *m)
{
    memset(m, 0, sizeof(*m));
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
    {
        struct mallinfo2 i = mallinfo2();

        m->from_system = (int64_t)(i.arena + i.hblkhd);
        m->in_use = (int64_t)(i.uordblks + i.hblkhd);
        m->idle = (int64_t)i.fordblks;
        m->mapped = (int64_t)i.hblkhd;
    }
#endif
}

/* The legacy text of heap profiles: as the C library keeps no list of who
 * allocated, one sample with all of it. */
static int heap(void *ud, struct vdl_str name, int32_t debug,
    struct v23_buf *out)
{
    struct vrpc_host_memory_ m;

    (void)ud;
    if (!vdl_str_is(name, "heap"))
        return V23_ENOENT;
    vrpc_host_memory_(&m);
    v23_buf_printf(out,
        "heap profile: 1: %lld [1: %lld] @ heapprofile\n"
        "1: %lld [1: %lld] @ 0x%llx\n",
        (long long)m.in_use, (long long)m.in_use, (long long)m.in_use,
        (long long)m.in_use,
        (unsigned long long)(uintptr_t)&vrpc_host_memory_);
    if (debug != 0)
        v23_buf_printf(out,
            "\n# Sys = %lld\n# HeapAlloc = %lld\n# HeapIdle = %lld\n"
            "# Mapped = %lld\n",
            (long long)m.from_system, (long long)m.in_use, (long long)m.idle,
            (long long)m.mapped);
    v23_buf_puts(out, "\nMAPPED_LIBRARIES:\n");
    return copy_file("/proc/self/maps", out);
}

/* ---- CPU ----------------------------------------------------------------- */

#ifdef __GLIBC__
struct sample {
    uintptr_t count, n;
    uintptr_t pcs[MAX_STACK];
};

static struct {
    atomic_flag taken;    /* by the thread that asked for samples */
    struct sample *table; /* NULL: nobody samples; its thread's, or `busy` */
    atomic_flag busy;
    struct sigaction before;
} sampler = { ATOMIC_FLAG_INIT, NULL, ATOMIC_FLAG_INIT, { .sa_flags = 0 } };

static void count(struct sample *table, void *const *pcs, size_t n)
{
    uint64_t at = v23_hash(n, pcs, n * sizeof(*pcs));
    struct sample *s;
    size_t i, k;

    for (i = 0; i < PROBES; i++) {
        s = &table[(at + i) % TABLE];
        if (s->count > 0 && s->n == n &&
            memcmp(s->pcs, pcs, n * sizeof(*pcs)) == 0) {
            s->count++;
            return;
        }
        if (s->count > 0)
            continue;
        s->n = n;
        for (k = 0; k < n; k++)
            s->pcs[k] = (uintptr_t)pcs[k];
        s->count = 1;
        return;
    }
}

static void on_tick(int signo)
{
    void *pcs[MAX_STACK + SKIP];
    int n, before = errno;

    (void)signo;
    if (atomic_flag_test_and_set(&sampler.busy))
        return;
    n = sampler.table == NULL ? 0 : backtrace(pcs, MAX_STACK + SKIP);
    if (n > SKIP)
        count(sampler.table, pcs + SKIP, (size_t)(n - SKIP));
    atomic_flag_clear(&sampler.busy);
    errno = before;
}

static void set_timer(long us)
{
    struct itimerval t;

    memset(&t, 0, sizeof(t));
    t.it_interval.tv_usec = t.it_value.tv_usec = us;
    (void)setitimer(ITIMER_PROF, &t, NULL);
}

static int cpu_start(void *ud)
{
    struct sigaction sa;
    void *one[1];

    (void)ud;
    if (atomic_flag_test_and_set(&sampler.taken))
        return V23_ESTATE;
    (void)backtrace(one, 1); /* loads the unwinder, out of the handler */
    sampler.table = v23_get0(NULL, TABLE, sizeof(struct sample));
    memset(&sa, 0, sizeof(sa));
    sa.sa_handler = on_tick;
    sa.sa_flags = SA_RESTART;
    sigfillset(&sa.sa_mask);
    if (sampler.table == NULL ||
        sigaction(SIGPROF, &sa, &sampler.before) != 0) {
        bool full = sampler.table == NULL;

        v23_put(NULL, sampler.table);
        sampler.table = NULL;
        atomic_flag_clear(&sampler.taken);
        return full ? V23_ENOMEM : V23_ESYS;
    }
    set_timer(PERIOD_US);
    return 0;
}

static void put_words(struct v23_buf *out, const uintptr_t *w, size_t n)
{
    v23_buf_put(out, w, n * sizeof(*w));
}

static int write_samples(const struct sample *table, struct v23_buf *out)
{
    static const uintptr_t head[5] = { 0, 3, 0, PERIOD_US, 0 };
    static const uintptr_t tail[3] = { 0, 1, 0 };
    size_t i;

    put_words(out, head, 5);
    for (i = 0; i < TABLE; i++)
        if (table[i].count > 0)
            put_words(out, &table[i].count, 2 + table[i].n);
    put_words(out, tail, 3);
    return copy_file("/proc/self/maps", out);
}

static int cpu_stop(void *ud, struct v23_buf *out)
{
    struct sample *table = sampler.table;
    int rc = 0;

    (void)ud;
    set_timer(0);
    /* A tick that is under way in another thread ends first; later ones, of
     * signals already sent, find no table. */
    while (atomic_flag_test_and_set(&sampler.busy))
        ;
    sampler.table = NULL;
    atomic_flag_clear(&sampler.busy);
    if (sampler.before.sa_handler == SIG_DFL)
        sampler.before.sa_handler = SIG_IGN; /* for a last, late signal */
    (void)sigaction(SIGPROF, &sampler.before, NULL);
    if (out != NULL)
        rc = write_samples(table, out);
    v23_put(NULL, table);
    atomic_flag_clear(&sampler.taken);
    return rc;
}

/* ---- symbols ------------------------------------------------------------- */

static int symbol(void *ud, uint64_t pc, struct v23_arena *a,
    struct vdl_str *out)
{
    Dl_info info;

    (void)ud;
    out->n = 0;
    if (pc > UINTPTR_MAX ||
        dladdr((void *)(uintptr_t)pc, &info) == 0 || info.dli_sname == NULL)
        return 0;
    *out = vdl_str(info.dli_sname);
    out->p = v23_arena_dup(a, out->p, out->n);
    return out->p == NULL ? V23_ENOMEM : 0;
}
#else
#define cpu_start NULL
#define cpu_stop NULL
#define symbol NULL
#endif

static const struct vdl_str heap_name = VDL_STR_INIT("heap");
static const vdl_str_list names = { &heap_name, 1 };

const struct vrpc_profiler vrpc_profiler_host = { vrpc_host_cmdline_, &names,
    heap, cpu_start, cpu_stop, symbol, NULL };

/* BSD-3-Clause; see LICENSE. */
/*
 * Fuzz target of libnaming: texts that come from files (JSON, permissions
 * files, journals) and operations that come from peers. The first byte chooses
 * what the rest is.
 */
#include <v23/time.h>
#include <vname/json.h>
#include <vname/mounttable.h>
#include <vrpc/glob.h>

#include "fuzz.h"
#include "journal_int.h"

static struct vname_table *new_table(void)
{
    struct vname_table_config cfg = { 0 };
    struct vname_table *t;

    cfg.max_nodes_per_user = 100;
    check(vname_table_new(&cfg, &t) == 0);
    return t;
}

/* ---- files --------------------------------------------------------------- */

static int write_kept(void *ud, const struct vname_change *ch)
{
    return vname_record_write_(ch, ud);
}

/* Apply a journal's lines to a table; what cannot be is left out. */
static void replay(struct vname_table *t, struct v23_bytes text)
{
    struct vname_change ch;
    const uint8_t *end;
    struct v23_arena a;
    size_t n;

    v23_arena_init(&a, NULL, 64u << 20);
    while (text.n != 0) {
        end = memchr(text.p, '\n', text.n);
        n = end == NULL ? text.n : (size_t)(end - text.p);
        v23_arena_reset(&a);
        if (vname_record_read_(v23_bytes(text.p, n), &a, &ch) == 0)
            (void)!vname_table_restore(t, &ch);
        n += end != NULL;
        text.p += n;
        text.n -= n;
    }
    v23_arena_fini(&a);
}

static void kept(const struct vname_table *t, struct v23_buf *out)
{
    v23_buf_init(out, NULL, SIZE_MAX);
    check(vname_table_each_kept(t, write_kept, out) == 0);
}

/* What a journal restores, its rewritten form restores as well. */
static void journal(struct v23_bytes text)
{
    struct vname_table *t = new_table(), *again = new_table();
    struct vname_table_stats s1, s2;
    struct v23_buf b1, b2;

    replay(t, text);
    kept(t, &b1);
    replay(again, v23_bytes(b1.p, b1.n));
    kept(again, &b2);
    vname_table_stats(t, &s1);
    vname_table_stats(again, &s2);
    check(b1.n == b2.n && s1.nodes >= s2.nodes);
    v23_buf_fini(&b1);
    v23_buf_fini(&b2);
    vname_table_free(t);
    vname_table_free(again);
}

static void permissions(struct v23_bytes text)
{
    struct vname_table *t = new_table();
    struct v23_buf why;

    v23_buf_init(&why, NULL, 1u << 16);
    if (vname_table_load_permissions(t,
            vdl_strn((const char *)text.p, text.n), &why)
        != 0)
        check(why.n != 0);
    v23_buf_fini(&why);
    vname_table_free(t);
}

static void json(struct v23_bytes text)
{
    struct v23_buf why;
    size_t end = 0;
    int rc;

    v23_buf_init(&why, NULL, 4096);
    rc = vname_json_check(text, &end, &why);
    check(rc == 0 ? end <= text.n && why.n == 0
            : rc == V23_EEOF ? why.n == 0 : why.n != 0);
    if (rc == 0)
        check(vname_json_check(v23_bytes(text.p, end), NULL, NULL) == 0);
    v23_buf_fini(&why);
}

/* ---- operations ---------------------------------------------------------- */

/* The next text: up to a byte below 0x20. */
static struct vdl_str take(struct v23_bytes *in)
{
    struct vdl_str s;
    size_t n = 0;

    while (n < in->n && in->p[n] >= 0x20)
        n++;
    s = vdl_strn((const char *)in->p, n);
    n += n < in->n;
    in->p += n;
    in->n -= n;
    return s;
}

static void glob(struct vname_table *t, const struct vname_caller *c,
    struct vdl_str name, struct vdl_str pattern)
{
    v23_naming_mount_entry e;
    struct vname_glob *walk;
    struct vrpc_glob g;
    int n = 0, rc = 0;

    if (vrpc_glob_parse(c->arena, pattern, &g) != 0
        || vname_glob_new(t, c, name, &g, &walk) != 0)
        return;
    while (n++ < 1000 && rc != V23_EEOF) {
        rc = vname_glob_next(walk, c->now_ns, &e);
        check(rc != 0 || e.servers.n <= VNAME_MAX_SERVERS);
    }
    vname_glob_free(walk);
}

static void set(struct vname_table *t, const struct vname_caller *c,
    struct vdl_str name, struct vdl_str pattern)
{
    v23_access_permissions_entry e = { 0 };
    v23_access_permissions p = { &e, 1 };

    e.key = vdl_str(name.n % 2 == 0 ? "Admin" : "Resolve");
    e.val.in.v = &pattern;
    e.val.in.n = 1;
    vname_table_set_permissions(t, c, name, &p, vdl_str(""));
}

static void operations(struct v23_bytes in)
{
    struct vname_table *t = new_table();
    struct vname_caller c = { 0 };
    v23_naming_mount_entry e;
    struct vname_table_stats s;
    struct vdl_str who, name, text;
    struct v23_arena a;
    uint8_t op;

    v23_arena_init(&a, NULL, 64u << 20);
    c.arena = &a;
    while (in.n != 0) {
        v23_arena_reset(&a);
        op = in.p[0];
        in.p++;
        in.n--;
        who = take(&in);
        name = take(&in);
        text = take(&in);
        c.names.v = &who;
        c.names.n = who.n != 0;
        c.now_ns += (int64_t)(op >> 3) * V23_NS_PER_SEC;
        if (op % 8 < 3)
            vname_table_mount(t, &c, name, text, op % 16u + 1, op % 8u);
        else if (op % 8 == 3)
            vname_table_unmount(t, &c, name, text);
        else if (op % 8 == 4)
            vname_table_delete(t, &c, name, text.n != 0);
        else if (op % 8 == 5)
            glob(t, &c, name, text);
        else if (op % 8 == 6)
            set(t, &c, name, text);
        else
            vname_table_resolve(t, &c, name, &e);
        vname_table_stats(t, &s);
        check(s.nodes >= 1);
    }
    vname_table_free(t);
    v23_arena_fini(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct v23_bytes in;

    if (n == 0)
        return 0;
    in = v23_bytes(p + 1, n - 1);
    switch (*p % 4) {
    case 0:
        json(in);
        break;
    case 1:
        permissions(in);
        break;
    case 2:
        journal(in);
        break;
    default:
        operations(in);
    }
    return 0;
}

/* BSD-3-Clause; see LICENSE. */
/*
 * What the keys in etcd stand for: nodes, counts of users, and what is none of
 * ours. What was read of them goes to the table from here.
 */
#include "etcd_core.h"

#define MAX_STRANGERS 20

void vname_etcd_put_key_(const struct vname_etcd_core *e, const char *dir,
    struct vdl_str name, struct v23_buf *out)
{
    v23_buf_puts(out, e->place->prefix);
    v23_buf_puts(out, dir);
    v23_buf_put_str(out, name);
}

static bool cut_prefix(struct vdl_str *s, const char *prefix)
{
    size_t n = strlen(prefix);

    if (s->n < n || memcmp(s->p, prefix, n) != 0)
        return false;
    s->p += n;
    s->n -= (uint32_t)n;
    return true;
}

static void note_stranger(struct vname_etcd_core *e, struct v23_bytes key,
    const char *what)
{
    if (e->strangers++ < MAX_STRANGERS)
        v23_logf(e->log, V23_LOG_WARN, "etcd: key \"%.*s\" %s",
            (int)(key.n > 512 ? 512 : key.n), (const char *)key.p, what);
    if (e->strangers == MAX_STRANGERS + 1)
        v23_logf(e->log, V23_LOG_WARN,
            "etcd: more such keys are not mentioned");
}

/* What is broken lets nobody in, rather than everybody. */
static int take_node(struct vname_etcd_core *e, struct vdl_str name,
    const struct vname_etcd_kv *kv)
{
    static const v23_access_permissions nobody = { NULL, 0 };
    struct vname_change ch;
    int rc;

    if (kv->gone) {
        vname_table_forget(e->table, name, kv->revision);
        return 0;
    }
    v23_arena_reset(&e->arena);
    rc = vname_etcd_read_(kv->value, &e->now, &e->arena, &ch);
    if (rc == V23_ETEXT) {
        note_stranger(e, kv->key, "has a malformed value and is left out: "
                                  "nobody but superusers has access");
        memset(&ch, 0, sizeof(ch));
        ch.perms = &nobody;
        ch.set = true;
        ch.creator = vdl_str("self:?:ServerUser");
        rc = 0;
    }
    ch.kind = VNAME_KEEP;
    ch.name = name;
    ch.rev = kv->revision;
    if (rc == 0)
        rc = vname_table_feed(e->table, &ch);
    if (rc == V23_EARG) {
        note_stranger(e, kv->key, "cannot be a name and is left out");
        rc = 0;
    }
    return rc;
}

int vname_etcd_take_(struct vname_etcd_core *e, const struct vname_etcd_kv *kv)
{
    struct vdl_str key = vdl_strn((const char *)kv->key.p, kv->key.n);

    if (cut_prefix(&key, e->place->prefix)) {
        if (cut_prefix(&key, "/n/"))
            return take_node(e, key, kv);
        if (cut_prefix(&key, "/q/"))
            return vname_table_feed_user(e->table, key,
                kv->gone ? 0 : kv->revision);
        if (vdl_str_is(key, "/alive") || vdl_str_is(key, "/format"))
            return 0;
    }
    if (!kv->gone)
        note_stranger(e, kv->key, "is none of a mount table's: left alone");
    return 0;
}

void vname_etcd_put_range_(struct vname_etcd_core *e, struct v23_buf *body,
    const struct v23_buf *from)
{
    v23_buf_cut(&e->scratch, 0);
    vname_etcd_put_key_(e, "/", vdl_str(""), &e->scratch);
    v23_buf_puts(body, "\"key\":");
    vname_etcd_put64_(body, from != NULL && from->n != 0
            ? v23_bytes(from->p, from->n)
            : v23_bytes(e->scratch.p, e->scratch.n));
    v23_buf_cut(&e->scratch, 0);
    vname_etcd_put_key_(e, "0", vdl_str(""), &e->scratch);
    v23_buf_puts(body, ",\"range_end\":");
    vname_etcd_put64_(body, v23_bytes(e->scratch.p, e->scratch.n));
    if (e->scratch.err != 0)
        body->err = e->scratch.err;
}

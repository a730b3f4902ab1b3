/* BSD-3-Clause; see LICENSE. */
/*
 * The publisher works on one pair at a time: a due one is mounted or
 * unmounted, and its end starts the next. Names and servers come and go at any
 * moment; a pair that is no longer wanted is unmounted and then forgotten.
 */
#include <vname/publisher.h>

#include <v23/time.h>

#include "ns_int.h"

#define NEVER_DONE INT64_MIN
#define ID_MAX 96
/* What an unmount at the end may take. */
#define STOP_TIMEOUT_NS (2 * V23_NS_PER_SEC)

struct item {
    struct item *next;
    struct vdl_str text;
    bool mt, leaf;
};

struct pair {
    struct pair *next;
    struct vdl_str name, server; /* behind the struct */
    bool mt, leaf, wanted;
    bool due;                    /* to be worked on in this round */
    int64_t last_mount_ns, last_unmount_ns;
    char mount_error[ID_MAX], unmount_error[ID_MAX];
};

struct vname_publisher {
    const struct v23_alloc *al;
    const struct v23_log *log;
    struct vname_ns *ns;
    int64_t period_ns, refresh_ns, now_ns;
    void (*timer)(void *ud);
    void *ud;
    struct item *names, *servers;
    struct pair *pairs, *busy;
    struct vname_op *op;
    bool woken, stopping;
    void (*stopped)(void *ud);
    void *stopped_ud;
};

static void work(struct vname_publisher *p);

int vname_publisher_new(const struct vname_publisher_config *cfg,
    struct vname_publisher **out)
{
    struct vname_publisher *p = v23_new(cfg->al, struct vname_publisher);

    if (p == NULL)
        return V23_ENOMEM;
    p->al = cfg->al;
    p->log = cfg->log;
    p->ns = cfg->ns;
    p->period_ns
        = cfg->period_ns == 0 ? VNAME_PUBLISH_PERIOD_NS : cfg->period_ns;
    p->timer = cfg->timer;
    p->ud = cfg->ud;
    p->refresh_ns = V23_NEVER;
    *out = p;
    return 0;
}

static void items_free(struct vname_publisher *p, struct item *i)
{
    struct item *next;

    for (; i != NULL; i = next) {
        next = i->next;
        v23_put(p->al, i);
    }
}

void vname_publisher_free(struct vname_publisher *p)
{
    struct pair *q;

    if (p == NULL)
        return;
    vname_op_cancel(p->op);
    items_free(p, p->names);
    items_free(p, p->servers);
    while ((q = p->pairs) != NULL) {
        p->pairs = q->next;
        v23_put(p->al, q);
    }
    v23_put(p->al, p);
}

static struct item *item_new(struct vname_publisher *p, struct vdl_str text)
{
    struct item *i = v23_get0(p->al, 1, sizeof(*i) + text.n);
    char *to;

    if (i == NULL)
        return NULL;
    to = (char *)(i + 1);
    if (text.n != 0)
        memcpy(to, text.p, text.n);
    i->text = vdl_strn(to, text.n);
    return i;
}

static struct item **item_find(struct item **list, struct vdl_str text)
{
    while (*list != NULL && !vdl_str_eq((*list)->text, text))
        list = &(*list)->next;
    return list;
}

static struct pair *pair_find(struct vname_publisher *p, struct vdl_str name,
    struct vdl_str server)
{
    struct pair *q = p->pairs;

    while (q != NULL
        && !(vdl_str_eq(q->name, name) && vdl_str_eq(q->server, server)))
        q = q->next;
    return q;
}

static int pair_add(struct vname_publisher *p, const struct item *name,
    const struct item *server)
{
    struct pair *q = pair_find(p, name->text, server->text);
    char *to;

    if (q == NULL) {
        q = v23_get0(p->al, 1,
            sizeof(*q) + name->text.n + server->text.n);
        if (q == NULL)
            return V23_ENOMEM;
        to = (char *)(q + 1);
        if (name->text.n != 0)
            memcpy(to, name->text.p, name->text.n);
        if (server->text.n != 0)
            memcpy(to + name->text.n, server->text.p, server->text.n);
        q->name = vdl_strn(to, name->text.n);
        q->server = vdl_strn(to + name->text.n, server->text.n);
        q->last_mount_ns = q->last_unmount_ns = NEVER_DONE;
        q->next = p->pairs;
        p->pairs = q;
    }
    q->mt = name->mt;
    q->leaf = name->leaf;
    q->wanted = true;
    return 0;
}

static void wake(struct vname_publisher *p)
{
    p->woken = true;
    if (p->timer != NULL)
        p->timer(p->ud);
}

int vname_publisher_add_name(struct vname_publisher *p, struct vdl_str name,
    bool mount_table, bool leaf)
{
    struct item **at = item_find(&p->names, name), *s;
    int rc = 0;

    if (p->stopping || *at != NULL)
        return 0;
    *at = item_new(p, name);
    if (*at == NULL)
        return V23_ENOMEM;
    (*at)->mt = mount_table;
    (*at)->leaf = leaf;
    for (s = p->servers; s != NULL && rc == 0; s = s->next)
        rc = pair_add(p, *at, s);
    wake(p);
    return rc;
}

int vname_publisher_add_server(struct vname_publisher *p,
    struct vdl_str server)
{
    struct item **at = item_find(&p->servers, server), *n;
    int rc = 0;

    if (p->stopping || *at != NULL)
        return 0;
    *at = item_new(p, server);
    if (*at == NULL)
        return V23_ENOMEM;
    for (n = p->names; n != NULL && rc == 0; n = n->next)
        rc = pair_add(p, n, *at);
    wake(p);
    return rc;
}

static void remove_item(struct vname_publisher *p, struct item **list,
    struct vdl_str text, bool is_name)
{
    struct item **at = item_find(list, text), *gone = *at;
    struct pair *q;

    if (p->stopping || gone == NULL)
        return;
    for (q = p->pairs; q != NULL; q = q->next)
        if (vdl_str_eq(is_name ? q->name : q->server, text))
            q->wanted = false;
    *at = gone->next;
    v23_put(p->al, gone);
    wake(p);
}

void vname_publisher_remove_name(struct vname_publisher *p,
    struct vdl_str name)
{
    remove_item(p, &p->names, name, true);
}

void vname_publisher_remove_server(struct vname_publisher *p,
    struct vdl_str server)
{
    remove_item(p, &p->servers, server, false);
}

/* ---- the rounds ---------------------------------------------------------- */

static void remember_error(struct vname_publisher *p, struct pair *q,
    const char *what, char id[ID_MAX], const struct v23_verror *err)
{
    struct vdl_str now = err == NULL ? vdl_str("") : err->id;

    if (now.n >= ID_MAX)
        now.n = ID_MAX - 1;
    if (vdl_str_is(now, id))
        return;
    if (now.n != 0)
        memcpy(id, now.p, now.n);
    id[now.n] = 0;
    if (err != NULL)
        v23_logf(p->log, V23_LOG_WARN, "publisher: %s of %.*s on %.*s: %.*s",
            what, (int)q->server.n, q->server.p, (int)q->name.n, q->name.p,
            (int)err->msg.n, err->msg.p);
}

static void forget_pair(struct vname_publisher *p, struct pair *q)
{
    struct pair **at = &p->pairs;

    while (*at != q)
        at = &(*at)->next;
    *at = q->next;
    v23_put(p->al, q);
}

static void mounted(void *ud, const struct v23_verror *err)
{
    struct vname_publisher *p = ud;
    struct pair *q = p->busy;

    p->op = NULL;
    p->busy = NULL;
    q->last_mount_ns = p->now_ns;
    remember_error(p, q, "mount", q->mount_error, err);
    work(p);
}

static void unmounted(void *ud, const struct v23_verror *err)
{
    struct vname_publisher *p = ud;
    struct pair *q = p->busy;

    p->op = NULL;
    p->busy = NULL;
    q->last_unmount_ns = p->now_ns;
    remember_error(p, q, "unmount", q->unmount_error, err);
    if (!q->wanted && (err == NULL || p->stopping))
        forget_pair(p, q);
    work(p);
}

/* Next due pair: mounts before unmounts. */
static struct pair *next_due(struct vname_publisher *p, bool wanted)
{
    struct pair *q;

    for (q = p->pairs; q != NULL; q = q->next)
        if (q->due && q->wanted == wanted)
            return q;
    return NULL;
}

static void work(struct vname_publisher *p)
{
    struct vname_opts last = { 0 };
    struct vname_op *op;
    struct pair *q;
    int rc;

    /* At the end one attempt each: what stays behind expires. */
    last.no_retry = true;
    last.deadline = vname_now_(p->ns) + STOP_TIMEOUT_NS;
    while (p->busy == NULL) {
        q = next_due(p, true);
        if (q == NULL)
            q = next_due(p, false);
        if (q == NULL)
            break;
        q->due = false;
        if (!q->wanted && q->last_mount_ns == NEVER_DONE) {
            forget_pair(p, q);
            continue;
        }
        p->busy = q;
        if (q->wanted)
            rc = vname_mount(p->ns, q->name, q->server,
                p->period_ns + VNAME_PUBLISH_SLACK_NS,
                (q->mt ? (uint32_t)V23_NAMING_MT : 0)
                    | (q->leaf ? (uint32_t)V23_NAMING_LEAF : 0),
                NULL, mounted, p, &op);
        else
            rc = vname_unmount(p->ns, q->name, q->server,
                p->stopping ? &last : NULL, unmounted, p, &op);
        if (rc == 0) {
            /* NULL: it is over, and mounted() or unmounted() went on. */
            if (op != NULL)
                p->op = op;
            return;
        }
        p->busy = NULL;
        v23_logf(p->log, V23_LOG_ERROR, "publisher: out of memory");
        break;
    }
    if (p->busy == NULL && p->stopping && p->stopped != NULL) {
        void (*done)(void *ud) = p->stopped;

        p->stopped = NULL;
        done(p->stopped_ud);
    }
}

int64_t vname_publisher_next_deadline(const struct vname_publisher *p)
{
    if (p->stopping)
        return V23_NEVER;
    return p->woken ? INT64_MIN : p->refresh_ns;
}

void vname_publisher_tick(struct vname_publisher *p, int64_t now_ns)
{
    bool refresh = now_ns >= p->refresh_ns;
    struct pair *q;

    p->now_ns = now_ns;
    if (p->stopping || (!refresh && !p->woken))
        return;
    for (q = p->pairs; q != NULL; q = q->next)
        if (refresh || (q->wanted && q->last_mount_ns == NEVER_DONE)
            || (!q->wanted && q->last_unmount_ns == NEVER_DONE))
            q->due = true;
    p->woken = false;
    if (refresh || p->refresh_ns == V23_NEVER)
        p->refresh_ns = now_ns + p->period_ns;
    work(p);
}

void vname_publisher_stop(struct vname_publisher *p, void (*done)(void *ud),
    void *ud)
{
    struct pair *q;

    if (p->stopping)
        return;
    p->stopping = true;
    p->stopped = done;
    p->stopped_ud = ud;
    for (q = p->pairs; q != NULL; q = q->next) {
        q->wanted = false;
        q->due = true;
    }
    /* A mount under way may still arrive: it is waited for, then undone. */
    if (p->busy != NULL)
        p->busy->last_mount_ns = p->now_ns;
    work(p);
}

/* ---- status -------------------------------------------------------------- */

static enum vname_publish_state state_of(const struct vname_publisher *p,
    const struct pair *q, int64_t now_ns)
{
    int64_t d;

    if (q->last_mount_ns == NEVER_DONE)
        return VNAME_UNMOUNTED;
    d = now_ns - q->last_mount_ns;
    if (q->last_unmount_ns > q->last_mount_ns && q->unmount_error[0] == 0)
        return VNAME_UNMOUNTED;
    if (d > p->period_ns + 2 * VNAME_PUBLISH_SLACK_NS)
        return VNAME_UNMOUNTED;
    if (d < p->period_ns)
        return VNAME_MOUNTED;
    return q->last_unmount_ns > q->last_mount_ns ? VNAME_UNMOUNTING
                                                 : VNAME_MOUNTING;
}

void vname_publisher_status(const struct vname_publisher *p, int64_t now_ns,
    void (*fn)(void *ud, const struct vname_publish_entry *e), void *ud)
{
    struct vname_publish_entry e;
    const struct pair *q;

    for (q = p->pairs; q != NULL; q = q->next) {
        e.name = q->name;
        e.server = q->server;
        e.last_mount_ns = q->last_mount_ns;
        e.last_unmount_ns = q->last_unmount_ns;
        e.mount_error = vdl_str(q->mount_error);
        e.unmount_error = vdl_str(q->unmount_error);
        e.ttl_ns = p->period_ns + VNAME_PUBLISH_SLACK_NS;
        e.state = state_of(p, q, now_ns);
        e.wanted = q->wanted;
        fn(ud, &e);
    }
}

bool vname_publisher_is_settled(const struct vname_publisher *p)
{
    const struct pair *q;

    for (q = p->pairs; q != NULL; q = q->next)
        if (q->wanted
            && (q->last_mount_ns == NEVER_DONE || q->mount_error[0] != 0))
            return false;
    return true;
}

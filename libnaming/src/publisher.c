/* BSD-3-Clause; see LICENSE. */
/*
 * The publisher works on one pair at a time: a due one is mounted or
 * unmounted, and its end starts the next. Names and servers come and go at any
 * moment; a pair that is no longer wanted is unmounted and then forgotten.
 *
 * A mount is one attempt; what fails is tried again after a pause that doubles
 * up to a quarter of the period, so that a server started before its mount
 * table appears soon after the table does.
 */
#include <vname/publisher.h>

#include <v23/time.h>

#include "ns_int.h"

#define NEVER_DONE INT64_MIN
#define ID_MAX 96
#define FIRST_PAUSE_NS (250 * V23_NS_PER_MS)
/* What unmounting everything at the end may take. */
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
    bool fresh; /* to be worked on at the next tick */
    bool due;   /* to be worked on now */
    int64_t pause_ns;    /* before the next retry; 0 = the last went well */
    int64_t retry_ns;    /* when; V23_NEVER = at the refresh */
    int64_t last_mount_ns, last_unmount_ns;
    uint64_t table; /* that took the last mount, as vname_opts has it */
    char mount_error[ID_MAX], unmount_error[ID_MAX];
};

struct vname_publisher {
    const struct v23_alloc *al;
    const struct v23_log *log;
    struct vname_ns *ns;
    int64_t period_ns, refresh_ns;
    void (*timer)(void *ud);
    void (*mounted)(void *ud, struct vdl_str name,
        const struct v23_verror *err);
    void *ud;
    struct item *names, *servers;
    struct pair *pairs, *busy;
    struct vname_op *op;
    bool woken, stopping, working;
    int64_t stop_ns; /* no unmount takes longer */
    void (*stopped)(void *ud);
    void *stopped_ud;
};

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
    p->mounted = cfg->mounted;
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

/* ---- names and servers --------------------------------------------------- */

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

static struct pair *pair_new(struct vname_publisher *p, struct vdl_str name,
    struct vdl_str server)
{
    struct pair *q = v23_get0(p->al, 1, sizeof(*q) + name.n + server.n);
    char *to;

    if (q == NULL)
        return NULL;
    to = (char *)(q + 1);
    if (name.n != 0)
        memcpy(to, name.p, name.n);
    if (server.n != 0)
        memcpy(to + name.n, server.p, server.n);
    q->name = vdl_strn(to, name.n);
    q->server = vdl_strn(to + name.n, server.n);
    q->last_mount_ns = q->last_unmount_ns = NEVER_DONE;
    q->retry_ns = V23_NEVER;
    q->next = p->pairs;
    p->pairs = q;
    return q;
}

static int pair_add(struct vname_publisher *p, const struct item *name,
    const struct item *server)
{
    struct pair *q = pair_find(p, name->text, server->text);

    if (q == NULL)
        q = pair_new(p, name->text, server->text);
    if (q == NULL)
        return V23_ENOMEM;
    if (!q->wanted || q->mt != name->mt || q->leaf != name->leaf)
        q->fresh = true;
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

static void remove_item(struct vname_publisher *p, struct item **list,
    struct vdl_str text, bool is_name)
{
    struct item **at = item_find(list, text), *gone = *at;
    struct pair *q;

    if (p->stopping || gone == NULL)
        return;
    for (q = p->pairs; q != NULL; q = q->next)
        if (vdl_str_eq(is_name ? q->name : q->server, text)) {
            q->wanted = false;
            q->fresh = true;
        }
    *at = gone->next;
    v23_put(p->al, gone);
    wake(p);
}

int vname_publisher_add_name(struct vname_publisher *p, struct vdl_str name,
    bool mount_table, bool leaf)
{
    struct item **at = item_find(&p->names, name), *s;
    int rc = 0;

    if (p->stopping)
        return 0;
    if (*at == NULL)
        *at = item_new(p, name);
    if (*at == NULL)
        return V23_ENOMEM;
    (*at)->mt = mount_table;
    (*at)->leaf = leaf;
    for (s = p->servers; s != NULL && rc == 0; s = s->next)
        rc = pair_add(p, *at, s);
    if (rc != 0)
        remove_item(p, &p->names, name, true);
    else
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
    if (rc != 0)
        remove_item(p, &p->servers, server, false);
    else
        wake(p);
    return rc;
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

static bool in_list(const struct vdl_str *v, size_t n, struct vdl_str text)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (vdl_str_eq(v[i], text))
            return true;
    return false;
}

int vname_publisher_set_servers(struct vname_publisher *p,
    const struct vdl_str *servers, size_t n)
{
    struct item *s, *next;
    size_t i;
    int rc = 0;

    for (s = p->servers; s != NULL; s = next) {
        next = s->next;
        if (!in_list(servers, n, s->text))
            remove_item(p, &p->servers, s->text, false);
    }
    for (i = 0; i < n && rc == 0; i++)
        rc = vname_publisher_add_server(p, servers[i]);
    return rc;
}

/* ---- the rounds ---------------------------------------------------------- */

static void work(struct vname_publisher *p);

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
            (int)err->msg.n, err->msg.n == 0 ? "" : err->msg.p);
}

static void forget_pair(struct vname_publisher *p, struct pair *q)
{
    struct pair **at = &p->pairs;

    while (*at != q)
        at = &(*at)->next;
    *at = q->next;
    v23_put(p->al, q);
}

/* Set the time of the next attempt after a mount that failed. */
static void schedule_retry(struct vname_publisher *p, struct pair *q)
{
    int64_t most = p->period_ns / 4;

    q->pause_ns = q->pause_ns == 0 ? FIRST_PAUSE_NS : 2 * q->pause_ns;
    if (q->pause_ns > most)
        q->pause_ns = most;
    q->retry_ns = vname_now_(p->ns) + q->pause_ns;
    if (p->timer != NULL && !p->stopping)
        p->timer(p->ud);
}

/* The pair in progress, which is no longer. */
static struct pair *finish(struct vname_publisher *p)
{
    struct pair *q = p->busy;

    p->op = NULL;
    p->busy = NULL;
    return q;
}

static void mounted(void *ud, const struct v23_verror *err)
{
    struct vname_publisher *p = ud;
    struct pair *q = finish(p);

    remember_error(p, q, "mount", q->mount_error, err);
    if (p->mounted != NULL && q->wanted)
        p->mounted(p->ud, q->name, err);
    if (err == NULL)
        q->pause_ns = 0;
    else if (q->wanted)
        schedule_retry(p, q);
    work(p);
}

static void unmounted(void *ud, const struct v23_verror *err)
{
    struct vname_publisher *p = ud;
    struct pair *q = finish(p);

    remember_error(p, q, "unmount", q->unmount_error, err);
    if (!q->wanted && (err == NULL || p->stopping))
        forget_pair(p, q);
    work(p);
}

/* Next due pair: mounts before unmounts. */
static struct pair *next_due(struct vname_publisher *p)
{
    struct pair *q, *found = NULL;

    for (q = p->pairs; q != NULL; q = q->next)
        if (q->due && (found == NULL || (q->wanted && !found->wanted)))
            found = q;
    return found;
}

/* The later of now and a nanosecond after the other operation. */
static int64_t stamp(struct vname_publisher *p, int64_t other_ns)
{
    int64_t now = vname_now_(p->ns);

    return now > other_ns ? now : other_ns + 1;
}

static int start(struct vname_publisher *p, struct pair *q,
    struct vname_op **op)
{
    struct vname_opts opts = { 0 };
    uint32_t flags = (q->mt ? (uint32_t)V23_NAMING_MT : 0)
        | (q->leaf ? (uint32_t)V23_NAMING_LEAF : 0);

    if (q->wanted) {
        q->last_mount_ns = stamp(p, q->last_unmount_ns);
        q->retry_ns = V23_NEVER;
        opts.no_retry = true;
        opts.table = &q->table;
        return vname_mount(p->ns, q->name, q->server,
            p->period_ns + VNAME_PUBLISH_SLACK_NS, flags, &opts, mounted, p,
            op);
    }
    q->last_unmount_ns = stamp(p, q->last_mount_ns);
    if (p->stopping) {
        /* One attempt: what stays behind expires. */
        opts.no_retry = true;
        opts.deadline = p->stop_ns;
    }
    return vname_unmount(p->ns, q->name, q->server, &opts, unmounted, p, op);
}

/* Start pairs until one is in progress; ends may come at once. */
static void work(struct vname_publisher *p)
{
    struct vname_op *op;
    struct pair *q;

    if (p->working)
        return;
    p->working = true;
    while (p->busy == NULL && (q = next_due(p)) != NULL) {
        q->due = false;
        if (!q->wanted && q->last_mount_ns == NEVER_DONE) {
            forget_pair(p, q);
            continue;
        }
        p->busy = q;
        if (start(p, q, &op) != 0) {
            finish(p);
            schedule_retry(p, q);
            v23_logf(p->log, V23_LOG_ERROR, "publisher: out of memory");
        } else if (op != NULL) {
            p->op = op;
        }
    }
    p->working = false;
    if (p->busy == NULL && p->stopped != NULL) {
        void (*done)(void *ud) = p->stopped;

        p->stopped = NULL;
        done(p->stopped_ud);
    }
}

int64_t vname_publisher_next_deadline(const struct vname_publisher *p)
{
    int64_t next = p->refresh_ns;
    const struct pair *q;

    if (p->stopping)
        return V23_NEVER;
    if (p->woken)
        return INT64_MIN;
    for (q = p->pairs; q != NULL; q = q->next)
        if (q->retry_ns < next)
            next = q->retry_ns;
    return next;
}

void vname_publisher_tick(struct vname_publisher *p, int64_t now_ns)
{
    bool refresh = now_ns >= p->refresh_ns;
    struct pair *q;

    if (p->stopping || now_ns < vname_publisher_next_deadline(p))
        return;
    for (q = p->pairs; q != NULL; q = q->next) {
        if (q->fresh || now_ns >= q->retry_ns || (refresh && q != p->busy))
            q->due = true;
        if (q->due)
            q->retry_ns = V23_NEVER;
        q->fresh = false;
    }
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
    p->stop_ns = vname_now_(p->ns) + STOP_TIMEOUT_NS;
    p->stopped = done;
    p->stopped_ud = ud;
    /* What is under way may have arrived: it is given up, then undone. */
    vname_op_cancel(p->op);
    finish(p);
    for (q = p->pairs; q != NULL; q = q->next) {
        q->wanted = false;
        q->due = true;
    }
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

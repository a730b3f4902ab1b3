/* BSD-3-Clause; see LICENSE. */
/*
 * How a table's changes get into etcd. What comes in one turn of the loop is one
 * transaction, so it costs one entry of etcd's log; inside it each operation is
 * a transaction with conditions of its own. Operations that touch what another
 * one is changing wait for its outcome: thought over on what is known now they
 * would only fail.
 *
 * An operation has ended when etcd has kept it and the watch has shown it, so
 * who made it finds it here.
 */
#include <stdio.h>

#include "etcd_core.h"

/* How long the watch may take to show what was kept: to end an operation, and
 * at all. */
#define SHOW_NS V23_NS_PER_SEC
#define OWED_NS (3 * V23_NS_PER_SEC)
/* Until a conflict is thought over without having been shown. */
#define CONFLICT_NS (20 * V23_NS_PER_MS)
#define LIFE_NS (5 * V23_NS_PER_SEC)

/* ---- who touches what ---------------------------------------------------- */

static bool writes(const struct vname_change *ch)
{
    return ch->kind != VNAME_SAME && ch->kind != VNAME_COUNT;
}

/* It matters what is below, too. */
static bool reaches_down(const struct vname_change *ch)
{
    return ch->kind == VNAME_DELETE || ch->kind == VNAME_REMOVE
        || ch->kind == VNAME_CLEAR;
}

static bool is_below(struct vdl_str name, struct vdl_str dir)
{
    if (dir.n == 0)
        return name.n != 0;
    return name.n > dir.n && name.p[dir.n] == '/'
        && memcmp(name.p, dir.p, dir.n) == 0;
}

static struct vdl_str name_of(const struct batch *b, const struct touched *t)
{
    return vdl_strn((const char *)b->names.p + t->at, t->n);
}

static bool meet(const struct batch *b, const struct touched *t,
    const struct vname_change *ch)
{
    struct vdl_str name = name_of(b, t);

    return t->writes
        && (vdl_str_eq(name, ch->name)
            || (t->below && is_below(ch->name, name))
            || (reaches_down(ch) && is_below(name, ch->name)));
}

static bool has_user(const struct batch *b, struct vdl_str id)
{
    size_t i;

    for (i = 0; i < b->nusers; i++)
        if (vdl_str_eq(name_of(b, &b->users[i]), id))
            return true;
    return false;
}

/* This change has to wait for an operation of this batch. */
static bool clashes(const struct vname_etcd_core *e, const struct batch *b,
    const struct vname_change *ch)
{
    size_t i;

    if (ch->kind == VNAME_COUNT)
        return b != e->open && has_user(b, ch->name);
    for (i = 0; i < b->ntouched; i++)
        if (meet(b, &b->touched[i], ch))
            return true;
    return false;
}

static bool must_wait(const struct vname_etcd_core *e,
    const struct vname_change *ch, size_t n)
{
    size_t i, k;

    for (i = 0; i < VNAME_ETCD_TXNS; i++)
        for (k = 0; k < n; k++)
            if (clashes(e, &e->batches[i], &ch[k]))
                return true;
    return false;
}

/* ---- the text of an operation -------------------------------------------- */

static void put_node_key(struct vname_etcd_core *e, struct v23_buf *out,
    struct vdl_str name, const char *behind)
{
    v23_buf_cut(&e->scratch, 0);
    vname_etcd_put_key_(e, "/n/", name, &e->scratch);
    v23_buf_puts(&e->scratch, behind);
    vname_etcd_put64_(out, v23_bytes(e->scratch.p, e->scratch.n));
    if (e->scratch.err != 0)
        out->err = e->scratch.err;
}

/* "key" and "range_end" of all below a name. */
static void put_below(struct vname_etcd_core *e, struct v23_buf *out,
    struct vdl_str name)
{
    v23_buf_puts(out, "\"key\":");
    if (name.n == 0) { /* the root's own key ends with the '/' */
        v23_buf_cut(&e->scratch, 0);
        vname_etcd_put_key_(e, "/n/", name, &e->scratch);
        v23_buf_put_byte(&e->scratch, 0);
        vname_etcd_put64_(out, v23_bytes(e->scratch.p, e->scratch.n));
    } else {
        put_node_key(e, out, name, "/");
    }
    v23_buf_puts(out, ",\"range_end\":");
    v23_buf_cut(&e->scratch, 0);
    vname_etcd_put_key_(e, name.n == 0 ? "/n" : "/n/", name, &e->scratch);
    v23_buf_puts(&e->scratch, "0"); /* follows '/' */
    vname_etcd_put64_(out, v23_bytes(e->scratch.p, e->scratch.n));
    if (e->scratch.err != 0)
        out->err = e->scratch.err;
}

static size_t put_conditions(struct vname_etcd_core *e, struct v23_buf *out,
    const struct vname_change *ch, size_t n)
{
    size_t i, count = 0;

    for (i = 0; i < n; i++) {
        if (ch[i].kind == VNAME_CLEAR)
            continue;
        v23_buf_puts(out, count++ == 0 ? "" : ",");
        v23_buf_puts(out, "{\"target\":\"MOD\",\"key\":");
        if (ch[i].kind == VNAME_COUNT) {
            v23_buf_cut(&e->scratch, 0);
            vname_etcd_put_key_(e, "/q/", ch[i].name, &e->scratch);
            vname_etcd_put64_(out,
                v23_bytes(e->scratch.p, e->scratch.n));
        } else {
            put_node_key(e, out, ch[i].name, "");
        }
        v23_buf_printf(out, ",\"mod_revision\":\"%lld\"}",
            (long long)ch[i].rev);
        if (ch[i].kind == VNAME_REMOVE) {
            count++;
            v23_buf_puts(out, ",{\"target\":\"MOD\",");
            put_below(e, out, ch[i].name);
            v23_buf_puts(out, ",\"mod_revision\":\"0\"}");
        }
    }
    return count;
}

/* The value of a node, whose memory is the arena's. */
static int put_value(struct vname_etcd_core *e, struct v23_buf *out,
    const struct vname_change *ch)
{
    struct v23_buf value;
    int rc;

    v23_buf_init(&value, e->al, MAX_BODY);
    rc = vname_etcd_write_(ch, &e->now, &value);
    if (rc == 0)
        vname_etcd_put64_(out, v23_bytes(value.p, value.n));
    v23_buf_fini(&value);
    return rc;
}

static int put_effects(struct vname_etcd_core *e, struct v23_buf *out,
    const struct vname_change *ch, size_t n, size_t *count)
{
    const char *comma = "";
    size_t i;
    int rc = 0;

    *count = 0;
    for (i = 0; i < n && rc == 0; i++) {
        if (!writes(&ch[i]))
            continue;
        if (ch[i].kind == VNAME_KEEP) {
            v23_buf_printf(out, "%s{\"request_put\":{\"key\":", comma);
            put_node_key(e, out, ch[i].name, "");
            v23_buf_puts(out, ",\"value\":");
            rc = put_value(e, out, &ch[i]);
            v23_buf_puts(out, "}}");
            ++*count;
            comma = ",";
            continue;
        }
        if (ch[i].kind != VNAME_CLEAR) {
            v23_buf_printf(out, "%s{\"request_delete_range\":{\"key\":",
                comma);
            put_node_key(e, out, ch[i].name, "");
            v23_buf_puts(out, "}}");
            ++*count;
            comma = ",";
        }
        if (ch[i].kind != VNAME_REMOVE) {
            v23_buf_printf(out, "%s{\"request_delete_range\":{", comma);
            put_below(e, out, ch[i].name);
            v23_buf_puts(out, "}}");
            ++*count;
            comma = ",";
        }
    }
    return rc;
}

/* Into e->part; *ops: operations of its larger half. */
static int write_part(struct vname_etcd_core *e,
    const struct vname_change *ch, size_t n, size_t *ops)
{
    size_t conditions, effects;
    int rc;

    v23_buf_cut(&e->part, 0);
    v23_buf_puts(&e->part, "{\"request_txn\":{\"compare\":[");
    conditions = put_conditions(e, &e->part, ch, n);
    v23_buf_puts(&e->part, "],\"success\":[");
    rc = put_effects(e, &e->part, ch, n, &effects);
    v23_buf_puts(&e->part, "]}}");
    *ops = conditions > effects ? conditions : effects;
    return rc != 0 ? rc : e->part.err;
}

/* ---- filling a batch ----------------------------------------------------- */

static struct batch *open_batch(struct vname_etcd_core *e)
{
    size_t i;

    for (i = 0; e->open == NULL && i < VNAME_ETCD_TXNS; i++)
        if (e->batches[i].state == FREE)
            e->open = &e->batches[i];
    return e->open;
}

static void reset(struct batch *b)
{
    v23_buf_cut(&b->body, 0);
    v23_buf_cut(&b->names, 0);
    b->ntouched = b->nparts = b->nusers = b->widest = 0;
    b->target = 0;
    b->state = FREE;
}

/* One more of `ops` operations fits beside the others. */
static bool fits(const struct batch *b, const struct v23_buf *part,
    size_t ops)
{
    size_t widest = b->widest > ops ? b->widest : ops;

    return b->nparts < MAX_PARTS && b->nusers < MAX_PARTS
        && b->nparts + 1 + b->nusers + 1 + widest <= MAX_OPS
        && b->body.n + part->n + 1024 <= MAX_BODY;
}

static int note_touched(struct vname_etcd_core *e, struct batch *b,
    const struct vname_change *ch, size_t n)
{
    void *v = b->touched;
    size_t i;
    int rc = v23_reserve(e->al, &v, &b->cap, b->ntouched + n, SIZE_MAX / 64,
        sizeof(*b->touched));

    if (rc != 0)
        return rc;
    b->touched = v;
    for (i = 0; i < n; i++) {
        struct touched t = { b->names.n, ch[i].name.n, writes(&ch[i]),
            reaches_down(&ch[i]) };

        if (ch[i].kind == VNAME_COUNT && has_user(b, ch[i].name))
            continue;
        v23_buf_put_str(&b->names, ch[i].name);
        if (ch[i].kind == VNAME_COUNT)
            b->users[b->nusers++] = t;
        else
            b->touched[b->ntouched++] = t;
    }
    return b->names.err;
}

static int add_part(struct vname_etcd_core *e, struct batch *b,
    struct v23_op op, size_t ops)
{
    v23_buf_puts(&b->body, b->nparts == 0 ? "{\"success\":[" : ",");
    v23_buf_put(&b->body, e->part.p, e->part.n);
    if (b->body.err != 0)
        return b->body.err;
    b->parts[b->nparts].op = op;
    b->parts[b->nparts].conflict = false;
    b->nparts++;
    if (ops > b->widest)
        b->widest = ops;
    e->io->wake(e->io->ud);
    return V23_EAGAIN;
}

static int add(struct vname_etcd_core *e, struct v23_op op,
    const struct vname_change *ch, size_t n)
{
    struct batch *b = open_batch(e);
    size_t ops, touched, users, names, body;
    int rc;

    if (b == NULL)
        return V23_ESTATE;
    rc = write_part(e, ch, n, &ops);
    if (rc != 0)
        return rc;
    if (!fits(b, &e->part, ops)) {
        if (b->nparts == 0)
            return V23_ELIMIT;
        return V23_ESTATE; /* in the next one */
    }
    touched = b->ntouched;
    users = b->nusers;
    names = b->names.n;
    body = b->body.n;
    rc = note_touched(e, b, ch, n);
    if (rc == 0)
        rc = add_part(e, b, op, ops);
    if (rc != V23_EAGAIN) {
        b->ntouched = touched;
        b->nusers = users;
        v23_buf_cut(&b->names, names);
        v23_buf_cut(&b->body, body);
    }
    return rc;
}

static int commit(void *ud, struct v23_op op, const struct vname_change *ch,
    size_t n)
{
    struct vname_etcd_core *e = ud;

    if (e->state != LIVE || must_wait(e, ch, n))
        return V23_ESTATE;
    vname_etcd_look_at_clock_(e);
    return add(e, op, ch, n);
}

void vname_etcd_sign_of_life_(struct vname_etcd_core *e)
{
    static const struct v23_op nobody;
    struct batch *b;
    size_t i;

    for (i = 0; i < VNAME_ETCD_TXNS; i++)
        if (e->batches[i].nparts != 0)
            return;
    if (e->now.mono_ns < e->heard_ns + LIFE_NS
        || (b = open_batch(e)) == NULL)
        return;
    v23_buf_cut(&e->scratch, 0);
    vname_etcd_put_key_(e, "/alive", vdl_str(""), &e->scratch);
    v23_buf_cut(&e->part, 0);
    v23_buf_puts(&e->part,
        "{\"request_txn\":{\"success\":[{\"request_put\":{\"key\":");
    vname_etcd_put64_(&e->part, v23_bytes(e->scratch.p, e->scratch.n));
    v23_buf_puts(&e->part, "}}]}}");
    if (e->scratch.err == 0 && e->part.err == 0
        && add_part(e, b, nobody, 1) != V23_EAGAIN)
        reset(b);
}

void vname_etcd_flush_(struct vname_etcd_core *e)
{
    struct batch *b = e->open;
    size_t i;

    if (e->state != LIVE || b == NULL || b->nparts == 0)
        return;
    e->open = NULL;
    for (i = 0; i < b->nusers; i++) {
        v23_buf_cut(&e->scratch, 0);
        vname_etcd_put_key_(e, "/q/", name_of(b, &b->users[i]), &e->scratch);
        v23_buf_puts(&b->body, ",{\"request_put\":{\"key\":");
        vname_etcd_put64_(&b->body, v23_bytes(e->scratch.p, e->scratch.n));
        v23_buf_puts(&b->body, "}}");
        if (e->scratch.err != 0)
            b->body.err = e->scratch.err;
    }
    v23_buf_puts(&b->body, "]}");
    b->state = SENT;
    b->until_ns = e->now.mono_ns + TXN_PATIENCE_NS;
    b->floor = e->seen_rev;
    e->nbatches++;
    e->nops += b->nparts;
    (void)vname_etcd_post_(e, VNAME_ETCD_TXN + (unsigned)(b - e->batches),
        "/v3/kv/txn", &b->body);
}

/* ---- outcomes ------------------------------------------------------------ */

/* Empty the batch, then tell everybody: they may begin something new. */
static void end(struct vname_etcd_core *e, struct batch *b, int rc,
    const char *why)
{
    struct part parts[MAX_PARTS];
    size_t n = b->nparts, i;

    memcpy(parts, b->parts, n * sizeof(parts[0]));
    if (e->open == b)
        e->open = NULL;
    reset(b);
    for (i = 0; i < n; i++)
        if (parts[i].op.generation != 0)
            vname_table_committed(e->table, parts[i].op,
                rc == 0 && parts[i].conflict ? V23_EAGAIN : rc, why);
}

void vname_etcd_settle_(struct vname_etcd_core *e)
{
    bool some = false;
    size_t i;

    for (i = 0; i < VNAME_ETCD_TXNS; i++) {
        struct batch *b = &e->batches[i];

        if (b->state == SENT && e->now.mono_ns >= b->until_ns) {
            vname_etcd_lost_(e, "a transaction is not answered in time");
            return;
        }
        if (b->state == SETTLING
            && (e->rev >= b->target || e->now.mono_ns >= b->until_ns)) {
            end(e, b, 0, NULL);
            some = true;
        }
    }
    if (some)
        vname_table_go_on(e->table, e->now.mono_ns, e->why);
    vname_etcd_flush_(e);
}

void vname_etcd_give_up_(struct vname_etcd_core *e)
{
    size_t i;

    for (i = 0; i < VNAME_ETCD_TXNS; i++) {
        struct batch *b = &e->batches[i];

        /* What was kept, was kept; of the rest nobody knows. */
        if (b->nparts != 0)
            end(e, b, b->state == SETTLING ? 0
                    : b->state == SENT    ? V23_ETIMEOUT
                                          : V23_EAGAIN,
                NULL);
    }
}

/* Revision at which an operation has changed something; 0: it has not. */
static int changed_at(const cJSON *op, int64_t *out)
{
    struct vname_etcd_header h;
    const cJSON *put, *del;
    int64_t deleted = 1;
    int rc = vname_etcd_object_(op, "response_put", &put);

    *out = 0;
    if (rc == 0)
        rc = vname_etcd_object_(op, "response_delete_range", &del);
    if (rc == 0 && del != NULL)
        rc = vname_etcd_int_(del, "deleted", &deleted);
    if (rc == 0)
        rc = vname_etcd_header_(put != NULL ? put : del, &h);
    if (rc == 0 && deleted > 0)
        *out = h.revision;
    return rc;
}

static int read_part(struct part *p, const cJSON *response, int64_t *target)
{
    const cJSON *txn, *ops, *op;
    int64_t rev;
    bool good;
    int rc = vname_etcd_object_(response, "response_txn", &txn);

    if (rc != 0 || txn == NULL)
        return V23_ETEXT;
    rc = vname_etcd_bool_(txn, "succeeded", &good);
    if (rc == 0)
        rc = vname_etcd_array_(txn, "responses", &ops);
    if (rc != 0)
        return rc;
    p->conflict = !good;
    cJSON_ArrayForEach(op, ops)
    {
        rc = cJSON_IsObject(op) ? changed_at(op, &rev) : V23_ETEXT;
        if (rc != 0)
            return rc;
        if (rev > *target)
            *target = rev;
    }
    return 0;
}

static int read_answer(struct batch *b, const cJSON *doc,
    struct vname_etcd_header *h, bool *conflict)
{
    const cJSON *responses, *r;
    size_t i;
    int rc = vname_etcd_header_(doc, h);

    *conflict = false;
    if (rc == 0)
        rc = vname_etcd_array_(doc, "responses", &responses);
    if (rc != 0)
        return rc;
    r = responses == NULL ? NULL : responses->child;
    for (i = 0; i < b->nparts; i++, r = r->next) {
        if (!cJSON_IsObject(r))
            return V23_ETEXT;
        rc = read_part(&b->parts[i], r, &b->target);
        if (rc != 0)
            return rc;
        *conflict = *conflict || b->parts[i].conflict;
    }
    return 0;
}

static void kept(struct vname_etcd_core *e, struct batch *b,
    const struct vname_etcd_header *h, bool conflict)
{
    /* All is well only now: a watch may live where nothing can be kept. */
    e->logged = false;
    b->state = SETTLING;
    b->until_ns = e->now.mono_ns + SHOW_NS;
    if (b->target > e->rev && e->owed_ns == V23_NEVER) {
        e->owed_rev = b->target;
        e->owed_ns = e->now.mono_ns + OWED_NS;
    }
    if (conflict && b->target < h->revision) {
        /* What it has met is there, or somebody else's is. */
        b->target = h->revision;
        b->until_ns = e->now.mono_ns + CONFLICT_NS;
    }
    vname_etcd_settle_(e);
    e->io->wake(e->io->ud);
}

/* Codes of gRPC: trying the same again is of no use, or not soon. */
#define INVALID_ARGUMENT 3
#define RESOURCE_EXHAUSTED 8

void vname_etcd_answered_(struct vname_etcd_core *e, struct batch *b,
    int status, struct v23_bytes body)
{
    struct vname_etcd_header h;
    struct vname_etcd_fault f;
    bool conflict;
    cJSON *doc;
    int rc;

    if (b->state != SENT)
        return;
    if (status != 200) {
        vname_etcd_fault_(status, body, &f);
        if (f.code == INVALID_ARGUMENT || f.code == RESOURCE_EXHAUSTED) {
            v23_logf(e->log, V23_LOG_WARN, "etcd refuses: %s", f.text);
            end(e, b, V23_ESYS, f.text);
        } else {
            vname_etcd_refused_(e, &f);
        }
        return;
    }
    doc = cJSON_ParseWithLength((const char *)body.p, body.n);
    rc = cJSON_IsObject(doc) ? read_answer(b, doc, &h, &conflict) : V23_ETEXT;
    cJSON_Delete(doc);
    if (rc != 0)
        vname_etcd_lost_(e, "an answer to a transaction is malformed");
    else if (vname_etcd_see_(e, &h, b->floor))
        kept(e, b, &h, conflict);
}

int64_t vname_etcd_batches_deadline_(const struct vname_etcd_core *e)
{
    int64_t at = V23_NEVER;
    size_t i;

    for (i = 0; i < VNAME_ETCD_TXNS; i++)
        if (e->batches[i].state != FREE && e->batches[i].until_ns < at)
            at = e->batches[i].until_ns;
    if (e->state == LIVE && e->open != NULL && e->open->nparts != 0)
        at = e->now.mono_ns;
    return at;
}

/* ---- life ---------------------------------------------------------------- */

void vname_etcd_store_init_(struct vname_etcd_core *e)
{
    size_t i;

    for (i = 0; i < VNAME_ETCD_TXNS; i++) {
        v23_buf_init(&e->batches[i].body, e->al, 2 * MAX_BODY);
        v23_buf_init(&e->batches[i].names, e->al, 2 * MAX_BODY);
    }
    v23_buf_init(&e->part, e->al, 2 * MAX_BODY);
    e->store.commit = commit;
    e->store.ud = e;
    e->store.whole = true;
    vname_table_set_store(e->table, &e->store);
}

void vname_etcd_store_fini_(struct vname_etcd_core *e)
{
    size_t i;

    vname_table_set_store(e->table, NULL);
    for (i = 0; i < VNAME_ETCD_TXNS; i++) {
        v23_buf_fini(&e->batches[i].body);
        v23_buf_fini(&e->batches[i].names);
        v23_put(e->al, e->batches[i].touched);
    }
    v23_buf_fini(&e->part);
}

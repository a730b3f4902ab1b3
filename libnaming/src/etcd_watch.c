/* BSD-3-Clause; see LICENSE. */
/*
 * The watch: one answer that does not end, a message on each line, read however
 * it was cut. Its events are what changes the table.
 */
#include "etcd_core.h"

static void go_live(struct vname_etcd_core *e)
{
    e->state = LIVE;
    e->until_ns = V23_NEVER;
    e->tries = 0;
    e->why[0] = 0;
    e->owed_ns = V23_NEVER;
    e->sweep_ns = e->now.mono_ns + SWEEP_NS;
    v23_logf(e->log, V23_LOG_INFO,
        "etcd at %s:%u: following it from revision %lld on",
        e->place->endpoints[e->endpoint].host,
        (unsigned)e->place->endpoints[e->endpoint].port,
        (long long)e->rev);
    e->heard_ns = e->now.mono_ns;
    e->fatal = false;
    vname_table_go_on(e->table, e->now.mono_ns, e->why);
}

static int take_event(struct vname_etcd_core *e, const cJSON *ev,
    int64_t *highest)
{
    const cJSON *type = cJSON_GetObjectItemCaseSensitive(ev, "type"), *kv;
    struct vname_etcd_kv x;
    int rc = vname_etcd_object_(ev, "kv", &kv);

    if (rc == 0)
        rc = vname_etcd_kv_(kv, &e->scratch, &x);
    if (rc != 0)
        return rc;
    x.gone = cJSON_IsString(type) && strcmp(type->valuestring, "DELETE") == 0;
    if (x.revision > *highest)
        *highest = x.revision;
    return x.revision <= e->rev ? 0 : vname_etcd_take_(e, &x);
}

static int take_events(struct vname_etcd_core *e, const cJSON *result)
{
    int64_t highest = e->rev;
    const cJSON *events, *ev;
    int rc = vname_etcd_array_(result, "events", &events);

    if (rc != 0)
        return rc;
    cJSON_ArrayForEach(ev, events)
    {
        rc = cJSON_IsObject(ev) ? take_event(e, ev, &highest) : V23_ETEXT;
        if (rc != 0)
            return rc;
    }
    /* The header's revision may be ahead of events that are still to come. */
    e->rev = highest;
    if (e->rev > e->seen_rev)
        e->seen_rev = e->rev;
    e->heard_ns = e->now.mono_ns;
    return 0;
}

static int watch_ended(struct vname_etcd_core *e, const cJSON *result)
{
    const cJSON *why
        = cJSON_GetObjectItemCaseSensitive(result, "cancel_reason");
    int64_t compacted;
    int rc = vname_etcd_int_(result, "compact_revision", &compacted);

    if (rc != 0)
        return rc;
    if (compacted != 0) {
        e->must_read = true;
        vname_etcd_lost_(e, "what has happened up to revision %lld is "
                            "forgotten: everything is read anew",
            (long long)compacted);
    } else {
        vname_etcd_lost_(e, "the watch has ended%s%.200s",
            cJSON_IsString(why) ? ": " : "",
            cJSON_IsString(why) ? why->valuestring : "");
    }
    return 0;
}

static int take_message(struct vname_etcd_core *e, const cJSON *doc)
{
    bool created = false, canceled = false;
    struct vname_etcd_header h;
    const cJSON *result;
    int rc = vname_etcd_object_(doc, "result", &result);

    if (rc != 0 || result == NULL)
        return V23_ETEXT;
    rc = vname_etcd_header_(result, &h);
    if (rc == 0)
        rc = vname_etcd_bool_(result, "created", &created);
    if (rc == 0)
        rc = vname_etcd_bool_(result, "canceled", &canceled);
    if (rc != 0)
        return rc;
    if (canceled)
        return watch_ended(e, result);
    if (e->cluster != 0 && h.cluster != 0 && h.cluster != e->cluster) {
        (void)vname_etcd_see_(e, &h, 0);
        return 0;
    }
    if (e->state == WATCHING && !created)
        return V23_ETEXT;
    rc = take_events(e, result);
    if (rc == 0 && e->state == WATCHING)
        go_live(e);
    return rc;
}

static void take_line(struct vname_etcd_core *e, struct v23_bytes line)
{
    struct vname_etcd_fault f;
    cJSON *doc;
    int rc;

    doc = cJSON_ParseWithLength((const char *)line.p, line.n);
    if (cJSON_GetObjectItemCaseSensitive(doc, "error") != NULL) {
        vname_etcd_fault_(200, line, &f);
        cJSON_Delete(doc);
        vname_etcd_refused_(e, &f);
        return;
    }
    rc = cJSON_IsObject(doc) ? take_message(e, doc) : V23_ETEXT;
    cJSON_Delete(doc);
    if (rc != 0)
        vname_etcd_not_understood_(e, rc);
}

static bool is_watching(const struct vname_etcd_core *e)
{
    return e->state == WATCHING || e->state == LIVE;
}

void vname_etcd_chunk_(struct vname_etcd_core *e, int status,
    struct v23_bytes piece)
{
    struct vname_etcd_fault f;
    size_t done = 0;
    uint8_t *end;

    vname_etcd_look_at_clock_(e);
    if (!is_watching(e))
        return;
    if (status != 200) {
        vname_etcd_fault_(status, piece, &f);
        vname_etcd_refused_(e, &f);
        return;
    }
    v23_buf_put(&e->line, piece.p, piece.n);
    if (e->line.err != 0) {
        vname_etcd_not_understood_(e, e->line.err);
        return;
    }
    while (is_watching(e) && done < e->line.n
        && (end = memchr(e->line.p + done, '\n', e->line.n - done)) != NULL) {
        size_t n = (size_t)(end - e->line.p) - done;

        if (n != 0)
            take_line(e, v23_bytes(e->line.p + done, n));
        done += n + 1;
    }
    if (!is_watching(e))
        return; /* the buffer is empty again */
    v23_buf_drop(&e->line, done);
    vname_etcd_settle_(e);
}

/* BSD-3-Clause; see LICENSE. */
/* What the page asks a server about itself: statistics, logs, traces,
 * profiles. */
#include "browse.h"

#include <string.h>

#include <v23/time.h>
#include <v23/vdl/v.io/v23/services/logreader/logreader.rpc.h>
#include <v23/vdl/v.io/v23/services/pprof/pprof.rpc.h>
#include <v23/vdl/v.io/v23/services/stats/stats.rpc.h>
#include <v23/vdl/v.io/v23/services/vtrace/vtrace.rpc.h>
#include <v23/vdl/v.io/v23/services/watch/watch.rpc.h>
#include <vom/time.h>
#include <vrpc/vtrace_text.h>
#include <vsec/acl.h>

#include "value.h"

/* ---- values -------------------------------------------------------------- */

/* Type, text, and what can be drawn or counted also as JSON. */
static int put_value(struct v23_buf *b, struct vdl_any v)
{
    enum value_known known = value_known(v.type);
    bool number = v.type != NULL && v.type->kind >= VDL_BYTE
        && v.type->kind <= VDL_FLOAT64;
    struct v23_buf text;
    int rc;

    v23_buf_init(&text, NULL, PAGE_LINE);
    rc = value_put_type(&text, v);
    if (rc == 0)
        put_text(b, "type", vdl_strn((const char *)text.p, text.n));
    v23_buf_cut(&text, 0);
    if (rc == 0)
        rc = value_put_pretty(&text, v);
    if (rc == 0)
        put_text(b, "text", vdl_strn((const char *)text.p, text.n));
    v23_buf_fini(&text);
    if (known == VALUE_HISTOGRAM)
        put_key(b, "histogram");
    else if (known == VALUE_TIME_SERIES)
        put_key(b, "series");
    else if (number)
        put_key(b, "number");
    else
        return rc;
    return rc == 0 ? value_put_json(b, v) : rc;
}

static void got_value(void *ud, const struct v23_verror *err,
    const v23_stats_stats_value_out *out)
{
    struct answer *a = ud;
    int rc = 0;

    if (err == NULL) {
        v23_buf_put_byte(&a->line, '{');
        rc = put_value(&a->line, out->result);
    }
    if (rc == 0)
        rc = a->line.err;
    if (rc != 0) {
        v23_buf_cut(&a->line, 0);
        answer_fail(a, rc);
    } else {
        answer_end(a, err);
    }
}

static void value(struct answer *a, const char *name)
{
    const char *own = answer_join(a, name, "");

    if (own != NULL)
        a->call = v23_stats_stats_value_start(a->pg->client, own, &a->opts,
            got_value, a);
}

static void changed(void *ud, const v23_watch_change *c)
{
    struct answer *a = ud;
    int rc;

    v23_buf_put_byte(&a->line, '{');
    put_text(&a->line, "name", c->name);
    if (c->state == V23_WATCH_DOES_NOT_EXIST)
        put_bool(&a->line, "gone", true);
    rc = put_value(&a->line, c->value);
    v23_buf_put_byte(&a->line, '}');
    if (rc != 0 && a->line.err == 0)
        a->line.err = rc;
    answer_line(a);
}

static void stream_done(void *ud, const struct v23_verror *err)
{
    answer_end(ud, err);
}

static void watch(struct answer *a, const char *name)
{
    static const v23_watch_glob_watcher_watch_glob_cb cb = { changed,
        stream_done };
    const char *own = answer_join(a, name, "");
    v23_watch_glob_request *req = v23_arena_new(&a->arena,
        v23_watch_glob_request);

    if (own == NULL || req == NULL)
        return;
    req->pattern = vdl_str(answer_param(a, "p"));
    a->call = v23_watch_glob_watcher_watch_glob_start(a->pg->client, own,
        &a->opts, req, &cb, a);
}

/* ---- logs ---------------------------------------------------------------- */

static void got_size(void *ud, const struct v23_verror *err,
    const v23_logreader_log_file_size_out *out)
{
    struct answer *a = ud;

    if (err == NULL) {
        v23_buf_put_byte(&a->line, '{');
        put_int(&a->line, "size", out->result);
    }
    answer_end(a, err);
}

static void size(struct answer *a, const char *name)
{
    const char *own = answer_join(a, name, "");

    if (own != NULL)
        a->call = v23_logreader_log_file_size_start(a->pg->client, own,
            &a->opts, got_size, a);
}

static void got_line(void *ud, const v23_logreader_log_entry *e)
{
    struct answer *a = ud;

    v23_buf_put_byte(&a->line, '{');
    put_int(&a->line, "pos", e->position);
    put_text(&a->line, "line", e->line);
    v23_buf_put_byte(&a->line, '}');
    answer_line(a);
}

static void log_done(void *ud, const struct v23_verror *err,
    const v23_logreader_log_file_read_log_out *out)
{
    struct answer *a = ud;

    if (err == NULL) {
        v23_buf_put_byte(&a->line, '{');
        put_int(&a->line, "next", out->result);
    }
    answer_end(a, err);
}

static void read_log(struct answer *a, const char *name)
{
    static const v23_logreader_log_file_read_log_cb cb = { got_line,
        log_done };
    const char *own = answer_join(a, name, "");
    int64_t max = web_number(a->q, "max", -1);

    if (own != NULL)
        a->call = v23_logreader_log_file_read_log_start(a->pg->client, own,
            &a->opts, web_number(a->q, "from", 0),
            max < 0 || max > INT32_MAX ? -1 : (int32_t)max,
            web_number(a->q, "follow", 0) != 0, &cb, a);
}

/* ---- traces -------------------------------------------------------------- */

static void put_id(struct v23_buf *b, const char *name, v23_uniqueid_id id)
{
    put_key(b, name);
    v23_buf_put_byte(b, '"');
    v23_hex_put(b, &id, sizeof(id));
    v23_buf_put_byte(b, '"');
}

/* Nanoseconds since the trace began; nothing when nobody knows. */
static void put_moment(struct v23_buf *b, const char *name,
    v23_time_time start, v23_time_time t)
{
    if (!vrpc_vtrace_no_time(t))
        put_int(b, name, vrpc_vtrace_delta_ns(start, t));
}

/* The earliest instant that is known: the root may not be. */
static v23_time_time beginning(const v23_vtrace_trace_record *t,
    const struct vrpc_vtrace_node *root)
{
    v23_time_time first = root->span->start;
    uint32_t i;

    for (i = 0; i < t->spans.n; i++)
        if (vrpc_vtrace_no_time(first)
            || (!vrpc_vtrace_no_time(t->spans.v[i].start)
                && vrpc_vtrace_delta_ns(first, t->spans.v[i].start) < 0))
            first = t->spans.v[i].start;
    return first;
}

static void put_span(struct v23_buf *b, const struct vrpc_vtrace_node *n,
    v23_time_time start)
{
    uint32_t i;

    put_element(b);
    v23_buf_put_byte(b, '{');
    put_text(b, "name", n->span->name);
    put_id(b, "id", n->span->id);
    put_int(b, "depth", n->depth);
    if (n->missing)
        put_bool(b, "missing", true);
    put_moment(b, "start", start, n->span->start);
    put_moment(b, "end", start, n->span->end);
    put_key(b, "notes");
    v23_buf_put_byte(b, '[');
    for (i = 0; i < n->span->annotations.n; i++) {
        put_element(b);
        v23_buf_put_byte(b, '{');
        put_moment(b, "at", start, n->annotations[i]->when);
        put_text(b, "text", n->annotations[i]->message);
        v23_buf_put_byte(b, '}');
    }
    v23_buf_puts(b, "]}");
}

/* Is `t` known and later than *most? Then it is the new *most. */
static void latest(int64_t *most, v23_time_time start, v23_time_time t)
{
    int64_t at = vrpc_vtrace_no_time(t) ? 0 : vrpc_vtrace_delta_ns(start, t);

    if (at > *most)
        *most = at;
}

/* The last instant of a trace, in nanoseconds from its beginning. */
static int64_t duration(const v23_vtrace_trace_record *t, v23_time_time start)
{
    const v23_vtrace_span_record *s;
    int64_t most = 0;
    uint32_t i, k;

    for (i = 0; i < t->spans.n; i++) {
        s = &t->spans.v[i];
        latest(&most, start, s->start);
        latest(&most, start, s->end);
        for (k = 0; k < s->annotations.n; k++)
            latest(&most, start, s->annotations.v[k].when);
    }
    return most;
}

static void put_trace(struct answer *a, const v23_vtrace_trace_record *t,
    bool spans)
{
    const struct vrpc_vtrace_node *root, *n;
    struct v23_buf *b = &a->line;
    struct v23_arena scratch;
    struct v23_buf when;
    v23_time_time start;
    int rc;

    v23_arena_init(&scratch, NULL, (size_t)PAGE_LINE * 4);
    rc = vrpc_vtrace_tree(t, &scratch, &root);
    v23_buf_put_byte(b, '{');
    put_id(b, "id", t->id);
    if (rc == 0) {
        start = beginning(t, root);
        v23_buf_init(&when, NULL, 4096);
        if (!vrpc_vtrace_no_time(start))
            v23_walltime_put(&when, v23_time_to_wall(start));
        put_text(b, "when", vdl_strn((const char *)when.p, when.n));
        v23_buf_fini(&when);
        put_text(b, "name", root->span->name);
        put_int(b, "spans", t->spans.n);
        put_int(b, "lasted", duration(t, start));
        if (root->child != NULL)
            put_text(b, "first", root->child->span->name);
    }
    if (rc == 0 && spans) {
        put_key(b, "tree");
        v23_buf_put_byte(b, '[');
        for (n = root; n != NULL; n = vrpc_vtrace_node_next(n))
            put_span(b, n, start);
        v23_buf_put_byte(b, ']');
    }
    v23_buf_put_byte(b, '}');
    if (rc != 0 && b->err == 0)
        b->err = rc;
    v23_arena_fini(&scratch);
    answer_line(a);
}

static void got_trace(void *ud, const v23_vtrace_trace_record *t)
{
    struct answer *a = ud;

    if (a->n == PAGE_ENTRIES)
        answer_cut(a);
    else
        put_trace(a, t, false);
}

static void traces(struct answer *a, const char *name)
{
    static const v23_services_vtrace_store_all_traces_cb cb = { got_trace,
        stream_done };
    const char *own = answer_join(a, name, "");

    if (own != NULL)
        a->call = v23_services_vtrace_store_all_traces_start(a->pg->client,
            own, &a->opts, &cb, a);
}

static void got_one_trace(void *ud, const struct v23_verror *err,
    const v23_services_vtrace_store_trace_out *out)
{
    struct answer *a = ud;

    if (err == NULL)
        put_trace(a, &out->result, true);
    answer_end(a, err);
}

static void trace(struct answer *a, const char *name)
{
    const char *own = answer_join(a, name, ""), *text = answer_param(a, "id");
    v23_uniqueid_id id;
    struct v23_buf b;

    if (own == NULL)
        return;
    v23_buf_init_fixed(&b, &id, sizeof(id));
    if (v23_hex_parse(text, strlen(text), &b) != 0 || b.n != sizeof(id))
        answer_fail(a, V23_ETEXT);
    else
        a->call = v23_services_vtrace_store_trace_start(a->pg->client, own,
            &a->opts, &id, got_one_trace, a);
}

/* ---- profiles ------------------------------------------------------------ */

static void list_end(struct answer *a, const struct v23_verror *err,
    const vdl_str_list *l)
{
    uint32_t i;

    if (err == NULL) {
        v23_buf_put_byte(&a->line, '{');
        put_key(&a->line, "list");
        v23_buf_put_byte(&a->line, '[');
        for (i = 0; i < l->n; i++) {
            put_element(&a->line);
            vsec_json_put_text(&a->line, l->v[i]);
        }
        v23_buf_put_byte(&a->line, ']');
    }
    answer_end(a, err);
}

static void got_profiles(void *ud, const struct v23_verror *err,
    const v23_pprof_pprof_profiles_out *out)
{
    list_end(ud, err, err == NULL ? &out->result : NULL);
}

static void profiles(struct answer *a, const char *name)
{
    const char *own = answer_join(a, name, "");

    if (own != NULL)
        a->call = v23_pprof_pprof_profiles_start(a->pg->client, own, &a->opts,
            got_profiles, a);
}

static void got_cmdline(void *ud, const struct v23_verror *err,
    const v23_pprof_pprof_cmd_line_out *out)
{
    list_end(ud, err, err == NULL ? &out->result : NULL);
}

static void cmdline(struct answer *a, const char *name)
{
    const char *own = answer_join(a, name, "");

    if (own != NULL)
        a->call = v23_pprof_pprof_cmd_line_start(a->pg->client, own, &a->opts,
            got_cmdline, a);
}

const struct question_kind page_data[] = {
    { "value", value, false },
    { "watch", watch, true },
    { "size", size, false },
    { "log", read_log, true },
    { "traces", traces, false },
    { "trace", trace, false },
    { "profiles", profiles, false },
    { "cmdline", cmdline, false },
    { NULL, NULL, false }
};

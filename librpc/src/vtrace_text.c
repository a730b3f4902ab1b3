/* BSD-3-Clause; see LICENSE. */
/* The text of traces, as tools and programs at their end print it. */
#include <vrpc/vtrace_text.h>

#include <vom/time.h>

#define INDENT 4
#define MAX_LEVELS 100u /* deeper ones are not moved further to the right */
#define METADATA_SHOWN 10u

/* ---- times --------------------------------------------------------------- */

bool vrpc_vtrace_no_time(v23_time_time t)
{
    struct v23_walltime w = v23_time_to_wall(t);

    return w.sec == -V23_TIME_UNIX_EPOCH && w.nanos == 0;
}

int64_t vrpc_vtrace_delta_ns(v23_time_time from, v23_time_time to)
{
    struct v23_walltime x = v23_time_to_wall(from), y = v23_time_to_wall(to);
    const int64_t most = INT64_MAX / V23_NS_PER_SEC - 4;

    /* Halves: their difference does not overflow. */
    if (y.sec / 2 - x.sec / 2 > most / 2)
        return INT64_MAX;
    if (y.sec / 2 - x.sec / 2 < -(most / 2))
        return INT64_MIN;
    return (y.sec - x.sec) * V23_NS_PER_SEC + (y.nanos - x.nanos);
}

static void put_delta(struct v23_buf *out, v23_time_time from,
    v23_time_time to)
{
    if (vrpc_vtrace_no_time(from) || vrpc_vtrace_no_time(to))
        v23_buf_puts(out, "??");
    else
        v23_duration_put(out, vrpc_vtrace_delta_ns(from, to));
}

/* "2006-01-02 15:04:05.000000 MST" */
static void put_time(struct v23_buf *out, v23_time_time t, vrpc_zone_fn *zone)
{
    struct vrpc_zone z = { 0, "UTC" };
    struct v23_walltime w = v23_time_to_wall(t);
    long micros = w.nanos / 1000;
    size_t at = out->n;

    if (vrpc_vtrace_no_time(t)) {
        v23_buf_puts(out, "??");
        return;
    }
    if (zone != NULL)
        zone(w, &z);
    w = v23_walltime_add(w, z.offset_s * V23_NS_PER_SEC);
    w.nanos = 0;
    v23_walltime_put(out, w);
    if (out->err != 0)
        return;
    v23_buf_cut(out, out->n - 1); /* the Z */
    for (; at < out->n; at++)
        if (out->p[at] == 'T')
            out->p[at] = ' ';
    v23_buf_printf(out, ".%06ld %s", micros, z.name);
}

/* ---- lines --------------------------------------------------------------- */

static void indent(struct v23_buf *out, uint32_t depth)
{
    uint32_t i;

    if (depth > MAX_LEVELS)
        depth = MAX_LEVELS;
    for (i = 0; i < depth * INDENT; i++)
        v23_buf_put_byte(out, ' ');
}

/* Text of strangers: nothing that a terminal would obey. */
static void put_clean(struct v23_buf *out, struct vdl_str s, uint32_t depth)
{
    uint32_t i;

    for (i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c == '\n' && depth > 0 && i + 1 < s.n) {
            v23_buf_put_byte(out, '\n');
            indent(out, depth + 1);
        } else {
            v23_buf_put_byte(out, c < 0x20 || c == 0x7f ? ' ' : c);
        }
    }
}

static void put_node(struct v23_buf *out, const struct vrpc_vtrace_node *n,
    v23_time_time start)
{
    const v23_vtrace_span_record *s = n->span;
    uint32_t i;

    indent(out, n->depth);
    v23_buf_puts(out, "Span - ");
    put_clean(out, s->name, 0);
    v23_buf_puts(out, " [id: ");
    v23_hex_put(out, s->id.v + 12, 4);
    v23_buf_puts(out, " parent ");
    v23_hex_put(out, s->parent.v + 12, 4);
    v23_buf_puts(out, "] (");
    put_delta(out, start, s->start);
    v23_buf_puts(out, ", ");
    put_delta(out, start, s->end);
    v23_buf_puts(out, ": ");
    put_delta(out, s->start, s->end);
    v23_buf_puts(out, ")\n");
    for (i = 0; i < s->annotations.n; i++) {
        indent(out, n->depth + 1);
        v23_buf_put_byte(out, '@');
        put_delta(out, start, n->annotations[i]->when);
        v23_buf_put_byte(out, ' ');
        put_clean(out, n->annotations[i]->message, n->depth + 1);
        v23_buf_put_byte(out, '\n');
    }
    if (s->request_metadata.n == 0)
        return;
    indent(out, n->depth + 1);
    v23_buf_puts(out, "[0x");
    v23_hex_put(out, s->request_metadata.p,
        s->request_metadata.n < METADATA_SHOWN ? s->request_metadata.n
                                               : METADATA_SHOWN);
    v23_buf_puts(out, "]\n");
}

int vrpc_vtrace_put(struct v23_buf *out, const v23_vtrace_trace_record *t,
    vrpc_zone_fn *zone, struct v23_arena *scratch)
{
    const struct vrpc_vtrace_node *root, *n;
    int rc = vrpc_vtrace_tree(t, scratch, &root);

    if (rc != 0)
        return rc;
    v23_buf_puts(out, "Trace - 0x");
    v23_hex_put(out, t->id.v, sizeof(t->id.v));
    v23_buf_puts(out, " (");
    put_time(out, root->span->start, zone);
    v23_buf_puts(out, ", ");
    put_time(out, root->span->end, zone);
    v23_buf_puts(out, ")\n");
    for (n = vrpc_vtrace_node_next(root); n != NULL;
         n = vrpc_vtrace_node_next(n))
        put_node(out, n, root->span->start);
    return 0;
}

int vrpc_vtrace_put_all(struct v23_buf *out, const v23_vtrace_trace_record *v,
    size_t n, vrpc_zone_fn *zone, struct v23_arena *scratch)
{
    size_t i;
    int rc = 0;

    if (n > 0)
        v23_buf_puts(out, "Vtrace traces:\n");
    for (i = 0; i < n && rc == 0; i++)
        rc = vrpc_vtrace_put(out, &v[i], zone, scratch);
    return rc;
}

/* BSD-3-Clause; see LICENSE. */
/* Calls that are waited for, and what checks say about their outcome. */
#include "client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <vom/parse.h>
#include <vom/value.h>

#define MS V23_NS_PER_MS

struct vrpc_call_opts echo_call_opts(const struct echo_client *c)
{
    struct vrpc_call_opts o = VRPC_CALL_OPTS_INIT;

    o.timeout_ns = c->o->timeout;
    o.connect_timeout_ns = c->o->timeout < 10 * V23_NS_PER_SEC
        ? c->o->timeout
        : 10 * V23_NS_PER_SEC;
    if (c->o->allow_any_server) {
        o.server_auth = &vsec_auth_everyone;
        o.name_auth = &vsec_auth_everyone;
    }
    return o;
}

void echo_fail(struct echo_test *t, const char *fmt, ...)
{
    va_list ap;

    if (t->failed)
        return;
    t->failed = true;
    va_start(ap, fmt);
    vsnprintf(t->why, sizeof(t->why), fmt, ap);
    va_end(ap);
}

/* ---- values -------------------------------------------------------------- */

void *echo_mem(struct echo_test *t, size_t count, size_t size)
{
    void *p = v23_arena_get0(&t->a, count, size, 16);

    if (p == NULL) {
        v23_error("out of memory");
        exit(1);
    }
    return p;
}

const char *echo_name(struct echo_test *t, const char *suffix)
{
    size_t n = strlen(t->c->o->server) + strlen(suffix) + 2;
    char *out = echo_mem(t, n, 1);

    snprintf(out, n, "%s%s%s", t->c->o->server, suffix[0] == 0 ? "" : "/",
        suffix);
    return out;
}

static const struct vdl_type *const known_types[] = { &echo_color_desc,
    &echo_point_desc, &echo_variant_desc, &echo_quad_desc, &echo_record_desc,
    &echo_who_desc, &v23_time_time_desc, &v23_time_duration_desc,
    &v23_verror_desc };
static const struct vdl_registry known = { known_types,
    sizeof(known_types) / sizeof(known_types[0]) };

const struct vdl_any *echo_parse(struct echo_test *t, const char *text,
    size_t n)
{
    struct vdl_any *out = ECHO_NEW(t, struct vdl_any, n + 1);
    const struct vdl_type **types = ECHO_NEW(t, const struct vdl_type *, n);
    const void **values = ECHO_NEW(t, const void *, n);
    struct vdl_parse_error err;
    size_t i, got;

    memset(&err, 0, sizeof(err));
    for (i = 0; i < n; i++)
        types[i] = &vdl_any_desc;
    if (vdl_parse_values(vdl_str(text), &known, &t->a, types, n, values, &got,
            &err)
        != 0) {
        v23_error("check is wrong: %s: at %zu: %s", text, err.at, err.text);
        exit(1);
    }
    for (i = 0; i < n; i++)
        out[i] = *(const struct vdl_any *)values[i];
    return out;
}

const char *echo_text(struct echo_test *t, struct vdl_any v)
{
    struct v23_buf b;
    const char *out;

    v23_buf_init(&b, NULL, 1u << 26);
    if (v.type == NULL)
        v23_buf_puts(&b, "any(nil)");
    else if (vdl_format(v.type, v.val, true, &b) != 0)
        v23_buf_puts(&b, "(no text)");
    if (b.n > 120)
        v23_buf_cut(&b, 120);
    out = v23_arena_dup(&t->a, b.p, b.n);
    v23_buf_fini(&b);
    return out == NULL ? "" : out;
}

uint8_t echo_byte(size_t i)
{
    return (uint8_t)(i * 31 + (i >> 8) * 7);
}

struct vdl_bytes echo_payload(struct echo_test *t, size_t n)
{
    uint8_t *p = echo_mem(t, n, 1);
    size_t i;

    for (i = 0; i < n; i++)
        p[i] = echo_byte(i);
    return vdl_bytes(p, n);
}

/* ---- the loop ------------------------------------------------------------ */

void echo_wait(struct echo_test *t, const bool *flag)
{
    while (!*flag)
        vname_program_wait(t->c->p);
}

struct alarm {
    struct echo_test *t;
    bool rung;
};

static void ring(void *ud)
{
    struct alarm *al = ud;

    al->rung = true;
    vname_program_done(al->t->c->p);
}

void echo_sleep(struct echo_test *t, int64_t ns)
{
    struct alarm al = { t, false };

    if (vrpc_runtime_after(&t->c->p->rt, ns, ring, &al) != 0) {
        echo_fail(t, "no timer");
        return;
    }
    echo_wait(t, &al.rung);
}

/* ---- dynamic calls ------------------------------------------------------- */

static void on_item(void *ud, struct vdl_any item)
{
    struct echo_reply *r = ud;
    void *v = r->items;

    if (v23_reserve(NULL, &v, &r->cap, r->nitems + 1, SIZE_MAX / 64,
            sizeof(*r->items))
        != 0) {
        echo_fail(r->t, "out of memory");
        return;
    }
    r->items = v;
    if (vdl_copy(&r->t->a, &vdl_any_desc, &r->items[r->nitems], &item) != 0)
        echo_fail(r->t, "an item cannot be copied");
    else
        r->nitems++;
}

static void on_done(void *ud, const struct v23_verror *err,
    const struct vdl_any *results, size_t n)
{
    struct echo_reply *r = ud;
    struct vdl_any *copy = ECHO_NEW(r->t, struct vdl_any, n + 1);
    struct vdl_any *items = ECHO_NEW(r->t, struct vdl_any, r->nitems + 1);
    size_t i;

    for (i = 0; i < n; i++)
        if (vdl_copy(&r->t->a, &vdl_any_desc, &copy[i], &results[i]) != 0)
            echo_fail(r->t, "a result cannot be copied");
    if (r->nitems != 0)
        memcpy(items, r->items, r->nitems * sizeof(*items));
    v23_put(NULL, r->items);
    r->items = items;
    r->err = vrpc_err_copy(&r->t->a, err);
    r->results = copy;
    r->n = n;
    r->call = NULL;
    r->done = true;
    vname_program_done(r->t->c->p);
}

void echo_start(struct echo_test *t, struct echo_reply *r,
    const char *suffix, const char *method, const struct vdl_any *args,
    size_t nargs)
{
    static const struct vrpc_any_cb cb = { on_item, on_done };

    memset(r, 0, sizeof(*r));
    r->t = t;
    r->call = vrpc_client_start_any(t->c->p->rt.client,
        vdl_str(echo_name(t, suffix)), vdl_str(method), &t->opts, args, nargs,
        VRPC_ANY_RESULTS, &cb, r);
    if (r->call == NULL) {
        v23_error("out of memory");
        exit(1);
    }
}

void echo_call(struct echo_test *t, struct echo_reply *r, const char *suffix,
    const char *method, const struct vdl_any *args, size_t nargs)
{
    echo_start(t, r, suffix, method, args, nargs);
    /* Only echo_start() streams: there is nothing to send. */
    vrpc_call_close_send(r->call);
    echo_wait(t, &r->done);
}

void echo_call_text(struct echo_test *t, struct echo_reply *r,
    const char *suffix, const char *method, const char *args, size_t nargs)
{
    echo_call(t, r, suffix, method, echo_parse(t, args, nargs), nargs);
}

/* ---- outcomes ------------------------------------------------------------ */

void echo_expect_error(struct echo_test *t, const struct echo_reply *r,
    const char *id, enum v23_retry retry)
{
    ECHO_CHECK(t, r->err != NULL, "no error, want %s", id);
    ECHO_CHECK(t, v23_verror_is(r->err, vdl_str(id)),
        "error %.*s (%.*s), want %s", (int)r->err->id.n, r->err->id.p,
        (int)r->err->msg.n, r->err->msg.p, id);
    ECHO_CHECK(t, r->err->retry == retry, "action %d, want %d",
        r->err->retry, (int)retry);
}

void echo_expect_results(struct echo_test *t, const struct echo_reply *r,
    const char *results, size_t n)
{
    const struct vdl_any *want = echo_parse(t, results, n);
    size_t i;

    ECHO_CHECK(t, r->err == NULL, "error %.*s: %.*s", (int)r->err->id.n,
        r->err->id.p, (int)r->err->msg.n, r->err->msg.p);
    ECHO_CHECK(t, r->n == n, "%zu results, want %zu", r->n, n);
    for (i = 0; i < n; i++)
        ECHO_CHECK(t, vdl_any_equal(r->results[i], want[i]),
            "result %zu is %s, want %s", i, echo_text(t, r->results[i]),
            echo_text(t, want[i]));
}

bool echo_result(struct echo_test *t, const struct echo_reply *r, size_t i,
    const struct vdl_type *type, void *out)
{
    if (r->err != NULL) {
        echo_fail(t, "error %.*s: %.*s", (int)r->err->id.n, r->err->id.p,
            (int)r->err->msg.n, r->err->msg.p);
        return false;
    }
    if (i >= r->n || r->results[i].type == NULL
        || vdl_convert(&t->a, type, out, r->results[i].type,
               r->results[i].val)
            != 0) {
        echo_fail(t, "result %zu is missing or of another type", i);
        return false;
    }
    return true;
}

/* ---- counters ------------------------------------------------------------ */

struct counting {
    struct echo_test *t;
    const char *key;
    int64_t value;
    bool done;
};

static void counted(void *ud, const struct v23_verror *err,
    const echo_echo_counters_out *out)
{
    struct counting *c = ud;
    uint32_t i;

    if (err != NULL)
        echo_fail(c->t, "Counters: %.*s", (int)err->msg.n, err->msg.p);
    for (i = 0; err == NULL && i < out->result.n; i++)
        if (vdl_str_is(out->result.v[i].key, c->key))
            c->value = out->result.v[i].val;
    c->done = true;
    vname_program_done(c->t->c->p);
}

int64_t echo_counter(struct echo_test *t, const char *key)
{
    struct counting c = { t, key, -1, false };

    if (echo_echo_counters_start(t->c->p->rt.client, echo_name(t, ""),
            &t->opts, counted, &c)
        == NULL) {
        echo_fail(t, "out of memory");
        return -1;
    }
    echo_wait(t, &c.done);
    if (c.value < 0)
        echo_fail(t, "the server has no counter %s", key);
    return c.value;
}

bool echo_await_counter(struct echo_test *t, const char *key, int64_t least)
{
    int i;

    for (i = 0; i < 100 && !t->failed; i++) {
        if (echo_counter(t, key) >= least)
            return true;
        echo_sleep(t, 20 * MS);
    }
    return false;
}

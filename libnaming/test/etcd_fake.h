/* BSD-3-Clause; see LICENSE. */
/*
 * An etcd in memory that speaks as the JSON gateway of a real one does, as far
 * as mount tables need it: ranges, transactions inside of transactions, watches,
 * tokens. It keeps what has happened since it was last compacted.
 */
#ifndef ETCD_FAKE_H
#define ETCD_FAKE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <v23/bytes.h>

struct fake_kv {
    char *key, *value; /* value NULL: gone (in events) */
    size_t nkey, nvalue;
    int64_t rev;
};

static struct {
    struct fake_kv v[8192]; /* sorted by key */
    size_t n;
    struct fake_kv events[16384];
    size_t nevents;
    int64_t rev, compacted;
    long long cluster;
    const char *token; /* NULL = no authentication */
    size_t writes;     /* transactions that changed something */
} F;

static inline int64_t fake_int(const cJSON *o, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

    return v == NULL ? 0 : atoll(v->valuestring);
}

static inline struct v23_bytes fake_bytes(const cJSON *o, const char *key,
    struct v23_buf *b)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);

    v23_buf_init(b, NULL, SIZE_MAX);
    if (v != NULL)
        ck_assert_int_eq(v23_base64_parse(v->valuestring,
                             strlen(v->valuestring), false, b),
            0);
    return v23_bytes(b->p, b->n);
}

static inline int fake_cmp(const char *a, size_t na, const uint8_t *b,
    size_t nb)
{
    int d = memcmp(a, b == NULL ? (const uint8_t *)"" : b, na < nb ? na : nb);

    return d != 0 ? d : na < nb ? -1 : na > nb;
}

/* First key that is not before this one. */
static inline size_t fake_at(struct v23_bytes key)
{
    size_t i = 0;

    while (i < F.n && fake_cmp(F.v[i].key, F.v[i].nkey, key.p, key.n) < 0)
        i++;
    return i;
}

static inline char *fake_dup(const void *p, size_t n)
{
    char *s = malloc(n + 1);

    ck_assert_ptr_nonnull(s);
    if (n != 0)
        memcpy(s, p, n);
    s[n] = 0;
    return s;
}

static inline void fake_event(const struct fake_kv *kv, bool gone)
{
    struct fake_kv *e = &F.events[F.nevents++];

    ck_assert_uint_lt(F.nevents, 16384);
    memset(e, 0, sizeof(*e));
    e->key = fake_dup(kv->key, kv->nkey);
    e->nkey = kv->nkey;
    if (!gone) {
        e->value = fake_dup(kv->value, kv->nvalue);
        e->nvalue = kv->nvalue;
    }
    e->rev = F.rev + 1;
}

static inline void fake_put(struct v23_bytes key, struct v23_bytes value)
{
    size_t i = fake_at(key);

    if (i == F.n || fake_cmp(F.v[i].key, F.v[i].nkey, key.p, key.n) != 0) {
        ck_assert_uint_lt(F.n, 8192);
        memmove(&F.v[i + 1], &F.v[i], (F.n - i) * sizeof(F.v[0]));
        F.n++;
        F.v[i].key = fake_dup(key.p, key.n);
        F.v[i].nkey = key.n;
        F.v[i].value = NULL;
    }
    free(F.v[i].value);
    F.v[i].value = fake_dup(value.p, value.n);
    F.v[i].nvalue = value.n;
    F.v[i].rev = F.rev + 1;
    fake_event(&F.v[i], false);
}

static inline void fake_drop(size_t i)
{
    free(F.v[i].key);
    free(F.v[i].value);
    F.n--;
    memmove(&F.v[i], &F.v[i + 1], (F.n - i) * sizeof(F.v[0]));
}

/* The keys of "key" and "range_end": [*from, *to). */
static inline void fake_range(const cJSON *o, size_t *from, size_t *to)
{
    struct v23_buf k, e;
    struct v23_bytes key = fake_bytes(o, "key", &k);
    struct v23_bytes end = fake_bytes(o, "range_end", &e);

    *from = fake_at(key);
    if (end.n != 0)
        *to = fake_at(end);
    else
        *to = *from
            + (*from < F.n
                && fake_cmp(F.v[*from].key, F.v[*from].nkey, key.p, key.n)
                    == 0);
    v23_buf_fini(&k);
    v23_buf_fini(&e);
}

static inline void fake_put64(struct v23_buf *b, const char *name,
    const void *p, size_t n)
{
    v23_buf_printf(b, "\"%s\":\"", name);
    v23_base64_put(b, p, n, false);
    v23_buf_puts(b, "\"");
}

static inline void fake_put_kv(struct v23_buf *b, const struct fake_kv *kv)
{
    v23_buf_puts(b, "{");
    fake_put64(b, "key", kv->key, kv->nkey);
    v23_buf_printf(b, ",\"create_revision\":\"1\",\"mod_revision\":\"%lld\"",
        (long long)kv->rev);
    if (kv->nvalue != 0) {
        v23_buf_puts(b, ",");
        fake_put64(b, "value", kv->value, kv->nvalue);
    }
    v23_buf_puts(b, "}");
}

static inline void fake_header(struct v23_buf *b)
{
    v23_buf_printf(b,
        "\"header\":{\"cluster_id\":\"%lld\",\"member_id\":\"7\","
        "\"revision\":\"%lld\",\"raft_term\":\"2\"}",
        F.cluster, (long long)F.rev);
}

static inline void fake_answer_range(const cJSON *o, struct v23_buf *b)
{
    int64_t limit = fake_int(o, "limit");
    size_t from, to, i;
    bool more = false;

    fake_range(o, &from, &to);
    if (limit != 0 && to - from > (size_t)limit) {
        to = from + (size_t)limit;
        more = true;
    }
    v23_buf_puts(b, "{");
    fake_header(b);
    if (from != to)
        v23_buf_puts(b, ",\"kvs\":[");
    for (i = from; i < to; i++) {
        v23_buf_puts(b, i == from ? "" : ",");
        fake_put_kv(b, &F.v[i]);
    }
    v23_buf_puts(b, from != to ? "]" : "");
    v23_buf_puts(b, more ? ",\"more\":true}" : "}");
}

static inline bool fake_holds(const cJSON *txn)
{
    const cJSON *c;
    size_t from, to, i;

    cJSON_ArrayForEach(c,
        cJSON_GetObjectItemCaseSensitive(txn, "compare"))
    {
        int64_t want = fake_int(c, "mod_revision");

        fake_range(c, &from, &to);
        if (from == to && want != 0)
            return false;
        for (i = from; i < to; i++)
            if (F.v[i].rev != want)
                return false;
    }
    return true;
}

static inline void fake_txn(const cJSON *o, bool outer, bool *changed,
    struct v23_buf *b);

static inline void fake_op(const cJSON *op, bool *changed, struct v23_buf *b)
{
    const cJSON *o = op->child;
    struct v23_buf k, v;
    size_t from, to, n, i;

    if (strcmp(o->string, "request_put") == 0) {
        struct v23_bytes key = fake_bytes(o, "key", &k);

        fake_put(key, fake_bytes(o, "value", &v));
        *changed = true;
        v23_buf_printf(b, "{\"response_put\":{\"header\":{\"revision\":\"%lld"
                          "\"}}}",
            (long long)F.rev + 1);
        v23_buf_fini(&k);
        v23_buf_fini(&v);
    } else if (strcmp(o->string, "request_delete_range") == 0) {
        fake_range(o, &from, &to);
        n = to - from;
        for (i = from; i < to; i++)
            fake_event(&F.v[i], true);
        while (to-- > from)
            fake_drop(to);
        *changed = *changed || n != 0;
        v23_buf_printf(b,
            "{\"response_delete_range\":{\"header\":{\"revision\":\"%lld\"}",
            (long long)F.rev + (*changed ? 1 : 0));
        if (n != 0)
            v23_buf_printf(b, ",\"deleted\":\"%zu\"", n);
        v23_buf_puts(b, "}}");
    } else if (strcmp(o->string, "request_range") == 0) {
        v23_buf_puts(b, "{\"response_range\":");
        fake_answer_range(o, b);
        v23_buf_puts(b, "}");
    } else {
        v23_buf_puts(b, "{\"response_txn\":");
        fake_txn(o, false, changed, b);
        v23_buf_puts(b, "}");
    }
}

/* Conditions of inner transactions hold, or not, before anything changes. */
static inline void fake_mark(cJSON *txn)
{
    cJSON *op, *inner;

    cJSON_ArrayForEach(op, cJSON_GetObjectItemCaseSensitive(txn, "success"))
    {
        inner = cJSON_GetObjectItemCaseSensitive(op, "request_txn");
        if (inner != NULL) {
            cJSON_AddBoolToObject(inner, "holds", fake_holds(inner));
            fake_mark(inner);
        }
    }
}

static inline void fake_txn(const cJSON *o, bool outer, bool *changed,
    struct v23_buf *b)
{
    bool good = outer
        ? fake_holds(o)
        : cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(o, "holds"));
    const cJSON *op;
    const char *comma = "";

    v23_buf_puts(b, "{\"header\":{}");
    v23_buf_puts(b, good ? ",\"succeeded\":true" : "");
    v23_buf_puts(b, ",\"responses\":[");
    cJSON_ArrayForEach(op, cJSON_GetObjectItemCaseSensitive(o,
                               good ? "success" : "failure"))
    {
        v23_buf_puts(b, comma);
        fake_op(op, changed, b);
        comma = ",";
    }
    v23_buf_puts(b, "]}");
}

static inline void fake_answer_txn(cJSON *o, struct v23_buf *b)
{
    struct v23_buf body;
    bool changed = false;

    v23_buf_init(&body, NULL, SIZE_MAX);
    fake_mark(o);
    fake_txn(o, true, &changed, &body);
    F.rev += changed;
    F.writes += changed;
    v23_buf_puts(b, "{");
    fake_header(b);
    v23_buf_put(b, body.p + strlen("{\"header\":{}"),
        body.n - strlen("{\"header\":{}"));
    v23_buf_fini(&body);
}

/* Answer all but watches; the HTTP status. */
static inline int fake_answer(const char *path, const char *token,
    const char *body, struct v23_buf *b)
{
    cJSON *o = cJSON_Parse(body);

    ck_assert_msg(o != NULL, "no JSON: %s", body);
    if (strcmp(path, "/v3/auth/authenticate") == 0) {
        v23_buf_printf(b, "{\"token\":\"%s\"}", F.token);
    } else if (F.token != NULL && strcmp(token, F.token) != 0) {
        v23_buf_puts(b, "{\"error\":\"etcdserver: invalid auth token\","
                        "\"code\":16}");
        cJSON_Delete(o);
        return 401;
    } else if (strcmp(path, "/v3/kv/txn") == 0) {
        fake_answer_txn(o, b);
    } else {
        ck_assert_str_eq(path, "/v3/kv/range");
        fake_answer_range(o, b);
    }
    cJSON_Delete(o);
    return 200;
}

static inline void fake_init(void)
{
    memset(&F, 0, sizeof(F));
    F.rev = 1;
    F.cluster = 77;
}

static inline void fake_forget_events(void)
{
    size_t i;

    for (i = 0; i < F.nevents; i++) {
        free(F.events[i].key);
        free(F.events[i].value);
    }
    F.nevents = 0;
}

static inline void fake_fini(void)
{
    while (F.n != 0)
        fake_drop(F.n - 1);
    fake_forget_events();
}

/* Somebody else puts or deletes (value NULL) a key. */
static inline void fake_set(const char *key, const char *value)
{
    size_t i = fake_at(v23_bytes(key, strlen(key)));

    if (value != NULL) {
        fake_put(v23_bytes(key, strlen(key)),
            v23_bytes(value, strlen(value)));
    } else {
        fake_event(&F.v[i], true);
        fake_drop(i);
    }
    F.rev++;
}

static inline const char *fake_get(const char *key)
{
    size_t i = fake_at(v23_bytes(key, strlen(key)));

    return i < F.n && F.v[i].nkey == strlen(key)
            && memcmp(F.v[i].key, key, F.v[i].nkey) == 0
        ? F.v[i].value
        : NULL;
}

#endif

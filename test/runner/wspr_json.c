/* BSD-3-Clause; see LICENSE. */
/*
 * Pages of 2014: ws2014-*.jsonl and edge-2014.jsonl. What the page said is said
 * to a controller, with its servers and those that it calls in memory, and what
 * the controller answers is compared with what was recorded.
 *
 * Not compared are endpoints, blessing names and the words of other
 * implementations' errors. Of the two authorizations that the RPC layer of the
 * time asked for each call there is only the first (spec 16.6), so that ids and
 * handles that follow are others; they are matched up.
 */
#include <stdio.h>
#include <stdlib.h>

#define WORLD_WITHOUT_CHECK
#include "../../libwspr/test/ctl_rig.h"

#include "wspr_int.h"

enum { MAX_IDS = 512, SECOND_LABEL = 16, NO_HANDLE = 1 << 30 };

/* Numbers of the recording, and what they are here; -1: they are not. */
struct numbers {
    int theirs[MAX_IDS], ours[MAX_IDS];
    size_t n;
};

struct side {
    int num; /* of the connection in the file */
    struct rig_page *page;
    struct numbers ids, handles;
};

struct replay {
    struct run_case c;
    struct side sides[RIG_PAGES];
    size_t n;
};

static const cJSON *get(const cJSON *o, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(o, name);
}

static int number(const cJSON *o, const char *name)
{
    const cJSON *v = get(o, name);

    return cJSON_IsNumber(v) ? v->valueint : -2;
}

static const char *text(const cJSON *o, const char *name)
{
    const cJSON *v = get(o, name);

    return cJSON_IsString(v) ? v->valuestring : "";
}

static void match(struct numbers *l, int theirs, int ours)
{
    if (l->n == MAX_IDS)
        abort();
    l->theirs[l->n] = theirs;
    l->ours[l->n++] = ours;
}

/* -1: there is no such number here. */
static int ours(const struct numbers *l, int theirs)
{
    size_t i = l->n;

    while (i > 0)
        if (l->theirs[--i] == theirs)
            return l->ours[i];
    return -1;
}

/* ---- comparison ---------------------------------------------------------- */

/* Where the words of the RPC layer or of the parser begin. */
static size_t own_words(const char *msg)
{
    static const char *const others[] = {
        "ipc:", "error transcoding", "json:", "strconv."};
    size_t i, n = strlen(msg);
    const char *at;

    for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        at = strstr(msg, others[i]);
        if (at != NULL && (size_t)(at - msg) < n)
            n = (size_t)(at - msg);
    }
    return n;
}

static bool same_error(struct run_case *c, const cJSON *want, const cJSON *got)
{
    const char *w = text(want, "msg"), *g = text(got, "msg");
    size_t n = own_words(w);

    if (strcmp(text(want, "iD"), text(got, "iD")) != 0)
        return run_fail(c, "error id %s, not %s", text(got, "iD"),
            text(want, "iD"));
    if (strncmp(w, g, n) != 0 || (w[n] == 0 && g[n] != 0))
        return run_fail(c, "error \"%s\", not \"%s\"", g, w);
    return true;
}

static bool same_value(
    struct run_case *c, struct side *s, const cJSON *want, const cJSON *got);

/* An identity: its handle is another one. */
static bool same_id(
    struct run_case *c, struct side *s, const cJSON *want, const cJSON *got)
{
    int w = number(want, "handle"), g = number(got, "handle");

    if (w < 1 || g < 1 || !cJSON_IsArray(get(got, "names")))
        return run_fail(c, "no identity");
    match(&s->handles, w, g);
    return true;
}

static bool same_member(
    struct run_case *c, struct side *s, const cJSON *want, const cJSON *got)
{
    const char *name = want->string;

    if (got == NULL)
        return run_fail(c, "no member %s", name);
    if (strstr(name, "Endpoint") != NULL)
        return cJSON_IsString(got) && got->valuestring[0] == '@';
    return same_value(c, s, want, got);
}

static bool same_value(
    struct run_case *c, struct side *s, const cJSON *want, const cJSON *got)
{
    const cJSON *w, *g;

    if (cJSON_GetArraySize(want) != cJSON_GetArraySize(got))
        return run_fail(c, "%d members, not %d", cJSON_GetArraySize(got),
            cJSON_GetArraySize(want));
    if (cJSON_IsObject(want)) {
        if (get(want, "handle") != NULL && get(want, "names") != NULL)
            return same_id(c, s, want, got);
        cJSON_ArrayForEach(w, want) if (!same_member(
            c, s, w, get(got, w->string))) return false;
        return true;
    }
    if (cJSON_IsArray(want)) {
        for (w = want->child, g = got->child; w != NULL;
            w = w->next, g = g->next)
            if (!same_value(c, s, w, g))
                return false;
        return true;
    }
    if (cJSON_IsString(want) && want->valuestring[0] == '@')
        return cJSON_IsString(got) && got->valuestring[0] == '@';
    return cJSON_Compare(want, got, true) || run_fail(c, "another value");
}

/* A message to the page, as it was recorded and as it is. */
static bool same_message(
    struct run_case *c, struct side *s, const char *want, const char *got)
{
    static const char plain[] = "can't unmarshall JSONMessage:";
    cJSON *w = cJSON_Parse(want), *g = cJSON_Parse(got);
    cJSON *wi = cJSON_Parse(text(w, "data"));
    cJSON *gi = cJSON_Parse(text(g, "data"));
    const cJSON *wm = get(wi, "message"), *gm = get(gi, "message");
    int id = number(w, "id"), type = number(wi, "type");
    bool ok;

    if (wi == NULL || gi == NULL) { /* the greeting, or a plain text */
        if (w != NULL && g != NULL)
            ok = cJSON_Compare(w, g, true) || run_fail(c, "it is %s", got);
        else
            ok = strncmp(want, got, sizeof(plain) - 1) == 0 ||
                run_fail(c, "it is %s", got);
    } else if (type != number(gi, "type") || number(g, "type") != 0) {
        ok = run_fail(c, "type %d, not %d", number(gi, "type"), type);
    } else if (id % 2 != 0 && id != number(g, "id")) {
        ok = run_fail(c, "id %d, not %d", number(g, "id"), id);
    } else {
        if (id % 2 == 0 && ours(&s->ids, id) < 0)
            match(&s->ids, id, number(g, "id"));
        ok = id % 2 != 0 || ours(&s->ids, id) == number(g, "id") ||
            run_fail(c, "id %d", number(g, "id"));
        if (ok)
            ok = type == 2 ? same_error(c, wm, gm) : same_value(c, s, wm, gm);
    }
    cJSON_Delete(w);
    cJSON_Delete(g);
    cJSON_Delete(wi);
    cJSON_Delete(gi);
    return ok;
}

/* ---- transcripts --------------------------------------------------------- */

static struct side *side_of(struct replay *r, int num)
{
    size_t i;

    for (i = 0; i < r->n; i++)
        if (r->sides[i].num == num)
            return &r->sides[i];
    return NULL;
}

/* Blesses are asked for by {handle, …}, what is let go by the handle alone. */
static void translate_handle(struct side *s, cJSON *frame, int type)
{
    cJSON *data = cJSON_Parse(text(frame, "data"));
    cJSON *handle = type == 8 ? cJSON_GetObjectItem(data, "handle") : data;
    int n;
    char *said;

    if (cJSON_IsNumber(handle)) {
        n = ours(&s->handles, handle->valueint);
        cJSON_SetNumberValue(handle, n < 0 ? NO_HANDLE : n);
        said = cJSON_PrintUnformatted(data);
        cJSON_ReplaceItemInObject(frame, "data", cJSON_CreateString(said));
        cJSON_free(said);
    }
    cJSON_Delete(data);
}

/* What the page says, with our numbers; false: it answers no question. */
static bool translate(struct side *s, cJSON *frame)
{
    int id = number(frame, "id"), type = number(frame, "type");

    if (id % 2 == 0) {
        id = ours(&s->ids, id);
        if (id < 0)
            return false;
        cJSON_ReplaceItemInObject(frame, "id", cJSON_CreateNumber(id));
    }
    if (type == 8 || type == 9)
        translate_handle(s, frame, type);
    return true;
}

static void from_page(struct side *s, const char *said)
{
    cJSON *frame = cJSON_Parse(said);
    char *out = NULL;

    if (frame != NULL && translate(s, frame)) {
        out = cJSON_PrintUnformatted(frame);
        rig_say(s->page, out);
    }
    cJSON_free(out);
    cJSON_Delete(frame);
}

/* The second authorization of a call is not asked for here. */
static bool is_second(const cJSON *json)
{
    return number(json, "type") == 6 &&
        number(get(get(json, "message"), "context"), "label") == SECOND_LABEL;
}

static void to_page(struct replay *r, struct side *s)
{
    struct run_case *c = &r->c;
    char id[32];
    bool ok;

    if (is_second(c->json))
        return;
    ok = same_message(c, s, text(c->json, "text"), rig_next(s->page));
    snprintf(id, sizeof(id), "n %d", number(c->json, "n"));
    run_result(c->file, id, ok, c->why);
    c->why[0] = 0;
}

static void event(struct replay *r, const char *what, int num)
{
    struct side *s = side_of(r, num);

    if (strcmp(what, "connect") == 0 && s == NULL && r->n < RIG_PAGES) {
        s = &r->sides[r->n++];
        s->num = num;
        s->page = rig_page(WSPR_JSON, NULL);
    } else if (strcmp(what, "connect") == 0) {
        run_result(r->c.file, "connect", false, "too many connections");
    } else if (strcmp(what, "close") == 0 && s != NULL) {
        rig_hang_up(s->page);
        run_result(r->c.file, "close", s->page->next == s->page->nframes,
            "there was more than was recorded");
    }
}

static void line(struct replay *r, char *p)
{
    cJSON *json = cJSON_Parse(p);
    struct side *s = side_of(r, number(json, "conn"));

    r->c.json = json;
    if (get(json, "ev") != NULL)
        event(r, text(json, "ev"), number(json, "conn"));
    else if (s != NULL && text(json, "text")[0] != 0 &&
        strcmp(text(json, "dir"), "c2s") == 0)
        from_page(s, text(json, "text"));
    else if (s != NULL && text(json, "text")[0] != 0 &&
        strcmp(text(json, "dir"), "s2c") == 0)
        to_page(r, s);
    else if (get(json, "transcript") == NULL)
        run_result(r->c.file, "line", false, "a record of an unknown kind");
    cJSON_Delete(json);
}

void wspr_json_transcript(
    const char *dir, const char *companions, const char *path)
{
    struct replay *r = calloc(1, sizeof(*r));
    char *all = tst_read_file(path, NULL), *p, *end;
    const char *slash = strrchr(path, '/');

    (void)dir;
    (void)companions;
    if (r == NULL || all == NULL)
        abort();
    r->c.file = slash == NULL ? path : slash + 1;
    rig_setup_with(4);
    for (p = all; *p != 0; p = end) {
        end = strchr(p, '\n');
        if (end == NULL)
            end = p + strlen(p);
        else
            *end++ = 0;
        line(r, p);
    }
    run_result(r->c.file, "connections", r->n > 0, "there are none");
    rig_teardown();
    free(all);
    free(r);
}

/* ---- cases --------------------------------------------------------------- */

bool wspr_json_edge(struct run_case *c)
{
    const cJSON *one, *sent = get(c->json, "sent");
    const cJSON *want = get(c->json, "received");
    struct side s;
    bool ok = true;

    if (wspr_is_about_frames(c))
        return wspr_frames(c);
    memset(&s, 0, sizeof(s));
    rig_setup_with(4);
    s.page = rig_page(WSPR_JSON, NULL);
    s.page->next = 1; /* the greeting */
    cJSON_ArrayForEach(one, sent) rig_say(s.page, text(one, "payload"));
    rig_sleep(100 * V23_NS_PER_SEC);
    cJSON_ArrayForEach(one, want) ok = ok &&
        same_message(c, &s, text(one, "payload"), rig_next(s.page));
    if (ok && s.page->next != s.page->nframes)
        ok = run_fail(c, "there is more: %s", rig_next(s.page));
    rig_teardown();
    return ok;
}

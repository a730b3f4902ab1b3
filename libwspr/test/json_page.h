/* BSD-3-Clause; see LICENSE. */
/* Pages of 2014: what they say to the controller, and what they are told. */
#ifndef WSPR_JSON_PAGE_H
#define WSPR_JSON_PAGE_H

#include "ctl_rig.h"

#define SEC V23_NS_PER_SEC
#define OLD "veyron.io/veyron/veyron2/verror."

static struct rig_page *p;

static void setup(void)
{
    rig_setup();
    p = rig_page(WSPR_JSON, NULL);
    p->next = 1; /* the greeting */
}

/* {"id": ID, "data": TEXT, "type": TYPE}, as a page writes it. */
static void say(struct rig_page *page, int id, int type, const char *data)
{
    static char text[65536];
    size_t n = (size_t)snprintf(text, sizeof(text), "{\"id\":%d,\"data\":\"",
        id);

    for (; *data != 0 && n < sizeof(text) - 64; data++) {
        if (*data == '"' || *data == '\\')
            text[n++] = '\\';
        text[n++] = *data;
    }
    n += (size_t)snprintf(text + n, sizeof(text) - n, "\",\"type\":%d}", type);
    rig_say(page, text);
}

/* The same; what comes next to the page: "ID TYPE MESSAGE". */
static const char *next(struct rig_page *page)
{
    static char out[8192];
    static const char type[] = "\"data\": \"{\\\"type\\\": ";
    const char *text = rig_next(page), *s;
    size_t n;

    if (strncmp(text, "{\"id\": ", 7) != 0)
        return text;
    s = strstr(text, type);
    ck_assert_ptr_nonnull(s);
    n = (size_t)snprintf(out, sizeof(out), "%d %c ", atoi(text + 7),
        s[sizeof(type) - 1]);
    s = strstr(s, "\\\"message\\\": ");
    ck_assert_ptr_nonnull(s);
    for (s += 13; *s != 0 && n < sizeof(out) - 1; s++) {
        if (*s == '\\')
            s++;
        out[n++] = *s;
    }
    out[n] = 0;
    ck_assert_ptr_nonnull(strstr(out, "}\", \"type\": 0}"));
    *strstr(out, "}\", \"type\": 0}") = 0;
    return out;
}

static const char *ask(int id, int type, const char *data)
{
    say(p, id, type, data);
    return next(p);
}

#define CALL(method, args, out, streams)                                       \
    "{\"name\":\"adder\",\"method\":\"" method "\",\"inArgs\":" args           \
    ",\"numOutArgs\":" out ",\"isStreaming\":" streams "}"

/* ---- a page with a server ------------------------------------------------ */

#define SIG                                                                    \
    "\"signature\":{\"echo\":{\"InArgs\":[\"s\"],\"NumOutArgs\":2},"           \
    "\"two\":{\"InArgs\":[],\"NumOutArgs\":3},"                                \
    "\"nop\":{\"NumOutArgs\":1},"                                              \
    "\"sum\":{\"NumOutArgs\":2,\"IsStreaming\":true}}"

static struct rig_page *q; /* who calls the page */

static void serve_setup(void)
{
    const char *s;

    setup();
    q = rig_page(WSPR_JSON, NULL);
    q->next = 1;
    s = ask(1, 1, "{\"name\":\"js\",\"serverId\":1}");
    ck_assert_ptr_nonnull(strstr(s, "1 0 \"@6@tcp@js:1@"));
}

/* Is the next message to the page of that id, kind and beginning? */
static const char *expect(struct rig_page *page, const char *begin)
{
    const char *s = next(page);

    ck_assert_msg(strncmp(s, begin, strlen(begin)) == 0, "%s\nis not %s", s,
        begin);
    return s;
}

#endif

/* BSD-3-Clause; see LICENSE. */
/* avahi's interface to event loops, on libevent. */
#define _DEFAULT_SOURCE /* timersub */
#include "poll_ev.h"

#include <event2/event.h>
#include <sys/time.h>

#include <v23/alloc.h>

struct AvahiWatch {
    struct event_base *base;
    struct event *ev;
    int fd;
    AvahiWatchEvent happened;
    AvahiWatchCallback fn;
    void *ud;
};

struct AvahiTimeout {
    struct event *ev;
    AvahiTimeoutCallback fn;
    void *ud;
};

/* ---- descriptors --------------------------------------------------------- */

static void ready(evutil_socket_t fd, short what, void *arg)
{
    AvahiWatch *w = arg;

    w->happened = (AvahiWatchEvent)(((what & EV_READ) != 0 ? AVAHI_WATCH_IN : 0)
        | ((what & EV_WRITE) != 0 ? AVAHI_WATCH_OUT : 0));
    w->fn(w, fd, w->happened, w->ud); /* may free w */
}

static int watch_start(AvahiWatch *w, AvahiWatchEvent events)
{
    short what = EV_PERSIST;

    if ((events & AVAHI_WATCH_IN) != 0)
        what |= EV_READ;
    if ((events & AVAHI_WATCH_OUT) != 0)
        what |= EV_WRITE;
    w->ev = event_new(w->base, w->fd, what, ready, w);
    return w->ev == NULL ? -1 : event_add(w->ev, NULL);
}

static void watch_free(AvahiWatch *w)
{
    if (w->ev != NULL)
        event_free(w->ev);
    v23_put(NULL, w);
}

static AvahiWatch *watch_new(const AvahiPoll *p, int fd,
    AvahiWatchEvent events, AvahiWatchCallback fn, void *ud)
{
    AvahiWatch *w = v23_new(NULL, AvahiWatch);

    if (w == NULL)
        return NULL;
    w->base = p->userdata;
    w->fd = fd;
    w->fn = fn;
    w->ud = ud;
    if (watch_start(w, events) != 0) {
        watch_free(w);
        return NULL;
    }
    return w;
}

static void watch_update(AvahiWatch *w, AvahiWatchEvent events)
{
    if (w->ev != NULL)
        event_free(w->ev);
    (void)watch_start(w, events); /* nobody could be told */
}

static AvahiWatchEvent watch_events(AvahiWatch *w)
{
    return w->happened;
}

/* ---- timers -------------------------------------------------------------- */

static void fired(evutil_socket_t fd, short what, void *arg)
{
    AvahiTimeout *t = arg;

    (void)fd;
    (void)what;
    t->fn(t, t->ud); /* may free t */
}

/* The library's times are those of the wall clock. */
static void timeout_update(AvahiTimeout *t, const struct timeval *at)
{
    struct timeval now, left = { 0, 0 };

    event_del(t->ev);
    if (at == NULL)
        return;
    gettimeofday(&now, NULL);
    if (evutil_timercmp(at, &now, >))
        evutil_timersub(at, &now, &left);
    event_add(t->ev, &left);
}

static void timeout_free(AvahiTimeout *t)
{
    if (t->ev != NULL)
        event_free(t->ev);
    v23_put(NULL, t);
}

static AvahiTimeout *timeout_new(const AvahiPoll *p, const struct timeval *at,
    AvahiTimeoutCallback fn, void *ud)
{
    AvahiTimeout *t = v23_new(NULL, AvahiTimeout);

    if (t == NULL)
        return NULL;
    t->fn = fn;
    t->ud = ud;
    t->ev = event_new(p->userdata, -1, 0, fired, t);
    if (t->ev == NULL) {
        timeout_free(t);
        return NULL;
    }
    timeout_update(t, at);
    return t;
}

void vname_poll_init_(AvahiPoll *p, struct event_base *base)
{
    p->userdata = base;
    p->watch_new = watch_new;
    p->watch_update = watch_update;
    p->watch_get_events = watch_events;
    p->watch_free = watch_free;
    p->timeout_new = timeout_new;
    p->timeout_update = timeout_update;
    p->timeout_free = timeout_free;
}

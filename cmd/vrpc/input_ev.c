/* BSD-3-Clause; see LICENSE. */
/*
 * Standard input by lines. What can be waited for (terminals, pipes) is read
 * when the loop says so; a file, which the kernel does not let wait for, at
 * once.
 */
#include "input.h"

#include <errno.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#define LINE_MAX_BYTES (16u << 20)
#define PART 65536

struct owner {
    void (*fn)(void *ud);
    void *ud;
};

static void on_readable(evutil_socket_t fd, short what, void *ud)
{
    struct owner *o = ud;

    (void)fd;
    (void)what;
    o->fn(o->ud);
}

static bool can_wait(void)
{
    struct stat st;

    return fstat(STDIN_FILENO, &st) == 0
        && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)
            || isatty(STDIN_FILENO));
}

int input_open(struct input *in, struct event_base *base,
    void (*fn)(void *ud), void *ud)
{
    static struct owner owner; /* there is one standard input */

    memset(in, 0, sizeof(*in));
    v23_buf_init(&in->text, NULL, LINE_MAX_BYTES + PART);
    owner.fn = fn;
    owner.ud = ud;
    if (!can_wait())
        return 0;
    in->event = event_new(base, STDIN_FILENO, EV_READ, on_readable, &owner);
    return in->event == NULL ? V23_ENOMEM : 0;
}

void input_close(struct input *in)
{
    if (in->event != NULL)
        event_free(in->event);
    in->event = NULL;
    v23_buf_fini(&in->text);
}

/* A line of the text, also the last one without an end. */
static bool take(struct input *in, struct v23_buf *line)
{
    const uint8_t *end = in->text.n == 0
        ? NULL : memchr(in->text.p, '\n', in->text.n);
    size_t n = end == NULL ? in->text.n : (size_t)(end - in->text.p);

    if (end == NULL && (!in->end || n == 0))
        return false;
    v23_buf_cut(line, 0);
    v23_buf_put(line, in->text.p, n);
    v23_buf_drop(&in->text, end == NULL ? n : n + 1);
    in->number++;
    return true;
}

static bool blank(const struct v23_buf *line)
{
    size_t i;

    for (i = 0; i < line->n; i++)
        if (strchr(" \t\r", line->p[i]) == NULL)
            return false;
    return true;
}

/* Whether something may be read without waiting. */
static bool readable(const struct input *in)
{
    struct pollfd p = { STDIN_FILENO, POLLIN, 0 };

    return in->event == NULL || poll(&p, 1, 0) != 0;
}

int input_line(struct input *in, struct v23_buf *line)
{
    ssize_t n;

    for (;;) {
        while (take(in, line))
            if (!blank(line))
                return line->err == 0 ? INPUT_LINE : INPUT_FAILED;
        if (in->end)
            return INPUT_END;
        if (!readable(in))
            return event_add(in->event, NULL) == 0 ? INPUT_LATER
                                                   : INPUT_FAILED;
        if (in->text.n > LINE_MAX_BYTES
            || v23_buf_room(&in->text, PART) != 0)
            return INPUT_FAILED;
        n = read(STDIN_FILENO, in->text.p + in->text.n, PART);
        if (n < 0 && errno != EINTR)
            return INPUT_FAILED;
        in->end = n == 0;
        in->text.n += n > 0 ? (size_t)n : 0;
    }
}

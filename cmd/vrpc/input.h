/* BSD-3-Clause; see LICENSE. */
/* Lines of standard input, in the event loop. */
#ifndef VRPC_INPUT_H
#define VRPC_INPUT_H

#include <v23/bytes.h>

struct event;
struct event_base;

enum { INPUT_LINE, INPUT_LATER, INPUT_END, INPUT_FAILED };

struct input {
    struct event *event; /* readable; NULL: a file, which always is */
    struct v23_buf text; /* not taken yet */
    size_t number;       /* of the last line */
    bool end;
};

/**
 * @param fn  called after INPUT_LATER, when there may be more
 * @return 0 or V23_ENOMEM
 */
V23_MUST_USE int input_open(struct input *in, struct event_base *base,
    void (*fn)(void *ud), void *ud);
void input_close(struct input *in);
/**
 * Take the next line that is not blank.
 * @param line  receives it, without its end, in place of what it holds
 * @return INPUT_LINE, INPUT_LATER, INPUT_END; INPUT_FAILED: it cannot be read,
 *         or a line has more than 16 MiB
 */
int input_line(struct input *in, struct v23_buf *line);

#endif

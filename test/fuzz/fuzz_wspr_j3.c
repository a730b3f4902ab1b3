/* BSD-3-Clause; see LICENSE. */
/*
 * Fuzz target of the protocol of 2014: what two pages say, one of which calls
 * what the other serves. Each line of the input is a message:
 *
 *   page and haste ('0' first, '1' second page; 'a', 'b': the same, and the
 *   next one follows at once; 'r': the first says the rest of the line as it
 *   is; 't': time passes), type as a letter from '0' on, id as a letter from
 *   '!' on, data
 *
 * What must hold: whatever is sent to a page is JSON within JSON, and when the
 * pages have gone nothing of them is left.
 */
#include <stdio.h>

#define WORLD_WITHOUT_CHECK
#include "fuzz.h"
#include "../../libwspr/test/ctl_rig.h"

#include <vname/json.h>
#include <wspr/json.h>

enum { MAX_LINES = 64 };

static struct rig_page *pages[2];

/* Nodes and their connections stay from one input to the next. */
static void begin(void)
{
    static bool ready;

    if (!ready) {
        ready = true;
        rig_setup();
        pages[0] = rig_page(WSPR_JSON, NULL);
        pages[1] = rig_page(WSPR_JSON, NULL);
        return;
    }
    WORLD_ASSERT(rig_connect(pages[0], WSPR_JSON, NULL) == 0);
    WORLD_ASSERT(rig_connect(pages[1], WSPR_JSON, NULL) == 0);
}

/* Messages but the greeting and plain texts hold another one. */
static void check_frames(const struct rig_page *p)
{
    static const char plain[] = "can't unmarshall JSONMessage: ";
    struct v23_bytes frame;
    size_t i, end;

    for (i = 0; i < p->nframes; i++) {
        if (strncmp(p->frames[i], plain, sizeof(plain) - 1) == 0)
            continue;
        frame = v23_bytes(p->frames[i], strlen(p->frames[i]));
        WORLD_ASSERT(vname_json_check(frame, &end, NULL) == 0);
        WORLD_ASSERT(end == frame.n);
    }
}

static void say(struct rig_page *p, const char *line, size_t n)
{
    struct v23_buf b;

    if (n < 3)
        return;
    v23_buf_init(&b, NULL, SIZE_MAX);
    v23_buf_printf(&b, "{\"id\":%d,\"type\":%d,\"data\":", line[2] - '!',
        line[1] - '0');
    wspr_json_quote(&b, vdl_strn(line + 3, n - 3));
    v23_buf_put_byte(&b, '}');
    wspr_ctl_input(p->ctl, (const char *)b.p, b.n, &W.now);
    v23_buf_fini(&b);
}

static void play(const char *line, size_t n)
{
    switch (n == 0 ? 0 : line[0]) {
    case '0':
    case '1':
        say(pages[line[0] - '0'], line, n);
        break;
    case 'a':
    case 'b':
        say(pages[line[0] - 'a'], line, n);
        return;
    case 'r':
        wspr_ctl_input(pages[0]->ctl, line + 1, n - 1, &W.now);
        break;
    case 't':
        rig_sleep(31 * V23_NS_PER_SEC);
        return;
    default:
        return;
    }
    world_settle(&W);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    const char *text = (const char *)p, *end = text + n, *nl;
    size_t i;
    int lines;

    begin();
    S.names[0] = 0;
    for (lines = 0; text < end && lines < MAX_LINES; lines++) {
        nl = memchr(text, '\n', (size_t)(end - text));
        if (nl == NULL)
            nl = end;
        play(text, (size_t)(nl - text));
        text = nl == end ? end : nl + 1;
    }
    for (i = 0; i < 2; i++) {
        rig_hang_up(pages[i]);
        rig_sleep(V23_NS_PER_SEC);
        WORLD_ASSERT(pages[i]->closed == 1);
        check_frames(pages[i]);
    }
    for (i = 0; i < 2; i++)
        rig_forget(pages[i]);
    return 0;
}

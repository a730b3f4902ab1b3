/* BSD-3-Clause; see LICENSE. */
/* Vectors of the family wspr/ (test/vectors/README.md, spec/wspr.md 20.1). */
#include "wspr_int.h"

/* The frames by themselves, then the page's part played to a controller. */
static void pages_of_2016(const char *dir, const char *companions,
    const char *path)
{
    wspr_transcript(dir, companions, path);
    wspr_replay(dir, companions, path);
}

static const struct run_file files[] = {
    { "channel.jsonl", wspr_channel, NULL, NULL, NULL, NULL },
    { "ws2016-*.jsonl", NULL, pages_of_2016, NULL, NULL, NULL },
    { "edge-2016.jsonl", wspr_edge, NULL, NULL, NULL, NULL },
    { "ws2014-*.jsonl", NULL, wspr_json_transcript, NULL, NULL, NULL },
    { "edge-2014.jsonl", wspr_json_edge, NULL, NULL, NULL, NULL },
    { "principal-state.jsonl", wspr_accounts, NULL, NULL, NULL, NULL },
    { "http-*.jsonl", wspr_http, NULL, NULL, NULL, NULL },
    { "*.jsonl", NULL, NULL, "nothing reads it yet", NULL, NULL },
    { NULL, NULL, NULL, NULL, NULL, NULL },
};

const struct run_family run_wspr = { "wspr", files, NULL };

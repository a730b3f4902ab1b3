/* BSD-3-Clause; see LICENSE. */
/* Shared by the runners of wspr/. */
#ifndef TEST_RUNNER_WSPR_INT_H
#define TEST_RUNNER_WSPR_INT_H

#include "runner.h"

#include <vom/type.h>

/*
 * Is a decoded value what `want` says, in the notation of the JavaScript
 * library (test/vectors/README.md)? Else explains in c->why.
 */
bool wspr_value_is(struct run_case *c, const cJSON *want,
    const struct vdl_type *t, const void *v);
/* Is there a set or map whose entries could have come in another order? */
bool wspr_has_order(const struct vdl_type *t, const void *v);

/* ws2016-*.jsonl: decode every frame, encode those of the proxy again. */
void wspr_transcript(const char *dir, const char *companions,
    const char *path);
/* The same: what the page said is said to a controller. */
void wspr_replay(const char *dir, const char *companions, const char *path);
/* edge-2016.jsonl */
bool wspr_edge(struct run_case *c);
/* ws2014-*.jsonl: the page's part is played to a controller. */
void wspr_json_transcript(
    const char *dir, const char *companions, const char *path);
/* edge-2014.jsonl */
bool wspr_json_edge(struct run_case *c);
/* http-*.jsonl, against wsprd. */
bool wspr_http(struct run_case *c);
/* Is a case of edge-*.jsonl about frames? Then it is run against wsprd, too. */
bool wspr_is_about_frames(const struct run_case *c);
bool wspr_frames(struct run_case *c);
/* channel.jsonl */
bool wspr_channel(struct run_case *c);
/* principal-state.jsonl */
bool wspr_accounts(struct run_case *c);

#endif

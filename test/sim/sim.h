/* BSD-3-Clause; see LICENSE. */
/* What the files of the simulation share. */
#ifndef SIM_H
#define SIM_H

#include <stdio.h>
#include <stdlib.h>

/* Whatever is asserted names the seed, so that a failure can be repeated. */
void sim_fail(const char *file, int line, const char *what);
#define WORLD_FAIL sim_fail
#define WORLD_WITHOUT_CHECK
#include "../../librpc/test/world.h"
#define SIM_CHECK WORLD_ASSERT

/* ---- chance -------------------------------------------------------------- */

/** 0 .. n - 1 */
uint32_t sim_rnd(uint32_t n);
static inline bool sim_one_in(uint32_t n)
{
    return sim_rnd(n) == 0;
}

/** A name of the server at a node, directly or through the proxy. */
const char *sim_name(struct wnode *to);

/* ---- the service (service.c) --------------------------------------------- */

enum sim_method { SIM_ADD, SIM_BLOB, SIM_COUNT, SIM_FAIL, SIM_SUM, SIM_WAIT,
    SIM_NM };
extern const struct vrpc_method sim_methods[SIM_NM];

struct sim_add { int32_t a, b; };
struct sim_int { int32_t n; };
struct sim_blob { struct vdl_bytes b; };

/** A server of the simulated service at a node. */
V23_MUST_USE int sim_serve(struct wnode *n);
/** Calls being served by handlers that have not answered. */
extern size_t sim_jobs;
/** Let one of the calls that wait be answered. */
void sim_answer_one(void);
/** Let the service read on, or make it slow. */
void sim_slow(bool slow);

/* ---- callers (calls.c) --------------------------------------------------- */

void sim_calls_reset(void);
/** Do something with one of the callers: start, send, cancel, pause. */
void sim_calls_act(struct wnode *const *clients, size_t nclients,
    struct wnode *const *servers, size_t nservers);
/** Read on and say nothing more: running calls come to their end. */
void sim_calls_finish(void);
void sim_calls_cancel(void);
/** All calls that were started have ended. */
bool sim_calls_ended(void);
extern uint64_t sim_started, sim_good;

#endif

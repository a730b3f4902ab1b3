/* BSD-3-Clause; see LICENSE. */
/*
 * What speaks mDNS, in a process of its own: this program, run again. It reads
 * packets of anybody on the link with a library that aborts where it is
 * surprised; here that costs no more than a second of the neighborhood.
 */
#ifndef MOUNTTABLED_ENGINE_H
#define MOUNTTABLED_ENGINE_H

#include <vname/neighborhood.h>
#include <vrpc/runtime.h>

/* The only argument of that process. */
#define ENGINE_ARGUMENT "neighborhood-engine"

struct engine;

struct engine_config {
    struct vrpc_runtime *rt;
    struct vname_neighborhood *nh; /* is told what is heard */
    struct vdl_str host; /* as in struct vname_mdns_config */
    struct v23_bytes txt;
    uint16_t port;
    bool loopback;
};

/**
 * Run it, again if it ends. Texts in the config are copied.
 * @param why  receives the reason of a failure
 * @return 0, V23_ENOMEM, or V23_ESTATE with a reason
 */
int engine_start(const struct engine_config *cfg, struct engine **out,
    struct v23_buf *why);
/** Announce this from now on, if it is something else. */
void engine_update(struct engine *e, struct v23_bytes txt, uint16_t port);
/** Have it say goodbye, wait for its end, free. */
void engine_stop(struct engine *e);

/* main() of that process; its exit code. */
int engine_main(void);

#endif

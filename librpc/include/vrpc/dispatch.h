/* BSD-3-Clause; see LICENSE. */
/**
 * A dispatcher in front of another one: at a place of its own, below a root,
 * as a leaf. Source: spec/rpc.md 18.1, 20.2.
 */
#ifndef VRPC_DISPATCH_H
#define VRPC_DISPATCH_H

#include <vrpc/server.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * With `at` "a/b" and `root` "x", the suffix "a/b/c" is looked up as "x/c" in
 * `to`. Suffixes that are not below `at` are unknown, but those on the way to
 * it ("" and "a") answer globs, to everybody, with the next name of `at`.
 */
struct vrpc_dispatch {
    struct vrpc_dispatcher d; /* the result: for vrpc_server_config, or another
                                 vrpc_dispatch's `to` */
    const struct vrpc_dispatcher *to;
    struct vdl_str at;        /* without '/' at the ends; empty = everywhere */
    struct vdl_str root;      /* likewise; empty = the suffix as it is */
    bool leaf;                /* nothing is below `at` */
    struct vrpc_globber glob; /* private */
};

/**
 * Set up d->d from the other members, which may be changed afterwards only
 * while no call is looked up. Everything is borrowed for the dispatcher's life;
 * `d` must not move.
 * @return 0; V23_EARG: no `to`, or '/' at an end of `at` or `root`
 */
V23_MUST_USE int vrpc_dispatch_init(struct vrpc_dispatch *d);

#ifdef __cplusplus
}
#endif
#endif

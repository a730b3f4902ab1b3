/* BSD-3-Clause; see LICENSE. */
/**
 * What programs that use names do alike: flags, run time and namespace at the
 * start, waiting for operations, and serving under published names.
 *
 *     static int run(void *ud, …) { struct vname_program *p = ud; … }
 *     int main(int argc, char **argv)
 *     {
 *         static struct vname_program p;
 *         return vname_program_main(&p, &command, groups, argc, argv);
 *     }
 */
#ifndef VNAME_PROGRAM_H
#define VNAME_PROGRAM_H

#include <v23/cmdline.h>
#include <vname/namespace.h>
#include <vname/publisher.h>
#include <vrpc/exec.h>
#include <vrpc/runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

struct vname_program {
    struct vrpc_flags flags;
    struct vrpc_exec_child child; /* what the process that has started this
                                     one has sent; an empty configuration if
                                     nothing */
    struct vrpc_runtime rt;
    struct vname_ns *ns;
    const char *name; /* of the program, for errors */
    bool heard;       /* private: child is there; */
    bool started;     /* private: rt and ns are there */
    bool done;        /* see vname_program_wait() */
};

/**
 * Parse flags, start run time and namespace, run the command, clean up. If the
 * process that has started this one speaks the exec protocol (vrpc/exec.h), its
 * configuration beats the flags, and it is told when all has started.
 *
 * @param groups  enum vrpc_flag_groups
 * @param root    its run() functions get `p`
 * @return exit code; an error at the start is one line on stderr and 1
 */
int vname_program_main(struct vname_program *p,
    const struct v23_command *root, int groups, int argc, char **argv);
/**
 * Run the loop until vname_program_done() is called; returns at once if it has
 * been called since the last wait.
 */
void vname_program_wait(struct vname_program *p);
void vname_program_done(struct vname_program *p);
/**
 * From now on SIGINT and SIGTERM call vname_program_done() instead of ending
 * the process; the second one ends it all the same, with status 1. For before
 * a program says that it is there, since whoever reads that may stop it at
 * once.
 * @return exit code: 0, or 1 after a message
 */
V23_MUST_USE int vname_program_catch(struct vname_program *p);
/**
 * Print `ERROR: what: ` and an error's text (vrpc_runtime_error()); returns 1.
 * @param what  NULL = nothing
 */
int vname_program_error(const struct vname_program *p, const char *what,
    const struct v23_verror *err);
/** Read a TTL argument; prints what is wrong with it and returns 1. */
V23_MUST_USE int vname_program_ttl(const char *text, int64_t *ns);

/**
 * A name as it stands, for calls that resolve nothing (`preresolved` of struct
 * vrpc_call_opts): a rooted one itself, a relative one at each root of the
 * name space.
 * @return 0 or V23_ENOMEM
 */
V23_MUST_USE int vname_program_raw_names(struct vname_program *p,
    const char *name, struct v23_arena *a, vdl_str_list *out);

/* ---- another principal --------------------------------------------------- */

/* A client and a namespace of their own, with the roots of the program's; its
 * calls are collected in the program's traces. */
struct vname_identity {
    struct vrpc_ev_node *node; /* whose connections they use */
    struct vrpc_client *client;
    struct vname_ns *ns;
    bool owns_node; /* private */
};
/**
 * Make calls as somebody else.
 * @param as  outlives the identity
 * @return 0, V23_ENOMEM, V23_ESYS; then there is nothing to give back
 */
V23_MUST_USE int vname_identity_init(struct vname_identity *id,
    struct vname_program *p, struct vsec_principal *as);
/**
 * The same over connections that it shares with others who are the same
 * principal. Calls, limits, roots and what is remembered of names are its own.
 * @param node  from vname_identity_node(); outlives the identity
 * @return 0, V23_ENOMEM; then there is nothing to give back
 */
V23_MUST_USE int vname_identity_join(struct vname_identity *id,
    struct vname_program *p, struct vrpc_ev_node *node);
void vname_identity_fini(struct vname_identity *id);
/**
 * A node whose connections are somebody else's; without a client so far. They
 * close after a minute or two without calls.
 * @param as   a reference is taken
 * @param out  to vrpc_ev_node_free()
 * @return 0, V23_ENOMEM, V23_ESYS
 */
V23_MUST_USE int vname_identity_node(struct vname_program *p,
    struct vsec_principal *as, struct vrpc_ev_node **out);

/* ---- a server under names ------------------------------------------------ */

/* A server or a proxy, its endpoints and its publisher. */
struct vname_serving;

struct vname_serve_config {
    const struct vrpc_server_config *server; /* NULL: a proxy, */
    const struct vrpc_proxy_config *proxy;   /* its config; NULL = default */
    const struct vrpc_listen_addr *addrs; /* NULL = those of the flags */
    size_t naddrs;
    struct vdl_str name; /* to publish under; empty = not published; must
                            outlive the serving */
    /* Whose server it is, and whose namespace publishes it: listening as the
     * flags say, in this loop only, without __debug. Outlives the serving.
     * NULL = the program. */
    const struct vname_identity *as;
    bool no_wait; /* the loop runs already: see vname_serve() */
    /* As in struct vname_publisher_config; NULL = nobody wants to know. */
    void (*mounted)(void *ud, struct vdl_str name,
        const struct v23_verror *err);
    void *ud;
};

/**
 * Serve and publish. With no address to listen on, but proxies
 * (--v23.proxy), the loop runs until one of them answers, at most 10 s, unless
 * cfg->no_wait.
 * @return 0; a status with p->rt.why set (a used port, …)
 */
V23_MUST_USE int vname_serve(struct vname_program *p,
    const struct vname_serve_config *cfg, struct vname_serving **out);
/** Endpoints served, as vrpc_ev_endpoints(). */
V23_MUST_USE int vname_serving_endpoints(struct vname_serving *s,
    const struct vrpc_endpoint **eps, size_t *neps);
/** NULL for a proxy. */
struct vrpc_server *vname_serving_server(const struct vname_serving *s);
/** NULL for a server. */
struct vrpc_proxy *vname_serving_proxy(const struct vname_serving *s);
struct vrpc_ev_node *vname_serving_node(const struct vname_serving *s);
/** Another name for the same server. */
V23_MUST_USE int vname_serving_add_name(struct vname_serving *s,
    struct vdl_str name);
void vname_serving_remove_name(struct vname_serving *s, struct vdl_str name);
/** The state of each of its names (vname_publisher_status()). */
void vname_serving_status(const struct vname_serving *s,
    void (*fn)(void *ud, const struct vname_publish_entry *e), void *ud);
/**
 * Run until SIGINT or SIGTERM, then unmount, let calls finish (lame duck) and
 * stop. Frees `s`.
 */
void vname_serving_run(struct vname_serving *s);
/**
 * Print the line `KEY=<object name>` of the first endpoint on standard output,
 * for whoever has started the program, after vname_program_catch().
 * @return 0, or 1 after a message (there is no endpoint)
 */
V23_MUST_USE int vname_serving_print(struct vname_serving *s,
    const char *key);
/**
 * Print the line `NAME=<object name>` of the first endpoint on standard output,
 * for whoever has started the program; then as vname_serving_run().
 * @return exit code: 0, or 1 after a message (there is no endpoint)
 */
V23_MUST_USE int vname_serving_print_and_run(struct vname_serving *s);
/** Stop without waiting for a signal; frees `s`. */
void vname_serving_stop(struct vname_serving *s);
/**
 * The same where the loop runs already: unmount, let calls finish, and tell.
 * @param done  once, possibly before this returns; it must not free `s`. NULL =
 *              nobody wants to know
 */
void vname_serving_end(struct vname_serving *s, void (*done)(void *ud),
    void *ud);
/** At any time, also before it has ended: then at once. Not from inside a
 * callback of its server. NULL is ignored. */
void vname_serving_free(struct vname_serving *s);

#ifdef __cplusplus
}
#endif
#endif

/* BSD-3-Clause; see LICENSE. */
/**
 * The --v23.* flags and the environment of programs. Source: spec/rpc.md 25,
 * spec/services.md 3.2, spec/security.md 11.5.
 */
#ifndef VRPC_FLAGS_H
#define VRPC_FLAGS_H

#include <vrpc/ev.h>
#include <vsec/acl.h>

#ifdef __cplusplus
extern "C" {
#endif

struct v23_flag_source; /* v23/cmdline.h */

enum vrpc_flag_groups {
    VRPC_FLAGS_RUNTIME = 1,     /* namespace roots, credentials, vtrace */
    VRPC_FLAGS_LISTEN = 2,      /* tcp.*, proxy.*, server.* */
    VRPC_FLAGS_PERMISSIONS = 4, /* permissions.* */
    VRPC_FLAGS_LOGGING = 8,     /* --v, --logtostderr, … */
    VRPC_FLAGS_VIRTUALIZED = 16, /* virtualized.*: servers in clouds */
    VRPC_FLAGS_WRITABLE = 32,    /* no flags: what the program changes of its
                                    principal is kept in its credentials, if
                                    they can be written */
    /* What most clients and servers use. */
    VRPC_FLAGS_CLIENT = VRPC_FLAGS_RUNTIME | VRPC_FLAGS_LOGGING,
    VRPC_FLAGS_SERVER = VRPC_FLAGS_CLIENT | VRPC_FLAGS_LISTEN
        | VRPC_FLAGS_PERMISSIONS | VRPC_FLAGS_VIRTUALIZED
};

struct vsec_principal;

/* Whose machine a program runs on. */
enum vrpc_provider {
    VRPC_PROVIDER_NATIVE,
    VRPC_PROVIDER_AWS,
    VRPC_PROVIDER_GCP
};

/* "name:file" of --v23.permissions.file. */
struct vrpc_perms_file {
    struct vdl_str name, file;
};

/* Values after parsing; strings live as long as the struct. */
struct vrpc_flags {
    struct v23_arena arena; /* private */
    int groups;
    /* runtime */
    struct vdl_str *roots;       /* namespace roots */
    size_t nroots, roots_cap;
    bool roots_default;          /* nobody named a root */
    bool roots_flag;             /* a flag did */
    struct vdl_str credentials;  /* directory, or empty */
    struct vdl_str catalogue;    /* file of messages (v23/i18n.h), or empty */
    struct vsec_principal *principal; /* set by a program that has loaded one
                                         itself; borrowed by the run time */
    double vtrace_sample_rate;   /* vrpc/vtrace.h; cache size 0: no store */
    int vtrace_level;
    uint32_t vtrace_cache_size;
    bool vtrace_dump;
    struct vdl_str vtrace_regexp, vtrace_root_span;
    /* listen */
    struct vdl_str protocol;     /* for the addresses that follow */
    struct vrpc_listen_addr *addrs;
    size_t naddrs, addrs_cap;
    bool addrs_flag;
    struct vdl_str proxy;
    enum vrpc_proxy_policy proxy_policy;
    uint32_t proxy_limit;
    int64_t lame_duck_ns;
    uint32_t loops;
    /* permissions */
    struct vrpc_perms_file *perms_files;
    size_t nperms_files, perms_files_cap;
    struct vdl_str perms_literal; /* JSON, or empty */
    /* virtualized */
    bool docker;                 /* taken, without effect (as in HEAD) */
    bool no_native_fallback, advertise_private;
    enum vrpc_provider provider;
    struct vdl_str public_protocol;
    struct vdl_str public_address; /* "host:port", port 0 = the listener's */
    struct vdl_str public_name;    /* "host" or "host:port", not resolved */
    /* logging */
    bool log_to_stderr, also_log_to_stderr;
    struct vdl_str log_dir;
    int log_level, stderr_threshold;
};

/**
 * Defaults from the environment.
 * @param groups  flags that the program uses and its help shows; those of other
 *                groups are accepted too, as by the reference tools, so that
 *                scripts may give all programs the same
 * @return 0 or V23_ENOMEM
 */
V23_MUST_USE int vrpc_flags_init(struct vrpc_flags *f, int groups);
void vrpc_flags_fini(struct vrpc_flags *f);
/**
 * Handle one flag.
 * @param name   without dashes, "v23.tcp.address"
 * @param value  NULL for a boolean flag given without value
 * @param why    receives the reason of V23_EARG, a constant phrase
 * @return 0; V23_ENOENT: not one of ours; V23_EARG: bad value; V23_ENOMEM
 */
V23_MUST_USE int vrpc_flags_set(struct vrpc_flags *f, const char *name,
    const char *value, const char **why);
struct vrpc_exec_config; /* vrpc/exec.h */
/**
 * Handle those keys of a configuration from the process that has started this
 * one that are names of our flags: after the command line, which they beat.
 *
 * @param why  receives "flag NAME: reason" of V23_EARG
 * @return 0; V23_EARG; V23_ENOMEM
 *
 * Source: spec/services.md 3.2.
 */
V23_MUST_USE int vrpc_flags_configure(struct vrpc_flags *f,
    const struct vrpc_exec_config *cfg, struct v23_buf *why);
/** Whether the name is one of ours; *is_bool: takes no value by itself. */
bool vrpc_flags_has(const struct vrpc_flags *f, const char *name,
    bool *is_bool);

/* ---- permissions --------------------------------------------------------- */

/* An authorizer that flags ask for; the caller's memory, which does not move.
 * Read `authorizer`, the rest is private. */
struct vrpc_flags_auth {
    const struct vsec_authorizer *authorizer; /* NULL: no flag asks for one */
    struct vsec_authorizer auth;
    struct v23_arena arena;
    v23_access_permissions perms;
    struct vsec_auth_perms literal;
    struct vsec_auth_perms_file file;
};

/**
 * Make the authorizer of --v23.permissions.literal, else of the file that
 * --v23.permissions.file gives a name, over access.Tag (vsec/acl.h). The file
 * is read at each authorization, and not here.
 *
 * @param name  of the file; NULL = "runtime"
 * @param log   who is told when the file cannot be read; NULL = nobody;
 *              outlives the authorizer
 * @return 0; V23_ETEXT: the literal is no permissions; V23_ENOMEM. On failure
 *         nothing is to be released.
 *
 * Ownership: give it to vrpc_flags_auth_fini(); `f` may go before.
 * Source: spec/security.md 11.5, spec/services.md 3.2.
 */
V23_MUST_USE int vrpc_flags_auth_init(struct vrpc_flags_auth *auth,
    const struct vrpc_flags *f, const char *name, const struct v23_log *log);
void vrpc_flags_auth_fini(struct vrpc_flags_auth *auth);
/**
 * The same permissions as a value, for programs that manage them.
 * @return 0; V23_ENOENT: no flag names any; V23_ESYS, V23_ETEXT, V23_ENOMEM
 */
V23_MUST_USE int vrpc_flags_permissions(const struct vrpc_flags *f,
    const char *name, struct v23_arena *a, v23_access_permissions *out);

/** These flags as a source for v23_cmdline_main(); `f` is borrowed. */
void vrpc_flags_source(struct vrpc_flags *f, struct v23_flag_source *out);

#ifdef __cplusplus
}
#endif
#endif

/* BSD-3-Clause; see LICENSE. */
/* What the setters of flags share. */
#ifndef VRPC_FLAGS_INT_H
#define VRPC_FLAGS_INT_H

#include <vrpc/flags.h>

struct vrpc_flag_ {
    const char *name;
    bool is_bool;
    /* 0; V23_EARG with *why; V23_ENOMEM. Value NULL: a bare boolean. */
    int (*set)(struct vrpc_flags *f, const char *value, const char **why);
};

/* A copy that lives as long as the flags. */
int vrpc_flags_dup_(struct vrpc_flags *f, const char *s, struct vdl_str *out);
int vrpc_flags_bad_(const char **why, const char *text); /* V23_EARG */
int vrpc_flags_bool_(const char *value, bool *out, const char **why);
int vrpc_flags_number_(const char *value, unsigned long most,
    unsigned long *out, const char **why);
/* A name of a protocol that we know, or NULL. */
const char *vrpc_flags_protocol_(const char *value);
/* The parts of "host", "host:port", ":port"; *port is empty without one. */
int vrpc_flags_split_(struct vdl_str text, struct vdl_str *host,
    struct vdl_str *port, const char **why);

/* flags_cloud.c: --v23.virtualized.* */
#define VRPC_FLAGS_CLOUD_ 7
extern const struct vrpc_flag_ vrpc_flags_cloud_[VRPC_FLAGS_CLOUD_];
void vrpc_flags_provider_(struct vrpc_flags *f); /* of the environment */

/* flags_vtrace.c: --v23.vtrace.* */
#define VRPC_FLAGS_VTRACE_ 7
extern const struct vrpc_flag_ vrpc_flags_vtrace_[VRPC_FLAGS_VTRACE_];

#endif

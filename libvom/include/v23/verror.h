/* BSD-3-Clause; see LICENSE. */
/**
 * Wire errors: what travels as VDL `error` = ?v.io/v23/vdl.WireError.
 * Source: spec/vom.md 15.2, spec/rpc.md 21, spec/vdl.md 10.
 */
#ifndef V23_VERROR_H
#define V23_VERROR_H

#include <vom/type.h>

#ifdef __cplusplus
extern "C" {
#endif

enum v23_retry {
    V23_NO_RETRY,
    V23_RETRY_CONNECTION,
    V23_RETRY_REFETCH,
    V23_RETRY_BACKOFF
};

/* The C representation of v.io/v23/vdl.WireError. */
struct v23_verror {
    struct vdl_str id;   /* "v.io/v23/verror.NoExist" */
    uint8_t retry;       /* enum v23_retry */
    struct vdl_str msg;  /* complete text */
    vdl_any_list params; /* component, operation, then the parameters */
};
extern const struct vdl_type v23_verror_desc;   /* WireError */
extern const struct vdl_type v23_retry_desc;    /* WireRetryCode */

/* Who reports: the first two parameters and the prefix of the text. */
struct v23_errctx {
    struct vdl_str component; /* program name */
    struct vdl_str op;        /* "suffix".Method */
};

/*
 * A kind of error, emitted by the VDL compiler. In the format, {N} stands for
 * parameter N, counted from 1 (the component; 2 is the operation), {:N} and
 * {N:} for the same with ": " before or ":" behind unless it is empty, {_} for
 * all parameters not printed otherwise. An empty format prints the id and all
 * parameters. The prefix "component:operation: " is not part of it.
 */
struct v23_errdef {
    struct vdl_str id;
    uint8_t retry;
    struct vdl_str format; /* "no sensor {3} at {4} Hz"; parameters from 3 */
    uint8_t nparams;
    const struct vdl_type *const *params;
};

/**
 * Build an error in an arena.
 *
 * @param ctx     NULL = empty component and operation
 * @param params  def->nparams pointers to C values of def->params; copied
 * @return never NULL: when memory is short, a constant error with def's id is
 *         not possible, so a constant v.io/v23/verror.Internal "out of memory"
 */
const struct v23_verror *v23_verror_make(struct v23_arena *a,
    const struct v23_errctx *ctx, const struct v23_errdef *def,
    const void *const *params);
/** The same with a ready text and no parameters beyond the two names. */
const struct v23_verror *v23_verror_text(struct v23_arena *a,
    const struct v23_errctx *ctx, struct vdl_str id, enum v23_retry retry,
    const char *fmt, ...) V23_PRINTF(5, 6);
/**
 * Append an error's parameters in a format as in struct v23_errdef; nothing is
 * put before it, so {1} and {2} are component and operation.
 */
void v23_verror_format(const struct v23_verror *e, struct vdl_str format,
    struct v23_buf *out);
/** Same error id. NULL has no id. */
bool v23_verror_is(const struct v23_verror *e, struct vdl_str id);
/**
 * Take the parameters out of an error of a known kind, converting each to the
 * definition's type. What the generated _params functions call.
 *
 * @param out  def->nparams pointers to C values of def->params; written only
 *             on success, their contents live in the arena
 * @return 0; V23_ENOENT: another error; V23_ELENGTH: parameters missing;
 *         the codes of vdl_convert(); V23_ENOMEM
 */
V23_MUST_USE int v23_verror_params(const struct v23_verror *e,
    const struct v23_errdef *def, struct v23_arena *a, void *const *out);

#ifdef __cplusplus
}
#endif
#endif

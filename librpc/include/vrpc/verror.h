/* BSD-3-Clause; see LICENSE. */
/**
 * Local status codes and wire errors: the one place that converts between
 * them. Source: spec/rpc.md 21.
 */
#ifndef VRPC_VERROR_H
#define VRPC_VERROR_H

#include <v23/verror.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Standard kinds of errors (spec/rpc.md 21.2), ids "v.io/v23/verror.X". */
enum vrpc_err {
    VRPC_ERR_UNKNOWN,
    VRPC_ERR_INTERNAL,
    VRPC_ERR_NOT_IMPLEMENTED,
    VRPC_ERR_END_OF_FILE,
    VRPC_ERR_BAD_ARG,
    VRPC_ERR_BAD_STATE,
    VRPC_ERR_BAD_VERSION,
    VRPC_ERR_EXIST,
    VRPC_ERR_NO_EXIST,
    VRPC_ERR_UNKNOWN_METHOD,
    VRPC_ERR_UNKNOWN_SUFFIX,
    VRPC_ERR_NO_EXIST_OR_NO_ACCESS,
    VRPC_ERR_NO_SERVERS,
    VRPC_ERR_NO_ACCESS,
    VRPC_ERR_NOT_TRUSTED,
    VRPC_ERR_ABORTED,
    VRPC_ERR_BAD_PROTOCOL,
    VRPC_ERR_CANCELED,
    VRPC_ERR_TIMEOUT,
    VRPC_ERRS /* number of kinds */
};

/** Id of a standard kind: "v.io/v23/verror.NoExist". */
struct vdl_str vrpc_err_id(enum vrpc_err kind);
/** Action code of a standard kind. */
enum v23_retry vrpc_err_retry(enum vrpc_err kind);
/** The error is of that kind (NULL is of none). */
bool vrpc_err_is(const struct v23_verror *e, enum vrpc_err kind);
/**
 * An error of a standard kind with a text and no parameters of its own.
 * @param ctx  NULL = empty component and operation
 * @return never NULL (see v23_verror_make())
 */
const struct v23_verror *vrpc_err_make(struct v23_arena *a,
    const struct v23_errctx *ctx, enum vrpc_err kind, const char *fmt, ...)
    V23_PRINTF(4, 5);
/**
 * The same, with string parameters behind component and operation.
 */
const struct v23_verror *vrpc_err_params(struct v23_arena *a,
    const struct v23_errctx *ctx, enum vrpc_err kind,
    const struct vdl_str *params, size_t n, const char *fmt, ...)
    V23_PRINTF(6, 7);

/* A sub-error (spec/rpc.md 21.1): its text is part of the whole's. */
struct vrpc_suberr {
    struct vdl_str name; /* "server=…" */
    const struct v23_verror *err;
};
/**
 * Append sub-errors to an error: " [name: text]" each, and the errors as
 * parameters. @return never NULL; `e` itself when memory is short
 */
const struct v23_verror *vrpc_err_with_subs(struct v23_arena *a,
    const struct v23_verror *e, const struct vrpc_suberr *subs, size_t n);

/** The kind that a local status becomes on the wire. */
enum vrpc_err vrpc_err_of_status(int status);
/**
 * The local status of a wire error: the inverse where there is one, else
 * V23_EWIREERR; 0 for NULL.
 */
int vrpc_status_of_err(const struct v23_verror *e);

/** Deep copy; NULL stays NULL; never NULL else (falls back to a constant). */
const struct v23_verror *vrpc_err_copy(struct v23_arena *a,
    const struct v23_verror *e);

#ifdef __cplusplus
}
#endif
#endif
